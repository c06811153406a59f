/* issue.c - a notice about any subject: its record, then its deliveries. */
#include "desk/notices/room.h"

/* registered - what came from outside by paper or another system: a record and a line, nobody is told by wire. */
static int registered(struct call *c, const struct notice_made *m)
{
    struct subject s = *m->n->about;

    s.id = m->subject_id;
    return timeline_of(c, &s, &(struct line){ .kind = "notice_registered", .channel = m->n->via ? m->n->via : "paper", .addressee = m->sender_name, .text = str_c(m->number),
                                              .sha256 = m->pdf_sha256 });
}

int notice_issue(struct call *c, const struct notice_new *n, int64_t *id)
{
    struct notice_made *m = arena_zero(&c->a, sizeof *m);
    int rc;

    if (!m)
        return err_set(c->e, -ENOMEM, "no memory for a notice");
    m->n = n;
    rc = record_prepare(c, m);
    if (rc >= 0)
        rc = record_insert(c, m);
    json_decref(m->canonical_values);
    m->canonical_values = NULL;
    if (rc >= 0)
        rc = n->incoming || n->paper_only ? registered(c, m) : notice_deliver(c, m);
    if (rc >= 0)
        rc = audit_add(c, n->incoming ? "notice.register" : "notice.issue", "notice", str_c(m->number), "ok");
    if (rc >= 0 && id)
        *id = m->id;
    return rc < 0 ? rc : 0;
}
