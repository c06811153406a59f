/* commit.c - the shared page that says how far the journal is on disk, and wakes those who wait for more.
 *
 * A sequence lock: the writer makes the generation odd, writes, makes it even; a reader that saw an odd or a changed
 * generation reads again. Waiting is futex(2) on the generation, which works between processes and on read-only maps. */
#include "journal/internal.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

struct commit_page {
    char          magic[8];
    uint32_t      generation, pad;
    uint64_t      segment, offset, next_seq;
    unsigned char chain[CHAIN_BYTES];
    unsigned char rest[COMMIT_BYTES - 72];
};
static_assert(sizeof(struct commit_page) == COMMIT_BYTES, "the layout in internal.h");

struct commit_map {
    struct commit_page *page;
};

int commit_map_open(const char *folder, bool write, struct commit_map **out, struct err *e)
{
    char path[PATH_BYTES];
    AUTO_CLOSE int fd = -1;
    struct stat st;
    void *page;

    *out = NULL;
    snprintf(path, sizeof path, "%s/commit", folder);
    fd = open(path, write ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (write && ftruncate(fd, COMMIT_BYTES) < 0)
        return err_sys(e, "could not size \"%s\"", path);
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)COMMIT_BYTES)
        return err_set(e, -ENOENT, "\"%s\" is not ready", path);
    page = mmap(NULL, COMMIT_BYTES, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return err_sys(e, "could not map \"%s\"", path);
    *out = malloc(sizeof **out);
    if (!*out) {
        munmap(page, COMMIT_BYTES);
        return err_set(e, -ENOMEM, "no memory to map \"%s\"", path);
    }
    (*out)->page = page;
    return 0;
}

void commit_map_close(struct commit_map **m)
{
    if (!*m)
        return;
    munmap((*m)->page, COMMIT_BYTES);
    free(*m);
    *m = NULL;
}

struct commit_point commit_map_read(const struct commit_map *m)
{
    const struct commit_page *p = m->page;
    struct commit_point c = { 0 };

    /* A writer that died between its two steps leaves the generation odd until the next one repairs it: give up then. */
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t g = __atomic_load_n(&p->generation, __ATOMIC_ACQUIRE);

        if (g & 1) {
            poll(NULL, 0, tries > 100 ? 1 : 0);
            continue;
        }
        c.valid = memcmp(p->magic, "SQCMMT01", 8) == 0;
        c.segment = __atomic_load_n(&p->segment, __ATOMIC_RELAXED);
        c.offset = __atomic_load_n(&p->offset, __ATOMIC_RELAXED);
        c.next_seq = __atomic_load_n(&p->next_seq, __ATOMIC_RELAXED);
        memcpy(c.chain, p->chain, CHAIN_BYTES);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&p->generation, __ATOMIC_RELAXED) == g)
            return c;
    }
    c.valid = false;
    return c;
}

void commit_map_write(struct commit_map *m, const struct commit_point *c)
{
    struct commit_page *p = m->page;
    uint32_t g = __atomic_load_n(&p->generation, __ATOMIC_RELAXED) | 1;

    __atomic_store_n(&p->generation, g, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(p->magic, "SQCMMT01", 8);
    __atomic_store_n(&p->segment, c->segment, __ATOMIC_RELAXED);
    __atomic_store_n(&p->offset, c->offset, __ATOMIC_RELAXED);
    __atomic_store_n(&p->next_seq, c->next_seq, __ATOMIC_RELAXED);
    memcpy(p->chain, c->chain, CHAIN_BYTES);
    __atomic_store_n(&p->generation, g + 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &p->generation, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void commit_map_wait(const struct commit_map *m, uint64_t seen_next_seq, int timeout_ms)
{
    uint32_t g = __atomic_load_n(&m->page->generation, __ATOMIC_ACQUIRE);
    struct commit_point c = commit_map_read(m);
    struct timespec t = { timeout_ms / 1000, timeout_ms % 1000 * NS_PER_MS };

    if ((c.valid && c.next_seq > seen_next_seq) || timeout_ms <= 0)
        return;
    if (g & 1) {
        poll(NULL, 0, timeout_ms < 20 ? timeout_ms : 20);
        return;
    }
    syscall(SYS_futex, &m->page->generation, FUTEX_WAIT, g, &t, NULL, 0);
}
