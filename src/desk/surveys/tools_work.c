/* tools_work.c - the role "tools": takes an order of the desk, makes the command anew from the policy, runs it as a child in a group of its own within its
 * limits, ends everything that it began, wherever it went, and says how it ended. One run at a time; the role has no other children. See tools.h. */
#include "desk/surveys/tools.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS   300
#define ORPHANS_TRIES 500   /* of ORPHANS_MS: a tool that goes on making children while they are ended */
#define ORPHANS_MS    10
#define STORY_MAX 2000   /* bytes of what a tool said on its standard error that are kept */

struct ran {
    int        code;      /* exit code, or 128 + signal */
    const char *why;      /* a word of survey.run.why of the catalogue; NULL: it ended by itself */
};

static void nap(long ms)
{
    struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

static void limit(int what, uint64_t value)
{
    struct rlimit l = { value, value };

    if (setrlimit(what, &l) < 0)
        _exit(126);
}

/* scratch_away - a tool that needs no /tmp may write into its folder alone. Without Landlock there is nothing to take: the role does not run, tests do. */
static int scratch_away(const char *folder)
{
    struct landlock_ruleset_attr all = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                                              LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR };
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0), rc = 0;

    if (ruleset < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
    for (int i = 0; rc == 0 && i < 2; i++) {
        struct landlock_path_beneath_attr a = { .allowed_access = i == 0 ? all.handled_access_fs : LANDLOCK_ACCESS_FS_WRITE_FILE };

        a.parent_fd = open(i == 0 ? folder : "/dev/null", O_PATH | O_CLOEXEC);
        rc = a.parent_fd < 0 ? -1 : (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    }
    return rc < 0 ? rc : (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

/* become - the child: nothing of ours is open in it, and it dies with the role. */
static _Noreturn void become(const struct tool_profile *t, char *const *argv, int in, int out, int said, const char *folder, pid_t parent)
{
    static char *const environment[] = { (char *)(uintptr_t)"PATH=/usr/bin:/bin", (char *)(uintptr_t)"LANG=C.UTF-8", (char *)(uintptr_t)"HOME=/nonexistent", NULL };
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getppid() != parent || chdir(folder) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(said, 2) < 0)
        _exit(126);
    if ((!t->scratch && scratch_away(folder) < 0) || close_range(3, ~0u, 0) < 0)
        _exit(126);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 1024);
    limit(RLIMIT_CPU, (uint64_t)t->cpu_s);
    limit(RLIMIT_FSIZE, (uint64_t)t->output_mib * MIB);
    limit(RLIMIT_AS, (uint64_t)t->memory_mib * MIB);
    execve(argv[0], argv, environment);
    _exit(127);
}

/* children_kill - everything that is a child of ours now, by what the kernel says of each of our threads. */
static void children_kill(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *t;

    while (tasks && (t = readdir(tasks)) != NULL) {
        char path[300], text[4096], *at = text, *end;
        AUTO_CLOSE int fd = -1;

        snprintf(path, sizeof path, "/proc/self/task/%s/children", t->d_name);
        fd = t->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
        for (long pid = strtol(at, &end, 10); end != at; at = end, pid = strtol(at, &end, 10))
            if (pid > 1)
                kill((pid_t)pid, SIGKILL);
    }
    if (tasks)
        closedir(tasks);
}

/* orphans_end - what left the tool's group, or closed everything and stayed, comes to us when its parent ends: it is ended until nothing is left. */
static void orphans_end(void)
{
    for (int i = 0; i < ORPHANS_TRIES; i++) {
        pid_t pid;

        children_kill();
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0)
            return;
        nap(ORPHANS_MS);
    }
    log_line(LOG_ERROR, "a tool left something behind that cannot be ended, going on", NULL);
}

static bool asked_to_stop(const struct node *n, int64_t run)
{
    char path[4096];

    return file_exists(tools_path(n, run, "stop", path));
}

/* watch - until the child has ended, with everything that it started. */
static struct ran watch(const struct node *n, int64_t run, const struct tool_profile *t, pid_t pid, const volatile int *stop)
{
    time_ns end = clock_steady() + t->time_s * NS_PER_SECOND;
    struct ran r = { 0, NULL };
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        const char *why = *stop ? "ended" : asked_to_stop(n, run) ? "cancelled" : clock_steady() > end ? "time" : NULL;

        if (why && !r.why) {
            r.why = why;
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
        nap(100);
    }
    kill(-pid, SIGKILL);   /* what it left behind */
    orphans_end();
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!r.why && WIFSIGNALED(status))
        r.why = WTERMSIG(status) == SIGXFSZ ? "output" : WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? "processor" : "signal";
    return r;
}

static int done_write(const struct node *n, int64_t run, const struct ran *r, struct str story, struct err *e)
{
    json_t *j = json_pack("{s:i, s:s?, s:s%}", "code", r->code, "why", r->why, "story", story.p ? story.p : "", story.n);
    AUTO_FREE char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    char path[4096];

    json_decref(j);
    if (!text)
        return err_set(e, -ENOMEM, "no memory for the end of a run");
    return file_write_atomic(tools_path(n, run, "done", path), str_c(text), 0640, e);
}

/* said_of - what the tool wrote on its standard error, its end. */
static struct str said_of(const struct node *n, int64_t run, struct arena *a)
{
    char path[4096], *text = arena_alloc(a, STORY_MAX);
    AUTO_CLOSE int fd = open(tools_path(n, run, "err", path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    ssize_t got = 0;

    if (fd >= 0 && text && fstat(fd, &st) == 0)
        got = pread(fd, text, STORY_MAX, st.st_size > STORY_MAX ? st.st_size - STORY_MAX : 0);
    for (ssize_t i = 0; i < got; i++)
        if ((unsigned char)text[i] >= 0x80 || (unsigned char)text[i] < 0x20)
            text[i] = text[i] == '\n' ? '\n' : '?';
    return str_of(text, got > 0 ? (size_t)got : 0);
}

static int opened(const struct node *n, int64_t run, const char *ending, int *fd, struct err *e)
{
    char path[4096];

    unlink(tools_path(n, run, ending, path));
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    return *fd < 0 ? err_sys(e, "could not make \"%s\"", path) : 0;
}

static int run_child(const struct node *n, int64_t run, const struct tool_profile *t, char *const *argv, const volatile int *stop, struct ran *r, struct err *e)
{
    bool writes_itself = false;
    char folder[4096], path[4096];
    pid_t parent = getpid(), pid;
    int rc;

    AUTO_CLOSE int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int out = -1;
    AUTO_CLOSE int said = -1;
    tools_path(n, run, TOOLS_OUTPUT, path);
    for (size_t i = 0; argv[i]; i++)
        writes_itself = writes_itself || strcmp(argv[i], path) == 0;
    rc = in < 0 ? err_sys(e, "could not open /dev/null") : opened(n, run, writes_itself ? "text" : TOOLS_OUTPUT, &out, e);
    if (rc == 0)
        rc = opened(n, run, "err", &said, e);
    if (rc < 0)
        return rc;
    node_path(n, "tools", folder);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid = fork();
    if (pid == 0)
        become(t, argv, in, out, said, folder, parent);
    if (pid < 0)
        return err_sys(e, "could not start a tool");
    *r = watch(n, run, t, pid, stop);
    return 0;
}

/* read_order - {profile, targets}; everything else about the run stands in our own policy. */
static int read_order(const struct node *n, int64_t run, const struct tool_policy *p, struct arena *a, const struct tool_profile **t, char ***argv, struct err *e)
{
    char path[4096], output[4096], scap[4096];
    AUTO_BUF struct buf b = { 0 };
    int rc;

    buf_init(&b, TOOL_ORDER_MAX);
    rc = file_read(tools_path(n, run, "order", path), TOOL_ORDER_MAX, &b, e);
    return rc < 0 ? rc : tool_order_read(buf_view(&b), p, &(struct tool_files){ tools_path(n, run, TOOLS_OUTPUT, output), node_path(n, "scap", scap) }, a, t, argv, e);
}

static int one_order(const struct node *n, const struct tool_policy *p, int64_t run, const volatile int *stop, struct err *e)
{
    const struct tool_profile *t = NULL;
    AUTO_ARENA struct arena a = { 0 };
    struct ran r = { 0, NULL };
    char path[4096], **argv = NULL;
    struct err why = { 0 };
    int rc;

    arena_init(&a, MIB);
    rc = read_order(n, run, p, &a, &t, &argv, &why);
    if (rc == 0 && asked_to_stop(n, run))
        rc = err_set(&why, -ECANCELED, "called off before it began");
    if (rc == 0 && file_exists(tools_path(n, run, "begun", path)))
        rc = err_set(&why, -EINTR, "the role ended while the tool ran");   /* a run is never begun twice by itself */
    if (rc == 0)
        rc = file_write_atomic(tools_path(n, run, "begun", path), STR("{}"), 0640, &why);
    if (rc == 0) {
        log_line(LOG_INFO, "a tool begins", "process.command_line", tool_command(argv, &a).p, NULL);
        rc = run_child(n, run, t, argv, stop, &r, &why);
    }
    if (rc < 0)
        r = (struct ran){ -1, rc == -EINTR ? "ended" : "refused" };
    log_line(rc < 0 ? LOG_ERROR : LOG_INFO, "a tool has ended", "error.message", rc < 0 ? why.text : "", NULL);
    rc = done_write(n, run, &r, rc < 0 ? str_c(why.text) : said_of(n, run, &a), e);
    if (rc >= 0)
        unlink(tools_path(n, run, "order", path));
    unlink(tools_path(n, run, "err", path));
    unlink(tools_path(n, run, "text", path));
    return rc < 0 ? rc : 1;
}

int tools_turn(const struct node *n, const struct tool_policy *p, const volatile int *stop, struct err *e)
{
    int64_t oldest = INT64_MAX, id;
    char folder[4096];
    DIR *dir = opendir(node_path(n, "tools", folder));
    struct dirent *f;

    if (!dir)
        return err_sys(e, "could not look into \"%s\"", folder);
    while ((f = readdir(dir)) != NULL) {
        struct str name = str_c(f->d_name);

        if (str_ends(name, STR(".order")) && str_i64(str_of(name.p, name.n - 6), &id) && id > 0 && id < oldest)
            oldest = id;
    }
    closedir(dir);
    return oldest == INT64_MAX ? 0 : one_order(n, p, oldest, stop, e);
}

int tools_work(const struct node *n, const volatile int *stop, struct err *e)
{
    struct tool_policy *p = NULL;
    char path[4096];
    int rc = tool_policy_load(n->content, &p, e);
    AUTO_CLOSE int lock = rc == 0 ? open(node_path(n, "tools/lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0640) : -1;

    if (rc == 0 && (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0))
        rc = err_sys(e, "could not lock \"%s\": does another one run?", path);
    while (rc >= 0 && !*stop) {
        rc = tools_turn(n, p, stop, e);
        if (rc == 0)
            nap(LOOK_MS);
    }
    tool_policy_free(&p);
    return rc < 0 ? rc : 0;
}
