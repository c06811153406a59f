/* files.c - evidence of a survey: photographs, screenshots, notes, documents, by the SHA-256 of their bytes, with when and where they were made. */
#include "desk/surveys/room.h"

static const char *const file_roles[] = { "photo", "video", "screenshot", "note", "document", NULL };
static const struct body_field attach_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
    { "role", BODY_ENUM, true, false, 0, 0, file_roles },
    { "captured_at", BODY_DATETIME, false, true, 0, 0, NULL },
    { "place", BODY_STRING, false, true, 1, 300, NULL },
    { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
};

static int attach_check(struct call *c, const struct sv *s, const json_t *body, time_ns *captured)
{
    struct str role = json_get_str(body, "role");
    bool recording = str_eq(role, STR("photo")) || str_eq(role, STR("video"));
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM survey_file WHERE survey_id = ?", "i", s->id);

    if (rc == 0 && n >= SURVEY_FILES_MAX)
        return sv_wrong(c, "upload_id", "as many files as a survey may have");
    if (rc == 0 && (recording || str_eq(role, STR("screenshot"))) && json_get_str(body, "captured_at").n == 0)
        return sv_wrong(c, "captured_at", "a recording needs the moment of its making");
    if (rc == 0 && recording && json_get_str(body, "place").n == 0)
        return sv_wrong(c, "place", "a recording needs its place");
    *captured = 0;
    return rc < 0 || json_get_str(body, "captured_at").n == 0 ? rc : sv_moment(c, body, "captured_at", captured);
}

static int attach(struct call *c, int64_t id, const json_t *body)
{
    AUTO_SV struct sv s = { 0 };
    time_ns captured = 0;
    struct blob b;
    char target[40];
    int rc = sv_load(c, id, &s);

    if (rc < 0)
        return rc;
    rc = sv_team_only(c, &s);
    if (rc < 0)
        return rc;
    if (s.state->ended)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the survey has ended");
    rc = body_check(body, attach_fields, COUNT(attach_fields), c->r->field, c->e);
    if (rc == 0)
        rc = attach_check(c, &s, body, &captured);
    if (rc == 0)
        rc = blob_take(c, json_get_str(body, "upload_id"), "upload_id", &b);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO survey_file(survey_id, role, name, type, size_bytes, sha256, captured_at, place, note, added_at, added_by)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                     "itzzizmttii", s.id, json_get_str(body, "role"), b.name, b.type, b.size_bytes, b.sha256, captured, json_get_str(body, "place"),
                     json_get_str(body, "note"), c->now, c->v->user_id);
    if (rc >= 0) {
        struct subject about = sv_subject(&s);

        rc = timeline_of(c, &about, &(struct line){ .kind = "file", .text = str_c(b.name), .happened_at = captured, .sha256 = b.sha256, .internal = true });
    }
    snprintf(target, sizeof target, "survey/%lld", (long long)s.id);
    return rc < 0 ? rc : audit_add(c, "survey.attach", target, str_c(b.sha256), "ok");
}

int desk_survey_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, attach(&c, parse_id(id), body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "survey.attach", "survey");
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_survey(d, v, id, now, r);
}

/* file_give - of evidence or of results: what of it the viewer may have is in the query. */
static int file_give(struct call *c, int64_t survey, const char *sql, int64_t file, int *fd)
{
    AUTO_SV struct sv s = { 0 };
    sqlite3_stmt *st;
    struct str sha, name;
    struct blob b;
    int rc = sv_load(c, survey, &s);

    if (rc == 0 && scope_of(c->v).bounded)
        return refuse(c, -ENOENT, "not_found", NULL, "no such file");
    st = rc == 0 ? db_query(c->d, c->e, sql, "ii", s.id, file) : NULL;
    if (rc == 0)
        rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such file");
    sha = db_copy(st, 0, &c->a);
    name = db_copy(st, 1, &c->a);
    db_done(st);
    rc = audit_read(c, "document.read", arena_printf(&c->a, "survey/%lld", (long long)s.id).p, sha);
    if (rc == 0)
        rc = blob_open(c, sha.p, fd, &b);
    if (rc == 0)
        c->r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    return rc;
}

int desk_survey_file(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = file_give(&c, parse_id(id), "SELECT sha256, name FROM survey_file WHERE survey_id = ? AND id = ?", parse_id(file), fd);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_survey_result_file(struct desk *d, const struct viewer *v, struct str id, struct str result, time_ns now, int *fd, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = file_give(&c, parse_id(id), "SELECT sha256, name FROM survey_result WHERE survey_id = ? AND id = ?", parse_id(result), fd);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
