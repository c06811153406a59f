/* cmd_rules_except.c - "saqshy rules except": an exception from a rule as a file below DATA/rules/exceptions, or what it would have removed;
 * "saqshy rules exceptions": those there are. */
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <unistd.h>

#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/plain.h"
#include "desk/cases/of_findings.h"
#include "detect/exception.h"

#define REMOVED_MAX 1000000   /* findings whose cases are looked up */
#define CASES_TOLD  50

static const char usage[] =
    "usage: saqshy rules except RULE --where FIELD=VALUE … --reason TEXT --expires DAY [--author NAME] [--object ID] [--preview [--seconds N]] [--json] [--data DIR]\n"
    "       saqshy rules exceptions [--json] [--data DIR]\n\n"
    "except      writes a filter that leaves out what the rule finds where all FIELDs have these VALUEs (a FIELD given several times: any of them), until\n"
    "            the end of DAY (2026-12-31, or a moment). RULE: its id or name. FIELD may carry a modifier: \"CommandLine|contains=…\". VALUE is taken as it\n"
    "            stands: * and ? are themselves. saqshyd takes the file up by itself; to undo it delete the file\n"
    "  --object  for events of this object alone\n"
    "  --preview write nothing; tell how many of the past findings it would have removed, and which confirmed cases were among them; with --seconds\n"
    "            after so long what was seen so far\n"
    "exceptions  lists what is excepted, by whom, why and until when\n"
    "DIR: SAQSHY_DATA, else ./data. Exit 0: written, or nothing confirmed would have been removed; 1: confirmed cases would have been; 2: it could not be done.\n";

struct asked {
    struct exception x;
    const char      *data;
    bool             preview, json;
    int              wide;         /* exception_wide */
    uint64_t         seconds;
    uint64_t        *removed;
    size_t           removed_count;
    struct buf       cases;
    size_t           confirmed, other;
};

/* --- the preview --- */

static int hear(void *arg, const struct event *f)
{
    struct asked *a = arg;

    if (a->removed_count < REMOVED_MAX)
        a->removed[a->removed_count++] = f->seq;
    return 0;
}

static void tell_case(void *arg, const struct finding_case *k)
{
    struct asked *a = arg;

    a->confirmed += k->confirmed;
    a->other += !k->confirmed;
    if (!k->confirmed || a->confirmed > CASES_TOLD)
        return;
    if (a->json) {
        buf_str(&a->cases, a->confirmed > 1 ? STR(",{\"number\":") : STR("{\"number\":"));
        buf_json(&a->cases, str_c(k->number));
        buf_printf(&a->cases, ",\"state\":\"%s\",\"findings\":%llu}", k->state, (unsigned long long)k->findings);
    } else {
        buf_printf(&a->cases, "  %s  %s, %llu of its findings\n", k->number, k->state, (unsigned long long)k->findings);
    }
}

static void show_preview(const struct asked *a, const struct exception_preview *p)
{
    char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

    if (a->json) {
        printf("{\"findings\":%llu,\"hits\":%llu,\"removed\":%llu,\"removed_hits\":%llu,\"unknown\":%llu,\"since\":", (unsigned long long)p->findings,
               (unsigned long long)p->hits, (unsigned long long)p->removed, (unsigned long long)p->removed_hits, (unsigned long long)p->unknown);
        if (p->since)
            printf("\"%s\"", time_format_utc(p->since, since));
        else
            fputs("null", stdout);
        fputs(",\"until\":", stdout);
        if (p->until)
            printf("\"%s\"", time_format_utc(p->until, until));
        else
            fputs("null", stdout);
        printf(",\"complete\":%s,\"wide\":%s", p->complete ? "true" : "false", a->wide ? "true" : "false");
        printf(",\"confirmed\":%zu,\"other\":%zu,\"cases\":[%.*s]}\n", a->confirmed, a->other, (int)a->cases.n, a->cases.n ? a->cases.p : "");
        return;
    }
    if (!p->complete)
        printf("out of time: this is what was seen so far, of findings up to %s\n", p->until ? time_format_utc(p->until, until) : "none");
    if (!p->findings) {
        puts(p->complete ? "this rule has found nothing that is still kept" : "of this rule there were none among them");
        return;
    }
    printf("since %s the rule raised %llu findings of %llu matches\n", time_format_utc(p->since, since), (unsigned long long)p->findings, (unsigned long long)p->hits);
    printf("%llu findings of %llu matches would not have been raised\n", (unsigned long long)p->removed, (unsigned long long)p->removed_hits);
    if (p->unknown)
        printf("%llu findings say too little to judge\n", (unsigned long long)p->unknown);
    printf("confirmed cases among them: %zu%s\n%.*s", a->confirmed, a->confirmed > CASES_TOLD ? ", the first of them:" : a->confirmed ? ":" : "",
           (int)a->cases.n, a->cases.n ? a->cases.p : "");
    printf("other cases among them: %zu\n", a->other);
}

static int preview(struct asked *a, const struct node *node, const struct rule_paths *where, struct err *e)
{
    char findings[4096], desk[4096];
    struct exception_places places = { .findings = findings, .content = node->content, .rules = where->paths, .rule_count = where->count,
                                       .deadline_steady = a->seconds ? clock_steady() + (time_ns)a->seconds * NS_PER_SECOND : 0 };
    struct exception_preview p;
    int rc;

    a->removed = calloc(REMOVED_MAX, sizeof *a->removed);
    if (!a->removed)
        return err_set(e, -ENOMEM, "no memory for the preview");
    snprintf(findings, sizeof findings, "%s/findings", a->data);
    snprintf(desk, sizeof desk, "%s/desk/desk.db", a->data);
    rc = exception_preview(&places, &a->x, hear, a, &p, e);
    if (rc == 0)
        rc = cases_of_findings(desk, a->removed, a->removed_count, tell_case, a, e);
    if (rc == -ENOENT && a->removed_count)
        fputs("saqshy rules: there is no desk below the data folder, so it is not known what became of the findings\n", stderr);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (rc == -ENOENT && p.findings == 0 && str_find(str_c(e->text), STR("no rule")) >= 0)
        return rc;
    show_preview(a, &p);
    return a->confirmed ? EXIT_NO : EXIT_YES;
}

/* --- writing --- */

/* give_away - what root made is for the roles to read: rules of a folder that they cannot open are not read at all. */
static int give_away(const char *data, const char *folder, const char *path, struct err *e)
{
    char rules[4096];
    int rc;

    snprintf(rules, sizeof rules, "%s/rules", data);
    rc = own_as(data, rules, e);
    if (rc == 0)
        rc = own_as(data, folder, e);
    return rc < 0 ? rc : own_as(data, path, e);
}

static int write_it(struct asked *a, const struct rule_paths *where, struct err *e)
{
    AUTO_BUF struct buf text;
    char id[EXCEPTION_ID_MAX], folder[4096], path[4096];
    struct sigma *set = NULL;
    int rc;

    buf_init(&text, MIB);
    rc = sigma_load(where->paths, where->count, &set, e);
    if (rc == 0)
        rc = exception_text(set, &a->x, &text, id, e);
    sigma_free(&set);
    snprintf(folder, sizeof folder, "%s/rules/exceptions", a->data);
    if (rc == 0)
        rc = exception_write(folder, id, buf_view(&text), path, e);
    if (rc == 0)
        rc = give_away(a->data, folder, path, e);
    if (rc < 0)
        return rc;
    if (a->json) {
        AUTO_BUF struct buf b;

        buf_init(&b, 64 * KIB);
        buf_json(&b, str_c(path));
        printf("{\"id\":\"%s\",\"file\":%.*s}\n", id, (int)b.n, b.p);
    } else {
        printf("%s\n", path);
    }
    return EXIT_YES;
}

/* --- the command line --- */

/* take_expiry - the end of a day, in UTC, or a moment. */
static bool take_expiry(const char *s, time_ns *out)
{
    char moment[64];

    if (strlen(s) != 10)
        return time_parse_rfc3339(str_c(s), out, NULL, NULL) == 0;
    snprintf(moment, sizeof moment, "%sT00:00:00Z", s);
    if (time_parse_rfc3339(str_c(moment), out, NULL, NULL) < 0 || *out > INT64_MAX - NS_PER_DAY)
        return false;
    *out += NS_PER_DAY;
    return true;
}

static const char *take_where(struct asked *a, const char *s)
{
    const char *equals = strchr(s, '=');

    if (!equals || equals == s)
        return "--where wants FIELD=VALUE";
    if (a->x.where_count == EXCEPTION_WHERE_MAX)
        return "too many --where";
    a->x.where[a->x.where_count++] = (struct exception_where){ str_of(s, (size_t)(equals - s)), str_c(equals + 1) };
    return NULL;
}

enum { OPT_WHERE = 1000, OPT_REASON, OPT_EXPIRES, OPT_AUTHOR, OPT_OBJECT, OPT_PREVIEW, OPT_SECONDS, OPT_DATA, OPT_JSON };

static const struct option options[] = {
    { "where", required_argument, NULL, OPT_WHERE }, { "reason", required_argument, NULL, OPT_REASON }, { "expires", required_argument, NULL, OPT_EXPIRES },
    { "author", required_argument, NULL, OPT_AUTHOR }, { "object", required_argument, NULL, OPT_OBJECT }, { "preview", no_argument, NULL, OPT_PREVIEW },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "data", required_argument, NULL, OPT_DATA }, { "json", no_argument, NULL, OPT_JSON }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

/* take_option - NULL, or what is wrong. */
static const char *take_option(struct asked *a, int c)
{
    switch (c) {
    case OPT_WHERE: return take_where(a, optarg);
    case OPT_REASON: a->x.reason = str_c(optarg); return NULL;
    case OPT_EXPIRES: return take_expiry(optarg, &a->x.expires) ? NULL : "--expires wants a day, 2026-12-31, or a moment, 2026-12-31T18:00:00+05:00";
    case OPT_AUTHOR: a->x.author = str_c(optarg); return NULL;
    case OPT_OBJECT: a->x.object = str_c(optarg); return NULL;
    case OPT_PREVIEW: a->preview = true; return NULL;
    case OPT_SECONDS: return str_u64(str_c(optarg), &a->seconds) && a->seconds > 0 && a->seconds <= 86400 ? NULL : "--seconds wants a number from 1 to 86400";
    case OPT_DATA: a->data = optarg; return NULL;
    case OPT_JSON: a->json = true; return NULL;
    default: return "no such option";
    }
}

/* me - who types: the account that stands behind sudo, else one's own. */
static struct str me(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *p = getpwuid(getuid());

    return str_c(sudo && *sudo ? sudo : p ? p->pw_name : "");
}

static int list(const struct sigma *set, const char *data, bool json)
{
    time_ns now = clock_now();

    if (json) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        exceptions_json(set, now, &b);
        fwrite(b.p, 1, b.n, stdout);
        return EXIT_YES;
    }
    if (sigma_exception_count(set) == 0)
        fprintf(stderr, "saqshy rules exceptions: nothing is excepted from the rules of \"%s\"\n", data);
    for (size_t i = 0; i < sigma_exception_count(set); i++) {
        struct sigma_exception x = sigma_exception_at(set, i);
        AUTO_BUF struct buf b;
        char until[TIME_TEXT_MAX];

        buf_init(&b, 64 * KIB);
        plain_put(&b, x.title, 200);
        buf_printf(&b, "\n  %s%s", !x.expires ? "for good" : now >= x.expires ? "EXPIRED " : "until ", x.expires ? time_format_utc(x.expires, until) : "");
        buf_str(&b, STR(", by "));
        plain_put(&b, x.author.n ? x.author : STR("nobody named"), 100);
        buf_str(&b, STR(": "));
        plain_put(&b, x.reason.n ? x.reason : STR("no reason given"), 400);
        buf_printf(&b, "\n  %.*s:%d\n", STR_ARG(x.file), x.line);
        fwrite(b.p, 1, b.n, stdout);
    }
    return EXIT_YES;
}

/* warn_wide - it is made all the same: what a site hides is its decision. */
static int warn_wide(struct asked *a, struct err *e)
{
    a->wide = exception_wide(&a->x, e);
    if (a->wide > 0)
        fputs("saqshy rules except: warning: its conditions hold for any value, so it hides everything that this rule finds in events with these fields\n", stderr);
    return a->wide < 0 ? a->wide : 0;
}

static int run(struct asked *a, bool listing, struct err *e)
{
    struct rule_paths where;
    struct node *node = NULL;
    struct sigma *set = NULL;
    char exe[4096];
    int rc = node_exe_folder(exe, e);

    if (rc == 0)
        rc = node_default(NULL, exe, &node, e);
    if (rc == 0) {
        rule_paths(&where, node->content, a->data, NULL, 0);
        rc = listing ? 0 : warn_wide(a, e);
        if (rc == 0 && !listing)
            rc = a->preview ? preview(a, node, &where, e) : write_it(a, &where, e);
        else if (rc == 0 && (rc = sigma_load(where.paths, where.count, &set, e)) == 0)
            rc = list(set, a->data, a->json);
    }
    sigma_free(&set);
    node_free(&node);
    return rc;
}

int cmd_rules_except(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA"), *wrong = NULL;
    bool listing = strcmp(argv[0], "exceptions") == 0;
    struct asked a = { .data = data ? data : "data" };
    struct err e = { 0 };
    int c, rc;

    while (!wrong && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_YES;
        }
        wrong = take_option(&a, c);
    }
    if (!wrong && argc - optind != (listing ? 0 : 1))
        wrong = listing ? "there is a word too many" : "one RULE is wanted";
    if (!wrong && !listing && !a.x.where_count)
        wrong = "--where is missing: what is excepted";
    if (!wrong && a.seconds && !a.preview)
        wrong = "--seconds is for --preview";
    if (!wrong && !listing && !a.preview && (!a.x.reason.n || !a.x.expires))
        wrong = "--reason and --expires are needed: an exception says why, and until when";
    if (!wrong && !listing && a.x.expires && a.x.expires <= clock_now())
        wrong = "--expires is a moment that has passed";
    if (wrong)
        return wrong_usage(listing ? "rules exceptions" : "rules except", wrong);
    a.x.rule = listing ? (struct str){ NULL, 0 } : str_c(argv[optind]);
    if (!a.x.author.n)
        a.x.author = me();
    buf_init(&a.cases, 0);
    rc = run(&a, listing, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy rules %s: %s\n", listing ? "exceptions" : "except", e.text);
    free(a.removed);
    buf_free(&a.cases);
    return rc < 0 ? EXIT_USAGE : rc;
}
