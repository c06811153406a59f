/* retention.h - how long events are kept, where, and how much room of a disk is left alone: the section `retention` of the configuration.
 *
 * Owns      struct retention_conf owns its texts, until retention_free (the short ones belong to struct node).
 * Promises  1. An entry of `retention.longer` with an unknown key, without a name, a term, or just one of class, profile and filter, is refused with file,
 *              line, column.
 *           2. Bounded: RETENTION_LONGER_MAX entries.
 *           3. A reserve is a share or a size; what is left out is RESERVE_SHARE of the file system, at most RESERVE_BYTES.
 * Threads   any.
 * Units     days; bytes.
 * Source    docs/retention.md. Whether a filter is one, and whether a term is too short, is judged by who knows queries and policy (src/bin). */
#ifndef SAQSHY_BASE_RETENTION_H
#define SAQSHY_BASE_RETENTION_H

#include "base/base.h"

#define RETENTION_LONGER_MAX 32
#define RESERVE_SHARE        5                        /* percent */
#define RESERVE_BYTES        (INT64_C(2) << 30)

/* Events that match filter are kept for so many days: more than the others. */
struct retention_longer {
    char   *name;
    char   *filter;         /* of the search language; made of the two others where they are given, of the profile by whoever knows the profiles */
    char   *profile;        /* name of an entry of ingest.sources; NULL: none */
    int64_t days;
    int     line, column;
};
struct retention_list {
    struct retention_longer item[RETENTION_LONGER_MAX];
    size_t                  count;
};

struct yaml;
struct ynode;
MUST_USE int retention_take_longer(struct retention_list *l, const struct yaml *y, const struct ynode *list, struct err *e);
void retention_list_free(struct retention_list *l);

/* The reserve as it was written. */
struct reserve {
    int64_t bytes, share;   /* one of them is set; both 0: the default */
};
/* reserve_parse - "", "5%", "2GiB", "500MiB", "1000000". False if it is none of them. */
bool reserve_parse(struct str text, struct reserve *out);
/* reserve_of - bytes of a file system of total bytes that are left alone. */
int64_t reserve_of(const struct reserve *r, int64_t total);

/* What a file system has, and how it stands with its reserve. */
enum space_state { SPACE_OK, SPACE_LOW, SPACE_TOUCHED };
struct space {
    int64_t          total, free, reserve;   /* free: for us, without what root keeps */
    enum space_state state;
};
const char *space_state_name(enum space_state s);
/* space_look - of the file system that path lies in. was is the state before: whoever has touched the reserve is out of it only when an eighth more than
 * it is free, so that nothing flickers. Low is less than twice the reserve. Below zero: it cannot be told. */
MUST_USE int space_look(const char *path, const struct reserve *r, enum space_state was, struct space *out, struct err *e);
/* space_judge - the same from numbers. */
enum space_state space_judge(int64_t free, int64_t reserve, enum space_state was);

#endif
