/* winsql.c - what Microsoft SQL Server writes into the logs of Windows: logins (18453 … 18456, 18470, 18486) and audit (33205); see internal.h.
 *
 * Event data of logins is unnamed: who, why, " [CLIENT: address]". An audit event is one text of "name:value" lines. The first line of a
 * name counts, and nothing behind "statement:" is believed: a statement can bring lines of its own. */
#include "parse/internal.h"

#define AUDIT_LINES_MAX 200

static struct str param(const struct work *w, const char *name) { return event_get(w->ev, str_c(name)); }

/* client - of " [CLIENT: 192.0.2.7]", the last one there. */
static void client(struct work *w, struct str s)
{
    struct str before, at;

    if (!split_last(s, STR("[CLIENT: "), &before, &at))
        return;
    at = take_until(&at, STR("]"));
    if (at.n && *at.p != '<') /* <local machine> */
        work_peer(w, at, (struct str){ NULL, 0 });
}

static void login(struct work *w, bool ok)
{
    static const struct sense senses[] = {
        SENSE("database", "authentication", "start", "", "database-login", "", DB(1)),
    };
    struct str reason = str_trim(param(w, "winlog.event_data.param2")), last = param(w, "winlog.event_data.param3");

    work_user(w, param(w, "winlog.event_data.param1"));
    client(w, last.n ? last : reason);
    if (last.n && take(&reason, STR("Reason: ")))
        work_add(w, STR("event.reason"), str_trim(reason));
    work_sense(w, &senses[0]);
    work_add(w, STR("event.outcome"), ok ? STR("success") : STR("failure"));
}

/* What the actions of the audit are. */
static const struct {
    struct str action;
    const char *category, *type, *name;
    uint64_t types;
} actions[] = {
    { STR_INIT("LGIS"), "authentication", "start", "database-login", DB(1) },   { STR_INIT("LGIF"), "authentication", "start", "database-login", DB(1) },
    { STR_INIT("DBAS"), "authentication", "start", "database-login", DB(1) },   { STR_INIT("DBAF"), "authentication", "start", "database-login", DB(1) },
    { STR_INIT("LGO"), "session", "end", "database-logout", DB(1) },            { STR_INIT("DAGL"), "session", "end", "database-logout", DB(1) },
    { STR_INIT("SL"), NULL, "access", "select", 0 },                            { STR_INIT("IN"), NULL, "change", "insert", 0 },
    { STR_INIT("UP"), NULL, "change", "update", 0 },                            { STR_INIT("DL"), NULL, "deletion", "delete", 0 },
    { STR_INIT("EX"), NULL, "access", "execute", 0 },                           { STR_INIT("CR"), NULL, "creation", "create", DB(2) },
    { STR_INIT("AL"), NULL, "change", "alter", DB(2) },                         { STR_INIT("DR"), NULL, "deletion", "drop", DB(2) },
    { STR_INIT("BA"), NULL, "admin", "backup", DB(2) },                         { STR_INIT("RS"), NULL, "admin", "restore", DB(2) },
    { STR_INIT("G"), "iam", "admin", "grant", DB(3) },                          { STR_INIT("GWG"), "iam", "admin", "grant", DB(3) },
    { STR_INIT("R"), "iam", "admin", "revoke", DB(3) },                         { STR_INIT("RWC"), "iam", "admin", "revoke", DB(3) },
    { STR_INIT("D"), "iam", "admin", "deny", DB(3) },                           { STR_INIT("APRL"), "iam", "admin", "role-member-added", DB(3) },
    { STR_INIT("DPRL"), "iam", "admin", "role-member-removed", DB(3) },         { STR_INIT("PWC"), "iam", "admin", "password-changed", DB(3) },
    { STR_INIT("PWR"), "iam", "admin", "password-reset", DB(3) },               { STR_INIT("AUSC"), "configuration", "change", "audit-changed", DB(2) },
    { STR_INIT("SVSR"), "process", "start", "service-state", 0 },               { STR_INIT("SVSD"), "process", "end", "service-state", 0 },
};

static void audit_action(struct work *w, struct str id)
{
    struct sense s = { .category = STR("database"), .type = STR("access") };

    for (size_t i = 0; i < COUNT(actions); i++)
        if (str_eq(id, actions[i].action)) {
            s.category2 = str_c(actions[i].category);
            s.type = str_c(actions[i].type);
            s.action = str_c(actions[i].name);
            s.types = actions[i].types;
        }
    work_sense(w, &s);
}

/* audit_pair - one line of the audit event. False: it is the statement, whose text goes on. */
static bool audit_pair(struct work *w, struct str name, struct str value)
{
    static const struct {
        struct str name, field;
    } plain[] = { { PAIR("server_principal_name", "user.name") }, { PAIR("database_name", "mssql.audit.database") },
                  { PAIR("schema_name", "mssql.audit.schema") },  { PAIR("object_name", "mssql.audit.object") },
                  { PAIR("session_id", "mssql.audit.session") },  { PAIR("action_id", "mssql.audit.action") },
                  { PAIR("class_type", "mssql.audit.class") },    { PAIR("server_instance_name", "mssql.audit.instance") } };

    if (str_eq(name, STR("statement")))
        return false;
    for (size_t i = 0; i < COUNT(plain); i++)
        if (str_eq(name, plain[i].name) && event_get(w->ev, plain[i].field).n == 0)
            work_add(w, plain[i].field, value);
    if (str_eq(name, STR("client_ip")) && event_get(w->ev, STR("source.address")).n == 0 && !str_eq(value, STR("local machine")))
        work_peer(w, value, (struct str){ NULL, 0 });
    else if (str_eq(name, STR("succeeded")) && event_get(w->ev, STR("event.outcome")).n == 0)
        work_add(w, STR("event.outcome"), str_eq(value, STR("true")) || str_eq(value, STR("1")) ? STR("success") : STR("failure"));
    return true;
}

static void audit(struct work *w)
{
    struct str rest = param(w, "winlog.event_data.param1"), line, before, after;

    for (int i = 0; i < AUDIT_LINES_MAX && str_split(&rest, '\n', &line); i++) {
        struct str value = line, name = take_until(&value, STR(":"));

        if (audit_pair(w, str_trim(name), str_trim(value)))
            continue;
        if (rest.n) /* all that is left, up to the last of the lines that come behind a statement */
            value = str_of(value.p, (size_t)(rest.p + rest.n - value.p));
        if (split_last(value, STR("\nadditional_information:"), &before, &after))
            value = before;
        work_add(w, STR("mssql.audit.statement"), str_trim(value));
        break;
    }
    audit_action(w, event_get(w->ev, STR("mssql.audit.action")));
}

bool windows_sql(struct work *w, struct str provider, uint64_t id)
{
    if (!str_starts(provider, STR("MSSQL")))
        return false;
    w->ev->class = CLASS_DB;
    switch (id) {
    case 18453: /* Windows authentication */
    case 18454: /* SQL Server authentication */
    case 18455:
        login(w, true);
        break;
    case 18452:
    case 18456:
    case 18470: /* disabled */
    case 18486: /* locked out */
    case 18487: /* expired */
    case 18488:
        login(w, false);
        break;
    case 33205:
        audit(w);
        break;
    default:
        work_add(w, STR("event.category"), STR("database"));
        work_add(w, STR("event.type"), STR("info"));
    }
    return true;
}
