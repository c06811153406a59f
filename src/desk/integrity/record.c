/* record.c - differences as rows, and the cases of those that nobody explains. */
#include "desk/integrity/room.h"
#include "desk/duties/setback.h"

#define CASES_TURN 20

struct waiting {
    int64_t    id;
    struct str before, after;
    bool       open;
};

/* waiting_find - the newest row about this thing that nobody has decided. */
static int waiting_find(struct call *c, const struct fact_difference *f, struct waiting *w)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, before, after, state = 'open' FROM integrity_change WHERE host_id IS ?1 AND kind = ?2 AND key = ?3 AND object_id = ?4"
                                " AND against = ?5 AND state IN ('open','explained','denied','questioned') ORDER BY id DESC LIMIT 1",
                                "mzttz", (time_ns)f->host_id, f->kind, f->key, f->object_id, f->against);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *w = (struct waiting){ 0 };
    if (rc > 0) {
        *w = (struct waiting){ sqlite3_column_int64(st, 0), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), sqlite3_column_int64(st, 3) != 0 };
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static bool same(const char *kind, struct str a, struct str b) { return (!a.p && !b.p) || (a.p && b.p && value_same_fact(kind, a, b)); }

static int insert(struct call *c, const struct fact_difference *f)
{
    const struct integrity_policy *p = c->d->integrity;
    bool due = f->waits && p->opens_case && strcmp(f->against, "passport") == 0;
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO integrity_change(object_id, host_id, kind, key, against, what, before, after, state, found_at, last_at, case_due_at)"
                     " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?10,?11)",
                     "tmztzzttzim", f->object_id, (time_ns)f->host_id, f->kind, f->key, f->against, f->what, f->before, f->after,
                     f->waits ? "open" : "recorded", c->now, due ? c->now + p->after_min * NS_PER_MINUTE : (time_ns)0);

    change_add(c->d, "change", f->object_id);
    return rc < 0 ? rc : 0;
}

int difference_record(struct call *c, const struct fact_difference *f)
{
    bool passport = strcmp(f->against, "passport") == 0;
    struct waiting w;
    int rc = f->waits ? waiting_find(c, f, &w) : 0;

    if (rc < 0 || !f->waits)
        return rc < 0 ? rc : insert(c, f);
    if (w.id && same(f->kind, w.after, f->after))
        return 0;                       /* it stands there already */
    if (w.id && w.open && !passport && same(f->kind, w.before, f->after)) {
        rc = db_exec(c->d, c->e, "UPDATE integrity_change SET state = 'withdrawn', decided_at = ?2, last_at = ?2, after = ?3 WHERE id = ?1", "iit", w.id, c->now,
                     f->after);
        change_add(c->d, "change", f->object_id);
        return rc < 0 ? rc : 0;
    }
    if (w.id && w.open) {
        rc = db_exec(c->d, c->e,
                     "UPDATE integrity_change SET after = ?2, what = iif(before IS NULL, 'appeared', iif(?2 IS NULL, 'missing', 'changed')), last_at = ?3,"
                     " count = count + 1 WHERE id = ?1",
                     "iti", w.id, f->after, c->now);
        change_add(c->d, "change", f->object_id);
        return rc < 0 ? rc : 0;
    }
    return insert(c, f);                /* what was explained does not explain what came after it */
}

int difference_withdraw(struct call *c, struct str object_id, int64_t host_id, const char *kind, struct str key, const char *against)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE integrity_change SET state = 'withdrawn', decided_at = ?6 WHERE host_id IS ?1 AND kind = ?2 AND key = ?3 AND object_id = ?4 AND"
                     " against = ?5 AND state IN ('open','explained','denied','questioned')",
                     "mzttzi", (time_ns)host_id, kind, key, object_id, against, c->now);

    return rc < 0 ? rc : 0;
}

/* --- cases --- */

struct due {
    int64_t    id;
    struct str object_id, host, key, before, after;
    bool       denied;
};

static int due_next(struct call *c, struct due *d)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT g.id, g.object_id, h.host, g.key, g.before, g.after, g.state = 'denied' FROM integrity_change g LEFT JOIN fact_host h"
                                " ON h.id = g.host_id WHERE g.case_due_at <= ?1 AND g.case_due_at IS NOT NULL AND g.case_id IS NULL"
                                " AND g.state IN ('open','denied','questioned') AND NOT " SETBACK_RESTS(SETBACK_CHANGE, "g.id", "?1") " ORDER BY g.case_due_at LIMIT 1",
                                "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *d = (struct due){ sqlite3_column_int64(st, 0), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                           db_copy(st, 5, &c->a), sqlite3_column_int64(st, 6) != 0 };
        db_done(st);
    }
    return rc;
}

static struct str text_of(struct call *c, enum lang l, const char *key) { return catalog_text(c->d->setup.catalog, l, key); }

/* case_of - the difference as an event of ours: it opens a case, or joins the open one of the same object. */
static int case_of(struct call *c, const struct due *d, int64_t *case_id)
{
    const char *key = d->denied ? "integrity.case.denied" : "integrity.case.passport";
    struct str kk = text_of(c, LANG_KK, key), ru = text_of(c, LANG_RU, key), en = text_of(c, LANG_EN, key);
    struct event_batch b;
    struct event *ev;
    int rc = 0;

    event_batch_init(&b, 0);
    ev = event_batch_add(&b);
    if (!ev)
        return err_set(c->e, -ENOMEM, "no memory for an event");
    ev->seq = (uint64_t)-d->id;
    ev->time = ev->received = c->now;
    ev->offset_min = EVENT_OFFSET_NONE;
    ev->object = d->object_id;
    ev->source = STR("saqshyd");
    ev->original = arena_printf(&b.arena, "file=%.*s expected=%.*s found=%.*s", STR_ARG(d->key), STR_ARG(value_part(d->before, 3)),
                                STR_ARG(d->after.p ? value_part(d->after, 3) : STR("missing")));
    const struct { const char *name; struct str value; } fields[] = {
        { "rule.id", d->denied ? STR("saqshy-integrity-denied") : STR("saqshy-integrity-passport") },
        { "rule.name", arena_printf(&b.arena, "%.*s / %.*s", STR_ARG(kk), STR_ARG(ru)) },
        { "rule.name_kk", kk }, { "rule.name_ru", ru }, { "rule.name_en", en }, { "rule.level", STR("medium") },
        { "host.name", d->host.p ? d->host : STR("") }, { "file.path", d->key }, { "file.hash.sha256", d->after.p ? value_part(d->after, 3) : STR("") },
        { "saqshy.group", d->object_id },
    };
    for (size_t i = 0; rc == 0 && i < COUNT(fields); i++)
        rc = event_add(ev, &b.arena, str_c(fields[i].name), fields[i].value);
    rc = rc < 0 ? err_set(c->e, -ENOMEM, "no memory for an event") : finding_take(c, ev);
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, case_id, "SELECT case_id FROM finding WHERE seq = ?", "i", -d->id);
    event_batch_free(&b);
    return rc;
}

static int due_one(struct call *c, const struct due *d)
{
    char target[40];
    int64_t case_id = 0;
    int rc = case_of(c, d, &case_id);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE integrity_change SET case_id = ?2 WHERE id = ?1", "ii", d->id, case_id);
    snprintf(target, sizeof target, "case/%lld", (long long)case_id);
    return rc < 0 ? rc : audit_add(c, "integrity.case", target, d->key, "ok");
}

static int due_work(struct call *c, int64_t *id)
{
    struct due d;
    int rc = due_next(c, &d);

    if (rc <= 0)
        return rc;
    *id = d.id;
    rc = due_one(c, &d);
    return rc < 0 ? rc : 1;
}

int cases_due(struct call *c) { return setback_repeat(c, SETBACK_CHANGE, due_work, CASES_TURN); }
