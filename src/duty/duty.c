/* duty.c - see duty.h: the computation, pure. Its telling in words is step.c. */
#include "duty/internal.h"

#include <dirent.h>

/* The years in which a term may start and end: far wider than any calendar, and no arithmetic overflows within. */
#define YEAR_LEAST 1900
#define YEAR_MOST  2200

static bool folder_name_ok(const char *s)
{
    return s[0] && s[0] != '.' && strlen(s) <= 64 && !strchr(s, '/');
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* edition_names - the folders of content/editions, sorted. Returns how many. */
static int edition_names(const char *folder, char names[DUTY_EDITIONS_MAX][65], struct err *e)
{
    DIR *dir = opendir(folder);
    struct dirent *f;
    int n = 0;

    if (!dir)
        return err_set(e, -errno, "%s: %s", folder, strerror(errno));
    while (n >= 0 && (f = readdir(dir)) != NULL) {
        if (!folder_name_ok(f->d_name) || f->d_type == DT_REG)
            continue;
        if (n == DUTY_EDITIONS_MAX)
            n = err_set(e, -E2BIG, "%s: more than %d editions", folder, DUTY_EDITIONS_MAX);
        else
            snprintf(names[n++], 65, "%.64s", f->d_name);
    }
    closedir(dir);
    if (n > 1)
        qsort(names, (size_t)n, 65, by_name);
    return n;
}

/* load_editions - all of them: old things keep theirs. A folder must be called as the edition calls itself. */
static int load_editions(struct duty_world *w, const char *content, const char *wanted, struct err *e)
{
    char names[DUTY_EDITIONS_MAX][65], path[4096];
    int n;

    snprintf(path, sizeof path, "%s/editions", content);
    n = edition_names(path, names, e);
    for (int i = 0; i < n; i++) {
        struct edition *ed = NULL;
        int rc;

        snprintf(path, sizeof path, "%s/editions/%s", content, names[i]);
        rc = edition_load(path, &ed, e);
        if (rc < 0)
            return rc;
        w->editions[w->edition_count++] = ed;
        if (!str_eq(ed->id, str_c(names[i])))
            return err_set(e, -EBADMSG, "%s: the folder of edition \"%.*s\" must have its id as a name", path, STR_ARG(ed->id));
        if (strcmp(names[i], wanted) == 0)
            w->edition = ed;
    }
    if (n >= 0 && !w->edition)
        return err_set(e, -ENOENT, "%s/editions/%s: no such edition", content, wanted);
    return n < 0 ? n : 0;
}

int duty_world_load(const char *content, const char *edition, const char *zone, struct duty_world *out, struct err *e)
{
    struct duty_world w = { 0 };
    char path[4096];
    int rc;

    *out = w;
    if (!folder_name_ok(edition))
        return err_set(e, -EINVAL, "\"%s\" is no edition such as kz-52-2025", edition);
    rc = load_editions(&w, content, edition, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%s/calendars/kz.yaml", content);
        rc = calendar_load(path, &w.calendar, e);
    }
    if (rc == 0) {
        snprintf(path, sizeof path, "%s/policy/targets.yaml", content);
        rc = duty_targets_load(path, &w, e);
    }
    if (rc == 0)
        rc = zone_load(ZONE_FOLDER, zone, &w.zone, e);
    if (rc < 0) {
        duty_world_free(&w);
        return rc;
    }
    *out = w;
    return 0;
}

void duty_world_free(struct duty_world *w)
{
    for (size_t i = 0; i < w->edition_count; i++)
        edition_free(&w->editions[i]);
    w->edition_count = 0;
    w->edition = NULL;
    calendar_free(&w->calendar);
    duty_targets_free(&w->targets);
    zone_free(&w->zone);
}

const struct edition *duty_edition(const struct duty_world *w, struct str id)
{
    for (size_t i = 0; i < w->edition_count; i++)
        if (str_eq(w->editions[i]->id, id))
            return w->editions[i];
    return NULL;
}

static int64_t in_force(const struct edition *ed)
{
    int64_t day = INT64_MIN;

    return ed->effective_from.n && date_parse(ed->effective_from, &day) ? day : INT64_MIN;
}

/* year_ok - no term is counted outside of these years; a start there is a mistyped one. */
static int year_ok(const struct civil *c, struct err *e)
{
    return c->year >= YEAR_LEAST && c->year <= YEAR_MOST ? 0 : err_set(e, -ERANGE, "the start lies outside the years %d to %d", YEAR_LEAST, YEAR_MOST);
}

int duty_start_parse(struct str s, const struct zone *zone, struct duty_start *out, struct err *e)
{
    static const char expected[] = "a date such as 2026-03-19 or a moment such as 2026-03-20T23:50+05:00 is expected";
    char with_zone[TIME_TEXT_MAX + 2];
    struct civil c;
    int64_t day;
    time_ns t;

    s = str_trim(s);
    if (s.n == 0 || s.n > TIME_TEXT_MAX)
        return err_set(e, -EBADMSG, "%s", expected);
    if (date_parse(s, &day)) {
        c = civil_from_days(day);
        if (year_ok(&c, e) < 0)
            return -ERANGE;
        *out = (struct duty_start){ .at = zone_first(zone, &c), .date = true };
        return 0;
    }
    if (time_parse_rfc3339(s, &t, NULL, NULL) == 0) {
        *out = (struct duty_start){ .at = t };
        c = civil_of_ns(t, 0);
        return year_ok(&c, e);
    }
    memcpy(with_zone, s.p, s.n);
    with_zone[s.n] = 'Z';
    if (time_parse_rfc3339(str_of(with_zone, s.n + 1), &t, NULL, NULL) < 0)
        return err_set(e, -EBADMSG, "\"%.*s\": %s", STR_ARG(s), expected);
    c = civil_of_ns(t, 0);
    *out = (struct duty_start){ .at = zone_first(zone, &c) + ((t % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND };
    return year_ok(&c, e);
}

/* One computation on its way. */
struct work {
    const struct duty_world *w;
    const struct obligation *o;
    struct duty_result       r;
    int64_t                  day; /* local day from which days are counted */
    enum duty_unit           unit;
    int32_t                  amount;
    bool                     roll;
    struct err              *e;
};

static void step(struct work *k, struct duty_step s)
{
    assert(k->r.step_count < DUTY_STEPS_MAX);
    k->r.steps[k->r.step_count++] = s;
}

int64_t duty_local_day(const struct duty_world *w, time_ns t)
{
    struct civil c = civil_of_ns(t, zone_offset_min(w->zone, t));

    return civil_days(c.year, c.month, c.day);
}

const struct edition *duty_edition_at(const struct duty_world *w, time_ns t)
{
    const struct edition *best = w->edition;
    int64_t day = duty_local_day(w, t);

    for (size_t i = 0; i < w->edition_count; i++)
        if (in_force(w->editions[i]) <= day && in_force(w->editions[i]) > in_force(best))
            best = w->editions[i];
    return best;
}

static time_ns end_of_day(const struct duty_world *w, int64_t day)
{
    struct civil c = civil_from_days(day);

    c.hour = 23;
    c.minute = 59;
    c.second = 59;
    return zone_last(w->zone, &c);
}

static bool day_in_range(int64_t day)
{
    return day >= civil_days(YEAR_LEAST, 1, 1) && day <= civil_days(YEAR_MOST, 12, 31);
}

/* look - the kind of a day, remembering whether it is an estimate. */
static int look(struct work *k, int64_t day, struct calendar_day *d)
{
    int rc = calendar_day(k->w->calendar, day, d, k->e);

    if (rc == 0)
        k->r.estimated |= d->estimated;
    return rc;
}

static int due_continuous(struct work *k)
{
    time_ns unit = k->unit == DUTY_MINUTES ? NS_PER_MINUTE : NS_PER_HOUR;

    if (k->r.start.date)
        step(k, (struct duty_step){ .kind = DUTY_STEP_MIDNIGHT });
    step(k, (struct duty_step){ .kind = DUTY_STEP_PLUS, .amount = k->amount, .unit = k->unit });
    k->r.due = k->r.nominal = k->r.start.at + k->amount * unit;
    if (!day_in_range(duty_local_day(k->w, k->r.due)))
        return -ERANGE;
    return 0;
}

/* due_business - count working days away from the start, forward or back; the day of the start is not counted. */
static int due_business(struct work *k, int64_t *last)
{
    int32_t way = k->amount < 0 ? -1 : 1, left = k->amount * way;
    bool skipped = false, worked = false;
    struct calendar_day d;
    int64_t day = k->day;

    while (left > 0) {
        int rc = look(k, day += way, &d);

        if (rc < 0)
            return rc;
        skipped |= d.kind == CALENDAR_HOLIDAY || d.kind == CALENDAR_OFF;
        worked |= d.kind == CALENDAR_WORK && d.name != NULL;
        left -= calendar_worked(&d);
    }
    step(k, (struct duty_step){ .kind = DUTY_STEP_COUNTED, .day = k->day, .last = day, .amount = k->amount });
    if (skipped)
        step(k, (struct duty_step){ .kind = DUTY_STEP_SKIPPED, .day = k->day, .last = day });
    if (worked)
        step(k, (struct duty_step){ .kind = DUTY_STEP_WORKED, .day = k->day, .last = day });
    *last = day;
    return 0;
}

static int64_t add_months(struct work *k, int32_t months)
{
    struct civil c = civil_from_days(k->day);
    int32_t index = c.year * 12 + c.month - 1 + months, day = c.day;
    int64_t last;

    c.year = index / 12;
    c.month = index % 12 + 1;
    if (day > civil_month_days(c.year, c.month))
        day = civil_month_days(c.year, c.month);
    last = civil_days(c.year, c.month, day);
    step(k, (struct duty_step){ .kind = DUTY_STEP_MONTHS, .day = last, .amount = months });
    if (day != c.day)
        step(k, (struct duty_step){ .kind = DUTY_STEP_CLAMPED, .day = last });
    return last;
}

/* roll - *last to the next working day, if the obligation moves. One that does not, tells. */
static int roll(struct work *k, int64_t *last)
{
    int64_t nominal = *last, day = *last;
    struct calendar_day d;
    int rc;

    if (!k->roll) {
        if (calendar_day(k->w->calendar, day, &d, NULL) == 0 && !calendar_worked(&d))
            step(k, (struct duty_step){ .kind = DUTY_STEP_NOT_MOVED, .day = day });
        return 0;
    }
    rc = look(k, day, &d);
    while (rc == 0 && !calendar_worked(&d))
        rc = look(k, ++day, &d);
    if (rc < 0)
        return rc;
    if (day != nominal)
        step(k, (struct duty_step){ .kind = DUTY_STEP_MOVED, .day = nominal, .last = day });
    *last = day;
    return 0;
}

static int due_days(struct work *k)
{
    int64_t nominal = k->day, last;
    int rc = 0;

    step(k, (struct duty_step){ .kind = DUTY_STEP_NOT_COUNTED, .day = k->day });
    if (k->unit == DUTY_BUSINESS_DAYS) {
        rc = due_business(k, &nominal);
    } else if (k->unit == DUTY_CALENDAR_DAYS) {
        nominal = k->day + k->amount;
        step(k, (struct duty_step){ .kind = DUTY_STEP_CALENDAR, .day = nominal, .amount = k->amount });
    } else {
        nominal = add_months(k, k->amount);
    }
    last = nominal;
    if (rc == 0 && k->unit != DUTY_BUSINESS_DAYS)
        rc = roll(k, &last);
    if (rc < 0)
        return rc;
    if (!day_in_range(last))
        return -ERANGE;
    k->r.nominal = end_of_day(k->w, nominal);
    k->r.due = end_of_day(k->w, last);
    k->r.moved = last != nominal;
    return 0;
}

static int64_t quarter_end(int64_t day)
{
    struct civil c = civil_from_days(day);

    c.month = (c.month - 1) / 3 * 3 + 3;
    return civil_days(c.year, c.month, civil_month_days(c.year, c.month));
}

/* without_term - the Rules name no day: what they do say, and then the internal day, if policy has one. */
static void without_term(struct work *k)
{
    const struct duty_target *t = duty_target_of(k->w, k->o);

    if (k->o->unit == DUTY_QUARTER) {
        k->day = quarter_end(k->day);
        step(k, (struct duty_step){ .kind = DUTY_STEP_QUARTER, .day = k->day });
    } else {
        step(k, (struct duty_step){ .kind = DUTY_STEP_NO_TERM });
    }
    k->r.basis = t ? DUTY_TARGET : DUTY_OPEN;
    if (!t)
        return;
    step(k, (struct duty_step){ .kind = DUTY_STEP_TARGET });
    k->unit = t->unit;
    k->amount = t->amount;
    k->roll = false;
}

int duty_due(const struct duty_world *w, const struct obligation *o, struct duty_start start, struct duty_result *out,
             struct err *e)
{
    struct work k = { .w = w, .o = o, .e = e, .unit = o->unit, .amount = o->amount, .roll = o->roll,
                      .r = { .obligation = o, .start = start, .basis = DUTY_LAW } };
    time_ns least = civil_days(YEAR_LEAST, 1, 1) * NS_PER_DAY, most = civil_days(YEAR_MOST, 12, 31) * NS_PER_DAY;
    int rc;

    if (o->unit == DUTY_PER_YEAR)
        return err_set(e, -ENOTSUP, "%.*s is a frequency (%d a year): it has no due moment", STR_ARG(o->id), o->amount);
    if (start.at < least || start.at > most)
        return err_set(e, -ERANGE, "the start lies outside the years %d to %d", YEAR_LEAST, YEAR_MOST);
    k.day = duty_local_day(w, start.at);
    step(&k, (struct duty_step){ .kind = DUTY_STEP_START, .day = k.day, .at = start.at });
    if (!obligation_lawful(o))
        without_term(&k);
    rc = k.r.basis == DUTY_OPEN ? 0 : k.unit == DUTY_MINUTES || k.unit == DUTY_HOURS ? due_continuous(&k) : due_days(&k);
    if (rc == -ERANGE)
        return err_set(e, rc, "the term ends outside the years %d to %d", YEAR_LEAST, YEAR_MOST);
    if (rc < 0)
        return rc;
    if (k.r.basis != DUTY_OPEN)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_ENDS, .at = k.r.due });
    if (k.r.estimated)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_ESTIMATED, .last = duty_local_day(w, k.r.due) });
    if (o->reading.n)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_READING });
    *out = k.r;
    return 0;
}

/* share - n of a whole year for a part of it, to the nearest. */
static int32_t share(int32_t n, int64_t left, int64_t days)
{
    return (int32_t)((n * left * 2 + days) / (days * 2));
}

int duty_plan(const struct duty_world *w, const struct obligation *o, int32_t year, int64_t since, struct duty_result *out,
              struct err *e)
{
    struct work k = { .w = w, .o = o, .r = { .obligation = o, .basis = DUTY_FREQUENCY, .year = year } };
    int64_t first, days, left;

    if (o->unit != DUTY_PER_YEAR)
        return err_set(e, -ENOTSUP, "%.*s is no frequency: it has a term, or none", STR_ARG(o->id));
    if (year < YEAR_LEAST || year > YEAR_MOST)
        return err_set(e, -ERANGE, "the year lies outside %d to %d", YEAR_LEAST, YEAR_MOST);
    first = civil_days(year, 1, 1);
    days = civil_days(year + 1, 1, 1) - first;
    since = since < first ? first : since;
    left = first + days - since;
    if (left <= 0)
        return err_set(e, -ERANGE, "that day is after the year %d", year);
    k.r.start = (struct duty_start){ .at = zone_first(w->zone, &(struct civil){ year, 1, 1, 0, 0, 0 }), .date = true };
    if (o->main_count + o->control_count == 0) {
        step(&k, (struct duty_step){ .kind = DUTY_STEP_YEARLY_PLAIN, .amount = o->amount, .last = first });
        step(&k, (struct duty_step){ .kind = DUTY_STEP_QUARTERS, .day = since, .last = first + days - 1 });
    } else {
        /* Main and control are equal in every mode (5.2): each control survey has its main one. */
        k.r.main = share(o->main_count, left, days);
        k.r.control = share(o->control_count, left, days);
        step(&k, (struct duty_step){ .kind = DUTY_STEP_YEARLY, .amount = o->amount, .last = first });
        if (left < days)
            step(&k, (struct duty_step){ .kind = DUTY_STEP_SHARE, .day = since, .last = first + days - 1, .amount = (int32_t)left });
    }
    if (o->reading.n)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_READING });
    *out = k.r;
    return 0;
}

const char *duty_basis_name(enum duty_basis b)
{
    static const char *const names[] = { "law", "target", "open", "frequency" };

    return names[b];
}
