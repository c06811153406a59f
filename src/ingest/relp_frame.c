/* relp_frame.c - see relp.h. A frame may be cut anywhere, so a state says which part of it comes, and each part takes what
 * there is of it; data is looked at in place where it is whole. */
#include "ingest/relp.h"
#include "ingest/listener.h"

#define HELD_KEEP_MAX (64u * KIB)   /* a larger buffer is given back after its frame */

void relp_init(struct relp_reader *r, size_t limit_bytes)
{
    *r = (struct relp_reader){ .limit_bytes = limit_bytes };
    buf_init(&r->held, LINE_MAX_BYTES + RELP_OTHER_MAX);
}

void relp_free(struct relp_reader *r) { buf_free(&r->held); }

static bool wrong(struct relp_reader *r, const char *why)
{
    r->wrong = why;
    return false;
}

static bool is_syslog(const struct relp_reader *r) { return str_eq(str_of(r->command, r->command_n), STR("syslog")); }

static bool give(struct relp_reader *r, struct str data, bool last, relp_take *take, void *arg)
{
    struct relp_frame f = { .txnr = r->txnr, .command = str_of(r->command, r->command_n), .data = data, .truncated = r->split || !last,
                            .last = last };

    r->split = !last;
    return take(arg, &f);
}

static bool give_held(struct relp_reader *r, bool last, relp_take *take, void *arg)
{
    bool on = give(r, buf_view(&r->held), last, take, arg);

    if (r->held.cap > HELD_KEEP_MAX) {
        buf_free(&r->held);
        buf_init(&r->held, LINE_MAX_BYTES + RELP_OTHER_MAX);
    } else {
        buf_reset(&r->held);
    }
    return on;
}

static void to_start(struct relp_reader *r)
{
    r->state = RELP_TXNR;
    r->digits = r->command_n = r->left = 0;
    r->txnr = 0;
    r->split = false;
}

/* number - the digits at the beginning of *bytes, so many as are there, go on with *out. False: there are too many, or none where something else comes. */
static bool number(struct relp_reader *r, struct str *bytes, size_t *out)
{
    size_t n = 0;

    for (; n < bytes->n && bytes->p[n] >= '0' && bytes->p[n] <= '9'; n++, r->digits++) {
        if (r->digits == RELP_DIGITS_MAX)
            return false;
        *out = *out * 10 + (size_t)(bytes->p[n] - '0');
    }
    *bytes = str_cut(*bytes, n);
    return r->digits > 0 || !bytes->n;
}

static bool txnr(struct relp_reader *r, struct str *bytes)
{
    size_t v = r->txnr;

    if (!number(r, bytes, &v) || (bytes->n && *bytes->p != ' '))
        return wrong(r, "no transaction number where a frame begins");
    r->txnr = (uint32_t)v;
    if (bytes->n) {
        *bytes = str_cut(*bytes, 1);
        r->state = RELP_COMMAND;
    }
    return true;
}

static bool command(struct relp_reader *r, struct str *bytes)
{
    size_t n = 0;

    for (; n < bytes->n && r->command_n < RELP_COMMAND_MAX; n++) {
        char c = bytes->p[n];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            break;
        r->command[r->command_n++] = c;
    }
    *bytes = str_cut(*bytes, n);
    if (!bytes->n)
        return true;
    if (*bytes->p != ' ' || !r->command_n)
        return wrong(r, "no command behind the transaction number");
    *bytes = str_cut(*bytes, 1);
    r->state = RELP_LENGTH;
    r->digits = 0;
    return true;
}

/* length - behind one of 0 the trailer may follow at once: "7 close 0\n". */
static bool length(struct relp_reader *r, struct str *bytes)
{
    if (!number(r, bytes, &r->left) || (bytes->n && *bytes->p != ' ' && !(*bytes->p == '\n' && r->left == 0)))
        return wrong(r, "no length of data behind the command");
    if (!bytes->n)
        return true;
    if (r->left > RELP_DATA_MAX || (r->left > RELP_OTHER_MAX && !is_syslog(r)))
        return wrong(r, "the data is too long");
    if (*bytes->p == ' ')
        *bytes = str_cut(*bytes, 1);
    r->state = r->left ? RELP_DATA : RELP_TRAILER;
    return true;
}

/* data - bytes of it: all in place with the trailer, or held. */
static bool data(struct relp_reader *r, struct str *bytes, relp_take *take, void *arg)
{
    size_t most = is_syslog(r) ? r->limit_bytes : RELP_OTHER_MAX, n = min_size(r->left, bytes->n), room;

    if (r->held.n == 0 && r->left <= most && bytes->n > r->left) {
        struct str all = str_of(bytes->p, r->left);

        if (bytes->p[r->left] != '\n')
            return wrong(r, "no line feed where the data ends");
        *bytes = str_cut(*bytes, r->left + 1);
        if (!give(r, all, true, take, arg))
            return false;
        to_start(r);
        return true;
    }
    room = most > r->held.n ? most - r->held.n : 0;
    if (room == 0)
        return give_held(r, false, take, arg);
    n = min_size(n, room);
    buf_put(&r->held, bytes->p, n);
    if (buf_failed(&r->held))
        return wrong(r, "no memory for the data");
    *bytes = str_cut(*bytes, n);
    r->left -= n;
    if (r->left == 0)
        r->state = RELP_TRAILER;
    return true;
}

static bool trailer(struct relp_reader *r, struct str *bytes, relp_take *take, void *arg)
{
    if (bytes->p[0] != '\n')
        return wrong(r, "no line feed where the data ends");
    *bytes = str_cut(*bytes, 1);
    if (!give_held(r, true, take, arg))
        return false;
    to_start(r);
    return true;
}

bool relp_feed(struct relp_reader *r, struct str bytes, relp_take *take, void *arg)
{
    bool on = !r->wrong;

    while (on && bytes.n)
        switch (r->state) {
        case RELP_TXNR:
            on = txnr(r, &bytes);
            break;
        case RELP_COMMAND:
            on = command(r, &bytes);
            break;
        case RELP_LENGTH:
            on = length(r, &bytes);
            break;
        case RELP_DATA:
            on = data(r, &bytes, take, arg);
            break;
        default:
            on = trailer(r, &bytes, take, arg);
        }
    return on;
}

/* has_word - is word one of the comma-separated list? */
static bool has_word(struct str list, struct str word)
{
    while (list.n) {
        ptrdiff_t comma = str_chr(list, ',');
        size_t n = comma < 0 ? list.n : (size_t)comma;

        if (str_eq(str_of(list.p, n), word))
            return true;
        list = str_cut(list, min_size(n + 1, list.n));
    }
    return false;
}

static bool take_version(struct str text, uint32_t *out)
{
    uint32_t v = 0;

    if (text.n == 0 || text.n > RELP_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(text.p[i] - '0');
    }
    *out = v;
    return true;
}

int relp_offers(struct str data, uint32_t *version, bool *syslog, struct err *e)
{
    bool known = false;

    *syslog = false;
    while (data.n) {
        ptrdiff_t end = str_chr(data, '\n'), is;
        struct str line = str_of(data.p, end < 0 ? data.n : (size_t)end), name = line, value = { NULL, 0 };

        data = str_cut(data, min_size(line.n + 1, data.n));
        is = str_chr(line, '=');
        if (is >= 0) {
            name = str_of(line.p, (size_t)is);
            value = str_cut(line, (size_t)is + 1);
        }
        if (str_eq(name, STR("relp_version"))) {
            known = take_version(value, version);
            if (!known)
                return err_set(e, -EBADMSG, "the offer relp_version is no number");
        } else if (str_eq(name, STR("commands"))) {
            *syslog = has_word(value, STR("syslog"));
        }
    }
    return known ? 0 : err_set(e, -EBADMSG, "there is no offer relp_version");
}
