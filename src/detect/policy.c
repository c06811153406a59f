/* policy.c - see policy.h. Each key is read from the file that speaks for it: the site's where it names the key, ours else. */
#include "detect/policy.h"

#include "base/file.h"

#define WINDOW_MAX  (30 * NS_PER_DAY)
#define STORM_MAX   100000
#define POINTS_MAX  1000000

struct source { const struct yaml *y; const struct ynode *node; };   /* where a value is read, for messages */

static struct source key_of(const struct detect_policy *p, const char *key)
{
    for (int i = 1; i >= 0; i--) {
        const struct ynode *n = p->files[i] ? yaml_get(p->files[i]->docs[0], key) : NULL;

        if (n)
            return (struct source){ p->files[i], n };
    }
    return (struct source){ p->files[0], NULL };
}

static int expect_map(struct source s, const struct detect_policy *p, const char *key, const char *const *known, struct err *e)
{
    if (!s.node || s.node->kind != YNODE_MAP)
        return yaml_err(s.y, s.node ? s.node : p->files[0]->docs[0], e, "\"%s\" must be a map", key);
    return yaml_only(s.y, s.node, known, e);
}

/* read_time - "0m", "15m", "72h", "3d". */
static int read_time(struct source s, const char *key, bool zero, time_ns *out, struct err *e)
{
    const struct ynode *n = yaml_get(s.node, key);
    struct str t = n && n->kind == YNODE_SCALAR ? n->text : (struct str){ NULL, 0 };
    time_ns unit = t.n < 2 ? 0 : t.p[t.n - 1] == 's' ? NS_PER_SECOND : t.p[t.n - 1] == 'm' ? NS_PER_MINUTE : t.p[t.n - 1] == 'h' ? NS_PER_HOUR
                 : t.p[t.n - 1] == 'd' ? NS_PER_DAY : 0;
    uint64_t count = 0;

    if (!unit || !str_u64(str_of(t.p, t.n - 1), &count) || count > (uint64_t)(WINDOW_MAX / unit) || (count == 0 && !zero))
        return yaml_err(s.y, n ? n : s.node, e, "\"%s\" must be a time such as 90s, 15m, 4h or 3d, of 30 days at most", key);
    *out = (time_ns)count * unit;
    return 0;
}

static int read_number(struct source s, const char *key, int64_t most, int64_t *out, struct err *e)
{
    int rc = yaml_int(s.y, s.node, key, out, e);

    if (rc == 0 && *out >= 0 && *out <= most)
        return 0;
    return rc < 0 ? rc : yaml_err(s.y, yaml_get(s.node, key) ? yaml_get(s.node, key) : s.node, e, "\"%s\" must be a number from 0 to %lld", key, (long long)most);
}

static int level_named(struct source s, const struct ynode *n, enum sigma_level *out, struct err *e)
{
    for (int i = 0; n && n->kind == YNODE_SCALAR && i < SIGMA_LEVEL_COUNT; i++)
        if (str_eq(n->text, str_c(sigma_level_name((enum sigma_level)i)))) {
            *out = (enum sigma_level)i;
            return 0;
        }
    return yaml_err(s.y, n ? n : s.node, e, "a level is expected: informational, low, medium, high or critical");
}

/* read_list - at most max texts. */
static int read_list(struct source s, const struct ynode *n, struct str *out, size_t max, size_t *count, struct err *e)
{
    *count = 0;
    if (!n || n->kind != YNODE_SEQ || n->count > max)
        return yaml_err(s.y, n ? n : s.node, e, "a list of at most %zu texts is expected", max);
    for (const struct ynode *i = n->first; i; i = i->next) {
        if (i->kind != YNODE_SCALAR || i->text.n == 0)
            return yaml_err(s.y, i, e, "a text is expected");
        out[(*count)++] = i->text;
    }
    return 0;
}

static int read_group(struct detect_policy *p, struct err *e)
{
    static const char *const known[] = { "window", "update", "by", NULL };
    struct source s = key_of(p, "group");
    int rc = expect_map(s, p, "group", known, e);

    if (rc == 0)
        rc = read_time(s, "window", true, &p->window, e);
    if (rc == 0)
        rc = read_time(s, "update", false, &p->update, e);
    return rc < 0 ? rc : read_list(s, yaml_get(s.node, "by"), p->by, COUNT(p->by), &p->by_count, e);
}

static int read_storm(struct detect_policy *p, struct err *e)
{
    static const char *const known[] = { "groups", NULL };
    struct source s = key_of(p, "storm");
    int64_t n = 0;
    int rc = expect_map(s, p, "storm", known, e);

    if (rc == 0)
        rc = read_number(s, "groups", STORM_MAX, &n, e);
    if (rc == 0 && n == 0)
        rc = yaml_err(s.y, yaml_get(s.node, "groups"), e, "\"groups\" must be at least 1");
    p->storm_groups = (uint32_t)n;
    return rc;
}

static int read_change(struct detect_policy *p, struct source s, const struct ynode *n, struct err *e)
{
    static const char *const known[] = { "rule", "level", "objects", NULL };
    struct level_change *c = &p->levels[p->level_count];
    const struct ynode *objects = n->kind == YNODE_MAP ? yaml_get(n, "objects") : NULL;
    int rc = n->kind == YNODE_MAP ? yaml_only(s.y, n, known, e) : yaml_err(s.y, n, e, "a map of rule, level and perhaps objects is expected");

    if (rc == 0 && !(c->rule = yaml_text(n, "rule")).n)
        rc = yaml_err(s.y, n, e, "\"rule\" is missing: the id of a rule");
    s.node = n;
    if (rc == 0)
        rc = level_named(s, yaml_get(n, "level"), &c->level, e);
    if (rc == 0 && objects) {
        struct str *texts = arena_array(&p->arena, objects->count + 1, sizeof *texts);

        if (!texts)
            return err_set(e, -ENOMEM, "no memory for the policy of detection");
        rc = read_list(s, objects, texts, objects->count, &c->objects.count, e);
        c->objects.items = texts;
    }
    p->level_count += rc == 0;
    return rc;
}

static int read_levels(struct detect_policy *p, struct err *e)
{
    struct source s = key_of(p, "raise_from");
    int rc = level_named((struct source){ s.y, p->files[0]->docs[0] }, s.node, &p->raise_from, e);

    if (rc < 0)
        return rc;
    s = key_of(p, "levels");
    if (!s.node || s.node->kind != YNODE_SEQ || s.node->count > POLICY_LEVELS_MAX)
        return yaml_err(s.y, s.node ? s.node : p->files[0]->docs[0], e, "\"levels\" must be a list of at most %d maps", POLICY_LEVELS_MAX);
    for (const struct ynode *n = s.node->first; n && rc == 0; n = n->next)
        rc = read_change(p, s, n, e);
    return rc;
}

static int read_points(struct detect_policy *p, struct source risk, struct err *e)
{
    const char *known[SIGMA_LEVEL_COUNT + 1] = { NULL };
    struct source s = { risk.y, yaml_get(risk.node, "points") };
    int rc = 0;

    for (int i = 0; i < SIGMA_LEVEL_COUNT; i++)
        known[i] = sigma_level_name((enum sigma_level)i);
    rc = expect_map(s, p, "points", known, e);
    for (int i = 0; i < SIGMA_LEVEL_COUNT && rc == 0; i++) {
        int64_t n = 0;

        rc = read_number(s, known[i], POINTS_MAX, &n, e);
        p->points[i] = (double)n;
    }
    return rc;
}

static int read_risk(struct detect_policy *p, struct err *e)
{
    static const char *const known[] = { "half_life", "points", "host", "user", "ignore_users", "level", "title", NULL };
    struct source s = key_of(p, "risk");
    int64_t host = 0, user = 0;
    int rc = expect_map(s, p, "risk", known, e);

    if (rc == 0)
        rc = read_time(s, "half_life", false, &p->half_life, e);
    if (rc == 0)
        rc = read_points(p, s, e);
    if (rc == 0)
        rc = read_number(s, "host", POINTS_MAX, &host, e);
    if (rc == 0)
        rc = read_number(s, "user", POINTS_MAX, &user, e);
    if (rc == 0)
        rc = read_list(s, yaml_get(s.node, "ignore_users"), p->ignore_users, COUNT(p->ignore_users), &p->ignored, e);
    if (rc == 0)
        rc = level_named(s, yaml_get(s.node, "level"), &p->risk_level, e);
    if (rc < 0)
        return rc;
    const struct ynode *title = yaml_get(s.node, "title");
    p->host = (double)host;
    p->user = (double)user;
    p->risk_kk = yaml_text(title, "kk");
    p->risk_ru = yaml_text(title, "ru");
    p->risk_en = yaml_text(title, "en");
    if (!p->risk_kk.n || !p->risk_ru.n || !p->risk_en.n)
        return yaml_err(s.y, title ? title : s.node, e, "\"title\" must be a map of kk, ru and en");
    return 0;
}

/* read_measures - a list of texts in each language; it may be missing. */
static int read_measures(struct detect_policy *p, struct source s, struct silence_policy *out, struct err *e)
{
    static const char *const langs[] = { "kk", "ru", "en" };
    const struct ynode *measures = yaml_get(s.node, "measures");
    int rc = 0;

    for (size_t i = 0; measures && i < COUNT(langs) && rc == 0; i++) {
        const struct ynode *list = yaml_get(measures, langs[i]);
        struct str *texts = arena_array(&p->arena, POLICY_FIELDS_MAX, sizeof *texts);

        if (!texts)
            return err_set(e, -ENOMEM, "no memory for the policy of detection");
        rc = read_list((struct source){ s.y, measures }, list, texts, POLICY_FIELDS_MAX, &out->measures[i].count, e);
        out->measures[i].items = texts;
    }
    return rc;
}

static int read_silence_of(struct detect_policy *p, struct source of, const char *key, struct silence_policy *out, struct err *e)
{
    static const char *const known[] = { "level", "title", "measures", NULL };
    struct source s = { of.y, yaml_get(of.node, key) };
    int rc = expect_map(s, p, key, known, e);

    if (rc == 0)
        rc = level_named(s, yaml_get(s.node, "level"), &out->level, e);
    if (rc == 0)
        rc = read_measures(p, s, out, e);
    if (rc < 0)
        return rc;
    const struct ynode *title = yaml_get(s.node, "title");
    out->told = true;
    out->kk = yaml_text(title, "kk");
    out->ru = yaml_text(title, "ru");
    out->en = yaml_text(title, "en");
    return out->kk.n && out->ru.n && out->en.n ? 0 : yaml_err(s.y, title ? title : s.node, e, "\"title\" must be a map of kk, ru and en");
}

/* read_silence - the part may be missing: then no silence is told. */
static int read_silence(struct detect_policy *p, struct err *e)
{
    static const char *const known[] = { "source", "type", "ignore", NULL };
    struct source s = key_of(p, "silence");
    int rc = s.node ? expect_map(s, p, "silence", known, e) : 1;

    if (rc == 0)
        rc = read_silence_of(p, s, "source", &p->silence[0], e);
    if (rc == 0)
        rc = read_silence_of(p, s, "type", &p->silence[1], e);
    if (rc == 0)
        rc = read_list(s, yaml_get(s.node, "ignore"), p->silence_ignore, COUNT(p->silence_ignore), &p->silence_ignored, e);
    return rc < 0 ? rc : 0;
}

static int parse_file(struct str text, const char *name, struct yaml **out, struct err *e)
{
    static const char *const known[] = { "group", "storm", "raise_from", "levels", "people", "risk", "silence", NULL };   /* people: of the desk */
    int rc = yaml_load(text, name, out, e);

    if (rc < 0)
        return rc;
    if ((*out)->doc_count != 1 || (*out)->docs[0]->kind != YNODE_MAP)
        return err_line(e, -EBADMSG, name, 1, 1, "one map is expected: group, storm, raise_from, levels, people, risk, silence");
    return yaml_only(*out, (*out)->docs[0], known, e);
}

/* read_all - the texts are there. */
static int read_all(struct detect_policy *p, const char *const names[2], struct err *e)
{
    int rc = parse_file(buf_view(&p->texts[0]), names[0], &p->files[0], e);

    if (rc == 0 && p->texts[1].n)
        rc = parse_file(buf_view(&p->texts[1]), names[1], &p->files[1], e);
    if (rc == 0)
        rc = read_group(p, e);
    if (rc == 0)
        rc = read_storm(p, e);
    if (rc == 0)
        rc = read_levels(p, e);
    if (rc == 0)
        rc = read_risk(p, e);
    return rc < 0 ? rc : read_silence(p, e);
}

static struct detect_policy *policy_new(struct err *e)
{
    struct detect_policy *p = calloc(1, sizeof *p);

    if (!p) {
        err_set(e, -ENOMEM, "no memory for the policy of detection");
        return NULL;
    }
    arena_init(&p->arena, YAML_BYTES_MAX);
    buf_init(&p->texts[0], YAML_BYTES_MAX + 128 * KIB);
    buf_init(&p->texts[1], YAML_BYTES_MAX + 128 * KIB);
    return p;
}

int detect_policy_load(const char *ours, const char *site, struct detect_policy **out, struct err *e)
{
    const char *const names[2] = { ours, site };
    struct detect_policy *p = *out = policy_new(e);
    int rc = p ? file_read(ours, YAML_BYTES_MAX, &p->texts[0], e) : -ENOMEM;

    if (rc == 0 && site && file_exists(site))
        rc = file_read(site, YAML_BYTES_MAX, &p->texts[1], e);
    if (rc == 0)
        rc = read_all(p, names, e);
    if (rc < 0)
        detect_policy_free(out);
    return rc;
}

int detect_policy_parse(struct str ours, struct str site, const char *const names[2], struct detect_policy **out, struct err *e)
{
    struct detect_policy *p = *out = policy_new(e);
    int rc = p ? 0 : -ENOMEM;

    if (p) {
        buf_str(&p->texts[0], ours);
        buf_str(&p->texts[1], site);
        rc = buf_failed(&p->texts[0]) || buf_failed(&p->texts[1]) ? err_set(e, -ENOMEM, "no memory for the policy of detection") : 0;
    }
    if (rc == 0)
        rc = read_all(p, names, e);
    if (rc < 0)
        detect_policy_free(out);
    return rc;
}

void detect_policy_free(struct detect_policy **pp)
{
    struct detect_policy *p = *pp;

    if (!p)
        return;
    yaml_free(&p->files[0]);
    yaml_free(&p->files[1]);
    arena_free(&p->arena);
    buf_free(&p->texts[0]);
    buf_free(&p->texts[1]);
    free(p);
    *pp = NULL;
}

enum sigma_level detect_policy_level(const struct detect_policy *p, const struct sigma_rule *r, struct str object)
{
    for (size_t i = 0; i < p->level_count; i++) {
        const struct level_change *c = &p->levels[i];
        bool here = c->objects.count == 0;

        for (size_t k = 0; k < c->objects.count && !here; k++)
            here = str_eq(c->objects.items[k], object);
        if (here && str_eq(c->rule, r->id))
            return c->level;
    }
    return r->level;
}
