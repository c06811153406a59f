/* tail.c - the events of the journal that are not in parts yet.
 *
 * The manifest was read first; the writer may since have sealed more and the journal may have been cut. Whoever then reads on from the
 * manifest's number finds a gap: then the manifest is read anew, and only a gap under an unmoved manifest is damage. */
#include "journal/journal.h"
#include "store/internal.h"

/* gap - events are missing: stale, or damage that is counted. */
static int gap(const char *folder, const struct manifest *m, uint64_t *damaged)
{
    if (manifest_moved(folder, m))
        return -ESTALE;
    ++*damaged;
    return 0;
}

int tail_each(const char *store_folder, const char *journal_folder, const struct manifest *m, tail_fn *each, void *arg, uint64_t *damaged,
              struct err *e)
{
    uint64_t end = journal_committed_seq(journal_folder), expected = m->next_seq;
    struct journal_reader *r;
    struct event_batch batch;
    int rc;

    if (end <= expected)
        return 0;
    rc = journal_reader_open(journal_folder, expected, &r, e);
    if (rc < 0)
        return rc;
    event_batch_init(&batch, BLOCK_RAW_MAX);
    while (rc == 0 && expected < end) {
        int n = journal_reader_next(r, &batch, NULL, e);

        if (n == -EBADMSG) {
            uint64_t at = journal_reader_seq(r);

            rc = gap(store_folder, m, damaged);
            if (at <= expected)     /* it does not get past the place */
                break;
            expected = at;
            continue;
        }
        if (n == 0)
            break;
        if (n < 0) {
            rc = manifest_moved(store_folder, m) ? -ESTALE : n;
            break;
        }
        if (batch.items[0].seq > expected)
            rc = gap(store_folder, m, damaged);
        for (size_t i = 0; rc == 0 && i < batch.count && batch.items[i].seq < end; i++)
            rc = each(arg, &batch.items[i]);
        expected = batch.items[batch.count - 1].seq + 1;
    }
    if (rc == 0 && expected < end && manifest_moved(store_folder, m))
        rc = -ESTALE;
    event_batch_free(&batch);
    journal_reader_close(&r);
    return rc;
}
