/* list.c - vulnerabilities in pages: the known exploited first, then by severity, EPSS and age. One number (vuln.rank) is that order, so every filter by
 * severity or exploitation is a range of it, and each page walks one index from the cursor on. */
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

#define COLUMNS                                                                                                                                       \
    "v.id, v.state, v.severity, v.cvss, v.kev, v.epss, v.cves, v.host, v.port, v.protocol, v.component, v.path, v.first_detected_at, v.last_seen_at, v.due_at," \
    " o.id, o.name, g.id, g.name, x.title, v.own, v.rank, v.open, v.key"

/* iif: with so many conditions the planner expects a handful of rows and sorts them, where it should walk the index and stop.
 * ?1 ?2 scope, ?3 rank and ?4 id of the cursor, ?5 open (-1 both), ?6 ?7 range of the rank, ?8 object, ?9 state, ?10 host, ?11 cve, ?12 survey, ?13 organisation,
 * ?14 words, ?15 limit, ?16 now. The first condition of each text is the index that it walks. Each text stands twice: the centre's is of vuln, an owner's of
 * vuln_owner (owner.c), where every column, and so every order and filter, is what they were told. */
#define SEEN_IN " EXISTS (SELECT 1 FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id = v.id AND"   \
                " r.survey_id = ?12 AND s.outside = 0 AND r.state IN ('applying','applied'))"
#define REST(cve)                                                                                                                                     \
    " AND v.live = 1 AND v.rank BETWEEN ?6 AND ?7 AND iif((v.rank < ?3 OR v.id < ?4) AND (?5 < 0 OR v.open = ?5) AND (?8 = '' OR v.object_id = ?8) AND (?9 = '' OR v.state ="   \
    " ?9) AND (?10 = '' OR v.host = ?10) AND (?11 = '' OR " cve ") AND (?12 = 0 OR" SEEN_IN                                                            \
    ") AND (?13 = '' OR v.object_id IN " OBJECTS_OF("?13") ") AND (?14 = '' OR v.text_id IN (SELECT rowid FROM vuln_title WHERE vuln_title MATCH ?14 LIMIT 300))"     \
    " AND (?16 = 0 OR v.due_at < ?16) AND (?1 = 0 OR v.object_id IN " OBJECTS_OF("?2") "), 1, 0)"
#define ORDER " ORDER BY v.rank DESC, v.id DESC LIMIT ?15"
#define LIST(table, index, first, cve) "SELECT " COLUMNS " FROM " table " v " index " CROSS JOIN object o ON o.id = v.object_id CROSS JOIN org g ON g.id = o.org_id LEFT JOIN"  \
                                       " vuln_text x ON x.id = v.text_id WHERE " first REST(cve) ORDER
#define BOTH(index, first)                                                                                                                            \
    { LIST("vuln", index("vuln"), first, "EXISTS (SELECT 1 FROM vuln_key k WHERE k.vuln_id = v.id AND k.cve = ?11)"),                                  \
      LIST("vuln_owner", index("vuln_owner"), first, "instr(', ' || v.cves || ',', ', ' || ?11 || ',') > 0") }
#define NO_INDEX(t)  ""
#define OPEN(t)      "INDEXED BY " t "_open"
#define STATE(t)     "INDEXED BY " t "_state"
#define OF_OBJECT(t) "INDEXED BY " t "_object"
#define HOST(t)      "INDEXED BY " t "_host"
#define SAID(t)      "INDEXED BY " t "_said"
#define DUE(t)       "INDEXED BY " t "_due"

enum way { BY_OPEN, BY_STATE, BY_OBJECT, BY_OBJECTS, BY_HOST, BY_CVE, BY_WORDS, BY_DUE, WAY_COUNT };
static const char *const ways[WAY_COUNT][SIDE_COUNT] = {
    [BY_OPEN] = BOTH(OPEN, "v.open = ?5"),
    [BY_STATE] = BOTH(STATE, "v.state = ?9"),
    [BY_OBJECT] = BOTH(OF_OBJECT, "v.object_id = ?8 AND v.open = ?5"),
    [BY_OBJECTS] = BOTH(OF_OBJECT, "v.object_id IN " OBJECTS_OF("iif(?13 = '', ?2, ?13)") " AND v.open = ?5"),
    [BY_HOST] = BOTH(HOST, "v.host = ?10"),
    [BY_CVE] = BOTH(NO_INDEX, "v.id IN (SELECT vuln_id FROM vuln_key WHERE cve = ?11 AND vuln_id IS NOT NULL)"),
    [BY_WORDS] = BOTH(SAID, "v.text_id IN (SELECT rowid FROM vuln_title WHERE vuln_title MATCH ?14 LIMIT 300)"),
    [BY_DUE] = BOTH(DUE, "v.due_at < ?16"),
};

const char *vuln_list_sql(size_t way, enum vuln_side side) { return way < WAY_COUNT ? ways[way][side] : NULL; }

/* Above so many objects of one organisation, walking the order of all is shorter than sorting theirs. */
#define OBJECTS_FEW 40
/* Above so many that are overdue, one walks to them in the order of the list sooner than they are sorted. */
#define DUE_FEW     "5000"

struct ask {
    struct call *c;
    const struct vulns_query *q;
    int64_t      open, low, high, rank, id, survey, now;
    bool         both, later;   /* both: open ones, then the others; later: the cursor stands in the second part */
    struct str   object, words, host, cve;
    enum way     way;
};

static struct str or_empty(struct str s) { return s.p ? s : STR(""); }

/* words_of - a search as FTS5 has it: every word as a prefix, nothing of its language. */
static struct str words_of(struct call *c, struct str q)
{
    AUTO_BUF struct buf b = { 0 };
    struct str rest = fold_text(q, &c->a), word;

    buf_init(&b, 4096);
    while (str_split(&rest, ' ', &word)) {
        if (!word.n)
            continue;
        buf_str(&b, b.n ? STR(" \"") : STR("\""));
        for (size_t i = 0; i < word.n; i++)
            if (word.p[i] != '"' && (unsigned char)word.p[i] >= ' ')
                buf_byte(&b, word.p[i]);
        buf_str(&b, STR("\"*"));
    }
    return buf_failed(&b) ? STR("\"\"") : arena_copy(&c->a, buf_view(&b));
}

/* words_split - what is typed may be a CVE, a number of ours, an address, or words of a title. */
static int words_split(struct ask *a)
{
    struct str q = str_trim(or_empty(a->q->q));
    ptrdiff_t dot = str_chr(q, '.');

    if (q.n && cve_clean(q, &a->c->a, &a->cve))
        return 0;
    if (q.n > 1 && dot > 0 && str_chr(q, ' ') < 0 && (q.p[0] >= '0' && q.p[0] <= '9'))
        a->host = host_clean(q, &a->c->a);
    else if (q.n)
        a->words = words_of(a->c, q);
    return 0;
}

static int cursor_read(struct ask *a)
{
    struct str rest = or_empty(a->q->before), rank, id;

    a->rank = a->id = INT64_MAX;
    if (!rest.n)
        return 0;
    if (!str_split(&rest, '.', &rank) || !str_i64(rank, &a->rank) || !str_split(&rest, '.', &id) || !str_i64(id, &a->id) || (rest.n && !str_eq(rest, STR("1"))))
        return vuln_wrong(a->c, "before", "not a cursor");
    a->later = rest.n > 0;
    return 0;
}

/* objects_many - does this organisation reach so many objects that their vulnerabilities should not be sorted? */
static int objects_many(struct ask *a, const char *org, bool *many)
{
    int64_t n = 0;
    int rc = db_int(a->c->d, a->c->e, 0, &n, "SELECT count(*) FROM (SELECT 1 FROM " OBJECTS_OF("?1") " LIMIT 41)", "z", org);

    *many = n > OBJECTS_FEW;
    return rc;
}

/* due_many - are so many overdue that they should not be sorted? */
static int due_many(struct ask *a, bool *many)
{
    static const char *const counts[SIDE_COUNT] = {
        "SELECT count(*) > " DUE_FEW " FROM (SELECT 1 FROM vuln INDEXED BY vuln_due WHERE live = 1 AND due_at < ?1 LIMIT " DUE_FEW " + 1)",
        "SELECT count(*) > " DUE_FEW " FROM (SELECT 1 FROM vuln_owner INDEXED BY vuln_owner_due WHERE due_at < ?1 LIMIT " DUE_FEW " + 1)",
    };
    int64_t n = 0;
    int rc = db_int(a->c->d, a->c->e, 0, &n, counts[side_of(a->c->v)], "i", a->now);

    *many = n > 0;
    return rc;
}

static int choose(struct ask *a, const struct scope *s)
{
    bool state = a->q->state.n > 0, many = true;
    char org[ID_MAX + 1];
    int rc = 0;

    a->way = a->cve.n ? BY_CVE : a->object.n ? BY_OBJECT : a->words.n ? BY_WORDS : a->host.n ? BY_HOST : a->now ? BY_DUE : state ? BY_STATE : BY_OPEN;
    if (!a->cve.n && !a->object.n && (s->bounded || a->q->org.n)) {
        snprintf(org, sizeof org, "%.*s", STR_ARG(a->q->org.n ? a->q->org : str_c(s->org)));
        rc = objects_many(a, org, &many);
        a->way = many ? a->way : BY_OBJECTS;
    }
    if (rc == 0 && a->way == BY_DUE && a->open == 1 && !state) {
        rc = due_many(a, &many);
        a->way = many ? BY_OPEN : BY_DUE;
    }
    a->both = a->survey && a->open < 0 && !state;
    /* The indexes by object and of all have "open" before the order; a state says which it is. */
    if (a->open < 0 && (a->way == BY_OBJECT || a->way == BY_OBJECTS || a->way == BY_OPEN))
        a->open = state ? vuln_state_open(vuln_state_parse(a->q->state)) : 1;
    return rc;
}

static json_t *real_or_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_real(sqlite3_column_double(st, column));
}

json_t *vuln_summary_json(struct call *c, sqlite3_stmt *st)
{
    bool due = sqlite3_column_type(st, 14) != SQLITE_NULL;
    struct str title = db_str(st, 19);

    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:b}", "id", db_json_id(st, 0), "number",
                     json_str(arena_printf(&c->a, "V-%06lld", (long long)sqlite3_column_int64(st, 0))), "state", db_json(st, 1), "severity",
                     severity_values[sqlite3_column_int(st, 2)], "cvss", real_or_null(st, 3), "kev", sqlite3_column_int(st, 4), "epss", real_or_null(st, 5), "cves",
                     db_json(st, 6), "host", db_json(st, 7), "port", sqlite3_column_int(st, 8) < 0 ? json_null() : json_integer(sqlite3_column_int(st, 8)), "protocol",
                     db_json(st, 9), "component", db_json(st, 10), "path", db_json(st, 11), "first_detected_at", db_json_time(st, 12), "last_seen_at", db_json_time(st, 13),
                     "due_at", db_json_time(st, 14), "overdue", due && sqlite3_column_int64(st, 14) < c->now && sqlite3_column_int(st, 22), "object",
                     json_ref(db_str(st, 15), db_str(st, 16)), "org", json_ref(db_str(st, 17), db_str(st, 18)), "title", json_str(title.n ? title : db_str(st, 23)), "own",
                     sqlite3_column_int(st, 20), "open", sqlite3_column_int(st, 22));
}

/* part - one range of the order; stops at the limit. *next: the cursor behind the last. */
static int part(struct ask *a, int64_t low, int64_t high, int64_t most, json_t *items, struct str *next)
{
    struct call *c = a->c;
    struct scope s = scope_of(c->v);
    const struct vulns_query *q = a->q;
    int64_t left = most - (int64_t)json_array_size(items) + 1, last_rank = 0, last_id = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, ways[a->way][side_of(c->v)], "iziiiiittttittii", s.bounded, s.org, a->rank, a->id, a->open, low, high < a->rank ? high : a->rank, a->object, or_empty(q->state), a->host,
                                a->cve, a->survey, or_empty(q->org), a->words, left, a->now);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            *next = arena_printf(&c->a, "%lld.%lld%s", (long long)last_rank, (long long)last_id, a->both && !a->open ? ".1" : "");
            db_done(st);
            return 1;
        }
        last_rank = sqlite3_column_int64(st, 21);
        last_id = sqlite3_column_int64(st, 0);
        json_array_append_new(items, vuln_summary_json(c, st));
    }
    return rc;
}

/* pages - known exploited first: with a severity, its range in each of the two classes. */
static int one_page(struct ask *a, json_t *items, struct str *next)
{
    int64_t class = (int64_t)1 << RANK_KEV_SHIFT, one = (int64_t)1 << RANK_SEV_SHIFT, most = page_limit(a->q->limit);
    int low = SEV_UNKNOWN, high = SEV_CRITICAL, sev = a->q->severity.n ? severity_parse(a->q->severity) : -1, rc = 0;

    if (a->q->severity.n && sev < 0)
        return vuln_wrong(a->c, "severity", "no such severity");
    if (sev >= 0)
        low = high = sev;
    else if (a->q->info)
        low = SEV_INFO;
    for (int kev = 1; rc == 0 && kev >= (a->q->kev ? 1 : 0); kev--) {
        int64_t bottom = kev * class + (sev < 0 && kev ? 0 : low) * one;

        rc = part(a, bottom, kev * class + (high + 1) * one - 1, most, items, next);
    }
    return rc < 0 ? rc : 0;
}

/* page - of a survey all that it saw: what is open by rank, then what is not any more. */
static int page(struct ask *a, json_t *items, struct str *next)
{
    int64_t most = page_limit(a->q->limit);
    int rc;

    if (!a->both)
        return one_page(a, items, next);
    a->open = !a->later;
    rc = one_page(a, items, next);
    if (rc < 0 || next->n || a->later)
        return rc;
    /* The page may be full with the last open one: its cursor stands before the first of the others. */
    a->open = 0;
    a->rank = a->id = INT64_MAX;
    if ((int64_t)json_array_size(items) == most) {
        *next = arena_printf(&a->c->a, "%lld.%lld.1", (long long)INT64_MAX, (long long)INT64_MAX);
        return 0;
    }
    return one_page(a, items, next);
}

static int ask_ready(struct ask *a)
{
    const struct vulns_query *q = a->q;
    struct scope s = scope_of(a->c->v);
    int rc = cursor_read(a);

    a->object = or_empty(q->object);
    a->words = a->cve = STR("");
    a->host = q->host.n ? host_clean(q->host, &a->c->a) : STR("");
    a->open = q->closed ? 0 : q->state.n || q->survey.n ? -1 : 1;
    a->now = q->overdue ? a->c->now : 0;
    a->survey = parse_id(q->survey);
    if (rc == 0 && q->state.n && vuln_state_parse(q->state) == VULN_NONE)
        return vuln_wrong(a->c, "state", "no such state");
    if (rc == 0 && q->survey.n && !a->survey)
        return vuln_wrong(a->c, "survey", "no such survey");
    if (rc == 0 && q->cve.n && !cve_clean(q->cve, &a->c->a, &a->cve))
        return vuln_wrong(a->c, "cve", "a number such as CVE-2021-44228");
    if (rc == 0)
        rc = words_split(a);
    if (rc == 0 && a->survey) {
        sqlite3_stmt *st = db_query(a->c->d, a->c->e, "SELECT object_id FROM vuln_survey WHERE id = ?1 AND (?2 = 0 OR sent_at IS NOT NULL)", "ii", a->survey, s.bounded);
        int found = st ? db_step(a->c->d, st, a->c->e) : -EIO;

        if (found < 0)
            return found;
        a->object = found ? db_copy(st, 0, &a->c->a) : STR("-");
        if (found)
            db_done(st);
    }
    return rc < 0 ? rc : choose(a, &s);
}

int desk_vulns(struct desk *d, const struct viewer *v, const struct vulns_query *q, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct str next = { NULL, 0 };
    struct call c;

    desk_call_init(&c, d, v, now, r);
    struct ask a = { .c = &c, .q = q };
    int rc = ask_ready(&a);

    if (rc == 0)
        rc = page(&a, items, &next);
    r->json = json_pack("{s:o, s:O, s:o}", "now", json_time(now), "items", items, "next", json_str(next));
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- an object in numbers --- */

#define NUMBERS(table)                                                                                                                                \
    "SELECT v.state, v.severity, v.open, count(*), sum(v.kev), sum(v.due_at < ?4) FROM " table " v INDEXED BY " table "_object WHERE v.object_id = ?3 AND v.open IN"     \
    " (0, 1) AND v.live = 1 AND (?1 = 0 OR v.object_id IN " OBJECTS_OF("?2") ") GROUP BY 1, 2, 3"
static const char *const numbers[SIDE_COUNT] = { NUMBERS("vuln"), NUMBERS("vuln_owner") };

static int summary(struct call *c, struct str object, json_t **out)
{
    struct scope s = scope_of(c->v);
    json_t *states = json_object(), *severities = json_object();
    int64_t kev = 0, overdue = 0, open = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, numbers[side_of(c->v)], "izti", s.bounded, s.org, object, c->now);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str state = db_str(st, 0);
        const char *severity = severity_values[sqlite3_column_int(st, 1)], *name = arena_printf(&c->a, "%.*s", STR_ARG(state)).p;
        int64_t n = sqlite3_column_int64(st, 3);

        if (sqlite3_column_int(st, 1) == SEV_INFO && sqlite3_column_int64(st, 4) == 0)
            continue;
        json_object_set_new(states, name, json_integer(json_integer_value(json_object_get(states, name)) + n));
        if (!sqlite3_column_int(st, 2))
            continue;
        json_object_set_new(severities, severity, json_integer(json_integer_value(json_object_get(severities, severity)) + n));
        open += n;
        kev += sqlite3_column_int64(st, 4);
        overdue += sqlite3_column_int64(st, 5);
    }
    *out = json_pack("{s:o, s:I, s:I, s:I, s:o, s:o}", "object_id", json_str(object), "open", (json_int_t)open, "kev", (json_int_t)kev, "overdue", (json_int_t)overdue,
                     "severities", severities, "states", states);
    return rc;
}

int desk_vulns_summary(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r)
{
    struct scope s = scope_of(v);
    int64_t known = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_int(d, c.e, 0, &known, "SELECT 1 FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt", s.bounded, s.org, object);
    if (rc == 0 && !known)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such object");
    if (rc == 0)
        rc = summary(&c, object, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
