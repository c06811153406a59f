/* test_hold.c - legal holds as files: what is set is there, what cannot be read is told, and a lock stands between holds and removals. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/test.h"
#include "keep/hold.h"

#define NOW (INT64_C(20000) * NS_PER_DAY)

static char folder[64];

static int make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/saqshy-holds-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int wipe(void **state)
{
    char path[4096];
    DIR *d = opendir(folder);
    struct dirent *f;

    (void)state;
    while (d && (f = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%.200s", folder, f->d_name);
        if (f->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    return rmdir(folder);
}

static struct hold sample(void)
{
    struct hold h = { .kind = HOLD_OBJECT, .subject = "obj-17", .filter = "saqshy.object:obj-17", .from = NOW, .to = INT64_MAX, .reason = "order of the court 2-17",
                      .set_by = "A. Head", .set_at = NOW + 1 };

    return h;
}

static void path_of(const struct hold *h, char path[4096]) { snprintf(path, 4096, "%s/%s.hold", folder, h->id); }

static void test_a_hold_is_read_as_it_was_set_and_again_when_it_was_released(void **state)
{
    struct hold h = sample(), out;
    struct holds all;
    struct err e;

    (void)state;
    assert_int_equal(hold_set(folder, &h, &e), 0);
    assert_int_equal(holds_read(folder, &all, &e), 0);
    if (all.unreadable)
        fail_msg("%s", all.fault);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.unreadable, 0);
    assert_string_equal(all.item[0].id, h.id);
    assert_string_equal(all.item[0].filter, "saqshy.object:obj-17");
    assert_true(all.item[0].from == NOW && all.item[0].to == INT64_MAX && all.item[0].until == 0);
    assert_true(hold_active(&all.item[0], NOW + 5));
    holds_free(&all);
    assert_int_equal(hold_release(folder, str_c(h.id), STR("B. Lead"), STR("the case is closed"), NOW + 9, &out, &e), 0);
    assert_false(hold_active(&out, NOW + 9));
    assert_int_equal(hold_release(folder, str_c(h.id), STR("B. Lead"), STR("again"), NOW + 10, NULL, &e), -EALREADY);
    assert_int_equal(holds_read(folder, &all, &e), 0);
    assert_string_equal(all.item[0].released_by, "B. Lead");
    assert_string_equal(all.item[0].release_reason, "the case is closed");
    holds_free(&all);
}

static void test_a_hold_without_its_facts_is_refused(void **state)
{
    struct hold h;
    struct err e;

    (void)state;
    h = sample();
    assert_int_equal(hold_set(folder, &h, &e), 0);
    assert_int_equal(hold_set(folder, &h, &e), -EEXIST);
    h = sample();
    snprintf(h.reason, sizeof h.reason, "  ");
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    h.set_by[0] = 0;
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    snprintf(h.filter, sizeof h.filter, "(open");
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    h.filter[0] = 0;
    h.from = INT64_MIN;
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    h.to = h.from;
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    h.until = h.set_at;
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    h.subject[0] = 0;
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    h = sample();
    snprintf(h.reason, sizeof h.reason, "\xff");
    assert_int_equal(hold_set(folder, &h, &e), -EINVAL);
    assert_int_equal(hold_release(folder, STR("hold-0123456789abcdef"), STR("B"), STR("r"), NOW, NULL, &e), -ENOENT);
    assert_int_equal(hold_release(folder, STR("../../etc/passwd"), STR("B"), STR("r"), NOW, NULL, &e), -ENOENT);
}

/* Every cut and every flipped bit is told: a hold that says less than it did must never be taken for one that selects less. */
static void test_whatever_damage_of_a_file_is_counted_and_named(void **state)
{
    struct hold h = sample();
    AUTO_BUF struct buf good;
    struct holds all;
    char path[4096];
    struct err e;

    (void)state;
    buf_init(&good, 0);
    assert_int_equal(hold_set(folder, &h, &e), 0);
    path_of(&h, path);
    assert_int_equal(file_read(path, HOLD_BYTES_MAX, &good, &e), 0);
    for (size_t i = 0; i < 2 * good.n; i++) {
        AUTO_BUF struct buf bad;

        buf_init(&bad, 0);
        buf_put(&bad, good.p, i < good.n ? i : good.n);
        if (i >= good.n)
            bad.p[i - good.n] ^= (char)(1 << (i % 8));
        assert_int_equal(file_write_quick(path, buf_view(&bad), &e), 0);
        assert_int_equal(holds_read(folder, &all, &e), 0);
        assert_int_equal(all.count, 0);
        assert_int_equal(all.unreadable, 1);
        assert_non_null(strstr(all.fault, h.id));
        holds_free(&all);
    }
    assert_int_equal(file_write_quick(path, STR("saqshy-hold 2 0000000000000000\n{}\n"), &e), 0);
    assert_int_equal(holds_read(folder, &all, &e), 0);
    assert_int_equal(all.unreadable, 1);
    assert_non_null(strstr(all.fault, "newer version"));
    holds_free(&all);
    assert_int_equal(holds_read("/nowhere/at/all", &all, &e), -ENOENT);
}

static void test_no_hold_is_set_while_a_removal_becomes_true(void **state)
{
    struct hold h = sample();
    struct err e;
    int lock, status, ends[2];
    char byte = 0;
    pid_t child;

    (void)state;
    lock = hold_lock(folder, false, &e);
    assert_true(lock >= 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int rc;

        close(lock);    /* the lock is of the parent's descriptor, which both have */
        rc = hold_set(folder, &h, &e);
        _exit(write(ends[1], rc == 0 ? "s" : "f", 1) == 1 ? 0 : 1);
    }
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    usleep(100000);
    assert_true(read(ends[0], &byte, 1) < 0);      /* it waits */
    close(lock);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 's');
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_hold_is_read_as_it_was_set_and_again_when_it_was_released, make, wipe),
        cmocka_unit_test_setup_teardown(test_a_hold_without_its_facts_is_refused, make, wipe),
        cmocka_unit_test_setup_teardown(test_whatever_damage_of_a_file_is_counted_and_named, make, wipe),
        cmocka_unit_test_setup_teardown(test_no_hold_is_set_while_a_removal_becomes_true, make, wipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
