/* picture.c - DATA/run/retention.json, which everybody shows, and DATA/store/GROWTH: a line a day, "2026-11-27 BYTES EVENTS FREE". */
#include "base/file.h"
#include "keep/internal.h"

#define GROWTH_EVERY_NS NS_PER_HOUR
#define SHOWN_DAYS      30

const char *day_text(int32_t day, char out[16])
{
    struct civil c = civil_from_days(day);

    snprintf(out, 16, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
    return out;
}

/* --- the history --- */

void growth_load(struct keep *k)
{
    AUTO_BUF struct buf b;
    char path[4096];
    struct str rest, line;

    buf_init(&b, 0);
    if (file_read(node_path(k->node, "store/GROWTH", path), 64 * KIB, &b, NULL) < 0)
        return;     /* none yet; a damaged one is begun anew */
    rest = buf_view(&b);
    while (k->growth_count < GROWTH_DAYS_MAX && str_split(&rest, '\n', &line)) {
        struct growth_day *g = &k->growth[k->growth_count];
        char text[128];
        long long bytes, events, free;
        int year, month, day;

        snprintf(text, sizeof text, "%.*s", STR_ARG(line));
        if (sscanf(text, "%4d-%2d-%2d %lld %lld %lld", &year, &month, &day, &bytes, &events, &free) != 6)
            continue;
        *g = (struct growth_day){ (int32_t)civil_days(year, month, day), bytes, events, free };
        k->growth_count += k->growth_count == 0 || g->day > g[-1].day;
    }
}

/* growth_of - the line of this day, which is the last one; the oldest gives way. Lines of days that are still to come are of a clock that ran ahead. */
static struct growth_day *growth_of(struct keep *k, int32_t day)
{
    struct growth_day *last;

    while (k->growth_count && k->growth[k->growth_count - 1].day > day)
        k->growth_count--;
    last = k->growth_count ? &k->growth[k->growth_count - 1] : NULL;
    if (last && last->day == day)
        return last;
    if (k->growth_count == GROWTH_DAYS_MAX) {
        memmove(k->growth, k->growth + 1, (GROWTH_DAYS_MAX - 1) * sizeof *k->growth);
        k->growth_count--;
    }
    last = &k->growth[k->growth_count++];
    *last = (struct growth_day){ .day = day };
    return last;
}

static int growth_note(struct keep *k, const struct store_day *list, size_t count, time_ns now, struct err *e)
{
    AUTO_BUF struct buf b;
    const struct place *p = place_of(k, "store");
    struct growth_day *g = growth_of(k, (int32_t)(now / NS_PER_DAY));
    char path[4096], day[16];

    buf_init(&b, 64 * KIB);
    for (size_t i = 0; i < count; i++)
        if (list[i].day == g->day) {
            g->bytes = (int64_t)list[i].bytes;
            g->events = (int64_t)list[i].events;
        }
    g->free = p ? p->space.free : 0;
    if (k->growth_at && clock_steady() - k->growth_at < GROWTH_EVERY_NS && g->bytes)
        return 0;
    k->growth_at = clock_steady();
    for (size_t i = 0; i < k->growth_count; i++)
        buf_printf(&b, "%s %lld %lld %lld\n", day_text(k->growth[i].day, day), (long long)k->growth[i].bytes, (long long)k->growth[i].events,
                   (long long)k->growth[i].free);
    return file_write_atomic(node_path(k->node, "store/GROWTH", path), buf_view(&b), 0640, e);
}

int64_t growth_other(const struct keep *k, time_ns now)
{
    int32_t today = (int32_t)(now / NS_PER_DAY);
    int64_t sum = 0, days = 0;

    for (size_t i = 1; i < k->growth_count; i++) {
        const struct growth_day *g = &k->growth[i], *before = g - 1;

        /* Where a disk was enlarged, or files were removed, it says nothing. */
        if (g->day != before->day + 1 || g->day >= today || g->day < today - PACE_DAYS || before->free < g->free)
            continue;
        sum += before->free - g->free - g->bytes;
        days++;
    }
    return days ? sum / days : 0;
}

/* --- the picture --- */

static json_t *day_json(int32_t day)
{
    char text[16];

    return day == INT32_MIN ? json_null() : json_string(day_text(day, text));
}

static json_t *moment_json(time_ns t)
{
    char text[TIME_TEXT_MAX];

    return t ? json_string(time_format_utc(t / NS_PER_SECOND * NS_PER_SECOND, text)) : json_null();
}

static json_t *terms_json(const struct keep *k)
{
    const struct node *n = k->node;
    json_t *basis = json_object(), *longer = json_array();

    for (enum lang l = 0; l < LANG_COUNT; l++)
        json_object_set_new(basis, lang_name(l), json_string(k->floor.basis[l]));
    for (size_t i = 0; i < n->longer.count; i++)
        json_array_append_new(longer, json_pack("{s:s,s:s,s:I}", "name", n->longer.item[i].name, "filter",
                                                n->longer.item[i].profile ? n->longer.item[i].profile : n->longer.item[i].filter, "days",
                                                (json_int_t)n->longer.item[i].days));
    return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:b,s:s,s:s,s:s}", "days", (json_int_t)n->retention_days, "fast_days",
                     (json_int_t)(*n->retention_archive ? n->retention_fast_days : n->retention_days), "least_days", (json_int_t)k->floor.days,
                     "least_fast_days", (json_int_t)k->floor.fast_days, "basis", basis, "longer", longer, "shorter", keep_shorter(n, &k->floor), "reason",
                     n->retention_reason, "decided_by", n->retention_by, "decided_on", n->retention_on);
}

static json_t *store_json(const struct keep *k, const struct store_sum *s)
{
    const struct keep_done *d = &k->done;
    json_t *archive = json_pack("{s:s,s:b,s:I,s:I,s:o,s:s,s:I,s:o}", "folder", k->node->retention_archive, "there", s->archive_there, "parts",
                                (json_int_t)s->archived_parts, "bytes", (json_int_t)s->archived_bytes, "newest_day", day_json(s->archive_newest), "error",
                                d->archive_error, "moved_parts", (json_int_t)d->moved_parts, "moved_at", moment_json(d->moved_at));

    return json_pack("{s:I,s:I,s:I,s:o,s:o,s:o,s:I,s:o,s:o}", "events", (json_int_t)s->events, "bytes", (json_int_t)s->bytes, "parts", (json_int_t)s->parts,
                     "oldest_day", day_json(s->oldest), "newest_day", day_json(s->newest), "fast_oldest_day", day_json(s->fast_oldest), "fast_bytes",
                     (json_int_t)(s->bytes - s->archived_bytes), "archive", s->archive || *k->node->retention_archive ? archive : (json_decref(archive), json_null()),
                     "removed", json_pack("{s:I,s:I,s:I,s:o,s:s}", "days", (json_int_t)d->expired.days, "events", (json_int_t)d->expired.events, "bytes",
                                          (json_int_t)d->expired.bytes, "at", moment_json(d->expired_at), "error", d->expire_error));
}

static json_t *growth_json(const struct keep *k, const struct store_day *list, size_t count)
{
    json_t *days = json_array();

    (void)k;
    for (size_t i = count > SHOWN_DAYS ? count - SHOWN_DAYS : 0; i < count; i++)
        json_array_append_new(days, json_pack("{s:o,s:I,s:I}", "day", day_json(list[i].day), "bytes", (json_int_t)list[i].bytes, "events",
                                              (json_int_t)list[i].events));
    return days;
}

static json_t *outlook_json(const struct keep_outlook *o, time_ns now)
{
    return json_pack("{s:I,s:I,s:I,s:i,s:o,s:o,s:s,s:I,s:I,s:b}", "other_day", (json_int_t)o->other_day, "bytes_day", (json_int_t)o->bytes_day, "events_day", (json_int_t)o->events_day, "measured_days",
                     o->measured_days, "full_in_days", o->full_in_days < 0 ? json_null() : json_integer(o->full_in_days), "full_on",
                     o->full_in_days < 0 ? json_null() : day_json((int32_t)(now / NS_PER_DAY + o->full_in_days)), "full_where",
                     o->full_in_days < 0 ? "" : o->archive_first ? "archive" : "store", "need_bytes", (json_int_t)o->need_bytes, "have_bytes",
                     (json_int_t)o->have_bytes, "enough", o->have_bytes >= o->need_bytes && o->full_in_days < 0);
}

static json_t *space_json(const struct keep *k)
{
    json_t *places = json_array();
    time_ns since = 0;

    for (size_t i = 0; i < k->places; i++) {
        const struct place *p = &k->place[i];

        if (!p->there)
            continue;
        if (!p->archive && p->space.state == places_state(k) && p->since > since)
            since = p->since;
        json_array_append_new(places, json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:o}", "name", p->name, "path", p->path, "total", (json_int_t)p->space.total, "free",
                                                (json_int_t)p->space.free, "reserve", (json_int_t)p->space.reserve, "state", space_state_name(p->space.state),
                                                "since", moment_json(p->since)));
    }
    return json_pack("{s:s,s:o,s:o}", "state", space_state_name(places_state(k)), "since", moment_json(since), "places", places);
}

static void look_ahead(const struct keep *k, const struct store_day *list, size_t count, time_ns now, struct keep_outlook *out)
{
    const struct place *fast = place_of(k, "store"), *away = *k->node->retention_archive ? place_of(k, "store/archive") : NULL;
    struct keep_terms t = { k->node->retention_days, k->node->retention_fast_days, k->policy.hold_count ? OUTLOOK_DAYS * 2 : k->longest };   /* what a hold keeps makes no room */
    struct keep_room room = { .free = fast ? fast->space.free - fast->space.reserve : 0, .total = fast ? fast->space.total : 0, .archive = away && away != fast,
                              .archive_free = away ? away->space.free - away->space.reserve : 0, .other_day = growth_other(k, now) };

    keep_look_ahead(list, count, now, &t, &room, out);
}

static void set_metrics(const struct keep *k, const struct store_sum *sum, const struct keep_outlook *o)
{
    const struct place *p = place_of(k, "store");

    metric_set(k->m_state, (int64_t)places_state(k));
    metric_set(k->m_free, p ? p->space.free : 0);
    metric_set(k->m_reserve, p ? p->space.reserve : 0);
    metric_set(k->m_full_in, o->full_in_days);
    metric_set(k->m_pace, o->bytes_day);
    metric_set(k->m_need, o->need_bytes);
    metric_set(k->m_bytes, (int64_t)sum->bytes);
    metric_set(k->m_events, (int64_t)sum->events);
    metric_set(k->m_parts, (int64_t)sum->parts);
    metric_set(k->m_archived, (int64_t)sum->archived_bytes);
    metric_set(k->m_expired, (int64_t)k->done.expired.events);
    metric_set(k->m_moved, (int64_t)k->done.moved_parts);
}

int keep_publish(struct keep *k, time_ns now, struct err *e)
{
    AUTO_FREE struct store_day *list = NULL;
    struct keep_outlook o;
    struct store_sum sum;
    char path[4096], folder[4096];
    size_t count;
    json_t *all;
    char *text;
    int rc = store_days(node_path(k->node, "store", folder), &list, &count, &sum, e);

    if (rc < 0)
        return rc;
    look_ahead(k, list, count, now, &o);
    set_metrics(k, &sum, &o);
    all = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "at", moment_json(now), "terms", terms_json(k), "store", store_json(k, &sum), "growth",
                    growth_json(k, list, count), "outlook", outlook_json(&o, now), "space", space_json(k), "holds",
                    holds_json(k));
    text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (!text)
        return err_set(e, -ENOMEM, "no memory for " KEEP_PICTURE);
    rc = file_write_quick(node_path(k->node, KEEP_PICTURE, path), str_c(text), e);
    free(text);
    return rc < 0 ? rc : growth_note(k, list, count, now, e);
}

int keep_picture(const char *data, json_t **out, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4096];
    int rc;

    *out = NULL;
    buf_init(&b, KEEP_PICTURE_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/" KEEP_PICTURE, data);
    rc = file_read(path, KEEP_PICTURE_MAX, &b, e);
    if (rc < 0)
        return rc;
    *out = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    return *out ? 0 : err_set(e, -EBADMSG, "\"%s\" cannot be read", path);
}

enum space_state keep_state(const json_t *picture)
{
    const char *s = json_string_value(json_object_get(json_object_get(picture, "space"), "state"));

    return !s ? SPACE_OK : strcmp(s, "touched") == 0 ? SPACE_TOUCHED : strcmp(s, "low") == 0 ? SPACE_LOW : SPACE_OK;
}
