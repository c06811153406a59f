/* tls.c - see tls.h. Files are looked at by their stamp (time, size, inode), so that a renewal by rename or in place is seen alike. */
#include "ingest/tls.h"
#include "base/file.h"
#include "base/log.h"
#include "pki/pki.h"

#include <sys/stat.h>

#define FILES 3

struct stamp {
    int64_t s, ns, size;
    ino_t   inode;
};

struct tls {
    struct ssl_ctx_st  *ctx;
    char                path[FILES][4096];   /* certificate, key, authority */
    char                id[LISTEN_ID_MAX + 1];
    struct stamp        stamp[FILES];
    enum listen_client  client;
    time_ns             looked;
};

/* set_path - the file of the configuration, else the one that was renewed while we run, else that of the beginning. */
static void set_path(char out[4096], const char *said, const char *data, const char *name)
{
    if (said && *said) {
        snprintf(out, 4096, "%s", said);
        return;
    }
    snprintf(out, 4096, "%s/pki/server/%s", data, name);
    if (!file_exists(out))
        snprintf(out, 4096, "%s/pki/%s", data, name);
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
    struct pki_files f = { t->path[0], t->path[1], t->path[2] };

    return pki_listener_context(&f, (int)t->client, out, e);
}

int tls_open(const char *data, const struct listen_conf *c, struct tls **out, struct err *e)
{
    struct tls *t = calloc(1, sizeof *t);
    int rc;

    if (!t)
        return err_set(e, -ENOMEM, "no memory for a TLS listener");
    set_path(t->path[0], c->certificate, data, "server.pem");
    set_path(t->path[1], c->key, data, "server.key");
    set_path(t->path[2], c->authority, data, "ca.pem");
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
    free(*t);
    *t = NULL;
}

struct ssl_ctx_st *tls_context(const struct tls *t) { return t->ctx; }

void tls_look(struct tls *t)
{
    struct stamp now[FILES];
    struct ssl_ctx_st *ctx;
    time_ns at = clock_steady();
    struct err e;

    if (at - t->looked < TLS_LOOK_NS)
        return;
    t->looked = at;
    look(t, now);
    if (memcmp(now, t->stamp, sizeof now) == 0)
        return;
    memcpy(t->stamp, now, sizeof now);   /* told once: the next change is looked at again */
    if (load(t, &ctx, &e) < 0) {
        log_line(LOG_ERROR, "cannot take the changed certificate, the old one stays in force", "saqshy.listener", t->id, "error.message", e.text,
                 NULL);
        return;
    }
    pki_context_free(&t->ctx);
    t->ctx = ctx;
    log_line(LOG_INFO, "took a changed certificate", "saqshy.listener", t->id, "file.path", t->path[0], NULL);
}

int tls_client(const struct tls *t, const struct ssl_st *ssl, char out[AGENT_TEXT_MAX], struct err *e)
{
    char name[PKI_NAME_MAX + 1] = "";
    int rc = t->client == LISTEN_CLIENT_NONE ? -ENOENT : pki_peer_host(ssl, name, e);

    out[0] = 0;
    if (rc < 0)
        return t->client == LISTEN_CLIENT_REQUIRED ? rc : 1;
    snprintf(out, AGENT_TEXT_MAX, "%s", name);
    return 0;
}
