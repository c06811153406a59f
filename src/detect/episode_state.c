/* episode_state.c - the open episodes as bytes, so that a restart goes on where it was.
 *
 *     version(1), our clock, turn, storm, number of episodes, then for each, oldest first:
 *       list, step, level, class, first_at, told_at, last_at, first_time, last_time, hits, untold, first_seq, last_seq, match_count, turn, storm,
 *       groups, in_minute, minute, samples, lines (number, then all with their lengths as one text), key_n, text
 * Numbers are varints, moments are zigzag. The file around it has a checksum; this reader trusts nothing all the same. */
#include "detect/episode_internal.h"

#define VERSION    1
#define MOMENT_MAX (INT64_MAX / 4)

static void put_moment(struct buf *b, int64_t t) { buf_varint(b, (uint64_t)t << 1 ^ (uint64_t)(t >> 63)); }

static int64_t rd_moment(struct reader *r)
{
    uint64_t v = rd_varint(r);
    int64_t t = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);

    if (t > MOMENT_MAX || t < -MOMENT_MAX)
        rd_fail(r, "a moment");
    return t;
}

static uint64_t rd_below(struct reader *r, uint64_t end, const char *what)
{
    uint64_t v = rd_varint(r);

    if (v >= end)
        rd_fail(r, what);
    return v >= end ? 0 : v;
}

static void save_one(const struct episode *ep, struct buf *b)
{
    buf_varint(b, ep->list);
    buf_varint(b, ep->step);
    buf_varint(b, ep->level);
    buf_varint(b, ep->class);
    put_moment(b, ep->first_at);
    put_moment(b, ep->told_at);
    put_moment(b, ep->last_at);
    put_moment(b, ep->first_time);
    put_moment(b, ep->last_time);
    const uint64_t numbers[] = { ep->hits, ep->untold, ep->first_seq, ep->last_seq, ep->match_count, ep->turn, ep->storm, ep->groups, ep->in_minute };
    for (size_t i = 0; i < COUNT(numbers); i++)
        buf_varint(b, numbers[i]);
    put_moment(b, ep->minute);
    buf_varint(b, ep->sample_count);
    for (uint8_t i = 0; i < ep->sample_count; i++)
        buf_varint(b, ep->samples[i]);
    buf_varint(b, ep->line_count);
    buf_varstr(b, buf_view(&ep->lines));
    buf_varint(b, ep->key_n);
    buf_varstr(b, str_of(ep->text, ep->text_n));
}

void episodes_save(const struct episodes *x, struct buf *b)
{
    buf_varint(b, VERSION);
    put_moment(b, x->now);
    buf_varint(b, x->turn);
    buf_varint(b, x->storm);
    buf_varint(b, x->counters.open);
    for (const struct episode *ep = episode_at(x->open.oldest); ep; ep = episode_at(ep->aged.newer))
        save_one(ep, b);
}

/* text_whole - the parts of text are all there, and the first three are the key's beginning. */
static bool text_whole(const struct episode *ep)
{
    struct reader r = rd_from(ep->text, ep->text_n);
    uint8_t kind = rd_u8(&r);

    rd_varstr(&r, SIZE_MAX, "a rule");
    rd_varstr(&r, SIZE_MAX, "an object");
    if (!rd_ok(&r) || r.at > ep->key_n || (kind != EPISODE_LOUD && kind != EPISODE_QUIET && kind != EPISODE_RATE))
        return false;
    rd_skip(&r, ep->key_n - r.at);
    for (int i = 0; i < 3; i++)
        rd_varstr(&r, SIZE_MAX, "a text");
    while (rd_ok(&r) && rd_left(&r))
        rd_varstr(&r, SIZE_MAX, "a field");
    return rd_ok(&r);
}

static bool lines_whole(const struct episode *ep)
{
    struct reader r = rd_from(ep->lines.p, ep->lines.n);

    for (uint8_t i = 0; i < ep->line_count; i++)
        rd_varstr(&r, EPISODE_LINE_MAX, "a line");
    return rd_ok(&r) && rd_left(&r) == 0;
}

static void load_numbers(struct episode *ep, struct reader *r)
{
    uint64_t *const numbers[] = { &ep->hits, &ep->untold, &ep->first_seq, &ep->last_seq, &ep->match_count, &ep->turn, &ep->storm, &ep->groups, &ep->in_minute };

    ep->list = (enum episode_list)rd_below(r, LIST_COUNT, "a list");
    ep->step = (uint8_t)rd_below(r, STEPS, "a step");
    ep->level = (enum sigma_level)rd_below(r, SIGMA_LEVEL_COUNT, "a level");
    ep->class = (enum event_class)rd_below(r, CLASS_COUNT, "a class");
    ep->first_at = rd_moment(r);
    ep->told_at = rd_moment(r);
    ep->last_at = rd_moment(r);
    ep->first_time = rd_moment(r);
    ep->last_time = rd_moment(r);
    for (size_t i = 0; i < COUNT(numbers); i++)
        *numbers[i] = rd_varint(r);
    ep->minute = rd_moment(r);
    ep->sample_count = (uint8_t)rd_below(r, EPISODE_SAMPLES + 1, "at most five samples");
    for (uint8_t i = 0; i < ep->sample_count; i++)
        ep->samples[i] = rd_varint(r);
    ep->line_count = (uint8_t)rd_below(r, EPISODE_SAMPLES + 1, "at most five lines");
}

/* load_one - *out is NULL without memory, or when r has failed. */
static struct episode *load_one(struct reader *r)
{
    struct episode head = { 0 }, *ep;

    load_numbers(&head, r);
    struct str lines = rd_varstr(r, EPISODE_SAMPLES * (EPISODE_LINE_MAX + 4), "lines");
    head.key_n = (uint32_t)rd_below(r, UINT32_MAX, "a length");
    struct str text = rd_varstr(r, UINT32_MAX - 1, "a text");
    if (!rd_ok(r))
        return NULL;
    ep = calloc(1, sizeof *ep + text.n);
    if (!ep)
        return NULL;
    *ep = head;
    ep->text_n = (uint32_t)text.n;
    if (text.n)
        memcpy(ep->text, text.p, text.n);
    buf_init(&ep->lines, EPISODE_SAMPLES * (EPISODE_LINE_MAX + 4));
    buf_str(&ep->lines, lines);
    if (!text_whole(ep) || !lines_whole(ep) || buf_failed(&ep->lines)) {
        rd_fail(r, "an episode");
        buf_free(&ep->lines);
        free(ep);
        return NULL;
    }
    return ep;
}

static int by_turn(const void *a, const void *b)
{
    const struct episode *l = *(struct episode *const *)a, *r = *(struct episode *const *)b;

    return l->turn < r->turn ? -1 : l->turn > r->turn;
}

/* line_up - the episodes that wait, in the order in which they began to. */
static int line_up(struct episodes *x)
{
    struct episode **all = calloc(x->counters.open + 1, sizeof *all);
    size_t n = 0;

    if (!all)
        return -ENOMEM;
    for (struct episode *ep = episode_at(x->open.oldest); ep; ep = episode_at(ep->aged.newer))
        if (ep->list != LIST_IDLE)
            all[n++] = ep;
    if (n)
        qsort(all, n, sizeof(struct episode *), by_turn);
    for (size_t i = 0; i < n; i++)
        episode_list_add(x, all[i], all[i]->list);
    free(all);
    return 0;
}

static int load_all(struct episodes *x, struct reader *r)
{
    uint64_t count;

    if (rd_varint(r) != VERSION)
        rd_fail(r, "version 1");
    x->now = rd_moment(r);
    x->turn = rd_varint(r);
    x->storm = rd_varint(r);
    count = rd_below(r, EPISODES_MAX + 1, "a number of episodes");
    for (uint64_t i = 0; i < count && rd_ok(r); i++) {
        struct episode *ep = load_one(r);

        if (!ep)
            return rd_ok(r) ? -ENOMEM : -EBADMSG;
        if ((x->open.newest && ep->first_at < episode_at(x->open.newest)->first_at) || ep->first_at > x->now)
            rd_fail(r, "an order");
        if (!rd_ok(r) || episode_put(x, ep) < 0) {
            buf_free(&ep->lines);
            free(ep);
            return rd_ok(r) ? -ENOMEM : -EBADMSG;
        }
    }
    return rd_ok(r) && rd_left(r) == 0 ? line_up(x) : -EBADMSG;
}

int episodes_load(struct episodes *x, struct str saved, struct err *e)
{
    struct reader r = rd_str(saved);
    int rc;

    episodes_clear(x);
    if (saved.n == 0)
        return 0;
    rc = load_all(x, &r);
    if (rc == 0) {
        x->next = 0;
        return 0;
    }
    /* Lists are lined up last, so what a failure leaves stands in the row by age alone. */
    for (struct episode *ep = episode_at(x->open.oldest); ep; ep = episode_at(ep->aged.newer))
        ep->list = LIST_IDLE;
    episodes_clear(x);
    return err_set(e, rc, rc == -ENOMEM ? "no memory for episodes" : "the saved episodes are damaged");
}
