/* relp_answer.h - what a RELP server says to its client, out of a stream of bytes.
 *
 * Owns      the reader owns nothing but itself: its text is a bounded array.
 * Promises  1. Any bytes may come, in any pieces; what is no RELP is -EBADMSG, once and for all.
 *           2. Bounded: ANSWER_TEXT_MAX bytes of an answer are kept, the rest of it is read and forgotten.
 * Threads   owner.
 * Source    "RELP - The Reliable Event Logging Protocol" (rsyslog project). */
#ifndef SAQSHY_FORWARD_RELP_ANSWER_H
#define SAQSHY_FORWARD_RELP_ANSWER_H

#include "base/base.h"

#define ANSWER_TEXT_MAX 512
#define ANSWER_DATA_MAX (128u * KIB)    /* librelp's own limit of a frame */

enum answer_state { ANSWER_TXNR, ANSWER_COMMAND, ANSWER_LENGTH, ANSWER_DATA, ANSWER_TRAILER, ANSWER_WRONG };
struct answer_reader {
    enum answer_state state;
    uint32_t          txnr, digits;
    char              command[33];
    size_t            command_n;
    uint32_t          length, left;
    char              text[ANSWER_TEXT_MAX];
    size_t            text_n;
};
struct relp_answer {
    uint32_t   txnr;        /* 0: a hint, as "serverclose" */
    struct str command, text;   /* views into the reader until the next call */
};

/* answer_take - the next whole answer at the beginning of *bytes, which is cut. 1: there is one; 0: more bytes are needed; -EBADMSG. */
MUST_USE int answer_take(struct answer_reader *r, struct str *bytes, struct relp_answer *out, struct err *e);
/* answer_code - of an "rsp": 200, 500, …; 0 if it begins with no number of three digits. */
int answer_code(struct str text);

#endif
