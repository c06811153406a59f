/* set.c - a set is mapped and asked; the layout is in layout.h. Everything that the file says of itself is held against its size once, when it is opened. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "ioc/internal.h"
#include "ioc/layout.h"

struct ioc_set {
    const struct ioc_head   *head;
    const uint64_t          *bloom, *slots;
    const struct ioc_record *records;
    const char              *names;
    const unsigned char     *texts;
    size_t                   text_n;
    uint8_t                  bits[129];      /* lengths of the networks that are there, the longest first */
    size_t                   bits_n;
};

/* part - the next n bytes of the file; NULL past its end. */
static const void *part(struct str *rest, uint64_t n)
{
    const void *p = rest->p;

    if (n > rest->n)
        return NULL;
    *rest = str_of(rest->p + n, rest->n - (size_t)n);
    return p;
}

static bool text_at(const struct ioc_set *s, size_t *at, struct str *out)
{
    size_t n;

    if (s->text_n < 2 || *at > s->text_n - 2)
        return false;
    n = (size_t)(s->texts[*at] | s->texts[*at + 1] << 8);
    if (n > s->text_n - *at - 2)
        return false;
    *out = str_of((const char *)s->texts + *at + 2, n);
    *at += 2 + n;
    return true;
}

static bool records_hold(const struct ioc_set *s)
{
    for (size_t i = 0; i < s->head->count; i++) {
        const struct ioc_record *r = &s->records[i];
        struct str text;
        size_t at = (size_t)r->text;

        if (r->type >= IOC_TYPES || r->tlp >= IOC_TLP_COUNT || r->source >= s->head->sources || r->warning > s->head->warnings)
            return false;
        for (int k = 0; k < 3; k++)
            if (!text_at(s, &at, &text))
                return false;
    }
    return true;
}

static bool slots_hold(const struct ioc_set *s)
{
    size_t n = (size_t)1 << s->head->slots_log2, empty = 0;

    for (size_t i = 0; i < n; i++) {
        if ((s->slots[i] & UINT32_MAX) > s->head->count)
            return false;
        empty += s->slots[i] == 0;
    }
    return empty > 0;       /* a search ends */
}

static bool holds(struct ioc_set *s, struct str file)
{
    struct str summed = str_cut(file, IOC_SUMMED);
    const struct ioc_head *h = part(&file, sizeof *h);

    if (!h || memcmp(h->magic, IOC_MAGIC, sizeof h->magic) != 0 || h->size != file.n + sizeof *h || h->slots_log2 < 1 || h->slots_log2 > 32 || h->bloom_blocks == 0 ||
        h->count > IOC_MAX || h->sources > IOC_SOURCES_MAX || h->sum != XXH3_64bits(summed.p, summed.n))
        return false;
    s->head = h;
    s->bloom = part(&file, (uint64_t)h->bloom_blocks * 64);
    s->slots = s->bloom ? part(&file, UINT64_C(8) << h->slots_log2) : NULL;
    s->records = s->slots ? part(&file, (uint64_t)h->count * sizeof *s->records) : NULL;
    s->names = s->records ? part(&file, ((uint64_t)h->sources + h->warnings) * IOC_NAME_BYTES) : NULL;
    s->texts = (const unsigned char *)file.p;
    s->text_n = file.n;
    if (!s->names)
        return false;
    for (size_t i = 0; i < (size_t)h->sources + h->warnings; i++)
        if (s->names[(i + 1) * IOC_NAME_BYTES - 1])
            return false;
    for (int n = 128; n >= 0; n--)
        if (h->prefix[n / 8] >> n % 8 & 1)
            s->bits[s->bits_n++] = (uint8_t)n;
    return slots_hold(s) && records_hold(s);
}

int ioc_open(const char *path, struct ioc_set **out, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct ioc_set *s;
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(e, "could not open the set of indicators \"%s\"", path);
    if (st.st_size < (off_t)sizeof(struct ioc_head))
        return err_set(e, -EBADMSG, "\"%s\" is no set of indicators", path);
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(e, "could not map \"%s\"", path);
    s = calloc(1, sizeof *s);
    if (!s || !holds(s, str_of(p, (size_t)st.st_size))) {
        munmap(p, (size_t)st.st_size);
        if (!s)
            return err_set(e, -ENOMEM, "no memory for a set of indicators");
        free(s);
        return err_set(e, -EBADMSG, "\"%s\" is torn, or no set of indicators; make it anew", path);
    }
    /* The look over all of it is done: what nobody asks for need not stay in memory. */
    (void)madvise(p, (size_t)st.st_size, MADV_DONTNEED);
    (void)madvise(p, (size_t)st.st_size, MADV_RANDOM);
    *out = s;
    return 0;
}

void ioc_close(struct ioc_set **s)
{
    if (!*s)
        return;
    munmap((void *)(uintptr_t)(*s)->head, (size_t)(*s)->head->size);
    free(*s);
    *s = NULL;
}

size_t ioc_count(const struct ioc_set *s) { return s->head->count; }

/* --- asking --- */

/* A question: what was found so far. */
struct asking {
    const struct ioc_set *s;
    time_ns               now;
    struct ioc           *out;
    size_t                n, max;
};

static bool may_have(const struct ioc_set *s, uint64_t hash)
{
    const uint64_t *block = s->bloom + ioc_bloom_block(hash, s->head->bloom_blocks) * 8;

    for (int i = 0; i < IOC_BLOOM_BITS; i++) {
        unsigned n = (unsigned)(hash >> (9 * i)) & 511;

        if (!(block[n / 64] >> (n % 64) & 1))
            return false;
    }
    return true;
}

static struct str name_at(const struct ioc_set *s, size_t i) { return str_c(s->names + i * IOC_NAME_BYTES); }

/* whole - a record with its texts; value and at are where they begin. */
static bool whole(const struct ioc_set *s, const struct ioc_record *r, struct str value, size_t at, struct ioc *o)
{
    *o = (struct ioc){ .type = r->type, .tlp = r->tlp, .confidence = r->confidence, .from = r->from, .until = r->until, .value = value, .source = name_at(s, r->source) };
    if (r->warning)
        o->warning = name_at(s, s->head->sources + r->warning - 1u);
    return text_at(s, &at, &o->id) && text_at(s, &at, &o->note);
}

int ioc_each(const struct ioc_set *s, ioc_fn *fn, void *arg, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->head->count; i++) {
        size_t at = (size_t)s->records[i].text;
        struct str value;
        struct ioc one;

        if (text_at(s, &at, &value) && whole(s, &s->records[i], value, at, &one))
            rc = fn(arg, &one, e);
    }
    return rc;
}

/* ask_record - one whose hash is like that of the key: is it the same value, and in force? */
static void ask_record(struct asking *q, enum ioc_type type, const struct ioc_key *k, const struct ioc_record *r)
{
    size_t text = (size_t)r->text;
    struct ioc_key own;
    struct str value;

    if (r->type != type || (r->until != 0 && r->until <= q->now) || r->from > q->now || !text_at(q->s, &text, &value) || !ioc_key_of(type, value, &own))
        return;
    if (own.n == k->n && memcmp(own.bytes, k->bytes, k->n) == 0)
        q->n += whole(q->s, r, value, text, &q->out[q->n]);
}

static void ask_key(struct asking *q, enum ioc_type type, const struct ioc_key *k)
{
    size_t mask = ((size_t)1 << q->s->head->slots_log2) - 1;

    if (!may_have(q->s, k->hash))
        return;
    for (size_t at = k->hash & mask; q->s->slots[at] && q->n < q->max; at = (at + 1) & mask) {
        uint64_t slot = q->s->slots[at];

        if ((slot ^ k->hash) >> 32 == 0)   /* else its record is not looked at: that would be a page of memory for each slot passed */
            ask_record(q, type, k, &q->s->records[(slot & UINT32_MAX) - 1]);
    }
}

static void ask_address(struct asking *q, const uint8_t address[16])
{
    struct ioc_key k;

    memcpy(k.bytes, address, 16);
    k.n = 16;
    k.hash = XXH3_64bits_withSeed(k.bytes, 16, IOC_IP + 1);
    ask_key(q, IOC_IP, &k);
    for (size_t i = 0; i < q->s->bits_n && !(ioc_is_ipv4(address) && q->s->bits[i] < IOC_IPV4_BITS); i++) {
        ioc_key_network(address, q->s->bits[i], &k);
        ask_key(q, IOC_NETWORK, &k);
    }
}

/* ask_name - the name, and those above it that have a dot. One that is written in full ends in a dot. */
static void ask_name(struct asking *q, struct str name)
{
    struct ioc_key k;

    while (name.n && name.p[name.n - 1] == '.')
        name.n--;
    while (name.n && str_chr(name, '.') >= 0) {
        if (ioc_key_of(IOC_DOMAIN, name, &k))
            ask_key(q, IOC_DOMAIN, &k);
        name = str_cut(name, (size_t)str_chr(name, '.') + 1);
    }
}

static struct str behind_last(struct str s, char mark)
{
    for (ptrdiff_t at = str_chr(s, mark); at >= 0; at = str_chr(s, mark))
        s = str_cut(s, (size_t)at + 1);
    return s;
}

static void ask_host(struct asking *q, struct str host)
{
    uint8_t address[16];

    if (ioc_address(host, address))
        ask_address(q, address);
    else
        ask_name(q, host);
}

size_t ioc_find(const struct ioc_set *s, enum ioc_type type, struct str value, time_ns now, struct ioc *out, size_t max)
{
    struct asking q = { s, now, out, 0, max };
    AUTO_BUF struct buf b = { 0 };
    uint8_t address[16];
    char name[IOC_NAME_ROOM];
    struct ioc_key k;
    size_t n;

    if (type == IOC_IP) {
        if (ioc_address(str_trim(value), address))
            ask_address(&q, address);
        return q.n;
    }
    n = type == IOC_DOMAIN || type == IOC_HASH ? ioc_normal_name(type, value, name) : 0;
    buf_init(&b, 4 * IOC_VALUE_MAX);
    if (n == 0 && !ioc_normal(type, value, &b))
        return 0;
    struct str v = n ? str_of(name, n) : buf_view(&b);

    if (type == IOC_DOMAIN) {
        ask_name(&q, v);
        return q.n;
    }
    if (ioc_key_of(type, v, &k))
        ask_key(&q, type, &k);
    if (type == IOC_URL)
        ask_host(&q, ioc_url_host(v));
    else if (type == IOC_EMAIL)
        ask_name(&q, behind_last(v, '@'));
    return q.n;
}
