/* wef.h - Windows Event Forwarding: what machines of Windows say over WS-Management, what they are told, and how far each is.
 *
 * Owns      struct wef, one for the role: the subscriptions of each listener and the marks of all machines. A set of subscriptions is shared
 *           (counted): the listener holds it, and whatever request was admitted under it.
 * Promises  1. Events are acknowledged after the journal's commit and after the bookmark that came with them is on disk: what was acknowledged is
 *              stored, and a machine that asks again goes on behind it. Never the other way round.
 *           2. A batch that is sent again word for word, because its answer was lost, is acknowledged and not stored twice.
 *           3. No event is refused for what it says. What cannot be read of a batch is stored as it came: a machine is never stuck behind it.
 *           4. A subscription that Windows would refuse is refused when it is loaded; the ones before stay in force. Whatever changes in one gives it
 *              another version, by which machines take it up at their next question.
 *           5. Bounded: WEF_SUBSCRIPTIONS_MAX, WEF_EVENTS_MAX of a message, WEF_BOOKMARK_MAX, WEF_MARKS_MAX; no recursion, no entities of a stranger.
 * Threads   messages, subscriptions: any. Sets of listeners: loop only. Marks have a lock of their own: the worker changes them, the loop shows them.
 * Units     seconds and bytes, as the names say; time_ns of receipt.
 * Source    DSP0226 1.1 (WS-Management), [MS-WSMV] 3.1.4.1.30, WS-Eventing and WS-Enumeration of 2004. Kerberos (plain HTTP within a domain) is not spoken.
 *
 *      machine                                 collector
 *      POST …/SubscriptionManager/WEC  ──►     Enumerate: which subscriptions are there for me?
 *                                      ◄──     each as the Subscribe that the machine is to obey, with its query and the last bookmark
 *      POST …/subscriptions/ID         ──►     Events, a bookmark, AckRequested; or Heartbeat, SubscriptionEnd
 *                                      ◄──     Ack, after the commit */
#ifndef SAQSHY_INGEST_WEF_H
#define SAQSHY_INGEST_WEF_H

#include "base/base.h"
#include "base/listen.h"

#define WEF_DEPTH_MAX         64
#define WEF_SUBSCRIPTIONS_MAX 32           /* of a listener */
#define WEF_ID_MAX            48
#define WEF_HOST_MAX          255
#define WEF_EVENTS_MAX        65536        /* EVENT_BATCH_MAX: a request is one frame of the journal */
#define WEF_BOOKMARK_MAX      (64u * KIB)  /* a query has at most 256 channels, each a hundred bytes or two */
#define WEF_MARKS_MAX         100000       /* machines times subscriptions */
#define WEF_CHANNELS_MAX      256          /* of a query, as Windows has it */
#define WEF_COMPARED_MAX      20           /* comparisons in one Select: Windows refuses a query with some more as invalid */
#define WEF_FILE_MAX          (1u * MIB)   /* of a subscription */

/* --- XML, piece by piece (wef_xml.c) --- */

enum xtoken { X_END, X_OPEN, X_CLOSE, X_TEXT, X_DAMAGED };
/* Views into the text. An empty element is an X_OPEN and an X_CLOSE. No DOCTYPE, no entities but the five and numbers. */
struct xpull {
    const char *p, *end;
    const char *at;                    /* where the last token begins */
    int         depth;                 /* behind the last token */
    struct str  path[WEF_DEPTH_MAX];   /* local names of open elements */
    struct str  name;                  /* of the last X_OPEN or X_CLOSE, local */
    struct str  attributes;            /* of the last X_OPEN, as written */
    struct str  text;                  /* of the last X_TEXT, as written */
    bool        cdata;                 /* it needs no decoding */
    bool        closing;               /* the element that was opened is empty */
    const char *why;                   /* of X_DAMAGED */
};
void xpull_from(struct xpull *x, struct str text);
enum xtoken xpull_next(struct xpull *x);
/* xpull_attribute - the value of an attribute (local name) of the last X_OPEN, as written. False if it has none. */
bool xpull_attribute(const struct xpull *x, struct str name, struct str *value);
/* xpull_decoded - a text with its entities undone: a view where there is none, else in the arena. */
struct str xpull_decoded(struct str text, struct arena *a);
/* xml_put - text with the five letters that mean something in XML written as entities. */
void xml_put(struct buf *b, struct str text);

/* --- messages (wef_soap.c) --- */

enum wef_action { WEF_UNKNOWN, WEF_ENUMERATE, WEF_EVENTS, WEF_HEARTBEAT, WEF_SUBSCRIPTION_END, WEF_END };

struct wef_message {
    enum wef_action action;
    struct str      message_id, operation_id, identifier, machine;   /* identifier: the version of the subscription that the machine obeys */
    struct str      bookmark;          /* as written, sound XML or an address; empty: none */
    struct str      status, fault;     /* of SubscriptionEnd: why, and the number of the error */
    struct str     *events;            /* in the arena */
    size_t          count;
    struct str      rest;              /* of a body of events from the place on that cannot be read; empty: all was read */
    bool            ack;
};
/* wef_read - a message in UTF-8. -EBADMSG without an action; -E2BIG past WEF_EVENTS_MAX; -ENOMEM. */
MUST_USE int wef_read(struct str text, struct arena *a, struct wef_message *out, struct err *e);
/* wef_bookmark_sound - may it be given back inside our own XML? */
bool wef_bookmark_sound(struct str bookmark);

/* Whom an answer is for. */
struct wef_asker {
    struct str host;                   /* "collector.example:5986": where the machine reaches us */
    struct str issuer;                 /* SHA-1 of the certificate that issued the machine's, 40 hexadecimal digits; empty: any */
    struct str machine;
};
struct wef_set;
struct wef_subscription;
/* wef_ack - the answer to Events, Heartbeat and SubscriptionEnd. */
void wef_ack(struct buf *out, const struct wef_message *m);
void wef_enumerate_begin(struct buf *out, const struct wef_message *m);
void wef_enumerate_item(struct buf *out, const struct wef_subscription *s, const struct wef_asker *to, struct str bookmark);
void wef_enumerate_end(struct buf *out);
/* wef_fault - a refusal: a SOAP fault with one sentence. */
void wef_fault(struct buf *out, bool sender, struct str reason);
/* wef_utf16 - text as UTF-16, little-endian, with a byte order mark: as Windows writes it. */
void wef_utf16(struct buf *out, struct str text);

/* wef_sldc - a body unpacked into out, whose limit bounds it: -E2BIG past it, -EBADMSG for what is no SLDC (wef_sldc.c). */
MUST_USE int wef_sldc(struct str in, struct buf *out, struct err *e);

/* --- subscriptions (wef_subs.c) --- */

struct wef_subscription {
    char    id[WEF_ID_MAX + 1];
    char   *title, *query;
    char  **machines, **except;        /* patterns of names, letters folded; "*" stands for any text */
    size_t  machine_count, except_count;
    bool    rendered, existing, compress;
    int64_t heartbeat_s, max_time_s, max_elements, envelope_bytes, retry_s, retry_count;
    char   *language;                  /* of rendered texts, "ru-RU"; empty: that of the machine */
};
struct wef_set {
    int                     refs;      /* atomic */
    struct wef_subscription item[WEF_SUBSCRIPTIONS_MAX];
    size_t                  count;
};
/* wef_set_load - the *.yaml of a folder, or one file. Refused whole with file and line. */
MUST_USE int wef_set_load(const char *path, struct wef_set **out, struct err *e);
struct wef_set *wef_set_ref(struct wef_set *s);
void wef_set_unref(struct wef_set **s);
const struct wef_subscription *wef_set_find(const struct wef_set *s, struct str id);
/* wef_subscription_for - is it for this machine? */
bool wef_subscription_for(const struct wef_subscription *s, struct str machine);
/* wef_version - 36 letters of a UUID made of everything a machine is told but the bookmark. */
void wef_version(const struct wef_subscription *s, const struct wef_asker *to, char out[37]);
/* wef_query_lint - is the query one that Windows takes? at: the offset. */
MUST_USE int wef_query_lint(struct str query, struct err *e);
/* wef_folder - the folder or file of a listener's subscriptions: its option, or content/wef. */
const char *wef_folder(const struct listen_conf *c, const char *content, char out[4096]);
/* wef_check - may the listener be opened so? For the check of a configuration. */
MUST_USE int wef_check(const struct listen_conf *c, const char *content, struct err *e);

/* --- how far each machine is (wef_marks.c) --- */

struct wef_mark {
    char    *machine, *subscription;
    char    *bookmark;                 /* NULL: none yet */
    char     version[64];              /* that the machine named last */
    char     address[64];
    uint64_t hash;                     /* of the batch that the bookmark came with */
    int64_t  events, repeated, foreign;   /* since the start; foreign: of another computer than the certificate names */
    time_ns  first_seen, enumerated, heartbeat, last_event, ended;   /* ended: it cancelled the subscription; 0: never, or begun anew */
    uint32_t fault;
};
struct wef_marks;
/* wef_marks_open - of the file; it need not be there. Its damaged lines are skipped and counted. */
MUST_USE int wef_marks_open(const char *path, struct wef_marks **out, size_t *damaged, struct err *e);
void wef_marks_free(struct wef_marks **m);
/* What is to be remembered of a batch. Texts are borrowed. */
struct wef_move {
    struct str machine, subscription, bookmark, version;
    uint64_t   hash;
    time_ns    at;
};
/* wef_marks_move - the bookmark of a stored batch: in memory, and appended to the file. -E2BIG past WEF_MARKS_MAX. */
MUST_USE int wef_marks_move(struct wef_marks *m, const struct wef_move *to, struct err *e);
/* wef_marks_sync - everything appended is on disk. */
MUST_USE int wef_marks_sync(struct wef_marks *m, struct err *e);
/* wef_marks_bookmark - a copy in the arena; {NULL,0}: none. */
struct str wef_marks_bookmark(struct wef_marks *m, struct str machine, struct str subscription, struct arena *a);
/* wef_marks_repeated - is the batch the one that the bookmark came with? */
bool wef_marks_repeated(struct wef_marks *m, struct str machine, struct str subscription, struct str bookmark, uint64_t hash);
/* What a machine did, for people: never written to disk. */
enum wef_seen { WEF_SEEN_ENUMERATE, WEF_SEEN_HEARTBEAT, WEF_SEEN_EVENTS, WEF_SEEN_REPEAT, WEF_SEEN_END };
struct wef_sight {
    enum wef_seen what;
    struct str    machine, subscription, version, address;
    int64_t       events, foreign;
    uint32_t      fault;
    time_ns       at;
};
void wef_marks_see(struct wef_marks *m, const struct wef_sight *s);
/* wef_marks_each - those seen last, at most most of them, newest first. */
typedef void wef_marks_show(void *arg, const struct wef_mark *mark);
void wef_marks_each(struct wef_marks *m, size_t most, wef_marks_show *show, void *arg);
size_t wef_marks_count(struct wef_marks *m);

/* --- the role's --- */

struct ingest;
struct wef;
void wef_free(struct wef **w);

#endif
