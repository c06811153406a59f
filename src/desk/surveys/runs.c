/* runs.c - runs of our own tools: proposed on places of the scope, confirmed by a second press on the exact command, given to the role "tools", and their
 * output taken as a file of results. */
#include "desk/surveys/room.h"
#include "desk/surveys/tools.h"
#include "base/file.h"

#include <unistd.h>

#define RUNS_MAX  100   /* of one survey */
#define TICK_RUNS 16

/* story_of - what the tool said; before it, from "@CODE", why the role ended it, in the language of whoever reads. */
static json_t *story_of(struct call *c, struct str kept)
{
    struct str rest = kept, why;

    if (!str_starts(kept, STR("@")) || !str_split(&rest, '\n', &why))
        return kept.p ? json_str(kept) : json_null();
    why = sv_text(c, "survey.run.why", str_cut(why, 1), c->v ? c->v->lang : LANG_RU);
    return json_str(arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(why), rest.n ? "\n" : "", STR_ARG(rest.p ? rest : STR(""))));
}

int runs_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.profile, r.tool, r.targets, r.argv, r.state, r.proposed_at, p.name, r.confirmed_at, k.name, r.started_at, r.ended_at,"
                                " r.exit_code, r.story, r.result_id FROM survey_run r JOIN user p ON p.id = r.proposed_by LEFT JOIN user k ON k.id = r.confirmed_by"
                                " WHERE r.survey_id = ? ORDER BY r.id",
                                "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str targets = db_str(st, 3);
        json_t *list = json_loadb(targets.p, targets.n, 0, NULL);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "profile",
                                              db_json(st, 1), "tool", db_json(st, 2), "targets", list ? list : json_array(), "command", db_json(st, 4), "state",
                                              db_json(st, 5), "proposed_at", db_json_time(st, 6), "proposed_by", db_json(st, 7), "confirmed_at", db_json_time(st, 8),
                                              "confirmed_by", db_json(st, 9), "started_at", db_json_time(st, 10), "ended_at", db_json_time(st, 11), "exit_code",
                                              sqlite3_column_type(st, 12) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(st, 12)), "story",
                                              story_of(c, db_str(st, 13)), "result", db_json_id(st, 14)));
    }
    return rc;
}

int desk_survey_tools(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct tool_policy *p = NULL;
    json_t *items = json_array();
    char path[4096], scap[4096];
    struct tool_files files = { NULL, node_path(d->setup.node, "scap", scap) };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = tool_policy_load(d->setup.node->content, &p, c.e);
    for (size_t i = 0; rc == 0 && i < tool_policy_count(p); i++) {
        const struct tool_profile *t = tool_policy_at(p, i);
        json_t *modes = json_array();
        struct err none = { 0 };
        bool installed = tool_installed(t), content = tool_content(t, &files, path, &none) == 0;
        struct str missing = !installed ? t->program : str_of(NULL, 0);

        if (installed && !content)
            missing = catalog_format(d->setup.catalog, v->lang, &c.a, "survey.tool.no_content", "files", path, "folder", scap, "also", TOOL_SCAP_FOLDER, NULL);
        for (size_t m = 0; m < t->mode_count; m++)
            json_array_append_new(modes, json_str(t->modes[m]));
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "id", json_str(t->id), "tool", json_str(t->tool), "title", json_str(t->title[v->lang]),
                                               "modes", modes, "local", t->local, "present", installed && content, "missing",
                                               missing.n ? json_str(missing) : json_null()));
    }
    r->json = json_pack("{s:b, s:o, s:n}", "running", tools_alive(d->setup.node), "items", items, "next");
    tool_policy_free(&p);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- proposed --- */

/* in_scope - is this place one of those that the survey looks at, letter by letter? */
static bool in_scope(const json_t *scope, const json_t *place)
{
    for (size_t i = 0; i < json_array_size(scope); i++) {
        const json_t *hosts = json_object_get(json_array_get(scope, i), "hosts");

        for (size_t h = 0; h < json_array_size(hosts); h++)
            if (json_equal(json_array_get(hosts, h), place))
                return true;
    }
    return false;
}

/* command_of - the command of a profile on these places, all of the scope; output of a run that has no number yet is called "RUN". */
static int command_of(struct call *c, const struct sv *s, struct str profile, const json_t *list, int64_t run, struct str *tool, struct str *command)
{
    struct str *targets = arena_array(&c->a, TOOL_TARGETS_MAX, sizeof *targets);
    struct tool_policy *p = NULL;
    char output[4096], scap[4096], **argv;
    struct tool_files files = { tools_path(c->d->setup.node, run, TOOLS_OUTPUT, output), node_path(c->d->setup.node, "scap", scap) };
    json_t *scope = NULL;
    struct err e = { 0 };
    int rc = targets ? tool_policy_load(c->d->setup.node->content, &p, c->e) : -ENOMEM;
    const struct tool_profile *t = rc == 0 ? tool_policy_find(p, profile) : NULL;

    if (rc == 0)
        rc = scope_included(c, s, &scope);
    if (rc == 0 && (!t || !tool_for_mode(t, s->mode)))
        rc = sv_wrong(c, "profile", "no such profile for this mode");
    if (rc == 0 && !tool_installed(t))
        rc = refuse(c, -EPROTO, "tool_missing", "profile", "%.*s is not installed here", STR_ARG(t->tool));
    for (size_t i = 0; rc == 0 && i < json_array_size(list) && i < TOOL_TARGETS_MAX; i++) {
        const json_t *one = json_array_get(list, i);

        if (!in_scope(scope, one))
            rc = sv_wrong(c, "targets", "not a place of the survey's scope");
        targets[i] = str_of(json_string_value(one), json_string_length(one));
    }
    int made = rc == 0 ? tool_argv(t, targets, json_array_size(list), &files, &c->a, &argv, &e) : 0;
    if (made < 0)
        rc = made == -ENOENT ? refuse(c, -EPROTO, "tool_missing", "profile", "%s", e.text) : sv_wrong(c, "targets", e.text);
    if (rc == 0) {
        *tool = arena_copy(&c->a, t->tool);
        *command = tool_command(argv, &c->a);
    }
    json_decref(scope);
    tool_policy_free(&p);
    return rc;
}

int sv_do_run_propose(struct call *c, struct sv *s, const json_t *body)
{
    AUTO_FREE char *targets = json_dumps(json_object_get(body, "targets"), JSON_COMPACT);
    struct str tool, command;
    int64_t id = 0, n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM survey_run WHERE survey_id = ?", "i", s->id);

    if (rc == 0 && n >= RUNS_MAX)
        rc = sv_wrong(c, "profile", "as many runs as a survey may have");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &id,
                    "INSERT INTO survey_run(survey_id, profile, tool, targets, argv, state, proposed_at, proposed_by) VALUES (?,?,'',?,'','proposed',?,?) RETURNING id",
                    "itzii", s->id, json_get_str(body, "profile"), targets, c->now, c->v->user_id);
    if (rc == 0)
        rc = command_of(c, s, json_get_str(body, "profile"), json_object_get(body, "targets"), id, &tool, &command);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE survey_run SET tool = ?2, argv = ?3 WHERE id = ?1", "itt", id, tool, command);
    return rc < 0 ? rc : sv_line(c, s, "run_proposed", command, NULL, true);
}

/* --- confirmed: the second press, on the exact command --- */

static int run_load(struct call *c, const struct sv *s, const json_t *body, const char *states, struct str *profile, struct str *command, json_t **targets)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT profile, argv, targets FROM survey_run WHERE survey_id = ?1 AND id = ?2 AND instr(?3, state) > 0", "iiz", s->id,
                                parse_id(json_get_str(body, "run")), states);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : sv_wrong(c, "run", "no such run that waits");
    *profile = db_copy(st, 0, &c->a);
    *command = db_copy(st, 1, &c->a);
    *targets = json_loadb(db_str(st, 2).p, db_str(st, 2).n, 0, NULL);
    db_done(st);
    return 0;
}

int sv_do_run_confirm(struct call *c, struct sv *s, const json_t *body)
{
    int64_t id = parse_id(json_get_str(body, "run"));
    struct str profile, command, tool, now = { NULL, 0 };
    json_t *targets = NULL;
    int rc = run_load(c, s, body, "proposed", &profile, &command, &targets);
    if (rc == 0)
        rc = command_of(c, s, profile, targets, id, &tool, &now);
    json_decref(targets);
    if (rc < 0)
        return rc;
    /* Whoever confirms has seen what will run: the command as it was proposed, as it would be made now, as the page showed it. */
    if (!str_eq(command, now) || !str_eq(command, json_get_str(body, "command")))
        return refuse(c, -EEXIST, "conflict", "command", "this is not the command that would run");
    if (!tools_alive(c->d->setup.node))
        return refuse(c, -EPROTO, "wrong_state", "run", "the role \"tools\" does not run on this node");
    rc = db_exec(c->d, c->e, "UPDATE survey_run SET state = 'confirmed', confirmed_at = ?2, confirmed_by = ?3 WHERE id = ?1", "iii", id, c->now, c->v->user_id);
    if (rc >= 0)
        rc = sv_line(c, s, "run_confirmed", command, NULL, true);
    return rc < 0 ? rc : audit_add(c, "survey.run", arena_printf(&c->a, "survey/%lld", (long long)s->id).p, command, "ok");
}

int sv_do_run_cancel(struct call *c, struct sv *s, const json_t *body)
{
    int64_t id = parse_id(json_get_str(body, "run"));
    struct str profile, command;
    json_t *targets = NULL;
    char path[4096];
    int rc = run_load(c, s, body, "proposed confirmed running", &profile, &command, &targets);

    json_decref(targets);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE survey_run SET state = 'cancelled', ended_at = ?2 WHERE id = ?1", "ii", id, c->now);
    if (rc >= 0 && file_exists(tools_path(c->d->setup.node, id, "order", path)))
        rc = file_write_atomic(tools_path(c->d->setup.node, id, "stop", path), STR("{}"), 0640, c->e);
    return rc < 0 ? rc : sv_line(c, s, "run_cancelled", json_get_str(body, "reason"), NULL, true);
}

/* --- between desk and role --- */

static void files_away(const struct node *n, int64_t run)
{
    static const char *const endings[] = { "order", "begun", TOOLS_OUTPUT, "stop", "done" };
    char path[4096];

    for (size_t i = 0; i < COUNT(endings); i++)
        unlink(tools_path(n, run, endings[i], path));
}

/* give - the order, as a profile and places: what stands in it is checked there once more. */
static int give(struct call *c, int64_t run, struct str profile, struct str targets)
{
    json_t *list = json_loadb(targets.p, targets.n, 0, NULL), *order = json_pack("{s:o, s:o}", "profile", json_str(profile), "targets", list ? list : json_array());
    AUTO_FREE char *text = json_dumps(order, JSON_COMPACT);
    char path[4096];

    json_decref(order);
    return text ? file_write_atomic(tools_path(c->d->setup.node, run, "order", path), str_c(text), 0640, c->e) : -ENOMEM;
}

static int output_take(struct call *c, struct sv *s, int64_t run, const struct tool_profile *t, int64_t *result)
{
    AUTO_BUF struct buf bytes = { 0 };
    char path[4096];
    struct blob b;
    int rc;

    buf_init(&bytes, TOOL_OUTPUT_MAX);
    rc = tools_output_read(tools_path(c->d->setup.node, run, TOOLS_OUTPUT, path), &bytes, c->e);
    if (rc >= 0 && bytes.n == 0)
        return err_set(c->e, -ENODATA, "the tool wrote nothing");
    if (rc >= 0)
        rc = blob_put(c, buf_view(&bytes), &b);
    if (rc < 0)
        return rc;
    snprintf(b.name, sizeof b.name, "%.*s-%lld.xml", (int)min_size(t->id.n, 64), t->id.p, (long long)run);
    return result_put(c, s, &b, t->format, (struct str){ NULL, 0 }, run, result);
}

static bool code_good(const struct tool_profile *t, int64_t code)
{
    for (size_t i = 0; i < t->code_count; i++)
        if (t->codes[i] == code)
            return true;
    return t->code_count == 0 && code == 0;
}

/* ended - what the role says of a run: its output becomes a file of results, or the story says why there is none. */
static int ended(struct call *c, struct sv *s, int64_t run, struct str profile, const json_t *done, time_ns started)
{
    int64_t code = json_integer_value(json_object_get(done, "code")), result = 0;
    struct str why = json_get_str(done, "why"), story = json_get_str(done, "story");
    struct tool_policy *p = NULL;
    int rc = tool_policy_load(c->d->setup.node->content, &p, c->e);
    const struct tool_profile *t = rc == 0 ? tool_policy_find(p, profile) : NULL;
    bool good = t && !why.n && code_good(t, code) && sv_in(s, "in_progress completed");

    if (rc == 0 && good)
        rc = output_take(c, s, run, t, &result);
    if (rc == -ENODATA || rc == -EINVAL) {
        story = arena_copy(&c->a, str_c(c->e->text));
        good = false;
        rc = 0;
    }
    tool_policy_free(&p);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE survey_run SET state = ?2, ended_at = ?3, started_at = coalesce(started_at, ?4), exit_code = ?5, story = ?6, result_id = ?7 WHERE id = ?1",
                     "iziiitm", run, good ? "done" : "failed", c->now, started, code,
                     why.n ? arena_printf(&c->a, "@%.*s\n%.*s", STR_ARG(why), STR_ARG(story.p ? story : STR(""))) : story,
                     (time_ns)result);
    if (rc >= 0)
        rc = sv_line(c, s, good ? "run_done" : "run_failed", story, NULL, true);
    if (rc >= 0)
        rc = sv_save(c, s);
    return rc < 0 ? rc : audit_add(c, "survey.run_end", arena_printf(&c->a, "survey/%lld", (long long)s->id).p, good ? STR("done") : STR("failed"), "ok");
}

struct work {
    int64_t    run, survey;
    struct str state, profile, targets;
    time_ns    started_at;
};

static int one(struct call *c, const struct work *w)
{
    const struct node *n = c->d->setup.node;
    AUTO_SV struct sv s = { 0 };
    AUTO_BUF struct buf text = { 0 };
    json_t *done = NULL;
    char path[4096];
    int rc;

    buf_init(&text, TOOL_ORDER_MAX);
    bool finished = file_exists(tools_path(n, w->run, "done", path));
    if (str_eq(w->state, STR("cancelled"))) {
        if (!finished && file_exists(tools_path(n, w->run, "order", path)))
            return 0;
        rc = db_exec(c->d, c->e, "UPDATE survey_run SET exit_code = -1 WHERE id = ?", "i", w->run);
        return rc < 0 ? rc : 1;
    }
    if (!finished) {
        bool begun = file_exists(tools_path(n, w->run, "begun", path));

        if (!begun)
            return file_exists(tools_path(n, w->run, "order", path)) ? 0 : give(c, w->run, w->profile, w->targets);
        rc = str_eq(w->state, STR("confirmed")) ? db_exec(c->d, c->e, "UPDATE survey_run SET state = 'running', started_at = ?2 WHERE id = ?1", "ii", w->run, c->now) : 0;
        if (rc > 0)
            change_id(c->d, "survey", w->survey);
        return rc < 0 ? rc : 0;
    }
    rc = file_read(tools_path(n, w->run, "done", path), TOOL_ORDER_MAX, &text, c->e);
    done = rc >= 0 ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    if (rc >= 0)
        rc = sv_load(c, w->survey, &s);
    if (rc == 0)
        rc = ended(c, &s, w->run, w->profile, done, w->started_at ? w->started_at : c->now);
    json_decref(done);
    return rc < 0 ? rc : 1;
}

int runs_tick(struct call *c)
{
    struct work w[TICK_RUNS];
    int n = 0, made = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, survey_id, state, profile, targets, started_at FROM survey_run WHERE exit_code IS NULL AND confirmed_at IS NOT NULL ORDER BY id LIMIT 16", "");
    int rc = st ? 0 : -EIO;

    while (st && n < TICK_RUNS && (rc = db_step(c->d, st, c->e)) > 0)
        w[n++] = (struct work){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                                sqlite3_column_int64(st, 5) };
    if (rc > 0)
        db_done(st);
    for (int i = 0; rc >= 0 && i < n; i++) {
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            break;
        int did = one(c, &w[i]);

        rc = db_end(c->d, did < 0 ? did : 0, c->e);
        if (rc == 0 && did > 0) {
            files_away(c->d->setup.node, w[i].run);
            made++;
        }
    }
    return rc < 0 ? rc : made;
}
