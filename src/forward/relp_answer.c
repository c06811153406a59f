/* relp_answer.c - see relp_answer.h. A frame is TXNR SP COMMAND SP LENGTH [SP DATA] LF; one byte at a time, by a state.
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

static int take_digit(struct answer_reader *r, uint32_t *to, char c, uint32_t most, struct err *e)
{
    if (c < '0' || c > '9' || r->digits == most)
        return wrong(r, e, to == &r->txnr ? "a transaction number is expected" : "the length of an answer is expected");
    *to = *to * 10 + (uint32_t)(c - '0');
    r->digits++;
    return 0;
}

/* step - one byte. 1: it ends an answer. */
static int step(struct answer_reader *r, char c, struct err *e)
{
    switch (r->state) {
    case ANSWER_TXNR:
        if (c != ' ' || !r->digits)
            return take_digit(r, &r->txnr, c, TXNR_DIGITS, e);
        r->state = ANSWER_COMMAND;
        return 0;
    case ANSWER_COMMAND:
        if (c == ' ' && r->command_n) {
            r->state = ANSWER_LENGTH;
            r->digits = 0;
            return 0;
        }
        if (((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_') || r->command_n == sizeof r->command - 1)
            return wrong(r, e, "a command is expected");
        r->command[r->command_n++] = c;
        return 0;
    case ANSWER_LENGTH:
        if (c == '\n' && r->digits && r->length == 0)
            return 1;
        if (c != ' ' || !r->digits)
            return take_digit(r, &r->length, c, LENGTH_DIGITS, e);
        if (r->length > ANSWER_DATA_MAX)
            return wrong(r, e, "an answer is too long");
        r->left = r->length;
        r->state = r->left ? ANSWER_DATA : ANSWER_TRAILER;
        return 0;
    case ANSWER_DATA:
        if (r->text_n < sizeof r->text)
            r->text[r->text_n++] = c;
        r->state = --r->left ? ANSWER_DATA : ANSWER_TRAILER;
        return 0;
    case ANSWER_TRAILER:
        return c == '\n' ? 1 : wrong(r, e, "the end of an answer is expected");
    default:
        return wrong(r, e, "it did not before");
    }
}

int answer_take(struct answer_reader *r, struct str *bytes, struct relp_answer *out, struct err *e)
{
    if (r->state == ANSWER_TXNR && r->digits == 0) {
        r->txnr = r->length = 0;
        r->command_n = r->text_n = 0;
    }
    for (size_t i = 0; i < bytes->n; i++) {
        int rc = step(r, bytes->p[i], e);

        if (rc == 0)
            continue;
        *bytes = str_cut(*bytes, i + 1);
        if (rc < 0)
            return rc;
        *out = (struct relp_answer){ r->txnr, str_of(r->command, r->command_n), str_of(r->text, r->text_n) };
        r->state = ANSWER_TXNR;
        r->digits = 0;
        return 1;
    }
    *bytes = str_of(NULL, 0);
    return 0;
}

int answer_code(struct str s)
{
    uint64_t n;

    if (s.n < 3 || !str_u64(str_of(s.p, 3), &n) || (s.n > 3 && s.p[3] != ' ' && s.p[3] != '\n'))
        return 0;
    return (int)n;
}
