/* cmd_status.c - saqshy status: asks the supervisor of a data directory how its roles are. */
#include "bin/bin.h"
#include "base/file.h"
#include "keep/keep.h"

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char usage[] = "usage: saqshy status --data DIR [--json]\n\n"
                            "Shows the processes of the saqshyd that runs on DIR, and how its disks stand with their reserve.\n"
                            "Exit 0: all roles run and there is room, 1: a role does not run, the reserve of a disk is touched, or no saqshyd is there.\n";

static int ask(const char *data, struct buf *out, struct err *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n;
    char *to;

    if (snprintf(a.sun_path, sizeof a.sun_path, "%s/run/control.sock", data) >= (int)sizeof a.sun_path)
        return err_set(e, -ENAMETOOLONG, "the path of \"%s\" is too long for a socket", data);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        return err_sys(e, "no saqshyd answers on \"%s\"", a.sun_path);
    while ((to = buf_room(out, 4096)) != NULL && (n = read(fd, to, 4096)) > 0)
        out->n += (size_t)n;
    buf_byte(out, 0);
    return 0;
}

static int show(const char *text, bool json)
{
    json_t *j = json_loads(text, 0, NULL), *role;
    bool all = json_array_size(json_object_get(j, "roles")) > 0;
    size_t i;

    if (json)
        fputs(text, stdout);
    json_array_foreach(json_object_get(j, "roles"), i, role) {
        long long pid = json_integer_value(json_object_get(role, "pid"));

        all = all && pid > 0;
        if (!json)
            printf("%-8s %s pid %lld, up %lld s, %lld restarts\n", json_string_value(json_object_get(role, "name")), pid > 0 ? "runs  " : "fallen",
                   pid, (long long)json_integer_value(json_object_get(role, "up_s")),
                   (long long)json_integer_value(json_object_get(role, "restarts")));
    }
    json_decref(j);
    return all ? EXIT_YES : EXIT_NO;
}

/* show_figures - what a role could not do, by its own figures. */
static void show_figures(const char *data)
{
    static const struct { const char *role, *metric, *words; } figures[] = {
        { "desk", "\nsaqshy_desk_rows_waiting ", "rows of the desk that could not be written wait: see its log" },
        { "desk", "\nsaqshy_desk_findings_waiting ", "findings that could not become cases wait: see the desk's log" },
        { "desk", "\nsaqshy_desk_policies_wrong ", "file(s) of DATA/policy are wrong and left out by the desk: see its log" },
        { "detect", "\nsaqshy_detect_policy_wrong ", "policy of detection is wrong and left out: see the log of detection" },
    };

    for (size_t i = 0; i < COUNT(figures); i++) {
        AUTO_BUF struct buf b;
        char path[4096];

        buf_init(&b, MIB);
        snprintf(path, sizeof path, "%.4000s/run/metrics-%s.prom", data, figures[i].role);
        if (file_read(path, MIB, &b, NULL) < 0)
            continue;   /* the role is not here */
        struct str at = buf_view(&b), name = str_c(figures[i].metric);
        ptrdiff_t found = str_find(at, name);
        int64_t n = 0;

        for (at = found < 0 ? STR("") : str_cut(at, (size_t)found + name.n); at.n && *at.p >= '0' && *at.p <= '9' && n < 1000000000; at = str_cut(at, 1))
            n = n * 10 + (*at.p - '0');
        if (n)
            printf("%lld %s\n", (long long)n, figures[i].words);
    }
}

/* show_space - what concerns everybody: no room, or terms that are shorter than they should be. False when the reserve of a disk is touched. */
static bool show_space(const char *data, bool quiet)
{
    json_t *picture = NULL, *p;
    enum space_state state;
    size_t i;

    if (keep_picture(data, &picture, NULL) < 0)
        return true;    /* no index here */
    const json_t *terms = json_object_get(picture, "terms"), *full = json_object_get(json_object_get(picture, "outlook"), "full_in_days");
    state = keep_state(picture);
    json_array_foreach(json_object_get(json_object_get(picture, "space"), "places"), i, p) {
        const char *s = json_string_value(json_object_get(p, "state")), *name = json_string_value(json_object_get(p, "name"));

        if (!quiet && s && name && strcmp(s, "ok") != 0)
            printf("disk %s: %lld MiB free, reserve %lld MiB%s\n", name, (long long)(json_integer_value(json_object_get(p, "free")) >> 20),
                   (long long)(json_integer_value(json_object_get(p, "reserve")) >> 20),
                   strcmp(s, "touched") == 0 ? ": TOUCHED, senders are slowed, nothing is removed before its term" : "");
    }
    if (!quiet && json_is_integer(full) && json_integer_value(full) <= 90)
        printf("the disk is full in %lld days at this pace: see saqshy retention\n", (long long)json_integer_value(full));
    if (!quiet && json_is_true(json_object_get(terms, "shorter")))
        printf("events are kept for %lld days only, by decision of %s on %s: %s\n", (long long)json_integer_value(json_object_get(terms, "days")),
               json_string_value(json_object_get(terms, "decided_by")), json_string_value(json_object_get(terms, "decided_on")),
               json_string_value(json_object_get(terms, "reason")));
    json_decref(picture);
    return state != SPACE_TOUCHED;
}

int cmd_status(int argc, char **argv)
{
    const char *data = NULL;
    AUTO_BUF struct buf b;
    bool json = false;
    struct err e;
    int c;

    buf_init(&b, MIB);
    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (!data || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (ask(data, &b, &e) < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_NO;
    }
    if (!json)
        show_figures(data);
    bool room = show_space(data, json);
    int code = show(b.p, json);
    return room ? code : EXIT_NO;
}
