/* journal.c - enemy of the journal's readers: any bytes as a segment, met by verify, by a reader and by recovery.
 *
 * An odd first byte: the rest is the whole file. Else: the rest follows a sound head, so that frames are reached. */
#include "journal/internal.h"

#include <fcntl.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_file(const char *folder, const uint8_t *data, size_t size)
{
    char path[PATH_BYTES];
    struct buf b;
    int fd;

    buf_init(&b, 0);
    if (size && !(data[0] & 1)) {
        unsigned char chain[CHAIN_BYTES] = { 0 };

        buf_str(&b, STR("SQJRNL01"));
        buf_le64(&b, 1);
        buf_put(&b, chain, sizeof chain);
        buf_le64(&b, 0);
        buf_le64(&b, XXH3_64bits(b.p, b.n));
    }
    if (size)
        buf_put(&b, data + 1, size - 1);
    segment_path(folder, 1, path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || (b.n && write(fd, b.p, b.n) != (ssize_t)b.n))
        abort();
    close(fd);
    buf_free(&b);
}

static void read_all(const char *folder)
{
    struct journal_reader *r;
    struct event_batch batch;

    event_batch_init(&batch, 0);
    if (journal_reader_open(folder, 0, &r, NULL) < 0)
        abort();
    for (int i = 0; i < 100 && journal_reader_next(r, &batch, NULL, NULL) != 0; i++)
        continue;
    journal_reader_close(&r);
    event_batch_free(&batch);
}

static void remove_all(const char *folder)
{
    char path[PATH_BYTES];
    struct segments s;

    if (segments_list(folder, &s, NULL) < 0)
        abort();
    for (size_t i = 0; i < s.count; i++) {
        segment_path(folder, s.first_seq[i], path);
        unlink(path);
    }
    segments_free(&s);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i ? "LOCK" : "commit");
        unlink(path);
    }
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[64] = "/dev/shm/saqshy-fuzz-XXXXXX";
    struct journal_report report;
    struct journal *j;

    if (!mkdtemp(folder))
        return 0;
    put_file(folder, data, size);
    if (journal_verify(folder, &report, NULL, NULL, NULL) < 0)
        abort();
    if (journal_open(folder, 0, &j, NULL) == 0) {
        read_all(folder);
        journal_close(&j);
    }
    remove_all(folder);
    return 0;
}
