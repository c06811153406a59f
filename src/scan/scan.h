/* scan.h - the reports of scanners: files of many tools as findings of one shape, and what the scan has covered.
 *
 * Owns      struct scan_formats, the descriptions of content/scanners (one YAML file a format; docs/scanners.md is their language).
 * Promises  1. Reading streams: one record of the report is in memory at a time, beside the tables that its description asks for; every size
 *              that a stranger can choose has a limit below, and passing it is -E2BIG with the limit in words.
 *           2. A report is known by its content, never by its name.
 *           3. A broken report is refused whole: -EBADMSG with line and column and what to do. Findings given before are to be thrown away.
 *           4. What a tool says is kept as it says it (severity_text, id); what we make of it stands beside it. A field that the report lacks
 *              is empty, never guessed.
 *           5. Nothing is merged here: each finding of the report is one finding, in the order of the report.
 *           6. Coverage is told as far as the report shows it: which places were looked at and which checks ran there.
 *           7. No document type, no entity, no link of a report is followed.
 * Threads   formats are read-only after loading and may be shared; a reading belongs to its thread.
 * Units     ports 0 to 65535, -1 none; scores 0 to 10, below 0 none; probabilities 0 to 1; time_ns, 0 none.
 * Source    docs/scanners.md; CVSS v3.1 and v4.0 specifications (FIRST). */
#ifndef SAQSHY_SCAN_SCAN_H
#define SAQSHY_SCAN_SCAN_H

#include "base/base.h"
#include "base/catalog.h"

#define SCAN_RECORD_MAX   (16u * MIB)   /* one record of a report, unpacked */
#define SCAN_TABLE_MAX    (64u * MIB)   /* all tables of a report that records refer to */
#define SCAN_TEXT_MAX     (64u * KIB)   /* one text of a finding; a longer one is cut at a letter and says so */
#define SCAN_DEPTH_MAX    96
#define SCAN_LIST_MAX     1024          /* CVEs, references, tags of one finding */

enum scan_severity { SCAN_UNKNOWN, SCAN_INFO, SCAN_LOW, SCAN_MEDIUM, SCAN_HIGH, SCAN_CRITICAL };
const char *scan_severity_name(enum scan_severity s);   /* "unknown", "info" … */

/* What the report says of a finding besides that it is there. */
enum scan_status { SCAN_OPEN, SCAN_FALSE_POSITIVE, SCAN_ACCEPTED, SCAN_FIXED, SCAN_NOT_AFFECTED };
const char *scan_status_name(enum scan_status s);

/* Texts are UTF-8, borrowed until the callback returns. {NULL,0}: the report does not say. */
struct scan_finding {
    struct str tool;            /* "Nessus" */
    struct str check;           /* the tool's name of its test: plugin, OID, template, rule, CVE of a package matcher */
    struct str id;              /* the tool's own name of this very finding (a fingerprint), if it gives one */
    struct str title, description, impact, solution, evidence;
    enum scan_severity severity;
    struct str severity_text;
    enum scan_status status;
    const struct str *cve, *references, *tags;
    size_t     cve_count, reference_count, tag_count;
    const uint32_t *cwe;
    size_t     cwe_count;
    struct str cvss_v2, cvss_v3, cvss_v4;   /* vectors */
    double     cvss;            /* the base score: computed from the newest vector that can be parsed, else the report's */
    double     epss, epss_percentile;
    int        kev;             /* 1: the report says it is known to be exploited */
    struct str host, ip;        /* host: a name; ip: an address */
    int32_t    port;
    struct str protocol;        /* "tcp" */
    struct str service;
    struct str component, version, fixed_version;   /* program or package */
    struct str path;            /* file, image layer, resource */
    uint32_t   line;            /* in path; 0: none */
    struct str url, method, parameter;
    time_ns    seen_at;         /* when the tool saw it; 0: the report's own time holds */
    time_ns    first_seen_at;   /* if the tool remembers */
    uint64_t   occurrences;     /* in the report under one finding; at least 1 */
    uint64_t   record_line;     /* where the record begins in the file (of a line or an element), from 1 */
};

/* What the report shows to have been looked at, whether or not something was found. */
enum scan_ran {
    SCAN_RAN_ALL,      /* the tool looked at this place with everything it has; where the report names checks without a place, with those */
    SCAN_RAN_CHECK,    /* this check is among those that ran (check is set); place may be empty: wherever the report looked */
    SCAN_RAN_PASSED    /* this check ran at this place and found nothing */
};
struct scan_cover {
    enum scan_ran ran;
    struct str tool, check, host, ip, path, protocol;
    int32_t    port, port_to;   /* -1: whatever ports; a range otherwise */
};

struct scan_report {
    char       format[64];      /* id of the description */
    char       tool[128], version[128];
    time_ns    started_at, ended_at;      /* 0: the report does not say */
    uint64_t   records, findings, covers; /* records: those that the description reads */
    uint64_t   cut;             /* texts that were longer than SCAN_TEXT_MAX */
};

struct scan_sink {
    int (*finding)(void *arg, const struct scan_finding *f, struct err *e);   /* below zero ends the reading with that answer */
    int (*cover)(void *arg, const struct scan_cover *c, struct err *e);       /* may be NULL */
    void (*progress)(void *arg, uint64_t done, uint64_t total);               /* bytes; may be NULL */
    void *arg;
};

struct scan_formats;
/* scan_formats_load - CONTENT/scanners. A mistake in a description is -EBADMSG with file, line and column. */
MUST_USE int scan_formats_load(const char *content, struct scan_formats **out, struct err *e);
void scan_formats_free(struct scan_formats **f);
size_t scan_formats_count(const struct scan_formats *f);
const char *scan_format_id(const struct scan_formats *f, size_t i);
const char *scan_format_title(const struct scan_formats *f, size_t i);

/* A saved mapping of a CSV or XLSX table, made by a person: which heading is which field (names of struct scan_finding). */
struct scan_column { struct str heading, field; };
struct scan_mapping {
    struct str tool, sheet;
    const struct scan_column *columns;
    size_t     count;
};

/* scan_read - read a whole report from fd (a regular file, read from its beginning, more than once where its description needs that).
 * format: id, or "auto"; mapping: for tables, else NULL. name stands in errors only. -ENOTSUP: no description knows it (the story says what was
 * seen); -EBADMSG: broken. */
MUST_USE int scan_read(const struct scan_formats *f, int fd, const char *name, const char *format, const struct scan_mapping *mapping,
                       const struct scan_sink *sink, struct scan_report *out, struct err *e);

/* scan_fault_words - what scan_read said of a broken report (place, fault, what to do), in a language; in the arena, or what was said. */
struct str scan_fault_words(const struct catalog *c, enum lang lang, struct arena *a, struct str said);

#endif
