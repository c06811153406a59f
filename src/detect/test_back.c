/* test_back.c - new indicators are found in stored events, each event once, live or behind, however often the search is killed. */
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/back.h"
#include "detect/test_place.h"
#include "store/store.h"

#define KILL_MOST 130000   /* microseconds */
#define ADDRESSES 40u

struct back_place {
    struct place p;
    char set[96], policy[512], folder[96], triage[512];    /* triage "": none */
    unsigned filled;
};

static void make(struct back_place *b)
{
    const char *source = getenv("SAQSHY_SOURCE");
    struct err e;

    b->filled = 0;
    *b->triage = 0;
    place_make(&b->p);
    write_rule(&b->p, "r.yml", "title: R\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {}\ndetection:\n  a: { source.ip: 203.0.113.5 }\n  condition: a\nlevel: low\n");
    snprintf(b->set, sizeof b->set, "%s/set", b->p.root);
    snprintf(b->folder, sizeof b->folder, "%s/detect", b->p.root);
    snprintf(b->policy, sizeof b->policy, "%s/content/ioc/indicators.yaml", source ? source : ".");
    assert_int_equal(file_mkdirs(b->folder, 0755, &e), 0);
}

/* put - events whose addresses go round: number n has 203.0.113.(n mod ADDRESSES). The first indexed of all are in the store. */
static void put(struct back_place *b, unsigned count, unsigned indexed)
{
    struct journal *j = NULL;
    struct event_batch batch;
    struct err e;

    event_batch_init(&batch, 0);
    assert_int_equal(journal_open(b->p.journal, MIB, &j, &e), 0);
    for (unsigned i = 0; i < count; i++) {
        uint64_t seq = ++b->filled, first;
        struct event *ev;

        event_batch_reset(&batch);
        ev = event_batch_add(&batch);
        ev->time = ev->received = clock_now() - NS_PER_DAY + (time_ns)seq * NS_PER_SECOND;
        ev->original = arena_printf(&batch.arena, "line %llu", (unsigned long long)seq);
        assert_int_equal(event_add(ev, &batch.arena, STR("source.ip"), arena_printf(&batch.arena, "203.0.113.%u", (unsigned)(seq % ADDRESSES))), 0);
        assert_int_equal(journal_append(j, ev, 1, (struct journal_origin){ { NULL, 0 }, 0 }, &first, &e), 0);
        assert_int_equal(first, seq);
    }
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&batch);
    index_to(&b->p, indexed + 1, 32);
}

/* indicators - the set names the addresses whose numbers the list has. */
static void indicators(const struct back_place *b, const char *list)
{
    struct ioc_build *build = NULL;
    size_t count;
    struct err e;

    assert_int_equal(ioc_build_new(&build, &e), 0);
    for (const char *c = list; *c; c++) {
        char value[24];
        struct ioc i = { .type = IOC_IP, .confidence = 80, .source = STR("feed") };

        snprintf(value, sizeof value, "203.0.113.%d", *c - '0');
        i.value = str_c(value);
        assert_int_equal(ioc_build_add(build, &i, &e), 0);
    }
    assert_int_equal(ioc_build_write(build, b->set, &count, &e), 0);
    ioc_build_free(&build);
}

static struct detect *open_it(const struct back_place *b)
{
    const char *paths[] = { b->p.rules };
    struct detect_config c = { .journal = b->p.journal, .findings = b->p.findings, .state_file = b->p.state, .rules = paths, .rule_count = 1, .checkpoint_ms = 1,
                               .indicators = b->set, .indicator_policy = b->policy, .back_folder = b->folder, .data = b->p.root, .back_days = 30, .back_share = 100 };
    struct detect *d = NULL;
    struct err e;

    c.policy = *b->triage ? b->triage : NULL;
    if (detect_open(&c, NULL, NULL, &d, &e) < 0)
        fail_msg("%s", e.text);
    return d;
}

/* work - until nothing is left to look at, before and behind. */
static int work(struct detect *d)
{
    struct back_counts c;
    size_t count;
    struct err e;
    int n = 0;

    if (detect_indicators(d, &count, &e) < 0)
        return -1;
    do {
        n = detect_step(d, 1, &e);
        if (!detect_back(d, &c))
            return -1;
    } while (n > 0 || (n == 0 && c.sets > 0));
    return n;
}

static void work_to_end(const struct back_place *b)
{
    struct detect *d = open_it(b);
    struct err e;

    assert_int_equal(work(d), 0);
    assert_string_equal(detect_back_note(d), "");
    assert_int_equal(detect_checkpoint(d, &e), 0);
    detect_close(&d);
}

/* times - how often the indicator 203.0.113.n was found in each event; back: of these how many were searched back. */
static size_t times(const struct back_place *b, unsigned n, unsigned char *of_event, size_t *back)
{
    struct journal_reader *r = NULL;
    struct event_batch batch;
    char value[24];
    struct err e;
    size_t all = 0;
    int got;

    snprintf(value, sizeof value, "203.0.113.%u", n);
    memset(of_event, 0, b->filled + 1);
    *back = 0;
    event_batch_init(&batch, 0);
    assert_int_equal(journal_reader_open(b->p.findings, 0, &r, &e), 0);
    while ((got = journal_reader_next(r, &batch, NULL, &e)) > 0)
        for (int i = 0; i < got; i++) {
            uint64_t seq;

            if (!str_eq(event_get(&batch.items[i], STR("threat.indicator.name")), str_c(value)))
                continue;
            assert_true(str_u64(event_get(&batch.items[i], STR("saqshy.last_seq")), &seq) && seq <= b->filled);
            of_event[seq]++;
            all++;
            *back += str_eq(event_get(&batch.items[i], STR("saqshy.searched_back")), STR("true"));
        }
    journal_reader_close(&r);
    event_batch_free(&batch);
    return all;
}

static void each_once(const struct back_place *b, unsigned n, size_t want_back)
{
    unsigned char of_event[8192];
    size_t back;

    assert_true(b->filled < sizeof of_event);
    times(b, n, of_event, &back);
    for (unsigned seq = 1; seq <= b->filled; seq++)
        if (of_event[seq] != (seq % ADDRESSES == n))
            fail_msg("203.0.113.%u was found %u times in event %u", n, of_event[seq], seq);
    if (want_back != SIZE_MAX)
        assert_int_equal(back, want_back);
}

static void test_a_new_indicator_is_found_in_events_that_were_there_before_it(void **state)
{
    struct back_place b;

    (void)state;
    make(&b);
    indicators(&b, "1");
    put(&b, 400, 300);
    work_to_end(&b);
    each_once(&b, 1, 0);          /* the set was there before detection looked for the first time */
    indicators(&b, "12");
    work_to_end(&b);
    put(&b, 400, 500);
    work_to_end(&b);
    each_once(&b, 1, SIZE_MAX);
    each_once(&b, 2, 10);         /* 400 events before it, the others live */
    indicators(&b, "2");
    work_to_end(&b);
    indicators(&b, "12");         /* taken out and back: not looked for again */
    work_to_end(&b);
    each_once(&b, 1, SIZE_MAX);
    each_once(&b, 2, 10);
    place_remove(&b.p);
}

/* killed - a child that works and is ended by a timer wherever it stands. *most, in microseconds, follows the machine: shorter after a child that came to its end. */
static bool killed(const struct back_place *b, uint32_t *random, uint32_t *most)
{
    int status = 0;
    pid_t child;

    *random = *random * 1664525 + 1013904223;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct itimerval after = { .it_value = { .tv_usec = 1 + (*random >> 8) % *most } };

        setitimer(ITIMER_REAL, &after, NULL);
        struct detect *d = open_it(b);
        _exit(work(d) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    *most = WIFSIGNALED(status) ? (uint32_t)min_size(*most + *most / 4, KILL_MOST) : (uint32_t)max_size(*most / 2, 1000);
    return WIFSIGNALED(status);
}

static void test_however_often_the_search_is_killed_each_event_raises_its_finding_once(void **state)
{
    struct back_place b;
    unsigned times_killed = 0;
    uint32_t random = 5, most = KILL_MOST;

    (void)state;
    make(&b);
    indicators(&b, "1");
    put(&b, 1500, 1200);
    work_to_end(&b);
    put(&b, 500, 1700);
    for (unsigned i = 0; i < 60; i++) {
        if (i == 10)
            indicators(&b, "123");
        if (i == 30)
            indicators(&b, "1234");
        if (i == 40)
            put(&b, 300, 1900);
        times_killed += killed(&b, &random, &most);
    }
    work_to_end(&b);
    assert_true(times_killed > 5);
    for (unsigned n = 1; n <= 4; n++)
        each_once(&b, n, SIZE_MAX);
    place_remove(&b.p);
}

/* hits_back - the sum of what findings of the search say of 203.0.113.n, told singly or counted. */
static uint64_t hits_back(const struct back_place *b, unsigned n, size_t *findings)
{
    struct journal_reader *r = NULL;
    struct event_batch batch;
    uint64_t sum = 0, hits;
    char value[24];
    struct err e;
    int got;

    snprintf(value, sizeof value, "203.0.113.%u", n);
    *findings = 0;
    event_batch_init(&batch, 0);
    assert_int_equal(journal_reader_open(b->p.findings, 0, &r, &e), 0);
    while ((got = journal_reader_next(r, &batch, NULL, &e)) > 0)
        for (int i = 0; i < got; i++)
            if (str_eq(event_get(&batch.items[i], STR("rule.name")), str_c(value)) && event_get(&batch.items[i], STR("saqshy.searched_back")).n) {
                assert_true(str_u64(event_get(&batch.items[i], STR("saqshy.hits")), &hits));
                sum += hits;
                ++*findings;
            }
    journal_reader_close(&r);
    event_batch_free(&batch);
    return sum;
}

static void test_by_the_policy_hits_are_counted_into_episodes_and_each_counts_once_through_kills(void **state)
{
    struct back_place b;
    uint32_t random = 77, most = KILL_MOST;
    size_t findings;

    (void)state;
    make(&b);
    snprintf(b.triage, sizeof b.triage, "%.*s/policy/detection.yaml", (int)(strstr(b.policy, "/ioc/") - b.policy), b.policy);
    indicators(&b, "1");
    put(&b, 2000, 1900);
    work_to_end(&b);
    indicators(&b, "12");
    for (unsigned i = 0; i < 20; i++)
        (void)killed(&b, &random, &most);
    work_to_end(&b);
    assert_int_equal(hits_back(&b, 2, &findings), 2000 / ADDRESSES);
    assert_true(findings > 0 && findings < 2000 / ADDRESSES);
    place_remove(&b.p);
}

/* rare_updates - our policy, but episodes are told again so rarely that all of them have something to tell at the end of a pass. */
static void rare_updates(struct back_place *b)
{
    AUTO_BUF struct buf ours, out;
    char path[512];
    struct str rest, line;
    struct err e;

    buf_init(&ours, MIB);
    buf_init(&out, MIB);
    snprintf(path, sizeof path, "%.*s/policy/detection.yaml", (int)(strstr(b->policy, "/ioc/") - b->policy), b->policy);
    assert_int_equal(file_read(path, MIB, &ours, &e), 0);
    rest = buf_view(&ours);
    while (str_split(&rest, '\n', &line)) {
        buf_str(&out, str_starts(line, STR("  update:")) ? STR("  update: 30m") : str_starts(line, STR("storm:")) ? STR("storm: {groups: 1000}") : line);
        buf_byte(&out, '\n');
    }
    snprintf(b->triage, sizeof b->triage, "%s/detection.yaml", b->p.root);
    assert_int_equal(file_write_atomic(b->triage, buf_view(&out), 0644, &e), 0);
}

/* put_hosts - each of so many hosts meets 203.0.113.2 twice. */
static void put_hosts(struct back_place *b, unsigned hosts)
{
    struct journal *j = NULL;
    struct event_batch batch;
    struct err e;

    event_batch_init(&batch, 0);
    assert_int_equal(journal_open(b->p.journal, MIB, &j, &e), 0);
    for (unsigned i = 0; i < 2 * hosts; i++) {
        struct event *ev;

        event_batch_reset(&batch);
        ev = event_batch_add(&batch);
        ev->time = ev->received = clock_now() - NS_PER_DAY + (time_ns)i * NS_PER_SECOND;
        ev->original = STR("line");
        assert_int_equal(event_add(ev, &batch.arena, STR("source.ip"), STR("203.0.113.2")), 0);
        assert_int_equal(event_add(ev, &batch.arena, STR("host.name"), arena_printf(&batch.arena, "h%u", i % hosts)), 0);
        assert_int_equal(journal_append(j, ev, 1, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
        b->filled++;
    }
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&batch);
    index_to(&b->p, b->filled + 1, 32);
}

static void at_the_end(bool kill)
{
    struct back_place b;
    uint32_t random = 3, most = KILL_MOST;
    size_t findings;

    make(&b);
    rare_updates(&b);
    indicators(&b, "1");
    put_hosts(&b, 300);
    work_to_end(&b);
    indicators(&b, "12");
    for (unsigned i = 0; kill && i < 20; i++)
        (void)killed(&b, &random, &most);
    work_to_end(&b);
    assert_int_equal(hits_back(&b, 2, &findings), 600);
    assert_int_equal(findings, 600);
    place_remove(&b.p);
}

static void test_at_the_end_of_a_search_all_open_episodes_tell_what_they_counted(void **state)
{
    (void)state;
    at_the_end(false);
    at_the_end(true);
}

static void test_what_it_remembers_may_be_lost_or_damaged(void **state)
{
    struct back_place b;
    unsigned char of_event[1000];
    char path[160];
    size_t back;
    struct err e;

    (void)state;
    make(&b);
    indicators(&b, "1");
    put(&b, 400, 300);
    work_to_end(&b);
    indicators(&b, "12");
    work_to_end(&b);
    snprintf(path, sizeof path, "%s/searched", b.folder);
    assert_int_equal(file_write_atomic(path, STR("SAQBACK1 and then nothing"), 0644, &e), 0);
    struct detect *d = open_it(&b);
    assert_true(*detect_back_note(d));
    assert_int_equal(work(d), 0);
    detect_close(&d);
    assert_int_equal(times(&b, 2, of_event, &back), 20);   /* searched for anew: told twice rather than never */
    place_remove(&b.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_indicator_is_found_in_events_that_were_there_before_it),
        cmocka_unit_test(test_however_often_the_search_is_killed_each_event_raises_its_finding_once),
        cmocka_unit_test(test_by_the_policy_hits_are_counted_into_episodes_and_each_counts_once_through_kills),
        cmocka_unit_test(test_at_the_end_of_a_search_all_open_episodes_tell_what_they_counted),
        cmocka_unit_test(test_what_it_remembers_may_be_lost_or_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
