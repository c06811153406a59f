/* origins.c - the last number taken from each sender that numbers its batches: a hash table by id. */
#include "journal/internal.h"

static struct origin_row *find(const struct origins *o, struct str id)
{
    if (!o->cap)
        return NULL;
    size_t at = str_hash(id) & (o->cap - 1);

    while (o->slot[at]) {
        struct origin_row *r = &o->row[o->slot[at] - 1];

        if (str_eq(str_of(r->id, r->id_bytes), id))
            return r;
        at = (at + 1) & (o->cap - 1);
    }
    return NULL;
}

static int grow(struct origins *o)
{
    size_t cap = o->cap ? o->cap * 2 : 64;
    uint32_t *slot = calloc(cap, sizeof *slot);
    struct origin_row *row = slot ? realloc(o->row, cap / 2 * sizeof *row) : NULL;

    if (!row) {
        free(slot);
        return -ENOMEM;
    }
    o->row = row;
    for (size_t i = 0; i < o->count; i++) {
        size_t at = str_hash(str_of(row[i].id, row[i].id_bytes)) & (cap - 1);

        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = (uint32_t)i + 1;
    }
    free(o->slot);
    o->slot = slot;
    o->cap = cap;
    return 0;
}

int origins_put(struct origins *o, struct str id, uint64_t seq)
{
    struct origin_row *r = find(o, id);

    if (r) {
        r->seq = seq;
        return 0;
    }
    if (id.n > JOURNAL_ORIGIN_ID_MAX || o->count >= JOURNAL_ORIGINS_MAX)
        return -E2BIG;
    if (o->count * 2 >= o->cap && grow(o) < 0)
        return -ENOMEM;
    char *copy = malloc(id.n + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, id.p, id.n);
    o->row[o->count++] = (struct origin_row){ copy, (uint32_t)id.n, seq };
    size_t at = str_hash(id) & (o->cap - 1);
    while (o->slot[at])
        at = (at + 1) & (o->cap - 1);
    o->slot[at] = (uint32_t)o->count;
    return 0;
}

uint64_t origins_get(const struct origins *o, struct str id)
{
    const struct origin_row *r = find(o, id);

    return r ? r->seq : 0;
}

void origins_write(const struct origins *o, struct buf *out)
{
    for (size_t i = 0; i < o->count; i++) {
        buf_varstr(out, str_of(o->row[i].id, o->row[i].id_bytes));
        buf_varint(out, o->row[i].seq);
    }
}

int origins_read(struct origins *o, struct str table)
{
    struct reader r = rd_str(table);

    while (rd_ok(&r) && rd_left(&r)) {
        struct str id = rd_varstr(&r, JOURNAL_ORIGIN_ID_MAX, "an origin id");
        uint64_t seq = rd_varint(&r);
        int rc = rd_ok(&r) ? origins_put(o, id, seq) : 0;

        if (rc < 0)
            return rc;
    }
    return rd_ok(&r) ? 0 : -EBADMSG;
}

void origins_free(struct origins *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->row[i].id);
    free(o->row);
    free(o->slot);
    *o = (struct origins){ 0 };
}
