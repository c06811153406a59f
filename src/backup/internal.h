/* internal.h - what the files of backup share.
 *
 * Owns      a struct listing owns its files; a struct copier its scratch.
 * Promises  see backup.h.
 * Threads   owner. */
#ifndef SAQSHY_BACKUP_INTERNAL_H
#define SAQSHY_BACKUP_INTERNAL_H

#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#include <limits.h>
#include <stdlib.h>

#define PATH_BYTES       4096u
#define SHA_HEX          64u
#define LIST_BYTES_MAX   (1u << 30)
#define BACKUP_MARK      "SAQSHY-BACKUP"
#define RESTORING        "RESTORING"     /* in a data directory that is not whole yet */
#define CONFIG_NAME      "saqshyd.yaml"

/* One file of the node. */
struct entry {
    char    *path;                 /* below DATA; owned */
    char     sha[SHA_HEX + 1];
    uint64_t bytes, inode;
    time_ns  changed;              /* of the source file; 0: not a file there */
    unsigned mode;
};
struct listing {
    struct entry       *item;      /* in order of path, once sorted */
    size_t              count, cap;
    struct backup_facts facts;
    char                origin[SHA_HEX + 1];   /* the first link of the store's chain: whose node it is; empty: its store has none */
};

/* --- list.c --- */
void listing_init(struct listing *l);
void listing_free(struct listing *l);
MUST_USE int listing_add(struct listing *l, const struct entry *x, const char *path, struct err *e);
void listing_sort(struct listing *l);
const struct entry *listing_find(const struct listing *l, const char *path);    /* sorted */
MUST_USE int listing_write(const char *target, struct listing *l, struct err *e);
/* listing_read - -ENOENT: there is no backup. */
MUST_USE int listing_read(const char *target, struct listing *l, struct err *e);
MUST_USE int listing_decode(struct str bytes, struct listing *l, struct err *e);

/* --- copy.c --- */
struct copier {
    const struct backup_options *o;
    struct backup_progress       done;
    char                        *bytes;        /* of a step; owned */
    uint64_t                     read, told;   /* against the rate */
    time_ns                      began, told_at;
};
MUST_USE int copier_open(struct copier *c, const struct backup_options *o, struct err *e);
void copier_close(struct copier *c);
void copier_tell(struct copier *c, const char *now, bool last);
void object_path(const char *target, const char *sha, char out[PATH_BYTES]);
/* object_there - of that size; its content is verify's to judge. */
bool object_there(const char *target, const char *sha, uint64_t bytes);
/* object_put_file - the first at most "most" bytes of the file become an object; out->sha, bytes. want (may be NULL): the SHA-256 that it has to have. -ENOENT: it is gone, -EBADMSG: it has
 * another. */
MUST_USE int object_put_file(struct copier *c, const char *target, const char *file, uint64_t most, const char *want, struct entry *out, struct err *e);
MUST_USE int object_put(struct copier *c, const char *target, struct str bytes, struct entry *out, struct err *e);
/* object_check - its bytes are those of its name. -EBADMSG, -ENOENT. */
MUST_USE int object_check(struct copier *c, const char *path, const char *sha, uint64_t bytes, struct err *e);
/* object_get - the object becomes the file, whole and on disk. */
MUST_USE int object_get(struct copier *c, const char *target, const struct entry *x, const char *file, struct err *e);
/* objects_sweep - those that the listing does not name go, and what a broken run left. */
MUST_USE int objects_sweep(const char *target, const struct listing *l, struct err *e);

/* --- database.c --- */
/* database_copy - a SQLite database as it is at one moment, into a new file, by its backup interface. */
MUST_USE int database_copy(struct copier *c, const char *from, const char *to, struct err *e);

#endif
