/* cmd_rules_preview.c - "saqshy rules preview FILE": how often a rule would have found something, before it is enabled. */
#include <getopt.h>
#include <unistd.h>

#include "base/file.h"
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/hunt_store.h"
#include "detect/retro.h"

#define DAYS_DEFAULT  7
#define OBJECTS_SHOWN 10
#define TELL_EVERY_NS NS_PER_SECOND

static const char usage[] =
    "usage: saqshy rules preview FILE… [--days D] [--data DIR] [--seconds S] [--json]\n\n"
    "Runs the rules of FILE (or of a folder) over the events of the last D days that DIR holds, and tells how often each would have found something: in all, by day,\n"
    "by object of the registry, with the first events. Exceptions of DIR count. Nothing is written, no case is opened.\n"
    "  --days D     whole days back from now (default 7, at most 399)\n"
    "  --data DIR   data directory (default: SAQSHY_DATA, else ./data)\n"
    "  --seconds S  after so many seconds it ends and tells what was found so far\n"
    "Exit 0: something would have been found, 1: nothing, 2: usage, or the rules or the events could not be read.\n";

struct options {
    const char *paths[RULE_FOLDERS_MAX], *data;
    size_t      count;
    uint64_t    days, seconds;
    bool        json;
};

static void progress(void *arg, uint64_t events, uint64_t all)
{
    time_ns *at = arg, now = clock_steady();

    if (!isatty(STDERR_FILENO) || now - *at < TELL_EVERY_NS || !all)
        return;
    *at = now;
    fprintf(stderr, "\r\033[K%3.0f %%  %llu events", (double)events * 100 / (double)all, (unsigned long long)events);
}

static void show_rule(const struct retro_preview_result *p, const struct retro_rule *r, struct buf *b)
{
    plain_put(b, str_c(r->title), 200);
    buf_printf(b, " (%s): would have matched in the last %llu days: %llu%s\n", sigma_level_name(r->level),
               (unsigned long long)((p->to - p->from + NS_PER_DAY - 1) / NS_PER_DAY), (unsigned long long)r->count, p->complete ? "" : ", not all of them looked at");
    for (size_t i = 0; i < p->day_count; i++) {
        struct civil c = civil_from_days(p->first_day + (int64_t)i);

        if (r->days[i])
            buf_printf(b, "  %04d-%02d-%02d  %llu\n", c.year, c.month, c.day, (unsigned long long)r->days[i]);
    }
    for (size_t i = 0; i < r->object_count && i < OBJECTS_SHOWN; i++) {
        buf_str(b, STR("  object "));
        plain_put(b, r->objects[i].id[0] ? str_c(r->objects[i].id) : STR("(none)"), 64);
        buf_printf(b, "  %llu\n", (unsigned long long)r->objects[i].count);
    }
    if (r->object_count > OBJECTS_SHOWN)
        buf_printf(b, "  and %zu further objects\n", r->object_count - OBJECTS_SHOWN);
    for (size_t i = 0; i < r->sample_count; i++) {
        buf_printf(b, "  %llu  ", (unsigned long long)r->samples[i].seq);
        buf_time(b, r->samples[i].time);
        buf_str(b, STR("  "));
        plain_put(b, str_c(r->samples[i].line), 200);
        buf_byte(b, '\n');
    }
}

static int tell(const struct retro_preview_result *p, bool json)
{
    AUTO_BUF struct buf b;
    uint64_t sum = 0;

    buf_init(&b, 1u << 30);
    for (size_t i = 0; i < p->rule_count; i++) {
        sum += p->rules[i].silent ? 0 : p->rules[i].count;
        if (!json && !p->rules[i].silent)
            show_rule(p, &p->rules[i], &b);
    }
    if (json) {
        retro_preview_json(p, &b);
        buf_byte(&b, '\n');
    } else {
        fprintf(stderr, "%llu events%s\n", (unsigned long long)p->stats.events, p->complete ? "" : "; the time was up before all were looked at");
    }
    fwrite(b.p, 1, b.n, stdout);
    return sum ? EXIT_YES : EXIT_NO;
}

/* tell_refused - a rule that is not looked at must not read as one that found nothing. */
static int tell_refused(const struct sigma *s, struct err *e)
{
    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        const struct sigma_refusal *r = sigma_refusal_at(s, i);

        fprintf(stderr, "saqshy rules preview: %.*s:%d:%d: %s: %.*s\n", STR_ARG(r->file), r->line, r->column,
                r->verdict == SIGMA_BROKEN ? "broken" : "not supported", STR_ARG(r->reason));
    }
    return sigma_rule_count(s) ? 0 : err_set(e, -EINVAL, "no rule could be loaded");
}

static int load(const struct options *o, struct sigma **s, struct err *e)
{
    const char *paths[RULE_FOLDERS_MAX + 1];
    struct node *node = NULL;
    struct rule_paths where;
    char exe[4096], exceptions[4200];
    size_t count = o->count;
    int rc = node_exe_folder(exe, e);

    if (rc == 0)
        rc = node_default(NULL, exe, &node, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        paths[i] = o->paths[i];
    snprintf(exceptions, sizeof exceptions, "%.4000s/rules/exceptions", o->data);
    if (file_exists(exceptions))
        paths[count++] = exceptions;
    rule_paths(&where, node->content, NULL, paths, count);
    rc = sigma_load(where.paths, where.count, s, e);
    node_free(&node);
    return rc == 0 ? tell_refused(*s, e) : rc;
}

static int preview(const struct options *o, struct err *e)
{
    struct retro_preview_result result = { .rules = NULL };
    struct sigma *s = NULL;
    time_ns now = clock_now(), told = 0;
    struct retro_options r = { .data = o->data, .from = now - (time_ns)o->days * NS_PER_DAY, .to = now, .workers = hunt_processors(),
                               .deadline_steady = o->seconds ? clock_steady() + (time_ns)o->seconds * NS_PER_SECOND : 0 };
    int rc = access(o->data, R_OK) < 0 ? err_sys(e, "could not read the data directory \"%s\"", o->data) : load(o, &s, e);

    r.rules = s;
    if (rc == 0)
        rc = retro_preview(&r, progress, &told, &result, e);
    if (told)
        fputs("\r\033[K", stderr);
    if (rc == 0)
        rc = tell(&result, o->json);
    retro_preview_free(&result);
    sigma_free(&s);
    return rc;
}

int cmd_rules_preview(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "days", required_argument, NULL, 'n' }, { "data", required_argument, NULL, 'd' },
                                             { "seconds", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    const char *data = getenv("SAQSHY_DATA");
    struct options o = { .data = data ? data : "data", .days = DAYS_DEFAULT };
    struct err e = { 0 };
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'j') {
            o.json = true;
        } else if (c == 'd') {
            o.data = optarg;
        } else if (!(c == 'n' && str_u64(str_c(optarg), &o.days) && o.days > 0 && o.days < RETRO_DAYS_MAX) &&
                   !(c == 's' && str_u64(str_c(optarg), &o.seconds) && o.seconds > 0 && o.seconds <= 1000000)) {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    for (int i = optind; i < argc && o.count < RULE_FOLDERS_MAX - 1; i++)
        o.paths[o.count++] = argv[i];
    if (!o.count || (int)o.count != argc - optind) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    rc = preview(&o, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy rules preview: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
