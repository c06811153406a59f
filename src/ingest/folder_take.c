/* folder_take.c - the worker's side of watched folders: the lines of a part become records; see folder.h. */
#include "ingest/folder.h"
#include "ingest/record.h"
#include "ingest/worker.h"

static int decode_part(struct taking *t, struct str body, struct err *e)
{
    struct folder_note *n = taking_pile(t)->note;
    int rc = 0;

    if (n->question) {
        n->seq = taking_origin(t, str_c(taking_pile(t)->origin));
        return 0;
    }
    while (rc == 0 && body.n >= 4) {
        const unsigned char *b = (const unsigned char *)body.p;
        uint32_t head = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        struct record r = { .text = str_of(body.p + 4, head >> 1), .truncated = head & 1, .path = str_c(n->path), .host = str_c(n->host), .zone_min = EVENT_OFFSET_NONE };

        assert(body.n - 4 >= r.text.n);     /* the reader wrote it */
        rc = take_record(t, &r, e);
        body = str_cut(body, 4 + r.text.n);
    }
    return rc;
}
const struct body_decoder folder_decoder = { "folder", decode_part, NULL };
