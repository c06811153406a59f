/* test_evtx_make.h - small event logs for tests: binary XML written token by token, by the format.
 *
 * Owns      nothing: struct log is the caller's.
 * Promises  what is written is whole (sums, sizes, copies of sizes) until a test damages it.
 * Threads   owner. Only tests include it. */
#ifndef SAQSHY_PARSE_TEST_EVTX_MAKE_H
#define SAQSHY_PARSE_TEST_EVTX_MAKE_H

#include "parse/evtx.h"

#define LOG_NAMES 128
#define XMLNS "http://schemas.microsoft.com/win/2004/08/events/event"

struct log {
    uint8_t chunk[EVTX_CHUNK_BYTES];
    size_t n;                       /* bytes used */
    size_t record;                  /* where the record at hand begins */
    size_t definition;              /* where the template at hand begins; 0: none */
    uint64_t id;                    /* of the last record */
    struct { const char *name; size_t at; } names[LOG_NAMES];
    size_t name_count;
    size_t open[32];                /* places of the sizes of open elements */
    size_t depth;
    size_t event;                   /* the template of record_event; 0: none yet */
};

/* A value in a hole. */
struct hole {
    uint8_t type;
    const void *bytes;
    size_t n;
};

void log_begin(struct log *l);
/* log_end - the chunk's head, with its sums. */
void log_end(struct log *l);
/* log_file - a whole file: head, and the chunk cut to what is used when short. */
void log_file(const struct log *l, bool cut, struct buf *out);

void record_begin(struct log *l);
void record_end(struct log *l);

/* Markup. In a template elements have a dependency besides. */
void xml_open(struct log *l, const char *name, bool attributes);
void xml_attribute(struct log *l, const char *name);
void xml_text(struct log *l, const char *ascii);
void xml_hole(struct log *l, uint16_t index, uint8_t type);
void xml_entity(struct log *l, const char *name);
void xml_letter(struct log *l, uint16_t unit);
void xml_start_ends(struct log *l);  /* > */
void xml_empty(struct log *l);       /* /> */
void xml_close(struct log *l);
/* xml_element - <name>text</name>, and with a hole in place of text if text is NULL. */
void xml_element(struct log *l, const char *name, const char *text, uint16_t index);
/* xml_data - <Data Name="name">hole</Data>. */
void xml_data(struct log *l, const char *name, uint16_t index, uint8_t type);

/* A template, set down here; returns where, for later use. */
size_t template_begin(struct log *l, uint32_t number);
void template_end(struct log *l);
void template_again(struct log *l, uint32_t number, size_t at);
void holes(struct log *l, const struct hole *h, size_t count);
/* holes_begin - the same with one more hole that holds what is written next, up to holes_end. */
size_t holes_begin(struct log *l, const struct hole *h, size_t count, uint8_t type);
void holes_end(struct log *l, size_t place);

/* Whole events: event_opens begins one, system_part says its number and its channel (Security); record_event is a record whose data
 * has one value, User. */
void event_opens(struct log *l);
void system_part(struct log *l, const char *id);
void record_event(struct log *l, const struct hole *h, uint32_t number);

void put_raw(struct log *l, const void *p, size_t n);
/* utf16 - of ASCII, into out; the bytes it takes. */
size_t utf16(const char *ascii, uint8_t *out);

#endif
