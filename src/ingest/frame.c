/* frame.c - where one syslog message of a stream ends and the next begins.
 *
 * RFC 6587 knows two framings and a sender does not say which it uses, so each message tells by its head: "LEN <" is a count,
 * anything else a line. A count is believed only before '<', the first byte of every syslog message: so a line that
 * begins with a number ("2026 was a good year") is not taken for a count. */
#include "ingest/internal.h"

#define COUNT_DIGITS_MAX 9
#define HELD_KEEP_MAX    (64u * KIB)   /* a larger buffer is given back after its line */

void framer_init(struct framer *f)
{
    *f = (struct framer){ .limit_bytes = LINE_MAX_BYTES };
    buf_init(&f->held, LINE_MAX_BYTES + 64);
}

void framer_free(struct framer *f) { buf_free(&f->held); }

/* give - one message, or a piece of one, without its line end. */
static void give(struct framer *f, struct str line, bool truncated, framer_take *take, void *arg)
{
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r' || line.p[line.n - 1] == 0))
        line.n--;
    if (line.n)
        take(arg, line, truncated);
    else
        f->empty++;
}

static void give_held(struct framer *f, bool truncated, framer_take *take, void *arg)
{
    give(f, buf_view(&f->held), truncated, take, arg);
    if (f->held.cap > HELD_KEEP_MAX) {
        buf_free(&f->held);
        buf_init(&f->held, LINE_MAX_BYTES + 64);
    } else {
        buf_reset(&f->held);
    }
}

static void to_start(struct framer *f)
{
    f->state = FRAME_START;
    f->head_n = 0;
    f->split = false;
}

static void to_line(struct framer *f)
{
    f->state = FRAME_LINE;
    buf_put(&f->held, f->head, f->head_n);
    f->head_n = 0;
}

/* start - read the head of a message; the byte that decides stays in bytes. */
static void start(struct framer *f, struct str *bytes)
{
    while (bytes->n && f->state == FRAME_START) {
        char c = bytes->p[0];
        bool digit = c >= (f->head_n ? '0' : '1') && c <= '9';
        bool counted = f->head_n && f->head[f->head_n - 1] == ' ';

        if (f->head_n == 0 && (c == '\n' || c == '\r' || c == 0)) {
            *bytes = str_cut(*bytes, 1);
        } else if (!counted && ((digit && f->head_n < COUNT_DIGITS_MAX) || (c == ' ' && f->head_n))) {
            f->head[f->head_n++] = c;
            *bytes = str_cut(*bytes, 1);
        } else if (counted && c == '<') {
            f->left = 0;
            for (size_t i = 0; i + 1 < f->head_n; i++)
                f->left = f->left * 10 + (size_t)(f->head[i] - '0');
            f->state = FRAME_COUNTED;
            f->head_n = 0;
        } else {
            to_line(f);
        }
    }
}

/* hold - keep part of a message that is not whole yet. A piece goes out only when a byte comes that has no room: a message of
 * just the limit is whole. */
static void hold(struct framer *f, struct str *bytes, size_t n, framer_take *take, void *arg)
{
    size_t room = f->limit_bytes > f->held.n ? f->limit_bytes - f->held.n : 0;

    if (room == 0 || buf_failed(&f->held)) {
        f->split = true;
        give_held(f, true, take, arg);
        return;
    }
    n = min_size(n, room);
    buf_put(&f->held, bytes->p, n);
    *bytes = str_cut(*bytes, n);
}

static void line(struct framer *f, struct str *bytes, framer_take *take, void *arg)
{
    ptrdiff_t end = str_chr(*bytes, '\n');
    size_t n = end < 0 ? bytes->n : (size_t)end;

    if (end < 0 || f->held.n + n > f->limit_bytes) {
        hold(f, bytes, n, take, arg);
        return;
    }
    if (f->held.n) {
        buf_put(&f->held, bytes->p, n);
        give_held(f, f->split, take, arg);
    } else if (n || !f->split) {
        give(f, str_of(bytes->p, n), f->split, take, arg);
    }
    *bytes = str_cut(*bytes, n + 1);
    to_start(f);
}

static void counted(struct framer *f, struct str *bytes, framer_take *take, void *arg)
{
    size_t n = min_size(f->left, bytes->n), had = bytes->n;

    if (f->held.n == 0 && n == f->left && n <= f->limit_bytes) {
        give(f, str_of(bytes->p, n), f->split, take, arg);
        *bytes = str_cut(*bytes, n);
        to_start(f);
        return;
    }
    if (n == f->left && f->held.n + n <= f->limit_bytes) {
        buf_put(&f->held, bytes->p, n);
        *bytes = str_cut(*bytes, n);
        give_held(f, f->split, take, arg);
        to_start(f);
        return;
    }
    hold(f, bytes, n, take, arg);
    f->left -= had - bytes->n;
}

void framer_feed(struct framer *f, struct str bytes, framer_take *take, void *arg)
{
    while (bytes.n) {
        if (f->state == FRAME_START)
            start(f, &bytes);
        else if (f->state == FRAME_LINE)
            line(f, &bytes, take, arg);
        else
            counted(f, &bytes, take, arg);
    }
}

void framer_end(struct framer *f, framer_take *take, void *arg)
{
    bool short_count = f->state == FRAME_COUNTED;

    if (f->state == FRAME_START && f->head_n)
        to_line(f);
    if (f->held.n)
        give_held(f, f->split || short_count, take, arg);
    to_start(f);
}
