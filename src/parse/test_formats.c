/* test_formats.c - JSON, key=value and audit records. */
#include "parse/test_lines.h"

static const struct line_row json[] = {
    { "nested, arrays, numbers as text",
      "{\"@timestamp\":\"2026-03-19T08:05:09.5Z\",\"a\":{\"b\":{\"c\":1.50}},\"tags\":[\"x\",\"y\",3],\"ok\":true,"
      "\"no\":null,\"message\":\"hi\"}",
      "json/"
      "ok\n@timestamp=2026-03-19T08:05:09.500Z\na.b.c=1.50\ntags=x\ntags=y\ntags=3\nok=true\n!no\nmessage=hi\nsaqshy."
      "class=app" },
    { "objects within arrays", "{\"l\":[{\"k\":1},{\"k\":2},[{\"k\":3}]]}", "json/ok\nl.k=1\nl.k=2\nl.k=3" },
    { "a name stands twice", "{\"k\":\"a\",\"k\":\"b\"}", "json/ok\nk=a\nk=b" },
    { "escapes", "{\"m\\u0065ssage\":\"tab\\t\\u0441\\u0430\\u049b \\ud83d\\ude00 \\ud800 \\/\"}",
      "json/ok\nmessage=tab\tсақ 😀 \xEF\xBF\xBD /" },
    { "keys of loggers",
      "{\"ts\":1774000000.25,\"level\":\"warn\",\"msg\":\"slow\",\"host\":\"app1\",\"user\":\"ann\",\"src_ip\":\"192.0."
      "2.5\"}",
      "json/"
      "ok\n@timestamp=2026-03-20T09:46:40.250Z\nlog.level=warn\nmessage=slow\nhost.name=app1\nuser.name=ann\nsource.ip="
      "192.0.2.5" },
    { "milliseconds", "{\"timestamp\":1774000000123,\"msg\":\"x\"}", "json/ok\n@timestamp=2026-03-20T09:46:40.123Z" },
    { "an address that is none keeps its name", "{\"src_ip\":\"unknown\",\"x\":1}",
      "json/ok\nsrc_ip=unknown\n!source.ip" },
    { "our own log",
      "{\"@timestamp\":\"2026-03-19T08:05:09Z\",\"log.level\":\"info\",\"event.module\":\"saqshy\",\"process.name\":"
      "\"ingest\",\"process.pid\":12,"
      "\"saqshy.class\":\"app\",\"message\":\"listening\"}",
      "json/ok\nsaqshy.class=app\nprocess.name=ingest\nlog.level=info\nevent.module=saqshy\nmessage=listening" },
    { "our own audit line",
      "{\"@timestamp\":\"2026-03-19T08:05:09Z\",\"log.level\":\"notice\",\"event.module\":\"saqshy\",\"process.name\":"
      "\"desk\",\"saqshy.class\":\"sec\","
      "\"message\":\"signed in\",\"user.name\":\"ann\"}",
      "json/ok\nsaqshy.class=sec\nuser.name=ann\nrelated.user=ann" },
    { "a stranger does not name our members",
      "{\"event.original\":\"lie\",\"saqshy\":{\"object\":\"lie\",\"types\":\"OS-01\"},\"x\":1}",
      "json/ok\njson.event.original=lie\njson.saqshy.object=lie\n!saqshy.types\n!saqshy.object" },
    { "journald's export",
      "{\"__REALTIME_TIMESTAMP\":\"1774000000123456\",\"_HOSTNAME\":\"srv\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":"
      "\"77\",\"_COMM\":\"sshd\","
      "\"MESSAGE\":\"Failed password for root from 203.0.113.8 port 4711 ssh2\"}",
      "sshd/ok\n@timestamp=2026-03-20T09:46:40.123456Z\nhost.name=srv\n"
      "process.name=sshd\nprocess.pid=77\nuser.name=root\nsource.ip=203.0.113.8\nsaqshy.class=os-unix" },
    { "within syslog", "Mar 19 08:05:09 srv app[5]: {\"level\":\"info\",\"message\":\"x\",\"n\":7}",
      "json/ok\nhost.name=srv\nprocess.name=app\nn=7\nmessage=x" },
    { "with the cookie of lumberjack", "Mar 19 08:05:09 srv app: @cee: {\"n\":7}", "json/ok\nn=7" },
    { "cut short", "{\"message\":\"x\",\"n\":7,\"m\":\"", "json/partial\nmessage=x\nn=7" },
    { "something behind", "{\"message\":\"x\"} trailing", "json/partial\nmessage=x" },
    { "no JSON", "{not json}", "raw/failed\nmessage={not json}" },
    { "an empty object", "{}", "json/ok" },
    { "too deep", "{\"a\":1,\"d\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
      "json/partial\na=1" },
};

static const struct line_row kv[] = {
    { "a firewall of Fortinet",
      "date=2026-03-19 time=08:05:09 tz=\"+0500\" devname=\"FGT\" logid=\"0100032002\" srcip=192.0.2.5 srcport=123 "
      "dstip=198.51.100.7 action=\"deny\" "
      "msg=\"said \\\"no\\\"\"",
      "kv/"
      "ok\n@timestamp=2026-03-19T03:05:09Z\nhost.name=FGT\nsource.ip=192.0.2.5\nsource.port=123\ndestination.ip=198.51."
      "100.7\n"
      "event.action=deny\nevent.code=0100032002\nmessage=said \"no\"" },
    { "logfmt", "time=\"2026-03-19T08:05:09Z\" level=error msg=\"could not bind\" addr=:80",
      "kv/ok\n@timestamp=2026-03-19T08:05:09Z\nlog.level=error\nmessage=could not bind\naddr=:80" },
    { "within syslog", "<13>Mar 19 08:05:09 gw fw: a=1 b='two words' c=3",
      "kv/ok\nhost.name=gw\na=1\nb=two words\nc=3" },
    { "bars between them", "time=1774000000.25|hostname=cp1|product=Firewall|action=Drop|src=192.0.2.5|origin=1.1.1.1|",
      "kv/ok\n@timestamp=2026-03-20T09:46:40.250Z\n"
      "host.name=cp1\nsource.ip=192.0.2.5\nevent.action=Drop\nproduct=Firewall" },
    { "prose is none", "Mar 19 08:05:09 h app: set x=1 and go on", "syslog/ok\n!x" },
    { "a quote that never closes", "a=1 b=2 c=\"never", "kv/partial\na=1\nb=2\nc=never" },
};

static const struct line_row audit[] = {
    { "a login fails",
      "type=USER_LOGIN msg=audit(1774000000.415:4063): pid=11998 uid=0 auid=4294967295 ses=4294967295 "
      "subj=system_u:system_r:sshd_t:s0 msg='op=login "
      "acct=28756E6B6E6F776E207573657229 exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.8 terminal=ssh res=failed'",
      "auditd/ok\n@timestamp=2026-03-20T09:46:40.415Z\n"
      "auditd.log.sequence=4063\nauditd.log.record_type=USER_LOGIN\nuser.name=(unknown "
      "user)\nsource.ip=203.0.113.8\nevent.outcome=failure\nevent.action=logged-in\n"
      "process.executable=/usr/sbin/"
      "sshd\nuser.terminal=ssh\nsaqshy.class=os-unix\nsaqshy.types=OS-04\nsaqshy.types=OS-11" },
    { "names added by auditd",
      "type=USER_AUTH msg=audit(1774000000.415:4063): pid=1 uid=0 auid=1000 ses=3 msg='op=PAM:authentication "
      "acct=\"root\" exe=\"/usr/bin/su\" hostname=? "
      "addr=? terminal=pts/0 res=success'\x1dUID=\"root\" AUID=\"alice\"",
      "auditd/ok\nuser.name=root\nuser.audit.name=alice\nuser.audit.id=1000\nevent.outcome=success\n!source.ip" },
    { "a user is made",
      "type=ADD_USER msg=audit(1774000000.415:4063): pid=1264 uid=0 auid=1000 ses=1 msg='op=add-user acct=\"eve\" "
      "exe=\"/usr/sbin/useradd\" hostname=? addr=? "
      "terminal=pts/0 res=success'",
      "auditd/ok\nuser.target.name=eve\n!user.name\nevent.action=added-user-account\nsaqshy.types=OS-06" },
    { "arguments in hex",
      "type=EXECVE msg=audit(1774000000.415:4063): argc=3 a0=\"perl\" a1=\"-e\" a2=7072696E74202231223B",
      "auditd/ok\nprocess.args=perl\nprocess.args=-e\n"
      "process.args=print \"1\";\nprocess.command_line=perl -e print \"1\";\nprocess.args_count=3\nauditd.log.a2=print "
      "\"1\";\nsaqshy.types=OS-13" },
    { "a system call",
      "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes exit=0 a0=5 a1=7 items=2 "
      "ppid=10 pid=11 auid=1000 uid=0 gid=0 euid=0 tty=pts3 "
      "ses=3 comm=\"id\" exe=\"/usr/bin/id\" key=\"rootcmd\"",
      "auditd/ok\nhost.architecture=x86_64\nauditd.log.syscall=59\nauditd.log.syscall_name=execve\nprocess.name=id\n"
      "process.executable=/usr/bin/"
      "id\nprocess.parent.pid=10\nauditd.log.key=rootcmd\nevent.outcome=success\nevent.action=executed\nuser.id="
      "0\nsaqshy.types=OS-13" },
    { "a port is opened",
      "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=49 success=yes exit=0 a0=3 pid=11 uid=0 "
      "comm=\"nc\" exe=\"/usr/bin/nc\" key=(null)",
      "auditd/ok\nevent.action=bound-socket\nsaqshy.types=UX-02\n!auditd.log.key" },
    { "denied by permissions",
      "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=257 success=no exit=-13 pid=11 uid=1000 "
      "comm=\"cat\" exe=\"/usr/bin/cat\"",
      "auditd/ok\nevent.outcome=failure\nprocess.exit_code=-13\nsaqshy.types=OS-02\nsaqshy.types=OS-12" },
    { "an address", "type=SOCKADDR msg=audit(1774000000.415:4063): saddr=02000050CB0071080000000000000000",
      "auditd/ok\nauditd.log.socket.addr=203.0.113.8\nauditd.log.socket.port=80\n"
      "related.ip=203.0.113.8" },
    { "an address of six",
      "type=SOCKADDR msg=audit(1774000000.415:4063): saddr=0A00001600000000"
      "20010DB8000000000000000000000005"
      "00000000",
      "auditd/ok\n"
      "auditd.log.socket.addr=2001:db8::5\nauditd.log.socket.port=22" },
    { "a path",
      "type=PATH msg=audit(1774000000.415:4063): item=0 name=\"/etc/shadow\" inode=40 dev=fd:01 mode=0100640 ouid=0 "
      "ogid=42 nametype=NORMAL",
      "auditd/ok\nfile.path=/etc/shadow\n"
      "file.inode=40\nfile.mode=0100640\nauditd.log.nametype=NORMAL\nsaqshy.types=OS-02" },
    { "a title", "type=PROCTITLE msg=audit(1774000000.415:4063): proctitle=6C73002D6C61",
      "auditd/ok\nprocess.title=ls -la\nprocess.command_line=ls -la" },
    { "SELinux",
      "type=AVC msg=audit(1774000000.147:96): avc:  denied  { getattr } for  pid=2465 comm=\"httpd\" "
      "path=\"/var/www/f\" dev=dm-0 ino=28 scontext=a tcontext=b tclass=file",
      "auditd/ok\nevent.outcome=failure\nauditd.log.permission=getattr\nauditd.log.path=/var/www/"
      "f\nprocess.name=httpd\nsaqshy.types=OS-12" },
    { "AppArmor in the kernel's log",
      "Mar 19 08:05:09 srv kernel: [ 12.5] audit: type=1400 audit(1774000000.080:61207): apparmor=\"DENIED\" "
      "operation=\"open\" profile=\"/usr/sbin/ntpd\" "
      "name=\"/x\" pid=5571 comm=\"ntpd\"",
      "auditd/"
      "ok\nhost.name=srv\nauditd.log.record_type=AVC\nevent.action=violated-apparmor-policy\nevent.outcome=failure\n@"
      "timestamp=2026-03-20T09:46:40.080Z" },
    { "from a node",
      "node=db1.example.org type=SERVICE_STOP msg=audit(1774000000.1:9): pid=1 uid=0 auid=4294967295 ses=4294967295 "
      "msg='unit=auditd comm=\"systemd\" "
      "exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
      "auditd/ok\nhost.name=db1.example.org\nauditd.log.unit=auditd\nevent.action=stopped-service\n"
      "saqshy.types=OS-07\nsaqshy.types=OS-13" },
    { "old and new",
      "type=LOGIN msg=audit(1774000000.1:9): pid=28281 uid=0 old auid=4294967295 new auid=700 old ses=1 new ses=12286",
      "auditd/ok\nauditd.log.old_auid=4294967295\n"
      "auditd.log.new_auid=700\nauditd.log.new_ses=12286" },
    { "a command of sudo",
      "type=USER_CMD msg=audit(1774000000.1:9): pid=4151 uid=1000 auid=1000 ses=1 msg='cwd=\"/\" "
      "cmd=636174202F6574632F736861646F77 terminal=pts/0 res=success'",
      "auditd/ok\nprocess.command_line=cat "
      "/etc/shadow\nprocess.working_directory=/\nevent.action=ran-command\nsaqshy.types=OS-09\nsaqshy.types=OS-13" },
    { "a broken record", "type=USER_LOGIN msg=audit(x", "raw/failed" },
};

static void test_json(void **state)
{
    (void)state;
    lines_check(json, COUNT(json), NULL);
}
static void test_kv(void **state)
{
    (void)state;
    lines_check(kv, COUNT(kv), NULL);
}
static void test_audit(void **state)
{
    (void)state;
    lines_check(audit, COUNT(audit), NULL);
}

static void test_many_fields(void **state)
{
    struct parse_hints h = lines_hints();
    struct event_batch b;
    struct parser *p;
    struct event *ev;
    struct buf s;

    (void)state;
    buf_init(&s, 0);
    buf_byte(&s, '{');
    for (int i = 0; i < 3 * EVENT_FIELDS_MAX; i++)
        buf_printf(&s, "%s\"k%d\":%d", i ? "," : "", i, i);
    buf_byte(&s, '}');
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    event_batch_init(&b, 0);
    ev = event_batch_add(&b);
    parse_line(p, buf_view(&s), &h, &b.arena, ev);
    assert_int_equal(ev->field_count, EVENT_FIELDS_MAX);
    assert_int_equal(ev->parse, EVENT_PARSE_PARTIAL);
    assert_true(str_eq(ev->original, buf_view(&s)));
    event_batch_free(&b);
    parse_free(&p);
    buf_free(&s);
}

/* an arena without room: the line still becomes an event with its original bytes. */
static void test_no_memory(void **state)
{
    struct parse_hints h = lines_hints();
    struct parser *p;
    struct str line = STR("{\"message\":\"x\\n\",\"a\":{\"b\":1}}");

    (void)state;
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    for (size_t limit = 1; limit < 3000; limit += 37) {
        struct event_batch b;
        struct event *ev;

        event_batch_init(&b, limit);
        ev = event_batch_add(&b);
        parse_line(p, line, &h, &b.arena, ev);
        assert_true(str_eq(ev->original, line));
        event_batch_free(&b);
    }
    parse_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "JSON: dotted names, several values, bounded", .test_func = test_json },
        { .name = "key=value with quotes and escapes", .test_func = test_kv },
        { .name = "audit records: hex, addresses, who did what", .test_func = test_audit },
        { .name = "more fields than an event may have: kept in the original, marked partial",
          .test_func = test_many_fields },
        { .name = "without memory the original is still kept", .test_func = test_no_memory },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
