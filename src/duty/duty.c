/* duty.c - see duty.h: the computation, pure. Its telling in words is step.c. */
#include "duty/internal.h"

/* The years in which a term may start and end: far wider than any calendar, and no arithmetic overflows within. */
#define YEAR_LEAST 1900
#define YEAR_MOST  2200

int duty_world_load(const char *content, const char *edition, const char *zone, struct duty_world *out, struct err *e)
{
    struct duty_world w = { 0 };
    char path[4096];
    int rc;

    *out = w;
    if (strchr(edition, '/') || edition[0] == '.' || edition[0] == 0)
        return err_set(e, -EINVAL, "\"%s\" is no edition such as kz-52-2025", edition);
    snprintf(path, sizeof path, "%s/editions/%s", content, edition);
    rc = edition_load(path, &w.edition, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%s/calendars/kz.yaml", content);
        rc = calendar_load(path, &w.calendar, e);
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
    edition_free(&w->edition);
    calendar_free(&w->calendar);
    zone_free(&w->zone);
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
        *out = (struct duty_start){ .at = zone_first(zone, &c), .date = true };
        return 0;
    }
    if (time_parse_rfc3339(s, &t, NULL, NULL) == 0) {
        *out = (struct duty_start){ .at = t };
        return 0;
    }
    memcpy(with_zone, s.p, s.n);
    with_zone[s.n] = 'Z';
    if (time_parse_rfc3339(str_of(with_zone, s.n + 1), &t, NULL, NULL) < 0)
        return err_set(e, -EBADMSG, "\"%.*s\": %s", STR_ARG(s), expected);
    c = civil_of_ns(t, 0);
    *out = (struct duty_start){ .at = zone_first(zone, &c) + ((t % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND };
    return 0;
}

/* One computation on its way. */
struct work {
    const struct duty_world *w;
    const struct obligation *o;
    struct duty_result       r;
    int64_t                  day; /* local day of the start */
    struct err              *e;
};

static void step(struct work *k, struct duty_step s)
{
    assert(k->r.step_count < DUTY_STEPS_MAX);
    k->r.steps[k->r.step_count++] = s;
}

static int64_t local_day(const struct duty_world *w, time_ns t)
{
    struct civil c = civil_of_ns(t, zone_offset_min(w->zone, t));

    return civil_days(c.year, c.month, c.day);
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
    time_ns unit = k->o->unit == DUTY_MINUTES ? NS_PER_MINUTE : NS_PER_HOUR;

    if (k->r.start.date)
        step(k, (struct duty_step){ .kind = DUTY_STEP_MIDNIGHT });
    step(k, (struct duty_step){ .kind = DUTY_STEP_PLUS, .amount = k->o->amount });
    k->r.due = k->r.nominal = k->r.start.at + k->o->amount * unit;
    if (!day_in_range(local_day(k->w, k->r.due)))
        return -ERANGE;
    return 0;
}

/* due_business - count working days away from the start, forward or back; the day of the start is not counted. */
static int due_business(struct work *k, int64_t *last)
{
    int32_t way = k->o->amount < 0 ? -1 : 1, left = k->o->amount * way;
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
    step(k, (struct duty_step){ .kind = DUTY_STEP_COUNTED, .day = k->day, .last = day, .amount = k->o->amount });
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

    if (!k->o->roll) {
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
    struct civil c = civil_from_days(k->day);
    int64_t nominal = k->day, last;
    int rc = 0;

    if (k->o->unit != DUTY_QUARTER)
        step(k, (struct duty_step){ .kind = DUTY_STEP_NOT_COUNTED, .day = k->day });
    switch (k->o->unit) {
    case DUTY_BUSINESS_DAYS:
        rc = due_business(k, &nominal);
        break;
    case DUTY_CALENDAR_DAYS:
        nominal = k->day + k->o->amount;
        step(k, (struct duty_step){ .kind = DUTY_STEP_CALENDAR, .day = nominal, .amount = k->o->amount });
        break;
    case DUTY_MONTHS:
        nominal = add_months(k, k->o->amount);
        break;
    default:
        c.month = (c.month - 1) / 3 * 3 + 3;
        nominal = civil_days(c.year, c.month, civil_month_days(c.year, c.month));
        step(k, (struct duty_step){ .kind = DUTY_STEP_QUARTER, .day = nominal });
        break;
    }
    last = nominal;
    if (rc == 0 && (k->o->unit == DUTY_CALENDAR_DAYS || k->o->unit == DUTY_MONTHS))
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

int duty_due(const struct duty_world *w, const struct obligation *o, struct duty_start start, struct duty_result *out,
             struct err *e)
{
    struct work k = { .w = w, .o = o, .e = e, .r = { .obligation = o, .start = start } };
    time_ns least = civil_days(YEAR_LEAST, 1, 1) * NS_PER_DAY, most = civil_days(YEAR_MOST, 12, 31) * NS_PER_DAY;
    int rc;

    if (o->unit == DUTY_PER_YEAR)
        return err_set(e, -ENOTSUP, "%.*s is a frequency (%d a year): it has no due moment", STR_ARG(o->id), o->amount);
    if (start.at < least || start.at > most)
        return err_set(e, -ERANGE, "the start lies outside the years %d to %d", YEAR_LEAST, YEAR_MOST);
    k.day = local_day(w, start.at);
    step(&k, (struct duty_step){ .kind = DUTY_STEP_START, .day = k.day, .at = start.at });
    rc = o->unit == DUTY_MINUTES || o->unit == DUTY_HOURS ? due_continuous(&k) : due_days(&k);
    if (rc == -ERANGE)
        return err_set(e, rc, "the term ends outside the years %d to %d", YEAR_LEAST, YEAR_MOST);
    if (rc < 0)
        return rc;
    step(&k, (struct duty_step){ .kind = DUTY_STEP_ENDS, .at = k.r.due });
    if (k.r.estimated)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_ESTIMATED, .last = local_day(w, k.r.due) });
    if (o->reading.n)
        step(&k, (struct duty_step){ .kind = DUTY_STEP_READING });
    *out = k.r;
    return 0;
}
