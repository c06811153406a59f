/* card.c - the card of a node: its name, its organisation, where it listens, its certificate. It holds no secret and proves nothing by
 * itself: the administrator who takes it compares the fingerprint with the one that the other reads out over the telephone. */
#include "desk/link/wire.h"

#define CARD_FORMAT "saqshy-node-card-1"
#define NAME_MAX_BYTES 1000
#define URL_MAX_BYTES  500

bool link_url_valid(struct str url)
{
    struct str host;

    if (!str_starts(url, STR("https://")) || url.n > URL_MAX_BYTES)
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= 0x20 || url.p[i] > 0x7e || strchr("@?#\\\"<>{}|^`%", url.p[i]))
            return false;
    host = str_cut(url, 8);
    return host.n > 0 && host.p[0] != '/' && host.p[0] != ':';
}

int link_card_write(const struct node_cert *c, struct str organisation, struct str bin, struct str url, struct buf *out, struct err *e)
{
    struct str pem = node_cert_pem(c);
    json_t *j = json_pack("{s:s, s:s, s:s%, s:s%, s:s%, s:s%}", "format", CARD_FORMAT, "node", node_cert_name(c), "organisation",
                          organisation.n ? organisation.p : "", organisation.n, "bin", bin.n ? bin.p : "", bin.n, "url", url.n ? url.p : "", url.n,
                          "certificate", pem.p, pem.n);
    int rc = j ? link_json_write(j, out, e) : err_set(e, -EINVAL, "the organisation's name is not text");

    json_decref(j);
    if (rc == 0)
        buf_byte(out, '\n');
    return rc;
}

static struct str text_of(const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : (struct str){ NULL, 0 };
}

static int judge(struct link_card *c, struct err *e)
{
    struct str pem = text_of(c->json, "certificate");
    int rc;

    c->node = text_of(c->json, "node");
    c->organisation = text_of(c->json, "organisation");
    c->bin = text_of(c->json, "bin");
    c->url = text_of(c->json, "url");
    if (!str_eq(text_of(c->json, "format"), STR(CARD_FORMAT)))
        return err_set(e, -EBADMSG, "this is not the card of a node");
    if (c->organisation.n > NAME_MAX_BYTES || c->bin.n > 12 || (c->url.n && !link_url_valid(c->url)))
        return err_set(e, -EBADMSG, "the card's organisation, BIN or URL is not what it should be");
    rc = node_cert_read(pem, &c->cert, e);
    if (rc == 0 && !str_eq(c->node, str_c(node_cert_name(c->cert))))
        rc = err_set(e, -EBADMSG, "the card names node \"%.*s\", its certificate \"%s\"", STR_ARG(c->node), node_cert_name(c->cert));
    return rc;
}

int link_card_read(struct str text, struct link_card *out, struct err *e)
{
    int rc;

    *out = (struct link_card){ 0 };
    if (text.n > LINK_CARD_MAX)
        return err_set(e, -E2BIG, "a card is at most %u bytes", LINK_CARD_MAX);
    rc = link_json_read(str_trim(text), &out->json, e);
    if (rc == 0)
        rc = judge(out, e);
    if (rc < 0)
        link_card_free(out);
    return rc;
}

void link_card_free(struct link_card *c)
{
    node_cert_free(&c->cert);
    json_decref(c->json);
    *c = (struct link_card){ 0 };
}
