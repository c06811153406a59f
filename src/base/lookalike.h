/* lookalike.h - Cyrillic letters that look like Latin ones or digits, where Latin is meant: "Wіndows" with a Cyrillic і.
 *
 * Owns      nothing.
 * Promises  1. A word of Cyrillic alone is never told as mixed; a hyphen, a digit or a sign parts words ("IP-адрес" are two).
 * Threads   any.
 * Source    Annex 4 is written with such letters itself (Q-39, T-26); a search for the Latin word finds the other only where it says "~" (query.h). */
#ifndef SAQSHY_BASE_LOOKALIKE_H
#define SAQSHY_BASE_LOOKALIKE_H

#include "base/base.h"

/* lookalike_mixed - the first letter that looks like a Latin one, in a word that has Latin letters too and no Cyrillic ones besides such.
 * Its offset in s, or -1. */
ptrdiff_t lookalike_mixed(struct str s);
/* lookalike_any - the first letter that looks like a Latin one or a digit, wherever it stands: for addresses, dates, times. */
ptrdiff_t lookalike_any(struct str s);

/* lookalike_latin - the small Latin letter, or the digit, that a small Cyrillic letter looks like in either of its cases ("В" is a "B", so "в" is
 * a "b" here); 0 for those that look like none. */
char lookalike_latin(unsigned small);

#endif
