/* winline.c - Windows events from XML, Snare and JSON brought to winlog.* fields; what they mean is winlog.c's. See internal.h. */
#include "parse/forms_internal.h"

/* windows_time - SystemTime has seven or nine digits behind the second, and Z or nothing: it is UTC. */
static void windows_time(struct work *w, struct str s)
{
    struct parse_hints utc = *w->hints;
    struct work at = { .parser = w->parser, .hints = &utc, .arena = w->arena };
    struct stamp t;

    utc.zone_min = 0;
    if (s.n && stamp_text(&at, s, &t))
        work_time(w, &t);
}

/* rendered_pair - what the sender's system made of the numbers, in its language. */
static void rendered_pair(struct work *w, struct str name, struct str value)
{
    if (str_eq(name, STR("rendered.message"))) {
        work_add(w, STR("message"), value);
        w->quoted = true;
    } else if (str_eq(name, STR("rendered.task"))) {
        work_set(w, STR("winlog.task"), value);
    } else if (str_eq(name, STR("rendered.opcode"))) {
        work_set(w, STR("winlog.opcode"), value);
    } else if (str_eq(name, STR("rendered.keyword"))) {
        work_add(w, STR("winlog.keywords"), value);
    } else if (str_eq(name, STR("rendered.culture"))) {
        work_add(w, STR("winlog.culture"), value);
    }
}

/* forget_sender - the program of the syslog header passed the event on (Sysmon for Linux): it is not the process that the event is about. */
static void forget_sender(struct work *w)
{
    struct event *ev = w->ev;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (!str_eq(ev->fields[i].name, STR("process.name")) && !str_eq(ev->fields[i].name, STR("process.pid")))
            ev->fields[kept++] = ev->fields[i];
    ev->field_count = kept;
    work_survey(w);
}

/* empty_value - rules tell a value that is empty from one that is not there. */
static void empty_value(struct work *w, struct str name)
{
    uint32_t count = w->ev->field_count;

    work_add(w, name, STR("-"));
    if (w->ev->field_count > count)
        w->ev->fields[count].value = STR("");
}

bool windows_pairs(struct work *w, const struct form_pairs *p)
{
    if (pairs_get(p, STR("winlog.event_id")).n == 0 && pairs_get(p, STR("winlog.provider_name")).n == 0)
        return false;
    if (w->program.n)
        forget_sender(w);
    for (uint32_t i = 0; i < p->count; i++) {
        if (str_starts(p->items[i].name, STR("rendered.")))
            rendered_pair(w, p->items[i].name, p->items[i].value);
        else if (p->items[i].value.n == 0)
            empty_value(w, p->items[i].name);
        else
            work_add(w, p->items[i].name, p->items[i].value);
    }
    w->trouble = w->trouble || p->damaged;
    windows_time(w, pairs_get(p, STR("winlog.time_created")));
    w->ev->parser = STR("windows");
    windows_meaning(w);
    return true;
}

bool winxml_line(struct work *w)
{
    struct form_pairs p;

    return form_kind_read(form_kind_of(STR("winxml")), w->msg, NULL, w->arena, &p) && windows_pairs(w, &p);
}

/* --- Snare --- */

static const struct {
    struct str column, field;
} columns[] = {
    { PAIR("log", "winlog.channel") },          { PAIR("event_id", "winlog.event_id") },
    { PAIR("provider", "winlog.provider_name") }, { PAIR("computer", "winlog.computer_name") },
    { PAIR("category", "winlog.task") },        { PAIR("record", "winlog.record_id") },
    { PAIR("user", "winlog.user.name") },       { PAIR("text", "message") },
    { PAIR("audit", "winlog.keywords") },       { PAIR("sid_type", "winlog.user.type") },
};

/* Labels of the English text and the names of the event data that they stand for. section "": any. */
static const struct {
    struct str section, label, data;
} labels[] = {
#define ROW(section, label, name) { STR_INIT(section), STR_INIT(label), STR_INIT("winlog.event_data." name) }
    ROW("Subject", "Security ID", "SubjectUserSid"),
    ROW("Subject", "Account Name", "SubjectUserName"),
    ROW("Subject", "Account Domain", "SubjectDomainName"),
    ROW("Subject", "Logon ID", "SubjectLogonId"),
    ROW("Creator Subject", "Security ID", "SubjectUserSid"),
    ROW("Creator Subject", "Account Name", "SubjectUserName"),
    ROW("Creator Subject", "Account Domain", "SubjectDomainName"),
    ROW("Creator Subject", "Logon ID", "SubjectLogonId"),
    ROW("New Logon", "Security ID", "TargetUserSid"),
    ROW("New Logon", "Account Name", "TargetUserName"),
    ROW("New Logon", "Account Domain", "TargetDomainName"),
    ROW("New Logon", "Logon ID", "TargetLogonId"),
    ROW("Target Subject", "Security ID", "TargetUserSid"),
    ROW("Target Subject", "Account Name", "TargetUserName"),
    ROW("Target Subject", "Account Domain", "TargetDomainName"),
    ROW("Account For Which Logon Failed", "Security ID", "TargetUserSid"),
    ROW("Account For Which Logon Failed", "Account Name", "TargetUserName"),
    ROW("Account For Which Logon Failed", "Account Domain", "TargetDomainName"),
    ROW("Account Whose Credentials Were Used", "Account Name", "TargetUserName"),
    ROW("Account Whose Credentials Were Used", "Account Domain", "TargetDomainName"),
    ROW("Target Account", "Security ID", "TargetSid"),
    ROW("Target Account", "Account Name", "TargetUserName"),
    ROW("Target Account", "Account Domain", "TargetDomainName"),
    ROW("New Account", "Security ID", "TargetSid"),
    ROW("New Account", "Account Name", "TargetUserName"),
    ROW("New Account", "Account Domain", "TargetDomainName"),
    ROW("User", "Security ID", "TargetSid"),
    ROW("User", "Account Name", "TargetUserName"),
    ROW("User", "Account Domain", "TargetDomainName"),
    ROW("Member", "Security ID", "MemberSid"),
    ROW("Member", "Account Name", "MemberName"),
    ROW("Group", "Security ID", "TargetSid"),
    ROW("Group", "Group Name", "TargetUserName"),
    ROW("Group", "Account Name", "TargetUserName"),
    ROW("Group", "Group Domain", "TargetDomainName"),
    ROW("Group", "Account Domain", "TargetDomainName"),
    ROW("Process Information", "Process ID", "ProcessId"),
    ROW("Process Information", "Process Name", "ProcessName"),
    ROW("Process Information", "Caller Process ID", "ProcessId"),
    ROW("Process Information", "Caller Process Name", "ProcessName"),
    ROW("Process Information", "Name", "ProcessName"),
    ROW("Process Information", "New Process ID", "NewProcessId"),
    ROW("Process Information", "New Process Name", "NewProcessName"),
    ROW("Process Information", "Creator Process ID", "ProcessId"),
    ROW("Process Information", "Creator Process Name", "ParentProcessName"),
    ROW("Process Information", "Process Command Line", "CommandLine"),
    ROW("Process Information", "Token Elevation Type", "TokenElevationType"),
    ROW("Process Information", "Mandatory Label", "MandatoryLabel"),
    ROW("Network Information", "Workstation Name", "WorkstationName"),
    ROW("Network Information", "Source Network Address", "IpAddress"),
    ROW("Network Information", "Source Port", "IpPort"),
    ROW("Network Information", "Source Address", "IpAddress"),
    ROW("Network Information", "Client Address", "IpAddress"),
    ROW("Network Information", "Client Port", "IpPort"),
    ROW("Object", "Object Name", "ObjectName"),
    ROW("Object", "Object Type", "ObjectType"),
    ROW("Object", "Object Server", "ObjectServer"),
    ROW("Object", "Handle ID", "HandleId"),
    ROW("Share Information", "Share Name", "ShareName"),
    ROW("Share Information", "Share Path", "ShareLocalPath"),
    ROW("Share Information", "Relative Target Name", "RelativeTargetName"),
    ROW("Logon Information", "Logon Type", "LogonType"),
    ROW("Service Information", "Service Name", "ServiceName"),
    ROW("Service Information", "Service File Name", "ImagePath"),
    ROW("Task Information", "Task Name", "TaskName"),
    ROW("", "Logon Type", "LogonType"),
    ROW("", "Logon Process", "LogonProcessName"),
    ROW("", "Authentication Package", "AuthenticationPackageName"),
    ROW("", "Access Mask", "AccessMask"),
    ROW("", "Accesses", "AccessList"),
    ROW("", "Privileges", "PrivilegeList"),
    ROW("", "Failure Reason", "FailureReason"),
    ROW("", "Status", "Status"),
    ROW("", "Sub Status", "SubStatus"),
#undef ROW
};

/* label_field - the name of the event data; a label we do not know becomes one without its blanks. */
static struct str label_field(struct work *w, struct str section, struct str label)
{
    char *name;
    size_t n = 18;

    for (size_t i = 0; i < COUNT(labels); i++)
        if (str_eq(label, labels[i].label) && (labels[i].section.n == 0 || str_eq(section, labels[i].section)))
            return labels[i].data;
    if ((name = arena_alloc(w->arena, n + section.n + label.n)) == NULL)
        return (struct str){ NULL, 0 };
    memcpy(name, "winlog.event_data.", n);
    for (size_t i = 0; i < section.n + label.n; i++) {
        char c = i < section.n ? section.p[i] : label.p[i - section.n];

        if (is_alpha(c) || is_digit(c) || (unsigned char)c >= 0x80)
            name[n++] = c;
    }
    return n > 18 ? str_of(name, n) : (struct str){ NULL, 0 };
}

bool snare_line(struct work *w)
{
    struct form_pairs p;
    struct stamp t;

    if (!form_kind_read(form_kind_of(STR("snare")), w->msg, NULL, w->arena, &p))
        return false;
    for (uint32_t i = 0; i < p.count; i++) {
        struct str name = p.items[i].name, value = p.items[i].value, section = { NULL, 0 }, label = name, field = { NULL, 0 };
        bool column = false;

        for (size_t k = 0; k < COUNT(columns) && !column; k++)
            if (str_eq(name, columns[k].column)) {
                field = columns[k].field;
                column = true;
            }
        if (str_eq(name, STR("time"))) { /* with a year, but without a zone: that of the sender */
            if (!w->timed && stamp_text(w, value, &t))
                work_time(w, &t);
            continue;
        }
        if (!column && !str_eq(name, STR("criticality")) && !str_eq(name, STR("counter")) && !str_eq(name, STR("data"))) {
            (void)split_at(name, STR("/"), &section, &label);
            field = label_field(w, section, label);
        }
        if (field.n && !str_eq(value, STR("-")))
            work_add(w, field, value);
    }
    w->quoted = pairs_get(&p, STR("text")).n > 0;
    w->trouble = w->trouble || p.damaged;
    w->program = (struct str){ NULL, 0 };
    w->ev->parser = STR("snare");
    windows_meaning(w);
    return true;
}

/* --- JSON --- */

/* Keys of NXLog and of those who flatten events alike. Others are event data. */
static const struct {
    struct str key, field;
} flat[] = {
    { PAIR("EventID", "winlog.event_id") },       { PAIR("Channel", "winlog.channel") },
    { PAIR("SourceName", "winlog.provider_name") }, { PAIR("ProviderName", "winlog.provider_name") },
    { PAIR("ProviderGuid", "winlog.provider_guid") }, { PAIR("Hostname", "winlog.computer_name") },
    { PAIR("Computer", "winlog.computer_name") }, { PAIR("RecordNumber", "winlog.record_id") },
    { PAIR("EventRecordID", "winlog.record_id") }, { PAIR("Keywords", "winlog.keywords") },
    { PAIR("Task", "winlog.task") },              { PAIR("Category", "winlog.task") },
    { PAIR("Level", "winlog.level") },            { PAIR("Opcode", "winlog.opcode") },
    { PAIR("OpcodeValue", "winlog.opcode_value") }, { PAIR("Version", "winlog.version") },
    { PAIR("ThreadID", "winlog.process.thread.id") }, { PAIR("ExecutionProcessID", "winlog.process.pid") },
    { PAIR("Message", "message") },               { PAIR("TimeCreated", "winlog.time_created") },
    { PAIR("EventTime", "winlog.time_created") }, { PAIR("UserID", "winlog.user.identifier") },
    { PAIR("AccountName", "winlog.user.name") },  { PAIR("Domain", "winlog.user.domain") },
    { PAIR("AccountType", "winlog.user.type") },  { PAIR("ActivityID", "winlog.activity_id") },
    { PAIR("SeverityValue", "nxlog.severity_value") }, { PAIR("Severity", "nxlog.severity") },
    { PAIR("EventType", "nxlog.event_type") },    { PAIR("EventReceivedTime", "nxlog.received") },
    { PAIR("SourceModuleName", "nxlog.module") }, { PAIR("SourceModuleType", "nxlog.module_type") },
};

/* foreign_name - a shipper's own key: no data of the event. */
static bool foreign_name(struct str n)
{
    return *n.p == '@' || str_chr(n, '.') >= 0 || str_eq(n, STR("tags")) || str_eq(n, STR("host")) || str_eq(n, STR("port")) ||
           str_eq(n, STR("message")) || str_eq(n, STR("type"));
}

static void flat_names(struct work *w, uint32_t first)
{
    for (uint32_t i = first; i < w->ev->field_count; i++) {
        struct event_field *f = &w->ev->fields[i];
        bool known = false;

        for (size_t k = 0; k < COUNT(flat) && !known; k++)
            if (str_eq(f->name, flat[k].key)) {
                f->name = flat[k].field;
                known = true;
            }
        if (!known && !foreign_name(f->name) && f->name.n < EVENT_NAME_MAX - 18)
            f->name = ARENA_JOIN(w->arena, STR("winlog.event_data."), word_of(f->name, EVENT_NAME_MAX));
    }
    work_survey(w);
}

/* evtx_names - the shape of evtx_dump and of WEF collectors that keep the tree: Event.System.EventID, Event.EventData.X. */
static bool evtx_names(struct work *w, uint32_t first)
{
    static const struct {
        struct str name, field;
    } known[] = {
        { PAIR("EventID", "winlog.event_id") },          { PAIR("EventID.#text", "winlog.event_id") },
        { PAIR("Channel", "winlog.channel") },           { PAIR("Computer", "winlog.computer_name") },
        { PAIR("Level", "winlog.level") },               { PAIR("Task", "winlog.task") },
        { PAIR("Opcode", "winlog.opcode") },             { PAIR("Keywords", "winlog.keywords") },
        { PAIR("EventRecordID", "winlog.record_id") },   { PAIR("Version", "winlog.version") },
        { PAIR("Provider.#attributes.Name", "winlog.provider_name") },
        { PAIR("Provider.#attributes.Guid", "winlog.provider_guid") },
        { PAIR("TimeCreated.#attributes.SystemTime", "winlog.time_created") },
        { PAIR("Execution.#attributes.ProcessID", "winlog.process.pid") },
        { PAIR("Execution.#attributes.ThreadID", "winlog.process.thread.id") },
        { PAIR("Security.#attributes.UserID", "winlog.user.identifier") },
    };
    bool found = false;

    for (uint32_t i = first; i < w->ev->field_count; i++) {
        struct event_field *f = &w->ev->fields[i];
        struct str n = f->name;

        if (take(&n, STR("Event.System."))) {
            for (size_t k = 0; k < COUNT(known); k++)
                if (str_eq(n, known[k].name)) {
                    f->name = known[k].field;
                    found = true;
                }
        } else if (take(&n, STR("Event.EventData.")) && n.n && *n.p != '#') {
            f->name = ARENA_JOIN(w->arena, STR("winlog.event_data."), word_of(n, EVENT_NAME_MAX));
        }
    }
    work_survey(w);
    return found;
}

bool windows_json(struct work *w, uint32_t first)
{
    if (event_get(w->ev, STR("EventID")).n && event_get(w->ev, STR("Channel")).n)
        flat_names(w, first);
    else if (event_get(w->ev, STR("winlog.event_id")).n == 0 && event_get(w->ev, STR("winlog.channel")).n == 0 &&
             !evtx_names(w, first))
        return false;
    if (!w->timed)
        windows_time(w, event_get(w->ev, STR("winlog.time_created")));
    w->ev->parser = STR("windows");
    windows_meaning(w);
    return true;
}
