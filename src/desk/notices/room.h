/* room.h - what the files of the room "notices" share.
 *
 * Owns      see notices.h.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_NOTICES_ROOM_H
#define SAQSHY_DESK_NOTICES_ROOM_H

#include "desk/notices/notices.h"

/* A record on its way into the table. */
struct notice_made {
    const struct notice_new *n;
    int64_t    id, case_id;
    char       number[32];
    struct str subject_id;
    struct str sender, sender_name;                    /* sender {NULL,0}: the centre, or somebody without a row */
    struct str to[NOTICE_ADDRESSEES_MAX], to_name[NOTICE_ADDRESSEES_MAX];
    struct str title;
    struct duty_world   world;                         /* with the edition to which the subject belongs */
    const struct form  *form;                          /* of that edition; the plain letter if n->form is NULL */
    struct form_values *values;
    json_t    *canonical_values;                       /* owned */
    char       sha256[65], pdf_sha256[65];
    int64_t    pdf_size;
    int64_t    first_id, version;
};

/* --- record.c --- */
MUST_USE int record_prepare(struct call *c, struct notice_made *m);
MUST_USE int record_insert(struct call *c, struct notice_made *m);
extern const char *const tlp_values[];

/* --- list.c --- */
/* Condition for SQL: a record or a delivery n, whose case may be labelled, may be known to a person bound as "user" of the organisation bound as ?2;
 * ?1 = 0: everything may. The notice to the KNB goes to it by law, whatever the label. */
#define NOTICE_TOLD(n, user)                                                                                                         \
    "(?1 = 0 OR " n ".case_id IS NULL OR " n ".kind = 'knb_notice' OR EXISTS (SELECT 1 FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE" \
    " k.id = " n ".case_id AND " CASE_TOLD(user) "))"
/* Columns of a delivery n for a viewer bound as ?1 and ?2: a party sees its own mail addresses and, of the others, whose they are. */
#define ADDRESS_SHOWN "(?1 = 0 OR n.channel <> 'email' OR n.org_id = ?2 OR " ADDRESS_OWN("n.addressee") ")"
#define ADDRESS_OR_NAME                                                                                                              \
    "iif(" ADDRESS_SHOWN ", n.addressee, coalesce((SELECT an.name FROM org an WHERE an.id = n.org_id), (SELECT ap.name FROM notice_party ap WHERE"      \
    " ap.record_id = n.record_id AND ap.side = 'to' LIMIT 1), '—'))"
/* notice_seen - -ENOENT unless the viewer is of its parties or reads all. */
MUST_USE int notice_seen(struct call *c, int64_t id);
/* notice_json - schema NoticeRecord. */
MUST_USE int notice_json(struct call *c, int64_t id, json_t **out);

/* --- text.c --- */
/* notice_body - the letter: head, text, the whole form, first in one language, then the two others. */
struct str notice_body(struct call *c, const struct notice_made *m, enum lang first);
/* notice_form_text - a filled form as lines of text. */
void notice_form_text(struct call *c, const struct duty_world *w, const struct form *form, const struct form_values *values, enum lang lang, struct buf *b);
struct str tlp_mark(struct call *c, struct str tlp);   /* "TLP:AMBER+STRICT", as TLP 2.0 writes its labels; without one AMBER */
struct str notice_subject_line(struct call *c, const struct notice_made *m, enum lang lang);

/* name_shown - the centre's own name in the reader's language, whichever it was kept in; any other name as it is. */
struct str name_shown(struct call *c, struct str stored);
/* title_shown - a title that is the form's own is told in the reader's language. form {NULL,0}: as it is. */
struct str title_shown(struct call *c, struct str title, struct str form, struct str edition);

/* --- sheet.c --- */
/* notice_sheet - the form of a notice as a workbook, or as CSV. */
MUST_USE int notice_sheet(struct call *c, const struct form_document *d, bool csv, struct buf *out);

/* --- of_case.c --- */
/* case_record - the record of a letter of a case, made with the first of its deliveries; 0 without a document. */
MUST_USE int case_record(struct call *c, const struct kase *k, const struct letter *l, int64_t *id);
/* case_form_text - the whole form of the letter's document, in Kazakh and Russian. */
void case_form_text(struct call *c, const struct kase *k, const struct letter *l, struct buf *b);

/* --- deliver.c --- */
#define RECIPIENTS_MAX 100
struct recipient {
    struct str email;
    enum lang  lang;
};
struct recipients {
    size_t           count;
    struct recipient at[RECIPIENTS_MAX];
};
/* recipients_from - rows (address, language) of a query, each address once. */
MUST_USE int recipients_from(struct call *c, struct recipients *r, sqlite3_stmt *st);
/* recipients_of_object - the persons to reach about an object: those on duty first (R-A1-11), each address once. role (may be NULL): only these. */
MUST_USE int recipients_of_object(struct call *c, struct str object_id, const char *role, struct recipients *r);
MUST_USE int notice_deliver(struct call *c, const struct notice_made *m);
/* message_id_make - fixed when the letter is queued: a second try after a lost answer is the same letter to the receiver. */
MUST_USE int message_id_make(struct call *c, char out[120]);

/* --- webhook.c --- */
struct sockaddr;
/* webhook_address_private - loopback, private, link-local, documentation, multicast: nothing that a stranger's name may lead us to. */
bool webhook_address_private(const struct sockaddr *s);
/* webhook_sign - "sha256=HEX": HMAC-SHA-256 of the body. */
void webhook_sign(struct str key, struct str body, char out[72]);

/* --- documents: DATA/documents --- */
MUST_USE int document_keep(struct call *c, const char *sha256, const char *ending, struct str bytes);

#endif
