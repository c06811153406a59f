/* sigma_rules.c - enemy of src/sigma: any bytes as a file of rules; what loads is then run over one event, twice, with its state
 * saved and loaded in between. */
#include "sigma/sigma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct event *ev, struct arena *a)
{
    ev->seq = 1;
    ev->class = CLASS_OS_UNIX;
    ev->parser = STR("sshd");
    ev->original = STR("Failed password for root from 203.0.113.9 port 22 ssh2");
    (void)!event_add(ev, a, STR("a"), STR("xXyz \xd2\x9a" "abc -enc /c 10.0.0.1"));
    (void)!event_add(ev, a, STR("a"), STR("7"));
    (void)!event_add(ev, a, STR("b"), STR("\xff\xfe\x80"));
    (void)!event_add(ev, a, STR("source.ip"), STR("203.0.113.9"));
    (void)!event_add(ev, a, STR("user.name"), STR("root"));
}

static void run(const struct sigma *s)
{
    const struct sigma_match *m;
    struct sigma_run *r = NULL;
    struct event_batch b;
    struct buf saved;
    struct err e;

    event_batch_init(&b, MIB);
    buf_init(&saved, 0);
    fill(event_batch_add(&b), &b.arena);
    if (sigma_run_new(s, true, &r, &e) == 0) {
        (void)!sigma_run_event(r, b.items, true, &m, &e);
        sigma_run_save(r, &saved);
        assert(sigma_run_load(r, buf_view(&saved), &e) == 0);
        b.items[0].seq = 2;
        b.items[0].time = INT64_MAX;
        (void)!sigma_run_event(r, b.items, true, &m, &e);
        b.items[0].seq = 3;
        b.items[0].time = INT64_MIN;
        (void)!sigma_run_event(r, b.items, true, &m, &e);
    }
    sigma_run_free(&r);
    buf_free(&saved);
    event_batch_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigma_source src = { STR("fuzz.yml"), str_of((const char *)data, size) };
    struct sigma *s = NULL;
    struct err e;

    if (sigma_compile(&src, 1, &s, &e) == 0 && sigma_rule_count(s))
        run(s);
    sigma_free(&s);
    return 0;
}
