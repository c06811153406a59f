/* pictures.h - what other roles publish in DATA/run and DATA/detect, read once for all who look, and its counters as they were in the last quarter of an hour.
 *
 * Owns      the parsed files and the readings. What pictures_get gives is counted by jansson: whoever asked lets it go with json_decref.
 * Promises  1. A file is parsed again only when it changed, however many look: at 20,000 sources it has megabytes.
 *           2. A picture is never changed once it was given out: readers share it.
 *           3. A file that is not there, or cannot be read, is NULL and nothing else; the picture before it is not shown instead.
 *           4. Rates and "lately" come from two readings of one run of the role. A role that began again counts from nothing.
 * Threads   any: a lock of each file is held inside, while it is parsed too.
 * Units     time_ns of the clock of the role that wrote; counters as that role counts.
 * Source    docs/collection.md (ingest.json, sources.json, parsers.json), docs/portal.md. */
#ifndef SAQSHY_PORTAL_PICTURES_H
#define SAQSHY_PORTAL_PICTURES_H

#include <jansson.h>

#include "base/catalog.h"
#include "base/node.h"

enum picture { PICTURE_INGEST, PICTURE_SOURCES, PICTURE_PARSERS, PICTURE_FORWARD, PICTURE_RETENTION, PICTURE_ANNEX4, PICTURE_RULES, PICTURE_RISK, PICTURE_COVERAGE, PICTURE_EXCEPTIONS, PICTURE_COUNT };

#define PICTURE_BYTES_MAX (64u * MIB)
#define PICTURE_OLD_NS    (60 * NS_PER_SECOND)     /* a role that has not written for so long is down; each writes every ten seconds */
#define READINGS_MAX      91                       /* a quarter of an hour at READING_NS */
#define READING_NS        (10 * NS_PER_SECOND)
#define LATELY_NS         (15 * NS_PER_MINUTE)

struct pictures;
MUST_USE int pictures_new(const struct node *node, struct pictures **out, struct err *e);
void pictures_free(struct pictures **p);

/* pictures_get - the file as it is now, to be read only; NULL: there is none. */
json_t *pictures_get(struct pictures *p, enum picture which);

/* What stands in them: the value of a member. A text is "" if absent; a number and a moment are 0 if absent or not of the kind, a number below zero too. */
const char *picture_text(const json_t *o, const char *key);
int64_t picture_count(const json_t *o, const char *key);
time_ns picture_time(const json_t *o, const char *key);
/* picture_title - the title of a rule in this language, else its own. */
const char *picture_title(const json_t *rule, enum lang lang);

/* pictures_look - take a reading of the counters, at most one each READING_NS of the role's own clock. Called every ten seconds. */
void pictures_look(struct pictures *p);

/* What happened to one counter. "listener/ID" has read, events, trouble (refused for a reason that is nobody's routine), away, drops;
 * "upstream/NAME" has sent and given_up. */
struct moved {
    double  rate_s;      /* between the last two readings; below zero: there are not two */
    int64_t lately;      /* within LATELY_NS, or since the role or the portal began */
};
struct moved pictures_moved(struct pictures *p, const char *whose, const char *counter);

/* refused_trouble - of a listener's "refused": without what senders repeat, and empty lines. */
int64_t refused_trouble(const json_t *refused);

#endif
