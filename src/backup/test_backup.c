/* test_backup.c - a copy made while a node is written has every acknowledged event once, a second one copies what changed, and a kill at any moment leaves a whole copy. */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/internal.h"
#include "base/test.h"
#include "journal/journal.h"
#include "store/store.h"

#define DAY_A (INT64_C(20000) * NS_PER_DAY)

static void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%d: %s", rc, e->text);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st;
    (void)kind;
    (void)f;
    return remove(path);
}

static void folder_remove(const char *folder) { nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void folder_make(char out[64])
{
    snprintf(out, 64, "%s/saqshy-backup-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(out));
}

static const char *below(const char *folder, const char *tail)
{
    static char paths[8][PATH_BYTES];
    static size_t at;
    char *p = paths[at++ % COUNT(paths)];

    snprintf(p, PATH_BYTES, "%s/%s", folder, tail);
    return p;
}

static void put(const char *folder, const char *tail, const char *text)
{
    struct err e;
    char dir[PATH_BYTES];
    const char *path = below(folder, tail);

    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    must(file_mkdirs(dir, 0750, &e), &e);
    must(file_write_quick(path, str_c(text), &e), &e);
}

/* --- a node that is written --- */

struct node_at_work {
    struct journal *journal;
    struct store   *store;
    uint64_t        next;
};

static void node_open(struct node_at_work *n, const char *data)
{
    struct store_options o = { .block_events = 16 };
    struct err e;

    memset(n, 0, sizeof *n);
    must(journal_open(below(data, "journal"), 4096, &n->journal, &e), &e);
    must(store_open(below(data, "store"), &o, &n->store, &e), &e);
    n->next = journal_next_seq(n->journal);
}

static void node_close(struct node_at_work *n)
{
    journal_close(&n->journal);
    store_close(&n->store);
}

/* take - count events more, acknowledged; sealed: and as many of them as that into the store, whose journal is cut. */
static void take(struct node_at_work *n, const char *data, unsigned count, bool seal)
{
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    for (unsigned i = 0; i < count; i++) {
        struct event *ev = event_batch_add(&b);

        ev->seq = n->next + i;
        ev->received = ev->time = DAY_A + (time_ns)(ev->seq / 40) * NS_PER_DAY + (time_ns)ev->seq;
        ev->original = arena_printf(&b.arena, "event n%llu of a node", (unsigned long long)ev->seq);
    }
    must(journal_append(n->journal, b.items, b.count, (struct journal_origin){ 0 }, NULL, &e), &e);
    must(journal_commit(n->journal, &e), &e);
    n->next += count;
    if (seal) {
        struct journal_reader *r;
        struct event_batch got;
        int rc;

        event_batch_init(&got, 0);
        must(journal_reader_open(below(data, "journal"), store_next_seq(n->store), &r, &e), &e);
        while ((rc = journal_reader_next(r, &got, NULL, &e)) > 0)
            must(store_add(n->store, got.items, got.count, DAY_A, &e), &e);
        must(rc, &e);
        journal_reader_close(&r);
        event_batch_free(&got);
        must(store_seal(n->store, &e), &e);
        must(store_tick(n->store, DAY_A + 60 * NS_PER_DAY, &e), &e);
        must(journal_cursor_set(below(data, "journal"), "index", store_sealed_seq(n->store), &e), &e);
        must(journal_cut(below(data, "journal"), store_sealed_seq(n->store), NULL, &e), &e);
    }
    event_batch_free(&b);
}

/* --- what is found --- */

struct found {
    uint64_t seq[20000];
    size_t   count;
};

static int take_hit(void *arg, const struct event *ev)
{
    struct found *f = arg;
    char want[64];

    snprintf(want, sizeof want, "event n%llu of a node", (unsigned long long)ev->seq);
    assert_true(str_eq(ev->original, str_c(want)));
    assert_true(f->count < COUNT(f->seq));
    f->seq[f->count++] = ev->seq;
    return 0;
}

/* all_once - every event from 1 to last at least, each once. */
static void all_once(const char *data, uint64_t last)
{
    static struct found f;
    static bool seen[20000];
    struct store_search s = { .store_folder = below(data, "store"), .journal_folder = below(data, "journal"), .from = INT64_MIN, .to = INT64_MAX };
    struct store_stats stats;
    struct node_at_work n;
    struct query *q;
    struct err e;

    node_open(&n, data);        /* recovery, as saqshyd does it */
    node_close(&n);
    must(query_parse(STR(""), &q, &e), &e);
    s.query = q;
    f.count = 0;
    memset(seen, 0, sizeof seen);
    must(store_find(&s, take_hit, &f, &stats, &e), &e);
    assert_int_equal(stats.damaged_parts, 0);
    for (size_t i = 0; i < f.count; i++) {
        assert_true(f.seq[i] < COUNT(seen) && !seen[f.seq[i]]);
        seen[f.seq[i]] = true;
    }
    for (uint64_t i = 1; i <= last; i++)
        if (!seen[i])
            fail_msg("event %llu of %llu is lost", (unsigned long long)i, (unsigned long long)last);
    query_free(&q);
}

static void tell(void *arg, const char *file, const char *reason)
{
    (void)arg;
    fprintf(stderr, "%s: %s\n", file, reason);
}

static void complain(void *arg, const char *file, const char *reason)
{
    (void)file;
    (void)reason;
    if (arg)
        ++*(int *)arg;
}

static void sound(const char *data)
{
    struct store_report r;
    struct journal_report j;
    struct err e;

    assert_int_equal(store_verify(below(data, "store"), &r, tell, NULL, &e), 0);
    assert_int_equal(journal_verify(below(data, "journal"), &j, NULL, NULL, &e), 0);
}

static int count_of(void *arg, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(int *)arg = (int)strtol(values[0], NULL, 10);
    return 0;
}

static int rows_of(const char *data)
{
    sqlite3 *db = NULL;
    int n = -1;

    assert_int_equal(sqlite3_open_v2(below(data, "desk/desk.db"), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_exec(db, "SELECT count(*) FROM t", count_of, &n, NULL);
    sqlite3_close(db);
    return n;
}

static struct backup_facts make(const char *data, const char *target, bool keys, struct backup_progress *done)
{
    struct backup_options o = { .keys = keys, .warn = complain };
    struct backup_facts facts;
    struct err e;

    must(backup_make(data, target, &o, DAY_A, &facts, done, &e), &e);
    return facts;
}

static void restore(const char *target, const char *data)
{
    struct backup_options o = { .warn = complain };
    struct backup_progress done;
    struct backup_facts facts;
    struct err e;

    must(backup_restore(target, data, &o, &facts, &done, &e), &e);
}

/* --- tests --- */

static void test_a_node_comes_back_as_it_was_with_its_desk_and_without_its_keys(void **state)
{
    char data[64], target[64], back[64];
    struct backup_progress first, second;
    struct node_at_work n;
    sqlite3 *db = NULL;
    struct err e;
    int faults = 0;
    struct backup_options o = { .arg = &faults };
    struct backup_facts facts;

    (void)state;
    folder_make(data);
    folder_make(target);
    folder_make(back);
    assert_int_equal(mkdir(below(data, "desk"), 0750), 0);
    assert_int_equal(sqlite3_open(below(data, "desk/desk.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)", NULL, NULL, NULL), SQLITE_OK);
    put(data, "saqshyd.yaml", "node: a\n");
    put(data, "pki/server.key", "secret");
    put(data, "pki/server.pem", "public");
    put(data, "rules/own rule %.yml", "title: x\n");
    put(data, "run/ingest.json", "{}");
    node_open(&n, data);
    take(&n, data, 100, true);
    take(&n, data, 30, false);
    facts = make(data, target, false, &first);
    assert_int_equal(facts.acknowledged_seq, 131);
    restore(target, back);
    all_once(back, 130);
    sound(back);
    assert_int_equal(rows_of(back), 3);
    assert_int_equal(access(below(back, "rules/own rule %.yml"), F_OK), 0);
    assert_int_equal(access(below(back, "pki/server.pem"), F_OK), 0);
    assert_int_not_equal(access(below(back, "pki/server.key"), F_OK), 0);
    assert_int_not_equal(access(below(back, "run/ingest.json"), F_OK), 0);
    assert_int_not_equal(access(below(back, RESTORING), F_OK), 0);
    assert_int_equal(backup_restore(target, back, &o, &facts, &second, &e), -EINVAL);      /* it is not empty any more */
    /* What did not change is not written again; what did is. */
    make(data, target, false, &second);
    assert_int_equal(second.copied_files, 0);
    take(&n, data, 40, true);
    make(data, target, true, &second);
    assert_true(second.copied_files > 0 && second.copied_files < first.copied_files);
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 0);
    folder_remove(back);
    restore(target, back);
    all_once(back, 170);
    assert_int_equal(access(below(back, "pki/server.key"), F_OK), 0);
    node_close(&n);
    sqlite3_close(db);
    folder_remove(data);
    folder_remove(target);
    folder_remove(back);
}

static void test_what_is_damaged_in_a_backup_is_named_and_not_restored(void **state)
{
    char data[64], target[64], back[64], path[PATH_BYTES];
    struct backup_progress done;
    struct backup_facts facts;
    struct node_at_work n;
    struct listing l;
    struct err e;
    int faults = 0;
    struct backup_options o = { .arg = &faults };
    FILE *f;

    (void)state;
    folder_make(data);
    folder_make(target);
    folder_make(back);
    node_open(&n, data);
    take(&n, data, 100, true);
    put(data, "saqshyd.yaml", "node: a\n");
    make(data, target, false, &done);
    must(listing_read(target, &l, &e), &e);
    object_path(target, listing_find(&l, "saqshyd.yaml")->sha, path);
    listing_free(&l);
    f = fopen(path, "r+e");
    assert_non_null(f);
    fputc('X', f);
    fclose(f);
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 1);
    assert_int_equal(faults, 1);
    assert_int_equal(backup_restore(target, back, &o, &facts, &done, &e), -EBADMSG);
    assert_int_equal(access(below(back, RESTORING), F_OK), 0);      /* not finished, and it says so */
    assert_int_not_equal(access(below(back, "saqshyd.yaml"), F_OK), 0);
    unlink(path);
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 1);
    make(data, target, false, &done);                               /* the source still has it */
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 0);
    restore(target, back);                                          /* goes on where it was broken off */
    all_once(back, 100);
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
    folder_remove(back);
}

static void test_a_target_that_is_not_for_it_is_refused(void **state)
{
    char data[64], other[64], target[64];
    struct backup_progress done;
    struct backup_facts facts;
    struct backup_options o = { 0 };
    struct node_at_work n;
    struct err e;

    (void)state;
    folder_make(data);
    folder_make(other);
    folder_make(target);
    node_open(&n, data);
    take(&n, data, 20, true);
    assert_int_equal(backup_make(data, below(data, "copy"), &o, DAY_A, &facts, &done, &e), -EINVAL);
    make(data, target, false, &done);
    node_close(&n);
    node_open(&n, other);
    take(&n, other, 5, true);
    assert_int_equal(backup_make(other, target, &o, DAY_A, &facts, &done, &e), -EINVAL);
    assert_non_null(strstr(e.text, "another node"));
    node_close(&n);
    folder_remove(target);
    assert_int_equal(mkdir(target, 0750), 0);
    put(target, "holiday.jpg", "x");
    assert_int_equal(backup_make(data, target, &o, DAY_A, &facts, &done, &e), -EINVAL);
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), -ENOENT);
    folder_remove(data);
    folder_remove(other);
    folder_remove(target);
}

/* A part that is damaged at the source must not become a copy that looks whole. */
static void test_a_damaged_part_of_the_source_stops_the_backup_and_leaves_the_one_before(void **state)
{
    char data[64], target[64], back[64];
    struct store_snapshot s;
    struct backup_progress done;
    struct backup_facts facts;
    struct backup_options o = { 0 };
    struct node_at_work n;
    struct err e;
    FILE *f;

    (void)state;
    folder_make(data);
    folder_make(target);
    folder_make(back);
    node_open(&n, data);
    take(&n, data, 40, true);
    make(data, target, false, &done);
    take(&n, data, 400, true);
    must(store_snapshot_take(below(data, "store"), &s, &e), &e);
    f = fopen(s.part[s.count - 1].path, "r+e");
    assert_non_null(f);
    fseek(f, 50, SEEK_SET);
    fputc(0x55, f);
    fputc(0x55, f);
    fclose(f);
    store_snapshot_free(&s);
    assert_int_equal(backup_make(data, target, &o, DAY_A, &facts, &done, &e), -EBADMSG);
    assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 0);
    restore(target, back);
    all_once(back, 40);
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
    folder_remove(back);
}

/* --- beside a writer, and killed --- */

static void writer(const char *data, int acknowledged)
{
    struct node_at_work n;

    node_open(&n, data);
    for (unsigned i = 0; i < 3000 && n.next < 15000; i++) {
        take(&n, data, 3, i % 4 == 3);
        if (write(acknowledged, &n.next, sizeof n.next) != (ssize_t)sizeof n.next)
            _exit(0);
    }
    for (;;)
        pause();
}

/* drain - the last number that was acknowledged up to now. */
static void drain(int fd, uint64_t *next)
{
    while (read(fd, next, sizeof *next) == (ssize_t)sizeof *next)
        continue;
}

static void test_beside_a_writer_every_event_acknowledged_before_is_in_it_once(void **state)
{
    char data[64], target[64], back[64];
    struct backup_progress done;
    uint64_t next = 1;
    int ends[2], status;
    pid_t child;

    (void)state;
    folder_make(data);
    folder_make(target);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        writer(data, ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &next, sizeof next), (ssize_t)sizeof next);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (int round = 0; round < 8; round++) {
        uint64_t before;

        drain(ends[0], &next);
        before = next;
        struct backup_facts facts = make(data, target, false, &done);
        assert_true(facts.acknowledged_seq >= before);
        folder_make(back);
        restore(target, back);
        all_once(back, before - 1);
        sound(back);
        folder_remove(back);
    }
    kill(child, SIGKILL);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    folder_remove(data);
    folder_remove(target);
}

static void test_killed_at_any_moment_the_copy_before_is_whole_and_the_next_run_goes_on(void **state)
{
    char data[64], target[64], back[64];
    struct backup_options o = { .warn = complain };
    struct backup_progress done;
    struct backup_facts facts;
    uint32_t random = 20261128;
    uint64_t whole = 0;
    struct node_at_work n;
    struct err e;
    int killed = 0;

    (void)state;
    folder_make(data);
    folder_make(target);
    node_open(&n, data);
    take(&n, data, 50, true);
    make(data, target, false, &done);
    whole = 50;
    for (int round = 0; round < 40; round++) {
        pid_t child;
        int status;

        take(&n, data, 37, round % 3 != 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct backup_options quiet = { .warn = complain, .bytes_per_s = MIB };

            _exit(backup_make(data, target, &quiet, DAY_A, &facts, &done, &e) < 0 ? 1 : 0);
        }
        random = random * 1664525u + 1013904223u;
        usleep(random % 30000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        assert_int_equal(backup_verify(target, &o, &facts, complain, &e), 0);
        if (facts.journal_next_seq - 1 > whole)
            whole = facts.journal_next_seq - 1;
        if (round % 8 == 7) {
            folder_make(back);
            restore(target, back);
            all_once(back, whole);
            sound(back);
            folder_remove(back);
        }
    }
    make(data, target, false, &done);
    folder_make(back);
    restore(target, back);
    all_once(back, n.next - 1);
    folder_remove(back);
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
}

/* Links that somebody else made lead nowhere: neither a sweep of the target nor a restore leaves its folder, and nothing restored is set-user-ID. */
static void test_links_lead_out_of_neither_folder(void **state)
{
    struct backup_options o = { .warn = complain };
    char data[64], target[64], back[64], outside[64];
    struct backup_progress done;
    struct backup_facts facts;
    struct node_at_work n;
    struct stat st;
    struct err e;

    (void)state;
    folder_make(data);
    folder_make(target);
    folder_make(back);
    folder_make(outside);
    node_open(&n, data);
    take(&n, data, 5, true);
    put(data, "rules/own.yml", "title: ours\n");
    assert_int_equal(chmod(below(data, "rules/own.yml"), 04755), 0);
    put(outside, "precious", "of others\n");
    make(data, target, false, &done);
    assert_int_equal(symlink(outside, below(target, "objects/zz")), 0);
    make(data, target, false, &done);
    assert_int_equal(access(below(outside, "precious"), F_OK), 0);
    assert_int_equal(symlink(below(outside, "precious"), below(target, "objects/new")), 0);
    put(data, "rules/other.yml", "title: another\n");
    assert_true(backup_make(data, target, &o, DAY_A, &facts, &done, &e) < 0);
    assert_int_equal(stat(below(outside, "precious"), &st), 0);
    assert_int_equal(st.st_size, 10);
    unlink(below(target, "objects/new"));
    make(data, target, false, &done);

    put(back, RESTORING, "");
    assert_int_equal(symlink(outside, below(back, "rules")), 0);
    assert_int_equal(backup_restore(target, back, &o, &facts, &done, &e), -EINVAL);
    assert_int_not_equal(access(below(outside, "own.yml"), F_OK), 0);
    unlink(below(back, "rules"));
    restore(target, back);
    assert_int_equal(stat(below(back, "rules/own.yml"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
    folder_remove(back);
    folder_remove(outside);
}

static void test_a_restore_that_is_killed_goes_on(void **state)
{
    char data[64], target[64], back[64];
    struct backup_progress done;
    struct node_at_work n;
    uint32_t random = 3;

    (void)state;
    folder_make(data);
    folder_make(target);
    folder_make(back);
    node_open(&n, data);
    for (int i = 0; i < 10; i++)
        take(&n, data, 60, true);
    put(data, "saqshyd.yaml", "node: a\n");
    make(data, target, false, &done);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
            restore(target, back);
            _exit(0);
        }
        random = random * 1664525u + 1013904223u;
        usleep(random % 3000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status))
            break;
        if (access(below(back, "saqshyd.yaml"), F_OK) != 0)
            continue;
        break;      /* all but the mark was there */
    }
    if (access(below(back, RESTORING), F_OK) == 0 || access(below(back, "saqshyd.yaml"), F_OK) != 0)
        restore(target, back);
    all_once(back, 600);
    sound(back);
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
    folder_remove(back);
}

static void test_a_list_that_was_changed_is_refused_whatever_the_place(void **state)
{
    AUTO_BUF struct buf b;
    char data[64], target[64];
    struct backup_progress done;
    struct node_at_work n;
    struct listing l;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    folder_make(data);
    folder_make(target);
    node_open(&n, data);
    take(&n, data, 20, true);
    make(data, target, false, &done);
    must(file_read(below(target, "BACKUP"), MIB, &b, &e), &e);
    for (size_t i = 0; i < 2 * b.n; i++) {
        AUTO_BUF struct buf bad;

        buf_init(&bad, 0);
        buf_put(&bad, b.p, i < b.n ? i : b.n);
        if (i >= b.n)
            bad.p[i - b.n] ^= (char)(1 << (i % 8));
        assert_int_equal(listing_decode(buf_view(&bad), &l, &e), -EBADMSG);
        listing_free(&l);
    }
    node_close(&n);
    folder_remove(data);
    folder_remove(target);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_comes_back_as_it_was_with_its_desk_and_without_its_keys),
        cmocka_unit_test(test_what_is_damaged_in_a_backup_is_named_and_not_restored),
        cmocka_unit_test(test_a_target_that_is_not_for_it_is_refused),
        cmocka_unit_test(test_a_damaged_part_of_the_source_stops_the_backup_and_leaves_the_one_before),
        cmocka_unit_test(test_beside_a_writer_every_event_acknowledged_before_is_in_it_once),
        cmocka_unit_test(test_killed_at_any_moment_the_copy_before_is_whole_and_the_next_run_goes_on),
        cmocka_unit_test(test_a_restore_that_is_killed_goes_on),
        cmocka_unit_test(test_links_lead_out_of_neither_folder),
        cmocka_unit_test(test_a_list_that_was_changed_is_refused_whatever_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
