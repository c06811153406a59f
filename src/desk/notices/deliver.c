/* deliver.c - how a notice reaches each addressee: the portal's inbox at once, letters to the persons there, a webhook where one is set. */
#include "desk/notices/room.h"
#include "desk/registry/registry.h"

int message_id_make(struct call *c, char out[120])
{
    unsigned char raw[16];
    char hex[33];
    struct str from = str_c(c->d->setup.node->smtp_from);
    ptrdiff_t at = str_chr(from, '@');
    int rc = secret_random(raw, sizeof raw, c->e);

    secret_hex(raw, sizeof raw, hex);
    snprintf(out, 120, "<%s@%.*s>", hex, at >= 0 ? (int)min_size(from.n - (size_t)at - 1, 70) : 9, at >= 0 ? from.p + at + 1 : "localhost");
    return rc;
}

static void recipient_add(struct recipients *r, struct str email, enum lang lang)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_ieq(r->at[i].email, email))
            return;
    if (email.n && r->count < RECIPIENTS_MAX)
        r->at[r->count++] = (struct recipient){ email, lang };
}

int recipients_from(struct call *c, struct recipients *r, sqlite3_stmt *st)
{
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        recipient_add(r, db_copy(st, 0, &c->a), lang_parse(db_str(st, 1), LANG_KK));
    return rc;
}

static void contacts_add(struct recipients *r, const struct contact_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        recipient_add(r, contact_channel_find(&l->at[i], "email"), lang_parse(l->at[i].language, LANG_KK));
}

int recipients_of_object(struct call *c, struct str object_id, const char *role, struct recipients *r)
{
    struct contact_list *l = object_id.p ? arena_zero(&c->a, sizeof *l) : NULL;
    int rc = l ? contacts_now(c, object_id, role, c->now, l) : 0;

    if (rc == -ENOENT)
        rc = 0;   /* about no object: whoever else is named */
    if (l && rc == 0)
        contacts_add(r, l);
    if (rc == 0 && r->count == 0)
        rc = recipients_from(c, r,
                             db_query(c->d, c->e, "SELECT email, language FROM object_contact WHERE object_id = ?1 AND email IS NOT NULL AND email <> ''"
                                                  " AND (?2 IS NULL OR kind = ?2) ORDER BY position",
                                      "tz", object_id, role));
    return rc;
}

/* answers_for - is the organisation one that answers for the object: owner, possessor, operational centre? */
static int answers_for(struct call *c, struct str object, struct str org, int64_t *yes)
{
    *yes = 0;
    return object.p ? db_int(c->d, c->e, 0, yes, "SELECT count(*) FROM object WHERE id = ?1 AND ?2 IN (org_id, possessor_id, ocib_id)", "tt", object, org) : 0;
}

/* recipients_of - the contacts of the object where the addressee answers for it, else those of the organisation, else its own address.
 * org {NULL,0}: the centre. strict (TLP:AMBER+STRICT, TLP:RED): the addressee's own people, not those of an operational centre it has hired. */
static int recipients_of(struct call *c, const struct subject *about, struct str org, bool strict, struct recipients *r)
{
    struct contact_list *l = org.p ? arena_zero(&c->a, sizeof *l) : NULL;
    int64_t own = 0;
    int rc;

    r->count = 0;
    if (!org.p)
        return recipients_from(c, r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE kind = 'sts' AND email <> '' ORDER BY id", ""));
    rc = answers_for(c, about->object_id, org, &own);
    if (rc == 0 && own)
        rc = recipients_of_object(c, about->object_id, strict ? "responsible_person" : NULL, r);
    if (rc == 0 && r->count == 0 && l) {
        rc = contacts_now_org(c, org, NULL, c->now, l);
        if (rc == 0)
            contacts_add(r, l);
    }
    if (rc == 0 && r->count == 0)
        rc = recipients_from(c, r, db_query(c->d, c->e, "SELECT email, 'kk' FROM org WHERE id = ? AND email <> ''", "t", org));
    return rc;
}

/* put - one delivery; *id is its row. */
static int put(struct call *c, const struct notice_made *m, const char *channel, struct str addressee, struct str org, const char *message_id,
               enum lang lang, int64_t *id)
{
    bool inbox = strcmp(channel, "inbox") == 0;

    return db_int(c->d, c->e, 0, id,
                  "INSERT INTO notice(record_id, subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, next_try_at, queued_at,"
                  " sent_at, message_id, sha256, subject_line, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
                  "iztmtzzttzmimzztt", m->id, m->n->about->kind, m->subject_id, (time_ns)m->n->about->case_id, m->n->about->object_id, m->n->kind,
                  channel, addressee, org, inbox ? "sent" : "queued", inbox ? (time_ns)0 : c->now, c->now, inbox ? c->now : (time_ns)0, message_id,
                  m->pdf_sha256, inbox ? m->title : notice_subject_line(c, m, lang),
                  inbox ? (m->n->text.n ? m->n->text : STR("")) : notice_body(c, m, lang));
}

static int line(struct call *c, const struct notice_made *m, const char *kind, const char *channel, struct str addressee, const char *message_id)
{
    struct subject s = *m->n->about;

    s.id = m->subject_id;
    return timeline_of(c, &s, &(struct line){ .kind = kind, .channel = channel, .addressee = addressee, .message_id = message_id,
                                              .sha256 = m->pdf_sha256, .text = str_c(m->number) });
}

static int to_inbox(struct call *c, const struct notice_made *m, struct str org, struct str name)
{
    int64_t id = 0;
    int rc = put(c, m, "inbox", name, org, NULL, LANG_KK, &id);

    if (rc < 0)
        return rc;
    change_id(c->d, "inbox", id);
    return line(c, m, "notice_sent", "inbox", name, NULL);
}

static int to_letters(struct call *c, const struct notice_made *m, struct str org)
{
    struct recipients r;
    int64_t id = 0;
    char mid[120];
    bool strict = m->n->tlp && (strcmp(m->n->tlp, "amber+strict") == 0 || strcmp(m->n->tlp, "red") == 0);
    int rc = recipients_of(c, m->n->about, org, strict, &r);

    for (size_t i = 0; rc == 0 && i < r.count; i++) {
        bool may = true;

        if (strict && m->n->about->case_id)
            rc = tlp_letter(c, m->n->about->case_id, r.at[i].email, &may);
        if (rc < 0 || !may)
            continue;
        rc = message_id_make(c, mid);
        if (rc == 0)
            rc = put(c, m, "email", r.at[i].email, org, mid, r.at[i].lang, &id);
        if (rc == 0)
            rc = line(c, m, "notice_queued", "email", r.at[i].email, mid);
    }
    return rc;
}

static int to_webhook(struct call *c, const struct notice_made *m, struct str org, struct str name)
{
    int64_t set = 0, id = 0;
    bool red = m->n->tlp && strcmp(m->n->tlp, "red") == 0;   /* a system is nobody's name */
    int rc = org.p && !red ? db_int(c->d, c->e, 0, &set, "SELECT count(*) FROM org_webhook WHERE org_id = ? AND active = 1", "t", org) : 0;

    if (rc < 0 || !set)
        return rc;
    rc = put(c, m, "webhook", name, org, NULL, LANG_KK, &id);
    return rc < 0 ? rc : line(c, m, "notice_queued", "webhook", name, NULL);
}

int notice_deliver(struct call *c, const struct notice_made *m)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < m->n->org_count; i++) {
        rc = to_inbox(c, m, m->to[i], m->to_name[i]);
        if (rc == 0)
            rc = to_letters(c, m, m->to[i]);
        if (rc == 0)
            rc = to_webhook(c, m, m->to[i], m->to_name[i]);
    }
    return rc;
}
