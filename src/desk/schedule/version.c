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
    buf_init(&s->pdf, VERSION_BYTES_MAX);
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
    buf_free(&s->pdf);
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

static int decide(struct call *c, const struct plan_row *p, const char *decision, struct str remarks)
{
    int rc = db_exec(c->d, c->e, "UPDATE plan_version SET decision = ?3, decided_at = ?4, decided_by = ?5, remarks = ?6 WHERE plan_id = ?1 AND number = ?2", "iizimt",
                     p->id, p->version, decision, c->now, (time_ns)(c->v ? c->v->user_id : 0), remarks.n ? remarks : (struct str){ NULL, 0 });

    return rc < 0 ? rc : paper_answer(c, p, decision, remarks);
}

/* changes_tell - lines that somebody works on and that are no longer as they took them. */
static int changes_tell(struct call *c, const struct plan_row *p)
{
    static const char sql[] =
        "INSERT INTO plan_change(line_id, documents, cancelled, reason, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id)"
        " SELECT x.id, x.mode = 'document', x.gone, ?2, x.plan_id, x.object_id, x.mode, x.kind, x.ordinal, x.pair_id, x.from_on, x.to_on, x.team_id FROM"
        " (SELECT d.*, 0 AS gone FROM plan_line d JOIN plan_line a ON a.id = d.id AND a.draft = 0 WHERE d.plan_id = ?1 AND d.draft = 1 AND (a.from_on <>"
        " d.from_on OR a.to_on <> d.to_on OR a.team_id IS NOT d.team_id) UNION ALL SELECT a.*, 1 FROM plan_line a WHERE a.plan_id = ?1 AND a.draft = 0 AND"
        " NOT EXISTS (SELECT 1 FROM plan_line d WHERE d.id = a.id AND d.draft = 1)) x JOIN plan_work w ON w.line_id = x.id AND w.state NOT IN"
        " ('completed','cancelled') WHERE true ON CONFLICT(line_id) DO UPDATE SET cancelled = excluded.cancelled, reason = excluded.reason, from_on ="
        " excluded.from_on, to_on = excluded.to_on, team_id = excluded.team_id";
    int rc = db_exec(c->d, c->e, sql, "it", p->id, p->reason.p ? p->reason : STR(""));

    return rc < 0 ? rc : 0;
}

/* lines_agree - the draft takes the place of what was agreed; what nobody has taken yet waits for its day. */
static int lines_agree(struct call *c, const struct plan_row *p)
{
    static const char *const sql[] = {
        "DELETE FROM plan_wait WHERE line_id IN (SELECT id FROM plan_line WHERE plan_id = ? AND draft = 0)",
        "DELETE FROM plan_line WHERE plan_id = ? AND draft = 0",
        "UPDATE plan_line SET draft = 0 WHERE plan_id = ? AND draft = 1",
        "DELETE FROM plan_object WHERE plan_id = ? AND draft = 0",
        "UPDATE plan_object SET draft = 0 WHERE plan_id = ? AND draft = 1",
        "DELETE FROM plan_reason WHERE plan_id = ? AND draft = 0",
        "UPDATE plan_reason SET draft = 0 WHERE plan_id = ? AND draft = 1",
        "DELETE FROM plan_unplaced WHERE plan_id = ?",
        ("INSERT INTO plan_wait(documents, from_on, line_id) SELECT mode = 'document', from_on, id FROM plan_line l WHERE plan_id = ? AND draft = 0 AND NOT EXISTS"
         " (SELECT 1 FROM plan_work w WHERE w.line_id = l.id)"),
    };
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < COUNT(sql); i++)
        rc = db_exec(c->d, c->e, sql[i], "i", p->id);
    return rc < 0 ? rc : 0;
}

int plan_agree(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    int rc = decide(c, p, "agreed", json_get_str(body, "note"));

    (void)prepared;
    if (rc == 0 && p->agreed_version)
        rc = changes_tell(c, p);
    if (rc == 0)
        rc = lines_agree(c, p);
    p->agreed_version = p->version;
    if (p->begun)
        plan_move(p, "in_execution");
    return rc < 0 ? rc : plan_changed(c, p);
}

int plan_record_agreement(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct str note = arena_printf(&c->a, "%.*s, %.*s", STR_ARG(json_get_str(body, "letter_number")), STR_ARG(json_get_str(body, "letter_date")));
    json_t *noted = json_pack("{s:o}", "note", json_str(note));
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
    return decide(c, p, "returned", remarks);
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
    static const char *const sql[] = {
        "INSERT INTO plan_line(id, draft, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id, fixed, reason) SELECT id, 1, plan_id, object_id,"
        " mode, kind, ordinal, pair_id, from_on, to_on, team_id, fixed, reason FROM plan_line WHERE plan_id = ? AND draft = 0",
        "INSERT INTO plan_object(plan_id, draft, object_id, works, since_on, until_on, documents) SELECT plan_id, 1, object_id, works, since_on, until_on, documents"
        " FROM plan_object WHERE plan_id = ? AND draft = 0",
        "INSERT INTO plan_reason(plan_id, draft, object_id, mode, code, text) SELECT plan_id, 1, object_id, mode, code, text FROM plan_reason WHERE plan_id = ?"
        " AND draft = 0",
    };
    int rc = 0;

    (void)prepared;
    p->reason = json_get_str(body, "reason");
    for (size_t i = 0; rc >= 0 && i < COUNT(sql); i++)
        rc = db_exec(c->d, c->e, sql[i], "i", p->id);
    return rc < 0 ? rc : plan_changed(c, p);
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
