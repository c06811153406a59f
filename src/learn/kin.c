/* kin.c - what is remembered: of texts with the same separators, the tokens that come in so many kinds that they are no words of the program.
 *
 * A name of letters alone looks like one: each user makes a shape. When the shapes of kin become many, the tokens to blame are free: from then on,
 * and in later calls of the same origin, such texts have one shape. The memory is a table of fixed size; those that have not come for longest go. */
#include "learn/internal.h"

#define SHAPES_MANY 32u      /* of one kin: look for tokens to blame; and again at each doubling */
#define SHAPES_MUCH 512u     /* then the worst one is to blame, however few its kinds */
#define KINDS_MANY  16u      /* different faces of a token that is to blame */
#define TRIED       8u       /* places in the table where a kin may stand */

static struct kin *kin_of(struct learner *l, uint64_t key)
{
    struct kin *oldest = NULL;

    for (uint32_t i = 0; i < TRIED; i++) {
        struct kin *k = &l->kins[(key + i) % KINS_MAX];

        if (k->key == key && k->call)
            return k;
        if (!oldest || k->call < oldest->call)
            oldest = k;
    }
    *oldest = (struct kin){ .key = key };
    return oldest;
}

struct kin *kin_apply(struct learner *l, struct looks *looks)
{
    struct kin *k = kin_of(l, mix(l->origin, looks->kin));

    if (k->call != l->call) {
        k->call = l->call;
        k->shape_n = k->shapes = 0;
    }
    for (uint32_t t = 0; k->any && t < looks->count; t++)
        if (bit(k->free, t))
            looks->faces[t] = FACE_FREE;
    looks->all = looks->kin;
    for (uint32_t t = 0; t < looks->count; t++)
        looks->all = mix(looks->all, looks->faces[t]);
    return k;
}

/* kinds - how many different faces token t has in the shapes of k, up to most + 1. */
static uint32_t kinds(const struct learner *l, const struct kin *k, uint32_t t, uint32_t most)
{
    uint32_t faces[KINDS_MANY * 4 + 1], n = 0;

    for (uint32_t i = k->shapes; i && n <= most; i = l->shapes[i - 1].next) {
        const struct shape *s = &l->shapes[i - 1];
        uint32_t face = t < s->tokens ? l->faces[s->faces + t] : FACE_FREE, at = 0;

        while (at < n && faces[at] != face)
            at++;
        if (at == n)
            faces[n++] = face;
    }
    return n;
}

void kin_add(struct learner *l, struct kin *k, uint32_t shape)
{
    uint32_t tokens = l->shapes[shape].tokens, worst = 0, most = 0;

    l->shapes[shape].next = k->shapes;
    k->shapes = shape + 1;
    if (++k->shape_n < SHAPES_MANY || (k->shape_n & (k->shape_n - 1)))
        return;
    for (uint32_t t = 0; t < tokens; t++) {
        uint32_t n = bit(k->free, t) ? 0 : kinds(l, k, t, KINDS_MANY * 4);

        if (n > most) {
            most = n;
            worst = t;
        }
        if (n > KINDS_MANY) {
            bit_set(k->free, t);
            k->any = true;
        }
    }
    if (k->shape_n >= SHAPES_MUCH && most > 1) {
        bit_set(k->free, worst);
        k->any = true;
    }
}
