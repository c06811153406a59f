/* scan_xml.c - enemy of scan: any bytes as XML, read in two passes with a table, filters and all text of an element. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "id: t\ntitle: T\ntool: T\nfile: xml\ndetect: [{root: a}]\nreport: {version: \"a/h/r[@k='v']/b\", started: a/@at}\ncontext: {c: '**/c'}\n"
    "tables:\n  k: {at: '**/rule', key: '@id'}\n"
    "records:\n  - at: '**/r'\n    finding:\n      title: \"$k[@id]/name | b[1] | b[last()]\"\n      description: text()\n      host: ../@n\n      tags: \"../b[c='1'][!d]/*/name()\"\n"
    "      cve: '**/cve'\n      cwe: cwe\n      port: ../../p\n      version: /a/h/v\n      evidence: {join: [b, '@*'], with: ', '}\n      seen_at: '@at'\n"
    "covers:\n  - {at: a/h, ran: all, host: '@n', port: p}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return scan_fuzz(yaml, data, size); }
