/* test_rows.c - rows of Annex 4 whose sub-values are shown by many products: each sub-value by a line as a product writes it. */
#include "base/test.h"
#include "parse/annex4.h"
#include "parse/parse.h"
#include "parse/test_parser.h"

struct line {
    const char *what, *line, *path;
};

/* has_code - each line gives an event of the class that shows the code of Annex 4. */
static void has_code(const char *code, enum event_class class, const struct line *rows, size_t count)
{
    struct parser *p = parser_of_content();
    struct event_batch b;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .path = str_c(rows[i].path) };
        struct event *ev;
        struct str v;
        uint32_t at = 0;
        bool told = false;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(p, str_c(rows[i].line), &h, &b.arena, ev);
        while (event_values(ev, STR("saqshy.types"), &at, &v))
            told = told || str_eq(v, str_c(code));
        if (!told || ev->class != class)
            print_error("%s: parser %.*s, class %s\n", rows[i].what, STR_ARG(ev->parser), event_class_name(ev->class));
        CHECK(rows[i].what, told);
        CHECK(rows[i].what, ev->class == class);
    }
    event_batch_free(&b);
    parse_free(&p);
}

#define ROWS(function, code, class, ...)                                                                               \
    static void function(void **state)                                                                                 \
    {                                                                                                                  \
        static const struct line rows[] = { __VA_ARGS__ };                                                             \
                                                                                                                       \
        (void)state;                                                                                                   \
        has_code(code, class, rows, COUNT(rows));                                                                      \
    }

#define CALL(number, name) "type=SYSCALL msg=audit(1773907509.1:5): arch=c000003e syscall=" number " success=yes exit=3 a0=1 ppid=1 pid=2 auid=1000 uid=0 comm=\"" name "\" exe=\"/usr/bin/" name "\" key=\"docs\""
#define SECURITY(id, data) "<Event><System><Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>" id "</EventID><Channel>Security</Channel><Computer>fs1</Computer></System><EventData>" data "</EventData></Event>"
#define SYSTEM(id, data) "<Event><System><Provider Name='Service Control Manager'/><EventID Qualifiers='49152'>" id "</EventID><Channel>System</Channel><Computer>fs1</Computer></System><EventData>" data "</EventData></Event>"

ROWS(objects_unix, "OS-02", CLASS_OS_UNIX, { "open", CALL("257", "cat"), NULL }, { "save", CALL("77", "vi"), NULL }, { "rename", CALL("82", "mv"), NULL },
     { "delete", CALL("263", "rm"), NULL }, { "create", CALL("85", "touch"), NULL }, { "a folder is created", CALL("83", "mkdir"), NULL },
     { "copy", CALL("326", "cp"), NULL }, { "a path of an event", "type=PATH msg=audit(1773907509.1:5): item=1 name=\"/srv/a\" inode=7 nametype=CREATE", NULL })

ROWS(objects_windows, "OS-02", CLASS_OS_WINDOWS,
     { "open", SECURITY("4663", "<Data Name='ObjectType'>File</Data><Data Name='ObjectName'>C:\\a.txt</Data><Data Name='AccessMask'>0x1</Data>"), NULL },
     { "save", SECURITY("4663", "<Data Name='ObjectType'>File</Data><Data Name='ObjectName'>C:\\a.txt</Data><Data Name='AccessMask'>0x2</Data>"), NULL },
     { "delete", SECURITY("4660", "<Data Name='ObjectServer'>Security</Data>"), NULL })

ROWS(special_privileges, "WIN-01", CLASS_OS_WINDOWS,
     { "4672", SECURITY("4672", "<Data Name='SubjectUserName'>ann</Data><Data Name='PrivilegeList'>SeDebugPrivilege</Data>"), NULL },
     { "4672 in JSON", "{\"EventID\":4672,\"Channel\":\"Security\",\"SubjectUserName\":\"ann\",\"Hostname\":\"fs1\"}", NULL })
ROWS(scheduled_tasks, "WIN-07", CLASS_OS_WINDOWS, { "created", SECURITY("4698", "<Data Name='TaskName'>\\upd</Data>"), NULL },
     { "changed", SECURITY("4702", "<Data Name='TaskName'>\\upd</Data>"), NULL })
ROWS(service_timeout, "WIN-08", CLASS_OS_WINDOWS, { "7009", SYSTEM("7009", "<Data Name='param1'>30000</Data><Data Name='param2'>upd</Data>"), NULL })
ROWS(service_error, "WIN-09", CLASS_OS_WINDOWS, { "7000", SYSTEM("7000", "<Data Name='param1'>upd</Data><Data Name='param2'>%%1053</Data>"), NULL })
ROWS(registry_value, "WIN-10", CLASS_OS_WINDOWS,
     { "4657", SECURITY("4657", "<Data Name='ObjectName'>\\REGISTRY\\MACHINE\\SOFTWARE\\x</Data><Data Name='ObjectValueName'>Run</Data><Data Name='NewValue'>a.exe</Data>"), NULL })

#define PG(class, command, object, text) "2026-03-19 08:05:12.120 UTC [4711] postgres@shop LOG:  AUDIT: SESSION,3,1," class "," command "," object "," text ",<none>"
#define MARIA(operation, rest) "20260319 08:05:11,db1,root,localhost,16,26," operation ",shop," rest
#define MARIA_LOG "/var/lib/mysql/server_audit.log"
ROWS(administrators, "DB-02", CLASS_DB, { "select", PG("READ", "SELECT", "TABLE,public.orders", "select 1"), NULL },
     { "create", PG("DDL", "CREATE TABLE", "TABLE,public.orders", "create table orders()"), NULL }, { "alter", PG("DDL", "ALTER TABLE", "TABLE,public.orders", "alter table orders add a int"), NULL },
     { "drop", PG("DDL", "DROP TABLE", "TABLE,public.orders", "drop table orders"), NULL }, { "truncate", PG("WRITE", "TRUNCATE TABLE", "TABLE,public.orders", "truncate orders"), NULL },
     { "rename", PG("DDL", "ALTER TABLE", "TABLE,public.orders", "alter table orders rename to o"), NULL }, { "insert", PG("WRITE", "INSERT", "TABLE,public.orders", "insert into orders values (1)"), NULL },
     { "update", PG("WRITE", "UPDATE", "TABLE,public.orders", "update orders set a=1"), NULL }, { "delete", PG("WRITE", "DELETE", "TABLE,public.orders", "delete from orders"), NULL },
     { "call", PG("FUNCTION", "CALL", "PROCEDURE,public.pay", "call pay()"), NULL }, { "execute", PG("FUNCTION", "EXECUTE", "FUNCTION,public.pay", "select pay()"), NULL },
     { "lock", PG("MISC", "LOCK TABLE", "TABLE,public.orders", "lock table orders"), NULL },
     { "MariaDB: select", MARIA("READ", "orders,"), MARIA_LOG }, { "MariaDB: insert", MARIA("WRITE", "orders,"), MARIA_LOG }, { "MariaDB: rename", MARIA("RENAME", "orders|shop.o,"), MARIA_LOG },
     { "MariaDB: a statement", MARIA("QUERY", "'lock tables orders write',0"), MARIA_LOG },
     { "Oracle: SYS", "Thu Mar 19 08:05:11 2026 +05:00\nLENGTH : '160'\nACTION :[20] 'select * from orders'\nDATABASE USER:[3] 'SYS'\nPRIVILEGE :[6] 'SYSDBA'\nCLIENT USER:[3] 'ann'\nCLIENT TERMINAL:[5] 'pts/0'\nSTATUS:[1] '0'\nDBID:[10] '1547128812'",
       "/u01/app/oracle/admin/ORCL/adump/orcl_ora_1.aud" },
     { "SQL Server: a setting", "2026-03-19 08:05:12.03 spid51      Configuration option 'xp_cmdshell' changed from 0 to 1. Run the RECONFIGURE statement to install.", NULL })

ROWS(device_accounts, "NET-03", CLASS_NET,
     { "IOS: created", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:ann  logged command:username eve privilege 15 secret *", NULL },
     { "IOS: modified", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:ann  logged command:username eve privilege 1", NULL },
     { "IOS: deleted", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:ann  logged command:no username eve", NULL },
     { "IOS: locked", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %AAA-5-USER_LOCKED: User eve locked out on authentication failure", NULL },
     { "MikroTik: created", "<30>Mar 19 08:05:09 gw1 system,info user eve added by ann", NULL },
     { "MikroTik: deleted", "<30>Mar 19 08:05:09 gw1 system,info user eve removed by ann", NULL },
     { "MikroTik: modified", "<30>Mar 19 08:05:09 gw1 system,info user eve changed by ann", NULL })

ROWS(device_io, "NET-05", CLASS_NET,
     { "connected", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %USBFLASH-5-CHANGE: usbflash0 has been inserted!", NULL },
     { "disconnected", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %USBFLASH-5-CHANGE: usbflash0 has been removed!", NULL },
     { "a module is in", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %OIR-6-INSCARD: Card inserted in slot 2, interfaces administratively shut down", NULL },
     { "a module is out", "<189>29: sw1: Mar 19 08:05:09.123 UTC: %OIR-6-REMCARD: Card removed from slot 2, interfaces disabled", NULL })

ROWS(firewall_events, "FW-02", CLASS_FW,
     { "ASA: a command", "<166>Mar 19 2026 08:05:16 asa1 : %ASA-5-111008: User 'ann' executed the 'write memory' command.", NULL },
     { "ASA: an account", "<166>Mar 19 2026 08:05:17 asa1 : %ASA-5-502101: New user added to local dbase: Uname: eve Priv: 15 Encpass: ****", NULL },
     { "ASA: traffic", "<166>Mar 19 2026 08:05:17 asa1 : %ASA-6-302013: Built inbound TCP connection 7 for outside:203.0.113.8/4711 (203.0.113.8/4711) to inside:192.0.2.7/443 (192.0.2.7/443)", NULL },
     { "ASA: anything else", "<166>Mar 19 2026 08:05:17 asa1 : %ASA-1-105003: (Primary) Monitoring on interface outside waiting", NULL },
     { "FortiGate: an administrator", "<190>date=2026-03-19 time=08:05:09 devname=\"fw1\" devid=\"FG100\" logid=\"0100032001\" type=\"event\" subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Admin login successful\" user=\"ann\" ui=\"https(192.0.2.7)\" action=\"login\" status=\"success\" msg=\"Administrator ann logged in\"", NULL },
     { "Palo Alto: a configuration", "<14>Mar 19 08:05:12 PA-220 1,2026/03/19 08:05:12,012801096514,CONFIG,0,2305,2026/03/19 08:05:12,192.0.2.7,,set,ann,Web,Succeeded, config mgt-config users eve,1234570,0x0", NULL },
     { "a firewall by CEF", "CEF:0|Check Point|VPN-1 & FireWall-1|R81|Log|Log In|5|act=Log In suser=ann src=192.0.2.7", NULL })

#define K8S(verb, resource) "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Request\",\"auditID\":\"57a794de\",\"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/shop/" resource "/app\",\"verb\":\"" verb "\",\"user\":{\"username\":\"ann\"},\"sourceIPs\":[\"192.0.2.7\"],\"objectRef\":{\"resource\":\"" resource "\",\"namespace\":\"shop\",\"name\":\"app\"},\"responseStatus\":{\"code\":200},\"requestReceivedTimestamp\":\"2026-03-19T08:05:09.619910Z\",\"stageTimestamp\":\"2026-03-19T08:05:09.62Z\"}"
#define ONEC(event) "{\"Level\":\"Information\",\"Date\":\"2026-03-19T08:05:10\",\"Event\":\"" event "\",\"EventPresentation\":\"x\",\"UserName\":\"ann\",\"Computer\":\"pc1\"}"
#define WEB(method, path, status) "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"" method " " path " HTTP/1.1\" " status " 12 \"-\" \"-\""
ROWS(application_accounts, "APP-02", CLASS_APP, { "an account is created", ONEC("_$User$_.New"), NULL }, { "an account is modified", ONEC("_$User$_.Update"), NULL },
     { "an account is deleted", ONEC("_$User$_.Delete"), NULL }, { "a principal is created", "Mar 19 08:05:11 kdc1 kadmind[813]: Request: kadm5_create_principal, bob@SHOP.EXAMPLE, success, client=admin/admin@SHOP.EXAMPLE, service=kadmin/admin@SHOP.EXAMPLE, addr=192.0.2.9", NULL },
     { "a principal is moved", "Mar 19 08:05:11 kdc1 kadmind[813]: Request: kadm5_rename_principal, bob@SHOP.EXAMPLE to b@SHOP.EXAMPLE, success, client=admin/admin@SHOP.EXAMPLE, service=kadmin/admin@SHOP.EXAMPLE, addr=192.0.2.9", NULL },
     { "a configuration is created", K8S("create", "configmaps"), NULL }, { "a configuration is modified", K8S("patch", "configmaps"), NULL }, { "a configuration is deleted", K8S("delete", "configmaps"), NULL },
     { "a configuration file is copied", WEB("COPY", "/dav/app.conf", "201"), NULL }, { "a configuration file is moved", WEB("MOVE", "/dav/app.yaml", "201"), NULL },
     { "a configuration file is created", WEB("PUT", "/dav/app.ini", "201"), NULL }, { "a configuration file is deleted", WEB("DELETE", "/dav/app.cfg", "204"), NULL })

ROWS(application_access, "APP-04", CLASS_APP, { "to a share", "Mar 19 08:05:09 fs1 smbd[812]: 192.0.2.7 (192.0.2.7) connect to service docs initially as user ann (uid=1001, gid=1001) (pid 812)", NULL },
     { "to data", ONEC("_$Access$_.Access"), NULL },
     { "to a container", "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Request\",\"auditID\":\"57a794de\",\"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/shop/pods/web-1/exec?command=%2Fbin%2Fsh&stdin=true\",\"verb\":\"create\",\"user\":{\"username\":\"ann\"},\"sourceIPs\":[\"192.0.2.7\"],\"objectRef\":{\"resource\":\"pods\",\"namespace\":\"shop\",\"name\":\"web-1\",\"subresource\":\"exec\"},\"responseStatus\":{\"code\":101},\"requestReceivedTimestamp\":\"2026-03-19T08:05:09.619910Z\",\"stageTimestamp\":\"2026-03-19T08:05:09.62Z\"}", NULL })

#define WAZUH(what, groups, more) "{\"timestamp\":\"2026-03-19T08:05:10.123+0500\",\"rule\":{\"level\":7,\"description\":\"" what "\",\"id\":\"550\",\"firedtimes\":1,\"mail\":false,\"groups\":[" groups "]},\"agent\":{\"id\":\"001\",\"name\":\"srv1\"},\"manager\":{\"name\":\"wz1\"},\"id\":\"1.2\"," more "\"location\":\"x\"}"
#define SYSCHECK(event, path) WAZUH("Integrity", "\"ossec\",\"syscheck\"", "\"syscheck\":{\"path\":\"" path "\",\"mode\":\"realtime\",\"event\":\"" event "\"},")
#define ESET(domain, action) "<14>Mar 19 08:05:10 esmc ERAServer[5032]: {\"event_type\":\"Audit_Event\",\"ipv4\":\"192.0.2.2\",\"hostname\":\"esmc\",\"source_uuid\":\"9416183d\",\"occured\":\"19-Mar-2026 03:05:10\",\"severity\":\"Information\",\"domain\":\"" domain "\",\"action\":\"" action "\",\"target\":\"x\",\"detail\":\"x\",\"user\":\"ann\",\"result\":\"Success\"}"
ROWS(protection_files, "SEC-01", CLASS_SEC, { "a file is created", SYSCHECK("added", "/etc/ssh/sshd_config.d/a.conf"), NULL }, { "a file is changed", SYSCHECK("modified", "/etc/passwd"), NULL },
     { "a file is deleted", SYSCHECK("deleted", "/etc/cron.d/a"), NULL }, { "a program's configuration is changed", SYSCHECK("modified", "C:\\\\app\\\\web.config"), NULL },
     { "an account is created", WAZUH("New user added to the system.", "\"syslog\",\"adduser\"", ""), NULL }, { "an account of its own is created", ESET("Native user", "Create"), NULL },
     { "OSSEC", "<132>Mar 19 08:05:09 wz1 ossec: Alert Level: 7; Rule: 550 - Integrity checksum changed.; Location: srv1->syscheck; classification:  ossec,syscheck,; Integrity checksum changed for: '/etc/passwd'", NULL })
ROWS(protection_configuration, "SEC-03", CLASS_SEC, { "a setting", ESET("Policy", "Modify"), NULL },
     { "Kaspersky: a policy", "<29>1 2026-03-19T08:05:10.123Z ksc1 CEF:0|KasperskyLab|SecurityCenter|13.2.0.1511|KLAUD_EV_OBJECTMODIFIED|Object has been modified|1|rt=1773907510000 dhost=ksc1 duser=ann", NULL },
     { "signatures", "<22>Mar 19 08:05:11 gw freshclam[8]: daily.cld updated (version: 27590, sigs: 2055000, f-level: 90, builder: x)", NULL })
ROWS(protection_accounts, "SEC-04", CLASS_SEC, { "created", WAZUH("New user added to the system.", "\"syslog\",\"adduser\"", ""), NULL },
     { "deleted", WAZUH("Group (or user) deleted from the system.", "\"syslog\",\"adduser\"", ""), NULL }, { "modified", WAZUH("User account changed.", "\"windows\",\"account_changed\"", ""), NULL },
     { "ESET: created", ESET("Native user", "Create"), NULL }, { "ESET: modified", ESET("Native user", "Modify"), NULL }, { "ESET: deleted", ESET("Native user", "Remove"), NULL },
     { "OSSEC", "<132>Mar 19 08:05:09 wz1 ossec: Alert Level: 8; Rule: 5902 - New user added to the system; Location: srv1->/var/log/auth.log; classification:  syslog,adduser,; Mar 19 08:05:09 srv1 useradd[9]: new user: name=eve", NULL })

/* objects - what a record of chapter 2 says under object_name. */
static void object_names(void **state)
{
    static const struct { const char *line, *path, *want; } rows[] = {
        { PG("WRITE", "INSERT", "TABLE,public.orders", "insert into orders values (1)"), NULL, "public.orders" },
        { PG("FUNCTION", "CALL", "PROCEDURE,public.pay", "call pay()"), NULL, "public.pay" },
        { PG("FUNCTION", "EXECUTE", "FUNCTION,public.sum_of", "select sum_of()"), NULL, "public.sum_of" },
        { MARIA("WRITE", "orders,"), MARIA_LOG, "orders" },
        { "<AuditRecord><Audit_Type>4</Audit_Type><Extended_Timestamp>2026-03-19T08:05:10Z</Extended_Timestamp><DB_User>SYS</DB_User><Object_Schema>HR</Object_Schema><Object_Name>EMPLOYEES</Object_Name><Action>17</Action><Returncode>0</Returncode></AuditRecord>", NULL, "EMPLOYEES" },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: SELECT a FROM orders WHERE b = 1", NULL, "orders" },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: insert  into \"shop\".\"Orders\" values (1)", NULL, "shop.Orders" },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: DROP TABLE IF EXISTS public.orders;", NULL, "public.orders" },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: CREATE OR REPLACE FUNCTION pay() RETURNS int", NULL, "pay" },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: call pay(7)", NULL, "pay" },
        { "2026-03-19 08:05:09.003 UTC [71] LOG:  checkpoint starting: time", NULL, "" },
    };
    struct parser *p = parser_of_content();
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .path = str_c(rows[i].path) };
        struct event *ev;
        struct str name;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(p, str_c(rows[i].line), &h, &b.arena, ev);
        assert_int_equal(ev->class, CLASS_DB);
        name = annex4_value(ev, CLASS_DB, 3, 0, &b.arena);
        if (!str_eq(name, str_c(rows[i].want)))
            fail_msg("%s: got \"%.*s\"", rows[i].line, STR_ARG(name));
    }
    event_batch_free(&b);
    parse_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-A4.1-02 objects opened, saved, renamed, deleted, created and copied are told as OS-02, on Unix", .test_func = objects_unix },
        { .name = "R-A4.1-02 objects opened, saved and deleted are told as OS-02, on Windows", .test_func = objects_windows },
        { .name = "R-A4.4-01 special privileges of a new session are told as WIN-01", .test_func = special_privileges },
        { .name = "R-A4.4-07 scheduled tasks created and changed are told as WIN-07", .test_func = scheduled_tasks },
        { .name = "R-A4.4-08 a service's timeout is told as WIN-08", .test_func = service_timeout },
        { .name = "R-A4.4-09 a service's failure is told as WIN-09", .test_func = service_error },
        { .name = "R-A4.4-10 a changed value of the registry is told as WIN-10", .test_func = registry_value },
        { .name = "R-A4.9-02 what administrators of databases do is told as DB-02, action by action", .test_func = administrators },
        { .name = "R-A4.10-05 records of a database name the table, procedure or function where the line does", .test_func = object_names },
        { .name = "R-A4.15-03 local accounts of devices created, deleted and modified are told as NET-03", .test_func = device_accounts },
        { .name = "R-A4.15-05 devices connected to and taken from network equipment are told as NET-05", .test_func = device_io },
        { .name = "R-A4.16-02 every event of a firewall is told as FW-02, of traffic or not", .test_func = firewall_events },
        { .name = "R-A4.22-02 accounts and configuration files of applications created, copied, moved, deleted and modified are told as APP-02", .test_func = application_accounts },
        { .name = "R-A4.22-04 access that users obtain to objects of applications is told as APP-04", .test_func = application_access },
        { .name = "R-A4.28-01 accounts and configuration files created, changed and deleted, as protection tools see it, are told as SEC-01", .test_func = protection_files },
        { .name = "R-A4.28-03 a protection tool's changed configuration is told as SEC-03", .test_func = protection_configuration },
        { .name = "R-A4.28-04 accounts created, deleted and modified, as protection tools see it, are told as SEC-04", .test_func = protection_accounts },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
