/* bench_parse.c - how many lines a second of processor time are turned into events.
 *
 *     bench_parse [--seconds N] [--parsers DIR] [FILE…]
 *
 * Without files it parses a mix made here (fixed, no randomness): sshd, sudo, cron, systemd, kernel packets, audit
 * records, JSON, key=value, RFC 5424. With files their lines. --parsers: with products as data (content/parsers). Prints one line
 * a parser and the whole. */
#include "parse/parse.h"
#include "base/file.h"

#include <time.h>

#define BATCH 256

/* cpu_now - processor time of this process: what others do on the machine does not count. */
static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static const char *const mix[] = {
    "Mar 19 08:05:09 srv1 sshd[812]: Failed password for invalid user oracle from 203.0.113.8 port 4711 ssh2",
    "Mar 19 08:05:09 srv1 sshd[813]: Accepted publickey for alice from 192.0.2.9 port 50022 ssh2: ED25519 "
    "SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg",
    "Mar 19 08:05:10 srv1 sshd[812]: Connection closed by authenticating user root 203.0.113.8 port 4711 [preauth]",
    "Mar 19 08:05:10 srv1 sshd[813]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)",
    "Mar 19 08:05:11 srv1 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl "
    "restart nginx",
    "Mar 19 08:05:12 srv1 CRON[977]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "2026-03-19T08:05:13.250481+05:00 srv1 systemd[1]: Started session-42.scope - Session 42 of User alice.",
    "<30>Mar 19 08:05:14 srv1 dnsmasq[551]: query[A] example.org from 10.0.0.7",
    "Mar 19 08:05:15 gw1 kernel: [126140.629122] [UFW BLOCK] IN=eth0 OUT= "
    "MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=203.0.113.8 DST=10.0.0.1 LEN=52 TOS=0x02 "
    "PREC=0x00 TTL=128 ID=9209 DF PROTO=TCP SPT=17833 DPT=22 WINDOW=8192 RES=0x00 SYN URGP=0",
    "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes exit=0 a0=55d a1=7ff a2=0 a3=8 "
    "items=2 ppid=10 pid=11 auid=1000 uid=0 gid=0 euid=0 suid=0 "
    "fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts3 ses=3 comm=\"id\" exe=\"/usr/bin/id\" key=\"rootcmd\"",
    "type=USER_LOGIN msg=audit(1774000000.415:4064): pid=11998 uid=0 auid=4294967295 ses=4294967295 msg='op=login "
    "acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.8 terminal=ssh res=failed'",
    "{\"@timestamp\":\"2026-03-19T08:05:16.5Z\",\"log.level\":\"info\",\"service\":{\"name\":\"pay\",\"version\":\"1."
    "4\"},\"user\":\"ann\",\"message\":\"order 4711 accepted\",\"took_ms\":12}",
    "date=2026-03-19 time=08:05:17 devname=\"FGT\" logid=\"0000000013\" type=\"traffic\" srcip=10.0.0.7 srcport=51234 "
    "dstip=198.51.100.7 dstport=443 action=\"accept\" proto=6 sentbyte=1200",
    "<165>1 2026-03-19T08:05:18.003Z app2.example.org api 77 ID47 [req@32473 id=\"9f3\" ms=\"12\"] request served",
    "Mar 19 08:05:19 srv1 nginx: 192.0.2.9 - - [19/Mar/2026:08:05:19 +0500] \"GET / HTTP/1.1\" 200 612",
    "a line that nobody knows, from a program of one's own",
};

/* Structured forms, one line each; named, because their beginnings say little. */
static const struct {
    const char *name, *line;
} forms[] = {
    { "CEF", "<134>Mar 19 08:05:09 gw1 CEF:0|Acme|WebGate|5.1|200|Login failed|6|src=203.0.113.8 spt=4711 dst=10.0.0.1 dpt=443 proto=TCP "
             "suser=ann rt=1773900309123 act=blocked cs1Label=Rule Name cs1=web in request=https://x.example/?a=1 msg=bad password" },
    { "LEEF", "<13>1 2026-03-19T08:05:09Z gw2 - - - - LEEF:1.0|Acme|IDS|2|scan|src=203.0.113.8\tdst=10.0.0.1\tdstPort=22\tusrName=ann\tsev=5" },
    { "W3C", "2026-03-19 08:05:09 10.0.0.1 GET /a.aspx q=1 443 - 192.0.2.7 Mozilla/5.0+(X11) https://r.example/ 200 0 0 15" },
    { "Windows XML",
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' "
      "Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/><EventID>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task>"
      "<Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-03-19T08:05:09.1234567Z'/>"
      "<EventRecordID>77</EventRecordID><Correlation/><Execution ProcessID='700' ThreadID='9'/><Channel>Security</Channel>"
      "<Computer>dc1.corp.example</Computer><Security/></System><EventData><Data Name='SubjectUserSid'>S-1-5-18</Data>"
      "<Data Name='SubjectUserName'>DC1$</Data><Data Name='SubjectDomainName'>CORP</Data><Data Name='SubjectLogonId'>0x3e7</Data>"
      "<Data Name='TargetUserSid'>S-1-5-21-1-2-3-1104</Data><Data Name='TargetUserName'>ann</Data><Data Name='TargetDomainName'>CORP</Data>"
      "<Data Name='TargetLogonId'>0x8dcdc</Data><Data Name='LogonType'>3</Data><Data Name='LogonProcessName'>Kerberos</Data>"
      "<Data Name='WorkstationName'>-</Data><Data Name='ProcessId'>0x0</Data><Data Name='IpAddress'>10.0.0.7</Data><Data "
      "Name='IpPort'>50123</Data></EventData></Event>" },
    { "Windows JSON",
      "{\"@timestamp\":\"2026-03-19T08:05:09.123Z\",\"winlog\":{\"channel\":\"Security\",\"event_id\":\"4688\",\"computer_name\":\"pc1\","
      "\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"keywords\":[\"Audit Success\"],\"event_data\":{\"SubjectUserName\":\"ann\","
      "\"NewProcessName\":\"C:\\\\Windows\\\\System32\\\\cmd.exe\",\"NewProcessId\":\"0x2bc\",\"ProcessId\":\"0xe74\",\"CommandLine\":\"cmd /c dir\"}}}" },
    { "Snare",
      "<14>Sep 22 23:07:48 PC1 MSWinEventLog\t1\tSecurity\t34172\tMon Sep 22 23:07:48 2025\t4625\tMicrosoft-Windows-Security-Auditing\tN/A\tN/A\t"
      "Failure Audit\tPC1\tLogon\t\tAn account failed to log on.    Subject:   Security ID:  S-1-5-18   Account Name:  PC1$   Account Domain:  "
      "CORP   Logon ID:  0x3E7    Logon Type:  10    Account For Which Logon Failed:   Security ID:  S-1-0-0   Account Name:  ann   Account "
      "Domain:  CORP    Network Information:   Source Network Address:  192.0.2.7   Source Port:  0    This event.\t23112" },
    { "audit, joined",
      "type=SYSCALL msg=audit(1774000000.415:4063): arch=c000003e syscall=59 success=yes exit=0 a0=55d a1=7ff a2=0 a3=8 items=2 ppid=10 pid=11 "
      "auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts3 ses=3 comm=\"wget\" exe=\"/usr/bin/wget\" key=\"rootcmd\"\n"
      "type=EXECVE msg=audit(1774000000.415:4063): argc=2 a0=\"wget\" a1=687474703A2F2F782F61\n"
      "type=CWD msg=audit(1774000000.415:4063): cwd=\"/root\"\n"
      "type=PATH msg=audit(1774000000.415:4063): item=0 name=\"/usr/bin/wget\" inode=155 dev=08:01 mode=0100755 ouid=0 ogid=0 nametype=NORMAL\n"
      "type=PROCTITLE msg=audit(1774000000.415:4063): proctitle=7767657400687474703A2F2F782F61" },
    { "Windows-1251", "Mar 19 08:05:09 srv1 app[7]: \xCE\xF2\xEA\xE0\xE7\xE0\xED\xEE \xE2 \xE4\xEE\xF1\xF2\xF3\xEF\xE5 user ann" },
};

static void measure(const struct parser *p, const char *name, const struct str *lines, size_t count, double seconds)
{
    struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE };
    struct event_batch b;
    time_ns start = cpu_now(), now = start;
    uint64_t events = 0, bytes = 0, fields = 0;

    event_batch_init(&b, 0);
    while ((double)(now - start) < seconds * 1e9) {
        event_batch_reset(&b);
        for (size_t i = 0; i < BATCH; i++) {
            struct str line = lines[events % count];
            struct event *ev = event_batch_add(&b);

            if (!ev)
                abort();
            parse_line(p, line, &h, &b.arena, ev);
            events++;
            bytes += line.n;
            fields += ev->field_count;
        }
        now = cpu_now();
    }
    printf("%-13s %10.0f events/s  %7.1f MB/s  %5.1f fields an event  %6.2f CPU-s/M\n", name,
           (double)events / ((double)(now - start) / 1e9), (double)bytes / 1e6 / ((double)(now - start) / 1e9),
           (double)fields / (double)events, (double)(now - start) / (double)events / 1e3);
    event_batch_free(&b);
}

int main(int argc, char **argv)
{
    static struct str lines[1 << 20];
    size_t count = 0;
    double seconds = 2;
    int first = 1;
    struct parse_options options = { .zone_min = 0 };
    struct parser *p;
    struct err e;

    for (; first + 1 < argc && strncmp(argv[first], "--", 2) == 0; first += 2)
        if (strcmp(argv[first], "--seconds") == 0)
            seconds = strtod(argv[first + 1], NULL);
        else
            options.folders[0] = argv[first + 1];
    if (parse_open(&options, &p, &e) < 0)
        return 1;
    for (int i = first; i < argc; i++) {
        static struct buf file; /* kept: the lines point into it */
        struct str rest, line;
        size_t from = count;

        buf_init(&file, 0);
        if (file_read(argv[i], 64 * MIB, &file, &e) < 0) {
            fprintf(stderr, "bench_parse: %s\n", e.text);
            return 1;
        }
        rest = buf_view(&file);
        while (count < COUNT(lines) && str_split(&rest, '\n', &line))
            if (line.n)
                lines[count++] = line;
        if (count > from)
            measure(p, argv[i], lines + from, count - from, seconds);
    }
    if (first >= argc) {
        for (size_t i = 0; i < COUNT(mix); i++) {
            char name[24];

            lines[count++] = str_c(mix[i]);
            snprintf(name, sizeof name, "%.10s", mix[i] + (mix[i][0] == 'M' ? 16 : 0));
            measure(p, name, lines + i, 1, seconds / 8);
        }
        measure(p, "the mix", lines, count, seconds);
        for (size_t i = 0; i < COUNT(forms); i++) {
            lines[count] = str_c(forms[i].line);
            measure(p, forms[i].name, lines + count, 1, seconds / 4);
        }
    }
    parse_free(&p);
    return 0;
}
