/* cmd_retention.c - saqshy retention: how long events are kept, where they lie, and whether there will be room, as the role index publishes it. */
#include "bin/bin.h"
#include "keep/keep.h"

static const char usage[] = "usage: saqshy retention --data DIR [--json]\n\n"
                            "Shows the terms of events and why they are what they are, what is stored and since when, the archive, how the disks stand with\n"
                            "their reserve, and when they will be full at the pace of the last days.\n"
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

int cmd_retention(int argc, char **argv)
{
    const char *data = NULL;
    json_t *all = NULL;
    bool json = false;
    struct err e;
    int c;

    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (!data || optind != argc)
        return wrong_usage("retention", data ? "nothing is expected behind the options" : "--data is missing");
    if (keep_picture(data, &all, &e) < 0) {
        fprintf(stderr, "saqshy: %s; does saqshyd with the role index run there?\n", e.text);
        return EXIT_NO;
    }
    if (json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        show_terms(json_object_get(all, "terms"));
        show_store(json_object_get(all, "store"));
        show_room(json_object_get(all, "space"), json_object_get(all, "outlook"));
    }
    enum space_state state = keep_state(all);
    json_decref(all);
    return state == SPACE_TOUCHED ? EXIT_NO : EXIT_YES;
}
