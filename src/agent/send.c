/* send.c - one batch to the collector over HTTPS with our certificate, and what its answer means. */
#include "agent/internal.h"

#include <curl/curl.h>
#include <poll.h>

#define CONNECT_S  10L
#define POST_S     60L
#define POLL_MS    1000
#define ANSWER_MAX 4096

struct sender {
    CURL              *easy;
    CURLM             *multi;
    int                stop_fd;
    char               url[AGENT_PATH_MAX], certificate_url[AGENT_PATH_MAX];
    char               error[CURL_ERROR_SIZE];
    char               answer[ANSWER_MAX];
    size_t             answer_n;
    uint64_t           last;
    bool               repeated;
    int                retry_after;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct sender *s = arg;
    size_t room = sizeof s->answer - s->answer_n;

    memcpy(s->answer + s->answer_n, p, min_size(size * n, room));
    s->answer_n += min_size(size * n, room);
    return size * n;
}

/* header - the value if this line is the header of that name. */
static bool header(struct str line, struct str name, struct str *value)
{
    if (line.n <= name.n || line.p[name.n] != ':' || !str_ieq(str_of(line.p, name.n), name))
        return false;
    *value = str_trim(str_cut(line, name.n + 1));
    return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct sender *s = arg;
    struct str line = str_of(p, size * n), value;
    uint64_t v;

    if (header(line, STR("Saqshy-Repeated"), &value) && str_u64(value, &v)) {
        s->repeated = true;
        s->last = v;
    }
    if (header(line, STR("Retry-After"), &value) && str_u64(value, &v))
        s->retry_after = (int)min_size(v, 600);
    return size * n;
}

int sender_open(const struct agent_config *c, int stop_fd, struct sender **out, struct err *e)
{
    struct sender *s = calloc(1, sizeof *s);
    bool ok;

    if (!s || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(s);
        return err_set(e, -ENOMEM, "no memory for the sender");
    }
    s->stop_fd = stop_fd;
    s->easy = curl_easy_init();
    s->multi = curl_multi_init();
    snprintf(s->url, sizeof s->url, "%s/v1/logs", c->url);
    snprintf(s->certificate_url, sizeof s->certificate_url, "%s/v1/certificate", c->url);
    ok = s->easy && s->multi && curl_easy_setopt(s->easy, CURLOPT_URL, s->url) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_CAINFO, c->ca) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_SSLCERT, c->cert) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_SSLKEY, c->key) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_PROXY, "") == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_S) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, POST_S) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->error) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s) == CURLE_OK;
    if (!ok) {
        sender_close(&s);
        return err_set(e, -EINVAL, "this libcurl cannot do what the agent needs");
    }
    *out = s;
    return 0;
}

void sender_close(struct sender **s)
{
    if (!*s)
        return;
    curl_easy_cleanup((*s)->easy);
    curl_multi_cleanup((*s)->multi);
    curl_global_cleanup();
    free(*s);
    *s = NULL;
}

/* perform - the transfer, watched together with the descriptor that says stop. -EINTR then. */
static int perform(struct sender *s, struct err *e)
{
    struct curl_waitfd stop = { .fd = s->stop_fd, .events = CURL_WAIT_POLLIN };
    int running = 1, left, rc = 0;
    CURLMsg *m;

    if (curl_multi_add_handle(s->multi, s->easy) != CURLM_OK)
        return err_set(e, -ENOMEM, "no memory for a transfer");
    while (rc == 0 && running) {
        if (curl_multi_perform(s->multi, &running) != CURLM_OK)
            rc = err_set(e, -EIO, "could not go on with a transfer");
        else if (running && curl_multi_poll(s->multi, &stop, 1, POLL_MS, NULL) != CURLM_OK)
            rc = err_set(e, -EIO, "could not wait for a transfer");
        else if (stop.revents)
            rc = err_set(e, -EINTR, "stopping");
    }
    while (rc == 0 && (m = curl_multi_info_read(s->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE && m->data.result != CURLE_OK)
            rc = err_set(e, -EIO, "%s", s->error[0] ? s->error : curl_easy_strerror(m->data.result));
    curl_multi_remove_handle(s->multi, s->easy);
    return rc;
}

/* judge - what a status means for the batch. 400, 413 and 422 will not change by asking again; the rest may. */
static enum sent judge(struct sender *s, long status, struct err *e)
{
    struct str said = str_of(s->answer, s->answer_n);

    if (status == 200)
        return s->repeated ? SENT_REPEATED : SENT_STORED;
    err_set(e, -EIO, "the collector answered %ld: %.*s", status, STR_ARG(said));
    return status == 400 || status == 413 || status == 422 ? SENT_REFUSED : SENT_LATER;
}

enum sent sender_post(struct sender *s, uint64_t number, struct str body, uint64_t *last, int *wait_s, struct err *e)
{
    struct curl_slist *headers = NULL;
    char text[64];
    long status = 0;
    int rc;

    s->answer_n = 0;
    s->error[0] = 0;
    s->repeated = false;
    s->retry_after = 0;
    s->last = 0;
    snprintf(text, sizeof text, "Saqshy-Batch: %llu", (unsigned long long)number);
    headers = curl_slist_append(headers, text);
    headers = curl_slist_append(headers, "Content-Type: application/x-protobuf");
    headers = curl_slist_append(headers, "Content-Encoding: zstd");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body.p);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    rc = perform(s, e);
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 0L);
    curl_slist_free_all(headers);
    *last = s->last;
    *wait_s = s->retry_after;
    if (rc == -EINTR)
        return SENT_STOPPED;
    return rc < 0 ? SENT_LATER : judge(s, status, e);
}

int sender_identity(struct sender *s, const char *cert, const char *key, struct err *e)
{
    bool ok = curl_easy_setopt(s->easy, CURLOPT_SSLCERT, cert) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_SSLKEY, key) == CURLE_OK &&
              curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK && curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK;

    return ok ? 0 : err_set(e, -ENOMEM, "could not take another certificate");
}

int sender_certificate(struct sender *s, const char *ask, struct buf *out, struct err *e)
{
    struct curl_slist *headers = NULL;
    AUTO_BUF struct buf line;
    long status = 0;
    int rc;

    buf_init(&line, 64 * KIB);
    buf_reset(out);
    s->answer_n = 0;
    s->error[0] = 0;
    buf_printf(&line, "Saqshy-Renewal: %s", ask ? ask : "");
    buf_byte(&line, 0);
    if (buf_failed(&line))
        return err_set(e, -ENOMEM, "no memory to ask for a certificate");
    if (ask)
        headers = curl_slist_append(headers, line.p);
    curl_easy_setopt(s->easy, CURLOPT_URL, s->certificate_url);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, headers);
    if (ask) {
        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    } else {
        curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L);
    }
    rc = perform(s, e);
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(s->easy, CURLOPT_URL, s->url);
    curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 0L);
    curl_slist_free_all(headers);
    if (rc < 0)
        return rc;
    if (status == 200)
        buf_put(out, s->answer, s->answer_n);
    return (int)status;
}
