/* winnames.h - the names that fields of a Windows event get, wherever it was read from: XML, or the binary XML of an EVTX file.
 *
 * Owns      nothing: names are constants.
 * Promises  1. The same element of the Windows event schema has the same name in every reader: what a rule finds in a file it
 *              finds in the stream.
 *           2. Names are those of Winlogbeat, which Sigma's pipelines and the Elastic Common Schema know; a field of another
 *              place of the schema has none.
 * Threads   any.
 * Units     bytes.
 * Source    the Windows event schema (System, RenderingInfo); docs/parsers.md. */
#ifndef SAQSHY_PARSE_WINNAMES_H
#define SAQSHY_PARSE_WINNAMES_H

#include "base/base.h"

#define WIN_EVENT_DATA "winlog.event_data."
#define WIN_USER_DATA "winlog.user_data."
#define WIN_USER_DATA_ROOT "winlog.user_data.xml_name"

/* Where an element stands decides what it is; places below the known ones have no fields. */
enum win_place {
    WIN_OUTSIDE,  /* around <Event> */
    WIN_EVENT,    /* a child of Event */
    WIN_SYSTEM,   /* of System */
    WIN_DATA,     /* of EventData or ProcessingErrorData */
    WIN_USER,     /* of UserData: its name is that of the form */
    WIN_USER_IN,  /* anywhere below that */
    WIN_RENDERED, /* of RenderingInfo */
    WIN_OTHER,
    WIN_PLACES
};

/* winname_place - where the children of an element stand that itself stands at place. */
enum win_place winname_place(enum win_place place, struct str element);
/* The rest answer {NULL,0}: no field. */
struct str winname_system(struct str element);                         /* "EventID": "winlog.event_id" */
struct str winname_attribute(struct str element, struct str attribute); /* of an element of System */
struct str winname_rendered(struct str element);                       /* "Message": "rendered.message" */

#endif
