/* webhook.c - notices handed to an organisation's own system: one HTTPS POST of JSON, signed with HMAC-SHA-256 by a key that the two share.
 *
 * Body: {"delivery":"17","sha256":"…","notice":{frozen bytes}}. Header "X-Saqshy-Signature: sha256=HEX" is the HMAC of the body under the key,
 * "X-Saqshy-Delivery" its number: the same in every try, so that the receiver can drop what it has. 2xx is a receipt.
 * An address is judged when the connection is made, not when it is set: a name may lead elsewhere by then. No redirects, no proxy.
 *
 * One transfer a receiver, HOOK_SLOTS at once, over the turns of the worker: a receiver that hangs costs the others nothing. What was on its way
 * when the desk closed is tried again (queue.h). */
#include "desk/notices/api.h"
#include "desk/notices/queue.h"
#include "desk/notices/room.h"
#include "base/log.h"
#include "desk/link/wire.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/hmac.h>
#include <sys/socket.h>

#define HOOK_CONNECT_S    10L
#define HOOK_TRY_S        20L
#define HOOK_TURN         16    /* deliveries begun in one turn */
#define HOOK_TURN_MS      1000  /* a turn waits so long for answers; what is still on its way goes on in the next */
#define HOOK_SLOTS        16    /* receivers at once */
#define HOOK_ANSWER_MAX   512
#define SECRET_LETTERS    64

struct hook_row {
    int64_t    id, attempts, case_id;
    struct str url, secret, sha256, canonical, addressee, subject_kind, subject_id, pdf, org_id;
};

struct hook_try {
    char answer[HOOK_ANSWER_MAX];
    size_t n;
    char error[300];
    long code;
    bool open_world;            /* private addresses are allowed */
};

/* One transfer on its way; free while h is NULL. Owns all it holds. */
struct hook_slot {
    struct arena       a;       /* the texts of row */
    struct hook_row    row;
    struct hook_try    t;
    struct buf         body;
    struct curl_slist *headers;
    CURL              *h;
};

struct hooks {
    CURLM           *multi;
    struct hook_slot slots[HOOK_SLOTS];
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

static void transfer_set(struct desk *d, struct hook_slot *s)
{
    curl_easy_setopt(s->h, CURLOPT_URL, s->row.url.p);
    curl_easy_setopt(s->h, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(s->h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(s->h, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(s->h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->h, CURLOPT_CONNECTTIMEOUT, HOOK_CONNECT_S);
    curl_easy_setopt(s->h, CURLOPT_TIMEOUT, HOOK_TRY_S);
    curl_easy_setopt(s->h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (*d->setup.node->webhook_ca)
        curl_easy_setopt(s->h, CURLOPT_CAINFO, d->setup.node->webhook_ca);
    curl_easy_setopt(s->h, CURLOPT_POSTFIELDS, s->body.p);
    curl_easy_setopt(s->h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n);
    curl_easy_setopt(s->h, CURLOPT_HTTPHEADER, s->headers);
    curl_easy_setopt(s->h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(s->h, CURLOPT_OPENSOCKETDATA, &s->t);
    curl_easy_setopt(s->h, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(s->h, CURLOPT_WRITEDATA, &s->t);
    curl_easy_setopt(s->h, CURLOPT_FRESH_CONNECT, 1L);   /* an address is judged for each delivery */
    curl_easy_setopt(s->h, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(s->h, CURLOPT_PRIVATE, s);
}

static void slot_clear(struct hooks *hooks, struct hook_slot *s)
{
    if (s->h) {
        curl_multi_remove_handle(hooks->multi, s->h);
        curl_easy_cleanup(s->h);
    }
    curl_slist_free_all(s->headers);
    buf_free(&s->body);
    arena_free(&s->a);
    *s = (struct hook_slot){ .h = NULL };
}

void webhooks_end(struct desk *d)
{
    if (!d->hooks)
        return;
    for (size_t i = 0; i < HOOK_SLOTS; i++)
        slot_clear(d->hooks, &d->hooks->slots[i]);
    curl_multi_cleanup(d->hooks->multi);
    free(d->hooks);
    d->hooks = NULL;
}

static int hooks_ready(struct call *c)
{
    if (c->d->hooks)
        return 0;
    c->d->hooks = calloc(1, sizeof *c->d->hooks);
    if (c->d->hooks && (c->d->hooks->multi = curl_multi_init()) != NULL)
        return 0;
    free(c->d->hooks);
    c->d->hooks = NULL;
    return err_set(c->e, -ENOMEM, "no memory for webhooks");
}

/* --- the queue --- */

static struct str receiver_of(struct call *c, const struct hook_row *row) { return arena_printf(&c->a, "webhook %.*s", STR_ARG(row->url)); }

static int tell(struct call *c, const struct hook_row *row, const char *kind, const char *key, const char *text)
{
    return timeline_of(c, &(struct subject){ .kind = row->subject_kind.p, .id = row->subject_id, .case_id = row->case_id },
                       &(struct line){ .kind = kind, .channel = "webhook", .addressee = row->addressee, .key = key, .text = str_c(text), .sha256 = row->pdf.p });
}

/* pick - what waits longest for a receiver that neither rests nor has a delivery on its way. Texts in the arena of the slot. */
static int pick(struct call *c, struct hook_slot *s)
{
    struct hook_row *row = &s->row;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT n.id, n.attempts, coalesce(n.case_id, 0), w.url, w.secret, r.sha256, r.canonical, n.addressee, n.subject, n.subject_id,"
                                " n.sha256, n.org_id FROM notice n JOIN notice_record r ON r.id = n.record_id JOIN org_webhook w ON w.org_id = n.org_id AND"
                                " w.active = 1 WHERE n.channel = 'webhook' AND " QUEUE_DUE("n", "?1") " AND NOT " RECEIVER_RESTS("'webhook ' || w.url", "?1")
                                " ORDER BY n.next_try_at, n.id LIMIT 1",
                                "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *row = (struct hook_row){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1) + 1, sqlite3_column_int64(st, 2), db_copy(st, 3, &s->a),
                              db_copy(st, 4, &s->a), db_copy(st, 5, &s->a), db_copy(st, 6, &s->a), db_copy(st, 7, &s->a), db_copy(st, 8, &s->a),
                              db_copy(st, 9, &s->a), db_copy(st, 10, &s->a), db_copy(st, 11, &s->a) };
    db_done(st);
    return 1;
}

/* next - the first of those that the label of their case lets go; what it stops is closed, at most HOOK_TURN in one transaction. */
static int next(struct call *c, struct hook_slot *s)
{
    bool may = false;
    int rc = 0;

    for (int i = 0; i < HOOK_TURN && (rc = pick(c, s)) > 0; i++) {
        rc = queue_org_may(c, s->row.case_id, s->row.org_id, &may);
        if (rc < 0 || may)
            break;
        rc = queue_stop(c, s->row.id, "webhook", s->row.addressee);
        if (rc == 0)
            rc = tell(c, &s->row, "notice_failed", "case.text.label_stopped", NULL);
        if (rc < 0)
            break;
        arena_reset(&s->a);
    }
    if (rc < 0 || !may)
        return rc < 0 ? rc : 0;
    rc = queue_put_off(c, s->row.id, s->row.attempts, receiver_of(c, &s->row), (HOOK_TRY_S + 5) * NS_PER_SECOND);
    return rc < 0 ? rc : 1;
}

/* begin - the next delivery into a free slot. 0 if none is due. */
static int begin(struct call *c, struct hook_slot *s)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    arena_init(&s->a, 2 * NOTICE_CANONICAL_MAX);
    buf_init(&s->body, 2 * NOTICE_CANONICAL_MAX);
    rc = db_end(c->d, next(c, s), c->e);
    if (rc <= 0) {
        slot_clear(c->d->hooks, s);
        return rc;
    }
    buf_printf(&s->body, "{\"delivery\":\"%lld\",\"notice\":", (long long)s->row.id);
    buf_str(&s->body, s->row.canonical);
    buf_printf(&s->body, ",\"sha256\":\"%.64s\"}", s->row.sha256.p);
    s->t.open_world = strcmp(c->d->setup.node->webhooks, "private") == 0;
    s->headers = headers_of(&s->row, buf_view(&s->body));
    s->h = s->headers && !buf_failed(&s->body) && !arena_failed(&s->a) ? curl_easy_init() : NULL;
    if (s->h)
        transfer_set(c->d, s);
    if (!s->h || curl_multi_add_handle(c->d->hooks->multi, s->h) != CURLM_OK) {
        slot_clear(c->d->hooks, s);   /* it was put off, and is tried again */
        return err_set(c->e, -ENOMEM, "no memory for a webhook");
    }
    return 1;
}

static int record_taken(struct call *c, const struct hook_row *row, const struct hook_try *t)
{
    char proof[64];

    snprintf(proof, sizeof proof, "HTTP %ld", t->code);
    int rc = queue_sent(c, row->id, proof, receiver_of(c, row), "webhook", row->org_id);
    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO notice_receipt(record_id, kind, channel, org_id, name, at, recorded_at, note) SELECT record_id, 'delivered',"
                     " 'webhook', org_id, addressee, ?2, ?2, ?3 FROM notice WHERE id = ?1",
                     "iiz", row->id, c->now, proof);
    if (rc >= 0)
        rc = audit_add(c, "notice.send", "webhook", row->addressee, "ok");
    return rc < 0 ? rc : tell(c, row, "notice_sent", NULL, proof);
}

static int record(struct call *c, const struct hook_row *row, const struct hook_try *t)
{
    /* An answer of 4xx is about this notice; 408, 429, 5xx and silence are about the receiver. */
    const bool answered = t->code >= 400 && t->code < 500 && t->code != 408 && t->code != 429;

    if (!*t->error)
        return record_taken(c, row, t);
    int rc = queue_failed(c, &(struct queue_failure){ row->id, row->attempts, t->error, answered ? QUEUE_ANSWERED : QUEUE_SILENT, false },
                          receiver_of(c, row), "webhook", row->org_id);
    const bool over = rc > 0;
    log_line(LOG_WARN, over ? "could not hand a notice to a webhook, giving up" : "could not hand a notice to a webhook, it waits",
             "destination.address", row->url.p, "error.message", t->error, NULL);
    if (rc < 0 || (row->attempts > 1 && !over))
        return rc < 0 ? rc : 0;
    return tell(c, row, "notice_failed", NULL, t->error);
}

/* --- the turn --- */

static int fill(struct call *c, int *begun)
{
    int64_t some = 0;
    int rc = *begun < HOOK_TURN ? queue_waiting(c, "webhook", &some) : 0;

    for (size_t i = 0; rc >= 0 && some && i < HOOK_SLOTS && *begun < HOOK_TURN; i++) {
        struct hook_slot *s = &c->d->hooks->slots[i];

        if (s->h)
            continue;
        rc = begin(c, s);
        if (rc <= 0)
            break;
        ++*begun;
    }
    return rc < 0 ? rc : 0;
}

/* harvest - record what has ended. Returns how many. */
static int harvest(struct call *c)
{
    struct hooks *hooks = c->d->hooks;
    CURLMsg *m;
    int left, ended = 0, rc = 0;

    while (rc >= 0 && (m = curl_multi_info_read(hooks->multi, &left)) != NULL) {
        struct hook_slot *s = NULL;
        const CURLcode code = m->data.result;

        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s);
        curl_easy_getinfo(s->h, CURLINFO_RESPONSE_CODE, &s->t.code);
        if (code != CURLE_OK) {
            s->t.code = 0;
            snprintf(s->t.error, sizeof s->t.error, "%s", curl_easy_strerror(code));
        } else if (s->t.code < 200 || s->t.code > 299)
            snprintf(s->t.error, sizeof s->t.error, "the receiver answered %ld", s->t.code);
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, record(c, &s->row, &s->t), c->e);
        slot_clear(hooks, s);
        arena_reset(&c->a);
        ended++;
    }
    return rc < 0 ? rc : ended;
}

static bool on_the_way(const struct desk *d)
{
    for (size_t i = 0; i < HOOK_SLOTS; i++)
        if (d->hooks->slots[i].h)
            return true;
    return false;
}

static int turn(struct call *c)
{
    const time_ns began = clock_steady(), from = c->now;
    int tried = 0, begun = 0, running, rc = hooks_ready(c);

    while (rc >= 0) {
        rc = fill(c, &begun);
        if (rc < 0 || !on_the_way(c->d) || clock_steady() - began > HOOK_TURN_MS * NS_PER_MS)
            break;
        curl_multi_perform(c->d->hooks->multi, &running);
        c->now = from + (clock_steady() - began);
        rc = harvest(c);
        tried += rc > 0 ? rc : 0;
        if (rc == 0)
            curl_multi_poll(c->d->hooks->multi, NULL, 0, HOOK_TURN_MS / 4, NULL);
    }
    return rc < 0 ? rc : tried;
}

int desk_webhook_turn(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    if (strcmp(d->setup.node->webhooks, "no") == 0)
        return 0;   /* nothing goes out that is not configured: what is queued waits, visibly */
    desk_call_init(&c, d, NULL, now, &r);
    rc = turn(&c);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

bool webhooks_on_the_way(const struct desk *d) { return d->hooks && on_the_way(d); }

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
