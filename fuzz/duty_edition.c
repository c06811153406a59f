/* duty_edition.c - enemy of duty/edition: a small sound edition with one of its six files replaced. The first byte picks
 * the file, '0' to '5'. */
#include "duty/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses two kilobytes over some broken files; such a file is read once, at start. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml\n";
}

#define L(text) "{kk: '" text "', ru: '" text "', en: '" text "'}"

static const char *const sound[EDITION_PARTS] = {
    "id: x\nact: '1'\nadopted: '2018-03-28'\nedition_of: '2025-04-23'\ntitle: " L("t") "\nactors:\n  - {id: sts, name: " L("s") "}\n",
    "terms:\n  - {id: a, kk: a, ru: b, en: c}\n",
    "enumerations:\n  - {id: level, values: [{id: high, number: 4, name: " L("h") "}]}\n",
    "forms:\n  - {id: f, identifier: f, title: " L("f") ", fields: [{id: a, type: enum, presence: required, values: level, label: "
        L("a") "}]}\n",
    "froms:\n  - {id: d, name: " L("d") "}\nobligations:\n  - {id: D-01, paragraph: '1', from: d, amount: 1, unit: hours, "
        "by: [sts], to: [], form: f, chapters: ['2'], fulfilled_by: [done_at], rows: [R-1-01], title: " L("t") ", trigger: " L("t") "}\n",
    "event_types:\n  - {code: OS-01, row: R-A4.1-01, paragraph: '1', class: os, id: a, label: " L("a") "}\nlog_fields:\n  - "
        "{code: OS-F1, row: R-A4.2-01, paragraph: '2', class: os, position: 1, id: a, label: " L("a") "}\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str texts[EDITION_PARTS];
    struct edition *ed;
    struct err e;
    size_t part = size ? (size_t)(data[0] - '0') % EDITION_PARTS : 0;

    for (size_t i = 0; i < EDITION_PARTS; i++)
        texts[i] = str_c(sound[i]);
    if (edition_read(texts, &ed, &e) < 0)
        abort();
    edition_free(&ed);
    if (size)
        texts[part] = str_of((const char *)data + 1, size - 1);
    if (edition_read(texts, &ed, &e) == 0)
        edition_free(&ed);
    return 0;
}
