/* ioc.h - indicators of compromise: read from what others publish, kept as one set, found in it.
 *
 *      STIX 2.x, MISP, lists  -> ioc_read ->  indicators  -> ioc_build ->  the set, one file  -> ioc_open, ioc_find
 *
 * Owns      struct ioc_set owns the mapped file. What is read lies in the caller's memory.
 * Promises  1. A file of indicators is taken as far as it can be understood: what is not an indicator, of no type we look for, or not written as its type is
 *              counted by reason, with the first of each; a file that is no such file at all is refused with its place.
 *           2. Values are in their one way of writing (value.h), so what is equal is found, however it was written.
 *           3. A set is a file that is mapped: it is read through once when it is opened, and gives its memory back; looking up what is not in it touches one line of
 *              memory. It is replaced as a whole; one that is torn or foreign is refused, never read in part.
 *           4. An indicator whose term is over, or has not begun, is not found; one on a warning list is found with the name of the list, for whoever asks to keep silent.
 * Threads   a set does not change: any. Reading and building: owner.
 * Units     confidence in percent; times in time_ns; at most IOC_MAX indicators a set.
 * Source    R-A2-09; STIX 2.1 (OASIS), MISP core format, MISP warning lists. */
#ifndef SAQSHY_IOC_IOC_H
#define SAQSHY_IOC_IOC_H

#include "ioc/value.h"

#define IOC_MAX             16000000u
#define IOC_FILE_MAX        (512u * MIB)     /* of a file that is read */
#define IOC_SOURCE_MAX      64               /* bytes of a source's name: letters, digits, '.', '-', '_' */
#define IOC_SOURCES_MAX     1000
#define IOC_NOTE_MAX        256
#define IOC_CONFIDENCE_NONE 255u
#define IOC_RULE_PREFIX     "ioc-"           /* how the rule.id of a finding of an indicator begins; its rule.name is the value */

enum ioc_tlp { IOC_TLP_NONE, IOC_TLP_CLEAR, IOC_TLP_GREEN, IOC_TLP_AMBER, IOC_TLP_AMBER_STRICT, IOC_TLP_RED, IOC_TLP_COUNT };
const char *ioc_tlp_name(enum ioc_tlp t);
/* ioc_tlp_parse - "amber", "TLP:AMBER", "white" (the old name of clear); IOC_TLP_COUNT for what is none. */
enum ioc_tlp ioc_tlp_parse(struct str name);

struct ioc {
    enum ioc_type type;
    enum ioc_tlp  tlp;
    uint8_t       confidence;       /* 0 to 100, or IOC_CONFIDENCE_NONE */
    time_ns       from, until;      /* 0: no bound */
    struct str    value, source, id, note;
    struct str    warning;          /* of a set: the warning list that has it */
};

/* --- reading --- */

enum ioc_format { IOC_STIX, IOC_MISP, IOC_LIST, IOC_FORMATS };
const char *ioc_format_name(enum ioc_format f);

/* Why something in a file did not become an indicator. WIDE: an address of one's own, or a network that holds half the world: each event would meet it. */
enum ioc_skip { IOC_SKIP_NOT_FOR_DETECTION, IOC_SKIP_REVOKED, IOC_SKIP_TYPE, IOC_SKIP_VALUE, IOC_SKIP_PATTERN, IOC_SKIP_WIDE, IOC_SKIPS };
const char *ioc_skip_name(enum ioc_skip s);

struct ioc_told {
    enum ioc_format format;
    uint64_t taken, skipped[IOC_SKIPS];
    char     example[IOC_SKIPS][96];      /* the first of each */
};

/* ioc_fn - one indicator, borrowed for the call. A failure ends the reading. */
typedef int ioc_fn(void *arg, const struct ioc *i, struct err *e);

/* ioc_read - the indicators of a file. usual has what counts where the file does not say it: source, confidence, tlp, until; and type for lists that name none
 * (IOC_TYPES: each value by its look). *told is filled in any case. -EBADMSG: no such file, with line and column. */
MUST_USE int ioc_read(struct str bytes, const struct ioc *usual, ioc_fn *fn, void *arg, struct ioc_told *told, struct err *e);

/* ioc_guess - the type that a value looks like; IOC_TYPES: none. */
enum ioc_type ioc_guess(struct str value);

/* --- the set --- */

struct ioc_build;
struct ioc_set;

MUST_USE int ioc_build_new(struct ioc_build **out, struct err *e);
void ioc_build_free(struct ioc_build **b);
/* ioc_build_add - the later one of equal type, value and source counts. -E2BIG past a limit. */
MUST_USE int ioc_build_add(struct ioc_build *b, const struct ioc *i, struct err *e);
/* ioc_build_warnings - a MISP warning list: indicators that it has are marked by its name when the set is written. */
MUST_USE int ioc_build_warnings(struct ioc_build *b, struct str json, struct err *e);
/* ioc_build_write - the set as the file path, which is replaced in one step. *count: indicators in it. */
MUST_USE int ioc_build_write(struct ioc_build *b, const char *path, size_t *count, struct err *e);

/* ioc_open - -ENOENT: there is none; -EBADMSG: no set, or torn. */
MUST_USE int ioc_open(const char *path, struct ioc_set **out, struct err *e);
void ioc_close(struct ioc_set **s);
size_t ioc_count(const struct ioc_set *s);
/* ioc_each - all of it, in order of type and value, terms that are over too. */
MUST_USE int ioc_each(const struct ioc_set *s, ioc_fn *fn, void *arg, struct err *e);
/* ioc_find - what the set has of a value as an event writes it: an address also by its networks, a name by the names above it, a URL and a mail address also by their
 * hosts. At most max, the nearest first; terms are held against now. Texts are borrowed from the set. */
size_t ioc_find(const struct ioc_set *s, enum ioc_type type, struct str value, time_ns now, struct ioc *out, size_t max);

#endif
