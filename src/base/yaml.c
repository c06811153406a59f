/* yaml.c - see yaml.h. A tree is built from libfyaml's event stream with an explicit stack. */
#include "base/yaml.h"
#include "base/file.h"

#include <libfyaml.h>
#include <stdarg.h>

struct level {
    struct ynode *node;    /* map or sequence being filled */
    struct ynode *last;    /* its last key or item */
    struct ynode *key;     /* a key that waits for its value */
};

struct builder {
    struct yaml *y;
    struct str   text;     /* the file */
    struct level stack[YAML_DEPTH_MAX];
    size_t       depth, nodes;
    struct err  *e;
};

int yaml_err(const struct yaml *y, const struct ynode *at, struct err *e, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_line(e, -EBADMSG, y->name, at ? at->line : 0, at ? at->column : 0, "%s", text);
}

static struct ynode *node_new(struct builder *b, enum ynode_kind kind, struct fy_event *fe)
{
    const struct fy_mark *m = fy_event_start_mark(fe);
    struct ynode *n;

    if (++b->nodes > YAML_NODES_MAX) {
        err_line(b->e, -E2BIG, b->y->name, 0, 0, "more than %d nodes", YAML_NODES_MAX);
        return NULL;
    }
    n = arena_zero(&b->y->arena, sizeof *n);
    if (!n) {
        err_line(b->e, -E2BIG, b->y->name, 0, 0, "the file needs too much memory");
        return NULL;
    }
    n->kind = kind;
    n->line = m ? m->line + 1 : 1;
    n->column = m ? m->column + 1 : 1;
    return n;
}

/* fold - line breaks of raw from at on become a blank, or one break less than there are; *at comes behind them. Blanks around them are nothing (YAML 1.2, 7.3.2). */
static size_t fold(struct str raw, size_t *at, char *out, size_t n)
{
    size_t breaks = 0;

    while (n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    for (; *at < raw.n && strchr(" \t\r\n", raw.p[*at]); ++*at)
        breaks += raw.p[*at] == '\n' || (raw.p[*at] == '\r' && !(*at + 1 < raw.n && raw.p[*at + 1] == '\n'));
    if (breaks == 1)
        out[n++] = ' ';
    for (; breaks > 1; breaks--)
        out[n++] = '\n';
    return n;
}

/* unquoted - what stands between single quotes, from the file itself: libfyaml 0.7.12 loses the end of a text in which two doubled quotes touch. NULL: no memory. */
static char *unquoted(struct builder *b, struct str raw, size_t *len)
{
    char *out = arena_alloc(&b->y->arena, raw.n + 1);
    size_t n = 0;

    for (size_t i = 0; out && i < raw.n;) {
        if (raw.p[i] == '\r' || raw.p[i] == '\n') {
            n = fold(raw, &i, out, n);
            continue;
        }
        out[n++] = raw.p[i];
        i += raw.p[i] == '\'' ? 2 : 1;   /* a quote within stands twice */
    }
    if (out)
        out[n] = 0;
    *len = n;
    return out;
}

/* raw_of - the bytes of a token in the file; an empty text where its marks say something impossible. */
static struct str raw_of(const struct builder *b, const struct fy_token *t)
{
    const struct fy_mark *from = fy_token_start_mark((struct fy_token *)(uintptr_t)t), *to = fy_token_end_mark((struct fy_token *)(uintptr_t)t);

    return from && to && from->input_pos <= to->input_pos && to->input_pos <= b->text.n ? str_of(b->text.p + from->input_pos, to->input_pos - from->input_pos) : STR("");
}

static int take_scalar(struct builder *b, struct ynode *n, struct fy_event *fe)
{
    struct fy_token *t = fy_event_get_token(fe);
    size_t len = 0;
    const char *p = t ? fy_token_get_text(t, &len) : NULL;
    struct str raw = t && fy_token_scalar_style(t) == FYSS_SINGLE_QUOTED ? raw_of(b, t) : STR("");

    n->plain = !t || fy_token_scalar_style(t) == FYSS_PLAIN;
    n->text = arena_copy(&b->y->arena, str_of(p, p ? len : 0));
    if (str_find(raw, STR("''")) >= 0) {
        n->text.p = unquoted(b, raw, &len);
        n->text.n = len;
    }
    return n->text.p ? 0 : err_line(b->e, -E2BIG, b->y->name, n->line, n->column, "the file needs too much memory");
}

static int attach_key(struct builder *b, struct level *at, struct ynode *n)
{
    if (n->kind != YNODE_SCALAR)
        return yaml_err(b->y, n, b->e, "a key must be a plain text");
    /* Long maps (translations) would make a quadratic search: only short ones are checked here. */
    if (at->node->count < 512 && yaml_get(at->node, n->text.p))
        return yaml_err(b->y, n, b->e, "key \"%.*s\" stands twice", STR_ARG(n->text));
    at->key = n;
    if (at->last)
        at->last->next = n;
    else
        at->node->first = n;
    at->last = n;
    at->node->count++;
    return 0;
}

static int attach(struct builder *b, struct ynode *n)
{
    struct level *at;

    if (b->depth == 0) {
        if (b->y->doc_count >= COUNT(b->y->docs))
            return yaml_err(b->y, n, b->e, "more than %zu documents in one file", COUNT(b->y->docs));
        b->y->docs[b->y->doc_count++] = n;
        return 0;
    }
    at = &b->stack[b->depth - 1];
    if (at->node->kind == YNODE_MAP && !at->key)
        return attach_key(b, at, n);
    if (at->node->kind == YNODE_MAP) {
        at->key->value = n;
        at->key = NULL;
        return 0;
    }
    if (at->last)
        at->last->next = n;
    else
        at->node->first = n;
    at->last = n;
    at->node->count++;
    return 0;
}

static int open_level(struct builder *b, enum ynode_kind kind, struct fy_event *fe)
{
    struct ynode *n = node_new(b, kind, fe);
    int rc;

    if (!n)
        return -E2BIG;
    rc = attach(b, n);
    if (rc < 0)
        return rc;
    if (b->depth == YAML_DEPTH_MAX)
        return yaml_err(b->y, n, b->e, "nested deeper than %d", YAML_DEPTH_MAX);
    b->stack[b->depth++] = (struct level){ .node = n };
    return 0;
}

static int take_event(struct builder *b, struct fy_event *fe)
{
    struct ynode *n;
    int rc;

    switch (fe->type) {
    case FYET_SCALAR:
        if (fe->scalar.anchor)
            break;
        n = node_new(b, YNODE_SCALAR, fe);
        if (!n)
            return -E2BIG;
        rc = take_scalar(b, n, fe);
        return rc < 0 ? rc : attach(b, n);
    case FYET_MAPPING_START:
        if (fe->mapping_start.anchor)
            break;
        return open_level(b, YNODE_MAP, fe);
    case FYET_SEQUENCE_START:
        if (fe->sequence_start.anchor)
            break;
        return open_level(b, YNODE_SEQ, fe);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        b->depth--;
        return 0;
    case FYET_ALIAS:
        break;
    default:
        return 0;
    }
    n = node_new(b, YNODE_SCALAR, fe);
    return yaml_err(b->y, n, b->e, "anchors and aliases are not accepted, write the value out");
}

static int syntax_error(struct builder *b, struct fy_parser *fp)
{
    struct fy_diag *d = fy_parser_get_diag(fp);
    void *prev = NULL;
    struct fy_diag_error *de = d ? fy_diag_errors_iterate(d, &prev) : NULL;
    int rc = err_line(b->e, -EBADMSG, b->y->name, de ? de->line : 0, de ? de->column : 0, "%s",
                      de && de->msg ? de->msg : "not YAML");

    fy_diag_unref(d);
    return rc;
}

static int build(struct builder *b, struct fy_parser *fp)
{
    struct fy_event *fe;
    int rc = 0;

    while (rc == 0 && (fe = fy_parser_parse(fp)) != NULL) {
        bool end = fe->type == FYET_STREAM_END;

        rc = take_event(b, fe);
        fy_parser_event_free(fp, fe);
        if (end)
            return rc;
    }
    return rc < 0 ? rc : syntax_error(b, fp);
}

static int parse(struct builder *b, struct str text)
{
    struct fy_diag_cfg dc;
    struct fy_diag *diag;
    struct fy_parser *fp;
    int rc;

    fy_diag_cfg_default(&dc);
    dc.level = FYET_ERROR;
    diag = fy_diag_create(&dc);
    if (!diag)
        return err_set(b->e, -ENOMEM, "no memory to read \"%s\"", b->y->name);
    fy_diag_set_collect_errors(diag, true);
    fp = fy_parser_create(&(struct fy_parse_cfg){ .flags = FYPCF_QUIET, .diag = diag });
    if (!fp || fy_parser_set_string(fp, text.n ? text.p : "", text.n) != 0)
        rc = err_set(b->e, -ENOMEM, "no memory to read \"%s\"", b->y->name);
    else
        rc = build(b, fp);
    if (fp)
        fy_parser_destroy(fp);
    fy_diag_destroy(diag);
    return rc;
}

int yaml_load(struct str text, const char *name, struct yaml **out, struct err *e)
{
    struct yaml *y = calloc(1, sizeof *y);
    struct builder *b = calloc(1, sizeof *b);
    int rc;

    *out = NULL;
    if (y)
        y->name = strdup(name);
    if (!y || !b || !y->name) {
        rc = err_set(e, -ENOMEM, "no memory to read \"%s\"", name);
    } else {
        arena_init(&y->arena, 128u * MIB);
        b->y = y;
        b->e = e;
        b->text = text;
        if (text.n > YAML_BYTES_MAX)
            rc = err_line(e, -E2BIG, name, 0, 0, "larger than %u bytes", YAML_BYTES_MAX);
        else if (!str_utf8_valid(text))
            rc = err_line(e, -EBADMSG, name, 0, 0, "not UTF-8");
        else
            rc = parse(b, text);
    }
    free(b);
    if (rc < 0) {
        yaml_free(&y);
        return rc;
    }
    *out = y;
    return 0;
}

int yaml_load_file(const char *path, struct yaml **out, struct err *e)
{
    AUTO_BUF struct buf b;
    int rc;

    *out = NULL;
    buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
    rc = file_read(path, YAML_BYTES_MAX, &b, e);
    return rc < 0 ? rc : yaml_load(buf_view(&b), path, out, e);
}

void yaml_free(struct yaml **y)
{
    if (!*y)
        return;
    arena_free(&(*y)->arena);
    free((*y)->name);
    free(*y);
    *y = NULL;
}

const struct ynode *yaml_get(const struct ynode *map, const char *key)
{
    struct str want = str_c(key);

    if (!map || map->kind != YNODE_MAP)
        return NULL;
    for (const struct ynode *k = map->first; k; k = k->next)
        if (str_eq(k->text, want))
            return k->value;
    return NULL;
}

struct str yaml_text(const struct ynode *map, const char *key)
{
    const struct ynode *n = yaml_get(map, key);

    return n && n->kind == YNODE_SCALAR ? n->text : (struct str){ NULL, 0 };
}

bool yaml_null(const struct ynode *n)
{
    return !n || (n->kind == YNODE_SCALAR && n->plain &&
                  (n->text.n == 0 || str_eq(n->text, STR("~")) || str_eq(n->text, STR("null")) || str_eq(n->text, STR("Null")) ||
                   str_eq(n->text, STR("NULL"))));
}

int yaml_int(const struct yaml *y, const struct ynode *map, const char *key, int64_t *out, struct err *e)
{
    const struct ynode *n = yaml_get(map, key);

    if (!n)
        return 1;
    if (n->kind != YNODE_SCALAR || !str_i64(n->text, out))
        return yaml_err(y, n, e, "\"%s\" must be a whole number", key);
    return 0;
}

int yaml_bool(const struct yaml *y, const struct ynode *map, const char *key, bool *out, struct err *e)
{
    const struct ynode *n = yaml_get(map, key);

    if (!n)
        return 1;
    if (n->kind == YNODE_SCALAR && str_eq(n->text, STR("true")))
        *out = true;
    else if (n->kind == YNODE_SCALAR && str_eq(n->text, STR("false")))
        *out = false;
    else
        return yaml_err(y, n, e, "\"%s\" must be true or false", key);
    return 0;
}

int yaml_only(const struct yaml *y, const struct ynode *map, const char *const *names, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a map of keys and values is expected here");
    for (const struct ynode *k = map->first; k; k = k->next) {
        const char *const *n = names;

        while (*n && !str_eq(k->text, str_c(*n)))
            n++;
        if (!*n)
            return yaml_err(y, k, e, "unknown key \"%.*s\"", STR_ARG(k->text));
    }
    return 0;
}
