/* wef_take.c - the worker's side: messages become events, answers, and marks; see wef.h.
 *
 * Events of a subscription that is there no more are stored as well: the machine sends them until it asks again, and then is told of it. */
#include "ingest/wef_take.h"
#include "base/log.h"
#include "parse/encoding.h"
#include "parse/forms.h"

#define COMPUTER_LOOK 4096        /* System comes first in an event */

static struct wef_marks *taking_marks(struct taking *t) { return taking_ingest(t)->wef->marks; }

/* plain - the body in UTF-8: as its mark says, or its zero bytes, or the header. */
static struct str plain(struct wef_note *n, struct str body, struct arena *a)
{
    enum encoding e = encoding_of_file(body);

    if (e != ENCODING_UTF16LE && e != ENCODING_UTF16BE && n->utf16 && body.n >= 2 && *body.p == '<' && body.p[1] == 0)
        e = ENCODING_UTF16LE;
    n->utf16_answer = e == ENCODING_UTF16LE || e == ENCODING_UTF16BE;
    if (n->utf16_answer)
        return encoding_decode(e, body, a);
    return str_starts(body, STR("\xEF\xBB\xBF")) ? str_cut(body, 3) : body;
}

static struct str element(struct str event, struct str open, struct str close)
{
    struct str head = str_of(event.p, min_size(event.n, COMPUTER_LOOK));
    ptrdiff_t at = str_find(head, open), end;

    if (at < 0)
        return str_of(NULL, 0);
    head = str_cut(head, (size_t)at + open.n);
    end = str_find(head, close);
    return end < 0 || end > EVENT_NAME_MAX ? str_of(NULL, 0) : str_trim(str_of(head.p, (size_t)end));
}

/* same_computer - "win10.corp.example" and "WIN10" are one: an event has either. */
static bool same_computer(struct str machine, struct str computer)
{
    ptrdiff_t dot = str_chr(machine, '.'), other = str_chr(computer, '.');

    if (str_ieq(machine, computer))
        return true;
    if (dot >= 0 && other >= 0)
        return false;
    return str_ieq(dot < 0 ? machine : str_of(machine.p, (size_t)dot), other < 0 ? computer : str_of(computer.p, (size_t)other));
}

static int take_event(struct taking *t, struct wef_note *n, struct str event, struct err *e)
{
    struct pile *p = taking_pile(t);
    struct str computer = element(event, STR("<Computer>"), STR("</Computer>"));
    bool foreign = computer.n && !same_computer(p->agent, computer);
    struct attrs fields = { .count = 0 };
    struct record r = { .text = event, .zone_min = EVENT_OFFSET_NONE, .host = foreign || !computer.n ? computer : p->agent, .fields = &fields };

    p->relay = foreign;     /* then the source is MACHINE/COMPUTER */
    fields.items[fields.count++] = (struct attr){ STR("tls.client.x509.subject.common_name"), p->agent };
    if (foreign) {
        n->foreign++;
        fields.items[fields.count++] = (struct attr){ STR("tags"), STR("computer-differs-from-certificate") };
    }
    return take_record(t, &r, e);
}

static uint64_t hash_of(const struct wef_message *m)
{
    uint64_t sum[2] = { 0, str_hash(m->rest) };

    for (size_t i = 0; i < m->count; i++) {
        sum[0] = str_hash(m->events[i]);
        sum[1] = str_hash(str_of((const char *)sum, sizeof sum));
    }
    return sum[1];
}

static void see(struct taking *t, const struct wef_note *n, enum wef_seen what, const struct wef_message *m, int64_t events, struct str subscription)
{
    const struct pile *p = taking_pile(t);
    struct wef_sight s = { .what = what, .machine = p->agent, .subscription = subscription, .version = what == WEF_SEEN_ENUMERATE ? str_of(NULL, 0) : m->identifier,
                           .address = str_c(p->peer), .events = events, .foreign = n->foreign, .at = p->received };
    uint64_t fault;

    if (m->fault.n && str_u64(m->fault, &fault) && fault <= UINT32_MAX)
        s.fault = (uint32_t)fault;
    wef_marks_see(taking_marks(t), &s);
}

static int store_events(struct taking *t, struct wef_note *n, const struct wef_message *m, struct err *e)
{
    bool known = wef_set_find(n->set, str_c(n->id)) != NULL;
    struct pile *p = taking_pile(t);
    int rc = 0;

    n->hash = hash_of(m);
    n->foreign = n->events = 0;
    if (known && m->bookmark.n && (m->count || m->rest.n) && wef_marks_repeated(taking_marks(t), p->agent, str_c(n->id), m->bookmark, n->hash)) {
        p->repeats = (int64_t)m->count + (m->rest.n > 0);
        see(t, n, WEF_SEEN_REPEAT, m, p->repeats, str_c(n->id));
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < m->count; i++)
        rc = take_event(t, n, m->events[i], e);
    if (rc == 0 && m->rest.n)
        rc = take_record(t, &(struct record){ .text = m->rest, .zone_min = EVENT_OFFSET_NONE }, e);
    if (rc < 0 || !known)
        return rc;
    n->events = (int64_t)m->count + (m->rest.n > 0);
    if (m->bookmark.n) {
        n->bookmark = strndup(m->bookmark.p, m->bookmark.n);
        if (!n->bookmark)
            return err_set(e, -ENOMEM, "no memory for a bookmark");
    }
    snprintf(n->version, sizeof n->version, "%.*s", STR_ARG(m->identifier));
    n->moved = true;
    return 0;
}

static void enumerate(struct taking *t, struct wef_note *n, const struct wef_message *m, struct buf *out)
{
    struct pile *p = taking_pile(t);
    struct wef_asker to = { .host = str_c(n->host), .issuer = str_c(n->issuer), .machine = p->agent };

    wef_enumerate_begin(out, m);
    for (size_t i = 0; i < n->set->count; i++) {
        const struct wef_subscription *s = &n->set->item[i];

        if (!wef_subscription_for(s, p->agent))
            continue;
        wef_enumerate_item(out, s, &to, wef_marks_bookmark(taking_marks(t), p->agent, str_c(s->id), taking_arena(t)));
        see(t, n, WEF_SEEN_ENUMERATE, m, 0, str_c(s->id));
    }
    wef_enumerate_end(out);
}

/* ended - a machine cancels a subscription: for people, with the number that Windows gives the reason. */
static void ended(struct taking *t, const struct wef_note *n, const struct wef_message *m)
{
    const struct pile *p = taking_pile(t);
    struct str status = m->status;
    char reason[200];

    for (ptrdiff_t at; (at = str_chr(status, '/')) >= 0;)
        status = str_cut(status, (size_t)at + 1);
    snprintf(reason, sizeof reason, "%.100s %.40s", status.n ? arena_copy(taking_arena(t), status).p : "", m->fault.n ? arena_copy(taking_arena(t), m->fault).p : "");
    if (wef_set_find(n->set, str_c(n->id)))
        see(t, n, WEF_SEEN_END, m, 0, str_c(n->id));
    log_line(LOG_INFO, "a machine of Windows ended a subscription", "host.name", p->agent_text, "saqshy.subscription", n->id, "event.reason", reason, NULL);
}

static int act(struct taking *t, struct wef_note *n, const struct wef_message *m, struct buf *out, struct err *e)
{
    int rc = 0;

    switch (m->action) {
    case WEF_ENUMERATE:
        enumerate(t, n, m, out);
        return 0;
    case WEF_EVENTS:
        rc = store_events(t, n, m, e);
        break;
    case WEF_HEARTBEAT:
        if (wef_set_find(n->set, str_c(n->id)))
            see(t, n, WEF_SEEN_HEARTBEAT, m, 0, str_c(n->id));
        break;
    case WEF_SUBSCRIPTION_END:
        ended(t, n, m);
        break;
    case WEF_END:
        n->end = true;
        return 0;
    case WEF_UNKNOWN:
        return err_set(e, -EBADMSG, "this action is not known here: Enumerate, Events, Heartbeat, SubscriptionEnd and End are");
    }
    if (rc == 0)
        wef_ack(out, m);
    return rc;
}

static int decode(struct taking *t, struct str body, struct err *e)
{
    AUTO_BUF struct buf answer = { 0 }, unpacked = { 0 };
    struct pile *p = taking_pile(t);
    struct wef_note *n = p->note;
    struct wef_message m;
    struct str text;
    int rc;

    free(n->bookmark);      /* a group may be done again */
    n->bookmark = NULL;
    n->moved = n->end = false;
    if (body.n == 0)
        return 0;           /* a client looks whether we are there, before it says anything */
    buf_init(&answer, ANSWER_BYTES_MAX);
    buf_init(&unpacked, BODY_PLAIN_MAX);
    if (n->sldc) {          /* End says so too, and is not */
        rc = wef_sldc(body, &unpacked, e);
        if (rc == -E2BIG)
            return rc;
        if (rc == 0) {
            struct str copy = arena_copy(taking_arena(t), buf_view(&unpacked));     /* events are views into it */

            if (!copy.p)
                return err_set(e, -ENOMEM, "no memory for a message");
            body = copy;
        }
    }
    text = plain(n, body, taking_arena(t));
    if (!text.p)
        return err_set(e, -ENOMEM, "no memory for a message");
    rc = wef_read(text, taking_arena(t), &m, e);
    if (rc == 0)
        rc = act(t, n, &m, &answer, e);
    if (rc < 0)
        return rc;
    if (n->utf16_answer && answer.n)
        wef_utf16(&p->answer, buf_view(&answer));
    else
        buf_str(&p->answer, buf_view(&answer));
    return buf_failed(&answer) || buf_failed(&p->answer) ? err_set(e, -ENOMEM, "no memory for an answer") : 0;
}

/* keep - the bookmark of one pile that is on disk. */
static int keep(struct wef_marks *marks, const struct pile *p, const struct wef_note *n, struct err *e)
{
    struct wef_move to = { .machine = p->agent, .subscription = str_c(n->id), .version = str_c(n->version), .hash = n->hash, .at = p->received };
    struct wef_sight s = { .what = WEF_SEEN_EVENTS, .machine = p->agent, .subscription = str_c(n->id), .version = str_c(n->version), .address = str_c(p->peer),
                           .events = n->events, .foreign = n->foreign, .at = p->received };

    wef_marks_see(marks, &s);
    if (!n->bookmark)
        return 0;
    to.bookmark = str_c(n->bookmark);
    return wef_marks_move(marks, &to, e);
}

/* committed - the events are on disk: now their bookmarks, then the answers. A machine whose bookmark cannot be kept is not acknowledged: it sends the
 * batch again, which is then known. */
static void committed(struct ingest *in, struct pile *list)
{
    struct err e = { 0 };
    int rc = 0;

    for (struct pile *p = list; p; p = p->next) {
        struct wef_note *n = p->decoder == &wef_decoder ? p->note : NULL;

        if (rc == 0 && n && n->moved && p->status == 200)
            rc = keep(in->wef->marks, p, n, &e);
    }
    if (rc == 0)
        rc = wef_marks_sync(in->wef->marks, &e);
    for (struct pile *p = list; p; p = p->next) {
        struct wef_note *n = p->decoder == &wef_decoder ? p->note : NULL;

        if (rc < 0 && n && n->moved && p->status == 200) {
            p->status = 503;
            snprintf(p->reason, sizeof p->reason, "could not keep the bookmark, come again");
        }
        if (n)
            n->moved = false;
    }
    if (rc < 0)
        log_line(LOG_ERROR, "could not keep bookmarks of Windows machines, not acknowledging their events", "error.message", e.text, NULL);
}

const struct body_decoder wef_decoder = { "wef", decode, committed };
