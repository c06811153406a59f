/* cmd_forward.c - saqshy forward: where events are passed on to and how far they are, as the role forward publishes it in DATA/run. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "base/file.h"

#include <jansson.h>

#define FILE_MAX_BYTES (4u * MIB)
#define ERROR_SHOWN    1000
#define OLD_NS         (30 * NS_PER_SECOND)

static const char usage[] = "usage: saqshy forward --data DIR [--json]\n\n"
                            "Shows the upstreams of the saqshyd on DIR: whether there is a connection, how many events of the journal are not passed on yet and\n"
                            "how old the oldest of them is, what was sent, what the journal keeps for each, and the last failure.\n"
                            "Exit 0: every upstream that is enabled is connected, 1: one is not, or nothing has been published there.\n";

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s && *s ? s : "-";
}

static long long number(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

static bool well(const json_t *u) { return strcmp(text(u, "state"), "connected") == 0 || strcmp(text(u, "state"), "off") == 0; }

/* show_error - it may hold what the other side answered: nothing of it drives the terminal. */
static void show_error(const char *error)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    buf_str(&b, STR("  "));
    plain_put(&b, str_c(error), ERROR_SHOWN);
    buf_byte(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
}

static void show(const json_t *all)
{
    const json_t *u;
    size_t i;

    printf("%-20s %-10s %-32s %-10s %12s %9s %12s %14s %8s  %s\n", "UPSTREAM", "KIND", "ADDRESS", "STATE", "SENT", "BEHIND", "BEHIND S", "HELD BYTES", "REFUSED",
           "LAST SENT");
    json_array_foreach(all, i, u) {
        printf("%-20s %-10s %-32.60s %-10s %12lld %9lld %12lld %14lld %8lld  %s\n", text(u, "name"), text(u, "kind"), text(u, "address"), text(u, "state"),
               number(u, "sent"), number(u, "behind_events"), number(u, "behind_s"), number(u, "held_bytes"), number(u, "refused"), text(u, "last_sent"));
        if (json_string_length(json_object_get(u, "last_error")))
            show_error(text(u, "last_error"));
    }
}

static json_t *load(const char *data)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4200];

    buf_init(&b, FILE_MAX_BYTES + 1);
    snprintf(path, sizeof path, "%.4000s/run/forward.json", data);
    return file_read(path, FILE_MAX_BYTES, &b, NULL) < 0 ? NULL : json_loadb(b.n ? b.p : "", b.n, 0, NULL);
}

static int tell(const char *data, bool json)
{
    json_t *j = load(data);
    const json_t *all = json_object_get(j, "upstreams"), *u;
    time_ns at = 0;
    int rc = EXIT_YES;
    size_t i;

    if (!j) {
        fprintf(stderr, "saqshy: nothing has been published in \"%s/run\": no role forward has run there\n", data);
        return EXIT_NO;
    }
    if (json) {
        json_dumpf(j, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        show(all);
    }
    json_array_foreach(all, i, u)
        rc = well(u) ? rc : EXIT_NO;
    if (time_parse_rfc3339(str_c(text(j, "at")), &at, NULL, NULL) < 0 || clock_now() - at > OLD_NS) {
        fprintf(stderr, "saqshy: this is of %s: the role forward does not run\n", text(j, "at"));
        rc = EXIT_NO;
    }
    json_decref(j);
    return rc;
}

int cmd_forward(int argc, char **argv)
{
    const char *data = NULL;
    bool json = false;
    int c;

    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (!data || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return tell(data, json);
}
