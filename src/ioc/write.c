/* write.c - see write.h. Identifiers are UUIDs of version 5 (RFC 9562), whose name is what the thing is made of. */
#include "ioc/write.h"

#include <openssl/evp.h>

#include "ioc/internal.h"

#define UUID_ROOM 37
#define TIME_ROOM 32

/* What is written now. */
struct writing {
    const struct ioc_collection *of;
    char    made[TIME_ROOM];      /* of, as both formats write a moment */
    char    who[UUID_ROOM];       /* the producer */
    json_t *out;                  /* objects of a bundle, attributes of an event */
    size_t  left_out;
};

static json_t *text(struct str s) { return json_stringn(s.n ? s.p : "", s.n); }

/* uuid_of - one for each kind, producer, collection and value. False: no memory. */
static bool uuid_of(const struct ioc_collection *of, const char *kind, struct str key, const char *type, struct str value, char out[UUID_ROOM])
{
    static const char space[] = "saqshy indicators";     /* stands where a name space does */
    const struct str parts[] = { str_of(space, sizeof space), str_of(kind, strlen(kind) + 1), of->producer, str_of("", 1), key, str_of("", 1), str_of(type, strlen(type) + 1), value };
    unsigned char d[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *x = EVP_MD_CTX_new();
    bool ok = x && EVP_DigestInit_ex(x, EVP_sha1(), NULL) == 1;

    for (size_t i = 0; ok && i < COUNT(parts); i++)
        ok = parts[i].n == 0 || EVP_DigestUpdate(x, parts[i].p, parts[i].n) == 1;
    ok = ok && EVP_DigestFinal_ex(x, d, NULL) == 1;
    EVP_MD_CTX_free(x);
    if (!ok)
        return false;
    d[6] = (unsigned char)((d[6] & 0x0f) | 0x50);
    d[8] = (unsigned char)((d[8] & 0x3f) | 0x80);
    snprintf(out, UUID_ROOM, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11],
             d[12], d[13], d[14], d[15]);
    return true;
}

/* moment - whole milliseconds in UTC, as both formats ask. */
static void moment(time_ns at, char out[TIME_ROOM])
{
    char full[TIME_TEXT_MAX];

    time_format_utc(at - at % NS_PER_MS, full);
    snprintf(out, TIME_ROOM, "%.19s.%03dZ", full, (int)(at % NS_PER_SECOND / NS_PER_MS));
}

static enum ioc_tlp stricter(enum ioc_tlp a, enum ioc_tlp b) { return a > b ? a : b; }

/* --- STIX --- */

static const struct {
    const char *id, *name;
} markings[IOC_TLP_COUNT] = {
    [IOC_TLP_CLEAR] = { "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR" },
    [IOC_TLP_GREEN] = { "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN" },
    [IOC_TLP_AMBER] = { "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER" },
    [IOC_TLP_AMBER_STRICT] = { "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT" },
    [IOC_TLP_RED] = { "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED" },
};

static void quote(struct buf *b, struct str s)
{
    buf_byte(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '\'');
}

static const char *hash_name(size_t digits)
{
    return digits == 32 ? "MD5" : digits == 40 ? "'SHA-1'" : digits == 64 ? "'SHA-256'" : "'SHA-512'";
}

/* pattern_of - false: STIX has no words for it. */
static bool pattern_of(enum ioc_type type, struct str value, struct buf *b)
{
    bool six = str_chr(value, ':') >= 0;

    buf_byte(b, '[');
    switch (type) {
    case IOC_IP: case IOC_NETWORK: buf_printf(b, "ipv%d-addr:value = ", six ? 6 : 4); break;
    case IOC_DOMAIN: buf_str(b, STR("domain-name:value = ")); break;
    case IOC_URL: buf_str(b, STR("url:value = ")); break;
    case IOC_HASH: buf_printf(b, "file:hashes.%s = ", hash_name(value.n)); break;
    case IOC_EMAIL: buf_str(b, STR("email-addr:value = ")); break;
    case IOC_FILE: buf_str(b, STR("file:name = ")); break;
    case IOC_AGENT: buf_str(b, STR("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = ")); break;
    default: return false;
    }
    quote(b, value);
    buf_byte(b, ']');
    return true;
}

/* stix_indicator - NULL: no words for it, or no memory (*failed). */
static json_t *stix_indicator(struct writing *w, const struct ioc *i, bool *failed)
{
    char uuid[UUID_ROOM], id[64], by[64], from[TIME_ROOM], until[TIME_ROOM];
    enum ioc_tlp tlp = stricter(i->tlp, w->of->tlp);
    AUTO_BUF struct buf pattern = { 0 };
    json_t *o;

    buf_init(&pattern, 4 * IOC_VALUE_MAX);
    if (!pattern_of(i->type, i->value, &pattern))
        return NULL;
    *failed = buf_failed(&pattern) || !uuid_of(w->of, "indicator", w->of->key, ioc_type_name(i->type), i->value, uuid);
    if (*failed)
        return NULL;
    snprintf(id, sizeof id, "indicator--%s", uuid);
    snprintf(by, sizeof by, "identity--%s", w->who);
    moment(i->from ? i->from : w->of->at, from);
    o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:s}", "type", "indicator", "spec_version", "2.1", "id", id, "created_by_ref", by, "created", from, "modified",
                  w->made, "name", text(i->note.n ? i->note : i->value), "pattern_type", "stix", "pattern", text(buf_view(&pattern)), "valid_from", from);
    if (i->until > (i->from ? i->from : w->of->at)) {
        moment(i->until, until);
        json_object_set_new(o, "valid_until", json_string(until));
    }
    if (i->confidence != IOC_CONFIDENCE_NONE)
        json_object_set_new(o, "confidence", json_integer(i->confidence));
    if (markings[tlp].id)
        json_object_set_new(o, "object_marking_refs", json_pack("[s]", markings[tlp].id));
    *failed = o == NULL;
    return o;
}

/* stix_markings - the definitions that the bundle uses, so that it stands for itself. */
static void stix_markings(json_t *objects, const bool used[IOC_TLP_COUNT])
{
    for (size_t t = IOC_TLP_CLEAR; t < IOC_TLP_COUNT; t++) {
        char level[24];
        size_t n = strlen(markings[t].name + 4);

        for (size_t i = 0; i <= n; i++)
            level[i] = (char)(markings[t].name[4 + i] >= 'A' && markings[t].name[4 + i] <= 'Z' ? markings[t].name[4 + i] | 32 : markings[t].name[4 + i]);
        if (used[t])
            json_array_insert_new(objects, 0,
                                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "type", "marking-definition", "spec_version", "2.1", "id", markings[t].id, "created",
                                            "2022-10-01T00:00:00.000Z", "name", markings[t].name, "extensions",
                                            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d", "extension_type", "property-extension", "tlp_2_0", level));
    }
}

/* stix_report - what holds them together: a grouping, for what is still looked into. */
static int stix_report(struct writing *w, json_t *refs)
{
    char uuid[UUID_ROOM], id[64], by[64];
    json_t *o;

    if (!uuid_of(w->of, "grouping", w->of->key, "", STR(""), uuid))
        return -ENOMEM;
    snprintf(id, sizeof id, "grouping--%s", uuid);
    snprintf(by, sizeof by, "identity--%s", w->who);
    o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:O}", "type", "grouping", "spec_version", "2.1", "id", id, "created_by_ref", by, "created", w->made, "modified", w->made,
                  "name", text(w->of->title), "context", "suspicious-activity", "object_refs", refs);
    if (o && markings[w->of->tlp].id)
        json_object_set_new(o, "object_marking_refs", json_pack("[s]", markings[w->of->tlp].id));
    return json_array_append_new(w->out, o) < 0 ? -ENOMEM : 0;
}

static int stix(struct writing *w, const struct ioc *list, size_t count, json_t **root)
{
    bool used[IOC_TLP_COUNT] = { [IOC_TLP_NONE] = false }, failed = false;
    char bundle[UUID_ROOM], by[64], id[64];
    json_t *refs = json_array();
    int rc = 0;

    snprintf(by, sizeof by, "identity--%s", w->who);
    json_array_append_new(w->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "type", "identity", "spec_version", "2.1", "id", by, "created", w->made, "modified", w->made, "name",
                                            text(w->of->producer), "identity_class", "organization"));
    for (size_t i = 0; rc == 0 && i < count; i++) {
        json_t *o = stix_indicator(w, &list[i], &failed);

        w->left_out += !o && !failed;
        used[stricter(list[i].tlp, w->of->tlp)] |= o != NULL;
        if (o && (json_array_append(refs, json_object_get(o, "id")) < 0 || json_array_append_new(w->out, o) < 0))
            failed = true;
        rc = failed ? -ENOMEM : 0;
    }
    if (rc == 0 && json_array_size(refs) > 0) {
        rc = stix_report(w, refs);
        used[w->of->tlp] = w->of->tlp != IOC_TLP_NONE;
    }
    json_decref(refs);
    stix_markings(w->out, used);
    if (rc < 0 || !uuid_of(w->of, "bundle", w->of->key, w->made, STR(""), bundle))
        return -ENOMEM;
    snprintf(id, sizeof id, "bundle--%s", bundle);
    *root = json_pack("{s:s, s:s, s:O}", "type", "bundle", "id", id, "objects", w->out);
    return *root ? 0 : -ENOMEM;
}

/* --- MISP --- */

static const char *misp_type(const struct ioc *i, const char **category)
{
    static const struct { const char *type, *category; } rows[IOC_TYPES] = {
        [IOC_IP] = { "ip-src", "Network activity" },       [IOC_NETWORK] = { "ip-src", "Network activity" }, [IOC_DOMAIN] = { "domain", "Network activity" },
        [IOC_URL] = { "url", "Network activity" },         [IOC_EMAIL] = { "email", "Network activity" },    [IOC_FILE] = { "filename", "Artifacts dropped" },
        [IOC_AGENT] = { "user-agent", "Network activity" }, [IOC_OTHER] = { "other", "Other" },
    };

    *category = rows[i->type].category;
    if (i->type != IOC_HASH)
        return rows[i->type].type;
    *category = "Payload delivery";
    return i->value.n == 32 ? "md5" : i->value.n == 40 ? "sha1" : i->value.n == 64 ? "sha256" : "sha512";
}

static json_t *misp_tags(enum ioc_tlp tlp)
{
    char name[24];

    if (tlp == IOC_TLP_NONE)
        return json_array();
    snprintf(name, sizeof name, "tlp:%s", ioc_tlp_name(tlp));
    return json_pack("[{s:s}]", "name", name);
}

static int misp_attribute(struct writing *w, const struct ioc *i)
{
    const char *category, *type = misp_type(i, &category);
    char uuid[UUID_ROOM], seconds[24], when[TIME_ROOM];
    json_t *o;

    if (!uuid_of(w->of, "attribute", w->of->key, ioc_type_name(i->type), i->value, uuid))
        return -ENOMEM;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(w->of->at / NS_PER_SECOND));
    o = json_pack("{s:s, s:s, s:s, s:o, s:b, s:s, s:o, s:b}", "uuid", uuid, "type", type, "category", category, "value", text(i->value), "to_ids", i->type != IOC_OTHER, "timestamp",
                  seconds, "comment", text(i->note), "disable_correlation", 0);
    if (o && i->from) {
        moment(i->from, when);
        json_object_set_new(o, "first_seen", json_string(when));
    }
    if (o && i->tlp > w->of->tlp)
        json_object_set_new(o, "Tag", misp_tags(i->tlp));
    return json_array_append_new(w->out, o) < 0 ? -ENOMEM : 0;
}

static int misp(struct writing *w, const struct ioc *list, size_t count, json_t **root)
{
    char uuid[UUID_ROOM], seconds[24];
    int rc = uuid_of(w->of, "event", w->of->key, "", STR(""), uuid) ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = misp_attribute(w, &list[i]);
    if (rc < 0)
        return rc;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(w->of->at / NS_PER_SECOND));
    /* Threat "undefined", analysis "initial", for the taker's organisation alone: who takes it decides otherwise. */
    *root = json_pack("{s:{s:s, s:o, s:s%, s:s, s:s, s:s, s:b, s:s, s:{s:o, s:s}, s:o, s:O}}", "Event", "uuid", uuid, "info", text(w->of->title), "date", w->made, (size_t)10,
                      "threat_level_id", "4", "analysis", "0", "distribution", "0", "published", 0, "timestamp", seconds, "Orgc", "name", text(w->of->producer), "uuid", w->who, "Tag",
                      misp_tags(w->of->tlp), "Attribute", w->out);
    return *root ? 0 : -ENOMEM;
}

int ioc_write(enum ioc_format format, const struct ioc_collection *of, const struct ioc *list, size_t count, struct buf *out, size_t *left_out, struct err *e)
{
    struct writing w = { .of = of, .out = json_array() };
    json_t *root = NULL;
    int rc = -ENOMEM;

    moment(of->at, w.made);
    if (w.out && uuid_of(of, "identity", STR(""), "", STR(""), w.who))
        rc = format == IOC_MISP ? misp(&w, list, count, &root) : stix(&w, list, count, &root);
    AUTO_FREE char *all = rc == 0 ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    json_decref(w.out);
    *left_out = w.left_out;
    if (all)
        buf_str(out, str_c(all));
    return all && !buf_failed(out) ? 0 : err_set(e, -ENOMEM, "no memory to write %zu indicators", count);
}
