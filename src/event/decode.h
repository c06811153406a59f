/* decode.h - what the readers of all versions of a payload share: the events one by one, tables that grow while they are read, what a shape says of its events.
 *
 * Owns      nothing: tables grow in the batch's arena; what is left behind by growing is less than what is in use.
 * Promises  Nothing that a payload says is believed: each index and number is held against its limit, and memory that lacks is a failure of the reader.
 * Threads   any.
 * Units     as in codec.h. */
#ifndef SAQSHY_EVENT_DECODE_H
#define SAQSHY_EVENT_DECODE_H

#include "event/codec.h"

struct table {
    void  *items;
    size_t count, cap;
};

/* table_at - the item whose index stands next in the payload. The one behind the last is new: it is added, zeroed, and *fresh says so, as its description follows.
 * NULL after a failure. Items move when the table grows. */
void *table_at(struct reader *r, struct arena *a, struct table *t, size_t size, size_t most, const char *what, bool *fresh);
/* name_at - the index of a name in a table of struct str; a new one is read. */
uint32_t name_at(struct reader *r, struct arena *a, struct table *names);

/* What all events of a shape have in common. */
struct common {
    uint32_t marks;
    int32_t  offset_min;
    uint8_t  flags;      /* class | parse << 4 */
};
uint8_t flags_get(struct reader *r);
int32_t zone_get(struct reader *r);
/* field_count_get - how many fields follow. */
uint32_t field_count_get(struct reader *r);
/* common_put - and the times, which are differences from the event before; NULL: from 0. */
void common_put(struct reader *r, const struct common *c, const struct event *before, struct event *ev);

/* one_event - ev is zeroed and has its number. What fails, fails in the reader. */
typedef void one_event(void *arg, struct event *ev, const struct event *before);
/* event_count_get - how many events follow. */
size_t event_count_get(struct reader *r);
/* events_get - so many, one behind the other. */
void events_get(struct reader *r, size_t count, uint64_t first_seq, struct event_batch *batch, one_event *get, void *arg);

#endif
