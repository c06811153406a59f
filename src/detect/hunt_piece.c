/* hunt_piece.c - a piece of a file becomes events, and events become matches; see hunt_internal.h. */
#include "detect/hunt_internal.h"

bool piece_full(const struct piece *p) { return p->count == PIECE_ITEMS || p->texts.used_bytes >= PIECE_BYTES; }

int piece_add(struct piece *p, struct str text, uint64_t record, bool cut, bool split)
{
    struct str copy = arena_copy(&p->texts, text);

    if (!copy.p || p->count == PIECE_ITEMS)
        return -E2BIG;
    p->items[p->count++] = (struct item){ copy, record, cut, split };
    return 0;
}

void piece_reset(struct piece *p)
{
    arena_reset(&p->texts);
    event_batch_reset(&p->events);
    buf_reset(&p->records);
    buf_reset(&p->out);
    buf_reset(&p->complaints);
    p->stats = (struct hunt_stats){ 0 };
    p->count = 0;
    p->rc = 0;
    p->err = (struct err){ 0 };
}

/* --- matching --- */

int piece_match(struct hunt *h, struct sigma_run *run, struct piece *p, uint64_t record, const struct event *ev, struct err *e)
{
    const struct sigma_match *m;
    int n;

    if (h->to.each)
        return h->to.each(h->to.arg, p->path, record, ev, &p->out);
    n = sigma_run_event(run, ev, false, &m, e);

    if (n <= 0)
        return n;
    p->stats.matches += (uint64_t)n;
    return h->to.sink(h->to.arg, p->path, record, ev, m, (size_t)n, &p->out);
}

/* broken - told later, by the owner: number, length, text. */
static void broken(struct piece *p, uint64_t record, const char *why)
{
    p->stats.broken++;
    buf_le64(&p->complaints, record);
    buf_varstr(&p->complaints, str_c(why));
}

/* room_for_event - in the batch; where nobody keeps events it is emptied before. */
static struct event *room_for_event(struct worker *w, struct piece *p)
{
    if (w->run)
        event_batch_reset(&p->events);
    return event_batch_add(&p->events);
}

/* seen - an event is whole: matched now, or kept for the owner. */
static int seen(struct worker *w, struct piece *p, uint64_t record, struct event *ev)
{
    int rc = classify_event(w->types, ev, &p->events.arena, NULL, &p->err);

    if (rc < 0)
        return rc;
    p->stats.events++;
    if (w->run)
        return piece_match(w->hunt, w->run, p, record, ev, &p->err);
    buf_le64(&p->records, record);
    return 0;
}

/* --- lines and values --- */

static struct parse_hints hints_of(const struct piece *p)
{
    return (struct parse_hints){ .received = p->received, .zone_min = EVENT_OFFSET_NONE, .path = str_c(p->path) };
}

static int one_line(struct worker *w, struct piece *p, const struct item *i)
{
    struct parse_hints hints = hints_of(p);
    struct event *ev = room_for_event(w, p);

    if (!ev)
        return err_set(&p->err, -ENOMEM, "no memory for an event");
    hints.truncated = i->cut;
    hints.split = i->split;
    parse_line(w->hunt->parser, i->text, &hints, &p->events.arena, ev);
    return seen(w, p, i->record, ev);
}

static int one_value(struct worker *w, struct piece *p, const struct item *i)
{
    struct event *ev;
    struct err why;
    int rc;

    if (w->run)
        event_batch_reset(&p->events);
    rc = hunt_json_event(i->text, &p->events, &why);
    if (rc == -EBADMSG) {
        broken(p, i->record, why.text);
        return 0;
    }
    if (rc < 0)
        return err_set(&p->err, rc, "%s", why.text);
    ev = &p->events.items[p->events.count - 1];
    if (ev->marks & MARK_NO_TIME)
        ev->time = ev->received = p->received;
    return seen(w, p, i->record, ev);
}

/* --- event logs --- */

static int one_record(struct worker *w, struct piece *p, const struct evtx_record *r)
{
    struct parse_hints hints = hints_of(p);
    struct event *ev = room_for_event(w, p);
    struct evtx_record own = *r;

    if (!ev || (!w->run && evtx_keep(r, &p->events.arena, &own) < 0))
        return err_set(&p->err, -ENOMEM, "no memory for an event");
    parse_evtx(w->hunt->parser, &own, &hints, &p->events.arena, ev);
    return seen(w, p, r->id, ev);
}

static int one_chunk(struct worker *w, struct piece *p, struct str bytes)
{
    struct evtx_record r;
    struct err why = { 0 };
    int rc = w->evtx ? 0 : evtx_new(&w->evtx, &p->err);

    if (rc < 0)
        return rc;
    (void)evtx_chunk(w->evtx, bytes);
    while ((rc = evtx_next(w->evtx, &r, &why)) != 0) {
        if (rc == -EBADMSG)
            broken(p, r.id, why.text);
        else if (rc < 0)
            return err_set(&p->err, rc, "%s", why.text);
        else if ((rc = one_record(w, p, &r)) < 0)
            return rc;
    }
    return 0;
}

void piece_work(struct hunt *h, struct worker *w, struct piece *p)
{
    w->hunt = h;
    for (size_t i = 0; i < p->count && p->rc == 0; i++)
        switch (p->kind) {
        case PIECE_LINES:
            p->rc = one_line(w, p, &p->items[i]);
            break;
        case PIECE_VALUES:
            p->rc = one_value(w, p, &p->items[i]);
            break;
        case PIECE_CHUNK:
            p->rc = one_chunk(w, p, p->items[i].text);
            break;
        }
}
