/* test_search.c - what a search answers: order, pages, ranges, objects, the journal's tail, and change under its hands. */
#include "journal/journal.h"
#include "store/testing.h"

#define EVENTS 600u

/* shuffled - a store of three seals, blocks of 16, whose events have times that overlap: seq n happened at n * 7919 mod 1000 seconds. */
static time_ns when(uint64_t n) { return DAY_A + (time_ns)(n * 7919 % 1000) * NS_PER_SECOND; }

static void shuffled(const char *folder)
{
    struct store *s = open_store(folder, 16);
    struct event_batch b;
    struct err e;

    for (uint64_t n = 1; n <= EVENTS; n += 200) {
        event_batch_init(&b, 0);
        for (uint64_t k = n; k < n + 200; k++)
            put_event(&b, k, DAY_A + NS_PER_HOUR, when(k) - DAY_A - NS_PER_HOUR);
        assert_int_equal(store_add(s, b.items, b.count, DAY_A, &e), 0);
        assert_int_equal(store_seal(s, &e), 0);
        event_batch_free(&b);
    }
    store_close(&s);
}

static bool ordered(const struct hits *h, bool oldest_first)
{
    for (size_t i = 1; i < h->count; i++) {
        uint64_t a = h->seq[oldest_first ? i - 1 : i], b = h->seq[oldest_first ? i : i - 1];

        if (when(a) > when(b) || (when(a) == when(b) && a >= b))
            return false;
    }
    return true;
}

static void test_events_come_newest_first_or_oldest_first(void **state)
{
    static struct hits h;
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    for (int oldest = 0; oldest < 2; oldest++) {
        assert_int_equal(find((struct store_search){ .store_folder = folder, .oldest_first = oldest }, "", &h, NULL), 0);
        assert_int_equal(h.count, EVENTS);
        assert_false(h.mixed);
        assert_true(ordered(&h, oldest));
    }
    folder_remove(folder);
}

static void test_a_limit_gives_the_head_of_the_whole_answer(void **state)
{
    static struct hits all, some;
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    for (int oldest = 0; oldest < 2; oldest++) {
        assert_int_equal(find((struct store_search){ .store_folder = folder, .oldest_first = oldest }, "odd", &all, NULL), 0);
        assert_int_equal(all.count, EVENTS / 2);
        for (size_t limit = 1; limit <= all.count + 1; limit += 7) {
            assert_int_equal(find((struct store_search){ .store_folder = folder, .oldest_first = oldest, .limit = limit }, "odd", &some, NULL), 0);
            assert_int_equal(some.count, min_size(limit, all.count));
            assert_memory_equal(some.seq, all.seq, some.count * sizeof *some.seq);
        }
    }
    folder_remove(folder);
}

static void test_pages_join_without_gap_or_repetition(void **state)
{
    static struct hits all, page, joined;
    struct store_search s = { .limit = 37 };
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    s.store_folder = folder;
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &all, NULL), 0);
    joined.count = 0;
    do {
        assert_int_equal(find(s, "", &page, NULL), 0);
        memcpy(joined.seq + joined.count, page.seq, page.count * sizeof *page.seq);
        joined.count += page.count;
        if (page.count) {
            s.before_seq = page.seq[page.count - 1];
            s.before_time = page.last_time;
        }
    } while (page.count == s.limit);
    assert_int_equal(joined.count, all.count);
    assert_memory_equal(joined.seq, all.seq, all.count * sizeof *all.seq);
    folder_remove(folder);
}

static void test_all_events_come_where_more_overlap_than_memory_may_hold(void **state)
{
    static struct hits all, paged;
    struct store_search s = { .from = INT64_MIN, .to = INT64_MAX, .memory_bytes = 16 * KIB };
    struct store_stats st;
    char folder[64];
    struct err e;

    (void)state;
    folder_make(folder);
    shuffled(folder);
    s.store_folder = folder;
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &all, NULL), 0);
    paged = (struct hits){ 0 };
    assert_int_equal(store_find(&s, take_hit, &paged, &st, &e), -E2BIG);
    paged = (struct hits){ 0 };
    assert_int_equal(store_find_all(&s, take_hit, &paged, &st, &e), 0);
    assert_int_equal(paged.count, EVENTS);
    assert_int_equal(st.matched, EVENTS);
    assert_memory_equal(paged.seq, all.seq, all.count * sizeof *all.seq);
    paged = (struct hits){ 0 };
    s.memory_bytes = 1;     /* not one event: told, and no endless loop */
    assert_int_equal(store_find_all(&s, take_hit, &paged, &st, &e), -E2BIG);
    folder_remove(folder);
}

static void test_the_range_of_time_is_half_open(void **state)
{
    static struct hits h;
    char folder[64];
    time_ns from = DAY_A + 100 * NS_PER_SECOND, to = DAY_A + 300 * NS_PER_SECOND;
    size_t want = 0;

    (void)state;
    folder_make(folder);
    shuffled(folder);
    for (uint64_t n = 1; n <= EVENTS; n++)
        want += when(n) >= from && when(n) < to;
    assert_int_equal(find((struct store_search){ .store_folder = folder, .from = from, .to = to }, "", &h, NULL), 0);
    assert_int_equal(h.count, want);
    folder_remove(folder);
}

static void test_only_events_of_the_objects_asked_for(void **state)
{
    static struct hits h;
    struct store_search s = { .object_filter = true, .object_only = STR("obj-7 obj-2") };
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    s.store_folder = folder;
    assert_int_equal(find(s, "", &h, NULL), 0);
    assert_int_equal(h.count, EVENTS / 3);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i] % 3, 0);
    s.object_only = STR("obj");
    assert_int_equal(find(s, "", &h, NULL), 0);
    assert_int_equal(h.count, 0);
    s.object_only = STR("");
    assert_int_equal(find(s, "", &h, NULL), 0);
    assert_int_equal(h.count, 0);
    folder_remove(folder);
}

static void test_a_rare_word_opens_few_blocks(void **state)
{
    static struct hits h;
    struct store_stats stats;
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "n333", &h, &stats), 0);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.seq[0], 333);
    assert_true(stats.blocks <= 3 && stats.blocks_skipped >= 34);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "user.name:user3 saqshy.parse:ok", &h, &stats), 0);
    assert_int_equal(h.count, EVENTS / 10);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "USER.NAME:user3", &h, &stats), 0);
    assert_int_equal(h.count, 0);
    folder_remove(folder);
}

static void test_a_caller_may_end_the_search(void **state)
{
    static struct hits h;
    static const int stop = 1;
    char folder[64];

    (void)state;
    folder_make(folder);
    shuffled(folder);
    h.stop_at = 5;
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 5);
    h.stop_at = 0;
    assert_int_equal(find((struct store_search){ .store_folder = folder, .stop = &stop }, "", &h, NULL), -ECANCELED);
    assert_int_equal(find((struct store_search){ .store_folder = folder, .deadline_steady = 1 }, "", &h, NULL), -ETIMEDOUT);
    folder_remove(folder);
}

static void test_a_folder_that_is_not_there_yet_holds_nothing(void **state)
{
    static struct hits h;

    (void)state;
    assert_int_equal(find((struct store_search){ .store_folder = "/tmp/no-such-store", .journal_folder = "/tmp/no-such-journal" }, "", &h, NULL), 0);
    assert_int_equal(h.count, 0);
}

static void test_a_histogram_counts_what_a_search_finds(void **state)
{
    static struct hits h;
    static const char *const texts[] = { "", "odd", "user.name:user3" };
    char folder[64];
    struct err e;

    (void)state;
    folder_make(folder);
    shuffled(folder);
    for (size_t t = 0; t < COUNT(texts); t++) {
        struct store_search s = { .store_folder = folder, .from = DAY_A + 10 * NS_PER_SECOND, .to = DAY_A + 910 * NS_PER_SECOND };
        uint64_t counts[7] = { 0 }, sum = 0, want[7] = { 0 };
        struct query *q;

        assert_int_equal(find(s, texts[t], &h, NULL), 0);
        for (size_t i = 0; i < h.count; i++)
            want[(when(h.seq[i]) - s.from) * 7 / (s.to - s.from)]++;
        assert_int_equal(query_parse(str_c(texts[t]), &q, &e), 0);
        s.query = q;
        assert_int_equal(store_histogram(&s, 7, counts, NULL, &e), 0);
        for (size_t i = 0; i < 7; i++)
            sum += counts[i];
        assert_int_equal(sum, h.count);
        assert_memory_equal(counts, want, sizeof want);
        query_free(&q);
    }
    folder_remove(folder);
}

/* --- the journal's tail --- */

static void journal_put(struct journal *j, uint64_t from, uint64_t to)
{
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    for (uint64_t n = from; n <= to; n++)
        put_event(&b, n, DAY_A + (time_ns)n * NS_PER_SECOND, 0);
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    event_batch_free(&b);
}

static void test_an_event_is_found_as_soon_as_it_is_committed_and_once_only(void **state)
{
    static struct hits h;
    char folder[64], log[PATH_BYTES];
    struct journal *j;
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    snprintf(log, sizeof log, "%s/journal", folder);
    assert_int_equal(journal_open(log, 0, &j, &e), 0);
    s = open_store(folder, 50);
    for (uint64_t n = 1; n <= 300; n += 20) {
        journal_put(j, n, n + 19);
        assert_int_equal(find((struct store_search){ .store_folder = folder, .journal_folder = log }, "", &h, NULL), 0);
        assert_int_equal(h.count, n + 19);
        for (size_t i = 0; i < h.count; i++)
            assert_int_equal(h.seq[i], n + 19 - i);
        assert_int_equal(put_events(s, n, n + 19, DAY_A), 0);
        assert_int_equal(find((struct store_search){ .store_folder = folder, .journal_folder = log, .limit = 30 }, "", &h, NULL), 0);
        assert_int_equal(h.count, min_size(30, n + 19));
        assert_int_equal(h.seq[0], n + 19);
    }
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, store_sealed_seq(s) - 1);
    store_close(&s);
    journal_close(&j);
    folder_remove(folder);
}

/* --- change under a search --- */

struct changing {
    struct hits   h;
    struct store *s;
};

static int change(void *arg, const struct event *ev)
{
    struct changing *c = arg;
    struct err e;

    take_hit(&c->h, ev);
    if (c->h.count == 10) {     /* all parts that were there become one, and their files go */
        size_t before = c->s->manifest.count;

        for (int i = 0; i < 5; i++)
            assert_int_equal(store_merge(c->s, DAY_A + 9 * NS_PER_DAY, &e) < 0, 0);
        assert_true(c->s->manifest.count < before);
    }
    return 0;
}

static void test_a_merge_in_the_middle_of_a_search_changes_nothing_in_the_answer(void **state)
{
    static struct changing c;
    struct store_search find_all = { .from = INT64_MIN, .to = INT64_MAX };
    char folder[64];
    struct err e;

    (void)state;
    folder_make(folder);
    c.s = open_store(folder, 16);
    for (uint64_t n = 1; n <= 200; n += 10) {
        assert_int_equal(put_events(c.s, n, n + 9, DAY_A), 0);
        assert_int_equal(store_seal(c.s, &e), 0);
    }
    find_all.store_folder = folder;
    for (int oldest = 0; oldest < 2; oldest++) {
        struct store_stats stats;

        c.h.count = 0;
        find_all.oldest_first = oldest;
        if (oldest)     /* the second time there is one part and nothing to merge */
            assert_int_equal(find(find_all, "", &c.h, &stats), 0);
        else
            assert_int_equal(store_find(&find_all, change, &c, &stats, &e), 0);
        assert_int_equal(c.h.count, 200);
        assert_int_equal(stats.damaged_parts, 0);
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(c.h.seq[i], oldest ? i + 1 : 200 - i);
    }
    store_close(&c.s);
    folder_remove(folder);
}

static void test_many_parts_that_overlap_need_few_open_files(void **state)
{
    static struct hits h;
    char folder[64];
    struct event_batch b;
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 16);
    for (uint64_t n = 1; n <= 400; n += 2) {    /* 200 days of receipt, times from 1970 to the end of all times in each */
        time_ns day = DAY_A + (time_ns)n * NS_PER_DAY;

        event_batch_init(&b, 0);
        put_event(&b, n, day, -day + (time_ns)n);
        put_event(&b, n + 1, day, INT64_MAX - day - (time_ns)n);
        assert_int_equal(store_add(s, b.items, b.count, day, &e), 0);
        assert_int_equal(store_seal(s, &e), 0);
        event_batch_free(&b);
    }
    assert_int_equal(s->manifest.count, 200);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 400);
    assert_false(h.mixed);
    store_close(&s);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_newest_first_or_oldest_first),
        cmocka_unit_test(test_a_limit_gives_the_head_of_the_whole_answer),
        cmocka_unit_test(test_pages_join_without_gap_or_repetition),
        cmocka_unit_test(test_all_events_come_where_more_overlap_than_memory_may_hold),
        cmocka_unit_test(test_the_range_of_time_is_half_open),
        cmocka_unit_test(test_only_events_of_the_objects_asked_for),
        cmocka_unit_test(test_a_rare_word_opens_few_blocks),
        cmocka_unit_test(test_a_caller_may_end_the_search),
        cmocka_unit_test(test_a_folder_that_is_not_there_yet_holds_nothing),
        cmocka_unit_test(test_a_histogram_counts_what_a_search_finds),
        cmocka_unit_test(test_an_event_is_found_as_soon_as_it_is_committed_and_once_only),
        cmocka_unit_test(test_a_merge_in_the_middle_of_a_search_changes_nothing_in_the_answer),
        cmocka_unit_test(test_many_parts_that_overlap_need_few_open_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
