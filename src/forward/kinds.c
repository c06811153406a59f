/* kinds.c - the table of upstream kinds, and what all of them use of the role. */
#include "forward/internal.h"
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>

static const struct upstream_kind *const kinds[UPSTREAM_TYPE_COUNT] = {
#define UPSTREAM(kind, address, tls) [UPSTREAM_##kind] = &kind##_upstream,
#include "base/upstreams.def"
#undef UPSTREAM
};

const struct upstream_kind *upstream_kind_find(enum upstream_type type) { return kinds[type]; }

static struct runner *runner_of(struct upstream *u) { return (struct runner *)(void *)u; }
static_assert(offsetof(struct runner, u) == 0, "an upstream is the beginning of its runner");

void upstream_acked(struct upstream *u, uint64_t next_seq, uint64_t events, uint64_t bytes)
{
    if (next_seq > u->first_seq) {
        u->first_seq = next_seq;
        u->acked = next_seq;
    }
    u->sent += events;
    u->bytes += bytes;
    if (events)
        u->last_sent = clock_now();
}

void upstream_refuse(struct upstream *u, const struct event *ev, const char *reason)
{
    char seq[24];

    u->refused++;
    log_line(LOG_ERROR, "an event cannot be passed on, the upstream goes on behind it; it stays in the store", "saqshy.upstream", u->conf->name,
             "saqshy.seq", log_num((long long)ev->seq, seq), "error.message", reason, NULL);
}

bool upstream_stopping(struct upstream *u)
{
    struct runner *r = runner_of(u);
    struct pollfd p = { u->stop_fd, POLLIN, 0 };

    if (!r->stop_at && poll(&p, 1, 0) > 0)
        r->stop_at = clock_steady();
    return r->stop_at != 0;
}

int upstream_wait(struct upstream *u, int fd, short events, int wait_ms)
{
    struct runner *r = runner_of(u);
    time_ns end = clock_steady() + wait_ms * NS_PER_MS, grace = r->connected ? UPSTREAM_GRACE_MS * NS_PER_MS : 0;

    for (;;) {
        bool stopping = upstream_stopping(u);
        struct pollfd p[2] = { { fd, events, 0 }, { stopping ? -1 : u->stop_fd, POLLIN, 0 } };
        time_ns now = clock_steady(), until = stopping && r->stop_at + grace < end ? r->stop_at + grace : end;
        int rc;

        if (stopping && now >= r->stop_at + grace)
            return -EINTR;
        rc = poll(p, 2, until > now ? (int)((until - now + NS_PER_MS - 1) / NS_PER_MS) : 0);
        if (rc > 0 && p[0].revents)
            return p[0].revents;
        if (rc == 0 && clock_steady() >= end)
            return 0;
        if (rc < 0 && errno != EINTR)
            return 0;
    }
}

int upstream_bad(const struct upstream_conf *c, const char *file, const char *option, struct err *e, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    int line = c->line, column = c->column;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (size_t i = 0; option && i < c->option_count; i++)
        if (strcmp(c->options[i].name, option) == 0) {
            line = c->options[i].line;
            column = c->options[i].column;
        }
    return err_line(e, -EINVAL, file, line, column, "upstream \"%s\": %s", c->name, text);
}

int upstream_only(const struct upstream_conf *c, const char *file, const char *const *names, struct err *e)
{
    for (size_t i = 0; i < c->option_count; i++) {
        bool known = false;

        for (const char *const *n = names; *n; n++)
            known = known || strcmp(*n, c->options[i].name) == 0;
        if (!known)
            return upstream_bad(c, file, c->options[i].name, e, "unknown option \"%s\" of the kind %s", c->options[i].name, upstream_type_name(c->type));
    }
    return 0;
}

bool upstream_whole(const struct upstream_conf *c, const char *name, uint64_t least, uint64_t most, uint64_t *out)
{
    const char *s = upstream_option(c, name);
    uint64_t n;

    if (!s || !*s)
        return true;
    if (!str_u64(str_c(s), &n) || n < least || n > most)
        return false;
    *out = n;
    return true;
}

static int check_one(const struct upstream_conf *c, const char *file, struct err *e)
{
    struct query *q = NULL;
    struct err why = { 0 };

    if (query_parse(str_c(c->filter), &q, &why) < 0)
        return err_line(e, -EINVAL, file, c->filter_line, c->filter_column, "filter of upstream \"%s\": %.300s", c->name, why.text);
    query_free(&q);
    return kinds[c->type]->check ? kinds[c->type]->check(c, file, e) : 0;
}

int forward_check(const struct upstream_table *t, const char *file, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->count; i++)
        rc = check_one(&t->items[i], file, e);
    return rc;
}

void forward_rights(const struct upstream_table *t, const struct upstream_rights *r)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct upstream_conf *c = &t->items[i];
        const char *const files[] = { c->authority, c->certificate, c->key };
        char host[UPSTREAM_HOST_MAX + 1];
        uint16_t port;

        if (upstream_host(c->address, host, &port))
            r->connect(r->arg, port);
        for (size_t k = 0; k < COUNT(files); k++)
            if (*files[k])
                r->read(r->arg, files[k]);
        if (kinds[c->type]->rights)
            kinds[c->type]->rights(c, r);
    }
}
