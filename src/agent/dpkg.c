/* dpkg.c - the facts that are read at one go: packages from dpkg's status file, values of settings. Nothing is run.
 *
 * The status file is stanzas of "Field: value" lines, continued by lines that begin with a blank, ended by an empty line (deb-control(5)). Four
 * fields are wanted; a line that is longer than a buffer is none of them. */
#include "agent/facts.h"

#include <glob.h>
#include <fcntl.h>
#include <unistd.h>

static bool field(struct str line, struct str name, char *out, size_t size)
{
    struct str v;

    if (line.n <= name.n || line.p[name.n] != ':' || !str_ieq(str_of(line.p, name.n), name))
        return false;
    v = str_trim(str_cut(line, name.n + 1));
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] <= ' ' || (unsigned char)v.p[i] > 126)
            v.n = 0;                   /* no name or version that Debian allows */
    v.n = min_size(v.n, size - 1);
    memcpy(out, v.n ? v.p : "", v.n);
    out[v.n] = 0;
    return true;
}

void dpkg_line(struct dpkg *d, struct str line, dpkg_take *take, void *arg)
{
    char key[sizeof d->name + sizeof d->arch + 1];

    if (str_trim(line).n) {
        if (field(line, STR("Package"), d->name, sizeof d->name) || field(line, STR("Version"), d->version, sizeof d->version) ||
            field(line, STR("Architecture"), d->arch, sizeof d->arch))
            return;
        if (str_starts(line, STR("Status:")))
            d->installed = str_ends(str_trim(line), STR(" installed"));
        return;
    }
    if (d->installed && d->name[0] && d->version[0]) {
        snprintf(key, sizeof key, "%s:%s", d->name, d->arch);
        take(arg, str_c(key), str_c(d->version));
    }
    *d = (struct dpkg){ .name = "" };
}

/* What was taken, to be sorted: texts one behind the other, each "key TAB version NUL". */
struct gather {
    struct buf texts;
    uint32_t   at[FACT_PACKAGES_MAX];
    size_t     count;
};

static void gather(void *arg, struct str key, struct str version)
{
    struct gather *g = arg;

    if (g->count == FACT_PACKAGES_MAX || buf_failed(&g->texts))
        return;
    g->at[g->count++] = (uint32_t)g->texts.n;
    buf_str(&g->texts, key);
    buf_byte(&g->texts, '\t');
    buf_str(&g->texts, version);
    buf_byte(&g->texts, 0);
}

static int by_key(const void *a, const void *b, void *texts)
{
    const char *t = texts;
    struct str x = str_c(t + *(const uint32_t *)a), y = str_c(t + *(const uint32_t *)b);

    x.n = (size_t)str_chr(x, '\t');
    y.n = (size_t)str_chr(y, '\t');
    return fact_key_cmp(x, y);
}

static void put_sorted(struct gather *g, struct list_out *o)
{
    struct str before = { NULL, 0 };

    if (g->count)
        qsort_r(g->at, g->count, sizeof *g->at, by_key, g->texts.p);
    for (size_t i = 0; i < g->count; i++) {
        struct str s = str_c(g->texts.p + g->at[i]);
        size_t tab = (size_t)str_chr(s, '\t');
        struct str key = str_of(s.p, tab);

        if (!str_eq(key, before))      /* a name that stands twice is one package */
            list_put(o, key, str_cut(s, tab + 1), str_of(NULL, 0));
        before = key;
    }
}

int dpkg_list(const char *status, struct list_out *o, struct err *e)
{
    AUTO_FREE struct gather *g = calloc(1, sizeof *g);
    FILE *f = fopen(status, "re");
    struct dpkg d = { .name = "" };
    char line[1024];
    bool begun = true;

    if (!g || !f) {
        if (f)
            fclose(f);
        return g ? err_sys(e, "could not read \"%s\"", status) : err_set(e, -ENOMEM, "no memory for a list of packages");
    }
    buf_init(&g->texts, 32 * MIB);
    while (fgets(line, sizeof line, f)) {
        struct str s = str_c(line);
        bool whole = s.n && s.p[s.n - 1] == '\n';

        if (begun)
            dpkg_line(&d, s, gather, g);
        begun = whole;
    }
    dpkg_line(&d, STR(""), gather, g);
    int rc = ferror(f) || buf_failed(&g->texts) ? err_set(e, -EIO, "could not read \"%s\" whole", status) : 0;
    fclose(f);
    if (rc == 0)
        put_sorted(g, o);
    buf_free(&g->texts);
    return rc;
}

/* --- settings --- */

struct reading {
    const struct setting *s;
    struct buf  text, value, file;     /* the value as it stands, and where */
    const char *state;                 /* absent, set, unreadable */
};

/* one_file - false: no further file is looked at. O_NONBLOCK: a pipe that somebody put there does not hold us. */
static bool one_file(struct reading *r, const char *path)
{
    char bytes[4096];
    struct str value;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    buf_reset(&r->text);
    if (fd < 0 && errno == ENOENT)
        return true;
    while (fd >= 0 && r->text.n < SETTING_FILE_BYTES && (n = read(fd, bytes, sizeof bytes)) > 0)
        buf_put(&r->text, bytes, (size_t)n);
    if (fd >= 0)
        close(fd);
    if (fd < 0 || n < 0) {
        if (strcmp(r->state, "absent") == 0)
            r->state = "unreadable";
        return true;
    }
    if (!setting_in(r->s, buf_view(&r->text), &value))
        return true;
    buf_reset(&r->value);
    buf_reset(&r->file);
    fact_escape(str_of(value.p, min_size(value.n, SETTING_VALUE_MAX)), &r->value);
    fact_escape(str_c(path), &r->file);
    r->state = "set";
    return r->s->last;
}

static void read_one(struct reading *r)
{
    r->state = "absent";
    buf_reset(&r->value);
    buf_reset(&r->file);
    for (size_t i = 0; i < r->s->file_count; i++) {
        char pattern[256];
        glob_t g;
        bool more = true;

        snprintf(pattern, sizeof pattern, "%.*s", STR_ARG(r->s->files[i]));
        if (glob(pattern, 0, NULL, &g) != 0)
            continue;
        for (size_t k = 0; more && k < min_size(g.gl_pathc, SETTING_MATCHES_MAX); k++)
            more = one_file(r, g.gl_pathv[k]);
        globfree(&g);
        if (!more)
            return;
    }
}

int settings_list(const struct settings *s, struct list_out *o, struct err *e)
{
    const struct setting *sorted[SETTINGS_MAX];
    struct reading r = { .s = NULL };
    AUTO_BUF struct buf line = { 0 };

    buf_init(&line, 64 * KIB);
    buf_init(&r.text, SETTING_FILE_BYTES + 64 * KIB);
    buf_init(&r.value, 16 * KIB);
    buf_init(&r.file, 16 * KIB);
    for (size_t i = 0; i < s->count; i++) {
        size_t k = i;

        for (; k > 0 && fact_key_cmp(s->items[i].id, sorted[k - 1]->id) < 0; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = &s->items[i];
    }
    for (size_t i = 0; i < s->count; i++) {
        r.s = sorted[i];
        read_one(&r);
        buf_reset(&line);
        buf_printf(&line, "%s\t", r.state);
        buf_str(&line, buf_view(&r.file));
        buf_byte(&line, '\t');
        buf_str(&line, buf_view(&r.value));
        list_put(o, r.s->id, buf_view(&line), str_of(NULL, 0));
    }
    bool failed = buf_failed(&r.text) || buf_failed(&r.value) || buf_failed(&line);
    buf_free(&r.text);
    buf_free(&r.value);
    buf_free(&r.file);
    return failed ? err_set(e, -ENOMEM, "no memory for the values of settings") : 0;
}
