/* cmd_scan.c - "saqshy scan [--format ID] [--json] FILE…": the findings in the reports of scanners. A report that breaks is refused
 * whole: its findings wait in a temporary file without a name until the last byte has been read. */
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include "base/file.h"
#include "bin/bin.h"
#include "bin/event_print.h"
#include "scan/scan.h"

static const char usage[] =
    "usage: saqshy scan [--format auto|ID] [--json] [--summary] [--covers] FILE…\n"
    "       saqshy scan --formats\n\n"
    "Shows the findings in reports of scanners, one a line; what a report is, its content says. \"-\" is standard input.\n"
    "--summary tells of each report only what it is and how much it holds, --covers also what was looked at, --formats lists\n"
    "the kinds of reports that are known. A broken report is refused whole, with its place,\n"
    "in Kazakh, Russian or English by LANG.\n"
    "Exit 0 if every report was read, 1 if one is broken or unknown, 2 if one cannot be opened.\n";

#define SPOOL_MAX (UINT64_C(16) * 1024 * MIB)

struct output {
    const char *file;
    FILE       *spool;
    struct buf  b;
    bool        json, summary, covers;
    uint64_t    severities[SCAN_CRITICAL + 1];
    struct catalog *words;   /* NULL: English, as the sentences stand in the program */
};

/* --- JSON --- */

static void key(struct buf *b, const char *name) { buf_printf(b, "%s\"%s\":", b->n > 1 ? "," : "", name); }

static void text_or_null(struct buf *b, const char *name, struct str s)
{
    key(b, name);
    if (s.n)
        buf_json(b, s);
    else
        buf_str(b, STR("null"));
}

static void text(struct buf *b, const char *name, struct str s)
{
    if (s.n)
        text_or_null(b, name, s);
}

static void list(struct buf *b, const char *name, const struct str *v, size_t n, bool always)
{
    if (n == 0 && !always)
        return;
    key(b, name);
    buf_byte(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, v[i]);
    }
    buf_byte(b, ']');
}

static void number(struct buf *b, const char *name, double n, bool always)
{
    if (n < 0 && !always)
        return;
    key(b, name);
    if (n < 0)
        buf_str(b, STR("null"));
    else
        buf_printf(b, "%.10g", n);
}

static void moment(struct buf *b, const char *name, time_ns t, bool always)
{
    char out[TIME_TEXT_MAX];

    if (t)
        text(b, name, str_c(time_format_utc(t, out)));
    else if (always)
        text_or_null(b, name, STR(""));
}

static void finding_json(struct buf *b, const char *file, const struct scan_finding *f)
{
    buf_byte(b, '{');
    text_or_null(b, "file", str_c(file));
    text_or_null(b, "tool", f->tool);
    text_or_null(b, "title", f->title);
    text_or_null(b, "severity", str_c(scan_severity_name(f->severity)));
    list(b, "cve", f->cve, f->cve_count, true);
    number(b, "cvss", f->cvss, true);
    text_or_null(b, "host", f->host.n ? f->host : f->ip);
    number(b, "port", f->port, true);
    text_or_null(b, "component", f->component);
    moment(b, "first_seen", f->first_seen_at, true);
    text(b, "ip", f->ip);
    text(b, "check", f->check);
    text(b, "id", f->id);
    text(b, "severity_text", f->severity_text);
    if (f->status != SCAN_OPEN)
        text(b, "status", str_c(scan_status_name(f->status)));
    if (f->cwe_count) {
        key(b, "cwe");
        for (size_t i = 0; i < f->cwe_count; i++)
            buf_printf(b, "%c%u", i ? ',' : '[', f->cwe[i]);
        buf_byte(b, ']');
    }
    text(b, "cvss_v2", f->cvss_v2);
    text(b, "cvss_v3", f->cvss_v3);
    text(b, "cvss_v4", f->cvss_v4);
    number(b, "epss", f->epss, false);
    number(b, "epss_percentile", f->epss_percentile, false);
    if (f->kev)
        buf_str(b, STR(",\"kev\":true"));
    text(b, "protocol", f->protocol);
    text(b, "service", f->service);
    text(b, "version", f->version);
    text(b, "fixed_version", f->fixed_version);
    text(b, "path", f->path);
    if (f->line)
        number(b, "line", f->line, true);
    text(b, "url", f->url);
    text(b, "method", f->method);
    text(b, "parameter", f->parameter);
    moment(b, "seen", f->seen_at, false);
    if (f->occurrences > 1)
        buf_printf(b, ",\"occurrences\":%llu", (unsigned long long)f->occurrences);
    buf_printf(b, ",\"record_line\":%llu", (unsigned long long)f->record_line);
    text(b, "description", f->description);
    text(b, "impact", f->impact);
    text(b, "solution", f->solution);
    text(b, "evidence", f->evidence);
    list(b, "references", f->references, f->reference_count, false);
    list(b, "tags", f->tags, f->tag_count, false);
    buf_str(b, STR("}\n"));
}

static const char *ran_name(enum scan_ran r) { return r == SCAN_RAN_ALL ? "all" : r == SCAN_RAN_CHECK ? "check" : "passed"; }

static void cover_json(struct buf *b, const char *file, const struct scan_cover *c)
{
    buf_byte(b, '{');
    text_or_null(b, "file", str_c(file));
    text_or_null(b, "ran", str_c(ran_name(c->ran)));
    text(b, "tool", c->tool);
    text(b, "check", c->check);
    text(b, "host", c->host);
    text(b, "ip", c->ip);
    text(b, "path", c->path);
    text(b, "protocol", c->protocol);
    number(b, "port", c->port, false);
    number(b, "port_to", c->port_to, false);
    buf_str(b, STR("}\n"));
}

/* --- for people --- */

static void finding_text(struct buf *b, const struct scan_finding *f)
{
    struct str place = f->host.n ? f->host : f->ip.n ? f->ip : f->url.n ? f->url : f->path;

    buf_printf(b, "%-8s ", scan_severity_name(f->severity));
    if (f->cvss >= 0)
        buf_printf(b, "%4.1f  ", f->cvss);
    else
        buf_str(b, STR("   -  "));
    plain_put(b, place.n ? place : STR("-"), 120);
    if (f->port >= 0)
        buf_printf(b, ":%d", (int)f->port);
    if (f->line)
        buf_printf(b, ":%u", f->line);
    buf_str(b, STR("  "));
    plain_put(b, f->title.n ? f->title : f->check, 160);
    for (size_t i = 0; i < f->cve_count && i < 3; i++) {
        buf_str(b, i ? STR(", ") : STR("  "));
        plain_put(b, f->cve[i], 32);
    }
    if (f->component.n) {
        buf_str(b, STR("  "));
        plain_put(b, f->component, 80);
        buf_byte(b, ' ');
        plain_put(b, f->version, 40);
        if (f->fixed_version.n)
            buf_str(b, STR(" -> "));
        plain_put(b, f->fixed_version, 40);
    }
    buf_byte(b, '\n');
}

static int flush(struct output *o, struct err *e)
{
    size_t n = fwrite(o->b.p ? o->b.p : "", 1, o->b.n, o->spool);
    bool failed = n != o->b.n || buf_failed(&o->b);

    buf_reset(&o->b);
    return failed ? err_set(e, -EIO, "the findings could not be kept in a temporary file") : 0;
}

static int on_finding(void *arg, const struct scan_finding *f, struct err *e)
{
    struct output *o = arg;

    o->severities[f->severity]++;
    if (o->summary)
        return 0;
    if (o->json)
        finding_json(&o->b, o->file, f);
    else
        finding_text(&o->b, f);
    return flush(o, e);
}

static int on_cover(void *arg, const struct scan_cover *c, struct err *e)
{
    struct output *o = arg;

    if (o->summary || !o->covers)
        return 0;
    if (o->json) {
        cover_json(&o->b, o->file, c);
        return flush(o, e);
    }
    buf_printf(&o->b, "looked at (%s)  ", ran_name(c->ran));
    plain_put(&o->b, c->host.n ? c->host : c->ip.n ? c->ip : c->path, 120);
    if (c->port >= 0)
        buf_printf(&o->b, ":%d-%d", (int)c->port, (int)c->port_to);
    buf_str(&o->b, STR("  "));
    plain_put(&o->b, c->check, 120);
    buf_byte(&o->b, '\n');
    return flush(o, e);
}

static void summary(struct output *o, const struct scan_report *r)
{
    buf_reset(&o->b);
    if (o->json) {
        buf_byte(&o->b, '{');
        text_or_null(&o->b, "file", str_c(o->file));
        text_or_null(&o->b, "format", str_c(r->format));
        text_or_null(&o->b, "tool", str_c(r->tool));
        text(&o->b, "version", str_c(r->version));
        moment(&o->b, "started", r->started_at, false);
        moment(&o->b, "ended", r->ended_at, false);
        buf_printf(&o->b, ",\"records\":%llu,\"findings\":%llu,\"covers\":%llu,\"cut\":%llu,\"severities\":{", (unsigned long long)r->records,
                   (unsigned long long)r->findings, (unsigned long long)r->covers, (unsigned long long)r->cut);
        for (int i = SCAN_CRITICAL; i >= SCAN_UNKNOWN; i--)
            buf_printf(&o->b, "\"%s\":%llu%s", scan_severity_name((enum scan_severity)i), (unsigned long long)o->severities[i], i ? "," : "}}\n");
    } else {
        buf_printf(&o->b, "%s: %s", o->file, r->format);
        buf_str(&o->b, STR(", ")), plain_put(&o->b, str_c(r->tool), sizeof r->tool);
        buf_byte(&o->b, ' '), plain_put(&o->b, str_c(r->version), sizeof r->version);
        buf_printf(&o->b, ", %llu findings:", (unsigned long long)r->findings);
        for (int i = SCAN_CRITICAL; i >= SCAN_UNKNOWN; i--)
            buf_printf(&o->b, " %llu %s%s", (unsigned long long)o->severities[i], scan_severity_name((enum scan_severity)i), i ? "," : "");
        buf_printf(&o->b, "; %llu lines of what was looked at\n", (unsigned long long)r->covers);
    }
    fwrite(o->b.p, 1, o->b.n, o->summary ? stdout : stderr);
}

/* --- files --- */

/* spool - what comes by a pipe as a file, because a report may be read twice. */
static int spool(FILE *from, struct err *e)
{
    FILE *f = tmpfile();
    char piece[65536];
    uint64_t sum = 0;
    size_t n;
    int fd;

    if (!f)
        return err_sys(e, "cannot make a temporary file");
    while ((n = fread(piece, 1, sizeof piece, from)) > 0) {
        sum += n;
        if (sum > SPOOL_MAX || fwrite(piece, 1, n, f) != n) {
            fclose(f);
            return err_set(e, -EIO, "what comes by the pipe does not fit in a temporary file");
        }
    }
    fd = fflush(f) == 0 ? dup(fileno(f)) : -1;
    fclose(f);
    return fd >= 0 ? fd : err_set(e, -EIO, "what comes by the pipe could not be kept in a temporary file");
}

/* report_open - a file as it is, standard input ("-") and other pipes as a file made of them. */
static int report_open(const char *path, struct err *e)
{
    AUTO_FCLOSE FILE *f = NULL;
    struct stat st;

    if (strcmp(path, "-") == 0)
        return spool(stdin, e);
    f = fopen(path, "re");
    if (!f || fstat(fileno(f), &st) < 0)
        return err_sys(e, "cannot open %s", path);
    if (S_ISDIR(st.st_mode))
        return err_set(e, -EISDIR, "%s is a folder, not a report", path);
    if (!S_ISREG(st.st_mode))
        return spool(f, e);
    int fd = dup(fileno(f));
    return fd >= 0 ? fd : err_sys(e, "cannot open %s", path);
}

static int copy_out(FILE *from)
{
    char piece[65536];
    size_t n;

    rewind(from);
    while ((n = fread(piece, 1, sizeof piece, from)) > 0)
        if (fwrite(piece, 1, n, stdout) != n)
            return EXIT_NO;
    return ferror(from) ? EXIT_NO : EXIT_YES;
}

/* told - why a report was refused, in the language of the terminal. */
static void told(const struct output *o, const char *why)
{
    AUTO_ARENA struct arena a;

    arena_init(&a, MIB);
    fprintf(stderr, "saqshy scan: %.*s\n", STR_ARG(o->words ? scan_fault_words(o->words, lang_of_environment(), &a, str_c(why)) : str_c(why)));
}

static int one(const struct scan_formats *formats, const char *format, struct output *o)
{
    struct scan_sink sink = { .finding = on_finding, .cover = on_cover, .arg = o };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_CLOSE int fd = report_open(o->file, &e);
    AUTO_FCLOSE FILE *kept = NULL;
    int rc;

    if (fd < 0) {
        fprintf(stderr, "saqshy scan: %s\n", e.text);
        return EXIT_USAGE;
    }
    kept = o->spool = tmpfile();
    if (!kept) {
        fprintf(stderr, "saqshy scan: cannot make a temporary file\n");
        return EXIT_USAGE;
    }
    memset(o->severities, 0, sizeof o->severities);
    rc = scan_read(formats, fd, o->file, format, NULL, &sink, &r, &e);
    if (rc < 0) {
        told(o, e.text);
        return rc == -EINVAL ? EXIT_USAGE : EXIT_NO;
    }
    if (o->summary || !o->json)
        summary(o, &r);
    return copy_out(kept);
}

static int formats_list(const struct scan_formats *f, bool json)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    for (size_t i = 0; i < scan_formats_count(f); i++) {
        if (!json) {
            buf_printf(&b, "%-24s %s\n", scan_format_id(f, i), scan_format_title(f, i));
            continue;
        }
        buf_str(&b, STR("{\"id\":"));
        buf_json(&b, str_c(scan_format_id(f, i)));
        buf_str(&b, STR(",\"title\":"));
        buf_json(&b, str_c(scan_format_title(f, i)));
        buf_str(&b, STR("}\n"));
    }
    fwrite(b.p ? b.p : "", 1, b.n, stdout);
    return EXIT_YES;
}

static int load(const char *content, struct scan_formats **out, struct catalog **words)
{
    struct node *node = NULL;
    char exe[4096];
    struct err e = { 0 };
    int rc = node_exe_folder(exe, &e);

    if (rc == 0 && !content)
        rc = node_default(NULL, exe, &node, &e);
    if (rc == 0)
        rc = scan_formats_load(content ? content : node->content, out, &e);
    if (rc == 0 && lang_of_environment() != LANG_EN) {
        char folder[4096];

        snprintf(folder, sizeof folder, "%.4000s/i18n", content ? content : node->content);
        /* A folder of descriptions alone has no words: then it is told in English. */
        if (catalog_load(folder, words, NULL) < 0)
            *words = NULL;
    }
    if (rc < 0)
        fprintf(stderr, "saqshy scan: %s\n", e.text);
    node_free(&node);
    return rc;
}

int cmd_scan(int argc, char **argv)
{
    static const struct option options[] = { { "format", required_argument, NULL, 'f' }, { "json", no_argument, NULL, 'j' }, { "summary", no_argument, NULL, 's' },
                                             { "covers", no_argument, NULL, 'c' }, { "formats", no_argument, NULL, 'l' }, { "content", required_argument, NULL, 'C' },
                                             { "help", no_argument, NULL, 'h' }, { 0 } };
    struct output o = { 0 };
    struct scan_formats *formats = NULL;
    const char *format = "auto", *content = NULL;
    bool show_formats = false;
    int c, worst = EXIT_YES;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
        switch (c) {
        case 'f': format = optarg; break;
        case 'j': o.json = true; break;
        case 's': o.summary = true; break;
        case 'c': o.covers = true; break;
        case 'l': show_formats = true; break;
        case 'C': content = optarg; break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    if (!show_formats && optind == argc)
        return wrong_usage("scan", "no file is named");
    if (load(content, &formats, &o.words) < 0)
        return EXIT_USAGE;
    buf_init(&o.b, 64 * MIB);
    if (show_formats)
        worst = formats_list(formats, o.json);
    for (int i = optind; i < argc && !show_formats; i++) {
        int rc;

        o.file = argv[i];
        rc = one(formats, format, &o);
        worst = rc > worst ? rc : worst;
    }
    buf_free(&o.b);
    catalog_free(&o.words);
    scan_formats_free(&formats);
    return worst;
}
