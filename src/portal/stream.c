/* stream.c - server-sent events: what changed at the desk, and events as they are stored.
 *
 * Changes come from the desk's threads by portal_changed into a bounded list. The loop tells administrators and analysts at once. An
 * officer may know of their own organisation's cases only, and only the desk can say which those are: a job asks it for each change and
 * each organisation that watches, and then the loop sends. If too much waits, clients are disconnected: the page connects anew and
 * fetches everything, so nothing is missed. */
#include "desk/scope.h"
#include "portal/internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VIEWERS_MAX 32   /* people, asked for in one job */

void stream_free(struct stream **s)
{
    if (!*s)
        return;
    tail_release(&(*s)->sub);
    free(*s);
    *s = NULL;
}

static void stream_write(struct conn *c, struct str text)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);

    /* Too slow to be told everything: the next sweep ends it, and the page comes again and fetches what it missed. */
    if (evbuffer_get_length(out) > STREAM_QUEUE_MAX) {
        c->since = clock_steady() - STREAM_LIFE_NS;
        return;
    }
    evbuffer_add(out, text.p, text.n);
    c->beat = clock_steady();
}

bool stream_admit(const struct portal *p, const struct stream *s)
{
    size_t same = 0;

    for (const struct conn *c = p->conns; c; c = c->next)
        same += c->state == CONN_STREAM && c->stream->viewer.user_id == s->viewer.user_id;
    return p->stream_count < STREAMS_MAX && same < STREAMS_PER_USER;
}

void stream_begin(struct conn *c, struct stream *s)
{
    struct portal *p = c->portal;

    c->stream = s;
    c->state = CONN_STREAM;
    c->since = clock_steady();
    p->stream_count++;
    metric_set(p->m.streams, (int64_t)p->stream_count);
    stream_write(c, STR("retry: 3000\n: welcome\n\n"));
}

void stream_end(struct conn *c)
{
    c->portal->stream_count--;
    metric_set(c->portal->m.streams, (int64_t)c->portal->stream_count);
    stream_free(&c->stream);
}

void stream_end_of(struct portal *p, int64_t session, int64_t user)
{
    struct conn *next;

    for (struct conn *c = p->conns; c; c = next) {
        next = c->next;
        if (c->state == CONN_STREAM &&
            ((session && c->stream->viewer.session_id == session) || (user && c->stream->viewer.user_id == user)))
            conn_close(c);
    }
}

void stream_beat(struct conn *c, int64_t now)
{
    bool stuck = evbuffer_get_length(bufferevent_get_output(c->bev)) > 0 && now - c->beat > SEND_NS;

    if (stuck || now - c->since >= STREAM_LIFE_NS)
        conn_close(c);
    else if (now - c->beat > HEARTBEAT_NS)
        stream_write(c, STR(": still here\n\n"));
}

void stream_tails(struct portal *p)
{
    struct conn *next;
    uint64_t told;

    if (read(tail_fd(p->tail), &told, sizeof told) < 0)
        return;
    for (struct conn *c = p->conns; c; c = next) {
        AUTO_BUF struct buf text = { 0 };
        uint64_t dropped = 0;

        next = c->next;
        if (c->state != CONN_STREAM || c->stream->kind != STREAM_TAIL)
            continue;
        /* A slow reader: leave it with the subscription, which is bounded and counts what it drops. */
        if (evbuffer_get_length(bufferevent_get_output(c->bev)) > STREAM_QUEUE_MAX)
            continue;
        buf_init(&text, 32 * MIB);
        tail_take(c->stream->sub, &text, &dropped);
        if (dropped) {
            metric_add(p->m.dropped, (int64_t)dropped);
            buf_printf(&text, "event: dropped\ndata: {\"count\":%llu}\n\n", (unsigned long long)dropped);
        }
        if (text.n && !buf_failed(&text))
            stream_write(c, buf_view(&text));
    }
}

/* --- changes --- */

void portal_changed(void *arg, const char *type, const char *id)
{
    struct portal *p = arg;
    uint64_t one = 1;
    bool known = false;

    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->change_count && !known; i++)
        known = strcmp(p->change[i].type, type) == 0 && strcmp(p->change[i].id, id) == 0;
    if (!known && p->change_count == CHANGES_MAX)
        p->change_lost = true;
    else if (!known) {
        struct change *c = &p->change[p->change_count++];

        snprintf(c->type, sizeof c->type, "%s", type);
        snprintf(c->id, sizeof c->id, "%s", id);
    }
    pthread_mutex_unlock(&p->lock);
    if (write(p->changed_fd, &one, sizeof one) < 0)
        return; /* the counter is full: the loop has been told */
}

/* One job: which of these changes may each of these viewers know? */
struct filter_job {
    struct job     job;
    struct portal *portal;
    size_t         change_count, viewer_count;
    struct change  change[CHANGES_MAX];
    struct viewer  viewer[VIEWERS_MAX];
    bool           seen[VIEWERS_MAX][CHANGES_MAX];
};

/* viewer_knows - a failure of the desk tells nobody anything. */
static bool viewer_knows(struct desk *d, const struct viewer *v, const struct change *c)
{
    bool knows = false;
    struct err e;

    return desk_knows(d, v, str_c(c->type), str_c(c->id), &knows, &e) == 0 && knows;
}

static void filter_run(struct job *j, unsigned worker)
{
    struct filter_job *f = (struct filter_job *)(void *)j;

    for (size_t v = 0; v < f->viewer_count; v++)
        for (size_t c = 0; c < f->change_count; c++)
            f->seen[v][c] = viewer_knows(f->portal->desk[worker], &f->viewer[v], &f->change[c]);
}

static void tell(struct conn *c, const struct change *ch)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    buf_str(&b, STR("data: {\"type\":"));
    buf_json(&b, str_c(ch->type));
    buf_str(&b, STR(",\"id\":"));
    buf_json(&b, str_c(ch->id));
    buf_str(&b, STR("}\n\n"));
    stream_write(c, buf_view(&b));
}

static bool watches(const struct conn *c)
{
    return c->state == CONN_STREAM && c->stream->kind == STREAM_CHANGES;
}

static bool is_officer(const struct conn *c)
{
    return scope_of(&c->stream->viewer).bounded;
}

static void filter_done(struct job *j)
{
    struct filter_job *f = (struct filter_job *)(void *)j;

    for (struct conn *c = f->portal->conns; c; c = c->next)
        for (size_t v = 0; watches(c) && is_officer(c) && v < f->viewer_count; v++) {
            if (c->stream->viewer.user_id != f->viewer[v].user_id)
                continue;
            for (size_t i = 0; i < f->change_count; i++)
                if (f->seen[v][i])
                    tell(c, &f->change[i]);
        }
    free(f);
}

static void close_watchers(struct portal *p, bool officers_only)
{
    struct conn *next;

    for (struct conn *c = p->conns; c; c = next) {
        next = c->next;
        if (watches(c) && (!officers_only || is_officer(c)))
            conn_close(c);
    }
}

/* is_first - one connection stands for all of a person; not for their organisation, for a label may name some of its people alone. */
static bool is_first(const struct portal *p, const struct conn *c)
{
    const struct conn *one = p->conns;

    while (!(watches(one) && is_officer(one) && one->stream->viewer.user_id == c->stream->viewer.user_id))
        one = one->next;
    return one == c;
}

static void ask_for_officers(struct portal *p, const struct change *changes, size_t count)
{
    struct filter_job *f = NULL;
    struct conn *next;

    for (struct conn *c = p->conns; c; c = next) {
        next = c->next;
        if (!watches(c) || !is_officer(c) || !is_first(p, c))
            continue;
        if (!f) {
            f = calloc(1, sizeof *f);
            if (!f) {
                close_watchers(p, true);
                return;
            }
            f->portal = p;
            f->change_count = count;
            memcpy(f->change, changes, count * sizeof *changes);
            f->job.run = filter_run;
            f->job.done = filter_done;
        }
        f->viewer[f->viewer_count++] = c->stream->viewer;
        if (f->viewer_count < VIEWERS_MAX)
            continue;
        if (pool_submit(p->pool, &f->job, LANE_DESK) < 0) {
            free(f);
            close_watchers(p, true);   /* they begin anew and see what is */
            return;
        }
        f = NULL;
    }
    if (f && pool_submit(p->pool, &f->job, LANE_DESK) < 0) {
        free(f);
        close_watchers(p, true);
    }
}

void stream_changes(struct portal *p)
{
    struct change changes[CHANGES_MAX];
    size_t count;
    uint64_t told;
    bool lost;

    if (read(p->changed_fd, &told, sizeof told) < 0)
        return;
    pthread_mutex_lock(&p->lock);
    count = p->change_count;
    memcpy(changes, p->change, count * sizeof *changes);
    lost = p->change_lost;
    p->change_count = 0;
    p->change_lost = false;
    pthread_mutex_unlock(&p->lock);
    if (lost) {
        close_watchers(p, false);
        return;
    }
    for (struct conn *c = p->conns; c; c = c->next)
        for (size_t i = 0; watches(c) && !is_officer(c) && i < count; i++)
            if (c->stream->viewer.role != DESK_ADMINISTRATOR || strcmp(changes[i].type, "inbox") != 0)
                tell(c, &changes[i]);
    if (count)
        ask_for_officers(p, changes, count);
}
