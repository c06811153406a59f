/* target.c - the internal days of content/policy/targets.yaml: for what the Rules owe without naming a day. A lawful term cannot stand
 * there, or policy could move the law. */
#include "duty/internal.h"

struct duty_targets {
    struct arena       arena;
    struct yaml       *file;
    struct duty_target items[DUTY_TARGETS_MAX];
    size_t             count;
};

/* in_some_edition - an obligation that some loaded edition has; NULL if none. */
static const struct obligation *in_some_edition(const struct duty_world *w, struct str id)
{
    const struct obligation *o = edition_obligation(w->edition, id);

    for (size_t i = 0; i < w->edition_count && !o; i++)
        o = edition_obligation(w->editions[i], id);
    return o;
}

static void read_target(struct loader *l, const struct ynode *n, const struct duty_world *w, struct duty_targets *t)
{
    static const char *const keys[] = { "obligation", "amount", "unit", NULL };
    static const char *const units[] = { "minutes", "hours", "business_days", "calendar_days", NULL };
    struct duty_target *one = &t->items[t->count];
    const struct obligation *o;

    ld_keys(l, n, keys);
    one->obligation = ld_id(l, n, "obligation", LD_REQUIRED);
    one->amount = (int32_t)ld_int(l, n, "amount", LD_REQUIRED, 1, 100000);
    one->unit = (enum duty_unit)ld_word(l, n, "unit", units);
    if (l->rc < 0)
        return;
    o = in_some_edition(w, one->obligation);
    if (!o)
        ld_fail(l, yaml_get(n, "obligation"), "no edition has \"%.*s\"", STR_ARG(one->obligation));
    else if (obligation_lawful(o) || o->unit == DUTY_PER_YEAR)
        ld_fail(l, yaml_get(n, "obligation"), "%.*s has its term from the Rules, or is a frequency: no internal day for it",
                STR_ARG(one->obligation));
    else if (o->unit == DUTY_QUARTER && one->unit < DUTY_BUSINESS_DAYS)
        ld_fail(l, yaml_get(n, "unit"), "days after the end of the quarter are expected");
    for (size_t i = 0; i < t->count && l->rc == 0; i++)
        if (str_eq(t->items[i].obligation, one->obligation))
            ld_fail(l, n, "\"%.*s\" stands twice", STR_ARG(one->obligation));
    t->count += l->rc == 0;
}

static int read_targets(struct loader *l, const struct duty_world *w, struct duty_targets *t)
{
    static const char *const keys[] = { "targets", NULL };
    const struct ynode *root = ld_root(l, keys);
    const struct ynode *list = root ? ld_list(l, root, "targets", LD_REQUIRED) : NULL;

    if (list && list->count > DUTY_TARGETS_MAX)
        ld_fail(l, list, "more than %d targets", DUTY_TARGETS_MAX);
    for (const struct ynode *n = list && l->rc == 0 ? list->first : NULL; n && l->rc == 0; n = n->next)
        read_target(l, n, w, t);
    return l->rc;
}

int duty_targets_load(const char *path, struct duty_world *w, struct err *e)
{
    struct duty_targets *t = calloc(1, sizeof *t);
    struct loader l = { .arena = t ? &t->arena : NULL, .e = e };

    if (!t)
        return err_set(e, -ENOMEM, "no memory for the targets");
    arena_init(&t->arena, MIB);
    l.rc = yaml_load_file(path, &t->file, e);
    l.y = t->file;
    if (l.rc == 0)
        l.rc = read_targets(&l, w, t);
    if (l.rc < 0)
        duty_targets_free(&t);
    w->targets = t;
    return l.rc;
}

void duty_targets_free(struct duty_targets **t)
{
    if (!*t)
        return;
    yaml_free(&(*t)->file);
    arena_free(&(*t)->arena);
    free(*t);
    *t = NULL;
}

const struct duty_target *duty_target_of(const struct duty_world *w, const struct obligation *o)
{
    for (size_t i = 0; w->targets && i < w->targets->count; i++)
        if (str_eq(w->targets->items[i].obligation, o->id))
            return &w->targets->items[i];
    return NULL;
}
