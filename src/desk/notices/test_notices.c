/* test_notices.c - letters against an SMTP server of our own on loopback: proof kept, refusals tried again, nothing sent twice. */
#include "desk/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#define LETTER_MAX (4u * MIB)

struct smtp {
    int       fd;
    unsigned  port;
    pthread_t thread;
    int       refuse;     /* so many letters are refused after the data, with code */
    int       code;
    int       taken;      /* letters accepted */
    struct buf letters;   /* all data that came, accepted or not */
    char      rcpt[20][128];
    int       rcpts;
    bool      stop;
};

static void say(int fd, const char *text) { assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text)); }

static void data_read(struct smtp *s, FILE *in, int fd)
{
    char line[2048], reply[64];

    say(fd, "354 go on\r\n");
    while (fgets(line, sizeof line, in) && strcmp(line, ".\r\n") != 0)
        buf_put(&s->letters, line, strlen(line));
    if (s->refuse > 0) {
        s->refuse--;
        snprintf(reply, sizeof reply, "%d not now\r\n", s->code);
    } else {
        snprintf(reply, sizeof reply, "250 2.0.0 accepted as TEST-%d\r\n", ++s->taken);
    }
    say(fd, reply);
}

static void session(struct smtp *s, int fd)
{
    FILE *in = fdopen(dup(fd), "r");
    char line[2048];

    say(fd, "220 test ESMTP\r\n");
    while (in && fgets(line, sizeof line, in)) {
        if (strncmp(line, "RCPT", 4) == 0 && s->rcpts < 20)
            snprintf(s->rcpt[s->rcpts++], 128, "%.100s", line);
        if (strncmp(line, "DATA", 4) == 0) {
            data_read(s, in, fd);
        } else if (strncmp(line, "QUIT", 4) == 0) {
            say(fd, "221 bye\r\n");
            break;
        } else {
            say(fd, "250 ok\r\n");
        }
    }
    if (in)
        fclose(in);
}

static void *serve(void *arg)
{
    struct smtp *s = arg;

    for (;;) {
        struct pollfd p = { s->fd, POLLIN, 0 };
        int fd;

        if (poll(&p, 1, 50) <= 0) {
            if (__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
                return NULL;
            continue;
        }
        fd = accept(s->fd, NULL, NULL);
        if (fd >= 0) {
            session(s, fd);
            close(fd);
        }
    }
}

static void smtp_start(struct smtp *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;

    buf_init(&s->letters, LETTER_MAX);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bind(s->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(s->fd, 8) == 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void smtp_stop(struct smtp *s)
{
    __atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
    pthread_join(s->thread, NULL);
    close(s->fd);
    buf_free(&s->letters);
}

static void smtp_use(struct world *w, unsigned port)
{
    char url[64];

    snprintf(url, sizeof url, "smtp://127.0.0.1:%u", port);
    free(w->node->smtp_url);
    w->node->smtp_url = strdup(url);
}

static json_t *mail_of(json_t *c, size_t nth)
{
    json_t *n;
    size_t i;

    json_array_foreach(json_object_get(c, "notices"), i, n)
        if (str_eq(json_get_str(n, "channel"), STR("email")) && nth-- == 0)
            return n;
    fail_msg("no such letter");
    return NULL;
}

static int turn(struct world *w, time_ns now)
{
    struct err e;
    int rc = desk_mail_turn(w->desk, now, &e);

    must(rc, &e);
    return rc;
}

static void the_notice_goes_to_the_responsible_persons_with_proof(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t id = case_new(w, "rule-mail", T0);
    json_t *c, *m;

    smtp_start(&s);
    smtp_use(w, s.port);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    assert_int_equal(turn(w, T0), 2);
    assert_int_equal(turn(w, T0 + 100 * NS_PER_HOUR), 0);   /* what was accepted is never sent again */
    /* The owner sees their own address, and that another letter went out, not to which address. */
    c = case_get(w, &w->registry, id, T0 + NS_PER_MINUTE);
    assert_true(str_eq(json_get_str(mail_of(c, 0), "addressee"), STR("seitqali@registry.example")));
    assert_true(str_find(json_get_str(mail_of(c, 1), "addressee"), STR("@")) < 0 && json_is_null(json_object_get(mail_of(c, 1), "smtp_reply")));
    AUTO_FREE char *whole = json_dumps(c, 0);
    assert_null(strstr(whole, "duty@ocib.example"));
    json_decref(c);
    c = case_get(w, &w->analyst, id, T0 + NS_PER_MINUTE);
    for (size_t i = 0; i < 2; i++) {
        m = mail_of(c, i);
        assert_true(str_eq(json_get_str(m, "state"), STR("sent")));
        assert_true(str_find(json_get_str(m, "smtp_reply"), STR("accepted as TEST-")) > 0);
        assert_true(str_find(buf_view(&s.letters), json_get_str(m, "message_id")) >= 0);
        assert_true(str_eq(json_get_str(m, "sha256"), json_get_str(json_array_get(json_object_get(c, "documents"), 0), "sha256")));
    }
    assert_true(str_eq(json_get_str(mail_of(c, 0), "addressee"), STR("seitqali@registry.example")));
    assert_true(str_eq(json_get_str(mail_of(c, 1), "addressee"), STR("duty@ocib.example")));
    assert_true(s.rcpts == 2 && strstr(s.rcpt[0], "seitqali@registry.example") && strstr(s.rcpt[1], "duty@ocib.example"));
    assert_int_equal(lines_of(c, "notice_sent", NULL), 3);
    assert_true(str_find(buf_view(&s.letters), STR("application/pdf")) >= 0);
    assert_true(str_find(buf_view(&s.letters), STR("Subject: =?UTF-8?B?")) >= 0);
    json_decref(c);
    smtp_stop(&s);
}

static void a_refusal_is_tried_again_with_the_same_message_id(void **state)
{
    struct world *w = *state;
    struct smtp s = { .refuse = 3, .code = 451 };
    int64_t id = case_new(w, "rule-refuse", T0);
    json_t *c;

    smtp_start(&s);
    smtp_use(w, s.port);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    assert_int_equal(turn(w, T0), 2);                              /* both are refused */
    assert_int_equal(turn(w, T0 + 5 * NS_PER_SECOND), 0);          /* the pause is kept */
    desk_reopen(w);                                                /* and survives a restart */
    assert_int_equal(turn(w, T0 + 20 * NS_PER_SECOND), 2);         /* one is refused again, one goes */
    assert_int_equal(turn(w, T0 + 60 * NS_PER_SECOND), 1);
    c = case_get(w, &w->registry, id, T0 + NS_PER_HOUR);
    struct str mid = json_get_str(mail_of(c, 0), "message_id");
    int seen = 0;
    for (struct str rest = buf_view(&s.letters); str_find(rest, mid) >= 0; seen++)
        rest = str_cut(rest, (size_t)str_find(rest, mid) + mid.n);
    assert_int_equal(seen, json_integer_value(json_object_get(mail_of(c, 0), "attempts")));
    assert_int_equal(s.taken, 2);
    assert_int_equal(lines_of(c, "notice_failed", NULL), 2);       /* the first failure of each is told, once */
    json_decref(c);
    smtp_stop(&s);
}

static void a_lasting_refusal_is_believed_after_five_tries(void **state)
{
    struct world *w = *state;
    struct smtp s = { .refuse = 1000, .code = 550 };
    int64_t id = case_new(w, "rule-550", T0);
    json_t *c;

    smtp_start(&s);
    smtp_use(w, s.port);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    for (int i = 0; i < 8; i++)
        turn(w, T0 + (i + 1) * NS_PER_HOUR);
    c = case_get(w, &w->analyst, id, T0 + 10 * NS_PER_HOUR);
    assert_true(str_eq(json_get_str(mail_of(c, 0), "state"), STR("failed")));
    assert_int_equal(json_integer_value(json_object_get(mail_of(c, 0), "attempts")), 5);
    assert_true(str_find(json_get_str(mail_of(c, 0), "last_error"), STR("550")) >= 0);
    json_decref(c);
    smtp_stop(&s);
}

static void without_a_mail_server_letters_wait(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t id = case_new(w, "rule-later", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    assert_int_equal(turn(w, T0), 0);
    smtp_use(w, 1);   /* nobody listens */
    assert_int_equal(turn(w, T0), 1);   /* one finds out, the other is not tried in vain */
    smtp_start(&s);
    smtp_use(w, s.port);
    assert_int_equal(turn(w, T0 + NS_PER_HOUR), 2);
    assert_int_equal(s.taken, 2);
    smtp_stop(&s);
}

static int64_t number(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, -1, &n, sql, ""), 0);
    return n;
}

/* A label is asked when a letter leaves, not only when it is written: a server may be away for hours. */
static void a_label_set_later_stops_what_waits(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t strict = case_new(w, "rule-strict", T0), red, amber;
    char me[24];

    act_do(w, &w->analyst, strict, "notify", notify_body(w, strict, T0), T0);
    red = case_new(w, "rule-red", T0 + NS_PER_SECOND);
    act_do(w, &w->analyst, red, "notify", notify_body(w, red, T0 + NS_PER_SECOND), T0 + NS_PER_SECOND);
    amber = case_new(w, "rule-amber", T0 + 2 * NS_PER_SECOND);
    act_do(w, &w->analyst, amber, "notify", notify_body(w, amber, T0 + 2 * NS_PER_SECOND), T0 + 2 * NS_PER_SECOND);
    assert_true(strict < red && red < amber);
    /* A reminder waits in the same queue. */
    assert_int_equal(db_exec(w->desk, NULL,
                             "INSERT INTO notice(subject, subject_id, case_id, kind, channel, addressee, state, next_try_at, queued_at, message_id, subject_line, body)"
                             " VALUES ('case', CAST(?1 AS TEXT), ?1, 'reminder', 'email', 'duty@ocib.example', 'queued', ?2, ?2, '<r@x>', 'r', 'r')", "ii", red, T0), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'queued'"), 7);
    act_do(w, &w->analyst, strict, "set_tlp", json_pack("{s:s, s:s}", "tlp", "amber+strict", "reason", "r"), T0 + NS_PER_MINUTE);
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE user SET email = 'seitqali@registry.example' WHERE id = ?", "i", w->registry.user_id), 1);
    snprintf(me, sizeof me, "%lld", (long long)w->registry.user_id);
    act_do(w, &w->analyst, red, "set_tlp", json_pack("{s:s, s:[s], s:s}", "tlp", "red", "persons", me, "reason", "r"), T0 + NS_PER_MINUTE);
    smtp_start(&s);
    smtp_use(w, s.port);
    assert_int_equal(turn(w, T0 + NS_PER_HOUR), 7);
    assert_int_equal(s.taken, 4);
    assert_int_equal(number(w, "SELECT count(*) FROM notice n JOIN cases k ON k.id = n.case_id WHERE channel = 'email' AND n.state = 'sent' AND n.addressee ="
                               " 'seitqali@registry.example'"), 3);
    assert_int_equal(number(w, "SELECT count(*) FROM notice n JOIN cases k ON k.id = n.case_id WHERE channel = 'email' AND n.state = 'failed' AND n.addressee ="
                               " 'duty@ocib.example' AND last_error = 'label' AND attempts = 0 AND k.tlp IN ('amber+strict', 'red')"), 3);
    assert_int_equal(number(w, "SELECT count(*) FROM audit WHERE action = 'notice.send' AND outcome = 'failed'"), 3);
    /* Two documents are told of, the reminder is not; and a wider label brings nothing back. */
    assert_int_equal(number(w, "SELECT count(*) FROM timeline WHERE kind = 'notice_failed' AND key = 'case.text.label_stopped'"), 2);
    act_do(w, &w->analyst, strict, "set_tlp", json_pack("{s:s, s:s}", "tlp", "green", "reason", "r"), T0 + 2 * NS_PER_HOUR);
    assert_int_equal(turn(w, T0 + 3 * NS_PER_HOUR), 0);
    smtp_stop(&s);
}

static void a_mail_server_that_is_silent_rests_with_all_letters(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t id = case_new(w, "rule-silent", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    smtp_use(w, 1);
    assert_int_equal(turn(w, T0), 1);
    assert_int_equal(turn(w, T0 + 14 * NS_PER_SECOND), 0);
    assert_int_equal(turn(w, T0 + 16 * NS_PER_SECOND), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND attempts = 1"), 2);   /* one after the other */
    assert_int_equal(turn(w, T0 + 44 * NS_PER_SECOND), 0);   /* the pause is the server's, and grows */
    for (int i = 1; i < 150; i++)
        assert_int_equal(turn(w, T0 + i * 61 * NS_PER_MINUTE), 1);  /* six days: one try an hour */
    desk_reopen(w);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'queued'"), 2);
    smtp_start(&s);
    free(w->node->smtp_url);
    w->node->smtp_url = NULL;
    smtp_use(w, s.port);
    assert_int_equal(turn(w, T0 + 149 * 61 * NS_PER_MINUTE + NS_PER_SECOND), 1);   /* another server is tried at once; its answer frees the other letter */
    assert_int_equal(turn(w, T0 + 150 * 61 * NS_PER_MINUTE), 1);
    assert_int_equal(s.taken, 2);
    smtp_stop(&s);
}

static void a_wrong_password_gives_up_no_letter(void **state)
{
    struct world *w = *state;
    struct smtp s = { .refuse = 12, .code = 535 };
    int64_t id = case_new(w, "rule-535", T0);

    smtp_start(&s);
    smtp_use(w, s.port);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    for (int i = 0; i < 12; i++)
        assert_int_equal(turn(w, T0 + i * 61 * NS_PER_MINUTE), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'queued'"), 2);
    assert_int_equal(turn(w, T0 + 14 * NS_PER_HOUR), 2);   /* corrected: both, in one turn */
    assert_int_equal(s.taken, 2);
    smtp_stop(&s);
}

static void a_clock_that_ran_ahead_keeps_no_letter_back(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t id = case_new(w, "rule-ahead", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    smtp_use(w, 1);
    assert_int_equal(turn(w, T0 + 20000 * NS_PER_HOUR), 1);   /* the machine believes it is two years later */
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE notice SET next_try_at = ? WHERE channel = 'email'", "i", T0 + 20000 * NS_PER_HOUR), 2);
    smtp_start(&s);
    smtp_use(w, s.port);
    assert_int_equal(turn(w, T0 + NS_PER_MINUTE), 2);
    assert_int_equal(s.taken, 2);
    smtp_stop(&s);
}

static void hostile_names_cannot_write_headers(void **state)
{
    struct world *w = *state;
    struct smtp s = { 0 };
    int64_t id;

    smtp_start(&s);
    smtp_use(w, s.port);
    assert_true(db_exec(w->desk, NULL, "UPDATE object SET name = 'a' || char(13,10) || 'Bcc: evil@example.com' || char(13,10,13,10) || 'x' WHERE id = ?",
                        "z", "state-register") == 1);
    id = case_new(w, "rule-evil", T0);
    json_t *body = notify_body(w, id, T0);
    json_object_set_new(json_object_get(body, "annex7"), "object", json_string("a"));
    act_do(w, &w->analyst, id, "notify", body, T0);
    assert_int_equal(turn(w, T0), 2);
    assert_true(str_find(buf_view(&s.letters), STR("Bcc:")) < 0);
    smtp_stop(&s);
}

static void count_change(void *arg, const char *type, const char *id)
{
    (void)type;
    (void)id;
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

static void the_worker_takes_findings_and_sends_letters(void **state)
{
    struct world *w = *state;
    struct desk_setup setup = setup_of(w);
    struct desk_worker *worker;
    struct smtp s = { 0 };
    int changes = 0;
    int64_t sent = 0;
    struct err e;

    smtp_start(&s);
    smtp_use(w, s.port);
    setup.changed = count_change;
    setup.changed_arg = &changes;
    assert_true(db_exec(w->desk, NULL, "INSERT INTO rule_policy VALUES ('rule-auto', 1, 0)", "") == 1);
    must(desk_worker_start(&setup, &worker, &e), &e);
    finding_write(w, "rule-auto", "state-register", "registry-web-1", clock_now());
    for (int i = 0; i < 300 && sent < 2; i++) {
        desk_worker_poke(worker);
        poll(NULL, 0, 20);   /* waits for other threads; the outcome does not depend on how long */
        assert_int_equal(db_int(w->desk, NULL, 0, &sent, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'sent'", ""), 0);
    }
    desk_worker_stop(&worker);
    assert_int_equal(sent, 2);
    assert_true(__atomic_load_n(&changes, __ATOMIC_RELAXED) > 2);
    smtp_stop(&s);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_notice_goes_to_the_responsible_persons_with_proof, "D-05 R-10.1-08 R-10.1-09 R-10.1-10 R-A1-11 the notice goes to the responsible persons by mail, with proof"),
        T(a_refusal_is_tried_again_with_the_same_message_id, "a refused letter is tried again with the same Message-ID, after a pause that survives a restart"),
        T(a_lasting_refusal_is_believed_after_five_tries, "a lasting refusal is believed after five tries and told"),
        T(without_a_mail_server_letters_wait, "without a mail server letters wait and are sent when there is one"),
        T(a_label_set_later_stops_what_waits, "TLP: a label that is set while a letter waits stops it, reminders too"),
        T(a_mail_server_that_is_silent_rests_with_all_letters, "a mail server that is silent rests with all letters, and nothing is given up for it"),
        T(a_wrong_password_gives_up_no_letter, "a wrong password gives up no letter"),
        T(a_clock_that_ran_ahead_keeps_no_letter_back, "a clock that ran ahead and came back keeps no letter back"),
        T(hostile_names_cannot_write_headers, "hostile names cannot write headers of a letter"),
        T(the_worker_takes_findings_and_sends_letters, "the worker takes findings and sends letters by itself"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
