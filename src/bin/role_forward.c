/* role_forward.c - the role that passes events on: glue between the configuration and src/forward. */
#include "bin/bin.h"
#include "base/log.h"
#include "forward/forward.h"

/* What the role reads again at SIGHUP. */
struct config {
    const struct node *first;
    struct node       *now, *before;   /* NULL: still the first; before is borrowed until the next one */
};

static int reload(void *arg, const struct upstream_table **fresh, struct err *e)
{
    struct config *c = arg;
    struct node *n = NULL;
    int rc = node_load_again(c->first, &n, e);

    if (rc == 0)
        rc = node_check_forward(n, e);
    if (rc < 0) {
        node_free(&n);
        return rc;
    }
    node_free(&c->before);
    c->before = c->now;
    c->now = n;
    *fresh = &n->upstreams;
    return 0;
}

int node_check_forward(const struct node *n, struct err *e) { return forward_check(&n->upstreams, n->file, e); }

int role_forward_run(const struct node *node)
{
    struct config c = { .first = node };
    struct forward_options o = {
        .data = node->data, .upstreams = &node->upstreams, .warn_behind_s = node->forward_warn_s, .cuts = !node_has_role(node, ROLE_INDEX),
        .again_code = EXIT_AGAIN, .reload = reload, .arg = &c,
    };
    struct err e = { 0 };
    int rc = forward_run(&o, &e);

    node_free(&c.before);
    node_free(&c.now);
    if (rc < 0)
        log_line(LOG_ERROR, "forward cannot run", "error.message", e.text, NULL);
    return rc < 0 ? EXIT_NO : rc == 1 ? EXIT_AGAIN : EXIT_YES;
}
