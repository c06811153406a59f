/* indicators.c - the indicators of compromise of a case: drawn from its events, edited by people, linked to the other cases they stand in.
 *
 * Addresses of one's own are kept and marked: in a case between two machines of one network they are what was attacked, not who did it. */
#include "desk/cases/acts.h"
#include "ioc/policy.h"
#include "ioc/write.h"

#define SHOWN_MAX 100   /* in the page of a case */
#define VALUES_MAX 8    /* of one field of an event */
#define SEEN_MAX  100   /* other cases that are counted for one indicator */

static int indicator_put(struct call *c, int64_t case_id, const char *type, struct str value, bool own, const char *origin, struct str note)
{
    AUTO_BUF struct buf b = { 0 };
    int64_t n = 0;
    int rc;

    buf_init(&b, 2 * IOC_VALUE_MAX);
    if (!ioc_normal(ioc_type_parse(str_c(type)), value, &b))
        return 1;
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM indicator WHERE case_id = ?", "i", case_id);
    if (rc < 0 || n >= INDICATORS_MAX)
        return rc < 0 ? rc : 1;
    struct str norm = arena_copy(&c->a, buf_view(&b));
    /* What a person took away stays away when the next event brings it again; what a person adds comes back. */
    rc = strcmp(origin, "event") == 0
             ? db_exec(c->d, c->e, "INSERT OR IGNORE INTO indicator(case_id, type, norm, value, own, origin, at) VALUES (?,?,?,?,?,'event',?)", "izttii", case_id,
                       type, norm, value, (int64_t)own, c->now)
             : db_exec(c->d, c->e,
                       "INSERT INTO indicator(case_id, type, norm, value, own, origin, author_id, at, note) VALUES (?1,?2,?3,?4,?5,'person',?6,?7,?8)"
                       " ON CONFLICT(case_id, type, norm) DO UPDATE SET removed_at = NULL, origin = 'person', author_id = ?6, at = ?7, note = ?8",
                       "izttimit", case_id, type, norm, value, (int64_t)own, (time_ns)viewer_id(c), c->now, note);
    return rc < 0 ? rc : 0;
}

static int own_host(struct call *c, struct str value, bool *own)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object_host WHERE host = ?", "t", value);

    *own = n > 0;
    return rc;
}

static int indicator_of_event(struct call *c, int64_t case_id, enum ioc_type type, struct str value, struct str host_ip)
{
    bool own = false;
    int rc = own_host(c, value, &own);

    return rc < 0 ? rc : indicator_put(c, case_id, ioc_type_name(type), value, own || str_eq(value, host_ip) || ioc_private(value), "event", (struct str){ NULL, 0 });
}

int indicators_of_event(struct call *c, int64_t case_id, const struct event *ev)
{
    struct str host_ip = event_get(ev, STR("host.ip"));
    int rc = 0;

    for (uint32_t i = 0; rc >= 0 && i < ev->field_count; i++) {
        enum ioc_type type = ioc_policy_means(c->d->ioc_policy, ev->fields[i].name);
        struct str rest = ev->fields[i].value, value;

        /* What stands behind IOC_OTHER only feeds know: Annex 2 has no such kinds. */
        for (int n = 0; n < VALUES_MAX && type <= IOC_OTHER && rc >= 0 && ioc_value_next(type, &rest, &value); n++)
            rc = value.n <= IOC_VALUE_MAX ? indicator_of_event(c, case_id, type, value, host_ip) : 0;
    }
    return rc < 0 ? rc : 0;
}

static int seen_in(struct call *c, int64_t case_id, struct str type, struct str norm, int64_t *n)
{
    return db_int(c->d, c->e, 0, n,
                  "SELECT count(*) FROM (SELECT 1 FROM indicator i JOIN cases k ON k.id = i.case_id LEFT JOIN object o ON o.id = k.object_id"
                  " WHERE i.norm = ?5 AND i.type = ?6 AND i.case_id <> ?7 AND i.removed_at IS NULL AND " CASE_VISIBLE " LIMIT ?8)",
                  "iziittii", is_bounded(c), viewer_org(c), viewer_id(c), is_knb(c), norm, type, case_id, (int64_t)SEEN_MAX);
}

int indicators_json(struct call *c, const struct kase *k, json_t **out)
{
    struct { struct str type, norm; } keys[SHOWN_MAX];
    size_t n = 0, i;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT type, norm, value, own, origin, note, at FROM indicator WHERE case_id = ? AND removed_at IS NULL"
                                " ORDER BY own, at, type, norm LIMIT 100",
                                "i", k->id);
    int rc = st ? 0 : -EIO;
    json_t *one;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < SHOWN_MAX) {
        keys[n].type = db_copy(st, 0, &c->a);
        keys[n++].norm = db_copy(st, 1, &c->a);
        json_array_append_new(*out, json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "type", db_json(st, 0), "value", db_json(st, 2), "own",
                                              sqlite3_column_int(st, 3), "origin", db_json(st, 4), "note", db_json(st, 5), "at", db_json_time(st, 6)));
    }
    if (rc > 0)
        db_done(st);
    json_array_foreach(*out, i, one) {
        int64_t seen = 0;

        rc = rc < 0 ? rc : seen_in(c, k->id, keys[i].type, keys[i].norm, &seen);
        json_object_set_new(one, "seen_in", json_integer((json_int_t)seen));
    }
    return rc < 0 ? rc : 0;
}

int act_add_indicator(struct call *c, struct act_call *a)
{
    struct str type = json_get_str(a->body, "type"), value = json_get_str(a->body, "value");
    char kind[16];
    bool own = false;
    int rc = own_host(c, value, &own);

    snprintf(kind, sizeof kind, "%.*s", STR_ARG(type));
    if (rc == 0)
        rc = indicator_put(c, a->k->id, kind, value, own || ioc_private(value), "person", json_get_str(a->body, "note"));
    if (rc > 0)
        return refuse(c, -EINVAL, "bad_request", "value", "this is no %s, or the case has %d indicators", kind, INDICATORS_MAX);
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "add_indicator", .text = value,
                                                                    .internal = a->k->machine == MACHINE_STS && !a->k->notified_at });
}

int act_remove_indicator(struct call *c, struct act_call *a)
{
    AUTO_BUF struct buf b = { 0 };
    int rc;

    buf_init(&b, 2 * IOC_VALUE_MAX);
    if (!ioc_normal(ioc_type_parse(json_get_str(a->body, "type")), json_get_str(a->body, "value"), &b))
        return refuse(c, -EINVAL, "bad_request", "value", "not an indicator of this type");
    rc = db_exec(c->d, c->e, "UPDATE indicator SET removed_at = ?4, author_id = ?5 WHERE case_id = ?1 AND type = ?2 AND norm = ?3 AND removed_at IS NULL",
                 "ittim", a->k->id, json_get_str(a->body, "type"), buf_view(&b), c->now, (time_ns)viewer_id(c));
    if (rc == 0)
        return refuse(c, -EINVAL, "bad_request", "value", "the case has no such indicator");
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "remove_indicator", .text = json_get_str(a->body, "reason"),
                                                                    .internal = a->k->machine == MACHINE_STS && !a->k->notified_at,
                                                                    .key = "case.text.indicator_removed",
                                                                    .args = json_pack("{s:o}", "value", json_object_get(a->body, "value") ?
                                                                                      json_incref(json_object_get(a->body, "value")) : json_string("")) });
}

/* --- taken out, for the platforms of others --- */

static int own_name(struct call *c, struct str *name)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name FROM org WHERE kind = 'sts' ORDER BY id LIMIT 1", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *name = rc > 0 ? db_copy(st, 0, &c->a) : STR("Saqshy");
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

/* list_of - all of the case that are not one's own. */
static int list_of(struct call *c, int64_t id, struct ioc **list, size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT type, norm, note, at FROM indicator WHERE case_id = ? AND removed_at IS NULL AND own = 0 ORDER BY at, type, norm", "i", id);
    int rc = st ? 0 : -EIO;

    *count = 0;
    *list = arena_array(&c->a, INDICATORS_MAX, sizeof **list);
    if (!*list)
        rc = -ENOMEM;
    while (rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        struct ioc one = { .type = ioc_type_parse(db_str(st, 0)), .value = db_copy(st, 1, &c->a), .note = db_copy(st, 2, &c->a), .confidence = IOC_CONFIDENCE_NONE,
                           .from = sqlite3_column_int64(st, 3) };

        if (one.type < IOC_TYPES && *count < INDICATORS_MAX)
            (*list)[(*count)++] = one;
    }
    return rc;
}

static int take_out(struct call *c, int64_t id, enum ioc_format format, struct buf *out)
{
    struct ioc_collection of = { .at = c->now };
    struct ioc *list = NULL;
    size_t count = 0, left_out = 0;
    struct kase k;
    int rc = case_load(c, id, &k);

    if (rc == 0)
        rc = own_name(c, &of.producer);
    if (rc == 0)
        rc = list_of(c, id, &list, &count);
    if (rc < 0)
        return rc;
    of.title = of.key = k.number;
    of.tlp = ioc_tlp_parse(k.tlp);
    if (of.tlp >= IOC_TLP_COUNT)
        of.tlp = IOC_TLP_AMBER;
    rc = ioc_write(format, &of, list, count, out, &left_out, c->e);
    return rc < 0 ? rc : audit_read(c, "export", arena_printf(&c->a, "case/%lld", (long long)id).p,
                                    arena_printf(&c->a, "indicators, %s: %zu", ioc_format_name(format), count - left_out));
}

int desk_case_indicators(struct desk *d, const struct viewer *v, struct str case_id, bool misp, time_ns now, struct buf *out, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = parse_id(case_id) ? take_out(&c, parse_id(case_id), misp ? IOC_MISP : IOC_STIX, out) : refuse(&c, -ENOENT, "not_found", NULL, "no such case");
    if (rc < 0)
        buf_reset(out);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
