/* forward.c - the role's own thread: signals, another configuration, and what is told of the upstreams. It touches no connection.
 *
 * A slot is one name of the configuration. Its runner is replaced only when the old one has ended, since both would move the same cursor; until then the
 * new configuration waits in the slot. */
#include "forward/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "journal/journal.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <curl/curl.h>

#define TICK_MS     500
#define PUBLISH_NS  NS_PER_SECOND
#define AGE_NS      (5 * NS_PER_SECOND)
#define CUT_NS      (5 * NS_PER_SECOND)
#define STOP_NS     (8 * NS_PER_SECOND)    /* a thread that resolves a name cannot be interrupted */
#define PICTURE_MAX (1u * MIB)
#define PORTS_MAX   (UPSTREAMS_MAX * 4)
#define METERS_MAX  64

struct slot {
    struct runner              *r;
    const struct upstream_conf *next;     /* what it shall become; NULL: nothing */
    bool                        leaving, known;
};

/* The cells of a name that ever was: they stay where they are. */
struct meter {
    char           name[UPSTREAM_NAME_MAX + 1], label[UPSTREAM_NAME_MAX + 16];
    struct metric *events, *bytes, *behind, *behind_s, *connected, *failures, *refused, *held, *given_up;
};

struct forward {
    const struct forward_options *o;
    const struct upstream_table  *table;
    char                          journal[4096];
    struct slot                   slot[2 * UPSTREAMS_MAX];   /* those that leave too */
    size_t                        count;
    struct metrics                metrics;
    struct meter                  meter[METERS_MAX];
    size_t                        meters;
    struct metric                *cut;
    uint64_t                      config_number;
    char                          config_error[ERR_TEXT_MAX];
    time_ns                       published, cut_at;
    bool                          again;     /* begin anew, for other rights */
    bool                          drop;      /* look for places of upstreams that are not there any more */
};

/* --- what the sandbox lets in, to know when another configuration needs more --- */

struct needs {
    uint16_t port[PORTS_MAX];
    size_t   ports;
    struct buf paths;      /* one a line: '-' or '+' and the folder */
};

static void need_port(void *arg, uint16_t port)
{
    struct needs *n = arg;

    if (n->ports < PORTS_MAX)
        n->port[n->ports++] = port;
}

static void need_path(struct needs *n, char how, struct str path) { buf_printf(&n->paths, "%c%.*s\n", how, STR_ARG(path)); }

static void need_read(void *arg, const char *file)
{
    const char *slash = strrchr(file, '/');

    need_path(arg, '-', str_of(file, slash ? (size_t)(slash - file) : 0));
}

static void need_write(void *arg, const char *folder) { need_path(arg, '+', str_c(folder)); }

static void needs_of(const struct upstream_table *t, struct needs *n)
{
    const struct upstream_rights r = { n, need_port, need_read, need_write };

    n->ports = 0;
    buf_init(&n->paths, MIB);
    forward_rights(t, &r);
}

/* within - everything that b needs is in a. */
static bool within(const struct needs *a, const struct needs *b)
{
    struct str rest = buf_view(&b->paths), one;

    for (size_t i = 0; i < b->ports; i++) {
        bool there = false;

        for (size_t k = 0; k < a->ports; k++)
            there = there || a->port[k] == b->port[i];
        if (!there)
            return false;
    }
    while (str_split(&rest, '\n', &one)) {
        struct str have = buf_view(&a->paths), path;
        bool there = one.n == 0;

        while (!there && str_split(&have, '\n', &path))
            there = str_eq(path, one);
        if (!there)
            return false;
    }
    return true;
}

/* --- slots --- */

static struct slot *slot_of(struct forward *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->slot[i].r->conf.name, name) == 0)
            return &f->slot[i];
    return NULL;
}

/* meter_of - NULL past METERS_MAX names. */
static struct meter *meter_of(struct forward *f, const char *name)
{
    struct metrics *m = &f->metrics;
    struct meter *t = &f->meter[f->meters];

    for (size_t i = 0; i < f->meters; i++)
        if (strcmp(f->meter[i].name, name) == 0)
            return &f->meter[i];
    if (f->meters == METERS_MAX)
        return NULL;
    f->meters++;
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->label, sizeof t->label, "upstream=\"%s\"", name);
    t->events = metrics_cell(m, "saqshy_forward_events_total", t->label, false, "events that the other side acknowledged");
    t->bytes = metrics_cell(m, "saqshy_forward_bytes_total", t->label, false, "bytes of them, before compression");
    t->behind = metrics_cell(m, "saqshy_forward_behind_events", t->label, true, "events of the journal that are not passed on yet");
    t->behind_s = metrics_cell(m, "saqshy_forward_behind_seconds", t->label, true, "age of the oldest of them");
    t->connected = metrics_cell(m, "saqshy_forward_connected", t->label, true, "1 while there is a connection");
    t->failures = metrics_cell(m, "saqshy_forward_failures_total", t->label, false, "connections that failed or broke");
    t->refused = metrics_cell(m, "saqshy_forward_refused_total", t->label, false, "events that the other side can never take");
    t->held = metrics_cell(m, "saqshy_forward_held_bytes", t->label, true, "bytes of the journal from the first event that is not passed on");
    t->given_up = metrics_cell(m, "saqshy_forward_given_up_total", t->label, false, "events that were given up by hold_bytes");
    return t;
}

static int put_in(struct forward *f, struct slot *s, const struct upstream_conf *c, struct err *e)
{
    int rc = runner_new(f->o, c, &s->r, e);

    if (rc == 0)
        rc = runner_start(s->r, e);
    if (rc < 0)
        runner_free(&s->r);
    return rc;
}

static int add_slot(struct forward *f, const struct upstream_conf *c, struct err *e)
{
    struct slot *s = &f->slot[f->count];
    int rc;

    if (f->count == COUNT(f->slot))
        return err_set(e, -EAGAIN, "too many upstreams are changing, try again");
    *s = (struct slot){ .known = true };
    rc = put_in(f, s, c, e);
    if (rc < 0)
        return rc;
    f->count++;
    return 0;
}

/* turn_slots - runners that ended make room for what comes after them. */
static void turn_slots(struct forward *f)
{
    struct err e = { 0 };

    for (size_t i = 0; i < f->count; i++) {
        struct slot *s = &f->slot[i];
        const struct upstream_conf *next = s->next;

        if (!s->leaving || !runner_ended(s->r))
            continue;
        s->leaving = false;
        s->next = NULL;
        runner_free(&s->r);
        if (next && put_in(f, s, next, &e) < 0) {
            snprintf(f->config_error, sizeof f->config_error, "upstream \"%s\": %.300s", next->name, e.text);
            log_line(LOG_ERROR, "could not begin an upstream", "saqshy.upstream", next->name, "error.message", e.text, NULL);
        }
        if (!s->r)
            f->slot[i--] = f->slot[--f->count];
    }
}

/* change - the runners become as the table says; those that are the same are not touched. */
static void change(struct forward *f, const struct upstream_table *t)
{
    struct err e = { 0 };

    for (size_t i = 0; i < f->count; i++)
        f->slot[i].known = false;
    for (size_t i = 0; i < t->count; i++) {
        const struct upstream_conf *c = &t->items[i];
        struct slot *s = slot_of(f, c->name);
        int rc = 0;

        if (!s) {
            rc = add_slot(f, c, &e);
        } else if (s->leaving || !upstream_conf_same(&s->r->conf, c)) {
            s->known = true;
            s->next = c;
            s->leaving = true;
            runner_stop(s->r);
        } else {
            s->known = true;
            if (strcmp(s->r->conf.filter, c->filter) != 0)
                rc = runner_filter(s->r, c, &e);
        }
        if (rc < 0) {
            snprintf(f->config_error, sizeof f->config_error, "upstream \"%s\": %.300s", c->name, e.text);
            log_line(LOG_ERROR, "could not take the configuration of an upstream", "saqshy.upstream", c->name, "error.message", e.text, NULL);
        }
    }
    for (size_t i = 0; i < f->count; i++)
        if (!f->slot[i].known) {
            f->slot[i].next = NULL;
            f->slot[i].leaving = true;
            runner_stop(f->slot[i].r);
        }
    f->table = t;
    f->drop = true;
}

static void reload(struct forward *f, struct needs *needs)
{
    const struct upstream_table *fresh = NULL;
    struct err e = { 0 };
    int rc = f->o->reload ? f->o->reload(f->o->arg, &fresh, &e) : err_set(&e, -ENOTSUP, "there is nothing to read again");
    struct needs more;

    f->config_number++;
    snprintf(f->config_error, sizeof f->config_error, "%s", rc < 0 ? e.text : "");
    if (rc < 0) {
        log_line(LOG_ERROR, "cannot take the changed configuration, the old one stays in force", "error.message", e.text, NULL);
        return;
    }
    needs_of(fresh, &more);
    f->again = !within(needs, &more);
    buf_free(&more.paths);
    if (f->again)
        log_line(LOG_INFO, "the changed configuration needs ports or folders that were not named before: forward finishes what is on its way and begins anew", NULL);
    change(f, fresh);
    if (!f->again)
        log_line(LOG_INFO, "took the configuration again", NULL);
}

/* --- what is told --- */

/* age - when the first event that is not passed on was received. Read from the journal now and then, and only while there is one. */
static void age(struct forward *f, struct runner *r, uint64_t end)
{
    uint64_t seq = r->u.acked;
    time_ns now = clock_steady();

    if (seq >= end) {
        r->age_seq = 0;
        r->held_bytes = 0;
        return;
    }
    if (r->age_at && now - r->age_at < AGE_NS)
        return;
    r->age_received = place_received(f->journal, seq);
    r->age_seq = r->age_received ? seq : r->age_seq;
    r->age_at = now;
    r->held_bytes = journal_bytes_from(f->journal, seq);
    if (r->conf.limits.hold_bytes && r->held_bytes > (uint64_t)r->conf.limits.hold_bytes)
        r->skip_to = journal_seq_within(f->journal, (uint64_t)r->conf.limits.hold_bytes);
}

static int64_t behind_s(const struct runner *r, uint64_t end)
{
    int64_t s = (clock_now() - r->age_received) / NS_PER_SECOND;

    return r->u.acked >= end || !r->age_seq || s < 0 ? 0 : s;
}

/* warn - told when it becomes too much, and when it is over. */
static void warn(const struct forward *f, struct runner *r, uint64_t end)
{
    int64_t s = behind_s(r, end);
    char seconds[24], events[24], bytes[24];

    if (s < f->o->warn_behind_s && r->behind_told) {
        r->behind_told = false;
        log_line(LOG_INFO, "an upstream has caught up", "saqshy.upstream", r->conf.name, NULL);
    }
    if (s < f->o->warn_behind_s || r->behind_told)
        return;
    r->behind_told = true;
    log_line(LOG_WARN, "an upstream is far behind: the journal keeps everything for it and grows. Mend it, or take it out of the configuration",
             "saqshy.upstream", r->conf.name, "saqshy.behind_s", log_num((long long)s, seconds), "saqshy.events",
             log_num((long long)(end - r->u.acked), events), "saqshy.bytes", log_num((long long)r->held_bytes, bytes), NULL);
}

static void put_time_or_null(struct buf *b, time_ns t)
{
    if (!t) {
        buf_str(b, STR("null"));
        return;
    }
    buf_byte(b, '"');
    buf_time(b, t);
    buf_byte(b, '"');
}

static void put_runner(struct buf *b, struct runner *r, uint64_t end)
{
    uint64_t acked = r->u.acked;

    buf_printf(b, "\n{\"name\":\"%s\",\"kind\":\"%s\",\"address\":", r->conf.name, upstream_type_name(r->conf.type));
    buf_json(b, str_c(r->conf.address));
    buf_str(b, STR(",\"filter\":"));
    buf_json(b, str_c(r->conf.filter));
    pthread_mutex_lock(&r->lock);
    buf_printf(b, ",\"tls\":%s,\"state\":\"%s\",\"seq\":%llu,\"behind_events\":%llu,\"behind_s\":%lld,\"held_bytes\":%llu,\"sent\":%llu,\"bytes\":%llu",
               r->conf.tls ? "true" : "false", r->state, (unsigned long long)acked, (unsigned long long)(end > acked ? end - acked : 0),
               (long long)behind_s(r, end), (unsigned long long)r->held_bytes, (unsigned long long)r->u.sent, (unsigned long long)r->u.bytes);
    buf_printf(b, ",\"refused\":%llu,\"given_up\":%llu,\"damaged\":%llu,\"failures\":%llu,\"last_error\":", (unsigned long long)r->u.refused,
               (unsigned long long)r->given_up, (unsigned long long)r->damaged,
               (unsigned long long)r->failures);
    buf_json(b, str_c(r->error));
    buf_str(b, STR(",\"last_error_at\":"));
    put_time_or_null(b, r->error_at);
    pthread_mutex_unlock(&r->lock);
    buf_str(b, STR(",\"last_sent\":"));
    put_time_or_null(b, r->u.last_sent);
    buf_byte(b, '}');
}

static void measure(struct forward *f, struct runner *r, uint64_t end)
{
    struct meter *t = meter_of(f, r->conf.name);

    if (!t)
        return;
    metric_set(t->events, (int64_t)r->u.sent);
    metric_set(t->bytes, (int64_t)r->u.bytes);
    metric_set(t->behind, end > r->u.acked ? (int64_t)(end - r->u.acked) : 0);
    metric_set(t->behind_s, behind_s(r, end));
    pthread_mutex_lock(&r->lock);
    metric_set(t->connected, strcmp(r->state, "connected") == 0);
    pthread_mutex_unlock(&r->lock);
    metric_set(t->failures, (int64_t)r->failures);
    metric_set(t->refused, (int64_t)r->u.refused);
    metric_set(t->held, (int64_t)r->held_bytes);
    metric_set(t->given_up, (int64_t)r->given_up);
}

static void publish(struct forward *f)
{
    uint64_t end = journal_committed_seq(f->journal);
    AUTO_BUF struct buf b = { 0 };
    char path[4200];

    buf_init(&b, PICTURE_MAX);
    buf_printf(&b, "{\"pid\":%d,\"at\":\"", (int)getpid());
    buf_time(&b, clock_now());
    buf_printf(&b, "\",\"config\":{\"number\":%llu,\"error\":", (unsigned long long)f->config_number);
    buf_json(&b, str_c(f->config_error));
    buf_str(&b, STR("},\"upstreams\":["));
    for (size_t i = 0; i < f->count; i++) {
        struct slot *s = &f->slot[i];

        age(f, s->r, end);
        warn(f, s->r, end);
        measure(f, s->r, end);
        if (i)
            buf_byte(&b, ',');
        put_runner(&b, s->r, end);
    }
    buf_str(&b, STR("\n]}\n"));
    snprintf(path, sizeof path, "%.4000s/run/forward.json", f->o->data);
    if (!buf_failed(&b) && file_write_quick(path, buf_view(&b), NULL) < 0)
        return;    /* a picture, drawn again in a second */
    snprintf(path, sizeof path, "%.4000s/run/metrics-forward.prom", f->o->data);
    if (metrics_publish(&f->metrics, path, NULL) < 0)
        return;
}

/* cut - where no role index does it. */
static void cut(struct forward *f)
{
    time_ns now = clock_steady();
    size_t removed = 0;
    struct err e;

    if (!f->o->cuts || now - f->cut_at < CUT_NS)
        return;
    f->cut_at = now;
    if (f->count == 0)
        return;     /* nobody has said where it stands */
    if (journal_cut(f->journal, UINT64_MAX, &removed, &e) < 0)
        log_line(LOG_ERROR, "could not cut the journal", "error.message", e.text, NULL);
    metric_add(f->cut, (int64_t)removed);
}

/* drop_others - after each configuration, once those that were taken out have ended. */
static void drop_others(struct forward *f)
{
    bool leaving = false;

    for (size_t i = 0; i < f->count; i++)
        leaving = leaving || f->slot[i].leaving;
    if (!f->drop || leaving)
        return;
    f->drop = false;
    place_drop_others(f->journal, f->table);
}

/* --- the life of the role --- */

static int signals(struct err *e)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return err_set(e, -EINVAL, "could not hold signals");
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_sys(e, "could not watch signals") : fd;
}

/* stop_all - give everybody their grace. A thread that cannot be interrupted ends with the process. */
static void stop_all(struct forward *f)
{
    time_ns end = clock_steady() + STOP_NS;
    bool left = true;

    for (size_t i = 0; i < f->count; i++)
        runner_stop(f->slot[i].r);
    while (left && clock_steady() < end) {
        left = false;
        for (size_t i = 0; i < f->count; i++)
            left = !runner_ended(f->slot[i].r) || left;
        if (left)
            poll(NULL, 0, 20);
    }
    publish(f);
    if (left) {
        log_line(LOG_WARN, "an upstream did not end in time", NULL);
        _exit(f->again ? f->o->again_code : 0);
    }
    for (size_t i = 0; i < f->count; i++)
        runner_free(&f->slot[i].r);
}

static void loop(struct forward *f, int fd, struct needs *needs)
{
    struct signalfd_siginfo s;
    bool stop = false;

    while (!stop && !f->again) {
        struct pollfd p = { fd, POLLIN, 0 };

        poll(&p, 1, TICK_MS);
        while (read(fd, &s, sizeof s) == (ssize_t)sizeof s) {
            if (s.ssi_signo == SIGHUP)
                reload(f, needs);
            else
                stop = true;
        }
        turn_slots(f);
        drop_others(f);
        cut(f);
        if (clock_steady() - f->published >= PUBLISH_NS) {
            publish(f);
            f->published = clock_steady();
        }
    }
}

int forward_run(const struct forward_options *o, struct err *e)
{
    struct forward *f = calloc(1, sizeof *f);
    struct needs needs = { .ports = 0 };
    int fd = signals(e), rc = fd;

    if (!f || fd < 0) {
        free(f);
        return fd < 0 ? fd : err_set(e, -ENOMEM, "no memory for forward");
    }
    f->o = o;
    f->table = o->upstreams;
    f->drop = true;
    snprintf(f->journal, sizeof f->journal, "%.4000s/journal", o->data);
    f->cut = metrics_cell(&f->metrics, "saqshy_forward_segments_removed_total", NULL, false, "segments of the journal cut");
    needs_of(o->upstreams, &needs);
    rc = curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? 0 : err_set(e, -ENOMEM, "no memory for transfers");
    for (size_t i = 0; rc == 0 && i < o->upstreams->count; i++)
        rc = add_slot(f, &o->upstreams->items[i], e);
    if (rc == 0) {
        log_line(LOG_INFO, o->upstreams->count ? "forwarding runs" : "forwarding runs, no upstream is configured: nothing is sent anywhere", NULL);
        publish(f);
        loop(f, fd, &needs);
    }
    stop_all(f);
    rc = rc == 0 && f->again ? 1 : rc;
    curl_global_cleanup();
    close(fd);
    buf_free(&needs.paths);
    free(f);
    return rc;
}
