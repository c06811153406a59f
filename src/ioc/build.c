/* build.c - indicators become the file of a set; the layout is in layout.h. */
#include <stdlib.h>

#include <xxhash.h>

#include "base/file.h"
#include "ioc/internal.h"
#include "ioc/layout.h"

#define TEXTS_MAX    (UINT64_C(4) << 30)
#define BLOOM_LOAD   32u      /* values a block of 512 bits: one of some hundred that are not there passes */

struct item {
    struct ioc_record r;
    uint32_t          order;      /* the later one counts */
};

struct ioc_build {
    struct item     *items;
    size_t           count, cap;
    struct buf       texts;
    char           (*sources)[IOC_NAME_BYTES];
    size_t           source_count;
    struct warnings *warnings;
};

int ioc_build_new(struct ioc_build **out, struct err *e)
{
    struct ioc_build *b = calloc(1, sizeof *b);

    if (b)
        b->sources = calloc(IOC_SOURCES_MAX, sizeof *b->sources);
    if (!b || !b->sources || warnings_new(&b->warnings, NULL) < 0) {
        if (b)
            free(b->sources);
        free(b);
        return err_set(e, -ENOMEM, "no memory for indicators");
    }
    buf_init(&b->texts, TEXTS_MAX);
    *out = b;
    return 0;
}

void ioc_build_free(struct ioc_build **b)
{
    if (!*b)
        return;
    free((*b)->items);
    free((*b)->sources);
    buf_free(&(*b)->texts);
    warnings_free(&(*b)->warnings);
    free(*b);
    *b = NULL;
}

int ioc_build_warnings(struct ioc_build *b, struct str json, struct err *e) { return warnings_add(b->warnings, json, e); }

/* source_of - its number; -1: past the limit. */
static int source_of(struct ioc_build *b, struct str name)
{
    name.n = min_size(name.n, IOC_SOURCE_MAX);
    for (size_t i = b->source_count; i-- > 0;)
        if (str_eq(str_c(b->sources[i]), name))
            return (int)i;
    if (b->source_count == IOC_SOURCES_MAX)
        return -1;
    if (name.n)
        memcpy(b->sources[b->source_count], name.p, name.n);
    return (int)b->source_count++;
}

static void put_text(struct buf *b, struct str s, size_t most)
{
    s.n = min_size(s.n, most);
    buf_byte(b, (char)(s.n & 0xff));
    buf_byte(b, (char)(s.n >> 8));
    buf_str(b, s);
}

int ioc_build_add(struct ioc_build *b, const struct ioc *i, struct err *e)
{
    int source = source_of(b, i->source);
    struct item *one;

    if (source < 0)
        return err_set(e, -E2BIG, "a set has at most %u sources", IOC_SOURCES_MAX);
    if (b->count == IOC_MAX)
        return err_set(e, -E2BIG, "a set has at most %u indicators", IOC_MAX);
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 4096;
        struct item *items = realloc(b->items, cap * sizeof *items);

        if (!items)
            return err_set(e, -ENOMEM, "no memory for indicators");
        b->items = items;
        b->cap = cap;
    }
    one = &b->items[b->count];
    *one = (struct item){ .r = { .text = b->texts.n, .from = i->from, .until = i->until, .source = (uint16_t)source, .type = (uint8_t)i->type, .tlp = (uint8_t)i->tlp,
                                 .confidence = i->confidence }, .order = (uint32_t)b->count };
    put_text(&b->texts, i->value, IOC_VALUE_MAX);
    put_text(&b->texts, i->id, IOC_NOTE_MAX);
    put_text(&b->texts, i->note, IOC_NOTE_MAX);
    if (buf_failed(&b->texts))
        return err_set(e, -ENOMEM, "no memory for indicators");
    b->count++;
    return 0;
}

static struct str value_of(const struct ioc_build *b, const struct item *i)
{
    const unsigned char *p = (const unsigned char *)b->texts.p + i->r.text;

    return str_of((const char *)p + 2, (size_t)(p[0] | p[1] << 8));
}

static int by_value(const void *x, const void *y, void *build)
{
    const struct item *a = x, *b = y;
    int order = (a->r.type > b->r.type) - (a->r.type < b->r.type);

    if (order == 0)
        order = str_cmp(value_of(build, a), value_of(build, b));
    if (order == 0)
        order = (a->r.source > b->r.source) - (a->r.source < b->r.source);
    return order ? order : (a->order < b->order) - (a->order > b->order);
}

/* one_each - sorted; of equal ones the last that was added. */
static void one_each(struct ioc_build *b)
{
    size_t kept = 0;

    if (b->count)
        qsort_r(b->items, b->count, sizeof *b->items, by_value, b);
    for (size_t i = 0; i < b->count; i++) {
        const struct item *last = kept ? &b->items[kept - 1] : NULL;

        if (last && last->r.type == b->items[i].r.type && last->r.source == b->items[i].r.source && str_eq(value_of(b, last), value_of(b, &b->items[i])))
            continue;
        b->items[kept++] = b->items[i];
    }
    b->count = kept;
}

/* The file while it is made. */
struct image {
    struct buf       out;
    struct ioc_head *head;
    uint64_t        *bloom, *slots;
};

static size_t image_size(const struct ioc_build *b, const struct ioc_head *h)
{
    return sizeof *h + (size_t)h->bloom_blocks * 64 + ((size_t)8 << h->slots_log2) + b->count * sizeof(struct ioc_record) +
           ((size_t)h->sources + h->warnings) * IOC_NAME_BYTES + b->texts.n;
}

static bool image_begin(const struct ioc_build *b, struct image *m)
{
    struct ioc_head h = { .magic = IOC_MAGIC, .count = (uint32_t)b->count, .slots_log2 = 4, .bloom_blocks = (uint32_t)(b->count / BLOOM_LOAD + 1),
                          .sources = (uint32_t)b->source_count, .warnings = (uint32_t)warnings_count(b->warnings) };
    char *p;

    while ((size_t)1 << h.slots_log2 < b->count * 2)
        h.slots_log2++;
    h.size = image_size(b, &h);
    buf_init(&m->out, h.size + MIB);
    p = buf_room(&m->out, h.size);
    if (!p)
        return false;
    memset(p, 0, h.size);
    memcpy(p, &h, sizeof h);
    m->out.n = h.size;
    m->head = (struct ioc_head *)(void *)p;
    m->bloom = (uint64_t *)(void *)(p + sizeof h);
    m->slots = m->bloom + (size_t)h.bloom_blocks * 8;
    return true;
}

static void image_key(struct image *m, const struct ioc_key *k, size_t record)
{
    size_t mask = ((size_t)1 << m->head->slots_log2) - 1, at = k->hash & mask;
    uint64_t *block = m->bloom + ioc_bloom_block(k->hash, m->head->bloom_blocks) * 8;

    ioc_bloom_of(k->hash, block);
    while (m->slots[at])
        at = (at + 1) & mask;
    m->slots[at] = (k->hash & UINT64_C(0xffffffff00000000)) | (record + 1);
}

static void image_fill(struct ioc_build *b, struct image *m)
{
    struct ioc_record *records = (struct ioc_record *)(void *)(m->slots + ((size_t)1 << m->head->slots_log2));
    char *names = (char *)(records + b->count);

    for (size_t i = 0; i < b->count; i++) {
        struct ioc_key k;
        struct str value = value_of(b, &b->items[i]);

        records[i] = b->items[i].r;
        records[i].warning = warnings_find(b->warnings, records[i].type, value);
        if (!ioc_key_of(records[i].type, value, &k))
            continue;
        if (records[i].type == IOC_NETWORK)
            m->head->prefix[(unsigned char)k.bytes[16] / 8] |= (uint8_t)(1u << (unsigned char)k.bytes[16] % 8);
        image_key(m, &k, i);
    }
    memcpy(names, b->sources, b->source_count * IOC_NAME_BYTES);
    names += b->source_count * IOC_NAME_BYTES;
    for (size_t i = 1; i <= warnings_count(b->warnings); i++, names += IOC_NAME_BYTES) {
        struct str name = warnings_name(b->warnings, i);

        memcpy(names, name.p, min_size(name.n, IOC_NAME_BYTES - 1));
    }
    if (b->texts.n)
        memcpy(names, b->texts.p, b->texts.n);
    m->head->sum = XXH3_64bits((const char *)m->head + IOC_SUMMED, m->head->size - IOC_SUMMED);
}

int ioc_build_write(struct ioc_build *b, const char *path, size_t *count, struct err *e)
{
    struct image m;
    int rc;

    one_each(b);
    if (!image_begin(b, &m)) {
        buf_free(&m.out);
        return err_set(e, -ENOMEM, "no memory for a set of %zu indicators", b->count);
    }
    image_fill(b, &m);
    rc = file_write_atomic(path, buf_view(&m.out), 0640, e);
    *count = b->count;
    buf_free(&m.out);
    return rc;
}
