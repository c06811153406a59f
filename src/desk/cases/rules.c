/* rules.c - what the desk needs to know of the detection rules: titles in three languages, first recommendations, and the policy of
 * sending without a human. Detection itself reads the same files by its own loader; a file that it refuses is skipped here. */
#include "desk/internal.h"
#include "base/yaml.h"

#include <dirent.h>
#include <sys/stat.h>

#define RULE_FOLDERS_MAX 64
#define RULE_PATH_MAX    1024

/* text_of - a text, or a list of them as numbered lines. */
static struct str text_of(struct arena *a, const struct ynode *n)
{
    AUTO_BUF struct buf b = { 0 };
    int number = 0;

    if (!n || n->kind == YNODE_MAP)
        return STR("");
    if (n->kind == YNODE_SCALAR)
        return arena_copy(a, n->text);
    buf_init(&b, DESK_TEXT_MAX);
    for (const struct ynode *i = n->first; i; i = i->next)
        if (i->kind == YNODE_SCALAR)
            buf_printf(&b, "%s%d. %.*s", b.n ? "\n" : "", ++number, STR_ARG(i->text));
    return buf_failed(&b) ? STR("") : arena_copy(a, buf_view(&b));
}

/* label_fill - a language that is missing shows one that is there rather than nothing. */
static void label_fill(struct label *l)
{
    for (enum lang i = 0; i < LANG_COUNT; i++)
        for (enum lang k = 0; !l->text[i].n && k < LANG_COUNT; k++)
            l->text[i] = l->text[k];
}

/* label_of - what "saqshy" holds under key: one text, or one for each language. */
static struct label label_of(struct arena *a, const struct ynode *ours, const char *key)
{
    const struct ynode *n = ours ? yaml_get(ours, key) : NULL;
    struct label l = { 0 };

    for (enum lang i = 0; n && i < LANG_COUNT; i++)
        l.text[i] = text_of(a, n->kind == YNODE_MAP ? yaml_get(n, lang_name(i)) : n);
    label_fill(&l);
    return l;
}

/* title_of - the rule's own title is English; title_kk and title_ru stand under "saqshy". */
static struct label title_of(struct arena *a, const struct ynode *ours, struct str title)
{
    struct label l = { 0 };
    char key[16];

    for (enum lang i = 0; i < LANG_COUNT; i++) {
        snprintf(key, sizeof key, "title_%s", lang_name(i));
        l.text[i] = text_of(a, ours ? yaml_get(ours, key) : NULL);
    }
    if (!l.text[LANG_EN].n)
        l.text[LANG_EN] = arena_copy(a, title);
    if (!l.text[LANG_KK].n)
        l.text[LANG_KK] = l.text[LANG_EN];
    label_fill(&l);
    return l;
}

static bool known_level(struct str s)
{
    static const char *const levels[] = { "informational", "low", "medium", "high", "critical", NULL };

    return value_known(levels, s);
}

static bool known_status(struct str s)
{
    static const char *const names[] = { "stable", "test", "experimental", "deprecated", "unsupported", NULL };

    return value_known(names, s);
}

/* rule_add - one YAML document; what is no rule (no title, no detection and no correlation) is passed over. */
static void rule_add(struct rule_book *b, const struct ynode *doc)
{
    const struct ynode *ours, *tags;
    struct rule *r;
    struct str title;

    if (!doc || doc->kind != YNODE_MAP || b->count == RULES_MAX)
        return;
    title = yaml_text(doc, "title");
    if (!title.n || (!yaml_get(doc, "detection") && !yaml_get(doc, "correlation")))
        return;
    r = &b->rules[b->count++];
    ours = yaml_get(doc, "saqshy");
    r->id = arena_copy(&b->arena, yaml_text(doc, "id").n ? yaml_text(doc, "id") : yaml_text(doc, "name").n ? yaml_text(doc, "name") : title);
    r->description = arena_copy(&b->arena, yaml_text(doc, "description"));
    r->level = known_level(yaml_text(doc, "level")) ? arena_copy(&b->arena, yaml_text(doc, "level")) : STR("medium");
    r->status = known_status(yaml_text(doc, "status")) ? arena_copy(&b->arena, yaml_text(doc, "status")) : STR("experimental");
    r->title = title_of(&b->arena, ours, title);
    r->recommendations = label_of(&b->arena, ours, "recommendations");
    r->incident_type = arena_copy(&b->arena, ours ? yaml_text(ours, "incident_type") : STR(""));
    tags = yaml_get(doc, "tags");
    for (const struct ynode *t = tags && tags->kind == YNODE_SEQ ? tags->first : NULL; t && r->tag_count < COUNT(r->tags); t = t->next)
        if (t->kind == YNODE_SCALAR)
            r->tags[r->tag_count++] = arena_copy(&b->arena, t->text);
}

static void file_add(struct rule_book *b, const char *path)
{
    struct yaml *y = NULL;

    if (yaml_load_file(path, &y, NULL) < 0)
        return;   /* detect names the file and the place */
    for (size_t i = 0; i < y->doc_count; i++)
        rule_add(b, y->docs[i]);
    yaml_free(&y);
}

static int by_id(const void *a, const void *b) { return str_cmp(((const struct rule *)a)->id, ((const struct rule *)b)->id); }

static int walk(struct rule_book *b, const char *root, struct err *e)
{
    char (*folders)[RULE_PATH_MAX] = calloc(RULE_FOLDERS_MAX, RULE_PATH_MAX);
    size_t at = 0, count = 1;

    if (!folders)
        return err_set(e, -ENOMEM, "no memory for the rules");
    snprintf(folders[0], RULE_PATH_MAX, "%s", root);
    for (; at < count; at++) {
        DIR *dir = opendir(folders[at]);
        struct dirent *f;

        while (dir && (f = readdir(dir)) != NULL) {
            char path[RULE_PATH_MAX + 300];
            struct stat st;
            struct str name = str_c(f->d_name);

            if (f->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", folders[at], f->d_name);
            if (lstat(path, &st) < 0 || strlen(path) >= RULE_PATH_MAX)
                continue;
            if (S_ISDIR(st.st_mode) && count < RULE_FOLDERS_MAX)
                snprintf(folders[count++], RULE_PATH_MAX, "%.*s", RULE_PATH_MAX - 1, path);
            else if (S_ISREG(st.st_mode) && (str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml"))))
                file_add(b, path);
        }
        if (dir)
            closedir(dir);
    }
    free(folders);
    return 0;
}

int rule_book_load(const char *content, struct rule_book *out, struct err *e)
{
    char root[RULE_PATH_MAX];
    int rc;

    *out = (struct rule_book){ 0 };
    arena_init(&out->arena, 64 * MIB);
    out->rules = calloc(RULES_MAX, sizeof *out->rules);
    if (!out->rules)
        return err_set(e, -ENOMEM, "no memory for the rules");
    snprintf(root, sizeof root, "%s/rules", content);
    rc = walk(out, root, e);
    if (rc == 0 && arena_failed(&out->arena))
        rc = err_set(e, -ENOMEM, "no memory for the rules");
    qsort(out->rules, out->count, sizeof *out->rules, by_id);
    return rc;
}

void rule_book_free(struct rule_book *b)
{
    free(b->rules);
    arena_free(&b->arena);
    *b = (struct rule_book){ 0 };
}

const struct rule *rule_find(const struct rule_book *b, struct str id)
{
    struct rule want = { .id = id };

    return b->count ? bsearch(&want, b->rules, b->count, sizeof want, by_id) : NULL;
}

struct str recommendations_of(const struct desk *d, struct str rule_id, enum lang lang, struct arena *a)
{
    const struct rule *r = rule_find(&d->rules, rule_id);

    if (r && r->recommendations.text[lang].n)
        return arena_copy(a, str_trim(r->recommendations.text[lang]));
    return arena_copy(a, catalog_text(d->setup.catalog, lang, "case.recommendations.default"));
}

struct str recommendations_both(const struct desk *d, struct str rule_id, struct arena *a)
{
    struct str kk = recommendations_of(d, rule_id, LANG_KK, a), ru = recommendations_of(d, rule_id, LANG_RU, a);
    AUTO_BUF struct buf b = { 0 };

    if (str_eq(kk, ru))
        return kk;
    buf_init(&b, 64 * KIB);
    buf_str(&b, kk);
    buf_str(&b, STR("\n\n"));
    buf_str(&b, ru);
    return arena_copy(a, buf_view(&b));
}

static json_t *rule_json(struct call *c, const struct rule *r, bool auto_notify, int64_t findings)
{
    json_t *tags = json_array();

    for (size_t i = 0; i < r->tag_count; i++)
        json_array_append_new(tags, json_str(r->tags[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I}", "id", json_str(r->id), "title", json_str(r->title.text[c->v->lang]),
                     "description", json_str(r->description.p ? r->description : STR("")), "level", json_str(r->level), "status",
                     json_str(r->status), "tags", tags, "auto_notify", auto_notify, "findings", (json_int_t)findings);
}

static int rule_state(struct call *c, const struct rule *r, bool *auto_notify, int64_t *findings)
{
    int64_t set = -1;
    int rc = db_int(c->d, c->e, -1, &set, "SELECT auto_notify FROM rule_policy WHERE rule_id = ?", "t", r->id);

    *auto_notify = set >= 0 ? set == 1 : policy_auto_notify(&c->d->policy, r->id, (struct str){ NULL, 0 });
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, findings, "SELECT sum(count) FROM cases WHERE rule_id = ?", "t", r->id);
    return rc;
}

struct titled {
    const struct rule *rule;
    struct str         key;
};

static int by_title(const void *a, const void *b) { return str_cmp(((const struct titled *)a)->key, ((const struct titled *)b)->key); }

static int rules_list(struct call *c)
{
    size_t n = c->d->rules.count;
    struct titled *order = arena_array(&c->a, n + 1, sizeof *order);
    json_t *items = json_array();
    int rc = order ? 0 : err_set(c->e, -ENOMEM, "no memory");

    for (size_t i = 0; rc == 0 && i < n; i++)
        order[i] = (struct titled){ &c->d->rules.rules[i], fold_text(c->d->rules.rules[i].title.text[c->v->lang], &c->a) };
    if (rc == 0)
        qsort(order, n, sizeof *order, by_title);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool auto_on;
        int64_t findings;

        rc = rule_state(c, order[i].rule, &auto_on, &findings);
        if (rc == 0)
            json_array_append_new(items, rule_json(c, order[i].rule, auto_on, findings));
    }
    c->r->json = json_pack("{s:o, s:n}", "items", items, "next");
    return rc;
}

int desk_rules(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = !role_reads_all(v->role) ? refuse(&c, -EACCES, "forbidden", NULL, "rules are not shown to owners") : rules_list(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int policy_set(struct call *c, const struct rule *rule, const json_t *body)
{
    bool on = json_is_true(json_object_get(body, "auto_notify"));
    char target[160];
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO rule_policy(rule_id, auto_notify, updated_at) VALUES (?1, ?2, ?3)"
                     " ON CONFLICT(rule_id) DO UPDATE SET auto_notify = ?2, updated_at = ?3",
                     "tii", rule->id, (int64_t)on, c->now);

    snprintf(target, sizeof target, "rule/%.*s", (int)min_size(rule->id.n, 128), rule->id.p);
    return rc < 0 ? rc : audit_add(c, "rule.policy", target, on ? STR("auto_notify on") : STR("auto_notify off"), "ok");
}

int desk_rule_policy(struct desk *d, const struct viewer *v, struct str rule_id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "auto_notify", BODY_BOOL, true, false, 0, 0, NULL } };
    const struct rule *rule = rule_find(&d->rules, rule_id);
    struct call c;
    bool on;
    int64_t findings;
    int rc = 0;

    desk_call_init(&c, d, v, now, r);
    if (v->role != DESK_ADMINISTRATOR) {
        rc = refuse(&c, -EACCES, "forbidden", NULL, "the policy of rules is for administrators");
        audit_refusal(&c, "rule.policy", "rule");
    } else if (!rule) {
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such rule");
    }
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, policy_set(&c, rule, body), c.e);
    if (rc == 0)
        rc = rule_state(&c, rule, &on, &findings);
    if (rc == 0)
        r->json = rule_json(&c, rule, on, findings);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
