/* tokens.c - any bytes as a file of tokens: names are valid, or nothing is taken. */
#include "ingest/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token rows[TOKENS_MAX];
    struct err e;
    size_t count = 0;
    int rc = tokens_read(str_of((const char *)data, size), rows, &count, &e);

    assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG);
    assert(count <= TOKENS_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++)
        assert(rows[i].name[0] && strlen(rows[i].name) <= LISTEN_ID_MAX && strlen(rows[i].object) < OBJECT_TEXT_MAX);
    return 0;
}
