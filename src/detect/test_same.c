/* test_same.c - the fast way through the rules, and the one that remembers answers (verdict.h), find what the plain way finds: over the public collection and our own rules, with real
 * events and with events made from the rules' own texts. Rules differ, events differ, the answer may not. */
#include "base/file.h"
#include "base/test.h"
#include "detect/hunt.h"
#include "parse/parse.h"
#include "sigma/internal.h"
#include "sigma/verdict.h"

#define MADE_EVENTS 6000
#define PUBLIC_BYTES_MAX 16000000   /* of the compiled public collection */

static char work[64];

static const char *env(const char *name)
{
    const char *v = getenv(name);

    return v ? v : "";
}

static bool unpack(const char *archive)
{
    char command[4096];

    snprintf(command, sizeof command, "tar --zstd -xf '%s/data/%s' -C %s 2>/dev/null", env("SAQSHY_SHARED"), archive, work);
    return system(command) == 0;
}

/* --- comparing --- */

struct both {
    struct sigma     *set;
    struct sigma_run *run;
    struct verdicts  *verdicts;   /* the third way: all answers of an event together; NULL where rules are loose */
    uint64_t         *bits;       /* what each rule says there */
    uint64_t events, matches, evaluated;
};

static void both_open(struct both *b, const char *const *paths, size_t count, bool loose)
{
    struct err e;

    *b = (struct both){ 0 };
    if (sigma_load(paths, count, &b->set, &e) < 0 || sigma_run_new(b->set, loose, &b->run, &e) < 0)
        fail_msg("%s", e.text);
    sigma_run_check(b->run, 100);
    b->bits = calloc(b->set->rule_count + 1, sizeof *b->bits);
    assert_non_null(b->bits);
    for (uint32_t i = 0; i < b->set->rule_count; i++)
        b->bits[i] = UINT64_C(1) << (i * 2654435761u >> 26);
    if (!loose && verdicts_new(b->set, b->bits, &b->verdicts, &e) < 0)
        fail_msg("%s", e.text);
}

static void both_close(struct both *b)
{
    verdicts_free(&b->verdicts);
    sigma_run_free(&b->run);
    sigma_free(&b->set);
    free(b->bits);
}

static void differ(const struct both *b, const struct event *ev, const char *way, uint32_t rule)
{
    AUTO_BUF struct buf text;

    buf_init(&text, 0);
    event_json(ev, &text);
    fail_msg("only the %s way finds \"%.*s\" in %.*s", way, STR_ARG(b->set->rules[rule].rule.title), STR_ARG(buf_view(&text)));
}

/* compare_verdict - rules[count] are those that match. */
static void compare_verdict(struct both *b, const struct event *ev, const uint32_t *rules, size_t count)
{
    uint64_t want = 0, got;
    struct err e;

    if (!b->verdicts)
        return;
    for (size_t i = 0; i < count; i++)
        want |= b->bits[rules[i]];
    if (verdicts_event(b->verdicts, ev, 0, &got, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < b->set->rule_count && got != want; i++)
        if (b->bits[i] & (got ^ want))
            differ(b, ev, got & b->bits[i] ? "remembering (or one of its neighbours)" : "plain", (uint32_t)i);
    if (verdicts_event(b->verdicts, ev, want & 0xFFFFFFFF, &got, &e) < 0 || (got | (want & 0xFFFFFFFF)) != want)
        fail_msg("what an event has already changes what it has besides");
}

static void compare(struct both *b, struct event *ev)
{
    const struct sigma_match *m;
    const uint32_t *rules;
    size_t count = 0, k = 0;
    struct err e;
    int n;

    ev->seq = ++b->events;
    if (sigma_run_plain(b->run, ev, &rules, &count, &e) < 0)
        fail_msg("%s", e.text);
    n = sigma_run_event(b->run, ev, true, &m, &e);
    if (n < 0)
        fail_msg("%s", e.text);
    for (int i = 0; i < n; i++) {
        if (m[i].rule->correlation)
            continue;
        if (k < count && rules[k] < m[i].rule->index)
            differ(b, ev, "plain", rules[k]);
        if (k == count || rules[k] != m[i].rule->index)
            differ(b, ev, "fast", m[i].rule->index);
        k++;
    }
    if (k < count)
        differ(b, ev, "plain", rules[k]);
    compare_verdict(b, ev, rules, count);
    b->matches += count;
}

/* compare_file - each JSON object of a file. */
static void compare_file(struct both *b, const char *path)
{
    AUTO_BUF struct buf text;
    struct event_batch batch;
    size_t depth = 0, start = 0;
    bool quoted = false;
    struct str s;
    struct err e;

    buf_init(&text, 64u * MIB);
    event_batch_init(&batch, 0);
    if (file_read(path, 64u * MIB, &text, &e) < 0)
        fail_msg("%s", e.text);
    s = buf_view(&text);
    for (size_t i = 0; i < s.n; i++) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
        else if (!quoted && s.p[i] == '{' && depth++ == 0)
            start = i;
        else if (!quoted && s.p[i] == '}' && depth && --depth == 0) {
            event_batch_reset(&batch);
            if (hunt_json_event(str_of(s.p + start, i + 1 - start), &batch, &e) == 0)
                compare(b, &batch.items[0]);
        }
    }
    event_batch_free(&batch);
}

/* compare_line - one line of a log, as the parsers read it. */
static void compare_line(struct both *b, const struct parser *p, struct event_batch *batch, struct str line)
{
    const struct parse_hints hints = { .received = INT64_C(1798761600) * NS_PER_SECOND, .zone_min = 0, .source = STR("same") };
    struct event *ev;

    event_batch_reset(batch);
    ev = event_batch_add(batch);
    assert_non_null(ev);
    parse_line(p, line, &hints, &batch->arena, ev);
    compare(b, ev);
}

/* compare_samples - the lines that the rules of the set carry, each whole and cut. */
static void compare_samples(struct both *b)
{
    struct parser *p = NULL;
    struct event_batch batch;
    char content[4096];
    struct err e;

    snprintf(content, sizeof content, "%s/content", env("SAQSHY_SOURCE"));
    if (parse_new(content, 0, &p, &e) < 0)
        fail_msg("%s", e.text);
    event_batch_init(&batch, 0);
    for (size_t i = 0; i < sigma_rule_count(b->set); i++) {
        const struct sigma_texts *lists[] = { &b->set->rules[i].rule.match, &b->set->rules[i].rule.nomatch };

        for (size_t k = 0; k < 2; k++)
            for (size_t l = 0; l < lists[k]->count; l++) {
                struct str line = lists[k]->items[l];

                compare_line(b, p, &batch, line);
                compare_line(b, p, &batch, str_of(line.p, line.n - line.n / 8));
            }
    }
    event_batch_free(&batch);
    parse_free(&p);
}

/* compare_files - all files below a folder of the unpacked data whose name ends so. */
static void compare_files(struct both *b, const char *folder, const char *ending)
{
    char command[256], path[4096];
    FILE *list;

    snprintf(command, sizeof command, "find %s/%s -type f -name '*%s' | sort", work, folder, ending);
    list = popen(command, "r");
    assert_non_null(list);
    while (fgets(path, sizeof path, list)) {
        path[strcspn(path, "\n")] = 0;
        compare_file(b, path);
    }
    pclose(list);
}

/* --- events made from the rules --- */

struct made {
    struct both        *b;
    struct event_batch *batch;
    struct event       *ev;
    uint32_t            r;
};

static uint32_t next(struct made *m, uint32_t below)
{
    m->r = m->r * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)(m->r >> 4) * below) >> 28);
}

static const struct { const char *category, *service, *channel, *id; } windows[] = {
#define CHANNEL(service, channel) { NULL, service, channel, NULL },
#define CATEGORY(category, service, id, type) { category, service, NULL, id },
#include "sigma/winlog.def"
#undef CHANNEL
#undef CATEGORY
};

static const char *channel_of(struct made *m, struct str service)
{
    uint32_t start = next(m, COUNT(windows));

    for (uint32_t i = 0; i < COUNT(windows); i++) {
        uint32_t at = (start + i) % COUNT(windows);

        if (windows[at].channel && str_ieq(service, str_c(windows[at].service)))
            return windows[at].channel;
    }
    return "Application";
}

static void add(struct made *m, const char *name, struct str value)
{
    (void)!event_add(m->ev, &m->batch->arena, str_c(name), value);
}

/* origin - where an event must come from for the rule to be asked; now and then it is another place. */
static void origin(struct made *m, const struct logsource *l)
{
    static const char *const words[] = { "sshd", "json", "apache", "process", "file", "start", "network", "squid", "cron", "x" };
    uint32_t start = next(m, COUNT(windows));

    m->ev->class = (enum event_class)next(m, CLASS_COUNT);
    m->ev->parser = l->service.n ? l->service : l->category.n ? l->category : str_c(words[next(m, COUNT(words))]);
    if (str_eq(l->product, STR("windows"))) {
        m->ev->class = next(m, 2) ? CLASS_OS_WINDOWS : CLASS_NONE;
        for (uint32_t i = 0; l->category.n && i < COUNT(windows); i++) {
            uint32_t at = (start + i) % COUNT(windows);

            if (!windows[at].category || !str_ieq(l->category, str_c(windows[at].category)))
                continue;
            add(m, "EventID", str_c(windows[at].id));
            add(m, "Channel", str_c(channel_of(m, str_c(windows[at].service))));
            return;
        }
        add(m, "Channel", str_c(channel_of(m, l->service)));
        return;
    }
    if (next(m, 4) && l->product.n)
        m->ev->class = str_eq(l->product, STR("linux")) ? CLASS_OS_UNIX : CLASS_NONE;
    add(m, "process.name", l->service.n ? l->service : str_c(words[next(m, COUNT(words))]));
    add(m, "event.category", str_c(words[next(m, COUNT(words))]));
    add(m, "event.type", str_c(words[next(m, COUNT(words))]));
    add(m, "observer.vendor", l->product);
    add(m, "event.dataset", l->service);
}

/* put_text - a text, some of its letters in another case or in one that only folding makes equal. */
static void put_text(struct made *m, struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        uint32_t dice = next(m, 60);

        if (dice == 0 && (c == 'k' || c == 'K'))
            buf_str(out, STR("\xe2\x84\xaa"));
        else if (dice == 1 && (c == 's' || c == 'S'))
            buf_str(out, STR("\xc5\xbf"));
        else
            buf_byte(out, dice < 12 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) ? (char)(c ^ 0x20) : c);
    }
}

static void junk(struct made *m, struct buf *out)
{
    static const char *const pieces[] = { "", " ", "x", "\\", "C:\\Windows\\", "-e ", "\xd2\x9a\xd0\xb0", "\xff", "0", "\n", ".exe", "powershell " };

    for (uint32_t n = next(m, 4); n; n--)
        buf_str(out, str_c(pieces[next(m, COUNT(pieces))]));
}

static void put_glob(struct made *m, struct buf *out, const struct pattern *p)
{
    for (uint32_t i = 0; i < p->token_count; i++) {
        char c = (char)p->tokens[i];

        if (p->tokens[i] == TOK_STAR)
            junk(m, out);
        else
            put_text(m, out, p->tokens[i] == TOK_ONE ? STR("q") : p->tokens[i] == TOK_DASH ? STR("/") : str_of(&c, 1));
    }
}

/* value_for - a value that the pattern holds for, or nearly. */
static struct str value_for(struct made *m, const struct pattern *p)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    if (p->kind == PAT_ENDS || p->kind == PAT_CONTAINS || p->kind == PAT_RE || next(m, 12) == 0)
        junk(m, &b);
    if (p->kind == PAT_GLOB)
        put_glob(m, &b, p);
    else
        put_text(m, &b, p->text);
    if (p->kind == PAT_STARTS || p->kind == PAT_CONTAINS || p->kind == PAT_RE || next(m, 12) == 0)
        junk(m, &b);
    if (next(m, 10) == 0 && b.n)
        b.p[next(m, (uint32_t)b.n)] ^= 1;
    return arena_copy(&m->batch->arena, buf_view(&b));
}

static void put_leaf(struct made *m, const struct leaf *leaf)
{
    static const char *const before[] = { "", "", "", "winlog.event_data.", "Event.EventData.", "Event.UserData." };
    const struct pattern *p = &leaf->patterns[next(m, leaf->count)];
    struct str name;

    if (p->kind == PAT_NULL)
        return;
    if (leaf->field == FIELD_KEYWORD) {   /* in the line, in a value that is a piece of it, or in one that is not */
        struct str v = value_for(m, p);

        if (next(m, 2))
            m->ev->original = v;
        if (v.n > 2 && next(m, 2))
            add(m, "message", str_of(v.p + next(m, 2), v.n - 1 - next(m, 2)));
        return;
    }
    name = arena_printf(&m->batch->arena, "%s%.*s", before[next(m, COUNT(before))], STR_ARG(m->b->set->fields[leaf->field]));
    (void)!event_add(m->ev, &m->batch->arena, name, value_for(m, p));
}

static void make_event(struct made *m)
{
    const struct sigma *s = m->b->set;
    const struct compiled *c = &s->rules[next(m, s->rule_count)], *other = &s->rules[next(m, s->rule_count)];

    if (c->correlation || other->correlation)
        return;
    event_batch_reset(m->batch);
    m->ev = event_batch_add(m->batch);
    m->ev->original = STR("a line");
    origin(m, &s->logsources[c->logsource]);
    for (uint32_t i = 0; i < c->program.leaf_count && i < 200; i++)
        if (next(m, 5))
            put_leaf(m, &c->program.leaves[i]);
    for (uint32_t i = 0; i < other->program.leaf_count && i < 5; i++)
        put_leaf(m, &other->program.leaves[i]);
    compare(m->b, m->ev);
}

static void compare_made(struct both *b, uint32_t count)
{
    struct event_batch batch;
    struct made m = { .b = b, .batch = &batch, .r = 7 };

    event_batch_init(&batch, 0);
    for (uint32_t i = 0; i < count; i++)
        make_event(&m);
    event_batch_free(&batch);
}

/* --- the tests --- */

static void report(const struct both *b, const char *what)
{
    assert_true(sigma_run_counters(b->run)->checked == b->events / 100);
    assert_true(sigma_run_counters(b->run)->differed == 0);
    print_message("%s: %llu events, %llu matches, %llu rules computed of %llu\n", what, (unsigned long long)b->events,
                  (unsigned long long)b->matches, (unsigned long long)sigma_run_counters(b->run)->evaluated,
                  (unsigned long long)(b->events * b->set->rule_count));
}

static void our_rules_match_alike_both_ways(void **state)
{
    char path[4096];
    const char *paths[] = { path };
    struct both b;

    (void)state;
    snprintf(path, sizeof path, "%s/content/rules", env("SAQSHY_SOURCE"));
    both_open(&b, paths, 1, false);
    compare_made(&b, MADE_EVENTS);
    report(&b, "our rules");
    assert_true(b.matches > 100);
    both_close(&b);
}

/* Rules under filters and with the names of pipelines, over lines as they come: both ways leave the same out. */
static void lines_match_alike_under_filters_and_pipelines(void **state)
{
    static const char filters[] = "title: x\nid: 6d1f1f2a-0000-4000-8000-000000000001\nlogsource: { product: linux }\n"
                                  "filter:\n  rules: any\n  selection:\n    - user.name|contains: 'a'\n    - source.ip|startswith: '203.'\n  condition: not selection\n"
                                  "---\ntitle: y\nid: 6d1f1f2a-0000-4000-8000-000000000002\nlogsource: { product: windows }\n"
                                  "filter:\n  rules: any\n  selection:\n    CommandLine|contains: 'e'\n  condition: not selection\n";
    char rules[4096], pipelines[4096], file[128];
    const char *paths[] = { pipelines, rules, file };
    uint64_t matches[2] = { 0 };
    struct err e;

    (void)state;
    snprintf(rules, sizeof rules, "%s/content/rules", env("SAQSHY_SOURCE"));
    snprintf(pipelines, sizeof pipelines, "%s/content/pipelines", env("SAQSHY_SOURCE"));
    snprintf(file, sizeof file, "%s/filters.yml", work);
    assert_int_equal(file_write_atomic(file, str_c(filters), 0600, &e), 0);
    for (size_t filtered = 0; filtered < 2; filtered++) {
        struct both b;

        both_open(&b, paths, filtered ? 3 : 2, false);
        assert_int_equal(sigma_refusal_count(b.set), 0);
        compare_samples(&b);
        compare_made(&b, MADE_EVENTS / 6);
        report(&b, filtered ? "lines, with filters" : "lines");
        matches[filtered] = b.matches;
        both_close(&b);
    }
    assert_true(matches[0] > 500);
    assert_true(matches[1] > 100 && matches[1] < matches[0]);   /* the filters do leave something out */
}

/* Values that share their places, in numbers that push each other out, of fields with more questions than a word has bits, under more fields than are
 * remembered, and one that is longer than what is: each is asked again. */
static void made_up_values_change_no_answer(void **state)
{
    char file[128], name[32], value[96];
    const char *paths[] = { file };
    AUTO_BUF struct buf rules;
    struct event_batch batch;
    uint32_t r = 1;
    struct both b;
    struct err e;

    (void)state;
    buf_init(&rules, 0);
    for (int i = 0; i < 150; i++)
        buf_printf(&rules, "%stitle: r%d\nlogsource: {}\ndetection:\n  s:\n    user.name: [n%d, n%d]\n  t:\n    f%d: v%d\n  u:\n    count|gte: %d\n  w:\n    code: null\n"
                   "  condition: %s\n", i ? "---\n" : "", i, i, i * 3, i, i % 7, i, i % 3 ? "s or t" : i % 2 ? "(s or t) and not u" : "s and (u or w) or t");
    snprintf(file, sizeof file, "%s/made.yml", work);
    assert_int_equal(file_write_atomic(file, buf_view(&rules), 0600, &e), 0);
    both_open(&b, paths, 1, false);
    assert_int_equal(sigma_rule_count(b.set), 150);
    event_batch_init(&batch, 0);
    for (int i = 0; i < MADE_EVENTS; i++) {
        struct event *ev;

        event_batch_reset(&batch);
        ev = event_batch_add(&batch);
        r = r * 1664525 + 1013904223;
        snprintf(value, sizeof value, r >> 28 == 0 ? "n%u-and-a-tail-that-makes-it-longer-than-what-is-kept" : r >> 28 == 1 ? "N%u" : "n%u", (r >> 8) % 600);
        assert_int_equal(event_add(ev, &batch.arena, STR("user.name"), arena_copy(&batch.arena, str_c(value))), 0);
        snprintf(name, sizeof name, "f%u", (r >> 16) % 150);
        snprintf(value, sizeof value, "v%u", (r >> 12) % 9);
        assert_int_equal(event_add(ev, &batch.arena, arena_copy(&batch.arena, str_c(name)), arena_copy(&batch.arena, str_c(value))), 0);
        snprintf(value, sizeof value, r >> 31 ? "%u" : "%u.0", (r >> 4) % 200);
        assert_int_equal(event_add(ev, &batch.arena, STR("count"), arena_copy(&batch.arena, str_c(value))), 0);
        if (r >> 20 & 1)
            assert_int_equal(event_add(ev, &batch.arena, STR("code"), STR("1")), 0);
        if (r >> 21 & 1)
            assert_int_equal(event_add(ev, &batch.arena, STR("user.name"), STR("n7")), 0);
        compare(&b, ev);
    }
    report(&b, "made-up values");
    assert_true(b.matches > 1000);
    event_batch_free(&batch);
    both_close(&b);
}

static void public_rules_match_alike_both_ways(void **state)
{
    char path[4096];
    const char *paths[] = { path };
    struct both b;

    (void)state;
    if (!unpack("sigma/sigma-rules.tar.zst") || !unpack("sigma/sigma-regression-dev.tar.zst") || !unpack("logs/otrf.tar.zst")) {
        print_message("the public collection is not here: left out\n");
        return;
    }
    snprintf(path, sizeof path, "%s/sigma-rules", work);
    for (int loose = 0; loose < 2; loose++) {
        both_open(&b, paths, 1, loose);
        assert_true(sigma_rule_count(b.set) > 3500 && sigma_bytes(b.set) < PUBLIC_BYTES_MAX);
        if (!loose)
            compare_files(&b, "otrf", ".json");
        compare_files(&b, "sigma-regression", ".json");
        compare_made(&b, loose ? MADE_EVENTS / 6 : MADE_EVENTS);
        report(&b, loose ? "public rules, hunting" : "public rules");
        assert_true(b.matches > 500);
        both_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_rules_match_alike_both_ways),
        cmocka_unit_test(lines_match_alike_under_filters_and_pipelines),
        cmocka_unit_test(made_up_values_change_no_answer),
        cmocka_unit_test(public_rules_match_alike_both_ways),
    };
    char command[128];
    int failed;

    snprintf(work, sizeof work, "/tmp/saqshy-same-XXXXXX");
    if (!mkdtemp(work))
        return 1;
    failed = cmocka_run_group_tests_name("the fast way and the plain way", tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", work);
    return system(command) != 0 || failed;
}
