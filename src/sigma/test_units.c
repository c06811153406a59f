/* test_units.c - what was made of files before is taken again: the set is the one that all files made anew would be, whichever of them changed, and no more
 * than what changed is compiled. */
#include "sigma/internal.h"
#include "sigma/test_rows.h"

#define LINUX "logsource: {product: linux}\n"
#define RULE(id, item) "title: " id "\nid: " id "\n" LINUX "detection: {s: {" item "}, condition: s}\n"
#define PIPELINE(rest) "name: p\n" rest
#define VERSIONS 6

/* One file at a time is another of its versions, or is not there (NULL). Nearly every one names what stands in another file. */
static const struct { const char *path; const char *versions[VERSIONS]; } files[] = {
    { "rules/a.yml", { RULE("a", "x: 1"), RULE("a", "x: 2"), RULE("a", "x|re: '^[12]$'"), RULE("other", "x: 1"), "title: a\n  broken", NULL } },
    { "rules/b.yml", { RULE("b", "Image: 1"), RULE("b", "Image|endswith: '1'"), RULE("b", "y|expand: '%who%'"), RULE("a", "x: 1"), RULE("b", "x|nonsense: 1"), NULL } },
    { "rules/chain.yml", { "title: c\nid: c\ncorrelation: {type: event_count, rules: a, group-by: user, timespan: 1m, condition: {gte: 1}}\n",
                           "title: c\nid: c\ncorrelation: {type: temporal, rules: [a, b], timespan: 1m, generate: true}\n",
                           "title: c\nid: c\ncorrelation: {type: event_count, rules: b, group-by: Image, timespan: 1m, condition: {gte: 1}}\n",
                           "title: d\nid: d\ncorrelation: {type: event_count, rules: c, timespan: 1m, condition: {gte: 1}}\n---\n"
                           "title: c\nid: c\ncorrelation: {type: event_count, rules: [a, b], timespan: 1m, condition: {gte: 1}}\n", NULL, NULL } },
    { "rules/exceptions/f.yml", { "title: f\nid: f\n" LINUX "filter: {rules: any, s: {user: root}, condition: not s}\nsaqshy: {author: a, reason: r, expires: 2026-12-31}\n",
                                  "title: f\nid: f\n" LINUX "filter: {rules: [b], s: {user: root}, condition: not s}\nsaqshy: {author: a, reason: r, expires: 2026-12-31}\n",
                                  "title: f\nid: f\n" LINUX "filter: {rules: [b, q], s: {user: root}, condition: s}\nsaqshy: {author: a, reason: r, expires: 2001-01-01}\n",
                                  "title: f\nid: f\n" LINUX "filter: {rules: any, s: {user: root}, condition: not s}\n", NULL, NULL } },
    { "rules/many.yml", { "action: global\ntitle: many\nid: many\n" LINUX "---\ndetection: {s: {x: 1}, condition: s}\n---\ndetection: {s: {x: 2}, condition: s}\n",
                          "action: global\ntitle: many\nid: many\n" LINUX "---\ndetection: {s: {z: 1}, condition: [s, not s]}\n---\naction: repeat\ntitle: more\n",
                          RULE("many", "z: 1") "date: 2026-01-01\n---\n" RULE("a", "z: 1") "modified: 2026-02-02\n", "", NULL, NULL } },
    { "rules/pipeline.yml", { PIPELINE("vars: {who: [1, 2]}\n"), PIPELINE("vars: {who: [3]}\ntransformations: [{type: field_name_mapping, mapping: {Image: [exe, x]}}]\n"),
                              PIPELINE("transformations: [{type: field_name_mapping, mapping: {Image: x}, rule_conditions: [{type: logsource, product: linux}]}]\n"),
                              PIPELINE("transformations: [{type: unheard_of}]\n"), NULL, NULL } },
};

static const char *const events[] = { "x=1\nuser=root", "x=2\nuser=u", "x=1\nImage=1\ny=1\nuser=u", "exe=1\nuser=root\nz=1", "y=3\nz=1", "Image=21\nuser=u\ny=2" };

static size_t sources_of(const uint32_t *version, struct sigma_source *out)
{
    size_t n = 0;

    for (size_t i = 0; i < COUNT(files); i++)
        if (files[i].versions[version[i]])
            out[n++] = (struct sigma_source){ str_c(files[i].path), str_c(files[i].versions[version[i]]) };
    return n;
}

/* tell - all of a set that people and programs see, as one text. */
static void tell(const struct sigma *s, struct buf *b)
{
    struct str filter;

    for (size_t i = 0; i < sigma_rule_count(s); i++) {
        const struct sigma_rule *r = sigma_rule_at(s, i);
        const struct correlation *c = s->rules[i].correlation;

        buf_printf(b, "rule %.*s %.*s:%d %d %d %u", STR_ARG(r->id), STR_ARG(r->file), r->line, r->silent, r->correlation, r->index);
        for (uint32_t k = 0; sigma_rule_filter(s, (uint32_t)i, k, &filter); k++)
            buf_printf(b, " but %.*s", STR_ARG(filter));
        for (uint32_t k = 0; c && k < c->ref_count; k++)
            buf_printf(b, " of %.*s by %.*s", STR_ARG(s->rules[c->refs[k]].rule.id), STR_ARG(c->group_count ? s->fields[c->alias[k][0]] : STR("-")));
        buf_printf(b, " %llx\n", c ? (unsigned long long)c->definition + c->depth : 0);
    }
    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        const struct sigma_refusal *r = sigma_refusal_at(s, i);

        buf_printf(b, "no %d %.*s %.*s:%d:%d %.*s\n", r->verdict, STR_ARG(r->id), STR_ARG(r->file), r->line, r->column, STR_ARG(r->reason));
    }
    for (size_t i = 0; i < sigma_remark_count(s); i++) {
        const struct sigma_remark *r = sigma_remark_at(s, i);

        buf_printf(b, "hm %.*s %.*s:%d:%d %.*s\n", STR_ARG(r->id), STR_ARG(r->file), r->line, r->column, STR_ARG(r->text));
    }
}

/* tell_matches - of all events, one behind another, with the plain evaluator beside. */
static void tell_matches(const struct sigma *s, struct buf *b)
{
    const struct sigma_match *m = NULL;
    struct sigma_run *run = NULL;
    struct event_batch batch;
    struct err e;

    event_batch_init(&batch, 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    sigma_run_check(run, 1);
    for (size_t i = 0; i < COUNT(events); i++) {
        int n;

        event_from(&batch, events[i]);
        batch.items->seq = i + 1;
        n = sigma_run_event(run, batch.items, true, &m, &e);
        buf_printf(b, "event %zu:", i);
        for (int k = 0; k < n; k++)
            buf_printf(b, " %.*s(%llu,%llx)", STR_ARG(m[k].rule->id), (unsigned long long)m[k].count, (unsigned long long)m[k].conditions);
        buf_byte(b, '\n');
    }
    assert_int_equal(sigma_run_counters(run)->differed, 0);
    sigma_run_free(&run);
    event_batch_free(&batch);
}

static void tell_all(const struct sigma *s, struct buf *b)
{
    buf_reset(b);
    tell(s, b);
    tell_matches(s, b);
    assert_false(buf_failed(b));
}

static uint32_t next(uint32_t *random) { return (*random = *random * 1664525u + 1013904223u) >> 8; }

static void a_set_of_files_made_before_is_the_one_of_files_made_anew(void **state)
{
    struct sigma_units *u = sigma_units_new();
    uint32_t version[COUNT(files)] = { 0 }, random = 7;
    struct sigma *former = NULL;
    AUTO_BUF struct buf again, anew;
    struct err e;

    (void)state;
    buf_init(&again, 0);
    buf_init(&anew, 0);
    for (int step = 0; step < 3000; step++) {
        struct sigma_source sources[COUNT(files)];
        struct sigma *one, *other;
        size_t file = next(&random) % COUNT(files), n;

        version[file] = next(&random) % VERSIONS;
        n = sources_of(version, sources);
        assert_int_equal(sigma_compile_again(u, sources, n, &one, &e), 0);
        assert_int_equal(sigma_compile(sources, n, &other, &e), 0);
        tell_all(one, &again);
        tell_all(other, &anew);
        if (!str_eq(buf_view(&again), buf_view(&anew)))
            fail_msg("step %d, file %zu: once\n%.*s\nanew\n%.*s", step, file, STR_ARG(buf_view(&again)), STR_ARG(buf_view(&anew)));
        sigma_free(&other);
        sigma_free(&former);   /* it lives while the next one is made, and no longer */
        former = one;
    }
    sigma_units_free(&u);      /* a set needs nothing of them */
    tell_all(former, &again);
    assert_true(str_eq(buf_view(&again), buf_view(&anew)));
    sigma_free(&former);
}

static size_t made(struct sigma_units *u, const struct sigma_source *sources, size_t count)
{
    struct sigma *s;
    struct err e;

    assert_int_equal(sigma_compile_again(u, sources, count, &s, &e), 0);
    sigma_free(&s);
    return sigma_units_made(u);
}

static void only_what_changed_is_compiled(void **state)
{
    struct sigma_source s[] = { { STR("a.yml"), STR(RULE("a", "x: 1")) }, { STR("b.yml"), STR(RULE("b", "x: 1")) }, { STR("c.yml"), STR(PIPELINE("vars: {who: 1}\n")) },
                                { STR("d.yml"), STR(RULE("d", "x: 1")) } };
    struct sigma_units *u = sigma_units_new();

    (void)state;
    assert_int_equal(made(u, s, 4), 4);
    assert_int_equal(made(u, s, 4), 0);
    s[1].text = STR(RULE("b", "x: 2"));
    assert_int_equal(made(u, s, 4), 1);
    assert_int_equal(made(u, s, 3), 0);       /* one went */
    assert_int_equal(made(u, s, 4), 1);       /* and came */
    s[0].path = STR("aa.yml");                /* its name is told with its rules */
    assert_int_equal(made(u, s, 4), 1);
    s[2].text = STR(PIPELINE("vars: {who: 2}\n"));
    assert_int_equal(made(u, s, 4), 4);       /* any rule may read it */
    sigma_units_drop(u);
    assert_int_equal(made(u, s, 4), 4);
    sigma_units_free(&u);
}

static void what_is_left_behind_is_bounded(void **state)
{
    struct sigma_source s[] = { { STR("a.yml"), STR(RULE("a", "x: 1")) }, { STR("b.yml"), { NULL, 0 } } };
    struct sigma_units *u = sigma_units_new();
    unsigned all = 0, was_worn = 0;

    (void)state;
    for (int i = 0; i < 3 * SIGMA_NAMES_STALE; i++) {
        char text[160];

        snprintf(text, sizeof text, "title: b\nid: b\nlogsource: {}\ndetection: {s: {field%d: 1}, condition: s}\n", i);   /* a new name each time */
        s[1].text = str_c(text);
        all += made(u, s, 2) == 2;
        was_worn += sigma_units_worn(u);
    }
    assert_true(all >= 3 && all < 10);   /* the first time, and whenever so many names are stale */
    assert_true(was_worn > 0);
    sigma_units_free(&u);
}

/* Names of fields are counted over all files: what is refused for it is refused by a set that is made anew, and only then. */
static void limits_are_those_of_the_files_that_are_there(void **state)
{
    struct sigma_units *u = sigma_units_new();
    struct sigma_source s[5];
    AUTO_BUF struct buf text;
    size_t from[6] = { 0 };
    struct sigma *set;
    struct err e;

    (void)state;
    buf_init(&text, 0);
    for (int f = 0; f < 5; f++) {   /* five files of 1,000 names */
        buf_printf(&text, "title: t%d\nid: t%d\nlogsource: {}\ndetection:\n  s:\n", f, f);
        for (int i = 0; i < 1000; i++)
            buf_printf(&text, "    f%d_%d: 1\n", f, i);
        buf_str(&text, STR("  condition: s\n"));
        from[f + 1] = text.n;
    }
    for (int f = 0; f < 5; f++)
        s[f] = (struct sigma_source){ STR("x.yml"), str_of(text.p + from[f], from[f + 1] - from[f]) };
    s[1].path = STR("y.yml");
    s[2].path = STR("z.yml");
    s[3].path = STR("zz.yml");
    assert_int_equal(sigma_compile_again(u, s, 4, &set, &e), 0);
    assert_true(sigma_rule_count(set) == 4 && sigma_refusal_count(set) == 0);
    sigma_free(&set);
    s[0] = s[4];                    /* another thousand in the place of the first: there is room for them, if those are forgotten */
    assert_int_equal(sigma_compile_again(u, s, 4, &set, &e), 0);
    assert_true(sigma_rule_count(set) == 4 && sigma_refusal_count(set) == 0);
    sigma_free(&set);
    s[4] = (struct sigma_source){ STR("zzz.yml"), str_of(text.p, from[1]) };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sigma_compile_again(u, s, 5, &set, &e), 0);
        assert_true(sigma_rule_count(set) == 4 && sigma_refusal_count(set) == 1 && str_eq(sigma_refusal_at(set, 0)->file, STR("zzz.yml")));
        sigma_free(&set);
    }
    assert_int_equal(sigma_compile_again(u, s + 1, 4, &set, &e), 0);
    assert_true(sigma_rule_count(set) == 4 && sigma_refusal_count(set) == 0);
    sigma_free(&set);
    sigma_units_free(&u);
}

/* What many rules say lies in a compilation once, and as long as one set or file has it. */
static void texts_of_several_files_are_one(void **state)
{
    struct sigma_source s[] = { { STR("a.yml"), STR("tags: [attack.t1110]\nauthor: someone\n" RULE("a", "x|contains: powershell")) },
                                { STR("b.yml"), STR("tags: [attack.t1110]\nauthor: someone\n" RULE("b", "x|contains: PowerShell")) } };
    struct sigma_units *u = sigma_units_new();
    const struct sigma_rule *a, *b;
    struct sigma *first, *second;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile_again(u, s, 2, &first, &e), 0);
    a = sigma_rule_at(first, 0);
    b = sigma_rule_at(first, 1);
    assert_true(str_eq(b->author, STR("someone")) && str_eq(b->tags.items[0], STR("attack.t1110")));
    assert_ptr_equal(a->author.p, b->author.p);
    assert_ptr_equal(a->tags.items[0].p, b->tags.items[0].p);
    assert_ptr_equal(first->rules[0].program.leaves[0].patterns[0].text.p, first->rules[1].program.leaves[0].patterns[0].text.p);
    s[0].text = STR(RULE("a", "x: 1"));    /* the file that said it first says it no more */
    assert_int_equal(sigma_compile_again(u, s, 2, &second, &e), 0);
    sigma_free(&first);
    sigma_units_free(&u);
    b = sigma_rule_at(second, 1);
    assert_true(str_eq(b->author, STR("someone")) && str_eq(b->tags.items[0], STR("attack.t1110")));
    sigma_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_of_files_made_before_is_the_one_of_files_made_anew),
        cmocka_unit_test(only_what_changed_is_compiled),
        cmocka_unit_test(what_is_left_behind_is_bounded),
        cmocka_unit_test(limits_are_those_of_the_files_that_are_there),
        cmocka_unit_test(texts_of_several_files_are_one),
    };

    return cmocka_run_group_tests_name("sigma units", tests, NULL, NULL);
}
