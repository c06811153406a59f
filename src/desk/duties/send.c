/* send.c - a message about a duty to those whom the policy of reminders names: into inboxes, and as letters that wait for the mail. */
#include "desk/duties/room.h"
#include "desk/registry/registry.h"

#define RECIPIENTS_MAX 100
#define INBOXES_MAX    16

struct person {
    struct str email;
    enum lang  lang;
};

/* Those whom one message reaches, each once. */
struct reach {
    size_t        count, inbox_count;
    struct person at[RECIPIENTS_MAX];
    struct str    inbox[INBOXES_MAX], inbox_name[INBOXES_MAX];   /* {NULL,0}: the centre */
};

static void add_person(struct reach *r, struct str email, enum lang lang)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_ieq(r->at[i].email, email))
            return;
    if (email.n && r->count < RECIPIENTS_MAX)
        r->at[r->count++] = (struct person){ email, lang };
}

static int add_people(struct call *c, struct reach *r, sqlite3_stmt *st)
{
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        add_person(r, db_copy(st, 0, &c->a), lang_parse(db_str(st, 1), LANG_KK));
    return rc;
}

static int add_inbox(struct call *c, struct reach *r, struct str org)
{
    struct str name = catalog_text(c->d->setup.catalog, LANG_KK, "case.inbox.centre");

    for (size_t i = 0; i < r->inbox_count; i++)
        if (str_eq(r->inbox[i], org) && (r->inbox[i].p != NULL) == (org.p != NULL))
            return 0;
    if (r->inbox_count == INBOXES_MAX)
        return 0;
    if (org.p) {
        sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name FROM org WHERE id = ?", "t", org);
        int rc = st ? db_step(c->d, st, c->e) : -EIO;

        if (rc <= 0)
            return rc;
        name = db_copy(st, 0, &c->a);
        db_done(st);
    }
    r->inbox[r->inbox_count] = org;
    r->inbox_name[r->inbox_count++] = name;
    return 0;
}

/* label_lets - may a reminder of the case go to this contact of the object? AMBER+STRICT: not to those of an operational centre; RED: to persons
 * whom the case names. 1 yes, 0 no. */
static int label_lets(struct call *c, int64_t case_id, const struct contact_now *who, struct str email)
{
    int64_t lets = 1;
    int rc = case_id ? db_int(c->d, c->e, 1, &lets,
                              "SELECT CASE tlp WHEN 'amber+strict' THEN ?2 <> 'ocib' WHEN 'red' THEN EXISTS (SELECT 1 FROM case_person p JOIN user u ON"
                              " u.id = p.user_id WHERE p.case_id = cases.id AND u.email = ?3) ELSE 1 END FROM cases WHERE id = ?1",
                              "itt", case_id, who->role, email) : 0;

    return rc < 0 ? rc : lets != 0;
}

/* contacts - those of the object in their order, on duty first; only: the N-th of those that have an address. */
static int contacts(struct call *c, struct reach *r, const struct duty_row *row, int64_t only)
{
    struct contact_list l = { .count = 0 };
    int64_t at = 0;
    int rc = row->object_id.p ? contacts_now(c, row->object_id, NULL, c->now, &l) : 0;

    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        struct str email = contact_channel_find(&l.at[i], "email");
        int lets = email.n ? label_lets(c, row->case_id, &l.at[i], email) : 0;

        rc = lets < 0 ? lets : 0;
        if (lets > 0 && (only == 0 || ++at == only))
            add_person(r, email, lang_parse(l.at[i].language, LANG_KK));
    }
    return rc;
}

static int org_letters(struct call *c, struct reach *r, struct str org)
{
    if (!org.p)
        return add_people(c, r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE kind = 'sts' AND email <> '' ORDER BY id", ""));
    return add_people(c, r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE id = ? AND email <> ''", "t", org));
}

/* to_org - an organisation as a whole; {NULL,0}: the centre. */
static int to_org(struct call *c, struct reach *r, unsigned channels, struct str org)
{
    int rc = channels & TO_INBOX ? add_inbox(c, r, org) : 0;

    return rc == 0 && (channels & TO_EMAIL) ? org_letters(c, r, org) : rc;
}

/* to_responsible - the contacts of the object; without any that has an address, the organisation: better than silence. */
static int to_responsible(struct call *c, struct reach *r, unsigned channels, const struct duty_row *row, int64_t only)
{
    struct str org = row->performer_org.p ? row->performer_org : row->org_id;
    size_t before = r->count;
    int rc = channels & TO_INBOX && org.p ? add_inbox(c, r, org) : 0;

    if (rc == 0 && (channels & TO_EMAIL))
        rc = contacts(c, r, row, only);
    if (rc == 0 && (channels & TO_EMAIL) && r->count == before && org.p)
        rc = org_letters(c, r, org);
    return rc;
}

static int to_role(struct call *c, struct reach *r, unsigned channels, const struct duty_row *row, struct str role)
{
    const enum desk_role k = desk_role_parse(role);
    bool owner = k < DESK_ROLE_COUNT && !role_reads_all(k);
    int rc = 0;

    if (channels & TO_INBOX)
        rc = add_inbox(c, r, owner ? (row->performer_org.p ? row->performer_org : row->org_id) : (struct str){ NULL, 0 });
    if (rc == 0 && (channels & TO_EMAIL))
        rc = add_people(c, r, db_query(c->d, c->e,
                                       "SELECT email, language FROM user WHERE role = ?1 AND active = 1 AND email <> '' AND (?2 = 0 OR org_id IN (?3, ?4))"
                                       " ORDER BY id LIMIT 100",
                                       "titt", role, (int64_t)owner, row->performer_org, row->org_id));
    return rc;
}

/* to_addressee - to whom it is owed: the centre, KNB or the authorised body, else the object's operational centre or the accountable party. */
static int to_addressee(struct call *c, struct reach *r, unsigned channels, const struct duty_row *row)
{
    const struct obligation *o = row_obligation(c->d, row);
    int rc = 0;

    for (size_t i = 0; rc == 0 && o && i < o->to_count; i++) {
        struct str id = o->to[i]->id, org = row->org_id;
        bool kind = str_eq(id, STR("knb")) || str_eq(id, STR("authorised_body")), ocib = str_eq(id, STR("ocib"));
        sqlite3_stmt *st;

        if (str_eq(id, STR("sts"))) {
            rc = to_org(c, r, channels, (struct str){ NULL, 0 });
            continue;
        }
        if (kind || ocib) {
            st = kind ? db_query(c->d, c->e, "SELECT id FROM org WHERE kind = ? ORDER BY id LIMIT 1", "t", id)
                      : db_query(c->d, c->e, "SELECT ocib_id FROM object WHERE id = ?", "t", row->object_id);
            rc = st ? db_step(c->d, st, c->e) : -EIO;
            org = rc > 0 ? db_copy(st, 0, &c->a) : (struct str){ NULL, 0 };
            if (rc > 0)
                db_done(st);
        }
        rc = rc >= 0 && org.p ? to_org(c, r, channels, org) : (rc < 0 ? rc : 0);
    }
    return rc;
}

static int resolve(struct call *c, struct reach *r, const struct duty_row *row, unsigned channels, struct str who)
{
    uint64_t n = 0;

    if (str_eq(who, STR("centre")))
        return to_org(c, r, channels, (struct str){ NULL, 0 });
    if (str_eq(who, STR("performer")))
        return to_org(c, r, channels, str_eq(row->owed_by, STR("centre")) ? (struct str){ NULL, 0 } : row->performer_org.p ? row->performer_org : row->org_id);
    if (str_eq(who, STR("accountable")))
        return row->org_id.p ? to_org(c, r, channels, row->org_id) : 0;
    if (str_eq(who, STR("addressee")))
        return to_addressee(c, r, channels, row);
    if (str_eq(who, STR("responsible")))
        return to_responsible(c, r, channels, row, 0);
    if (str_starts(who, STR("contact:")) && str_u64(str_cut(who, 8), &n))
        return to_responsible(c, r, channels, row, (int64_t)n);
    return to_role(c, r, channels, row, str_cut(who, 5));
}

/* --- the texts --- */

static struct str subject_name(struct call *c, const struct duty_row *row)
{
    sqlite3_stmt *st;

    if (row->case_id)
        st = db_query(c->d, c->e, "SELECT number FROM cases WHERE id = ?", "i", row->case_id);
    else
        st = db_query(c->d, c->e, "SELECT coalesce((SELECT name FROM object WHERE id = ?1), (SELECT name FROM org WHERE id = ?2))", "tt", row->object_id,
                      row->org_id);
    if (!st || db_step(c->d, st, c->e) <= 0)
        return row->subject_id;
    struct str name = db_copy(st, 0, &c->a);
    db_done(st);
    return name.p ? name : row->subject_id;
}

/* message_args - what the texts of a message about a row are filled with, in no language yet. */
static json_t *message_args(struct call *c, const struct duty_row *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "obligation", json_str(row->obligation), "edition", json_str(row->edition), "due",
                     json_time_or_null(row->due_at), "basis", json_str(row->basis), "subject", json_str(subject_name(c, row)));
}

struct str duty_message(struct call *c, struct str key, const json_t *args, enum lang lang, const char *part)
{
    const struct edition *ed = duty_edition(c->d->setup.world, json_get_str(args, "edition"));
    const struct obligation *o = ed ? edition_obligation(ed, json_get_str(args, "obligation")) : NULL;
    struct str subject = json_get_str(args, "subject");
    time_ns due = 0;
    char full[96];

    if (time_parse_rfc3339(json_get_str(args, "due"), &due, NULL, NULL) < 0)
        due = 0;
    snprintf(full, sizeof full, "%.*s.%s", (int)min_size(key.n, 64), key.p, part);
    json_t *values = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "obligation", json_str(json_get_str(args, "obligation")), "duty",
                               json_str(o ? o->title.text[lang] : STR("")), "paragraph", json_str(o ? o->paragraph : STR("")), "due",
                               json_str(due ? duty_time_text(c->d->setup.world, due, true, &c->a) : STR("—")), "subject",
                               json_str(subject.p ? subject : STR("")), "url", c->d->setup.node->public_url, "basis",
                               json_str(str_eq(json_get_str(args, "basis"), STR("law")) ? STR("")
                                                                                        : catalog_text(c->d->setup.catalog, lang, "duty.mail.target")));
    struct str text = text_fill(&c->a, arena_copy(&c->a, catalog_text(c->d->setup.catalog, lang, full)), values);
    json_decref(values);
    return text;
}

static struct str message_key(struct call *c, const char *key) { return arena_printf(&c->a, "duty.mail.%s", key); }

/* texts - the addressee's language first, then the two others: who reads it may be somebody else. */
static struct str texts(struct call *c, const struct duty_row *row, const char *key, const char *part, enum lang first, bool all)
{
    const enum lang order[] = { first, first == LANG_KK ? LANG_RU : LANG_KK, first == LANG_EN ? LANG_RU : LANG_EN };
    json_t *args = message_args(c, row);
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    for (size_t i = 0; i < (all ? COUNT(order) : 1); i++) {
        if (i)
            buf_str(&b, STR("\n\n-----\n\n"));
        buf_str(&b, duty_message(c, message_key(c, key), args, order[i], part));
    }
    json_decref(args);
    return arena_copy(&c->a, buf_view(&b));
}

/* letter_id - fixed when the letter is queued: a second try after a lost answer is the same letter to the receiver. */
static int letter_id(struct call *c, char out[120])
{
    struct str from = str_c(c->d->setup.node->smtp_from);
    ptrdiff_t at = str_chr(from, '@');
    unsigned char raw[16];
    char hex[33];
    int rc = secret_random(raw, sizeof raw, c->e);

    secret_hex(raw, sizeof raw, hex);
    snprintf(out, 120, "<%s@%.*s>", hex, at >= 0 ? (int)min_size(from.n - (size_t)at - 1, 70) : 9, at >= 0 ? from.p + at + 1 : "localhost");
    return rc;
}

static int put_letter(struct call *c, const struct duty_row *row, const struct person *to, const char *key, bool internal)
{
    char id[120];
    int rc = letter_id(c, id);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, state, next_try_at, queued_at, message_id,"
                 " subject_line, body, internal) VALUES (?1,?2,?3,?4,'reminder','email',?5,'queued',?6,?6,?7,?8,?9,?10)",
                 "ttmttiztti", row->subject, row->subject_id, (time_ns)row->case_id, row->object_id, to->email, c->now, id,
                 texts(c, row, key, "subject", to->lang, false), texts(c, row, key, "body", to->lang, true), (int64_t)internal);
    return rc < 0 ? rc : 0;
}

static int put_inbox(struct call *c, const struct duty_row *row, struct str org, struct str name, const char *key, bool internal)
{
    int64_t id = 0;
    json_t *args = message_args(c, row);
    AUTO_FREE char *kept = args ? json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int rc = db_int(c->d, c->e, 0, &id,
                    "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, queued_at, sent_at,"
                    " text_key, text_args, internal) VALUES (?1,?2,?3,?4,'reminder','inbox',?5,?6,'sent',?7,?7,?8,?9,?10) RETURNING id",
                    "ttmtttitzi", row->subject, row->subject_id, (time_ns)row->case_id, row->object_id, name, org, c->now, message_key(c, key), kept,
                    (int64_t)internal);

    json_decref(args);

    if (rc == 0)
        change_id(c->d, "inbox", id);
    return rc;
}

int send_to(struct call *c, const struct duty_row *row, const struct remind_to *to, const char *key, bool internal)
{
    struct reach r = { .count = 0 };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < to->count; i++)
        rc = resolve(c, &r, row, to->channels, to->who[i]);
    for (size_t i = 0; rc == 0 && i < r.inbox_count; i++)
        rc = put_inbox(c, row, r.inbox[i], r.inbox_name[i], key, internal);
    for (size_t i = 0; rc == 0 && i < r.count; i++) {
        bool may = true;

        if (row->case_id)
            rc = tlp_letter(c, row->case_id, r.at[i].email, &may);
        if (rc == 0 && may)
            rc = put_letter(c, row, &r.at[i], key, internal);
    }
    return rc;
}
