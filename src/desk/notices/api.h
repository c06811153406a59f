/* api.h - what the portal asks of the room "notices"; r->json is the body of the answer of the operation in the comment.
 *
 * Owns      nothing.
 * Promises  those of notices.h and desk.h: authorised here, by role and by the parties of a notice; what is not yours is -ENOENT.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_NOTICES_API_H
#define SAQSHY_DESK_NOTICES_API_H

#include "desk/desk.h"

struct notices_query {
    struct str direction, kind, object, case_id, q, before;   /* empty: all */
    int        limit;
};
MUST_USE int desk_notices(struct desk *d, const struct viewer *v, const struct notices_query *q, time_ns now, struct desk_reply *r); /* listNotices */
MUST_USE int desk_notice(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);                  /* getNotice */
/* desk_notices_table - the journal of the same query as XLSX, or CSV. */
MUST_USE int desk_notices_table(struct desk *d, const struct viewer *v, const struct notices_query *q, bool csv, time_ns now, struct buf *out,
                                struct desk_reply *r);
enum notice_bytes { NOTICE_SENT_PDF, NOTICE_PDF_KK, NOTICE_PDF_KK_RU, NOTICE_CANONICAL, NOTICE_XLSX, NOTICE_CSV };
/* desk_notice_bytes - the PDF that went out, one drawn anew in Kazakh or in Kazakh and Russian side by side, the form as a
 * table, or the frozen bytes. name is for the
 * person's machine, "OUT-2026-000001". */
MUST_USE int desk_notice_bytes(struct desk *d, const struct viewer *v, struct str id, enum notice_bytes what, time_ns now, struct buf *out,
                               char name[64], struct desk_reply *r);
/* desk_notice_file - a descriptor of an attached file or a scan, by its hash; {name, type, size_bytes} in r->json. */
MUST_USE int desk_notice_file(struct desk *d, const struct viewer *v, struct str id, struct str sha256, time_ns now, int *fd, struct desk_reply *r);

MUST_USE int desk_notice_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);      /* issueNotice */
MUST_USE int desk_notice_register(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);    /* registerNotice */
MUST_USE int desk_notice_version(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_notice_paper(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_notice_receipt(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_notice_sign(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_notice_verify(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);           /* verifyNotice */
MUST_USE int desk_webhook(struct desk *d, const struct viewer *v, struct str org, struct desk_reply *r);                             /* getWebhook */
MUST_USE int desk_webhook_set(struct desk *d, const struct viewer *v, struct str org, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_webhook_turn - begin what is due and record what has ended; waits a second at most, what is still on its way goes on in the next turn.
 * Returns how many ended. For the desk's worker. */
MUST_USE int desk_webhook_turn(struct desk *d, time_ns now, struct err *e);
bool webhooks_on_the_way(const struct desk *d);
/* webhooks_end - break off what is on its way; it was put off and is tried again. */
void webhooks_end(struct desk *d);

#endif
