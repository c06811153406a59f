/* cmd_report.c - saqshy report quarter: the summary of a quarter from a running centre, as PDF, XLSX or JSON. */
#include "bin/bin.h"
#include "base/file.h"
#include "bin/remote.h"

#include <getopt.h>

static const char usage[] =
    "usage: saqshy report quarter 2026Q3 --server URL [--paragraph 17|18] [--format pdf|xlsx|json] [--as-of TIME] [FILE]\n\n"
    "Writes the summary of the quarter (paragraph 17: to KNB; 18: to the authorised body) to FILE (default: standard output).\n"
    "What was sent comes as it was sent; --as-of draws it anew with the figures of that moment. A quarter without a report gives its figures as JSON.\n\n"
    "SAQSHY_USER and SAQSHY_PASSWORD name who asks; --cacert FILE or SAQSHY_CACERT the portal's authority.\n"
    "Exit codes: 0 written, 1 the server refused or has no such report, 2 usage.\n";

struct asked {
    const char *quarter, *server, *ca, *paragraph, *format, *as_of, *file;
};

static int put(const struct asked *a, struct str bytes, struct err *e)
{
    return a->file && strcmp(a->file, "-") != 0 ? file_write_atomic(a->file, bytes, 0640, e) : file_write_all(1, bytes, e);
}

/* find - id of the newest version of the quarter's report; 1 if there is none. */
static int find(struct remote *r, const struct asked *a, char id[32], struct err *e)
{
    char before[32] = "";
    int rc;

    do {
        json_t *page = NULL, *report;
        size_t i;

        rc = remote_get(r, &page, e, "/reports", "paragraph", a->paragraph, *before ? "before" : NULL, before, NULL);
        json_array_foreach(json_object_get(page, "items"), i, report) {
            const char *quarter = json_string_value(json_object_get(report, "quarter")), *found = json_string_value(json_object_get(report, "id"));

            if (quarter && found && strcmp(quarter, a->quarter) == 0) {
                snprintf(id, 32, "%s", found);
                json_decref(page);
                return 0;
            }
        }
        const char *next = json_string_value(json_object_get(page, "next"));
        snprintf(before, sizeof before, "%s", next ? next : "");
        json_decref(page);
    } while (rc == 0 && *before);
    return rc < 0 ? rc : 1;
}

static int figures(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *j = NULL;
    int rc = remote_get(r, &j, e, "/figures", "paragraph", a->paragraph, "quarter", a->quarter, a->as_of ? "as_of" : NULL, a->as_of, NULL);
    AUTO_FREE char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;

    json_decref(j);
    return rc < 0 ? rc : put(a, str_c(text), e);
}

static int report(struct remote *r, const struct asked *a, struct err *e)
{
    bool json = strcmp(a->format, "json") == 0;
    struct str bytes;
    char id[32], moment[TIME_TEXT_MAX] = "", path[160];
    time_ns as_of = 0;
    int rc;

    if (a->as_of && !json && time_parse_rfc3339(str_c(a->as_of), &as_of, NULL, NULL) < 0)
        return err_set(e, -EINVAL, "--as-of: a moment is written 2026-04-01T09:00:00Z");
    if (a->as_of && json)
        return figures(r, a, e);
    rc = find(r, a, id, e);
    if (rc > 0)
        return json ? figures(r, a, e) : err_set(e, -ENOENT, "there is no report of %s: --format json counts any quarter", a->quarter);
    if (rc < 0)
        return rc;
    if (a->as_of)
        time_format_utc(as_of, moment);
    snprintf(path, sizeof path, "/reports/%s/file?format=%s%s%s", id, a->format, a->as_of ? "&as_of=" : "", moment);
    rc = remote_bytes(r, "GET", path, str_of(NULL, 0), &bytes, e);
    return rc < 0 ? rc : put(a, bytes, e);
}

static bool one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

static int run(const struct asked *a)
{
    static const char *const paragraphs[] = { "17", "18", NULL }, *const formats[] = { "pdf", "xlsx", "json", NULL };
    struct err e = { 0 };
    struct remote *r;
    int rc;

    const char *wrong = !a->quarter || strlen(a->quarter) != 6 ? "\"quarter\", one quarter (2026Q3) and at most one FILE are expected"
                        : !a->server                            ? "--server URL is missing"
                        : !one_of(a->paragraph, paragraphs)     ? "--paragraph is 17 or 18"
                        : !one_of(a->format, formats)           ? "--format is pdf, xlsx or json"
                                                                : NULL;

    if (wrong)
        return wrong_usage("report", wrong);
    rc = remote_open(a->server, a->ca, &r, &e);
    if (rc == 0) {
        rc = report(r, a, &e);
        remote_close(&r);
    }
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    return rc == 0 ? EXIT_YES : rc == -EINVAL ? EXIT_USAGE : EXIT_NO;
}

int cmd_report(int argc, char **argv)
{
    static const struct option options[] = { { "server", required_argument, NULL, 's' },    { "cacert", required_argument, NULL, 'c' },
                                             { "paragraph", required_argument, NULL, 'p' }, { "format", required_argument, NULL, 'f' },
                                             { "as-of", required_argument, NULL, 'a' },     { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    struct asked a = { .paragraph = "17", .format = "pdf" };
    bool quarter;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 's': a.server = optarg; break;
        case 'c': a.ca = optarg; break;
        case 'p': a.paragraph = optarg; break;
        case 'f': a.format = optarg; break;
        case 'a': a.as_of = optarg; break;
        case 'h': fputs(usage, stdout); return EXIT_YES;
        default: fputs(usage, stderr); return EXIT_USAGE;
        }
    }
    quarter = optind < argc && strcmp(argv[optind++], "quarter") == 0;
    a.quarter = quarter && optind < argc ? argv[optind++] : NULL;
    a.file = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        a.quarter = NULL;
    return run(&a);
}
