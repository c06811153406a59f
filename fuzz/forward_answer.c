/* forward_answer.c - what a RELP server and an HTTP server say to us: the first byte says how the rest is cut into pieces. */
#include "forward/otlp_answer.h"
#include "forward/relp_answer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer_reader r = { 0 };
    struct otlp_answer header = { 0 };
    struct str rest = str_of((const char *)data, size), line;
    size_t piece = size ? (size_t)data[0] % 64 + 1 : 1;

    for (size_t at = 1; at < size && r.state != ANSWER_WRONG; at += piece) {
        struct str part = str_of((const char *)data + at, min_size(piece, size - at));
        struct relp_answer a;
        struct err e;

        while (answer_take(&r, &part, &a, &e) == 1) {
            assert(a.command.n < sizeof r.command && a.text.n <= ANSWER_TEXT_MAX);
            assert(answer_code(a.text) >= 0 && answer_code(a.text) <= 999);
        }
    }
    while (str_split(&rest, '\n', &line))
        otlp_answer_header(line, &header);
    assert(header.retry_after_s >= 0 && header.retry_after_s <= RETRY_AFTER_MAX_S);
    return 0;
}
