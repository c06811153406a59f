/* winlog.c - what an event of Windows means, once its fields stand as winlog.*: ECS names, who, what, the codes of Annex 4. The
 * fields come from XML, from Snare, or from JSON (Winlogbeat, NXLog); see internal.h.
 *
 * Names of the event data keep their place (winlog.event_data.*), because detection rules speak them; ECS names stand besides.
 * A value of "-" is none. A process id is hexadecimal with "0x", else decimal. */
#include "parse/internal.h"

enum channel { NO_CHANNEL, SECURITY, SYSMON, SYSTEM, DEFENDER, POWERSHELL, TASKS, WINAPP, RDP };
enum who { NOBODY, SUBJECT, TARGET, ON_USER, ON_GROUP, MEMBER, BECOMES };

static const struct win_event {
    uint8_t channel;
    uint16_t id;
    uint8_t who;
    const char *category, *type, *action;
    uint64_t types;
} events[] = {
#define EVENT(channel, id, who, category, type, action, types) { channel, id, who, category, type, action, types },
#include "parse/winlog.def"
#undef EVENT
};

static const struct {
    struct str name;
    enum channel channel;
} channels[] = {
    { STR_INIT("Security"), SECURITY },
    { STR_INIT("Microsoft-Windows-Sysmon/Operational"), SYSMON },
    { STR_INIT("Linux-Sysmon/Operational"), SYSMON },
    { STR_INIT("System"), SYSTEM },
    { STR_INIT("Application"), WINAPP },
    { STR_INIT("Microsoft-Windows-Windows Defender/Operational"), DEFENDER },
    { STR_INIT("Microsoft-Windows-PowerShell/Operational"), POWERSHELL },
    { STR_INIT("Windows PowerShell"), POWERSHELL },
    { STR_INIT("PowerShellCore/Operational"), POWERSHELL },
    { STR_INIT("Microsoft-Windows-TaskScheduler/Operational"), TASKS },
    { STR_INIT("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"), RDP },
};

/* Data whose value is an ECS field as it stands, in every channel. */
static const struct {
    struct str data, field;
} plain[] = {
    { PAIR("winlog.event_data.ServiceName", "service.name") },
    { PAIR("winlog.event_data.CommandLine", "process.command_line") },
    { PAIR("winlog.event_data.ParentCommandLine", "process.parent.command_line") },
    { PAIR("winlog.event_data.ProcessGuid", "process.entity_id") },
    { PAIR("winlog.event_data.SourceProcessGUID", "process.entity_id") },
    { PAIR("winlog.event_data.ParentProcessGuid", "process.parent.entity_id") },
    { PAIR("winlog.event_data.CurrentDirectory", "process.working_directory") },
    { PAIR("winlog.event_data.OriginalFileName", "process.pe.original_file_name") },
    { PAIR("winlog.event_data.Company", "process.pe.company") },
    { PAIR("winlog.event_data.Description", "process.pe.description") },
    { PAIR("winlog.event_data.Product", "process.pe.product") },
    { PAIR("winlog.event_data.FileVersion", "process.pe.file_version") },
    { PAIR("winlog.event_data.QueryName", "dns.question.name") },
    { PAIR("winlog.event_data.TargetObject", "registry.path") },
    { PAIR("winlog.event_data.PipeName", "file.name") },
    { PAIR("winlog.event_data.SourceHostname", "source.domain") },
    { PAIR("winlog.event_data.DestinationHostname", "destination.domain") },
    { PAIR("winlog.event_data.WorkstationName", "source.domain") },
    { PAIR("winlog.event_data.ShareLocalPath", "file.directory") },
    { PAIR("winlog.event_data.TaskName", "winlog.task_name") },
};

struct win {
    struct work *w;
    const struct win_event *event;
    enum channel channel;
    uint64_t id;
};

#define DATA(name) STR("winlog.event_data." name)

static struct str none(void) { return (struct str){ NULL, 0 }; }

static struct str value_of(const struct win *v, struct str name)
{
    const struct event *ev = v->w->ev;

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name))
            return str_eq(ev->fields[i].value, STR("-")) ? none() : ev->fields[i].value;
    return none();
}

/* data - of the event data, or of the user data (1102, 104). */
static struct str data(const struct win *v, const char *name)
{
    const struct event *ev = v->w->ev;
    struct str tail = str_c(name);

    for (uint32_t i = 0; i < ev->field_count; i++) {
        struct str n = ev->fields[i].name;
        size_t head = n.n - tail.n;

        /* the lengths tell nearly all: this is asked some forty times for each event */
        if ((head == 18 || head == 17) && n.n > tail.n && memcmp(n.p + head, tail.p, tail.n) == 0 &&
            (head == 18 ? str_starts(n, STR("winlog.event_data.")) : str_starts(n, STR("winlog.user_data."))))
            return str_eq(ev->fields[i].value, STR("-")) ? none() : ev->fields[i].value;
    }
    return none();
}

/* --- small values --- */

/* pid - "0x1f0" or "496" as decimal; empty if it is neither. */
static struct str pid(struct work *w, struct str s)
{
    uint64_t n = 0;

    if (all_digits(s))
        return s;
    if (!take(&s, STR("0x")) || s.n == 0 || s.n > 16)
        return none();
    for (size_t i = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) < 0)
            return none();
        n = n * 16 + (uint64_t)hex_value(s.p[i]);
    }
    return arena_printf(w->arena, "%llu", (unsigned long long)n);
}

/* base_name - behind the last separator of a path. */
static struct str base_name(struct str path)
{
    size_t n = path.n;

    while (n > 0 && path.p[n - 1] != '\\' && path.p[n - 1] != '/')
        n--;
    return str_cut(path, n);
}

static void program(struct work *w, struct str path, struct str executable, struct str name)
{
    if (path.n == 0 || event_get(w->ev, executable).n)
        return;
    work_add(w, executable, path);
    work_add(w, name, base_name(path));
}

static void file(struct work *w, struct str path)
{
    struct str name = base_name(path), before, extension;

    if (path.n == 0 || event_get(w->ev, STR("file.path")).n)
        return;
    work_add(w, STR("file.path"), path);
    work_add(w, STR("file.name"), name);
    if (name.n + 1 < path.n && event_get(w->ev, STR("file.directory")).n == 0)
        work_add(w, STR("file.directory"), str_left(path, path.n - name.n - 1));
    if (split_last(name, STR("."), &before, &extension) && before.n)
        work_add(w, STR("file.extension"), extension);
}

/* user_as - "DOMAIN\name", or name and domain apart; head is "user." or "user.target." and the like. */
static void user_as(struct work *w, struct str name, struct str domain, struct str id, struct str name_field,
                    struct str domain_field, struct str id_field)
{
    struct str before, after;

    if (domain.n == 0 && split_at(name, STR("\\"), &before, &after)) {
        domain = before;
        name = after;
    }
    work_add(w, name_field, name);
    work_add(w, domain_field, domain);
    work_add(w, id_field, id);
}

#define USER_AS(w, name, domain, id, head)                                                                             \
    user_as(w, name, domain, id, STR(head ".name"), STR(head ".domain"), STR(head ".id"))

/* --- who --- */

static void subject(struct win *v)
{
    struct str name = data(v, "SubjectUserName"), id = data(v, "SubjectUserSid");

    if (v->channel == SYSMON) {
        name = data(v, "User");
        if (name.n == 0)
            name = data(v, "SourceUser");
        USER_AS(v->w, name, none(), value_of(v, STR("winlog.user.identifier")), "user");
        return;
    }
    USER_AS(v->w, name, data(v, "SubjectDomainName"), id, "user");
}

static struct str target_id(const struct win *v)
{
    struct str id = data(v, "TargetUserSid");

    return id.n ? id : data(v, "TargetSid");
}

/* member - "CN=ann,CN=Users,DC=corp,DC=local" or only a SID. */
static void member(struct win *v)
{
    struct str name = data(v, "MemberName"), part, domain = none();
    bool first = true;

    work_add(v->w, STR("user.target.group.name"), data(v, "TargetUserName"));
    work_add(v->w, STR("user.target.group.domain"), data(v, "TargetDomainName"));
    work_add(v->w, STR("user.target.group.id"), target_id(v));
    work_add(v->w, STR("user.target.id"), data(v, "MemberSid"));
    while (name.n && str_split(&name, ',', &part)) {
        if (take(&part, STR("CN=")) && first)
            work_add(v->w, STR("user.target.name"), part);
        else if (take(&part, STR("DC=")))
            domain = domain.n ? arena_printf(v->w->arena, "%.*s.%.*s", STR_ARG(domain), STR_ARG(part)) : part;
        first = false;
    }
    work_add(v->w, STR("user.target.domain"), domain);
}

static void who(struct win *v)
{
    struct work *w = v->w;
    struct str name = data(v, "TargetUserName"), domain = data(v, "TargetDomainName"), id = target_id(v);

    switch ((enum who)v->event->who) {
    case NOBODY:
        break;
    case SUBJECT:
        subject(v);
        break;
    case TARGET:
        USER_AS(w, name, domain, id, "user");
        if (str_starts(id, STR("S-1-5-")) && str_ends(id, STR("-500")))
            w->types |= OS(9); /* the built-in administrator */
        if (v->id == 4624 || v->id == 4625)
            work_add(w, STR("related.user"), data(v, "SubjectUserName"));
        break;
    case ON_USER:
        subject(v);
        USER_AS(w, name, domain, id, "user.target");
        if (v->id == 4781)
            work_add(w, STR("user.changes.name"), data(v, "NewTargetUserName"));
        break;
    case ON_GROUP:
    case MEMBER:
        subject(v);
        USER_AS(w, name, domain, id, "group");
        if (v->event->who == MEMBER)
            member(v);
        break;
    case BECOMES:
        subject(v);
        if (name.n)
            USER_AS(w, name, domain, str_eq(id, STR("S-1-0-0")) ? none() : id, "user.effective");
        break;
    }
}

/* --- what it was done with --- */

/* hashes - "MD5=…,SHA256=…,IMPHASH=…". */
static void hashes(struct win *v)
{
    static const struct {
        struct str key, field;
    } kinds[] = { { PAIR("MD5", "process.hash.md5") }, { PAIR("SHA1", "process.hash.sha1") },
                  { PAIR("SHA256", "process.hash.sha256") }, { PAIR("IMPHASH", "process.pe.imphash") } };
    struct str list = data(v, "Hashes"), one, key, hash;

    while (list.n && str_split(&list, ',', &one)) {
        if (!split_at(one, STR("="), &key, &hash))
            continue;
        for (size_t i = 0; i < COUNT(kinds); i++)
            if (str_eq(key, kinds[i].key))
                work_add(v->w, kinds[i].field, hash);
        work_add(v->w, STR("related.hash"), hash);
    }
}

/* arguments - a command line of Windows split as its programs do: blanks part, quotes keep. */
static void arguments(struct work *w, struct str line, struct str field)
{
    for (int count = 0; line.n && count < 64; count++) {
        size_t n = 0;
        bool quoted = false;

        skip_blanks(&line);
        while (n < line.n && (quoted || (line.p[n] != ' ' && line.p[n] != '\t')))
            quoted = line.p[n++] == '"' ? !quoted : quoted;
        work_add(w, field, unquote(str_left(line, n)));
        line = str_cut(line, n);
    }
}

static void processes(struct win *v)
{
    struct work *w = v->w;
    struct str own = data(v, "NewProcessId"), path = data(v, "NewProcessName");
    bool created = own.n > 0; /* 4688: ProcessId is the parent's */

    if (!created) {
        own = data(v, "ProcessId");
        path = data(v, "ProcessName");
    }
    if (own.n == 0)
        own = data(v, "ProcessID");
    if (own.n == 0)
        own = data(v, "SourceProcessId");
    if (path.n == 0)
        path = data(v, "Image");
    if (path.n == 0)
        path = data(v, "SourceImage");
    if (path.n == 0)
        path = data(v, "Application");
    work_add(w, STR("process.pid"), pid(w, own));
    program(w, path, STR("process.executable"), STR("process.name"));
    if (created)
        work_add(w, STR("process.parent.pid"), pid(w, data(v, "ProcessId")));
    else
        work_add(w, STR("process.parent.pid"), pid(w, data(v, "ParentProcessId")));
    path = data(v, "ParentProcessName");
    program(w, path.n ? path : data(v, "ParentImage"), STR("process.parent.executable"), STR("process.parent.name"));
    arguments(w, data(v, "CommandLine"), STR("process.args"));
    arguments(w, data(v, "ParentCommandLine"), STR("process.parent.args"));
    hashes(v);
    if (v->id == 7 && v->channel == SYSMON) {
        path = data(v, "ImageLoaded");
        work_add(w, STR("dll.path"), path);
        work_add(w, STR("dll.name"), base_name(path));
    }
}

static void transport(struct work *w, struct str protocol)
{
    if (all_digits(protocol)) {
        work_add(w, STR("network.iana_number"), protocol);
        protocol = str_eq(protocol, STR("6"))    ? STR("tcp")
                   : str_eq(protocol, STR("17")) ? STR("udp")
                   : str_eq(protocol, STR("1"))  ? STR("icmp")
                   : str_eq(protocol, STR("58")) ? STR("ipv6-icmp")
                                                 : none();
    }
    work_add(w, STR("network.transport"), protocol);
}

static void endpoint(struct work *w, struct str address, struct str port, bool source)
{
    struct str ip = ip_of(address);

    work_add(w, source ? STR("source.ip") : STR("destination.ip"), ip);
    work_add(w, source ? STR("source.address") : STR("destination.address"), ip);
    if (all_digits(port))
        work_add(w, source ? STR("source.port") : STR("destination.port"), port);
}

static void network(struct win *v)
{
    struct work *w = v->w;
    struct str from = data(v, "IpAddress"), to = data(v, "DestAddress"), way = data(v, "Direction"), started = data(v, "Initiated");

    if (from.n == 0)
        from = data(v, "SourceAddress");
    if (from.n == 0)
        from = data(v, "SourceIp");
    if (from.n == 0)
        from = data(v, "ClientAddress");
    if (to.n == 0)
        to = data(v, "DestinationIp");
    if (from.n)
        endpoint(w, from, data(v, "IpPort").n ? data(v, "IpPort") : data(v, "SourcePort"), true);
    if (to.n)
        endpoint(w, to, data(v, "DestPort").n ? data(v, "DestPort") : data(v, "DestinationPort"), false);
    if (v->event && (v->event->category[0] == 'n'))
        transport(w, data(v, "Protocol"));
    if (str_eq(way, STR("%%14592")) || str_ieq(started, STR("false")))
        work_add(w, STR("network.direction"), v->channel == SYSMON ? STR("ingress") : STR("inbound"));
    else if (str_eq(way, STR("%%14593")) || str_ieq(started, STR("true")))
        work_add(w, STR("network.direction"), v->channel == SYSMON ? STR("egress") : STR("outbound"));
}

static void objects(struct win *v)
{
    struct work *w = v->w;
    struct str kind = data(v, "ObjectType"), name = data(v, "ObjectName");

    if (v->channel == SYSMON)
        file(w, data(v, "TargetFilename"));
    if (str_eq(kind, STR("File")) && v->id != 5140 && v->id != 5145)
        file(w, name);
    else if (str_eq(kind, STR("Key")))
        work_add(w, STR("registry.path"), name);
    if (v->id == 5145) {
        struct str inner = data(v, "RelativeTargetName"), local = data(v, "ShareLocalPath"), share = data(v, "ShareName");

        if (inner.n && local.n)
            file(w, arena_printf(w->arena, "%.*s\\%.*s", STR_ARG(local), STR_ARG(inner)));
        if (inner.n && share.n)
            work_add(w, STR("file.target_path"), arena_printf(w->arena, "%.*s\\%.*s", STR_ARG(share), STR_ARG(inner)));
    }
}

/* --- the codes of Annex 4 that depend on values --- */

static bool administrative(struct str share) { return str_ends(share, STR("$")); }

/* dangerous - the programs that Annex 4 paragraph 4(5) names. */
static bool dangerous(struct str name)
{
    static const char *const exact[] = { "WmiPrvSE.exe", "WinrsHost.exe", "wsmprovhost.exe", "mmc.exe" };

    for (size_t i = 0; i < COUNT(exact); i++)
        if (str_ieq(name, str_c(exact[i])))
            return true;
    return (str_ieq(str_left(name, 5), STR("psexe")) || str_ieq(str_left(name, 5), STR("paexe"))) && name.n > 8 &&
           str_ieq(str_cut(name, name.n - 4), STR(".exe"));
}

/* writes - the access mask has "write data / add file" (bit 1), or the list names it. */
static bool writes(const struct win *v)
{
    struct str mask = data(v, "AccessMask");
    uint64_t bits = 0;

    if (take(&mask, STR("0x")))
        for (size_t i = 0; i < mask.n && i < 8 && hex_value(mask.p[i]) >= 0; i++)
            bits = bits * 16 + (uint64_t)hex_value(mask.p[i]);
    return (bits & 2) || has(data(v, "AccessList"), STR("%%4417"));
}

static void codes(struct win *v, bool failed)
{
    struct work *w = v->w;

    w->types |= v->event->types;
    if (v->channel == SECURITY) {
        if (v->id == 4624 && str_eq(data(v, "LogonType"), STR("3")))
            w->types |= WIN(2);
        if (v->id == 5140 && administrative(data(v, "ShareName")))
            w->types |= WIN(3);
        if (v->id == 5145 && (administrative(data(v, "ShareName"))))
            w->types |= WIN(3);
        if (v->id == 4663 && str_eq(data(v, "ObjectType"), STR("File")) && writes(v))
            w->types |= WIN(4);
        if (v->id == 4662 && (str_eq(data(v, "ObjectServer"), STR("WMI")) || str_eq(data(v, "ObjectType"), STR("WMI Namespace"))))
            w->types |= WIN(11);
        if (failed)
            w->types |= v->event->category[0] == 'f' || v->event->category[0] == 'n' ? OS(12) : OS(11);
    } else if (v->channel == SYSMON && v->id == 1 && dangerous(base_name(data(v, "Image")))) {
        w->types |= WIN(5);
    }
}

static void words(struct work *w, struct str field, const char *list)
{
    struct str s = str_c(list);

    while (s.n)
        work_add(w, field, take_word(&s));
}

/* logon_type - by its name, as people speak of it. */
static void logon(struct win *v)
{
    static const char *const names[] = { NULL, NULL, "Interactive", "Network", "Batch", "Service", NULL, "Unlock",
                                         "NetworkCleartext", "NewCredentials", "RemoteInteractive", "CachedInteractive" };
    struct str type = data(v, "LogonType");
    uint64_t n;

    if (str_u64(type, &n) && n < COUNT(names) && names[n])
        work_add(v->w, STR("winlog.logon.type"), str_c(names[n]));
    work_add(v->w, STR("winlog.logon.id"), v->event && v->event->who == TARGET && data(v, "TargetLogonId").n
                                               ? data(v, "TargetLogonId")
                                               : data(v, "SubjectLogonId"));
}

/* outcome - audit success or failure is a bit of the keywords. */
static struct str outcome(const struct win *v)
{
    const struct event *ev = v->w->ev;

    for (uint32_t i = 0; i < ev->field_count; i++) {
        struct str k = ev->fields[i].value;
        uint64_t bits = 0;

        if (!str_eq(ev->fields[i].name, STR("winlog.keywords")))
            continue;
        if (str_eq(k, STR("Audit Success")) || str_eq(k, STR("Success Audit")))
            return STR("success");
        if (str_eq(k, STR("Audit Failure")) || str_eq(k, STR("Failure Audit")))
            return STR("failure");
        if (!take(&k, STR("0x")))
            continue;
        for (size_t n = 0; n < k.n && n < 16 && hex_value(k.p[n]) >= 0; n++)
            bits = bits << 4 | (uint64_t)hex_value(k.p[n]);
        if (bits & UINT64_C(0x0020000000000000))
            return STR("success");
        if (bits & UINT64_C(0x0010000000000000))
            return STR("failure");
    }
    return none();
}

static const struct win_event *event_of(enum channel channel, uint64_t id)
{
    for (size_t i = 0; channel && i < COUNT(events); i++)
        if (events[i].channel == channel && events[i].id == id)
            return &events[i];
    return NULL;
}

static void level(struct work *w, struct str number)
{
    static const char *const names[] = { "information", "critical", "error", "warning", "information", "verbose" };
    uint64_t n;

    if (str_u64(number, &n) && n < COUNT(names) && event_get(w->ev, STR("log.level")).n == 0)
        work_add(w, STR("log.level"), str_c(names[n]));
}

static void common(struct win *v)
{
    struct work *w = v->w;
    struct str provider = value_of(v, STR("winlog.provider_name")), computer = value_of(v, STR("winlog.computer_name"));

    if (event_get(w->ev, STR("event.code")).n == 0)
        work_add(w, STR("event.code"), value_of(v, STR("winlog.event_id")));
    if (event_get(w->ev, STR("event.provider")).n == 0)
        work_add(w, STR("event.provider"), provider);
    if (computer.n)
        work_set(w, STR("host.name"), computer);
    level(w, value_of(v, STR("winlog.level")));
    for (size_t i = 0; i < COUNT(plain); i++) {
        struct str value = value_of(v, plain[i].data);

        if (value.n && event_get(w->ev, plain[i].field).n == 0)
            work_add(w, plain[i].field, value);
    }
}

void windows_meaning(struct work *w)
{
    struct win v = { .w = w };
    struct str name = value_of(&v, STR("winlog.channel")), result;

    for (size_t i = 0; i < COUNT(channels) && !v.channel; i++)
        if (str_ieq(name, channels[i].name))
            v.channel = channels[i].channel;
    if (!str_u64(value_of(&v, STR("winlog.event_id")), &v.id))
        v.id = UINT16_MAX + 1u;
    v.event = event_of(v.channel, v.id);
    w->ev->class = str_starts(name, STR("Linux-")) ? CLASS_OS_UNIX : CLASS_OS_WINDOWS;
    common(&v);
    if (windows_sql(w, value_of(&v, STR("winlog.provider_name")), v.id))
        return;
    result = outcome(&v);
    if (event_get(w->ev, STR("event.outcome")).n == 0)
        work_add(w, STR("event.outcome"), result);
    if (!v.event)
        return;
    if (event_get(w->ev, STR("event.action")).n == 0)
        work_add(w, STR("event.action"), str_c(v.event->action));
    if (event_get(w->ev, STR("event.category")).n == 0) {
        words(w, STR("event.category"), v.event->category);
        words(w, STR("event.type"), v.event->type);
    }
    codes(&v, str_eq(result, STR("failure")));
    if (event_get(w->ev, STR("user.name")).n == 0)
        who(&v);
    if (event_get(w->ev, STR("process.pid")).n == 0)
        processes(&v);
    if (event_get(w->ev, STR("source.ip")).n == 0)
        network(&v);
    objects(&v);
    logon(&v);
}
