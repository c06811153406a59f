/* uniq.c - how many different values: a table of their hashes, and HyperLogLog where there are too many.
 *
 * The hash has 64 bits: among 4096 values two that share one are expected once in 2 * 10^12 counts. The registers are 2^14 of a byte; the estimate is Ertl's
 * (New cardinality estimation algorithms for HyperLogLog sketches, 2017, algorithm 6), which needs no table of corrections. */
#include "pipes/internal.h"

#include <math.h>

#define BITS      14
#define REGISTERS (1u << BITS)
#define RANKS     (64 - BITS)        /* a register holds 0 to RANKS + 1 */

static void reg_add(uint8_t *reg, uint64_t hash)
{
    uint64_t rest = hash << BITS;
    uint8_t rank = (uint8_t)(rest ? __builtin_clzll(rest) + 1 : RANKS + 1), *r = &reg[hash >> RANKS];

    *r = rank > *r ? rank : *r;
}

/* table_put - 0 is no hash here: it is kept as 1. */
static bool table_put(uint64_t *table, uint32_t cap, uint64_t hash)
{
    uint32_t i = (uint32_t)(hash ^ hash >> 32) & (cap - 1);

    for (; table[i]; i = (i + 1) & (cap - 1))
        if (table[i] == hash)
            return false;
    table[i] = hash;
    return true;
}

static ssize_t to_registers(struct uniq *u)
{
    u->reg = calloc(REGISTERS, 1);
    if (!u->reg)
        return -ENOMEM;
    for (uint32_t i = 0; i < u->cap; i++)
        if (u->hash[i])
            reg_add(u->reg, u->hash[i]);
    free(u->hash);
    u->hash = NULL;
    u->count = u->cap = 0;
    return REGISTERS;
}

static ssize_t table_grow(struct uniq *u)
{
    uint32_t cap = u->cap ? u->cap * 2 : 8;
    uint64_t *more = calloc(cap, sizeof *more);

    if (!more)
        return -ENOMEM;
    for (uint32_t i = 0; i < u->cap; i++)
        if (u->hash[i])
            (void)table_put(more, cap, u->hash[i]);
    free(u->hash);
    u->hash = more;
    u->cap = cap;
    return (ssize_t)(cap * sizeof *more / 2);
}

ssize_t uniq_add(struct uniq *u, uint64_t hash)
{
    ssize_t grown = 0;

    if (u->reg) {
        reg_add(u->reg, hash);
        return 0;
    }
    hash = hash ? hash : 1;
    if (u->count * 4 >= u->cap * 3 && (grown = table_grow(u)) < 0)
        return grown;
    u->count += table_put(u->hash, u->cap, hash);
    if (u->count > PIPES_UNIQ_EXACT)
        return to_registers(u);
    return grown;
}

ssize_t uniq_merge(struct uniq *into, const struct uniq *from)
{
    ssize_t grown = 0, rc = 0;

    if (from->reg && !into->reg && (grown = to_registers(into)) < 0)
        return grown;
    for (uint32_t i = 0; from->reg && i < REGISTERS; i++)
        into->reg[i] = from->reg[i] > into->reg[i] ? from->reg[i] : into->reg[i];
    for (uint32_t i = 0; rc >= 0 && i < from->cap; i++)
        if (from->hash[i]) {
            rc = uniq_add(into, from->hash[i]);
            grown += rc > 0 ? rc : 0;
        }
    return rc < 0 ? rc : grown;
}

static double sigma(double x)
{
    double y = 1, z = x, before;

    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

double uniq_count(const struct uniq *u)
{
    uint32_t of[RANKS + 2] = { 0 };
    double z;

    if (!u->reg)
        return u->count;
    for (uint32_t i = 0; i < REGISTERS; i++)
        of[u->reg[i]]++;
    z = REGISTERS * tau(1 - (double)of[RANKS + 1] / REGISTERS);
    for (int k = RANKS; k >= 1; k--)
        z = 0.5 * (z + of[k]);
    z += REGISTERS * sigma((double)of[0] / REGISTERS);
    return rint(REGISTERS / (2 * M_LN2) * REGISTERS / z);
}

void uniq_free(struct uniq *u)
{
    free(u->hash);
    free(u->reg);
    *u = (struct uniq){ NULL, 0, 0, NULL };
}
