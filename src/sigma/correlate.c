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

#define KEY_MAX      (SIGMA_GROUP_TEXT_MAX + 72)   /* with the object */
#define FORGET_AFTER NS_PER_HOUR                   /* an agent that was offline sends its events in parts: a group waits for them so long */

int tracker_init(struct tracker *t, const struct sigma *s, bool loose, struct sigma_counters *c, struct err *e)
{
    *t = (struct tracker){ .set = s, .of = calloc(s->correlation_count + 1, sizeof *t->of), .counters = c, .loose = loose, .now = NEVER };
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
    t->of = NULL;
}

/* --- keys --- */

struct key { char p[KEY_MAX]; size_t n; };

static bool is_plain(struct str s)
{
    unsigned odd = 0;

    for (size_t i = 0; i < s.n; i++)
        odd |= (unsigned)(s.p[i] == '|') | (unsigned)(s.p[i] == '\\') | (unsigned)(s.p[i] == KEY_OBJECT);
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

/* drop_one - the group untouched for longest. It counts as evicted if something could still have come of it. */
static void drop_one(struct tracker *t, struct groups *g)
{
    const struct correlation *c = g->c;

    if (c->at_end || c->kind == CORR_ABSENCE || t->now - g->at[g->oldest].seen <= c->timespan + c->lateness) {
        g->evicted++;
        t->counters->evicted++;
    }
    groups_remove(g, g->oldest);
}

/* make_room - within the memory of one correlation and of all; of all the largest gives. */
static void make_room(struct tracker *t, struct groups *g)
{
    while (g->count && g->bytes >= SIGMA_STATE_BYTES_MAX)
        drop_one(t, g);
    while (t->bytes >= SIGMA_STATE_BYTES_ALL) {
        struct groups *largest = g;

        for (uint32_t i = 0; i < t->set->correlation_count; i++)
            if (t->of[i]->bytes > largest->bytes)
                largest = t->of[i];
        if (!largest->count)
            return;
        drop_one(t, largest);
    }
}

/* forget - groups that nothing can come of any more. */
static void forget(struct tracker *t, struct groups *g)
{
    if (g->c->at_end || g->c->kind == CORR_ABSENCE)
        return;
    while (g->oldest != NIL && t->now - g->at[g->oldest].seen > g->c->timespan + FORGET_AFTER)
        groups_remove(g, g->oldest);
}

static uint32_t group_of(struct tracker *t, struct groups *g, const struct key *k)
{
    struct str key = str_of(k->p, k->n);
    uint64_t hash = str_hash(key);
    uint32_t i;

    make_room(t, g);
    i = groups_find(g, key, hash);
    if (i != NIL) {
        if (!g->c->at_end)
            groups_touch(g, i);
        return i;
    }
    forget(t, g);
    if (g->count == SIGMA_GROUPS_MAX)
        drop_one(t, g);
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
}

static void tell(const struct group *gr, bool window_end, struct fired *out)
{
    ptrdiff_t object = str_chr(str_of(gr->key, gr->key_n), KEY_OBJECT);

    out->count = gr->total;
    out->first_seq = gr->first_seq;
    out->last_seq = gr->last_seq;
    out->window_end = window_end;
    out->group_n = min_size(object >= 0 ? (size_t)object : gr->key_n, sizeof out->group);
    if (out->group_n)
        memcpy(out->group, gr->key, out->group_n);
}

/* end_window - the window is over: 1 if it fires. The group is as new. */
static int end_window(struct groups *g, uint32_t i, struct fired *out)
{
    struct group *gr = &g->at[i];
    int fires = window_holds(g, gr);

    if (fires)
        tell(gr, true, out);
    groups_empty(g, gr);
    gr->total = 0;
    groups_touch(g, i);
    return fires;
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

int tracker_feed(struct tracker *t, uint32_t correlation, uint32_t ref, struct view *v, struct fired *out, struct err *e)
{
    struct groups *g = t->of[correlation];
    struct arrival a = { .t = t->moment, .now = t->now, .seq = v->ev->seq, .ref = ref, .source = whose_clock(t, v->ev) };
    struct key key;
    int rc, ended = 0;
    uint32_t i;

    if (!take_value(g->c, v, &a)) {
        t->counters->without_value++;
        return 0;
    }
    if (!group_key(g->c, ref, v, &key)) {
        t->counters->without_group++;
        return 0;
    }
    i = group_of(t, g, &key);
    if (i == NIL)
        return err_set(e, -ENOMEM, "no memory for correlations");
    if (window_over(g, &g->at[i], &a))
        ended = end_window(g, i, out);
    rc = window_take(g, &g->at[i], &t->clocks, &a);
    if (rc < 0)
        return err_set(e, rc, "no memory for correlations");
    if (rc == 1)
        tell(&g->at[i], false, out);
    return rc || ended;
}

int tracker_tick(struct tracker *t, uint32_t correlation, struct fired *out)
{
    struct groups *g = t->of[correlation];
    const struct correlation *c = g->c;
    bool absence = c->kind == CORR_ABSENCE;
    time_ns wait = absence ? c->timespan : c->timespan + c->lateness;

    while ((c->at_end || absence) && g->oldest != NIL && t->now - g->at[g->oldest].seen > wait) {
        bool fires = absence || window_holds(g, &g->at[g->oldest]);

        if (fires)
            tell(&g->at[g->oldest], true, out);
        groups_remove(g, g->oldest);
        if (fires)
            return 1;
    }
    return 0;
}

void tracker_load_of(const struct tracker *t, uint32_t correlation, struct sigma_load *out)
{
    const struct groups *g = t->of[correlation];

    *out = (struct sigma_load){ &t->set->rules[g->c->rule].rule, g->count, g->bytes, g->evicted };
}
