/* test_fake.c - a desk and a store for tests of the portal alone: three people, whose tokens are their roles' names; everything they
 * ask for exists and is empty. The true ones are tested against the true portal by tests/api.test.mjs. */
#include "desk/desk.h"
#include "desk/surveys/tools.h"
#include "keep/keep.h"
#include "store/store.h"

static const char *const tokens[DESK_ROLE_COUNT] = {
    "administrator", "centre_analyst", "centre_lead", "surveyor", "document_auditor", "owner_officer", "owner_administrator", "ocib_analyst",
    "cii_responsible", "knb", "authorised_body", "auditor",
};

int desk_open(const struct desk_setup *setup, struct desk **out, struct err *e)
{
    (void)setup;
    (void)e;
    *out = NULL;
    return 0;
}

void desk_close(struct desk **d)
{
    *d = NULL;
}

int desk_worker_start(const struct desk_setup *setup, struct desk_worker **out, struct err *e)
{
    (void)setup;
    (void)e;
    *out = NULL;
    return 0;
}

void desk_worker_stop(struct desk_worker **w)
{
    *w = NULL;
}

void desk_worker_poke(struct desk_worker *w)
{
    (void)w;
}

const char *desk_role_name(enum desk_role r)
{
    return tokens[r];
}

int desk_status(int rc)
{
    static const struct {
        int rc, status;
    } map[] = {
        { 0, 200 }, { -EINVAL, 400 }, { -EPERM, 403 }, { -ENOKEY, 401 }, { -EACCES, 403 }, { -ENOENT, 404 },
        { -EPROTO, 409 }, { -EEXIST, 409 }, { -EAGAIN, 429 }, { -EBUSY, 503 },
    };

    for (size_t i = 0; i < COUNT(map); i++)
        if (map[i].rc == rc)
            return map[i].status;
    return 500;
}

void desk_reply_free(struct desk_reply *r)
{
    json_decref(r->json);
    r->json = NULL;
}

int desk_session(struct desk *d, struct str token, struct str address, time_ns now, struct viewer *v, struct desk_reply *r)
{
    (void)d;
    (void)address;
    (void)now;
    for (enum desk_role role = 0; role < DESK_ROLE_COUNT; role++) {
        if (!str_eq(token, str_c(tokens[role])))
            continue;
        *v = (struct viewer){ .user_id = role + 1, .session_id = role + 11, .role = role, .lang = LANG_RU, .csrf = "the-token" };
        snprintf(v->login, sizeof v->login, "%s", tokens[role]);
        snprintf(v->org_id, sizeof v->org_id, "org%d", (int)role);
        r->json = json_pack("{s:s}", "csrf", v->csrf);
        return 0;
    }
    r->code = "unauthenticated";
    return -ENOKEY;
}

int desk_sign_in(struct desk *d, struct str login, struct str password, struct str address, time_ns now,
                 char token[DESK_TOKEN_TEXT], struct viewer *v, struct desk_reply *r)
{
    if (str_eq(password, STR("locked"))) {
        r->code = "locked_out";
        r->retry_after_s = 30;
        return -EAGAIN;
    }
    if (!str_eq(password, STR("right"))) {
        r->code = "bad_credentials";
        return -EPERM;
    }
    snprintf(token, DESK_TOKEN_TEXT, "%.*s", (int)login.n, login.p);
    return desk_session(d, login, address, now, v, r);
}

int desk_object_names(struct desk *d, const struct viewer *v, json_t **names, struct err *e)
{
    (void)d;
    (void)e;
    *names = v->role == DESK_OWNER_OFFICER ? json_pack("{s:s}", "o1", "One") : json_object();
    return 0;
}

bool desk_csrf_ok(const struct viewer *v, struct str header)
{
    return str_eq(header, str_c(v->csrf));
}

int desk_visible_objects(struct desk *d, const struct viewer *v, json_t **ids, struct err *e)
{
    (void)d;
    (void)e;
    *ids = v->role == DESK_OWNER_OFFICER ? json_pack("[s]", "o1") : json_null();
    return 0;
}

int desk_knows(struct desk *d, const struct viewer *v, struct str type, struct str id, bool *yes, struct err *e)
{
    (void)d;
    (void)type;
    (void)e;
    *yes = v->role != DESK_OWNER_OFFICER || str_eq(id, STR("1"));
    return 0;
}

int desk_count(struct desk *d, time_ns now, struct desk_counts *out, struct err *e)
{
    (void)d;
    (void)now;
    (void)e;
    *out = (struct desk_counts){ .open_cases = 3 };
    return 0;
}

static int empty_list(struct desk_reply *r)
{
    r->json = json_pack("{s:[],s:n}", "items", "next");
    return 0;
}

/* What is not told apart here: reads answer an empty list, acts an empty object. */
#define FAKE(name, ...)                                    \
    int name(struct desk *d, __VA_ARGS__, struct desk_reply *r); \
    int name(struct desk *d, __VA_ARGS__, struct desk_reply *r) { return empty_list(r); }
#define V const struct viewer *v
#define B const json_t *body
#define NOW time_ns now
#define ID struct str id
FAKE(desk_sign_out, V, NOW)
FAKE(desk_password_change, V, B, NOW)
FAKE(desk_language_set, V, B, NOW)
FAKE(desk_clocks, V, int limit, struct str before, NOW)
FAKE(desk_cases, V, const struct desk_cases_query *q, NOW)
FAKE(desk_inbox, V, int limit, struct str before)
FAKE(desk_inbox_read, V, ID, NOW)
FAKE(desk_objects, V, int limit, struct str before)
FAKE(desk_object, V, ID, NOW)
FAKE(desk_organisations, V)
FAKE(desk_users, V, NOW)
FAKE(desk_rules, V)
FAKE(desk_audit, V, struct str q, int limit, struct str before)
FAKE(desk_edition, ID)
FAKE(desk_due, enum lang lang, struct str obligation, struct str from)
FAKE(desk_object_create, V, B, NOW)
FAKE(desk_object_update, V, ID, B, NOW)
FAKE(desk_organisation_create, V, B, NOW)
FAKE(desk_organisation_update, V, ID, B, NOW)
FAKE(desk_user_create, V, B, NOW)
FAKE(desk_user_update, V, ID, B, NOW)
FAKE(desk_rule_policy, V, ID, B, NOW)

/* Case 1 belongs to the officer's organisation, case 2 does not. */
int desk_case(struct desk *d, V, ID, NOW, struct desk_reply *r)
{
    (void)d;
    (void)now;
    if (v->role == DESK_OWNER_OFFICER && !str_eq(id, STR("1"))) {
        r->code = "not_found";
        return -ENOENT;
    }
    return empty_list(r);
}

int desk_act(struct desk *d, V, struct str case_id, struct str action, B, NOW, struct desk_reply *r)
{
    if (str_eq(action, STR("late"))) {
        r->code = "wrong_state";
        return -EPROTO;
    }
    if (str_eq(action, STR("wrong"))) {
        r->code = "bad_request";
        snprintf(r->field, sizeof r->field, "annex7.source_ip");
        return -EINVAL;
    }
    if (str_eq(action, STR("broken"))) {
        err_set(&r->err, -EIO, "the disk said no");
        return -EIO;
    }
    return desk_case(d, v, case_id, now, r);
}

int desk_document(struct desk *d, V, struct str sha256, bool json, NOW, struct buf *out, struct desk_reply *r)
{
    buf_str(out, json ? STR("{}") : STR("%PDF-1.7"));
    return 0;
}

/* --- the store: ten events of object o1, ten of o2, one a second --- */

int store_find(const struct store_search *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e)
{
    size_t given = 0;

    (void)e;
    stats->events_scanned = 20;
    for (uint64_t seq = 20; seq >= 1 && (s->limit == 0 || given < s->limit); seq--) {
        struct event ev = { .seq = seq, .time = (time_ns)seq * NS_PER_SECOND, .received = (time_ns)seq * NS_PER_SECOND,
                            .original = STR("a line"), .object = seq % 2 ? STR("o1") : STR("o2") };

        if (s->before_seq && seq >= s->before_seq)
            continue;
        if (s->object_filter && !str_eq(ev.object, str_c("o1")))
            continue;
        given++;
        if (hit(arg, &ev))
            break;
    }
    return 0;
}

int store_histogram(const struct store_search *s, size_t buckets, uint64_t *counts, struct store_stats *stats, struct err *e)
{
    (void)stats;
    (void)e;
    for (size_t i = 0; i < buckets; i++)
        counts[i] = s->object_filter ? 1 : 2;
    return 0;
}

int desk_audit_note(struct desk *d, const struct viewer *v, const char *action, const char *target, const char *detail, const char *outcome,
                    time_ns now, struct err *e)
{
    return 0;
}

bool tools_alive(const struct node *n)
{
    (void)n;
    return false;
}

/* No index publishes anything here. */
int keep_picture(const char *data, json_t **out, struct err *e)
{
    (void)data;
    *out = NULL;
    return err_set(e, -ENOENT, "no picture");
}

enum space_state keep_state(const json_t *picture)
{
    (void)picture;
    return SPACE_OK;
}
