/* test_store.c - writing: sealing, merging, retention, opening again. */
#include <signal.h>
#include <sys/resource.h>

#include "store/testing.h"

static void test_sealed_events_are_found_after_opening_again(void **state)
{
    static struct hits h;
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(store_next_seq(s), 1);
    assert_int_equal(put_events(s, 1, 250, DAY_A), 0);
    assert_int_equal(store_next_seq(s), 251);
    assert_int_equal(store_sealed_seq(s), 201);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(store_sealed_seq(s), 251);
    store_close(&s);
    s = open_store(folder, 100);
    assert_int_equal(store_next_seq(s), 251);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 250);
    assert_false(h.mixed);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i], 250 - i);
    store_close(&s);
    folder_remove(folder);
}

static void test_events_that_were_not_sealed_are_asked_for_again(void **state)
{
    char folder[64];
    struct store *s;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 150, DAY_A), 0);
    store_close(&s);
    s = open_store(folder, 100);
    assert_int_equal(store_next_seq(s), 101);
    store_close(&s);
    folder_remove(folder);
}

static void test_events_that_came_before_are_ignored(void **state)
{
    static struct hits h;
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 60, DAY_A), 0);
    assert_int_equal(put_events(s, 30, 80, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(put_events(s, 1, 80, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 80);
    store_close(&s);
    folder_remove(folder);
}

static void test_a_tick_seals_what_is_old_enough(void **state)
{
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 5, DAY_A), 0);
    assert_int_equal(store_tick(s, DAY_A + SEAL_AFTER_DEFAULT - 1, &e), 0);
    assert_int_equal(store_sealed_seq(s), 1);
    assert_int_equal(store_tick(s, DAY_A + SEAL_AFTER_DEFAULT, &e), 0);
    assert_int_equal(store_sealed_seq(s), 6);
    store_close(&s);
    folder_remove(folder);
}

static void test_memory_seals_before_it_is_used_up(void **state)
{
    struct store_options o = { .block_events = 60000, .memory_bytes = MIB };
    struct event_batch b;
    char folder[64], *line = calloc(1, EVENT_ORIGINAL_MAX);
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    assert_non_null(line);
    memset(line, 'x', EVENT_ORIGINAL_MAX);
    assert_int_equal(store_open(folder, &o, &s, &e), 0);
    event_batch_init(&b, 0);
    for (uint64_t n = 1; n <= 5; n++) {
        put_event(&b, n, DAY_A, 0);
        b.items[n - 1].original = str_of(line, EVENT_ORIGINAL_MAX);
    }
    assert_int_equal(store_add(s, b.items, b.count, DAY_A, &e), 0);
    assert_true(store_sealed_seq(s) >= 4);
    assert_int_equal(store_next_seq(s), 6);
    event_batch_free(&b);
    store_close(&s);
    free(line);
    folder_remove(folder);
}

static void test_a_second_writer_is_refused(void **state)
{
    char folder[64];
    struct store *s, *second;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(store_open(folder, NULL, &second, &e), -EBUSY);
    assert_null(second);
    store_close(&s);
    folder_remove(folder);
}

static void test_small_parts_are_merged_and_nothing_is_lost_or_doubled(void **state)
{
    static struct hits h;
    char folder[64];
    struct store *s;
    struct store_report report;
    struct err e;
    size_t most = 0;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 64);
    for (uint64_t n = 1; n <= 6000; n += 20) {
        assert_int_equal(put_events(s, n, n + 19, DAY_A), 0);
        assert_int_equal(store_seal(s, &e), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(store_tick(s, DAY_A, &e), 0);
        most = max_size(most, s->manifest.count);
    }
    assert_true(most < 30);     /* 300 seals */
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 6000);
    assert_false(h.mixed);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i], 6000 - i);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    assert_int_equal(report.events, 6000);
    /* The day is over: what is left becomes one. */
    for (int i = 0; i < 20; i++)
        assert_int_equal(store_tick(s, DAY_A + (i + 3) * NS_PER_DAY, &e), 0);
    assert_int_equal(s->manifest.count, 1);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "even", &h, NULL), 0);
    assert_int_equal(h.count, 3000);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    store_close(&s);
    folder_remove(folder);
}

static size_t count_files(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    struct dirent *f;

    while (d && (f = readdir(d)) != NULL)
        n += f->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* retain - one step with a term of one day for all: what was received before the day of oldest goes. */
static int retain(struct store *s, time_ns oldest, size_t *days)
{
    struct store_policy p = { .days = 1, .fast_days = 1 };
    struct store_expired out = { 0 };
    struct err e;
    int rc = store_expire(s, &p, oldest + NS_PER_DAY, &out, &e);

    *days = out.days;
    return rc;
}

static void test_retention_removes_whole_days_by_receipt(void **state)
{
    static struct hits h;
    char folder[64], day[PATH_BYTES];
    struct event_batch b;
    struct store *s;
    struct store_report report;
    struct err e;
    size_t days;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    event_batch_init(&b, 0);
    for (uint64_t n = 1; n <= 40; n++)      /* ten a day; the last one of each has a clock of 1970 */
        put_event(&b, n, DAY_A + (time_ns)((n - 1) / 10) * NS_PER_DAY + (time_ns)n, n % 10 ? 0 : -DAY_A);
    assert_int_equal(store_add(s, b.items, b.count, DAY_A, &e), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(s->manifest.count, 4);
    assert_int_equal(retain(s, DAY_A + 2 * NS_PER_DAY + NS_PER_HOUR, &days), 1);
    assert_int_equal(days, 2);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 20);
    assert_int_equal(h.seq[19], 30);        /* its own time is the oldest of all, and it is still there */
    day_path(folder, 20000, day);
    assert_int_not_equal(access(day, F_OK), 0);
    day_path(folder, 20002, day);
    assert_int_equal(count_files(day), 1);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    assert_int_equal(retain(s, DAY_A + 2 * NS_PER_DAY, &days), 0);
    assert_int_equal(days, 0);
    assert_int_equal(store_sealed_seq(s), 41);
    event_batch_free(&b);
    store_close(&s);
    folder_remove(folder);
}

static void touch(const char *path)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fclose(f);
}

/* A host whose clock stands in 2099 for an hour must not lose its evidence of a year. */
static void test_a_clock_that_runs_ahead_does_not_empty_the_store(void **state)
{
    static struct hits h;
    char folder[64];
    struct store *s;
    struct err e;
    size_t days;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    for (uint64_t day = 0; day < 10; day++)
        assert_int_equal(put_events(s, day * 10 + 1, day * 10 + 10, DAY_A + (time_ns)day * NS_PER_DAY), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(retain(s, DAY_A + 20000 * NS_PER_DAY, &days), 1);
    assert_int_equal(days, RETAIN_DAYS_AT_ONCE);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 10 * (10 - RETAIN_DAYS_AT_ONCE));
    store_close(&s);
    folder_remove(folder);
}

static void test_opening_removes_what_no_manifest_names_and_nothing_else(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 5, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    store_close(&s);
    part_path(folder, 20000, 77, path);
    touch(path);
    day_path(folder, 20000, path);
    assert_true(strlen(path) < 200);
    memcpy(path + strlen(path), "/note.txt", 10);
    touch(path);
    s = open_store(folder, 100);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    part_path(folder, 20000, 77, path);
    assert_int_not_equal(access(path, F_OK), 0);
    part_path(folder, 20000, 1, path);
    assert_int_equal(access(path, F_OK), 0);
    store_close(&s);
    folder_remove(folder);
}

static void test_a_store_without_a_manifest_is_not_emptied(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 5, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    store_close(&s);
    snprintf(path, sizeof path, "%s/MANIFEST", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/MANIFEST.copy", folder);
    unlink(path);
    assert_int_equal(store_open(folder, NULL, &s, &e), -EBADMSG);
    part_path(folder, 20000, 1, path);
    assert_int_equal(access(path, F_OK), 0);
    folder_remove(folder);
}

static void test_a_part_that_could_not_be_written_is_written_later_and_nothing_is_lost(void **state)
{
    static struct hits h;
    struct rlimit before, small;
    struct store_report report;
    char folder[64];
    struct store *s;
    struct err e;
    size_t refused = 0;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 1000);
    assert_int_equal(put_events(s, 1, 50, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(put_events(s, 51, 500, DAY_A), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (rlim_t room = 0; room < 4000; room += 97) {   /* the disk is full after so many bytes of a file */
        small = (struct rlimit){ room, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        int rc = store_seal(s, &e);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (rc == 0)
            break;
        refused++;
        assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
        assert_int_equal(h.count, 50);
        assert_int_equal(store_sealed_seq(s), 51);
        if (s->broken) {        /* chain or manifest: only opening anew tells */
            store_close(&s);
            s = open_store(folder, 1000);
            assert_int_equal(put_events(s, 51, 500, DAY_A), 0);
        }
    }
    assert_true(refused > 5);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 500);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    store_close(&s);
    folder_remove(folder);
}

/* Lines of name=value noise, as anybody may write them into a log that is followed: each name another one. */
static void test_more_names_of_fields_than_anybody_needs_do_not_stop_the_writer(void **state)
{
    struct event_batch b;
    struct store_stats stats;
    struct store *s;
    struct hits h = { .stop_at = 0 };
    char folder[64];
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 1000);
    event_batch_init(&b, 0);
    for (uint64_t n = 1; n <= 400; n++) {
        put_event(&b, n, DAY_A + (time_ns)n, 0);
        for (unsigned k = 0; k < 390; k++)
            assert_int_equal(event_add(&b.items[n - 1], &b.arena, arena_printf(&b.arena, "k%u", (unsigned)n * 390 + k), STR("1")), 0);
    }
    assert_int_equal(store_add(s, b.items, b.count, DAY_A, &e), 0);
    if (store_seal(s, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(store_sealed_seq(s), 401);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "k390:1", &h, &stats), 0);
    assert_true(h.count == 1 && h.seq[0] == 1 && !h.mixed && stats.damaged_parts == 0);
    event_batch_free(&b);
    store_close(&s);
    folder_remove(folder);
}

static void test_the_kinds_of_bytes_add_up_to_the_parts(void **state)
{
    struct store_usage u;
    uint64_t bytes = 0, payload = 0;
    char folder[64], path[PATH_BYTES];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    assert_int_equal(put_events(s, 1, 250, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(put_events(s, 251, 300, DAY_A + NS_PER_DAY), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(store_usage_read(folder, &u, &e), 0);
    assert_int_equal(u.events, 300);
    assert_int_equal(u.days, 2);
    assert_int_equal(u.unknown_parts, 0);
    for (size_t i = 0; i < u.kinds; i++) {
        bytes += u.kind[i].bytes;
        payload += strcmp(u.kind[i].name, "columns") == 0 ? u.kind[i].bytes : 0;
        assert_true(u.kind[i].bytes > 0);
    }
    assert_int_equal(bytes, u.bytes);
    assert_true(payload > 0 && payload < u.bytes);
    store_usage_free(&u);
    part_path(folder, 20000, s->manifest.part[0].number, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_usage_read(folder, &u, &e), 0);
    assert_int_equal(u.unknown_parts, 1);
    for (size_t i = bytes = 0; i < u.kinds; i++)
        bytes += u.kind[i].bytes;
    assert_int_equal(bytes, u.bytes);
    store_usage_free(&u);
    store_close(&s);
    folder_remove(folder);
}

/* What waited and was lost is read again by whoever opens the store anew: nothing behind it is taken before, or it would be missing for ever. */
static void test_what_is_lost_from_memory_is_not_passed_over(void **state)
{
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 0);
    assert_int_equal(put_events(s, 1, 10, DAY_A), 0);
    s->pending.payload.limit_bytes = s->pending.payload.cap;     /* no memory for more than that */
    assert_int_equal(put_events(s, 11, 4000, DAY_A), -EIO);
    assert_int_equal(put_events(s, 4001, 4010, DAY_A), -EIO);
    assert_int_equal(store_seal(s, &e), -EIO);
    store_close(&s);
    s = open_store(folder, 0);
    assert_int_equal(store_next_seq(s), 1);
    assert_int_equal(store_sealed_seq(s), 1);
    store_close(&s);
    folder_remove(folder);
}

static void test_a_seal_that_had_no_memory_is_tried_again(void **state)
{
    size_t limit;
    char folder[64];
    struct store *s;
    struct hits h;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 0);
    assert_int_equal(put_events(s, 1, 100, DAY_A), 0);
    limit = s->pending.shaped.arena.limit_bytes;
    s->pending.shaped.arena.limit_bytes = 1;
    assert_true(store_seal(s, &e) < 0);
    assert_true(put_events(s, 101, 110, DAY_A) < 0);      /* they stay in their sender's hand */
    assert_true(store_seal(s, &e) < 0);
    s->pending.shaped.arena.limit_bytes = limit;
    assert_int_equal(put_events(s, 101, 110, DAY_A), 0);
    assert_int_equal(store_seal(s, &e), 0);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 110);
    assert_false(h.mixed);
    store_close(&s);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kinds_of_bytes_add_up_to_the_parts),
        cmocka_unit_test(test_sealed_events_are_found_after_opening_again),
        cmocka_unit_test(test_events_that_were_not_sealed_are_asked_for_again),
        cmocka_unit_test(test_events_that_came_before_are_ignored),
        cmocka_unit_test(test_what_is_lost_from_memory_is_not_passed_over),
        cmocka_unit_test(test_a_seal_that_had_no_memory_is_tried_again),
        cmocka_unit_test(test_a_tick_seals_what_is_old_enough),
        cmocka_unit_test(test_memory_seals_before_it_is_used_up),
        cmocka_unit_test(test_a_second_writer_is_refused),
        cmocka_unit_test(test_small_parts_are_merged_and_nothing_is_lost_or_doubled),
        cmocka_unit_test(test_retention_removes_whole_days_by_receipt),
        cmocka_unit_test(test_a_clock_that_runs_ahead_does_not_empty_the_store),
        cmocka_unit_test(test_opening_removes_what_no_manifest_names_and_nothing_else),
        cmocka_unit_test(test_a_store_without_a_manifest_is_not_emptied),
        cmocka_unit_test(test_more_names_of_fields_than_anybody_needs_do_not_stop_the_writer),
        cmocka_unit_test(test_a_part_that_could_not_be_written_is_written_later_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
