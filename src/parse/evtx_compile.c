/* evtx_compile.c - binary XML becomes steps: once for a template, or for elements that stand in a record as they are.
 *
 * Markup is gathered in pending until something must be done between two pieces of it. The content of an element or attribute
 * is gathered as pieces (texts that stand here, values by number); what it becomes is decided at its end, when it is known to
 * have no elements in it: nothing, a text, one value, or a row of pieces. The stack of open elements is ours and bounded.
 *
 *   00 end   01 <name (41: with attributes)   02 >   03 />   04 </name>   05 text   06 attribute   07 CDATA   08 letter by
 *   number   09 entity   0a, 0b instruction   0c template   0d value   0e value that may be missing   0f head of a fragment
 *
 * The bit 40 says that more of the same follows; it means nothing to us but at 01. */
#include "parse/evtx_internal.h"
#include "parse/internal.h"
#include "base/utf8.h"

#define MORE 0x40
#define NAME_UNITS_MAX 256 /* of an element, attribute or entity; EVENT_NAME_MAX bounds what becomes a field */
#define PIECES_MAX 32      /* of one content: each value but the first wants text around it */
#define NAME_HEAD 8u       /* of a name in the chunk: next, hash, units */
#define DEFINITION_HEAD 24u /* next, GUID, size */

struct piece {
    bool value;
    uint16_t index;
    struct str text;
};

struct element {
    struct str name;
    enum win_place place, inside;
    struct str data_name; /* <Data Name=…> */
    bool named_by_value, mixed;
    size_t tag;           /* where it starts in pending; SIZE_MAX: pending was set down since */
};

struct compiler {
    struct evtx *x;
    struct reader *r;
    struct arena *arena;
    bool in_template;
    enum win_place place;   /* of the root */
    struct buf pending;     /* markup */
    struct buf literal;     /* the piece that grows */
    struct piece pieces[PIECES_MAX];
    size_t piece_count;
    struct step *steps;
    size_t count, cap;
    struct element open[EVTX_DEPTH_MAX];
    size_t depth;
    bool done;
};

static bool fail(struct compiler *c, const char *why)
{
    if (!c->x->trouble)
        c->x->trouble = why;
    return false;
}

/* --- texts --- */

static void put_units(struct buf *b, const uint8_t *p, size_t n)
{
    char *to = buf_room(b, 3 * n);
    struct out o = { .p = to, .cap = 3 * n };

    if (to) {
        out_utf16(&o, p, n);
        b->n += o.n;
    }
}

static void put_escaped(struct buf *b, struct str s)
{
    size_t room = 6 * s.n;
    char *to = buf_room(b, room);
    struct out o = { .p = to, .cap = room };

    if (to) {
        out_str(&o, s);
        out_escaped(&o, 0);
        b->n += o.n;
    }
}

static struct str kept(struct compiler *c, struct str s)
{
    struct str copy = arena_copy(c->arena, s);

    if (!copy.p)
        fail(c, "its templates take too much memory");
    return copy;
}

static struct str joined(struct compiler *c, struct str head, struct str name)
{
    char *copy;

    name.n = min_size(name.n, EVENT_NAME_MAX - head.n);
    if ((copy = arena_alloc(c->arena, head.n + name.n)) == NULL) {
        fail(c, "its templates take too much memory");
        return (struct str){ NULL, 0 };
    }
    memcpy(copy, head.p, head.n);
    if (name.n)
        memcpy(copy + head.n, name.p, name.n);
    return str_of(copy, head.n + name.n);
}

/* name_fits - nothing in it could be taken for markup. */
static bool name_fits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || memchr("<>&\"'=/!?", s.p[i], 9))
            return false;
    return s.n > 0;
}

/* take_name - by the offset that stands in r; the first use of a name has it right behind. {NULL,0}: damaged. */
static struct str take_name(struct compiler *c)
{
    uint32_t at = rd_le32(c->r);
    struct reader name = rd_from(c->x->chunk, c->x->chunk_n);
    struct str units, none = { NULL, 0 };
    AUTO_BUF struct buf text;
    size_t n;

    buf_init(&text, 3 * NAME_UNITS_MAX);
    rd_skip(&name, (size_t)at + 6);
    n = rd_le16(&name);
    units = rd_take(&name, 2 * n + 2, "a name");
    if (!rd_ok(&name) || !rd_ok(c->r) || n > NAME_UNITS_MAX) {
        fail(c, "a name is not in the chunk");
        return none;
    }
    if (at == rd_offset(c->r))
        rd_skip(c->r, NAME_HEAD + 2 * n + 2);
    put_units(&text, (const uint8_t *)units.p, n);
    if (!name_fits(buf_view(&text))) {
        fail(c, "a name is none");
        return none;
    }
    return kept(c, buf_view(&text));
}

/* --- steps --- */

static struct step *add_step(struct compiler *c, enum step_kind kind)
{
    struct step *s;

    if (c->count == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 32;
        struct step *more = arena_array(c->arena, cap, sizeof *more);

        if (!more) {
            fail(c, "its templates take too much memory");
            return NULL;
        }
        if (c->count)
            memcpy(more, c->steps, c->count * sizeof *more);
        c->steps = more;
        c->cap = cap;
    }
    s = &c->steps[c->count++];
    *s = (struct step){ .kind = (uint8_t)kind, .head = kept(c, buf_view(&c->pending)) };
    buf_reset(&c->pending);
    for (size_t i = 0; i < c->depth; i++)
        c->open[i].tag = SIZE_MAX;
    return s;
}

/* set_field - where the element's text belongs. */
static void set_field(struct compiler *c, struct step *s, const struct element *e)
{
    s->place = (uint8_t)e->inside;
    s->trim = e->place == WIN_SYSTEM || e->place == WIN_RENDERED;
    switch (e->place) {
    case WIN_SYSTEM:
        s->field = winname_system(e->name);
        break;
    case WIN_RENDERED:
        s->field = winname_rendered(e->name);
        break;
    case WIN_USER:
    case WIN_USER_IN:
        s->field = joined(c, STR(WIN_USER_DATA), e->name);
        break;
    case WIN_DATA:
        s->keep_empty = true;
        if (e->named_by_value)
            s->naming = BY_NAME;
        else if (str_eq(e->name, STR("Data")) && e->data_name.n == 0)
            s->naming = BY_COUNT;
        else
            s->field = joined(c, STR(WIN_EVENT_DATA), e->data_name.n ? e->data_name : e->name);
        break;
    default:
        break;
    }
}

static bool has_field(const struct step *s) { return s->field.n || s->naming != NAMED; }

/* say - a text that stands in the template is a field. */
static bool say(struct compiler *c, struct step *s, struct str text)
{
    s->text = text;
    if (!has_field(s)) { /* nobody wants it: its head goes on */
        buf_str(&c->pending, s->head);
        c->count--;
    }
    return !c->x->trouble;
}

/* --- content --- */

static bool end_literal(struct compiler *c)
{
    if (c->literal.n == 0)
        return true;
    if (c->piece_count == PIECES_MAX)
        return fail(c, "an element has too many pieces");
    c->pieces[c->piece_count++] = (struct piece){ .text = kept(c, buf_view(&c->literal)) };
    buf_reset(&c->literal);
    return !c->x->trouble;
}

static bool value_piece(struct compiler *c)
{
    uint16_t index = rd_le16(c->r);

    (void)rd_u8(c->r); /* its type: the record says it again */
    if (!end_literal(c))
        return false;
    if (c->piece_count == PIECES_MAX)
        return fail(c, "an element has too many pieces");
    c->pieces[c->piece_count++] = (struct piece){ .value = true, .index = index };
    return true;
}

static bool text_piece(struct compiler *c, bool typed)
{
    struct str units;
    size_t n;

    if (typed && rd_u8(c->r) != VALUE_TEXT)
        return fail(c, "a text of a template is of another type");
    n = rd_le16(c->r);
    units = rd_take(c->r, 2 * n, "a text");
    if (!rd_ok(c->r))
        return fail(c, "it ends within a text");
    put_units(&c->literal, (const uint8_t *)units.p, n);
    return true;
}

static bool letter_piece(struct compiler *c)
{
    uint8_t unit[2] = { rd_u8(c->r), rd_u8(c->r) };

    put_units(&c->literal, unit, 1);
    return true;
}

static bool entity_piece(struct compiler *c)
{
    static const struct {
        struct str name;
        char c;
    } known[] = { { STR_INIT("lt"), '<' }, { STR_INIT("gt"), '>' }, { STR_INIT("amp"), '&' }, { STR_INIT("quot"), '"' },
                  { STR_INIT("apos"), '\'' } };
    struct str name = take_name(c);

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(name, known[i].name))
            buf_byte(&c->literal, known[i].c);
    return !c->x->trouble;
}

/* row_of_pieces - a content of several: what it is together is one text. */
static bool row_of_pieces(struct compiler *c, struct str open, struct step *last)
{
    struct step *s = add_step(c, STEP_BEGIN);

    if (!s)
        return false;
    s->open = open;
    for (size_t i = 0; i < c->piece_count; i++) {
        s = add_step(c, c->pieces[i].value ? STEP_VALUE : STEP_TEXT);
        if (!s)
            return false;
        s->index = c->pieces[i].index;
        s->text = c->pieces[i].text;
    }
    s = add_step(c, STEP_CLOSE);
    if (s)
        *s = *last;
    return s != NULL;
}

/* mixed_pieces - texts and values among child elements. */
static bool mixed_pieces(struct compiler *c, const struct element *e)
{
    if (!end_literal(c))
        return false;
    for (size_t i = 0; i < c->piece_count; i++) {
        struct step *s;

        if (!c->pieces[i].value) {
            put_escaped(&c->pending, c->pieces[i].text);
            continue;
        }
        s = add_step(c, STEP_MIXED);
        if (!s)
            return false;
        s->index = c->pieces[i].index;
        s->place = (uint8_t)e->inside;
    }
    c->piece_count = 0;
    return true;
}

/* --- attributes --- */

static bool piece(struct compiler *c, uint8_t token)
{
    switch (token & ~MORE) {
    case 0x05:
        return text_piece(c, true);
    case 0x07:
        return text_piece(c, false);
    case 0x08:
        return letter_piece(c);
    case 0x09:
        return entity_piece(c);
    default:
        return value_piece(c);
    }
}

static bool is_piece(int token)
{
    token &= ~MORE;
    return token == 0x05 || (token >= 0x07 && token <= 0x09) || token == 0x0d || token == 0x0e;
}

/* attribute_said - the attribute's text stands in the template. */
static bool attribute_said(struct compiler *c, struct element *e, struct str name, struct str field)
{
    struct str text = c->piece_count ? c->pieces[0].text : STR("");
    struct step *s;

    buf_byte(&c->pending, ' ');
    buf_str(&c->pending, name);
    buf_str(&c->pending, STR("=\""));
    put_escaped(&c->pending, text);
    buf_byte(&c->pending, '"');
    if (e->place == WIN_DATA && str_eq(name, STR("Name")))
        e->data_name = text;
    if (field.n == 0 || text.n == 0)
        return true;
    s = add_step(c, STEP_SAY);
    if (!s)
        return false;
    s->field = field;
    s->text = text;
    return true;
}

static bool attribute(struct compiler *c)
{
    struct element *e = &c->open[c->depth - 1];
    struct str name = take_name(c), field = { NULL, 0 }, open;
    struct step last = { .kind = STEP_CLOSE, .close = STR("\"") }, *s;
    bool names = e->place == WIN_DATA && str_eq(name, STR("Name"));

    while (!c->x->trouble && is_piece(rd_peek(c->r)))
        if (!piece(c, rd_u8(c->r)))
            return false;
    if (c->x->trouble || !end_literal(c))
        return false;
    if (e->place == WIN_SYSTEM)
        field = winname_attribute(e->name, name);
    else if (e->place == WIN_EVENT && str_eq(e->name, STR("RenderingInfo")) && str_eq(name, STR("Culture")))
        field = STR("rendered.culture");
    if (c->piece_count == 0 || (c->piece_count == 1 && !c->pieces[0].value)) {
        if (!attribute_said(c, e, name, field))
            return false;
    } else {
        open = joined(c, STR(" "), name);
        open = joined(c, open, STR("=\""));
        last.field = field;
        last.says_name = e->named_by_value = names;
        if (c->piece_count == 1 && (s = add_step(c, STEP_ATTRIBUTE)) != NULL) {
            s->index = c->pieces[0].index;
            s->open = open;
            s->close = last.close;
            s->field = field;
            s->says_name = names;
        } else if (c->piece_count > 1 && !row_of_pieces(c, open, &last)) {
            return false;
        }
    }
    c->piece_count = 0;
    return !c->x->trouble;
}

/* --- elements --- */

/* user_data_name - the element right below UserData names the form of what follows. */
static bool user_data_name(struct compiler *c, struct str name)
{
    struct step *s = add_step(c, STEP_SAY);

    if (s) {
        s->field = STR(WIN_USER_DATA_ROOT);
        s->text = name;
    }
    return s != NULL;
}

static bool open_element(struct compiler *c, bool attributes)
{
    struct element *e;

    if (c->depth == EVTX_DEPTH_MAX)
        return fail(c, "elements nest too deep");
    if (c->depth > 0) {
        if (!mixed_pieces(c, &c->open[c->depth - 1]))
            return false;
        c->open[c->depth - 1].mixed = true;
    }
    if (c->in_template)
        rd_skip(c->r, 2); /* the value it depends on */
    rd_skip(c->r, 4);     /* its size: its end is told by a token too */
    e = &c->open[c->depth];
    *e = (struct element){ .name = take_name(c), .place = c->depth ? c->open[c->depth - 1].inside : c->place };
    if (attributes)
        rd_skip(c->r, 4); /* the size of the list */
    if (c->x->trouble)
        return false;
    e->inside = winname_place(e->place, e->name);
    if (e->place == WIN_USER && !user_data_name(c, e->name))
        return false;
    c->depth++;
    e->tag = c->pending.n;
    buf_byte(&c->pending, '<');
    buf_str(&c->pending, e->name);
    return true;
}

/* one_value - an element that holds a value and nothing else: where nothing was set down since its tag, an array repeats it. */
static bool one_value(struct compiler *c, const struct element *e, struct str close)
{
    struct str open = { NULL, 0 };
    struct step *s;

    if (e->tag != SIZE_MAX) {
        open = kept(c, str_cut(buf_view(&c->pending), e->tag));
        c->pending.n = e->tag;
    }
    s = add_step(c, STEP_ELEMENT);
    if (!s)
        return false;
    s->index = c->pieces[0].index;
    s->open = open;
    s->close = close;
    set_field(c, s, e);
    return true;
}

/* close_element - the content is known to its end. */
static bool close_element(struct compiler *c)
{
    struct element *e = &c->open[c->depth - 1];
    struct step last = { .kind = STEP_CLOSE }, *s;
    struct str close;
    bool ok = true;

    if (e->mixed ? !mixed_pieces(c, e) : !end_literal(c))
        return false;
    close = joined(c, STR("</"), e->name);
    close = joined(c, close, STR(">"));
    if (!e->mixed && c->piece_count == 1 && c->pieces[0].value) {
        ok = one_value(c, e, close);
    } else if (!e->mixed && c->piece_count > 1) {
        last.close = close;
        set_field(c, &last, e);
        ok = row_of_pieces(c, (struct str){ NULL, 0 }, &last);
    } else if (!e->mixed) {
        struct str text = c->piece_count ? c->pieces[0].text : (struct str){ NULL, 0 };

        put_escaped(&c->pending, text);
        buf_str(&c->pending, close);
        s = add_step(c, STEP_SAY);
        if (s)
            set_field(c, s, e);
        ok = s && say(c, s, text);
    } else {
        buf_str(&c->pending, close);
    }
    c->piece_count = 0;
    c->done = --c->depth == 0;
    return ok;
}

/* close_empty - "/>": it has no content. */
static bool close_empty(struct compiler *c)
{
    struct element *e = &c->open[c->depth - 1];
    struct step *s;

    buf_str(&c->pending, STR("/>"));
    c->done = --c->depth == 0;
    if (e->place != WIN_DATA)
        return true;
    s = add_step(c, STEP_SAY);
    if (s)
        set_field(c, s, e);
    return s && say(c, s, (struct str){ NULL, 0 });
}

/* within - a template among elements that have none: its values stand here too, and are read again with every record. */
static bool within(struct compiler *c)
{
    const struct element *e = c->depth ? &c->open[c->depth - 1] : NULL;
    uint32_t values = c->x->value_count;
    struct instance skipped;
    struct step *s;

    if (c->in_template)
        return fail(c, "a template stands within a template");
    if (e && !mixed_pieces(c, e))
        return false;
    s = add_step(c, STEP_WITHIN);
    if (!s)
        return false;
    s->text.n = rd_offset(c->r);
    s->place = (uint8_t)(e ? e->inside : c->place);
    if (e)
        c->open[c->depth - 1].mixed = true;
    if (!instance_read(c->x, c->r, &skipped))
        return false;
    c->x->value_count = values;
    return true;
}

static bool instruction(struct compiler *c, uint8_t token)
{
    if (token == 0x0a)
        (void)take_name(c);
    else
        rd_skip(c->r, 2u * rd_le16(c->r));
    return !c->x->trouble;
}

static bool token(struct compiler *c)
{
    uint8_t t = rd_u8(c->r), kind = t & (uint8_t)~MORE;

    if (is_piece(t) && c->depth)
        return piece(c, t);
    if (kind != 0x00 && kind != 0x01 && kind != 0x0a && kind != 0x0b && kind != 0x0c && kind != 0x0f && c->depth == 0)
        return fail(c, "something stands outside its elements");
    switch (kind) {
    case 0x00:
        c->done = true;
        return c->depth == 0 || fail(c, "it ends within an element");
    case 0x01:
        return open_element(c, t & MORE);
    case 0x02:
        buf_byte(&c->pending, '>');
        return true;
    case 0x03:
        return close_empty(c);
    case 0x04:
        return close_element(c);
    case 0x06:
        return attribute(c);
    case 0x0a:
    case 0x0b:
        return instruction(c, kind);
    case 0x0c:
        return within(c);
    case 0x0f:
        rd_skip(c->r, 3);
        return true;
    default:
        return fail(c, "a token is none of binary XML");
    }
}

static const struct step *compile(struct evtx *x, struct reader *r, struct arena *arena, bool in_template, enum win_place place)
{
    struct compiler *c = calloc(1, sizeof *c);
    const struct step *steps = NULL;
    bool ok = true;

    if (!c) {
        x->trouble = "there is no memory for its template";
        return NULL;
    }
    c->x = x;
    c->r = r;
    c->arena = arena;
    c->in_template = in_template;
    c->place = place;
    buf_init(&c->pending, EVTX_COMPILED_MAX);
    buf_init(&c->literal, EVTX_COMPILED_MAX);
    while (ok && !c->done) {
        ok = token(c);
        if (ok && !rd_ok(r))
            ok = fail(c, "it ends within its binary XML");
    }
    if (ok && !buf_failed(&c->pending) && !buf_failed(&c->literal) && add_step(c, STEP_END))
        steps = c->steps;
    else
        fail(c, "its templates take too much memory");
    buf_free(&c->pending);
    buf_free(&c->literal);
    free(c);
    return steps;
}

const struct step *compile_elements(struct evtx *x, struct reader *r, enum win_place place)
{
    return compile(x, r, &x->scratch, false, place);
}

/* cached - the place for a definition: where it is, or a free one. */
static struct compiled *cached(struct evtx *x, uint32_t definition, enum win_place place)
{
    size_t i = (definition * 31u + place) % COUNT(x->cache);

    while (x->cache[i].used && (x->cache[i].at != definition || x->cache[i].place != place))
        i = (i + 1) % COUNT(x->cache);
    return &x->cache[i];
}

const struct step *compile_template(struct evtx *x, const struct instance *in, enum win_place place)
{
    struct compiled *known = cached(x, in->definition, place);
    struct reader r = rd_from(x->chunk, x->chunk_n);
    uint32_t size;

    if (known->used && known->number == in->number) {
        if (!known->steps)
            x->trouble = "its template is damaged";
        return known->steps;
    }
    rd_skip(&r, (size_t)in->definition + 4);
    if (rd_le32(&r) != in->number || !rd_ok(&r)) {
        x->trouble = "its template is not in the chunk";
        return NULL;
    }
    if (x->cached == EVTX_TEMPLATES_MAX) {
        x->trouble = "the chunk has too many templates";
        return NULL;
    }
    x->cached++;
    *known = (struct compiled){ .at = in->definition, .number = in->number, .place = (uint8_t)place, .used = true };
    rd_skip(&r, DEFINITION_HEAD - 12);
    size = rd_le32(&r);
    if (!rd_ok(&r) || size > rd_left(&r)) {
        x->trouble = "its template is not in the chunk";
        return NULL;
    }
    r.n = r.at + size;
    known->steps = compile(x, &r, &x->templates, true, place);
    return known->steps;
}

/* --- values --- */

/* values_read - "count | size, type, 0 | … | bytes | bytes …". */
static bool values_read(struct evtx *x, struct reader *r, struct instance *out)
{
    uint32_t count = rd_le32(r);
    struct reader sizes = *r;

    if (count > EVTX_VALUES_MAX - x->value_count || !rd_ok(r) || count > rd_left(r) / 4) {
        x->trouble = "it has too many values";
        return false;
    }
    rd_skip(r, 4 * (size_t)count);
    out->first = x->value_count;
    out->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct value *v = &x->values[x->value_count++];
        size_t n = rd_le16(&sizes);
        struct str bytes = rd_take(r, n, "a value");

        *v = (struct value){ (const uint8_t *)bytes.p, (uint32_t)bytes.n, rd_u8(&sizes) };
        rd_skip(&sizes, 1);
    }
    if (!rd_ok(r))
        x->trouble = "it ends within its values";
    return rd_ok(r);
}

bool instance_read(struct evtx *x, struct reader *r, struct instance *out)
{
    struct reader at = *r;

    rd_skip(r, 1); /* a version */
    out->number = rd_le32(r);
    out->definition = rd_le32(r);
    if (rd_ok(r) && out->definition == rd_offset(r)) { /* it is set down here */
        rd_skip(r, DEFINITION_HEAD - 4);
        rd_skip(r, rd_le32(r));
    }
    if (!rd_ok(r)) {
        *r = at;
        x->trouble = "it ends within its template";
        return false;
    }
    return values_read(x, r, out);
}
