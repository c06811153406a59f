/* relp_frame.c - a stream of RELP in one piece and the same stream cut in two give the same frames; no piece passes its limit, and what `open`
 * offers is read without harm. */
#include "ingest/relp.h"

struct sum {
    uint64_t hash, count, bytes;
    size_t   limit;
    bool     inside;     /* pieces of a frame came, its last is still to come */
};

static bool take(void *arg, const struct relp_frame *f)
{
    struct sum *s = arg;
    uint32_t version = 0;
    bool syslog = false;
    struct err e;

    assert(f->txnr <= 999999999u && f->command.n >= 1 && f->command.n <= RELP_COMMAND_MAX);
    if (str_eq(f->command, STR("syslog"))) {
        assert(f->data.n <= s->limit);
    } else {
        assert(f->last && !f->truncated && f->data.n <= RELP_OTHER_MAX);
        if (relp_offers(f->data, &version, &syslog, &e) == 0)
            assert(version <= 999999999u);
    }
    assert(f->truncated == (s->inside || !f->last));
    s->inside = !f->last;
    s->hash = (s->hash * 1000003 + str_hash(f->data) + f->txnr) * 1000003 + str_hash(f->command) + f->truncated;
    s->bytes += f->data.n;
    s->count++;
    return true;
}

static struct sum run(struct str bytes, size_t cut, size_t limit)
{
    struct relp_reader r;
    struct sum s = { .limit = limit };
    bool on;

    relp_init(&r, limit);
    on = relp_feed(&r, str_of(bytes.p, cut), take, &s);
    assert(on == !r.wrong);
    on = relp_feed(&r, str_cut(bytes, cut), take, &s);
    assert(on == !r.wrong);
    s.hash += r.wrong != NULL;
    relp_free(&r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes;
    struct sum whole, parts;
    size_t limit, cut;

    if (size < 3)
        return 0;
    limit = 1 + data[0] % 64u;
    cut = data[1];
    bytes = str_of((const char *)data + 2, size - 2);
    whole = run(bytes, bytes.n, limit);
    parts = run(bytes, min_size(cut, bytes.n), limit);
    assert(whole.hash == parts.hash && whole.count == parts.count && whole.bytes == parts.bytes && whole.bytes <= bytes.n);
    return 0;
}
