/* record.c - the record of a notice: checked, numbered, drawn, frozen. */
#include "desk/notices/room.h"
#include "desk/link/wire.h"
#include "base/file.h"

const char *const tlp_values[] = { "clear", "green", "amber", "amber+strict", "red", NULL };

static int org_name(struct call *c, struct str id, struct str *name, const char *field)
{
    sqlite3_stmt *st;
    int rc;

    if (!id.p) {
        *name = catalog_text(c->d->setup.catalog, LANG_KK, "case.inbox.centre");
        return 0;
    }
    st = db_query(c->d, c->e, "SELECT name FROM org WHERE id = ?", "t", id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        return refuse(c, -EINVAL, "bad_request", field, "no organisation \"%.*s\"", STR_ARG(id));
    if (rc < 0)
        return rc;
    *name = db_copy(st, 0, &c->a);
    db_done(st);
    return 0;
}

static int parties(struct call *c, struct notice_made *m)
{
    const struct notice_new *n = m->n;
    int rc = 0;

    if (n->org_count > NOTICE_ADDRESSEES_MAX || (n->org_count == 0 && !n->incoming))
        return refuse(c, -EINVAL, "bad_request", "addressees", "a notice has 1 to %d addressees", NOTICE_ADDRESSEES_MAX);
    if (n->sender)
        m->sender = *n->sender;
    else if (!n->incoming && c->v && !role_of_centre(c->v->role) && *c->v->org_id && !role_reads_all(c->v->role))
        m->sender = str_c(c->v->org_id);
    if (n->sender_name.n)
        m->sender_name = n->sender_name;
    else
        rc = org_name(c, m->sender, &m->sender_name, "sender");
    for (size_t i = 0; rc == 0 && i < n->org_count; i++) {
        m->to[i] = n->orgs[i];
        for (size_t k = 0; k < i; k++)
            if (str_eq(m->to[i], m->to[k]))
                return refuse(c, -EINVAL, "bad_request", "addressees", "an addressee stands twice");
        rc = org_name(c, m->to[i], &m->to_name[i], "addressees");
    }
    return rc;
}

static bool refuse_field(char out[DESK_FIELD_MAX], const char *text)
{
    const char *begin = strstr(text, "field \""), *end = begin ? strchr(begin + 7, '"') : NULL;

    if (!end || end - begin - 7 > 64)
        return false;
    snprintf(out, DESK_FIELD_MAX, "values.%.*s", (int)(end - begin - 7), begin + 7);
    return true;
}

/* plain_values - a text without a form is drawn on our letter. */
static json_t *plain_values(const struct notice_made *m)
{
    return json_pack("{s:o, s:o}", "title", json_str(m->title), "text", json_str(m->n->text.n ? m->n->text : STR("—")));
}

/* read_form - the values against the form; what is required and absent is named. */
static int read_form(struct call *c, struct notice_made *m)
{
    const char *id = m->n->form ? m->n->form : "letter";
    const struct form_field *missing = NULL;
    char field[DESK_FIELD_MAX] = "values";
    AUTO_FREE char *text = NULL;
    struct subject about = *m->n->about;
    struct str edition;
    int rc;

    about.id = m->subject_id;
    rc = subject_edition(c, &about, &edition);
    if (rc == 0)
        rc = world_of(c, edition, &m->world);
    if (rc < 0)
        return rc;
    m->form = edition_form(m->world.edition, str_c(id));
    if (!m->form)
        return err_set(c->e, -ENOTSUP, "the edition \"%.*s\" has no form \"%s\"", STR_ARG(edition), id);
    m->title = m->n->title.n ? m->n->title : m->form->title.text[LANG_KK];
    m->canonical_values = m->n->form ? json_deep_copy(m->n->values) : plain_values(m);
    text = m->canonical_values ? json_dumps(m->canonical_values, JSON_COMPACT) : NULL;
    m->values = arena_alloc(&c->a, sizeof *m->values);
    if (!text || !m->values)
        return err_set(c->e, -ENOMEM, "no memory for a notice");
    rc = forms_values_read(&m->world, m->form, str_c(text), &c->a, m->values, c->e);
    if (rc == -EBADMSG || rc == -E2BIG) {
        (void)refuse_field(field, c->e->text);
        return refuse(c, -EINVAL, "bad_request", field, "%s", c->e->text);
    }
    if (rc < 0 || forms_missing(m->form, m->values, &missing, 1) == 0)
        return rc;
    snprintf(field, sizeof field, "values.%.*s", STR_ARG(missing->id));
    return refuse(c, -EINVAL, "bad_request", field, "the form requires \"%.*s\"", STR_ARG(missing->id));
}

/* correction - the version before: it must exist, be of the same kind and subject, and not have been corrected already. */
static int correction(struct call *c, struct notice_made *m)
{
    const struct notice_new *n = m->n;
    sqlite3_stmt *st;
    int rc;

    m->version = 1;
    if (!n->corrects)
        return 0;
    if (!str_trim(n->reason).n)
        return refuse(c, -EINVAL, "bad_request", "reason", "a new version says why");
    st = db_query(c->d, c->e,
                  "SELECT kind, subject, subject_id, coalesce(first_id, id), version, (SELECT count(*) FROM notice_record x WHERE x.corrects = r.id)"
                  " FROM notice_record r WHERE id = ?",
                  "i", n->corrects);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", "corrects", "no such notice");
    if (rc < 0)
        return rc;
    bool fits = str_eq(db_str(st, 0), str_c(n->kind)) && str_eq(db_str(st, 1), str_c(n->about->kind)) && str_eq(db_str(st, 2), m->subject_id);
    bool taken = sqlite3_column_int64(st, 5) > 0;
    m->first_id = sqlite3_column_int64(st, 3);
    m->version = sqlite3_column_int64(st, 4) + 1;
    db_done(st);
    if (!fits)
        return refuse(c, -EINVAL, "bad_request", "corrects", "the notice before is about something else");
    return taken ? refuse(c, -EPROTO, "wrong_state", "corrects", "there is a newer version already") : 0;
}

static int number_next(struct call *c, struct notice_made *m)
{
    char day[16], name[32];
    int64_t next = 0;
    int rc;

    local_date(c->d, c->now, day);
    snprintf(name, sizeof name, "notice.%s.%.4s", m->n->incoming ? "in" : "out", day);
    rc = counter_next(c->d, name, &next, c->e);
    snprintf(m->number, sizeof m->number, "%s-%.4s-%06lld", m->n->incoming ? "IN" : "OUT", day, (long long)next);
    return rc;
}

int document_keep(struct call *c, const char *sha256, const char *ending, struct str bytes)
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

static int draw(struct call *c, struct notice_made *m)
{
    const struct notice_new *n = m->n;
    struct form_document d = { .world = &m->world, .catalog = c->d->setup.catalog, .form = m->form, .values = m->values,
                               .notice_number = str_c(m->number), .sender = m->sender_name,
                               .paragraph = str_c(n->paragraph ? n->paragraph : ""), .addressees = m->to_name, .addressee_count = n->org_count, .tlp = str_c(n->tlp ? n->tlp : "amber"),
                               .produced_at = c->now, .langs = { LANG_KK, LANG_RU }, .lang_count = 2 };
    AUTO_BUF struct buf pdf = { 0 };
    int rc;

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    rc = forms_render_pdf(&d, &pdf, c->e);
    if (rc < 0)
        return err_wrap(c->e, drawing_failed(rc, m->n->via, buf_failed(&pdf)), "drawing a notice");
    secret_sha256_hex(buf_view(&pdf), m->pdf_sha256);
    m->pdf_size = (int64_t)pdf.n;
    return document_keep(c, m->pdf_sha256, "pdf", buf_view(&pdf));
}

static json_t *org_json(struct str id, struct str name)
{
    return json_pack("{s:o, s:o}", "id", json_str(id), "name", json_str(name));
}

static json_t *text_or_null(const char *s) { return s ? json_string(s) : json_null(); }

/* canonical_make - what is frozen; its layout is docs/formats.md, "notice". */
static json_t *canonical_make(struct call *c, const struct notice_made *m)
{
    const struct notice_new *n = m->n;
    json_t *to = json_array(), *files = json_array(), *before = json_null();

    for (size_t i = 0; i < n->org_count; i++)
        json_array_append_new(to, org_json(m->to[i], m->to_name[i]));
    for (size_t i = 0; i < n->file_count; i++)
        json_array_append_new(files, json_pack("{s:o, s:o, s:o, s:I}", "name", json_str(n->files[i].name), "type", json_str(n->files[i].type),
                                               "sha256", json_str(n->files[i].sha256), "size_bytes", (json_int_t)n->files[i].size_bytes));
    if (n->corrects)
        before = json_pack("{s:I, s:o}", "id", (json_int_t)n->corrects, "reason", json_str(str_trim(n->reason)));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:{s:s, s:o}, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:O, s:o, s:s}", "format",
                     "saqshy-notice-1", "number", m->number, "direction", n->incoming ? "in" : "out", "kind", n->kind, "paragraph",
                     text_or_null(n->paragraph), "version", (json_int_t)m->version, "corrects", before, "subject", "kind", n->about->kind, "id",
                     json_str(m->subject_id), "object", json_str(n->about->object_id), "sender", org_json(m->sender, m->sender_name), "addressees", to,
                     "made_at", json_time(c->now), "tlp", n->tlp ? n->tlp : "amber", "title", json_str(m->title), "text",
                     json_str(n->text.n ? n->text : STR("")), "edition", json_str(m->world.edition->id), "form", json_str(m->form->id),
                     "values", m->canonical_values, "documents", files, "pdf_sha256", m->pdf_sha256);
}

int record_prepare(struct call *c, struct notice_made *m)
{
    const struct notice_new *n = m->n;
    int rc;

    m->subject_id = n->about->case_id ? arena_printf(&c->a, "%lld", (long long)n->about->case_id) : n->about->id;
    if (n->tlp && !value_known(tlp_values, str_c(n->tlp)))
        return refuse(c, -EINVAL, "bad_request", "tlp", "no such label of TLP 2.0");
    if (n->file_count > NOTICE_DOCUMENTS_MAX)
        return refuse(c, -EINVAL, "bad_request", "documents", "at most %d documents", NOTICE_DOCUMENTS_MAX);
    rc = parties(c, m);
    if (rc == 0)
        rc = read_form(c, m);
    if (rc == 0)
        rc = correction(c, m);
    if (rc == 0)
        rc = number_next(c, m);
    /* The letters of a case bring their own document. */
    return rc < 0 || m->pdf_sha256[0] ? rc : draw(c, m);
}

static int parties_insert(struct call *c, const struct notice_made *m)
{
    static const char sql[] = "INSERT OR IGNORE INTO notice_party(org_id, record_id, side, name) VALUES (?,?,?,?)";
    bool stranger = m->n->incoming && !m->sender.p;
    int rc = stranger ? 0 : db_exec(c->d, c->e, sql, "tizt", m->sender.p ? m->sender : STR(""), m->id, "from", m->sender_name);

    for (size_t i = 0; rc >= 0 && i < m->n->org_count; i++)
        rc = db_exec(c->d, c->e, sql, "tizt", m->to[i].p ? m->to[i] : STR(""), m->id, "to", m->to_name[i]);
    return rc < 0 ? rc : 0;
}

static int documents_insert(struct call *c, const struct notice_made *m)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < m->n->file_count; i++)
        rc = db_exec(c->d, c->e, "INSERT INTO notice_document(record_id, position, sha256, name, type, size_bytes) VALUES (?,?,?,?,?,?)", "iittti",
                     m->id, (int64_t)i, m->n->files[i].sha256, m->n->files[i].name, m->n->files[i].type, m->n->files[i].size_bytes);
    return rc < 0 ? rc : 0;
}

/* search_text - what the list's q looks into. */
static struct str search_text(struct call *c, const struct notice_made *m)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "%s %.*s %.*s", m->number, STR_ARG(m->title), STR_ARG(m->sender_name));
    for (size_t i = 0; i < m->n->org_count; i++)
        buf_printf(&b, " %.*s", STR_ARG(m->to_name[i]));
    buf_printf(&b, " %.*s %.*s", STR_ARG(m->n->outer_number), STR_ARG(str_of(m->n->text.p, min_size(m->n->text.n, 4000))));
    return fold_text(buf_view(&b), &c->a);
}

int record_insert(struct call *c, struct notice_made *m)
{
    const struct notice_new *n = m->n;
    AUTO_BUF struct buf bytes = { 0 };
    json_t *canonical = canonical_make(c, m);
    AUTO_FREE char *values = json_dumps(m->canonical_values, JSON_COMPACT | JSON_SORT_KEYS);
    int rc;

    buf_init(&bytes, NOTICE_CANONICAL_MAX);
    rc = canonical ? link_json_write(canonical, &bytes, c->e) : err_set(c->e, -ENOMEM, "no memory for a notice");
    json_decref(canonical);
    if (rc < 0)
        return rc == -EBADMSG ? refuse(c, -EINVAL, "bad_request", "values", "%s", c->e->text) : rc;
    secret_sha256_hex(buf_view(&bytes), m->sha256);
    rc = db_int(c->d, c->e, 0, &m->id,
                "INSERT INTO notice_record(number, direction, medium, kind, paragraph, subject, subject_id, case_id, object_id, sender_org, sender_name,"
                " title, text, form, form_values, edition, tlp, made_at, author_id, first_id, version, corrects, reason, outer_number, outer_date,"
                " canonical, sha256, pdf_sha256, search) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
                "zzzzzztmttttttttzimmimttttzzt", m->number, n->incoming ? "in" : "out", n->paper_only ? "paper" : "electronic", n->kind,
                n->paragraph, n->about->kind, m->subject_id, (time_ns)n->about->case_id, n->about->object_id, m->sender, m->sender_name, m->title,
                n->text.n ? n->text : STR(""), m->form->id, str_c(values), m->world.edition->id, n->tlp ? n->tlp : "amber", c->now,
                (time_ns)(c->v ? c->v->user_id : 0), (time_ns)m->first_id, m->version, (time_ns)n->corrects,
                n->corrects ? str_trim(n->reason) : (struct str){ NULL, 0 }, n->outer_number, n->outer_date, buf_view(&bytes), m->sha256,
                m->pdf_sha256, search_text(c, m));
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO notice_fts(rowid, words) VALUES (?,?)", "it", m->id, search_text(c, m));
    if (rc >= 0)
        rc = parties_insert(c, m);
    if (rc == 0)
        rc = documents_insert(c, m);
    return rc;
}

int notice_orgs(struct call *c, const char *kind, struct str out[NOTICE_ADDRESSEES_MAX], size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM org WHERE kind = ? ORDER BY id LIMIT 64", "z", kind);
    int rc = st ? 0 : -EIO;

    *count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        if (*count < NOTICE_ADDRESSEES_MAX)
            out[(*count)++] = db_copy(st, 0, &c->a);
    return rc;
}

int notice_moments(struct call *c, int64_t id, time_ns *made_at, time_ns *paper_at)
{
    int64_t made = 0, paper = 0;
    int rc = db_int(c->d, c->e, 0, &made, "SELECT made_at FROM notice_record WHERE id = ?", "i", id);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &paper, "SELECT coalesce(min(recorded_at), 0) FROM notice_paper WHERE record_id = ?", "i", id);
    *made_at = made;
    *paper_at = paper;
    return rc;
}
