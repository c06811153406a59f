/* place.c - where an upstream stands: journal/cursors/forward-NAME, as every reader of the journal, and beside it .forward-NAME, the name of its numbering.
 *
 * The name is NAME-RANDOM and lives and dies with the journal, whose events it numbers: another journal in the same place must not be taken for a
 * repetition of this one. A name outlives its cursor: an upstream that was taken out and comes back is not sent what it has. */
#include "forward/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "journal/journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>

#define PLACE_PATH 8192

static void stream_path(const char *journal, const char *name, char out[PLACE_PATH])
{
    snprintf(out, PLACE_PATH, "%s/cursors/." PLACE_PREFIX "%s", journal, name);
}

int place_renumber(const char *journal, const char *name, char stream[UPSTREAM_STREAM_MAX], struct err *e)
{
    char path[PLACE_PATH];
    uint64_t random = 0;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_sys(e, "could not get random bytes");
    snprintf(stream, UPSTREAM_STREAM_MAX, "%.*s-%016llx", UPSTREAM_NAME_MAX, name, (unsigned long long)random);
    stream_path(journal, name, path);
    return file_write_atomic(path, str_c(stream), 0640, e);
}

static bool stream_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n > 16 && s.n < UPSTREAM_STREAM_MAX;
}

time_ns place_received(const char *journal, uint64_t seq)
{
    struct journal_reader *reader = NULL;
    struct event_batch b;
    time_ns t = 0;

    event_batch_init(&b, 256u * MIB);
    if (journal_reader_open(journal, seq, &reader, NULL) == 0 && journal_reader_next(reader, &b, NULL, NULL) > 0)
        t = b.items[0].received;
    journal_reader_close(&reader);
    event_batch_free(&b);
    return t;
}

int place_give_up(const char *data, const char *journal, const char *name, uint64_t from, uint64_t to, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    AUTO_CLOSE int fd = -1;
    char path[PLACE_PATH];
    int rc;

    buf_init(&b, 4096);
    buf_printf(&b, "{\"upstream\":\"%s\",\"from_seq\":%llu,\"to_seq\":%llu,\"received_from\":\"", name, (unsigned long long)from, (unsigned long long)to);
    buf_time(&b, place_received(journal, from));
    buf_str(&b, STR("\",\"received_to\":\""));
    buf_time(&b, place_received(journal, to));
    buf_str(&b, STR("\",\"at\":\""));
    buf_time(&b, clock_now());
    buf_str(&b, STR("\"}\n"));
    snprintf(path, sizeof path, "%.4000s/forward/given-up.jsonl", data);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    rc = file_write_all(fd, buf_view(&b), e);
    return rc == 0 && fdatasync(fd) < 0 ? err_sys(e, "could not write \"%s\"", path) : rc;
}

int place_open(const char *journal, const struct upstream_conf *c, uint64_t *seq, char stream[UPSTREAM_STREAM_MAX], struct err *e)
{
    char name[UPSTREAM_NAME_MAX + 16], path[PLACE_PATH];
    AUTO_BUF struct buf b = { 0 };
    int rc;

    buf_init(&b, 256 * KIB);
    snprintf(name, sizeof name, PLACE_PREFIX "%s", c->name);
    rc = journal_cursor_get(journal, name, seq, e);
    if (rc == 0 && *seq == 0) {
        *seq = c->from_now ? journal_committed_seq(journal) : journal_oldest_seq(journal);
        *seq = *seq ? *seq : 1;
        rc = journal_cursor_set(journal, name, *seq, e);
    }
    stream_path(journal, c->name, path);
    if (rc < 0)
        return rc;
    if (file_exists(path) && file_read(path, UPSTREAM_STREAM_MAX, &b, NULL) == 0 && stream_valid(buf_view(&b))) {
        snprintf(stream, UPSTREAM_STREAM_MAX, "%.*s", STR_ARG(buf_view(&b)));
        return 0;
    }
    return place_renumber(journal, c->name, stream, e);
}

static bool named(const struct upstream_table *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->items[i].name, name) == 0)
            return true;
    return false;
}

void place_drop_others(const char *journal, const struct upstream_table *t)
{
    char folder[PLACE_PATH], path[PLACE_PATH + 300];
    struct dirent *f;
    DIR *d;

    snprintf(folder, sizeof folder, "%.4000s/cursors", journal);
    d = opendir(folder);
    while (d && (f = readdir(d)) != NULL) {
        struct str file = str_c(f->d_name);
        const char *name = f->d_name + strlen(PLACE_PREFIX);
        uint64_t seq = 0, end = journal_committed_seq(journal);
        char left[24];

        if (!str_starts(file, STR(PLACE_PREFIX)) || str_ends(file, STR(".tmp")) || named(t, name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (journal_cursor_get(journal, f->d_name, &seq, NULL) < 0)
            seq = 0;
        if (unlink(path) == 0)
            log_line(LOG_WARN, "an upstream is not in the configuration any more: its place in the journal is given up. Events that were not passed on",
                     "saqshy.upstream", name, "saqshy.events", log_num(end > seq ? (long long)(end - seq) : 0, left), NULL);
    }
    if (d)
        closedir(d);
}
