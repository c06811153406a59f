/* test_forms.c - structured forms as names and values: real shapes, their escapes, what is damaged, what is remembered. */
#include "base/test.h"
#include "parse/forms.h"

struct form_row {
    const char *name, *form, *text, *want; /* "name=value" pieces, one a line, in order; "!damaged" or "damaged" first */
};

static const struct form_row rows[] = {
    { "CEF: values with blanks, an escaped equals sign, an address of a page that is not escaped", "cef",
      "CEF:0|Acme|Wall \\| Gate|1.2|100|Port \\\\ scan|7|src=192.0.2.1 msg=two words a\\=b request=http://x.example/?a=b&c=d act=blocked ",
      "!damaged\ncef.version=0\ncef.device.vendor=Acme\ncef.device.product=Wall | Gate\ncef.device.version=1.2\n"
      "cef.device.event_class_id=100\ncef.name=Port \\ scan\ncef.severity=7\nsrc=192.0.2.1\nmsg=two words a=b\n"
      "request=http://x.example/?a=b&c=d\nact=blocked" },
    { "CEF: a label names its value", "cef", "CEF:1|A|B|1|2|n|High|cs1Label=Rule Name cs1=web-in cn1=5 cn1Label=Bytes (out)",
      "cef.version=1\ncef.device.vendor=A\ncef.device.product=B\ncef.device.version=1\ncef.device.event_class_id=2\ncef.name=n\n"
      "cef.severity=High\ncs1Label=Rule Name\ncs1=web-in\ncn1=5\ncn1Label=Bytes (out)\nlabel.rule_name=web-in\nlabel.bytes_out=5" },
    { "CEF: a path of Windows keeps its backslashes, a line break comes back", "cef",
      "CEF:0|A|B|1|2|n|1|filePath=C:\\Users\\ann msg=a\\nb", "cef.version=0\ncef.device.vendor=A\ncef.device.product=B\n"
      "cef.device.version=1\ncef.device.event_class_id=2\ncef.name=n\ncef.severity=1\nfilePath=C:\\Users\\ann\nmsg=a\nb" },
    { "CEF: without extension", "cef", "CEF:0|A|B|1|2|n|1", "!damaged\ncef.version=0\ncef.device.vendor=A\ncef.device.product=B\n"
      "cef.device.version=1\ncef.device.event_class_id=2\ncef.name=n\ncef.severity=1" },
    { "CEF: a header of four parts is none", "cef", "CEF:0|A|B|1", "refused" },
    { "LEEF 1.0 is parted by tabs", "leef", "LEEF:1.0|Acme|Wall|1.2|deny|src=192.0.2.1\tusrName=ann lee\tdst=192.0.2.2",
      "!damaged\nleef.version=1.0\nleef.device.vendor=Acme\nleef.device.product=Wall\nleef.device.version=1.2\nleef.event_id=deny\n"
      "src=192.0.2.1\nusrName=ann lee\ndst=192.0.2.2" },
    { "LEEF 2.0 names its delimiter", "leef", "LEEF:2.0|Acme|Wall|1.2|deny|^|src=192.0.2.1^usrName=ann lee",
      "!damaged\nleef.version=2.0\nleef.device.vendor=Acme\nleef.device.product=Wall\nleef.device.version=1.2\nleef.event_id=deny\n"
      "src=192.0.2.1\nusrName=ann lee" },
    { "LEEF 2.0: the delimiter in hex", "leef", "LEEF:2.0|A|B|1|e|0x7C|a=1|b=2 3",
      "leef.version=2.0\nleef.device.vendor=A\nleef.device.product=B\nleef.device.version=1\nleef.event_id=e\na=1\nb=2 3" },
    { "LEEF 1.0 whose tabs became blanks", "leef", "LEEF:1.0|A|B|1|e|a=1 2 b=3",
      "leef.version=1.0\nleef.device.vendor=A\nleef.device.product=B\nleef.device.version=1\nleef.event_id=e\na=1 2\nb=3" },
    { "CSV: quotes, doubled quotes, empty cells", "csv", "a,\"b, \"\"c\"\"\",,d", "!damaged\ncolumn_1=a\ncolumn_2=b, \"c\"\ncolumn_4=d" },
    { "CSV: a quote that is never closed", "csv", "a,\"b,c", "damaged\ncolumn_1=a\ncolumn_2=b,c" },
    { "W3C: the default of IIS where no header was seen", "w3c",
      "2026-03-20 12:00:00 10.0.0.1 GET /a - 443 - 192.0.2.7 Mozilla/5.0+(X11) - 200 0 0 15",
      "damaged\ndate=2026-03-20\ntime=12:00:00\ns-ip=10.0.0.1\ncs-method=GET\ncs-uri-stem=/a\ns-port=443\nc-ip=192.0.2.7\n"
      "cs(User-Agent)=Mozilla/5.0 (X11)\nsc-status=200\nsc-substatus=0\nsc-win32-status=0\ntime-taken=15" },
    { "W3C: another line without a header is refused", "w3c", "2026-03-20 12:00:00 service started", "refused" },
    { "key=value with another sign between", "kv", "a: 1; b: two words", "refused" },
    { "Snare: pairs of the text by section", "snare",
      "MSWinEventLog\t1\tSecurity\t7\tMon Sep 22 23:08:01 2025\t4616\tProv\tN/A\tN/A\tSuccess Audit\tPC1\tCat\t\tChanged.    Subject:   "
      "Security ID:  S-1-5-19   Account Name:  LOCAL SERVICE    Process Information:   Name:  C:\\a.exe    The end.\t9",
      "!damaged\ncriticality=1\nlog=Security\ncounter=7\ntime=Mon Sep 22 23:08:01 2025\nevent_id=4616\nprovider=Prov\naudit=Success Audit\n"
      "computer=PC1\ncategory=Cat\ntext=Changed.    Subject:   Security ID:  S-1-5-19   Account Name:  LOCAL SERVICE    Process "
      "Information:   Name:  C:\\a.exe    The end.\nSubject/Security ID=S-1-5-19\nSubject/Account Name=LOCAL SERVICE\n"
      "Process Information/Name=C:\\a.exe\nrecord=9" },
    { "Windows XML: System, EventData with and without names, entities, RenderingInfo", "winxml",
      "<?xml version='1.0'?><Events><Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P&amp;Q' "
      "Guid=\"{1}\"/><EventID Qualifiers='0'>4624</EventID><Channel>Security</Channel><Security/></System><EventData><Data "
      "Name='A'>x &lt; y &#1040;</Data><Data>bare</Data><Data Name='B'/></EventData><RenderingInfo "
      "Culture='ru-RU'><Message><![CDATA[a &amp; b]]></Message></RenderingInfo></Event></Events>",
      "!damaged\nwinlog.provider_name=P&Q\nwinlog.provider_guid={1}\nwinlog.qualifiers=0\nwinlog.event_id=4624\n"
      "winlog.channel=Security\nwinlog.event_data.A=x < y \xD0\x90\nwinlog.event_data.param1=bare\nrendered.culture=ru-RU\n"
      "rendered.message=a &amp; b" },
    { "Windows XML: UserData", "winxml",
      "<Event><System><EventID>1102</EventID></System><UserData><LogFileCleared xmlns='u'><SubjectUserName>ann</SubjectUserName>"
      "</LogFileCleared></UserData></Event>",
      "!damaged\nwinlog.event_id=1102\nwinlog.user_data.xml_name=LogFileCleared\nwinlog.user_data.SubjectUserName=ann" },
    { "Windows XML: a DOCTYPE ends the reading", "winxml", "<!DOCTYPE x [<!ENTITY a 'b'>]><Event><System/></Event>", "refused" },
    { "Windows XML: cut in the middle gives what stood before", "winxml", "<Event><System><EventID>7</EventID><Chan",
      "damaged\nwinlog.event_id=7" },
    { "elements: text, attributes, entities, CDATA, a namespace, several of one name", "elements",
      "<?xml version=\"1.0\"?><a:Rec xmlns:a='u' id='7'><b>x &amp; y</b><c k=\"v\"/><a:d><e>1</e><e>2</e></a:d><f><![CDATA[<g>&lt;</g>]]></f></a:Rec>",
      "!damaged\nid=7\nb=x & y\nc.k=v\nd.e=1\nd.e=2\nf=<g>&lt;</g>" },
    { "elements: a value cannot bring elements of its own", "elements", "<R><u>x&lt;/u&gt;&lt;ip&gt;198.51.100.1&lt;/ip&gt;</u><ip>203.0.113.9</ip></R>",
      "!damaged\nu=x</u><ip>198.51.100.1</ip>\nip=203.0.113.9" },
    { "elements: a DOCTYPE ends the reading", "elements", "<R><a>1</a><!DOCTYPE x><b>2</b></R>", "damaged\na=1" },
    { "elements: too deep gives what stood before", "elements",
      "<R><a>1</a><b><b><b><b><b><b><b><b><b><b><b><b><b><b><b><b><b>2</b></b></b></b></b></b></b></b></b></b></b></b></b></b></b></b></b></R>",
      "damaged\na=1" },
    { "elements: cut in the middle", "elements", "<R a='1'><b>2</b", "damaged\na=1" },
    { "elements: a text that is none", "elements", "< 7 and more >", "refused" },
    { "counted: lengths, quotes within, a name with a blank, a value without a length", "counted",
      "LENGTH : '60' ACTION :[7] 'CONNECT' DATABASE USER:[5] 'a' 'b' TEXT:[17] \"it's \"USERID:[3] \" RC:[1] \"0\" E:[0] \"\"",
      "!damaged\nLENGTH=60\nACTION=CONNECT\nDATABASE USER=a' 'b\nTEXT=it's \"USERID:[3] \nRC=0" },
    { "counted: a length that is wrong", "counted", "A:[8] 'x' B:[1] 'y'", "damaged\nA=x\nB=y" },
    { "counted: cut", "counted", "A:[1] 'x' B:[99] 'y", "damaged\nA=x" },
    { "JSON: nested names", "json", "{\"a\":{\"b\":[1,2]},\"c\":\"x\"}", "!damaged\na.b=1\na.b=2\nc=x" },
};

static void check_row(const struct form_row *r)
{
    const struct form_kind *form = form_kind_of(str_c(r->form));
    AUTO_ARENA struct arena a = { 0 };
    struct form_pairs f;
    AUTO_BUF struct buf got = { 0 };
    bool ok;
    const char *want = r->want;

    arena_init(&a, 0);
    buf_init(&got, 0);
    assert_non_null(form);
    ok = form_kind_read(form, str_c(r->text), NULL, &a, &f);
    CHECK(r->name, ok == (strcmp(r->want, "refused") != 0));
    if (!ok)
        return;
    if (strncmp(want, "!damaged\n", 9) == 0) {
        CHECK(r->name, !f.damaged);
        want += 9;
    } else if (strncmp(want, "damaged\n", 8) == 0) {
        CHECK(r->name, f.damaged);
        want += 8;
    }
    for (uint32_t i = 0; i < f.count; i++)
        buf_printf(&got, "%s%.*s=%.*s", i ? "\n" : "", STR_ARG(f.items[i].name), STR_ARG(f.items[i].value));
    if (!str_eq(buf_view(&got), str_c(want)))
        fail_msg("row \"%s\":\n%.*s\nexpected\n%s", r->name, STR_ARG(buf_view(&got)), want);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(&rows[i]);
}

/* test_cut - each row cut after every byte, from a heap block of just that size, and with every form. */
static void test_cut(void **state)
{
    static const char *const names[] = { "json", "kv", "cef", "leef", "csv", "w3c", "snare", "winxml" };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].text); n++) {
            char *block = malloc(n ? n : 1);

            assert_non_null(block);
            memcpy(block, rows[i].text, n);
            for (size_t k = 0; k < COUNT(names); k++) {
                const struct form_kind *form = form_kind_of(str_c(names[k]));
                struct form_pairs f;
                struct arena a;

                arena_init(&a, 0);
                (void)form->looks(str_of(block, n));
                (void)form_kind_read(form, str_of(block, n), NULL, &a, &f);
                assert_true(f.count <= FORM_FIELDS_MAX + 40u);
                arena_free(&a);
            }
            free(block);
        }
}

static void read_with(struct parse_memory *m, const char *form, const char *source, const char *text, struct arena *a,
                      struct form_pairs *f)
{
    struct form_how how = { .memory = m, .source = str_c(source), .header = true };

    arena_reset(a);
    assert_true(form_kind_read(form_kind_of(str_c(form)), str_c(text), &how, a, f));
}

static void test_memory(void **state)
{
    AUTO_ARENA struct arena a = { 0 };
    AUTO_BUF struct buf saved = { 0 };
    struct parse_memory *m, *again;
    struct form_pairs f;

    (void)state;
    arena_init(&a, 0);
    buf_init(&saved, 0);
    assert_int_equal(parse_memory_new(&m, NULL), 0);
    read_with(m, "w3c", "web1", "#Fields: date time c-ip sc-status", &a, &f);
    read_with(m, "csv", "db1", "when,who,what done", &a, &f);
    assert_true(parse_memory_changed(m));
    parse_memory_save(m, &saved);
    assert_false(parse_memory_changed(m));
    parse_memory_free(&m);

    assert_int_equal(parse_memory_new(&again, NULL), 0);
    parse_memory_load(again, buf_view(&saved));
    parse_memory_load(again, STR("w3c\nxyz\ta\tb\n\t\t\n"));
    read_with(again, "w3c", "web1", "2026-03-20 12:00:00 192.0.2.7 404", &a, &f);
    assert_true(str_eq(pairs_get(&f, STR("c-ip")), STR("192.0.2.7")));
    assert_true(str_eq(pairs_get(&f, STR("sc-status")), STR("404")));
    assert_false(f.damaged);
    read_with(again, "csv", "db1", "1,ann,\"a, b\"", &a, &f);
    assert_true(str_eq(pairs_get(&f, STR("what done")), STR("a, b")));
    for (int i = 0; i < MEMORY_SOURCES_MAX + 10; i++) {
        char source[32];

        snprintf(source, sizeof source, "s%d", i);
        memory_keep(again, str_c(source), "w3c", STR("date time"));
    }
    assert_int_equal(memory_columns(again, STR("web1"), "w3c").n, 0);
    assert_int_equal(memory_columns(again, STR("s4"), "w3c").n, 0);
    assert_true(memory_columns(again, STR("s20"), "w3c").n > 0);
    parse_memory_free(&again);
}

static void test_next(void **state)
{
    struct str rest = STR("<Events><Event a='1'><EventData/></Event>\n<Event>x</Event><Event>cut"), one;

    (void)state;
    assert_true(winxml_next(&rest, &one));
    assert_true(str_eq(one, STR("<Event a='1'><EventData/></Event>")));
    assert_true(winxml_next(&rest, &one));
    assert_true(str_eq(one, STR("<Event>x</Event>")));
    assert_false(winxml_next(&rest, &one));
    assert_true(str_eq(rest, STR("<Event>cut")));
}

/* test_signs - pairs whose signs a data parser names. */
static void test_signs(void **state)
{
    struct form_how how = { .delimiter = ';', .assign = ':' };
    AUTO_ARENA struct arena a = { 0 };
    struct form_pairs f;

    (void)state;
    arena_init(&a, 0);
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("action:\"Drop\"; note:\"a; b \\\"c\\\"\"; bare; n: 5 "), &how, &a, &f));
    assert_int_equal(f.count, 3);
    assert_true(str_eq(pairs_get(&f, STR("action")), STR("Drop")));
    assert_true(str_eq(pairs_get(&f, STR("note")), STR("a; b \"c\"")));
    assert_true(str_eq(pairs_get(&f, STR("n")), STR("5")));
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("[action:\"Drop\"; src:\"192.0.2.1\"; ike::\"Main Mode\"]"), &how, &a, &f));
    assert_true(str_eq(pairs_get(&f, STR("src")), STR("192.0.2.1")));
    assert_true(str_eq(pairs_get(&f, STR("ike")), STR("Main Mode")));
    assert_false(f.damaged);
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("[action:\"Drop\"; note:\"cut"), &how, &a, &f));
    assert_true(f.damaged && str_eq(pairs_get(&f, STR("action")), STR("Drop")));
}

/* test_doubled - a quote that is doubled, a backslash before a quote, a comma and a newline within quotes. */
static void test_doubled(void **state)
{
    struct form_how how = { .delimiter = ',', .doubled = true };
    AUTO_ARENA struct arena a = { 0 };
    struct form_pairs f;

    (void)state;
    arena_init(&a, 0);
    assert_true(form_kind_read(form_kind_of(STR("kv")),
                               STR("p:name=shop,Path='C:\\',Descr='it''s, Usr=x',Sql=\"a\n\"\"b\"\",c\",Empty=,Usr=ann"), &how, &a, &f));
    assert_false(f.damaged);
    assert_int_equal(f.count, 5);
    assert_true(str_eq(pairs_get(&f, STR("Path")), STR("C:\\")));
    assert_true(str_eq(pairs_get(&f, STR("Descr")), STR("it's, Usr=x")));
    assert_true(str_eq(pairs_get(&f, STR("Sql")), STR("a\n\"b\",c")));
    assert_true(str_eq(pairs_get(&f, STR("Usr")), STR("ann")));
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("a='never ends,b=1"), &how, &a, &f));
    assert_true(f.damaged);
    assert_true(str_eq(pairs_get(&f, STR("a")), STR("never ends,b=1")));
}

/* test_once - who may write into one value of a line must not be believed in another. */
static void test_once(void **state)
{
    static const struct str may = STR_INIT("b");
    struct form_how how = { .delimiter = ',', .once = true };
    AUTO_ARENA struct arena a = { 0 };
    struct form_pairs f;

    (void)state;
    arena_init(&a, 0);
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("User=x,Ip=192.0.2.9,Vpn=,Ip=203.0.113.8,Port=22"), &how, &a, &f));
    assert_true(f.damaged);
    assert_int_equal(pairs_get(&f, STR("Ip")).n, 0);
    assert_true(str_eq(pairs_get(&f, STR("twice.Ip")), STR("192.0.2.9")));
    assert_true(str_eq(pairs_get(&f, STR("User")), STR("x")) && str_eq(pairs_get(&f, STR("Port")), STR("22")));
    assert_true(form_kind_read(form_kind_of(STR("cef")), STR("CEF:0|v|p|1|2|n|3|suser=x src=192.0.2.9 src=203.0.113.8 cs1=a cs1Label=B"), &how, &a, &f));
    assert_true(f.damaged && pairs_get(&f, STR("src")).n == 0);
    assert_true(str_eq(pairs_get(&f, STR("label.b")), STR("a")));
    how.repeats = &may;
    how.repeat_count = 1;
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("a=1,b=2,a=3,b=4"), &how, &a, &f));
    assert_true(f.damaged && str_eq(pairs_get(&f, STR("b")), STR("2")) && str_eq(pairs_get(&f, STR("twice.a")), STR("1")));
    assert_true(form_kind_read(form_kind_of(STR("kv")), STR("a=1,b=2,c=3"), &how, &a, &f));
    assert_false(f.damaged);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "forms: the pairs of CEF, LEEF, CSV, W3C, Snare, Windows XML and JSON, in order", .test_func = test_rows },
        { .name = "forms: any of them cut anywhere is read to its end and no further", .test_func = test_cut },
        { .name = "forms: a list of Windows events is taken apart", .test_func = test_next },
        { .name = "forms: pairs by other signs, with quotes", .test_func = test_signs },
        { .name = "forms: pairs whose quotes are doubled", .test_func = test_doubled },
        { .name = "forms: a name that stands twice where it must not is nobody's", .test_func = test_once },
        { .name = "forms: column names are remembered per source, over a restart, and bounded", .test_func = test_memory },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
