/* node.c - see node.h. One table holds every setting: name, kind, default, limits. */
#include "base/node.h"
#include "base/file.h"
#include "base/yaml.h"

#include <limits.h>

struct setting {
    const char *section, *name;
    size_t      at;
    const char *text;          /* default of a text */
    int64_t     least, most, number;
};

#define TEXT(s, n, field, def)          { s, n, offsetof(struct node, field), def, 0, 0, 0 }
#define NUMBER(s, n, field, lo, hi, def) { s, n, offsetof(struct node, field), NULL, lo, hi, def }

static const struct setting settings[] = {
    TEXT(NULL, "data", data, "."),
    TEXT(NULL, "content", content, ""),
    TEXT(NULL, "web", web, ""),
    TEXT(NULL, "node", kind, "centre"),
    TEXT(NULL, "roles", roles, "ingest index detect desk keys"),
    TEXT(NULL, "user", user, ""),
    TEXT(NULL, "edition", edition, "kz-52-2025"),
    TEXT(NULL, "zone", zone, "Asia/Almaty"),
#define LISTENER(kind, address, tls) TEXT("ingest", #kind, listen_address[LISTEN_##kind], address),
#include "base/listeners.def"
#undef LISTENER
    NUMBER("ingest", "future_tolerance_s", future_tolerance_s, 0, 86400 * 30, 300),
    NUMBER("journal", "segment_bytes", segment_bytes, 65536, INT64_C(4) << 30, 64 * 1024 * 1024),
    NUMBER("store", "retention_days", retention_days, 1, 36500, 1096),   /* the older name of the next */
    NUMBER("retention", "days", retention_days, 1, 36500, 1096),
    NUMBER("retention", "fast_days", retention_fast_days, 1, 36500, 62),
    TEXT("retention", "archive", retention_archive, ""),
    TEXT("retention", "reserve", retention_reserve, ""),
    TEXT("retention", "reason", retention_reason, ""),
    TEXT("retention", "decided_by", retention_by, ""),
    TEXT("retention", "decided_on", retention_on, ""),
    NUMBER("detect", "group_hours", findings_group_hours, 1, 8760, 24),
    NUMBER("detect", "searched_back_days", searched_back_days, 0, 3650, 30),
    NUMBER("detect", "searched_back_share", searched_back_share, 1, 100, 25),
    NUMBER("forward", "warn_behind_s", forward_warn_s, 10, 86400 * 365, 3600),
    TEXT("portal", "listen", portal, "127.0.0.1:8443"),
    TEXT("portal", "public_url", public_url, "https://127.0.0.1:8443"),
    TEXT("mail", "smtp_url", smtp_url, ""),
    TEXT("mail", "from", smtp_from, "saqshy@localhost"),
    TEXT("mail", "user", smtp_user, ""),
    TEXT("mail", "password_file", smtp_password_file, ""),
    TEXT("notices", "trust_anchors", trust_anchors, ""),
    TEXT("notices", "webhooks", webhooks, "no"),
    TEXT("notices", "webhook_ca", webhook_ca, ""),
    TEXT("link", "listen", link_listen, ""),
    TEXT("link", "connect", link_connect, "no"),
    TEXT("link", "url", link_url, ""),
    NUMBER("link", "poll_s", link_poll_s, 1, 3600, 15),
};

static char **text_at(struct node *n, const struct setting *s)
{
    return (char **)(void *)((char *)n + s->at);
}

static int64_t *number_at(struct node *n, const struct setting *s)
{
    return (int64_t *)(void *)((char *)n + s->at);
}

static int set_text(struct node *n, const struct setting *s, struct str v, struct err *e)
{
    char *copy = strndup(v.n ? v.p : "", v.n);

    if (!copy)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    free(*text_at(n, s));
    *text_at(n, s) = copy;
    return 0;
}

static int set_defaults(struct node *n, struct err *e)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting *s = &settings[i];
        int rc = 0;

        if (s->text)
            rc = set_text(n, s, str_c(s->text), e);
        else
            *number_at(n, s) = s->number;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* join_list - a YAML sequence of texts as one text with spaces between. */
static int join_list(const struct yaml *y, const struct ynode *seq, struct buf *b, struct err *e)
{
    for (const struct ynode *i = seq->first; i; i = i->next) {
        if (i->kind != YNODE_SCALAR)
            return yaml_err(y, i, e, "a name is expected here");
        if (b->n)
            buf_byte(b, ' ');
        buf_str(b, i->text);
    }
    return 0;
}

static int set_one(struct node *n, const struct yaml *y, const struct setting *s, const struct ynode *key, struct err *e)
{
    const struct ynode *v = key->value;
    AUTO_BUF struct buf b;
    int64_t number;

    buf_init(&b, 64 * KIB);
    if (!v)
        return yaml_err(y, key, e, "\"%s\" has no value", s->name);
    if (s->text) {
        int rc = 0;

        if (v->kind == YNODE_SEQ)
            rc = join_list(y, v, &b, e);
        else if (v->kind == YNODE_SCALAR)
            buf_str(&b, yaml_null(v) ? STR("") : v->text);
        else
            rc = yaml_err(y, v, e, "\"%s\" must be a text", s->name);
        return rc < 0 ? rc : set_text(n, s, buf_view(&b), e);
    }
    if (v->kind != YNODE_SCALAR || !str_i64(v->text, &number) || number < s->least || number > s->most)
        return yaml_err(y, v, e, "\"%s\" must be a whole number from %lld to %lld", s->name, (long long)s->least,
                        (long long)s->most);
    *number_at(n, s) = number;
    return 0;
}

static const struct setting *find_setting(const char *section, struct str name)
{
    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting *s = &settings[i];
        bool same = section && s->section ? strcmp(section, s->section) == 0 : section == s->section;

        if (same && str_eq(name, str_c(s->name)))
            return s;
    }
    return NULL;
}

static const char *find_section(struct str name)
{
    for (size_t i = 0; i < COUNT(settings); i++)
        if (settings[i].section && str_eq(name, str_c(settings[i].section)))
            return settings[i].section;
    return NULL;
}

/* take_list - the settings that are lists of maps. 1 if the key is none of them. */
static int take_list(struct node *n, const struct yaml *y, const struct ynode *k, const char *section, const char *base, struct err *e)
{
    if (section && strcmp(section, "forward") == 0 && str_eq(k->text, STR("upstreams")))
        return upstream_take_list(&n->upstreams, y, k->value ? k->value : k, base, e);
    if (section && strcmp(section, "retention") == 0 && str_eq(k->text, STR("longer")))
        return retention_take_longer(&n->longer, y, k->value ? k->value : k, e);
    if (!section || strcmp(section, "ingest") != 0)
        return 1;
    if (str_eq(k->text, STR("listeners")))
        return listen_take_listeners(&n->listen, y, k->value ? k->value : k, base, e);
    return str_eq(k->text, STR("sources")) ? listen_take_profiles(&n->listen, y, k->value ? k->value : k, e) : 1;
}

static int take_map(struct node *n, const struct yaml *y, const struct ynode *map, const char *section, const char *base, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a map of settings is expected here");
    for (const struct ynode *k = map->first; k; k = k->next) {
        const struct setting *s = find_setting(section, k->text);
        const char *inner = section ? NULL : find_section(k->text);
        int rc;

        if (s)
            rc = set_one(n, y, s, k, e);
        else if (inner && k->value && k->value->kind == YNODE_MAP)
            /* Depth is two: sections hold settings, never sections. */
            rc = take_map(n, y, k->value, inner, base, e);
        else
            rc = take_list(n, y, k, section, base, e);
        if (rc == 1)
            rc = yaml_err(y, k, e, "unknown setting \"%.*s\"%s%s", STR_ARG(k->text), section ? " in section " : "",
                          section ? section : "");
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_roles(const struct node *n, struct err *e)
{
    struct str rest = str_c(n->roles), one;

    while (str_split(&rest, ' ', &one)) {
        bool known = one.n == 0;

        for (enum node_role r = 0; r < ROLE_COUNT; r++)
            known = known || str_eq(one, str_c(node_role_name(r)));
        if (!known)
            return err_set(e, -EINVAL, "unknown role \"%.*s\": ingest, index, detect, forward, desk, keys and tools are known", STR_ARG(one));
    }
    if (n->upstreams.count && !node_has_role(n, ROLE_FORWARD))
        return err_set(e, -EINVAL, "\"forward.upstreams\" names upstreams, but the role forward is not among the roles");
    for (size_t i = 0; i < n->upstreams.count; i++)
        if (n->upstreams.items[i].limits.hold_bytes && !node_has_role(n, ROLE_INDEX))
            return err_set(e, -EINVAL, "upstream \"%s\": \"hold_bytes\" needs the role index: without a store, what is given up would be gone", n->upstreams.items[i].name);
    if (!reserve_parse(str_c(n->retention_reserve), &(struct reserve){ 0 }))
        return err_set(e, -EINVAL, "\"retention.reserve\" must be a share as 5%% (1 to 50) or a size as 2GiB, not \"%s\"", n->retention_reserve);
    if (strcmp(n->webhooks, "no") != 0 && strcmp(n->webhooks, "yes") != 0 && strcmp(n->webhooks, "private") != 0)
        return err_set(e, -EINVAL, "\"notices.webhooks\" must be no, yes or private, not \"%s\"", n->webhooks);
    if (strcmp(n->link_connect, "yes") != 0 && strcmp(n->link_connect, "no") != 0)
        return err_set(e, -EINVAL, "\"link.connect\" must be yes or no, not \"%s\"", n->link_connect);
    if (strcmp(n->kind, "centre") != 0 && strcmp(n->kind, "collector") != 0)
        return err_set(e, -EINVAL, "\"node\" must be centre or collector, not \"%s\"", n->kind);
    return 0;
}

/* make_absolute - relative paths in the file are meant from the file's own folder. */
static int make_absolute(char **path, const char *base, struct err *e)
{
    char joined[PATH_MAX], real[PATH_MAX];

    if (!**path)
        return 0;
    snprintf(joined, sizeof joined, "%s%s%s", **path == '/' ? "" : base, **path == '/' ? "" : "/", *path);
    char *copy = strdup(realpath(joined, real) ? real : joined);
    if (!copy)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    free(*path);
    *path = copy;
    return 0;
}

/* find_beside - the first of the usual places, seen from the binary, that holds TAIL. */
static int find_beside(char **path, const char *exe_folder, const char *const *places, struct err *e)
{
    char joined[PATH_MAX];

    if (**path)
        return 0;
    for (; *places; places++) {
        snprintf(joined, sizeof joined, "%s/%s", exe_folder, *places);
        if (!file_exists(joined))
            continue;
        free(*path);
        *path = strdup(joined);
        return *path ? make_absolute(path, "", e) : err_set(e, -ENOMEM, "no memory for the configuration");
    }
    return 0;
}

static int find_content(struct node *n, const char *exe_folder, struct err *e)
{
    static const char *const content[] = { "../../content", "../../../content", "../share/saqshy/content", "../../../../content", NULL };
    static const char *const web[] = { "../../web/dist", "../../../web/dist", "../share/saqshy/web", "../../../../web/dist", NULL };
    int rc = find_beside(&n->content, exe_folder, content, e);

    return rc < 0 ? rc : find_beside(&n->web, exe_folder, web, e);
}

int node_default(const char *data, const char *exe_folder, struct node **out, struct err *e)
{
    struct node *n = calloc(1, sizeof *n);
    int rc;

    *out = NULL;
    if (!n)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    rc = set_defaults(n, e);
    if (rc == 0 && data) {
        free(n->data);
        n->data = strdup(data);
        rc = n->data ? make_absolute(&n->data, ".", e) : err_set(e, -ENOMEM, "no memory for the configuration");
    }
    if (rc == 0)
        rc = find_content(n, exe_folder, e);
    if (rc < 0) {
        node_free(&n);
        return rc;
    }
    *out = n;
    return 0;
}

static void folder_of(const char *file, char out[PATH_MAX])
{
    char real[PATH_MAX];
    const char *path = realpath(file, real) ? real : file;
    const char *slash = strrchr(path, '/');

    snprintf(out, PATH_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

/* load_file - FILE, or the accepted copy of it under FILE's name. */
static int load_file(const char *file, const char *accepted, struct yaml **y, struct err *e)
{
    AUTO_BUF struct buf text = { 0 };
    int rc;

    if (!accepted)
        return yaml_load_file(file, y, e);
    buf_init(&text, YAML_BYTES_MAX + 1);
    rc = file_read(accepted, YAML_BYTES_MAX, &text, e);
    return rc < 0 ? rc : yaml_load(buf_view(&text), file, y, e);
}

static int add_short_listeners(struct node *n, struct err *e)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < LISTEN_KIND_COUNT; i++)
        rc = listen_add_short(&n->listen, (enum listen_kind)i, n->listen_address[i], e);
    return rc;
}

static int complete_paths(struct node *n, const char *base, const char *exe_folder, struct err *e)
{
    char **const paths[] = { &n->data, &n->content, &n->web, &n->smtp_password_file, &n->trust_anchors, &n->webhook_ca, &n->retention_archive };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(paths); i++)
        rc = make_absolute(paths[i], base, e);
    return rc == 0 ? find_content(n, exe_folder, e) : rc;
}

static int keep_names(struct node *n, const char *file, const char *accepted, struct err *e)
{
    n->file = strdup(file);
    n->accepted = accepted ? strdup(accepted) : NULL;
    return n->file && (n->accepted || !accepted) ? 0 : err_set(e, -ENOMEM, "no memory for the configuration");
}

int node_load_accepted(const char *file, const char *accepted, const char *exe_folder, struct node **out, struct err *e)
{
    struct node *n = calloc(1, sizeof *n);
    struct yaml *y = NULL;
    char base[PATH_MAX];
    int rc;

    *out = NULL;
    if (!n)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    folder_of(file, base);
    rc = set_defaults(n, e);
    if (rc == 0)
        rc = keep_names(n, file, accepted, e);
    if (rc == 0)
        rc = load_file(file, accepted, &y, e);
    if (rc == 0 && y->doc_count > 1)
        rc = yaml_err(y, y->docs[1], e, "one document is expected");
    if (rc == 0 && y->doc_count == 1 && !yaml_null(y->docs[0]))
        rc = take_map(n, y, y->docs[0], NULL, base, e);
    if (rc == 0) {
        rc = check_roles(n, e);
        if (rc == 0)
            rc = add_short_listeners(n, e);
        if (rc < 0)
            err_wrap(e, rc, "%s", file);
    }
    if (rc == 0)
        rc = complete_paths(n, base, exe_folder, e);
    yaml_free(&y);
    if (rc < 0) {
        node_free(&n);
        return rc;
    }
    *out = n;
    return 0;
}

int node_load(const char *file, const char *exe_folder, struct node **out, struct err *e)
{
    return node_load_accepted(file, NULL, exe_folder, out, e);
}

void node_free(struct node **n)
{
    if (!*n)
        return;
    for (size_t i = 0; i < COUNT(settings); i++)
        if (settings[i].text)
            free(*text_at(*n, &settings[i]));
    listen_table_free(&(*n)->listen);
    upstream_table_free(&(*n)->upstreams);
    retention_list_free(&(*n)->longer);
    free((*n)->file);
    free((*n)->accepted);
    free(*n);
    *n = NULL;
}

const char *node_role_name(enum node_role role)
{
    static const char *const names[ROLE_COUNT] = { "ingest", "index", "detect", "forward", "desk", "tools", "keys" };

    return role < ROLE_COUNT ? names[role] : "?";
}

bool node_has_role(const struct node *n, enum node_role role)
{
    struct str rest = str_c(n->roles), one;

    while (str_split(&rest, ' ', &one))
        if (str_eq(one, str_c(node_role_name(role))))
            return true;
    return false;
}

const char *node_path(const struct node *n, const char *tail, char out[4096])
{
    snprintf(out, 4096, "%s/%s", n->data, tail);
    return out;
}

int node_exe_folder(char out[4096], struct err *e)
{
    ssize_t n = readlink("/proc/self/exe", out, 4095);
    char *slash;

    if (n <= 0)
        return err_sys(e, "could not find the folder of this program");
    out[n] = 0;
    slash = strrchr(out, '/');
    if (slash && slash != out)
        *slash = 0;
    return 0;
}

int node_load_again(const struct node *now, struct node **out, struct err *e)
{
    char exe[4096];
    int rc = node_exe_folder(exe, e);

    *out = NULL;
    return rc < 0 ? rc : node_load_accepted(now->file, now->accepted, exe, out, e);
}
