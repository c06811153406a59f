/* tables.c - the tables of a set, built once it is linked; see engine.h. */
#include "sigma/engine.h"

void tables_free(struct tables **tp)
{
    struct tables *t = *tp;

    if (!t)
        return;
    free(t->atoms);
    free(t->of_rules.p);
    free(t->post_at);
    free(t->posts);
    free(t->slots);
    free(t->vocabulary.slots);
    free(t->common);
    arena_free(&t->arena);
    free(t);
    *tp = NULL;
}

int tables_build(struct sigma *s, struct err *e)
{
    struct tables *t = calloc(1, sizeof *t);
    int rc;

    if (!t)
        return err_set(e, -ENOMEM, "no memory for the rules");
    arena_init(&t->arena, TABLES_ARENA_BYTES);
    rc = witnesses_build(s, t);
    if (rc == 0)
        rc = sieves_build(s, t);
    if (rc == 0)
        rc = vocabulary_build(s, t);
    free(t->common);
    t->common = NULL;
    if (rc < 0 || arena_failed(&t->arena)) {
        tables_free(&t);
        return err_set(e, -ENOMEM, "no memory for the rules");
    }
    s->tables = t;
    return 0;
}
