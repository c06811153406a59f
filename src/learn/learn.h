/* learn.h - text that no parser took apart, cut into templates: what stays the same from line to line, and what does not.
 *
 * Log lines are printed by few statements of a program. Given the texts of one place in the lines of one kind - the message of an unparsed
 * line, a statement of SQL, a path - learn_cut finds those that were printed alike and cuts them where they differ:
 *
 *     group 1   |Connection from |10.0.0.7| port |4711| closed after |0.25|s|        pieces 0, 2, 4 … are static: the caller stores them once a group
 *               |Connection from |10.0.0.9| port |50123| closed after |11.5|s|       pieces 1, 3, 5 … are slots: a column each
 *     group 0   panic: runtime error                                                 whole: nothing like it came often enough
 *
 * How: a text is read into tokens and what separates them (tokens.c); a text that looks like one before is read along that one (trail.c). Texts
 * whose separators are the same byte for byte are kin; kin with the same words are a shape (shapes.c). A word with no digit in it that is no value
 * of a name is taken for one of the program, until it comes in too many kinds: that is remembered from call to call (kin.c). Shapes that are kin,
 * or are it up to their second, fourth … token, become groups, divided by their words as long as that explains more than it costs (groups.c).
 * What stays the same in all texts of a group is static. Slots side by side that always move together are one; so are slots that say the same,
 * with all between them: a compressor sees a repetition in one column, but not in two (slots.c).
 *
 * What columns are worth depends on what is compressed together. The static pieces tell a compressor much of what stands in strings and in whole
 * texts: they belong in front of those, or into its dictionary. Many small columns, each compressed alone, take more than the texts did
 * (bench/README.md).
 *
 * Owns      struct learner its memory: what it has to remember and what learn_out shows, which is borrowed until the next call or learner_free.
 * Promises  1. Pieces one behind the other are the text, whatever its bytes. What was learned decides where is cut, never what a text is.
 *           2. All rows of a group > 0 have the same number of pieces, an odd one of at most LEARN_PIECES_MAX. Pieces 0, 2, 4 … have the same
 *              bytes in all its rows and may be empty; the others may differ. Static pieces are compared before a text is cut.
 *           3. A group > 0 has at least LEARN_ROWS_MIN rows.
 *           4. A word - letters, digits, '_' and bytes from 0x80 on - is never cut: an index of the words of each piece is an index of the words
 *              of the text. Nor is an IPv4 address, nor a MAC address or a UUID that stands by itself.
 *           5. The same texts after the same calls give the same cuts.
 *           6. Hostile texts cost no more than others: LEARN_TEXT_MAX bytes and LEARN_TOKENS_MAX tokens of a text are looked at, at most
 *              LEARN_SHAPES_MAX shapes in a call; what is beyond stays whole or is a last slot. What is remembered has 4,096 places; those that
 *              were not used for longest go.
 * Threads   owner.
 * Units     offsets are bytes from the begin of a text. A learner takes 1.2 MiB, and for a call 4 bytes a token, 4 a cut and 20 a text, which it
 *           keeps for the next; at most 128 MiB, whatever the texts.
 * Source    engine/store.md 2.6 and 3.3. The idea of a tree of templates by length and words: He et al., Drain (ICWS 2017). */
#ifndef SAQSHY_LEARN_LEARN_H
#define SAQSHY_LEARN_LEARN_H

#include "base/base.h"

#define LEARN_TEXTS_MAX  65536u               /* of one call: as many as a block has events */
#define LEARN_TEXT_MAX   65535u               /* a longer text stays whole */
#define LEARN_ROWS_MIN   24u
#define LEARN_SLOTS_MAX  48u
#define LEARN_PIECES_MAX (2 * LEARN_SLOTS_MAX + 1)
#define LEARN_TOKENS_MAX  160u                 /* of a text; what stands behind is part of its last piece */
#define LEARN_SHAPES_MAX 8192u                /* in a call; texts of further ones stay whole */

struct learn_out {
    const uint32_t *group;    /* of each row; 0: whole */
    const uint32_t *rows;     /* of each group, [0] the whole ones: groups + 1 of them */
    uint32_t        groups;   /* those that have rows, numbered from 1 by the first row of each */
    const uint32_t *first;    /* count + 1: where the cuts of a row begin in cut */
    const uint32_t *cut;      /* offsets, none before the one in front of it; n cuts make n + 1 pieces */
};

struct learner;

/* learner_new - NULL without memory. */
struct learner *learner_new(void);
void learner_free(struct learner **l);

/* learn_cut - cut count texts, at most LEARN_TEXTS_MAX. origin: texts of one origin are alike (an event's shape and the piece of it), so that what
 * was learned of it last time serves again. 0; -EINVAL for more texts; -ENOMEM. */
MUST_USE int learn_cut(struct learner *l, uint64_t origin, const struct str *texts, size_t count, struct learn_out *out, struct err *e);

#endif
