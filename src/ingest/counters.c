/* counters.c - what ingest counts: a card for each listener, and sums of the role. They balance, see ingest.h. */
#include "ingest/internal.h"

static const char *const refusal_labels[REFUSED_COUNT] = { "reason=\"empty\"", "reason=\"repeated\"",
                                                           "reason=\"too_large\"", "reason=\"no_space\"",
                                                           "reason=\"stopped\"", "reason=\"unsupported\"" };
static const char *const refusal_names[REFUSED_COUNT] = { "empty", "repeated", "too_large", "no_space", "stopped", "unsupported" };
static const char *const away_names[AWAY_COUNT] = { "peer_limit", "handshake", "certificate", "idle", "protocol" };
static const char *const answer_labels[] = { "status=\"200\"", "status=\"400\"", "status=\"413\"", "status=\"503\"",
                                             "status=\"other\"" };

/* What of a card becomes a metric. */
static const struct {
    const char *name, *help;
    size_t      at;
    bool        gauge;
} card_metrics[] = {
    { "saqshy_ingest_read_total", "lines and records taken in", offsetof(struct card, read), false },
    { "saqshy_ingest_events_total", "lines and records on disk in the journal", offsetof(struct card, stored), false },
    { "saqshy_ingest_bytes_total", "original bytes of stored events", offsetof(struct card, bytes), false },
    { "saqshy_ingest_connections", "open connections", offsetof(struct card, connections), true },
    { "saqshy_ingest_udp_kernel_drops_total", "datagrams that the kernel dropped before we could read them",
      offsetof(struct card, kernel_drops), false },
};

void counters_init(struct counters *c)
{
    struct metrics *m = &c->all;

    memset(c, 0, sizeof *c);
    counters_card(c, "own_log");
    for (int i = 0; i < REFUSED_COUNT; i++)
        c->refused[i] = metrics_cell(m, "saqshy_ingest_refused_total", refusal_labels[i], false, "lines and records not stored");
    for (size_t i = 0; i < COUNT(answer_labels); i++)
        c->answered[i] = metrics_cell(m, "saqshy_ingest_requests_total", answer_labels[i], false, "requests by answer");
    c->waiting = metrics_cell(m, "saqshy_ingest_waiting", NULL, true, "read, not yet stored or refused");
    c->queue_bytes = metrics_cell(m, "saqshy_ingest_queue_bytes", NULL, true, "bytes between the listeners and the journal");
    c->unparsed = metrics_cell(m, "saqshy_ingest_unparsed_total", NULL, false, "stored events that no parser understood");
    c->truncated = metrics_cell(m, "saqshy_ingest_truncated_total", NULL, false, "stored pieces of over-long lines and audit events");
    c->poison = metrics_cell(m, "saqshy_ingest_bad_requests_total", NULL, false, "bodies of requests that could not be decoded");
    c->commits = metrics_cell(m, "saqshy_ingest_commits_total", NULL, false, "group commits");
    c->commit_us = metrics_cell(m, "saqshy_ingest_commit_microseconds_total", NULL, false, "time spent in group commits");
    c->commit_last_us = metrics_cell(m, "saqshy_ingest_commit_last_microseconds", NULL, true, "time of the last group commit");
    c->own_lag = metrics_cell(m, "saqshy_ingest_own_log_lag_bytes", NULL, true, "bytes of our own log not yet stored");
}

size_t counters_cards(const struct counters *c) { return __atomic_load_n(&c->cards, __ATOMIC_ACQUIRE); }

struct card *counters_card(struct counters *c, const char *id)
{
    struct card *k;

    for (size_t i = 0; i < c->cards; i++)
        if (strcmp(c->card[i].id, id) == 0)
            return &c->card[i];
    if (c->cards == CARDS_MAX)
        return &c->card[CARDS_MAX - 1];
    k = &c->card[c->cards];
    k->number = (uint16_t)c->cards;
    snprintf(k->id, sizeof k->id, "%s", id);
    snprintf(k->label, sizeof k->label, "listener=\"%.*s\"", LISTEN_ID_MAX, id);
    __atomic_store_n(&c->cards, c->cards + 1, __ATOMIC_RELEASE);
    return k;
}

void counters_answer(struct counters *c, int status)
{
    static const int known[] = { 200, 400, 413, 503 };
    size_t i = 0;

    while (i < COUNT(known) && known[i] != status)
        i++;
    metric_add(c->answered[i], 1);
}

/* balance - waiting is what has been read, less what became of it. Read last, so that nothing seems to vanish. */
static void balance(struct counters *c)
{
    int64_t waiting = 0;
    size_t n = counters_cards(c);

    for (size_t i = 0; i < n; i++)
        waiting -= card_get(&c->card[i].stored);
    for (int i = 0; i < REFUSED_COUNT; i++)
        waiting -= metric_get(c->refused[i]);
    for (size_t i = 0; i < n; i++)
        waiting += card_get(&c->card[i].read);
    metric_set(c->waiting, waiting > 0 ? waiting : 0);
}

int counters_publish(struct counters *c, const char *path, struct err *e)
{
    AUTO_FREE struct metrics *all = malloc(sizeof *all);
    size_t n = counters_cards(c);

    if (!all)
        return err_set(e, -ENOMEM, "no memory for the metrics");
    balance(c);
    /* Cards come while we run, so each file is a list of its own: cells of one name stand together. */
    all->count = 0;
    for (size_t m = 0; m < COUNT(card_metrics); m++)
        for (size_t i = 0; i < n; i++) {
            const int64_t *cell = (const int64_t *)(const void *)((const char *)&c->card[i] + card_metrics[m].at);

            metric_set(metrics_cell(all, card_metrics[m].name, c->card[i].label, card_metrics[m].gauge, card_metrics[m].help), card_get(cell));
        }
    for (size_t i = 0; i < c->all.count; i++) {
        const struct metric *from = &c->all.cell[i];

        metric_set(metrics_cell(all, from->name, from->labels, from->gauge, from->help), metric_get(from));
    }
    return metrics_publish(all, path, e);
}

static void put_named(struct buf *b, const char *title, const char *const *names, const int64_t *cells, int count)
{
    bool begun = false;

    buf_printf(b, ",\"%s\":{", title);
    for (int i = 0; i < count; i++) {
        int64_t n = card_get(&cells[i]);

        if (n)
            buf_printf(b, "%s\"%s\":%lld", begun ? "," : "", names[i], (long long)n);
        begun = begun || n;
    }
    buf_byte(b, '}');
}

void counters_json(const struct card *c, time_ns now, struct buf *b)
{
    time_ns last = card_get(&c->last_event);

    buf_printf(b, "\"connections\":%lld,\"accepted\":%lld,\"slowed\":%lld,\"read\":%lld,\"events\":%lld,\"bytes\":%lld,\"unparsed\":%lld,\"truncated\":%lld,"
               "\"kernel_drops\":%lld,\"rate_min\":%llu",
               (long long)card_get(&c->connections), (long long)card_get(&c->accepted), (long long)card_get(&c->slowed),
               (long long)card_get(&c->read),
               (long long)card_get(&c->stored), (long long)card_get(&c->bytes), (long long)card_get(&c->unparsed),
               (long long)card_get(&c->truncated), (long long)card_get(&c->kernel_drops), (unsigned long long)rate_get(&c->rate, now));
    if (last) {
        buf_str(b, STR(",\"last_event\":\""));
        buf_time(b, last);
        buf_byte(b, '"');
    }
    put_named(b, "refused", refusal_names, c->refused, REFUSED_COUNT);
    put_named(b, "turned_away", away_names, c->away, AWAY_COUNT);
}

void rate_add(struct rate *r, uint64_t n, time_ns at)
{
    int64_t minute = at / NS_PER_MINUTE;

    if (minute != r->minute) {
        r->before = minute == r->minute + 1 ? r->now : 0;
        r->now = 0;
        r->minute = minute;
    }
    r->now += n;
}

uint64_t rate_get(const struct rate *r, time_ns at)
{
    int64_t minute = at / NS_PER_MINUTE;
    time_ns into = at % NS_PER_MINUTE;
    uint64_t now = minute == r->minute ? r->now : 0;
    uint64_t before = minute == r->minute ? r->before : minute == r->minute + 1 ? r->now : 0;

    return now + (uint64_t)((double)before * (double)(NS_PER_MINUTE - into) / (double)NS_PER_MINUTE);
}
