/* follow.c - a survey and its request: the notice of paragraph 14 goes out through the room "requests", and where the owner has got to there, the survey
 * gets to here. The copies that came become versions in the register. */
#include "desk/documents/room.h"
#include "desk/requests/requests.h"
#include "desk/schedule/schedule.h"

/* request_of - the request that the notice goes out with: the one that the survey has, or a new one. */
static int request_of(struct call *c, struct td_survey *s, const json_t *body)
{
    json_t *values;
    int rc;

    if (s->request_id)
        return 0;
    values = json_pack("{s:O, s:o}", "survey_from", json_object_get(body, "survey_from"), "schedule", json_str(s->number));
    rc = requests_open_one(c, "document_survey", s->object_id, values, &s->request_id);
    json_decref(values);
    return rc;
}

int td_send_notice(struct call *c, struct td_survey *s, const json_t *body)
{
    json_t *given = json_pack("{s:O}", "text", json_object_get(body, "text"));
    int64_t other = 0;
    int rc = db_int(c->d, c->e, 0, &other, "SELECT count(*) FROM td_survey WHERE object_id = ? AND ended = 0 AND state <> 'planned'", "t", s->object_id);

    if (rc == 0 && other)
        rc = refuse(c, -EEXIST, "conflict", NULL, "another survey of this object's documents is not closed yet");
    if (rc == 0)
        rc = request_of(c, s, body);
    if (rc == 0)
        rc = requests_act(c, s->request_id, "send_notice", given);
    json_decref(given);
    if (rc < 0 && str_starts(str_c(c->r->field), STR("values.")))   /* what is a value there is a field here */
        memmove(c->r->field, c->r->field + 7, strlen(c->r->field) - 6);
    return rc;
}

/* told - the owner is told in words that a survey will not be made, when they know of it. */
static int told(struct call *c, const struct td_survey *s, struct str reason)
{
    struct subject about = td_subject(s);
    json_t *args = json_pack("{s:o, s:o, s:o}", "number", json_str(s->number), "object", json_str(s->object_name), "text", json_str(reason));
    struct str orgs[2] = { s->org_id, s->possessor_id };
    struct notice_new n = { .kind = "document_survey", .paragraph = "14", .about = &about, .title = td_two(c, "document.notice.withdrawn.title", args, " / "),
                            .text = td_two(c, "document.notice.withdrawn.text", args, "\n\n"), .orgs = orgs,
                            .org_count = s->possessor_id.n && !str_eq(s->possessor_id, s->org_id) ? 2 : 1 };
    int rc = notice_issue(c, &n, NULL);

    json_decref(args);
    return rc;
}

int request_end(struct call *c, const struct td_survey *s, struct str reason)
{
    int64_t open = 0;
    int rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM request WHERE id = ? AND ended = 0", "i", s->request_id);

    if (rc < 0 || !open)
        return rc;
    json_t *given = json_pack("{s:o}", "reason", json_str(reason));
    rc = requests_act(c, s->request_id, "withdraw", given);
    json_decref(given);
    return rc;
}

int td_withdraw(struct call *c, struct td_survey *s, const json_t *body)
{
    int rc = request_end(c, s, json_get_str(body, "reason"));

    if (rc == 0 && s->plan_line)
        rc = schedule_line_cancelled(c, s->plan_line, json_get_str(body, "reason"));
    return rc < 0 || s->state->inner ? rc : told(c, s, json_get_str(body, "reason"));
}

/* --- the copies --- */

static int copy_files(struct call *c, int64_t request, struct str item, int64_t version)
{
    json_t *files = json_array(), *f;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name, type, size_bytes, sha256 FROM request_file WHERE request_id = ? AND item = ? ORDER BY id LIMIT 20", "it",
                                request, item);
    int rc = st ? 0 : -EIO;
    size_t i;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(files, json_pack("{s:o, s:o, s:I, s:o}", "name", db_json(st, 0), "type", db_json(st, 1), "size",
                                               (json_int_t)sqlite3_column_int64(st, 2), "sha256", db_json(st, 3)));
    json_array_foreach(files, i, f)
        if (rc >= 0)
            rc = version_file(c, version, json_get_str(f, "name"), json_get_str(f, "type"), json_integer_value(json_object_get(f, "size")),
                              json_get_str(f, "sha256"), STR(""));
    json_decref(files);
    return rc;
}

/* note_of - the owner's note, and of a copy that came as paper what the centre recorded: such a version has no file. */
static struct str note_of(struct call *c, struct str note, const json_t *values)
{
    struct str number = json_get_str(values, "paper_number");
    time_ns at = 0;
    char day[16];

    if (!number.n)
        return note;
    (void)!time_parse_rfc3339(json_get_str(values, "paper_received_at"), &at, NULL, NULL);
    local_date(c->d, at, day);
    json_t *args = json_pack("{s:o, s:o, s:o, s:o}", "number", json_str(number), "by", json_str(json_get_str(values, "paper_received_by")), "at",
                             json_str(arena_printf(&c->a, "%.2s.%.2s.%.4s", day + 8, day + 5, day)), "reason", json_str(json_get_str(values, "paper_reason")));
    struct str paper = td_two(c, "document.paper_copy", args, "\n");

    json_decref(args);
    return note.n ? arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(note), STR_ARG(paper)) : paper;
}

/* copies_take - each document that the owner provided is the next version of the register: certified by signature, and seal if any (R-14-02). */
static int copies_take(struct call *c, const struct td_survey *s)
{
    json_t *items = json_array(), *one;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT code, coalesce(json_extract(values_json, '$.signed'), 0), json_extract(values_json, '$.sealed'),"
                                " json_extract(values_json, '$.version'), note, values_json FROM request_item WHERE request_id = ? AND state = 'provided' AND row IS NOT NULL"
                                " ORDER BY position", "i", s->request_id);
    int rc = st ? 0 : -EIO;
    size_t i;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 5);
        json_t *values = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, 0, NULL);

        json_array_append_new(items, json_pack("{s:o, s:b, s:i, s:o, s:o}", "code", db_json(st, 0), "signed", sqlite3_column_int(st, 1), "sealed",
                                               sqlite3_column_type(st, 2) == SQLITE_NULL ? -1 : sqlite3_column_int(st, 2) != 0, "version", db_json(st, 3), "note",
                                               json_str(note_of(c, db_copy(st, 4, &c->a), values))));
        json_decref(values);
    }
    json_array_foreach(items, i, one) {
        struct td_version t = { .object_id = s->object_id, .document = json_get_str(one, "code"), .edition = json_get_str(one, "version"),
                                .note = json_get_str(one, "note"), .is_signed = json_is_true(json_object_get(one, "signed")),
                                .is_sealed = (int)json_integer_value(json_object_get(one, "sealed")), .is_certified = 1, .source = "request",
                                .request_id = s->request_id };
        int64_t id = 0;

        if (rc >= 0)
            rc = version_add(c, &t, &id);
        if (rc >= 0)
            rc = copy_files(c, s->request_id, t.document, id);
    }
    json_decref(items);
    return rc < 0 ? rc : 0;
}

/* --- following --- */

static int step(struct call *c, struct td_survey *s, const char *name, time_ns at)
{
    const struct td_act *a = td_act_find(str_c(name));

    td_move(s, a->to);
    return td_line(c, s, name, STR(""), at);
}

static time_ns moment(const json_t *values, const char *key)
{
    time_ns t = 0;

    return time_parse_rfc3339(json_get_str(values, key), &t, NULL, NULL) == 0 ? t : 0;
}

/* moved - one step after another, as the machine has them: whoever looked late sees them all. */
static int moved(struct call *c, struct td_survey *s, struct str state, const json_t *values)
{
    bool sent = !str_eq(state, STR("planned")), received = sent && !str_eq(state, STR("notice_sent")), copies = str_eq(state, STR("td_received"));
    int rc = 0, n = 0;

    if (sent && td_in(s, "planned") && ++n)
        rc = step(c, s, "send_notice", moment(values, "notice_sent_at"));
    if (rc == 0 && received && td_in(s, "notice_sent") && ++n)
        rc = step(c, s, "notice_received", moment(values, "received_at"));
    if (rc == 0 && copies && !s->copies_taken && ++n) {
        rc = td_in(s, "notice_received") ? step(c, s, "copies_received", moment(values, "copies_sent_at"))
                                         : td_line(c, s, "copies_received", STR(""), moment(values, "copies_sent_at"));
        s->copies_taken = true;
        if (rc == 0)
            rc = copies_take(c, s);
    }
    return rc < 0 ? rc : n;
}

static int follow(struct call *c, struct td_survey *s)
{
    sqlite3_stmt *st;
    int rc;

    if (!s->request_id || s->copies_taken || s->state->ended)
        return 0;
    st = db_query(c->d, c->e, "SELECT state, values_json FROM request WHERE id = ?", "i", s->request_id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc;
    struct str state = db_copy(st, 0, &c->a), text = db_str(st, 1);
    json_t *values = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, 0, NULL);
    db_done(st);
    if (str_eq(state, STR("withdrawn"))) {   /* withdrawn in the room of requests: so is what it was for, unless the survey goes on without */
        rc = 0;
        if (td_in(s, "planned notice_sent notice_received")) {
            td_move(s, "withdrawn");
            rc = td_line(c, s, "withdraw", json_get_str(values, "reason"), 0);
            rc = rc < 0 ? rc : 1;
        }
    } else
        rc = moved(c, s, state, values);
    json_decref(values);
    if (rc > 0) {
        int saved = td_save(c, s);

        return saved < 0 ? saved : 1;
    }
    return rc;
}

/* Nobody who merely looks is the author of what they find. */
int td_follow(struct call *c, struct td_survey *s)
{
    const struct viewer *who = c->v;
    int rc;

    c->v = NULL;
    rc = follow(c, s);
    c->v = who;
    return rc;
}
