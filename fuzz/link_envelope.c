/* link_envelope.c - a bundle of envelopes from another node, or from a file on a stick, or the card of a node. What is taken must be in
 * canonical form and write itself again to the same bytes. */
#include "desk/link/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void item_again(const struct link_item *i)
{
    AUTO_BUF struct buf b;
    char hash[LINK_HASH_TEXT];

    buf_init(&b, LINK_ENVELOPE_MAX + KIB);
    if (link_envelope_write(&i->envelope, &b, hash, NULL) < 0 || strcmp(hash, i->hash) != 0)
        abort();
    for (size_t k = 0; k < i->envelope.document_count; k++)
        if ((int64_t)i->content[k].n != i->envelope.document[k].size_bytes)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of((const char *)data, size);
    struct link_bundle b;
    struct link_item item;
    struct link_card card;

    if (link_card_read(in, &card, NULL) == 0)
        link_card_free(&card);
    if (link_bundle_read(in, &b, NULL) < 0) {
        /* The hash in the head keeps a fuzzer out of the lines: let it in by another door. */
        ptrdiff_t end = str_chr(in, '\n');
        char hash[LINK_HASH_TEXT];
        AUTO_BUF struct buf t;
        struct str rest = end < 0 ? in : str_cut(in, (size_t)end + 1);

        buf_init(&t, MIB);
        link_sha256_hex(rest, hash);
        buf_printf(&t, "{\"bundle\":{\"count\":1,\"created_at\":\"2026-01-01T00:00:00Z\",\"format\":\"saqshy-bundle-1\",\"from\":\"a\",\"have\":"
                       "{\"epoch\":1,\"hash\":\"" LINK_ZERO_HASH "\",\"sequence\":0},\"items_sha256\":\"%s\",\"to\":\"b\"},\"signature\":"
                       "{\"certificate\":\"" LINK_ZERO_HASH "\",\"value\":\"AAAA\"}}\n", hash);
        buf_str(&t, rest);
        if (buf_failed(&t))
            return 0;
        if (link_bundle_read(buf_view(&t), &b, NULL) < 0)
            abort();
        if (link_bundle_next(&b, &item, NULL) > 0) {
            item_again(&item);
            link_item_free(&item);
        }
        link_bundle_free(&b);
        return 0;
    }
    while (link_bundle_next(&b, &item, NULL) > 0) {
        item_again(&item);
        link_item_free(&item);
    }
    link_bundle_free(&b);
    return 0;
}
