/* column.h - the values of one column as bytes, and back.
 *
 * A column is what one place of a shape, or one field, has in each row of a block: process ids, addresses, names of users, the text of a time. Most columns are not
 * free text: they are numbers written in one way, or few different texts, or the event's own time once more. Said as what they are they take little room, and a
 * question is answered of a number, or once a different text, and not once a row.
 *
 *      values -> column_encode -> head (small, stands in the block's directory)
 *                                 frame 0  what a question may need first: table of different values, lengths, exceptions; may be empty
 *                                 frame 1  what each row has; may be empty
 *
 * Nothing in here compresses: frames are plain bytes, laid out so that a compressor finds what there is to find (bytes of one weight side by side, codes of one byte).
 * The caller compresses them, alone if they are large, with other small ones of the block if not. Of a frame that would gain nothing by it column_out says so.
 *
 * Owns      an encoder and a column own scratch memory. An encoder holds at most 4 MiB, besides what the caller gave it to write into. A column holds at most 2 MiB
 *           and the texts that it made since column_open, at most 16 MiB a call of column_values and 64 MiB (-ENOMEM) in all; frames, and values that stand in them
 *           as they are, stay the caller's.
 * Promises  1. Exact: every value comes back as it was, whatever its bytes.
 *           2. A reader trusts nothing: whatever head and frames hold, it answers -EBADMSG or some values, and neither reads past them nor asks for more memory than said.
 *           3. Frames are asked for when they are needed, once each: a question that the head answers (a byte that no value has, a length that none has, a number out of
 *              range) opens none, one that the different values answer opens frame 0 alone.
 *           4. Which kind a column gets depends on its values and times alone: the same ones give the same bytes.
 * Threads   owner: one encoder, one column, one thread.
 * Units     rows count from 0 to at most COLUMN_ROWS_MAX; a bitmap of rows has COLUMN_WORDS(count) words, row i is bit i % 64 of word i / 64.
 * Source    docs/formats.md, "Columns". */
#ifndef SAQSHY_COLUMN_COLUMN_H
#define SAQSHY_COLUMN_COLUMN_H

#include "base/base.h"

#define COLUMN_ROWS_MAX  65536u
#define COLUMN_VALUE_MAX (1u * MIB)      /* bytes of one value: as EVENT_ORIGINAL_MAX */
#define COLUMN_BYTES_MAX (1024u * MIB)   /* of all values of a column: offsets are 32 bits */
#define COLUMN_FRAMES    2
#define COLUMN_WORDS(count) (((size_t)(count) + 63) / 64)

/* How a column is told. The number is on disk. */
enum column_kind {
    COLUMN_CONSTANT,     /* every row has one value: it stands in the head */
    COLUMN_TABLE,        /* few different texts, and a code of one or two bytes a row */
    COLUMN_STRINGS,      /* lengths, and the bytes one behind the other */
    COLUMN_DECIMAL,      /* numbers without leading zeros, with a fixed number of digits behind the point; all may have one prefix and one suffix */
    COLUMN_HEX,          /* hexadecimal behind a prefix ("0x"), without leading zeros, in one case */
    COLUMN_ADDRESS,      /* IPv4, dotted */
    COLUMN_PATTERN,      /* equally long texts that differ in digits only, which make a number: 000123, 00:1a:2b:3c:4d:5e, 2026-11-28 */
    COLUMN_LONG,         /* the same with more digits: UUIDs, sums of files */
    COLUMN_TIME,         /* the event's own time, written in one form */
    COLUMN_KINDS
};

/* column_kind_name - one word for `saqshy stat`: "table". Of what is no kind, "?". */
const char *column_kind_name(enum column_kind kind);

/* --- writing --- */

struct column_encoder;
struct column_encoder *column_encoder_new(void);    /* NULL: no memory */
void column_encoder_free(struct column_encoder **k);

/* column_tell_fn - a value of the column that is being encoded, borrowed for the call. */
typedef void column_tell_fn(void *arg, enum column_kind kind, struct str value);
/* column_encoder_tell - from now on tell the values of each column, before column_encode returns 0: each different one once where they were counted, else the value of
 * each row. fn NULL: no more. */
void column_encoder_tell(struct column_encoder *k, column_tell_fn *fn, void *arg);

struct column_out {
    struct buf head, frame[COLUMN_FRAMES];
    bool       dense[COLUMN_FRAMES];     /* as if random: compressing it gains nothing */
    enum column_kind kind;
};

/* column_encode - append head and frames of count values to *out, whose buffers the caller has made and empties.
 *
 * time: of each row, the event's own; NULL: not known. Values that are that time in a known form cost nothing. A reader must then give the same times.
 * values are borrowed for the call. -E2BIG: too many rows, a value or all together too long, or a buffer's limit; -ENOMEM. */
MUST_USE int column_encode(struct column_encoder *k, const struct str *values, size_t count, const time_ns *time, struct column_out *out, struct err *e);

/* --- reading --- */

/* column_frame_fn - put the bytes of a frame, as column_encode made them, into *bytes, borrowed until the column is opened again or freed. A failure is handed on. */
typedef int column_frame_fn(void *arg, unsigned which, struct str *bytes, struct err *e);

struct column;
struct column *column_new(void);                    /* NULL: no memory */
void column_free(struct column **c);

/* column_open - read a head and leave the reader behind it. No frame is asked for. time as column_encode had it, borrowed like head until the column is opened again;
 * NULL, where there was one, is -EINVAL for a column that needs it. What c gave before is gone. */
MUST_USE int column_open(struct column *c, struct reader *head, size_t count, const time_ns *time, column_frame_fn *frame, void *arg, struct err *e);

enum column_kind column_kind(const struct column *c);
/* column_constant - 1 and *value if every row has this value, else 0. */
int column_constant(const struct column *c, struct str *value);

/* column_values - the values of the rows of a bitmap (NULL: of all) into out, which has count cells; the other cells are left as they are. The texts live until c is
 * opened again or freed. */
MUST_USE int column_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e);

/* What is asked of each row. yes decides; the rest says what follows from yes being true, so that rows can be passed over without asking it. */
struct column_question {
    bool (*yes)(const void *arg, struct str value);
    const void *arg;
    struct str  needle;      /* bytes that every value has of which yes is true; may be empty */
    bool        fold;        /* ASCII letters of needle stand for both cases */
    bool        whole;       /* yes is true exactly of the value that is needle (with fold: but for case) */
    bool        numbers;     /* yes is true exactly of values of decimal digits alone that are least to most, with or without leading zeros */
    bool        addresses;   /* yes is true exactly of IPv4 addresses in dotted form without leading zeros that are, as numbers, least to most */
    uint64_t    least, most;
};
/* column_ask - take out of rows those whose value answers no. yes is called at most once a different value where there is a table, and may be called of values that no row
 * of interest has. */
MUST_USE int column_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);

#endif
