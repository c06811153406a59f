/* onboarding.h - an object on its way into monitoring: which logs, from where, by which agent, on what conditions, and what really arrives.
 *
 * Owns      the tables log_source, collector, sending; content/policy/log_sources.yaml is read anew by each call that needs it.
 * Promises  1. Rules only propose: a log is listed when an analyst approves it (R-10.1-01).
 *           2. A log goes its way one step at a time: proposed, identified, logging_organised, to_lcs, agent_installed; who answers for a step takes it.
 *              to_siem, silent and non_conforming are not stored: they are what ingest tells at the moment of reading.
 *           3. Conditions of sending are proposed by one side and agreed by the other (R-12-09); a version is never changed.
 * Threads   as struct desk.
 * Source    paragraphs 10(1), 12; R-10.1-01 to -05, R-12-02 to -06, R-12-09; 7.10. */
#ifndef SAQSHY_DESK_ONBOARDING_H
#define SAQSHY_DESK_ONBOARDING_H

#include "desk/desk.h"

#define LOG_SOURCES_MAX 5000    /* of one object */
#define LOG_RULES_MAX   200
#define LOG_WORDS_MAX   64      /* of one rule */
#define LOG_OF_RULE_MAX 16

/* desk_onboarding - the whole of it for one object; desk_onboarding_act - body by the action, the answer is the same. */
MUST_USE int desk_onboarding(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r);
MUST_USE int desk_onboarding_act(struct desk *d, const struct viewer *v, struct str object, struct str action, const json_t *body, time_ns now,
                                 struct desk_reply *r);

/* --- log_rules.c; pure but for reading the file --- */

struct log_rule_source {
    struct str class, log, path, agent;     /* agent: lcs, server, either */
};
struct log_rule {
    struct str id;
    struct str words[LOG_WORDS_MAX];
    size_t     word_count;
    bool       protection, otherwise;
    struct log_rule_source sources[LOG_OF_RULE_MAX];
    size_t     source_count;
};
struct log_rules {
    struct yaml     *file;                  /* owns the texts */
    struct log_rule *rules;
    size_t           count;
    int64_t          silent_minutes, unparsed_percent;
};
MUST_USE int log_rules_load(const char *content, struct log_rules *out, struct err *e);
void log_rules_free(struct log_rules *r);
/* log_rule_matches - the word by which a rule knows a text in small letters (fold_text), {NULL,0} if it does not. A word begins where
 * no letter stands before it; one of less than five letters also ends so ("alt" is neither in "salt" nor in "altair"). A rule for protection tools knows whatever is marked as one, by the word "protection". */
struct str log_rule_matches(const struct log_rule *r, struct str text, bool protection);

#endif
