/* test_library.c - the library of requirements: ours loads whole; a broken file is refused with file, line and column; own files add and leave out. */
#include "desk/documents/room.h"
#include "desk/testing.h"

#define TEXTS "text: {kk: a, ru: b, en: c}, look: {kk: a, ru: b, en: c}, recommendation: {kk: a, ru: b, en: c}"

static const struct {
    const char *name, *text;
    int         line;      /* of the refusal; 0: it loads */
    const char *says;
    size_t      count;
} rows[] = {
    { "one requirement", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - {id: a, " TEXTS "}\n", 0, "", 1 },
    { "a common one, named twice by two documents",
      "version: 1\ncommon:\n - {id: a, " TEXTS "}\ndocuments:\n - {document: is_policy, common: [a]}\n - {document: cable_journal, common: [a]}\n", 0, "", 2 },
    { "left out again", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - {id: a, " TEXTS "}\nwithout: [is_policy.a]\n", 0, "", 0 },
    { "nothing to leave out", "version: 1\nwithout:\n - is_policy.a\n", 3, "no such requirement", 0 },
    { "no version", "documents: []\n", 1, "\"version\" must be", 0 },
    { "version nought", "version: 0\n", 1, "\"version\" must be", 0 },
    { "a stray word", "version: 1\nrequirement: []\n", 2, "requirement", 0 },
    { "no document of Annex 3", "version: 1\ndocuments:\n - document: security_policy\n", 3, "one of the documents", 0 },
    { "an id with a capital", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - {id: A, " TEXTS "}\n", 5, "\"id\" must be", 0 },
    { "a language is missing", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - id: a\n      text:\n        kk: a\n        ru: b\n", 7,
      "\"en\"", 0 },
    { "an unknown measure", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - {id: a, measures: [weather], " TEXTS "}\n", 5,
      "does not measure", 0 },
    { "twice the same", "version: 1\ndocuments:\n - document: is_policy\n   requirements:\n    - {id: a, " TEXTS "}\n    - {id: a, " TEXTS "}\n", 6, "stands twice", 0 },
    { "an unknown common one", "version: 1\ndocuments:\n - document: is_policy\n   common:\n    - nobody\n", 5, "no such common", 0 },
    { "a list instead of a map", "- 1\n", 1, "one map", 0 },
    { "empty", "", 1, "one map", 0 },
    { "documents are no list", "version: 1\ndocuments: 7\n", 2, "must be a list", 0 },
};

static const struct enumeration *documents(const struct duty_world *w) { return edition_enumeration(w->edition, STR("td_document_type")); }

static void test_rows(void **state)
{
    struct duty_world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct td_library l;
        struct err e = { 0 };
        char place[64];
        int rc = library_text(str_c(rows[i].text), "own.yaml", documents(w), &l, &e);

        CHECK(rows[i].name, (rc == 0) == (rows[i].line == 0));
        if (rc == 0)
            CHECK(rows[i].name, l.count == rows[i].count);
        snprintf(place, sizeof place, "own.yaml:%d:", rows[i].line);
        CHECK(rows[i].name, rc == 0 || (strstr(e.text, place) && strstr(e.text, rows[i].says)));
        library_free(&l);
    }
}

/* Whatever is cut off, a file is refused or loads; it never crashes, and never leaves half a requirement. */
static void test_cut(void **state)
{
    struct duty_world *w = *state;
    struct str whole = str_c(rows[1].text);

    for (size_t n = 0; n < whole.n; n++) {
        char *piece = malloc(n + 1);
        struct td_library l;
        struct err e;

        memcpy(piece, whole.p, n);
        if (library_text(str_of(piece, n), "own.yaml", documents(w), &l, &e) == 0)
            for (size_t i = 0; i < l.count; i++)
                assert_true(l.items[i].text.text[LANG_EN].n && l.items[i].recommendation.text[LANG_KK].n);
        library_free(&l);
        free(piece);
    }
}

/* Ours: every document, in the order of Annex 3, five to twelve requirements each, one of them its presence; nothing claims to be prescribed. */
static void test_ours(void **state)
{
    struct duty_world *w = *state;
    struct td_library l, again;
    struct err e = { 0 };
    char path[4096];
    size_t measured = 0;

    must(library_load(source_path("content", path), NULL, documents(w), &l, &e), &e);
    for (size_t d = 0, at = 0; d < documents(w)->count; d++) {
        size_t n = 0, presence = 0;

        for (; at < l.count && str_eq(l.items[at].document, documents(w)->values[d].id); at++, n++) {
            presence += l.items[at].presence;
            measured += l.items[at].measures != 0;
            CHECK(l.items[at].code.p, l.items[at].basis.n == 0 && l.items[at].version >= 1);
        }
        CHECK(documents(w)->values[d].id.p, n >= 5 && n <= 12 && presence == 1);
    }
    assert_true(measured > 20);
    must(library_load(source_path("content", path), "/nowhere", documents(w), &again, &e), &e);
    assert_string_equal(l.sha256, again.sha256);
    library_free(&l);
    library_free(&again);
    assert_true(library_load("/nowhere", NULL, documents(w), &l, &e) < 0);
}

/* The administrator's folder: what is added counts, what is broken spoils all of it, so that nobody works with half a library. */
static void test_own(void **state)
{
    struct duty_world *w = *state;
    char folder[] = "/tmp/saqshy-own-XXXXXX", path[4096], file[128];
    struct td_library l;
    struct err e = { 0 };
    size_t before;

    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.yaml", folder);
    must(library_load(source_path("content", path), folder, documents(w), &l, &e), &e);
    before = l.count;
    library_free(&l);
    must(file_write_atomic(file, str_c(rows[0].text), 0600, &e), &e);
    must(library_load(path, folder, documents(w), &l, &e), &e);
    assert_int_equal(l.count, before + 1);
    library_free(&l);
    must(file_write_atomic(file, STR("version: 1\nwithout: [is_policy.roles]\n"), 0600, &e), &e);
    must(library_load(path, folder, documents(w), &l, &e), &e);
    assert_int_equal(l.count, before - 1);
    library_free(&l);
    must(file_write_atomic(file, STR("version: 1\ndocuments:\n  - document: nothing\n"), 0600, &e), &e);
    assert_int_equal(library_load(path, folder, documents(w), &l, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "a.yaml:3:"));
    folder_remove(folder);
}

static int open_editions(void **state)
{
    struct duty_world *w = calloc(1, sizeof *w);
    char path[4096];
    struct err e;

    must(duty_world_load(source_path("content", path), "kz-52-2025", "Asia/Almaty", w, &e), &e);
    *state = w;
    return 0;
}

static int close_editions(void **state)
{
    duty_world_free(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "a file of requirements is refused with its place", test_rows, NULL, NULL, NULL },
        { "a file cut after every byte", test_cut, NULL, NULL, NULL },
        { "our library holds all 27 documents of Annex 3", test_ours, NULL, NULL, NULL },
        { "own files add requirements and leave ours out; a broken one spoils the whole", test_own, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, open_editions, close_editions);
}
