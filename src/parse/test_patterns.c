/* test_patterns.c - parsers as data: what a pattern may be, what it costs, what a file may say, and what each sample gives. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "parse/patterns.h"
#include "parse/test_parser.h"

/* --- patterns --- */

static const struct {
    const char *name, *source;
    bool template;
    const char *literal, *refusal; /* one of them */
} rows[] = {
    { "a template is literal", "user {a.b:word} (uid {a.c:number})", true, " (uid ", NULL },
    { "the longest literal is taken", "ab{a.b:word} from host ", true, " from host ", NULL },
    { "an optional group has none that must stand there", "^x(?: from host)? y$", false, " y", NULL },
    { "alternatives have none", "(?:alpha|beta) gam", false, " gam", NULL },
    { "a quantifier takes its byte off", "colou?r", false, "colo", NULL },
    { "plus leaves one", "ab+c", false, "ab", NULL },
    { "a look that must fail is no literal", "ab(?!cdefg)", false, "ab", NULL },
    { "an escaped mark is literal", "\\[error\\] x", false, "[error] x", NULL },
    { "a brace before a digit counts, before a letter it is ours", "x{2,3}yz{a.b:hex}", false, "yz", NULL },
    { "alternatives on top leave nothing", "abc|def", false, "", NULL },
    { "nested repetition", "(a+)+b", false, NULL, "repetition within" },
    { "nested repetition in a group of a group", "(?:x(?:a*)y)*", false, NULL, "repetition within" },
    { "possessive inside is allowed", "(?:a++,)+bc", false, "bc", NULL },
    { "atomic inside is allowed", "(?>a+)+bc", false, "bc", NULL },
    { "bounded outside is allowed", "(?:\\d+\\.){3}ab", false, "ab", NULL },
    { "back reference", "(?<a>x)\\1", false, NULL, "escape is not allowed" },
    { "recursion", "(?R)", false, NULL, "kind of group" },
    { "a verb", "(*COMMIT)a", false, NULL, "verbs" },
    { "a property of Unicode", "\\p{L}", false, NULL, "escape" },
    { "no such type", "{a.b:nonsense}", true, NULL, "no such type" },
    { "a brace that is not closed", "{a.b:word", true, NULL, "not closed" },
    { "a set with letters beyond ASCII", "[\xD0\xB0-\xD1\x8F]", false, NULL, "patterns read bytes" },
    { "a set that is not closed", "[abc", false, NULL, "not closed" },
    { "a parenthesis that is not closed", "(abc", false, NULL, "not closed" },
    { "a parenthesis too many", "abc)", false, NULL, "too many" },
    { "what PCRE2 refuses", "a{3,1}", false, NULL, "does not compile" },
    { "a name with a blank", "(?<a b>x)", false, NULL, "name of a group" },
};

static void test_compile(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pattern_text t = { .source = str_c(rows[i].source), .template = rows[i].template };
        struct pattern p = { .line = 1 };
        struct arena a;
        struct err e = { 0 };
        int rc;

        arena_init(&a, 0);
        rc = pattern_compile(&t, &a, &p, &e);
        CHECK(rows[i].name, (rc == 0) == (rows[i].literal != NULL));
        if (rc == 0)
            CHECK(rows[i].name, str_eq(t.literal, str_c(rows[i].literal)));
        else
            CHECK(rows[i].name, strstr(e.text, rows[i].refusal) != NULL);
        pattern_free(&p);
        arena_free(&a);
    }
}

static const struct {
    const char *name, *source;
    bool template;
    const char *heads; /* parted by '/'; "": nothing is known */
} head_rows[] = {
    { "a template begins with its literal", "user {a.b:word} in", true, "user " },
    { "a template that begins with a value", "{a.b:word} in", true, "" },
    { "without '^' a text may begin anyhow", "abc", false, "" },
    { "behind '^'", "^abc\\d", false, "abc" },
    { "each alternative behind '^'", "^(?:abc|d[ef]|gh\\d) xy", false, "abc/d/gh" },
    { "alternatives behind literal bytes", "^ab (?:cd|ef) xy", false, "ab cd/ab ef" },
    { "a group with a name", "^(?<a.b>cd|ef) xy", false, "cd/ef" },
    { "an atomic group", "^(?>cd|ef) xy", false, "cd/ef" },
    { "alternatives within an alternative", "^(?:ab(?:c|d)|ef) xy", false, "ab/ef" },
    { "a group that may be missing", "^ab(?:cd|ef)? xy", false, "ab" },
    { "a group that may stand no times", "^ab(?:cd|ef){0,2} xy", false, "ab" },
    { "a group that stands once or more", "^(?:cd |ef )++xy", false, "cd /ef " },
    { "an alternative that begins with a set", "^(?:abc|[de]f) xy", false, "" },
    { "an empty alternative", "^(?:abc|) xy", false, "" },
    { "an optional byte is no head", "^(?:ab?c|de) xy", false, "a/de" },
    { "only the first group", "^(?:ab)(?:cd|ef) xy", false, "ab" },
    { "a look ahead is no head", "^(?=ab|cd)xy", false, "" },
    { "alternatives on top", "^ab|cd", false, "" },
    { "where letters of both cases are one", "^(?i:ab|cd) xy", false, "" },
};

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(head_rows); i++) {
        struct pattern_text t = { .source = str_c(head_rows[i].source), .template = head_rows[i].template };
        struct str left = str_c(head_rows[i].heads), head;
        struct pattern p = { .line = 1 };
        struct arena a;
        struct err e = { 0 };
        size_t n = 0;

        arena_init(&a, 0);
        CHECK(head_rows[i].name, pattern_compile(&t, &a, &p, &e) == 0);
        while (left.n && str_split(&left, '/', &head)) {
            CHECK(head_rows[i].name, n < t.head_count && str_eq(t.heads[n], head));
            n++;
        }
        CHECK(head_rows[i].name, n == t.head_count);
        pattern_free(&p);
        arena_free(&a);
    }
}

static const struct {
    const char *name, *source, *text, *groups; /* "NAME=VALUE" parted by '|'; NULL: no match */
} matches[] = {
    { "words end before what follows", "<{a:word}> [{b:word}]", "<x.y> [z w]", NULL },
    { "words end before what follows, all of them", "<{a:word}> [{b:word}] {c:rest}", "<x.y> [z] and all", "a=x.y|b=z|c=and all" },
    { "an address and its port", "{a:ip}:{b:number}", "192.0.2.7:4711", "a=192.0.2.7|b=4711" },
    { "an address of version 6 and its port", "{a:ip}:{b:number}", "2001:db8::1:4711", "a=2001:db8::1|b=4711" },
    { "an address in brackets", "{a:ip}:{b:number}", "[2001:db8::1]:4711", "a=[2001:db8::1]|b=4711" },
    { "a name for an address", "{a:host}:{b:number}", "gw-1.example:22", "a=gw-1.example|b=22" },
    { "as little text as possible", "{a:text}, {b:text}!", "one, two, three!", "a=one|b=two, three" },
    { "quotes with escapes", "x={a:quoted} y", "x=\"a \\\" b\" y", "a=a \\\" b" },
    { "a path", "in {a:path}: ok", "in /srv/x y: ok", NULL },
    { "hex, decimal, mac", "{a:hex}|{b:decimal}|{c:mac}", "0aF|3.25|00:11:22:aa:bb:cc", "a=0aF|b=3.25|c=00:11:22:aa:bb:cc" },
    { "a literal brace", "\\{{a:word}}", "{x}", "a=x" },
    { "nothing left over", "a {x:number}", "a 12 b", NULL },
};

static void test_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(matches); i++) {
        struct pattern_text t = { .source = str_c(matches[i].source), .template = true };
        struct pattern p = { .line = 1 };
        struct matcher *m = malloc(sizeof *m);
        void *limits = limits_new();
        struct str rest = str_c(matches[i].groups), piece;
        struct arena a;
        const size_t *at;
        size_t count, n = 1;
        char got[256];

        arena_init(&a, 0);
        assert_int_equal(pattern_compile(&t, &a, &p, NULL), 0);
        assert_true(m && matcher_open(m, limits, &a));
        CHECK(matches[i].name, (matcher_run(m, &p, str_c(matches[i].text), &at, &count) == 1) == (matches[i].groups != NULL));
        for (; matches[i].groups && str_split(&rest, '|', &piece); n++) {
            CHECK(matches[i].name, n <= t.groups && n < count);
            snprintf(got, sizeof got, "%.*s=%.*s", STR_ARG(t.names[n]), (int)(at[2 * n + 1] - at[2 * n]), matches[i].text + at[2 * n]);
            CHECK(matches[i].name, str_eq(piece, str_c(got)));
        }
        pattern_free(&p);
        limits_free(limits);
        arena_free(&a);
        free(m);
    }
}

static void test_limit(void **state)
{
    struct pattern_text t = { .source = STR("^(?:.*?,){11}P") }; /* the lint lets this pass, the limit does not */
    struct pattern p = { .line = 1 };
    struct matcher *m = malloc(sizeof *m);
    void *limits = limits_new();
    struct buf text;
    struct arena a;
    const size_t *at;
    size_t count;

    (void)state;
    arena_init(&a, 0);
    buf_init(&text, 0);
    for (int i = 0; i < 200; i++)
        buf_str(&text, STR("1,2,3,"));
    buf_str(&text, STR("xP"));
    assert_int_equal(pattern_compile(&t, &a, &p, NULL), 0);
    assert_true(m && matcher_open(m, limits, &a));
    assert_int_equal(matcher_run(m, &p, buf_view(&text), &at, &count), -E2BIG);
    pattern_free(&p);
    limits_free(limits);
    buf_free(&text);
    arena_free(&a);
    free(m);
}

/* --- the filter --- */

/* All texts of up to seven of these bytes, each against needles of them: what is found is what str_find finds. */
static void test_needle(void **state)
{
    static const char *const needles[] = { "a", "]", "] [", "]a", "a]", "aa", "]]", "a]a", "aaaa", "]a]a" };
    static const char bytes[] = { 'a', ']', '[', ' ' };
    char text[80];

    (void)state;
    for (size_t i = 0; i < COUNT(needles); i++) {
        struct needle n;

        needle_of(str_c(needles[i]), &n);
        for (size_t len = 0, all = 1; len <= 7; len++, all *= COUNT(bytes))
            for (size_t t = 0; t < all; t++) {
                for (size_t k = 0, left = t; k < len; k++, left /= COUNT(bytes))
                    text[k] = bytes[left % COUNT(bytes)];
                CHECK(needles[i], needle_in(&n, str_of(text, len)) == (str_find(str_of(text, len), n.text) >= 0));
            }
        for (size_t head = 0; head < 40; head++) { /* the rare byte many times before it */
            memset(text, ']', sizeof text);
            memcpy(text + head, needles[i], strlen(needles[i]));
            CHECK(needles[i], needle_in(&n, str_of(text, head + strlen(needles[i]))));
            CHECK(needles[i], needle_in(&n, str_of(text, head + strlen(needles[i]) - 1)) == (str_find(str_of(text, head + strlen(needles[i]) - 1), n.text) >= 0));
        }
    }
}

static void test_filter(void **state)
{
    static const char *const literals[] = { "he", "she", "his", "hers", "", "S", "rsh", "user", "e" };
    static const char *const texts[] = { "ushers", "USHERS", "", "h", "x", "his user", "sheershe", "hhhhhe", "\xff\0he" };
    struct str list[COUNT(literals)];
    const struct filter *f;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(literals); i++)
        list[i] = str_c(literals[i]);
    assert_int_equal(filter_new(&a, list, COUNT(list), &f, NULL), 0);
    for (size_t k = 0; k < COUNT(texts); k++) {
        struct str text = k + 1 == COUNT(texts) ? STR("\xff\0he") : str_c(texts[k]);
        uint64_t hits[1];

        filter_scan(f, text, hits);
        for (size_t i = 0; i < COUNT(list); i++)
            CHECK(literals[i], (hits[0] >> i & 1) == (str_ifind(text, list[i]) >= 0));
    }
    arena_free(&a);
}

/* test_filter_many - 500 literals of few letters over all texts of few letters, against a search of each. */
static void test_filter_many(void **state)
{
    struct str list[500];
    const struct filter *f;
    struct arena a;
    uint64_t random = 88172645463325252u;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(list); i++) {
        char *p = arena_alloc(&a, 8);
        size_t n = 1 + i % 7;

        for (size_t k = 0; k < n; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            p[k] = (char)('a' + random % 3);
        }
        list[i] = str_of(p, n);
    }
    assert_int_equal(filter_new(&a, list, COUNT(list), &f, NULL), 0);
    for (int round = 0; round < 200; round++) {
        uint64_t hits[(COUNT(list) + 63) / 64];
        char text[24];

        for (size_t k = 0; k < sizeof text; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            text[k] = (char)('a' + random % 4);
        }
        filter_scan(f, str_of(text, sizeof text), hits);
        for (size_t i = 0; i < COUNT(list); i++)
            assert_int_equal(hits[i / 64] >> i % 64 & 1, str_find(str_of(text, sizeof text), list[i]) >= 0);
    }
    arena_free(&a);
}

/* --- times --- */

/* test_pairs - what stands in a text, in letters of either case, is never ruled out; most of what does not stand there is. */
static void test_pairs(void **state)
{
    static const char letters[] = "abcdefgXYZ=,: 0123";
    AUTO_ARENA struct arena a = { 0 };
    struct work w = { .arena = &a };
    size_t ruled_out = 0;
    char text[200], other[12];

    (void)state;
    arena_init(&a, 0);
    for (unsigned round = 0; round < 4000; round++) {
        size_t n = round % 190 + 2, from = round * 7 % (n - 1), length = min_size(1 + round % 20, n - from);
        struct literal_pairs l;

        for (size_t i = 0; i < n; i++)
            text[i] = letters[(round * 31 + i * i * 7 + i * (round % 13)) % (sizeof letters - 1)];
        w.pairs = NULL; /* the room of the text before is another's */
        literal_pairs_of(str_of(text + from, length), &l);
        assert_true(pairs_hold(text_pairs(&w, str_of(text, n)), &l));
        for (size_t i = 0; i < sizeof other; i++)
            other[i] = (char)('a' + (round * 17 + i * 5 + i * i) % 26);
        literal_pairs_of(str_of(other, sizeof other), &l);
        ruled_out += !pairs_hold(text_pairs(&w, str_of(text, n)), &l);
    }
    assert_true(ruled_out > 3900);
    w.pairs = NULL;
    for (int upper = 0; upper < 2; upper++) {
        struct literal_pairs l;

        literal_pairs_of(upper ? STR("FAILED LOGIN") : STR("failed login"), &l);
        assert_true(pairs_hold(text_pairs(&w, STR("it is a Failed Login, again")), &l));
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *form, *text, *want; /* NULL: refused */
    } times[] = {
        { "%d/%b/%Y:%H:%M:%S %z", "19/Mar/2026:08:05:09 +0500", "2026-03-19T03:05:09Z" },
        { "%d/%b/%Y:%H:%M:%S %z", "19/March/2026:08:05:09 Z", "2026-03-19T08:05:09Z" },
        { "%Y-%m-%d %H:%M:%S%f", "2026-03-19 08:05:09,120", "2026-03-19T08:05:09.120Z" },
        { "%Y-%m-%d %H:%M:%S%f", "2026-03-19 08:05:09", "2026-03-19T08:05:09Z" },
        { "%a %b %e %H:%M:%S%f %Y", "Thu Mar  5 08:05:09.5 2026", "2026-03-05T08:05:09.500Z" },
        { "%s%f", "1773907509.781", "2026-03-19T08:05:09.781Z" },
        { "%m/%d/%y %I:%M:%S %p", "03/19/26 12:05:09 AM", "2026-03-19T00:05:09Z" },
        { "%m/%d/%y %I:%M:%S %p", "03/19/26 12:05:09 PM", "2026-03-19T12:05:09Z" },
        { "%b %d %H:%M:%S", "Dec 31 08:00:00", "2025-12-31T08:00:00Z" },
        { "%Y-%m-%d %H:%M:%S %Z", "2026-03-19 08:05:09 MSK", "2026-03-19T05:05:09Z" },
        { "%Y-%m-%d %H:%M:%S %Z", "2026-03-19 08:05:09 IST", NULL },
        { "%Y-%m-%d", "2026-02-30", NULL },
        { "%Y-%m-%d", "2026-03-19x", NULL },
        { "%Y-%m-%d", "2026-03-1", "2026-03-01T00:00:00Z" },
        { "%s", "99999999999999999999", NULL },
    };
    static const struct zone_name zones[] = { { STR_INIT("MSK"), 180 } };
    struct time_rule rule = { .zones = zones, .zone_count = 1, .zone_min = EVENT_OFFSET_NONE };
    struct parse_hints hints = { .received = INT64_C(1774008000) * NS_PER_SECOND, .zone_min = 0 };
    struct work w = { .hints = &hints };
    char text[TIME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        struct stamp at;
        bool ok = stamp_by_form(&w, &rule, str_c(times[i].form), str_c(times[i].text), &at);

        CHECK(times[i].text, ok == (times[i].want != NULL));
        if (ok)
            CHECK(times[i].text, strcmp(time_format_utc(at.time, text), times[i].want) == 0);
        for (size_t n = 0; n < strlen(times[i].text); n++) { /* from a block of just that size */
            char *block = malloc(n ? n : 1);

            memcpy(block, times[i].text, n);
            (void)stamp_by_form(&w, &rule, str_c(times[i].form), str_of(block, n), &at);
            free(block);
        }
    }
    assert_false(stamp_form_valid(STR("%Q")));
    assert_false(stamp_form_valid(STR("%Y%")));
}

/* --- the file --- */

#define HEAD "id: x\ntitle: X\nclass: app\nmatch: {programs: [x]}\n"
#define PATTERN "patterns:\n  - {name: a, text: 'did {x.what:word} now'}\n"
#define SAMPLES                                                                                                                                 \
    "samples:\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did a now', want: {x.what: a}}\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did b now', want: {}}\n  - {line: '<30>Mar 19 08:05:09 h x[1]: no', not: true}\n"

static const struct {
    const char *name, *text, *why; /* NULL: it loads */
} files[] = {
    { "the smallest", HEAD PATTERN "samples:\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did a now', want: {x.what: a}}\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did b now', want: {}}\n  - {line: '<30>Mar 19 08:05:09 h y[1]: did', not: true}\n", NULL },
    { "a key that is none", HEAD "color: red\n" PATTERN SAMPLES, "f:5:1: " },
    { "no title", "id: x\nmatch: {programs: [x]}\n" PATTERN SAMPLES, "title" },
    { "an id with a capital", "id: X\ntitle: X\nmatch: {programs: [x]}\n" PATTERN SAMPLES, "f:1:5: \"id\"" },
    { "a class that is none", "id: x\ntitle: X\nclass: web\nmatch: {programs: [x]}\n" PATTERN SAMPLES, "f:3:8: \"class\"" },
    { "nothing to match", "id: x\ntitle: X\n" PATTERN SAMPLES, "\"match\" is missing" },
    { "no samples", HEAD PATTERN, "three \"samples\"" },
    { "two samples", HEAD PATTERN "samples:\n  - {line: a, want: {}}\n  - {line: b, not: true}\n", "three \"samples\"" },
    { "no sample that must not match", HEAD PATTERN "samples:\n  - {line: a, want: {}}\n  - {line: b, want: {}}\n  - {line: c, want: {}}\n", "not: true" },
    { "a name that is nobody's", HEAD "patterns:\n  - {name: a, text: 'did {y.what:word} now'}\n" SAMPLES, "neither of ECS nor under \"x.\"" },
    { "a name that is ours", HEAD "set: {saqshy.object: a}\n" PATTERN SAMPLES, "not for parsers" },
    { "the original", HEAD "set: {event.original: a}\n" PATTERN SAMPLES, "not for parsers" },
    { "a code that is none", HEAD "types: [APP-99]\n" PATTERN SAMPLES, "no code of Annex 4" },
    { "a pattern without a literal", HEAD "patterns:\n  - {name: a, regex: '^(?<x.what>\\w++)$'}\n" SAMPLES, "no literal" },
    { "a place in a pattern", HEAD "patterns:\n  - {name: a, regex: 'abc(d+)+'}\n" SAMPLES, "character 8" },
    { "a form that is none", HEAD "form: toml\n" PATTERN SAMPLES, "\"form\"" },
    { "a form alone without marks", "id: x\ntitle: X\nmatch: {alone: true}\nform: kv\n" SAMPLES, "recognised alone only" },
    { "a time with a letter that is none", HEAD "time: {forms: ['%Q']}\n" PATTERN SAMPLES, "none of a time" },
    { "a zone without a form", HEAD "time: {zone: UTC}\n" PATTERN SAMPLES, "wants \"forms\"" },
    { "a condition without words", HEAD "cases:\n  - {when: {a: []}, types: [APP-01]}\n" PATTERN SAMPLES, "empty list" },
    { "a condition without a name", HEAD "cases:\n  - {when: {'': a}, types: [APP-01]}\n" PATTERN SAMPLES, "without a name" },
    { "an unknown kind of value", HEAD "fields: {a: {to: x.a, as: roman}}\n" PATTERN SAMPLES, "\"as\"" },
    { "columns by one that is none", "id: x\ntitle: X\nmatch: {programs: [x]}\nform: csv\noptions: {columns: [a, b], by: c, further: {d: [e]}}\n" SAMPLES, "name of one of the columns" },
    { "columns by one, and none further", "id: x\ntitle: X\nmatch: {programs: [x]}\nform: csv\noptions: {columns: [a, b], by: a}\n" SAMPLES, "wants \"further\"" },
    { "a list of pairs with one key", "id: x\ntitle: X\nmatch: {programs: [x]}\nform: json\noptions: {pairs: {a: [Name]}}\n" SAMPLES, "wants two keys" },
    { "a field whose conditions are none", HEAD "fields: {a: {to: x.a, when: []}}\n" PATTERN SAMPLES, "map of conditions" },
    { "what cannot be derived", HEAD "derive: [user.name]\n" PATTERN SAMPLES, "\"derive\" knows" },
    { "a list where a map belongs", "- a\n- b\n", "one map" },
    { "a sample that says neither", HEAD PATTERN "samples:\n  - {line: a}\n  - {line: b}\n  - {line: c, not: true}\n", "either \"want\" or" },
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct product *p = NULL;
        struct err e = { 0 };
        int rc = product_load(str_c(files[i].text), "f", &p, &e);

        if (rc == 0 && !files[i].why)
            CHECK(files[i].name, product_try_samples(p, 0, &e) == 0);
        CHECK(files[i].name, (rc == 0) == (files[i].why == NULL));
        if (files[i].why && !strstr(e.text, files[i].why))
            fail_msg("row \"%s\": %s", files[i].name, e.text);
        CHECK(files[i].name, rc == 0 || str_starts(str_c(e.text), STR("f:")));
        product_unref(&p);
    }
}

/* names_told - a file whose cases speak of so many names, under the key. */
static int names_told(struct buf *text, const char *key, int count, struct err *e)
{
    struct product *p = NULL;
    int rc;

    text->n = 0;
    buf_str(text, STR(HEAD "cases:\n  - {when: {a: b}, types: [APP-01]}\n"));
    for (int i = 0; i < count; i++)
        buf_printf(text, strcmp(key, "set") == 0 ? "  - {when: {a: b}, set: {x.n%d: c}}\n" : "  - {when: {n%d: b}, types: [APP-01]}\n", i);
    buf_str(text, STR(PATTERN SAMPLES));
    rc = product_load(buf_view(text), "f", &p, e);
    product_unref(&p);
    return rc;
}

static void test_names_limited(void **state)
{
    AUTO_BUF struct buf text;
    struct err e = { 0 };

    (void)state;
    buf_init(&text, 0);
    assert_int_equal(names_told(&text, "set", SAID_MAX, &e), 0);
    assert_int_equal(names_told(&text, "set", SAID_MAX + 1, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "more than 64 names"));
    assert_int_equal(names_told(&text, "when", PRODUCT_NAMES_MAX - 4, &e), 0);
    assert_int_equal(names_told(&text, "when", PRODUCT_NAMES_MAX + 1, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "more than 2048 names"));
}

/* --- what the keys do --- */

static const char kitchen[] =
    "id: k\ntitle: K\nclass: app\nmatch: {programs: [k], starts: ['@'], contains: ['=']}\nform: kv\nrest: keep\nempty: ['-']\n"
    "fields:\n"
    "  src: source.ip\n  dst: destination.address\n  lvl: [log.level, {to: event.severity, values: {hi: 1, lo: 7}, keep: false}]\n"
    "  act: {to: event.outcome, values: {ok: success}, else: failure}\n  ms: {to: event.duration, unit: ms}\n  fwd: {to: network.forwarded_ip, split: ','}\n"
    "  up: {to: k.up, as: upper}\n  mac: [{to: source.mac, as: mac}]\n  hx: {to: k.hx, as: hex}\n  exe: {to: process.name, as: name}\n  port: source.port\n  noise: ''\n  u: url.original\n  msg: message\n  when: ''\n"
    "set: {event.category: [web, network], event.type: info}\ntypes: [APP-01]\ntime: {from: when, forms: ['%Y%m%d-%H%M%S'], zone: '+05:00'}\n"
    "cases:\n  - {when: {act: ok, ms: {from: 100}}, set: {event.type: slow}, types: [APP-05]}\n  - {when: {k.other: 'b*'}, set: {event.action: bee}}\n  - {when: {missing: ''}, set: {k.missing: 'yes'}}\n"
    "patterns:\n  - {name: m, of: msg, text: 'hello {user.name:word}', set: {event.action: hello}}\n"
    "samples:\n"
    "  - line: '<30>Mar 19 08:05:09 h k[1]: a=1 src=192.0.2.1 dst=gw.example lvl=hi act=ok ms=120.5 fwd=192.0.2.7,192.0.2.8 up=abc mac=0050.56aa.bbcc hx=1F exe=/usr/bin/vi port=nine noise=x u=http://a.example:81/b/c.txt?d=1 when=20260319-080509 other=- msg=\"hello ann\"'\n"
    "    want: {k.a: '1', source.ip: 192.0.2.1, source.address: 192.0.2.1, destination.domain: gw.example, destination.address: gw.example, log.level: hi, event.severity: '1', event.outcome: success,\n"
    "      event.duration: '120500000', network.forwarded_ip: [192.0.2.7, 192.0.2.8], k.up: ABC, source.mac: 00-50-56-AA-BB-CC, k.hx: '31', process.name: vi, source.port: null, k.noise: null, url.domain: a.example, url.port: '81', url.path: /b/c.txt,\n"
    "      url.query: d=1, url.extension: txt, url.scheme: http, '@timestamp': '2026-03-19T03:05:09Z', k.other: null, user.name: ann, message: hello ann, event.action: hello, event.type: slow, event.category: [web, network],\n"
    "      saqshy.types: [APP-01, APP-05], k.missing: 'yes', saqshy.class: app}\n"
    "  - line: '<30>Mar 19 08:05:09 h k[1]: a=1 lvl=mid act=bad ms=1:02:03 other=bumble missing=1'\n"
    "    want: {log.level: mid, event.severity: null, event.outcome: failure, event.duration: '3723000000000', event.action: bee, event.type: info, k.missing: '1', saqshy.types: APP-01}\n"
    "  - line: '<30>Mar 19 08:05:09 h k[1]: 1=2 3=4 5=6'\n    not: true\n";

static void test_keys(void **state)
{
    struct product *p = NULL;
    struct err e = { 0 };
    int rc = product_load(str_c(kitchen), "kitchen", &p, &e);

    (void)state;
    if (rc == 0)
        rc = product_try_samples(p, 0, &e);
    product_unref(&p);
    /* The line of the last sample is of the program, so it is claimed: that must be told, as it is what "not" is for. */
    assert_int_equal(rc, -EBADMSG);
    if (!strstr(e.text, "must not come back"))
        fail_msg("%s", e.text);
}

/* --- the way of a line --- */

#define ENDS "samples:\n  - {line: 'a', not: true}\n  - {line: 'b', not: true}\n  - {line: 'c', want: {}}\n"

/* The files of the table below, by the name of the product; their samples are not tried. */
static const char *const routed[] = {
    "id: gate\ntitle: Gate\nclass: fw\nmatch: {programs: [gate, 'gate-*'], paths: ['*/gate/*.log']}\n"
    "patterns:\n  - {name: a, text: 'allowed {source.ip:ip} {more:rest}', set: {event.action: allowed}}\n"
    "  - {name: b, text: 'inner {inner:rest}'}\n  - {name: c, text: 'deep {deep:rest}'}\n"
    "inside:\n  - {of: more, form: kv}\n  - {of: inner, program: sshd}\n  - {of: deep, parser: gate}\nfields: {bytes: source.bytes}\n" ENDS,
    "id: other\ntitle: Other\nclass: app\nmatch: {programs: [gate]}\npatterns:\n  - {name: a, text: 'other {other.x:word}'}\n" ENDS,
    "id: my-cron\ntitle: Cron\nclass: sec\nreplaces: [cron]\nmatch: {programs: [anacron]}\npatterns:\n  - {name: a, text: '({user.name:word}) CMD ({my_cron.command:text})'}\n" ENDS,
    "id: struct\ntitle: Struct\nclass: net\nmatch: {structured_data: ['box@1.*']}\nform: sd\nderive: [network.bytes, network.packets, network.type]\n"
    "fields: {src: source.ip, out: source.bytes, in: destination.bytes, message: message}\n" ENDS,
    "id: cells\ntitle: Cells\nclass: fw\nmatch: {starts: ['1,'], alone: true}\nform: csv\noptions: {columns: ['-', kind, who], by: kind, further: {login: [from], copy: [what, '-', bytes]}}\n"
    "fields: {who: user.name, from: source.ip, bytes: file.size}\n" ENDS,
    "id: told\ntitle: Told\nclass: app\nmatch: {starts: ['{\"told\":'], alone: true}\nform: json\noptions: {pairs: {args: [Name, Value], more.list: [k, v]}}\n"
    "fields:\n  told: [{to: user.name, when: {args.who: [ann, 'b*']}}, {to: user.target.name, when: {args.who: ''}}]\n  args.n: file.size\n" ENDS,
    "id: markup\ntitle: Markup\nclass: db\nmatch: {starts: ['<Record>'], alone: true}\nform: elements\nfields: {Who: user.name, Client.ip: source.ip}\n" ENDS,
    "id: shape\ntitle: Shape\nclass: app\nmatch: {alone: true, starts: ['##:##:## [']}\npatterns:\n  - {name: a, text: '{@timestamp:time} [{log.level:word}] {message:rest}'}\n" ENDS,
};

static const struct {
    const char *name, *line, *path, *parser, *want; /* want: parser/parse, then NAME=VALUE, parted by '|' */
} ways[] = {
    { "by its program", "<30>Mar 19 08:05:09 h gate[1]: allowed 192.0.2.1 a=1 bytes=7 c=3", NULL, NULL, "gate/ok|source.ip=192.0.2.1|source.bytes=7|gate.a=1|saqshy.class=fw" },
    { "by the kind of its program", "<30>Mar 19 08:05:09 h gate-7[1]: allowed 192.0.2.1 -", NULL, NULL, "gate/ok|source.ip=192.0.2.1" },
    { "the second product of a program", "<30>Mar 19 08:05:09 h gate[1]: other y", NULL, NULL, "other/ok|other.x=y" },
    { "of the program, but of none of its forms", "<30>Mar 19 08:05:09 h gate[1]: nonsense", NULL, NULL, "gate/partial" },
    { "by its path, the whole line", "allowed 192.0.2.2 -", "/var/log/gate/x.log", NULL, "gate/ok|source.ip=192.0.2.2" },
    { "by its path, behind a header", "Mar 19 08:05:09 h fence[1]: allowed 192.0.2.2 -", "/var/log/gate/x.log", NULL, "gate/ok|process.name=fence" },
    { "by its path, but of none of its forms", "nonsense", "/var/log/gate/x.log", NULL, "gate/partial" },
    { "of another path", "allowed 192.0.2.2 -", "/var/log/gates/x.log", NULL, "raw/failed" },
    { "by the profile", "allowed 192.0.2.3 -", NULL, "gate", "gate/ok|source.ip=192.0.2.3" },
    { "by the profile, but of none of its forms", "nonsense", NULL, "gate", "gate/partial" },
    { "the profile names a reader in C", "Failed password for root from 192.0.2.4 port 22 ssh2", NULL, "sshd", "sshd/ok|source.ip=192.0.2.4" },
    { "it replaces a reader in C", "<30>Mar 19 08:05:09 h cron[1]: (root) CMD (run-parts)", NULL, NULL, "my-cron/ok|my_cron.command=run-parts|saqshy.class=sec" },
    { "what it does not know the reader in C knows", "<30>Mar 19 08:05:09 h cron[1]: (root) RELOAD (crontabs/root)", NULL, NULL, "cron/ok" },
    { "the other names of that reader are left to it", "<30>Mar 19 08:05:09 h crond[1]: (root) CMD (run-parts)", NULL, NULL, "cron/ok" },
    { "what the reader in C does not know goes to the product", "<30>Mar 19 08:05:09 h anacron[1]: (ann) CMD (x)", NULL, NULL, "cron/ok" },
    { "alone, by its shape", "08:05:09 [warn] all is well", NULL, NULL, "shape/partial|log.level=warn|message=all is well" },
    { "alone, behind the header of a program nobody knows", "<30>Mar 19 08:05:09 h mill[1]: 08:05:09 [warn] all is well", NULL, NULL, "shape/partial|log.level=warn" },
    { "a text inside goes to a reader in C", "<30>Mar 19 08:05:09 h gate[1]: inner Failed password for root from 192.0.2.5 port 22 ssh2", NULL, NULL, "gate/ok|source.ip=192.0.2.5|user.name=root" },
    { "texts inside texts", "<30>Mar 19 08:05:09 h gate[1]: deep deep allowed 192.0.2.6 -", NULL, NULL, "gate/ok|source.ip=192.0.2.6" },
    { "by the structured data of its header", "<30>1 2026-03-19T08:05:09Z h app - ID [timeQuality tzKnown=\"1\"][box@1.2 src=\"192.0.2.8\" out=\"5\" in=\"7\" x=\"a \\\"b\\\"\"] said",
      NULL, NULL, "struct/ok|source.ip=192.0.2.8|network.bytes=12|network.type=ipv4|!network.packets|struct.x=a \"b\"|message=said|!log.syslog.structured_data.box@1.2.src|log.syslog.msgid=ID" },
    { "structured data that is all", "<30>1 2026-03-19T08:05:09Z h app - - [box@1.2 src=\"2001:db8::1\"]", NULL, NULL, "struct/ok|source.ip=2001:db8::1|network.type=ipv6" },
    { "structured data of somebody else", "<30>1 2026-03-19T08:05:09Z h app - - [box@10.2 src=\"192.0.2.8\"] said", NULL, NULL,
      "syslog/ok|log.syslog.structured_data.box@10.2.src=192.0.2.8|!source.ip" },
    { "structured data that a message only quotes", "<30>1 2026-03-19T08:05:09Z h app - - - [box@1.2 src=\"192.0.2.8\"] said", NULL, NULL, "syslog/ok|!source.ip" },
    { "columns of one kind", "1,login,ann,192.0.2.9,more", NULL, NULL, "cells/ok|user.name=ann|source.ip=192.0.2.9|cells.column_5=more|!cells.column_1" },
    { "columns of another kind", "1,copy,\"a,login\",b,c,7", NULL, NULL, "cells/ok|user.name=a,login|cells.what=b|file.size=7|!source.ip" },
    { "columns of a kind that has none", "1,other,ann,192.0.2.9", NULL, NULL, "cells/ok|user.name=ann|cells.column_4=192.0.2.9" },
    { "a list of names and values, and a value whose way another value chooses", "{\"told\":\"x\",\"args\":[{\"Name\":\"who\",\"Value\":\"bob\"},{\"Name\":\"n\",\"Value\":7}]}",
      NULL, NULL, "told/ok|user.name=x|told.args.who=bob|file.size=7|!user.target.name|!told.args.Name" },
    { "a value whose condition does not hold", "{\"told\":\"x\",\"more\":{\"list\":[{\"k\":\"a\",\"v\":{\"b\":1,\"c\":[2]}}]}}", NULL, NULL,
      "told/ok|user.target.name=x|!user.name|told.more.list.a.b=1|told.more.list.a.c=2" },
    { "a record of XML", "<Record><Who>x &lt;Client ip=\"198.51.100.1\"/&gt;</Who><Client ip=\"192.0.2.9\"/></Record>", NULL, NULL,
      "markup/ok|source.ip=192.0.2.9|user.name=x <Client ip=\"198.51.100.1\"/>" },
    { "no deeper than three", "<30>Mar 19 08:05:09 h gate[1]: deep deep deep deep allowed 192.0.2.6 -", NULL, NULL, "gate/ok|!source.ip" },
};

static void test_ways(void **state)
{
    struct parser *p = parser_bare(0);
    struct event_batch b;

    (void)state;
    assert_non_null(p);
    p->data = calloc(1, sizeof *p->data);
    arena_init(&p->data->arena, 0);
    for (size_t i = 0; i < COUNT(routed); i++)
        assert_int_equal(product_load(str_c(routed[i]), "f", &p->data->products[p->data->product_count++], NULL), 0);
    assert_int_equal(patterns_build(p->data, NULL), 0);
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .path = str_c(ways[i].path), .parser = str_c(ways[i].parser) };
        struct str rest = str_c(ways[i].want), piece, name;
        struct event *ev;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(p, str_c(ways[i].line), &h, &b.arena, ev);
        assert_true(str_split(&rest, '|', &piece) && split_at(piece, STR("/"), &name, &piece));
        if (!str_eq(ev->parser, name) || !str_eq(piece, str_c(event_parse_name(ev->parse))))
            fail_msg("row \"%s\": %.*s/%s", ways[i].name, STR_ARG(ev->parser), event_parse_name(ev->parse));
        while (str_split(&rest, '|', &piece)) {
            if (take(&piece, STR("!")))
                CHECK(ways[i].name, event_get(ev, piece).n == 0);
            else
                CHECK(ways[i].name, split_at(piece, STR("="), &name, &piece) && str_eq(event_get(ev, name), piece));
        }
    }
    event_batch_free(&b);
    parse_free(&p);
}

/* test_many_forms - more forms that begin alike than are asked one by one. */
static void test_many_forms(void **state)
{
    struct parser *p = parser_bare(0);
    struct event_batch b;
    char text[400];

    (void)state;
    assert_non_null(p);
    p->data = calloc(1, sizeof *p->data);
    arena_init(&p->data->arena, 0);
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "id: form-%d\ntitle: F\nmatch: {alone: true, starts: ['{'], contains: ['\"Key%d\"', 'other%d:']}\nform: json\n" ENDS, i, i, i);
        assert_int_equal(product_load(str_c(text), "f", &p->data->products[p->data->product_count++], NULL), 0);
    }
    assert_int_equal(patterns_build(p->data, NULL), 0);
    event_batch_init(&b, 0);
    for (int i = 0; i < 16; i++) {
        struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND };
        struct event *ev;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        snprintf(text, sizeof text, i < 14 ? "{\"a\": 1, \"Key%d\": 2}" : "{\"a\": 1, \"key%d\": 2}", i < 14 ? i : i - 14);
        parse_line(p, str_c(text), &h, &b.arena, ev);
        snprintf(text, sizeof text, "form-%d", i);
        assert_true(str_eq(ev->parser, i < 12 ? str_c(text) : STR("json"))); /* letters of another case are another text */
    }
    event_batch_free(&b);
    parse_free(&p);
}

/* --- the folders --- */

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_write_atomic(path, str_c(text), 0644, NULL), 0);
}

static const char *const good = HEAD PATTERN
    "samples:\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did a now', want: {x.what: a}}\n  - {line: '<30>Mar 19 08:05:09 h x[1]: did b now', want: {}}\n  - {line: '<30>Mar 19 08:05:09 h y[1]: did', not: true}\n";

static void test_reload(void **state)
{
    char folder[] = "/tmp/saqshy-products-XXXXXX", own[64], command[128];
    struct parse_options o = { .folders = { own, folder } };
    struct parse_product got;
    struct parser *p;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(own, sizeof own, "%s/own", folder);
    put(folder, "a.yaml", good);
    put(folder, "broken.yaml", "id: broken\n");
    assert_int_equal(parse_open(&o, &p, NULL), 0);
    assert_true(parse_product(p, 0, &got) && got.loaded && !got.why && str_eq(got.id, STR("x")) && got.samples == 3);
    assert_true(parse_product(p, 1, &got) && !got.loaded && strstr(got.why, "broken.yaml:1:1: \"title\""));
    assert_false(parse_product(p, 2, &got));
    assert_int_equal(parse_reload(p, NULL), 0);
    put(folder, "a.yaml", "id: x\nworse\n");
    assert_int_equal(parse_reload(p, NULL), 1);
    assert_true(parse_product(p, 0, &got) && got.loaded && got.why); /* the old one goes on */
    assert_int_equal(parse_reload(p, NULL), 0);
    put(folder, "a.yaml", good);
    assert_int_equal(parse_reload(p, NULL), 1);
    assert_true(parse_product(p, 0, &got) && got.loaded && !got.why);
    assert_int_equal(mkdir(own, 0755), 0);
    put(own, "mine.yaml", good); /* the same id: it takes the place of ours */
    assert_int_equal(parse_reload(p, NULL), 1);
    assert_true(parse_product(p, 0, &got) && got.loaded && strstr(got.file, "mine.yaml"));
    assert_true(parse_product(p, 1, &got) && !got.loaded && strcmp(got.why, "another file has this id") == 0);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(parse_reload(p, NULL), 1);
    assert_false(parse_product(p, 0, &got));
    parse_free(&p);
}

/* --- what we ship --- */

/* test_cut - every sample, cut after every byte, from a heap block of just that size. */
static void test_cut(void **state)
{
    struct parser *p = parser_of_content();
    struct event_batch b;
    size_t lines = 0;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < p->data->product_count; i++) {
        const struct product *product = p->data->products[i];

        for (size_t k = 0; k < product->sample_count; k++, lines++)
            for (size_t n = 0; n <= min_size(product->samples[k].line.n, 400); n++) {
                struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .path = product->samples[k].path };
                char *block = malloc(n ? n : 1);
                struct event *ev;

                memcpy(block, product->samples[k].line.p, n);
                event_batch_reset(&b);
                ev = event_batch_add(&b);
                parse_line(p, str_of(block, n), &h, &b.arena, ev);
                assert_true(str_eq(ev->original, str_of(block, n)) && ev->parser.n > 0);
                free(block);
            }
    }
    assert_true(lines > 30);
    event_batch_free(&b);
    parse_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "patterns: what they may be, and the literal that any match must hold", .test_func = test_compile },
        { .name = "how the texts of a pattern begin is found in it", .test_func = test_heads },
        { .name = "a literal is found by its rarest byte just where it stands", .test_func = test_needle },
        { .name = "patterns: what {NAME:TYPE} takes", .test_func = test_templates },
        { .name = "patterns: a text that takes more steps than allowed is told, not waited for", .test_func = test_limit },
        { .name = "the filter finds each literal that stands in a text, and no other", .test_func = test_filter },
        { .name = "the filter agrees with a search for each of 500 literals", .test_func = test_filter_many },
        { .name = "pairs of bytes rule out no literal that stands in a text", .test_func = test_pairs },
        { .name = "times by a form", .test_func = test_times },
        { .name = "a file that is wrong is refused with its place", .test_func = test_files },
        { .name = "a file speaks of so many names and of no more", .test_func = test_names_limited },
        { .name = "what the keys of a file do", .test_func = test_keys },
        { .name = "how a line finds its product: profile, path, program, shape; texts inside texts", .test_func = test_ways },
        { .name = "many forms that begin alike are told apart by what they contain", .test_func = test_many_forms },
        { .name = "files that change, break, go, and take another's place", .test_func = test_reload },
        { .name = "every sample that we ship, cut everywhere", .test_func = test_cut },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
