/* scan_json.c - enemy of scan: any bytes as JSON, read in two passes with a table, lookups and findings inside of findings. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "id: t\ntitle: T\ntool: {first: [tool/name]}\nfile: json\ndetect: [{keys: [r]}, {item_keys: [id]}]\nreport: {version: tool/v, started: at}\ncontext: {c: host}\n"
    "tables:\n  k: {at: [rules, '**/rule'], key: id, give: {label: {text: '{id}!'}}}\n"
    "records:\n  - at: [r, item, item/r]\n    each: . | v/w\n    finding:\n      title: $k[id | rule]/name | t | $c\n      check: {lookup: k, key: {text: '{id}'}, give: label}\n"
    "      severity: {number: cvss, bands: {0: info, 4: medium, 9: critical}}\n      cve: '**/cve'\n      cwe: cwe\n      references: '*/*'\n      tags: {each: tags, give: {text: '{name()} {index()}'}}\n"
    "      description: {plain: text()}\n      evidence: {base64: b}\n      port: {url: u, give: port}\n      host: {url: u, give: host}\n      seen_at: {time: at}\n      vector: v\n"
    "      solution: {from: t, match: '(a+)+b', give: $1}\n"
    "covers:\n  - {at: r, ran: check, check: id, port: ports}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return scan_fuzz(yaml, data, size); }
