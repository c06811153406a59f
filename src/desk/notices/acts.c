/* acts.c - what people do with notices: issue one, register one that came, correct, record its paper part and receipts. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "desk/blob.h"
#include "desk/registry/room.h"

#define KIND_MAX 40

typedef int act_fn(struct call *c, int64_t id, const json_t *body, int64_t *made);
static act_fn issue, correct;

/* run - one act in one transaction; the answer is the record it made or changed. The values of a form are looked at by the form alone: what is
 * checked here is the body without them. */
static int run(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, const struct body_field *fields, size_t count,
               const char *name, act_fn *fn, struct desk_reply *r)
{
    int64_t record = id.p ? parse_id(id) : 0, made = record;
    bool with_values = fn == issue || fn == correct;
    json_t *rest = json_copy((json_t *)(uintptr_t)body);
    struct call c;
    int rc;

    if (with_values && json_is_object(json_object_get(rest, "values")))
        json_object_del(rest, "values");
    desk_call_init(&c, d, v, now, r);
    rc = id.p ? notice_seen(&c, record) : 0;
    if (rc == 0 && body_check(rest, fields, count, r->field, c.e) < 0)
        rc = refuse(&c, -EINVAL, "bad_request", NULL, "%s", r->err.text);
    json_decref(rest);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, fn(&c, record, body, &made), c.e);
    if (rc >= 0)
        rc = notice_json(&c, made, &r->json);
    else if (rc == -EACCES)
        audit_refusal(&c, name, "notice");
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}

/* --- what a notice is about --- */

static int about_case(struct call *c, struct str id, struct subject *out)
{
    struct kase k;
    int rc = case_load(c, parse_id(id), &k);

    if (rc == 0)
        *out = case_subject(&k);
    return rc;
}

static int about_object(struct call *c, struct str id, struct subject *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT o.id, coalesce(o.possessor_id, o.org_id) FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt",
                                s.bounded, s.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -EINVAL, "bad_request", "subject.id", "no such object");
    *out = (struct subject){ .kind = "object", .id = db_copy(st, 0, &c->a), .org_id = db_copy(st, 1, &c->a) };
    out->object_id = out->id;
    db_done(st);
    return 0;
}

static int about_organisation(struct call *c, struct str id, struct subject *out)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org WHERE id = ?3 AND " SCOPE_ORG("id"), "izt", s.bounded, s.org, id);

    if (rc < 0 || n == 0)
        return rc < 0 ? rc : refuse(c, -EINVAL, "bad_request", "subject.id", "no such organisation");
    *out = (struct subject){ .kind = "organisation", .id = arena_copy(&c->a, id), .org_id = arena_copy(&c->a, id) };
    return 0;
}

static int subject_of(struct call *c, const json_t *body, struct subject *out)
{
    const json_t *s = json_object_get(body, "subject");
    struct str kind = json_get_str(s, "kind"), id = json_get_str(s, "id");
    int rc;

    if (str_eq(kind, STR("object")))
        return about_object(c, id, out);
    if (str_eq(kind, STR("organisation")))
        return about_organisation(c, id, out);
    rc = about_case(c, id, out);
    return rc == -ENOENT ? refuse(c, -EINVAL, "bad_request", "subject.id", "no such case") : rc;
}

static const char *const subject_kinds[] = { "case", "object", "organisation", NULL };
static const struct body_field subject_table[] = {
    { "kind", BODY_ENUM, true, false, 0, 0, subject_kinds },
    { "id", BODY_STRING, true, false, 1, ID_MAX, NULL },
};

/* kind_of - what the notice is. The documents of a case belong to its acts: they start and stop clocks. */
static int kind_of(struct call *c, const json_t *body, const char **out)
{
    static const char *const of_cases[] = { "annex7", "annex2", "knb_notice", "reminder", "information", NULL };
    struct str s = json_get_str(body, "kind");

    for (size_t i = 0; i < s.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", s.p[i]) || !s.p[i])
            return refuse(c, -EINVAL, "bad_request", "kind", "small letters, digits and '_'");
    if (value_known(of_cases, s))
        return refuse(c, -EINVAL, "bad_request", "kind", "such a notice goes out with an act of its case");
    *out = arena_copy(&c->a, s).p;
    return 0;
}

/* files_take - the uploads named in the body. */
static int files_take(struct call *c, const json_t *body, struct notice_new *n)
{
    const json_t *list = json_object_get(body, "files"), *one;
    struct notice_file *files = arena_zero(&c->a, (json_array_size(list) + 1) * sizeof *files);
    size_t i;

    if (!files)
        return err_set(c->e, -ENOMEM, "no memory for a notice");
    json_array_foreach(list, i, one) {
        struct blob b;
        int rc = blob_take(c, str_of(json_string_value(one), json_string_length(one)), "files", &b);

        if (rc < 0)
            return rc;
        files[i] = (struct notice_file){ arena_copy(&c->a, str_c(b.sha256)), arena_copy(&c->a, str_c(b.name)), str_c(b.type), b.size_bytes };
    }
    n->files = files;
    n->file_count = json_array_size(list);
    return 0;
}

static int addressees(struct call *c, const json_t *body, struct notice_new *n)
{
    const json_t *list = json_object_get(body, "addressees"), *one;
    struct str *to = arena_array(&c->a, json_array_size(list) + 1, sizeof *to);
    bool bounded = scope_of(c->v).bounded;
    size_t i;

    if (!to)
        return err_set(c->e, -ENOMEM, "no memory for a notice");
    json_array_foreach(list, i, one) {
        struct str id = str_of(json_string_value(one), json_string_length(one));

        to[i] = str_eq(id, STR("centre")) ? (struct str){ NULL, 0 } : id;
        if (bounded && to[i].p)
            return refuse(c, -EINVAL, "bad_request", "addressees", "an organisation writes to the centre");
    }
    n->orgs = to;
    n->org_count = json_array_size(list);
    return 0;
}

/* label_asked - what people write by hand about a case goes no further than what the desk sends by itself: each addressee is asked of the label. KNB is
 * named by the Rules themselves (10(1)). */
static int label_asked(struct call *c, const struct subject *about, struct notice_new *n)
{
    struct str knb[NOTICE_ADDRESSEES_MAX];
    struct kase k;
    size_t count = 0;
    int rc;

    if (!about->case_id)
        return 0;
    rc = case_load(c, about->case_id, &k);
    if (rc == 0)
        rc = tlp_not_wider(c, &k, n->corrects != 0, &n->tlp);
    if (rc == 0)
        rc = notice_orgs(c, "knb", knb, &count);
    for (size_t i = 0; rc == 0 && !n->incoming && i < n->org_count; i++) {
        bool lawful = false;

        for (size_t j = 0; n->orgs[i].p && j < count; j++)
            lawful = lawful || str_eq(n->orgs[i], knb[j]);
        rc = tlp_allows(c, &k, n->orgs[i], lawful);
    }
    return rc;
}

static const char *opt(struct call *c, const json_t *body, const char *key)
{
    struct str s = json_get_str(body, key);

    return s.n ? arena_copy(&c->a, s).p : NULL;
}

/* --- issue --- */

static const struct body_field issue_fields[] = {
    { "kind", BODY_STRING, true, false, 1, KIND_MAX, NULL },
    { "paragraph", BODY_STRING, false, true, 0, 16, NULL },
    { "subject", BODY_PART, true, false, 0, 0, NULL, subject_table, COUNT(subject_table) },
    { "addressees", BODY_STRINGS, true, false, 1, NOTICE_ADDRESSEES_MAX, NULL },
    { "form", BODY_STRING, false, true, 0, 64, NULL },
    { "title", BODY_STRING, false, true, 0, NOTICE_TITLE_MAX, NULL },
    { "text", BODY_TEXT, false, true, 0, NOTICE_TEXT_MAX, NULL },
    { "tlp", BODY_ENUM, false, false, 0, 0, NULL },
    { "paper_only", BODY_BOOL, false, false, 0, 0, NULL },
    { "files", BODY_STRINGS, false, false, 0, NOTICE_DOCUMENTS_MAX, NULL },
};

static int issue(struct call *c, int64_t id, const json_t *body, int64_t *made)
{
    struct notice_new n = { .form = opt(c, body, "form"), .paragraph = opt(c, body, "paragraph"), .values = json_object_get(body, "values"),
                            .title = str_trim(json_get_str(body, "title")), .text = json_get_str(body, "text"), .tlp = opt(c, body, "tlp"),
                            .paper_only = json_is_true(json_object_get(body, "paper_only")) };
    struct subject about;
    int rc = kind_of(c, body, &n.kind);

    (void)id;
    n.about = &about;
    if (rc == 0 && !n.form && (!n.title.n || !n.text.n))
        rc = refuse(c, -EINVAL, "bad_request", n.title.n ? "text" : "title", "a notice without a form has a subject and a text");
    if (rc == 0 && n.form && !json_is_object(n.values))
        rc = refuse(c, -EINVAL, "bad_request", "values", "a form has values");
    if (rc == 0)
        rc = subject_of(c, body, &about);
    if (rc == 0)
        rc = addressees(c, body, &n);
    if (rc == 0)
        rc = label_asked(c, &about, &n);
    if (rc == 0)
        rc = files_take(c, body, &n);
    rc = rc < 0 ? rc : notice_issue(c, &n, made);
    return rc == -ENOTSUP ? refuse(c, -EINVAL, "bad_request", "form", "the edition has no such form") : rc;
}

int desk_notice_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct body_field fields[COUNT(issue_fields)];

    memcpy(fields, issue_fields, sizeof fields);
    for (size_t i = 0; i < COUNT(fields); i++)
        if (strcmp(fields[i].name, "tlp") == 0)
            fields[i].values = tlp_values;
    return run(d, v, (struct str){ NULL, 0 }, body, now, fields, COUNT(fields), "notice.issue", issue, r);
}

/* --- register what came --- */

static const char *const medium_values[] = { "paper", "electronic", NULL };
static const struct body_field register_fields[] = {
    { "kind", BODY_STRING, true, false, 1, KIND_MAX, NULL },
    { "paragraph", BODY_STRING, false, true, 0, 16, NULL },
    { "subject", BODY_PART, true, false, 0, 0, NULL, subject_table, COUNT(subject_table) },
    { "medium", BODY_ENUM, true, false, 0, 0, medium_values },
    { "sender", BODY_STRING, false, true, 0, ID_MAX, NULL },
    { "sender_name", BODY_STRING, false, true, 0, 500, NULL },
    { "outer_number", BODY_STRING, true, false, 1, 100, NULL },
    { "outer_date", BODY_DATE, true, false, 0, 0, NULL },
    { "title", BODY_STRING, true, false, 1, NOTICE_TITLE_MAX, NULL },
    { "text", BODY_TEXT, false, true, 0, NOTICE_TEXT_MAX, NULL },
    { "files", BODY_STRINGS, false, false, 0, NOTICE_DOCUMENTS_MAX, NULL },
};

/* date_past - a paper bears a date of today or before. */
static int date_past(struct call *c, const json_t *body, const char *field)
{
    return str_cmp(json_get_str(body, field), today_of(c)) <= 0 ? 0 : refuse(c, -EINVAL, "bad_request", field, "a paper bears a date of today or before");
}

static int register_it(struct call *c, int64_t id, const json_t *body, int64_t *made)
{
    static const struct str centre = { NULL, 0 };
    struct str sender = json_get_str(body, "sender");
    struct notice_new n = { .paragraph = opt(c, body, "paragraph"), .title = str_trim(json_get_str(body, "title")), .text = json_get_str(body, "text"),
                            .incoming = true, .paper_only = str_eq(json_get_str(body, "medium"), STR("paper")), .orgs = &centre, .org_count = 1,
                            .sender = sender.n ? &sender : NULL, .sender_name = str_trim(json_get_str(body, "sender_name")),
                            .outer_number = str_trim(json_get_str(body, "outer_number")), .outer_date = json_get_str(body, "outer_date") };
    struct subject about;
    int rc = kind_of(c, body, &n.kind);

    (void)id;
    n.about = &about;
    if (rc == 0 && !sender.n && !n.sender_name.n)
        rc = refuse(c, -EINVAL, "bad_request", "sender", "who sent it: an organisation or a name");
    if (rc == 0)
        rc = date_past(c, body, "outer_date");
    if (rc == 0)
        rc = subject_of(c, body, &about);
    if (rc == 0)
        rc = label_asked(c, &about, &n);
    if (rc == 0)
        rc = files_take(c, body, &n);
    return rc < 0 ? rc : notice_issue(c, &n, made);
}

int desk_notice_register(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return run(d, v, (struct str){ NULL, 0 }, body, now, register_fields, COUNT(register_fields), "notice.register", register_it, r);
}

/* --- a correction --- */

static const struct body_field version_fields[] = {
    { "reason", BODY_TEXT, true, false, 1, 2000, NULL },
    { "title", BODY_STRING, false, true, 0, NOTICE_TITLE_MAX, NULL },
    { "text", BODY_TEXT, false, true, 0, NOTICE_TEXT_MAX, NULL },
    { "files", BODY_STRINGS, false, false, 0, NOTICE_DOCUMENTS_MAX, NULL },
};

struct before {
    struct str kind, paragraph, subject, subject_id, object, sender, title, text, form, values, tlp, org;
    int64_t    case_id;
    bool       incoming, plain, paper;
};

static int before_read(struct call *c, int64_t id, struct before *b)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT kind, paragraph, subject, subject_id, object_id, sender_org, title, text, form, form_values, tlp, case_id, direction,"
                                " medium FROM notice_record WHERE id = ?",
                                "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    *b = (struct before){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                          db_copy(st, 5, &c->a), db_copy(st, 6, &c->a), db_copy(st, 7, &c->a), db_copy(st, 8, &c->a), db_copy(st, 9, &c->a),
                          db_copy(st, 10, &c->a), { NULL, 0 }, sqlite3_column_int64(st, 11) };
    b->incoming = str_eq(db_str(st, 12), STR("in"));
    b->paper = str_eq(db_str(st, 13), STR("paper"));
    b->plain = str_eq(b->form, STR("letter"));
    db_done(st);
    return 0;
}

static int before_addressees(struct call *c, int64_t id, struct notice_new *n)
{
    struct str *to = arena_array(&c->a, NOTICE_ADDRESSEES_MAX, sizeof *to);
    sqlite3_stmt *st = to ? db_query(c->d, c->e, "SELECT org_id FROM notice_party WHERE record_id = ? AND side = 'to' LIMIT 64", "i", id) : NULL;
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        to[n->org_count++] = db_str(st, 0).n ? db_copy(st, 0, &c->a) : (struct str){ NULL, 0 };
    n->orgs = to;
    return rc;
}

static int correct(struct call *c, int64_t id, const json_t *body, int64_t *made)
{
    struct before b;
    struct subject about;
    struct str title = str_trim(json_get_str(body, "title")), text = json_get_str(body, "text");
    json_t *kept = NULL;
    int rc = before_read(c, id, &b);

    if (rc < 0)
        return rc;
    if (b.sender.p ? !str_eq(b.sender, str_c(c->v->org_id)) : !role_of_centre(c->v->role))
        return refuse(c, -EACCES, "forbidden", NULL, "only who sent a notice corrects it");
    if (b.incoming)
        return refuse(c, -EPROTO, "wrong_state", NULL, "what came from outside is registered anew, not corrected");
    about = (struct subject){ .kind = b.subject.p, .id = b.subject_id, .case_id = b.case_id, .object_id = b.object, .org_id = b.sender };
    kept = b.plain ? NULL : json_loadb(b.values.p, b.values.n, 0, NULL);
    struct notice_new n = { .kind = b.kind.p, .paragraph = b.paragraph.p, .about = &about, .form = b.plain ? NULL : b.form.p,
                            .values = json_is_object(json_object_get(body, "values")) ? json_object_get(body, "values") : kept,
                            .title = title.n ? title : b.title, .text = text.p ? text : b.text, .tlp = b.tlp.p, .corrects = id,
                            .reason = json_get_str(body, "reason"), .sender = &b.sender, .paper_only = b.paper };
    rc = before_addressees(c, id, &n);
    if (rc == 0)
        rc = label_asked(c, &about, &n);
    if (rc == 0)
        rc = files_take(c, body, &n);
    if (rc == 0)
        rc = notice_issue(c, &n, made);
    json_decref(kept);
    return rc;
}

int desk_notice_version(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return run(d, v, id, body, now, version_fields, COUNT(version_fields), "notice.correct", correct, r);
}

/* --- the paper part, receipts --- */

static const struct body_field paper_fields[] = {
    { "number", BODY_STRING, true, false, 1, 100, NULL },
    { "date", BODY_DATE, true, false, 0, 0, NULL },
    { "signatory", BODY_STRING, true, false, 1, 200, NULL },
    { "scan", BODY_STRING, false, true, 0, 64, NULL },
};

/* side_asked - is the viewer of this side of the notice? The centre's is '' in the table of parties; what it has registered from outside has a sender
 * who is not here, so the centre writes the paper part of it. */
static int side_asked(struct call *c, int64_t id, const char *side, bool *yes)
{
    bool centre = role_of_centre(c->v->role);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n,
                    "SELECT count(*) FROM notice_record r WHERE r.id = ?1 AND (EXISTS (SELECT 1 FROM notice_party p WHERE p.record_id = r.id AND p.side = ?2 AND"
                    " p.org_id = ?3) OR (?4 = 1 AND ?2 = 'from' AND (r.sender_org IS NULL OR r.direction = 'in')))",
                    "izzi", id, side, centre ? "" : c->v->org_id, (int64_t)centre);

    *yes = rc == 0 && n > 0;
    return rc;
}

static int paper(struct call *c, int64_t id, const json_t *body, int64_t *made)
{
    struct str upload = json_get_str(body, "scan");
    struct blob scan = { .type = NULL };
    bool mine = false;
    int rc = side_asked(c, id, "from", &mine);

    (void)made;
    if (rc == 0 && !mine)
        rc = refuse(c, -EACCES, "forbidden", NULL, "the paper part is recorded by who sent the notice");
    if (rc == 0)
        rc = date_past(c, body, "date");
    if (rc == 0 && upload.n)
        rc = blob_take(c, upload, "scan", &scan);
    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO notice_paper(record_id, number, date, signatory, scan_sha256, scan_name, scan_type, scan_size, recorded_at, author_id)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?)",
                     "itttzzzmii", id, str_trim(json_get_str(body, "number")), json_get_str(body, "date"), str_trim(json_get_str(body, "signatory")),
                     upload.n ? scan.sha256 : NULL, upload.n ? scan.name : NULL, scan.type, (time_ns)scan.size_bytes, c->now, c->v->user_id);
    return rc < 0 ? rc : audit_add(c, "notice.paper", "notice", arena_printf(&c->a, "%lld", (long long)id), "ok");
}

int desk_notice_paper(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return run(d, v, id, body, now, paper_fields, COUNT(paper_fields), "notice.paper", paper, r);
}

static const char *const receipt_kinds[] = { "delivered", "registered", "refused", NULL };
static const struct body_field receipt_fields[] = {
    { "kind", BODY_ENUM, true, false, 0, 0, receipt_kinds },
    { "channel", BODY_STRING, true, false, 1, 40, NULL },
    { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "at", BODY_DATETIME, true, false, 0, 0, NULL },
    { "number", BODY_STRING, false, true, 0, 100, NULL },
    { "note", BODY_TEXT, false, true, 0, 2000, NULL },
};

static int receipt(struct call *c, int64_t id, const json_t *body, int64_t *made)
{
    bool delivered = str_eq(json_get_str(body, "kind"), STR("delivered")), to = false, from = false;
    time_ns at = 0;
    int rc = side_asked(c, id, "to", &to);

    (void)made;
    if (rc == 0 && delivered && !to)
        rc = side_asked(c, id, "from", &from);
    if (rc < 0)
        return rc;
    if (!to && !from)
        return refuse(c, -EACCES, "forbidden", "kind", "a receipt is given by who received the notice; who sent it may say that the carrier has delivered it");
    rc = time_parse_rfc3339(json_get_str(body, "at"), &at, NULL, NULL);
    if (rc < 0 || at > c->now)
        return refuse(c, -EINVAL, "bad_request", "at", "a moment that has been");
    rc = db_exec(c->d, c->e,
                 "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, author_id, number, note) VALUES (?,?,?,?,?,?,?,?,?,?)",
                 "itttt" "iiitt", id, json_get_str(body, "kind"), json_get_str(body, "channel"), str_c(c->v->org_id), json_get_str(body, "name"), at, c->now,
                 c->v->user_id, json_get_str(body, "number"), json_get_str(body, "note"));
    return rc < 0 ? rc : audit_add(c, "notice.receipt", "notice", arena_printf(&c->a, "%lld", (long long)id), "ok");
}

int desk_notice_receipt(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return run(d, v, id, body, now, receipt_fields, COUNT(receipt_fields), "notice.receipt", receipt, r);
}
