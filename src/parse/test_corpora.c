/* test_corpora.c - structured formats against what other projects expect of real logs (../shared/data/logs): Windows events of
 * wazuh-engine and otrf, syslog dialects of sc4s and rsyslog. The share of the fields worth most (data/README.md) is printed and
 * has a floor; what is known to differ, and why, stands in a table here and in docs/parsers.md. Absent data: 77, skipped. */
#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/forms.h"
#include "parse/test_lines.h"
#include "parse/test_samples.h"

struct data {
    struct parser *parser;
    struct buf ecs; /* ecs/fields.csv */
    struct samples at;
};

struct score {
    size_t equal, all, excused;
};

/* worth - the fields worth most, without what only the rules of the other project tell. */
static bool worth(const char *name)
{
    static const char *const heads[] = { "event.category", "event.type", "event.action", "event.outcome", "source.", "destination.",
                                         "user.", "process.", "file.", "url.", "http.", "dns.", "network.", "@timestamp" };

    if (strstr(name, ".geo.") || strstr(name, ".as.") || strstr(name, "_agent."))
        return false;
    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

static bool same_scalar(struct str got, const json_t *want)
{
    char text[64];

    if (json_is_string(want))
        return str_eq(got, str_of(json_string_value(want), json_string_length(want)));
    if (json_is_boolean(want))
        return str_eq(got, json_is_true(want) ? STR("true") : STR("false"));
    if (!json_is_integer(want))
        return false;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(want));
    return str_eq(got, str_c(text));
}

static bool same(const struct event *ev, const char *name, json_t *want)
{
    size_t count = json_is_array(want) ? json_array_size(want) : 1, got = 0;
    struct str v;
    uint32_t at = 0;

    if (json_is_string(want) && json_string_length(want) == 0)
        return event_get(ev, str_c(name)).n == 0; /* an empty value is none here */
    while (event_values(ev, str_c(name), &at, &v)) {
        bool found = false;

        got++;
        for (size_t i = 0; i < count && !found; i++)
            found = same_scalar(v, json_is_array(want) ? json_array_get(want, i) : want);
        if (!found)
            return false;
    }
    return got == count;
}

/* What differs and is right here; file NULL: in every case. */
static const struct {
    const char *file, *field, *why;
} excused[] = {
    { "security_4688", "process.pid", "there the creator's, here the new process's (NewProcessId)" },
    { "security_4905", "process.executable", "\"-\" is no path" },
    { "security_4905", "process.name", "\"-\" is no name" },
    { "security_4770", "source.ip", "::ffff:10.0.0.12 is 10.0.0.12" },
    { "security_5152", "process.pid", "a decimal number was read there as hexadecimal" },
    { "security_5156", "process.pid", "the same" },
    { "security_5157", "process.pid", "the same" },
    { "security_5158", "process.pid", "the same" },
    { "rule_execution", "file.", "a rule's finding: the parent's program as a file" },
    { "rule_execution", "process.args", "a quoted path with a blank is one argument" },
    { "rule_execution", "process.parent.args", "without its quotes" },
    { "rule_defense", "process.parent.name", "there the process's own name" },
    { "security_4756", "user.target.domain", "there the last part alone of localdom.local" },
    { "security_4757", "user.target.domain", "the same" },
    { "iis", "url.original", "the path with its query" },
    { "iis", "url.query", "a plus is left as it was sent" },
};

static bool is_excused(const char *file, const char *field)
{
    for (size_t i = 0; i < COUNT(excused); i++)
        if (strncmp(file, excused[i].file, strlen(excused[i].file)) == 0 &&
            strncmp(field, excused[i].field, strlen(excused[i].field)) == 0)
            return true;
    return false;
}

/* score_object - a nested document, by an explicit stack. */
static void score_object(const char *file, const struct event *ev, json_t *document, struct score *s)
{
    struct {
        json_t *object;
        char name[128];
    } stack[32];
    size_t depth = 1;

    stack[0].object = document;
    stack[0].name[0] = 0;
    while (depth) {
        json_t *object = stack[--depth].object, *v;
        char head[128], name[256];
        const char *key;

        snprintf(head, sizeof head, "%s", stack[depth].name);
        json_object_foreach(object, key, v)
        {
            snprintf(name, sizeof name, "%s%s%s", head, *head ? "." : "", key);
            if (json_is_object(v) && depth < COUNT(stack)) {
                stack[depth].object = v;
                snprintf(stack[depth++].name, sizeof stack[0].name, "%s", name);
            } else if (worth(name)) {
                bool equal = same(ev, name, v);

                s->all++;
                s->equal += equal;
                if (!equal && is_excused(file, name))
                    s->excused++;
                else if (!equal)
                    print_message("  %s: %s is \"%.*s\"\n", file, name, STR_ARG(event_get(ev, str_c(name))));
            }
        }
    }
}

/* --- names: those of the Elastic Common Schema, or below a name of the format's own --- */

/* known_name - the second column of ecs/fields.csv, or one of ours. */
static bool known_name(const struct data *d, struct str name)
{
    static const char *const own[] = { "cef.", "leef.", "winlog.", "w3c.", "iis.", "nxlog.", "saqshy." };
    char row[300];

    for (size_t i = 0; i < COUNT(own); i++)
        if (str_starts(name, str_c(own[i])))
            return true;
    snprintf(row, sizeof row, ",%.*s,", STR_ARG(name));
    return str_find(buf_view(&d->ecs), str_c(row)) >= 0;
}

static bool structured(struct str parser)
{
    static const char *const names[] = { "cef", "leef", "w3c", "windows", "snare" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(parser, str_c(names[i])))
            return true;
    return false;
}

/* check_names - of an event of ours; a shipper's own names in JSON are its affair. */
static void check_names(const struct data *d, const struct event *ev)
{
    if (!structured(ev->parser) || (ev->original.n && *ev->original.p == '{'))
        return;
    for (uint32_t i = 0; i < ev->field_count; i++)
        if (!known_name(d, ev->fields[i].name))
            fail_msg("%.*s gives a field that is none of ECS: \"%.*s\"", STR_ARG(ev->parser), STR_ARG(ev->fields[i].name));
}

static void parse(struct data *d, struct str line, struct event_batch *b, struct event **ev)
{
    struct parse_hints h = lines_hints();

    event_batch_reset(b);
    *ev = event_batch_add(b);
    parse_line(d->parser, line, &h, &b->arena, *ev);
    check_names(d, *ev);
}

static void test_wazuh_windows(void **state)
{
    struct data *d = *state;
    char folder[600], path[1200], expected[1200];
    struct event_batch b;
    struct score s = { 0 };
    struct dirent *entry;
    size_t cases = 0;
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/wazuh-engine/windows", d->at.temp);
    dir = opendir(folder);
    assert_non_null(dir);
    event_batch_init(&b, 0);
    while ((entry = readdir(dir)) != NULL) {
        AUTO_BUF struct buf file = { 0 };
        size_t n = strlen(entry->d_name);
        struct event *ev;
        json_t *documents;

        if (n < 10 || strcmp(entry->d_name + n - 10, "_input.xml") != 0)
            continue;
        buf_init(&file, 0);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(expected, sizeof expected, "%s/%.*s_expected.json", folder, (int)(n - 10), entry->d_name);
        assert_int_equal(file_read(path, MIB, &file, NULL), 0);
        documents = json_load_file(expected, 0, NULL);
        assert_non_null(documents);
        parse(d, buf_view(&file), &b, &ev);
        CHECK(entry->d_name, str_eq(ev->parser, STR("windows")) && ev->parse == EVENT_PARSE_OK);
        score_object(entry->d_name, ev, json_array_get(documents, 0), &s);
        json_decref(documents);
        cases++;
    }
    closedir(dir);
    event_batch_free(&b);
    print_message("wazuh-engine windows: %zu cases, %zu of %zu fields worth most equal (%.1f %%), %zu more differ for a known reason\n",
                  cases, s.equal, s.all, 100.0 * (double)s.equal / (double)s.all, s.excused);
    assert_int_equal(cases, 36);
    assert_true(s.equal * 100 >= s.all * 95);
    assert_int_equal(s.equal + s.excused, s.all);
}

/* --- otrf: recorded attacks as JSON lines --- */

static void otrf_file(struct data *d, const char *path, struct score *s)
{
    AUTO_BUF struct buf file = { 0 };
    struct event_batch b;
    struct str rest, line;

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    assert_int_equal(file_read(path, 64 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line)) {
        struct event *ev;

        if (line.n == 0)
            continue;
        parse(d, line, &b, &ev);
        s->all++;
        /* channel, number, host, time, and for what the table knows, category and action */
        s->equal += str_eq(ev->parser, STR("windows")) && event_get(ev, STR("event.code")).n && event_get(ev, STR("host.name")).n &&
                    !(ev->marks & MARK_NO_TIME) && event_get(ev, STR("winlog.channel")).n && event_get(ev, STR("event.category")).n &&
                    event_get(ev, STR("event.action")).n;
    }
    event_batch_free(&b);
}

static void test_otrf(void **state)
{
    struct data *d = *state;
    struct score s = { 0 };
    char *stack[256], root[600];
    size_t depth = 0;

    snprintf(root, sizeof root, "%s/otrf/atomic/windows", d->at.temp);
    stack[depth++] = strdup(root);
    while (depth) {
        char *folder = stack[--depth];
        DIR *dir = opendir(folder);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)) != NULL) {
            char path[2048];
            struct stat st;

            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            if (entry->d_name[0] == '.' || stat(path, &st) < 0)
                continue;
            if (S_ISDIR(st.st_mode) && depth < COUNT(stack))
                stack[depth++] = strdup(path);
            else if (str_ends(str_c(path), STR(".json")))
                otrf_file(d, path, &s);
        }
        if (dir)
            closedir(dir);
        free(folder);
    }
    print_message("otrf windows: %zu of %zu events say number, host, time, what and of which kind\n", s.equal, s.all);
    assert_true(s.all > 3000);
    assert_true(s.equal * 100 >= s.all * 95);
}

/* --- beats: IIS --- */

static void iis_file(struct data *d, const char *name, struct score *s)
{
    AUTO_BUF struct buf file = { 0 };
    char path[600], expected[700];
    struct parse_hints h = lines_hints();
    struct event_batch b;
    struct str rest, line;
    json_t *documents;
    size_t n = 0;

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/beats/iis/%s", d->at.temp, name);
    snprintf(expected, sizeof expected, "%s-expected.json", path);
    documents = json_load_file(expected, 0, NULL);
    assert_non_null(documents);
    assert_int_equal(file_read(path, MIB, &file, NULL), 0);
    assert_int_equal(parse_memory_new(&h.memory, NULL), 0);
    h.source = str_c(name);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line)) {
        const char *key;
        struct event *ev;
        json_t *want;

        if (line.n == 0)
            continue;
        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(d->parser, line, &h, &b.arena, ev);
        check_names(d, ev);
        if (*line.p == '#')
            continue;
        json_object_foreach(json_array_get(documents, n), key, want)
        {
            bool equal;

            if (!worth(key) || strcmp(key, "@timestamp") == 0)
                continue;
            equal = same(ev, key, want);
            s->all++;
            s->equal += equal;
            if (!equal && is_excused("iis", key))
                s->excused++;
            else if (!equal)
                print_message("  %s: %s is \"%.*s\"\n", name, key, STR_ARG(event_get(ev, str_c(key))));
        }
        n++;
    }
    assert_int_equal(n, json_array_size(documents));
    parse_memory_free(&h.memory);
    json_decref(documents);
    event_batch_free(&b);
}

static void test_iis(void **state)
{
    static const char *const names[] = { "access/test/test.log", "access/test/test-iis-7.2.log", "error/test/test.log",
                                         "error/test/ipv6_zone_id.log" };
    struct score s = { 0 };

    for (size_t i = 0; i < COUNT(names); i++)
        iis_file(*state, names[i], &s);
    print_message("beats iis: %zu of %zu fields worth most equal (%.1f %%), %zu more differ for a known reason\n", s.equal, s.all,
                  100.0 * (double)s.equal / (double)s.all, s.excused);
    assert_true(s.equal * 100 >= s.all * 94);
    assert_true((s.equal + s.excused) * 100 >= s.all * 99);
}

/* --- sc4s: which messages are understood, and by what --- */

/* What these messages do not say, so that no reader can find it; "host", "time" or both. */
static const struct {
    const char *sourcetype, *lacks, *why;
} silent[] = {
    { "nix:syslog", "host time", "a tag right behind the PRI; cron without a host" },
    { "cisco:esa", "host", "the name of the log stands where a host would: no host is sent" },
    { "cisco:ios", "host time", "no host, or the uptime instead of a time" },
    { "dell:avamar:msc", "host", "\"host: text\" cannot be told from \"program: text\"" },
    { "netscreen:firewall", "time", "the time stands in the pairs, if at all" },
    { "pfsense:", "host", "pfSense sends no host by default" },
    { "radware:defensepro", "host time", "neither is sent; the device stands in the text" },
    { "raritan:dsx", "host time", "neither is sent" },
    { "StealthINTERCEPT", "host", "pairs right behind the time" },
    { "ubnt", "other", "the access point is the sender, the host of the sample stands in the text" },
    { "zscalernss-tunnel", "host", "no host is sent" },
};

static bool is_silent(const char *sourcetype, const char *what)
{
    for (size_t i = 0; i < COUNT(silent); i++)
        if (strncmp(sourcetype, silent[i].sourcetype, strlen(silent[i].sourcetype)) == 0 && strstr(silent[i].lacks, what))
            return true;
    return false;
}

struct sc4s {
    size_t all, header, timed, hosted, form, failed, wrong;
};

static void sc4s_message(struct data *d, const json_t *o, struct event_batch *b, struct sc4s *n)
{
    const json_t *m = json_object_get(o, "message"), *t = json_object_get(o, "template");
    const char *sourcetype = json_string_value(json_object_get(o, "sourcetype"));
    struct str host;
    struct event *ev;
    bool timed;

    parse(d, str_of(json_string_value(m), json_string_length(m)), b, &ev);
    host = event_get(ev, STR("host.name"));
    timed = !(ev->marks & MARK_NO_TIME);
    n->all++;
    n->header += event_get(ev, STR("log.syslog.priority")).n > 0 || timed;
    n->timed += timed;
    n->hosted += host.n > 0;
    n->failed += ev->parse == EVENT_PARSE_FAILED;
    n->form += ev->parse == EVENT_PARSE_OK && !str_eq(ev->parser, STR("syslog"));
    if ((host.n == 0 && !is_silent(sourcetype, "host")) || (!timed && !is_silent(sourcetype, "time")) ||
        (host.n && strstr(json_string_value(t), "{{ host }}") && str_find(host, STR("dev01")) < 0 && !is_silent(sourcetype, "other"))) {
        n->wrong++;
        print_message("  %s: host \"%.*s\", time %d: %.150s\n", sourcetype, STR_ARG(host), timed, json_string_value(t));
    }
}

static void test_sc4s(void **state)
{
    struct data *d = *state;
    AUTO_BUF struct buf file = { 0 };
    char path[600];
    struct event_batch b;
    struct str rest, line;
    struct sc4s n = { 0 };

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/sc4s.jsonl", d->at.logs);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line)) {
        json_t *o = json_loadb(line.p, line.n, 0, NULL);

        if (json_object_get(o, "message"))
            sc4s_message(d, o, &b, &n);
        json_decref(o);
    }
    event_batch_free(&b);
    print_message("sc4s: %zu messages: %zu with header, %zu with time, %zu with host, %zu by a form of their own, %zu not understood\n", n.all,
                  n.header, n.timed, n.hosted, n.form, n.failed);
    assert_int_equal(n.all, 320);
    assert_int_equal(n.header, 320);
    assert_int_equal(n.failed, 0);
    assert_int_equal(n.wrong, 0);
    assert_true(n.form >= 104);
}

/* --- rsyslog: Windows events as Snare sends them --- */

static void test_snare(void **state)
{
    static const char *const names[] = { "sample-custom-pattern.data", "sample-windows2025-security.data" };
    struct data *d = *state;
    struct event_batch b;
    size_t all = 0, right = 0, meant = 0;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        AUTO_BUF struct buf file = { 0 };
        char path[600];
        struct str rest, line;

        buf_init(&file, 0);
        snprintf(path, sizeof path, "%s/rsyslog/%s", d->at.logs, names[i]);
        assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
        rest = buf_view(&file);
        while (str_split(&rest, '\n', &line)) {
            struct event *ev;

            if (line.n == 0)
                continue;
            parse(d, line, &b, &ev);
            all++;
            right += str_eq(ev->parser, STR("snare")) && ev->parse == EVENT_PARSE_OK && event_get(ev, STR("event.code")).n &&
                     event_get(ev, STR("host.name")).n && event_get(ev, STR("event.outcome")).n && !(ev->marks & MARK_NO_TIME);
            meant += event_get(ev, STR("event.action")).n > 0;
        }
    }
    event_batch_free(&b);
    print_message("rsyslog snare: %zu of %zu lines give number, host, time and outcome; %zu a known event\n", right, all, meant);
    assert_true(all > 5);
    assert_int_equal(right, all);
    assert_true(meant + 2 >= all);
}

/* --- ossec: lines of many daemons --- */

/* Files that hold other things than lines of a log. */
static const struct {
    const char *file, *why;
} no_logs[] = {
    { "ns1", "log lines quoted in a mail, wrapped" },
    { "mail-alerts", "mails of alerts" },
    { "mail-errors", "mails of alerts" },
    { "vpn.log", "the console of a VPN 3000: a number, then month/day/year" },
};

struct entries {
    size_t lines, timed, hosted, program, form, failed;
};

static void entries_file(struct data *d, const char *path, struct entries *n)
{
    AUTO_BUF struct buf file = { 0 };
    struct event_batch b;
    struct str rest, line;

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line)) {
        struct event *ev;

        if (str_trim(line).n == 0 || *line.p == '#')
            continue;
        parse(d, line, &b, &ev);
        n->lines++;
        n->timed += !(ev->marks & MARK_NO_TIME);
        n->hosted += event_get(ev, STR("host.name")).n > 0;
        n->program += event_get(ev, STR("process.name")).n > 0;
        n->form += ev->parse != EVENT_PARSE_FAILED && !str_eq(ev->parser, STR("syslog"));
        n->failed += ev->parse == EVENT_PARSE_FAILED;
    }
    event_batch_free(&b);
}

static void test_entries(void **state)
{
    struct data *d = *state;
    struct entries sum = { 0 }, one;
    char folder[600], path[1200];
    struct dirent *entry;
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/ossec/log-entries", d->at.logs);
    dir = opendir(folder);
    assert_non_null(dir);
    print_message("%-16s %6s %6s %6s %8s %6s %7s\n", "ossec", "lines", "time", "host", "program", "form", "failed");
    while ((entry = readdir(dir)) != NULL) {
        bool log = true;

        if (*entry->d_name == '.')
            continue;
        for (size_t i = 0; i < COUNT(no_logs); i++)
            log = log && strcmp(entry->d_name, no_logs[i].file) != 0;
        one = (struct entries){ 0 };
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        entries_file(d, path, &one);
        print_message("%-16s %6zu %6zu %6zu %8zu %6zu %7zu%s\n", entry->d_name, one.lines, one.timed, one.hosted, one.program, one.form,
                      one.failed, log ? "" : "  (no log)");
        if (!log)
            continue;
        sum.lines += one.lines;
        sum.timed += one.timed;
        sum.hosted += one.hosted;
        sum.failed += one.failed;
    }
    closedir(dir);
    print_message("ossec: %zu lines of logs: %zu with time, %zu with host, %zu not understood (the second halves of wrapped lines)\n", sum.lines,
                  sum.timed, sum.hosted, sum.failed);
    assert_true(sum.lines > 1600);
    assert_true(sum.failed <= 8);
    assert_true(sum.timed * 100 >= sum.lines * 98);
}

int main(void)
{
    static const char *const sets[] = { "wazuh-engine", "otrf", "beats" };
    struct CMUnitTest tests[] = {
        { .name = "wazuh-engine: 36 Windows events as XML give the fields worth most", .test_func = test_wazuh_windows },
        { .name = "beats: logs of IIS by their columns", .test_func = test_iis },
        { .name = "otrf: recorded attacks on Windows as JSON lines", .test_func = test_otrf },
        { .name = "sc4s: all 320 syslog messages of 105 products give what they say of host and time", .test_func = test_sc4s },
        { .name = "ossec: lines of many daemons by header and by form", .test_func = test_entries },
        { .name = "rsyslog: Windows events in Snare form", .test_func = test_snare },
    };
    struct data d = { .parser = NULL };
    char path[600];
    int failed;

    if (samples_open(&d.at, sets, COUNT(sets)) != 0)
        return SAMPLES_SKIP;
    buf_init(&d.ecs, 0);
    snprintf(path, sizeof path, "%s/ecs/fields.csv", d.at.logs);
    if (parse_new(NULL, 0, &d.parser, NULL) < 0 || file_read(path, 16 * MIB, &d.ecs, NULL) < 0)
        return 1;
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i].initial_state = &d;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    parse_free(&d.parser);
    buf_free(&d.ecs);
    return samples_close(&d.at, failed);
}
