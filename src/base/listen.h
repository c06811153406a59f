/* listen.h - where a collector listens, and what it is told of its senders: the lists `ingest.listeners` and `ingest.sources`.
 *
 * Owns      struct listen_table owns its entries and their texts, until listen_table_free; a copy of an entry owns its own.
 * Promises  1. An entry with an unknown key, a wrong kind, a value out of range or an id seen before is refused with file, line, column.
 *           2. Bounded: LISTENERS_MAX listeners, PROFILES_MAX profiles, ENTRY_OPTIONS_MAX options of a listener.
 *           3. Whatever an entry leaves out has the default of its kind (listeners.def, limits in listen.c).
 * Threads   any, after loading.
 * Units     bytes, seconds, minutes east of UTC, as the names say.
 * Source    docs/collection.md, docs/configuration.md. */
#ifndef SAQSHY_BASE_LISTEN_H
#define SAQSHY_BASE_LISTEN_H

#include "base/base.h"
#include "base/entry.h"

#define LISTENERS_MAX      64
#define PROFILES_MAX       4096
#define LISTEN_ID_MAX      48     /* letters, digits, '_', '-', '.' */

enum listen_kind {
#define LISTENER(kind, address, tls) LISTEN_##kind,
#include "base/listeners.def"
#undef LISTENER
    LISTEN_KIND_COUNT
};

enum listen_client { LISTEN_CLIENT_NONE, LISTEN_CLIENT_OPTIONAL, LISTEN_CLIENT_REQUIRED };

/* What one listener may be made to do. */
struct listen_limits {
    int64_t connections;        /* at a time; then newcomers wait in the kernel's queue */
    int64_t peer_connections;   /* of one address; more are closed at once */
    int64_t peer_bytes_s;       /* of one address in a second; then it is not read for a while. 0: no limit */
    int64_t record_bytes;       /* longer records are split and marked */
    int64_t idle_s;             /* a silent connection is closed */
    int64_t handshake_s;        /* a client shows its certificate within this time */
};

struct listen_conf {
    char                *id;           /* of the list, or the kind's name */
    enum listen_kind     kind;
    char                *address;      /* "address:port"; empty where the kind needs none */
    bool                 tls;
    char                *certificate, *key, *authority;   /* files; empty: those of DATA/pki */
    enum listen_client   client;
    char                *source;       /* name of a profile for all that comes here; empty: by match */
    struct listen_limits limits;
    struct entry_option  options[ENTRY_OPTIONS_MAX];   /* of the kind alone, texts */
    size_t               option_count;
    int                  line, column; /* in the file; 0: a short word */
};

/* What is told of senders: those that match every text that is not empty. The first profile of the list that matches counts. */
struct source_profile {
    char   *name;
    char   *address;                   /* "10.0.0.7", "10.0.0.0/8", "2001:db8::/32" */
    char   *host;                      /* as the lines name it, letters folded; "*" at the beginning or the end stands for any text */
    char   *listener;                  /* id */
    char   *zone;                      /* "+05:00" or "Asia/Almaty", of lines that name none; empty: that of the node */
    int32_t zone_min;                  /* of "+05:00"; names are looked up by whoever knows zones */
    bool    zone_known;
    char   *encoding;                  /* "windows-1251"; empty: detected */
    char   *class;                     /* "os-unix", as in Annex 4; empty: the parser's */
    char   *parser;                    /* empty: detected */
    char   *object;                    /* id of the registry; empty: by name and address */
    int     line, column;
};

struct listen_table {
    struct listen_conf    *listeners;
    size_t                 listener_count;
    struct source_profile *profiles;
    size_t                 profile_count;
};

struct yaml;
struct ynode;
/* listen_take_listeners, listen_take_profiles - read a list of the configuration; base is the folder relative paths are meant from. */
MUST_USE int listen_take_listeners(struct listen_table *t, const struct yaml *y, const struct ynode *list, const char *base, struct err *e);
MUST_USE int listen_take_profiles(struct listen_table *t, const struct yaml *y, const struct ynode *list, struct err *e);
/* listen_add_short - a listener of the short word of its kind, ahead of those of the list. Nothing if address is empty. */
MUST_USE int listen_add_short(struct listen_table *t, enum listen_kind kind, const char *address, struct err *e);
/* listen_zone - minutes of "+05:00". False if it is not of that form. */
bool listen_zone(struct str text, int32_t *minutes);
void listen_table_free(struct listen_table *t);

const char *listen_kind_name(enum listen_kind kind);
const char *listen_client_name(enum listen_client client);
/* listen_default - an entry of the kind with its defaults; texts are NULL. */
void listen_default(enum listen_kind kind, struct listen_conf *out);
/* listen_conf_copy - all texts anew. -ENOMEM. */
MUST_USE int listen_conf_copy(const struct listen_conf *from, struct listen_conf *to);
void listen_conf_free(struct listen_conf *c);
bool listen_conf_same(const struct listen_conf *a, const struct listen_conf *b);
/* listen_option - the value of an option, NULL if it was not given. */
const char *listen_option(const struct listen_conf *c, const char *name);

#endif
