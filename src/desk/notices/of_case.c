/* of_case.c - the record behind the letters of a case: its document is drawn by the case, its values are read back from the JSON that lies
 * beside the PDF, so that record and document cannot say different things. */
#include "desk/notices/room.h"
#include "base/file.h"

/* values_of - the values of a kept document: {"field": value}. *out is owned by the caller. */
static int values_of(struct call *c, const char *sha256, json_t **out)
{
    static const char *const lists[] = { "fields", "extras" };
    AUTO_BUF struct buf b = { 0 };
    char tail[100], path[4096];
    json_t *root, *field;
    size_t i;
    int rc;

    buf_init(&b, DESK_DOCUMENT_MAX);
    snprintf(tail, sizeof tail, "documents/%.64s.json", sha256);
    rc = file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, &b, c->e);
    if (rc < 0)
        return err_wrap(c->e, -EIO, "reading a document again");
    root = json_loadb(b.p, b.n, 0, NULL);
    *out = json_object();
    for (size_t k = 0; root && *out && k < COUNT(lists); k++)
        json_array_foreach(json_object_get(root, lists[k]), i, field) {
            json_t *v = json_object_get(field, "value");

            if (v && !json_is_null(v))
                json_object_set(*out, json_string_value(json_object_get(field, "id")), v);
        }
    json_decref(root);
    return root && *out ? 0 : err_set(c->e, -EIO, "a document on disk is not JSON");
}

void case_form_text(struct call *c, const struct kase *k, const struct letter *l, struct buf *b)
{
    struct duty_world w;
    const struct form *form = world_of(c, k->edition, &w) == 0 ? edition_form(w.edition, str_c(l->kind)) : NULL;
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    json_t *values = NULL;
    AUTO_FREE char *text = NULL;

    if (form && vs && l->sha256 && values_of(c, l->sha256, &values) == 0)
        text = json_dumps(values, JSON_COMPACT);
    json_decref(values);
    /* A letter without its form is better than none: the PDF is attached. */
    if (!text || forms_values_read(&w, form, str_c(text), &c->a, vs, NULL) < 0)
        return;
    for (int i = 0; i < 2; i++) {
        buf_str(b, STR("\n\n-----\n\n"));
        notice_form_text(c, &w, form, vs, i ? LANG_RU : LANG_KK, b);
    }
}

/* make - parties as the Rules name them: Annex 7 goes to the owner, Annex 2 comes from the owner, the KNB is told by the centre. */
static int make(struct call *c, const struct kase *k, const struct letter *l, int64_t *id)
{
    struct subject about = case_subject(k);
    const char *owners = k->machine == MACHINE_OCIB ? "22" : k->machine == MACHINE_UNIT ? "24" : "12";
    struct notice_new n = { .kind = l->kind, .paragraph = strcmp(l->kind, "annex2") == 0 ? owners : "10(1)", .about = &about, .form = l->kind,
                            .text = STR(""), .tlp = k->tlp.p };
    struct notice_made *m = arena_zero(&c->a, sizeof *m);
    struct str *to = arena_array(&c->a, NOTICE_ADDRESSEES_MAX, sizeof *to), centre = { NULL, 0 };
    json_t *values = NULL;
    int rc = m && to ? 0 : -ENOMEM;

    n.orgs = to;
    n.org_count = 1;
    if (rc == 0 && strcmp(l->kind, "annex2") == 0) {
        to[0] = centre;   /* from whoever performs: the owner's side or its OCIB (Q-32, R-22-04) */
        n.sender = c->v && c->v->org_id[0] ? NULL : &k->org_id;
    } else if (rc == 0 && strcmp(l->kind, "knb_notice") == 0) {
        n.sender = &centre;
        rc = notice_orgs(c, "knb", to, &n.org_count);
    } else if (rc == 0) {
        n.sender = &centre;
        to[0] = k->org_id;
    }
    if (rc < 0 || n.org_count == 0)
        return rc;   /* nobody is named yet: the letters themselves say whom they reach */
    rc = values_of(c, l->sha256, &values);
    n.values = values;
    m->n = &n;
    snprintf(m->pdf_sha256, sizeof m->pdf_sha256, "%s", l->sha256);
    if (rc == 0)
        rc = record_prepare(c, m);
    if (rc >= 0)
        rc = record_insert(c, m);
    json_decref(m->canonical_values);
    json_decref(values);
    *id = m->id;
    return rc < 0 ? rc : 0;
}

int case_record(struct call *c, const struct kase *k, const struct letter *l, int64_t *id)
{
    int rc;

    *id = 0;
    if (!l->sha256)
        return 0;
    rc = db_int(c->d, c->e, 0, id, "SELECT id FROM notice_record WHERE case_id = ?1 AND kind = ?2 AND pdf_sha256 = ?3", "izz", k->id, l->kind, l->sha256);
    return rc < 0 || *id ? rc : make(c, k, l, id);
}
