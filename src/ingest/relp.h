/* relp.h - frames of RELP, found in a stream however it is cut.
 *
 *      TXNR SP COMMAND SP DATALEN [SP DATA] LF       "7 syslog 11 <13>hello..\n"
 *
 * Owns      a reader owns the bytes of the frame that is not whole yet, until relp_free.
 * Promises  1. A stream in one piece and the same stream cut anywhere give the same frames.
 *           2. The last piece of a frame is given only when its LF was seen.
 *           3. Data of `syslog` longer than limit_bytes comes in pieces; that of other commands past RELP_OTHER_MAX is wrong.
 *           4. Whatever is no frame stops the reader, with the reason in wrong. It never starts again.
 * Threads   loop only.
 * Units     bytes.
 * Source    the specification of RELP, https://www.rsyslog.com/doc/relp.html. */
#ifndef SAQSHY_INGEST_RELP_H
#define SAQSHY_INGEST_RELP_H

#include "base/base.h"

#define RELP_DIGITS_MAX  9                  /* of a number; 999,999,999 is followed by 1 */
#define RELP_COMMAND_MAX 32
#define RELP_DATA_MAX    (64u * MIB)        /* nobody's log line; a sender that says more is lost in its frames */
#define RELP_OTHER_MAX   (16u * KIB)        /* of commands that carry no line */

enum relp_state { RELP_TXNR, RELP_COMMAND, RELP_LENGTH, RELP_DATA, RELP_TRAILER };

struct relp_reader {
    enum relp_state state;
    size_t          digits;
    uint32_t        txnr;
    char            command[RELP_COMMAND_MAX];
    size_t          command_n;
    size_t          left;          /* bytes of the data still to come */
    size_t          limit_bytes;   /* of a piece */
    bool            split;         /* a piece of this frame was given already */
    const char     *wrong;         /* NULL: all is well */
    struct buf      held;
};

/* A frame, or a piece of one: views, until the callback returns. */
struct relp_frame {
    uint32_t   txnr;
    struct str command, data;
    bool       truncated;          /* one of several pieces */
    bool       last;               /* of the frame */
};
/* False: stop, the rest of the bytes is of no use. */
typedef bool relp_take(void *arg, const struct relp_frame *f);

void relp_init(struct relp_reader *r, size_t limit_bytes);
void relp_free(struct relp_reader *r);
/* relp_feed - every frame in bytes (and held before) to take. False if it stopped: wrong says why, or take did. */
bool relp_feed(struct relp_reader *r, struct str bytes, relp_take *take, void *arg);

/* relp_offers - what the data of `open` offers: its version in *version, and whether it has the command syslog. -EBADMSG without a version. */
MUST_USE int relp_offers(struct str data, uint32_t *version, bool *syslog, struct err *e);

#endif
