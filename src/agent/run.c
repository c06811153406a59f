/* run.c - the agent's one loop: read a batch, spool it, send it until it is taken, move the positions, begin again.
 *
 * A batch's number is the moment it was made, or one more than the last if the clock stands or went back. So an agent whose state
 * folder was lost or restored from an old copy still numbers above what the collector has. Should it not (a clock that was ahead
 * for years), the collector's answer says so and the batch gets a number above the collector's. */
#include "agent/internal.h"
#include "base/file.h"
#include "base/log.h"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>

#define IDLE_MS       1000     /* look at files even if nothing woke us */
#define BUSY_MS       80       /* between two slices of a walk through trees */
#define GATHER_MS     100      /* lines that come together travel together */
#define RETRY_MIN_MS  250
#define RETRY_MAX_MS  30000
#define HOST_MAX      256

struct agent {
    const struct agent_config *config;
    char             state_path[AGENT_PATH_MAX];
    char             host[HOST_MAX];
    struct state     state;            /* as the collector has confirmed it */
    struct spool    *spool;
    struct sender   *sender;
    struct renewal  *renewal;
    struct files    *files;
    struct journald *journald;
    struct ports    *ports;
    struct facts    *facts;
    struct batch     batch;
    struct buf       plain, text;      /* of a batch found in the spool; of a state being written */
    int              stop_fd, retry_ms;
    bool             away;             /* the collector did not answer; said once */
};

static bool stop_asked(const struct agent *a)
{
    struct pollfd p = { a->stop_fd, POLLIN, 0 };

    return poll(&p, 1, 0) > 0;
}

/* pause_ms - sleep, but not over a request to stop. True if there is one. */
static bool pause_ms(const struct agent *a, int ms)
{
    struct pollfd p = { a->stop_fd, POLLIN, 0 };

    return poll(&p, 1, ms) > 0;
}

/* wait_for_work - until a source may have something. */
static void wait_for_work(struct agent *a)
{
    struct pollfd p[4] = { { a->stop_fd, POLLIN, 0 }, { files_fd(a->files), POLLIN, 0 }, { journald_fd(a->journald), POLLIN, 0 },
                           { facts_fd(a->facts), POLLIN, 0 } };
    int n = poll(p, 4, a->facts && facts_busy(a->facts) ? BUSY_MS : IDLE_MS);

    if (n > 0 && !p[0].revents)
        pause_ms(a, GATHER_MS);
    files_drain(a->files);
    if (a->facts)
        facts_drain(a->facts);
}

/* --- the state --- */

static int load_state(struct agent *a, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    char aside[AGENT_PATH_MAX + 16];
    int rc;

    if (!file_exists(a->state_path))
        return 0;
    buf_init(&b, STATE_BYTES_MAX + 128 * KIB);
    rc = file_read(a->state_path, STATE_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = state_read(buf_view(&b), &a->state, e);
    if (rc != -EBADMSG)
        return rc;
    /* Better twice than never. */
    snprintf(aside, sizeof aside, "%s.damaged", a->state_path);
    log_line(LOG_ERROR, "the state is damaged: putting it aside and reading every file from its beginning", "file.path", aside,
             "error.message", e->text, NULL);
    return rename(a->state_path, aside) < 0 ? err_sys(e, "could not put \"%s\" aside", a->state_path) : 0;
}

static int gather_state(struct agent *a, uint64_t number, struct err *e)
{
    struct state s = { .number = number };
    int rc = files_save(a->files, &s);

    if (rc == 0 && a->ports)
        rc = ports_save(a->ports, &s);
    if (rc == 0 && a->facts)
        rc = facts_save(a->facts, &s);
    if (!a->facts)
        memcpy(s.facts, a->state.facts, sizeof s.facts);
    journald_save(a->journald, &s);
    if (!a->journald)
        snprintf(s.cursor, sizeof s.cursor, "%s", a->state.cursor);
    buf_reset(&a->text);
    if (rc == 0)
        state_write(&s, &a->text);
    state_free(&s);
    return rc < 0 || buf_failed(&a->text) ? err_set(e, -ENOMEM, "no memory for the state") : 0;
}

/* settle - the batch is taken (or will never be): its positions are ours now. */
static int settle(struct agent *a, uint64_t number, struct str state, bool refused, struct err *e)
{
    int rc = file_write_atomic(a->state_path, state, 0600, e);

    a->state.number = number;
    if (rc == 0)
        rc = refused ? spool_aside(a->spool, number, e) : spool_drop(a->spool, e);
    if (rc == 0 && a->facts)
        facts_settled(a->facts);
    return rc;
}

/* --- sending --- */

static int jitter(int ms)
{
    uint32_t r = 0;

    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        return ms;
    return ms / 2 + (int)(r % (uint32_t)(ms / 2 + 1));
}

static void note_away(struct agent *a, const struct err *e)
{
    if (!a->away)
        log_line(LOG_WARN, "could not send a batch, retrying", "url.full", a->config->url, "error.message", e->text, NULL);
    a->away = true;
}

/* renumber - the collector has a higher number of us than this batch, and it is not this batch: our clock or state went back. */
static int renumber(struct agent *a, uint64_t *number, uint64_t last, struct str state, struct str body, struct err *e)
{
    struct state s;
    char text[24];
    int rc = state_read(state, &s, e);

    if (rc < 0)
        return rc;
    log_line(LOG_WARN, "the collector knows a later batch of ours, numbering on from it", "saqshy.number",
             log_num((long long)last, text), NULL);
    *number = s.number = last + 1;
    buf_reset(&a->text);
    state_write(&s, &a->text);
    state_free(&s);
    return spool_put(a->spool, *number, buf_view(&a->text), body, e);
}

/* settle_patiently - a full local disk stops reading, not the agent. 1 if settled, 0 if we are to stop: the batch is then sent again, and is
 * a repeated one. */
static int settle_patiently(struct agent *a, uint64_t number, struct str state, bool refused, struct err *e)
{
    bool said = false;
    int rc;

    while ((rc = settle(a, number, state, refused, e)) == -ENOSPC || rc == -EDQUOT) {
        if (!said)
            log_line(LOG_ERROR, "could not write the state, retrying", "error.message", e->text, NULL);
        said = true;
        if (pause_ms(a, RETRY_MAX_MS / 10))
            return 0;
    }
    return rc < 0 ? rc : 1;
}

/* deliver - send until it is taken. 1 if it is, 0 if we are to stop. state may be a view into a->text or a->plain. */
static int deliver(struct agent *a, uint64_t number, struct str state, struct str body, struct err *e)
{
    for (;;) {
        uint64_t last;
        int wait_s = 0, rc;
        enum sent sent = sender_post(a->sender, number, body, &last, &wait_s, e);

        if (sent == SENT_REPEATED && last > number) {
            rc = renumber(a, &number, last, state, body, e);
            if (rc < 0)
                return rc;
            state = buf_view(&a->text);
            continue;
        }
        if (sent == SENT_STORED || sent == SENT_REPEATED || sent == SENT_REFUSED) {
            if (a->away && sent != SENT_REFUSED)
                log_line(LOG_INFO, "the collector answers again", "url.full", a->config->url, NULL);
            if (sent == SENT_REFUSED)
                log_line(LOG_ERROR, "the collector refuses a batch for good, putting it aside", "error.message", e->text, NULL);
            a->away = false;
            a->retry_ms = RETRY_MIN_MS;
            return settle_patiently(a, number, state, sent == SENT_REFUSED, e);
        }
        if (sent == SENT_STOPPED)
            return 0;
        note_away(a, e);
        if (pause_ms(a, jitter(wait_s ? wait_s * 1000 : a->retry_ms)))
            return 0;
        a->retry_ms = a->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : a->retry_ms * 2;
    }
}

/* finish_spool - what a former run left on its way. It is sent before a source is opened, so sources open at its positions. */
static int finish_spool(struct agent *a, struct err *e)
{
    uint64_t number;
    struct str state, body;
    int rc = spool_get(a->spool, &a->plain, &number, &state, &body, e);

    if (rc <= 0)
        return rc < 0 ? rc : 1;
    if (number <= a->state.number) {   /* taken, and we died before removing it */
        rc = spool_drop(a->spool, e);
        return rc < 0 ? rc : 1;
    }
    rc = deliver(a, number, state, body, e);
    if (rc <= 0)
        return rc;
    state_free(&a->state);
    rc = load_state(a, e);
    return rc < 0 ? rc : 1;
}

static int32_t zone_now(void)
{
    time_t now = (time_t)(clock_now() / NS_PER_SECOND);
    struct tm tm;

    return localtime_r(&now, &tm) ? (int32_t)(tm.tm_gmtoff / 60) : 0;
}

/* put_on_disk - a full local disk stops reading, not the agent. */
static int put_on_disk(struct agent *a, uint64_t number, struct err *e)
{
    bool said = false;

    for (;;) {
        int rc = spool_put(a->spool, number, buf_view(&a->text), buf_view(&a->batch.packed), e);

        if (rc == 0)
            return 1;
        if (!said)
            log_line(LOG_ERROR, "could not write the spool, retrying", "error.message", e->text, NULL);
        said = true;
        if (pause_ms(a, RETRY_MAX_MS / 10))
            return 0;
    }
}

static bool read_sources(struct agent *a)
{
    time_ns now = clock_now();
    bool more = false;

    batch_reset(&a->batch);
    if (a->ports)
        ports_read(a->ports, &a->batch, now);
    if (a->journald)
        more = journald_read(a->journald, &a->batch, now, a->config->system_files && access(AUDIT_LOG, R_OK) == 0);
    if (a->facts) {
        facts_work(a->facts);
        if (!batch_full(&a->batch))
            more = facts_read(a->facts, &a->batch, now) || more;
    }
    return (!batch_full(&a->batch) && files_read(a->files, &a->batch, now)) || more;
}

/* step - one batch from sources to acknowledgement. 1 to go on, 0 to stop. */
static int step(struct agent *a, struct err *e)
{
    time_ns now = clock_now();
    uint64_t number = now > 0 && (uint64_t)now > a->state.number ? (uint64_t)now : a->state.number + 1;
    bool first_ports = a->ports && !a->state.ports_known;
    int rc;

    renewal_turn(a->renewal, a->sender);
    read_sources(a);
    if (a->batch.lines == 0) {
        if (first_ports) {             /* the baseline is kept even if nothing is ever sent */
            a->state.ports_known = true;
            rc = gather_state(a, a->state.number, e);
            if (rc == 0)
                rc = file_write_atomic(a->state_path, buf_view(&a->text), 0600, e);
            if (rc < 0)
                return rc;
        }
        wait_for_work(a);
        return !stop_asked(a);
    }
    rc = batch_close(&a->batch, str_c(a->host), str_c(a->config->id), zone_now(), e);
    if (rc == 0)
        rc = gather_state(a, number, e);
    if (rc == 0)
        rc = put_on_disk(a, number, e);
    if (rc <= 0)
        return rc;
    rc = deliver(a, number, buf_view(&a->text), buf_view(&a->batch.packed), e);
    a->state.ports_known = true;
    return rc;
}

static int open_signals(struct agent *a, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (a->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_sys(e, "could not take signals");
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static int open_sources(struct agent *a, struct err *e)
{
    int rc = a->config->journald ? journald_open(a->state.cursor, &a->journald, e) : 0;
    struct stat st = { 0 };

    if (rc == 0 && stat(a->state_path, &st) < 0)
        st = (struct stat){ 0 };
    if (rc == 0)
        rc = files_new(a->config, a->config->system_files && !a->journald, &a->state, st.st_mtim, &a->files, e);
    if (rc == 0 && a->config->ports)
        rc = ports_new(&a->state, &a->ports, e);
    if (rc == 0 && (a->config->packages || a->config->clock || a->config->settings_file || a->config->tree_count))
        rc = facts_new(a->config, &a->state, &a->facts, e);
    if (rc == 0 && a->facts)
        facts_settled(a->facts);       /* sent whole, and we died before we wrote that the collector has it */
    return rc;
}

static void agent_free(struct agent *a)
{
    sender_close(&a->sender);
    renewal_free(&a->renewal);
    files_close(&a->files);
    journald_close(&a->journald);
    ports_free(&a->ports);
    facts_free(&a->facts);
    spool_close(&a->spool);
    batch_free(&a->batch);
    buf_free(&a->plain);
    buf_free(&a->text);
    state_free(&a->state);
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    free(a);
}

/* more_files - every file that is followed is open; the usual soft limit is just the number of them. */
static void more_files(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) < 0)
        return;
    l.rlim_cur = l.rlim_max < 65536 ? l.rlim_max : 65536;
    if (setrlimit(RLIMIT_NOFILE, &l) < 0)
        return; /* then fewer are read at a time */
}

int agent_run(const struct agent_config *c, struct err *e)
{
    struct agent *a = calloc(1, sizeof *a);
    int rc;

    if (!a)
        return err_set(e, -ENOMEM, "no memory for the agent");
    a->config = c;
    a->stop_fd = -1;
    a->retry_ms = RETRY_MIN_MS;
    batch_init(&a->batch);
    buf_init(&a->plain, 64 * MIB);
    buf_init(&a->text, STATE_BYTES_MAX);
    snprintf(a->state_path, sizeof a->state_path, "%s/state", c->state);
    if (gethostname(a->host, sizeof a->host) < 0)
        snprintf(a->host, sizeof a->host, "%s", c->id);
    a->host[sizeof a->host - 1] = 0;
    more_files();
    rc = open_signals(a, e);
    if (rc == 0)
        rc = spool_open(c->state, &a->spool, e);
    if (rc == 0)
        rc = load_state(a, e);
    if (rc == 0)
        rc = renewal_open(c, &a->renewal, e);
    if (rc == 0)
        rc = sender_open(c, a->stop_fd, &a->sender, e);
    if (rc == 0)
        rc = sender_identity(a->sender, renewal_cert(a->renewal), renewal_key(a->renewal), e);
    if (rc == 0 && (rc = finish_spool(a, e)) > 0) {
        rc = open_sources(a, e);
        if (rc == 0)
            log_line(LOG_INFO, "watching", "agent.id", c->id, "url.full", c->url, "saqshy.source", a->journald ? "journald" : "files", NULL);
        rc = rc == 0 ? 1 : rc;
        while (rc > 0)
            rc = step(a, e);
    }
    agent_free(a);
    return rc;
}
