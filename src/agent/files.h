/* files.h - the parts of a followed file, for files.c and its test. */
#ifndef SAQSHY_AGENT_FILES_H
#define SAQSHY_AGENT_FILES_H

#include "agent/internal.h"

struct tail {
    struct tail *next;      /* newer */
    dev_t        dev;
    ino_t        ino;
    struct file_head head;
    uint64_t     offset;    /* behind the last line taken */
    uint64_t     size;      /* as last seen */
    int          fd;        /* -1: done, or of a path that is not wanted now */
    bool         done;
    bool         cut;       /* in the middle of an over-long line */
    time_ns      grown;     /* steady */
};
struct follow {
    struct follow *next;
    char          *path, *program;
    const struct agent_file *file; /* of the configuration, or NULL */
    struct tail   *tails;   /* oldest first */
    size_t         tail_count;
    bool           wanted;
    bool           lost;    /* what we were reading is gone: whatever changed since our last state is its successor */
};
struct files {
    const struct agent_config *config;
    struct follow *follows, *turn;
    size_t         count;
    int            inotify;
    bool           system, audit, woken;
    bool           full;      /* FILES_MAX was reached, and said */
    time_ns        globbed;
    struct timespec since;  /* when the state was last written */
    char          *bytes;   /* LINE_MAX_BYTES */
};

#endif
