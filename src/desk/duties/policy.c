/* policy.c - content/policy/reminders.yaml: when to remind of what is owed, whom, how, and who is next when nobody answers. */
#include "base/file.h"
#include "base/yaml.h"
#include "desk/duties/room.h"

#define RULE_OBLIGATIONS_MAX 64
#define WAIT_MOST            (366 * NS_PER_DAY)

struct duty_policy {
    struct yaml        *file;
    char                print[65];
    struct remind_rule  rules[REMIND_RULES_MAX];
    size_t              rule_count;
    struct remind_chain chains[REMIND_CHAINS_MAX];
    size_t              chain_count;
};

struct reading {
    const struct yaml       *y;
    const struct duty_world *w;
    struct duty_policy      *p;
    struct err              *e;
};

/* read_wait - "0m", "15m", "72h", "3d". */
static bool wait_parse(struct str s, time_ns *out)
{
    time_ns unit = s.n < 2 ? 0 : s.p[s.n - 1] == 'm' ? NS_PER_MINUTE : s.p[s.n - 1] == 'h' ? NS_PER_HOUR : s.p[s.n - 1] == 'd' ? NS_PER_DAY : 0;
    uint64_t n = 0;

    if (!unit || !str_u64(str_of(s.p, s.n - 1), &n) || n > (uint64_t)(WAIT_MOST / unit))
        return false;
    *out = (time_ns)n * unit;
    return true;
}

static int read_wait(const struct reading *r, const struct ynode *map, const char *key, bool zero, time_ns *out)
{
    const struct ynode *n = yaml_get(map, key);

    if (!n || n->kind != YNODE_SCALAR || !wait_parse(n->text, out) || (*out == 0 && !zero))
        return yaml_err(r->y, n ? n : map, r->e, "\"%s\" must be a time such as 15m, 4h or 3d, of a year at most", key);
    return 0;
}

/* read_when - "80%" of the term, "2d" before its end, or "due". */
static int read_when(const struct reading *r, const struct ynode *n, bool due, struct remind_when *out)
{
    uint64_t percent = 0;

    if (n->kind == YNODE_SCALAR && due && str_eq(n->text, STR("due"))) {
        *out = (struct remind_when){ WHEN_DUE, 0 };
        return 0;
    }
    if (n->kind == YNODE_SCALAR && n->text.n > 1 && n->text.p[n->text.n - 1] == '%' && str_u64(str_of(n->text.p, n->text.n - 1), &percent) &&
        percent >= 1 && percent <= 99) {
        *out = (struct remind_when){ WHEN_PERCENT, (int64_t)percent };
        return 0;
    }
    out->kind = WHEN_BEFORE;
    if (n->kind == YNODE_SCALAR && wait_parse(n->text, &out->value) && out->value > 0)
        return 0;
    return yaml_err(r->y, n, r->e, "a share such as 80%% or a time before the end such as 15m, 4h, 3d is expected%s", due ? ", or due" : "");
}

static bool centre_word(struct str w)
{
    static const char *const words[] = { "centre", "role:administrator", "role:centre_analyst", "role:centre_lead", "role:surveyor",
                                         "role:document_auditor", NULL };

    for (size_t i = 0; words[i]; i++)
        if (str_eq(w, str_c(words[i])))
            return true;
    return false;
}

static bool role_word(struct str w)
{
    return str_starts(w, STR("role:")) && desk_role_parse(str_cut(w, 5)) < DESK_ROLE_COUNT;
}

static bool contact_word(struct str w)
{
    uint64_t n = 0;

    return str_starts(w, STR("contact:")) && str_u64(str_cut(w, 8), &n) && n >= 1 && n <= 100;
}

static bool who_word(struct str w)
{
    static const char *const words[] = { "centre", "performer", "accountable", "addressee", "responsible", NULL };

    for (size_t i = 0; words[i]; i++)
        if (str_eq(w, str_c(words[i])))
            return true;
    return role_word(w) || contact_word(w);
}

static int read_channels(const struct reading *r, const struct ynode *map, struct remind_to *to)
{
    const struct ynode *list = yaml_get(map, "channels");

    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"channels\" must be a list of inbox, email");
    to->channels = list ? 0 : TO_INBOX | TO_EMAIL;
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        unsigned one = str_eq(n->text, STR("inbox")) ? TO_INBOX : str_eq(n->text, STR("email")) ? TO_EMAIL : 0;

        if (!one)
            return yaml_err(r->y, n, r->e, "inbox or email is expected");
        to->channels |= one;
    }
    return to->channels ? 0 : yaml_err(r->y, list, r->e, "\"channels\" is empty");
}

static int read_to(const struct reading *r, const struct ynode *map, struct remind_to *to)
{
    const struct ynode *list = yaml_get(map, "to");

    if (!list || list->kind != YNODE_SEQ || list->count == 0 || list->count > REMIND_TO_MAX)
        return yaml_err(r->y, list ? list : map, r->e, "\"to\" must be a list of 1 to %d: centre, performer, accountable, addressee, responsible, "
                        "contact:1 …, role:centre_lead …", REMIND_TO_MAX);
    for (const struct ynode *n = list->first; n; n = n->next) {
        if (n->kind != YNODE_SCALAR || !who_word(n->text))
            return yaml_err(r->y, n, r->e, "\"%.*s\" is nobody: centre, performer, accountable, addressee, responsible, contact:1 …, "
                            "role:centre_lead …", STR_ARG(n->text));
        to->who[to->count++] = n->text;
    }
    return read_channels(r, map, to);
}

static int read_step(const struct reading *r, const struct ynode *n, struct remind_chain *c)
{
    static const char *const known[] = { "wait", "to", "channels", NULL };
    int rc;

    if (n->kind != YNODE_MAP)
        return yaml_err(r->y, n, r->e, "a step with wait, to and channels is expected");
    if (c->count == REMIND_STEPS_MAX)
        return yaml_err(r->y, n, r->e, "more than %d steps", REMIND_STEPS_MAX);
    rc = yaml_only(r->y, n, known, r->e);
    if (rc == 0)
        rc = read_wait(r, n, "wait", c->count == 0, &c->steps[c->count].wait);
    if (rc == 0)
        rc = read_to(r, n, &c->steps[c->count].to);
    c->count += rc == 0;
    return rc;
}

static int read_chain(const struct reading *r, const struct ynode *n)
{
    static const char *const known[] = { "id", "start", "steps", NULL };
    struct remind_chain *c = &r->p->chains[r->p->chain_count];
    const struct ynode *start, *steps;
    int rc;

    if (n->kind != YNODE_MAP)
        return yaml_err(r->y, n, r->e, "a chain with id, start and steps is expected");
    if (r->p->chain_count == REMIND_CHAINS_MAX)
        return yaml_err(r->y, n, r->e, "more than %d chains", REMIND_CHAINS_MAX);
    rc = yaml_only(r->y, n, known, r->e);
    c->id = yaml_text(n, "id");
    start = yaml_get(n, "start");
    steps = yaml_get(n, "steps");
    for (size_t i = 0; rc == 0 && i < r->p->chain_count; i++)
        if (str_eq(r->p->chains[i].id, c->id))
            rc = yaml_err(r->y, n, r->e, "chain \"%.*s\" stands twice", STR_ARG(c->id));
    if (rc == 0 && !c->id.n)
        rc = yaml_err(r->y, n, r->e, "\"id\" is missing");
    if (rc == 0)
        rc = start ? read_when(r, start, true, &c->start) : yaml_err(r->y, n, r->e, "\"start\" is missing");
    if (rc == 0 && (!steps || steps->kind != YNODE_SEQ || steps->count == 0))
        rc = yaml_err(r->y, steps ? steps : n, r->e, "\"steps\" must be a list");
    for (const struct ynode *s = rc == 0 ? steps->first : NULL; rc == 0 && s; s = s->next)
        rc = read_step(r, s, c);
    r->p->chain_count += rc == 0;
    return rc;
}

static const struct obligation *in_some_edition(const struct duty_world *w, struct str id)
{
    const struct obligation *o = edition_obligation(w->edition, id);

    for (size_t i = 0; i < w->edition_count && !o; i++)
        o = edition_obligation(w->editions[i], id);
    return o;
}

/* centre_only - what the centre owes may concern a case that nobody else knows of yet. */
static bool centre_only(const struct obligation *o)
{
    for (size_t i = 0; i < o->by_count; i++)
        if (!str_eq(o->by[i]->id, STR("sts")))
            return false;
    return true;
}

static bool to_centre(const struct remind_to *to)
{
    for (size_t i = 0; i < to->count; i++)
        if (!centre_word(to->who[i]) && !str_eq(to->who[i], STR("performer")))
            return false;
    return true;
}

static int check_rule(const struct reading *r, const struct ynode *n, const struct remind_rule *rule)
{
    const struct obligation *o = in_some_edition(r->w, rule->obligation);
    bool chain = true;

    if (!o || o->unit == DUTY_PER_YEAR)
        return yaml_err(r->y, n, r->e, "no edition has a duty \"%.*s\"", STR_ARG(rule->obligation));
    for (size_t i = 0; i < r->p->rule_count; i++)
        if (str_eq(r->p->rules[i].obligation, rule->obligation))
            return yaml_err(r->y, n, r->e, "%.*s stands twice", STR_ARG(rule->obligation));
    for (size_t i = 0; rule->chain && i < rule->chain->count; i++)
        chain = chain && to_centre(&rule->chain->steps[i].to);
    if (centre_only(o) && (!to_centre(&rule->to) || !chain))
        return yaml_err(r->y, n, r->e, "%.*s is owed by the centre alone: only centre, performer and the centre's roles may be reminded of it",
                        STR_ARG(rule->obligation));
    return 0;
}

static int read_after(const struct reading *r, const struct ynode *n, struct remind_rule *rule)
{
    static const char *const known[] = { "every", "most", NULL };
    const struct ynode *most;
    uint64_t count = 0;
    int rc;

    if (!n)
        return 0;
    if (n->kind != YNODE_MAP)
        return yaml_err(r->y, n, r->e, "\"after\" must be a map of every and most");
    rc = yaml_only(r->y, n, known, r->e);
    most = yaml_get(n, "most");
    if (rc == 0)
        rc = read_wait(r, n, "every", false, &rule->every);
    if (rc == 0 && (!most || !str_u64(most->text, &count) || count < 1 || count > 1000))
        rc = yaml_err(r->y, most ? most : n, r->e, "\"most\" must be from 1 to 1000");
    rule->most = (int64_t)count;
    return rc;
}

static int read_shape(const struct reading *r, const struct ynode *n, struct remind_rule *rule)
{
    static const char *const known[] = { "obligations", "before", "at_due", "after", "to", "channels", "chain", NULL };
    const struct ynode *before = yaml_get(n, "before");
    struct str chain = yaml_text(n, "chain");
    int rc = yaml_only(r->y, n, known, r->e);

    if (rc == 0 && before && (before->kind != YNODE_SEQ || before->count > REMIND_BEFORE_MAX))
        rc = yaml_err(r->y, before, r->e, "\"before\" must be a list of at most %d", REMIND_BEFORE_MAX);
    for (const struct ynode *b = rc == 0 && before ? before->first : NULL; rc == 0 && b; b = b->next)
        rc = read_when(r, b, false, &rule->before[rule->before_count++]);
    if (rc == 0)
        rc = yaml_bool(r->y, n, "at_due", &rule->at_due, r->e);
    if (rc >= 0)   /* 1: it is not there */
        rc = read_after(r, yaml_get(n, "after"), rule);
    if (rc == 0)
        rc = read_to(r, n, &rule->to);
    for (size_t i = 0; rc == 0 && chain.n && i < r->p->chain_count; i++)
        if (str_eq(r->p->chains[i].id, chain))
            rule->chain = &r->p->chains[i];
    if (rc == 0 && chain.n && !rule->chain)
        rc = yaml_err(r->y, yaml_get(n, "chain"), r->e, "no chain \"%.*s\" above", STR_ARG(chain));
    return rc;
}

static int read_rule(const struct reading *r, const struct ynode *n)
{
    const struct ynode *list = n->kind == YNODE_MAP ? yaml_get(n, "obligations") : NULL;
    struct remind_rule shape = { .at_due = false };
    int rc;

    if (!list || list->kind != YNODE_SEQ || list->count == 0 || list->count > RULE_OBLIGATIONS_MAX)
        return yaml_err(r->y, list ? list : n, r->e, "\"obligations\" must be a list such as [D-05, D-06]");
    rc = read_shape(r, n, &shape);
    for (const struct ynode *o = list->first; rc == 0 && o; o = o->next) {
        if (r->p->rule_count == REMIND_RULES_MAX)
            return yaml_err(r->y, o, r->e, "more than %d obligations", REMIND_RULES_MAX);
        shape.obligation = o->text;
        rc = check_rule(r, o, &shape);
        if (rc == 0)
            r->p->rules[r->p->rule_count++] = shape;
    }
    return rc;
}

static int read_list(const struct reading *r, const char *key, int (*one)(const struct reading *, const struct ynode *))
{
    const struct ynode *list = yaml_get(r->y->docs[0], key);
    int rc = 0;

    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"%s\" must be a list", key);
    for (const struct ynode *n = list ? list->first : NULL; rc == 0 && n; n = n->next)
        rc = one(r, n);
    return rc;
}

static int read_file(struct duty_policy *p, const char *path, const struct duty_world *w, struct err *e)
{
    static const char *const known[] = { "chains", "reminders", NULL };
    AUTO_BUF struct buf b;
    int rc;

    buf_init(&b, 0);
    rc = file_read(path, YAML_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = yaml_load(buf_view(&b), path, &p->file, e);
    if (rc < 0)
        return rc;
    secret_sha256_hex(buf_view(&b), p->print);
    struct reading r = { p->file, w, p, e };
    if (p->file->doc_count != 1 || p->file->docs[0]->kind != YNODE_MAP)
        return err_line(e, -EBADMSG, path, 1, 1, "one map with \"chains\" and \"reminders\" is expected");
    rc = yaml_only(p->file, p->file->docs[0], known, e);
    if (rc == 0)
        rc = read_list(&r, "chains", read_chain);
    return rc < 0 ? rc : read_list(&r, "reminders", read_rule);
}

int duty_policy_load(const char *content, const struct duty_world *w, struct duty_policy **out, struct err *e)
{
    struct duty_policy *p = calloc(1, sizeof *p);
    char path[4096];
    int rc;

    *out = NULL;
    if (!p)
        return err_set(e, -ENOMEM, "no memory for the policy of reminders");
    snprintf(path, sizeof path, "%s/policy/reminders.yaml", content);
    rc = read_file(p, path, w, e);
    if (rc < 0)
        duty_policy_free(&p);
    *out = p;
    return rc;
}

void duty_policy_free(struct duty_policy **p)
{
    if (!*p)
        return;
    yaml_free(&(*p)->file);
    free(*p);
    *p = NULL;
}

const struct remind_rule *remind_rule_of(const struct duty_policy *p, struct str obligation)
{
    for (size_t i = 0; i < p->rule_count; i++)
        if (str_eq(p->rules[i].obligation, obligation))
            return &p->rules[i];
    return NULL;
}

const char *policy_print(const struct duty_policy *p) { return p->print; }
