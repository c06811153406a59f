/* test_retain.c - terms and archive: nothing goes before its time, what has a longer term stays, moving is all or nothing, and a kill at any moment leaves
 * every event in one place. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/testing.h"

#define DAY(n) (DAY_A + (time_ns)(n) * NS_PER_DAY)

static void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%d: %s", rc, e->text);
}

/* fill - per_day events of each of so many days, sealed. */
static struct store *fill(const char *folder, unsigned days, unsigned per_day)
{
    struct store *s = open_store(folder, 32);
    struct err e;

    for (unsigned d = 0; d < days; d++) {
        assert_int_equal(put_events(s, d * per_day + 1, (d + 1) * per_day, DAY(d)), 0);
        must(store_seal(s, &e), &e);
    }
    return s;
}

static struct query *query_of(const char *text)
{
    struct query *q;
    struct err e;

    must(query_parse(str_c(text), &q, &e), &e);
    return q;
}

static size_t found(const char *folder, const char *text)
{
    static struct hits h;
    struct store_stats stats;

    assert_int_equal(find((struct store_search){ .store_folder = folder }, text, &h, &stats), 0);
    assert_int_equal(stats.damaged_parts, 0);
    assert_false(h.mixed);
    return h.count;
}

static void sound(const char *folder)
{
    struct store_report r;
    struct err e;

    assert_int_equal(store_verify(folder, &r, NULL, NULL, &e), 0);
}

static void test_a_day_goes_when_its_term_is_over_and_not_before(void **state)
{
    struct store_policy p = { .days = 1096, .fast_days = 62 };
    struct store_expired out = { 0 };
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = fill(folder, 3, 10);
    /* Day 0 is kept for 1,096 days beside itself: the whole of the day on which it is 1,096 days old, too. */
    assert_int_equal(store_expire(s, &p, DAY(1096) + NS_PER_DAY - 1, &out, &e), 0);
    assert_int_equal(found(folder, ""), 30);
    assert_int_equal(store_expire(s, &p, DAY(1097), &out, &e), 1);
    assert_int_equal(out.days, 1);
    assert_int_equal(out.events, 10);
    assert_int_equal(found(folder, ""), 20);
    assert_int_equal(store_expire(s, &p, DAY(1097), &out, &e), 0);
    /* A clock that ran far ahead takes two days at a time, not all. */
    out = (struct store_expired){ 0 };
    store_close(&s);
    sound(folder);
    folder_remove(folder);
}

static void test_what_has_a_longer_term_stays_and_the_others_of_its_day_go(void **state)
{
    struct query *odd = query_of("odd"), *user3 = query_of("user.name:user3");
    struct store_term longer[] = { { odd, 200 }, { user3, 300 } };
    struct store_policy p = { .days = 100, .longer = longer, .longer_count = 2, .fast_days = 62 };
    struct store_expired out = { 0 };
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = fill(folder, 2, 100);
    assert_int_equal(store_expire(s, &p, DAY(100), &out, &e), 0);
    while (store_expire(s, &p, DAY(101), &out, &e) == 1)
        continue;
    assert_int_equal(out.events, 50);
    assert_int_equal(found(folder, "even"), 50);       /* day 1 alone */
    assert_int_equal(found(folder, "odd"), 100);
    sound(folder);
    store_close(&s);
    s = open_store(folder, 32);
    assert_int_equal(store_expire(s, &p, DAY(101), &out, &e), 0);      /* once */
    while (store_expire(s, &p, DAY(201), &out, &e) == 1)
        continue;
    assert_int_equal(found(folder, "even"), 0);
    assert_int_equal(found(folder, "odd"), 60);        /* 50 of day 1, and 10 of day 0 for user3 */
    assert_int_equal(found(folder, "user.name:user3"), 20);
    while (store_expire(s, &p, DAY(401), &out, &e) == 1)
        continue;
    assert_int_equal(found(folder, ""), 0);
    assert_int_equal(out.events, 200);
    sound(folder);
    store_close(&s);
    query_free(&odd);
    query_free(&user3);
    folder_remove(folder);
}

static void test_a_part_of_which_nothing_stays_goes_and_one_of_which_all_stays_is_not_written_again(void **state)
{
    struct query *all = query_of("event"), *none = query_of("nobody");
    struct store_term longer = { all, 200 };
    struct store_policy p = { .days = 100, .longer = &longer, .longer_count = 1, .fast_days = 62 };
    struct store_expired out = { 0 };
    struct store_report before, after;
    char folder[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = fill(folder, 1, 50);
    assert_int_equal(store_verify(folder, &before, NULL, NULL, &e), 0);
    while (store_expire(s, &p, DAY(150), &out, &e) == 1)
        continue;
    assert_int_equal(out.events, 0);
    assert_int_equal(found(folder, ""), 50);
    assert_int_equal(store_verify(folder, &after, NULL, NULL, &e), 0);
    assert_string_equal(before.chain_hex, after.chain_hex);
    longer = (struct store_term){ none, 220 };
    while (store_expire(s, &p, DAY(205), &out, &e) == 1)
        continue;
    assert_int_equal(found(folder, ""), 50);           /* it was looked at for 100 days already; the term of all events has not changed */
    longer.days = 204;
    while (store_expire(s, &p, DAY(206), &out, &e) == 1)
        continue;
    assert_int_equal(found(folder, ""), 0);
    sound(folder);
    store_close(&s);
    query_free(&all);
    query_free(&none);
    folder_remove(folder);
}

/* --- the archive --- */

static void move_all(struct store *s, const struct store_policy *p, time_ns now)
{
    uint64_t bytes;
    struct err e;
    int rc;

    while ((rc = store_archive_move(s, p, now, &bytes, &e)) == 1)
        continue;
    must(rc, &e);
}

static size_t parts_in(const char *folder, const char *archive)
{
    struct store_day *list;
    struct store_sum sum;
    size_t count;
    struct err e;

    (void)archive;
    must(store_days(folder, &list, &count, &sum, &e), &e);
    free(list);
    return sum.archived_parts;
}

static void test_older_parts_lie_in_the_archive_and_are_found_there(void **state)
{
    struct store_policy p = { .days = 1096, .fast_days = 5 };
    struct store_expired out = { 0 };
    char folder[64], archive[64], away[80], path[PATH_BYTES], root[PATH_BYTES];
    struct store_stats stats;
    static struct hits h;
    struct store *s;
    struct err e;
    uint64_t bytes;

    (void)state;
    folder_make(folder);
    folder_make(archive);
    snprintf(away, sizeof away, "%s.away", archive);
    s = fill(folder, 10, 20);
    must(store_archive_set(s, archive, &e), &e);
    assert_int_equal(store_archive_move(s, &p, DAY(5), &bytes, &e), 0);
    move_all(s, &p, DAY(9));
    assert_int_equal(parts_in(folder, archive), 4);
    assert_int_equal(found(folder, ""), 200);
    part_path(folder, 20000, 1, path);
    assert_int_not_equal(access(path, F_OK), 0);
    part_path(archive, 20000, 1, path);
    assert_int_equal(access(path, F_OK), 0);
    sound(folder);
    /* The disk is away: nothing is written into its place, what is near is found, what is not is counted. */
    assert_int_equal(rename(archive, away), 0);
    assert_int_equal(mkdir(archive, 0750), 0);
    assert_int_equal(store_archive_move(s, &p, DAY(10), &bytes, &e), -ENOTCONN);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, &stats), 0);
    assert_int_equal(h.count, 120);
    assert_int_equal(stats.damaged_parts, 4);
    store_close(&s);
    s = open_store(folder, 32);        /* opening without it forgets nothing */
    assert_int_equal(store_archive_set(s, archive, &e), -EBUSY);
    assert_int_equal(rmdir(archive), 0);
    assert_int_equal(rename(away, archive), 0);
    assert_int_equal(found(folder, ""), 200);
    /* Their term ends there too. */
    while (store_expire(s, &p, DAY(1098), &out, &e) == 1 && out.days < 2)
        continue;
    assert_int_equal(found(folder, ""), 160);
    part_path(archive, 20000, 1, path);
    assert_int_not_equal(access(path, F_OK), 0);
    sound(folder);
    store_close(&s);
    snprintf(root, sizeof root, "%s/archive", folder);
    unlink(root);
    folder_remove(folder);
    folder_remove(archive);
}

static void test_a_part_that_is_damaged_stays_where_it_is(void **state)
{
    struct store_policy p = { .days = 1096, .fast_days = 2 };
    char folder[64], archive[64], path[PATH_BYTES];
    struct store *s;
    struct err e;
    uint64_t bytes;
    FILE *f;

    (void)state;
    folder_make(folder);
    folder_make(archive);
    s = fill(folder, 2, 20);
    must(store_archive_set(s, archive, &e), &e);
    part_path(folder, 20000, 1, path);
    f = fopen(path, "r+e");
    assert_non_null(f);
    fseek(f, 60, SEEK_SET);
    fputc(0x55, f);
    fclose(f);
    assert_int_equal(store_archive_move(s, &p, DAY(10), &bytes, &e), -EBADMSG);
    move_all(s, &p, DAY(10));          /* the next one goes */
    assert_int_equal(parts_in(folder, archive), 1);
    assert_int_equal(access(path, F_OK), 0);
    part_path(archive, 20000, 1, path);
    assert_int_not_equal(access(path, F_OK), 0);
    store_close(&s);
    folder_remove(folder);
    folder_remove(archive);
}

static void test_the_archive_of_another_store_is_refused(void **state)
{
    char a[64], b[64], archive[64];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(a);
    folder_make(b);
    folder_make(archive);
    s = open_store(a, 8);
    must(store_archive_set(s, archive, &e), &e);
    must(store_archive_set(s, archive, &e), &e);
    store_close(&s);
    s = open_store(b, 8);
    assert_int_equal(store_archive_set(s, archive, &e), -EINVAL);
    store_close(&s);
    folder_remove(a);
    folder_remove(b);
    folder_remove(archive);
}

/* --- kill -9 --- */

static void worker(const char *folder, const char *archive, int progress)
{
    struct query *odd = query_of("odd");
    struct store_term longer = { odd, 60 };
    struct store_policy p = { .days = 20, .longer = &longer, .longer_count = 1, .fast_days = 3 };
    struct store *s = open_store(folder, 32);
    struct store_expired out = { 0 };
    struct err e;
    uint64_t bytes;

    if (store_archive_set(s, archive, &e) < 0)
        _exit(2);
    for (int day = 4;; day++) {
        int moved = 1, gone = 1;

        while (moved == 1 || gone == 1) {
            moved = store_archive_move(s, &p, DAY(day), &bytes, &e);
            if (write(progress, "m", 1) != 1 || moved < 0)
                _exit(3);
            gone = store_expire(s, &p, DAY(day), &out, &e);
            if (write(progress, "e", 1) != 1 || gone < 0)
                _exit(4);
        }
        if (day == 60)   /* the last day on which no odd event may go */
            _exit(0);
    }
}

static bool killed(const char *folder, const char *archive, unsigned steps)
{
    int ends[2], status;
    char step;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        worker(folder, archive, ends[1]);
    }
    close(ends[1]);
    while (steps-- && read(ends[0], &step, 1) == 1)
        continue;
    kill(child, SIGKILL);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

/* files_of - parts on disk below a folder, and other files beside them. */
static size_t files_of(const char *folder, const char *ending)
{
    size_t n = 0;
    DIR *top = opendir(folder);
    struct dirent *d, *f;

    while (top && (d = readdir(top)) != NULL) {
        char path[PATH_BYTES];

        if (strlen(d->d_name) != 8)
            continue;
        snprintf(path, sizeof path, "%.3000s/%.8s", folder, d->d_name);
        DIR *inner = opendir(path);
        while (inner && (f = readdir(inner)) != NULL)
            n += str_ends(str_c(f->d_name), str_c(ending));
        if (inner)
            closedir(inner);
    }
    if (top)
        closedir(top);
    return n;
}

static void test_killed_while_parts_move_and_go_every_event_that_has_a_term_is_there_once(void **state)
{
    char folder[64], archive[64];
    uint32_t random = 20261127;
    bool more = true;

    (void)state;
    folder_make(folder);
    folder_make(archive);
    struct store *s = fill(folder, 24, 40);
    store_close(&s);
    for (int round = 0; round < 40 && more; round++) {
        struct store_day *list;
        struct store_sum sum;
        size_t count;
        struct err e;

        random = random * 1664525u + 1013904223u;
        more = killed(folder, archive, 1 + random % 9);
        /* As it lies there: odd events have the longer term, and none of their days is over for the clock of the worker, even where it came to its end before the signal. */
        assert_int_equal(found(folder, "odd"), 24 * 20);
        sound(folder);
        s = open_store(folder, 32);
        must(store_days(folder, &list, &count, &sum, &e), &e);
        free(list);
        assert_int_equal(files_of(folder, ".part"), sum.parts - sum.archived_parts);
        assert_int_equal(files_of(archive, ".part"), sum.archived_parts);
        assert_int_equal(files_of(archive, ".copy"), 0);
        store_close(&s);
    }
    /* On a slow machine none of forty may have come to its end: this one may. */
    if (more)
        assert_false(killed(folder, archive, UINT_MAX));
    sound(folder);
    assert_int_equal(found(folder, "odd"), 24 * 20);
    assert_true(found(folder, "even") < 24 * 20);
    folder_remove(folder);
    folder_remove(archive);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_goes_when_its_term_is_over_and_not_before),
        cmocka_unit_test(test_what_has_a_longer_term_stays_and_the_others_of_its_day_go),
        cmocka_unit_test(test_a_part_of_which_nothing_stays_goes_and_one_of_which_all_stays_is_not_written_again),
        cmocka_unit_test(test_older_parts_lie_in_the_archive_and_are_found_there),
        cmocka_unit_test(test_a_part_that_is_damaged_stays_where_it_is),
        cmocka_unit_test(test_the_archive_of_another_store_is_refused),
        cmocka_unit_test(test_killed_while_parts_move_and_go_every_event_that_has_a_term_is_there_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
