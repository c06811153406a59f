/* test_evtx_make.c - see test_evtx_make.h. */
#include <zlib.h>

#include "parse/test_evtx_make.h"

#define HEAD 512u
#define RECORD_MOMENT UINT64_C(133864704000000000) /* 2025-03-15T00:00:00Z as FILETIME */

void put_raw(struct log *l, const void *p, size_t n)
{
    assert(l->n + n <= sizeof l->chunk);
    memcpy(l->chunk + l->n, p, n);
    l->n += n;
}

static void set32(struct log *l, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        l->chunk[at + (size_t)i] = (uint8_t)(v >> 8 * i);
}

static void put8(struct log *l, uint8_t v) { put_raw(l, &v, 1); }
static void put16(struct log *l, uint16_t v) { put8(l, (uint8_t)v), put8(l, (uint8_t)(v >> 8)); }
static void put32(struct log *l, uint32_t v) { put16(l, (uint16_t)v), put16(l, (uint16_t)(v >> 16)); }
static void put64(struct log *l, uint64_t v) { put32(l, (uint32_t)v), put32(l, (uint32_t)(v >> 32)); }

size_t utf16(const char *ascii, uint8_t *out)
{
    size_t n = 0;

    for (; *ascii; ascii++) {
        out[n++] = (uint8_t)*ascii;
        out[n++] = 0;
    }
    return n;
}

static void put_units(struct log *l, const char *ascii)
{
    for (; *ascii; ascii++)
        put16(l, (uint8_t)*ascii);
}

/* put_name - its offset; its text behind it the first time. */
static void put_name(struct log *l, const char *name)
{
    for (size_t i = 0; i < l->name_count; i++)
        if (strcmp(l->names[i].name, name) == 0) {
            put32(l, (uint32_t)l->names[i].at);
            return;
        }
    assert(l->name_count < LOG_NAMES);
    l->names[l->name_count].name = name;
    l->names[l->name_count++].at = l->n + 4;
    put32(l, (uint32_t)l->n + 4);
    put32(l, 0); /* the next name of its hash */
    put16(l, 0); /* its hash: readers that go by offset do not look */
    put16(l, (uint16_t)strlen(name));
    put_units(l, name);
    put16(l, 0);
}

/* --- chunk and records --- */

void log_begin(struct log *l)
{
    memset(l, 0, sizeof *l);
    memcpy(l->chunk, "ElfChnk", 8);
    l->n = HEAD;
}

void log_end(struct log *l)
{
    size_t used = l->n;

    l->n = 8;
    put64(l, 1);
    put64(l, l->id);
    put64(l, 1);
    put64(l, l->id);
    put32(l, 128);
    put32(l, (uint32_t)l->record);
    put32(l, (uint32_t)used);
    put32(l, (uint32_t)crc32(0, l->chunk + HEAD, (uInt)(used - HEAD)));
    set32(l, 124, (uint32_t)crc32(crc32(0, l->chunk, 120), l->chunk + 128, HEAD - 128));
    l->n = used;
}

void log_file(const struct log *l, bool cut, struct buf *out)
{
    char head[EVTX_HEAD_BYTES] = "ElfFile";

    head[32] = (char)128;
    head[36] = 1;
    head[38] = 3;
    head[41] = 16;
    head[42] = 1;
    buf_put(out, head, sizeof head);
    buf_put(out, l->chunk, cut ? l->n : sizeof l->chunk);
}

void record_begin(struct log *l)
{
    static const uint8_t fragment[] = { 0x0f, 1, 1, 0 };

    l->record = l->n;
    put_raw(l, "**\0\0", 4);
    put32(l, 0);
    put64(l, ++l->id);
    put64(l, RECORD_MOMENT);
    put_raw(l, fragment, sizeof fragment);
}

void record_end(struct log *l)
{
    put8(l, 0);
    while ((l->n + 4) % 8)
        put8(l, 0);
    put32(l, (uint32_t)(l->n + 4 - l->record));
    set32(l, l->record + 4, (uint32_t)(l->n - l->record));
}

/* --- markup --- */

void xml_open(struct log *l, const char *name, bool attributes)
{
    put8(l, attributes ? 0x41 : 0x01);
    if (l->definition)
        put16(l, 0xFFFF);
    assert(l->depth < COUNT(l->open));
    l->open[l->depth++] = l->n;
    put32(l, 0);
    put_name(l, name);
    if (attributes)
        put32(l, 0);
}

void xml_attribute(struct log *l, const char *name)
{
    put8(l, 0x06);
    put_name(l, name);
}

void xml_text(struct log *l, const char *ascii)
{
    put8(l, 0x05);
    put8(l, 0x01);
    put16(l, (uint16_t)strlen(ascii));
    put_units(l, ascii);
}

void xml_hole(struct log *l, uint16_t index, uint8_t type)
{
    put8(l, 0x0e);
    put16(l, index);
    put8(l, type);
}

void xml_entity(struct log *l, const char *name)
{
    put8(l, 0x09);
    put_name(l, name);
}

void xml_letter(struct log *l, uint16_t unit)
{
    put8(l, 0x08);
    put16(l, unit);
}

void xml_start_ends(struct log *l) { put8(l, 0x02); }

static void element_ends(struct log *l, uint8_t token)
{
    size_t size = l->open[--l->depth];

    put8(l, token);
    set32(l, size, (uint32_t)(l->n - size - 4));
}

void xml_empty(struct log *l) { element_ends(l, 0x03); }
void xml_close(struct log *l) { element_ends(l, 0x04); }

void xml_element(struct log *l, const char *name, const char *text, uint16_t index)
{
    xml_open(l, name, false);
    xml_start_ends(l);
    if (text)
        xml_text(l, text);
    else
        xml_hole(l, index, 0x01);
    xml_close(l);
}

void xml_data(struct log *l, const char *name, uint16_t index, uint8_t type)
{
    xml_open(l, "Data", true);
    xml_attribute(l, "Name");
    xml_text(l, name);
    xml_start_ends(l);
    xml_hole(l, index, type);
    xml_close(l);
}

/* --- templates --- */

static void instance(struct log *l, uint32_t number, size_t at)
{
    put8(l, 0x0c);
    put8(l, 0x01);
    put32(l, number);
    put32(l, (uint32_t)at);
}

size_t template_begin(struct log *l, uint32_t number)
{
    static const uint8_t fragment[] = { 0x0f, 1, 1, 0 };
    size_t at = l->n + 10;

    instance(l, number, at);
    l->definition = at;
    put32(l, 0);      /* the next of its hash */
    put32(l, number); /* GUID */
    put64(l, 0);
    put32(l, 0);
    put32(l, 0);      /* size */
    put_raw(l, fragment, sizeof fragment);
    return at;
}

void template_end(struct log *l)
{
    put8(l, 0);
    set32(l, l->definition + 20, (uint32_t)(l->n - l->definition - 24));
    l->definition = 0;
}

void template_again(struct log *l, uint32_t number, size_t at) { instance(l, number, at); }

static void hole_head(struct log *l, size_t n, uint8_t type)
{
    put16(l, (uint16_t)n);
    put8(l, type);
    put8(l, 0);
}

static void hole_bytes(struct log *l, const struct hole *h, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (h[i].n)
            put_raw(l, h[i].bytes, h[i].n);
}

void holes(struct log *l, const struct hole *h, size_t count)
{
    put32(l, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        hole_head(l, h[i].n, h[i].type);
    hole_bytes(l, h, count);
}

size_t holes_begin(struct log *l, const struct hole *h, size_t count, uint8_t type)
{
    put32(l, (uint32_t)count + 1);
    for (size_t i = 0; i < count; i++)
        hole_head(l, h[i].n, h[i].type);
    hole_head(l, 0, type);
    hole_bytes(l, h, count);
    return l->n;
}

/* holes_end - how long the last one became: its head stands before all the bytes of the others, wherever those begin. */
void holes_end(struct log *l, size_t place)
{
    size_t head = place, n = l->n - place;

    while (l->chunk[head - 2] != 0x21 || l->chunk[head - 1] != 0 || l->chunk[head - 3] || l->chunk[head - 4])
        head--;
    l->chunk[head - 4] = (uint8_t)n;
    l->chunk[head - 3] = (uint8_t)(n >> 8);
}

/* --- whole events --- */

void event_opens(struct log *l)
{
    xml_open(l, "Event", true);
    xml_attribute(l, "xmlns");
    xml_text(l, XMLNS);
    xml_start_ends(l);
}

void system_part(struct log *l, const char *id)
{
    xml_open(l, "System", false);
    xml_start_ends(l);
    xml_open(l, "Provider", true);
    xml_attribute(l, "Name");
    xml_text(l, "Test");
    xml_empty(l);
    xml_element(l, "EventID", id, 0);
    xml_element(l, "Channel", "Security", 0);
    xml_close(l);
}

void record_event(struct log *l, const struct hole *h, uint32_t number)
{
    size_t at = l->event;

    record_begin(l);
    if (at) {
        template_again(l, number, at);
    } else {
        l->event = template_begin(l, number);
        event_opens(l);
        system_part(l, "7");
        xml_open(l, "EventData", false);
        xml_start_ends(l);
        xml_data(l, "User", 0, 1);
        xml_close(l);
        xml_close(l);
        template_end(l);
    }
    holes(l, h, 1);
    record_end(l);
}
