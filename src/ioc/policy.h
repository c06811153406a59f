/* policy.h - content/ioc/indicators.yaml: which fields of an event hold what could be an indicator, which of them detection asks for, and how grave what it finds is.
 *
 * Owns      struct ioc_policy owns its texts and its table.
 * Promises  A file that is wrong is refused whole, with line and column.
 * Threads   read-only after loading: any. */
#ifndef SAQSHY_IOC_POLICY_H
#define SAQSHY_IOC_POLICY_H

#include "ioc/ioc.h"

#define IOC_FIELDS_MAX 512

struct ioc_policy;

MUST_USE int ioc_policy_load(const char *path, struct ioc_policy **out, struct err *e);
void ioc_policy_free(struct ioc_policy **p);
/* ioc_policy_means - the type of indicator that a field holds; IOC_TYPES: none. */
enum ioc_type ioc_policy_means(const struct ioc_policy *p, struct str field);
/* ioc_policy_silent - detection does not ask for values of this type. */
bool ioc_policy_silent(const struct ioc_policy *p, enum ioc_type type);
/* ioc_value_next - the values that a field of this type holds, one by one: Sysmon writes hashes as "MD5=…,SHA256=…". *rest begins as the field's value. */
bool ioc_value_next(enum ioc_type type, struct str *rest, struct str *one);
/* ioc_policy_level - "high", "medium", "low" or "informational", by confidence. */
const char *ioc_policy_level(const struct ioc_policy *p, uint8_t confidence);

#endif
