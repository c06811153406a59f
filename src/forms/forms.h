/* forms.h - the forms of the Rules, filled in: checked, as JSON, as PDF.
 *
 * Owns      nothing: forms belong to the edition, values to the caller.
 * Promises  1. The Kazakh form is printed exactly by the annex: its labels, order and numbers; Russian follows it.
 *           2. The same document gives the same bytes, JSON and PDF: the time of making is an argument.
 *           3. Values are hostile. Text is bounded (FORM_TEXT_MAX shown, the rest is said to be cut); control bytes
 *              become visible (\x1b), bidirectional overrides and invisible characters too (<U+202E>); bytes that are
 *              not UTF-8 as well; nothing is read as markup.
 *           4. What is missing never stops a notice unless the field is "required": "if in log" fields and the
 *              source address of Annex 7 do not (requirements 9.3 point 8).
 *           5. A form that the Rules do not prescribe says so on paper.
 *           6. The number of the notice and its TLP 2.0 mark stand on every page, in head and foot.
 *           7. A form that is not prescribed names sender, addressees and paragraph above its table; the annexes stay as they are.
 * Threads   any; Pango's font map belongs to the calling thread.
 * Units     moments are time_ns; printed dd.mm.yyyy HH:mm in the zone of the world, with :ss where there are
 *           seconds.
 * Source    Annexes 1, 2, 7; requirements section 6. */
#ifndef SAQSHY_FORMS_FORMS_H
#define SAQSHY_FORMS_FORMS_H

#include "duty/duty.h"

#define FORM_TEXT_MAX   (32u * KIB) /* bytes of one value that are printed; the JSON document has all of it */
#define FORM_LINES_MAX  400         /* line ends of one value that are printed */
#define FORM_VALUES_MAX 128
#define FORM_LIST_MAX   1000        /* entries of one list value */
#define FORM_JSON_MAX   (1u * MIB)
#define FORM_PAGES_MAX  600         /* what all fields at their bounds need, and room */

enum form_value_kind {
    FORM_EMPTY,   /* not given */
    FORM_TEXT,    /* text; of an enum field the value's id; of a date field "2026-03-20" */
    FORM_LIST,    /* texts or ids; indicators of compromise as "KIND TEXT", "ip 203.0.113.7" */
    FORM_INSTANT, /* date and instant fields */
    FORM_NO_DATA, /* "no data in the log", said explicitly */
    FORM_CELLS    /* of compound fields: list has count rows of as many texts as the field has cells; text is the JSON */
};

struct form_value {
    struct str           id; /* identifier of the field, "detected_at" */
    enum form_value_kind kind;
    struct str           text;
    const struct str    *list;
    size_t               count;
    time_ns              at;
};

struct form_values {
    struct form_value v[FORM_VALUES_MAX];
    size_t            count;
};

/* form_set_… - put a value, replacing one of the same id. Texts are borrowed. False if the set is full. */
bool form_set_text(struct form_values *vs, struct str id, struct str text);
bool form_set_list(struct form_values *vs, struct str id, const struct str *list, size_t count);
bool form_set_instant(struct form_values *vs, struct str id, time_ns at);
bool form_set_no_data(struct form_values *vs, struct str id);
const struct form_value *form_value_find(const struct form_values *vs, struct str id);

/* forms_values_read - values out of a JSON object {"detected_at":"2026-03-20T23:50:00+05:00","iocs":["…"],
 * "source_ip":{"no_data":true},"note":null}. One value may stand for a list of one; an indicator of compromise is
 * {"type":"ip","value":"203.0.113.7"}. Texts live in the arena. -EBADMSG names the field: unknown name, wrong type,
 * unknown enum value, "none" beside others, not a moment. Does not ask whether anything is missing. */
MUST_USE int forms_values_read(const struct duty_world *w, const struct form *f, struct str json, struct arena *a,
                               struct form_values *out, struct err *e);
/* forms_values_write - the same object, fields in the form's order. */
void forms_values_write(const struct duty_world *w, const struct form *f, const struct form_values *vs, struct buf *out);

/* forms_missing - required fields without a value, in the form's order. Returns how many there are; at most max are
 * put into out. 0: the document can be sent. */
size_t forms_missing(const struct form *f, const struct form_values *vs, const struct form_field **out, size_t max);

struct form_document {
    const struct duty_world  *world;
    const struct catalog     *catalog;
    const struct form        *form;
    const struct form_values *values;
    const struct form_values *said[LANG_COUNT];  /* texts that are said otherwise in a language; NULL: none */
    struct str                case_number;
    struct str                notice_number;     /* on each page; empty: there is none yet */
    struct str                sender, paragraph; /* above a form that the Rules do not prescribe; empty: not said */
    const struct str         *addressees;
    size_t                    addressee_count;
    struct str                tlp;               /* "amber", on each page as TLP 2.0 asks; empty: no mark */
    time_ns                   produced_at;
    enum lang                 langs[LANG_COUNT]; /* in printing order; usually LANG_KK, LANG_RU */
    size_t                    lang_count;
    bool                      draft;        /* the word for it stands across each page */
    bool                      side_by_side;      /* the first two languages in two columns, A4 landscape */
};

/* forms_render_json - one object: form, edition, case, produced_at, titles, fields with labels, raw values and the
 * texts as printed, extras. */
MUST_USE int forms_render_json(const struct form_document *d, struct buf *out, struct err *e);
/* forms_render_pdf - A4 portrait, one language after the other; side by side landscape. -E2BIG past FORM_PAGES_MAX. */
MUST_USE int forms_render_pdf(const struct form_document *d, struct buf *out, struct err *e);
/* forms_safe_text - how a hostile value is printed (promise 3), in the arena. Newlines stay. *cut (may be NULL) says
 * whether not all of it is there. */
struct str forms_safe_text(struct str s, bool *cut, struct arena *a);
/* forms_cell_text - one cell of a compound field (FORM_CELLS), as printed. */
struct str forms_cell_text(const struct form_document *d, const struct form_field *cell, struct str raw, enum lang lang, struct arena *a);
/* forms_value_text - a field's value as printed in lang; empty if there is none. */
struct str forms_value_text(const struct form_document *d, const struct form_field *f, enum lang lang, struct arena *a);

#endif
