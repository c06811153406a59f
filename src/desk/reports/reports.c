/* reports.c - the two summaries of each quarter on their way: collecting, draft, sent, acknowledged. */
#include "desk/reports/internal.h"
#include "base/file.h"
#include "desk/blob.h"
#include "desk/duties/duties.h"
#include "desk/notices/notices.h"

#define QUARTERS_AT_ONCE 8   /* a desk that slept longer has its newest quarters only */

static const char *const formats[] = { "pdf", "xlsx", "json" };

static bool of_17(const struct report_head *h) { return str_eq(h->paragraph, STR("17")); }
static bool is_out(const struct report_head *h) { return str_eq(h->state, STR("sent")) || str_eq(h->state, STR("acknowledged")); }

/* may_see - KNB sees what it was sent and its own; the authorised body what it was sent. */
static bool may_see(const struct viewer *v, const struct report_head *h)
{
    return role_reads_all(v->role) || (v->role == DESK_KNB && (!of_17(h) || is_out(h))) || (v->role == DESK_AUTHORISED_BODY && !of_17(h) && is_out(h));
}

/* may_make - the centre makes 17, KNB makes 18. */
static bool may_make(const struct viewer *v, const struct report_head *h) { return of_17(h) ? role_of_centre(v->role) : v->role == DESK_KNB; }

#define REPORT_COLUMNS                                                                                                                          \
    "r.id, r.paragraph, r.quarter, r.version, r.from_at, r.to_at, r.state, r.comment, r.reason, r.as_of, r.figures, r.sent_at, r.sent_by, s.name,"  \
    " r.acknowledged_at, r.acknowledged_by, a.name, r.created_at"
#define REPORT_TABLES " FROM report r LEFT JOIN user s ON s.id = r.sent_by LEFT JOIN user a ON a.id = r.acknowledged_by "

static void head_of(struct call *c, sqlite3_stmt *st, struct report_head *h)
{
    struct str quarter = db_str(st, 2);

    *h = (struct report_head){ .id = sqlite3_column_int64(st, 0), .paragraph = db_copy(st, 1, &c->a), .version = sqlite3_column_int64(st, 3),
                               .state = db_copy(st, 6, &c->a), .comment = db_copy(st, 7, &c->a), .reason = db_copy(st, 8, &c->a),
                               .figures = db_copy(st, 10, &c->a), .sent_at = sqlite3_column_int64(st, 11) };
    h->p.from = sqlite3_column_int64(st, 4);
    h->p.to = sqlite3_column_int64(st, 5);
    h->p.as_of = sqlite3_column_type(st, 9) == SQLITE_NULL ? c->now : sqlite3_column_int64(st, 9);
    memcpy(h->p.quarter, quarter.p, min_size(quarter.n, 6));
}

static json_t *person(sqlite3_stmt *st, int id)
{
    return sqlite3_column_type(st, id) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, id), "name", db_json(st, id + 1));
}

static json_t *acts_json(const struct viewer *v, const struct report_head *h)
{
    json_t *acts = json_array();
    bool make = may_make(v, h), receive = of_17(h) ? v->role == DESK_KNB : v->role == DESK_AUTHORISED_BODY;

    if (make && !is_out(h))
        json_array_append_new(acts, json_string("comment"));
    if (make && str_eq(h->state, STR("draft")))
        json_array_append_new(acts, json_string("send"));
    if (make && is_out(h))
        json_array_append_new(acts, json_string("correct"));
    if (receive && str_eq(h->state, STR("sent")))
        json_array_append_new(acts, json_string("acknowledge"));
    return acts;
}

static json_t *report_summary(struct call *c, sqlite3_stmt *st, const struct report_head *h)
{
    return json_pack("{s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_id(h->id), "paragraph",
                     json_str(h->paragraph), "quarter", h->p.quarter, "version", (json_int_t)h->version, "from", json_time(h->p.from), "to",
                     json_time(h->p.to), "state", json_str(h->state), "comment", json_str(h->comment), "reason", json_str(h->reason), "as_of",
                     db_json_time(st, 9), "sent_at", db_json_time(st, 11), "sent_by", person(st, 12), "acknowledged_at", db_json_time(st, 14),
                     "acknowledged_by", person(st, 15), "actions", acts_json(c->v, h));
}

/* report_load - the row; -ENOENT if there is none or the viewer may not see it. json (may be NULL): its summary. */
static int report_load(struct call *c, struct str id, struct report_head *h, json_t **json)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " REPORT_COLUMNS REPORT_TABLES "WHERE r.id = ?", "i", parse_id(id));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        head_of(c, st, h);
        if (c->v && !may_see(c->v, h))
            rc = 0;
        else if (json)
            *json = report_summary(c, st, h);
        db_done(st);
    }
    return rc < 0 ? rc : rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such report") : 0;
}

static struct subject report_subject(struct call *c, const struct report_head *h)
{
    return (struct subject){ .kind = "report", .id = arena_printf(&c->a, "%lld", (long long)h->id) };
}

static const char *obligation_of(const struct report_head *h) { return of_17(h) ? "D-19" : "D-20"; }

/* --- reading --- */

static int reports_page(struct call *c, struct str paragraph, int limit, struct str before)
{
    json_t *items = json_array();
    int64_t last = before.n ? parse_id(before) : INT64_MAX;
    bool more = false;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " REPORT_COLUMNS REPORT_TABLES "WHERE (?1 = '' OR r.paragraph = ?1) AND r.id < ?2 ORDER BY r.id DESC", "ti",
                                paragraph.p ? paragraph : STR(""), last);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct report_head h;

        head_of(c, st, &h);
        if (!may_see(c->v, &h))
            continue;
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = h.id;
        json_array_append_new(items, report_summary(c, st, &h));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_id(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_reports(struct desk *d, const struct viewer *v, struct str paragraph, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = reports_page(&c, paragraph, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int files_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT format, sha256, size_bytes FROM report_file WHERE report_id = ? ORDER BY format", "i", id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:I}", "format", db_json(st, 0), "sha256", db_json(st, 1), "size_bytes",
                                              (json_int_t)sqlite3_column_int64(st, 2)));
    return rc;
}

/* as_of_set - the moment by which is counted, where somebody asks for another than the report's own. */
static int as_of_set(struct call *c, struct report_head *h, struct str as_of)
{
    if (as_of.n == 0)
        return 0;
    if (time_parse_rfc3339(as_of, &h->p.as_of, NULL, NULL) < 0)
        return refuse(c, -EINVAL, "bad_request", "as_of", "a moment is written 2026-04-01T09:00:00Z");
    if (c->v && !may_make(c->v, h) && !role_reads_all(c->v->role))
        return refuse(c, -EACCES, "forbidden", "as_of", "who receives a summary reads what was sent");
    return 0;
}

static int report_read(struct call *c, struct str id, struct str as_of)
{
    struct report_head h;
    json_t *summary = NULL, *figs = NULL, *files = NULL, *duties = NULL;
    int rc = report_load(c, id, &h, &summary);

    if (rc == 0)
        rc = as_of_set(c, &h, as_of);
    if (rc == 0)
        rc = figures_json(c, of_17(&h) ? IN_17 : IN_18, &h.p, c->v->lang, &figs);
    if (rc == 0)
        rc = files_json(c, h.id, &files);
    if (rc == 0) {
        struct subject s = report_subject(c, &h);
        rc = duties_json(c, &s, &duties);
    }
    if (rc == 0) {
        json_object_set_new(summary, "counted_as_of", json_time(h.p.as_of));
        json_object_set(summary, "figures", figs);
        json_object_set(summary, "files", files);
        json_object_set(summary, "clocks", duties);
        c->r->json = json_incref(summary);
    }
    json_decref(summary);
    json_decref(figs);
    json_decref(files);
    json_decref(duties);
    return rc;
}

int desk_report(struct desk *d, const struct viewer *v, struct str id, struct str as_of, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = report_read(&c, id, as_of);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* in_asked - which summary is asked about, and may the viewer count it? KNB counts for its own; events it knows by what it was sent. */
static int in_asked(struct call *c, struct str paragraph, unsigned *in)
{
    *in = str_eq(paragraph, STR("17")) ? IN_17 : str_eq(paragraph, STR("18")) ? IN_18 : 0;
    if (!*in)
        return refuse(c, -EINVAL, "bad_request", "paragraph", "17 or 18");
    if (c->v->role == DESK_KNB && *in == IN_17)
        return refuse(c, -EACCES, "forbidden", "paragraph", "the summary of paragraph 17 comes from the centre");
    return 0;
}

int desk_figures(struct desk *d, const struct viewer *v, const struct desk_figures_query *q, time_ns now, struct desk_reply *r)
{
    struct period p;
    struct call c;
    json_t *figs = NULL;
    unsigned in = 0;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = in_asked(&c, q->paragraph, &in);
    if (rc == 0)
        rc = period_of(&c, q->quarter, q->as_of, &p);
    if (rc == 0)
        rc = figures_json(&c, in, &p, v->lang, &figs);
    if (rc == 0)
        r->json = json_pack("{s:o, s:s, s:o, s:o, s:o, s:O}", "paragraph", json_str(q->paragraph), "quarter", p.quarter, "from", json_time(p.from), "to",
                            json_time(p.to), "as_of", json_time(p.as_of), "figures", figs);
    json_decref(figs);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int rows_read(struct call *c, const struct desk_rows_query *q)
{
    const struct figure *f = figure_find(q->figure);
    int limit = page_limit(q->limit);
    json_t *rows = NULL, *row, *next;
    struct period p;
    unsigned in = 0;
    size_t i;
    int rc = in_asked(c, q->paragraph, &in);

    if (rc == 0 && (!f || !(f->in & in)))
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such figure in the summary");
    if (rc == 0)
        rc = period_of(c, q->quarter, q->as_of, &p);
    if (rc == 0)
        rc = figure_rows(c, f, &p, q->one_part, q->part, q->before, limit + 1, &rows);
    if (rc < 0) {
        json_decref(rows);
        return rc;
    }
    next = json_null();
    if (json_array_size(rows) > (size_t)limit) {
        json_array_remove(rows, (size_t)limit);
        next = json_incref(json_object_get(json_array_get(rows, (size_t)limit - 1), "sort"));
    }
    json_array_foreach(rows, i, row)
        json_object_del(row, "sort");
    c->r->json = json_pack("{s:o, s:o}", "items", rows, "next", next);
    return 0;
}

int desk_figure_rows(struct desk *d, const struct viewer *v, const struct desk_rows_query *q, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = rows_read(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- files --- */

static int render(struct call *c, const struct report_head *h, const char *format, struct buf *out)
{
    return strcmp(format, "pdf") == 0 ? report_pdf(c, h, out) : strcmp(format, "xlsx") == 0 ? report_xlsx(c, h, out) : report_json(c, h, out);
}

static int file_kept(struct call *c, int64_t id, const char *format, struct buf *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT sha256 FROM report_file WHERE report_id = ? AND format = ?", "iz", id, format);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct blob blob;
    char sha[65] = "";
    AUTO_CLOSE int fd = -1;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -EIO, "the report was sent without its files");
    snprintf(sha, sizeof sha, "%.*s", STR_ARG(db_str(st, 0)));
    db_done(st);
    rc = blob_open(c, sha, &fd, &blob);
    while (rc == 0) {
        char *room = buf_room(out, 64 * KIB);
        ssize_t n = room ? read(fd, room, 64 * KIB) : -1;

        if (n < 0)
            return err_set(c->e, room ? -errno : -ENOMEM, "could not read a file of the report");
        if (n == 0)
            break;
        out->n += (size_t)n;
    }
    return rc;
}

int desk_report_file(struct desk *d, const struct viewer *v, struct str id, struct str format, struct str as_of, time_ns now, struct buf *out,
                     struct desk_reply *r)
{
    struct report_head h;
    struct call c;
    const char *known = NULL;
    int rc;

    desk_call_init(&c, d, v, now, r);
    for (size_t i = 0; i < COUNT(formats); i++)
        if (str_eq(format, str_c(formats[i])))
            known = formats[i];
    rc = known ? report_load(&c, id, &h, NULL) : refuse(&c, -EINVAL, "bad_request", "format", "pdf, xlsx or json");
    if (rc == 0)
        rc = as_of_set(&c, &h, as_of);
    if (rc == 0)
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "report/%lld", (long long)h.id).p, str_c(known));
    if (rc == 0)
        rc = is_out(&h) && as_of.n == 0 ? file_kept(&c, h.id, known, out) : render(&c, &h, known, out);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- acts --- */

static int org_of_kind(struct call *c, const char *kind, struct str *id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM org WHERE kind = ? ORDER BY id LIMIT 1", "z", kind);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = (struct str){ NULL, 0 };
    if (rc > 0) {
        *id = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int send_files(struct call *c, const struct report_head *h)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < COUNT(formats); i++) {
        AUTO_BUF struct buf b = { 0 };
        struct blob blob;

        buf_init(&b, REPORT_FILE_MAX);
        rc = render(c, h, formats[i], &b);
        if (rc == 0)
            rc = blob_put(c, buf_view(&b), &blob);
        if (rc == 0)
            rc = db_exec(c->d, c->e, "INSERT INTO report_file(report_id, format, sha256, size_bytes) VALUES (?,?,?,?)", "izzi", h->id, formats[i],
                         blob.sha256, (int64_t)b.n);
    }
    return rc < 0 ? rc : 0;
}

static int tell(struct call *c, const struct report_head *h, const char *to_kind)
{
    struct subject about = report_subject(c, h);
    struct notice_new n = { .kind = "quarterly_report", .paragraph = of_17(h) ? "17" : "18", .about = &about, .org_count = 1 };
    struct str org;
    int64_t id = 0;
    int rc = org_of_kind(c, to_kind, &org);

    if (rc < 0 || !org.n)
        return rc; /* the other side has no organisation here: the files are what goes out */
    n.orgs = &org;
    n.title = arena_printf(&c->a, "%.*s / %.*s, %s", STR_ARG(report_text(c, LANG_KK, "report.title.%.*s", STR_ARG(h->paragraph))),
                           STR_ARG(report_text(c, LANG_RU, "report.title.%.*s", STR_ARG(h->paragraph))), h->p.quarter);
    n.text = h->comment;
    return notice_issue(c, &n, &id);
}

static int act_send(struct call *c, struct report_head *h)
{
    struct subject s = report_subject(c, h);
    json_t *figs = NULL;
    int rc;

    h->p.as_of = h->sent_at = c->now;
    rc = figures_json(c, of_17(h) ? IN_17 : IN_18, &h->p, LANG_KK, &figs);
    AUTO_FREE char *text = figs ? json_dumps(figs, JSON_COMPACT) : NULL;
    json_decref(figs);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE report SET state = 'sent', as_of = ?2, figures = ?3, sent_at = ?2, sent_by = ?4 WHERE id = ?1", "iizi", h->id,
                     c->now, text, c->v->user_id);
    if (rc >= 0)
        rc = send_files(c, h);
    if (rc == 0)
        rc = duties_fulfil(c, &s, obligation_of(h), c->now);
    return rc < 0 ? rc : tell(c, h, of_17(h) ? "knb" : "authorised_body");
}

static int act_correct(struct call *c, const struct report_head *h, struct str reason)
{
    int64_t newest = 0;
    int rc = db_int(c->d, c->e, 0, &newest, "SELECT max(version) FROM report WHERE paragraph = ?1 AND quarter = ?2", "tz", h->paragraph, h->p.quarter);

    if (rc == 0 && newest != h->version)
        return refuse(c, -EPROTO, "wrong_state", NULL, "version %lld is the newest", (long long)newest);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO report(paragraph, quarter, version, from_at, to_at, state, comment, reason, created_at) VALUES (?,?,?,?,?,'draft',?,?,?)",
                     "tziiitti", h->paragraph, h->p.quarter, h->version + 1, h->p.from, h->p.to, h->comment, reason, c->now);
    return rc < 0 ? rc : 0;
}

static int report_act(struct call *c, struct str id, struct str name, const json_t *body)
{
    static const struct body_field text = { "text", BODY_TEXT, true, false, 0, REPORT_TEXT_MAX, NULL },
                                   reason = { "reason", BODY_TEXT, true, false, 1, REPORT_TEXT_MAX, NULL };
    bool comment = str_eq(name, STR("comment")), correct = str_eq(name, STR("correct")), offered = false;
    struct report_head h;
    json_t *summary = NULL, *act, *empty = body ? json_incref((json_t *)(uintptr_t)body) : json_object();
    size_t i;
    int rc = report_load(c, id, &h, &summary);

    json_array_foreach(json_object_get(summary, "actions"), i, act)
        offered = offered || str_eq(name, str_c(json_string_value(act)));
    json_decref(summary);
    if (rc == 0 && !comment && !correct && !str_eq(name, STR("send")) && !str_eq(name, STR("acknowledge")))
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (rc == 0 && !offered)
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "a report in state %.*s does not offer this", STR_ARG(h.state));
    if (rc == 0)
        rc = body_check(empty, comment ? &text : &reason, comment || correct ? 1 : 0, c->r->field, c->e);
    json_decref(empty);
    if (rc < 0)
        return rc;
    if (comment)
        rc = db_exec(c->d, c->e, "UPDATE report SET comment = ?2 WHERE id = ?1", "it", h.id, json_get_str(body, "text"));
    else if (correct)
        rc = act_correct(c, &h, json_get_str(body, "reason"));
    else if (str_eq(name, STR("send")))
        rc = act_send(c, &h);
    else
        rc = db_exec(c->d, c->e, "UPDATE report SET state = 'acknowledged', acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1", "iii", h.id,
                     c->now, c->v->user_id);
    if (rc >= 0)
        rc = audit_add(c, arena_printf(&c->a, "report.%.*s", STR_ARG(name)).p, arena_printf(&c->a, "report/%lld", (long long)h.id).p, str_c(h.p.quarter), "ok");
    change_id(c->d, "inbox", h.id);
    return rc < 0 ? rc : report_read(c, id, STR(""));
}

int desk_report_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, report_act(&c, id, action, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- time --- */

static int report_begin(struct call *c, const char *paragraph, const struct period *p)
{
    struct report_head h = { .paragraph = str_c(paragraph) };
    struct subject s;
    int rc = db_exec(c->d, c->e,
                     "INSERT OR IGNORE INTO report(paragraph, quarter, version, from_at, to_at, state, created_at) VALUES (?,?,1,?,?,'collecting',?)", "zziii",
                     paragraph, p->quarter, p->from, p->to, c->now);

    if (rc <= 0)
        return rc;
    h.id = sqlite3_last_insert_rowid(c->d->db);
    s = report_subject(c, &h);
    if (!of_17(&h))
        rc = org_of_kind(c, "knb", &s.org_id);
    /* D-19 and D-20 run from a day of the quarter itself; the day when it is wanted is policy. */
    return rc < 0 ? rc : duties_begin(c, &s, obligation_of(&h), (struct duty_start){ .at = p->from, .date = true }, NULL);
}

static int quarters(struct call *c)
{
    struct period p;
    char quarter[8];
    int rc;

    quarter_at(c->d, c->now, quarter);
    rc = period_of(c, str_c(quarter), STR(""), &p);
    if (rc == 0)
        rc = report_begin(c, "17", &p);
    if (rc >= 0)
        rc = report_begin(c, "18", &p);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE report SET state = 'draft' WHERE state = 'collecting' AND to_at <= ?", "i", c->now);
    return rc < 0 ? rc : 0;
}

int reports_tick(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    char quarter[8];
    int64_t ready = 0, ended = 0;
    int rc;

    quarter_at(d, now, quarter);
    rc = db_int(d, e, 0, &ready, "SELECT count(*) FROM report WHERE quarter = ? AND version = 1", "z", quarter);
    if (rc == 0)
        rc = db_int(d, e, 0, &ended, "SELECT count(*) FROM report WHERE state = 'collecting' AND to_at <= ?", "i", now);
    if (rc < 0 || (ready == 2 && !ended))
        return rc;
    desk_call_init(&c, d, NULL, now, &r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, quarters(&c), c.e);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
