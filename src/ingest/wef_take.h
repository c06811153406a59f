/* wef_take.h - what the loop's side of Windows Event Forwarding gives the worker's: a note for each request; see wef.h.
 *
 * Owns      a note owns its share of the subscriptions and its copy of a bookmark; its pile owns the note.
 * Promises  1. What a note holds of the loop is written before the pile goes to the worker, and not touched by the loop until it is back.
 * Threads   whoever holds the pile. struct wef's rows: loop only; its marks have a lock.
 * Units     as wef.h.
 * Source    wef.h. */
#ifndef SAQSHY_INGEST_WEF_TAKE_H
#define SAQSHY_INGEST_WEF_TAKE_H

#include "ingest/http.h"
#include "ingest/wef.h"

#define WEF_PATH "/wsman/subscriptions/"

struct wef_note {
    struct wef_set *set;
    char            host[WEF_HOST_MAX + 1], issuer[41], id[WEF_ID_MAX + 1];   /* id: of the path */
    bool            utf16, sldc;      /* the headers say so */
    /* by the worker */
    bool            utf16_answer, end, moved;
    char           *bookmark;         /* of events that are being stored */
    char            version[64];
    uint64_t        hash;
    int64_t         events, foreign;
};

/* The subscriptions of a listener. */
struct wef_row {
    const struct listener *listener;
    struct wef_set        *set;
    char                   path[4096], error[ERR_TEXT_MAX];
    uint64_t               stamp;
    time_ns                looked, opened;   /* opened: what was before nobody knows */
};
struct wef {
    struct wef_marks *marks;
    struct wef_row    row[LISTENERS_MAX * 2];   /* those that leave, too */
    size_t            count;
};

extern const struct body_decoder wef_decoder;

#endif
