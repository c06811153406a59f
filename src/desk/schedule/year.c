/* year.c - see year.h. */
#include "desk/schedule/year.h"
#include "base/yaml.h"

const char *const plan_mode_names[] = { "pentest_auto", "update_config", "source_code", "pentest_manual", "document", NULL };
const char *const plan_mode_frequency[] = { "F-01", "F-02", "F-03", "F-04", NULL };

enum plan_mode plan_mode_parse(struct str s)
{
    int m = 0;

    while (m < PLAN_MODES && !str_eq(s, str_c(plan_mode_names[m])))
        m++;
    return (enum plan_mode)m;
}

/* --- policy --- */

static int terms_read(const struct yaml *y, const struct ynode *n, struct schedule_policy *p, struct err *e)
{
    size_t i = 0;

    if (!n || n->kind != YNODE_SEQ || n->count > COUNT(p->terms))
        return yaml_err(y, n ? n : y->docs[0], e, "\"terms\" must be a list of at most two obligations");
    for (const struct ynode *t = n->first; t; t = t->next, i++) {
        if (t->kind != YNODE_SCALAR || t->text.n == 0 || t->text.n >= sizeof p->terms[i])
            return yaml_err(y, t, e, "an obligation such as D-12 is expected");
        snprintf(p->terms[i], sizeof p->terms[i], "%.*s", STR_ARG(t->text));
    }
    return 0;
}

static int number_read(const struct yaml *y, const struct ynode *map, const char *key, int64_t least, int64_t most, int *out, struct err *e)
{
    int64_t n = 0;
    int rc = yaml_int(y, map, key, &n, e);

    if (rc < 0)
        return rc;
    if (rc == 0 && (n < least || n > most))
        return yaml_err(y, map, e, "\"%s\" must be from %lld to %lld", key, (long long)least, (long long)most);
    if (rc == 0)
        *out = (int)n;
    return rc;
}

static int policy_read(const struct yaml *y, struct schedule_policy *p, struct err *e)
{
    static const char *const known[] = { "takes", "distance", "lead_days", NULL }, *const parts[] = { "terms", "days", NULL };
    const struct ynode *root = y->docs[0], *takes = yaml_get(root, "takes"), *distance = yaml_get(root, "distance"), *days;
    int rc = yaml_only(y, root, known, e);

    if (rc == 0 && (!takes || takes->kind != YNODE_MAP || !distance || distance->kind != YNODE_MAP))
        return yaml_err(y, root, e, "\"takes\" and \"distance\" must be maps");
    if (rc == 0)
        rc = yaml_only(y, takes, plan_mode_names, e);
    if (rc == 0)
        rc = yaml_only(y, distance, parts, e);
    if (rc == 0)
        rc = terms_read(y, yaml_get(distance, "terms"), p, e);
    days = yaml_get(distance, "days");
    if (rc == 0 && days && days->kind == YNODE_MAP)
        rc = yaml_only(y, days, plan_mode_names, e);
    for (int m = 0; rc == 0 && m < PLAN_MODES; m++) {
        p->distance[m] = -1;
        rc = number_read(y, takes, plan_mode_names[m], 1, PLAN_WORK_DAYS, &p->takes[m], e);
        if (rc > 0)
            return yaml_err(y, takes, e, "\"%s\" is missing", plan_mode_names[m]);
        if (rc == 0 && days && days->kind == YNODE_MAP && number_read(y, days, plan_mode_names[m], 0, PLAN_DAYS, &p->distance[m], e) < 0)
            return -EBADMSG;
    }
    if (rc == 0)
        rc = number_read(y, root, "lead_days", 0, PLAN_DAYS, &p->lead_days, e);
    return rc > 0 ? 0 : rc;
}

int schedule_policy_load(const char *content, struct schedule_policy *out, struct err *e)
{
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    *out = (struct schedule_policy){ .lead_days = 10 };
    snprintf(path, sizeof path, "%s/policy/schedule.yaml", content);
    rc = yaml_load_file(path, &y, e);
    if (rc == 0)
        rc = policy_read(y, out, e);
    yaml_free(&y);
    return rc;
}

/* --- the year --- */

bool year_number(struct str date, int64_t *out)
{
    char text[48];
    time_ns t;

    if (date.n != 10)
        return false;
    snprintf(text, sizeof text, "%.*sT00:00:00Z", STR_ARG(date));
    if (time_parse_rfc3339(str_c(text), &t, NULL, NULL) < 0)
        return false;
    *out = t / NS_PER_DAY - (t % NS_PER_DAY < 0);
    return true;
}

int year_day(const struct schedule_year *y, struct str date)
{
    int64_t n;

    return year_number(date, &n) ? (int)(n - y->first) : INT32_MIN;
}

const char *year_text(const struct schedule_year *y, int day, char out[16])
{
    struct civil c = civil_from_days(y->first + day);

    snprintf(out, 16, "%04d-%02d-%02d", (int)(c.year % 10000), (int)c.month, (int)c.day);
    return out;
}

/* term_after - the last day of a term that is counted from a day. PLAN_NEVER where the calendar has no such year: it is not in this one. */
static int term_after(const struct duty_world *w, const struct obligation *o, int64_t first, int day)
{
    struct civil c = civil_from_days(first + day);
    struct duty_start start = { .at = zone_first(w->zone, &c), .date = true };
    struct duty_result r;
    struct err e;

    if (day >= PLAN_DAYS || duty_due(w, o, start, &r, &e) < 0 || !r.due)
        return PLAN_NEVER;
    int64_t last = duty_local_day(w, r.due) - first;
    return last >= PLAN_NEVER ? PLAN_NEVER : (int)last;
}

static int distances(const struct duty_world *w, struct schedule_year *y, struct err *e)
{
    const struct edition *ed = w->edition;
    int16_t by_terms[PLAN_DAYS];

    for (int d = 0; d < PLAN_DAYS; d++) {
        int day = d;

        for (size_t t = 0; t < COUNT(y->policy.terms); t++) {
            const struct obligation *o = y->policy.terms[t][0] ? edition_obligation(ed, str_c(y->policy.terms[t])) : NULL;

            if (y->policy.terms[t][0] && !o)
                return err_set(e, -EBADMSG, "policy/schedule.yaml: the edition has no obligation %s", y->policy.terms[t]);
            if (o)
                day = term_after(w, o, y->first, day);
        }
        by_terms[d] = (int16_t)(day >= PLAN_NEVER ? PLAN_NEVER : day + 1);
    }
    for (int m = 0; m < PLAN_MODES; m++)
        for (int d = 0; d < PLAN_DAYS; d++)
            y->p.earliest[m][d] = y->policy.distance[m] < 0 ? by_terms[d] : (int16_t)(d + (y->policy.distance[m] ? y->policy.distance[m] : 1));
    return 0;
}

int schedule_year_make(const struct duty_world *w, const char *content, int year, struct schedule_year *out, struct err *e)
{
    int rc = schedule_policy_load(content, &out->policy, e);

    if (rc < 0)
        return rc;
    out->year = year;
    out->estimated = false;
    out->first = civil_days(year, 1, 1);
    out->p = (struct planner_year){ .days = (int)(civil_days(year + 1, 1, 1) - out->first), .weekday = (civil_weekday(out->first) + 6) % 7 };
    memcpy(out->p.takes, out->policy.takes, sizeof out->p.takes);
    for (int d = 0; d < out->p.days; d++) {
        struct calendar_day day;

        rc = calendar_day(w->calendar, out->first + d, &day, e);
        if (rc < 0)
            return rc;
        out->p.worked[d] = calendar_worked(&day);
        out->estimated = out->estimated || day.estimated;
    }
    return distances(w, out, e);
}
