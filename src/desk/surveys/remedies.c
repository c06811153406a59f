/* remedies.c - content/policy/remedies.yaml: what is recommended by class of weakness, in three languages.
 *
 * A class is known by words of title and description, by ports, or by facts ("fix": a fixed version is known, "cve"); the first that fits is taken, the
 * last one fits all. The scanner's own advice follows the text as it stands, in whatever language it is: it is named as such. */
#include "desk/surveys/room.h"
#include "base/yaml.h"

#define CLASSES_MAX 64
#define WORDS_MAX   64
#define PORTS_MAX   64
#define SAID_MAX    (4u * KIB)   /* of the scanner's advice */

struct class {
    struct str id, words[WORDS_MAX], text[LANG_COUNT];
    int64_t    ports[PORTS_MAX];
    size_t     word_count, port_count;
    bool       fix, cve, otherwise;
};
struct remedies {
    struct yaml *file;
    struct class class[CLASSES_MAX];
    size_t       count;
    struct str   fixed_in[LANG_COUNT], scanner[LANG_COUNT];
};

static int read_texts(const struct yaml *y, const struct ynode *at, const struct ynode *map, struct str out[LANG_COUNT], struct err *e)
{
    static const char *const langs[LANG_COUNT] = { [LANG_KK] = "kk", [LANG_RU] = "ru", [LANG_EN] = "en" };

    for (enum lang l = 0; l < LANG_COUNT; l++) {
        out[l] = map ? yaml_text(map, langs[l]) : (struct str){ NULL, 0 };
        if (!out[l].n)
            return yaml_err(y, map ? map : at, e, "a text in \"%s\" is expected", langs[l]);
    }
    return 0;
}

static int read_class(const struct yaml *y, const struct ynode *n, struct class *k, struct err *e)
{
    static const char *const known[] = { "id", "words", "ports", "fix", "cve", "otherwise", "text", NULL };
    int rc = n->kind == YNODE_MAP ? yaml_only(y, n, known, e) : yaml_err(y, n, e, "a class is expected");
    const struct ynode *words = rc == 0 ? yaml_get(n, "words") : NULL, *ports = rc == 0 ? yaml_get(n, "ports") : NULL;

    if (rc < 0)
        return rc;
    k->id = yaml_text(n, "id");
    if (k->id.n == 0 || k->id.n > 64)
        return yaml_err(y, n, e, "\"id\" is expected");
    for (const struct ynode *w = words && words->kind == YNODE_SEQ ? words->first : NULL; w; w = w->next) {
        if (w->text.n == 0 || k->word_count == WORDS_MAX)
            return yaml_err(y, w, e, "a word is expected, at most %d of them", WORDS_MAX);
        k->words[k->word_count++] = w->text;
    }
    for (const struct ynode *p = ports && ports->kind == YNODE_SEQ ? ports->first : NULL; p; p = p->next)
        if (k->port_count == PORTS_MAX || !str_i64(p->text, &k->ports[k->port_count]) || k->ports[k->port_count] < 0 || k->ports[k->port_count++] > 65535)
            return yaml_err(y, p, e, "a port is expected, at most %d of them", PORTS_MAX);
    if ((rc = yaml_bool(y, n, "fix", &k->fix, e)) < 0 || (rc = yaml_bool(y, n, "cve", &k->cve, e)) < 0 || (rc = yaml_bool(y, n, "otherwise", &k->otherwise, e)) < 0)
        return rc;
    return read_texts(y, n, yaml_get(n, "text"), k->text, e);
}

static int read_all(struct remedies *r, struct err *e)
{
    static const char *const known[] = { "fixed_in", "scanner_says", "classes", NULL };
    const struct yaml *y = r->file;
    const struct ynode *root = y->doc_count == 1 && y->docs[0]->kind == YNODE_MAP ? y->docs[0] : NULL, *list = root ? yaml_get(root, "classes") : NULL;
    int rc = root ? yaml_only(y, root, known, e) : err_set(e, -EBADMSG, "remedies.yaml: one map is expected");

    if (rc == 0)
        rc = read_texts(y, root, yaml_get(root, "fixed_in"), r->fixed_in, e);
    if (rc == 0)
        rc = read_texts(y, root, yaml_get(root, "scanner_says"), r->scanner, e);
    for (const struct ynode *n = rc == 0 && list && list->kind == YNODE_SEQ ? list->first : NULL; n && rc == 0; n = n->next)
        rc = r->count == CLASSES_MAX ? yaml_err(y, n, e, "more than %d classes", CLASSES_MAX) : read_class(y, n, &r->class[r->count++], e);
    if (rc == 0 && (r->count == 0 || !r->class[r->count - 1].otherwise))
        rc = yaml_err(y, root, e, "the last class must be the one for everything else (\"otherwise: true\")");
    return rc;
}

int remedies_load(const char *content, struct remedies **out, struct err *e)
{
    struct remedies *r = calloc(1, sizeof *r);
    char path[4096];
    int rc;

    *out = r;
    if (!r)
        return err_set(e, -ENOMEM, "no memory for recommendations");
    snprintf(path, sizeof path, "%s/policy/remedies.yaml", content);
    rc = yaml_load_file(path, &r->file, e);
    if (rc == 0)
        rc = read_all(r, e);
    if (rc < 0)
        remedies_free(out);
    return rc;
}

void remedies_free(struct remedies **r)
{
    if (!*r)
        return;
    yaml_free(&(*r)->file);
    free(*r);
    *r = NULL;
}

static bool fits(const struct class *k, const struct remedy_of *f)
{
    bool word = k->word_count == 0, port = k->port_count == 0;

    if (k->otherwise)
        return true;
    for (size_t i = 0; i < k->word_count && !word; i++)
        word = str_ifind(f->title, k->words[i]) >= 0 || str_ifind(f->description, k->words[i]) >= 0;
    for (size_t i = 0; i < k->port_count && !port; i++)
        port = f->port == k->ports[i];
    return word && port && (!k->fix || f->fixed_version.n) && (!k->cve || f->cve.n) && (k->word_count || k->port_count || k->fix || k->cve);
}

static const struct class *class_of(const struct remedies *r, const struct remedy_of *f)
{
    for (size_t i = 0; i < r->count; i++)
        if (fits(&r->class[i], f))
            return &r->class[i];
    return &r->class[r->count - 1];
}

struct str remedy_class(const struct remedies *r, const struct remedy_of *f) { return class_of(r, f)->id; }

struct str remedy_text(const struct remedies *r, const struct remedy_of *f, enum lang lang, struct arena *a)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    buf_str(&b, str_trim(class_of(r, f)->text[lang]));
    if (f->fixed_version.n) {
        json_t *args = json_pack("{s:o, s:o}", "component", json_str(f->component.n ? f->component : STR("")), "version", json_str(f->fixed_version));

        buf_byte(&b, '\n');
        buf_str(&b, str_trim(text_fill(a, r->fixed_in[lang], args)));
        json_decref(args);
    }
    if (str_trim(f->solution).n) {
        buf_byte(&b, '\n');
        buf_str(&b, r->scanner[lang]);
        buf_byte(&b, ' ');
        buf_str(&b, sv_head(str_trim(f->solution), SAID_MAX));
    }
    return arena_copy(a, buf_view(&b));
}
