/* test_journal.c - the promises of journal.h on a quiet machine: order, origins, cursors, cutting, damage. */
#include "journal/testing.h"
#include "base/file.h"

static void a_reader_sees_what_is_committed_in_order(void **state)
{
    char folder[64];
    struct event_batch b;
    struct journal_reader *r;

    (void)state;
    folder_make(folder);
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(folder, 0, &r, NULL), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 0);
    struct journal *j = open_journal(folder, 0);
    assert_int_equal(put(j, 1, 3, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 0); /* not committed yet */
    assert_int_equal(journal_commit(j, NULL), 0);
    assert_int_equal(put(j, 4, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 3);
    assert_true(b.items[0].seq == 1 && number_of(&b.items[2]) == 3);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 1);
    assert_true(b.items[0].seq == 4);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 0);
    journal_reader_close(&r);
    assert_int_equal(journal_reader_open(folder, 2, &r, NULL), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 2); /* starts inside a frame */
    assert_true(b.items[0].seq == 2);
    journal_reader_close(&r);
    journal_close(&j);
    event_batch_free(&b);
    folder_remove(folder);
}

static void a_numbered_batch_is_taken_once(void **state)
{
    struct journal_origin a = { STR_INIT("agent-1"), 7 }, old = { STR_INIT("agent-1"), 6 };
    char folder[64];

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 0);
    assert_int_equal(put(j, 1, 1, a), 0);
    assert_int_equal(put(j, 1, 1, a), 1);
    assert_int_equal(put(j, 1, 1, old), 1);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    j = open_journal(folder, 0);
    assert_int_equal(put(j, 1, 1, a), 1);
    assert_true(journal_origin_seq(j, STR("agent-1")) == 7 && journal_next_seq(j) == 2);
    assert_true(journal_origin_count(j, STR("agent-")) == 1 && journal_origin_count(j, STR("agent-1/")) == 0);
    journal_close(&j);
    folder_remove(folder);
}

static void origins_survive_rotation_and_cutting(void **state)
{
    struct journal_origin a = { STR_INIT("agent-1"), 1 };
    char folder[64];
    size_t removed;

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 300);
    assert_int_equal(put(j, 1, 1, a), 0);
    for (uint64_t i = 2; i <= 30; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    assert_int_equal(journal_cut(folder, UINT64_MAX, &removed, NULL), 0);
    assert_int_equal(removed, 0); /* no cursor: nobody said that anything was read */
    assert_int_equal(journal_cursor_set(folder, "index", 31, NULL), 0);
    assert_int_equal(journal_cursor_set(folder, "detect", 20, NULL), 0);
    assert_int_equal(journal_cut(folder, UINT64_MAX, &removed, NULL), 0);
    assert_true(removed >= 5);
    journal_close(&j);
    j = open_journal(folder, 300);
    assert_int_equal(put(j, 1, 1, a), 1);
    assert_true(journal_next_seq(j) == 31);
    journal_close(&j);

    struct journal_reader *r;
    struct event_batch b;
    uint64_t expected = 20, n;
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(folder, 20, &r, NULL), 0);
    while (journal_reader_next(r, &b, NULL, NULL) > 0)
        for (size_t i = 0; i < b.count; i++, expected++)
            assert_true((n = number_of(&b.items[i])) == expected && b.items[i].seq == expected);
    assert_true(expected == 31);
    journal_reader_close(&r);
    event_batch_free(&b);
    folder_remove(folder);
}

static void what_is_held_is_told_by_segments(void **state)
{
    char folder[64];

    (void)state;
    folder_make(folder);
    assert_true(journal_oldest_seq(folder) == 0 && journal_bytes_from(folder, 1) == 0 && journal_seq_within(folder, UINT64_MAX) == 0);
    struct journal *j = open_journal(folder, 1);     /* a segment a frame */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(put(j, 2 * i + 1, 2, (struct journal_origin){ 0 }), 0);
        assert_int_equal(journal_commit(j, NULL), 0);
    }
    uint64_t all = journal_bytes_from(folder, 0), last = journal_bytes_from(folder, 8), two = journal_bytes_from(folder, 6);

    assert_true(journal_oldest_seq(folder) == 1 && journal_bytes_from(folder, 1) == all && journal_bytes_from(folder, 2) == all);
    assert_true(last > 0 && two > last && all > two && journal_bytes_from(folder, 5) == two && journal_bytes_from(folder, 99) == last);
    assert_true(journal_seq_within(folder, all) == 1 && journal_seq_within(folder, all - 1) == 3);
    assert_true(journal_seq_within(folder, two) == 5 && journal_seq_within(folder, two - 1) == 7);
    assert_true(journal_seq_within(folder, 0) == 7);     /* the one in use counts always */
    assert_int_equal(journal_cursor_set(folder, "reader", 5, NULL), 0);
    assert_int_equal(journal_cut(folder, UINT64_MAX, NULL, NULL), 0);
    assert_true(journal_oldest_seq(folder) == 5 && journal_bytes_from(folder, 0) == two);
    journal_close(&j);
    folder_remove(folder);
}

static void one_writer_only(void **state)
{
    char folder[64];
    struct journal *second;
    struct err e;

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 0);
    assert_int_equal(journal_open(folder, 0, &second, &e), -EBUSY);
    journal_close(&j);
    folder_remove(folder);
}

/* count_read - events that a reader gets, stepping over damage. */
static uint64_t count_read(const char *folder, uint64_t *complaints)
{
    struct journal_reader *r;
    struct event_batch b;
    uint64_t n = 0, last = 0;
    int rc;

    *complaints = 0;
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(folder, 0, &r, NULL), 0);
    while ((rc = journal_reader_next(r, &b, NULL, NULL)) != 0) {
        if (rc < 0) {
            assert_true(++*complaints < 100);
            continue;
        }
        for (size_t i = 0; i < b.count; i++) {
            assert_true(b.items[i].seq > last && number_of(&b.items[i]) == b.items[i].seq);
            last = b.items[i].seq;
            n++;
        }
    }
    journal_reader_close(&r);
    event_batch_free(&b);
    return n;
}

static int verdict(const char *folder)
{
    struct journal_report report;

    return journal_verify(folder, &report, NULL, NULL, NULL);
}

static void every_flipped_bit_is_found_and_costs_one_frame(void **state)
{
    char folder[64], path[PATH_BYTES];
    AUTO_BUF struct buf file;
    uint64_t complaints;

    (void)state;
    folder_make(folder);
    buf_init(&file, MIB);
    struct journal *j = open_journal(folder, 0);
    for (uint64_t i = 1; i <= 9; i += 3)
        assert_int_equal(put(j, i, 3, (struct journal_origin){ STR("a"), i }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_int_equal(verdict(folder), 0);
    segment_path(folder, 1, path);
    assert_int_equal(file_read(path, MIB, &file, NULL), 0);
    for (size_t bit = SEGMENT_HEAD * 8; bit < file.n * 8; bit += 5) {
        file.p[bit / 8] ^= (char)(1 << bit % 8);
        FILE *f = fopen(path, "r+b");
        assert_true(fwrite(file.p, 1, file.n, f) == file.n);
        fclose(f);
        assert_int_equal(verdict(folder), 1);
        assert_true(count_read(folder, &complaints) == 6 && complaints == 1);
        file.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    folder_remove(folder);
}

static void a_removed_segment_or_frame_breaks_the_chain(void **state)
{
    char folder[64], path[PATH_BYTES];
    struct segments s;

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 300);
    for (uint64_t i = 1; i <= 12; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_int_equal(verdict(folder), 0);
    assert_int_equal(segments_list(folder, &s, NULL), 0);
    assert_true(s.count > 3);
    segment_path(folder, s.first_seq[1], path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verdict(folder), 1);
    segments_free(&s);
    folder_remove(folder);
}

static void a_segment_cut_at_any_byte_recovers_what_is_whole(void **state)
{
    char folder[64], path[PATH_BYTES], other[64];
    AUTO_BUF struct buf file;

    (void)state;
    folder_make(folder);
    buf_init(&file, MIB);
    struct journal *j = open_journal(folder, 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    segment_path(folder, 1, path);
    assert_int_equal(file_read(path, MIB, &file, NULL), 0);
    for (size_t n = SEGMENT_HEAD; n <= file.n; n += 3) {
        uint64_t complaints, next;

        /* A power cut: no commit page, the file as long as the disk got it. */
        folder_make(other);
        segment_path(other, 1, path);
        assert_int_equal(file_write_atomic(path, str_of(file.p, n), 0600, NULL), 0);
        j = open_journal(other, 0);
        next = journal_next_seq(j);
        assert_true(next >= 1 && next <= 4 && (n < file.n || next == 4));
        assert_int_equal(put(j, next, 1, (struct journal_origin){ 0 }), 0);
        assert_int_equal(journal_commit(j, NULL), 0);
        journal_close(&j);
        assert_true(count_read(other, &complaints) == next && complaints == 0);
        assert_int_equal(verdict(other), 0);
        folder_remove(other);
    }
    folder_remove(folder);
}

static void damage_before_the_commit_point_is_kept_as_evidence(void **state)
{
    char folder[64], path[PATH_BYTES];
    uint64_t complaints;

    (void)state;
    folder_make(folder);
    struct journal *j = open_journal(folder, 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    segment_path(folder, 1, path);
    FILE *f = fopen(path, "r+b");
    fseek(f, SEGMENT_HEAD + 100, SEEK_SET);
    fputc('X', f);
    fclose(f);
    j = open_journal(folder, 0);
    assert_true(journal_next_seq(j) == 4);
    assert_int_equal(put(j, 4, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_true(count_read(folder, &complaints) == 3 && complaints >= 1);
    assert_int_equal(verdict(folder), 1);
    folder_remove(folder);
}

static void flip(const char *folder, uint64_t segment, long at)
{
    char path[PATH_BYTES];

    segment_path(folder, segment, path);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(c ^ 1, f);
    fclose(f);
}

/* many_segments - 12 numbered events, in segments of two. */
static void many_segments(const char *folder, struct segments *s)
{
    struct journal *j = open_journal(folder, 250);

    for (uint64_t i = 1; i <= 12; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ STR("a"), i }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_int_equal(segments_list(folder, s, NULL), 0);
    assert_true(s->count >= 6);
}

static void damage_at_the_end_of_a_segment_costs_that_frame_alone(void **state)
{
    struct segments s;
    char folder[64];
    uint64_t complaints;

    (void)state;
    folder_make(folder);
    many_segments(folder, &s);
    flip(folder, s.first_seq[0], -1);
    assert_int_equal(count_read(folder, &complaints), 11);
    assert_int_equal(complaints, 1);
    segments_free(&s);
    folder_remove(folder);
}

static void behind_damage_at_the_very_end_a_reader_waits(void **state)
{
    struct journal_reader *r;
    struct event_batch b;
    char folder[64];
    struct err e;

    (void)state;
    folder_make(folder);
    event_batch_init(&b, 0);
    struct journal *j = open_journal(folder, 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    flip(folder, 1, -1);
    assert_int_equal(journal_reader_open(folder, 0, &r, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 1);
    assert_int_equal(journal_reader_next(r, &b, NULL, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "events 3 to 3 are missing"));
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 0);
    assert_true(journal_reader_seq(r) == 4);    /* else journal_reader_wait would not sleep */
    assert_int_equal(put(j, 4, 1, (struct journal_origin){ 0 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, NULL), 1);
    assert_true(b.items[0].seq == 4);
    journal_reader_close(&r);
    journal_close(&j);
    event_batch_free(&b);
    folder_remove(folder);
}

static void a_damaged_head_costs_no_frame(void **state)
{
    (void)state;
    for (size_t which = 0; which < 6; which++) {
        struct segments s;
        char folder[64];
        uint64_t complaints;

        folder_make(folder);
        many_segments(folder, &s);
        size_t at = which < 4 ? which : s.count - 1;
        flip(folder, s.first_seq[at], which % 2 ? 50 : 3);
        if (which == 5) {
            char path[128];

            snprintf(path, sizeof path, "%s/commit", folder);
            assert_int_equal(unlink(path), 0);
        }
        struct journal *j = open_journal(folder, 250);
        assert_true(journal_next_seq(j) == 13 && journal_origin_seq(j, STR("a")) == 12);
        assert_int_equal(put(j, 12, 1, (struct journal_origin){ STR("a"), 12 }), 1);
        assert_int_equal(put(j, 13, 1, (struct journal_origin){ STR("a"), 13 }), 0);
        assert_int_equal(journal_commit(j, NULL), 0);
        journal_close(&j);
        assert_int_equal(count_read(folder, &complaints), 13);
        assert_int_equal(complaints, 1);
        assert_int_equal(verdict(folder), 1);
        segments_free(&s);
        folder_remove(folder);
    }
}

static void behind_damage_origins_are_known_and_nothing_doubles(void **state)
{
    char folder[64], path[PATH_BYTES];
    AUTO_BUF struct buf file;
    uint64_t complaints;

    (void)state;
    folder_make(folder);
    buf_init(&file, MIB);
    struct journal *j = open_journal(folder, 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(j, i, 1, (struct journal_origin){ STR("a"), i }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    /* A kill before the commit leaves a fourth frame behind the commit point. */
    assert_int_equal(put(j, 4, 1, (struct journal_origin){ STR("a"), 4 }), 0);
    segment_path(folder, 1, path);
    assert_int_equal(file_read(path, MIB, &file, NULL), 0);
    journal_close(&j);
    FILE *f = fopen(path, "r+b");
    assert_true(fwrite(file.p, 1, file.n, f) == file.n);
    fclose(f);
    flip(folder, 1, SEGMENT_HEAD + 100);
    j = open_journal(folder, 0);
    assert_true(journal_origin_seq(j, STR("a")) == 3 && journal_next_seq(j) == 4);
    assert_int_equal(put(j, 4, 1, (struct journal_origin){ STR("a"), 4 }), 0);
    assert_int_equal(put(j, 5, 1, (struct journal_origin){ STR("a"), 5 }), 0);
    assert_int_equal(journal_commit(j, NULL), 0);
    journal_close(&j);
    assert_int_equal(count_read(folder, &complaints), 4);
    assert_int_equal(complaints, 1);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_what_is_committed_in_order),
        cmocka_unit_test(a_numbered_batch_is_taken_once),
        cmocka_unit_test(origins_survive_rotation_and_cutting),
        cmocka_unit_test(what_is_held_is_told_by_segments),
        cmocka_unit_test(one_writer_only),
        cmocka_unit_test(every_flipped_bit_is_found_and_costs_one_frame),
        cmocka_unit_test(a_removed_segment_or_frame_breaks_the_chain),
        cmocka_unit_test(a_segment_cut_at_any_byte_recovers_what_is_whole),
        cmocka_unit_test(damage_before_the_commit_point_is_kept_as_evidence),
        cmocka_unit_test(damage_at_the_end_of_a_segment_costs_that_frame_alone),
        cmocka_unit_test(behind_damage_at_the_very_end_a_reader_waits),
        cmocka_unit_test(a_damaged_head_costs_no_frame),
        cmocka_unit_test(behind_damage_origins_are_known_and_nothing_doubles),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
