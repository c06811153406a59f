/* regime.c - what a machine needs to know of an object: chapter 2 or chapter 3, its parties, whether its monitoring reaches an OCIB. */
#include "desk/cases/cases.h"
#include "desk/registry/registry.h"

int object_regime_of(struct call *c, struct str object, struct object_regime *out)
{
    struct object_view o;
    int64_t connected = 0;
    int rc = object_look(c, scope_of(c->v), object, &o);

    *out = (struct object_regime){ .regime = "" };
    if (rc == -ENOENT)
        return refuse(c, -ENOENT, "not_found", "object", "no such object");
    /* The connection of paragraph 20 is kept by the room after this one, whose header is not for us: its row says "connected". */
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &connected, "SELECT count(*) FROM request WHERE object_id = ? AND kind = 'cii_connection' AND state = 'connected'", "t",
                    object);
    if (rc < 0)
        return rc;
    snprintf(out->regime, sizeof out->regime, "%s", regime_name(o.regime));
    out->org_id = o.owner_id;
    out->possessor_id = o.possessor_id;
    out->ocib_id = o.ocib_id;
    out->connected = connected > 0;
    return 0;
}
