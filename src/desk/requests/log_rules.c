/* log_rules.c - content/policy/log_sources.yaml: which logs a component should send, by its words. See onboarding.h. */
#include "desk/requests/onboarding.h"
#include "base/yaml.h"
#include "event/event.h"

static int read_words(const struct yaml *y, const struct ynode *list, struct log_rule *r, struct err *e)
{
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n; n = n->next) {
        if (n->text.n == 0 || r->word_count == LOG_WORDS_MAX)
            return yaml_err(y, n, e, "a word is expected, at most %d of them", LOG_WORDS_MAX);
        r->words[r->word_count++] = n->text;
    }
    return 0;
}

static int read_sources(const struct yaml *y, const struct ynode *list, struct log_rule *r, struct err *e)
{
    static const char *const known[] = { "class", "log", "path", "agent", NULL };

    if (!list || list->kind != YNODE_SEQ || !list->first)
        return yaml_err(y, list ? list : y->docs[0], e, "\"sources\" must be a list");
    for (const struct ynode *n = list->first; n; n = n->next) {
        struct log_rule_source s = { yaml_text(n, "class"), yaml_text(n, "log"), yaml_text(n, "path"), yaml_text(n, "agent") };
        int rc = n->kind == YNODE_MAP ? yaml_only(y, n, known, e) : yaml_err(y, n, e, "class, log, path and agent are expected");

        if (rc < 0)
            return rc;
        if (event_class_parse(s.class) == CLASS_NONE)
            return yaml_err(y, n, e, "no such class");
        if (s.log.n == 0 || s.log.n > 100)
            return yaml_err(y, n, e, "\"log\" is expected");
        if (!str_eq(s.agent, STR("lcs")) && !str_eq(s.agent, STR("server")) && !str_eq(s.agent, STR("either")))
            return yaml_err(y, n, e, "\"agent\" must be lcs, server or either");
        if (r->source_count == LOG_OF_RULE_MAX)
            return yaml_err(y, n, e, "more than %d logs", LOG_OF_RULE_MAX);
        r->sources[r->source_count++] = s;
    }
    return 0;
}

static int read_rule(const struct yaml *y, const struct ynode *n, struct log_rule *r, struct err *e)
{
    static const char *const known[] = { "id", "words", "protection", "otherwise", "sources", NULL };
    int rc = n->kind == YNODE_MAP ? yaml_only(y, n, known, e) : yaml_err(y, n, e, "a rule is expected");

    if (rc < 0)
        return rc;
    r->id = yaml_text(n, "id");
    if (r->id.n == 0 || r->id.n > 64)
        return yaml_err(y, n, e, "\"id\" is expected");
    if ((rc = yaml_bool(y, n, "protection", &r->protection, e)) < 0 || (rc = yaml_bool(y, n, "otherwise", &r->otherwise, e)) < 0)
        return rc;
    rc = read_words(y, yaml_get(n, "words"), r, e);
    if (rc == 0 && r->word_count == 0 && !r->protection && !r->otherwise)
        return yaml_err(y, n, e, "a rule without words, protection or otherwise knows nothing");
    return rc < 0 ? rc : read_sources(y, yaml_get(n, "sources"), r, e);
}

static int read_all(struct log_rules *out, struct err *e)
{
    static const char *const known[] = { "silent_minutes", "unparsed_percent", "rules", NULL };
    const struct yaml *y = out->file;
    const struct ynode *root = y->doc_count == 1 && y->docs[0]->kind == YNODE_MAP ? y->docs[0] : NULL, *list = root ? yaml_get(root, "rules") : NULL;
    size_t n = 0;
    int rc;

    if (!root)
        return err_set(e, -EBADMSG, "log_sources.yaml: one map is expected");
    if ((rc = yaml_only(y, root, known, e)) < 0 || (rc = yaml_int(y, root, "silent_minutes", &out->silent_minutes, e)) < 0 ||
        (rc = yaml_int(y, root, "unparsed_percent", &out->unparsed_percent, e)) < 0)
        return rc;
    if (out->silent_minutes < 1 || out->silent_minutes > 100000 || out->unparsed_percent < 0 || out->unparsed_percent > 100)
        return yaml_err(y, root, e, "silent_minutes is 1 to 100000, unparsed_percent 0 to 100");
    for (const struct ynode *r = list && list->kind == YNODE_SEQ ? list->first : NULL; r; r = r->next)
        n++;
    if (n == 0 || n > LOG_RULES_MAX)
        return yaml_err(y, root, e, "1 to %d rules are expected", LOG_RULES_MAX);
    out->rules = calloc(n, sizeof *out->rules);
    if (!out->rules)
        return err_set(e, -ENOMEM, "no memory for rules");
    for (const struct ynode *r = list->first; r && rc >= 0; r = r->next)
        rc = read_rule(y, r, &out->rules[out->count++], e);
    return rc < 0 ? rc : 0;
}

int log_rules_load(const char *content, struct log_rules *out, struct err *e)
{
    char path[4096];
    int rc;

    *out = (struct log_rules){ .silent_minutes = 60, .unparsed_percent = 5 };
    snprintf(path, sizeof path, "%s/policy/log_sources.yaml", content);
    rc = yaml_load_file(path, &out->file, e);
    if (rc == 0)
        rc = read_all(out, e);
    if (rc < 0)
        log_rules_free(out);
    return rc;
}

void log_rules_free(struct log_rules *r)
{
    yaml_free(&r->file);
    free(r->rules);
    r->rules = NULL;
    r->count = 0;
}

#define STEM_MIN 5   /* letters: "postgres" is in "postgresql" too, but "alt" is not in "altair" */

/* letter - part of a word: what is above ASCII is one (Cyrillic in UTF-8). */
static bool letter(char c) { return (unsigned char)c >= 128 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static size_t letters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static bool has_word(struct str text, struct str word)
{
    bool stem = letters(word) >= STEM_MIN;

    for (size_t at = 0; at + word.n <= text.n; at++) {
        if (memcmp(text.p + at, word.p, word.n) != 0)
            continue;
        if ((at == 0 || !letter(text.p[at - 1])) && (stem || at + word.n == text.n || !letter(text.p[at + word.n])))
            return true;
    }
    return false;
}

struct str log_rule_matches(const struct log_rule *r, struct str text, bool protection)
{
    for (size_t i = 0; i < r->word_count; i++)
        if (has_word(text, r->words[i]))
            return r->words[i];
    return r->protection && protection ? STR("protection") : (struct str){ NULL, 0 };
}
