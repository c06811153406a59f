/* forms_json.c - enemy of forms: any bytes as the values of a form, as a browser or a log may bring them. The first byte
 * picks the form. What is accepted must survive writing and reading, must print as valid UTF-8, and must become JSON. */
#include "forms/forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* open_world - the real edition, loaded once; where it is not found there is nothing to test. */
static const struct duty_world *open_world(const struct catalog **catalog)
{
    static struct duty_world w;
    static struct catalog *c;
    static bool tried;
    const char *root = getenv("SAQSHY_SOURCE");
    char path[4096];
    struct err e;

    if (!tried) {
        tried = true;
        snprintf(path, sizeof path, "%s/content", root ? root : ".");
        if (duty_world_load(path, "kz-52-2025", "Asia/Almaty", &w, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            abort();
        }
        snprintf(path, sizeof path, "%s/content/i18n", root ? root : ".");
        if (catalog_load(path, &c, &e) < 0)
            abort();
    }
    *catalog = c;
    return &w;
}

static void render(const struct duty_world *w, const struct catalog *c, const struct form *f, const struct form_values *vs,
                   struct arena *a)
{
    struct form_document d = { .world = w, .catalog = c, .form = f, .values = vs, .case_number = STR("1"),
                               .langs = { LANG_KK, LANG_RU }, .lang_count = 2 };
    AUTO_BUF struct buf out;

    buf_init(&out, 0);
    if (forms_render_json(&d, &out, NULL) < 0)
        abort();
    for (size_t i = 0; i < f->field_count; i++)
        if (!str_utf8_valid(forms_value_text(&d, &f->fields[i], LANG_KK, a)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct catalog *c;
    const struct duty_world *w = open_world(&c);
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf again;
    struct form_values vs, twice;
    const struct form *f;
    bool cut;

    if (!size)
        return 0;
    f = &w->edition->forms[data[0] % w->edition->form_count];
    arena_init(&a, 0);
    buf_init(&again, 0);
    if (!str_utf8_valid(forms_safe_text(str_of((const char *)data, size), &cut, &a)))
        abort();
    if (forms_values_read(w, f, str_of((const char *)data + 1, size - 1), &a, &vs, NULL) < 0)
        return 0;
    forms_values_write(w, f, &vs, &again);
    if (forms_values_read(w, f, buf_view(&again), &a, &twice, NULL) < 0 || twice.count != vs.count)
        abort();
    (void)forms_missing(f, &vs, NULL, 0);
    render(w, c, f, &vs, &a);
    return 0;
}
