/* tools.c - content/policy/tools.yaml, and commands made of it. See tools.h. */
#include "desk/surveys/tools.h"
#include "desk/surveys/room.h"
#include "base/file.h"
#include "base/yaml.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT_NAME_MAX 128
#define OS_MAX           64
#define OS_FILE_MAX      (16u * KIB)

struct tool_policy {
    struct yaml        *file;
    struct tool_profile profile[TOOL_PROFILES_MAX];
    size_t              count;
};

static int read_list(const struct yaml *y, const struct ynode *list, struct str *out, size_t most, size_t *count, struct err *e)
{
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n; n = n->next) {
        if (n->kind != YNODE_SCALAR || n->text.n == 0 || *count == most || memchr(n->text.p, 0, n->text.n))
            return yaml_err(y, n, e, "a text is expected, at most %zu of them", most);
        out[(*count)++] = n->text;
    }
    return 0;
}

static int read_number(const struct yaml *y, const struct ynode *n, const char *key, int64_t most, int64_t *out, struct err *e)
{
    int rc = yaml_int(y, n, key, out, e);

    if (rc < 0)
        return rc;
    return rc > 0 || *out < 1 || *out > most ? yaml_err(y, n, e, "\"%s\" is a number from 1 to %lld", key, (long long)most) : 0;
}

static int read_codes(const struct yaml *y, const struct ynode *list, struct tool_profile *t, struct err *e)
{
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n; n = n->next)
        if (t->code_count == COUNT(t->codes) || !str_i64(n->text, &t->codes[t->code_count++]))
            return yaml_err(y, n, e, "an exit code is expected, at most %zu of them", COUNT(t->codes));
    return 0;
}

/* Arguments are whole: a blank inside would make the line that people read say something else than what runs. */
static int args_fit(const struct yaml *y, const struct ynode *at, const struct tool_profile *t, struct err *e)
{
    for (size_t i = 0; i < t->arg_count; i++)
        for (size_t k = 0; k < t->args[i].n; k++)
            if ((unsigned char)t->args[i].p[k] <= ' ' || t->args[i].p[k] == '\'' || t->args[i].p[k] == '"')
                return yaml_err(y, at, e, "argument \"%.*s\" has a blank or a quote", STR_ARG(t->args[i]));
    return 0;
}

/* read_contents - names of files without folders: what an administrator puts elsewhere is not looked for. "{content}" and a list of names go together. */
static int read_contents(const struct yaml *y, const struct ynode *n, struct tool_profile *t, struct err *e)
{
    bool wanted = false;
    int rc = read_list(y, yaml_get(n, "content"), t->contents, TOOL_CONTENTS_MAX, &t->content_count, e);

    for (size_t i = 0; rc == 0 && i < t->content_count; i++)
        if (str_chr(t->contents[i], '/') >= 0 || str_starts(t->contents[i], STR(".")) || t->contents[i].n > CONTENT_NAME_MAX)
            rc = yaml_err(y, n, e, "\"%.*s\" is no name of a file", STR_ARG(t->contents[i]));
    for (size_t i = 0; i < t->arg_count; i++)
        wanted = wanted || str_eq(t->args[i], STR("{content}"));
    return rc == 0 && wanted != (t->content_count > 0) ? yaml_err(y, n, e, "\"content\" and the argument {content} go together") : rc;
}

static int read_profile(const struct yaml *y, const struct ynode *n, struct tool_profile *t, struct err *e)
{
    static const char *const known[] = { "id", "tool", "program", "title", "format", "content", "scratch", "modes", "arguments", "target", "time_s", "cpu_s", "memory_mib",
                                         "output_mib", "codes", NULL };
    const struct ynode *title;
    int rc = n->kind == YNODE_MAP ? yaml_only(y, n, known, e) : yaml_err(y, n, e, "a profile is expected");

    if (rc < 0)
        return rc;
    *t = (struct tool_profile){ .id = yaml_text(n, "id"), .tool = yaml_text(n, "tool"), .program = yaml_text(n, "program"), .format = yaml_text(n, "format"),
                                .scratch = str_eq(yaml_text(n, "scratch"), STR("/tmp")), .local = str_eq(yaml_text(n, "target"), STR("local")) };
    if (t->id.n == 0 || t->id.n > 64 || t->tool.n == 0 || t->format.n == 0)
        return yaml_err(y, n, e, "\"id\", \"tool\" and \"format\" are expected");
    if (!str_starts(t->program, STR("/")) || t->program.n > 255)
        return yaml_err(y, n, e, "\"program\" is a whole path");
    title = yaml_get(n, "title");
    t->title[LANG_KK] = title ? yaml_text(title, "kk") : STR("");
    t->title[LANG_RU] = title ? yaml_text(title, "ru") : STR("");
    t->title[LANG_EN] = title ? yaml_text(title, "en") : STR("");
    if (!t->title[LANG_KK].n || !t->title[LANG_RU].n || !t->title[LANG_EN].n)
        return yaml_err(y, n, e, "\"title\" has kk, ru and en");
    if ((rc = read_list(y, yaml_get(n, "modes"), t->modes, COUNT(t->modes), &t->mode_count, e)) < 0 ||
        (rc = read_list(y, yaml_get(n, "arguments"), t->args, TOOL_ARGS_MAX, &t->arg_count, e)) < 0 || (rc = args_fit(y, n, t, e)) < 0 ||
        (rc = read_contents(y, n, t, e)) < 0 ||
        (rc = read_codes(y, yaml_get(n, "codes"), t, e)) < 0 || (rc = read_number(y, n, "time_s", TOOL_TIME_MAX_S, &t->time_s, e)) < 0 ||
        (rc = read_number(y, n, "cpu_s", TOOL_TIME_MAX_S, &t->cpu_s, e)) < 0 || (rc = read_number(y, n, "memory_mib", 65536, &t->memory_mib, e)) < 0)
        return rc;
    return read_number(y, n, "output_mib", TOOL_OUTPUT_MAX / MIB, &t->output_mib, e);
}

/* policy_of - of a file that was loaded (rc 0) or was not. file is taken. */
static int policy_of(struct yaml *file, int rc, struct tool_policy **out, struct err *e)
{
    static const char *const known[] = { "profiles", NULL };
    struct tool_policy *p = calloc(1, sizeof *p);
    const struct ynode *root, *list;

    *out = p;
    if (!p) {
        yaml_free(&file);
        return err_set(e, -ENOMEM, "no memory for the tools");
    }
    p->file = file;
    root = rc == 0 && p->file->doc_count == 1 && p->file->docs[0]->kind == YNODE_MAP ? p->file->docs[0] : NULL;
    if (rc == 0)
        rc = root ? yaml_only(p->file, root, known, e) : err_set(e, -EBADMSG, "tools.yaml: one map is expected");
    list = rc == 0 ? yaml_get(root, "profiles") : NULL;
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n && rc == 0; n = n->next) {
        if (p->count == TOOL_PROFILES_MAX)
            rc = yaml_err(p->file, n, e, "more than %d profiles", TOOL_PROFILES_MAX);
        else if ((rc = read_profile(p->file, n, &p->profile[p->count], e)) == 0) {
            if (tool_policy_find(p, p->profile[p->count].id))
                rc = yaml_err(p->file, n, e, "the profile stands twice");
            p->count++;
        }
    }
    if (rc < 0)
        tool_policy_free(out);
    return rc;
}

int tool_policy_load(const char *content, struct tool_policy **out, struct err *e)
{
    struct yaml *file = NULL;
    char path[4096];

    snprintf(path, sizeof path, "%s/policy/tools.yaml", content);
    int rc = yaml_load_file(path, &file, e);
    return policy_of(file, rc, out, e);
}

int tool_policy_text(struct str text, const char *name, struct tool_policy **out, struct err *e)
{
    struct yaml *file = NULL;
    int rc = yaml_load(text, name, &file, e);

    return policy_of(file, rc, out, e);
}

void tool_policy_free(struct tool_policy **p)
{
    if (!*p)
        return;
    yaml_free(&(*p)->file);
    free(*p);
    *p = NULL;
}

size_t tool_policy_count(const struct tool_policy *p) { return p->count; }
const struct tool_profile *tool_policy_at(const struct tool_policy *p, size_t i) { return &p->profile[i]; }

const struct tool_profile *tool_policy_find(const struct tool_policy *p, struct str id)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eq(p->profile[i].id, id))
            return &p->profile[i];
    return NULL;
}

bool tool_installed(const struct tool_profile *t)
{
    char text[4096];

    snprintf(text, sizeof text, "%.*s", STR_ARG(t->program));
    return access(text, X_OK) == 0;
}

/* os_words - this machine's system as the SCAP Security Guide calls it: "debian12", "ubuntu2204", and "rhel9" of 9.4. Nothing known: empty, and no file fits. */
static void os_words(struct str file, char whole[OS_MAX], char major[OS_MAX])
{
    struct str id = { NULL, 0 }, version = { NULL, 0 };
    size_t n = 0;

    for (size_t at = 0; at < file.n;) {
        struct str line = str_cut(file, at);
        ptrdiff_t end = str_chr(line, '\n');

        line.n = end >= 0 ? (size_t)end : line.n;
        at += line.n + 1;
        ptrdiff_t equals = str_chr(line, '=');
        struct str value = equals >= 0 ? str_cut(line, (size_t)equals + 1) : STR("");
        if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\''))
            value = str_of(value.p + 1, value.n - 2);
        if (str_starts(line, STR("ID=")))
            id = value;
        if (str_starts(line, STR("VERSION_ID=")))
            version = value;
    }
    whole[0] = major[0] = '\0';
    for (size_t i = 0; i < id.n + version.n && i + 1 < OS_MAX; i++) {
        char c = i < id.n ? id.p[i] : version.p[i - id.n];

        if (c == '.' && i >= id.n) {
            if (!major[0])
                snprintf(major, OS_MAX, "%.*s", (int)n, whole);
            continue;
        }
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return;
        whole[n++] = c;
        whole[n] = '\0';
    }
    if (!major[0])
        snprintf(major, OS_MAX, "%s", whole);
}

/* content_name - a name of the policy with {os} put in. False if it has none to put in. */
static bool content_name(struct str name, const char *os, char out[CONTENT_NAME_MAX + OS_MAX])
{
    ptrdiff_t at = str_find(name, STR("{os}"));

    if (at < 0)
        return snprintf(out, CONTENT_NAME_MAX + OS_MAX, "%.*s", STR_ARG(name)) > 0;
    return os[0] && snprintf(out, CONTENT_NAME_MAX + OS_MAX, "%.*s%s%.*s", (int)at, name.p, os, (int)(name.n - (size_t)at - 4), name.p + at + 4) > 0;
}

int tool_content(const struct tool_profile *t, const struct tool_files *f, char out[4096], struct err *e)
{
    const char *folders[] = { f->scap, TOOL_SCAP_FOLDER };
    AUTO_BUF struct buf file = { 0 }, names = { 0 };
    char os[2][OS_MAX], name[CONTENT_NAME_MAX + OS_MAX];
    struct stat st;

    out[0] = '\0';
    if (t->content_count == 0)
        return 0;
    buf_init(&file, OS_FILE_MAX);
    buf_init(&names, 4 * KIB);
    if (file_read("/etc/os-release", OS_FILE_MAX, &file, e) < 0)
        buf_reset(&file);
    os_words(buf_view(&file), os[0], os[1]);
    for (size_t i = 0; i < t->content_count; i++)
        for (size_t k = 0; k < 2; k++) {
            if (!content_name(t->contents[i], os[k], name) || (k == 1 && (str_find(t->contents[i], STR("{os}")) < 0 || strcmp(os[0], os[1]) == 0)))
                continue;
            buf_printf(&names, "%s%s", names.n ? ", " : "", name);
            for (size_t d = 0; d < COUNT(folders); d++)
                if (folders[d] && snprintf(out, 4096, "%s/%s", folders[d], name) < 4096 && stat(out, &st) == 0 && S_ISREG(st.st_mode) && access(out, R_OK) == 0)
                    return 0;
        }
    snprintf(out, 4096, "%.*s", (int)names.n, names.n ? names.p : "");
    return err_set(e, -ENOENT, "no content for this machine: looked for %.*s in %s and %s", (int)names.n, names.p, f->scap ? f->scap : "DATA/scap", TOOL_SCAP_FOLDER);
}

bool tool_for_mode(const struct tool_profile *t, struct str mode)
{
    for (size_t i = 0; i < t->mode_count; i++)
        if (str_eq(t->modes[i], mode))
            return true;
    return false;
}

/* own_address - is this place the machine itself? Names are not asked of anybody. */
static bool own_address(struct str place)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN + 1];
    bool own = str_eq(place, STR("localhost"));

    if (getifaddrs(&all) < 0)
        return own;
    for (const struct ifaddrs *i = all; i && !own; i = i->ifa_next) {
        int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;

        if (family != AF_INET && family != AF_INET6)
            continue;
        if (getnameinfo(i->ifa_addr, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            own = str_eq(place, str_c(text));
    }
    freeifaddrs(all);
    return own;
}

static int places_fit(const struct tool_profile *t, const struct str *targets, size_t count, struct err *e)
{
    if (count == 0 || count > TOOL_TARGETS_MAX || (t->local && count != 1))
        return err_set(e, -EINVAL, t->local ? "one place is expected" : "1 to %d places are expected", TOOL_TARGETS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!place_valid(targets[i]))
            return err_set(e, -EINVAL, "\"%.*s\" is no single address or host name", (int)min_size(targets[i].n, 100), targets[i].p);
        if (t->local && !own_address(targets[i]))
            return err_set(e, -EINVAL, "\"%.*s\" is not this machine: %.*s looks at the machine on which it runs", STR_ARG(targets[i]), STR_ARG(t->tool));
    }
    return 0;
}

int tool_argv(const struct tool_profile *t, const struct str *targets, size_t count, const struct tool_files *f, struct arena *a, char ***argv, struct err *e)
{
    char content[4096], **out;
    size_t n = 0;
    int rc = places_fit(t, targets, count, e);

    if (rc == 0)
        rc = tool_content(t, f, content, e);
    if (rc < 0)
        return rc;
    out = arena_array(a, 2 + t->arg_count + count, sizeof *out);
    if (!out)
        return err_set(e, -ENOMEM, "no memory for a command");
    out[n++] = (char *)(uintptr_t)arena_copy(a, t->program).p;
    for (size_t i = 0; i < t->arg_count; i++)
        out[n++] = (char *)(uintptr_t)arena_copy(a, str_eq(t->args[i], STR("{output}")) ? str_c(f->output) : str_eq(t->args[i], STR("{content}")) ? str_c(content) : t->args[i]).p;
    for (size_t i = 0; i < count && !t->local; i++)
        out[n++] = (char *)(uintptr_t)arena_copy(a, targets[i]).p;
    out[n] = NULL;
    *argv = out;
    return arena_failed(a) ? err_set(e, -ENOMEM, "no memory for a command") : 0;
}

int tool_order_read(struct str text, const struct tool_policy *p, const struct tool_files *f, struct arena *a, const struct tool_profile **t, char ***argv,
                    struct err *e)
{
    struct str *targets = arena_array(a, TOOL_TARGETS_MAX, sizeof *targets);
    json_t *j = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL), *list = json_object_get(j, "targets");
    const char *profile = json_string_value(json_object_get(j, "profile"));
    size_t count = 0;
    int rc = targets ? 0 : err_set(e, -ENOMEM, "no memory for an order");

    *t = profile ? tool_policy_find(p, str_c(profile)) : NULL;
    for (size_t i = 0; rc == 0 && i < json_array_size(list) && count < TOOL_TARGETS_MAX; i++) {
        const json_t *one = json_array_get(list, i);

        targets[count++] = arena_copy(a, str_of(json_string_value(one), json_string_length(one)));
    }
    if (rc == 0 && !*t)
        rc = err_set(e, -EINVAL, "the policy has no such profile");
    if (rc == 0 && json_array_size(list) > TOOL_TARGETS_MAX)
        rc = err_set(e, -EINVAL, "too many places");
    if (rc == 0)
        rc = tool_argv(*t, targets, count, f, a, argv, e);
    json_decref(j);
    return rc;
}

struct str tool_command(char *const *argv, struct arena *a)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, TOOL_ORDER_MAX);
    for (size_t i = 0; argv[i]; i++) {
        if (i)
            buf_byte(&b, ' ');
        buf_str(&b, str_c(argv[i]));
    }
    return arena_copy(a, buf_view(&b));
}

const char *tools_path(const struct node *n, int64_t run, const char *ending, char out[4096])
{
    char tail[64];

    snprintf(tail, sizeof tail, "tools/%lld.%s", (long long)run, ending);
    return node_path(n, tail, out);
}

int tools_output_read(const char *path, struct buf *b, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    ssize_t got = 1;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "the output is no file of its own");
    while (got > 0) {
        char *to = buf_room(b, 64 * KIB);

        if (!to)
            return err_set(e, -EINVAL, "the output is larger than %u MiB", (unsigned)(TOOL_OUTPUT_MAX / MIB));
        got = read(fd, to, 64 * KIB);
        if (got < 0)
            return err_sys(e, "could not read the output of a tool");
        b->n += (size_t)got;
    }
    return 0;
}

bool tools_alive(const struct node *n)
{
    char path[4096];
    AUTO_CLOSE int fd = open(node_path(n, "tools/lock", path), O_RDONLY | O_CLOEXEC);

    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
