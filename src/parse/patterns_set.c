/* patterns_set.c - the folders of products: which files there are, what changed, and the tables by which lines find them; see
 * patterns.h.
 *
 * A set is never changed: a reload builds another one, of the same products where the file is as it was, and puts it in the
 * place of the old. So a file that became broken costs nothing but a message. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "parse/patterns.h"

#define FILE_BYTES_MAX (1u * MIB)
#define SET_BYTES_MAX  (64u * MIB)

struct product_file {
    char *path; /* malloc'ed */
    int folder;
    ino_t inode;
    off_t size;
    struct timespec changed;
    struct product *product; /* a reference: of this version, or of the last that was good; NULL: none */
    char *why;               /* malloc'ed: this version is refused */
    bool in_force;
};

static void file_clear(struct product_file *f)
{
    free(f->path);
    free(f->why);
    product_unref(&f->product);
    *f = (struct product_file){ .path = NULL };
}

void patterns_free(struct patterns **d)
{
    struct patterns *own = *d;

    *d = NULL;
    if (!own)
        return;
    for (size_t i = 0; i < own->file_count; i++)
        file_clear(&own->files[i]);
    for (size_t i = 0; i < own->product_count; i++)
        product_unref(&own->products[i]);
    for (int i = 0; i < PARSE_FOLDERS_MAX; i++)
        free(own->folders[i]);
    free(own->files);
    arena_free(&own->arena);
    free(own);
}

static struct patterns *set_new(void)
{
    struct patterns *d = calloc(1, sizeof *d);

    if (d)
        arena_init(&d->arena, SET_BYTES_MAX);
    return d;
}

/* --- the tables --- */

static bool is_glob(struct str s) { return s.n && (*s.p == '*' || s.p[s.n - 1] == '*'); }

static int route_add(struct patterns *d, struct str name, const struct product *p, bool replaces)
{
    struct route *r;
    size_t at;

    if (is_glob(name)) {
        for (at = 0; at < d->glob_count && !str_eq(d->globs[at].name, name); at++)
            ;
        r = &d->globs[at];
        d->glob_count += at == d->glob_count;
        if (*name.p == '*')
            memset(d->glob_first, 0xff, sizeof d->glob_first);
        else
            d->glob_first[(unsigned char)*name.p / 64] |= UINT64_C(1) << (unsigned char)*name.p % 64;
    } else {
        at = name_hash(name) & (d->route_cap - 1);
        while (d->routes[at].count && !str_eq(d->routes[at].name, name))
            at = (at + 1) & (d->route_cap - 1);
        r = &d->routes[at];
    }
    r->name = name;
    r->replaces |= replaces;
    for (size_t i = 0; i < r->count; i++)
        if (r->products[i] == p)
            return 0;
    if (r->count == ROUTE_PRODUCTS_MAX)
        return -E2BIG;
    r->products[r->count++] = p;
    return 0;
}

static int build_routes(struct patterns *d)
{
    size_t names = 1;
    int rc = 0;

    for (size_t i = 0; i < d->product_count; i++)
        names += d->products[i]->program_count + d->products[i]->replace_count;
    for (d->route_cap = 8; d->route_cap < 2 * names; d->route_cap *= 2)
        ;
    d->routes = arena_zero(&d->arena, d->route_cap * sizeof *d->routes);
    d->globs = arena_zero(&d->arena, names * sizeof *d->globs);
    if (!d->routes || !d->globs)
        return -ENOMEM;
    for (size_t i = 0; i < d->product_count; i++) {
        const struct product *p = d->products[i];

        for (size_t k = 0; k < p->replace_count && rc == 0; k++)
            rc = route_add(d, p->replaces[k], p, true);
        for (size_t k = 0; k < p->program_count && rc == 0; k++)
            rc = route_add(d, p->programs[k], p, false);
    }
    assert(program_count <= COUNT(d->known));
    for (size_t i = 0; i < program_count; i++)
        d->known[i] = patterns_route(d, str_c(programs[i].name));
    return rc;
}

/* build_firsts - which alone patterns come into question for the first two bytes: most say how their texts begin. */
static int build_firsts(struct patterns *d)
{
    struct openings *o = arena_array(&d->arena, d->alone_count + 1, sizeof *o);
    uint32_t n = 0;

    d->alone_at = arena_array(&d->arena, 256 * ALONE_BUCKETS + 1, sizeof *d->alone_at);
    if (!o || !d->alone_at)
        return -ENOMEM;
    for (size_t i = 0; i < d->alone_count; i++) {
        const struct product *p = d->alone[i].product;

        pattern_openings(d->alone[i].pattern, &o[i]);
        openings_starts(&o[i], p->starts, p->start_count);
        for (unsigned c = 0; c < 256; c++)
            n += (uint32_t)__builtin_popcount(o[i].may[c]);
    }
    d->alone_list = arena_array(&d->arena, n + 1, sizeof *d->alone_list);
    if (!d->alone_list)
        return -ENOMEM;
    n = 0;
    for (unsigned at = 0; at < 256 * ALONE_BUCKETS; at++) {
        d->alone_at[at] = n;
        for (size_t i = 0; i < d->alone_count; i++)
            if (o[i].may[at / ALONE_BUCKETS] >> at % ALONE_BUCKETS & 1)
                d->alone_list[n++] = (uint16_t)i;
    }
    d->alone_at[256 * ALONE_BUCKETS] = n;
    return 0;
}

/* build_forms - the same for structured forms. */
static int build_forms(struct patterns *d)
{
    struct openings *o = arena_array(&d->arena, d->form_count + 1, sizeof *o);
    uint32_t n = 0;

    d->form_list = arena_array(&d->arena, 256 * (d->form_count + 1), sizeof *d->form_list);
    if (!o || !d->form_list)
        return -ENOMEM;
    for (size_t i = 0; i < d->form_count; i++) {
        memset(&o[i], 0xff, sizeof o[i]);
        openings_starts(&o[i], d->alone_forms[i]->starts, d->alone_forms[i]->start_count);
    }
    for (unsigned c = 0; c < 256; c++) {
        d->form_at[c] = n;
        for (size_t i = 0; i < d->form_count; i++)
            if (o[i].may[c])
                d->form_list[n++] = (uint16_t)i;
    }
    d->form_at[256] = n;
    return 0;
}

static int build_structured(struct patterns *d)
{
    d->structured_globs = arena_array(&d->arena, STRUCTURED_MAX, sizeof *d->structured_globs);
    d->structured_products = arena_array(&d->arena, STRUCTURED_MAX, sizeof(struct product *));
    if (!d->structured_globs || !d->structured_products)
        return -ENOMEM;
    for (size_t i = 0; i < d->product_count; i++)
        for (size_t k = 0; k < d->products[i]->structured_count; k++) {
            if (d->structured_count == STRUCTURED_MAX)
                return -E2BIG;
            d->structured_globs[d->structured_count] = d->products[i]->structured[k];
            d->structured_products[d->structured_count++] = d->products[i];
        }
    return 0;
}

static int build_alone(struct patterns *d, struct err *e)
{
    struct str *literals = arena_array(&d->arena, ALONE_MAX, sizeof *literals);

    d->alone = arena_array(&d->arena, ALONE_MAX, sizeof *d->alone);
    d->alone_forms = arena_array(&d->arena, d->product_count + 1, sizeof(struct product *));
    if (!literals || !d->alone || !d->alone_forms)
        return -ENOMEM;
    for (size_t i = 0; i < 2 * d->product_count; i++) {
        const struct product *p = d->products[i % d->product_count];

        if (p->alone && p->form != FORM_TEXT && p->last == (i >= d->product_count))
            d->alone_forms[d->form_count++] = p;
    }
    for (size_t round = 0; round < 2 * d->product_count; round++) { /* all products, then again for what comes last */
        const struct product *p = d->products[round % d->product_count];

        for (size_t k = 0; k < p->pattern_count; k++) {
            if (!p->patterns[k].alone || p->form != FORM_TEXT || p->patterns[k].last != (round >= d->product_count))
                continue;
            if (d->alone_count == ALONE_MAX)
                return -E2BIG;
            literals[d->alone_count] = p->patterns[k].literal;
            d->alone[d->alone_count++] = (struct alone){ p, &p->patterns[k] };
        }
    }
    if (build_firsts(d) < 0)
        return -ENOMEM;
    if (build_forms(d) < 0)
        return -ENOMEM;
    return filter_new(&d->arena, literals, d->alone_count, &d->alone_filter, e);
}

/* longest_piece - of a glob, between its stars. */
static struct str longest_piece(struct str glob)
{
    struct str piece, best = { NULL, 0 };

    while (str_split(&glob, '*', &piece))
        if (piece.n > best.n)
            best = piece;
    return best;
}

static int build_paths(struct patterns *d, struct err *e)
{
    struct str *literals = arena_array(&d->arena, PATHS_MAX, sizeof *literals);

    d->path_globs = arena_array(&d->arena, PATHS_MAX, sizeof *d->path_globs);
    d->path_products = arena_array(&d->arena, PATHS_MAX, sizeof(struct product *));
    if (!literals || !d->path_globs || !d->path_products)
        return -ENOMEM;
    for (size_t i = 0; i < d->product_count; i++)
        for (size_t k = 0; k < d->products[i]->path_count; k++) {
            if (d->path_count == PATHS_MAX)
                return -E2BIG;
            literals[d->path_count] = longest_piece(d->products[i]->paths[k]);
            d->path_globs[d->path_count] = d->products[i]->paths[k];
            d->path_products[d->path_count++] = d->products[i];
        }
    return filter_new(&d->arena, literals, d->path_count, &d->path_filter, e);
}

int patterns_build(struct patterns *d, struct err *e)
{
    int rc = build_routes(d);

    if (rc == 0)
        rc = build_alone(d, e);
    if (rc == 0)
        rc = build_paths(d, e);
    if (rc == 0)
        rc = build_structured(d);
    if (rc == -ENOMEM)
        return err_set(e, rc, "no memory for the tables of parsers");
    return rc < 0 ? err_set(e, rc, "the parsers are too many for one table") : 0;
}

/* --- files --- */

static int by_order(const void *a, const void *b)
{
    const struct product_file *x = a, *y = b;

    return x->folder != y->folder ? x->folder - y->folder : strcmp(x->path, y->path);
}

static int list_folder(const char *folder, int number, struct product_file *files, size_t *count)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = 0;

    while (dir && rc == 0 && (entry = readdir(dir)) != NULL) {
        struct product_file *f = &files[*count];
        char path[4096];
        struct stat st;

        if (entry->d_name[0] == '.' || !str_ends(str_c(entry->d_name), STR(".yaml")) || *count == PRODUCTS_MAX ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        *f = (struct product_file){ .path = strdup(path), .folder = number, .inode = st.st_ino, .size = st.st_size, .changed = st.st_mtim };
        rc = f->path ? 0 : -ENOMEM;
        ++*count;
    }
    if (dir)
        closedir(dir);
    return rc;
}

static bool same_version(const struct product_file *a, const struct product_file *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static const struct product_file *file_of(const struct patterns *d, const char *path)
{
    for (size_t i = 0; d && i < d->file_count; i++)
        if (strcmp(d->files[i].path, path) == 0)
            return &d->files[i];
    return NULL;
}

/* unchanged - the files are those of the set, in the same versions. */
static bool unchanged(const struct patterns *d, const struct product_file *files, size_t count)
{
    if (d->file_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(d->files[i].path, files[i].path) != 0 || !same_version(&d->files[i], &files[i]))
            return false;
    return true;
}

/* parser_of - the readers in C and this product, no other. */
static int parser_of(struct product *p, int32_t zone_min, struct parser **out, struct err *e)
{
    struct parser *alone = parser_bare(zone_min);
    int rc;

    *out = alone;
    if (alone)
        alone->data = set_new();
    if (!alone || !alone->data)
        return err_set(e, -ENOMEM, "no memory for a parser");
    alone->data->products[alone->data->product_count++] = p;
    p->refs++;
    rc = patterns_build(alone->data, e);
    return rc;
}

int product_try_samples(struct product *p, int32_t zone_min, struct err *e)
{
    struct parser *alone = NULL;
    int rc = parser_of(p, zone_min, &alone, e);

    if (rc == 0) {
        rc = samples_hold(alone, p, NULL, e);
        *p->lines = 0;
    }
    if (alone)
        parse_free(&alone);
    return rc;
}

int product_try_lines(struct product *p, struct str lines, size_t *count, size_t *taken, struct err *e)
{
    struct parse_hints h = { .received = clock_now(), .zone_min = 0 };
    struct parser *alone = NULL;
    struct event_batch b;
    struct str line;
    int rc = parser_of(p, 0, &alone, e);

    *count = *taken = 0;
    event_batch_init(&b, 0);
    while (rc == 0 && lines.n && str_split(&lines, '\n', &line)) {
        struct event *ev;

        if (str_trim(line).n == 0)
            continue;
        event_batch_reset(&b);
        ev = event_batch_add(&b);
        if (!ev)
            rc = err_set(e, -ENOMEM, "no memory for an event");
        else
            parse_line(alone, line, &h, &b.arena, ev);
        (*count)++;
        *taken += ev && str_eq(ev->parser, p->id) && ev->parse == EVENT_PARSE_OK;
    }
    event_batch_free(&b);
    if (alone)
        parse_free(&alone);
    return rc;
}

static int load_file(struct product_file *f, int32_t zone_min, struct err *e)
{
    AUTO_BUF struct buf text;
    int rc;

    buf_init(&text, 0);
    rc = file_read(f->path, FILE_BYTES_MAX, &text, e);
    if (rc == 0)
        rc = product_load(buf_view(&text), f->path, &f->product, e);
    if (rc == 0)
        rc = product_try_samples(f->product, zone_min, e);
    if (rc < 0)
        product_unref(&f->product);
    return rc;
}

/* take_file - the version that is known already, or a new one; a refused one leaves the last good product. */
static int take_file(struct product_file *f, const struct product_file *old, int32_t zone_min)
{
    struct err e = { 0 };
    int rc = 0;

    if (old && same_version(old, f)) {
        f->why = old->why ? strdup(old->why) : NULL;
        rc = old->why && !f->why ? -ENOMEM : 0;
    } else {
        rc = load_file(f, zone_min, &e);
        if (rc < 0 && rc != -ENOMEM) {
            f->why = strdup(e.text);
            rc = f->why ? 0 : -ENOMEM;
        }
    }
    if (rc == 0 && !f->product && old && old->product) {
        f->product = old->product;
        f->product->refs++;
    }
    return rc;
}

/* enlist - the product is in force, unless an earlier file has its id. */
static void enlist(struct patterns *d, struct product_file *f)
{
    for (size_t i = 0; f->product && i < d->product_count; i++)
        if (str_eq(d->products[i]->id, f->product->id))
            return;
    if (!f->product || d->product_count == PRODUCTS_MAX)
        return;
    f->in_force = true;
    f->product->refs++;
    d->products[d->product_count++] = f->product;
}

/* build_set - out of files, which are taken over. */
static int build_set(const struct patterns *old, struct product_file *files, size_t count, int32_t zone_min, struct patterns **out, struct err *e)
{
    struct patterns *d = set_new();
    int rc = d ? 0 : err_set(e, -ENOMEM, "no memory for parsers");

    for (size_t i = 0; d && i < count && rc == 0; i++) {
        rc = take_file(&files[i], file_of(old, files[i].path), zone_min);
        if (rc < 0)
            err_set(e, rc, "no memory for parsers");
        else
            enlist(d, &files[i]);
    }
    if (rc == 0)
        rc = patterns_build(d, e);
    if (rc < 0) {
        patterns_free(&d);
        return rc;
    }
    d->files = files;
    d->file_count = count;
    *out = d;
    return 0;
}

int parse_reload(struct parser *p, struct err *e)
{
    struct product_file *files = calloc(PRODUCTS_MAX + 1, sizeof *files);
    struct patterns *next = NULL, *old = p->data;
    size_t count = 0;
    int rc = files ? 0 : err_set(e, -ENOMEM, "no memory for parsers");

    for (int i = 0; old && i < PARSE_FOLDERS_MAX && old->folders[i] && rc == 0; i++)
        rc = list_folder(old->folders[i], i, files, &count);
    if (rc == 0 && count)
        qsort(files, count, sizeof *files, by_order);
    if (rc == 0 && old && !unchanged(old, files, count)) {
        rc = build_set(old, files, count, p->zone_min, &next, e);
        if (rc == 0) {
            memcpy(next->folders, old->folders, sizeof next->folders);
            memset(old->folders, 0, sizeof old->folders);
            next->limits = old->limits;
            p->data = next;
            patterns_free(&old);
            return 1;
        }
    }
    for (size_t i = 0; files && i < count; i++)
        file_clear(&files[i]);
    free(files);
    return rc;
}

int parse_open(const struct parse_options *o, struct parser **out, struct err *e)
{
    struct parser *p = parser_bare(o->zone_min);
    int rc = p ? 0 : -ENOMEM;

    if (p && o->folders[0]) {
        p->data = set_new();
        for (int i = 0; p->data && i < PARSE_FOLDERS_MAX && o->folders[i]; i++)
            if (!(p->data->folders[i] = strdup(o->folders[i])))
                rc = -ENOMEM;
        rc = p->data && rc == 0 ? patterns_build(p->data, e) : -ENOMEM;
        if (rc == 0)
            rc = parse_reload(p, e);
    }
    if (rc < 0) {
        if (p)
            parse_free(&p);
        return err_set(e, rc, "no memory for the parser");
    }
    *out = p;
    return 0;
}

/* --- what is told --- */

bool parse_product(const struct parser *p, size_t n, struct parse_product *out)
{
    const struct product_file *f;

    if (!p->data || n >= p->data->file_count)
        return false;
    f = &p->data->files[n];
    *out = (struct parse_product){ .file = f->path, .id = str_c(f->path), .loaded = f->in_force, .why = f->why };
    if (f->product && !f->in_force && !f->why)
        out->why = "another file has this id";
    if (f->product) {
        out->id = f->product->id;
        out->title = f->product->title;
        out->class = f->product->class;
        out->patterns = f->product->pattern_count;
        out->samples = f->product->sample_count;
        out->lines = __atomic_load_n(f->product->lines, __ATOMIC_RELAXED);
    }
    return true;
}

uint64_t parse_limits_hit(const struct parser *p) { return p->data ? __atomic_load_n(&p->data->limits, __ATOMIC_RELAXED) : 0; }

int64_t parse_samples(const struct parser *p, void (*failed)(void *arg, const char *story), void *arg, struct err *e)
{
    struct sample_listener every = { failed, arg };
    int64_t count = 0;

    for (size_t i = 0; p->data && i < p->data->product_count; i++) {
        int rc = samples_hold(p, p->data->products[i], &every, e);

        if (rc < 0)
            return rc;
        count += (int64_t)p->data->products[i]->sample_count;
    }
    return count;
}
