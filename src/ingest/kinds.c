/* kinds.c - the table of kinds, and what all listeners share: making, keeping a configuration, addresses. */
#include "ingest/internal.h"

#include <arpa/inet.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/in.h>

/* So many may wait to be accepted. A crowd that comes at once (a site's agents after a power cut) shall not meet the kernel's silence: whom it
 * forgets believes to be connected, and waits. */
#define BACKLOG             4096

const struct listener_kind *listener_kind_find(enum listen_kind number)
{
    static const struct listener_kind *const kinds[LISTEN_KIND_COUNT] = {
#define LISTENER(kind, address, tls) [LISTEN_##kind] = &kind##_kind,
#include "base/listeners.def"
#undef LISTENER
    };

    return number < LISTEN_KIND_COUNT ? kinds[number] : NULL;
}

int listener_new(struct ingest *in, const struct listener_kind *kind, const struct listen_conf *c, size_t size, struct listener **out,
                 struct err *e)
{
    struct listener *l = calloc(1, size);

    if (!l || listen_conf_copy(c, &l->conf) < 0) {
        free(l);
        return err_set(e, -ENOMEM, "no memory for a listener");
    }
    l->kind = kind;
    l->in = in;
    l->card = counters_card(&in->counters, c->id);
    *out = l;
    return 0;
}

void listener_done(struct listener *l)
{
    listen_conf_free(&l->conf);
    free(l);
}

int listener_keep(struct listener *l, const struct listen_conf *c, struct err *e)
{
    struct listen_conf copy;

    if (listen_conf_copy(c, &copy) < 0)
        return err_set(e, -ENOMEM, "no memory for a listener");
    listen_conf_free(&l->conf);
    l->conf = copy;
    return 0;
}

int listener_address(const char *text, struct sockaddr_storage *out, int *n, struct err *e)
{
    struct str s = str_c(text);
    char host[PEER_TEXT_MAX];
    int len = sizeof *out;

    if (s.n >= sizeof host || str_chr(s, ':') < 0)
        return err_set(e, -EINVAL, "\"%s\" is not ADDRESS:PORT, as in 127.0.0.1:5514 or [::1]:5514", text);
    /* libevent refuses port 0, but takes it from a text without a port. */
    snprintf(host, sizeof host, "%.*s", (int)(str_ends(s, STR(":0")) ? s.n - 2 : s.n), text);
    if (evutil_parse_sockaddr_port(host, (struct sockaddr *)out, &len) < 0)
        return err_set(e, -EINVAL, "\"%s\" is not ADDRESS:PORT, as in 127.0.0.1:5514 or [::1]:5514", text);
    *n = len;
    return 0;
}

int listener_socket(struct ingest *in, const char *title, const char *address, listener_accept *on_accept, void *arg,
                    struct evconnlistener **out, struct err *e)
{
    struct sockaddr_storage ss;
    int n, rc = listener_address(address, &ss, &n, e);

    if (rc < 0)
        return rc;
    *out = evconnlistener_new_bind(in->base, on_accept, arg, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
                                   (struct sockaddr *)&ss, n);
    if (*out)
        return 0;
    rc = err_sys(e, "could not listen for %s on TCP %s", title, address);
    return rc < 0 ? rc : -EIO;
}

void listener_address_text(const struct sockaddr *sa, char out[PEER_TEXT_MAX], uint16_t *port)
{
    const void *address = NULL;
    uint16_t number = 0;

    if (sa->sa_family == AF_INET) {
        address = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
        number = ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;

        number = ntohs(six->sin6_port);
        address = &six->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {   /* the same peer, whichever socket it came by */
            inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, out, PEER_TEXT_MAX);
            address = NULL;
        }
    }
    if (address)
        inet_ntop(sa->sa_family, address, out, PEER_TEXT_MAX);
    else if (sa->sa_family != AF_INET6)
        out[0] = 0;
    if (port)
        *port = number;
}

uint16_t listener_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char text[PEER_TEXT_MAX];
    uint16_t port = 0;

    if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
        listener_address_text((struct sockaddr *)&ss, text, &port);
    return port;
}
