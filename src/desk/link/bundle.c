/* bundle.c - what one HTTP message or one file holds: a signed head, then a line for each envelope.
 *
 *     {"bundle":{"count":2,"created_at":…,"format":"saqshy-bundle-1","from":…,"have":{"epoch":1,"hash":…,"sequence":41},"items_sha256":…,
 *      "to":…},"signature":{"certificate":"…","value":"…"}}
 *     {"documents":{"SHA-256":"base64"},"envelope":{…},"signature":{"certificate":"…","value":"…"}}
 *     …
 *
 * Each line ends with LF. "have" says how far the sender has come in what the receiver sends: it acknowledges, and asks for the rest.
 * It is signed like all else, for whoever could forge it could make a notice be taken for received. */
#include "desk/link/wire.h"

#include <openssl/evp.h>

#define FORMAT      "saqshy-bundle-1"
#define FORMAT_HEAD "saqshy-bundle-"

static struct str text_of(const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : (struct str){ NULL, 0 };
}

/* --- writing --- */

void link_item_begin(struct link_writer *w, struct buf *out)
{
    *w = (struct link_writer){ .out = out, .first = true };
    buf_str(out, STR("{\"documents\":{"));
}

static void put_base64(struct buf *out, struct str s)
{
    size_t n = (s.n + 2) / 3 * 4;
    char *to = buf_room(out, n + 1);

    if (to)
        out->n += (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)s.p, (int)s.n);
}

void link_item_document(struct link_writer *w, struct str sha256, struct str bytes)
{
    if (!w->first)
        buf_byte(w->out, ',');
    w->first = false;
    buf_json(w->out, sha256);
    buf_str(w->out, STR(":\""));
    put_base64(w->out, bytes);
    buf_byte(w->out, '"');
}

static void put_signature(struct buf *out, const char *fingerprint, struct str signature)
{
    buf_printf(out, ",\"signature\":{\"certificate\":\"%s\",\"value\":\"%.*s\"}}\n", fingerprint, STR_ARG(signature));
}

void link_item_end(struct link_writer *w, struct str envelope, const char *fingerprint, struct str signature)
{
    buf_str(w->out, STR("},\"envelope\":"));
    buf_str(w->out, envelope);
    put_signature(w->out, fingerprint, signature);
}

int link_bundle_write(const struct link_head *h, struct str items, const struct node_key *by, struct buf *out, struct err *e)
{
    char at[TIME_TEXT_MAX], hash[LINK_HASH_TEXT], signature[NODE_SIGNATURE_MAX];
    size_t from;
    json_t *j;
    int rc;

    link_sha256_hex(items, hash);
    j = json_pack("{s:I, s:s, s:s, s:s%, s:{s:I, s:s, s:I}, s:s, s:s%}", "count", (json_int_t)h->count, "created_at",
                  time_format_utc(h->created_at, at), "format", FORMAT, "from", h->from.p, h->from.n, "have", "epoch", (json_int_t)h->have.epoch,
                  "hash", h->have.hash, "sequence", (json_int_t)h->have.sequence, "items_sha256", hash, "to", h->to.p, h->to.n);
    buf_str(out, STR("{\"bundle\":"));
    from = out->n;
    rc = j ? link_json_write(j, out, e) : err_set(e, -ENOMEM, "no memory for the head of a bundle");
    json_decref(j);
    if (rc == 0)
        rc = link_sign(by, LINK_SIGNED_BUNDLE, str_of(out->p + from, out->n - from), signature, e);
    if (rc < 0)
        return rc;
    put_signature(out, node_cert_fingerprint(node_key_cert(by)), str_c(signature));
    buf_str(out, items);
    return buf_failed(out) ? err_set(e, -ENOMEM, "no memory for a bundle") : 0;
}

/* --- reading --- */

/* canonical - text is byte for byte what j would be written as. The form stays in again. */
static int canonical(const json_t *j, struct str text, struct buf *again, struct err *e)
{
    int rc;

    buf_reset(again);
    rc = link_json_write(j, again, e);
    if (rc == 0 && !str_eq(buf_view(again), text))
        rc = err_set(e, -EBADMSG, "a line is not in canonical form");
    return rc;
}

static int take_signature(const json_t *j, struct str *fingerprint, struct str *value, struct err *e)
{
    const json_t *s = json_object_get(j, "signature");

    *fingerprint = text_of(s, "certificate");
    *value = text_of(s, "value");
    if (json_object_size(s) != 2 || !link_hash_valid(*fingerprint) || !value->n)
        return err_set(e, -EBADMSG, "\"signature\" is not what it should be");
    return 0;
}

static int take_mark(const json_t *j, struct link_mark *out, struct err *e)
{
    const json_t *epoch = json_object_get(j, "epoch"), *sequence = json_object_get(j, "sequence");
    struct str hash = text_of(j, "hash");

    out->epoch = json_integer_value(epoch);
    out->sequence = json_integer_value(sequence);
    if (json_object_size(j) != 3 || !json_is_integer(epoch) || !json_is_integer(sequence) || out->epoch < 1 || out->sequence < 0 ||
        !link_hash_valid(hash) || (out->sequence == 0 && !str_eq(hash, STR(LINK_ZERO_HASH))))
        return err_set(e, -EBADMSG, "bundle: \"have\" is not what it should be");
    memcpy(out->hash, hash.p, hash.n);
    out->hash[hash.n] = 0;
    return 0;
}

static int take_head(const json_t *j, struct link_bundle *out, struct err *e)
{
    struct link_head *h = &out->head;
    struct str format = text_of(j, "format");
    const json_t *count = json_object_get(j, "count");
    char hash[LINK_HASH_TEXT];

    if (!str_eq(format, STR(FORMAT)) && str_starts(format, STR(FORMAT_HEAD)))
        return err_set(e, -ENOTSUP, "a bundle of format \"%.*s\": this node speaks %s", STR_ARG(format), FORMAT);
    h->from = text_of(j, "from");
    h->to = text_of(j, "to");
    h->count = json_integer_value(count);
    if (!str_eq(format, STR(FORMAT)) || json_object_size(j) != 7 || !pki_name_valid(h->from) || !pki_name_valid(h->to) ||
        !json_is_integer(count) || h->count < 0 || !link_instant(text_of(j, "created_at"), &h->created_at))
        return err_set(e, -EBADMSG, "the head of a bundle is not what it should be");
    if (h->count > LINK_ITEMS_MAX)
        return err_set(e, -E2BIG, "a bundle of more than %d envelopes", LINK_ITEMS_MAX);
    link_sha256_hex(out->rest, hash);
    if (!str_eq(text_of(j, "items_sha256"), str_c(hash)))
        return err_set(e, -EBADMSG, "the bundle is cut short or was changed: what follows its head is not what the head announces");
    return take_mark(json_object_get(j, "have"), &h->have, e);
}

int link_bundle_read(struct str bytes, struct link_bundle *out, struct err *e)
{
    AUTO_BUF struct buf again;
    struct str line, rest = bytes;
    int rc;

    buf_init(&again, LINK_HEAD_MAX + 1);
    *out = (struct link_bundle){ 0 };
    buf_init(&out->text, LINK_HEAD_MAX + 1);
    if (bytes.n == 0 || str_chr(str_of(bytes.p, min_size(bytes.n, LINK_HEAD_MAX)), '\n') < 0 || !str_split(&rest, '\n', &line))
        return err_set(e, -EBADMSG, "this is not a bundle of envelopes");
    out->rest = rest.p ? rest : STR("");
    rc = link_json_read(line, &out->json, e);
    if (rc == 0)
        rc = canonical(out->json, line, &again, e);
    if (rc == 0 && json_object_size(out->json) != 2)
        rc = err_set(e, -EBADMSG, "this is not a bundle of envelopes");
    if (rc == 0)
        rc = take_signature(out->json, &out->fingerprint, &out->signature, e);
    if (rc == 0)
        rc = link_json_write(json_object_get(out->json, "bundle"), &out->text, e);
    if (rc == 0)
        rc = take_head(json_object_get(out->json, "bundle"), out, e);
    out->signed_bytes = buf_view(&out->text);
    if (rc < 0)
        link_bundle_free(out);
    return rc;
}

int link_bundle_verify(const struct link_bundle *b, const struct node_cert *c, struct err *e)
{
    if (!str_eq(b->fingerprint, str_c(node_cert_fingerprint(c))))
        return err_set(e, -EBADMSG, "the bundle is signed with another certificate of node \"%s\"", node_cert_name(c));
    return link_verify(c, LINK_SIGNED_BUNDLE, b->signed_bytes, b->signature, e);
}

int link_item_verify(const struct link_item *i, const struct node_cert *c, struct err *e)
{
    if (!str_eq(i->fingerprint, str_c(node_cert_fingerprint(c))))
        return err_set(e, -EBADMSG, "an envelope is signed with another certificate of node \"%s\"", node_cert_name(c));
    return link_verify(c, LINK_SIGNED_ENVELOPE, buf_view(&i->bytes), i->signature, e);
}

void link_bundle_free(struct link_bundle *b)
{
    json_decref(b->json);
    buf_free(&b->text);
    *b = (struct link_bundle){ 0 };
}

static int take_content(const json_t *contents, const struct link_document *d, struct buf *to, struct err *e)
{
    char key[LINK_HASH_TEXT], hash[LINK_HASH_TEXT];
    struct str text;
    char *room;
    int n;

    snprintf(key, sizeof key, "%.*s", STR_ARG(d->sha256));
    text = text_of(contents, key);
    buf_init(to, LINK_DOCUMENT_BYTES + 8);
    if (text.n == 0 || text.n % 4 || text.n / 4 * 3 > LINK_DOCUMENT_BYTES + 2)
        return err_set(e, -EBADMSG, "document %s is missing or is not base64", key);
    room = buf_room(to, text.n / 4 * 3 + 1);
    if (!room)
        return err_set(e, -ENOMEM, "no memory for a document");
    n = EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)text.p, (int)text.n);
    for (size_t pad = 0; n > 0 && pad < 2 && text.p[text.n - 1 - pad] == '='; pad++)
        n--;
    to->n = n > 0 ? (size_t)n : 0;
    link_sha256_hex(buf_view(to), hash);
    if ((int64_t)to->n != d->size_bytes || strcmp(hash, key) != 0)
        return err_set(e, -EBADMSG, "document %s has another size or hash than its envelope says", key);
    return 0;
}

static int read_item(struct str line, struct link_item *out, struct err *e)
{
    AUTO_BUF struct buf again;
    const json_t *contents;
    int rc;

    buf_init(&again, LINK_LINE_MAX + 1);
    rc = link_json_read(line, &out->json, e);
    if (rc == 0)
        rc = canonical(out->json, line, &again, e);
    contents = json_object_get(out->json, "documents");
    if (rc == 0 && (json_object_size(out->json) != 3 || !json_is_object(contents)))
        rc = err_set(e, -EBADMSG, "a line of a bundle is not an envelope with its documents and signature");
    if (rc == 0)
        rc = take_signature(out->json, &out->fingerprint, &out->signature, e);
    if (rc == 0)
        rc = link_envelope_read(json_object_get(out->json, "envelope"), &out->envelope, e);
    if (rc == 0)
        rc = link_json_write(json_object_get(out->json, "envelope"), &out->bytes, e);
    if (rc == 0 && json_object_size(contents) != out->envelope.document_count)
        rc = err_set(e, -EBADMSG, "the documents beside an envelope are not those it names");
    link_sha256_hex(buf_view(&out->bytes), out->hash);
    for (size_t i = 0; rc == 0 && i < out->envelope.document_count; i++)
        rc = take_content(contents, &out->envelope.document[i], &out->content[i], e);
    return rc;
}

int link_bundle_next(struct link_bundle *b, struct link_item *out, struct err *e)
{
    struct str line;
    int rc;

    *out = (struct link_item){ 0 };
    buf_init(&out->bytes, LINK_ENVELOPE_MAX);
    if (b->rest.n == 0)
        return b->head.count == 0 ? 0 : err_set(e, -EBADMSG, "the bundle announces %lld envelopes more", (long long)b->head.count);
    if (b->head.count-- <= 0 || !str_split(&b->rest, '\n', &line) || !b->rest.p)
        return err_set(e, -EBADMSG, "the bundle holds more than it announces, or its last line does not end");
    rc = read_item(line, out, e);
    if (rc < 0)
        link_item_free(out);
    return rc < 0 ? rc : 1;
}

void link_item_free(struct link_item *i)
{
    json_decref(i->json);
    buf_free(&i->bytes);
    for (size_t k = 0; k < COUNT(i->content); k++)
        buf_free(&i->content[k]);
    *i = (struct link_item){ 0 };
}
