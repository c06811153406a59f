/* test_structured.c - lines of structured forms as whole events: CEF, LEEF, W3C, Windows. */
#include "parse/forms.h"
#include "parse/internal.h"
#include "parse/test_lines.h"

static const struct line_row cef_rows[] = {
    { "CEF behind a syslog header",
      "<134>Mar 19 08:05:09 gw1 CEF:0|Acme|WebGate|5.1|200|Login failed|6|src=203.0.113.8 spt=4711 dst=10.0.0.1 dpt=443 proto=TCP "
      "suser=ann duser=root rt=1773900309123 act=blocked cs1Label=Rule Name cs1=web in request=https://x.example/?a=1&b=2 "
      "msg=bad password x=1",
      "cef/ok\nhost.name=gw1\n@timestamp=2026-03-19T06:05:09.123Z\nobserver.vendor=Acme\nobserver.product=WebGate\n"
      "observer.version=5.1\nevent.code=200\nevent.severity=6\nsource.ip=203.0.113.8\nsource.port=4711\ndestination.ip=10.0.0.1\n"
      "destination.port=443\nnetwork.transport=tcp\nsource.user.name=ann\nuser.name=ann\ndestination.user.name=root\n"
      "event.action=blocked\ncef.extensions.rule_name=web in\n!cef.extensions.cs1\n!cef.extensions.cs1Label\n"
      "url.original=https://x.example/?a=1&b=2\nmessage=bad password\ncef.extensions.x=1\nlog.syslog.facility.name=local0" },
    { "CEF that is a tag with a blank behind it",
      "Mar 19 08:05:09 gw1 CEF: 0|Acme|NGFW Firewall|5.1|7|Denied|High|src=203.0.113.8", "cef/ok\nhost.name=gw1\n"
      "source.ip=203.0.113.8\nevent.severity=8\nmessage=Denied\nsaqshy.class=fw\nsaqshy.types=FW-02" },
    { "CEF without any header", "CEF:0|A|B|1|2|name|3|end=Mar 19 2026 08:05:09 duser=bob",
      "cef/ok\nuser.name=bob\nmessage=name\nevent.end=2026-03-19T08:05:09Z" },
    { "CEF: a hash by its length, a key without a place", "CEF:0|A|B|1|2|n|3|fileHash=0123456789abcdef0123456789abcdef sproc=a.exe",
      "cef/ok\nfile.hash.md5=0123456789abcdef0123456789abcdef\ncef.extensions.sproc=a.exe" },
    { "LEEF", "<13>1 2026-03-19T08:05:09Z gw2 - - - - LEEF:1.0|Acme|IDS|2|scan|src=203.0.113.8\tdstPort=22\tusrName=ann\tsev=5\tmine=x",
      "leef/ok\nhost.name=gw2\nevent.code=scan\nsource.ip=203.0.113.8\ndestination.port=22\nuser.name=ann\nevent.severity=5\nleef.mine=x\n"
      "observer.product=IDS" },
};

static const struct line_row windows_rows[] = {
    { "R-A4.9-01: SQL Server: a login that failed; the address is the last one told",
      "<Event><System><Provider Name='MSSQLSERVER'/><EventID>18456</EventID><Level>0</Level><TimeCreated SystemTime='2026-03-19T08:05:09Z'/>"
      "<Channel>Application</Channel><Computer>db1</Computer></System><EventData><Data>x' [CLIENT: 198.51.100.1]</Data><Data> Reason: Password did "
      "not match that for the login provided.</Data><Data> [CLIENT: 203.0.113.8]</Data></EventData></Event>",
      "windows/ok\nuser.name=x' [CLIENT: 198.51.100.1]\nsource.ip=203.0.113.8\nevent.outcome=failure\nevent.category=database\n"
      "event.category=authentication\nevent.action=database-login\nevent.reason=Password did not match that for the login provided.\nsaqshy.class=db\nsaqshy.types=DB-01" },
    { "R-A4.9-03: SQL Server: an audit event; a statement that brings lines of its own",
      "<Event><System><Provider Name='MSSQL$SHOP$AUDIT'/><EventID>33205</EventID><TimeCreated SystemTime='2026-03-19T08:05:10Z'/><Channel>Security</Channel>"
      "</System><EventData><Data>audit_schema_version:1\nevent_time:2026-03-19 08:05:10.1\naction_id:G   \nsucceeded:true\nsession_id:57\nclient_ip:192.0.2.7\n"
      "server_principal_name:SHOP\\ann\ndatabase_name:shop\nobject_name:orders\nstatement:GRANT SELECT ON orders TO bob\nclient_ip:198.51.100.1\n"
      "additional_information:x\n-- end\nadditional_information:\napplication_name:y</Data></EventData></Event>",
      "windows/ok\nuser.name=SHOP\\ann\nsource.ip=192.0.2.7\nmssql.audit.database=shop\nmssql.audit.object=orders\nevent.action=grant\nevent.category=database\nevent.category=iam\n"
      "event.outcome=success\nmssql.audit.action=G\n!client_ip\nsaqshy.types=DB-03" },
    { "SQL Server: any other event", "{\"winlog\":{\"channel\":\"Application\",\"event_id\":17137,\"provider_name\":\"MSSQLSERVER\",\"event_data\":{\"param1\":\"shop\"}}}",
      "windows/ok\nevent.category=database\nsaqshy.class=db\n!user.name" },
    { "a network logon as XML",
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' "
      "Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/><EventID>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task>"
      "<Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-03-19T08:05:09.1234567Z'/>"
      "<EventRecordID>77</EventRecordID><Channel>Security</Channel><Computer>dc1.corp.example</Computer><Security/></System><EventData>"
      "<Data Name='SubjectUserName'>-</Data><Data Name='TargetUserSid'>S-1-5-21-1-2-3-1104</Data><Data Name='TargetUserName'>ann</Data>"
      "<Data Name='TargetDomainName'>CORP</Data><Data Name='LogonType'>3</Data><Data Name='IpAddress'>10.0.0.7</Data>"
      "<Data Name='IpPort'>50123</Data></EventData><RenderingInfo Culture='ru-RU'><Message>\xD0\x92\xD1\x85\xD0\xBE\xD0\xB4</Message>"
      "<Task>Logon</Task></RenderingInfo></Event>",
      "windows/ok\n@timestamp=2026-03-19T08:05:09.123456700Z\nevent.code=4624\nevent.action=logged-in\nevent.category=authentication\n"
      "event.type=start\nevent.outcome=success\nhost.name=dc1.corp.example\nuser.name=ann\nuser.domain=CORP\nuser.id=S-1-5-21-1-2-3-1104\n"
      "source.ip=10.0.0.7\nsource.port=50123\nwinlog.channel=Security\nwinlog.event_data.LogonType=3\nwinlog.logon.type=Network\n"
      "message=\xD0\x92\xD1\x85\xD0\xBE\xD0\xB4\nwinlog.task=Logon\nsaqshy.class=os-windows\nsaqshy.types=OS-04\nsaqshy.types=WIN-02\n"
      "related.user=ann" },
    { "R-A4.4-03: an administrator's share", "{\"EventID\":5140,\"Channel\":\"Security\",\"ShareName\":\"\\\\\\\\*\\\\ADMIN$\","
      "\"SubjectUserName\":\"ann\",\"IpAddress\":\"::ffff:10.0.0.9\",\"Keywords\":\"0x8020000000000000\",\"Hostname\":\"fs1\"}",
      "windows/ok\nevent.action=network-share-object-accessed\nsource.ip=10.0.0.9\nhost.name=fs1\nuser.name=ann\nsaqshy.types=OS-02\n"
      "saqshy.types=WIN-03\nwinlog.event_data.ShareName=\\\\*\\ADMIN$" },
    { "R-A4.4-05: a dangerous process, Sysmon", "{\"winlog\":{\"channel\":\"Microsoft-Windows-Sysmon/Operational\",\"event_id\":1,"
      "\"computer_name\":\"pc1\",\"event_data\":{\"Image\":\"C:\\\\t\\\\PSEXESVC.exe\",\"ProcessId\":\"10\",\"User\":\"CORP\\\\bob\",\"CommandLine\":"
      "\"\\\"C:\\\\t\\\\PSEXESVC.exe\\\" -k a\",\"Hashes\":\"MD5=AA,SHA256=BB\"}}}",
      "windows/ok\nprocess.name=PSEXESVC.exe\nprocess.executable=C:\\t\\PSEXESVC.exe\nprocess.pid=10\nuser.name=bob\nuser.domain=CORP\n"
      "process.args=C:\\t\\PSEXESVC.exe\nprocess.args=-k\nprocess.args=a\nprocess.hash.md5=AA\nprocess.hash.sha256=BB\n"
      "event.category=process\nsaqshy.types=OS-13\nsaqshy.types=WIN-05" },
    { "R-A4.4-06: a service is installed", "<Event><System><Provider Name='Service Control Manager'/><EventID Qualifiers='16384'>7045</EventID>"
      "<Level>4</Level><TimeCreated SystemTime='2026-03-19T08:05:09Z'/><Channel>System</Channel><Computer>pc1</Computer></System><EventData>"
      "<Data Name='ServiceName'>upd</Data><Data Name='ImagePath'>C:\\u.exe</Data></EventData></Event>",
      "windows/ok\nevent.action=service-installed\nservice.name=upd\nsaqshy.types=OS-03\nsaqshy.types=WIN-06" },
    { "R-A4.4-04: data are written to a file", "<Event><System><EventID>4663</EventID><Channel>Security</Channel></System><EventData>"
      "<Data Name='ObjectType'>File</Data><Data Name='ObjectName'>C:\\a\\b.txt</Data><Data Name='AccessMask'>0x2</Data></EventData></Event>",
      "windows/ok\nfile.path=C:\\a\\b.txt\nfile.name=b.txt\nfile.extension=txt\nfile.directory=C:\\a\nsaqshy.types=OS-02\nsaqshy.types=WIN-04" },
    { "R-A4.4-11: the WMI namespace", "<Event><System><EventID>4662</EventID><Channel>Security</Channel></System><EventData>"
      "<Data Name='ObjectServer'>WMI</Data><Data Name='ObjectType'>WMI Namespace</Data></EventData></Event>", "windows/ok\nsaqshy.types=WIN-11" },
    { "Sysmon for Linux, by syslog", "Jun  7 03:36:17 h1 sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>11</EventID><Channel>"
      "Linux-Sysmon/Operational</Channel><Computer>h1</Computer><Security UserId=\"0\"/></System><EventData><Data Name=\"ProcessId\">5697</Data>"
      "<Data Name=\"Image\">/opt/a/bin/agentd</Data><Data Name=\"TargetFilename\">/opt/a/x.tmp</Data><Data Name=\"User\">ann</Data></EventData></Event>",
      "windows/ok\nprocess.name=agentd\nprocess.pid=5697\nfile.path=/opt/a/x.tmp\nuser.name=ann\nuser.id=0\nevent.type=creation\n"
      "saqshy.class=os-unix" },
    { "Snare over syslog",
      "<14>Sep 22 23:07:48 PC1 MSWinEventLog\t1\tSecurity\t34172\tMon Sep 22 23:07:48 2025\t4625\tMicrosoft-Windows-Security-Auditing\tN/A\tN/A\t"
      "Failure Audit\tPC1\tLogon\t\tAn account failed to log on.    Subject:   Security ID:  S-1-5-18   Account Name:  PC1$   Account "
      "Domain:  CORP   Logon ID:  0x3E7    Logon Type:  10    Account For Which Logon Failed:   Security ID:  S-1-0-0   Account Name:  "
      "ann   Account Domain:  CORP    Process Information:   Caller Process ID:  0x8dc   Caller Process Name:  C:\\Windows\\a.exe    Network "
      "Information:   Workstation Name:  PC1   Source Network Address:  192.0.2.7   Source Port:  0    This event.\t23112",
      "snare/ok\n@timestamp=2025-09-22T23:07:48Z\nhost.name=PC1\nevent.code=4625\nevent.action=logon-failed\nevent.outcome=failure\n"
      "user.name=ann\nuser.domain=CORP\nsource.ip=192.0.2.7\nprocess.pid=2268\nprocess.name=a.exe\nwinlog.event_data.SubjectUserName=PC1$\n"
      "winlog.event_data.LogonType=10\nwinlog.logon.type=RemoteInteractive\nwinlog.record_id=23112\nsaqshy.types=OS-04\nsaqshy.types=OS-11" },
};

static const struct line_row w3c_rows[] = {
    { "IIS by default", "2026-03-19 08:05:09 10.0.0.1 GET /a.aspx q=1 443 CORP\\ann 192.0.2.7 Mozilla/5.0+(X11) https://r.example/ 404 0 2 15",
      "w3c/partial\n@timestamp=2026-03-19T08:05:09Z\nhttp.request.method=GET\nurl.path=/a.aspx\nurl.query=q=1\ndestination.ip=10.0.0.1\n"
      "destination.port=443\nuser.name=CORP\\ann\nsource.ip=192.0.2.7\nuser_agent.original=Mozilla/5.0 (X11)\nhttp.response.status_code=404\n"
      "event.outcome=failure\nevent.duration=15000000\nsaqshy.class=app" },
    { "a directive", "#Software: Microsoft Internet Information Services 10.0", "w3c/ok\nw3c.software=Microsoft Internet Information Services 10.0" },
    { "prose behind a date is no W3C", "2026-03-19 08:05:09 service started", "syslog/ok\n!http.request.method" },
};

static void test_cef(void **state)
{
    (void)state;
    assert_true(meanings_sorted());
    lines_check(cef_rows, COUNT(cef_rows), NULL);
}
static void test_windows(void **state)
{
    (void)state;
    lines_check(windows_rows, COUNT(windows_rows), NULL);
}
static void test_w3c(void **state)
{
    (void)state;
    lines_check(w3c_rows, COUNT(w3c_rows), NULL);
}

/* test_w3c_state - the header of a file counts for its later lines, in another batch, and not for other files. */
static void test_w3c_state(void **state)
{
    static const struct line_row head[] = { { "the header", "#Fields: date time c-ip cs-method sc-status", "w3c/ok" } };
    static const struct line_row body[] = { { "a line of a later batch", "2026-03-19 08:05:09 192.0.2.7 GET 200",
                                              "w3c/ok\nsource.ip=192.0.2.7\nhttp.response.status_code=200\nhttp.request.method=GET" },
                                            { "a line that lost its end", "2026-03-19 08:05:09 192.0.2.7 GET", "w3c/partial\nsource.ip=192.0.2.7" } };
    static const struct line_row wall[] = {
        { "the header", "#Fields: date time action protocol src-ip dst-ip src-port dst-port size", "w3c/ok" },
        { "the firewall of Windows speaks local time", "2026-03-19 13:05:09 DROP TCP 192.0.2.7 10.0.0.1 4711 445 60",
          "w3c/ok\n@timestamp=2026-03-19T08:05:09Z\nevent.action=DROP\nevent.type=connection\nevent.type=denied\nsource.port=4711\n"
          "destination.port=445\nsaqshy.types=FW-01" },
    };
    struct parse_hints h = lines_hints();
    struct parse_memory *m;

    (void)state;
    assert_int_equal(parse_memory_new(&m, NULL), 0);
    h.memory = m;
    h.source = STR("web1/u_ex.log");
    lines_check(head, COUNT(head), &h);
    memory_keep(m, h.source, "w3c", STR("date time c-ip cs-method sc-status")); /* lines_check also sent it cut short */
    lines_check(body, COUNT(body), &h);
    h.source = STR("web2/u_ex.log");
    h.zone_min = 300;
    lines_check(wall, 1, &h);
    memory_keep(m, h.source, "w3c", STR("date time action protocol src-ip dst-ip src-port dst-port size"));
    lines_check(wall + 1, 1, &h);
    parse_memory_free(&m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "CEF and LEEF, with and without headers, give ECS names", .test_func = test_cef },
        { .name = "R-A4.4-02 R-A4.4-03 R-A4.4-04 R-A4.4-05 R-A4.4-06 R-A4.4-11: Windows events from XML, JSON and Snare", .test_func = test_windows },
        { .name = "W3C logs of IIS give ECS names", .test_func = test_w3c },
        { .name = "W3C columns of a source outlive the batch that brought them", .test_func = test_w3c_state },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
