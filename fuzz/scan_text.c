/* scan_text.c - enemy of scan: any bytes as lines of text, with headings and patterns. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "id: t\ntitle: T\ntool: T\nfile: text\ndetect: [{line: x}]\nlines:\n  - {name: top, level: 1, match: '^# (?<n>.*)'}\n  - {name: sub, level: 2, match: '^## (?<n>.*)'}\n"
    "  - {name: hit, match: '^(?<a>\\w+): (?<b>.*)'}\n"
    "records:\n  - at: '**/hit'\n    finding: {title: b, check: a, host: ../n, path: ../../n, cve: ., url: b}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return scan_fuzz(yaml, data, size); }
