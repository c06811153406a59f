/* intel.c - lists that the administrator loads: known exploited vulnerabilities and EPSS. Each load is a generation: it is read beside the one in use, then
 * takes its place, then the vulnerabilities whose CVEs it touches are counted anew, in pieces. */
#include "base/file.h"
#include "desk/blob.h"
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/intel_parse.h"
#include "desk/vulnerabilities/room.h"

#define ROWS_PIECE  5000
#define COUNT_PIECE 300

int intel_of(struct call *c, struct str cve, struct intel *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT (SELECT 1 FROM intel_kev WHERE load_id = (SELECT max(id) FROM intel_load WHERE kind = 'kev' AND state IN ('counting','applied'))"
                                " AND cve = ?1), (SELECT epss FROM intel_epss WHERE load_id = (SELECT max(id) FROM intel_load WHERE kind = 'epss' AND state IN"
                                " ('counting','applied')) AND cve = ?1)",
                                "t", cve);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct intel){ false, -1 };
    if (rc <= 0)
        return rc;
    out->kev = sqlite3_column_int(st, 0);
    if (sqlite3_column_type(st, 1) != SQLITE_NULL)
        out->epss = sqlite3_column_double(st, 1);
    db_done(st);
    return 0;
}

struct load {
    struct call *c;
    int64_t      id;
    bool         kev, ours;
    int          in_piece;
    char         sha256[65], cursor[64], state[16];
};

static int row_add(void *arg, const struct intel_row *r, struct err *e)
{
    struct load *l = arg;
    struct call *c = l->c;
    int rc = l->kev ? db_exec(c->d, c->e, "INSERT OR IGNORE INTO intel_kev(load_id, cve, added_on, due_on, ransomware) VALUES (?,?,?,?,?)", "ittti",
                              l->id, r->cve, r->added_on, r->due_on, (int64_t)r->ransomware)
                    : db_exec(c->d, c->e, "INSERT OR IGNORE INTO intel_epss(load_id, cve, epss, percentile) VALUES (?, ?, ? / 100000.0, ? / 100000.0)", "itii", l->id, r->cve,
                              (int64_t)(r->epss * 100000 + 0.5), (int64_t)(r->percentile < 0 ? -100000 : r->percentile * 100000 + 0.5));

    if (rc >= 0 && ++l->in_piece == ROWS_PIECE) {
        l->in_piece = 0;
        rc = db_end(c->d, 0, c->e);
        if (rc == 0)
            rc = db_begin(c->d, c->e);
    }
    if (rc < 0) {
        l->ours = true;
        return err_set(e, rc, "%s", c->e->text);
    }
    return 0;
}

/* rows_clear - what generations that are not in use have left, in pieces. Returns how many went. */
static int rows_clear(struct call *c, int64_t only)
{
    int gone = db_exec(c->d, c->e, "DELETE FROM intel_kev WHERE (load_id, cve) IN (SELECT k.load_id, k.cve FROM intel_kev k JOIN intel_load l ON l.id = k.load_id WHERE"
                                   " (?1 = 0 AND l.state IN ('replaced','refused')) OR l.id = ?1 LIMIT 5000)", "i", only);

    if (gone != 0)
        return gone;
    return db_exec(c->d, c->e, "DELETE FROM intel_epss WHERE (load_id, cve) IN (SELECT k.load_id, k.cve FROM intel_epss k JOIN intel_load l ON l.id = k.load_id WHERE"
                               " (?1 = 0 AND l.state IN ('replaced','refused')) OR l.id = ?1 LIMIT 5000)", "i", only);
}

static int clear_all(struct call *c, int64_t only)
{
    int gone = 1;

    while (gone > 0) {
        int rc = db_begin(c->d, c->e);

        if (rc < 0)
            return rc;
        gone = rows_clear(c, only);
        rc = db_end(c->d, gone, c->e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int file_bytes(struct load *l, struct buf *out)
{
    struct blob blob;
    AUTO_CLOSE int fd = -1;
    int rc = blob_open(l->c, l->sha256, &fd, &blob);

    if (rc < 0)
        return rc;
    for (;;) {
        char *room = buf_room(out, 64 * KIB);
        ssize_t n = room ? read(fd, room, 64 * KIB) : -1;

        if (n <= 0)
            return buf_failed(out) ? err_set(l->c->e, -E2BIG, "the file is too large") : n < 0 ? err_set(l->c->e, -EIO, "could not read the file") : 0;
        out->n += (size_t)n;
    }
}

static int settled(struct load *l, const struct intel_meta *m)
{
    struct call *c = l->c;
    const char *kind = l->kev ? "kev" : "epss";
    int rc = db_exec(c->d, c->e, "UPDATE intel_load SET state = 'replaced' WHERE kind = ?1 AND id <> ?2 AND state IN ('counting','applied')", "zi", kind, l->id);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE intel_load SET state = 'counting', cursor = '', version = ?2, released = ?3, entries = ?4 WHERE id = ?1", "izzi", l->id, m->version,
                     m->released, (int64_t)m->rows);
    return rc < 0 ? rc : 0;
}

static int refused(struct load *l, const struct err *told)
{
    struct call *c = l->c;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE intel_load SET state = 'refused', error = ?2 WHERE id = ?1", "iz", l->id, told->text);
    return db_end(c->d, rc, c->e);
}

static int load_read(struct load *l)
{
    AUTO_BUF struct buf b = { 0 };
    struct intel_meta meta;
    struct err told = { 0 };
    struct call *c = l->c;
    int rc;

    buf_init(&b, INTEL_BYTES_MAX + 64 * KIB);
    rc = clear_all(c, l->id);
    if (rc == 0)
        rc = file_bytes(l, &b);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    if (rc < 0)
        return rc;
    rc = l->kev ? kev_read(buf_view(&b), row_add, l, &meta, &told) : epss_read(buf_view(&b), row_add, l, &meta, &told);
    if (c->d->in_tx)
        rc = db_end(c->d, rc < 0 ? rc : settled(l, &meta), c->e);
    if (rc >= 0 || l->ours)
        return rc;
    return refused(l, &told);
}

/* count_piece - the next vulnerabilities with a CVE; the cursor is the id of the key. */
static int count_piece(struct load *l)
{
    struct call *c = l->c;
    int64_t from = parse_id(str_c(l->cursor)), ids[COUNT_PIECE], last = 0;
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, vuln_id FROM vuln_key WHERE id > ? AND cve IS NOT NULL AND vuln_id IS NOT NULL ORDER BY id LIMIT 300", "i", from);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < COUNT_PIECE) {
        last = sqlite3_column_int64(st, 0);
        ids[n++] = sqlite3_column_int64(st, 1);
    }
    for (size_t i = 0; rc >= 0 && i < n; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            rc = vuln_recount_one(c, ids[i]);
    if (rc < 0)
        return rc;
    rc = n ? db_exec(c->d, c->e, "UPDATE intel_load SET cursor = ?2 WHERE id = ?1", "ii", l->id, last)
           : db_exec(c->d, c->e, "UPDATE intel_load SET state = 'applied', cursor = '' WHERE id = ?", "i", l->id);
    return rc < 0 ? rc : 1;
}

static int load_count(struct load *l)
{
    struct call *c = l->c;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = count_piece(l);
    if (rc >= 0 && rows_clear(c, 0) < 0)
        rc = -EIO;
    return db_end(c->d, rc, c->e);
}

int intel_turn(struct call *c)
{
    struct load l = { .c = c };
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, kind, sha256, state, cursor FROM intel_load WHERE state IN ('waiting','counting') ORDER BY id LIMIT 1", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    l.id = sqlite3_column_int64(st, 0);
    l.kev = str_eq(db_str(st, 1), STR("kev"));
    snprintf(l.sha256, sizeof l.sha256, "%.*s", STR_ARG(db_str(st, 2)));
    snprintf(l.state, sizeof l.state, "%.*s", STR_ARG(db_str(st, 3)));
    snprintf(l.cursor, sizeof l.cursor, "%.*s", STR_ARG(db_str(st, 4)));
    db_done(st);
    rc = strcmp(l.state, "waiting") == 0 ? load_read(&l) : load_count(&l);
    return rc < 0 ? rc : 1;
}

/* --- the API --- */

static const char *const kind_values[] = { "kev", "epss", NULL };
static const struct body_field load_fields[] = {
    { "kind", BODY_ENUM, true, false, 0, 0, kind_values },
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
};

static int load_add(struct call *c, const json_t *body)
{
    struct blob blob;
    int rc = body_check(body, load_fields, COUNT(load_fields), c->r->field, c->e);

    if (rc == 0)
        rc = blob_take(c, json_get_str(body, "upload_id"), "upload_id", &blob);
    if (rc < 0)
        return rc;
    if (blob.size_bytes > INTEL_BYTES_MAX)
        return vuln_wrong(c, "upload_id", "the file is larger than 32 MiB");
    rc = db_exec(c->d, c->e, "INSERT INTO intel_load(kind, version, released, sha256, name, entries, state, at, by_id) VALUES (?, '', '', ?, ?, 0, 'waiting', ?, ?)", "tzzii",
                 json_get_str(body, "kind"), blob.sha256, blob.name, c->now, c->v->user_id);
    return rc < 0 ? rc : audit_add(c, "vulnerability.intel_load", "intel", arena_printf(&c->a, "%s, SHA-256 %s", blob.name, blob.sha256), "ok");
}

int desk_intel_load(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, load_add(&c, body), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_intel(d, v, now, r);
}

int desk_intel(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct call c;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = db_query(d, c.e, "SELECT l.id, l.kind, l.version, l.released, l.name, l.sha256, l.entries, l.state, l.error, l.at, u.name FROM intel_load l LEFT JOIN"
                                        " user u ON u.id = l.by_id ORDER BY l.id DESC LIMIT 100", "");
    int rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1), "version",
                                               db_json(st, 2), "released", db_json(st, 3), "name", db_json(st, 4), "sha256", db_json(st, 5), "entries",
                                               (json_int_t)sqlite3_column_int64(st, 6), "state", db_json(st, 7), "error", db_json(st, 8), "at", db_json_time(st, 9), "by",
                                               db_json(st, 10)));
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
