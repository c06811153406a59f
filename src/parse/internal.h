/* internal.h - what the files of parse/ share: the work in hand, small readers of text, and the sub-parsers.
 *
 * Owns      nothing: a struct work lives for one call of parse_line and borrows everything.
 * Promises  1. Sub-parsers only add to the event; none fails. What they could not read they leave out, and say so
 *              by setting trouble.
 *           2. Helpers named take_… cut what they took off *s; they read nothing past its end.
 * Threads   owner.
 * Units     as in event.h. */
#ifndef SAQSHY_PARSE_INTERNAL_H
#define SAQSHY_PARSE_INTERNAL_H

#include "event/types.h"
#include "parse/parse.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define PROGRAM_MAX 128   /* a longer word before ':' is no program name */
#define PRI_MAX 191       /* RFC 5424 section 6.2.1 */
#define PRI_FIELDS 5      /* that and what it is made of, by number and by name */
#define HOST_MAX 255      /* RFC 5424 section 6.2.4 */
#define AUDIT_PLACES 256  /* for keys of audit records */
#define FIELDS_AT_ONCE 40 /* room taken at the start of a line: most events need less */

/* Two texts of a table. */
#define PAIR(a, b) STR_INIT(a), STR_INIT(b)

/* The codes of Annex 4 as bits, in the order of the Rules; work.c has their names. */
#define OS(n) (UINT64_C(1) << ((n)-1))
#define UX(n) (UINT64_C(1) << (13 + (n)-1))
#define WIN(n) (UINT64_C(1) << (16 + (n)-1))
#define DB(n) (UINT64_C(1) << (27 + (n)-1))
#define NET(n) (UINT64_C(1) << (30 + (n)-1))
#define FW(n) (UINT64_C(1) << (37 + (n)-1))
#define APP(n) (UINT64_C(1) << (39 + (n)-1))
#define SEC(n) (UINT64_C(1) << (44 + (n)-1))

struct audit_key;
struct patterns;
struct product;
struct route;
struct text_pairs;
struct parser {
    int32_t zone_min;
    char numbers[PRI_MAX + 1][4];
    struct event_field priorities[PRI_MAX + 1][PRI_FIELDS]; /* what a PRI says */
    uint64_t priority_names; /* name_bit of each of these */
    struct {
        struct str name;
        const struct program *program; /* NULL: free */
    } programs[256]; /* open addressing by hash of the name */
    const struct audit_key *audit_keys[AUDIT_PLACES]; /* open addressing, by auditd.c; NULL: free */
    struct patterns *data;               /* products as data, owned; NULL: none */
};

/* Who reads the messages of a program. */
struct readers {
    struct str of, plain;          /* the name as it stands, and plain_name() of it */
    const struct program *program; /* the one in C, or NULL */
    const struct route *route;     /* products as data, or NULL */
};

/* A field that is told again under another name at the end of a line. */
struct noted {
    uint16_t at, place; /* in the event; name_place of its name */
};

/* One line being parsed. */
struct work {
    const struct parser *parser;
    const struct parse_hints *hints;
    struct arena *arena;
    struct event *ev;
    struct str text;    /* the line as UTF-8: the original, or what it was decoded to */
    struct str msg;     /* the text after the header */
    struct str program; /* the name that chooses the sub-parser */
    struct str pid;
    struct str host;
    uint64_t types;
    int pri;      /* -1: none */
    bool timed;   /* the line said when */
    bool trouble; /* something was left out: partial */
    bool quoted;  /* msg was inside another format: it is set as "message" by that format */
    bool routed;  /* the products of this program were asked */
    struct readers readers; /* of program, looked up once: programs.c */
    struct str structured; /* the first id of structured data that is a product's own, and the fields of all of them */
    uint32_t structured_from, structured_to;
    const struct product *by_path[8]; /* the products of the line's path, where paths_known */
    uint32_t path_count;
    bool paths_known;
    struct text_pairs *pairs; /* patterns.h: of the text at hand */
    int depth;    /* texts inside texts */
    uint64_t names;        /* name_bit of each name that the event has, perhaps of some that it had */
    uint64_t said;         /* the same of those that are noted, and these only */
    struct noted *noted;   /* what is told again as related.*, in order: room for EVENT_FIELDS_MAX */
    uint32_t noted_count;
    uint32_t product_from; /* fields from here on are of the product at work, where several of its patterns may say the same */
};

/* What an event is, in ECS and in the words of Annex 4. Empty where it has none; two categories or types at most. */
struct sense {
    struct str category, category2, type, type2, action, outcome;
    uint64_t types;
};
#define SENSE(category, category2, type, type2, action, outcome, types) \
    { STR_INIT(category), STR_INIT(category2), STR_INIT(type), STR_INIT(type2), STR_INIT(action), STR_INIT(outcome), types }

/* A program whose messages we know. The handler reads w->msg; true if it understood the message. */
struct program {
    const char *name, *parser;
    bool (*handler)(struct work *w);
    enum event_class class;
};

/* --- work.c: adding to the event --- */
/* name_place, name_bit - one of 64 that a name has: a name whose bit no field has is none of the event's. */
#define NAME_PLACE(n, first, last) (((n) + 10u * (unsigned char)(first) + 5u * (unsigned char)(last)) % 64)
static inline unsigned name_place(struct str name) { return NAME_PLACE(name.n, name.p[0], name.p[name.n - 1]); }
static inline uint64_t name_bit(struct str name) { return UINT64_C(1) << name_place(name); }
/* Those of the names of which the end of a line asks; work.c knows them. */
#define NOTED_BIT(n, first, last) (UINT64_C(1) << NAME_PLACE(n, first, last))
#define NOTED_KIND    NOTED_BIT(10, 'e', 'd')
#define NOTED_MESSAGE NOTED_BIT(7, 'm', 'e')
#define NOTED_HOST    NOTED_BIT(9, 'h', 'e')
#define NOTED_SOURCE_IP NOTED_BIT(9, 's', 'p')
#define NOTED_USER    NOTED_BIT(9, 'u', 'e')
#define NOTED_NAMES                                                                                                                          \
    (NOTED_KIND | NOTED_MESSAGE | NOTED_HOST | NOTED_SOURCE_IP | NOTED_USER | NOTED_BIT(13, 's', 'n') | NOTED_BIT(14, 'd', 'p') | \
     NOTED_BIT(16, 'u', 'e') | NOTED_BIT(19, 'u', 'e') | NOTED_BIT(22, 'a', 'r'))
/* work_noted - one of those names, or another at its place: the field at that place of the event. */
void work_noted(struct work *w, struct str name, uint32_t at);
/* work_note - a field is one more of the event. Of a name that stands in the code nothing of this is left but one or. */
static inline void work_note(struct work *w, struct str name, uint32_t at)
{
    uint64_t bit = name_bit(name);

    w->names |= bit;
    if (bit & NOTED_NAMES)
        work_noted(w, name, at);
}
/* work_first - the first value of one of those names that are told again as related.*; {NULL,0}: none. */
struct str work_first(const struct work *w, uint64_t bit);
/* work_survey - fields got other names or were taken away: all are noted anew. */
RARELY void work_survey(struct work *w);
RARELY void work_add_slow(struct work *w, struct str name, struct str value);
/* work_add - one more value; an empty one adds nothing. The common case stands here: it is done twenty times a line. */
static inline void work_add(struct work *w, struct str name, struct str value)
{
    struct event *ev = w->ev;

    if (value.n == 0)
        return;
    if (ev->field_count < ev->field_cap && name.n && name.n <= EVENT_NAME_MAX) {
        work_note(w, name, ev->field_count);
        ev->fields[ev->field_count++] = (struct event_field){ name, value };
    } else {
        work_add_slow(w, name, value);
    }
}
/* work_close - work_add at the end of a line, when nobody asks any more what the event has. */
static inline void work_close(struct work *w, struct str name, struct str value)
{
    struct event *ev = w->ev;

    if (value.n == 0)
        return;
    if (ev->field_count < ev->field_cap)
        ev->fields[ev->field_count++] = (struct event_field){ name, value };
    else
        work_add_slow(w, name, value);
}
/* work_set - the first value of name is replaced. */
void work_set(struct work *w, struct str name, struct str value);
void work_sense(struct work *w, const struct sense *s);
/* work_peer - who is at the other end, as source.* : ip and address, or domain and address. port may be empty. */
void work_peer(struct work *w, struct str address, struct str port);
/* work_peer_ip - the same of what ip_of() gave. */
void work_peer_ip(struct work *w, struct str ip, struct str port);
void work_dest(struct work *w, struct str address, struct str port);
/* work_name - a user's name: user.name, or nothing for "" and "?" . */
void work_user(struct work *w, struct str name);
void work_number(struct work *w, struct str name, uint64_t value);
/* work_types - saqshy.types from w->types. Once, at the end, as what follows. */
void work_types(struct work *w);
/* work_type_bit - of a code ("APP-03"); 0 if there is none of that name. */
uint64_t work_type_bit(struct str code);
/* work_related - related.* of what is noted. */
void work_related(struct work *w);

/* --- scan.c: small readers --- */
static inline bool take(struct str *s, struct str head)
{
    if (s->n < head.n || memcmp(s->p, head.p, head.n) != 0)
        return false;
    s->p += head.n;
    s->n -= head.n;
    return true;
}
static inline void skip_blanks(struct str *s)
{
    const char *p = s->p, *end = p + s->n;

    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    *s = str_of(p, (size_t)(end - p));
}
#ifdef __SSE2__
/* any_of - a bit for each of the bytes of x that is one of these four. */
static inline unsigned any_of(__m128i x, char a, char b, char c, char d)
{
    __m128i ab = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(a)), _mm_cmpeq_epi8(x, _mm_set1_epi8(b)));
    __m128i cd = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)), _mm_cmpeq_epi8(x, _mm_set1_epi8(d)));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(ab, cd));
}
#endif
/* until - how many bytes stand before the first of these four (some may be the same); s.n where none follows. */
static inline size_t until(struct str s, char a, char b, char c, char d)
{
    const char *p = s.p, *end = p + s.n;

#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        unsigned hits = any_of(_mm_loadu_si128((const void *)p), a, b, c, d);

        if (hits)
            return (size_t)(p - s.p) + (size_t)__builtin_ctz(hits);
    }
    if (p > s.p && p < end) { /* the last of them together with some that were looked at before */
        unsigned hits = any_of(_mm_loadu_si128((const void *)(end - 16)), a, b, c, d);

        return hits ? s.n - 16 + (size_t)__builtin_ctz(hits) : s.n;
    }
#endif
    while (p < end && *p != a && *p != b && *p != c && *p != d)
        p++;
    return (size_t)(p - s.p);
}
/* take_word - up to the next blank, blanks behind it are cut too. */
struct str take_word(struct str *s);
/* take_until - what stands before sep, which is cut too; all of s if there is none. */
struct str take_until(struct str *s, struct str sep);
/* split_at - false and nothing written if sep is not in s. */
bool split_at(struct str s, struct str sep, struct str *before, struct str *after);
bool split_last(struct str s, struct str sep, struct str *before, struct str *after);
static inline struct str str_left(struct str s, size_t n) { return str_of(s.p, min_size(n, s.n)); }
struct str unquote(struct str s);
/* word_of - what of a word of the line is put together with others, in names of fields above all: up to most bytes, and to a NUL. */
struct str word_of(struct str s, size_t most);
bool has(struct str s, struct str part);
/* eight_differ - of a and b from there on. */
static inline uint64_t eight_differ(const char *a, const char *b, size_t from)
{
    uint64_t x, y;

    memcpy(&x, a + from, sizeof x);
    memcpy(&y, b + from, sizeof y);
    return x ^ y;
}
static inline uint32_t four_differ(const char *a, const char *b, size_t from)
{
    uint32_t x, y;

    memcpy(&x, a + from, sizeof x);
    memcpy(&y, b + from, sizeof y);
    return x ^ y;
}
/* same_bytes - of texts of one length; those of up to 32 without a call: eights or fours from both ends, which may overlap. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    size_t i = 0;

    if (n > 32)
        return memcmp(a, b, n) == 0;
    if (n >= 8)
        return (eight_differ(a, b, 0) | eight_differ(a, b, n - 8)) == 0 && (n <= 16 || (eight_differ(a, b, 8) | eight_differ(a, b, n - 16)) == 0);
    if (n >= 4)
        return (four_differ(a, b, 0) | four_differ(a, b, n - 4)) == 0;
    while (i < n && a[i] == b[i])
        i++;
    return i == n;
}
/* same_name - of fields: none is empty. */
static inline bool same_name(struct str a, struct str b) { return a.n == b.n && a.n && same_bytes(a.p, b.p, a.n); }
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
/* four_digits - at p: a byte of x is then a digit's value. */
static inline bool four_digits(const char *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    x ^= 0x30303030u;
    return (((x + 0x76767676u) | x) & 0x80808080u) == 0;
}
/* all_digits - and one at least. */
static inline bool all_digits(struct str s)
{
    size_t i = 0;

    if (s.n >= 4) {
        while (i + 4 < s.n && four_digits(s.p + i))
            i += 4;
        return i + 4 >= s.n && four_digits(s.p + s.n - 4);
    }
    while (i < s.n && is_digit(s.p[i]))
        i++;
    return s.n > 0 && i == s.n;
}
/* begins_as_ip - up to four hexadecimal digits and then a '.' or ':', perhaps behind a '[': most words are told from addresses by that. */
bool begins_as_ip(struct str s);
/* may_be_ip - by the first byte. */
static inline bool may_be_ip(struct str s) { return s.n && (is_hex(*s.p) || *s.p == ':' || *s.p == '['); }
/* ip_of - the address in s without "::ffff:" or brackets; {NULL,0} if s is none. */
struct str ip_of(struct str s);
int hex_value(char c);
/* starts_as - the text begins in one of these ways, or there are none: '#' is a digit, '@' a letter, '?' any byte, all else itself. */
bool starts_as(const struct str *starts, size_t count, struct str text);

/* --- stamp.c --- */
/* two_at - the number of two digits at p, which are there; -1 where they are no digits. */
static inline int32_t two_at(const char *p) { return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1; }
/* THREE - three letters as a number; AS_NAME: the first is a capital, the others are not. */
#define THREE(a, b, c) ((uint32_t)(unsigned char)(a) << 16 | (uint32_t)(unsigned char)(b) << 8 | (unsigned char)(c))
#define AS_NAME(three) (((three) & 0x202020) == 0x002020)
/* month_of, weekday_of - from 1, Sunday the first; 0: none. In any case of letters. */
int32_t month_of(uint32_t three);
int32_t weekday_of(uint32_t three);
struct stamp {
    time_ns time;
    int32_t offset_min; /* EVENT_OFFSET_NONE: not written */
    bool iso;           /* with 'T' between date and time */
    struct str text;
};
/* stamp_take - a date and time at the head of *s in any form that docs/parsers.md names. False: *s is as before. */
bool stamp_take(const struct work *w, struct str *s, struct stamp *out);
/* stamp_text - the whole of s is a time: a stamp, or a number of seconds, milli-, micro- or nanoseconds since 1970. */
bool stamp_text(const struct work *w, struct str s, struct stamp *out);
void work_time(struct work *w, const struct stamp *t);

/* --- the formats --- */
void syslog_priorities(struct parser *p);
/* syslog_header - RFC 5424, RFC 3164 and their dialects. False: no header; w->msg is then as before. */
bool syslog_header(struct work *w);
/* syslog_tag - a tag ("name[pid]: ") at the head of w->msg, where no header was. */
bool syslog_tag(struct work *w);
/* json_object - true if s is one object (blanks around); fields are added, w->trouble if it is damaged within. */
/* The link name is its own: jansson has a json_object, and a program that links both would call that one. */
bool json_object(struct work *w, struct str s) __asm__("parse_json_object");
/* json_line - the same, and its well-known keys under their ECS names; may hand the message on to a program's parser.
 */
bool json_line(struct work *w);
/* kv_line - true if s consists of name=value pairs for the most part. */
bool kv_line(struct work *w, struct str s);
/* kv_take - the next name=value of *s; quotes and escapes are undone. False at the end or where there is no pair. */
struct pair {
    struct str name, value;
    bool quoted;
};
bool kv_take(struct work *w, struct str *s, char sep, struct pair *out);
/* The structured forms with their meaning: true if w->msg was of the form. cef_line … snare_line set parser, class and
 * fields; windows_json looks at what a JSON object brought from field first on. */
bool cef_line(struct work *w);
bool leef_line(struct work *w);
bool w3c_line(struct work *w);
bool winxml_line(struct work *w);
struct form_pairs;
/* windows_pairs - the same of pairs with the names of winxml, wherever they were read. */
bool windows_pairs(struct work *w, const struct form_pairs *p);
bool snare_line(struct work *w);
bool windows_json(struct work *w, uint32_t first);
/* windows_meaning - the fields of a Windows event stand as winlog.*: what they mean. */
void windows_meaning(struct work *w);
/* windows_sql - what an event of SQL Server means. False: the provider is another. */
bool windows_sql(struct work *w, struct str provider, uint64_t id);
/* meanings_sorted - the tables that are searched by halving are in order; a test asks. */
bool meanings_sorted(void);
void audit_keys(struct parser *p);
/* audit_looks - s begins as an audit record does. */
bool audit_looks(struct str s);
/* protects - a unit that protects or logs: switching it is OS-07. */
bool protects(struct str unit);

/* name_hash - for the tables of programs: they are small, and each line asks them. */
static inline size_t name_hash(struct str name)
{
    const unsigned char *p = (const unsigned char *)name.p;

    return ((uint32_t)name.n ^ (uint32_t)p[0] << 6 ^ (uint32_t)p[name.n / 2] << 12 ^ (uint32_t)p[name.n - 1] << 18) * UINT32_C(0x9E3779B1) >> 16;
}
/* program_of - the entry for a name, or NULL. */
const struct program *program_of(const struct parser *p, struct str name);
/* program_known - somebody reads messages of a program of that name, in C or as data. */
bool program_known(const struct parser *p, struct str name);
/* plain_name - "su(pam_unix)" is su, "/usr/sbin/cron" is cron, "rsyslogd-2177" is rsyslogd. */
struct str plain_name(struct str s);
/* program_message - let the sub-parser of w->program read w->msg. Sets parser and class. */
void program_message(struct work *w);
/* program_taken - somebody reads messages of w->program. */
bool program_taken(struct work *w);
/* program_data - products as data that come before any reader in C. True: understood. */
bool program_data(struct work *w);
/* parser_bare - built-in readers alone. NULL: no memory. */
struct parser *parser_bare(int32_t zone_min);
extern const struct program programs[];
extern const size_t program_count;

bool sshd_message(struct work *w);
bool pam_message(struct work *w);
bool sudo_message(struct work *w);
bool su_message(struct work *w);
bool doas_message(struct work *w);
bool cron_message(struct work *w);
bool kernel_message(struct work *w);
bool netfilter_message(struct work *w);
bool account_message(struct work *w);
bool systemd_message(struct work *w);
bool logind_message(struct work *w);
bool logger_message(struct work *w);
bool audit_message(struct work *w);
bool cisco_message(struct work *w);
bool package_message(struct work *w);

#endif
