/* triage.c - see triage.h. */
#include "detect/triage.h"

#include <sys/stat.h>

#include "detect/internal.h"

struct seen_file { char *path; int64_t mtime_ns, size; };   /* mtime 0: it is not there */

struct triage {
    struct seen_file      files[2];
    struct detect_policy *policy;      /* in force; NULL: none */
    struct detect_policy *coming;      /* the one that was read, while that of a saved state is in force; else NULL */
    struct episodes      *episodes;
    struct risk          *risk;
    char                  note[ERR_TEXT_MAX];
};

static void look(const struct seen_file *f, int64_t *mtime_ns, int64_t *size)
{
    struct stat st;

    *mtime_ns = *size = 0;
    if (f->path && stat(f->path, &st) == 0) {
        *mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
        *size = st.st_size;
    }
}

/* enforce - from now on. */
static void enforce(struct triage *t, struct detect_policy *fresh)
{
    if (t->episodes)
        episodes_policy(t->episodes, fresh);
    if (t->risk)
        risk_policy(t->risk, fresh);
    t->policy = fresh;
}

int triage_reload(struct triage *t, struct err *e)
{
    struct detect_policy *fresh = NULL;
    int rc;

    if (!t->files[0].path)
        return 0;
    for (int i = 0; i < 2; i++)
        look(&t->files[i], &t->files[i].mtime_ns, &t->files[i].size);
    rc = detect_policy_load(t->files[0].path, t->files[1].path, &fresh, e);
    snprintf(t->note, sizeof t->note, "%s", rc < 0 ? e->text : "");
    if (rc < 0)
        return rc;
    struct detect_policy *before = t->coming ? t->coming : t->policy;
    if (t->coming)
        t->coming = fresh;
    else
        enforce(t, fresh);
    detect_policy_free(&before);
    return 0;
}

void triage_policy_save(const struct triage *t, struct buf *b)
{
    for (int i = 0; t->policy && i < 2; i++)
        buf_varstr(b, buf_view(&t->policy->texts[i]));
}

int triage_resume(struct triage *t, struct str saved, struct err *e)
{
    static const char *const names[2] = { "the saved policy", "the saved policy of this site" };
    struct reader r = rd_str(saved);
    struct str texts[2] = { rd_varstr(&r, YAML_BYTES_MAX, "a policy"), rd_varstr(&r, YAML_BYTES_MAX, "a policy") };
    struct detect_policy *old = NULL;
    int rc;

    if (saved.n == 0 || !t->policy)
        return 0;
    if (!rd_ok(&r) || rd_left(&r))
        return err_set(e, -EBADMSG, "the saved policy is damaged");
    if (str_eq(texts[0], buf_view(&t->policy->texts[0])) && str_eq(texts[1], buf_view(&t->policy->texts[1])))
        return 0;
    rc = detect_policy_parse(texts[0], texts[1], names, &old, e);
    if (rc < 0)   /* of a program that knew other keys: there is nothing to go by but what is there */
        return rc == -EBADMSG ? 0 : rc;
    t->coming = t->policy;
    enforce(t, old);
    return 0;
}

bool triage_resumed(const struct triage *t) { return t->coming != NULL; }

void triage_swap(struct triage *t)
{
    struct detect_policy *waits = t->policy;

    if (!t->coming)
        return;
    enforce(t, t->coming);
    t->coming = waits;
}

void triage_settle(struct triage *t) { detect_policy_free(&t->coming); }

bool triage_changed(const struct triage *t)
{
    for (int i = 0; i < 2; i++) {
        int64_t mtime_ns, size;

        look(&t->files[i], &mtime_ns, &size);
        if (mtime_ns != t->files[i].mtime_ns || size != t->files[i].size)
            return true;
    }
    return false;
}

int triage_open(const char *ours, const char *site, struct triage **out, struct err *e)
{
    struct triage *t = calloc(1, sizeof *t);
    int rc = 0;

    *out = t;
    if (!t || (ours && !(t->files[0].path = strdup(ours))) || (site && !(t->files[1].path = strdup(site))))
        rc = err_set(e, -ENOMEM, "no memory for the policy of detection");
    if (rc == 0)
        rc = triage_reload(t, e);
    if (rc < 0 && rc != -ENOMEM && site) {   /* also one that cannot be read */
        snprintf(t->note, sizeof t->note, "%s", e->text);
        rc = detect_policy_load(ours, NULL, &t->policy, e);
    }
    if (rc == 0 && t->policy)
        rc = episodes_new(t->policy, &t->episodes, e);
    if (rc == 0 && t->policy)
        rc = risk_new(t->policy, &t->risk, e);
    if (rc < 0)
        triage_close(out);
    return rc;
}

const char *triage_note(const struct triage *t) { return t->note; }

void triage_close(struct triage **tp)
{
    struct triage *t = *tp;

    if (!t)
        return;
    episodes_free(&t->episodes);
    risk_free(&t->risk);
    detect_policy_free(&t->policy);
    detect_policy_free(&t->coming);
    free(t->files[0].path);
    free(t->files[1].path);
    free(t);
    *tp = NULL;
}

/* add_told - what a finding says of the episode that begins with it. */
static int add_told(struct event_batch *out, const struct episode_told *told, const struct event *ev, bool summary, struct err *e)
{
    struct event *f = &out->items[out->count - 1];
    struct arena *a = &out->arena;
    int rc;

    if (!told->id.n)
        return 0;
    rc = event_add(f, a, STR("saqshy.episode"), told->id);
    if (rc == 0)
        rc = event_add(f, a, STR("saqshy.hits"), STR("1"));
    if (rc == 0)
        rc = event_add(f, a, STR("saqshy.hits_total"), STR("1"));
    if (rc == 0)
        rc = event_add(f, a, STR("saqshy.sample_seqs"), arena_printf(a, "%llu", (unsigned long long)ev->seq));
    if (rc == 0)
        rc = episode_fields(told->fields, f, out);
    if (rc == 0 && summary)
        rc = event_add(f, a, STR("saqshy.summary"), STR("storm"));
    if (rc == 0 && summary)
        rc = event_add(f, a, STR("saqshy.groups"), STR("1"));
    return (rc < 0 && rc != -E2BIG) || arena_failed(a) ? err_set(e, -ENOMEM, "no memory for a finding") : 0;
}

/* raise - the finding of a match, at the level that the policy gives it. */
static int raise_one(const struct hit *h, const struct episode_told *told, bool summary, struct event_batch *out, struct err *e)
{
    struct sigma_rule rule = *h->match->rule;
    struct sigma_match m = *h->match;
    int rc;

    rule.level = h->level;
    m.rule = &rule;
    if (!rule.correlation && !summary && told->group.n)
        m.group = told->group;
    rc = detect_finding(&m, h->event, out, e);
    return rc < 0 ? rc : add_told(out, told, h->event, summary, e);
}

int triage_match(struct triage *t, const struct sigma *set, const struct sigma_match *m, const struct event *ev, struct event_batch *out, size_t *last,
                 struct err *e)
{
    struct hit h = { .match = m, .event = ev, .level = m->rule->level };
    struct episode_told told = { 0 };
    const size_t before = out->count;
    int fate = HIT_BEGINS, rc = 0;

    *last = SIZE_MAX;
    if (t->policy) {
        h.level = detect_policy_level(t->policy, m->rule, ev->object);
        h.quiet = h.level < t->policy->raise_from;
        fate = episodes_hit(t->episodes, &h, set, out, &told, e);
    }
    if (fate < 0)
        return fate;
    if (fate != HIT_COUNTED && !h.quiet) {
        rc = raise_one(&h, &told, fate == HIT_SUMMARY, out, e);
        *last = out->count - 1;
    }
    if (rc == 0 && t->policy && fate == HIT_BEGINS && !m->window_end)
        rc = risk_add(t->risk, m->rule, h.level, ev, out, e);
    return rc < 0 ? rc : (int)(out->count - before);
}

int triage_due(struct triage *t, const struct sigma *set, const struct event *ev, struct event_batch *out, struct err *e)
{
    return t->policy ? episodes_due(t->episodes, ev->received, set, out, e) : 0;
}

bool triage_is_due(const struct triage *t, time_ns at) { return t->policy && episodes_are_due(t->episodes, at); }

const struct detect_policy *triage_policy(const struct triage *t) { return t->policy; }

void triage_save(const struct triage *t, struct buf *episodes, struct buf *risk)
{
    if (!t->policy)
        return;
    episodes_save(t->episodes, episodes);
    risk_save(t->risk, risk);
}

int triage_load(struct triage *t, struct str episodes, struct str risk, struct err *e)
{
    int rc = t->policy ? episodes_load(t->episodes, episodes, e) : 0;

    return rc < 0 || !t->policy ? rc : risk_load(t->risk, risk, e);
}

void triage_clear(struct triage *t)
{
    static const struct str none = { NULL, 0 };
    struct err e;

    if (triage_load(t, none, none, &e) < 0)
        return;   /* an empty text takes no memory: it cannot fail */
}

struct episode_counters triage_counters(const struct triage *t)
{
    return t->policy ? episodes_counters(t->episodes) : (struct episode_counters){ 0 };
}

bool triage_risk_json(const struct triage *t, const struct sigma *set, time_ns at, struct buf *out)
{
    if (!t->policy)
        return false;
    risk_json(t->risk, set, at, out);
    return true;
}
