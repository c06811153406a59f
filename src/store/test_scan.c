/* test_scan.c - all of a store in the order of arrival: whatever the times of events, over several parts and the journal's tail, past damage and merges. */
#include "journal/journal.h"
#include "store/testing.h"

#define EVENTS 600u

/* made - EVENTS events in the journal, those before tail in a store of blocks of 16; times go to and fro. */
static void made(const char *folder, const char *journal, uint64_t tail)
{
    struct store *s = open_store(folder, 16);
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    for (uint64_t n = 1; n <= EVENTS; n++)
        put_event(&b, n, DAY_A + (time_ns)n * NS_PER_MINUTE * 5, (time_ns)(n * 7919 % 1000) * NS_PER_SECOND);
    assert_int_equal(journal_open(journal, MIB, &j, &e), 0);
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    for (uint64_t n = 1; n < tail; n++)
        assert_int_equal(store_add(s, &b.items[n - 1], 1, DAY_A, &e), 0);
    assert_int_equal(store_seal(s, &e), 0);
    store_close(&s);
    event_batch_free(&b);
}

static int keep(void *arg, const struct event *ev)
{
    return take_hit(arg, ev);
}

/* scanned - all that a scan gives, pieces first, then the tail. */
static void scanned(const struct store_scan_options *o, struct hits *h, struct store_stats *stats)
{
    struct store_scan *s = NULL;
    struct store_page *p = NULL;
    struct err e;

    memset(h, 0, sizeof *h);
    memset(stats, 0, sizeof *stats);
    assert_int_equal(store_scan_open(o, &s, &e), 0);
    assert_int_equal(store_page_new(&p, &e), 0);
    for (size_t i = 0; i < store_scan_pieces(s); i++) {
        const struct event *const *events;
        size_t count;

        assert_int_equal(store_scan_read(s, i, p, &events, &count, stats, &e), 0);
        for (size_t k = 0; k < count; k++) {
            assert_true(events[k]->seq >= store_scan_first(s, i) && events[k]->seq < store_scan_first(s, i + 1));
            assert_int_equal(keep(h, events[k]), 0);
        }
    }
    assert_int_equal(store_scan_tail(s, keep, h, stats, &e), 0);
    store_page_free(&p);
    store_scan_close(&s);
}

static void test_events_come_in_the_order_of_their_numbers_from_parts_and_tail(void **state)
{
    static struct hits h;
    struct store_stats stats;
    char folder[64], journal[80];

    (void)state;
    folder_make(folder);
    snprintf(journal, sizeof journal, "%s/journal", folder);
    made(folder, journal, 450);
    struct store_scan_options o = { .store_folder = folder, .journal_folder = journal, .from = INT64_MIN, .to = INT64_MAX };
    scanned(&o, &h, &stats);
    assert_false(h.mixed);
    assert_int_equal(h.count, EVENTS);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i], i + 1);
    o.from_seq = 123;
    o.to_seq = 511;
    scanned(&o, &h, &stats);
    assert_int_equal(h.count, 511 - 123);
    assert_int_equal(h.seq[0], 123);
    o.from = DAY_A + NS_PER_DAY;          /* of the events' time */
    scanned(&o, &h, &stats);
    assert_true(h.count > 0 && h.count < 511 - 123);
    o.object_filter = true;
    o.object_only = STR("obj-2");
    scanned(&o, &h, &stats);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i] % 3, 0);
    folder_remove(folder);
}

static void hash_of(void *arg, uint64_t hash) { *(uint64_t *)arg = hash; }

static void test_blocks_without_any_of_the_wanted_sets_stay_closed(void **state)
{
    static struct hits h;
    struct store_stats stats;
    uint64_t tokens[3];
    const uint32_t ends[] = { 2, 3 };
    char folder[64], journal[80];

    (void)state;
    folder_make(folder);
    snprintf(journal, sizeof journal, "%s/journal", folder);
    made(folder, journal, EVENTS + 1);
    query_tokens(STR("n100"), hash_of, &tokens[0]);
    query_tokens(STR("event"), hash_of, &tokens[1]);
    query_tokens(STR("n300"), hash_of, &tokens[2]);
    struct store_wants wants = { tokens, ends, 2 };
    struct store_scan_options o = { .store_folder = folder, .from = INT64_MIN, .to = INT64_MAX, .wants = &wants };
    scanned(&o, &h, &stats);
    assert_true(stats.blocks >= 2 && stats.blocks <= 5 && stats.blocks_skipped >= 30);
    bool first = false, second = false;
    for (size_t i = 0; i < h.count; i++) {
        first = first || h.seq[i] == 100;
        second = second || h.seq[i] == 300;
    }
    assert_true(first && second);
    wants.count = 0;                      /* nothing is wanted */
    scanned(&o, &h, &stats);
    assert_int_equal(h.count, 0);
    folder_remove(folder);
}

static void test_a_scan_whose_parts_were_merged_meanwhile_is_opened_anew(void **state)
{
    struct store_scan *scan = NULL;
    struct store_page *p = NULL;
    struct store_stats stats = { 0 };
    const struct event *const *events;
    char folder[64], journal[80];
    struct store *s;
    size_t count;
    struct err e;
    int rc = 0;

    (void)state;
    folder_make(folder);
    snprintf(journal, sizeof journal, "%s/journal", folder);
    made(folder, journal, EVENTS + 1);
    const struct store_scan_options o = { .store_folder = folder, .journal_folder = journal, .from = INT64_MIN, .to = INT64_MAX };
    assert_int_equal(store_scan_open(&o, &scan, &e), 0);
    assert_int_equal(store_page_new(&p, &e), 0);
    s = open_store(folder, 16);
    for (int i = 0; i < 20; i++)
        assert_int_equal(store_tick(s, DAY_A + (i + 3) * NS_PER_DAY, &e), 0);
    store_close(&s);
    for (size_t i = 0; i < store_scan_pieces(scan) && rc == 0; i++)
        rc = store_scan_read(scan, i, p, &events, &count, &stats, &e);
    assert_int_equal(rc, -ESTALE);
    store_scan_close(&scan);
    static struct hits h;
    scanned(&o, &h, &stats);
    assert_int_equal(h.count, EVENTS);
    store_page_free(&p);
    folder_remove(folder);
}

static void test_a_damaged_part_is_passed_and_counted(void **state)
{
    static struct hits h;
    struct store_stats stats;
    struct manifest m;
    char folder[64], journal[80], path[PATH_BYTES];
    bool from_copy;
    struct err e;

    (void)state;
    folder_make(folder);
    snprintf(journal, sizeof journal, "%s/journal", folder);
    made(folder, journal, EVENTS + 1);
    assert_int_equal(manifest_load(folder, &m, &from_copy, &e), 0);
    part_file(folder, &m.part[2], path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, 60, SEEK_SET), 0);
    assert_int_equal(fwrite("XXXXXXXX", 1, 8, f), 8);
    fclose(f);
    const struct store_scan_options o = { .store_folder = folder, .journal_folder = journal, .from = INT64_MIN, .to = INT64_MAX };
    scanned(&o, &h, &stats);
    assert_int_equal(stats.damaged_parts, 1);
    assert_int_equal(h.count, EVENTS - m.part[2].events);
    assert_true(*stats.damaged);
    manifest_free(&m);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_in_the_order_of_their_numbers_from_parts_and_tail),
        cmocka_unit_test(test_blocks_without_any_of_the_wanted_sets_stay_closed),
        cmocka_unit_test(test_a_scan_whose_parts_were_merged_meanwhile_is_opened_anew),
        cmocka_unit_test(test_a_damaged_part_is_passed_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
