/* terms.c - the terms of the configuration against those of content/policy/retention.yaml. */
#include "base/yaml.h"
#include "keep/internal.h"

static int read_basis(const struct yaml *y, const struct ynode *root, struct keep_floor *out, struct err *e)
{
    const struct ynode *basis = yaml_get(root, "basis");
    static const char *const known[] = { "en", "kk", "ru", NULL };
    int rc = basis && basis->kind == YNODE_MAP ? yaml_only(y, basis, known, e) : yaml_err(y, basis ? basis : root, e, "\"basis\" must be a map of kk, ru and en");

    for (enum lang l = 0; rc == 0 && l < LANG_COUNT; l++) {
        struct str s = yaml_text(basis, lang_name(l));

        if (!s.n || s.n >= sizeof out->basis[l])
            return yaml_err(y, basis, e, "\"basis\" needs a text in \"%s\" of at most %zu bytes", lang_name(l), sizeof out->basis[l] - 1);
        snprintf(out->basis[l], sizeof out->basis[l], "%.*s", STR_ARG(s));
    }
    return rc;
}

static int read_days(const struct yaml *y, const struct ynode *root, const char *name, int64_t *out, struct err *e)
{
    int rc = yaml_int(y, root, name, out, e);

    if (rc == 0 && *out >= 1 && *out <= 36500)
        return 0;
    return rc < 0 ? rc : yaml_err(y, root, e, "\"%s\" must be a whole number from 1 to 36500", name);
}

int keep_floor_load(const char *content, struct keep_floor *out, struct err *e)
{
    static const char *const known[] = { "basis", "fast_days", "total_days", NULL };
    struct yaml *y = NULL;
    const struct ynode *root;
    char path[4096];
    int rc;

    *out = (struct keep_floor){ 0 };
    snprintf(path, sizeof path, "%.4000s/policy/retention.yaml", content);
    rc = yaml_load_file(path, &y, e);
    if (rc < 0)
        return rc;
    root = y->doc_count == 1 ? y->docs[0] : NULL;
    rc = root && root->kind == YNODE_MAP ? yaml_only(y, root, known, e) : err_line(e, -EBADMSG, path, 1, 1, "one map of total_days, fast_days and basis is expected");
    if (rc == 0)
        rc = read_days(y, root, "total_days", &out->days, e);
    if (rc == 0)
        rc = read_days(y, root, "fast_days", &out->fast_days, e);
    if (rc == 0)
        rc = read_basis(y, root, out, e);
    yaml_free(&y);
    return rc;
}

bool keep_shorter(const struct node *n, const struct keep_floor *f)
{
    return n->retention_days < f->days || (*n->retention_archive && n->retention_fast_days < f->fast_days);
}

/* check_reason - a decision has a reason, a name and a day. */
static int check_reason(const struct node *n, const struct keep_floor *f, struct err *e)
{
    int year, month, day, used = 0;

    if (!keep_shorter(n, f))
        return 0;
    if (!*n->retention_reason || !*n->retention_by || !*n->retention_on)
        return err_set(e, -EINVAL, "%s: events would be kept for %lld days, %lld of them in fast reach; the least terms are %lld and %lld (%.200s). A shorter term needs "
                       "\"retention.reason\", \"retention.decided_by\" and \"retention.decided_on\"", n->file ? n->file : "the configuration",
                       (long long)n->retention_days, (long long)n->retention_fast_days, (long long)f->days, (long long)f->fast_days, f->basis[LANG_EN]);
    if (sscanf(n->retention_on, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || n->retention_on[used] ||
        !civil_valid(&(struct civil){ .year = year, .month = month, .day = day }))
        return err_set(e, -EINVAL, "%s: \"retention.decided_on\" must be a day as 2026-11-27, not \"%.60s\"", n->file ? n->file : "the configuration", n->retention_on);
    return 0;
}

/* filter_of - the words of a search; those of a profile say what its entry says of senders. */
static int filter_of(const struct node *n, const struct retention_longer *x, struct buf *b, struct err *e)
{
    const struct source_profile *p = NULL;

    if (!x->profile) {
        buf_str(b, str_c(x->filter));
        return 0;
    }
    for (size_t i = 0; !p && i < n->listen.profile_count; i++)
        if (strcmp(n->listen.profiles[i].name, x->profile) == 0)
            p = &n->listen.profiles[i];
    if (!p)
        return err_line(e, -EINVAL, n->file, x->line, x->column, "the longer term \"%s\": there is no source \"%s\" in ingest.sources", x->name, x->profile);
    if (!*p->address && !*p->host)
        return err_line(e, -EINVAL, n->file, x->line, x->column, "the longer term \"%s\": events keep the address and the host name of their sender, and source \"%s\" has "
                        "neither", x->name, x->profile);
    buf_printf(b, "%s%s%s%s%s", *p->address ? "log.source.address:" : "", p->address, *p->address && *p->host ? " AND " : "", *p->host ? "host.name:" : "", p->host);
    return 0;
}

/* check_class - a class that there is not would select nothing, without a word, for years. */
static int check_class(const struct node *n, const struct retention_longer *x, struct str filter, struct err *e)
{
    struct str name = str_cut(filter, sizeof "saqshy.class:" - 1);

    if (!str_starts(filter, STR("saqshy.class:")) || str_chr(name, ' ') >= 0 || event_class_parse(name) != CLASS_NONE)
        return 0;
    return err_line(e, -EINVAL, n->file, x->line, x->column, "the longer term \"%s\": unknown class \"%.*s\": os-unix, os-windows, db, net, fw, app and sec are known", x->name,
                    STR_ARG(name));
}

static int check_longer(const struct node *n, const struct retention_longer *x, struct query **q, struct err *e)
{
    AUTO_BUF struct buf filter;
    struct err why;
    int rc;

    buf_init(&filter, 64 * KIB);

    if (x->days <= n->retention_days)
        return err_line(e, -EINVAL, n->file, x->line, x->column, "the term of \"%s\" must be longer than the one of all events, %lld days", x->name,
                        (long long)n->retention_days);
    rc = filter_of(n, x, &filter, e);
    if (rc == 0)
        rc = check_class(n, x, buf_view(&filter), e);
    if (rc < 0)
        return rc;
    rc = query_parse(buf_view(&filter), q, &why);
    return rc < 0 ? err_line(e, -EINVAL, n->file, x->line, x->column, "the filter of \"%s\": %.300s", x->name, why.text) : 0;
}

int keep_check(const struct node *n, struct err *e)
{
    struct keep_floor f;
    int rc = *n->content ? keep_floor_load(n->content, &f, e) : 0;

    if (rc == 0 && *n->content)
        rc = check_reason(n, &f, e);
    if (rc == 0 && *n->retention_archive && n->retention_fast_days >= n->retention_days)
        rc = err_set(e, -EINVAL, "%s: \"retention.fast_days\" must be less than \"retention.days\": the archive would stay empty", n->file ? n->file : "the configuration");
    for (size_t i = 0; rc == 0 && i < n->longer.count; i++) {
        struct query *q = NULL;

        rc = check_longer(n, &n->longer.item[i], &q, e);
        query_free(&q);
    }
    return rc;
}

int terms_open(struct keep *k, struct err *e)
{
    const struct node *n = k->node;
    int rc = keep_floor_load(n->content, &k->floor, e);

    k->longest = n->retention_days;
    for (size_t i = 0; rc == 0 && i < n->longer.count; i++) {
        const struct retention_longer *x = &n->longer.item[i];

        rc = check_longer(n, x, &k->query[i], e);
        k->term[i] = (struct store_term){ k->query[i], x->days };
        k->longest = x->days > k->longest ? x->days : k->longest;
    }
    k->policy = (struct store_policy){ .days = n->retention_days, .longer = k->term, .longer_count = n->longer.count, .fast_days = n->retention_fast_days };
    return rc;
}

void terms_close(struct keep *k)
{
    for (size_t i = 0; i < COUNT(k->query); i++)
        query_free(&k->query[i]);
}
