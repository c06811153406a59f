/* webhook.c - notices handed to an organisation's own system: one HTTPS POST of JSON, signed with HMAC-SHA-256 by a key that the two share.
 *
 * Body: {"delivery":"17","sha256":"…","notice":{frozen bytes}}. Header "X-Saqshy-Signature: sha256=HEX" is the HMAC of the body under the key,
 * "X-Saqshy-Delivery" its number: the same in every try, so that the receiver can drop what it has. 2xx is a receipt.
 * An address is judged when the connection is made, not when it is set: a name may lead elsewhere by then. No redirects, no proxy. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "base/log.h"
#include "desk/link/wire.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/hmac.h>
#include <sys/socket.h>

#define HOOK_CONNECT_S    10L
#define HOOK_TRY_S        20L
#define HOOK_PAUSE_FIRST  (15 * NS_PER_SECOND)
#define HOOK_PAUSE_MOST   NS_PER_HOUR
#define HOOK_TRIES_MOST   100   /* about four days */
#define HOOK_TURN         4     /* deliveries of one turn */
#define HOOK_ANSWER_MAX   512
#define SECRET_LETTERS    64

struct hook_row {
    int64_t    id, attempts, case_id;
    struct str url, secret, sha256, canonical, addressee, subject_kind, subject_id, pdf;
};

struct hook_try {
    char answer[HOOK_ANSWER_MAX];
    size_t n;
    char error[300];
    long code;
    bool open_world;            /* private addresses are allowed */
};

/* --- addresses --- */

static bool v4_private(uint32_t a)
{
    static const struct { uint32_t net, mask; } nets[] = {
        { 0x00000000, 0xff000000 }, { 0x0a000000, 0xff000000 }, { 0x64400000, 0xffc00000 }, { 0x7f000000, 0xff000000 }, { 0xa9fe0000, 0xffff0000 },
        { 0xac100000, 0xfff00000 }, { 0xc0000000, 0xffffff00 }, { 0xc0000200, 0xffffff00 }, { 0xc0a80000, 0xffff0000 }, { 0xc6120000, 0xfffe0000 },
        { 0xc6336400, 0xffffff00 }, { 0xcb007100, 0xffffff00 }, { 0xe0000000, 0xe0000000 },
    };

    for (size_t i = 0; i < COUNT(nets); i++)
        if ((a & nets[i].mask) == nets[i].net)
            return true;
    return false;
}

bool webhook_address_private(const struct sockaddr *s)
{
    const unsigned char *p;

    if (s->sa_family == AF_INET)
        return v4_private(ntohl(((const struct sockaddr_in *)(const void *)s)->sin_addr.s_addr));
    if (s->sa_family != AF_INET6)
        return true;
    p = ((const struct sockaddr_in6 *)(const void *)s)->sin6_addr.s6_addr;
    /* Only 2000::/3 is the public world; of it 2002 (6to4) and 2001:0 (Teredo) hide an address of version 4, 2001:db8 is for books. */
    return (p[0] & 0xe0) != 0x20 || (p[0] == 0x20 && p[1] == 0x02) ||
           (p[0] == 0x20 && p[1] == 0x01 && ((p[2] == 0 && p[3] == 0) || (p[2] == 0x0d && p[3] == 0xb8)));
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    const struct hook_try *t = arg;

    (void)purpose;
    if (!t->open_world && webhook_address_private(&a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* --- one try --- */

static size_t take_answer(char *p, size_t size, size_t n, void *arg)
{
    struct hook_try *t = arg;
    size_t room = sizeof t->answer - 1 - t->n, take = min_size(room, size * n);

    memcpy(t->answer + t->n, p, take);
    t->n += take;
    return size * n;
}

void webhook_sign(struct str key, struct str body, char out[72])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char hex[65];

    HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)body.p, body.n, mac, &n);
    secret_hex(mac, 32, hex);
    snprintf(out, 72, "sha256=%s", hex);
}

static struct curl_slist *headers_of(const struct hook_row *row, struct str body)
{
    char line[160], sum[72];
    struct curl_slist *list, *more;

    webhook_sign(row->secret, body, sum);
    snprintf(line, sizeof line, "X-Saqshy-Signature: %s", sum);
    list = curl_slist_append(NULL, line);
    snprintf(line, sizeof line, "X-Saqshy-Delivery: %lld", (long long)row->id);
    more = list ? curl_slist_append(list, line) : NULL;
    more = more ? curl_slist_append(more, "Content-Type: application/json") : NULL;
    more = more ? curl_slist_append(more, "Expect:") : NULL;
    if (!more)
        curl_slist_free_all(list);
    return more;
}

static void post(struct desk *d, const struct hook_row *row, struct str body, struct hook_try *t)
{
    CURL *h = curl_easy_init();
    struct curl_slist *headers = headers_of(row, body);
    CURLcode rc;

    t->open_world = strcmp(d->setup.node->webhooks, "private") == 0;
    if (!h || !headers) {
        snprintf(t->error, sizeof t->error, "no memory for a webhook");
    } else {
        curl_easy_setopt(h, CURLOPT_URL, row->url.p);
        curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, HOOK_CONNECT_S);
        curl_easy_setopt(h, CURLOPT_TIMEOUT, HOOK_TRY_S);
        curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        if (*d->setup.node->webhook_ca)
            curl_easy_setopt(h, CURLOPT_CAINFO, d->setup.node->webhook_ca);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
        curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
        curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_answer);
        curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
        rc = curl_easy_perform(h);
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &t->code);
        if (rc != CURLE_OK)
            snprintf(t->error, sizeof t->error, "%s", curl_easy_strerror(rc));
        else if (t->code < 200 || t->code > 299)
            snprintf(t->error, sizeof t->error, "the receiver answered %ld", t->code);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(h);
}

/* --- the queue --- */

static int next(struct call *c, struct hook_row *row)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT n.id, n.attempts, coalesce(n.case_id, 0), w.url, w.secret, r.sha256, r.canonical, n.addressee, n.subject, n.subject_id,"
                                " n.sha256 FROM notice n JOIN notice_record r ON r.id = n.record_id JOIN org_webhook w ON w.org_id = n.org_id AND w.active = 1"
                                " WHERE n.channel = 'webhook' AND n.state = 'queued' AND n.next_try_at <= ? ORDER BY n.next_try_at, n.id LIMIT 1",
                                "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *row = (struct hook_row){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1) + 1, sqlite3_column_int64(st, 2), db_copy(st, 3, &c->a),
                              db_copy(st, 4, &c->a), db_copy(st, 5, &c->a), db_copy(st, 6, &c->a), db_copy(st, 7, &c->a), db_copy(st, 8, &c->a),
                              db_copy(st, 9, &c->a), db_copy(st, 10, &c->a) };
    db_done(st);
    time_ns pause = HOOK_PAUSE_FIRST << (row->attempts - 1 > 10 ? 10 : row->attempts - 1);
    rc = db_exec(c->d, c->e, "UPDATE notice SET attempts = ?2, next_try_at = ?3 WHERE id = ?1", "iii", row->id, row->attempts,
                 c->now + (pause > HOOK_PAUSE_MOST ? HOOK_PAUSE_MOST : pause));
    return rc < 0 ? rc : 1;
}

static int tell(struct call *c, const struct hook_row *row, const char *kind, const char *text)
{
    return timeline_of(c, &(struct subject){ .kind = row->subject_kind.p, .id = row->subject_id, .case_id = row->case_id },
                       &(struct line){ .kind = kind, .channel = "webhook", .addressee = row->addressee, .text = str_c(text), .sha256 = row->pdf.p });
}

static int record(struct call *c, const struct hook_row *row, const struct hook_try *t)
{
    bool over = row->attempts >= HOOK_TRIES_MOST;
    char proof[64];
    int rc;

    if (!*t->error) {
        snprintf(proof, sizeof proof, "HTTP %ld", t->code);
        rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'sent', sent_at = ?2, smtp_reply = ?3, last_error = NULL WHERE id = ?1", "iiz", row->id, c->now,
                     proof);
        if (rc >= 0)
            rc = db_exec(c->d, c->e,
                         "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, note) SELECT record_id, 'delivered',"
                         " 'webhook', org_id, addressee, ?2, ?2, ?3 FROM notice WHERE id = ?1",
                         "iiz", row->id, c->now, proof);
        if (rc >= 0)
            rc = audit_add(c, "notice.send", "webhook", row->addressee, "ok");
        return rc < 0 ? rc : tell(c, row, "notice_sent", proof);
    }
    log_line(LOG_WARN, over ? "could not hand a notice to a webhook, giving up" : "could not hand a notice to a webhook, it waits",
             "destination.address", row->url.p, "error.message", t->error, NULL);
    rc = db_exec(c->d, c->e, "UPDATE notice SET state = ?2, last_error = ?3 WHERE id = ?1", "izz", row->id, over ? "failed" : "queued", t->error);
    if (rc < 0 || (row->attempts > 1 && !over))
        return rc < 0 ? rc : 0;
    return tell(c, row, "notice_failed", t->error);
}

static int one(struct call *c)
{
    struct hook_row row = { 0 };
    struct hook_try t = { .n = 0 };
    AUTO_BUF struct buf body = { 0 };
    time_ns began = clock_steady();
    int rc = db_begin(c->d, c->e);

    buf_init(&body, 2 * NOTICE_CANONICAL_MAX);
    if (rc == 0)
        rc = db_end(c->d, next(c, &row), c->e);
    if (rc <= 0)
        return rc;
    buf_printf(&body, "{\"delivery\":\"%lld\",\"notice\":", (long long)row.id);
    buf_str(&body, row.canonical);
    buf_printf(&body, ",\"sha256\":\"%.64s\"}", row.sha256.p);
    post(c->d, &row, buf_view(&body), &t);
    c->now += clock_steady() - began;
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, record(c, &row, &t), c->e);
    return rc < 0 ? rc : 1;
}

int desk_webhook_turn(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    int64_t waiting = 0;
    struct call c;
    int rc, tried = 0;

    if (strcmp(d->setup.node->webhooks, "no") == 0)
        return 0;   /* nothing goes out that is not configured: what is queued waits, visibly */
    desk_call_init(&c, d, NULL, now, &r);
    rc = db_int(d, c.e, 0, &waiting, "SELECT count(*) FROM notice WHERE channel = 'webhook' AND state = 'queued' AND next_try_at <= ?", "i", now);
    while (rc >= 0 && waiting && tried < HOOK_TURN && (rc = one(&c)) > 0) {
        arena_reset(&c.a);
        tried++;
    }
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc < 0 ? rc : tried;
}

/* --- what the administrator sets: the key is told once, when it is made --- */

static int shown(struct call *c, struct str org, const char *secret)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT url, active, updated_at FROM org_webhook WHERE org_id = ?", "t", org);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no webhook");
    c->r->json = json_pack("{s:o, s:b, s:o, s:o}", "url", db_json(st, 0), "active", sqlite3_column_int(st, 1), "updated_at", db_json_time(st, 2), "secret",
                           secret ? json_string(secret) : json_null());
    db_done(st);
    return 0;
}

int desk_webhook(struct desk *d, const struct viewer *v, struct str org, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = shown(&c, org, NULL);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int set(struct call *c, struct str org, const json_t *body, char secret[SECRET_LETTERS + 1])
{
    struct str url = json_get_str(body, "url");
    unsigned char raw[SECRET_LETTERS / 2];
    int64_t known = 0, had = 0;
    int rc = db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM org WHERE id = ?", "t", org);

    *secret = 0;
    if (rc == 0 && !known)
        return refuse(c, -ENOENT, "not_found", NULL, "no such organisation");
    if (rc == 0 && !link_url_valid(url))
        return refuse(c, -EINVAL, "bad_request", "url", "https://HOST[:PORT][/PATH], without user, query or fragment");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &had, "SELECT count(*) FROM org_webhook WHERE org_id = ?", "t", org);
    if (rc == 0 && (!had || json_is_true(json_object_get(body, "new_secret")))) {
        rc = secret_random(raw, sizeof raw, c->e);
        secret_hex(raw, sizeof raw, secret);
    }
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO org_webhook(org_id, url, secret, active, created_at, updated_at) VALUES (?1,?2,?3,?4,?5,?5) ON CONFLICT(org_id) DO UPDATE"
                     " SET url = ?2, secret = CASE WHEN ?3 = '' THEN secret ELSE ?3 END, active = ?4, updated_at = ?5",
                     "ttzii", org, url, secret, (int64_t)json_is_true(json_object_get(body, "active")), c->now);
    return rc < 0 ? rc : audit_add(c, "webhook.set", "organisation", org, "ok");
}

int desk_webhook_set(struct desk *d, const struct viewer *v, struct str org, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "url", BODY_STRING, true, false, 1, 500, NULL },
        { "active", BODY_BOOL, true, false, 0, 0, NULL },
        { "new_secret", BODY_BOOL, false, false, 0, 0, NULL },
    };
    char secret[SECRET_LETTERS + 1] = "";
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, v, now, r);
    if (body_check(body, fields, COUNT(fields), r->field, c.e) < 0)
        rc = refuse(&c, -EINVAL, "bad_request", NULL, "%s", r->err.text);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, set(&c, org, body, secret), c.e);
    if (rc >= 0)
        rc = shown(&c, org, *secret ? secret : NULL);
    explicit_bzero(secret, sizeof secret);
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}
