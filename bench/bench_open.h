/* bench_open.h - the desk of a data folder, for the benchmarks that work on one.
 *
 * Owns      nothing: what is opened lives as long as the program.
 * Promises  1. The desk stands on the edition, the calendar and the catalogue of CONTENT, and its log goes nowhere.
 * Threads   one. */
#ifndef SAQSHY_BENCH_OPEN_H
#define SAQSHY_BENCH_OPEN_H

#include "base/log.h"
#include "desk/internal.h"

#include <fcntl.h>
#include <stdlib.h>

static inline int bench_open(const char *data, const char *content, struct desk **desk, struct err *e)
{
    static struct duty_world world;
    struct catalog *catalog = NULL;
    struct node *node;
    char path[4096];
    int rc;

    log_open("bench", LOG_ERROR, open("/dev/null", O_WRONLY | O_CLOEXEC));
    snprintf(path, sizeof path, "%s/i18n", content);
    rc = node_default(data, "/", &node, e);
    if (rc == 0) {
        free(node->content);
        node->content = strdup(content);
        rc = duty_world_load(content, "kz-52-2025", "Asia/Almaty", &world, e);
    }
    if (rc == 0)
        rc = catalog_load(path, &catalog, e);
    return rc < 0 ? rc : desk_open(&(struct desk_setup){ .node = node, .world = &world, .catalog = catalog }, desk, e);
}

#endif
