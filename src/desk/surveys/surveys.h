/* surveys.h - surveys for vulnerabilities: from the line of the schedule to the measures of the owner.
 *
 * Owns      the tables survey, survey_person, survey_scope, survey_file, survey_mapping, survey_result, survey_remedy, survey_measure, survey_run.
 * Promises  1. What may be done to a survey, in which state and by whom stands in one table (acts.c), written from requirements 7.5.
 *           2. An act is one transaction: state, clocks, timeline, notices and audit row, or nothing.
 *           3. Works do not begin while a condition of paragraph 11 is missing: the survey is blocked and names the condition.
 *           4. A survey by hand is not completed before the adjacent network is recorded as surveyed or as absent (R-10.2-06).
 *           5. D-12 begins at the completion, D-13 at the receipt of the results; both run through duties.h alone.
 *           6. Owners see a survey of their objects from the first notice about it on, and nothing of its work before the results are sent.
 *           7. A tool of ours runs with the fixed arguments of content/policy/tools.yaml on places of the survey's scope and no others, after
 *              a second press of a lead or a surveyor of the team on the exact command.
 *           8. What the centre does to a survey is done by the survey's own team, by whom it names, and by leads; all of the centre read it.
 * Threads   as struct desk. Files of results are read by the room "vulnerabilities" in a lane of its own: 1 GB holds up no clock.
 * Units     time_ns.
 * Source    paragraphs 10(2), 11, 13 of the Rules; requirements 4.4, 4.6, 4.8, 7.5, D-12, D-13, Q-15, Q-16; docs/surveys.md. */
#ifndef SAQSHY_DESK_SURVEYS_H
#define SAQSHY_DESK_SURVEYS_H

#include "desk/desk.h"

#define SURVEY_SCOPE_MAX    2000   /* places of one survey, of a few addresses each (VULN_SCOPE_MAX in all) */
#define SURVEY_FILES_MAX    500
#define SURVEY_RESULTS_MAX  200
#define SURVEY_PEOPLE_MAX   50
#define SURVEY_TARGETS_MAX  256    /* of one run of a tool */
#define SURVEY_LETTER_ROWS  200    /* vulnerabilities in the letter itself, the gravest first; all of them in its table */

/* --- the API; bodies and answers by docs/openapi.yaml --- */

struct surveys_query {
    struct str object, mode, kind, state, side, main;   /* side: mine, other, ended, all; empty: all that are open */
    bool       overdue, my_team;
    int        limit;
    struct str before;
};
MUST_USE int desk_surveys(struct desk *d, const struct viewer *v, const struct surveys_query *q, time_ns now, struct desk_reply *r);
MUST_USE int desk_surveys_table(struct desk *d, const struct viewer *v, const struct surveys_query *q, bool csv, time_ns now, struct buf *out,
                                struct desk_reply *r);
MUST_USE int desk_survey(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_survey_create - one that no schedule names: body {object_id, mode, kind, main_id, from_on, to_on, reason}. */
MUST_USE int desk_survey_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_survey_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now,
                             struct desk_reply *r);
MUST_USE int desk_survey_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_survey_file(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r);
/* desk_survey_result_add - body {upload_id, format, mapping}: a scanner's file, read later in the background. */
MUST_USE int desk_survey_result_add(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_survey_result_file(struct desk *d, const struct viewer *v, struct str id, struct str result, time_ns now, int *fd,
                                     struct desk_reply *r);
/* desk_survey_vulnerabilities - what was found, with what is recommended and what the owner answered; a page. */
MUST_USE int desk_survey_vulnerabilities(struct desk *d, const struct viewer *v, struct str id, int limit, struct str before, time_ns now,
                                         struct desk_reply *r);
MUST_USE int desk_survey_vulnerabilities_table(struct desk *d, const struct viewer *v, struct str id, bool csv, time_ns now, struct buf *out,
                                               struct desk_reply *r);
/* desk_survey_comparison - of a control survey with its main one. */
MUST_USE int desk_survey_comparison(struct desk *d, const struct viewer *v, struct str id, struct str verdict, int limit, struct str before, time_ns now,
                                    struct desk_reply *r);
/* desk_survey_cover_declare, desk_survey_take_in - people of the survey say where its tools looked, or that a host found outside its scope belongs to it. */
MUST_USE int desk_survey_cover_declare(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_survey_take_in(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* Tools of ours that may run, and whether they are there; saved mappings of tables. */
MUST_USE int desk_survey_tools(struct desk *d, const struct viewer *v, struct desk_reply *r);
MUST_USE int desk_survey_mappings(struct desk *d, const struct viewer *v, struct desk_reply *r);
MUST_USE int desk_survey_mapping_save(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_survey_headings - body {upload_id, sheet}: the headings and first rows of a finished upload that is a table; nothing is taken. */
MUST_USE int desk_survey_headings(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);

/* --- for other rooms and the worker --- */

struct call;

/* survey_takes - may results come to this survey now? -ENOENT beyond the viewer's scope, -EINVAL "mode" if it is of another mode, -EPROTO in a state that takes
 * none. object_id is in the arena. */
MUST_USE int survey_takes(struct call *c, int64_t survey, const char *mode, struct str *object_id);
struct blob;
/* survey_result_bring - a file that another room made as a result, in its transaction: with its line and audit row, as if a person had uploaded it. */
MUST_USE int survey_result_bring(struct call *c, int64_t survey, const struct blob *b, struct str format, int64_t *id);

/* surveys_tick - what time brings: surveys of lines of agreed schedules, moved and cancelled ones; runs that the role "tools"
 * has begun or ended. Returns how many were made. */
MUST_USE int surveys_tick(struct call *c);

#endif
