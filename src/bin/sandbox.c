/* sandbox.c - least privilege of a role: own user, no new privileges, a list of refused system calls, and Landlock, which
 * shows the role only the folders in the table below.
 *
 * Order: limits, user, no-new-privs, Landlock, seccomp. After it the role opens its files and binds its ports; all of them
 * lie inside what is still allowed. */
#include "bin/bin.h"
#include "base/log.h"
#include "desk/surveys/tools.h"
#include "ingest/folder.h"
#include "forward/upstream.h"
#include "forward/forward.h"
#include "base/file.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define MAY_READ  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define MAY_WRITE                                                                                                        \
    (MAY_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |         \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK)
/* Newer than the headers of Debian 12; asked of the kernel before use. Without the first a role could empty any file of its user, the
 * desk's database too, by truncate(2). */
#define FS_REFER      (1ULL << 13) /* version 2: to move a file from one folder to another */
#define FS_TRUNCATE   (1ULL << 14) /* version 3 */
#define NET_BIND      (1ULL << 0)  /* version 4 */
#define NET_CONNECT   (1ULL << 1)
#define HANDLED (MAY_WRITE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
                 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

#define RULE_NET_PORT 2         /* version 4 */

/* As the kernel has it from version 4 on; before, the first member alone. */
struct ruleset {
    uint64_t fs, net;
};
struct port_rule {
    uint64_t access, port;
};

/* What each role needs below the data directory: "+" to write, "-" to read, "@" to write and to make links
 * (the one to the archive of the store). The authority's key is for --init and the role keys alone. */
static const char *const role_folders[ROLE_COUNT][24] = {
    [ROLE_INGEST] = { "+journal", "+run", "-log", "-parsers", "-tokens", "+inputs", "-pki/ca.pem", "-pki/server.pem", "-pki/server.key", "-pki/server" },
    [ROLE_INDEX] = { "@store", "+journal", "+run", "-rules", "-holds" },
    [ROLE_DETECT] = { "+findings", "+journal", "+run", "+detect", "-rules", "-intel", "-store", "-policy" },
    [ROLE_FORWARD] = { "-journal", "+journal/cursors", "+run", "+forward" },
    [ROLE_TOOLS] = { "+tools", "-scap" },
    [ROLE_KEYS] = { "+pki", "+run" },
    [ROLE_DESK] = { "+desk", "+documents", "+run", "+findings", "+tools", "+tokens", "+intel", "+holds", "+rules/exceptions", "-rules", "-policy", "-detect", "-journal", "-store", "-log", "-pki/ca.pem", "-pki/server.pem",
                      "-pki/server.key", "-pki/server", "-link", "-requirements", "-scap" },
};
/* What every program needs to read: libraries, time zones, certificates of mail servers, fonts, name resolution. */
static const char *const system_folders[] = { "/usr", "/lib", "/lib64", "/etc", "/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu",
                                              "/var/cache/fontconfig", "/dev/urandom", "/run/systemd/resolve" };

/* has_kafka - a listener of the kind kafka goes to its brokers itself. */
static bool has_kafka(const struct node *n)
{
    for (size_t i = 0; i < n->listen.listener_count; i++)
        if (n->listen.listeners[i].kind == LISTEN_kafka)
            return true;
    return false;
}

/* net_refused - the TCP that a role never needs: only listeners bind; only ingest with a consumer of Kafka connects, the desk, to a mail server, to
 * webhooks and to other nodes, and tools, to what is surveyed. */
static uint64_t net_refused(const struct node *n, enum node_role role)
{
    bool listens = role == ROLE_INGEST || role == ROLE_DESK;
    bool sends = role == ROLE_TOOLS || (role == ROLE_INGEST && has_kafka(n)) ||
                 (role == ROLE_DESK && (*n->smtp_url || strcmp(n->link_connect, "yes") == 0 || strcmp(n->webhooks, "no") != 0));

    return (listens ? 0 : NET_BIND) | (sends ? 0 : NET_CONNECT);
}

static int allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = { .allowed_access = access };
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return 0; /* what is not there need not be allowed */
    a.parent_fd = fd;
    rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    if (rc < 0 && errno == EINVAL) {
        /* A file, not a folder: rights of folders do not apply. */
        a.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE | FS_TRUNCATE;
        rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    }
    return rc;
}

/* allow_programs - what the role tools may begin: the programs of the policy that are there, and what loads them. Nothing else on this host can be
 * executed by it or by whatever it began: no shell, no script. OpenSCAP keeps temporary files in /tmp and cannot be told otherwise; where the data directory
 * itself lies there, it does without, and fails. */
static int allow_programs(const struct node *n, int ruleset, uint64_t may_write)
{
    static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1" };
    struct tool_policy *p = NULL;
    bool scratch = false;
    char path[4096];
    int rc = tool_policy_load(n->content, &p, NULL);

    for (size_t i = 0; rc == 0 && i < tool_policy_count(p); i++) {
        snprintf(path, sizeof path, "%.*s", STR_ARG(tool_policy_at(p, i)->program));
        rc = allow(ruleset, path, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
        scratch = scratch || tool_policy_at(p, i)->scratch;
    }
    if (rc == 0 && scratch && !str_starts(str_c(n->data), STR("/tmp/")))   /* other tools take this from themselves (tools_work.c) */
        rc = allow(ruleset, "/tmp", may_write);
    for (size_t i = 0; rc == 0 && i < COUNT(loaders); i++)
        rc = allow(ruleset, loaders[i], LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
    if (rc == 0)
        rc = allow(ruleset, "/var/lib/dpkg", MAY_READ);   /* OpenSCAP asks which packages are there */
    tool_policy_free(&p);
    return rc;
}

/* allow_envelopes - the folder of a listener of envelopes, whose files it renames, and whom it trusts. */
static int allow_envelopes(const struct listen_conf *c, int ruleset)
{
    const char *folder = listen_option(c, "folder"), *trust = listen_option(c, "trust");
    int rc = folder && *folder == '/' ? allow(ruleset, folder, MAY_WRITE) : 0;

    return rc == 0 && trust && *trust == '/' ? allow(ruleset, trust, MAY_READ) : rc;
}

/* allow_certificates - the folders of the listeners' own files, of tokens too, so that a renewal, which puts new files in the place of old ones, is seen. Never
 * all of DATA/pki, where the key of the authority lies: of that the file alone, and to take another one needs a restart. */
static int allow_certificates(const struct node *n, int ruleset)
{
    char pki[4096];
    int rc = 0;

    node_path(n, "pki", pki);
    for (size_t i = 0; rc == 0 && i < n->listen.listener_count; i++) {
        const struct listen_conf *c = &n->listen.listeners[i];
        const char *tokens = listen_option(c, "tokens"), *subscriptions = listen_option(c, "subscriptions"), *password = listen_option(c, "password_file");
        const char *const files[] = { c->certificate, c->key, c->authority, tokens && *tokens == '/' ? tokens : "", password && *password == '/' ? password : "" };

        if (rc == 0 && c->kind == LISTEN_envelope)
            rc = allow_envelopes(c, ruleset);
        if (rc == 0 && subscriptions && *subscriptions == '/')
            rc = allow(ruleset, subscriptions, MAY_READ);

        for (size_t k = 0; rc == 0 && k < COUNT(files); k++) {
            const char *slash = strrchr(files[k], '/');
            char folder[4096];

            if (!slash)
                continue;
            snprintf(folder, sizeof folder, "%.*s", (int)(slash - files[k]), files[k]);
            rc = strcmp(folder, pki) == 0 ? allow(ruleset, files[k], LANDLOCK_ACCESS_FS_READ_FILE) : allow(ruleset, folder, MAY_READ);
        }
    }
    return rc;
}

static uint64_t refer(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2 ? FS_REFER : 0; }

/* What a watched folder needs. */
struct watching {
    int      ruleset, rc;
    uint64_t may_write;
};

static void let_watch(void *arg, const char *folder, bool write)
{
    struct watching *w = arg;

    if (w->rc == 0)
        w->rc = allow(w->ruleset, folder, write ? w->may_write : MAY_READ);
}

/* allow_folders - those of listeners that watch folders: to read, or to move files within. */
static int allow_folders(const struct node *n, int ruleset, uint64_t may_write)
{
    struct watching w = { ruleset, 0, may_write };

    for (size_t i = 0; i < n->listen.listener_count; i++) {
        const struct listen_conf *c = &n->listen.listeners[i];
        struct folder_conf folder;

        if (c->kind == LISTEN_folder && folder_conf_read(c, &folder, NULL) == 0)
            folder_roots(&folder, let_watch, &w);
    }
    return w.rc;
}

/* What an upstream of forward needs: see forward_rights. */
struct letting {
    int      ruleset, rc;
    uint64_t may_write;
    bool     net;
};

static void let_connect(void *arg, uint16_t port)
{
    struct letting *l = arg;
    struct port_rule r = { NET_CONNECT, port };

    if (l->rc == 0 && l->net)
        l->rc = (int)syscall(SYS_landlock_add_rule, l->ruleset, RULE_NET_PORT, &r, 0);
}

static void let_read(void *arg, const char *file)
{
    struct letting *l = arg;
    const char *slash = strrchr(file, '/');
    char folder[4096];

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) : 0, file);
    if (l->rc == 0 && *folder)
        l->rc = allow(l->ruleset, folder, MAY_READ);
}

static void let_write(void *arg, const char *folder)
{
    struct letting *l = arg;

    if (l->rc == 0 && file_mkdirs(folder, 0750, NULL) == 0)
        l->rc = allow(l->ruleset, folder, l->may_write);
}

/* allow_upstreams - the ports and files that the configuration names, and nothing else of the network. Without a role index this one removes segments of
 * the journal; it never writes any. */
static int allow_upstreams(const struct node *n, int ruleset, uint64_t may_write, bool net)
{
    struct letting l = { ruleset, 0, may_write, net };
    const struct upstream_rights r = { &l, let_connect, let_read, let_write };
    char path[4096];

    forward_rights(&n->upstreams, &r);
    if (l.rc == 0 && !node_has_role(n, ROLE_INDEX))
        l.rc = allow(ruleset, node_path(n, "journal", path), MAY_READ | LANDLOCK_ACCESS_FS_REMOVE_FILE);
    return l.rc;
}

static int allow_all(const struct node *n, enum node_role role, int ruleset, uint64_t may_write, bool net)
{
    char path[4096];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(system_folders); i++)
        rc = allow(ruleset, system_folders[i], MAY_READ);
    if (rc == 0)
        rc = allow(ruleset, "/dev/null", MAY_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
    if (rc == 0 && *n->content)
        rc = allow(ruleset, n->content, MAY_READ);
    if (rc == 0 && *n->web)
        rc = allow(ruleset, n->web, MAY_READ);
    if (rc == 0 && *n->smtp_password_file && role == ROLE_DESK)
        rc = allow(ruleset, n->smtp_password_file, LANDLOCK_ACCESS_FS_READ_FILE);
    if (rc == 0 && *n->trust_anchors && role == ROLE_DESK)
        rc = allow(ruleset, n->trust_anchors, MAY_READ);
    if (rc == 0 && *n->webhook_ca && role == ROLE_DESK)
        rc = allow(ruleset, n->webhook_ca, LANDLOCK_ACCESS_FS_READ_FILE);
#ifdef SAQSHY_TEST_CLOCK
    if (rc == 0 && getenv("SAQSHY_TEST_CLOCK"))
        rc = allow(ruleset, getenv("SAQSHY_TEST_CLOCK"), LANDLOCK_ACCESS_FS_READ_FILE);
#endif
    /* The archive of the store: the index moves parts there, whoever searches reads them. */
    if (rc == 0 && *n->retention_archive && (role == ROLE_INDEX || role == ROLE_DESK || role == ROLE_DETECT))
        rc = allow(ruleset, n->retention_archive, role == ROLE_INDEX ? may_write : MAY_READ);
    if (rc == 0 && role == ROLE_INGEST)
        rc = allow_certificates(n, ruleset);
    if (rc == 0 && role == ROLE_INGEST)
        rc = allow_folders(n, ruleset, may_write | refer());
    if (rc == 0 && role == ROLE_TOOLS)
        rc = allow_programs(n, ruleset, may_write);
    if (rc == 0 && role == ROLE_FORWARD)
        rc = allow_upstreams(n, ruleset, may_write, net);
    for (const char *const *f = role_folders[role]; rc == 0 && *f; f++)
        rc = allow(ruleset, node_path(n, *f + 1, path), **f == '-' ? MAY_READ : **f == '@' ? may_write | LANDLOCK_ACCESS_FS_MAKE_SYM : may_write);
    return rc;
}

static int enter_landlock(const struct node *n, enum node_role role, struct err *e)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint64_t truncate = version >= 3 ? FS_TRUNCATE : 0;
    struct ruleset a = { .fs = HANDLED | truncate | refer(), .net = net_refused(n, role) };

    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        if (role == ROLE_TOOLS)
            return err_set(e, -ENOTSUP, "this kernel has no Landlock: the role tools, which may begin programs, does not run without it");
        log_line(LOG_WARN, "this kernel has no Landlock: the role sees the whole file system that its user sees", NULL);
        return 0;
    }
    AUTO_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &a, version >= 4 ? sizeof a : sizeof a.fs, 0);
    if (ruleset < 0)
        return err_sys(e, "could not make a Landlock ruleset");
    if (allow_all(n, role, ruleset, MAY_WRITE | truncate, version >= 4) < 0)
        return err_sys(e, "could not add a Landlock rule");
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return err_sys(e, "could not enter Landlock");
    return 0;
}

static const int refused[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(bpf),
    SCMP_SYS(kexec_load), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(reboot), SCMP_SYS(swapon),
    SCMP_SYS(swapoff), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(open_by_handle_at), SCMP_SYS(io_uring_setup), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(personality),
    SCMP_SYS(kexec_file_load), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(mount_setattr),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(clock_adjtime), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(syslog),
#ifndef __SANITIZE_ADDRESS__
    SCMP_SYS(ptrace), /* the leak check of a test build uses it on itself */
#endif
};

/* begins - execve and execveat: tools alone begin other programs, and Landlock says which. */
static bool begins(int call) { return call == SCMP_SYS(execve) || call == SCMP_SYS(execveat); }

static int enter_seccomp(enum node_role role, struct err *e)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    int rc = c ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < COUNT(refused); i++)
        rc = role == ROLE_TOOLS && begins(refused[i]) ? 0 : seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    if (rc == 0)
        rc = seccomp_load(c);
    seccomp_release(c);
    return rc < 0 ? err_set(e, rc, "could not load the system call filter: %s", strerror(-rc)) : 0;
}

/* keep_low_ports - the one right of root that ingest keeps as another user: to listen at ports below 1024, where senders of syslog look for it. */
static int keep_low_ports(struct err *e)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        { .effective = 1u << CAP_NET_BIND_SERVICE, .permitted = 1u << CAP_NET_BIND_SERVICE },
    };

    return syscall(SYS_capset, &head, data) < 0 ? err_sys(e, "could not keep the right to listen at low ports") : 0;
}

static int become_user(const struct node *n, enum node_role role, struct err *e)
{
    const struct passwd *p;

    if (!*n->user || geteuid() != 0)
        return 0;
    p = getpwnam(n->user);
    if (!p)
        return err_set(e, -EINVAL, "there is no user \"%s\" on this host", n->user);
    if (role == ROLE_INGEST && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return err_sys(e, "could not keep rights");
    if (setgroups(0, NULL) < 0 || setgid(p->pw_gid) < 0 || setuid(p->pw_uid) < 0)
        return err_sys(e, "could not become user \"%s\"", n->user);
    return role == ROLE_INGEST ? keep_low_ports(e) : 0;
}

static void set_limits(void)
{
    struct rlimit none = { 0, 0 }, files;

    /* A core would hold keys and other people's logs. */
    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int sandbox_enter(const struct node *n, enum node_role role, struct err *e)
{
    int rc;

    set_limits();
    rc = become_user(n, role, e);
    if (rc < 0)
        return rc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(e, "could not set no-new-privs");
    rc = enter_landlock(n, role, e);
    return rc < 0 ? rc : enter_seccomp(role, e);
}
