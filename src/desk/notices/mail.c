/* mail.c - letters out of the queue, by SMTP through libcurl.
 *
 * Counting and pauses are queue.h. A server that cannot be reached, hangs or does not let us in rests with all letters; a recipient that it
 * refuses waits alone. The Message-ID is fixed when the letter is queued, so a letter that was taken just before a crash is known to the receiver when it comes again. What the
 * server accepted (2xx after the data) is recorded with its reply and never sent again. */
#include "desk/notices/queue.h"
#include "base/file.h"
#include "base/log.h"

#include <curl/curl.h>

#define MAIL_CONNECT_S     15L
#define MAIL_REFUSALS_MOST 5     /* tries after which a lasting refusal (5xx) is believed */

struct letter_row {
    int64_t    id, case_id, attempts, internal;
    struct str subject_kind, subject_id, kind, to, message_id, sha256, subject, body;
    bool       stopped;    /* the label of its case forbids it now */
};

struct outcome {
    char reply[512];   /* the server's last line */
    char error[300];
    long code;
    bool accepted;
    bool own;          /* the failure is ours and of this letter: its PDF cannot be read */
};

/* header_words - RFC 2047 words of at most 45 bytes each, cut between letters; control bytes become blanks. */
static void header_words(struct buf *b, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    while (s.n) {
        size_t n = min_size(s.n, 45);

        while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
            n--;
        buf_str(b, STR("=?UTF-8?B?"));
        for (size_t i = 0; i < n; i += 3) {
            uint32_t v = 0;
            size_t left = min_size(3, n - i);

            for (size_t k = 0; k < 3; k++) {
                unsigned char ch = k < left ? (unsigned char)s.p[i + k] : 0;
                v = v << 8 | (k < left && ch < 32 ? ' ' : ch);
            }
            buf_byte(b, digits[v >> 18]);
            buf_byte(b, digits[v >> 12 & 63]);
            buf_byte(b, left > 1 ? digits[v >> 6 & 63] : '=');
            buf_byte(b, left > 2 ? digits[v & 63] : '=');
        }
        buf_str(b, STR("?="));
        s = str_cut(s, n);
        if (s.n)
            buf_str(b, STR("\r\n "));
    }
}

static void date_header(struct buf *b, time_ns t)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct civil c = civil_of_ns(t, 0);

    buf_printf(b, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000", days[civil_weekday(civil_days(c.year, c.month, c.day))], (int)c.day,
               months[c.month - 1], (int)c.year, (int)c.hour, (int)c.minute, (int)c.second);
}

static bool add_header(struct curl_slist **list, struct buf *b)
{
    buf_byte(b, 0);
    struct curl_slist *more = buf_failed(b) ? NULL : curl_slist_append(*list, b->p);

    buf_reset(b);
    if (more)
        *list = more;
    return more != NULL;
}

static struct curl_slist *headers_make(const struct letter_row *l, const char *from, time_ns now)
{
    struct curl_slist *list = NULL;
    AUTO_BUF struct buf b = { 0 };
    bool ok;

    buf_init(&b, 64 * KIB);
    date_header(&b, now);
    ok = add_header(&list, &b);
    buf_printf(&b, "From: %s", from);
    ok = ok && add_header(&list, &b);
    buf_printf(&b, "To: %.*s", STR_ARG(l->to));
    ok = ok && add_header(&list, &b);
    buf_printf(&b, "Message-ID: %.*s", STR_ARG(l->message_id));
    ok = ok && add_header(&list, &b);
    buf_str(&b, STR("Subject: "));
    header_words(&b, l->subject);
    ok = ok && add_header(&list, &b);
    buf_str(&b, STR("Auto-Submitted: auto-generated"));
    ok = ok && add_header(&list, &b);
    if (!ok) {
        curl_slist_free_all(list);
        return NULL;
    }
    return list;
}

static size_t take_reply(char *p, size_t size, size_t n, void *arg)
{
    struct outcome *o = arg;
    struct str line = str_trim(str_of(p, size * n));

    if (line.n >= 3)
        snprintf(o->reply, sizeof o->reply, "%.*s", STR_ARG(line));
    return size * n;
}

static curl_mime *mime_make(CURL *h, const struct letter_row *l, struct str pdf)
{
    curl_mime *m = curl_mime_init(h);
    curl_mimepart *text = m ? curl_mime_addpart(m) : NULL, *file;
    char name[120];
    bool ok = text && curl_mime_data(text, l->body.p, l->body.n) == CURLE_OK && curl_mime_type(text, "text/plain; charset=utf-8") == CURLE_OK &&
              curl_mime_encoder(text, "base64") == CURLE_OK;

    if (ok && pdf.n) {
        file = curl_mime_addpart(m);
        snprintf(name, sizeof name, "%.*s-%.8s.pdf", STR_ARG(l->kind), l->sha256.p);
        ok = file && curl_mime_data(file, pdf.p, pdf.n) == CURLE_OK && curl_mime_type(file, "application/pdf") == CURLE_OK &&
             curl_mime_filename(file, name) == CURLE_OK && curl_mime_encoder(file, "base64") == CURLE_OK;
    }
    if (!ok) {
        curl_mime_free(m);
        return NULL;
    }
    return m;
}

static int set_login(struct desk *d, CURL *h, struct err *e)
{
    const struct node *n = d->setup.node;
    AUTO_BUF struct buf b = { 0 };

    curl_easy_setopt(h, CURLOPT_USE_SSL, (long)(*n->smtp_user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (!*n->smtp_user)
        return 0;
    buf_init(&b, 4 * KIB);
    int rc = file_read(n->smtp_password_file, 1024, &b, e);
    if (rc < 0)
        return rc;
    AUTO_FREE char *password = strndup(str_trim(buf_view(&b)).p, str_trim(buf_view(&b)).n);
    curl_easy_setopt(h, CURLOPT_USERNAME, n->smtp_user);
    curl_easy_setopt(h, CURLOPT_PASSWORD, password ? password : "");
    explicit_bzero(b.p, b.n);
    return 0;
}

static void smtp_send(struct desk *d, const struct letter_row *l, struct str pdf, time_ns now, struct outcome *o)
{
    const struct node *n = d->setup.node;
    CURL *h = curl_easy_init();
    struct curl_slist *headers = headers_make(l, n->smtp_from, now), *to = NULL;
    curl_mime *mime = h ? mime_make(h, l, pdf) : NULL;
    char from[300], rcpt[300];
    struct err e = { 0 };

    snprintf(from, sizeof from, "<%.280s>", n->smtp_from);
    snprintf(rcpt, sizeof rcpt, "<%.*s>", (int)min_size(l->to.n, 280), l->to.p);
    to = curl_slist_append(NULL, rcpt);
    if (!h || !headers || !mime || !to) {
        snprintf(o->error, sizeof o->error, "no memory for a letter");
    } else if (set_login(d, h, &e) < 0) {
        snprintf(o->error, sizeof o->error, "%.*s", (int)sizeof o->error - 1, e.text);
    } else {
        curl_easy_setopt(h, CURLOPT_URL, n->smtp_url);
        curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(h, CURLOPT_MAIL_FROM, from);
        curl_easy_setopt(h, CURLOPT_MAIL_RCPT, to);
        curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(h, CURLOPT_MIMEPOST, mime);
        curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, MAIL_CONNECT_S);
        curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)DESK_MAIL_TRY_S);
        curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_reply);
        curl_easy_setopt(h, CURLOPT_HEADERDATA, o);
        CURLcode rc = curl_easy_perform(h);
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &o->code);
        o->accepted = rc == CURLE_OK;
        if (!o->accepted)
            snprintf(o->error, sizeof o->error, "%s%s%.200s", curl_easy_strerror(rc), o->reply[0] ? ": " : "", o->reply);
        /* QUIT follows when the handle goes; what it answers is no proof of anything. */
        curl_easy_setopt(h, CURLOPT_HEADERDATA, &(struct outcome){ 0 });
    }
    curl_mime_free(mime);
    curl_slist_free_all(headers);
    curl_slist_free_all(to);
    curl_easy_cleanup(h);
}

/* --- the queue --- */

/* relay_of - the key of the mail server as a receiver: another address in the settings is another receiver. */
static struct str relay_of(struct call *c) { return arena_printf(&c->a, "mail %s", c->d->setup.node->smtp_url); }

static bool is_document(const struct letter_row *l) { return l->sha256.n != 0; }

/* tell - one line in the timeline of what the letter is about. */
static int tell(struct call *c, const struct letter_row *l, const struct line *line)
{
    return timeline_of(c, &(struct subject){ .kind = l->subject_kind.p, .id = l->subject_id, .case_id = l->case_id }, line);
}

static int letter_stop(struct call *c, struct letter_row *l)
{
    int rc = queue_stop(c, l->id, "notice", l->to);

    l->stopped = true;
    if (rc < 0 || !is_document(l))
        return rc < 0 ? rc : 0;
    return tell(c, l, &(struct line){ .kind = "notice_failed", .channel = "email", .addressee = l->to, .key = "case.text.label_stopped",
                                      .message_id = l->message_id.p, .sha256 = l->sha256.p, .internal = l->internal != 0 });
}

/* letter_next - the one that waits longest and is due; stopped if it may not go any more. */
static int letter_next(struct call *c, struct letter_row *l)
{
    struct str relay = relay_of(c);
    bool may;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, coalesce(case_id, 0), attempts, internal, kind, addressee, message_id, sha256, subject_line, body, subject, subject_id"
                                " FROM notice n WHERE channel = 'email' AND " QUEUE_DUE("n", "?1") " AND NOT " RECEIVER_RESTS("?2", "?1")
                                " ORDER BY next_try_at, id LIMIT 1",
                                "it", c->now, relay);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *l = (struct letter_row){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2) + 1, sqlite3_column_int64(st, 3),
                              db_copy(st, 10, &c->a), db_copy(st, 11, &c->a), db_copy(st, 4, &c->a), db_copy(st, 5, &c->a), db_copy(st, 6, &c->a),
                              db_copy(st, 7, &c->a), db_copy(st, 8, &c->a), db_copy(st, 9, &c->a), false };
    db_done(st);
    rc = queue_letter_may(c, l->case_id, l->to, &may);
    if (rc == 0 && !may)
        rc = letter_stop(c, l);
    if (rc < 0 || l->stopped)
        return rc < 0 ? rc : 1;
    rc = queue_put_off(c, l->id, l->attempts, relay, DESK_MAIL_TRY_S * NS_PER_SECOND);
    return rc < 0 ? rc : 1;
}

static int record_sent(struct call *c, const struct letter_row *l, const struct outcome *o)
{
    int rc = queue_sent(c, l->id, o->reply, relay_of(c), "email", (struct str){ NULL, 0 });

    if (rc >= 0)
        rc = audit_add(c, "notice.send", "notice", l->to, "ok");
    if (rc < 0 || !is_document(l))
        return rc;
    return tell(c, l, &(struct line){ .kind = "notice_sent", .channel = "email", .addressee = l->to, .message_id = l->message_id.p,
                                                       .smtp_reply = o->reply, .sha256 = l->sha256.p, .internal = l->internal != 0 });
}

/* relay_ill - is it the server that is in trouble, not this letter? 421 says so itself; 530 to 538 concern our login, and no letter is given up
 * for a wrong password. */
static bool relay_ill(const struct outcome *o)
{
    return !o->own && (o->code < 400 || o->code > 599 || o->code == 421 || (o->code >= 530 && o->code <= 538));
}

static int record_failed(struct call *c, const struct letter_row *l, const struct outcome *o)
{
    const bool ill = relay_ill(o), lasting = !o->own && !ill && o->code >= 500 && l->attempts >= MAIL_REFUSALS_MOST;
    const enum queue_receiver relay = o->own ? QUEUE_NOT_ASKED : ill ? QUEUE_SILENT : QUEUE_ANSWERED;
    int rc = queue_failed(c, &(struct queue_failure){ l->id, l->attempts, o->error, relay, lasting }, relay_of(c), "email", (struct str){ NULL, 0 });
    const bool over = rc > 0;

    log_line(LOG_WARN, over ? "could not send a letter, giving up" : "could not send a letter, it waits", "destination.address", l->to.p,
             "error.message", o->error, NULL);
    if (rc >= 0 && over)
        rc = audit_add(c, "notice.send", "notice", l->to, "failed");
    /* The first failure and the last are told; those between stand in the row's counter. */
    if (rc < 0 || !is_document(l) || (l->attempts > 1 && !over))
        return rc < 0 ? rc : 0;
    return tell(c, l, &(struct line){ .kind = "notice_failed", .channel = "email", .addressee = l->to, .text = str_c(o->error),
                                                       .message_id = l->message_id.p, .smtp_reply = o->reply[0] ? o->reply : NULL,
                                                       .sha256 = l->sha256.p, .internal = l->internal != 0 });
}

static int one_letter(struct call *c)
{
    struct letter_row l = { 0 };
    struct outcome o = { 0 };
    AUTO_BUF struct buf pdf = { 0 };
    char tail[100], path[4096];
    time_ns began = clock_steady();
    int rc = db_begin(c->d, c->e);

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    if (rc == 0)
        rc = db_end(c->d, letter_next(c, &l), c->e);
    if (rc <= 0 || l.stopped)
        return rc;
    snprintf(tail, sizeof tail, "documents/%.*s.pdf", STR_ARG(l.sha256));
    if (l.sha256.n && file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, &pdf, c->e) < 0) {
        snprintf(o.error, sizeof o.error, "%.*s", (int)sizeof o.error - 1, c->e->text);
        o.own = true;
    } else
        smtp_send(c->d, &l, buf_view(&pdf), c->now, &o);
    c->now += clock_steady() - began;
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, o.accepted ? record_sent(c, &l, &o) : record_failed(c, &l, &o), c->e);
    return rc < 0 ? rc : 1;
}

int desk_mail_turn(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    int64_t waiting = 0;
    struct call c;
    int rc, tried = 0;

    if (!*d->setup.node->smtp_url)
        return 0;   /* no mail server: letters wait, visibly, until there is one */
    desk_call_init(&c, d, NULL, now, &r);
    rc = queue_waiting(&c, "email", &waiting);
    while (rc >= 0 && waiting && tried < DESK_MAIL_TURN && (rc = one_letter(&c)) > 0) {
        arena_reset(&c.a);
        tried++;
    }
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc < 0 ? rc : tried;
}
