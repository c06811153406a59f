/* internal.h - what the files of src/sigma share.
 *
 * A rule on its way:  YAML document -> nodes (AND, OR, NOT over leaves) -> program (branches over leaves).
 *   pipeline.c   names and values of a site, before any rule is read;  documents.c  the documents of a file
 *   pattern.c    one value: texts with wildcards, regular expressions (regex.c), networks, numbers, parts of a moment (timepart.c)
 *   modifier.c   what stands behind "|", applied to a value;  expand.c  a value with placeholders
 *   detection.c  the selections of a rule become nodes;  condition.c  the condition joins them
 *   program.c    nodes become a program of jumps, and its evaluation over a view
 *   view.c       an event as a rule sees it: values by field number (shape.c), folded on demand
 *   filter.c     what narrows a rule from outside, and rule_holds, which knows of both
 *   logsource.c  which rules an event is shown to
 *   correlation.c, bounds.c  what a correlation says
 *   correlate.c  an event finds its group;  window.c  what happens there;  groups.c, items.c, values.c, clocks.c  what is kept
 *   state.c      its form on disk
 *   files.c, rule.c, units.c, set.c  folders, documents, what a file becomes, references;  run.c  one event through all of it;  plain.c  the same without any table, to compare with */
#ifndef SAQSHY_SIGMA_INTERNAL_H
#define SAQSHY_SIGMA_INTERNAL_H

#include "base/yaml.h"
#include "sigma/shape.h"

/* --- fold.c: Unicode simple case folding --- */

/* sigma_fold - s folded, a copy in a ({NULL,0} without memory). Bytes that are not
 * UTF-8 stay as they are. */
struct str sigma_fold(struct arena *a, struct str s);
/* utf8_width - bytes of the code point at p; 1 for a byte that starts none. */
size_t utf8_width(const char *p, size_t n);
/* load4 - four bytes as they lie in memory. */
static inline uint32_t load4(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* --- pattern.c --- */

#define PATTERN_TOKENS_MAX 65536
#define GLOB_STEPS_MAX     4000000u   /* byte comparisons of one wildcard pattern over one value */
#define RE_MATCH_LIMIT     200000u    /* PCRE2's own count of steps */
#define RE_DEPTH_LIMIT     10000u     /* of nested choices, where the JIT is not at hand */

enum pattern_kind {
    PAT_ANY,        /* "*": any value there is */
    PAT_EQ, PAT_STARTS, PAT_ENDS, PAT_CONTAINS, PAT_GLOB,
    PAT_NUMBER,     /* equal as a number; text is the form written */
    PAT_RE, PAT_CIDR,
    PAT_LT, PAT_LTE, PAT_GT, PAT_GTE,
    PAT_NULL,       /* the field is absent, or JSON's null */
    PAT_EXISTS,     /* the field is there, be it null or empty */
    PAT_ABSENT,     /* the field is not there at all */
    PAT_PART,       /* a part of the moment that the value names, compared as "compare" says */
    PAT_REF,        /* equal to another field */
    PAT_REF_STARTS, PAT_REF_ENDS, PAT_REF_CONTAINS,
};

/* A wildcard pattern is a row of these: bytes, and the marks above them. */
enum token { TOK_STAR = 256, TOK_ONE, TOK_DASH };

struct regex;

enum time_part { PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

/* There are fifty thousand in a large set: what only one kind has shares its place. */
struct pattern {
    enum pattern_kind kind : 8;
    enum pattern_kind compare : 8;  /* of PAT_PART: PAT_NUMBER, or PAT_LT and kin */
    enum time_part    part : 8;     /* PAT_PART */
    bool        cased;
    uint8_t     prefix;             /* PAT_CIDR */
    uint8_t     needs;              /* how many of need there are */
    bool        needs_byte;         /* of a text too short for that: need_byte is one of its bytes */
    uint8_t     need_byte;
    uint32_t    need[2];            /* hashes of 4 bytes each that stand in every value it holds for: set by program_name */
    struct str  text;               /* folded unless cased */
    union {
        double        number;       /* PAT_NUMBER, PAT_LT and kin, PAT_PART */
        uint16_t     *tokens;       /* PAT_GLOB */
        struct regex *re;           /* PAT_RE; owned by the set's list */
        uint8_t       net[16];      /* PAT_CIDR, IPv4 as ::ffff:a.b.c.d */
    };
    union {
        uint32_t token_count;       /* PAT_GLOB */
        uint32_t ref_field;         /* PAT_REF and kin */
        int      zone_min;          /* in which PAT_PART reads the clock */
    };
};
static_assert(sizeof(struct pattern) <= 64, "a pattern takes a line of cache");

/* A row of tokens while it is being made. */
struct tokens {
    uint16_t *p;
    uint32_t  n;
};

/* Tokens of a Sigma text: backslash escapes, * and ?. */
MUST_USE int tokens_of(struct arena *a, struct str s, struct tokens *out, struct err *e);
MUST_USE int tokens_wrap(struct arena *a, struct tokens *t, bool star_before, bool star_after, struct err *e);
/* tokens_text - the bytes, if there is no wildcard among them; false otherwise. */
bool tokens_text(struct arena *a, const struct tokens *t, struct str *out);
/* tokens_put - t with the token at "place" replaced by these bytes. */
MUST_USE int tokens_put(struct arena *a, const struct tokens *t, uint32_t place, struct str bytes, struct tokens *out, struct err *e);
MUST_USE int tokens_literal(struct arena *a, struct str bytes, struct tokens *out, struct err *e);
void tokens_windash(struct tokens *t);
MUST_USE int pattern_of_tokens(struct sigma *s, const struct tokens *t, bool cased, struct pattern *out, struct err *e);
MUST_USE int pattern_cidr(struct str s, struct pattern *out, struct err *e);
/* address_parse - an IPv4 or IPv6 address as 16 bytes. */
bool address_parse(struct str s, uint8_t out[16]);
/* number_parse - the whole of s as a decimal number. */
bool number_parse(struct str s, double *out);
/* number_compare - v against the pattern's number, as kind says. */
bool number_compare(enum pattern_kind kind, double v, double number);
/* part_possible - the number can be that part of a moment;  part_of - that part of the moment s, if it is one (timepart.c). */
bool part_possible(enum time_part part, double number);
bool part_of(enum time_part part, struct str s, int zone_min, double *out);
/* glob_match - tokens over the whole of s. *steps counts down; at 0 the answer is false. */
bool glob_match(const uint16_t *tokens, uint32_t count, struct str s, uint32_t *steps);

struct regex {
    struct regex *next;
    void *code;      /* pcre2_code */
    struct str source;   /* as written, for people */
};
#define RE_CASELESS   1u
#define RE_MULTILINE  2u
#define RE_DOTALL     4u
#define RE_FROM_START 8u     /* the match begins where the value does */
#define RE_TO_END     16u
MUST_USE int regex_new(struct str pattern, unsigned flags, struct regex **out, struct err *e);
void regex_free(struct regex *r);
size_t regex_bytes(const struct regex *r);   /* memory, with its machine code */
struct regex_scratch;   /* pcre2 match data and context of one worker */
struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch **s);
/* regex_match - 1 found (at, n), 0 not, -1 stopped at the limit. */
int regex_match(const struct regex *r, struct regex_scratch *s, struct str text, size_t *at, size_t *n);

/* same_bytes - n bytes, mostly few, are the same: no call for what some loads tell. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    size_t i = 0;

    if (n < 8) {
        if (n >= 4)
            return load4(a) == load4(b) && load4(a + n - 4) == load4(b + n - 4);
        while (i < n && a[i] == b[i])
            i++;
        return i == n;
    }
    for (; i + 8 < n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + n - 8, 8);
    memcpy(&y, b + n - 8, 8);
    return x == y;
}

struct u32list { uint32_t *p; uint32_t n, cap; };
MUST_USE bool u32list_add(struct u32list *l, uint32_t v);

/* --- nodes --- */

#define FIELD_KEYWORD UINT32_MAX   /* any value of the event, or its original text */
#define KEY_OBJECT    '\x1e'   /* in a group's key, before the object; not told */

enum node_kind { NODE_LEAF, NODE_AND, NODE_OR, NODE_NOT };

/* One leaf: some value of the field matches one of the patterns. */
struct leaf {
    uint32_t field;
    uint32_t count;
    struct pattern *patterns;
    uint64_t *names;              /* of the patterns' atoms (engine.h); NULL: not of the condition of a rule */
};

struct logsource;

struct node {
    enum node_kind kind;
    uint32_t    leaf;             /* index in the draft's leaves */
    uint32_t    kids, kid_count;  /* in the draft's kid list */
    uint64_t    cost;             /* of a full evaluation, roughly */
};

struct named { struct str name; uint32_t node; };

/* A rule while it is being compiled: lists grow in scratch memory; what stays goes to the set's arena. */
struct draft {
    struct sigma  *set;
    struct yaml   *y;
    struct err    *e;
    struct str     file, id;      /* for remarks; the id may be empty */
    struct str     taxonomy;      /* empty: Sigma's own */
    const struct logsource *logsource; /* of the rule, for pipelines; or NULL */
    bool           unsupported;   /* the refusal is SIGMA_UNSUPPORTED, not SIGMA_BROKEN */
    int            line, column;  /* of the refusal */
    struct node   *nodes;
    uint32_t       node_count, node_cap;
    uint32_t      *kids;
    uint32_t       kid_count, kid_cap;
    struct leaf   *leaves;
    uint32_t       leaf_count, leaf_cap;
    struct named  *names;
    uint32_t       name_count, name_cap;
    struct u32list conditions;    /* the root of each, if the rule has a list of them */
};

/* draft_broken, draft_unsupported - refuse the rule at a place; they return -EBADMSG and -ENOTSUP. */
int draft_broken(struct draft *d, const struct ynode *at, const char *fmt, ...) PRINTF(3, 4);
int draft_unsupported(struct draft *d, const struct ynode *at, const char *fmt, ...) PRINTF(3, 4);
/* draft_remark - tell of something odd in a rule that loads all the same. */
void draft_remark(struct draft *d, const struct ynode *at, const char *fmt, ...) PRINTF(3, 4);
/* draft_node - a node over kids (all with smaller index). Returns its index, or a negative error. */
int64_t draft_node(struct draft *d, enum node_kind kind, const uint32_t *kids, uint32_t count, const struct ynode *at);
int64_t draft_leaf(struct draft *d, const struct leaf *leaf, const struct ynode *at);
/* draft_texts - a text, or a list of texts. */
MUST_USE int draft_texts(struct draft *d, const struct ynode *n, struct sigma_texts *out);
/* detection_compile - every selection below "detection" becomes a named node; condition, and the key "not_one" (or NULL), are none. */
MUST_USE int detection_compile(struct draft *d, const struct ynode *detection, const char *not_one);
/* condition_compile - the conditions over the named nodes; *root is the node of the whole. Those of a list are in d->conditions too. */
MUST_USE int condition_compile(struct draft *d, const struct ynode *condition, uint32_t *root);
void draft_free(struct draft *d);
/* draft_refuse - rc of a compilation as a refusal in the set: 0 then; else what cannot be refused, no memory. */
MUST_USE int draft_refuse(struct draft *d, int rc, const struct ynode *doc, struct err *e);

/* --- program.c --- */

#define GOTO_TRUE  UINT32_MAX
#define GOTO_FALSE (UINT32_MAX - 1)

struct instr {
    uint32_t leaf, yes, no;    /* next instruction, or one of the two ends */
};
struct program {
    struct instr *code;
    uint32_t      count, entry;
    struct leaf  *leaves;
    uint32_t      leaf_count;
    struct part  *parts;       /* the nodes from which it was written: what must hold is read off them */
    uint32_t     *kids;
    uint32_t      part_count, root;
    struct named *names;       /* the selections: which part is which, for people */
    uint32_t      name_count;
};
/* first: of a leaf its number, of the others their first kid in kids; kids have smaller numbers than their parents. */
struct part { enum node_kind kind; uint32_t first, count; };
MUST_USE int program_compile(struct draft *d, uint32_t root, struct program *out);

/* --- view.c --- */

/* One name under which an event may carry a field of the rules. Smaller rank wins. */
struct alias {
    uint32_t field, rank, next;
};
struct vvalue {
    struct str raw, folded;  /* raw.p NULL: JSON's null, which is there but equals nothing */
    uint32_t   generation;   /* of the event for which the rest was set */
    bool       has_folded;
    uint8_t    looks;        /* searches in it so far: grams pay from the few-th on */
    uint8_t    gram_shift;
    uint32_t  *grams;        /* set of the hashes of all its 4 bytes in a row, folded; NULL: not made */
    uint32_t   bytes[8];     /* set of its bytes, folded; made together with grams */
};
struct view {
    const struct sigma *set;
    const struct event *ev;
    struct shapes *shapes;
    const struct shape *shape;      /* of the event at hand */
    uint32_t       generation;
    struct vvalue *values;
    uint32_t       value_cap;
    struct arena   scratch;
    struct regex_scratch *re;
    uint64_t       regex_limit;
    bool           failed;
};
MUST_USE int view_init(struct view *v, const struct sigma *set, struct err *e);
void view_free(struct view *v);
/* view_take - look at an event; it is borrowed until the next one. fresh: nothing remembered of earlier events is used. */
MUST_USE int view_take(struct view *v, const struct event *ev, bool fresh, struct err *e);
/* view_first - first value index of a field, UINT32_MAX if the event lacks it; view_next - the one after it. */
static inline uint32_t view_first(const struct view *v, uint32_t field)
{
    uint16_t i = v->shape->first[field];

    return i == VALUE_NONE ? UINT32_MAX : i;
}
static inline uint32_t view_next(const struct view *v, uint32_t value)
{
    uint16_t i = v->shape->next[value];

    return i == VALUE_NONE ? UINT32_MAX : i;
}
/* view_words - the first so many values are those of every field, and the original line. */
static inline uint32_t view_words(const struct view *v) { return v->shape->field_count + 1; }
void view_fill(struct view *v, uint32_t value);
static inline struct vvalue *view_value(struct view *v, uint32_t value)
{
    if (v->values[value].generation != v->generation)
        view_fill(v, value);
    return &v->values[value];
}
struct str view_folded(struct view *v, uint32_t value);

/* program_run - the plain way; program_match - the same answer, values with many searches in them looked over beforehand. */
bool program_run(const struct program *p, struct view *v);
bool program_match(const struct program *p, struct view *v);
/* leaf_true - the plain way; leaf_quick - the same answer, as above. */
bool leaf_true(const struct leaf *leaf, struct view *v);
bool leaf_quick(const struct leaf *leaf, struct view *v);
/* Where a value holds a pattern: bytes of the value as it came. */
struct place { size_t at, n; };
/* pattern_holds - one value of the event against one pattern, and where in it. */
bool pattern_holds(const struct pattern *p, struct view *v, uint32_t value, struct place *pl);
/* program_explain - the places that made the program true; at most max. */
size_t program_explain(const struct program *p, struct view *v, struct sigma_hit *hits, size_t max);

/* field_intern - the number of a field name in the set; UINT32_MAX past SIGMA_FIELDS_MAX. */
uint32_t field_intern(struct sigma *s, struct str name);
/* field_new - one more field of a name that may be there already: a mapping for some rules only (pipeline.c). */
uint32_t field_new(struct sigma *s, struct str name);
/* aliases_build - once all rules are known: the table of names under which events carry the fields. */
MUST_USE int aliases_build(struct sigma *s, struct err *e);

/* --- logsource.c --- */

struct logsource { struct str product, category, service; };
/* What an event says of its origin, computed once an event. */
struct origin {
    const struct event *ev;
    struct str product;          /* "linux", "windows", …; empty: unknown */
    struct str event_id, channel, event_type, provider;
};
void origin_of(struct view *v, const struct sigma *s, const struct event *ev, struct origin *out);
/* logsource_within - each name that "part" gives is the same in "whole". */
bool logsource_within(const struct logsource *part, const struct logsource *whole);
/* origin_unknown - nobody knows what wrote the event. */
bool origin_unknown(const struct origin *o);
/* logsource_word - the texts that the answer of logsource_applies depends on, those of the rules apart: from 0 until false. */
bool logsource_word(uint32_t i, struct str *out);
bool logsource_applies(const struct logsource *l, const struct origin *o, bool loose);

/* --- plain.c: the evaluator to compare with --- */

struct plain;
MUST_USE int plain_new(const struct sigma *s, bool loose, struct plain **out, struct err *e);
void plain_free(struct plain **p);
/* plain_event - the rules that match, correlations apart; borrowed until the next call. */
MUST_USE int plain_event(struct plain *p, const struct event *ev, const uint32_t **rules, size_t *count, struct err *e);

/* --- correlations --- */

/* The numbers of the first five stand in saved states (define in correlation.c). */
enum correlation_kind {
    CORR_EVENT_COUNT, CORR_VALUE_COUNT, CORR_TEMPORAL, CORR_TEMPORAL_ORDERED, CORR_NEW_VALUE, CORR_SUM, CORR_AVG, CORR_PERCENTILE,
    CORR_ABSENCE,
};

/* The numbers that make a correlation fire: between low and high, or (neq) outside. */
struct range {
    double low, high;               /* -INFINITY, INFINITY: no such bound */
    bool   low_open, high_open;     /* the bound itself is out */
    bool   negate;
};
static inline bool range_low(const struct range *r, double v) { return r->low_open ? v > r->low : v >= r->low; }
static inline bool range_high(const struct range *r, double v) { return r->high_open ? v < r->high : v <= r->high; }
static inline bool range_holds(const struct range *r, double v)
{
    return (range_low(r, v) && range_high(r, v)) != r->negate;
}

/* One way in which a condition over rules is true, as bits of references: these were seen, and those were not. */
struct alternative { uint32_t want, without; };
#define WAYS_MAX 64

struct correlation {
    enum correlation_kind kind;
    uint32_t  rule;                       /* index of its own rule */
    struct str names[SIGMA_REFS_MAX];     /* ids or names of the rules it reads */
    uint32_t  refs[SIGMA_REFS_MAX];       /* their indexes, once linked */
    uint32_t  ref_count;
    bool      generate;                   /* the rules it reads are told too */
    bool      per_object;                 /* saqshy.per_object: groups of different objects do not mix */
    int       line, column;               /* of "rules", for an error when linking */
    uint32_t  group_by[SIGMA_GROUP_BY_MAX];                    /* field numbers */
    uint32_t  alias[SIGMA_REFS_MAX][SIGMA_GROUP_BY_MAX];       /* the field for each reference */
    uint32_t  group_count;
    uint32_t  field[SIGMA_GROUP_BY_MAX];  /* whose values are counted, summed, new */
    uint32_t  field_count;
    uint32_t  percentile;                 /* 1 to 99; a median is 50 */
    time_ns   timespan, learn, lateness;
    struct range range;
    bool      at_end;                     /* judged when the window ends: lt, lte, eq, neq, a range, "not" */
    struct alternative alternatives[WAYS_MAX];         /* temporal kinds; none: range over the number of rules */
    uint32_t  alternative_count;
    bool      read;                       /* another correlation reads this one */
    uint32_t  depth;                      /* 1: over rules; more: over correlations */
    uint64_t  definition;                 /* hash: state is kept while it is equal */
};

/* --- pipeline.c --- */

/* The names under which events carry a field, for the rules of some log sources (none named: of all) and of a taxonomy. */
struct mapping {
    struct str          field, taxonomy;      /* taxonomy empty: Sigma's own */
    struct sigma_texts  names;                /* the first that an event has counts */
    struct logsource   *sources;
    uint32_t            source_count;
    uint32_t            number;               /* of the field of its own that it made, or UINT32_MAX */
    uint32_t            next;                 /* an older one of the same field */
};
struct variable {
    struct str         name;
    struct sigma_texts values;
};
/* pipeline_is - the document is a pipeline;  pipeline_may_be - a text that holds one says yes here. */
bool pipeline_is(const struct ynode *doc);
bool pipeline_may_be(struct str text);
/* pipelines_load - the pipelines of all sources, before any rule is read. A refused one is in the set's list. */
MUST_USE int pipelines_load(struct sigma *s, const struct sigma_source *sources, size_t count, struct err *e);
const struct sigma_texts *variable_find(const struct sigma *s, struct str name);
bool taxonomy_known(const struct sigma *s, struct str taxonomy);
bool mapping_is_for_all(const struct mapping *m);
/* field_of - the number of the field that a rule names, as the pipelines have it for the rule's log source; UINT32_MAX past SIGMA_FIELDS_MAX. */
uint32_t field_of(struct draft *d, struct str name);
struct compiled;
/* field_for_rule - the field that a correlation names, as it is for one of the rules that it reads. */
uint32_t field_for_rule(struct sigma *s, uint32_t field, const struct compiled *rule);

/* --- filter.c --- */

struct filter {
    struct str         id, file;
    int                line, column;
    uint32_t           logsource;
    struct program     program;
    struct sigma_texts rules;     /* ids or names */
    bool               any;       /* of its log source */
    struct str         title, author, reason;
    time_ns            expires;   /* 0: never */
    struct sigma_texts objects;   /* none: all */
};
/* filter_counts - it has not expired when the event was received, and the event's object is in its scope. */
bool filter_counts(const struct filter *f, const struct event *ev);
/* filter_compile - the "filter" map of a document, into the set; custom: its "saqshy" map, or NULL. */
MUST_USE int filter_compile(struct draft *d, const struct ynode *map, const struct ynode *custom, const struct sigma_rule *texts, uint32_t logsource);
/* filters_link - once all rules are known. What a filter names in vain is a remark. */
MUST_USE int filters_link(struct sigma *s);

/* --- documents.c --- */

/* document_take - merged: the document was made of several. Not 0 ends it. */
typedef int document_take(void *arg, const struct ynode *doc, bool merged);
/* documents_each - the documents of a file in order, with those that "action" makes. -E2BIG: they grow too large. */
MUST_USE int documents_each(struct yaml *y, document_take *take, void *arg);

/* --- the set --- */

struct compiled {
    struct sigma_rule rule;
    struct program    program;
    struct program   *conditions;    /* each of a list of conditions by itself, or NULL */
    uint32_t          condition_count;
    uint32_t          logsource;
    struct str        taxonomy;      /* empty: Sigma's own */
    struct u32list    filters;       /* which narrow it */
    uint32_t          modified;      /* its date as a number, 20261128; 0: it says none */
    bool              merged;        /* its document was made of several: it may share its id with its neighbours */
    struct correlation *correlation; /* or NULL */
    bool              dead;          /* refused when linking */
};

struct slot { struct str key; uint32_t value; };
/* A small map from text to number: open addressing, grows, keys borrowed. */
struct strmap {
    struct slot *slots;
    uint32_t     cap, count;
};
MUST_USE bool strmap_put(struct strmap *m, struct str key, uint32_t value);
const struct slot *strmap_find(const struct strmap *m, struct str key);   /* NULL if absent */
uint32_t strmap_get(const struct strmap *m, struct str key);   /* UINT32_MAX if absent */

struct crop;
struct sigma {
    struct arena         arena;
    struct arena         scratch;        /* of the rule that is being compiled */
    struct strmap        texts;          /* of text_keep, while files are compiled */
    struct arena        *names;          /* of fields and log sources: they outlive the file that named them first (units.c) */
    struct crop        **crops;          /* shares: memory of its rules */
    uint32_t             crop_count;
    size_t               shared_bytes;   /* of its rules in there */
    bool                 spent;          /* something reached a limit of the whole set while files were compiled */
    struct compiled     *rules;
    uint32_t             rule_count, rule_cap;
    struct filter       *filters;
    uint32_t             filter_count, filter_cap;
    struct mapping      *mappings;
    uint32_t             mapping_count, mapping_cap;
    struct strmap        mapping_map;    /* the newest mapping of a field's name */
    struct variable     *variables;
    uint32_t             variable_count;
    size_t               expanded_bytes; /* that placeholders made */
    int                  zone_min;       /* for parts of moments */
    struct correlation **correlations;   /* ordered by depth, then by rule */
    uint32_t             correlation_count, correlation_cap;
    struct logsource    *logsources;
    uint32_t             logsource_count, logsource_cap;
    struct sigma_refusal *refusals;
    uint32_t             refusal_count, refusal_cap;
    struct sigma_remark *remarks;
    uint32_t             remark_count, remark_cap;
    struct str          *fields;
    uint32_t             field_count;
    struct strmap        field_map, id_map, alias_map;
    struct alias        *aliases;
    uint32_t             alias_count, alias_cap;
    struct tables       *tables;         /* engine.h */
    const struct sigma_frequency *frequency; /* while it is linked; or NULL */
    struct regex        *regexes;
    uint32_t             f_event_id, f_channel, f_event_type, f_provider; /* for logsource.c */
    time_ns              window_max;
};

#define SET_BYTES_MAX (512u * MIB)   /* of its rules, and of what links them */
/* set_new - an empty set; NULL without memory.  set_link - once all rules are in it: what leads from one to another, and the tables (set.c). */
struct sigma *set_new(void);
MUST_USE int set_link(struct sigma *s, struct err *e);
/* text_keep - a copy in the set's arena, NUL behind it, one for all files of a compilation that say the same: tags, authors, names of selections and values
 * stand in many. {NULL, 0} without memory.  texts_end - the arena goes elsewhere: what comes shares nothing with what is in it. */
struct str text_keep(struct sigma *s, struct str text);
void texts_end(struct sigma *s);

/* --- units.c: what one file becomes --- */

/* set_compile - all that sources hold, into an empty set; u (may be NULL): what was made of files before. */
MUST_USE int set_compile(struct sigma *s, struct sigma_units *u, const struct sigma_source *sources, size_t count, struct err *e);
void crop_unref(struct crop **c);

/* rule_compile - one YAML document into the set, or a refusal in it. Only -ENOMEM and -E2BIG come back. */
MUST_USE int rule_compile(struct sigma *s, struct yaml *y, const struct ynode *doc, bool merged, struct str file, struct err *e);
/* rule_holds - the condition of a plain rule, and of its filters, over an event; quick: by program_match. */
bool rule_holds(const struct sigma *s, const struct compiled *c, bool quick, struct view *v);
/* rule_conditions - which of a list of conditions hold, bit by bit; 0 for a rule with one. */
uint64_t rule_conditions(const struct compiled *c, struct view *v);
/* correlation_parse - the "correlation" map of a document; references stay texts until the set is linked. */
MUST_USE int correlation_parse(struct draft *d, const struct ynode *map, const struct ynode *custom, struct correlation **out);
/* correlation_field - the number of the field that n names. */
MUST_USE int correlation_field(struct draft *d, const struct ynode *n, uint32_t *out);
/* correlation_condition - bounds, fields, or a condition over the names of the rules (bounds.c). */
MUST_USE int correlation_condition(struct draft *d, const struct ynode *map, struct correlation *c);
/* correlation_least - for a count: the smallest number that its range holds; 0 if there is none. */
uint64_t correlation_least(const struct correlation *c);
uint64_t correlation_most(const struct correlation *c);
MUST_USE int sigma_refuse(struct sigma *s, enum sigma_verdict v, struct str file, struct str id, int line, int column,
                          const char *reason);
MUST_USE int sigma_remark(struct sigma *s, struct str file, struct str id, int line, int column, const char *text);

/* --- clocks.c: what time it is for each source --- */

#define NIL   UINT32_MAX
#define NEVER INT64_MIN

/* A source's clock: its newest moment, and what our own clock showed then. */
struct source_clock { uint64_t name; time_ns newest, taken; };
struct clocks {
    struct source_clock *at;      /* 0: all sources for which there was no place */
    uint32_t  count, cap, *index, index_n;
};
MUST_USE bool clocks_init(struct clocks *c);
void clocks_free(struct clocks *c);
/* clocks_find - the clock of a source, by the hash of its name; made if new. */
uint32_t clocks_find(struct clocks *c, uint64_t name);
/* clocks_note - an event of that moment; true if it is late: older than the newest by more than SIGMA_LATENESS. */
bool clocks_note(struct clocks *c, uint32_t source, time_ns moment, time_ns now);
/* clocks_present - what the source's clock shows now, as far as we can know: its newest moment, and what has passed here since. */
time_ns clocks_present(const struct clocks *c, uint32_t source, time_ns now);

/* --- correlate.c --- */

struct groups;   /* the state of one correlation */
struct tracker {
    const struct sigma *set;
    struct groups **of;
    struct sigma_counters *counters;
    bool     loose;                /* files, not a journal: there is no clock of ours, the events' own time moves it */
    struct clocks clocks;
    uint64_t bytes;                /* of all groups */
    time_ns  now;                  /* our clock: the latest receipt */
    time_ns  moment;               /* of the event at hand */
    uint32_t source;               /* whose clock; NIL until it is asked for */
    struct ended *ended;           /* windows that ended with the event at hand and fired, of correlations that others read */
    uint32_t ended_count, ended_cap;
    struct buf ended_keys;
    uint32_t saving;               /* the correlation that is being saved in slices */
};
/* A window that ended and fired: the event at hand tells nothing of it, so its group says what the next correlation groups by. */
struct ended {
    uint32_t correlation, source;  /* source: whose clock t is of */
    time_ns  t;                    /* when the window was over */
    size_t   key_at, key_n;        /* in ended_keys */
};
MUST_USE int tracker_init(struct tracker *t, const struct sigma *s, bool loose, struct sigma_counters *c, struct err *e);
void tracker_free(struct tracker *t);

struct fired {
    uint64_t count, first_seq, last_seq;
    double   value;                /* NAN: none */
    bool     window_end;           /* the event at hand only ended the window */
    char     group[SIGMA_GROUP_TEXT_MAX];
    size_t   group_n;
};
/* tracker_event - once an event, before all others: what time it is. */
void tracker_event(struct tracker *t, const struct event *ev);
/* tracker_feed - rule "ref" (index in c->refs) matched the event of v: 1 if the correlation fires now. */
MUST_USE int tracker_feed(struct tracker *t, uint32_t correlation, uint32_t ref, struct view *v, struct fired *out,
                          struct err *e);
/* tracker_feed_ended - the same for the n-th ended window. */
MUST_USE int tracker_feed_ended(struct tracker *t, uint32_t correlation, uint32_t ref, uint32_t n, uint64_t seq, struct fired *out, struct err *e);
/* tracker_tick - 1 if the clock ended a window of this correlation and it fires; call until 0. */
MUST_USE int tracker_tick(struct tracker *t, uint32_t correlation, struct fired *out, struct err *e);
void tracker_load_of(const struct tracker *t, uint32_t correlation, struct sigma_load *out);
/* tracker_adopt - windows of from go to correlations of the same id and definition in to, and the clocks with them. */
void tracker_adopt(struct tracker *to, struct tracker *from);
void tracker_save(const struct tracker *t, struct buf *b);
/* tracker_save_begin, tracker_save_some, tracker_save_drop - see sigma_run_save_begin. */
MUST_USE bool tracker_save_begin(struct tracker *t, struct buf *b);
MUST_USE bool tracker_save_some(struct tracker *t, struct buf *b, size_t bytes);
void tracker_save_drop(struct tracker *t);
MUST_USE int tracker_load(struct tracker *t, struct str saved, struct err *e);
/* Moments of correlation stay within these, and spans within TIMESPAN_MAX, so that no difference of them overflows. */
#define MOMENT_MAX   INT64_C(4400000000000000000)   /* the year 2109 */
#define TIMESPAN_MAX (3650 * NS_PER_DAY)
static inline time_ns moment_within(time_ns t) { return t > MOMENT_MAX ? MOMENT_MAX : t < -MOMENT_MAX ? -MOMENT_MAX : t; }
static inline time_ns event_moment(const struct event *ev)
{
    return moment_within((ev->marks & MARK_FUTURE) ? ev->received : ev->time);
}

#endif
