/* owner.c - what the owner knows of a vulnerability, written down beside the centre's own row: everything that an owner is shown, sorted by or counted from
 * stands in vuln_owner and vuln_owner_verdict, so no query can mix it with what no letter has told yet.
 *
 * A row is there exactly where the owner may know of the vulnerability at all. Its id is that of the vulnerability. */
#include "desk/vulnerabilities/tally.h"

enum vuln_side side_of(const struct viewer *v) { return scope_of(v).bounded ? SIDE_OWNER : SIDE_CENTRE; }

sqlite3_stmt *owner_cves(struct vuln_tally *t, int64_t vuln)
{
    return db_query(t->c->d, t->c->e, "SELECT k.cve, k.id FROM vuln_key k WHERE k.vuln_id = ? AND k.cve IS NOT NULL AND " OWNER_KEY("k"), "i", vuln);
}

/* Where it is: as the vulnerability has it. Where people said that several are one, the place of a key that the owner may know: the other is not told by it. */
struct place {
    struct str key, host, protocol, component, path;
    int64_t    port;
};

static int place_of(struct vuln_tally *t, const struct head *h, int64_t vuln, struct place *out)
{
    struct call *c = t->c;
    sqlite3_stmt *st = t->merges ? db_query(c->d, c->e,
                                            "SELECT k.text, k.host, k.port, k.protocol, k.component, k.path FROM vuln_key k JOIN vuln v ON v.id = k.vuln_id WHERE k.vuln_id ="
                                            " ?1 AND v.key IN (SELECT becomes FROM vuln_rule WHERE object_id = v.object_id AND kind = 'merge' AND ended_at IS NULL) AND "
                                            OWNER_KEY("k") " ORDER BY k.text <> v.key, k.text LIMIT 1", "i", vuln)
                                 : NULL;
    int rc = st ? db_step(c->d, st, c->e) : t->merges ? -EIO : 0;

    *out = (struct place){ h->key, h->host, h->protocol, h->component, h->path, h->port };
    if (rc <= 0)
        return rc;
    *out = (struct place){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a), db_copy(st, 5, &c->a),
                           sqlite3_column_int64(st, 2) };
    db_done(st);
    return 0;
}

/* A row that stands as it was is not written: each would be taken out of its indexes and put back. */
#define SET(x)                                                                                                                                        \
    "key = " x "key, state = " x "state, open = " x "open, since = " x "since, own = " x "own, rank = " x "rank, severity = " x "severity, cvss = " x "cvss, vector = "   \
    x "vector, kev = " x "kev, epss = " x "epss, text_id = " x "text_id, cves = " x "cves, host = " x "host, port = " x "port, protocol = " x "protocol, component = "     \
    x "component, path = " x "path, contour = " x "contour, first_detected_at = " x "first_detected_at, last_seen_at = " x "last_seen_at, due_at = " x "due_at"
#define ROW(x)                                                                                                                                        \
    "(" x "key, " x "state, " x "open, " x "since, " x "own, " x "rank, " x "severity, " x "cvss, " x "vector, " x "kev, " x "epss, " x "text_id, " x "cves, " x "host, "    \
    x "port, " x "protocol, " x "component, " x "path, " x "contour, " x "first_detected_at, " x "last_seen_at, " x "due_at)"

#define INSERTED                                                                                                                                      \
    "INSERT INTO vuln_owner(id, object_id, live, sent, key, state, open, since, own, rank, severity, cvss, vector, kev, epss, text_id, cves, host, port, protocol,"      \
    " component, path, contour, first_detected_at, last_seen_at, due_at) VALUES (?1, ?23, 1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, iif(?9 < 0, NULL, ?9 / 10.0), ?10, ?11,"     \
    " iif(?12 < 0, NULL, ?12 / 100000.0), nullif(?13, 0), ?14, ?15, ?16, ?17, ?18, ?19, ?24, ?20, ?21, ?22)"

static int row_put(struct vuln_tally *t, const struct head *h, const struct sum *s, const struct place *p)
{
    struct call *c = t->c;
    const struct life *l = &t->life[SIDE_OWNER];
    int rc = db_exec(c->d, c->e, h->known ? INSERTED " ON CONFLICT(id) DO UPDATE SET " SET("excluded.") " WHERE " ROW("vuln_owner.") " IS NOT " ROW("excluded.") : INSERTED,
                     "itziiiiiitiiittitttiimtt", s->vuln, p->key, vuln_state_values[l->state], (int64_t)vuln_state_open(l->state), l->since, h->own,
                     rank_of(s->kev, s->severity, s->epss, s->first), (int64_t)s->severity, (int64_t)(s->cvss >= 0 ? s->cvss * 10 + 0.5 : -1), s->vector, s->kev,
                     (int64_t)(s->epss > 0 ? s->epss * 100000 + 0.5 : -1), s->text, s->cves, p->host, p->port, p->protocol, p->component, p->path, s->first, s->last,
                     s->due, t->object, h->contour);
    return rc < 0 ? rc : 0;
}

int owner_write(struct vuln_tally *t, const struct head *h, const struct sum *s)
{
    struct call *c = t->c;
    bool live = t->life[SIDE_OWNER].state != VULN_NONE && (s->sightings > 0 || h->own);
    struct place p;
    int rc = 0;

    if (!live && !h->known)
        return 0;
    if (!live)
        rc = db_exec(c->d, c->e, "DELETE FROM vuln_owner WHERE id = ?", "i", s->vuln);
    else if ((rc = place_of(t, h, s->vuln, &p)) == 0)
        rc = row_put(t, h, s, &p);
    if (rc >= 0 && !live)
        t->life[SIDE_OWNER].verdict_count = 0;
    return rc < 0 ? rc : verdicts_put(t, h, s->vuln, SIDE_OWNER);
}
