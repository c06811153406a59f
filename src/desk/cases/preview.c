/* preview.c - a form as it would go out, drawn from what is filled in so far, with the mark of a draft across each page. Nothing is kept, sent or said. */
#include "desk/cases/acts.h"

static const struct body_field annex7_body[] = {
    { "annex7", BODY_ANNEX7, true, false, 0, 0, NULL },
    { "recommendations", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
    { "detection_kind", BODY_ENUM, false, true, 0, 0, detection_values },
};
static const struct body_field annex2_body[] = { { "annex2", BODY_ANNEX2, true, false, 0, 0, NULL } };

/* preview - whoever writes the form looks at it: Annex 7 is the centre's, Annex 2 the other side's. */
static int preview(struct call *c, int64_t id, struct str form, const json_t *body, struct buf *out)
{
    bool seven = str_eq(form, STR("annex7"));
    struct kase k;
    json_t *values;
    int rc = seven || str_eq(form, STR("annex2")) ? 0 : refuse(c, -ENOENT, "not_found", NULL, "no such form");

    if (rc == 0)
        rc = id ? case_load(c, id, &k) : refuse(c, -ENOENT, "not_found", NULL, "no such case");
    if (rc == 0 && seven != side_of_centre(c))
        rc = refuse(c, -EACCES, "forbidden", "form", "this form is the other side's");
    if (rc == 0)
        rc = seven ? body_check(body, annex7_body, COUNT(annex7_body), c->r->field, c->e)
                   : body_check(body, annex2_body, COUNT(annex2_body), c->r->field, c->e);
    if (rc < 0)
        return rc;
    values = json_copy(json_object_get(body, seven ? "annex7" : "annex2"));
    for (size_t i = 1; seven && i < COUNT(annex7_body); i++)
        if (json_object_get(body, annex7_body[i].name))
            json_object_set(values, annex7_body[i].name, json_object_get(body, annex7_body[i].name));
    rc = document_preview(c, &k, seven ? "annex7" : "annex2", values, out);
    json_decref(values);
    return rc;
}

int desk_case_preview(struct desk *d, const struct viewer *v, struct str case_id, struct str form, const json_t *body, time_ns now, struct buf *out,
                      struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = preview(&c, parse_id(case_id), form, body, out);
    if (rc < 0)
        buf_reset(out);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
