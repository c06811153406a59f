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

/* column - field n (from 0) of a line of the manifest. */
static struct str column(struct str line, int n)
{
    struct str piece = { NULL, 0 };

    for (int i = 0; i <= n; i++)
        if (!str_split(&line, '\t', &piece))
            return (struct str){ NULL, 0 };
    return piece;
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
        snprintf(name, sizeof name, "%.*s", STR_ARG(column(line, 0)));
        read_file(column(line, 0), t);
        CHECK(name, str_u64(column(line, 3), &want));
        CHECK(name, t->records >= want);
        CHECK(name, t->unreadable <= t->found);
        CHECK(name, t->differences == 0);
        CHECK(name, ids_there(t, column(line, 5)));
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_record_of_every_file_is_read) };
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
