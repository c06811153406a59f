/* testing.h - what the tests of desk share: a data directory that goes away, the real edition, people, findings, acts. Only tests
 * include it. */
#ifndef SAQSHY_DESK_TESTING_H
#define SAQSHY_DESK_TESTING_H

#include "desk/approvals/approvals.h"
#include "desk/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "base/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* 2026-03-20 23:50 at Almaty: the Friday night before Nauryz. */
#define T0 ((time_ns)1774032600 * NS_PER_SECOND)

struct world {
    struct duty_world duty;
    struct catalog   *catalog;
    struct node      *node;
    struct desk      *desk;
    json_t           *accounts;
    struct viewer     admin, analyst, lead, registry, city;   /* city is of another organisation */
    char              data[64];
    uint64_t          batch;
};

static inline const char *source_path(const char *tail, char out[4096])
{
    const char *root = getenv("SAQSHY_SOURCE");

    snprintf(out, 4096, "%s/%s", root ? root : ".", tail);
    return out;
}

static inline void must(int rc, const struct err *e)
{
    if (rc < 0)
        fail_msg("%d: %s", rc, e->text);
}

static inline void folder_remove(const char *path)
{
    char inner[4096];
    DIR *dir = opendir(path);
    struct dirent *f;

    while (dir && (f = readdir(dir)) != NULL) {
        if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%.2000s/%.255s", path, f->d_name);
        if (unlink(inner) < 0)
            folder_remove(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static inline struct desk_setup setup_of(const struct world *w)
{
    return (struct desk_setup){ .node = w->node, .world = &w->duty, .catalog = w->catalog };
}

static inline void desk_reopen(struct world *w)
{
    struct desk_setup s = setup_of(w);
    struct err e;

    desk_close(&w->desk);
    must(desk_open(&s, &w->desk, &e), &e);
}

static inline struct str password_of(const struct world *w, const char *login)
{
    json_t *a;
    size_t i;

    json_array_foreach(w->accounts, i, a)
        if (strcmp(json_string_value(json_object_get(a, "login")), login) == 0)
            return str_c(json_string_value(json_object_get(a, "password")));
    fail_msg("no account %s", login);
    return STR("");
}

static inline void viewer_make(struct world *w, const char *login, struct viewer *v)
{
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT id, role, org_id FROM user WHERE login = ?", "z", login);

    *v = (struct viewer){ .lang = LANG_EN };
    assert_int_equal(db_step(w->desk, st, NULL), 1);
    v->user_id = sqlite3_column_int64(st, 0);
    while (!str_eq(db_str(st, 1), str_c(desk_role_name(v->role))))
        v->role++;
    snprintf(v->org_id, sizeof v->org_id, "%.*s", STR_ARG(db_str(st, 2)));
    snprintf(v->login, sizeof v->login, "%s", login);
    snprintf(v->name, sizeof v->name, "%s", login);
    snprintf(v->address, sizeof v->address, "192.0.2.10");
    db_done(st);
}

static inline int world_open(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char path[4096];
    struct err e;

    log_open("test", LOG_ERROR, open("/dev/null", O_WRONLY | O_CLOEXEC));
    snprintf(w->data, sizeof w->data, "/tmp/saqshy-desk-XXXXXX");
    if (!mkdtemp(w->data))
        return -1;
    must(node_default(w->data, "/", &w->node, &e), &e);
    free(w->node->content);
    w->node->content = strdup(source_path("content", path));
    must(duty_world_load(w->node->content, "kz-52-2025", "Asia/Almaty", &w->duty, &e), &e);
    must(catalog_load(source_path("content/i18n", path), &w->catalog, &e), &e);
    desk_reopen(w);
    must(desk_init(w->desk, true, T0 - NS_PER_DAY, &w->accounts, &e), &e);
    viewer_make(w, "admin", &w->admin);
    viewer_make(w, "analyst", &w->analyst);
    viewer_make(w, "lead", &w->lead);
    viewer_make(w, "registry", &w->registry);
    viewer_make(w, "city", &w->city);
    *state = w;
    return 0;
}

static inline int world_close(void **state)
{
    struct world *w = *state;

    desk_close(&w->desk);
    json_decref(w->accounts);
    duty_world_free(&w->duty);
    catalog_free(&w->catalog);
    node_free(&w->node);
    folder_remove(w->data);
    free(w);
    return 0;
}

/* finding_of_indicator - one finding into DATA/findings, as detect does; tlp: under which its indicator was published, NULL: it has none. */
static inline void finding_of_indicator(struct world *w, const char *rule, const char *object, const char *host, const char *tlp, time_ns at)
{
    struct journal_origin origin = { STR_INIT("detect"), ++w->batch };
    struct event_batch b;
    struct journal *j;
    char path[4096];
    struct err e;

    event_batch_init(&b, 0);
    must(journal_open(node_path(w->node, "findings", path), 0, &j, &e), &e);
    struct event *ev = event_batch_add(&b);
    ev->time = ev->received = at;
    ev->object = str_c(object);
    ev->class = CLASS_OS_UNIX;
    ev->source = STR("agent-1/var/log/auth.log");
    ev->original = STR("Mar 20 23:50:00 registry-web-1 sshd[211]: Failed password for root from 203.0.113.77 port 50202 ssh2");
    const struct { const char *name, *value; } fields[] = {
        { "rule.id", rule }, { "rule.name", "SSH brute force" }, { "rule.level", "high" }, { "saqshy.group", "g1" }, { "host.name", host },
        { "source.ip", "203.0.113.77" }, { "destination.ip", "192.0.2.5" }, { "saqshy.count", "12" },
        { "saqshy.event_time", "2026-03-20T18:49:58Z" },
    };
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_int_equal(event_add(ev, &b.arena, str_c(fields[i].name), str_c(fields[i].value)), 0);
    if (tlp) {
        assert_int_equal(event_add(ev, &b.arena, STR("threat.indicator.marking.tlp"), str_c(tlp)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("threat.feed.name"), STR("feed-1")), 0);
    }
    must(journal_append(j, b.items, b.count, origin, NULL, &e), &e);
    must(journal_commit(j, &e), &e);
    journal_close(&j);
    event_batch_free(&b);
}

static inline void finding_write(struct world *w, const char *rule, const char *object, const char *host, time_ns at)
{
    finding_of_indicator(w, rule, object, host, NULL, at);
}

static inline int64_t newest_case(struct world *w)
{
    int64_t id = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &id, "SELECT max(id) FROM cases", ""), 0);
    return id;
}

/* case_new - a finding on the registered object, taken by the desk. */
static inline int64_t case_new(struct world *w, const char *rule, time_ns at)
{
    struct err e;

    finding_write(w, rule, "state-register", "registry-web-1", at);
    must(desk_take_findings(w->desk, at, &e), &e);
    return newest_case(w);
}

static inline json_t *case_get(struct world *w, const struct viewer *v, int64_t id, time_ns now)
{
    struct desk_reply r = { 0 };
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    must(desk_case(w->desk, v, str_c(text), now, &r), &r.err);
    return r.json;
}

/* act_try - what an act returns; *code is the refusal's (may be NULL). body is taken. */
static inline int act_try(struct world *w, const struct viewer *v, int64_t id, const char *name, json_t *body, time_ns now, struct desk_reply *r)
{
    char text[24];

    *r = (struct desk_reply){ 0 };
    snprintf(text, sizeof text, "%lld", (long long)id);
    int rc = desk_act(w->desk, v, str_c(text), str_c(name), body, now, r);
    json_decref(body);
    return rc;
}

static inline void act_do(struct world *w, const struct viewer *v, int64_t id, const char *name, json_t *body, time_ns now)
{
    struct desk_reply r;
    int rc = act_try(w, v, id, name, body, now, &r);

    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", name, rc, r.err.text, r.field);
    desk_reply_free(&r);
}

/* waiting - the newest approval that waits; 0 if none does. */
static inline int64_t waiting(struct world *w)
{
    int64_t id = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &id, "SELECT coalesce(max(id), 0) FROM approval WHERE state = 'waiting'", ""), 0);
    return id;
}

static inline int decide_try(struct world *w, const struct viewer *v, int64_t id, const char *decision, const char *note, time_ns now,
                             struct desk_reply *r)
{
    json_t *body = json_pack("{s:s, s:s}", "decision", decision, "note", note);
    char text[24];
    int rc;

    *r = (struct desk_reply){ 0 };
    snprintf(text, sizeof text, "%lld", (long long)id);
    rc = desk_approval_decide(w->desk, v, str_c(text), body, now, r);
    json_decref(body);
    return rc;
}

/* dismiss_do - the analyst asks, the lead approves. */
static inline void dismiss_do(struct world *w, int64_t id, const char *reason, time_ns now)
{
    struct desk_reply r;

    act_do(w, &w->analyst, id, "dismiss", json_pack("{s:s}", "reason", reason), now);
    assert_int_equal(decide_try(w, &w->lead, waiting(w), "approve", "seen", now, &r), 0);
    desk_reply_free(&r);
}

static inline json_t *notify_body(struct world *w, int64_t id, time_ns now)
{
    json_t *c = case_get(w, &w->analyst, id, now);
    json_t *body = json_pack("{s:O, s:s, s:s}", "annex7", json_object_get(c, "annex7"), "recommendations", "Block 203.0.113.77", "detection_kind",
                             "event");

    json_decref(c);
    return body;
}

static inline json_t *incident_body(time_ns at, const char *level)
{
    return json_pack("{s:o, s:s, s:s}", "confirmed_at", json_time(at), "level", level, "note", "confirmed");
}

static inline json_t *measures_body(struct world *w, int64_t id, time_ns now, const char *level)
{
    json_t *c = case_get(w, &w->registry, id, now), *a2 = json_deep_copy(json_object_get(c, "annex2"));

    json_object_set_new(a2, "level", json_string(level));
    json_object_set_new(a2, "incident_type", json_string("authentication_means_compromise"));
    json_object_set_new(a2, "scale", json_string("single"));
    json_object_set_new(a2, "sign", json_string("valid"));
    json_object_set_new(a2, "contour", json_pack("[s]", "external_lan"));
    json_object_set_new(a2, "nature", json_string("Құпиясөзді іріктеу"));
    json_object_set_new(a2, "consequences", json_pack("[s]", "none"));
    json_object_set_new(a2, "elimination_actions", json_string("Құпиясөздер ауыстырылды"));
    json_decref(c);
    return json_pack("{s:o}", "annex2", a2);
}

/* eliminate_body - causes and consequences at one moment. */
static inline json_t *eliminate_body(time_ns at)
{
    return json_pack("{s:o, s:s, s:o, s:s}", "causes_at", json_time(at), "causes", "a weak password", "consequences_at", json_time(at), "consequences",
                     "none");
}

static inline int64_t id_of(json_t *o, const char *key) { return parse_id(json_get_str(o, key)); }

/* clock_of - the clock of an obligation in the JSON of a case, the latest if it ran more than once; borrowed, NULL if there is none. */
static inline json_t *clock_of(json_t *c, const char *obligation)
{
    json_t *clock, *found = NULL;
    size_t i;

    json_array_foreach(json_object_get(c, "clocks"), i, clock)
        if (strcmp(json_string_value(json_object_get(clock, "obligation")), obligation) == 0 &&
            (!found || id_of(clock, "id") > id_of(found, "id")))
            found = clock;
    return found;
}

static inline const char *clock_state(json_t *c, const char *obligation)
{
    json_t *clock = clock_of(c, obligation);

    return clock ? json_string_value(json_object_get(clock, "state")) : "none";
}

static inline time_ns clock_time(json_t *c, const char *obligation, const char *key)
{
    time_ns t = 0;

    assert_int_equal(time_parse_rfc3339(json_get_str(clock_of(c, obligation), key), &t, NULL, NULL), 0);
    return t;
}

static inline const char *state_of(json_t *c) { return json_string_value(json_object_get(c, "state")); }

static inline bool offers(json_t *c, const char *name)
{
    json_t *a;
    size_t i;

    json_array_foreach(json_object_get(c, "actions"), i, a)
        if (strcmp(json_string_value(json_object_get(a, "name")), name) == 0)
            return true;
    return false;
}

/* lines_of - how many lines of a kind (and obligation, if not NULL) stand in the timeline. */
static inline int lines_of(json_t *c, const char *kind, const char *obligation)
{
    json_t *l;
    size_t i;
    int n = 0;

    json_array_foreach(json_object_get(c, "timeline"), i, l) {
        const char *o = json_string_value(json_object_get(l, "obligation"));

        n += strcmp(json_string_value(json_object_get(l, "kind")), kind) == 0 && (!obligation || (o && strcmp(o, obligation) == 0));
    }
    return n;
}

#endif
