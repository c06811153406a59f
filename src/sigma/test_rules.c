/* test_rules.c - one rule, one event: values, modifiers, conditions, log sources. The rows of docs/detection.md. */
#include "sigma/sigma.h"
#include "base/test.h"

#define EVENT_TEXT_MAX 4096

/* event_from - "name=value" lines become an event; the first line may be "class=…" or "parser=…" or "original=…". */
static void event_from(struct event_batch *b, const char *text)
{
    struct str rest = str_c(text), line;
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    ev->seq = 1;
    ev->class = CLASS_OS_UNIX;
    while (rest.n && str_split(&rest, '\n', &line)) {
        ptrdiff_t eq = str_chr(line, '=');
        struct str name = str_of(line.p, eq < 0 ? line.n : (size_t)eq), value = str_cut(line, name.n + 1);

        if (str_eq(name, STR("class")))
            ev->class = event_class_parse(value);
        else if (str_eq(name, STR("parser")))
            ev->parser = value;
        else if (str_eq(name, STR("original")))
            ev->original = value;
        else if (value.n == 0) {   /* present and empty: event_add would leave it out */
            assert_int_equal(event_add(ev, &b->arena, name, STR("x")), 0);
            ev->fields[ev->field_count - 1].value = str_of("", 0);
        } else
            assert_int_equal(event_add(ev, &b->arena, name, value), 0);
    }
}

static const struct {
    const char *name, *detection, *event;
    bool match;
} rows[] = {
    /* values: V1 to V12 of the research's table of conformance */
    { "whole value", "s: {a: bc}", "a=bc", true },
    { "not a part of it", "s: {a: bc}", "a=bcd", false },
    { "case is folded", "s: {a: 'BcД'}", "a=bCд", true },
    { "Kazakh letters fold", "s: {a|contains: 'ӘҒҚҢӨҰҮҺІ'}", "a=xәғқңөұүһіx", true },
    { "a letter that shrinks when folded", "s: {a: 'KELVIN'}", "a=\xe2\x84\xaa" "elvin", true },
    { "cased", "s: {a|cased: Bc}", "a=bc", false },
    { "cased, the same", "s: {a|cased: Bc}", "a=Bc", true },
    { "star", "s: {a: 'x*z'}", "a=xyyz", true },
    { "star is also nothing", "s: {a: 'x*z'}", "a=xz", true },
    { "star over a newline", "s: {a|contains: 'x*z'}", "a=x\tz", true },
    { "star does not forget the end", "s: {a: 'x*z'}", "a=xzy", false },
    { "two stars", "s: {a: '*b*d'}", "a=abcbd", true },
    { "question mark is one character", "s: {a: 'x?z'}", "a=xЖz", true },
    { "question mark is not none", "s: {a: 'x?z'}", "a=xz", false },
    { "an escaped star", "s: {a: 'x\\*z'}", "a=x*z", true },
    { "an escaped star is no wildcard", "s: {a: 'x\\*z'}", "a=xyz", false },
    { "backslash before a letter is itself", "s: {a: 'c:\\win'}", "a=C:\\Win", true },
    { "two backslashes are one", "s: {a: 'c:\\\\win'}", "a=C:\\Win", true },
    { "backslash, backslash, star", "s: {a: 'c:\\\\*'}", "a=c:\\anything", true },
    { "a last backslash", "s: {a|endswith: 'c\\'}", "a=abc\\", true },
    { "number", "s: {a: 4624}", "a=4624", true },
    { "number, another form", "s: {a: 1}", "a=1.0", true },
    { "number, not a part", "s: {a: 462}", "a=4624", false },
    { "hexadecimal is a text", "s: {a: '0x17'}", "a=0x17", true },
    { "true", "s: {a: true}", "a=True", true },
    { "null: absent", "s: {a: null}", "b=1", true },
    { "null: there", "s: {a: null}", "a=1", false },
    { "empty text is there", "s: {a: ''}", "a=\n", true },
    { "empty text is not absent", "s: {a: ''}", "b=1", false },
    { "only a star: any value", "s: {a: '*'}", "a=1", true },
    { "only a star: absent", "s: {a: '*'}", "b=1", false },
    { "list is OR", "s: {a: [x, y]}", "a=y", true },
    { "map is AND", "s: {a: x, b: y}", "a=x", false },
    { "list of maps is OR", "s: [{a: x, c: z}, {b: y}]", "b=y", true },
    { "several values: any", "s: {a: y}", "a=x\na=y", true },
    { "several values: not", "s: {a: y}\n  f: {a: x}\n  condition: s and not f", "a=x\na=y", false },
    /* modifiers */
    { "contains", "s: {a|contains: bc}", "a=aBCd", true },
    { "startswith", "s: {a|startswith: ab}", "a=ABC", true },
    { "startswith, not inside", "s: {a|startswith: bc}", "a=abc", false },
    { "endswith", "s: {a|endswith: [.exe, .dll]}", "a=x.DLL", true },
    { "endswith keeps an inner star", "s: {a|endswith: 'a*z'}", "a=xxaxxz", true },
    { "all", "s: {a|contains|all: [x, y]}", "a=yx", true },
    { "all, one missing", "s: {a|contains|all: [x, y]}", "a=x", false },
    { "all over several values", "s: {a|all: [x, y]}", "a=x\na=y", true },
    { "re searches anywhere", "s: {a|re: 'b\\d+'}", "a=ab12", true },
    { "re heeds case", "s: {a|re: 'B'}", "a=b", false },
    { "re with i", "s: {a|re|i: 'B'}", "a=b", true },
    { "re over letters", "s: {a|re: '^.$'}", "a=Ж", true },
    { "cidr", "s: {a|cidr: 10.0.0.0/8}", "a=10.200.3.4", true },
    { "cidr, outside", "s: {a|cidr: 10.0.0.0/8}", "a=11.0.0.1", false },
    { "cidr, odd prefix", "s: {a|cidr: 192.168.128.0/17}", "a=192.168.127.255", false },
    { "cidr, version 6", "s: {a|cidr: '2001:db8::/33'}", "a=2001:db8:7fff::1", true },
    { "cidr, mapped address", "s: {a|cidr: 10.0.0.0/8}", "a=::ffff:10.1.1.1", true },
    { "cidr, not an address", "s: {a|cidr: 0.0.0.0/0}", "a=host", false },
    { "exists", "s: {a|exists: true}", "a=", true },
    { "exists not", "s: {a|exists: false}", "b=1", true },
    { "gt", "s: {a|gt: 9}", "a=10", true },
    { "lte", "s: {a|lte: 9.5}", "a=9.5", true },
    { "lt on a text", "s: {a|lt: 9}", "a=abc", false },
    { "neq is true without the field", "s: {a|neq: x}", "b=1", true },
    { "fieldref", "s: {a|fieldref: b}", "a=Xy\nb=xY", true },
    { "fieldref, absent", "s: {a|fieldref: b}", "a=x", false },
    { "fieldref endswith", "s: {a|fieldref|endswith: b}", "a=host\\root\nb=root", true },
    { "windash: slash for dash", "s: {a|windash|contains: ' -accept'}", "a=x /ACCEPT", true },
    { "windash: dash for slash", "s: {a|contains|windash: ' /accept'}", "a=x -accept", true },
    { "windash: en dash", "s: {a|windash|contains: ' -accept'}", "a=x \xe2\x80\x93" "accept", true },
    { "windash: not inside a word", "s: {a|windash|contains: 'a-b'}", "a=a/b", false },
    { "base64", "s: {a|base64|contains: '/bin/sh'}", "a=x L2Jpbi9zaA== y", true },
    { "base64offset 0", "s: {a|base64offset|contains: '/bin/bash'}", "a=L2Jpbi9iYXNo", true },
    { "base64offset 1", "s: {a|base64offset|contains: '/bin/bash'}", "a=eC9iaW4vYmFzaA==", true },
    { "base64offset 2", "s: {a|base64offset|contains: '/bin/bash'}", "a=eHgvYmluL2Jhc2g=", true },
    { "wide base64", "s: {a|wide|base64offset|contains: 'ping'}", "a=cABpAG4AZwA=", true },
    /* keywords */
    { "keyword in a value", "s: [xyz]", "a=wXYZ", true },
    { "keyword in the original line", "s: ['failed pass']", "original=Failed password for", true },
    { "keywords, all", "s: {'|all': [one, two]}", "a=one\nb=two", true },
    { "keywords, one missing", "s: {'|all': [one, two]}", "a=one", false },
    { "one text as selection", "s: needle", "a=a needle here", true },
    { "keyword or map", "s: [word, {a: x}]", "a=x", true },
    { "re over everything", "s: {'|re': 'w.rd'}", "original=a word", true },
    /* conditions */
    { "and before or", "s: {a: 1}\n  t: {b: 1}\n  u: {c: 1}\n  condition: s or t and u", "a=1", true },
    { "not before and", "s: {a: 1}\n  t: {b: 1}\n  condition: not s and t", "b=1", true },
    { "parentheses", "s: {a: 1}\n  t: {b: 1}\n  u: {c: 1}\n  condition: (s or t) and u", "a=1", false },
    { "not of parentheses", "s: {a: 1}\n  t: {b: 1}\n  condition: not (s and t)", "a=1", true },
    { "twice not", "s: {a: 1}\n  condition: not not s", "a=1", true },
    { "1 of pattern", "s1: {a: 1}\n  s2: {b: 1}\n  condition: 1 of s*", "b=1", true },
    { "all of pattern", "s1: {a: 1}\n  s2: {b: 1}\n  condition: all of s*", "b=1", false },
    { "not 1 of", "s: {a: 1}\n  f_1: {b: 1}\n  f_2: {c: 1}\n  condition: s and not 1 of f_*", "a=1\nc=1", false },
    { "1 of them", "s1: {a: 1}\n  t2: {b: 1}\n  condition: 1 of them", "b=1", true },
    { "them leaves out underscores", "s1: {a: 1}\n  _t: {b: 1}\n  condition: 1 of them", "b=1", false },
    { "a name with a dash", "s-1: {a: 1}\n  condition: s-1", "a=1", true },
    { "a list of conditions is OR", "s: {a: 1}\n  t: {b: 1}\n  condition: [s, t]", "b=1", true },
    { "a selection used twice", "s: {a: 1}\n  t: {b: 1}\n  condition: (s and t) or (s and not t)", "a=1", true },
    /* names of fields */
    { "own name first", "s: {Image: x}", "Image=x\nprocess.executable=y", true },
    { "below winlog.event_data", "s: {Image: x}", "winlog.event_data.Image=x", true },
    { "in the shape of evtx_dump", "s: {Image: x}", "Event.EventData.Image=x", true },
    { "user data", "s: {Address: x}", "Event.UserData.EventXML.Address=x", true },
    { "ECS", "s: {CommandLine|contains: x}", "process.command_line=axb", true },
    { "audit: one of the joined records is of the type, and its argument counts", "s: {type: EXECVE, a0: wget}",
      "auditd.log.record_type=SYSCALL\nauditd.log.record_type=EXECVE\nauditd.log.a0=55d0\nauditd.log.a0=wget", true },
    { "audit: any of the paths", "s: {type: PATH, name|startswith: /etc/}",
      "auditd.log.record_type=SYSCALL\nauditd.log.record_type=PATH\nfile.path=/bin/x\nauditd.log.name=/bin/x\nauditd.log.name=/etc/y", true },
    { "audit: the call by its name", "s: {SYSCALL: execve, exe: /bin/x}",
      "auditd.log.syscall_name=execve\nauditd.log.syscall=59\nprocess.executable=/bin/x", true },
    { "a name with spaces", "s: {ThreatName: x}", "Event.EventData.Threat Name=x", true },
};

static const char *detection_with_condition(const char *detection, char out[EVENT_TEXT_MAX])
{
    snprintf(out, EVENT_TEXT_MAX, "title: t\nid: r\nlogsource: {product: linux}\ndetection:\n  %s\n%s", detection,
             strstr(detection, "condition:") ? "" : "  condition: s\n");
    return out;
}

static void one_rule_one_event(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[EVENT_TEXT_MAX];
        struct sigma_source src = { STR("r.yml"), str_c(detection_with_condition(rows[i].detection, text)) };
        const struct sigma_match *m;
        struct sigma_run *run = NULL;
        struct sigma *s = NULL;
        struct err e = { 0 };

        assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
        if (sigma_refusal_count(s))
            fail_msg("row \"%s\": refused: %.*s", rows[i].name, STR_ARG(sigma_refusal_at(s, 0)->reason));
        assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
        event_from(&b, rows[i].event);
        CHECK(rows[i].name, sigma_run_event(run, b.items, false, &m, &e) == rows[i].match);
        /* Once more with every text cut out of a larger block: nothing depends on what stands behind. */
        CHECK(rows[i].name, sigma_run_event(run, b.items, false, &m, &e) == rows[i].match);
        sigma_run_free(&run);
        sigma_free(&s);
    }
    event_batch_free(&b);
}

static const struct {
    const char *name, *text;
    enum sigma_verdict verdict;
    int line, column;
    const char *reason;
} refused[] = {
    { "an unknown modifier", "title: t\nlogsource: {}\ndetection:\n  s:\n    a|contians: x\n  condition: s\n", SIGMA_BROKEN, 5, 5,
      "no modifier \"contians\"" },
    { "no condition", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n", SIGMA_BROKEN, 4, 3, "\"condition\" is missing" },
    { "an unknown selection", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: s and q\n", SIGMA_BROKEN, 5, 20,
      "there is no selection \"q\"" },
    { "an open parenthesis", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: (s\n", SIGMA_BROKEN, 5, 16,
      "not closed" },
    { "too many closed", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: s)\n", SIGMA_BROKEN, 5, 15, "not opened" },
    { "an operator at the end", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: s and\n", SIGMA_BROKEN, 5, 19,
      "expected at the end" },
    { "two names in a row", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: s s\n", SIGMA_BROKEN, 5, 16,
      "\"and\", \"or\"" },
    { "2 of", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: 2 of s*\n", SIGMA_BROKEN, 5, 16, "only \"1 of\"" },
    { "nothing named so", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: 1 of q*\n", SIGMA_BROKEN, 5, 19,
      "no selection is named like" },
    { "aggregation", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: s | count() > 5\n", SIGMA_UNSUPPORTED, 5, 14,
      "correlation rule" },
    { "a network with host bits", "title: t\nlogsource: {}\ndetection:\n  s: {a|cidr: 10.0.0.1/8}\n  condition: s\n", SIGMA_BROKEN, 4,
      15, "bits set" },
    { "a bad regular expression", "title: t\nlogsource: {}\ndetection:\n  s: {a|re: '(x'}\n  condition: s\n", SIGMA_BROKEN, 4, 14,
      "regular expression" },
    { "expand", "title: t\nlogsource: {}\ndetection:\n  s: {a|expand: '%x%'}\n  condition: s\n", SIGMA_UNSUPPORTED, 4, 7,
      "placeholders" },
    { "no title", "logsource: {}\n", SIGMA_BROKEN, 1, 1, "\"title\" is missing" },
    { "a bad level", "title: t\nlevel: huge\n", SIGMA_BROKEN, 2, 8, "\"level\" must be" },
    { "not a map", "- a\n- b\n", SIGMA_BROKEN, 1, 1, "a rule is a map" },
    { "not YAML", "title: [\n", SIGMA_BROKEN, 2, 1, "" },
    { "a correlation of a rule that is not there", "title: t\nid: c\ncorrelation:\n  type: event_count\n  rules: [q]\n"
      "  timespan: 5m\n  condition: {gte: 5}\n", SIGMA_BROKEN, 5, 10, "rule \"q\" is not among" },
    { "a correlation of an unknown type", "title: t\ncorrelation:\n  type: evnt\n  rules: [q]\n", SIGMA_BROKEN, 3, 9,
      "\"type\" must be" },
    { "a bad timespan", "title: t\ncorrelation:\n  type: event_count\n  rules: [q]\n  timespan: 5 minutes\n", SIGMA_BROKEN, 5, 13,
      "a span of time" },
    { "no bound", "title: t\ncorrelation:\n  type: event_count\n  rules: [q]\n  timespan: 5m\n  condition: {}\n", SIGMA_BROKEN, 6, 14,
      "is missing" },
    { "a sum", "title: t\ncorrelation:\n  type: value_sum\n  rules: [q]\n", SIGMA_UNSUPPORTED, 3, 9, "sums" },
    { "an unknown key of ours", "title: t\nsaqshy: {tittle_kk: x}\n", SIGMA_BROKEN, 2, 9, "tittle_kk" },
};

/* Each bad rule stands between two good ones, which load all the same. */
static void a_refusal_names_its_place_and_stops_no_other(void **state)
{
    static const char good[] = "title: good\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n";

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct sigma_source src[3] = { { STR("1.yml"), str_c(good) }, { STR("bad.yml"), str_c(refused[i].text) },
                                       { STR("3.yml"), str_c(good) } };
        struct sigma *s = NULL;
        struct err e;

        assert_int_equal(sigma_compile(src, 3, &s, &e), 0);
        CHECK(refused[i].name, sigma_rule_count(s) == 2);
        CHECK(refused[i].name, sigma_refusal_count(s) == 1);
        const struct sigma_refusal *r = sigma_refusal_at(s, 0);
        if (r->line != refused[i].line || r->column != refused[i].column || r->verdict != refused[i].verdict ||
            str_find(r->reason, str_c(refused[i].reason)) < 0)
            fail_msg("row \"%s\": %d:%d %d %.*s", refused[i].name, r->line, r->column, r->verdict, STR_ARG(r->reason));
        CHECK(refused[i].name, str_eq(r->file, STR("bad.yml")));
        sigma_free(&s);
    }
}

static const struct {
    const char *name, *logsource, *event;
    bool loose, match;
} sources[] = {
    { "product linux, a Unix log", "{product: linux}", "a=x", false, true },
    { "product windows, a Unix log", "{product: windows}", "a=x", false, false },
    { "service sshd", "{product: linux, service: sshd}", "parser=sshd\na=x", false, true },
    { "service sshd, another parser", "{product: linux, service: sshd}", "parser=sudo\na=x", false, false },
    { "service auth", "{product: linux, service: auth}", "parser=sudo\na=x", false, true },
    { "service by program", "{service: saqshy-agent}", "process.name=saqshy-agent\na=x", false, true },
    { "Sysmon 1 is a process_creation", "{product: windows, category: process_creation}",
      "class=\nEventID=1\nChannel=Microsoft-Windows-Sysmon/Operational\na=x", false, true },
    { "Sysmon 3 is none", "{product: windows, category: process_creation}",
      "class=\nEventID=3\nChannel=Microsoft-Windows-Sysmon/Operational\na=x", false, false },
    { "4688 is one", "{product: windows, category: process_creation}", "class=\nEventID=4688\nChannel=Security\na=x", false, true },
    { "13 is registry_set and registry_event", "{product: windows, category: registry_event}",
      "class=\nEventID=13\nChannel=Microsoft-Windows-Sysmon/Operational\na=x", false, true },
    { "a service by its channel", "{product: windows, service: security}", "class=\nEventID=1102\nChannel=Security\na=x", false, true },
    { "an event of nobody, hunting", "{product: aws, service: cloudtrail}", "class=\na=x", true, true },
    { "an event of nobody, on guard", "{product: aws, service: cloudtrail}", "class=\na=x", false, false },
    { "no log source", "{}", "class=\na=x", false, true },
    { "an ECS process start", "{product: linux, category: process_creation}",
      "event.category=process\nevent.type=start\na=x", false, true },
};

static void rules_see_the_events_of_their_log_source(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(sources); i++) {
        char text[1024];
        struct sigma_run *run = NULL;
        const struct sigma_match *m;
        struct sigma *s = NULL;
        struct err e;

        snprintf(text, sizeof text, "title: t\nlogsource: %s\ndetection: {s: {a: x}, condition: s}\n", sources[i].logsource);
        struct sigma_source src = { STR("r.yml"), str_c(text) };
        assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
        assert_int_equal(sigma_run_new(s, sources[i].loose, &run, &e), 0);
        event_from(&b, sources[i].event);
        CHECK(sources[i].name, sigma_run_event(run, b.items, false, &m, &e) == sources[i].match);
        sigma_run_free(&run);
        sigma_free(&s);
    }
    event_batch_free(&b);
}

static void a_match_tells_where(void **state)
{
    static const char text[] = "title: t\nlogsource: {}\ndetection:\n  s: {a|contains: 'СӘЛ'}\n  k: [sudo]\n  condition: s and k\n";
    struct sigma_source src = { STR("r.yml"), str_c(text) };
    struct sigma_run *run = NULL;
    const struct sigma_match *m;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    event_from(&b, "a=\xe2\x84\xaa Сәлем\noriginal=x SUDO y");   /* the Kelvin sign shrinks from 3 bytes to 1 when folded */
    assert_int_equal(sigma_run_event(run, b.items, false, &m, &e), 1);
    assert_int_equal(m->hit_count, 2);
    assert_true(str_eq(m->hits[0].field, STR("a")) && str_eq(m->hits[0].value, STR("Сәл")));
    assert_int_equal(m->hits[0].at, 4);
    assert_true(str_eq(m->hits[1].field, STR("keywords")) && str_eq(m->hits[1].value, STR("SUDO")));
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

static void hostile_rules_end(void **state)
{
    AUTO_BUF struct buf text;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    buf_init(&text, 0);
    buf_str(&text, STR("title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: "));
    for (int i = 0; i < 2000; i++)
        buf_str(&text, STR("("));
    struct sigma_source src = { STR("deep.yml"), buf_view(&text) };
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 1);
    sigma_free(&s);
    /* A selection of many parts named very often: writing it out has a limit. */
    buf_reset(&text);
    buf_str(&text, STR("title: t\nlogsource: {}\ndetection:\n  s: {a|contains|all: ["));
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "x%d,", i);
    buf_str(&text, STR("y]}\n  condition: s"));
    for (int i = 0; i < 500; i++)
        buf_str(&text, STR(" or not s"));
    src = (struct sigma_source){ STR("wide.yml"), buf_view(&text) };
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 1);
    assert_true(str_find(sigma_refusal_at(s, 0)->reason, STR("written out")) >= 0);
    sigma_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rule_one_event),
        cmocka_unit_test(a_refusal_names_its_place_and_stops_no_other),
        cmocka_unit_test(rules_see_the_events_of_their_log_source),
        cmocka_unit_test(a_match_tells_where),
        cmocka_unit_test(hostile_rules_end),
    };

    return cmocka_run_group_tests_name("sigma rules", tests, NULL, NULL);
}
