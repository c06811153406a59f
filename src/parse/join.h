/* join.h - audit records of one event, joined: lines in, joined events out.
 *
 *     type=SYSCALL msg=audit(1.5:7): …      ┐
 *     type=SYSCALL msg=audit(1.5:8): …      │ two events, interleaved
 *     type=EXECVE  msg=audit(1.5:7): …      ├─►  "type=SYSCALL …\ntype=EXECVE …\ntype=EOE …" of 7, then 8
 *     type=EOE     msg=audit(1.5:7):        ┘
 *
 * Owns      copies of the lines of events that are open, and of one that is being taken.
 * Promises  1. Every line that was added comes out exactly once, byte for byte, in an event's text with a newline between lines.
 *           2. No fixed count of records. An event ends with its EOE, with join_flush, when a later record of its source is
 *              JOIN_WAIT newer by its own time, by join_expire, or where a limit makes room: the oldest first, told by early.
 *           3. An event whose text would pass EVENT_ORIGINAL_MAX goes out as it is, told by split; its later records make a further one.
 *           4. Records of a user program are events of one line and come out at once.
 *           5. Records are joined by source, node, time and serial; those of different sources never are.
 * Threads   owner.
 * Units     bytes; moments are time_ns of the steady clock, given by the caller. */
#ifndef SAQSHY_PARSE_JOIN_H
#define SAQSHY_PARSE_JOIN_H

#include "event/event.h"

#define JOIN_EVENTS_MAX 4096         /* open at a time */
#define JOIN_BYTES_MAX  (16u * MIB)  /* of all open events */
#define JOIN_WAIT       (2 * NS_PER_SECOND)

struct join;

struct joined {
    struct str text;    /* valid until the next call with this join */
    struct str source;
    uint64_t first;     /* what join_add was given with its first line */
    uint32_t records;
    bool split, early;
};

MUST_USE int join_new(struct join **out, struct err *e);
void join_free(struct join **j);
/* join_kind - what a line is to its event. JOIN_NONE (no audit record) and JOIN_ALONE (of a user program: an event of one
 * record) need no join; JOIN_PART has more to come, JOIN_END is an EOE. Cheap for lines of other logs. */
enum join_kind { JOIN_NONE, JOIN_ALONE, JOIN_PART, JOIN_END };
enum join_kind join_kind(struct str line);
/* join_look - the same, and more: last - no record but the EOE is to come (PROCTITLE; audit.log holds no EOE); id - of the event
 * within its source; stamp_ms - its time. */
struct join_seen {
    enum join_kind kind;
    bool last;
    uint64_t id;
    int64_t stamp_ms;
};
struct join_seen join_look(struct str line);
/* join_add - take a line, best one that is JOIN_PART or JOIN_END. first is the caller's own word, given back with the event. -ENOMEM: it was not taken. */
MUST_USE int join_add(struct join *j, struct str source, struct str line, uint64_t first, time_ns now, struct err *e);
/* join_flush - what is open counts as ended. join_expire - what was begun before now - JOIN_WAIT. */
void join_flush(struct join *j);
void join_expire(struct join *j, time_ns now);
/* join_next - the next event that ended; false: there is none. */
bool join_next(struct join *j, struct joined *out);
/* join_bytes, join_oldest - how much waits; when the oldest was begun (INT64_MAX: none). */
size_t join_bytes(const struct join *j);
time_ns join_oldest(const struct join *j);

#endif
