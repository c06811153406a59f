/* relp_answer.c - see relp_answer.h. A frame is TXNR SP COMMAND SP LENGTH [SP DATA] LF; a state says which part comes, and each part takes what there is of it.
 *
 *      TXNR ──SP──► COMMAND ──SP──► LENGTH ──SP──► DATA ──all──► TRAILER ──LF──► TXNR
 *                                      └──LF, if the length is 0───────────────────┘ */
#include "forward/relp_answer.h"

#define TXNR_DIGITS   9
#define LENGTH_DIGITS 9

static int wrong(struct answer_reader *r, struct err *e, const char *what)
{
    r->state = ANSWER_WRONG;
    return err_set(e, -EBADMSG, "the other side does not speak RELP: %s", what);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/* number - the digits at the beginning of *bytes, so many as are there, go on with *to. False: there are too many. */
static bool number(struct answer_reader *r, struct str *bytes, uint32_t *to, uint32_t most)
{
    size_t n = 0;

    for (; n < bytes->n && is_digit(bytes->p[n]); n++, r->digits++) {
        if (r->digits == most)
            return false;
        *to = *to * 10 + (uint32_t)(bytes->p[n] - '0');
    }
    *bytes = str_cut(*bytes, n);
    return true;
}

static int take_txnr(struct answer_reader *r, struct str *bytes, struct err *e)
{
    if (!number(r, bytes, &r->txnr, TXNR_DIGITS) || (bytes->n && (*bytes->p != ' ' || !r->digits)))
        return wrong(r, e, "a transaction number is expected");
    if (!bytes->n)
        return 0;
    *bytes = str_cut(*bytes, 1);
    r->state = ANSWER_COMMAND;
    return 0;
}

static int take_command(struct answer_reader *r, struct str *bytes, struct err *e)
{
    size_t n = 0;

    for (; n < bytes->n && is_letter(bytes->p[n]) && r->command_n < sizeof r->command - 1; n++)
        r->command[r->command_n++] = bytes->p[n];
    *bytes = str_cut(*bytes, n);
    if (!bytes->n)
        return 0;
    if (*bytes->p != ' ' || !r->command_n)
        return wrong(r, e, "a command is expected");
    *bytes = str_cut(*bytes, 1);
    r->state = ANSWER_LENGTH;
    r->digits = 0;
    return 0;
}

/* take_length - 1: and the answer is whole with it. */
static int take_length(struct answer_reader *r, struct str *bytes, struct err *e)
{
    bool end;

    if (!number(r, bytes, &r->length, LENGTH_DIGITS))
        return wrong(r, e, "the length of an answer is expected");
    if (!bytes->n)
        return 0;
    end = *bytes->p == '\n' && r->length == 0;
    if ((*bytes->p != ' ' && !end) || !r->digits)
        return wrong(r, e, "the length of an answer is expected");
    if (r->length > ANSWER_DATA_MAX)
        return wrong(r, e, "an answer is too long");
    *bytes = str_cut(*bytes, 1);
    r->left = r->length;
    r->state = r->left ? ANSWER_DATA : ANSWER_TRAILER;
    return end;
}

static void take_data(struct answer_reader *r, struct str *bytes)
{
    size_t n = min_size(r->left, bytes->n), kept = min_size(n, sizeof r->text - r->text_n);

    memcpy(r->text + r->text_n, bytes->p, kept);
    r->text_n += kept;
    r->left -= (uint32_t)n;
    *bytes = str_cut(*bytes, n);
    r->state = r->left ? ANSWER_DATA : ANSWER_TRAILER;
}

/* take_trailer - 1: the answer is whole. */
static int take_trailer(struct answer_reader *r, struct str *bytes, struct err *e)
{
    if (*bytes->p != '\n')
        return wrong(r, e, "the end of an answer is expected");
    *bytes = str_cut(*bytes, 1);
    return 1;
}

int answer_take(struct answer_reader *r, struct str *bytes, struct relp_answer *out, struct err *e)
{
    int rc = 0;

    if (r->state == ANSWER_TXNR && r->digits == 0) {
        r->txnr = r->length = 0;
        r->command_n = r->text_n = 0;
    }
    while (rc == 0 && bytes->n)
        switch (r->state) {
        case ANSWER_TXNR:
            rc = take_txnr(r, bytes, e);
            break;
        case ANSWER_COMMAND:
            rc = take_command(r, bytes, e);
            break;
        case ANSWER_LENGTH:
            rc = take_length(r, bytes, e);
            break;
        case ANSWER_DATA:
            take_data(r, bytes);
            break;
        case ANSWER_TRAILER:
            rc = take_trailer(r, bytes, e);
            break;
        default:
            rc = wrong(r, e, "it did not before");
        }
    if (rc != 1)
        return rc;
    *out = (struct relp_answer){ r->txnr, str_of(r->command, r->command_n), str_of(r->text, r->text_n) };
    r->state = ANSWER_TXNR;
    r->digits = 0;
    return 1;
}

int answer_code(struct str s)
{
    uint64_t n;

    if (s.n < 3 || !str_u64(str_of(s.p, 3), &n) || (s.n > 3 && s.p[3] != ' ' && s.p[3] != '\n'))
        return 0;
    return (int)n;
}
