/* xml.c - XML reports through expat. A document type may stand there, as real exporters write one, but nothing of it is followed:
 * a declaration of an entity is refused, so no text can grow, and no file or address is opened. */
#include <expat.h>
#include <iconv.h>

#include "scan/internal.h"

#define XML_NAME_MAX    256
#define DOCTYPE_MAX     (1u * MIB)
#define XML_TOKEN_MAX   SCAN_RECORD_MAX   /* one tag with its attributes */
#define NAME_BYTES      1024u
#define ATTLIST_MAX     1000u             /* attributes that a document type declares */
#define NAMES_SEEN      100000u           /* different names of elements and attributes: expat keeps each of them until the end */
#define NAMES_SLOTS     (1u << 18)

struct xml {
    struct readers_arg *r;
    XML_Parser          p;
    struct err         *e;
    int                 rc;
    int64_t             doctype;   /* where it began; -1 outside */
    uint64_t           *names;     /* hashes of the names that came so far */
    size_t              name_count, attlist_count;
};

static void stop(struct xml *x, int rc)
{
    if (x->rc == 0)
        x->rc = rc;
    XML_StopParser(x->p, XML_FALSE);
}

static int refuse(struct xml *x, int rc, const char *what)
{
    if (rc == -EBADMSG)
        return read_broken(x->r, x->e, XML_GetCurrentLineNumber(x->p), XML_GetCurrentColumnNumber(x->p) + 1, what);
    return err_line(x->e, rc, x->r->name, (int)XML_GetCurrentLineNumber(x->p), (int)XML_GetCurrentColumnNumber(x->p) + 1, "%s", what);
}

/* new_name - counts it if it was not there yet. */
static int new_name(struct xml *x, const char *name)
{
    struct str s = str_c(name);
    uint64_t h = str_hash(s);
    size_t i;

    if (s.n > NAME_BYTES)
        return refuse(x, -E2BIG, "a name of an element or attribute is longer than 1 KiB");
    h += h == 0;   /* 0 marks a free slot */
    for (i = (h >> 40) & (NAMES_SLOTS - 1); x->names[i]; i = (i + 1) & (NAMES_SLOTS - 1))
        if (x->names[i] == h)
            return 0;
    x->names[i] = h;
    return ++x->name_count > NAMES_SEEN ? refuse(x, -E2BIG, "more than 100,000 different names of elements and attributes") : 0;
}

/* local - the name without its prefix. */
static struct str local(const char *name)
{
    const char *colon = strchr(name, ':');

    return str_c(colon ? colon + 1 : name);
}

static int attribute(struct xml *x, const char *name, const char *value, uint64_t line)
{
    char text[XML_NAME_MAX];
    struct str word = local(name);
    int rc;

    if (strncmp(name, "xmlns", 5) == 0 && (name[5] == ':' || name[5] == '\0'))
        return 0;
    if (word.n + 1 >= sizeof text)
        word.n = sizeof text - 2;
    text[0] = '@';
    memcpy(text + 1, word.p, word.n);
    rc = tree_open(x->r->tree, str_of(text, word.n + 1), 0, -1, line, x->e);
    if (rc == 0)
        rc = tree_own_text(x->r->tree, str_c(value), x->e);
    return rc < 0 ? rc : tree_close(x->r->tree, x->e);
}

static void XMLCALL on_open(void *arg, const char *name, const char **attrs)
{
    struct xml *x = arg;
    uint64_t line = XML_GetCurrentLineNumber(x->p);
    size_t count = (size_t)XML_GetSpecifiedAttributeCount(x->p);   /* behind them stand those that only the document type says */
    int rc;

    if (x->rc < 0)
        return;
    rc = new_name(x, name);
    for (size_t i = 0; i < count && rc == 0; i += 2)
        rc = new_name(x, attrs[i]);
    if (rc == 0)
        rc = tree_open(x->r->tree, local(name), 0, -1, line, x->e);
    for (size_t i = 0; i < count && rc == 0 && !tree_skips(x->r->tree); i += 2)
        rc = attribute(x, attrs[i], attrs[i + 1], line);
    if (rc < 0)
        stop(x, rc);
}

static void XMLCALL on_close(void *arg, const char *name)
{
    struct xml *x = arg;
    int rc = x->rc;

    (void)name;
    if (rc == 0)
        rc = tree_close(x->r->tree, x->e);
    if (rc < 0)
        stop(x, rc);
}

static void XMLCALL on_text(void *arg, const char *p, int n)
{
    struct xml *x = arg;
    int rc = x->rc;

    if (rc == 0 && tree_wants_text(x->r->tree))
        rc = tree_text(x->r->tree, str_of(p, (size_t)n), x->e);
    if (rc < 0)
        stop(x, rc);
}

static void XMLCALL on_entity(void *arg, const XML_Char *name, int parameter, const XML_Char *value, int n, const XML_Char *base, const XML_Char *system,
                              const XML_Char *public, const XML_Char *notation)
{
    struct xml *x = arg;

    (void)name, (void)parameter, (void)value, (void)n, (void)base, (void)system, (void)public, (void)notation;
    stop(x, refuse(x, -EBADMSG, "the document declares an entity, which no scanner does and which is never opened"));
}

/* on_attlist - declared attributes are not taken over, but expat goes through them at every element. */
static void XMLCALL on_attlist(void *arg, const XML_Char *element, const XML_Char *name, const XML_Char *type, const XML_Char *value, int required)
{
    struct xml *x = arg;

    (void)element, (void)name, (void)type, (void)value, (void)required;
    if (++x->attlist_count > ATTLIST_MAX)
        stop(x, refuse(x, -E2BIG, "the document type declares more than 1,000 attributes"));
}

/* on_skipped - a reference to what an outer document type would define: it stays as it is written. */
static void XMLCALL on_skipped(void *arg, const XML_Char *name, int parameter)
{
    struct xml *x = arg;
    int rc = x->rc;
    char text[XML_NAME_MAX];

    if (parameter || rc < 0)
        return;
    snprintf(text, sizeof text, "&%s;", name);
    if (tree_wants_text(x->r->tree))
        rc = tree_text(x->r->tree, str_c(text), x->e);
    if (rc < 0)
        stop(x, rc);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int inner)
{
    struct xml *x = arg;

    (void)name, (void)system, (void)public, (void)inner;
    x->doctype = XML_GetCurrentByteIndex(x->p);
}

static void XMLCALL on_doctype_end(void *arg) { ((struct xml *)arg)->doctype = -1; }

/* on_encoding - encodings of one byte a letter that expat does not know itself, by their table; and only these, so that no report has a converter of its
 * choice loaded. */
static int XMLCALL on_encoding(void *arg, const XML_Char *name, XML_Encoding *info)
{
    static const char *const known[] = { "windows-125", "cp125", "cp866", "cp437", "cp85", "koi8-", "iso-8859-", "kz-1048", "ibm866" };
    iconv_t to = (iconv_t)-1;

    (void)arg;
    for (size_t i = 0; i < COUNT(known) && to == (iconv_t)-1; i++)
        if (strncasecmp(name, known[i], strlen(known[i])) == 0)
            to = iconv_open("UCS-4LE", name);
    if (to == (iconv_t)-1)
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++) {
        char byte = (char)i, *in = &byte;
        unsigned char code[4] = { 0 };
        char *out = (char *)code;
        size_t in_left = 1, out_left = sizeof code;

        info->map[i] = -1;
        if (iconv(to, &in, &in_left, &out, &out_left) != (size_t)-1 && out_left == 0)
            info->map[i] = code[0] | code[1] << 8 | code[2] << 16;
        iconv(to, NULL, NULL, NULL, NULL);
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    iconv_close(to);
    return XML_STATUS_OK;
}

static int parse_error(struct xml *x)
{
    char text[160];
    enum XML_Error code = XML_GetErrorCode(x->p);

    if (x->rc < 0)
        return x->rc;
    if (code == XML_ERROR_NO_MEMORY)
        return err_set(x->e, -ENOMEM, "no memory to read \"%s\"", x->r->name);
    snprintf(text, sizeof text, code == XML_ERROR_NO_ELEMENTS ? "the report ends before it is complete" : "XML: %s", XML_ErrorString(code));
    return refuse(x, -EBADMSG, text);
}

static int feed(struct xml *x)
{
    struct readers_arg *r = x->r;

    for (;;) {
        char *p = XML_GetBuffer(x->p, (int)r->source->piece);
        long got = p ? source_read(r->source, p, r->source->piece, x->e) : err_set(x->e, -ENOMEM, "no memory to read \"%s\"", r->name);

        if (got < 0)
            return (int)got;
        if (got == 0 && r->part)
            return 0;
        if (XML_ParseBuffer(x->p, (int)got, got == 0) != XML_STATUS_OK)
            return parse_error(x);
        if (got == 0)
            return 0;
        if (x->doctype >= 0 && r->source->offset - (uint64_t)x->doctype > DOCTYPE_MAX + SOURCE_PIECE)
            return refuse(x, -E2BIG, "the document type is larger than 1 MiB");
        /* The library keeps a tag until it is whole; before the first one it knows no place. */
        if (r->source->offset - (XML_GetCurrentByteIndex(x->p) < 0 ? 0 : (uint64_t)XML_GetCurrentByteIndex(x->p)) > XML_TOKEN_MAX)
            return refuse(x, -E2BIG, "one tag is larger than 16 MiB");
    }
}

int read_xml(struct readers_arg *r, struct err *e)
{
    struct xml x = { .r = r, .e = e, .doctype = -1 };
    int rc;

    x.names = calloc(NAMES_SLOTS, sizeof *x.names);
    x.p = x.names ? XML_ParserCreate(NULL) : NULL;
    if (!x.p) {
        free(x.names);
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", r->name);
    }
    XML_SetUserData(x.p, &x);
    XML_SetElementHandler(x.p, on_open, on_close);
    XML_SetCharacterDataHandler(x.p, on_text);
    XML_SetEntityDeclHandler(x.p, on_entity);
    XML_SetAttlistDeclHandler(x.p, on_attlist);
    XML_SetSkippedEntityHandler(x.p, on_skipped);
    XML_SetDoctypeDeclHandler(x.p, on_doctype, on_doctype_end);
    XML_SetUnknownEncodingHandler(x.p, on_encoding, NULL);
    rc = feed(&x);
    XML_ParserFree(x.p);
    free(x.names);
    return rc;
}
