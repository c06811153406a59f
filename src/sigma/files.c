/* files.c - folders of rules on disk: which files they hold, in order of name, and all of them read before any is compiled. */
#include "base/file.h"
#include "sigma/internal.h"

#include <dirent.h>
#include <sys/stat.h>

#define TEXTS_BYTES_MAX (512u * MIB)   /* of all files of one set */

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

struct walk { struct arena *a; struct str *files; size_t count, cap; struct str *folders; size_t folder_count, folder_cap; };

static bool push(struct arena *a, struct str **list, size_t *count, size_t *cap, struct str s)
{
    if (*count == *cap) {
        size_t next = *cap ? *cap * 2 : 64;
        struct str *grown = arena_array(a, next, sizeof *grown);

        if (!grown)
            return false;
        if (*count)
            memcpy(grown, *list, *count * sizeof *grown);
        *list = grown;
        *cap = next;
    }
    (*list)[(*count)++] = s;
    return true;
}

/* kind_of - DT_DIR, DT_REG or something else; most file systems say it with the name, links are followed. */
static unsigned char kind_of(const struct dirent *f, const char *path)
{
    struct stat st;

    if (f->d_type == DT_DIR || f->d_type == DT_REG)
        return f->d_type;
    if (stat(path, &st) < 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
}

static int walk_folder(struct walk *w, struct str folder, struct err *e)
{
    DIR *d = opendir(folder.p);
    struct dirent *f;

    if (!d)
        return err_sys(e, "could not open \"%.*s\"", STR_ARG(folder));
    while ((f = readdir(d)) != NULL) {
        struct str name = str_c(f->d_name), path;
        bool rules = str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")), ok = true;
        unsigned char kind;

        if (name.p[0] == '.')
            continue;
        path = ARENA_JOIN(w->a, folder, str_ends(folder, STR("/")) ? STR("") : STR("/"), name, str_of("", 1));
        if (!path.p)
            continue;
        path.n--;   /* the NUL at its end */
        kind = kind_of(f, path.p);
        if (kind == DT_DIR && w->folder_count < SIGMA_FILES_MAX && path.n < 3000)
            ok = push(w->a, &w->folders, &w->folder_count, &w->folder_cap, path);
        else if (kind == DT_REG && rules)
            ok = push(w->a, &w->files, &w->count, &w->cap, path);
        if (!ok || w->count > SIGMA_FILES_MAX) {
            closedir(d);
            return err_set(e, -E2BIG, "more than %d rule files below \"%.*s\"", SIGMA_FILES_MAX, STR_ARG(folder));
        }
    }
    closedir(d);
    return 0;
}

int sigma_files(const char *path, struct arena *a, struct str **files, size_t *count, struct err *e)
{
    struct walk w = { .a = a };
    struct str root = arena_copy(a, str_c(path));
    struct stat st;
    bool ok;

    if (stat(path, &st) < 0)
        return err_sys(e, "could not open \"%s\"", path);
    ok = S_ISDIR(st.st_mode) ? push(a, &w.folders, &w.folder_count, &w.folder_cap, root)
                             : push(a, &w.files, &w.count, &w.cap, root);
    if (!ok)
        return err_set(e, -ENOMEM, "no memory for the list of rule files");
    for (size_t i = 0; i < w.folder_count; i++) {
        int rc = walk_folder(&w, w.folders[i], e);

        if (rc < 0)
            return rc;
    }
    if (w.count)
        qsort(w.files, w.count, sizeof *w.files, by_text);
    *files = w.files;
    *count = w.count;
    return 0;
}

/* A growing list of files in memory. */
struct texts { struct arena arena; struct sigma_source *p; size_t n, cap; };

static int texts_add(struct texts *t, struct str path, struct str text, struct err *e)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        struct sigma_source *grown = realloc(t->p, cap * sizeof *grown);

        if (!grown)
            return err_set(e, -ENOMEM, "no memory for the rules");
        t->p = grown;
        t->cap = cap;
    }
    t->p[t->n] = (struct sigma_source){ arena_copy(&t->arena, path), arena_copy(&t->arena, text) };
    if (!t->p[t->n].path.p || !t->p[t->n].text.p)
        return err_set(e, -E2BIG, "the rules are larger than %u bytes together", TEXTS_BYTES_MAX);
    t->n++;
    return 0;
}

static int read_folder(struct sigma *s, struct texts *t, const char *path, struct err *e)
{
    AUTO_BUF struct buf b;
    struct str *files = NULL;
    size_t n = 0;
    int rc;

    buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
    rc = sigma_files(path, &t->arena, &files, &n, e);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct err why = { 0 };

        if (file_read(files[i].p, YAML_BYTES_MAX, &b, &why) < 0)
            rc = sigma_refuse(s, SIGMA_BROKEN, files[i], (struct str){ NULL, 0 }, 0, 0, why.text);
        else
            rc = texts_add(t, files[i], buf_view(&b), e);
    }
    return rc;
}

int sigma_load(const char *const *paths, size_t count, struct sigma **out, struct err *e)
{
    struct sigma *s = set_new();
    struct texts t = { .n = 0 };
    int rc = 0;

    *out = NULL;
    if (!s)
        return err_set(e, -ENOMEM, "no memory for the rules");
    arena_init(&t.arena, TEXTS_BYTES_MAX);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = read_folder(s, &t, paths[i], e);
    if (rc == 0)
        rc = set_compile(s, NULL, t.p, t.n, e);
    arena_free(&t.arena);
    free(t.p);
    if (rc < 0)
        sigma_free(&s);
    *out = s;
    return rc;
}
