/* regime.c - what a machine needs to know of an object: chapter 2 or chapter 3, its parties, whether its monitoring reaches an OCIB. */
#include "desk/cases/cases.h"

/* has_column - tables of other rooms grow: what is not there yet has its default. */
static int has_column(struct call *c, const char *table, const char *column, int64_t *yes)
{
    return db_int(c->d, c->e, 0, yes, "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2", "zz", table, column);
}

static int regime_read(struct call *c, struct str object, struct object_regime *out)
{
    int64_t known = 0, ego = 1, cii = 0;
    int rc = has_column(c, "object", "is_cii", &known);

    if (rc == 0 && known)
        rc = db_int(c->d, c->e, 1, &ego, "SELECT is_ego FROM object WHERE id = ?", "t", object);
    if (rc == 0 && known)
        rc = db_int(c->d, c->e, 0, &cii, "SELECT is_cii FROM object WHERE id = ?", "t", object);
    snprintf(out->regime, sizeof out->regime, "%s", ego ? (cii ? "B" : "A") : cii ? "C" : "N3");
    return rc;
}

/* connection_read - the row of the room "requests"; where nobody keeps one, an OCIB that is named for the object is connected. */
static int connection_read(struct call *c, struct str object, struct object_regime *out)
{
    int64_t kept = 0, connected = 0;
    int rc = has_column(c, "cii_connection", "state", &kept);

    if (rc == 0 && kept)
        rc = db_int(c->d, c->e, 0, &connected, "SELECT count(*) FROM cii_connection WHERE object_id = ? AND state = 'connected'", "t", object);
    out->connected = kept ? connected > 0 : out->ocib_id.n > 0;
    return rc;
}

int object_regime_of(struct call *c, struct str object, struct object_regime *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT o.org_id, o.possessor_id, o.ocib_id FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt",
                                is_bounded(c), viewer_org(c), object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct object_regime){ .regime = "" };
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", "object", "no such object");
    out->org_id = db_copy(st, 0, &c->a);
    out->possessor_id = db_copy(st, 1, &c->a);
    out->ocib_id = db_copy(st, 2, &c->a);
    db_done(st);
    rc = regime_read(c, object, out);
    return rc < 0 ? rc : connection_read(c, object, out);
}
