/* declared.c - what people say about a survey and no file shows: where its tools looked, and that a host outside its scope belongs to it. It closes
 * vulnerabilities or makes new ones, so it is for the survey's own team, as its files are. */
#include "desk/surveys/room.h"

typedef int declared_fn(struct call *c, int64_t survey, const json_t *body);

static int of_own_team(struct call *c, int64_t survey, const json_t *body, declared_fn *fn)
{
    AUTO_SV struct sv s = { 0 };
    int rc = sv_load(c, survey, &s);

    if (rc == 0)
        rc = sv_team_only(c, &s);
    return rc < 0 ? rc : fn(c, survey, body);
}

static int declare(struct desk *d, const struct viewer *v, struct str id, const json_t *body, const char *action, declared_fn *fn, time_ns now,
                   struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, of_own_team(&c, parse_id(id), body, fn), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, action, "survey");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_survey_cover_declare(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return declare(d, v, id, body, "vulnerability.cover_declare", vulns_cover_asked, now, r);
}

int desk_survey_take_in(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return declare(d, v, id, body, "vulnerability.scope_take", vulns_take_asked, now, r);
}
