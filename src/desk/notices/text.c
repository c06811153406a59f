/* text.c - the letter of a notice: who tells whom, what, and the whole form, so that a mail gateway which drops attachments drops nothing that
 * matters (context.md, section 7). Plain text, no markup. */
#include "desk/notices/room.h"

#define BODY_MAX (768u * KIB)

static struct str say(struct call *c, enum lang lang, const char *key) { return catalog_text(c->d->setup.catalog, lang, key); }

struct str tlp_mark(struct call *c, struct str tlp)
{
    struct str s = arena_printf(&c->a, "TLP:%.*s", STR_ARG(tlp.n ? tlp : STR("amber")));
    char *p = (char *)(uintptr_t)s.p;

    for (size_t i = 4; i < s.n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 'a' + 'A');
    return s;
}

struct str notice_subject_line(struct call *c, const struct notice_made *m, enum lang lang)
{
    struct str title = m->n->title.n ? m->n->title : m->form->title.text[lang];

    return arena_printf(&c->a, "[%.*s] %s %.*s", STR_ARG(tlp_mark(c, str_c(m->n->tlp ? m->n->tlp : ""))), m->number, (int)min_size(title.n, 300), title.p);
}

static void head_line(struct call *c, struct buf *b, enum lang lang, const char *key, struct str value)
{
    if (value.n)
        buf_printf(b, "%.*s: %.*s\n", STR_ARG(say(c, lang, key)), STR_ARG(value));
}

static struct str object_name(struct call *c, const struct notice_made *m)
{
    sqlite3_stmt *st = m->n->about->object_id.p ? db_query(c->d, c->e, "SELECT name FROM object WHERE id = ?", "t", m->n->about->object_id) : NULL;
    struct str name = { NULL, 0 };

    if (st && db_step(c->d, st, c->e) > 0) {
        name = forms_safe_text(db_str(st, 0), NULL, &c->a);
        db_done(st);
    }
    return name;
}

static void head(struct call *c, const struct notice_made *m, enum lang lang, struct buf *b)
{
    struct str title = m->n->title.n ? m->n->title : m->form->title.text[lang];

    buf_printf(b, "%.*s\n%.*s\n\n", STR_ARG(tlp_mark(c, str_c(m->n->tlp ? m->n->tlp : ""))), STR_ARG(title));
    head_line(c, b, lang, "notice.letter.number", str_c(m->number));
    head_line(c, b, lang, "notice.letter.made", duty_time_text(c->d->setup.world, c->now, true, &c->a));
    head_line(c, b, lang, "notice.letter.paragraph", str_c(m->n->paragraph));
    head_line(c, b, lang, "notice.letter.from", m->sender_name);
    for (size_t i = 0; i < m->n->org_count; i++)
        head_line(c, b, lang, "notice.letter.to", m->to_name[i]);
    head_line(c, b, lang, "notice.letter.object", object_name(c, m));
    if (m->n->corrects)
        head_line(c, b, lang, "notice.letter.corrects", str_trim(m->n->reason));
    if (m->n->text.n)
        buf_printf(b, "\n%.*s\n", (int)m->n->text.n, m->n->text.p);
}

static void form_fields(const struct form_document *d, const struct form_field *f, size_t count, enum lang lang, struct arena *a, struct buf *b)
{
    for (size_t i = 0; i < count; i++) {
        struct str value = forms_value_text(d, &f[i], lang, a), label = f[i].label.text[lang];

        buf_printf(b, "%.*s%s%.*s", STR_ARG(f[i].number), f[i].number.n ? ". " : "", STR_ARG(label));
        if (f[i].type == FIELD_GROUP)
            buf_byte(b, '\n');
        else if (str_chr(value, '\n') >= 0)
            buf_printf(b, ":\n%.*s\n", (int)value.n, value.p);
        else
            buf_printf(b, ": %.*s\n", (int)value.n, value.n ? value.p : "–");
    }
}

void notice_form_text(struct call *c, const struct duty_world *w, const struct form *form, const struct form_values *values, enum lang lang,
                      struct buf *b)
{
    struct form_document d = { .world = w, .catalog = c->d->setup.catalog, .form = form, .values = values, .produced_at = c->now,
                               .langs = { lang }, .lang_count = 1 };

    buf_printf(b, "%.*s\n", STR_ARG(form->title.text[lang]));
    if (form->annex)
        buf_printf(b, "(%.*s)\n", STR_ARG(form->heading.text[lang]));
    buf_byte(b, '\n');
    form_fields(&d, form->fields, form->field_count, lang, &c->a, b);
    form_fields(&d, form->extras, form->extra_count, lang, &c->a, b);
}

struct str name_shown(struct call *c, struct str stored)
{
    for (enum lang l = 0; c->v && stored.n && l < LANG_COUNT; l++)
        if (str_eq(stored, say(c, l, "case.inbox.centre")))
            return say(c, c->v->lang, "case.inbox.centre");
    return stored;
}

struct str title_shown(struct call *c, struct str title, struct str form, struct str edition)
{
    const struct edition *ed = c->v && form.n ? duty_edition(c->d->setup.world, edition) : NULL;
    const struct form *f = ed ? edition_form(ed, form) : NULL;

    return f && str_eq(title, f->title.text[LANG_KK]) ? f->title.text[c->v->lang] : title;
}

struct str notice_body(struct call *c, const struct notice_made *m, enum lang first)
{
    /* Kazakh and Russian are the languages of documents; whoever reads English has it before them. */
    const enum lang order[] = { first, first == LANG_KK ? LANG_RU : LANG_KK, LANG_RU };
    const size_t langs = first == LANG_EN ? 3 : 2;
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, BODY_MAX);
    for (size_t i = 0; i < langs; i++) {
        if (i)
            buf_str(&b, STR("\n-----\n\n"));
        head(c, m, order[i], &b);
        if (m->n->form) {
            buf_byte(&b, '\n');
            notice_form_text(c, &m->world, m->form, m->values, order[i], &b);
        }
    }
    buf_printf(&b, "\nSaqshy: %s\nSHA-256: %s\n", c->d->setup.node->public_url, m->sha256);
    return arena_copy(&c->a, buf_view(&b));
}
