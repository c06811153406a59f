/* settings.c - the list of settings, the forms of their lines, and what is expected. */
#include "agent/settings.h"

static int take_texts(struct settings *all, struct setting *s, const struct ynode *n, struct err *e)
{
    static const char *const langs[] = { "kk", "ru", "en", NULL };
    const struct ynode *title = yaml_get(n, "title");

    if (!title || title->kind != YNODE_MAP || yaml_only(all->file, title, langs, e) < 0)
        return yaml_err(all->file, n, e, "\"title\" must be a map of kk, ru and en");
    for (int i = 0; langs[i]; i++)
        if (!(s->title[i] = yaml_text(title, langs[i])).n)
            return yaml_err(all->file, title, e, "a title in each of kk, ru and en is expected");
    return 0;
}

static int take_files(struct settings *all, struct setting *s, const struct ynode *n, struct err *e)
{
    const struct ynode *files = yaml_get(n, "files");

    if (!files || files->kind != YNODE_SEQ || files->count == 0 || files->count > SETTING_FILES_MAX)
        return yaml_err(all->file, n, e, "\"files\" must be a list of 1 to %d paths", SETTING_FILES_MAX);
    for (const struct ynode *f = files->first; f; f = f->next) {
        if (f->kind != YNODE_SCALAR || !str_starts(f->text, STR("/")) || f->text.n > 255)
            return yaml_err(all->file, f, e, "a path from \"/\" on is expected, of at most 255 bytes");
        s->files[s->file_count++] = f->text;
    }
    return 0;
}

static int take_expect(struct settings *all, struct setting *s, const struct ynode *n, struct err *e)
{
    static const char *const known[] = { "is", "not", "least", "most", NULL };
    static const char *const severities[] = { "low", "medium", "high", NULL };
    const struct ynode *x = yaml_get(n, "expect");
    bool fits = false;

    s->severity = yaml_text(n, "severity");
    if (!x)
        return 0;
    if (x->kind != YNODE_MAP || x->count != 1 || yaml_only(all->file, x, known, e) < 0)
        return yaml_err(all->file, x, e, "\"expect\" is one of is: [...], not: [...], least: N, most: N");
    s->expect = x->first;
    bool list = str_eq(s->expect->text, STR("is")) || str_eq(s->expect->text, STR("not"));
    int64_t v;
    if (list ? s->expect->value->kind != YNODE_SEQ : s->expect->value->kind != YNODE_SCALAR || !str_i64(s->expect->value->text, &v))
        return yaml_err(all->file, x, e, "is and not take a list of values, least and most a number");
    for (int i = 0; severities[i]; i++)
        fits = fits || str_eq(s->severity, str_c(severities[i]));
    return fits ? 0 : yaml_err(all->file, n, e, "\"severity\" of what is not as expected is low, medium or high");
}

static int take_one(struct settings *all, const struct ynode *n, struct err *e)
{
    static const char *const known[] = { "id", "files", "form", "key", "take", "absent", "title", "severity", "expect", NULL };
    static const struct { const char *name; enum setting_form form; } forms[] = {
        { "words", SETTING_WORDS }, { "equals", SETTING_EQUALS }, { "pam", SETTING_PAM }, { "value", SETTING_VALUE },
    };
    struct setting *s = &all->items[all->count];
    struct str form, take;
    size_t i = 0;
    int rc;

    if (n->kind != YNODE_MAP)
        return yaml_err(all->file, n, e, "a setting is a map of id, files, form, key, title");
    rc = yaml_only(all->file, n, known, e);
    form = yaml_text(n, "form");
    take = yaml_text(n, "take");
    *s = (struct setting){ .id = yaml_text(n, "id"), .key = yaml_text(n, "key"), .absent = yaml_text(n, "absent"), .last = str_eq(take, STR("last")) };
    while (i < COUNT(forms) && !str_eq(form, str_c(forms[i].name)))
        i++;
    if (rc == 0 && (!s->id.n || s->id.n > 100 || settings_find(all, s->id)))
        rc = yaml_err(all->file, n, e, "\"id\" must be a text of its own");
    if (rc == 0 && i == COUNT(forms))
        rc = yaml_err(all->file, n, e, "\"form\" must be words, equals, pam or value");
    if (rc == 0 && take.n && !s->last && !str_eq(take, STR("first")))
        rc = yaml_err(all->file, n, e, "\"take\" must be first or last");
    if (rc < 0)
        return rc;
    s->form = forms[i].form;
    if (s->form != SETTING_VALUE && !s->key.n)
        return yaml_err(all->file, n, e, "this form needs a \"key\"");
    rc = take_files(all, s, n, e);
    if (rc == 0)
        rc = take_texts(all, s, n, e);
    if (rc == 0)
        rc = take_expect(all, s, n, e);
    all->count += rc == 0;
    return rc;
}

int settings_load(const char *path, struct settings **out, struct err *e)
{
    static const char *const known[] = { "settings", NULL };
    struct settings *s = calloc(1, sizeof *s);
    const struct ynode *root, *list;
    int rc = s ? yaml_load_file(path, &s->file, e) : err_set(e, -ENOMEM, "no memory for the list of settings");

    root = rc == 0 && s->file->doc_count == 1 ? s->file->docs[0] : NULL;
    list = root && root->kind == YNODE_MAP ? yaml_get(root, "settings") : NULL;
    if (rc == 0 && (!list || list->kind != YNODE_SEQ || list->count > SETTINGS_MAX))
        rc = err_set(e, -EBADMSG, "%s: \"settings\" must be a list of at most %d", path, SETTINGS_MAX);
    if (rc == 0)
        rc = yaml_only(s->file, root, known, e);
    for (const struct ynode *n = rc == 0 ? list->first : NULL; n && rc == 0; n = n->next)
        rc = take_one(s, n, e);
    if (rc < 0)
        settings_free(&s);
    *out = s;
    return rc;
}

void settings_free(struct settings **s)
{
    if (!*s)
        return;
    yaml_free(&(*s)->file);
    free(*s);
    *s = NULL;
}

const struct setting *settings_find(const struct settings *s, struct str id)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->items[i].id, id))
            return &s->items[i];
    return NULL;
}

/* --- lines --- */

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* word - the next word of a line of words; a quoted one without its quotes. */
static struct str word(struct str *line)
{
    size_t n = 0;

    *line = str_trim(*line);
    if (line->n && line->p[0] == '"') {
        ptrdiff_t end = str_chr(str_cut(*line, 1), '"');
        struct str w = end < 0 ? str_cut(*line, 1) : str_of(line->p + 1, (size_t)end);

        *line = end < 0 ? str_of(NULL, 0) : str_cut(*line, (size_t)end + 2);
        return w;
    }
    while (n < line->n && !blank(line->p[n]) && line->p[n] != '=')
        n++;
    struct str w = str_of(line->p, n);
    *line = str_cut(*line, n);
    return w;
}

/* line_value - the value if this line is about the key. */
static bool line_value(const struct setting *s, struct str line, struct str *value)
{
    struct str key;

    line = str_trim(line);
    if (!line.n || line.p[0] == '#' || line.p[0] == ';')
        return false;
    if (s->form == SETTING_PAM) {
        ptrdiff_t at = str_find(line, s->key);

        if (at <= 0 || !(blank(line.p[at - 1]) || line.p[at - 1] == '/'))
            return false;
        *value = line;
        return true;
    }
    if (s->form == SETTING_EQUALS) {
        ptrdiff_t eq = str_chr(line, '=');

        if (eq < 0 || !str_ieq(str_trim(str_of(line.p, (size_t)eq)), s->key))
            return false;
        *value = str_trim(str_cut(line, (size_t)eq + 1));
        return true;
    }
    key = word(&line);
    if (!str_ieq(key, s->key))
        return false;
    line = str_trim(line);
    if (line.n && line.p[0] == '=')
        line = str_trim(str_cut(line, 1));
    *value = line.n && line.p[0] == '"' ? word(&line) : line;
    return true;
}

/* A block of conditions (sshd_config's Match) holds for some connections alone: what stands behind it is not the host's setting. */
static bool conditional(const struct setting *s, struct str line)
{
    line = str_trim(line);
    return s->form == SETTING_WORDS && line.n > 5 && str_ieq(str_of(line.p, 5), STR("match")) && blank(line.p[5]);
}

bool setting_in(const struct setting *s, struct str text, struct str *value)
{
    struct str rest = text, line;
    bool found = false;

    if (s->form == SETTING_VALUE) {
        *value = str_trim(text);
        return true;
    }
    while (str_split(&rest, '\n', &line)) {
        if (conditional(s, line))
            break;
        if (line_value(s, line, value)) {
            found = true;
            if (!s->last)
                break;
        }
    }
    return found;
}

/* --- judging --- */

const char *setting_verdict_name(enum setting_verdict v)
{
    static const char *const names[] = { "told", "expected", "otherwise", "unknown" };

    return names[v];
}

enum setting_verdict setting_judge(const struct setting *s, bool known, struct str value)
{
    struct str how;
    int64_t want, have;
    bool among = false;

    if (!s->expect)
        return SETTING_TOLD;
    if (!known)
        return SETTING_UNKNOWN;
    how = s->expect->text;
    if (str_eq(how, STR("least")) || str_eq(how, STR("most"))) {
        if (!str_i64(s->expect->value->text, &want) || !str_i64(str_trim(value), &have))
            return SETTING_OTHERWISE;
        return (how.p[0] == 'l' ? have >= want : have <= want) ? SETTING_AS_EXPECTED : SETTING_OTHERWISE;
    }
    for (const struct ynode *n = s->expect->value->first; n; n = n->next)
        among = among || str_ieq(n->text, value) || (s->form == SETTING_PAM && str_find(value, n->text) >= 0);
    return among == str_eq(how, STR("is")) ? SETTING_AS_EXPECTED : SETTING_OTHERWISE;
}

void setting_expected(const struct setting *s, struct buf *out)
{
    const struct ynode *x = s->expect;
    const char *glue = "";

    if (!x)
        return;
    buf_str(out, str_eq(x->text, STR("least")) ? STR("\u2265 ") : str_eq(x->text, STR("most")) ? STR("\u2264 ") : str_eq(x->text, STR("not")) ? STR("\u2260 ") : STR(""));
    if (x->value->kind == YNODE_SCALAR)
        buf_str(out, x->value->text);
    for (const struct ynode *n = x->value->kind == YNODE_SEQ ? x->value->first : NULL; n; n = n->next, glue = " | ")
        buf_printf(out, "%s%.*s", glue, STR_ARG(n->text));
}
