/* indicators.c - see indicators.h. A finding is made like that of a rule, whose id is made of the type and the value: so a case is opened for each indicator and object. */
#include <math.h>
#include <sys/stat.h>

#include "detect/detect.h"
#include "detect/indicators.h"
#include "ioc/policy.h"

#define FOUND_MAX 8
#define VALUES_MAX 8   /* of one field */

struct indicators {
    char              *path;
    struct ioc_policy *policy;
    struct ioc_set    *set;
    struct timespec    changed;    /* of the file that was looked at last, good or not */
    off_t              size;
    ino_t              inode;
    indicators_wanted *wanted;     /* NULL: all */
    void              *wanted_arg;
    time_ns            now;        /* with wanted */
};

/* What one event was found to hold so far. */
struct looking {
    struct indicators  *x;
    const struct event *ev;
    struct event_batch *out;
    struct err         *e;
    struct str          values[INDICATORS_MAX];
    int                 count;
    int64_t            *silent;
    struct triage      *triage;
    const struct sigma *set;
};

int indicators_open(const char *set, const char *policy, struct indicators **out, struct err *e)
{
    struct indicators *x = calloc(1, sizeof *x);
    int rc = 0;

    if (x)
        x->path = strdup(set);
    if (!x || !x->path)
        rc = err_set(e, -ENOMEM, "no memory for indicators");
    if (rc == 0)
        rc = ioc_policy_load(policy, &x->policy, e);
    if (rc < 0)
        indicators_close(&x);
    *out = x;
    return rc;
}

void indicators_close(struct indicators **x)
{
    if (!*x)
        return;
    ioc_close(&(*x)->set);
    ioc_policy_free(&(*x)->policy);
    free((*x)->path);
    free(*x);
    *x = NULL;
}

int indicators_refresh(struct indicators *x, size_t *count, struct err *e)
{
    struct ioc_set *fresh = NULL;
    struct stat st;
    int rc;

    *count = 0;
    if (stat(x->path, &st) < 0) {
        if (errno != ENOENT)
            return err_sys(e, "could not look at \"%s\"", x->path);
        rc = x->set != NULL;
        ioc_close(&x->set);        /* it was taken away */
        x->inode = 0;
        return rc;
    }
    if (st.st_ino == x->inode && st.st_size == x->size && st.st_mtim.tv_sec == x->changed.tv_sec && st.st_mtim.tv_nsec == x->changed.tv_nsec)
        return 0;
    x->inode = st.st_ino;
    x->size = st.st_size;
    x->changed = st.st_mtim;
    rc = ioc_open(x->path, &fresh, e);
    if (rc < 0) {
        x->inode = rc == -EBADMSG ? x->inode : 0;   /* what passes is tried again */
        return rc;
    }
    ioc_close(&x->set);
    x->set = fresh;
    *count = ioc_count(fresh);
    return 1;
}

static enum sigma_level level_of(const char *name)
{
    enum sigma_level l = SIGMA_INFORMATIONAL;

    while (l + 1 < SIGMA_LEVEL_COUNT && strcmp(sigma_level_name(l), name) != 0)
        l++;
    return l;
}

/* tell - what is known of the indicator stands beside what a finding of a rule has. */
static int tell(struct looking *l, size_t at, struct str field, const struct ioc *i)
{
    static const struct str none = { NULL, 0 };
    struct event *f = &l->out->items[at];
    struct arena *a = &l->out->arena;
    const struct { const char *name; struct str value; } rows[] = {
        { "threat.indicator.type", str_c(ioc_type_name(i->type)) },
        { "threat.indicator.name", i->value },
        { "threat.indicator.reference", i->id },
        { "threat.indicator.description", i->note },
        { "threat.indicator.marking.tlp", str_c(ioc_tlp_name(i->tlp)) },
        { "threat.indicator.confidence", i->confidence == IOC_CONFIDENCE_NONE ? none : arena_printf(a, "%u", i->confidence) },
        { "threat.feed.name", i->source },
        { "threat.enrichments.matched.field", field },
    };
    int rc = 0;

    for (size_t k = 0; k < COUNT(rows) && rc == 0; k++)
        rc = rows[k].value.n ? event_add(f, a, str_c(rows[k].name), arena_copy(a, rows[k].value)) : 0;
    return rc == -E2BIG ? 0 : rc;
}

static int raise_one(struct looking *l, struct str field, const struct ioc *i)
{
    struct arena *a = &l->out->arena;
    struct str value = arena_copy(a, i->value);
    struct sigma_rule rule = {
        .id = arena_printf(a, IOC_RULE_PREFIX "%s-%016llx", ioc_type_name(i->type), (unsigned long long)str_hash(value)),
        .title = value,      /* the desk says in three languages what it is */
        .level = level_of(ioc_policy_level(l->x->policy, i->confidence)),
    };
    struct sigma_match m = { .rule = &rule, .count = 1, .first_seq = l->ev->seq, .last_seq = l->ev->seq, .value = NAN };
    size_t at;
    int rc = triage_match(l->triage, l->set, &m, l->ev, l->out, &at, l->e);

    if (rc >= 0 && at != SIZE_MAX)
        rc = tell(l, at, field, i);
    l->values[l->count++] = value;
    return rc < 0 || arena_failed(a) ? err_set(l->e, -ENOMEM, "no memory for a finding") : 0;
}

/* ask - of several sources that name a value, the one that is surest speaks. */
static int ask(struct looking *l, enum ioc_type type, struct str field, struct str value)
{
    struct ioc found[FOUND_MAX];
    const struct ioc *best = NULL;
    size_t n = ioc_find(l->x->set, type, value, l->x->wanted ? l->x->now : l->ev->received, found, FOUND_MAX);

    for (size_t i = 0; i < n; i++) {
        *l->silent += found[i].warning.n > 0;
        if (found[i].warning.n == 0 && (!best || (found[i].confidence != IOC_CONFIDENCE_NONE && (best->confidence == IOC_CONFIDENCE_NONE || found[i].confidence > best->confidence))))
            best = &found[i];
    }
    if (best && l->x->wanted && !l->x->wanted(l->x->wanted_arg, best, l->ev->seq))
        return 0;
    for (int i = 0; best && i < l->count; i++)
        if (str_eq(l->values[i], best->value))
            best = NULL;
    return best && l->count < INDICATORS_MAX ? raise_one(l, field, best) : 0;
}

int indicators_look(struct indicators *x, struct triage *triage, const struct sigma *set, const struct event *ev, struct event_batch *out,
                    int64_t *silent, struct err *e)
{
    struct looking l = { .x = x, .ev = ev, .out = out, .e = e, .silent = silent, .triage = triage, .set = set };
    int rc = 0;

    for (uint32_t i = 0; x->set && i < ev->field_count && rc == 0; i++) {
        const struct event_field *f = &ev->fields[i];
        enum ioc_type type = ioc_policy_means(x->policy, f->name);
        struct str rest = f->value, one;

        if (type == IOC_TYPES || ioc_policy_silent(x->policy, type))
            continue;
        for (int n = 0; n < VALUES_MAX && rc == 0 && ioc_value_next(type, &rest, &one); n++)
            rc = ask(&l, type, f->name, one);
    }
    return rc < 0 ? rc : l.count;
}

int indicators_each(const struct indicators *x, ioc_fn *fn, void *arg, struct err *e) { return x->set ? ioc_each(x->set, fn, arg, e) : 0; }

void indicators_only(struct indicators *x, indicators_wanted *wanted, void *arg, time_ns now)
{
    x->now = now;
    x->wanted = wanted;
    x->wanted_arg = arg;
}
