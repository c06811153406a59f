/* counters.c - what ingest counts. One table names each cell; the sums balance, see ingest.h. */
#include "ingest/internal.h"

static const char *const from_names[FROM_COUNT] = { "syslog_udp", "syslog_tcp", "otlp", "own_log" };
static const char *const from_labels[FROM_COUNT] = { "listener=\"syslog_udp\"", "listener=\"syslog_tcp\"",
                                                     "listener=\"otlp\"", "listener=\"own_log\"" };
static const char *const refusal_labels[REFUSED_COUNT] = { "reason=\"empty\"", "reason=\"repeated\"",
                                                           "reason=\"too_large\"", "reason=\"no_space\"",
                                                           "reason=\"stopped\"" };
static const char *const answer_labels[] = { "status=\"200\"", "status=\"400\"", "status=\"413\"", "status=\"503\"",
                                             "status=\"other\"" };

const char *from_name(enum from f) { return from_names[f]; }

void counters_init(struct counters *c)
{
    struct metrics *m = &c->all;

    *c = (struct counters){ 0 };
    for (int i = 0; i < FROM_COUNT; i++)
        c->read[i] = metrics_cell(m, "saqshy_ingest_read_total", from_labels[i], false, "lines and records taken in");
    for (int i = 0; i < FROM_COUNT; i++)
        c->stored[i] = metrics_cell(m, "saqshy_ingest_events_total", from_labels[i], false, "events on disk in the journal");
    for (int i = 0; i < FROM_COUNT; i++)
        c->bytes[i] = metrics_cell(m, "saqshy_ingest_bytes_total", from_labels[i], false, "original bytes of stored events");
    for (int i = 0; i < REFUSED_COUNT; i++)
        c->refused[i] = metrics_cell(m, "saqshy_ingest_refused_total", refusal_labels[i], false, "lines and records not stored");
    for (size_t i = 0; i < COUNT(answer_labels); i++)
        c->answered[i] = metrics_cell(m, "saqshy_ingest_requests_total", answer_labels[i], false, "OTLP requests by answer");
    c->waiting = metrics_cell(m, "saqshy_ingest_waiting", NULL, true, "read, not yet stored or refused");
    c->queue_bytes = metrics_cell(m, "saqshy_ingest_queue_bytes", NULL, true, "bytes between the listeners and the journal");
    c->connections = metrics_cell(m, "saqshy_ingest_connections", NULL, true, "open syslog connections");
    c->unparsed = metrics_cell(m, "saqshy_ingest_unparsed_total", NULL, false, "stored events that no parser understood");
    c->truncated = metrics_cell(m, "saqshy_ingest_truncated_total", NULL, false, "stored pieces of over-long lines");
    c->kernel_drops = metrics_cell(m, "saqshy_ingest_udp_kernel_drops_total", NULL, false,
                                   "datagrams that the kernel dropped before we could read them");
    c->poison = metrics_cell(m, "saqshy_ingest_bad_requests_total", NULL, false, "OTLP bodies that could not be decoded");
    c->commits = metrics_cell(m, "saqshy_ingest_commits_total", NULL, false, "group commits");
    c->commit_us = metrics_cell(m, "saqshy_ingest_commit_microseconds_total", NULL, false, "time spent in group commits");
    c->commit_last_us = metrics_cell(m, "saqshy_ingest_commit_last_microseconds", NULL, true, "time of the last group commit");
    c->own_lag = metrics_cell(m, "saqshy_ingest_own_log_lag_bytes", NULL, true, "bytes of our own log not yet stored");
}

void counters_answer(struct counters *c, int status)
{
    static const int known[] = { 200, 400, 413, 503 };
    size_t i = 0;

    while (i < COUNT(known) && known[i] != status)
        i++;
    metric_add(c->answered[i], 1);
}

void counters_balance(struct counters *c)
{
    int64_t waiting = 0;

    for (int i = 0; i < FROM_COUNT; i++)
        waiting -= metric_get(c->stored[i]);
    for (int i = 0; i < REFUSED_COUNT; i++)
        waiting -= metric_get(c->refused[i]);
    for (int i = 0; i < FROM_COUNT; i++)
        waiting += metric_get(c->read[i]);
    metric_set(c->waiting, waiting > 0 ? waiting : 0);
}
