/* sigma_condition.c - enemy of conditions and values: the first line is a condition over selections s1, s2, f_x, the rest is a
 * value that stands behind several modifiers and is run over itself. */
#include "sigma/sigma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* quoted - as a YAML text in double quotes; bytes that YAML would refuse become '?'. */
static void quoted(struct buf *b, struct str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\')
            buf_byte(b, '\\');
        buf_byte(b, c < 0x20 || c >= 0x7f ? '?' : (char)c);
    }
    buf_byte(b, '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_of((const char *)data, size), condition = { NULL, 0 };
    struct sigma_source src = { STR("fuzz.yml"), { NULL, 0 } };
    const struct sigma_match *m;
    struct sigma_run *r = NULL;
    struct sigma *s = NULL;
    struct event_batch batch;
    struct buf b;
    struct err e;

    str_split(&value, '\n', &condition);
    buf_init(&b, 16u * MIB);
    buf_str(&b, STR("title: t\nlogsource: {}\ndetection:\n  s1: {a: "));
    quoted(&b, value);
    buf_str(&b, STR("}\n  s2: {a|windash|contains: "));
    quoted(&b, value);
    buf_str(&b, STR("}\n  f_x: {a|re: "));
    quoted(&b, value);
    buf_str(&b, STR("}\n  condition: "));
    quoted(&b, condition);
    buf_byte(&b, '\n');
    src.text = buf_view(&b);
    event_batch_init(&batch, 16u * MIB);
    struct event *ev = event_batch_add(&batch);
    ev->original = value;
    (void)!event_add(ev, &batch.arena, STR("a"), value);
    if (sigma_compile(&src, 1, &s, &e) == 0 && sigma_run_new(s, true, &r, &e) == 0)
        (void)!sigma_run_event(r, ev, true, &m, &e);
    sigma_run_free(&r);
    sigma_free(&s);
    event_batch_free(&batch);
    buf_free(&b);
    return 0;
}
