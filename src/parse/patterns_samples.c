/* patterns_samples.c - the lines that a product carries must give what it says; see patterns.h. */
#include "parse/patterns.h"

#define SAMPLE_RECEIVED (INT64_C(1798761600) * NS_PER_SECOND) /* the end of 2026: as for the samples of rules */

static int fail(const struct product *p, const struct sample *s, struct err *e, const char *what, struct str name, struct str got)
{
    return err_line(e, -EBADMSG, p->file, s->row, 0, "sample: %s \"%.*s\"%s%.*s", what, STR_ARG(name), got.n ? ", got " : "",
                    STR_ARG(str_left(got, 120)));
}

/* one_field - the values of c in order. */
static int one_field(const struct product *p, const struct sample *s, const struct event *ev, const struct constant *c, struct err *e)
{
    char text[TIME_TEXT_MAX];
    struct str v = { NULL, 0 };
    uint32_t at = 0;

    if (str_eq(c->name, STR("@timestamp"))) {
        v = str_c(time_format_utc(ev->time, text));
        return c->count == 1 && str_eq(v, c->values[0]) ? 0 : fail(p, s, e, "another time than wanted under", c->name, v);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (!event_values(ev, c->name, &at, &v))
            return fail(p, s, e, "no value for", c->name, (struct str){ NULL, 0 });
        if (!str_eq(v, c->values[i]))
            return fail(p, s, e, "another value than wanted for", c->name, v);
    }
    if (event_values(ev, c->name, &at, &v))
        return fail(p, s, e, "a value too many for", c->name, v);
    return 0;
}

static int one_sample(const struct parser *parser, const struct product *p, const struct sample *s, struct parse_memory *memory,
                      struct event_batch *b, struct err *e)
{
    struct parse_hints h = { .received = SAMPLE_RECEIVED,
                             .zone_min = s->zone_min == EVENT_OFFSET_NONE ? 0 : s->zone_min,
                             .future_tolerance = 5 * NS_PER_MINUTE,
                             .path = s->path,
                             .unit = s->unit,
                             .source = p->id,
                             .memory = memory };
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    if (!ev)
        return err_set(e, -ENOMEM, "no memory for an event");
    parse_line(parser, s->line, &h, &b->arena, ev);
    if (s->not)
        return str_eq(ev->parser, p->id) ? fail(p, s, e, "the line must not come back from", p->id, (struct str){ NULL, 0 }) : 0;
    if (!str_eq(ev->parser, s->parser))
        return fail(p, s, e, "the line did not come back from", s->parser, ev->parser);
    for (size_t i = 0; i < s->want_count; i++) {
        int rc = one_field(p, s, ev, &s->want[i], e);

        if (rc < 0)
            return rc;
    }
    return ev->parse == s->parse ? 0 : fail(p, s, e, "parse is not", str_c(event_parse_name(s->parse)), str_c(event_parse_name(ev->parse)));
}

int samples_hold(const struct parser *parser, const struct product *p, const struct sample_listener *every, struct err *e)
{
    struct parse_memory *memory; /* a line of names among the samples counts for those behind it */
    struct event_batch b;
    int rc = parse_memory_new(&memory, e);

    if (rc < 0)
        return rc;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < p->sample_count && rc == 0; i++) {
        struct err why = { 0 };

        rc = one_sample(parser, p, &p->samples[i], memory, &b, &why);
        if (rc == -EBADMSG && every) {
            every->failed(every->arg, why.text);
            rc = 0;
        } else if (rc < 0 && e) {
            *e = why;
        }
    }
    event_batch_free(&b);
    parse_memory_free(&memory);
    return rc;
}
