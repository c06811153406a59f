/* collect.c - what is to be sent and does not stand in an outbox yet: notices issued to the organisation of a node, and that a notice of theirs was
 * read here. Made from rows that say "not yet": an outage delays and never drops, and the rooms before this one need not know of it. */
#include "desk/cases/acts.h"
#include "desk/link/room.h"

#define COLLECT_TURN 50     /* of one node, then the others have their turn */
#define COLLECT_MOST 1000

static int attach(struct call *c, struct str sha256, struct str name, struct str type, struct link_message *m, struct link_attachment *to)
{
    struct buf b;
    int rc;

    if (m->attachment_count == LINK_DOCUMENTS_MAX)
        return err_set(c->e, -E2BIG, "a notice has more documents than an envelope holds");
    buf_init(&b, LINK_DOCUMENT_BYTES + LINK_READ_SPARE);
    rc = link_file_read(c->d, sha256, &b, c->e);
    if (rc < 0) {
        buf_free(&b);
        return rc;
    }
    to[m->attachment_count++] = (struct link_attachment){ name, type, buf_view(&b) }; /* the bytes belong to the message now */
    return 0;
}

/* attach_all - the letter as it is read, and the files that go with it, as far as an envelope holds them: of the others the record says name and
 * hash, and they take another way. */
static int attach_all(struct call *c, const struct issued *n, struct link_message *m, struct link_attachment *to)
{
    struct { struct str sha, name, type; } files[LINK_DOCUMENTS_MAX];
    int64_t room = LINK_DOCUMENT_BYTES;
    size_t count = 0;
    int rc = n->pdf.n ? attach(c, n->pdf, arena_printf(&c->a, "%.*s.pdf", STR_ARG(n->number)), STR("application/pdf"), m, to) : 0;

    if (rc < 0)
        return rc;
    room -= m->attachment_count ? (int64_t)to[0].bytes.n : 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT sha256, name, type, size_bytes FROM notice_document WHERE record_id = ? ORDER BY position LIMIT 31", "i", n->record);

    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (sqlite3_column_int64(st, 3) > room)
            continue;
        room -= sqlite3_column_int64(st, 3);
        files[count].sha = db_copy(st, 0, &c->a);
        files[count].name = db_copy(st, 1, &c->a);
        files[count++].type = db_copy(st, 2, &c->a);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = attach(c, files[i].sha, files[i].name, files[i].type, m, to);
    return rc;
}

static json_t *or_null(struct str s) { return s.n ? json_str(s) : json_null(); }

/* your_object - their id of an object of ours, if it is another. */
static int your_object(struct call *c, const struct peer *p, struct str object, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT their_id FROM link_object WHERE node = ?1 AND object_id = ?2", "tt", p->node, object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int notice_put(struct call *c, const struct peer *p, const struct issued *n, const json_t *step, struct message_id *sent)
{
    struct link_attachment *files = arena_array(&c->a, LINK_DOCUMENTS_MAX, sizeof *files);
    struct link_message m = { .kind = !n->record ? LINK_STEP : str_eq(n->form, STR("letter")) ? LINK_NOTICE : LINK_FORM, .attachments = files,
                              .ref = n->record ? "record" : NULL, .ref_id = n->record };
    json_t *record = NULL, *payload = NULL;
    struct str theirs;
    int rc = your_object(c, p, n->object, &theirs);

    if (rc == 0 && n->record)
        rc = files ? link_json_read(n->canonical, &record, c->e) : err_set(c->e, -ENOMEM, "no memory for a notice");
    if (rc == 0 && n->record)
        rc = attach_all(c, n, &m, files);
    if (rc == 0)
        payload = json_pack("{s:{s:o, s:o, s:o, s:o, s:o}}", "about", "case", or_null(n->case_number), "object", or_null(n->object), "origin",
                            or_null(n->origin), "your_case", or_null(n->their_case), "your_object", or_null(theirs));
    if (payload && record) {
        json_object_set(payload, "record", record);
        json_object_set_new(payload, "record_sha256", json_str(n->sha256));
    }
    if (payload && step)
        json_object_set(payload, "step", (json_t *)(uintptr_t)step);
    m.payload = payload;
    if (rc == 0)
        rc = payload ? outbox_put(c, p, &m, &sent->row) : err_set(c->e, -ENOMEM, "no memory for a notice");
    for (size_t i = 0; i < m.attachment_count; i++)
        free((void *)(uintptr_t)files[i].bytes.p);
    json_decref(payload);
    json_decref(record);
    return rc;
}

/* stays - TLP:RED does not leave, and what is larger than an envelope cannot: the record says so, where whoever sent it looks. */
static int stays(struct call *c, const struct peer *p, const struct issued *n, const char *why)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, note) VALUES (?1, 'refused', 'link', ?2, ?3, ?4, ?4,"
                     " ?5)",
                     "ittiz", n->record, p->org_id, p->title, c->now, why);

    return rc < 0 ? rc : 0;
}

/* label_now - the label of the case as it stands now decides, as for steps (carry.c); the record has the one it was issued with. held: the record goes
 * with a step that waits for its label, when that goes. */
static int label_now(struct call *c, const struct peer *p, const struct issued *n, int64_t case_id, bool *forbidden, bool *held)
{
    struct str centre = { NULL, 0 };
    bool sts = str_eq(p->org_kind, STR("sts"));
    int64_t waits = 0;
    struct kase k;
    int rc = db_int(c->d, c->e, 0, &waits,
                    "SELECT EXISTS (SELECT 1 FROM link_held h JOIN link_step s ON s.id = h.step_id WHERE h.node = ?1 AND h.case_id = ?2 AND h.why = 'tlp' AND ?3 >"
                    " s.first_record AND ?3 <= s.last_record)",
                    "tii", p->node, case_id, n->record);

    *held = waits > 0;
    *forbidden = false;
    if (rc == 0)
        rc = case_load(c, case_id, &k);
    if (rc == 0)
        rc = tlp_allows(c, &k, sts ? centre : p->org_id, sts || str_eq(p->org_kind, STR("knb")) || str_eq(p->org_id, k.org_id));
    if (rc != -EPROTO)
        return rc;
    *forbidden = true;
    c->r->code = NULL;
    c->r->field[0] = 0;
    return 0;
}

/* one_notice - the next delivery after the cursor that goes to the peer's organisation. On a node that is not the centre's, what goes to the centre
 * has no organisation (notices.h). What came by a link itself does not go back. 0: none. */
static int one_notice(struct call *c, struct str node, bool to_centre, bool give_up)
{
    struct message_id sent;
    struct issued n;
    struct peer p;
    int64_t case_id;
    bool red, forbidden = false, held = false;
    sqlite3_stmt *st;
    int rc = peer_load(c, node, &p);

    if (rc <= 0)
        return rc;
    st = db_query(c->d, c->e,
                  "SELECT n.id, r.id, r.kind, r.number, r.form, r.canonical, r.sha256, r.pdf_sha256, k.number, f.their_number, r.object_id, r.tlp = 'red', coalesce(n.case_id, 0) FROM"
                  " notice n"
                  " JOIN notice_record r ON r.id = n.record_id LEFT JOIN cases k ON k.id = n.case_id LEFT JOIN link_case f ON f.node = ?1 AND f.case_id ="
                  " n.case_id WHERE n.id > (SELECT notice_cursor FROM link_peer WHERE node = ?1) AND n.channel = 'inbox' AND r.direction = 'out'"
                  " AND (n.org_id IS ?2 OR n.org_id IS ?3) AND NOT EXISTS (SELECT 1 FROM link_out x WHERE x.ref = 'record' AND x.ref_id = r.id AND x.node = ?1) ORDER BY n.id LIMIT 1",
                  "ttt", node, p.org_id, to_centre ? (struct str){ NULL, 0 } : p.org_id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc < 0)
        return rc;
    if (rc == 0) {
        /* What stands there and does not travel is passed over once, not looked at again and again. */
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET notice_cursor = (SELECT max(id) FROM notice) WHERE node = ?1", "t", node);
        return rc < 0 ? rc : 0;
    }
    n = (struct issued){ .id = sqlite3_column_int64(st, 0), .record = sqlite3_column_int64(st, 1), .kind = db_copy(st, 2, &c->a),
                         .number = db_copy(st, 3, &c->a), .form = db_copy(st, 4, &c->a), .canonical = db_copy(st, 5, &c->a), .sha256 = db_copy(st, 6, &c->a),
                         .pdf = db_copy(st, 7, &c->a), .case_number = db_copy(st, 8, &c->a), .their_case = db_copy(st, 9, &c->a),
                         .object = db_copy(st, 10, &c->a) };
    red = sqlite3_column_int(st, 11);
    case_id = sqlite3_column_int64(st, 12);
    db_done(st);
    rc = case_id && !red ? label_now(c, &p, &n, case_id, &forbidden, &held) : 0;
    if (rc == 0 && !held)
        rc = red || forbidden || give_up ? stays(c, &p, &n, red ? "tlp_red" : forbidden ? "tlp_forbids" : "too_large") : notice_put(c, &p, &n, NULL, &sent);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET notice_cursor = ?2 WHERE node = ?1", "ti", node, n.id);
    return rc < 0 ? rc : 1;
}

/* one_reading - a notice of theirs was opened here: tell them when. 0: none. */
static int one_reading(struct call *c)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.id, i.node, i.message, i.hash, i.number, n.read_at FROM link_in i JOIN notice n ON n.id = i.ref_id WHERE i.ref ="
                                " 'notice' AND i.read_told = 0 AND n.read_at IS NOT NULL ORDER BY i.ref_id LIMIT 1",
                                "");
    char at[TIME_TEXT_MAX];
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct peer p;
    json_t *payload;
    int64_t id;

    if (rc <= 0)
        return rc;
    id = sqlite3_column_int64(st, 0);
    struct str node = db_copy(st, 1, &c->a);
    payload = json_pack("{s:s, s:n, s:o, s:o, s:o, s:s}", "at", time_format_utc(sqlite3_column_int64(st, 5), at), "code", "hash", db_json(st, 3), "message",
                        db_json(st, 2), "number", db_json(st, 4), "result", "read");
    db_done(st);
    rc = peer_load(c, node, &p);
    if (rc > 0)
        rc = payload ? outbox_put(c, &p, &(struct link_message){ .kind = LINK_RECEIPT, .payload = payload }, NULL)
                     : err_set(c->e, -ENOMEM, "no memory for a receipt");
    json_decref(payload);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_in SET read_told = 1 WHERE id = ?", "i", id);
    return rc < 0 ? rc : 1;
}

/* in_tx - one thing, one transaction. */
static int in_tx(struct desk *d, time_ns now, const char *node, bool to_centre, bool give_up, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = db_begin(d, c.e);
    if (rc == 0) {
        /* Steps first: a notice about a case never comes before the step that tells of it. */
        rc = node ? step_send(&c, str_c(node), give_up) : one_reading(&c);
        if (rc == 0 && node)
            rc = one_notice(&c, str_c(node), to_centre, give_up);
        if (rc == 0 && node)
            rc = update_send(&c, str_c(node));
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

/* behind - the nodes for which something was issued since: [node, is it the centre's and ours is not]. Reads alone: whoever writes meanwhile does
 * not wait for us. Asked every turn, so the order of the tables is ours: from the few nodes, not from every pair of organisations. */
static int behind(struct desk *d, json_t *list, struct err *e)
{
    sqlite3_stmt *st = db_query(d, e,
                                "SELECT p.node, o.kind = 'sts' AND m.kind <> 'sts' FROM link_peer p CROSS JOIN org o ON o.id = p.org_id CROSS JOIN link_self s"
                                " CROSS JOIN org m ON m.id = s.org_id WHERE p.active = 1 AND (p.step_cursor < (SELECT coalesce(max(id), 0) FROM link_step) OR (p.updates = 1 AND EXISTS (SELECT 1 FROM"
                                " record_version v WHERE v.seq > p.update_cursor AND v.kind <> 'contract')) OR EXISTS (SELECT 1 FROM notice n"
                                " WHERE n.id > p.notice_cursor AND n.channel = 'inbox' AND (n.org_id = p.org_id OR (n.org_id IS NULL AND o.kind = 'sts' AND m.kind"
                                " <> 'sts')))) ORDER BY p.node LIMIT 1000",
                                "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, e)) > 0)
        json_array_append_new(list, json_pack("[o, b]", db_json(st, 0), sqlite3_column_int(st, 1)));
    return rc;
}

static int unread_told(struct desk *d, bool *some, struct err *e)
{
    int64_t n = 0;
    int rc = db_int(d, e, 0, &n, "SELECT EXISTS (SELECT 1 FROM link_in i JOIN notice n ON n.id = i.ref_id WHERE i.ref = 'notice' AND i.read_told = 0 AND"
                                 " n.read_at IS NOT NULL)",
                    "");

    *some = n > 0;
    return rc;
}

int link_collect(struct desk *d, time_ns now, struct err *e)
{
    json_t *list = json_array(), *one;
    bool some = false;
    int made = 0, failed = 0, rc = behind(d, list, e);
    size_t i;

    /* What cannot be sent to one node holds up nobody else. */
    json_array_foreach(list, i, one) {
        const char *node = json_string_value(json_array_get(one, 0));

        for (int n = 0; rc >= 0 && n < COLLECT_TURN; n++) {
            int got = in_tx(d, now, node, json_is_true(json_array_get(one, 1)), false, e);

            /* What will never fit into an envelope is said to be refused, and those behind it go on. */
            if (got == -E2BIG || got == -EBADMSG)
                got = in_tx(d, now, node, json_is_true(json_array_get(one, 1)), true, e);

            if (got < 0) {
                failed = got;
                peer_failed(d, str_c(node), e->text, false, now);
            }
            if (got <= 0)
                break;
            made++;
        }
    }
    json_decref(list);
    if (rc >= 0)
        rc = unread_told(d, &some, e);
    while (rc >= 0 && some && made < COLLECT_MOST && (rc = in_tx(d, now, NULL, false, false, e)) > 0)
        made++;
    return rc < 0 ? rc : failed < 0 ? failed : made;
}
