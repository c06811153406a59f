/* notices.h - every outgoing and incoming notice: who was told what, when, by which channel, and what proves it.
 *
 * Owns      the table notice.
 * Promises  1. A notice is put in the transaction of the act that sends it: there with its commit, or not at all.
 *           2. In the portal's inbox it is there at once; a letter is queued and tried until it is accepted or lastingly refused.
 * Threads   as struct desk.
 * Source    requirements 4.3, 4.7, 4.11; docs/cases.md. */
#ifndef SAQSHY_DESK_NOTICES_H
#define SAQSHY_DESK_NOTICES_H

#include "desk/internal.h"

#define NOTICE_ADDRESSEES_MAX 64

struct notice_new {
    const char           *kind;       /* "information_request", "logging_change" …: texts notice.KIND.* of the catalogue */
    const char           *paragraph;  /* of the Rules: "15"; NULL: none */
    const struct subject *about;
    const char           *form;       /* id of a form of the edition with values below; NULL: a plain text */
    const json_t         *values;     /* borrowed */
    struct str            title, text;/* shown in inbox and letter; for a form: what goes with it, may be empty */
    const struct str     *orgs;       /* addressees: organisations by id; {NULL,0}: the centre */
    size_t                org_count;
    const char           *tlp;        /* clear, green, amber, amber+strict, red; NULL: amber */
    int64_t               corrects;   /* id of the notice of which this is a new version; 0: none */
    struct str            reason;     /* of a correction */
};

/* notice_issue - put the notice to all its addressees. *id is its record. -EINVAL with a field if the form lacks what it requires. */
MUST_USE int notice_issue(struct call *c, const struct notice_new *n, int64_t *id);

#endif
