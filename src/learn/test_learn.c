/* test_learn.c - what the face promises: of texts of chance, of lines of many kinds, of real logs. */
#include "learn/testing.h"

#include "base/test.h"

/* promises - of what learn_cut said of these texts. */
static void promises(const char *name, const struct str *texts, size_t count, const struct learn_out *out)
{
    const char *broken = testing_broken(texts, count, out);

    if (broken)
        fail_msg("row \"%s\": %s", name, broken);
}

/* --- texts of chance --- */

static uint64_t chance(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void test_texts_of_chance(void **state)
{
    static const char letters[] = "ab1 2 .:/=,\"'\\[]{}<>-_T\xd0\x90";
    struct learner *l = learner_new();
    uint64_t seed = 7;

    (void)state;
    assert_non_null(l);
    for (int round = 0; round < 300; round++) {
        size_t count = chance(&seed) % 200, kinds = 1 + chance(&seed) % (sizeof letters - 1), most = 1 + chance(&seed) % 24;
        struct str texts[200];
        char bytes[200][24];
        struct learn_out out;

        for (size_t i = 0; i < count; i++) {
            texts[i] = str_of(bytes[i], chance(&seed) % most);
            for (size_t k = 0; k < texts[i].n; k++)
                bytes[i][k] = round % 3 ? letters[chance(&seed) % kinds] : (char)chance(&seed);
        }
        assert_int_equal(learn_cut(l, (uint64_t)round % 5, texts, count, &out, NULL), 0);
        promises("chance", texts, count, &out);
    }
    learner_free(&l);
}

/* --- what is cut where --- */

/* Lines are made of a format with one number: row i gives i to each %u. */
static const struct {
    const char *name, *format;
    uint32_t    count;
    const char *want;   /* the pieces of row 1: static|slot|static */
} rows[] = {
    { "a number and an address", "Connection from 10.0.0.%u port %u closed", 100, "Connection from |10.0.0.1| port |1| closed" },
    { "what never changes is static", "job 7 took %u ms of 20", 30, "job 7 took |1| ms of 20" },
    { "values of names", "a=%u b=x%u", 30, "a=|1| b=|x1|" },
    { "a JSON line: keys stay, values go", "{\"user\":\"u%u\",\"ok\":true}", 30, "{\"user\":\"|u1|\",\"ok\":true}" },
    { "too few", "%u", 23, NULL },
    { "all the same: one static piece", "restart", 30, "restart" },
};

static void test_rows(void **state)
{
    struct learner *l = learner_new();

    (void)state;
    assert_non_null(l);
    for (size_t r = 0; r < COUNT(rows); r++) {
        static char bytes[256][128];
        struct str texts[256];
        struct learn_out out;
        AUTO_BUF struct buf got = { 0 };

        buf_init(&got, 0);
        for (uint32_t i = 0; i < rows[r].count; i++) {
            size_t n = 0;
            for (const char *f = rows[r].format; *f; f++) {
                if (f[0] == '%' && f[1] == 'u') {
                    n += (size_t)snprintf(bytes[i] + n, sizeof bytes[i] - n, "%u", i);
                    f++;
                } else {
                    bytes[i][n++] = *f;
                }
            }
            texts[i] = str_of(bytes[i], n);
        }
        assert_int_equal(learn_cut(l, 1, texts, rows[r].count, &out, NULL), 0);
        promises(rows[r].name, texts, rows[r].count, &out);
        CHECK(rows[r].name, !rows[r].want == !out.group[1]);
        if (!rows[r].want)
            continue;
        for (uint32_t k = out.first[1], at = 0; k <= out.first[2]; k++) {
            uint32_t end = k < out.first[2] ? out.cut[k] : (uint32_t)texts[1].n;

            buf_put(&got, texts[1].p + at, end - at);
            if (k < out.first[2])
                buf_byte(&got, '|');
            at = end;
        }
        if (!str_eq(buf_view(&got), str_c(rows[r].want)))
            fail_msg("row \"%s\": %.*s", rows[r].name, STR_ARG(buf_view(&got)));
    }
    learner_free(&l);
}

static void test_too_many_texts_are_refused(void **state)
{
    struct learner *l = learner_new();
    struct learn_out out;
    struct err e;

    (void)state;
    assert_non_null(l);
    assert_int_equal(learn_cut(l, 1, NULL, LEARN_TEXTS_MAX + 1, &out, &e), -EINVAL);
    assert_int_equal(learn_cut(l, 1, NULL, 0, &out, &e), 0);
    assert_int_equal(out.groups, 0);
    learner_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_chance),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_too_many_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
