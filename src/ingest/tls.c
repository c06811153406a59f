/* tls.c - see tls.h. Files are looked at by their stamp (time, size, inode), so that a renewal by rename or in place is seen alike. */
#include "ingest/tls.h"
#include "base/file.h"
#include "base/log.h"
#include "pki/pki.h"

#include <sys/stat.h>
#include <unistd.h>

#define FILES 4     /* certificate, key, authority, list of revoked certificates */
#define SAID  3     /* of them by the configuration */

struct stamp {
    int64_t s, ns, size;
    ino_t   inode;
};

struct tls {
    struct ssl_ctx_st  *ctx;
    char                data[4096];
    char               *said[SAID];          /* by the configuration, NULL: those of DATA/pki */
    char                path[FILES][4096];
    struct pki_revoked *revoked;             /* NULL: none */
    bool                ours;                /* the authority is the file of DATA/pki: its list counts in the handshake already */
    bool                doubted;             /* the changed files did not fit together at the last look */
    char                id[LISTEN_ID_MAX + 1];
    struct stamp        stamp[FILES];
    enum listen_client  client;
    time_ns             looked;
};

/* set_paths - the files of the configuration, else those that were renewed while we run, else those of the beginning. */
static void set_paths(struct tls *t)
{
    static const char *const names[SAID] = { "server.pem", "server.key", "ca.pem" };
    char ours[4096];

    for (int i = 0; i < SAID; i++) {
        char *out = t->path[i];

        if (t->said[i]) {
            snprintf(out, sizeof t->path[i], "%s", t->said[i]);
            continue;
        }
        snprintf(out, sizeof t->path[i], "%.4000s/pki/server/%s", t->data, names[i]);
        if (!file_exists(out))
            snprintf(out, sizeof t->path[i], "%.4000s/pki/%s", t->data, names[i]);
    }
    /* The list is our authority's. Where the configuration names another file, that may hold a copy of ours: then the list counts for those certificates. */
    snprintf(ours, sizeof ours, "%.4000s/pki/ca.pem", t->data);
    t->ours = !t->said[2] || strcmp(t->said[2], ours) == 0;
    t->path[SAID][0] = 0;
    if (t->ours || access(ours, R_OK) == 0)
        snprintf(t->path[SAID], sizeof t->path[SAID], "%.4000s/pki/server/revoked.crl", t->data);
}

static void look(const struct tls *t, struct stamp out[FILES])
{
    struct stat st;

    memset(out, 0, FILES * sizeof *out);
    for (int i = 0; i < FILES; i++)
        if (stat(t->path[i], &st) == 0)
            out[i] = (struct stamp){ st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_ino };
}

static int load(struct tls *t, struct ssl_ctx_st **out, struct err *e)
{
    struct pki_files f = { .cert = t->path[0], .key = t->path[1], .ca = t->path[2] };
    struct pki_revoked *revoked = NULL;
    char ours[4096];
    int rc = 0;

    snprintf(ours, sizeof ours, "%.4000s/pki/ca.pem", t->data);
    if (t->client != LISTEN_CLIENT_NONE && t->path[SAID][0])
        rc = pki_revoked_load(t->path[SAID], t->ours ? f.ca : ours, &revoked, e);
    f.revoked = t->ours ? revoked : NULL;
    if (rc == 0)
        rc = pki_listener_context(&f, (int)t->client, out, e);
    if (rc < 0) {
        pki_revoked_free(&revoked);
        return rc;
    }
    pki_revoked_free(&t->revoked);
    t->revoked = revoked;
    return 0;
}

int tls_open(const char *data, const struct listen_conf *c, struct tls **out, struct err *e)
{
    struct tls *t = calloc(1, sizeof *t);
    int rc;

    if (!t)
        return err_set(e, -ENOMEM, "no memory for a TLS listener");
    snprintf(t->data, sizeof t->data, "%s", data);
    t->said[0] = *c->certificate ? strdup(c->certificate) : NULL;
    t->said[1] = *c->key ? strdup(c->key) : NULL;
    t->said[2] = *c->authority ? strdup(c->authority) : NULL;
    if ((*c->certificate && !t->said[0]) || (*c->key && !t->said[1]) || (*c->authority && !t->said[2])) {
        tls_free(&t);
        return err_set(e, -ENOMEM, "no memory for a TLS listener");
    }
    set_paths(t);
    snprintf(t->id, sizeof t->id, "%s", c->id);
    t->client = c->client;
    t->looked = clock_steady();
    look(t, t->stamp);
    rc = load(t, &t->ctx, e);
    if (rc < 0) {
        tls_free(&t);
        return rc;
    }
    *out = t;
    return 0;
}

void tls_free(struct tls **t)
{
    if (!*t)
        return;
    pki_context_free(&(*t)->ctx);
    pki_revoked_free(&(*t)->revoked);
    for (int i = 0; i < SAID; i++)
        free((*t)->said[i]);
    free(*t);
    *t = NULL;
}

struct ssl_ctx_st *tls_context(const struct tls *t) { return t->ctx; }

bool tls_look(struct tls *t)
{
    struct stamp now[FILES];
    struct ssl_ctx_st *ctx;
    time_ns at = clock_steady();
    struct err e;

    if (at - t->looked < TLS_LOOK_NS)
        return false;
    t->looked = at;
    set_paths(t);
    look(t, now);
    if (memcmp(now, t->stamp, sizeof now) == 0)
        return false;
    if (load(t, &ctx, &e) < 0) {
        /* A key may be there a moment before its certificate: only what still does not fit at the next look is told, and then once. */
        if (t->doubted) {
            memcpy(t->stamp, now, sizeof now);
            log_line(LOG_ERROR, "cannot take the changed certificate, the old one stays in force", "saqshy.listener", t->id, "error.message",
                     e.text, NULL);
        }
        t->doubted = !t->doubted;
        return false;
    }
    bool list = memcmp(&now[SAID], &t->stamp[SAID], sizeof now[SAID]) != 0, others = memcmp(now, t->stamp, SAID * sizeof now[0]) != 0;
    t->doubted = false;
    memcpy(t->stamp, now, sizeof now);
    pki_context_free(&t->ctx);
    t->ctx = ctx;
    if (others)
        log_line(LOG_INFO, "took a changed certificate", "saqshy.listener", t->id, "file.path", t->path[0], NULL);
    if (list)
        log_line(LOG_SEC, "took a changed list of revoked certificates", "saqshy.listener", t->id, "file.path", t->path[SAID], NULL);
    return list;
}

bool tls_revoked(const struct tls *t, const struct ssl_st *ssl) { return pki_revoked_peer(t->revoked, ssl); }

int tls_client(const struct tls *t, const struct ssl_st *ssl, char out[AGENT_TEXT_MAX], struct err *e)
{
    char name[PKI_NAME_MAX + 1] = "";
    int rc = t->client == LISTEN_CLIENT_NONE ? -ENOENT : pki_peer_host(ssl, name, e);

    out[0] = 0;
    /* The handshake may have begun before the list was there. */
    if (tls_revoked(t, ssl))
        return err_set(e, -EACCES, "the certificate is revoked");
    if (rc < 0)
        return t->client == LISTEN_CLIENT_REQUIRED ? rc : 1;
    snprintf(out, AGENT_TEXT_MAX, "%s", name);
    return 0;
}
