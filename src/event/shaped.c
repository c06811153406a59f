/* shaped.c - see shaped.h. */
#include "event/shaped.h"

#define SHAPES_MAX (512u * MIB)    /* names and shapes where no event is like another: some 70 bytes a field */

void shaped_init(struct shaped *s)
{
    *s = (struct shaped){ .count = 0 };
    arena_init(&s->arena, SHAPES_MAX);
}

static void forget_rows(struct shaped *s)
{
    free(s->time);
    free(s->received);
    free(s->shape);
    free(s->first);
    s->time = s->received = NULL;
    s->shape = s->first = NULL;
    s->cap = 0;
}

void shaped_free(struct shaped *s)
{
    forget_rows(s);
    free(s->place);
    arena_free(&s->arena);
    shaped_init(s);
}

static bool rows_room(struct shaped *s, size_t count)
{
    if (count <= s->cap)
        return true;
    forget_rows(s);
    s->time = calloc(count, sizeof *s->time);
    s->received = calloc(count, sizeof *s->received);
    s->shape = calloc(count, sizeof *s->shape);
    s->first = calloc(count, sizeof *s->first);
    s->cap = s->time && s->received && s->shape && s->first ? count : 0;
    return s->cap >= count;
}

/* places_room - for so many more. */
static bool places_room(struct shaped *s, size_t more)
{
    size_t cap = s->place_cap ? s->place_cap : 65536;
    struct payload_place *list;

    if (s->places + more <= s->place_cap)
        return true;
    while (cap < s->places + more)
        cap *= 2;
    list = s->places + more <= SHAPED_TEXTS_MAX ? realloc(s->place, cap * sizeof *list) : NULL;
    if (!list)
        return false;
    s->place = list;
    s->place_cap = cap;
    return true;
}

static bool read_row(struct shaped *s, size_t i)
{
    const struct payload_shape *shape = payload_shape(&s->k);
    struct event ev = { .seq = 0 }, before = { .seq = 0 };

    if (!shape)
        return true;    /* the reader says why */
    if (i) {
        before.time = s->time[i - 1];
        before.received = s->received[i - 1];
    }
    common_put(&s->r, &shape->common, &before, &ev);
    payload_texts(&s->k, shape);
    if (!rd_ok(&s->r))
        return true;
    if (!places_room(s, shape->texts))
        return false;
    s->time[i] = ev.time;
    s->received[i] = ev.received;
    s->shape[i] = (uint32_t)(shape - shaped_shape(s, 0));
    s->first[i] = (uint32_t)s->places;
    memcpy(s->place + s->places, shape->last, shape->texts * sizeof *shape->last);
    s->places += shape->texts;
    return true;
}

int shaped_read(struct shaped *s, struct str payload, struct err *e)
{
    size_t count;

    arena_reset(&s->arena);
    s->places = s->count = 0;
    s->payload = payload;
    s->r = rd_str(payload);
    s->k = (struct payload_reader){ .r = &s->r, .arena = &s->arena };
    if (payload.n > UINT32_MAX || rd_u8(&s->r) != CODEC_VERSION)
        rd_fail(&s->r, "a payload of the present version");
    count = event_count_get(&s->r);
    if (!rows_room(s, count))
        return err_set(e, -ENOMEM, "no memory for %zu events", count);
    for (size_t i = 0; i < count && rd_ok(&s->r); i++)
        if (!read_row(s, i))
            return err_set(e, -E2BIG, "the events of a payload have more than %u texts", SHAPED_TEXTS_MAX);
    if (rd_ok(&s->r) && rd_left(&s->r))
        rd_fail(&s->r, "the end of the payload");
    if (!rd_ok(&s->r))
        return rd_err(&s->r, e, "payload");
    s->count = count;
    return 0;
}

/* line_of - the pieces one behind the other; cut[0…pieces] says where. */
static int line_of(const struct shaped *s, const struct payload_shape *shape, const struct payload_place *place, struct arena *a, struct str *line, uint32_t *cut)
{
    size_t n = 0;
    char *to;

    for (uint32_t i = 0; i < shape->pieces; n += place[i++].n)
        cut[i] = (uint32_t)n;
    cut[shape->pieces] = (uint32_t)n;
    to = arena_alloc(a, n + 1);
    if (!to)
        return -ENOMEM;
    *line = str_of(to, n);
    for (uint32_t i = 0; i < shape->pieces; i++)
        codec_copy(to + cut[i], s->payload.p + place[i].at, place[i].n);
    return 0;
}

int shaped_event(const struct shaped *s, size_t row, struct arena *a, struct event *ev)
{
    const struct payload_shape *shape = shaped_shape(s, s->shape[row]);
    const struct payload_place *place = s->place + s->first[row];
    const struct payload_column *c = shape->columns;
    uint32_t cut[CODEC_PIECES_MAX + 1];
    struct str *const members[CODEC_COLUMNS] = { &ev->time_text, &ev->source, &ev->object, &ev->parser };

    *ev = (struct event){ .time = s->time[row], .received = s->received[row], .offset_min = shape->common.offset_min,
                          .class = (enum event_class)(shape->common.flags & 15), .parse = (enum event_parse)(shape->common.flags >> 4),
                          .marks = shape->common.marks, .field_count = shape->fields, .field_cap = shape->fields };
    ev->fields = arena_array(a, shape->fields, sizeof *ev->fields);
    if (!ev->fields || line_of(s, shape, place, a, &ev->original, cut) < 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < shape->fields + CODEC_COLUMNS; i++, c++) {
        struct str v = c->from < c->to ? str_of(ev->original.p + cut[c->from], cut[c->to] - cut[c->from]) : shaped_text(s, place[c->from]);

        if (i < CODEC_COLUMNS)
            *members[i] = v;
        else
            ev->fields[i - CODEC_COLUMNS] = (struct event_field){ shaped_name(s, c->name), v };
    }
    return 0;
}
