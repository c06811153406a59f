/* writing.c - a plan of hundreds of thousands of lines is written in pieces, each a short transaction with a pause behind it, so that the acts of others
 * go on in between.
 *
 * The act itself (with its audit row, its letter, its new state) is one transaction, which also notes what is to be written. From then on nobody edits the
 * plan, and its draft is shown to nobody, until the last piece makes it whole. After a kill the thread of results goes on: copying and agreeing from the
 * last line that is done, laying out by asking the planner once more for the same. Who writes holds a lock on a file, which the kernel takes back from
 * a process that is gone. */
#include "base/clock.h"
#include "desk/duties/setback.h"
#include "desk/schedule/room.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* A piece holds the lock for about so long, whatever the machine: the next one is made smaller or larger. */
#define PIECE_NS   (80 * NS_PER_MS)
#define PIECE_LEAST 40
#define PIECE_MOST  4000

/* As long as a piece takes: whoever waits for the lock looks for it every tenth of a second at least. */
#define PAUSE_NS (60 * 1000000)

static const struct {
    const char *name;
    int (*pieces)(struct writing *w);
    int (*last)(struct writing *w);       /* in the last piece; NULL: nothing */
} writers[] = {
    { "generate", generate_pieces, NULL },
    { "amend", amend_pieces, amend_last },
    { "agree", agree_pieces, agree_last },
};

int plan_whole(struct call *c, const struct plan_row *p)
{
    if (!p->writing.n)
        return 0;
    return refuse(c, -EEXIST, "being_written", NULL, "the schedule is being written: %lld of %lld rows", (long long)p->written, (long long)p->to_write);
}

int writing_open(struct call *c, int *fd)
{
    struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char path[4096];

    *fd = open(node_path(c->d->setup.node, "run/schedule.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_set(c->e, -EIO, "could not open \"%s\": %s", path, strerror(errno));
    if (fcntl(*fd, F_OFD_SETLK, &all) == 0)
        return 0;
    int rc = errno == EAGAIN || errno == EACCES ? -EEXIST : -EIO;

    close(*fd);
    *fd = -1;
    return rc == -EEXIST ? refuse(c, rc, "being_written", NULL, "a schedule is being written: try again in a moment")
                         : err_set(c->e, rc, "could not lock \"%s\": %s", path, strerror(errno));
}

int writing_note(struct call *c, const struct plan_row *p, const char *what, const json_t *ask, const struct gathered *g)
{
    AUTO_FREE char *text = json_dumps(ask, JSON_COMPACT | JSON_SORT_KEYS);
    int64_t total = g ? generate_total(g) : 0;
    int rc = g ? 0 : db_int(c->d, c->e, 0, &total, "SELECT count(*) FROM plan_line WHERE plan_id = ? AND draft = ?", "ii", p->id, (int64_t)(strcmp(what, "agree") == 0));

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE plan SET writing = ?2, writing_ask = ?3, writing_at = 0, writing_key = '', writing_done = 0, writing_total = ?4 WHERE id = ?1", "izzi", p->id, what,
                     text ? text : "{}", total);
    return rc < 0 ? rc : 0;
}

static int progress(struct writing *w)
{
    int rc = db_exec(w->c->d, w->c->e, "UPDATE plan SET writing_done = min(writing_done + ?2, writing_total), writing_at = ?3, writing_key = ?4 WHERE id = ?1", "iiit", w->p.id, w->rows, w->at,
                     w->key);

    change_id(w->c->d, "plan", w->p.id);
    w->rows = w->load = 0;
    return rc < 0 ? rc : 0;
}

int piece_rows(struct writing *w, int64_t rows, int64_t each)
{
    static const struct timespec pause = { 0, PAUSE_NS };

    w->rows += rows;
    w->load += rows * each;
    if (w->load < w->most)
        return 0;
    int rc = db_end(w->c->d, progress(w), w->c->e);
    time_ns took = clock_steady() - w->begun_at;

    if (rc < 0)
        return rc;
    if (took > PIECE_NS)
        w->most = w->most / 2 > PIECE_LEAST ? w->most / 2 : PIECE_LEAST;
    else if (took < PIECE_NS / 4)
        w->most = w->most * 2 < PIECE_MOST ? w->most * 2 : PIECE_MOST;
    nanosleep(&pause, NULL);
    rc = db_begin(w->c->d, w->c->e);
    w->begun_at = clock_steady();
    return rc;
}

/* whole - the last step: what was written is the plan. A work that has begun meanwhile has changed its state: nothing else of the row is touched. */
static int whole(struct writing *w)
{
    struct call *c = w->c;
    bool laid = str_eq(w->p.writing, STR("generate"));
    int rc = db_exec(c->d, c->e,
                     "UPDATE plan SET writing = '', writing_ask = '{}', writing_at = 0, writing_key = '', writing_done = 0, writing_total = 0, draft_rev = draft_rev + 1,"
                     " generated_at = iif(?2 = 1, ?3, generated_at), updated_at = ?3 WHERE id = ?1",
                     "iii", w->p.id, (int64_t)laid, c->now);

    change_id(c->d, "plan", w->p.id);
    if (rc >= 0)
        rc = setback_done(c, SETBACK_PLAN, w->p.id);
    if (rc >= 0 && w->resumed)
        rc = audit_add(c, "schedule.resume", arena_printf(&c->a, "plan/%lld", (long long)w->p.id).p, w->p.writing, "ok");
    return rc < 0 ? rc : 0;
}

int writing_go(struct call *c, int64_t plan, const struct gathered *g, bool resumed)
{
    struct writing w = { .c = c, .g = g, .key = STR(""), .most = PLAN_PIECE, .resumed = resumed };
    int rc = plan_load(c, plan, &w.p);
    size_t i = 0;

    while (rc == 0 && i < COUNT(writers) && !str_eq(w.p.writing, str_c(writers[i].name)))
        i++;
    if (rc < 0 || i == COUNT(writers))
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT writing_at, writing_key FROM plan WHERE id = ?", "i", plan);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc;
    w.at = sqlite3_column_int64(st, 0);
    w.key = db_copy(st, 1, &c->a);
    db_done(st);
    rc = db_begin(c->d, c->e);
    w.begun_at = clock_steady();
    if (rc < 0)
        return rc;
    rc = writers[i].pieces(&w);
    if (rc == 0 && writers[i].last)
        rc = writers[i].last(&w);
    if (rc == 0)
        rc = whole(&w);
    /* A piece that could not be begun has left no transaction. */
    return c->d->in_tx ? db_end(c->d, rc, c->e) : rc;
}

/* --- after a kill --- */

static int resume(struct call *c, int64_t plan)
{
    struct gathered *g = NULL;
    struct plan_row p;
    int rc = plan_load(c, plan, &p);

    if (rc == 0 && str_eq(p.writing, STR("generate"))) {
        json_t *ask = json_loadb(p.ask.p, p.ask.n, 0, NULL);

        rc = ask ? prepare_generate(c, &p, ask, (void **)&g) : err_set(c->e, -EIO, "what was asked of plan %lld cannot be read", (long long)plan);
        json_decref(ask);
    }
    if (rc == 0)
        rc = writing_go(c, plan, g, true);
    gathered_free(g);
    return rc;
}

int schedule_turn(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int64_t plan = 0;
    int fd = -1;

    desk_call_init(&c, d, NULL, now, &r);
    int rc = db_int(d, c.e, 0, &plan, "SELECT id FROM plan WHERE writing <> '' AND NOT " SETBACK_RESTS(SETBACK_PLAN, "plan.id", "?1") " ORDER BY id LIMIT 1", "i", now);
    if (rc == 0 && plan)
        rc = writing_open(&c, &fd);
    if (rc == 0 && plan) {
        arena_free(&c.a);
        arena_init(&c.a, PLAN_ARENA);
        rc = resume(&c, plan);
        if (setback_of_row(rc))
            rc = setback_add(&c, SETBACK_PLAN, plan, c.e->text, (struct str){ NULL, 0 });
    } else if (rc == -EEXIST)
        rc = 0;   /* somebody is at it */
    if (rc < 0)
        err_set(e, rc, "%s", c.e->text);
    if (fd >= 0)
        close(fd);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
