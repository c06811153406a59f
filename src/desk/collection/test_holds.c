/* test_holds.c - legal holds in the portal: who may, what they select, that a release takes two persons, and one row of the trail for each, whoever did it. */
#include "desk/approvals/approvals.h"
#include "desk/collection/collection.h"
#include "desk/testing.h"
#include "keep/hold.h"

static const char *folder(struct world *w)
{
    static char path[4096];
    struct err e;

    node_path(w->node, HOLD_FOLDER, path);
    must(file_mkdirs(path, 0750, &e), &e);
    return path;
}

static int set(struct world *w, const struct viewer *v, json_t *body, struct desk_reply *r)
{
    int rc;

    folder(w);
    *r = (struct desk_reply){ 0 };
    rc = desk_hold_set(w->desk, v, body, T0, r);
    json_decref(body);
    return rc;
}

static int release(struct world *w, const struct viewer *v, const char *id, const char *reason, struct desk_reply *r)
{
    json_t *body = json_pack("{s:s}", "reason", reason);
    int rc;

    *r = (struct desk_reply){ 0 };
    rc = desk_hold_release(w->desk, v, str_c(id), body, T0 + NS_PER_MINUTE, r);
    json_decref(body);
    return rc;
}

static int64_t audits(struct world *w, const char *action, const char *outcome)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ? AND outcome = ?", "zz", action, outcome), 0);
    return n;
}

static size_t in_force(struct world *w)
{
    struct holds all;
    size_t n = 0;
    struct err e;

    must(holds_read(folder(w), &all, &e), &e);
    assert_int_equal(all.unreadable, 0);
    for (size_t i = 0; i < all.count; i++)
        n += hold_active(&all.item[i], T0 + NS_PER_HOUR);
    holds_free(&all);
    return n;
}

static void a_hold_is_in_force_at_once_and_its_release_takes_two_persons(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    char id[64], approval[32];
    int64_t waiting = 0;
    struct err e;

    must(set(w, &w->lead, json_pack("{s:s,s:s}", "query", "user.name:ivanov", "reason", "order 2-17"), &r), &r.err);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
    assert_string_equal(json_string_value(json_object_get(r.json, "state")), "active");
    desk_reply_free(&r);
    assert_int_equal(in_force(w), 1);
    assert_int_equal(audits(w, "hold.set", "ok"), 1);
    assert_int_equal(set(w, &w->lead, json_pack("{s:s,s:s}", "query", "user.name:ivanov", "reason", "order 2-17"), &r), -EEXIST);
    desk_reply_free(&r);
    must(release(w, &w->lead, id, "the case is closed", &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(r.json, "items"), 0), "waiting")), 1);
    desk_reply_free(&r);
    assert_int_equal(in_force(w), 1);
    must(db_int(w->desk, &e, 0, &waiting, "SELECT id FROM approval WHERE state = 'waiting' AND kind = 'hold.release'", ""), &e);
    snprintf(approval, sizeof approval, "%lld", (long long)waiting);
    json_t *yes = json_pack("{s:s}", "decision", "approve");
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_approval_decide(w->desk, &w->lead, str_c(approval), yes, T0 + NS_PER_MINUTE, &r), -EACCES);   /* another person */
    desk_reply_free(&r);
    assert_int_equal(in_force(w), 1);
    must(desk_approval_decide(w->desk, &w->analyst, str_c(approval), yes, T0 + 2 * NS_PER_MINUTE, &r), &r.err);
    desk_reply_free(&r);
    json_decref(yes);
    assert_int_equal(in_force(w), 0);
    assert_int_equal(audits(w, "hold.release", "ok"), 1);
    for (int i = 0; i < 3; i++)
        must(desk_tick(w->desk, T0 + (3 + i) * NS_PER_MINUTE, NULL, &e), &e);
    assert_int_equal(audits(w, "hold.set", "ok"), 1);       /* told once */
    assert_int_equal(audits(w, "hold.release", "ok"), 1);
    assert_int_equal(release(w, &w->lead, id, "again", &r), -EPROTO);
    desk_reply_free(&r);
    assert_int_equal(release(w, &w->lead, "hold-0123456789abcdef", "none", &r), -ENOENT);
    desk_reply_free(&r);
}

static void a_hold_that_the_command_set_is_a_row_of_the_trail(void **state)
{
    struct world *w = *state;
    struct hold h = { .kind = HOLD_QUERY, .filter = "sshd", .from = INT64_MIN, .to = INT64_MAX, .reason = "on the node", .set_by = "root", .set_at = T0 };
    struct err e;

    must(hold_set(folder(w), &h, &e), &e);
    for (int i = 0; i < 3; i++)
        must(desk_tick(w->desk, T0 + i * NS_PER_MINUTE, NULL, &e), &e);
    assert_int_equal(audits(w, "hold.set", "ok"), 1);
    must(hold_release(folder(w), str_c(h.id), STR("root"), STR("over"), T0 + 5 * NS_PER_MINUTE, NULL, &e), &e);
    desk_reopen(w);
    must(desk_tick(w->desk, T0 + 6 * NS_PER_MINUTE, NULL, &e), &e);
    assert_int_equal(audits(w, "hold.release", "ok"), 1);
}

static void what_says_too_little_is_refused_with_its_field(void **state)
{
    struct world *w = *state;
    struct desk_reply r;

    assert_int_equal(set(w, &w->lead, json_pack("{s:s}", "reason", "why"), &r), -EINVAL);
    assert_string_equal(r.field, "query");
    desk_reply_free(&r);
    assert_int_equal(set(w, &w->lead, json_pack("{s:s}", "query", "a"), &r), -EINVAL);
    assert_string_equal(r.field, "reason");
    desk_reply_free(&r);
    assert_int_equal(set(w, &w->lead, json_pack("{s:s,s:s}", "query", "(a", "reason", "why"), &r), -EINVAL);
    assert_string_equal(r.field, "query");
    desk_reply_free(&r);
    assert_int_equal(set(w, &w->lead, json_pack("{s:s,s:s}", "object_id", "nobody", "reason", "why"), &r), -EINVAL);
    assert_string_equal(r.field, "object_id");
    desk_reply_free(&r);
    assert_int_equal(set(w, &w->lead, json_pack("{s:s,s:s}", "case_number", "17", "reason", "why"), &r), -EINVAL);
    assert_string_equal(r.field, "case_number");
    desk_reply_free(&r);
    assert_int_equal(in_force(w), 0);
    assert_int_equal(audits(w, "hold.set", "ok"), 0);
}

/* The form takes 1,000 letters of a reason and 4,000 of a search; Kazakh ones have two bytes, some of others four. */
static void limits_are_of_letters_in_every_language(void **state)
{
    static const char *const letters[] = { "қ", "𐰋" };
    struct world *w = *state;
    struct desk_reply r;
    char id[64];

    for (size_t k = 0; k < COUNT(letters); k++) {
        AUTO_BUF struct buf reason = { 0 };
        AUTO_BUF struct buf query = { 0 };

        buf_init(&reason, 0);
        buf_init(&query, 0);
        for (int i = 0; i < 4000; i++) {
            if (i < 1000)
                buf_str(&reason, str_c(letters[k]));
            buf_str(&query, str_c(letters[k]));
        }
        must(set(w, &w->lead, json_pack("{s:s%,s:s%}", "query", query.p, query.n, "reason", reason.p, reason.n), &r), &r.err);
        assert_int_equal(json_string_length(json_object_get(r.json, "reason")), reason.n);
        snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
        desk_reply_free(&r);
        buf_byte(&reason, 0);
        must(release(w, &w->lead, id, reason.p, &r), &r.err);
        desk_reply_free(&r);
    }
    assert_int_equal(in_force(w), 2);   /* the second person is still to come */
}

static void an_owner_neither_sees_nor_sets_holds(void **state)
{
    struct world *w = *state;
    struct desk_reply r;

    assert_int_equal(set(w, &w->registry, json_pack("{s:s,s:s}", "query", "a", "reason", "why"), &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(audits(w, "hold.set", "refused"), 1);
    assert_int_equal(desk_holds(w->desk, &w->registry, T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(desk_dropped(w->desk, &w->registry, &r), -EACCES);
    desk_reply_free(&r);
    must(desk_holds(w->desk, &w->lead, T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 0);
    desk_reply_free(&r);
    must(desk_dropped(w->desk, &w->lead, &r), &r.err);
    desk_reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hold_is_in_force_at_once_and_its_release_takes_two_persons, world_open, world_close),
        cmocka_unit_test_setup_teardown(a_hold_that_the_command_set_is_a_row_of_the_trail, world_open, world_close),
        cmocka_unit_test_setup_teardown(what_says_too_little_is_refused_with_its_field, world_open, world_close),
        cmocka_unit_test_setup_teardown(an_owner_neither_sees_nor_sets_holds, world_open, world_close),
        cmocka_unit_test_setup_teardown(limits_are_of_letters_in_every_language, world_open, world_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
