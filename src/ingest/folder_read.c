/* folder_read.c - parts of files: whole lines from a position on, of plain and of compressed files; see folder.h.
 *
 * A compressed file is unpacked from its beginning, however far we were: its position is one of the text inside. The reader keeps where it is in one such file,
 * so that the next part goes on there; another file, or the same after a restart, is unpacked anew and passed over up to its position. */
#include "ingest/folder.h"
#include "base/log.h"
#include "base/unpack.h"
#include "parse/edges.h"

#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES   (256u * KIB)
#define LINE_BYTES   (1u * MIB)        /* EVENT_ORIGINAL_MAX: longer ones in pieces */

struct folder_reader {
    char        *bytes;                /* LINE_BYTES + READ_BYTES: what is looked at */
    /* of the packed file that is being read */
    uint32_t     file;                 /* its number; 0: none */
    struct unpack *unpack;
    struct buf   raw, plain;           /* plain begins at plain_at */
    struct str   left;                 /* of raw: not yet unpacked */
    uint64_t     file_at, plain_at;
    bool         broken;
    enum encoding encoding;            /* of its text; ENCODING_DETECT: not seen yet */
};

bool folder_packed(const char *path) { return str_ends(str_c(path), STR(".gz")) || str_ends(str_c(path), STR(".zst")); }

int folder_reader_new(struct folder_reader **out, struct err *e)
{
    struct folder_reader *r = calloc(1, sizeof *r);

    if (r)
        r->bytes = malloc(LINE_BYTES + READ_BYTES);
    if (!r || !r->bytes) {
        free(r);
        return err_set(e, -ENOMEM, "no memory to read files");
    }
    buf_init(&r->raw, 2 * READ_BYTES);
    buf_init(&r->plain, 8 * MIB);
    *out = r;
    return 0;
}

static void end_packed(struct folder_reader *r)
{
    unpack_free(&r->unpack);
    r->file = 0;
    r->left = (struct str){ NULL, 0 };
    r->file_at = r->plain_at = 0;
    r->broken = false;
    r->encoding = ENCODING_DETECT;
    buf_reset(&r->raw);
    buf_reset(&r->plain);
}

void folder_reader_free(struct folder_reader **r)
{
    if (!*r)
        return;
    end_packed(*r);
    buf_free(&(*r)->raw);
    buf_free(&(*r)->plain);
    free((*r)->bytes);
    free(*r);
    *r = NULL;
}

void folder_reader_forget(struct folder_reader *r, const struct folder_file *f)
{
    if (r->file == f->number)
        end_packed(r);
}

/* --- unpacking --- */

static int begin_packed(struct folder_reader *r, const struct folder_file *f, struct err *e)
{
    int rc;

    end_packed(r);
    rc = unpack_new(str_ends(str_c(f->path), STR(".zst")) ? PACKING_ZSTD : PACKING_GZIP, UNPACK_WINDOW_FILE, &r->unpack, e);
    if (rc == 0)
        r->file = f->number;
    return rc;
}

/* refill - more packed bytes. False: the file has no more now. */
static bool refill(struct folder_reader *r, int fd)
{
    ssize_t n;

    if (r->left.n)
        return true;
    buf_reset(&r->raw);
    n = buf_room(&r->raw, READ_BYTES) ? pread(fd, r->raw.p, READ_BYTES, (off_t)r->file_at) : -1;
    if (n <= 0)
        return false;
    r->raw.n = (size_t)n;
    r->left = buf_view(&r->raw);
    r->file_at += (uint64_t)n;
    return true;
}

/* step - some packed bytes become plain ones. False: broken. */
static bool step(struct folder_reader *r)
{
    char *to = buf_room(&r->plain, READ_BYTES);
    ssize_t made = to ? unpack_step(r->unpack, &r->left, to, READ_BYTES) : -1;

    if (made < 0)
        return false;
    r->plain.n += (size_t)made;
    return r->plain_at + r->plain.n < FOLDER_RATIO_FROM || (r->plain_at + r->plain.n) / FOLDER_RATIO_MAX < r->file_at;
}

/* unpack_to - plain bytes from the offset on, want of them, or as many as there are. */
static void unpack_to(struct folder_reader *r, int fd, uint64_t offset, size_t want)
{
    while (!r->broken) {
        if (r->encoding == ENCODING_DETECT && r->plain.n >= 2)
            r->encoding = encoding_of_file(str_of(r->plain.p, min_size(r->plain.n, 64)));
        if (r->plain_at < offset) {          /* passed over */
            size_t over = (size_t)(offset - r->plain_at < r->plain.n ? offset - r->plain_at : r->plain.n);

            buf_drop(&r->plain, over);
            r->plain_at += over;
        }
        if ((r->plain_at == offset && r->plain.n >= want) || !refill(r, fd))
            return;
        r->broken = !step(r);
    }
}

/* --- lines --- */

struct cutting {
    struct buf    *body;
    struct str     starts[RECORD_STARTS_MAX];     /* how a record begins; none: each line is one */
    size_t         start_count;
    enum encoding  encoding;
    size_t         lines, bytes, at;   /* at: taken of the text */
    bool           inside;
    size_t         edge_n, edge_at, edge_lines;   /* where no audit event is open */
    struct edges   open;
};

static void put(struct cutting *c, struct str line, bool cut)
{
    if (c->encoding != ENCODING_UTF16LE && c->encoding != ENCODING_UTF16BE && line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return;
    buf_le32(c->body, (uint32_t)line.n << 1 | (cut || c->inside));
    buf_str(c->body, line);
    c->lines++;
    c->bytes += line.n;
}

/* next_text - the next whole line, or record of several. */
static bool next_text(const struct cutting *c, struct str *rest, struct str *text)
{
    if (c->start_count == 0 || c->inside)
        return encoding_line(c->encoding, rest, text);
    return record_next(c->starts, c->start_count, c->encoding, rest, text);
}

/* without_end - a record that no other follows, or a line without an end. */
static struct str without_end(const struct cutting *c, struct str s)
{
    struct str rest = s, line = { NULL, 0 };

    while (encoding_line(c->encoding, &rest, &line))
        ;
    return rest.n || line.p == NULL ? s : str_of(s.p, (size_t)(line.p + line.n - s.p));
}

/* cut_lines - whole lines of the text, up to most bytes. more: the file goes on behind it. last: what is left without an end is a line, too. */
static void cut_lines(struct cutting *c, struct str text, size_t most, bool more, bool last)
{
    struct str rest = text, line;

    while (c->bytes < most && c->lines < FOLDER_LINES_MAX && next_text(c, &rest, &line)) {
        put(c, line, false);
        c->inside = false;
        c->at = text.n - rest.n;
        edges_line(&c->open, line, 0);
        if (!edges_open(&c->open)) {
            c->edge_n = c->body->n;
            c->edge_at = c->at;
            c->edge_lines = c->lines;
        }
    }
    if (c->at == 0 && text.n >= LINE_BYTES) {            /* one line that is too long: a piece of it */
        put(c, str_of(text.p, LINE_BYTES), true);
        c->at = LINE_BYTES;
        c->inside = true;
        return;
    }
    if (last && c->bytes < most && c->lines < FOLDER_LINES_MAX && rest.n) {
        put(c, without_end(c, rest), false);
        c->inside = false;
        c->at = text.n;
        return;
    }
    /* Records of one audit event stay together: they wait for the rest, unless the file is quiet, or one event fills the part. */
    if (edges_open(&c->open) && !last && (c->edge_at || !(more || rest.n))) {
        c->body->n = c->edge_n;
        c->at = c->edge_at;
        c->lines = c->edge_lines;
    }
}

/* tail_of - what stands before the position: of plain files by the file itself. */
static struct file_head tail_of(const struct folder_file *f, int fd, uint64_t offset)
{
    return f->packed ? (struct file_head){ 0, 0 } : file_piece_of(fd, offset, FOLDER_TAIL);
}

static bool quiet(const struct folder_file *f, const struct folder_conf *c) { return clock_steady() - f->grown >= c->quiet_s * NS_PER_SECOND; }

static int finish(struct cutting *c, const struct folder_file *f, int fd, struct folder_place *to, struct err *e)
{
    if (buf_failed(c->body))
        return err_set(e, -ENOMEM, "no memory for a part of a file");
    *to = (struct folder_place){ .offset = f->offset + c->at, .tail = tail_of(f, fd, f->offset + c->at), .inside = c->inside };
    return c->at > 0;
}

static enum encoding encoding_at(int fd)
{
    char head[64];
    ssize_t n = pread(fd, head, sizeof head, 0);

    return encoding_of_file(str_of(head, n > 0 ? (size_t)n : 0));
}

static int read_plain(struct folder_reader *r, const struct folder_file *f, int fd, const struct folder_conf *c, size_t most, struct cutting *cut, bool *end)
{
    size_t want = min_size(most + READ_BYTES, LINE_BYTES + READ_BYTES), n = 0;
    ssize_t got = 1;

    while (n < want && got > 0) {
        got = pread(fd, r->bytes + n, want - n, (off_t)(f->offset + n));
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return -EIO;
    cut->encoding = encoding_at(fd);
    cut_lines(cut, str_of(r->bytes, n), most, n == want, n < want && quiet(f, c));
    if (cut->at == 0 && n == want && n < LINE_BYTES) {   /* most was less than one line */
        got = pread(fd, r->bytes, LINE_BYTES, (off_t)f->offset);
        n = got > 0 ? (size_t)got : 0;
        cut_lines(cut, str_of(r->bytes, n), most, true, false);
    }
    *end = n < want && f->offset + cut->at >= f->size;
    return 0;
}

/* tell_broken - a compressed file that cannot be read to its end: told once, what came before is kept. */
static void tell_broken(struct folder_file *f, const char *why)
{
    if (!f->told)
        log_line(LOG_ERROR, "a compressed file is damaged: what stands before the damage was read", "file.path", f->path, "error.message", why, NULL);
    f->failed = f->told = true;
}

static int read_packed(struct folder_reader *r, struct folder_file *f, int fd, const struct folder_conf *c, size_t most, struct cutting *cut, bool *end, struct err *e)
{
    bool last;
    int rc = 0;

    if (!quiet(f, c))
        return 0;
    if (r->file != f->number || r->plain_at > f->offset)
        rc = begin_packed(r, f, e);
    if (rc < 0)
        return rc;
    unpack_to(r, fd, f->offset, max_size(most + READ_BYTES, LINE_BYTES + 1));
    last = r->broken || (unpack_whole(r->unpack) && r->left.n == 0 && r->file_at >= f->size);
    if (r->plain_at == f->offset && r->plain.n) {
        cut->encoding = r->encoding == ENCODING_DETECT ? ENCODING_UTF8 : r->encoding;
        cut_lines(cut, buf_view(&r->plain), most, r->file_at < f->size, last);
    }
    *end = cut->at == r->plain.n && (last || r->file_at >= f->size);
    if (r->broken && *end)
        tell_broken(f, "the bytes are not those of its kind, or unpack to a thousand times as many");
    return 0;
}

int folder_read(struct folder_reader *r, struct folder_file *f, int fd, const struct folder_conf *c, size_t most, struct buf *body, struct folder_place *to, bool *end,
                struct err *e)
{
    struct cutting cut = { .body = body, .inside = f->inside, .encoding = ENCODING_UTF8 };
    struct str rest = str_c(c->records);
    int rc;

    while (rest.n && cut.start_count < RECORD_STARTS_MAX && str_split(&rest, '|', &cut.starts[cut.start_count]))
        cut.start_count++;
    *end = false;
    rc = f->packed ? read_packed(r, f, fd, c, most, &cut, end, e) : read_plain(r, f, fd, c, most, &cut, end);
    if (rc == -EIO)
        return err_sys(e, "could not read \"%s\"", f->path);
    return rc < 0 ? rc : finish(&cut, f, fd, to, e);
}
