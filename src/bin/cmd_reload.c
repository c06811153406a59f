/* cmd_reload.c - saqshy reload: a running saqshyd reads its configuration again, and we wait until it says what came of it.
 *
 * The supervisor judges the file (DATA/run/reload.json), the role ingest opens, changes and closes listeners (config in DATA/run/ingest.json). */
#include "bin/bin.h"
#include "base/file.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_MAX   (8u * MIB)
#define LOOK_MS    100
#define PATIENCE   200      /* looks */

static const char usage[] = "usage: saqshy reload --data DIR\n\n"
                            "The saqshyd that runs on DIR reads its configuration again: listeners and sources are added, removed and changed without\n"
                            "losing a connection; other settings wait for a restart. A broken file is refused whole, and the old one stays in force.\n"
                            "Exit 0: in force, 1: refused, or no saqshyd runs there.\n";

static json_t *load(const char *data, const char *name)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];

    buf_init(&b, FILE_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/run/%s", data, name);
    return file_read(path, FILE_MAX, &b, NULL) < 0 ? NULL : json_loadb(b.n ? b.p : "", b.n, 0, NULL);
}

static struct timespec changed(const char *data, ino_t *inode)
{
    char path[4096];
    struct stat st = { 0 };

    snprintf(path, sizeof path, "%.4000s/run/reload.json", data);
    if (stat(path, &st) < 0)
        *inode = 0;
    else
        *inode = st.st_ino;
    return st.st_mtim;
}

static void wait_a_little(void)
{
    struct timespec t = { 0, LOOK_MS * NS_PER_MS };

    nanosleep(&t, NULL);
}

static json_int_t config_number(const char *data)
{
    json_t *o = load(data, "ingest.json");
    json_int_t n = o ? json_integer_value(json_object_get(json_object_get(o, "config"), "number")) : -1;

    json_decref(o);
    return n;
}

/* tell - what stands under error in o, if anything. */
static int tell(const json_t *o)
{
    const char *why = json_string_value(json_object_get(o, "error"));

    if (!why || !*why)
        return EXIT_YES;
    fprintf(stderr, "saqshy: %s\n", why);
    return EXIT_NO;
}

/* has_ingest - the supervisor's answer counts alone where no role ingest runs. */
static bool has_ingest(const char *data)
{
    json_t *o = load(data, "ingest.json");
    pid_t pid = (pid_t)json_integer_value(json_object_get(o, "pid"));

    json_decref(o);
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

static int wait_for_ingest(const char *data, json_int_t before)
{
    int rc;

    for (int i = 0; i < PATIENCE; i++, wait_a_little()) {
        json_t *o = config_number(data) == before ? NULL : load(data, "ingest.json");

        if (!o)
            continue;
        rc = tell(json_object_get(o, "config"));
        json_decref(o);
        return rc;
    }
    fputs("saqshy: the role ingest has not answered\n", stderr);
    return EXIT_NO;
}

static int reload(const char *data)
{
    AUTO_BUF struct buf b = { 0 };
    ino_t inode, now_inode;
    struct timespec before = changed(data, &inode), now;
    json_int_t number = config_number(data);
    bool ingest = has_ingest(data);
    char path[4096];
    int64_t pid;
    json_t *o;
    int rc;

    buf_init(&b, 256 * KIB);
    snprintf(path, sizeof path, "%.4000s/run/saqshyd.pid", data);
    if (file_read(path, 64, &b, NULL) < 0 || !str_i64(str_trim(buf_view(&b)), &pid) || pid <= 1 || kill((pid_t)pid, SIGHUP) < 0) {
        fprintf(stderr, "saqshy: no saqshyd runs on \"%s\", or it is not ours to tell\n", data);
        return EXIT_NO;
    }
    for (int i = 0; i < PATIENCE; i++, wait_a_little()) {
        now = changed(data, &now_inode);
        if (now_inode && (now_inode != inode || now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec))
            break;
    }
    o = now_inode ? load(data, "reload.json") : NULL;
    if (!o || (now_inode == inode && now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec)) {
        json_decref(o);
        fputs("saqshy: saqshyd has not answered\n", stderr);
        return EXIT_NO;
    }
    rc = tell(o);
    json_decref(o);
    return rc == EXIT_YES && ingest ? wait_for_ingest(data, number) : rc;
}

int cmd_reload(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    const char *data = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c != 'd') {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
        data = optarg;
    }
    if (!data || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return reload(data);
}
