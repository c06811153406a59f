/* episode_tell.c - what an episode has to say, as an event of the findings journal. */
#include "detect/episode_internal.h"

/* add_number - as text in the batch's arena. */
static int add_number(struct event *f, struct event_batch *b, const char *name, uint64_t v)
{
    return event_add(f, &b->arena, str_c(name), arena_printf(&b->arena, "%llu", (unsigned long long)v));
}

static int add_time(struct event *f, struct event_batch *b, const char *name, time_ns t)
{
    char text[TIME_TEXT_MAX];

    return event_add(f, &b->arena, str_c(name), arena_copy(&b->arena, str_c(time_format_utc(t, text))));
}

int episode_fields(struct str fields, struct event *f, struct event_batch *b)
{
    struct reader r = rd_str(fields);
    int rc = 0;

    while (rc == 0 && rd_ok(&r) && rd_left(&r)) {
        struct str name = rd_varstr(&r, EVENT_NAME_MAX, "a name"), value = rd_varstr(&r, SIZE_MAX, "a value");

        if (rd_ok(&r) && !event_get(f, name).n)
            rc = event_add(f, &b->arena, arena_copy(&b->arena, name), arena_copy(&b->arena, value));
    }
    return rc;
}

/* add_samples - numbers of the first events; lines of those that no finding had yet. The last line is the finding's own. */
static int add_samples(const struct episode *ep, struct event *f, struct event_batch *b)
{
    struct reader r = rd_from(ep->lines.p, ep->lines.n);
    int rc = 0;

    for (uint8_t i = 0; rc == 0 && i < ep->sample_count; i++)
        rc = add_number(f, b, "saqshy.sample_seqs", ep->samples[i]);
    for (uint8_t i = 0; rc == 0 && i < ep->line_count; i++) {
        struct str line = arena_copy(&b->arena, rd_varstr(&r, EPISODE_LINE_MAX, "a line"));

        f->original = line;
        rc = event_add(f, &b->arena, STR("saqshy.samples"), line);
    }
    return rc;
}

static int add_counts(const struct episode *ep, const struct episode_text *t, struct event *f, struct event_batch *b)
{
    bool correlation = t->kind != EPISODE_RATE && ep->match_count > 1;
    int rc = event_add(f, &b->arena, STR("saqshy.group"), arena_printf(&b->arena, "%.*s|%.*s%s%.*s", STR_ARG(t->rule), STR_ARG(t->object),
                                                                       t->group.n && t->kind != EPISODE_RATE ? "|" : "",
                                                                       STR_ARG(t->kind == EPISODE_RATE ? STR("") : t->group)));

    if (rc == 0)
        rc = add_number(f, b, "saqshy.count", correlation ? ep->match_count : ep->hits);
    if (rc == 0)
        rc = add_number(f, b, "saqshy.first_seq", ep->first_seq);
    if (rc == 0)
        rc = add_number(f, b, "saqshy.last_seq", ep->last_seq);
    if (rc == 0)
        rc = event_add(f, &b->arena, STR("saqshy.episode"), arena_printf(&b->arena, "%016llx-%llu", (unsigned long long)ep->aged.hash,
                                                                        (unsigned long long)ep->first_seq));
    if (rc == 0)
        rc = add_number(f, b, "saqshy.hits", ep->untold);
    if (rc == 0)
        rc = add_number(f, b, "saqshy.hits_total", ep->hits);
    if (rc == 0 && t->kind == EPISODE_RATE)
        rc = event_add(f, &b->arena, STR("saqshy.summary"), STR("storm"));
    if (rc == 0 && t->kind == EPISODE_RATE)
        rc = add_number(f, b, "saqshy.groups", ep->groups);
    if (rc == 0)
        rc = add_time(f, b, "saqshy.first_time", ep->first_time);
    return rc < 0 ? rc : add_time(f, b, "saqshy.event_time", ep->last_time);
}

int episode_update(struct episodes *x, struct episode *ep, const struct sigma *set, struct event_batch *out, struct err *e)
{
    struct episode_text t = episode_text(ep);
    const struct sigma_rule *known = sigma_rule_find(set, t.rule);
    struct event *f = event_batch_add(out);
    struct sigma_rule rule = known ? *known : (struct sigma_rule){ 0 };
    int rc;

    if (!f)
        return err_set(e, -ENOMEM, "no memory for a finding");
    if (!known) {   /* of an indicator, or its rule is gone */
        rule.id = arena_copy(&out->arena, t.rule);
        rule.title = arena_copy(&out->arena, t.title.n ? t.title : t.rule);
    }
    rule.level = ep->level;
    f->time = f->received = ep->last_at;
    f->class = ep->class;
    f->offset_min = EVENT_OFFSET_NONE;
    f->object = arena_copy(&out->arena, t.object);
    f->source = arena_copy(&out->arena, t.source);
    rc = detect_rule_texts(&rule, f, out);
    if (rc == 0)
        rc = add_counts(ep, &t, f, out);
    if (rc == 0)
        rc = episode_fields(t.fields, f, out);
    if (rc == 0)
        rc = add_samples(ep, f, out);
    if (rc == -E2BIG)
        rc = 0;
    if (rc < 0 || arena_failed(&out->arena))
        return err_set(e, -ENOMEM, "no memory for a finding");
    ep->untold = 0;
    ep->line_count = 0;
    buf_free(&ep->lines);
    buf_init(&ep->lines, EPISODE_SAMPLES * (EPISODE_LINE_MAX + 4));
    x->counters.told++;
    return 0;
}
