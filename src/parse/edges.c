/* edges.c - see edges.h. */
#include "parse/edges.h"
#include "parse/internal.h"
#include "parse/join.h"

static void drop(struct edges *e, size_t i)
{
    e->count--;
    memmove(&e->open[i], &e->open[i + 1], (e->count - i) * sizeof e->open[0]);
}

void edges_line(struct edges *e, struct str line, uint64_t source)
{
    struct join_seen seen = join_look(line);
    size_t i = 0;

    if (seen.kind == JOIN_NONE)
        return;
    seen.id ^= source * UINT64_C(0x9E3779B97F4A7C15);
    while (i < e->count && e->open[i].id != seen.id)
        i++;
    if (seen.last) {
        if (i < e->count)
            drop(e, i);
    } else if (i == e->count) {
        if (e->count == EDGES_MAX)
            drop(e, 0);
        e->open[e->count].id = seen.id;
        e->open[e->count++].stamp_ms = seen.stamp_ms;
    }
    for (i = e->count; i > 0; i--)
        if (seen.stamp_ms - e->open[i - 1].stamp_ms > EDGES_WAIT / NS_PER_MS)
            drop(e, i - 1);
}

bool record_begins(const struct str *starts, size_t count, enum encoding e, struct str line)
{
    char head[96];
    size_t n = 0, low = e == ENCODING_UTF16BE;

    if (e != ENCODING_UTF16LE && e != ENCODING_UTF16BE) {
        take(&line, STR("\xEF\xBB\xBF"));
        return starts_as(starts, count, line);
    }
    if (line.n > 1 && ((unsigned char)line.p[0] ^ (unsigned char)line.p[1]) == (0xFE ^ 0xFF))
        line = str_cut(line, 2);
    for (; n < sizeof head && 2 * n + 1 < line.n; n++)
        head[n] = line.p[2 * n + 1 - low] ? '\x80' : line.p[2 * n + low];
    return starts_as(starts, count, str_of(head, n));
}

bool record_next(const struct str *starts, size_t count, enum encoding e, struct str *rest, struct str *record)
{
    struct str at = *rest, before, line;

    if (!encoding_line(e, &at, record))
        return false;
    if (record_begins(starts, count, e, *record))
        for (size_t n = 1; n < RECORD_LINES_MAX; n++) {
            before = at;
            if (!encoding_line(e, &at, &line))
                return false;
            if (record_begins(starts, count, e, line)) {
                at = before;
                break;
            }
            record->n = (size_t)(line.p + line.n - record->p);
        }
    *rest = at;
    return true;
}
