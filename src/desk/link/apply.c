/* apply.c - what a message of another node does here. What it may not do, or what makes no sense, is refused with a code that travels back.
 *
 *     notice           an incoming notice in our inbox; about a case of ours, if it names one and speaks for its object
 *     form             the same, with the form's values kept: attached to the case it names
 *     registry_update  a proposed change of an object, which somebody here accepts; never written by itself
 *     receipt          what became of a message of ours: accepted, refused, read */
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

/* speaks_for - may this node's organisation speak of the object? The centre speaks of whatever is registered here (requirements 1.2). */
static int speaks_for(struct call *c, const struct peer *p, struct str object, bool *yes)
{
    int64_t bounded = !str_eq(p->org_kind, STR("sts")), n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "itt", bounded, p->org_id, object);

    *yes = n > 0;
    return rc;
}

/* find_case - ours, by our number or by theirs, if it is told before; 0: none. Outside their reach it is none too. */
static int find_case(struct call *c, const struct peer *p, const json_t *about, int64_t *id, struct str *object)
{
    int64_t bounded = !str_eq(p->org_kind, STR("sts"));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.id, k.object_id FROM cases k JOIN object o ON o.id = k.object_id WHERE " SCOPE_OBJECT " AND (k.number = ?3 OR k.id ="
                                " (SELECT case_id FROM link_case_ref WHERE node = ?4 AND their_number = ?5)) ORDER BY k.number = ?3 DESC LIMIT 1",
                                "itttt", bounded, p->org_id, json_get_str(about, "your_case"), p->node, json_get_str(about, "case"));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = 0;
    if (rc <= 0)
        return rc;
    *id = sqlite3_column_int64(st, 0);
    *object = db_copy(st, 1, &c->a);
    db_done(st);
    rc = json_get_str(about, "case").n ? db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_case_ref(node, their_number, case_id, added_at) VALUES (?,?,?,?)",
                                                 "ttii", p->node, json_get_str(about, "case"), *id, c->now)
                                       : 0;
    return rc < 0 ? rc : 0;
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
    int64_t id = 0;
    int rc = link_self(c, &self);

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    to = str_eq(self.org_kind, STR("sts")) ? (struct str){ NULL, 0 } : self.org_id;
    struct notice_new n = { .kind = kind.p, .paragraph = paragraph.p, .about = about, .title = text_of(record, "title", TITLE_MAX), .text =
                            text_of(record, "text", TEXT_MAX), .orgs = &to, .org_count = 1, .tlp = tlp.p, .sender = &sender, .incoming = true,
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
        rc = notice_issue(c, &n, &id);
    if (rc == -EINVAL || rc == -ENOTSUP || rc == -EBADMSG)
        return no(a, rc == -ENOTSUP ? "unknown_form" : "bad_payload");
    return rc < 0 ? rc : to_inbox(c, id, &self, a);
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

static int message_in(struct call *c, const struct incoming *in, struct applied *a)
{
    const json_t *payload = in->item->envelope.payload, *about = json_object_get(payload, "about"), *record = record_of(payload);
    struct str yours = json_get_str(about, "your_object"), object = yours.n ? yours : json_get_str(about, "object"), of_case = { NULL, 0 };
    struct subject s = { .kind = "organisation", .id = in->peer->org_id, .org_id = in->peer->org_id };
    bool speaks = false;
    char id[24];
    int rc;

    if (!record || !json_is_object(about) || in->item->envelope.document_count > NOTICE_DOCUMENTS_MAX)
        return no(a, "bad_payload");
    rc = find_case(c, in->peer, about, &s.case_id, &of_case);
    if (rc == 0 && json_get_str(about, "your_case").n && !s.case_id)
        return no(a, "unknown_case");
    if (rc == 0 && object.n)
        rc = speaks_for(c, in->peer, object, &speaks);
    if (rc == 0 && yours.n && !speaks)
        return no(a, "unknown_object"); /* whether it is there is not theirs to know */
    if (rc < 0)
        return rc;
    if (s.case_id) {
        snprintf(id, sizeof id, "%lld", (long long)s.case_id);
        s.kind = "case";
        s.id = str_c(id);
        s.object_id = of_case;
    } else if (speaks) {
        s.kind = "object";
        s.id = s.object_id = object;
    }
    return register_notice(c, in, record, &s, a);
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
    const json_t *payload = in->item->envelope.payload, *changes = json_object_get(payload, "changes");
    struct str theirs = json_get_str(payload, "object"), object = json_get_str(payload, "your_object").n ? json_get_str(payload, "your_object") : theirs;
    AUTO_BUF struct buf text;
    bool speaks = false;
    int64_t id;
    int rc;

    buf_init(&text, LINK_ENVELOPE_MAX);
    if (!theirs.n || theirs.n > ID_MAX || !json_is_object(changes) || json_object_size(changes) == 0 || !json_get_str(payload, "title").n)
        return no(a, "bad_payload");
    rc = speaks_for(c, in->peer, object, &speaks);
    if (rc == 0 && json_get_str(payload, "your_object").n && !speaks)
        return no(a, "unknown_object");
    if (rc == 0)
        rc = link_json_write(changes, &text, c->e);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &id, "INSERT INTO link_proposal(in_id, object_id, their_object, changes, state) VALUES (?,?,?,?,'open') RETURNING id", "ittt",
                    in->id, speaks ? object : (struct str){ NULL, 0 }, theirs, buf_view(&text));
    if (rc < 0)
        return rc;
    return proposal_notice(c, in, speaks ? object : (struct str){ NULL, 0 }, a);
}

/* --- receipts --- */

/* tell_notice - the delivery that travelled by this envelope, and its record, get what became of it. */
static int tell_notice(struct call *c, const struct peer *p, struct str message, const char *kind, time_ns at, struct str number, struct str note)
{
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id, "SELECT ref_id FROM link_out WHERE node = ?1 AND message = ?2 AND ref = 'notice'", "tt", p->node, message);

    if (rc < 0 || !id)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, number, note) SELECT record_id, ?2, 'link', ?3, ?4, ?5,"
                 " ?6, ?7, ?8 FROM notice WHERE id = ?1 AND record_id IS NOT NULL",
                 "izttiitt", id, kind, p->org_id, p->title, at, c->now, number, note);
    if (rc >= 0 && strcmp(kind, "read") == 0)
        rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'read', read_at = ?2 WHERE id = ?1 AND read_at IS NULL", "ii", id, at);
    change_id(c->d, "inbox", id);
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
    return rc <= 0 || !kinds[what] ? (rc < 0 ? rc : 0) : tell_notice(c, in->peer, message, kinds[what], at, number, code);
}

int incoming_apply(struct call *c, const struct incoming *in, struct applied *out)
{
    static int (*const apply[LINK_KIND_COUNT])(struct call *, const struct incoming *, struct applied *) = {
        [LINK_NOTICE] = message_in, [LINK_FORM] = message_in, [LINK_REGISTRY_UPDATE] = registry_in, [LINK_RECEIPT] = receipt_in,
    };

    return apply[in->item->envelope.kind](c, in, out);
}
