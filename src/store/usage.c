/* usage.c - where the bytes of the store go: by day and by kind of bytes, from the directories of the parts alone. */
#include "store/internal.h"

/* add - so many bytes of a kind, raw of them before compression (as many where nothing is compressed; 0 where the part does not say). */
static void add(struct store_usage *u, const char *kind, uint64_t bytes, uint64_t raw)
{
    size_t i = 0;

    while (i < u->kinds && strcmp(u->kind[i].name, kind) != 0)
        i++;
    if (i == COUNT(u->kind))
        i--;        /* a block of more kinds than there is room for: the last one has the rest */
    else if (i == u->kinds) {
        u->kinds++;
        snprintf(u->kind[i].name, sizeof u->kind[i].name, "%.40s", kind);
    }
    u->kind[i].bytes += bytes;
    u->kind[i].raw += raw;
}

/* blocks_usage - the kinds of one part's blocks. Another version of blocks tells its own kinds here, by name. */
static uint64_t blocks_usage(const struct part *p, struct store_usage *u)
{
    uint64_t told = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct block_entry *b = &p->block[i];
        uint64_t filter = (uint64_t)b->filter_lines * FILTER_LINE;

        add(u, "keys", b->keys_bytes, b->keys_raw);
        if (b->version == BLOCK_COLUMNS)
            add(u, "columns", b->payload_bytes, 0);
        else
            add(u, "payload", b->payload_bytes, b->payload_raw);
        add(u, "filter", filter, filter);
        told += b->keys_bytes + b->payload_bytes + filter;
        u->blocks++;
    }
    return told;
}

static int part_usage(const char *folder, const struct part_info *info, struct store_usage *u, struct err *e)
{
    struct part p;
    uint64_t told;
    int rc = part_open(folder, info, &p, e);

    if (rc == -ENOMEM)
        return rc;
    if (rc < 0) {       /* gone, damaged, or on a disk that is not mounted: its bytes are known, not what they are */
        add(u, "unknown", info->bytes, info->bytes);
        u->unknown_parts++;
        return 0;
    }
    told = blocks_usage(&p, u);
    add(u, "directory", info->bytes - (told < info->bytes ? told : info->bytes), info->bytes - (told < info->bytes ? told : info->bytes));
    part_close(&p);
    return 0;
}

int store_usage_read(const char *folder, struct store_usage *out, struct err *e)
{
    struct store_sum sum;
    struct manifest m;
    int rc;

    memset(out, 0, sizeof *out);
    rc = store_days(folder, &out->day, &out->days, &sum, e);
    if (rc < 0)
        return rc;
    manifest_init(&m);
    rc = search_snapshot(folder, &m, e);
    for (size_t i = 0; rc == 0 && i < m.count; i++) {
        out->parts++;
        out->events += m.part[i].events;
        out->bytes += m.part[i].bytes;
        rc = part_usage(folder, &m.part[i], out, e);
    }
    manifest_free(&m);
    if (rc < 0)
        store_usage_free(out);
    return rc;
}

void store_usage_free(struct store_usage *u)
{
    free(u->day);
    memset(u, 0, sizeof *u);
}
