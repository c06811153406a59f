/* test_unpack.c - compressed texts: of several members, in pieces of any size, cut, damaged, and too large. */
#include "base/test.h"
#include "base/unpack.h"

#include <zlib.h>
#include <zstd.h>

#define TEXT_BYTES 300000

static char text[TEXT_BYTES];

static void pack(enum packing how, struct str plain, struct buf *out)
{
    char *to = buf_room(out, plain.n + 1024);

    assert_non_null(to);
    if (how == PACKING_ZSTD) {
        size_t n = ZSTD_compress(to, plain.n + 1024, plain.p, plain.n, 1);

        assert_false(ZSTD_isError(n));
        out->n += n;
        return;
    }
    z_stream z = { .next_in = (Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.n, .next_out = (Bytef *)to, .avail_out = (uInt)(plain.n + 1024) };

    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += plain.n + 1024 - z.avail_out;
    deflateEnd(&z);
}

/* packed - the text as three members, one of them empty. */
static void packed(enum packing how, struct buf *out)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (char)('a' + (seed = seed * 1103515245 + 12345) / 65536 % 13 % (1 + i / 30000));
    buf_reset(out);
    pack(how, str_of(text, 1000), out);
    pack(how, STR(""), out);
    pack(how, str_of(text + 1000, TEXT_BYTES - 1000), out);
    assert_int_equal(packing_of(buf_view(out)), how);
}

static void members_are_one_text_in_whatever_pieces(void **state)
{
    static const size_t pieces[] = { 1, 7, 4096, 1u << 30 }, rooms[] = { 1, 100, 65536 };
    AUTO_BUF struct buf in, out;
    struct err e;

    (void)state;
    buf_init(&in, MIB);
    buf_init(&out, MIB);
    for (enum packing how = PACKING_GZIP; how <= PACKING_ZSTD; how++) {
        packed(how, &in);
        for (size_t k = 0; k < COUNT(pieces) * COUNT(rooms); k++) {
            size_t piece = pieces[k % COUNT(pieces)], room = rooms[k / COUNT(pieces)];
            struct str rest = buf_view(&in), now = { NULL, 0 };
            struct unpack *u = NULL;
            ssize_t n = 0;

            assert_int_equal(unpack_new(how, UNPACK_WINDOW_FILE, &u, &e), 0);
            buf_reset(&out);
            for (;;) {
                if (now.n == 0) {
                    now = str_of(rest.p, min_size(rest.n, piece));
                    rest = str_cut(rest, now.n);
                }
                n = unpack_step(u, &now, buf_room(&out, room), room);
                assert_true(n >= 0 && (size_t)n <= room);
                out.n += (size_t)n;
                if (n == 0 && now.n == 0 && rest.n == 0)
                    break;
            }
            assert_true(unpack_whole(u));
            assert_true(str_eq(buf_view(&out), str_of(text, TEXT_BYTES)));
            unpack_free(&u);
        }
        buf_reset(&out);
        assert_int_equal(unpack_all(how, UNPACK_WINDOW_BODY, buf_view(&in), TEXT_BYTES, &out), 0);
        assert_true(str_eq(buf_view(&out), str_of(text, TEXT_BYTES)));
    }
}

static void what_is_cut_damaged_or_too_large_is_told(void **state)
{
    AUTO_BUF struct buf in, out;

    (void)state;
    buf_init(&in, MIB);
    buf_init(&out, MIB);
    for (enum packing how = PACKING_GZIP; how <= PACKING_ZSTD; how++) {
        packed(how, &in);
        buf_reset(&out);
        assert_int_equal(unpack_all(how, UNPACK_WINDOW_BODY, buf_view(&in), TEXT_BYTES - 1, &out), -E2BIG);
        for (size_t cut = 1; cut < 20; cut++) {
            buf_reset(&out);
            assert_int_equal(unpack_all(how, UNPACK_WINDOW_BODY, str_of(in.p, in.n - cut), TEXT_BYTES, &out), -EBADMSG);
            assert_true(out.n <= TEXT_BYTES && memcmp(out.p, text, out.n) == 0);
        }
        buf_reset(&out);
        buf_str(&in, STR("what is no member"));
        assert_int_equal(unpack_all(how, UNPACK_WINDOW_BODY, buf_view(&in), TEXT_BYTES, &out), -EBADMSG);
        in.p[3] ^= 0x55;
        buf_reset(&out);
        assert_int_equal(unpack_all(how, UNPACK_WINDOW_BODY, buf_view(&in), TEXT_BYTES, &out), -EBADMSG);
    }
    assert_int_equal(packing_of(STR("\x1f")), PACKING_NONE);
    assert_int_equal(packing_of(STR("")), PACKING_NONE);
    assert_int_equal(unpack_all(PACKING_GZIP, UNPACK_WINDOW_BODY, STR(""), 10, &out), 0);
}

/* A frame may ask for a window of gigabytes; nobody gives it. */
static void a_window_that_is_too_large_is_refused(void **state)
{
    AUTO_BUF struct buf in, out;
    ZSTD_CCtx *c = ZSTD_createCCtx();
    char *to;

    (void)state;
    buf_init(&in, 4 * MIB);
    buf_init(&out, 4 * MIB);
    assert_non_null(c);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, UNPACK_WINDOW_FILE + 1);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    to = buf_room(&in, MIB);
    ZSTD_inBuffer src = { text, 1000, 0 };
    ZSTD_outBuffer dst = { to, MIB, 0 };

    while (ZSTD_compressStream2(c, &dst, &src, src.pos < src.size ? ZSTD_e_flush : ZSTD_e_end) != 0 || src.pos < src.size)
        ;
    (void)ZSTD_compressStream2(c, &dst, &src, ZSTD_e_end);
    in.n = dst.pos;
    ZSTD_freeCCtx(c);
    assert_int_equal(unpack_all(PACKING_ZSTD, UNPACK_WINDOW_FILE, buf_view(&in), MIB, &out), -EBADMSG);
    buf_reset(&out);
    assert_int_equal(unpack_all(PACKING_ZSTD, UNPACK_WINDOW_FILE + 1, buf_view(&in), MIB, &out), 0);
    assert_int_equal(out.n, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_one_text_in_whatever_pieces),
        cmocka_unit_test(what_is_cut_damaged_or_too_large_is_told),
        cmocka_unit_test(a_window_that_is_too_large_is_refused),
    };

    return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
