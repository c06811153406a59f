/* shapes.c - see shapes.h. A row is found by the hash of what must be equal (program, number of words, first word); rows of one hash are
 * laid beside the line one by one, and the nearest takes it. Words that differ become "any". */
#include "parse/shapes.h"
#include "parse/internal.h"

#define BUCKETS   1024 /* a power of two */
#define SIMILAR_OF 3   /* two of three words */
#define SIMILAR   2
#define TEXT_SHOWN (2 * SHAPE_TEXT_MAX)

struct token {
    struct str text; /* {NULL,0}: any */
    bool mark;
};
struct row {
    int next; /* of its bucket, -1: the last */
    uint64_t key;
    enum shape_kind kind;
    struct str program;
    struct token tokens[SHAPE_WORDS_MAX];
    size_t count;
    bool tail; /* the line goes on behind the tokens */
    char *words; /* malloc'ed: program and words */
    char *shown; /* malloc'ed text, made when sorted */
    uint64_t seen, over;
    time_ns first, last;
    struct str examples[SHAPE_EXAMPLES_MAX]; /* malloc'ed */
    size_t example_count;
    struct shape_source sources[SHAPE_SOURCES_MAX]; /* ids malloc'ed */
    size_t source_count;
    bool more_sources;
};
struct shapes {
    struct row rows[SHAPES_MAX];
    size_t count;
    int buckets[BUCKETS];
    int order[SHAPES_MAX];
    uint64_t lines;
};

const char *shape_kind_name(enum shape_kind k)
{
    static const char *const names[SHAPE_KINDS] = { "failed", "header", "partial" };

    return names[k];
}

enum shape_kind shape_kind_of(const struct event *ev)
{
    if (ev->parse == EVENT_PARSE_FAILED)
        return SHAPE_FAILED;
    if (ev->parse == EVENT_PARSE_PARTIAL)
        return SHAPE_PARTIAL;
    return str_eq(ev->parser, STR("syslog")) ? SHAPE_HEADER : SHAPE_KINDS;
}

void shape_query(unsigned kinds, struct str also, struct buf *out)
{
    static const char *const texts[SHAPE_KINDS] = { "saqshy.parse:failed", "saqshy.parser:syslog", "saqshy.parse:partial" };
    const char *before = "(";

    for (size_t k = 0; k < SHAPE_KINDS; k++)
        if (kinds & 1u << k) {
            buf_printf(out, "%s%s", before, texts[k]);
            before = " OR ";
        }
    buf_byte(out, ')');
    if (also.n) {
        buf_str(out, STR(" AND ("));
        buf_str(out, also);
        buf_byte(out, ')');
    }
}

int shapes_new(struct shapes **out, struct err *e)
{
    struct shapes *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, -ENOMEM, "no memory for shapes of lines");
    for (size_t i = 0; i < BUCKETS; i++)
        s->buckets[i] = -1;
    *out = s;
    return 0;
}

static void row_empty(struct row *r)
{
    free(r->words);
    free(r->shown);
    for (size_t i = 0; i < r->example_count; i++)
        free((char *)(uintptr_t)r->examples[i].p);
    for (size_t i = 0; i < r->source_count; i++)
        free((char *)(uintptr_t)r->sources[i].id.p);
    *r = (struct row){ .next = -1 };
}

void shapes_free(struct shapes **s)
{
    for (size_t i = 0; *s && i < (*s)->count; i++)
        row_empty(&(*s)->rows[i]);
    free(*s);
    *s = NULL;
}

uint64_t shapes_lines(const struct shapes *s) { return s->lines; }

/* --- a line as tokens --- */

static bool is_mark(char c) { return strchr(" \t\"'[](){}<>=,;|:", c) != NULL && c; }

/* like_any - a word that tells one thing from another of its kind: a number, an address, a name with digits, a very long one. */
static bool like_any(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_digit(s.p[i]))
            return true;
    return s.n > 40;
}

/* next_token - a word, a run of one mark, or a whole text in quotes. */
static struct token next_token(struct str *s)
{
    struct token t = { .text = str_left(*s, 1), .mark = is_mark(*s->p) };
    size_t n = 1;

    if (*s->p == '"') {
        ptrdiff_t end = str_chr(str_cut(*s, 1), '"');

        if (end > 0) {
            *s = str_cut(*s, (size_t)end + 2);
            return (struct token){ .text = { NULL, 0 } };
        }
    }
    while (n < s->n && (t.mark ? s->p[n] == *s->p : !is_mark(s->p[n])))
        n++;
    if (!t.mark)
        t.text = like_any(str_left(*s, n)) ? str_of(NULL, 0) : str_left(*s, n);
    *s = str_cut(*s, n);
    return t;
}

static void tokens_of(struct str text, struct row *r)
{
    r->tail = text.n > SHAPE_TEXT_MAX;
    text = str_trim(str_left(text, SHAPE_TEXT_MAX));
    for (r->count = 0; text.n && r->count < SHAPE_WORDS_MAX;)
        r->tokens[r->count++] = next_token(&text);
    r->tail = r->tail || text.n > 0;
}

static uint64_t key_of(const struct row *r)
{
    uint64_t k = str_hash(r->program) * 31 + r->count;

    if (r->count)
        k = k * 31 + str_hash(r->tokens[0].text);
    return (k * 2 + r->tail) * SHAPE_KINDS + (uint64_t)r->kind;
}

/* --- rows --- */

/* alike - how many words are the same, -1: too few, or marks differ. */
static int alike(const struct row *r, const struct row *line)
{
    int same = 0, words = 0;

    if (r->key != line->key || r->count != line->count || r->tail != line->tail || r->kind != line->kind || !str_eq(r->program, line->program))
        return -1;
    for (size_t i = 0; i < r->count; i++) {
        const struct token *a = &r->tokens[i], *b = &line->tokens[i];

        if (a->mark != b->mark || (a->mark && !str_eq(a->text, b->text)))
            return -1;
        words += !a->mark;
        same += !a->mark && (!a->text.p || str_eq(a->text, b->text));
    }
    return same * SIMILAR_OF >= words * SIMILAR ? same : -1;
}

static struct row *find(struct shapes *s, const struct row *line)
{
    struct row *best = NULL;
    int most = -1;

    for (int i = s->buckets[line->key & (BUCKETS - 1)]; i >= 0; i = s->rows[i].next) {
        int same = alike(&s->rows[i], line);

        if (same > most) {
            most = same;
            best = &s->rows[i];
        }
    }
    return best;
}

static void unlink_row(struct shapes *s, struct row *r)
{
    int *at = &s->buckets[r->key & (BUCKETS - 1)];

    while (*at != (int)(r - s->rows))
        at = &s->rows[*at].next;
    *at = r->next;
}

/* settle - line as a row of its own: its words are copied. */
static struct row *settle(struct shapes *s, const struct row *line)
{
    size_t bytes = line->program.n + 1, at = line->program.n;
    struct row *r = NULL;
    uint64_t over = 0;
    char *words;

    for (size_t i = 0; i < line->count; i++)
        bytes += line->tokens[i].text.n;
    words = malloc(bytes);
    if (!words)
        return NULL;
    if (s->count < SHAPES_MAX) {
        r = &s->rows[s->count++];
    } else {
        r = &s->rows[0];
        for (size_t i = 1; i < s->count; i++)
            if (s->rows[i].seen < r->seen)
                r = &s->rows[i];
        over = r->seen;
        unlink_row(s, r);
        row_empty(r);
    }
    *r = *line;
    r->words = words;
    r->seen = r->over = over;
    if (line->program.n)
        memcpy(words, line->program.p, line->program.n);
    r->program = str_of(line->program.n ? words : NULL, line->program.n);
    for (size_t i = 0; i < r->count; i++) {
        struct str *t = &r->tokens[i].text;

        if (!t->p)
            continue;
        memcpy(words + at, t->p, t->n);
        t->p = words + at;
        at += t->n;
    }
    r->next = s->buckets[r->key & (BUCKETS - 1)];
    s->buckets[r->key & (BUCKETS - 1)] = (int)(r - s->rows);
    return r;
}

static bool copy_text(struct str from, struct str *to)
{
    char *p = malloc(from.n + 1);

    if (!p)
        return false;
    if (from.n)
        memcpy(p, from.p, from.n);
    p[from.n] = 0;
    *to = str_of(p, from.n);
    return true;
}

static void note_source(struct row *r, struct str id)
{
    for (size_t i = 0; i < r->source_count; i++)
        if (str_eq(r->sources[i].id, id)) {
            r->sources[i].count++;
            return;
        }
    if (r->source_count == SHAPE_SOURCES_MAX)
        r->more_sources = true;
    else if (copy_text(id, &r->sources[r->source_count].id))
        r->sources[r->source_count++].count = 1;
}

static void note_example(struct row *r, struct str line)
{
    if (r->example_count == SHAPE_EXAMPLES_MAX || line.n == 0 || line.n > SHAPE_EXAMPLE_BYTES)
        return;
    for (size_t i = 0; i < r->example_count; i++)
        if (str_eq(r->examples[i], line))
            return;
    if (copy_text(line, &r->examples[r->example_count]))
        r->example_count++;
}

int shapes_add(struct shapes *s, const struct event *ev)
{
    struct str text = event_get(ev, STR("message"));
    struct row line = { .kind = shape_kind_of(ev), .program = event_get(ev, STR("process.name")), .next = -1 }, *r;

    if (line.kind == SHAPE_KINDS)
        return 0;
    line.program.n = min_size(line.program.n, PROGRAM_MAX);
    tokens_of(text.n ? text : ev->original, &line);
    line.key = key_of(&line);
    r = find(s, &line);
    if (!r)
        r = settle(s, &line);
    if (!r)
        return -ENOMEM;
    for (size_t i = 0; i < r->count; i++)
        if (!r->tokens[i].mark && r->tokens[i].text.p && !str_eq(r->tokens[i].text, line.tokens[i].text))
            r->tokens[i].text = str_of(NULL, 0);
    if (r->seen == r->over || ev->time < r->first)
        r->first = ev->time;
    if (r->seen == r->over || ev->time > r->last)
        r->last = ev->time;
    r->seen++;
    s->lines++;
    note_source(r, ev->source);
    note_example(r, ev->original);
    return 0;
}

/* --- telling --- */

static char *shown(const struct row *r)
{
    AUTO_BUF struct buf b;

    buf_init(&b, TEXT_SHOWN + 8);
    for (size_t i = 0; i < r->count; i++)
        buf_str(&b, r->tokens[i].text.p ? r->tokens[i].text : STR("*"));
    if (r->tail)
        buf_str(&b, STR(" …"));
    return strndup(b.n ? b.p : "", b.n);
}

void shapes_sort(struct shapes *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->rows[i].shown);
        s->rows[i].shown = shown(&s->rows[i]);
        s->order[i] = (int)i;
    }
    /* By insertion: a few hundred rows, once for each answer. */
    for (size_t i = 1; i < s->count; i++)
        for (size_t k = i; k > 0; k--) {
            const struct row *a = &s->rows[s->order[k - 1]], *b = &s->rows[s->order[k]];
            int swap = s->order[k];

            if (a->seen > b->seen || (a->seen == b->seen && strcmp(a->shown ? a->shown : "", b->shown ? b->shown : "") <= 0))
                break;
            s->order[k] = s->order[k - 1];
            s->order[k - 1] = swap;
        }
}

bool shapes_view(const struct shapes *s, size_t n, struct shape_view *out)
{
    const struct row *r;

    if (n >= s->count)
        return false;
    r = &s->rows[s->order[n]];
    *out = (struct shape_view){ .text = str_c(r->shown ? r->shown : ""), .kind = r->kind, .program = r->program, .count = r->seen, .over = r->over, .first = r->first,
                                .last = r->last, .examples = r->examples, .example_count = r->example_count, .sources = r->sources,
                                .source_count = r->source_count, .more_sources = r->more_sources };
    return true;
}
