/* test_wef.c - messages of Windows machines however they are written and cut, queries that Windows would refuse, and the file of bookmarks, cut and damaged at
 * every byte. */
#include "base/file.h"
#include "base/test.h"
#include "ingest/wef.h"

#include <sys/stat.h>

#define ENVELOPE(action, head, body)                                                                                            \
    "<s:Envelope xmlns:s='s' xmlns:a='a'><s:Header><a:Action>" action "</a:Action><a:MessageID>uuid:1</a:MessageID>" head "</s:Header><s:Body>" body \
    "</s:Body></s:Envelope>"
#define EVENTS    "http://schemas.dmtf.org/wbem/wsman/1/wsman/Events"
#define BOOKMARK  "<BookmarkList><Bookmark Channel='Security' RecordId='7' IsCurrent='true'/></BookmarkList>"

static const struct {
    const char     *name, *in;
    int             rc;
    enum wef_action action;
    const char     *events, *bookmark, *rest;   /* events behind each other, each in brackets */
} rows[] = {
    { "text as it was", ENVELOPE(EVENTS, "<w:Bookmark>" BOOKMARK "</w:Bookmark>", "<w:Events><w:Event><![CDATA[<Event>1</Event>]]></w:Event></w:Events>"), 0, WEF_EVENTS,
      "[<Event>1</Event>]", BOOKMARK, "" },
    { "two, with blanks around", ENVELOPE(EVENTS, "", "<Events>\n <Event> <![CDATA[<Event>1</Event>]]>\n</Event> <Event><![CDATA[<Event>2</Event>]]></Event></Events>"), 0, WEF_EVENTS,
      "[<Event>1</Event>][<Event>2</Event>]", "", "" },
    { "as elements", ENVELOPE(EVENTS, "", "<w:Events><w:Event> <Event a='>'><b/>1</Event> </w:Event></w:Events>"), 0, WEF_EVENTS, "[<Event a='>'><b/>1</Event>]", "", "" },
    { "with entities", ENVELOPE(EVENTS, "", "<w:Events><w:Event>&lt;Event&gt;&#1041;&amp;&lt;/Event&gt;</w:Event></w:Events>"), 0, WEF_EVENTS, "[<Event>Б&</Event>]", "", "" },
    { "in two parts", ENVELOPE(EVENTS, "", "<w:Events><w:Event><![CDATA[<Event>]]]]><![CDATA[></Event>]]></w:Event></w:Events>"), 0, WEF_EVENTS, "[<Event>]]></Event>]", "", "" },
    { "an empty one is none", ENVELOPE(EVENTS, "", "<w:Events><w:Event/><w:Event></w:Event></w:Events>"), 0, WEF_EVENTS, "", "", "" },
    { "bytes that XML lacks", ENVELOPE(EVENTS, "", "<w:Events><w:Event><![CDATA[<Event>\x05</Event>]]></w:Event></w:Events>"), 0, WEF_EVENTS, "[<Event>\x05</Event>]", "", "" },
    { "an event that closes what is not open", ENVELOPE(EVENTS, "", "<w:Events><w:Event><![CDATA[a]]></w:Event><w:Event><x></y></w:Event></w:Events>"), 0, WEF_EVENTS, "[a]", "",
      "<x></y></w:Event></w:Events></s:Body></s:Envelope>" },
    { "a heartbeat", ENVELOPE("http://schemas.dmtf.org/wbem/wsman/1/wsman/Heartbeat", "<w:AckRequested/>", "<w:Events></w:Events>"), 0, WEF_HEARTBEAT, "", "", "" },
    { "an action with blanks", ENVELOPE("\n http://schemas.microsoft.com/wbem/wsman/1/wsman/End ", "", ""), 0, WEF_END, "", "", "" },
    { "an action we do not know", ENVELOPE("urn:x", "", ""), 0, WEF_UNKNOWN, "", "", "" },
    { "a bookmark with another element", ENVELOPE(EVENTS, "<w:Bookmark><x/></w:Bookmark>", ""), 0, WEF_EVENTS, "", "", "" },
    { "no action", "<s:Envelope><s:Header></s:Header></s:Envelope>", -EBADMSG, WEF_UNKNOWN, "", "", "" },
    { "an action outside of the header", "<a:Action>" EVENTS "</a:Action>", -EBADMSG, WEF_UNKNOWN, "", "", "" },
    { "nothing", "", -EBADMSG, WEF_UNKNOWN, "", "", "" },
    { "a document type", "<!DOCTYPE a><s:Envelope/>", -EBADMSG, WEF_UNKNOWN, "", "", "" },
};

static void messages_are_read_however_they_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_ARENA struct arena a = { 0 };
        AUTO_BUF struct buf b = { 0 };
        struct wef_message m;
        struct err e;
        int rc;

        arena_init(&a, 0);
        buf_init(&b, 0);
        rc = wef_read(str_c(rows[i].in), &a, &m, &e);
        CHECK(rows[i].name, rc == rows[i].rc);
        if (rc < 0)
            continue;
        for (size_t k = 0; k < m.count; k++)
            buf_printf(&b, "[%.*s]", STR_ARG(m.events[k]));
        CHECK(rows[i].name, m.action == rows[i].action);
        CHECK(rows[i].name, str_eq(buf_view(&b), str_c(rows[i].events)));
        CHECK(rows[i].name, str_eq(m.bookmark, str_c(rows[i].bookmark)));
        CHECK(rows[i].name, str_eq(m.rest, str_c(rows[i].rest)));
        CHECK(rows[i].name, str_eq(m.message_id, STR("uuid:1")));
    }
}

/* However a batch is cut: an event is whole, or in what is left, or its message is refused; none is lost. */
static void a_batch_that_is_cut_loses_nothing(void **state)
{
    const struct str whole = STR(ENVELOPE(EVENTS, "", "<w:Events><w:Event><![CDATA[<Event>one</Event>]]></w:Event><w:Event><Event>two</Event></w:Event></w:Events>"));

    (void)state;
    for (size_t n = 0; n <= whole.n; n++) {
        AUTO_ARENA struct arena a = { 0 };
        AUTO_FREE char *copy = malloc(n + 1);
        struct wef_message m;
        struct err e;
        size_t seen = 0;

        arena_init(&a, 0);
        assert_non_null(copy);
        memcpy(copy, whole.p, n);
        if (wef_read(str_of(copy, n), &a, &m, &e) < 0)
            continue;
        for (size_t k = 0; k < m.count; k++)
            seen += str_find(m.events[k], k == 0 ? STR("one") : STR("two")) >= 0;
        assert_int_equal(seen, m.count);
        for (int k = 0; k < 2; k++) {
            struct str word = k ? STR("two") : STR("one");

            if (str_find(str_of(copy, n), word) >= 0)
                assert_true(m.count > (size_t)k || str_find(m.rest, word) >= 0);
        }
    }
}

#define Q(inside) "<QueryList><Query Id='0' Path='Security'>" inside "</Query></QueryList>"
static const struct {
    const char *name, *query, *why;   /* NULL: sound */
} queries[] = {
    { "all", Q("<Select Path='Security'>*</Select>"), NULL },
    { "the path of the Query will do", Q("<Select>*[System[(EventID=1)]]</Select>"), NULL },
    { "a quote may hold brackets", Q("<Select>*[EventData[Data='f(x])']]</Select>"), NULL },
    { "its functions", Q("<Select>*[System[TimeCreated[timediff(@SystemTime) &lt;= 1] and band(Keywords,1)]]</Select>"), NULL },
    { "not that root", "<Query Id='0'/>", "begins with <QueryList>" },
    { "nothing", "", "selects nothing" },
    { "only Suppress", Q("<Suppress>*</Suppress>"), "selects nothing" },
    { "an empty Select", Q("<Select> </Select>"), "empty" },
    { "closed at once", Q("<Select/>"), "empty" },
    { "no channel", "<QueryList><Query Id='0'><Select>*</Select></Query></QueryList>", "names its channel" },
    { "no Id", "<QueryList><Query Path='a'><Select>*</Select></Query></QueryList>", "has an Id" },
    { "Id twice", "<QueryList><Query Id='1' Path='a'><Select>*</Select></Query><Query Id='1' Path='a'><Select>*</Select></Query></QueryList>", "have the Id" },
    { "a bracket too few", Q("<Select>*[System[(EventID=1)]</Select>"), "a bracket is not closed" },
    { "a bracket too many", Q("<Select>*[System]]</Select>"), "closed that is not open" },
    { "a quote", Q("<Select>*[System[Provider[@Name='x]]]</Select>"), "a quote has no end" },
    { "contains", Q("<Select>*[contains(.,'x')]</Select>"), "no function \"contains\"" },
    { "text beside", Q("x<Select>*</Select>"), "outside of Select" },
    { "another element", Q("<Choose>*</Choose>"), "stand Select and Suppress" },
    { "an element inside", Q("<Select><b>*</b></Select>"), "stand Select and Suppress" },
    { "cut", "<QueryList><Query Id='0' Path='a'><Select>*", "no sound XML" },
};

static void queries_that_windows_would_refuse_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(queries); i++) {
        struct err e = { 0 };
        int rc = wef_query_lint(str_c(queries[i].query), &e);

        CHECK(queries[i].name, (rc == 0) == (queries[i].why == NULL));
        if (queries[i].why)
            CHECK(queries[i].name, strstr(e.text, queries[i].why) != NULL);
    }
}

static void bookmarks_that_would_break_an_answer_are_none(void **state)
{
    static const char *const sound[] = { BOOKMARK, "<BookmarkList></BookmarkList>", "http://schemas.dmtf.org/wbem/wsman/1/wsman/bookmark/earliest" };
    static const char *const none[] = { "", "x", "<BookmarkList>", "<BookmarkList/></w:Bookmark>", BOOKMARK "<x/>", "<BookmarkList>x</BookmarkList>", "<Bookmark/>",
                                        "<BookmarkList><Bookmark><Bookmark/></Bookmark></BookmarkList>", "<BookmarkList><![CDATA[]]></BookmarkList>",
                                        "http://x/<a>", "<BookmarkList>\x01</BookmarkList>", "<BookmarkList a='\xff'></BookmarkList>" };

    (void)state;
    for (size_t i = 0; i < COUNT(sound); i++)
        CHECK(sound[i], wef_bookmark_sound(str_c(sound[i])));
    for (size_t i = 0; i < COUNT(none); i++)
        CHECK(none[i], !wef_bookmark_sound(str_c(none[i])));
}

static void letters_become_utf16(void **state)
{
    AUTO_BUF struct buf b = { 0 };

    (void)state;
    buf_init(&b, 0);
    wef_utf16(&b, STR("a\xD0\x91\xF0\x9F\x94\xA5\xFF\xD0"));
    assert_int_equal(b.n, 14);
    assert_memory_equal(b.p, "\xFF\xFE" "a\0" "\x11\x04" "\x3D\xD8\x25\xDD" "\xFD\xFF" "\xFD\xFF", 14);
}

static void version_of(const struct wef_subscription *s, struct wef_asker to, char out[37]) { wef_version(s, &to, out); }

static void whatever_a_machine_is_told_changes_the_version(void **state)
{
    char language[] = "", query[] = "<QueryList/>", other[] = "<QueryList></QueryList>";
    struct wef_subscription s = { .id = "a", .query = query, .language = language, .heartbeat_s = 900 };
    struct wef_asker to = { STR("h:1"), STR("00"), STR("m") };
    char v[6][37];

    (void)state;
    version_of(&s, to, v[0]);
    version_of(&s, (struct wef_asker){ STR("h:1"), STR("00"), STR("another") }, v[1]);
    assert_string_equal(v[0], v[1]);
    version_of(&s, (struct wef_asker){ STR("h:2"), STR("00"), STR("m") }, v[1]);
    version_of(&s, (struct wef_asker){ STR("h:1"), STR("01"), STR("m") }, v[2]);
    s.heartbeat_s = 901;
    version_of(&s, to, v[3]);
    s.rendered = true;
    version_of(&s, to, v[4]);
    s.query = other;
    version_of(&s, to, v[5]);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(v[i], v[k]);
}

/* --- marks --- */

static void move(struct wef_marks *m, const char *machine, const char *subscription, int record)
{
    char bookmark[128];
    struct wef_move to = { .machine = str_c(machine), .subscription = str_c(subscription), .version = STR("V 1"), .hash = (uint64_t)record, .at = record };
    struct err e;

    snprintf(bookmark, sizeof bookmark, "<BookmarkList><Bookmark Channel='A %% b' RecordId='%d'/></BookmarkList>", record);
    to.bookmark = str_c(bookmark);
    assert_int_equal(wef_marks_move(m, &to, &e), 0);
}

/* record_of - the number in a machine's bookmark; 0: it has none. */
static int record_of(struct wef_marks *m, const char *machine, const char *subscription)
{
    AUTO_ARENA struct arena a = { 0 };
    struct str s;
    ptrdiff_t at;

    arena_init(&a, 0);
    s = wef_marks_bookmark(m, str_c(machine), str_c(subscription), &a);
    at = str_find(s, STR("RecordId='"));
    return at < 0 ? 0 : s.p[at + 10] - '0';
}

static void marks_outlive_damage_at_every_byte(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct wef_marks *m = NULL;
    char folder[] = "/tmp/saqshy-wef-XXXXXX", path[64];
    size_t damaged;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/marks", folder);
    assert_int_equal(wef_marks_open(path, &m, &damaged, &e), 0);
    move(m, "SRV-1", "one", 1);
    move(m, "srv-1", "two", 2);
    move(m, "srv-2", "one", 3);
    move(m, "srv-1", "one", 4);
    assert_int_equal(wef_marks_sync(m, &e), 0);
    assert_int_equal(record_of(m, "srv-1", "one"), 4);
    assert_true(wef_marks_repeated(m, STR("Srv-2"), STR("one"), STR("<BookmarkList><Bookmark Channel='A % b' RecordId='3'/></BookmarkList>"), 3));
    assert_false(wef_marks_repeated(m, STR("srv-2"), STR("one"), STR("<BookmarkList><Bookmark Channel='A % b' RecordId='3'/></BookmarkList>"), 4));
    wef_marks_free(&m);
    buf_init(&b, 0);
    assert_int_equal(file_read(path, MIB, &b, &e), 0);
    for (size_t n = 0; n < 2 * b.n; n++) {
        AUTO_FREE char *copy = malloc(b.n);
        bool cut = n < b.n;
        int one, two, other;

        assert_non_null(copy);
        memcpy(copy, b.p, b.n);
        if (!cut)
            copy[n - b.n] ^= 0x10;
        assert_int_equal(file_write_atomic(path, str_of(copy, cut ? n : b.n), 0600, &e), 0);
        assert_int_equal(wef_marks_open(path, &m, &damaged, &e), 0);
        one = record_of(m, "srv-1", "one");
        two = record_of(m, "srv-1", "two");
        other = record_of(m, "srv-2", "one");
        assert_true((one == 0 || one == 1 || one == 4) && (two == 0 || two == 2) && (other == 0 || other == 3));
        if (!cut)     /* a damaged line costs no other, unless two become one */
            assert_true((one >= 1) + (two == 2) + (other == 3) >= (b.p[n - b.n] == '\n' ? 1 : 2));
        assert_true(cut || damaged >= 1);
        wef_marks_free(&m);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void the_file_of_marks_is_written_anew_when_it_grows(void **state)
{
    char folder[] = "/tmp/saqshy-wef-XXXXXX", path[64];
    struct wef_marks *m = NULL;
    struct stat st;
    int64_t most = 0;
    size_t damaged;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/marks", folder);
    assert_int_equal(wef_marks_open(path, &m, &damaged, &e), 0);
    for (int i = 0; i < 60000; i++) {
        move(m, "srv-1", "one", i % 10);
        if (i % 1000 == 0 && stat(path, &st) == 0)
            most = st.st_size > most ? st.st_size : most;
    }
    move(m, "srv-1", "one", 7);
    assert_true(most > 1024 * 1024 && most < 5 * 1024 * 1024);
    wef_marks_free(&m);
    assert_int_equal(wef_marks_open(path, &m, &damaged, &e), 0);
    assert_int_equal(damaged, 0);
    assert_int_equal(record_of(m, "srv-1", "one"), 7);
    wef_marks_free(&m);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read_however_they_are_written),
        cmocka_unit_test(a_batch_that_is_cut_loses_nothing),
        cmocka_unit_test(queries_that_windows_would_refuse_are_refused),
        cmocka_unit_test(bookmarks_that_would_break_an_answer_are_none),
        cmocka_unit_test(letters_become_utf16),
        cmocka_unit_test(whatever_a_machine_is_told_changes_the_version),
        cmocka_unit_test(marks_outlive_damage_at_every_byte),
        cmocka_unit_test(the_file_of_marks_is_written_anew_when_it_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
