/* store_up.c - see store_up.h. The cursor "index" is the one of the role of that name, so that a daemon that starts later goes on where this ended. */
#include "bin/store_up.h"

int store_up_open(struct store_up *s, const char *data, size_t arena_max, const char *instead, struct err *e)
{
    char folder[4096];
    int rc;

    event_batch_init(&s->taken, arena_max);
    snprintf(s->journal_folder, sizeof s->journal_folder, "%.4000s/journal", data);
    snprintf(folder, sizeof folder, "%.4000s/store", data);
    rc = journal_open(s->journal_folder, 0, &s->journal, e);
    if (rc == -EBUSY)
        return err_set(e, rc, "a saqshyd runs on \"%s\": %s, or stop it first", data, instead);
    if (rc == 0)
        rc = store_open(folder, NULL, &s->store, e);
    return rc == 0 ? journal_reader_open(s->journal_folder, store_next_seq(s->store), &s->reader, e) : rc;
}

int store_up_drain(struct store_up *s, struct err *e)
{
    int n, rc = 0;

    while (rc == 0 && (n = journal_reader_next(s->reader, &s->taken, NULL, e)) != 0)
        rc = n < 0 ? n : store_add(s->store, s->taken.items, s->taken.count, clock_now(), e);
    return rc;
}

int store_up_finish(struct store_up *s, struct err *e)
{
    int rc = store_up_drain(s, e);

    if (rc == 0)
        rc = store_seal(s->store, e);
    if (rc == 0)
        rc = journal_cursor_set(s->journal_folder, "index", store_sealed_seq(s->store), e);
    return rc < 0 ? rc : journal_cut(s->journal_folder, UINT64_MAX, NULL, e);
}

void store_up_close(struct store_up *s)
{
    journal_reader_close(&s->reader);
    store_close(&s->store);
    journal_close(&s->journal);
    event_batch_free(&s->taken);
}
