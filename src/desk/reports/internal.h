/* internal.h - what the files of the room "reports" share.
 *
 * Owns      see reports.h.
 * Promises  1. A figure is a row of a table (figures.c): what it counts, how it is parted, which summary has it.
 * Threads   as struct desk.
 * Source    requirements R-17-02 to R-17-07, R-18-02 to R-18-06. */
#ifndef SAQSHY_DESK_REPORTS_INTERNAL_H
#define SAQSHY_DESK_REPORTS_INTERNAL_H

#include "desk/internal.h"
#include "desk/reports/reports.h"

enum { IN_17 = 1, IN_18 = 2 };

struct period {
    char    quarter[8];       /* "2026Q1" */
    time_ns from, to, as_of;  /* to: the first moment of the next quarter */
};
/* period_of - -EINVAL "quarter" if the text is none. */
MUST_USE int period_of(struct call *c, struct str quarter, struct str as_of, struct period *out);
/* quarter_at - the quarter of a moment, in the zone of the node. */
void quarter_at(const struct desk *d, time_ns t, char out[8]);

/* By what the cases of a quarter are told apart; the order is that of the tally's columns. */
enum tally_column { TALLY_NONE, TALLY_state, TALLY_level, TALLY_incident_type, TALLY_rule_id, TALLY_COUNT };

struct figure {
    const char *id, *section;
    unsigned    in;
    const char *count_sql, *rows_sql;   /* NULL: nobody records it yet */
    const char *parts;                  /* how a part is named: "level", "incident_type" (enumerations), "ui.state" … (texts); NULL: no parts */
    enum tally_column column;           /* counted by the tally instead of count_sql, of incidents or of the rest */
    bool        incident;
};
extern const struct figure figures[];
extern const size_t figure_count;
const struct figure *figure_find(struct str id);
/* figures_json - an array of schema Figure: {id, section, label, note, total, parts: [{value, label, count}]}, labels in lang. */
MUST_USE int figures_json(struct call *c, unsigned in, const struct period *p, enum lang lang, json_t **out);
/* figure_rows - at most limit rows from the cursor on: [{kind, id, name, object, at, sort}]. part_given 0: all parts. */
MUST_USE int figure_rows(struct call *c, const struct figure *f, const struct period *p, bool one_part, struct str part, struct str before, int limit,
                         json_t **out);
struct str figure_label(struct call *c, const struct figure *f, enum lang lang);
/* report_edition - the edition in force when the quarter began: by it the summary is drawn, whenever that is. */
const struct edition *report_edition(const struct call *c, const struct period *p);
struct str report_text(struct call *c, enum lang lang, const char *fmt, ...) PRINTF(3, 4);

struct report_head {
    int64_t       id, version;
    struct str    paragraph, state, comment, reason, figures;
    struct period p;
    time_ns       sent_at;
};
/* --- document.c --- */
MUST_USE int report_pdf(struct call *c, const struct report_head *h, struct buf *out);
MUST_USE int report_xlsx(struct call *c, const struct report_head *h, struct buf *out);
MUST_USE int report_json(struct call *c, const struct report_head *h, struct buf *out);

#endif
