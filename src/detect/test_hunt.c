/* test_hunt.c - hunting: our own rules with their samples, and the public collection with its regression cases. */
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/test.h"
#include "detect/hunt.h"
#include "parse/parse.h"
#include "parse/test_evtx_make.h"

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v ? v : "";
}

/* --- JSON of any shape --- */

static const struct { const char *name, *in, *want; } shapes[] = {
    { "nested", "{\"a\":{\"b\":{\"c\":1}},\"d\":true}", "a.b.c=1\nd=true\n" },
    { "null is there, and has no bytes", "{\"a\":null,\"b\":\"x\"}", "a=\nb=x\n" },
    { "an empty text is there", "{\"a\":\"\"}", "a=\n" },
    { "an array has several values", "{\"a\":[\"x\",2,{\"b\":3}]}", "a=x\na=2\na.b=3\n" },
    { "a number past 64 bits", "{\"a\":123456789012345678901234567890}", "a=1.2345678901234568e+29\n" },
    { "the shape of evtx_dump", "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"S\"}},\"EventID\":1}}}",
      "Event.System.Provider.#attributes.Name=S\nEvent.System.EventID=1\n" },
    { "our own events come back", "{\"@timestamp\":\"2026-03-19T03:00:00Z\",\"saqshy.class\":\"os-unix\",\"x\":\"y\"}", "x=y\n" },
    { "not an object", "[1]", NULL },
    { "cut", "{\"a\":", NULL },
    { "a NUL in a text", "{\"a\":\"x\\u0000y\"}", "a=x" },
};

static void json_becomes_fields(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        AUTO_BUF struct buf got;
        struct err e;
        int rc;

        buf_init(&got, 0);
        event_batch_reset(&b);
        rc = hunt_json_event(str_c(shapes[i].in), &b, &e);
        CHECK(shapes[i].name, rc == (shapes[i].want ? 0 : -EBADMSG));
        for (uint32_t f = 0; rc == 0 && f < b.items[0].field_count; f++)
            buf_printf(&got, "%.*s=%.*s\n", STR_ARG(b.items[0].fields[f].name), STR_ARG(b.items[0].fields[f].value));
        CHECK(shapes[i].name, rc < 0 || str_starts(buf_view(&got), str_c(shapes[i].want)));
    }
    event_batch_free(&b);
}

struct seen { unsigned matches, complaints; uint64_t record[16]; struct buf json; };
static int see(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    struct seen *s = arg;

    for (size_t i = 0; i < count; i++) {
        if (s->matches < COUNT(s->record))
            s->record[s->matches] = record;
        s->matches++;
        hunt_match_json(file, record, ev, &m[i], out);
        buf_byte(out, '\n');
    }
    return 0;
}
static int gather(void *arg, struct str text)
{
    struct seen *s = arg;

    buf_str(&s->json, text);
    return 0;
}
static void hear(void *arg, const char *file, uint64_t record, const char *what)
{
    (void)file;
    (void)record;
    (void)what;
    ((struct seen *)arg)->complaints++;
}

static const struct { const char *name, *content; unsigned matches, complaints; uint64_t first, last; } files[] = {
    { "lines of JSON", "{\"k\":\"x\"}\n{\"k\":\"y\"}\n{\"k\":\"x\"}\n", 2, 0, 1, 3 },
    { "values over several lines", "{\n \"k\": \"x\"\n}\n{\n \"k\": \"x\"\n}", 2, 0, 1, 2 },
    { "one array", "[{\"k\":\"y\"},\n {\"k\":\"x\"}]", 1, 0, 2, 2 },
    { "braces in texts", "{\"k\":\"x\",\"t\":\"}{\\\"\"}{\"k\":\"x\"}", 2, 0, 1, 2 },
    { "one broken value does not stop the others", "{\"k\":}\n{\"k\":\"x\"}\n", 1, 1, 2, 2 },
    { "the file ends within a value", "{\"k\":\"x\"}\n{\"k\":\"x", 1, 1, 1, 1 },
    { "raw lines", "nothing\nMar 19 03:00:00 srv1 app: a needle here\r\n\nneedle", 2, 0, 2, 4 },
    { "a web server's error log is lines", "[Mon Mar 19 03:00:00 2026] [error] needle\n", 1, 0, 1, 1 },
    { "empty", "", 0, 0, 0, 0 },
};

static void a_file_is_what_its_bytes_say(void **state)
{
    static const char rule[] = "title: t\nid: r\ntags: [attack.t1]\nlogsource: {}\ndetection: {s: {k: x}, w: [needle], condition: s or w}\n";
    struct sigma_source src = { STR("r.yml"), str_c(rule) };
    char path[] = "/tmp/saqshy-hunt-XXXXXX";
    int fd = mkstemp(path);
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct hunt_stats stats = { 0 };
        struct seen seen = { 0 };
        struct hunt *h = NULL;

        buf_init(&seen.json, 0);
        assert_int_equal(file_write_atomic(path, str_c(files[i].content), 0600, &e), 0);
        assert_int_equal(hunt_new(s, NULL, 0, &h, &e), 0);
        hunt_tell(h, &(struct hunt_listener){ &seen, see, gather, hear });
        if (hunt_file(h, path, &e) < 0 || hunt_end(h, &stats, &e) < 0)
            fail_msg("row \"%s\": %s", files[i].name, e.text);
        if (seen.matches != files[i].matches || seen.complaints != files[i].complaints ||
            (seen.matches && (seen.record[0] != files[i].first || seen.record[seen.matches - 1] != files[i].last)))
            fail_msg("row \"%s\": %u matches, %u complaints, first %llu", files[i].name, seen.matches, seen.complaints,
                     (unsigned long long)seen.record[0]);
        if (i == 0)   /* the shape of design.md, section 6 */
            assert_true(str_starts(buf_view(&seen.json), STR("{\"file\":\"/tmp/saqshy-hunt-")) &&
                        str_find(buf_view(&seen.json), STR("\"rule\":{\"id\":\"r\",\"title\":\"t\",\"level\":\"medium\",\"tags\":[\"attack.t1\"]")) > 0 &&
                        str_find(buf_view(&seen.json), STR("\"match\":[{\"field\":\"k\",\"value\":\"x\",\"at\":0}]")) > 0 &&
                        str_find(buf_view(&seen.json), STR("\"event\":{\"@timestamp\":")) > 0);
        buf_free(&seen.json);
        hunt_free(&h);
    }
    unlink(path);
    sigma_free(&s);
}

/* --- many workers --- */

static const char plain_rule[] = "title: t\nid: r\nlogsource: {}\ndetection: {s: {k: x}, w: [needle], u: {User: ann}, condition: 1 of them}\n";
static const char chained_rules[] =
    "title: t\nid: r\nname: base\nlogsource: {}\ndetection: {s: {k: x}, w: [needle], u: {User: ann}, condition: 1 of them}\n---\n"
    "title: c\nid: c\ncorrelation: {type: event_count, rules: [base], timespan: 20s, condition: {gte: 3}}\n";

/* write_kinds - a file of each kind, with more records than a piece holds. */
static void write_kinds(char paths[3][64], const char *folder)
{
    struct log *l = malloc(sizeof *l);
    struct buf lines, values, log;
    uint8_t room[64];
    struct err e;

    buf_init(&lines, 0);
    buf_init(&values, 0);
    buf_init(&log, 0);
    for (int i = 0; i < 3000; i++) {
        buf_printf(&lines, "Mar 19 03:%02d:%02d srv1 app: %s %d\n", i / 60 % 60, i % 60, i % 5 ? "hay" : "needle", i);
        buf_printf(&values, i % 7 ? "{\"k\":\"%c\",\"time\":\"2026-03-19T03:00:00Z\"}\n" : "{\"k\":%c}\n", i % 5 ? 'y' : 'x');
    }
    log_begin(l);
    for (int i = 0; i < 60; i++) {
        struct hole h = { 0x01, room, utf16(i % 3 ? "bob" : "ann", room) };

        record_event(l, &h, 1);
    }
    log_end(l);
    log_file(l, false, &log);
    for (int i = 0; i < 4; i++)
        buf_put(&log, l->chunk, sizeof l->chunk);
    for (int i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d", folder, i);
        assert_int_equal(file_write_atomic(paths[i], buf_view(i == 0 ? &lines : i == 1 ? &values : &log), 0600, &e), 0);
    }
    buf_free(&lines);
    buf_free(&values);
    buf_free(&log);
    free(l);
}

static int put_matches(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s %llu %lld %.*s %llu\n", file, (unsigned long long)record, (long long)ev->time, STR_ARG(m[i].rule->id),
                   (unsigned long long)m[i].count);
    return 0;
}
static void put_complaint(void *arg, const char *file, uint64_t record, const char *what)
{
    buf_printf(&((struct seen *)arg)->json, "%s %llu: %s\n", file, (unsigned long long)record, what);
}

static struct hunt_stats told(struct sigma *s, unsigned workers, char paths[3][64], struct seen *seen)
{
    struct hunt_stats stats;
    struct hunt *h = NULL;
    struct err e;

    buf_init(&seen->json, 0);
    assert_int_equal(hunt_new(s, NULL, workers, &h, &e), 0);
    hunt_tell(h, &(struct hunt_listener){ seen, put_matches, gather, put_complaint });
    for (int i = 0; i < 3; i++)
        assert_int_equal(hunt_file(h, paths[i], &e), 0);
    assert_int_equal(hunt_end(h, &stats, &e), 0);
    hunt_free(&h);
    return stats;
}

static void what_is_told_does_not_depend_on_how_many_work(void **state)
{
    static const char *const sets[] = { plain_rule, chained_rules };
    char folder[] = "/tmp/saqshy-hunt-XXXXXX", paths[3][64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_kinds(paths, folder);
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct sigma_source src = { STR("r.yml"), str_c(sets[i]) };
        struct seen one = { 0 }, many = { 0 };
        struct hunt_stats alone, stats;
        struct sigma *s = NULL;
        struct err e;

        assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
        assert_int_equal(sigma_refusal_count(s), 0);
        alone = told(s, 0, paths, &one);
        assert_int_equal(alone.events + alone.broken, 3000 + 3000 + 5 * 60);
        if (alone.matches < 30 || alone.broken < 100)
            fail_msg("%llu matches, %llu broken", (unsigned long long)alone.matches, (unsigned long long)alone.broken);
        for (unsigned workers = 1; workers < 9; workers += 3) {
            stats = told(s, workers, paths, &many);
            assert_memory_equal(&stats, &alone, sizeof stats);
            assert_true(str_eq(buf_view(&one.json), buf_view(&many.json)));
            buf_free(&many.json);
        }
        buf_free(&one.json);
        sigma_free(&s);
    }
    for (int i = 0; i < 3; i++)
        unlink(paths[i]);
    rmdir(folder);
}

/* --- our own rules --- */

static void tell_failed(void *arg, const struct sigma_rule *r, struct str line, bool wanted)
{
    (void)arg;
    print_message("%.*s: %s: %.*s\n", STR_ARG(r->title), wanted ? "does not match" : "matches", STR_ARG(line));
}

/* load_with_pipelines - the rules below a folder, with the names that content/pipelines maps. */
static struct sigma *load_with_pipelines(const char *folder)
{
    char pipelines[4096];
    const char *paths[] = { pipelines, folder };
    struct sigma *s = NULL;
    struct err e;

    snprintf(pipelines, sizeof pipelines, "%s/content/pipelines", env("SAQSHY_SOURCE"));
    if (sigma_load(paths, COUNT(paths), &s, &e) < 0)
        fail_msg("%s", e.text);
    return s;
}

static struct sigma *own_rules(void)
{
    char path[4096];
    struct sigma *s;

    snprintf(path, sizeof path, "%s/content/rules", env("SAQSHY_SOURCE"));
    s = load_with_pipelines(path);
    for (size_t i = 0; i < sigma_refusal_count(s); i++)
        print_message("%.*s:%d: %.*s\n", STR_ARG(sigma_refusal_at(s, i)->file), sigma_refusal_at(s, i)->line,
                      STR_ARG(sigma_refusal_at(s, i)->reason));
    assert_int_equal(sigma_refusal_count(s), 0);
    return s;
}

static void our_rules_hold_their_samples(void **state)
{
    struct sigma *s = own_rules();
    struct sample_result r;
    char content[4096];
    struct err e;

    (void)state;
    snprintf(content, sizeof content, "%s/content", env("SAQSHY_SOURCE"));
    assert_int_equal(samples_run(s, content, tell_failed, NULL, &r, &e), 0);
    assert_true(r.samples > 90);
    assert_int_equal(r.passed, r.samples);
    sigma_free(&s);
}

static void every_rule_that_speaks_has_its_texts(void **state)
{
    struct sigma *s = own_rules();

    (void)state;
    for (size_t i = 0; i < sigma_rule_count(s); i++) {
        const struct sigma_rule *r = sigma_rule_at(s, i);
        char name[256];

        if (r->silent)
            continue;
        snprintf(name, sizeof name, "%.*s", STR_ARG(r->title));
        CHECK(name, r->title_kk.n && r->title_ru.n && r->author.n && r->tags.count && r->id.n == 36);
        CHECK(name, r->measures_kk.count && r->measures_kk.count == r->measures_ru.count && r->measures_ru.count == r->measures_en.count);
    }
    sigma_free(&s);
}

/* --- the public collection --- */

/* Floors: what was reached when this was written (SigmaHQ 8eaafff1): 3,752 of 3,754 rules, the two others use "expand". */
#define PUBLIC_LOADED 3752
#define PUBLIC_CASES  107

static char work[64];

static bool unpack(const char *archive)
{
    char command[4096];

    snprintf(command, sizeof command, "tar --zstd -xf '%s/data/sigma/%s' -C %s 2>/dev/null", env("SAQSHY_SHARED"), archive, work);
    return system(command) == 0;
}

static void public_rules_load(void **state)
{
    char path[128];
    struct sigma *s = NULL;

    (void)state;
    snprintf(path, sizeof path, "%s/sigma-rules", work);
    s = load_with_pipelines(path);
    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        const struct sigma_refusal *r = sigma_refusal_at(s, i);

        print_message("%.*s:%d:%d: %.*s\n", STR_ARG(r->file), r->line, r->column, STR_ARG(r->reason));
        assert_int_equal(r->verdict, SIGMA_UNSUPPORTED);
    }
    assert_true(sigma_rule_count(s) >= PUBLIC_LOADED);
    assert_int_equal(sigma_rule_count(s) + sigma_refusal_count(s), 3754);
    *state = s;
    sigma_free(&s);
    *state = NULL;
}

struct wanted { struct str id; uint64_t count; };
static int count_rule(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    struct wanted *w = arg;

    (void)file;
    (void)record;
    (void)ev;
    (void)out;
    for (size_t i = 0; i < count; i++)
        w->count += str_eq(m[i].rule->id, w->id);
    return 0;
}
static void fail_complaint(void *arg, const char *file, uint64_t record, const char *what)
{
    (void)arg;
    fail_msg("%s record %llu: %s", file, (unsigned long long)record, what);
}

static bool one_case(struct sigma *s, struct str line, struct str file)
{
    struct str matches = tab_column(line, 11);
    struct wanted w = { .id = tab_column(line, 1) };
    struct hunt_stats stats = { 0 };
    struct hunt *h = NULL;
    uint64_t least = 1;
    char path[4096];
    struct err e;

    snprintf(path, sizeof path, "%s/sigma-regression/%.*s", work, STR_ARG(file));
    (void)!str_u64(matches, &least);
    assert_int_equal(hunt_new(s, NULL, 0, &h, &e), 0);
    hunt_tell(h, &(struct hunt_listener){ &w, count_rule, gather, fail_complaint });
    if (hunt_file(h, path, &e) < 0 || hunt_end(h, &stats, &e) < 0)
        fail_msg("%s", e.text);
    hunt_free(&h);
    if (w.count < least)
        print_message("%.*s: %llu of %llu matches\n", STR_ARG(tab_column(line, 0)), (unsigned long long)w.count, (unsigned long long)least);
    return w.count >= least;
}

enum { FILE_DATA = 9, FILE_JSON = 10 };

/* every_case - the cases whose file is of a kind: the event log, or the same events as JSON; a case of lines has only its data. */
static unsigned every_case(struct sigma *s, int kind, unsigned *good)
{
    char path[4096];
    AUTO_BUF struct buf manifest;
    unsigned cases = 0;
    struct str rest, line;
    struct err e;

    *good = 0;
    buf_init(&manifest, 0);
    snprintf(path, sizeof path, "%s/data/sigma/manifest.tsv", env("SAQSHY_SHARED"));
    assert_int_equal(file_read(path, MIB, &manifest, &e), 0);
    rest = buf_view(&manifest);
    str_split(&rest, '\n', &line);   /* the heading */
    while (str_split(&rest, '\n', &line)) {
        struct str file = tab_column(line, kind);

        if (file.n == 0 && tab_column(line, FILE_JSON).n == 0)
            file = tab_column(line, FILE_DATA);
        if (line.n == 0 || file.n == 0)
            continue;
        cases++;
        *good += one_case(s, line, file);
    }
    return cases;
}

static struct sigma *public_rules(void)
{
    char path[128];
    struct sigma *s = NULL;

    snprintf(path, sizeof path, "%s/sigma-rules", work);
    s = load_with_pipelines(path);
    return s;
}

static void public_cases_match(void **state)
{
    struct sigma *s = public_rules();
    unsigned good, cases = every_case(s, FILE_JSON, &good);

    (void)state;
    print_message("%u of %u cases give at least the expected matches as JSON\n", good, cases);
    assert_int_equal(cases, PUBLIC_CASES);
    assert_int_equal(good, cases);
    sigma_free(&s);
}

static void public_cases_match_as_event_logs(void **state)
{
    struct sigma *s = public_rules();
    unsigned good, cases = every_case(s, FILE_DATA, &good);

    (void)state;
    print_message("%u of %u cases give at least the expected matches as event logs of Windows\n", good, cases);
    assert_int_equal(cases, PUBLIC_CASES);
    assert_int_equal(good, cases);
    sigma_free(&s);
}

/* parsed_case - the same events as lines of JSON through the parser, as a collector gets them: the rule must still see them. */
static bool parsed_case(struct sigma *s, const struct parser *p, struct str line)
{
    struct parse_hints h = { .received = clock_now(), .zone_min = EVENT_OFFSET_NONE };
    struct str id = tab_column(line, 1), json = tab_column(line, 10);
    AUTO_BUF struct buf file = { 0 };
    struct sigma_run *run = NULL;
    struct event_batch b;
    uint64_t least = 1, count = 0;
    char path[4096];
    size_t at = 0;
    json_t *one;
    struct err e;

    (void)!str_u64(tab_column(line, 11), &least);
    snprintf(path, sizeof path, "%s/sigma-regression/%.*s", work, STR_ARG(json));
    buf_init(&file, 0);
    event_batch_init(&b, 0);
    assert_int_equal(file_read(path, 64 * MIB, &file, &e), 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (json_error_t je; (one = json_loadb(file.p + at, file.n - at, JSON_DISABLE_EOF_CHECK, &je)) != NULL; at += (size_t)je.position) {
        char *text = json_dumps(one, JSON_COMPACT);
        const struct sigma_match *m;
        struct event *ev;
        int n;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(p, str_c(text), &h, &b.arena, ev);
        n = sigma_run_event(run, ev, false, &m, &e);
        assert_true(n >= 0);
        for (int i = 0; i < n; i++)
            count += str_eq(m[i].rule->id, id);
        assert_true(str_eq(ev->parser, STR("windows")) && ev->class == CLASS_OS_WINDOWS);
        free(text);
        json_decref(one);
    }
    sigma_run_free(&run);
    event_batch_free(&b);
    if (count < least)
        print_message("%.*s: %llu of %llu matches\n", STR_ARG(tab_column(line, 0)), (unsigned long long)count, (unsigned long long)least);
    return count >= least;
}

static void public_cases_match_when_parsed(void **state)
{
    char path[4096];
    AUTO_BUF struct buf manifest;
    struct parser *p = NULL;
    struct sigma *s = NULL;
    unsigned cases = 0, good = 0;
    struct str rest, line;
    struct err e;

    (void)state;
    buf_init(&manifest, 0);
    snprintf(path, sizeof path, "%s/data/sigma/manifest.tsv", env("SAQSHY_SHARED"));
    assert_int_equal(file_read(path, MIB, &manifest, &e), 0);
    snprintf(path, sizeof path, "%s/sigma-rules", work);
    s = load_with_pipelines(path);
    assert_int_equal(parse_new(NULL, 0, &p, &e), 0);
    rest = buf_view(&manifest);
    str_split(&rest, '\n', &line);   /* the heading */
    while (str_split(&rest, '\n', &line))
        if (line.n && tab_column(line, 10).n) {
            cases++;
            good += parsed_case(s, p, line);
        }
    print_message("%u of %u cases give at least the expected matches as parsed events\n", good, cases);
    assert_int_equal(cases, 106);
    assert_int_equal(good, cases);
    parse_free(&p);
    sigma_free(&s);
}

/* --- names and values: an event log says what the collection's JSON of it says --- */

/* same_value - the tool that made the JSON trims values; in Windows' own XML identifiers stand in braces, and times have a digit more. */
static bool same_value(struct str own, struct str json)
{
    own = str_trim(own);
    if (str_eq(own, json))
        return true;
    if (own.n == json.n + 2 && *own.p == '{')
        return str_ieq(str_of(own.p + 1, json.n), json);
    return own.n > 20 && json.n > 20 && own.p[own.n - 1] == 'Z' && str_starts(own, str_of(json.p, 20)) && own.p[10] == 'T';
}

/* our_name - of a field of the JSON, or {NULL,0}: it says how XML was written. */
static struct str our_name(struct str json, struct arena *a)
{
    static const struct { struct str json, own; } known[] = {
        { STR_INIT("EventID"), STR_INIT("winlog.event_id") }, { STR_INIT("EventID.#text"), STR_INIT("winlog.event_id") },
        { STR_INIT("Channel"), STR_INIT("winlog.channel") }, { STR_INIT("Computer"), STR_INIT("winlog.computer_name") },
        { STR_INIT("Level"), STR_INIT("winlog.level") }, { STR_INIT("Task"), STR_INIT("winlog.task") },
        { STR_INIT("Opcode"), STR_INIT("winlog.opcode") }, { STR_INIT("Keywords"), STR_INIT("winlog.keywords") },
        { STR_INIT("EventRecordID"), STR_INIT("winlog.record_id") }, { STR_INIT("Version"), STR_INIT("winlog.version") },
        { STR_INIT("Provider.#attributes.Name"), STR_INIT("winlog.provider_name") },
        { STR_INIT("Provider.#attributes.Guid"), STR_INIT("winlog.provider_guid") },
        { STR_INIT("TimeCreated.#attributes.SystemTime"), STR_INIT("winlog.time_created") },
        { STR_INIT("Execution.#attributes.ProcessID"), STR_INIT("winlog.process.pid") },
        { STR_INIT("Execution.#attributes.ThreadID"), STR_INIT("winlog.process.thread.id") },
        { STR_INIT("Security.#attributes.UserID"), STR_INIT("winlog.user.identifier") },
        { STR_INIT("Correlation.#attributes.ActivityID"), STR_INIT("winlog.activity_id") },
        { STR_INIT("EventID.#attributes.Qualifiers"), STR_INIT("winlog.qualifiers") },
    };
    const struct str system = STR("Event.System."), data = STR("Event.EventData.");

    if (str_starts(json, data) && json.p[data.n] != '#')
        return arena_printf(a, "winlog.event_data.%.*s", STR_ARG(str_cut(json, data.n)));
    for (size_t i = 0; str_starts(json, system) && i < COUNT(known); i++)
        if (str_eq(str_cut(json, system.n), known[i].json))
            return known[i].own;
    return (struct str){ NULL, 0 };
}

static unsigned compare_fields(const struct form_pairs *own, const struct event *json, struct arena *a, unsigned *compared)
{
    unsigned bad = 0;

    for (uint32_t i = 0; i < json->field_count; i++) {
        const struct event_field *f = &json->fields[i];
        struct str name = our_name(f->name, a), value = pairs_get(own, name);

        if (name.n == 0)
            continue;
        (*compared)++;
        if (!same_value(value, f->value)) {
            print_message("%.*s: \"%.*s\", in the JSON \"%.*s\"\n", STR_ARG(name), STR_ARG(value), STR_ARG(f->value));
            bad++;
        }
    }
    return bad;
}

/* compare_case - the records of a log against the values of its JSON, in their order. */
static unsigned compare_case(struct evtx *x, struct str line, unsigned *compared)
{
    AUTO_BUF struct buf log = { 0 }, text = { 0 };
    struct str rest;
    struct event_batch b;
    struct evtx_record r;
    char path[4096];
    unsigned bad = 0;
    size_t at = 0;
    struct err e;

    buf_init(&log, 0);
    buf_init(&text, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/sigma-regression/%.*s", work, STR_ARG(tab_column(line, FILE_DATA)));
    assert_int_equal(file_read(path, 64 * MIB, &log, &e), 0);
    snprintf(path, sizeof path, "%s/sigma-regression/%.*s", work, STR_ARG(tab_column(line, FILE_JSON)));
    assert_int_equal(file_read(path, 64 * MIB, &text, &e), 0);
    for (rest = str_cut(buf_view(&log), evtx_start(buf_view(&log))); rest.n; rest = str_cut(rest, EVTX_CHUNK_BYTES)) {
        (void)evtx_chunk(x, rest);
        while (evtx_next(x, &r, &e) == 1) {
            json_error_t je;
            json_t *one = json_loadb(text.p + at, text.n - at, JSON_DISABLE_EOF_CHECK, &je);
            char *json = json_dumps(one, JSON_COMPACT);

            assert_non_null(json);
            event_batch_reset(&b);
            assert_int_equal(hunt_json_event(str_c(json), &b, &e), 0);
            bad += compare_fields(&r.pairs, &b.items[0], &b.arena, compared);
            at += (size_t)je.position;
            free(json);
            json_decref(one);
        }
    }
    assert_int_equal(str_trim(str_cut(buf_view(&text), at)).n, 0);
    event_batch_free(&b);
    return bad;
}

static void event_logs_say_what_their_json_says(void **state)
{
    AUTO_BUF struct buf manifest;
    unsigned cases = 0, compared = 0, bad = 0;
    struct evtx *x;
    struct str rest, line;
    char path[4096];
    struct err e;

    (void)state;
    buf_init(&manifest, 0);
    snprintf(path, sizeof path, "%s/data/sigma/manifest.tsv", env("SAQSHY_SHARED"));
    assert_int_equal(file_read(path, MIB, &manifest, &e), 0);
    assert_int_equal(evtx_new(&x, &e), 0);
    rest = buf_view(&manifest);
    str_split(&rest, '\n', &line);   /* the heading */
    while (str_split(&rest, '\n', &line))
        if (line.n && tab_column(line, FILE_JSON).n) {
            cases++;
            bad += compare_case(x, line, &compared);
        }
    evtx_free(&x);
    print_message("%u names and values of %u event logs compared with their JSON\n", compared, cases);
    assert_int_equal(cases, PUBLIC_CASES - 1);
    assert_true(compared > 3000);
    assert_int_equal(bad, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_becomes_fields),
        cmocka_unit_test(a_file_is_what_its_bytes_say),
        cmocka_unit_test(what_is_told_does_not_depend_on_how_many_work),
        cmocka_unit_test(our_rules_hold_their_samples),
        cmocka_unit_test(every_rule_that_speaks_has_its_texts),
    };
    const struct CMUnitTest public_tests[] = {
        cmocka_unit_test(public_rules_load),
        cmocka_unit_test(public_cases_match),
        cmocka_unit_test(public_cases_match_as_event_logs),
        cmocka_unit_test(event_logs_say_what_their_json_says),
        cmocka_unit_test(public_cases_match_when_parsed),
    };
    char path[4096];
    int failed;

    if (argc < 2 || strcmp(argv[1], "public") != 0)
        return cmocka_run_group_tests_name("hunt", tests, NULL, NULL);
    snprintf(path, sizeof path, "%s/data/sigma/sigma-rules.tar.zst", env("SAQSHY_SHARED"));
    if (!file_exists(path)) {
        printf("skipped: %s is not there\n", path);
        return 77;
    }
    snprintf(work, sizeof work, "/tmp/saqshy-sigma-XXXXXX");
    if (!mkdtemp(work) || !unpack("sigma-rules.tar.zst") || !unpack("sigma-regression-dev.tar.zst")) {
        fprintf(stderr, "could not unpack the public rules\n");
        return 1;
    }
    failed = cmocka_run_group_tests_name("public Sigma rules", public_tests, NULL, NULL);
    snprintf(path, sizeof path, "rm -rf -- %s", work);
    return system(path) != 0 || failed;
}
