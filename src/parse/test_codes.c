/* test_codes.c - events of Annex 4 that lines of databases, applications and protection tools show, by the parsers as data that we ship. */
#include "base/test.h"
#include "parse/parse.h"
#include "parse/test_parser.h"

struct shown {
    const char *line, *path, *code; /* code: "!X": X must not be told */
    const char *outcome;            /* event.outcome, or NULL */
};

static void check(const struct shown *rows, size_t count, enum event_class class)
{
    struct event_batch b;
    struct parser *p = parser_of_content();

    event_batch_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .path = str_c(rows[i].path) };
        bool unwanted = *rows[i].code == '!', told = false;
        struct str v;
        struct event *ev;
        uint32_t at = 0;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        parse_line(p, str_c(rows[i].line), &h, &b.arena, ev);
        while (event_values(ev, STR("saqshy.types"), &at, &v))
            told = told || str_eq(v, str_c(rows[i].code + unwanted));
        CHECK(rows[i].line, told != unwanted && ev->class == class);
        if (rows[i].outcome)
            CHECK(rows[i].line, str_eq(event_get(ev, STR("event.outcome")), str_c(rows[i].outcome)));
    }
    event_batch_free(&b);
    parse_free(&p);
}

static void database_sessions(void **state)
{
    static const struct shown rows[] = {
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  connection authorized: user=ann database=shop", NULL, "DB-01", "success" },
        { "2026-03-19 08:05:10.003 UTC [72] bob@shop FATAL:  password authentication failed for user \"bob\"", NULL, "DB-01", "failure" },
        { "2026-03-19 08:05:11.003 UTC [73] eve@shop FATAL:  role \"eve\" does not exist", NULL, "DB-01", "failure" },
        { "2026-03-19 08:05:11.003 UTC [73] LOG:  checkpoint starting: time", NULL, "!DB-01", NULL },
        { "2026-03-19 08:05:12.612 UTC,\"eve\",\"shop\",55,\"::1:16790\",5ff2.4fec,1,\"startup\",2026-03-19 08:05:12 UTC,3/15,0,FATAL,28000,\"role \"\"eve\"\" does not exist\",,,,,,,,,\"\"",
          NULL, "DB-01", "failure" },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_DB);
}

static void database_privileges(void **state)
{
    static const struct shown rows[] = {
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: GRANT SELECT ON orders TO bob;", NULL, "DB-03", NULL },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: revoke all on orders from bob;", NULL, "DB-03", NULL },
        { "2026-03-19 08:05:09.003 UTC [71] ann@shop LOG:  statement: SELECT 1;", NULL, "!DB-03", NULL },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_DB);
}

static void application_logins(void **state)
{
    static const struct shown rows[] = {
        { "Mar 19 08:05:09 mx1 dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS", NULL, "APP-01", "success" },
        { "Mar 19 08:05:10 mx1 dovecot: imap(ann)<77><q1>: Logged out in=42 out=600", NULL, "APP-01", NULL },
        { "Mar 19 08:05:11 mx1 dovecot: imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<bob>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.1", NULL, "APP-01",
          "failure" },
        { "Mar 19 08:05:12 mx1 postfix/smtpd[7]: 3F2A: client=a.example[192.0.2.7], sasl_method=LOGIN, sasl_username=ann", NULL, "APP-01", "success" },
        { "Mar 19 08:05:13 mx1 postfix/smtpd[7]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: UGFz", NULL, "APP-01", "failure" },
        { "2026/03/19 08:05:14 [error] 8#8: *7 user \"bob\" was not found in \"/etc/pw\", client: 203.0.113.7, server: s, request: \"GET / HTTP/1.1\", host: \"s\"", NULL, "APP-01",
          "failure" },
        { "[Thu Mar 19 08:05:15.123456 2026] [auth_basic:error] [pid 8:tid 1] [client 203.0.113.9:50229] AH01618: user bob not found: /admin", NULL, "APP-01", "failure" },
        { "Mar 19 08:05:16 mx1 postfix/qmgr[9]: 3F2A: removed", NULL, "!APP-01", NULL },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_APP);
}

static void application_refusals(void **state)
{
    static const struct shown rows[] = {
        { "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"GET /secret HTTP/1.1\" 403 12 \"-\" \"-\"", NULL, "APP-03", "failure" },
        { "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"GET /open HTTP/1.1\" 200 12 \"-\" \"-\"", NULL, "!APP-03", "success" },
        { "[Thu Mar 19 08:05:12 2026] [error] [client 203.0.113.9] client denied by server configuration: /srv/x", NULL, "APP-03", "failure" },
        { "Mar 19 08:05:10 mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from a.example[203.0.113.7]: 454 4.7.1 <x@y>: Relay access denied; from=<a@b> to=<x@y> proto=ESMTP helo=<h>", NULL,
          "APP-03", "failure" },
        { "1773907510.227 781 192.0.2.22 TCP_DENIED/407 1785 GET http://www.example.kz/ - HIER_NONE/- text/html", "/var/log/squid/access.log", "APP-03", "failure" },
        { "Mar 19 08:05:10 ns1 named[7]: client 203.0.113.18#4795: query (cache) 'example.com/NS/IN' denied", NULL, "APP-03", "failure" },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_APP);
}

static void application_actions(void **state)
{
    static const struct shown rows[] = {
        { "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"GET /orders/7 HTTP/1.1\" 200 12 \"-\" \"-\"", NULL, "APP-05", "success" },
        { "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"PUT /orders/7 HTTP/1.1\" 204 0 \"-\" \"-\"", NULL, "APP-05", "success" },
        { "192.0.2.14 - ann [19/Mar/2026:08:05:09 +0500] \"DELETE /orders/7 HTTP/1.1\" 404 12 \"-\" \"-\"", NULL, "APP-05", "failure" },
        { "Mar 19 08:05:09 lb1 haproxy[7]: 192.0.2.9:38862 [19/Mar/2026:08:05:09.726] f b/s 0/0/1/0/2 200 168 - - ---- 6/6/0/0/0 0/0 \"POST /orders HTTP/1.1\"", NULL, "APP-05", "success" },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_APP);
}

static void device_refusals(void **state)
{
    static const struct shown rows[] = {
        { "2026-03-19 08:05:10 203.0.113.9:51195 TLS Auth Error: Auth Username/Password verification failed for peer", "/var/log/openvpn/server.log", "NET-06", "failure" },
        { "Mar 19 08:05:11 gw openvpn[8]: ann/203.0.113.9:51196 AUTH: Received control message: AUTH_FAILED", NULL, "NET-06", "failure" },
        { "Mar 19 08:05:12 gw openvpn[8]: ann/203.0.113.9:51196 [ann] Peer Connection Initiated with [AF_INET]203.0.113.9:51196", NULL, "!NET-06", "success" },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_NET);
}

static void protection_services(void **state)
{
    static const struct shown rows[] = {
        { "2026-03-19 08:05:11,001 fail2ban.jail [8]: INFO    Jail 'sshd' started", "/var/log/fail2ban.log", "SEC-02", NULL },
        { "2026-03-19 08:05:12,001 fail2ban.jail [8]: INFO    Jail 'sshd' stopped", "/var/log/fail2ban.log", "SEC-02", NULL },
        { "2026-03-19 08:05:13,123 fail2ban.actions [8]: NOTICE  [sshd] Ban 203.0.113.9", NULL, "!SEC-02", NULL },
    };

    (void)state;
    check(rows, COUNT(rows), CLASS_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-A4.9-01 sessions of a database, refused ones and accounts that do not exist are told as DB-01", .test_func = database_sessions },
        { .name = "R-A4.9-03 privileges granted and revoked in a database are told as DB-03", .test_func = database_privileges },
        { .name = "R-A4.22-01 logins to applications, logouts and failed attempts are told as APP-01", .test_func = application_logins },
        { .name = "R-A4.22-03 failed and rejected actions of users of applications are told as APP-03", .test_func = application_refusals },
        { .name = "R-A4.22-05 access to, change and deletion of an application's objects are told as APP-05", .test_func = application_actions },
        { .name = "R-A4.15-06 failed and rejected actions of users of a network device are told as NET-06", .test_func = device_refusals },
        { .name = "R-A4.28-02 a protection tool's service started and stopped is told as SEC-02", .test_func = protection_services },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
