/* registry.h - who and what is watched over: organisations, people, their duty contacts, monitored objects with the data of Annex 1.
 *
 * Owns      the tables record, record_version, record_change, registry_fts, org_kind, contact, contact_check, object_state, attachment; the
 *           columns of org and object beyond the first step.
 * Promises  1. A record is one JSON value checked by a table of fields. Each change makes a version with who, when, why and from -> to of each
 *              field; versions are never changed or taken away, so the state of any moment can be read.
 *           2. Who writes names the version that was read; if it is not the newest one any more, nothing is written (-EEXIST "stale").
 *           3. An object belongs to one of the regimes A, B, C, N1, N2, N3 (requirements 3.3), computed from facts alone; the reasons are told with
 *              their paragraphs in three languages. A missing contract of paragraph 6 warns and switches nothing off.
 *           4. Of the two parties that may act, owner and possessor, one is named: the possessor by default, if there is one. A duty has one
 *              named performer; the acting party stays accountable.
 *           5. contacts_now always names somebody while there is anybody valid: those on duty first, then in their order.
 *           6. The states of an object are those of requirements 7.7 and move along its rows only.
 *           7. Reading people and contacts by desk_registry_* leaves "personal.read" in the audit trail; the functions for rooms leave none.
 * Threads   as struct desk. Functions that write run inside the transaction of the act.
 * Units     time_ns; days are texts "2026-03-20", read in the zone of the node.
 * Source    Rules 2-6, 8, 15, 16, Annex 1; requirements 3, 4.1, 4.2, 6.1, 7.7, Q-01, Q-22, Q-23, Q-31, Q-32, Q-52..54, Q-60, Q-63. */
#ifndef SAQSHY_DESK_REGISTRY_H
#define SAQSHY_DESK_REGISTRY_H

#include "desk/desk.h"
#include "desk/scope.h"
#include "desk/subject.h"

struct call;
struct body_field;

#define REGISTRY_ID_TEXT        65      /* of an id and NUL */
#define REGISTRY_COMPONENTS_MAX 5000    /* of one object */
#define REGISTRY_CONTACTS_MAX   100     /* of one object or organisation */
#define REGISTRY_REASON_MAX     500     /* letters */
#define REGISTRY_RECORD_MAX     (256u * KIB)

/* --- records: the same for all kinds --- */

enum record_kind { RECORD_ORGANISATION, RECORD_PERSON, RECORD_OBJECT, RECORD_COMPONENT, RECORD_CONTACT, RECORD_CONTRACT, RECORD_KIND_COUNT };
const char *record_kind_name(enum record_kind k);            /* "organisation" …: also the kind of a subject */
enum record_kind record_kind_parse(struct str s);            /* RECORD_KIND_COUNT if unknown */
/* record_fields - the table by which values of a kind are checked. A component has asset_class, name, ip_addresses …; see fields.c. */
const struct body_field *record_fields(enum record_kind k, size_t *count);

struct record {
    enum record_kind kind;
    struct str  id, parent;     /* parent: "object/ID" or "organisation/ID" of a component or contact; else {NULL,0} */
    int64_t     version;
    bool        removed;        /* as of that moment */
    json_t     *value;          /* owned by who read it: record_done */
    time_ns     updated_at;
    struct str  updated_by;     /* login; empty: the system */
};
/* record_read - as of a moment (0: now). No look at the viewer. -ENOENT. Texts live in the arena of c. */
MUST_USE int record_read(struct call *c, enum record_kind k, struct str id, time_ns as_of, struct record *out);
void record_done(struct record *r);

struct record_write {
    enum record_kind kind;
    struct str    id;           /* {NULL,0}: a new one, its id is made */
    struct str    parent;       /* of a new component or contact: "object/ID" or "organisation/ID" */
    int64_t       version;      /* that was read; 0: whatever it is */
    const json_t *value;        /* whole; borrowed */
    struct str    reason;
    const char   *origin;       /* centre, owner, import, peer, system: who the data came from */
    const char   *field;        /* before the names of wrong fields ("value.", "rows.3."); NULL: nothing */
    bool          search_later; /* its words go into the search after the commit (records_search): of many records at once they are a quarter */
};
/* record_put - make or change. Checks fields and what must fit together, keeps the version, its differences, the columns other rooms ask for, the
 * search, the audit row. A value equal to the newest one makes no version. Whether the viewer may is the caller's to know (registry_may_write).
 * id_out may be NULL. Returns 1 if something changed, 0 if nothing; -EINVAL with field, -EEXIST "stale" or "conflict", -ENOENT. */
MUST_USE int record_put(struct call *c, const struct record_write *w, char id_out[REGISTRY_ID_TEXT]);
/* records_search - put the words of at most most records that wait into the search, in a transaction of its own. Returns how many; a kill before it
 * leaves them waiting. Not inside a transaction. */
MUST_USE int records_search(struct call *c, int most);
/* record_check - what record_put would say of the value, nothing written. For dry runs. */
MUST_USE int record_check(struct call *c, const struct record_write *w);
/* record_remove - of a component, contact: its last version says "removed". */
MUST_USE int record_remove(struct call *c, enum record_kind k, struct str id, int64_t version, struct str reason, const char *origin);
/* record_diff - [{field, from, to}] of two values (NULL: none). */
json_t *record_diff(const json_t *from, const json_t *to);
/* record_children - ids of the components or contacts of a parent as of a moment (0: now), by name or order. Fills an array of
 * {id, version, value}. */
MUST_USE int record_children(struct call *c, enum record_kind k, struct str parent, time_ns as_of, json_t **out);
/* registry_changes - what changed in (from, to] at one object ("" : at every object the scope reaches), with its components and contacts:
 * [{object_id, kind, id, version, at, author, origin, reason, changes: [{field, from, to}]}], oldest first, at most limit. For paragraph 17. */
MUST_USE int registry_changes(struct call *c, struct scope s, struct str object_id, time_ns from, time_ns to, int limit, json_t **out);

/* --- objects --- */

enum regime { REGIME_A, REGIME_B, REGIME_C, REGIME_N1, REGIME_N2, REGIME_N3, REGIME_COUNT };
const char *regime_name(enum regime r);     /* "A" … */
enum exclusion { EXCLUSION_NONE, EXCLUSION_STATE_SECRET_RESOURCE, EXCLUSION_STATE_SECRET_SYSTEM, EXCLUSION_NATIONAL_BANK };
struct object_facts {
    bool           ego, cii, operating, national_bank, integrated;
    enum exclusion exclusion;
};
/* exclusion_of, regime_of - pure. An object of the National Bank that is not integrated is excluded without anybody saying so (EXC-3). */
enum exclusion exclusion_of(const struct object_facts *f);
enum regime regime_of(const struct object_facts *f);
/* facts_of - of the value of an object, on a day ("2026-03-20"). */
struct object_facts facts_of(const json_t *value, const char *day);
/* object_monitored - regime A or B: chapter 2 binds. */
static inline bool regime_monitored(enum regime r) { return r == REGIME_A || r == REGIME_B; }

enum work_type { WT_RESPONSE = 1, WT_PROTECTION = 2, WT_OPERATION = 4 };   /* WT-1, WT-2, WT-3 */
unsigned works_of(const json_t *value);                                     /* bits */
const char *variant_of(unsigned works);                                     /* "V-1", "V-2", "V-3"; NULL for none */

struct object_view {
    struct str  id, name, name_ru, state;
    struct str  owner_id, possessor_id, ocib_id;    /* {NULL,0}: none */
    struct str  acting_id, accountable_id;          /* Q-54; the same today, kept apart for readers */
    struct str  performer_id[3];                    /* of WT-1, WT-2, WT-3 */
    enum regime regime;
    unsigned    works;
    bool        active, contract_missing;           /* regime B without a contract that is valid at c->now */
};
/* object_look - what the other rooms need of an object, as of c->now. -ENOENT if there is none or scope does not reach it. */
MUST_USE int object_look(struct call *c, struct scope s, struct str id, struct object_view *out);
/* object_subject - a subject for duties and notices: org_id is the accountable party. */
struct subject object_subject(const struct object_view *o);
/* object_move - the state, along the rows of 7.7. at: when it happened. -EPROTO "wrong_state" if no row leads there or its guard fails; the field
 * names the guard. From information_received an object that was further on before the request goes back to where it was, in the same call. */
MUST_USE int object_move(struct call *c, struct str id, const char *to, time_ns at, struct str reason);
/* annex1_json - the twelve items by the identifiers of requirements 6.1, as of a moment (0: now). annex1_missing: [{item, field}] of what the form
 * requires and the data lack. */
MUST_USE int annex1_json(struct call *c, struct str object_id, time_ns as_of, json_t **out);
MUST_USE int annex1_missing(struct call *c, struct str object_id, time_ns as_of, json_t **out);

/* --- whom to reach --- */

#define CONTACT_CHANNELS_MAX 16
#define CONTACTS_NOW_MAX     64
struct contact_channel {
    struct str kind, value;     /* email, phone, mobile, messenger, portal (value: login) */
};
struct contact_now {
    struct str contact_id, person_id, name, role, language;   /* role: responsible_person, ocib, deputy */
    bool       on_duty;
    int64_t    user_id;         /* 0: has no account */
    size_t     channels;
    struct contact_channel channel[CONTACT_CHANNELS_MAX];
};
struct contact_list {
    size_t count;
    struct contact_now at[CONTACTS_NOW_MAX];
};
/* contacts_now - whom to reach about an object: its own contacts, then those of its acting party and of its operational centre; valid today, active;
 * on duty first, then in their order. role (may be NULL): only these. Texts live in the arena of c. Not audited: it is for sending, not for
 * reading. */
MUST_USE int contacts_now(struct call *c, struct str object_id, const char *role, time_ns now, struct contact_list *out);
/* contacts_now_org - the same for an organisation. */
MUST_USE int contacts_now_org(struct call *c, struct str org_id, const char *role, time_ns now, struct contact_list *out);
/* contact_channel_find - the first channel of a kind, {NULL,0} if there is none. */
struct str contact_channel_find(const struct contact_now *p, const char *kind);
/* hours_cover - are these duty hours (value of "hours", JSON null: always) on at a civil time? Pure. */
bool hours_cover(const json_t *hours, const struct civil *at);

/* contact_responsible_set - the first responsible person of an object is from now on person {name, email, phone, language} (R-16-01): the same person
 * with new data if the name is the same, else another one in that place. */
MUST_USE int contact_responsible_set(struct call *c, struct str object_id, const json_t *person, struct str reason);
/* contacts_unchecked - contacts whose last check is older than before (or never made): [{contact_id, object_id, org_id}], at most limit. */
MUST_USE int contacts_unchecked(struct call *c, time_ns before, int limit, json_t **out);
/* contact_check_failed_next - the oldest failed check for which nothing was raised yet (R-16-01); 0: none. contact_check_raised says it was. */
MUST_USE int contact_check_failed_next(struct call *c, int64_t *check_id, struct str *contact_id, struct str *object_id);
MUST_USE int contact_check_raised(struct call *c, int64_t check_id, struct str request_id);

/* --- attachments: files that belong to a record or to what another room has --- */

struct attachment_new {
    const struct subject *about;        /* kind and id; object_id and org_id say who may see it */
    const char *kind;                   /* see attachment_kinds */
    struct str  title;
    struct str  approved_by, approved_on;   /* of diagrams; "" or {NULL,0}: not said */
    bool        signed_, sealed;
};
extern const char *const attachment_kinds[];
/* attachment_add - of a finished upload of the viewer (blob.h). id_out: 24 bytes. */
MUST_USE int attachment_add(struct call *c, const struct attachment_new *n, struct str upload_id, const char *field, char id_out[24]);
/* attachment_add_bytes - of bytes that the desk itself has. */
MUST_USE int attachment_add_bytes(struct call *c, const struct attachment_new *n, struct str name, struct str bytes, char id_out[24]);
/* attachments_json - those of a subject as of a moment (0: now) that the viewer may open, an array of schema Attachment. */
MUST_USE int attachments_json(struct call *c, const struct subject *about, time_ns as_of, json_t **out);
/* attachment_take_away - after two persons agreed: it is no longer shown or given out; its row stays. For the room approvals. */
MUST_USE int attachment_take_away(struct call *c, struct str id, struct str reason);

/* registry_demo - the organisations, contracts and objects of content/demo/demo.yaml, in a transaction. */
struct ynode;
MUST_USE int registry_demo(struct call *c, const struct ynode *root);

/* --- who may --- */

/* registry_may_write - may the viewer of c write records of this kind with this parent? 0; -EACCES; -ENOENT if out of scope. whole: false for those
 * who may change only the fields of Annex 1 and contacts of their own (record_owner_field). */
MUST_USE int registry_may_write(struct call *c, enum record_kind k, struct str id, struct str parent, bool *whole);
bool record_owner_field(enum record_kind k, const char *field);
/* object_seen, org_seen - -ENOENT if the scope of the viewer does not reach it. */
MUST_USE int object_seen(struct call *c, struct str id);
MUST_USE int org_seen(struct call *c, struct str id);

/* --- the API; r->json is the body of the answer --- */

struct registry_query {
    struct str q, org, kind, regime, state, criticality, before;
    int        limit;
    time_ns    at;
};
MUST_USE int desk_registry_list(struct desk *d, const struct viewer *v, enum record_kind k, struct str parent, const struct registry_query *q,
                                time_ns now, struct desk_reply *r);
MUST_USE int desk_registry_get(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, time_ns at, time_ns now,
                               struct desk_reply *r);
MUST_USE int desk_registry_create(struct desk *d, const struct viewer *v, enum record_kind k, struct str parent, const json_t *body, time_ns now,
                                  struct desk_reply *r);
MUST_USE int desk_registry_update(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, const json_t *body, time_ns now,
                                  struct desk_reply *r);
MUST_USE int desk_registry_remove(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, const json_t *body, time_ns now,
                                  struct desk_reply *r);
MUST_USE int desk_registry_history(struct desk *d, const struct viewer *v, struct str kind, struct str id, int limit, struct str before, time_ns now,
                                   struct desk_reply *r);
/* desk_registry_annex1 - {values, missing}: the form as of a moment (0: now). Holds contacts: audited. */
MUST_USE int desk_registry_annex1(struct desk *d, const struct viewer *v, struct str object_id, time_ns at, time_ns now, struct desk_reply *r);
MUST_USE int desk_registry_reach(struct desk *d, const struct viewer *v, struct str object_id, time_ns now, struct desk_reply *r);
MUST_USE int desk_registry_move(struct desk *d, const struct viewer *v, struct str object_id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_contact_check(struct desk *d, const struct viewer *v, struct str contact_id, const json_t *body, time_ns now,
                                struct desk_reply *r);
MUST_USE int desk_attachments(struct desk *d, const struct viewer *v, struct str kind, struct str id, time_ns now, struct desk_reply *r);
MUST_USE int desk_attachment_add(struct desk *d, const struct viewer *v, struct str kind, struct str id, const json_t *body, time_ns now,
                                 struct desk_reply *r);
/* desk_attachment_remove - asks for it, or does it where policy needs no second person ("attachment.delete" of content/policy/two_person.yaml). */
MUST_USE int desk_attachment_remove(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_attachment_open - the descriptor of the bytes, name and type in r->json {name, type, size_bytes, sha256}. */
MUST_USE int desk_attachment_open(struct desk *d, const struct viewer *v, struct str id, time_ns now, int *fd, struct desk_reply *r);

/* object_capacity - does the viewer's organisation stand to the object as the role acts: an owner's officer as owner or possessor, an analyst of
 * an operational centre as its provider (the owner itself where there is none)? 0, or -EACCES. Other roles: 0. */
MUST_USE int object_capacity(struct call *c, struct str object);

#endif
