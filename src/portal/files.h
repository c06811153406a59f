/* files.h - the built portal, held in memory.
 *
 * Owns      every file it read, until files_free.
 * Promises  1. Only files that were there at the start are served, by exact name: there is no path to traverse.
 *           2. Bounded: FILES_MAX files, FILES_BYTES_MAX bytes; links that lead out of the folder are not followed.
 *           3. Without a built portal one page says how to build it.
 * Threads   any, after loading.
 * Source    web/dist as Vite writes it: hashed names under assets/. */
#ifndef SAQSHY_PORTAL_FILES_H
#define SAQSHY_PORTAL_FILES_H

#include "base/base.h"

#define FILES_MAX       2000
#define FILES_BYTES_MAX (32u * MIB)

struct file_entry {
    char       *path;           /* "/assets/index-abc.js"; owned */
    struct buf  body, gzip;     /* gzip: the content of path.gz if the build made one, else empty */
    char        etag[24];
    const char *type;
    bool        immutable;      /* its name changes with its content */
};

struct files;

/* files_load - read FOLDER. A folder that is absent or holds no index.html is not an error. */
MUST_USE int files_load(const char *folder, struct files **out, struct err *e);
void files_free(struct files **f);
/* files_find - the file under this exact path ("/" is index.html); any path whose last piece has no dot is index.html too,
 * for links into the portal. NULL if there is none. */
const struct file_entry *files_find(const struct files *f, struct str path);
size_t files_count(const struct files *f);

#endif
