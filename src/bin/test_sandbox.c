/* test_sandbox.c - what a role can no longer do once it is in its sandbox. Each question is asked by a child of its own. */
#include "bin/bin.h"
#include "base/file.h"
#include "base/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char data[64];

static const char *const files[] = { "pki/ca.pem", "pki/ca.key", "pki/server.pem", "pki/server.key", "pki/agents/a.key", "desk/desk.db",
                                     "journal/x", "SIGN-IN" };
static const char *const folders[] = { "pki", "pki/agents", "desk", "journal", "run", "store", "findings" };

static int setup(void **state)
{
    char path[256];
    struct err e;

    (void)state;
    snprintf(data, sizeof data, "/tmp/saqshy-sandbox-XXXXXX");
    if (!mkdtemp(data))
        return -1;
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", data, folders[i]);
        if (mkdir(path, 0700) < 0)
            return -1;
    }
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", data, files[i]);
        if (file_write_atomic(path, STR("x"), 0600, &e) < 0)
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    char path[256];

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", data, files[i]);
        unlink(path);
    }
    for (size_t i = COUNT(folders); i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", data, folders[i]);
        rmdir(path);
    }
    rmdir(data);
    return 0;
}

enum deed { READ, CUT, CONNECT, BEGIN };

/* deed_result - 0 or the errno of doing it. */
static int deed_result(enum deed d, const char *path)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd, rc;

    if (d == BEGIN) {
        char *const argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)"--version", NULL };

        if (dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1) < 0)
            return 0;
        execv(path, argv);
        return errno;
    }
    if (d == CUT)
        return truncate(path, 0) < 0 ? errno : 0;
    fd = d == READ ? open(path, O_RDONLY | O_CLOEXEC) : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd < 0 || (d == CONNECT && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) ? errno : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

static const struct {
    const char    *name, *path, *smtp;
    enum node_role role;
    enum deed      deed;
    int            version;   /* of Landlock, from which on it is refused */
    bool           refused;
} rows[] = {
    { "ingest shows its certificate", "pki/server.key", "", ROLE_INGEST, READ, 1, false },
    { "ingest knows its authority", "pki/ca.pem", "", ROLE_INGEST, READ, 1, false },
    { "ingest cannot make agents", "pki/ca.key", "", ROLE_INGEST, READ, 1, true },
    { "ingest cannot be an agent", "pki/agents/a.key", "", ROLE_INGEST, READ, 1, true },
    { "the desk shows its certificate", "pki/server.key", "", ROLE_DESK, READ, 1, false },
    { "the desk knows its authority", "pki/ca.pem", "", ROLE_DESK, READ, 1, false },
    { "the desk cannot make agents", "pki/ca.key", "", ROLE_DESK, READ, 1, true },
    { "no role reads the first passwords", "SIGN-IN", "", ROLE_DESK, READ, 1, true },
    { "index has no certificate", "pki/server.key", "", ROLE_INDEX, READ, 1, true },
    { "ingest cannot read the desk", "desk/desk.db", "", ROLE_INGEST, READ, 1, true },
    { "ingest cannot empty the desk", "desk/desk.db", "", ROLE_INGEST, CUT, 3, true },
    { "ingest cuts its journal", "journal/x", "", ROLE_INGEST, CUT, 3, false },
    { "ingest connects to nobody", "", "smtp://127.0.0.1:9", ROLE_INGEST, CONNECT, 4, true },
    { "detect connects to nobody", "", "", ROLE_DETECT, CONNECT, 4, true },
    { "the desk without a mail server connects to nobody", "", "", ROLE_DESK, CONNECT, 4, true },
    { "the desk connects to its mail server", "", "smtp://127.0.0.1:9", ROLE_DESK, CONNECT, 4, false },
    { "the desk connects to other nodes where it may", "", "link", ROLE_DESK, CONNECT, 4, false },
    { "tools begin no shell", "/bin/sh", "", ROLE_TOOLS, BEGIN, 1, true },
    { "tools begin nothing that the policy does not name", "/usr/bin/env", "", ROLE_TOOLS, BEGIN, 1, true },
    { "tools begin a program of the policy", "/usr/bin/nmap", "", ROLE_TOOLS, BEGIN, 1, false },
    { "tools cannot read the desk", "desk/desk.db", "", ROLE_TOOLS, READ, 1, true },
    { "tools cannot read the journal", "journal/x", "", ROLE_TOOLS, READ, 1, true },
    { "tools have no certificate", "pki/server.key", "", ROLE_TOOLS, READ, 1, true },
    { "keys reads the key of the authority", "pki/ca.key", "", ROLE_KEYS, READ, 1, false },
    { "keys cannot read the desk", "desk/desk.db", "", ROLE_KEYS, READ, 1, true },
    { "keys cannot read the journal", "journal/x", "", ROLE_KEYS, READ, 1, true },
    { "keys connects to nobody", "", "", ROLE_KEYS, CONNECT, 4, true },
    { "tools connect to what is surveyed", "", "", ROLE_TOOLS, CONNECT, 4, false },
    { "ingest connects to no other node", "", "link", ROLE_INGEST, CONNECT, 4, true },
    { "forward reads the journal", "journal/x", "", ROLE_FORWARD, READ, 1, false },
    { "forward changes nothing in the journal", "journal/x", "", ROLE_FORWARD, CUT, 3, true },
    { "forward cannot read the desk", "desk/desk.db", "", ROLE_FORWARD, READ, 1, true },
    { "forward has no certificate that it was not given", "pki/server.key", "", ROLE_FORWARD, READ, 1, true },
    { "forward without an upstream connects to nobody", "", "", ROLE_FORWARD, CONNECT, 4, true },
    { "forward connects to the port of an upstream", "", "forward 127.0.0.1:9", ROLE_FORWARD, CONNECT, 4, false },
    { "forward connects to no other port", "", "forward 127.0.0.1:10", ROLE_FORWARD, CONNECT, 4, true },
    { "ingest does not connect where forward does", "", "forward 127.0.0.1:9", ROLE_INGEST, CONNECT, 4, true },
    { "ingest with a consumer of Kafka connects", "", "kafka", ROLE_INGEST, CONNECT, 4, false },
    { "detect beside a consumer of Kafka connects to nobody", "", "kafka", ROLE_DETECT, CONNECT, 4, true },
};

static void a_role_can_do_no_more_than_it_needs(void **state)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    (void)state;
    if (version < 1)
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool link = strcmp(rows[i].smtp, "link") == 0;   /* no mail server, but other nodes */
        bool forward = strncmp(rows[i].smtp, "forward ", 8) == 0;   /* neither, but an upstream */
        bool kafka = strcmp(rows[i].smtp, "kafka") == 0;            /* neither, but a listener */
        struct listen_conf listener = { .kind = LISTEN_kafka, .certificate = "", .key = "", .authority = "" };
        struct upstream_conf up = { .type = UPSTREAM_relp, .name = "up", .address = forward ? (char *)(uintptr_t)rows[i].smtp + 8 : "", .authority = "",
                                    .certificate = "", .key = "" };
        struct node n = { .data = data, .content = "", .web = "", .user = "", .roles = "ingest index forward", .retention_archive = "",
                          .upstreams = { &up, forward }, .smtp_url = link || forward || kafka ? "" : (char *)(uintptr_t)rows[i].smtp,
                          .smtp_password_file = "", .trust_anchors = "", .webhooks = "no", .webhook_ca = "",
                          .link_connect = link ? "yes" : "no" };
        char path[256], content[4096];
        int status;
        pid_t pid;

        n.listen.listeners = &listener;
        n.listen.listener_count = kafka;
        snprintf(content, sizeof content, "%s/content", getenv("SAQSHY_SOURCE") ? getenv("SAQSHY_SOURCE") : ".");
        n.content = content;

        if (version < rows[i].version)
            continue;
        if (*rows[i].path == '/')
            snprintf(path, sizeof path, "%s", rows[i].path);
        else
            snprintf(path, sizeof path, "%s/%s", data, rows[i].path);
        pid = fork();
        if (pid == 0) {
            struct err e;

            _exit(sandbox_enter(&n, rows[i].role, &e) < 0 ? 200 : deed_result(rows[i].deed, path));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        CHECK(rows[i].name, WIFEXITED(status) && WEXITSTATUS(status) != 200);
        CHECK(rows[i].name, (WEXITSTATUS(status) == EACCES) == rows[i].refused);
    }
}

/* low_port - 0 if we may listen at a port below 1024 and still may not read what is root's alone. */
static int low_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = EACCES;

    for (uint16_t port = 600; port < 700 && rc != 0; port++) {   /* one of them is free */
        at.sin_port = htons(port);
        rc = bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ? errno : 0;
        if (rc == EACCES)
            break;
    }
    close(fd);
    fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || setuid(0) == 0)
        rc = 201;
    if (fd >= 0)
        close(fd);
    return rc;
}

static const struct {
    enum node_role role;
    int            want;
} low_rows[] = { { ROLE_INGEST, 0 }, { ROLE_DESK, EACCES } };

static void ingest_alone_listens_at_low_ports_as_another_user(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    uint64_t first = 1024;

    (void)state;
    buf_init(&b, 256 * KIB);
    if (file_read("/proc/sys/net/ipv4/ip_unprivileged_port_start", 64, &b, NULL) == 0)
        (void)str_u64(str_trim(buf_view(&b)), &first);
    if (geteuid() != 0 || first < 1024)
        skip();
    for (size_t i = 0; i < COUNT(low_rows); i++) {
        struct node n = { .data = data, .content = (char *)"", .web = (char *)"", .user = (char *)"nobody", .smtp_url = (char *)"", .smtp_password_file = (char *)"",
                          .trust_anchors = (char *)"", .webhooks = (char *)"no", .webhook_ca = (char *)"", .link_connect = (char *)"no", .retention_archive = (char *)"" };
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            struct err e;

            _exit(sandbox_enter(&n, low_rows[i].role, &e) < 0 ? 200 : low_port());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), low_rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_role_can_do_no_more_than_it_needs),
                                        cmocka_unit_test(ingest_alone_listens_at_low_ports_as_another_user) };

    return cmocka_run_group_tests_name("sandbox", tests, setup, teardown);
}
