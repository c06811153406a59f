/* resend.c - events once more to an upstream, by whoever reads them again (saqshy replay), beside the role and without its place in the journal.
 *
 * The numbering is one of its own, with a new name: another Saqshy so stores what it may have already, which is what was asked for. One connection, one
 * try: what was acknowledged before a failure stays sent, and whoever asked is told up to where. */
#include "forward/internal.h"

#include <sys/eventfd.h>
#include <sys/random.h>

#define WAIT_MS      500
#define PATIENCE_NS  (60 * NS_PER_SECOND)   /* without any acknowledgement */
#define LOOK_EVENTS  UPSTREAM_PORTION

struct resend {
    struct runner r;      /* first: the functions of upstream.h find it by its upstream */
    uint64_t      next;
};

int resend_open(const struct upstream_conf *c, const char *data, struct resend **out, struct err *e)
{
    struct resend *s = calloc(1, sizeof *s);
    unsigned char raw[12];
    struct runner *r;
    size_t n;
    int rc;

    *out = NULL;
    if (!s)
        return err_set(e, -ENOMEM, "no memory for an upstream");
    r = &s->r;
    pthread_mutex_init(&r->lock, NULL);
    r->u.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = r->u.stop_fd < 0 ? err_sys(e, "could not make an event descriptor") : 0;
    if (rc == 0 && getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        rc = err_sys(e, "could not draw a name");
    n = (size_t)snprintf(r->u.stream, sizeof r->u.stream, "replay-");
    for (size_t i = 0; i < sizeof raw; i++)
        n += (size_t)snprintf(r->u.stream + n, sizeof r->u.stream - n, "%02x", raw[i]);
    if (rc == 0 && upstream_conf_copy(c, &r->conf) < 0)
        rc = err_set(e, -ENOMEM, "no memory for an upstream");
    if (rc == 0)
        rc = query_parse(str_c(r->conf.filter), &r->query, e);
    r->u.kind = upstream_kind_find(c->type);
    r->u.conf = &r->conf;
    r->u.data = data;
    r->u.acked = 1;
    r->u.first_seq = s->next = 1;
    if (rc == 0)
        rc = r->u.kind->open(&r->u, e);
    if (rc == 0)
        rc = r->u.kind->connect(&r->u, e);
    r->connected = rc == 0;
    if (rc < 0)
        resend_close(&s);
    *out = s;
    return rc;
}

/* settled - wait until everything is acknowledged (all), or until more may be sent. */
static int settled(struct resend *s, bool all, struct err *e)
{
    struct upstream *u = &s->r.u;
    time_ns since = clock_steady();
    uint64_t acked = u->first_seq;

    for (;;) {
        int rc = u->kind->settle(u, WAIT_MS, e);

        if (rc <= 0)
            return rc;
        if (!all && u->first_seq > acked)
            return 0;
        if (u->first_seq > acked)
            since = clock_steady();
        acked = u->first_seq;
        if (clock_steady() - since > PATIENCE_NS)
            return err_set(e, -ETIMEDOUT, "upstream \"%s\" acknowledges nothing", s->r.conf.name);
    }
}

int resend_event(struct resend *s, const struct event *ev, struct err *e)
{
    struct event one = *ev;
    int rc;

    if (!query_match(s->r.query, ev))
        return 0;
    one.seq = s->next++;
    rc = s->r.u.kind->send(&s->r.u, &one, 1, s->next, e);
    if (rc == 0 && s->next % LOOK_EVENTS == 0)
        rc = s->r.u.kind->settle(&s->r.u, 0, e) < 0 ? -EIO : 0;
    else if (rc == 1)
        rc = settled(s, false, e);
    return rc;
}

int resend_end(struct resend *s, struct err *e) { return settled(s, true, e); }

uint64_t resend_sent(const struct resend *s) { return s->r.u.first_seq - 1 - s->r.u.refused; }
uint64_t resend_refused(const struct resend *s) { return s->r.u.refused; }

void resend_close(struct resend **p)
{
    struct resend *s = *p;

    if (!s)
        return;
    if (s->r.u.state) {
        s->r.u.kind->disconnect(&s->r.u);
        s->r.u.kind->close(&s->r.u);
    }
    if (s->r.u.stop_fd >= 0)
        close(s->r.u.stop_fd);
    query_free(&s->r.query);
    upstream_conf_free(&s->r.conf);
    pthread_mutex_destroy(&s->r.lock);
    free(s);
    *p = NULL;
}
