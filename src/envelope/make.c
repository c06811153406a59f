/* make.c - the manifest in its one form, blocks of events, and the whole signed. See envelope.h. */
#include "envelope/envelope.h"
#include "envelope/internal.h"

#include <jansson.h>
#include <time.h>
#include <zstd.h>

#define ZSTD_LEVEL 3

void envelope_manifest_write(const struct envelope_manifest *m, struct buf *out)
{
    time_t seconds = (time_t)(m->created_at / NS_PER_SECOND);
    char at[32] = "";
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_printf(out, "{\"body_bytes\":%llu,\"body_sha256\":\"%s\",\"created_at\":\"%s\",\"events\":%llu,\"first\":%llu,\"format\":\"saqshy-events-1\",\"next\":%llu,",
               (unsigned long long)m->body_bytes, m->body_sha256, at, (unsigned long long)m->events, (unsigned long long)m->first, (unsigned long long)m->next);
    buf_printf(out, "\"node\":\"%s\",\"number\":%llu,\"previous\":\"%s\",\"signer\":\"%s\",\"stream\":\"%s\"}", m->node, (unsigned long long)m->number, m->previous,
               m->signer, m->stream);
}

static bool word(struct str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] && strchr(more, s.p[i]))))
            return false;
    return s.n > 0;
}

bool envelope_stream_valid(struct str s) { return s.n < ENVELOPE_STREAM_MAX && word(s, "-_"); }

static bool hash(const json_t *j, const char *name, char out[NODE_HASH_TEXT])
{
    struct str s = str_c(json_string_value(json_object_get(j, name)));

    if (s.n != NODE_HASH_TEXT - 1 || !word(s, ""))
        return false;
    memcpy(out, s.p, s.n + 1);
    return true;
}

static bool number(const json_t *j, const char *name, uint64_t *out)
{
    const json_t *n = json_object_get(j, name);

    if (!json_is_integer(n) || json_integer_value(n) < 0)
        return false;
    *out = (uint64_t)json_integer_value(n);
    return true;
}

static bool take(const json_t *j, struct envelope_manifest *m)
{
    struct str node = str_c(json_string_value(json_object_get(j, "node"))), stream = str_c(json_string_value(json_object_get(j, "stream")));
    struct str at = str_c(json_string_value(json_object_get(j, "created_at")));

    if (!pki_name_valid(node) || !envelope_stream_valid(stream) || time_parse_rfc3339(at, &m->created_at, NULL, NULL) < 0)
        return false;
    memcpy(m->node, node.p, node.n + 1);
    memcpy(m->stream, stream.p, stream.n + 1);
    return hash(j, "body_sha256", m->body_sha256) && hash(j, "previous", m->previous) && hash(j, "signer", m->signer) && number(j, "number", &m->number) &&
           number(j, "first", &m->first) && number(j, "next", &m->next) && number(j, "events", &m->events) && number(j, "body_bytes", &m->body_bytes);
}

int envelope_manifest_read(struct str line, struct envelope_manifest *out, struct err *e)
{
    json_t *j = line.n <= ENVELOPE_MANIFEST_MAX ? json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    AUTO_BUF struct buf again = { 0 };
    bool ok;

    buf_init(&again, 2 * ENVELOPE_MANIFEST_MAX);
    *out = (struct envelope_manifest){ .number = 0 };
    ok = json_is_object(j) && take(j, out);
    json_decref(j);
    if (ok)
        envelope_manifest_write(out, &again);
    if (!ok || !str_eq(buf_view(&again), line))
        return err_set(e, -EBADMSG, "the first line is not the manifest of an envelope of events");
    if (out->number == 0 || out->first == 0 || out->next < out->first || out->next > INT64_MAX || out->events > out->next - out->first ||
        out->body_bytes > ENVELOPE_BYTES_MAX)
        return err_set(e, -EBADMSG, "the numbers of the manifest do not fit each other");
    return 0;
}

int envelope_block_put(const struct event *events, size_t count, uint64_t next, struct buf *body, struct err *e)
{
    AUTO_BUF struct buf plain = { 0 };
    size_t room, n;
    char *to;
    int rc;

    buf_init(&plain, ENVELOPE_BLOCK_MAX);
    rc = event_encode(events, count, &plain, e);
    if (rc < 0)
        return rc;
    room = ZSTD_compressBound(plain.n);
    buf_le64(body, next);
    buf_le32(body, (uint32_t)count);
    buf_le32(body, (uint32_t)plain.n);
    to = buf_room(body, room + 4);
    n = to ? ZSTD_compress(to + 4, room, plain.p, plain.n, ZSTD_LEVEL) : 0;
    if (!to || ZSTD_isError(n) || n > ENVELOPE_BLOCK_MAX)
        return err_set(e, -E2BIG, "the events of an envelope are too many");
    buf_le32(body, (uint32_t)n);
    body->n += n;
    return 0;
}

int envelope_make(const struct node_key *key, struct envelope_manifest *m, struct str body, struct buf *out, char digest[NODE_HASH_TEXT], struct err *e)
{
    char signature[NODE_SIGNATURE_MAX];
    const struct node_cert *c = node_key_cert(key);
    int rc;

    snprintf(m->node, sizeof m->node, "%s", node_cert_name(c));
    snprintf(m->signer, sizeof m->signer, "%s", node_cert_fingerprint(c));
    node_sha256(body, m->body_sha256);
    m->body_bytes = body.n;
    buf_reset(out);
    envelope_manifest_write(m, out);
    rc = node_sign(key, ENVELOPE_DOMAIN, buf_view(out), signature, e);
    if (rc < 0)
        return rc;
    node_sha256(buf_view(out), digest);
    buf_printf(out, "\n%s\n", signature);
    buf_str(out, body);
    return buf_failed(out) ? err_set(e, -E2BIG, "an envelope is too large") : 0;
}
