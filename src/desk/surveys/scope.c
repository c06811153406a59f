/* scope.c - what a survey looks at: components of the object as Annex 1 item 12 and the passport name them, places that people add, and of surveys by hand
 * the local network beside the object's own (R-10.2-06). What is left out says why. */
#include "desk/registry/registry.h"
#include "desk/surveys/room.h"

#include <arpa/inet.h>

#define HOST_MAX 253

bool place_valid(struct str s)
{
    char text[HOST_MAX + 1];
    unsigned char raw[16];
    size_t label = 0;

    if (s.n == 0 || s.n > HOST_MAX)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (memchr(text, 0, s.n))
        return false;
    if (inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1)
        return true;
    bool letters = false, hex = s.n > 1 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';   /* of the last label */
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool edge = label == 0 || i + 1 == s.n || s.p[i + 1] == '.';

        if (c == '.') {
            if (label == 0 || i + 1 == s.n)
                return false;
            label = 0;
            letters = false;
            hex = i + 2 < s.n && s.p[i + 1] == '0' && (s.p[i + 2] | 0x20) == 'x';
            continue;
        }
        letters = letters || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c == '-' && !edge)) || ++label > 63)
            return false;
    }
    return letters && !hex;   /* "10.0.1", "1" and "0x7f000001" are read as addresses by some programs: not by ours */
}

static int put(struct call *c, const struct sv *s, const char *source, struct str ref, struct str name, const json_t *hosts)
{
    AUTO_FREE char *text = json_dumps(hosts, JSON_COMPACT);
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO survey_scope(survey_id, source, ref, name, hosts, included, updated_at, updated_by) VALUES (?1,?2,?3,?4,?5,1,?6,?7)"
                     " ON CONFLICT(survey_id, source, ref) DO UPDATE SET name = excluded.name, hosts = excluded.hosts, updated_at = excluded.updated_at"
                     " WHERE name <> excluded.name OR hosts <> excluded.hosts",
                     "izttzim", s->id, source, ref, name, text, c->now, (time_ns)(c->v ? c->v->user_id : 0));

    return rc < 0 ? rc : 0;
}

/* hosts_add - one more place, if it is one and not there yet: a network or a wrong word of the registry is none. */
static void hosts_add(json_t *hosts, struct str one)
{
    json_t *j = place_valid(one) ? json_str(one) : NULL;

    for (size_t i = 0; j && i < json_array_size(hosts); i++)
        if (json_equal(json_array_get(hosts, i), j)) {
            json_decref(j);
            return;
        }
    if (j)
        json_array_append_new(hosts, j);
}

static void hosts_add_all(json_t *hosts, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        hosts_add(hosts, str_of(json_string_value(one), json_string_length(one)));
    }
}

static int from_annex1(struct call *c, const struct sv *s)
{
    json_t *all = NULL, *one;
    size_t i;
    int rc = record_children(c, RECORD_COMPONENT, arena_printf(&c->a, "object/%.*s", STR_ARG(s->object_id)), 0, &all);

    json_array_foreach(all, i, one) {
        const json_t *v = json_object_get(one, "value");
        json_t *hosts = json_array();

        hosts_add_all(hosts, json_object_get(v, "ip_addresses"));
        hosts_add_all(hosts, json_object_get(v, "domain_names"));
        if (rc == 0 && i < SURVEY_SCOPE_MAX)
            rc = put(c, s, "annex1", json_get_str(one, "id"), json_get_str(v, "name"), hosts);
        json_decref(hosts);
    }
    json_decref(all);
    return rc;
}

/* from_passport - what the newest passport names that has an address or a host. */
static int from_passport(struct call *c, const struct sv *s)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.key, i.json FROM passport_item i WHERE i.passport_id = (SELECT p.id FROM passport p WHERE p.object_id = ? ORDER BY"
                                " p.version DESC LIMIT 1) AND i.kind IN ('hardware','software') ORDER BY i.position LIMIT 2000",
                                "t", s->object_id);
    json_t *rows = json_array(), *one;
    size_t i;
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 1);
        json_t *v = json_loadb(text.p, text.n, 0, NULL);

        if (v)
            json_array_append_new(rows, json_pack("{s:o, s:o}", "key", db_json(st, 0), "value", v));
    }
    json_array_foreach(rows, i, one) {
        const json_t *v = json_object_get(one, "value");
        json_t *hosts = json_array();

        hosts_add(hosts, json_get_str(v, "address"));
        hosts_add(hosts, json_get_str(v, "domain"));
        hosts_add(hosts, json_get_str(v, "host"));
        if (rc == 0 && json_array_size(hosts))
            rc = put(c, s, "passport", json_get_str(one, "key"), json_get_str(v, "name"), hosts);
        json_decref(hosts);
    }
    json_decref(rows);
    return rc;
}

/* from_main - a control survey looks at what its main one looked at, and leaves out what that left out. */
static int from_main(struct call *c, const struct sv *s)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT OR IGNORE INTO survey_scope(survey_id, source, ref, name, hosts, included, reason, updated_at, updated_by)"
                     " SELECT ?1, source, ref, name, hosts, included, reason, ?3, ?4 FROM survey_scope WHERE survey_id = ?2",
                     "iiim", s->id, s->main_id, c->now, (time_ns)(c->v ? c->v->user_id : 0));

    return rc < 0 ? rc : 0;
}

int scope_fill(struct call *c, const struct sv *s, bool again)
{
    int64_t there = 0;
    int rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM survey_scope WHERE survey_id = ?", "i", s->id);

    if (rc < 0 || (there && !again))
        return rc;
    if (s->main_id) {
        rc = from_main(c, s);
        if (rc == 0)
            rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM survey_scope WHERE survey_id = ?", "i", s->id);
        if (rc < 0 || there)
            return rc;
    }
    rc = from_annex1(c, s);
    return rc < 0 ? rc : from_passport(c, s);
}

int scope_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT p.id, p.source, p.name, p.hosts, p.included, p.reason, p.updated_at, u.name FROM survey_scope p LEFT JOIN user u"
                                " ON u.id = p.updated_by WHERE p.survey_id = ? ORDER BY p.id", "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 3);
        json_t *hosts = json_loadb(text.p, text.n, 0, NULL);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "id", db_json_id(st, 0), "source", db_json(st, 1), "name", db_json(st, 2),
                                              "hosts", hosts ? hosts : json_array(), "included", sqlite3_column_int(st, 4), "reason", db_json(st, 5),
                                              "updated_at", db_json_time(st, 6), "updated_by", db_json(st, 7)));
    }
    return rc;
}

int scope_included(struct call *c, const struct sv *s, json_t **out)
{
    json_t *all = NULL, *one;
    size_t i;
    int rc = scope_json(c, s, &all);

    *out = json_array();
    json_array_foreach(all, i, one)
        if (json_is_true(json_object_get(one, "included")))
            json_array_append(*out, one);
    json_decref(all);
    return rc;
}

/* --- acts --- */

int sv_do_scope_take(struct call *c, struct sv *s, const json_t *body)
{
    (void)body;
    int rc = scope_fill(c, s, true);

    return rc < 0 ? rc : sv_line(c, s, "scope_taken", STR(""), NULL, true);
}

int sv_do_scope_set(struct call *c, struct sv *s, const json_t *body)
{
    bool included = json_is_true(json_object_get(body, "included"));
    struct str reason = json_get_str(body, "reason");
    sqlite3_stmt *st;
    int rc;

    if (!included && !reason.n)
        return sv_wrong(c, "reason", "what is left out says why");
    st = db_query(c->d, c->e, "UPDATE survey_scope SET included = ?3, reason = ?4, updated_at = ?5, updated_by = ?6 WHERE survey_id = ?1 AND id = ?2 RETURNING name",
                  "iiitii", s->id, parse_id(json_get_str(body, "item")), (int64_t)included, included ? (struct str){ NULL, 0 } : reason, c->now, c->v->user_id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        return sv_wrong(c, "item", "no such place in the scope");
    struct str name = rc > 0 ? db_copy(st, 0, &c->a) : STR("");
    if (rc > 0)
        rc = db_step(c->d, st, c->e);
    return rc < 0 ? rc : sv_line(c, s, included ? "scope_included" : "scope_excluded", reason, json_pack("{s:o}", "name", json_str(name)), true);
}

int sv_do_scope_add(struct call *c, struct sv *s, const json_t *body)
{
    const json_t *given = json_object_get(body, "hosts");
    bool adjacent = json_is_true(json_object_get(body, "adjacent"));
    json_t *hosts = json_array();
    int64_t there = 0;
    int rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM survey_scope WHERE survey_id = ?", "i", s->id);

    if (rc == 0 && there >= SURVEY_SCOPE_MAX)
        rc = sv_wrong(c, "name", "the scope holds as many places as it may");
    if (rc == 0 && adjacent && !str_eq(s->mode, STR("pentest_manual")))
        rc = sv_wrong(c, "adjacent", "the adjacent network belongs to surveys by hand");
    if (rc == 0 && json_array_size(given) == 0)
        rc = sv_wrong(c, "hosts", "at least one address or host name");
    for (size_t i = 0; rc == 0 && i < json_array_size(given); i++) {
        const json_t *one = json_array_get(given, i);

        if (!place_valid(str_of(json_string_value(one), json_string_length(one))))
            rc = sv_wrong(c, "hosts", "single addresses and host names only, no networks");
    }
    if (rc == 0) {
        struct str ref = arena_printf(&c->a, "%lld", (long long)there + 1);

        hosts_add_all(hosts, given);
        rc = put(c, s, adjacent ? "adjacent" : "manual", ref, json_get_str(body, "name"), hosts);
    }
    if (rc == 0)
        rc = sv_line(c, s, "scope_added", json_get_str(body, "name"), json_pack("{s:O}", "hosts", hosts), true);
    json_decref(hosts);
    return rc;
}

/* R-10.2-06: surveyed, with the addresses that were looked at, or absent, with the reason; nothing else is an answer. */
int sv_do_adjacent(struct call *c, struct sv *s, const json_t *body)
{
    struct str lan = json_get_str(body, "lan");
    int64_t places = 0;
    int rc = db_int(c->d, c->e, 0, &places, "SELECT count(*) FROM survey_scope WHERE survey_id = ? AND source = 'adjacent' AND included = 1", "i", s->id);

    if (rc == 0 && str_eq(lan, STR("surveyed")) && !places)
        return sv_wrong(c, "lan", "name the addresses of the adjacent network first: places of the scope marked as adjacent");
    if (rc == 0 && str_eq(lan, STR("absent")) && places)
        return sv_wrong(c, "lan", "the scope names addresses of an adjacent network");
    if (rc < 0)
        return rc;
    json_object_set_new(s->values, "adjacent", json_pack("{s:O, s:O, s:o, s:s}", "lan", json_object_get(body, "lan"), "reason", json_object_get(body, "reason"),
                                                         "at", json_time(c->now), "by", c->v->name));
    return sv_line(c, s, str_eq(lan, STR("absent")) ? "adjacent_absent" : "adjacent_surveyed", json_get_str(body, "reason"), NULL, false);
}
