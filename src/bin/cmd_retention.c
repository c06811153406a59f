/* cmd_retention.c - saqshy retention: how long events are kept, where they lie, and whether there will be room, as the role index publishes it. */
#include "bin/bin.h"
#include "keep/keep.h"

#include <getopt.h>

static const char usage[] = "usage: saqshy retention --data DIR [--dropped] [--json]\n\n"
                            "Shows the terms of events and why they are what they are, what is stored and since when, the archive, how the disks stand with\n"
                            "their reserve, and when they will be full at the pace of the last days.\n"
                            "--dropped: what was removed, when and by which rule, oldest first; \"saqshy verify\" proves it by the chain. With --json one object a line.\n"
                            "Exit 0: enough room, 1: the reserve is touched and senders are slowed, or nothing has been published there.\n";

static long long number(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s && *s ? s : "-";
}

static const char *size_text(long long bytes, char out[32])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double v = (double)bytes;
    size_t u = 0;

    for (; v >= 1024 && u + 1 < COUNT(units); u++)
        v /= 1024;
    snprintf(out, 32, u && v < 100 ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

static void show_terms(const json_t *t)
{
    json_t *x;
    size_t i;

    printf("kept for        %lld days, %lld of them in fast reach\n", number(t, "days"), number(t, "fast_days"));
    printf("least terms     %lld days, %lld in fast reach\n", number(t, "least_days"), number(t, "least_fast_days"));
    if (json_is_true(json_object_get(t, "shorter")))
        printf("SHORTER         by decision of %s on %s: %s\n", text(t, "decided_by"), text(t, "decided_on"), text(t, "reason"));
    json_array_foreach(json_object_get(t, "longer"), i, x)
        printf("longer          %s: %lld days for %s\n", text(x, "name"), number(x, "days"), text(x, "filter"));
}

static void show_store(const json_t *s)
{
    const json_t *a = json_object_get(s, "archive"), *r = json_object_get(s, "removed");
    char size[32], fast[32];

    printf("stored          %lld events, %s, from %s to %s\n", number(s, "events"), size_text(number(s, "bytes"), size), text(s, "oldest_day"), text(s, "newest_day"));
    if (json_is_object(a)) {
        printf("in fast reach   %s, from %s\n", size_text(number(s, "fast_bytes"), fast), text(s, "fast_oldest_day"));
        printf("archive         %s in %s, to %s%s\n", size_text(number(a, "bytes"), size), text(a, "folder"), text(a, "newest_day"),
               json_is_true(json_object_get(a, "there")) ? "" : " (NOT THERE)");
        if (strcmp(text(a, "error"), "-") != 0)
            printf("archive error   %s\n", text(a, "error"));
    }
    if (strcmp(text(r, "error"), "-") != 0)
        printf("removal error   %s\n", text(r, "error"));
}

static void show_holds(const json_t *h)
{
    if (number(h, "all") || number(h, "unreadable"))
        printf("legal holds     %lld in force, %lld in all (saqshy hold list)\n", number(h, "active"), number(h, "all"));
    if (strcmp(text(h, "error"), "-") != 0)
        printf("HOLDS           cannot be read, so NOTHING IS REMOVED: %s\n", text(h, "error"));
}

/* --- what was removed --- */

static const char *day_text(int32_t day, char out[16])
{
    struct civil c = civil_from_days(day);

    snprintf(out, 16, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
    return out;
}

static int dropped_json(void *arg, const struct store_dropped *d)
{
    char at[TIME_TEXT_MAX], first[16], last[16];

    (void)arg;
    printf("{\"at\":\"%s\",\"rule\":\"%s\",\"first_day\":\"%s\",\"last_day\":\"%s\",\"term_days\":%lld,\"parts\":%llu,\"events\":%llu,\"bytes\":%llu,\"kept\":%llu,\"held\":%llu,"
           "\"holds\":%llu,\"first_link\":%llu,\"last_link\":%llu}\n", time_format_utc(d->at, at), store_rule_name(d->rule), day_text(d->day, first), day_text(d->last_day, last),
           (long long)d->term, (unsigned long long)d->parts, (unsigned long long)d->events, (unsigned long long)d->bytes, (unsigned long long)d->kept,
           (unsigned long long)d->held, (unsigned long long)d->holds, (unsigned long long)d->first_link, (unsigned long long)d->last_link);
    return 0;
}

static int dropped_line(void *arg, const struct store_dropped *d)
{
    char at[TIME_TEXT_MAX], first[16], last[16], size[32];

    (void)arg;
    printf("%s  %s", time_format_utc(d->at, at), day_text(d->day, first));
    if (d->last_day != d->day)
        printf(" to %s", day_text(d->last_day, last));
    printf("  %llu events, %llu parts, %s  ", (unsigned long long)d->events, (unsigned long long)d->parts, size_text((long long)d->bytes, size));
    if (d->rule == RULE_TERM)
        printf("the longest term, %lld days, was over", (long long)d->term);
    else if (d->rule == RULE_THINNED)
        printf("the term of %lld days was over; %llu events stayed, %llu of them by a hold alone", (long long)d->term, (unsigned long long)d->kept, (unsigned long long)d->held);
    else
        printf("the sum of older lines");
    printf("; %llu holds; links %llu to %llu\n", (unsigned long long)d->holds, (unsigned long long)d->first_link, (unsigned long long)d->last_link);
    return 0;
}

static int dropped(const char *data, bool json)
{
    char folder[4096];
    uint64_t damaged;
    struct err e;
    int rc;

    snprintf(folder, sizeof folder, "%.4000s/store", data);
    rc = store_dropped_each(folder, json ? dropped_json : dropped_line, NULL, &damaged, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    else if (damaged)
        fprintf(stderr, "saqshy: %llu lines of the log are damaged; \"saqshy verify\" names them\n", (unsigned long long)damaged);
    return rc < 0 ? EXIT_USAGE : damaged ? EXIT_NO : EXIT_YES;
}

/* --- room --- */

static void show_room(const json_t *space, const json_t *o)
{
    char a[32], b[32], c[32];
    json_t *p;
    size_t i;

    json_array_foreach(json_object_get(space, "places"), i, p)
        printf("disk %-10s %s free of %s, reserve %s: %s\n", text(p, "name"), size_text(number(p, "free"), a), size_text(number(p, "total"), b),
               size_text(number(p, "reserve"), c), strcmp(text(p, "state"), "touched") == 0 ? "TOUCHED" : text(p, "state"));
    printf("pace            %s a day, %lld events (%s)\n", size_text(number(o, "bytes_day"), a), number(o, "events_day"),
           number(o, "measured_days") ? "mean of the last whole days" : "today alone");
    if (number(o, "other_day") > 0)
        printf("besides         %s a day for what is not events\n", size_text(number(o, "other_day"), a));
    printf("the whole term  needs %s, there are %s\n", size_text(number(o, "need_bytes"), a), size_text(number(o, "have_bytes"), b));
    if (json_is_integer(json_object_get(o, "full_in_days")))
        printf("full            in %lld days at this pace, on %s (%s)\n", number(o, "full_in_days"), text(o, "full_on"), text(o, "full_where"));
    else
        printf("full            not in sight\n");
}

static int show(const char *data, bool json)
{
    enum space_state state;
    json_t *all = NULL;
    struct err e;

    if (keep_picture(data, &all, &e) < 0) {
        fprintf(stderr, "saqshy: %s; does saqshyd with the role index run there?\n", e.text);
        return EXIT_NO;
    }
    if (json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        show_terms(json_object_get(all, "terms"));
        show_holds(json_object_get(all, "holds"));
        show_store(json_object_get(all, "store"));
        show_room(json_object_get(all, "space"), json_object_get(all, "outlook"));
    }
    state = keep_state(all);
    json_decref(all);
    return state == SPACE_TOUCHED ? EXIT_NO : EXIT_YES;
}

int cmd_retention(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "json", no_argument, NULL, 'j' }, { "dropped", no_argument, NULL, 'r' },
                                             { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    const char *data = NULL;
    bool json = false, log = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd') {
            data = optarg;
        } else if (c == 'j') {
            json = true;
        } else if (c == 'r') {
            log = true;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (!data || optind != argc)
        return wrong_usage("retention", data ? "nothing is expected behind the options" : "--data is missing");
    return log ? dropped(data, json) : show(data, json);
}
