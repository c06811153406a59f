/* upstreams.h - where events are passed on to: the list `forward.upstreams`.
 *
 * Owns      struct upstream_table owns its entries and their texts, until upstream_table_free; a copy of an entry owns its own.
 * Promises  1. An entry with an unknown key, a wrong kind, a value out of range or a name seen before is refused with file, line, column.
 *           2. Bounded: UPSTREAMS_MAX entries, ENTRY_OPTIONS_MAX options of an entry.
 *           3. Whatever an entry leaves out has the default of upstreams.c.
 * Threads   any, after loading.
 * Units     bytes, events, seconds, as the names say.
 * Source    docs/forwarding.md, docs/configuration.md. */
#ifndef SAQSHY_BASE_UPSTREAMS_H
#define SAQSHY_BASE_UPSTREAMS_H

#include "base/base.h"
#include "base/entry.h"

#define UPSTREAMS_MAX        32
#define UPSTREAM_NAME_MAX    40     /* small letters, digits, '_', '-': it is part of a file's name */
#define UPSTREAM_HOST_MAX    255

enum upstream_type {
#define UPSTREAM(kind, address, tls) UPSTREAM_##kind,
#include "base/upstreams.def"
#undef UPSTREAM
    UPSTREAM_TYPE_COUNT
};

struct upstream_limits {
    int64_t window_events;    /* sent and not acknowledged */
    int64_t batch_bytes;      /* of a request or a write, before compression */
    int64_t timeout_s;        /* to connect, and to hear an answer that is due */
    int64_t retry_max_s;      /* longest pause between two tries */
    int64_t hold_bytes;       /* of the journal that are kept for it; past it the oldest is given up, and told. 0: no limit */
};

struct upstream_conf {
    char                  *name;
    enum upstream_type     type;
    char                  *address;     /* "host:port", or what the kind makes of it */
    char                  *filter;      /* in the search language; empty: everything */
    bool                   enabled;     /* no: nothing is sent, and its place in the journal is kept */
    bool                   from_now;    /* a new upstream begins with what comes from now on, not with the oldest event of the journal */
    bool                   tls;
    char                  *authority, *certificate, *key;   /* files; empty: none */
    char                  *peer_name;   /* in the other side's certificate; empty: the host of the address */
    struct upstream_limits limits;
    struct entry_option    options[ENTRY_OPTIONS_MAX];   /* of the kind alone, texts */
    size_t                 option_count;
    int                    line, column, filter_line, filter_column;
};

struct upstream_table {
    struct upstream_conf *items;
    size_t                count;
};

struct yaml;
struct ynode;
/* upstream_take_list - read `forward.upstreams`; base is the folder relative paths are meant from. */
MUST_USE int upstream_take_list(struct upstream_table *t, const struct yaml *y, const struct ynode *list, const char *base, struct err *e);
void upstream_table_free(struct upstream_table *t);

const char *upstream_type_name(enum upstream_type type);
/* upstream_conf_copy - all texts anew. -ENOMEM. */
MUST_USE int upstream_conf_copy(const struct upstream_conf *from, struct upstream_conf *to);
void upstream_conf_free(struct upstream_conf *c);
/* upstream_conf_same - but for the filter, which can change while a connection stays. */
bool upstream_conf_same(const struct upstream_conf *a, const struct upstream_conf *b);
/* upstream_option - the value of an option, NULL if it was not given. */
const char *upstream_option(const struct upstream_conf *c, const char *name);
/* upstream_host - "host:port" or "[address]:port" in its parts. False if it is not of that form. */
bool upstream_host(const char *address, char host[UPSTREAM_HOST_MAX + 1], uint16_t *port);

#endif
