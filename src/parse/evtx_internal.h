/* evtx_internal.h - what the files of the EVTX reader share: evtx.c walks chunks and records, evtx_compile.c turns binary XML
 * into steps, evtx_run.c takes them, evtx_value.c writes values; see evtx.h.
 *
 * Owns      struct evtx, below.
 * Promises  those of evtx.h.
 * Threads   owner. */
#ifndef SAQSHY_PARSE_EVTX_INTERNAL_H
#define SAQSHY_PARSE_EVTX_INTERNAL_H

#include "parse/evtx.h"
#include "parse/winnames.h"

/* --- a compiled piece of binary XML --- */

enum step_kind {
    STEP_END,     /* of the row */
    STEP_SAY,     /* field is text; it stands in some head already */
    STEP_ELEMENT, /* open, value, close: an element that holds one value */
    STEP_ATTRIBUTE, /* the same of an attribute: none of it if there is no value */
    STEP_BEGIN,   /* a content of several pieces: open … */
    STEP_TEXT,    /* … a piece that stands in the template … */
    STEP_VALUE,   /* … a piece that is a value … */
    STEP_CLOSE,   /* … and its end: close; the whole is field */
    STEP_MIXED,   /* a value among child elements: text, or elements of its own */
    STEP_WITHIN,  /* a template used within elements that have none: at byte text.n of the chunk */
};

enum step_naming {
    NAMED,       /* field says it, or there is none */
    BY_COUNT,    /* <Data> without a name: param1, param2 … */
    BY_NAME,     /* <Data Name=…> whose name is a value: what STEP_…'s says_name noted */
};

struct step {
    uint8_t kind, naming;
    uint8_t place;        /* enum win_place of what the value holds, if that is binary XML */
    bool keep_empty;      /* an empty value is a value: rules tell it from none */
    bool trim;            /* blanks around it say nothing */
    bool says_name;       /* this attribute is the name of <Data> */
    uint16_t index;       /* of the value */
    struct str head;      /* markup that comes before */
    struct str open, close, text;
    struct str field;
};

/* --- values --- */

enum value_type {
    VALUE_NULL = 0x00, VALUE_TEXT = 0x01, VALUE_ANSI = 0x02, VALUE_I8 = 0x03, VALUE_U8 = 0x04, VALUE_I16 = 0x05, VALUE_U16 = 0x06,
    VALUE_I32 = 0x07, VALUE_U32 = 0x08, VALUE_I64 = 0x09, VALUE_U64 = 0x0a, VALUE_F32 = 0x0b, VALUE_F64 = 0x0c, VALUE_BOOL = 0x0d,
    VALUE_BINARY = 0x0e, VALUE_GUID = 0x0f, VALUE_SIZE = 0x10, VALUE_FILETIME = 0x11, VALUE_SYSTEMTIME = 0x12, VALUE_SID = 0x13,
    VALUE_HEX32 = 0x14, VALUE_HEX64 = 0x15, VALUE_XML = 0x21, VALUE_ARRAY = 0x80,
};

struct value {
    const uint8_t *p;
    uint32_t n;
    uint8_t type;
};

/* Text that grows up to its limit; what does not fit is left out, and full. */
struct out {
    char *p;
    size_t n, cap;
    bool full;
};

void out_bytes(struct out *o, const char *p, size_t n);
static inline void out_str(struct out *o, struct str s) { out_bytes(o, s.p, s.n); }
/* out_utf16 - n units, as UTF-8; half a pair is U+FFFD. */
void out_utf16(struct out *o, const uint8_t *p, size_t n);
/* out_escaped - what stands from on is text: what would be markup is escaped in place. True if something was. */
bool out_escaped(struct out *o, size_t from);
bool markup_in(struct str s);
/* out_value - as Windows writes it in XML; not XML and no array. scratch: for texts of old code pages. */
void out_value(struct out *o, struct value v, struct arena *scratch);
/* value_is_plain - what it is written as holds no markup: digits, letters, braces. */
bool value_is_plain(uint8_t type);
/* value_item - take the next item off an array. False at its end. */
bool value_item(struct value *array, struct value *item);

/* --- the reader --- */

struct compiled {
    uint32_t at;       /* of the definition, in the chunk */
    uint32_t number;
    uint8_t place;
    bool used;
    const struct step *steps; /* NULL: it cannot be read */
};

struct evtx {
    const uint8_t *chunk;
    size_t chunk_n, at, end; /* the next record; where records end at the latest */
    bool searched;           /* for the record before, so this one is no better known */
    struct arena templates;  /* of this chunk */
    struct compiled cache[EVTX_TEMPLATES_MAX * 2]; /* open addressing */
    uint32_t cached;

    /* one record */
    struct arena scratch;
    struct out out;
    struct event_field fields[FORM_FIELDS_MAX];
    struct form_pairs pairs;
    struct value values[EVTX_VALUES_MAX];
    uint32_t value_count;
    uint32_t steps;          /* taken */
    uint32_t params;         /* <Data> without a name so far */
    struct str data_name;
    const char *trouble;     /* a literal: why the record cannot be read */
};

/* --- evtx_compile.c --- */

/* What stands at a template token: which definition, and the values behind it. */
struct instance {
    uint32_t definition;
    uint32_t number;         /* of the template: the first bytes of its GUID */
    uint32_t first, count;   /* in x->values */
};
/* instance_read - at the byte behind the token 0x0c of r. False: damaged (x->trouble). */
bool instance_read(struct evtx *x, struct reader *r, struct instance *out);
/* compile_template - the steps of a definition whose root stands at place, compiled once. NULL: damaged, or too much, or the place
 * was given to another template since (of records that an older use of the chunk left behind). */
const struct step *compile_template(struct evtx *x, const struct instance *in, enum win_place place);
/* compile_elements - the same of elements that stand in a record or value as they are: one of them, *r moves behind. */
const struct step *compile_elements(struct evtx *x, struct reader *r, enum win_place place);

/* --- evtx_run.c --- */

/* evtx_write - the record's binary XML as text and pairs. False: it cannot be read (x->trouble). */
bool evtx_write(struct evtx *x, size_t from, size_t to);

#endif
