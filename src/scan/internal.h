/* internal.h - for the family: the tree that readers build, the paths that walk it, descriptions as they are compiled.
 *
 * A reader (xml.c, json.c, rows.c, lines.c) tells the tree (tree.c) what opens and closes. The tree keeps only what some path of
 * the description can reach (trie.c), and gives each record, table entry and cover to read.c at its end; expr.c and finding.c make
 * texts of it. What was kept for a record leaves memory with it, because all of it lies on a pile. */
#ifndef SAQSHY_SCAN_INTERNAL_H
#define SAQSHY_SCAN_INTERNAL_H

#include "base/yaml.h"
#include "scan/scan.h"

#define FORMATS_MAX    256u
#define FORMAT_BYTES   (4u * MIB)    /* of one description, compiled */
#define NAMES_MAX      4096u         /* different names in the paths of one description */
#define STEPS_MAX      24u           /* of one path */
#define EXPR_DEPTH_MAX 12
#define ACTIVE_MAX     512u          /* places of paths that are followed at once */
#define VISITS_MAX     200000000u    /* nodes that the paths of one record may go through: a record that needs more is made to take long */
#define SAME_KEY_MAX   1024u         /* entries of a table under one key */
#define VALUES_MAX     1000000u         /* texts that one expression may give */
#define SNIFF_BYTES    (1u * MIB)    /* of a report, to know it */
#define SNIFF_NODES    4000u        /* of one parent */

/* --- pile.c: memory that is taken and given back in the order of a stack --- */
#define PILE_CHUNKS 48
struct pile_chunk { char *p; size_t size, used; };
struct pile {
    struct pile_chunk chunk[PILE_CHUNKS];
    size_t            current, total, limit;
    bool              failed;
};
struct pile_mark { size_t current, used, total; };
void pile_init(struct pile *p, size_t limit);
void pile_end(struct pile *p);
void *pile_alloc(struct pile *p, size_t bytes);
struct str pile_copy(struct pile *p, struct str s);
struct pile_mark pile_mark(const struct pile *p);
void pile_rewind(struct pile *p, struct pile_mark m);

/* --- re.c: patterns of descriptions, PCRE2 with limits --- */
#define RE_GROUPS 32
struct re;
struct re_work;     /* of one reading */
int re_new(struct str pattern, struct re **out, struct err *e);
void re_free(struct re *r);
struct re_work *re_work_new(void);
void re_work_free(struct re_work *w);
/* re_find - 1 found, 0 not, below zero: the limit of steps. groups[0] is the whole; a group that took no part is {NULL,0}. */
int re_find(const struct re *r, struct re_work *w, struct str text, size_t from, struct str groups[RE_GROUPS]);
/* re_name - the name of group i, or {NULL,0}. */
struct str re_name(const struct re *r, size_t i);
size_t re_groups(const struct re *r);

/* --- names.c: the names in the paths of a description, as small numbers --- */
struct names {
    struct str *text;          /* [1..count] */
    uint32_t   *slot;
    size_t      count, slots;
};
int names_init(struct names *n, struct arena *a);
uint32_t names_add(struct names *n, struct arena *a, struct str text);    /* 0: too many */
uint32_t names_find(const struct names *n, struct str text, uint64_t *hash);   /* 0: unknown */

/* --- path.c --- */
enum step_kind { STEP_NAME, STEP_ANY, STEP_DEEP, STEP_UP };
enum filter_kind { FILTER_HAS, FILTER_LACKS, FILTER_IS, FILTER_NOT, FILTER_NTH, FILTER_LAST };
struct path;
struct filter {
    enum filter_kind kind;
    struct path     *path;
    struct str       value;
    uint32_t         nth;
    struct filter   *next;
};
struct step {
    enum step_kind kind;
    uint32_t       name;
    struct filter *filters;
};
enum path_from { FROM_HERE, FROM_ROOT, FROM_TABLE, FROM_SCALAR, FROM_LITERAL };
enum path_give { GIVE_TEXT, GIVE_ALL_TEXT, GIVE_NAME, GIVE_INDEX };
struct path {
    enum path_from from;
    enum path_give give;
    uint32_t       index;        /* of the table or scalar */
    struct path   *key;          /* of the table */
    struct str     literal;
    struct step   *steps;
    size_t         count;
    struct path   *next;         /* the alternative behind "|" */
};

/* --- expr.c --- */
enum expr_kind { EXPR_PATH, EXPR_MAP, EXPR_MATCH, EXPR_SPLIT, EXPR_TEXT, EXPR_FIRST, EXPR_ALL, EXPR_JOIN, EXPR_BANDS, EXPR_TIME, EXPR_PLAIN,
                 EXPR_URL, EXPR_BASE64, EXPR_LOWER, EXPR_WHEN, EXPR_LOOKUP, EXPR_EACH, EXPR_FILL };
struct pair { struct str key, value; double number; };
struct cond;
struct expr {
    enum expr_kind kind;
    struct path   *path;
    struct expr   *from, *otherwise;
    struct expr  **list;          /* of first, all, join, and the parts of a text: a NULL part is its literal */
    struct str    *literals;
    size_t         count;
    struct pair   *pairs;
    size_t         pair_count;
    struct re     *re;
    struct str     give, with;
    struct cond   *when;
};
enum cond_kind { COND_IS, COND_NOT, COND_MATCH, COND_PRESENT, COND_ABOVE, COND_BELOW };
struct cond {
    struct expr   *value;
    enum cond_kind kind;
    struct str    *words;
    size_t         count;
    struct re     *re;
    double         number;
    bool           present;
    struct cond   *next;
};

/* --- tree.c --- */
struct node {
    uint32_t     id, index;       /* index: among the siblings of its name, from 0 */
    bool         hollow;          /* null or an empty list: shows only when a report is being known */
    struct str   name, text, all;
    struct node *parent, *first, *last, *next;
    uint64_t     line;
};

/* What a path wants to have at a place, and whom to tell when the place closes. */
#define WANT_NODE  1u
#define WANT_TEXT  2u
#define WANT_ALL   4u
#define WANT_FIRST 8u    /* the first that has text is enough */
enum consumer_kind { CONSUME_RECORD, CONSUME_TABLE, CONSUME_COVER };
struct consumer { enum consumer_kind kind; uint32_t index; uint32_t next; };
struct tnode {
    enum step_kind kind;
    uint32_t       name, child, next, anchored, consumers;   /* indices into the trie; 0 none */
    unsigned       want;
    bool           loops;         /* behind a "**": stays at any depth */
    bool           every;         /* some path wants every one, not the first only */
    bool           first;         /* the outermost filter of a path of which the first is enough */
    const struct filter *filters; /* what a node must show at its end to be kept for those outside of it */
};
struct trie {
    struct tnode    *nodes;       /* 0 is the place before the root */
    struct consumer *consumers;   /* from 1 */
    size_t           count, consumer_count, cap, consumer_cap;
    bool             failed;
};
int trie_init(struct trie *t);
void trie_free(struct trie *t);
/* trie_consume - whom to tell when the place of a base closes. */
void trie_consume(struct trie *t, const struct step *base, size_t n, enum consumer_kind kind, uint32_t index);
unsigned path_want(const struct path *p);
/* trie_want - what the steps of a path want, walked from base; it is kept until the place of the first anchor steps closes. */
void trie_want(struct trie *t, const struct step *base, size_t n, size_t anchor, const struct path *p, unsigned want);

struct active { uint32_t node; int32_t anchor; };
struct level {
    struct node      *node;
    struct pile_mark  mark;
    struct node      *before;       /* the sibling before it that is kept */
    size_t            begin, end;   /* in actives */
    unsigned          want;
    int32_t           hold;         /* the outermost level that needs something of this one */
    uint32_t          run_name, run;
    uint32_t          instance;     /* its number among all levels that were opened */
    struct buf        text;         /* own text */
    struct buf        all;          /* all text */
};
struct tree {
    const struct names *names;
    const struct trie  *trie;
    struct pile         pile;
    struct level        level[SCAN_DEPTH_MAX + 2];
    struct active       active[ACTIVE_MAX];
    int32_t             depth, skip;    /* skip: levels below that nobody wants */
    int32_t             deep;           /* levels that gather all text */
    size_t              gathered;       /* bytes of it in all levels */
    bool                hollow;         /* hollow nodes are wanted */
    uint32_t           *had;            /* of each place of the trie: below which opened anchor its first text was seen */
    uint32_t            instances;
    bool (*holds)(void *arg, const struct filter *filters, struct node *n);
    int (*consume)(void *arg, enum consumer_kind kind, uint32_t index, struct node *n, struct err *e);
    void               *arg;
};
int tree_init(struct tree *t, size_t limit);
void tree_free(struct tree *t);
/* tree_begin - an empty tree with its root open. */
int tree_begin(struct tree *t, const struct names *names, const struct trie *trie, struct err *e);
int tree_end(struct tree *t, struct err *e);        /* closes the root */
/* tree_open - id 0 asks for the name's number; index below zero counts the run of equal siblings. */
int tree_open(struct tree *t, struct str name, uint32_t id, int64_t index, uint64_t line, struct err *e);
int tree_text(struct tree *t, struct str s, struct err *e);
int tree_own_text(struct tree *t, struct str s, struct err *e);   /* of an attribute: not among all text of the elements around it */
int tree_close(struct tree *t, struct err *e);
static inline bool tree_skips(const struct tree *t) { return t->skip > 0; }
static inline bool tree_wants_text(const struct tree *t)
{
    return t->deep > 0 || (t->skip == 0 && (t->level[t->depth].want & WANT_TEXT));
}

/* --- a description, compiled --- */
enum field_type { FIELD_TEXT, FIELD_LIST, FIELD_CVE, FIELD_CWE, FIELD_SEVERITY, FIELD_STATUS, FIELD_NUMBER, FIELD_FLAG, FIELD_PORT, FIELD_COUNT32,
                  FIELD_COUNT64, FIELD_TIME, FIELD_VECTOR, FIELD_PORTS, FIELD_RAN };
struct field { const char *name; enum field_type type; size_t offset, count_offset; };
extern const struct field finding_fields[], cover_fields[];
const struct field *field_find(const struct field *table, struct str name);

struct setting { const struct field *field; struct expr *value; };
struct base { struct step *steps; size_t count; };
struct record {
    struct base    *at;
    size_t          at_count;
    struct path    *each;
    struct cond    *when;
    struct setting *settings;
    size_t          count;
    enum scan_ran   ran;          /* of covers */
};
struct table {
    struct str      name;
    struct base    *at;
    size_t          at_count;
    struct cond    *when;
    struct expr    *key;
    struct pair    *gives;        /* key: name of a child that is reckoned; value unused */
    struct expr   **give_values;
    size_t          give_count;
};
struct scalar { struct str name; struct expr *value; };
struct line_rule { struct str name; uint32_t id; struct re *re; unsigned level; uint32_t *group_ids; };
enum file_kind { FILE_XML, FILE_JSON, FILE_CSV, FILE_TEXT };
struct detect {
    struct str   root;
    struct path *keys, *item_keys;      /* lists by next */
    struct str  *columns;
    size_t       column_count;
    struct re   *line;
    struct cond *when;
    unsigned     weight;
};
struct format {
    struct arena      arena;
    char              id[64];
    struct str        title;
    struct expr      *tool;
    enum file_kind    file;
    struct names      names;
    struct detect    *detect;
    size_t            detect_count;
    struct expr      *version, *started, *ended;
    struct scalar    *scalars;
    struct table     *tables;
    struct record    *records, *covers;
    struct line_rule *lines;
    size_t            scalar_count, table_count, record_count, cover_count, line_count;
    char              delimiter;
    int               items;            /* of JSON: 1 root is a list of items, 0 it is not, -1 as it was known */
    bool              mapping;          /* made of a scan_mapping: first row has the headings */
    struct trie       first, second;    /* of the two passes */
    bool              two_passes;
    struct re       **res;              /* to be freed */
    size_t            re_count;
};
struct scan_formats { struct format **format; size_t count; };

/* --- compile.c: words of the language --- */
struct compile {
    struct format     *f;
    const struct yaml *y;
    bool               in_table;        /* lookups are refused */
    bool               in_each;
    int                depth;
    struct err        *e;
};
int compile_paths(struct compile *c, struct str text, const struct ynode *at, struct path **out);
int compile_base(struct compile *c, const struct ynode *n, struct base **out, size_t *count);
int compile_expr(struct compile *c, const struct ynode *n, struct expr **out);
int compile_conds(struct compile *c, const struct ynode *n, struct cond **out);
int compile_re(struct compile *c, const struct ynode *n, struct str pattern, struct re **out);
/* expr_each_path - fn for every path in an expression; under: the path from whose nodes it goes ("each"), else NULL. */
typedef void path_fn(void *arg, const struct path *under, const struct path *p);
void expr_each_path(const struct expr *x, const struct path *under, path_fn *fn, void *arg);
void conds_each_path(const struct cond *w, const struct path *under, path_fn *fn, void *arg);
/* format_tries - from all paths of a description to the two tries. */
int format_tries(struct format *f, struct err *e);
int format_load(const char *path, struct format **out, struct err *e);
int format_parse(struct str text, const char *name, const char *id, struct format **out, struct err *e);
int format_of_mapping(const struct scan_mapping *m, struct format **out, struct err *e);
void format_free(struct format **f);

/* --- eval.c --- */
struct values { struct str *v; size_t n, cap, most; };   /* most: how many are asked for of a path, 0 all */
struct lookup { struct entry **slot; size_t slots, count; };
struct eval {
    const struct format *f;
    struct re_work      *work;
    struct pile          pile;        /* of the finding being made */
    struct lookup       *lookups;     /* one a table */
    struct values       *scalars;
    struct node         *root;
    uint64_t             visits;      /* nodes that paths went through, for the record at hand */
    int                  rc;          /* the first failure, sticky */
    struct err          *e;
};
void eval_expr(struct eval *v, const struct expr *x, struct node *n, struct values *out);
struct str eval_one(struct eval *v, const struct expr *x, struct node *n);
bool eval_conds(struct eval *v, const struct cond *w, struct node *n);
/* eval_filters - whether a node passes all filters that look at itself. */
bool eval_filters(struct eval *v, const struct filter *f, struct node *n);
/* eval_nodes - the nodes of a path, in order. */
typedef bool node_fn(void *arg, struct node *n);     /* false: enough */
void eval_nodes(struct eval *v, const struct path *p, struct node *n, node_fn *fn, void *arg);
void values_add(struct eval *v, struct values *out, struct str s);
bool number_in(struct str s, double *out);   /* the first number of a text */
int eval_fail(struct eval *v, int rc, const char *what);

/* --- lookup.c: tables of a report --- */
struct entry { struct str key; struct node *node; struct entry *next, *chain; uint32_t same; };   /* of the first: next is the last, same their count */
int lookup_add(struct lookup *l, struct pile *p, struct str key, struct node *copy);
struct entry *lookup_find(const struct lookup *l, struct str key);
struct node *node_copy(struct pile *p, const struct node *n);

/* --- words.c, times.c, markup.c --- */
enum scan_severity severity_of(struct str s);
bool status_of(struct str s, enum scan_status *out);
void cves_in(struct eval *v, struct str s, struct values *out);
void cwes_in(struct str s, uint32_t *out, size_t *count);
bool address_is(struct str s);
bool time_auto(struct str s, time_ns *out);
bool time_by_form(struct str s, struct str form, time_ns *out);
void markup_plain(struct buf *out, struct str s);
bool url_part(struct str url, struct str part, struct str *out);
bool base64_text(struct buf *out, struct str s);

/* --- finding.c --- */
struct making {
    struct eval        *v;
    const struct format *f;
    struct str          tool;
    uint64_t            cut;
};
int finding_make(struct making *m, const struct record *r, struct node *n, const struct scan_sink *sink, struct scan_report *out, struct err *e);
int cover_make(struct making *m, const struct record *r, struct node *n, const struct scan_sink *sink, struct scan_report *out, struct err *e);

/* --- source.c: the bytes of a report, piece by piece --- */
#define SOURCE_PIECE (256u * KIB)
struct source {
    int      fd;
    uint64_t offset, size, limit;      /* limit: read no further; 0 none */
    char    *buf;
    size_t   piece;                    /* bytes of buf */
    void   (*progress)(void *arg, uint64_t done, uint64_t total);
    void    *arg;
    uint64_t before, total;            /* of all passes */
};
int source_open(struct source *s, int fd, struct err *e);
void source_close(struct source *s);
/* source_read - the next piece to p; 0 at the end, bytes, or below zero. */
long source_read(struct source *s, char *p, size_t most, struct err *e);

struct readers_arg {
    struct source *source;
    struct tree   *tree;
    const char    *name;               /* of the report, for messages */
    const struct format *f;            /* NULL when the report is being known */
    struct re_work *work;
    bool           items;              /* JSON: the root is a list of items */
    bool           part;               /* only a beginning is given: its end is no mistake */
    const struct detect *detect;       /* CSV: columns of the heading */
    const struct scan_mapping *mapping;
};
int read_xml(struct readers_arg *r, struct err *e);
int read_json(struct readers_arg *r, struct err *e);
int read_rows(struct readers_arg *r, struct err *e);
int read_lines(struct readers_arg *r, struct err *e);
/* read_broken - -EBADMSG with place and what to do. */
int read_broken(const struct readers_arg *r, struct err *e, uint64_t line, uint64_t column, const char *what);

/* --- detect.c --- */
struct known { const struct format *f; const struct detect *d; bool items; };
int detect_format(const struct scan_formats *all, const char *only, int fd, const char *name, struct known *out, struct err *e);

#endif
