/* shape.h - the names of an event, looked up once for all events that have the same.
 *
 * Owns      struct shapes owns the shapes it keeps; it borrows the set.
 * Promises  1. What shapes_find gives is what shapes_make would: names are compared byte for byte, never by their hash alone (of one batch, by
 *              where they stand: shapes_stay).
 *           2. Among the names that an event uses for one field the one of the smallest rank counts; names of equal rank give values
 *              in the event's order.
 *           3. At most SHAPES_MAX shapes are kept, whatever names strangers make up.
 * Threads   owner.
 * Units     values are numbered as struct shape says.
 * Source    docs/detection.md: under which names a field is looked for. */
#ifndef SAQSHY_SIGMA_SHAPE_H
#define SAQSHY_SIGMA_SHAPE_H

#include "sigma/sigma.h"

#define SHAPES_MAX 1024

/* Fields that say where an event comes from, by their own names alone. */
enum origin_name { ON_PROGRAM, ON_DATASET, ON_MODULE, ON_VENDOR, ON_PRODUCT, ON_CATEGORY, ON_TYPE, ON_COUNT };
#define ORIGIN_VALUES_MAX 6   /* values of one of them in an event; one with more takes the plain way */

/* Events with the same names in the same order: which values each field of the rules has. Values are numbered: those of the event's
 * own fields, its original line, then further links to them, and members of the record. */
struct shape {
    uint64_t  serial;                 /* from 1, of no other shape of these shapes, also of none that was given up */
    uint32_t  hash, field_count;      /* of the event */
    uint32_t  value_count, present_count, names_n;
    uint8_t   members;                /* which members of the record are there */
    bool      many;                   /* past ORIGIN_VALUES_MAX */
    uint8_t   origin_count[ON_COUNT];
    uint16_t  origin[ON_COUNT][ORIGIN_VALUES_MAX];   /* places among the event's fields */
    uint16_t  origins;                /* how many of these places there are, of all of them together */
    uint16_t  origin_places[ON_COUNT * ORIGIN_VALUES_MAX];
    uint16_t *first;                  /* by field of the rules: its first value, or VALUE_NONE */
    uint16_t *next;                   /* by value: the next one of the same field */
    uint16_t *source;                 /* of values past the original line: a place among the event's fields, or SOURCE_MEMBER + which */
    uint16_t *present;                /* fields of the rules that are there */
    uint16_t *name_n;                 /* lengths of the names, which stand one after another in names */
    char     *names;
};
#define VALUE_NONE    UINT16_MAX
#define SOURCE_MEMBER 0xFF00u

struct shapes;
MUST_USE int shapes_open(const struct sigma *s, struct shapes **out, struct err *e);
void shapes_close(struct shapes **k);
/* shapes_find - the shape of an event, kept from earlier ones with the same names or made now. Borrowed until the next call. */
MUST_USE int shapes_find(struct shapes *k, const struct event *ev, const struct shape **out, struct err *e);
/* shapes_stay - on: the events from here on keep their names and fields where they are until it is off, so that two names at one place are one. */
void shapes_stay(struct shapes *k, bool on);
/* shapes_make - the same, always made anew. */
MUST_USE int shapes_make(struct shapes *k, const struct event *ev, const struct shape **out, struct err *e);
/* shape_member - the text of a member of the record; one that must be written first is made in a. */
struct str shape_member(const struct event *ev, uint32_t which, struct arena *a);

#endif
