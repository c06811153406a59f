/* wef_sldc.c - SLDC, the compression that machines of Windows use where a subscription asks for it (ECMA-321); see wef.h.
 *
 * A stream of bits, the first of a byte being its highest:
 *
 *     1 1111 1111 SSSS            a control symbol: flush, scheme 1, scheme 2, file mark, end of record, reset 1, reset 2, end marker
 *     scheme 1    0 BBBBBBBB      a byte
 *                 1 COUNT PPPPPPPPPP   so many bytes again, from this place of the last 1,024 on
 *     scheme 2    BBBBBBBB        a byte; behind 0xFF stands one more bit, 0
 *
 * COUNT: 0x: 2 to 3; 10xx: 4 to 7; 110xxx: 8 to 15; 1110xxxx: 16 to 31; 1111xxxxxxxx: 32 to 271. Nine ones begin no data: a COUNT of so many is not used. */
#include "ingest/wef.h"

#define HISTORY 1024u

enum symbol { FLUSH, SCHEME_1, SCHEME_2, FILE_MARK, END_OF_RECORD, RESET_1, RESET_2, END_MARKER = 15 };

struct bits {
    struct str in;
    size_t     at;              /* bit */
    bool       over;            /* asked for more than there is */
};

static unsigned peek(const struct bits *b, unsigned n)
{
    unsigned v = 0;

    for (unsigned i = 0; i < n; i++) {
        size_t at = b->at + i;

        v = v << 1 | (at / 8 < b->in.n ? (unsigned char)b->in.p[at / 8] >> (7 - at % 8) & 1u : 0u);
    }
    return v;
}

static unsigned take(struct bits *b, unsigned n)
{
    unsigned v = peek(b, n);

    b->at += n;
    b->over = b->over || b->at > b->in.n * 8;
    return v;
}

struct unpacking {
    struct bits bits;
    struct buf *out;
    char        history[HISTORY];
    unsigned    at;              /* where the next byte goes */
    int         scheme;          /* 0: none is named yet */
};

static void give(struct unpacking *u, char c)
{
    buf_byte(u->out, c);
    u->history[u->at] = c;
    u->at = (u->at + 1) % HISTORY;
}

static unsigned count(struct bits *b)
{
    static const struct { unsigned bits, from; } row[] = { { 1, 2 }, { 2, 4 }, { 3, 8 }, { 4, 16 }, { 8, 32 } };
    unsigned length = 0;         /* ones before the first zero, at most 4 */

    while (length < 4 && take(b, 1))
        length++;
    return row[length].from + take(b, row[length].bits);
}

/* control - false: no symbol that there is. *end: the record ends. */
static bool control(struct unpacking *u, bool *end)
{
    switch ((enum symbol)(take(&u->bits, 13) & 15)) {
    case FLUSH: case FILE_MARK: case END_MARKER:
        return true;
    case SCHEME_1: case RESET_1:
        u->scheme = 1;
        break;
    case SCHEME_2: case RESET_2:
        u->scheme = 2;
        break;
    case END_OF_RECORD:
        *end = true;
        return true;
    default:
        return false;
    }
    return true;
}

int wef_sldc(struct str in, struct buf *out, struct err *e)
{
    struct unpacking u = { .bits = { .in = in }, .out = out };
    bool end = false;

    while (!end && !u.bits.over && !buf_failed(out)) {
        if (peek(&u.bits, 9) == 0x1FF) {
            unsigned symbol = peek(&u.bits, 13) & 15;

            if (!control(&u, &end))
                return err_at(e, -EBADMSG, u.bits.at / 8, "no symbol of SLDC");
            if (symbol == RESET_1 || symbol == RESET_2) {
                memset(u.history, 0, sizeof u.history);
                u.at = 0;
            }
        } else if (u.scheme == 1 && take(&u.bits, 1) == 0) {
            give(&u, (char)take(&u.bits, 8));
        } else if (u.scheme == 1) {
            unsigned n = count(&u.bits), from = take(&u.bits, 10);

            for (unsigned i = 0; i < n; i++)
                give(&u, u.history[(from + i) % HISTORY]);
        } else if (u.scheme == 2) {
            unsigned c = take(&u.bits, 8);

            if (c == 0xFF)
                take(&u.bits, 1);
            give(&u, (char)c);
        } else {
            return err_set(e, -EBADMSG, "these are no bytes of SLDC");
        }
    }
    if (buf_failed(out))
        return err_set(e, -E2BIG, "the body is larger than %zu bytes when unpacked", out->limit_bytes);
    return end ? 0 : err_set(e, -EBADMSG, "the body is cut SLDC data");
}
