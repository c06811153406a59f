/* modifier.h - for detection.c and modifier.c: the row of modifiers behind a field's name. */
#ifndef SAQSHY_SIGMA_MODIFIER_H
#define SAQSHY_SIGMA_MODIFIER_H

#include "sigma/internal.h"

enum modifier {
    MOD_NONE, MOD_EXPAND, MOD_CONTAINS, MOD_STARTS, MOD_ENDS, MOD_ALL, MOD_CASED, MOD_NEQ, MOD_RE, MOD_RE_I, MOD_RE_M, MOD_RE_S, MOD_CIDR,
    MOD_BASE64, MOD_BASE64OFFSET, MOD_UTF16LE, MOD_UTF16BE, MOD_UTF16, MOD_WINDASH, MOD_EXISTS, MOD_REF,
    MOD_LT, MOD_LTE, MOD_GT, MOD_GTE, MOD_MINUTE, MOD_HOUR, MOD_DAY, MOD_WEEK, MOD_MONTH, MOD_YEAR,
};

struct chain {
    enum modifier first;     /* how values are read: MOD_NONE as texts */
    enum modifier compare;   /* of a part of a moment: MOD_NONE for equal, or MOD_LT and kin */
    enum modifier text[6];   /* applied to texts from left to right */
    uint32_t      count;
    unsigned      re_flags;
    bool          all, cased, neq, expand;
};

#define ALTERNATIVES_MAX 4096   /* of one value */
#define ALTERNATIVES_BYTES_MAX MIB /* together */
#define EXPAND_MAX       10000  /* texts that the placeholders of one value make */
#define EXPAND_BYTES_MAX (64u * MIB) /* that all placeholders of a set make */

/* One value on its way through the chain: base64offset makes three of it, and encoding writes each dash of windash out. */
struct alternatives {
    struct tokens *t;
    uint32_t       count;
};

/* chain_parse - names is what stands behind the first "|". */
MUST_USE int chain_parse(struct draft *d, const struct ynode *key, struct str names, struct chain *c);
/* expand_value - the texts that a value with placeholders stands for. */
MUST_USE int expand_value(struct draft *d, const struct ynode *v, struct sigma_texts *out);
MUST_USE int chain_apply(struct draft *d, const struct ynode *at, const struct chain *c, struct alternatives *v);

#endif
