/* test_score.c - how many of the fields that other projects expect of their sample lines come out equal here, product by product.
 *
 * The table is testdata/scores.tsv: a row names lines and a floor; below it the row fails. Fields that differ for a reason stand in
 * the row and are not counted. The data is not ours to ship: where it is absent the test ends with 77, skipped. */
#include <dirent.h>
#include <jansson.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/test_lines.h"
#include "parse/test_samples.h"

#define MISSES_SHOWN 12

struct row {
    struct str set, cases, path, parser, floor, apart;
};

struct score {
    struct parser *parser;
    struct samples at;
    struct row row;
    size_t equal, all, apart, taken, lines, shown;
    struct event_batch batch;
};

/* named - by the row: '*' at the end stands for anything. */
static bool named(struct str glob, const char *name)
{
    if (glob.n && glob.p[glob.n - 1] == '*')
        return str_starts(str_c(name), str_of(glob.p, glob.n - 1));
    return str_eq(glob, str_c(name));
}

/* --- one line --- */

static struct event *parse(struct score *s, struct str line, int32_t zone)
{
    struct parse_hints h = lines_hints();
    struct event *ev;

    h.zone_min = zone;
    if (!str_eq(s->row.path, STR("-")))
        h.path = s->row.path;
    event_batch_reset(&s->batch);
    ev = event_batch_add(&s->batch);
    parse_line(s->parser, line, &h, &s->batch.arena, ev);
    s->lines++;
    s->taken += str_eq(ev->parser, s->row.parser);
    return ev;
}

/* set_apart - "NAME" or "NAME=VALUE" stands in the row. */
static bool set_apart(const struct score *s, struct str name, struct str value)
{
    struct str rest = s->row.apart, piece;

    while (str_split(&rest, ' ', &piece)) {
        ptrdiff_t eq = str_chr(piece, '=');

        if (str_eq(eq < 0 ? piece : str_of(piece.p, (size_t)eq), name) && (eq < 0 || str_eq(str_cut(piece, (size_t)eq + 1), value)))
            return true;
    }
    return false;
}

static void count(struct score *s, struct str name, struct str want, bool equal, const struct event *ev)
{
    if (!equal && set_apart(s, name, want)) {
        s->apart++;
        return;
    }
    s->all++;
    s->equal += equal;
    if (!equal && s->shown++ < MISSES_SHOWN)
        print_message("    %.*s: wanted %.*s=%.*s, got \"%.*s\" by %.*s: %.*s\n", STR_ARG(s->row.cases), STR_ARG(name), STR_ARG(want),
                      STR_ARG(event_get(ev, name)), STR_ARG(ev->parser), STR_ARG(str_of(ev->original.p, min_size(ev->original.n, 160))));
}

/* --- beats: ECS documents beside the lines; log.offset tells where each begins --- */

static bool worth_most(const char *name)
{
    static const char *const heads[] = { "source.", "destination.", "user.", "process.", "file.", "url.", "http.", "dns.", "network.", "rule." };
    static const char *const names[] = { "@timestamp", "event.category", "event.type", "event.action", "event.outcome" };

    if (strstr(name, ".geo.") || strstr(name, ".as."))
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

static struct str text_of(const json_t *v, char text[64])
{
    if (json_is_string(v))
        return str_of(json_string_value(v), json_string_length(v));
    if (json_is_integer(v))
        snprintf(text, 64, "%lld", (long long)json_integer_value(v));
    else
        snprintf(text, 64, "%.17g", json_number_value(v));
    return str_c(text);
}

/* same - all wanted values are among ours, and no others. */
static bool same(const struct event *ev, const char *name, const json_t *want)
{
    size_t wanted = json_is_array(want) ? json_array_size(want) : 1, got = 0;
    char text[64];
    struct str v;
    uint32_t at = 0;

    if (strcmp(name, "@timestamp") == 0) { /* theirs has milliseconds */
        time_ns theirs;

        return time_parse_rfc3339(text_of(want, text), &theirs, NULL, NULL) == 0 && ev->time / NS_PER_MS == theirs / NS_PER_MS;
    }
    while (event_values(ev, str_c(name), &at, &v)) {
        bool found = false;

        got++;
        for (size_t i = 0; i < wanted && !found; i++)
            found = str_eq(v, text_of(json_is_array(want) ? json_array_get(want, i) : want, text));
        if (!found)
            return false;
    }
    return got == wanted;
}

static void beats_file(struct score *s, const char *path)
{
    char expected[2200];
    struct buf file;
    json_t *documents;

    snprintf(expected, sizeof expected, "%s-expected.json", path);
    documents = json_load_file(expected, 0, NULL);
    if (!documents)
        return;
    buf_init(&file, 0);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        json_t *d = json_array_get(documents, i), *next = json_array_get(documents, i + 1), *want;
        size_t from = (size_t)json_integer_value(json_object_get(d, "log.offset"));
        size_t to = next ? (size_t)json_integer_value(json_object_get(next, "log.offset")) : file.n;
        bool yearless = json_object_get(d, "event.original") == NULL && str_eq(s->row.cases, STR("haproxy"));
        const char *key;
        struct event *ev;

        ev = parse(s, str_trim(str_of(file.p + min_size(from, file.n), to > from ? min_size(to, file.n) - min_size(from, file.n) : 0)), -120);
        json_object_foreach(d, key, want)
        {
            char text[64];

            if (worth_most(key) && !(yearless && strcmp(key, "@timestamp") == 0))
                count(s, str_c(key), text_of(json_is_array(want) ? json_array_get(want, 0) : want, text), same(ev, key, want), ev);
        }
    }
    json_decref(documents);
    buf_free(&file);
}

/* --- wazuh-engine: X_input.txt, and ECS documents for its lines in X_expected.json, nested. Their times are told without a zone, or with one that a
 * reader of RFC 3339 does not know: the local clock is compared. An empty value there is no value here. --- */

static bool nothing(const json_t *v) { return json_is_null(v) || (json_is_string(v) && str_trim(str_c(json_string_value(v))).n == 0); }

static bool same_clock(const struct event *ev, struct str want)
{
    char text[TIME_TEXT_MAX];
    time_ns local = ev->time + (ev->offset_min == EVENT_OFFSET_NONE ? 0 : ev->offset_min * NS_PER_MINUTE);

    return want.n >= 19 && str_eq(str_of(time_format_utc(local, text), 19), str_of(want.p, 19));
}

static void engine_document(struct score *s, const struct event *ev, json_t *document)
{
    struct {
        json_t *object;
        char name[128];
    } stack[64];
    size_t depth = 1;

    stack[0].object = document;
    stack[0].name[0] = 0;
    while (depth) {
        json_t *object = stack[--depth].object, *want;
        char head[128], name[256], text[64];
        const char *key;

        snprintf(head, sizeof head, "%s", stack[depth].name);
        json_object_foreach(object, key, want)
        {
            struct str first;

            snprintf(name, sizeof name, "%s%s%s", head, *head ? "." : "", *key == '\\' ? key + 1 : key);
            if (json_is_object(want) && depth < COUNT(stack)) {
                stack[depth].object = want;
                snprintf(stack[depth++].name, sizeof stack[0].name, "%s", name);
            } else if (worth_most(name) && !nothing(want)) {
                first = text_of(json_is_array(want) ? json_array_get(want, 0) : want, text);
                count(s, str_c(name), first, strcmp(name, "@timestamp") == 0 ? same_clock(ev, first) : same(ev, name, want), ev);
            }
        }
    }
}

static void engine_file(struct score *s, const char *path)
{
    char expected[2200];
    struct buf file;
    struct str rest, line, stem = str_c(path);
    json_t *documents;

    if (!str_ends(stem, STR("_input.txt")))
        return;
    stem.n -= strlen("_input.txt");
    snprintf(expected, sizeof expected, "%.*s_expected.json", STR_ARG(stem));
    documents = json_load_file(expected, 0, NULL);
    assert_non_null(documents);
    buf_init(&file, 0);
    assert_int_equal(file_read(path, MIB, &file, NULL), 0);
    rest = buf_view(&file);
    for (size_t i = 0; i < json_array_size(documents) && str_split(&rest, '\n', &line); i++) {
        json_t *document = json_array_get(documents, i);
        const char *whole = json_string_value(json_object_get(json_object_get(document, "event"), "original"));

        engine_document(s, parse(s, whole && strchr(whole, '\n') ? str_c(whole) : line, 0), document); /* a record of several lines */
    }
    json_decref(documents);
    buf_free(&file);
}

static void engine_folder(struct score *s, const char *folder)
{
    struct dirent **list = NULL;
    int n = scandir(folder, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[2048];

        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        engine_file(s, path);
        free(list[i]);
    }
    free(list);
}

/* --- crowdsec: results["s01-parse"]["crowdsecurity/x-logs"][N].Evt.Meta["source_ip"] == "…" --- */

static bool crowdsec_same(const struct event *ev, struct str key, struct str want, struct str *name)
{
    static const struct {
        const char *key, *names[3];
    } map[] = { { "source_ip", { "source.ip" } },
                { "target_user", { "user.name" } },
                { "username", { "user.name" } },
                { "user", { "user.name" } },
                { "http_verb", { "http.request.method" } },
                { "http_status", { "http.response.status_code" } },
                { "http_user_agent", { "user_agent.original" } },
                { "http_path", { "url.original", "url.path" } },
                { "target_fqdn", { "url.domain" } },
                { "source_user", { "user.name" } },
                { "source_dns", { "source.domain" } },
                { "source_helo", { "postfix.helo", "exim.helo" } } };

    for (size_t i = 0; i < COUNT(map); i++) {
        if (!str_eq(key, str_c(map[i].key)))
            continue;
        *name = str_c(map[i].names[0]);
        for (size_t k = 0; k < 3 && map[i].names[k]; k++)
            if (str_eq(event_get(ev, str_c(map[i].names[k])), want))
                return true;
        return false;
    }
    *name = (struct str){ NULL, 0 };
    return true;
}

static bool between(struct str line, const char *head, char end, struct str *out)
{
    ptrdiff_t at = str_find(line, str_c(head)), to;

    if (at < 0)
        return false;
    *out = str_cut(line, (size_t)at + strlen(head));
    to = str_chr(*out, end);
    if (to < 0)
        return false;
    out->n = (size_t)to;
    return true;
}

static void crowdsec_one(struct score *s, const char *folder, const char *log)
{
    char path[2200];
    struct buf lines, asserts;
    struct str rest, line, number, key, want, name;

    buf_init(&lines, 0);
    buf_init(&asserts, 0);
    snprintf(path, sizeof path, "%s/%s", folder, log);
    (void)!file_read(path, 16 * MIB, &lines, NULL);
    snprintf(path, sizeof path, "%s/parser.assert", folder);
    (void)!file_read(path, 16 * MIB, &asserts, NULL);
    rest = buf_view(&asserts);
    while (str_split(&rest, '\n', &line)) {
        struct str all = buf_view(&lines), input = { NULL, 0 };
        uint64_t n;

        if (!str_starts(line, STR("results[\"s01-parse\"]")) || !between(str_cut(line, 22), "\"][", ']', &number) || !str_u64(number, &n) ||
            !between(line, "Evt.Meta[\"", '"', &key) || !between(line, "== \"", '"', &want))
            continue;
        for (uint64_t i = 0; i <= n && str_split(&all, '\n', &input); i++)
            ;
        if (input.n && want.n) {
            struct event *ev = parse(s, input, 0);
            bool equal = crowdsec_same(ev, key, want, &name);

            if (name.n)
                count(s, name, want, equal, ev);
        }
    }
    buf_free(&asserts);
    buf_free(&lines);
}

static void crowdsec_folder(struct score *s, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL)
        if (str_ends(str_c(entry->d_name), STR(".log")))
            crowdsec_one(s, folder, entry->d_name);
    if (dir)
        closedir(dir);
}

/* --- fail2ban: the line behind a failJSON comment; who attacks, and that it is a failure --- */

static void fail2ban_file(struct score *s, const char *path)
{
    struct buf file;
    struct str rest, line;
    json_t *want = NULL;

    buf_init(&file, 0);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t at = str_find(line, STR("failJSON:"));

        if (at >= 0) {
            json_decref(want);
            want = json_loadb(line.p + at + 9, line.n - (size_t)at - 9, 0, NULL);
        } else if (want && line.n && *line.p != '#') {
            const char *host = json_string_value(json_object_get(want, "host"));

            if (host && json_is_true(json_object_get(want, "match"))) {
                struct event *ev = parse(s, line, 0);
                struct str peer = event_get(ev, STR("source.ip"));

                count(s, STR("source.ip"), str_c(host), str_eq(peer.n ? peer : event_get(ev, STR("source.domain")), str_c(host)), ev);
                count(s, STR("event.outcome"), STR("failure"), str_eq(event_get(ev, STR("event.outcome")), STR("failure")), ev);
            }
            json_decref(want);
            want = NULL;
        }
    }
    json_decref(want);
    buf_free(&file);
}

/* each_line - of a file. */
static void each_line(struct score *s, const char *path, void (*one)(struct score *, struct str line))
{
    struct buf file;
    struct str rest, line;

    buf_init(&file, 0);
    assert_int_equal(file_read(path, 16 * MIB, &file, NULL), 0);
    rest = buf_view(&file);
    while (str_split(&rest, '\n', &line))
        one(s, line);
    buf_free(&file);
}

/* product_line - a line of one product, nothing said of it. */
static void product_line(struct score *s, struct str line)
{
    struct event *ev = parse(s, line, 0);

    count(s, STR("saqshy.parser"), s->row.parser, str_eq(ev->parser, s->row.parser), ev);
}

/* --- wazuh, ossec: "log 1 pass = …": the source type --- */

static void ini_line(struct score *s, struct str line)
{
    ptrdiff_t at = str_find(line, STR(" pass = "));

    if (str_starts(line, STR("log ")) && at >= 0)
        product_line(s, str_trim(str_cut(line, (size_t)at + 8)));
}

static void ini_file(struct score *s, const char *path) { each_line(s, path, ini_line); }

/* --- ossec/log-entries, and messages of sc4s.jsonl by their sourcetype --- */

static void entry_line(struct score *s, struct str line)
{
    if (str_trim(line).n)
        product_line(s, line);
}

static void lines_file(struct score *s, const char *path) { each_line(s, path, entry_line); }

static void sourcetype_line(struct score *s, struct str line)
{
    json_t *d = json_loadb(line.p, line.n, 0, NULL);
    const char *type = json_string_value(json_object_get(d, "sourcetype")), *message = json_string_value(json_object_get(d, "message"));

    if (type && message && named(s->row.cases, type))
        product_line(s, str_c(message));
    json_decref(d);
}

static void sourcetype(struct score *s, const char *path) { each_line(s, path, sourcetype_line); }

/* --- the table --- */


/* each - the files (or folders) of a folder whose names the row gives. */
static void each(struct score *s, const char *folder, void (*one)(struct score *, const char *))
{
    struct dirent **list = NULL;
    int n = scandir(folder, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[2048];

        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (list[i]->d_name[0] != '.' && named(s->row.cases, list[i]->d_name))
            one(s, path);
        free(list[i]);
    }
    free(list);
}

static void beats_folder(struct score *s, const char *folder)
{
    struct dirent **sets = NULL;
    int n = scandir(folder, &sets, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[1500];
        struct dirent **files = NULL;
        int count_of;

        snprintf(path, sizeof path, "%s/%s/test", folder, sets[i]->d_name);
        count_of = sets[i]->d_name[0] == '.' ? 0 : scandir(path, &files, NULL, alphasort);
        for (int k = 0; k < count_of; k++) {
            char file[2048];

            snprintf(file, sizeof file, "%s/%s", path, files[k]->d_name);
            if (str_ends(str_c(file), STR(".log")))
                beats_file(s, file);
            free(files[k]);
        }
        free(files);
        free(sets[i]);
    }
    free(sets);
}

static bool one_row(struct score *s)
{
    char folder[700];
    uint64_t floor = 0;
    double percent;

    s->equal = s->all = s->apart = s->taken = s->lines = s->shown = 0;
    snprintf(folder, sizeof folder, "%s/%.*s",
             str_eq(s->row.set, STR("beats")) || str_eq(s->row.set, STR("crowdsec")) || str_eq(s->row.set, STR("wazuh-engine")) ? s->at.temp : s->at.logs,
             STR_ARG(s->row.set));
    if (str_eq(s->row.set, STR("beats")))
        each(s, folder, beats_folder);
    else if (str_eq(s->row.set, STR("crowdsec")))
        each(s, folder, crowdsec_folder);
    else if (str_eq(s->row.set, STR("ossec/log-entries")))
        each(s, folder, lines_file);
    else if (str_eq(s->row.set, STR("sc4s.jsonl")))
        sourcetype(s, folder);
    else if (str_eq(s->row.set, STR("wazuh-engine")))
        each(s, folder, engine_folder);
    else if (str_eq(s->row.set, STR("fail2ban")))
        each(s, folder, fail2ban_file);
    else
        each(s, folder, ini_file);
    assert_true(str_u64(s->row.floor, &floor));
    percent = s->all ? 100.0 * (double)s->equal / (double)s->all : 0;
    print_message("%-9.*s %-22.*s %5zu of %5zu equal (%5.1f %%, floor %llu), %zu set apart; %zu of %zu lines by \"%.*s\"\n", STR_ARG(s->row.set),
                  STR_ARG(s->row.cases), s->equal, s->all, percent, (unsigned long long)floor, s->apart, s->taken, s->lines, STR_ARG(s->row.parser));
    return s->all > 0 && percent >= (double)floor;
}

static void test_table(void **state)
{
    struct score *s = *state;
    const char *source = getenv("SAQSHY_SOURCE");
    char path[1024];
    struct buf table;
    struct str rest, line;
    size_t rows = 0, below = 0;

    buf_init(&table, 0);
    snprintf(path, sizeof path, "%s/src/parse/testdata/scores.tsv", source ? source : ".");
    assert_int_equal(file_read(path, MIB, &table, NULL), 0);
    rest = buf_view(&table);
    while (str_split(&rest, '\n', &line)) {
        struct str *columns[] = { &s->row.set, &s->row.cases, &s->row.path, &s->row.parser, &s->row.floor, &s->row.apart };

        if (line.n == 0 || *line.p == '#')
            continue;
        for (size_t i = 0; i < COUNT(columns); i++)
            assert_true(str_split(&line, '\t', columns[i]));
        rows++;
        below += !one_row(s);
    }
    buf_free(&table);
    assert_true(rows > 10);
    assert_int_equal(below, 0);
}

int main(void)
{
    static struct score s;
    static const char *const sets[] = { "beats", "crowdsec", "wazuh-engine" };
    struct CMUnitTest tests[] = {
        { .name = "fields that other projects expect come out equal, product by product, above the floor of each", .test_func = test_table, .initial_state = &s },
    };
    const char *source = getenv("SAQSHY_SOURCE");
    char content[1024];
    int failed;

    if (samples_open(&s.at, sets, COUNT(sets)) != 0)
        return SAMPLES_SKIP;
    snprintf(content, sizeof content, "%s/content", source ? source : ".");
    if (parse_new(content, 0, &s.parser, NULL) < 0)
        return 1;
    event_batch_init(&s.batch, 0);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    event_batch_free(&s.batch);
    parse_free(&s.parser);
    return samples_close(&s.at, failed);
}
