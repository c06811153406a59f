/* ages.c - see ages.h. */
#include "detect/ages.h"

int ages_init(struct ages *t, size_t buckets)
{
    *t = (struct ages){ .buckets = calloc(buckets, sizeof(struct aged *)), .bucket_count = buckets };
    return t->buckets ? 0 : -ENOMEM;
}

void ages_free(struct ages *t)
{
    free(t->buckets);
    *t = (struct ages){ .buckets = NULL };
}

void ages_forget(struct ages *t)
{
    if (t->buckets)
        memset(t->buckets, 0, t->bucket_count * sizeof(struct aged *));
    t->count = 0;
    t->oldest = t->newest = NULL;
}

static int grow(struct ages *t)
{
    size_t count = t->bucket_count * 2;
    struct aged **fresh;

    if (t->count < t->bucket_count)
        return 0;
    fresh = calloc(count, sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    for (struct aged *a = t->oldest; a; a = a->newer) {
        a->chain = fresh[a->hash & (count - 1)];
        fresh[a->hash & (count - 1)] = a;
    }
    free(t->buckets);
    t->buckets = fresh;
    t->bucket_count = count;
    return 0;
}

static void unlink_it(struct ages *t, struct aged *a)
{
    *(a->older ? &a->older->newer : &t->oldest) = a->newer;
    *(a->newer ? &a->newer->older : &t->newest) = a->older;
}

static void link_newest(struct ages *t, struct aged *a)
{
    a->older = t->newest;
    a->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = a;
    t->newest = a;
}

int ages_put(struct ages *t, struct aged *a, uint64_t hash)
{
    struct aged **bucket;

    if (grow(t) < 0)
        return -ENOMEM;
    bucket = &t->buckets[hash & (t->bucket_count - 1)];
    a->hash = hash;
    a->chain = *bucket;
    *bucket = a;
    link_newest(t, a);
    t->count++;
    return 0;
}

void ages_remove(struct ages *t, struct aged *a)
{
    struct aged **at = &t->buckets[a->hash & (t->bucket_count - 1)];

    while (*at != a)
        at = &(*at)->chain;
    *at = a->chain;
    unlink_it(t, a);
    t->count--;
}

void ages_touch(struct ages *t, struct aged *a)
{
    unlink_it(t, a);
    link_newest(t, a);
}
