/* lookalike.h - Cyrillic letters that look like Latin ones or digits, where Latin is meant: "Wіndows" with a Cyrillic і.
 *
 * Owns      nothing.
 * Promises  1. A word of Cyrillic alone is never told as mixed; a hyphen, a digit or a sign parts words ("IP-адрес" are two).
 * Threads   any.
 * Source    Annex 4 is written with such letters itself (Q-39, T-26); a search for the Latin word does not find the other. */
#ifndef SAQSHY_PARSE_LOOKALIKE_H
#define SAQSHY_PARSE_LOOKALIKE_H

#include "base/base.h"

/* lookalike_mixed - the first letter that looks like a Latin one, in a word that has Latin letters too and no Cyrillic ones besides such.
 * Its offset in s, or -1. */
ptrdiff_t lookalike_mixed(struct str s);
/* lookalike_any - the first letter that looks like a Latin one or a digit, wherever it stands: for addresses, dates, times. */
ptrdiff_t lookalike_any(struct str s);

#endif
