/* act_merge.c - two cases become one, and may be taken apart again.
 *
 * The clocks that run on the merged case go on at the other by the earliest start. What ran on both before is kept as JSON in case_merge, so a
 * split puts it back: the starts as they were; what was fulfilled meanwhile counts for both, at the moment at which it was. */
#include "desk/cases/acts.h"

#define MERGE_CLOCKS_MAX 32

struct running {
    struct { char obligation[8]; time_ns from; } at[MERGE_CLOCKS_MAX];
    size_t n;
};

static int running_of(struct call *c, int64_t case_id, struct running *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT obligation, from_at FROM duty WHERE case_id = ? AND state = 'running' ORDER BY id LIMIT 32", "i", case_id);
    int rc = st ? 0 : -EIO;

    out->n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        snprintf(out->at[out->n].obligation, sizeof out->at[0].obligation, "%.*s", STR_ARG(db_str(st, 0)));
        out->at[out->n++].from = sqlite3_column_int64(st, 1);
    }
    return rc;
}

static const time_ns *start_in(const struct running *r, const char *obligation)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->at[i].obligation, obligation) == 0)
            return &r->at[i].from;
    return NULL;
}

static json_t *running_json(const struct running *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:I}", "obligation", r->at[i].obligation, "from", (json_int_t)r->at[i].from));
    return list;
}

static void running_read(const json_t *list, struct running *out)
{
    out->n = 0;
    for (size_t i = 0; i < json_array_size(list) && out->n < MERGE_CLOCKS_MAX; i++) {
        const json_t *one = json_array_get(list, i);

        snprintf(out->at[out->n].obligation, sizeof out->at[0].obligation, "%.*s", STR_ARG(json_get_str(one, "obligation")));
        out->at[out->n++].from = json_integer_value(json_object_get(one, "from"));
    }
}

/* clocks_join - what runs at the source goes on at the target, unless the target has it behind it. */
static int clocks_join(struct call *c, const struct kase *from, const struct kase *to, const struct running *source, const struct running *target)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->n; i++) {
        const char *o = source->at[i].obligation;
        const time_ns *there = start_in(target, o);
        int64_t behind = 0;

        rc = db_int(c->d, c->e, 0, &behind, "SELECT count(*) FROM duty WHERE case_id = ?1 AND obligation = ?2 AND state = 'fulfilled'", "iz", to->id, o);
        if (rc == 0 && (there ? source->at[i].from < *there : behind == 0))
            rc = clock_start(c, to, o, source->at[i].from);
        if (rc == 0)
            rc = clock_cancel(c, from, o, "case.text.merged_clock");
    }
    return rc;
}

/* tlp_rank - the place of a label in the order of case_tlp_values, from the widest to the strictest. */
static int tlp_rank(struct str label)
{
    int i = 0;

    while (case_tlp_values[i] && !str_eq(label, str_c(case_tlp_values[i])))
        i++;
    return i;
}

static int merge_target(struct call *c, const struct kase *k, struct str into, struct kase *to)
{
    int64_t id = 0, children = 0;
    int rc = case_by_number(c, into, &id);

    if (rc == -ENOENT || id == k->id)
        return refuse(c, -EINVAL, "bad_request", "into", "no such case, or the same one");
    if (rc == 0)
        rc = case_load(c, id, to);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &children, "SELECT count(*) FROM cases WHERE merged_into = ?1", "i", k->id);
    if (rc < 0)
        return rc;
    if (to->merged_into || to->closed_at)
        return refuse(c, -EINVAL, "bad_request", "into", "that case is closed, or merged itself");
    /* What is being worked on alone takes in another case: else a merge would end a case that only two persons may dismiss. */
    if ((1u << to->state) & (1u << CASE_DISMISSED | 1u << CASE_REJECTED | 1u << CASE_EVENT_ANALYSED | 1u << CASE_ELIMINATED | 1u << CASE_CLOSED))
        return refuse(c, -EINVAL, "bad_request", "into", "nothing is left to do about that case");
    if (tlp_rank(k->tlp) > tlp_rank(to->tlp))
        return refuse(c, -EPROTO, "tlp_forbids", "into", "a case of a stricter label is not merged into one that more people see");
    if (to->machine != k->machine || !str_eq(to->object_id.p ? to->object_id : STR(""), k->object_id.p ? k->object_id : STR("")))
        return refuse(c, -EINVAL, "bad_request", "into", "cases of another machine or of another object are not merged");
    if (children)
        return refuse(c, -EPROTO, "wrong_state", "into", "other cases are merged into this one: split them first");
    rc = db_int(c->d, c->e, 0, &children, "SELECT count(*) FROM cases WHERE merged_into = ?1", "i", id);
    return rc == 0 && children >= MERGED_MAX ? refuse(c, -EINVAL, "bad_request", "into", "%d cases are merged into it already", MERGED_MAX) : rc;
}

int act_merge(struct call *c, struct act_call *a)
{
    struct str reason = json_get_str(a->body, "reason");
    struct running source, target;
    struct kase to;
    int rc = merge_target(c, a->k, json_get_str(a->body, "into"), &to);

    if (rc == 0)
        rc = running_of(c, a->k->id, &source);
    if (rc == 0)
        rc = running_of(c, to.id, &target);
    if (rc < 0)
        return rc;
    json_t *before = json_pack("{s:o, s:o}", "source", running_json(&source), "target", running_json(&target));
    AUTO_FREE char *text = json_dumps(before, JSON_COMPACT);
    json_decref(before);
    rc = db_exec(c->d, c->e, "INSERT INTO case_merge(source_id, target_id, at, author_id, reason, before) VALUES (?,?,?,?,?,?)", "iiimtz", a->k->id, to.id,
                 c->now, (time_ns)viewer_id(c), reason, text);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET merged_into = ?2, updated_at = ?3 WHERE id = ?1", "iii", a->k->id, to.id, c->now);
    if (rc >= 0)
        rc = timeline_add(c, a->k->id, &(struct line){ .kind = "merge", .text = reason, .key = "case.text.merged",
                                                       .args = json_pack("{s:o}", "number", json_str(to.number)) });
    if (rc == 0)
        rc = timeline_add(c, to.id, &(struct line){ .kind = "merge", .text = reason, .key = "case.text.merged_here",
                                                    .args = json_pack("{s:o}", "number", json_str(a->k->number)) });
    return rc < 0 ? rc : clocks_join(c, a->k, &to, &source, &target);
}

/* source_restore - a clock of the source runs again from its own start; what was fulfilled at the target meanwhile is fulfilled. */
static int source_restore(struct call *c, const struct kase *k, const struct running *source, int64_t target, time_ns merged_at)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < source->n; i++) {
        time_ns done = 0;

        rc = clock_start(c, k, source->at[i].obligation, source->at[i].from);
        if (rc == 0)
            rc = db_int(c->d, c->e, 0, &done,
                        "SELECT fulfilled_at FROM duty WHERE case_id = ?1 AND obligation = ?2 AND state = 'fulfilled' AND fulfilled_at >= ?3"
                        " ORDER BY id DESC LIMIT 1",
                        "izi", target, source->at[i].obligation, merged_at);
        if (rc == 0 && done)
            rc = clock_fulfil(c, k, source->at[i].obligation, done);
    }
    return rc;
}

/* target_restore - a clock that the merge moved or brought counts as it did before; other cases merged into it keep what they brought. */
static int target_restore(struct call *c, const struct kase *to, const struct running *source, const struct running *target)
{
    struct running now;
    int rc = running_of(c, to->id, &now);

    for (size_t i = 0; rc == 0 && i < source->n; i++) {
        const char *o = source->at[i].obligation;
        const time_ns *was = start_in(target, o), *is = start_in(&now, o);

        if (!is || *is != source->at[i].from)
            continue;
        if (was && *was != *is)
            rc = clock_start(c, to, o, *was);
        else if (!was)
            rc = clock_cancel(c, to, o, "case.text.split_clock");
    }
    return rc;
}

int act_split(struct call *c, struct act_call *a)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, target_id, at, before FROM case_merge WHERE source_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
                                "i", a->k->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct running source, target;
    struct kase to;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -EIO, "the row of the merge is gone");
    int64_t id = sqlite3_column_int64(st, 0), into = sqlite3_column_int64(st, 1);
    time_ns at = sqlite3_column_int64(st, 2);
    struct str text = db_copy(st, 3, &c->a);
    db_done(st);
    json_t *before = json_loadb(text.p, text.n, 0, NULL);
    running_read(json_object_get(before, "source"), &source);
    running_read(json_object_get(before, "target"), &target);
    json_decref(before);
    rc = case_load(c, into, &to);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE case_merge SET undone_at = ?2 WHERE id = ?1", "ii", id, c->now);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET merged_into = NULL, updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);
    if (rc >= 0)
        rc = timeline_add(c, a->k->id, &(struct line){ .kind = "split", .text = json_get_str(a->body, "reason"), .key = "case.text.split",
                                                       .args = json_pack("{s:o}", "number", json_str(to.number)) });
    if (rc == 0)
        rc = timeline_add(c, to.id, &(struct line){ .kind = "split", .text = json_get_str(a->body, "reason"), .key = "case.text.split",
                                                    .args = json_pack("{s:o}", "number", json_str(a->k->number)) });
    if (rc == 0)
        rc = source_restore(c, a->k, &source, into, at);
    return rc < 0 ? rc : target_restore(c, &to, &source, &target);
}
