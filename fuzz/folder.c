/* folder.c - watched folders: a list of positions and a file as they may come. A list gives only files that it could have been written of; a file, plain or compressed,
 * is read to an end in whole parts, whatever is in it. The first byte says which. */
#include "ingest/folder.h"

#include <sys/mman.h>
#include <unistd.h>

static void list(struct str text)
{
    struct folder_files *t = folder_files_new();

    if (!t)
        return;
    (void)folder_lines_read(t, text, 1000);
    for (const struct folder_file *f = folder_files_first(t); f; f = f->next)
        if (f->path[0] != '/' || f->offset > INT64_MAX || f->head.n > FILE_HEAD_MAX)
            abort();
    folder_files_free(&t);
}

/* parts - all of them, each as the decoder will walk it. */
static void parts(struct str bytes, const char *path, size_t most)
{
    AUTO_BUF struct buf body = { 0 };
    AUTO_CLOSE int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct folder_conf c = { .quiet_s = 0 };
    struct folder_file f = { .number = 1, .path = (char *)(uintptr_t)path, .packed = folder_packed(path), .size = bytes.n, .fd = -1 };
    struct folder_reader *r = NULL;
    struct folder_place to;
    struct err e;
    bool end = false;
    int rc = 1;

    if (fd < 0 || (bytes.n && write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) || folder_reader_new(&r, &e) < 0)
        return;
    buf_init(&body, 8 * MIB);
    for (int i = 0; i < 4096 && rc > 0 && !end; i++) {
        buf_reset(&body);
        rc = folder_read(r, &f, fd, &c, most, &body, &to, &end, &e);
        for (size_t at = 0; rc > 0 && at < body.n;) {
            const unsigned char *b = (const unsigned char *)body.p + at;
            uint32_t n = (b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24) >> 1;

            if (body.n - at < 4 || body.n - at - 4 < n || n == 0)
                abort();
            at += 4 + n;
        }
        if (rc > 0 && to.offset <= f.offset)
            abort();      /* a part brings it forward */
        if (rc > 0)
            folder_file_take(&f, &to);
    }
    folder_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "/a.log", "/a.log.gz", "/a.log.zst" };
    struct str rest = str_of((const char *)data + 1, size ? size - 1 : 0);

    if (size == 0)
        return 0;
    if (data[0] == 'L')
        list(rest);
    else
        parts(rest, paths[data[0] % COUNT(paths)], data[0] & 0x40 ? 64 : FOLDER_PART_MAX);
    return 0;
}
