/* journald.c - the journal of systemd, where it runs. libsystemd is loaded when it is wanted, so an agent that follows files does not
 * carry it. The position is the journal's own cursor. */
#include "agent/internal.h"
#include "base/log.h"
#include "parse/edges.h"

#include <dlfcn.h>
#include <systemd/sd-journal.h>

#define EVENT_LINES_MAX 256      /* of an audit event, beyond a full batch */
#define DATA_MAX (64 * KIB)     /* of the short fields; the message may be longer */

/* The calls we use, by name: sd_journal_NAME. */
#define CALLS(X) X(open) X(close) X(next) X(seek_head) X(seek_cursor) X(test_cursor) X(get_data) X(get_cursor) X(get_fd) \
    X(process) X(get_realtime_usec) X(set_data_threshold)

struct journald {
    void       *library;
    sd_journal *j;
    char        cursor[CURSOR_MAX];
#define MEMBER(name) __typeof__(&sd_journal_##name) name;
    CALLS(MEMBER)
#undef MEMBER
};

static bool load(struct journald *j)
{
    j->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!j->library)
        return false;
#define LOAD(name)                                                                     \
    *(void **)(void *)&j->name = dlsym(j->library, "sd_journal_" #name);
    CALLS(LOAD)
#undef LOAD
#define CHECKED(name) && j->name
    return true CALLS(CHECKED);
#undef CHECKED
}

/* start_at - behind the last entry that was taken; at the oldest one if we never took any, or if it is gone. */
static int start_at(struct journald *j, const char *cursor)
{
    int rc;

    if (!*cursor)
        return j->seek_head(j->j);
    rc = j->seek_cursor(j->j, cursor);
    if (rc < 0)
        return j->seek_head(j->j);
    snprintf(j->cursor, sizeof j->cursor, "%s", cursor);
    rc = j->next(j->j);
    if (rc > 0 && j->test_cursor(j->j, cursor) <= 0) {
        log_line(LOG_WARN, "the journal has lost our place, reading on from the nearest entry", NULL);
        return j->seek_cursor(j->j, cursor);
    }
    return rc < 0 ? rc : 0;
}

int journald_open(const char *cursor, struct journald **out, struct err *e)
{
    struct journald *j;

    *out = NULL;
    if (access("/run/systemd/journal/socket", F_OK) < 0)
        return 0;
    j = calloc(1, sizeof *j);
    if (!j)
        return err_set(e, -ENOMEM, "no memory for the journal of systemd");
    if (!load(j) || j->open(&j->j, SD_JOURNAL_LOCAL_ONLY) < 0) {
        log_line(LOG_WARN, "could not open the journal of systemd, following files instead", NULL);
        journald_close(&j);
        return 0;
    }
    (void)j->set_data_threshold(j->j, LINE_MAX_BYTES + 64);
    if (start_at(j, cursor) < 0) {
        log_line(LOG_WARN, "could not read the journal of systemd, following files instead", NULL);
        journald_close(&j);
        return 0;
    }
    *out = j;
    return 0;
}

void journald_close(struct journald **j)
{
    if (!*j)
        return;
    if ((*j)->j)
        (*j)->close((*j)->j);
    if ((*j)->library)
        dlclose((*j)->library);
    free(*j);
    *j = NULL;
}

int journald_fd(const struct journald *j) { return j ? j->get_fd(j->j) : -1; }

/* field - a copy in the arena: the next call for data takes the memory back. */
static struct str field(struct journald *j, const char *name, size_t most, struct arena *a)
{
    const void *p;
    size_t n, head = strlen(name) + 1;

    if (j->get_data(j->j, name, &p, &n) < 0 || n <= head)
        return str_of(NULL, 0);
    return arena_copy(a, str_of((const char *)p + head, min_size(n - head, most)));
}

struct str journald_audit(struct arena *a, struct str type, struct str serial, struct str usec, struct str message)
{
    uint64_t id, at;
    char *text;
    int n;

    if (!str_u64(serial, &id) || !str_u64(usec, &at) || type.n == 0 || type.n > 64 || !str_starts(message, type) ||
        message.n <= type.n || message.p[type.n] != ' ' || (text = arena_alloc(a, message.n + 128)) == NULL)
        return str_of(NULL, 0);
    n = snprintf(text, 128, "type=%.*s msg=audit(%llu.%03llu:%llu): ", STR_ARG(type), (unsigned long long)(at / 1000000),
                 (unsigned long long)(at / 1000 % 1000), (unsigned long long)id);
    message = str_cut(message, type.n + 1);
    memcpy(text + n, message.p, message.n);
    return str_of(text, (size_t)n + message.n);
}

/* of_audit - a record of the audit system as a line. False: the entry is to be passed over. */
static bool of_audit(struct journald *j, struct arena *a, struct record *r, bool elsewhere)
{
    struct str type = field(j, "_AUDIT_TYPE_NAME", DATA_MAX, a), line;

    if (!type.n)
        return true;
    if (elsewhere)
        return false;
    line = journald_audit(a, type, field(j, "_AUDIT_ID", DATA_MAX, a), field(j, "_SOURCE_REALTIME_TIMESTAMP", DATA_MAX, a), r->body);
    if (line.n && line.n <= LINE_MAX_BYTES)
        r->body = line;
    return true;
}

bool journald_read(struct journald *j, struct batch *b, time_ns now, bool audit_elsewhere)
{
    AUTO_ARENA struct arena a = { 0 };
    struct edges open = { .count = 0 };
    int rc = 1, more = EVENT_LINES_MAX;

    arena_init(&a, 4 * LINE_MAX_BYTES);
    (void)j->process(j->j);
    /* the records of an audit event travel in one batch, save where one has very many */
    while ((!batch_full(b) || (edges_open(&open) && more-- > 0)) && (rc = j->next(j->j)) > 0) {
        struct record r = { 0 };
        uint64_t usec;
        char *cursor = NULL;

        r.body = field(j, "MESSAGE", LINE_MAX_BYTES + 1, &a);
        r.truncated = r.body.n > LINE_MAX_BYTES;
        r.body.n = min_size(r.body.n, LINE_MAX_BYTES);
        r.unit = field(j, "SYSLOG_IDENTIFIER", DATA_MAX, &a);
        if (!r.unit.n)
            r.unit = field(j, "_COMM", DATA_MAX, &a);
        r.pid = field(j, "_PID", DATA_MAX, &a);
        if (!r.pid.n)
            r.pid = field(j, "SYSLOG_PID", DATA_MAX, &a);
        if (j->get_realtime_usec(j->j, &usec) >= 0 && usec < INT64_MAX / 1000)
            r.time = (time_ns)usec * 1000;
        if (r.body.n && of_audit(j, &a, &r, audit_elsewhere)) {
            batch_add(b, &r, now);
            edges_line(&open, r.body, 0);
        }
        if (j->get_cursor(j->j, &cursor) >= 0 && strlen(cursor) < sizeof j->cursor)
            snprintf(j->cursor, sizeof j->cursor, "%s", cursor);
        free(cursor);
        arena_reset(&a);
    }
    return rc > 0;
}

void journald_save(const struct journald *j, struct state *s)
{
    if (j)
        snprintf(s->cursor, sizeof s->cursor, "%s", j->cursor);
}
