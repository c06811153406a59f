/* hunt_evtx.c - event logs of Windows through the rules, a chunk at a time; see hunt.h and parse/evtx.h. */
#include <unistd.h>

#include "detect/hunt_internal.h"

static int one_record(struct hunt *h, struct source *s, const struct evtx_record *r, struct err *e)
{
    struct parse_hints hints = { .received = s->received, .zone_min = EVENT_OFFSET_NONE, .path = str_c(s->path) };
    struct event *ev;

    event_batch_reset(&h->batch);
    ev = event_batch_add(&h->batch);
    if (!ev)
        return err_set(e, -ENOMEM, "no memory for an event");
    parse_evtx(h->parser, r, &hints, &h->batch.arena, ev);
    return hunt_look(h, s, e);
}

static int one_chunk(struct hunt *h, struct source *s, struct str bytes, struct err *e)
{
    struct evtx_record r;
    int rc;

    (void)evtx_chunk(h->evtx, bytes);
    while ((rc = evtx_next(h->evtx, &r, e)) != 0) {
        s->record++;
        if (rc == -EBADMSG)
            hunt_broken(s, e->text);
        else if (rc < 0 || (rc = one_record(h, s, &r, e)) < 0)
            return rc;
    }
    return 0;
}

/* whole_chunk - n bytes stand in the window, or all that the file still has. */
static int whole_chunk(struct source *s, size_t n, struct err *e)
{
    int rc = 0;

    while (rc == 0 && s->window.n - s->at < n && !s->end)
        rc = hunt_more(s, e);
    return rc;
}

int hunt_evtx(struct hunt *h, struct source *s, struct err *e)
{
    uint64_t skip;
    int rc = h->evtx ? 0 : evtx_new(&h->evtx, e);

    if (rc == 0)
        rc = whole_chunk(s, EVTX_HEAD_BYTES, e);
    skip = evtx_start(buf_view(&s->window));
    if (rc == 0)
        rc = whole_chunk(s, skip, e);
    s->at = min_size(skip, s->window.n);
    while (rc == 0 && (rc = whole_chunk(s, EVTX_CHUNK_BYTES, e)) == 0 && s->at < s->window.n) {
        size_t n = min_size(EVTX_CHUNK_BYTES, s->window.n - s->at);

        rc = one_chunk(h, s, str_of(s->window.p + s->at, n), e);
        s->at += n;
    }
    return rc;
}
