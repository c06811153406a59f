/* library.c - the requirements of the documents of Annex 3, read from YAML: content/requirements/annex3 (ours) and DATA/requirements (the administrator's).
 *
 * A file names documents and gives each its requirements; requirements that every document has (approved, reviewed …) stand once under "common" and are
 * named by the documents. An own file may add requirements, and leave some of ours out ("without"). Every refusal has its file, line and column. */
#include "desk/documents/room.h"
#include "base/file.h"
#include "base/yaml.h"

#define LIBRARY_FILES_MAX  64
#define LIBRARY_COMMON_MAX 64
#define LIBRARY_TEXT_MAX   4000u   /* bytes of one text */
#define LIBRARY_ID_MAX     48u

const char *const td_measure_names[] = {
    "log_coverage", "retention", "time_sync", "agents", "log_format", "vulnerability_age", "document_expiry", "incidents", "passport", "changes", NULL,
};
static_assert(COUNT(td_measure_names) == MEASURE_COUNT + 1, "a name for each measure");

struct reading {
    struct td_library        *l;
    const struct enumeration *docs;
    struct td_requirement    *common;    /* templates: code is their bare id */
    size_t                    common_count;
    const struct yaml        *y;         /* the file in hand */
    int64_t                   version;
    struct err               *e;
};

static struct str keep(struct reading *r, struct str s) { return arena_copy(&r->l->a, s); }

/* word_ok - an identifier: small letters, digits and _ . */
static bool word_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
            return false;
    return s.n > 0 && s.n <= LIBRARY_ID_MAX;
}

static int label_read(struct reading *r, const struct ynode *at, const char *key, struct label *out)
{
    static const char *const langs[] = { "kk", "ru", "en", NULL };
    const struct ynode *map = yaml_get(at, key);

    if (!map || map->kind != YNODE_MAP)
        return yaml_err(r->y, map ? map : at, r->e, "\"%s\" must be a map of kk, ru and en", key);
    int rc = yaml_only(r->y, map, langs, r->e);
    for (enum lang l = 0; rc == 0 && l < LANG_COUNT; l++) {
        struct str text = str_trim(yaml_text(map, lang_name(l)));

        if (!text.n || text.n > LIBRARY_TEXT_MAX)
            return yaml_err(r->y, map, r->e, "\"%s\" wants a text of at most %u bytes in \"%s\"", key, LIBRARY_TEXT_MAX, lang_name(l));
        out->text[l] = keep(r, text);
    }
    return rc;
}

static int measures_read(struct reading *r, const struct ynode *at, unsigned *out)
{
    const struct ynode *list = yaml_get(at, "measures");

    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"measures\" must be a list");
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        size_t m = 0;

        while (td_measure_names[m] && !(n->kind == YNODE_SCALAR && str_eq(n->text, str_c(td_measure_names[m]))))
            m++;
        if (!td_measure_names[m])
            return yaml_err(r->y, n, r->e, "Saqshy does not measure this");
        *out |= 1u << m;
    }
    return 0;
}

/* requirement_read - one entry; its code is the bare id. */
static int requirement_read(struct reading *r, const struct ynode *at, struct td_requirement *out)
{
    static const char *const known[] = { "id", "presence", "text", "look", "recommendation", "basis", "measures", NULL };
    struct str basis;
    int rc;

    *out = (struct td_requirement){ .version = r->version };
    if (at->kind != YNODE_MAP)
        return yaml_err(r->y, at, r->e, "a requirement is a map");
    rc = yaml_only(r->y, at, known, r->e);
    if (rc < 0)
        return rc;
    out->code = keep(r, yaml_text(at, "id"));
    if (!word_ok(out->code))
        return yaml_err(r->y, at, r->e, "\"id\" must be of small letters, digits and _, at most %u", LIBRARY_ID_MAX);
    rc = yaml_bool(r->y, at, "presence", &out->presence, r->e);
    if (rc >= 0)
        rc = label_read(r, at, "text", &out->text);
    if (rc >= 0)
        rc = label_read(r, at, "look", &out->look);
    if (rc >= 0)
        rc = label_read(r, at, "recommendation", &out->recommendation);
    if (rc >= 0)
        rc = measures_read(r, at, &out->measures);
    basis = yaml_text(at, "basis");
    if (rc >= 0 && basis.n > LIBRARY_TEXT_MAX)
        return yaml_err(r->y, at, r->e, "\"basis\" is longer than %u bytes", LIBRARY_TEXT_MAX);
    out->basis = keep(r, basis.p ? basis : STR(""));
    return rc < 0 ? rc : 0;
}

static int common_read(struct reading *r, const struct ynode *list)
{
    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"common\" must be a list");
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        int rc = r->common_count == LIBRARY_COMMON_MAX ? yaml_err(r->y, n, r->e, "more than %d common requirements", LIBRARY_COMMON_MAX)
                                                       : requirement_read(r, n, &r->common[r->common_count]);

        for (size_t i = 0; rc == 0 && i < r->common_count; i++)
            if (str_eq(r->common[i].code, r->common[r->common_count].code))
                rc = yaml_err(r->y, n, r->e, "this common requirement stands twice");
        if (rc < 0)
            return rc;
        r->common_count++;
    }
    return 0;
}

/* requirement_add - of a document; the code gets its name in front. */
static int requirement_add(struct reading *r, const struct ynode *at, struct str document, const struct td_requirement *q)
{
    struct td_library *l = r->l;
    struct str code = arena_printf(&l->a, "%.*s.%.*s", STR_ARG(document), STR_ARG(q->code));

    if (l->count == TD_REQUIREMENTS_MAX)
        return yaml_err(r->y, at, r->e, "more than %d requirements", TD_REQUIREMENTS_MAX);
    for (size_t i = 0; i < l->count; i++)
        if (str_eq(l->items[i].code, code))
            return yaml_err(r->y, at, r->e, "requirement \"%.*s\" stands twice", STR_ARG(code));
    l->items[l->count] = *q;
    l->items[l->count].code = code;
    l->items[l->count++].document = document;
    return 0;
}

static int named_add(struct reading *r, const struct ynode *list, struct str document)
{
    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"common\" must be a list of names");
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        size_t i = 0;

        while (i < r->common_count && !(n->kind == YNODE_SCALAR && str_eq(r->common[i].code, n->text)))
            i++;
        if (i == r->common_count)
            return yaml_err(r->y, n, r->e, "no such common requirement");
        int rc = requirement_add(r, n, document, &r->common[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int document_read(struct reading *r, const struct ynode *at)
{
    static const char *const known[] = { "document", "common", "requirements", NULL };
    const struct ynode *list;
    struct str document;
    int rc;

    if (at->kind != YNODE_MAP)
        return yaml_err(r->y, at, r->e, "a document is a map");
    rc = yaml_only(r->y, at, known, r->e);
    if (rc < 0)
        return rc;
    document = yaml_text(at, "document");
    if (!enumeration_value(r->docs, document))
        return yaml_err(r->y, at, r->e, "\"document\" must be one of the documents of Annex 3");
    document = keep(r, document);
    rc = named_add(r, yaml_get(at, "common"), document);
    list = yaml_get(at, "requirements");
    if (rc == 0 && list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"requirements\" must be a list");
    for (const struct ynode *n = list ? list->first : NULL; rc == 0 && n; n = n->next) {
        struct td_requirement q;

        rc = requirement_read(r, n, &q);
        if (rc == 0)
            rc = requirement_add(r, n, document, &q);
    }
    return rc;
}

static int without_read(struct reading *r, const struct ynode *list)
{
    if (list && list->kind != YNODE_SEQ)
        return yaml_err(r->y, list, r->e, "\"without\" must be a list of requirements");
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        size_t i = 0;

        while (i < r->l->count && !(n->kind == YNODE_SCALAR && str_eq(r->l->items[i].code, n->text)))
            i++;
        if (i == r->l->count)
            return yaml_err(r->y, n, r->e, "there is no such requirement to leave out");
        memmove(&r->l->items[i], &r->l->items[i + 1], (r->l->count - i - 1) * sizeof r->l->items[0]);
        r->l->count--;
    }
    return 0;
}

/* head_read - the outermost map of a file, and its version. */
static int head_read(struct reading *r, const struct yaml *y)
{
    static const char *const known[] = { "version", "common", "documents", "without", NULL };
    int rc;

    r->y = y;
    if (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP)
        return err_line(r->e, -EBADMSG, y->name, 1, 1, "one map with \"version\" and \"documents\" is expected");
    rc = yaml_only(y, y->docs[0], known, r->e);
    if (rc == 0)
        rc = yaml_int(y, y->docs[0], "version", &r->version, r->e);
    if (rc == 1 || (rc == 0 && r->version < 1))
        return yaml_err(y, y->docs[0], r->e, "\"version\" must be a number from 1");
    return rc;
}

static int documents_read(struct reading *r, const struct yaml *y)
{
    const struct ynode *list = yaml_get(y->docs[0], "documents");
    int rc = head_read(r, y);

    if (rc == 0 && list && list->kind != YNODE_SEQ)
        return yaml_err(y, list, r->e, "\"documents\" must be a list");
    for (const struct ynode *n = list ? list->first : NULL; rc == 0 && n; n = n->next)
        rc = document_read(r, n);
    return rc < 0 ? rc : without_read(r, yaml_get(y->docs[0], "without"));
}

/* in_order - as Annex 3 orders the documents; within one as the files have it. An insertion that keeps equal ones in place. */
static void in_order(struct td_library *l, const struct enumeration *docs)
{
    for (size_t i = 1; i < l->count; i++) {
        struct td_requirement q = l->items[i];
        const struct enum_value *mine = enumeration_value(docs, q.document);
        size_t j = i;

        while (j > 0 && enumeration_value(docs, l->items[j - 1].document) > mine) {
            l->items[j] = l->items[j - 1];
            j--;
        }
        l->items[j] = q;
    }
}

static void words_hash(struct td_library *l)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 16 * MIB);
    for (size_t i = 0; i < l->count; i++) {
        json_t *q = requirement_json(&l->items[i]);
        AUTO_FREE char *text = json_dumps(q, JSON_COMPACT | JSON_SORT_KEYS);

        buf_str(&b, str_c(text ? text : ""));
        json_decref(q);
    }
    secret_sha256_hex(buf_view(&b), l->sha256);
}

static int library_read(struct yaml *const *files, size_t count, const struct enumeration *docs, struct td_library *out, struct err *e)
{
    struct reading r = { .l = out, .docs = docs, .e = e };
    int rc = 0;

    arena_init(&out->a, 32 * MIB);
    out->items = arena_zero(&out->a, TD_REQUIREMENTS_MAX * sizeof out->items[0]);
    r.common = arena_zero(&out->a, LIBRARY_COMMON_MAX * sizeof r.common[0]);
    if (!out->items || !r.common)
        return err_set(e, -ENOMEM, "no memory for the library of requirements");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = head_read(&r, files[i]);
        if (rc == 0)
            rc = common_read(&r, yaml_get(files[i]->docs[0], "common"));
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = documents_read(&r, files[i]);
    if (rc == 0) {
        in_order(out, docs);
        words_hash(out);
    }
    return rc;
}

void library_free(struct td_library *l)
{
    arena_free(&l->a);
    *l = (struct td_library){ 0 };
}

int library_text(struct str text, const char *name, const struct enumeration *docs, struct td_library *out, struct err *e)
{
    struct yaml *y = NULL;
    int rc = yaml_load(text, name, &y, e);

    *out = (struct td_library){ 0 };
    if (rc == 0)
        rc = library_read(&y, 1, docs, out, e);
    yaml_free(&y);
    if (rc < 0)
        library_free(out);
    return rc;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* folder_read - its *.yaml by name. One that is not there: none; one that may not be read is a fault, or files would be left out in silence. */
static int folder_read(const char *folder, bool needed, struct yaml **files, size_t *count, struct err *e)
{
    char *names[LIBRARY_FILES_MAX];
    size_t n = 0;
    int rc = 0;
    DIR *dir = opendir(folder);
    struct dirent *f;

    if (!dir)
        return needed || errno != ENOENT ? err_sys(e, "could not open \"%s\"", folder) : 0;
    while ((f = readdir(dir)) != NULL && rc == 0) {
        if (!str_ends(str_c(f->d_name), STR(".yaml")) || f->d_name[0] == '.')
            continue;
        if (n + *count >= LIBRARY_FILES_MAX)
            rc = err_set(e, -E2BIG, "more than %d files of requirements", LIBRARY_FILES_MAX);
        else if (!(names[n++] = strdup(f->d_name)))
            rc = err_set(e, -ENOMEM, "no memory for the names of files");
    }
    closedir(dir);
    qsort(names, rc == 0 ? n : 0, sizeof names[0], by_name);
    for (size_t i = 0; i < n; i++) {
        char path[4096];

        snprintf(path, sizeof path, "%.3800s/%.255s", folder, names[i] ? names[i] : "");
        if (rc == 0)
            rc = yaml_load_file(path, &files[*count], e);
        if (rc == 0)
            (*count)++;
        free(names[i]);
    }
    return rc;
}

int library_load(const char *content, const char *own, const struct enumeration *docs, struct td_library *out, struct err *e)
{
    struct yaml *files[LIBRARY_FILES_MAX] = { NULL };
    char folder[4096];
    size_t count = 0;

    *out = (struct td_library){ 0 };
    snprintf(folder, sizeof folder, "%.3900s/requirements/annex3", content);
    int rc = folder_read(folder, true, files, &count, e);
    if (rc == 0 && own)
        rc = folder_read(own, false, files, &count, e);
    if (rc == 0)
        rc = library_read(files, count, docs, out, e);
    for (size_t i = 0; i < count; i++)
        yaml_free(&files[i]);
    if (rc < 0)
        library_free(out);
    return rc;
}

int library_here(struct call *c, time_ns at, struct td_library *out)
{
    const struct enumeration *docs = NULL;
    char own[4096];
    int rc = td_documents(c, at, &docs);

    *out = (struct td_library){ 0 };
    return rc < 0 ? rc : library_load(c->d->setup.node->content, node_path(c->d->setup.node, "requirements", own), docs, out, c->e);
}

static json_t *label_json(const struct label *l)
{
    return json_pack("{s:o, s:o, s:o}", "kk", json_str(l->text[LANG_KK]), "ru", json_str(l->text[LANG_RU]), "en", json_str(l->text[LANG_EN]));
}

json_t *requirement_json(const struct td_requirement *q)
{
    json_t *measures = json_array();

    for (size_t m = 0; m < MEASURE_COUNT; m++)
        if (q->measures & (1u << m))
            json_array_append_new(measures, json_string(td_measure_names[m]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:b}", "code", json_str(q->code), "document", json_str(q->document), "text", label_json(&q->text),
                     "look", label_json(&q->look), "recommendation", label_json(&q->recommendation), "basis", q->basis.n ? json_str(q->basis) : json_null(),
                     "measures", measures, "version", (json_int_t)q->version, "presence", q->presence);
}
