/* wef_marks.c - how far each machine is: bookmarks in a file that is only appended to, and what was last seen of each; see wef.h.
 *
 * The file DATA/inputs/wef-bookmarks: a line a move, the last of a machine and subscription counts. Words are parted by a space, bytes up to it, '%', and 127
 * are written as %xx.
 *
 *     CHECK MACHINE SUBSCRIPTION VERSION BATCH MOMENT BOOKMARK
 *     CHECK     XXH3 of the rest of the line, 16 hexadecimal digits: a torn or damaged line is passed over
 *     BATCH     XXH3 of the events that came with the bookmark; MOMENT of their receipt in nanoseconds
 *
 * An older bookmark only repeats what is stored already; so a lost line is no lost event. The file is written anew, atomically, when it is opened,
 * and when it has grown to REWRITE_TIMES of what is alive in it. */
#include "ingest/wef.h"
#include "base/file.h"
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS        16384u
#define FILE_MAX       (2048u * MIB)
#define REWRITE_LEAST  (4 * INT64_C(1048576))
#define REWRITE_TIMES  4
#define NAME_MAX_BYTES 256

struct node_mark {
    struct wef_mark   mark;            /* first */
    struct node_mark *next;            /* in its bucket */
    struct node_mark *newer, *older;   /* by when it was seen last */
    size_t            bytes;           /* of its line */
};
struct wef_marks {
    pthread_mutex_t   lock;
    char              path[4096];
    int               fd;
    int64_t           size, alive;
    size_t            count;
    bool              dirty;           /* appended and not synced */
    struct node_mark *newest, *oldest;
    struct node_mark *bucket[BUCKETS];
};

/* --- the table --- */

static struct node_mark **bucket_of(struct wef_marks *m, struct str machine, struct str subscription)
{
    return &m->bucket[(str_hash(machine) ^ str_hash(subscription) * 31) % BUCKETS];
}

static void fold(struct str s, char out[NAME_MAX_BYTES])
{
    size_t n = min_size(s.n, NAME_MAX_BYTES - 1);

    for (size_t i = 0; i < n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    out[n] = 0;
}

static struct node_mark *find(struct wef_marks *m, struct str machine, struct str subscription)
{
    char name[NAME_MAX_BYTES];
    struct node_mark *n;

    fold(machine, name);
    for (n = *bucket_of(m, str_c(name), subscription); n; n = n->next)
        if (strcmp(n->mark.machine, name) == 0 && str_eq(str_c(n->mark.subscription), subscription))
            break;
    return n;
}

static void unlink_age(struct wef_marks *m, struct node_mark *n)
{
    *(n->newer ? &n->newer->older : &m->newest) = n->older;
    *(n->older ? &n->older->newer : &m->oldest) = n->newer;
}

static void to_newest(struct wef_marks *m, struct node_mark *n)
{
    n->newer = NULL;
    n->older = m->newest;
    *(m->newest ? &m->newest->newer : &m->oldest) = n;
    m->newest = n;
}

static void mark_free(struct node_mark *n)
{
    free(n->mark.machine);
    free(n->mark.subscription);
    free(n->mark.bookmark);
    free(n);
}

/* take - the mark of a machine, made if there is room. It becomes the newest. */
static struct node_mark *take(struct wef_marks *m, struct str machine, struct str subscription)
{
    struct node_mark *n = find(m, machine, subscription), **at;
    char name[NAME_MAX_BYTES];

    if (n) {
        unlink_age(m, n);
        to_newest(m, n);
        return n;
    }
    n = m->count < WEF_MARKS_MAX ? calloc(1, sizeof *n) : NULL;
    if (!n)
        return NULL;
    fold(machine, name);
    n->mark.machine = strdup(name);
    n->mark.subscription = strndup(subscription.n ? subscription.p : "", subscription.n);
    if (!n->mark.machine || !n->mark.subscription) {
        mark_free(n);
        return NULL;
    }
    at = bucket_of(m, str_c(name), subscription);
    n->next = *at;
    *at = n;
    to_newest(m, n);
    m->count++;
    return n;
}

static void put_word(char out[64], struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n && n < 63; i++)
        out[n++] = (unsigned char)s.p[i] <= ' ' || s.p[i] == 127 ? '?' : s.p[i];
    out[n] = 0;
}

/* --- lines --- */

static void escape(struct buf *b, struct str s)
{
    if (s.n == 0)
        buf_str(b, STR("%"));
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c > ' ' && c != '%' && c != 127)
            buf_byte(b, (char)c);
        else
            buf_printf(b, "%%%02x", c);
    }
}

static void put_line(struct buf *b, const struct wef_mark *k)
{
    AUTO_BUF struct buf line = { 0 };

    buf_init(&line, 4 * WEF_BOOKMARK_MAX);
    escape(&line, str_c(k->machine));
    buf_byte(&line, ' ');
    escape(&line, str_c(k->subscription));
    buf_byte(&line, ' ');
    escape(&line, str_c(k->version));
    buf_printf(&line, " %016llx %lld ", (unsigned long long)k->hash, (long long)k->last_event);
    escape(&line, str_c(k->bookmark));
    buf_printf(b, "%016llx ", (unsigned long long)str_hash(buf_view(&line)));
    buf_str(b, buf_view(&line));
    buf_byte(b, '\n');
    b->failed = b->failed || line.failed;
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool hex_number(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (hex(s.p[i]) < 0)
            return false;
        v = v << 4 | (unsigned)hex(s.p[i]);
    }
    *out = v;
    return s.n == 16;
}

/* unescape - in place of out; false for what escape never writes. */
static bool unescape(struct str s, struct buf *out)
{
    buf_reset(out);
    if (str_eq(s, STR("%")))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_byte(out, s.p[i]);
            continue;
        }
        if (s.n - i < 3 || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
            return false;
        buf_byte(out, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
        i += 2;
    }
    return !buf_failed(out);
}

/* take_line - false: it is not whole, or no line of ours. */
static bool take_line(struct wef_marks *m, struct str line, struct buf word[4])
{
    struct str check, w[6];
    uint64_t sum, hash;
    int64_t at;
    struct node_mark *n;
    char *bookmark;

    if (!str_split(&line, ' ', &check) || !hex_number(check, &sum) || sum != str_hash(line))
        return false;
    for (size_t i = 0; i < COUNT(w); i++)
        if (!str_split(&line, ' ', &w[i]))
            return false;
    if (line.n || !unescape(w[0], &word[0]) || !unescape(w[1], &word[1]) || !unescape(w[2], &word[2]) || !hex_number(w[3], &hash) || !str_i64(w[4], &at) ||
        !unescape(w[5], &word[3]) || !wef_bookmark_sound(buf_view(&word[3])))
        return false;
    n = take(m, buf_view(&word[0]), buf_view(&word[1]));
    bookmark = n ? strndup(word[3].p, word[3].n) : NULL;
    if (!bookmark)
        return false;
    free(n->mark.bookmark);
    n->mark.bookmark = bookmark;
    n->mark.hash = hash;
    n->mark.last_event = at;
    put_word(n->mark.version, buf_view(&word[2]));
    return true;
}

static void read_lines(struct wef_marks *m, struct str text, size_t *damaged)
{
    struct buf word[4];
    struct str line;

    for (size_t i = 0; i < COUNT(word); i++)
        buf_init(&word[i], 2 * WEF_BOOKMARK_MAX);
    while (str_split(&text, '\n', &line))
        if (line.n && !take_line(m, line, word))
            ++*damaged;
    for (size_t i = 0; i < COUNT(word); i++)
        buf_free(&word[i]);
}

/* --- the file --- */

/* rewrite - only what is alive, and the file open behind it. */
static int rewrite(struct wef_marks *m, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc, fd;

    buf_init(&b, FILE_MAX);
    for (struct node_mark *n = m->oldest; n; n = n->newer) {
        size_t before = b.n;

        if (n->mark.bookmark)
            put_line(&b, &n->mark);
        n->bytes = b.n - before;
    }
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for the bookmarks of Windows machines");
    rc = file_write_atomic(m->path, buf_view(&b), 0640, e);
    if (rc < 0)
        return rc;
    fd = open(m->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", m->path);
    if (m->fd >= 0)
        close(m->fd);
    m->fd = fd;
    m->size = m->alive = (int64_t)b.n;
    m->dirty = false;
    return 0;
}

int wef_marks_open(const char *path, struct wef_marks **out, size_t *damaged, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    struct wef_marks *m = calloc(1, sizeof *m);
    int rc = 0;

    *damaged = 0;
    if (!m)
        return err_set(e, -ENOMEM, "no memory for the bookmarks of Windows machines");
    pthread_mutex_init(&m->lock, NULL);
    m->fd = -1;
    snprintf(m->path, sizeof m->path, "%s", path);
    buf_init(&b, FILE_MAX);
    if (file_exists(path))
        rc = file_read(path, FILE_MAX - 1, &b, e);
    if (rc == 0) {
        read_lines(m, buf_view(&b), damaged);
        rc = rewrite(m, e);
    }
    if (rc < 0) {
        wef_marks_free(&m);
        return rc;
    }
    *out = m;
    return 0;
}

void wef_marks_free(struct wef_marks **out)
{
    struct wef_marks *m = *out;

    if (!m)
        return;
    for (struct node_mark *n = m->newest, *older; n; n = older) {
        older = n->older;
        mark_free(n);
    }
    if (m->fd >= 0)
        close(m->fd);
    pthread_mutex_destroy(&m->lock);
    free(m);
    *out = NULL;
}

/* append - the line of a mark behind the others; a short write is cut away again, so that the next line is whole. */
static int append(struct wef_marks *m, struct node_mark *n, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc;

    if (m->size > REWRITE_LEAST && m->size > REWRITE_TIMES * m->alive)
        return rewrite(m, e);
    buf_init(&b, 4 * WEF_BOOKMARK_MAX + KIB);
    put_line(&b, &n->mark);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for a bookmark");
    rc = file_write_all(m->fd, buf_view(&b), e);
    if (rc < 0) {
        if (ftruncate(m->fd, m->size) < 0)
            m->size = INT64_MAX / REWRITE_TIMES;   /* torn: all is written anew at the next one */
        return rc;
    }
    m->dirty = true;
    m->size += (int64_t)b.n;
    m->alive += (int64_t)b.n - (int64_t)n->bytes;
    n->bytes = b.n;
    return 0;
}

int wef_marks_move(struct wef_marks *m, const struct wef_move *to, struct err *e)
{
    char *bookmark = strndup(to->bookmark.p, to->bookmark.n), *before;
    struct node_mark *n;

    if (!bookmark)
        return err_set(e, -ENOMEM, "no memory for a bookmark");
    pthread_mutex_lock(&m->lock);
    n = take(m, to->machine, to->subscription);
    before = n ? n->mark.bookmark : bookmark;
    if (n) {
        n->mark.bookmark = bookmark;
        n->mark.hash = to->hash;
        n->mark.last_event = to->at;
        put_word(n->mark.version, to->version);
    }
    pthread_mutex_unlock(&m->lock);
    free(before);
    if (!n)
        return err_set(e, -E2BIG, "more than %d machines and subscriptions, or no memory", WEF_MARKS_MAX);
    /* Only the worker changes marks: it reads them without the lock, and the loop never waits for the disk. */
    return append(m, n, e);
}

int wef_marks_sync(struct wef_marks *m, struct err *e)
{
    int rc = 0;

    if (!m->dirty)
        return 0;
    if (fdatasync(m->fd) < 0)
        rc = err_sys(e, "could not write the bookmarks of Windows machines");
    else
        m->dirty = false;
    return rc;
}

struct str wef_marks_bookmark(struct wef_marks *m, struct str machine, struct str subscription, struct arena *a)
{
    struct str s = { NULL, 0 };
    const struct node_mark *n;

    pthread_mutex_lock(&m->lock);
    n = find(m, machine, subscription);
    if (n && n->mark.bookmark)
        s = arena_copy(a, str_c(n->mark.bookmark));
    pthread_mutex_unlock(&m->lock);
    return s;
}

bool wef_marks_repeated(struct wef_marks *m, struct str machine, struct str subscription, struct str bookmark, uint64_t hash)
{
    const struct node_mark *n;
    bool same;

    pthread_mutex_lock(&m->lock);
    n = find(m, machine, subscription);
    same = n && n->mark.bookmark && n->mark.hash == hash && str_eq(str_c(n->mark.bookmark), bookmark);
    pthread_mutex_unlock(&m->lock);
    return same;
}

static void see(struct wef_mark *k, const struct wef_sight *s)
{
    if (!k->first_seen)
        k->first_seen = s->at;
    if (s->version.n)
        put_word(k->version, s->version);
    put_word(k->address, s->address);
    switch (s->what) {
    case WEF_SEEN_ENUMERATE:
        k->enumerated = s->at;
        break;
    case WEF_SEEN_HEARTBEAT:
        k->heartbeat = s->at;
        k->ended = 0;
        break;
    case WEF_SEEN_EVENTS:
        k->heartbeat = k->last_event = s->at;
        k->events += s->events;
        k->foreign += s->foreign;
        k->ended = 0;
        break;
    case WEF_SEEN_REPEAT:
        k->heartbeat = s->at;
        k->repeated += s->events;
        break;
    case WEF_SEEN_END:
        k->ended = s->at;
        k->fault = s->fault;
        break;
    }
}

void wef_marks_see(struct wef_marks *m, const struct wef_sight *s)
{
    struct node_mark *n;

    pthread_mutex_lock(&m->lock);
    n = take(m, s->machine, s->subscription);
    if (n)
        see(&n->mark, s);
    pthread_mutex_unlock(&m->lock);
}

void wef_marks_each(struct wef_marks *m, size_t most, wef_marks_show *show, void *arg)
{
    pthread_mutex_lock(&m->lock);
    for (const struct node_mark *n = m->newest; n && most > 0; n = n->older, most--)
        show(arg, &n->mark);
    pthread_mutex_unlock(&m->lock);
}

size_t wef_marks_count(struct wef_marks *m)
{
    size_t n;

    pthread_mutex_lock(&m->lock);
    n = m->count;
    pthread_mutex_unlock(&m->lock);
    return n;
}
