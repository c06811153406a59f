/* store_manifest.c - enemy of the manifest's reader: any bytes, then the same with the checksum they would need. What is taken is written
 * back and must be the same. */
#include "store/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(struct str bytes)
{
    struct manifest m, again;
    struct buf b;

    if (manifest_decode(bytes, &m, NULL) < 0)
        return;
    buf_init(&b, 0);
    manifest_encode(&m, &b);
    if (manifest_decode(buf_view(&b), &again, NULL) < 0 || again.count != m.count || again.next_seq != m.next_seq)
        abort();
    manifest_free(&again);
    manifest_free(&m);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;

    one(str_of((const char *)data, size));
    buf_init(&b, 0);
    buf_put(&b, data, size);
    buf_le64(&b, str_hash(str_of((const char *)data, size)));
    one(buf_view(&b));
    buf_free(&b);
    return 0;
}
