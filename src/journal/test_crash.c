/* test_crash.c - a writer killed with SIGKILL at random moments, twenty times, while a reader follows: every acknowledged batch is
 * there exactly once, and the numbering sender loses and repeats nothing. A full disk is refused and forgiven. */
#include "journal/testing.h"

#include <sys/syscall.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 20

/* writer - number batches from *told + 1 on; tell each acknowledged number through the pipe. Never returns. */
static void writer(const char *folder, int tell)
{
    struct journal *j = open_journal(folder, 20000);
    uint64_t n = journal_origin_seq(j, STR("sender"));

    for (;;) {
        n++;
        if (put(j, n * 2 - 1, 2, (struct journal_origin){ STR("sender"), n }) < 0 || journal_commit(j, NULL) < 0)
            _exit(3);
        if (write(tell, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(4);
    }
}

static uint64_t one_round(const char *folder, unsigned microseconds)
{
    struct timespec t = { 0, (long)microseconds * 1000 };
    uint64_t told, last = 0;
    int pipe_fd[2];
    pid_t pid;

    assert_int_equal(pipe(pipe_fd), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pipe_fd[0]);
        writer(folder, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    assert_int_equal(read(pipe_fd[0], &last, sizeof last), sizeof last); /* it runs */
    nanosleep(&t, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(pipe_fd[0], &told, sizeof told) == (ssize_t)sizeof told)
        last = told;
    close(pipe_fd[0]);
    return last;
}

static void killed_writers_lose_and_repeat_nothing(void **state)
{
    struct journal_reader *r;
    struct event_batch b;
    uint64_t acknowledged = 0, expected = 1;
    unsigned seed = 20261124;
    char folder[64];

    (void)state;
    folder_make(folder);
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(folder, 0, &r, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t last = one_round(folder, (unsigned)rand_r(&seed) % 12000);

        assert_true(last > acknowledged);
        acknowledged = last;
        while (journal_reader_next(r, &b, NULL, NULL) > 0)
            for (size_t i = 0; i < b.count; i++, expected++)
                assert_true(number_of(&b.items[i]) == expected && b.items[i].seq == expected);
    }
    struct journal *j = open_journal(folder, 20000); /* what was whole but not yet promised becomes visible */
    while (journal_reader_next(r, &b, NULL, NULL) > 0)
        for (size_t i = 0; i < b.count; i++, expected++)
            assert_true(number_of(&b.items[i]) == expected);
    assert_true(expected > acknowledged * 2);
    journal_close(&j);
    journal_reader_close(&r);
    event_batch_free(&b);
    struct journal_report report;
    assert_int_equal(journal_verify(folder, &report, NULL, NULL, NULL), 0);
    assert_true(report.events == expected - 1);
    folder_remove(folder);
}

static void no_space_is_refused_and_forgiven(void **state)
{
    struct rlimit limit = { 4000, RLIM_INFINITY }, old;
    char folder[64];
    uint64_t n = 1;

    (void)state;
    folder_make(folder);
    signal(SIGXFSZ, SIG_IGN);
    struct journal *j = open_journal(folder, 0);
    getrlimit(RLIMIT_FSIZE, &old);
    limit.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
    while (put(j, n, 1, (struct journal_origin){ 0 }) == 0)
        n++;
    assert_true(n > 5);
    assert_int_equal(journal_commit(j, NULL), 0);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(put(j, n, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    struct journal_report report;
    assert_int_equal(journal_verify(folder, &report, NULL, NULL, NULL), 0);
    assert_true(report.events == n);
    folder_remove(folder);
}

/* The program's fdatasync, for the library too. */
static bool sync_fails;
int fdatasync(int fd)
{
    if (!sync_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

static void a_failed_sync_promises_nothing(void **state)
{
    char folder[64];
    struct journal_report report;

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 0);
    assert_int_equal(put(j, 1, 1, (struct journal_origin){ STR("a"), 1 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    assert_int_equal(put(j, 2, 2, (struct journal_origin){ STR("a"), 2 }), 0);
    sync_fails = true;
    assert_int_equal(journal_commit(j, NULL), -EIO);
    sync_fails = false;
    assert_int_equal(journal_commit(j, NULL), -EIO);    /* not by asking again */
    journal_close(&j);
    /* The pages may be in memory alone: the batch counts as never seen, and is taken from its sender again. */
    j = open_journal(folder, 0);
    assert_true(journal_next_seq(j) == 2 && journal_origin_seq(j, STR("a")) == 1);
    assert_int_equal(put(j, 2, 2, (struct journal_origin){ STR("a"), 2 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_int_equal(journal_verify(folder, &report, NULL, NULL, NULL), 0);
    assert_true(report.events == 3);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_writers_lose_and_repeat_nothing),
        cmocka_unit_test(no_space_is_refused_and_forgiven),
        cmocka_unit_test(a_failed_sync_promises_nothing),
    };

    return cmocka_run_group_tests_name("journal crash", tests, NULL, NULL);
}
