/* files.c - see files.h. */
#include "portal/files.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FOLDERS_MAX 64

struct files {
    struct file_entry *item;
    size_t             count, bytes;
};

static const char no_portal[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Saqshy</title>"
    "<h1>Saqshy</h1><p>The portal is not built. Run <code>./start --build</code> in the source folder, "
    "or <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, and start again. The API is under "
    "<code>/api/v1</code>.</p></html>\n";

static const char *type_of(struct str path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" }, { ".svg", "image/svg+xml" }, { ".png", "image/png" },
        { ".ico", "image/x-icon" }, { ".json", "application/json" }, { ".woff2", "font/woff2" },
        { ".txt", "text/plain; charset=utf-8" }, { ".webmanifest", "application/manifest+json" },
        { ".map", "application/json" },
    };

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_ends(path, str_c(types[i].ending)))
            return types[i].type;
    return "application/octet-stream";
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file_entry *)a)->path, ((const struct file_entry *)b)->path);
}

static struct file_entry *find_exact(const struct files *f, const char *path)
{
    struct file_entry want = { .path = (char *)(uintptr_t)path };

    return f->count ? bsearch(&want, f->item, f->count, sizeof want, by_path) : NULL;
}

static void finish_entry(struct file_entry *it)
{
    struct str path = str_c(it->path);

    it->type = type_of(path);
    it->immutable = str_starts(path, STR("/assets/"));
    snprintf(it->etag, sizeof it->etag, "\"%016llx\"", (unsigned long long)str_hash(buf_view(&it->body)));
}

static int add_file(struct files *f, const char *folder, const char *name, off_t size, struct err *e)
{
    struct file_entry *it;
    char path[4096];
    int rc;

    if (f->count == FILES_MAX || size < 0 || (uint64_t)size > FILES_BYTES_MAX - f->bytes)
        return err_set(e, -E2BIG, "\"%s\" holds more than %d files or %u bytes", folder, FILES_MAX, FILES_BYTES_MAX);
    if (snprintf(path, sizeof path, "%s%s", folder, name) >= (int)sizeof path)
        return err_set(e, -ENAMETOOLONG, "a path under \"%s\" is too long", folder);
    it = &f->item[f->count];
    *it = (struct file_entry){ .path = strdup(name) };
    buf_init(&it->body, FILES_BYTES_MAX);
    buf_init(&it->gzip, FILES_BYTES_MAX);
    f->count++;
    if (!it->path)
        return err_set(e, -ENOMEM, "no memory for the portal's files");
    rc = file_read(path, FILES_BYTES_MAX - f->bytes, &it->body, e);
    if (rc < 0)
        return rc;
    f->bytes += it->body.n;
    finish_entry(it);
    return 0;
}

/* walk - one folder: files are added, folders put on the stack. names are relative and begin with '/'. */
static int walk(struct files *f, const char *root, const char *name, char **stack, size_t *depth, struct err *e)
{
    char path[4096], inner[4096];
    struct dirent *d;
    DIR *dir;
    int rc = 0;

    if (snprintf(path, sizeof path, "%s%s", root, name) >= (int)sizeof path)
        return err_set(e, -ENAMETOOLONG, "a path under \"%s\" is too long", root);
    dir = opendir(path);
    if (!dir)
        return err_sys(e, "could not open \"%s\"", path);
    while (rc == 0 && (d = readdir(dir)) != NULL) {
        struct stat st;

        if (d->d_name[0] == '.')
            continue;
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (snprintf(inner, sizeof inner, "%s/%s", name, d->d_name) >= (int)sizeof inner)
            rc = err_set(e, -ENAMETOOLONG, "a path under \"%s\" is too long", root);
        else if (S_ISREG(st.st_mode))
            rc = add_file(f, root, inner, st.st_size, e);
        else if (S_ISDIR(st.st_mode) && *depth == FOLDERS_MAX)
            rc = err_set(e, -E2BIG, "\"%s\" holds more than %d folders", root, FOLDERS_MAX);
        else if (S_ISDIR(st.st_mode) && (stack[*depth] = strdup(inner)) != NULL)
            ++*depth;
    }
    closedir(dir);
    return rc;
}

static int walk_all(struct files *f, const char *root, struct err *e)
{
    char *stack[FOLDERS_MAX + 1] = { strdup("") };
    size_t depth = stack[0] ? 1 : 0;
    int rc = 0;

    while (depth > 0) {
        char *name = stack[--depth];

        if (rc == 0)
            rc = walk(f, root, name, stack, &depth, e);
        free(name);
    }
    return rc;
}

/* pair_gzip - the content of "x.js.gz" also answers for "x.js". */
static void pair_gzip(struct files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct str path = str_c(f->item[i].path);
        struct file_entry *plain;
        char name[4096];

        if (!str_ends(path, STR(".gz")) || path.n - 3 >= sizeof name)
            continue;
        memcpy(name, path.p, path.n - 3);
        name[path.n - 3] = 0;
        plain = find_exact(f, name);
        if (plain)
            buf_str(&plain->gzip, buf_view(&f->item[i].body));
    }
}

static void add_page(struct files *f)
{
    struct file_entry *it = &f->item[f->count++];

    *it = (struct file_entry){ .path = strdup("/index.html") };
    buf_init(&it->body, MIB);
    buf_init(&it->gzip, MIB);
    buf_str(&it->body, str_c(no_portal));
    if (it->path)
        finish_entry(it);
}

int files_load(const char *folder, struct files **out, struct err *e)
{
    struct files *f = calloc(1, sizeof *f);
    char index[4096];
    int rc = 0;

    *out = NULL;
    if (f)
        f->item = calloc(FILES_MAX + 1, sizeof *f->item);
    if (!f || !f->item) {
        files_free(&f);
        return err_set(e, -ENOMEM, "no memory for the portal's files");
    }
    snprintf(index, sizeof index, "%s/index.html", folder);
    if (*folder && file_exists(index))
        rc = walk_all(f, folder, e);
    else
        add_page(f);
    if (rc < 0) {
        files_free(&f);
        return rc;
    }
    qsort(f->item, f->count, sizeof *f->item, by_path);
    pair_gzip(f);
    *out = f;
    return 0;
}

void files_free(struct files **f)
{
    if (!*f)
        return;
    for (size_t i = 0; i < (*f)->count; i++) {
        free((*f)->item[i].path);
        buf_free(&(*f)->item[i].body);
        buf_free(&(*f)->item[i].gzip);
    }
    free((*f)->item);
    free(*f);
    *f = NULL;
}

const struct file_entry *files_find(const struct files *f, struct str path)
{
    char name[1024];
    const struct file_entry *hit;

    if (path.n >= sizeof name || memchr(path.p, 0, path.n))
        return NULL;
    memcpy(name, path.p, path.n);
    name[path.n] = 0;
    hit = find_exact(f, name);
    if (hit)
        return hit;
    /* A link into the portal ("/cases/17") is the portal itself; a missing picture is missing. */
    const char *last = strrchr(name, '/');

    return last && !strchr(last, '.') ? find_exact(f, "/index.html") : NULL;
}

size_t files_count(const struct files *f)
{
    return f->count;
}
