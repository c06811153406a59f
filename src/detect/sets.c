/* sets.c - see sets.h. */
#include "detect/sets.h"

#include <dirent.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/reader.h"

#define MARK "SQRS1\n"
#define LIST_BYTES_MAX (64u * KIB)

static void list_path(const char *state, char path[4200]) { snprintf(path, 4200, "%.4000s.rules", state); }
static void set_path(const char *state, uint64_t hash, char path[4200]) { snprintf(path, 4200, "%.4000s.rules-%016llx", state, (unsigned long long)hash); }

/* --- texts --- */

static void put_head(struct buf *b, size_t count)
{
    buf_str(b, STR(MARK));
    buf_varint(b, count);
}

uint64_t set_hash(const struct sigma_source *sources, size_t count)
{
    XXH3_state_t *x = XXH3_createState();
    uint64_t hash = 0;

    if (!x)
        return 0;
    XXH3_64bits_reset(x);
    for (size_t i = 0; i < count; i++) {
        XXH3_64bits_update(x, sources[i].path.p, sources[i].path.n + 1);   /* with the NUL between path and text */
        XXH3_64bits_update(x, sources[i].text.n ? sources[i].text.p : "", sources[i].text.n);
        XXH3_64bits_update(x, &sources[i].text.n, sizeof sources[i].text.n);
    }
    hash = XXH3_64bits_digest(x);
    XXH3_freeState(x);
    return hash ? hash : 1;
}

int set_save(const char *state, const struct sigma_source *sources, size_t count, uint64_t hash, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4200];

    set_path(state, hash, path);
    buf_init(&b, SET_BYTES_MAX);
    if (file_exists(path))
        return 0;
    put_head(&b, count);
    for (size_t i = 0; i < count; i++) {
        buf_varstr(&b, sources[i].path);
        buf_varstr(&b, sources[i].text);
    }
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory to keep the rules");
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

int set_load(const char *state, uint64_t hash, struct arena *a, struct sigma_source **sources, size_t *count, struct err *e)
{
    AUTO_BUF struct buf b;
    struct sigma_source *out;
    struct reader r;
    char path[4200];
    uint64_t n;
    int rc;

    set_path(state, hash, path);
    buf_init(&b, SET_BYTES_MAX + MIB);
    rc = file_read(path, SET_BYTES_MAX, &b, e);
    if (rc < 0)
        return rc;
    r = rd_str(arena_copy(a, buf_view(&b)));
    if (!str_eq(rd_take(&r, strlen(MARK), "the mark"), STR(MARK)))
        rd_fail(&r, "kept rules");
    n = rd_varint(&r);
    if (n > SIGMA_FILES_MAX)
        rd_fail(&r, "fewer files of rules");
    out = rd_ok(&r) ? arena_array(a, n + 1, sizeof *out) : NULL;
    for (size_t i = 0; out && i < n; i++) {
        out[i].path = arena_copy(a, rd_varstr(&r, 4096, "a path"));
        out[i].text = rd_varstr(&r, SET_BYTES_MAX, "a text");
    }
    if (!rd_ok(&r))
        return rd_err(&r, e, path);
    if (!out || arena_failed(a))
        return err_set(e, -ENOMEM, "no memory for the rules");
    if (set_hash(out, n) != hash)
        return err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    *sources = out;
    *count = n;
    return 0;
}

/* --- the list --- */

static bool read_line(struct str line, struct sets *out)
{
    struct str first, rest = line;
    uint64_t seq, hash = 0;

    if (!str_split(&rest, ' ', &first) || rest.n == 0)
        return false;
    if (str_eq(first, STR("stop"))) {
        out->stopped = str_u64(rest, &out->stop);
        return out->stopped;
    }
    if (!str_u64(first, &seq) || rest.n != 16 || out->count == SETS_MAX || (out->count && out->line[out->count - 1].seq >= seq))
        return false;
    for (size_t i = 0; i < 16; i++) {
        char c = rest.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        hash = hash << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    out->line[out->count++] = (struct set_line){ seq, hash };
    return true;
}

int sets_read(const char *state, struct sets *out, struct err *e)
{
    AUTO_BUF struct buf b;
    struct str text, line;
    char path[4200];
    int rc;

    *out = (struct sets){ .count = 0 };
    list_path(state, path);
    buf_init(&b, LIST_BYTES_MAX + 4 * KIB);
    if (!file_exists(path))
        return 0;
    rc = file_read(path, LIST_BYTES_MAX, &b, e);
    text = buf_view(&b);
    while (rc == 0 && str_split(&text, '\n', &line))
        if (line.n && !read_line(line, out))
            rc = err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    return rc;
}

int sets_write(const char *state, const struct sets *s, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4200];

    buf_init(&b, LIST_BYTES_MAX);
    list_path(state, path);
    for (size_t i = 0; i < s->count; i++)
        buf_printf(&b, "%llu %016llx\n", (unsigned long long)s->line[i].seq, (unsigned long long)s->line[i].hash);
    if (s->stopped)
        buf_printf(&b, "stop %llu\n", (unsigned long long)s->stop);
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

void sets_add(struct sets *s, uint64_t seq, uint64_t hash, uint64_t saved)
{
    size_t drop = 0;

    while (s->count && s->line[s->count - 1].seq >= seq)
        s->count--;
    if (!s->count || s->line[s->count - 1].hash != hash) {
        if (s->count == SETS_MAX)   /* a replay goes on longer with the set before it */
            s->count--;
        s->line[s->count++] = (struct set_line){ seq, hash };
    }
    while (drop + 1 < s->count && s->line[drop + 1].seq <= saved)
        drop++;
    memmove(s->line, s->line + drop, (s->count - drop) * sizeof *s->line);
    s->count -= drop;
}

void sets_clean(const char *state, const struct sets *s)
{
    const char *slash = strrchr(state, '/'), *name = slash ? slash + 1 : state;
    char folder[4200], prefix[300];
    struct dirent *f;
    DIR *d;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - state < 4000 ? slash - state : 4000) : 1, slash ? state : ".");
    snprintf(prefix, sizeof prefix, "%.200s.rules-", name);
    d = opendir(folder);
    while (d && (f = readdir(d)) != NULL) {
        bool named = strncmp(f->d_name, prefix, strlen(prefix)) != 0;
        char path[4600];

        for (size_t i = 0; i < s->count && !named; i++) {
            snprintf(path, sizeof path, "%s%016llx", prefix, (unsigned long long)s->line[i].hash);
            named = strcmp(path, f->d_name) == 0;
        }
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (!named)
            (void)unlink(path);
    }
    if (d)
        closedir(d);
}
