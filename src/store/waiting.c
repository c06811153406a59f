/* waiting.c - see waiting.h. */
#include "store/internal.h"

#define EVENTS_MAX     (128u * MIB)    /* as event_bytes counts them, together: whoever reads the block has them whole, in half of BLOCK_RAW_MAX. No more names, then, than
                                        * a payload has (CODEC_NAMES_MAX), nor texts than shaped.h takes: wide events cannot stop whoever stores them */
#define PORTION_EVENTS 64u
#define PORTION_BYTES  MIB

bool waiting_init(struct waiting *p, size_t most, size_t bytes_most)
{
    *p = (struct waiting){ .most = most, .bytes_most = bytes_most };
    buf_init(&p->payload, BLOCK_RAW_MAX);
    shaped_init(&p->shaped);
    p->encoder = event_encoder_new();
    p->seq = calloc(most, sizeof *p->seq);
    p->order = calloc(2 * most, sizeof *p->order);
    return p->encoder && p->seq && p->order;
}

void waiting_free(struct waiting *p)
{
    event_encoder_free(&p->encoder);
    shaped_free(&p->shaped);
    buf_free(&p->payload);
    free(p->seq);
    free(p->order);
    *p = (struct waiting){ .count = 0 };
}

void waiting_reset(struct waiting *p)
{
    p->count = p->bytes = 0;
    p->ended = p->sorted = false;
    buf_reset(&p->payload);
}

/* portion - how many of the events are taken at once, and their bytes: so many that the encoder sees them together, so few that no limit is passed by far. */
static size_t portion(const struct waiting *p, const struct event *events, size_t count, size_t *bytes)
{
    size_t n = 0;

    for (*bytes = 0; n < count && n < PORTION_EVENTS && p->count + n < p->most && *bytes < PORTION_BYTES; n++) {
        size_t more = event_bytes(&events[n]);

        if (p->count + n && p->bytes + *bytes + more > EVENTS_MAX)
            break;
        *bytes += more;
    }
    return n;
}

int waiting_add(struct waiting *p, const struct event *events, size_t count, size_t *taken, struct err *e)
{
    for (*taken = 0; *taken < count && !p->ended;) {
        const struct event *ev = events + *taken;
        size_t bytes, n = portion(p, ev, count - *taken, &bytes);
        int rc;

        if (p->count == 0)
            event_encoder_begin(p->encoder, &p->payload);
        if (n == 0 || (p->count && event_encoder_bytes(p->encoder) + p->count * sizeof *p->seq >= p->bytes_most))
            return 0;
        rc = event_encoder_add(p->encoder, ev, n, e);
        if (rc < 0) {
            waiting_reset(p);
            return err_wrap(e, -ENOMEM, "events that wait are lost from memory");
        }
        for (size_t i = 0; i < n; i++)
            p->seq[p->count++] = ev[i].seq;
        p->bytes += bytes;
        *taken += n;
    }
    return 0;
}

/* --- order --- */

int32_t waiting_day(const struct waiting *p, size_t at)
{
    uint32_t row = p->order[at];
    const struct event ev = { .time = p->shaped.time[row], .received = p->shaped.received[row] };

    return event_day(&ev);
}

size_t waiting_day_end(const struct waiting *p, size_t at)
{
    int32_t day = waiting_day(p, at);

    while (++at < p->count && waiting_day(p, at) == day)
        continue;
    return at;
}

/* sort_by - the order by eight bits more of a key; stable. */
static void sort_by(const uint64_t *key, unsigned shift, const uint32_t *from, uint32_t *to, size_t count)
{
    uint32_t begin[257] = { 0 };

    for (size_t i = 0; i < count; i++)
        begin[(key[from[i]] >> shift & 255) + 1]++;
    for (unsigned i = 1; i < 256; i++)
        begin[i] += begin[i - 1];
    for (size_t i = 0; i < count; i++)
        to[begin[key[from[i]] >> shift & 255]++] = from[i];
}

/* sort_rows - by a key, as many bytes of it as differ. Which rows come first among equals stays. */
static void sort_rows(struct waiting *p, const uint64_t *key, uint64_t most)
{
    uint32_t *from = p->order, *to = p->order + p->most, *swap;

    for (unsigned shift = 0; shift < 64 && most >> shift; shift += 8) {
        sort_by(key, shift, from, to, p->count);
        swap = from;
        from = to;
        to = swap;
    }
    if (from != p->order)
        memcpy(p->order, from, p->count * sizeof *p->order);
}

/* keys_from - keys from the least on; the greatest is returned. */
static uint64_t keys_from(uint64_t *key, size_t count)
{
    uint64_t least = UINT64_MAX, most = 0;

    for (size_t i = 0; i < count; i++)
        least = key[i] < least ? key[i] : least;
    for (size_t i = 0; i < count; i++) {
        key[i] -= least;
        most = key[i] > most ? key[i] : most;
    }
    return most;
}

int waiting_sort(struct waiting *p, struct err *e)
{
    AUTO_FREE uint64_t *key = calloc(p->count + 1, sizeof *key);
    int rc = p->ended ? 0 : event_encoder_end(p->encoder, NULL, e);

    p->ended = p->ended || rc == 0;
    if (rc == 0 && !key)
        rc = err_set(e, -ENOMEM, "no memory to sort events");
    if (rc == 0)
        rc = shaped_read(&p->shaped, buf_view(&p->payload), e);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < p->count; i++)
        p->order[i] = i;
    /* Stable, the last key first: numbers rise as events come, but a merge brings them from several parts. */
    for (size_t i = 0; i < p->count; i++)
        key[i] = p->seq[i];
    for (size_t i = 1; i < p->count; i++)
        if (p->seq[i] < p->seq[i - 1]) {
            sort_rows(p, key, keys_from(key, p->count));
            break;
        }
    for (size_t i = 0; i < p->count; i++)
        key[i] = (uint64_t)p->shaped.time[i] ^ UINT64_C(1) << 63;
    sort_rows(p, key, keys_from(key, p->count));
    for (size_t i = 0; i < p->count; i++)
        key[i] = (uint64_t)event_day(&(struct event){ .time = p->shaped.time[i], .received = p->shaped.received[i] });
    sort_rows(p, key, keys_from(key, p->count));
    p->sorted = true;
    return 0;
}
