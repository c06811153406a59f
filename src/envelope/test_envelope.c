/* test_envelope.c - envelopes of events: what is made is taken, what was changed anywhere is not, and the book knows what came and what is missing. */
#include "envelope/envelope.h"
#include "base/file.h"
#include "base/test.h"

#include <sys/stat.h>
#include <unistd.h>

struct world {
    char             folder[64];
    struct node_key *key;
    struct envelope_trust *t;
};

static void make_world(struct world *w)
{
    struct err e;
    char path[256];
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, MIB);
    snprintf(w->folder, sizeof w->folder, "/tmp/saqshy-envelope-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    assert_int_equal(pki_node_make(w->folder, STR("agency-1"), &e), 0);
    assert_int_equal(node_key_load(w->folder, &w->key, &e), 0);
    snprintf(path, sizeof path, "%s/node.pem", w->folder);
    assert_int_equal(envelope_trust_load(path, &w->t, &e), 0);
}

static void free_world(struct world *w)
{
    const char *const files[] = { "node.pem", "node.key", "envelopes.json" };
    char path[256];

    node_key_free(&w->key);
    envelope_trust_free(&w->t);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", w->folder, files[i]);
        unlink(path);
    }
    rmdir(w->folder);
}

/* make - envelope number of two blocks with three events, covering 10 * number to 10 * number + 10. */
static void make(const struct world *w, uint64_t number, const char *previous, struct buf *out, char digest[NODE_HASH_TEXT])
{
    struct event events[2] = { { .original = STR("one"), .source = STR("srv-1") }, { .original = STR("two"), .source = STR("srv-2") } };
    struct envelope_manifest m = { .stream = "usb-0123456789abcdef", .number = number, .first = 10 * number, .next = 10 * number + 10, .events = 3,
                                   .created_at = clock_now() / NS_PER_SECOND * NS_PER_SECOND };
    AUTO_BUF struct buf body = { 0 };
    struct err e;

    buf_init(&body, MIB);
    snprintf(m.previous, sizeof m.previous, "%s", previous);
    assert_int_equal(envelope_block_put(events, 2, 10 * number + 5, &body, &e), 0);
    assert_int_equal(envelope_block_put(events, 1, 10 * number + 10, &body, &e), 0);
    assert_int_equal(envelope_make(w->key, &m, buf_view(&body), out, digest, &e), 0);
}

static int judge(const struct world *w, struct str bytes, struct envelope **out, struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, ENVELOPE_BYTES_MAX);
    buf_str(&b, bytes);
    rc = envelope_judge(&b, w->t, out, e);
    buf_free(&b);
    return rc;
}

static void test_whole(void **state)
{
    struct world w = { .key = NULL };
    AUTO_BUF struct buf b = { 0 }, plain = { 0 };
    struct envelope_block block;
    struct event_batch batch;
    struct envelope *v = NULL;
    char digest[NODE_HASH_TEXT];
    struct err e;
    size_t at = 0;

    (void)state;
    buf_init(&b, MIB);
    buf_init(&plain, MIB);
    event_batch_init(&batch, 0);
    make_world(&w);
    make(&w, 1, ENVELOPE_ZERO_HASH, &b, digest);
    assert_int_equal(judge(&w, buf_view(&b), &v, &e), 0);
    assert_string_equal(v->m.node, "agency-1");
    assert_string_equal(v->digest, digest);
    assert_true(envelope_next(v, &at, &block));
    assert_int_equal(block.next, 15);
    assert_int_equal(envelope_unpack(&block, &plain, &e), 0);
    assert_int_equal(event_decode(buf_view(&plain), 1, &batch, &e), 0);
    assert_int_equal(batch.count, 2);
    assert_true(str_eq(batch.items[1].original, STR("two")));
    assert_true(envelope_next(v, &at, &block));
    assert_false(envelope_next(v, &at, &block));
    envelope_free(&v);
    event_batch_free(&batch);
    free_world(&w);
}

/* Cut after every byte, and every byte changed: refused. */
static void test_every_byte(void **state)
{
    struct world w = { .key = NULL };
    AUTO_BUF struct buf b = { 0 };
    struct envelope *v = NULL;
    char digest[NODE_HASH_TEXT];
    struct err e;

    (void)state;
    buf_init(&b, MIB);
    make_world(&w);
    make(&w, 1, ENVELOPE_ZERO_HASH, &b, digest);
    for (size_t i = 0; i < b.n; i++) {
        assert_true(judge(&w, str_of(b.p, i), &v, &e) < 0);
        b.p[i] = (char)(b.p[i] ^ 1);
        assert_true(judge(&w, buf_view(&b), &v, &e) < 0);
        b.p[i] = (char)(b.p[i] ^ 1);
    }
    buf_byte(&b, 0);
    assert_int_equal(judge(&w, buf_view(&b), &v, &e), -EBADMSG);
    free_world(&w);
}

static void test_strangers(void **state)
{
    struct world w = { .key = NULL }, other = { .key = NULL };
    AUTO_BUF struct buf b = { 0 };
    struct envelope *v = NULL;
    char digest[NODE_HASH_TEXT];
    struct err e;

    (void)state;
    buf_init(&b, MIB);
    make_world(&w);
    make_world(&other);
    make(&other, 1, ENVELOPE_ZERO_HASH, &b, digest);
    assert_int_equal(judge(&w, buf_view(&b), &v, &e), -EACCES);
    assert_non_null(strstr(e.text, "trusted with another certificate"));
    free_world(&other);
    free_world(&w);
}

static int enter(struct envelope_book *book, const struct envelope *v, enum envelope_place *place, char origin[ENVELOPE_ORIGIN_MAX], struct err *e)
{
    int rc = envelope_book_begin(book, v, place, origin, e);

    return rc < 0 ? rc : envelope_book_end(book, v, e);
}

/* chain - envelopes 1 to n, each with the hash of the one before it; v has room for n + 1. */
static void chain(struct world *w, struct envelope **v, uint64_t n)
{
    char digest[NODE_HASH_TEXT] = ENVELOPE_ZERO_HASH;
    struct err e;

    for (uint64_t i = 1; i <= n; i++) {
        AUTO_BUF struct buf b = { 0 };
        char before[NODE_HASH_TEXT];

        buf_init(&b, MIB);
        memcpy(before, digest, sizeof before);
        make(w, i, before, &b, digest);
        assert_int_equal(judge(w, buf_view(&b), &v[i], &e), 0);
    }
}

static void test_book(void **state)
{
    static const struct {
        const char         *name;
        uint64_t            number;
        enum envelope_place place;
        const char         *missing;
    } rows[] = {
        { "the first", 1, ENVELOPE_IN_ORDER, "" },      { "again", 1, ENVELOPE_AGAIN, "" },           { "the next", 2, ENVELOPE_IN_ORDER, "" },
        { "a gap", 7, ENVELOPE_IN_ORDER, "3-6" },       { "out of the middle", 5, ENVELOPE_LATE, "3-4, 6" }, { "late, again", 5, ENVELOPE_AGAIN, "3-4, 6" },
        { "the end of it", 6, ENVELOPE_LATE, "3-4" },   { "a second gap", 9, ENVELOPE_IN_ORDER, "3-4, 8" }, { "its beginning", 3, ENVELOPE_LATE, "4, 8" },
    };
    struct world w = { .key = NULL };
    struct envelope *v[10] = { NULL };
    char origin[ENVELOPE_ORIGIN_MAX], in_order[ENVELOPE_ORIGIN_MAX] = "";
    enum envelope_place place;
    struct envelope_book *book = NULL;
    struct err e;

    (void)state;
    make_world(&w);
    chain(&w, v, COUNT(v) - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf missing = { 0 };

        buf_init(&missing, KIB);
        envelope_book_free(&book);     /* each time as it stands on disk */
        CHECK(rows[i].name, envelope_book_load(w.folder, &book, &e) == 0);
        CHECK(rows[i].name, enter(book, v[rows[i].number], &place, origin, &e) == 0);
        CHECK(rows[i].name, place == rows[i].place);
        envelope_book_missing(book, v[rows[i].number], &missing);
        CHECK(rows[i].name, str_eq(buf_view(&missing), str_c(rows[i].missing)));
        if (!*in_order)
            memcpy(in_order, origin, sizeof origin);
        CHECK(rows[i].name, (strcmp(in_order, origin) != 0) == (place == ENVELOPE_LATE));
    }
    /* One that was begun and not finished comes first; another one with its number is none of the chain. */
    envelope_book_free(&book);
    for (size_t i = 1; i < COUNT(v); i++)
        envelope_free(&v[i]);
    free_world(&w);
}

static void test_chain(void **state)
{
    struct world w = { .key = NULL };
    AUTO_BUF struct buf one = { 0 }, two = { 0 }, fork = { 0 };
    struct envelope *v1 = NULL, *v2 = NULL, *other = NULL;
    char digest[NODE_HASH_TEXT], last[NODE_HASH_TEXT], origin[ENVELOPE_ORIGIN_MAX];
    enum envelope_place place;
    struct envelope_book *book = NULL;
    struct err e;

    (void)state;
    buf_init(&one, MIB);
    buf_init(&two, MIB);
    buf_init(&fork, MIB);
    make_world(&w);
    make(&w, 1, ENVELOPE_ZERO_HASH, &one, digest);
    make(&w, 2, digest, &two, last);
    make(&w, 2, ENVELOPE_ZERO_HASH, &fork, last);
    assert_int_equal(judge(&w, buf_view(&one), &v1, &e) | judge(&w, buf_view(&two), &v2, &e) | judge(&w, buf_view(&fork), &other, &e), 0);
    assert_int_equal(envelope_book_load(w.folder, &book, &e), 0);
    assert_int_equal(envelope_book_begin(book, v1, &place, origin, &e), 0);
    assert_int_equal(envelope_book_begin(book, v2, &place, origin, &e), -EAGAIN);   /* the first is not finished */
    envelope_book_free(&book);
    assert_int_equal(envelope_book_load(w.folder, &book, &e), 0);
    assert_int_equal(envelope_book_begin(book, v1, &place, origin, &e), 0);
    assert_int_equal(place, ENVELOPE_IN_ORDER);
    assert_int_equal(envelope_book_end(book, v1, &e), 0);
    assert_int_equal(envelope_book_begin(book, other, &place, origin, &e), -EBADMSG);   /* does not follow */
    assert_int_equal(enter(book, v2, &place, origin, &e), 0);
    assert_int_equal(envelope_book_begin(book, other, &place, origin, &e), -EBADMSG);   /* another one with this number */
    envelope_book_free(&book);
    envelope_free(&v1);
    envelope_free(&v2);
    envelope_free(&other);
    free_world(&w);
}

/* A block that cannot be taken stops the envelope that it stands in, not those behind it. */
static void test_refused(void **state)
{
    static const struct {
        const char *name;
        uint64_t    number;
        bool        refuse;
        int         begin;
        const char *missing;
    } rows[] = {
        { "the first is refused", 1, true, 0, "" },           { "as the last one it may be tried again", 1, true, 0, "" }, { "the next goes on", 2, false, 0, "" },
        { "others are behind it now", 1, false, -EBADMSG, "" }, { "behind a gap", 5, true, 0, "3-4" },                     { "it is taken in the end", 5, false, 0, "3-4" },
        { "late, and refused", 3, true, 0, "4" },             { "late and refused, again", 3, false, -EBADMSG, "4" },      { "the last", 6, false, 0, "4" },
        { "what was taken in the end comes again", 5, false, 0, "4" },
    };
    struct world w = { .key = NULL };
    struct envelope *v[7] = { NULL };
    char origin[ENVELOPE_ORIGIN_MAX];
    enum envelope_place place;
    struct envelope_book *book = NULL;
    struct err e;

    (void)state;
    make_world(&w);
    chain(&w, v, COUNT(v) - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf missing = { 0 };
        struct envelope *one = v[rows[i].number];

        buf_init(&missing, KIB);
        envelope_book_free(&book);     /* each time as it stands on disk */
        CHECK(rows[i].name, envelope_book_load(w.folder, &book, &e) == 0);
        CHECK(rows[i].name, envelope_book_begin(book, one, &place, origin, &e) == rows[i].begin);
        if (rows[i].begin == 0)
            CHECK(rows[i].name, (rows[i].refuse ? envelope_book_refuse(book, one, &e) : envelope_book_end(book, one, &e)) == 0);
        envelope_book_missing(book, one, &missing);
        CHECK(rows[i].name, str_eq(buf_view(&missing), str_c(rows[i].missing)));
    }
    envelope_book_free(&book);
    for (size_t i = 1; i < COUNT(v); i++)
        envelope_free(&v[i]);
    free_world(&w);
}

/* Who may put files there may put a pipe there: it is refused at once, and nobody waits for somebody to write into it. */
static void test_pipe(void **state)
{
    struct world w = { .key = NULL };
    struct envelope *v = NULL;
    char path[256];
    struct err e;

    (void)state;
    make_world(&w);
    snprintf(path, sizeof path, "%s/pipe" ENVELOPE_SUFFIX, w.folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(envelope_open(path, w.t, &v, &e), -EBADMSG);
    unlink(path);
    assert_int_equal(envelope_open(path, w.t, &v, &e), -ENOENT);
    free_world(&w);
}

/* The store keeps a part for each day: another node must not choose days at will, or it fills the table of parts with one envelope. */
static void test_moment(void **state)
{
    const time_ns now = INT64_C(1795755600000000000);
    const struct { const char *name; time_ns received, want; } moments[] = {
        { "a moment ago", now - 1, now - 1 },
        { "three years ago, as a replay has it", now - 3 * 366 * NS_PER_DAY, now - 3 * 366 * NS_PER_DAY },
        { "a clock that is ahead by hours", now + 5 * NS_PER_HOUR, now + 5 * NS_PER_HOUR },
        { "days ahead", now + 2 * NS_PER_DAY, now },
        { "the end of time", INT64_MAX, now },
        { "before there were such nodes", NS_PER_DAY, now },
        { "none", 0, now },
        { "before all time", INT64_MIN, now },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct event ev = { .received = moments[i].received };

        envelope_moment(&ev, now);
        CHECK(moments[i].name, ev.received == moments[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_every_byte), cmocka_unit_test(test_strangers), cmocka_unit_test(test_book), cmocka_unit_test(test_chain), cmocka_unit_test(test_refused), cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
