/* retro_preview.c - "would have fired N times in the last D days": hits of each rule by day and by object, with the first of them. The hits themselves are not kept. Workers
 * count under one lock; the samples are those of the smallest seq, so nothing here depends on who was first. */
#include "detect/retro_internal.h"

#define LINE_SHOWN 1024u

struct counting {
    struct retro_preview_result *r;
    pthread_mutex_t lock;
    void          (*progress)(void *arg, uint64_t events, uint64_t all);
    void           *arg;
};

static void copy_id(char to[65], struct str id)
{
    size_t n = min_size(id.n, 64);

    if (n)
        memcpy(to, id.p, n);
    to[n] = 0;
}

static int count_object(struct retro_rule *r, struct str object)
{
    char id[65];
    size_t low = 0, high = r->object_count;

    copy_id(id, object);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(r->objects[mid].id, id);

        if (order == 0) {
            r->objects[mid].count++;
            return 0;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (r->object_count == RETRO_OBJECTS_MAX) {
        r->other_objects++;
        return 0;
    }
    if (r->object_count == r->object_cap) {
        size_t cap = r->object_cap ? r->object_cap * 2 : 16;
        struct retro_object *list = realloc(r->objects, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        r->objects = list;
        r->object_cap = cap;
    }
    memmove(r->objects + low + 1, r->objects + low, (r->object_count++ - low) * sizeof *r->objects);
    r->objects[low].count = 1;
    memcpy(r->objects[low].id, id, sizeof id);
    return 0;
}

static int keep_sample(struct retro_rule *r, const struct event *ev, const struct sigma_match *m)
{
    struct str line = m->rule->correlation ? m->group : ev->original;
    struct retro_sample *s;
    size_t at = r->sample_count;
    char *text;

    while (at > 0 && r->samples[at - 1].seq > ev->seq)
        at--;
    if (at == RETRO_SAMPLES_MAX)
        return 0;
    text = strndup(line.n ? line.p : "", min_size(line.n, LINE_SHOWN));
    if (!text)
        return -ENOMEM;
    if (r->sample_count == RETRO_SAMPLES_MAX)
        free(r->samples[--r->sample_count].line);
    memmove(r->samples + at + 1, r->samples + at, (r->sample_count++ - at) * sizeof *r->samples);
    s = &r->samples[at];
    *s = (struct retro_sample){ .seq = ev->seq, .time = ev->time, .line = text };
    copy_id(s->object, ev->object);
    return 0;
}

static int count(void *arg, const struct event *ev, const struct sigma_match *m, size_t n, struct buf *out)
{
    struct counting *c = arg;
    int64_t day = ev->time / NS_PER_DAY - (ev->time % NS_PER_DAY < 0) - c->r->first_day;
    int rc = 0;

    (void)out;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct retro_rule *r = &c->r->rules[m[i].rule->index];

        r->count++;
        if (day >= 0 && (uint64_t)day < c->r->day_count)
            r->days[day]++;
        rc = count_object(r, ev->object);
        if (rc == 0)
            rc = keep_sample(r, ev, &m[i]);
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static void tell_progress(void *arg, uint64_t events, uint64_t all)
{
    struct counting *c = arg;

    if (c->progress)
        c->progress(c->arg, events, all);
}

static int compare_objects(const void *x, const void *y)
{
    const struct retro_object *a = x, *b = y;

    return a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->id, b->id);
}

static int prepare(const struct retro_options *o, struct retro_preview_result *out, struct err *e)
{
    size_t rules = sigma_rule_count(o->rules);
    int64_t first = o->from / NS_PER_DAY - (o->from % NS_PER_DAY < 0), last;

    *out = (struct retro_preview_result){ .from = o->from, .to = o->to, .first_day = (int32_t)first };
    if (o->from >= o->to)
        return err_set(e, -EINVAL, "the range of time is empty");
    last = (o->to - 1) / NS_PER_DAY;
    if (last - first >= RETRO_DAYS_MAX)
        return err_set(e, -E2BIG, "a preview is of %d days at most", RETRO_DAYS_MAX);
    if (rules > RETRO_RULES_MAX)
        return err_set(e, -E2BIG, "a preview is of %d rules at most, not %zu", RETRO_RULES_MAX, rules);
    out->day_count = (size_t)(last - first + 1);
    out->rules = calloc(rules + 1, sizeof *out->rules);
    for (size_t i = 0; i < rules && out->rules; i++) {
        const struct sigma_rule *from = sigma_rule_at(o->rules, i);
        struct retro_rule *r = &out->rules[out->rule_count++];

        *r = (struct retro_rule){ .id = strndup(from->id.n ? from->id.p : "", from->id.n), .title = strndup(from->title.n ? from->title.p : "", from->title.n),
                                  .level = from->level, .silent = from->silent, .days = calloc(out->day_count, sizeof *r->days) };
        if (!r->id || !r->title || !r->days)
            return err_set(e, -ENOMEM, "no memory for a preview");
    }
    return out->rules ? 0 : err_set(e, -ENOMEM, "no memory for a preview");
}

int retro_preview(const struct retro_options *o, void (*progress)(void *arg, uint64_t events, uint64_t all), void *arg, struct retro_preview_result *out,
                  struct err *e)
{
    struct counting c = { .r = out, .progress = progress, .arg = arg };
    const struct retro_listener to = { .arg = &c, .sink = count, .progress = tell_progress };
    int rc = prepare(o, out, e);

    if (rc < 0)
        return rc;
    pthread_mutex_init(&c.lock, NULL);
    rc = retro_run(o, &to, &out->stats, e);
    pthread_mutex_destroy(&c.lock);
    for (size_t i = 0; i < out->rule_count; i++)
        if (out->rules[i].object_count)
            qsort(out->rules[i].objects, out->rules[i].object_count, sizeof *out->rules[i].objects, compare_objects);
    out->complete = rc == 0;
    return rc == -ETIMEDOUT || rc == -ECANCELED ? 0 : rc;
}

void retro_preview_free(struct retro_preview_result *r)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        struct retro_rule *rule = &r->rules[i];

        for (size_t k = 0; k < rule->sample_count; k++)
            free(rule->samples[k].line);
        free(rule->id);
        free(rule->title);
        free(rule->days);
        free(rule->objects);
    }
    free(r->rules);
    *r = (struct retro_preview_result){ .rules = NULL };
}

/* --- as JSON --- */

static void put_time(struct buf *b, time_ns t)
{
    buf_byte(b, '"');
    buf_time(b, t);
    buf_byte(b, '"');
}

static void put_samples(const struct retro_rule *r, struct buf *b)
{
    for (size_t i = 0; i < r->sample_count; i++) {
        buf_printf(b, "%s{\"seq\":%llu,\"time\":", i ? "," : "", (unsigned long long)r->samples[i].seq);
        put_time(b, r->samples[i].time);
        buf_str(b, STR(",\"object\":"));
        buf_json(b, str_c(r->samples[i].object));
        buf_str(b, STR(",\"line\":"));
        buf_json(b, str_c(r->samples[i].line));
        buf_byte(b, '}');
    }
}

static void put_rule(const struct retro_preview_result *p, const struct retro_rule *r, struct buf *b)
{
    buf_str(b, STR("{\"id\":"));
    buf_json(b, str_c(r->id));
    buf_str(b, STR(",\"title\":"));
    buf_json(b, str_c(r->title));
    buf_printf(b, ",\"level\":\"%s\",\"count\":%llu,\"days\":[", sigma_level_name(r->level), (unsigned long long)r->count);
    for (size_t i = 0; i < p->day_count; i++) {
        struct civil c = civil_from_days(p->first_day + (int64_t)i);

        buf_printf(b, "%s{\"day\":\"%04d-%02d-%02d\",\"count\":%llu}", i ? "," : "", c.year, c.month, c.day, (unsigned long long)r->days[i]);
    }
    buf_str(b, STR("],\"objects\":["));
    for (size_t i = 0; i < r->object_count; i++) {
        buf_str(b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        buf_json(b, str_c(r->objects[i].id));
        buf_printf(b, ",\"count\":%llu}", (unsigned long long)r->objects[i].count);
    }
    buf_printf(b, "],\"other_objects\":%llu,\"samples\":[", (unsigned long long)r->other_objects);
    put_samples(r, b);
    buf_str(b, STR("]}"));
}

void retro_preview_json(const struct retro_preview_result *r, struct buf *b)
{
    bool first = true;

    buf_str(b, STR("{\"from\":"));
    put_time(b, r->from);
    buf_str(b, STR(",\"to\":"));
    put_time(b, r->to);
    buf_printf(b, ",\"complete\":%s,\"events\":%llu,\"all\":%llu,\"rules\":[", r->complete ? "true" : "false", (unsigned long long)r->stats.events,
               (unsigned long long)r->stats.all);
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i].silent)
            continue;
        if (!first)
            buf_byte(b, ',');
        first = false;
        put_rule(r, &r->rules[i], b);
    }
    buf_str(b, STR("]}"));
}
