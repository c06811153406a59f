/* form.c - which form of the edition goes out with a notice of a request, and what stands in it. Where a form wants what nobody knows yet (the day by
 * which to answer, before the request was received), the notice is plain text. */
#include "desk/requests/kind.h"
#include "forms/forms.h"

#define PIECES_MAX 8

static json_t *text_or_null(const struct req *q, const char *key)
{
    struct str s = req_text(q, key);

    return s.n ? json_str(s) : json_null();
}

/* letter_values - the letter of paragraph 8 that people print, sign and send; Annex 1 goes with it. */
static json_t *letter_values(struct call *c, const struct req *q)
{
    bool ending = strcmp(q->kind->name, "termination") == 0;
    json_t *v = json_pack("{s:[o], s:o}", "enclosures", json_str(catalog_text(c->d->setup.catalog, LANG_KK, "request.enclosure.annex1")), "note",
                          text_or_null(q, "note"));
    const char *day = ending ? "terminated_on" : "commissioned_on";

    json_object_set_new(v, day, text_or_null(q, day));
    if (ending)
        json_object_set_new(v, "reason", text_or_null(q, "reason"));
    return v;
}

static json_t *contact_values(struct call *c, const struct req *q)
{
    static const char *const keys[] = { "person_name", "person_position", "person_phone", "person_email" };
    AUTO_BUF struct buf b = { 0 };

    (void)c;
    buf_init(&b, 8 * KIB);
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct str s = req_text(q, keys[i]);

        if (s.n && b.n)
            buf_str(&b, STR(", "));
        buf_str(&b, s);
    }
    return json_pack("{s:o, s:[o], s:o}", "changed_at", text_or_null(q, "changed_at"), "contacts", json_str(buf_view(&b)), "note", text_or_null(q, "note"));
}

static json_t *logging_values(struct call *c, const struct req *q)
{
    json_t *formats = json_array();
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name, sha256 FROM request_file WHERE request_id = ? AND role IN ('formats','format_description') ORDER BY id",
                                "i", q->id);

    while (st && json_array_size(formats) < NOTICE_DOCUMENTS_MAX && db_step(c->d, st, c->e) > 0)
        json_array_append_new(formats, json_str(arena_printf(&c->a, "%.*s (SHA-256 %.*s)", STR_ARG(db_str(st, 0)), STR_ARG(db_str(st, 1)))));
    if (st)
        db_done(st);
    return json_pack("{s:o, s:o, s:[o], s:o, s:o}", "planned_at", text_or_null(q, "change_at"), "change", text_or_null(q, "text"), "systems",
                     text_or_null(q, "log_class"), "formats", formats, "note", text_or_null(q, "note"));
}

const char *req_form(struct call *c, const struct req *q, const char *key, json_t **values)
{
    static const struct {
        const char *key, *kind, *form;
        json_t *(*fill)(struct call *c, const struct req *q);
    } rows[] = {
        { "commissioning", "commissioning", "commissioning_letter", letter_values },
        { "termination", "termination", "termination_letter", letter_values },
        { "contacts_sent", "contact_change", "contact_change", contact_values },
        { "logging_change", "logging_change", "logging_change", logging_values },
    };

    *values = NULL;
    if (strcmp(key, "information_sent") == 0 && json_array_size(json_object_get(q->values, "information_missing")) == 0) {
        *values = json_incref(json_object_get(q->values, "information"));
        return *values ? "annex1" : NULL;
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        if (q->kind && strcmp(key, rows[i].key) == 0 && strcmp(q->kind->name, rows[i].kind) == 0) {
            *values = rows[i].fill(c, q);
            json_object_set_new(*values, "object", json_str(q->object_name));
            json_object_set_new(*values, "owner_or_possessor", json_str(q->org_name));
            return rows[i].form;
        }
    return NULL;
}

/* req_files - what is attached to the notice of a planned change of logging (R-12-08): formats and their description. */
int req_files(struct call *c, const struct req *q, const char *key, struct notice_file **out, size_t *count)
{
    struct notice_file *f = arena_zero(&c->a, PIECES_MAX * sizeof *f);
    sqlite3_stmt *st;
    int rc = 0;

    *out = f;
    *count = 0;
    if (strcmp(key, "logging_change") != 0 || !f)
        return 0;
    st = db_query(c->d, c->e,
                  "SELECT sha256, name, type, size_bytes FROM request_file WHERE request_id = ? AND role IN ('formats','format_description') ORDER BY id LIMIT 8",
                  "i", q->id);
    rc = st ? 0 : -EIO;
    while (st && *count < PIECES_MAX && (rc = db_step(c->d, st, c->e)) > 0)
        f[(*count)++] = (struct notice_file){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), sqlite3_column_int64(st, 3) };
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}
