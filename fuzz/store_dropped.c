/* store_dropped.c - enemy of the log of removals: any bytes as a line, as it stands and behind a checksum that fits. */
#include "store/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    AUTO_BUF struct buf line;
    struct dropped_row r;

    buf_init(&line, 0);
    (void)dropped_take(text, &r);
    buf_printf(&line, "%016llx ", (unsigned long long)str_hash(text));
    buf_str(&line, text);
    if (dropped_take(buf_view(&line), &r))
        assert(r.d.first_link > 0 && r.d.first_link <= r.d.last_link && store_rule_name(r.d.rule) && strlen(r.chain) == 64);
    return 0;
}
