/* whofile.c - see whofile.h. */
#include "base/whofile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_MAX 4096

struct file_head file_piece_of(int fd, uint64_t offset, size_t n)
{
    char bytes[PIECE_MAX];
    ssize_t got;

    n = min_size(n, sizeof bytes);
    if (offset < n)
        n = (size_t)offset;
    got = n ? pread(fd, bytes, n, (off_t)(offset - n)) : 0;
    return got > 0 ? (struct file_head){ (uint32_t)got, str_hash(str_of(bytes, (size_t)got)) } : (struct file_head){ 0, 0 };
}

struct file_head file_head_of(int fd, size_t most)
{
    char bytes[FILE_HEAD_MAX];
    ssize_t n = pread(fd, bytes, min_size(most, sizeof bytes), 0);

    return n > 0 ? (struct file_head){ (uint32_t)n, str_hash(str_of(bytes, (size_t)n)) } : (struct file_head){ 0, 0 };
}

bool file_head_same(int fd, const struct file_head *h)
{
    struct file_head now = file_head_of(fd, h->n);

    return h->n == 0 || (now.n == h->n && now.hash == h->hash);
}

int file_open_regular(const char *path, struct stat *st)
{
    struct stat link = { 0 };
    bool is_link = lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (is_link ? 0 : O_NOFOLLOW));
    bool foreign = fd >= 0 && is_link && link.st_uid != 0 && link.st_uid != geteuid();

    if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || (foreign && link.st_uid != st->st_uid))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool file_packed_name(const char *name)
{
    static const char *const ends[] = { ".gz", ".bz2", ".xz", ".zst", ".lz4", ".tmp", ".swp" };

    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(str_c(name), str_c(ends[i])))
            return true;
    return false;
}
