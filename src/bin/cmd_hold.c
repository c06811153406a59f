/* cmd_hold.c - saqshy hold: legal holds of a node, set and released by whoever may write its data directory. In a centre the portal does the same by roles. */
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <unistd.h>

#include "bin/bin.h"
#include "base/clock.h"
#include "base/file.h"
#include "desk/cases/of_findings.h"
#include "keep/hold.h"

static const char usage[] =
    "usage: saqshy hold add --object ID | --case NUMBER | --query TEXT  --reason TEXT [--from TIME] [--to TIME] [--until TIME] [--author NAME] [--json] [--data DIR]\n"
    "       saqshy hold list [--all] [--json] [--data DIR]\n"
    "       saqshy hold release ID --reason TEXT [--author NAME] [--json] [--data DIR]\n\n"
    "add      retention removes nothing that the hold selects, whatever its term, from the moment this says so: all events of an object, those of a case (its object's, from\n"
    "         a day before it was detected), or what a search selects\n"
    "  --from, --to  of the events' time, a day (2026-03-20) or a moment (2026-03-20T09:00:00+05:00); to is not within\n"
    "  --until       the hold ends by itself then; without, somebody releases it\n"
    "list     those in force; --all: those that were released too\n"
    "release  the normal terms hold again. The hold stays in the list, with who released it and why\n"
    "Both are rows of the audit trail. DIR: SAQSHY_DATA, else ./data.\n"
    "Exit 0: done; 1: a hold cannot be read, so nothing is removed at all; 2: it could not be done.\n";

struct asked {
    struct hold h;
    const char *data, *reason, *author;
    bool        all, json;
    int         subjects;
};

/* me - who types: the account that stands behind sudo, else one's own. */
static const char *me(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *p = getpwuid(getuid());

    return sudo && *sudo ? sudo : p ? p->pw_name : "";
}

static bool take_moment(const char *s, time_ns *out)
{
    char moment[40];

    if (strlen(s) != 10)
        return time_parse_rfc3339(str_c(s), out, NULL, NULL) == 0;
    snprintf(moment, sizeof moment, "%sT00:00:00Z", s);
    return time_parse_rfc3339(str_c(moment), out, NULL, NULL) == 0;
}

enum { OPT_OBJECT = 1000, OPT_CASE, OPT_QUERY, OPT_REASON, OPT_FROM, OPT_TO, OPT_UNTIL, OPT_AUTHOR, OPT_ALL, OPT_DATA, OPT_JSON };

static const struct option options[] = {
    { "object", required_argument, NULL, OPT_OBJECT }, { "case", required_argument, NULL, OPT_CASE },   { "query", required_argument, NULL, OPT_QUERY },
    { "reason", required_argument, NULL, OPT_REASON }, { "from", required_argument, NULL, OPT_FROM },   { "to", required_argument, NULL, OPT_TO },
    { "until", required_argument, NULL, OPT_UNTIL },   { "author", required_argument, NULL, OPT_AUTHOR }, { "all", no_argument, NULL, OPT_ALL },
    { "data", required_argument, NULL, OPT_DATA },     { "json", no_argument, NULL, OPT_JSON },         { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static const char *take_text(char *out, size_t room, const char *s)
{
    if (strlen(s) >= room)
        return "a text is too long";
    memcpy(out, s, strlen(s) + 1);
    return NULL;
}

static const char *take_subject(struct asked *a, int c)
{
    a->subjects++;
    a->h.kind = c == OPT_OBJECT ? HOLD_OBJECT : c == OPT_CASE ? HOLD_CASE : HOLD_QUERY;
    return c == OPT_QUERY ? take_text(a->h.filter, sizeof a->h.filter, optarg) : take_text(a->h.subject, sizeof a->h.subject, optarg);
}

/* take_option - NULL, or what is wrong. */
static const char *take_option(struct asked *a, int c)
{
    switch (c) {
    case OPT_OBJECT:
    case OPT_CASE:
    case OPT_QUERY: return take_subject(a, c);
    case OPT_REASON: a->reason = optarg; return NULL;
    case OPT_FROM: return take_moment(optarg, &a->h.from) ? NULL : "--from wants a day or a moment";
    case OPT_TO: return take_moment(optarg, &a->h.to) ? NULL : "--to wants a day or a moment";
    case OPT_UNTIL: return take_moment(optarg, &a->h.until) ? NULL : "--until wants a day or a moment";
    case OPT_AUTHOR: a->author = optarg; return NULL;
    case OPT_ALL: a->all = true; return NULL;
    case OPT_DATA: a->data = optarg; return NULL;
    case OPT_JSON: a->json = true; return NULL;
    default: return "no such option";
    }
}

/* --- showing --- */

static void show_json(const struct hold *h)
{
    json_t *o = hold_json(h, clock_now());

    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static const char *moment_text(time_ns t, time_ns none, const char *word, char out[TIME_TEXT_MAX])
{
    return t == none ? word : time_format_utc(t, out);
}

static void show(const struct hold *h)
{
    char a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];

    printf("%s  %s %s\n", h->id, hold_kind_name(h->kind), h->subject);
    printf("  %s, from %s to %s\n", *h->filter ? h->filter : "everything", moment_text(h->from, INT64_MIN, "the first event", a), moment_text(h->to, INT64_MAX, "the last one", b));
    printf("  set by %s at %s, until %s: %s\n", h->set_by, moment_text(h->set_at, 0, "?", a), moment_text(h->until, 0, "it is released", b), h->reason);
    if (h->released_at)
        printf("  RELEASED by %s at %s: %s\n", h->released_by, moment_text(h->released_at, 0, "?", a), h->release_reason);
    else if (!hold_active(h, clock_now()))
        puts("  OVER");
}

static int list(const struct asked *a, const char *folder, struct err *e)
{
    struct holds all;
    int rc = holds_read(folder, &all, e);

    if (rc == -ENOENT) {
        fprintf(stderr, "saqshy hold: nothing is held in \"%s\"\n", a->data);
        return EXIT_YES;
    }
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < all.count; i++) {
        if (!a->all && !hold_active(&all.item[i], clock_now()))
            continue;
        if (a->json)
            show_json(&all.item[i]);
        else
            show(&all.item[i]);
    }
    if (all.unreadable)
        fprintf(stderr, "saqshy hold: %zu of the holds cannot be read, and nothing is removed as long as they are there: %s\n", all.unreadable, all.fault);
    rc = all.unreadable ? EXIT_NO : EXIT_YES;
    holds_free(&all);
    return rc;
}

/* --- changing --- */

/* of_case - the object of a case, and from when its events are held. */
static int of_case(struct asked *a, struct err *e)
{
    char desk[4096], object[256];
    time_ns detected;
    int rc;

    snprintf(desk, sizeof desk, "%.4000s/desk/desk.db", a->data);
    rc = case_object(desk, str_c(a->h.subject), object, &detected, e);
    return rc < 0 ? rc : hold_of_case(&a->h, str_c(object), detected, e);
}

static int add(struct asked *a, const char *folder, struct err *e)
{
    char path[4096];
    int rc = a->h.kind == HOLD_OBJECT ? hold_of_object(&a->h, str_c(a->h.subject), e) : a->h.kind == HOLD_CASE ? of_case(a, e) : 0;

    if (rc == 0)
        rc = file_mkdirs(folder, 0750, e);
    if (rc == 0)
        rc = own_as(a->data, folder, e);
    if (rc == 0)
        rc = hold_set(folder, &a->h, e);
    snprintf(path, sizeof path, "%.3800s/%s.hold", folder, a->h.id);
    return rc < 0 ? rc : own_as(a->data, path, e);
}

static int release(struct asked *a, const char *folder, const char *id, struct err *e)
{
    char path[4096];
    int rc = hold_release(folder, str_c(id), str_c(a->author), str_c(a->reason), clock_now(), &a->h, e);

    snprintf(path, sizeof path, "%.3800s/%.40s.hold", folder, id);
    return rc < 0 ? rc : own_as(a->data, path, e);
}

static const char *wrong_words(struct asked *a, const char *verb, int words)
{
    bool adds = strcmp(verb, "add") == 0, releases = strcmp(verb, "release") == 0;

    if (!adds && !releases && strcmp(verb, "list") != 0)
        return "add, list or release is expected";
    if (words != releases)
        return releases ? "the ID of one hold is expected" : "there is a word too many";
    if (adds && a->subjects != 1)
        return "one of --object, --case and --query says what is held";
    if ((adds || releases) && !a->reason)
        return "--reason is missing: a hold says why, and so does its release";
    if (a->reason && take_text(a->h.reason, sizeof a->h.reason, a->reason))
        return "--reason is too long";
    return take_text(a->h.set_by, sizeof a->h.set_by, a->author);
}

int cmd_hold(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA"), *wrong = NULL;
    struct asked a = { .data = data ? data : "data", .author = me(), .h = { .from = INT64_MIN, .to = INT64_MAX, .set_at = clock_now() } };
    const char *verb;
    char folder[4096];
    struct err e = { 0 };
    int c, rc;

    while (!wrong && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_YES;
        }
        wrong = take_option(&a, c);
    }
    verb = optind < argc ? argv[optind] : "";
    if (!wrong)
        wrong = wrong_words(&a, verb, argc - optind - 1);
    if (wrong)
        return wrong_usage("hold", wrong);
    snprintf(folder, sizeof folder, "%.4000s/" HOLD_FOLDER, a.data);
    if (strcmp(verb, "list") == 0)
        rc = list(&a, folder, &e);
    else
        rc = strcmp(verb, "add") == 0 ? add(&a, folder, &e) : release(&a, folder, argv[optind + 1], &e);
    if (rc < 0) {
        fprintf(stderr, "saqshy hold: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (strcmp(verb, "list") != 0) {
        if (a.json)
            show_json(&a.h);
        else
            puts(a.h.id);
    }
    return rc;
}
