/* version.c - versions: frozen when they are sent, agreed or returned by KNB, and the copy that an amendment works on. */
#include "desk/blob.h"
#include "desk/schedule/paper.h"
#include "desk/schedule/room.h"

#define VERSION_BYTES_MAX (512u * MIB)

/* --- the text of a version: sorted keys, no blanks, lines in the order of their ids --- */

static void row_text(struct buf *b, sqlite3_stmt *st, int columns, bool first)
{
    buf_str(b, first ? STR("[") : STR(",["));
    for (int i = 0; i < columns; i++) {
        if (i)
            buf_byte(b, ',');
        if (sqlite3_column_type(st, i) == SQLITE_INTEGER)
            buf_printf(b, "%lld", (long long)sqlite3_column_int64(st, i));
        else if (sqlite3_column_type(st, i) == SQLITE_NULL)
            buf_str(b, STR("null"));
        else
            buf_json(b, db_str(st, i));
    }
    buf_byte(b, ']');
}

static int rows_text(struct call *c, struct buf *b, const char *sql, int64_t plan, int64_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e, sql, "i", plan);
    int64_t n = 0;
    int rc = st ? 0 : -EIO;

    buf_byte(b, '[');
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        row_text(b, st, sqlite3_column_count(st), n++ == 0);
    buf_byte(b, ']');
    if (count)
        *count = n;
    return rc;
}

static int version_text(struct call *c, const struct plan_row *p, struct sent *s)
{
    struct buf *b = &s->text;
    int rc;

    buf_printf(b, "{\"documents\":%d,\"edition\":", p->documents);
    buf_json(b, p->edition);
    buf_printf(b, ",\"from_on\":");
    buf_json(b, p->from_on);
    buf_str(b, STR(",\"lines\":"));
    rc = rows_text(c, b,
                   "SELECT id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id, reason FROM plan_line WHERE plan_id = ? AND draft = 1 ORDER BY id",
                   p->id, &s->lines);
    buf_printf(b, ",\"number\":%lld,\"objects\":", (long long)p->version + 1);
    if (rc == 0)
        rc = rows_text(c, b, "SELECT object_id, works, since_on, until_on, documents FROM plan_object WHERE plan_id = ? AND draft = 1 ORDER BY object_id", p->id,
                       &s->objects);
    buf_str(b, STR(",\"reasons\":"));
    if (rc == 0)
        rc = rows_text(c, b, "SELECT object_id, mode, code, text FROM plan_reason WHERE plan_id = ? AND draft = 1 ORDER BY object_id, mode", p->id, NULL);
    buf_str(b, STR(",\"teams\":"));
    if (rc == 0)
        rc = rows_text(c, b, "SELECT id, name FROM team WHERE id IN (SELECT DISTINCT team_id FROM plan_line WHERE plan_id = ? AND draft = 1) ORDER BY id", p->id, NULL);
    buf_printf(b, ",\"year\":%d}", p->year);
    return rc < 0 ? rc : buf_failed(b) ? -ENOMEM : 0;
}

/* --- sending --- */

int prepare_send(struct call *c, struct plan_row *p, const json_t *body, void **out)
{
    struct sent *s = arena_zero(&c->a, sizeof *s);
    json_t *problems = NULL;
    size_t total = 0;
    int rc = s ? plan_mismatches(c, p, 50, &problems, &total) : -ENOMEM;

    (void)body;
    *out = s;
    if (rc == 0 && total) {
        json_t *item;
        size_t i;

        c->r->problems = json_array();
        json_array_foreach(problems, i, item)
            json_array_append_new(c->r->problems, json_pack("{s:o, s:s, s:o}", "field", json_incref(json_object_get(json_object_get(item, "object"), "id")), "code",
                                                            "counts_differ", "detail", json_incref(json_object_get(item, "text"))));
        rc = refuse(c, -EPROTO, "counts_differ", NULL, "%zu counts are neither those of the Rules nor explained", total);
    }
    json_decref(problems);
    if (rc < 0)
        return rc;
    buf_init(&s->text, VERSION_BYTES_MAX);
    buf_init(&s->xlsx, VERSION_BYTES_MAX);
    for (size_t i = 0; i < COUNT(s->pdf); i++)
        buf_init(&s->pdf[i], VERSION_BYTES_MAX);
    rc = version_text(c, p, s);
    if (rc == 0 && s->lines == 0)
        rc = refuse(c, -EPROTO, "plan_empty", NULL, "the draft has no lines");
    if (rc == 0)
        rc = paper_files(c, p, s);
    return rc;
}

void sent_free(struct sent *s)
{
    buf_free(&s->text);
    buf_free(&s->xlsx);
    for (size_t i = 0; i < COUNT(s->pdf); i++)
        buf_free(&s->pdf[i]);
}

/* What a draft changes in the agreed lines; ?1 is the plan. */
#define CHANGES                                                                                                                                         \
    "SELECT d.id AS line_id, iif(a.id IS NULL, 'added', 'moved') AS change, d.object_id, d.mode, d.kind, d.ordinal, d.from_on, d.to_on, d.team_id,"      \
    " a.from_on AS was_from, a.to_on AS was_to, a.team_id AS was_team, d.reason FROM plan_line d LEFT JOIN plan_line a ON a.id = d.id AND a.draft = 0"    \
    " WHERE d.plan_id = ?1 AND d.draft = 1 AND (a.id IS NULL OR a.from_on <> d.from_on OR a.to_on <> d.to_on OR a.team_id IS NOT d.team_id) UNION ALL"    \
    " SELECT a.id, 'dropped', a.object_id, a.mode, a.kind, a.ordinal, NULL, NULL, NULL, a.from_on, a.to_on, a.team_id, '' FROM plan_line a WHERE"         \
    " a.plan_id = ?1 AND a.draft = 0 AND NOT EXISTS (SELECT 1 FROM plan_line d WHERE d.id = a.id AND d.draft = 1)"

int plan_send(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct sent *s = prepared;
    struct blob text;
    int64_t notice = 0;
    int rc = blob_put(c, buf_view(&s->text), &text);

    p->version++;
    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                 "INSERT INTO plan_version(plan_id, number, sha256, size_bytes, lines, objects, reason, made_at, made_by) VALUES (?,?,?,?,?,?,?,?,?)", "iiziiitim", p->id,
                 p->version, text.sha256, (int64_t)s->text.n, s->lines, s->objects, p->reason.p ? p->reason : STR(""), c->now, (time_ns)(c->v ? c->v->user_id : 0));
    if (rc >= 0 && p->agreed_version)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO plan_diff(plan_id, number, line_id, change, object_id, mode, kind, ordinal, from_on, to_on, team_id, was_from, was_to, was_team,"
                     " reason) SELECT ?1, ?2, x.* FROM (" CHANGES ") x",
                     "ii", p->id, p->version);
    if (rc >= 0)
        rc = paper_tell(c, p, s, text.sha256, json_get_str(body, "note"), &notice);
    if (rc >= 0 && notice)
        rc = db_exec(c->d, c->e, "UPDATE plan_version SET notice_id = ? WHERE plan_id = ? AND number = ?", "iii", notice, p->id, p->version);
    return rc < 0 ? rc : 0;
}

/* --- KNB --- */

static int decide(struct call *c, const struct plan_row *p, const json_t *body, const char *decision, struct str remarks)
{
    int rc = db_exec(c->d, c->e, "UPDATE plan_version SET decision = ?3, decided_at = ?4, decided_by = ?5, remarks = ?6 WHERE plan_id = ?1 AND number = ?2", "iizimt",
                     p->id, p->version, decision, c->now, (time_ns)(c->v ? c->v->user_id : 0), remarks.n ? remarks : (struct str){ NULL, 0 });

    return rc < 0 ? rc : paper_answer(c, p, json_get_str(body, "sha256"), decision, remarks);
}

/* --- the draft takes the place of what was agreed, in pieces (writing.c) --- */

/* By ids: the sign before the other columns keeps SQLite from walking all lines of the plan by another index, for each range anew. */

/* range_next - the last id of the next piece of lines behind w->at; 0: there are none. */
static int range_next(struct writing *w, bool agreed_only, int64_t *last)
{
    return db_int(w->c->d, w->c->e, 0, last,
                  "SELECT max(id) FROM (SELECT id FROM plan_line WHERE id > ?2 AND +plan_id = ?1 AND +draft <= ?3 GROUP BY id ORDER BY id LIMIT ?4)", "iiii", w->p.id, w->at,
                  (int64_t)(agreed_only ? 0 : 1), w->most / PLAN_SWAP);
}

/* What a range weighs: its largest statement. */
static int64_t max_rows(int64_t n, int rows) { return rows > n ? rows : n; }

/* objects_next - the same of objects behind w->key: {NULL,0}: there are none. */
static int objects_next(struct writing *w, struct str *last)
{
    sqlite3_stmt *st = db_query(w->c->d, w->c->e,
                                "SELECT max(object_id) FROM (SELECT object_id FROM plan_object WHERE plan_id = ?1 AND draft IN (0,1) AND object_id > ?2 GROUP BY object_id"
                                " ORDER BY object_id LIMIT ?3)", "iti", w->p.id, w->key, w->most / PLAN_SWAP);
    int rc = st ? db_step(w->c->d, st, w->c->e) : -EIO;

    *last = (struct str){ NULL, 0 };
    if (rc > 0) {
        *last = db_copy(st, 0, &w->c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* objects_each - statements on ranges of objects: ?1 the plan, ?2 behind this object, ?3 up to that. */
static int objects_each(struct writing *w, const char *const *sql, size_t count)
{
    struct str last;
    int rc;

    while ((rc = objects_next(w, &last)) == 0 && last.n) {
        int64_t n = 0;

        for (size_t i = 0; rc >= 0 && i < count; i++)
            n = max_rows(n, rc = db_exec(w->c->d, w->c->e, sql[i], "itt", w->p.id, w->key, last));
        w->key = last;
        if (rc >= 0)
            rc = piece_rows(w, n, PLAN_SWAP);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* changes_tell - lines that somebody works on and that are no longer as they took them. ?1 the plan, ?2 behind this line, ?3 up to that, ?4 why. */
static const char changes_tell[] =
    "INSERT INTO plan_change(line_id, documents, cancelled, reason, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id)"
    " SELECT x.id, x.mode = 'document', x.gone, ?4, x.plan_id, x.object_id, x.mode, x.kind, x.ordinal, x.pair_id, x.from_on, x.to_on, x.team_id FROM"
    " (SELECT d.*, 0 AS gone FROM plan_line d JOIN plan_line a ON a.id = d.id AND a.draft = 0 WHERE d.id > ?2 AND d.id <= ?3 AND +d.plan_id = ?1 AND +d.draft = 1"
    " AND (a.from_on <> d.from_on OR a.to_on <> d.to_on OR a.team_id IS NOT d.team_id) UNION ALL SELECT a.*, 1 FROM plan_line a WHERE a.id > ?2 AND a.id <= ?3"
    " AND +a.plan_id = ?1 AND +a.draft = 0 AND NOT EXISTS (SELECT 1 FROM plan_line d WHERE d.id = a.id AND d.draft = 1)) x JOIN plan_work w ON w.line_id = x.id"
    " AND w.state NOT IN ('completed','cancelled') WHERE true ON CONFLICT(line_id) DO UPDATE SET cancelled = excluded.cancelled, reason = excluded.reason,"
    " from_on = excluded.from_on, to_on = excluded.to_on, team_id = excluded.team_id";

/* What nobody has taken yet waits for its day. */
static const char *const lines_agree[] = {
    "DELETE FROM plan_wait WHERE line_id IN (SELECT id FROM plan_line WHERE id > ?2 AND id <= ?3 AND +plan_id = ?1 AND +draft = 0)",
    "DELETE FROM plan_line WHERE id > ?2 AND id <= ?3 AND +plan_id = ?1 AND +draft = 0",
    "UPDATE plan_line SET draft = 0 WHERE id > ?2 AND id <= ?3 AND +plan_id = ?1 AND +draft = 1",
    ("INSERT INTO plan_wait(documents, from_on, line_id) SELECT mode = 'document', from_on, id FROM plan_line l WHERE id > ?2 AND id <= ?3 AND +plan_id = ?1 AND"
     " +draft = 0 AND NOT EXISTS (SELECT 1 FROM plan_work w WHERE w.line_id = l.id)"),
};

int agree_pieces(struct writing *w)
{
    struct call *c = w->c;
    struct str why = w->p.reason.p ? w->p.reason : STR("");
    int64_t last = 0;
    int rc;

    while ((rc = range_next(w, false, &last)) == 0 && last) {
        int64_t n = 0;

        rc = db_exec(c->d, c->e, changes_tell, "iiit", w->p.id, w->at, last, why);
        for (size_t i = 0; rc >= 0 && i < COUNT(lines_agree); i++)
            n = max_rows(n, rc = db_exec(c->d, c->e, lines_agree[i], "iii", w->p.id, w->at, last));
        w->at = last;
        if (rc >= 0)
            rc = piece_rows(w, n, PLAN_SWAP);
        if (rc < 0)
            return rc;
    }
    return rc;
}

int agree_last(struct writing *w)
{
    static const char *const objects[] = {
        "DELETE FROM plan_object WHERE plan_id = ?1 AND draft = 0 AND object_id > ?2 AND object_id <= ?3",
        "UPDATE plan_object SET draft = 0 WHERE plan_id = ?1 AND draft = 1 AND object_id > ?2 AND object_id <= ?3",
        "DELETE FROM plan_reason WHERE plan_id = ?1 AND draft = 0 AND object_id > ?2 AND object_id <= ?3",
        "UPDATE plan_reason SET draft = 0 WHERE plan_id = ?1 AND draft = 1 AND object_id > ?2 AND object_id <= ?3",
    }, *const rest[] = {   /* reasons of objects that are no longer in the plan, behind the last that is */
        "DELETE FROM plan_reason WHERE plan_id = ?1 AND draft = 0 AND object_id > ?2",
        "UPDATE plan_reason SET draft = 0 WHERE plan_id = ?1 AND draft = 1 AND object_id > ?2",
    };
    int rc = objects_each(w, objects, COUNT(objects));

    for (size_t i = 0; rc >= 0 && i < COUNT(rest); i++)
        rc = db_exec(w->c->d, w->c->e, rest[i], "it", w->p.id, w->key);
    return rc < 0 ? rc : unplaced_gone(w);
}

int plan_agree(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    int rc = decide(c, p, body, "agreed", json_get_str(body, "note"));

    (void)prepared;
    p->agreed_version = p->version;
    if (p->begun)
        plan_move(p, "in_execution");
    return rc < 0 ? rc : plan_changed(c, p);
}

int plan_record_agreement(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct str note = arena_printf(&c->a, "%.*s, %.*s", STR_ARG(json_get_str(body, "letter_number")), STR_ARG(json_get_str(body, "letter_date")));
    json_t *noted = json_pack("{s:o, s:O}", "note", json_str(note), "sha256", json_object_get(body, "sha256"));
    int rc = plan_agree(c, p, noted, prepared);

    json_decref(noted);
    return rc;
}

int plan_return(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct str remarks = json_get_str(body, "remarks"), number = json_get_str(body, "letter_number");

    (void)prepared;
    if (number.n)
        remarks = arena_printf(&c->a, "%.*s (%.*s, %.*s)", STR_ARG(remarks), STR_ARG(number), STR_ARG(json_get_str(body, "letter_date")));
    return decide(c, p, body, "returned", remarks);
}

int plan_rework(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    (void)body;
    (void)prepared;
    plan_move(p, p->agreed_version ? "amendment_draft" : "draft");
    return plan_changed(c, p);
}

int plan_amend(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    (void)prepared;
    p->reason = json_get_str(body, "reason");
    return plan_changed(c, p);
}

/* The copy that an amendment works on. */
int amend_pieces(struct writing *w)
{
    struct call *c = w->c;
    int64_t last = 0;
    int rc;

    while ((rc = range_next(w, true, &last)) == 0 && last) {
        rc = db_exec(c->d, c->e,
                     "INSERT INTO plan_line(id, draft, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id, fixed, reason) SELECT id, 1, plan_id,"
                     " object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id, fixed, reason FROM plan_line WHERE id > ?2 AND id <= ?3 AND +plan_id = ?1 AND +draft = 0",
                     "iii", w->p.id, w->at, last);
        w->at = last;
        if (rc >= 0)
            rc = piece_rows(w, rc, PLAN_SWAP);
        if (rc < 0)
            return rc;
    }
    return rc;
}

int amend_last(struct writing *w)
{
    static const char *const sql[] = {
        "INSERT INTO plan_object(plan_id, draft, object_id, works, since_on, until_on, documents) SELECT plan_id, 1, object_id, works, since_on, until_on, documents"
        " FROM plan_object WHERE plan_id = ?1 AND draft = 0 AND object_id > ?2 AND object_id <= ?3",
        "INSERT INTO plan_reason(plan_id, draft, object_id, mode, code, text) SELECT plan_id, 1, object_id, mode, code, text FROM plan_reason WHERE plan_id = ?1"
        " AND draft = 0 AND object_id > ?2 AND object_id <= ?3",
    };
    return objects_each(w, sql, COUNT(sql));
}

int plan_complete(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    char today[16];
    int64_t day = 0;

    (void)body;
    (void)prepared;
    local_date(c->d, c->now, today);
    if (!year_number(str_c(today), &day) || day < civil_days(p->year + 1, 1, 1))
        return refuse(c, -EPROTO, "wrong_state", NULL, "the year %d is not over", p->year);
    return 0;
}

/* --- reads --- */

int plan_versions_json(struct call *c, const struct plan_row *p, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.number, v.sha256, v.lines, v.objects, v.reason, v.made_at, u.name, v.notice_id, v.decision, v.decided_at, k.name, v.remarks"
                                " FROM plan_version v LEFT JOIN user u ON u.id = v.made_by LEFT JOIN user k ON k.id = v.decided_by WHERE v.plan_id = ? AND (?2 = 1"
                                " OR v.decision = 'agreed') ORDER BY v.number DESC LIMIT 200",
                                "ii", p->id, (int64_t)(plan_sees_draft(c, p) || (c->v && c->v->role == DESK_KNB)));
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "number", (json_int_t)sqlite3_column_int64(st, 0), "sha256",
                                              db_json(st, 1), "lines", (json_int_t)sqlite3_column_int64(st, 2), "objects", (json_int_t)sqlite3_column_int64(st, 3), "reason",
                                              db_json(st, 4), "made_at", db_json_time(st, 5), "made_by", db_json(st, 6), "notice_id", db_json_id(st, 7), "decision",
                                              db_json(st, 8), "decided_at", db_json_time(st, 9), "decided_by", db_json(st, 10), "remarks", db_json(st, 11)));
    return rc;
}

static json_t *day_pair(sqlite3_stmt *st, int from)
{
    if (sqlite3_column_type(st, from) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "from_on", db_json(st, from), "to_on", db_json(st, from + 1), "team", db_json(st, from + 2));
}

#define CHANGE_NAMED                                                                                                                                    \
    "SELECT x.line_id, x.change, x.object_id, o.name, x.mode, x.kind, x.ordinal, x.from_on, x.to_on, t.name, x.was_from, x.was_to, w.name, x.reason FROM ("
#define CHANGE_TAIL                                                                                                                                     \
    ") x JOIN object o ON o.id = x.object_id LEFT JOIN team t ON t.id = x.team_id LEFT JOIN team w ON w.id = x.was_team ORDER BY x.line_id LIMIT ?4"

int desk_schedule_changes(struct desk *d, const struct viewer *v, struct str id, int64_t version, int limit, struct str before, time_ns now,
                          struct desk_reply *r)
{
    int64_t most = page_limit(limit), after = parse_id(before), next = 0;
    json_t *items = json_array();
    struct plan_row p;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0 && (version ? !plan_sees_draft(&c, &p) && v->role != DESK_KNB : !plan_sees_draft(&c, &p)))
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such version");
    if (rc == 0 && !version)
        rc = plan_whole(&c, &p);
    if (rc == 0) {
        sqlite3_stmt *st = version ? db_query(d, c.e,
                                              CHANGE_NAMED "SELECT line_id, change, object_id, mode, kind, ordinal, from_on, to_on, team_id, was_from, was_to, was_team,"
                                                           " reason FROM plan_diff WHERE plan_id = ?1 AND number = ?2 AND line_id > ?3" CHANGE_TAIL,
                                              "iiii", p.id, version, after, most + 1)
                                   : db_query(d, c.e,
                                              CHANGE_NAMED "SELECT * FROM (" CHANGES ") WHERE ?2 = 0 AND line_id > ?3" CHANGE_TAIL,
                                              "iiii", p.id, version, after, most + 1);

        rc = st ? 0 : -EIO;
        /* A plan that was never agreed has nothing to differ from. */
        while (st && (version || (p.agreed_version && p.state->drafting)) && (rc = db_step(d, st, c.e)) > 0) {
            if ((int64_t)json_array_size(items) == most) {
                next = parse_id(json_get_str(json_array_get(items, (size_t)most - 1), "line_id"));
                db_done(st);
                rc = 0;
                break;
            }
            json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "line_id", db_json_id(st, 0), "change", db_json(st, 1), "object",
                                                   json_ref(db_str(st, 2), db_str(st, 3)), "mode", db_json(st, 4), "kind", db_json(st, 5), "ordinal",
                                                   sqlite3_column_int(st, 6), "now", day_pair(st, 7), "was", day_pair(st, 10), "reason", db_json(st, 13)));
        }
    }
    if (rc >= 0)
        r->json = json_pack("{s:O, s:o}", "items", items, "next", next ? json_id(next) : json_null());
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
