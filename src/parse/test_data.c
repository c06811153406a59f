/* test_data.c - real logs of other projects (../shared/data/logs), compared with what those projects expect.
 *
 * The data is not ours to ship: where it is absent the test ends with 77, skipped. Floors are what was reached when the
 * test was written; a score below is a step back. */
#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/test_lines.h"
#include "parse/test_samples.h"

struct data {
    struct parser *parser;
    struct samples at;
};

/* --- walking --- */

typedef void each_file(struct data *d, const char *path, void *arg);

/* walk - every file under root, folders by an explicit stack. */
static void walk(struct data *d, const char *root, each_file *each, void *arg)
{
    char *stack[2048];
    size_t depth = 0;

    stack[depth++] = strdup(root);
    while (depth) {
        char *folder = stack[--depth];
        DIR *dir = opendir(folder);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)) != NULL) {
            char path[2048];
            struct stat st;

            if (entry->d_name[0] == '.' ||
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path || stat(path, &st) < 0)
                continue;
            if (S_ISDIR(st.st_mode) && depth < COUNT(stack))
                stack[depth++] = strdup(path);
            else if (S_ISREG(st.st_mode))
                each(d, path, arg);
        }
        if (dir)
            closedir(dir);
        free(folder);
    }
}

static void parse(struct data *d, struct str line, int32_t zone, struct event_batch *b, struct event **ev)
{
    struct parse_hints h = lines_hints();

    h.zone_min = zone;
    event_batch_reset(b);
    *ev = event_batch_add(b);
    parse_line(d->parser, line, &h, &b->arena, *ev);
}

struct totals {
    size_t files, lines, failed, header, header_failed;
};

static bool has_header(struct str s)
{
    static const char *const months[] = { "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ",
                                          "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec " };

    for (size_t i = 0; i < COUNT(months); i++)
        if (str_starts(s, str_c(months[i])) && s.n > 20 && s.p[9] == ':' && s.p[12] == ':')
            return true;
    return (str_starts(s, STR("type=")) && str_find(s, STR(" msg=audit(")) > 0) ||
           (s.n > 4 && s.p[0] == '<' && s.p[3] == '>');
}

static void file_lines(struct data *d, const char *path, void *arg)
{
    struct totals *t = arg;
    struct event_batch b;
    struct str rest, line;
    struct buf file, out;

    buf_init(&file, 0);
    buf_init(&out, 0);
    event_batch_init(&b, 0);
    if (file_read(path, 64 * MIB, &file, NULL) == 0) {
        t->files++;
        rest = buf_view(&file);
        while (str_split(&rest, '\n', &line)) {
            struct event *ev;

            parse(d, line, EVENT_OFFSET_NONE, &b, &ev);
            assert_true(ev->original.n == min_size(line.n, EVENT_ORIGINAL_MAX) &&
                        (line.n == 0 || ev->original.p == line.p));
            assert_true(ev->parse < EVENT_PARSE_COUNT && ev->parser.n > 0);
            buf_reset(&out);
            event_json(ev, &out);
            assert_false(buf_failed(&out));
            if (line.n == 0)
                continue;
            t->lines++;
            t->failed += ev->parse == EVENT_PARSE_FAILED;
            t->header += has_header(line);
            t->header_failed += has_header(line) && ev->parse == EVENT_PARSE_FAILED;
        }
    }
    event_batch_free(&b);
    buf_free(&out);
    buf_free(&file);
}

static void test_every_line(void **state)
{
    struct data *d = *state;
    struct totals t = { 0 };

    walk(d, d->at.logs, file_lines, &t);
    walk(d, d->at.temp, file_lines, &t);
    print_message(
        "every line: %zu files, %zu lines, %zu not understood; %zu with a header, %zu of them not understood\n",
        t.files, t.lines, t.failed, t.header, t.header_failed);
    assert_true(t.lines > 20000);
    assert_int_equal(t.header_failed, 0);
}

static void test_log_entries(void **state)
{
    struct data *d = *state;
    struct totals t = { 0 };
    char path[600];

    snprintf(path, sizeof path, "%s/ossec/log-entries", d->at.logs);
    walk(d, path, file_lines, &t);
    print_message("ossec log-entries: %zu lines, %zu not understood (mail, comments, e-mailed alerts)\n", t.lines,
                  t.failed);
    assert_true(t.lines >= 1700);
    assert_true(t.failed * 100 <= t.lines * 5);
}

/* --- fail2ban: the line behind a failJSON comment --- */

struct attacks {
    size_t right, all;
};

static bool ours(struct str parser)
{
    return str_eq(parser, STR("sshd")) || str_eq(parser, STR("auditd")) || str_eq(parser, STR("pam")) ||
           str_eq(parser, STR("su")) || str_eq(parser, STR("sudo"));
}

/* attack - one line and what was said of it: the host that attacks, where it is an attack. */
static void attack(struct attacks *t, const char *path, const json_t *want, const struct event *ev)
{
    const char *host = json_string_value(json_object_get(want, "host"));
    struct str peer = event_get(ev, STR("source.ip"));

    if (!host || !json_is_true(json_object_get(want, "match")) || !ours(ev->parser))
        return;
    if (peer.n == 0)
        peer = event_get(ev, STR("source.domain"));
    t->all++;
    if (str_eq(peer, str_c(host)) && str_eq(event_get(ev, STR("event.outcome")), STR("failure")))
        t->right++;
    else
        print_message("%s: expected %s: %.*s\n", path, host, STR_ARG(ev->original));
}

static void fail2ban_file(struct data *d, const char *path, void *arg)
{
    struct event_batch b;
    struct buf file;
    struct str rest, line;
    json_t *want = NULL;

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    if (file_read(path, 16 * MIB, &file, NULL) == 0) {
        rest = buf_view(&file);
        while (str_split(&rest, '\n', &line)) {
            ptrdiff_t at = str_find(line, STR("failJSON:"));
            struct event *ev;

            if (at >= 0) {
                json_decref(want);
                want = json_loadb(line.p + at + 9, line.n - (size_t)at - 9, 0, NULL);
            } else if (want && line.n && *line.p != '#') {
                parse(d, line, EVENT_OFFSET_NONE, &b, &ev);
                attack(arg, path, want, ev);
                json_decref(want);
                want = NULL;
            }
        }
    }
    json_decref(want);
    event_batch_free(&b);
    buf_free(&file);
}

static void test_fail2ban(void **state)
{
    struct data *d = *state;
    struct attacks t = { 0 };
    char path[600];

    snprintf(path, sizeof path, "%s/fail2ban", d->at.logs);
    walk(d, path, fail2ban_file, &t);
    print_message("fail2ban: %zu of %zu attack lines of sshd, PAM and audit give the address and a failure\n", t.right,
                  t.all);
    assert_true(t.all >= 18);
    assert_int_equal(t.right, t.all);
}

/* --- beats: ECS documents beside the lines --- */

static bool skipped(const char *name)
{
    static const char *const heads[] = { "agent.",       "ecs.version",   "event.ingested", "event.created",
                                         "event.module", "event.dataset", "fileset.name",   "input.type",
                                         "log.offset",   "log.file.path", "service.type",   "tags",
                                         "host.",        "log.flags",     "event.timezone" };

    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i], strlen(heads[i])) == 0)
            return true;
    return strstr(name, ".geo.") || strstr(name, ".as.");
}

static bool same_scalar(struct str got, const json_t *want)
{
    char text[64];

    if (json_is_string(want))
        return str_eq(got, str_of(json_string_value(want), json_string_length(want)));
    if (!json_is_integer(want))
        return false;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(want));
    return str_eq(got, str_c(text));
}

/* same - the values of a field, whatever their order. */
static bool same(const struct event *ev, const char *name, json_t *want)
{
    size_t count = json_is_array(want) ? json_array_size(want) : 1, got = 0;
    char text[TIME_TEXT_MAX];
    struct str v;
    uint32_t at = 0;

    if (strcmp(name, "@timestamp") == 0)
        return same_scalar(str_c(time_format_utc(ev->time, text)), want);
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

struct score {
    size_t equal, all;
};

/* score_file - the documents of FILE-expected.json against the lines of FILE; stamps: compare @timestamp too. */
static void score_file(struct data *d, const char *name, bool stamps, struct score *score)
{
    char path[700], expected[800];
    struct event_batch b;
    struct buf file;
    struct str rest, line;
    json_t *documents;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/beats/%s", d->at.temp, name);
    snprintf(expected, sizeof expected, "%s-expected.json", path);
    buf_init(&file, 0);
    event_batch_init(&b, 0);
    documents = json_load_file(expected, 0, NULL);
    assert_non_null(documents);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (n < json_array_size(documents) && str_split(&rest, '\n', &line)) {
        struct event *ev;
        const char *key;
        json_t *want;

        if (line.n == 0 || *line.p == '\t' || *line.p == ' ')
            continue; /* the rest of a line that beats joins */
        parse(d, line, -120, &b, &ev);
        json_object_foreach(json_array_get(documents, n), key, want)
        {
            if (skipped(key) || (!stamps && strcmp(key, "@timestamp") == 0))
                continue;
            score->all++;
            score->equal += same(ev, key, want);
        }
        n++;
    }
    json_decref(documents);
    event_batch_free(&b);
    buf_free(&file);
}

static void test_beats(void **state)
{
    static const struct {
        const char *module;
        int floor_percent;
        bool stamps;
        const char *files[8];
    } modules[] = {
        { "system/auth", 86, false, { "system/auth/test/test.log", "system/auth/test/auth-ubuntu1204.log" } },
        { "system/syslog",
          97,
          false,
          { "system/syslog/test/suse-syslog.log", "system/syslog/test/darwin-syslog.log",
            "system/syslog/test/darwin-syslog-sample.log" } },
        { "auditd",
          95,
          true,
          { "auditd/log/test/audit-cent7-node.log", "auditd/log/test/audit-rhel6.log",
            "auditd/log/test/audit-rhel7.log", "auditd/log/test/audit-ubuntu1604.log", "auditd/log/test/avc.log",
            "auditd/log/test/execve.log", "auditd/log/test/test.log" } },
    };

    for (size_t i = 0; i < COUNT(modules); i++) {
        struct score s = { 0 };

        for (size_t f = 0; f < COUNT(modules[i].files) && modules[i].files[f]; f++)
            score_file(*state, modules[i].files[f], modules[i].stamps, &s);
        print_message("beats %s: %zu of %zu expected fields equal (%.1f %%)\n", modules[i].module, s.equal, s.all,
                      100.0 * (double)s.equal / (double)s.all);
        CHECK(modules[i].module, s.all > 100 && s.equal * 100 >= s.all * (size_t)modules[i].floor_percent);
    }
}

/* --- crowdsec: results["s01-parse"]["crowdsecurity/sshd-logs"][N].Evt.Meta["source_ip"] == "…" --- */

static void crowdsec_set(struct data *d, const char *set, const char *log, size_t *right, size_t *all)
{
    char path[600];
    struct event_batch b;
    struct buf lines, asserts;
    struct str rest, line;

    buf_init(&lines, 0);
    buf_init(&asserts, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/crowdsec/%s/%s", d->at.temp, set, log);
    assert_int_equal(file_read(path, MIB, &lines, NULL), 0);
    snprintf(path, sizeof path, "%s/crowdsec/%s/parser.assert", d->at.temp, set);
    assert_int_equal(file_read(path, 4 * MIB, &asserts, NULL), 0);
    rest = buf_view(&asserts);
    while (str_split(&rest, '\n', &line)) {
        static const char head[] = "results[\"s01-parse\"][\"crowdsecurity/sshd-logs\"][";
        struct str at = line, number, key, all_lines = buf_view(&lines), input;
        struct event *ev;
        uint64_t n;
        ptrdiff_t end;
        bool ip;

        if (!str_starts(at, str_c(head)))
            continue;
        at = str_cut(at, sizeof head - 1);
        end = str_chr(at, ']');
        number = str_of(at.p, end > 0 ? (size_t)end : 0);
        ip = str_find(at, STR("Evt.Meta[\"source_ip\"]")) >= 0;
        if (!str_u64(number, &n) || (!ip && str_find(at, STR("Evt.Meta[\"target_user\"]")) < 0) ||
            (end = str_find(at, STR("== \""))) < 0)
            continue;
        key = str_cut(at, (size_t)end + 4);
        key.n -= key.n > 0;
        for (uint64_t i = 0; str_split(&all_lines, '\n', &input) && i < n; i++)
            ;
        parse(d, input, EVENT_OFFSET_NONE, &b, &ev);
        (*all)++;
        *right += str_eq(event_get(ev, ip ? STR("source.ip") : STR("user.name")), key);
    }
    event_batch_free(&b);
    buf_free(&asserts);
    buf_free(&lines);
}

static void test_crowdsec(void **state)
{
    size_t right = 0, all = 0;

    crowdsec_set(*state, "sshd-logs-fp", "sshd-logs.log", &right, &all);
    crowdsec_set(*state, "sshd-invalid-bf", "sshd-invalid-bf.log", &right, &all);
    print_message("crowdsec sshd: %zu of %zu addresses and users equal\n", right, all);
    assert_true(all >= 12);
    assert_int_equal(right, all);
}

int main(void)
{
    static const char *const sets[] = { "beats", "crowdsec", "wazuh-engine", "otrf" };
    struct CMUnitTest tests[] = {
        { .name = "every line of the shared logs is kept as it came; every header is understood",
          .test_func = test_every_line },
        { .name = "ossec: lines of many daemons are parsed without loss", .test_func = test_log_entries },
        { .name = "fail2ban: attack lines give the attacker and a failure", .test_func = test_fail2ban },
        { .name = "beats: the share of ECS fields that are equal stays above its floor", .test_func = test_beats },
        { .name = "crowdsec: addresses and users of sshd lines", .test_func = test_crowdsec },
    };
    struct data d = { .parser = NULL };
    int failed;

    if (samples_open(&d.at, sets, COUNT(sets)) != 0)
        return SAMPLES_SKIP;
    if (parse_new(NULL, 0, &d.parser, NULL) < 0)
        return 1;
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i].initial_state = &d;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    parse_free(&d.parser);
    return samples_close(&d.at, failed);
}
