/* params.h - the names and values behind the '?', and typed reading of them.
 *
 * Owns      nothing: decoded texts live in the caller's arena.
 * Promises  1. Bounded: PARAMS_MAX pairs of at most PARAM_BYTES_MAX bytes together.
 *           2. Strict: a broken %XX, bytes that are not UTF-8, a NUL and a name that stands twice are refused.
 *           3. An absent and an empty parameter are the same to the typed readers: the default.
 * Threads   any.
 * Units     moments are time_ns.
 * Source    WHATWG application/x-www-form-urlencoded: '+' is a blank. */
#ifndef SAQSHY_PORTAL_PARAMS_H
#define SAQSHY_PORTAL_PARAMS_H

#include "base/base.h"

#define PARAMS_MAX      16
#define PARAM_BYTES_MAX (16u * KIB)

struct param {
    struct str name, value;
};
struct params {
    struct param item[PARAMS_MAX];
    size_t       count;
};

/* params_read - decode a query. -EBADMSG or -E2BIG. */
MUST_USE int params_read(struct str query, struct arena *a, struct params *out, struct err *e);
/* params_get - the value, {NULL, 0} if absent. */
struct str params_get(const struct params *p, const char *name);

/* params_int, params_bool, params_time - typed readers. *out is untouched if absent; -EINVAL when not of the kind or out
 * of [least, most]: then the text of *e is the parameter's name, as error.field wants it. */
MUST_USE int params_int(const struct params *p, const char *name, int64_t least, int64_t most, int64_t *out, struct err *e);
MUST_USE int params_bool(const struct params *p, const char *name, bool *out, struct err *e);
MUST_USE int params_time(const struct params *p, const char *name, time_ns *out, struct err *e);

/* percent_decode - decode %XX (and '+' as a blank if plus) into the arena. -EBADMSG. */
MUST_USE int percent_decode(struct str in, bool plus, struct arena *a, struct str *out, struct err *e);

#endif
