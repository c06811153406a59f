/* misp.c - events of MISP: attributes, those of objects too.
 *
 * An attribute counts if it says of itself that it is for detection (to_ids) and was not deleted. One type may hold two values ("domain|ip"): both count. */
#include "ioc/internal.h"

#define EVENTS_MAX 100000u
#define PARTS      2

/* What the parts of an attribute's type are; IOC_TYPES: nothing we look for (a port). */
static const struct {
    const char   *name;
    enum ioc_type part[PARTS];
} types[] = {
    { "ip-src", { IOC_IP, IOC_TYPES } },           { "ip-dst", { IOC_IP, IOC_TYPES } },           { "ip-src|port", { IOC_IP, IOC_TYPES } },
    { "ip-dst|port", { IOC_IP, IOC_TYPES } },      { "domain", { IOC_DOMAIN, IOC_TYPES } },       { "hostname", { IOC_DOMAIN, IOC_TYPES } },
    { "domain|ip", { IOC_DOMAIN, IOC_IP } },       { "hostname|port", { IOC_DOMAIN, IOC_TYPES } }, { "url", { IOC_URL, IOC_TYPES } },
    { "link", { IOC_URL, IOC_TYPES } },            { "uri", { IOC_URL, IOC_TYPES } },             { "md5", { IOC_HASH, IOC_TYPES } },
    { "sha1", { IOC_HASH, IOC_TYPES } },           { "sha256", { IOC_HASH, IOC_TYPES } },         { "sha512", { IOC_HASH, IOC_TYPES } },
    { "x509-fingerprint-md5", { IOC_HASH, IOC_TYPES } }, { "x509-fingerprint-sha1", { IOC_HASH, IOC_TYPES } }, { "x509-fingerprint-sha256", { IOC_HASH, IOC_TYPES } },
    { "filename", { IOC_FILE, IOC_TYPES } },       { "filename|md5", { IOC_FILE, IOC_HASH } },    { "filename|sha1", { IOC_FILE, IOC_HASH } },
    { "filename|sha256", { IOC_FILE, IOC_HASH } }, { "filename|sha512", { IOC_FILE, IOC_HASH } }, { "malware-sample", { IOC_FILE, IOC_HASH } },
    { "email", { IOC_EMAIL, IOC_TYPES } },         { "email-src", { IOC_EMAIL, IOC_TYPES } },     { "email-dst", { IOC_EMAIL, IOC_TYPES } },
    { "email-reply-to", { IOC_EMAIL, IOC_TYPES } }, { "user-agent", { IOC_AGENT, IOC_TYPES } },
};

static const json_t *event_of(const json_t *v) { return json_object_get(v, "Event") ? json_object_get(v, "Event") : v; }

bool ioc_misp_looks(const json_t *root)
{
    const json_t *first = json_is_array(root) ? json_array_get(root, 0) : root;

    return json_object_get(first, "Event") || json_object_get(first, "response") || json_object_get(first, "Attribute") || json_object_get(first, "Object");
}

/* is_true - MISP writes true, 1 and "1". */
static bool is_true(const json_t *v)
{
    return json_is_true(v) || json_integer_value(v) == 1 || (json_is_string(v) && strcmp(json_string_value(v), "1") == 0);
}

/* tlp_of_tags - the narrowest of the tags. */
static enum ioc_tlp tlp_of_tags(const json_t *owner, enum ioc_tlp usual)
{
    enum ioc_tlp most = IOC_TLP_NONE;
    size_t i;
    json_t *v;

    json_array_foreach (json_object_get(owner, "Tag"), i, v) {
        struct str name = ioc_text_of(v, "name");
        enum ioc_tlp t = name.n > 4 && str_ieq(str_of(name.p, 4), STR("tlp:")) ? ioc_tlp_parse(name) : IOC_TLP_COUNT;

        if (t < IOC_TLP_COUNT && t > most)
            most = t;
    }
    return most == IOC_TLP_NONE ? usual : most;
}

static int take_part(struct reading *r, struct ioc *one, enum ioc_type type, struct str value)
{
    enum ioc_type look = type == IOC_IP || type == IOC_URL ? ioc_guess(value) : type;

    one->type = look == IOC_NETWORK ? look : type;
    return ioc_take(r, one, value);
}

static int take_attribute(struct reading *r, const struct ioc *like, const json_t *a)
{
    struct str type = ioc_text_of(a, "type"), value = ioc_text_of(a, "value"), note = ioc_text_of(a, "comment"), rest = value, piece = value;
    struct ioc one = *like;
    size_t k = 0;
    int rc = 0;

    if (is_true(json_object_get(a, "deleted")) || !is_true(json_object_get(a, "to_ids"))) {
        ioc_skip(r, IOC_SKIP_NOT_FOR_DETECTION, value);
        return 0;
    }
    while (k < COUNT(types) && !str_eq(type, str_c(types[k].name)))
        k++;
    if (k == COUNT(types)) {
        ioc_skip(r, IOC_SKIP_TYPE, type);
        return 0;
    }
    one.id = ioc_text_of(a, "uuid");
    one.note = note.n ? str_of(note.p, min_size(note.n, IOC_NOTE_MAX)) : like->note;
    one.tlp = tlp_of_tags(a, like->tlp);
    if (str_chr(type, '|') >= 0 || str_eq(type, STR("malware-sample")))
        (void)str_split(&rest, '|', &piece);
    else
        rest.n = 0;
    rc = take_part(r, &one, types[k].part[0], piece);
    return rc == 0 && types[k].part[1] < IOC_TYPES ? take_part(r, &one, types[k].part[1], rest) : rc;
}

static int take_list(struct reading *r, const struct ioc *like, const json_t *list)
{
    int rc = 0;
    size_t i;
    json_t *v;

    json_array_foreach (list, i, v) {
        rc = take_attribute(r, like, v);
        if (rc < 0)
            break;
    }
    return rc;
}

static int take_event(struct reading *r, const json_t *ev)
{
    struct ioc like = *r->usual;
    struct str info = ioc_text_of(ev, "info");
    int rc;
    size_t i;
    json_t *v;

    like.note = str_of(info.p, min_size(info.n, IOC_NOTE_MAX));
    like.tlp = tlp_of_tags(ev, r->usual->tlp);
    rc = take_list(r, &like, json_object_get(ev, "Attribute"));
    json_array_foreach (json_object_get(ev, "Object"), i, v) {
        if (rc < 0)
            break;
        if (!is_true(json_object_get(v, "deleted")))
            rc = take_list(r, &like, json_object_get(v, "Attribute"));
    }
    return rc;
}

int ioc_misp(struct reading *r, const json_t *root)
{
    const json_t *answer = json_object_get(root, "response"), *list = answer ? answer : root;
    int rc = 0;
    size_t i;
    json_t *v;

    if (!json_is_array(list))
        return take_event(r, json_object_get(list, "Attribute") && !json_object_get(list, "Event") ? list : event_of(list));
    if (json_array_size(list) > EVENTS_MAX)
        return err_set(r->e, -E2BIG, "a file has at most %u events of MISP", EVENTS_MAX);
    json_array_foreach (list, i, v) {
        rc = take_event(r, event_of(v));
        if (rc < 0)
            break;
    }
    return rc;
}
