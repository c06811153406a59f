/* evidence.c - files of a survey: photographs and films with when and where they were made; what the owner shows of a measure. */
#include "desk/documents/room.h"
#include "desk/blob.h"

static const char *const file_roles[] = { "photo", "video", "document", NULL };
static const struct body_field attach_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },   { "role", BODY_ENUM, true, false, 0, 0, file_roles },
    { "requirement", BODY_STRING, false, true, 1, 120, NULL }, { "violation", BODY_STRING, false, true, 1, 20, NULL },
    { "captured_at", BODY_DATETIME, false, true, 0, 0, NULL }, { "place", BODY_STRING, false, true, 1, 300, NULL },
    { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
};

/* may_attach - the auditor while the survey is made, to a requirement; the owner while measures are owed, to a violation. */
static int may_attach(struct call *c, const struct td_survey *s, const json_t *body)
{
    struct str code = json_get_str(body, "requirement"), violation = json_get_str(body, "violation");
    bool owner = role_of_owner(c->v->role);
    int64_t n = 0;
    int rc;

    if (!owner && c->v->role != DESK_DOCUMENT_AUDITOR)
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not attach files", desk_role_name(c->v->role));
    if (!td_in(s, owner ? "results_received" : "in_progress"))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a survey in state %s takes no files", s->state->name);
    if (owner && !violation.n)
        return td_wrong(c, "violation", "a file shows a measure: which violation is meant?");
    rc = violation.n ? db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND violation_id = ?", "ii", s->id, parse_id(violation)) : 0;
    if (rc == 0 && violation.n && !n)
        return td_wrong(c, "violation", "no such violation of this survey");
    if (rc == 0 && code.n)
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND code = ?", "it", s->id, code);
    return rc == 0 && code.n && !n ? td_wrong(c, "requirement", "no such line of the check-list") : rc;
}

static int attach_check(struct call *c, const struct td_survey *s, const json_t *body, time_ns *captured)
{
    struct str role = json_get_str(body, "role");
    bool recording = !str_eq(role, STR("document"));
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM td_evidence WHERE survey_id = ?", "i", s->id);

    *captured = 0;
    if (rc == 0 && n >= TD_EVIDENCE_MAX)
        return refuse(c, -EINVAL, "bad_request", "upload_id", "more than %d files", TD_EVIDENCE_MAX);
    if (rc == 0 && recording && !json_get_str(body, "captured_at").n)
        return td_wrong(c, "captured_at", "a recording needs the moment of its making");
    if (rc == 0 && recording && !json_get_str(body, "place").n)
        return td_wrong(c, "place", "a recording needs its place");
    return rc < 0 || !json_get_str(body, "captured_at").n ? rc : td_moment(c, body, "captured_at", captured);
}

static int attach(struct call *c, int64_t id, const json_t *body)
{
    struct td_survey s;
    struct blob b;
    time_ns captured = 0;
    int rc = td_load(c, id, &s);

    if (rc == 0)
        rc = object_capacity(c, s.object_id);
    if (rc == 0)
        rc = body_check(body, attach_fields, COUNT(attach_fields), c->r->field, c->e);
    if (rc == 0)
        rc = may_attach(c, &s, body);
    if (rc == 0)
        rc = attach_check(c, &s, body, &captured);
    if (rc == 0)
        rc = blob_take(c, json_get_str(body, "upload_id"), "upload_id", &b);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO td_evidence(survey_id, code, violation_id, role, name, type, size_bytes, sha256, captured_at, place, note, added_at, added_by)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     "itmtzzizmttii", s.id, json_get_str(body, "requirement"), (time_ns)parse_id(json_get_str(body, "violation")), json_get_str(body, "role"), b.name,
                     b.type, b.size_bytes, b.sha256, captured, json_get_str(body, "place"), json_get_str(body, "note"), c->now, c->v->user_id);
    return rc < 0 ? rc
                  : audit_add(c, "document_survey.attach", arena_printf(&c->a, "document_survey/%lld", (long long)id).p,
                              str_c(arena_copy(&c->a, str_c(b.sha256)).p), "ok");
}

int desk_td_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, attach(&c, parse_id(id), body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "document_survey.attach", "document_survey");
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_td_survey(d, v, id, now, r);
}

int desk_td_evidence(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r)
{
    struct td_survey s;
    struct str sha, name;
    struct blob b;
    struct call c;

    desk_call_init(&c, d, v, now, r);
    int rc = td_load(&c, parse_id(id), &s);
    if (rc == 0 && scope_of(v).bounded && !s.state->told)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such file");
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e, "SELECT sha256, name FROM td_evidence WHERE survey_id = ? AND id = ?", "ii", s.id, parse_id(file)) : NULL;
    if (rc == 0)
        rc = st ? db_step(d, st, c.e) : -EIO;
    if (rc > 0) {
        sha = db_copy(st, 0, &c.a);
        name = db_copy(st, 1, &c.a);
        db_done(st);
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "document_survey/%lld", (long long)s.id).p, sha);
        if (rc == 0)
            rc = blob_open(&c, sha.p, fd, &b);
        if (rc == 0)
            r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    } else if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such file");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
