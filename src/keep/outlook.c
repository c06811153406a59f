/* outlook.c - will there be room? Each coming day takes the pace and gives back what leaves by its term: from fast reach into the archive, from the archive for good. */
#include "keep/internal.h"

static int64_t bytes_of(const struct store_day *list, size_t count, int32_t day)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (list[mid].day < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low < count && list[low].day == day ? (int64_t)list[low].bytes : 0;
}

/* measure - the mean of the last whole days of which there is something; today alone if it is the first. */
static void measure(const struct store_day *list, size_t count, time_ns now, struct keep_outlook *out)
{
    int32_t today = (int32_t)(now / NS_PER_DAY), first = count ? list[0].day : today;
    int64_t bytes = 0, events = 0, part = now % NS_PER_DAY;

    out->measured_days = today - first > PACE_DAYS ? PACE_DAYS : today > first ? today - first : 0;
    for (size_t i = 0; i < count; i++) {
        bool taken = out->measured_days ? list[i].day < today && list[i].day >= today - out->measured_days : list[i].day == today;

        bytes += taken ? (int64_t)list[i].bytes : 0;
        events += taken ? (int64_t)list[i].events : 0;
    }
    if (out->measured_days) {
        out->bytes_day = bytes / out->measured_days;
        out->events_day = events / out->measured_days;
        return;
    }
    part = part < NS_PER_HOUR ? NS_PER_HOUR : part;    /* minutes say little of a day */
    out->bytes_day = (int64_t)((__int128)bytes * NS_PER_DAY / part);
    out->events_day = (int64_t)((__int128)events * NS_PER_DAY / part);
}

/* leaves - bytes of the day that is so old on the i-th day from now; one that is still to come has the pace. */
static int64_t leaves(const struct store_day *list, size_t count, int32_t today, int64_t i, int64_t age, int64_t pace)
{
    int64_t day = today + i - age - 1;      /* the day before the last one that is kept */

    return day >= today ? pace : day < 0 ? 0 : bytes_of(list, count, (int32_t)day);
}

void keep_look_ahead(const struct store_day *list, size_t count, time_ns now, const struct keep_terms *t, const struct keep_room *room,
                     struct keep_outlook *out)
{
    int32_t today = (int32_t)(now / NS_PER_DAY);
    int64_t fast = room->free, away = room->archive_free, stored = 0;

    *out = (struct keep_outlook){ .full_in_days = -1 };
    measure(list, count, now, out);
    out->other_day = room->other_day > 0 ? room->other_day : 0;
    for (size_t i = 0; i < count; i++)
        stored += (int64_t)list[i].bytes;
    if (__builtin_mul_overflow(out->bytes_day, t->days, &out->need_bytes))
        out->need_bytes = INT64_MAX;
    out->have_bytes = stored + (room->free > 0 ? room->free : 0) + (room->archive && room->archive_free > 0 ? room->archive_free : 0);
    if (fast < 0 || (room->archive && away < 0))
        out->full_in_days = 0;
    for (int64_t i = 1; out->full_in_days < 0 && out->bytes_day + out->other_day > 0 && i <= OUTLOOK_DAYS; i++) {
        int64_t ends = leaves(list, count, today, i, t->longest, out->bytes_day);
        int64_t moves = room->archive ? leaves(list, count, today, i, t->fast_days, out->bytes_day) : ends;

        fast += moves - out->bytes_day - out->other_day;
        away += ends - moves;
        if (fast < 0 || (room->archive && away < 0)) {
            out->full_in_days = i;
            out->archive_first = fast >= 0;
        }
    }
    if (out->full_in_days == 0)
        out->archive_first = fast >= 0;
}
