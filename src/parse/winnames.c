/* winnames.c - the tables behind winnames.h. */
#include "parse/winnames.h"
#include "parse/internal.h"

/* Elements of System whose text is a field. */
static const struct {
    struct str element, field;
} texts[] = {
    { PAIR("EventID", "winlog.event_id") },     { PAIR("Version", "winlog.version") },
    { PAIR("Level", "winlog.level") },          { PAIR("Task", "winlog.task") },
    { PAIR("Opcode", "winlog.opcode") },        { PAIR("Keywords", "winlog.keywords") },
    { PAIR("EventRecordID", "winlog.record_id") }, { PAIR("Channel", "winlog.channel") },
    { PAIR("Computer", "winlog.computer_name") },
};

static const struct {
    struct str element, attribute, field;
} attributes[] = {
    { STR_INIT("Provider"), PAIR("Name", "winlog.provider_name") },
    { STR_INIT("Provider"), PAIR("Guid", "winlog.provider_guid") },
    { STR_INIT("Provider"), PAIR("EventSourceName", "winlog.event_source_name") },
    { STR_INIT("EventID"), PAIR("Qualifiers", "winlog.qualifiers") },
    { STR_INIT("TimeCreated"), PAIR("SystemTime", "winlog.time_created") },
    { STR_INIT("Correlation"), PAIR("ActivityID", "winlog.activity_id") },
    { STR_INIT("Correlation"), PAIR("RelatedActivityID", "winlog.related_activity_id") },
    { STR_INIT("Execution"), PAIR("ProcessID", "winlog.process.pid") },
    { STR_INIT("Execution"), PAIR("ThreadID", "winlog.process.thread.id") },
    { STR_INIT("Security"), PAIR("UserID", "winlog.user.identifier") },
    { STR_INIT("Security"), PAIR("UserId", "winlog.user.identifier") }, /* Sysmon for Linux */
};

static const struct {
    struct str element, field;
} rendered[] = {
    { PAIR("Message", "rendered.message") }, { PAIR("Level", "rendered.level") }, { PAIR("Task", "rendered.task") },
    { PAIR("Opcode", "rendered.opcode") },   { PAIR("Keyword", "rendered.keyword") },
};

static const struct {
    enum win_place at;
    struct str element; /* empty: any other */
    enum win_place inside;
} places[] = {
    { WIN_OUTSIDE, STR_INIT("Event"), WIN_EVENT },   { WIN_OUTSIDE, STR_INIT(""), WIN_OUTSIDE }, /* <Events> around */
    { WIN_EVENT, STR_INIT("System"), WIN_SYSTEM },   { WIN_EVENT, STR_INIT("EventData"), WIN_DATA },
    { WIN_EVENT, STR_INIT("UserData"), WIN_USER },   { WIN_EVENT, STR_INIT("ProcessingErrorData"), WIN_DATA },
    { WIN_EVENT, STR_INIT("RenderingInfo"), WIN_RENDERED },
    { WIN_USER, STR_INIT(""), WIN_USER_IN },         { WIN_USER_IN, STR_INIT(""), WIN_USER_IN },
    { WIN_RENDERED, STR_INIT("Keywords"), WIN_RENDERED },
};

enum win_place winname_place(enum win_place place, struct str element)
{
    for (size_t i = 0; i < COUNT(places); i++)
        if (places[i].at == place && (places[i].element.n == 0 || str_eq(element, places[i].element)))
            return places[i].inside;
    return WIN_OTHER;
}

struct str winname_system(struct str element)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        if (str_eq(element, texts[i].element))
            return texts[i].field;
    return (struct str){ NULL, 0 };
}

struct str winname_attribute(struct str element, struct str attribute)
{
    for (size_t i = 0; i < COUNT(attributes); i++)
        if (str_eq(element, attributes[i].element) && str_eq(attribute, attributes[i].attribute))
            return attributes[i].field;
    return (struct str){ NULL, 0 };
}

struct str winname_rendered(struct str element)
{
    for (size_t i = 0; i < COUNT(rendered); i++)
        if (str_eq(element, rendered[i].element))
            return rendered[i].field;
    return (struct str){ NULL, 0 };
}
