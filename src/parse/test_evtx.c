/* test_evtx.c - the EVTX reader over logs written here (test_evtx_make.h): what each part of the format becomes, and what damage
 * and malice do. "test_evtx seeds DIR" writes them as seeds for the fuzzer. */
#include "base/file.h"
#include "base/test.h"
#include "parse/test_evtx_make.h"

#define EMPTY "(empty)"
#define SEED_MAX (16u * KIB)

static struct hole text_hole(const char *ascii, uint8_t room[256])
{
    return (struct hole){ 0x01, room, utf16(ascii, room) };
}

/* --- what is written, and what it becomes --- */

#define HEAD_XML "<Event xmlns=\"" XMLNS "\"><System><Provider Name=\"Test\"/><EventID>7</EventID><Channel>Security</Channel></System>"
#define HEAD_PAIRS "winlog.provider_name=Test\nwinlog.event_id=7\nwinlog.channel=Security\n"

static void template_and_again(struct log *l)
{
    uint8_t room[256];
    const uint8_t logon[8] = { 0xe7, 3 };
    struct hole first[] = { text_hole("ann", room), { 0x15, logon, 8 } };
    size_t at;

    record_begin(l);
    at = template_begin(l, 5);
    event_opens(l);
    system_part(l, "7");
    xml_open(l, "EventData", false);
    xml_start_ends(l);
    xml_data(l, "User", 0, 1);
    xml_data(l, "LogonId", 1, 0x15);
    xml_close(l);
    xml_close(l);
    template_end(l);
    holes(l, first, 2);
    record_end(l);
    record_begin(l);
    template_again(l, 5, at);
    first[0] = text_hole("bob", room);
    holes(l, first, 2);
    record_end(l);
}

static void without_template(struct log *l)
{
    record_begin(l);
    event_opens(l);
    system_part(l, "7");
    xml_open(l, "EventData", false);
    xml_start_ends(l);
    xml_open(l, "Data", true);
    xml_attribute(l, "Name");
    xml_text(l, "User");
    xml_start_ends(l);
    xml_text(l, "ann");
    xml_close(l);
    xml_close(l);
    xml_open(l, "RenderingInfo", true);
    xml_attribute(l, "Culture");
    xml_text(l, "en-US");
    xml_start_ends(l);
    xml_element(l, "Message", "it happened", 0);
    xml_open(l, "Keywords", false);
    xml_start_ends(l);
    xml_element(l, "Keyword", "Audit Success", 0);
    xml_close(l);
    xml_close(l);
    xml_close(l);
    record_end(l);
}

/* nested - the data of the event is binary XML of its own, in a hole. */
static void nested(struct log *l, bool user)
{
    uint8_t room[256];
    struct hole h[] = { text_hole("ann", room) };
    size_t place;

    record_begin(l);
    template_begin(l, 5);
    event_opens(l);
    system_part(l, "7");
    if (user)
        xml_element(l, "UserData", NULL, 1);
    else
        xml_hole(l, 1, 0x21);
    xml_close(l);
    template_end(l);
    place = holes_begin(l, h, 1, 0x21);
    template_begin(l, 6);
    xml_open(l, user ? "LogFileCleared" : "EventData", false);
    xml_start_ends(l);
    if (user)
        xml_element(l, "SubjectUserName", NULL, 0);
    else
        xml_data(l, "User", 0, 1);
    xml_close(l);
    template_end(l);
    holes(l, h, 1);
    holes_end(l, place);
    record_end(l);
}

static void data_in_a_hole(struct log *l) { nested(l, false); }
static void user_data(struct log *l) { nested(l, true); }

/* one_data - an event whose data is what write writes. */
static void one_data(struct log *l, void (*write)(struct log *l), const struct hole *h, size_t count)
{
    record_begin(l);
    template_begin(l, 5);
    event_opens(l);
    system_part(l, "7");
    xml_open(l, "EventData", false);
    xml_start_ends(l);
    write(l);
    xml_close(l);
    xml_close(l);
    template_end(l);
    holes(l, h, count);
    record_end(l);
}

static void write_unnamed(struct log *l) { xml_element(l, "Data", NULL, 0); }

static void array_of_texts(struct log *l)
{
    uint8_t room[64];
    struct hole h = { 0x81, room, utf16("a", room) };

    h.n += 2;
    room[2] = room[3] = 0;
    h.n += utf16("b<", room + h.n);
    one_data(l, write_unnamed, &h, 1);
}

static void write_three(struct log *l)
{
    xml_data(l, "None", 0, 1);
    xml_data(l, "Empty", 1, 1);
    xml_data(l, "Full", 2, 1);
}

static void null_and_empty(struct log *l)
{
    uint8_t room[256];
    struct hole h[] = { { 0x00, NULL, 0 }, { 0x01, NULL, 0 }, text_hole("x", room) };

    one_data(l, write_three, h, 3);
}

static void write_markup(struct log *l)
{
    xml_data(l, "Hole", 0, 1);
    xml_open(l, "Data", true);
    xml_attribute(l, "Name");
    xml_text(l, "Text");
    xml_start_ends(l);
    xml_text(l, "1 ");
    xml_entity(l, "lt");
    xml_letter(l, '2');
    xml_close(l);
}

static void markup_in_values(struct log *l)
{
    uint8_t room[256];
    struct hole h[] = { text_hole("<a b=\"&\">", room) };

    one_data(l, write_markup, h, 1);
}

static void write_pieces(struct log *l)
{
    xml_open(l, "Data", true);
    xml_attribute(l, "Name");
    xml_hole(l, 1, 1);
    xml_start_ends(l);
    xml_text(l, "from ");
    xml_hole(l, 0, 1);
    xml_text(l, " on");
    xml_close(l);
}

static void pieces_and_a_name_by_value(struct log *l)
{
    uint8_t a[256], b[256];
    struct hole h[] = { text_hole("<here>", a), text_hole("Where", b) };

    one_data(l, write_pieces, h, 2);
}

static void write_attribute(struct log *l)
{
    xml_open(l, "Data", true);
    xml_attribute(l, "Name");
    xml_text(l, "A");
    xml_attribute(l, "Kind");
    xml_hole(l, 0, 1);
    xml_attribute(l, "More");
    xml_hole(l, 1, 1);
    xml_empty(l);
}

static void attribute_that_is_missing(struct log *l)
{
    uint8_t room[256];
    struct hole h[] = { { 0x00, NULL, 0 }, text_hole("\"", room) };

    one_data(l, write_attribute, h, 2);
}

static const struct {
    const char *name;
    void (*write)(struct log *l);
    size_t records;       /* the rows below are of the last one */
    const char *xml, *pairs;
} rows[] = {
    { "a template, and the same again", template_and_again, 2,
      HEAD_XML "<EventData><Data Name=\"User\">bob</Data><Data Name=\"LogonId\">0x3e7</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.User=bob\nwinlog.event_data.LogonId=0x3e7\n" },
    { "an event without any template, as logs of forwarded events have them", without_template, 1,
      HEAD_XML "<EventData><Data Name=\"User\">ann</Data></EventData><RenderingInfo Culture=\"en-US\"><Message>it happened</Message>"
               "<Keywords><Keyword>Audit Success</Keyword></Keywords></RenderingInfo></Event>",
      HEAD_PAIRS "winlog.event_data.User=ann\nrendered.culture=en-US\nrendered.message=it happened\nrendered.keyword=Audit Success\n" },
    { "event data in a hole", data_in_a_hole, 1, HEAD_XML "<EventData><Data Name=\"User\">ann</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.User=ann\n" },
    { "user data, whose form is named by its root", user_data, 1,
      HEAD_XML "<UserData><LogFileCleared><SubjectUserName>ann</SubjectUserName></LogFileCleared></UserData></Event>",
      HEAD_PAIRS "winlog.user_data.xml_name=LogFileCleared\nwinlog.user_data.SubjectUserName=ann\n" },
    { "an array repeats its element", array_of_texts, 1, HEAD_XML "<EventData><Data>a</Data><Data>b&lt;</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.param1=a\nwinlog.event_data.param2=b<\n" },
    { "V8: none is no field, an empty one is", null_and_empty, 1,
      HEAD_XML "<EventData><Data Name=\"None\"></Data><Data Name=\"Empty\"></Data><Data Name=\"Full\">x</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.Empty=" EMPTY "\nwinlog.event_data.Full=x\n" },
    { "markup in a value stays text", markup_in_values, 1,
      HEAD_XML "<EventData><Data Name=\"Hole\">&lt;a b=&quot;&amp;&quot;&gt;</Data><Data Name=\"Text\">1 &lt;2</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.Hole=<a b=\"&\">\nwinlog.event_data.Text=1 <2\n" },
    { "pieces make one text, and a value may be the name", pieces_and_a_name_by_value, 1,
      HEAD_XML "<EventData><Data Name=\"Where\">from &lt;here&gt; on</Data></EventData></Event>",
      HEAD_PAIRS "winlog.event_data.Where=from <here> on\n" },
    { "an attribute without a value is left out", attribute_that_is_missing, 1,
      HEAD_XML "<EventData><Data Name=\"A\" More=\"&quot;\"/></EventData></Event>", HEAD_PAIRS "winlog.event_data.A=" EMPTY "\n" },
};

static void pairs_text(const struct form_pairs *p, struct buf *out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct str v = p->items[i].value.n ? p->items[i].value : STR(EMPTY);

        buf_str(out, p->items[i].name);
        buf_byte(out, '=');
        buf_str(out, v);
        buf_byte(out, '\n');
    }
}

/* What nearly all tests need: a log that is written, and a reader. */
struct bench {
    struct log  *l;
    struct evtx *x;
};

static struct bench bench_new(void)
{
    struct bench b = { .l = malloc(sizeof *b.l) };
    struct err e;

    assert_non_null(b.l);
    assert_int_equal(evtx_new(&b.x, &e), 0);
    return b;
}

static void bench_free(struct bench *b)
{
    evtx_free(&b->x);
    free(b->l);
}

static void records_become_text_and_pairs(void **state)
{
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf got;
        struct evtx_record r;

        buf_init(&got, 0);
        log_begin(l);
        rows[i].write(l);
        log_end(l);
        CHECK(rows[i].name, evtx_chunk(x, str_of((char *)l->chunk, sizeof l->chunk)) == EVTX_WHOLE);
        for (size_t n = 0; n < rows[i].records; n++) {
            if (evtx_next(x, &r, &e) != 1)
                fail_msg("row \"%s\": %s", rows[i].name, e.text);
            CHECK(rows[i].name, r.id == n + 1 && !r.found && r.written == INT64_C(1741996800) * NS_PER_SECOND);
        }
        pairs_text(&r.pairs, &got);
        if (!str_eq(r.xml, str_c(rows[i].xml)) || !str_eq(buf_view(&got), str_c(rows[i].pairs)))
            fail_msg("row \"%s\":\n%.*s\n%.*s", rows[i].name, STR_ARG(r.xml), STR_ARG(buf_view(&got)));
        CHECK(rows[i].name, evtx_next(x, &r, &e) == 0);
    }
    bench_free(&bench);
}

/* --- values --- */

static const struct {
    const char *name;
    uint8_t type;
    const char *bytes;
    size_t n;
    const char *want;
} values[] = {
    { "int8", 0x03, "\xff", 1, "-1" },
    { "uint8", 0x04, "\xff", 1, "255" },
    { "int16", 0x05, "\0\x80", 2, "-32768" },
    { "uint16", 0x06, "\x51\x12", 2, "4689" },
    { "int32", 0x07, "\xfe\xff\xff\xff", 4, "-2" },
    { "uint32", 0x08, "\xfe\xff\xff\xff", 4, "4294967294" },
    { "int64", 0x09, "\0\0\0\0\0\0\0\x80", 8, "-9223372036854775808" },
    { "uint64", 0x0a, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615" },
    { "real32", 0x0b, "\0\0\xc0\x3f", 4, "1.5" },
    { "real64", 0x0c, "\0\0\0\0\0\0\xf8\x3f", 8, "1.5" },
    { "bool", 0x0d, "\x01\0\0\0", 4, "true" },
    { "binary", 0x0e, "\x01\xab", 2, "01AB" },
    { "guid", 0x0f, "\x25\x96\x84\x54\x78\x54\x94\x49\xa5\xba\x3e\x3b\x03\x28\xc3\x0d", 16, "{54849625-5478-4994-A5BA-3E3B0328C30D}" },
    { "size of 32 bits", 0x10, "\x10\0\0\0", 4, "0x10" },
    { "time", 0x11, "\x87\xd6\xf4\x31\x3d\x95\xdb\x01", 8, "2025-03-15T00:00:00.1234567Z" },
    { "time before any calendar ends", 0x11, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615" },
    { "system time", 0x12, "\xea\x07\x03\0\x04\0\x13\0\x08\0\x05\0\x09\0\x07\0", 16, "2026-03-19T08:05:09.007Z" },
    { "sid", 0x13, "\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0", 16, "S-1-5-32-544" },
    { "a sid with too many parts", 0x13, "\x01\x03\0\0\0\0\0\x05\x20\0\0\0", 12, "010300000000000520000000" },
    { "hexadecimal of 32 bits", 0x14, "\x0d\0\0\xc0", 4, "0xc000000d" },
    { "hexadecimal of 64 bits", 0x15, "\0\0\0\0\0\0\x20\x80", 8, "0x8020000000000000" },
    { "a number that is cut", 0x08, "\x01\x02", 2, "0102" },
    { "text with its NUL", 0x01, "a\0\0\0", 4, "a" },
    { "letters past ASCII, and a pair", 0x01, "\x9a\x04\x3d\xd8\x00\xde", 6, "\xd2\x9a\xf0\x9f\x98\x80" },
    { "half a pair", 0x01, "\x3d\xd8\x61\0", 4, "\xef\xbf\xbd" "a" },
    { "text of an old code page", 0x02, "\xcf\xf0\xe8\xe2\xe5\xf2\0", 7, "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
    { "more than eight letters", 0x01, "1\0002\0003\0004\0005\0006\0007\0008\0009\000a\000", 20, "123456789a" },
    { "a type that nobody knows", 0x55, "\x01", 1, "01" },
};

static void write_value(struct log *l) { xml_data(l, "V", 0, 1); }

static void values_are_written_as_windows_does(void **state)
{
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct hole h = { values[i].type, values[i].bytes, values[i].n };
        struct evtx_record r;
        struct str got;

        log_begin(l);
        one_data(l, write_value, &h, 1);
        log_end(l);
        (void)evtx_chunk(x, str_of((char *)l->chunk, l->n));
        CHECK(values[i].name, evtx_next(x, &r, &e) == 1);
        got = pairs_get(&r.pairs, STR("winlog.event_data.V"));
        if (!str_eq(got, str_c(values[i].want)))
            fail_msg("row \"%s\": %.*s", values[i].name, STR_ARG(got));
    }
    bench_free(&bench);
}

/* arrays of numbers and identifiers: items by their size. */
static void arrays_of_all_kinds(void **state)
{
    static const struct { const char *name; uint8_t type; const char *bytes; size_t n; const char *want; } arrays[] = {
        { "uint16", 0x86, "\1\0\2\0", 4, "1 2 " },
        { "hexadecimal", 0x94, "\1\0\0\0\2\0\0\0", 8, "0x1 0x2 " },
        { "sids", 0x93, "\1\1\0\0\0\0\0\5\x12\0\0\0\1\1\0\0\0\0\0\1\0\0\0\0", 24, "S-1-5-18 S-1-1-0 " },
        { "an item that is cut", 0x88, "\1\0\0\0\2\0", 6, "1 0200 " },
        { "old texts", 0x82, "a\0\0c", 4, "a  c " },
    };
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(arrays); i++) {
        struct hole h = { arrays[i].type, arrays[i].bytes, arrays[i].n };
        AUTO_BUF struct buf got;
        struct evtx_record r;

        buf_init(&got, 0);
        log_begin(l);
        one_data(l, write_unnamed, &h, 1);
        log_end(l);
        (void)evtx_chunk(x, str_of((char *)l->chunk, l->n));
        CHECK(arrays[i].name, evtx_next(x, &r, &e) == 1);
        for (uint32_t k = 3; k < r.pairs.count; k++) {
            buf_str(&got, r.pairs.items[k].value);
            buf_byte(&got, ' ');
        }
        if (!str_eq(buf_view(&got), str_c(arrays[i].want)))
            fail_msg("row \"%s\": %.*s", arrays[i].name, STR_ARG(buf_view(&got)));
    }
    bench_free(&bench);
}

/* --- damage --- */

/* count_records - what is read, and what is told as unreadable. */
static size_t count_records(struct evtx *x, struct str chunk, size_t *unreadable, bool *found, enum evtx_chunk *kind)
{
    struct evtx_record r;
    struct err e;
    size_t n = 0;
    int rc;

    *unreadable = 0;
    *found = false;
    *kind = evtx_chunk(x, chunk);
    while ((rc = evtx_next(x, &r, &e)) != 0) {
        assert_true(rc == 1 || rc == -EBADMSG);
        n += rc == 1;
        *unreadable += rc != 1;
        *found |= r.found;
    }
    return n;
}

static void three_records(struct log *l)
{
    log_begin(l);
    template_and_again(l);
    without_template(l);
    log_end(l);
}

static void damaged_chunks_give_what_they_have(void **state)
{
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    struct str all = { (char *)l->chunk, sizeof l->chunk };
    enum evtx_chunk kind;
    size_t unreadable;
    bool found;

    (void)state;
    three_records(l);
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 3);
    assert_true(kind == EVTX_WHOLE && !unreadable && !found);

    memset(l->chunk, 0, 512); /* the head is gone */
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 3);
    assert_true(kind == EVTX_DAMAGED && !unreadable && found);

    three_records(l);
    l->chunk[52] ^= 1; /* a sum does not hold */
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 3);
    assert_true(kind == EVTX_DAMAGED && !unreadable && !found);

    three_records(l);
    l->chunk[512] = 0; /* the first record is none: its template is still there for the second */
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 2);
    assert_true(kind == EVTX_DAMAGED && !unreadable && found);

    three_records(l);
    l->chunk[512 + 24 + 4 + 10 + 4] ^= 1; /* the GUID of the template: another one stands there now */
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 1);
    assert_int_equal(unreadable, 2);

    memset(l->chunk, 0, sizeof l->chunk);
    assert_int_equal(count_records(x, all, &unreadable, &found, &kind), 0);
    assert_true(kind == EVTX_EMPTY && !unreadable);
    bench_free(&bench);
}

/* Of a heap block of just that size, so that the sanitizer guards its end. */
static void cut_after_every_byte_and_flipped_in_every_bit(void **state)
{
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    enum evtx_chunk kind;
    size_t unreadable, read = 0;
    bool found;

    (void)state;
    three_records(l);
    for (size_t n = 0; n <= l->n; n++) {
        char *part = malloc(n + !n);

        memcpy(part, l->chunk, n);
        read = max_size(read, count_records(x, str_of(part, n), &unreadable, &found, &kind));
        free(part);
    }
    assert_int_equal(read, 3);
    for (size_t bit = 512 * 8; bit < l->n * 8; bit++) {
        l->chunk[bit / 8] ^= (uint8_t)(1u << bit % 8);
        read = count_records(x, str_of((char *)l->chunk, l->n), &unreadable, &found, &kind);
        assert_true(read + unreadable <= 4 && kind != EVTX_EMPTY);
        l->chunk[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    bench_free(&bench);
}

/* --- malice --- */

static void deep(struct log *l)
{
    record_begin(l);
    for (int i = 0; i < 400; i++) {
        l->depth = 0;
        xml_open(l, "a", false);
        xml_start_ends(l);
    }
    record_end(l);
}

/* wide - a template of many holes for one long value. */
static void wide(struct log *l)
{
    static uint8_t room[20000];
    struct hole h = { 0x01, room, sizeof room };

    memset(room, 'x', sizeof room);
    record_begin(l);
    template_begin(l, 5);
    xml_open(l, "Event", false);
    xml_start_ends(l);
    for (int i = 0; i < 2000; i++)
        xml_element(l, "b", NULL, 0);
    xml_close(l);
    template_end(l);
    holes(l, &h, 1);
    record_end(l);
}

/* again_and_again - a value that holds the template whose value it is, many times in each, levels deep. */
static void again_and_again(struct log *l, size_t levels)
{
    size_t at, place, inner[EVTX_NEST_MAX];

    record_begin(l);
    at = template_begin(l, 5);
    xml_open(l, "Event", false);
    xml_start_ends(l);
    for (int i = 0; i < 500; i++) {
        xml_open(l, "a", false);
        xml_empty(l);
        xml_hole(l, 0, 0x21);
    }
    xml_close(l);
    template_end(l);
    place = holes_begin(l, NULL, 0, 0x21);
    for (size_t i = 0; i < levels; i++) {
        template_again(l, 5, at);
        inner[i] = holes_begin(l, NULL, 0, 0x21);
    }
    for (size_t i = levels; i-- > 0;)
        holes_end(l, inner[i]);
    holes_end(l, place);
    record_end(l);
}

static void nests_too_deep(struct log *l) { again_and_again(l, EVTX_NEST_MAX); }
static void multiplies(struct log *l) { again_and_again(l, 4); }

static void too_many_values(struct log *l)
{
    record_begin(l);
    template_begin(l, 5);
    xml_element(l, "Event", NULL, 0);
    template_end(l);
    put_raw(l, "\xff\xff\xff\x7f", 4);
    record_end(l);
}

static void many_pieces(struct log *l)
{
    record_begin(l);
    template_begin(l, 5);
    xml_open(l, "Event", false);
    xml_start_ends(l);
    for (int i = 0; i < 100; i++)
        xml_hole(l, 0, 1);
    xml_close(l);
    template_end(l);
    holes(l, NULL, 0);
    record_end(l);
}

static void name_with_markup(struct log *l)
{
    record_begin(l);
    xml_element(l, "a><b", "x", 0);
    record_end(l);
}

static const struct {
    const char *name;
    void (*write)(struct log *l);
    const char *why;
} hostile[] = {
    { "elements within elements within elements", deep, "elements nest too deep" },
    { "one value in two thousand places", wide, "its text is too long" },
    { "a value that holds itself, deeper and deeper", nests_too_deep, "its values nest too deep" },
    { "a value that holds itself many times", multiplies, "it takes too many steps" },
    { "more values than bytes", too_many_values, "it has too many values" },
    { "a content of a hundred values", many_pieces, "an element has too many pieces" },
    { "a name that is markup", name_with_markup, "a name is none" },
};

static void malice_meets_its_limit(void **state)
{
    struct bench bench = bench_new();
    struct log *l = bench.l;
    struct evtx *x = bench.x;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct evtx_record r;

        log_begin(l);
        hostile[i].write(l);
        without_template(l);
        log_end(l);
        (void)evtx_chunk(x, str_of((char *)l->chunk, l->n));
        CHECK(hostile[i].name, evtx_next(x, &r, &e) == -EBADMSG);
        if (strcmp(e.text, hostile[i].why) != 0)
            fail_msg("row \"%s\": %s", hostile[i].name, e.text);
        CHECK(hostile[i].name, evtx_next(x, &r, &e) == 1); /* and the next record is read */
    }
    bench_free(&bench);
}

/* --- seeds --- */

static int write_seeds(const char *folder)
{
    struct log *l = malloc(sizeof *l);
    char path[4096];
    struct err e;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(rows) + COUNT(hostile); i++) {
        log_begin(l);
        (i < COUNT(rows) ? rows[i].write : hostile[i - COUNT(rows)].write)(l);
        log_end(l);
        snprintf(path, sizeof path, "%s/%02zu.chunk", folder, i);
        if (l->n < SEED_MAX)
            rc = file_write_atomic(path, str_of((char *)l->chunk, l->n), 0644, &e);
    }
    free(l);
    return rc < 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_become_text_and_pairs),
        cmocka_unit_test(values_are_written_as_windows_does),
        cmocka_unit_test(arrays_of_all_kinds),
        cmocka_unit_test(damaged_chunks_give_what_they_have),
        cmocka_unit_test(cut_after_every_byte_and_flipped_in_every_bit),
        cmocka_unit_test(malice_meets_its_limit),
    };

    if (argc == 3 && strcmp(argv[1], "seeds") == 0)
        return write_seeds(argv[2]);
    return cmocka_run_group_tests_name("event logs of Windows", tests, NULL, NULL);
}
