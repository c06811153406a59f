/* ioc_set.c - enemy of the file of a set: any bytes behind a head whose sum is right. Whatever is opened can be asked. */
#include "base/file.h"
#include "ioc/layout.h"

#include <unistd.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    AUTO_BUF struct buf b = { 0 };
    struct ioc_set *s = NULL;
    struct ioc found[4];
    struct err e;

    if (!*path)
        snprintf(path, sizeof path, "/tmp/saqshy-fuzz-ioc-%d", (int)getpid());
    buf_init(&b, 4 * MIB);
    buf_put(&b, data, size);
    if (b.n >= sizeof(struct ioc_head)) {
        struct ioc_head *h = (struct ioc_head *)(void *)b.p;

        memcpy(h->magic, IOC_MAGIC, sizeof h->magic);
        h->size = b.n;
        h->sum = XXH3_64bits(b.p + IOC_SUMMED, b.n - IOC_SUMMED);
    }
    if (file_write_quick(path, buf_view(&b), &e) == 0 && ioc_open(path, &s, &e) == 0) {
        (void)ioc_find(s, IOC_IP, STR("203.0.113.7"), 0, found, COUNT(found));
        (void)ioc_find(s, IOC_URL, STR("http://evil.example/x"), 0, found, COUNT(found));
        ioc_close(&s);
    }
    unlink(path);
    return 0;
}
