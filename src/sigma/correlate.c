/* correlate.c - an event that a correlation reads goes into its group; does the correlation fire?
 *
 * gt, gte and the temporal types fire on the event that crosses. The group is then quiet for one timespan: its events are
 * counted, and it cannot fire; after that its window starts anew. The count that a finding tells runs over the whole
 * episode: from the first event until a timespan passes without one. lt, lte, eq and neq are judged when the window, which
 * starts with the group's first event, is over: the first later event of any kind brings that about. */
#include "sigma/groups.h"

int tracker_init(struct tracker *t, const struct sigma *s, struct sigma_counters *c, struct err *e)
{
    *t = (struct tracker){ s, calloc(s->correlation_count ? s->correlation_count : 1, sizeof *t->of), c };
    for (uint32_t i = 0; t->of && i < s->correlation_count; i++)
        if (!(t->of[i] = groups_new(s->correlations[i]))) {
            tracker_free(t);
            break;
        }
    return t->of ? 0 : err_set(e, -ENOMEM, "no memory for correlations");
}

void tracker_free(struct tracker *t)
{
    for (uint32_t i = 0; t->of && i < t->set->correlation_count; i++)
        groups_free(&t->of[i]);
    free(t->of);
    t->of = NULL;
}

/* --- keys --- */

static void key_part(struct buf *b, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '|' || value.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, value.p[i] == KEY_OBJECT ? ' ' : value.p[i]);
    }
}

/* group_key - group-by values, folded, joined by '|'; false if the event lacks one. A long key is cut and ends in its hash. */
static bool group_key(const struct correlation *c, uint32_t ref, struct view *v, struct buf *b)
{
    buf_reset(b);
    for (uint32_t g = 0; g < c->group_count; g++) {
        uint32_t value = view_first(v, c->alias[ref][g]);

        if (value == NIL)
            return false;
        if (g)
            buf_byte(b, '|');
        key_part(b, view_folded(v, value));
    }
    if (b->n > SIGMA_GROUP_TEXT_MAX) {
        uint64_t hash = str_hash(buf_view(b));

        b->n = SIGMA_GROUP_TEXT_MAX - 18;
        buf_printf(b, "~%016llx", (unsigned long long)hash);
    }
    if (c->per_object && v->ev->object.n) {
        buf_byte(b, KEY_OBJECT);
        buf_str(b, str_of(v->ev->object.p, min_size(v->ev->object.n, 64)));
    }
    return !buf_failed(b);
}

/* --- the kinds --- */

struct arrival { time_ns t; uint64_t seq, value; uint32_t ref; };

static uint32_t place_of(const struct group *gr, time_ns t)
{
    uint32_t at = gr->item_n;

    while (at && gr->items[at - 1].t > t)
        at--;
    return at;
}

static void drop_before(struct groups *g, struct group *gr, time_ns limit)
{
    uint32_t n = 0;

    while (n < gr->item_n && gr->items[n].t < limit)
        n++;
    group_drop_items(g, gr, 0, n);
}

/* count_events - the newest "least" times are enough to know. */
static int count_events(struct groups *g, struct group *gr, const struct arrival *a)
{
    if (!group_item(g, gr, place_of(gr, a->t), (struct item){ a->t, a->seq }))
        return -ENOMEM;
    drop_before(g, gr, gr->items[gr->item_n - 1].t - g->c->timespan);
    return gr->item_n >= g->c->least;
}

/* note_value - one item a distinct value, ordered by its last time. Returns false without memory. */
static bool note_value(struct groups *g, struct group *gr, const struct arrival *a)
{
    for (uint32_t i = 0; i < gr->item_n; i++)
        if (gr->items[i].v == a->value) {
            if (gr->items[i].t >= a->t)
                return true;
            group_drop_items(g, gr, i, 1);
            break;
        }
    if (gr->item_n == SIGMA_RING_MAX)
        group_drop_items(g, gr, 0, 1);
    return group_item(g, gr, place_of(gr, a->t), (struct item){ a->t, a->value });
}

static int count_values(struct groups *g, struct group *gr, const struct arrival *a)
{
    if (!note_value(g, gr, a))
        return -ENOMEM;
    drop_before(g, gr, gr->items[gr->item_n - 1].t - g->c->timespan);
    return gr->item_n >= g->c->least;
}

/* new_value - a value that the group did not show within the timespan. While the group is younger than "learn" it only learns. */
static int new_value(struct groups *g, struct group *gr, const struct arrival *a)
{
    bool known = false;

    drop_before(g, gr, a->t - g->c->timespan);
    for (uint32_t i = 0; i < gr->item_n && !known; i++)
        known = gr->items[i].v == a->value;
    if (!note_value(g, gr, a))
        return -ENOMEM;
    return !known && a->t - gr->first >= g->c->learn;
}

/* all_seen - items[ref] holds the last time of each rule; v is 1 once seen. */
static int all_seen(struct groups *g, struct group *gr, const struct arrival *a)
{
    time_ns least = INT64_MAX, most = INT64_MIN;

    while (gr->item_n < g->c->ref_count)
        if (!group_item(g, gr, gr->item_n, (struct item){ 0, 0 }))
            return -ENOMEM;
    if (!gr->items[a->ref].v || gr->items[a->ref].t < a->t)
        gr->items[a->ref] = (struct item){ a->t, 1 };
    for (uint32_t i = 0; i < gr->item_n; i++) {
        if (!gr->items[i].v)
            return 0;
        least = gr->items[i].t < least ? gr->items[i].t : least;
        most = gr->items[i].t > most ? gr->items[i].t : most;
    }
    return most - least <= g->c->timespan;
}

/* in_order - items[i] holds the latest start of a chain through rule i, and the seq of the event that ended it there. */
static int in_order(struct groups *g, struct group *gr, const struct arrival *a)
{
    struct item start = { a->t, a->seq };

    while (gr->item_n < g->c->ref_count)
        if (!group_item(g, gr, gr->item_n, (struct item){ INT64_MIN, 0 }))
            return -ENOMEM;
    if (a->ref > 0) {
        const struct item *before = &gr->items[a->ref - 1];

        if (before->t == INT64_MIN || before->v == a->seq || a->t < before->t || a->t - before->t > g->c->timespan)
            return 0;
        start.t = before->t;
    }
    if (gr->items[a->ref].t <= start.t)
        gr->items[a->ref] = start;
    return a->ref == g->c->ref_count - 1;
}

static int judge(struct groups *g, struct group *gr, const struct arrival *a)
{
    switch (g->c->kind) {
    case CORR_EVENT_COUNT: return count_events(g, gr, a);
    case CORR_VALUE_COUNT: return count_values(g, gr, a);
    case CORR_TEMPORAL: return all_seen(g, gr, a);
    case CORR_TEMPORAL_ORDERED: return in_order(g, gr, a);
    case CORR_NEW_VALUE: return new_value(g, gr, a);
    }
    return 0;
}

static void tell(const struct group *gr, struct fired *out)
{
    out->count = gr->total;
    out->first_seq = gr->first_seq;
    out->last_seq = gr->last_seq;
    ptrdiff_t object = str_chr(str_of(gr->key, gr->key_n), KEY_OBJECT);

    out->group_n = min_size(object >= 0 ? (size_t)object : gr->key_n, sizeof out->group);
    if (out->group_n)
        memcpy(out->group, gr->key, out->group_n);
}

/* arrive - count the event into its group. 1 if the group fires now. */
static int arrive(struct groups *g, uint32_t i, const struct arrival *a)
{
    struct group *gr = &g->at[i];
    bool news = g->c->kind == CORR_NEW_VALUE;
    int rc;

    if (gr->total == 0 || (!news && !g->c->at_end && a->t > gr->last && a->t - gr->last > g->c->timespan)) {
        gr->total = 0;
        gr->first_seq = a->seq;
        gr->first = gr->last = a->t;
    }
    gr->total += gr->total == 0 || a->seq == 0 || gr->last_seq != a->seq;   /* two rules may bring the same event */
    gr->last_seq = a->seq;
    if (a->t > gr->last)
        gr->last = a->t;
    if (g->c->at_end)
        return g->c->kind == CORR_VALUE_COUNT && !note_value(g, gr, a) ? -ENOMEM : 0;
    if (!news && a->t < gr->quiet_until)
        return 0;
    rc = judge(g, gr, a);
    if (rc == 1 && !news) {
        gr->quiet_until = a->t + g->c->timespan;
        group_drop_items(g, gr, 0, gr->item_n);
    }
    return rc;
}

int tracker_feed(struct tracker *t, uint32_t correlation, uint32_t ref, struct view *v, struct fired *out, struct err *e)
{
    struct groups *g = t->of[correlation];
    const struct correlation *c = g->c;
    AUTO_BUF struct buf key;
    struct arrival a = { .t = event_moment(v->ev), .seq = v->ev->seq, .ref = ref };
    uint32_t i;
    int rc;

    buf_init(&key, MIB + KIB);
    if (a.t > g->watermark)
        g->watermark = a.t;
    if (c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE) {
        uint32_t value = view_first(v, c->field);

        if (value == NIL) {
            t->counters->without_group++;
            return 0;
        }
        a.value = str_hash(view_folded(v, value));
    }
    if (!group_key(c, ref, v, &key)) {
        t->counters->without_group++;
        return 0;
    }
    i = groups_find(g, buf_view(&key));
    if (i == NIL)
        i = groups_add(g, buf_view(&key), &t->counters->evicted);
    else if (!c->at_end)
        groups_touch(g, i);
    if (i == NIL)
        return err_set(e, -ENOMEM, "no memory for correlations");
    rc = arrive(g, i, &a);
    if (rc < 0)
        return err_set(e, rc, "no memory for correlations");
    if (rc == 1)
        tell(&g->at[i], out);
    return rc;
}

int tracker_tick(struct tracker *t, uint32_t correlation, time_ns now, struct fired *out)
{
    struct groups *g = t->of[correlation];
    const struct correlation *c = g->c;

    if (now > g->watermark)
        g->watermark = now;
    while (g->oldest != NIL) {
        struct group *gr = &g->at[g->oldest];
        uint64_t n = c->kind == CORR_VALUE_COUNT ? gr->item_n : gr->total;
        bool fires = (n >= c->least && n <= c->most) != c->negate;

        if (g->watermark - gr->first <= c->timespan)
            return 0;
        if (fires)
            tell(gr, out);
        groups_remove(g, g->oldest);
        if (fires)
            return 1;
    }
    return 0;
}

uint32_t tracker_groups(const struct tracker *t, uint32_t correlation) { return t->of[correlation]->count; }
