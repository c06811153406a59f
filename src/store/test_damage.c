/* test_damage.c - cut after every byte, flip every bit: the manifest, a part, the chain. What is left is searched, nothing else is believed. */
#include <fcntl.h>

#include "base/file.h"
#include "store/testing.h"

static void small_store(const char *folder)
{
    struct store *s = open_store(folder, 4);
    struct err e;

    for (uint64_t n = 1; n <= 12; n += 6) {
        assert_int_equal(put_events(s, n, n + 5, DAY_A), 0);
        assert_int_equal(store_seal(s, &e), 0);
    }
    store_close(&s);
}

static void read_whole(const char *path, struct buf *b)
{
    struct err e;

    buf_init(b, 0);
    assert_int_equal(file_read(path, MIB, b, &e), 0);
}

static void write_whole(const char *path, struct str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
}

static void test_a_manifest_cut_or_flipped_anywhere_is_refused(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct manifest m;
    struct buf b;
    struct err e;

    (void)state;
    folder_make(folder);
    small_store(folder);
    snprintf(path, sizeof path, "%s/MANIFEST", folder);
    read_whole(path, &b);
    assert_int_equal(manifest_decode(buf_view(&b), &m, &e), 0);
    assert_int_equal(m.count, 4);   /* blocks of 4: each call of add seals once for itself */
    manifest_free(&m);
    for (size_t n = 0; n < b.n; n++) {
        char *exact = malloc(n ? n : 1);

        assert_non_null(exact);
        memcpy(exact, b.p, n);
        assert_int_equal(manifest_decode(str_of(exact, n), &m, &e), -EBADMSG);
        free(exact);
    }
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(manifest_decode(buf_view(&b), &m, &e), -EBADMSG);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&b);
    folder_remove(folder);
}

static void test_a_damaged_manifest_is_replaced_by_its_copy_and_nothing_is_lost(void **state)
{
    static const char *const names[] = { "MANIFEST", "MANIFEST.copy" };
    static struct hits h;
    char folder[64], path[PATH_BYTES];
    struct store_report report;
    struct err e;

    (void)state;
    folder_make(folder);
    small_store(folder);
    for (size_t i = 0; i < COUNT(names); i++) {
        for (int gone = 0; gone < 2; gone++) {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            if (gone)
                unlink(path);
            else
                write_whole(path, STR("SQMANI01 torn"));
            assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 1);
            assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
            assert_int_equal(h.count, 12);
            struct store *s = open_store(folder, 4);
            assert_int_equal(store_next_seq(s), 13);
            store_close(&s);
            assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
        }
    }
    write_whole(path, STR("torn"));
    snprintf(path, sizeof path, "%s/MANIFEST", folder);
    write_whole(path, STR("torn"));
    struct store *s;
    assert_int_equal(store_open(folder, NULL, &s, &e), -EBADMSG);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), -EBADMSG);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 1);
    folder_remove(folder);
}

/* Killed between the two first writes: no event ever was in it, so nothing is missing. */
static void test_a_store_that_was_being_made_is_whole(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct store_report report;
    struct store *s;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 4);
    store_close(&s);
    snprintf(path, sizeof path, "%s/MANIFEST.copy", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    write_whole(path, STR("SQMANI01 torn"));
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 1);
    s = open_store(folder, 4);
    store_close(&s);
    assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 0);
    folder_remove(folder);
}

struct named {
    char   file[PATH_BYTES];
    size_t count;
};
static void name(void *arg, const char *file, const char *reason)
{
    struct named *n = arg;

    (void)reason;
    if (!n->count++)
        snprintf(n->file, sizeof n->file, "%s", file);
}

/* after_damage - the other parts are found whole, the damaged one is named by verify; a search that did not open the place says nothing. */
static void after_damage(const char *folder, const char *path, bool cut)
{
    static struct hits h;
    struct store_report report;
    struct store_stats stats;
    struct named named = { .count = 0 };
    struct err e;

    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, &stats), 0);
    assert_false(h.mixed);
    assert_true(h.count >= 8 && h.count <= 12);
    assert_true(h.count == 12 || stats.damaged_parts == 1);
    assert_true(!cut || stats.damaged_parts == 1);
    if (stats.damaged_parts)
        assert_string_equal(stats.damaged, path + strlen(folder) + 1);
    assert_int_equal(store_verify(folder, &report, name, &named, &e), 1);
    assert_string_equal(named.file, path);
}

static void test_a_part_cut_after_any_byte_is_named_and_the_others_are_found(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct buf b;

    (void)state;
    folder_make(folder);
    small_store(folder);
    part_path(folder, 20000, 1, path);
    read_whole(path, &b);
    for (size_t n = 0; n < b.n; n += n < 64 || n + 200 > b.n ? 1 : 17) {
        write_whole(path, str_of(b.p, n));
        after_damage(folder, path, true);
    }
    buf_free(&b);
    folder_remove(folder);
}

static void test_a_bit_flipped_anywhere_in_a_part_is_named_and_the_others_are_found(void **state)
{
    static struct hits h;
    char folder[64], path[PATH_BYTES];
    struct buf b;

    (void)state;
    folder_make(folder);
    small_store(folder);
    part_path(folder, 20000, 1, path);
    read_whole(path, &b);
    for (size_t bit = 0; bit < b.n * 8; bit += 5) {
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        write_whole(path, buf_view(&b));
        after_damage(folder, path, false);
        /* A damaged filter hides nothing: the event is found or the part is said to be damaged. */
        struct store_stats stats;
        assert_int_equal(find((struct store_search){ .store_folder = folder }, "n2", &h, &stats), 0);
        assert_true(h.count == 1 || stats.damaged_parts == 1);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&b);
    folder_remove(folder);
}

static void test_a_chain_cut_or_flipped_anywhere_is_named(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct store_report report;
    struct buf b;
    struct err e;

    (void)state;
    folder_make(folder);
    small_store(folder);
    snprintf(path, sizeof path, "%s/CHAIN", folder);
    read_whole(path, &b);
    assert_int_equal(b.n, CHAIN_HEAD + 4 * CHAIN_RECORD);
    for (size_t n = 0; n < b.n; n++) {
        write_whole(path, str_of(b.p, n));
        assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 1);
    }
    for (size_t bit = 0; bit < b.n * 8; bit += 3) {
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        write_whole(path, buf_view(&b));
        assert_int_equal(store_verify(folder, &report, NULL, NULL, &e), 1);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&b);
    folder_remove(folder);
}

static void test_a_merge_leaves_a_damaged_part_alone(void **state)
{
    static struct hits h;
    char folder[64], path[PATH_BYTES];
    struct store *s;
    struct buf b;
    struct err e;

    (void)state;
    folder_make(folder);
    s = open_store(folder, 100);
    for (uint64_t n = 1; n <= 30; n += 10) {
        assert_int_equal(put_events(s, n, n + 9, DAY_A), 0);
        assert_int_equal(store_seal(s, &e), 0);
    }
    part_path(folder, 20000, 2, path);
    read_whole(path, &b);
    b.p[PART_HEAD + 20] ^= 1;
    write_whole(path, buf_view(&b));
    for (int i = 0; i < 5; i++)
        assert_int_equal(store_tick(s, DAY_A + (9 + i) * NS_PER_DAY, &e), 0);
    assert_int_equal(s->manifest.count, 2);
    assert_non_null(manifest_find(&s->manifest, 20000, 2));
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, NULL), 0);
    assert_int_equal(h.count, 20);
    buf_free(&b);
    store_close(&s);
    folder_remove(folder);
}

static void test_a_part_that_was_taken_away_is_named(void **state)
{
    static struct hits h;
    char folder[64], path[PATH_BYTES];
    struct store_stats stats;

    (void)state;
    folder_make(folder);
    small_store(folder);
    part_path(folder, 20000, 2, path);
    unlink(path);
    assert_int_equal(find((struct store_search){ .store_folder = folder }, "", &h, &stats), 0);
    assert_int_equal(stats.damaged_parts, 1);
    assert_string_equal(stats.damaged, "20241004/p00000002.part");
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manifest_cut_or_flipped_anywhere_is_refused),
        cmocka_unit_test(test_a_damaged_manifest_is_replaced_by_its_copy_and_nothing_is_lost),
        cmocka_unit_test(test_a_store_that_was_being_made_is_whole),
        cmocka_unit_test(test_a_part_cut_after_any_byte_is_named_and_the_others_are_found),
        cmocka_unit_test(test_a_bit_flipped_anywhere_in_a_part_is_named_and_the_others_are_found),
        cmocka_unit_test(test_a_chain_cut_or_flipped_anywhere_is_named),
        cmocka_unit_test(test_a_merge_leaves_a_damaged_part_alone),
        cmocka_unit_test(test_a_part_that_was_taken_away_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
