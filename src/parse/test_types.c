/* test_types.c - the event types of Annex 4 that a line shows: for each its sub-values, by lines as the programs write
 * them. */
#include "parse/test_lines.h"

#define S "Mar 19 08:05:09 srv "

/* has_type - each line, up to a NULL, gives an event of the type; path: the file it came from. */
static void has_type(const char *type, const char *path, const char *const *lines)
{
    struct parse_hints h = lines_hints();
    struct parser *p;

    h.path = str_c(path);
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    for (; *lines; lines++) {
        struct event_batch b;
        struct event *ev;
        struct str v;
        uint32_t at = 0;
        bool found = false;

        event_batch_init(&b, 0);
        ev = event_batch_add(&b);
        parse_line(p, str_c(*lines), &h, &b.arena, ev);
        while (event_values(ev, STR("saqshy.types"), &at, &v))
            found |= str_eq(v, str_c(type));
        CHECK(*lines, found);
        event_batch_free(&b);
    }
    parse_free(&p);
}

#define TYPE_TEST(function, type, ...)                                                                                 \
    static void function(void **state)                                                                                 \
    {                                                                                                                  \
        static const char *const lines[] = { __VA_ARGS__, NULL };                                                      \
                                                                                                                       \
        (void)state;                                                                                                   \
        has_type(type, "", lines);                                                                                     \
    }

TYPE_TEST(power, "OS-01", S "systemd[1]: Startup finished in 2.1s (kernel) + 9.8s (userspace) = 11.9s.",
          S "kernel: [    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)",
          S "systemd-logind[501]: System is powering down.", S "systemd-logind[501]: System is rebooting.",
          "type=SYSTEM_BOOT msg=audit(1774000000.1:5): pid=678 uid=0 auid=4294967295 ses=4294967295 msg=' "
          "comm=\"systemd-update-utmp\" exe=\"/usr/lib/systemd/systemd-update-utmp\" hostname=? addr=? terminal=? "
          "res=success'",
          "type=SYSTEM_SHUTDOWN msg=audit(1774000000.1:9): pid=4440 uid=0 auid=4294967295 ses=4294967295 msg=' "
          "comm=\"systemd-update-utmp\" exe=\"/usr/lib/systemd/systemd-update-utmp\" hostname=? addr=? terminal=? "
          "res=success'")
TYPE_TEST(software, "OS-03", "2026-03-19 08:05:09 install nmap:amd64 <none> 7.93+dfsg1-1",
          "2026-03-19 08:05:09 remove nmap:amd64 7.93+dfsg1-1 <none>", S "yum[5]: Installed: nmap-7.70-5.el8.x86_64",
          S "yum[5]: Erased: nmap-7.70-5.el8.x86_64")
TYPE_TEST(authorisation, "OS-04", S "sshd[812]: Accepted password for alice from 192.0.2.9 port 50022 ssh2",
          S "sshd[812]: Failed password for alice from 192.0.2.9 port 50022 ssh2",
          S "sshd[812]: pam_unix(sshd:session): session closed for user alice",
          S "systemd-logind[5]: New session 42 of user alice.",
          S "systemd-logind[5]: Session 42 logged out. Waiting for processes to exit.",
          S
          "login[77]: pam_unix(login:auth): authentication failure; logname= uid=0 euid=0 tty=/dev/tty1 ruser= rhost=  "
          "user=bob")
TYPE_TEST(configuration, "OS-05", S "systemd[1]: Time has been changed", S "crontab[88]: (alice) REPLACE (alice)",
          S "kernel: [ 12.5] device eth0 entered promiscuous mode",
          "type=KERN_MODULE msg=audit(1774000000.1:5): name=\"mymodule\"")
TYPE_TEST(accounts, "OS-06", S "useradd[6]: new user: name=eve, UID=1005, GID=1005, home=/home/eve, shell=/bin/bash",
          S "userdel[6]: delete user 'eve'", S "usermod[6]: change user 'eve' shell from '/bin/sh' to '/bin/bash'",
          S "groupadd[6]: new group: name=ops, GID=1006",
          S "passwd[6]: pam_unix(passwd:chauthtok): password changed for eve")
TYPE_TEST(protection, "OS-07", S "systemd[1]: Started clamav-daemon.service - Clam AntiVirus userspace daemon.",
          S "systemd[1]: Stopped clamav-daemon.service - Clam AntiVirus userspace daemon.",
          S "systemd[1]: Started suricata.service - Suricata IDS/IDP daemon.",
          S "systemd[1]: Stopped suricata.service - Suricata IDS/IDP daemon.",
          S "rsyslogd: [origin software=\"rsyslogd\" swVersion=\"8.2302.0\" x-pid=\"1\"] start",
          S "rsyslogd: [origin software=\"rsyslogd\" swVersion=\"8.2302.0\" x-pid=\"1\"] exiting on signal 15.",
          S "systemd[1]: Started ufw.service - Uncomplicated firewall.",
          S "systemd[1]: Stopped ufw.service - Uncomplicated firewall.")
TYPE_TEST(settings, "OS-08",
          "type=CONFIG_CHANGE msg=audit(1774000000.1:5): op=set audit_enabled=0 old=1 auid=1000 ses=3 res=1",
          "type=CONFIG_CHANGE msg=audit(1774000000.1:5): op=set audit_enabled=0 old=2 auid=1000 ses=3 res=0")
TYPE_TEST(privileged, "OS-09",
          S "sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/cat /etc/shadow",
          S "su[7]: (to root) alice on pts/1",
          S "sshd[812]: Accepted publickey for root from 192.0.2.9 port 50022 ssh2")
TYPE_TEST(devices, "OS-10", S "kernel: [ 12.5] usb 1-1: New USB device found, idVendor=0951, idProduct=1666",
          S "kernel: [ 92.5] usb 1-1: USB disconnect, device number 4")
TYPE_TEST(user_denied, "OS-11", S "sshd[812]: Failed password for root from 203.0.113.8 port 4711 ssh2",
          S "sshd[812]: User root from 203.0.113.8 not allowed because not listed in AllowUsers",
          S "sudo: tsg : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/ls")
TYPE_TEST(
    resource_denied, "OS-12",
    "type=SYSCALL msg=audit(1774000000.1:5): arch=c000003e syscall=257 success=no exit=-13 pid=11 uid=1000 "
    "comm=\"cat\" exe=\"/usr/bin/cat\"",
    "type=AVC msg=audit(1774000000.1:5): avc:  denied  { write } for  pid=2465 comm=\"httpd\" path=\"/f\" dev=dm-0 "
    "ino=28 scontext=a tcontext=b tclass=file")
TYPE_TEST(processes, "OS-13", S "systemd[1]: Started cron.service - Regular background program processing daemon.",
          S "systemd[1]: Stopped cron.service - Regular background program processing daemon.",
          "type=EXECVE msg=audit(1774000000.1:5): argc=1 a0=\"id\"")
TYPE_TEST(ports, "UX-02", S "sshd[812]: Server listening on 0.0.0.0 port 22.",
          S "systemd[1]: Listening on cups.socket - CUPS Scheduler.",
          "type=SYSCALL msg=audit(1774000000.1:5): arch=c000003e syscall=50 success=yes exit=0 a0=3 pid=11 uid=0 "
          "comm=\"nc\" exe=\"/usr/bin/nc\"")
TYPE_TEST(net_power, "NET-01", "<189>1: Mar 19 08:05:09: %SYS-5-RESTART: System restarted --",
          "<189>2: Mar 19 08:05:09: %SYS-5-RELOAD: Reload requested by admin on vty0")
TYPE_TEST(net_configuration, "NET-02", "<189>3: Mar 19 08:05:09: %SYS-5-CONFIG_I: Configured from console by admin")
TYPE_TEST(net_privileged, "NET-04",
          "<189>4: Mar 19 08:05:09: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: admin] [Source: 192.0.2.3] "
          "[localport: 22]")
TYPE_TEST(
    net_denied, "NET-06",
    "<188>5: Mar 19 08:05:09: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: x] [Source: 192.0.2.3] [localport: 22] "
    "[Reason: Login Authentication Failed]",
    "<188>6: Mar 19 08:05:09: %SYS-5-PRIV_AUTH_FAIL: Authentication to Privilege level 15 failed by admin on vty0")
TYPE_TEST(net_links, "NET-07", "<187>7: Mar 19 08:05:09: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
          "<187>8: Mar 19 08:05:09: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to down",
          "<187>9: Mar 19 08:05:09: %LINK-5-CHANGED: Interface Gi0/1, changed state to administratively down")
TYPE_TEST(
    traffic, "FW-01",
    "Mar 19 08:05:09 gw kernel: [ 1.0] [UFW ALLOW] IN=eth0 OUT= MAC= SRC=203.0.113.8 DST=10.0.0.1 LEN=52 TOS=0x00 "
    "PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=1000 DPT=22 WINDOW=1 RES=0x00 SYN URGP=0",
    "Mar 19 08:05:09 gw kernel: FIREWALL_OUT IN= OUT=eth0 SRC=10.0.0.1 DST=203.0.113.8 LEN=40 TOS=0x00 PREC=0x00 "
    "TTL=64 ID=2 DF PROTO=TCP SPT=46388 DPT=443 WINDOW=1 RES=0x00 ACK URGP=0")

static void main_logs(void **state)
{
    static const char *const text[] = { S "app[1]: anything at all", "not even a header", NULL };
    static const char *const audit[] = { "type=CWD msg=audit(1774000000.1:5): cwd=\"/root\"", NULL };

    (void)state;
    has_type("UX-03", "/var/log/secure", text);
    has_type("UX-03", "/var/log/messages", text);
    has_type("UX-03", "/var/log/audit/audit.log", audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-A4.1-01 start and stop of the system are told as OS-01", .test_func = power },
        { .name = "R-A4.1-03 software installed and removed is told as OS-03", .test_func = software },
        { .name = "R-A4.1-04 login, logout, successful and failed attempts are told as OS-04",
          .test_func = authorisation },
        { .name = "R-A4.1-05 a change of the system's configuration is told as OS-05", .test_func = configuration },
        { .name = "R-A4.1-06 accounts created, deleted and modified are told as OS-06", .test_func = accounts },
        { .name = "R-A4.1-07 protection and logging switched on and off are told as OS-07", .test_func = protection },
        { .name = "R-A4.1-08 a change of protection settings, and an attempt, are told as OS-08",
          .test_func = settings },
        { .name = "R-A4.1-09 use of privileged accounts is told as OS-09", .test_func = privileged },
        { .name = "R-A4.1-10 a device connected and disconnected is told as OS-10", .test_func = devices },
        { .name = "R-A4.1-11 failed and rejected actions of a user are told as OS-11", .test_func = user_denied },
        { .name = "R-A4.1-12 failed and rejected actions on data are told as OS-12", .test_func = resource_denied },
        { .name = "R-A4.1-13 processes started and stopped are told as OS-13", .test_func = processes },
        { .name = "R-A4.3-02 a new port is told as UX-02", .test_func = ports },
        { .name = "R-A4.3-03 every line of the main logs is told as UX-03", .test_func = main_logs },
        { .name = "R-A4.15-01 start and stop of a device are told as NET-01", .test_func = net_power },
        { .name = "R-A4.15-02 a change of a device's configuration is told as NET-02", .test_func = net_configuration },
        { .name = "R-A4.15-04 use of a device's privileged accounts is told as NET-04", .test_func = net_privileged },
        { .name = "R-A4.15-06 failed and rejected actions on a device are told as NET-06", .test_func = net_denied },
        { .name = "R-A4.15-07 links up, down and stopped are told as NET-07", .test_func = net_links },
        { .name = "R-A4.16-01 traffic in and out of a firewall is told as FW-01", .test_func = traffic },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
