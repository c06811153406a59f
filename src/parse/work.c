/* work.c - adding what was understood to the event: fields, senses, codes of Annex 4; see internal.h. */
#include "parse/internal.h"

void work_add_slow(struct work *w, struct str name, struct str value)
{
    if (event_add(w->ev, w->arena, name, value) < 0)
        w->trouble = true;
    else
        work_note(w, name, w->ev->field_count - 1);
}

void work_set(struct work *w, struct str name, struct str value)
{
    struct event_field *f = w->ev->fields, *end = f + (w->names & name_bit(name) ? w->ev->field_count : 0);

    if (value.n == 0)
        return;
    while (f < end && !same_name(f->name, name))
        f++;
    if (f < end)
        f->value = value;
    else
        work_add(w, name, value);
}

void work_survey(struct work *w)
{
    w->noted_count = 0;
    w->said = 0;
    for (uint32_t i = 0; i < w->ev->field_count; i++)
        work_note(w, w->ev->fields[i].name, i);
}

void work_sense(struct work *w, const struct sense *s)
{
    work_add(w, STR("event.category"), s->category);
    work_add(w, STR("event.category"), s->category2);
    work_add(w, STR("event.type"), s->type);
    work_add(w, STR("event.type"), s->type2);
    work_add(w, STR("event.action"), s->action);
    work_add(w, STR("event.outcome"), s->outcome);
    w->types |= s->types;
}

void work_peer_ip(struct work *w, struct str ip, struct str port)
{
    work_add(w, STR("source.ip"), ip);
    work_add(w, STR("source.address"), ip);
    if (all_digits(port))
        work_add(w, STR("source.port"), port);
}

void work_peer(struct work *w, struct str address, struct str port)
{
    struct str ip = ip_of(address);

    if (ip.n) {
        work_peer_ip(w, ip, port);
        return;
    }
    if (address.n && !str_eq(address, STR("?")) && !str_eq(address, STR("UNKNOWN"))) {
        work_add(w, STR("source.domain"), address);
        work_add(w, STR("source.address"), address);
    }
    if (all_digits(port))
        work_add(w, STR("source.port"), port);
}

void work_dest(struct work *w, struct str address, struct str port)
{
    struct str ip = ip_of(address);

    if (ip.n)
        work_add(w, STR("destination.ip"), ip);
    work_add(w, STR("destination.address"), ip.n ? ip : address);
    if (all_digits(port))
        work_add(w, STR("destination.port"), port);
}

void work_user(struct work *w, struct str name)
{
    if (!str_eq(name, STR("?")))
        work_add(w, STR("user.name"), name);
}

void work_number(struct work *w, struct str name, uint64_t value)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    work_add(w, name, arena_copy(w->arena, str_of(digits + sizeof digits - n, n)));
}

uint64_t work_type_bit(struct str code)
{
    int type = event_type(code);

    return type < 0 ? 0 : UINT64_C(1) << type;
}

void work_types(struct work *w)
{
    for (uint64_t left = w->types; left; left &= left - 1)
        work_close(w, STR("saqshy.types"), event_types[__builtin_ctzll(left)]);
}

/* --- what the end of a line asks for --- */

/* The names that are noted, at their places, and under which name they are told again. */
static const struct {
    struct str name, related;
} noted[64] = {
    [NAME_PLACE(10, 'e', 'd')] = { PAIR("event.kind", "") },
    [NAME_PLACE(7, 'm', 'e')] = { PAIR("message", "") },
    [NAME_PLACE(9, 's', 'p')] = { PAIR("source.ip", "related.ip") },
    [NAME_PLACE(9, 'u', 'e')] = { PAIR("user.name", "related.user") },
    [NAME_PLACE(9, 'h', 'e')] = { PAIR("host.name", "related.hosts") },
    [NAME_PLACE(13, 's', 'n')] = { PAIR("source.domain", "related.hosts") },
    [NAME_PLACE(14, 'd', 'p')] = { PAIR("destination.ip", "related.ip") },
    [NAME_PLACE(16, 'u', 'e')] = { PAIR("user.target.name", "related.user") },
    [NAME_PLACE(19, 'u', 'e')] = { PAIR("user.effective.name", "related.user") },
    [NAME_PLACE(22, 'a', 'r')] = { PAIR("auditd.log.socket.addr", "related.ip") },
};

void work_noted(struct work *w, struct str name, uint32_t at)
{
    unsigned place = name_place(name);

    if (name.n != noted[place].name.n || name.n > 32 || !same_bytes(name.p, noted[place].name.p, name.n))
        return;
    w->said |= UINT64_C(1) << place;
    if (noted[place].related.n)
        w->noted[w->noted_count++] = (struct noted){ (uint16_t)at, (uint16_t)place };
}

struct str work_first(const struct work *w, uint64_t bit)
{
    for (uint32_t i = 0; w->said & bit && i < w->noted_count; i++)
        if (bit >> w->noted[i].place & 1)
            return w->ev->fields[w->noted[i].at].value;
    return (struct str){ NULL, 0 };
}

/* related_add - value under name unless it stands there already among the fields from first on. */
static inline void related_add(struct work *w, uint32_t first, struct str name, struct str value)
{
    const struct event_field *f = w->ev->fields + first, *end = w->ev->fields + w->ev->field_count;

    for (; f < end; f++)
        if (same_name(f->value, value) && same_name(f->name, name))
            return;
    work_close(w, name, value);
}

void work_related(struct work *w)
{
    uint32_t first = w->ev->field_count;

    for (uint32_t i = 0; i < w->noted_count; i++)
        related_add(w, first, noted[w->noted[i].place].related, w->ev->fields[w->noted[i].at].value);
}
