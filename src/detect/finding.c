/* finding.c - a match becomes an event of the findings journal. */
#include "detect/internal.h"

#include <math.h>

#define SHORT_LINE  2048u
#define SHORT_VALUE 512u

/* Fields of the event that a case needs before anybody opens the log; each by its first value. */
static const char *const copied[] = {
    "source.ip", "source.port", "destination.ip", "destination.port", "host.name", "host.ip", "user.name", "user.effective.name",
    "user.target.name", "group.name", "event.code", "event.action", "event.outcome", "event.reason", "process.name", "process.pid",
    "process.command_line", "process.executable", "service.name", "package.name", "file.path", "url.original", "http.request.method",
    "http.response.status_code", "winlog.channel", "log.file.path",
};

static int add(struct event *f, struct event_batch *b, const char *name, struct str value)
{
    return event_add(f, &b->arena, str_c(name), value);
}

/* annex_types - tags like "saqshy.ux-01" are event types of Annex 4: UX-01. */
static int annex_types(const struct sigma_rule *r, struct event *f, struct event_batch *b)
{
    for (size_t i = 0; i < r->tags.count; i++) {
        struct str tag = r->tags.items[i], code;
        char *p;

        if (!str_starts(tag, STR("saqshy.")) || tag.n < 12)
            continue;
        code = arena_copy(&b->arena, str_cut(tag, 7));
        if (!code.p)
            return -ENOMEM;
        p = (char *)code.p;   /* our own copy */
        for (size_t k = 0; k < code.n; k++)
            if (p[k] >= 'a' && p[k] <= 'z')
                p[k] = (char)(p[k] - 32);
        int rc = add(f, b, "saqshy.types", code);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int detect_rule_texts(const struct sigma_rule *r, struct event *f, struct event_batch *b)
{
    int rc = add(f, b, "rule.id", r->id);

    if (rc == 0)
        rc = add(f, b, "rule.name", r->title);
    if (rc == 0)
        rc = add(f, b, "rule.name_kk", r->title_kk);
    if (rc == 0)
        rc = add(f, b, "rule.name_ru", r->title_ru);
    if (rc == 0)
        rc = add(f, b, "rule.level", str_c(sigma_level_name(r->level)));
    if (rc == 0)
        rc = add(f, b, "rule.author", r->author);
    for (size_t i = 0; rc == 0 && i < r->tags.count; i++)
        rc = add(f, b, "rule.tags", r->tags.items[i]);
    const struct { const char *name; const struct sigma_texts *list; } measures[] = {
        { "saqshy.recommendations.kk", &r->measures_kk }, { "saqshy.recommendations.ru", &r->measures_ru },
        { "saqshy.recommendations.en", &r->measures_en },
    };
    for (size_t k = 0; k < COUNT(measures); k++)
        for (size_t i = 0; rc == 0 && i < measures[k].list->count; i++)
            rc = add(f, b, measures[k].name, measures[k].list->items[i]);
    return rc == 0 ? annex_types(r, f, b) : rc;
}

static int add_group(const struct sigma_match *m, const struct event *ev, struct event *f, struct event_batch *b)
{
    struct str group = arena_printf(&b->arena, "%.*s|%.*s%s%.*s", STR_ARG(m->rule->id), STR_ARG(ev->object), m->group.n ? "|" : "",
                                    STR_ARG(m->group));
    struct str count = arena_printf(&b->arena, "%llu", (unsigned long long)m->count);
    struct str first = arena_printf(&b->arena, "%llu", (unsigned long long)m->first_seq);
    struct str last = arena_printf(&b->arena, "%llu", (unsigned long long)m->last_seq);
    int rc = add(f, b, "saqshy.group", group);

    if (rc == 0 && !isnan(m->value))
        rc = add(f, b, "saqshy.value", arena_printf(&b->arena, "%.15g", m->value));
    if (rc == 0)
        rc = add(f, b, "saqshy.count", count);
    if (rc == 0)
        rc = add(f, b, "saqshy.first_seq", first);
    return rc == 0 ? add(f, b, "saqshy.last_seq", last) : rc;
}

static int add_event(const struct event *ev, struct event *f, struct event_batch *b)
{
    char text[TIME_TEXT_MAX];
    int rc = add(f, b, "saqshy.event_time", arena_copy(&b->arena, str_c(time_format_utc(ev->time, text))));

    for (size_t i = 0; rc == 0 && i < COUNT(copied); i++)
        rc = add(f, b, copied[i], event_get(ev, str_c(copied[i])));
    f->original = ev->original;
    f->parser = ev->parser;
    f->parse = ev->parse;
    f->time_text = ev->time_text;
    f->offset_min = ev->offset_min;
    return rc;
}

int detect_finding(const struct sigma_match *m, const struct event *ev, struct event_batch *out, struct err *e)
{
    struct event *f = event_batch_add(out);
    int rc;

    if (!f)
        return err_set(e, -ENOMEM, "no memory for a finding");
    f->time = f->received = ev->received;
    f->class = ev->class;
    f->object = ev->object;
    f->source = ev->source;
    rc = detect_rule_texts(m->rule, f, out);
    if (rc == 0)
        rc = add_group(m, ev, f, out);
    if (rc == 0 && !m->window_end)
        rc = add_event(ev, f, out);
    if (rc == -E2BIG)   /* a rule with hundreds of tags: the finding is there, some of its texts are not */
        rc = 0;
    return rc < 0 || arena_failed(&out->arena) ? err_set(e, -ENOMEM, "no memory for a finding") : 0;
}

int detect_state(const struct event *ev, struct event_batch *out, struct err *e)
{
    struct event *f = event_batch_add(out);
    int rc = f ? 0 : -ENOMEM;

    if (f) {
        const uint32_t count = ev->field_count;

        *f = (struct event){ .time = ev->time, .received = ev->received, .offset_min = ev->offset_min, .parse = ev->parse, .marks = ev->marks,
                             .original = ev->original, .source = ev->source, .object = ev->object, .parser = ev->parser };
        for (uint32_t i = 0; rc == 0 && i < count; i++)
            rc = event_add(f, &out->arena, ev->fields[i].name, ev->fields[i].value);
    }
    return rc < 0 || arena_failed(&out->arena) ? err_set(e, -ENOMEM, "no memory to hand on a host's state") : 0;
}

void detect_shorten(struct event_batch *found)
{
    for (size_t i = 0; i < found->count; i++) {
        struct event *f = &found->items[i];

        if (f->original.n > SHORT_LINE) {
            f->original.n = SHORT_LINE;
            f->marks |= MARK_TRUNCATED;
        }
        for (uint32_t k = 0; k < f->field_count; k++)
            f->fields[k].value.n = min_size(f->fields[k].value.n, SHORT_VALUE);
    }
}
