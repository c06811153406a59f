/* values.c - the values of a form: set, found, read from JSON and written, and what is missing. */
#include "forms/internal.h"

const struct form_value *form_value_find(const struct form_values *vs, struct str id)
{
    for (size_t i = 0; i < vs->count; i++)
        if (str_eq(vs->v[i].id, id))
            return &vs->v[i];
    return NULL;
}

static bool put(struct form_values *vs, struct form_value v)
{
    for (size_t i = 0; i < vs->count; i++)
        if (str_eq(vs->v[i].id, v.id)) {
            vs->v[i] = v;
            return true;
        }
    if (vs->count == FORM_VALUES_MAX)
        return false;
    vs->v[vs->count++] = v;
    return true;
}

bool form_set_text(struct form_values *vs, struct str id, struct str text)
{
    return put(vs, (struct form_value){ .id = id, .kind = FORM_TEXT, .text = text });
}

bool form_set_list(struct form_values *vs, struct str id, const struct str *list, size_t count)
{
    return put(vs, (struct form_value){ .id = id, .kind = FORM_LIST, .list = list, .count = count });
}

bool form_set_instant(struct form_values *vs, struct str id, time_ns at)
{
    return put(vs, (struct form_value){ .id = id, .kind = FORM_INSTANT, .at = at });
}

bool form_set_no_data(struct form_values *vs, struct str id)
{
    return put(vs, (struct form_value){ .id = id, .kind = FORM_NO_DATA });
}

static int refuse(const struct reading *r, const char *why)
{
    return err_set(r->e, -EBADMSG, "field \"%.*s\": %s", STR_ARG(r->f->id), why);
}

static struct str json_text(const json_t *j)
{
    return str_of(json_string_value(j), json_string_length(j));
}

static int read_moment(const struct reading *r, struct str s, struct form_value *v)
{
    struct duty_start start;

    if (duty_start_parse(s, r->w->zone, &start, NULL) < 0)
        return refuse(r, "a moment such as 2026-03-20T23:50+05:00 is expected");
    if (start.date && r->f->type == FIELD_INSTANT)
        return refuse(r, "the time of day is missing: 2026-03-20T23:50+05:00 is expected");
    v->kind = FORM_INSTANT;
    v->at = start.at;
    return 0;
}

static int check_value(const struct reading *r, struct str id)
{
    if (enumeration_value(r->f->values, id))
        return 0;
    return err_set(r->e, -EBADMSG, "field \"%.*s\": \"%.*s\" is none of its values", STR_ARG(r->f->id), STR_ARG(id));
}

static int read_text(const struct reading *r, struct str s, struct form_value *v)
{
    uint64_t n;

    s = r->f->type == FIELD_TEXT ? s : str_trim(s);
    if (str_trim(s).n == 0)
        return 0;
    if (r->f->type == FIELD_DATE || r->f->type == FIELD_INSTANT)
        return read_moment(r, s, v);
    if (r->f->type == FIELD_NUMBER && !str_u64(s, &n))
        return refuse(r, "a whole number is expected");
    if (r->f->type == FIELD_ENUM && check_value(r, s) < 0)
        return -EBADMSG;
    v->kind = FORM_TEXT;
    v->text = arena_copy(r->a, s);
    return v->text.p ? 0 : err_set(r->e, -ENOMEM, "no memory for the form");
}

/* read_ioc - {"type":"ip","value":"203.0.113.7"} as the text "ip 203.0.113.7". */
static int read_ioc(const struct reading *r, const json_t *j, struct str *out)
{
    const json_t *type = json_object_get(j, "type"), *value = json_object_get(j, "value");
    struct str kind, text;
    char *p;

    *out = (struct str){ NULL, 0 };
    if (json_object_size(j) != 2 || !json_is_string(type) || !json_is_string(value))
        return refuse(r, "an indicator is {\"type\":\"ip\",\"value\":\"203.0.113.7\"}");
    kind = json_text(type);
    text = json_text(value);
    if (check_value(r, kind) < 0)
        return -EBADMSG;
    if (str_trim(text).n == 0)
        return refuse(r, "an indicator without a value");
    p = arena_alloc(r->a, kind.n + 1 + text.n);
    if (!p)
        return err_set(r->e, -ENOMEM, "no memory for the form");
    memcpy(p, kind.p, kind.n);
    p[kind.n] = ' ';
    memcpy(p + kind.n + 1, text.p, text.n);
    *out = str_of(p, kind.n + 1 + text.n);
    return 0;
}

/* read_entry - one entry of a list; an empty one is left out (out->n is 0). */
static int read_entry(const struct reading *r, const json_t *j, struct str *out)
{
    if (r->f->type == FIELD_IOCS)
        return read_ioc(r, j, out);
    *out = (struct str){ NULL, 0 };
    if (!json_is_string(j))
        return refuse(r, "a list of texts is expected");
    if (str_trim(json_text(j)).n == 0)
        return 0;
    *out = arena_copy(r->a, json_text(j));
    return out->p ? 0 : err_set(r->e, -ENOMEM, "no memory for the form");
}

static bool is_list(const struct form_field *f)
{
    return f->type == FIELD_LIST || f->type == FIELD_ENUMS || f->type == FIELD_IOCS;
}

static int check_list(const struct reading *r, const struct str *list, size_t count)
{
    for (size_t i = 0; r->f->type == FIELD_ENUMS && i < count; i++) {
        int rc = check_value(r, list[i]);

        if (rc < 0)
            return rc;
        if (count > 1 && enumeration_value(r->f->values, list[i])->exclusive)
            return err_set(r->e, -EBADMSG, "field \"%.*s\": \"%.*s\" stands alone, without others", STR_ARG(r->f->id),
                           STR_ARG(list[i]));
        for (size_t k = 0; k < i; k++)
            if (str_eq(list[k], list[i]))
                return refuse(r, "a value stands twice");
    }
    return 0;
}

static int read_list(const struct reading *r, const json_t *j, struct form_value *v)
{
    bool one = !json_is_array(j);
    size_t n = one ? 1 : json_array_size(j), count = 0;
    struct str *list;

    if (n > FORM_LIST_MAX)
        return err_set(r->e, -E2BIG, "field \"%.*s\": more than %d entries", STR_ARG(r->f->id), FORM_LIST_MAX);
    list = arena_array(r->a, n + 1, sizeof *list);
    if (!list)
        return err_set(r->e, -ENOMEM, "no memory for the form");
    for (size_t i = 0; i < n; i++) {
        int rc = read_entry(r, one ? j : json_array_get(j, i), &list[count]);

        if (rc < 0)
            return rc;
        count += list[count].n > 0;
    }
    v->kind = count ? FORM_LIST : FORM_EMPTY;
    v->list = list;
    v->count = count;
    return check_list(r, list, count);
}

static int read_value(const struct reading *r, const json_t *j, struct form_value *v)
{
    if (r->f->type == FIELD_GROUP)
        return json_is_null(j) ? 0 : refuse(r, "a heading has no value of its own");
    if (json_is_null(j))
        return 0;
    /* A text alone stands for the whole: forms filled before parts were told apart. */
    if ((r->f->type == FIELD_PARTS || r->f->type == FIELD_TABLE) && !json_is_string(j) && !(json_is_array(j) && json_is_string(json_array_get(j, 0))))
        return form_cells_read(r, j, v);
    if (r->f->type == FIELD_TABLE && json_is_array(j))
        return read_list(r, j, v);
    if (r->f->type == FIELD_BOOL && json_is_boolean(j)) {
        v->kind = FORM_TEXT;
        v->text = json_is_true(j) ? STR("true") : STR("false");
        return 0;
    }
    if (r->f->type == FIELD_BOOL)
        return refuse(r, "true or false is expected");
    if (is_list(r->f) && (r->f->type == FIELD_IOCS || !json_is_object(j)))
        return read_list(r, j, v);
    if (json_is_object(j)) {
        if (json_object_size(j) != 1 || !json_is_true(json_object_get(j, "no_data")))
            return refuse(r, "a text, a list, null or {\"no_data\":true} is expected");
        if (r->f->presence != FIELD_REQUIRED_OR_NO_DATA && r->f->presence != FIELD_IF_IN_LOG)
            return refuse(r, "\"no data in the log\" is no answer here");
        v->kind = FORM_NO_DATA;
        return 0;
    }
    if (json_is_array(j))
        return refuse(r, "one value is expected, not a list");
    if (json_is_integer(j))
        return read_text(r, arena_printf(r->a, "%lld", (long long)json_integer_value(j)), v);
    if (!json_is_string(j))
        return refuse(r, "a text is expected");
    return read_text(r, json_text(j), v);
}

static int read_object(const struct duty_world *w, const struct form *f, json_t *root, struct arena *a,
                       struct form_values *out, struct err *e)
{
    const char *key;
    json_t *j;

    if (!json_is_object(root))
        return err_set(e, -EBADMSG, "an object of fields and values is expected");
    json_object_foreach(root, key, j) {
        const struct form_field *field = form_field_find(f, str_c(key));
        struct reading r = { w, field, a, e };
        struct form_value v = { .kind = FORM_EMPTY };
        int rc;

        if (!field)
            return err_set(e, -EBADMSG, "form \"%.*s\" has no field \"%s\"", STR_ARG(f->id), key);
        v.id = field->id;
        rc = read_value(&r, j, &v);
        if (rc < 0)
            return rc;
        if (v.kind != FORM_EMPTY && !put(out, v))
            return err_set(e, -E2BIG, "more than %d values", FORM_VALUES_MAX);
    }
    return 0;
}

int forms_values_read(const struct duty_world *w, const struct form *f, struct str json, struct arena *a,
                      struct form_values *out, struct err *e)
{
    json_error_t je;
    json_t *root;
    int rc;

    out->count = 0;
    if (json.n > FORM_JSON_MAX)
        return err_set(e, -E2BIG, "the form is larger than %u bytes", FORM_JSON_MAX);
    root = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
    if (!root)
        return err_line(e, -EBADMSG, "form", je.line, je.column, "%s", je.text);
    rc = read_object(w, f, root, a, out, e);
    json_decref(root);
    if (rc < 0)
        out->count = 0;
    return rc;
}

static void write_entry(const struct form_field *f, struct str s, struct buf *out)
{
    ptrdiff_t space = f->type == FIELD_IOCS ? str_chr(s, ' ') : -1;

    if (space < 0) {
        buf_json(out, s);
        return;
    }
    buf_str(out, STR("{\"type\":"));
    buf_json(out, str_of(s.p, (size_t)space));
    buf_str(out, STR(",\"value\":"));
    buf_json(out, str_cut(s, (size_t)space + 1));
    buf_byte(out, '}');
}

void form_value_write(const struct duty_world *w, const struct form_field *f, const struct form_value *v, struct buf *out)
{
    char text[TIME_TEXT_MAX];

    switch (v ? v->kind : FORM_EMPTY) {
    case FORM_EMPTY:
        buf_str(out, STR("null"));
        break;
    case FORM_TEXT:
        if (f->type == FIELD_BOOL)
            buf_str(out, v->text);
        else
            buf_json(out, v->text);
        break;
    case FORM_CELLS:
        buf_str(out, v->text);
        break;
    case FORM_INSTANT:
        duty_rfc3339(w, v->at, text);
        buf_json(out, f->type == FIELD_DATE ? str_of(text, 10) : str_c(text));
        break;
    case FORM_NO_DATA:
        buf_str(out, STR("{\"no_data\":true}"));
        break;
    case FORM_LIST:
        buf_byte(out, '[');
        for (size_t i = 0; i < v->count; i++) {
            if (i)
                buf_byte(out, ',');
            write_entry(f, v->list[i], out);
        }
        buf_byte(out, ']');
        break;
    }
}

void forms_values_write(const struct duty_world *w, const struct form *f, const struct form_values *vs, struct buf *out)
{
    bool first = true;

    buf_byte(out, '{');
    for (size_t i = 0; i < f->field_count + f->extra_count; i++) {
        const struct form_field *field = i < f->field_count ? &f->fields[i] : &f->extras[i - f->field_count];
        const struct form_value *v = form_value_find(vs, field->id);

        if (!v || v->kind == FORM_EMPTY)
            continue;
        if (!first)
            buf_byte(out, ',');
        first = false;
        buf_json(out, field->id);
        buf_byte(out, ':');
        form_value_write(w, field, v, out);
    }
    buf_byte(out, '}');
}

static bool answered(const struct form_field *f, const struct form_value *v)
{
    if (!v)
        return false;
    if (v->kind == FORM_CELLS)
        return form_cells_answered(f, v);
    if (v->kind == FORM_TEXT)
        return str_trim(v->text).n > 0;
    return v->kind == FORM_INSTANT || (v->kind == FORM_LIST && v->count > 0);
}

size_t forms_missing(const struct form *f, const struct form_values *vs, const struct form_field **out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < f->field_count + f->extra_count; i++) {
        const struct form_field *field = i < f->field_count ? &f->fields[i] : &f->extras[i - f->field_count];

        if (field->type == FIELD_GROUP || field->presence != FIELD_REQUIRED || answered(field, form_value_find(vs, field->id)))
            continue;
        if (n < max)
            out[n] = field;
        n++;
    }
    return n;
}
