/* issue.c - a notice about any subject: into the inbox of each addressee, and as a letter to those that have an address. */
#include "desk/notices/notices.h"

static int inbox_one(struct call *c, const struct notice_new *n, struct str org, struct str name, int64_t *id)
{
    int rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, queued_at, sent_at,"
                    " subject_line, body) VALUES (?1,?2,?3,?4,?5,'inbox',?6,?7,'sent',?8,?8,?9,?10) RETURNING id",
                    "ztmtzttitt", n->about->kind, n->about->id, (time_ns)n->about->case_id, n->about->object_id, n->kind, name, org, c->now, n->title,
                    n->text);

    if (rc < 0)
        return rc;
    change_id(c->d, "inbox", *id);
    return timeline_of(c, n->about, &(struct line){ .kind = "notice_sent", .channel = "inbox", .addressee = name, .text = n->title });
}

int notice_issue(struct call *c, const struct notice_new *n, int64_t *id)
{
    int64_t one = 0;
    int rc = 0;

    if (n->form)
        return err_set(c->e, -ENOTSUP, "a form goes out with its case alone");
    for (size_t i = 0; rc == 0 && i < n->org_count; i++) {
        struct str name = catalog_text(c->d->setup.catalog, LANG_KK, "case.inbox.centre");

        if (n->orgs[i].p) {
            sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name FROM org WHERE id = ?", "t", n->orgs[i]);

            rc = st ? db_step(c->d, st, c->e) : -EIO;
            if (rc == 0)
                return refuse(c, -EINVAL, "bad_request", "addressees", "no such organisation");
            name = db_copy(st, 0, &c->a);
            db_done(st);
        }
        if (rc >= 0)
            rc = inbox_one(c, n, n->orgs[i], name, &one);
        if (i == 0)
            *id = one;
    }
    return rc;
}
