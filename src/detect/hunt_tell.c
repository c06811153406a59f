/* hunt_tell.c - a match as a line of JSON; see hunt.h. */
#include "detect/hunt.h"

/* tell_conditions - which of a list of conditions held, by their numbers from 0; a rule with one says nothing. */
static void tell_conditions(const struct sigma_match *m, struct buf *out)
{
    const char *between = ",\"conditions\":[";

    for (unsigned i = 0; i < 64; i++) {
        if (!(m->conditions >> i & 1))
            continue;
        buf_printf(out, "%s%u", between, i);
        between = ",";
    }
    if (m->conditions)
        buf_byte(out, ']');
}

void hunt_match_json(const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, struct buf *out)
{
    const struct sigma_rule *r = m->rule;

    buf_str(out, STR("{\"file\":"));
    buf_json(out, str_c(file));
    buf_printf(out, ",\"record\":%llu,\"time\":\"", (unsigned long long)record);
    buf_time(out, ev->time);
    buf_str(out, STR("\",\"rule\":{\"id\":"));
    buf_json(out, r->id);
    buf_str(out, STR(",\"title\":"));
    buf_json(out, r->title);
    buf_printf(out, ",\"level\":\"%s\",\"tags\":[", sigma_level_name(r->level));
    for (size_t i = 0; i < r->tags.count; i++) {
        if (i)
            buf_byte(out, ',');
        buf_json(out, r->tags.items[i]);
    }
    buf_str(out, STR("],\"author\":"));   /* the licence of the public rules wants it beside every alert */
    buf_json(out, r->author);
    buf_str(out, STR("},\"match\":["));
    for (size_t i = 0; i < m->hit_count; i++) {
        buf_str(out, i ? STR(",{\"field\":") : STR("{\"field\":"));
        buf_json(out, m->hits[i].field);
        buf_str(out, STR(",\"value\":"));
        buf_json(out, m->hits[i].value);
        buf_printf(out, ",\"at\":%zu}", m->hits[i].at);
    }
    buf_byte(out, ']');
    tell_conditions(m, out);
    if (r->correlation) {
        buf_printf(out, ",\"count\":%llu,\"group\":", (unsigned long long)m->count);
        buf_json(out, m->group);
    }
    buf_str(out, STR(",\"event\":"));
    event_json(ev, out);
    buf_byte(out, '}');
}
