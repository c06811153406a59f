/* why.c - see why.h. */
#include "detect/why.h"

#include "detect/hunt.h"
#include "parse/parse.h"

int why_event(const struct sigma *s, bool loose, const struct sigma_rule *r, const struct event *ev, struct buf *out, struct err *e)
{
    AUTO_ARENA struct arena a;
    struct explain x;
    int rc;

    arena_init(&a, 64u * MIB);
    rc = sigma_explain(s, loose, ev, r, &a, &x, e);
    if (rc < 0)
        return rc;
    buf_str(out, STR("{\"event\":"));
    event_json(ev, out);
    buf_str(out, STR(",\"explain\":"));
    explain_json(&x, out);
    buf_byte(out, '}');
    return 0;
}

struct asking {
    const struct sigma      *s;
    const struct sigma_rule *r;
    struct parser           *parser;
    struct event_batch       batch;
    size_t                   told;
    struct buf              *out;
};

/* one_text - a line, a JSON value, a record as XML: one event. */
static int one_text(struct asking *a, struct str text, struct err *e)
{
    struct parse_hints hints = { .received = clock_now(), .zone_min = EVENT_OFFSET_NONE, .source = STR("text") };
    struct event *ev;

    event_batch_reset(&a->batch);
    if (text.n && *text.p == '{' && hunt_json_event(text, &a->batch, NULL) == 0) {
        ev = &a->batch.items[a->batch.count - 1];
        if (ev->marks & MARK_NO_TIME)
            ev->time = ev->received = hints.received;
    } else {
        event_batch_reset(&a->batch);
        ev = event_batch_add(&a->batch);
        if (!ev)
            return err_set(e, -ENOMEM, "no memory for an event");
        parse_line(a->parser, text, &hints, &a->batch.arena, ev);
    }
    buf_str(a->out, a->told++ ? STR(",") : STR(""));
    return why_event(a->s, true, a->r, ev, a->out, e);
}

/* is_whole - a text of several lines that is one value: JSON written over lines, or XML. */
static bool is_whole(struct asking *a, struct str text)
{
    if (text.n && *text.p == '<' && str_ends(text, STR(">")) && str_find(text, STR("</Event>")) >= 0)
        return true;
    event_batch_reset(&a->batch);
    return text.n && *text.p == '{' && hunt_json_event(text, &a->batch, NULL) == 0;
}

int why_text(const struct sigma *s, const char *content, const struct sigma_rule *r, struct str text, struct buf *out, struct err *e)
{
    struct asking a = { .s = s, .r = r, .out = out };
    struct str line;
    bool more = false;
    int rc;

    text = str_trim(text);
    if (text.n == 0 || text.n > WHY_TEXT_MAX)
        return text.n ? err_set(e, -E2BIG, "a text of more than %u bytes", WHY_TEXT_MAX) : err_set(e, -EINVAL, "an empty text");
    rc = parse_new(content, 0, &a.parser, e);
    if (rc < 0)
        return rc;
    event_batch_init(&a.batch, 64u * MIB);
    buf_str(out, STR("{\"events\":["));
    if (is_whole(&a, text))
        rc = one_text(&a, text, e);
    else
        while (rc == 0 && !more && str_split(&text, '\n', &line)) {
            line = str_trim(line);
            more = line.n && a.told == WHY_EVENTS_MAX;
            if (line.n && !more)
                rc = one_text(&a, line, e);
        }
    buf_printf(out, "],\"more\":%s}", more ? "true" : "false");
    event_batch_free(&a.batch);
    parse_free(&a.parser);
    if (rc == 0 && buf_failed(out))
        rc = err_set(e, -E2BIG, "the explanation is too large to tell");
    return rc;
}
