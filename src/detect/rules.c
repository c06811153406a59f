/* rules.c - the files of rules as they were last seen good.
 *
 * A set is always built from texts in memory. A file whose mark is what it was is not read, one whose text is what it was is not compiled
 * (sigma_compile_again): a change costs the changed file, a look at the marks of all, and the assembling of the set. If a rule of a changed file that was
 * fine before is refused now, the former text of that file goes on. */
#include "base/file.h"
#include "base/yaml.h"
#include "detect/internal.h"
#include "detect/sets.h"
#include "sigma/classify.h"

#include <sys/stat.h>

#define REFUSALS_BYTES_MAX (4u * MIB)
#define YOUNG_NS (2 * NS_PER_SECOND)   /* the coarsest clock of a file system: two changes within it may leave the same mark */

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
    sigma_units_free(&s->units);
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

static struct file_mark mark_of(const struct stat *st)
{
    return (struct file_mark){ .device = st->st_dev, .inode = st->st_ino, .size = st->st_size,
                               .written_ns = (int64_t)st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec,
                               .changed_ns = (int64_t)st->st_ctim.tv_sec * NS_PER_SECOND + st->st_ctim.tv_nsec };
}

static bool same_mark(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->written_ns == b->written_ns && a->changed_ns == b->changed_ns;
}

/* breaks - the file's own text alone is refused somewhere: YAML or a rule in it. Links to other files are judged later. */
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

/* One path: as it was (old, and nothing else), or read. */
struct incoming { struct rule_file *old; struct rule_file file; bool read, changed; };

/* read_file - the text to run for one path: the new one, or the former one if the new one is broken and the former was not. */
static int read_file(struct str path, const struct stat *st, int rc, struct incoming *in, struct err *e)
{
    const struct rule_file *old = in->old;
    struct str before = old ? str_of(old->text, old->text_n) : (struct str){ NULL, 0 }, text;
    AUTO_BUF struct buf b;

    buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
    if (rc == 0)
        rc = file_read(path.p, YAML_BYTES_MAX, &b, e);
    text = rc < 0 ? (struct str){ NULL, 0 } : buf_view(&b);
    in->file = (struct rule_file){ .mark = mark_of(st), .base = SET_NOT_THERE };
    in->file.young = in->file.mark.changed_ns > clock_now() - YOUNG_NS;
    if (old && (rc < 0 || (!str_eq(text, before) && breaks(path, text) && !breaks(path, before)))) {
        text = before;
        in->file.kept = true;
    }
    if (old && str_eq(text, before))
        in->file.base = old->base;
    in->file.seen = rc < 0 ? 0 : str_hash(buf_view(&b));
    in->changed = !old || old->seen != in->file.seen;
    in->file.path = strdup(path.p);
    in->file.text = malloc(text.n + 1);
    in->file.text_n = text.n;
    if (!in->file.path || !in->file.text) {
        file_free(&in->file);
        return err_set(e, -ENOMEM, "no memory for the rules");
    }
    if (text.n)
        memcpy(in->file.text, text.p, text.n);
    in->read = true;
    return 0;
}

/* look_at - read the file, unless it is as it was. */
static int look_at(const struct rule_store *s, struct str path, bool anew, size_t *hint, struct incoming *in, struct err *e)
{
    struct stat st = { 0 };
    int rc = stat(path.p, &st) < 0 ? -errno : 0;
    struct file_mark now = mark_of(&st);

    *in = (struct incoming){ .old = find(s, path, hint) };
    if (in->old && in->old->taken)   /* it is below two of the paths */
        in->old = NULL;
    if (in->old)
        in->old->taken = true;
    if (in->old && rc == 0 && !anew && !in->old->young && same_mark(&in->old->mark, &now))
        return 0;
    return read_file(path, &st, rc, in, e);
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

static const struct rule_file *file_of(const struct incoming *in) { return in->read ? &in->file : in->old; }

static int compile(struct rule_store *s, const struct incoming *in, size_t n, struct sigma **out, struct err *e)
{
    AUTO_FREE struct sigma_source *src = calloc(n + 1, sizeof *src);

    if (!s->units)
        s->units = sigma_units_new();
    if (!src || !s->units)
        return err_set(e, -ENOMEM, "no memory for the rules");
    sigma_units_measured(s->units, s->frequency);
    for (size_t i = 0; i < n; i++)
        src[i] = (struct sigma_source){ str_c(file_of(&in[i])->path), str_of(file_of(&in[i])->text, file_of(&in[i])->text_n) };
    return sigma_compile_again(s->units, src, n, out, e);
}

struct sigma_source *rule_store_sources(const struct rule_store *s)
{
    struct sigma_source *out = calloc(s->count + 1, sizeof *out);

    for (size_t i = 0; out && i < s->count; i++)
        out[i] = (struct sigma_source){ str_c(s->files[i].path), str_of(s->files[i].text, s->files[i].text_n) };
    return out;
}

static void count_up(const struct sigma *s, const struct rule_store *store, struct detect_rules *stats, struct refusals *kept)
{
    *stats = (struct detect_rules){ .files = store->count, .loaded = sigma_rule_count(s) };
    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        stats->broken += sigma_refusal_at(s, i)->verdict == SIGMA_BROKEN;
        stats->unsupported += sigma_refusal_at(s, i)->verdict == SIGMA_UNSUPPORTED;
    }
    for (size_t i = 0; i < store->count; i++)
        if (store->files[i].kept) {
            stats->kept++;
            note_kept(kept, &store->files[i]);
        }
}

void rule_store_say(const struct refusals *kept, const struct sigma *set, detect_say *say, void *arg)
{
    for (size_t i = 0; say && i < sigma_refusal_count(set); i++)
        say(arg, sigma_refusal_at(set, i), false);
    for (size_t i = 0; say && i < kept->count; i++)
        say(arg, &kept->p[i], true);
}

/* take_over - the store is what came in; what went is freed. */
static void take_over(struct rule_store *s, struct incoming *in, size_t n, struct rule_file *files)
{
    for (size_t i = 0; i < n; i++) {
        files[i] = *file_of(&in[i]);
        if (!in[i].read)
            in[i].old->path = in[i].old->text = NULL;   /* moved */
    }
    for (size_t i = 0; i < s->count; i++)
        file_free(&s->files[i]);
    free(s->files);
    s->files = files;
    s->count = n;
}

/* look_over - all files. *changed: there is a reason for another set. */
static int look_over(const struct rule_store *s, const struct str *names, size_t n, bool anew, struct incoming *in, bool *changed, struct err *e)
{
    size_t hint = SIZE_MAX;

    for (size_t i = 0; i < s->count; i++)
        s->files[i].taken = false;
    *changed = anew || n != s->count;
    for (size_t i = 0; i < n; i++) {
        int rc = look_at(s, names[i], anew, &hint, &in[i], e);

        if (rc < 0)
            return rc;
        *changed = *changed || !in[i].old || in[i].changed;
    }
    return 0;
}

/* grow_old - no text has changed: the files were read, and may be young no longer. */
static void grow_old(struct incoming *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i].read) {
            in[i].old->mark = in[i].file.mark;
            in[i].old->young = in[i].file.young;
        }
}

int rule_store_load(struct rule_store *s, const char *const *paths, size_t count, bool anew, struct sigma **out, struct detect_rules *stats, struct err *e)
{
    AUTO_ARENA struct arena a;
    AUTO_FREE struct incoming *in = NULL;
    struct rule_file *files = NULL;
    struct str *names;
    size_t n = 0, read = 0;
    bool changed = false;
    int rc;

    *out = NULL;
    arena_init(&a, 0);
    rc = list(paths, count, &a, &names, &n, e);
    if (rc < 0)
        return rc;
    in = calloc(n + 1, sizeof *in);
    files = calloc(n + 1, sizeof *files);
    rc = in && files ? look_over(s, names, n, anew, in, &changed, e) : err_set(e, -ENOMEM, "no memory for the rules");
    if (rc == 0 && changed)
        rc = compile(s, in, n, out, e);
    if (rc < 0 || !changed) {
        if (rc == 0)
            grow_old(in, n);
        for (size_t i = 0; in && i < n; i++)
            file_free(&in[i].file);
        free(files);
        return rc;
    }
    for (size_t i = 0; i < n; i++)
        read += in[i].read;
    take_over(s, in, n, files);
    free(s->kept.p);
    arena_free(&s->kept.arena);
    s->kept = (struct refusals){ .p = NULL };
    arena_init(&s->kept.arena, REFUSALS_BYTES_MAX);
    count_up(*out, s, stats, &s->kept);
    stats->read = read;
    stats->compiled = sigma_units_made(s->units);
    return 1;
}

int rule_store_tidy(struct rule_store *s, struct err *e)
{
    AUTO_FREE struct sigma_source *src = NULL;
    struct sigma *set = NULL;
    int rc;

    if (!s->units || !sigma_units_worn(s->units))
        return 0;
    src = rule_store_sources(s);
    if (!src)
        return err_set(e, -ENOMEM, "no memory for the rules");
    sigma_units_drop(s->units);
    rc = sigma_compile_again(s->units, src, s->count, &set, e);
    sigma_free(&set);
    return rc;
}
