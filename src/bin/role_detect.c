/* role_detect.c - the role detect: glue between the node's folders and src/detect.
 *
 * A thread of src/detect reads rules anew when a file changes, or on SIGHUP; the rest is looked at each RELOAD_NS. A failure that does not pass ends the role
 * with exit code 1: the supervisor starts it again, and it goes on from its saved state. */
#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "bin/bin.h"
#include "detect/coverage.h"
#include "detect/detect.h"

#define WAIT_MS    100
#define RELOAD_NS  (5 * NS_PER_SECOND)
#define METRICS_NS (2 * NS_PER_SECOND)
#define DROPPED_NS (60 * NS_PER_SECOND)   /* dropped groups are told at most so often */
#define RISK_NS    (10 * NS_PER_SECOND)
#define CLOCK_NS   (5 * NS_PER_SECOND)    /* while the journal is silent it is looked so often what is due */

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number)
{
    if (number == SIGHUP)
        reload_asked = 1;
    else
        stop_asked = 1;
}

static void catch_signals(void)
{
    struct sigaction a = { .sa_handler = on_signal };

    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
}

static void say(void *arg, const struct sigma_refusal *r, bool kept)
{
    char reason[ERR_TEXT_MAX], file[1024], line[24], column[24];

    (void)arg;
    snprintf(reason, sizeof reason, "%.*s", STR_ARG(r->reason));
    snprintf(file, sizeof file, "%.*s", STR_ARG(r->file));
    log_line(r->verdict == SIGMA_BROKEN ? LOG_ERROR : LOG_WARN,
             kept ? "a rule file is broken, its former rules go on" :
             r->verdict == SIGMA_BROKEN ? "a rule is broken, the others run" : "a rule is not supported, the others run",
             "file.path", file, "log.origin.file.line", log_num(r->line, line), "log.origin.file.column", log_num(r->column, column),
             "error.message", reason, NULL);
}

static void tell_rules(const struct detect *d, const char *message)
{
    const struct detect_rules *r = detect_rules_now(d);
    char loaded[24], unsupported[24], broken[24], kept[24];

    log_line(r->loaded ? LOG_INFO : LOG_ERROR, r->loaded ? message : "no rule is loaded, nothing will be detected",
             "saqshy.rules.loaded", log_num((long long)r->loaded, loaded), "saqshy.rules.unsupported",
             log_num((long long)r->unsupported, unsupported), "saqshy.rules.broken", log_num((long long)r->broken, broken),
             "saqshy.rules.kept", log_num((long long)r->kept, kept), NULL);
}

/* tell_dropped - the correlations that had to drop groups at a limit, while more go: whoever floods them with new keys may hide behind it. */
static void tell_dropped(const struct detect *d, uint64_t *told, time_ns *told_at, time_ns now)
{
    struct sigma_load load;
    uint64_t all = 0;

    for (uint32_t i = 0; detect_load_at(d, i, &load); i++)
        all += load.evicted;
    if (all < *told)   /* other rules run now */
        *told = 0;
    if (all == *told || now - *told_at < DROPPED_NS)
        return;
    for (uint32_t i = 0; detect_load_at(d, i, &load); i++) {
        char id[128], dropped[24], groups[24];

        snprintf(id, sizeof id, "%.*s", STR_ARG(load.rule->id));
        if (load.evicted)
            log_line(LOG_WARN, "a correlation dropped groups at its limit, what they counted is lost", "rule.id", id, "saqshy.groups.dropped",
                     log_num((long long)load.evicted, dropped), "saqshy.groups.kept", log_num((long long)load.groups, groups), NULL);
    }
    *told = all;
    *told_at = now;
}

static void tell_costly(void *arg, const struct sigma_rule *r, uint64_t ns_an_event)
{
    char id[128], ns[24];

    (void)arg;
    snprintf(id, sizeof id, "%.*s", STR_ARG(r->id));
    log_line(LOG_WARN, "a rule is over its budget of time; it goes on", "rule.id", id, "saqshy.rule.ns_an_event", log_num((long long)ns_an_event, ns), NULL);
}

/* publish - the picture of the rules, for the portal and the command line. */
static void publish(struct detect *d, bool now)
{
    struct err e;

    if (detect_publish(d, now, tell_costly, NULL, &e) < 0)
        log_line(LOG_WARN, "could not write the picture of the rules", "error.message", e.text, NULL);
}

/* look_at_rules - true: other rules run now. Without the thread that watches them they are read here. */
static bool look_at_rules(struct detect *d, bool watched, bool ask, bool force)
{
    struct err e;
    int rc = watched || !ask ? 0 : detect_reload(d, force, NULL, NULL, &e);

    if (watched && force)
        detect_reread(d);
    if (rc >= 0)
        rc = detect_other_rules(d, say, NULL, &e);
    if (rc < 0)
        log_line(LOG_ERROR, "could not read or keep the rules, the former ones go on", "error.message", e.text, NULL);
    else if (rc == 1)
        tell_rules(d, "rules read anew");
    return rc == 1;
}

/* look_at_types - rules that say what type an event is. */
static void look_at_types(struct detect *d)
{
    struct err e;
    int rc = detect_types(d, &e);

    if (rc < 0)
        log_line(LOG_ERROR, "the rules of event types cannot be read, the former ones go on", "error.message", e.text, NULL);
    else if (rc == 1)
        log_line(LOG_INFO, "rules of event types read anew", NULL);
}

/* look_at_indicators - a set that was replaced is in force now; one that is torn is told, and the one before goes on. */
static void look_at_indicators(struct detect *d)
{
    char text[24];
    size_t count = 0;
    struct err e;
    int rc = detect_indicators(d, &count, &e);

    if (rc < 0)
        log_line(LOG_ERROR, "the indicators of compromise cannot be read, those before go on", "error.message", e.text, NULL);
    else if (rc == 1)
        log_line(LOG_INFO, "indicators of compromise read anew", "saqshy.indicators", log_num((long long)count, text), NULL);
}

static void look_at_policy(struct detect *d)
{
    struct err e;
    int rc = detect_policy_reload(d, &e);

    if (rc < 0)
        log_line(LOG_ERROR, "the policy of detection cannot be read, the one before goes on", "error.message", e.text, NULL);
    else if (rc == 1)
        log_line(LOG_INFO, "policy of detection read anew", NULL);
}

/* tell_expired - exceptions whose time has come since "from": from now on they except nothing. */
static void tell_expired(const struct detect *d, time_ns from, time_ns now)
{
    const struct sigma *s = detect_sigma(d);

    for (size_t i = 0; i < sigma_exception_count(s); i++) {
        struct sigma_exception x = sigma_exception_at(s, i);
        char id[128], file[1024], author[256], reason[512];

        if (!x.expires || x.expires <= from || x.expires > now)
            continue;
        snprintf(id, sizeof id, "%.*s", STR_ARG(x.id));
        snprintf(file, sizeof file, "%.*s", STR_ARG(x.file));
        snprintf(author, sizeof author, "%.*s", STR_ARG(x.author));
        snprintf(reason, sizeof reason, "%.*s", STR_ARG(x.reason));
        log_line(LOG_WARN, "an exception has expired, what it excepted is found again", "saqshy.exception.id", id, "file.path", file,
                 "saqshy.exception.author", author, "saqshy.exception.reason", reason, NULL);
    }
}

/* What the desk is told of exceptions: at the start, when the rules were read, and when one expires. */
struct telling { time_ns until, next; };

static void tell_exceptions(const struct node *node, struct detect *d, struct telling *t, bool anew)
{
    time_ns now = clock_now();
    char path[4096];
    struct err e;

    if (!anew && (t->next == 0 || now < t->next))
        return;
    tell_expired(d, t->until, now);
    t->until = now;
    t->next = sigma_expires_next(detect_sigma(d), now);
    if (detect_publish_exceptions(d, node_path(node, "detect/exceptions.json", path), now, &e) < 0)
        log_line(LOG_WARN, "could not write the list of exceptions", "error.message", e.text, NULL);
}

static void tell_risk(const struct node *node, const struct detect *d)
{
    char path[4096];
    struct err e;

    if (detect_publish_risk(d, node_path(node, "detect/risk.json", path), clock_now(), &e) < 0)
        log_line(LOG_WARN, "could not write the list of risks", "error.message", e.text, NULL);
}

/* tell_coverage - what arrives, if it is time or now. */
static void tell_coverage(const struct node *node, const struct detect *d, time_ns *told, bool now)
{
    time_ns at = clock_steady();
    char path[4096];
    struct err e;

    if (!now && *told && at - *told < (detect_coverage_rows(d) > COVERAGE_LARGE ? COVERAGE_LARGE_NS : COVERAGE_NS))
        return;
    *told = at;
    if (detect_publish_coverage(d, node_path(node, "detect/coverage.json", path), clock_now(), &e) < 0)
        log_line(LOG_WARN, "could not write what arrives", "error.message", e.text, NULL);
}

/* tell_back - why new indicators are not looked for in stored events; once for each reason. */
static void tell_back(const struct detect *d, uint64_t *told)
{
    const char *note = detect_back_note(d);
    uint64_t hash = str_hash(str_c(note));

    if (*note && hash != *told)
        log_line(LOG_WARN, "new indicators of compromise could not be looked for in stored events, it is tried again", "error.message", note, NULL);
    *told = hash;
}

/* What the loop looks at besides events, and when it did so last; moments of the steady clock. */
struct looking {
    const struct node *node;
    struct detect     *d;
    struct metrics    *metrics;
    bool               watched;        /* a thread watches the rules */
    struct telling     exceptions;
    time_ns            looked, risk_at, coverage_at, published, dropped_at;
    time_ns            heard, clocked; /* when an event came last;  when it was last looked what is due without one */
    time_ns            since, heard_at; /* on the wall: when this role began to listen, and when it heard last */
    uint64_t           dropped, back_told;
};

/* look_around - rules, when they changed; policy, types and indicators each five seconds. */
static void look_around(struct looking *l, time_ns now)
{
    bool force = reload_asked, ask = force || now - l->looked >= RELOAD_NS, anew = look_at_rules(l->d, l->watched, ask, force);

    if (force)
        reload_asked = 0;
    if (anew || ask) {
        tell_exceptions(l->node, l->d, &l->exceptions, anew);
        publish(l->d, anew);
    }
    if (!ask)
        return;
    look_at_policy(l->d);
    look_at_types(l->d);
    look_at_indicators(l->d);
    tell_back(l->d, &l->back_told);
    l->looked = now;
}

/* tell_all - what others read of detection: risk, what arrives, metrics, the picture of the rules; each in its own time. */
static void tell_all(struct looking *l, const char *metrics_path, time_ns now)
{
    struct err e;

    if (now - l->risk_at >= RISK_NS) {
        tell_risk(l->node, l->d);
        l->risk_at = now;
    }
    if (now - l->published < METRICS_NS)
        return;
    tell_coverage(l->node, l->d, &l->coverage_at, false);
    if (metrics_publish(l->metrics, metrics_path, &e) < 0)
        log_line(LOG_WARN, "could not write the metrics", "error.message", e.text, NULL);
    tell_dropped(l->d, &l->dropped, &l->dropped_at, now);
    publish(l->d, false);
    l->published = now;
}

/* go_on - while nothing comes, what falls due is told by our clock. How long it has been silent the steady clock says: one that is set meanwhile makes nobody silent. */
static int go_on(struct looking *l, bool heard, time_ns now, struct err *e)
{
    if (heard) {
        l->heard = now;
        l->heard_at = clock_now();
    }
    if (now - l->heard < DETECT_QUIET_NS || now - l->clocked < CLOCK_NS)
        return 0;
    l->clocked = now;
    return detect_clock(l->d, l->since, l->heard_at + (now - l->heard) - DETECT_QUIET_NS, e);
}

static int loop(const struct node *node, struct detect *d, struct metrics *metrics)
{
    struct err e = { 0 };
    struct looking l = { .node = node, .d = d, .metrics = metrics, .watched = detect_watch(d, &e) == 0, .looked = clock_steady() };
    char path[4096];

    if (!l.watched)
        log_line(LOG_WARN, "changes of rules are looked for each five seconds only", "error.message", e.text, NULL);
    l.since = l.heard_at = clock_now();
    l.heard = l.looked;
    node_path(node, "run/metrics-detect.prom", path);
    look_at_indicators(d);
    tell_exceptions(node, d, &l.exceptions, true);
    while (!stop_asked) {
        int rc = detect_step(d, WAIT_MS, &e);
        time_ns now = clock_steady();

        if (rc == -EBADMSG)
            log_line(LOG_ERROR, "a damaged part of the journal was passed", "error.message", e.text, NULL);
        if (rc >= 0 || rc == -EBADMSG)
            rc = go_on(&l, rc != 0, now, &e);
        if (rc < 0) {
            log_line(LOG_ERROR, "detection stops", "error.message", e.text, NULL);
            return EXIT_NO;
        }
        look_around(&l, now);
        tell_all(&l, path, now);
    }
    publish(d, true);
    tell_coverage(node, d, &l.coverage_at, true);
    if (detect_stop(d, &e) < 0) {
        log_line(LOG_ERROR, "could not save the state of detection, the next start replays", "error.message", e.text, NULL);
        return EXIT_NO;
    }
    return EXIT_YES;
}

int role_detect_run(const struct node *node)
{
    char journal[4096], findings[4096], folder[4096], state[4096], indicators[4096], policy[4200], triage[4200], site[4096], picture[4096];
    struct metrics *metrics = calloc(1, sizeof *metrics);
    struct rule_paths where;
    struct detect_config c = { .rules = where.paths, .segment_bytes = (uint64_t)node->segment_bytes, .metrics = metrics, .coverage = true };
    struct detect *d = NULL;
    struct err e;
    int code = EXIT_NO;

    catch_signals();
    c.journal = node_path(node, "journal", journal);
    c.findings = node_path(node, "findings", findings);
    c.state_file = node_path(node, "detect/state", state);
    c.picture = node_path(node, "detect/rules.json", picture);
    if (*node->content) {
        snprintf(policy, sizeof policy, "%s/ioc/indicators.yaml", node->content);
        c.indicators = node_path(node, "intel/set", indicators);
        c.indicator_policy = policy;
        c.back_folder = node_path(node, "detect", folder);
        c.data = node->data;
        c.back_days = node->searched_back_days;
        c.back_share = node->searched_back_share;
        snprintf(triage, sizeof triage, "%s/policy/detection.yaml", node->content);
        c.policy = triage;
        c.site_policy = node_path(node, "policy/detection.yaml", site);
    }
    rule_paths(&where, node->content, node->data, NULL, 0);
    c.rule_count = where.count;
    if (!metrics || file_mkdirs(node_path(node, "detect", folder), 0750, &e) < 0 ||
        file_mkdirs(findings, 0750, &e) < 0 ||
        detect_open(&c, say, NULL, &d, &e) < 0) {
        log_line(LOG_ERROR, "detection cannot start", "error.message", metrics ? e.text : "no memory", NULL);
    } else {
        if (*detect_note(d))
            log_line(LOG_WARN, "the saved state of detection cannot be taken, the journal is looked at again from its oldest event",
                     "error.message", detect_note(d), NULL);
        if (*detect_policy_note(d))
            log_line(LOG_ERROR, "the policy of this site is left out, ours counts", "error.message", detect_policy_note(d), NULL);
        if (*detect_set_note(d))
            log_line(LOG_WARN, "the former rules are not at hand, events that they looked at may be looked at by those of now", "error.message",
                     detect_set_note(d), NULL);
        if (*detect_indicator_note(d))
            log_line(LOG_ERROR, "events are not held against indicators of compromise", "error.message", detect_indicator_note(d), NULL);
        tell_rules(d, "detection runs");
        publish(d, true);
        code = loop(node, d, metrics);
    }
    detect_close(&d);
    free(metrics);
    return code;
}
