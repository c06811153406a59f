/* renew.c - our certificate, before it ends: a new key is made here and never leaves, the request is signed with the old one, the answer is fetched over the
 * connection that the old one opens. The new pair is one file, STATE/identity.pem, so that it is there whole or not at all; the files of the configuration
 * are left alone and count again when they end later than it (an administrator has put others there). */
#include "agent/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "pki/pki.h"

#define LOOK_NS       (10 * NS_PER_SECOND)
#define AGAIN_MIN_NS  (3 * NS_PER_SECOND)
#define AGAIN_MAX_NS  NS_PER_HOUR

struct renewal {
    const struct agent_config *config;
    char     identity[AGENT_PATH_MAX], fresh[AGENT_PATH_MAX];
    bool     own;          /* the identity counts, not the files of the configuration */
    time_ns  next, pause;  /* steady */
    char     told[ERR_TEXT_MAX];
};

/* choose - whichever ends later. */
static void choose(struct renewal *r)
{
    time_ns from, mine = 0, theirs = 0;

    r->own = file_exists(r->identity) && pki_life(r->identity, &from, &mine, NULL) == 0 &&
             (pki_life(r->config->cert, &from, &theirs, NULL) < 0 || mine > theirs);
}

int renewal_open(const struct agent_config *c, struct renewal **out, struct err *e)
{
    struct renewal *r = calloc(1, sizeof *r);

    if (!r)
        return err_set(e, -ENOMEM, "no memory for the agent");
    r->config = c;
    r->pause = AGAIN_MIN_NS;
    snprintf(r->identity, sizeof r->identity, "%s/identity.pem", c->state);
    snprintf(r->fresh, sizeof r->fresh, "%s/identity.key", c->state);
    choose(r);
    *out = r;
    return 0;
}

void renewal_free(struct renewal **r)
{
    free(*r);
    *r = NULL;
}

const char *renewal_cert(const struct renewal *r) { return r->own ? r->identity : r->config->cert; }
const char *renewal_key(const struct renewal *r) { return r->own ? r->identity : r->config->key; }

/* fetch - 1: we have it. */
static int fetch(struct renewal *r, struct sender *s, struct err *e)
{
    AUTO_BUF struct buf pem;
    int rc;

    buf_init(&pem, 64 * KIB);
    rc = file_exists(r->fresh) ? sender_certificate(s, NULL, &pem, e) : 404;
    if (rc != 200)
        return rc < 0 ? rc : 0;
    /* An answer to an earlier request is no failure: it is of another key. */
    if (pki_renew_take(buf_view(&pem), r->fresh, r->config->ca, r->identity, e) < 0)
        return 0;
    choose(r);
    rc = sender_identity(s, renewal_cert(r), renewal_key(r), e);
    return rc < 0 ? rc : 1;
}

static int ask(struct renewal *r, struct sender *s, struct err *e)
{
    AUTO_BUF struct buf text;
    AUTO_BUF struct buf none;
    int rc;

    buf_init(&text, PKI_ASK_MAX);
    buf_init(&none, 64 * KIB);
    rc = pki_renew_ask(renewal_cert(r), renewal_key(r), r->fresh, &text, e);
    if (rc < 0)
        return rc;
    buf_byte(&text, 0);
    rc = buf_failed(&text) ? err_set(e, -ENOMEM, "no memory to ask for a certificate") : sender_certificate(s, text.p, &none, e);
    return rc < 0 || rc == 202 ? rc : err_set(e, -EIO, "the collector answered %d", rc);
}

void renewal_turn(struct renewal *r, struct sender *s)
{
    time_ns now = clock_steady(), from, to;
    struct err e = { 0 };
    int rc;

    if (now < r->next)
        return;
    r->next = now + LOOK_NS;
    if (pki_life(renewal_cert(r), &from, &to, &e) < 0 || !pki_due(from, to, clock_now()))
        return;
    rc = fetch(r, s, &e);
    if (rc == 1) {
        r->pause = AGAIN_MIN_NS;
        log_line(LOG_SEC, "took a renewed certificate", "file.path", r->identity, NULL);
        return;
    }
    if (rc == 0)
        rc = ask(r, s, &e);
    r->next = now + r->pause;
    r->pause = r->pause * 2 > AGAIN_MAX_NS ? AGAIN_MAX_NS : r->pause * 2;
    if (rc < 0 && rc != -EINTR && strcmp(r->told, e.text) != 0) {
        log_line(LOG_WARN, "could not renew the certificate, trying again", "error.message", e.text, NULL);
        snprintf(r->told, sizeof r->told, "%s", e.text);
    }
}
