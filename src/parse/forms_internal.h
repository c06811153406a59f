/* forms_internal.h - the readers of forms, one a file, and what they share; see forms.h.
 *
 * Owns      nothing.
 * Promises  those of forms.h.
 * Threads   any. */
#ifndef SAQSHY_PARSE_FORMS_INTERNAL_H
#define SAQSHY_PARSE_FORMS_INTERNAL_H

#include "parse/forms.h"
#include "parse/internal.h"

#define FORM_READER(name)                                                                                              \
    bool name##_looks(struct str text);                                                                                \
    bool name##_form_read(struct str text, const struct form_how *how, struct form_pairs *out)
FORM_READER(json);
FORM_READER(kv);
FORM_READER(cef);
FORM_READER(leef);
FORM_READER(csv);
FORM_READER(w3c);
FORM_READER(snare);
FORM_READER(winxml);
FORM_READER(elements);
FORM_READER(counted);
#undef FORM_READER

/* csv_cell - the next cell of *s, quotes undone; false at the end. last: this cell ended the line. */
bool csv_cell(struct str *s, char delimiter, struct arena *a, struct str *cell, bool *damaged);
/* cef_other - a key of CEF or LEEF that a parser as data does not name: where the common readers put it. label: its value is told by a label. */
void cef_other(struct work *w, bool leef, struct str key, struct str value, bool label);
/* label_name - "Rule Name" as "rule_name", behind head; in the arena. */
struct str label_name(struct arena *a, struct str head, struct str label);

#endif
