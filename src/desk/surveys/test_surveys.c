/* test_surveys.c - the machine against a table of its own, written from requirements 7.5; the conditions of paragraph 11; the adjacent network; places that are
 * none; the classes of recommendations; what a run of a tool may and may not hold. */
#include "desk/requests/requests.h"
#include "desk/surveys/room.h"
#include "desk/surveys/tools.h"
#include "desk/testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- 7.5 --- */

enum { S = 1, A = 2, O = 4 };   /* surveyor and centre, owner's side */

/* Rows of 7.5 by number; 0: what 7.5 leaves open. Acts that move nothing are not in it. */
static const struct {
    int         row;
    const char *act, *from, *to;
    int         who;
} machine[] = {
    { 2, "start", "planned", "in_progress", S },
    { 0, "start", "blocked", "in_progress", S },
    { 3, "block", "planned", "blocked", S },
    { 3, "block", "in_progress", "blocked", S },
    { 4, "complete", "in_progress", "completed", S },
    { 5, "send_results", "completed", "results_sent", S },
    { 6, "receive", "results_sent", "results_received", O },
    { 6, "record_receipt", "results_sent", "results_received", S },
    { 7, "send_measures", "results_received", "measures_received", O },
    { 7, "send_measures", "results_sent", "measures_received", O },   /* whoever answers has received */
    { 7, "record_measures", "results_received", "measures_received", S },
    { 9, "cancel", "planned", "cancelled", S },
    { 0, "cancel", "blocked", "cancelled", S },
};
static const struct { const char *state, *waits; bool ended; } states[] = {
    { "planned", "centre", false },      { "in_progress", "centre", false },     { "blocked", "owner", false },
    { "completed", "centre", false },    { "results_sent", "owner", false },     { "results_received", "owner", false },
    { "measures_received", "nobody", true }, { "cancelled", "nobody", true },
};

static bool word_in(const char *words, const char *word)
{
    struct str all = str_c(words), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(word)))
            return true;
    return false;
}

/* Both ways: each row of 7.5 is one of the table, each move of the table is one of 7.5. */
static void the_machine_is_that_of_7_5(void **state)
{
    size_t moves = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(machine); i++) {
        bool there = false;

        for (size_t k = 0; k < sv_act_count; k++) {
            const struct sv_act *a = &sv_acts[k];
            bool owner = (a->roles & (1u << DESK_OWNER_OFFICER)) != 0, centre = (a->roles & (1u << DESK_SURVEYOR)) != 0;

            if (a->to && strcmp(a->name, machine[i].act) == 0 && word_in(a->from, machine[i].from) && strcmp(a->to, machine[i].to) == 0)
                there = owner == (machine[i].who == O) && centre == (machine[i].who == S);
        }
        CHECK(machine[i].act, there);
    }
    for (size_t k = 0; k < sv_act_count; k++) {
        struct str from = str_c(sv_acts[k].from), one;

        CHECK(sv_acts[k].name, sv_acts[k].roles != 0);
        while (sv_acts[k].to && str_split(&from, ' ', &one))
            moves++;
        for (size_t j = 0; j < k; j++)
            CHECK(sv_acts[k].name, strcmp(sv_acts[k].name, sv_acts[j].name) != 0);
    }
    assert_int_equal(moves, COUNT(machine));
    assert_int_equal(sv_state_count, COUNT(states));
    for (size_t i = 0; i < COUNT(states); i++) {
        static const char *const waits[] = { "nobody", "owner", "centre" };

        CHECK(states[i].state, strcmp(sv_states[i].name, states[i].state) == 0 && strcmp(waits[sv_states[i].waits], states[i].waits) == 0);
        CHECK(states[i].state, sv_states[i].ended == states[i].ended);
    }
}

/* --- acts --- */

static struct viewer as(const struct world *w, enum desk_role role)
{
    struct viewer v = w->analyst;

    v.role = role;
    return v;
}

static json_t *made(struct world *w, const char *mode, time_ns now)
{
    struct viewer surveyor = as(w, DESK_SURVEYOR);
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "object_id", "state-register", "mode", mode, "kind", "main", "from_on", "2026-03-20", "to_on", "2026-03-27",
                             "reason", "by order of KNB");
    int rc = desk_survey_create(w->desk, &surveyor, body, now, &r);

    json_decref(body);
    if (rc < 0)
        fail_msg("create: %d %s field \"%s\"", rc, r.err.text, r.field);
    return r.json;
}

static int acted(struct world *w, const struct viewer *v, const json_t *survey, const char *name, json_t *body, time_ns now, json_t **out)
{
    struct desk_reply r = { 0 };
    int rc = desk_survey_act(w->desk, v, json_get_str(survey, "id"), str_c(name), body, now, &r);

    json_decref(body);
    *out = json_incref(r.json);
    if (rc == -EIO || rc == -ENOMEM)
        print_error("%s: %s\n", name, r.err.text);
    desk_reply_free(&r);
    return rc;
}

/* done - the act goes well, and the survey in hand is what it is then. */
static void done(struct world *w, const struct viewer *v, json_t **survey, const char *name, json_t *body, time_ns now)
{
    struct desk_reply r = { 0 };
    struct err e;
    int rc = vulns_settle(w->desk, 0, now, &e);   /* what a thread of the desk does in the background */

    must(rc, &e);
    rc = desk_survey_act(w->desk, v, json_get_str(*survey, "id"), str_c(name), body, now, &r);

    json_decref(body);
    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", name, rc, r.err.text, r.field);
    json_decref(*survey);
    *survey = json_incref(r.json);
    desk_reply_free(&r);
}

/* conditions_given - an access request of the object whose every line is provided, but for one (NULL: all are). */
static void conditions_given(struct world *w, const char *but)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:[s], s:{}}", "kind", "access", "object_ids", "state-register", "values");

    must(desk_request_open(w->desk, &w->analyst, body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    assert_true(db_exec(w->desk, NULL, "UPDATE request_item SET state = CASE WHEN code = ? THEN 'refused' ELSE 'provided' END", "z", but) > 0);
}

static void works_wait_for_the_conditions_of_paragraph_11(void **state)
{
    struct world *w = *state;
    struct viewer surveyor = as(w, DESK_SURVEYOR);
    json_t *s = made(w, "pentest_auto", T0), *missing;
    struct desk_reply r = { 0 };

    assert_int_equal(desk_survey(w->desk, &w->registry, json_get_str(s, "id"), T0, &r), -ENOENT);   /* nobody was told yet */
    desk_reply_free(&r);
    done(w, &surveyor, &s, "start", json_object(), T0);
    assert_string_equal(state_of(s), "blocked");
    missing = json_object_get(json_object_get(json_object_get(s, "values"), "blocked"), "conditions");
    assert_int_equal(json_array_size(missing), 9);
    conditions_given(w, "R-11-06");
    done(w, &surveyor, &s, "start", json_object(), T0 + 1);
    assert_string_equal(state_of(s), "blocked");
    missing = json_object_get(json_object_get(json_object_get(s, "values"), "blocked"), "conditions");
    assert_int_equal(json_array_size(missing), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(missing, 0), "code")), "R-11-06");
    must(desk_survey(w->desk, &w->registry, json_get_str(s, "id"), T0, &r), &r.err);   /* the owner was told which one */
    assert_true(json_array_size(json_object_get(r.json, "notices")) > 0);
    desk_reply_free(&r);
    assert_int_equal(acted(w, &surveyor, s, "start", json_pack("{s:[s]}", "not_needed", "R-11-06"), T0 + 2, &missing), -EINVAL);   /* without a word why */
    done(w, &surveyor, &s, "start", json_pack("{s:[s], s:s}", "not_needed", "R-11-06", "note", "a test from outside"), T0 + 2);
    assert_string_equal(state_of(s), "in_progress");
    done(w, &surveyor, &s, "block", json_pack("{s:[s], s:s}", "conditions", "R-11-05", "reason", "no network at night"), T0 + 3);
    assert_string_equal(state_of(s), "blocked");
    json_decref(s);
}

static void a_survey_by_hand_is_not_completed_before_the_adjacent_network_is_recorded(void **state)
{
    struct world *w = *state;
    struct viewer surveyor = as(w, DESK_SURVEYOR);
    json_t *s, *out;

    conditions_given(w, NULL);
    s = made(w, "pentest_manual", T0);
    done(w, &surveyor, &s, "start", json_object(), T0);
    assert_int_equal(acted(w, &surveyor, s, "complete", json_pack("{s:s}", "reason", "nothing was found"), T0, &out), -EPROTO);
    assert_int_equal(acted(w, &surveyor, s, "adjacent", json_pack("{s:s, s:s}", "lan", "surveyed", "reason", "looked"), T0, &out), -EINVAL);   /* no addresses */
    done(w, &surveyor, &s, "scope_add", json_pack("{s:s, s:[s,s], s:b}", "name", "office", "hosts", "10.9.0.1", "10.9.0.2", "adjacent", 1), T0);
    assert_int_equal(acted(w, &surveyor, s, "adjacent", json_pack("{s:s, s:s}", "lan", "absent", "reason", "none"), T0, &out), -EINVAL);
    done(w, &surveyor, &s, "adjacent", json_pack("{s:s, s:s}", "lan", "surveyed", "reason", "two printers"), T0);
    done(w, &surveyor, &s, "complete", json_pack("{s:s}", "reason", "nothing was found"), T0);
    assert_string_equal(state_of(s), "completed");
    assert_string_equal(clock_state(s, "D-12"), "running");
    json_decref(s);
    s = made(w, "pentest_auto", T0);
    done(w, &surveyor, &s, "start", json_object(), T0);
    assert_int_equal(acted(w, &surveyor, s, "adjacent", json_pack("{s:s, s:s}", "lan", "absent", "reason", "none"), T0, &out), -EPROTO);   /* by hand only */
    json_decref(s);
}

/* The letter at the last instant keeps D-12, a nanosecond later it is late; the receipt starts D-13, which "nothing to fix" keeps. */
static void the_terms_of_results_and_measures(void **state)
{
    struct world *w = *state;
    struct viewer surveyor = as(w, DESK_SURVEYOR);

    conditions_given(w, NULL);
    for (int late = 0; late < 2; late++) {
        json_t *s = made(w, "source_code", T0), *out;
        time_ns due, due13;

        done(w, &surveyor, &s, "start", json_object(), T0);
        assert_int_equal(acted(w, &surveyor, s, "complete", json_object(), T0, &out), -EINVAL);   /* no results and no word why */
        done(w, &surveyor, &s, "complete", json_pack("{s:s}", "reason", "the code was not changed"), T0);
        due = clock_time(s, "D-12", "due");
        assert_true(due > T0 + 13 * NS_PER_DAY);
        assert_int_equal(acted(w, &w->registry, s, "send_results", json_object(), due, &out), -EACCES);
        done(w, &surveyor, &s, "send_results", json_object(), due + late);
        assert_string_equal(clock_state(s, "D-12"), "fulfilled");
        assert_int_equal(clock_time(s, "D-12", "fulfilled_at") - due, late);
        done(w, &w->registry, &s, "receive", json_object(), due + late + 1);
        due13 = clock_time(s, "D-13", "due");
        assert_true(due13 >= due + 20 * NS_PER_DAY);
        assert_int_equal(acted(w, &w->registry, s, "send_measures", json_object(), due13 + late, &out), -EINVAL);   /* says nothing */
        done(w, &w->registry, &s, "send_measures", json_pack("{s:b}", "nothing_to_fix", 1), due13 + late);
        assert_string_equal(clock_state(s, "D-13"), "fulfilled");
        assert_string_equal(state_of(s), "measures_received");
        json_decref(s);
    }
}

static void a_stranger_learns_nothing_and_a_role_does_its_own(void **state)
{
    struct world *w = *state;
    struct viewer surveyor = as(w, DESK_SURVEYOR), auditor = as(w, DESK_AUDITOR);
    json_t *s = made(w, "pentest_auto", T0), *out;

    done(w, &surveyor, &s, "notify", json_object(), T0);
    assert_int_equal(acted(w, &w->city, s, "receive", json_object(), T0, &out), -ENOENT);
    assert_int_equal(acted(w, &w->registry, s, "cancel", json_pack("{s:s}", "reason", "x"), T0, &out), -EACCES);
    assert_int_equal(acted(w, &auditor, s, "cancel", json_pack("{s:s}", "reason", "x"), T0, &out), -EACCES);
    assert_int_equal(acted(w, &surveyor, s, "complete", json_object(), T0, &out), -EPROTO);
    assert_int_equal(acted(w, &surveyor, s, "cancel", json_pack("{s:s, s:i}", "reason", "x", "stray", 1), T0, &out), -EINVAL);
    done(w, &surveyor, &s, "move", json_pack("{s:s, s:s, s:s}", "from_on", "2026-04-01", "to_on", "2026-04-08", "reason", "works of the owner"), T0);
    done(w, &surveyor, &s, "cancel", json_pack("{s:s}", "reason", "the object was terminated"), T0);
    assert_int_equal(acted(w, &surveyor, s, "start", json_object(), T0, &out), -EPROTO);
    json_decref(s);
}

/* --- places and commands --- */

static const struct { const char *text; bool valid; } places[] = {
    { "10.0.0.5", true },        { "2001:db8::1", true },   { "web-1.example.kz", true },  { "localhost", true },      { "", false },
    { "-oN", false },            { "10.0.0.0/24", false },  { "10.0.0.1-20", false },      { "10.0.1", false },        { "1", false },
    { "a b", false },            { "a;reboot", false },     { "$(id)", false },            { "a,b", false },           { "..", false },
    { ".a", false },             { "a.", false },           { "-a.kz", false },            { "a-.kz", false },         { "*.kz", false },
    { "@/etc/passwd", false },   { "a\nb", false },         { "хост.kz", false },          { "0x7f000001", false },     { "fe80::1%eth0", false },
};

static void only_single_places_are_places(void **state)
{
    char longest[256];

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++)
        CHECK(places[i].text, place_valid(str_c(places[i].text)) == places[i].valid);
    memset(longest, 'a', sizeof longest);
    assert_false(place_valid(str_of(longest, 64)));
    assert_false(place_valid(str_of(longest, 254)));
    assert_true(place_valid(str_of(longest, 63)));
}

static void a_command_is_the_policy_and_places_and_nothing_else(void **state)
{
    struct str one = STR("10.0.0.5"), bad = STR("--script=x"), many[TOOL_TARGETS_MAX + 1];
    struct tool_files files = { "/out", NULL };
    struct tool_policy *p = NULL;
    struct arena a;
    char path[4096], **argv;
    struct err e;

    (void)state;
    arena_init(&a, MIB);
    must(tool_policy_load(source_path("content", path), &p, &e), &e);
    assert_true(tool_policy_count(p) >= 3);
    for (size_t i = 0; i < tool_policy_count(p); i++) {
        const struct tool_profile *t = tool_policy_at(p, i);

        CHECK(t->id.p, t->mode_count > 0 && t->time_s > 0 && t->output_mib > 0);
        assert_int_equal(tool_argv(t, &one, 0, &files, &a, &argv, &e), -EINVAL);
        assert_int_equal(tool_argv(t, &bad, 1, &files, &a, &argv, &e), -EINVAL);
        if (t->local)
            assert_int_equal(tool_argv(t, &one, 1, &files, &a, &argv, &e), -EINVAL);   /* not this machine */
    }
    const struct tool_profile *t = tool_policy_find(p, STR("nmap-ports"));
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = one;
    assert_int_equal(tool_argv(t, many, COUNT(many), &files, &a, &argv, &e), -EINVAL);
    must(tool_argv(t, &one, 1, &files, &a, &argv, &e), &e);
    assert_string_equal(argv[0], "/usr/bin/nmap");
    assert_string_equal(argv[t->arg_count], "--");
    assert_string_equal(argv[t->arg_count + 1], "10.0.0.5");
    assert_null(argv[t->arg_count + 2]);
    assert_null(tool_policy_find(p, STR("nmap")));
    tool_policy_free(&p);
    arena_free(&a);
}

/* --- runs, with a program that stands in for a scanner --- */

static const char stand_in[] =
    "profiles:\n"
    "  - {id: args, tool: printf, program: /usr/bin/printf, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: ['[%s]'], target: hosts, format: nmap,"
    " time_s: 20, cpu_s: 5, memory_mib: 512, output_mib: 1}\n"
    "  - {id: slow, tool: sleep, program: /usr/bin/sleep, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: ['60'], target: local, format: nmap, time_s: 1,"
    " cpu_s: 5, memory_mib: 512, output_mib: 1}\n"
    "  - {id: big, tool: head, program: /usr/bin/head, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: ['-c', '5000000', /dev/zero], target: local, format: nmap,"
    " time_s: 20, cpu_s: 5, memory_mib: 512, output_mib: 1}\n"
    "  - {id: gone, tool: none, program: /usr/bin/no-such-program, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: [a], target: hosts, format: nmap, time_s: 5,"
    " cpu_s: 5, memory_mib: 512, output_mib: 1}\n";

static json_t *ran(struct world *w, const struct tool_policy *p, int64_t id, const char *order)
{
    static const volatile int stop;
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    struct err e;

    buf_init(&b, MIB);
    must(file_write_atomic(tools_path(w->node, id, "order", path), str_c(order), 0640, &e), &e);
    assert_int_equal(tools_turn(w->node, p, &stop, &e), 1);
    assert_false(file_exists(tools_path(w->node, id, "order", path)));
    must(file_read(tools_path(w->node, id, "done", path), MIB, &b, &e), &e);
    return json_loadb(b.p, b.n, 0, NULL);
}

static void a_run_is_bounded_and_believes_nobody(void **state)
{
    static const struct { const char *order, *why; int code; } rows[] = {
        { "{\"profile\":\"args\",\"targets\":[\"10.0.0.5\",\"a.kz\"]}", NULL, 0 },
        { "{\"profile\":\"slow\",\"targets\":[\"127.0.0.1\"]}", "time", 137 },
        { "{\"profile\":\"big\",\"targets\":[\"127.0.0.1\"]}", "output", 153 },
        { "{\"profile\":\"gone\",\"targets\":[\"10.0.0.5\"]}", NULL, 127 },
        { "{\"profile\":\"args\",\"targets\":[\"$(reboot)\"]}", "refused", -1 },
        { "{\"profile\":\"args\",\"targets\":[]}", "refused", -1 },
        { "{\"profile\":\"../x\",\"targets\":[\"10.0.0.5\"]}", "refused", -1 },
        { "{\"profile\":\"slow\",\"targets\":[\"192.0.2.7\"]}", "refused", -1 },
        { "not json", "refused", -1 },
    };
    struct world *w = *state;
    AUTO_BUF struct buf b = { 0 };
    struct tool_policy *p = NULL;
    char content[80], path[4096];
    struct err e;

    buf_init(&b, MIB);
    snprintf(content, sizeof content, "%s/content", w->data);
    snprintf(path, sizeof path, "%s/policy", content);
    must(file_mkdirs(path, 0750, &e), &e);
    snprintf(path, sizeof path, "%s/policy/tools.yaml", content);
    must(file_write_atomic(path, str_c(stand_in), 0640, &e), &e);
    must(file_mkdirs(node_path(w->node, "tools", path), 0750, &e), &e);
    must(tool_policy_load(content, &p, &e), &e);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *end = ran(w, p, (int64_t)i + 1, rows[i].order);
        const char *why = json_string_value(json_object_get(end, "why"));

        CHECK(rows[i].order, (!why && !rows[i].why) || (why && rows[i].why && strcmp(why, rows[i].why) == 0));
        CHECK(rows[i].order, json_integer_value(json_object_get(end, "code")) == rows[i].code);
        json_decref(end);
    }
    must(file_read(tools_path(w->node, 1, TOOLS_OUTPUT, path), MIB, &b, &e), &e);
    assert_true(str_eq(buf_view(&b), STR("[10.0.0.5][a.kz]")));   /* each place one argument */
    must(file_write_atomic(tools_path(w->node, 50, "begun", path), STR("{}"), 0640, &e), &e);
    json_t *end = ran(w, p, 50, rows[0].order);   /* the role fell while it ran: never begun twice by itself */
    assert_string_equal(json_string_value(json_object_get(end, "why")), "ended");
    json_decref(end);
    tool_policy_free(&p);
}

/* Content is found by name, the administrator's before that of packages, for the system of this machine; a name with a folder in it is no name. */
static void content_is_the_administrators_and_is_looked_for(void **state)
{
    static const char profile[] = "profiles:\n  - {id: a, tool: oscap, program: /usr/bin/oscap, title: {kk: a, ru: a, en: a}, modes: [update_config], arguments: [%s], content: [%s],"
                                  " target: local, format: arf, time_s: 5, cpu_s: 5, memory_mib: 64, output_mib: 1}\n";
    static const struct { const char *arguments, *content; bool good; } rows[] = {
        { "'{content}'", "a.xml", true }, { "'{content}'", "a.xml, 'ours-{os}.xml'", true }, { "'{content}'", "../a.xml", false }, { "'{content}'", "/etc/passwd", false },
        { "'{content}'", ".a", false }, { "a", "a.xml", false }, { "'{content}'", "", false },
    };
    struct world *w = *state;
    struct str here = STR("127.0.0.1");
    char scap[4096], text[4096], path[4096], **argv;
    struct tool_files files = { "/out", node_path(w->node, "scap", scap) };
    struct tool_policy *p = NULL;
    AUTO_ARENA struct arena a = { 0 };
    struct err e;

    arena_init(&a, MIB);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text, profile, rows[i].arguments, rows[i].content);
        CHECK(rows[i].content, (tool_policy_text(str_c(text), "test", &p, &e) == 0) == rows[i].good);
        tool_policy_free(&p);
    }
    snprintf(text, sizeof text, profile, "'{content}'", "'saqshy-test-{os}.xml', saqshy-test.xml");
    must(tool_policy_text(str_c(text), "test", &p, &e), &e);
    const struct tool_profile *t = tool_policy_at(p, 0);
    assert_int_equal(tool_argv(t, &here, 1, &files, &a, &argv, &e), -ENOENT);
    assert_non_null(strstr(e.text, "saqshy-test.xml in "));
    must(file_mkdirs(scap, 0750, &e), &e);
    must(file_mkdirs(node_path(w->node, "scap/saqshy-test.xml", path), 0750, &e), &e);   /* a folder is no file */
    assert_int_equal(tool_content(t, &files, text, &e), -ENOENT);
    rmdir(path);
    must(file_write_atomic(path, STR("<a/>"), 0640, &e), &e);
    must(tool_argv(t, &here, 1, &files, &a, &argv, &e), &e);
    assert_string_equal(argv[1], path);
    assert_null(argv[2]);
    tool_policy_free(&p);
}

/* A tool that wants more than it may, each as a script of /bin/sh; what it leaves in the folder "pid" must be dead when the run has ended. */
static const struct {
    const char *name, *script, *why;
    int         code;    /* -1: any but 0 */
} greedy[] = {
    { "memory", "exec dd if=/dev/zero of=/dev/null bs=900M count=1", NULL, -1 },
    { "processor", "while :; do :; done", "processor", 137 },
    { "time", "sleep 60", "time", 137 },
    { "time of a child in another session", "setsid sh -c 'echo $$ >pid; exec sleep 60' & sleep 60", "time", 137 },
    { "a child that stays in the group", "sh -c 'echo $$ >pid; exec sleep 60 >&- 2>&- <&-' & until [ -s pid ]; do :; done", NULL, 0 },
    { "a child that leaves group and session and closes everything", "setsid sh -c 'echo $$ >pid; exec sleep 60 >&- 2>&- <&-' & until [ -s pid ]; do :; done", NULL, 0 },
    { "a grandchild behind it", "setsid sh -c 'setsid sh -c \"echo \\$\\$ >pid; exec sleep 60 >&- 2>&-\" & exec sleep 60' & until [ -s pid ]; do :; done", NULL, 0 },
};

static void what_a_tool_takes_or_leaves_behind_is_ended(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf policy = { 0 };
    struct tool_policy *p = NULL;
    char path[4096], script[4096];
    struct err e;

    must(file_mkdirs(node_path(w->node, "tools", path), 0750, &e), &e);
    buf_init(&policy, 64 * KIB);
    buf_str(&policy, STR("profiles:\n"));
    for (size_t i = 0; i < COUNT(greedy); i++) {
        snprintf(path, sizeof path, "tools/%zu.sh", i);
        must(file_write_atomic(node_path(w->node, path, script), str_c(greedy[i].script), 0640, &e), &e);
        buf_printf(&policy, "  - {id: t%zu, tool: sh, program: /bin/sh, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: ['%s'], target: local, format: nmap,"
                            " time_s: %d, cpu_s: 1, memory_mib: 128, output_mib: 1}\n", i, script, strcmp(greedy[i].name, "processor") == 0 ? 60 : 5);
    }
    must(tool_policy_text(buf_view(&policy), "test", &p, &e), &e);
    for (size_t i = 0; i < COUNT(greedy); i++) {
        AUTO_BUF struct buf left = { 0 };
        int64_t pid = 0;

        unlink(node_path(w->node, "tools/pid", path));
        snprintf(script, sizeof script, "{\"profile\":\"t%zu\",\"targets\":[\"127.0.0.1\"]}", i);
        json_t *end = ran(w, p, 100 + (int64_t)i, script);
        const char *why = json_string_value(json_object_get(end, "why"));
        int64_t code = json_integer_value(json_object_get(end, "code"));

        CHECK(greedy[i].name, (!why && !greedy[i].why) || (why && greedy[i].why && strcmp(why, greedy[i].why) == 0));
        CHECK(greedy[i].name, greedy[i].code < 0 ? code != 0 : code == greedy[i].code);
        json_decref(end);
        buf_init(&left, MIB);
        bool wrote = file_exists(path) && file_read(path, KIB, &left, &e) >= 0 && str_i64(str_trim(buf_view(&left)), &pid);
        CHECK(greedy[i].name, wrote == (strstr(greedy[i].script, ">pid") != NULL));
        CHECK(greedy[i].name, !wrote || (kill((pid_t)pid, 0) < 0 && errno == ESRCH));
    }
    tool_policy_free(&p);
}

/* --- recommendations --- */

static const struct {
    const char *title, *fixed, *cve;
    int32_t     port;
    const char *class;
} remedies[] = {
    { "FTP server accepts default credentials", "", "", 21, "default_password" },
    { "SQL Injection in parameter id", "", "", 443, "injection" },
    { "Reflected XSS in the search form", "", "", 443, "cross_site" },
    { "TLS 1.0 is offered", "", "", 443, "weak_tls" },
    { "openssl: a flaw in the parser", "3.0.14", "CVE-2026-0001", -1, "missing_update" },
    { "A flaw without a fix", "", "CVE-2026-0002", -1, "missing_update_cve" },
    { "Something listens", "", "", 5432, "exposed_database" },
    { "Something listens", "", "", 3389, "exposed_administration" },
    { "Open port: 8080/tcp", "", "", 8080, "exposed_port" },
    { "Debug mode", "", "", 8080, "misconfiguration" },
    { "Something new", "", "", -1, "other" },
};

static void every_weakness_has_a_recommendation_in_three_languages(void **state)
{
    struct remedies *r = NULL;
    struct arena a;
    char path[4096];
    struct err e;

    (void)state;
    arena_init(&a, MIB);
    must(remedies_load(source_path("content", path), &r, &e), &e);
    for (size_t i = 0; i < COUNT(remedies); i++) {
        struct remedy_of f = { .title = str_c(remedies[i].title), .fixed_version = str_c(remedies[i].fixed), .cve = str_c(remedies[i].cve), .port = remedies[i].port,
                               .component = STR("openssl"), .solution = STR("Upgrade.") };

        CHECK(remedies[i].title, str_eq(remedy_class(r, &f), str_c(remedies[i].class)));
        for (enum lang l = 0; l < LANG_COUNT; l++) {
            struct str text = remedy_text(r, &f, l, &a);

            CHECK(remedies[i].title, str_find(text, STR("Upgrade.")) > 0);
            CHECK(remedies[i].title, !*remedies[i].fixed || str_find(text, str_c(remedies[i].fixed)) > 0);
        }
    }
    remedies_free(&r);
    arena_free(&a);
}

#define T(f, name) { name, f, world_open, world_close, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_is_that_of_7_5),
        T(works_wait_for_the_conditions_of_paragraph_11, "R-11-01 works wait for the conditions of paragraph 11, and the missing one is named"),
        T(a_survey_by_hand_is_not_completed_before_the_adjacent_network_is_recorded,
          "R-10.2-06 a survey by hand is not completed before the adjacent network is recorded as surveyed or absent"),
        T(the_terms_of_results_and_measures, "D-12 D-13 the last instant is in time, a nanosecond later is late; nothing to fix is an answer"),
        T(a_stranger_learns_nothing_and_a_role_does_its_own, "a stranger learns nothing, a role does its own, an ended survey nothing"),
        cmocka_unit_test(only_single_places_are_places),
        cmocka_unit_test(a_command_is_the_policy_and_places_and_nothing_else),
        T(a_run_is_bounded_and_believes_nobody, "a run is bounded in time and output, and the role believes no order"),
        T(content_is_the_administrators_and_is_looked_for, "OpenSCAP: content is found by its name, the administrator's first; where none is there, a run is refused"),
        T(what_a_tool_takes_or_leaves_behind_is_ended, "what a tool takes beyond its limits, or leaves behind in a session of its own, is ended"),
        cmocka_unit_test(every_weakness_has_a_recommendation_in_three_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
