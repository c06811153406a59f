/* hunt.c - files are read, unpacked if need be, and cut into pieces; see hunt.h and hunt_internal.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unpack.h"
#include "detect/hunt_internal.h"
#include "parse/join.h"

#define READ_BYTES (256u * KIB)

/* One file while it is read: a window of bytes that grows at its end and is dropped at its head. */
struct source {
    struct hunt   *hunt;
    const char    *path;
    int            fd;
    struct unpack *unpack;   /* NULL: the bytes are plain */
    struct buf     packed;
    size_t         packed_at;
    bool           packed_end;
    struct buf     window;
    size_t         at;       /* first byte not used */
    bool           end;
    uint64_t       record;   /* the last one */
    time_ns        received;
    struct piece  *piece;    /* being filled, or NULL */
    enum piece_kind kind;
};

int hunt_new(const struct sigma *rules, const char *content, unsigned workers, struct hunt **out, struct err *e)
{
    struct hunt *h = calloc(1, sizeof *h);
    int rc;

    *out = NULL;
    if (!h)
        return err_set(e, -ENOMEM, "no memory to hunt");
    h->rules = rules;
    rc = parse_new(content, 0, &h->parser, e);
    if (rc < 0) {
        free(h);
        return rc;
    }
    rc = pool_start(h, content, workers, e);
    if (rc < 0)
        hunt_free(&h);
    *out = h;
    return rc;
}

void hunt_free(struct hunt **hp)
{
    struct hunt *h = *hp;

    if (!h)
        return;
    pool_stop(h);
    parse_free(&h->parser);
    free(h);
    *hp = NULL;
}

void hunt_tell(struct hunt *h, const struct hunt_listener *to) { h->to = *to; }

int hunt_end(struct hunt *h, struct hunt_stats *stats, struct err *e)
{
    int rc = pool_tell(h, true, e);

    *stats = h->stats;
    return rc;
}

/* --- reading --- */

static int read_some(struct source *s, struct buf *to, bool *end, struct err *e)
{
    char *room = buf_room(to, READ_BYTES);
    ssize_t n;

    if (!room)
        return err_set(e, -E2BIG, "record %llu is longer than %u bytes", (unsigned long long)s->record + 1, HUNT_VALUE_MAX);
    do
        n = read(s->fd, room, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "could not read \"%s\"", s->path);
    to->n += (size_t)n;
    *end = n == 0;
    return 0;
}

/* more_unpacked - some plain bytes out of packed ones. */
static int more_unpacked(struct source *s, struct err *e)
{
    char *room = buf_room(&s->window, READ_BYTES);

    if (!room)
        return err_set(e, -E2BIG, "record %llu is longer than %u bytes", (unsigned long long)s->record + 1, HUNT_VALUE_MAX);
    for (;;) {
        struct str packed = str_cut(buf_view(&s->packed), s->packed_at);
        ssize_t n = unpack_step(s->unpack, &packed, room, READ_BYTES);

        s->packed_at = s->packed.n - packed.n;
        if (n < 0)
            return err_set(e, (int)n, "\"%s\" is damaged: its compressed bytes cannot be read", s->path);
        s->window.n += (size_t)n;
        if (n > 0)
            return 0;
        if (packed.n == 0 && s->packed_end) {
            s->end = true;
            return unpack_whole(s->unpack) ? 0 : err_set(e, -EBADMSG, "\"%s\" ends within its compressed bytes", s->path);
        }
        buf_drop(&s->packed, s->packed_at);
        s->packed_at = 0;
        int rc = read_some(s, &s->packed, &s->packed_end, e);
        if (rc < 0)
            return rc;
    }
}

/* more - read on; what was used is dropped. */
static int more(struct source *s, struct err *e)
{
    if (s->at > 0) {
        buf_drop(&s->window, s->at);
        s->at = 0;
    }
    return s->unpack ? more_unpacked(s, e) : read_some(s, &s->window, &s->end, e);
}

/* --- pieces --- */

static int put(struct source *s, struct err *e)
{
    struct piece *p = s->piece;

    s->piece = NULL;
    return p ? pool_put(s->hunt, e) : 0;
}

static int add(struct source *s, struct str text, uint64_t record, bool cut, bool split, struct err *e)
{
    int rc = s->piece ? 0 : pool_piece(s->hunt, &s->piece, e);

    if (rc < 0)
        return rc;
    s->piece->kind = s->kind;
    s->piece->path = s->path;
    s->piece->received = s->received;
    if (piece_add(s->piece, text, record, cut, split) < 0)
        return err_set(e, -ENOMEM, "no memory for a record of \"%s\"", s->path);
    return piece_full(s->piece) ? put(s, e) : 0;
}

/* complain - a record that does not even come to a worker: what is before it is told first. */
static int complain(struct source *s, const char *why, struct err *e)
{
    int rc = put(s, e);

    if (rc == 0)
        rc = pool_tell(s->hunt, true, e);
    s->hunt->stats.broken++;
    s->hunt->to.say(s->hunt->to.arg, s->path, s->record, why);
    return rc;
}

/* --- JSON --- */

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* value_end - the end of the JSON object that starts at s->at, reading on as needed. 0 when the file ends before it does. */
static int value_end(struct source *s, size_t *end, struct err *e)
{
    size_t i = s->at, depth = 0;
    bool text = false, escaped = false;

    for (;;) {
        for (; i < s->window.n; i++) {
            char c = s->window.p[i];

            if (escaped)
                escaped = false;
            else if (text && c == '\\')
                escaped = true;
            else if (c == '"')
                text = !text;
            else if (!text && (c == '{' || c == '['))
                depth++;
            else if (!text && (c == '}' || c == ']') && --depth == 0) {
                *end = i + 1;
                return 1;
            }
        }
        if (s->end)
            return 0;
        size_t offset = i - s->at;
        int rc = more(s, e);
        if (rc < 0)
            return rc;
        i = s->at + offset;
    }
}

/* json_file - values in a row; around them blanks, commas and the brackets of one array are skipped. */
static int json_file(struct source *s, struct err *e)
{
    int rc = 0;

    s->kind = PIECE_VALUES;
    while (rc >= 0) {
        size_t end = 0;

        while (s->at < s->window.n && s->window.p[s->at] != '{')
            s->at++;
        if (s->at == s->window.n) {
            if (s->end)
                return 0;
            rc = more(s, e);
            continue;
        }
        rc = value_end(s, &end, e);
        s->record++;
        if (rc == 0)
            return complain(s, "the file ends within this value", e);
        if (rc > 0) {
            rc = add(s, str_of(s->window.p + s->at, end - s->at), s->record, false, false, e);
            s->at = end;
        }
    }
    return rc;
}

/* --- lines --- */

/* next_line - without its newline; a longer one than EVENT_ORIGINAL_MAX is cut, the rest of it passed over. 0 at the end. */
static int next_line(struct source *s, struct str *line, bool *cut, struct err *e)
{
    bool passing = false;

    for (;;) {
        struct str rest = str_of(s->window.p + s->at, s->window.n - s->at);
        ptrdiff_t n = str_chr(rest, '\n');

        if (n >= 0 || (s->end && rest.n)) {
            size_t len = n >= 0 ? (size_t)n : rest.n;

            s->at += len + (n >= 0);
            if (passing) {
                passing = false;
                continue;
            }
            *cut = len > EVENT_ORIGINAL_MAX;
            *line = str_of(rest.p, min_size(len, EVENT_ORIGINAL_MAX));
            if (line->n && line->p[line->n - 1] == '\r')
                line->n--;
            return 1;
        }
        if (s->end)
            return 0;
        if (rest.n > HUNT_VALUE_MAX / 2) {   /* no line: what is there is told as one, the rest of it dropped */
            s->at = s->window.n;
            if (!passing) {
                *cut = true;
                *line = str_of(rest.p, EVENT_ORIGINAL_MAX);
                return 1;
            }
        }
        int rc = more(s, e);
        if (rc < 0)
            return rc;
    }
}

/* add_joined - the records of audit events that are whole; record is the number of the first line. */
static int add_joined(struct source *s, struct join *join, struct err *e)
{
    struct joined j;
    int rc = 0;

    while (rc == 0 && join_next(join, &j))
        rc = add(s, j.text, j.first, false, j.split, e);
    return rc;
}

static int joining_lines(struct source *s, struct join *join, struct err *e)
{
    struct str line;
    bool cut = false;
    int rc;

    while ((rc = next_line(s, &line, &cut, e)) > 0) {
        s->record++;
        if (str_trim(line).n == 0)
            continue;
        if (!cut && join_kind(line) >= JOIN_PART) {
            rc = join_add(join, STR(""), line, s->record, 0, e);
            if (rc == 0)
                rc = add_joined(s, join, e);
        } else {
            rc = add(s, line, s->record, cut, false, e);
        }
        if (rc < 0)
            return rc;
    }
    join_flush(join);
    return rc < 0 ? rc : add_joined(s, join, e);
}

static int line_file(struct source *s, struct err *e)
{
    struct join *join;
    int rc = join_new(&join, e);

    s->kind = PIECE_LINES;
    if (rc == 0) {
        rc = joining_lines(s, join, e);
        join_free(&join);
    }
    return rc;
}

/* --- event logs --- */

/* stands - n bytes in the window, or all that the file still has. */
static int stands(struct source *s, size_t n, struct err *e)
{
    int rc = 0;

    while (rc == 0 && s->window.n - s->at < n && !s->end)
        rc = more(s, e);
    return rc;
}

static int evtx_file(struct source *s, struct err *e)
{
    uint64_t start = evtx_start(buf_view(&s->window));
    int rc = stands(s, start, e);

    s->kind = PIECE_CHUNK;
    s->at = min_size(start, s->window.n);
    while (rc == 0 && (rc = stands(s, EVTX_CHUNK_BYTES, e)) == 0 && s->at < s->window.n) {
        size_t n = min_size(EVTX_CHUNK_BYTES, s->window.n - s->at);

        rc = add(s, str_of(s->window.p + s->at, n), 0, false, false, e);
        s->at += n;
    }
    return rc;
}

/* --- what a file is --- */

/* is_json - an object, or an array of objects. "[Mon Mar 19 …" of web servers is a line. */
static bool is_json(struct str s)
{
    while (s.n && (blank(*s.p) || str_starts(s, STR("\xef\xbb\xbf"))))
        s = str_cut(s, blank(*s.p) ? 1 : 3);
    if (s.n && *s.p == '[') {
        s = str_trim(str_cut(s, 1));
        return s.n && *s.p == '{';
    }
    return s.n && *s.p == '{';
}

/* open_packing - gzip or zstd around it. */
static int open_packing(struct source *s, struct err *e)
{
    enum packing packing = packing_of(buf_view(&s->window));
    int rc;

    if (packing == PACKING_NONE)
        return 0;
    rc = unpack_new(packing, UNPACK_WINDOW_FILE, &s->unpack, e);
    if (rc == 0) {
        buf_str(&s->packed, buf_view(&s->window));
        s->packed_end = s->end;
        s->end = false;
        buf_reset(&s->window);
        rc = more(s, e);
    }
    return rc;
}

static int one_file(struct source *s, struct err *e)
{
    int rc = more(s, e);

    if (rc == 0)
        rc = open_packing(s, e);
    if (rc == 0)
        rc = stands(s, EVTX_HEAD_BYTES + 8, e);
    if (rc == 0 && str_starts(buf_view(&s->window), STR("PK\x03\x04")))
        return err_set(e, -EPROTONOSUPPORT, "\"%s\" is a zip file, which hunt does not read: unpack it", s->path);
    if (rc == 0)
        rc = evtx_looks(buf_view(&s->window)) ? evtx_file(s, e) : is_json(buf_view(&s->window)) ? json_file(s, e) : line_file(s, e);
    return rc < 0 ? rc : put(s, e);
}

int hunt_file(struct hunt *h, const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct source s = { .hunt = h, .path = path, .fd = fd, .received = clock_now() };
    struct err later;
    struct stat st;
    int rc;

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtim.tv_sec < s.received / NS_PER_SECOND)
        s.received = st.st_mtim.tv_sec * NS_PER_SECOND;   /* lines without a year are older than their file */
    buf_init(&s.window, HUNT_VALUE_MAX + READ_BYTES);
    buf_init(&s.packed, 2 * READ_BYTES);
    rc = one_file(&s, e);
    if (rc < 0)
        (void)!put(&s, &later);   /* what was read before counts */
    unpack_free(&s.unpack);
    buf_free(&s.window);
    buf_free(&s.packed);
    return rc < 0 ? rc : 0;
}
