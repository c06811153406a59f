/* different.c - counting the different values of a column: see internal.h.
 *
 * Open addressing over the numbers of the different values; the table is as large as the column needs, so that a column of thirty rows clears no half a megabyte.
 *
 * Counting stops early by the arithmetic of birthdays: if a column of n rows has n / 2 different values, the first r rows meet about r * r / n values again. Once that
 * is a number worth looking at (LOOK_MET), a column that met less than half of it is not going to repeat enough.
 *
 * Who writes the values can choose them so that their hashes meet: then looking is given up (STEPS), and the column is no table. */
#include "column/internal.h"

#define FEW       16u    /* so many different values make a table, however few the rows */
#define LOOK_MET  16u
#define STEPS     8u     /* of a row, on average: with honest hashes it is less than one */

/* hopeless - of rows so far, of count, so few were met again that counting on would be in vain. */
static bool hopeless(size_t different, size_t rows, size_t count)
{
    size_t expected = rows * rows / count;

    return expected >= LOOK_MET && different > FEW && rows - different < expected / 2;
}

bool different_count(struct different *d, const struct str *values, size_t count)
{
    size_t mask = 127, look = 64, steps = STEPS * (count + 64);

    while (mask + 1 < count * 2)
        mask = mask * 2 + 1;
    memset(d->slot, 0, (mask + 1) * sizeof *d->slot);
    d->count = d->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)str_hash(values[i]) & mask;

        texts_ahead(values, count, i);
        for (; d->slot[at] && !str_eq(values[d->slot[at] - 1], values[i]) && steps; steps--)
            at = (at + 1) & mask;
        if (steps == 0)
            return false;
        if (!d->slot[at]) {
            d->slot[at] = (uint32_t)i + 1;
            d->code[i] = (uint16_t)d->count;
            d->first[d->count++] = (uint32_t)i;
            d->bytes += values[i].n;
        } else
            d->code[i] = d->code[d->slot[at] - 1];
        if (i + 1 == look) {
            if (hopeless(d->count, look, count))
                return false;
            look *= 2;
        }
    }
    return different_pays(d, count);
}

bool different_pays(const struct different *d, size_t count)
{
    return d->count <= FEW || d->count * 2 <= count;
}

int different_numbers(struct different *d, const uint64_t *numbers, const struct str *values, size_t count, uint64_t *each)
{
    uint64_t least = UINT64_MAX, most = 0;
    size_t look = 64;

    for (size_t i = 0; i < count; i++) {
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
    }
    if (most - least >= DIFFERENT_SLOTS)
        return -ERANGE;
    memset(d->slot, 0, (size_t)(most - least + 1) * sizeof *d->slot);
    d->count = d->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t *slot = &d->slot[numbers[i] - least];

        if (!*slot) {
            *slot = (uint32_t)i + 1;
            d->code[i] = (uint16_t)d->count;
            d->bytes += values[i].n;
            each[d->count] = numbers[i];
            d->first[d->count++] = (uint32_t)i;
        } else
            d->code[i] = d->code[*slot - 1];
        if (i + 1 == look) {
            if (hopeless(d->count, look, count))
                return 0;
            look *= 2;
        }
    }
    return 1;
}
