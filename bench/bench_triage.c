/* bench_triage.c - bench_triage [GROUPS]: what a match costs on its way to a finding, beside what the finding itself costs, and what is kept of open episodes.
 *
 * The policy is ours but for the storms, which would keep the groups from being told. Each event has a host, a user, a program and an address of its own.
 * The time is that of the thread. */
#include "detect/triage.h"

#include <time.h>
#include <unistd.h>

#define EVENTS 400000

static double thread_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct made { struct event ev; struct event_field fields[6]; char user[16], ip[24]; };

static void make(struct made *m, uint32_t group, uint64_t seq)
{
    snprintf(m->user, sizeof m->user, "user-%u", group);
    snprintf(m->ip, sizeof m->ip, "203.%u.%u.%u", group >> 16 & 255, group >> 8 & 255, group & 255);
    const struct event_field fields[] = {
        { STR("event.action"), STR("login") }, { STR("event.outcome"), STR("failure") }, { STR("host.name"), STR("registry-web-1") },
        { STR("user.name"), str_c(m->user) }, { STR("process.name"), STR("sshd") }, { STR("source.ip"), str_c(m->ip) },
    };
    memcpy(m->fields, fields, sizeof fields);
    m->ev = (struct event){ .seq = seq, .time = (time_ns)seq * NS_PER_MS, .received = (time_ns)seq * NS_PER_MS, .object = STR("state-register"),
                            .original = STR("Mar 20 23:50:00 registry-web-1 sshd[211]: Failed password for root from 203.0.113.77 port 50202 ssh2"),
                            .source = STR("agent-1/var/log/auth.log"), .fields = m->fields, .field_count = COUNT(fields) };
}

/* run - events of so many groups in turn; told: findings that came of it. */
static double run(struct triage *t, const struct sigma *set, uint32_t groups, uint64_t *seq, uint64_t *told, struct event_batch *out)
{
    double start = thread_seconds();
    struct err e;

    for (uint32_t i = 0; i < EVENTS; i++) {
        struct made m;
        struct sigma_match match = { .rule = sigma_rule_at(set, 0), .count = 1 };
        size_t at;

        make(&m, i % groups, ++*seq);
        match.first_seq = match.last_seq = *seq;
        if (triage_match(t, set, &match, &m.ev, out, &at, &e) < 0 || triage_due(t, set, &m.ev, out, &e) < 0)
            abort();
        *told += out->count;
        event_batch_reset(out);
    }
    return (thread_seconds() - start) * 1e9 / EVENTS;
}

/* nothing - an event that no rule matched: is anything due? */
static double nothing(struct triage *t, const struct sigma *set, uint64_t seq, struct event_batch *out)
{
    double start = thread_seconds();
    struct made m;
    struct err e;

    make(&m, 0, seq);
    for (uint32_t i = 0; i < 10 * EVENTS; i++)
        if (triage_due(t, set, &m.ev, out, &e) < 0)
            abort();
    return (thread_seconds() - start) * 1e9 / (10 * EVENTS);
}

static int one(const char *name, const char *policy, const struct sigma *set, uint32_t groups)
{
    AUTO_BUF struct buf episodes, risk;
    struct triage *t = NULL;
    struct event_batch out;
    uint64_t seq = 0, told = 0;
    struct err e;

    buf_init(&episodes, 256u * MIB);
    buf_init(&risk, 64u * MIB);
    event_batch_init(&out, 64u * MIB);
    if (triage_open(policy, NULL, &t, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    double each = run(t, set, groups, &seq, &told, &out), idle = nothing(t, set, seq, &out), start = thread_seconds();
    triage_save(t, &episodes, &risk);
    struct episode_counters c = triage_counters(t);
    printf("%-28s %7u groups: %6.0f ns a match, %8llu findings, %4.1f ns an event without one; open %llu, %5.1f MiB, saved %5.1f + %4.1f MiB in %3.0f ms\n", name, groups, each,
           (unsigned long long)told, idle, (unsigned long long)c.open, (double)c.bytes / MIB, (double)episodes.n / MIB, (double)risk.n / MIB,
           (thread_seconds() - start) * 1e3);
    triage_close(&t);
    event_batch_free(&out);
    return 0;
}

int main(int argc, char **argv)
{
    static const char rule[] = "title: Password guessing\nid: 5d0f7c11-1111-4222-8333-444455556666\nlevel: high\nlogsource: {}\ndetection: {s: {k: v}, condition: s}\n";
    static const char *const policies[] = { "0m", "1h" };
    const struct sigma_source src = { STR("r.yml"), { rule, sizeof rule - 1 } };
    uint32_t groups = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 90000;
    struct sigma *set = NULL;
    char path[] = "/tmp/bench-triage-XXXXXX";
    int fd = mkstemp(path), rc = 0;
    struct err e;

    if (fd < 0 || groups == 0 || sigma_compile(&src, 1, &set, &e) < 0)
        return 1;
    for (size_t i = 0; i < COUNT(policies) && rc == 0; i++)
        for (int storm = 0; storm < 2 && rc == 0; storm++) {
            FILE *f = fopen(path, "w");

            if (!f)
                return 1;
            fprintf(f, "group: {window: %s, update: 1m, by: [host.name, user.name, process.name, source.ip]}\nstorm: {groups: %d}\nraise_from: medium\nlevels: []\n"
                       "risk: {half_life: 24h, points: {informational: 1, low: 3, medium: 10, high: 30, critical: 60}, host: 100, user: 100, ignore_users: [], level: high,"
                       " title: {kk: k, ru: r, en: e}}\n", policies[i], storm ? 60 : 100000);
            fclose(f);
            rc = one(i == 0 ? "a finding each" : storm ? "grouped, storms summed up" : "grouped", path, set, 1000);
            if (rc == 0)
                rc = one(i == 0 ? "a finding each" : storm ? "grouped, storms summed up" : "grouped", path, set, groups);
            if (i == 0)
                break;
        }
    unlink(path);
    sigma_free(&set);
    return rc;
}
