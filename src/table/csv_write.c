/* csv_write.c - one field of CSV as it goes out. */
#include "table/internal.h"

void csv_out_text(struct buf *b, struct str text, char delimiter)
{
    bool quote = false;

    for (size_t i = 0; i < text.n && !quote; i++)
        quote = text.p[i] == delimiter || text.p[i] == '"' || text.p[i] == '\n' || text.p[i] == '\r' || text.p[i] == ',' || text.p[i] == ';' ||
                text.p[i] == '\t';
    quote = quote || (text.n && (text.p[0] == ' ' || text.p[text.n - 1] == ' '));
    if (quote)
        buf_byte(b, '"');
    /* A spreadsheet reckons with what begins like a formula; behind an apostrophe it stays the text that somebody sent us. */
    if (text_guarded(text))
        buf_byte(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_byte(b, '"');
        buf_byte(b, text.p[i]);
    }
    if (quote)
        buf_byte(b, '"');
}
