/* waiting.h - events that wait to become blocks: taken into a payload as they come, put in order when they leave.
 *
 * Owns      its payload, the numbers of its events and, when it was sorted, their shapes and order.
 * Promises  1. Events are copied: nothing is kept of whoever brought them.
 *           2. Memory: some 150 bytes an event that is like others, its texts at most; sorting takes 40 bytes an event and 8 a text of it for as long as it is sorted.
 *           3. At least one event is taken, however large; no more than whoever reads their block can hold.
 * Threads   owner.
 * Units     rows are events as they came; places in the order are events by day of receipt, time, number. */
#ifndef SAQSHY_STORE_WAITING_H
#define SAQSHY_STORE_WAITING_H

#include "event/shaped.h"

struct waiting {
    struct event_encoder *encoder;
    struct buf            payload;
    size_t                count, most, bytes_most;
    size_t                bytes;         /* of the events, as event_bytes counts them */
    uint64_t             *seq;           /* of each row */
    struct shaped         shaped;        /* when sorted */
    uint32_t             *order;         /* rows; when sorted */
    bool                  ended, sorted; /* ended: nothing is added any more */
};

/* waiting_init - for so many events (at most EVENT_BATCH_MAX) and bytes. False without memory; waiting_free it all the same. */
bool waiting_init(struct waiting *p, size_t most, size_t bytes_most);
void waiting_free(struct waiting *p);
void waiting_reset(struct waiting *p);
/* waiting_add - as many of the events, from the first on, as there is room for: *taken; none once they were to be sorted. -ENOMEM: all its events are lost. */
MUST_USE int waiting_add(struct waiting *p, const struct event *events, size_t count, size_t *taken, struct err *e);
/* waiting_sort - once all are there; from then on nothing is added until it is reset. What failed may be tried again. */
MUST_USE int waiting_sort(struct waiting *p, struct err *e);
/* waiting_day - the day of receipt of the event at this place. */
int32_t waiting_day(const struct waiting *p, size_t at);
/* waiting_day_end - the first place behind at of another day. */
size_t waiting_day_end(const struct waiting *p, size_t at);
static inline time_ns waiting_time(const struct waiting *p, size_t at) { return p->shaped.time[p->order[at]]; }
static inline uint64_t waiting_seq(const struct waiting *p, size_t at) { return p->seq[p->order[at]]; }

#endif
