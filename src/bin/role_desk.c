/* role_desk.c - the desk: cases, clocks, letters, and the portal in front of them. Thin: it loads what is borrowed and serves. */
#include "base/catalog.h"
#include "base/log.h"
#include "bin/bin.h"
#include "duty/duty.h"
#include "portal/portal.h"

static int serve(const struct portal_setup *setup, struct err *e)
{
    struct portal *p;
    char port[24];
    int rc = portal_open(setup, &p, e);

    if (rc < 0)
        return rc;
    log_line(LOG_INFO, "the portal is open", "server.address", setup->node->portal, "server.port", log_num(portal_port(p), port), NULL);
    rc = portal_run(p, e);
    portal_close(&p);
    return rc;
}

int role_desk_run(const struct node *node)
{
    struct catalog *catalog = NULL;
    struct duty_world world = { 0 };
    char folder[4096];
    struct err e;
    int rc;

    snprintf(folder, sizeof folder, "%.4000s/i18n", node->content);
    rc = catalog_load(folder, &catalog, &e);
    if (rc == 0)
        rc = duty_world_load(node->content, node->edition, node->zone, &world, &e);
    if (rc == 0)
        rc = serve(&(struct portal_setup){ .node = node, .world = &world, .catalog = catalog }, &e);
    if (rc < 0)
        log_line(LOG_ERROR, "the desk cannot go on", "error.message", e.text, NULL);
    else
        log_line(LOG_INFO, "the desk has ended", NULL);
    duty_world_free(&world);
    catalog_free(&catalog);
    return rc < 0 ? EXIT_NO : EXIT_YES;
}
