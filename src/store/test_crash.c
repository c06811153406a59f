/* test_crash.c - a writer of journal and store is killed (SIGKILL) at random points of its work, round after round; each time every committed
 * event is found exactly once, and in the end too, by parts alone. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/journal.h"
#include "store/testing.h"

#define ROUNDS 25

static void journal_put(struct journal *j, size_t count)
{
    struct event_batch b;
    uint64_t from = journal_next_seq(j);

    event_batch_init(&b, 0);
    for (uint64_t n = from; n < from + count; n++)
        put_event(&b, n, DAY_A + (time_ns)(n / 500) * NS_PER_DAY + (time_ns)n, 0);
    if (journal_append(j, b.items, b.count, (struct journal_origin){ 0 }, NULL, NULL) != 0 || journal_commit(j, NULL) < 0)
        _exit(3);
    event_batch_free(&b);
}

/* worker - append, take into the store, seal, merge, cut, for ever; a byte goes to progress at every step. */
static void worker(const char *folder, const char *log, int progress)
{
    struct store_options o = { .block_events = 8, .seal_after_ns = 1 };
    struct journal_reader *r;
    struct event_batch b;
    struct journal *j;
    struct store *s;

    if (journal_open(log, 8192, &j, NULL) < 0 || store_open(folder, &o, &s, NULL) < 0 || journal_reader_open(log, store_next_seq(s), &r, NULL) < 0)
        _exit(2);
    event_batch_init(&b, 0);
    for (unsigned turn = 0;; turn++) {
        journal_put(j, 1 + turn % 13);
        if (write(progress, "a", 1) != 1)
            _exit(0);
        while (journal_reader_next(r, &b, NULL, NULL) > 0)
            if (store_add(s, b.items, b.count, DAY_A, NULL) < 0)
                _exit(4);
        if (write(progress, "b", 1) != 1 || store_tick(s, DAY_A + 3 * NS_PER_DAY + turn, NULL) < 0)
            _exit(5);
        if (write(progress, "c", 1) != 1 || journal_cursor_set(log, "index", store_sealed_seq(s), NULL) < 0 ||
            journal_cut(log, UINT64_MAX, NULL, NULL) < 0)
            _exit(6);
    }
}

/* killed_round - a writer lives for so many steps. The kill meets it wherever it is by then. */
static void killed_round(const char *folder, const char *log, unsigned steps)
{
    int pipe_ends[2], status;
    char step;
    pid_t child;

    assert_int_equal(pipe(pipe_ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        worker(folder, log, pipe_ends[1]);
        _exit(7);
    }
    close(pipe_ends[1]);
    while (steps-- && read(pipe_ends[0], &step, 1) == 1)
        continue;
    kill(child, SIGKILL);
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* exactly_once - what the store and the tail hold together are the numbers from 1 to the last committed one. */
static void exactly_once(const char *folder, const char *log)
{
    static struct hits h;
    struct store_stats stats;
    uint64_t end = journal_committed_seq(log);
    struct store_report report;
    struct err e;

    assert_int_equal(find((struct store_search){ .store_folder = folder, .journal_folder = log, .oldest_first = true }, "", &h, &stats), 0);
    assert_false(h.mixed);
    assert_int_equal(stats.damaged_parts, 0);
    assert_true(h.count + 1 >= end);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i], i + 1);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
}

static void test_killed_at_random_every_committed_event_is_found_exactly_once(void **state)
{
    char folder[64], store[PATH_BYTES], log[PATH_BYTES];
    uint32_t random = 20261124;
    static struct hits h;
    struct journal_reader *r;
    struct event_batch b;
    struct journal *j;
    struct store *s;
    struct err e;
    uint64_t end;

    (void)state;
    folder_make(folder);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(log, sizeof log, "%s/journal", folder);
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        killed_round(store, log, 1 + random % 120);
        /* First as it lies there, as a search beside a dead daemon would see it; then after recovery. */
        exactly_once(store, log);
        assert_int_equal(journal_open(log, 8192, &j, &e), 0);
        journal_close(&j);
        exactly_once(store, log);
    }
    s = open_store(store, 8);
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(log, store_next_seq(s), &r, &e), 0);
    while (journal_reader_next(r, &b, NULL, &e) > 0)
        assert_int_equal(store_add(s, b.items, b.count, DAY_A, &e), 0);
    assert_int_equal(store_seal(s, &e), 0);
    end = journal_committed_seq(log);
    assert_int_equal(store_sealed_seq(s), end);
    assert_int_equal(find((struct store_search){ .store_folder = store, .oldest_first = true }, "", &h, NULL), 0);
    assert_int_equal(h.count, end - 1);
    assert_true(h.count > 1000);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(h.seq[i], i + 1);
    journal_reader_close(&r);
    event_batch_free(&b);
    store_close(&s);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_random_every_committed_event_is_found_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
