/* codec.h - what the writer and the readers of event payloads share.
 *
 * Payload, version 2. Numbers are LEB128 varints, signed ones zig-zag:
 *
 *   version           1 byte, 2
 *   count             number of events, a varint of three bytes whatever it is
 *   count times:
 *     shape           index of a shape; one that is not there yet (index = shapes so far) is described here:
 *                       class | parse << 4 (1 byte), marks, zone in minutes + 1 zig-zag (0: none), number of fields,
 *                       for each: index of its name; a name that is not there yet (index = names so far): length, bytes
 *     time            difference from the event before (the first: from 0), nanoseconds
 *     received        difference from the event before
 *     original        length and bytes
 *     time_text       a text, below
 *     same            a bit a column, lowest first: the column's value is that of the last event of this shape
 *     values          a text for each column whose bit is not set
 *
 *   columns are source, object, parser, and the fields. Before the first event of a shape all columns are empty.
 *   text: v = length << 1. If v is odd the bytes stand in original, at the offset that follows as its distance (zig-zag) from the
 *         end of the reference before it in this event (the first: from 0); else they follow.
 *
 * Lines of one kind have the same fields, most of them with the values of the line before or with pieces of the line itself: what
 * is left of an event beside its line is some twenty bytes, and neither the compressor nor the disk sees more.
 *
 * Version 1 is read, not written: decode1.c. */
#ifndef SAQSHY_EVENT_CODEC_H
#define SAQSHY_EVENT_CODEC_H

#include "event/event.h"

#define CODEC_VERSION   2
#define CODEC_COLUMNS   3   /* source, object, parser stand before the fields */
/* More than the fields of any batch or block of ours can have: 64 MiB of events at 35 bytes a field. A lower limit would be a way to stop
 * the index and to have batches refused, for anybody who may write a line of name=value into a log. */
#define CODEC_NAMES_MAX (1u << 22)

static inline uint64_t codec_zig(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static inline int64_t codec_zag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* decode1.c: the events of a payload of version 1, behind the byte of the version. */
void decode1(struct reader *r, uint64_t first_seq, struct event_batch *batch);

#endif
