/* bench_receive.c - what receiving costs without the rest of the programs: the role ingest with one TCP listener, alone in a process of its own; then its
 * journal is read. It is the training run of a release, too (docs/building.md).
 *
 *     bench_receive CONTENT LINES FILE
 *
 * CONTENT: the folder of content, whose parsers are used. The lines of FILE are sent again and again until LINES were. Prints the receiver's processor time
 * a million lines, from the first byte until all are committed, what a line takes in the journal, and what reading it costs. Fails if a line is missing. */
#include "base/file.h"
#include "base/listen.h"
#include "ingest/ingest.h"
#include "journal/journal.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define READY_TRIES 1500
#define LOOK_MS     20
#define FILE_MAX    (1u << 30)

static void die(const char *what)
{
    fprintf(stderr, "bench_receive: %s\n", what);
    exit(2);
}

static void rest(int ms)
{
    struct timespec t = { 0, ms * NS_PER_MS };

    nanosleep(&t, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* free_port - one that nobody listens on now. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        die("there is no port");
    return ntohs(a.sin_port);
}

static int receive(const char *data, const char *content, uint16_t port)
{
    struct listen_table t = { 0 };
    struct ingest_options o = { .data = data, .content = content, .listen = &t, .zone_min = 300, .future_tolerance_s = 86400, .segment_bytes = 1 << 30 };
    char address[32];
    struct err e = { 0 };
    int rc;

    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    rc = listen_add_short(&t, LISTEN_syslog_tcp, address, &e);
    if (rc == 0)
        rc = ingest_run(&o, &e);
    if (rc < 0)
        fprintf(stderr, "bench_receive: %s\n", e.text);
    listen_table_free(&t);
    return rc < 0;
}

static int connected(uint16_t port)
{
    struct sockaddr_in a = loopback(port);

    for (int i = 0; i < READY_TRIES; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
            return fd;
        close(fd);
        rest(LOOK_MS);
    }
    die("it does not listen");
    return -1;
}

/* some_lines - the beginning of text that holds at most most lines; *count of them. */
static struct str some_lines(struct str text, size_t most, size_t *count)
{
    size_t at = 0, n = 0;

    for (; n < most && at < text.n; n++) {
        ptrdiff_t end = str_chr(str_cut(text, at), '\n');

        if (end < 0)
            break;
        at += (size_t)end + 1;
    }
    *count = n;
    return str_of(text.p, at);
}

static void send_lines(int fd, struct str text, size_t total)
{
    struct err e;

    for (size_t n; total; total -= n) {
        struct str part = some_lines(text, total, &n);

        if (n == 0 || file_write_all(fd, part, &e) < 0)
            die("could not send");
    }
    close(fd);
}

static double seconds_of(pid_t pid)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        die("the receiver has ended");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* received - seconds of the receiver for so many lines. */
static double received(pid_t child, uint16_t port, const char *journal, struct str text, size_t total)
{
    int fd = connected(port);
    double before = seconds_of(child);

    send_lines(fd, text, total);
    while (journal_committed_seq(journal) < total + 1) {
        if (waitpid(child, NULL, WNOHANG) != 0)
            die("the receiver has ended");
        rest(LOOK_MS);
    }
    return seconds_of(child) - before;
}

/* read_back - seconds for reading all of the journal. */
static double read_back(const char *journal, size_t total)
{
    struct event_batch b;
    struct journal_reader *r;
    struct err e;
    double before = seconds_of(getpid());
    size_t seen = 0;
    int n;

    event_batch_init(&b, JOURNAL_BATCH_BYTES);
    if (journal_reader_open(journal, 0, &r, &e) < 0)
        die(e.text);
    while ((n = journal_reader_next(r, &b, NULL, &e)) > 0) {
        seen += (size_t)n;
        event_batch_reset(&b);
    }
    if (seen != total)
        die("lines are missing in the journal");
    journal_reader_close(&r);
    event_batch_free(&b);
    return seconds_of(getpid()) - before;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) { return remove(path); }

int main(int argc, char **argv)
{
    static const char *const folders[] = { "run", "log", "journal" };
    char data[] = "/tmp/saqshy-receive-XXXXXX", path[64];
    size_t total = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    uint16_t port = free_port();
    double taken, bytes;
    struct buf text;
    struct err e;
    pid_t child;

    buf_init(&text, FILE_MAX);
    if (total == 0 || file_read(argv[3], FILE_MAX, &text, &e) < 0 || !mkdtemp(data))
        die("usage: bench_receive CONTENT LINES FILE");
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", data, folders[i]);
        mkdir(path, 0700);
    }
    child = fork();
    if (child == 0)
        exit(receive(data, argv[1], port));
    taken = received(child, port, path, buf_view(&text), total);
    bytes = (double)journal_bytes_from(path, 0);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    printf("%.3f CPU-s/M to receive, %.2f bytes a line, %.3f CPU-s/M to read\n", taken * 1e6 / (double)total, bytes / (double)total,
           read_back(path, total) * 1e6 / (double)total);
    nftw(data, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    buf_free(&text);
    return 0;
}
