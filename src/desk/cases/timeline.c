/* timeline.c - every step of a case: when it happened, when we wrote it down, by when it was due, who, and the proof. */
#include "desk/internal.h"
#include "desk/notices/room.h"

int timeline_of(struct call *c, const struct subject *s, const struct line *l)
{
    AUTO_FREE char *args = l->args ? json_dumps(l->args, JSON_COMPACT) : NULL;
    bool system = !c->v || !c->v->user_id;
    time_ns recorded = recorded_at(c);
    struct str addressee = c->heard && !l->addressee.n ? c->heard->by : l->addressee;
    int rc;

    json_decref(l->args);
    rc = db_exec(c->d, c->e,
                 "INSERT INTO timeline(subject, subject_id, case_id, kind, happened_at, recorded_at, due_at, author_id, obligation, text, key, args, channel,"
                 " addressee, message_id, smtp_reply, sha256, internal) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                 "ztmziimmztzzztzzzi", s->kind, s->id, (time_ns)s->case_id, l->kind, l->happened_at ? l->happened_at : c->now, recorded, l->due_at,
                 system ? (time_ns)0 : (time_ns)c->v->user_id, l->obligation, l->text.n ? l->text : (struct str){ NULL, 0 }, l->key, args,
                 c->heard && !l->channel ? "link" : l->channel, addressee.n ? addressee : (struct str){ NULL, 0 }, l->message_id, l->smtp_reply, l->sha256,
                 (int64_t)l->internal);
    if (rc < 0)
        return rc;
    if (!s->case_id)
        return 0;
    rc = db_exec(c->d, c->e, "UPDATE cases SET updated_at = ?2 WHERE id = ?1", "ii", s->case_id, recorded);
    change_case(c->d, s->case_id);
    return rc < 0 ? rc : 0;
}

int timeline_add(struct call *c, int64_t case_id, const struct line *l)
{
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)case_id);
    return timeline_of(c, &(struct subject){ .kind = "case", .id = str_c(id), .case_id = case_id }, l);
}

/* line_text - what a person wrote, behind what the system has to tell in the reader's language. */
static json_t *line_text(struct call *c, sqlite3_stmt *st)
{
    struct str text = db_str(st, 8), key = db_str(st, 9), args = db_str(st, 10);
    AUTO_BUF struct buf b = { 0 };

    if (!key.n)
        return json_str(text);
    json_t *values = args.n ? json_loadb(args.p, args.n, 0, NULL) : NULL;
    struct str told = text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v ? c->v->lang : LANG_RU, key.p), values);
    json_decref(values);
    buf_init(&b, MIB);
    buf_str(&b, told);
    if (text.n)
        buf_byte(&b, '\n');
    buf_str(&b, text);
    return json_str(buf_view(&b));
}

static json_t *line_author(sqlite3_stmt *st)
{
    if (sqlite3_column_type(st, 5) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 5), "name", db_json(st, 6), "role", db_json(st, 7));
}

static json_t *line_proof(struct call *c, sqlite3_stmt *st)
{
    bool any = false;

    for (int i = 12; i <= 16; i++)
        any = any || sqlite3_column_type(st, i) != SQLITE_NULL;
    return any ? json_pack("{s:o, s:o, s:o, s:o, s:o}", "channel", db_json(st, 12), "addressee", json_str(name_shown(c, db_str(st, 13))), "message_id", db_json(st, 14),
                           "smtp_reply", db_json(st, 15), "sha256", db_json(st, 16))
               : json_null();
}

/* Mail addresses of others are not shown to a party; that something went out, and when, is. */
#define SHOWN "(?1 = 0 OR t.channel IS NOT 'email' OR " ADDRESS_OWN("t.addressee") ")"
int timeline_json(struct call *c, int64_t case_id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT t.id, t.kind, t.happened_at, t.recorded_at, t.due_at, t.author_id, u.name, u.role, t.text, t.key, t.args,"
                                " t.obligation, t.channel, iif(" SHOWN ", t.addressee, NULL), t.message_id, iif(" SHOWN ", t.smtp_reply, NULL), t.sha256, k.number"
                                " FROM timeline t LEFT JOIN user u ON u.id = t.author_id LEFT JOIN cases k ON k.id = t.case_id AND k.id <> ?3"
                                " WHERE t.case_id IN (SELECT ?3 UNION ALL SELECT id FROM cases WHERE merged_into = ?3) AND (?1 = 0 OR t.internal = 0)"
                                " ORDER BY t.recorded_at, t.id",
                                "izi", is_bounded(c), viewer_org(c), case_id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1),
                                              "happened_at", db_json_time(st, 2), "recorded_at", db_json_time(st, 3), "due_at",
                                              db_json_time(st, 4), "author", line_author(st), "obligation", db_json(st, 11), "text",
                                              line_text(c, st), "proof", line_proof(c, st), "origin", db_json(st, 17)));
    return rc;
}
