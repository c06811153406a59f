/* client.c - the side that connects: one thread, a few exchanges at a time, each bounded in time and bytes.
 *
 * A turn: collect what was issued, begin an exchange with every node whose time has come, wait for any of them, take what came back. A node that
 * does not answer costs one slot until its time-out and then waits, longer each time; the others go on meanwhile. */
#include "desk/link/room.h"
#include "base/log.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#define SLOTS      8
#define CONNECT_S  10L
#define TRY_S      120L
#define TURN_MS    1000

struct slot {
    CURL      *curl;            /* NULL: free */
    char       node[PKI_NAME_MAX + 1], url[600];
    char       error[CURL_ERROR_SIZE];
    struct curl_slist *headers;
    struct buf request, answer, pem;
    bool       more;
};

struct link_client {
    struct desk_setup setup;
    struct desk      *desk;
    CURLM            *multi;
    struct slot       slot[SLOTS];
    char              cert[4096], key[4096];
    pthread_t         thread;
    bool              started;
    bool              stop;     /* atomic */
    char              told[ERR_TEXT_MAX];
};

static size_t take(char *p, size_t one, size_t n, void *arg)
{
    struct buf *b = arg;

    buf_put(b, p, one * n);
    return buf_failed(b) ? 0 : one * n;
}

static void slot_free(struct link_client *l, struct slot *s)
{
    if (s->curl) {
        curl_multi_remove_handle(l->multi, s->curl);
        curl_easy_cleanup(s->curl);
    }
    curl_slist_free_all(s->headers);
    buf_free(&s->request);
    buf_free(&s->answer);
    buf_free(&s->pem);
    *s = (struct slot){ 0 };
}

/* slot_options - TLS that trusts the certificates of this one node and nobody else. The name in the URL says nothing about a node: its certificate
 * does, so names are not compared. */
static int slot_options(struct link_client *l, struct slot *s, struct err *e)
{
    struct curl_blob pem = { s->pem.p, s->pem.n, CURL_BLOB_COPY };
    CURL *c = s->curl;

    s->headers = curl_slist_append(NULL, "Content-Type: application/vnd.saqshy.bundle");
    s->headers = s->headers ? curl_slist_append(s->headers, "Expect:") : NULL;
    if (!s->headers || curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &pem) != CURLE_OK)
        return err_set(e, -ENOMEM, "no memory for a connection");
    curl_easy_setopt(c, CURLOPT_URL, s->url);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, s->headers);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->request.n);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, s->request.p);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &s->answer);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->error);
    curl_easy_setopt(c, CURLOPT_PRIVATE, s);
    curl_easy_setopt(c, CURLOPT_SSLCERT, l->cert);
    curl_easy_setopt(c, CURLOPT_SSLKEY, l->key);
    curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, TRY_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 30L);
    return curl_multi_add_handle(l->multi, c) == CURLM_OK ? 0 : err_set(e, -ENOMEM, "no memory for a connection");
}

static int certs_of(struct desk *d, const char *node, struct buf *out, struct err *e)
{
    sqlite3_stmt *st = db_query(d, e, "SELECT pem FROM link_cert WHERE node = ? AND removed_at IS NULL ORDER BY added_at DESC", "z", node);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, e)) > 0)
        buf_str(out, db_str(st, 0));
    return rc < 0 ? rc : buf_failed(out) || !out->n ? err_set(e, -ENOENT, "node \"%s\" has no certificate", node) : 0;
}

static int slot_begin(struct link_client *l, struct slot *s, const char *node, const char *url, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int64_t count;
    int rc;

    *s = (struct slot){ .curl = curl_easy_init() };
    snprintf(s->node, sizeof s->node, "%s", node);
    snprintf(s->url, sizeof s->url, "%s%slink/v1/envelopes", url, url[strlen(url) - 1] == '/' ? "" : "/");
    buf_init(&s->request, LINK_BODY_MAX);
    buf_init(&s->answer, LINK_BODY_MAX);
    buf_init(&s->pem, LINK_CERTS_MAX * LINK_CARD_MAX);
    if (!s->curl)
        return err_set(e, -ENOMEM, "no memory for a connection");
    desk_call_init(&c, l->desk, NULL, now, &r);
    rc = bundle_make(&c, str_c(node), LINK_BATCH_BYTES, &s->request, &count, &s->more);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    if (rc == 0)
        rc = certs_of(l->desk, node, &s->pem, e);
    return rc < 0 ? rc : slot_options(l, s, e);
}

/* refusal_of - what the other node said, for people: the code and the sentence of its answer. */
static void refusal_of(const struct slot *s, long status, struct err *e)
{
    json_t *j = NULL;

    if (s->answer.n < 64 * KIB && link_json_read(str_trim(buf_view(&s->answer)), &j, NULL) == 0 && json_get_str(j, "code").n)
        err_set(e, -EPROTO, "the node refuses (%ld, %.*s): %.*s", status, STR_ARG(json_get_str(j, "code")), STR_ARG(json_get_str(j, "detail")));
    else
        err_set(e, -EPROTO, "the node answers with status %ld", status);
    json_decref(j);
}

/* next_exchange - soon, if something waits on our side or more may wait on theirs; else after the pause of polling. */
static int next_exchange(struct desk *d, const char *node, bool soon, time_ns now, struct err *e)
{
    int rc = db_begin(d, e);

    if (rc < 0)
        return rc;
    rc = db_exec(d, e, "UPDATE link_peer SET attempts = 0, last_error = NULL, last_contact_at = ?2, next_try_at = CASE WHEN ?3 OR out_sequence > acked THEN 0"
                       " ELSE ?4 END WHERE node = ?1",
                 "ziii", node, now, (int64_t)soon, now + d->setup.node->link_poll_s * NS_PER_SECOND);
    return db_end(d, rc, e);
}

static int slot_take(struct link_client *l, struct slot *s, CURLcode code, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct taken t;
    struct call c;
    long status = 0;
    int rc;

    if (code != CURLE_OK)
        return err_set(e, -EIO, "%s: %s", s->url, s->error[0] ? s->error : curl_easy_strerror(code));
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        refusal_of(s, status, e);
        return -EPROTO;
    }
    desk_call_init(&c, l->desk, NULL, now, &r);
    rc = bundle_take(&c, buf_view(&s->answer), false, NULL, &t);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    else if (strcmp(t.node, s->node) != 0)
        rc = err_set(e, -EPROTO, "node \"%s\" answered instead of \"%s\"", t.node, s->node);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc < 0 ? rc : next_exchange(l->desk, s->node, s->more || t.applied > 0 || t.gap, now, e);
}

static void failed(struct link_client *l, const char *node, const struct err *e, time_ns now)
{
    log_line(LOG_WARN, "could not exchange with a node, trying again later", "saqshy.node", node, "error.message", e->text, NULL);
    peer_failed(l->desk, str_c(node), e->text, true, now);
}

static bool busy(const struct link_client *l, const char *node)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (l->slot[i].curl && strcmp(l->slot[i].node, node) == 0)
            return true;
    return false;
}

static struct slot *free_slot(struct link_client *l)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (!l->slot[i].curl)
            return &l->slot[i];
    return NULL;
}

/* begin_due - those that waited longest first. */
static int begin_due(struct link_client *l, time_ns now, struct err *e)
{
    struct { char node[PKI_NAME_MAX + 1], url[512]; } due[SLOTS];
    size_t n = 0;
    sqlite3_stmt *st = db_query(l->desk, e,
                                "SELECT node, url FROM link_peer WHERE active = 1 AND url IS NOT NULL AND next_try_at <= ? ORDER BY next_try_at, node"
                                " LIMIT 64",
                                "i", now);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(l->desk, st, e)) > 0 && n < SLOTS) {
        snprintf(due[n].node, sizeof due[n].node, "%.*s", STR_ARG(db_str(st, 0)));
        snprintf(due[n].url, sizeof due[n].url, "%.*s", STR_ARG(db_str(st, 1)));
        n += !busy(l, due[n].node);
    }
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        struct slot *s = free_slot(l);
        struct err why = { 0 };

        if (!s)
            break;
        if (slot_begin(l, s, due[i].node, due[i].url, now, &why) < 0) {
            failed(l, due[i].node, &why, now);
            slot_free(l, s);
        }
    }
    return rc < 0 ? rc : 0;
}

static void take_ended(struct link_client *l, time_ns now)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        struct slot *s = NULL;
        struct err e = { 0 };

        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        if (slot_take(l, s, code, now, &e) < 0)
            failed(l, s->node, &e, now);
        slot_free(l, s);
    }
}

static void turn(struct link_client *l)
{
    struct err e = { 0 };
    time_ns now = clock_now();
    int running = 0, rc = link_collect(l->desk, now, &e);

    /* What stands in the outboxes goes out, even if something more could not be put there. */
    if (strcmp(l->setup.node->link_connect, "yes") == 0) {
        struct err why = { 0 };
        int begun = begin_due(l, now, &why);

        if (rc >= 0 && begun < 0)
            rc = err_set(&e, begun, "%s", why.text);
    }
    if (rc < 0 && strcmp(l->told, e.text) != 0)
        log_line(LOG_ERROR, "could not finish a turn of the links, trying again", "error.message", e.text, NULL);
    snprintf(l->told, sizeof l->told, "%s", rc < 0 ? e.text : "");
    curl_multi_perform(l->multi, &running);
    curl_multi_poll(l->multi, NULL, 0, TURN_MS, NULL);
    curl_multi_perform(l->multi, &running);
    take_ended(l, clock_now());
}

static void *run(void *arg)
{
    struct link_client *l = arg;

    while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
        turn(l);
    return NULL;
}

int link_client_start(const struct desk_setup *setup, struct link_client **out, struct err *e)
{
    struct link_client *l = calloc(1, sizeof *l);
    sigset_t all, before;
    int rc;

    *out = NULL;
    if (!l)
        return err_set(e, -ENOMEM, "no memory for the links");
    l->setup = *setup;
    node_path(setup->node, "link/node.pem", l->cert);
    node_path(setup->node, "link/node.key", l->key);
    l->multi = curl_multi_init();
    rc = l->multi ? desk_open(setup, &l->desk, e) : err_set(e, -ENOMEM, "no memory for the links");
    /* Signals belong to the thread of the event loop. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rc == 0 && pthread_create(&l->thread, NULL, run, l) != 0)
        rc = err_set(e, -EAGAIN, "could not start the thread of the links");
    l->started = rc == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out = l;
    if (rc < 0)
        link_client_stop(out);
    return rc;
}

void link_client_poke(struct link_client *l)
{
    if (l && l->multi)
        curl_multi_wakeup(l->multi);
}

void link_client_stop(struct link_client **out)
{
    struct link_client *l = *out;

    if (!l)
        return;
    __atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
    link_client_poke(l);
    if (l->started)
        pthread_join(l->thread, NULL);
    for (size_t i = 0; i < SLOTS; i++)
        slot_free(l, &l->slot[i]);
    if (l->multi)
        curl_multi_cleanup(l->multi);
    desk_close(&l->desk);
    free(l);
    *out = NULL;
}
