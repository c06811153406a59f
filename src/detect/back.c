/* back.c - which indicators are new, the order of passes, and the findings on their way to the journal; see back.h. back_pass.c has the thread.
 *
 * An indicator is remembered by a hash of its type and value, with the number of the set in which it was new: 0, it was looked for; above, it waits or has its pass. Order of writes:
 * detection saves its state, so that a replay begins behind what the old set saw; then "searched" names the new ones. Of a pass: the findings of a piece are committed, then
 * "searched-at" moves on. Killed in between, the piece is searched again, and its frames carry the same numbers. */
#include "base/file.h"
#include "detect/back_internal.h"

#define MAGIC       "SAQBACK1"
#define MAGIC_AT    "SAQBACK2"
#define HEAD        64u
#define HEAD_AT     40u
#define SHARE       25
#define RETRY_NS    (60 * NS_PER_SECOND)

uint64_t back_hash(const struct ioc *i) { return (str_hash(i->value) ^ ((uint64_t)i->type + 1) * UINT64_C(0x9E3779B97F4A7C15)) | 1; }

size_t back_find(const struct back *b, uint64_t hash)
{
    size_t low = 0, high = b->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (b->known[mid].hash < hash)
            low = mid + 1;
        else
            high = mid;
    }
    return low < b->count && b->known[low].hash == hash ? low : SIZE_MAX;
}

/* --- files --- */

static int save(const struct back *b, struct err *e)
{
    AUTO_BUF struct buf out;

    buf_init(&out, HEAD + BACK_SETS_MAX * 8 + (size_t)BACK_KNOWN_MAX * 10 + 1);
    buf_str(&out, STR(MAGIC));
    buf_le64(&out, 0);
    buf_le64(&out, b->pass);
    buf_le64(&out, b->base);
    buf_le64(&out, (uint64_t)b->from);
    buf_le64(&out, b->hi);
    buf_le64(&out, b->sets);
    buf_le64(&out, b->count);
    for (size_t i = 1; i <= b->sets; i++)
        buf_le64(&out, b->upto[i]);
    for (size_t i = 0; i < b->count; i++)
        buf_le64(&out, b->known[i].hash);
    for (size_t i = 0; i < b->count; i++) {
        buf_byte(&out, (uint8_t)(b->known[i].set & 0xff));
        buf_byte(&out, (uint8_t)(b->known[i].set >> 8));
    }
    if (buf_failed(&out))
        return err_set(e, -ENOMEM, "no memory to remember indicators");
    uint64_t sum = str_hash(str_cut(buf_view(&out), 16));
    for (unsigned k = 0; k < 8; k++)
        out.p[8 + k] = (char)(sum >> 8 * k);
    return file_write_atomic(b->path, buf_view(&out), 0640, e);
}

/* save_at - how far the pass is, with its episodes and risks. */
static int save_at(const struct back *b, struct err *e)
{
    AUTO_BUF struct buf out;
    uint64_t sum;

    buf_init(&out, HEAD_AT + 2 * BACK_STATE_BYTES);
    buf_str(&out, STR(MAGIC_AT));
    buf_le64(&out, 0);
    buf_le64(&out, b->pass);
    buf_le64(&out, b->next);
    buf_le64(&out, b->episodes.n);
    buf_str(&out, buf_view(&b->episodes));
    buf_str(&out, buf_view(&b->risk));
    if (buf_failed(&out) || buf_failed(&b->episodes) || buf_failed(&b->risk))
        return err_set(e, -ENOMEM, "no memory to remember a search");
    sum = str_hash(str_cut(buf_view(&out), 16));
    for (unsigned k = 0; k < 8; k++)
        out.p[8 + k] = (char)(sum >> 8 * k);
    return file_write_atomic(b->path_at, buf_view(&out), 0640, e);
}

static int take_entries(struct back *b, struct reader *r, size_t count)
{
    b->known = calloc(count + 1, sizeof *b->known);
    if (!b->known)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        b->known[i].hash = rd_le64(r);
        if (i && b->known[i].hash <= b->known[i - 1].hash)
            rd_fail(r, "indicators in order");
    }
    for (size_t i = 0; i < count; i++) {
        unsigned low = rd_u8(r), high = rd_u8(r);

        b->known[i].set = (uint16_t)(low | high << 8);
        if (b->known[i].set > b->sets)
            rd_fail(r, "a set that there is");
    }
    b->count = count;
    return 0;
}

static int load(struct back *b, struct err *e)
{
    AUTO_BUF struct buf in;
    struct reader r;
    uint64_t sum, count;
    int rc;

    buf_init(&in, HEAD + BACK_SETS_MAX * 8 + (size_t)BACK_KNOWN_MAX * 10 + 1);
    rc = file_read(b->path, in.limit_bytes, &in, e);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    r = rd_str(buf_view(&in));
    if (!str_eq(rd_take(&r, 8, "magic"), STR(MAGIC)))
        rd_fail(&r, "a file of indicators that were searched for");
    sum = rd_le64(&r);
    if (rd_ok(&r) && sum != str_hash(str_cut(buf_view(&in), 16)))
        rd_fail(&r, "its checksum");
    b->pass = rd_le64(&r);
    b->base = rd_le64(&r);
    b->from = (time_ns)rd_le64(&r);
    b->hi = rd_le64(&r);
    b->sets = rd_le64(&r);
    count = rd_le64(&r);
    if (b->sets > BACK_SETS_MAX || b->hi > b->sets || count > BACK_KNOWN_MAX || rd_left(&r) != b->sets * 8 + count * 10)
        rd_fail(&r, "as much as it says");
    for (size_t i = 1; rd_ok(&r) && i <= b->sets; i++)
        b->upto[i] = rd_le64(&r);
    if (rd_ok(&r) && take_entries(b, &r, (size_t)count) < 0)
        return err_set(e, -ENOMEM, "no memory to remember indicators");
    return rd_ok(&r) ? 0 : rd_err(&r, e, "searched");
}

/* load_at - how far the pass was; what is not of this pass, or damaged, says nothing: its findings are numbered and are not taken twice. */
static void load_at(struct back *b)
{
    AUTO_BUF struct buf in;
    struct reader r;
    struct str rest;
    uint64_t pass, next, episodes, sum;

    buf_init(&in, HEAD_AT + 2 * BACK_STATE_BYTES + 1);
    if (file_read(b->path_at, in.limit_bytes, &in, NULL) < 0)
        return;
    r = rd_str(buf_view(&in));
    if (!str_eq(rd_take(&r, 8, "magic"), STR(MAGIC_AT)))
        return;
    sum = rd_le64(&r);
    pass = rd_le64(&r);
    next = rd_le64(&r);
    episodes = rd_le64(&r);
    if (!rd_ok(&r) || sum != str_hash(str_cut(buf_view(&in), 16)) || pass != b->pass || episodes > rd_left(&r))
        return;
    b->next = next;
    rest = str_cut(buf_view(&in), HEAD_AT);
    buf_str(&b->episodes, str_of(rest.p, (size_t)episodes));
    buf_str(&b->risk, str_cut(rest, (size_t)episodes));
}

int back_open(const struct back_config *c, struct back **out, struct err *e)
{
    struct back *b = calloc(1, sizeof *b);
    pthread_condattr_t steady;
    int rc;

    *out = NULL;
    if (!b)
        return err_set(e, -ENOMEM, "no memory to search back");
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&b->wake, &steady);
    pthread_condattr_destroy(&steady);
    event_batch_init(&b->found, BACK_FOUND_BYTES);
    b->days = c->days;
    b->share = c->share > 0 && c->share <= 100 ? c->share : SHARE;
    snprintf(b->path, sizeof b->path, "%.4000s/searched", c->folder);
    snprintf(b->path_at, sizeof b->path_at, "%.4000s/searched-at", c->folder);
    snprintf(b->store, sizeof b->store, "%.4000s/store", c->data);
    snprintf(b->journal, sizeof b->journal, "%.4000s/journal", c->data);
    snprintf(b->set, sizeof b->set, "%.4000s", c->set);
    snprintf(b->policy, sizeof b->policy, "%.4000s", c->policy);
    snprintf(b->triage, sizeof b->triage, "%.4000s", c->triage ? c->triage : "");
    snprintf(b->site, sizeof b->site, "%.4000s", c->site ? c->site : "");
    buf_init(&b->episodes, BACK_STATE_BYTES);
    buf_init(&b->risk, BACK_STATE_BYTES);
    rc = load(b, e);
    if (rc == 0)
        load_at(b);
    if (rc < 0) {
        free(b->known);
        b->known = NULL;
        b->count = b->sets = b->hi = b->pass = b->base = 0;
    }
    *out = b;
    return rc;
}

void back_close(struct back **bp)
{
    struct back *b = *bp;

    if (!b)
        return;
    back_pass_stop(b);
    event_batch_free(&b->found);
    buf_free(&b->episodes);
    buf_free(&b->risk);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b->known);
    free(b->found_seq);
    free(b);
    *bp = NULL;
}

/* --- another set --- */

struct taking {
    const struct back *b;
    struct back_entry *fresh;
    size_t count, cap;
};

static int take_one(void *arg, const struct ioc *i, struct err *e)
{
    struct taking *t = arg;
    uint64_t hash = back_hash(i);

    if (back_find(t->b, hash) != SIZE_MAX)
        return 0;
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 1024;
        struct back_entry *list = realloc(t->fresh, cap * sizeof *list);

        if (!list)
            return err_set(e, -ENOMEM, "no memory to remember indicators");
        t->fresh = list;
        t->cap = cap;
    }
    t->fresh[t->count++] = (struct back_entry){ hash, 0 };
    return 0;
}

static int compare(const void *x, const void *y)
{
    const struct back_entry *a = x, *b = y;

    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* merge - both lists in order, each hash once. The thread looks at the list: it is held. */
static int merge(struct back *b, struct back_entry *fresh, size_t count, uint16_t set)
{
    struct back_entry *all = calloc(b->count + count + 1, sizeof *all);
    size_t i = 0, k = 0, n = 0;

    if (!all)
        return -ENOMEM;
    while (i < b->count || k < count) {
        if (k == count || (i < b->count && b->known[i].hash < fresh[k].hash)) {
            all[n++] = b->known[i++];
            continue;
        }
        if (n == 0 || all[n - 1].hash != fresh[k].hash)
            all[n++] = (struct back_entry){ fresh[k].hash, set };
        k++;
    }
    pthread_mutex_lock(&b->lock);
    free(b->known);
    b->known = all;
    b->count = n;
    pthread_mutex_unlock(&b->lock);
    return 0;
}

int64_t back_take(struct back *b, const struct indicators *x, uint64_t seq, struct err *e)
{
    struct taking t = { .b = b };
    bool wait = b->days > 0 && seq > 1;
    int rc;

    if (wait && b->sets == BACK_SETS_MAX)
        return err_set(e, -EBUSY, "too many sets of indicators wait to be searched for");
    rc = indicators_each(x, take_one, &t, e);
    if (rc == 0 && b->count + t.count > BACK_KNOWN_MAX)
        rc = err_set(e, -E2BIG, "more than %u indicators to remember: remove DATA/detect/searched, and all are searched for anew", BACK_KNOWN_MAX);
    if (rc == 0 && t.count) {
        qsort(t.fresh, t.count, sizeof *t.fresh, compare);
        if (merge(b, t.fresh, t.count, wait ? (uint16_t)(b->sets + 1) : 0) < 0)
            rc = err_set(e, -ENOMEM, "no memory to remember indicators");
        if (rc == 0 && wait)
            b->upto[++b->sets] = seq;
        if (rc == 0)
            rc = save(b, e);
    }
    free(t.fresh);
    return rc < 0 ? rc : (int64_t)t.count;
}

/* --- passes --- */

static uint64_t pass_end(const struct back *b)
{
    uint64_t end = 0;

    for (size_t i = 1; i <= b->hi; i++)
        end = b->upto[i] > end ? b->upto[i] : end;
    return end;
}

/* begin - the sets that wait now have their pass. Its frames are numbered behind all of those before. */
static int begin(struct back *b, const struct journal *out, struct err *e)
{
    if (b->hi == 0) {
        b->base = journal_origin_seq(out, STR(BACK_ORIGIN));
        b->hi = b->sets;
        b->pass++;
        b->next = 1;
        buf_reset(&b->episodes);
        buf_reset(&b->risk);
        b->from = clock_now() - b->days * NS_PER_DAY;
        int rc = save(b, e);
        if (rc < 0) {
            b->hi = 0;
            return rc;
        }
    }
    b->to = pass_end(b);
    b->wanted = 0;
    for (size_t i = 0; i < b->count; i++)
        b->wanted += b->known[i].set > 0 && b->known[i].set <= b->hi;
    return back_pass_start(b, e);
}

/* end - what was looked for is known; sets that came meanwhile move up. */
static int end(struct back *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++)
        b->known[i].set = (uint16_t)(b->known[i].set > b->hi ? b->known[i].set - b->hi : 0);
    memmove(b->upto + 1, b->upto + 1 + b->hi, (b->sets - b->hi) * sizeof *b->upto);
    b->sets -= b->hi;
    b->hi = 0;
    b->counts.passes++;
    return save(b, e);
}

/* write - one frame for each event, numbered by it. */
static int write_found(struct back *b, struct journal *out, struct err *e)
{
    int rc = 0;

    for (size_t i = 0, next; i < b->found.count && rc >= 0; i = next) {
        struct journal_origin origin = { STR(BACK_ORIGIN), b->base + b->found_seq[i] };

        for (next = i + 1; next < b->found.count && b->found_seq[next] == b->found_seq[i]; next++)
            continue;
        rc = journal_append(out, b->found.items + i, next - i, origin, NULL, e);
        if (rc == -E2BIG) {
            detect_shorten(&b->found);
            rc = journal_append(out, b->found.items + i, next - i, origin, NULL, e);
        }
        if (rc == 1)
            b->counts.repeated += next - i;
        else if (rc == 0)
            b->counts.findings += next - i;
    }
    return rc < 0 ? rc : journal_commit(out, e);
}

static int take_piece(struct back *b, struct journal *out, struct err *e)
{
    int n = (int)b->found.count, rc = n ? write_found(b, out, e) : 0;

    if (rc < 0)
        return rc;
    b->next = b->found_to;
    rc = save_at(b, e);
    if (rc < 0)
        return rc;
    b->counts.events += b->found_events;
    event_batch_reset(&b->found);
    return n;
}

int back_step(struct back *b, struct journal *out, struct err *e)
{
    bool ended;
    int n = 0, rc;

    if (!b->running) {
        bool due = b->sets > 0 && (!b->failed_at || clock_steady() - b->failed_at >= RETRY_NS);

        rc = due ? begin(b, out, e) : 0;
        if (rc < 0) {
            b->failed_at = clock_steady();
            snprintf(b->note, sizeof b->note, "%s", e->text);
        }
        return 0;
    }
    pthread_mutex_lock(&b->lock);
    bool ready = b->ready;
    pthread_mutex_unlock(&b->lock);
    if (!ready)
        return 0;
    ended = b->ended;       /* the thread waits: all of it is ours now */
    n = take_piece(b, out, e);
    if (n < 0 || !ended) {
        if (n >= 0)
            back_pass_go_on(b);
        return n;
    }
    back_pass_stop(b);
    b->failed_at = b->failed < 0 ? clock_steady() : 0;
    snprintf(b->note, sizeof b->note, "%s", b->failed < 0 ? b->failure.text : "");
    rc = b->failed < 0 ? 0 : end(b, e);
    return rc < 0 ? rc : n;
}

struct back_counts back_counts(const struct back *b)
{
    struct back_counts c = b->counts;

    c.sets = b->sets;
    if (b->hi) {
        c.next_seq = b->next;
        c.to_seq = b->to;
        c.indicators = b->wanted;
    }
    return c;
}

const char *back_note(const struct back *b) { return b->note; }
