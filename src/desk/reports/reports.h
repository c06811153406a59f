/* reports.h - the quarterly summaries: paragraph 17 from the centre to KNB, paragraph 18 from KNB to the authorised body.
 *
 * Owns      the tables report, report_file, case_version, duty_version.
 * Promises  1. A figure is a query over what was recorded up to a moment ("as of"): the same quarter and moment give the same figures for ever,
 *              whatever happens later. The rows behind a figure are those that were counted.
 *           2. Each quarter has its two reports, an empty quarter too (F-05, F-06): collecting while it runs, draft when it has ended, sent,
 *              acknowledged. With collecting the duty runs (D-19, D-20); sending fulfils it.
 *           3. What was sent is kept: figures and the bytes of PDF, XLSX and JSON with their SHA-256. A correction is a next version with a reason.
 *           4. The summary of paragraph 18 has no section of IS events (R-18-07).
 *           5. Vulnerabilities are counted as they stood by their versions (vulnerabilities/count.c), violations by their steps (documents); what is
 *              informational alone is no vulnerability.
 * Threads   as struct desk.
 * Units     quarters are calendar quarters in the zone of the node, "2026Q1".
 * Source    Rules 17, 18; requirements R-17-01 to R-18-07, D-19, D-20, F-05, F-06, Q-25. */
#ifndef SAQSHY_DESK_REPORTS_H
#define SAQSHY_DESK_REPORTS_H

#include "desk/desk.h"

#define REPORT_ROWS_MAX   10000   /* behind one figure, in a workbook; the API pages them all */
#define REPORT_TEXT_MAX   DESK_TEXT_MAX
#define REPORT_FILE_MAX   (16u * MIB)

/* --- the API --- */
MUST_USE int desk_reports(struct desk *d, const struct viewer *v, struct str paragraph, int limit, struct str before, time_ns now, struct desk_reply *r);
/* desk_report - with its figures; as_of empty: those it was sent with, or as of now. */
MUST_USE int desk_report(struct desk *d, const struct viewer *v, struct str id, struct str as_of, time_ns now, struct desk_reply *r);
/* desk_report_act - comment {text}, send {}, acknowledge {}, correct {reason}. */
MUST_USE int desk_report_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now,
                             struct desk_reply *r);
/* desk_report_file - format pdf, xlsx or json; as_of empty: of a sent report the bytes that were sent; else drawn anew with the figures of that moment. */
MUST_USE int desk_report_file(struct desk *d, const struct viewer *v, struct str id, struct str format, struct str as_of, time_ns now,
                              struct buf *out, struct desk_reply *r);
struct desk_figures_query {
    struct str paragraph, quarter, as_of;   /* as_of empty: now */
};
/* desk_figures - of any quarter, as of any moment, whether there is a report or not. */
MUST_USE int desk_figures(struct desk *d, const struct viewer *v, const struct desk_figures_query *q, time_ns now, struct desk_reply *r);
struct desk_rows_query {
    struct str figure, part, paragraph, quarter, as_of, before;
    bool       one_part;   /* part says which; "" is the part without a value */
    int        limit;
};
/* desk_figure_rows - what was counted. */
MUST_USE int desk_figure_rows(struct desk *d, const struct viewer *v, const struct desk_rows_query *q, time_ns now, struct desk_reply *r);

/* --- in the background, and for the core --- */
/* reports_tick - the reports of this quarter are there, those of ended quarters are drafts. */
MUST_USE int reports_tick(struct desk *d, time_ns now, struct err *e);
/* case_versions_keep - what the cases changed in this transaction look like at its end; called by db_end before the commit. */
MUST_USE int case_versions_keep(struct desk *d, struct err *e);

#endif
