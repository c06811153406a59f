/* world.c - the world as something older sees it: a form is drawn by the edition to which the thing belongs, not by the one in force. */
#include "desk/internal.h"

int world_of(struct call *c, struct str edition, struct duty_world *out)
{
    const struct edition *ed = duty_edition(c->d->setup.world, edition);

    if (!ed)
        return err_set(c->e, -ENOTSUP, "the edition \"%.*s\" is not in content/editions", STR_ARG(edition));
    *out = *c->d->setup.world;
    out->edition = (struct edition *)(uintptr_t)ed;   /* only read: drawing changes no edition */
    return 0;
}

int subject_edition(struct call *c, const struct subject *s, struct str *out)
{
    sqlite3_stmt *st = s->case_id ? db_query(c->d, c->e, "SELECT edition FROM cases WHERE id = ?", "i", s->case_id)
                                  : db_query(c->d, c->e, "SELECT edition FROM duty WHERE subject = ?1 AND subject_id = ?2 AND state = 'running' ORDER BY id"
                                                         " LIMIT 1", "zt", s->kind, s->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    } else if (rc == 0)
        *out = duty_edition_at(c->d->setup.world, c->now)->id;
    return rc < 0 ? rc : 0;
}
