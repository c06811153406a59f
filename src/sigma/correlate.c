/* correlate.c - an event that a correlation reads finds its group; does the correlation fire?
 *
 * gt, gte and the temporal types fire on the event that crosses. The group is then quiet for one timespan: its events are
 * counted, and it cannot fire; after that its window starts anew. The count that a finding tells runs over the whole
 * episode: from the first event until a timespan passes without one.
 *
 * What is judged at a window's end is judged when the next event of the group lies behind it, or when our own clock - the time at
 * which events were received - has passed it by saqshy.lateness: no source's clock ends the windows of another. An absence is a group
 * that our clock has not seen for one timespan. */
#include "sigma/groups.h"

#include <math.h>

#define KEY_MAX      (SIGMA_GROUP_TEXT_MAX + 72)   /* with the object */
#define FORGET_AFTER NS_PER_HOUR                   /* an agent that was offline sends its events in parts: a group waits for them so long */

int tracker_init(struct tracker *t, const struct sigma *s, bool loose, struct sigma_counters *c, struct err *e)
{
    *t = (struct tracker){ .set = s, .of = calloc(s->correlation_count + 1, sizeof *t->of), .counters = c, .loose = loose, .now = NEVER };
    buf_init(&t->ended_keys, SIGMA_STATE_BYTES_MAX);
    if (!t->of || !clocks_init(&t->clocks)) {
        tracker_free(t);
        return err_set(e, -ENOMEM, "no memory for correlations");
    }
    for (uint32_t i = 0; i < s->correlation_count; i++)
        if (!(t->of[i] = groups_new(s->correlations[i], &t->bytes))) {
            tracker_free(t);
            return err_set(e, -ENOMEM, "no memory for correlations");
        }
    return 0;
}

void tracker_free(struct tracker *t)
{
    for (uint32_t i = 0; t->of && i < t->set->correlation_count; i++)
        groups_free(&t->of[i]);
    free(t->of);
    clocks_free(&t->clocks);
    free(t->ended);
    buf_free(&t->ended_keys);
    *t = (struct tracker){ .set = t->set };
}

/* --- another set --- */

static void hand_over(struct tracker *to, uint32_t i, struct tracker *from, uint32_t k)
{
    struct groups *empty = to->of[i];

    to->of[i] = from->of[k];
    to->of[i]->c = to->set->correlations[i];
    to->of[i]->bytes_all = &to->bytes;
    to->bytes += to->of[i]->bytes;
    from->of[k] = empty;
    empty->bytes_all = &from->bytes;
    empty->c = from->set->correlations[k];
}

void tracker_adopt(struct tracker *to, struct tracker *from)
{
    struct clocks clocks = to->clocks;

    tracker_save_drop(to);
    tracker_save_drop(from);
    for (uint32_t i = 0; i < to->set->correlation_count; i++) {
        const struct correlation *c = to->set->correlations[i];
        struct str id = to->set->rules[c->rule].rule.id;

        for (uint32_t k = 0; k < from->set->correlation_count; k++) {
            const struct correlation *old = from->set->correlations[k];

            if (!groups_alike(old, c) || !str_eq(from->set->rules[old->rule].rule.id, id) || from->of[k]->count == 0)
                continue;
            hand_over(to, i, from, k);
            break;
        }
    }
    to->clocks = from->clocks;
    from->clocks = clocks;
    to->now = from->now;
}

/* --- keys --- */

struct key { char p[KEY_MAX]; size_t n; };

/* has_byte - of the eight in w one may be c: all are told that are, and sometimes one behind such a one. */
static uint64_t has_byte(uint64_t w, unsigned char c)
{
    w ^= c * UINT64_C(0x0101010101010101);
    return (w - UINT64_C(0x0101010101010101)) & ~w & UINT64_C(0x8080808080808080);
}

/* is_plain - nothing in it is escaped or replaced. Eight bytes at a time, the last eight once more. */
static bool is_plain(struct str s)
{
    uint64_t w = 0, odd = 0;
    size_t i = 0;

    for (; s.n - i >= 8; i += 8) {
        memcpy(&w, s.p + i, 8);
        odd |= has_byte(w, '|') | has_byte(w, '\\') | has_byte(w, KEY_OBJECT);
    }
    if (i < s.n) {
        w = 0;
        memcpy(&w, s.n >= 8 ? s.p + s.n - 8 : s.p, min_size(s.n, 8));
        odd |= has_byte(w, '|') | has_byte(w, '\\') | has_byte(w, KEY_OBJECT);
    }
    return !odd;
}

/* key_part - escaped, so that the bar between parts is told from one in a value. What has no room is left out, *more says so. */
static void key_part(struct key *k, struct str value, bool *more)
{
    if (value.n && k->n + value.n <= SIGMA_GROUP_TEXT_MAX && is_plain(value)) {
        memcpy(k->p + k->n, value.p, value.n);
        k->n += value.n;
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i] == KEY_OBJECT ? ' ' : value.p[i];
        bool escape = c == '|' || c == '\\';

        if (k->n + 1 + escape > SIGMA_GROUP_TEXT_MAX) {
            *more = true;
            return;
        }
        if (escape)
            k->p[k->n++] = '\\';
        k->p[k->n++] = c;
    }
}

/* field_value - the first value of a field; NIL if the event lacks it, or holds a null there. */
static uint32_t field_value(struct view *v, uint32_t field)
{
    uint32_t value = view_first(v, field);

    return value == NIL || !view_value(v, value)->raw.p ? NIL : value;
}

/* group_key - group-by values, folded, joined by '|'; false if the event lacks one. A long key is cut and ends in the hash of all. */
static bool group_key(const struct correlation *c, uint32_t ref, struct view *v, struct key *k)
{
    uint64_t hash = 0;
    bool more = false;

    k->n = 0;
    for (uint32_t g = 0; g < c->group_count; g++) {
        uint32_t value = field_value(v, c->alias[ref][g]);

        if (value == NIL)
            return false;
        if (g && k->n < SIGMA_GROUP_TEXT_MAX)
            k->p[k->n++] = '|';
        key_part(k, view_folded(v, value), &more);
    }
    for (uint32_t g = 0; more && g < c->group_count; g++)
        hash = hash * UINT64_C(0x9E3779B97F4A7C15) + str_hash(view_folded(v, view_first(v, c->alias[ref][g])));
    if (more) {
        k->n = SIGMA_GROUP_TEXT_MAX - 18;
        k->n += (size_t)snprintf(k->p + k->n, KEY_MAX - k->n, "~%016llx", (unsigned long long)hash);
    }
    if (c->per_object && v->ev->object.n) {
        size_t n = min_size(v->ev->object.n, 64);

        k->p[k->n++] = KEY_OBJECT;
        memcpy(k->p + k->n, v->ev->object.p, n);
        k->n += n;
    }
    return true;
}

/* take_value - what the kind looks at; false if the event lacks it, or it is no number where one is needed. */
static bool take_value(const struct correlation *c, struct view *v, struct arrival *a)
{
    for (uint32_t f = 0; f < c->field_count; f++) {
        uint32_t value = field_value(v, c->field[f]);

        if (value == NIL)
            return false;
        if (c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE)
            a->value = a->value * UINT64_C(0x9E3779B97F4A7C15) + str_hash(view_folded(v, value));
        else if (!number_parse(str_trim(view_value(v, value)->raw), &a->number))
            return false;
    }
    return true;
}

/* --- bounds --- */

/* drop_one - the group untouched for longest. It counts as evicted if something could still have come of it. False: there was no memory to tell. */
static bool drop_one(struct tracker *t, struct groups *g)
{
    const struct correlation *c = g->c;
    uint32_t oldest = groups_oldest(g, INT64_MAX, t->now);

    if (oldest == NIL)
        return false;
    if (g->lay.ends || t->now - group_seen(g, group_at(g, oldest), t->now) <= c->timespan + c->lateness) {
        g->evicted++;
        t->counters->evicted++;
    }
    groups_remove(g, oldest);
    return true;
}

/* make_room - within the memory of one correlation and of all; of all the largest gives. */
static bool make_room(struct tracker *t, struct groups *g)
{
    while (g->count && g->bytes >= SIGMA_STATE_BYTES_MAX)
        if (!drop_one(t, g))
            return false;
    while (t->bytes >= SIGMA_STATE_BYTES_ALL) {
        struct groups *largest = g;

        for (uint32_t i = 0; i < t->set->correlation_count; i++)
            if (t->of[i]->bytes > largest->bytes)
                largest = t->of[i];
        if (!largest->count)
            return true;
        if (!drop_one(t, largest))
            return false;
    }
    return true;
}

/* forget - groups that nothing can come of any more. */
static void forget(struct tracker *t, struct groups *g)
{
    time_ns before = t->now - g->c->timespan - FORGET_AFTER;

    if (g->lay.ends)
        return;
    for (uint32_t i; (i = groups_oldest(g, before, t->now)) != NIL;)
        groups_remove(g, i);
}

static uint32_t group_of(struct tracker *t, struct groups *g, const struct key *k)
{
    struct str key = str_of(k->p, k->n);
    struct siphash hash;
    uint32_t i;

    if (!make_room(t, g))
        return NIL;
    i = groups_find(g, key, &hash);
    if (i != NIL)
        return i;
    forget(t, g);
    if (g->count == SIGMA_GROUPS_MAX && !drop_one(t, g))
        return NIL;
    return groups_add(g, key, hash);
}

/* --- events --- */

void tracker_event(struct tracker *t, const struct event *ev)
{
    time_ns now;

    t->moment = event_moment(ev);
    now = t->loose || ev->received == 0 ? t->moment : moment_within(ev->received);
    t->now = now > t->now ? now : t->now;
    t->source = NIL;
    t->ended_count = 0;
    buf_reset(&t->ended_keys);
}

static void tell(const struct groups *g, const struct group *gr, uint64_t last_seq, bool window_end, struct fired *out)
{
    const struct cold *k = group_cold(g, gr);
    struct str key = cold_key(k);
    ptrdiff_t object = str_chr(key, KEY_OBJECT);

    out->count = gr->total;
    out->first_seq = k->first_seq;
    out->last_seq = last_seq;
    out->value = g->value;
    out->window_end = window_end;
    out->group_n = min_size(object >= 0 ? (size_t)object : key.n, sizeof out->group);
    if (out->group_n)
        memcpy(out->group, key.p, out->group_n);
}

/* remember_ended - what fired without an event of its own, for the correlations that read this one. */
static int remember_ended(struct tracker *t, uint32_t correlation, const struct group *gr, time_ns when)
{
    struct str key = cold_key(group_cold(t->of[correlation], gr));

    if (!t->set->correlations[correlation]->read)
        return 0;
    if (t->ended_count == t->ended_cap) {
        uint32_t cap = t->ended_cap ? t->ended_cap * 2 : 16;
        struct ended *grown = realloc(t->ended, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        t->ended = grown;
        t->ended_cap = cap;
    }
    t->ended[t->ended_count++] = (struct ended){ correlation, gr->source, moment_within(when), t->ended_keys.n, key.n };
    buf_str(&t->ended_keys, key);
    return buf_failed(&t->ended_keys) ? -ENOMEM : 0;
}

/* end_window - it is over: 1 if it fires. An absence's edge is its newest event, the others' the first. */
static int end_window(struct tracker *t, uint32_t correlation, uint32_t i, struct fired *out)
{
    struct groups *g = t->of[correlation];
    struct group *gr = group_at(g, i);

    g->value = (double)NAN;
    if (g->c->kind != CORR_ABSENCE && !window_holds(g, gr))
        return 0;
    tell(g, gr, group_ending(gr)->last_seq, true, out);
    return remember_ended(t, correlation, gr, gr->edge + g->c->timespan) < 0 ? -ENOMEM : 1;
}

/* whose_clock - the source of the event at hand, asked once an event: its clock goes on, and the event may be late. */
static uint32_t whose_clock(struct tracker *t, const struct event *ev)
{
    if (t->source == NIL) {
        t->source = clocks_find(&t->clocks, str_hash(ev->source));
        t->counters->late += clocks_note(&t->clocks, t->source, t->moment, t->now);
    }
    return t->source;
}

/* arrive - the event, or the end of a window, in the group of that key. */
static int arrive(struct tracker *t, uint32_t correlation, const struct key *key, const struct arrival *a, struct fired *out, struct err *e)
{
    struct groups *g = t->of[correlation];
    uint32_t i = group_of(t, g, key);
    struct group *gr;
    int rc, ended = 0;

    if (i == NIL)
        return err_set(e, -ENOMEM, "no memory for correlations");
    groups_keep(g, i);
    gr = group_at(g, i);
    if (window_over(g, gr, a)) {
        ended = end_window(t, correlation, i, out);
        groups_empty(g, gr);
        gr->total = 0;   /* as new: the window opens with this event */
    }
    rc = ended < 0 ? ended : window_take(g, gr, &t->clocks, a);
    if (rc < 0)
        return err_set(e, rc, "no memory for correlations");
    if (rc == 1) {
        tell(g, gr, a->seq, a->ended, out);
        if (a->ended && remember_ended(t, correlation, gr, a->t) < 0)
            return err_set(e, -ENOMEM, "no memory for correlations");
    }
    return rc || ended;
}

int tracker_feed(struct tracker *t, uint32_t correlation, uint32_t ref, struct view *v, struct fired *out, struct err *e)
{
    const struct correlation *c = t->of[correlation]->c;
    struct arrival a = { .t = t->moment, .now = t->now, .seq = v->ev->seq, .ref = ref, .source = whose_clock(t, v->ev) };
    struct key key;

    if (!take_value(c, v, &a)) {
        t->counters->without_value++;
        return 0;
    }
    if (!group_key(c, ref, v, &key)) {
        t->counters->without_group++;
        return 0;
    }
    return arrive(t, correlation, &key, &a, out, e);
}

/* key_piece - the n-th part of a group's key, as it stands there. */
static struct str key_piece(struct str key, uint32_t n)
{
    size_t start = 0;

    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '\\')
            i++;
        else if (key.p[i] == '|' && n-- == 0)
            return str_of(key.p + start, i - start);
        else if (key.p[i] == '|')
            start = i + 1;
    }
    return str_cut(key, start);
}

/* ended_key - the key of a group of c from that of a window of "of": what c groups by must be among what that one grouped by. */
static bool ended_key(const struct correlation *c, uint32_t ref, const struct correlation *of, struct str from, struct key *k)
{
    ptrdiff_t object = str_chr(from, KEY_OBJECT);
    struct str parts = object >= 0 ? str_of(from.p, (size_t)object) : from;

    k->n = 0;
    if (c->group_count && parts.n >= SIGMA_GROUP_TEXT_MAX - 1)
        return false;   /* it was cut */
    for (uint32_t g = 0; g < c->group_count; g++) {
        uint32_t h = 0;
        struct str part;

        while (h < of->group_count && of->group_by[h] != c->alias[ref][g])
            h++;
        part = key_piece(parts, h);
        if (h == of->group_count || k->n + part.n + 1 > SIGMA_GROUP_TEXT_MAX)
            return false;
        if (g)
            k->p[k->n++] = '|';
        memcpy(k->p + k->n, part.p, part.n);
        k->n += part.n;
    }
    if (c->per_object && object >= 0) {
        memcpy(k->p + k->n, from.p + object, from.n - (size_t)object);
        k->n += from.n - (size_t)object;
    }
    return true;
}

int tracker_feed_ended(struct tracker *t, uint32_t correlation, uint32_t ref, uint32_t n, uint64_t seq, struct fired *out, struct err *e)
{
    const struct correlation *c = t->of[correlation]->c;
    const struct ended *w = &t->ended[n];
    struct arrival a = { .t = w->t, .now = t->now, .seq = seq, .ref = ref, .source = w->source, .ended = true };
    struct str from = str_of(t->ended_keys.p + w->key_at, w->key_n);
    struct key key;

    if (c->field_count) {   /* a window has no values */
        t->counters->without_value++;
        return 0;
    }
    if (!ended_key(c, ref, t->set->correlations[w->correlation], from, &key)) {
        t->counters->without_group++;
        return 0;
    }
    return arrive(t, correlation, &key, &a, out, e);
}

int tracker_tick(struct tracker *t, uint32_t correlation, struct fired *out, struct err *e)
{
    struct groups *g = t->of[correlation];
    const struct correlation *c = g->c;
    time_ns wait = c->kind == CORR_ABSENCE ? c->timespan : c->timespan + c->lateness;

    if (!g->lay.ends)
        return 0;
    for (uint32_t i; (i = groups_oldest(g, t->now - wait, t->now)) != NIL;) {
        int rc = end_window(t, correlation, i, out);

        groups_remove(g, i);
        if (rc)
            return rc < 0 ? err_set(e, rc, "no memory for correlations") : rc;
    }
    return 0;
}

void tracker_load_of(const struct tracker *t, uint32_t correlation, struct sigma_load *out)
{
    const struct groups *g = t->of[correlation];

    *out = (struct sigma_load){ &t->set->rules[g->c->rule].rule, g->count, g->bytes, g->evicted };
}
