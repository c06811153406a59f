/* snare.c - Windows events as Snare and its kin send them over syslog, parted by tabs; see forms.h.
 *
 *     MSWinEventLog 1 Security 34769 Mon Sep 22 23:08:01 2025 4608 Provider User SidType Audit Computer Category Data Text Record
 *
 * Relays write a tab as "#011". The text of the event is "Section:   Label:  value   Label:  value": pairs of it come as
 * "Section/Label". */
#include "parse/forms_internal.h"

#define LABEL_MAX 4096 /* of "Account Name:" and the like */

static const struct str columns[] = {
    STR_INIT("criticality"), STR_INIT("log"),      STR_INIT("counter"), STR_INIT("time"),     STR_INIT("event_id"),
    STR_INIT("provider"),    STR_INIT("user"),     STR_INIT("sid_type"), STR_INIT("audit"),   STR_INIT("computer"),
    STR_INIT("category"),    STR_INIT("data"),     STR_INIT("text"),    STR_INIT("record"),
};

bool snare_looks(struct str s)
{
    return str_starts(s, STR("MSWinEventLog")) && s.n > 20 && (s.p[13] == '\t' || s.p[13] == '#' || s.p[13] == ':' || s.p[13] == ' ');
}

/* piece - what stands before the next run of two blanks or more. */
static struct str piece(struct str *s)
{
    size_t n = 0;
    struct str out;

    while (s->n && *s->p == ' ')
        *s = str_cut(*s, 1);
    while (n < s->n && !(s->p[n] == ' ' && n + 1 < s->n && s->p[n + 1] == ' '))
        n++;
    out = str_trim(str_left(*s, n));
    *s = str_cut(*s, n);
    return out;
}

static bool is_label(struct str s) { return s.n > 1 && s.n <= 64 && s.p[s.n - 1] == ':'; }

/* text_pairs - a label behind a label: the first was a section's. */
static void text_pairs(struct str s, struct form_pairs *out)
{
    struct str section = { NULL, 0 }, label = { NULL, 0 };

    while (s.n) {
        struct str p = piece(&s);

        if (is_label(p)) {
            if (label.n)
                section = label;
            label = str_left(p, p.n - 1);
        } else if (p.n && label.n) {
            pairs_add(out,
                     section.n ? ARENA_JOIN(out->arena, word_of(section, LABEL_MAX), STR("/"), word_of(label, LABEL_MAX)) : label, p);
            label = (struct str){ NULL, 0 };
        } else if (p.n) {
            section = (struct str){ NULL, 0 }; /* prose between the sections */
        }
    }
}

bool snare_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct str sep = STR("\t"), cell;

    (void)how;
    if (!take(&s, STR("MSWinEventLog")))
        return false;
    take(&s, STR(":"));
    if (str_chr(s, '\t') < 0)
        sep = STR("#011");
    if (!has(s, sep))
        return false;
    take_until(&s, sep);
    for (size_t i = 0; i < COUNT(columns) && s.n; i++) {
        cell = str_trim(take_until(&s, sep));
        if (cell.n && !str_eq(cell, STR("N/A")))
            pairs_add(out, columns[i], cell);
        if (i == 12)
            text_pairs(cell, out);
    }
    return out->count >= 5;
}
