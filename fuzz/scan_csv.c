/* scan_csv.c - enemy of scan: any bytes as a table, or a workbook. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "id: t\ntitle: T\ntool: T\nfile: csv\ndetect: [{columns: [A]}]\nreport: {version: before/c1}\n"
    "records:\n  - at: row\n    finding: {title: A, severity: B, cve: '*', port: C, tags: {from: A, split: ','}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return scan_fuzz(yaml, data, size); }
