/* step.c - the arithmetic of a deadline in words, and as JSON. Every sentence comes from the catalogue (keys "duty."). */
#include "duty/internal.h"

/* Days named one by one; a longer row is told by its first and last day. */
#define LISTED_MAX 30

struct str duty_date_text(int64_t day, struct arena *a)
{
    struct civil c = civil_from_days(day);

    return arena_printf(a, "%02d.%02d.%04d", c.day, c.month, c.year);
}

struct str duty_time_text(const struct duty_world *w, time_ns t, bool seconds, struct arena *a)
{
    struct civil c = civil_of_ns(t, zone_offset_min(w->zone, t));

    if (seconds)
        return arena_printf(a, "%02d.%02d.%04d %02d:%02d:%02d", c.day, c.month, c.year, c.hour, c.minute, c.second);
    return arena_printf(a, "%02d.%02d.%04d %02d:%02d", c.day, c.month, c.year, c.hour, c.minute);
}

const char *duty_rfc3339(const struct duty_world *w, time_ns t, char out[TIME_TEXT_MAX])
{
    return time_format_offset(t, zone_offset_min(w->zone, t), out);
}

static const char *const step_keys[] = {
    [DUTY_STEP_START] = "duty.step.start",
    [DUTY_STEP_MIDNIGHT] = "duty.step.midnight",
    [DUTY_STEP_PLUS] = "duty.step.plus_hours",
    [DUTY_STEP_NOT_COUNTED] = "duty.step.not_counted",
    [DUTY_STEP_COUNTED] = "duty.step.counted",
    [DUTY_STEP_SKIPPED] = "duty.step.skipped",
    [DUTY_STEP_WORKED] = "duty.step.worked",
    [DUTY_STEP_CALENDAR] = "duty.step.calendar",
    [DUTY_STEP_MONTHS] = "duty.step.months",
    [DUTY_STEP_CLAMPED] = "duty.step.clamped",
    [DUTY_STEP_MOVED] = "duty.step.moved",
    [DUTY_STEP_NOT_MOVED] = "duty.step.not_moved",
    [DUTY_STEP_QUARTER] = "duty.step.quarter",
    [DUTY_STEP_ENDS] = "duty.step.ends",
    [DUTY_STEP_ESTIMATED] = "duty.step.estimated",
    [DUTY_STEP_READING] = "duty.step.reading",
    [DUTY_STEP_NO_TERM] = "duty.step.no_term",
    [DUTY_STEP_TARGET] = "duty.step.target",
    [DUTY_STEP_YEARLY] = "duty.step.yearly",
    [DUTY_STEP_YEARLY_PLAIN] = "duty.step.yearly_plain",
    [DUTY_STEP_QUARTERS] = "duty.step.quarters",
    [DUTY_STEP_SHARE] = "duty.step.share",
};

struct telling {
    const struct duty_world *w;
    const struct catalog    *c;
    enum lang                lang;
    struct arena            *a;
};

/* z - a text for the catalogue's pairs, never NULL. Arena texts end in NUL. */
static const char *z(struct str s)
{
    return s.n ? s.p : "";
}

static const char *label_z(const struct telling *t, const struct label *l)
{
    return z(arena_copy(t->a, l->text[t->lang]));
}

/* moment_z - seconds are shown only where there are some. */
static const char *moment_z(const struct telling *t, time_ns at)
{
    return z(duty_time_text(t->w, at, (at / NS_PER_SECOND) % 60 != 0, t->a));
}

/* paragraph_z - "paragraph 10(1) of the Rules", "Annex 6". */
static const char *paragraph_z(const struct telling *t, struct str paragraph)
{
    struct str annex = STR("Annex ");
    bool is_annex = str_starts(paragraph, annex);
    const char *number = z(arena_copy(t->a, is_annex ? str_of(paragraph.p + annex.n, min_size(paragraph.n - annex.n, 1))
                                                     : paragraph));

    return z(catalog_format(t->c, t->lang, t->a, is_annex ? "duty.annex" : "duty.paragraph", "number", number, NULL));
}

static bool told(const struct calendar_day *d, enum duty_step_kind kind)
{
    if (kind == DUTY_STEP_COUNTED)
        return d->kind == CALENDAR_WORK;
    if (kind == DUTY_STEP_WORKED)
        return d->kind == CALENDAR_WORK && d->name;
    return d->kind == CALENDAR_HOLIDAY || d->kind == CALENDAR_OFF;
}

static struct str day_text(const struct telling *t, const struct calendar_day *d, enum duty_step_kind kind, int number)
{
    struct str date = duty_date_text(d->day, t->a);

    if (kind == DUTY_STEP_COUNTED)
        return arena_printf(t->a, "%d) %s", number, z(date));
    return catalog_format(t->c, t->lang, t->a, d->kind == CALENDAR_OFF ? "duty.day_moved" : "duty.day_named", "day",
                          z(date), "name", d->name ? label_z(t, d->name) : "", NULL);
}

/* days_z - the days of a step from the one beside day up to last, in counting order. */
static const char *days_z(const struct telling *t, const struct duty_step *s)
{
    int64_t way = s->last < s->day ? -1 : 1;
    AUTO_BUF struct buf b;
    int number = 0;

    buf_init(&b, 64 * KIB);
    for (int64_t day = s->day + way; day != s->last + way; day += way) {
        struct calendar_day d;

        if (calendar_day(t->w->calendar, day, &d, NULL) < 0 || !told(&d, s->kind))
            continue;
        number++;
        if (number > LISTED_MAX && day != s->last)
            continue;
        if (number > 1)
            buf_str(&b, number > LISTED_MAX + 1 ? STR("; …; ") : STR("; "));
        buf_str(&b, day_text(t, &d, s->kind, number));
    }
    return z(arena_copy(t->a, buf_view(&b)));
}

/* quarters_z - the last days of the quarters from the one of day on. */
static const char *quarters_z(const struct telling *t, const struct duty_step *s)
{
    int32_t year = civil_from_days(s->last).year;
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    for (int32_t month = 3; month <= 12; month += 3) {
        int64_t end = civil_days(year, month, civil_month_days(year, month));

        if (end < s->day)
            continue;
        if (b.n)
            buf_str(&b, STR("; "));
        buf_str(&b, duty_date_text(end, t->a));
    }
    return z(arena_copy(t->a, buf_view(&b)));
}

static struct str tell_plan(const struct telling *t, const struct duty_result *r, const struct duty_step *s)
{
    const struct obligation *o = r->obligation;
    bool share = s->kind == DUTY_STEP_SHARE;

    return catalog_format(t->c, t->lang, t->a, step_keys[s->kind], "amount", z(arena_printf(t->a, "%d", s->amount)),
                          "main", z(arena_printf(t->a, "%d", share ? r->main : o->main_count)),
                          "control", z(arena_printf(t->a, "%d", share ? r->control : o->control_count)),
                          "day", z(duty_date_text(s->day, t->a)), "year", z(arena_printf(t->a, "%d", r->year)),
                          "list", s->kind == DUTY_STEP_QUARTERS ? quarters_z(t, s) : "",
                          "paragraph", paragraph_z(t, o->paragraph), NULL);
}

static struct str tell_start(const struct telling *t, const struct duty_result *r, const struct duty_step *s)
{
    const struct obligation *o = r->obligation;
    const char *at = r->start.date ? z(duty_date_text(s->day, t->a)) : moment_z(t, s->at);

    if (!o->from)
        return catalog_format(t->c, t->lang, t->a, "duty.step.start_plain", "at", at, "paragraph", paragraph_z(t, o->paragraph), NULL);
    return catalog_format(t->c, t->lang, t->a, "duty.step.start", "from", label_z(t, &o->from->name), "at", at,
                          "paragraph", paragraph_z(t, o->paragraph), NULL);
}

static const char *step_key(const struct duty_result *r, const struct duty_step *s)
{
    if (s->kind == DUTY_STEP_PLUS && s->unit == DUTY_MINUTES)
        return "duty.step.plus_minutes";
    if (s->kind == DUTY_STEP_COUNTED && s->amount < 0)
        return "duty.step.counted_back";
    return step_keys[s->kind];
}

struct str duty_step_text(const struct duty_world *w, const struct duty_result *r, size_t step, const struct catalog *c,
                          enum lang lang, struct arena *a)
{
    const struct duty_step *s = &r->steps[step];
    struct telling t = { w, c, lang, a };
    bool list = s->kind == DUTY_STEP_COUNTED || s->kind == DUTY_STEP_SKIPPED || s->kind == DUTY_STEP_WORKED;

    assert(step < r->step_count);
    if (s->kind == DUTY_STEP_START)
        return tell_start(&t, r, s);
    if (s->kind >= DUTY_STEP_YEARLY)
        return tell_plan(&t, r, s);
    return catalog_format(c, lang, a, step_key(r, s), "amount", z(arena_printf(a, "%d", s->amount)),
                          "day", z(duty_date_text(s->day, a)), "last", z(duty_date_text(s->last, a)),
                          "list", list ? days_z(&t, s) : "",
                          "at", s->kind == DUTY_STEP_ENDS ? moment_z(&t, s->at) : "",
                          "year", z(arena_printf(a, "%d", civil_from_days(s->last).year)),
                          "reading", z(arena_copy(a, r->obligation->reading)), NULL);
}

static void put_member(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, value);
    buf_byte(out, ',');
}

void duty_json(const struct duty_world *w, const struct duty_result *r, const struct catalog *c, enum lang lang,
               struct buf *out)
{
    const struct obligation *o = r->obligation;
    AUTO_ARENA struct arena a;
    char text[TIME_TEXT_MAX];
    struct civil day = civil_of_ns(r->start.at, zone_offset_min(w->zone, r->start.at));

    arena_init(&a, 4 * MIB);
    buf_byte(out, '{');
    put_member(out, "id", o->id);
    put_member(out, "from", r->start.date ? arena_printf(&a, "%04d-%02d-%02d", day.year, day.month, day.day)
                                          : str_c(duty_rfc3339(w, r->start.at, text)));
    if (r->basis == DUTY_LAW || r->basis == DUTY_TARGET) {
        put_member(out, "due", str_c(duty_rfc3339(w, r->due, text)));
        put_member(out, "nominal", str_c(duty_rfc3339(w, r->nominal, text)));
    } else {
        buf_str(out, STR("\"due\":null,\"nominal\":null,"));
    }
    put_member(out, "unit", str_c(duty_unit_name(o->unit)));
    buf_printf(out, "\"amount\":%d,", o->amount);
    put_member(out, "paragraph", o->paragraph);
    buf_str(out, STR("\"arithmetic\":["));
    for (size_t i = 0; i < r->step_count; i++) {
        if (i)
            buf_byte(out, ',');
        buf_json(out, duty_step_text(w, r, i, c, lang, &a));
    }
    buf_str(out, STR("],"));
    put_member(out, "basis", str_c(duty_basis_name(r->basis)));
    if (r->basis == DUTY_FREQUENCY)
        buf_printf(out, "\"year\":%d,\"main\":%d,\"control\":%d,", r->year, r->main, r->control);
    put_member(out, "edition", o->edition);
    put_member(out, "calendar", w->calendar->version);
    buf_printf(out, "\"estimated\":%s}", r->estimated ? "true" : "false");
}
