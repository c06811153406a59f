/* duty_calendar.c - enemy of duty/calendar: any bytes as a calendar file or as a zone file. What loads must answer for
 * every day of its years, and for the years beside them with "no calendar". */
#include "duty/duty.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses two kilobytes over some broken files; such a file is read once, at start. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml\n";
}

static void ask(const struct calendar *c)
{
    int64_t first = civil_days(c->years[0].year, 1, 1), last = civil_days(c->years[c->year_count - 1].year, 12, 31);
    struct calendar_day d;

    for (int64_t day = first; day <= last; day++)
        if (calendar_day(c, day, &d, NULL) < 0)
            abort();
    if (calendar_day(c, first - 1, &d, NULL) != -ENODATA || calendar_day(c, last + 1, &d, NULL) != -ENODATA)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = str_of((const char *)data, size);
    struct calendar *c;
    struct zone *z;
    struct err e;

    if (zone_read(s, "fuzz", &z, &e) == 0) {
        struct civil day = { 2026, 3, 20, 23, 50, 0 };

        if (zone_first(z, &day) > zone_last(z, &day))
            abort();
        zone_free(&z);
    }
    if (calendar_read(s, "fuzz", &c, &e) == 0) {
        ask(c);
        calendar_free(&c);
    }
    return 0;
}
