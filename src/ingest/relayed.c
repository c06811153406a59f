/* relayed.c - events that another Saqshy passes on: they come as they are in its journal, by POST /v1/logs, and go into ours the same way.
 *
 * Nothing is parsed anew: the first Saqshy knew the peer, its zone and its encoding. Source, object, line, fields and moments stay; what is added is
 * saqshy.relay, the name in the certificate of whoever passed the event on (one value a hop). So who may do this is said by name, in the option relays of the
 * listener: it speaks for every host whose logs it carries. */
#include "ingest/http.h"
#include "ingest/relayed.h"

bool relayed_wanted(const char *type) { return type && strncasecmp(type, "application/x-saqshy-events", 27) == 0; }

static bool named(const char *list, const char *name)
{
    struct str rest = str_c(list), one;

    while (str_split(&rest, ' ', &one))
        if (one.n && str_eq(one, str_c(name)))
            return true;
    return false;
}

static bool stream_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n > 0 && s.n < STREAM_TEXT_MAX;
}

int relayed_admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    const char *relays = listen_option(&a->listener->conf, "relays"), *stream = http_header(a, "Saqshy-Stream");

    if (!relays || !named(relays, a->client)) {
        err_set(e, -EACCES, "\"%s\" may not pass on events of others: whoever may stands in the option relays of this listener", a->client);
        return 403;
    }
    if (!stream || !stream_valid(str_c(stream)) || !p->numbered) {
        err_set(e, -EINVAL, "events that are passed on need Saqshy-Batch, and Saqshy-Stream of small letters, digits, '-' and '_'");
        return 400;
    }
    snprintf(p->stream, sizeof p->stream, "%s", stream);
    p->decoder = &relayed_decoder;
    return 0;
}

static int decode(struct taking *t, struct str body, struct err *e) { return body.n ? take_events(t, body, e) : 0; }

const struct body_decoder relayed_decoder = { "events", decode };
