/* explain_json.c - an explanation as JSON, for the portal and for programs; the form stands in explain.h. */
#include "sigma/explain.h"

static void put_text(struct buf *b, const char *key, struct str text)
{
    buf_printf(b, ",\"%s\":", key);
    buf_json(b, text);
}

static void put_bool(struct buf *b, const char *key, bool yes) { buf_printf(b, ",\"%s\":%s", key, yes ? "true" : "false"); }

static void put_leaf(const struct explain_part *p, struct buf *b)
{
    put_text(b, "field", p->field);
    put_text(b, "comparison", p->comparison);
    buf_str(b, STR(",\"wanted\":["));
    for (uint32_t i = 0; i < p->wanted_count; i++) {
        buf_str(b, i ? STR(",") : STR(""));
        buf_json(b, p->wanted[i]);
    }
    buf_printf(b, "],\"tests\":%u", p->tests);
    put_bool(b, "cased", p->cased);
    put_bool(b, "present", p->present);
    put_text(b, "event_field", p->event_field);
    put_text(b, "value", p->value);
    if (!p->holds || !p->present)
        return;
    put_text(b, "text", p->text);
    buf_printf(b, ",\"at\":%zu,\"length\":%zu,\"in_line\":", p->at, p->n);
    if (p->in_line < 0)
        buf_str(b, STR("null"));
    else
        buf_printf(b, "%td", p->in_line);
}

static void put_parts(const struct explain *x, uint32_t first, uint32_t count, struct buf *b)
{
    buf_byte(b, '[');
    for (uint32_t i = first; i < first + count; i++) {
        const struct explain_part *p = &x->parts[i];

        buf_printf(b, "%s{\"depth\":%u,\"kind\":\"%s\"", i > first ? "," : "", p->depth, explain_kind_name(p->kind));
        put_text(b, "name", p->name);
        put_bool(b, "holds", p->holds);
        if (p->kind == EXPLAIN_LEAF)
            put_leaf(p, b);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_source(const struct explain *x, struct buf *b)
{
    buf_printf(b, ",\"logsource\":{\"applies\":%s,\"wanted\":{\"product\":", x->applies ? "true" : "false");
    buf_json(b, x->product);
    put_text(b, "category", x->category);
    put_text(b, "service", x->service);
    buf_str(b, STR("},\"event\":{\"product\":"));
    buf_json(b, x->event_product);
    put_text(b, "channel", x->event_channel);
    put_text(b, "event_id", x->event_id);
    put_text(b, "class", str_c(x->event_class));
    buf_str(b, STR("}}"));
}

static void put_filters(const struct explain *x, struct buf *b)
{
    buf_str(b, STR(",\"filters\":["));
    for (uint32_t i = 0; i < x->filter_count; i++) {
        const struct explain_filter *f = &x->filters[i];

        buf_str(b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        buf_json(b, f->id);
        put_text(b, "title", f->title);
        put_bool(b, "counts", f->counts);
        put_bool(b, "holds", f->holds);
        buf_str(b, STR(",\"parts\":"));
        put_parts(x, f->first, f->count, b);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void put_refs(const struct explain *x, struct buf *b)
{
    buf_str(b, STR(",\"refs\":["));
    for (uint32_t i = 0; i < x->ref_count; i++) {
        const struct explain_ref *r = &x->refs[i];

        buf_str(b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        buf_json(b, r->rule->id);
        put_text(b, "title", r->rule->title);
        put_bool(b, "holds", r->holds);
        put_text(b, "missing", r->missing);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

void explain_json(const struct explain *x, struct buf *b)
{
    buf_str(b, STR("{\"rule\":{\"id\":"));
    buf_json(b, x->rule->id);
    put_text(b, "title", x->rule->title);
    put_text(b, "level", str_c(sigma_level_name(x->rule->level)));
    buf_byte(b, '}');
    put_bool(b, "matches", x->matches);
    put_text(b, "why", str_c(explain_why(x)));
    put_source(x, b);
    buf_str(b, STR(",\"condition\":"));
    put_parts(x, 0, x->condition_count, b);
    put_filters(x, b);
    put_refs(x, b);
    put_bool(b, "stopped", x->stopped);
    buf_byte(b, '}');
}
