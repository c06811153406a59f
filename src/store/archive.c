/* archive.c - older parts on another disk. FOLDER/archive is a link to it, so whoever reads a part needs no other setting. Both sides bear an id in a file:
 * a disk that is not mounted leaves an empty folder behind, and nothing may be written there, or taken for lost.
 *
 * Moving: copy to pN.part.copy -> fsync -> its bytes read again from the disk and compared by SHA-256 -> rename -> fsync of the folders -> MANIFEST -> the
 * first file goes. Whoever dies in between leaves the part where the manifest says; the other file goes when the next writer opens. */
#include "store/internal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "base/file.h"

#define ID_BYTES 16u

static int id_read(const char *folder, char out[2 * ID_BYTES + 1])
{
    char path[PATH_BYTES];
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    snprintf(path, sizeof path, "%.4000s/" ARCHIVE_ID, folder);
    if (file_read(path, 256, &b, NULL) < 0)
        return -ENOENT;
    struct str id = str_trim(buf_view(&b));
    if (id.n != 2 * ID_BYTES)
        return -EBADMSG;
    snprintf(out, 2 * ID_BYTES + 1, "%.*s", STR_ARG(id));
    return 0;
}

static int id_write(const char *folder, const char *id, struct err *e)
{
    char path[PATH_BYTES], line[2 * ID_BYTES + 2];

    snprintf(path, sizeof path, "%.4000s/" ARCHIVE_ID, folder);
    snprintf(line, sizeof line, "%s\n", id);
    return file_write_atomic(path, str_c(line), 0640, e);
}

bool archive_sound(const char *folder)
{
    char link[PATH_BYTES], ours[2 * ID_BYTES + 1], theirs[2 * ID_BYTES + 1];

    snprintf(link, sizeof link, "%.4000s/" ARCHIVE_NAME, folder);
    return id_read(folder, ours) == 0 && id_read(link, theirs) == 0 && strcmp(ours, theirs) == 0;
}

static size_t archived(const struct store *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->manifest.count; i++)
        n += s->manifest.part[i].place == PLACE_ARCHIVE;
    return n;
}

/* link_to - FOLDER/archive leads to target, in one step. */
static int link_to(const struct store *s, const char *target, struct err *e)
{
    char path[PATH_BYTES], fresh[PATH_BYTES], now[PATH_BYTES];
    ssize_t n;

    snprintf(path, sizeof path, "%.4000s/" ARCHIVE_NAME, s->folder);
    snprintf(fresh, sizeof fresh, "%.4000s/" ARCHIVE_NAME ".new", s->folder);
    n = readlink(path, now, sizeof now - 1);
    now[n > 0 ? n : 0] = 0;
    if (strcmp(now, target) == 0)
        return 0;
    unlink(fresh);
    if (symlink(target, fresh) < 0)
        return err_sys(e, "could not make the link \"%s\"", fresh);
    if (rename(fresh, path) < 0)
        return err_sys(e, "could not name the archive \"%s\"", path);
    return file_sync_dir(s->folder, e);
}

int store_archive_set(struct store *s, const char *folder, struct err *e)
{
    char ours[2 * ID_BYTES + 1], theirs[2 * ID_BYTES + 1];
    unsigned char raw[ID_BYTES];
    int rc = id_read(s->folder, ours), other;

    if (rc == -EBADMSG)
        return err_set(e, rc, "\"%s/" ARCHIVE_ID "\" is damaged", s->folder);
    if (rc == -ENOENT) {
        if (RAND_bytes(raw, sizeof raw) != 1)
            return err_set(e, -EIO, "could not draw an id for the archive");
        hex_of(raw, sizeof raw, ours);
        rc = id_write(s->folder, ours, e);
        if (rc < 0)
            return rc;
    }
    other = id_read(folder, theirs);
    if (other == 0 && strcmp(ours, theirs) != 0)
        return err_set(e, -EINVAL, "\"%s\" is the archive of another store", folder);
    if (other < 0 && archived(s))
        return err_set(e, -EBUSY, "%zu parts lie in the archive, and \"%s\" is not it: is the disk mounted? An archive moves with all its files", archived(s), folder);
    if (other < 0) {
        rc = file_mkdirs(folder, 0750, e);
        if (rc == 0)
            rc = id_write(folder, ours, e);
        if (rc < 0)
            return rc;
    }
    return link_to(s, folder, e);
}

/* --- moving --- */

/* sha_is - all bytes of fd, read from the start, have the part's checksum; to, if not below zero, gets a copy of them. */
static int sha_is(int fd, int to, const struct part_info *p, struct err *e)
{
    AUTO_FREE char *bytes = malloc(MIB);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char sha[SHA_BYTES];
    unsigned n = SHA_BYTES;
    uint64_t total = 0;
    ssize_t got = 0;
    int rc = !bytes || !c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ? err_set(e, -ENOMEM, "no memory to move a part") : 0;

    while (rc == 0 && (got = pread(fd, bytes, MIB, (off_t)total)) > 0) {
        total += (uint64_t)got;
        if (EVP_DigestUpdate(c, bytes, (size_t)got) != 1)
            rc = err_set(e, -ENOMEM, "no memory to move a part");
        if (rc == 0 && to >= 0)
            rc = file_write_all(to, str_of(bytes, (size_t)got), e);
    }
    if (rc == 0 && got < 0)
        rc = errno == EIO ? err_set(e, -EBADMSG, "the disk cannot read a part at %llu", (unsigned long long)total) : err_sys(e, "could not read a part");
    if (rc == 0 && (EVP_DigestFinal_ex(c, sha, &n) != 1 || total != p->bytes || memcmp(sha, p->sha, SHA_BYTES) != 0))
        rc = err_set(e, -EBADMSG, "its bytes are not those that were sealed (SHA-256)");
    EVP_MD_CTX_free(c);
    return rc;
}

/* copy_checked - the part's file at to, whole and on disk, or nothing there. */
static int copy_checked(const char *from, const char *to, const struct part_info *p, struct err *e)
{
    AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int out = -1;
    char copy[PATH_BYTES];
    int rc = 0;

    if (in < 0)
        return err_sys(e, "could not open \"%s\"", from);
    snprintf(copy, sizeof copy, "%.4000s.copy", to);
    out = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (out < 0)
        return err_sys(e, "could not make \"%s\"", copy);
    rc = sha_is(in, out, p, e);
    if (rc == 0 && fsync(out) < 0)
        rc = err_sys(e, "could not sync \"%s\"", copy);
    if (rc == 0) {
        (void)posix_fadvise(out, 0, 0, POSIX_FADV_DONTNEED);     /* what is read again comes from the disk */
        rc = sha_is(out, -1, p, e);
    }
    if (rc == 0 && rename(copy, to) < 0)
        rc = err_sys(e, "could not name \"%s\"", to);
    if (rc < 0)
        unlink(copy);
    (void)posix_fadvise(in, 0, 0, POSIX_FADV_DONTNEED);
    return rc < 0 ? err_wrap(e, rc, "moving \"%s\"", from) : 0;
}

static bool unsound(const struct store *s, const struct part_info *p)
{
    for (size_t i = 0; i < s->unsound_count; i++)
        if (s->unsound[i].day == p->day && s->unsound[i].number == p->number)
            return true;
    return false;
}

static int move_part(struct store *s, const struct part_info *from, struct err *e)
{
    struct part_info to = *from;
    char a[PATH_BYTES], b[PATH_BYTES], folder[PATH_BYTES], root[PATH_BYTES];
    AUTO_BUF struct buf none;
    struct manifest next;
    int rc;

    buf_init(&none, 0);
    to.place = PLACE_ARCHIVE;
    part_file(s->folder, from, a);
    part_file(s->folder, &to, b);
    part_folder(s->folder, &to, folder);
    snprintf(root, sizeof root, "%.4000s/" ARCHIVE_NAME, s->folder);
    rc = file_mkdirs(folder, 0750, e);
    if (rc == 0)
        rc = copy_checked(a, b, from, e);
    if (rc == 0)
        rc = file_sync_dir(folder, e);
    if (rc == 0)
        rc = file_sync_dir(root, e);
    if (rc < 0)
        return rc;
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory to move a part");
    manifest_remove(&next, from->day, from->number);
    rc = manifest_add(&next, &to);
    if (rc < 0) {
        manifest_free(&next);
        return err_set(e, rc, "no memory to move a part");
    }
    return store_commit(s, &next, &none, from, 1, e);
}

int store_archive_move(struct store *s, const struct store_policy *p, time_ns now, uint64_t *bytes, struct err *e)
{
    *bytes = 0;
    if (s->broken)
        return err_set(e, -EIO, "the store takes nothing more: an earlier write failed half-way");
    for (size_t i = 0; i < s->manifest.count && s->manifest.part[i].day < day_of(now) - p->fast_days; i++) {
        struct part_info from = s->manifest.part[i];
        int rc;

        if (from.place != PLACE_FAST || unsound(s, &from))
            continue;
        if (!archive_sound(s->folder))
            return err_set(e, -ENOTCONN, "the archive is not there: is its disk mounted?");
        rc = move_part(s, &from, e);
        if (rc == -EBADMSG && s->unsound_count < COUNT(s->unsound))
            s->unsound[s->unsound_count++] = from;      /* evidence: it stays where it is */
        if (rc == 0)
            *bytes = from.bytes;
        return rc < 0 ? rc : 1;
    }
    return 0;
}

/* --- what there is --- */

static void count_part(struct store_sum *sum, struct store_day *d, const struct part_info *p)
{
    bool away = p->place == PLACE_ARCHIVE;

    d->parts++;
    d->events += p->events;
    d->bytes += p->bytes;
    d->archived_parts += away;
    d->archived_bytes += away ? p->bytes : 0;
    sum->parts++;
    sum->events += p->events;
    sum->bytes += p->bytes;
    sum->archived_parts += away;
    sum->archived_bytes += away ? p->bytes : 0;
    sum->oldest = sum->oldest == INT32_MIN ? p->day : sum->oldest;
    sum->newest = p->day;
    if (away)
        sum->archive_newest = p->day;
    else if (sum->fast_oldest == INT32_MIN)
        sum->fast_oldest = p->day;
}

int store_days(const char *folder, struct store_day **list, size_t *count, struct store_sum *sum, struct err *e)
{
    struct manifest m;
    char path[PATH_BYTES];
    struct stat st;
    int rc;

    *list = NULL;
    *count = 0;
    *sum = (struct store_sum){ .oldest = INT32_MIN, .newest = INT32_MIN, .fast_oldest = INT32_MIN, .archive_newest = INT32_MIN };
    manifest_init(&m);
    rc = search_snapshot(folder, &m, e);
    if (rc < 0)
        return rc;
    *list = calloc(m.count + 1, sizeof **list);
    if (!*list) {
        manifest_free(&m);
        return err_set(e, -ENOMEM, "no memory for the days of the store");
    }
    for (size_t i = 0; i < m.count; i++) {
        if (!*count || (*list)[*count - 1].day != m.part[i].day)
            (*list)[(*count)++].day = m.part[i].day;
        count_part(sum, &(*list)[*count - 1], &m.part[i]);
    }
    manifest_free(&m);
    snprintf(path, sizeof path, "%.4000s/" ARCHIVE_NAME, folder);
    sum->archive = lstat(path, &st) == 0;
    sum->archive_there = archive_sound(folder);
    return 0;
}
