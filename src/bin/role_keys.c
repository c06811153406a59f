/* role_keys.c - the role keys: the only one that reads the key of the authority, and then for a moment. It renews the certificate of this node's listeners
 * before it ends, and grants agents new ones for old ones that hold.
 *
 * It listens to nobody, connects to nobody and sees DATA/pki and DATA/run alone (sandbox.c). What it reads from others are the requests that ingest puts into DATA/run/renew:
 * bounded, and believed only for the signature of a certificate of ours (pki_renew_grant), so a captured ingest can make no certificate of them. */
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bin/bin.h"
#include "pki/pki.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_MS         1000
#define METRICS_NS      (2 * NS_PER_SECOND)
#define SERVER_NS       (10 * NS_PER_SECOND)
#define SERVER_AGAIN_NS NS_PER_HOUR          /* after a failure */
#define ASKS_AT_ONCE    64
#define GRANT_EVERY_S   3600                 /* to one agent: issued.tsv has a line for each for ever, and a captured agent may ask without end */
#define CA_WARN_DAYS    365

struct keys {
    const struct node *node;
    char               pki[4096], asks[4096], metrics_path[4096];
    struct metrics     metrics;
    struct metric     *granted, *refused, *renewed, *server_days, *ca_days, *errors;
    time_ns            metrics_at, server_at;
    bool               ca_told;
};

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
    (void)sig;
    stop = 1;
}

/* too_soon - was a certificate made for it a moment ago? By the clock of the file system, as its stamp. */
static bool too_soon(const char *granted)
{
    struct stat st;
    struct timespec now;

    return stat(granted, &st) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec >= st.st_mtim.tv_sec && now.tv_sec - st.st_mtim.tv_sec < GRANT_EVERY_S;
}

static void grant(struct keys *k, const char *file)
{
    struct str name = str_of(file, strlen(file) - 4);
    AUTO_BUF struct buf ask;
    AUTO_BUF struct buf pem;
    char path[4200], out[4200], text[PKI_NAME_MAX + 1];
    struct err e = { 0 };
    int rc;

    buf_init(&ask, 256 * KIB);
    buf_init(&pem, 64 * KIB);
    snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    snprintf(path, sizeof path, "%.4000s/%.70s", k->asks, file);
    snprintf(out, sizeof out, "%.4000s/%.64s.pem", k->asks, text);
    rc = too_soon(out) ? err_set(&e, -EACCES, "its last certificate was made less than %d minutes ago", GRANT_EVERY_S / 60) : file_read(path, PKI_ASK_MAX, &ask, &e);
    if (rc == 0)
        rc = pki_renew_grant(k->pki, name, str_trim(buf_view(&ask)), &pem, &e);
    if (rc == 0)
        rc = file_write_atomic(out, buf_view(&pem), 0640, &e);
    if (rc == -ENOSPC || rc == -EDQUOT)
        return;     /* it waits */
    unlink(path);
    metric_add(rc < 0 ? k->refused : k->granted, 1);
    if (rc < 0)
        log_line(LOG_SEC, "refused to renew the certificate of an agent", "agent.id", text, "error.message", e.text, NULL);
    else
        log_line(LOG_SEC, "renewed the certificate of an agent", "agent.id", text, NULL);
}

/* take_asks - the requests that lie there, some at a time. */
static void take_asks(struct keys *k)
{
    DIR *d = opendir(k->asks);
    struct dirent *f;

    for (int n = 0; d && n < ASKS_AT_ONCE && !stop && (f = readdir(d)) != NULL;) {
        struct str name = str_c(f->d_name);

        if (!str_ends(name, STR(".ask")) || !pki_name_valid(str_of(name.p, name.n - 4)))
            continue;
        grant(k, f->d_name);
        n++;
    }
    if (d)
        closedir(d);
}

static int days_of(time_ns to) { return (int)((to - clock_now()) / NS_PER_DAY); }

/* look_after_server - the certificate that the listeners show now: renewed when two thirds of its life are over. */
static void look_after_server(struct keys *k)
{
    char now[4200], ca[4200], days[24];
    time_ns from, to;
    struct err e;

    snprintf(ca, sizeof ca, "%.4000s/ca.pem", k->pki);
    if (pki_life(ca, &from, &to, &e) == 0) {
        metric_set(k->ca_days, days_of(to));
        if (days_of(to) < CA_WARN_DAYS && !k->ca_told)
            log_line(LOG_WARN, "the authority itself ends within a year: a new one must be made and brought to all agents", "saqshy.days", log_num(days_of(to), days), NULL);
        k->ca_told = true;
    }
    snprintf(now, sizeof now, "%.4000s/server/server.pem", k->pki);
    if (!file_exists(now))
        snprintf(now, sizeof now, "%.4000s/server.pem", k->pki);
    k->server_at = clock_steady() + SERVER_NS;
    int rc = pki_life(now, &from, &to, &e);
    if (rc == 0)
        metric_set(k->server_days, days_of(to));
    if (rc == 0 && !pki_due(from, to, clock_now()))
        return;
    if (rc == 0)
        rc = pki_server_renew(k->pki, now, &e);
    if (rc == 0) {
        metric_add(k->renewed, 1);
        log_line(LOG_SEC, "renewed the certificate of this node's listeners", "file.path", now, NULL);
        return;
    }
    metric_add(k->errors, 1);
    k->server_at = clock_steady() + SERVER_AGAIN_NS;
    log_line(LOG_ERROR, "could not renew the certificate of this node's listeners", "error.message", e.text, NULL);
}

static void publish(struct keys *k)
{
    struct err e;

    if (k->metrics_at && clock_steady() - k->metrics_at < METRICS_NS)
        return;
    k->metrics_at = clock_steady();
    if (metrics_publish(&k->metrics, k->metrics_path, &e) < 0)
        metric_add(k->errors, 1);
}

static void open_metrics(struct keys *k)
{
    struct metrics *m = &k->metrics;

    k->granted = metrics_cell(m, "saqshy_keys_granted_total", NULL, false, "certificates of agents renewed");
    k->refused = metrics_cell(m, "saqshy_keys_refused_total", NULL, false, "requests for renewal refused");
    k->renewed = metrics_cell(m, "saqshy_keys_server_renewed_total", NULL, false, "renewals of the certificate of the listeners");
    k->server_days = metrics_cell(m, "saqshy_keys_server_days", NULL, true, "days until the certificate of the listeners ends");
    k->ca_days = metrics_cell(m, "saqshy_keys_authority_days", NULL, true, "days until the authority ends");
    k->errors = metrics_cell(m, "saqshy_keys_errors_total", NULL, false, "what could not be done");
}

int role_keys_run(const struct node *node)
{
    struct keys *k = calloc(1, sizeof *k);
    const struct timespec pause = { LOOK_MS / 1000, LOOK_MS % 1000 * NS_PER_MS };

    signal(SIGTERM, on_term);
    signal(SIGINT, on_term);
    if (!k)
        return EXIT_NO;
    k->node = node;
    node_path(node, "pki", k->pki);
    node_path(node, "run/renew", k->asks);
    node_path(node, "run/metrics-keys.prom", k->metrics_path);
    open_metrics(k);
    while (!stop) {
        take_asks(k);
        if (clock_steady() >= k->server_at)
            look_after_server(k);
        publish(k);
        nanosleep(&pause, NULL);
    }
    free(k);
    return EXIT_YES;
}
