/* internal.h - what the files of the module share. docs/formats.md has the layouts.
 *
 *      encode.c     which kind; the encoder             column.c     the reader: opening, bounds, what is common to all kinds
 *      different.c  counting different values           table.c, strings.c, numbers.c, long.c, times.c   the kinds: bytes, values, answers
 *      guess.c      which form texts may have           form.c, pattern.c, digits.h   numbers as texts of one form, both ways
 *      estimate.c   what a compressor will make of it   pack.c       numbers as bytes
 *      except.c     rows that are not in the form       needle.c, aside.c   bytes in many values at once
 *      bounds.c     what a head says of all values          bits.c   bitmaps of rows */
#ifndef SAQSHY_COLUMN_INTERNAL_H
#define SAQSHY_COLUMN_INTERNAL_H

#include "column/column.h"
#include "column/digits.h"

#define DIFFERENT_SLOTS  (2 * COLUMN_ROWS_MAX)
#define CONSTANT_MAX     1024u     /* bytes of a constant in the head; a longer one is a table of one */
#define BOUNDS_SET_FROM  512u      /* texts of so many bytes together are worth sixteen for the set of their bytes */
#define EXCEPT_ROWS      16u       /* one row of so many may be not in the form of its column */
#define EXCEPT_MAX       (COLUMN_ROWS_MAX / EXCEPT_ROWS)
#define FORM_AFFIX_MAX   32u       /* bytes that every number of a column has before it, or behind it */
#define FORM_PATTERN_MAX 160u      /* a SHA-512 in hexadecimal, and some room */
#define FORM_NUMBER_MAX  24u       /* 20 digits, a point; an address and the point behind it */
#define FORM_RUNS_MAX    20u       /* stretches of digits in a pattern */
#define FORM_TEXT_MAX    192u      /* whatever a form writes, and FORM_SLACK */
#define FORM_SLACK       32u       /* a form may scribble so far behind what it writes */
#define LONG_BYTES_MAX   ((FORM_PATTERN_MAX + 1) / 2)
#define LONG_STRIDE      64u       /* digits of 64 rows are read and written together, aside */
#define TIME_FORM_MAX    48u       /* whatever a form of time writes */
#define TIME_TEXT_ROOM   (TIME_FORM_MAX + 16)
#define TIME_LAYOUTS     15u
#define ESTIMATE_BYTES   (16u * KIB)
#define ESTIMATE_SHORT   1024u

/* texts_ahead - values lie in the lines of their events, far from each other: the memory is asked for some rows before they are read. */
static inline void texts_ahead(const struct str *values, size_t count, size_t row)
{
    if (row + 24 < count) {
        __builtin_prefetch(values[row + 24].p);
        __builtin_prefetch(values[row + 24].p + values[row + 24].n);
    }
}

/* --- bits.c: bitmaps of rows --- */

static inline bool bit_test(const uint64_t *rows, size_t i) { return rows[i / 64] >> (i % 64) & 1; }
static inline void bit_clear(uint64_t *rows, size_t i) { rows[i / 64] &= ~(UINT64_C(1) << (i % 64)); }
static inline void bit_set(uint64_t *rows, size_t i) { rows[i / 64] |= UINT64_C(1) << (i % 64); }
size_t bits_count(const uint64_t *rows, size_t count);
/* bits_all - the first count bits set, those of the last word behind them clear. */
void bits_all(uint64_t *rows, size_t count);
void bits_none(uint64_t *rows, size_t count);
/* bits_first - the first n of 64. */
static inline uint64_t bits_first(size_t n) { return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1; }
/* bits_of_bytes - bit i is byte i, which is 0 or 1. */
uint64_t bits_of_bytes(const unsigned char bytes[64]);

/* --- bounds.c: which bytes the values have, and how long they are --- */

/* Bytes from 0x80 on share the bits of the 32 control bytes, which texts hardly have. */
struct bounds {
    uint64_t set[2];
    size_t   shortest, longest;
};
void bounds_start(struct bounds *b);
void bounds_add(struct bounds *b, struct str value);
/* The two halves of it: for many values at once, whose bytes lie one behind the other. */
void bounds_length(struct bounds *b, size_t n);
void bounds_bytes(struct bounds *b, struct str bytes);
void bounds_put(const struct bounds *b, size_t bytes, struct buf *head);
/* bounds_read - all bytes and the lengths as they stand, where the head has no set. */
void bounds_read(struct bounds *b, struct reader *head);
/* bounds_refuse - no value within them can answer yes. */
bool bounds_refuse(const struct bounds *b, const struct column_question *q);

/* --- needle.c --- */

struct needle {
    struct str bytes;
    bool       fold;
    unsigned char first[2], last[2];    /* what is or-ed to a byte to fold it; what it then is */
};
struct needle question_needle(struct str bytes, bool fold);
/* needle_find - where it stands first in text, at from or later; SIZE_MAX: nowhere. An empty one stands nowhere. */
size_t needle_find(const struct needle *n, struct str text, size_t from);

/* --- aside.c --- */

/* Texts of the rows of one word of a bitmap, one behind the other. */
struct aside {
    size_t   count;
    uint32_t end[64];
    uint8_t  row[64];       /* which bit of the word */
    char     text[64 * FORM_TEXT_MAX];
};
/* aside_next - room for one more text. */
static inline char *aside_next(struct aside *a) { return a->text + (a->count ? a->end[a->count - 1] : 0); }
static inline void aside_add(struct aside *a, unsigned row, size_t bytes)
{
    a->end[a->count] = (uint32_t)(aside_next(a) - a->text + (ptrdiff_t)bytes);
    a->row[a->count++] = (uint8_t)row;
}
/* aside_ask - the rows whose text answers yes. */
uint64_t aside_ask(const struct aside *a, const struct column_question *q, const struct needle *n);

/* --- different.c --- */

struct different {
    uint32_t *slot;     /* hash -> row where a different value stood first, from 1; 0: free. DIFFERENT_SLOTS */
    uint32_t *first;    /* the row where each different value stood first */
    uint16_t *code;     /* of each row */
    size_t    count, bytes;
};
/* different_pays - so few different values of so many rows that a table is worth it. */
bool different_pays(const struct different *d, size_t count);
/* different_numbers - the same as different_count for numbers in a narrow range, by the numbers themselves; each: of every different value. 1: counted; 0: too many differ;
 * -ERANGE: the range is too wide, and nothing was looked at. */
int different_numbers(struct different *d, const uint64_t *numbers, const struct str *values, size_t count, uint64_t *each);
/* different_count - number the different values of a column. False, and the rest is left as it is, when so many differ that a table would not pay. */
bool different_count(struct different *d, const struct str *values, size_t count);

/* --- estimate.c --- */

struct estimate {
    char   *bytes, *out;            /* owned: the sample, ESTIMATE_BYTES; what it becomes */
    size_t  cap;
    void   *zstd;
    int32_t all[ESTIMATE_SHORT + 1], same[ESTIMATE_SHORT + 1];   /* 1/256 bits: of so many bytes; of so many of one kind among them */
};
MUST_USE int estimate_new(struct estimate *est);
void estimate_free(struct estimate *est);
/* estimate_room - bytes of a sample that a column of so many rows is worth: some nanoseconds a row. */
static inline size_t estimate_room(size_t rows) { return min_size(max_size(rows, ESTIMATE_SHORT), ESTIMATE_BYTES); }
/* estimate_bytes - what the first n bytes of est->bytes will take, compressed. */
size_t estimate_bytes(struct estimate *est, size_t n);

/* --- pack.c --- */

enum pack_way { PACK_BITS, PACK_PLANES, PACK_STEPS, PACK_WAYS };
struct pack {
    uint8_t  way, width;            /* width: of a number; bits or bytes */
    uint64_t least, most;
};
/* pack_choose - the way that takes least room; the bytes it will take once compressed. */
size_t pack_choose(struct pack *p, struct estimate *est, const uint64_t *numbers, size_t count);
void pack_put(const struct pack *p, const uint64_t *numbers, size_t count, struct buf *head, struct buf *frame, bool *dense);
void pack_read(struct pack *p, struct reader *head);
size_t pack_bytes(const struct pack *p, size_t count);
/* pack_group - the 64 numbers (or as many as there are) of rows from on, less the least one; of steps, the folded steps. */
void pack_group(const struct pack *p, const unsigned char *bytes, size_t count, size_t from, uint64_t v[64]);
/* pack_all - all numbers, less the least one. */
void pack_all(const struct pack *p, const unsigned char *bytes, size_t count, uint64_t *numbers);

/* --- form.c --- */

struct form {
    enum column_kind kind;
    enum digits      digits;
    uint8_t          point;             /* COLUMN_DECIMAL: digits behind it; 0: none */
    struct str       prefix, suffix;    /* not of patterns */
    struct str       pattern;           /* a 0 where a digit stands */
    size_t           count;             /* digits in the pattern */
    size_t           runs, eights;      /* pattern_prepare makes the rest */
    struct form_run { uint8_t at, n; } run[FORM_RUNS_MAX];     /* stretches of digits */
    struct form_eight {                 /* eight characters of a text, and what to do with them; the last eight may have some of those before it */
        uint64_t fixed, is_fixed, is_digit;     /* what stands there; which bytes are to be compared, which are digits */
        uint32_t move[3];               /* half bytes that go down by one, two, four places, so that digits come together */
        uint8_t  at, digits;
    } eight[FORM_PATTERN_MAX / 8];
    char             text[FORM_PATTERN_MAX + 8];               /* the pattern, with room behind */
};
/* form_digits_max - digits that a number of 64 bits holds. */
static inline size_t form_digits_max(enum digits d) { return d == DIGITS_DECIMAL ? 19 : 16; }
bool form_take(const struct form *f, struct str v, uint64_t *out);
/* form_write - v's text at to, which has room for form_longest and FORM_SLACK; its length. */
size_t form_write(const struct form *f, uint64_t v, char *to);
size_t form_longest(const struct form *f);
/* form_digits_alone - its texts are decimal digits and nothing else; form_more_than_digits: each has something else. Neither: hexadecimal digits. */
bool form_digits_alone(const struct form *f);
bool form_more_than_digits(const struct form *f);
void form_bounds(const struct form *f, uint64_t least, uint64_t most, struct bounds *b);
void form_put(const struct form *f, struct buf *head);
void form_open(struct form *f, enum column_kind kind, struct reader *head);

/* --- pattern.c --- */

/* pattern_prepare - all that f->pattern needs to be read and written. False: it has no digit, or too many stretches of them. */
bool pattern_prepare(struct form *f);
bool pattern_read(const struct form *f, struct str v, uint64_t *out);
/* pattern_write - f->pattern.n bytes; as form_write. */
void pattern_write(const struct form *f, uint64_t v, char *to);
/* The same of COLUMN_LONG: byte i of the digits stands at i * LONG_STRIDE. */
bool pattern_read_long(const struct form *f, struct str v, unsigned char *to);
size_t pattern_write_long(const struct form *f, const unsigned char *from, char *to);

/* --- guess.c --- */

struct guess {
    size_t      next;                   /* how many were tried */
    uint64_t    least, most;            /* of the numbers of those rows */
    struct form form;
    char        room[FORM_PATTERN_MAX];
};
void guess_begin(struct guess *g);
/* guess_next - the next form, in g->form, that most of a few rows are in; false: no more. */
bool guess_next(struct guess *g, const struct str *values, size_t count);

/* --- times.c --- */

enum zone { ZONE_NONE, ZONE_Z, ZONE_COLON, ZONE_PLAIN, ZONE_HOURS, ZONES };
struct time_form {
    uint8_t layout, digits, zone;       /* digits: of the fraction */
    bool    trimmed, comma;             /* zeros at the fraction's end are left out; a comma is the point */
    int32_t offset_min;
};
/* What the row before left: rows of one second share their text but for the fraction. */
struct time_writer {
    int64_t      second, day;
    int32_t      of_day;
    struct civil date;
    const char  *rest;                  /* of the layout, from the fraction on; NULL: nothing was written yet */
    size_t       n;
    char         text[TIME_FORM_MAX / 2];
};
/* time_write - time's text at to, which has room for TIME_TEXT_ROOM; its length. */
size_t time_write(const struct time_form *f, struct time_writer *w, time_ns time, char *to);

/* --- except.c --- */

struct except {
    uint32_t *row;                      /* owned; EXCEPT_MAX + 1 */
    size_t    count;
};

/* --- encode.c --- */

struct column_encoder {
    column_tell_fn  *tell;
    void            *tell_arg;
    struct different d;
    struct except    x;
    struct estimate  est;
    uint64_t        *numbers, *each;    /* owned: of each row, of each different text */
    unsigned char   *each_bad;          /* owned: the different text is not in the form */
};

/* --- column.c: what a kind does for a reader --- */

struct column {
    enum column_kind kind;
    size_t           count;
    const time_ns   *time;
    column_frame_fn *frame;
    void            *frame_arg;
    struct str       bytes[COLUMN_FRAMES];
    bool             have[COLUMN_FRAMES];   /* the frame was given */
    bool             ready, excepts_ready;  /* the kind has looked through its frames */
    struct bounds    bounds, except_bounds;
    struct str       constant;
    struct form      form;
    struct time_form form_of_time;
    struct pack      pack;
    size_t           different;             /* of a table */
    bool             texts_are_numbers;     /* of a table: form and pack are theirs */
    size_t           excepts;
    /* ask_form - column_ask of rows as if all were in the form. */
    int (*ask_form)(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);
    struct arena     texts;                 /* written for column_values */
    /* Scratch that is kept from one column to the next; owned. */
    struct str      *table;                 /* of different values, or of exceptions; room for table_cap */
    size_t           table_cap;
    uint32_t        *ends;                  /* where the value of each row ends; COLUMN_ROWS_MAX */
    uint32_t        *except_row;            /* EXCEPT_MAX */
    uint64_t        *numbers;               /* of steps; COLUMN_ROWS_MAX */
    unsigned char   *said;                  /* what yes said of each different value; COLUMN_ROWS_MAX */
};

struct column_ops {
    const char *name;
    void (*open)(struct column *c, struct reader *head);
    int (*values)(struct column *c, const uint64_t *rows, struct str *out, struct err *e);
    int (*ask)(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);
};
extern const struct column_ops table_ops, strings_ops, decimal_ops, hex_ops, address_ops, pattern_ops, long_ops, times_ops;

/* column_frame - the bytes of a frame, asked of the caller once. */
MUST_USE int column_frame(struct column *c, unsigned which, struct str *bytes, struct err *e);
/* column_torn - -EBADMSG: the kind's bytes are not what its head says. */
int column_torn(const struct column *c, struct err *e, const char *what);
/* column_memory - *p has room for count cells of size bytes, always the same of one p; 0 or -ENOMEM. Kept until the column is freed. */
MUST_USE int column_memory(void **p, size_t count, size_t size, struct err *e);
MUST_USE int column_table_room(struct column *c, size_t count, struct err *e);
/* column_text_room - *to has room for bytes that live until the column is opened again. */
MUST_USE int column_text_room(struct column *c, size_t bytes, char **to, struct err *e);

/* --- the kinds --- */

void column_table_put(const struct different *d, const struct str *values, size_t count, struct column_out *out);
/* column_table_put_numbers - the same where each different text is a number of a form. */
void column_table_put_numbers(const struct different *d, const struct form *f, const struct pack *p, const uint64_t *each, size_t count, struct column_out *out);
/* What the codes, and the different texts, will take compressed. */
size_t table_codes_cost(const struct different *d, struct estimate *est, size_t count);
size_t table_texts_cost(const struct different *d, struct estimate *est, const struct str *values, size_t count);
void strings_put(const struct str *values, size_t count, struct column_out *out);
/* numbers_too_many - so many exceptions that the form of rows is not theirs. */
bool numbers_too_many(size_t excepts, size_t rows);
/* numbers_read - the numbers of all rows in a form, into k, and the rows that are not in it. counted: k->d has the texts. False: the form does not hold. */
bool numbers_read(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, bool counted);
void numbers_put(struct column_encoder *k, const struct form *f, const struct pack *p, const struct str *values, size_t count, struct column_out *out);
/* long_put, times_put - false: the values are not in such a form, and out is as it was. */
bool long_put(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, struct column_out *out);
bool times_put(struct column_encoder *k, const struct str *values, size_t count, const time_ns *time, struct column_out *out);

void except_put(const struct except *x, const struct str *values, struct column_out *out);
void except_open(struct column *c, struct reader *head);
/* except_values - the values of exceptions, over what the form wrote in their cells; except_ask: c->ask_form, and the answers of exceptions in their place. */
int except_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e);
int except_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);

/* lengths_put - the length of each of count texts (values[which[i]]; which NULL: values[i]), in as few bytes as the longest needs, bytes of one weight side by side;
 * nothing where all are equally long. */
void lengths_put(const struct str *values, const uint32_t *which, size_t count, const struct bounds *b, struct buf *out);
/* texts_put - the bytes of the same texts one behind the other, and which bytes they are into *b. */
void texts_put(const struct str *values, const uint32_t *which, size_t count, struct bounds *b, struct buf *out);
/* lengths_read - take them from *bytes and put where each text ends into ends. False: they do not add up to total (SIZE_MAX: to what is left of *bytes). */
bool lengths_read(struct str *bytes, size_t count, const struct bounds *b, uint32_t *ends, size_t total);

#endif
