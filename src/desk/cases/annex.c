/* annex.c - the forms of a case: drafts from what the log and the registry say, and the documents made of them.
 *
 * What the log does not say stays empty and never stops the notice (requirements 9.3 point 8); an empty source address is printed as
 * "no data in the log". */
#include "ioc/value.h"
#include "desk/internal.h"
#include "base/file.h"

static json_t *finding_last(struct call *c, int64_t case_id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json FROM finding WHERE case_id = ? ORDER BY seq DESC LIMIT 1", "i", case_id);
    json_t *f = NULL;

    if (st && db_step(c->d, st, c->e) > 0) {
        struct str s = db_str(st, 0);

        f = json_loadb(s.p, s.n, 0, NULL);
        db_done(st);
    }
    return f ? f : json_object();
}

/* first_of - the first value of the first field that is there; a list gives its first entry. */
static struct str first_of(const json_t *f, const char *const *names)
{
    for (; *names; names++) {
        const json_t *v = json_object_get(f, *names);

        if (json_is_array(v))
            v = json_array_get(v, 0);
        if (json_is_string(v) && json_string_length(v))
            return str_of(json_string_value(v), json_string_length(v));
    }
    return (struct str){ NULL, 0 };
}

/* bounded - at most so many letters, control bytes as blanks; null if nothing is left. */
static json_t *bounded(struct str s, size_t letters, struct arena *a)
{
    struct str copy = arena_copy(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    size_t n = 0, seen = 0;

    for (; n < copy.n; n++) {
        if (((unsigned char)p[n] & 0xC0) != 0x80 && seen++ == letters)
            break;
        if ((unsigned char)p[n] < 32)
            p[n] = ' ';
    }
    copy = str_trim(str_of(p, n));
    return copy.n ? json_str(copy) : json_null();
}

/* cut - at most so many bytes, a letter whole. */
static struct str cut(struct str s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most && ((unsigned char)s.p[most] & 0xC0) == 0x80)
        most--;
    return str_of(s.p, most);
}

struct str case_title_both(struct call *c, const struct kase *k, size_t most)
{
    struct str kk = case_title(c, k, LANG_KK), ru = case_title(c, k, LANG_RU);

    return str_eq(kk, ru) ? cut(kk, most) : arena_printf(&c->a, "%.*s / %.*s", STR_ARG(cut(kk, most)), STR_ARG(cut(ru, most)));
}

static json_t *event_name(struct call *c, const struct kase *k) { return bounded(case_title_both(c, k, 1000), 500, &c->a); }

/* nature_of - how often, in Kazakh and Russian, then the last line of the log as it stands there. */
static json_t *nature_of(struct call *c, uint64_t hits, const json_t *finding)
{
    static const char *const line[] = { "event.original", NULL };
    json_t *shown = bounded(first_of(finding, line), 3000, &c->a), *args;
    char count[24];

    snprintf(count, sizeof count, "%llu", (unsigned long long)hits);
    args = json_pack("{s:s}", "count", count);
    struct str kk = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, "case.nature"), args);
    struct str ru = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, "case.nature"), args);
    struct str text = arena_printf(&c->a, "%.*s / %.*s\n%s", STR_ARG(kk), STR_ARG(ru), json_is_string(shown) ? json_string_value(shown) : "—");
    json_decref(args);
    json_decref(shown);
    return json_str(text);
}

/* addresses - one IP address, or several with commas or blanks between them. */
static bool addresses(struct str s)
{
    size_t n = 0;

    while ((s = str_trim(s)).n) {
        size_t end = 0;
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, KIB);
        while (end < s.n && !strchr(",; ", s.p[end]))
            end++;
        if (!ioc_normal(IOC_IP, str_of(s.p, end), &b))
            return false;
        n++;
        for (; end < s.n && strchr(",; ", s.p[end]); end++) {}
        s = str_cut(s, end);
    }
    return n > 0;
}

int annex7_addresses(struct call *c, const json_t *a7)
{
    static const char *const fields[] = { "source_ip", "target_ip" };
    char field[DESK_FIELD_MAX];

    for (size_t i = 0; i < COUNT(fields); i++) {
        struct str s = json_get_str(a7, fields[i]);

        snprintf(field, sizeof field, "annex7.%s", fields[i]);
        if (str_trim(s).n && !addresses(s))
            return refuse(c, -EINVAL, "bad_request", field, "not an IP address");
    }
    return 0;
}

/* address_of - the first of the fields that holds an address: a log may name a host there, and the form asks for an address. */
static json_t *address_of(const json_t *f, const char *const *names, struct arena *a)
{
    for (; *names; names++) {
        const char *const one[] = { *names, NULL };
        struct str s = first_of(f, one);

        if (s.n && s.n <= 64 && addresses(s))
            return bounded(s, 64, a);
    }
    return json_null();
}

int annex7_draft(struct call *c, const struct kase *k, json_t **out)
{
    static const char *const source_ip[] = { "source.ip", "client.ip", "source.address", NULL };
    static const char *const target_ip[] = { "destination.ip", "server.ip", "host.ip", NULL };
    static const char *const device[] = { "host.name", "host.hostname", "observer.name", "saqshy.source", NULL };
    static const char *const path[] = { "file.path", "url.original", "url.path", "dns.question.name", NULL };
    static const char *const code[] = { "http.response.status_code", NULL };
    static const char *const org[] = { "source.as.organization.name", NULL };
    static const char *const hits[] = { "saqshy.count", NULL };
    json_t *f = finding_last(c, k->id);
    uint64_t count = 0;
    char date[16];

    local_date(c->d, k->detected_at, date);
    if (!str_u64(first_of(f, hits), &count) || count > INT32_MAX)
        count = (uint64_t)k->count;
    *out = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:s, s:o, s:o, s:o, s:n}", "registered_on", date, "detected_at",
                     json_time(k->detected_at), "source_ip", address_of(f, source_ip, &c->a), "target_ip",
                     address_of(f, target_ip, &c->a), "device_name", bounded(first_of(f, device), 255, &c->a), "event_name",
                     event_name(c, k), "file_path_or_request", bounded(first_of(f, path), 4096, &c->a), "server_response_code",
                     bounded(first_of(f, code), 64, &c->a), "ipt_hit_count", (json_int_t)count, "source_organization",
                     bounded(first_of(f, org), 500, &c->a), "registration_kind", k->repeated ? "repeated" : "first", "nature",
                     nature_of(c, count, f), "owner_or_possessor", json_str(k->org_name), "object", json_str(k->object_name), "note");
    json_decref(f);
    return *out ? 0 : err_set(c->e, -ENOMEM, "no memory for a form");
}

int case_iocs(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT type, value FROM indicator WHERE case_id = ? AND removed_at IS NULL AND own = 0 ORDER BY at, type, norm LIMIT 100", "i",
                                id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o}", "type", db_json(st, 0), "value", db_json(st, 1)));
    return rc;
}

int annex2_draft(struct call *c, const struct kase *k, json_t **out)
{
    static const char *const when[] = { "saqshy.event_time", "@timestamp", NULL };
    const struct rule *rule = rule_find(&c->d->rules, k->rule_id);
    json_t *f = finding_last(c, k->id), *iocs = NULL, *a7 = k->annex7.n ? json_loadb(k->annex7.p, k->annex7.n, 0, NULL) : NULL;
    struct str occurred = first_of(f, when), nature = json_get_str(a7, "nature");
    time_ns t = k->detected_at;
    char date[16];

    local_date(c->d, k->confirmed_at, date);
    int rc = case_iocs(c, k->id, &iocs);
    if (occurred.n && time_parse_rfc3339(occurred, &t, NULL, NULL) < 0)
        t = k->detected_at;
    json_t *lan = json_array();
    if (str_eq(k->object_contour, STR("internal")) || str_eq(k->object_contour, STR("external")))
        json_array_append_new(lan, json_string(str_eq(k->object_contour, STR("internal")) ? "internal_lan" : "external_lan"));
    struct str type = k->incident_type.n ? k->incident_type : rule ? rule->incident_type : STR("");
    nature = nature.n ? nature : k->description;
    *out = json_pack("{s:s, s:o, s:o, s:n, s:o, s:o, s:s, s:o, s:n, s:o, s:o, s:[], s:o, s:n, s:n}", "registered_on", date, "level",
                     json_str(k->level), "incident_type", type.n ? json_str(type) : json_null(), "scale",
                     "occurred_at", json_time(t), "confirmed_at", json_time(k->confirmed_at), "recurrence", k->repeated ? "repeated" : "new", "iocs",
                     iocs, "sign", "contour", lan, "nature", nature.n ? json_str(nature) : json_null(), "consequences", "affected_object",
                     json_str(k->object_name), "elimination_actions", "note");
    json_decref(f);
    json_decref(a7);
    return rc < 0 ? rc : *out ? 0 : err_set(c->e, -ENOMEM, "no memory for a form");
}

/* --- from JSON to a form --- */

static bool set_list(struct call *c, struct form_values *vs, struct str id, const json_t *v)
{
    size_t n = min_size(json_array_size(v), FORM_LIST_MAX);
    struct str *list = arena_array(&c->a, n + 1, sizeof *list);

    if (!list)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(v, i);

        if (json_is_string(one))
            list[i] = str_of(json_string_value(one), json_string_length(one));
        else
            list[i] = arena_printf(&c->a, "%.*s %.*s", STR_ARG(json_get_str(one, "type")), STR_ARG(json_get_str(one, "value")));
    }
    return n == 0 || form_set_list(vs, id, list, n);
}

static bool set_one(struct call *c, struct form_values *vs, const struct form_field *f, const json_t *v)
{
    struct str s = str_of(json_string_value(v), json_string_length(v));
    struct str *list;
    time_ns t;

    if (!v || json_is_null(v))
        return f->presence == FIELD_REQUIRED_OR_NO_DATA ? form_set_no_data(vs, f->id) : true;
    if (json_is_array(v))
        return set_list(c, vs, f->id, v);
    if (json_is_integer(v))
        return form_set_text(vs, f->id, arena_printf(&c->a, "%lld", (long long)json_integer_value(v)));
    if (!s.n)
        return f->presence == FIELD_REQUIRED_OR_NO_DATA ? form_set_no_data(vs, f->id) : true;
    if (f->type == FIELD_INSTANT)
        return time_parse_rfc3339(s, &t, NULL, NULL) == 0 && form_set_instant(vs, f->id, t);
    if (f->type == FIELD_ENUMS || f->type == FIELD_LIST) {
        list = arena_alloc(&c->a, sizeof *list);
        if (list)
            *list = s;
        return list && form_set_list(vs, f->id, list, 1);
    }
    return form_set_text(vs, f->id, s);
}

static int form_fill(struct call *c, const struct form *form, const json_t *values, struct form_values *vs)
{
    vs->count = 0;
    for (size_t i = 0; i < form->field_count + form->extra_count; i++) {
        const struct form_field *f = i < form->field_count ? &form->fields[i] : &form->extras[i - form->field_count];
        char name[64];

        if (f->type == FIELD_GROUP)
            continue;
        snprintf(name, sizeof name, "%.*s", STR_ARG(f->id));
        if (!set_one(c, vs, f, json_object_get(values, name)))
            return err_set(c->e, -EINVAL, "the value of \"%s\" does not fit the form", name);
    }
    return 0;
}

/* form_of - by the edition of the case; *w is the world in which it is drawn. */
static const struct form *form_of(struct call *c, const struct kase *k, const char *id, struct duty_world *w)
{
    const struct form *f = world_of(c, k->edition, w) == 0 ? edition_form(w->edition, str_c(id)) : NULL;

    if (!f)
        err_set(c->e, -ENOTSUP, "the edition \"%.*s\" has no form \"%s\"", STR_ARG(k->edition), id);
    return f;
}

int annex_missing(struct call *c, const struct kase *k, const char *form_id, const json_t *values)
{
    struct duty_world w;
    const struct form *form = form_of(c, k, form_id, &w);
    const struct form_field *missing = NULL;
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    char field[DESK_FIELD_MAX];
    int rc = form && vs ? form_fill(c, form, values, vs) : -ENOTSUP;

    if (rc < 0)
        return rc;
    if (forms_missing(form, vs, &missing, 1) == 0)
        return 0;
    snprintf(field, sizeof field, "%s.%.*s", form_id, STR_ARG(missing->id));
    return refuse(c, -EINVAL, "bad_request", field, "the form requires \"%.*s\"", STR_ARG(missing->id));
}

static int keep(struct call *c, const char *sha256, const char *ending, struct str bytes)
{
    char folder[4096], tail[100], path[4096];
    int rc = file_mkdirs(node_path(c->d->setup.node, "documents", folder), 0750, c->e);

    snprintf(tail, sizeof tail, "documents/%s.%s", sha256, ending);
    node_path(c->d->setup.node, tail, path);
    if (rc >= 0)
        rc = file_write_atomic(path, bytes, 0640, c->e);
    /* Whatever the file system says is our trouble, not the caller's: -EACCES would read as "forbidden". */
    return rc < 0 ? err_wrap(c->e, rc == -ENOSPC ? rc : -EIO, "keeping a document") : 0;
}

/* heard_judge - a document that came from another node is a PDF, and none that is known here as something else: its structured form would take the
 * place of that one's. The very same document of this case again is no second one. */
static int heard_judge(struct call *c, const struct kase *k, const char *kind, struct str pdf, struct str json, const char *sha256)
{
    char tail[100], path[4096];
    AUTO_BUF struct buf had;
    int64_t known = 0, same = 0;
    int rc;

    buf_init(&had, DESK_DOCUMENT_MAX);
    if (!str_starts(pdf, STR("%PDF-")))
        return refuse(c, -EINVAL, "bad_payload", "document", "what came as the document is no PDF");
    rc = db_int(c->d, c->e, 0, &known,
                "SELECT EXISTS (SELECT 1 FROM document WHERE sha256 = ?1 AND (case_id <> ?2 OR kind <> ?3)) OR EXISTS (SELECT 1 FROM notice_record WHERE"
                " pdf_sha256 = ?1)",
                "ziz", sha256, k->id, kind);
    if (rc == 0 && !known)
        rc = db_int(c->d, c->e, 0, &same, "SELECT EXISTS (SELECT 1 FROM document WHERE sha256 = ?1)", "z", sha256);
    if (rc == 0 && same) {
        snprintf(tail, sizeof tail, "documents/%s.json", sha256);
        known = file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, &had, NULL) < 0 || !str_eq(buf_view(&had), json);
    }
    return rc < 0 || !known ? rc : refuse(c, -EINVAL, "bad_payload", "document", "what came as the document is another one that is known here");
}

int document_make(struct call *c, const struct kase *k, const char *kind, const json_t *values, char sha256[65])
{
    struct duty_world w;
    const struct form *form = form_of(c, k, kind, &w);
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    struct form_document d = { .world = &w, .catalog = c->d->setup.catalog, .form = form, .values = vs, .case_number = k->number,
                               .tlp = k->tlp, .produced_at = c->now, .langs = { LANG_KK, LANG_RU }, .lang_count = 2 };
    AUTO_BUF struct buf pdf = { 0 }, json = { 0 };
    int rc = form && vs ? form_fill(c, form, values, vs) : -ENOTSUP;

    if (rc < 0)
        return rc;
    buf_init(&pdf, DESK_DOCUMENT_MAX + MIB);
    buf_init(&json, DESK_DOCUMENT_MAX);
    /* What came with an act of another node is the document; ours would be a second one. */
    rc = c->heard && c->heard->pdf.n ? heard_document(c, &pdf) : forms_render_pdf(&d, &pdf, c->e);
    if (rc == 0)
        rc = forms_render_json(&d, &json, c->e);
    if (rc < 0)
        return err_wrap(c->e, drawing_failed(rc, c->heard, buf_failed(&pdf) || buf_failed(&json)), "drawing a document");
    secret_sha256_hex(buf_view(&pdf), sha256);
    if (c->heard && c->heard->pdf.n)
        rc = heard_judge(c, k, kind, buf_view(&pdf), buf_view(&json), sha256);
    if (rc == 0)
        rc = keep(c, sha256, "pdf", buf_view(&pdf));
    if (rc == 0)
        rc = keep(c, sha256, "json", buf_view(&json));
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO document(case_id, sha256, kind, created_at, size_bytes, author_id) VALUES (?,?,?,?,?,?)",
                     "izziim", k->id, sha256, kind, c->now, (int64_t)pdf.n, (time_ns)(c->v ? c->v->user_id : 0));
    return rc < 0 ? rc : timeline_add(c, k->id, &(struct line){ .kind = "document", .sha256 = sha256,
                                                                .internal = strcmp(kind, "knb_notice") == 0 });
}

int document_preview(struct call *c, const struct kase *k, const char *kind, const json_t *values, struct buf *out)
{
    struct duty_world w;
    const struct form *form = form_of(c, k, kind, &w);
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    struct form_document d = { .world = &w, .catalog = c->d->setup.catalog, .form = form, .values = vs, .case_number = k->number,
                               .tlp = k->tlp, .produced_at = c->now, .langs = { LANG_KK, LANG_RU }, .lang_count = 2, .draft = true };
    int rc = form && vs ? form_fill(c, form, values, vs) : -ENOTSUP;

    return rc < 0 ? rc : forms_render_pdf(&d, out, c->e);
}

static int document_read(struct call *c, struct str sha256, bool json, struct buf *out)
{
    char tail[100], path[4096], sum[65];
    int64_t n = 0;
    int rc;

    for (size_t i = 0; i < sha256.n; i++)
        if (!strchr("0123456789abcdef", sha256.p[i]) || sha256.p[i] == 0)
            return refuse(c, -ENOENT, "not_found", NULL, "no such document");
    if (sha256.n != 64)
        return refuse(c, -ENOENT, "not_found", NULL, "no such document");
    rc = db_int(c->d, c->e, 0, &n,
                "SELECT count(*) FROM document d JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = k.object_id"
                " WHERE d.sha256 = ?5 AND " CASE_VISIBLE " AND (?1 = 0 OR (d.kind = 'knb_notice') = ?4)",
                "iziit", is_bounded(c), viewer_org(c), viewer_id(c), is_knb(c), sha256);
    if (rc < 0)
        return rc;
    if (n == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such document");
    snprintf(tail, sizeof tail, "documents/%.*s.%s", 64, sha256.p, json ? "json" : "pdf");
    rc = file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, out, c->e);
    if (rc < 0)
        return err_wrap(c->e, -EIO, "the document is in the registry but not on disk");
    secret_sha256_hex(buf_view(out), sum);
    return json || memcmp(sum, sha256.p, 64) == 0 ? 0 : err_set(c->e, -EIO, "the document on disk is not the one that was sent: \"%s\"", path);
}

int desk_document(struct desk *d, const struct viewer *v, struct str sha256, bool json, time_ns now, struct buf *out, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = document_read(&c, sha256, json, out);
    if (rc == 0)
        rc = audit_read(&c, "document.read", "document", sha256);
    if (rc < 0)
        buf_reset(out);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
