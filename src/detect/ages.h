/* ages.h - a table by hash of things that are kept in the order of their ages, for those who keep a bounded number and drop the oldest.
 *
 * Owns      the caller owns the things, each of which begins with a struct aged; struct ages owns its buckets.
 * Promises  1. Finding, adding, taking out and making the newest cost the same however many there are, but for growing now and then.
 *           2. A failure leaves the table as it was.
 * Threads   owner.
 * Source    none. */
#ifndef SAQSHY_DETECT_AGES_H
#define SAQSHY_DETECT_AGES_H

#include "base/base.h"

struct aged {
    struct aged *chain;              /* of its bucket */
    struct aged *older, *newer;
    uint64_t     hash;
};

struct ages {
    struct aged **buckets;
    size_t        bucket_count;      /* a power of two */
    size_t        count;
    struct aged  *oldest, *newest;
};

/* ages_init - with room for so many (a power of two) before it grows. 0 or -ENOMEM. */
MUST_USE int ages_init(struct ages *t, size_t buckets);
void ages_free(struct ages *t);
/* ages_forget - empty: what was in it is the caller's to free before. */
void ages_forget(struct ages *t);
/* ages_put - one more, the newest. 0 or -ENOMEM. */
MUST_USE int ages_put(struct ages *t, struct aged *a, uint64_t hash);
void ages_remove(struct ages *t, struct aged *a);
/* ages_touch - one that is in the table becomes the newest. */
void ages_touch(struct ages *t, struct aged *a);
/* ages_first - of the bucket of this hash; the others follow by chain, and not all have the hash. */
static inline struct aged *ages_first(const struct ages *t, uint64_t hash) { return t->buckets[hash & (t->bucket_count - 1)]; }

#endif
