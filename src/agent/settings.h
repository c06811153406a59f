/* settings.h - which settings of a host are looked at, and what is expected of them: content/agent/settings.yaml.
 *
 * Owns      a struct settings owns its texts.
 * Promises  1. A setting is data: files, the form of their lines, a key. Nothing is ever run to learn a value.
 *           2. What is read is bounded: SETTINGS_MAX settings, SETTING_FILES_MAX files each, SETTING_FILE_BYTES of a file, SETTING_VALUE_MAX of a value.
 *           3. The agent reads values; the desk alone judges them, by its own copy of the list.
 * Threads   read-only after loading, then any.
 * Source    R-10.2-03; docs/agent.md. */
#ifndef SAQSHY_AGENT_SETTINGS_H
#define SAQSHY_AGENT_SETTINGS_H

#include "base/yaml.h"

#define SETTINGS_MAX        500
#define SETTING_FILES_MAX   8
#define SETTING_MATCHES_MAX 64             /* files that one pattern names */
#define SETTING_FILE_BYTES  (256u * KIB)
#define SETTING_VALUE_MAX   500

enum setting_form {
    SETTING_WORDS,     /* "Key value": sshd_config, login.defs; keys without case */
    SETTING_EQUALS,    /* "key = value": sysctl.conf, pwquality.conf */
    SETTING_PAM,       /* the rest of the first line of PAM that names the module "key" */
    SETTING_VALUE      /* the whole file is the value: /proc/sys */
};

struct setting {
    struct str        id, key, absent;        /* absent: what holds where no file names the key; {NULL,0}: nothing known */
    struct str        files[SETTING_FILES_MAX];
    size_t            file_count;
    enum setting_form form;
    bool              last;                   /* the last line counts, not the first */
    struct str        title[3];               /* kk, ru, en */
    struct str        severity;               /* of a value that is not as expected: low, medium, high */
    const struct ynode *expect;               /* NULL: only told */
};
struct settings {
    struct yaml   *file;
    struct setting items[SETTINGS_MAX];
    size_t         count;
};

MUST_USE int settings_load(const char *path, struct settings **out, struct err *e);
void settings_free(struct settings **s);
const struct setting *settings_find(const struct settings *s, struct str id);

/* setting_in - the value in the text of one file; false if the key is not there. The pure part: value is a view. */
bool setting_in(const struct setting *s, struct str text, struct str *value);

enum setting_verdict { SETTING_TOLD, SETTING_AS_EXPECTED, SETTING_OTHERWISE, SETTING_UNKNOWN };
const char *setting_verdict_name(enum setting_verdict v);   /* "told", "expected", "otherwise", "unknown" */
/* setting_judge - known: a value was read or the default is known. */
enum setting_verdict setting_judge(const struct setting *s, bool known, struct str value);
/* setting_expected - as people read it: "no", "at most 4", "not yes". */
void setting_expected(const struct setting *s, struct buf *out);

#endif
