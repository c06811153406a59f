/* backup_list.c - enemy of the list of a backup, which lies on a disk that others may write: any bytes, as they stand and with an end that fits. No path may lead out of the folder. */
#include "backup/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct str bytes)
{
    struct listing l;
    struct err e;

    if (listing_decode(bytes, &l, &e) == 0)
        for (size_t i = 0; i < l.count; i++) {
            struct str rest = str_c(l.item[i].path), step;

            while (str_split(&rest, '/', &step))
                assert(step.n && !str_eq(step, STR("..")) && !str_eq(step, STR(".")));
        }
    listing_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    judge(str_of((const char *)data, size));
    buf_put(&b, data, size);
    buf_printf(&b, "end %016llx\n", (unsigned long long)str_hash(str_of((const char *)data, size)));
    judge(buf_view(&b));
    return 0;
}
