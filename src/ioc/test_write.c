/* test_write.c - what is written for others is read as what it was. */
#include "base/test.h"
#include "ioc/write.h"

#include <jansson.h>

#define AT (INT64_C(1774000000) * NS_PER_SECOND + 123 * NS_PER_MS)

static const struct ioc items[] = {
    { .type = IOC_IP, .value = STR_INIT("203.0.113.7"), .confidence = 80, .tlp = IOC_TLP_RED, .note = STR_INIT("scans \"all\" night\n'") },
    { .type = IOC_IP, .value = STR_INIT("2001:db8::7"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_NETWORK, .value = STR_INIT("198.51.100.0/24"), .confidence = IOC_CONFIDENCE_NONE, .from = AT - 60 * NS_PER_SECOND, .until = AT + 3600 * NS_PER_SECOND },
    { .type = IOC_DOMAIN, .value = STR_INIT("evil.example"), .confidence = 0 },
    { .type = IOC_URL, .value = STR_INIT("http://evil.example/a'b\\c?x=1"), .confidence = 100 },
    { .type = IOC_HASH, .value = STR_INIT("d41d8cd98f00b204e9800998ecf8427e"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_HASH, .value = STR_INIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_EMAIL, .value = STR_INIT("o'neil@evil.example"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_FILE, .value = STR_INIT("C:\\Windows\\Temp\\x.exe"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_AGENT, .value = STR_INIT("Evil/1.0 (бот)"), .confidence = IOC_CONFIDENCE_NONE },
    { .type = IOC_OTHER, .value = STR_INIT("a mutex"), .confidence = IOC_CONFIDENCE_NONE },
};

static const struct ioc_collection of = { STR_INIT("2026-000017"), STR_INIT("17"), STR_INIT("МҚҰО"), IOC_TLP_AMBER, AT };

/* What was read back; terms: of STIX, where a value stands for the note that is missing, in MISP what the event is about. */
struct back { size_t count; bool terms; };

/* same - each as it was written, in order. */
static int same(void *arg, const struct ioc *i, struct err *e)
{
    struct back *b = arg;
    const struct ioc *was = &items[b->count++];

    (void)e;
    CHECK(was->value.p, i->type == was->type && str_eq(i->value, was->value) && str_eq(i->note, was->note.n ? was->note : b->terms ? was->value : of.title) && i->tlp == (was->tlp > of.tlp ? was->tlp : of.tlp));
    if (b->terms)
        CHECK(was->value.p, i->confidence == was->confidence && i->from == (was->from ? was->from : AT) && i->until == was->until);
    return 0;
}

static void written(enum ioc_format format, struct buf *b, size_t want_left)
{
    size_t left = 99;
    struct err e;

    buf_init(b, MIB);
    assert_int_equal(ioc_write(format, &of, items, COUNT(items), b, &left, &e), 0);
    assert_int_equal(left, want_left);
}

static void what_is_written_is_read_as_it_was(void **state)
{
    static const struct { const char *name; enum ioc_format format; size_t left; bool terms; } rows[] = { { "STIX", IOC_STIX, 1, true }, { "MISP", IOC_MISP, 1, false } };
    const struct ioc usual = { .type = IOC_TYPES, .confidence = IOC_CONFIDENCE_NONE, .source = STR_INIT("x") };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf b = { 0 };
        struct back back = { 0, rows[i].terms };
        struct ioc_told told;
        struct err e;

        written(rows[i].format, &b, rows[i].format == IOC_STIX);
        CHECK(rows[i].name, ioc_read(buf_view(&b), &usual, same, &back, &told, &e) == 0);
        CHECK(rows[i].name, told.format == rows[i].format && back.count == COUNT(items) - 1);   /* "other" is nothing to look for */
    }
}

static void identifiers_are_the_same_each_time(void **state)
{
    AUTO_BUF struct buf a = { 0 }, b = { 0 }, c = { 0 };
    struct ioc_collection other = of;
    size_t left;
    struct err e;

    (void)state;
    written(IOC_STIX, &a, 1);
    written(IOC_STIX, &b, 1);
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
    other.key = STR("18");
    buf_init(&c, MIB);
    assert_int_equal(ioc_write(IOC_STIX, &other, items, COUNT(items), &c, &left, &e), 0);
    assert_false(str_eq(buf_view(&a), buf_view(&c)));
}

/* What the standard asks of a bundle: each reference leads to an object of it, each identifier stands once. */
static void a_bundle_stands_for_itself(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *root, *o, *ids = json_object(), *ref;
    size_t i, k;

    (void)state;
    written(IOC_STIX, &b, 1);
    root = json_loadb(b.p, b.n, 0, NULL);
    json_array_foreach(json_object_get(root, "objects"), i, o) {
        const char *id = json_string_value(json_object_get(o, "id"));

        assert_non_null(id);
        assert_null(json_object_get(ids, id));
        json_object_set_new(ids, id, json_true());
        assert_string_equal(json_string_value(json_object_get(o, "spec_version")), "2.1");
    }
    json_array_foreach(json_object_get(root, "objects"), i, o) {
        const json_t *by = json_object_get(o, "created_by_ref");

        assert_true(!by || json_object_get(ids, json_string_value(by)));
        json_array_foreach(json_object_get(o, "object_marking_refs"), k, ref)
            assert_non_null(json_object_get(ids, json_string_value(ref)));
        json_array_foreach(json_object_get(o, "object_refs"), k, ref)
            assert_non_null(json_object_get(ids, json_string_value(ref)));
    }
    json_decref(root);
    json_decref(ids);
}

static void nothing_is_a_file_too(void **state)
{
    (void)state;
    for (int f = 0; f < IOC_LIST; f++) {
        AUTO_BUF struct buf b = { 0 };
        size_t left = 1;
        struct err e;
        json_t *root;

        buf_init(&b, MIB);
        assert_int_equal(ioc_write((enum ioc_format)f, &of, NULL, 0, &b, &left, &e), 0);
        assert_int_equal(left, 0);
        root = json_loadb(b.p, b.n, 0, NULL);
        assert_non_null(root);
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_as_it_was),
        cmocka_unit_test(identifiers_are_the_same_each_time),
        cmocka_unit_test(a_bundle_stands_for_itself),
        cmocka_unit_test(nothing_is_a_file_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
