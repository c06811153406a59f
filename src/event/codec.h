/* codec.h - what the writer and the readers of event payloads share.
 *
 * Payload, version 3. Numbers are LEB128 varints, signed ones zig-zag:
 *
 *   version           1 byte, 3
 *   count             number of events, a varint of three bytes whatever it is
 *   count times:
 *     shape           index of a shape; one that is not there yet (index = shapes so far) is described here:
 *                       class | parse << 4 (1 byte), marks, zone in minutes + 1 zig-zag (0: none), number of pieces, number of fields,
 *                       for each column: of a field the index of its name; a name that is not there yet (index = names so far): length, bytes;
 *                         number of its first piece + 1, then of how many pieces it is; or 0: it is no part of the line
 *     time            difference from the event before (the first: from 0), nanoseconds
 *     received        difference from the event before
 *     changed         a bit a text, lowest first: the text is not that of the last event of this shape
 *     lengths         of each text whose bit is set
 *     bytes           of each text whose bit is set
 *
 *   Columns are time_text, source, object, parser, and the fields. Texts are the pieces of the line, then the columns that are no part of it.
 *   Before the first event of a shape all texts are empty.
 *
 * The line is cut wherever a value begins or ends in it. The pieces one behind the other are the line, and a value is a run of them, wherever it
 * lies: values may hold each other, overlap, be one and the same. So no byte of a line stands twice, and what is between the values - "Failed
 * password for ", " from ", " port " - is the same from event to event and not there at all:
 *
 *     <38>|Nov 27 10:48:03| |srv-9|: sshd[|4711|]: |Failed|  …  the pieces of the first event of a shape
 *         |Nov 27 10:48:07| |     |       |4712|              what the second one needs of them
 *
 * Versions 1 and 2 are read, not written: decode1.c, decode2.c. */
#ifndef SAQSHY_EVENT_CODEC_H
#define SAQSHY_EVENT_CODEC_H

#include "event/event.h"

#define CODEC_VERSION    3
#define CODEC_COLUMNS    4   /* time_text, source, object, parser stand before the fields */
#define CODEC_PIECES_MAX (2 * (EVENT_FIELDS_MAX + CODEC_COLUMNS) + 1)   /* a line that is cut where each column begins and ends */
#define CODEC_TEXTS_MAX  (CODEC_PIECES_MAX + EVENT_FIELDS_MAX + CODEC_COLUMNS + 7)   /* 7: bits come in whole bytes */
/* More than the fields of any batch or block of ours can have: 64 MiB of events at 35 bytes a field. A lower limit would be a way to stop
 * the index and to have batches refused, for anybody who may write a line of name=value into a log. */
#define CODEC_NAMES_MAX (1u << 22)

static inline uint64_t codec_zig(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static inline int64_t codec_zag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* codec_copy - memcpy, without the call for a short text. */
static inline void codec_copy(void *to, const char *p, size_t n)
{
    char *out = to;
    uint64_t head, tail;

    if (n > 16) {
        memcpy(out, p, n);
    } else if (n >= 8) {
        memcpy(&head, p, 8);
        memcpy(&tail, p + n - 8, 8);
        memcpy(out, &head, 8);
        memcpy(out + n - 8, &tail, 8);
    } else if (n >= 4) {
        uint32_t first, last;

        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + n - 4, &last, 4);
    } else if (n) {
        out[0] = p[0];
        out[n / 2] = p[n / 2];
        out[n - 1] = p[n - 1];
    }
}

/* The events of a payload of an older version, behind the byte of the version. */
void decode1(struct reader *r, uint64_t first_seq, struct event_batch *batch);
void decode2(struct reader *r, uint64_t first_seq, struct event_batch *batch);

#endif
