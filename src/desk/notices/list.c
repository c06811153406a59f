/* list.c - notices as people read them: the journal, and one record with all that happened to it. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "base/file.h"

/* Columns of a summary. The newest version stands for its thread; older ones are found from it. */
#define COLUMNS                                                                                                                      \
    "r.id, r.number, r.direction, r.medium, r.kind, r.paragraph, r.subject, r.subject_id, r.case_id, r.object_id, o.name, r.sender_org,"    \
    " r.sender_name, r.title, r.tlp, r.made_at, r.version, r.sha256, r.pdf_sha256,"                                                         \
    " (SELECT c.verdict FROM notice_signature s JOIN notice_check c ON c.signature_id = s.id WHERE s.record_id = r.id ORDER BY c.id DESC LIMIT 1),"  \
    " (SELECT count(*) FROM notice n WHERE n.record_id = r.id AND n.state = 'failed'), (SELECT x.id FROM notice_record x WHERE x.corrects = r.id), r.form, r.edition"
/* One statement for each way to begin, so that an index gives both the rows and their order; what else was asked is looked at row by row.
 * ?1 bounded, ?2 organisation, ?3 below this id, ?4 direction, ?5 kind, ?6 object, ?7 case, ?8 words, ?9 limit, ?10 the person who asks. */
#define OTHERS                                                                                                                       \
    " AND (?4 = '' OR r.direction = ?4) AND (?5 = '' OR r.kind = ?5) AND (?6 = '' OR r.object_id = ?6) AND (?7 = 0 OR r.case_id = ?7)"
#define TOLD " AND " NOTICE_TOLD("r", "?10")
#define MINE " AND (?1 = 0 OR EXISTS (SELECT 1 FROM notice_party p WHERE p.org_id = ?2 AND p.record_id = r.id))" TOLD
#define BEGIN_WITH(condition)                                                                                                        \
    "SELECT " COLUMNS " FROM notice_record r LEFT JOIN object o ON o.id = r.object_id WHERE " condition " AND r.id < ?3" OTHERS MINE      \
    " AND ?8 = '' ORDER BY r.id DESC LIMIT ?9"

enum beginning { BY_WORDS, BY_CASE, BY_OBJECT, BY_KIND, BY_DIRECTION, BY_PARTY, BY_NUMBER, BEGINNINGS };
static const char *const beginnings[BEGINNINGS] = {
    [BY_WORDS] = "SELECT " COLUMNS " FROM notice_fts f CROSS JOIN notice_record r ON r.id = f.rowid LEFT JOIN object o ON o.id = r.object_id"
                 " WHERE notice_fts MATCH ?8 AND f.rowid < ?3" OTHERS MINE " ORDER BY f.rowid DESC LIMIT ?9",
    [BY_CASE] = BEGIN_WITH("r.case_id = ?7"),
    [BY_OBJECT] = BEGIN_WITH("r.object_id = ?6"),
    [BY_KIND] = BEGIN_WITH("r.kind = ?5"),
    [BY_DIRECTION] = BEGIN_WITH("r.direction = ?4"),
    /* From the side of the party: one organisation's notices are few among all. */
    [BY_PARTY] = "SELECT " COLUMNS " FROM notice_party p CROSS JOIN notice_record r ON r.id = p.record_id LEFT JOIN object o ON o.id = r.object_id"
                 " WHERE ?1 = 1 AND p.org_id = ?2 AND p.record_id < ?3 AND NOT (p.side = 'to' AND EXISTS (SELECT 1 FROM notice_party x"
                 " WHERE x.org_id = p.org_id AND x.record_id = p.record_id AND x.side = 'from'))" OTHERS TOLD " AND ?8 = ''"
                 " ORDER BY p.record_id DESC LIMIT ?9",
    [BY_NUMBER] = BEGIN_WITH("1 = 1"),
};

static enum beginning beginning_of(const struct notices_query *q, bool bounded)
{
    return q->q.n ? BY_WORDS : q->case_id.n ? BY_CASE : q->object.n ? BY_OBJECT : q->kind.n ? BY_KIND
           : bounded ? BY_PARTY : q->direction.n ? BY_DIRECTION : BY_NUMBER;
}

/* words_of - what was typed as a question of FTS5: every word, or its beginning, must be there. "" if no word is in it. */
static struct str words_of(struct str q, struct arena *a)
{
    struct str rest = fold_text(q, a), word;
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    while (rest.n && str_split(&rest, ' ', &word)) {
        if (!word.n)
            continue;
        buf_str(&b, b.n ? STR(" \"") : STR("\""));
        for (size_t i = 0; i < word.n; i++) {
            if (word.p[i] == '"')
                buf_byte(&b, '"');
            buf_byte(&b, word.p[i] ? word.p[i] : ' ');
        }
        buf_str(&b, STR("\"*"));
    }
    return b.n ? arena_copy(a, buf_view(&b)) : STR("");
}

static int addressees_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT org_id, name FROM notice_party WHERE record_id = ? AND side = 'to' ORDER BY name", "i", id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o}", "id", db_str(st, 0).n ? db_json(st, 0) : json_null(), "name",
                                              json_str(db_str(st, 0).n ? db_str(st, 1) : name_shown(c, db_str(st, 1)))));
    return rc;
}

/* summary - from a row of COLUMNS; the addressees are asked for afterwards, for the statement must be free. */
static json_t *summary(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:o}", "id",
                     db_json_id(st, 0), "number", db_json(st, 1), "direction", db_json(st, 2), "medium", db_json(st, 3), "kind", db_json(st, 4),
                     "paragraph", db_json(st, 5), "subject", "kind", db_json(st, 6), "id", db_json(st, 7), "case_id", db_json_id(st, 8), "object",
                     json_ref(db_str(st, 9), db_str(st, 10)), "sender", "id", db_json(st, 11), "name", json_str(name_shown(c, db_str(st, 12))), "title",
                     json_str(title_shown(c, db_str(st, 13), db_str(st, 22), db_str(st, 23))),
                     "tlp", db_json(st, 14), "made_at", db_json_time(st, 15), "version", (json_int_t)sqlite3_column_int64(st, 16), "sha256",
                     db_json(st, 17), "pdf_sha256", db_json(st, 18), "verdict", db_json(st, 19), "failed", (json_int_t)sqlite3_column_int64(st, 20),
                     "newer_id", db_json_id(st, 21));
}

static int fill_addressees(struct call *c, json_t *items)
{
    json_t *one, *to;
    size_t i;
    int rc = 0;

    json_array_foreach(items, i, one) {
        rc = addressees_json(c, parse_id(json_get_str(one, "id")), &to);
        json_object_set_new(one, "addressees", to);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static struct str given(struct str s) { return s.n ? s : STR(""); }

static int read_page(struct call *c, const struct notices_query *q, int limit, json_t *items)
{
    struct scope s = scope_of(c->v);
    int64_t before = q->before.n ? parse_id(q->before) : INT64_MAX;
    sqlite3_stmt *st = db_query(c->d, c->e, beginnings[beginning_of(q, s.bounded)], "izitttitii", s.bounded, s.org, before,
                                given(q->direction), given(q->kind), given(q->object), q->case_id.n ? parse_id(q->case_id) : (int64_t)0,
                                words_of(q->q, &c->a), (int64_t)limit, viewer_id(c));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(items, summary(c, st));
    return rc < 0 ? rc : fill_addressees(c, items);
}

static int list(struct call *c, const struct notices_query *q)
{
    int limit = page_limit(q->limit);
    json_t *items = json_array(), *next = json_null();
    int rc = read_page(c, q, limit + 1, items);

    if (rc == 0 && json_array_size(items) > (size_t)limit) {
        json_array_remove(items, (size_t)limit);
        next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", next);
    return rc;
}

int desk_notices(struct desk *d, const struct viewer *v, const struct notices_query *q, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = list(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- one --- */

/* notice_seen - a party of the notice, if the label of its case lets them know of it. */
int notice_seen(struct call *c, int64_t id)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n,
                    "SELECT count(*) FROM notice_record r WHERE r.id = ?3 AND (?1 = 0 OR EXISTS (SELECT 1 FROM notice_party p WHERE p.record_id = r.id"
                    " AND p.org_id = ?2)) AND " NOTICE_TOLD("r", "?4"),
                    "izii", s.bounded, s.org, id, viewer_id(c));

    return rc < 0 ? rc : n ? 0 : refuse(c, -ENOENT, "not_found", NULL, "no such notice");
}

/* rows - every row of a query about one record as JSON by fn. */
static int rows(struct call *c, const char *sql, int64_t id, json_t *(*fn)(struct call *c, sqlite3_stmt *), json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, sql, "izi", is_bounded(c), viewer_org(c), id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, fn(c, st));
    return rc;
}

static json_t *delivery(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "channel", db_json(st, 1), "addressee",
                     json_str(name_shown(c, db_str(st, 2))), "state", db_json(st, 3), "attempts", (json_int_t)sqlite3_column_int64(st, 4), "queued_at", db_json_time(st, 5),
                     "sent_at", db_json_time(st, 6), "read_at", db_json_time(st, 7), "read_by", db_json(st, 8), "message_id", db_json(st, 9),
                     "proof", db_json(st, 10), "last_error", db_json(st, 11));
}

static json_t *receipt(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "channel", db_json(st, 1), "name",
                     json_str(name_shown(c, db_str(st, 2))), "at",
                     db_json_time(st, 3), "recorded_at", db_json_time(st, 4), "author", db_json(st, 5), "number", db_json(st, 6), "note", db_json(st, 7));
}

static json_t *version(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1), "version",
                     (json_int_t)sqlite3_column_int64(st, 2), "made_at", db_json_time(st, 3), "reason", db_json(st, 4), "author", db_json(st, 5));
}

static json_t *paper(struct call *c, sqlite3_stmt *st)
{
    json_t *scan = sqlite3_column_type(st, 3) == SQLITE_NULL
                       ? json_null()
                       : json_pack("{s:o, s:o, s:o, s:I}", "sha256", db_json(st, 3), "name", db_json(st, 4), "type", db_json(st, 5), "size_bytes",
                                   (json_int_t)sqlite3_column_int64(st, 6));

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "number", db_json(st, 0), "date", db_json(st, 1), "signatory", db_json(st, 2), "scan", scan,
                     "recorded_at", db_json_time(st, 7), "author", db_json(st, 8));
}

static json_t *file(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:I}", "sha256", db_json(st, 0), "name", db_json(st, 1), "type", db_json(st, 2), "size_bytes",
                     (json_int_t)sqlite3_column_int64(st, 3));
}

static json_t *signature(struct call *c, sqlite3_stmt *st)
{
    struct str signers = db_str(st, 6);
    json_t *list = json_loadb(signers.p, signers.n, 0, NULL);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "over", db_json(st, 1), "at", db_json_time(st, 2),
                     "author", db_json(st, 3), "verdict", db_json(st, 4), "reason", db_json(st, 5), "signers", list ? list : json_array(), "checked_at",
                     db_json_time(st, 7), "sha256", db_json(st, 8));
}

/* Of each list ?1 bounded, ?2 organisation, ?3 the record. */
static const struct {
    const char *name, *sql;
    json_t     *(*fn)(struct call *c, sqlite3_stmt *);
} lists[] = {
    { "deliveries", "SELECT n.id, n.channel, " ADDRESS_OR_NAME ", n.state, n.attempts, n.queued_at, n.sent_at, n.read_at, u.name, n.message_id,"
                    " iif(" ADDRESS_SHOWN ", n.smtp_reply, NULL), iif(" ADDRESS_SHOWN ", n.last_error, NULL) FROM notice n LEFT JOIN user u ON u.id = n.read_by WHERE n.record_id = ?3 ORDER BY n.id", delivery },
    { "receipts", "SELECT t.kind, t.channel, t.name, t.at, t.recorded_at, u.name, t.number, t.note FROM notice_receipt t LEFT JOIN user u"
                  " ON u.id = t.author_id WHERE t.record_id = ?3 ORDER BY t.id", receipt },
    { "versions", "SELECT r.id, r.number, r.version, r.made_at, r.reason, u.name FROM notice_record r LEFT JOIN user u ON u.id = r.author_id"
                  " WHERE r.id = (SELECT coalesce(first_id, id) FROM notice_record WHERE id = ?3)"
                  " OR r.first_id = (SELECT coalesce(first_id, id) FROM notice_record WHERE id = ?3) ORDER BY r.version", version },
    { "paper", "SELECT p.number, p.date, p.signatory, p.scan_sha256, p.scan_name, p.scan_type, p.scan_size, p.recorded_at, u.name FROM notice_paper p"
               " LEFT JOIN user u ON u.id = p.author_id WHERE p.record_id = ?3 ORDER BY p.id", paper },
    { "files", "SELECT sha256, name, type, size_bytes FROM notice_document WHERE record_id = ?3 ORDER BY position", file },
    { "signatures", "SELECT s.id, s.over, s.at, u.name, k.verdict, k.reason, k.signers, k.at, s.sha256 FROM notice_signature s JOIN notice_check k ON k.id ="
                    " (SELECT max(id) FROM notice_check WHERE signature_id = s.id) LEFT JOIN user u ON u.id = s.author_id WHERE s.record_id = ?3"
                    " ORDER BY s.id", signature },
};

/* form_json - the filled form with labels and printed texts, as the document has it, in the viewer's language and Kazakh. */
static int form_json(struct call *c, struct str edition, struct str form_id, struct str values, struct str number, time_ns made_at, json_t **out)
{
    struct duty_world w;
    const struct form *f = world_of(c, edition, &w) == 0 ? edition_form(w.edition, form_id) : NULL;
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    struct form_document doc = { .world = &w, .catalog = c->d->setup.catalog, .form = f, .values = vs, .case_number = number,
                                 .produced_at = made_at, .langs = { LANG_KK, LANG_RU, LANG_EN }, .lang_count = 3 };
    AUTO_BUF struct buf b;
    int rc;

    buf_init(&b, DESK_DOCUMENT_MAX);
    *out = NULL;
    if (!f || !vs)
        return 0;
    rc = forms_values_read(&w, f, values, &c->a, vs, c->e);
    if (rc == 0)
        rc = forms_render_json(&doc, &b, c->e);
    if (rc == 0)
        *out = json_loadb(b.p, b.n, 0, NULL);
    return rc == -EBADMSG ? 0 : rc;   /* of an edition that is gone: the PDF shows it */
}

int notice_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " COLUMNS ", r.text, r.form_values, u.name, r.reason, r.outer_number, r.outer_date"
                                " FROM notice_record r LEFT JOIN object o ON o.id = r.object_id LEFT JOIN user u ON u.id = r.author_id WHERE r.id = ?",
                                "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *part = NULL;

    *out = NULL;
    if (rc <= 0)
        return rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such notice") : rc;
    struct str edition = db_copy(st, 23, &c->a), form = db_copy(st, 22, &c->a), values = db_copy(st, 25, &c->a), number = db_copy(st, 1, &c->a);
    time_ns made_at = sqlite3_column_int64(st, 15);
    *out = summary(c, st);
    json_object_set_new(*out, "text", db_json(st, 24));
    json_object_set_new(*out, "edition", db_json(st, 23));
    json_object_set_new(*out, "author", db_json(st, 26));
    json_object_set_new(*out, "reason", db_json(st, 27));
    json_object_set_new(*out, "outer_number", db_json(st, 28));
    json_object_set_new(*out, "outer_date", db_json(st, 29));
    db_done(st);
    rc = addressees_json(c, id, &part);
    json_object_set_new(*out, "addressees", part);
    if (rc == 0)
        rc = form_json(c, edition, form, values, number, made_at, &part);
    if (rc == 0)
        json_object_set_new(*out, "form", part ? part : json_null());
    for (size_t i = 0; rc == 0 && i < COUNT(lists); i++) {
        rc = rows(c, lists[i].sql, id, lists[i].fn, &part);
        json_object_set_new(*out, lists[i].name, part);
    }
    return rc;
}

int notices_of(struct call *c, const struct subject *s, json_t **out)
{
    struct str id = s->case_id ? arena_printf(&c->a, "%lld", (long long)s->case_id) : s->id;
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " COLUMNS " FROM notice_record r LEFT JOIN object o ON o.id = r.object_id WHERE r.subject = ?3 AND r.subject_id = ?4"
                                " AND (?1 = 0 OR EXISTS (SELECT 1 FROM notice_party p WHERE p.record_id = r.id AND p.org_id = ?2)) AND "
                                NOTICE_TOLD("r", "?5") " ORDER BY r.id",
                                "izzti", scope.bounded, scope.org, s->kind, id, viewer_id(c));
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, summary(c, st));
    return rc < 0 ? rc : fill_addressees(c, *out);
}

int desk_notice(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = notice_seen(&c, parse_id(id));
    if (rc == 0)
        rc = notice_json(&c, parse_id(id), &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
