/* patterns.h - products described by a file: what the loader makes of content/parsers/NAME.yaml and the run works with.
 *
 *   patterns_load.c    the file, key by key        patterns_fields.c  names, values, constants, cases
 *   patterns_regex.c   one pattern: groups, literal, limits           patterns_filter.c  many literals in one pass
 *   patterns_run.c     a text against a product    patterns_put.c     one value goes into the event
 *   patterns_cases.c   conditions and constants    patterns_time.c    times by a form
 *   patterns_groups.c  which patterns come into question for a text
 *   patterns_set.c     folders, files, reload      patterns_route.c   the way of a line to a product
 *   patterns_samples.c the lines that a file carries
 *   patterns_draft.c   a file out of lines
 *
 * Owns      struct product owns its arena and compiled patterns; it is shared (refs) by the sets that hold it.
 * Promises  1. A loaded product is read-only: any number of threads may run it.
 *           2. Everything a file can make large has a limit below; a text that takes more steps than PATTERN_STEPS is
 *              counted and partial.
 *           3. Nothing here recurses over a text or a file.
 * Threads   loading: owner; running: any.
 * Source    docs/parsers.md, "Parsers as data", is the description of the file. */
#ifndef SAQSHY_PARSE_PATTERNS_H
#define SAQSHY_PARSE_PATTERNS_H

#include "parse/forms.h"
#include "parse/internal.h"

#define PRODUCTS_MAX       512
#define PATTERNS_MAX       256 /* of one product */
#define PATTERN_GROUPS_MAX 64  /* of one pattern */
#define PATTERN_BYTES_MAX  4096
#define HEADS_MAX          24
#define PATTERN_STEPS      100000u
#define PATTERN_HEAP_KIB   256u
#define CAPTURES_MAX       400 /* fields of one text before they are mapped */
#define INSIDE_DEPTH_MAX   3
#define INSIDE_MAX         32 /* texts inside those of one product */
#define MATCHED_MAX        8   /* patterns that may have matched one text, by "of" */
#define FILTER_FROM        6   /* up to so many literals are looked for one by one, 16 bytes a step: measured */
#define PAIRS_FROM         6   /* alone: from so many by pairs */
#define PAIRS_TO           64  /* up to so many by the pairs of bytes that the text has; above, all in one pass */
#define PAIRS_SIZE         2048 /* a power of two */
#define PAIRS_OF_LITERAL   6
#define PRODUCT_NAMES_MAX  2048 /* that the file of one product speaks of */
#define SAID_MAX           64  /* names that the constants of one product have */
#define PROGRAMS_MAX       128 /* that have a reader in C */
#define ALONE_MAX          2048
#define ALONE_BUCKETS      32u /* of second bytes */
#define ALONE_BUCKET(c)    ((unsigned)(c) % ALONE_BUCKETS)
#define PATHS_MAX          1024
#define ROUTE_PRODUCTS_MAX 8
#define STRUCTURED_MAX     256  /* names of structured data */

/* --- forms: a structured text as fields by name --- */

enum form { FORM_TEXT, FORM_KV, FORM_CSV, FORM_JSON, FORM_CEF, FORM_LEEF, FORM_W3C, FORM_XML, FORM_SD, FORM_ELEMENTS, FORM_COUNTED, FORM_COUNT };

/* Lists of objects that are names and values: [{"Name": "x", "Value": "y"}] under "Parameters" is Parameters.x = y. */
struct form_listing {
    struct str list, key, value;
};

struct form_options {
    char separator, assign, quote; /* 0: as the form has it */
    bool once, doubled;
    const struct str *columns, *repeats;
    size_t column_count, repeat_count;
    struct str by;
    const struct form_columns *further;
    size_t further_count;
    const struct form_listing *listings;
    size_t listing_count;
};

/* What a form gives, in the order of the text. Names and values are views into the text or lie in the arena. */
struct form_fields {
    struct event_field *items;
    uint32_t count, cap;
};

/* form_read - take s apart. False: it is not of that form (nothing was added). w->trouble where something was left out. */
bool form_read(struct work *w, enum form form, const struct form_options *o, struct str s, struct form_fields *out);
/* form_add - one more field; past CAPTURES_MAX it is left out and w->trouble set. */
void form_add(struct work *w, struct form_fields *f, struct str name, struct str value);
enum form form_named(struct str name); /* FORM_COUNT if there is none */

/* --- what a file says, compiled --- */

/* How a value goes into the event: by its name, unless the file says it. */
enum target_kind {
    TARGET_PLAIN,
    TARGET_TIME,    /* @timestamp: read by the time in force */
    TARGET_PEER,    /* source.ip, client.address …: address, ip or domain */
    TARGET_IP,      /* any other address */
    TARGET_NUMBER,
    TARGET_URL,
    TARGET_LOWER,
    TARGET_UPPER,
    TARGET_HEX,
    TARGET_NAME,    /* the last part of a path */
    TARGET_MAC,     /* 00-50-56-AA-BB-CC, as ECS has it */
    TARGET_DURATION,
    TARGET_DROP,
};

struct value_map {
    struct str from, to;
};

/* Where a word of a condition must stand in the value. */
enum word_place { WORD_WHOLE, WORD_HEAD, WORD_TAIL, WORD_WITHIN };

struct condition_word {
    struct str text;
    enum word_place place;
};

struct condition {
    struct str name;
    uint16_t number;          /* of the name */
    bool nothing;             /* holds where there is no value */
    bool numeric;             /* from … to; else any of the words */
    const struct condition_word *words;
    size_t count;
    int64_t from, to;
    uint64_t bit;             /* name_bit of the name; all of them for what is no field of the event */
};

struct target {
    struct str to;
    enum target_kind kind;
    struct str ip, domain, address; /* TARGET_PEER: the three names */
    int64_t unit_ns;
    struct str split;
    const struct value_map *values; /* sorted by from */
    size_t value_count;
    struct str otherwise; /* "else" */
    const struct condition *when; /* all must hold, or the value does not go this way */
    size_t when_count;
    bool straight;        /* the value goes into the event as it is, whatever else it says, under "to" */
    bool lenient;         /* keep: a value that is not listed stays */
    bool instead;         /* of what the header gave under this name */
};

/* A name that the file speaks of: of a group, of a form, of a condition. Names are numbered when the file is loaded, so that
 * none is looked for by its text while a line is read. */
struct field {
    struct str name;
    const struct target *targets;
    size_t count;
    uint16_t number; /* from 1; 0: a name of a form that nobody asks for */
    bool told;       /* the file says where its values go, be it nowhere */
};

struct constant {
    struct str name;
    const struct str *values;
    size_t count;
    uint64_t bit;   /* name_bit of the name */
    uint8_t number; /* of the name, among those that constants of this product have */
};

struct layer;
struct when {
    const struct condition *all;
    size_t count;
    const struct layer *then; /* no cases, no time of its own */
};

struct zone_name {
    struct str name;
    int32_t offset_min;
};

struct time_rule {
    const uint16_t *from; /* numbers of names */
    const struct str *forms;
    size_t from_count, form_count;
    const struct zone_name *zones; /* for %Z */
    size_t zone_count;
    int32_t zone_min; /* EVENT_OFFSET_NONE: the source's */
};

/* What product, pattern and case give alike. */
struct layer {
    const struct constant *sets;
    size_t set_count;
    const struct when *cases;
    size_t case_count;
    const struct time_rule *time;
    uint64_t types;
};

/* Some pairs of bytes of a literal: a text that lacks one of them does not hold it. */
struct literal_pairs {
    uint16_t at[PAIRS_OF_LITERAL];
    uint16_t count;
};

/* A text to look for, and its byte that texts have most seldom: that one is looked for first. */
struct needle {
    struct str text;
    size_t rare; /* its place */
};

struct pattern {
    struct literal_pairs pairs;
    struct needle needle; /* the literal, where it is to be looked for; else of no bytes: it stands in every head, or may stand otherwise (folds) */
    struct str name, of, literal;
    const struct str *heads; /* a text that matches begins with one of these; none: nothing is known */
    size_t head_count;
    void *code; /* pcre2_code, owned */
    bool jit, alone;
    bool last;  /* alone: after those of all other products */
    bool folds; /* letters of both cases are one: its literal may stand otherwise */
    int line;
    const struct str *starts;
    size_t start_count;
    const struct field *groups; /* by number of the group, from 1; one that has no name has no targets */
    size_t group_count;
    struct layer layer;
};

struct inside {
    struct str program, parser;
    uint16_t of;    /* number of a name */
    enum form form; /* FORM_TEXT: program or parser */
    struct form_options options;
};

struct sample {
    struct str line, path, unit, parser;
    enum event_parse parse;
    int32_t zone_min;
    bool not;
    int row; /* of the file */
    const struct constant *want;
    size_t want_count;
};

struct filter;

/* What is told by other fields of the event. */
#define DERIVE_BYTES   1u /* network.bytes: of both sides together */
#define DERIVE_PACKETS 2u /* network.packets */
#define DERIVE_TYPE    4u /* network.type: ipv4 or ipv6 */

/* Some patterns of a product, in the order of the file. */
struct pattern_list {
    const uint16_t *items;
    size_t count, searches; /* searches: whose literal is to be looked for */
};

/* Patterns that read the same text. */
struct group_of {
    struct str of;
    uint16_t number; /* of that name; 0: the text itself */
    bool path;       /* of is the path of the line's file, where no value has that name */
    const struct pattern_list *lists; /* the first has all */
    const struct filter *filter;      /* of all */
    uint16_t list_of[256];            /* by the first byte of the text: which list has those that may begin so */
};

struct product {
    int refs;
    struct arena arena;
    char *file;      /* malloc'ed: as it is named to people */
    uint64_t *lines; /* relaxed counter of those it took */
    struct str id, title, prefix;
    enum event_class class;
    const struct str *programs, *replaces, *paths, *starts, *contains, *empty, *structured;
    size_t program_count, replace_count, path_count, start_count, contain_count, empty_count, structured_count;
    size_t empty_longest; /* bytes of the longest of empty */
    bool alone, last, drop_rest; /* last: a form that is recognised alone after those of all others */
    unsigned derive; /* DERIVE_… */
    const struct str *records; /* how its records begin, where they may have several lines */
    size_t record_count;
    enum form form;
    struct form_options options;
    const struct field *fields; /* all names; open addressing, field_cap is a power of two */
    size_t field_cap, name_count;
    size_t said_count;          /* names that constants have */
    uint16_t message_of;        /* CEF: the name of which a value is the message where there is no other */
    struct layer layer;
    struct pattern *patterns;
    size_t pattern_count;
    const struct group_of *groups; /* the first reads the text itself, if any does */
    size_t group_count;
    const struct inside *inside;
    size_t inside_count;
    const struct literal_pairs *contain_pairs; /* of each of contains */
    const struct sample *samples;
    size_t sample_count;
    void *limits; /* pcre2_match_context, owned: what one match may take */
};

/* --- patterns_load.c, patterns_fields.c --- */
struct yaml;
struct ynode;
/* product_load - text is the file, name how it is named in errors ("FILE:LINE:COLUMN: …"). *out has one reference. */
MUST_USE int product_load(struct str text, const char *name, struct product **out, struct err *e);
void product_unref(struct product **p);

/* The hands of the loader: a product in the making. */
struct making {
    struct yaml *yaml;
    struct product *product;
    struct arena *arena;
    struct err *e;
    struct field *names; /* by number - 1 */
    size_t name_room;
    struct str said[SAID_MAX]; /* the names of constants, by number */
};
/* making_number - that of a name; it gets one if it has none. */
MUST_USE int making_number(struct making *m, const struct ynode *at, struct str name, uint16_t *out);
/* making_names - the table by which a form's names are found, when all are numbered. */
MUST_USE int making_names(struct making *m);
MUST_USE int making_texts(struct making *m, const struct ynode *map, const char *key, const struct str **out, size_t *count);
MUST_USE int making_fields(struct making *m, const struct ynode *map);
MUST_USE int making_layer(struct making *m, const struct ynode *map, struct layer *out);
/* making_group - the field for a name in a pattern: targets of "fields", or the name itself. */
MUST_USE int making_group(struct making *m, const struct ynode *at, struct str name, struct field *out);
MUST_USE int making_samples(struct making *m, const struct ynode *list);
MUST_USE int making_constants(struct making *m, const struct ynode *map, bool said, const struct constant **out,
                              size_t *count);
/* making_time - the rule of a product that says nothing of its time. */
MUST_USE int making_time(struct making *m);
/* making_zone - that under key; EVENT_OFFSET_NONE where there is none. */
MUST_USE int making_zone(struct making *m, const struct ynode *map, const char *key, int32_t *out);

/* --- patterns_groups.c --- */
/* How a text may begin: for each first byte the buckets (ALONE_BUCKET) of the bytes that may follow it. */
struct openings {
    uint32_t may[256];
};
/* openings_starts - leave what one of these ways ("starts") allows; none: as it was. */
void openings_starts(struct openings *o, const struct str *starts, size_t count);
/* pattern_openings - of a text that may match. */
void pattern_openings(const struct pattern *p, struct openings *o);
/* making_groups - the patterns by the text that they read. The text itself comes first. */
MUST_USE int making_groups(struct making *m);

/* --- patterns_regex.c --- */
struct pattern_text {
    struct str source;
    bool template;     /* all but {NAME:TYPE} is literal */
    struct str names[PATTERN_GROUPS_MAX + 1]; /* out: of each group */
    size_t groups;     /* out */
    bool folds;        /* out */
    struct str literal; /* out: the longest text that must stand there */
    struct str heads[HEADS_MAX]; /* out: the text must begin with one of these; none: nothing is known */
    size_t head_count;
};
/* pattern_compile - sets p->code. The error's offset is that within the source. */
MUST_USE int pattern_compile(struct pattern_text *t, struct arena *a, struct pattern *p, struct err *e);
void pattern_free(struct pattern *p);

/* The room of a match, on the stack of its caller. */
struct matcher {
    _Alignas(16) char room[2048];
    size_t used;
    struct arena *arena;
    void *limits, *data;
};
/* limits_new - for product.limits; NULL: no memory. */
void *limits_new(void);
void limits_free(void *limits);
/* matcher_open - false: no memory. */
bool matcher_open(struct matcher *m, void *limits, struct arena *a);
/* matcher_run - 1: it matches, groups are in (*at)[2 * group]; 0: not; -E2BIG: more steps than allowed. */
int matcher_run(struct matcher *m, const struct pattern *p, struct str text, const size_t **at, size_t *count);

/* --- patterns_filter.c --- */
/* filter_new - count literals (ASCII letters folded); one of no bytes is always hit. In the arena. */
MUST_USE int filter_new(struct arena *a, const struct str *literals, size_t count, const struct filter **out, struct err *e);
/* filter_scan - set the bit of each literal that stands in text; hits has (count + 63) / 64 words, cleared here. */
void filter_scan(const struct filter *f, struct str text, uint64_t *hits);
size_t filter_bytes(const struct filter *f);


void needle_of(struct str text, struct needle *out);
/* needle_in - as str_find(text, n->text) >= 0. */
bool needle_in(const struct needle *n, struct str text);

/* The pairs of neighbouring bytes of a text, letters of both cases as one: found out once, asked for many literals. */
struct text_pairs {
    struct str text; /* of which these are; {NULL,0}: none yet */
    uint8_t seen[PAIRS_SIZE];
};
void literal_pairs_of(struct str literal, struct literal_pairs *out);
/* text_pairs - those of text; NULL: no memory, then any literal may stand there. */
const uint8_t *text_pairs(struct work *w, struct str text);
/* pairs_hold - false: the literal does not stand in the text. */
static inline bool pairs_hold(const uint8_t *seen, const struct literal_pairs *l)
{
    size_t i = 0;

    while (seen && i < l->count && seen[l->at[i]])
        i++;
    return !seen || i == l->count;
}

/* --- patterns_time.c --- */
/* stamp_by_form - the whole of text by a form of rule. */
bool stamp_by_form(const struct work *w, const struct time_rule *rule, struct str form, struct str text, struct stamp *out);
/* stamp_form_valid - every letter behind a '%' is known. */
bool stamp_form_valid(struct str form);

/* --- a text while it is read: patterns_run.c --- */

/* One value that was found. */
struct captured {
    struct str name, value;
    const struct field *field;
    uint16_t before; /* the capture of the same name before it, counted from 1; 0: none */
};

struct taken {
    const struct product *product;
    struct captured *items;
    size_t count;
    uint16_t *latest; /* by number of a name: its last capture, counted from 1; 0: none */
    const struct pattern *matched[MATCHED_MAX];
    size_t matched_count;
    struct matcher *matcher; /* NULL: not yet made */
};

/* --- patterns_put.c --- */
/* put_value - v goes where the target says, as it says. */
void put_value(struct work *w, const struct target *t, struct str v);
/* put_twice - this product gave the same already: a user stands in the prefix of a line and again in its text. */
bool put_twice(const struct work *w, struct str name, struct str value);
static inline void put_text(struct work *w, struct str name, struct str value)
{
    if (w->product_from >= w->ev->field_count || !put_twice(w, name, value))
        work_add(w, name, value);
}

/* --- patterns_cases.c --- */
bool all_hold(const struct work *w, const struct taken *t, const struct condition *all, size_t count);
/* put_constants - those of product, patterns and the cases that hold; what was captured stands, except against a case. */
void put_constants(struct work *w, const struct taken *t);

/* --- patterns_run.c --- */
/* product_looks - the text passes "starts" and "contains". */
bool product_looks(const struct product *p, struct str text);
/* product_run - read text. True: a pattern matched, or the form fits; the event has it all. False: nothing was added. */
bool product_run(struct work *w, const struct product *p, struct str text);
/* pattern_may - the text begins as it must, and the literal stands in it. */
bool pattern_may(struct work *w, const struct product *product, const struct pattern *p, struct str text);
/* product_try - the same with one pattern that was found by its literal. */
bool product_try(struct work *w, const struct product *p, const struct pattern *pattern, struct str text);

/* --- patterns_samples.c --- */
/* samples_hold - run the samples of p against parser. 0, or -EBADMSG with file, line and what differed; every: go on
 * after one that fails, and tell each. */
struct sample_listener {
    void (*failed)(void *arg, const char *story);
    void *arg;
};
MUST_USE int samples_hold(const struct parser *parser, const struct product *p, const struct sample_listener *every, struct err *e);

/* --- patterns_set.c: folders and files --- */
struct alone {
    const struct product *product;
    const struct pattern *pattern;
};

struct route {
    struct str name; /* with '*' at an end: for all names of that kind */
    const struct product *products[ROUTE_PRODUCTS_MAX];
    size_t count;
    bool replaces;
};

struct product_file;
/* What a parser holds of products as data. Counters alone change after loading. */
struct patterns {
    char *folders[PARSE_FOLDERS_MAX];
    struct product_file *files;  /* malloc'ed */
    size_t file_count;
    struct product *products[PRODUCTS_MAX]; /* in force, in order; a reference each */
    uint64_t limits;             /* relaxed counter */
    size_t product_count;
    struct arena arena;          /* of what follows */
    struct route *routes, *globs;
    size_t route_cap, glob_count;
    uint64_t glob_first[4];      /* first bytes of names that a glob may hold for */
    const struct route *known[PROGRAMS_MAX]; /* of each program that has a reader in C, in its order */
    struct alone *alone;
    size_t alone_count;
    uint16_t *alone_list;        /* indices of alone, by the first byte of a text and the bucket of its second: alone_at[i] … alone_at[i + 1] - 1 */
    uint32_t *alone_at;
    const struct filter *alone_filter, *path_filter;
    const struct product **alone_forms, **path_products, **structured_products;
    struct str *path_globs, *structured_globs;
    size_t form_count, path_count, structured_count;
    uint16_t *form_list;         /* indices of alone_forms, by the first byte likewise */
    uint32_t form_at[257];
};
/* product_try_samples - the product by itself, beside the readers in C, does as its samples say. */
MUST_USE int product_try_samples(struct product *p, int32_t zone_min, struct err *e);
/* product_try_lines - how many of these lines it understands wholly, beside the readers in C. */
MUST_USE int product_try_lines(struct product *p, struct str lines, size_t *count, size_t *taken, struct err *e);
/* patterns_build - the tables above out of d->products. */
MUST_USE int patterns_build(struct patterns *d, struct err *e);
void patterns_free(struct patterns **d);

/* --- patterns_route.c: the way of a line to a product --- */
bool glob_holds(struct str glob, struct str text);
void patterns_count_limit(const struct parser *p);
/* patterns_named, patterns_path, patterns_alone - try that of hints.parser, those of the path, all alone ones. True: understood. */
bool patterns_named(struct work *w, struct str text);
bool patterns_path(struct work *w, struct str text);
bool patterns_alone(struct work *w, struct str text);
/* patterns_structured - the products whose structured data the header has. */
bool patterns_structured(struct work *w);
/* patterns_claim - profile or path name a product, the line is not as its lines are: named, and partial. */
bool patterns_claim(struct work *w);
/* patterns_program - the route of a program's name, or NULL. */
const struct route *patterns_program(const struct parser *p, struct str name);
const struct route *patterns_route(const struct patterns *d, struct str name);
/* route_run - the products of a route, in turn; claim: if none reads it the first is named, and partial. */
bool route_run(struct work *w, const struct route *r, bool claim);
/* patterns_inside - hand a text to a program or a product (by id); false if nobody understood it. */
bool patterns_inside(struct work *w, struct str program, struct str parser, struct str text);
RARELY void parse_explain(struct work *w, const char *fmt, ...) PRINTF(2, 3);

#endif
