/* parse_encoding.c - enemy of encodings: what comes out of any of them is UTF-8; lines of UTF-16 take every byte once. */
#include "parse/encoding.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct arena a;

    arena_init(&a, 0);
    if (encoding_of(text) != encoding_of(text) || encoding_of_file(text) > ENCODING_UTF16BE)
        abort();
    for (int e = ENCODING_UTF8; e < ENCODING_COUNT; e++) {
        struct str rest = text, line, out = encoding_decode((enum encoding)e, text, &a);
        size_t n = 0, end = e == ENCODING_UTF16LE || e == ENCODING_UTF16BE ? 2 : 1;

        if (out.n && !str_utf8_valid(out))
            abort();
        while (encoding_line((enum encoding)e, &rest, &line))
            n += line.n + end;
        if (n + rest.n != size)
            abort();
    }
    (void)encoding_named(text);
    arena_free(&a);
    return 0;
}
