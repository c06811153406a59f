/* work.c - adding what was understood to the event: fields, senses, codes of Annex 4; see internal.h. */
#include "parse/internal.h"

void work_add_slow(struct work *w, struct str name, struct str value)
{
    if (event_add(w->ev, w->arena, name, value) < 0)
        w->trouble = true;
}

void work_set(struct work *w, struct str name, struct str value)
{
    if (value.n && event_set(w->ev, w->arena, name, value) < 0)
        w->trouble = true;
}

void work_sense(struct work *w, const struct sense *s)
{
    work_add(w, STR("event.category"), str_c(s->category));
    work_add(w, STR("event.category"), str_c(s->category2));
    work_add(w, STR("event.type"), str_c(s->type));
    work_add(w, STR("event.type"), str_c(s->type2));
    work_add(w, STR("event.action"), str_c(s->action));
    work_add(w, STR("event.outcome"), str_c(s->outcome));
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

/* The codes in the order of the bits in internal.h. */
static const struct str type_names[TYPE_BITS] = {
    STR_INIT("OS-01"), STR_INIT("OS-02"), STR_INIT("OS-03"), STR_INIT("OS-04"), STR_INIT("OS-05"),
    STR_INIT("OS-06"), STR_INIT("OS-07"), STR_INIT("OS-08"), STR_INIT("OS-09"), STR_INIT("OS-10"),
    STR_INIT("OS-11"), STR_INIT("OS-12"), STR_INIT("OS-13"), STR_INIT("UX-01"), STR_INIT("UX-02"),
    STR_INIT("UX-03"), STR_INIT("WIN-01"), STR_INIT("WIN-02"), STR_INIT("WIN-03"), STR_INIT("WIN-04"),
    STR_INIT("WIN-05"), STR_INIT("WIN-06"), STR_INIT("WIN-07"), STR_INIT("WIN-08"), STR_INIT("WIN-09"),
    STR_INIT("WIN-10"), STR_INIT("WIN-11"), STR_INIT("DB-01"), STR_INIT("DB-02"), STR_INIT("DB-03"),
    STR_INIT("NET-01"), STR_INIT("NET-02"), STR_INIT("NET-03"), STR_INIT("NET-04"), STR_INIT("NET-05"),
    STR_INIT("NET-06"), STR_INIT("NET-07"), STR_INIT("FW-01"), STR_INIT("FW-02"), STR_INIT("APP-01"),
    STR_INIT("APP-02"), STR_INIT("APP-03"), STR_INIT("APP-04"), STR_INIT("APP-05"), STR_INIT("SEC-01"),
    STR_INIT("SEC-02"), STR_INIT("SEC-03"), STR_INIT("SEC-04"),
};

uint64_t work_type_bit(struct str code)
{
    for (unsigned i = 0; i < TYPE_BITS; i++)
        if (str_eq(type_names[i], code))
            return UINT64_C(1) << i;
    return 0;
}

void work_types(struct work *w)
{
    for (uint64_t left = w->types; left; left &= left - 1)
        work_add(w, STR("saqshy.types"), type_names[__builtin_ctzll(left)]);
}

/* related_add - value under name unless it stands there already among the fields from first on. */
static void related_add(struct work *w, uint32_t first, struct str name, struct str value)
{
    const struct event_field *f = w->ev->fields + first, *end = w->ev->fields + w->ev->field_count;

    for (; f < end; f++)
        if (same_name(f->value, value) && str_eq(f->name, name))
            return;
    work_add(w, name, value);
}

/* related_name - where a value of this name belongs; {NULL,0}: nowhere. By length first: it is asked of every field. */
static struct str related_name(struct str name)
{
    switch (name.n) {
    case 9:
        if (memcmp(name.p, "source.ip", 9) == 0)
            return STR("related.ip");
        if (memcmp(name.p, "user.name", 9) == 0)
            return STR("related.user");
        return memcmp(name.p, "host.name", 9) == 0 ? STR("related.hosts") : (struct str){ NULL, 0 };
    case 13:
        return memcmp(name.p, "source.domain", 13) == 0 ? STR("related.hosts") : (struct str){ NULL, 0 };
    case 14:
        return memcmp(name.p, "destination.ip", 14) == 0 ? STR("related.ip") : (struct str){ NULL, 0 };
    case 16:
        return memcmp(name.p, "user.target.name", 16) == 0 ? STR("related.user") : (struct str){ NULL, 0 };
    case 19:
        return memcmp(name.p, "user.effective.name", 19) == 0 ? STR("related.user") : (struct str){ NULL, 0 };
    case 22:
        return memcmp(name.p, "auditd.log.socket.addr", 22) == 0 ? STR("related.ip") : (struct str){ NULL, 0 };
    default:
        return (struct str){ NULL, 0 };
    }
}

/* The lengths of the names that a census counts, as bits; modulo 64, it looks itself. */
#define CENSUS_LENGTHS (UINT64_C(1) << 7 | 1u << 9 | 1u << 10 | 1u << 13 | 1u << 14 | 1u << 16 | 1u << 19 | 1u << 22)

void work_census(const struct event *ev, uint32_t from, struct census *c)
{
    if (from == 0) {
        c->kind = c->host = c->message = false;
        c->count = 0;
    }
    for (uint32_t i = from; i < ev->field_count; i++) {
        const struct str *name = &ev->fields[i].name;

        if (!(CENSUS_LENGTHS >> (name->n & 63) & 1))
            continue;
        if (*name->p == 'e') /* most are: event.category and its like */
            c->kind |= same_name(*name, STR("event.kind"));
        else if (name->n == 7)
            c->message |= same_name(*name, STR("message"));
        else if (c->count < COUNT(c->related))
            c->related[c->count++] = (uint16_t)i;
        if (name->n == 9)
            c->host |= same_name(*name, STR("host.name"));
    }
}

void work_related(struct work *w, const struct census *c)
{
    uint32_t first = w->ev->field_count;

    for (uint32_t i = 0; i < c->count; i++) {
        const struct event_field *f = &w->ev->fields[c->related[i]];
        struct str name = related_name(f->name);

        if (name.n)
            related_add(w, first, name, f->value);
    }
}
