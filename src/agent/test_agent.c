/* test_agent.c - configuration, state, spool, ports and the OTLP that the agent writes. */
#include "agent/internal.h"
#include "ingest/otlp.h"
#include "base/file.h"
#include "base/test.h"

#include <zstd.h>

static const char good_head[] = "id: a1\nstate: /tmp/x\nserver: {url: \"https://h:4318\", ca: /ca, cert: /c, key: /k}\n";

static const struct {
    const char *name, *more;
    int         rc;
    const char *says;
} configs[] = {
    { "the least", "", 0, "" },
    { "all of it", "inputs: none\nlistening_ports: true\nfiles:\n  - path: /var/log/*.log\n    program: sshd\n", 0, "" },
    { "a stray key", "colour: red\n", -EBADMSG, "colour" },
    { "a wrong input", "inputs: everything\n", -EBADMSG, ":4:9: \"inputs\" must be auto, journald, files or none" },
    { "ports are not a number", "listening_ports: 7\n", -EBADMSG, "true or false" },
    { "files are no text", "files: /var/log\n", -EBADMSG, "must be a list" },
    { "a file is a map", "files:\n  - /var/log/x\n", -EBADMSG, "\"path: PATTERN\" is expected" },
    { "a relative path", "files:\n  - path: log/x\n", -EBADMSG, ":5:5: \"path\" must begin with \"/\"" },
    { "a stray key of a file", "files:\n  - path: /x\n    colour: red\n", -EBADMSG, "colour" },
};

static void a_configuration_is_taken_whole_or_refused_with_its_place(void **state)
{
    char path[] = "/tmp/saqshy-agent-XXXXXX", text[1024];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT(configs); i++) {
        struct agent_config *c = NULL;
        struct err e = { 0 };

        snprintf(text, sizeof text, "%s%s", good_head, configs[i].more);
        assert_int_equal(file_write_atomic(path, str_c(text), 0600, &e), 0);
        CHECK(configs[i].name, agent_config_load(path, &c, &e) == configs[i].rc);
        if (configs[i].rc && !strstr(e.text, configs[i].says))
            fail_msg("row \"%s\": %s", configs[i].name, e.text);
        agent_config_free(&c);
    }
    unlink(path);
}

static void fill(struct state *s)
{
    struct mark a = { 2049, 1311, { 256, 0xfedcba9876543210u }, 4096, false, (char *)"/var/log/auth.log", NULL };
    struct mark b = { 2049, 1312, { 0, 0 }, 0, true, (char *)"/var/log/a b%\xd0\x97\n.log", (char *)"-sshd" };
    struct port p = { "tcp6", "::", 443 }, odd = { "t p", "", 1 };

    s->number = UINT64_MAX;
    assert_int_equal(state_add_mark(s, &a), 0);
    assert_int_equal(state_add_mark(s, &b), 0);
    assert_int_equal(state_add_port(s, &p), 0);
    assert_int_equal(state_add_port(s, &odd), 0);
    s->ports_known = true;
    snprintf(s->cursor, sizeof s->cursor, "s=abc;i=1;b=x y");
}

static void a_state_comes_back_and_any_damage_is_seen(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct state s = { 0 }, t;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    fill(&s);
    state_write(&s, &b);
    assert_int_equal(state_read(buf_view(&b), &t, &e), 0);
    assert_true(t.number == UINT64_MAX && t.ports_known && t.mark_count == 2 && t.port_count == 2);
    assert_string_equal(t.cursor, s.cursor);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(t.marks[i].path, s.marks[i].path);
        assert_string_equal(t.marks[i].program, s.marks[i].program);
        assert_true(t.marks[i].done == s.marks[i].done && t.marks[i].head.hash == s.marks[i].head.hash &&
                    t.marks[i].offset == s.marks[i].offset && t.marks[i].ino == s.marks[i].ino);
    }
    assert_string_equal(t.ports[0].address, "::");
    assert_string_equal(t.ports[1].proto, "t p");
    assert_string_equal(t.ports[1].address, "");
    state_free(&t);
    for (size_t n = 0; n + 1 < b.n; n++)
        assert_int_equal(state_read(str_of(b.p, n), &t, &e), -EBADMSG);
    for (size_t bit = 0; bit < (b.n - 1) * 8; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        if (state_read(buf_view(&b), &t, &e) == 0)
            fail_msg("bit %zu was flipped and nobody saw it", bit);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
    }
    state_free(&s);
}

static void a_spool_comes_back_and_any_damage_is_seen(void **state)
{
    static const unsigned char key[32] = "a key of thirty-two bytes......", other[32] = { 0 };
    AUTO_BUF struct buf file = { 0 }, plain = { 0 };
    struct str st, body;
    uint64_t number;
    struct err e;

    (void)state;
    buf_init(&file, 0), buf_init(&plain, 0);
    assert_int_equal(spool_seal(key, 42, STR("the state"), STR("the body"), &file, &e), 0);
    assert_true(str_find(buf_view(&file), STR("the")) < 0);
    assert_int_equal(spool_unseal(key, buf_view(&file), &plain, &number, &st, &body, &e), 0);
    assert_true(number == 42 && str_eq(st, STR("the state")) && str_eq(body, STR("the body")));
    assert_int_equal(spool_unseal(other, buf_view(&file), &plain, &number, &st, &body, &e), -EBADMSG);
    for (size_t n = 0; n < file.n; n++)
        assert_int_equal(spool_unseal(key, str_of(file.p, n), &plain, &number, &st, &body, &e), -EBADMSG);
    for (size_t bit = 0; bit < file.n * 8; bit++) {
        file.p[bit / 8] = (char)(file.p[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(spool_unseal(key, buf_view(&file), &plain, &number, &st, &body, &e), -EBADMSG);
        file.p[bit / 8] = (char)(file.p[bit / 8] ^ 1 << bit % 8);
    }
}

/* Lines of /proc/net/tcp, tcp6 and udp of Linux 6.1. */
static const struct {
    const char *name, *proto, *line, *address;   /* address NULL: not a port that counts */
    uint16_t    number;
} tables[] = {
    { "tcp listening", "tcp", "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0", "127.0.0.1", 8080 },
    { "tcp established", "tcp", "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0", NULL, 0 },
    { "tcp6 listening", "tcp6", "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0000000000000000 100 0 0 10 0", "::", 22 },
    { "tcp6 loopback", "tcp6", "   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0000000000000000 100 0 0 10 0", "::1", 22 },
    { "udp served", "udp", " 1201: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21 2 0000000000000000 0", "0.0.0.0", 514 },
    { "udp of a client", "udp", " 1201: 00000000:D431 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21 2 0000000000000000 0", NULL, 0 },
    { "the heading", "tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", NULL, 0 },
    { "cut", "tcp", "   0: 0100007F:1F90 00000000:0000 0A", NULL, 0 },
    { "no digits", "tcp", "   0: 010000XF:1F90 00000000:0000 0A 0:0 0:0 0 0 0 12345", NULL, 0 },
    { "empty", "tcp", "", NULL, 0 },
};

static void listening_ports_are_read_from_proc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct port p[2] = { 0 };
        uint64_t inode[2];
        size_t n = ports_parse(str_c(tables[i].line), tables[i].proto, 32768, p, inode, 2);

        CHECK(tables[i].name, n == (tables[i].address != NULL));
        CHECK(tables[i].name, n == 0 || (strcmp(p[0].address, tables[i].address) == 0 && p[0].number == tables[i].number));
    }
}

static int only(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    int *n = arg;

    (void)e;
    assert_true(str_eq(attrs_get(resource, STR("host.name")), STR("srv")));
    assert_true(str_eq(attrs_get(resource, STR("saqshy.zone_min")), STR("300")));
    if (*n == 0) {
        assert_true(str_eq(rec->body, STR("a line")) && rec->time == 0 && rec->observed == 7);
        assert_true(str_eq(attrs_get(&rec->attrs, STR("log.file.path")), STR("/var/log/x")));
        assert_int_equal(rec->attrs.count, 1);
    } else {
        assert_true(str_eq(rec->body, STR("\xff\x00")) && rec->time == 5);
        assert_true(str_eq(attrs_get(&rec->attrs, STR("saqshy.truncated")), STR("true")));
        assert_true(str_eq(attrs_get(&rec->attrs, STR("saqshy.pid")), STR("12")));
    }
    (*n)++;
    return 0;
}

static void a_batch_is_what_the_collector_reads(void **state)
{
    AUTO_BUF struct buf plain = { 0 };
    AUTO_ARENA struct arena a = { 0 };
    struct batch b;
    struct err e;
    int n = 0;
    size_t got;

    (void)state;
    arena_init(&a, 0);
    batch_init(&b);
    batch_add(&b, &(struct record){ .body = STR("a line"), .path = STR("/var/log/x") }, 7);
    batch_add(&b, &(struct record){ .body = STR("\xff\x00"), .unit = STR("sshd"), .pid = STR("12"), .time = 5, .truncated = true }, 7);
    assert_int_equal(batch_close(&b, STR("srv"), STR("a1"), 300, &e), 0);
    buf_init(&plain, MIB);
    got = ZSTD_decompress(buf_room(&plain, 4096), 4096, b.packed.p, b.packed.n);
    assert_false(ZSTD_isError(got));
    assert_int_equal(otlp_decode(str_of(plain.p, got), &a, only, &n, NULL, &e), 0);
    assert_int_equal(n, 2);
    batch_free(&b);
}

/* journald keeps an audit record in parts: the line that auditd would have written can be parsed and joined. */
static void an_audit_record_of_journald_becomes_a_line(void **state)
{
    static const struct { const char *name, *type, *serial, *usec, *message, *want; } rows[] = {
        { "a record", "USER_AUTH", "77", "1774000000415000", "USER_AUTH pid=1 msg='op=login res=failed'",
          "type=USER_AUTH msg=audit(1774000000.415:77): pid=1 msg='op=login res=failed'" },
        { "milliseconds have three digits", "EOE", "1", "1774000000005000", "EOE ", "type=EOE msg=audit(1774000000.005:1): " },
        { "a message that does not begin with the type", "EOE", "1", "1774000000005000", "text", "" },
        { "no serial", "EOE", "", "1774000000005000", "EOE x", "" },
        { "no moment", "EOE", "1", "yesterday", "EOE x", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_ARENA struct arena a = { 0 };

        arena_init(&a, 0);
        CHECK(rows[i].name, str_eq(journald_audit(&a, str_c(rows[i].type), str_c(rows[i].serial), str_c(rows[i].usec), str_c(rows[i].message)),
                                   str_c(rows[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_audit_record_of_journald_becomes_a_line),
        cmocka_unit_test(a_configuration_is_taken_whole_or_refused_with_its_place),
        cmocka_unit_test(a_state_comes_back_and_any_damage_is_seen),
        cmocka_unit_test(a_spool_comes_back_and_any_damage_is_seen),
        cmocka_unit_test(listening_ports_are_read_from_proc),
        cmocka_unit_test(a_batch_is_what_the_collector_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
