/* setback.c - see setback.h. */
#include "desk/duties/setback.h"
#include "base/log.h"

bool setback_of_row(int rc)
{
    switch (rc) {
    case -EIO: case -ENOSPC: case -EDQUOT: case -EROFS: case -EBUSY: case -EAGAIN: case -ENOMEM: case -EMFILE: case -ENFILE: case -EACCES: case -EPERM:
        return false;
    default:
        return rc < 0;
    }
}

static time_ns pause_after(int64_t tries)
{
    time_ns pause = SETBACK_FIRST_NS << (tries > 12 ? 12 : tries - 1);

    return pause < SETBACK_MOST_NS ? pause : SETBACK_MOST_NS;
}

static int mark(struct call *c, const char *kind, int64_t id, const char *story, struct str payload, int64_t *tries)
{
    int rc = db_int(c->d, c->e, 1, tries,
                    "INSERT INTO setback(kind, id, first_at, last_at, tries, next_at, story, payload) VALUES (?1,?2,?3,?3,1,?3,?4,?5) ON CONFLICT DO UPDATE"
                    " SET last_at = ?3, tries = tries + 1, story = ?4 RETURNING tries",
                    "ziizb", kind, id, c->now, story, payload);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE setback SET next_at = ?3 WHERE kind = ?1 AND id = ?2", "zii", kind, id, c->now + pause_after(*tries));
    if (rc >= 0 && *tries == 1 && strcmp(kind, SETBACK_FINDING) == 0)
        rc = audit_add(c, "finding.skip", "findings", str_c(story), "failed");
    return rc < 0 ? rc : 0;
}

int setback_add(struct call *c, const char *kind, int64_t id, const char *story, struct str payload)
{
    char text[ERR_TEXT_MAX], number[24];
    int64_t tries = 0;

    snprintf(text, sizeof text, "%s", story);   /* story may be c->e->text, which the next failure overwrites */
    snprintf(number, sizeof number, "%lld", (long long)id);
    int rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, mark(c, kind, id, text, payload, &tries), c->e);
    if (rc == 0)
        log_line(LOG_ERROR, tries == 1 ? "could not write a row of the desk, passing it" : "could not write a row of the desk again, it waits", "saqshy.kind",
                 kind, "saqshy.id", number, "error.message", text, NULL);
    return rc;
}

int setback_done(struct call *c, const char *kind, int64_t id)
{
    int rc = db_exec(c->d, c->e, "DELETE FROM setback WHERE kind = ?1 AND id = ?2", "zi", kind, id);

    return rc < 0 ? rc : 0;
}

int setback_sweep(struct call *c)
{
    static const char wanted[] =
        "DELETE FROM setback WHERE next_at <= ?1 AND CASE kind"
        " WHEN 'reminder' THEN NOT EXISTS (SELECT 1 FROM reminder WHERE reminder.id = setback.id AND sent_at IS NULL)"
        " WHEN 'overdue' THEN NOT EXISTS (SELECT 1 FROM duty WHERE duty.id = setback.id AND state = 'running' AND overdue_marked_at IS NULL)"
        " WHEN 'clock' THEN NOT EXISTS (SELECT 1 FROM duty WHERE duty.id = setback.id AND state = 'running' AND overdue_marked_at IS NOT NULL)"
        " WHEN 'recount' THEN NOT EXISTS (SELECT 1 FROM duty WHERE duty.id = setback.id AND state = 'running')"
        " WHEN 'auto' THEN NOT EXISTS (SELECT 1 FROM cases WHERE cases.id = setback.id AND auto_pending = 1)"
        " WHEN 'line' THEN NOT EXISTS (SELECT 1 FROM plan_wait WHERE line_id = setback.id)"
        " WHEN 'moved' THEN NOT EXISTS (SELECT 1 FROM plan_change WHERE line_id = setback.id)"
        " WHEN 'plan' THEN NOT EXISTS (SELECT 1 FROM plan WHERE plan.id = setback.id AND writing <> '')"
        " WHEN 'follow' THEN NOT EXISTS (SELECT 1 FROM td_survey WHERE td_survey.id = setback.id AND copies_taken = 0 AND ended = 0)"
        " WHEN 'change' THEN NOT EXISTS (SELECT 1 FROM integrity_change WHERE integrity_change.id = setback.id AND case_id IS NULL AND state IN"
        " ('open','denied','questioned')) ELSE 0 END";
    int64_t any = 0;
    int rc = db_int(c->d, c->e, 0, &any, "SELECT EXISTS (SELECT 1 FROM setback WHERE next_at <= ?)", "i", c->now);

    if (rc == 0 && any)
        rc = db_exec(c->d, c->e, wanted, "i", c->now);
    return rc < 0 ? rc : 0;
}

int setback_next(struct call *c, time_ns *next)
{
    return db_int(c->d, c->e, INT64_MAX, next, "SELECT min(CASE WHEN last_at > ?1 THEN ?1 ELSE next_at END) FROM setback", "i", c->now);
}

static int one_piece(struct call *c, const char *kind, setback_work *one, int64_t *id)
{
    int rc = one(c, id), done;

    if (rc <= 0 || !*id)
        return rc;
    done = setback_done(c, kind, *id);
    return done < 0 ? done : rc;
}

int setback_repeat(struct call *c, const char *kind, setback_work *one, int most)
{
    int made = 0;

    for (int tried = 0; tried < most; tried++) {
        int64_t id = 0;
        int rc;

        arena_reset(&c->a);
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            return rc;
        rc = db_end(c->d, one_piece(c, kind, one, &id), c->e);
        if (rc < 0 && id && setback_of_row(rc)) {
            rc = setback_add(c, kind, id, c->e->text, (struct str){ NULL, 0 });
            if (rc < 0)
                return rc;
            continue;
        }
        if (rc <= 0)
            return rc < 0 ? rc : made;
        made++;
    }
    return made;
}
