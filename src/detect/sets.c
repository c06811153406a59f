/* sets.c - see sets.h. */
#include "detect/sets.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/reader.h"

#define WHOLE "SQRS1\n"
#define PARTS "SQRS2\n"
#define PARTS_SHARE 4   /* of a set of which more than one part in so many is new all is written */
#define LIST_BYTES_MAX (64u * KIB)

static void list_path(const char *state, char path[4200]) { snprintf(path, 4200, "%.4000s.rules", state); }
static void set_path(const char *state, uint64_t hash, char path[4200]) { snprintf(path, 4200, "%.4000s.rules-%016llx", state, (unsigned long long)hash); }

/* --- texts --- */

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

static void put_files(struct buf *b, const struct sigma_source *sources, size_t count)
{
    buf_varint(b, count);
    for (size_t i = 0; i < count; i++) {
        buf_varstr(b, sources[i].path);
        buf_varstr(b, sources[i].text);
    }
}

/* put_parts - runs of files of the base, each with the files behind it that are not in the base. */
static void put_parts(struct buf *b, const struct sigma_source *sources, const uint32_t *at, size_t count, uint64_t base)
{
    buf_str(b, STR(PARTS));
    buf_le64(b, base);
    buf_varint(b, count);
    for (size_t i = 0; i < count;) {
        size_t run = 0, fresh = 0;

        while (i + run < count && at[i + run] != SET_NOT_THERE && (run == 0 || at[i + run] == at[i + run - 1] + 1))
            run++;
        while (i + run + fresh < count && at[i + run + fresh] == SET_NOT_THERE)
            fresh++;
        buf_varint(b, run ? at[i] : 0);
        buf_varint(b, run);
        put_files(b, sources + i + run, fresh);
        i += run + fresh;
    }
}

/* mostly_there - little of the set is not in the base. */
static bool mostly_there(const struct sigma_source *sources, const uint32_t *at, size_t count)
{
    size_t all = 0, fresh = 0;

    for (size_t i = 0; i < count; i++) {
        all += sources[i].text.n;
        fresh += at[i] == SET_NOT_THERE ? sources[i].text.n : 0;
    }
    return fresh <= all / PARTS_SHARE;
}

int set_save(const char *state, const struct sigma_source *sources, const uint32_t *at, size_t count, uint64_t hash, uint64_t base, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4200], base_path[4200];
    bool parts;
    int rc;

    set_path(state, hash, path);
    set_path(state, base, base_path);
    buf_init(&b, SET_BYTES_MAX);
    if (file_exists(path))
        return SET_WAS_THERE;
    parts = base && mostly_there(sources, at, count) && file_exists(base_path);
    if (parts) {
        put_parts(&b, sources, at, count, base);
    } else {
        buf_str(&b, STR(WHOLE));
        put_files(&b, sources, count);
    }
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory to keep the rules");
    rc = file_write_atomic(path, buf_view(&b), 0640, e);
    return rc < 0 ? rc : parts ? SET_IN_PARTS : SET_WHOLE;
}

/* Texts as they are read. */
struct texts { struct arena *a; struct sigma_source *p; size_t count, room; };

static void texts_room(struct texts *t, struct reader *r)
{
    uint64_t n = rd_varint(r);

    if (n > SIGMA_FILES_MAX)
        rd_fail(r, "fewer files of rules");
    t->p = rd_ok(r) ? arena_array(t->a, n + 1, sizeof *t->p) : NULL;
    t->room = t->p ? n : 0;
}

static void take_file(struct texts *t, struct reader *r)
{
    struct str path = rd_varstr(r, 4096, "a path"), text = rd_varstr(r, SET_BYTES_MAX, "a text");

    if (t->count == t->room)
        rd_fail(r, "as many files as there are");
    if (rd_ok(r))
        t->p[t->count++] = (struct sigma_source){ arena_copy(t->a, path), text };
}

static void take_whole(struct texts *t, struct reader *r)
{
    texts_room(t, r);
    for (size_t i = 0; rd_ok(r) && i < t->room; i++)
        take_file(t, r);
}

static void take_parts(struct texts *t, const struct texts *base, struct reader *r)
{
    texts_room(t, r);
    while (rd_ok(r) && t->count < t->room) {
        uint64_t from = rd_varint(r), run = rd_varint(r), fresh = rd_varint(r);

        if (from > base->count || run > base->count - from || run > t->room - t->count || run + fresh == 0)
            rd_fail(r, "files that are there");
        for (uint64_t i = 0; rd_ok(r) && i < run; i++)
            t->p[t->count++] = base->p[from + i];
        for (uint64_t i = 0; rd_ok(r) && i < fresh; i++)
            take_file(t, r);
    }
}

/* read_texts - a file of texts behind its mark; base: of one in parts. -EBADMSG where the mark is another. */
static int read_texts(const char *state, uint64_t hash, struct arena *a, const char *mark, struct reader *r, char path[4200], struct err *e)
{
    AUTO_BUF struct buf b;
    int rc;

    set_path(state, hash, path);
    buf_init(&b, SET_BYTES_MAX + MIB);
    rc = file_read(path, SET_BYTES_MAX, &b, e);
    if (rc < 0)
        return rc;
    *r = rd_str(arena_copy(a, buf_view(&b)));
    if (mark && !str_eq(rd_take(r, strlen(mark), "the mark"), str_c(mark)))
        rd_fail(r, "kept rules");
    return rd_ok(r) ? 0 : rd_err(r, e, path);
}

static int load_whole(const char *state, uint64_t hash, struct texts *t, struct err *e)
{
    char path[4200];
    struct reader r;
    int rc = read_texts(state, hash, t->a, WHOLE, &r, path, e);

    if (rc < 0)
        return rc;
    take_whole(t, &r);
    return rd_ok(&r) ? 0 : rd_err(&r, e, path);
}

int set_load(const char *state, uint64_t hash, struct arena *a, struct sigma_source **sources, size_t *count, struct err *e)
{
    struct texts t = { .a = a }, base = { .a = a };
    char path[4200];
    struct reader r;
    struct str mark;
    int rc = read_texts(state, hash, a, NULL, &r, path, e);

    if (rc < 0)
        return rc;
    mark = rd_take(&r, strlen(WHOLE), "the mark");
    if (str_eq(mark, STR(PARTS))) {
        rc = load_whole(state, rd_le64(&r), &base, e);
        if (rc == 0)
            take_parts(&t, &base, &r);
    } else if (str_eq(mark, STR(WHOLE))) {
        take_whole(&t, &r);
    } else {
        rd_fail(&r, "kept rules");
    }
    if (rc < 0 || !rd_ok(&r))
        return rc < 0 ? rc : rd_err(&r, e, path);
    if (arena_failed(a))
        return err_set(e, -ENOMEM, "no memory for the rules");
    if (set_hash(t.p, t.count) != hash)
        return err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    *sources = t.p;
    *count = t.count;
    return 0;
}

/* base_of - the set without which the texts of this one cannot be read; 0: they stand alone, or cannot be read. */
static uint64_t base_of(const char *state, uint64_t hash)
{
    unsigned char head[sizeof PARTS - 1 + 8];
    char path[4200];
    AUTO_CLOSE int fd = -1;
    struct reader r;

    set_path(state, hash, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, head, sizeof head) != (ssize_t)sizeof head)
        return 0;
    r = rd_from(head, sizeof head);
    return str_eq(rd_take(&r, strlen(PARTS), "the mark"), STR(PARTS)) ? rd_le64(&r) : 0;
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

/* needed - a line names the texts, or those of a line are in parts of them. */
static bool needed(const struct sets *s, const uint64_t *bases, const char *file, const char *prefix)
{
    char name[320];

    for (size_t i = 0; i < 2 * s->count; i++) {
        uint64_t hash = i < s->count ? s->line[i].hash : bases[i - s->count];

        snprintf(name, sizeof name, "%s%016llx", prefix, (unsigned long long)hash);
        if (hash && strcmp(name, file) == 0)
            return true;
    }
    return false;
}

void sets_clean(const char *state, const struct sets *s)
{
    const char *slash = strrchr(state, '/'), *name = slash ? slash + 1 : state;
    char folder[4200], prefix[300];
    uint64_t bases[SETS_MAX];
    struct dirent *f;
    DIR *d;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - state < 4000 ? slash - state : 4000) : 1, slash ? state : ".");
    snprintf(prefix, sizeof prefix, "%.200s.rules-", name);
    for (size_t i = 0; i < s->count; i++)
        bases[i] = base_of(state, s->line[i].hash);
    d = opendir(folder);
    while (d && (f = readdir(d)) != NULL) {
        char path[4600];

        if (strncmp(f->d_name, prefix, strlen(prefix)) != 0 || needed(s, bases, f->d_name, prefix))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        (void)unlink(path);
    }
    if (d)
        closedir(d);
}
