/* test_holds.c - what a legal hold selects does not go, whatever its term; released, it goes as if it had never been held; and every removal leaves a line that the chain
 * proves. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/testing.h"

#define DAY(n) (DAY_A + (time_ns)(n) * NS_PER_DAY)

static void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%d: %s", rc, e->text);
}

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

static void tell(void *arg, const char *file, const char *reason)
{
    (void)arg;
    fprintf(stderr, "%s: %s\n", file, reason);
}

static void sound(const char *folder)
{
    struct store_report r;
    struct err e;

    assert_int_equal(store_verify(folder, &r, tell, NULL, &e), 0);
}

static void expire_all(struct store *s, const struct store_policy *p, time_ns now, struct store_expired *out)
{
    struct err e;
    int rc;

    while ((rc = store_expire(s, p, now, out, &e)) == 1)
        continue;
    must(rc, &e);
}

/* The log as numbers. */
struct log {
    struct store_dropped row[256];
    size_t               count;
};

static int take_row(void *arg, const struct store_dropped *d)
{
    struct log *l = arg;

    assert_true(l->count < COUNT(l->row));
    l->row[l->count++] = *d;
    return 0;
}

static struct log log_of(const char *folder)
{
    struct log l = { .count = 0 };
    uint64_t damaged;
    struct err e;

    must(store_dropped_each(folder, take_row, &l, &damaged, &e), &e);
    assert_int_equal(damaged, 0);
    return l;
}

static void test_what_a_hold_selects_stays_and_goes_when_the_hold_is_gone(void **state)
{
    struct query *user3 = query_of("user.name:user3"), *odd = query_of("odd");
    struct store_hold hold = { user3, INT64_MIN, INT64_MAX };
    struct store_term longer = { odd, 200 };
    struct store_policy p = { .days = 100, .fast_days = 62, .longer = &longer, .longer_count = 1, .hold = &hold, .hold_count = 1, .hold_mark = 7 };
    struct store_expired out = { 0 };
    char folder[64];
    struct store *s;

    (void)state;
    folder_make(folder);
    s = fill(folder, 3, 100);
    expire_all(s, &p, DAY(150), &out);
    assert_int_equal(found(folder, "even"), 0);                 /* user3 is odd: the longer term alone keeps it */
    assert_int_equal(found(folder, "odd"), 150);
    expire_all(s, &p, DAY(300), &out);
    assert_int_equal(found(folder, ""), 30);
    assert_int_equal(found(folder, "user.name:user3"), 30);
    sound(folder);
    store_close(&s);
    s = open_store(folder, 32);
    expire_all(s, &p, DAY(5000), &out);
    assert_int_equal(found(folder, "user.name:user3"), 30);     /* for as long as it is held */
    p.hold_count = 0;
    expire_all(s, &p, DAY(5000), &out);
    assert_int_equal(found(folder, ""), 0);
    assert_int_equal(out.events, 300);
    sound(folder);
    store_close(&s);
    query_free(&user3);
    query_free(&odd);
    folder_remove(folder);
}

/* A day on which others have a longer term: what a hold alone kept goes when it ends, not with the longest term. */
static void test_what_an_ended_hold_kept_has_its_own_term_again(void **state)
{
    struct query *user4 = query_of("user.name:user4"), *user6 = query_of("user.name:user6"), *odd = query_of("odd");
    struct store_hold hold[] = { { user4, INT64_MIN, INT64_MAX }, { user6, INT64_MIN, INT64_MAX } };
    struct store_term longer = { odd, 400 };
    struct store_policy p = { .days = 100, .fast_days = 62, .longer = &longer, .longer_count = 1, .hold = hold, .hold_count = 2, .hold_mark = 1 };
    struct store_expired out = { 0 };
    char folder[64];
    struct store *s;

    (void)state;
    folder_make(folder);
    s = fill(folder, 2, 100);
    expire_all(s, &p, DAY(150), &out);
    assert_int_equal(found(folder, "even"), 40);
    assert_int_equal(found(folder, "odd"), 100);
    p.hold_count = 1;
    p.hold_mark = 2;
    expire_all(s, &p, DAY(151), &out);
    assert_int_equal(found(folder, "even"), 20);
    assert_int_equal(found(folder, "user.name:user4"), 20);
    store_close(&s);
    s = open_store(folder, 32);
    p.hold_count = 0;
    expire_all(s, &p, DAY(152), &out);
    assert_int_equal(found(folder, "even"), 0);
    assert_int_equal(found(folder, "odd"), 100);
    sound(folder);
    store_close(&s);
    query_free(&user4);
    query_free(&user6);
    query_free(&odd);
    folder_remove(folder);
}

static void test_a_hold_of_a_range_of_time_keeps_its_days_alone(void **state)
{
    struct query *all = query_of("");
    struct store_hold hold = { all, DAY(1), DAY(2) };
    struct store_policy p = { .days = 10, .fast_days = 5, .hold = &hold, .hold_count = 1, .hold_mark = 9 };
    struct store_expired out = { 0 };
    char folder[64];
    struct store *s;

    (void)state;
    folder_make(folder);
    s = fill(folder, 4, 20);
    expire_all(s, &p, DAY(100), &out);
    assert_int_equal(found(folder, ""), 20);
    assert_int_equal(out.days, 3);
    assert_int_equal(out.events, 60);
    sound(folder);
    store_close(&s);
    query_free(&all);
    folder_remove(folder);
}

/* --- set while something goes --- */

static int changed(void *arg, struct err *e)
{
    (*(int *)arg)++;
    return err_set(e, -ESTALE, "the holds have changed");
}

static void test_a_hold_that_is_set_while_a_day_is_written_anew_stops_the_removal(void **state)
{
    struct query *odd = query_of("odd");
    struct store_term longer = { odd, 200 };
    int asked = 0;
    struct store_policy p = { .days = 100, .fast_days = 62, .longer = &longer, .longer_count = 1, .hold_enter = changed, .hold_arg = &asked };
    struct store_expired out = { 0 };
    char folder[64], day[PATH_BYTES];
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = fill(folder, 2, 30);
    assert_int_equal(store_expire(s, &p, DAY(150), &out, &e), -ESTALE);     /* a part written anew */
    assert_int_equal(store_expire(s, &p, DAY(500), &out, &e), -ESTALE);     /* whole days */
    assert_int_equal(asked, 2);
    assert_int_equal(out.events, 0);
    assert_int_equal(found(folder, ""), 60);
    assert_int_equal(log_of(folder).count, 0);
    day_path(folder, 20000, day);
    DIR *d = opendir(day);
    size_t files = 0;
    for (struct dirent *f; d && (f = readdir(d)) != NULL;)
        files += f->d_name[0] != '.';
    closedir(d);
    assert_int_equal(files, 1);                                             /* nothing half-written is left */
    p.hold_enter = NULL;
    expire_all(s, &p, DAY(150), &out);
    assert_int_equal(found(folder, ""), 30);
    sound(folder);
    store_close(&s);
    query_free(&odd);
    folder_remove(folder);
}

/* --- the log --- */

static void test_every_removal_has_a_line_that_the_chain_proves(void **state)
{
    struct query *odd = query_of("odd"), *user3 = query_of("user.name:user3");
    struct store_term longer = { odd, 200 };
    struct store_hold hold = { user3, INT64_MIN, INT64_MAX };
    struct store_policy p = { .days = 100, .fast_days = 62, .longer = &longer, .longer_count = 1 };
    struct store_expired out = { 0 };
    char folder[64], path[PATH_BYTES];
    AUTO_BUF struct buf b;
    struct store_report r;
    struct store *s;
    struct err e;
    struct log l;

    (void)state;
    buf_init(&b, 0);
    folder_make(folder);
    s = fill(folder, 2, 30);
    expire_all(s, &p, DAY(101), &out);
    p.hold = &hold;
    p.hold_count = 1;
    p.hold_mark = 3;
    expire_all(s, &p, DAY(201), &out);
    l = log_of(folder);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.row[0].rule, RULE_THINNED);
    assert_int_equal(l.row[0].day, 20000);
    assert_int_equal(l.row[0].term, 100);
    assert_int_equal(l.row[0].events, 15);
    assert_int_equal(l.row[0].kept, 15);
    assert_int_equal(l.row[0].held, 0);
    assert_int_equal(l.row[0].at, DAY(101));
    assert_int_equal(l.row[1].events + l.row[2].events, 27);
    assert_int_equal(l.row[1].held + l.row[2].held, 3);
    assert_int_equal(l.row[2].holds, 1);
    sound(folder);
    store_close(&s);
    /* A line that says less than went, and one that is taken out, are found. */
    snprintf(path, sizeof path, "%s/DROPPED", folder);
    must(file_read(path, MIB, &b, &e), &e);
    size_t first = (size_t)str_chr(buf_view(&b), '\n') + 1, second = first + (size_t)str_chr(str_cut(buf_view(&b), first), '\n') + 1;
    AUTO_BUF struct buf without;
    buf_init(&without, 0);
    buf_put(&without, b.p, first);
    buf_put(&without, b.p + second, b.n - second);
    must(file_write_quick(path, buf_view(&without), &e), &e);
    assert_int_equal(store_verify(folder, &r, NULL, NULL, &e), 1);
    b.p[first + 40] ^= 1;
    must(file_write_quick(path, buf_view(&b), &e), &e);
    assert_int_equal(store_verify(folder, &r, NULL, NULL, &e), 1);
    b.p[first + 40] ^= 1;
    must(file_write_quick(path, buf_view(&b), &e), &e);
    sound(folder);
    query_free(&odd);
    query_free(&user3);
    folder_remove(folder);
}

static void test_the_log_is_bounded_older_lines_become_their_sum(void **state)
{
    struct store_policy p = { .days = 1, .fast_days = 1 };
    struct store_expired out = { 0 };
    char folder[64], path[PATH_BYTES];
    AUTO_BUF struct buf b;
    struct store *s;
    struct err e;
    struct log l;

    (void)state;
    buf_init(&b, 0);
    folder_make(folder);
    s = fill(folder, 6, 10);
    assert_int_equal(store_expire(s, &p, DAY(3), &out, &e), 1);
    snprintf(path, sizeof path, "%s/DROPPED", folder);
    must(file_read(path, MIB, &b, &e), &e);
    size_t one = b.n;
    AUTO_BUF struct buf many;
    buf_init(&many, 0);
    while (many.n + one <= DROPPED_BYTES_MAX)   /* the same line as often as there is room for */
        buf_put(&many, b.p, one);
    must(file_write_quick(path, buf_view(&many), &e), &e);
    assert_int_equal(store_expire(s, &p, DAY(5), &out, &e), 1);
    buf_reset(&b);
    must(file_read(path, DROPPED_BYTES_MAX, &b, &e), &e);
    assert_true(b.n > one && b.n < DROPPED_BYTES_MAX / 2 + 4 * one);
    assert_non_null(strstr(b.p, " folded "));
    must(file_write_quick(path, STR(""), &e), &e);
    assert_int_equal(store_expire(s, &p, DAY(7), &out, &e), 1);
    l = log_of(folder);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.row[0].events, 20);
    store_close(&s);
    folder_remove(folder);
}

/* --- kill -9 --- */

static void worker(const char *folder, int progress)
{
    struct query *odd = query_of("odd"), *user4 = query_of("user.name:user4");
    struct store_term longer = { odd, 30 };
    struct store_hold hold = { user4, INT64_MIN, INT64_MAX };
    struct store_policy p = { .days = 10, .longer = &longer, .longer_count = 1, .fast_days = 3, .hold = &hold, .hold_count = 1, .hold_mark = 5 };
    struct store *s = open_store(folder, 32);
    struct store_expired out = { 0 };
    struct err e;

    for (int day = 4; day < 80; day++) {
        int rc = 1;

        while (rc == 1) {
            rc = store_expire(s, &p, DAY(day), &out, &e);
            if (rc < 0 || write(progress, "e", 1) != 1)
                _exit(4);
        }
    }
    _exit(0);
}

static bool killed(const char *folder, unsigned steps)
{
    int ends[2], status;
    char step;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        worker(folder, ends[1]);
    }
    close(ends[1]);
    while (steps-- && read(ends[0], &step, 1) == 1)
        continue;
    kill(child, SIGKILL);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static void test_killed_while_events_go_beside_held_ones_no_held_one_is_lost_and_the_log_agrees(void **state)
{
    uint32_t random = 20261128;
    bool more = true;
    char folder[64];
    struct store *s;
    struct err e;
    uint64_t gone = 0;
    struct log l;

    (void)state;
    folder_make(folder);
    s = fill(folder, 20, 40);
    store_close(&s);
    for (int round = 0; round < 60 && more; round++) {
        random = random * 1664525u + 1013904223u;
        more = killed(folder, 1 + random % 7);
        assert_int_equal(found(folder, "user.name:user4"), 20 * 4);
        sound(folder);
    }
    if (more)
        assert_false(killed(folder, UINT_MAX));
    assert_int_equal(found(folder, "user.name:user4"), 20 * 4);
    assert_int_equal(found(folder, ""), 20 * 4);
    sound(folder);
    l = log_of(folder);
    for (size_t i = 0; i < l.count; i++)
        gone += l.row[i].events;
    assert_int_equal(gone, 20 * 36);
    s = open_store(folder, 32);
    must(store_seal(s, &e), &e);
    store_close(&s);
    folder_remove(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_hold_selects_stays_and_goes_when_the_hold_is_gone),
        cmocka_unit_test(test_what_an_ended_hold_kept_has_its_own_term_again),
        cmocka_unit_test(test_a_hold_of_a_range_of_time_keeps_its_days_alone),
        cmocka_unit_test(test_a_hold_that_is_set_while_a_day_is_written_anew_stops_the_removal),
        cmocka_unit_test(test_every_removal_has_a_line_that_the_chain_proves),
        cmocka_unit_test(test_the_log_is_bounded_older_lines_become_their_sum),
        cmocka_unit_test(test_killed_while_events_go_beside_held_ones_no_held_one_is_lost_and_the_log_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
