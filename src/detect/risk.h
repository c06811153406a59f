/* risk.h - what a host and a user have on their account: the points of the findings about them, halved every half_life.
 *
 * Owns      struct risk owns the accounts.
 * Promises  1. Each episode (episode.h) adds once, by its level: a rule that matches all day is one episode an hour. Levels below raise_from add too.
 *           2. Who passes the threshold is told once, until the account has fallen to half of it.
 *           3. Bounded: RISK_MAX accounts; the one untouched for longest is dropped, counted.
 *           4. The same events give the same accounts, also over a restart.
 * Threads   owner.
 * Units     points; times are moments of receipt.
 * Source    detect.md 7 (11); docs/detection.md, "Risk".
 *
 * DATA/detect/risk.json, written at most each ten seconds, the highest first, at most RISK_TOLD_MAX:
 *   {"at":TIME,"half_life_s":86400,"threshold":{"host":100,"user":100},"accounts":N,"dropped":N,"entities":[
 *     {"kind":"host"|"user","name","object":ID or "","score":42.5,"over":bool,"first":TIME,"last":TIME,"findings":N,
 *      "rules":[{"id","title","title_kk","title_ru","level","points","count","last":TIME}]}]}
 * times in RFC 3339; rules: the last RISK_RULES that added, newest first; score: at "at". */
#ifndef SAQSHY_DETECT_RISK_H
#define SAQSHY_DETECT_RISK_H

#include "detect/policy.h"

#define RISK_MAX      50000
#define RISK_RULES    5
#define RISK_NAME_MAX 256
#define RISK_TOLD_MAX 1000

struct risk;

MUST_USE int risk_new(const struct detect_policy *p, struct risk **out, struct err *e);
void risk_free(struct risk **r);
void risk_policy(struct risk *r, const struct detect_policy *p);
/* risk_add - an episode of this rule and level began with ev. Findings of accounts that passed their threshold are added to out; returns how
 * many, or -ENOMEM. */
MUST_USE int risk_add(struct risk *r, const struct sigma_rule *rule, enum sigma_level level, const struct event *ev, struct event_batch *out, struct err *e);
/* risk_json - the file above. set: for titles. */
void risk_json(const struct risk *r, const struct sigma *set, time_ns at, struct buf *out);
size_t risk_count(const struct risk *r);
void risk_save(const struct risk *r, struct buf *b);
MUST_USE int risk_load(struct risk *r, struct str saved, struct err *e);

#endif
