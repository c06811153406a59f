/* test_files.c - following files through thousands of rotations, cuts, restarts and crashes: each line once. */
#include "agent/files.h"
#include "parse/edges.h"
#include "ingest/otlp.h"
#include "base/file.h"
#include "base/test.h"

#include <dirent.h>
#include <sys/stat.h>

#define LINES_MAX 200000

struct world {
    char                folder[64], log[128];
    struct agent_file   file;
    struct agent_config config;
    struct files       *files;
    struct state        saved;      /* what the collector has confirmed */
    struct batch        batch;
    unsigned char      *seen;       /* times each line was confirmed */
    uint32_t            written;
    uint64_t            seed;
    size_t              foreign;    /* lines that are not ours */
};

static uint32_t dice(struct world *w, uint32_t sides)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->seed >> 33) % sides;
}

static void open_files(struct world *w)
{
    struct err e;
    struct timespec never = { 0 };

    assert_int_equal(files_new(&w->config, false, &w->saved, never, &w->files, &e), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/saqshy-files-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->log, sizeof w->log, "%s/a.log", w->folder);
    w->file.glob = w->log;
    w->config = (struct agent_config){ .files = &w->file, .file_count = 1 };
    w->seen = calloc(LINES_MAX, 1);
    w->seed = 52;
    batch_init(&w->batch);
    open_files(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    DIR *d = opendir(w->folder);
    struct dirent *entry;
    char path[512];

    files_close(&w->files);
    while (d && (entry = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", w->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(d);
    rmdir(w->folder);
    state_free(&w->saved);
    batch_free(&w->batch);
    free(w->seen);
    free(w);
    return 0;
}

static void append(struct world *w, const char *path, uint32_t count)
{
    FILE *f = fopen(path, "a");

    assert_non_null(f);
    for (uint32_t i = 0; i < count && w->written < LINES_MAX; i++)
        fprintf(f, "%u is the number of this line%.*s\n", w->written++, (int)dice(w, 20), " and it has a longer tail");
    fclose(f);
}

static int confirm(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    struct world *w = arg;
    struct str rest = rec->body, word;
    uint64_t n;

    (void)resource;
    (void)e;
    if (str_split(&rest, ' ', &word) && str_u64(word, &n) && n < LINES_MAX)
        w->seen[n]++;
    else
        w->foreign++;
    return 0;
}

/* take - read a batch; confirmed: it was acknowledged, else we die before that and begin from the saved state. */
static void take(struct world *w, bool confirmed)
{
    AUTO_BUF struct buf request = { 0 }, scope = { 0 };
    AUTO_ARENA struct arena a = { 0 };
    struct state now = { 0 };
    struct err e = { 0 };
    bool more;

    do {
        batch_reset(&w->batch);
        w->files->woken = true;
        more = files_read(w->files, &w->batch, 1);
        if (!confirmed)
            break;
        buf_init(&request, 0), buf_init(&scope, 0);
        arena_init(&a, 0);
        buf_byte(&scope, 2 << 3 | 2);
        buf_varstr(&scope, buf_view(&w->batch.records));
        buf_byte(&request, 1 << 3 | 2);
        buf_varstr(&request, buf_view(&scope));
        assert_int_equal(otlp_decode(buf_view(&request), &a, confirm, w, NULL, &e), 0);
        buf_free(&request), buf_free(&scope);
        arena_reset(&a);
        assert_int_equal(files_save(w->files, &now), 0);
        state_free(&w->saved);
        w->saved = now;
        now = (struct state){ 0 };
    } while (more);
    if (!confirmed) {
        files_close(&w->files);
        open_files(w);
    }
}

static void rotate(struct world *w, int keep)
{
    char from[160], to[160];

    for (int i = keep; i >= 0; i--) {
        snprintf(from, sizeof from, i ? "%s.%d" : "%s", w->log, i);
        snprintf(to, sizeof to, "%s.%d", w->log, i + 1);
        if (file_exists(from))
            assert_int_equal(rename(from, to), 0);
    }
    snprintf(from, sizeof from, "%s.%d", w->log, keep + 1);
    if (dice(w, 2))
        append(w, w->log, dice(w, 3));
}

static void copy_and_truncate(struct world *w)
{
    AUTO_BUF struct buf b = { 0 };
    char to[160];
    static int turn;
    struct err e;
    FILE *f;

    if (!file_exists(w->log))
        return;
    buf_init(&b, 64u * MIB);
    snprintf(to, sizeof to, "%s-copy-%d", w->log, turn++ % 6);
    assert_int_equal(file_read(w->log, 32u * MIB, &b, &e), 0);
    unlink(to);
    f = fopen(to, "w");     /* without an fsync: that is not what is tested */
    assert_non_null(f);
    assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
    fclose(f);
    assert_int_equal(truncate(w->log, 0), 0);
}

static void age(struct world *w)
{
    for (struct follow *f = w->files->follows; f; f = f->next)
        for (struct tail *t = f->tails; t; t = t->next)
            t->grown -= NS_PER_HOUR;
}

static void check(const struct world *w, const char *story)
{
    for (uint32_t i = 0; i < w->written; i++)
        if (w->seen[i] != 1)
            fail_msg("%s: line %u of %u was confirmed %u times", story, i, w->written, w->seen[i]);
    assert_int_equal(w->foreign, 0);
}

static void each_line_once_through_renames_restarts_and_crashes(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 10000 && w->written < LINES_MAX - 100; i++) {
        append(w, w->log, dice(w, 5));
        switch (dice(w, 10)) {
        case 0: case 1: case 2:
            rotate(w, 12);
            break;
        case 3:
            take(w, false);
            break;
        case 4:
            take(w, true);
            age(w);
            break;
        case 5:
            take(w, true);
            files_close(&w->files);
            open_files(w);
            break;
        default:
            take(w, true);
        }
        if (i % 5 == 0)
            take(w, true);      /* a dozen generations are kept: nobody may sleep through more */
    }
    append(w, w->log, 1);
    take(w, true);
    check(w, "renames");
}

static void each_line_once_through_copy_and_truncate(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 600; i++) {
        append(w, w->log, 1 + dice(w, 30));
        if (dice(w, 3) == 0)
            take(w, true);
        append(w, w->log, dice(w, 3));
        if (dice(w, 4) == 0) {
            struct tail *t = w->files->follows ? w->files->follows->tails : NULL;

            while (t && t->next)
                t = t->next;
            /* A content that we never saw at all cannot be known again in its copy: the limit that docs/agent.md admits. */
            if (!t || !t->head.n || dice(w, 2) == 0)
                take(w, true);
            copy_and_truncate(w);
            if (dice(w, 2) == 0)
                append(w, w->log, dice(w, 4));
            take(w, dice(w, 4) != 0);
            take(w, true);
        }
    }
    take(w, true);
    check(w, "copy and truncate");
}

static void a_late_line_in_a_renamed_file_is_read(void **state)
{
    struct world *w = *state;
    char old[160];

    snprintf(old, sizeof old, "%s.1", w->log);
    append(w, w->log, 3);
    take(w, true);
    assert_int_equal(rename(w->log, old), 0);
    append(w, w->log, 3);
    take(w, true);
    append(w, old, 2);                       /* its writer still holds it */
    take(w, true);
    check(w, "late");
    age(w);
    take(w, true);                           /* silent for an hour: closed and done */
    assert_true(w->files->follows->tails->done);
    append(w, old, 1);                       /* nobody looks at it now; but when the path turns again it is met */
    assert_int_equal(rename(w->log, "/tmp/saqshy-files-gone"), 0);
    unlink("/tmp/saqshy-files-gone");
    append(w, w->log, 2);
    take(w, true);
    check(w, "met again");
}

/* Names with a date or a container in them: each lives a while, and there is no end of them. */
static void files_of_a_short_life_do_not_use_up_the_list(void **state)
{
    struct world *w = *state;
    char pattern[160], path[192];

    snprintf(pattern, sizeof pattern, "%s/*.log", w->folder);
    w->file.glob = pattern;
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(path, sizeof path, "%s/pod-%d-%d.log", w->folder, round, i);
            append(w, path, 2);
        }
        take(w, true);
        check(w, "short life");
        for (int i = 0; i < 100; i++) {
            snprintf(path, sizeof path, "%s/pod-%d-%d.log", w->folder, round, i);
            assert_int_equal(unlink(path), 0);
        }
        age(w);
        take(w, true);
    }
    w->file.glob = w->log;
}

static void a_partial_line_waits_for_its_end_but_not_for_ever(void **state)
{
    struct world *w = *state;
    FILE *f = fopen(w->log, "a");

    assert_non_null(f);
    fputs("0 is the ", f);
    fflush(f);
    take(w, true);
    assert_int_equal(w->seen[0], 0);
    fputs("number\n1 is", f);
    fflush(f);
    take(w, true);
    assert_int_equal(w->seen[0], 1);
    assert_int_equal(w->seen[1], 0);
    age(w);
    take(w, true);
    assert_int_equal(w->seen[1], 1);
    fclose(f);
    assert_int_equal(w->foreign, 0);
}

static void a_link_laid_by_a_service_sends_no_foreign_file(void **state)
{
    static const struct { const char *name; uid_t link, file; uint8_t seen; } rows[] = {
        { "of the service to a file of root", 4242, 0, 0 }, { "of root to a file of root", 0, 0, 1 },
        { "of the service to its own file", 4242, 4242, 1 }, { "of the service to a file of another", 4242, 4243, 0 },
    };
    struct world *w = *state;
    char target[192];

    if (geteuid() != 0)
        skip();
    snprintf(target, sizeof target, "%s/secret", w->folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t line = w->written;

        unlink(w->log);
        unlink(target);
        age(w);
        take(w, true);
        append(w, target, 1);
        assert_int_equal(chown(target, rows[i].file, 0), 0);
        assert_int_equal(symlink(target, w->log), 0);
        assert_int_equal(lchown(w->log, rows[i].link, 0), 0);
        take(w, true);
        CHECK(rows[i].name, w->seen[line] == rows[i].seen);
    }
}

/* read_once - how many lines one reading gives. */
static size_t read_once(struct world *w)
{
    batch_reset(&w->batch);
    (void)files_read(w->files, &w->batch, 1);
    return w->batch.lines;
}

static void records_of_an_audit_event_travel_in_one_batch(void **state)
{
    struct world *w = *state;
    FILE *f = fopen(w->log, "a");

    assert_non_null(f);
    fputs("type=USER_AUTH msg=audit(1.500:6): x\ntype=SYSCALL msg=audit(1.500:7): x\ntype=PATH msg=audit(1.500:7): x\n", f);
    fflush(f);
    assert_int_equal(read_once(w), 1); /* what was begun waits */
    assert_int_equal(read_once(w), 0);
    fputs("type=PROCTITLE msg=audit(1.500:7): x\ntype=SYSCALL msg=audit(1.600:8): x\n", f);
    fflush(f);
    assert_int_equal(read_once(w), 3);
    age(w);
    assert_int_equal(read_once(w), 1); /* but not for ever */
    fclose(f);
}

static void a_file_in_utf16_is_read_by_its_lines(void **state)
{
    static const char text[] = "\xFF\xFE" "a\0\r\0\n\0" "b\0\x0A\x04\n\0" "c\0";
    struct world *w = *state;
    FILE *f = fopen(w->log, "a");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, sizeof text - 1, f), sizeof text - 1);
    fflush(f);
    assert_int_equal(read_once(w), 2); /* U+040A is no end of a line, and the third has none */
    assert_int_equal(w->batch.bytes, 2 + 4 + 4);
    fclose(f);
}

/* A record of several lines travels whole, however the file is written: its end is the next one's beginning, or two silent seconds. */
static void records_of_several_lines_are_one(void **state)
{
    static struct str starts[] = { STR_INIT("####-##-## ") };
    struct world *w = *state;
    FILE *f;

    w->file.starts = starts;
    w->file.start_count = 1;
    f = fopen(w->log, "a");
    assert_non_null(f);
    fputs("head\n2026-03-19 a\n\tat b\n", f);
    fflush(f);
    assert_int_equal(read_once(w), 1); /* what stands before the first; the record may go on */
    fputs("\tat c", f);
    fflush(f);
    assert_int_equal(read_once(w), 0);
    fputs("\n2026-03-19 d\n", f);
    fflush(f);
    assert_int_equal(read_once(w), 1);
    assert_int_equal(w->batch.bytes, sizeof "2026-03-19 a\n\tat b\n\tat c" - 1);
    assert_int_equal(read_once(w), 0);
    age(w);
    assert_int_equal(read_once(w), 1);
    assert_int_equal(w->batch.bytes, sizeof "2026-03-19 d" - 1);
    for (size_t i = 0; i < RECORD_LINES_MAX + 5; i++)
        fputs(i ? "x\n" : "2026-03-19 e\n", f);
    fflush(f);
    assert_int_equal(read_once(w), 6); /* bounded: then each line is one */
    fclose(f);
    w->file.starts = NULL;
    w->file.start_count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_line_once_through_renames_restarts_and_crashes, setup, teardown),
        cmocka_unit_test_setup_teardown(each_line_once_through_copy_and_truncate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_line_in_a_renamed_file_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_a_short_life_do_not_use_up_the_list, setup, teardown),
        cmocka_unit_test_setup_teardown(a_partial_line_waits_for_its_end_but_not_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(records_of_an_audit_event_travel_in_one_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(records_of_several_lines_are_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_in_utf16_is_read_by_its_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_laid_by_a_service_sends_no_foreign_file, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
