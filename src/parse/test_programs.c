/* test_programs.c - what programs of Unix say: one row a message. The lines are written after the sources of the
 * programs. */
#include "parse/test_lines.h"

#define H "Mar 19 08:05:09 srv sshd[812]: "

static const struct line_row sshd[] = {
    { "accepted password", H "Accepted password for alice from 192.0.2.9 port 50022 ssh2",
      "sshd/ok\nevent.category=authentication\n"
      "event.category=session\nevent.action=ssh_login\nevent.outcome=success\nuser.name=alice\nsource.ip=192.0.2."
      "9\nsource.port=50022\nsystem.auth.ssh.method=password\n"
      "related.ip=192.0.2.9\nrelated.user=alice\nrelated.hosts=srv\nsaqshy.class=os-unix\nsaqshy.types=OS-04" },
    { "accepted key", H "Accepted publickey for root from 2001:db8::5 port 50022 ssh2: ED25519 SHA256:AbC+d/e",
      "sshd/ok\nuser.name=root\n"
      "source.ip=2001:db8::5\nsystem.auth.ssh.method=publickey\nsystem.auth.ssh.signature=ED25519 "
      "SHA256:AbC+d/e\nsaqshy.types=OS-04\nsaqshy.types=OS-09" },
    { "failed password", H "Failed password for root from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nevent.outcome=failure\nuser.name=root\n"
      "source.ip=203.0.113.8\nsource.port=4711\nsaqshy.types=OS-04\nsaqshy.types=OS-11" },
    { "failed password of nobody", H "Failed password for invalid user oracle from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nuser.name=oracle\n"
      "event.reason=invalid user\nevent.outcome=failure" },
    { "failed keyboard-interactive",
      H "Failed keyboard-interactive/pam for invalid user warez from 192.0.2.1 port 5 ssh2",
      "sshd/ok\n"
      "system.auth.ssh.method=keyboard-interactive/pam\nuser.name=warez" },
    { "a name that lies about the address",
      H "Failed password for invalid user x from 198.51.100.1 port 1 ssh2 from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nsource.ip=203.0.113.8\nuser.name=x from 198.51.100.1 port 1 ssh2" },
    { "an empty name", H "Failed none for invalid user  from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nsource.ip=203.0.113.8\n!user.name" },
    { "a mapped address", H "Failed password for bob from ::ffff:203.0.113.8 port 4711 ssh2",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "a name instead of an address", H "Failed password for bob from gate.example.org port 4711 ssh2",
      "sshd/ok\n!source.ip\nsource.domain=gate.example.org\n"
      "source.address=gate.example.org" },
    { "invalid user", H "Invalid user admin from 203.0.113.8 port 4711",
      "sshd/ok\nuser.name=admin\nsource.ip=203.0.113.8\nsource.port=4711\nevent.outcome=failure" },
    { "invalid user without port", H "Invalid user admin from 203.0.113.8",
      "sshd/ok\nuser.name=admin\nsource.ip=203.0.113.8\n!source.port" },
    { "closed while authenticating", H "Connection closed by authenticating user root 203.0.113.8 port 4711 [preauth]",
      "sshd/ok\nuser.name=root\n"
      "source.ip=203.0.113.8\nsource.port=4711\nevent.action=connection_closed" },
    { "closed", H "Connection closed by 203.0.113.8 port 4711 [preauth]",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711\n!user.name" },
    { "reset", H "Connection reset by invalid user a b 203.0.113.8 port 4711 [preauth]",
      "sshd/ok\nsource.ip=203.0.113.8\nuser.name=a b" },
    { "connection on a local address", H "Connection from 203.0.113.8 port 4711 on 10.0.0.1 port 22 rdomain \"\"",
      "sshd/ok\nsource.ip=203.0.113.8\n"
      "destination.ip=10.0.0.1\ndestination.port=22" },
    { "disconnect", H "Received disconnect from 203.0.113.8 port 4711:11: Bye Bye [preauth]",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "disconnect of old", H "Received disconnect from 203.0.113.8: 11: Bye Bye",
      "sshd/ok\nsource.ip=203.0.113.8\n!source.port" },
    { "disconnected", H "Disconnected from user alice 192.0.2.9 port 50022",
      "sshd/ok\nuser.name=alice\nsource.ip=192.0.2.9" },
    { "too many",
      H "error: maximum authentication attempts exceeded for invalid user pi from 203.0.113.8 port 4711 ssh2 [preauth]",
      "sshd/ok\n"
      "user.name=pi\nsource.ip=203.0.113.8\nevent.outcome=failure\nevent.action=too_many_authentication_failures" },
    { "too many, as told to the peer",
      H "Disconnecting invalid user pi 203.0.113.8 port 4711: Too many authentication failures [preauth]",
      "sshd/ok\nuser.name=pi\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "a name in the reason moves nothing",
      H "Disconnecting invalid user pi 203.0.113.8 port 4711: Change of username or service not allowed: "
        "(pi,ssh-connection) -> (x 198.51.100.1 port 9,ssh-connection) [preauth]",
      "sshd/ok\nsource.ip=203.0.113.8\nuser.name=pi" },
    { "not allowed", H "User root from 203.0.113.8 not allowed because not listed in AllowUsers",
      "sshd/ok\nuser.name=root\nsource.ip=203.0.113.8\n"
      "event.outcome=failure\nevent.action=login_not_allowed" },
    { "not allowed, shell", H "User ftp not allowed because shell /bin/false does not exist",
      "sshd/ok\nuser.name=ftp\nevent.reason=shell /bin/false does not exist" },
    { "PAM", H "error: PAM: Authentication failure for illegal user test from 203.0.113.8",
      "sshd/ok\nuser.name=test\nsource.ip=203.0.113.8\n"
      "event.reason=Authentication failure" },
    { "no identification", H "Did not receive identification string from 203.0.113.8 port 4711",
      "sshd/ok\nsource.ip=203.0.113.8\nevent.outcome=failure" },
    { "bad protocol", H "Bad protocol version identification 'GET / from 1.1.1.1' from 203.0.113.8 port 4711",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "no cipher",
      H "fatal: Unable to negotiate with 203.0.113.8 port 4711: no matching cipher found. Their offer: 3des-cbc "
        "[preauth]",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "kex", H "error: kex_exchange_identification: Connection closed by remote host",
      "sshd/ok\nevent.action=no_identification" },
    { "banner", H "banner exchange: Connection from 203.0.113.8 port 4711: invalid format",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "reverse mapping",
      H "reverse mapping checking getaddrinfo for a.example.org [203.0.113.8] failed - POSSIBLE BREAK-IN ATTEMPT!",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "maps back",
      H "Address 203.0.113.8 maps to a.example.org, but this does not map back to the address - POSSIBLE BREAK-IN "
        "ATTEMPT!",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "tcp wrappers", H "refused connect from a.example.org (203.0.113.8)", "sshd/ok\nsource.ip=203.0.113.8" },
    { "time-out", H "fatal: Timeout before authentication for 203.0.113.8 port 4711",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "time-out since 9.8", H "Timeout before authentication for connection from 203.0.113.8 to 10.0.0.1, pid = 99",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "a penalty", H "drop connection #0 from [203.0.113.8]:4711 on [10.0.0.1]:22 penalty: failed authentication",
      "sshd/ok\nsource.ip=203.0.113.8\nsource.port=4711" },
    { "listening", H "Server listening on 0.0.0.0 port 22.",
      "sshd/ok\nevent.action=port_opened\nserver.ip=0.0.0.0\nserver.port=22\nsaqshy.types=OS-13\nsaqshy.types=UX-02" },
    { "listening, v6", H "Server listening on :: port 22.", "sshd/ok\nserver.ip=::\nserver.port=22" },
    { "sftp", H "subsystem request for sftp by user vagrant", "sshd/ok\nuser.name=vagrant" },
    { "sshd-session", "Mar 19 08:05:09 srv sshd-session[812]: Failed password for root from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nprocess.name=sshd-session\nsource.ip=203.0.113.8" },
    { "session", H "pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)",
      "sshd/ok\nevent.action=session_opened\nuser.name=alice\nuser.id=1000" },
    { "PAM's own failure",
      H
      "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.8  user=root",
      "sshd/ok\n"
      "user.name=root\nsource.ip=203.0.113.8\nevent.outcome=failure\nuser.terminal=ssh\npam.service=sshd" },
    { "a name that looks like more",
      H "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.8 user=x "
        "rhost=198.51.100.1",
      "sshd/ok\nsource.ip=203.0.113.8\nuser.name=x rhost=198.51.100.1" },
    { "more of them",
      H "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.8  user=root",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "ruser behind the port lies too",
      H "Failed password for user from 192.0.2.9 port 20000 ssh1: ruser XX from 198.51.100.1",
      "sshd/ok\nsource.ip=192.0.2.9\nuser.name=user" },
    { "not before anybody was authenticated",
      H "Received disconnect from 203.0.113.8: 3: com.jcraft.jsch.JSchException: Auth fail",
      "sshd/ok\nevent.outcome=failure\nsource.ip=203.0.113.8" },
    { "a mapped name", H "refused connect from _U2Fs@::ffff:203.0.113.8 (::ffff:203.0.113.8)",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "root refused", H "ROOT LOGIN REFUSED FROM ::ffff:203.0.113.8",
      "sshd/ok\nsource.ip=203.0.113.8\nevent.outcome=failure" },
    { "too many, with an address",
      H "Disconnecting: Too many authentication failures for root from 203.0.113.8 port 55419 ssh2 [preauth]",
      "sshd/ok\nuser.name=root\nsource.ip=203.0.113.8" },
    { "too many, without", H "Disconnecting: Too many authentication failures for root [preauth]",
      "sshd/ok\nuser.name=root\n!source.ip" },
    { "tag of metalog",
      "Mar  3 00:17:22 [sshd] User root from 203.0.113.8 not allowed because not listed in AllowUsers",
      "sshd/ok\nsource.ip=203.0.113.8\n!host.name" },
    { "as journalctl shows it", "srv1 sshd[12]: Failed password for root from 203.0.113.8 port 4711 ssh2",
      "sshd/ok\nhost.name=srv1\nprocess.pid=12\nsource.ip=203.0.113.8" },
    { "HPN-SSH", H "SSH: Server;Ltype: Authname;Remote: 203.0.113.8-14332;Name: fred",
      "sshd/ok\nsource.ip=203.0.113.8" },
    { "what sshd never said", H "the moon is full", "sshd/partial\nmessage=the moon is full" },
};

static const struct line_row privilege[] = {
    { "sudo", "Mar 19 08:05:09 srv sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/sh -c a ; b",
      "sudo/ok\nuser.name=alice\n"
      "user.effective.name=root\nprocess.command_line=/bin/sh -c a ; "
      "b\nprocess.working_directory=/home/alice\nuser.terminal=pts/0\nevent.outcome=success\n"
      "saqshy.types=OS-09\nsaqshy.types=OS-13" },
    { "sudo refused",
      "Mar 19 08:05:09 srv sudo:     mike : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/root ; USER=root ; "
      "COMMAND=/bin/ls",
      "sudo/ok\n"
      "event.outcome=failure\nevent.reason=3 incorrect password "
      "attempts\nuser.name=mike\nsaqshy.types=OS-09\nsaqshy.types=OS-11" },
    { "not in sudoers",
      "Mar 19 08:05:09 srv sudo: tsg : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
      "sudo/ok\nevent.outcome=failure" },
    { "sudo's session",
      "Mar 19 08:05:09 srv sudo: pam_unix(sudo:session): session opened for user root by alice(uid=1000)",
      "sudo/ok\nuser.name=alice\n"
      "user.id=1000\nuser.effective.name=root" },
    { "su", "Mar 19 08:05:09 srv su[7]: (to root) alice on pts/1",
      "su/ok\nuser.name=alice\nuser.effective.name=root\nevent.outcome=success\nuser.terminal=pts/1" },
    { "su failed", "Mar 19 08:05:09 srv su[7]: FAILED SU (to root) alice on pts/1",
      "su/ok\nuser.name=alice\nuser.effective.name=root\nevent.outcome=failure\n"
      "saqshy.types=OS-04\nsaqshy.types=OS-09\nsaqshy.types=OS-11" },
    { "su of BSD", "Mar 19 08:05:09 srv su: BAD SU ger to root on /dev/ttyp0",
      "su/ok\nuser.name=ger\nuser.effective.name=root\nevent.outcome=failure\nuser.terminal=ttyp0" },
    { "su of Slackware", "Mar 19 08:05:09 srv su[7]: + pts/4 alice-root",
      "su/ok\nuser.name=alice\nuser.effective.name=root" },
    { "su of AIX", "Mar 19 08:05:09 srv su[7]: failed: ttyq4 changing from ldap to root",
      "su/ok\nuser.name=ldap\nuser.effective.name=root\nevent.outcome=failure" },
    { "pam_unix of old",
      "Mar 19 08:05:09 srv su(pam_unix)[7]: authentication failure; logname= uid=1342 euid=0 tty= ruser=ann rhost=  "
      "user=root",
      "su/ok\n"
      "process.name=su\nuser.name=ann\nuser.effective.name=root\nevent.outcome=failure" },
    { "doas", "Mar 19 08:05:09 srv doas: alice ran command ls / as root from /home/alice",
      "doas/ok\nuser.name=alice\nuser.effective.name=root\nprocess.command_line=ls /" },
};

static const struct line_row accounts[] = {
    { "a user is made",
      "Mar 19 08:05:09 srv useradd[6]: new user: name=eve, UID=1005, GID=1005, home=/home/eve, shell=/bin/bash, "
      "from=/dev/pts/0",
      "accounts/ok\n"
      "event.category=iam\nevent.type=creation\nevent.type=user\nevent.action=added-user-account\nuser.target.name="
      "eve\nuser.target.id=1005\nsaqshy.types=OS-06" },
    { "a group is made", "Mar 19 08:05:09 srv groupadd[6]: new group: name=ops, GID=1006",
      "accounts/ok\nevent.type=creation\nevent.type=group\ngroup.name=ops\ngroup.id=1006" },
    { "a user goes", "Mar 19 08:05:09 srv userdel[6]: delete user 'eve'",
      "accounts/ok\nevent.type=deletion\nuser.target.name=eve\nsaqshy.types=OS-06" },
    { "into sudo", "Mar 19 08:05:09 srv usermod[6]: add 'eve' to group 'sudo'",
      "accounts/ok\nuser.target.name=eve\ngroup.name=sudo\nsaqshy.types=OS-06\nsaqshy.types=OS-09" },
    { "a password", "Mar 19 08:05:09 srv passwd[6]: pam_unix(passwd:chauthtok): password changed for eve",
      "accounts/ok\nuser.target.name=eve\nevent.action=password_changed" },
    { "a lock", "Mar 19 08:05:09 srv usermod[6]: lock user 'eve' password",
      "accounts/ok\nuser.target.name=eve\nevent.action=locked-user-account" },
    { "a failure", "Mar 19 08:05:09 srv useradd[6]: failed adding user 'eve', data deleted",
      "accounts/ok\nuser.target.name=eve\nevent.outcome=failure" },
};

static const struct line_row daemons[] = {
    { "cron", "Mar 19 08:05:09 srv CRON[9]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
      "cron/ok\nuser.name=root\n"
      "process.command_line=   cd / && run-parts --report /etc/cron.hourly\nsaqshy.types=OS-13" },
    { "cron's session is nobody's login",
      "Mar 19 08:05:09 srv CRON[9]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
      "cron/ok\nsaqshy.types=OS-09" },
    { "a service",
      "Mar 19 08:05:09 srv systemd[1]: Started cron.service - Regular background program processing daemon.",
      "systemd/ok\nservice.name=cron.service\n"
      "event.action=service_started\nsaqshy.types=OS-13" },
    { "a service fails", "Mar 19 08:05:09 srv systemd[1]: nginx.service: Failed with result 'exit-code'.",
      "systemd/ok\nservice.name=nginx.service\nevent.outcome=failure" },
    { "the log is switched off", "Mar 19 08:05:09 srv systemd[1]: Stopped auditd.service - Security Auditing Service.",
      "systemd/ok\nservice.name=auditd.service\n"
      "event.action=service_stopped\nsaqshy.types=OS-07\nsaqshy.types=OS-13" },
    { "by rsyslogd's own word",
      "Mar 19 08:05:09 srv rsyslogd: [origin software=\"rsyslogd\" x-pid=\"1\"] exiting on signal 15.",
      "syslogd/ok\nsaqshy.types=OS-07\n"
      "event.action=logging_stopped" },
    { "the system stops", "Mar 19 08:05:09 srv systemd[1]: Reached target shutdown.target - System Shutdown.",
      "systemd/ok\nsaqshy.types=OS-01" },
    { "a login", "Mar 19 08:05:09 srv systemd-logind[5]: New session 42 of user alice.",
      "logind/ok\nsession.id=42\nuser.name=alice\nsaqshy.types=OS-04" },
    { "a logout", "Mar 19 08:05:09 srv systemd-logind[5]: Session 42 logged out. Waiting for processes to exit.",
      "logind/ok\nevent.action=session_closed" },
    { "a package", "2026-03-19 08:05:09 install nmap:amd64 <none> 7.93+dfsg1-1",
      "packages/ok\npackage.name=nmap\npackage.version=7.93+dfsg1-1\nsaqshy.types=OS-03" },
    { "a package of yum", "Mar 19 08:05:09 srv yum[5]: Erased: nmap-7.70-5.el8.x86_64",
      "packages/ok\npackage.name=nmap-7.70-5.el8.x86_64\nsaqshy.types=OS-03" },
    { "a stick", "Mar 19 08:05:09 srv kernel: [ 12.5] usb 1-1: New USB device found, idVendor=0951, idProduct=1666",
      "kernel/ok\nevent.action=device_connected\nsaqshy.types=OS-10" },
    { "UFW",
      "Mar 19 08:05:09 gw kernel: [126140.629122] [UFW BLOCK] IN=eth0 OUT= "
      "MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=203.0.113.8 DST=10.0.0.1 LEN=52 TOS=0x02 "
      "PREC=0x00 TTL=128 ID=9209 DF PROTO=TCP SPT=17833 DPT=22 WINDOW=8192 RES=0x00 CWR ECE SYN URGP=0",
      "netfilter/ok\nrule.name=[UFW BLOCK]\nsource.ip=203.0.113.8\n"
      "destination.ip=10.0.0.1\nsource.port=17833\ndestination.port=22\nnetwork.transport=tcp\nevent.outcome="
      "failure\nevent.type=connection\nevent.type=denied\n"
      "saqshy.class=fw\nsaqshy.types=FW-01\nsource.mac=66-77-88-99-AA-BB\ndestination.mac=00-11-22-33-44-55\nobserver."
      "ingress.interface.name=eth0" },
    { "nftables, v6, accepted",
      "Mar 19 08:05:09 gw kernel: nft-accept IN= OUT=lo SRC=2001:db8::1 DST=2001:db8::2 LEN=76 TC=0 HOPLIMIT=64 "
      "FLOWLBL=0 PROTO=UDP SPT=49007 DPT=53 LEN=56",
      "netfilter/"
      "ok\nsource.ip=2001:db8::1\nnetwork.transport=udp\nnetwork.type=ipv6\nevent.type=connection\nevent.type="
      "allowed\nnetwork.bytes=76" },
};

static void test_sshd(void **state)
{
    (void)state;
    lines_check(sshd, COUNT(sshd), NULL);
}
static void test_privilege(void **state)
{
    (void)state;
    lines_check(privilege, COUNT(privilege), NULL);
}
static void test_accounts(void **state)
{
    (void)state;
    lines_check(accounts, COUNT(accounts), NULL);
}
static void test_daemons(void **state)
{
    (void)state;
    lines_check(daemons, COUNT(daemons), NULL);
}

/* "sshd -E file" writes no header; the end of a line is CR LF. */
static void test_headless(void **state)
{
    static const struct line_row by_content[] = {
        { "accepted", "Accepted publickey for alice from 127.0.0.1 port 50022 ssh2: ED25519 SHA256:x\r",
          "sshd/ok\nprocess.name=sshd\nuser.name=alice\n"
          "source.ip=127.0.0.1\nevent.outcome=success\nhost.name=srv7\nsaqshy.marks=no_time\n@timestamp=2026-03-20T12:"
          "00:00Z" },
        { "failed", "Failed password for root from 127.0.0.1 port 50022 ssh2\r",
          "sshd/ok\nuser.name=root\nevent.outcome=failure" },
        { "nobody", "Invalid user nobodyhere from 127.0.0.1 port 34538\r",
          "sshd/ok\nuser.name=nobodyhere\nsource.ip=127.0.0.1" },
        { "over", "Received signal 15; terminating.\r", "sshd/ok\nevent.action=service_stopped" },
        { "closed", "Connection closed by authenticating user root 127.0.0.1 port 5 [preauth]\r",
          "sshd/ok\nuser.name=root" },
        { "listening", "Server listening on 127.0.0.1 port 40022.\r",
          "sshd/ok\nserver.port=40022\nsaqshy.types=OS-13\nsaqshy.types=UX-02" },
        { "another program's word", "Failed to open the door", "raw/failed\n!process.name" },
    };
    static const struct line_row by_path[] = {
        { "disconnected", "Disconnected from user alice 127.0.0.1 port 50022\r",
          "sshd/ok\nuser.name=alice\nprocess.name=sshd" },
        { "not sshd's", "the moon is full", "raw/failed\n!process.name" },
    };
    struct parse_hints h = lines_hints();

    (void)state;
    h.host = STR("srv7");
    lines_check(by_content, COUNT(by_content), &h);
    h.path = STR("/var/lib/saqshy/demo/sshd.log");
    lines_check(by_path, COUNT(by_path), &h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "sshd: who tried, from where, with what outcome", .test_func = test_sshd },
        { .name = "sshd without a header, as it writes to a file of its own", .test_func = test_headless },
        { .name = "sudo, su and doas: who became whom", .test_func = test_privilege },
        { .name = "accounts and groups: what was made, changed, removed", .test_func = test_accounts },
        { .name = "cron, systemd, logind, log writers, packages, kernel, netfilter", .test_func = test_daemons },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
