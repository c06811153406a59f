/* node.h - the configuration of one saqshyd: where its data lie, which roles run, where they listen.
 *
 * Owns      struct node owns its texts, until node_free.
 * Promises  1. A file with one unknown key, wrong type or value out of range is refused whole, with file,
 *              line, column and the expected form.
 *           2. Everything left out has the default that node.c lists in one table.
 * Threads   any, after loading.
 * Units     sizes in bytes, ages in days, as the names say.
 * Source    docs/configuration.md is written from the same table. */
#ifndef SAQSHY_BASE_NODE_H
#define SAQSHY_BASE_NODE_H

#include "base/base.h"
#include "base/listen.h"
#include "base/upstreams.h"
#include "base/retention.h"

enum node_role { ROLE_INGEST, ROLE_INDEX, ROLE_DETECT, ROLE_FORWARD, ROLE_DESK, ROLE_TOOLS, ROLE_KEYS, ROLE_COUNT };

struct node {
    char   *file;            /* the configuration, as it was named; NULL for node_default */
    char   *accepted;        /* a copy of it that was found sound, read instead; NULL: there is none */
    char   *data;            /* absolute path of the data directory */
    char   *content;         /* absolute path of content/ */
    char   *web;             /* absolute path of the built portal */
    char   *kind;            /* "centre" or "collector" */
    char   *roles;           /* "ingest index detect desk keys" */
    char   *listen_address[LISTEN_KIND_COUNT];   /* the short words: "address:port", empty: off */
    struct listen_table listen;                  /* those, and the lists ingest.listeners and ingest.sources */
    struct upstream_table upstreams;             /* the list forward.upstreams */
    int64_t forward_warn_s;  /* an upstream that is behind by so much is told in the log */
    char   *portal;          /* HTTPS API and portal */
    char   *public_url;      /* how people reach the portal, for letters */
    char   *smtp_url;        /* "smtp://host:port" or "smtps://…"; empty: no mail is sent */
    char   *smtp_from;
    char   *smtp_user;
    char   *smtp_password_file;
    char   *trust_anchors;   /* folder of authorities' certificates and revocation lists, for signatures on notices; empty: none */
    char   *webhooks;        /* "no"; "yes": to public addresses; "private": to any address, in closed networks */
    char   *webhook_ca;      /* file of authorities that webhooks are checked against; empty: those of the system */
    char   *link_listen;     /* mutual TLS for other nodes; empty: off */
    char   *link_connect;    /* "yes" or "no": may this node connect to others? */
    int64_t link_poll_s;     /* a node with a URL is asked so often, even when nothing waits */
    char   *link_url;        /* how other nodes reach this one; stands on its card */
    char   *edition;         /* "kz-52-2025" */
    char   *zone;            /* "Asia/Almaty" */
    char   *user;            /* system user the roles change to when started as root; empty: stay */
    int64_t retention_days;        /* events are kept so long ... */
    int64_t retention_fast_days;   /* ... and so long in the store itself, not in the archive */
    char   *retention_archive;     /* folder for older parts; empty: there is none */
    char   *retention_reserve;     /* of every file system that we write: "5%", "2GiB"; empty: the default of retention.h */
    char   *retention_reason, *retention_by, *retention_on;   /* why it may be shorter than the policy says; who decided, when */
    struct retention_list longer;  /* retention.longer */
    int64_t future_tolerance_s;
    int64_t segment_bytes;
    int64_t searched_back_days;   /* new indicators are looked for in the events of so many days; 0: they are not */
    int64_t searched_back_share;  /* with so many percent of one processor */
    int64_t findings_group_hours; /* findings of one group within this time join one open case */
};

/* node_load - read FILE. exe_folder is where the running binary lies: content/ and the portal are looked for
 * from there (build tree or installed) when the file does not name them. -EBADMSG and -EINVAL tell a broken file. */
MUST_USE int node_load(const char *file, const char *exe_folder, struct node **out, struct err *e);
/* node_load_accepted - the same from the copy in the file accepted; messages and relative paths are those of FILE. */
MUST_USE int node_load_accepted(const char *file, const char *accepted, const char *exe_folder, struct node **out, struct err *e);
/* node_load_again - the configuration that a running role has, as it is accepted by now; this program's folder is found. */
MUST_USE int node_load_again(const struct node *now, struct node **out, struct err *e);
/* node_default - the same without a file, for commands that work on a data directory or on files. data may be NULL. */
MUST_USE int node_default(const char *data, const char *exe_folder, struct node **out, struct err *e);
void node_free(struct node **n);
bool node_has_role(const struct node *n, enum node_role role);
const char *node_role_name(enum node_role role);
/* node_path - "DATA/TAIL" in out. Returns out. */
const char *node_path(const struct node *n, const char *tail, char out[4096]);
/* node_exe_folder - the folder of the running binary. */
MUST_USE __attribute__((nonnull(1))) int node_exe_folder(char out[4096], struct err *e);

#endif
