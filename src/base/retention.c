/* retention.c - see retention.h. */
#include "base/retention.h"
#include "base/yaml.h"

#include <sys/statvfs.h>

static int take_one(struct retention_longer *x, const struct yaml *y, const struct ynode *map, struct err *e)
{
    static const char *const known[] = { "name", "class", "profile", "filter", "days", NULL };
    struct str name = yaml_text(map, "name"), filter = str_trim(yaml_text(map, "filter")), class = yaml_text(map, "class"), profile = yaml_text(map, "profile");
    char text[128];
    int rc;

    if (map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a map of name, days and one of class, profile and filter is expected here");
    rc = yaml_only(y, map, known, e);
    if (rc < 0)
        return rc;
    if (!name.n || name.n > 64)
        return yaml_err(y, map, e, "a longer term needs a \"name\" of 1 to 64 bytes");
    if ((filter.n > 0) + (class.n > 0) + (profile.n > 0) != 1 || filter.n > 4096 || profile.n > 256)
        return yaml_err(y, map, e, "a longer term needs one of \"class\", \"profile\" (of ingest.sources) and \"filter\" (the words of a search)");
    if (class.n > 32 || strspn(class.n ? class.p : "", "abcdefghijklmnopqrstuvwxyz-") < class.n)
        return yaml_err(y, map, e, "\"class\" must be one, as sec or os-unix");
    snprintf(text, sizeof text, "saqshy.class:%.*s", STR_ARG(class));
    rc = yaml_int(y, map, "days", &x->days, e);
    if (rc != 0 || x->days < 1 || x->days > 36500)
        return rc < 0 ? rc : yaml_err(y, map, e, "a longer term needs \"days\", a whole number from 1 to 36500");
    x->name = strndup(name.p, name.n);
    x->filter = class.n ? strdup(text) : strndup(filter.n ? filter.p : "", filter.n);
    x->profile = profile.n ? strndup(profile.p, profile.n) : NULL;
    x->line = map->line;
    x->column = map->column;
    return x->name && x->filter && (x->profile || !profile.n) ? 0 : err_set(e, -ENOMEM, "no memory for the configuration");
}

int retention_take_longer(struct retention_list *l, const struct yaml *y, const struct ynode *list, struct err *e)
{
    int rc = 0;

    if (list->kind == YNODE_SCALAR && yaml_null(list))
        return 0;
    if (list->kind != YNODE_SEQ || list->count > RETENTION_LONGER_MAX)
        return yaml_err(y, list, e, "a list of at most %d longer terms is expected here", RETENTION_LONGER_MAX);
    for (const struct ynode *i = list->first; rc == 0 && i; i = i->next) {
        rc = take_one(&l->item[l->count], y, i, e);
        l->count++;     /* half an entry is freed too */
    }
    return rc;
}

void retention_list_free(struct retention_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->item[i].name);
        free(l->item[i].filter);
        free(l->item[i].profile);
    }
    *l = (struct retention_list){ 0 };
}

bool reserve_parse(struct str text, struct reserve *out)
{
    static const struct { const char *unit; int64_t times; } units[] = { { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "TiB", INT64_C(1) << 40 } };
    struct str s = str_trim(text);
    int64_t n, times = 1;

    *out = (struct reserve){ 0 };
    if (!s.n)
        return true;
    if (s.p[s.n - 1] == '%')
        return str_i64(str_trim(str_of(s.p, s.n - 1)), &out->share) && out->share >= 1 && out->share <= 50;
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_ends(s, str_c(units[i].unit))) {
            times = units[i].times;
            s = str_trim(str_of(s.p, s.n - 3));
            break;
        }
    return str_i64(s, &n) && n >= 1 && !__builtin_mul_overflow(n, times, &out->bytes);
}

int64_t reserve_of(const struct reserve *r, int64_t total)
{
    int64_t share = total / 100 * (r->share ? r->share : RESERVE_SHARE);

    if (r->bytes)
        return r->bytes;
    return r->share || share < RESERVE_BYTES ? share : RESERVE_BYTES;
}

const char *space_state_name(enum space_state s)
{
    return s == SPACE_TOUCHED ? "touched" : s == SPACE_LOW ? "low" : "ok";
}

enum space_state space_judge(int64_t free, int64_t reserve, enum space_state was)
{
    if (free < reserve || (was == SPACE_TOUCHED && free < reserve + reserve / 8))
        return SPACE_TOUCHED;
    return free < 2 * reserve ? SPACE_LOW : SPACE_OK;
}

int space_look(const char *path, const struct reserve *r, enum space_state was, struct space *out, struct err *e)
{
    struct statvfs v;

    *out = (struct space){ .state = was };
    if (statvfs(path, &v) < 0)
        return err_sys(e, "could not ask for the free space of \"%s\"", path);
    out->total = (int64_t)(v.f_blocks * v.f_frsize);
    out->free = (int64_t)(v.f_bavail * v.f_frsize);
    out->reserve = reserve_of(r, out->total);
    out->state = space_judge(out->free, out->reserve, was);
    return 0;
}
