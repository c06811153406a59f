/* xlsx_package.c - a workbook as an archive of XML parts: which parts there are, and how each is walked.
 *
 * The archive is read from memory by libzip, each part flows through expat in pieces and is never whole in memory. Parts are found
 * the way the format says, from "_rels/.rels" on: exporters differ in where they put things. What a bomb would need is refused: too
 * many entries, more unpacked bytes than TABLE_UNPACKED_MAX in all, a single token longer than TABLE_ROW_MAX, document types (and with
 * them entities), elements nested deeper than TABLE_XML_DEPTH_MAX, parts with a password, relations that point outside. */
#include "table/internal.h"

#include <expat.h>
#include <zip.h>

#define CHUNK (64 * KIB)

struct walk {
    XML_Parser parser;
    const struct xml_handler *h;
    void      *arg;
    struct err *e;
    size_t     quiet;   /* bytes since expat last told us anything */
    int        depth, rc;
};

static const char *local_name(const char *qualified)
{
    const char *colon = strrchr(qualified, ':');

    return colon ? colon + 1 : qualified;
}

const char *xml_attr(const char **attrs, const char *name)
{
    for (size_t i = 0; attrs[i]; i += 2)
        if (strcmp(local_name(attrs[i]), name) == 0)
            return attrs[i + 1];
    return NULL;
}

static void walk_stop(struct walk *w, int rc)
{
    if (rc < 0 && w->rc == 0) {
        w->rc = rc;
        XML_StopParser(w->parser, XML_FALSE);
    }
}

static void XMLCALL on_open(void *arg, const char *name, const char **attrs)
{
    struct walk *w = arg;

    w->quiet = 0;
    if (++w->depth > TABLE_XML_DEPTH_MAX)
        walk_stop(w, err_set(w->e, -E2BIG, "elements nested deeper than %d", TABLE_XML_DEPTH_MAX));
    else if (w->h->open && w->rc == 0)
        walk_stop(w, w->h->open(w->arg, local_name(name), attrs, w->e));
}

static void XMLCALL on_close(void *arg, const char *name)
{
    struct walk *w = arg;

    w->quiet = 0;
    w->depth--;
    if (w->h->close && w->rc == 0)
        walk_stop(w, w->h->close(w->arg, local_name(name), w->e));
}

static void XMLCALL on_text(void *arg, const char *s, int n)
{
    struct walk *w = arg;

    w->quiet = 0;
    if (w->h->text && w->rc == 0)
        walk_stop(w, w->h->text(w->arg, s, (size_t)n, w->e));
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
    struct walk *w = arg;

    walk_stop(w, err_set(w->e, -EBADMSG, "a document type declaration has no place in a workbook"));
}

/* A part as it is read: out of the archive, or from memory (f NULL). */
struct part_source {
    zip_file_t *f;
    struct str  raw;
};

static int64_t part_read(struct part_source *s, void *room, size_t n)
{
    if (s->f)
        return zip_fread(s->f, room, n);
    n = min_size(n, s->raw.n);
    if (n)
        memcpy(room, s->raw.p, n);
    s->raw = str_cut(s->raw, n);
    return (int64_t)n;
}

/* part_feed - read the opened part to its end. */
static int part_feed(struct package *p, struct part_source *s, struct walk *w)
{
    for (;;) {
        void *room = XML_GetBuffer(w->parser, CHUNK);
        int64_t n = room ? part_read(s, room, CHUNK) : -1;

        if (!room)
            return err_set(w->e, -ENOMEM, "out of memory");
        if (n < 0)
            return err_set(w->e, -EBADMSG, "the archive is damaged: %s", zip_file_strerror(s->f));
        p->unpacked += (uint64_t)n;
        w->quiet += (size_t)n;
        if (p->unpacked > TABLE_UNPACKED_MAX)
            return err_set(w->e, -E2BIG, "the workbook unpacks to more than %u MiB", TABLE_UNPACKED_MAX / MIB);
        if (w->quiet > TABLE_ROW_MAX)
            return err_set(w->e, -E2BIG, "one piece of XML is longer than %u MiB", TABLE_ROW_MAX / MIB);
        if (XML_ParseBuffer(w->parser, (int)n, n == 0) != XML_STATUS_OK) {
            if (w->rc < 0)
                return w->rc;
            return err_set(w->e, -EBADMSG, "line %lu, column %lu: %s", (unsigned long)XML_GetCurrentLineNumber(w->parser),
                           (unsigned long)XML_GetCurrentColumnNumber(w->parser) + 1, XML_ErrorString(XML_GetErrorCode(w->parser)));
        }
        if (n == 0)
            return 0;
    }
}

static int part_open(struct package *p, const char *name, struct part_source *s, struct err *e)
{
    zip_int64_t at = -1;

    *s = (struct part_source){ .f = NULL };
    for (size_t i = 0; !p->zip && i < COUNT(p->raw); i++)
        if (p->raw[i].name.p && str_eq(p->raw[i].name, str_c(name))) {
            s->raw = p->raw[i].xml;
            return 0;
        }
    if (p->zip)
        at = zip_name_locate(p->zip, name, ZIP_FL_NOCASE);
    if (at < 0)
        return err_set(e, -EBADMSG, "the workbook has no part \"%s\"", name);
    s->f = zip_fopen_index(p->zip, (zip_uint64_t)at, 0);
    return s->f ? 0 : err_set(e, -EBADMSG, "%s: %s", name, zip_strerror(p->zip));
}

int xml_walk(struct package *p, struct str part, const struct xml_handler *h, void *arg, struct err *e)
{
    struct walk w = { .h = h, .arg = arg, .e = e };
    struct part_source s;
    char name[512];

    snprintf(name, sizeof name, "%.*s", (int)min_size(part.n, sizeof name - 1), part.p);
    int rc = part_open(p, name, &s, e);
    if (rc < 0)
        return rc;
    w.parser = XML_ParserCreate(NULL);
    if (!w.parser) {
        if (s.f)
            zip_fclose(s.f);
        return err_set(e, -ENOMEM, "out of memory");
    }
    XML_SetUserData(w.parser, &w);
    XML_SetElementHandler(w.parser, on_open, on_close);
    XML_SetCharacterDataHandler(w.parser, on_text);
    XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
    rc = part_feed(p, &s, &w);
    XML_ParserFree(w.parser);
    if (s.f)
        zip_fclose(s.f);
    /* What a handler refused has its own place (sheet and cell); the rest is told by its part. */
    return rc < 0 && w.rc == 0 ? err_wrap(e, rc, "%s", name) : rc;
}

/* --- relations --- */

struct relation {
    struct str id, type, part;
};
struct relations {
    struct package  *p;
    struct str       base;     /* folder of the part that they belong to, with its slash */
    struct relation *list;
    size_t           count;
};

/* resolve - a target against the folder of its part: "/xl/a.xml", "a.xml", "../a.xml". */
static struct str resolve(struct package *p, struct str base, const char *target)
{
    struct str t = str_c(target);

    if (str_starts(t, STR("/")))
        return arena_copy(&p->a, str_cut(t, 1));
    while (str_starts(t, STR("./")) || str_starts(t, STR("../"))) {
        bool up = t.p[1] == '.';

        t = str_cut(t, up ? 3 : 2);
        if (up && base.n) {
            base.n--;
            while (base.n && base.p[base.n - 1] != '/')
                base.n--;
        }
    }
    return arena_printf(&p->a, "%.*s%.*s", STR_ARG(base), STR_ARG(t));
}

static int relation_open(void *arg, const char *name, const char **attrs, struct err *e)
{
    struct relations *r = arg;
    const char *id = xml_attr(attrs, "Id"), *type = xml_attr(attrs, "Type"), *target = xml_attr(attrs, "Target"),
               *mode = xml_attr(attrs, "TargetMode");

    if (strcmp(name, "Relationship") != 0 || !id || !type || !target || (mode && strcmp(mode, "External") == 0))
        return 0;
    if (r->count == TABLE_PARTS_MAX)
        return err_set(e, -E2BIG, "a part with more than %u relations", TABLE_PARTS_MAX);
    r->list[r->count++] = (struct relation){ .id = arena_copy(&r->p->a, str_c(id)), .type = arena_copy(&r->p->a, str_c(type)),
                                             .part = resolve(r->p, r->base, target) };
    return arena_failed(&r->p->a) ? err_set(e, -E2BIG, "the relations of the workbook are too long") : 0;
}

static int relations_load(struct package *p, struct str part, struct relations *r, struct err *e)
{
    static const struct xml_handler handler = { .open = relation_open };
    size_t slash = part.n;
    struct str path;

    while (slash && part.p[slash - 1] != '/')
        slash--;
    *r = (struct relations){ .p = p, .base = { part.p, slash }, .list = arena_array(&p->a, TABLE_PARTS_MAX, sizeof(struct relation)) };
    path = arena_printf(&p->a, "%.*s_rels/%.*s.rels", (int)slash, part.p ? part.p : "", (int)(part.n - slash), part.p ? part.p + slash : "");
    if (!r->list || !path.p)
        return err_set(e, -ENOMEM, "out of memory");
    return xml_walk(p, path, &handler, r, e);
}

static struct str relation_by_type(const struct relations *r, struct str end)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_ends(r->list[i].type, end))
            return r->list[i].part;
    return (struct str){ NULL, 0 };
}

/* --- the workbook part --- */

static int workbook_open(void *arg, const char *name, const char **attrs, struct err *e)
{
    struct package *p = arg;

    if (strcmp(name, "workbookPr") == 0) {
        const char *v = xml_attr(attrs, "date1904");
        p->date1904 = v && (strcmp(v, "1") == 0 || strcmp(v, "true") == 0);
    }
    if (strcmp(name, "sheet") != 0)
        return 0;
    if (p->sheet_count == TABLE_SHEETS_MAX)
        return err_set(e, -E2BIG, "a workbook with more than %u sheets", TABLE_SHEETS_MAX);
    const char *title = xml_attr(attrs, "name"), *state = xml_attr(attrs, "state"), *id = NULL;
    /* Its number is "sheetId"; the relation is "id" with the prefix of relations. */
    for (size_t i = 0; attrs[i] && !id; i += 2)
        if (strchr(attrs[i], ':') && strcmp(local_name(attrs[i]), "id") == 0)
            id = attrs[i + 1];
    if (!title || !id || strlen(title) >= TABLE_SHEET_NAME_MAX)
        return err_set(e, -EBADMSG, "a sheet without a name or a part, or with a name of more than 31 letters");
    if (state && strcmp(state, "visible") != 0)
        return 0;
    p->sheets[p->sheet_count++] = (struct sheet_ref){ .name = arena_copy(&p->a, str_c(title)), .relation = arena_copy(&p->a, str_c(id)) };
    return 0;
}

static int workbook_load(struct package *p, struct err *e)
{
    static const struct xml_handler handler = { .open = workbook_open };
    struct relations r;
    size_t kept = 0;
    int rc = relations_load(p, STR(""), &r, e);

    if (rc < 0)
        return rc;
    p->workbook = relation_by_type(&r, STR("/officeDocument"));
    if (!p->workbook.n)
        return err_set(e, -EBADMSG, "this archive is no workbook: it names no main part");
    p->sheets = arena_array(&p->a, TABLE_SHEETS_MAX, sizeof *p->sheets);
    if (!p->sheets)
        return err_set(e, -ENOMEM, "out of memory");
    rc = xml_walk(p, p->workbook, &handler, p, e);
    if (rc == 0)
        rc = relations_load(p, p->workbook, &r, e);
    if (rc < 0)
        return rc;
    p->shared = relation_by_type(&r, STR("/sharedStrings"));
    p->styles = relation_by_type(&r, STR("/styles"));
    for (size_t i = 0; i < p->sheet_count; i++)
        for (size_t k = 0; k < r.count; k++)
            if (str_eq(r.list[k].id, p->sheets[i].relation) && str_ends(r.list[k].type, STR("/worksheet"))) {
                p->sheets[i].part = r.list[k].part;
                p->sheets[kept++] = p->sheets[i];
                break;
            }
    p->sheet_count = kept; /* charts and macros have sheets too, without cells */
    return kept ? 0 : err_set(e, -EBADMSG, "the workbook has no visible sheet of cells");
}

int package_open(struct str bytes, struct package *p, struct err *e)
{
    zip_error_t ze;
    zip_source_t *source;

    *p = (struct package){ 0 };
    arena_init(&p->a, 4 * MIB);
    zip_error_init(&ze);
    source = zip_source_buffer_create(bytes.p, bytes.n, 0, &ze);
    if (source)
        p->zip = zip_open_from_source(source, ZIP_RDONLY, &ze);
    if (!p->zip) {
        int rc = err_set(e, -EBADMSG, "this is no whole XLSX file: %s", zip_error_strerror(&ze));

        if (source)
            zip_source_free(source);
        zip_error_fini(&ze);
        return rc;
    }
    zip_error_fini(&ze);
    if (zip_get_num_entries(p->zip, 0) > (zip_int64_t)TABLE_PARTS_MAX)
        return err_set(e, -E2BIG, "an archive of more than %u parts", TABLE_PARTS_MAX);
    return workbook_load(p, e);
}

void package_close(struct package *p)
{
    if (p->zip)
        zip_discard(p->zip);
    p->zip = NULL;
    arena_free(&p->a);
}
