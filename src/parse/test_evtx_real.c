/* test_evtx_real.c - the EVTX reader over real files: what ../shared/data/evtx says of each, and that the text of every record,
 * read as XML, says the same as the reader's own pairs. */
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "parse/evtx.h"

#define FILE_MAX (64u * MIB)

static char work[64];
static struct buf manifest;

struct tally {
    uint64_t records, unreadable, found, differences;
    uint64_t ids[65536];
    bool damaged;
};

static const char *shared(void)
{
    const char *s = getenv("SAQSHY_SHARED");

    return s ? s : "";
}

/* --- the same by two ways --- */

/* present - XML that people laid out in lines has blanks where there is nothing, so those do not count there. */
static bool present(const struct event_field *f) { return str_trim(f->value).n > 0; }

/* differs - the pairs of winxml.c against those of the reader, without the empty ones. */
static bool differs(const struct evtx_record *r, const struct form_pairs *xml)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < r->pairs.count; i++) {
        const struct event_field *own = &r->pairs.items[i];

        if (!present(own))
            continue;
        if (k == xml->count || !str_eq(own->name, xml->items[k].name) || !str_eq(own->value, xml->items[k].value)) {
            print_message("record %llu: \"%.*s\" is \"%.*s\", as XML \"%.*s\" is \"%.*s\"\n", (unsigned long long)r->id,
                          STR_ARG(own->name), STR_ARG(own->value), STR_ARG(k < xml->count ? xml->items[k].name : STR("nothing")),
                          STR_ARG(k < xml->count ? xml->items[k].value : STR("")));
            return true;
        }
        k++;
    }
    return k != xml->count || r->pairs.damaged != xml->damaged;
}

static void look(struct tally *t, const struct evtx_record *r)
{
    struct form_pairs xml;
    struct arena a;
    uint64_t id = 0;

    arena_init(&a, 0);
    if (!form_kind_read(form_kind_of(STR("winxml")), r->xml, NULL, &a, &xml) || differs(r, &xml))
        t->differences++;
    if (str_u64(pairs_get(&r->pairs, STR("winlog.event_id")), &id) && id < COUNT(t->ids))
        t->ids[id]++;
    arena_free(&a);
}

static void read_file(struct str path, struct tally *t)
{
    AUTO_BUF struct buf file;
    struct evtx_record r;
    struct evtx *x;
    struct str rest;
    struct err e;
    char full[4096];
    int rc;

    *t = (struct tally){ 0 };
    buf_init(&file, FILE_MAX);
    snprintf(full, sizeof full, "%s/evtx-samples/%.*s", work, STR_ARG(path));
    if (file_read(full, FILE_MAX, &file, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(evtx_new(&x, &e), 0);
    assert_true(evtx_looks(buf_view(&file)));
    for (rest = str_cut(buf_view(&file), evtx_start(buf_view(&file))); rest.n; rest = str_cut(rest, EVTX_CHUNK_BYTES)) {
        t->damaged |= evtx_chunk(x, rest) == EVTX_DAMAGED;
        while ((rc = evtx_next(x, &r, &e)) != 0) {
            t->records++;
            t->found += r.found;
            if (rc == 1)
                look(t, &r);
            else
                t->unreadable++;
        }
    }
    evtx_free(&x);
}

/* ids_there - "7:9 11:4": at least so many of each. */
static bool ids_there(const struct tally *t, struct str list)
{
    struct str one, id;
    uint64_t number, count;

    while (list.n && str_split(&list, ' ', &one)) {
        if (!str_split(&one, ':', &id) || !str_u64(id, &number) || !str_u64(one, &count) || number >= COUNT(t->ids))
            return false;
        if (t->ids[number] < count)
            return false;
    }
    return true;
}

/* What stood in a chunk before it was used again is found too, but the templates of most of it are gone. */
static void every_record_of_every_file_is_read(void **state)
{
    struct tally *t = malloc(sizeof *t);
    struct str rest = buf_view(&manifest), line;
    uint64_t files = 0, records = 0, found = 0, want, damaged = 0;

    (void)state;
    str_split(&rest, '\n', &line);
    while (str_split(&rest, '\n', &line)) {
        char name[512];

        if (line.n == 0)
            continue;
        snprintf(name, sizeof name, "%.*s", STR_ARG(tab_column(line, 0)));
        read_file(tab_column(line, 0), t);
        CHECK(name, str_u64(tab_column(line, 3), &want));
        CHECK(name, t->records >= want);
        CHECK(name, t->unreadable <= t->found);
        CHECK(name, t->differences == 0);
        CHECK(name, ids_there(t, tab_column(line, 5)));
        CHECK(name, t->damaged || t->records == want);
        files++;
        records += t->records;
        found += t->found;
        damaged += t->damaged;
    }
    print_message("%llu files, %llu records, %llu files with damaged chunks, %llu records found there behind the damage\n",
                  (unsigned long long)files, (unsigned long long)records, (unsigned long long)damaged, (unsigned long long)found);
    assert_true(files >= 184);
    free(t);
}

/* --- the text, against what another reader wrote of single records --- */

/* put_tag - without the '/' of an empty one; end tags are left out: both spellings of an empty element are one. */
static void put_tag(struct str tag, struct buf *out)
{
    if (tag.n < 2 || tag.p[1] == '/' || tag.p[1] == '?')
        return;
    if (tag.p[tag.n - 2] == '/')
        tag.n -= 2;
    else
        tag.n--;
    buf_str(out, tag);
    buf_byte(out, '\n');
}

/* put_layout - a tag or a text a line: how XML was laid out does not count. */
static void put_layout(struct str xml, struct buf *out)
{
    while (xml.n) {
        ptrdiff_t start = str_chr(xml, '<'), end;
        struct str text = str_trim(start < 0 ? xml : str_of(xml.p, (size_t)start));

        if (text.n) {
            buf_str(out, text);
            buf_byte(out, '\n');
        }
        xml = start < 0 ? (struct str){ NULL, 0 } : str_cut(xml, (size_t)start);
        end = str_chr(xml, '>');
        if (end < 0)
            return;
        put_tag(str_of(xml.p, (size_t)end + 1), out);
        xml = str_cut(xml, (size_t)end + 1);
    }
}

/* same_layout - letters of GUIDs may be small or large; times have six digits there, seven here. */
static bool same_layout(struct str own, struct str want)
{
    struct str a, b;

    while (str_split(&own, '\n', &a)) {
        if (!str_split(&want, '\n', &b))
            return false;
        if (str_starts(a, STR("<TimeCreated")) && str_ends(a, STR("Z\"")) && b.n + 1 == a.n) {
            a.n -= 3;
            b.n -= 2;
        }
        if (!str_ieq(a, b)) {
            print_message("%.*s\nis in the snapshot\n%.*s\n", STR_ARG(a), STR_ARG(b));
            return false;
        }
    }
    return want.n == 0;
}

static bool find_record(struct evtx *x, struct str file, uint64_t id, struct evtx_record *r)
{
    struct err e;
    int rc;

    for (struct str rest = str_cut(file, evtx_start(file)); rest.n; rest = str_cut(rest, EVTX_CHUNK_BYTES)) {
        (void)evtx_chunk(x, rest);
        while ((rc = evtx_next(x, r, &e)) != 0)
            if (rc == 1 && (id == 0 || r->id == id))
                return true;
    }
    return false;
}

static void one_snapshot(struct evtx *x, struct str line)
{
    AUTO_BUF struct buf file = { 0 }, snapshot = { 0 }, own = { 0 }, want = { 0 };
    struct evtx_record r;
    ptrdiff_t start;
    uint64_t id = 0;
    char path[4096];
    struct err e;

    buf_init(&file, FILE_MAX);
    buf_init(&snapshot, MIB);
    buf_init(&own, 0);
    buf_init(&want, 0);
    (void)!str_u64(tab_column(line, 2), &id); /* "first" */
    snprintf(path, sizeof path, "%s/evtx-samples/%.*s", work, STR_ARG(tab_column(line, 1)));
    assert_int_equal(file_read(path, FILE_MAX, &file, &e), 0);
    snprintf(path, sizeof path, "%s/evtx-samples/evtx-rs/snapshots/%.*s", work, STR_ARG(tab_column(line, 0)));
    assert_int_equal(file_read(path, MIB, &snapshot, &e), 0);
    start = str_find(buf_view(&snapshot), STR("<?xml"));
    CHECK(path, start > 0);
    CHECK(path, find_record(x, buf_view(&file), id, &r));
    put_layout(r.xml, &own);
    put_layout(str_cut(buf_view(&snapshot), (size_t)start), &want);
    CHECK(path, same_layout(buf_view(&own), buf_view(&want)));
}

static void records_are_written_as_another_reader_writes_them(void **state)
{
    AUTO_BUF struct buf list;
    struct str rest, line;
    struct evtx *x;
    unsigned count = 0;
    char path[4096];
    struct err e;

    (void)state;
    buf_init(&list, MIB);
    snprintf(path, sizeof path, "%s/data/evtx/snapshots.tsv", shared());
    assert_int_equal(file_read(path, MIB, &list, &e), 0);
    assert_int_equal(evtx_new(&x, &e), 0);
    rest = buf_view(&list);
    while (str_split(&rest, '\n', &line))
        if (str_eq(str_trim(tab_column(line, 3)), STR("xml"))) {
            one_snapshot(x, line);
            count++;
        }
    assert_true(count >= 4);
    evtx_free(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_record_of_every_file_is_read),
                                        cmocka_unit_test(records_are_written_as_another_reader_writes_them) };
    char text[4096];
    struct err e;
    int failed;

    buf_init(&manifest, 0);
    snprintf(text, sizeof text, "%s/data/evtx/manifest.tsv", shared());
    if (!file_exists(text) || file_read(text, MIB, &manifest, &e) < 0) {
        printf("skipped: %s is not there\n", text);
        return 77;
    }
    snprintf(work, sizeof work, "/tmp/saqshy-evtx-XXXXXX");
    if (!mkdtemp(work))
        return 1;
    snprintf(text, sizeof text, "tar --zstd -xf '%s/data/evtx/evtx-samples.tar.zst' -C %s", shared(), work);
    failed = system(text) != 0 || cmocka_run_group_tests_name("real event logs", tests, NULL, NULL);
    snprintf(text, sizeof text, "rm -rf -- %s", work);
    buf_free(&manifest);
    return system(text) != 0 || failed;
}
