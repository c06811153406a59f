/* remote.c - see remote.h. */
#include "bin/remote.h"

#include <curl/curl.h>
#include <stdarg.h>

#define ANSWER_MAX (96u * MIB)   /* a file of envelopes is 64 MiB at most */

struct remote {
    CURL *curl;
    char *url, *csrf;
    struct buf answer;
};

static size_t take(char *p, size_t one, size_t n, void *arg)
{
    struct buf *b = arg;

    buf_put(b, p, one * n);
    return buf_failed(b) ? 0 : one * n;
}

/* ask - one request as it is set; the answer lies in r->answer. A refusal is -EPROTO with what the server says. */
static int ask(struct remote *r, const char *url, struct err *e)
{
    long status = 0;
    CURLcode code;
    json_t *j;
    int rc;

    buf_reset(&r->answer);
    curl_easy_setopt(r->curl, CURLOPT_URL, url);
    code = curl_easy_perform(r->curl);
    if (code != CURLE_OK)
        return err_set(e, -EIO, "could not reach \"%s\": %s", r->url, curl_easy_strerror(code));
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return 0;
    j = json_loadb(r->answer.n ? r->answer.p : "", r->answer.n, JSON_DISABLE_EOF_CHECK, NULL);
    const char *why = json_string_value(json_object_get(j, "title")), *field = json_string_value(json_object_get(j, "field")),
               *reason = json_string_value(json_object_get(j, "code"));
    rc = err_set(e, -EPROTO, "\"%s\" answers %ld %s: %s%s%s%s", r->url, status, reason ? reason : "", why ? why : "no reason given", field ? " (" : "", field ? field : "",
                 field ? ")" : "");
    json_decref(j);
    return rc;
}

static int perform(struct remote *r, const char *url, json_t **out, struct err *e)
{
    int rc = ask(r, url, e);

    if (rc == 0)
        *out = json_loadb(r->answer.n ? r->answer.p : "", r->answer.n, JSON_DISABLE_EOF_CHECK, NULL);
    return rc;
}

static int sign_in(struct remote *r, struct err *e)
{
    const char *user = getenv("SAQSHY_USER"), *password = getenv("SAQSHY_PASSWORD");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    json_t *body, *answer = NULL;
    char url[2048], *text;
    int rc;

    if (!user || !password) {
        curl_slist_free_all(headers);
        return err_set(e, -EINVAL, "SAQSHY_USER and SAQSHY_PASSWORD must name who asks");
    }
    body = json_pack("{s:s,s:s}", "login", user, "password", password);
    text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    snprintf(url, sizeof url, "%s/api/v1/session", r->url);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(r->curl, CURLOPT_COPYPOSTFIELDS, text ? text : "{}");
    rc = perform(r, url, &answer, e);
    free(text);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(r->curl, CURLOPT_HTTPGET, 1L);
    curl_slist_free_all(headers);
    if (rc == 0) {
        const char *csrf = json_string_value(json_object_get(answer, "csrf"));

        r->csrf = strdup(csrf ? csrf : "");
    }
    json_decref(answer);
    return rc;
}

int remote_open(const char *url, const char *ca_file, struct remote **out, struct err *e)
{
    struct remote *r = calloc(1, sizeof *r);
    const char *ca = ca_file ? ca_file : getenv("SAQSHY_CACERT");
    size_t n = strlen(url);
    int rc;

    *out = NULL;
    if (strncmp(url, "https://", 8) != 0) {
        free(r);
        return err_set(e, -EINVAL, "\"%s\" is no address of a centre: https://host:port is expected", url);
    }
    if (!r || !(r->curl = curl_easy_init())) {
        free(r);
        return err_set(e, -ENOMEM, "no memory for a connection");
    }
    buf_init(&r->answer, ANSWER_MAX);
    r->url = strndup(url, n && url[n - 1] == '/' ? n - 1 : n);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &r->answer);
    curl_easy_setopt(r->curl, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(r->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT, 60L);
    if (ca)
        curl_easy_setopt(r->curl, CURLOPT_CAINFO, ca);
    rc = r->url ? sign_in(r, e) : err_set(e, -ENOMEM, "no memory for a connection");
    if (rc < 0) {
        remote_close(&r);
        return rc;
    }
    *out = r;
    return 0;
}

void remote_close(struct remote **r)
{
    if (!*r)
        return;
    if ((*r)->csrf) {
        char url[2048], header[256];
        json_t *answer = NULL;

        snprintf(url, sizeof url, "%s/api/v1/session", (*r)->url);
        snprintf(header, sizeof header, "X-CSRF-Token: %s", (*r)->csrf);
        struct curl_slist *headers = curl_slist_append(NULL, header);
        curl_easy_setopt((*r)->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
        curl_easy_setopt((*r)->curl, CURLOPT_HTTPHEADER, headers);
        if (perform(*r, url, &answer, NULL) == 0)
            json_decref(answer);
        curl_slist_free_all(headers);
    }
    curl_easy_cleanup((*r)->curl);
    buf_free(&(*r)->answer);
    free((*r)->url);
    free((*r)->csrf);
    free(*r);
    *r = NULL;
}

int remote_get(struct remote *r, json_t **out, struct err *e, const char *path, ...)
{
    AUTO_BUF struct buf url;
    const char *name;
    va_list ap;
    bool first = true;

    *out = NULL;
    buf_init(&url, 256 * KIB);
    buf_printf(&url, "%s/api/v1%s", r->url, path);
    va_start(ap, path);
    while ((name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);
        char *encoded = value && *value ? curl_easy_escape(r->curl, value, 0) : NULL;

        if (encoded)
            buf_printf(&url, "%c%s=%s", first ? '?' : '&', name, encoded);
        first = first && !encoded;
        curl_free(encoded);
    }
    va_end(ap);
    buf_byte(&url, 0);
    return buf_failed(&url) ? err_set(e, -E2BIG, "the request is too long") : perform(r, url.p, out, e);
}

static int send_any(struct remote *r, const char *method, const char *path, struct str body, const char *type, struct err *e)
{
    char url[2048], csrf[256], content[128];
    struct curl_slist *headers;
    int rc;

    snprintf(url, sizeof url, "%s/api/v1%s", r->url, path);
    snprintf(csrf, sizeof csrf, "X-CSRF-Token: %s", r->csrf ? r->csrf : "");
    snprintf(content, sizeof content, "Content-Type: %s", type);
    headers = curl_slist_append(NULL, csrf);
    headers = curl_slist_append(headers, content);
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, method);
    rc = ask(r, url, e);
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(r->curl, CURLOPT_HTTPGET, 1L);
    curl_slist_free_all(headers);
    return rc;
}

int remote_send(struct remote *r, const char *method, const char *path, const json_t *body, json_t **out, struct err *e)
{
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int rc = body && !text ? err_set(e, -ENOMEM, "no memory for a request") : send_any(r, method, path, str_c(text), "application/json", e);

    if (rc == 0 && out)
        *out = json_loadb(r->answer.n ? r->answer.p : "", r->answer.n, JSON_DISABLE_EOF_CHECK, NULL);
    return rc;
}

int remote_bytes(struct remote *r, const char *method, const char *path, struct str body, struct str *out, struct err *e)
{
    int rc = send_any(r, method, path, body, "application/octet-stream", e);

    if (out)
        *out = buf_view(&r->answer);
    return rc;
}
