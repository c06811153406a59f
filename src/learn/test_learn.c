/* test_learn.c - what the face promises: of texts of chance, of lines of many kinds, of real logs. */
#include "learn/testing.h"

#include "base/file.h"
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

#define LINES_MAX 4096u

/* Lines made of formats, each line of one of them in turn: %u is the number of the line, %n a name that stands in few lines, %w one of three words, %f one of five numbers,
 * %a an address, %i a UUID. */
struct lines {
    char       bytes[LINES_MAX][512];
    struct str texts[LINES_MAX];
    size_t     count;
};

static size_t put(char *at, char kind, uint32_t i)
{
    static const char *const words[] = { "open", "closed", "half-open" };
    uint32_t far = i * 2654435761u;

    switch (kind) {
    case 'n': return (size_t)snprintf(at, 64, "%c%c%c", 'a' + (int)(i % 26), 'a' + (int)(i / 26 % 26), 'a' + (int)(i % 7));
    case 'f': return (size_t)snprintf(at, 64, "%u", i % 5);
    case 'w': return (size_t)snprintf(at, 64, "%s", words[i % 3]);
    case 'a': return (size_t)snprintf(at, 64, "%u.%u.%u.%u", far >> 24, far >> 16 & 255, far >> 8 & 255, far & 255);
    case 'i': return (size_t)snprintf(at, 64, "%08x-e89b-12d3-a456-426614174000", far);
    default: return (size_t)snprintf(at, 64, "%u", i);
    }
}

static void lines_make(struct lines *l, const char *const *formats, size_t formats_n, size_t count)
{
    assert_true(count <= LINES_MAX);
    l->count = count;
    for (uint32_t i = 0; i < count; i++) {
        size_t n = 0;

        for (const char *f = formats[i % formats_n]; *f; f++) {
            if (f[0] == '%')
                n += put(l->bytes[i] + n, *++f, i);
            else
                l->bytes[i][n++] = *f;
        }
        l->texts[i] = str_of(l->bytes[i], n);
    }
}

/* pieces - of a row, parted by '|'. */
static struct str pieces(const struct str *texts, const struct learn_out *out, size_t row, struct buf *to)
{
    uint32_t at = 0;

    buf_reset(to);
    for (uint32_t k = out->first[row]; k <= out->first[row + 1]; k++) {
        uint32_t end = k < out->first[row + 1] ? out->cut[k] : (uint32_t)texts[row].n;

        buf_put(to, texts[row].p + at, end - at);
        if (k < out->first[row + 1])
            buf_byte(to, '|');
        at = end;
    }
    return buf_view(to);
}

static const struct {
    const char *name, *formats[3];
    size_t      count;
    uint32_t    groups;
    const char *want;   /* the pieces of row 1: static|slot|static */
} rows[] = {
    { "a number and an address", { "Connection from %a port %u closed" }, 100, 1, "Connection from |158.55.121.177| port |1| closed" },
    { "what never changes is static", { "job 7 took %u ms of 20" }, 30, 1, "job 7 took |1| ms of 20" },
    { "values of names", { "a=%u b=x%u" }, 30, 1, "a=|1| b=|x1|" },
    { "in JSON keys stay and values go", { "{\"user\":\"u%u\",\"ok\":true,\"n\":%u}" }, 30, 1, "{\"user\":\"|u1|\",\"ok\":true,\"n\":|1|}" },
    { "an empty value is a value", { "{\"a\":\"\",\"b\":%u}", "{\"a\":\"x y\",\"b\":%u}" }, 60, 1, "{\"a\":\"|x y|\",\"b\":|1|}" },
    { "an address is never cut, be the one before it a name", { "to host.of.some.where and %u", "to %a and %u" }, 60, 1, "to |158.55.121.177| and |1|" },
    { "nor one behind another", { "at 64:ff9b:0:%a-1 and %u" }, 60, 1, "at 64:ff9b:0:|158.55.121.177|-1 and |1|" },
    { "nor is a UUID", { "id %i end" }, 60, 1, "id |9e3779b1-e89b-12d3-a456-426614174000| end" },
    { "nor a word with digits in it", { "disk sda%u at 0x%u" }, 60, 1, "disk |sda1| at |0x1|" },
    { "a time is cut, and its day stays", { "2026-11-28T10:48:%u ok" }, 60, 1, "2026-11-28T10:48:|1| ok" },
    { "a request of a web server is three", { "\"GET /a/%u HTTP/1.1\" 200 \"Mozilla (X11; %u)\"" }, 60, 1, "\"GET /a/|1| HTTP/1.1\" 200 \"Mozilla (X11; |1|)\"" },
    { "two statements are two groups", { "Accepted password for u%u from %a", "Failed publickey of u%u via %a" }, 600, 2, "Failed publickey of |u1| via |158.55.121.177|" },
    { "names of letters alone are one slot", { "session opened for user %n by root" }, 600, 1, "session opened for user |bab| by root" },
    { "what moves together is one slot", { "state %f code %f end %u" }, 600, 1, "state |1 code 1| end |1|" },
    { "few words divide, if they tell others", { "state %w code %w end %u" }, 600, 3, "state closed code closed end |1|" },
    { "heads alike, tails not", { "unit %u: a.b %u", "unit %u: c (%u) {x}", "unit %u: d,%u e" }, 66, 1, "unit |1|: |c (1) {x}|" },
    { "too few", { "%u" }, 23, 0, "1" },
    { "all the same: one static piece", { "restart" }, 30, 1, "restart" },
    { "nothing", { "" }, 30, 0, "" },
};

static void test_rows(void **state)
{
    struct lines *lines = malloc(sizeof *lines);
    AUTO_BUF struct buf got = { 0 };

    (void)state;
    assert_non_null(lines);
    buf_init(&got, 0);
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct learner *l = learner_new();
        struct learn_out out;
        size_t formats = 0;

        assert_non_null(l);
        while (formats < COUNT(rows[r].formats) && rows[r].formats[formats])
            formats++;
        lines_make(lines, rows[r].formats, formats, rows[r].count);
        assert_int_equal(learn_cut(l, 1, lines->texts, lines->count, &out, NULL), 0);
        promises(rows[r].name, lines->texts, lines->count, &out);
        if (!str_eq(pieces(lines->texts, &out, 1, &got), str_c(rows[r].want)) || out.groups != rows[r].groups)
            fail_msg("row \"%s\": %u groups, %.*s", rows[r].name, out.groups, STR_ARG(buf_view(&got)));
        learner_free(&l);
    }
    free(lines);
}

/* --- limits --- */

/* of_many - texts of so many tokens with a number in each; all in one arena. */
static void of_many(struct arena *a, struct str *texts, size_t count, size_t tokens)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 0);
        for (size_t t = 0; t < tokens; t++)
            buf_printf(&b, "k%zu=%zu ", t, (i * 7919 + t * t * 104729) % 1000003);
        texts[i] = arena_copy(a, buf_view(&b));
        assert_non_null(texts[i].p);
    }
}

static void test_a_text_of_many_tokens_has_a_last_slot_that_takes_the_rest(void **state)
{
    static const struct { size_t tokens; uint32_t pieces; } each[] = { { 20, 41 }, { 48, 97 }, { 49, 97 }, { 79, 97 }, { 81, 97 }, { 1000, 97 } };
    struct learner *l = learner_new();
    struct str texts[40];

    (void)state;
    assert_non_null(l);
    for (size_t i = 0; i < COUNT(each); i++) {
        AUTO_ARENA struct arena a = { 0 };
        struct learn_out out;

        arena_init(&a, 0);
        of_many(&a, texts, COUNT(texts), each[i].tokens);
        assert_int_equal(learn_cut(l, 1, texts, COUNT(texts), &out, NULL), 0);
        promises("many tokens", texts, COUNT(texts), &out);
        assert_int_equal(out.rows[0], 0);
        assert_int_equal(out.groups, 1);
        assert_int_equal(out.first[1] + 1, each[i].pieces);
    }
    learner_free(&l);
}

static void test_a_long_text_stays_whole(void **state)
{
    AUTO_ARENA struct arena a = { 0 };
    struct learner *l = learner_new();
    struct str texts[60];
    struct learn_out out;
    char *longest;

    (void)state;
    arena_init(&a, 0);
    longest = arena_alloc(&a, LEARN_TEXT_MAX + 1);
    assert_true(l && longest);
    memset(longest, 'x', LEARN_TEXT_MAX + 1);
    for (size_t i = 0; i < COUNT(texts); i++)
        texts[i] = str_of(longest, LEARN_TEXT_MAX + i % 2);
    assert_int_equal(learn_cut(l, 1, texts, COUNT(texts), &out, NULL), 0);
    promises("long texts", texts, COUNT(texts), &out);
    assert_int_equal(out.rows[0], 30);
    assert_int_equal(out.groups, 1);
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
    assert_int_equal(out.rows[0], 0);
    learner_free(&l);
}

static void test_many_shapes_do_no_harm(void **state)
{
    AUTO_ARENA struct arena a = { 0 };
    struct learner *l = learner_new();
    size_t count = 20000;
    struct str *texts;
    struct learn_out out;
    uint64_t seed = 3;

    (void)state;
    arena_init(&a, 0);
    texts = arena_array(&a, count, sizeof *texts);
    assert_true(l && texts);
    for (size_t i = 0; i < count; i++) {   /* of 2^20 words and separators each */
        char *p = arena_alloc(&a, 40);

        assert_non_null(p);
        for (size_t k = 0; k < 40; k += 2) {
            p[k] = chance(&seed) % 2 ? 'a' : 'b';
            p[k + 1] = chance(&seed) % 2 ? ' ' : ',';
        }
        texts[i] = str_of(p, 40);
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(learn_cut(l, 1, texts, count, &out, NULL), 0);
        promises("many shapes", texts, count, &out);
    }
    learner_free(&l);
}

/* --- what is remembered --- */

static void test_what_was_learned_of_one_origin_changes_no_other(void **state)
{
    static const char *const formats[] = { "session opened for user %n by root" };
    struct lines *lines = malloc(sizeof *lines);
    struct learner *l = learner_new(), *fresh = learner_new();
    struct learn_out out, other;

    (void)state;
    assert_true(lines && l && fresh);
    lines_make(lines, formats, 1, 2000);
    assert_int_equal(learn_cut(l, 1, lines->texts, lines->count, &out, NULL), 0);
    lines_make(lines, (const char *const[]){ "session opened for user %w by root" }, 1, 3000);   /* three words now: of the first origin it is known that they are names */
    for (uint64_t origin = 1; origin <= 2; origin++) {
        assert_int_equal(learn_cut(l, origin, lines->texts, lines->count, &out, NULL), 0);
        promises("again", lines->texts, lines->count, &out);
        assert_int_equal(learn_cut(fresh, origin, lines->texts, lines->count, &other, NULL), 0);
        assert_int_equal(out.rows[0], 0);
        if (origin == 2) {
            assert_int_equal(out.groups, other.groups);
            assert_memory_equal(out.group, other.group, lines->count * sizeof *out.group);
            assert_memory_equal(out.first, other.first, (lines->count + 1) * sizeof *out.first);
            assert_memory_equal(out.cut, other.cut, out.first[lines->count] * sizeof *out.cut);
        }
    }
    learner_free(&l);
    learner_free(&fresh);
    free(lines);
}

static void test_the_memory_of_very_many_kin_is_bounded_and_harmless(void **state)
{
    struct lines *lines = malloc(sizeof *lines);
    struct learner *l = learner_new();
    struct learn_out out;

    (void)state;
    assert_true(lines && l);
    lines_make(lines, (const char *const[]){ "a %u (b)", "a, %n %u; c", "%a = %u" }, 3, 90);
    for (uint64_t origin = 0; origin < 3 * KINS_MAX; origin += 1 + origin / 16) {
        assert_int_equal(learn_cut(l, origin, lines->texts, lines->count, &out, NULL), 0);
        promises("many origins", lines->texts, lines->count, &out);
        assert_int_equal(out.groups, 3);
    }
    learner_free(&l);
    free(lines);
}

/* --- real lines --- */

/* Logs of the shared data, as they lie there; their folder's README says whence they come. */
static void test_real_logs(void **state)
{
    static const char *const files[] = { "ossec/log-entries/imapd", "sc4s.jsonl", "wazuh/sysmon_eid_1.ini", "rsyslog/sample-windows2025-security.data", "ecs/fields.csv" };
    const char *shared = getenv("SAQSHY_SHARED");
    struct learner *l = learner_new();
    static struct str texts[LEARN_TEXTS_MAX];

    (void)state;
    assert_non_null(l);
    if (!shared)
        skip();
    for (size_t i = 0; i < COUNT(files); i++) {
        AUTO_BUF struct buf file = { 0 };
        struct str rest, line;
        char path[512];
        size_t count = 0;
        struct learn_out out;
        struct err e;

        buf_init(&file, 0);
        snprintf(path, sizeof path, "%s/data/logs/%s", shared, files[i]);
        if (file_read(path, 16 * MIB, &file, &e) < 0)
            fail_msg("%s", e.text);
        rest = buf_view(&file);
        while (count < COUNT(texts) && str_split(&rest, '\n', &line))
            texts[count++] = line;
        for (int again = 0; again < 2; again++) {
            assert_int_equal(learn_cut(l, i, texts, count, &out, &e), 0);
            promises(files[i], texts, count, &out);
            CHECK(files[i], out.groups > 0);
        }
    }
    learner_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_chance),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_text_of_many_tokens_has_a_last_slot_that_takes_the_rest),
        cmocka_unit_test(test_a_long_text_stays_whole),
        cmocka_unit_test(test_too_many_texts_are_refused),
        cmocka_unit_test(test_many_shapes_do_no_harm),
        cmocka_unit_test(test_what_was_learned_of_one_origin_changes_no_other),
        cmocka_unit_test(test_the_memory_of_very_many_kin_is_bounded_and_harmless),
        cmocka_unit_test(test_real_logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
