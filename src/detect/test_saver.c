/* test_saver.c - the state written beside the loop: a disk that is slow, full or broken while events go on, and kills at each point of a write.
 *
 * The program's fsync is the one below: it stands still, fails or is killed at for the file that a test names. So what comes before what is seen, not timed. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detect/inside.h"
#include "detect/test_place.h"

enum at_gate { PASS, HOLD, FAIL };

/* Behind the lock. which: the end of a path; whatever ends otherwise passes. */
static struct gate {
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    enum at_gate    what;
    const char     *which;
    int             error;
    unsigned        reached;
    char            order[512];    /* s: the state, c: the cursor, each as it began, capital as it ended */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static void note_order(char c)
{
    size_t n = strlen(gate.order);

    if (n + 1 < sizeof gate.order)
        gate.order[n] = c;
}

int fsync(int fd)
{
    char link[64], path[4096];
    enum at_gate what;
    ssize_t n;
    int rc, error = 0;
    char of;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    of = ends(path, "detect.state.tmp") ? 's' : ends(path, "cursors/detect.tmp") ? 'c' : 0;
    pthread_mutex_lock(&gate.lock);
    if (of)
        note_order(of);
    what = gate.which && ends(path, gate.which) ? gate.what : PASS;
    if (what != PASS) {
        gate.reached++;
        error = gate.error;
        pthread_cond_broadcast(&gate.moved);
    }
    while (what == HOLD && gate.what == HOLD)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    rc = what == FAIL ? -1 : (int)syscall(SYS_fsync, fd);
    if (of) {
        pthread_mutex_lock(&gate.lock);
        note_order((char)(of - 'a' + 'A'));
        pthread_mutex_unlock(&gate.lock);
    }
    if (what == FAIL)
        errno = error;
    return rc;
}

static void set_gate(enum at_gate what, const char *which, int error)
{
    pthread_mutex_lock(&gate.lock);
    gate.what = what;
    gate.which = which;
    gate.error = error;
    gate.reached = 0;
    memset(gate.order, 0, sizeof gate.order);
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

static unsigned reached(void)
{
    unsigned n;

    pthread_mutex_lock(&gate.lock);
    n = gate.reached;
    pthread_mutex_unlock(&gate.lock);
    return n;
}

/* --- what is on disk --- */

static uint64_t cursor_of(const struct place *p)
{
    uint64_t seq = 0;
    struct err e;

    assert_int_equal(journal_cursor_get(p->journal, DETECT_CURSOR, &seq, &e), 0);
    return seq;
}

/* state_of - where the state ends that is on disk; 0: there is none. */
static uint64_t state_of(const struct place *p)
{
    AUTO_BUF struct buf b;
    struct str parts[STATE_PARTS];
    uint64_t seq = 0;
    struct err e;

    buf_init(&b, DETECT_STATE_MAX);
    assert_true(state_file_read(p->state, &b, &seq, parts, &e) >= 0);
    return seq;
}

static const char rules_text[] =
    "title: all\nid: all\nlogsource: {}\ndetection: {s: {n: '*'}, condition: s}\n---\n"
    "title: base\nid: base\nname: base\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
    "title: many\nid: many\ncorrelation: {type: event_count, rules: [base], group-by: [user], timespan: 1m, condition: {gte: 5}}\n";

static struct detect *open_watched(const struct place *p)
{
    struct err e;
    struct detect *d = open_detect(p, p->rules, &e);

    assert_int_equal(detect_watch(d, &e), 0);
    return d;
}

/* run_out - all events that there are. */
static void run_out(struct detect *d)
{
    struct err e;
    int n;

    while ((n = detect_step(d, 0, &e)) > 0)
        ;
    if (n < 0)
        fail_msg("%s", e.text);
}

/* run_until_reached - steps until the gate was reached so often. */
static void run_until_reached(struct detect *d, unsigned times)
{
    struct err e;

    for (int i = 0; i < 3000 && reached() < times; i++)
        if (detect_step(d, 10, &e) < 0)
            fail_msg("%s", e.text);
    assert_true(reached() >= times);
}

static void run_until_saved(const struct place *p, struct detect *d)
{
    struct err e;

    for (int i = 0; i < 3000 && cursor_of(p) != detect_seq(d); i++)
        assert_true(detect_step(d, 10, &e) >= 0);
    assert_int_equal(cursor_of(p), detect_seq(d));
}

static size_t found(const struct place *p)
{
    AUTO_BUF struct buf out;

    buf_init(&out, 0);
    return read_findings(p, &out);
}

/* --- a slow disk --- */

static void events_go_on_while_the_state_is_written(void **state)
{
    struct place p;
    uint32_t random = 3;

    (void)state;
    place_make(&p);
    p.slice = 40;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    struct detect *d = open_watched(&p);
    set_gate(HOLD, "detect.state.tmp", 0);
    run_until_reached(d, 1);
    run_out(d);
    uint64_t before = detect_seq(d);
    size_t then = found(&p);
    fill(&p, 1000, 30, &random);
    run_out(d);
    assert_true(detect_seq(d) > before + 30);
    assert_true(found(&p) >= then + detect_seq(d) - before);   /* committed, each of them */
    assert_true(reached() == 1 && state_of(&p) == 0 && cursor_of(&p) == 1);
    set_gate(PASS, NULL, 0);
    run_until_saved(&p, d);
    assert_int_equal(state_of(&p), detect_seq(d));
    detect_close(&d);
    place_remove(&p);
}

static void the_cursor_waits_for_the_file(void **state)
{
    struct place p;
    uint32_t random = 4;
    struct err e;

    (void)state;
    place_make(&p);
    p.slice = 40;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    struct detect *d = open_watched(&p);
    set_gate(HOLD, "cursors/detect.tmp", 0);
    run_until_reached(d, 1);
    assert_true(state_of(&p) > 1 && cursor_of(&p) == 1);   /* the file is there, the cursor not yet moved */
    set_gate(PASS, NULL, 0);
    run_until_saved(&p, d);
    assert_int_equal(detect_stop(d, &e), 0);
    detect_close(&d);
    place_remove(&p);
}

static void *let_pass(void *arg)
{
    (void)arg;
    usleep(20000);   /* the stop has begun to wait, or has not: either way it comes after what is under way */
    pthread_mutex_lock(&gate.lock);
    gate.what = PASS;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
    return NULL;
}

static void a_stop_waits_for_what_is_under_way(void **state)
{
    struct place p;
    uint32_t random = 5;
    pthread_t other;
    struct err e;

    (void)state;
    place_make(&p);
    p.slice = 40;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    struct detect *d = open_watched(&p);
    set_gate(HOLD, "detect.state.tmp", 0);
    run_until_reached(d, 1);
    run_out(d);
    assert_int_equal(pthread_create(&other, NULL, let_pass, NULL), 0);
    assert_int_equal(detect_stop(d, &e), 0);
    pthread_join(other, NULL);
    pthread_mutex_lock(&gate.lock);
    assert_string_equal(gate.order, "sScCsScC");   /* one after the other: what was under way, then the last */
    pthread_mutex_unlock(&gate.lock);
    assert_true(state_of(&p) == detect_seq(d) && cursor_of(&p) == detect_seq(d));
    set_gate(PASS, NULL, 0);
    detect_close(&d);
    place_remove(&p);
}

/* --- slices --- */

/* begin_saving - when all events were looked at: there are groups for several slices. */
static void begin_saving(struct detect *d)
{
    struct err e;

    d->c.checkpoint_ms = 3600000;
    run_out(d);
    d->c.checkpoint_ms = 1;
    for (int i = 0; i < 3000 && !d->putting; i++)
        assert_true(detect_step(d, 1, &e) >= 0);
    assert_non_null(d->putting);
}

static void events_go_on_between_slices(void **state)
{
    struct place p;
    uint32_t random = 13;
    uint64_t seq;
    struct err e;

    (void)state;
    place_make(&p);
    p.slice = 1;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    struct detect *d = open_detect(&p, p.rules, &e);
    begin_saving(d);
    seq = d->putting->seq;
    fill(&p, 1000, 3, &random);
    assert_true(detect_step(d, 0, &e) > 0 && d->putting && detect_seq(d) > seq && cursor_of(&p) == 1);
    for (int i = 0; i < 3000 && d->putting; i++)
        assert_true(detect_step(d, 0, &e) >= 0);
    assert_true(state_of(&p) == seq && cursor_of(&p) == seq);   /* of the moment of the beginning, though events came since */
    detect_close(&d);
    d = open_detect(&p, p.rules, &e);
    assert_true(detect_seq(d) == seq && !*detect_note(d));
    detect_close(&d);
    place_remove(&p);
}

static void other_rules_and_a_stop_give_up_a_state_half_put_together(void **state)
{
    struct place p;
    uint32_t random = 14;
    struct err e;

    (void)state;
    place_make(&p);
    p.slice = 1;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    struct detect *d = open_detect(&p, p.rules, &e);
    begin_saving(d);
    write_rule(&p, "s.yml", "title: s\nid: s\nlogsource: {}\ndetection: {s: {a: b}, condition: s}\n");
    assert_int_equal(detect_reload(d, true, NULL, NULL, &e), 1);
    assert_true(!d->putting && state_of(&p) == 0);
    begin_saving(d);
    assert_int_equal(detect_stop(d, &e), 0);
    assert_true(!d->putting && state_of(&p) == detect_seq(d) && cursor_of(&p) == detect_seq(d));
    detect_close(&d);
    d = open_detect(&p, p.rules, &e);
    assert_false(*detect_note(d));
    detect_close(&d);
    place_remove(&p);
}

/* --- a full disk, a broken one --- */

static void a_full_disk_is_told_and_tried_again(void **state)
{
    struct place p;
    uint32_t random = 6;
    struct metrics *m = calloc(1, sizeof *m);
    const char *paths[] = { p.rules };
    struct detect_config c = { .journal = p.journal, .findings = p.findings, .state_file = p.state, .rules = paths, .rule_count = 1, .checkpoint_ms = 1, .metrics = m };
    struct detect *d = NULL;
    AUTO_BUF struct buf text;
    struct err e;

    (void)state;
    buf_init(&text, 0);
    place_make(&p);
    p.slice = 40;
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 20, &random);
    assert_true(m && detect_open(&c, NULL, NULL, &d, &e) == 0 && detect_watch(d, &e) == 0);
    set_gate(FAIL, "detect.state.tmp", ENOSPC);
    run_until_reached(d, 3);
    fill(&p, 1000, 20, &random);
    run_out(d);
    assert_true(state_of(&p) == 0 && cursor_of(&p) == 1);
    assert_int_equal(found(&p) >= detect_seq(d) - 1, 1);
    set_gate(PASS, NULL, 0);
    run_until_saved(&p, d);
    assert_true(metric_get(d->metric[M_UNSAVED]) >= 2);
    assert_int_equal(state_of(&p), detect_seq(d));
    detect_close(&d);
    free(m);
    place_remove(&p);
}

static void a_broken_disk_stops_detection_and_a_restart_goes_on(void **state)
{
    struct place p, whole;
    AUTO_BUF struct buf want, got;
    uint32_t random = 7, again = 7;
    struct err e = { 0 };
    int rc = 0;

    (void)state;
    buf_init(&want, 0);
    buf_init(&got, 0);
    place_make(&p);
    place_make(&whole);
    write_rule(&p, "r.yml", rules_text);
    write_rule(&whole, "r.yml", rules_text);
    fill(&p, 0, 40, &random);
    fill(&whole, 0, 40, &again);
    struct detect *d = open_watched(&p);
    set_gate(FAIL, "detect.state.tmp", EIO);
    for (int i = 0; i < 3000 && rc >= 0; i++)
        rc = detect_step(d, 10, &e);
    assert_int_equal(rc, -EIO);
    assert_non_null(strstr(e.text, "detect.state"));
    assert_int_equal(cursor_of(&p), 1);
    set_gate(PASS, NULL, 0);
    detect_close(&d);
    run_to_end(&p);
    run_to_end(&whole);
    assert_true(read_findings(&whole, &want) == read_findings(&p, &got) && str_eq(buf_view(&want), buf_view(&got)));
    place_remove(&p);
    place_remove(&whole);
}

/* --- kills --- */

/* killed_at - a child that is killed while its thread stands at the file, and its loop has gone on to the end. */
static void killed_at(const struct place *p, const char *which)
{
    int pipes[2], status = 0;
    pid_t child;
    char c;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct detect *d = open_watched(p);

        set_gate(HOLD, which, 0);
        run_until_reached(d, 1);
        run_out(d);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipes[1]);
    CHECK(which, read(pipes[0], &c, 1) == 1);
    close(pipes[0]);
    kill(child, SIGKILL);
    assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

static void killed_at_each_point_of_a_write_the_findings_are_the_same(void **state)
{
    AUTO_BUF struct buf want, got;
    struct place whole, torn;
    uint32_t random = 9, again = 9;
    /* Put together and not written; renamed, the folder not synced; on disk, the cursor not moved; moved, and not told. */
    const char *points[] = { "detect.state.tmp", torn.root, "cursors/detect.tmp", "journal/cursors" };

    (void)state;
    buf_init(&want, 0);
    buf_init(&got, 0);
    place_make(&whole);
    place_make(&torn);
    torn.slice = 1;
    write_rule(&whole, "r.yml", rules_text);
    write_rule(&torn, "r.yml", rules_text);
    for (unsigned round = 0; round < 3 * COUNT(points); round++) {
        fill(&whole, round * 300, 20, &random);
        fill(&torn, round * 300, 20, &again);
        killed_at(&torn, points[round % COUNT(points)]);
        CHECK(points[round % COUNT(points)], cursor_of(&torn) <= (state_of(&torn) ? state_of(&torn) : 1));
    }
    run_to_end(&whole);
    run_to_end(&torn);
    read_findings(&whole, &want);
    read_findings(&torn, &got);
    assert_true(str_find(buf_view(&want), STR("\"rule.id\":\"many\"")) > 0);
    assert_true(str_eq(buf_view(&want), buf_view(&got)));
    place_remove(&whole);
    place_remove(&torn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_go_on_while_the_state_is_written),
        cmocka_unit_test(the_cursor_waits_for_the_file),
        cmocka_unit_test(a_stop_waits_for_what_is_under_way),
        cmocka_unit_test(events_go_on_between_slices),
        cmocka_unit_test(other_rules_and_a_stop_give_up_a_state_half_put_together),
        cmocka_unit_test(a_full_disk_is_told_and_tried_again),
        cmocka_unit_test(a_broken_disk_stops_detection_and_a_restart_goes_on),
        cmocka_unit_test(killed_at_each_point_of_a_write_the_findings_are_the_same),
    };

    return cmocka_run_group_tests_name("saver", tests, NULL, NULL);
}
