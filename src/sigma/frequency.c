/* frequency.c - see frequency.h. One table with open addressing, from which nothing is removed but by beginning anew: a slot's atom, once written, stays. */
#include "sigma/frequency.h"
#include "base/reader.h"

#include <stdatomic.h>

#define MARK  "SQFREQ1\n"
#define PROBES 16           /* places that an atom may have */
#define ROW   16u
#define HEAD  16u

struct slot_f { _Atomic uint64_t atom; _Atomic uint32_t seen, found; uint32_t last; };   /* atom 0: free; last: the event that counted it */
struct sigma_frequency {
    _Atomic uint32_t events;
    uint32_t         event;       /* the one at hand */
    struct slot_f    slots[FREQUENCY_SLOTS];
};
static_assert(sizeof(struct slot_f) == 24, "1.5 MiB of them");

#define GET(x)    atomic_load_explicit(&(x), memory_order_relaxed)
#define SET(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

struct sigma_frequency *sigma_frequency_new(void) { return calloc(1, sizeof(struct sigma_frequency)); }

void sigma_frequency_free(struct sigma_frequency **f)
{
    free(*f);
    *f = NULL;
}

uint32_t sigma_frequency_events(const struct sigma_frequency *f) { return GET(f->events); }

static uint64_t named(uint64_t atom) { return atom ? atom : 1; }

/* place_of - the atom's slot, or the free one where it may go; FREQUENCY_SLOTS: there is no room for it. */
static uint32_t place_of(const struct sigma_frequency *f, uint64_t atom)
{
    for (uint32_t i = 0; i < PROBES; i++) {
        uint32_t at = ((uint32_t)(atom >> 32) + i) % FREQUENCY_SLOTS;
        uint64_t there = GET(f->slots[at].atom);

        if (there == atom || there == 0)
            return at;
    }
    return FREQUENCY_SLOTS;
}

static void halve(struct sigma_frequency *f)
{
    SET(f->events, GET(f->events) / 2);
    for (uint32_t i = 0; i < FREQUENCY_SLOTS; i++) {
        struct slot_f *s = &f->slots[i];

        SET(s->seen, GET(s->seen) / 2);
        SET(s->found, GET(s->found) / 2);
    }
}

void frequency_event(struct sigma_frequency *f)
{
    if (GET(f->events) >= FREQUENCY_EVENTS)
        halve(f);
    SET(f->events, GET(f->events) + 1);
    if (++f->event == 0)
        f->event = 1;
}

bool frequency_noted(const struct sigma_frequency *f, uint64_t atom)
{
    uint32_t at = place_of(f, named(atom));

    return at == FREQUENCY_SLOTS || (f->event && f->slots[at].last == f->event);   /* no room: as good as noted */
}

void frequency_note(struct sigma_frequency *f, uint64_t atom, bool found)
{
    uint32_t at = place_of(f, named(atom));
    struct slot_f *s = &f->slots[at % FREQUENCY_SLOTS];

    if (at == FREQUENCY_SLOTS)
        return;
    SET(s->atom, named(atom));
    SET(s->seen, GET(s->seen) + 1);
    SET(s->found, GET(s->found) + found);
    s->last = f->event;
}

float frequency_of(const struct sigma_frequency *f, uint64_t atom, float prior)
{
    uint32_t at = place_of(f, named(atom));
    const struct slot_f *s = &f->slots[at % FREQUENCY_SLOTS];

    if (at == FREQUENCY_SLOTS || GET(s->atom) != named(atom))
        return prior;
    return ((float)GET(s->found) + prior * FREQUENCY_PRIOR) / ((float)GET(s->seen) + FREQUENCY_PRIOR);
}

/* --- on disk --- */

void sigma_frequency_save(const struct sigma_frequency *f, struct buf *b)
{
    size_t from = b->n;
    uint32_t rows = 0;

    for (uint32_t i = 0; i < FREQUENCY_SLOTS; i++)
        rows += GET(f->slots[i].seen) != 0;
    buf_str(b, STR(MARK));
    buf_le32(b, GET(f->events));
    buf_le32(b, rows);
    for (uint32_t i = 0; i < FREQUENCY_SLOTS && rows; i++) {
        const struct slot_f *s = &f->slots[i];
        uint32_t seen = GET(s->seen), found = GET(s->found);

        if (seen == 0)
            continue;
        buf_le64(b, GET(s->atom));
        buf_le32(b, seen);
        buf_le32(b, found < seen ? found : seen);   /* it goes on being measured */
        rows--;
    }
    for (; rows; rows--)   /* halved to nothing meanwhile */
        for (size_t i = 0; i < ROW; i++)
            buf_byte(b, 0);
    if (!buf_failed(b))
        buf_le64(b, str_hash(str_of(b->p + from, b->n - from)));
}

static void take_row(struct sigma_frequency *f, struct reader *r)
{
    uint64_t atom = rd_le64(r);
    uint32_t seen = rd_le32(r), found = rd_le32(r), at = place_of(f, named(atom));

    if (found > seen || seen > FREQUENCY_EVENTS)
        rd_fail(r, "as many events as there were");
    if (!rd_ok(r) || at == FREQUENCY_SLOTS || seen == 0)
        return;
    SET(f->slots[at].atom, named(atom));
    SET(f->slots[at].seen, seen);
    SET(f->slots[at].found, found);
}

int sigma_frequency_load(struct sigma_frequency *f, struct str saved, struct err *e)
{
    struct reader r = rd_str(saved);
    uint32_t events, rows;

    memset(f, 0, sizeof *f);
    if (!str_eq(rd_take(&r, strlen(MARK), "the mark"), STR(MARK)))
        rd_fail(&r, "measured frequencies");
    events = rd_le32(&r);
    rows = rd_le32(&r);
    if (events > FREQUENCY_EVENTS || rows > FREQUENCY_SLOTS || rd_left(&r) != (size_t)rows * ROW + 8)
        rd_fail(&r, "as many rows as it says");
    for (uint32_t i = 0; rd_ok(&r) && i < rows; i++)
        take_row(f, &r);
    if (rd_le64(&r) != str_hash(str_of(saved.p, saved.n >= 8 ? saved.n - 8 : 0)))
        rd_fail(&r, "the hash of it");
    SET(f->events, events);
    if (rd_ok(&r))
        return 0;
    memset(f, 0, sizeof *f);
    return rd_err(&r, e, "measured frequencies");
}
