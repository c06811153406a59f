/* evtx_run.c - the walk along compiled steps: the text of a record, and its fields as views into that text.
 *
 * What is running stands on a stack of frames: a row of steps with its values, or bytes of binary XML (a record, or a value that
 * holds elements) of which the next token is to be looked at. A frame that ends writes the markup that closes it. */
#include "parse/evtx_internal.h"
#include "parse/internal.h"

#define FRAGMENT_HEAD 3u /* behind its token: version and flags */

struct frame {
    const struct step *step; /* NULL: bytes */
    uint32_t first, count;   /* values */
    uint32_t value_top;      /* what the record had before */
    struct reader bytes;
    enum win_place place;
    struct str close;
};

struct run {
    struct evtx *x;
    struct frame stack[EVTX_NEST_MAX];
    size_t depth;
    size_t begun;     /* where the content of several pieces starts in the text */
};

static bool fail(struct run *run, const char *why)
{
    run->x->trouble = why;
    return false;
}

/* --- fields --- */

static struct str counted_name(struct evtx *x)
{
    static const struct str first[] = { STR_INIT(WIN_EVENT_DATA "param1"), STR_INIT(WIN_EVENT_DATA "param2"),
                                        STR_INIT(WIN_EVENT_DATA "param3"), STR_INIT(WIN_EVENT_DATA "param4"),
                                        STR_INIT(WIN_EVENT_DATA "param5"), STR_INIT(WIN_EVENT_DATA "param6"),
                                        STR_INIT(WIN_EVENT_DATA "param7"), STR_INIT(WIN_EVENT_DATA "param8") };
    uint32_t n = x->params++;

    return n < COUNT(first) ? first[n] : arena_printf(&x->scratch, WIN_EVENT_DATA "param%u", n + 1);
}

static struct str field_name(struct evtx *x, const struct step *s)
{
    if (s->naming == BY_COUNT)
        return counted_name(x);
    if (s->naming == BY_NAME)
        return x->data_name.n ? arena_printf(&x->scratch, WIN_EVENT_DATA "%.*s", (int)min_size(x->data_name.n, EVENT_NAME_MAX / 2), x->data_name.p)
                              : counted_name(x);
    return s->field;
}

static void add_field(struct evtx *x, const struct step *s, struct str text)
{
    struct str name = field_name(x, s);

    if (s->trim)
        text = str_trim(text);
    if (name.n && (text.n || s->keep_empty))
        pairs_add(&x->pairs, name, text.n ? text : STR(""));
}

/* written - the text from on, of values of this type, is whole: it becomes markup-free in place, and a field as it was. */
static void written(struct evtx *x, const struct step *s, size_t from, uint8_t type)
{
    struct str text = str_of(x->out.p + from, x->out.n - from);

    if (!value_is_plain(type) && markup_in(text)) {
        text = arena_copy(&x->scratch, text);
        out_escaped(&x->out, from);
    }
    if (s->says_name)
        x->data_name = text;
    else if (type != VALUE_NULL)
        add_field(x, s, text);
}

/* --- frames --- */

static bool push(struct run *run, struct frame f)
{
    if (run->depth == EVTX_NEST_MAX)
        return fail(run, "its values nest too deep");
    f.value_top = run->x->value_count;
    run->stack[run->depth++] = f;
    return true;
}

static void pop(struct run *run)
{
    struct frame *f = &run->stack[--run->depth];

    out_str(&run->x->out, f->close);
    run->x->value_count = f->value_top;
}

/* push_xml - a value that holds binary XML. Offsets in it are the chunk's, so its reader is one of the whole chunk. */
static bool push_xml(struct run *run, struct value v, enum win_place place, struct str close)
{
    struct reader r = rd_from(run->x->chunk, (size_t)(v.p - run->x->chunk) + v.n);

    r.at = (size_t)(v.p - run->x->chunk);
    return push(run, (struct frame){ .bytes = r, .place = place, .close = close });
}

/* push_instance - at the byte behind the token of a template: its values, and its steps. */
static bool push_instance(struct run *run, struct reader *r, enum win_place place)
{
    struct evtx *x = run->x;
    uint32_t top = x->value_count;
    struct instance in;
    const struct step *steps;

    if (!instance_read(x, r, &in))
        return false;
    steps = compile_template(x, &in, place);
    if (!steps || !push(run, (struct frame){ .step = steps, .first = in.first, .count = in.count }))
        return false;
    run->stack[run->depth - 1].value_top = top;
    return true;
}

/* --- steps --- */

static struct value value_at(const struct run *run, const struct frame *f, uint16_t index)
{
    return index < f->count ? run->x->values[f->first + index] : (struct value){ NULL, 0, VALUE_NULL };
}

static bool is_array(struct value v) { return v.type & VALUE_ARRAY; }

/* put_value - as one text, whatever it is: the items of an array are parted by line ends. */
static void put_value(struct evtx *x, struct value v)
{
    struct value item;

    if (!is_array(v)) {
        out_value(&x->out, v, &x->scratch);
        return;
    }
    for (bool first = true; value_item(&v, &item); first = false) {
        if (!first)
            out_bytes(&x->out, "\n", 1);
        out_value(&x->out, item, &x->scratch);
    }
}

/* repeated - an element whose value is an array stands once for each item. */
static void repeated(struct evtx *x, const struct step *s, struct value v)
{
    struct value item;

    while (value_item(&v, &item) && !x->out.full) {
        size_t from;

        x->steps++;
        out_str(&x->out, s->open);
        from = x->out.n;
        out_value(&x->out, item, &x->scratch);
        written(x, s, from, item.type);
        out_str(&x->out, s->close);
    }
}

static bool element(struct run *run, const struct step *s, struct value v)
{
    struct evtx *x = run->x;
    size_t from;

    if (is_array(v) && s->open.n && v.n) {
        repeated(x, s, v);
        return true;
    }
    out_str(&x->out, s->open);
    if (v.type == VALUE_XML && v.n)
        return push_xml(run, v, s->place, s->close);
    from = x->out.n;
    put_value(x, v);
    written(x, s, from, v.type);
    out_str(&x->out, s->close);
    return true;
}

static void attribute(struct evtx *x, const struct step *s, struct value v)
{
    size_t from;

    if (s->says_name)
        x->data_name = (struct str){ NULL, 0 };
    if (v.type == VALUE_NULL || v.n == 0 || v.type == VALUE_XML)
        return;
    out_str(&x->out, s->open);
    from = x->out.n;
    put_value(x, v);
    written(x, s, from, v.type);
    out_str(&x->out, s->close);
}

static bool mixed(struct run *run, const struct step *s, struct value v)
{
    size_t from = run->x->out.n;

    if (v.type == VALUE_XML)
        return v.n == 0 || push_xml(run, v, s->place, (struct str){ NULL, 0 });
    put_value(run->x, v);
    out_escaped(&run->x->out, from);
    return true;
}

/* step - one of them; *f may be gone afterwards, its next step is noted before. */
static bool step(struct run *run, struct frame *f)
{
    const struct step *s = f->step++;
    struct evtx *x = run->x;
    struct reader r;

    out_str(&x->out, s->head);
    switch ((enum step_kind)s->kind) {
    case STEP_END:
        pop(run);
        return true;
    case STEP_SAY:
        add_field(x, s, s->text);
        return true;
    case STEP_ELEMENT:
        return element(run, s, value_at(run, f, s->index));
    case STEP_ATTRIBUTE:
        attribute(x, s, value_at(run, f, s->index));
        return true;
    case STEP_BEGIN:
        out_str(&x->out, s->open);
        run->begun = x->out.n;
        return true;
    case STEP_TEXT:
        out_str(&x->out, s->text);
        return true;
    case STEP_VALUE:
        put_value(x, value_at(run, f, s->index));
        return true;
    case STEP_CLOSE:
        written(x, s, min_size(run->begun, x->out.n), VALUE_TEXT);
        out_str(&x->out, s->close);
        return true;
    case STEP_MIXED:
        return mixed(run, s, value_at(run, f, s->index));
    case STEP_WITHIN:
        r = rd_from(x->chunk, x->chunk_n);
        r.at = s->text.n;
        return push_instance(run, &r, s->place);
    }
    return false;
}

/* token - the next of a frame of bytes. */
static bool token(struct run *run, struct frame *f)
{
    const struct step *steps;
    size_t from = f->bytes.at;

    switch (rd_peek(&f->bytes) & ~0x40) {
    case 0x0f:
        rd_skip(&f->bytes, 1 + FRAGMENT_HEAD);
        return rd_ok(&f->bytes) || fail(run, "it ends within its head");
    case 0x0c:
        rd_skip(&f->bytes, 1);
        return push_instance(run, &f->bytes, f->place);
    case 0x01:
        steps = compile_elements(run->x, &f->bytes, f->place);
        run->x->steps += (uint32_t)(f->bytes.at - from) / 8; /* compiling again and again is work too */
        return steps && push(run, (struct frame){ .step = steps });
    default: /* the end, said or not */
        pop(run);
        return true;
    }
}

bool evtx_write(struct evtx *x, size_t from, size_t to)
{
    struct run run = { .x = x };
    struct value all = { x->chunk + from, (uint32_t)(to - from), VALUE_XML };

    arena_reset(&x->scratch);
    x->out.n = 0;
    x->out.full = false;
    x->pairs = (struct form_pairs){ .arena = &x->scratch, .items = x->fields, .cap = FORM_FIELDS_MAX };
    x->value_count = x->steps = x->params = 0;
    x->data_name = (struct str){ NULL, 0 };
    x->trouble = NULL;
    if (!push_xml(&run, all, WIN_OUTSIDE, (struct str){ NULL, 0 }))
        return false;
    while (run.depth) {
        struct frame *f = &run.stack[run.depth - 1];

        if (++x->steps > EVTX_STEPS_MAX)
            return fail(&run, "it takes too many steps");
        if (!(f->step ? step(&run, f) : token(&run, f)))
            return false;
        if (x->out.full || arena_failed(&x->scratch))
            return fail(&run, "its text is too long");
    }
    return x->out.n > 0 || fail(&run, "it holds no element");
}
