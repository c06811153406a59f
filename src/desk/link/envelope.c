/* envelope.c - one message: who to whom, its number in the row, the hash of the one before, what it says.
 *
 *     {"created_at":"…Z","documents":[{"name":…,"sha256":…,"size":…,"type":…}],"epoch":1,"format":"saqshy-envelope-1","from":"…",
 *      "kind":"notice","message":"32 hex","payload":{…},"previous":"64 hex","sequence":7,"to":"…"} */
#include "desk/link/wire.h"

#define FORMAT         "saqshy-envelope-1"
#define NAME_MAX_BYTES 200
#define TYPE_MAX_BYTES 100

static struct str text_of(const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : (struct str){ NULL, 0 };
}

static json_t *json_text(struct str s)
{
    return json_stringn(s.n ? s.p : "", s.n);
}

int link_envelope_write(const struct link_envelope *v, struct buf *out, char hash[LINK_HASH_TEXT], struct err *e)
{
    char at[TIME_TEXT_MAX];
    json_t *documents = json_array(), *j;
    size_t from = out->n;
    int rc;

    for (size_t i = 0; i < v->document_count; i++) {
        const struct link_document *d = &v->document[i];

        json_array_append_new(documents, json_pack("{s:o, s:o, s:I, s:o}", "name", json_text(d->name), "sha256", json_text(d->sha256), "size",
                                                   (json_int_t)d->size_bytes, "type", json_text(d->type)));
    }
    j = json_pack("{s:s, s:o, s:I, s:s, s:o, s:s, s:o, s:O, s:o, s:I, s:o}", "created_at", time_format_utc(v->created_at, at), "documents", documents,
                  "epoch", (json_int_t)v->epoch, "format", FORMAT, "from", json_text(v->from), "kind", link_kind_name(v->kind), "message",
                  json_text(v->message), "payload", v->payload, "previous", json_text(v->previous), "sequence", (json_int_t)v->sequence, "to", json_text(v->to));
    rc = j ? link_json_write(j, out, e) : err_set(e, -EINVAL, "an envelope holds text that is not UTF-8");
    json_decref(j);
    if (rc == 0 && out->n - from > LINK_ENVELOPE_MAX)
        rc = err_set(e, -E2BIG, "an envelope is at most %u bytes", LINK_ENVELOPE_MAX);
    if (rc == 0)
        link_sha256_hex(str_of(out->p + from, out->n - from), hash);
    return rc;
}

static int wrong(struct err *e, const char *property)
{
    return err_set(e, -EBADMSG, "envelope: \"%s\" is not what it should be", property);
}

/* name_valid - of a document: shown to people and offered for saving, so no path and no control bytes. */
static bool name_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || strchr("/\\:*?\"<>|", s.p[i]))
            return false;
    return s.n >= 1 && s.n <= NAME_MAX_BYTES && s.p[0] != '.';
}

static bool type_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || strchr("/.+-", s.p[i])))
            return false;
    return s.n >= 3 && s.n <= TYPE_MAX_BYTES && str_chr(s, '/') > 0;
}

/* read_documents - in the order of their hashes, each once: the line has one form. */
static int read_documents(const json_t *list, struct link_envelope *out, struct err *e)
{
    int64_t sum = 0;
    size_t i;
    json_t *d;

    if (!json_is_array(list) || json_array_size(list) > LINK_DOCUMENTS_MAX)
        return wrong(e, "documents");
    json_array_foreach(list, i, d) {
        struct link_document *to = &out->document[i];

        *to = (struct link_document){ text_of(d, "name"), text_of(d, "type"), text_of(d, "sha256"),
                                      json_integer_value(json_object_get(d, "size")) };
        if (json_object_size(d) != 4 || !name_valid(to->name) || !type_valid(to->type) || !link_hash_valid(to->sha256) || to->size_bytes < 1 ||
            to->size_bytes > LINK_DOCUMENT_BYTES)
            return wrong(e, "documents");
        if (i && str_cmp(out->document[i - 1].sha256, to->sha256) >= 0)
            return wrong(e, "documents");
        sum += to->size_bytes;
    }
    out->document_count = json_array_size(list);
    return sum <= LINK_DOCUMENT_BYTES ? 0 : err_set(e, -E2BIG, "the documents of an envelope are larger than %u bytes", LINK_DOCUMENT_BYTES);
}

static bool number_of(const json_t *j, const char *key, int64_t *out)
{
    const json_t *v = json_object_get(j, key);

    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= 1;
}

static bool hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

bool link_instant(struct str s, time_ns *out)
{
    char again[TIME_TEXT_MAX];

    return time_parse_rfc3339(s, out, NULL, NULL) == 0 && str_eq(s, str_c(time_format_utc(*out, again)));
}

int link_envelope_read(const json_t *j, struct link_envelope *out, struct err *e)
{
    *out = (struct link_envelope){ .from = text_of(j, "from"), .to = text_of(j, "to"), .previous = text_of(j, "previous"), .message = text_of(j, "message"),
                                   .kind = link_kind_parse(text_of(j, "kind")), .payload = json_object_get(j, "payload") };
    if (!str_eq(text_of(j, "format"), STR(FORMAT)))
        return wrong(e, "format");
    if (json_object_size(j) != 11)
        return err_set(e, -EBADMSG, "envelope: a property is missing or unknown");
    if (!pki_name_valid(out->from))
        return wrong(e, "from");
    if (!pki_name_valid(out->to))
        return wrong(e, "to");
    if (out->kind == LINK_KIND_COUNT)
        return wrong(e, "kind");
    if (!number_of(j, "epoch", &out->epoch))
        return wrong(e, "epoch");
    if (!number_of(j, "sequence", &out->sequence))
        return wrong(e, "sequence");
    if (out->message.n != 32 || !hex(out->message))
        return wrong(e, "message");
    if (!link_hash_valid(out->previous))
        return wrong(e, "previous");
    if (!json_is_object(out->payload))
        return wrong(e, "payload");
    if (!link_instant(text_of(j, "created_at"), &out->created_at))
        return wrong(e, "created_at");
    return read_documents(json_object_get(j, "documents"), out, e);
}
