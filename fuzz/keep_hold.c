/* keep_hold.c - enemy of the files of legal holds: any bytes as a file, as they stand and behind a checksum that fits. */
#include "keep/hold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    AUTO_BUF struct buf file;
    struct hold h;
    struct err e;

    buf_init(&file, 0);
    if (hold_decode(text, &h, &e) == 0)
        json_decref(hold_json(&h, 0));
    buf_printf(&file, "saqshy-hold 1 %016llx\n", (unsigned long long)str_hash(text));
    buf_str(&file, text);
    buf_byte(&file, '\n');
    if (hold_decode(buf_view(&file), &h, &e) == 0)
        json_decref(hold_json(&h, 0));
    return 0;
}
