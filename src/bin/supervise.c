/* supervise.c - starts each role as a process of its own, gathers what they say, starts them again when they fall.
 *
 * The supervisor opens nothing that comes from outside but the control socket, on which it answers one question: how the roles are.
 * What roles write to standard error goes, a line at a time, to DATA/log/saqshyd.jsonl, which ingest follows into the journal; lines that
 * are not our JSON (a crash report) are wrapped. A role that dies is started again after a pause that doubles from RESTART_MIN_MS to
 * RESTART_MAX_MS while it keeps dying young. Roles end with the supervisor (PDEATHSIG), even if it is killed. */
#include "bin/bin.h"
#include "base/file.h"
#include "base/log.h"
#include "keep/keep.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define RESTART_MIN_MS   200
#define RESTART_MAX_MS   10000
#define YOUNG_NS         (30 * NS_PER_SECOND)
#define STOP_PATIENCE_NS (20 * NS_PER_SECOND)
#define LINE_MAX_BYTES   (64 * KIB)
#define CONFIG_MAX       (4u * MIB)
#define LOG_FILE_MAX     (64 * INT64_C(1048576))

struct child {
    enum node_role role;
    pid_t          pid;         /* 0: not running */
    int            out;         /* its standard error, -1: closed */
    unsigned       restarts;
    int            pause_ms;
    time_ns        started, start_at; /* clock_steady */
    struct buf     line;
};

struct supervisor {
    const struct node *node;
    const char        *config;
    char               exe[4096], accepted[4096], fresh[4096];
    unsigned           reloads;
    struct child       child[ROLE_COUNT];
    size_t             count;
    int                log_fd, control, signals;
    int64_t            log_bytes;
    bool               stopping;
};

static void set_path(const struct supervisor *s, const char *tail, char out[4096])
{
    node_path(s->node, tail, out);
}

static int open_log(struct supervisor *s, struct err *e)
{
    char path[4096];
    struct stat st;

    set_path(s, "log/saqshyd.jsonl", path);
    s->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (s->log_fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    s->log_bytes = fstat(s->log_fd, &st) == 0 ? st.st_size : 0;
    return 0;
}

/* turn_log - start a new log file; the old one keeps one predecessor. */
static void turn_log(struct supervisor *s)
{
    char path[4096], old[4096];
    struct err e;

    set_path(s, "log/saqshyd.jsonl", path);
    set_path(s, "log/saqshyd.jsonl.1", old);
    close(s->log_fd);
    if (rename(path, old) < 0 || open_log(s, &e) < 0)
        s->log_fd = -1;
}

static void keep_line(struct supervisor *s, const struct child *c, struct str line)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    if (!str_starts(line, STR("{\"@timestamp\""))) {
        buf_str(&b, STR("{\"@timestamp\":\""));
        buf_time(&b, clock_now());
        buf_printf(&b, "\",\"log.level\":\"error\",\"event.module\":\"saqshy\",\"process.name\":\"%s\",\"saqshy.class\":\"app\",\"message\":",
                   node_role_name(c->role));
        buf_json(&b, line);
        buf_byte(&b, '}');
    } else {
        buf_str(&b, line);
    }
    buf_byte(&b, '\n');
    if (s->log_fd >= 0 && s->log_bytes > LOG_FILE_MAX)
        turn_log(s);
    if (s->log_fd < 0 && open_log(s, NULL) < 0)
        return;
    /* A full disk must not stop supervision: the line is then shown on our own standard error alone. */
    if (buf_failed(&b) || file_write_all(s->log_fd, buf_view(&b), NULL) < 0)
        return;
    s->log_bytes += (int64_t)b.n;
    if (str_find(line, STR("\"log.level\":\"error\"")) >= 0 || !str_starts(line, STR("{\"@timestamp\"")))
        if (write(2, b.p, b.n) < 0)
            return; /* nobody is left to tell */
}

/* take_output - what a role wrote, cut into lines. */
static void take_output(struct supervisor *s, struct child *c)
{
    ptrdiff_t end;
    ssize_t n;
    char *to = buf_room(&c->line, 8192);

    n = to ? read(c->out, to, 8192) : -1;
    if (n <= 0) {
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        close(c->out);
        c->out = -1;
        return;
    }
    c->line.n += (size_t)n;
    while ((end = str_chr(buf_view(&c->line), '\n')) >= 0) {
        if (end > 0)
            keep_line(s, c, str_of(c->line.p, (size_t)end));
        buf_drop(&c->line, (size_t)end + 1);
    }
    if (c->line.n > LINE_MAX_BYTES) {
        keep_line(s, c, buf_view(&c->line));
        buf_reset(&c->line);
    }
}

static void say(struct supervisor *s, enum log_level level, const char *message, const struct child *c, const char *detail)
{
    /* Our own lines take the same way as those of the roles. */
    AUTO_BUF struct buf b;
    static const char *const names[] = { "debug", "info", "warning", "error", "notice" };

    buf_init(&b, 64 * KIB);
    buf_str(&b, STR("{\"@timestamp\":\""));
    buf_time(&b, clock_now());
    buf_printf(&b, "\",\"log.level\":\"%s\",\"event.module\":\"saqshy\",\"process.name\":\"saqshyd\",\"saqshy.class\":\"app\",\"message\":", names[level]);
    buf_json(&b, str_c(message));
    if (c) {
        buf_printf(&b, ",\"service.name\":\"%s\"", node_role_name(c->role));
        buf_printf(&b, ",\"saqshy.restarts\":\"%u\"", c->restarts);
    }
    if (detail) {
        buf_str(&b, STR(",\"error.message\":"));
        buf_json(&b, str_c(detail));
    }
    buf_byte(&b, '}');
    keep_line(s, c ? c : &s->child[0], buf_view(&b));
}

static _Noreturn void become_role(struct supervisor *s, struct child *c, int out, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_NO);
    dup2(out, 2);
    execl(s->exe, "saqshyd", "--config", s->config, "--accepted", s->accepted, "--role", node_role_name(c->role), (char *)NULL);
    _exit(127);
}

static void start_child(struct supervisor *s, struct child *c)
{
    int ends[2];
    pid_t parent = getpid();

    c->start_at = clock_steady() + c->pause_ms * NS_PER_MS;
    if (c->out >= 0)
        close(c->out);
    c->out = -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    c->pid = fork();
    if (c->pid == 0)
        become_role(s, c, ends[1], parent);
    close(ends[1]);
    if (c->pid < 0) {
        c->pid = 0;
        close(ends[0]);
        return;
    }
    c->out = ends[0];
    c->started = clock_steady();
    fcntl(c->out, F_SETFL, O_NONBLOCK);
    say(s, LOG_INFO, "role started", c, NULL);
}

static void bury(struct supervisor *s, struct child *c, int status)
{
    char how[64];

    while (c->out >= 0) {
        ssize_t before = (ssize_t)c->line.n;

        take_output(s, c);
        if (c->out >= 0 && (ssize_t)c->line.n == before)
            break;
    }
    if (c->line.n) {     /* a last line without its end must not run into the first of the next process */
        keep_line(s, c, buf_view(&c->line));
        buf_reset(&c->line);
    }
    c->pid = 0;
    snprintf(how, sizeof how, WIFSIGNALED(status) ? "ended by signal %d" : "ended with code %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (s->stopping) {
        say(s, LOG_INFO, "role stopped", c, how);
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_AGAIN) {   /* it wishes so: another configuration needs other rights */
        c->start_at = clock_steady();
        say(s, LOG_INFO, "role begins anew", c, NULL);
        return;
    }
    bool young = clock_steady() - c->started < YOUNG_NS;
    c->pause_ms = young && c->restarts ? c->pause_ms * 2 : RESTART_MIN_MS;
    if (c->pause_ms > RESTART_MAX_MS)
        c->pause_ms = RESTART_MAX_MS;
    c->restarts++;
    c->start_at = clock_steady() + c->pause_ms * NS_PER_MS;
    say(s, LOG_ERROR, "role fell, starting it again", c, how);
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < s->count; i++)
            if (s->child[i].pid == pid)
                bury(s, &s->child[i], status);
}

static void signal_children(struct supervisor *s, int sig)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->child[i].pid > 0)
            kill(s->child[i].pid, sig);
}

/* accept_config - the file as it is now becomes what roles read, if it is sound: DATA/run/config.yaml, a copy. A role that falls while the
 * file is broken so starts again with the last sound one. */
static int accept_config(struct supervisor *s, struct err *e)
{
    AUTO_BUF struct buf text = { 0 };
    struct node *n = NULL;
    char exe[4096];
    int rc = node_exe_folder(exe, e);

    buf_init(&text, CONFIG_MAX + 1);
    if (rc == 0)
        rc = file_read(s->config, CONFIG_MAX, &text, e);
    if (rc == 0)
        rc = file_write_atomic(s->fresh, buf_view(&text), 0640, e);
    if (rc == 0)
        rc = node_load_accepted(s->config, s->fresh, exe, &n, e);
    if (rc == 0)
        rc = node_check_sources(n, e);
    if (rc == 0)
        rc = keep_check(n, e);
    if (rc == 0)
        rc = node_check_forward(n, e);
    if (rc == 0 && strcmp(n->data, s->node->data) != 0)
        rc = err_set(e, -EINVAL, "%s: another data directory needs a restart", s->config);
    node_free(&n);
    if (rc == 0 && rename(s->fresh, s->accepted) < 0)
        rc = err_sys(e, "could not store \"%s\"", s->accepted);
    return rc;
}

/* tell_reload - DATA/run/reload.json, for "saqshy reload": how often, and what was wrong with the file. */
static void tell_reload(struct supervisor *s, const char *error)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "{\"number\":%u,\"error\":", s->reloads);
    buf_json(&b, str_c(error));
    buf_str(&b, STR("}\n"));
    set_path(s, "run/reload.json", path);
    if (file_write_quick(path, buf_view(&b), NULL) < 0)
        return; /* the log has it too */
}

/* reload - the configuration again: refused whole, or handed to the roles that take one while they run. */
static void reload(struct supervisor *s)
{
    struct err e = { 0 };
    int rc = accept_config(s, &e);

    s->reloads++;
    if (rc < 0) {
        say(s, LOG_ERROR, "cannot take the changed configuration, the old one stays in force", NULL, e.text);
        tell_reload(s, e.text);
        return;
    }
    say(s, LOG_INFO, "read the configuration again", NULL, NULL);
    tell_reload(s, "");
    for (size_t i = 0; i < s->count; i++)
        if (s->child[i].pid > 0 && (s->child[i].role == ROLE_INGEST || s->child[i].role == ROLE_INDEX || s->child[i].role == ROLE_DETECT ||
                                    s->child[i].role == ROLE_FORWARD))
            kill(s->child[i].pid, SIGHUP);
}

static void take_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD) {
        reap(s);
    } else if (info.ssi_signo == SIGHUP) {
        reload(s);
    } else if (!s->stopping) {
        s->stopping = true;
        say(s, LOG_INFO, "stopping", NULL, NULL);
        signal_children(s, SIGTERM);
    }
}

static int open_control(struct supervisor *s, struct err *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char path[4096];

    set_path(s, "run/control.sock", path);
    if (strlen(path) >= sizeof a.sun_path)
        return err_set(e, -ENAMETOOLONG, "the path of the control socket is longer than %zu bytes: choose a shorter data directory",
                       sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path) + 1);
    unlink(path);
    s->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->control < 0 || bind(s->control, (struct sockaddr *)&a, sizeof a) < 0 || chmod(path, 0600) < 0 || listen(s->control, 8) < 0)
        return err_sys(e, "could not open \"%s\"", path);
    return 0;
}

/* answer - the state of the roles, one JSON object, and the end. */
static void answer(struct supervisor *s)
{
    AUTO_CLOSE int fd = accept4(s->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    if (fd < 0)
        return;
    buf_printf(&b, "{\"pid\":%d,\"roles\":[", (int)getpid());
    for (size_t i = 0; i < s->count; i++) {
        const struct child *c = &s->child[i];

        buf_printf(&b, "%s{\"name\":\"%s\",\"pid\":%d,\"restarts\":%u,\"up_s\":%lld}", i ? "," : "", node_role_name(c->role), (int)c->pid,
                   c->restarts, c->pid ? (long long)((clock_steady() - c->started) / NS_PER_SECOND) : 0LL);
    }
    buf_str(&b, STR("]}\n"));
    if (write(fd, b.p, b.n) < 0)
        return; /* the asker went away */
}

static int prepare(struct supervisor *s, struct err *e)
{
    static const char *const folders[] = { "run", "log", "journal", "findings", "store", "documents", "desk", "detect", "link", "requirements", "tools", "pki/server", "scap", "forward", "journal/cursors", "rules", "rules/exceptions", "policy", "intel", "holds" };
    char path[4096], text[32];
    sigset_t set;
    int rc = node_exe_folder(path, e);

    for (size_t i = 0; rc == 0 && i < COUNT(folders); i++) {
        set_path(s, folders[i], path);
        rc = file_mkdirs(path, 0750, e);
        if (rc == 0)
            rc = own_as(s->node->data, path, e);   /* the roles run as its owner, and must get in */
    }
    ssize_t n = rc == 0 ? readlink("/proc/self/exe", s->exe, sizeof s->exe - 1) : 0;
    if (rc == 0 && n <= 0)
        rc = err_sys(e, "could not find this program");
    set_path(s, "run/config.yaml", s->accepted);
    set_path(s, "run/config.new", s->fresh);
    if (rc == 0)
        rc = accept_config(s, e);
    if (rc == 0)
        rc = open_log(s, e);
    if (rc == 0)
        rc = open_control(s, e);
    if (rc < 0)
        return rc;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0)
        return err_sys(e, "could not watch signals");
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    set_path(s, "run/saqshyd.pid", path);
    return file_write_atomic(path, str_c(text), 0640, e);
}

static bool any_alive(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->child[i].pid > 0)
            return true;
    return false;
}

static void turn(struct supervisor *s)
{
    struct pollfd p[ROLE_COUNT + 2];
    struct child *of[ROLE_COUNT + 2] = { NULL };
    nfds_t n = 0;

    p[n++] = (struct pollfd){ s->signals, POLLIN, 0 };
    p[n++] = (struct pollfd){ s->control, POLLIN, 0 };
    for (size_t i = 0; i < s->count; i++)
        if (s->child[i].out >= 0) {
            of[n] = &s->child[i];
            p[n++] = (struct pollfd){ s->child[i].out, POLLIN, 0 };
        }
    if (poll(p, n, 100) < 0)
        return;
    for (nfds_t i = 2; i < n; i++)
        if (p[i].revents)
            take_output(s, of[i]);
    if (p[0].revents)
        take_signal(s);
    if (p[1].revents)
        answer(s);
    reap(s);
    for (size_t i = 0; i < s->count && !s->stopping; i++)
        if (s->child[i].pid == 0 && clock_steady() >= s->child[i].start_at)
            start_child(s, &s->child[i]);
}

static void close_all(struct supervisor *s)
{
    char path[4096];

    set_path(s, "run/saqshyd.pid", path);
    unlink(path);
    set_path(s, "run/control.sock", path);
    unlink(path);
    for (size_t i = 0; i < s->count; i++) {
        if (s->child[i].out >= 0)
            close(s->child[i].out);
        buf_free(&s->child[i].line);
    }
    close(s->signals);
    close(s->control);
    if (s->log_fd >= 0)
        close(s->log_fd);
}

int supervise(const struct node *node, const char *config_file)
{
    struct supervisor s = { .node = node, .config = config_file, .log_fd = -1, .control = -1, .signals = -1 };
    time_ns patience = 0;
    struct err e;

    for (enum node_role r = 0; r < ROLE_COUNT; r++)
        if (node_has_role(node, r)) {
            s.child[s.count] = (struct child){ .role = r, .out = -1 };
            buf_init(&s.child[s.count++].line, MIB);
        }
    if (prepare(&s, &e) < 0) {
        fprintf(stderr, "saqshyd: %s\n", e.text);
        return EXIT_USAGE;
    }
    while (!s.stopping || any_alive(&s)) {
        turn(&s);
        if (s.stopping && !patience)
            patience = clock_steady() + STOP_PATIENCE_NS;
        if (patience && clock_steady() > patience) {
            signal_children(&s, SIGKILL);
            patience = clock_steady() + STOP_PATIENCE_NS;
        }
    }
    close_all(&s);
    return EXIT_YES;
}
