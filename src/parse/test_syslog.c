/* test_syslog.c - headers: RFC 3164, RFC 5424 and dialects; times and marks. */
#include "parse/test_lines.h"

static const struct line_row headers[] = {
    { "the plain form", "Mar 19 08:05:09 web1 backupd[812]: nightly run done",
      "syslog/ok\n@timestamp=2026-03-19T08:05:09Z\nhost.name=web1\n"
      "process.name=backupd\nprocess.pid=812\nmessage=nightly run done\nevent.kind=event" },
    { "one-digit day, one blank", "Mar 9 08:05:09 web1 backupd: x",
      "syslog/ok\n@timestamp=2026-03-09T08:05:09Z\nprocess.name=backupd\n!process.pid" },
    { "last year's December", "Dec 31 23:59:59 web1 a: x", "syslog/ok\n@timestamp=2025-12-31T23:59:59Z" },
    { "29 February lies two years back", "Feb 29 10:00:00 web1 a: x", "syslog/ok\n@timestamp=2024-02-29T10:00:00Z" },
    { "a clock some hours ahead stays in this year", "Mar 20 20:00:00 web1 a: x",
      "syslog/ok\n@timestamp=2026-03-20T20:00:00Z\nsaqshy.marks=future" },
    { "PRI", "<38>Mar 19 08:05:09 web1 app[1]: hello",
      "syslog/ok\nlog.syslog.priority=38\nlog.syslog.facility.code=4\n"
      "log.syslog.facility.name=auth\nlog.syslog.severity.code=6\nlog.syslog.severity.name=informational\nhost.name="
      "web1" },
    { "a level behind the pid", "Mar 19 08:05:09 kdc1 ticketd[812](info): AS_REQ", "syslog/ok\nprocess.name=ticketd\nprocess.pid=812\nmessage=AS_REQ" },
    { "what only looks like a level", "Mar 19 08:05:09 kdc1 ticketd[812](no level): x", "syslog/ok\n!process.pid" },
    { "PRI and no time", "<13>app[7]: hello",
      "syslog/ok\nlog.syslog.priority=13\nprocess.name=app\nmessage=hello\nsaqshy.marks=no_time" },
    { "PRI 192 is none", "<192>Mar 19 08:05:09 web1 app[1]: hello", "raw/failed" },
    { "year before", "2025 Nov 13 13:40:01 ether app[1]: x",
      "syslog/ok\n@timestamp=2025-11-13T13:40:01Z\nhost.name=ether" },
    { "year after the day", "Jan 02 2025 03:04:05 gw app: x",
      "syslog/ok\n@timestamp=2025-01-02T03:04:05Z\nhost.name=gw" },
    { "ISO of rsyslog", "2026-03-19T13:05:09.250481+05:00 db2 app[3]: x",
      "syslog/ok\n@timestamp=2026-03-19T08:05:09.250481Z\nhost.name=db2\n"
      "process.pid=3" },
    { "ISO of macOS", "2026-03-19 08:05:09.391078-0700  localhost app[3]: x",
      "syslog/ok\n@timestamp=2026-03-19T15:05:09.391078Z\nhost.name=localhost" },
    { "an application's own line has no host", "2026-03-19 08:05:09,123 ERROR worker failed",
      "syslog/ok\n@timestamp=2026-03-19T08:05:09.123Z\n"
      "!host.name\nmessage=ERROR worker failed" },
    { "the pairs of Check Point are no damaged structured data", "<134>1 2026-03-19T08:05:09Z fw1 CheckPoint 77 - [action:\"Drop\"; src:\"192.0.2.1\"]",
      "syslog/ok\nhost.name=fw1\nprocess.name=CheckPoint\nmessage=[action:\"Drop\"; src:\"192.0.2.1\"]" },
    { "a zone by a name that one place uses", "2026-03-19 11:05:09 MSK started", "syslog/ok\n@timestamp=2026-03-19T08:05:09Z\nmessage=started" },
    { "a zone by name before the year", "Thu Mar 19 11:05:09 MSK 2026 app: x", "syslog/ok\n@timestamp=2026-03-19T08:05:09Z" },
    { "a host that is called like a zone", "Mar 19 08:05:09 MSK app[3]: x", "syslog/ok\n@timestamp=2026-03-19T08:05:09Z\nhost.name=MSK" },
    { "a relay's header before the device's", "<13>Mar 19 08:05:09 relay Mar 19 08:04:58 fw1 app[3]: x",
      "syslog/ok\n@timestamp=2026-03-19T08:04:58Z\nhost.name=fw1\nlog.syslog.hostname=relay\nprocess.name=app" },
    { "an address in brackets", "<13>Mar 19 08:05:09 [10.0.0.143] nss: x", "syslog/ok\nhost.name=10.0.0.143" },
    { "the host of ONTAP", "<13>Mar 19 08:05:09 [node1:ems.x:error]: text", "syslog/ok\nhost.name=node1\nmessage=text" },
    { "an access point of UniFi", "<13>Mar 19 08:05:09 U7PG2,788a2056b182,v4.0.66.10832: logread[5495]: x",
      "syslog/ok\nhost.name=U7PG2\nprocess.name=logread" },
    { "a stamp that touches the host", "<13>Mar 19 08:05:09gw1 event: x", "syslog/ok\n@timestamp=2026-03-19T08:05:09Z\nhost.name=gw1" },
    { "the host twice", "<13>Mar 19 08:05:09 na1: na1: x", "syslog/ok\nhost.name=na1\nmessage=x" },
    { "an uptime instead of a time", "<189>sw1: 00:01:01: %SYS-5-RESTART: x", "cisco/ok\nhost.name=sw1\nsaqshy.marks=no_time\nevent.code=SYS-5-RESTART" },
    { "no host before the tag", "Mar 19 08:05:09 app[3]: x", "syslog/ok\n!host.name\nprocess.name=app\nprocess.pid=3" },
    { "repeated, with host", "Mar 19 08:05:09 web1 last message repeated 3 times",
      "syslog/ok\nhost.name=web1\nmessage=last message repeated 3 times" },
    { "repeated, without host", "Mar 19 08:05:09 last message repeated 3 times",
      "syslog/ok\n!host.name\nmessage=last message repeated 3 times" },
    { "repeated, macOS", "Apr 4 03:39:57 --- last message repeated 1 time ---",
      "syslog/ok\n!host.name\nmessage=--- last message repeated 1 time ---" },
    { "repeated, with the message inside",
      "Mar 19 08:05:09 web1 sshd[9]: message repeated 2 times: [ Failed password for root from 192.0.2.7 port 4 ssh2]",
      "sshd/ok\nsaqshy.repeated=2\nuser.name=root\nsource.ip=192.0.2.7" },
    { "a name with a blank", "Mar 19 08:05:09 mac Google Chrome[85]: x",
      "syslog/ok\nprocess.name=Google Chrome\nprocess.pid=85" },
    { "a pid and no colon", "Mar 19 08:05:09 ftp1 proftpd[25] ftp1 (192.0.2.4[192.0.2.4]): closed",
      "syslog/ok\nprocess.name=proftpd\nprocess.pid=25" },
    { "level of BSD in numbers", "Mar 19 08:05:09 <4.6> pancake sshd[5]: Invalid user x from 192.0.2.4",
      "sshd/ok\nhost.name=pancake\nlog.syslog.priority=38\nsource.ip=192.0.2.4" },
    { "level of BSD in words", "Mar 19 08:05:09 <auth.info> pancake sshd[5]: Invalid user x from 192.0.2.4",
      "sshd/ok\nhost.name=pancake\nlog.syslog.facility.name=auth\n"
      "log.syslog.severity.name=informational" },
    { "Solaris message id", "Mar 19 08:05:09 sun1 named[312]: [ID 295310 daemon.notice] dropped",
      "syslog/ok\nlog.syslog.msgid=295310\nmessage=dropped" },
    { "no header at all", "named[3534]: dropping source port zero packet",
      "syslog/ok\nprocess.name=named\nprocess.pid=3534\nsaqshy.marks=no_time" },
    { "5424 in full",
      "<165>1 2026-03-19T08:05:09.003Z mymachine.example.com evntslog 77 ID47 [exampleSDID@32473 iut=\"3\" "
      "eventSource=\"App\\\"s \\\\ \\]\"]"
      "[other@1 a=\"b\"] \xEF\xBB\xBF"
      "An event",
      "syslog/ok\n@timestamp=2026-03-19T08:05:09.003Z\nhost.name=mymachine.example.com\nprocess.name=evntslog\n"
      "process.pid=77\nlog.syslog.msgid=ID47\nlog.syslog.structured_data.exampleSDID@32473.iut=3\n"
      "log.syslog.structured_data.exampleSDID@32473.eventSource=App\"s \\ "
      "]\nlog.syslog.structured_data.other@1.a=b\nmessage=An event\nlog.syslog.version=1" },
    { "5424 with nothing said", "<34>1 - - - - - - hello",
      "syslog/ok\n!host.name\n!process.name\nmessage=hello\nsaqshy.marks=no_time" },
    { "5424, structured data alone", "<34>1 2026-03-19T08:05:09Z h a - - [x@1 k=\"v\"]",
      "syslog/ok\nlog.syslog.structured_data.x@1.k=v\n!message" },
    { "5424, structured data cut short stays in the message", "<34>1 2026-03-19T08:05:09Z h a - - [x@1 k=\"v",
      "syslog/partial\nmessage=[x@1 k=\"v" },
    { "Cisco access list",
      "Mar 19 16:07:14 cisco2621 %SEC-6-IPACCESSLOGP: list 102 denied tcp 10.0.6.56(3067) -> 172.36.4.7(139), 1 packet",
      "cisco/"
      "ok\nhost.name=cisco2621\nevent.code=SEC-6-IPACCESSLOGP\nsource.ip=10.0.6.56\nsource.port=3067\ndestination.ip="
      "172.36.4.7\n"
      "destination.port=139\nevent.outcome=failure\nsaqshy.class=net\nsaqshy.types=FW-01" },
    { "Cisco with sequence and unset clock",
      "<189>29: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (192.0.2.3)",
      "cisco/ok\nevent.sequence=29\nuser.name=admin\n@timestamp=2026-03-01T18:46:11.123Z\nsaqshy.types=NET-02" },
    { "Cisco link", "<187>44: sw1: Mar 19 01:02:03: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
      "cisco/ok\nhost.name=sw1\nsaqshy.types=NET-07" },
    { "nothing we know", "#Slack:", "raw/failed\nmessage=#Slack:\nsaqshy.marks=no_time\n!event.kind" },
    { "nothing at all", "", "raw/failed" },
};

static void test_headers(void **state)
{
    (void)state;
    lines_check(headers, COUNT(headers), NULL);
}

static void test_zone(void **state)
{
    static const struct line_row rows[] = {
        { "local time of Astana", "Mar 19 08:05:09 web1 a: x", "syslog/ok\n@timestamp=2026-03-19T03:05:09Z" },
        { "its own zone wins", "2026-03-19T08:05:09Z web1 a: x", "syslog/ok\n@timestamp=2026-03-19T08:05:09Z" },
        { "new year comes earlier in the east", "Mar 20 16:59:00 web1 a: x",
          "syslog/ok\n@timestamp=2026-03-20T11:59:00Z\n!saqshy.marks" },
    };
    struct parse_hints h = lines_hints();

    (void)state;
    h.zone_min = 300;
    lines_check(rows, COUNT(rows), &h);
}

static void test_journald(void **state)
{
    static const struct line_row rows[] = {
        { "a message without header", "Accepted password for alice from 192.0.2.9 port 50022 ssh2",
          "sshd/ok\nhost.name=srv7\nprocess.name=sshd-session\n"
          "process.pid=4242\nuser.name=alice\nsource.ip=192.0.2.9\nsource.port=50022\nevent.outcome=success" },
    };
    static const struct line_row forged[] = {
        { "a header within the message of another program is not believed",
          "Mar 19 08:05:09 srv sshd[1]: Accepted password for root from 192.0.2.9 port 50022 ssh2",
          "syslog/ok\nprocess.name=app\nhost.name=srv7\n!user.name" },
    };
    static const struct line_row filed[] = {
        { "a line of a file has its header, whatever the service is called",
          "Mar 19 08:05:09 srv sshd[1]: Accepted password for root from 192.0.2.9 port 50022 ssh2",
          "sshd/ok\nhost.name=srv\nuser.name=root" },
    };
    struct parse_hints h = lines_hints();

    (void)state;
    h.unit = STR("sshd-session");
    h.pid = STR("4242");
    h.host = STR("srv7");
    lines_check(rows, COUNT(rows), &h);
    h.unit = STR("app");
    lines_check(forged, COUNT(forged), &h);
    h.path = STR("/var/log/auth.log");
    lines_check(filed, COUNT(filed), &h);
}

static void test_marks(void **state)
{
    static const struct line_row rows[] = {
        { "binary", "Mar 19 08:05:09 h a: x\x01y", "syslog/ok\nsaqshy.marks=binary" },
        { "not UTF-8", "Mar 19 08:05:09 h a: caf\xe9", "syslog/ok\nsaqshy.marks=not_utf8" },
        { "UTF-8 is no fault", "Mar 19 08:05:09 h a: сақшы", "syslog/ok\n!saqshy.marks\nmessage=сақшы" },
        { "from the future", "2031-01-01T00:00:00Z h a: x",
          "syslog/ok\nsaqshy.marks=future\n@timestamp=2031-01-01T00:00:00Z" },
    };
    size_t n = EVENT_ORIGINAL_MAX + 10;
    char *big = malloc(n);
    struct parse_hints h = lines_hints();
    struct event_batch b;
    struct parser *p;
    struct event *ev;

    (void)state;
    lines_check(rows, COUNT(rows), NULL);
    assert_non_null(big);
    memset(big, 'a', n);
    memcpy(big, "Mar 19 08:05:09 h a: ", 21);
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    event_batch_init(&b, 0);
    ev = event_batch_add(&b);
    parse_line(p, str_of(big, n), &h, &b.arena, ev);
    assert_true(ev->marks & MARK_TRUNCATED);
    assert_int_equal(ev->original.n, EVENT_ORIGINAL_MAX);
    event_batch_free(&b);
    parse_free(&p);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "headers of syslog in the forms of RFC 3164, RFC 5424 and of devices", .test_func = test_headers },
        { .name = "a time without a zone is read in the zone of the receiver", .test_func = test_zone },
        { .name = "a message from journald has no header and is parsed by its program", .test_func = test_journald },
        { .name = "over-long, binary, non-UTF-8 and future lines are kept and marked", .test_func = test_marks },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
