/* scope.c - surveys as they are told to us, and what belongs to one: host names, addresses, networks. */
#include "desk/vulnerabilities/room.h"

#include <arpa/inet.h>

struct net {
    unsigned char bytes[16];
    int           family, bits;
};
struct vuln_scope {
    struct arena a;
    struct str  *names;       /* sorted */
    struct net  *nets;
    size_t       count, net_count, cap;
};

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static bool address_of(struct str s, struct net *out)
{
    char text[64];

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", STR_ARG(s));
    out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    out->bits = out->family == AF_INET6 ? 128 : 32;
    return inet_pton(out->family, text, out->bytes) == 1;
}

static bool network_of(struct str s, struct net *out)
{
    ptrdiff_t slash = str_chr(s, '/');
    uint64_t bits;

    if (slash <= 0 || !address_of(str_of(s.p, (size_t)slash), out) || !str_u64(str_of(s.p + slash + 1, s.n - (size_t)slash - 1), &bits) ||
        bits > (uint64_t)out->bits)
        return false;
    out->bits = (int)bits;
    return true;
}

static bool net_holds(const struct net *n, const struct net *one)
{
    if (n->family != one->family)
        return false;
    for (int bit = 0; bit < n->bits; bit++)
        if (((n->bytes[bit / 8] ^ one->bytes[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static void scope_add(struct vuln_scope *s, struct str host)
{
    struct net n;

    if (!host.n || s->count + s->net_count >= s->cap)
        return;
    if (network_of(str_trim(host), &n))
        s->nets[s->net_count++] = n;
    else
        s->names[s->count++] = host_clean(host, &s->a);
}

/* What the registry and the newest passport know of an object's hosts. */
#define OBJECT_HOSTS                                                                                                                                    \
    "SELECT host FROM object_host WHERE object_id = ?1 UNION SELECT j.value FROM record r, json_each(r.json, '$.ip_addresses') j WHERE r.kind ="      \
    " 'component' AND r.object_id = ?1 AND r.removed = 0 UNION SELECT j.value FROM record r, json_each(r.json, '$.domain_names') j WHERE r.kind ="      \
    " 'component' AND r.object_id = ?1 AND r.removed = 0 UNION SELECT json_extract(i.json, '$.host') FROM passport_item i WHERE i.passport_id ="        \
    " (SELECT max(id) FROM passport WHERE object_id = ?1) AND i.kind IN ('hardware','software') UNION SELECT json_extract(i.json, '$.address')"        \
    " FROM passport_item i WHERE i.passport_id = (SELECT max(id) FROM passport WHERE object_id = ?1) AND i.kind IN ('hardware','software')"           \
    " UNION SELECT json_extract(i.json, '$.domain') FROM passport_item i WHERE i.passport_id = (SELECT max(id) FROM passport WHERE object_id = ?1)"  \
    " AND i.kind IN ('hardware','software')"

static int scope_fill(struct call *c, struct vuln_scope *s, sqlite3_stmt *st)
{
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        scope_add(s, db_copy(st, 0, &s->a));
    return rc;
}

int vuln_scope_load(struct call *c, int64_t survey, struct str object, struct vuln_scope **out)
{
    struct vuln_scope *s = calloc(1, sizeof *s);
    int64_t given = 0;
    int rc;

    *out = s;
    if (!s)
        return err_set(c->e, -ENOMEM, "no memory");
    arena_init(&s->a, 16 * MIB);
    s->cap = 16384;
    s->names = calloc(s->cap, sizeof *s->names);
    s->nets = calloc(VULN_SCOPE_MAX + 1, sizeof *s->nets);
    if (!s->names || !s->nets)
        return err_set(c->e, -ENOMEM, "no memory");
    rc = db_int(c->d, c->e, 0, &given, "SELECT scope_given FROM vuln_survey WHERE id = ?", "i", survey);
    if (rc == 0)
        rc = scope_fill(c, s, db_query(c->d, c->e, "SELECT host FROM vuln_scope WHERE survey_id = ? LIMIT 4096", "i", survey));
    if (rc == 0 && !given)
        rc = scope_fill(c, s, db_query(c->d, c->e, OBJECT_HOSTS " LIMIT 12000", "t", object));
    if (s->count > 1)
        qsort(s->names, s->count, sizeof *s->names, by_text);
    return rc;
}

/* short_held - a name without its domain belongs to the scope where exactly one full name begins with it: two would be two hosts. */
static bool short_held(const struct vuln_scope *s, struct str host)
{
    size_t low = 0, high = s->count, same = 0;
    struct str label;

    if (str_chr(host, '.') >= 0 || str_chr(host, ':') >= 0)
        return false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (str_cmp(s->names[mid], host) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = low; i < s->count && str_starts(s->names[i], host) && same < 2; i++)
        same += host_short(s->names[i], &label) && str_eq(label, host) && (i == low || !str_eq(s->names[i], s->names[i - 1]));
    return same == 1;
}

static bool holds(const struct vuln_scope *s, struct str host)
{
    struct net one;

    if (host.n == 0)
        return false;
    if (s->count && bsearch(&host, s->names, s->count, sizeof *s->names, by_text))
        return true;
    if (short_held(s, host))
        return true;
    if (!address_of(host, &one))
        return false;
    for (size_t i = 0; i < s->net_count; i++)
        if (net_holds(&s->nets[i], &one))
            return true;
    return false;
}

bool vuln_scope_holds(const struct vuln_scope *s, struct str host, struct str name)
{
    return (host.n == 0 && name.n == 0) || holds(s, host) || holds(s, name);
}

void vuln_scope_free(struct vuln_scope **s)
{
    if (!*s)
        return;
    arena_free(&(*s)->a);
    free((*s)->names);
    free((*s)->nets);
    free(*s);
    *s = NULL;
}

/* --- what surveys tell --- */

int pending_add(struct call *c, struct str object, bool rekey)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO vuln_pending(object_id, rekey, cursor) VALUES (?1, ?2, 0) ON CONFLICT(object_id) DO UPDATE SET rekey = max(rekey, ?2),"
                     " cursor = 0",
                     "ti", object, (int64_t)rekey);

    return rc < 0 ? rc : 0;
}

/* scope_put - the list of the survey; what was taken in by hand stays. Returns 1 if it changed. */
static int scope_put(struct call *c, const struct vuln_survey *s)
{
    int changed = db_exec(c->d, c->e, "UPDATE vuln_scope SET taken = 2 WHERE survey_id = ? AND taken = 0", "i", s->id), was = changed, kept = 0;

    for (size_t i = 0; changed >= 0 && i < s->scope_count; i++) {
        int64_t known = 0;
        int rc = db_int(c->d, c->e, 0, &known, "SELECT 1 FROM vuln_scope WHERE survey_id = ? AND host = ?", "it", s->id, host_clean(s->scope[i], &c->a));

        if (rc == 0)
            rc = db_exec(c->d, c->e,
                         "INSERT INTO vuln_scope(survey_id, host, taken, reason, at) VALUES (?1, ?2, 0, '', ?3) ON CONFLICT DO UPDATE SET taken ="
                         " iif(taken = 2, 0, taken)",
                         "iti", s->id, host_clean(s->scope[i], &c->a), c->now);
        if (rc < 0)
            return rc;
        kept += known != 0;
    }
    if (changed < 0)
        return changed;
    changed = db_exec(c->d, c->e, "DELETE FROM vuln_scope WHERE survey_id = ? AND taken = 2", "i", s->id);
    return changed < 0 ? changed : changed > 0 || kept != (int)s->scope_count || (was == 0 && s->scope_count > 0);
}

int vulns_survey_put(struct call *c, const struct vuln_survey *s)
{
    int64_t known = 0, given = 0, object_same = 0;
    int rc, scope;

    if (s->scope_count > VULN_SCOPE_MAX)
        return refuse(c, -EINVAL, "bad_request", "scope", "more than %d places of one survey", VULN_SCOPE_MAX);
    rc = db_int(c->d, c->e, 0, &known, "SELECT 1 FROM vuln_survey WHERE id = ?", "i", s->id);
    if (rc == 0 && known)
        rc = db_int(c->d, c->e, 0, &object_same, "SELECT object_id = ?2 FROM vuln_survey WHERE id = ?1", "it", s->id, s->object_id);
    if (rc == 0 && known && !object_same)
        return err_set(c->e, -EINVAL, "survey %lld is of another object", (long long)s->id);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &given, "SELECT scope_given FROM vuln_survey WHERE id = ?", "i", s->id);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO vuln_survey(id, object_id, number, mode, control, main_id, begun_at, completed_at, sent_at, received_at, measures_due_at,"
                     " measures_at, cancelled, scope_given) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT(id) DO UPDATE SET"
                     " number = ?3, mode = ?4, control = ?5, main_id = ?6, begun_at = ?7, completed_at = ?8, sent_at = ?9, received_at = ?10,"
                     " measures_due_at = ?11, measures_at = ?12, cancelled = ?13, scope_given = ?14",
                     "itttiimmmmmmii", s->id, s->object_id, s->number.p ? s->number : STR(""), s->mode.p ? s->mode : STR(""), (int64_t)s->control, s->main_id,
                     s->begun_at, s->completed_at, s->sent_at, s->received_at, s->measures_due_at, s->measures_at, (int64_t)s->cancelled,
                     (int64_t)(s->scope_count > 0));
    if (rc < 0)
        return rc;
    scope = scope_put(c, s);
    if (scope < 0 || known)
        return scope < 0 ? scope : pending_add(c, s->object_id, scope > 0 || given != (s->scope_count > 0));
    /* One that the room did not know yet has no results, but a control survey that begins says something of what was measured (7.4, row 9). */
    return s->control && s->begun_at ? pending_add(c, s->object_id, false) : 0;
}

int vuln_letter_out(struct call *c, int64_t survey)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT y.number, y.sent_at, coalesce((SELECT n.number FROM notice_record n WHERE n.subject = 'survey' AND n.subject_id = CAST(y.id AS TEXT) AND"
                                " n.kind = 'survey_results' ORDER BY n.id DESC LIMIT 1), '—') FROM vuln_survey y WHERE y.id = ? AND y.sent_at IS NOT NULL",
                                "i", survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    char day[16];

    if (rc <= 0)
        return rc;
    local_date(c->d, sqlite3_column_int64(st, 1), day);
    struct str number = db_copy(st, 0, &c->a), letter = db_copy(st, 2, &c->a);
    db_done(st);
    return refuse(c, -EPROTO, "wrong_state", NULL,
                  "the results of %.*s went to the owner on %s with letter %.*s, and what it says stands: carry out another survey of the object, its results count with its own letter",
                  STR_ARG(number), day, STR_ARG(letter));
}

int vulns_scope_take(struct call *c, int64_t survey, struct str host, struct str reason)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM vuln_survey WHERE id = ?", "i", survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such survey");
    struct str object = db_copy(st, 0, &c->a), clean = host_clean(host, &c->a);
    db_done(st);
    rc = vuln_letter_out(c, survey);
    if (rc < 0)
        return rc;
    if (!clean.n)
        return vuln_wrong(c, "host", "a name, an address or a network is expected");
    if (!str_trim(reason).n)
        return vuln_wrong(c, "reason", "why it belongs to the object must be said");
    rc = db_exec(c->d, c->e,
                 "INSERT INTO vuln_scope(survey_id, host, taken, reason, by_id, at) VALUES (?1, ?2, 1, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET taken = 1,"
                 " reason = ?3, by_id = ?4, at = ?5",
                 "ittmi", survey, clean, reason, (time_ns)(c->v ? c->v->user_id : 0), c->now);
    if (rc >= 0)
        rc = pending_add(c, object, true);
    return rc < 0 ? rc : audit_add(c, "vulnerability.scope_take", arena_printf(&c->a, "survey/%lld", (long long)survey).p, clean, "ok");
}
