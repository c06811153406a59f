/* renewal.c - see renewal.h. The request travels in a header, so that the loop can answer at once. */
#include "ingest/renewal.h"
#include "base/file.h"
#include "pki/pki.h"

#include <sys/stat.h>

#define ASK_EVERY_S 5
#define PEM_MAX     (64 * KIB)

static void say(struct http_answer *out, int status, const char *words)
{
    out->status = status;
    out->reason = words;
    out->type = "text/plain";
    buf_printf(out->body, "%s\n", words);
}

static void path_of(const struct http_ask *a, const char *ending, char out[4096])
{
    snprintf(out, 4096, "%.3900s/run/renew/%.64s.%s", a->listener->in->options->data, a->client, ending);
}

static void take(const struct http_ask *a, struct http_answer *out)
{
    const char *ask = http_header(a, "Saqshy-Renewal");
    char path[4096], folder[4096];
    struct stat st;

    if (!ask || !*ask || strlen(ask) > PKI_ASK_MAX || strspn(ask, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=.") != strlen(ask)) {
        say(out, 400, "the header Saqshy-Renewal must hold a request in base64");
        return;
    }
    snprintf(folder, sizeof folder, "%.4000s/run/renew", a->listener->in->options->data);
    path_of(a, "ask", path);
    if (stat(path, &st) == 0 && clock_now() / NS_PER_SECOND - st.st_mtim.tv_sec < ASK_EVERY_S) {
        say(out, 202, "a request is waiting already");
        return;
    }
    if (file_mkdirs(folder, 0750, NULL) < 0 || file_write_quick(path, str_c(ask), NULL) < 0)
        say(out, 503, "the request could not be kept");
    else
        say(out, 202, "come again");
}

void renewal_at_once(const struct http_ask *a, struct http_answer *out)
{
    char path[4096];

    if (!*a->client || !pki_name_valid(str_c(a->client))) {
        say(out, 403, "a certificate is needed");
        return;
    }
    if (a->method == HTTP_POST) {
        take(a, out);
        return;
    }
    path_of(a, "pem", path);
    if (file_read(path, PEM_MAX, out->body, NULL) < 0) {
        buf_reset(out->body);
        say(out, 404, "nothing has been made");
        return;
    }
    out->type = "application/x-pem-file";
}
