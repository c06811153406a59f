/* paper.h - the plan as people hand it over: a table as workbook, CSV and PDF, and the letter to KNB with its answer.
 *
 * Owns      a struct sent owns its buffers until sent_free.
 * Promises  the files of a version are drawn before its transaction; the letter and its form in it.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_SCHEDULE_PAPER_H
#define SAQSHY_DESK_SCHEDULE_PAPER_H

#include "desk/schedule/room.h"

struct sent {
    struct buf text, xlsx, pdf[2];   /* in Kazakh and in Russian; empty where the plan has more pages than one may have (FORM_PAGES_MAX) */
    int64_t    lines, objects;
    int64_t    by_mode[PLAN_MODES][2];   /* main or single, control */
};
void sent_free(struct sent *s);

/* paper_table - lines of the plan (draft 0 or 1) as XLSX or CSV in the viewer's language. where: their scope, see lines.h. */
MUST_USE int paper_table(struct call *c, const struct plan_row *p, int draft, bool xlsx, struct buf *out);
/* paper_pdf - the same on paper, an object a row. -E2BIG past FORM_PAGES_MAX. */
MUST_USE int paper_pdf(struct call *c, const struct plan_row *p, int draft, struct buf *out);
/* paper_files - both, of the draft, and the counts by mode. */
MUST_USE int paper_files(struct call *c, const struct plan_row *p, struct sent *s);
/* paper_tell - the letter to KNB with the form and the files. Without an organisation of KNB in the registry: none, *notice is 0. */
MUST_USE int paper_tell(struct call *c, const struct plan_row *p, const struct sent *s, const char *sha256, struct str note, int64_t *notice);
/* paper_answer - to the centre: the version of this digest is agreed, or returned with remarks. */
MUST_USE int paper_answer(struct call *c, const struct plan_row *p, struct str sha256, const char *decision, struct str remarks);

#endif
