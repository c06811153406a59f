/* people.c - whom to reach now, and whether they were found when somebody last looked. */
#include "desk/registry/room.h"

struct str contact_channel_find(const struct contact_now *p, const char *kind)
{
    for (size_t i = 0; i < p->channels; i++)
        if (str_eq(p->channel[i].kind, str_c(kind)))
            return p->channel[i].value;
    return (struct str){ NULL, 0 };
}

static struct str kept(struct call *c, const json_t *v, const char *key)
{
    struct str s = json_get_str(v, key);

    return s.p ? arena_copy(&c->a, s) : s;
}

static int contact_fill(struct call *c, sqlite3_stmt *st, const struct civil *at, struct contact_now *p)
{
    struct str json = db_str(st, 3);
    json_t *v = json_loadb(json.p, json.n, 0, NULL), *ch;
    size_t i;

    if (!v)
        return err_set(c->e, -EIO, "person \"%.*s\" is no JSON", STR_ARG(db_str(st, 1)));
    *p = (struct contact_now){ .contact_id = db_copy(st, 0, &c->a), .person_id = db_copy(st, 1, &c->a), .role = db_copy(st, 2, &c->a) };
    p->name = kept(c, v, "name");
    p->language = kept(c, v, "language");
    p->user_id = parse_id(json_get_str(v, "user_id"));
    p->on_duty = hours_cover(json_object_get(v, "hours"), at);
    json_array_foreach(json_object_get(v, "channels"), i, ch)
        if (p->channels < CONTACT_CHANNELS_MAX)
            p->channel[p->channels++] = (struct contact_channel){ kept(c, ch, "kind"), kept(c, ch, "value") };
    json_decref(v);
    return 0;
}

/* list_add - those of one object or organisation; a person who is in the list already stays at the first place. */
static int list_add(struct call *c, const char *object, const char *org, const char *role, time_ns now, struct contact_list *out)
{
    struct civil at = civil_of_ns(now, zone_offset_min(c->d->setup.world->zone, now));
    char day[16];

    local_date(c->d, now, day);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.id, k.person_id, k.role, p.json FROM contact k JOIN record p ON p.kind = 'person' AND p.id = k.person_id"
                                " JOIN person n ON n.id = k.person_id"
                                " WHERE (k.object_id = ?1 OR k.org_id = ?2) AND (?3 IS NULL OR k.role = ?3) AND coalesce(k.valid_from, '') <= ?4"
                                " AND coalesce(k.valid_to, '9999') >= ?4 AND n.active = 1 ORDER BY k.position, k.id",
                                "zzzz", object, org, role, day);
    int rc = st ? 0 : -EIO;

    while (st && out->count < CONTACTS_NOW_MAX && (rc = db_step(c->d, st, c->e)) > 0) {
        bool again = false;

        for (size_t i = 0; i < out->count; i++)
            again = again || str_eq(out->at[i].person_id, db_str(st, 1));
        if (again)
            continue;
        rc = contact_fill(c, st, &at, &out->at[out->count]);
        if (rc < 0)
            break;
        out->count++;
    }
    if (st && rc != 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

/* duty_first - those on duty come first, all else as it was. */
static void duty_first(struct contact_list *l)
{
    for (size_t i = 1; i < l->count; i++)
        for (size_t k = i; k > 0 && l->at[k].on_duty && !l->at[k - 1].on_duty; k--) {
            struct contact_now t = l->at[k];

            l->at[k] = l->at[k - 1];
            l->at[k - 1] = t;
        }
}

int contacts_now(struct call *c, struct str object_id, const char *role, time_ns now, struct contact_list *out)
{
    struct object_view o;
    struct str id = arena_copy(&c->a, object_id);
    int rc = object_look(c, (struct scope){ 0, "" }, id, &o);

    out->count = 0;
    if (rc == 0)
        rc = list_add(c, id.p, NULL, role, now, out);
    if (rc == 0)
        rc = list_add(c, NULL, o.acting_id.p, role, now, out);
    if (rc == 0 && o.ocib_id.p)
        rc = list_add(c, NULL, o.ocib_id.p, role, now, out);
    duty_first(out);
    return rc;
}

int contacts_now_org(struct call *c, struct str org_id, const char *role, time_ns now, struct contact_list *out)
{
    int rc;

    out->count = 0;
    rc = list_add(c, NULL, arena_copy(&c->a, org_id).p, role, now, out);
    duty_first(out);
    return rc;
}

/* --- the monthly check --- */

int contacts_unchecked(struct call *c, time_ns before, int limit, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.id, k.object_id, k.org_id FROM contact k WHERE NOT EXISTS (SELECT 1 FROM contact_check x WHERE"
                                " x.contact_id = k.id AND x.at >= ?1) ORDER BY k.id LIMIT ?2",
                                "ii", (int64_t)before, (int64_t)page_limit(limit));
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "contact_id", db_json(st, 0), "object_id", db_json(st, 1), "org_id", db_json(st, 2)));
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

int contact_check_failed_next(struct call *c, int64_t *check_id, struct str *contact_id, struct str *object_id)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.id, x.contact_id, k.object_id FROM contact_check x LEFT JOIN contact k ON k.id = x.contact_id WHERE x.ok = 0"
                                " AND x.request_id IS NULL ORDER BY x.id LIMIT 1",
                                "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *check_id = 0;
    if (rc > 0) {
        *check_id = sqlite3_column_int64(st, 0);
        *contact_id = db_copy(st, 1, &c->a);
        *object_id = db_copy(st, 2, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int contact_check_raised(struct call *c, int64_t check_id, struct str request_id)
{
    int rc = db_exec(c->d, c->e, "UPDATE contact_check SET request_id = ?2 WHERE id = ?1 AND request_id IS NULL", "it", check_id, request_id);

    return rc < 0 ? rc : 0;
}
