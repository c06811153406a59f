/* policy.h - content/policy/detection.yaml, and what DATA/policy/detection.yaml says otherwise: how matches become findings.
 *
 * Owns      struct detect_policy owns the texts of both files.
 * Promises  1. A key of the site's file takes the place of the same key of ours, whole; what it does not name stays.
 *           2. A file that is wrong is refused whole, with file, line, column and what was expected.
 *           3. A match whose level is below raise_from raises nothing by itself.
 * Threads   read-only once loaded: any.
 * Units     times in ns, points as they stand.
 * Source    detect.md 7 (9-11); docs/detection.md. */
#ifndef SAQSHY_DETECT_POLICY_H
#define SAQSHY_DETECT_POLICY_H

#include "base/yaml.h"
#include "sigma/sigma.h"

#define POLICY_LEVELS_MAX 1024   /* overrides */
#define POLICY_FIELDS_MAX 8
#define POLICY_USERS_MAX  64

struct level_change {
    struct str         rule;
    struct sigma_texts objects;   /* none: all */
    enum sigma_level   level;
};

struct detect_policy {
    struct yaml        *files[2];           /* ours, the site's; owned, the second may be NULL */
    struct buf          texts[2];           /* as they were read; owned */
    struct arena        arena;
    time_ns             window, update;     /* window 0: nothing is grouped */
    struct str          by[POLICY_FIELDS_MAX];
    size_t              by_count;
    uint32_t            storm_groups;
    enum sigma_level    raise_from;
    struct level_change levels[POLICY_LEVELS_MAX];
    size_t              level_count;
    time_ns             half_life;
    double              points[SIGMA_LEVEL_COUNT], host, user;   /* host, user: the thresholds; 0: none */
    struct str          ignore_users[POLICY_USERS_MAX];
    size_t              ignored;
    enum sigma_level    risk_level;
    struct str          risk_kk, risk_ru, risk_en;
    struct silence_policy {               /* what is told of silence (coverage.h): of a source, of a type */
        bool             told;
        enum sigma_level level;
        struct str       kk, ru, en;
        struct sigma_texts measures[3];   /* kk, ru, en */
    }                   silence[2];
    struct str          silence_ignore[POLICY_USERS_MAX];   /* sources */
    size_t              silence_ignored;
};

/* detect_policy_load - ours must be there, the site's (may be NULL) need not. */
MUST_USE int detect_policy_load(const char *ours, const char *site, struct detect_policy **out, struct err *e);
/* detect_policy_parse - the same of texts, named as messages shall name them. */
MUST_USE int detect_policy_parse(struct str ours, struct str site, const char *const names[2], struct detect_policy **out, struct err *e);
void detect_policy_free(struct detect_policy **p);
/* detect_policy_level - the level of a rule's matches on an object. */
enum sigma_level detect_policy_level(const struct detect_policy *p, const struct sigma_rule *r, struct str object);

#endif
