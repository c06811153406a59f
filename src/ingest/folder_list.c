/* folder_list.c - the table of files as it is on disk; see folder.h.
 *
 * The list DATA/inputs/folder-ID is text that is only appended to, and written anew when it is opened or has grown to four times of what is alive:
 *
 *     CHECK NUMBER FILE INODE HEAD_N HEAD TAIL_N TAIL OFFSET FLAGS PATH       a file, as it is once the part NUMBER is in the journal
 *     CHECK NUMBER void                                                       that part never happened
 *     CHECK 0 FILE gone                                                       the file is forgotten
 *
 * CHECK is XXH3 of the rest of the line; HEAD and TAIL are hashes of the first bytes and of those before OFFSET; FLAGS are 'i' (inside a line that is too long),
 * 'x' (broken), '-'. PATH is escaped as %xx. The last line of a file counts whose number the journal has reached;
 * NUMBER 0 is no part, and always counts. */
#include "ingest/folder_files.h"
#include "base/file.h"
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#define LIST_MAX      (512u * MIB)
#define REWRITE_LEAST (1 * INT64_C(1048576))

static void put_path(struct buf *b, const char *path)
{
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c > ' ' && *c != '%' && *c != 127)
            buf_byte(b, *c);
        else
            buf_printf(b, "%%%02x", (unsigned char)*c);
    }
}

static void put_line(struct buf *b, struct str rest)
{
    buf_printf(b, "%016llx ", (unsigned long long)str_hash(rest));
    buf_str(b, rest);
    buf_byte(b, '\n');
}

static void put_file(struct buf *b, const struct folder_file *f, const struct folder_place *to, uint64_t number)
{
    AUTO_BUF struct buf line = { 0 };

    buf_init(&line, 4 * FOLDER_PATH_MAX);
    buf_printf(&line, "%llu %u %llu %u %016llx %u %016llx %llu %s%s- ", (unsigned long long)number, f->number, (unsigned long long)f->ino, f->head.n,
               (unsigned long long)f->head.hash, to->tail.n, (unsigned long long)to->tail.hash, (unsigned long long)to->offset, to->inside ? "i" : "",
               f->failed ? "x" : "");
    put_path(&line, f->path);
    put_line(b, buf_view(&line));
    b->failed = b->failed || line.failed;
}

static bool get_hex(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (d < 0)
            return false;
        v = v << 4 | (unsigned)d;
    }
    *out = v;
    return s.n == 16;
}

static bool get_path(struct str s, char out[FOLDER_PATH_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < s.n && n + 1 < FOLDER_PATH_MAX; i++) {
        uint64_t v = 0;
        char wide[17] = "00000000000000";

        if (s.p[i] != '%') {
            out[n++] = s.p[i];
            continue;
        }
        if (s.n - i < 3)
            return false;
        wide[14] = s.p[i + 1];
        wide[15] = s.p[i + 2];
        if (!get_hex(str_of(wide, 16), &v) || v == 0)
            return false;
        out[n++] = (char)v;
        i += 2;
    }
    out[n] = 0;
    return n > 0 && out[0] == '/';
}

/* take_words - what stands behind NUMBER FILE in the line of a file. */
static bool take_words(struct folder_files *t, uint64_t file, struct str line)
{
    struct str w[8];
    uint64_t n[6];
    char path[FOLDER_PATH_MAX];
    struct folder_file *f;

    for (size_t i = 0; i < COUNT(w); i++)
        if (!str_split(&line, ' ', &w[i]))
            return false;
    if (line.n || file == 0 || file > UINT32_MAX || !str_u64(w[0], &n[0]) || !str_u64(w[1], &n[1]) || !get_hex(w[2], &n[2]) || !str_u64(w[3], &n[3]) ||
        !get_hex(w[4], &n[4]) || !str_u64(w[5], &n[5]) || n[1] > FILE_HEAD_MAX || n[3] > FOLDER_TAIL || n[5] > INT64_MAX || !get_path(w[7], path))
        return false;
    f = folder_table_find(t, file);
    if (f)
        folder_table_rename(t, f, path, (ino_t)n[0]);
    else if ((f = folder_table_add(t, path, (ino_t)n[0])) == NULL)
        return true;      /* there are too many, which is told elsewhere */
    folder_table_number(t, f, (uint32_t)file);
    t->last = f->number > t->last ? f->number : t->last;
    f->head = (struct file_head){ (uint32_t)n[1], n[2] };
    f->tail = (struct file_head){ (uint32_t)n[3], n[4] };
    f->offset = n[5];
    f->inside = str_chr(w[6], 'i') >= 0;
    f->failed = f->told = str_chr(w[6], 'x') >= 0;
    return true;
}

/* take_line - one line; parts that never happened are passed over. False: damaged. */
static bool take_line(struct folder_files *t, struct str line, uint64_t last, const uint64_t *voids, size_t void_count)
{
    struct str check, word;
    uint64_t sum, number, file;

    if (!str_split(&line, ' ', &check) || !get_hex(check, &sum) || sum != str_hash(line) || !str_split(&line, ' ', &word) || !str_u64(word, &number))
        return false;
    if (str_eq(line, STR("void")))
        return true;
    for (size_t i = void_count; i-- > 0;)
        if (voids[i] == number)
            return true;
    if (number > last)
        return true;
    if (!str_split(&line, ' ', &word) || !str_u64(word, &file))
        return false;
    if (str_eq(line, STR("gone"))) {
        struct folder_file *f = folder_table_find(t, file);

        if (f)
            folder_table_drop(t, f);
        return true;
    }
    return take_words(t, file, line);
}

/* voided - the numbers of parts that never happened. Returns how many, at most most. */
static size_t voided(struct str text, uint64_t *out, size_t most)
{
    struct str line, check, number;
    size_t n = 0;

    while (n < most && str_split(&text, '\n', &line))
        if (str_ends(line, STR(" void")) && str_split(&line, ' ', &check) && str_split(&line, ' ', &number) && str_u64(number, &out[n]))
            n++;
    return n;
}

size_t folder_lines_read(struct folder_files *t, struct str text, uint64_t last)
{
    enum { VOIDS = 65536 };
    AUTO_FREE uint64_t *voids = calloc(VOIDS, sizeof *voids);
    size_t n = voids ? voided(text, voids, VOIDS) : 0, damaged = 0;
    struct str line;

    while (str_split(&text, '\n', &line))
        damaged += line.n && !take_line(t, line, last, voids, n);
    return damaged;
}

/* append - lines behind the others. */
static int append(struct folder_files *t, struct str lines, bool sync, struct err *e)
{
    int rc;

    if (t->fd < 0)
        return 0;
    rc = file_write_all(t->fd, lines, e);
    if (rc == 0)
        t->size += (int64_t)lines.n;
    else if (ftruncate(t->fd, t->size) < 0)
        log_line(LOG_ERROR, "could not cut a torn line away", "file.path", t->path, NULL);
    if (rc == 0 && sync && fdatasync(t->fd) < 0)
        rc = err_sys(e, "could not write \"%s\"", t->path);
    return rc;
}

static int rewrite(struct folder_files *t, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc, fd;

    buf_init(&b, LIST_MAX);
    for (const struct folder_file *f = t->first; f; f = f->next)
        put_file(&b, f, &(struct folder_place){ f->offset, f->tail, f->inside }, 0);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for the positions of files");
    rc = file_write_atomic(t->path, buf_view(&b), 0640, e);
    fd = rc == 0 ? open(t->path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (rc == 0 && fd < 0)
        rc = err_sys(e, "could not open \"%s\"", t->path);
    if (rc < 0)
        return rc;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = fd;
    t->size = t->alive = (int64_t)b.n;
    return 0;
}

int folder_files_open(const char *path, uint64_t last, struct folder_files **out, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    struct folder_files *t = folder_files_new();
    size_t damaged = 0;
    int rc = 0;

    if (!t)
        return err_set(e, -ENOMEM, "no memory for the positions of files");
    snprintf(t->path, sizeof t->path, "%s", path);
    buf_init(&b, LIST_MAX);
    t->fresh = !file_exists(path);
    if (!t->fresh)
        rc = file_read(path, LIST_MAX - 1, &b, e);
    if (rc == 0)
        damaged = folder_lines_read(t, buf_view(&b), last);
    if (rc == 0)
        rc = rewrite(t, e);
    if (rc < 0) {
        folder_files_free(&t);
        return rc;
    }
    if (damaged)
        log_line(LOG_WARN, "lines of the positions of files are damaged and were passed over: some of a file may be read again", "file.path", path, NULL);
    *out = t;
    return 0;
}

int folder_files_intend(struct folder_files *t, const struct folder_file *f, const struct folder_place *to, uint64_t number, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };

    if (t->size > REWRITE_LEAST && t->size > 4 * t->alive) {
        int rc = rewrite(t, e);

        if (rc < 0)
            return rc;
    }
    buf_init(&b, 8 * FOLDER_PATH_MAX);
    put_file(&b, f, to, number);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for a position");
    return append(t, buf_view(&b), true, e);
}

int folder_files_void(struct folder_files *t, uint64_t number, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    char rest[40];

    buf_init(&b, KIB);
    snprintf(rest, sizeof rest, "%llu void", (unsigned long long)number);
    put_line(&b, str_c(rest));
    return append(t, buf_view(&b), true, e);
}

void folder_list_remember(struct folder_files *t, const struct folder_file *f)
{
    AUTO_BUF struct buf b = { 0 };
    struct err e = { 0 };

    buf_init(&b, 8 * FOLDER_PATH_MAX);
    put_file(&b, f, &(struct folder_place){ f->offset, f->tail, f->inside }, 0);
    if (append(t, buf_view(&b), false, &e) < 0)
        log_line(LOG_WARN, "could not keep the position of a file", "file.path", f->path, "error.message", e.text, NULL);
}

int folder_list_gone(struct folder_files *t, const struct folder_file *f)
{
    AUTO_BUF struct buf b = { 0 };
    char rest[60];

    buf_init(&b, KIB);
    snprintf(rest, sizeof rest, "0 %u gone", f->number);
    put_line(&b, str_c(rest));
    return append(t, buf_view(&b), false, NULL);
}
