/* notices.c - letters and inbox items: who was told what, by which channel, and what proves it. */
#include "desk/notices/room.h"
#include "desk/duties/duties.h"

static bool is_document(const char *kind) { return strcmp(kind, "reminder") != 0 && strcmp(kind, "information") != 0; }

/* letter_texts - subject and body, the addressee's language first, then the two others: who reads it may be somebody else. */
static struct str letter_texts(struct call *c, const struct kase *k, const struct letter *l, enum lang first, bool body)
{
    const struct catalog *cat = c->d->setup.catalog;
    char key[80], number[24], detected[TIME_TEXT_MAX * 2], due[TIME_TEXT_MAX * 2];
    AUTO_BUF struct buf b = { 0 };

    snprintf(key, sizeof key, "mail.%s.%s", l->key, body ? "body" : "subject");
    snprintf(number, sizeof number, "%.*s", STR_ARG(k->number));
    snprintf(detected, sizeof detected, "%.*s", STR_ARG(duty_time_text(c->d->setup.world, k->detected_at, true, &c->a)));
    snprintf(due, sizeof due, "%.*s", l->due ? (int)duty_time_text(c->d->setup.world, l->due, true, &c->a).n : 0,
             l->due ? duty_time_text(c->d->setup.world, l->due, true, &c->a).p : "");
    const enum lang order[] = { first, first == LANG_KK ? LANG_RU : LANG_KK, first == LANG_EN ? LANG_RU : LANG_EN };
    const struct edition *ed = duty_edition(c->d->setup.world, k->edition);
    const struct obligation *o = ed && l->obligation ? edition_obligation(ed, str_c(l->obligation)) : NULL;
    buf_init(&b, MIB);
    if (is_document(l->kind)) /* TLP 2.0: the label stands in the subject, and above the text */
        buf_printf(&b, body ? "%.*s\n\n" : "[%.*s] ", STR_ARG(tlp_mark(c, k->tlp)));
    for (size_t i = 0; i < (body ? COUNT(order) : 1); i++) {
        json_t *args = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o}", "number", number, "title",
                                 json_str(case_title(c, k, order[i])), "object", json_str(k->object_name.p ? k->object_name : STR("—")), "org",
                                 json_str(k->org_name.p ? k->org_name : STR("—")), "detected", detected, "due", due, "url",
                                 c->d->setup.node->public_url, "duty", json_str(o ? o->title.text[order[i]] : STR("")), "recommendations",
                                 json_str(k->recommendations.p ? k->recommendations : STR("")));

        if (i)
            buf_str(&b, STR("\n\n-----\n\n"));
        buf_str(&b, text_fill(&c->a, catalog_text(cat, order[i], key), args));
        json_decref(args);
    }
    if (body && l->sha256)
        case_form_text(c, k, l, &b);
    return arena_copy(&c->a, buf_view(&b));
}

static int letter_queue(struct call *c, const struct kase *k, const struct letter *l, const struct recipient *to, bool internal)
{
    int64_t record = 0;
    char id[120];
    int rc = message_id_make(c, id);

    if (rc == 0)
        rc = case_record(c, k, l, &record);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, state, next_try_at, queued_at, message_id, sha256,"
                     " subject_line, body, internal, record_id) VALUES ('case',CAST(?1 AS TEXT),?1,?10,?2,'email',?3,'queued',?4,?4,?5,?6,?7,?8,?9,?11)",
                     "iztizzztitm", k->id, l->kind, to->email, c->now, id, l->sha256, letter_texts(c, k, l, to->lang, false).p,
                     letter_texts(c, k, l, to->lang, true), (int64_t)internal, k->object_id, (time_ns)record);
    if (rc < 0 || !is_document(l->kind))
        return rc < 0 ? rc : 0;
    return timeline_add(c, k->id, &(struct line){ .kind = "notice_queued", .channel = "email", .addressee = to->email, .message_id = id,
                                                  .sha256 = l->sha256, .internal = internal });
}

static int letters_queue(struct call *c, const struct kase *k, const struct letter *l, const struct recipient *to, size_t n, bool internal)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n && !c->heard; i++)
        rc = letter_queue(c, k, l, &to[i], internal);
    return rc;
}

/* letter_owner - to the contacts of the object; under TLP:AMBER+STRICT to those of the organisation itself, not of an operational centre it has hired. */
int letter_owner(struct call *c, const struct kase *k, const struct letter *l)
{
    struct recipients r = { .count = 0 };
    int rc = recipients_of_object(c, k->object_id, str_eq(k->tlp, STR("amber+strict")) ? "responsible_person" : NULL, &r);

    /* No person has an address: the organisation's own is better than silence. */
    if (rc == 0 && r.count == 0)
        rc = recipients_from(c, &r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE id = ?1 AND email IS NOT NULL AND email <> ''", "t", k->org_id));
    return rc < 0 ? rc : letters_queue(c, k, l, r.at, r.count, false);
}

int letter_org_kind(struct call *c, const struct kase *k, const char *org_kind, const struct letter *l, bool internal)
{
    struct recipients r = { .count = 0 };
    int rc = recipients_from(c, &r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE kind = ?1 AND email IS NOT NULL AND email <> '' ORDER BY id", "z",
                                             org_kind));

    return rc < 0 ? rc : letters_queue(c, k, l, r.at, r.count, internal);
}

int letter_role(struct call *c, const struct kase *k, struct str role, const struct letter *l)
{
    struct recipients r = { .count = 0 };
    const int64_t bounded = !role_reads_all(desk_role_parse(role));
    int rc = recipients_from(c, &r, db_query(c->d, c->e,
                                             "SELECT email, language FROM user WHERE role = ?1 AND active = 1 AND email <> '' AND (?2 = 0 OR org_id = ?3)"
                                             " ORDER BY id LIMIT 100", "tit", role, bounded, k->org_id));

    return rc < 0 ? rc : letters_queue(c, k, l, r.at, r.count, true);
}

/* inbox_put - in the portal the notice is there with the commit: it is sent. */
static int inbox_put(struct call *c, const struct kase *k, const struct letter *l, struct str org_id, struct str addressee, bool internal)
{
    int64_t record = 0;
    int rc = c->heard ? 0 : case_record(c, k, l, &record);

    if (c->heard)
        return 0;
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, queued_at, sent_at, sha256,"
                     " internal, record_id) VALUES ('case',CAST(?1 AS TEXT),?1,?8,?2,'inbox',?3,?4,'sent',?5,?5,?6,?7,?9)",
                     "izttizitm", k->id, l->kind, addressee, org_id, c->now, l->sha256, (int64_t)internal, k->object_id, (time_ns)record);

    if (rc < 0)
        return rc;
    change_id(c->d, "inbox", sqlite3_last_insert_rowid(c->d->db));
    return timeline_add(c, k->id, &(struct line){ .kind = "notice_sent", .channel = "inbox", .addressee = addressee, .sha256 = l->sha256,
                                                  .internal = internal });
}

int inbox_owner(struct call *c, const struct kase *k, const struct letter *l)
{
    return k->org_id.p ? inbox_put(c, k, l, k->org_id, k->org_name, false) : 0;
}

/* inbox_centre - org_id NULL: the centre's own inbox, whatever its organisation is called. The owner sees that their report came there. */
int inbox_centre(struct call *c, const struct kase *k, const struct letter *l)
{
    return inbox_put(c, k, l, (struct str){ NULL, 0 }, catalog_text(c->d->setup.catalog, LANG_KK, "case.inbox.centre"),
                     strcmp(l->kind, "annex2") != 0);
}

int notices_json(struct call *c, int64_t case_id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT n.id, n.kind, n.channel, " ADDRESS_OR_NAME ", n.state, n.attempts, n.queued_at, n.sent_at, n.read_at, n.message_id,"
                                " iif(" ADDRESS_SHOWN ", n.smtp_reply, NULL), n.sha256, iif(" ADDRESS_SHOWN ", n.last_error, NULL) FROM notice n"
                                " WHERE n.case_id = ?3 AND n.kind IN ('annex7','annex2','knb_notice') AND (?1 = 0 OR n.internal = 0) ORDER BY n.id",
                                "izi", is_bounded(c), viewer_org(c), case_id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind",
                                              db_json(st, 1), "channel", db_json(st, 2), "addressee", db_json(st, 3), "state", db_json(st, 4),
                                              "attempts", (json_int_t)sqlite3_column_int64(st, 5), "queued_at", db_json_time(st, 6), "sent_at",
                                              db_json_time(st, 7), "read_at", db_json_time(st, 8), "message_id", db_json(st, 9), "smtp_reply",
                                              db_json(st, 10), "sha256", db_json(st, 11), "last_error", db_json(st, 12)));
    return rc;
}

int documents_json(struct call *c, int64_t case_id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT d.sha256, d.kind, d.created_at, d.size_bytes, d.author_id, u.name, u.role FROM document d"
                                " LEFT JOIN user u ON u.id = d.author_id WHERE d.case_id = ?1 AND (?2 = 0 OR (d.kind = 'knb_notice') = ?3)"
                                " ORDER BY d.created_at, d.sha256",
                                "iii", case_id, scope_of(c->v).bounded, is_knb(c));
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *author = sqlite3_column_type(st, 4) == SQLITE_NULL
                             ? json_null()
                             : json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 4), "name", db_json(st, 5), "role", db_json(st, 6));

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:I, s:o}", "sha256", db_json(st, 0), "kind", db_json(st, 1), "created_at",
                                              db_json_time(st, 2), "size_bytes", (json_int_t)sqlite3_column_int64(st, 3), "author", author));
    }
    return rc;
}

/* --- the inbox --- */

#define INBOX_COLUMNS                                                                                                             \
    "n.id, n.kind, n.case_id, k.number, k.rule_id, k.rule_name, n.object_id, o.name, n.queued_at, n.read_at, u.name, n.sha256, n.addressee,"  \
    " n.record_id, n.subject_line, n.subject, n.subject_id, r.number,"                                                                      \
    " r.form, r.edition, n.text_key, n.text_args"
#define INBOX_TABLES                                                                                                              \
    " FROM notice n LEFT JOIN cases k ON k.id = n.case_id LEFT JOIN object o ON o.id = n.object_id LEFT JOIN user u ON u.id = n.read_by"         \
    " LEFT JOIN notice_record r ON r.id = n.record_id "
/* ?2 NULL: the centre's own. One value, so that the index gives both the rows and their order. ?3: the person who asks. */
#define INBOX_MINE "n.channel = 'inbox' AND n.org_id IS ?2 AND " NOTICE_TOLD("n", "?3")

static const char *inbox_of(const struct viewer *v) { return scope_of(v).bounded ? v->org_id : NULL; }

/* inbox_title - what the system says is said in the reader's language; what was kept as words stays as it is. */
static struct str inbox_title(struct call *c, sqlite3_stmt *st)
{
    struct str key = db_copy(st, 20, &c->a), args = db_str(st, 21);
    json_t *values;

    if (!key.n)
        return title_shown(c, db_copy(st, 14, &c->a), db_str(st, 18), db_str(st, 19));
    values = json_loadb(args.n ? args.p : "{}", args.n ? args.n : 2, 0, NULL);
    key = duty_message(c, key, values, c->v->lang, "subject");
    json_decref(values);
    return key;
}

static json_t *inbox_json(struct call *c, sqlite3_stmt *st)
{
    struct kase k = { .rule_id = db_copy(st, 4, &c->a), .rule_name = db_copy(st, 5, &c->a) };
    bool of_case = sqlite3_column_type(st, 2) != SQLITE_NULL;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "id", db_json_id(st, 0), "kind", db_json(st, 1),
                     "case_id", db_json_id(st, 2), "case_number", db_json(st, 3), "case_title",
                     of_case ? json_str(case_title(c, &k, c->v->lang)) : json_null(), "object", json_ref(db_str(st, 6), db_str(st, 7)),
                     "received_at", db_json_time(st, 8), "read_at", db_json_time(st, 9), "read_by", db_json(st, 10), "sha256", db_json(st, 11),
                     "notice_id", db_json_id(st, 13), "number", db_json(st, 17), "title", json_str(inbox_title(c, st)), "subject", "kind", db_json(st, 15), "id",
                     db_json(st, 16));
}

static int inbox_page(struct call *c, int limit, struct str before)
{
    int64_t from = before.n ? parse_id(before) : INT64_MAX, unread = 0;
    int n = 0, rc = db_int(c->d, c->e, 0, &unread, "SELECT count(*) FROM notice n WHERE " INBOX_MINE " AND n.read_at IS NULL", "izi",
                               is_bounded(c), inbox_of(c->v), viewer_id(c));
    json_t *items, *next = NULL;

    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " INBOX_COLUMNS INBOX_TABLES "WHERE " INBOX_MINE " AND n.id < ?4 ORDER BY n.id DESC LIMIT ?5", "iziii",
                                is_bounded(c), inbox_of(c->v), viewer_id(c), from, (int64_t)page_limit(limit) + 1);
    if (!st)
        return -EIO;
    items = json_array();
    while ((rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == page_limit(limit)) {
            next = json_incref(json_object_get(json_array_get(items, (size_t)n - 2), "id"));
            continue;
        }
        json_array_append_new(items, inbox_json(c, st));
    }
    c->r->json = json_pack("{s:o, s:o, s:I}", "items", items, "next", next ? next : json_null(), "unread", (json_int_t)unread);
    return rc;
}

int desk_inbox(struct desk *d, const struct viewer *v, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = v->role == DESK_ADMINISTRATOR ? refuse(&c, -EACCES, "forbidden", NULL, "administrators have no inbox") : inbox_page(&c, limit, before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* receipt_read - the record keeps who opened it, for what organisation. */
static int receipt_read(struct call *c, int64_t id, struct str addressee)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, author_id) SELECT record_id, 'read', 'inbox',"
                     " coalesce(org_id, ''), ?2, ?3, ?3, ?4 FROM notice WHERE id = ?1 AND record_id IS NOT NULL",
                     "itii", id, addressee, c->now, c->v->user_id);

    return rc < 0 ? rc : 0;
}

/* notice_mark - opened for the first time: a receipt with its own line. */
static int notice_mark(struct call *c, int64_t id, const struct subject *s, const char *sha256, struct str addressee, bool internal)
{
    int rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'read', read_at = ?2, read_by = ?3 WHERE id = ?1 AND read_at IS NULL", "iii", id, c->now,
                     c->v->user_id);

    if (rc <= 0)
        return rc;
    change_id(c->d, "inbox", id);
    rc = receipt_read(c, id, addressee);
    return rc < 0 ? rc : timeline_of(c, s, &(struct line){ .kind = "notice_read", .channel = "inbox", .addressee = addressee, .sha256 = sha256,
                                                           .internal = internal });
}

int notices_read(struct call *c, const struct kase *k)
{
    struct { int64_t id; struct str sha; struct str to; } found[32];
    size_t n = 0;
    int64_t officer = scope_of(c->v).bounded;
    char id[24];
    struct subject s = case_subject(k);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT n.id, n.sha256, n.addressee FROM notice n WHERE " INBOX_MINE
                                " AND n.case_id = ?4 AND n.read_at IS NULL ORDER BY n.id LIMIT 32", "izii", is_bounded(c), inbox_of(c->v),
                                viewer_id(c), k->id);
    int rc = st ? 0 : -EIO;

    snprintf(id, sizeof id, "%lld", (long long)k->id);
    s.id = str_c(id);
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < COUNT(found)) {
        found[n].id = sqlite3_column_int64(st, 0);
        found[n].sha = db_copy(st, 1, &c->a);
        found[n++].to = db_copy(st, 2, &c->a);
    }
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = notice_mark(c, found[i].id, &s, found[i].sha.p, found[i].to, !officer);
    return rc < 0 ? rc : 0;
}

static int inbox_open(struct call *c, int64_t id, bool mark)
{
    int64_t officer = scope_of(c->v).bounded;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " INBOX_COLUMNS INBOX_TABLES "WHERE " INBOX_MINE " AND n.id = ?4", "izii", is_bounded(c),
                                inbox_of(c->v), viewer_id(c), id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such notice");
    if (rc < 0)
        return rc;
    struct subject s = { .kind = db_copy(st, 15, &c->a).p, .id = db_copy(st, 16, &c->a), .case_id = sqlite3_column_int64(st, 2) };
    struct str sha = db_copy(st, 11, &c->a), to = db_copy(st, 12, &c->a);
    if (!mark)
        c->r->json = inbox_json(c, st);
    db_done(st);
    return mark ? notice_mark(c, id, &s, sha.p, to, !officer && s.case_id) : 0;
}

int desk_inbox_read(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = v->role == DESK_ADMINISTRATOR ? refuse(&c, -EACCES, "forbidden", NULL, "administrators have no inbox") : db_begin(d, c.e);
    if (rc == 0) {
        rc = inbox_open(&c, parse_id(id), true);
        if (rc >= 0)
            rc = inbox_open(&c, parse_id(id), false);
        rc = db_end(d, rc, c.e);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
