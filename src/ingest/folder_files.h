/* folder_files.h - the table of files of a watched folder, for the two files that keep it; see folder.h.
 *
 * Owns      the table owns its files and their texts and descriptors.
 * Promises  1. A file is found by its path, inode and number; one that is dropped is in no list.
 * Threads   the listener's own.
 * Units     as folder.h.
 * Source    folder.h. */
#ifndef SAQSHY_INGEST_FOLDER_FILES_H
#define SAQSHY_INGEST_FOLDER_FILES_H

#include "ingest/folder.h"

#define BUCKETS 8192u   /* of each way to find a file */

struct folder_files {
    char                path[FOLDER_PATH_MAX];
    int                 fd;            /* -1: nothing is kept on disk */
    int64_t             size, alive;
    uint32_t            last;          /* number given */
    struct folder_file *first;
    struct folder_file *path_bucket[BUCKETS], *ino_bucket[BUCKETS], *number_bucket[BUCKETS];
    size_t              count, open, copies;   /* copies: an upper bound of those that wait for others */
    bool                looked, full, fresh;   /* fresh: there was no list */
};

/* folder_table_add - a file with the next number; NULL past FOLDER_FILES_MAX, or without memory. */
struct folder_file *folder_table_add(struct folder_files *t, const char *path, ino_t ino);
void folder_table_drop(struct folder_files *t, struct folder_file *f);
/* folder_table_rename - the file has another name or inode now. */
void folder_table_rename(struct folder_files *t, struct folder_file *f, const char *path, ino_t ino);
struct folder_file *folder_table_find(struct folder_files *t, uint64_t number);
/* folder_table_number - give a file the number under which it is found. */
void folder_table_number(struct folder_files *t, struct folder_file *f, uint32_t number);

/* folder_list_remember - how a file is now, without a part of it. */
void folder_list_remember(struct folder_files *t, const struct folder_file *f);
/* folder_list_gone - the file is to be forgotten. Below zero: it could not be written. */
MUST_USE int folder_list_gone(struct folder_files *t, const struct folder_file *f);

#endif
