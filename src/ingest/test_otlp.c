/* test_otlp.c - OTLP requests: written here by hand, read back, cut after every byte, flipped bit by bit; packed bodies. */
#include "ingest/internal.h"
#include "ingest/otlp.h"
#include "base/test.h"

#include <zlib.h>
#include <zstd.h>

static void put(struct buf *b, int number, const struct buf *inner)
{
    buf_byte(b, (char)(number << 3 | 2));
    buf_varstr(b, buf_view(inner));
}

static void put_text(struct buf *b, int number, const char *text)
{
    buf_byte(b, (char)(number << 3 | 2));
    buf_varstr(b, str_c(text));
}

/* attr - KeyValue whose AnyValue holds the bytes of any. */
static void put_attr(struct buf *b, int number, const char *key, struct str any)
{
    AUTO_BUF struct buf kv = { 0 };

    buf_init(&kv, 0);
    put_text(&kv, 1, key);
    buf_byte(&kv, 2 << 3 | 2);
    buf_varstr(&kv, any);
    put(b, number, &kv);
}

/* sample - one resource, one scope, three records; the resource stands last, as protobuf allows. */
static void sample(struct buf *out)
{
    AUTO_BUF struct buf record = { 0 }, scope = { 0 }, resource = { 0 }, logs = { 0 }, any = { 0 };

    buf_init(&record, 0), buf_init(&scope, 0), buf_init(&resource, 0), buf_init(&logs, 0), buf_init(&any, 0), buf_init(out, 0);
    put_text(&any, 1, "a line of text");
    buf_byte(&record, 1 << 3 | 1);
    buf_le64(&record, 1795514400000000000u);
    put_text(&record, 3, "WARN");
    put(&record, 5, &any);
    put_attr(&record, 6, "log.file.path", STR("\x0a\x0d/var/log/auth"));
    put_attr(&record, 6, "n", STR("\x18\x07"));
    put_attr(&record, 6, "yes", STR("\x10\x01"));
    put_attr(&record, 6, "half", STR("\x21\0\0\0\0\0\0\xe0\x3f"));
    buf_str(&record, STR("\xf8\x07\x01"));              /* an unknown field, number 127 */
    put(&scope, 2, &record);
    buf_reset(&record);
    buf_reset(&any);
    put_text(&any, 7, "\xff\xfe");                      /* bytes */
    put(&record, 5, &any);
    put(&scope, 2, &record);
    buf_reset(&record);
    /* {"a":[1,"x"],"b":{}} */
    put(&record, 5, &(struct buf){ .p = (char *)"\x32\x1b\x0a\x12\x0a\x01" "a\x12\x0d\x2a\x0b\x0a\x02\x18\x01\x0a\x05\x0a\x03" "xyz"
                                                 "\x0a\x05\x0a\x01" "b\x12\x00", .n = 29 });
    put(&scope, 2, &record);
    put(&logs, 2, &scope);
    put_attr(&resource, 1, "host.name", STR("\x0a\x04" "db-1"));
    put(&logs, 1, &resource);
    put(out, 1, &logs);
}

struct seen {
    size_t count;
    char   bodies[256];
};

static int note(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    struct seen *s = arg;

    (void)e;
    s->count++;
    snprintf(s->bodies + strlen(s->bodies), sizeof s->bodies - strlen(s->bodies), "%.*s|", STR_ARG(rec->body));
    assert_true(resource->count <= ATTRS_MAX && rec->attrs.count <= ATTRS_MAX);
    return 0;
}

static int first(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    assert_true(str_eq(attrs_get(resource, STR("host.name")), STR("db-1")));
    assert_int_equal(rec->time, 1795514400000000000);
    assert_true(str_eq(rec->severity, STR("WARN")));
    assert_true(str_eq(attrs_get(&rec->attrs, STR("log.file.path")), STR("/var/log/auth")));
    assert_true(str_eq(attrs_get(&rec->attrs, STR("n")), STR("7")));
    assert_true(str_eq(attrs_get(&rec->attrs, STR("yes")), STR("true")));
    assert_true(str_eq(attrs_get(&rec->attrs, STR("half")), STR("0.5")));
    *(int *)arg = 1;
    return err_set(e, -ECANCELED, "seen enough");
}

static void a_request_is_read(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    AUTO_ARENA struct arena a = { 0 };
    struct seen s = { 0 };
    struct err e = { 0 };
    size_t count;
    int seen = 0;

    (void)state;
    sample(&b);
    arena_init(&a, 0);
    assert_int_equal(otlp_decode(buf_view(&b), &a, note, &s, &count, &e), 0);
    assert_int_equal(count, 3);
    assert_string_equal(s.bodies, "a line of text|\xff\xfe|{\"a\":[1,\"xyz\"],\"b\":null}|");
    assert_int_equal(otlp_decode(buf_view(&b), &a, first, &seen, &count, &e), -ECANCELED);
    assert_int_equal(seen, 1);
    assert_int_equal(otlp_decode(str_of(NULL, 0), &a, note, &s, &count, &e), 0);
    assert_int_equal(count, 0);
}

static void cut_and_flipped_requests_do_no_harm(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    AUTO_ARENA struct arena a = { 0 };
    struct err e;

    (void)state;
    sample(&b);
    arena_init(&a, 0);
    for (size_t n = 1; n < b.n; n++) {
        char *copy = malloc(n);
        struct seen s = { 0 };

        memcpy(copy, b.p, n);
        assert_int_equal(otlp_decode(str_of(copy, n), &a, note, &s, NULL, &e), -EBADMSG);
        free(copy);
    }
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        struct seen s = { 0 };
        int rc;

        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        rc = otlp_decode(buf_view(&b), &a, note, &s, NULL, &e);
        assert_true(rc == 0 || rc == -EBADMSG);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        arena_reset(&a);
    }
}

static void too_many_records_and_too_deep_bodies_are_bounded(void **state)
{
    AUTO_BUF struct buf scope = { 0 }, logs = { 0 }, all = { 0 }, deep = { 0 }, wrap = { 0 };
    AUTO_ARENA struct arena a = { 0 };
    struct seen s = { 0 };
    struct err e;

    (void)state;
    buf_init(&scope, 0), buf_init(&logs, 0), buf_init(&all, 0), buf_init(&deep, 0), buf_init(&wrap, 0);
    arena_init(&a, 0);
    for (int i = 0; i <= OTLP_RECORDS_MAX; i++)
        buf_str(&scope, STR("\x12\x00"));
    put(&logs, 2, &scope);
    put(&all, 1, &logs);
    assert_int_equal(otlp_decode(buf_view(&all), &a, note, &s, NULL, &e), -E2BIG);
    buf_str(&deep, STR("\x0a\x01x"));
    for (int i = 0; i < 100; i++) {           /* AnyValue{array{AnyValue{array{…}}}} */
        buf_reset(&wrap);
        put(&wrap, 1, &deep);
        buf_reset(&deep);
        put(&deep, 5, &wrap);
    }
    buf_reset(&scope), buf_reset(&logs), buf_reset(&all), buf_reset(&wrap);
    put(&wrap, 5, &deep);
    put(&scope, 2, &wrap);
    put(&logs, 2, &scope);
    put(&all, 1, &logs);
    s = (struct seen){ 0 };
    assert_int_equal(otlp_decode(buf_view(&all), &a, note, &s, NULL, &e), 0);
    assert_string_equal(s.bodies, "[[[[[[[[[[[[[[[[null]]]]]]]]]]]]]]]]|");
}

static void bodies_are_unpacked_within_bounds(void **state)
{
    static char plain[200000], packed[300000];
    AUTO_BUF struct buf out = { 0 };
    struct err e;
    z_stream z = { 0 };
    size_t zn, gn;

    (void)state;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)(i * i >> 7);
    buf_init(&out, BODY_PLAIN_MAX + MIB);
    zn = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 1);
    assert_int_equal(body_plain(PACKING_ZSTD, str_of(packed, zn), &out, &e), 0);
    assert_true(str_eq(buf_view(&out), str_of(plain, sizeof plain)));
    for (size_t cut = 1; cut < zn; cut += 997)
        assert_int_equal(body_plain(PACKING_ZSTD, str_of(packed, zn - cut), &out, &e), -EBADMSG);
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)plain, z.avail_in = sizeof plain, z.next_out = (Bytef *)packed, z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    gn = sizeof packed - z.avail_out;
    deflateEnd(&z);
    assert_int_equal(body_plain(PACKING_GZIP, str_of(packed, gn), &out, &e), 0);
    assert_true(str_eq(buf_view(&out), str_of(plain, sizeof plain)));
    for (size_t cut = 1; cut < gn; cut += 997)
        assert_int_equal(body_plain(PACKING_GZIP, str_of(packed, gn - cut), &out, &e), -EBADMSG);
    assert_int_equal(body_plain(PACKING_GZIP, STR("no gzip"), &out, &e), -EBADMSG);
    assert_int_equal(body_plain(PACKING_ZSTD, STR("no zstd"), &out, &e), -EBADMSG);
    assert_int_equal(body_plain(PACKING_ZSTD, STR(""), &out, &e), -EBADMSG);
    assert_int_equal(body_plain(PACKING_NONE, STR("plain"), &out, &e), 0);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    AUTO_BUF struct buf out = { 0 };
    AUTO_FREE char *zeros = calloc(1, 64u * MIB), *packed = malloc(MIB);
    struct err e;
    size_t n;

    (void)state;
    buf_init(&out, BODY_PLAIN_MAX + MIB);
    n = ZSTD_compress(packed, MIB, zeros, 64u * MIB, 1);
    assert_false(ZSTD_isError(n));
    assert_int_equal(body_plain(PACKING_ZSTD, str_of(packed, n), &out, &e), -E2BIG);
    assert_true(out.n <= BODY_PLAIN_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(cut_and_flipped_requests_do_no_harm),
        cmocka_unit_test(too_many_records_and_too_deep_bodies_are_bounded),
        cmocka_unit_test(bodies_are_unpacked_within_bounds),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
