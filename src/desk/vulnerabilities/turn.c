/* turn.c - the room's work in the background, in pieces: reading files, applying them, taking them away, counting objects anew.
 *
 * A result goes waiting -> reading -> applying -> applied. Its rows count from "applying" on; until then they are invisible. What a kill leaves in
 * "reading" is taken away and read again; "applying" and the list of objects to count go on where their cursor stands. */
#include "desk/blob.h"
#include "desk/vulnerabilities/room.h"

#define READ_PIECE   1500     /* findings of one transaction: some tens of milliseconds */
#define APPLY_PIECE  1000
#define COUNT_PIECE  600
#define CLEAR_PIECE  5000
#define MAPPED_MAX   256

/* --- reading --- */

struct reading {
    struct call      *c;
    struct vuln_feed *feed;
    const char       *name;       /* of the file */
    int64_t           result, in_piece;
    uint64_t          done, total;
    bool              ours;       /* it failed here, not in the file */
};

/* space_there - a file takes nothing of the last space of the disk. What the lane says is told once, and the file's page says it as long as it holds. */
static int space_there(struct call *c, const char *name)
{
    if (space_left(c) >= VULN_FREE_MIN_MIB)
        return 0;
    return err_set(c->e, -ENOSPC, "less than %d MiB are free on the disk: the file of results \"%s\" waits; make space, and it goes on by itself", VULN_FREE_MIN_MIB, name);
}

static int piece_next(struct reading *r)
{
    struct call *c = r->c;
    int rc = space_there(c, r->name);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET done = ?2, total = ?3 WHERE id = ?1", "iii", r->result, (int64_t)r->done, (int64_t)r->total);

    rc = db_end(c->d, rc, c->e);
    r->in_piece = 0;
    return rc < 0 ? rc : db_begin(c->d, c->e);
}

static int piece_step(struct reading *r, int rc)
{
    if (rc == 0 && ++r->in_piece >= READ_PIECE)
        rc = piece_next(r);
    r->ours = r->ours || rc < 0;
    return rc;
}

static int on_finding(void *arg, const struct scan_finding *f, struct err *e)
{
    struct reading *r = arg;
    int rc = piece_step(r, vuln_feed_put(r->feed, f));

    arena_reset(&r->c->a);
    return rc < 0 ? err_set(e, rc, "%s", r->c->e->text) : 0;
}

static int on_cover(void *arg, const struct scan_cover *w, struct err *e)
{
    struct reading *r = arg;
    int rc = piece_step(r, vuln_feed_cover(r->feed, w));

    return rc < 0 ? err_set(e, rc, "%s", r->c->e->text) : 0;
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct reading *r = arg;

    r->done = done;
    r->total = total;
}

/* mapping_read - {tool, sheet, columns: {heading: field}} of a table, as scan_read wants it. Texts are borrowed from j. */
static void mapping_read(const json_t *j, struct scan_column columns[MAPPED_MAX], struct scan_mapping *out)
{
    const char *heading;
    json_t *field;

    *out = (struct scan_mapping){ .tool = json_get_str(j, "tool"), .sheet = json_get_str(j, "sheet"), .columns = columns };
    json_object_foreach(json_object_get(j, "columns"), heading, field)
        if (json_is_string(field) && out->count < MAPPED_MAX)
            columns[out->count++] = (struct scan_column){ str_c(heading), str_c(json_string_value(field)) };
}

static int formats_ready(struct call *c)
{
    return c->d->scan ? 0 : scan_formats_load(c->d->setup.node->content, &c->d->scan, c->e);
}

struct job {
    int64_t    id, survey, cursor;
    char       sha256[65], state[16], format[64];
    char       name[256];
    json_t    *mapping;      /* owned */
    struct str object;
};

/* file_read - the whole file into rows; *told is what the file itself is refused for. */
static int file_read(struct reading *r, const struct job *j, struct scan_report *report, struct err *told)
{
    struct call *c = r->c;
    const struct scan_sink sink = { on_finding, on_cover, on_progress, r };
    struct scan_column columns[MAPPED_MAX];
    struct scan_mapping mapping;
    struct blob blob;
    AUTO_CLOSE int fd = -1;
    int rc = blob_open(c, j->sha256, &fd, &blob);

    if (rc < 0) {
        r->ours = true;
        return rc;
    }
    mapping_read(j->mapping, columns, &mapping);
    return scan_read(c->d->scan, fd, j->name, j->format, j->mapping ? &mapping : NULL, &sink, report, told);
}

static int refused(struct call *c, const struct job *j, const struct err *told)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'refused', error = ?2, line = ?3 WHERE id = ?1", "izi", j->id, told->text, (int64_t)told->line);
    if (rc >= 0)
        rc = audit_add(c, "vulnerability.result_refused", arena_printf(&c->a, "survey/%lld", (long long)j->survey).p, str_c(told->text), "refused");
    change_id(c->d, "survey", j->survey);
    return db_end(c->d, rc, c->e);
}

static int state_set(struct call *c, int64_t id, const char *state)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = ?2, cursor = 0, done = 0, error = '', line = 0, findings = 0, outside = 0, covers = 0"
                             " WHERE id = ?1", "iz", id, state);
    return db_end(c->d, rc < 0 ? rc : 0, c->e);
}

static int clear_all(struct call *c, int64_t result)
{
    int gone = 1;

    while (gone > 0) {
        int rc = db_begin(c->d, c->e);

        if (rc < 0)
            return rc;
        gone = vuln_feed_clear(c, result, CLEAR_PIECE);
        rc = db_end(c->d, gone, c->e);
        if (rc < 0)
            return rc;
    }
    return gone;
}

static int read_ended(struct reading *r, const struct scan_report *report)
{
    struct call *c = r->c;
    int rc = vuln_feed_close(r->feed, report);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'applying', cursor = 0, done = total WHERE id = ?", "i", r->result);
    return rc < 0 ? rc : 0;
}

static int do_read(struct call *c, struct job *j)
{
    struct reading r = { .c = c, .result = j->id, .name = j->name };
    struct scan_report report = { 0 };
    struct err told = { 0 };
    int rc = space_there(c, j->name);

    if (rc == 0)
        rc = formats_ready(c);
    if (rc == 0)
        rc = state_set(c, j->id, "reading");
    if (rc == 0)
        rc = clear_all(c, j->id);
    if (rc >= 0)
        rc = vuln_feed_open(c, j->id, &r.feed);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    if (rc >= 0) {
        rc = file_read(&r, j, &report, &told);
        if (c->d->in_tx)
            rc = db_end(c->d, rc < 0 ? rc : read_ended(&r, &report), c->e);
    }
    vuln_feed_free(&r.feed);
    if (rc >= 0 || r.ours || told.rc >= 0)
        return rc;
    rc = refused(c, j, &told);
    return rc < 0 ? rc : clear_all(c, j->id);
}

/* --- applying --- */

/* seen_now - the vulnerabilities of the next sightings of a result, each once. */
static int keys_next(struct call *c, const struct job *j, int64_t keys[APPLY_PIECE], size_t *n, int64_t *last)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, key_id, outside FROM vuln_sighting WHERE result_id = ? AND id > ? ORDER BY id LIMIT ?", "iii", j->id,
                                j->cursor, (int64_t)APPLY_PIECE);
    int rc = st ? 0 : -EIO;

    *n = 0;
    *last = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        *last = sqlite3_column_int64(st, 0);
        if (!sqlite3_column_int(st, 2))
            keys[(*n)++] = sqlite3_column_int64(st, 1);
    }
    return rc;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static size_t once(int64_t *ids, size_t n)
{
    size_t out = 0;

    if (n > 1)
        qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            ids[out++] = ids[i];
    return out;
}

/* counted_after - an object with a control survey is counted anew as a whole when the file is applied (applied()): its pieces need not be counted before. */
static int counted_after(struct call *c, const struct job *j, int64_t *yes)
{
    return db_int(c->d, c->e, 0, yes, "SELECT 1 FROM vuln_survey WHERE object_id = ? AND control = 1 LIMIT 1", "t", j->object);
}

static int applied(struct call *c, const struct job *j)
{
    int64_t others = 0;
    int rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'applied', applied_at = ?2 WHERE id = ?1", "ii", j->id, c->now);

    /* A control survey says something of what it did not see, too. */
    if (rc >= 0)
        rc = counted_after(c, j, &others);
    if (rc == 0 && others)
        rc = pending_add(c, j->object, false);
    if (rc == 0)
        rc = audit_add(c, "vulnerability.result_apply", arena_printf(&c->a, "survey/%lld", (long long)j->survey).p,
                       arena_printf(&c->a, "%s, SHA-256 %s", j->name, j->sha256), "ok");
    change_id(c->d, "survey", j->survey);
    return rc;
}

static int apply_piece(struct call *c, struct job *j)
{
    struct vuln_tally *t = NULL;
    int64_t keys[APPLY_PIECE], last, later = 0;
    bool ruled = true;
    size_t n;
    int rc = keys_next(c, j, keys, &n, &last);

    if (rc == 0 && last == 0)
        return applied(c, j);
    if (rc == 0)
        rc = counted_after(c, j, &later);
    if (rc == 0)
        rc = rules_any(c, j->object, &ruled);
    n = once(keys, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = key_resolve(c, keys[i], ruled, &keys[i]);
    n = later ? 0 : once(keys, n);
    if (rc == 0 && !later)
        rc = vuln_tally_open(c, j->object, &t);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = vuln_recount(t, keys[i]);
    vuln_tally_free(&t);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET cursor = ?2 WHERE id = ?1", "ii", j->id, last);
    return rc < 0 ? rc : 0;
}

static int do_apply(struct call *c, struct job *j)
{
    int rc = db_begin(c->d, c->e);

    return rc < 0 ? rc : db_end(c->d, apply_piece(c, j), c->e);
}

/* --- taking away --- */

static int do_withdraw(struct call *c, struct job *j)
{
    int rc = db_begin(c->d, c->e), gone;

    if (rc < 0)
        return rc;
    gone = vuln_feed_clear(c, j->id, CLEAR_PIECE);
    rc = gone;
    if (gone == 0) {
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'withdrawn' WHERE id = ?", "i", j->id);
        if (rc >= 0)
            rc = pending_add(c, j->object, false);
    }
    return db_end(c->d, rc, c->e);
}

static int job_next(struct call *c, struct job *j)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.survey_id, r.cursor, r.sha256, r.state, r.format, r.name, r.mapping, y.object_id FROM vuln_result r JOIN"
                                " vuln_survey y ON y.id = r.survey_id WHERE r.state IN ('waiting','reading','applying','withdrawing') ORDER BY r.id <= ?, r.id LIMIT 1",
                                "i", c->d->vuln_stuck);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *j = (struct job){ .id = sqlite3_column_int64(st, 0), .survey = sqlite3_column_int64(st, 1), .cursor = sqlite3_column_int64(st, 2) };
    snprintf(j->sha256, sizeof j->sha256, "%.*s", STR_ARG(db_str(st, 3)));
    snprintf(j->state, sizeof j->state, "%.*s", STR_ARG(db_str(st, 4)));
    snprintf(j->format, sizeof j->format, "%.*s", STR_ARG(db_str(st, 5)));
    snprintf(j->name, sizeof j->name, "%.*s", STR_ARG(db_str(st, 6)));
    struct str mapping = db_str(st, 7);
    j->mapping = mapping.n ? json_loadb(mapping.p, mapping.n, 0, NULL) : NULL;
    j->object = db_copy(st, 8, &c->a);
    db_done(st);
    return 1;
}

static const struct { const char *state; int (*run)(struct call *c, struct job *j); } jobs[] = {
    { "waiting", do_read }, { "reading", do_read }, { "applying", do_apply }, { "withdrawing", do_withdraw },
};

static int results_turn(struct call *c)
{
    struct job j = { 0 };
    int rc = job_next(c, &j);

    for (size_t i = 0; rc > 0 && i < COUNT(jobs); i++)
        if (strcmp(j.state, jobs[i].state) == 0) {
            int done = jobs[i].run(c, &j);

            c->d->vuln_stuck = done < 0 ? j.id : 0;
            rc = done < 0 ? done : 1;
            break;
        }
    json_decref(j.mapping);
    return rc;
}

/* --- counting an object anew --- */

struct pending {
    struct str object;
    bool       rekey;
    int64_t    cursor;
};

/* The scopes of the surveys whose sightings one piece meets, each loaded once. */
struct scopes {
    struct { int64_t survey; struct vuln_scope *scope; } of[VULN_SURVEYS_MAX];
    size_t count;
};

static void scopes_free(struct scopes *all)
{
    for (size_t i = 0; i < all->count; i++)
        vuln_scope_free(&all->of[i].scope);
}

static int scope_get(struct call *c, struct str object, struct scopes *all, int64_t survey, const struct vuln_scope **out)
{
    int rc = 0;

    for (size_t i = 0; i < all->count; i++)
        if (all->of[i].survey == survey) {
            *out = all->of[i].scope;
            return 0;
        }
    *out = NULL;
    if (all->count == VULN_SURVEYS_MAX)
        return 0;
    rc = vuln_scope_load(c, survey, object, &all->of[all->count].scope);
    all->of[all->count].survey = survey;
    *out = all->of[all->count++].scope;
    return rc;
}

/* outside_again - the scope of a survey may have changed: of the sightings of these keys it is asked again. What a letter said was
 * inside stays so. */
static int outside_again(struct call *c, const struct pending *p, int64_t last)
{
    AUTO_ARENA struct arena a = { 0 };
    struct scopes *all = calloc(1, sizeof *all);
    sqlite3_stmt *st;
    int rc;

    arena_init(&a, MIB);
    if (!all)
        return err_set(c->e, -ENOMEM, "no memory for scopes");
    st = db_query(c->d, c->e, "SELECT s.id, s.outside, k.host, s.name, r.survey_id FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON"
                              " r.id = s.result_id CROSS JOIN vuln_survey y ON y.id = r.survey_id AND y.sent_at IS NULL WHERE k.object_id = ?1 AND k.id > ?2 AND k.id <= ?3", "tii", p->object, p->cursor, last);
    rc = st ? 0 : -EIO;
    while (rc >= 0 && st && (rc = db_step(c->d, st, c->e)) > 0) {
        const struct vuln_scope *scope = NULL;
        int64_t id = sqlite3_column_int64(st, 0);
        bool outside = sqlite3_column_int(st, 1);

        rc = scope_get(c, p->object, all, sqlite3_column_int64(st, 4), &scope);
        if (rc == 0 && scope && outside == vuln_scope_holds(scope, db_copy(st, 2, &a), host_clean(db_str(st, 3), &a)))
            rc = db_exec(c->d, c->e, "UPDATE vuln_sighting SET outside = NOT outside WHERE id = ?", "i", id);
        arena_reset(&a);
    }
    if (rc < 0 && st)
        db_done(st);
    scopes_free(all);
    free(all);
    return rc < 0 ? rc : 0;
}

/* outside_counted - what each file says of itself, after the last piece. */
static int outside_counted(struct call *c, struct str object)
{
    int rc = db_exec(c->d, c->e, "UPDATE vuln_result SET outside = (SELECT count(*) FROM vuln_sighting s WHERE s.result_id = vuln_result.id AND s.outside = 1)"
                                 " WHERE survey_id IN (SELECT id FROM vuln_survey WHERE object_id = ? AND sent_at IS NULL)", "t", object);

    return rc < 0 ? rc : 0;
}

/* ids_next - the next ids of a table of the object behind the cursor. */
static int ids_next(struct call *c, const struct pending *p, const char *sql, int64_t ids[COUNT_PIECE], size_t *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e, sql, "tii", p->object, p->cursor, (int64_t)COUNT_PIECE);
    int rc = st ? 0 : -EIO;

    *n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[(*n)++] = sqlite3_column_int64(st, 0);
    return rc;
}

static int rekey_piece(struct call *c, struct pending *p)
{
    int64_t ids[COUNT_PIECE], vuln;
    size_t n;
    int rc = ids_next(c, p, "SELECT id FROM vuln_key WHERE object_id = ? AND id > ? ORDER BY id LIMIT ?", ids, &n);

    if (rc == 0 && n)
        rc = outside_again(c, p, ids[n - 1]);
    if (rc == 0 && n < COUNT_PIECE)
        rc = outside_counted(c, p->object);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int64_t used = 0;

        rc = db_int(c->d, c->e, 0, &used, "SELECT k.vuln_id IS NOT NULL OR EXISTS (SELECT 1 FROM vuln_sighting s WHERE s.key_id = k.id AND s.outside = 0) FROM"
                                          " vuln_key k WHERE k.id = ?", "i", ids[i]);
        if (rc == 0 && used)
            rc = key_resolve(c, ids[i], true, &vuln);
    }
    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE vuln_pending SET rekey = ?2, cursor = ?3 WHERE object_id = ?1", "tii", p->object, (int64_t)(n == COUNT_PIECE),
                 n == COUNT_PIECE ? ids[n - 1] : 0);
    return rc < 0 ? rc : 1;
}

static int count_piece(struct call *c, struct pending *p)
{
    struct vuln_tally *t = NULL;
    int64_t ids[COUNT_PIECE];
    size_t n;
    int rc = ids_next(c, p, "SELECT id FROM vuln WHERE object_id = ? AND id > ? ORDER BY id LIMIT ?", ids, &n);

    if (rc == 0)
        rc = vuln_tally_open(c, p->object, &t);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = vuln_recount(t, ids[i]);
    vuln_tally_free(&t);
    if (rc < 0)
        return rc;
    rc = n == COUNT_PIECE ? db_exec(c->d, c->e, "UPDATE vuln_pending SET cursor = ?2 WHERE object_id = ?1", "ti", p->object, ids[n - 1])
                          : db_exec(c->d, c->e, "DELETE FROM vuln_pending WHERE object_id = ?", "t", p->object);
    return rc < 0 ? rc : 1;
}

static int pending_turn(struct call *c)
{
    sqlite3_stmt *st;
    int rc = db_begin(c->d, c->e);
    struct pending p;

    if (rc < 0)
        return rc;
    /* An object whose files still come is counted once after them all, not once for each. One that failed holds nobody up. */
    st = db_query(c->d, c->e, "SELECT object_id, rekey, cursor FROM vuln_pending WHERE object_id NOT IN (SELECT y.object_id FROM vuln_result r JOIN vuln_survey y ON y.id ="
                              " r.survey_id WHERE r.state IN ('waiting','reading','applying','withdrawing') AND r.id <> ?2) ORDER BY object_id <= ?1, object_id LIMIT 1",
                  "zi", c->d->vuln_stuck_object, c->d->vuln_stuck);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        p = (struct pending){ db_copy(st, 0, &c->a), sqlite3_column_int(st, 1), sqlite3_column_int64(st, 2) };
        db_done(st);
        rc = p.rekey ? rekey_piece(c, &p) : count_piece(c, &p);
        snprintf(c->d->vuln_stuck_object, sizeof c->d->vuln_stuck_object, "%.*s", rc < 0 ? (int)p.object.n : 0, p.object.p);
    }
    return db_end(c->d, rc, c->e);
}

/* --- claims whose term has passed: 7.4 row 13 --- */

static int expire_one(struct call *c, int64_t id, time_ns due)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = vuln_act_add(c, id, &(struct vuln_act_new){ .kind = "expire", .at = due }, NULL);
    if (rc == 0)
        rc = vuln_recount_one(c, id);
    return db_end(c->d, rc, c->e);
}

static int expiry_turn(struct call *c)
{
    /* A first detection that became known later may end a term before its claim was made: it ends with the claim, in the order of time after it. The term is
     * that of the owner: what they were not told ends nothing, and nothing ends early by it. */
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT v.id, max(v.due_at, coalesce((SELECT max(a.at) FROM vuln_act a WHERE a.kind = 'claim' AND (a.vuln_id = v.id OR a.vuln_id"
                                            " IN (SELECT m.id FROM vuln m WHERE m.merged_into = v.id))), 0)) FROM vuln_owner v WHERE v.state ="
                                            " 'claimed_production_necessity' AND v.due_at IS NOT NULL AND v.due_at < ? ORDER BY v.due_at LIMIT 1", "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    int64_t id = sqlite3_column_int64(st, 0);
    time_ns due = sqlite3_column_int64(st, 1);
    db_done(st);
    rc = expire_one(c, id, due);
    return rc < 0 ? rc : 1;
}

/* --- turns --- */

/* Lanes look once a second: what nothing waits for must cost nothing. */
static int turn(struct call *c)
{
    static int (*const parts[])(struct call *c) = { expiry_turn, results_turn, pending_turn, intel_turn };
    int64_t wait = 0;
    int rc = db_int(c->d, c->e, 0, &wait, "SELECT EXISTS (SELECT 1 FROM vuln_pending) OR EXISTS (SELECT 1 FROM vuln_result WHERE state IN ('waiting','reading',"
                                          "'applying','withdrawing')) OR EXISTS (SELECT 1 FROM intel_load WHERE state IN ('waiting','counting')) OR EXISTS (SELECT 1"
                                          " FROM vuln_owner WHERE state = 'claimed_production_necessity' AND due_at IS NOT NULL AND due_at < ?)", "i",
                    c->now);
    int failed = 0, made = 0;

    /* Results touch many pages of a large desk: with the small cache of a connection most of the time goes into reading them again. */
    if (rc == 0 && wait)
        rc = db_exec(c->d, c->e, "PRAGMA cache_size = -32768", "");
    if (rc >= 0 && wait)   /* and a page that many pieces write is brought home once for them all */
        rc = db_exec(c->d, c->e, "PRAGMA wal_autocheckpoint = 4096", "");
    rc = rc < 0 ? rc : 0;
    for (size_t i = 0; rc == 0 && wait && i < COUNT(parts); i++) {
        int one = parts[i](c);

        made += one > 0;
        failed = one < 0 && failed == 0 ? one : failed;
        arena_reset(&c->a);
    }
    return rc < 0 ? rc : failed < 0 ? failed : made;
}

int vulns_turn(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = turn(&c);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

int vulns_busy(struct call *c, int64_t survey)
{
    int64_t busy = 0;
    int rc = db_int(c->d, c->e, 0, &busy,
                    "SELECT EXISTS (SELECT 1 FROM vuln_result WHERE (?1 = 0 OR survey_id = ?1) AND state IN ('waiting','reading','applying','withdrawing')) OR"
                    " EXISTS (SELECT 1 FROM vuln_pending WHERE ?1 = 0 OR object_id = (SELECT object_id FROM vuln_survey WHERE id = ?1))",
                    "i", survey);

    return rc < 0 ? rc : (int)busy;
}

int vulns_settle(struct desk *d, int64_t survey, time_ns now, struct err *e)
{
    int busy = 1;

    while (busy > 0) {
        struct desk_reply r = { 0 };
        struct call c;
        int rc = vulns_turn(d, now, e);

        if (rc < 0)
            return rc;
        desk_call_init(&c, d, NULL, now, &r);
        busy = vulns_busy(&c, survey);
        if (busy < 0)
            err_set(e, busy, "%s", r.err.text);
        desk_call_free(&c);
        desk_reply_free(&r);
    }
    return busy;
}
