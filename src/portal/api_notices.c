/* api_notices.c - notices: the journal, one record, its documents, and what people do with it. */
#include "desk/notices/api.h"
#include "portal/internal.h"

static int take_query(struct call *c, struct notices_query *q)
{
    int64_t n = 100;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &n, &c->err);

    *q = (struct notices_query){ params_get(&c->params, "direction"), params_get(&c->params, "kind"), params_get(&c->params, "object"),
                                 params_get(&c->params, "case"), params_get(&c->params, "q"), params_get(&c->params, "before"), (int)n };
    if (rc == 0 && q->direction.n && !str_eq(q->direction, STR("out")) && !str_eq(q->direction, STR("in")))
        rc = err_set(&c->err, -EINVAL, "direction");
    if (rc == 0 && (q->q.n > 800 || q->kind.n > 64 || q->object.n > 64 || q->case_id.n > 20 || q->before.n > 20))
        rc = err_set(&c->err, -EINVAL, "%s", q->q.n > 800 ? "q" : q->kind.n > 64 ? "kind" : q->object.n > 64 ? "object" : q->case_id.n > 20 ? "case" : "before");
    return rc;
}

int api_notices(struct call *c)
{
    struct notices_query q;
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_notices(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

/* give - bytes made by the desk, to be kept by the person's machine. */
static int give(struct call *c, int rc, struct desk_reply *r, const char *type, const char *shown, const char *name, const char *ending)
{
    if (rc < 0)
        return call_desk(c, rc, 200, r);
    desk_reply_free(r);
    c->reply.status = 200;
    c->reply.type = type;
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "%s; filename=\"%.80s.%s\"", shown, name, ending);
    return 0;
}

int api_notice_journal(struct call *c)
{
    struct str format = params_get(&c->params, "format");
    bool csv = str_eq(format, STR("csv"));
    struct notices_query q;
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    if (rc == 0 && format.n && !csv && !str_eq(format, STR("xlsx")))
        rc = err_set(&c->err, -EINVAL, "format");
    if (rc < 0)
        return rc;
    rc = desk_notices_table(c->desk, &c->viewer, &q, csv, c->now, &c->reply.body, &r);
    return give(c, rc, &r, csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "attachment", "notices",
                csv ? "csv" : "xlsx");
}

int api_notice(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_notice(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_notice_pdf(struct call *c)
{
    struct str layout = params_get(&c->params, "layout");
    enum notice_bytes what = str_eq(layout, STR("kk")) ? NOTICE_PDF_KK : str_eq(layout, STR("kk_ru")) ? NOTICE_PDF_KK_RU : NOTICE_SENT_PDF;
    struct desk_reply r = { 0 };
    char name[64] = "";
    int rc;

    if (layout.n && what == NOTICE_SENT_PDF && !str_eq(layout, STR("sent")))
        return err_set(&c->err, -EINVAL, "layout");
    rc = desk_notice_bytes(c->desk, &c->viewer, c->match.arg[0], what, c->now, &c->reply.body, name, &r);
    return give(c, rc, &r, "application/pdf", "inline", name, "pdf");
}

int api_notice_table(struct call *c)
{
    struct str format = params_get(&c->params, "format");
    bool csv = str_eq(format, STR("csv"));
    struct desk_reply r = { 0 };
    char name[64] = "";
    int rc;

    if (format.n && !csv && !str_eq(format, STR("xlsx")))
        return err_set(&c->err, -EINVAL, "format");
    rc = desk_notice_bytes(c->desk, &c->viewer, c->match.arg[0], csv ? NOTICE_CSV : NOTICE_XLSX, c->now, &c->reply.body, name, &r);
    return give(c, rc, &r, csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "attachment", name,
                csv ? "csv" : "xlsx");
}

int api_notice_canonical(struct call *c)
{
    struct desk_reply r = { 0 };
    char name[64] = "";
    int rc = desk_notice_bytes(c->desk, &c->viewer, c->match.arg[0], NOTICE_CANONICAL, c->now, &c->reply.body, name, &r);

    return give(c, rc, &r, "application/json", "attachment", name, "json");
}

int api_notice_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_notice_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

#define ACT(name, call_of, status)                                                   \
    int name(struct call *c)                                                         \
    {                                                                                \
        struct desk_reply r = { 0 };                                                 \
        int rc = call_of;                                                            \
                                                                                     \
        if (rc == 0)                                                                 \
            call_acted(c);                                                           \
        return call_desk(c, rc, status, &r);                                         \
    }

ACT(api_notice_create, desk_notice_create(c->desk, &c->viewer, c->body, c->now, &r), 201)
ACT(api_notice_register, desk_notice_register(c->desk, &c->viewer, c->body, c->now, &r), 201)
ACT(api_notice_version, desk_notice_version(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201)
ACT(api_notice_paper, desk_notice_paper(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200)
ACT(api_notice_receipt, desk_notice_receipt(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200)
ACT(api_notice_sign, desk_notice_sign(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200)
ACT(api_notice_verify, desk_notice_verify(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200)
ACT(api_webhook, desk_webhook(c->desk, &c->viewer, c->match.arg[0], &r), 200)
ACT(api_webhook_set, desk_webhook_set(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200)
