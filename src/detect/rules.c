/* rules.c - the files of rules as they were last seen good.
 *
 * A set is always built from texts in memory. On a reload each changed file brings a new text; if a rule of it that was fine
 * before is refused now, the former text of that file is taken back and the set built again. */
#include "base/file.h"
#include "base/yaml.h"
#include "detect/internal.h"
#include "sigma/classify.h"

#include <sys/stat.h>

#define REFUSALS_BYTES_MAX (4u * MIB)

static void file_free(struct rule_file *f)
{
    free(f->path);
    free(f->text);
}

void rule_store_free(struct rule_store *s)
{
    for (size_t i = 0; i < s->count; i++)
        file_free(&s->files[i]);
    free(s->files);
    free(s->kept.p);
    arena_free(&s->kept.arena);
    *s = (struct rule_store){ 0 };
}

/* find - *hint: where the one before was found; files are mostly asked for in their order. */
static struct rule_file *find(const struct rule_store *s, struct str path, size_t *hint)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = (*hint + 1 + i) % s->count;

        if (str_eq(str_c(s->files[at].path), path)) {
            *hint = at;
            return &s->files[at];
        }
    }
    return NULL;
}

static int list(const char *const *paths, size_t count, struct arena *a, struct str **files, size_t *n, struct err *e)
{
    size_t total = 0;

    *files = NULL;
    for (size_t i = 0; i < count; i++) {
        struct str *some = NULL, *all;
        size_t some_n = 0;
        int rc = sigma_files(paths[i], a, &some, &some_n, e);

        if (rc < 0)
            return rc;
        all = arena_array(a, total + some_n + 1, sizeof *all);
        if (!all)
            return err_set(e, -ENOMEM, "no memory for the list of rule files");
        if (total)
            memcpy(all, *files, total * sizeof *all);
        for (size_t k = 0; k < some_n; k++)   /* what only says the types of events is run by classify.h */
            if (!classify_file(str_c(paths[i]), some[k]))
                all[total++] = some[k];
        *files = all;
    }
    *n = total;
    return 0;
}

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec;
}

int rule_store_changed(const struct rule_store *s, const char *const *paths, size_t count, bool *changed, struct err *e)
{
    AUTO_ARENA struct arena a;
    struct str *files;
    size_t n, hint = SIZE_MAX;
    int rc;

    arena_init(&a, 0);
    rc = list(paths, count, &a, &files, &n, e);
    if (rc < 0)
        return rc;
    *changed = n != s->count;
    for (size_t i = 0; i < n && !*changed; i++) {
        const struct rule_file *f = find(s, files[i], &hint);
        struct stat st;

        *changed = !f || stat(files[i].p, &st) < 0 || mtime_of(&st) != f->mtime_ns || st.st_size != f->size;
    }
    return 0;
}

/* refused_now - the file's own text alone is refused somewhere: YAML or a rule in it. Links to other files are judged later. */
static bool breaks(struct str path, struct str text)
{
    struct sigma_source src = { path, text };
    struct sigma *s = NULL;
    bool bad = true;

    if (sigma_compile(&src, 1, &s, NULL) < 0)
        return true;
    for (size_t i = 0; i < sigma_refusal_count(s); i++)
        if (sigma_refusal_at(s, i)->verdict == SIGMA_BROKEN &&
            str_find(sigma_refusal_at(s, i)->reason, STR("is not among the loaded rules")) < 0)
            goto out;
    bad = false;
out:
    sigma_free(&s);
    return bad;
}

struct incoming { struct rule_file file; bool kept; };

/* read_file - the text to run for one path: the new one, or the former one if the new one is broken and the former was not. */
static int read_file(const struct rule_store *s, struct str path, size_t *hint, struct incoming *in, struct err *e)
{
    const struct rule_file *old = find(s, path, hint);
    AUTO_BUF struct buf b;
    struct stat st = { 0 };
    struct str text;
    int rc;

    *in = (struct incoming){ .kept = false };
    buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
    rc = stat(path.p, &st) < 0 ? -errno : file_read(path.p, YAML_BYTES_MAX, &b, e);
    text = rc < 0 ? (struct str){ NULL, 0 } : buf_view(&b);
    if (old && (rc < 0 || (!str_eq(text, str_of(old->text, old->text_n)) && breaks(path, text) &&
                           !breaks(path, str_of(old->text, old->text_n))))) {
        text = str_of(old->text, old->text_n);
        in->kept = true;
    }
    in->file = (struct rule_file){ .path = strdup(path.p), .text = malloc(text.n + 1), .text_n = text.n,
                                   .mtime_ns = mtime_of(&st), .size = st.st_size };
    if (!in->file.path || !in->file.text) {
        file_free(&in->file);
        return err_set(e, -ENOMEM, "no memory for the rules");
    }
    if (text.n)
        memcpy(in->file.text, text.p, text.n);
    return 0;
}

static bool refusals_add(struct refusals *l, const struct sigma_refusal *r)
{
    struct sigma_refusal *grown = l->p;

    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        grown = realloc(l->p, l->cap * sizeof *grown);
        if (!grown)
            return false;
        l->p = grown;
    }
    grown[l->count++] = (struct sigma_refusal){ r->verdict, arena_copy(&l->arena, r->file), arena_copy(&l->arena, r->id), r->line, r->column,
                                                arena_copy(&l->arena, r->reason) };
    return !arena_failed(&l->arena);
}

/* note_kept - why the text that a file has now is not what runs. What finds no memory is not told. */
static void note_kept(struct refusals *l, const struct rule_file *f)
{
    AUTO_BUF struct buf b;
    struct sigma_source src = { str_c(f->path), { NULL, 0 } };
    struct sigma *s = NULL;

    buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
    if (file_read(f->path, YAML_BYTES_MAX, &b, NULL) < 0)
        return;
    src.text = buf_view(&b);
    if (sigma_compile(&src, 1, &s, NULL) < 0)
        return;
    for (size_t i = 0; i < sigma_refusal_count(s) && refusals_add(l, sigma_refusal_at(s, i)); i++)
        ;
    sigma_free(&s);
}

static int compile(const struct incoming *in, size_t n, struct sigma **out, struct err *e)
{
    AUTO_FREE struct sigma_source *src = calloc(n + 1, sizeof *src);

    if (!src)
        return err_set(e, -ENOMEM, "no memory for the rules");
    for (size_t i = 0; i < n; i++)
        src[i] = (struct sigma_source){ str_c(in[i].file.path), str_of(in[i].file.text, in[i].file.text_n) };
    return sigma_compile(src, n, out, e);
}

static void count_up(const struct sigma *s, const struct incoming *in, size_t n, struct detect_rules *stats, struct refusals *kept)
{
    *stats = (struct detect_rules){ .files = n, .loaded = sigma_rule_count(s) };
    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        stats->broken += sigma_refusal_at(s, i)->verdict == SIGMA_BROKEN;
        stats->unsupported += sigma_refusal_at(s, i)->verdict == SIGMA_UNSUPPORTED;
    }
    for (size_t i = 0; i < n; i++)
        if (in[i].kept) {
            stats->kept++;
            note_kept(kept, &in[i].file);
        }
}

void rule_store_say(const struct refusals *kept, const struct sigma *set, detect_say *say, void *arg)
{
    for (size_t i = 0; say && i < sigma_refusal_count(set); i++)
        say(arg, sigma_refusal_at(set, i), false);
    for (size_t i = 0; say && i < kept->count; i++)
        say(arg, &kept->p[i], true);
}

int rule_store_load(struct rule_store *s, const char *const *paths, size_t count, struct sigma **out, struct detect_rules *stats, struct err *e)
{
    struct refusals kept = { .p = NULL };
    AUTO_ARENA struct arena a;
    AUTO_FREE struct incoming *in = NULL;
    struct rule_file *files = NULL;
    struct str *names;
    size_t n = 0, got = 0, hint = SIZE_MAX;
    int rc;

    *out = NULL;
    arena_init(&a, 0);
    rc = list(paths, count, &a, &names, &n, e);
    if (rc == 0) {
        in = calloc(n + 1, sizeof *in);
        files = calloc(n + 1, sizeof *files);
        if (!in || !files)
            rc = err_set(e, -ENOMEM, "no memory for the rules");
    }
    for (; rc == 0 && got < n; got++) {
        rc = read_file(s, names[got], &hint, &in[got], e);
        if (rc < 0)
            break;
    }
    if (rc == 0)
        rc = compile(in, n, out, e);
    if (rc < 0) {
        for (size_t i = 0; in && i < got; i++)
            file_free(&in[i].file);
        free(files);
        return rc;
    }
    arena_init(&kept.arena, REFUSALS_BYTES_MAX);
    count_up(*out, in, n, stats, &kept);
    for (size_t i = 0; i < n; i++)
        files[i] = in[i].file;
    rule_store_free(s);
    *s = (struct rule_store){ files, n, n, kept };
    return 0;
}
