/* test_fields.c - F1 to F6 of docs/detection.md: how a rule's names meet those of an event, and which events a rule sees. */
#include "sigma/test_rows.h"

static const struct row rows[] = {
    { "F1 names heed case", "s: {image: x}", "Image=x", false },
    { "F1 a name as it is", "s: {Image: x}", "Image=x", true },
    { "F1 blanks in the names of a source are dropped", "s: {ThreatName: x}", "Event.EventData.Threat Name=x", true },
    { "F1 the case of an ECS name counts too", "s: {User.Name: x}", "user.name=x", false },

    { "F2 below winlog.event_data", "s: {Image: x}", "winlog.event_data.Image=x", true },
    { "F2 in the shape of evtx_dump", "s: {Image: x}", "Event.EventData.Image=x", true },
    { "F2 an element of System", "s: {Channel: Security}", "Event.System.Channel=Security", true },
    { "F2 an attribute of System", "s: {Provider_Name: x}", "Event.System.Provider.#attributes.Name=x", true },
    { "F2 any attribute of System", "s: {Correlation_ActivityID: x}", "Event.System.Correlation.#attributes.ActivityID=x", true },
    { "F2 an attribute is not an element", "s: {Provider: x}", "Event.System.Provider.#attributes.Name=x", false },
    { "F2 an element that has attributes too", "s: {EventID: 4624}", "Event.System.EventID.#attributes.Qualifiers=0\nEvent.System.EventID.#text=4624", true },
    { "F2 user data by the name of the element", "s: {Address: x}", "Event.UserData.EventXML.Address=x", true },
    { "F2 user data of our own parser", "s: {SubjectUserName: ann}", "winlog.user_data.SubjectUserName=ann", true },
    { "F2 data without a name, one of several", "s: {Data|contains: two}", "Event.EventData.Data.#text=one\nEvent.EventData.Data.#text=two", true },
    { "F2 data without a name, numbered by our parser", "s: {Data|contains|all: [one, two]}",
      "winlog.event_data.param1=one\nwinlog.event_data.param2=two", true },
    { "F2 data without a name, none of them", "s: {Data|contains: three}", "winlog.event_data.param1=one", false },
};

/* With the pipelines of content/. */
static const struct row mapped[] = {
    { "F3 4688: NewProcessName is Image", "s: {Image|endswith: '\\cmd.exe'}", "Event.EventData.NewProcessName=C:\\cmd.exe", true },
    { "F3 4688: ParentProcessName is ParentImage", "s: {ParentImage: x}", "winlog.event_data.ParentProcessName=x", true },
    { "F3 4688: SubjectLogonId is LogonId", "s: {LogonId: '0x3e7'}", "SubjectLogonId=0x3e7", true },
    { "F3 4657: NewValue is Details", "s: {Details: x}", "NewValue=x", true },
    { "F3 the own name comes first", "s: {Image: x}", "Image=y\nNewProcessName=x", false },
    { "F3 the names of other log sources are left alone", "s: {type: x}", "auditd.log.record_type=y\ntype=x", true },
    { "F3 a name that no event has", "s: {ParentImage: x}", "process.executable=x", false },
    { "F3 ECS", "s: {CommandLine|contains: x}", "process.command_line=axb", true },
    { "F3 the own name comes before ECS", "s: {Image: x}", "Image=x\nprocess.executable=y", true },
    { "F3 audit: one of the joined records is of the type, and its argument counts", "s: {type: EXECVE, a0: wget}",
      "auditd.log.record_type=SYSCALL\nauditd.log.record_type=EXECVE\nauditd.log.a0=55d0\nauditd.log.a0=wget", true },
    { "F3 audit: any of the paths", "s: {type: PATH, name|startswith: /etc/}",
      "auditd.log.record_type=SYSCALL\nauditd.log.record_type=PATH\nfile.path=/bin/x\nauditd.log.name=/bin/x\nauditd.log.name=/etc/y", true },
    { "F3 audit: the call by its name", "s: {SYSCALL: execve, exe: /bin/x}",
      "auditd.log.syscall_name=execve\nauditd.log.syscall=59\nprocess.executable=/bin/x", true },
};

#define SYSMON(id) "class=\nEventID=" id "\nChannel=Microsoft-Windows-Sysmon/Operational\na=x"

static const struct { const char *name, *logsource, *event; bool loose, match; } sources[] = {
    { "F4 product linux, a Unix log", "{product: linux}", "a=x", false, true },
    { "F4 product windows, a Unix log", "{product: windows}", "a=x", false, false },
    { "F4 service sshd", "{product: linux, service: sshd}", "parser=sshd\na=x", false, true },
    { "F4 service sshd, another parser", "{product: linux, service: sshd}", "parser=sudo\na=x", false, false },
    { "F4 service auth", "{product: linux, service: auth}", "parser=sudo\na=x", false, true },
    { "F4 service by program", "{service: saqshy-agent}", "process.name=saqshy-agent\na=x", false, true },
    { "F4 Sysmon 1 is a process_creation", "{product: windows, category: process_creation}", SYSMON("1"), false, true },
    { "F4 Sysmon 1 is of the service sysmon too", "{product: windows, service: sysmon}", SYSMON("1"), false, true },
    { "F4 Sysmon 3 is none", "{product: windows, category: process_creation}", SYSMON("3"), false, false },
    { "F4 4688 is one", "{product: windows, category: process_creation}", "class=\nEventID=4688\nChannel=Security\na=x", false, true },
    { "F4 4688 of another channel is none", "{product: windows, category: process_creation}", "class=\nEventID=4688\nChannel=System\na=x", false, false },
    { "F4 13 is registry_set", "{product: windows, category: registry_set}", SYSMON("13"), false, true },
    { "F4 13 is registry_event too", "{product: windows, category: registry_event}", SYSMON("13"), false, true },
    { "F4 every dimension must hold", "{product: windows, category: registry_event, service: security}", SYSMON("13"), false, false },
    { "F4 a service by its channel", "{product: windows, service: security}", "class=\nEventID=1102\nChannel=Security\na=x", false, true },
    { "F4 an ECS process start", "{product: linux, category: process_creation}", "event.category=process\nevent.type=start\na=x", false, true },
    { "F4 no log source: everything", "{}", "class=\na=x", false, true },
    { "F5 an event of nobody, hunting", "{product: aws, service: cloudtrail}", "class=\na=x", true, true },
    { "F5 an event of nobody, on guard", "{product: aws, service: cloudtrail}", "class=\na=x", false, false },
    { "F5 a product alone: each of its events", "{product: windows}", SYSMON("3"), false, true },
    { "F5 a source that nobody knows loads and meets nothing", "{product: qtq, service: q}", "a=x", false, false },
    { "F6 a definition is for people", "{product: linux, definition: 'product: windows'}", "a=x", false, true },
};

static void f4_to_f6_rules_see_the_events_of_their_log_source(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(sources); i++) {
        char text[1024];
        struct sigma_run *run = NULL;
        const struct sigma_match *m;
        struct sigma *s = NULL;
        struct err e;

        snprintf(text, sizeof text, "title: t\nlogsource: %s\ndetection: {s: {a: x}, condition: s}\n", sources[i].logsource);
        assert_int_equal(sigma_compile(&(struct sigma_source){ STR("r.yml"), str_c(text) }, 1, &s, &e), 0);
        assert_int_equal(sigma_rule_count(s), 1);
        assert_int_equal(sigma_run_new(s, sources[i].loose, &run, &e), 0);
        event_from(&b, sources[i].event);
        CHECK(sources[i].name, sigma_run_event(run, b.items, false, &m, &e) == sources[i].match);
        sigma_run_free(&run);
        sigma_free(&s);
    }
    event_batch_free(&b);
}

/* The taxonomy's appendix: each category of Windows, the service and the numbers of its events. */
static const struct { const char *category, *channel, *numbers; } categories[] = {
#define SYSMON_CHANNEL "Microsoft-Windows-Sysmon/Operational"
    { "process_creation", SYSMON_CHANNEL, "1" }, { "file_change", SYSMON_CHANNEL, "2" }, { "network_connection", SYSMON_CHANNEL, "3" },
    { "sysmon_status", SYSMON_CHANNEL, "4 16" }, { "process_termination", SYSMON_CHANNEL, "5" }, { "driver_load", SYSMON_CHANNEL, "6" },
    { "image_load", SYSMON_CHANNEL, "7" }, { "create_remote_thread", SYSMON_CHANNEL, "8" }, { "raw_access_thread", SYSMON_CHANNEL, "9" },
    { "process_access", SYSMON_CHANNEL, "10" }, { "file_event", SYSMON_CHANNEL, "11" }, { "registry_event", SYSMON_CHANNEL, "12 13 14" },
    { "registry_set", SYSMON_CHANNEL, "13" }, { "registry_rename", SYSMON_CHANNEL, "14" }, { "create_stream_hash", SYSMON_CHANNEL, "15" },
    { "pipe_created", SYSMON_CHANNEL, "17 18" }, { "wmi_event", SYSMON_CHANNEL, "19 20 21" }, { "dns_query", SYSMON_CHANNEL, "22" },
    { "file_delete", SYSMON_CHANNEL, "23" }, { "clipboard_change", SYSMON_CHANNEL, "24" }, { "process_tampering", SYSMON_CHANNEL, "25" },
    { "file_delete_detected", SYSMON_CHANNEL, "26" }, { "file_block_executable", SYSMON_CHANNEL, "27" },
    { "file_block_shredding", SYSMON_CHANNEL, "28" }, { "file_executable_detected", SYSMON_CHANNEL, "29" }, { "sysmon_error", SYSMON_CHANNEL, "255" },
    { "ps_module", "Microsoft-Windows-PowerShell/Operational", "4103" }, { "ps_script", "Microsoft-Windows-PowerShell/Operational", "4104" },
    { "ps_classic_start", "Windows PowerShell", "400" }, { "ps_classic_provider_start", "Windows PowerShell", "600" },
    { "ps_classic_script", "Windows PowerShell", "800" },
};

static int shown(struct sigma *s, const char *channel, struct str number)
{
    const struct sigma_match *m;
    struct sigma_run *run = NULL;
    struct event_batch b;
    char text[256];
    struct err e;
    int n;

    event_batch_init(&b, 0);
    snprintf(text, sizeof text, "class=os-windows\nEventID=%.*s\nChannel=%s\na=x", STR_ARG(number), channel);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    event_from(&b, text);
    n = sigma_run_event(run, b.items, false, &m, &e);
    sigma_run_free(&run);
    event_batch_free(&b);
    return n;
}

static void f4_the_categories_of_windows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(categories); i++) {
        struct str numbers = str_c(categories[i].numbers), number;
        struct sigma *s = NULL;
        char text[256];
        struct err e;

        snprintf(text, sizeof text, "title: t\nlogsource: {product: windows, category: %s}\ndetection: {s: {a: x}, condition: s}\n",
                 categories[i].category);
        assert_int_equal(sigma_compile(&(struct sigma_source){ STR("r.yml"), str_c(text) }, 1, &s, &e), 0);
        while (str_split(&numbers, ' ', &number)) {
            CHECK(categories[i].category, shown(s, categories[i].channel, number) == 1);
            CHECK(categories[i].category, shown(s, "Some Other Channel", number) == 0);
        }
        CHECK(categories[i].category, shown(s, categories[i].channel, STR("65000")) == 0);
        sigma_free(&s);
    }
}

static const struct refused_row refused[] = {
    { "F6 a taxonomy that nobody maps", "title: t\ntaxonomy: other\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n", SIGMA_UNSUPPORTED, 2, 11,
      "taxonomy \"other\"" },
    { "F4 a log source is a map", "title: t\nlogsource: linux\ndetection: {s: {a: x}, condition: s}\n", SIGMA_BROKEN, 2, 12, "must be a map" },
};

static void f1_to_f6_have_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'F', rows[i].name, rows[i].match);
    for (size_t i = 0; i < COUNT(mapped); i++)
        points_take(&p, 'F', mapped[i].name, mapped[i].match);
    for (size_t i = 0; i < COUNT(sources); i++)
        points_take(&p, 'F', sources[i].name, sources[i].match);
    for (size_t i = 0; i < COUNT(refused); i++)
        points_take(&p, 'F', refused[i].name, false);
    points_have_both(&p, 'F', 1, 6);
}

static void f1_to_f3_names(void **state)
{
    (void)state;
    rows_hold(rows, COUNT(rows));
    mapped_rows_hold(mapped, COUNT(mapped));
}

static void f6_a_taxonomy_without_a_map_is_refused(void **state)
{
    static const struct files_row plain[] = {
        { "F6 the taxonomy sigma is ours", { "title: t\ntaxonomy: sigma\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n" }, "a=x", 1, NULL },
    };

    (void)state;
    refusals_hold(refused, COUNT(refused));
    files_hold(plain, COUNT(plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f1_to_f3_names),
        cmocka_unit_test(f4_to_f6_rules_see_the_events_of_their_log_source),
        cmocka_unit_test(f4_the_categories_of_windows),
        cmocka_unit_test(f6_a_taxonomy_without_a_map_is_refused),
        cmocka_unit_test(f1_to_f6_have_both),
    };

    return cmocka_run_group_tests_name("sigma fields", tests, NULL, NULL);
}
