/* agent_state.c - the agent's state and spool from a disk that may hold anything. What is read back is written as it was read. */
#include "agent/internal.h"

static const unsigned char key[32] = { 1 };

static void state(struct str text)
{
    AUTO_BUF struct buf b = { 0 }, again = { 0 };
    struct state s, t;
    struct err e;

    if (state_read(text, &s, &e) < 0)
        return;
    buf_init(&b, 0);
    buf_init(&again, 0);
    state_write(&s, &b);
    assert(!buf_failed(&b) && state_read(buf_view(&b), &t, &e) == 0);
    state_write(&t, &again);
    assert(str_eq(buf_view(&b), buf_view(&again)));
    state_free(&s);
    state_free(&t);
}

/* summed - the text with a right sum at its end, or nothing behind the first line would ever be reached. */
static void summed(struct str text)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 0);
    buf_str(&b, STR("saqshy-agent 1\n"));
    buf_str(&b, text);
    buf_byte(&b, '\n');
    buf_printf(&b, "end %llu\n", (unsigned long long)str_hash(buf_view(&b)));
    state(buf_view(&b));
}

static void spool(struct str bytes)
{
    AUTO_BUF struct buf plain = { 0 }, file = { 0 };
    uint64_t number;
    struct str st, body;
    struct err e;

    buf_init(&plain, 0);
    buf_init(&file, 0);
    (void)!spool_unseal(key, bytes, &plain, &number, &st, &body, &e);
    if (spool_seal(key, bytes.n, bytes, bytes, &file, &e) < 0)
        return;
    assert(spool_unseal(key, buf_view(&file), &plain, &number, &st, &body, &e) == 0);
    assert(number == bytes.n && str_eq(st, bytes) && str_eq(body, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_of((const char *)data, size);
    struct port ports[8];
    uint64_t inodes[8];

    state(bytes);
    summed(bytes);
    spool(bytes);
    (void)ports_parse(bytes, "tcp6", 32768, ports, inodes, 8);
    (void)ports_parse(bytes, "udp", 32768, ports, inodes, 8);
    return 0;
}
