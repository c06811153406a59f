/* parse_evtx.c - enemy of the reader of event logs: the bytes are a chunk, or a part of one. Every record must end, its text stay in its limit, its pairs
 * be of allowed size and readable to their last byte; the text must be something that the reader of XML takes, and the event one that can be written.
 *
 * What a fuzzer cannot guess are the two sums of a chunk; without them it is read all the same, as one that is damaged. */
#include "parse/evtx.h"
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_record(struct bench *b, const struct evtx_record *r)
{
    struct form_pairs xml;
    struct event *ev = event_batch_add(&b->batch);
    AUTO_BUF struct buf json;

    if (r->xml.n == 0 || r->xml.n > EVTX_TEXT_MAX || r->pairs.count > FORM_FIELDS_MAX || !ev)
        abort();
    buf_init(&json, 0);
    for (uint32_t i = 0; i < r->pairs.count; i++) {
        if (r->pairs.items[i].name.n == 0 || r->pairs.items[i].name.n > EVENT_NAME_MAX)
            abort();
        buf_json(&json, r->pairs.items[i].value);
        buf_reset(&json);
    }
    (void)form_kind_read(form_kind_of(STR("winxml")), r->xml, NULL, &b->batch.arena, &xml);
    parse_evtx(b->parser, r, &b->hints, &b->batch.arena, ev);
    event_json(ev, &json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct evtx_record r;
    size_t records = 0;
    struct evtx *x;
    struct bench b;
    int rc;

    if (evtx_new(&x, NULL) < 0)
        return 0;
    (void)evtx_looks(text);
    (void)evtx_start(text);
    bench_open(&b, STR(""));
    (void)evtx_chunk(x, text);
    while ((rc = evtx_next(x, &r, &(struct err){ 0 })) != 0) {
        if (++records > EVTX_CHUNK_BYTES / 28 || (rc != 1 && rc != -EBADMSG))
            abort();
        event_batch_reset(&b.batch);
        if (rc == 1)
            one_record(&b, &r);
    }
    event_batch_reset(&b.batch); /* the last event borrows from a record that is gone */
    b.work.ev = event_batch_add(&b.batch);
    b.work.ev->original = STR("");
    bench_close(&b);
    evtx_free(&x);
    return 0;
}
