/* xlsx_strings.c - the shared strings of a workbook, one after another in one piece of memory. */
#include "table/internal.h"

struct gather {
    struct shared_strings *s;
    bool   inside, text;    /* in <si>, in <t> */
    int    phonetic;        /* in <rPh>: how it is read aloud, no part of the text */
    size_t start;
};

static int si_open(void *arg, const char *name, const char **attrs, struct err *e)
{
    struct gather *g = arg;

    if (strcmp(name, "si") == 0) {
        g->inside = true;
        g->start = g->s->bytes.n;
    } else if (strcmp(name, "rPh") == 0)
        g->phonetic++;
    else if (strcmp(name, "t") == 0)
        g->text = g->inside && g->phonetic == 0;
    return 0;
}

static int si_text(void *arg, const char *p, size_t n, struct err *e)
{
    struct gather *g = arg;

    if (!g->text)
        return 0;
    buf_put(&g->s->bytes, p, n);
    if (g->s->bytes.n - g->start > TABLE_CELL_MAX)
        return err_set(e, -E2BIG, "shared string %zu: more than %u KiB", g->s->count, TABLE_CELL_MAX / KIB);
    return buf_failed(&g->s->bytes) ? err_set(e, -E2BIG, "shared strings of more than %u MiB", TABLE_SHARED_MAX / MIB) : 0;
}

static int si_close(void *arg, const char *name, struct err *e)
{
    struct gather *g = arg;
    struct shared_strings *s = g->s;

    if (strcmp(name, "t") == 0)
        g->text = false;
    else if (strcmp(name, "rPh") == 0)
        g->phonetic--;
    if (strcmp(name, "si") != 0 || !g->inside)
        return 0;
    g->inside = false;
    if (s->count == TABLE_SHARED_COUNT)
        return err_set(e, -E2BIG, "more than %u shared strings", TABLE_SHARED_COUNT);
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 1024;
        uint32_t *ends = realloc(s->ends, cap * sizeof *ends);

        if (!ends)
            return err_set(e, -ENOMEM, "out of memory");
        s->ends = ends;
        s->cap = cap;
    }
    text_unescape(&s->bytes, g->start);
    s->ends[s->count++] = (uint32_t)s->bytes.n;
    return 0;
}

int shared_load(struct package *p, struct shared_strings *s, struct err *e)
{
    static const struct xml_handler handler = { .open = si_open, .close = si_close, .text = si_text };
    struct gather g = { .s = s };

    static_assert(TABLE_SHARED_MAX < UINT32_MAX, "ends fit");
    *s = (struct shared_strings){ 0 };
    buf_init(&s->bytes, TABLE_SHARED_MAX);
    return p->shared.n ? xml_walk(p, p->shared, &handler, &g, e) : 0;
}

void shared_free(struct shared_strings *s)
{
    buf_free(&s->bytes);
    free(s->ends);
    s->ends = NULL;
    s->count = s->cap = 0;
}

struct str shared_at(const struct shared_strings *s, size_t i)
{
    size_t start = i ? s->ends[i - 1] : 0;

    return str_of(s->bytes.p + start, s->ends[i] - start);
}

static int hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

void text_unescape(struct buf *b, size_t start)
{
    size_t to = start;

    if (b->n == start || !memchr(b->p + start, '_', b->n - start))
        return;
    for (size_t i = start; i < b->n;) {
        const char *p = b->p + i;
        int v = b->n - i >= 7 && p[0] == '_' && p[1] == 'x' && p[6] == '_' ? hex4(p + 2) : -1;

        /* Only what XML cannot hold is escaped so, and the underscore that would begin such an escape. */
        if (v == '_' || (v > 0 && v <= 0x20)) {
            b->p[to++] = (char)v;
            i += 7;
        } else {
            b->p[to++] = *p;
            i++;
        }
    }
    b->n = to;
}
