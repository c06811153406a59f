/* test_folder.c - the list of watched files, cut and damaged at every byte, with parts that happened and parts that did not; parts of files, whole lines whatever their size. */
#include "base/file.h"
#include "base/test.h"
#include "ingest/folder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char folder[64], pattern[96], list[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/saqshy-folder-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(pattern, sizeof pattern, "%s/*.log", folder);
    snprintf(list, sizeof list, "%s/list", folder);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = { "a.log", "b.log", "c.log", "list" };
    char path[96];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void put(const char *name, const char *text)
{
    char path[96];
    struct err e;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_write_atomic(path, str_c(text), 0600, &e), 0);
}

static struct folder_file *file_of(struct folder_files *t, const char *name)
{
    for (struct folder_file *f = folder_files_first(t); f; f = f->next)
        if (str_ends(str_c(f->path), str_c(name)))
            return f;
    return NULL;
}

static uint64_t offset_of(struct folder_files *t, const char *name)
{
    const struct folder_file *f = file_of(t, name);

    return f ? f->offset : 0;
}

/* step - the file is read up to there by the part of this number. */
static void step(struct folder_files *t, const char *name, uint64_t offset, uint64_t number, bool happened)
{
    struct folder_file *f = file_of(t, name);
    struct folder_place to = { .offset = offset };
    struct err e;

    assert_non_null(f);
    to.tail = file_piece_of(f->fd, offset, FOLDER_TAIL);
    assert_int_equal(folder_files_intend(t, f, &to, number, &e), 0);
    if (happened)
        folder_file_take(f, &to);
}

static struct folder_files *open_list(uint64_t last)
{
    struct folder_files *t = NULL;
    struct err e;

    assert_int_equal(folder_files_open(list, last, &t, &e), 0);
    return t;
}

static const struct folder_conf *conf(void)
{
    static struct folder_conf c = { .look_s = 1 };

    snprintf(c.pattern, sizeof c.pattern, "%s", pattern);
    return &c;
}

static void parts_count_if_the_journal_has_their_number(void **state)
{
    struct folder_files *t;
    struct err e;

    (void)state;
    put("a.log", "one\ntwo\nthree\n");
    put("b.log", "eins\nzwei\n");
    t = open_list(0);
    folder_files_look(t, conf());
    assert_int_equal(folder_files_count(t), 2);
    step(t, "a.log", 4, 1, true);
    step(t, "b.log", 5, 2, true);
    step(t, "a.log", 8, 3, false);                    /* refused: it never happened */
    assert_int_equal(folder_files_void(t, 3, &e), 0);
    step(t, "b.log", 10, 4, true);
    step(t, "a.log", 14, 5, false);                   /* nobody knows */
    folder_files_free(&t);
    for (uint64_t last = 0; last <= 6; last++) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, MIB);
        assert_int_equal(file_read(list, MIB, &b, &e), 0);
        t = open_list(last);
        assert_int_equal(offset_of(t, "a.log"), last >= 5 ? 14 : last >= 1 ? 4 : 0);
        assert_int_equal(offset_of(t, "b.log"), last >= 4 ? 10 : last >= 2 ? 5 : 0);
        folder_files_free(&t);
        assert_int_equal(file_write_atomic(list, buf_view(&b), 0600, &e), 0);
    }
}

static void a_list_outlives_damage_at_every_byte(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    (void)state;
    buf_init(&b, MIB);
    assert_int_equal(file_read(list, MIB, &b, &e), 0);
    for (size_t n = 0; n < 2 * b.n; n++) {
        AUTO_FREE char *copy = malloc(b.n);
        struct folder_files *t = folder_files_new();
        bool cut = n < b.n;
        size_t damaged;
        uint64_t a, o;

        assert_non_null(copy);
        assert_non_null(t);
        memcpy(copy, b.p, b.n);
        if (!cut)
            copy[n - b.n] ^= 0x10;
        damaged = folder_lines_read(t, str_of(copy, cut ? n : b.n), 5);
        a = offset_of(t, "a.log");
        o = offset_of(t, "b.log");
        /* Of the part that was refused nothing is taken, unless the word that says so is what is damaged: then its bytes are not read again. */
        assert_true(a == 0 || a == 4 || a == 14 || (!cut && a == 8) || (cut && a == 8));
        assert_true(o == 0 || o == 5 || o == 10);
        assert_true(cut || damaged >= 1);
        folder_files_free(&t);
    }
}

static void a_file_is_known_by_its_content(void **state)
{
    struct folder_files *t = open_list(5);
    char from[96], to[96];

    (void)state;
    folder_files_look(t, conf());
    snprintf(from, sizeof from, "%s/a.log", folder);
    snprintf(to, sizeof to, "%s/c.log", folder);
    assert_int_equal(rename(from, to), 0);
    folder_files_look(t, conf());
    assert_int_equal(offset_of(t, "c.log"), 14);      /* renamed */
    put("c.log", "one\ntwo\nthree\nfour\n");          /* another inode, the same content and more */
    folder_files_look(t, conf());
    assert_int_equal(offset_of(t, "c.log"), 14);
    assert_false(file_of(t, "c.log")->settled);
    put("c.log", "ONE\ntwo\nthree\nfour\n");          /* it begins otherwise */
    folder_files_look(t, conf());
    assert_int_equal(offset_of(t, "c.log"), 0);
    put("b.log", "eins\nZWEI\n");                     /* other bytes before the position */
    folder_files_look(t, conf());
    assert_int_equal(offset_of(t, "b.log"), 0);
    folder_files_free(&t);
}

/* --- reading --- */

static int memory_file(struct str text)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
    return fd;
}

static const struct {
    const char *name, *in;
    size_t      most;
    bool        quiet;
    const char *want, *records;     /* lines in brackets, '~' behind one that was cut, '|' between parts */
} rows[] = {
    { "lines", "a\nb\n", 100, false, "[a][b]" },
    { "the last one has no end, and may get it", "a\nb", 100, false, "[a]" },
    { "the last one has no end, and is old", "a\nb", 100, true, "[a][b]" },
    { "of Windows", "a\r\nb\r\n", 100, false, "[a][b]" },
    { "empty ones are none", "\n\na\n\n", 100, false, "[a]" },
    { "in parts", "aaa\nbbb\nccc\n", 4, false, "[aaa][bbb]|[ccc]" },
    { "a part holds a line at least", "aaaaaaaa\nb\n", 1, false, "[aaaaaaaa]|[b]" },
    { "nothing", "", 100, true, "" },
    { "UTF-16 keeps its bytes", "\xFF\xFE" "a", 100, false, "" },
    { "an audit event waits for its end", "x\ntype=SYSCALL msg=audit(1795773604.123:77): arch=1\n", 100, false, "[x]" },
    { "and comes when it is there", "type=SYSCALL msg=audit(1795773604.123:77): arch=1\ntype=EOE msg=audit(1795773604.123:77): \n", 1000, false,
      "[type=SYSCALL msg=audit(1795773604.123:77): arch=1][type=EOE msg=audit(1795773604.123:77): ]" },
    { "or when the file is old", "type=SYSCALL msg=audit(1795773604.123:77): arch=1\n", 100, true, "[type=SYSCALL msg=audit(1795773604.123:77): arch=1]" },
    { "records of several lines; the last may go on", "x\n2026 a\n\tb\n2026 c\n\td\n", 100, false, "[x][2026 a\n\tb]", "#### |[@" },
    { "and comes whole from a file that is old", "2026 a\n\tb\n[Mon c\n\td\n", 100, true, "[2026 a\n\tb][[Mon c\n\td]", "#### |[@" },
    { "in parts a record stays whole", "2026 a\n\tbbbbbbbb\n2026 c\n2026 d\n", 4, true, "[2026 a\n\tbbbbbbbb]|[2026 c]|[2026 d]", "#### " },
};

static void show(struct buf *out, struct str body)
{
    while (body.n >= 4) {
        const unsigned char *b = (const unsigned char *)body.p;
        uint32_t head = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;

        assert_true(body.n - 4 >= head >> 1);
        buf_printf(out, "[%.*s%s]", (int)(head >> 1), body.p + 4, head & 1 ? "~" : "");
        body = str_cut(body, 4 + (head >> 1));
    }
    assert_int_equal(body.n, 0);
}

static void parts_are_whole_lines(void **state)
{
    struct folder_reader *r = NULL;
    struct err e;

    (void)state;
    assert_int_equal(folder_reader_new(&r, &e), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf out = { 0 }, body = { 0 };
        AUTO_CLOSE int fd = memory_file(str_c(rows[i].in));
        char path[] = "/a.log";
        struct folder_conf c = { .quiet_s = rows[i].quiet ? 0 : 1000 };
        struct folder_file f = { .number = (uint32_t)i + 1, .path = path, .size = strlen(rows[i].in), .fd = fd, .grown = clock_steady() };
        struct folder_place to;
        bool end;

        snprintf(c.records, sizeof c.records, "%s", rows[i].records ? rows[i].records : "");
        buf_init(&out, 0);
        buf_init(&body, 0);
        while (folder_read(r, &f, fd, &c, rows[i].most, &body, &to, &end, &e) > 0) {
            if (out.n && body.n)
                buf_byte(&out, '|');
            show(&out, buf_view(&body));
            buf_reset(&body);
            folder_file_take(&f, &to);
        }
        CHECK(rows[i].name, str_eq(buf_view(&out), str_c(rows[i].want)));
    }
    folder_reader_free(&r);
}

/* finished - the list with one file read to its end. */
static struct folder_files *finished(const char *name)
{
    struct folder_files *t;
    struct folder_file *f;

    unlink(list);
    t = open_list(0);
    folder_files_look(t, conf());
    f = file_of(t, name);
    assert_non_null(f);
    folder_file_take(f, &(struct folder_place){ .offset = f->size });
    folder_file_rest(t, f);
    return t;
}

static bool there(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_exists(path);
}

static void drop(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path);
}

/* What was written between the last look and the move would lie among finished files, unread. */
static void a_file_that_grew_since_is_not_moved_away(void **state)
{
    struct folder_conf c = *conf();
    struct folder_files *t;
    char done[96], other[96];

    (void)state;
    c.move = true;
    snprintf(c.done, sizeof c.done, "done");
    snprintf(done, sizeof done, "%s/done", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    for (size_t i = 0; i < 3; i++)
        drop((const char *const[]){ "a.log", "b.log", "c.log" }[i]);
    put("c.log", "one\n");
    t = finished("c.log");
    put("c.log", "one\ntwo\n");
    folder_files_finish(t, &c);
    assert_true(there("c.log") && !there("done/c.log"));
    folder_files_free(&t);
    /* As it was read, it is moved; what lies there already is kept. */
    t = finished("c.log");
    folder_files_finish(t, &c);
    assert_true(!there("c.log") && there("done/c.log"));
    folder_files_free(&t);
    put("c.log", "three\n");
    t = finished("c.log");
    folder_files_finish(t, &c);
    assert_true(there("done/c.log") && there("done/c.log.1"));
    folder_files_free(&t);
    /* Whoever may write there cannot have us put files elsewhere. Only root can make such a link here. */
    drop("done/c.log");
    drop("done/c.log.1");
    drop("done");
    if (geteuid() == 0) {
        assert_int_equal(mkdir(other, 0700), 0);
        assert_int_equal(symlink("other", done), 0);
        assert_int_equal(lchown(done, 65534, 65534), 0);
        put("c.log", "four\n");
        t = finished("c.log");
        folder_files_finish(t, &c);
        assert_true(there("c.log") && !there("other/c.log"));
        folder_files_free(&t);
        unlink(done);
        rmdir(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_count_if_the_journal_has_their_number),
        cmocka_unit_test(a_list_outlives_damage_at_every_byte),
        cmocka_unit_test(a_file_is_known_by_its_content),
        cmocka_unit_test(parts_are_whole_lines),
        cmocka_unit_test(a_file_that_grew_since_is_not_moved_away),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
