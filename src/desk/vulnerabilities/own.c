/* own.c - what the owner found (paragraph 13): written down by rows of Annex 5, sent to the centre as Annex 5 within 24 hours of the detection (D-14).
 *
 * A row that names what a survey found already is the same vulnerability: the owner's word is added to it. */
#include "desk/registry/registry.h"
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

#define ROWS_MAX 100    /* of one form */

#define TEXT(name, required, letters) { name, BODY_TEXT, required, !(required), (required) ? 1 : 0, letters, NULL }
static const char *const contour_own[] = { "external", "internal", NULL };
static const struct body_field row_fields[] = {
    { "detected_at", BODY_DATETIME, true, false, 0, 0, NULL }, { "contour", BODY_ENUM, true, false, 0, 0, contour_own },
    { "component_name", BODY_STRING, false, true, 0, 200, NULL }, { "component_ip", BODY_STRING, false, true, 0, 64, NULL },
    { "component_hostname", BODY_STRING, false, true, 0, 255, NULL }, { "component_other", BODY_STRING, false, true, 0, 500, NULL },
    { "port", BODY_COUNT, false, true, 0, 0, NULL }, TEXT("description", true, DESK_TEXT_MAX), TEXT("additional_info", false, DESK_TEXT_MAX),
    { "cve", BODY_STRING, false, true, 0, 20, NULL },
};
static const struct body_field own_fields[] = {
    { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL }, { "send", BODY_BOOL, true, false, 0, 0, NULL },
    { "rows", BODY_ITEMS, true, false, 1, ROWS_MAX, NULL, row_fields, COUNT(row_fields) },
};

static int wrong_in(struct call *c, size_t row, const char *field, const char *why)
{
    return vuln_wrong(c, arena_printf(&c->a, "rows.%zu.%s", row, field).p, why);
}

/* key_of_row - where and what the row says: the address before the name, the CVE before the words. */
static int key_of_row(struct call *c, const json_t *row, size_t at, struct vuln_parts *p)
{
    struct str cve = json_get_str(row, "cve"), ip = json_get_str(row, "component_ip"), name = json_get_str(row, "component_hostname"),
               component = json_get_str(row, "component_name"), said = json_get_str(row, "description"), other = json_get_str(row, "component_other");
    json_int_t port = json_is_integer(json_object_get(row, "port")) ? json_integer_value(json_object_get(row, "port")) : -1;
    struct scan_finding f = { .ip = ip, .host = name, .port = port > 0 ? (int32_t)port : -1, .component = component.n ? component : other, .title = said,
                              .cvss = -1 };

    if (!ip.n && !name.n && !component.n && !other.n)
        return wrong_in(c, at, "component_name", "the component must be named: its name, address or host name");
    if (port > 65535)
        return wrong_in(c, at, "port", "0 to 65535");
    parts_of(&f, &c->a, p);
    p->is_cve = cve.n && cve_clean(cve, &c->a, &p->weakness);
    if (cve.n && !p->is_cve)
        return wrong_in(c, at, "cve", "a number such as CVE-2021-44228");
    if (!p->is_cve)
        p->weakness = weakness_of(&f, &c->a);
    return 0;
}

/* text_of_row - title and words of the owner, for lists; kept once like every text. */
static int text_of_row(struct call *c, struct str said, int64_t *id)
{
    unsigned char hash[32];
    struct str title = str_of(said.p, min_size(said.n, 200)), all = arena_printf(&c->a, "own\n%.*s", STR_ARG(said));
    int rc;

    for (size_t i = 0; i < title.n; i++)
        if (title.p[i] == '\n')
            title.n = i;
    while (title.n && title.n < said.n && ((unsigned char)said.p[title.n] & 0xc0) == 0x80)
        title.n--;
    secret_sha256(all, hash);
    rc = db_int(c->d, c->e, 0, id, "SELECT id FROM vuln_text WHERE hash = ?", "b", str_of((const char *)hash, 16));
    if (rc < 0 || *id)
        return rc;
    rc = db_int(c->d, c->e, 0, id, "INSERT INTO vuln_text(hash, title, description, impact, solution, refs) VALUES (?,?,?,'','','') RETURNING id", "btt",
                str_of((const char *)hash, 16), title, said);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO vuln_title(rowid, title) VALUES (?, ?)", "it", *id, title);
    return rc < 0 ? rc : 0;
}

static int row_put(struct call *c, struct str object, const json_t *row, size_t at, int64_t *vuln)
{
    struct vuln_parts p;
    struct vuln_head h;
    time_ns detected = 0;
    int64_t key = 0, text = 0;
    int rc = key_of_row(c, row, at, &p);

    if (rc == 0 && time_parse_rfc3339(json_get_str(row, "detected_at"), &detected, NULL, NULL) < 0)
        return wrong_in(c, at, "detected_at", "not a moment");
    if (rc == 0 && detected > c->now + 5 * NS_PER_MINUTE)
        return wrong_in(c, at, "detected_at", "lies in the future");
    if (rc == 0)
        rc = key_find(c, object, &p, key_text(&p, &c->a), &key);
    if (rc == 0)
        rc = key_resolve(c, key, true, vuln);
    if (rc == 0)
        rc = text_of_row(c, json_get_str(row, "description"), &text);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln SET contour = ?2 WHERE id = ?1", "it", *vuln, json_get_str(row, "contour"));
    if (rc >= 0)
        rc = vuln_act_add(c, *vuln, &(struct vuln_act_new){ .kind = "found", .at = detected, .key = key, .text = text, .json = row }, NULL);
    if (rc == 0)
        rc = vuln_recount_one(c, *vuln);
    if (rc == 0)
        rc = vuln_load(c, *vuln, &h);
    if (rc < 0)
        return rc;
    struct subject about = vuln_subject(&h);
    rc = duties_begin(c, &about, "D-14", (struct duty_start){ detected, false }, NULL);
    change_id(c->d, "vuln", *vuln);
    return rc < 0 ? rc : audit_add(c, "vulnerability.found", arena_printf(&c->a, "vulnerability/%s", h.id_text).p, h.key, "ok");
}

static int own_put(struct call *c, const json_t *body, json_t *items)
{
    struct scope s = scope_of(c->v);
    struct str object = json_get_str(body, "object_id");
    int64_t reached = 0, first = 0, notice = 0;
    const json_t *row;
    size_t i;
    int rc = body_check(body, own_fields, COUNT(own_fields), c->r->field, c->e);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &reached, "SELECT 1 FROM object o WHERE o.id = ?3 AND o.is_ego = 1 AND " SCOPE_OBJECT, "izt", s.bounded, s.org, object);
    if (rc == 0 && !reached)
        return vuln_wrong(c, "object_id", "no such object of e-government in your reach");
    if (rc == 0)
        rc = object_capacity(c, object);
    json_array_foreach(json_object_get(body, "rows"), i, row) {
        int64_t vuln = 0;

        if (rc == 0)
            rc = row_put(c, object, row, i, &vuln);
        if (rc == 0)
            json_array_append_new(items, json_pack("{s:o, s:o}", "id", json_id(vuln), "number", json_str(arena_printf(&c->a, "V-%06lld", (long long)vuln))));
        first = first ? first : vuln;
    }
    if (rc == 0 && json_is_true(json_object_get(body, "send"))) {
        struct vuln_head h;

        rc = vuln_load(c, first, &h);
        if (rc == 0)
            rc = vuln_own_report(c, &h, true, &notice);
    }
    return rc;
}

int desk_vuln_own(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, own_put(&c, body, items), c.e);
    if (rc == 0)
        r->json = json_pack("{s:O, s:n}", "items", items, "next");
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- Annex 5 --- */

static struct str joined(struct call *c, const json_t *row)
{
    static const char *const parts[] = { "component_name", "component_ip", "component_hostname", "component_other" };
    struct str out = STR("");

    for (size_t i = 0; i < COUNT(parts); i++) {
        struct str one = json_get_str(row, parts[i]);

        if (one.n)
            out = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(out), out.n ? ", " : "", STR_ARG(one));
    }
    return out;
}

/* form_row - the seven columns, as the annex has them. */
static json_t *form_row(struct call *c, struct str object_name, const json_t *row)
{
    struct str info = json_get_str(row, "additional_info"), cve = json_get_str(row, "cve");

    if (cve.n)
        info = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(cve), info.n ? "\n" : "", STR_ARG(info));
    return json_pack("{s:O, s:O, s:o, s:o, s:O?, s:O, s:o}", "detected_at", json_object_get(row, "detected_at"), "contour", json_object_get(row, "contour"), "object_name",
                     json_str(object_name), "component", json_str(joined(c, row)), "port",
                     json_is_integer(json_object_get(row, "port")) ? json_object_get(row, "port") : NULL, "description", json_object_get(row, "description"),
                     "additional_info", info.n ? json_str(info) : json_null());
}

/* rows_of - what was found and not sent: of one, or of all of its object. ids in the order of the rows. */
static int rows_of(struct call *c, const struct vuln_head *h, bool all, json_t *rows, int64_t ids[ROWS_MAX], size_t *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT m.id, a.json FROM vuln v JOIN vuln m ON m.object_id = v.object_id AND m.told = 1 AND (m.id = v.id OR m.merged_into = v.id) JOIN"
                                " vuln_act a ON a.vuln_id = m.id AND a.kind = 'found' WHERE v.object_id = ?1 AND v.live = 1 AND v.told = 1 AND (v.id = ?2 OR (?3 = 1 AND"
                                " v.own = 1)) AND a.id = (SELECT max(id) FROM vuln_act x WHERE x.vuln_id = m.id AND x.kind = 'found') AND NOT EXISTS (SELECT 1 FROM vuln_act"
                                " x WHERE x.vuln_id = m.id AND x.kind = 'reported' AND x.id > a.id) ORDER BY v.id = ?2 DESC, a.at LIMIT 100",
                                "tii", h->object_id, h->id, (int64_t)all);
    int rc = st ? 0 : -EIO;

    *n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && *n < ROWS_MAX) {
        struct str text = db_str(st, 1);
        json_t *row = json_loadb(text.p, text.n, 0, NULL);

        ids[(*n)++] = sqlite3_column_int64(st, 0);
        json_array_append_new(rows, form_row(c, h->object_name, row));
        json_decref(row);
    }
    return rc;
}

static int reported(struct call *c, int64_t id, int64_t notice)
{
    struct vuln_head h;
    int rc = vuln_act_add(c, id, &(struct vuln_act_new){ .kind = "reported", .at = c->now, .notice = notice }, NULL);

    if (rc == 0)
        rc = vuln_recount_one(c, id);
    if (rc == 0)
        rc = vuln_load(c, id, &h);
    if (rc < 0)
        return rc;
    struct subject about = vuln_subject(&h);
    rc = duties_fulfil_by(c, &about, "D-14", c->now, &(struct duty_evidence){ .notice_id = notice });
    change_id(c->d, "vuln", id);
    return rc < 0 ? rc : 0;
}

int vuln_own_report(struct call *c, const struct vuln_head *h, bool all, int64_t *notice)
{
    struct subject about = vuln_subject(h);
    struct str to = { NULL, 0 };
    int64_t ids[ROWS_MAX];
    json_t *rows = json_array(), *values = json_pack("{s:o}", "vulnerabilities", rows);
    size_t n = 0;
    int rc = rows_of(c, h, all, rows, ids, &n);
    struct notice_new form = { .kind = "vulnerability_found", .paragraph = "13", .about = &about, .form = "annex5", .values = values, .orgs = &to, .org_count = 1,
                               .sender = &h->org_id };

    if (rc == 0 && n == 0)
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "nothing is left to send");
    if (rc == 0)
        rc = notice_issue(c, &form, notice);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = reported(c, ids[i], *notice);
    json_decref(values);
    return rc;
}
