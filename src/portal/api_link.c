/* api_link.c - the room "link" over HTTP: this node, the others, what travels between them, files. */
#include "desk/link/link.h"
#include "portal/internal.h"

int api_link(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link(c->desk, &c->viewer, c->now, &r), 200, &r);
}

int api_link_self(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_self(c->desk, &c->viewer, c->body, c->now, &r), 200, &r);
}

int api_link_node_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_peer_add(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_link_node(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_peer(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_link_node_update(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_peer_update(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_link_node_restart(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_peer_restart(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_link_envelopes(struct call *c)
{
    struct desk_link_query q = { .peer = c->match.arg[0], .direction = params_get(&c->params, "direction") };
    struct desk_reply r = { 0 };
    int rc = call_page(c, &q.limit, &q.before);

    return rc < 0 ? rc : call_desk(c, desk_link_envelopes(c->desk, &c->viewer, &q, &r), 200, &r);
}

int api_link_export(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc;

    buf_free(&c->reply.body);
    buf_init(&c->reply.body, LINK_FILE_MAX + LINK_LINE_MAX);
    rc = desk_link_export(c->desk, &c->viewer, c->match.arg[0], c->now, &c->reply.body, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = "application/vnd.saqshy.bundle";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"%.*s.saqshy\"", (int)min_size(c->match.arg[0].n, 64),
             c->match.arg[0].p);
    return 0;
}

int api_link_import(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_import(c->desk, &c->viewer, c->body, c->now, &r), 200, &r);
}

int api_link_object_send(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_object_send(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_link_again(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_again(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_link_proposals(struct call *c)
{
    struct desk_link_query q = { .state = params_get(&c->params, "state"), .now = c->now };
    struct desk_reply r = { 0 };
    int rc = call_page(c, &q.limit, &q.before);

    return rc < 0 ? rc : call_desk(c, desk_link_proposals(c->desk, &c->viewer, &q, &r), 200, &r);
}

int api_link_proposal_decide(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_link_proposal_decide(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 204, &r);
}

int api_link_document(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc;

    buf_free(&c->reply.body);
    buf_init(&c->reply.body, LINK_DOCUMENT_BYTES + LINK_READ_SPARE);
    rc = desk_link_document(c->desk, &c->viewer, c->match.arg[0], &c->reply.body, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = "application/octet-stream"; /* never shown in the window: it came from outside */
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"%.16s\"", c->match.arg[0].p);
    return 0;
}
