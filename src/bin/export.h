/* export.h - events into files: one for each class and source, by day, by size, compressed.
 *
 *      OUT/os-unix/web1_var_log_auth.log-5f3a01c2-20260319-0001.log.zst
 *
 * Owns      struct export owns the files that it began; the folder is the caller's.
 * Promises  1. A file appears whole under its name, on disk (fsync), or not at all; while it is written it is called NAME.part. None that is there
 *              is written over: the next number is taken.
 *           2. One file has one class, one layout, one delimiter. A file has the events of one day, and ends when it holds rotate_bytes of plain text.
 *           3. Bounded: EXPORT_FILES_MAX files are begun (past that the one that was written longest ago is ended), EXPORT_HELD_MAX bytes wait in memory,
 *              one file is open.
 * Threads   owner.
 * Source    Annex 4, paragraphs 5-8 and their like. */
#ifndef SAQSHY_BIN_EXPORT_H
#define SAQSHY_BIN_EXPORT_H

#include "event/event.h"

#define EXPORT_FILES_MAX 65536
#define EXPORT_HELD_MAX  (64u * MIB)

struct export;

enum export_form { EXPORT_ANNEX4, EXPORT_JSON, EXPORT_ORIGINAL };
enum export_coding { EXPORT_ZSTD, EXPORT_GZIP, EXPORT_PLAIN };

struct export_options {
    const char        *folder;
    enum export_form   form;
    enum export_coding coding;
    bool               by_class;      /* all sources of a class in one file */
    bool               daily;         /* a file for each day */
    size_t             rotate_bytes;  /* of plain text; 0: no bound */
    int32_t            zone_min;      /* of days, and of moments whose source wrote no zone */
    enum event_class   unclassified;  /* the chapter for events without a class; CLASS_NONE: they are left out */
};
struct export_counts {
    uint64_t events, files, bytes /* plain */, left_out;
};

MUST_USE int export_new(const struct export_options *o, struct export **out, struct err *e);
/* export_add - one more event, in the order of their time. */
MUST_USE int export_add(struct export *x, const struct event *ev, struct err *e);
/* export_end - all files are whole. */
MUST_USE int export_end(struct export *x, struct err *e);
struct export_counts export_counts(const struct export *x);
/* export_free - files that were not ended are removed. */
void export_free(struct export **x);

#endif
