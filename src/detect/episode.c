/* episode.c - see episode.h. The table, the lists by what is due, and what becomes of a match.
 *
 * Episodes begin in the order of our clock, so the oldest stands at the head of one list; those that were told last at the same distance stand
 * in one list a distance. What is due next is therefore at one of a few heads, and an event that brings nothing about costs one comparison. */
#include "detect/episode_internal.h"

#define BUCKETS_FIRST 256
#define VALUE_MAX     256    /* bytes of a value in a key; of a longer one the rest as a hash */
#define ENDS_MAX      1024   /* episodes that one event ends */

static const char *const host_field = "host.name";

int episodes_new(const struct detect_policy *p, struct episodes **out, struct err *e)
{
    struct episodes *x = calloc(1, sizeof *x);

    *out = x;
    if (!x || ages_init(&x->open, BUCKETS_FIRST) < 0) {
        episodes_free(out);
        return err_set(e, -ENOMEM, "no memory for episodes");
    }
    x->policy = p;
    x->next = INT64_MAX;
    buf_init(&x->text, 16 * MIB);   /* an id may be as long as its file */
    return 0;
}

void episodes_policy(struct episodes *x, const struct detect_policy *p)
{
    x->policy = p;
    x->next = 0;
}

static void episode_free(struct episode *ep)
{
    buf_free(&ep->lines);
    free(ep);
}

void episodes_clear(struct episodes *x)
{
    for (struct episode *ep = episode_at(x->open.oldest), *next; ep; ep = next) {
        next = episode_at(ep->aged.newer);
        episode_free(ep);
    }
    ages_forget(&x->open);
    memset(x->list, 0, sizeof x->list);
    x->now = 0;
    x->next = INT64_MAX;
    x->turn = x->storm = 0;
    x->counters = (struct episode_counters){ 0 };
}

void episodes_free(struct episodes **xp)
{
    struct episodes *x = *xp;

    if (!x)
        return;
    episodes_clear(x);
    ages_free(&x->open);
    buf_free(&x->text);
    free(x);
    *xp = NULL;
}

struct episode_counters episodes_counters(const struct episodes *x) { return x->counters; }

size_t episode_bytes(const struct episode *ep) { return sizeof *ep + ep->text_n + ep->lines.n; }

/* --- lists --- */

static time_ns wait_of(const struct episodes *x, uint8_t step) { return x->policy->update << step; }

static void list_remove(struct episodes *x, struct episode *ep)
{
    struct episode_row *row = &x->list[ep->list];

    if (ep->list == LIST_IDLE)
        return;
    *(ep->before ? &ep->before->after : &row->head) = ep->after;
    *(ep->after ? &ep->after->before : &row->tail) = ep->before;
    ep->before = ep->after = NULL;
    ep->list = LIST_IDLE;
}

void episode_list_add(struct episodes *x, struct episode *ep, enum episode_list list)
{
    struct episode_row *row = &x->list[list];
    time_ns due = list == LIST_READY ? 0 : ep->told_at + wait_of(x, ep->step);

    ep->list = list;
    if (list == LIST_IDLE)
        return;
    ep->turn = ++x->turn;
    ep->before = row->tail;
    ep->after = NULL;
    *(row->tail ? &row->tail->after : &row->head) = ep;
    row->tail = ep;
    if (due < x->next)
        x->next = due;
}

/* told - it was told now, and waits for its next update. */
static void told_now(struct episodes *x, struct episode *ep, uint8_t step)
{
    list_remove(x, ep);
    ep->told_at = x->now;
    ep->step = step < STEPS ? step : STEPS - 1;
    episode_list_add(x, ep, LIST_STEP + ep->step);
}

/* --- the table --- */

int episode_put(struct episodes *x, struct episode *ep)
{
    if (ages_put(&x->open, &ep->aged, str_hash(str_of(ep->text, ep->key_n))) < 0)
        return -ENOMEM;
    x->counters.open++;
    x->counters.bytes += episode_bytes(ep);
    if (ep->first_at + x->policy->window < x->next)
        x->next = ep->first_at + x->policy->window;
    return 0;
}

static struct episode *find(const struct episodes *x, struct str key)
{
    uint64_t hash = str_hash(key);

    for (struct episode *ep = episode_at(ages_first(&x->open, hash)); ep; ep = episode_at(ep->aged.chain))
        if (ep->aged.hash == hash && str_eq(str_of(ep->text, ep->key_n), key))
            return ep;
    return NULL;
}

static void remove_it(struct episodes *x, struct episode *ep)
{
    ages_remove(&x->open, &ep->aged);
    list_remove(x, ep);
    x->counters.open--;
    x->counters.bytes -= episode_bytes(ep);
    episode_free(ep);
}

static int tell(struct episodes *x, struct episode *ep, const struct sigma *set, struct event_batch *out, struct err *e)
{
    size_t before = episode_bytes(ep);
    int rc = ep->untold ? episode_update(x, ep, set, out, e) : 0;

    x->counters.bytes -= before - episode_bytes(ep);
    return rc;
}

/* end - what it has not told is told, and it is gone. */
static int end(struct episodes *x, struct episode *ep, const struct sigma *set, struct event_batch *out, struct err *e)
{
    int rc = tell(x, ep, set, out, e);

    if (rc == 0)
        remove_it(x, ep);
    return rc;
}

/* room - for one more. */
static int room(struct episodes *x, const struct sigma *set, struct event_batch *out, struct err *e)
{
    int rc = 0;

    while (rc == 0 && x->open.oldest && (x->counters.open >= EPISODES_MAX || x->counters.bytes >= EPISODE_BYTES_MAX)) {
        x->counters.dropped++;
        rc = end(x, episode_at(x->open.oldest), set, out, e);
    }
    return rc;
}

/* --- keys --- */

static void put_value(struct buf *b, struct str v)
{
    char rest[VALUE_MAX + 24];

    if (v.n <= VALUE_MAX) {
        buf_varstr(b, v);
        return;
    }
    int n = snprintf(rest, sizeof rest, "%.*s…%016llx", VALUE_MAX, v.p, (unsigned long long)str_hash(v));
    buf_varstr(b, str_of(rest, n < 0 ? 0 : min_size((size_t)n, sizeof rest - 1)));
}

/* field_at - the i-th field by which the matches of a rule are grouped; empty past the last. */
static struct str field_at(const struct episodes *x, const struct sigma_rule *r, size_t i)
{
    static const struct str none = { NULL, 0 };

    if (r->group_by.count)
        return i < r->group_by.count ? r->group_by.items[i] : none;
    return i < x->policy->by_count ? x->policy->by[i] : none;
}

static struct str make_key(struct episodes *x, const struct hit *h, enum episode_kind kind)
{
    const struct sigma_rule *r = h->match->rule;
    struct buf *b = &x->text;
    struct str field;

    buf_reset(b);
    buf_byte(b, (char)kind);
    buf_varstr(b, r->id);
    buf_varstr(b, h->event->object);
    if (kind == EPISODE_RATE)
        return buf_view(b);
    if (r->correlation)
        put_value(b, h->match->group);
    for (size_t i = 0; !r->correlation && (field = field_at(x, r, i)).n; i++)
        put_value(b, event_get(h->event, field));
    return buf_view(b);
}

/* put_group - the values of the group, joined by '|' as saqshy.group has them. */
static void put_group(struct episodes *x, const struct hit *h, struct buf *b)
{
    AUTO_BUF struct buf g;
    struct str field;

    buf_init(&g, 16 * KIB);
    if (h->match->rule->correlation)
        buf_str(&g, h->match->group);
    for (size_t i = 0; !h->match->rule->correlation && (field = field_at(x, h->match->rule, i)).n; i++) {
        struct str v = event_get(h->event, field);

        if (v.n && g.n)
            buf_byte(&g, '|');
        buf_str(&g, str_of(v.p, min_size(v.n, VALUE_MAX)));
    }
    buf_varstr(b, str_of(g.p, min_size(g.n, SIGMA_GROUP_TEXT_MAX)));
}

/* put_field - a field that all matches of the episode have alike. */
static void put_field(const struct event *ev, struct str name, struct buf *b)
{
    struct str v = event_get(ev, name);

    if (v.n && v.n <= VALUE_MAX) {
        buf_varstr(b, name);
        buf_varstr(b, v);
    }
}

static void put_fields(struct episodes *x, const struct hit *h, enum episode_kind kind, struct buf *b)
{
    bool host = false;
    struct str field;

    if (h->match->window_end)   /* its event tells nothing of the group */
        return;
    for (size_t i = 0; kind != EPISODE_RATE && !h->match->rule->correlation && (field = field_at(x, h->match->rule, i)).n; i++) {
        host = host || str_eq(field, str_c(host_field));
        put_field(h->event, field, b);
    }
    if (!host)
        put_field(h->event, str_c(host_field), b);
}

/* begin - a new episode of the key that stands in the scratch text. */
static int begin(struct episodes *x, const struct hit *h, enum episode_kind kind, const struct sigma *set, struct event_batch *out,
                 struct episode **got, struct err *e)
{
    const struct sigma_rule *r = h->match->rule;
    struct buf *b = &x->text;
    size_t key_n;
    int rc = room(x, set, out, e);

    if (rc < 0)
        return rc;
    key_n = make_key(x, h, kind).n;
    buf_varstr(b, h->event->source);
    buf_varstr(b, sigma_rule_find(set, r->id) ? STR("") : r->title);
    put_group(x, h, b);
    put_fields(x, h, kind, b);
    struct episode *ep = buf_failed(b) ? NULL : calloc(1, sizeof *ep + b->n);
    if (!ep)
        return err_set(e, -ENOMEM, "no memory for an episode");
    memcpy(ep->text, b->p, b->n);
    ep->key_n = (uint32_t)key_n;
    ep->text_n = (uint32_t)b->n;
    ep->class = h->event->class;
    ep->first_at = ep->told_at = x->now;
    buf_init(&ep->lines, EPISODE_SAMPLES * (EPISODE_LINE_MAX + 4));
    if (episode_put(x, ep) < 0) {
        episode_free(ep);
        return err_set(e, -ENOMEM, "no memory for an episode");
    }
    *got = ep;
    return 0;
}

struct episode_text episode_text(const struct episode *ep)
{
    struct reader r = rd_from(ep->text, ep->text_n);
    struct episode_text t = { .kind = (enum episode_kind)rd_u8(&r) };

    t.rule = rd_varstr(&r, SIZE_MAX, "a rule");
    t.object = rd_varstr(&r, SIZE_MAX, "an object");
    if (r.at < ep->key_n)
        rd_skip(&r, ep->key_n - r.at);
    t.source = rd_varstr(&r, SIZE_MAX, "a source");
    t.title = rd_varstr(&r, SIZE_MAX, "a title");
    t.group = rd_varstr(&r, SIZE_MAX, "a group");
    t.fields = rd_rest(&r);
    return t;
}

/* --- counting --- */

/* count - one match more; told: by the finding that is made of it right now. */
static void count(struct episodes *x, struct episode *ep, const struct hit *h, bool told)
{
    const struct event *ev = h->event;

    ep->last_at = x->now;
    ep->last_time = ev->time;
    ep->last_seq = h->match->last_seq;
    ep->match_count = h->match->count;
    ep->level = h->level;
    if (ep->hits++ == 0) {
        ep->first_seq = h->match->first_seq;
        ep->first_time = ev->time;
    }
    if (h->quiet)
        return;
    ep->untold += !told;
    if (ep->sample_count < EPISODE_SAMPLES) {
        ep->samples[ep->sample_count++] = ev->seq;
        if (!told && !h->match->window_end && x->counters.bytes < EPISODE_BYTES_MAX / 2) {
            size_t before = ep->lines.n;

            buf_varstr(&ep->lines, str_of(ev->original.p, min_size(ev->original.n, EPISODE_LINE_MAX)));
            ep->line_count++;
            x->counters.bytes += ep->lines.n - before;
        }
    }
    if (!told && ep->list == LIST_IDLE)
        episode_list_add(x, ep, LIST_READY);
}

/* current - the open episode of this key, or NULL; one whose window is over is ended. */
static int current(struct episodes *x, struct str key, const struct sigma *set, struct event_batch *out, struct episode **ep, struct err *e)
{
    *ep = find(x, key);
    if (!*ep || x->now - (*ep)->first_at < x->policy->window)
        return 0;
    struct episode *over = *ep;
    *ep = NULL;
    return end(x, over, set, out, e);
}

/* roll - into the minute of now. A storm is over when a minute brought no more new episodes than are told one by one. */
static void roll(const struct episodes *x, struct episode *rate)
{
    int64_t minute = x->now / NS_PER_MINUTE;

    if (minute == rate->minute)
        return;
    if (minute != rate->minute + 1 || rate->in_minute <= x->policy->storm_groups)
        rate->storm = 0;
    rate->minute = minute;
    rate->in_minute = 0;
}

/* storm_begin - what the storm before it has not told is told first. */
static int storm_begin(struct episodes *x, struct episode *rate, const struct sigma *set, struct event_batch *out, struct err *e)
{
    int rc = tell(x, rate, set, out, e);

    rate->hits = rate->groups = rate->sample_count = 0;
    rate->storm = ++x->storm;
    x->counters.storms++;
    return rc;
}

/* newcomer - a match whose group has no episode that is told: it begins one, or belongs to a storm. */
static int newcomer(struct episodes *x, struct episode *rate, const struct hit *h, const struct sigma *set, struct event_batch *out,
                    struct episode **ep, struct err *e)
{
    bool storm = ++rate->in_minute > x->policy->storm_groups || rate->storm, begins = storm && !rate->storm;
    int rc = begins ? storm_begin(x, rate, set, out, e) : 0;
    uint64_t number = rate->storm;

    if (storm) {
        rate->groups++;
        count(x, rate, h, begins);
        if (begins)
            told_now(x, rate, 0);
    }
    /* From here on rate may be gone: room is made for what begins. */
    if (rc == 0)
        rc = begin(x, h, EPISODE_LOUD, set, out, ep, e);
    if (rc < 0)
        return rc;
    (*ep)->storm = number;
    if (!storm) {
        count(x, *ep, h, true);
        told_now(x, *ep, 0);
    }
    return !storm ? HIT_BEGINS : begins ? HIT_SUMMARY : HIT_COUNTED;
}

static int loud(struct episodes *x, const struct hit *h, const struct sigma *set, struct event_batch *out, struct episode **of, struct err *e)
{
    struct episode *ep = NULL, *rate = NULL;
    int rc = current(x, make_key(x, h, EPISODE_LOUD), set, out, &ep, e);

    if (rc < 0)
        return rc;
    if (ep && !ep->storm) {
        count(x, ep, h, false);
        return HIT_COUNTED;
    }
    rc = current(x, make_key(x, h, EPISODE_RATE), set, out, &rate, e);
    if (rc == 0 && !rate)
        rc = begin(x, h, EPISODE_RATE, set, out, &rate, e);
    if (rc < 0)
        return rc;
    roll(x, rate);
    ep = find(x, make_key(x, h, EPISODE_LOUD));   /* begin may have dropped it */
    if (ep && rate->storm && rate->storm == ep->storm) {
        count(x, rate, h, false);
        return HIT_COUNTED;
    }
    if (ep)   /* of a storm that is over, which counted it */
        remove_it(x, ep);
    rc = newcomer(x, rate, h, set, out, &ep, e);
    *of = rc == HIT_BEGINS ? ep : rc == HIT_SUMMARY ? find(x, make_key(x, h, EPISODE_RATE)) : NULL;
    return rc;
}

static int quiet(struct episodes *x, const struct hit *h, const struct sigma *set, struct event_batch *out, struct err *e)
{
    struct episode *ep = NULL;
    int rc = current(x, make_key(x, h, EPISODE_QUIET), set, out, &ep, e);

    if (rc == 0 && ep) {
        count(x, ep, h, true);
        return HIT_COUNTED;
    }
    if (rc == 0)
        rc = begin(x, h, EPISODE_QUIET, set, out, &ep, e);
    if (rc < 0)
        return rc;
    count(x, ep, h, true);
    return HIT_BEGINS;
}

int episodes_hit(struct episodes *x, const struct hit *h, const struct sigma *set, struct event_batch *out, struct episode_told *told, struct err *e)
{
    struct episode *ep = NULL;
    int rc;

    *told = (struct episode_told){ 0 };
    if (x->policy->window == 0)
        return HIT_BEGINS;
    if (h->event->received > x->now)
        x->now = h->event->received;
    rc = h->quiet ? quiet(x, h, set, out, e) : loud(x, h, set, out, &ep, e);
    x->counters.counted += rc == HIT_COUNTED;
    if (rc < 0 || !ep)
        return rc;
    told->id = arena_printf(&out->arena, "%016llx-%llu", (unsigned long long)ep->aged.hash, (unsigned long long)ep->first_seq);
    told->group = arena_copy(&out->arena, episode_text(ep).group);
    told->fields = arena_copy(&out->arena, episode_text(ep).fields);
    return rc;
}

/* --- what is due --- */

static void set_next(struct episodes *x)
{
    x->next = x->open.oldest ? episode_at(x->open.oldest)->first_at + x->policy->window : INT64_MAX;
    if (x->list[LIST_READY].head)
        x->next = 0;
    for (uint8_t s = 0; s < STEPS; s++) {
        const struct episode *ep = x->list[LIST_STEP + s].head;

        if (ep && ep->told_at + wait_of(x, s) < x->next)
            x->next = ep->told_at + wait_of(x, s);
    }
}

/* due_of - of one list: those with something new are told, the others wait for it. */
static int due_of(struct episodes *x, enum episode_list list, const struct sigma *set, struct event_batch *out, int *n, struct err *e)
{
    struct episode *ep;
    int rc = 0;

    while (rc == 0 && *n < EPISODE_DUE_MAX && (ep = x->list[list].head)) {
        if (list != LIST_READY && x->now - ep->told_at < wait_of(x, ep->step))
            break;
        if (!ep->untold) {
            list_remove(x, ep);
            continue;
        }
        rc = tell(x, ep, set, out, e);
        if (rc < 0)
            return rc;
        told_now(x, ep, ep->step + 1);
        ++*n;
    }
    return rc;
}

bool episodes_are_due(const struct episodes *x, time_ns at) { return (at > x->now ? at : x->now) >= x->next; }

int episodes_due(struct episodes *x, time_ns now, const struct sigma *set, struct event_batch *out, struct err *e)
{
    int n = 0, rc = 0;

    if (now > x->now)
        x->now = now;
    if (x->now < x->next)
        return 0;
    for (int ends = 0; rc == 0 && ends < ENDS_MAX && n < EPISODE_DUE_MAX; ends++) {
        struct episode *ep = episode_at(x->open.oldest);

        if (!ep || x->now - ep->first_at < x->policy->window)
            break;
        n += ep->untold > 0;
        rc = end(x, ep, set, out, e);
    }
    for (int list = LIST_READY; rc == 0 && list < LIST_COUNT; list++)
        rc = due_of(x, (enum episode_list)list, set, out, &n, e);
    set_next(x);
    return rc < 0 ? rc : n;
}
