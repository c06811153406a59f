/* test_column.c - columns of every kind there and back, and what they answer. */
#include "column/testing.h"
#include "base/test.h"

static struct round round_;
static struct str values[COLUMN_ROWS_MAX];
static time_ns times[COLUMN_ROWS_MAX];
static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 256 * MIB);
    round_open(&round_);
    return 0;
}

static int end(void **state)
{
    (void)state;
    round_close(&round_);
    arena_free(&arena);
    return 0;
}

/* lines - the lines of text as values; how many. */
static size_t lines(struct str text)
{
    struct str piece;
    size_t n = 0;

    while (n < COLUMN_ROWS_MAX && str_split(&text, '\n', &piece))
        values[n++] = piece;
    return n;
}

static void check(const char *name, size_t count, const time_ns *time)
{
    const char *wrong = round_check(&round_, values, count, time, count);

    if (wrong)
        fail_msg("row \"%s\" (%s): %s (%s)", name, column_kind_name(column_kind(round_.c)), wrong, round_.e.text);
}

/* Each kind by its own texts, and by texts that are nearly so. */
static const struct {
    const char *name, *text;
    int         kind;
} rows[] = {
    { "one value", "sshd\nsshd\nsshd", COLUMN_CONSTANT },
    { "nothing, everywhere", "\n\n\n", COLUMN_CONSTANT },
    { "two names", "root\nadmin\nroot\nroot\nadmin", COLUMN_TABLE },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(rows[i].name, lines(str_c(rows[i].text)), NULL);
        CHECK(rows[i].name, (int)column_kind(round_.c) == rows[i].kind);
    }
}

static void test_no_rows(void **state)
{
    (void)state;
    check("no row at all", 0, NULL);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Random bytes of random lengths: from few different ones to all different. */
static void test_random_bytes(void **state)
{
    static const size_t counts[] = { 1, 2, 63, 64, 65, 129, 1000, 4097 };
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t round = 0; round < 40; round++) {
        size_t count = counts[round % COUNT(counts)], different = 1 + random_next(&seed) % (round % 2 ? 9 : 2 * count), longest = round % 3 ? 12 : 300;

        arena_reset(&arena);
        for (size_t i = 0; i < count; i++) {
            uint64_t like = random_next(&seed) % different;
            size_t n = (like * 7) % longest;
            char *p = arena_alloc(&arena, n + 1);

            for (size_t j = 0; j < n; j++)
                p[j] = (char)((like * 31 + j * (like + 5)) >> (round % 5));
            values[i] = str_of(p, n);
        }
        check("random bytes", count, NULL);
    }
}

static void test_full_block(void **state)
{
    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < COLUMN_ROWS_MAX; i++)
        values[i] = arena_printf(&arena, "text %zx of %zu", i * 2654435761u % 65521, i % 10);
    check("65536 different texts", COLUMN_ROWS_MAX, NULL);
    for (size_t i = COLUMN_ROWS_MAX; i-- > 0;)
        values[i] = values[i / 2];
    check("32768 different texts, each twice", COLUMN_ROWS_MAX, NULL);
    assert_int_equal(column_kind(round_.c), COLUMN_TABLE);
}

static void test_limits(void **state)
{
    static char big[COLUMN_VALUE_MAX + 1];

    (void)state;
    memset(big, 'x', sizeof big);
    values[0] = str_of(big, COLUMN_VALUE_MAX);
    values[1] = STR("y");
    check("a value of 1 MiB", 2, NULL);
    values[1] = values[0];
    check("a constant of 1 MiB", 2, NULL);
    values[0] = str_of(big, sizeof big);
    assert_int_equal(round_encode(&round_, values, 1, NULL), -E2BIG);
    assert_int_equal(round_encode(&round_, values, COLUMN_ROWS_MAX + 1, NULL), -E2BIG);
}

/* A byte that no value has, or a needle longer than all, opens no frame; what the table answers opens the table alone. */
static void test_frames_stay_closed(void **state)
{
    struct column_question q = { .needle = STR("@") };

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 1000; i++)
        values[i] = arena_printf(&arena, "user %zu", i % 50);
    assert_int_equal(round_encode(&round_, values, 1000, NULL), 0);
    memset(round_.some, 0xff, sizeof round_.some);
    assert_null(round_ask(&round_, values, 1000, q));
    q.needle = STR("a needle that is longer than all");
    assert_null(round_ask(&round_, values, 1000, q));
    assert_int_equal(round_.opened[0] + round_.opened[1], 0);
    q.needle = STR("user 77");
    assert_null(round_ask(&round_, values, 1000, q));
    assert_int_equal(round_.opened[0], 1);
    assert_int_equal(round_.opened[1], 0);
}

static void count_told(void *arg, enum column_kind kind, struct str value)
{
    *(size_t *)arg += 1;
}

static void test_tells_each_different_value_once(void **state)
{
    size_t told = 0;

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 1000; i++)
        values[i] = arena_printf(&arena, "user-%zu@x", i % 50);
    column_encoder_tell(round_.k, count_told, &told);
    assert_int_equal(round_encode(&round_, values, 1000, NULL), 0);
    assert_int_equal(told, 50);
    column_encoder_tell(round_.k, NULL, NULL);
}

/* cut - head and frames at each length shorter than they are, and each bit of them flipped: answered or refused, never past the end. */
static void damage(size_t count, const time_ns *time)
{
    struct str *parts[] = { &round_.head, &round_.frame[0], &round_.frame[1] };
    struct column_question q = { .yes = round_yes, .needle = STR("7") };

    q.arg = &q;
    for (size_t p = 0; p < COUNT(parts); p++) {
        struct str whole = *parts[p];

        for (size_t i = 0; i < min_size(whole.n, 600) * 9; i++) {
            size_t n = i % 9 == 8 ? i / 9 : whole.n;
            char *copy = malloc(n ? n : 1);
            struct reader head;
            int rc;

            memcpy(copy, whole.p, n);
            if (i % 9 < 8)
                copy[i / 9] = (char)(copy[i / 9] ^ 1 << i % 9);
            *parts[p] = str_of(copy, n);
            head = rd_str(round_.head);
            if (column_open(round_.c, &head, count, time, round_frame, &round_, &round_.e) == 0) {
                memset(round_.rows, 0xff, sizeof round_.rows);
                rc = column_ask(round_.c, &q, round_.rows, &round_.e);
                assert_true(rc == 0 || rc == -EBADMSG);
                rc = column_values(round_.c, NULL, round_.got, &round_.e);
                assert_true(rc == 0 || rc == -EBADMSG);
            }
            free(copy);
        }
        *parts[p] = whole;
    }
}

static void test_damage(void **state)
{
    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 100; i++)
        values[i] = arena_printf(&arena, "user %zu", i % 20);
    assert_int_equal(round_encode(&round_, values, 100, NULL), 0);
    damage(100, NULL);
    for (size_t i = 0; i < 100; i++)
        values[i] = arena_printf(&arena, "text %zu", i * i);
    assert_int_equal(round_encode(&round_, values, 100, NULL), 0);
    damage(100, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_no_rows), cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_full_block),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_frames_stay_closed), cmocka_unit_test(test_tells_each_different_value_once), cmocka_unit_test(test_damage),
    };

    (void)times;
    return cmocka_run_group_tests(tests, begin, end);
}
