/* internal.h - the plan of pipes, the state of a run, and what their files share.
 *
 * A row is an array of cells. It goes through the stages by a loop: streaming ones (fields, where, dedup, head) change it or drop it, the others keep it
 * and give their rows at the end, to the stages behind them. As long as no stage has made columns of its own, a row has the fields of struct pipes::wanted. */
#ifndef SAQSHY_PIPES_INTERNAL_H
#define SAQSHY_PIPES_INTERNAL_H

#include "pipes/pipes.h"

#define AGGS_MAX 16

enum stage_kind { STAGE_FIELDS, STAGE_WHERE, STAGE_DEDUP, STAGE_HEAD, STAGE_TAIL, STAGE_SORT, STAGE_STATS, STAGE_FILL };
enum agg_kind { AGG_COUNT, AGG_SUM, AGG_MIN, AGG_MAX, AGG_AVG, AGG_UNIQ, AGG_QUANTILE };

struct agg_plan {
    enum agg_kind kind;
    int           column;       /* -1: count() of rows */
    double        q;
};

struct stage {
    enum stage_kind kind;
    const char     *name;       /* as it was written: "top" is a stats and a sort and a head */
    size_t          at;
    uint16_t        column[PIPES_COLUMNS_MAX];   /* FIELDS, DEDUP, SORT, STATS: of the row that comes */
    bool            down[PIPES_COLUMNS_MAX];     /* SORT */
    int64_t         span[PIPES_COLUMNS_MAX];     /* STATS: bucket, or 0 */
    bool            skip[PIPES_COLUMNS_MAX];     /* STATS: rows without this key are passed over */
    size_t          columns;
    struct agg_plan agg[AGGS_MAX];
    size_t          aggs;
    size_t          most;       /* HEAD, TAIL; SORT: 0, or no more rows than these are wanted */
    size_t          per;        /* HEAD: counted anew where one of the first so many columns changes */
    struct query   *filter;     /* WHERE, owned */
    int16_t        *place;      /* WHERE: of each step of the filter the column, -1: all of them, -2: none */
    struct pipes_column out[PIPES_COLUMNS_MAX];  /* what goes on from here; FIELDS, STATS alone make new ones */
    size_t          outs;
};

struct pipes {
    struct arena arena;
    struct str   text;
    struct stage stage[PIPES_MAX * 3 + 1];   /* top is three */
    size_t       count;
    struct str   wanted[PIPES_FIELDS_MAX];
    size_t       wants;
    size_t       patterns;   /* regular expressions of all filters */
};

/* --- cells (cell.c) --- */

/* cell_compare - numbers by value, then times, then texts, missing last; a text that is a number is one. Equal numbers written differently by their bytes. */
int cell_compare(const struct pipes_cell *a, const struct pipes_cell *b);
bool cell_number(const struct pipes_cell *c, double *out);
static inline struct pipes_cell cell_of_number(double x) { return (struct pipes_cell){ .type = PIPES_NUMBER, .number = x }; }
static inline struct pipes_cell cell_of_time(time_ns t) { return (struct pipes_cell){ .type = PIPES_TIME, .time = t }; }
static inline struct pipes_cell cell_of_text(struct str s) { return (struct pipes_cell){ .type = s.n ? PIPES_TEXT : PIPES_NONE, .text = s, .count = 1 }; }
/* cell_value - the i-th value of a cell as a cell of one; cell_values: how many it has. */
struct pipes_cell cell_value(const struct pipes_cell *c, size_t i);
static inline size_t cell_values(const struct pipes_cell *c) { return c->type == PIPES_NONE ? 0 : c->type == PIPES_TEXT && c->count > 1 ? c->count : 1; }
/* cell_pack, cell_unpack - a cell of one value as bytes: equal values have equal bytes. */
void cell_pack(const struct pipes_cell *c, struct buf *out);
struct pipes_cell cell_unpack(struct str *bytes);
/* cells_copy - cells with all they borrow in one piece of malloc'ed memory; *bytes is its size. NULL without memory. */
struct pipes_cell *cells_copy(const struct pipes_cell *cells, size_t count, size_t *bytes);

/* --- sketches (uniq.c, quantile.c): sizes in bytes are told to the run --- */

struct uniq {
    uint64_t *hash;        /* a table, or NULL: registers */
    uint32_t  count, cap;
    uint8_t  *reg;         /* HyperLogLog */
};
/* uniq_add - returns the bytes by which it grew (shrinking counts as none), or -ENOMEM. */
MUST_USE ssize_t uniq_add(struct uniq *u, uint64_t hash);
MUST_USE ssize_t uniq_merge(struct uniq *into, const struct uniq *from);
double uniq_count(const struct uniq *u);
static inline bool uniq_rough(const struct uniq *u) { return u->reg != NULL; }
void uniq_free(struct uniq *u);

struct sketch {
    double   *value;       /* exact, as they came */
    uint64_t *times;
    uint32_t  count, cap;
    uint64_t *bin;         /* DDSketch: negative, zero, positive */
    uint64_t  total;
};
MUST_USE ssize_t sketch_add(struct sketch *s, double x, uint64_t times);
MUST_USE ssize_t sketch_merge(struct sketch *into, const struct sketch *from);
/* sketch_at - the value of rank ceil(q * n). Sorts what is exact. False where there is none. */
bool sketch_at(struct sketch *s, double q, double *out);
static inline bool sketch_rough(const struct sketch *s) { return s->bin != NULL; }
void sketch_free(struct sketch *s);

/* --- groups (groups.c) --- */

struct agg {
    uint64_t n;                      /* AGG_MIN, AGG_MAX: the bytes of best */
    union {
        struct {
            __int128    whole;       /* of whole numbers: exact, whatever the order */
            long double part, carry; /* of the others (Neumaier): wider than any value, so that no sum leaves its range on the way */
        } sum;
        struct pipes_cell *best;     /* one cell in a piece of its own */
        struct uniq        uniq;
        struct sketch      sketch;
    } u;
};

struct group {
    uint64_t   hash;
    char      *key;           /* packed cells */
    size_t     key_bytes;
    struct agg agg[];
};

struct groups {
    struct group **list;      /* in order of coming */
    size_t         count, cap;
    uint32_t      *slot;      /* of list, from 1 */
    size_t         slots;
};

/* --- a run --- */

struct kept {
    struct pipes_cell *cells;
    size_t             bytes;
};

struct state {
    struct groups groups;     /* STATS, DEDUP */
    struct kept  *row;        /* SORT, TAIL */
    size_t        rows, row_cap;
    size_t        seen;       /* HEAD; TAIL: where the ring stands */
    struct buf    last;       /* HEAD: the keys of per; FILL: - */
    time_ns       next;       /* FILL */
    bool          begun;
    struct pipes_cell cells[PIPES_COLUMNS_MAX];  /* the row that a stage makes */
};

struct pipes_run {
    const struct pipes *p;
    struct state       *state;      /* beside p->stage */
    size_t              used, limit;
    struct arena        scratch;    /* of one event */
    struct pipes_cell   cells[PIPES_FIELDS_MAX];
    struct pipes_column column[PIPES_COLUMNS_MAX];
    size_t              columns;
    uint64_t            passed_over;
    pipes_row          *row;
    void               *arg;
    int                 verdict;    /* of row */
    struct buf          key;
    time_ns             deadline;   /* clock_steady; 0: none */
    struct err         *e;          /* of the call that runs */
    struct query_fault  fault;      /* code NULL: none */
};

/* pipes_too_much - -E2BIG: the stage needs more memory than there is, an event is in too many groups, too many spans are empty. */
enum pipes_limit { LIMIT_MEMORY, LIMIT_GROUPS, LIMIT_SPANS };
int pipes_too_much(struct pipes_run *r, const struct stage *s, enum pipes_limit what);
/* run_grow - bytes more are held, or -E2BIG with the stage's name. */
MUST_USE int run_grow(struct pipes_run *r, const struct stage *s, ssize_t bytes);
/* run_late - -ETIMEDOUT past the deadline. */
MUST_USE int run_late(const struct pipes_run *r);
/* pipes_send - a row into stage i and on. 1: no further row matters. */
MUST_USE int pipes_send(struct pipes_run *r, size_t i, const struct pipes_cell *cells, size_t count, uint64_t times);

/* pipes_group - the group of a key, made if there is none (*fresh). NULL without memory. */
struct group *pipes_group(struct groups *g, struct str key, size_t aggs, bool *fresh);
void pipes_groups_free(struct groups *g, const struct stage *s);
/* stats_row - a row into its groups. stats_send: all groups in order to the stages behind i. */
MUST_USE int stats_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells, uint64_t times);
MUST_USE int stats_send(struct pipes_run *r, size_t i);
MUST_USE int stats_merge(struct pipes_run *into, struct pipes_run *from, size_t i);

/* where_holds - does the filter of a stage hold for a row? */
bool where_holds(const struct stage *s, const struct pipes_cell *cells, size_t count);

#endif
