/* cmd_stat.c - saqshy stat: where the bytes of the store go, by day and by kind of bytes. */
#include "bin/bin.h"
#include "base/clock.h"
#include "store/store.h"

#include <unistd.h>

static const char usage[] = "usage: saqshy stat [--data DIR] [--json]\n\n"
                            "Where the bytes of the store of DIR (default: SAQSHY_DATA, else ./data) go: by day, with bytes an event, and by kind: keys (times and numbers), columns (lines\n"
                            "and fields; payload in older parts), filter (which words are in a block), directory. raw: before compression. Reads the directories of the parts, no events; saqshyd may run.\n"
                            "Exit 0: done, 1: a part cannot be read, 2: the store cannot.\n";

static const char *day_text(int32_t day, char out[16])
{
    struct civil c = civil_from_days(day);

    snprintf(out, 16, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
    return out;
}

static double per(uint64_t a, uint64_t b) { return b ? (double)a / (double)b : 0; }

static void show_json(const struct store_usage *u)
{
    char day[16];

    printf("{\"events\":%llu,\"bytes\":%llu,\"bytes_per_event\":%.3f,\"parts\":%llu,\"blocks\":%llu,\"unknown_parts\":%llu,\"kinds\":[", (unsigned long long)u->events,
           (unsigned long long)u->bytes, per(u->bytes, u->events), (unsigned long long)u->parts, (unsigned long long)u->blocks, (unsigned long long)u->unknown_parts);
    for (size_t i = 0; i < u->kinds; i++)
        printf("%s{\"kind\":\"%s\",\"bytes\":%llu,\"raw\":%llu,\"bytes_per_event\":%.3f}", i ? "," : "", u->kind[i].name, (unsigned long long)u->kind[i].bytes,
               (unsigned long long)u->kind[i].raw, per(u->kind[i].bytes, u->events));
    fputs("],\"days\":[", stdout);
    for (size_t i = 0; i < u->days; i++)
        printf("%s{\"day\":\"%s\",\"parts\":%llu,\"events\":%llu,\"bytes\":%llu,\"archived_bytes\":%llu,\"bytes_per_event\":%.3f}", i ? "," : "", day_text(u->day[i].day, day),
               (unsigned long long)u->day[i].parts, (unsigned long long)u->day[i].events, (unsigned long long)u->day[i].bytes, (unsigned long long)u->day[i].archived_bytes,
               per(u->day[i].bytes, u->day[i].events));
    puts("]}");
}

static void show_kind(const struct store_usage_kind *k, const struct store_usage *u)
{
    char raw[24] = "-", ratio[24] = "-";

    if (k->raw) {
        snprintf(raw, sizeof raw, "%llu", (unsigned long long)k->raw);
        snprintf(ratio, sizeof ratio, "%.2f", per(k->raw, k->bytes));
    }
    printf("%-12s %7.1f%% %14s %16llu %12.2f %8s\n", k->name, 100 * per(k->bytes, u->bytes), raw, (unsigned long long)k->bytes, per(k->bytes, u->events), ratio);
}

static void show(const struct store_usage *u)
{
    char day[16];

    printf("%-12s %8s %14s %16s %12s\n", "day", "parts", "events", "bytes", "bytes/event");
    for (size_t i = 0; i < u->days; i++)
        printf("%-12s %8llu %14llu %16llu %12.2f\n", day_text(u->day[i].day, day), (unsigned long long)u->day[i].parts, (unsigned long long)u->day[i].events,
               (unsigned long long)u->day[i].bytes, per(u->day[i].bytes, u->day[i].events));
    printf("%-12s %8llu %14llu %16llu %12.2f\n\n", "all", (unsigned long long)u->parts, (unsigned long long)u->events, (unsigned long long)u->bytes, per(u->bytes, u->events));
    printf("%-12s %8s %14s %16s %12s %8s\n", "kind", "share", "raw", "bytes", "bytes/event", "ratio");
    for (size_t i = 0; i < u->kinds; i++)
        show_kind(&u->kind[i], u);
}

int cmd_stat(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct store_usage u;
    char folder[4096];
    bool json = false;
    struct err e;
    int c;

    data = data ? data : "data";
    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (optind != argc)
        return wrong_usage("stat", "nothing is expected behind the options");
    snprintf(folder, sizeof folder, "%.4000s/store", data);
    if (store_usage_read(folder, &u, &e) < 0) {
        fprintf(stderr, "saqshy stat: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (json)
        show_json(&u);
    else
        show(&u);
    c = u.unknown_parts ? EXIT_NO : EXIT_YES;
    if (u.unknown_parts)
        fprintf(stderr, "saqshy stat: %llu parts cannot be read; \"saqshy verify\" names them\n", (unsigned long long)u.unknown_parts);
    store_usage_free(&u);
    return c;
}
