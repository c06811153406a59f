/* testing.h - what the tests of documents share: a survey from its plan to its results, act by act. Only tests include it.
 *
 * Owns      nothing.
 * Promises  1. An act that must succeed fails the test with its name and reason.
 * Threads   any.
 * Source    requirements 7.6. */
#ifndef SAQSHY_DESK_DOCUMENTS_TESTING_H
#define SAQSHY_DESK_DOCUMENTS_TESTING_H

#include "desk/documents/room.h"
#include "desk/documents/test_annex3.h"
#include "desk/requests/requests.h"
#include "desk/testing.h"

#define OBJECT "state-register"

struct expected {
    const char *row;
    int         level, number;
    const char *id, *kk, *ru;
};
#define EXPECTED(fn, r_, l_, n_, i_, en_, kk_, ru_) { r_, l_, n_, i_, kk_, ru_ },
static const struct expected expected[] = { DOCUMENTS(EXPECTED) };
static_assert(COUNT(expected) == 27, "1 + 12 + 6 + 8");

static inline void viewer_auditor(struct world *w, struct viewer *v)
{
    *v = w->analyst;
    v->role = DESK_DOCUMENT_AUDITOR;
}

/* acted - what the act returns; the survey as it is then is in *out if it is not NULL. body is taken. */
static inline int acted(struct world *w, const struct viewer *v, const char *id, const char *name, json_t *body, time_ns now, json_t **out)
{
    struct desk_reply r = { 0 };
    int rc = desk_td_act(w->desk, v, str_c(id), str_c(name), body, now, &r);

    json_decref(body);
    if (out)
        *out = json_incref(r.json);
    desk_reply_free(&r);
    return rc;
}

static inline void must_act(struct world *w, const struct viewer *v, const char *id, const char *name, json_t *body, time_ns now)
{
    struct desk_reply r = { 0 };
    int rc = desk_td_act(w->desk, v, str_c(id), str_c(name), body, now, &r);

    json_decref(body);
    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", name, rc, r.err.text, r.field);
    desk_reply_free(&r);
}

static inline json_t *survey_of(struct world *w, const struct viewer *v, const char *id, time_ns now)
{
    struct desk_reply r = { 0 };

    must(desk_td_survey(w->desk, v, str_c(id), now, &r), &r.err);
    return r.json;
}

static inline void planned(struct world *w, const struct viewer *v, time_ns now, char id[24])
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:s, s:s}", "object_id", OBJECT, "planned_from", "2026-04-20", "reason", "a complaint");
    int rc = desk_td_plan(w->desk, v, body, now, &r);

    json_decref(body);
    must(rc, &r.err);
    snprintf(id, 24, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
}

/* in_request - the owner's or the centre's act on the request that the survey follows. */
static inline void in_request(struct world *w, const struct viewer *v, const char *survey, const char *name, json_t *body, time_ns now)
{
    json_t *s = survey_of(w, &w->analyst, survey, now);
    struct desk_reply r = { 0 };
    int rc = desk_request_act(w->desk, v, json_get_str(json_object_get(s, "request"), "id"), str_c(name), body, now, &r);

    json_decref(body);
    json_decref(s);
    must(rc, &r.err);
    desk_reply_free(&r);
}

static inline void copies_sent(struct world *w, const char *id, time_ns now)
{
    for (size_t i = 0; i < COUNT(expected); i++)
        in_request(w, &w->analyst, id, "record_copy",
                   json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:b}", "item", expected[i].id, "received_by", "A. Serikova", "received_at", json_time(now), "number",
                             "in. 17", "reason", "paper alone", "approved", 1, "signed", 1), now);
    in_request(w, &w->registry, id, "send_copies", json_pack("{s:b}", "confirmed", 1), now);
}

static inline json_t *checklist_of(struct world *w, const struct viewer *v, const char *id, time_ns now)
{
    struct desk_reply r = { 0 };

    must(desk_td_checklist(w->desk, v, str_c(id), STR(""), DESK_LIMIT_MAX, STR(""), now, &r), &r.err);
    return r.json;
}

/* judged_all - the first requirement of each document as given, the others met. */
static inline void judged_all(struct world *w, const struct viewer *v, const char *id, const char *first, time_ns now)
{
    json_t *list = checklist_of(w, v, id, now), *line;
    const char *before = "";
    size_t i;

    json_array_foreach(json_object_get(list, "items"), i, line) {
        const char *document = json_string_value(json_object_get(line, "document"));
        bool leads = strcmp(before, document) != 0;
        json_t *body = json_pack("{s:O, s:s}", "requirement", json_object_get(line, "requirement"), "verdict", leads ? first : "met");

        if (leads && strcmp(first, "met") != 0)
            json_object_set_new(body, "description", json_string("not as it should be"));
        before = document;
        must_act(w, v, id, "set_verdict", body, now);
    }
    json_decref(list);
}

#endif
