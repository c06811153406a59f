/* risk.c - see risk.h. A table with chains, and the accounts in the order in which they were touched.
 *
 * An account keeps its score as of the moment when it was touched last; whoever looks at it takes off what has faded since. */
#include "detect/risk.h"

#include <math.h>

#include "detect/ages.h"
#include "detect/internal.h"

#define VERSION       1
#define BUCKETS_FIRST 256
#define KEY_MAX       (2 * RISK_NAME_MAX + 32)
#define MOMENT_MAX    (INT64_MAX / 4)

enum { HOST = 'h', USER = 'u' };

struct part { char *id; enum sigma_level level; double points; uint64_t count; time_ns last; };

struct account {
    struct aged aged;                /* by the last finding */
    uint64_t  findings;
    double    score;
    time_ns   first, last;
    bool      over;
    char      kind;
    uint8_t   part_count;
    struct part parts[RISK_RULES];   /* newest first */
    uint32_t  object_n, name_n;
    char      text[];                /* object, name */
};

struct risk {
    const struct detect_policy *policy;
    struct ages accounts;
    uint64_t  dropped;
    time_ns   now;
};

static struct account *account_at(const struct aged *a) { return (struct account *)(void *)(uintptr_t)a; }   /* NULL stays NULL */
static struct str object_of(const struct account *a) { return str_of(a->text, a->object_n); }
static struct str name_of(const struct account *a) { return str_of(a->text + a->object_n, a->name_n); }

static void account_free(struct account *a)
{
    for (uint8_t i = 0; i < a->part_count; i++)
        free(a->parts[i].id);
    free(a);
}

static void clear(struct risk *r)
{
    for (struct account *a = account_at(r->accounts.oldest), *next; a; a = next) {
        next = account_at(a->aged.newer);
        account_free(a);
    }
    ages_forget(&r->accounts);
    r->dropped = 0;
    r->now = 0;
}

int risk_new(const struct detect_policy *p, struct risk **out, struct err *e)
{
    struct risk *r = calloc(1, sizeof *r);

    *out = r;
    if (!r || ages_init(&r->accounts, BUCKETS_FIRST) < 0) {
        risk_free(out);
        return err_set(e, -ENOMEM, "no memory for accounts of risk");
    }
    r->policy = p;
    return 0;
}

void risk_free(struct risk **rp)
{
    struct risk *r = *rp;

    if (!r)
        return;
    clear(r);
    ages_free(&r->accounts);
    free(r);
    *rp = NULL;
}

void risk_policy(struct risk *r, const struct detect_policy *p) { r->policy = p; }
size_t risk_count(const struct risk *r) { return r->accounts.count; }

/* --- the table --- */

/* hash_of - names of hosts and users differ not by the case of ASCII letters. */
static uint64_t hash_of(char kind, struct str object, struct str name)
{
    char text[KEY_MAX];
    size_t n = 0;

    text[n++] = kind;
    memcpy(text + n, object.p ? object.p : "", min_size(object.n, RISK_NAME_MAX));
    n += min_size(object.n, RISK_NAME_MAX);
    text[n++] = 0;
    for (size_t i = 0; i < name.n; i++)
        text[n++] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    return str_hash(str_of(text, n));
}

static void drop_oldest(struct risk *r)
{
    struct account *a = account_at(r->accounts.oldest);

    ages_remove(&r->accounts, &a->aged);
    account_free(a);
    r->dropped++;
}

static struct account *make(struct risk *r, char kind, struct str object, struct str name)
{
    struct account *a = calloc(1, sizeof *a + object.n + name.n);

    if (!a || ages_put(&r->accounts, &a->aged, hash_of(kind, object, name)) < 0) {
        free(a);
        return NULL;
    }
    a->kind = kind;
    a->object_n = (uint32_t)object.n;
    a->name_n = (uint32_t)name.n;
    if (object.n)
        memcpy(a->text, object.p, object.n);
    memcpy(a->text + object.n, name.p, name.n);
    return a;
}

static struct account *find(const struct risk *r, char kind, struct str object, struct str name)
{
    uint64_t hash = hash_of(kind, object, name);

    for (struct account *a = account_at(ages_first(&r->accounts, hash)); a; a = account_at(a->aged.chain))
        if (a->aged.hash == hash && a->kind == kind && str_eq(object_of(a), object) && str_ieq(name_of(a), name))
            return a;
    return NULL;
}

/* --- what a finding adds --- */

static double score_at(const struct risk *r, const struct account *a, time_ns at)
{
    return at <= a->last ? a->score : a->score * exp2(-(double)(at - a->last) / (double)r->policy->half_life);
}

static double threshold_of(const struct risk *r, const struct account *a) { return a->kind == HOST ? r->policy->host : r->policy->user; }

/* note_rule - what the rule added stands first. */
static int note_rule(struct risk *r, struct account *a, const struct sigma_rule *rule, enum sigma_level level, double points)
{
    struct part p = { .level = level };
    uint8_t i = 0;

    while (i < a->part_count && !str_eq(str_c(a->parts[i].id), rule->id))
        i++;
    if (i < a->part_count)
        p = a->parts[i];
    else if (!(p.id = strndup(rule->id.n ? rule->id.p : "", rule->id.n)))
        return -ENOMEM;
    else if (a->part_count == RISK_RULES)
        free(a->parts[i = RISK_RULES - 1].id);
    else
        a->part_count++;
    memmove(a->parts + 1, a->parts, i * sizeof a->parts[0]);
    p.level = level;
    p.points += points;
    p.count++;
    p.last = r->now;
    a->parts[0] = p;
    return 0;
}

static int tell(struct risk *r, const struct account *a, const struct event *ev, struct event_batch *out, struct err *e)
{
    const struct detect_policy *p = r->policy;
    const struct sigma_rule rule = {
        .id = a->kind == HOST ? STR("saqshy-risk-host") : STR("saqshy-risk-user"), .title = p->risk_en, .title_kk = p->risk_kk, .title_ru = p->risk_ru,
        .level = p->risk_level, .author = STR("Saqshy"),
    };
    struct arena *t = &out->arena;
    struct str name = arena_copy(t, name_of(a));
    struct sigma_match m = { .rule = &rule, .count = a->findings, .first_seq = ev->seq, .last_seq = ev->seq, .value = a->score, .group = name, .window_end = true };
    int rc = detect_finding(&m, ev, out, e);

    if (rc < 0)
        return rc;
    struct event *f = &out->items[out->count - 1];
    rc = event_add(f, t, a->kind == HOST ? STR("host.name") : STR("user.name"), name);
    if (rc == 0 && a->kind == USER && event_get(ev, STR("host.name")).n)
        rc = event_add(f, t, STR("host.name"), event_get(ev, STR("host.name")));
    for (uint8_t i = 0; i < a->part_count && rc == 0; i++)
        rc = event_add(f, t, STR("saqshy.risk_rules"), arena_copy(t, str_c(a->parts[i].id)));
    return rc < 0 || arena_failed(t) ? err_set(e, -ENOMEM, "no memory for a finding") : 1;
}

static int add_to(struct risk *r, char kind, struct str name, const struct sigma_rule *rule, enum sigma_level level, const struct event *ev,
                  struct event_batch *out, struct err *e)
{
    struct str object = str_of(ev->object.p, min_size(ev->object.n, RISK_NAME_MAX));
    double points = r->policy->points[level], threshold = kind == HOST ? r->policy->host : r->policy->user;

    if (!name.n || name.n > RISK_NAME_MAX || threshold <= 0 || points <= 0)
        return 0;
    struct account *a = find(r, kind, object, name);
    if (!a && r->accounts.count >= RISK_MAX)
        drop_oldest(r);
    if (!a && (a = make(r, kind, object, name)))
        a->first = a->last = r->now;
    if (!a)
        return err_set(e, -ENOMEM, "no memory for an account of risk");
    double before = score_at(r, a, r->now);

    a->over = a->over && before >= threshold / 2;
    a->score = before + points;
    a->last = r->now;
    a->findings++;
    ages_touch(&r->accounts, &a->aged);
    if (note_rule(r, a, rule, level, points) < 0)
        return err_set(e, -ENOMEM, "no memory for an account of risk");
    if (a->over || a->score < threshold)
        return 0;
    a->over = true;
    return tell(r, a, ev, out, e);
}

static bool ignored(const struct detect_policy *p, struct str user)
{
    for (size_t i = 0; i < p->ignored; i++)
        if (str_ieq(p->ignore_users[i], user))
            return true;
    return false;
}

int risk_add(struct risk *r, const struct sigma_rule *rule, enum sigma_level level, const struct event *ev, struct event_batch *out, struct err *e)
{
    struct str user = event_get(ev, STR("user.name"));
    int hosts, users = 0;

    if (ev->received > r->now)
        r->now = ev->received;
    hosts = add_to(r, HOST, event_get(ev, STR("host.name")), rule, level, ev, out, e);
    if (hosts >= 0 && !ignored(r->policy, user))
        users = add_to(r, USER, user, rule, level, ev, out, e);
    return hosts < 0 ? hosts : users < 0 ? users : hosts + users;
}

/* --- told to the desk --- */

struct ranked { const struct account *a; double score; };

static int by_score(const void *l, const void *r)
{
    const struct ranked *a = l, *b = r;

    return a->score > b->score ? -1 : a->score < b->score;
}

static void put_time(struct buf *b, const char *key, time_ns t)
{
    char text[TIME_TEXT_MAX];

    buf_printf(b, ",\"%s\":\"%s\"", key, time_format_utc(t, text));
}

static void put_rules(const struct account *a, const struct sigma *set, struct buf *b)
{
    buf_str(b, STR(",\"rules\":["));
    for (uint8_t i = 0; i < a->part_count; i++) {
        const struct part *p = &a->parts[i];
        const struct sigma_rule *r = sigma_rule_find(set, str_c(p->id));

        buf_str(b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        buf_json(b, str_c(p->id));
        buf_str(b, STR(",\"title\":"));
        buf_json(b, r ? r->title : STR(""));
        buf_str(b, STR(",\"title_kk\":"));
        buf_json(b, r ? r->title_kk : STR(""));
        buf_str(b, STR(",\"title_ru\":"));
        buf_json(b, r ? r->title_ru : STR(""));
        buf_printf(b, ",\"level\":\"%s\",\"points\":%.0f,\"count\":%llu", sigma_level_name(p->level), p->points, (unsigned long long)p->count);
        put_time(b, "last", p->last);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_account(const struct risk *r, const struct ranked *k, const struct sigma *set, struct buf *b)
{
    const struct account *a = k->a;

    buf_printf(b, "{\"kind\":\"%s\",\"name\":", a->kind == HOST ? "host" : "user");
    buf_json(b, name_of(a));
    buf_str(b, STR(",\"object\":"));
    buf_json(b, object_of(a));
    buf_printf(b, ",\"score\":%.1f,\"over\":%s", k->score, a->over && k->score >= threshold_of(r, a) / 2 ? "true" : "false");
    put_time(b, "first", a->first);
    put_time(b, "last", a->last);
    buf_printf(b, ",\"findings\":%llu", (unsigned long long)a->findings);
    put_rules(a, set, b);
    buf_byte(b, '}');
}

void risk_json(const struct risk *r, const struct sigma *set, time_ns at, struct buf *out)
{
    AUTO_FREE struct ranked *all = calloc(r->accounts.count + 1, sizeof *all);
    char text[TIME_TEXT_MAX];
    size_t n = 0;

    for (const struct account *a = account_at(r->accounts.newest); a && all; a = account_at(a->aged.older))
        all[n++] = (struct ranked){ a, score_at(r, a, at) };
    if (n)
        qsort(all, n, sizeof *all, by_score);
    buf_printf(out, "{\"at\":\"%s\",\"half_life_s\":%lld,\"threshold\":{\"host\":%.0f,\"user\":%.0f},\"accounts\":%zu,\"dropped\":%llu,\"entities\":[",
               time_format_utc(at, text), (long long)(r->policy->half_life / NS_PER_SECOND), r->policy->host, r->policy->user, r->accounts.count,
               (unsigned long long)r->dropped);
    for (size_t i = 0; i < n && i < RISK_TOLD_MAX; i++) {
        if (i)
            buf_byte(out, ',');
        put_account(r, &all[i], set, out);
    }
    buf_str(out, STR("]}\n"));
}

/* --- saved: version, now, dropped, count; then for each, untouched for longest first: kind, object, name, score (bits), first, last, over, findings,
 *     number of rules, for each: id, level, points (bits), count, last --- */

static void put_double(struct buf *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    buf_le64(b, bits);
}

static double rd_double(struct reader *r)
{
    uint64_t bits = rd_le64(r);
    double v;

    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v) || v < 0)
        rd_fail(r, "points");
    return v;
}

static time_ns rd_moment(struct reader *r)
{
    time_ns t = (time_ns)rd_le64(r);

    if (t > MOMENT_MAX || t < -MOMENT_MAX)
        rd_fail(r, "a moment");
    return rd_ok(r) ? t : 0;
}

void risk_save(const struct risk *r, struct buf *b)
{
    buf_varint(b, VERSION);
    buf_le64(b, (uint64_t)r->now);
    buf_varint(b, r->dropped);
    buf_varint(b, r->accounts.count);
    for (const struct account *a = account_at(r->accounts.oldest); a; a = account_at(a->aged.newer)) {
        buf_byte(b, a->kind);
        buf_varstr(b, object_of(a));
        buf_varstr(b, name_of(a));
        put_double(b, a->score);
        buf_le64(b, (uint64_t)a->first);
        buf_le64(b, (uint64_t)a->last);
        buf_byte(b, (char)a->over);
        buf_varint(b, a->findings);
        buf_varint(b, a->part_count);
        for (uint8_t i = 0; i < a->part_count; i++) {
            buf_varstr(b, str_c(a->parts[i].id));
            buf_varint(b, a->parts[i].level);
            put_double(b, a->parts[i].points);
            buf_varint(b, a->parts[i].count);
            buf_le64(b, (uint64_t)a->parts[i].last);
        }
    }
}

static int load_part(struct account *a, struct reader *r)
{
    struct part p = { 0 };
    struct str id = rd_varstr(r, YAML_BYTES_MAX, "a rule");
    uint64_t level = rd_varint(r);

    p.points = rd_double(r);
    p.count = rd_varint(r);
    p.last = rd_moment(r);
    if (level >= SIGMA_LEVEL_COUNT)
        rd_fail(r, "a level");
    if (!rd_ok(r))
        return 0;
    p.level = (enum sigma_level)level;
    p.id = strndup(id.n ? id.p : "", id.n);
    if (!p.id)
        return -ENOMEM;
    a->parts[a->part_count++] = p;
    return 0;
}

static int load_account(struct risk *r, struct reader *in)
{
    char kind = (char)rd_u8(in);
    struct str object = rd_varstr(in, RISK_NAME_MAX, "an object"), name = rd_varstr(in, RISK_NAME_MAX, "a name");
    double score = rd_double(in);
    time_ns first = rd_moment(in), last = rd_moment(in);
    uint8_t over = rd_u8(in);
    uint64_t findings = rd_varint(in), parts = rd_varint(in);
    int rc = 0;

    if ((kind != HOST && kind != USER) || name.n == 0 || over > 1 || parts > RISK_RULES)
        rd_fail(in, "an account");
    if (!rd_ok(in))
        return 0;
    struct account *a = make(r, kind, object, name);
    if (!a)
        return -ENOMEM;
    a->score = score;
    a->first = first;
    a->last = last;
    a->over = over;
    a->findings = findings;
    for (uint64_t i = 0; i < parts && rc == 0 && rd_ok(in); i++)
        rc = load_part(a, in);
    return rc;
}

int risk_load(struct risk *r, struct str saved, struct err *e)
{
    struct reader in = rd_str(saved);
    int rc = 0;

    clear(r);
    if (saved.n == 0)
        return 0;
    if (rd_varint(&in) != VERSION)
        rd_fail(&in, "version 1");
    r->now = rd_moment(&in);
    r->dropped = rd_varint(&in);
    uint64_t count = rd_varint(&in);
    if (count > RISK_MAX)
        rd_fail(&in, "a number of accounts");
    for (uint64_t i = 0; i < count && rd_ok(&in) && rc == 0; i++)
        rc = load_account(r, &in);
    if (rc == 0 && rd_ok(&in) && rd_left(&in) == 0)
        return 0;
    clear(r);
    return err_set(e, rc < 0 ? rc : -EBADMSG, rc < 0 ? "no memory for accounts of risk" : "the saved accounts of risk are damaged");
}
