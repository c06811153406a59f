/* calendar.c - see calendar.h: calendars/kz.yaml. */
#include "duty/internal.h"

static const char *const weekdays[] = { "sunday",   "monday", "tuesday",  "wednesday",
                                        "thursday", "friday", "saturday", NULL };

struct named {
    struct str   id;
    struct label name;
};

static void read_weekend(struct loader *l, const struct ynode *root, struct calendar *c)
{
    const struct ynode *list = ld_list(l, root, "weekend", LD_REQUIRED);

    for (const struct ynode *n = list ? list->first : NULL; n && l->rc == 0; n = n->next) {
        bool found = false;

        for (int i = 0; weekdays[i]; i++)
            if (n->kind == YNODE_SCALAR && str_eq(n->text, str_c(weekdays[i])))
                c->rest[i] = found = true;
        if (!found)
            ld_fail(l, n, "a weekday is expected: sunday … saturday");
    }
}

static const struct named *read_names(struct loader *l, const struct ynode *root, size_t *count)
{
    const struct ynode *map = l->rc < 0 ? NULL : yaml_get(root, "names");
    struct named *names;
    size_t i = 0;

    if (l->rc == 0 && (!map || map->kind != YNODE_MAP || map->count > EDITION_ITEMS_MAX)) {
        ld_fail(l, map ? map : root, "\"names\" must be a map of holiday ids and their {kk, ru, en}");
        return NULL;
    }
    names = ld_array(l, map, sizeof *names, count);
    for (const struct ynode *k = names ? map->first : NULL; k && l->rc == 0; k = k->next, i++) {
        names[i].id = k->text;
        names[i].name = ld_label_of(l, k->value);
    }
    return names;
}

/* check_day - an entry that changes nothing, or stands out of order, is a slip of the pen. */
static void check_day(struct loader *l, const struct ynode *n, const struct calendar *c, const struct calendar_year *y,
                      const struct calendar_day *d)
{
    const struct calendar_day *before = y->count ? &y->days[y->count - 1] : NULL;
    bool rest = c->rest[civil_weekday(d->day)];

    if (l->rc < 0)
        return;
    if (civil_from_days(d->day).year != y->year)
        ld_fail(l, yaml_get(n, "date"), "a date of the year %d is expected", y->year);
    else if (before && before->day >= d->day)
        ld_fail(l, yaml_get(n, "date"), "dates must ascend, each once");
    else if (d->kind == CALENDAR_WORK && !rest)
        ld_fail(l, yaml_get(n, "kind"), "\"work\" is for days of rest; this one is worked anyway");
    else if (d->kind == CALENDAR_OFF && rest)
        ld_fail(l, yaml_get(n, "kind"), "\"off\" is for working days; this one is a day of rest anyway");
}

static void read_day(struct loader *l, const struct ynode *n, const struct calendar *c, struct calendar_year *y,
                     struct calendar_day *days, const struct named *names, size_t name_count)
{
    static const char *const keys[] = { "date", "kind", "name", "status", "source", NULL };
    static const char *const kinds[] = { "work", "holiday", "off", NULL };
    static const enum calendar_kind kind_of[] = { CALENDAR_WORK, CALENDAR_HOLIDAY, CALENDAR_OFF };
    static const char *const statuses[] = { "confirmed", "estimated", NULL };
    struct calendar_day d = { .estimated = false };
    struct str name;

    ld_keys(l, n, keys);
    (void)ld_date(l, n, "date", LD_REQUIRED, &d.day);
    d.kind = kind_of[ld_word(l, n, "kind", kinds)];
    name = ld_id(l, n, "name", LD_REQUIRED);
    for (size_t i = 0; i < name_count && !d.name; i++)
        if (str_eq(names[i].id, name))
            d.name = &names[i].name;
    if (l->rc == 0 && !d.name)
        ld_fail(l, yaml_get(n, "name"), "no \"%.*s\" in \"names\"", STR_ARG(name));
    if (l->rc == 0 && yaml_get(n, "status"))
        d.estimated = ld_word(l, n, "status", statuses) == 1;
    d.source = ld_text(l, n, "source", LD_REQUIRED);
    check_day(l, n, c, y, &d);
    if (l->rc == 0)
        days[y->count++] = d;
}

static void read_year(struct loader *l, const struct ynode *n, struct calendar *c, const struct named *names,
                      size_t name_count)
{
    static const char *const keys[] = { "year", "status", "source", "days", NULL };
    static const char *const statuses[] = { "confirmed", "estimated", NULL };
    struct calendar_year *y = &c->years[c->year_count];
    const struct ynode *list;
    struct calendar_day *days;
    size_t room;

    ld_keys(l, n, keys);
    y->year = (int32_t)ld_int(l, n, "year", LD_REQUIRED, 1990, 2200);
    y->estimated = ld_word(l, n, "status", statuses) == 1;
    y->source = ld_text(l, n, "source", LD_REQUIRED);
    list = ld_list(l, n, "days", LD_REQUIRED);
    if (l->rc == 0 && list->count > CALENDAR_DAYS_MAX)
        ld_fail(l, list, "more than %d days", CALENDAR_DAYS_MAX);
    if (l->rc == 0 && c->year_count && y[-1].year + 1 != y->year)
        ld_fail(l, yaml_get(n, "year"), "the year %d is expected: years stand in order, without gaps", y[-1].year + 1);
    days = ld_array(l, list, sizeof *days, &room);
    y->days = days;
    for (const struct ynode *d = days ? list->first : NULL; d && l->rc == 0; d = d->next)
        read_day(l, d, c, y, days, names, name_count);
    if (l->rc == 0)
        c->year_count++;
}

static int read_calendar(struct calendar *c, struct loader *l)
{
    static const char *const keys[] = { "id", "version", "zone", "weekend", "names", "years", NULL };
    const struct ynode *root = ld_root(l, keys), *list;
    const struct named *names;
    size_t name_count = 0;

    if (!root)
        return l->rc;
    c->id = ld_id(l, root, "id", LD_REQUIRED);
    c->version = ld_text(l, root, "version", LD_REQUIRED);
    c->zone = ld_text(l, root, "zone", LD_REQUIRED);
    read_weekend(l, root, c);
    names = read_names(l, root, &name_count);
    list = ld_list(l, root, "years", LD_REQUIRED);
    if (l->rc == 0 && (list->count == 0 || list->count > CALENDAR_YEARS_MAX))
        ld_fail(l, list, "1 to %d years are expected", CALENDAR_YEARS_MAX);
    for (const struct ynode *n = l->rc == 0 ? list->first : NULL; n && l->rc == 0; n = n->next)
        read_year(l, n, c, names, name_count);
    return l->rc;
}

static int finish(struct calendar *c, int rc, struct calendar **out, struct err *e)
{
    struct loader l = { .y = c->file, .arena = &c->arena, .e = e, .rc = rc };

    if (rc == 0)
        rc = read_calendar(c, &l);
    if (rc < 0)
        calendar_free(&c);
    *out = c;
    return rc;
}

static struct calendar *calendar_new(void)
{
    struct calendar *c = calloc(1, sizeof *c);

    if (c)
        arena_init(&c->arena, 4 * MIB);
    return c;
}

int calendar_load(const char *path, struct calendar **out, struct err *e)
{
    struct calendar *c = calendar_new();

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the calendar");
    return finish(c, yaml_load_file(path, &c->file, e), out, e);
}

int calendar_read(struct str text, const char *name, struct calendar **out, struct err *e)
{
    struct calendar *c = calendar_new();

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the calendar");
    return finish(c, yaml_load(text, name, &c->file, e), out, e);
}

void calendar_free(struct calendar **c)
{
    if (!*c)
        return;
    yaml_free(&(*c)->file);
    arena_free(&(*c)->arena);
    free(*c);
    *c = NULL;
}

int calendar_day(const struct calendar *c, int64_t day, struct calendar_day *out, struct err *e)
{
    int32_t year = civil_from_days(day).year;
    const struct calendar_year *y = NULL;

    for (size_t i = 0; i < c->year_count && !y; i++)
        if (c->years[i].year == year)
            y = &c->years[i];
    if (!y)
        return err_at(e, -ENODATA, (size_t)year,
                       "calendar \"%.*s\" has no year %d (it has %d to %d): working days of that year are not known",
                       STR_ARG(c->id), year, c->years[0].year, c->years[c->year_count - 1].year);
    *out = (struct calendar_day){ .day = day,
                                  .kind = c->rest[civil_weekday(day)] ? CALENDAR_WEEKEND : CALENDAR_WORK,
                                  .estimated = y->estimated,
                                  .source = y->source };
    for (size_t i = 0; i < y->count; i++)
        if (y->days[i].day == day) {
            *out = y->days[i];
            out->estimated |= y->estimated;
        }
    return 0;
}
