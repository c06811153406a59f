/* api_node.c - what the node says of itself: texts, metrics, health. */
#include "base/file.h"
#include "desk/surveys/tools.h"
#include "keep/keep.h"
#include "portal/internal.h"

#include <sys/stat.h>

#define METRICS_BYTES_MAX MIB

int api_i18n(struct call *c)
{
    struct portal *p = c->portal;

    for (enum lang l = 0; l < LANG_COUNT; l++) {
        if (!str_eq(c->match.arg[0], str_c(lang_name(l))) || p->i18n[l].n == 0)
            continue;
        c->reply.status = 200;
        c->reply.type = "application/json";
        c->reply.cache = "no-cache";
        snprintf(c->reply.etag, sizeof c->reply.etag, "\"%016llx\"", (unsigned long long)str_hash(buf_view(&p->i18n[l])));
        if (str_find(c->http.header[HTTP_IF_NONE_MATCH], str_c(c->reply.etag)) >= 0) {
            c->reply.status = 304;
            c->reply.type = NULL;
        } else {
            c->reply.view = buf_view(&p->i18n[l]);
        }
        return 0;
    }
    return -ENOENT;
}

static const char *metrics_path(const struct call *c, enum node_role role, char out[4096])
{
    char tail[64];

    snprintf(tail, sizeof tail, "run/metrics-%s.prom", node_role_name(role));
    return node_path(c->portal->setup.node, tail, out);
}

int api_metrics(struct call *c)
{
    struct buf *b = &c->reply.body;
    int rc = c->loopback ? 0 : call_session(c);

    if (rc)
        return 0;
    buf_reset(b);
    for (enum node_role r = 0; r < ROLE_COUNT; r++) {
        AUTO_BUF struct buf one;
        char path[4096];

        buf_init(&one, METRICS_BYTES_MAX + 1);
        if (r != ROLE_DESK && file_read(metrics_path(c, r, path), METRICS_BYTES_MAX, &one, NULL) == 0)
            buf_str(b, buf_view(&one));
    }
    metrics_text(&c->portal->metrics, b);
    c->reply.status = 200;
    c->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    return buf_failed(b) ? err_set(&c->err, -ENOMEM, "no memory for the metrics") : 0;
}

/* role_state - each role writes its metrics every two seconds, this one too: whose file is as fresh as ours lives. Comparing two files of one
 * file system needs no clock, so a moved test clock changes nothing. */
static const char *role_state(const struct call *c, enum node_role role)
{
    char path[4096];
    struct stat theirs, ours;
    bool young = clock_steady() - c->portal->started < START_NS;

    if (role == ROLE_TOOLS)   /* it writes no metrics: nothing of it lies outside its own folder */
        return tools_alive(c->portal->setup.node) ? "ok" : young ? "starting" : "down";

    if (stat(metrics_path(c, ROLE_DESK, path), &ours) < 0)
        return role == ROLE_DESK && !young ? "down" : "starting";
    if (stat(metrics_path(c, role, path), &theirs) < 0)
        return young ? "starting" : "down";
    if ((ours.st_mtim.tv_sec - theirs.st_mtim.tv_sec) * NS_PER_SECOND > FRESH_NS)
        return young ? "starting" : "down";
    return "ok";
}

int api_health(struct call *c)
{
    json_t *roles = json_object(), *picture = NULL;
    const char *storage = "unknown";    /* no index here, or nothing published yet */
    bool all = true;

    for (enum node_role r = 0; r < ROLE_COUNT; r++) {
        const char *state;

        if (!node_has_role(c->portal->setup.node, r))
            continue;
        state = role_state(c, r);
        all = all && strcmp(state, "ok") == 0;
        json_object_set_new(roles, node_role_name(r), json_string(state));
    }
    if (keep_picture(c->portal->setup.node->data, &picture, NULL) == 0) {
        storage = space_state_name(keep_state(picture));
        all = all && keep_state(picture) != SPACE_TOUCHED;
        json_decref(picture);
    }
    return call_json(c, all ? 200 : 503, json_pack("{s:s,s:o,s:s}", "status", all ? "ok" : "degraded", "roles", roles, "storage", storage));
}
