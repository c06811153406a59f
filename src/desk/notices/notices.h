/* notices.h - every outgoing and incoming notice: who was told what, when, by which channel, and what proves it.
 *
 * Owns      the tables notice_record (what was said), notice (its deliveries), notice_party, _document, _receipt, _paper, _signature, _check
 *           and org_webhook.
 * Promises  1. A notice is made in the transaction of the act that sends it: there with its commit, or not at all.
 *           2. Its record is frozen: number, parties, text, form and documents as canonical JSON with a SHA-256; triggers refuse any change. A
 *              correction is a next version with a reason, linked to the one before.
 *           3. In the portal's inbox it is there at once; a letter or a webhook is queued and tried until it is accepted or lastingly refused.
 *           4. An organisation sees the notices that it sent or that were addressed to it, and no others (-ENOENT).
 *           5. A signature keeps its file, every verdict with its reason, and the moment it was laid before us; it is judged as of that moment.
 * Threads   as struct desk.
 * Source    requirements 4.3, 4.7, 4.11; docs/cases.md, docs/formats.md (canonical bytes). */
#ifndef SAQSHY_DESK_NOTICES_H
#define SAQSHY_DESK_NOTICES_H

#include "desk/internal.h"

#define NOTICE_ADDRESSEES_MAX 64
#define NOTICE_TITLE_MAX      500       /* letters */
#define NOTICE_TEXT_MAX       16000
#define NOTICE_CANONICAL_MAX  MIB
#define NOTICE_DOCUMENTS_MAX  20

/* A file that goes with a notice; its bytes lie in DATA/documents by their hash. */
struct notice_file {
    struct str sha256, name, type;
    int64_t    size_bytes;
};

struct notice_new {
    const char           *kind;       /* "information_request", "logging_change" …: texts notice.kind.* of the catalogue */
    const char           *paragraph;  /* of the Rules: "15"; NULL: none */
    const struct subject *about;
    const char           *form;       /* id of a form of the edition with values below; NULL: a plain text */
    const json_t         *values;     /* borrowed; by identifiers of the form's fields, as in forms.h */
    struct str            title, text;/* shown in inbox and letter; for a form: what goes with it, may be empty ({NULL,0}: the form's own title) */
    const struct str     *orgs;       /* addressees: organisations by id; {NULL,0}: the centre */
    size_t                org_count;
    const char           *tlp;        /* clear, green, amber, amber+strict, red; NULL: amber */
    int64_t               corrects;   /* id of the notice of which this is a new version; 0: none */
    struct str            reason;     /* of a correction */
    const struct str     *sender;     /* organisation; NULL: that of the viewer if they act for one, else the centre */
    const struct notice_file *files;
    size_t                file_count;
    bool                  paper_only; /* addressees get nothing by wire: only the record is made */
    bool                  incoming;   /* came from outside (paper, another system): sender_name says whose, deliveries are not made */
    const char           *via;        /* of an incoming one: "link"; NULL: somebody registered it by hand */
    struct str            sender_name, outer_number, outer_date;
};

/* notice_issue - put the notice to all its addressees: inbox of each organisation, letters to the persons on duty there, webhook if it has one.
 * *id (may be NULL) is its record. -EINVAL with a field ("values.X", "addressees", "reason") if something is missing. */
MUST_USE int notice_issue(struct call *c, const struct notice_new *n, int64_t *id);
/* notice_orgs - organisations of a kind ("knb", "authorised_body"), for addressees. */
MUST_USE int notice_orgs(struct call *c, const char *kind, struct str out[NOTICE_ADDRESSEES_MAX], size_t *count);
/* notice_fulfils - the moment at which the notice counts as sent (its record is made), and the one at which its paper part is recorded (0: not yet):
 * some duties want both (D-01, D-02). */
MUST_USE int notice_moments(struct call *c, int64_t id, time_ns *made_at, time_ns *paper_at);
/* notices_of - records of a subject, newest last, an array of schema NoticeRecord, for rooms that show them. */
MUST_USE int notices_of(struct call *c, const struct subject *s, json_t **out);

#endif
