/* feed.c - what a report says, into rows of one result. They count for nothing until the result is applied (turn.c), so a broken report leaves nothing
 * but rows that are taken away again.
 *
 * The same check at the same key within one report is one sighting with its occurrences; the first in the file gives the evidence. */
#include "desk/vulnerabilities/room.h"

#define INTERN_SLOTS 8192
#define CVES_MAX     SCAN_LIST_MAX

struct slot {
    uint64_t hash, more;
    int64_t  id;
};
struct vuln_feed {
    struct call       *c;
    int64_t            result, survey;
    struct str         object;            /* in own */
    struct arena       own, a;            /* a: of one finding */
    struct vuln_scope *scope;
    int64_t            splits, findings, outside, covers;
    struct slot        keys[INTERN_SLOTS], checks[INTERN_SLOTS], texts[INTERN_SLOTS], places[INTERN_SLOTS];
};

int vuln_feed_open(struct call *c, int64_t result, struct vuln_feed **out)
{
    struct vuln_feed *f = calloc(1, sizeof *f);
    sqlite3_stmt *st;
    int rc;

    *out = f;
    if (!f)
        return err_set(c->e, -ENOMEM, "no memory for a result");
    arena_init(&f->own, MIB);
    arena_init(&f->a, 16 * MIB);
    f->c = c;
    f->result = result;
    st = db_query(c->d, c->e, "SELECT r.survey_id, y.object_id, (SELECT count(*) FROM vuln_rule x WHERE x.object_id = y.object_id AND x.kind = 'split' AND"
                              " x.ended_at IS NULL), r.findings, r.outside, r.covers FROM vuln_result r JOIN vuln_survey y ON y.id = r.survey_id"
                              " WHERE r.id = ?", "i", result);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "no result %lld", (long long)result);
    f->survey = sqlite3_column_int64(st, 0);
    f->object = db_copy(st, 1, &f->own);
    f->splits = sqlite3_column_int64(st, 2);
    f->findings = sqlite3_column_int64(st, 3);
    f->outside = sqlite3_column_int64(st, 4);
    f->covers = sqlite3_column_int64(st, 5);
    db_done(st);
    return vuln_scope_load(c, f->survey, f->object, &f->scope);
}

void vuln_feed_free(struct vuln_feed **f)
{
    if (!*f)
        return;
    vuln_scope_free(&(*f)->scope);
    arena_free(&(*f)->a);
    arena_free(&(*f)->own);
    free(*f);
    *f = NULL;
}

/* slot_of - the place of a text in a table that forgets: two hashes tell it from others, a wrong one only costs a question to the tables. */
static struct slot *slot_of(struct slot *t, struct str s, bool *hit)
{
    uint64_t h = str_hash(s), more = s.n * 0x9e3779b97f4a7c15u ^ (s.n > 8 ? str_hash(str_of(s.p + s.n / 2, s.n - s.n / 2)) : 0);
    struct slot *at = &t[h % INTERN_SLOTS];

    *hit = at->id && at->hash == h && at->more == more;
    if (!*hit)
        *at = (struct slot){ h, more, 0 };
    return at;
}

static int check_id(struct vuln_feed *f, struct str tool, struct str check, int64_t *id)
{
    const struct scan_finding as_key = { .tool = tool, .check = check };
    struct call *c = f->c;
    bool hit;
    struct slot *at = slot_of(f->checks, arena_printf(&f->a, "%.*s\n%.*s", STR_ARG(tool), STR_ARG(check)), &hit);
    int rc = 0;

    if (!hit)
        rc = db_int(c->d, c->e, 0, &at->id, "SELECT id FROM vuln_check WHERE tool = ? AND name = ?", "tt", tool, check);
    if (rc == 0 && !at->id) {
        rc = db_exec(c->d, c->e, "INSERT INTO vuln_check(tool, name, key) VALUES (?, ?, ?)", "ttt", tool, check, weakness_of(&as_key, &f->a));
        at->id = rc < 0 ? 0 : sqlite3_last_insert_rowid(c->d->db);
    }
    *id = at->id;
    return rc < 0 ? rc : 0;
}

/* cut - at most n bytes, whole letters. */
static struct str cut(struct str s, size_t n)
{
    struct str t = str_of(s.p ? s.p : "", min_size(s.n, n));

    while (t.n < s.n && t.n && ((unsigned char)s.p[t.n] & 0xc0) == 0x80)
        t.n--;
    return t;
}

static int text_add(struct vuln_feed *f, const struct scan_finding *s, struct str all, struct str refs, int64_t *id)
{
    struct call *c = f->c;
    unsigned char hash[32];
    int rc;

    secret_sha256(all, hash);
    rc = db_int(c->d, c->e, 0, id, "SELECT id FROM vuln_text WHERE hash = ?", "b", str_of((const char *)hash, 16));
    if (rc < 0 || *id)
        return rc;
    rc = db_exec(c->d, c->e, "INSERT INTO vuln_text(hash, title, description, impact, solution, refs) VALUES (?,?,?,?,?,?)", "bttttt",
                 str_of((const char *)hash, 16), cut(s->title, 500), cut(s->description, VULN_LONG_MAX), cut(s->impact, VULN_LONG_MAX),
                 cut(s->solution, VULN_LONG_MAX), refs);
    *id = rc < 0 ? 0 : sqlite3_last_insert_rowid(c->d->db);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "INSERT INTO vuln_title(rowid, title) VALUES (?, ?)", "it", *id, cut(s->title, 500));
    return rc < 0 ? rc : 0;
}

/* text_id - the long texts stand once, whoever says them. */
static int text_id(struct vuln_feed *f, const struct scan_finding *s, int64_t *id)
{
    AUTO_BUF struct buf b = { 0 };
    size_t refs_at;
    bool hit;

    buf_init(&b, 64 * KIB);
    buf_str(&b, cut(s->title, 500));
    buf_byte(&b, 0);
    buf_str(&b, cut(s->description, VULN_LONG_MAX));
    buf_byte(&b, 0);
    buf_str(&b, cut(s->impact, VULN_LONG_MAX));
    buf_byte(&b, 0);
    buf_str(&b, cut(s->solution, VULN_LONG_MAX));
    buf_byte(&b, 0);
    refs_at = b.n;
    for (size_t i = 0; i < s->reference_count && i < 20 && b.n - refs_at < 3000; i++) {
        buf_str(&b, cut(s->references[i], 300));
        buf_byte(&b, '\n');
    }
    if (buf_failed(&b))
        return err_set(f->c->e, -ENOMEM, "no memory for a finding");
    struct slot *at = slot_of(f->texts, buf_view(&b), &hit);
    int rc = hit ? 0 : text_add(f, s, buf_view(&b), str_of(b.p + refs_at, b.n - refs_at), &at->id);
    *id = at->id;
    return rc;
}

/* split - a rule may have parted this check from the others of its key. */
static int split(struct vuln_feed *f, const struct scan_finding *s, struct vuln_parts *p, struct str *text)
{
    struct call *c = f->c;
    const struct scan_finding as_key = { .tool = s->tool, .check = s->check.n ? s->check : s->title };
    struct str was = arena_printf(&f->a, "%.*s @ %.*s", STR_ARG(*text), STR_ARG(weakness_of(&as_key, &f->a)));
    int64_t parted = 0;
    int rc = db_int(c->d, c->e, 0, &parted, "SELECT 1 FROM vuln_rule WHERE kind = 'split' AND coalesce(object_id, '') = ? AND was = ? AND ended_at IS NULL", "tt",
                    f->object, was);

    (void)p;
    if (rc == 0 && parted)
        *text = was;
    return rc;
}

static int key_of(struct vuln_feed *f, const struct scan_finding *s, struct vuln_parts *p, int64_t *id)
{
    struct str text = key_text(p, &f->a);
    int rc = f->splits ? split(f, s, p, &text) : 0;
    bool hit;

    if (rc < 0)
        return rc;
    struct slot *at = slot_of(f->keys, text, &hit);
    rc = hit ? 0 : key_find(f->c, f->object, p, text, &at->id);
    *id = at->id;
    return rc;
}

static struct str cwe_text(struct vuln_feed *f, const struct scan_finding *s)
{
    struct str out = STR("");

    for (size_t i = 0; i < s->cwe_count && i < 8; i++)
        out = arena_printf(&f->a, "%.*s%sCWE-%u", STR_ARG(out), i ? ", " : "", s->cwe[i]);
    return out;
}

/* evidence - what the tool showed, with the place in the source if there is one. */
static struct str evidence(struct vuln_feed *f, const struct scan_finding *s)
{
    struct str shown = cut(s->evidence, VULN_EVIDENCE_MAX);

    if (s->line)
        shown = arena_printf(&f->a, "%.*s:%u%s%.*s", STR_ARG(cut(s->path, 500)), s->line, shown.n ? "\n" : "", STR_ARG(shown));
    else if (s->url.n)
        shown = arena_printf(&f->a, "%.*s%s%.*s%s%.*s", STR_ARG(cut(s->method, 16)), s->method.n ? " " : "", STR_ARG(cut(s->url, 1000)), shown.n ? "\n" : "",
                             STR_ARG(shown));
    return shown;
}

static int sighting_add(struct vuln_feed *f, const struct scan_finding *s, struct vuln_parts *p, int64_t check, int64_t text, bool outside)
{
    struct call *c = f->c;
    struct str vector = s->cvss_v4.n ? s->cvss_v4 : s->cvss_v3.n ? s->cvss_v3 : s->cvss_v2;
    int64_t key = 0, cvss = s->cvss >= 0 ? (int64_t)(s->cvss * 10 + 0.5) : -1, epss = s->epss > 0 ? (int64_t)(s->epss * 100000 + 0.5) : -1;
    int rc = key_of(f, s, p, &key);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO vuln_sighting(result_id, key_id, check_id, text_id, severity, severity_text, status, cvss, vector, epss, kev, seen_at, occurrences,"
                 " outside, name, version, fixed_version, cwe, evidence) VALUES (?1,?2,?3,?4,?5,?6,?7,iif(?8 < 0, NULL, ?8 / 10.0),?9,iif(?10 < 0, NULL,"
                 " ?10 / 100000.0),?11,?12,?13,?14,?15,?16,?17,?18,?19) ON CONFLICT(key_id, result_id, check_id) DO UPDATE SET occurrences = occurrences + ?13,"
                 " severity = max(severity, ?5), kev = max(kev, ?11), seen_at = iif(seen_at = 0 OR (?12 <> 0 AND ?12 < seen_at), ?12, seen_at)",
                 "iiiiitiitiiiiittttt", f->result, key, check, text, (int64_t)severity_rank(s->severity, s->cvss), cut(s->severity_text, 40), (int64_t)s->status,
                 cvss, cut(vector, 200), epss, (int64_t)(s->kev == 1), s->seen_at, (int64_t)min_size(s->occurrences ? s->occurrences : 1, 1000000000),
                 (int64_t)outside, cut(s->ip.n ? s->host : STR(""), VULN_HOST_MAX), cut(s->version, 100), cut(s->fixed_version, 100), cwe_text(f, s),
                 evidence(f, s));
    return rc < 0 ? rc : 0;
}

/* --- coverage --- */

static int cover_row(struct vuln_feed *f, struct str tool, int64_t check, struct str host, int ran, const struct scan_cover *w, struct str path)
{
    struct call *c = f->c;
    struct str protocol = w ? cut(w->protocol, 16) : STR("");
    int64_t from = w ? w->port : -1, to = w && w->port_to >= w->port ? w->port_to : from;
    bool hit;
    struct slot *at = slot_of(f->places, arena_printf(&f->a, "%.*s\n%lld\n%.*s\n%d\n%lld\n%lld\n%.*s\n%.*s", STR_ARG(tool), (long long)check, STR_ARG(host), ran,
                                                      (long long)from, (long long)to, STR_ARG(protocol), STR_ARG(path)), &hit);
    int rc;

    if (hit)
        return 0;
    at->id = 1;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO vuln_cover(survey_id, result_id, tool, check_id, host, ran, port, port_to, protocol, path) VALUES (?,?,?,?,?,?,?,?,?,?)"
                 " ON CONFLICT DO NOTHING",
                 "iititiiitt", f->survey, f->result, tool, check, host, (int64_t)ran, from, to, protocol, path);
    f->covers += rc > 0;
    return rc < 0 ? rc : 0;
}

/* listed - the report names the checks of this tool that ran. */
static int listed(struct vuln_feed *f, struct str tool)
{
    struct call *c = f->c;
    bool hit;
    struct slot *at = slot_of(f->places, arena_printf(&f->a, "listed\n%.*s", STR_ARG(tool)), &hit);

    at->id = 1;
    int rc = hit ? 0 : db_exec(c->d, c->e, "INSERT INTO vuln_listed(result_id, tool) VALUES (?, ?) ON CONFLICT DO NOTHING", "it", f->result, tool);
    return rc < 0 ? rc : 0;
}

static int cover_put(struct vuln_feed *f, const struct scan_cover *w)
{
    struct str tool = cut(w->tool, 128), ip = host_clean(w->ip, &f->a), name = host_clean(w->host, &f->a);
    struct scan_finding as_path = { .path = w->path };
    struct vuln_parts p;
    int64_t check = 0;
    int rc = w->check.n ? check_id(f, tool, cut(w->check, VULN_WEAKNESS_MAX), &check) : 0;

    parts_of(&as_path, &f->a, &p);
    if (rc == 0 && w->ran == SCAN_RAN_CHECK)
        rc = listed(f, tool);
    if (rc == 0)
        rc = cover_row(f, tool, check, ip.n ? ip : name, (int)w->ran, w, p.path);
    if (rc == 0 && ip.n && name.n && !str_eq(ip, name))
        rc = cover_row(f, tool, check, name, (int)w->ran, w, p.path);
    return rc;
}

int vuln_feed_cover(struct vuln_feed *f, const struct scan_cover *w)
{
    arena_reset(&f->a);
    if (w->ran > SCAN_RAN_PASSED)
        return err_set(f->c->e, -EINVAL, "no such kind of coverage");
    return cover_put(f, w);
}

/* COVER_SEEN - the report says something of this host, so it was looked at: for checks that ran "wherever the report looked". */
#define COVER_SEEN 3

/* cve_before - some reports name the same CVE twice in one finding. */
static bool cve_before(const struct scan_finding *s, size_t at)
{
    for (size_t i = 0; i < at && i < 128; i++)
        if (str_ieq(s->cve[i], s->cve[at]))
            return true;
    return false;
}

int64_t vuln_feed_result(const struct vuln_feed *f) { return f->result; }
void vuln_feed_call(struct vuln_feed *f, struct call *c) { f->c = c; }

int vuln_feed_put(struct vuln_feed *f, const struct scan_finding *s)
{
    struct str tool = cut(s->tool, 128), cve = STR("");
    struct vuln_parts p;
    int64_t check = 0, text = 0;
    bool any = false;
    int rc;

    arena_reset(&f->a);
    parts_of(s, &f->a, &p);
    if (s->status == SCAN_FIXED || s->status == SCAN_NOT_AFFECTED)
        return cover_put(f, &(struct scan_cover){ .ran = SCAN_RAN_PASSED, .tool = s->tool, .check = s->check, .host = p.host, .port = p.port, .port_to = p.port,
                                                  .protocol = p.protocol, .path = s->path });
    rc = check_id(f, tool, cut(s->check.n ? s->check : s->title, VULN_WEAKNESS_MAX), &check);
    if (rc == 0)
        rc = text_id(f, s, &text);
    if (rc == 0)
        rc = cover_row(f, tool, 0, p.host, COVER_SEEN, NULL, STR(""));
    if (rc < 0)
        return rc;
    bool outside = !vuln_scope_holds(f->scope, p.host, host_clean(s->host, &f->a));
    f->findings++;
    f->outside += outside;
    for (size_t i = 0; rc == 0 && i < s->cve_count && i < CVES_MAX; i++)
        if (cve_clean(s->cve[i], &f->a, &cve) && !cve_before(s, i)) {
            any = p.is_cve = true;
            p.weakness = cve;
            rc = sighting_add(f, s, &p, check, text, outside);
        }
    if (rc < 0 || any)
        return rc;
    p.is_cve = false;
    p.weakness = weakness_of(s, &f->a);
    return sighting_add(f, s, &p, check, text, outside);
}

int vuln_feed_close(struct vuln_feed *f, const struct scan_report *report)
{
    struct call *c = f->c;
    int rc = db_exec(c->d, c->e, "UPDATE vuln_result SET findings = ?2, outside = ?3, covers = ?4 WHERE id = ?1", "iiii", f->result, f->findings,
                     f->outside, f->covers);

    if (rc >= 0 && report)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET tool = ?2, version = ?3, started_at = ?4, ended_at = ?5, format = iif(?6 = '', format, ?6) WHERE id = ?1",
                     "izzmmz", f->result, report->tool, report->version, report->started_at, report->ended_at, report->format);
    return rc < 0 ? rc : 0;
}

int vuln_feed_clear(struct call *c, int64_t result, int64_t most)
{
    int gone = db_exec(c->d, c->e, "DELETE FROM vuln_sighting WHERE id IN (SELECT id FROM vuln_sighting WHERE result_id = ? LIMIT ?)", "ii", result, most);

    if (gone != 0)
        return gone;
    gone = db_exec(c->d, c->e, "DELETE FROM vuln_listed WHERE result_id = ?", "i", result);
    if (gone < 0)
        return gone;
    return db_exec(c->d, c->e, "DELETE FROM vuln_cover WHERE id IN (SELECT id FROM vuln_cover WHERE result_id = ? LIMIT ?)", "ii", result, most);
}
