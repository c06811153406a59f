/* cmd_demo.c - saqshy demo attack: real failed and then successful logins against a real sshd on a loopback port.
 *
 * The sshd is started for this alone, with keys of its own in a temporary folder, and writes its log with -E to DATA/demo/sshd.log, which the
 * demonstration agent follows: so it works where neither journald nor a syslog daemon runs, and the lines are those that sshd itself
 * wrote. Nothing of the host's own SSH is read or changed. Only 127.0.0.0/8 is touched. */
#include "bin/bin.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const char usage[] =
    "usage: saqshy demo attack --data DIR [--failures N]\n\n"
    "Starts an sshd on a free loopback port, fails to log in N times (default 12) with a wrong password, then logs in with a key. sshd's own\n"
    "log lines go to DIR/demo/sshd.log, which the demonstration agent reads. Exit 0 if all logins went as meant.\n";

struct demo {
    const char *data, *user;
    char        folder[64];      /* temporary: keys, configuration */
    char        log[4096];
    int         port, failures;
    pid_t       sshd;
};

/* run - a program with its output thrown away; env may be NULL. Returns its exit code, -1 if it could not run. */
static int run(char *const argv[], const char *askpass)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        setsid();
        if (askpass) {
            setenv("SSH_ASKPASS", askpass, 1);
            setenv("SSH_ASKPASS_REQUIRE", "force", 1);
            setenv("DISPLAY", ":0", 1);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof a;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        return -1;
    return ntohs(a.sin_port);
}

static int write_text(const struct demo *d, const char *name, struct str text, unsigned mode, struct err *e)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", d->folder, name);
    return file_write_atomic(path, text, mode, e);
}

static int make_key(const struct demo *d, const char *name, struct err *e)
{
    char path[128];
    char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL };

    snprintf(path, sizeof path, "%s/%s", d->folder, name);
    return run(argv, NULL) == 0 ? 0 : err_set(e, -ENOENT, "could not run ssh-keygen: install openssh-client");
}

static int prepare(struct demo *d, struct err *e)
{
    AUTO_BUF struct buf b;
    AUTO_CLOSE int fd = -1;
    int rc;

    buf_init(&b, 64 * KIB);
    snprintf(d->folder, sizeof d->folder, "/tmp/saqshy-demo-XXXXXX");
    if (!mkdtemp(d->folder))
        return err_sys(e, "could not make a temporary folder");
    d->port = free_port();
    if (d->port < 0)
        return err_sys(e, "no free loopback port");
    buf_printf(&b, "%s/demo", d->data);
    buf_byte(&b, 0);
    rc = file_mkdirs(b.p, 0750, e);
    if (rc < 0)
        return rc;
    snprintf(d->log, sizeof d->log, "%s/demo/sshd.log", d->data);
    fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", d->log);
    rc = make_key(d, "host_key", e);
    if (rc == 0)
        rc = make_key(d, "user_key", e);
    if (rc == 0)
        rc = write_text(d, "askpass", STR("#!/bin/sh\necho wrong-password\n"), 0700, e);
    if (rc < 0)
        return rc;
    buf_reset(&b);
    buf_printf(&b, "ListenAddress 127.0.0.1:%d\nHostKey %s/host_key\nPidFile none\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\n"
                   "KbdInteractiveAuthentication no\nPubkeyAuthentication yes\nAuthorizedKeysFile %s/user_key.pub\nStrictModes no\nLogLevel VERBOSE\n"
                   "UseDNS no\nAllowUsers %s\nX11Forwarding no\nAllowTcpForwarding no\nForceCommand /bin/true\n", d->port, d->folder, d->folder, d->user);
    return write_text(d, "sshd_config", buf_view(&b), 0600, e);
}

static bool listens(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

static int start_sshd(struct demo *d, struct err *e)
{
    static const char *const places[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd" };
    const char *sshd = NULL;
    char config[128];

    for (size_t i = 0; i < COUNT(places) && !sshd; i++)
        if (access(places[i], X_OK) == 0)
            sshd = places[i];
    if (!sshd)
        return err_set(e, -ENOENT, "there is no sshd: install openssh-server (it need not run)");
    if (geteuid() == 0 && file_mkdirs("/run/sshd", 0755, e) < 0) /* sshd wants it for its unprivileged part */
        return e->rc;
    snprintf(config, sizeof config, "%s/sshd_config", d->folder);
    d->sshd = fork();
    if (d->sshd == 0) {
        execl(sshd, sshd, "-D", "-f", config, "-E", d->log, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 100; i++) {
        if (listens(d->port))
            return 0;
        if (waitpid(d->sshd, NULL, WNOHANG) == d->sshd)
            break;
        poll(NULL, 0, 50);
    }
    return err_set(e, -EIO, "sshd did not start; \"%s\" says why", d->log);
}

/* log_in - one attempt; with the key it succeeds, without it sshd is given a wrong password. */
static bool log_in(const struct demo *d, bool with_key)
{
    char port[16], key[128], target[128], askpass[128];
    char *argv[] = { "ssh", "-F", "/dev/null", "-p", port, "-i", with_key ? key : "/dev/null", "-o", "StrictHostKeyChecking=no", "-o",
                     "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=10", "-o", "IdentitiesOnly=yes", "-o",
                     with_key ? "PreferredAuthentications=publickey" : "PreferredAuthentications=password", target, "true", NULL };

    snprintf(port, sizeof port, "%d", d->port);
    snprintf(key, sizeof key, "%s/user_key", d->folder);
    snprintf(askpass, sizeof askpass, "%s/askpass", d->folder);
    snprintf(target, sizeof target, "%s@127.0.0.1", d->user);
    return run(argv, askpass) == 0;
}

static void clean(struct demo *d)
{
    static const char *const names[] = { "host_key", "host_key.pub", "user_key", "user_key.pub", "askpass", "sshd_config" };
    char path[128];

    if (d->sshd > 0) {
        kill(d->sshd, SIGTERM);
        waitpid(d->sshd, NULL, 0);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", d->folder, names[i]);
        unlink(path);
    }
    rmdir(d->folder);
}

static int attack(struct demo *d, struct err *e)
{
    int rc = prepare(d, e);

    if (rc == 0)
        rc = start_sshd(d, e);
    if (rc < 0)
        return rc;
    printf("sshd listens on 127.0.0.1:%d and logs to %s\n", d->port, d->log);
    for (int i = 0; i < d->failures; i++) {
        if (log_in(d, false))
            return err_set(e, -EPROTO, "a login with a wrong password succeeded");
        printf("\rfailed login %d of %d", i + 1, d->failures);
        fflush(stdout);
    }
    printf("\n");
    if (!log_in(d, true))
        return err_set(e, -EPROTO, "the login with the key failed; \"%s\" says why", d->log);
    printf("logged in as %s with a key. The case is on the first page of the portal.\n", d->user);
    return 0;
}

int cmd_demo(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "failures", required_argument, NULL, 'n' },
                                             { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    struct demo d = { .failures = 12 };
    struct passwd *me = getpwuid(geteuid());
    char real[4096];
    struct err e;
    int64_t n = 12;
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd')
            d.data = optarg;
        else if (c == 'n' && str_i64(str_c(optarg), &n) && n >= 0 && n <= 1000)
            d.failures = (int)n;
        else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (!d.data || optind + 1 != argc || strcmp(argv[optind], "attack") != 0 || !me) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!realpath(d.data, real)) {
        fprintf(stderr, "saqshy: no data directory \"%s\"\n", d.data);
        return EXIT_USAGE;
    }
    d.data = real;
    d.user = me->pw_name;
    rc = attack(&d, &e);
    clean(&d);
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    return rc < 0 ? EXIT_NO : EXIT_YES;
}
