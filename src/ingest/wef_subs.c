/* wef_subs.c - the subscriptions that machines are given: files of YAML, their queries judged before a machine sees them; see wef.h.
 *
 * A query that Windows does not take makes the whole subscription silent on that machine, with an event in a log that nobody reads. So it is judged
 * here: well-formed, with paths, no more channels and comparisons than Windows bears, and none of the functions of XPath that its dialect lacks. */
#include "ingest/wef.h"
#include "base/file.h"
#include "base/yaml.h"

#include <dirent.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define PATTERNS_MAX 1024
#define QUERY_MAX    (128u * KIB)
#define FILES_MAX    256

static const char *const keys[] = { "id", "title", "query", "format", "existing", "compress", "language", "machines", "except", "heartbeat_s", "max_time_s",
                                    "max_elements", "envelope_bytes", "retry_s", "retry_count", NULL };

struct number {
    const char *name;
    size_t      at;
    int64_t     least, most, usual;
};
#define NUMBER(name, lo, hi, def) { #name, offsetof(struct wef_subscription, name), lo, hi, def }
static const struct number numbers[] = {
    NUMBER(heartbeat_s, 10, 86400, 900),     NUMBER(max_time_s, 1, 3600, 30),      NUMBER(max_elements, 0, 20000, 0),
    NUMBER(envelope_bytes, 32768, 4194304, 512000), NUMBER(retry_s, 1, 3600, 60), NUMBER(retry_count, 1, 1000, 60),
};

/* --- queries --- */

/* lint_functions - does an XPath call one that Windows lacks? */
static int lint_functions(struct str s, size_t at, struct err *e)
{
    static const char *const known[] = { "position", "band", "timediff", "and", "or", "not" };

    char quote = 0;

    for (size_t i = 0; i < s.n; i++) {
        size_t from = i;
        bool fine = false;

        if (quote || s.p[i] == '"' || s.p[i] == '\'') {
            quote = !quote ? s.p[i] : s.p[i] == quote ? 0 : quote;
            continue;
        }
        if (s.p[i] != '(')
            continue;
        while (from > 0 && ((s.p[from - 1] >= 'a' && s.p[from - 1] <= 'z') || s.p[from - 1] == '-'))
            from--;
        for (size_t k = 0; k < COUNT(known); k++)
            fine = fine || str_eq(str_of(s.p + from, i - from), str_c(known[k]));
        if (!fine && from < i)
            return err_at(e, -EINVAL, at + from, "Windows knows no function \"%.*s\" in a query: position, band and timediff are all", (int)(i - from), s.p + from);
    }
    return 0;
}

/* lint_select - one XPath: brackets and quotes in pairs, few enough comparisons. */
static int lint_select(struct str s, size_t at, struct err *e)
{
    int round = 0, square = 0, compared = 0;
    char quote = 0;

    if (str_trim(s).n == 0)
        return err_at(e, -EINVAL, at, "a Select or Suppress is empty: \"*\" stands for all");
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (quote) {
            quote = c == quote ? 0 : quote;
            continue;
        }
        quote = c == '"' || c == '\'' ? c : 0;
        round += c == '(' ? 1 : c == ')' ? -1 : 0;
        square += c == '[' ? 1 : c == ']' ? -1 : 0;
        compared += c == '=' || ((c == '<' || c == '>') && (i + 1 == s.n || s.p[i + 1] != '='));
        if (round < 0 || square < 0)
            return err_at(e, -EINVAL, at + i, "a bracket is closed that is not open");
    }
    if (quote || round || square)
        return err_at(e, -EINVAL, at, "%s in a Select or Suppress", quote ? "a quote has no end" : "a bracket is not closed");
    if (compared > WEF_COMPARED_MAX)
        return err_at(e, -EINVAL, at, "%d comparisons in one Select: Windows refuses some more than %d, so divide it into several", compared, WEF_COMPARED_MAX);
    return lint_functions(s, at, e);
}

struct linting {
    struct xpull x;
    struct str   text;
    struct arena arena;
    struct str   ids[WEF_CHANNELS_MAX];
    size_t       queries, selects;
    bool         path;           /* of the Query that is open */
};

static int lint_open(struct linting *l, struct err *e)
{
    struct xpull *x = &l->x;
    size_t at = (size_t)(x->at - l->text.p);
    struct str v;

    if (x->depth == 1)
        return str_eq(x->name, STR("QueryList")) ? 0 : err_at(e, -EINVAL, at, "a query begins with <QueryList>");
    if (x->depth == 2) {
        if (!str_eq(x->name, STR("Query")))
            return err_at(e, -EINVAL, at, "in a QueryList stand Query elements, not \"%.*s\"", STR_ARG(x->name));
        if (!xpull_attribute(x, STR("Id"), &v) || v.n == 0)
            return err_at(e, -EINVAL, at, "a Query has an Id");
        if (l->queries == WEF_CHANNELS_MAX)
            return err_at(e, -EINVAL, at, "a query has at most %d Query elements", WEF_CHANNELS_MAX);
        for (size_t i = 0; i < l->queries; i++)
            if (str_eq(l->ids[i], v))
                return err_at(e, -EINVAL, at, "two Query elements have the Id \"%.*s\"", STR_ARG(v));
        l->ids[l->queries++] = v;
        l->path = xpull_attribute(x, STR("Path"), &v) && v.n;
        return 0;
    }
    if (x->depth > 3 || (!str_eq(x->name, STR("Select")) && !str_eq(x->name, STR("Suppress"))))
        return err_at(e, -EINVAL, at, "in a Query stand Select and Suppress, not \"%.*s\"", STR_ARG(x->name));
    if (!l->path && !(xpull_attribute(x, STR("Path"), &v) && v.n))
        return err_at(e, -EINVAL, at, "a %.*s names its channel: Path=\"Security\"", STR_ARG(x->name));
    if (str_eq(x->name, STR("Select")) && ++l->selects > WEF_CHANNELS_MAX)
        return err_at(e, -EINVAL, at, "a query has at most %d Select elements", WEF_CHANNELS_MAX);
    return x->closing ? err_at(e, -EINVAL, at, "a Select or Suppress is empty: \"*\" stands for all") : 0;
}

static int lint(struct linting *l, struct err *e)
{
    int rc = 0;

    while (rc == 0) {
        enum xtoken t = xpull_next(&l->x);
        size_t at = (size_t)(l->x.at - l->text.p);

        if (t == X_END)
            break;
        if (t == X_DAMAGED)
            rc = err_at(e, -EINVAL, at, "the query is no sound XML: %s", l->x.why);
        else if (t == X_OPEN)
            rc = lint_open(l, e);
        else if (t == X_TEXT && l->x.depth == 3)
            rc = lint_select(xpull_decoded(l->x.text, &l->arena), at, e);
        else if (t == X_TEXT && str_trim(l->x.text).n)
            rc = err_at(e, -EINVAL, at, "text stands outside of Select and Suppress");
    }
    if (rc == 0 && l->selects == 0)
        rc = err_at(e, -EINVAL, 0, "the query selects nothing");
    return rc;
}

int wef_query_lint(struct str query, struct err *e)
{
    struct linting *l = calloc(1, sizeof *l);
    int rc;

    if (!l)
        return err_set(e, -ENOMEM, "no memory for a query");
    arena_init(&l->arena, 2 * QUERY_MAX);
    l->text = query;
    xpull_from(&l->x, query);
    rc = query.n > QUERY_MAX ? err_set(e, -E2BIG, "a query has at most %u bytes", QUERY_MAX) : lint(l, e);
    arena_free(&l->arena);
    free(l);
    return rc;
}

/* --- files --- */

static char *text_of(const struct ynode *map, const char *key)
{
    const struct ynode *v = yaml_get(map, key);
    struct str s = v && !yaml_null(v) ? v->text : str_of(NULL, 0);

    return strndup(s.n ? s.p : "", s.n);
}

static int take_patterns(const struct yaml *y, const struct ynode *map, const char *key, char ***out, size_t *count, struct err *e)
{
    const struct ynode *list = yaml_get(map, key);

    if (!list || yaml_null(list))
        return 0;
    if (list->kind != YNODE_SEQ || list->count > PATTERNS_MAX)
        return yaml_err(y, list, e, "\"%s\" must be a list of at most %d names, as \"*.branch.example\"", key, PATTERNS_MAX);
    *out = calloc(list->count + 1, sizeof **out);
    for (const struct ynode *i = list->first; *out && i; i = i->next) {
        if (i->kind != YNODE_SCALAR || i->text.n == 0)
            return yaml_err(y, i, e, "a name in \"%s\" must be a text", key);
        if (((*out)[*count] = strndup(i->text.p, i->text.n)) == NULL)
            break;
        (*count)++;
    }
    return *out && *count == list->count ? 0 : err_set(e, -ENOMEM, "no memory for a subscription");
}

static bool id_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return s.n > 0 && s.n <= WEF_ID_MAX;
}

static int take_numbers(const struct yaml *y, const struct ynode *map, struct wef_subscription *s, struct err *e)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct number *n = &numbers[i];
        int64_t *to = (int64_t *)(void *)((char *)s + n->at);
        int rc;

        *to = n->usual;
        rc = yaml_int(y, map, n->name, to, e);
        if (rc < 0)
            return rc;
        if (*to < n->least || *to > n->most)
            return yaml_err(y, yaml_get(map, n->name), e, "\"%s\" must be from %lld to %lld", n->name, (long long)n->least, (long long)n->most);
    }
    return 0;
}

static int take_query(const struct yaml *y, const struct ynode *map, struct wef_subscription *s, struct err *e)
{
    const struct ynode *q = yaml_get(map, "query");
    struct err why;

    if (!q || q->kind != YNODE_SCALAR)
        return yaml_err(y, q ? q : map, e, "a subscription has a \"query\": <QueryList>…</QueryList>");
    if (wef_query_lint(str_trim(q->text), &why) < 0)
        return yaml_err(y, q, e, "query, byte %zu: %s", why.at, why.text);
    s->query = strndup(str_trim(q->text).p, str_trim(q->text).n);
    return s->query ? 0 : err_set(e, -ENOMEM, "no memory for a subscription");
}

static int take_words(const struct yaml *y, const struct ynode *map, struct wef_subscription *s, struct err *e)
{
    struct str id = yaml_text(map, "id"), format = yaml_text(map, "format");

    if (!id_valid(id))
        return yaml_err(y, yaml_get(map, "id"), e, "\"id\" must be 1 to %d small letters, digits and '-': bookmarks are kept under it", WEF_ID_MAX);
    if (format.n && !str_eq(format, STR("raw")) && !str_eq(format, STR("rendered")))
        return yaml_err(y, yaml_get(map, "format"), e, "\"format\" must be raw or rendered");
    snprintf(s->id, sizeof s->id, "%.*s", STR_ARG(id));
    s->rendered = str_eq(format, STR("rendered"));
    s->existing = true;
    s->title = text_of(map, "title");
    s->language = text_of(map, "language");
    return s->title && s->language ? 0 : err_set(e, -ENOMEM, "no memory for a subscription");
}

static int take_map(const struct yaml *y, const struct ynode *map, struct wef_subscription *s, struct err *e)
{
    int rc;

    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a subscription is a map: id, title, query, …");
    rc = yaml_only(y, map, keys, e);
    if (rc == 0)
        rc = take_words(y, map, s, e);
    if (rc == 0)
        rc = yaml_bool(y, map, "existing", &s->existing, e);
    if (rc >= 0)
        rc = yaml_bool(y, map, "compress", &s->compress, e);
    if (rc >= 0)
        rc = take_numbers(y, map, s, e);
    if (rc == 0)
        rc = take_query(y, map, s, e);
    if (rc == 0)
        rc = take_patterns(y, map, "machines", &s->machines, &s->machine_count, e);
    return rc == 0 ? take_patterns(y, map, "except", &s->except, &s->except_count, e) : rc;
}

static void subscription_free(struct wef_subscription *s)
{
    free(s->title);
    free(s->query);
    free(s->language);
    for (size_t i = 0; i < s->machine_count; i++)
        free(s->machines[i]);
    for (size_t i = 0; i < s->except_count; i++)
        free(s->except[i]);
    free(s->machines);
    free(s->except);
}

static void set_free(struct wef_set *s)
{
    for (size_t i = 0; s && i < s->count; i++)
        subscription_free(&s->item[i]);
    free(s);
}

struct wef_set *wef_set_ref(struct wef_set *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void wef_set_unref(struct wef_set **s)
{
    if (*s && __atomic_sub_fetch(&(*s)->refs, 1, __ATOMIC_ACQ_REL) == 0)
        set_free(*s);
    *s = NULL;
}

/* load_file - each document of a file is a subscription. */
static int load_file(const char *path, struct wef_set *set, struct err *e)
{
    struct yaml *y = NULL;
    int rc = yaml_load_file(path, &y, e);

    for (size_t i = 0; rc == 0 && i < y->doc_count; i++) {
        struct wef_subscription *s = &set->item[set->count];

        if (set->count == WEF_SUBSCRIPTIONS_MAX) {
            rc = err_set(e, -E2BIG, "%s: there may be %d subscriptions", path, WEF_SUBSCRIPTIONS_MAX);
            break;
        }
        rc = take_map(y, y->docs[i], s, e);
        set->count++;    /* half of one is freed with the set */
        if (rc == 0 && wef_set_find(set, str_c(s->id)) != s)
            rc = yaml_err(y, y->docs[i], e, "there is a subscription \"%s\" already", s->id);
    }
    yaml_free(&y);
    return rc;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int load_folder(const char *path, struct wef_set *set, struct err *e)
{
    char *names[FILES_MAX], file[PATH_MAX];
    const struct dirent *entry;
    DIR *d = opendir(path);
    size_t n = 0;
    int rc = 0;

    if (!d)
        return err_sys(e, "could not read the folder of subscriptions \"%s\"", path);
    while (n < FILES_MAX && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.' && str_ends(str_c(entry->d_name), STR(".yaml")) && (names[n] = strdup(entry->d_name)) != NULL)
            n++;
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        if (rc == 0)
            rc = load_file(file, set, e);
        free(names[i]);
    }
    return rc;
}

int wef_set_load(const char *path, struct wef_set **out, struct err *e)
{
    struct wef_set *set = calloc(1, sizeof *set);
    struct stat st;
    int rc;

    if (!set)
        return err_set(e, -ENOMEM, "no memory for subscriptions");
    set->refs = 1;
    rc = stat(path, &st) < 0 ? err_sys(e, "could not read the subscriptions \"%s\"", path) : S_ISDIR(st.st_mode) ? load_folder(path, set, e) : load_file(path, set, e);
    if (rc == 0 && set->count == 0)
        rc = err_set(e, -EINVAL, "there is no subscription in \"%s\"", path);
    if (rc < 0) {
        set_free(set);
        return rc;
    }
    *out = set;
    return 0;
}

const struct wef_subscription *wef_set_find(const struct wef_set *s, struct str id)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(str_c(s->item[i].id), id))
            return &s->item[i];
    return NULL;
}

/* matches - a pattern with any number of '*', letters folded; no recursion: the last '*' is where to go on from. */
static bool matches(struct str pattern, struct str s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

    while (i < s.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pattern.n && str_ieq(str_of(pattern.p + p, 1), str_of(s.p + i, 1))) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool wef_subscription_for(const struct wef_subscription *s, struct str machine)
{
    bool wanted = s->machine_count == 0;

    for (size_t i = 0; !wanted && i < s->machine_count; i++)
        wanted = matches(str_c(s->machines[i]), machine);
    for (size_t i = 0; wanted && i < s->except_count; i++)
        wanted = !matches(str_c(s->except[i]), machine);
    return wanted;
}

void wef_version(const struct wef_subscription *s, const struct wef_asker *to, char out[37])
{
    AUTO_BUF struct buf b = { 0 };
    unsigned char h[EVP_MAX_MD_SIZE] = { 0 };
    unsigned n = sizeof h;

    buf_init(&b, MIB);
    buf_printf(&b, "%s %d %d %d %s", s->id, s->rendered, s->existing, s->compress, s->language);
    for (size_t i = 0; i < COUNT(numbers); i++)
        buf_printf(&b, " %lld", (long long)*(const int64_t *)(const void *)((const char *)s + numbers[i].at));
    buf_byte(&b, '\n');
    buf_str(&b, to->host);
    buf_byte(&b, '\n');
    buf_str(&b, to->issuer);
    buf_byte(&b, '\n');
    buf_str(&b, str_c(s->query));
    if (EVP_Digest(b.p, b.n, h, &n, EVP_sha256(), NULL) != 1)
        memset(h, 0, sizeof h);
    snprintf(out, 37, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", h[0], h[1], h[2], h[3], h[4], h[5], (h[6] & 0x0F) | 0x80, h[7],
             (h[8] & 0x3F) | 0x80, h[9], h[10], h[11], h[12], h[13], h[14], h[15]);
}

const char *wef_folder(const struct listen_conf *c, const char *content, char out[4096])
{
    const char *said = listen_option(c, "subscriptions");

    if (said && *said)
        snprintf(out, 4096, "%s", said);
    else
        snprintf(out, 4096, "%.4000s/wef", content);
    return out;
}
