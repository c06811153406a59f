/* test_join.c - audit records of one event joined: by the promises of join.h, and against what other projects make of real
 * records (../shared/data/logs/auditd, beats; skipped where absent). */
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/join.h"
#include "parse/test_lines.h"

/* feed - lines in; "text|text" of the events that came out, flushed at the end or not. */
static struct str feed(struct join *j, const char *source, const char *lines, bool flush, struct buf *out)
{
    struct str rest = str_c(lines), line;
    struct joined ev;
    uint64_t n = 0;

    buf_reset(out);
    while (str_split(&rest, '\n', &line)) {
        assert_int_equal(join_add(j, str_c(source), line, n++, 0, NULL), 0);
        while (join_next(j, &ev))
            buf_printf(out, "%s%.*s%s", out->n ? "|" : "", STR_ARG(ev.text), ev.split ? " (split)" : "");
    }
    if (flush)
        join_flush(j);
    while (join_next(j, &ev))
        buf_printf(out, "%s%.*s%s", out->n ? "|" : "", STR_ARG(ev.text), ev.split ? " (split)" : "");
    return buf_view(out);
}

#define A(type, id) "type=" type " msg=audit(" id "): x=1"

static const struct {
    const char *name, *in;
    bool flush;
    const char *want;
} rows[] = {
    { "an event ends with its EOE", A("SYSCALL", "1.500:7") "\n" A("PATH", "1.500:7") "\n" A("EOE", "1.500:7"), false,
      A("SYSCALL", "1.500:7") "\n" A("PATH", "1.500:7") "\n" A("EOE", "1.500:7") },
    { "interleaved events are kept apart",
      A("SYSCALL", "1.500:7") "\n" A("SYSCALL", "1.500:8") "\n" A("PATH", "1.500:7") "\n" A("EOE", "1.500:7") "\n" A("EOE", "1.500:8"), false,
      A("SYSCALL", "1.500:7") "\n" A("PATH", "1.500:7") "\n" A("EOE", "1.500:7") "|" A("SYSCALL", "1.500:8") "\n" A("EOE", "1.500:8") },
    { "the same serial at another time is another event", A("SYSCALL", "1.500:7") "\n" A("SYSCALL", "1.501:7"), true,
      A("SYSCALL", "1.500:7") "|" A("SYSCALL", "1.501:7") },
    { "nodes are kept apart", "node=a " A("SYSCALL", "1.500:7") "\nnode=b " A("SYSCALL", "1.500:7") "\nnode=a " A("EOE", "1.500:7"), true,
      "node=a " A("SYSCALL", "1.500:7") "\nnode=a " A("EOE", "1.500:7") "|node=b " A("SYSCALL", "1.500:7") },
    { "a record of a user program waits for nothing", A("USER_LOGIN", "1.500:7") "\n" A("SYSCALL", "1.500:8"), false, A("USER_LOGIN", "1.500:7") },
    { "without EOE: a record two seconds newer ends it", A("SYSCALL", "1.500:7") "\n" A("PROCTITLE", "1.500:7") "\n" A("SYSCALL", "4.000:9"), false,
      A("SYSCALL", "1.500:7") "\n" A("PROCTITLE", "1.500:7") },
    { "relayed records have a header each",
      "<13>Mar 19 08:05:09 h audispd: " A("SYSCALL", "1.500:7") "\n<13>Mar 19 08:05:09 h audispd: " A("EOE", "1.500:7"), false,
      "<13>Mar 19 08:05:09 h audispd: " A("SYSCALL", "1.500:7") "\n<13>Mar 19 08:05:09 h audispd: " A("EOE", "1.500:7") },
};

static void test_rows(void **state)
{
    AUTO_BUF struct buf out = { 0 };

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct join *j;

        assert_int_equal(join_new(&j, NULL), 0);
        if (!str_eq(feed(j, "s", rows[i].in, rows[i].flush, &out), str_c(rows[i].want)))
            fail_msg("row \"%s\":\n%.*s", rows[i].name, STR_ARG(buf_view(&out)));
        join_free(&j);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(join_kind(STR("Mar 19 08:05:09 h sshd[1]: audit(is a word)")), JOIN_NONE);
    assert_int_equal(join_kind(STR("")), JOIN_NONE);
    assert_int_equal(join_kind(STR("type=USER_AUTH msg=audit(1.2:3): pid=1")), JOIN_ALONE);
    assert_int_equal(join_kind(STR("type=1300 msg=audit(1.2:3): arch=1")), JOIN_PART);
    assert_int_equal(join_kind(STR("Mar 19 08:05:09 h kernel: audit: type=1400 audit(1.200:3): apparmor=1")), JOIN_PART);
    assert_int_equal(join_kind(STR("node=h type=EOE msg=audit(1.2:3): ")), JOIN_END);
}

/* test_whole - no line is lost, changed or doubled, whatever the order: 200 events of random length, randomly interleaved. */
static void test_whole(void **state)
{
    uint64_t seed = 42, sum_in = 0, sum_out = 0, events = 0;
    size_t lines_in = 0, lines_out = 0;
    int left[200];
    struct join *j;
    struct joined ev;

    (void)state;
    assert_int_equal(join_new(&j, NULL), 0);
    for (size_t i = 0; i < COUNT(left); i++)
        left[i] = 1 + (int)(i * 7 % 40);
    for (size_t done = 0; done < COUNT(left);) {
        char line[128];
        size_t i;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        i = (size_t)(seed >> 33) % COUNT(left);
        if (left[i] == 0)
            continue;
        left[i]--;
        done += left[i] == 0;
        snprintf(line, sizeof line, "type=%s msg=audit(1000.%03d:%zu): n=%d", left[i] ? "PATH" : "EOE", (int)i, i, left[i]);
        lines_in++;
        sum_in += str_hash(str_c(line));
        assert_int_equal(join_add(j, STR("s"), str_c(line), i, 0, NULL), 0);
        while (join_next(j, &ev)) {
            struct str rest = ev.text, one;

            events++;
            assert_int_equal(ev.records, 1 + ev.first * 7 % 40);
            while (str_split(&rest, '\n', &one)) {
                lines_out++;
                sum_out += str_hash(one);
            }
        }
    }
    assert_int_equal(join_bytes(j), 0);
    assert_int_equal(events, COUNT(left));
    assert_int_equal(lines_in, lines_out);
    assert_true(sum_in == sum_out);
    join_free(&j);
}

/* test_limits - an event larger than an event may be is told as several, marked; open events are bounded, the oldest first. */
static void test_limits(void **state)
{
    static char line[100 * 1024];
    size_t records = 0, events = 0;
    struct join *j;
    struct joined ev;
    int head;

    (void)state;
    assert_int_equal(join_new(&j, NULL), 0);
    head = snprintf(line, sizeof line, "type=EXECVE msg=audit(1000.000:1): a0=");
    memset(line + head, 'x', sizeof line - (size_t)head);
    for (int i = 0; i < 25; i++)
        assert_int_equal(join_add(j, STR("s"), str_of(line, sizeof line), 0, 0, NULL), 0);
    join_flush(j);
    while (join_next(j, &ev)) {
        assert_true(ev.text.n <= EVENT_ORIGINAL_MAX);
        assert_true(ev.split);
        records += ev.records;
        events++;
    }
    assert_int_equal(records, 25);
    assert_int_equal(events, 3);
    for (unsigned i = 0; i < JOIN_EVENTS_MAX + 10; i++) {
        snprintf(line, sizeof line, "type=PATH msg=audit(1000.000:%u): ", i + 2);
        assert_int_equal(join_add(j, STR("s"), str_c(line), i, 0, NULL), 0);
    }
    for (events = 0; join_next(j, &ev); events++) {
        assert_true(ev.early);
        assert_int_equal(ev.first, events);
    }
    assert_int_equal(events, 10);
    join_free(&j);
}

static void test_expire(void **state)
{
    struct join *j;
    struct joined ev;

    (void)state;
    assert_int_equal(join_new(&j, NULL), 0);
    assert_true(join_oldest(j) == INT64_MAX);
    assert_int_equal(join_add(j, STR("s"), STR(A("SYSCALL", "1.5:7")), 0, 10 * NS_PER_SECOND, NULL), 0);
    assert_true(join_oldest(j) == 10 * NS_PER_SECOND);
    join_expire(j, 11 * NS_PER_SECOND);
    assert_false(join_next(j, &ev));
    join_expire(j, 13 * NS_PER_SECOND);
    assert_true(join_next(j, &ev));
    assert_false(ev.early || ev.split);
    join_free(&j);
}

/* --- one event out of several records --- */

static const struct line_row joined_rows[] = {
    { "a command that was run",
      "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes exit=0 a0=55d a1=7ff a2=0 a3=8 items=2 ppid=10 "
      "pid=11 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts3 ses=3 comm=\"wget\" exe=\"/usr/bin/wget\" "
      "key=\"rootcmd\"\ntype=EXECVE msg=audit(1774000000.415:4063): argc=2 a0=\"wget\" a1=687474703A2F2F782F61\n"
      "type=CWD msg=audit(1774000000.415:4063): cwd=\"/root\"\n"
      "type=PATH msg=audit(1774000000.415:4063): item=0 name=\"/usr/bin/wget\" inode=155 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 "
      "nametype=NORMAL\ntype=PATH msg=audit(1774000000.415:4063): item=1 name=\"/lib64/ld.so\" inode=19 mode=0100755 nametype=NORMAL\n"
      "type=PROCTITLE msg=audit(1774000000.415:4063): proctitle=7767657400687474703A2F2F782F61\ntype=EOE msg=audit(1774000000.415:4063): ",
      "auditd/ok\nauditd.log.sequence=4063\nevent.action=executed\nevent.category=process\nevent.type=start\nevent.outcome=success\n"
      "process.name=wget\nprocess.executable=/usr/bin/wget\nprocess.pid=11\nprocess.args=wget\nprocess.args=http://x/a\n"
      "process.command_line=wget http://x/a\nprocess.title=wget http://x/a\nprocess.working_directory=/root\nfile.path=/usr/bin/wget\n"
      "file.inode=155\nauditd.log.name=/usr/bin/wget\nauditd.log.name=/lib64/ld.so\nauditd.log.record_type=SYSCALL\n"
      "auditd.log.record_type=EXECVE\nauditd.log.a0=55d\nauditd.log.a0=wget\nauditd.log.key=rootcmd\nsaqshy.types=OS-13" },
    { "keys of several rules", "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes comm=\"a\" key=6B31016B32",
      "auditd/ok\nauditd.log.key=k1\nauditd.log.key=k2" },
    { "no key", "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes comm=\"a\" key=(null)", "auditd/ok\n!auditd.log.key" },
    { "a file that was removed: the path that went, not the folder",
      "type=SYSCALL msg=audit(1774000000.415:4064): arch=c000003e syscall=263 success=yes exit=0 items=2 pid=11 uid=0 comm=\"rm\" "
      "exe=\"/usr/bin/rm\"\ntype=PATH msg=audit(1774000000.415:4064): item=0 name=\"/etc/\" inode=1 nametype=PARENT\n"
      "type=PATH msg=audit(1774000000.415:4064): item=1 name=\"/etc/secret\" inode=2 nametype=DELETE\n",
      "auditd/ok\nevent.action=deleted\nevent.type=deletion\nfile.path=/etc/secret\nfile.inode=2\nauditd.log.name=/etc/\nsaqshy.types=OS-02" },
    { "an AVC with its call", "type=AVC msg=audit(1774000000.415:4065): apparmor=\"DENIED\" operation=\"unlink\" profile=\"p\" name=\"/x\" pid=9 "
      "comm=\"apt-get\" requested_mask=\"d\"\ntype=SYSCALL msg=audit(1774000000.415:4065): arch=c000003e syscall=87 success=no exit=-13 pid=9 "
      "uid=0 comm=\"apt-get\" exe=\"/usr/bin/apt-get\"",
      "auditd/ok\nevent.action=violated-apparmor-policy\nevent.outcome=failure\nevent.category=process\nevent.category=file\n"
      "event.type=denied\nevent.type=deletion\nprocess.executable=/usr/bin/apt-get\nprocess.name=apt-get" },
    { "an address that was connected to, relayed with a header each",
      "<13>Mar 19 08:05:09 h1 audispd: type=SYSCALL msg=audit(1774000000.415:4066): arch=c000003e syscall=42 success=yes exit=0 pid=9 uid=0 "
      "comm=\"nc\" exe=\"/usr/bin/nc\"\n<13>Mar 19 08:05:09 h1 audispd: type=SOCKADDR msg=audit(1774000000.415:4066): "
      "saddr=02000050A9FEA9FE0000000000000000",
      "auditd/ok\nhost.name=h1\nevent.action=connected-to\ndestination.ip=169.254.169.254\ndestination.port=80\nnetwork.direction=egress" },
};

static void test_joined_events(void **state)
{
    (void)state;
    lines_check(joined_rows, COUNT(joined_rows), NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "records are joined by source, node, time and serial, and end with EOE or two seconds later", .test_func = test_rows },
        { .name = "what a line is to its event", .test_func = test_kinds },
        { .name = "every line comes out once, in whatever order 200 events are interleaved", .test_func = test_whole },
        { .name = "an event too large for one goes out as several, marked; open events are bounded", .test_func = test_limits },
        { .name = "an event without an end waits two seconds and no longer", .test_func = test_expire },
        { .name = "R-A4.1-13: joined records give one event with program, arguments, file and address", .test_func = test_joined_events },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
