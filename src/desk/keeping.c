/* keeping.c - what the index says of room and terms (DATA/run/retention.json) is told to whom it concerns: a letter to the administrators of the centre when the reserve
 * of a disk is touched, when it is low and when there is room again; a row of the audit trail for these and for every change of terms.
 *
 * What was told last stands in "meta", written in the transaction that queues the letters: each change is told once, across restarts. A picture that is not there or
 * cannot be read says nothing. */
#include "keep/keep.h"
#include "desk/notices/room.h"

#include <sys/stat.h>

#define HOLD_LOOKS 3

struct told {
    const char *key;            /* of the texts mail.KEY.subject, mail.KEY.body */
    const char *action;
};
static const struct told tellings[] = {
    [SPACE_OK] = { "space_ok", "storage.room" },
    [SPACE_LOW] = { "space_low", "storage.low" },
    [SPACE_TOUCHED] = { "space_touched", "storage.touched" },
};

static int meta_set(struct call *c, const char *key, int64_t value)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2", "zi", key, value);

    return rc < 0 ? rc : 0;
}

static int meta_get(struct call *c, const char *key, int64_t *value)
{
    return db_int(c->d, c->e, *value, value, "SELECT coalesce((SELECT value FROM meta WHERE key = ?1), ?2)", "zi", key, *value);
}

/* disks - "data: 1 GiB of 20 GiB free" of those that are not well, one a line. */
static struct str disks(struct call *c, const json_t *picture)
{
    AUTO_BUF struct buf b;
    json_t *p;
    size_t i;

    buf_init(&b, 16 * KIB);
    json_array_foreach(json_object_get(json_object_get(picture, "space"), "places"), i, p) {
        const char *name = json_string_value(json_object_get(p, "name"));

        buf_printf(&b, "%s%.64s: %lld / %lld MiB", b.n ? "\n" : "", name ? name : "?", (long long)(json_integer_value(json_object_get(p, "free")) >> 20),
                   (long long)(json_integer_value(json_object_get(p, "total")) >> 20));
    }
    return arena_copy(&c->a, buf_view(&b));
}

static struct str letter_text(struct call *c, enum lang lang, const char *key, const char *part, struct str places)
{
    json_t *args = json_pack("{s:s%,s:s}", "disks", places.n ? places.p : "", places.n, "url", c->d->setup.node->public_url);
    char name[64];
    struct str s;

    snprintf(name, sizeof name, "mail.%s.%s", key, part);
    s = text_fill(&c->a, catalog_text(c->d->setup.catalog, lang, name), args);
    json_decref(args);
    return s;
}

struct admin {
    char      email[256];
    enum lang lang;
};

static int admins(struct call *c, struct admin out[16], size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT email, language FROM user WHERE role = 'administrator' AND active = 1 AND email IS NOT NULL AND email <> '' ORDER BY id LIMIT 16", "");
    int rc = st ? 0 : -EIO;

    *count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        snprintf(out[*count].email, sizeof out->email, "%.250s", (const char *)sqlite3_column_text(st, 0));
        out[(*count)++].lang = lang_parse(str_c((const char *)sqlite3_column_text(st, 1)), LANG_RU);
    }
    return rc;
}

static int tell_admins(struct call *c, const char *key, struct str places)
{
    struct admin to[16];
    size_t count;
    int rc = admins(c, to, &count);

    for (size_t i = 0; rc >= 0 && i < count; i++) {
        char id[120];

        rc = message_id_make(c, id);
        if (rc >= 0)
            rc = db_exec(c->d, c->e,
                         "INSERT INTO notice(subject, subject_id, kind, channel, addressee, state, next_try_at, queued_at, message_id, subject_line, body, internal)"
                         " VALUES ('node','storage','storage','email',?1,'queued',?2,?2,?3,?4,?5,1)",
                         "ziztt", to[i].email, c->now, id, letter_text(c, to[i].lang, key, "subject", places),
                         letter_text(c, to[i].lang, key, "body", places));
    }
    return rc < 0 ? rc : 0;
}

/* tell_space - the state changed since it was told. A small swing between low and enough is told in the trail alone. */
static int tell_space(struct call *c, const json_t *picture, int64_t was)
{
    enum space_state now = keep_state(picture);
    const struct told *t = &tellings[now];
    struct str places = disks(c, picture);
    bool letters = now == SPACE_TOUCHED || was == SPACE_TOUCHED || now > was;
    int rc = letters ? tell_admins(c, t->key, places) : 0;

    if (rc == 0)
        rc = audit_add(c, t->action, "storage", places, "ok");
    return rc < 0 ? rc : meta_set(c, "storage_state", (int64_t)now);
}

/* tell_terms - the terms as one row: who may read the trail sees since when they hold, and why they are shorter. */
static int tell_terms(struct call *c, const json_t *terms, int64_t hash)
{
    static const char *const texts[] = { "reason", "decided_by", "decided_on" };
    AUTO_BUF struct buf b;
    int rc;

    buf_init(&b, 16 * KIB);
    buf_printf(&b, "days %lld, fast_days %lld, longer %zu", (long long)json_integer_value(json_object_get(terms, "days")),
               (long long)json_integer_value(json_object_get(terms, "fast_days")), json_array_size(json_object_get(terms, "longer")));
    for (size_t i = 0; json_is_true(json_object_get(terms, "shorter")) && i < COUNT(texts); i++) {
        const char *s = json_string_value(json_object_get(terms, texts[i]));

        buf_printf(&b, ", %s: %.400s", texts[i], s ? s : "");
    }
    rc = audit_add(c, json_is_true(json_object_get(terms, "shorter")) ? "storage.terms_shorter" : "storage.terms", "storage", buf_view(&b), "ok");
    return rc < 0 ? rc : meta_set(c, "storage_terms", hash);
}

static const char *hold_key(const struct hold *h, char out[64])
{
    snprintf(out, 64, "hold:%s", h->id);
    return out;
}

static int64_t hold_state(const struct hold *h) { return h->released_at ? 2 : 1; }

int keeping_tell_hold(struct call *c, const struct hold *h)
{
    AUTO_BUF struct buf b;
    char target[80], key[64];
    int rc;

    buf_init(&b, 16 * KIB);
    snprintf(target, sizeof target, "hold/%s", h->id);
    buf_printf(&b, "%s %s, %.300s, by %s: %.400s", hold_kind_name(h->kind), h->subject, h->filter, h->released_at ? h->released_by : h->set_by,
               h->released_at ? h->release_reason : h->reason);
    rc = audit_add(c, h->released_at ? "hold.release" : "hold.set", target, buf_view(&b), "ok");
    return rc < 0 ? rc : meta_set(c, hold_key(h, key), hold_state(h));
}

/* holds_changed - has DATA/holds a change that was not looked at? Three looks at each: two changes within one tick of the file system's clock look the same. */
static bool holds_changed(struct call *c, const char *folder)
{
    struct stat st;
    time_ns changed;

    if (stat(folder, &st) < 0)
        return false;
    changed = (time_ns)st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
    if (changed != c->d->holds.changed)
        c->d->holds.looks = 0;
    c->d->holds.changed = changed;
    if (c->d->holds.looks >= HOLD_LOOKS)
        return false;
    c->d->holds.looks++;
    return true;
}

/* tell_holds - those of DATA/holds that were not told as they are now. */
static int tell_holds(struct call *c)
{
    struct holds all;
    char folder[4096];
    int told = 0, rc;

    if (!holds_changed(c, node_path(c->d->setup.node, HOLD_FOLDER, folder)))
        return 0;
    rc = holds_read(folder, &all, NULL);
    if (rc < 0)
        return 0;       /* the index tells it, and removes nothing */
    for (size_t i = 0; rc == 0 && i < all.count; i++) {
        const struct hold *h = &all.item[i];
        int64_t was = 0;
        char key[64];

        rc = meta_get(c, hold_key(h, key), &was);
        if (rc < 0 || was == hold_state(h))
            continue;
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, keeping_tell_hold(c, h), c->e);
        told++;
    }
    holds_free(&all);
    return rc < 0 ? rc : told;
}

static int64_t terms_hash(const json_t *terms)
{
    AUTO_FREE char *s = terms ? json_dumps(terms, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    return s ? (int64_t)(str_hash(str_c(s)) >> 1) : 0;
}

static int tell_picture(struct call *c)
{
    json_t *picture = NULL;
    int64_t state = SPACE_OK, told = 0;
    int rc = keep_picture(c->d->setup.node->data, &picture, NULL);

    if (rc < 0)
        return 0;
    const json_t *terms = json_object_get(picture, "terms");
    int64_t hash = terms_hash(terms);
    rc = meta_get(c, "storage_state", &state);
    if (rc >= 0)
        rc = meta_get(c, "storage_terms", &told);
    bool space = rc >= 0 && state != (int64_t)keep_state(picture), changed = rc >= 0 && hash && told != hash;
    if (space || changed) {
        rc = db_begin(c->d, c->e);
        if (rc == 0) {
            rc = space ? tell_space(c, picture, state) : 0;
            if (rc >= 0 && changed)
                rc = tell_terms(c, terms, hash);
            rc = db_end(c->d, rc, c->e);
        }
    }
    json_decref(picture);
    return rc < 0 ? rc : space || changed;
}

int keeping_tick(struct call *c)
{
    int picture = tell_picture(c), holds = picture < 0 ? picture : tell_holds(c);

    return holds < 0 ? holds : picture + holds;
}
