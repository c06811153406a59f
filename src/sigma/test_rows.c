/* test_rows.c - see test_rows.h. */
#include "sigma/test_rows.h"
#include "base/file.h"

#define RULE_TEXT_MAX 4096

static void field_from(struct event_batch *b, struct event *ev, struct str name, struct str value, bool null)
{
    char *copy = arena_alloc(&b->arena, value.n + 1);

    assert_non_null(copy);
    for (size_t i = 0; i < value.n; i++)
        copy[i] = value.p[i] == '\r' ? '\n' : value.p[i];
    assert_int_equal(event_add(ev, &b->arena, name, STR("-")), 0);   /* event_add would leave an empty one out */
    ev->fields[ev->field_count - 1].value = null ? (struct str){ NULL, 0 } : str_of(copy, value.n);
}

struct one_set one_set(const char *text)
{
    struct one_set o = { .s = NULL };
    struct err e;

    event_batch_init(&o.b, 0);
    assert_int_equal(sigma_compile(&(struct sigma_source){ STR("r.yml"), str_c(text) }, 1, &o.s, &e), 0);
    if (sigma_refusal_count(o.s))
        fail_msg("%.*s", STR_ARG(sigma_refusal_at(o.s, 0)->reason));
    assert_int_equal(sigma_run_new(o.s, false, &o.run, &e), 0);
    return o;
}

void one_set_free(struct one_set *o)
{
    sigma_run_free(&o->run);
    sigma_free(&o->s);
    event_batch_free(&o->b);
}

void event_from(struct event_batch *b, const char *text)
{
    struct str rest = str_c(text), line;
    struct event *ev;
    uint64_t seconds;

    event_batch_reset(b);
    ev = event_batch_add(b);
    ev->seq = 1;
    ev->class = CLASS_OS_UNIX;
    while (rest.n && str_split(&rest, '\n', &line)) {
        ptrdiff_t eq = str_chr(line, '=');
        struct str name = str_of(line.p, eq < 0 ? line.n : (size_t)eq), value = str_cut(line, name.n + 1);

        if (str_eq(name, STR("class")))
            ev->class = event_class_parse(value);
        else if (str_eq(name, STR("parser")))
            ev->parser = value;
        else if (str_eq(name, STR("original")))
            ev->original = value;
        else if (str_eq(name, STR("time")) && str_u64(value, &seconds))
            ev->time = ev->received = (time_ns)seconds * NS_PER_SECOND;
        else
            field_from(b, ev, name, value, eq < 0);
    }
}

/* matches_of - rules of these sources that match the event. */
static int matches_of(const char *name, struct sigma *s, const char *event)
{
    const struct sigma_match *m;
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct err e = { 0 };
    bool remembers = false;
    int first, again;

    event_batch_init(&b, 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    event_from(&b, event);
    first = sigma_run_event(run, b.items, false, &m, &e);
    again = sigma_run_event(run, b.items, false, &m, &e);   /* nothing is left behind by the first look */
    for (size_t i = 0; i < sigma_rule_count(s); i++)
        remembers = remembers || sigma_rule_at(s, i)->correlation;
    CHECK(name, first == again || remembers);
    sigma_run_free(&run);
    event_batch_free(&b);
    return first;
}

static void row_holds(const struct row *r, struct sigma_source *sources, size_t others)
{
    char text[RULE_TEXT_MAX];
    struct sigma *s = NULL;
    struct err e = { 0 };

    snprintf(text, sizeof text, "title: t\nid: r\nlogsource: {product: linux}\ndetection:\n  %s\n%s", r->detection,
             strstr(r->detection, "condition:") ? "" : "  condition: s\n");
    sources[others] = (struct sigma_source){ STR("r.yml"), str_c(text) };
    assert_int_equal(sigma_compile(sources, others + 1, &s, &e), 0);
    if (sigma_refusal_count(s))
        fail_msg("row \"%s\": refused: %.*s", r->name, STR_ARG(sigma_refusal_at(s, 0)->reason));
    CHECK(r->name, matches_of(r->name, s, r->event) == r->match);
    sigma_free(&s);
}

void rows_hold(const struct row *rows, size_t count)
{
    struct sigma_source source[1];

    for (size_t i = 0; i < count; i++)
        row_holds(&rows[i], source, 0);
}

void mapped_rows_hold(const struct row *rows, size_t count)
{
    const char *root = getenv("SAQSHY_SOURCE");
    struct sigma_source sources[64];
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf b;
    struct str *files;
    char path[4096];
    size_t n;
    struct err e;

    arena_init(&a, 0);
    buf_init(&b, 0);
    snprintf(path, sizeof path, "%s/content/pipelines", root ? root : ".");
    assert_int_equal(sigma_files(path, &a, &files, &n, &e), 0);
    assert_in_range(n, 1, COUNT(sources) - 1);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(file_read(files[i].p, MIB, &b, &e), 0);
        sources[i] = (struct sigma_source){ files[i], arena_copy(&a, buf_view(&b)) };
    }
    for (size_t i = 0; i < count; i++)
        row_holds(&rows[i], sources, n);
}

static void remarks_hold(const struct files_row *r, const struct sigma *s)
{
    bool found = r->remark == NULL && sigma_remark_count(s) == 0;

    for (size_t i = 0; i < sigma_remark_count(s); i++) {
        print_message("%s: remark: %.*s\n", r->name, STR_ARG(sigma_remark_at(s, i)->text));
        found = found || (r->remark && str_find(sigma_remark_at(s, i)->text, str_c(r->remark)) >= 0);
    }
    CHECK(r->name, found);
}

void files_hold(const struct files_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct files_row *r = &rows[i];
        struct sigma_source src[COUNT(r->files)];
        size_t files = 0;
        struct sigma *s = NULL;
        struct err e = { 0 };

        for (; files < COUNT(r->files) && r->files[files]; files++)
            src[files] = (struct sigma_source){ files == 0 ? STR("0.yml") : files == 1 ? STR("1.yml") : STR("2.yml"), str_c(r->files[files]) };
        assert_int_equal(sigma_compile(src, files, &s, &e), 0);
        if (sigma_refusal_count(s))
            fail_msg("row \"%s\": refused: %.*s:%d: %.*s", r->name, STR_ARG(sigma_refusal_at(s, 0)->file), sigma_refusal_at(s, 0)->line,
                     STR_ARG(sigma_refusal_at(s, 0)->reason));
        if (matches_of(r->name, s, r->event) != r->matches)
            fail_msg("row \"%s\": %d rules match, not %d", r->name, matches_of(r->name, s, r->event), r->matches);
        remarks_hold(r, s);
        sigma_free(&s);
    }
}

void refusals_hold(const struct refused_row *rows, size_t count)
{
    static const char good[] = "title: good\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n";

    for (size_t i = 0; i < count; i++) {
        struct sigma_source src[3] = { { STR("1.yml"), str_c(good) }, { STR("bad.yml"), str_c(rows[i].text) }, { STR("3.yml"), str_c(good) } };
        const struct sigma_refusal *r;
        struct sigma *s = NULL;
        struct err e;

        assert_int_equal(sigma_compile(src, 3, &s, &e), 0);
        CHECK(rows[i].name, sigma_rule_count(s) == 2);
        CHECK(rows[i].name, sigma_refusal_count(s) == 1);
        r = sigma_refusal_at(s, 0);
        if (r->line != rows[i].line || r->column != rows[i].column || r->verdict != rows[i].verdict ||
            str_find(r->reason, str_c(rows[i].reason)) < 0)
            fail_msg("row \"%s\": %d:%d %d %.*s", rows[i].name, r->line, r->column, r->verdict, STR_ARG(r->reason));
        CHECK(rows[i].name, str_eq(r->file, STR("bad.yml")));
        sigma_free(&s);
    }
}

void points_take(struct points *p, char letter, const char *name, bool match)
{
    struct str number = str_of(name + 1, strcspn(name + 1, " :"));
    uint64_t n;

    if (name[0] == letter && str_u64(number, &n) && n < COUNT(p->yes))
        *(match ? &p->yes[n] : &p->no[n]) = true;
}

void points_have_both(const struct points *p, char letter, unsigned first, unsigned last)
{
    for (unsigned n = first; n <= last; n++)
        if (!p->yes[n] || !p->no[n])
            fail_msg("%c%u has no row that %s", letter, n, p->yes[n] ? "does not match" : "matches");
}
