/* apply.c - what a message of another node does here. What it may not do, or what makes no sense, is refused with a code that travels back.
 *
 *     notice           an incoming notice in our inbox; about a case of ours, if it names one and speaks for its object
 *     form             the same, with the form's values kept: attached to the case it names
 *     step             what was done on a case there, without a notice of its own; a notice or a form may have a step with it
 *     registry_update  a proposed change of an object, its components and contacts, or the organisation's data, which somebody here accepts; never written by itself
 *     receipt          what became of a message of ours: accepted, refused, read
 *
 * A step that cannot be repeated here leaves nothing but its notice in the inbox (a step alone gets one), and the reason in its row. */
#include "desk/link/parts.h"
#include "desk/link/room.h"
#include "desk/notices/notices.h"

#define TITLE_MAX (4 * NOTICE_TITLE_MAX)    /* bytes; notice_issue counts the letters */
#define TEXT_MAX  (4 * NOTICE_TEXT_MAX)

static int no(struct applied *a, const char *code)
{
    snprintf(a->code, sizeof a->code, "%s", code);
    return 0;
}

static struct str text_of(const json_t *j, const char *key, size_t most)
{
    struct str s = json_get_str(j, key);

    return s.n <= most ? s : str_of(s.p, most);
}

/* --- notices --- */

/* files_in - the documents of the envelope as files of a notice; their bytes are kept already. */
static int files_in(struct call *c, const struct link_item *i, struct notice_file **out)
{
    struct notice_file *f = arena_array(&c->a, i->envelope.document_count + 1, sizeof *f);

    for (size_t k = 0; f && k < i->envelope.document_count; k++) {
        const struct link_document *d = &i->envelope.document[k];

        f[k] = (struct notice_file){ d->sha256, d->name, d->type, d->size_bytes };
    }
    *out = f;
    return f ? 0 : err_set(c->e, -ENOMEM, "no memory for a notice");
}

/* to_inbox - the registered notice lies in our inbox; org NULL: that of the centre, if this node is the centre's. */
static int to_inbox(struct call *c, int64_t record, const struct self *self, struct applied *a)
{
    int rc = db_int(c->d, c->e, 0, &a->ref_id,
                    "INSERT INTO notice(record_id, subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, queued_at, sent_at, sha256,"
                    " subject_line, body) SELECT id, subject, subject_id, case_id, object_id, kind, 'inbox', ?2, ?3, 'sent', ?4, ?4, pdf_sha256, title, text"
                    " FROM notice_record WHERE id = ?1 RETURNING id",
                    "itti", record, self->org_name, str_eq(self->org_kind, STR("sts")) ? (struct str){ NULL, 0 } : self->org_id, c->now);
    sqlite3_stmt *st;

    if (rc < 0)
        return rc;
    snprintf(a->ref, sizeof a->ref, "notice");
    change_id(c->d, "inbox", a->ref_id);
    st = db_query(c->d, c->e, "SELECT number FROM notice_record WHERE id = ?", "i", record);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        snprintf(a->number, sizeof a->number, "%.*s", STR_ARG(db_str(st, 0)));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* what - kinds of notices are names of our own catalogue; one that another version has and we lack is shown by its form. */
static bool name_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
            return false;
    return s.n >= 1 && s.n <= 40;
}

static int register_notice(struct call *c, const struct incoming *in, const json_t *record, const struct subject *about, struct applied *a)
{
    struct str kind = arena_copy(&c->a, json_get_str(record, "kind")), form = arena_copy(&c->a, json_get_str(record, "form"));
    struct str paragraph = arena_copy(&c->a, json_get_str(record, "paragraph")), tlp = arena_copy(&c->a, json_get_str(record, "tlp"));
    struct str sender = in->peer->org_id, to;
    struct self self;
    int rc = link_self(c, &self);

    a->record = 0;
    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    to = str_eq(self.org_kind, STR("sts")) ? (struct str){ NULL, 0 } : self.org_id;
    struct notice_new n = { .kind = kind.p, .paragraph = paragraph.p, .about = about, .title = text_of(record, "title", TITLE_MAX), .text =
                            text_of(record, "text", TEXT_MAX), .orgs = &to, .org_count = 1, .tlp = tlp.p, .sender = &sender, .incoming = true, .via = "link",
                            .sender_name = in->peer->title, .outer_number = text_of(record, "number", ID_MAX), .file_count =
                            in->item->envelope.document_count };
    struct notice_file *files;
    rc = files_in(c, in->item, &files);
    n.files = files;
    if (rc == 0 && form.n && !str_eq(form, STR("letter")) && json_is_object(json_object_get(record, "values"))) {
        n.form = form.p;
        n.values = json_object_get(record, "values");
    }
    if (rc == 0)
        rc = notice_issue(c, &n, &a->record);
    if (rc == -EINVAL || rc == -ENOTSUP || rc == -EBADMSG || rc == -EFBIG || rc == -E2BIG)
        return no(a, rc == -ENOTSUP ? "unknown_form" : rc == -EFBIG || rc == -E2BIG ? "too_large" : "bad_payload");
    return rc < 0 ? rc : to_inbox(c, a->record, &self, a);
}

/* record_of - the frozen record: the hash beside it is that of its canonical form. */
static const json_t *record_of(const json_t *payload)
{
    const json_t *record = json_object_get(payload, "record");
    AUTO_BUF struct buf b;
    char hash[LINK_HASH_TEXT];

    buf_init(&b, LINK_ENVELOPE_MAX);
    if (!json_is_object(record) || link_json_write(record, &b, NULL) < 0)
        return NULL;
    link_sha256_hex(buf_view(&b), hash);
    if (!str_eq(json_get_str(payload, "record_sha256"), str_c(hash)) || !str_eq(json_get_str(record, "format"), STR("saqshy-notice-1")))
        return NULL;
    return name_valid(json_get_str(record, "kind")) && json_get_str(record, "title").n ? record : NULL;
}

/* --- what a notice is about --- */

struct about {
    struct subject subject;
    char           id[24];
};

static int about_case(struct call *c, const struct incoming *in, int64_t case_id, struct about *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT k.object_id FROM cases k WHERE k.id = ?", "i", case_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "a case is gone");
    snprintf(out->id, sizeof out->id, "%lld", (long long)case_id);
    out->subject = (struct subject){ .kind = "case", .id = str_c(out->id), .case_id = case_id, .object_id = db_copy(st, 0, &c->a), .org_id = in->peer->org_id };
    db_done(st);
    return 0;
}

/* about_of - a case they may speak of, else an object, else their organisation. 1: what they name as ours is not theirs to know of; a has the code. */
static int about_of(struct call *c, const struct incoming *in, struct about *out, struct applied *a)
{
    const json_t *about = json_object_get(in->item->envelope.payload, "about");
    struct str object;
    int64_t id = 0;
    int rc = case_find(c, in->peer, about, &id);

    out->subject = (struct subject){ .kind = "organisation", .id = in->peer->org_id, .org_id = in->peer->org_id };
    if (rc < 0 || id)
        return rc < 0 ? rc : about_case(c, in, id, out);
    if (json_get_str(about, "your_case").n)
        return no(a, "unknown_case") + 1;
    rc = object_find(c, in->peer, about, &object);
    if (rc == 0 && json_get_str(about, "your_object").n && !object.n)
        return no(a, "unknown_object") + 1; /* whether it is there is not theirs to know */
    if (rc == 0 && object.n)
        out->subject = (struct subject){ .kind = "object", .id = object, .object_id = object, .org_id = in->peer->org_id };
    return rc;
}

/* --- steps --- */

struct riding {
    const struct incoming *in;
    const json_t          *record;  /* NULL: the step came alone */
    struct applied        *a;
    int64_t                known;   /* the notice was registered when it came; 0: now */
};

/* letter_of - the PDF among the documents that came: the letter itself, whose name is the number of the notice. */
static struct str letter_of(const struct incoming *in, const json_t *record)
{
    const struct link_envelope *v = &in->item->envelope;
    struct str number = json_get_str(record, "number");

    for (size_t i = 0; i < v->document_count; i++)
        if (str_eq(v->document[i].type, STR("application/pdf")) && v->document[i].name.n == number.n + 4 && str_starts(v->document[i].name, number))
            return v->document[i].sha256;
    return (struct str){ NULL, 0 };
}

static int register_riding(struct call *c, void *arg, int64_t case_id, int64_t *record, struct str *pdf)
{
    struct riding *r = arg;
    struct about about;
    int rc;

    if (!r->record)
        return 0;
    if (r->known) {
        *record = r->known;
        *pdf = letter_of(r->in, r->record);
        return 0;
    }
    rc = about_case(c, r->in, case_id, &about);
    if (rc == 0)
        rc = register_notice(c, r->in, r->record, &about.subject, r->a);
    *record = r->a->record;
    *pdf = letter_of(r->in, r->record);
    if (rc == 0 && *r->a->code)
        return refuse(c, -EINVAL, r->a->code[0] == 'u' ? "unknown_form" : r->a->code[0] == 't' ? "too_large" : "bad_payload", NULL, "the notice beside the step is not one that can be kept here");
    return rc;
}

/* step_try - repeated whole, or not at all. */
static int step_try(struct call *c, const struct incoming *in, const json_t *record, int64_t known, struct applied *a, struct replayed *done)
{
    struct riding r = { in, record, a, known };
    size_t changes = c->d->change_count;
    int rc = db_exec(c->d, c->e, "SAVEPOINT link_step", "");

    if (rc >= 0)
        rc = step_replay(c, in->peer, in->item->envelope.payload, in->item->envelope.created_at, register_riding, &r, done);
    if (rc < 0)
        return rc;
    if (!done->applied) {
        *a = (struct applied){ .code = "" };
        c->d->change_count = changes;
        rc = db_exec(c->d, c->e, "ROLLBACK TO link_step", "");
    }
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "RELEASE link_step", "");
    return rc < 0 ? rc : 0;
}

/* alone - a step that came without a notice and was not repeated: somebody must hear of it all the same. */
static json_t *alone(struct call *c, const json_t *payload, const struct replayed *done)
{
    const json_t *step = json_object_get(payload, "step"), *about = json_object_get(payload, "about");
    struct str act = text_of(step, "act", 40), number = text_of(about, "case", 64);

    return json_pack("{s:s, s:o, s:o, s:s, s:s}", "kind", "case_step", "title",
                     json_str(arena_printf(&c->a, "%.*s: %.*s", STR_ARG(number.n ? number : STR("—")), STR_ARG(act))), "text",
                     json_str(arena_printf(&c->a, "%s: %.300s", done->code, done->reason)), "tlp", "amber", "number", "");
}

static int not_applied(struct call *c, const struct incoming *in, const json_t *record, const struct replayed *done, struct applied *a)
{
    const json_t *payload = in->item->envelope.payload;
    json_t *own = record ? NULL : alone(c, payload, done);
    struct about about;
    int rc = about_of(c, in, &about, a);

    if (rc > 0) {
        a->code[0] = 0;
        rc = 0;
    }
    if (rc == 0)
        rc = record || own ? register_notice(c, in, record ? record : own, &about.subject, a) : err_set(c->e, -ENOMEM, "no memory for a notice");
    json_decref(own);
    snprintf(a->step_code, sizeof a->step_code, "%s", done->code);
    snprintf(a->step_reason, sizeof a->step_reason, "%s", done->reason);
    if (rc == 0 && about.subject.case_id)
        a->case_id = about.subject.case_id;
    return rc;
}

static int step_in(struct call *c, const struct incoming *in, const json_t *record, struct applied *a)
{
    struct replayed done;
    int rc = step_try(c, in, record, 0, a, &done);

    if (rc < 0)
        return rc;
    snprintf(a->step_act, sizeof a->step_act, "%.*s", (int)min_size(json_get_str(json_object_get(in->item->envelope.payload, "step"), "act").n, 40),
             json_get_str(json_object_get(in->item->envelope.payload, "step"), "act").p);
    if (!done.applied)
        return not_applied(c, in, record, &done, a);
    a->case_id = done.case_id;
    return 0;
}

int step_again(struct call *c, const struct incoming *in, int64_t record, struct applied *a)
{
    const json_t *kept = in->item->envelope.kind == LINK_STEP ? NULL : record_of(in->item->envelope.payload);
    struct replayed done;
    int rc = step_try(c, in, kept, record, a, &done);

    if (rc < 0)
        return rc;
    a->case_id = done.applied ? done.case_id : 0;
    if (!done.applied) {
        snprintf(a->step_code, sizeof a->step_code, "%s", done.code);
        snprintf(a->step_reason, sizeof a->step_reason, "%s", done.reason);
    }
    return 0;
}

static int message_in(struct call *c, const struct incoming *in, struct applied *a)
{
    const json_t *payload = in->item->envelope.payload, *record = record_of(payload);
    bool alone_ = in->item->envelope.kind == LINK_STEP, step = json_is_object(json_object_get(payload, "step"));
    struct about about;
    int rc;

    if (!json_is_object(json_object_get(payload, "about")) || in->item->envelope.document_count > NOTICE_DOCUMENTS_MAX || (alone_ ? !step : !record))
        return no(a, "bad_payload");
    if (step)
        return step_in(c, in, alone_ ? NULL : record, a);
    rc = about_of(c, in, &about, a);
    if (rc > 0)
        return 0;
    if (rc == 0)
        a->case_id = about.subject.case_id;
    return rc < 0 ? rc : register_notice(c, in, record, &about.subject, a);
}

/* --- objects --- */

/* inbox_line - the proposal is shown where people look: in the inbox, as a notice of its own. */
static int proposal_notice(struct call *c, const struct incoming *in, struct str object, struct applied *a)
{
    const json_t *payload = in->item->envelope.payload;
    struct subject s = { .kind = object.n ? "object" : "organisation", .id = object.n ? object : in->peer->org_id, .object_id = object,
                         .org_id = in->peer->org_id };
    json_t *record = json_pack("{s:s, s:o, s:o, s:s, s:o}", "kind", "registry_update", "title", json_str(text_of(payload, "title", TITLE_MAX)), "text",
                               json_str(text_of(payload, "text", TEXT_MAX)), "tlp", "amber", "number", json_str(text_of(payload, "number", ID_MAX)));
    int rc = record ? register_notice(c, in, record, &s, a) : err_set(c->e, -ENOMEM, "no memory for a notice");

    json_decref(record);
    return rc;
}

static int registry_in(struct call *c, const struct incoming *in, struct applied *a)
{
    const json_t *payload = in->item->envelope.payload, *changes = json_object_get(payload, "changes"), *records = json_object_get(payload, "records");
    struct str theirs = json_get_str(payload, "object"), object = { NULL, 0 };
    AUTO_BUF struct buf text;
    AUTO_BUF struct buf parts;
    bool speaks = false;
    int64_t id;
    int rc;

    buf_init(&text, LINK_ENVELOPE_MAX);
    buf_init(&parts, LINK_ENVELOPE_MAX);
    if (theirs.n > ID_MAX || !json_is_object(changes) || !json_get_str(payload, "title").n || (records && !parts_valid(records)) ||
        json_object_size(changes) + json_array_size(records) == 0 || (!theirs.n && json_object_size(changes)))
        return no(a, "bad_payload");
    rc = theirs.n ? object_find(c, in->peer, payload, &object) : 0;
    speaks = object.n != 0;
    if (rc == 0 && json_get_str(payload, "your_object").n && !speaks)
        return no(a, "unknown_object");
    if (rc == 0)
        rc = link_json_write(changes, &text, c->e);
    if (rc == 0 && records)
        rc = link_json_write(records, &parts, c->e);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &id, "INSERT INTO link_proposal(in_id, object_id, their_object, changes, records, state) VALUES (?,?,?,?,?,'open') RETURNING id",
                    "itttt", in->id, speaks ? object : (struct str){ NULL, 0 }, theirs.n ? theirs : STR(""), buf_view(&text), parts.n ? buf_view(&parts) : STR(""));
    if (rc < 0)
        return rc;
    return proposal_notice(c, in, speaks ? object : (struct str){ NULL, 0 }, a);
}

/* --- receipts --- */

/* tell_notice - the notice that travelled by this envelope gets what became of it. */
static int tell_notice(struct call *c, const struct peer *p, struct str message, const char *kind, time_ns at, struct str number, struct str note)
{
    int64_t record = 0, centre = str_eq(p->org_kind, STR("sts"));
    int rc = db_int(c->d, c->e, 0, &record,
                    "SELECT CASE ref WHEN 'record' THEN ref_id ELSE (SELECT record_id FROM notice n WHERE n.id = ref_id) END FROM link_out WHERE node = ?1 AND"
                    " message = ?2 AND ref IN ('notice', 'record')",
                    "tt", p->node, message);

    if (rc < 0 || !record)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, number, note) VALUES (?1, ?2, 'link', ?3, ?4, ?5, ?6, ?7, ?8)",
                 "izttiitt", record, kind, p->org_id, p->title, at, c->now, number, note);
    if (rc >= 0 && strcmp(kind, "read") == 0)
        rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'read', read_at = ?2 WHERE record_id = ?1 AND channel = 'inbox' AND read_at IS NULL AND"
                                 " (org_id = ?3 OR (?4 AND org_id IS NULL))",
                     "iiti", record, at, p->org_id, centre);
    change_id(c->d, "inbox", record);
    return rc < 0 ? rc : 0;
}

/* What a receipt may say: taken or refused by the node, opened by a person; of a proposal, what somebody decided. */
enum said { SAID_ACCEPTED, SAID_REFUSED, SAID_READ, SAID_AGREED, SAID_DECLINED, SAID_COUNT };
static const char *const said_names[SAID_COUNT] = { "accepted", "refused", "read", "agreed", "declined" };

static enum said said_of(struct str s)
{
    enum said i = 0;

    while (i < SAID_COUNT && !str_eq(s, str_c(said_names[i])))
        i++;
    return i;
}

/* note_it - in the row of the message; 0: it was said before. */
static int note_it(struct call *c, const struct peer *p, struct str message, enum said what, struct str code, struct str number, time_ns at)
{
    if (what == SAID_READ)
        return db_exec(c->d, c->e, "UPDATE link_out SET read_at = ?3 WHERE node = ?1 AND message = ?2 AND read_at IS NULL", "tti", p->node, message, at);
    return db_exec(c->d, c->e,
                   "UPDATE link_out SET receipt = ?3, receipt_code = ?4, receipt_number = coalesce(?5, receipt_number), receipt_at = ?6 WHERE node = ?1 AND"
                   " message = ?2 AND (receipt IS NULL OR (?7 = 1 AND receipt = 'accepted'))",
                   "ttzttii", p->node, message, said_names[what], code, number, at, (int64_t)(what >= SAID_AGREED));
}

/* tell_case - the other side's number of a case; what it could not repeat is said in the timeline, for both copies differ now. */
static int tell_case(struct call *c, const struct peer *p, struct str message, struct str number, struct str step)
{
    int64_t case_id = 0;
    struct str act, was;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT case_id, step_act, step_code FROM link_out WHERE node = ?1 AND message = ?2 AND case_id IS NOT NULL", "tt", p->node, message);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    case_id = sqlite3_column_int64(st, 0);
    act = db_copy(st, 1, &c->a);
    was = db_copy(st, 2, &c->a);
    db_done(st);
    if (was.n && (str_eq(was, step) || str_eq(was, STR("applied"))))
        return 0;       /* said before */
    if (number.n)
        rc = db_exec(c->d, c->e, "UPDATE link_case SET their_number = coalesce(their_number, ?3) WHERE node = ?1 AND case_id = ?2", "tit", p->node, case_id, number);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_out SET step_code = ?3 WHERE node = ?1 AND message = ?2", "ttt", p->node, message, step);
    if (rc >= 0 && step.n && (was.n || !str_eq(step, STR("applied"))))
        rc = timeline_add(c, case_id, &(struct line){ .kind = "comment", .channel = "link", .addressee = p->title, .key = str_eq(step, STR("applied")) ? "case.text.step_applied" : "case.text.step_not_applied",
                                                      .args = json_pack("{s:o, s:o, s:o}", "node", json_str(p->title), "act", json_str(act), "code", json_str(step)) });
    return rc < 0 ? rc : 0;
}

static int receipt_in(struct call *c, const struct incoming *in, struct applied *a)
{
    static const char *const kinds[SAID_COUNT] = { "delivered", "refused", "read", NULL, NULL };
    const json_t *payload = in->item->envelope.payload;
    struct str none = { NULL, 0 }, message = json_get_str(payload, "message"), code = text_of(payload, "code", LINK_CODE_MAX - 1);
    struct str number = text_of(payload, "number", ID_MAX);
    enum said what = said_of(json_get_str(payload, "result"));
    int64_t known = 0;
    time_ns at;
    int rc;

    if (!link_instant(json_get_str(payload, "at"), &at) || what == SAID_COUNT || (what == SAID_REFUSED && !code.n))
        return no(a, "bad_payload");
    rc = db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM link_out WHERE node = ?1 AND message = ?2 AND kind <> 'receipt'", "tt", in->peer->node, message);
    if (rc == 0 && !known)
        return no(a, "unknown_message");
    code = what == SAID_REFUSED ? code : none;
    number = number.n ? number : none;
    rc = rc < 0 ? rc : note_it(c, in->peer, message, what, code, number, at);
    if (rc >= 0 && what == SAID_ACCEPTED) {
        int told = tell_case(c, in->peer, message, text_of(payload, "case", ID_MAX), text_of(payload, "step", LINK_CODE_MAX - 1));

        rc = told < 0 ? told : rc;
    }
    return rc <= 0 || !kinds[what] ? (rc < 0 ? rc : 0) : tell_notice(c, in->peer, message, kinds[what], at, number, code);
}

int incoming_apply(struct call *c, const struct incoming *in, struct applied *out)
{
    static int (*const apply[LINK_KIND_COUNT])(struct call *, const struct incoming *, struct applied *) = {
        [LINK_NOTICE] = message_in, [LINK_FORM] = message_in, [LINK_REGISTRY_UPDATE] = registry_in, [LINK_RECEIPT] = receipt_in, [LINK_STEP] = message_in,
    };

    return apply[in->item->envelope.kind](c, in, out);
}
