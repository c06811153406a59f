/* memory.c - the column names that the header of a source gave, see forms.h.
 *
 * A hash of sources with their order of use: past MEMORY_SOURCES_MAX the one silent for longest goes. Saved as lines
 * "form<TAB>source<TAB>header"; a source or header with a byte that would break the line is kept for this run alone. */
#include "parse/forms.h"

#define BUCKETS 1024 /* a power of two */
#define SOURCE_BYTES_MAX 1024

struct kept {
    struct kept *chain, *newer, *older;
    const char *form; /* one of form_names */
    char *source, *header;
    size_t source_n, header_n;
};

struct parse_memory {
    struct kept *buckets[BUCKETS], *newest, *oldest;
    size_t count;
    bool changed;
};

static const char *const form_names[] = { "csv", "w3c" };

static const char *form_named(struct str s)
{
    for (size_t i = 0; i < COUNT(form_names); i++)
        if (str_eq(s, str_c(form_names[i])))
            return form_names[i];
    return NULL;
}

int parse_memory_new(struct parse_memory **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : err_set(e, -ENOMEM, "no memory to remember columns");
}

static void kept_free(struct kept *k)
{
    free(k->source);
    free(k->header);
    free(k);
}

static void unlink_use(struct parse_memory *m, struct kept *k)
{
    *(k->newer ? &k->newer->older : &m->newest) = k->older;
    *(k->older ? &k->older->newer : &m->oldest) = k->newer;
}

static void link_newest(struct parse_memory *m, struct kept *k)
{
    k->newer = NULL;
    k->older = m->newest;
    *(k->older ? &k->older->newer : &m->oldest) = k;
    m->newest = k;
}

static struct kept **bucket(struct parse_memory *m, struct str source) { return &m->buckets[str_hash(source) & (BUCKETS - 1)]; }

static void forget_oldest(struct parse_memory *m)
{
    struct kept *k = m->oldest;
    struct kept **at = bucket(m, str_of(k->source, k->source_n));

    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    unlink_use(m, k);
    m->count--;
    kept_free(k);
}

void parse_memory_free(struct parse_memory **m)
{
    if (!*m)
        return;
    while ((*m)->oldest)
        forget_oldest(*m);
    free(*m);
    *m = NULL;
}

static struct kept *find(struct parse_memory *m, struct str source, const char *form)
{
    for (struct kept *k = *bucket(m, source); k; k = k->chain)
        if (k->form == form && str_eq(str_of(k->source, k->source_n), source)) {
            if (m->newest != k) {
                unlink_use(m, k);
                link_newest(m, k);
            }
            return k;
        }
    return NULL;
}

struct str memory_columns(struct parse_memory *m, struct str source, const char *form)
{
    const char *name = form_named(str_c(form));
    struct kept *k = name ? find(m, source, name) : NULL;

    return k ? str_of(k->header, k->header_n) : (struct str){ NULL, 0 };
}

void memory_keep(struct parse_memory *m, struct str source, const char *form, struct str header)
{
    const char *name = form_named(str_c(form));
    struct kept *k;
    char *text;

    if (!name || source.n > SOURCE_BYTES_MAX || header.n == 0 || header.n > MEMORY_COLUMNS_BYTES)
        return;
    k = find(m, source, name);
    if (k && str_eq(str_of(k->header, k->header_n), header))
        return;
    if (!(text = malloc(header.n)))
        return;
    memcpy(text, header.p, header.n);
    if (!k) {
        if (!(k = calloc(1, sizeof *k)) || !(k->source = malloc(source.n + 1))) {
            free(k);
            free(text);
            return;
        }
        if (source.n)
            memcpy(k->source, source.p, source.n);
        k->source_n = source.n;
        k->form = name;
        k->chain = *bucket(m, source);
        *bucket(m, source) = k;
        link_newest(m, k);
        if (++m->count > MEMORY_SOURCES_MAX)
            forget_oldest(m);
    }
    free(k->header);
    k->header = text;
    k->header_n = header.n;
    m->changed = true;
}

static bool one_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

void parse_memory_save(struct parse_memory *m, struct buf *out)
{
    /* the newest last, so that loading gives the same order of use */
    for (const struct kept *k = m->oldest; k; k = k->newer) {
        struct str source = str_of(k->source, k->source_n), header = str_of(k->header, k->header_n);

        if (!one_line(source) || !one_line(header) || str_chr(source, '\t') >= 0)
            continue;
        buf_str(out, str_c(k->form));
        buf_byte(out, '\t');
        buf_str(out, source);
        buf_byte(out, '\t');
        buf_str(out, header);
        buf_byte(out, '\n');
    }
    m->changed = false;
}

void parse_memory_load(struct parse_memory *m, struct str text)
{
    struct str line, form, source;

    while (str_split(&text, '\n', &line)) {
        if (!str_split(&line, '\t', &form) || !str_split(&line, '\t', &source) || !form_named(form))
            continue;
        memory_keep(m, source, form_named(form), line);
    }
    m->changed = false;
}

bool parse_memory_changed(const struct parse_memory *m) { return m->changed; }
