/* indicators.c - indicators of compromise that people bring by the portal. The file is read and judged whole before the audit trail says that it is imported, and the
 * source is replaced after that. */
#include "desk/detection/detection.h"
#include "desk/internal.h"
#include "desk/blob.h"
#include "base/log.h"
#include "base/unpack.h"
#include "ioc/shelf.h"

static const char *const type_names[] = { "ip", "network", "domain", "url", "hash", "email", "user_agent", "file", "other", NULL };
static const char *const tlp_names[] = { "clear", "green", "amber", "amber+strict", "red", NULL };

static int may(struct call *c, const char *action, bool yes)
{
    int rc = 0;

    if (!yes) {
        rc = refuse(c, -EACCES, "forbidden", NULL, "indicators are for administrators and the centre's people");
        audit_refusal(c, action, "indicators");
    }
    return rc;
}

static void left_out(void *arg, const char *path, const char *why)
{
    (void)arg;
    log_line(LOG_WARN, "a warning list of indicators is left out", "file.path", path, "error.message", why, NULL);
}

/* note - a row of the audit trail, in a transaction of its own. */
static int note(struct call *c, const char *action, struct str source, struct str detail, const char *outcome)
{
    char target[100];
    int rc = db_begin(c->d, c->e);

    snprintf(target, sizeof target, "indicators/%.*s", (int)min_size(source.n, IOC_SOURCE_MAX), source.p);
    return rc < 0 ? rc : db_end(c->d, audit_add(c, action, target, detail, outcome), c->e);
}

/* plain_of - the text of an upload, unpacked. */
static int plain_of(struct call *c, struct str upload, struct buf *raw, struct buf *plain, struct str *out)
{
    enum packing packing;
    int rc = blob_peek(c, upload, "upload_id", raw);

    if (rc < 0)
        return rc;
    *out = buf_view(raw);
    packing = packing_of(*out);
    if (packing == PACKING_NONE)
        return 0;
    rc = unpack_all(packing, UNPACK_WINDOW_BODY, *out, INDICATORS_FILE_MAX, plain);
    *out = buf_view(plain);
    if (rc == -ENOMEM)
        return err_set(c->e, rc, "no memory for indicators");
    return rc < 0 ? refuse(c, -EINVAL, "indicators_unreadable", "upload_id", "the file cannot be unpacked") : 0;
}

static json_t *skipped_json(const struct ioc_told *t)
{
    json_t *list = json_array();
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    for (enum ioc_skip s = 0; s < IOC_SKIPS; s++) {
        if (!t->skipped[s])
            continue;
        buf_reset(&b);
        buf_json(&b, str_c(t->example[s]));   /* bytes that are no UTF-8 become U+FFFD */
        json_array_append_new(list, json_pack("{s:s,s:I,s:o}", "reason", ioc_skip_name(s), "count", (json_int_t)t->skipped[s], "example",
                                              buf_failed(&b) ? json_string("") : json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL)));
    }
    return list;
}

static struct ioc usual_of(const json_t *body, time_ns now)
{
    const json_t *confidence = json_object_get(body, "confidence"), *days = json_object_get(body, "days");
    struct str type = json_get_str(body, "type"), tlp = json_get_str(body, "tlp");
    struct ioc u = { .type = type.n ? ioc_type_parse(type) : IOC_TYPES, .tlp = tlp.n ? ioc_tlp_parse(tlp) : IOC_TLP_NONE, .confidence = IOC_CONFIDENCE_NONE };

    if (json_is_integer(confidence))
        u.confidence = (uint8_t)json_integer_value(confidence);
    if (json_is_integer(days))
        u.until = now + json_integer_value(days) * NS_PER_DAY;
    return u;
}

static int imported(struct call *c, const json_t *body, struct str source, struct str bytes, struct ioc_taking **t)
{
    struct ioc usual = usual_of(body, c->now);
    struct ioc_told told = { 0 };
    struct err why = { 0 };
    size_t own = 0, all = 0;
    char detail[160], sum[65];
    int rc = ioc_taking_file(*t, bytes, &usual, &told, &why);

    if (rc == -EBADMSG || rc == -E2BIG)
        return refuse(c, -EINVAL, "indicators_unreadable", "upload_id", "%s", why.text);
    if (rc < 0)
        return err_set(c->e, rc, "%s", why.text);
    secret_sha256_hex(bytes, sum);
    snprintf(detail, sizeof detail, "%s %llu sha256:%s", ioc_format_name(told.format), (unsigned long long)told.taken, sum);
    rc = note(c, "indicators.import", source, str_c(detail), "ok");
    if (rc < 0)
        return rc;
    rc = ioc_taking_end(t, left_out, NULL, &own, &all, c->e);
    if (rc < 0) {
        if (note(c, "indicators.import", source, STR("the source could not be written"), "failed") < 0)
            log_line(LOG_ERROR, "an import of indicators failed, and the audit trail could not be told", "saqshy.source", detail, NULL);
        return rc;
    }
    c->r->json = json_pack("{s:o,s:s,s:I,s:o,s:I,s:I}", "source", json_str(source), "format", ioc_format_name(told.format), "taken", (json_int_t)told.taken, "skipped",
                           skipped_json(&told), "own", (json_int_t)own, "all", (json_int_t)all);
    return 0;
}

/* bounds - what the table of the body cannot say. */
static int bounds(struct call *c, const json_t *body)
{
    const json_t *confidence = json_object_get(body, "confidence"), *days = json_object_get(body, "days");

    if (!ioc_source_valid(json_get_str(body, "source")))
        return refuse(c, -EINVAL, "bad_request", "source", "a source is 1 to 64 letters, digits, '.', '-', '_'");
    if (json_is_integer(confidence) && json_integer_value(confidence) > 100)
        return refuse(c, -EINVAL, "bad_request", "confidence", "0 to 100");
    if (json_is_integer(days) && (json_integer_value(days) < 1 || json_integer_value(days) > 36500))
        return refuse(c, -EINVAL, "bad_request", "days", "1 to 36500");
    return 0;
}

static int import(struct call *c, const json_t *body)
{
    AUTO_BUF struct buf raw, plain;
    struct str source = json_get_str(body, "source"), bytes;
    struct ioc_taking *t = NULL;
    int rc = bounds(c, body);

    buf_init(&raw, INDICATORS_FILE_MAX);
    buf_init(&plain, INDICATORS_FILE_MAX + MIB);
    if (rc == 0)
        rc = plain_of(c, json_get_str(body, "upload_id"), &raw, &plain, &bytes);
    if (rc == 0)
        rc = ioc_taking_begin(c->d->setup.node->data, source, json_is_true(json_object_get(body, "add")), &t, c->e);
    if (rc == 0)
        rc = imported(c, body, source, bytes, &t);
    ioc_taking_drop(&t);
    return rc;
}

int desk_indicators_import(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "source", BODY_STRING, true, false, 1, IOC_SOURCE_MAX, NULL }, { "upload_id", BODY_STRING, true, false, 1, 64, NULL }, { "add", BODY_BOOL, true, false, 0, 0, NULL },
        { "type", BODY_ENUM, false, true, 0, 0, type_names },            { "tlp", BODY_ENUM, false, true, 0, 0, tlp_names },    { "confidence", BODY_COUNT, false, true, 0, 0, NULL },
        { "days", BODY_COUNT, false, true, 0, 0, NULL },
    };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "indicators.import", v->role == DESK_ADMINISTRATOR || role_of_centre(v->role));
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = import(&c, body);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- removing --- */

struct looking {
    struct str source;
    bool       there;
    size_t     count;
};

static int look(void *arg, const struct ioc_source *s, int rc, struct err *e)
{
    struct looking *l = arg;

    (void)rc;
    (void)e;
    if (str_eq(l->source, str_c(s->name))) {
        l->there = true;
        l->count = s->count;
    }
    return 0;
}

int desk_indicators_remove(struct desk *d, const struct viewer *v, struct str source, time_ns now, struct desk_reply *r)
{
    struct looking l = { .source = source };
    struct call c;
    char detail[64];
    size_t all = 0;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "indicators.remove", v->role == DESK_ADMINISTRATOR || v->role == DESK_CENTRE_LEAD);
    if (rc == 0)
        rc = ioc_shelf_sources(d->setup.node->data, look, &l, c.e);
    if (rc == 0 && !l.there)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "there is no such source");
    snprintf(detail, sizeof detail, "%zu", l.count);
    if (rc == 0)
        rc = note(&c, "indicators.remove", source, str_c(detail), "ok");
    if (rc == 0 && (rc = ioc_shelf_remove(d->setup.node->data, source, left_out, NULL, &all, c.e)) < 0 && note(&c, "indicators.remove", source, STR(""), "failed") < 0)
        log_line(LOG_ERROR, "removing indicators failed, and the audit trail could not be told", NULL);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
