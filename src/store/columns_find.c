/* columns_find.c - a search asked of columns: which events of a block may match, and which surely do.
 *
 * The tree is gone through once a group. A leaf gives two sets of the group's rows: those that may match, and those that surely do. Of a field that is one text of the
 * shape both are the same, as column_ask answers it exactly; of a field that is several pieces of the line the leaf does not know, and all may match.
 *
 * A word or phrase may stand in any piece. No word reaches over the border of two pieces (but in groups that say so), hence: an event whose some piece has it matches, as
 * the piece is a part of the line; an event that matches has each run of letters of it in some piece. What lies between - a phrase over several pieces - is left for
 * whoever puts the events together.
 *
 *     AND   may = both may, sure = both sure          OR   may = one may, sure = one sure          NOT   may = not sure, sure = not may */
#include "store/columns_open.h"

struct answer {
    uint64_t *may, *sure;
};

struct finder {
    struct columns     *c;
    const struct group *g;
    struct pick         pick;
    size_t              words;          /* of a set of the group's rows */
    uint64_t           *all;            /* rows of interest */
    struct answer      *stack;
    size_t              depth;
    columns_look       *look;
    void               *look_arg;
    int                 given_up;       /* what look said; 0: it goes on */
    struct err         *e;
};

struct leaf_ask {
    struct finder           *f;
    const struct query_leaf *leaf;
    struct str               run;       /* not empty: has the value this run, in either case? */
    bool                     member;    /* an empty value is none */
};

static void none_of(const struct finder *f, uint64_t *rows) { memset(rows, 0, f->words * sizeof *rows); }
static void all_of(const struct finder *f, uint64_t *rows) { memcpy(rows, f->all, f->words * sizeof *rows); }

static bool any_of(const struct finder *f, const uint64_t *rows)
{
    uint64_t any = 0;

    for (size_t i = 0; i < f->words; i++)
        any |= rows[i];
    return any != 0;
}

static uint64_t *set_new(const struct finder *f) { return arena_array(&f->c->work, f->words, sizeof(uint64_t)); }

/* --- one text --- */

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

static bool has_run(struct str v, struct str run)
{
    for (size_t i = 0; i + run.n <= v.n; i++) {
        size_t k = 0;

        while (k < run.n && small(v.p[i + k]) == run.p[k])
            k++;
        if (k == run.n)
            return true;
    }
    return false;
}

static bool yes(const void *arg, struct str value)
{
    const struct leaf_ask *a = arg;

    if (a->f->given_up == 0)
        a->f->given_up = a->f->look(a->f->look_arg, value.n);
    if (a->f->given_up)
        return false;
    if (a->run.n)
        return has_run(value, a->run);
    return !(a->member && value.n == 0) && query_leaf_match(a->leaf, value);
}

/* ask_text - rows of which the text answers yes stay. */
static int ask_text(struct finder *f, uint32_t text, const struct leaf_ask *a, struct str needle, uint64_t *rows)
{
    struct column_question q = { .yes = yes, .arg = a, .needle = needle, .fold = true };
    struct str one;
    int rc;

    if (f->g->text[text].same)
        text = f->g->text[text].same - 1u;
    rc = columns_text(f->c, f->g, text, f->pick.time, f->e);
    if (rc < 0)
        return rc;
    if (column_constant(f->c->column[text], &one) != 1)
        rc = column_ask(f->c->column[text], &q, rows, f->e);
    else if (!yes(a, one))
        none_of(f, rows);
    return rc < 0 ? rc : f->given_up;
}

/* ask_more - as ask_text, of those rows that are not in found yet; what is found is added. */
static int ask_more(struct finder *f, uint32_t text, const struct leaf_ask *a, struct str needle, uint64_t *found, uint64_t *spare)
{
    uint64_t left = 0;
    int rc;

    for (size_t i = 0; i < f->words; i++)
        left |= spare[i] = f->all[i] & ~found[i];
    if (!left)
        return 0;
    rc = ask_text(f, text, a, needle, spare);
    for (size_t i = 0; rc == 0 && i < f->words; i++)
        found[i] |= spare[i];
    return rc;
}

/* --- leaves --- */

/* ask_field - of a field, or a member that is a column. */
static int ask_field(struct finder *f, const struct query_step *s, struct answer *out, uint64_t *spare)
{
    static const char *const members[CODEC_COLUMNS] = { "", "saqshy.source", "saqshy.object", "saqshy.parser" };
    const struct group *g = f->g;
    bool member = false;
    int rc = 0;

    none_of(f, out->sure);
    for (unsigned i = 1; i < CODEC_COLUMNS; i++)
        member = member || str_eq(s->field, str_c(members[i]));
    none_of(f, out->may);
    for (uint32_t i = 0; rc == 0 && i < g->fields + CODEC_COLUMNS; i++) {
        const struct payload_column *k = &g->columns[i];
        struct leaf_ask a = { .f = f, .leaf = s->leaf, .member = member };

        if (member ? i >= CODEC_COLUMNS || !str_eq(s->field, str_c(members[i])) : i < CODEC_COLUMNS || !str_eq(s->field, f->c->name[k->name]))
            continue;
        if (k->from < k->to && k->to - k->from > 1)
            all_of(f, out->may);        /* several pieces: only together they are the value */
        else
            rc = ask_more(f, k->from, &a, s->needle, out->sure, spare);
    }
    for (size_t i = 0; i < f->words; i++)
        out->may[i] |= out->sure[i];
    return rc;
}

static int ask_times(struct finder *f, const struct query_step *s, struct answer *out)
{
    const time_ns *time = str_eq(s->field, STR("@timestamp")) ? f->c->time : f->c->received;

    none_of(f, out->may);
    for (uint32_t i = 0; i < f->g->rows; i++) {
        time_ns t = time[f->g->row[i]];

        if (t >= s->from && (t < s->to || s->to == INT64_MAX))
            out->may[i / 64] |= f->all[i / 64] & UINT64_C(1) << i % 64;
    }
    memcpy(out->sure, out->may, f->words * sizeof *out->may);
    return 0;
}

/* ask_common - of what all events of the group share. False: the field is none of these. */
static bool ask_common(struct finder *f, const struct query_step *s, struct answer *out)
{
    struct str v;

    if (str_eq(s->field, STR("saqshy.class")))
        v = str_c(event_class_name((enum event_class)(f->g->common.flags & 15)));
    else if (str_eq(s->field, STR("saqshy.parse")))
        v = str_c(event_parse_name((enum event_parse)(f->g->common.flags >> 4)));
    else
        return false;
    if (v.n && query_leaf_match(s->leaf, v))
        all_of(f, out->may);
    else
        none_of(f, out->may);
    memcpy(out->sure, out->may, f->words * sizeof *out->may);
    return true;
}

/* next_run - the next run of a word's letters in a text, without those of a pattern's stars. */
static bool next_run(struct str *rest, struct str *run)
{
    size_t from = 0, end;

    while (from < rest->n && !query_word_byte(rest->p[from]))
        from++;
    for (end = from; end < rest->n && query_word_byte(rest->p[end]);)
        end++;
    *run = str_of(rest->p + from, end - from);
    *rest = str_cut(*rest, end);
    return run->n > 0;
}

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* ask_pieces - of each piece, and each field that is no part of the line; what has it is added to found. */
static int ask_pieces(struct finder *f, const struct leaf_ask *a, struct str needle, uint64_t *found, uint64_t *spare)
{
    const struct group *g = f->g;
    int rc = 0;

    for (uint32_t t = 0; rc == 0 && t < g->pieces; t++)
        rc = ask_more(f, t, a, needle, found, spare);
    for (uint32_t i = CODEC_COLUMNS; rc == 0 && i < g->fields + CODEC_COLUMNS; i++)
        if (g->columns[i].from == g->columns[i].to)
            rc = ask_more(f, g->columns[i].from, a, needle, found, spare);
    return rc;
}

/* ask_line - of a word, phrase or pattern in the line or any field. */
static int ask_line(struct finder *f, const struct query_step *s, struct answer *out, uint64_t *spare)
{
    struct str rest = s->text, run;
    struct leaf_ask a = { .f = f, .leaf = s->leaf };
    uint64_t *has;
    bool alone;
    int rc;

    none_of(f, out->sure);
    all_of(f, out->may);
    if (f->g->joined)
        return 0;
    /* A glob is of a run of text without blanks, which goes on behind a piece's end. */
    rc = s->kind == QUERY_GLOB ? 0 : ask_pieces(f, &a, s->needle, out->sure, spare);
    alone = next_run(&rest, &run) && run.n == s->text.n;
    if (rc == 0 && alone && s->kind != QUERY_GLOB) {
        memcpy(out->may, out->sure, f->words * sizeof *out->may);      /* one run of letters lies within one piece */
        return 0;
    }
    has = set_new(f);
    if (!has)
        return err_set(f->e, -ENOMEM, "no memory to ask a block");
    for (rest = s->text; rc == 0 && !s->twins && next_run(&rest, &run) && any_of(f, out->may);) {
        a.run = run;
        if (!plain(run))
            continue;
        none_of(f, has);
        rc = ask_pieces(f, &a, run, has, spare);
        for (size_t i = 0; i < f->words; i++)
            out->may[i] &= has[i];
    }
    for (size_t i = 0; i < f->words; i++)
        out->may[i] |= out->sure[i];
    return rc;
}

static int ask_leaf(struct finder *f, const struct query_step *s, struct answer *out)
{
    uint64_t *spare = set_new(f);

    if (!spare)
        return err_set(f->e, -ENOMEM, "no memory to ask a block");
    switch (s->kind) {
    case QUERY_ALL:
        all_of(f, out->may);
        all_of(f, out->sure);
        return 0;
    case QUERY_WORD:
    case QUERY_PHRASE:
    case QUERY_GLOB:
        return ask_line(f, s, out, spare);
    default:
        break;
    }
    if (s->kind == QUERY_TIMES && (str_eq(s->field, STR("@timestamp")) || str_eq(s->field, STR("event.received"))))
        return ask_times(f, s, out);
    if (ask_common(f, s, out))
        return 0;
    if (str_eq(s->field, STR("event.original")) || str_eq(s->field, STR("saqshy.marks"))) {
        all_of(f, out->may);
        none_of(f, out->sure);
        return 0;
    }
    return ask_field(f, s, out, spare);
}

/* --- the tree --- */

static void combine(struct finder *f, enum query_kind op)
{
    struct answer *a = &f->stack[f->depth - (op == QUERY_NOT ? 1 : 2)], *b = &f->stack[f->depth - 1];

    for (size_t i = 0; i < f->words; i++) {
        uint64_t may = a->may[i];

        if (op == QUERY_NOT) {
            a->may[i] = f->all[i] & ~a->sure[i];
            a->sure[i] = f->all[i] & ~may;
        } else if (op == QUERY_AND) {
            a->may[i] &= b->may[i];
            a->sure[i] &= b->sure[i];
        } else {
            a->may[i] |= b->may[i];
            a->sure[i] |= b->sure[i];
        }
    }
    f->depth -= op != QUERY_NOT;
}

static int push(struct finder *f, const struct query_step *s)
{
    struct answer *a = &f->stack[f->depth];

    if (!a->may) {
        a->may = set_new(f);
        a->sure = set_new(f);
    }
    f->depth++;
    return a->may && a->sure ? ask_leaf(f, s, a) : err_set(f->e, -ENOMEM, "no memory to ask a block");
}

/* find_group - rows of the group that may match stay in the block's may; those that surely do are added to sure. */
static int find_group(struct finder *f, const struct query *q, uint64_t *may, uint64_t *sure)
{
    const struct group *g = f->g;
    size_t steps = query_steps(q);
    int rc = 0;

    f->words = (g->rows + 63u) / 64;
    f->depth = 0;
    f->all = arena_zero(&f->c->work, f->words * sizeof *f->all);
    f->stack = arena_zero(&f->c->work, (steps + 1) * sizeof *f->stack);
    if (!f->all || !f->stack || !columns_room(f->c, g->texts))
        return err_set(f->e, -ENOMEM, "no memory to ask a block");
    for (uint32_t i = 0; i < g->rows; i++)
        f->all[i / 64] |= (uint64_t)columns_has(may, g->row[i]) << i % 64;
    for (size_t i = 0; rc == 0 && i < steps; i++) {
        struct query_step s = query_step(q, i);

        if (s.kind >= QUERY_AND)
            combine(f, s.kind);
        else
            rc = push(f, &s);
    }
    for (uint32_t i = 0; rc == 0 && i < g->rows; i++) {
        if (!columns_has(f->all, i))
            continue;
        if (f->depth && !columns_has(f->stack[0].may, i))
            may[g->row[i] / 64] &= ~(UINT64_C(1) << g->row[i] % 64);
        else if (!f->depth || columns_has(f->stack[0].sure, i))
            sure[g->row[i] / 64] |= UINT64_C(1) << g->row[i] % 64;
    }
    return rc;
}

int columns_find(struct columns *c, const struct query *q, columns_look *look, void *arg, uint64_t *may, uint64_t *sure, struct err *e)
{
    struct finder f = { .c = c, .look = look, .look_arg = arg, .e = e };
    int rc = 0;

    memset(sure, 0, (c->count + 63) / 64 * sizeof *sure);
    for (size_t i = 0; rc == 0 && i < c->groups; i++) {
        f.g = &c->group[i];
        arena_reset(&c->work);
        if (!columns_pick(c, f.g, may, &f.pick))
            return err_set(e, -ENOMEM, "no memory to ask a block");
        rc = f.pick.count ? find_group(&f, q, may, sure) : 0;
    }
    return rc;
}
