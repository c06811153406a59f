/* hours.c - when a person is on duty: a weekly table, and days on which it is otherwise. Pure. */
#include "desk/registry/room.h"

/* span_covers - from and to on the day that began days_ago (0 or 1) before the one of minute; to at or before from runs into the next day. */
static bool span_covers(const json_t *row, int minute, int days_ago)
{
    int from = minute_of_day(json_get_str(row, "from")), to = minute_of_day(json_get_str(row, "to"));

    if (from < 0 || to < 0)
        return false;
    if (to <= from)
        to += 24 * 60;
    minute += days_ago * 24 * 60;
    return from <= minute && minute < to;
}

static bool day_covers(const json_t *hours, int64_t day, int minute, int days_ago)
{
    struct civil d = civil_from_days(day);
    char date[40];
    json_t *row;
    size_t i;
    bool other = false, on = false;

    snprintf(date, sizeof date, "%04d-%02d-%02d", (int)d.year, (int)d.month, (int)d.day);
    json_array_foreach(json_object_get(hours, "exceptions"), i, row)
        if (str_eq(json_get_str(row, "date"), str_c(date))) {
            other = true;
            on = on || span_covers(row, minute, days_ago);
        }
    if (other)
        return on;
    json_array_foreach(json_object_get(hours, "week"), i, row)
        if (json_integer_value(json_object_get(row, "day")) == (civil_weekday(day) + 6) % 7 + 1)
            on = on || span_covers(row, minute, days_ago);
    return on;
}

bool hours_cover(const json_t *hours, const struct civil *at)
{
    int64_t day = civil_days(at->year, at->month, at->day);
    int minute = at->hour * 60 + at->minute;

    if (!json_is_object(hours))
        return true;
    /* A night that began yesterday is judged by yesterday's row. */
    return day_covers(hours, day, minute, 0) || day_covers(hours, day - 1, minute, 1);
}
