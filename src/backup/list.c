/* list.c - BACKUP: which files a copy has. Lines: "saqshy-backup 1"; facts; one a file, "SHA256 BYTES MODE CHANGED INODE PATH"; "end CHECK", the XXH3 of all before. */
#include "backup/internal.h"

#include <inttypes.h>

#define STEPS_BYTES_MAX 2000u   /* of a path below the folder; no file of a node lies so deep */

void listing_init(struct listing *l) { memset(l, 0, sizeof *l); }

void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->item[i].path);
    free(l->item);
    listing_init(l);
}

int listing_add(struct listing *l, const struct entry *x, const char *path, struct err *e)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 256;
        struct entry *more = realloc(l->item, cap * sizeof *more);

        if (!more)
            return err_set(e, -ENOMEM, "no memory for the list of a backup");
        l->item = more;
        l->cap = cap;
    }
    l->item[l->count] = *x;
    l->item[l->count].path = strdup(path);
    if (!l->item[l->count].path)
        return err_set(e, -ENOMEM, "no memory for the list of a backup");
    l->count++;
    return 0;
}

static int by_path(const void *a, const void *b) { return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path); }

void listing_sort(struct listing *l)
{
    if (l->count)
        qsort(l->item, l->count, sizeof *l->item, by_path);
}

const struct entry *listing_find(const struct listing *l, const char *path)
{
    struct entry want = { .path = (char *)(uintptr_t)path };

    return l->count ? bsearch(&want, l->item, l->count, sizeof *l->item, by_path) : NULL;
}

/* --- writing --- */

/* put_path - bytes up to the space, '%' and DEL as %xx. */
static void put_path(struct buf *b, const char *path)
{
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if (*p <= ' ' || *p == '%' || *p == 127)
            buf_printf(b, "%%%02x", *p);
        else
            buf_byte(b, (char)*p);
}

int listing_write(const char *target, struct listing *l, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[PATH_BYTES], at[TIME_TEXT_MAX];

    buf_init(&b, LIST_BYTES_MAX);
    listing_sort(l);
    l->facts.files = l->count;
    l->facts.bytes = 0;
    for (size_t i = 0; i < l->count; i++)
        l->facts.bytes += l->item[i].bytes;
    buf_printf(&b, "saqshy-backup 1\nat=%s keys=%d store=%" PRIu64 " journal=%" PRIu64 " acknowledged=%" PRIu64 " origin=%s\n", time_format_utc(l->facts.at, at), l->facts.keys,
               l->facts.store_next_seq, l->facts.journal_next_seq, l->facts.acknowledged_seq, *l->origin ? l->origin : "-");
    for (size_t i = 0; i < l->count; i++) {
        const struct entry *x = &l->item[i];

        buf_printf(&b, "%s %" PRIu64 " %u %" PRId64 " %" PRIu64 " ", x->sha, x->bytes, x->mode & 07777u, x->changed, x->inode);
        put_path(&b, x->path);
        buf_byte(&b, '\n');
    }
    if (!buf_failed(&b))
        buf_printf(&b, "end %016" PRIx64 "\n", str_hash(buf_view(&b)));
    snprintf(path, sizeof path, "%.4000s/BACKUP", target);
    return buf_failed(&b) ? err_set(e, -ENOMEM, "no memory for the list of a backup") : file_write_atomic(path, buf_view(&b), 0640, e);
}

/* --- reading --- */

static bool take_number(struct str *rest, const char *name, uint64_t *out)
{
    struct str word, key;

    return str_split(rest, ' ', &word) && str_split(&word, '=', &key) && str_eq(key, str_c(name)) && str_u64(word, out);
}

static bool is_sha(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == SHA_HEX;
}

static bool take_facts(struct str line, struct listing *l)
{
    struct str at, origin;
    uint64_t keys;

    if (!str_split(&line, ' ', &at) || !str_starts(at, STR("at=")) || time_parse_rfc3339(str_cut(at, 3), &l->facts.at, NULL, NULL) < 0 || !take_number(&line, "keys", &keys) ||
        !take_number(&line, "store", &l->facts.store_next_seq) || !take_number(&line, "journal", &l->facts.journal_next_seq) ||
        !take_number(&line, "acknowledged", &l->facts.acknowledged_seq) || !str_split(&line, ' ', &origin) || !str_starts(origin, STR("origin=")))
        return false;
    l->facts.keys = keys != 0;
    origin = str_cut(origin, 7);
    if (is_sha(origin))
        snprintf(l->origin, sizeof l->origin, "%.*s", (int)SHA_HEX, origin.p);
    return is_sha(origin) || str_eq(origin, STR("-"));
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* take_path - a path below the folder: no empty step, none that leads out of it. */
static bool take_path(struct str s, char out[PATH_BYTES])
{
    struct str rest, step;
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        int high, low;

        if (n == STEPS_BYTES_MAX)
            return false;
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
            return false;       /* put_path never leaves them; a NUL would hide the rest of the path */
        if (s.p[i] != '%') {
            out[n++] = s.p[i];
            continue;
        }
        high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
        low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    out[n] = 0;
    rest = str_of(out, n);
    while (str_split(&rest, '/', &step))
        if (step.n == 0 || str_eq(step, STR(".")) || str_eq(step, STR("..")) || step.n > 255)
            return false;
    return n > 0;
}

static bool take_entry(struct str line, struct entry *x, char path[PATH_BYTES])
{
    struct str sha, bytes, mode, changed, inode;
    uint64_t bits;

    memset(x, 0, sizeof *x);
    if (!str_split(&line, ' ', &sha) || !str_split(&line, ' ', &bytes) || !str_split(&line, ' ', &mode) || !str_split(&line, ' ', &changed) || !str_split(&line, ' ', &inode))
        return false;
    if (!is_sha(sha) || !str_u64(bytes, &x->bytes) || x->bytes > INT64_MAX || !str_u64(mode, &bits) || bits > 07777 || !str_i64(changed, &x->changed) || !str_u64(inode, &x->inode))
        return false;
    x->mode = (unsigned)bits;
    snprintf(x->sha, sizeof x->sha, "%.*s", (int)SHA_HEX, sha.p);
    return take_path(line, path);
}

int listing_decode(struct str bytes, struct listing *l, struct err *e)
{
    struct str rest = bytes, line;
    char path[PATH_BYTES], check[32];
    struct entry x;
    int rc = 0;

    listing_init(l);
    if (!str_split(&rest, '\n', &line) || !str_starts(line, STR("saqshy-backup ")))
        return err_set(e, -EBADMSG, "BACKUP is no list of a backup");
    if (!str_eq(line, STR("saqshy-backup 1")))
        return err_set(e, -EBADMSG, "BACKUP is of a newer version");
    if (!str_split(&rest, '\n', &line) || !take_facts(line, l))
        return err_set(e, -EBADMSG, "BACKUP says no facts");
    while (rc == 0 && str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR("end "))) {
            snprintf(check, sizeof check, "end %016" PRIx64, str_hash(str_of(bytes.p, (size_t)(line.p - bytes.p))));
            if (!str_eq(line, str_c(check)) || rest.n || !rest.p)
                break;
            for (size_t i = 1; i < l->count; i++)
                if (by_path(&l->item[i - 1], &l->item[i]) >= 0)
                    return err_set(e, -EBADMSG, "BACKUP is not in order");
            l->facts.files = l->count;
            for (size_t i = 0; i < l->count; i++)
                l->facts.bytes += l->item[i].bytes;
            return 0;
        }
        rc = take_entry(line, &x, path) ? listing_add(l, &x, path, e) : err_set(e, -EBADMSG, "BACKUP: line %zu makes no sense", l->count + 3);
    }
    return rc < 0 ? rc : err_set(e, -EBADMSG, "BACKUP is torn or damaged");
}

int listing_read(const char *target, struct listing *l, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[PATH_BYTES];
    int rc;

    listing_init(l);
    buf_init(&b, 0);
    snprintf(path, sizeof path, "%.4000s/BACKUP", target);
    rc = file_read(path, LIST_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = listing_decode(buf_view(&b), l, e);
    if (rc < 0)
        listing_free(l);
    return rc;
}
