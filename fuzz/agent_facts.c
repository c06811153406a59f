/* agent_facts.c - what the agent reads to learn facts of its host: dpkg's status file, files of settings, names of files, lists on disk. */
#include "agent/facts.h"

static void take(void *arg, struct str key, struct str version)
{
    size_t *n = arg;

    assert(key.n > 1 && version.n && !memchr(key.p, '\t', key.n) && !memchr(key.p, '\n', key.n) && str_utf8_valid(key) && str_utf8_valid(version));
    ++*n;
}

static void settings(struct str bytes)
{
    static const struct { enum setting_form form; const char *key; bool last; } rows[] = {
        { SETTING_WORDS, "PermitRootLogin", false }, { SETTING_WORDS, "PASS_MAX_DAYS", true }, { SETTING_EQUALS, "minlen", true },
        { SETTING_PAM, "pam_faillock.so", false },   { SETTING_VALUE, "", false },
    };
    struct str value;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct setting s = { .form = rows[i].form, .key = str_c(rows[i].key), .last = rows[i].last };

        if (setting_in(&s, bytes, &value))
            assert(value.n <= bytes.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_of((const char *)data, size), rest = bytes, line;
    AUTO_BUF struct buf escaped = { 0 };
    struct dpkg d = { .name = "" };
    size_t n = 0;

    while (str_split(&rest, '\n', &line))
        dpkg_line(&d, line, take, &n);
    dpkg_line(&d, STR(""), take, &n);
    settings(bytes);
    buf_init(&escaped, 0);
    fact_escape(bytes, &escaped);
    char *back = malloc(size + 1);
    assert(buf_failed(&escaped) || (str_utf8_valid(buf_view(&escaped)) && fact_unescape(buf_view(&escaped), back, size + 1) && (!size || memcmp(back, data, size) == 0)));
    (void)fact_unescape(bytes, back, size + 1);
    free(back);
    return 0;
}
