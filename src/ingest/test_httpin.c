/* test_httpin.c - what comes by HTTP as text: JSON token by token, actions of Elasticsearch bulk, events of HEC, OTLP in JSON, tokens. Samples are
 * written here, in the form that senders use; each is also cut after every byte, from a block of just that size. */
#include "base/test.h"
#include "ingest/bulk.h"
#include "ingest/hec.h"
#include "ingest/otlp.h"
#include "ingest/tokens.h"

/* --- jread --- */

static const struct {
    const char *in, *want;   /* a letter a token; K and S with their text */
} tokens_rows[] = {
    { "{\"a\":1,\"b\":[true,false,null,\"x\"]}", "{ K:a 1 K:b [ t f n S:x ] } ." },
    { "{}[]", "{ } [ ] ." },
    { " {\"a\":{}}{\"b\":2}\n3", "{ K:a { } } { K:b 2 } 3 ." },
    { "\"\\u0410\\ud83d\\ude00\\n\\/\"", "S:А😀\n/ ." },
    { "\"\\ud83d\"", "S:\xEF\xBF\xBD ." },
    { "[-1.5e+10]", "[ -1.5e+10 ] ." },
    { "[1,]", "[ 1 !" },
    { "[1 2]", "[ 1 !" },
    { "{\"a\":1,}", "{ K:a 1 !" },
    { "{\"a\" 1}", "{ !" },
    { "{a:1}", "{ !" },
    { "{\"a\":}", "{ K:a !" },
    { "[", "[ !" },
    { "]", "!" },
    { "\"\\x\"", "!" },
    { "\"abc", "!" },
    { "nul", "!" },
    { "-", "!" },
    { "", "." },
};

static void spell(struct jread *r, char *out, size_t size)
{
    static const char letters[] = "!.{}[]KS1tfn";
    size_t n = 0;
    struct str text;
    enum jtoken t;

    do {
        t = jread_next(r, &text);
        n += (size_t)snprintf(out + n, size - n, "%s", n ? " " : "");
        if (t == J_KEY || t == J_STRING)
            n += (size_t)snprintf(out + n, size - n, "%c:%.*s", letters[t], STR_ARG(text));
        else if (t == J_NUMBER)
            n += (size_t)snprintf(out + n, size - n, "%.*s", STR_ARG(text));
        else
            n += (size_t)snprintf(out + n, size - n, "%c", letters[t]);
    } while (t != J_BAD && t != J_END && n + 64 < size);
}

static void json_is_read_token_by_token(void **state)
{
    char got[512], deep[JREAD_DEPTH_MAX * 2 + 2];
    AUTO_ARENA struct arena a = { 0 };
    struct jread r;
    struct str text, raw;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(tokens_rows); i++) {
        r = jread_of(str_c(tokens_rows[i].in), &a);
        spell(&r, got, sizeof got);
        CHECK(tokens_rows[i].in, strcmp(got, tokens_rows[i].want) == 0);
    }
    memset(deep, '[', JREAD_DEPTH_MAX + 1);
    r = jread_of(str_of(deep, JREAD_DEPTH_MAX), &a);
    for (size_t i = 0; i < JREAD_DEPTH_MAX; i++)
        assert_int_equal(jread_next(&r, &text), J_ARRAY);
    r = jread_of(str_of(deep, JREAD_DEPTH_MAX + 1), &a);
    assert_int_equal(jread_value(&r, &raw, &text), J_BAD);
    r = jread_of(STR("{\"a\":{\"b\":[1,\"\\n\"]},\"c\":\"d\"}"), &a);
    assert_int_equal(jread_next(&r, &text), J_OBJECT);
    assert_int_equal(jread_next(&r, &text), J_KEY);
    assert_int_equal(jread_value(&r, &raw, &text), J_OBJECT);
    assert_true(str_eq(raw, STR("{\"b\":[1,\"\\n\"]}")));
    assert_int_equal(jread_next(&r, &text), J_KEY);
    assert_true(str_eq(text, STR("c")));
}

static const struct {
    const char *in, *want;
} base64_rows[] = {
    { "aGVsbG8=", "hello" }, { "aGVsbG8", "hello" }, { "", "" }, { "PDw_Pz8-Pg", "<<?" "?" "?>>" }, { "PDw/Pz8+Pg==", "<<?" "?" "?>>" }, { "a", NULL }, { "a*==", NULL },
};

static void base64_is_read_in_both_alphabets(void **state)
{
    AUTO_ARENA struct arena a = { 0 };

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(base64_rows); i++) {
        struct jread r = jread_of(str_of(NULL, 0), &a);
        struct str out = { NULL, 0 };
        bool sound = jread_base64(&r, str_c(base64_rows[i].in), &out);

        CHECK(base64_rows[i].in, sound == (base64_rows[i].want != NULL));
        CHECK(base64_rows[i].in, !sound || str_eq(out, str_c(base64_rows[i].want)));
    }
}

/* --- bulk --- */

static int spell_action(void *arg, const struct bulk_action *a, struct str document, struct err *e)
{
    static const char *const names[] = { "create", "index", "update", "delete" };
    struct buf *out = arg;

    (void)e;
    buf_printf(out, "%s %.*s/%.*s %.*s|", names[a->kind], STR_ARG(a->index), STR_ARG(a->id), STR_ARG(document));
    return 0;
}

static const struct {
    const char *in;
    int         rc;
    const char *want;
} bulk_rows[] = {
    { "{\"create\":{}}\n{\"a\":1}\n", 0, "create / {\"a\":1}|" },
    { "{\"index\":{\"_index\":\"logs\",\"_id\":\"7\",\"_type\":\"_doc\",\"routing\":{\"x\":[1]}}}\r\n{\"a\":1}\r\n", 0, "index logs/7 {\"a\":1}|" },
    { "{\"delete\":{\"_id\":\"7\"}}\n{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{}}\n{\"create\":{}}\n{}", 0, "delete /7 |update /8 {\"doc\":{}}|create / {}|" },
    { "\n\n{\"create\":{}}\nno object\n\n", 0, "create / no object|" },
    { "", 0, "" },
    { "{\"create\":{}}\n", -EBADMSG, "" },
    { "{\"create\":{}}\n{}\nhello\n", -EBADMSG, "create / {}|" },
    { "{\"upsert\":{}}\n{}\n", -EBADMSG, "" },
    { "{\"create\":[]}\n{}\n", -EBADMSG, "" },
    { "{\"create\":{}}}\n{}\n", -EBADMSG, "" },
    { "{\"create\":{},\"index\":{}}\n{}\n", -EBADMSG, "" },
    { "[]\n{}\n", -EBADMSG, "" },
};

static void actions_and_documents_are_told_apart(void **state)
{
    AUTO_ARENA struct arena a = { 0 };

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(bulk_rows); i++) {
        AUTO_BUF struct buf got = { 0 };
        struct err e;
        size_t n = strlen(bulk_rows[i].in);

        buf_init(&got, 0);
        CHECK(bulk_rows[i].in, bulk_walk(str_c(bulk_rows[i].in), &a, spell_action, &got, &e) == bulk_rows[i].rc);
        CHECK(bulk_rows[i].in, str_eq(buf_view(&got), str_c(bulk_rows[i].want)));
        for (size_t cut = 0; cut < n; cut++) {
            char *copy = malloc(cut + 1);
            int rc;

            memcpy(copy, bulk_rows[i].in, cut);
            copy = realloc(copy, cut ? cut : 1);
            buf_reset(&got);
            rc = bulk_walk(str_of(copy, cut), &a, spell_action, &got, &e);
            CHECK(bulk_rows[i].in, rc == 0 || rc == -EBADMSG);
            free(copy);
        }
    }
}

/* --- HEC --- */

static const struct {
    const char *in;
    int         rc;
    const char *want;      /* of the first event: text|host|source|sourcetype|index|fields|time, or the reason */
} hec_rows[] = {
    { "{\"event\":\"hello\"}", 1, "hello||||||0" },
    { "{\"time\":1426279439.123,\"host\":\"h\",\"source\":\"/var/log/a\",\"sourcetype\":\"st\",\"index\":\"main\",\"event\":\"x\\ty\",\"fields\":{\"a\":[1]}}", 1,
      "x\ty|h|/var/log/a|st|main|{\"a\":[1]}|1426279439123000000" },
    { "{\"time\":\"1426279439\",\"event\":{\"a\":{\"b\":1}}}{\"event\":2}", 1, "{\"a\":{\"b\":1}}||||||1426279439000000000" },
    { "{\"event\":7,\"unknown\":[{}],\"host\":null}", 1, "7||||||0" },
    { "  \n", 0, "" },
    { "{\"host\":\"h\"}", -EBADMSG, "Event field is required" },
    { "{\"event\":\"\"}", -EBADMSG, "Event field cannot be blank" },
    { "{\"event\":null}", -EBADMSG, "Event field cannot be blank" },
    { "{\"event\":\"x\",\"fields\":[1]}", -EBADMSG, "Error in handling indexed fields" },
    { "{\"event\":\"x\"", -EBADMSG, "Invalid data format" },
    { "[{\"event\":\"x\"}]", -EBADMSG, "Invalid data format" },
    { "hello", -EBADMSG, "Invalid data format" },
    { "{\"event\":{]}", -EBADMSG, "Invalid data format" },
};

static void events_of_hec_are_read_or_refused_in_its_words(void **state)
{
    AUTO_ARENA struct arena a = { 0 };

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(hec_rows); i++) {
        struct jread r = jread_of(str_c(hec_rows[i].in), &a);
        struct hec_event h;
        struct err e = { 0 };
        char got[512] = "";
        int rc = hec_event_read(&r, &h, &e);

        CHECK(hec_rows[i].in, rc == hec_rows[i].rc);
        if (rc > 0)
            snprintf(got, sizeof got, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%lld", STR_ARG(h.text), STR_ARG(h.host), STR_ARG(h.source), STR_ARG(h.sourcetype),
                     STR_ARG(h.index), STR_ARG(h.fields), (long long)h.time);
        CHECK(hec_rows[i].in, strcmp(rc < 0 ? e.text : got, hec_rows[i].want) == 0);
        for (size_t cut = 0; cut < strlen(hec_rows[i].in); cut++) {
            char *copy = malloc(cut ? cut : 1);

            memcpy(copy, hec_rows[i].in, cut);
            r = jread_of(str_of(copy, cut), &a);
            while ((rc = hec_event_read(&r, &h, &e)) > 0)
                ;
            CHECK(hec_rows[i].in, rc == 0 || rc == -EBADMSG);
            free(copy);
        }
    }
    assert_int_equal(hec_time(STR("1426279439123")), 1426279439123 * NS_PER_MS);
    assert_int_equal(hec_time(STR("1.5e9")), 1500000000 * NS_PER_SECOND);
    assert_int_equal(hec_time(STR("9.3e10")), 0);      /* past the year 2262 */
    assert_int_equal(hec_time(STR("1e300")), 0);
    assert_int_equal(hec_time(STR("9223372036.9")), 0);
    assert_int_equal(hec_time(STR("soon")), 0);
    assert_int_equal(hec_time(STR("-1")), 0);
    assert_int_equal(hec_time(str_of(NULL, 0)), 0);
    assert_true(str_eq(hec_param(STR("/x?a=1&source=%2Fvar%2flog+x%zz&b"), "source", &a), STR("/var/log x%zz")));
    assert_int_equal(hec_param(STR("/x?sources=1"), "source", &a).n, 0);
}

/* --- tokens --- */

#define HASH "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"   /* of "hello" */

static const struct {
    const char *in;
    int         rc;
    size_t      count;
    const char *name, *object;     /* of the last */
} token_files[] = {
    { "# tokens\n\nbeats " HASH "\n", 0, 1, "beats", "" },
    { "a " HASH "\nbank-1 " HASH " object=7", 0, 2, "bank-1", "7" },
    { "", 0, 0, NULL, NULL },
    { "beats hello\n", -EBADMSG, 0, NULL, NULL },
    { "beats sha256:2cf2\n", -EBADMSG, 0, NULL, NULL },
    { "be/ats " HASH "\n", -EBADMSG, 0, NULL, NULL },
    { "saqshyd " HASH "\n", -EBADMSG, 0, NULL, NULL },
    { "beats " HASH " owner=7\n", -EBADMSG, 0, NULL, NULL },
    { "beats " HASH " object=7 8\n", -EBADMSG, 0, NULL, NULL },
};

static void a_file_of_tokens_is_read_whole_or_not_at_all(void **state)
{
    AUTO_FREE struct token *rows = calloc(TOKENS_MAX, sizeof *rows);
    unsigned char hash[32];

    (void)state;
    tokens_hash(STR("hello"), hash);
    for (size_t i = 0; i < COUNT(token_files); i++) {
        struct err e;
        size_t count = 0;
        int rc = tokens_read(str_c(token_files[i].in), rows, &count, &e);

        CHECK(token_files[i].in, rc == token_files[i].rc);
        if (rc < 0)
            continue;
        CHECK(token_files[i].in, count == token_files[i].count);
        CHECK(token_files[i].in, count == 0 || (strcmp(rows[count - 1].name, token_files[i].name) == 0 && strcmp(rows[count - 1].object, token_files[i].object) == 0 &&
                                                memcmp(rows[count - 1].hash, hash, sizeof hash) == 0));
    }
}

/* --- OTLP in both forms --- */

static void put_bytes(struct buf *b, int number, struct str s)
{
    buf_byte(b, (char)(number << 3 | 2));
    buf_varstr(b, s);
}

static void put_attr(struct buf *b, int number, const char *key, struct str any)
{
    AUTO_BUF struct buf kv = { 0 };

    buf_init(&kv, 0);
    put_bytes(&kv, 1, str_c(key));
    put_bytes(&kv, 2, any);
    put_bytes(b, number, buf_view(&kv));
}

/* protobuf - the request that json, below, is too: a body that is a map, numbers, bytes, and a resource that stands last. */
static void protobuf(struct buf *out)
{
    AUTO_BUF struct buf record = { 0 }, scope = { 0 }, resource = { 0 }, logs = { 0 }, list = { 0 }, map = { 0 }, any = { 0 };

    buf_init(&record, 0), buf_init(&scope, 0), buf_init(&resource, 0), buf_init(&logs, 0), buf_init(&list, 0), buf_init(&map, 0), buf_init(&any, 0);
    put_bytes(&list, 1, STR("\x18\x01"));                                /* [1, "x\"y", -2.5, {}, null] */
    put_bytes(&list, 1, STR("\x0a\x03x\"y"));
    put_bytes(&list, 1, STR("\x21\0\0\0\0\0\0\x04\xC0"));
    put_bytes(&list, 1, STR("\x32\0"));
    put_bytes(&list, 1, STR(""));
    put_bytes(&any, 5, buf_view(&list));
    put_attr(&map, 1, "list", buf_view(&any));
    put_attr(&map, 1, "bytes", STR("\x3a\x02\xff\xfe"));
    put_attr(&map, 1, "none", STR(""));
    buf_reset(&any);
    put_bytes(&any, 6, buf_view(&map));
    buf_byte(&record, 1 << 3 | 1), buf_le64(&record, 1795514400000000001);
    buf_byte(&record, 11 << 3 | 1), buf_le64(&record, 1795514400000000002);
    put_bytes(&record, 3, STR("WARN"));
    put_bytes(&record, 5, buf_view(&any));
    put_attr(&record, 6, "n", STR("\x18\xF9\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
    put_attr(&record, 6, "yes", STR("\x10\x01"));
    put_attr(&record, 6, "half", STR("\x21\0\0\0\0\0\0\xE0\x3F"));
    put_attr(&record, 6, "raw", STR("\x3a\x05hello"));
    put_bytes(&scope, 2, buf_view(&record));
    buf_reset(&record);
    put_bytes(&record, 5, STR("\x0a\x06" "line \n"));
    put_bytes(&scope, 2, buf_view(&record));
    put_bytes(&logs, 2, buf_view(&scope));
    put_attr(&resource, 1, "host.name", STR("\x0a\x04" "db-1"));
    put_bytes(&logs, 1, buf_view(&resource));
    put_bytes(out, 1, buf_view(&logs));
}

static const char json[] =
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"scope\":{\"name\":\"x\"},\"logRecords\":[{\"timeUnixNano\":\"1795514400000000001\","
    "\"observedTimeUnixNano\":1795514400000000002,\"severityNumber\":13,\"severityText\":\"WARN\",\"traceId\":\"5b8efff798038103d269b633813fc60c\","
    "\"body\":{\"kvlistValue\":{\"values\":[{\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{\"stringValue\":\"x\\\"y\"},{\"doubleValue\":-2.5},"
    "{\"kvlistValue\":{}},{}]}},\"key\":\"list\"},{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"//4=\"}},{\"key\":\"none\"}]}},"
    "\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"-7\"}},{\"key\":\"yes\",\"value\":{\"boolValue\":true}},"
    "{\"key\":\"half\",\"value\":{\"doubleValue\":0.5}},{\"key\":\"raw\",\"value\":{\"bytesValue\":\"aGVsbG8\"}}]},"
    "{\"body\":{\"stringValue\":\"line \\n\"},\"flags\":null,\"new\":{\"deep\":[[{}]]}}]}],\"resource\":{\"attributes\":[{\"key\":\"host.name\","
    "\"value\":{\"stringValue\":\"db-1\"}}]},\"schemaUrl\":\"\"}]}";

static int spell_record(void *arg, const struct attrs *resource, const struct otlp_record *r, struct err *e)
{
    const struct attrs *both[] = { resource, &r->attrs };
    struct buf *out = arg;

    (void)e;
    buf_printf(out, "%lld %lld %.*s [%.*s]", (long long)r->time, (long long)r->observed, STR_ARG(r->severity), STR_ARG(r->body));
    for (size_t k = 0; k < COUNT(both); k++)
        for (size_t i = 0; i < both[k]->count; i++)
            buf_printf(out, " %.*s=%.*s", STR_ARG(both[k]->items[i].name), STR_ARG(both[k]->items[i].value));
    buf_byte(out, '\n');
    return 0;
}

static void a_request_in_json_gives_the_records_of_its_protobuf_form(void **state)
{
    AUTO_ARENA struct arena a = { 0 };
    AUTO_BUF struct buf b = { 0 }, binary = { 0 }, text = { 0 };
    struct err e;
    size_t count = 0;

    (void)state;
    arena_init(&a, 0), buf_init(&b, 0), buf_init(&binary, 0), buf_init(&text, 0);
    protobuf(&b);
    assert_int_equal(otlp_decode(buf_view(&b), &a, spell_record, &binary, &count, &e), 0);
    assert_int_equal(count, 2);
    assert_int_equal(otlp_json_decode(str_c(json), &a, spell_record, &text, &count, &e), 0);
    assert_int_equal(count, 2);
    buf_byte(&binary, 0), buf_byte(&text, 0);
    assert_string_equal(text.p, binary.p);
    assert_non_null(strstr(text.p, "[{\"list\":[1,\"x\\\"y\",-2.5,{},null],\"bytes\":\""));
    for (size_t cut = 0; cut < sizeof json - 1; cut++) {
        char *copy = malloc(cut ? cut : 1);

        memcpy(copy, json, cut);
        buf_reset(&text);
        assert_int_equal(otlp_json_decode(str_of(copy, cut), &a, spell_record, &text, &count, &e), -EBADMSG);
        free(copy);
    }
}

static const struct {
    const char *in;
    int         rc;
    const char *want;
} otlp_rows[] = {
    { "{}", 0, "" },
    { "{\"resource_logs\":[{\"scope_logs\":[{\"log_records\":[{\"body\":{\"string_value\":\"a\"}}]}]}]}", 0, "0 0  [a]\n" },
    { "{\"resourceLogs\":null,\"x\":1}", 0, "" },
    { "{\"resourceLogs\":[{\"resource\":null,\"scopeLogs\":[{\"logRecords\":[{\"body\":null,\"attributes\":null}]}]}]}", 0, "0 0  []\n" },
    { "{\"resourceLogs\":{}}", -EBADMSG, NULL },
    { "{\"resourceLogs\":[1]}", -EBADMSG, NULL },
    { "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":1}}]}]}]}", -EBADMSG, NULL },
    { "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"soon\"}]}]}]}", -EBADMSG, NULL },
    { "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"intValue\":\"1.5\"}}]}]}]}", -EBADMSG, NULL },
    { "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"bytesValue\":\"*\"}}]}]}]}", -EBADMSG, NULL },
    { "{}{}", -EBADMSG, NULL },
    { "[]", -EBADMSG, NULL },
    { "", -EBADMSG, NULL },
};

static void otlp_in_json_is_judged(void **state)
{
    AUTO_ARENA struct arena a = { 0 };
    AUTO_BUF struct buf deep = { 0 }, got = { 0 };
    struct err e;

    (void)state;
    arena_init(&a, 0), buf_init(&deep, 0), buf_init(&got, 0);
    for (size_t i = 0; i < COUNT(otlp_rows); i++) {
        buf_reset(&got);
        CHECK(otlp_rows[i].in, otlp_json_decode(str_c(otlp_rows[i].in), &a, spell_record, &got, NULL, &e) == otlp_rows[i].rc);
        CHECK(otlp_rows[i].in, !otlp_rows[i].want || str_eq(buf_view(&got), str_c(otlp_rows[i].want)));
    }
    /* A body deeper than we look: what lies below is null, as in the other form. */
    buf_str(&deep, STR("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":"));
    for (int i = 0; i < OTLP_DEPTH_MAX + 2; i++)
        buf_str(&deep, STR("{\"arrayValue\":{\"values\":["));
    for (int i = 0; i < OTLP_DEPTH_MAX + 2; i++)
        buf_str(&deep, STR("]}}"));
    buf_str(&deep, STR("}]}]}]}"));
    buf_reset(&got);
    assert_int_equal(otlp_json_decode(buf_view(&deep), &a, spell_record, &got, NULL, &e), 0);
    buf_reset(&deep);
    for (int i = 0; i < OTLP_DEPTH_MAX; i++)
        buf_byte(&deep, '[');
    buf_str(&deep, STR("null]"));
    assert_true(str_find(buf_view(&got), buf_view(&deep)) >= 0);
    buf_byte(&deep, '[');
    assert_null(memchr(got.p, '{', got.n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_token_by_token),
        cmocka_unit_test(base64_is_read_in_both_alphabets),
        cmocka_unit_test(actions_and_documents_are_told_apart),
        cmocka_unit_test(events_of_hec_are_read_or_refused_in_its_words),
        cmocka_unit_test(a_file_of_tokens_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_request_in_json_gives_the_records_of_its_protobuf_form),
        cmocka_unit_test(otlp_in_json_is_judged),
    };

    return cmocka_run_group_tests_name("ingest httpin", tests, NULL, NULL);
}
