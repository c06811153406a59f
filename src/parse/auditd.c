/* auditd.c - an event of the Linux audit system: one record, or several with newlines between as join.c gives them; see
 * internal.h.
 *
 *     [node=HOST ]type=USER_LOGIN msg=audit(1373330716.415:4063): pid=1 uid=0 … msg='op=login acct="root" … res=failed'
 *     audit: type=1400 audit(1524662933.080:61207): apparmor="DENIED" …           from the kernel's log
 *
 * Of several records the first that has a name gives it, keys of auditd.log.* keep each value; the file is the path that the call
 * was about, all paths stand in auditd.log.name; what happened is told by the record that is none of the usual companions
 * (an AVC, a CONFIG_CHANGE), else by the system call.
 *
 * Values that could hold a blank or quote come as hex; which those are is known by name. The byte 0x1d parts what the
 * kernel wrote from the names that auditd added. */
#include <arpa/inet.h>

#include "parse/audit.h"

/* How the value of a key is read. */
enum kind { K_PLAIN, K_TEXT, K_KEYS, K_WHO, K_USER, K_ADDRESS, K_RESULT, K_ARCH, K_CALL, K_TITLE, K_SADDR, K_UID, K_AUID, K_NUMBER };

/* Where keys go. Those that are not here go to auditd.log.KEY. */
static const struct audit_key {
    struct str key, field;
    enum kind kind;
} keys[] = {
    { PAIR("pid", "process.pid"), K_NUMBER },
    { PAIR("ppid", "process.parent.pid"), K_NUMBER },
    { PAIR("exit", "process.exit_code"), K_PLAIN },
    { PAIR("uid", "user.id"), K_UID },
    { PAIR("auid", "user.audit.id"), K_AUID },
    { PAIR("id", "auditd.log.id"), K_WHO },
    { PAIR("gid", "user.group.id"), K_PLAIN },
    { PAIR("euid", "user.effective.id"), K_PLAIN },
    { PAIR("egid", "user.effective.group.id"), K_PLAIN },
    { PAIR("suid", "user.saved.id"), K_PLAIN },
    { PAIR("sgid", "user.saved.group.id"), K_PLAIN },
    { PAIR("fsuid", "user.filesystem.id"), K_PLAIN },
    { PAIR("fsgid", "user.filesystem.group.id"), K_PLAIN },
    { PAIR("AUID", "user.audit.name"), K_PLAIN },
    { PAIR("EUID", "user.effective.name"), K_PLAIN },
    { PAIR("SUID", "user.saved.name"), K_PLAIN },
    { PAIR("FSUID", "user.filesystem.name"), K_PLAIN },
    { PAIR("GID", "user.group.name"), K_PLAIN },
    { PAIR("EGID", "user.effective.group.name"), K_PLAIN },
    { PAIR("SGID", "user.saved.group.name"), K_PLAIN },
    { PAIR("FSGID", "user.filesystem.group.name"), K_PLAIN },
    { PAIR("UID", "auditd.log.UID"), K_PLAIN },
    { PAIR("OUID", "file.owner"), K_PLAIN },
    { PAIR("OGID", "file.group"), K_PLAIN },
    { PAIR("ARCH", "auditd.log.ARCH"), K_PLAIN },
    { PAIR("SYSCALL", "auditd.log.syscall_name"), K_PLAIN },
    { PAIR("SADDR", "auditd.log.SADDR"), K_PLAIN },
    { PAIR("comm", "process.name"), K_TEXT },
    { PAIR("exe", "process.executable"), K_TEXT },
    { PAIR("cwd", "process.working_directory"), K_TEXT },
    { PAIR("cmd", "process.command_line"), K_TEXT },
    { PAIR("proctitle", "auditd.log.proctitle"), K_TITLE },
    { PAIR("acct", "acct"), K_USER },
    { PAIR("arch", "host.architecture"), K_ARCH },
    { PAIR("syscall", "auditd.log.syscall"), K_CALL },
    { PAIR("success", "auditd.log.success"), K_RESULT },
    { PAIR("res", "auditd.log.res"), K_RESULT },
    { PAIR("result", "auditd.log.result"), K_RESULT },
    { PAIR("hostname", "hostname"), K_ADDRESS },
    { PAIR("addr", "addr"), K_ADDRESS },
    { PAIR("terminal", "user.terminal"), K_TEXT },
    { PAIR("saddr", "auditd.log.saddr"), K_SADDR },
    { PAIR("name", "file.path"), K_TEXT },
    { PAIR("path", "auditd.log.path"), K_TEXT },
    { PAIR("inode", "file.inode"), K_PLAIN },
    { PAIR("mode", "file.mode"), K_PLAIN },
    { PAIR("ouid", "file.uid"), K_PLAIN },
    { PAIR("ogid", "file.gid"), K_PLAIN },
    { PAIR("key", "auditd.log.key"), K_KEYS },
    { PAIR("ses", "auditd.log.ses"), K_PLAIN },
    { PAIR("tty", "auditd.log.tty"), K_PLAIN },
    { PAIR("subj", "auditd.log.subj"), K_PLAIN },
    { PAIR("items", "auditd.log.items"), K_PLAIN },
    { PAIR("op", "auditd.log.op"), K_TEXT },
    { PAIR("unit", "auditd.log.unit"), K_TEXT },
    { PAIR("data", "auditd.log.data"), K_TEXT },
    { PAIR("sw", "auditd.log.sw"), K_TEXT },
    { PAIR("grp", "group.name"), K_TEXT },
    { PAIR("a0", "auditd.log.a0"), K_PLAIN },
    { PAIR("a1", "auditd.log.a1"), K_PLAIN },
    { PAIR("a2", "auditd.log.a2"), K_PLAIN },
    { PAIR("a3", "auditd.log.a3"), K_PLAIN },
    { PAIR("argc", "process.args_count"), K_NUMBER },
    { PAIR("src", "src"), K_ADDRESS },
    { PAIR("dst", "dst"), K_ADDRESS },
    { PAIR("vm", "container.name"), K_TEXT },
    { PAIR("profile", "auditd.log.profile"), K_TEXT },
    { PAIR("root_dir", "auditd.log.root_dir"), K_TEXT },
    { PAIR("user", "user.name"), K_TEXT },
};

/* key_place - where a key begins to be looked for in the parser's table. */
static size_t key_place(struct str key)
{
    return ((unsigned char)key.p[0] * 31u + (unsigned char)key.p[key.n - 1] * 7u + key.n) % AUDIT_PLACES;
}

void audit_keys(struct parser *p)
{
    static_assert(COUNT(keys) < AUDIT_PLACES / 2, "half of the places stay free");
    for (size_t i = 0; i < COUNT(keys); i++) {
        size_t at = key_place(keys[i].key);

        while (p->audit_keys[at])
            at = (at + 1) % AUDIT_PLACES;
        p->audit_keys[at] = &keys[i];
    }
}

/* key_of - the entry for a name, or NULL. */
static const struct audit_key *key_of(const struct parser *p, struct str name)
{
    for (size_t at = key_place(name); p->audit_keys[at]; at = (at + 1) % AUDIT_PLACES)
        if (same_name(p->audit_keys[at]->key, name))
            return p->audit_keys[at];
    return NULL;
}

/* A PATH record. rank: how likely the call was about it. */
struct path {
    struct str name, inode, mode, uid, gid, owner, group;
    int rank;
};

struct record {
    struct work *w;
    const struct audit_type *type; /* of the record being read */
    const struct audit_type *main; /* of the event: the first that is no companion, else the first */
    bool many;                     /* more than one record */
    bool exec;                     /* EXECVE: aN are arguments */
    struct path path, best;
    unsigned paths;
    struct str title;
    struct str uid, auid, who, acct, arch, call, hostname, addr, unit;
    char *line; /* the arguments with blanks between them */
    size_t line_n, line_cap;
    int result; /* 1 success, 0 failure, -1 not said */
};

/* put - a field of the event. Of several records the first that has it counts; keys of audit alone keep every value. */
static void put(struct record *r, struct str name, struct str value)
{
    struct event *ev = r->w->ev;

    for (uint32_t i = 0; r->many && i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name) && (!str_starts(name, STR("auditd.log.")) || str_eq(ev->fields[i].value, value)))
            return;
    work_add(r->w, name, value);
}

static struct str decode_hex(struct work *w, struct str s, bool title)
{
    char *copy;

    if (s.n < 2 || s.n % 2)
        return s;
    for (size_t i = 0; i < s.n; i++)
        if (hex_value(s.p[i]) < 0 || (s.p[i] >= 'a' && s.p[i] <= 'f'))
            return s;
    if ((copy = arena_alloc(w->arena, s.n / 2)) == NULL)
        return s;
    for (size_t i = 0; i < s.n / 2; i++) {
        copy[i] = (char)(hex_value(s.p[2 * i]) << 4 | hex_value(s.p[2 * i + 1]));
        if (copy[i] == 0 && title)
            copy[i] = ' '; /* arguments of a command line */
    }
    return str_trim(str_of(copy, s.n / 2));
}

/* socket_address - family, port and address of a struct sockaddr in hex. */
RARELY static void socket_address(struct work *w, struct str hex)
{
    unsigned char raw[28] = { 0 };
    char text[INET6_ADDRSTRLEN];
    size_t n = min_size(hex.n / 2, sizeof raw);

    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return;
        raw[i] = (unsigned char)(high << 4 | low);
    }
    if ((raw[0] == 2 && n >= 8) || (raw[0] == 10 && n >= 24)) {
        bool six = raw[0] == 10;

        work_add(w, STR("auditd.log.socket.family"), six ? STR("ipv6") : STR("ipv4"));
        inet_ntop(six ? AF_INET6 : AF_INET, raw + (six ? 8 : 4), text, sizeof text);
        work_add(w, STR("auditd.log.socket.addr"), arena_copy(w->arena, str_c(text)));
        work_number(w, STR("auditd.log.socket.port"), (uint64_t)raw[2] << 8 | raw[3]);
    } else if (raw[0] == 1 && hex.n > 4) {
        struct str path = decode_hex(w, str_cut(hex, 4), true);

        work_add(w, STR("auditd.log.socket.family"), STR("unix"));
        if (path.p != hex.p + 4)
            work_add(w, STR("auditd.log.socket.path"), take_word(&path));
    } else if (raw[0] == 16) {
        work_add(w, STR("auditd.log.socket.family"), STR("netlink"));
    }
}

RARELY static void argument(struct record *r, struct str value)
{
    work_add(r->w, STR("process.args"), value);
    if (!r->line || value.n + 1 > r->line_cap - r->line_n)
        return;
    if (r->line_n)
        r->line[r->line_n++] = ' ';
    memcpy(r->line + r->line_n, value.p, value.n);
    r->line_n += value.n;
}

static void other_key(struct record *r, struct str name, struct str value)
{
    char *copy = arena_alloc(r->w->arena, name.n + 11);

    if (!copy || name.n > EVENT_NAME_MAX - 11)
        return;
    memcpy(copy, "auditd.log.", 11);
    memcpy(copy + 11, name.p, name.n);
    put(r, str_of(copy, name.n + 11), value);
}

static void result(struct record *r, struct str value)
{
    if (str_eq(value, STR("success")) || str_eq(value, STR("yes")) || str_eq(value, STR("1")))
        r->result = 1;
    else if (str_eq(value, STR("failed")) || str_eq(value, STR("no")) || str_eq(value, STR("0")) ||
             str_eq(value, STR("fail")))
        r->result = 0;
}

/* path_key - of a PATH record: kept until all of them are seen. False: the key is none of these. */
RARELY static bool path_key(struct record *r, struct str name, struct str value, bool quoted)
{
    static const struct {
        struct str key;
        size_t at;
    } known[] = {
        { STR_INIT("inode"), offsetof(struct path, inode) }, { STR_INIT("mode"), offsetof(struct path, mode) },
        { STR_INIT("ouid"), offsetof(struct path, uid) },    { STR_INIT("ogid"), offsetof(struct path, gid) },
        { STR_INIT("OUID"), offsetof(struct path, owner) },  { STR_INIT("OGID"), offsetof(struct path, group) },
    };

    if (str_eq(name, STR("name"))) {
        value = quoted ? value : decode_hex(r->w, value, false);
        if (!str_eq(value, STR("(null)")) && !str_eq(value, STR("?")))
            r->path.name = value;
        return true;
    }
    if (str_eq(name, STR("nametype")) || str_eq(name, STR("objtype")))
        r->path.rank = str_eq(value, STR("CREATE")) || str_eq(value, STR("DELETE")) ? 3
                       : str_eq(value, STR("NORMAL"))                              ? 2
                                                                                   : 1;
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(name, known[i].key)) {
            *(struct str *)(void *)((char *)&r->path + known[i].at) = value;
            return true;
        }
    return false;
}

/* path_end - the record is read: is it the one? The first of the best rank stays. */
RARELY static void path_end(struct record *r)
{
    r->paths++;
    if (r->path.rank == 0)
        r->path.rank = 1;
    if (r->many)
        put(r, STR("auditd.log.name"), r->path.name);
    if (r->path.rank > r->best.rank)
        r->best = r->path;
    r->path = (struct path){ .rank = 0 };
}

RARELY static void path_fields(struct record *r)
{
    const struct path *p = &r->best;

    put(r, STR("file.path"), p->name);
    put(r, STR("file.inode"), p->inode);
    put(r, STR("file.mode"), p->mode);
    put(r, STR("file.uid"), p->uid);
    put(r, STR("file.gid"), p->gid);
    put(r, STR("file.owner"), p->owner);
    put(r, STR("file.group"), p->group);
}

/* address_key - saddr, daddr, hostname or addr, told by the first letter. */
static void address_key(struct record *r, char first, struct str value)
{
    if (first == 's')
        work_peer(r->w, value, (struct str){ NULL, 0 });
    else if (first == 'd')
        work_dest(r->w, value, (struct str){ NULL, 0 });
    else if (first == 'h')
        r->hostname = value;
    else
        r->addr = value;
}

/* who_key - whom a program of the system speaks of, by number. */
static void who_key(struct record *r, struct str value)
{
    if (all_digits(value) && r->type && r->type->number >= 1100 && r->type->number < 1200)
        r->who = value;
}

/* rule_keys - several rules may have asked for the event: their keys are parted by a byte 1. */
static void rule_keys(struct record *r, struct str field, struct str value)
{
    for (struct str one; !str_eq(value, STR("(null)")) && str_split(&value, '\x01', &one);)
        put(r, field, one);
}

static void known_key(struct record *r, const struct audit_key *k, struct str value, bool quoted)
{
    struct work *w = r->w;

    switch (k->kind) {
    case K_NUMBER:
    case K_PLAIN:
        put(r, k->field, value);
        break;
    case K_TEXT:
        value = quoted ? value : decode_hex(w, value, str_eq(k->key, STR("cmd")));
        if (!str_eq(value, STR("(null)")) && !str_eq(value, STR("?")))
            put(r, k->field, value);
        if (str_eq(k->key, STR("unit")))
            r->unit = value;
        break;
    case K_KEYS:
        rule_keys(r, k->field, quoted ? value : decode_hex(w, value, false));
        break;
    case K_TITLE:
        r->title = quoted ? value : decode_hex(w, value, true);
        break;
    case K_USER:
        r->acct = quoted ? value : decode_hex(w, value, false);
        break;
    case K_WHO:
        who_key(r, value);
        put(r, k->field, value);
        break;
    case K_UID:
        r->uid = r->uid.n ? r->uid : value;
        break;
    case K_AUID:
        r->auid = r->auid.n ? r->auid : value;
        put(r, k->field, value);
        break;
    case K_RESULT:
        result(r, value);
        if (str_eq(k->key, STR("success")))
            put(r, k->field, value);
        break;
    case K_ARCH:
        r->arch = audit_arch(value);
        put(r, k->field, r->arch);
        break;
    case K_CALL:
        r->call = value;
        put(r, k->field, value);
        break;
    case K_SADDR:
        put(r, k->field, value);
        socket_address(w, value);
        break;
    case K_ADDRESS:
        if (!str_eq(value, STR("?")))
            address_key(r, *k->key.p, value);
        break;
    }
}

static void one_pair(struct record *r, struct str name, struct str value, bool quoted)
{
    const struct audit_key *k;

    if (r->exec && *name.p == 'a' && name.n > 1 && is_digit(name.p[1]) && !has(name, STR("_len"))) {
        value = quoted ? value : decode_hex(r->w, value, false);
        argument(r, value);
        other_key(r, name, value);
        return;
    }
    if (r->type && r->type->number == AUDIT_PATH && path_key(r, name, value, quoted))
        return;
    if (str_eq(name, STR("name"))) {
        other_key(r, name, quoted ? value : decode_hex(r->w, value, false)); /* a file's name only in PATH */
        return;
    }
    if ((k = key_of(r->w->parser, name)) != NULL)
        known_key(r, k, value, quoted);
    else if (!str_eq(value, STR("?")) && !str_eq(value, STR("(null)")))
        other_key(r, name, value);
}

/* take_value - up to the closing quote, or to what ends a bare one. */
static struct str take_value(struct str *s, bool *quoted)
{
    size_t n = 0;
    struct str v;

    *quoted = s->n && *s->p == '"';
    if (*quoted) {
        *s = str_cut(*s, 1);
        n = until(*s, '"', '"', '"', '"');
    } else {
        n = until(*s, ' ', '\x1d', '\'', ' ');
    }
    v = str_left(*s, n);
    *s = str_cut(*s, *quoted ? n + 1 : n);
    while (!*quoted && v.n && (v.p[v.n - 1] == ',' || v.p[v.n - 1] == ')') && *v.p != '(')
        v.n--;
    return v;
}

/* bare_word - a word between the pairs: "old" and "new" of LOGIN name the next pair; "{ getattr }" is what was denied.
 */
RARELY static void bare_word(struct record *r, struct str word, struct str *prefix, struct str *s)
{
    struct str inside, after;

    *prefix = (struct str){ NULL, 0 };
    if (str_eq(word, STR("old")) || str_eq(word, STR("new")))
        *prefix = word;
    else if (str_eq(word, STR("denied")))
        r->result = 0;
    else if (str_eq(word, STR("granted")))
        r->result = 1;
    else if (str_eq(word, STR("{")) && split_at(*s, STR("}"), &inside, &after)) {
        work_add(r->w, STR("auditd.log.permission"), str_trim(inside));
        *s = after;
    }
}

static bool between_pairs(char c) { return c == ' ' || c == '\x1d' || c == '\'' || c == '(' || c == ',' || c == '\t'; }

static void pairs(struct record *r, struct str s)
{
    struct str prefix = { NULL, 0 };

    while (s.n) {
        struct str name, value;
        bool quoted;

        if (between_pairs(*s.p)) {
            s = str_cut(s, 1);
            continue;
        }
        name = str_left(s, until(s, '=', ' ', '\x1d', '\''));
        s = str_cut(s, name.n);
        if (!s.n || *s.p != '=') {
            bare_word(r, name, &prefix, &s);
            continue;
        }
        s = str_cut(s, 1);
        if (name.n == 0 || (str_eq(name, STR("msg")) && s.n && *s.p == '\''))
            continue; /* the pairs of the message stand on their own */
        value = take_value(&s, &quoted);
        if (prefix.n)
            name = arena_printf(r->w->arena, "%.*s_%.*s", STR_ARG(prefix), (int)min_size(name.n, 64), name.p);
        prefix = (struct str){ NULL, 0 };
        if (name.n)
            one_pair(r, name, value, quoted);
    }
}

/* title - of the command line EXECVE's arguments are the better witness: the title is cut at 128 bytes. */
static void title(struct record *r)
{
    if (r->line_n)
        work_add(r->w, STR("process.command_line"), str_of(r->line, r->line_n));
    if (r->title.n == 0)
        return;
    work_add(r->w, STR("auditd.log.proctitle"), r->title);
    work_add(r->w, STR("process.title"), r->title);
    if (r->line_n == 0)
        put(r, STR("process.command_line"), r->title);
}

/* who - acct is who the record speaks of; uid the process, auid who signed in at first. */
static void who(struct record *r)
{
    struct work *w = r->w;
    struct str ip = ip_of(r->addr);
    bool iam = r->main && str_eq(r->main->sense.category, STR("iam"));
    bool signed_in = r->auid.n && !str_eq(r->auid, STR("4294967295")) && !str_eq(r->auid, STR("unset")) &&
                     !str_eq(r->auid, STR("-1"));

    if (r->acct.n && !str_eq(r->acct, STR("?"))) {
        if (iam) {
            work_add(w, STR("user.target.name"), r->acct);
        } else {
            work_user(w, r->acct);
            work_add(w, STR("user.effective.name"), r->acct);
        }
        if (str_eq(r->acct, STR("root")) && !iam)
            w->types |= OS(9);
    }
    if (r->who.n)
        work_add(w, STR("user.effective.id"), r->who);
    if (r->acct.n && signed_in && !iam) {
        work_add(w, STR("user.id"), r->auid);
        work_add(w, STR("auditd.log.uid"), r->uid);
    } else {
        work_add(w, STR("user.id"), r->uid);
        if (!r->acct.n)
            work_user(w, event_get(w->ev, STR("auditd.log.UID")));
    }
    if (ip.n)
        work_peer_ip(w, ip, (struct str){ NULL, 0 });
    else if (r->hostname.n)
        work_peer(w, r->hostname, (struct str){ NULL, 0 });
    if (r->call.n == 0 && ip.n)
        work_add(w, STR("network.direction"), STR("ingress"));
}

/* companion - records that only add to another one's event. */
static bool companion(const struct audit_type *t)
{
    static const uint16_t numbers[] = { AUDIT_SYSCALL, AUDIT_PATH,    AUDIT_CWD, AUDIT_EXECVE, AUDIT_PROCTITLE, 1303, 1304, 1306, 1317,
                                        1318,          AUDIT_EOE, 1321,         1322,            1323, 1334, 1336 };

    for (size_t i = 0; t && i < COUNT(numbers); i++)
        if (t->number == numbers[i])
            return true;
    return false;
}

/* both - an AVC with its system call is of two kinds. */
static void both(struct work *w, const struct sense *first, const struct sense *second)
{
    struct sense also = { .category = second->category, .type = second->type };

    if (str_eq(also.category, first->category))
        also.category = (struct str){ NULL, 0 };
    if (str_eq(also.type, first->type))
        also.type = (struct str){ NULL, 0 };
    work_sense(w, &also);
}

static void what(struct record *r)
{
    struct work *w = r->w;
    struct sense sense = r->main ? r->main->sense : (struct sense){ .types = 0 };
    const struct audit_call *call = r->call.n ? audit_call_of(r->call, r->arch) : NULL;
    struct str apparmor = event_get(w->ev, STR("auditd.log.apparmor"));

    if (call) {
        if (companion(r->main))
            sense = call->sense;
        if (event_get(w->ev, STR("auditd.log.syscall_name")).n == 0)
            work_add(w, STR("auditd.log.syscall_name"), str_c(call->name));
        work_add(w, STR("network.direction"), str_c(call->direction));
    }
    if (apparmor.n) {
        sense.action = STR("violated-apparmor-policy");
        if (str_eq(apparmor, STR("DENIED")))
            r->result = 0;
        else if (str_eq(apparmor, STR("STATUS")) || str_eq(apparmor, STR("ALLOWED")))
            sense = (struct sense)SENSE("process", "", "info", "", "apparmor-status", "", 0);
    }
    if (r->result >= 0)
        sense.outcome = r->result ? STR("success") : STR("failure");
    if (r->result == 0 && sense.category.n && (str_eq(sense.category, STR("authentication")) || r->acct.n))
        sense.types |= OS(11);
    if (r->result == 0 && call)
        sense.types |= OS(12);
    if (call && call->direction) {
        struct str ip = event_get(w->ev, STR("auditd.log.socket.addr")), port = event_get(w->ev, STR("auditd.log.socket.port"));

        if (ip.n && *call->direction == 'e')
            work_dest(w, ip, port);
        else if (ip.n && *call->sense.action.p == 'a')
            work_peer(w, ip, port);
    }
    if (r->unit.n && protects(r->unit))
        sense.types |= OS(7);
    if (call)
        sense.types |= call->sense.types;
    work_sense(w, &sense);
    if (r->call.n && !companion(r->main))
        both(w, &sense, call ? &call->sense : &audit_type_of(STR("SYSCALL"))->sense);
}

bool audit_looks(struct str s)
{
    return str_starts(s, STR("type=")) || (str_starts(s, STR("node=")) && has(str_left(s, 300), STR(" type="))) ||
           str_starts(s, STR("audit: type=")) || str_starts(s, STR("audit("));
}

/* when - "audit(1489519230.178:19600327): "; of the first record it is the event's time and serial. */
static bool when(struct work *w, struct str *s, bool first)
{
    struct str inside, seconds, serial;
    struct stamp t;

    take(s, STR("msg="));
    if (!take(s, STR("audit(")) || !split_at(*s, STR(")"), &inside, s))
        return false;
    take(s, STR(":"));
    skip_blanks(s);
    if (!split_last(inside, STR(":"), &seconds, &serial))
        return false;
    if (first && stamp_text(w, seconds, &t))
        work_time(w, &t);
    if (first && all_digits(serial))
        work_add(w, STR("auditd.log.sequence"), serial);
    return true;
}

/* behind_header - later records of a relay each have their own header of syslog. */
RARELY static struct str behind_header(struct str s)
{
    ptrdiff_t stamp = str_find(str_left(s, 512), STR("audit(")), type, node;

    if (stamp < 0 || str_starts(s, STR("type=")) || str_starts(s, STR("node=")))
        return s;
    type = str_find(str_left(s, (size_t)stamp), STR("type="));
    node = str_find(str_left(s, (size_t)stamp), STR("node="));
    return type < 0 ? s : str_cut(s, (size_t)(node >= 0 && node < type ? node : type));
}

/* one_record - a line; *rest is what stands behind its head. False: it is no record. */
static bool one_record(struct record *r, struct str s, bool first, struct str *rest)
{
    struct work *w = r->w;
    struct str type = { NULL, 0 }, node;

    if (!first)
        s = behind_header(s);
    take(&s, STR("audit: "));
    if (take(&s, STR("node="))) {
        node = take_word(&s);
        if (first) {
            work_add(w, STR("auditd.log.node"), node);
            work_set(w, STR("host.name"), node);
        }
    }
    if (take(&s, STR("type=")))
        type = take_word(&s);
    if (!when(w, &s, first))
        return false;
    r->type = audit_type_of(type);
    if (first || (companion(r->main) && r->type && !companion(r->type)))
        r->main = r->type;
    put(r, STR("auditd.log.record_type"), r->type ? str_c(r->type->name) : type);
    r->exec = r->type && r->type->number == AUDIT_EXECVE;
    if (r->exec && !r->line && (r->line = arena_alloc(w->arena, w->msg.n + 1)) != NULL)
        r->line_cap = w->msg.n + 1;
    pairs(r, s);
    if (r->type && r->type->number == AUDIT_PATH)
        path_end(r);
    *rest = s;
    return true;
}

bool audit_message(struct work *w)
{
    struct str lines = w->msg, line, rest = { NULL, 0 };
    struct record r = { .w = w, .result = -1, .many = str_chr(w->msg, '\n') >= 0 };
    bool first = true;

    while (str_split(&lines, '\n', &line)) {
        if (str_trim(line).n == 0)
            continue;
        if (!one_record(&r, line, first, &rest)) {
            if (first)
                return false;
            w->trouble = true;
            continue;
        }
        first = false;
    }
    w->ev->parser = STR("auditd");
    w->ev->class = CLASS_OS_UNIX;
    if (r.paths)
        path_fields(&r);
    title(&r);
    who(&r);
    what(&r);
    if (!r.many)
        w->msg = rest;
    return true;
}
