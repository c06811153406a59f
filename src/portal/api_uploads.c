/* api_uploads.c - files come in pieces: a body of the API holds 1 MiB, a video does not. */
#include "desk/blob.h"
#include "portal/internal.h"

int api_upload_begin(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_upload_begin(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_upload(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_upload(c->desk, &c->viewer, c->match.arg[0], &r), 200, &r);
}

int api_upload_piece(struct call *c)
{
    struct desk_reply r = { 0 };
    int64_t offset = -1;
    int rc = params_int(&c->params, "offset", 0, BLOB_LARGE_MAX, &offset, &c->err);

    if (rc < 0 || offset < 0)
        return err_set(&c->err, -EINVAL, "offset");
    return call_desk(c, desk_upload_piece(c->desk, &c->viewer, c->match.arg[0], offset, buf_view(&c->content), c->now, &r), 200, &r);
}
