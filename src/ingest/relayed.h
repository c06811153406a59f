/* relayed.h - events passed on by another Saqshy, as OTLP's route sees them.
 *
 * Owns      nothing.
 * Promises  1. Only a client whose certificate's name stands in the listener's option relays is let in.
 *           2. Events arrive whole and unchanged, but for saqshy.relay, and for a moment of receipt that cannot be (envelope_moment); one that passed RELAYS_MAX Saqshys is refused and counted: it goes in a circle.
 * Threads   admit: loop; decode: the worker. */
#ifndef SAQSHY_INGEST_RELAYED_H
#define SAQSHY_INGEST_RELAYED_H

#include "ingest/http.h"

#define RELAYS_MAX 8

bool relayed_wanted(const char *content_type);
/* relayed_admit - as admit of a route; p->numbered and p->number are filled. */
int relayed_admit(const struct http_ask *a, struct pile *p, struct err *e);
extern const struct body_decoder relayed_decoder;

#endif
