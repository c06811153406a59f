/* test_columns.c - blocks of columns: every event comes back, every word of it is in the filter, nothing that is damaged is believed, and what older versions wrote is read. */
#include "store/testing.h"

#include <xxhash.h>

#include "base/file.h"
#include "parse/parse.h"

struct bench {
    struct block_writer *w;
    struct block_view    view;
    struct waiting       waiting;
    struct buf           bytes;
    struct block_entry   entry;
};

static void begin(struct bench *t)
{
    t->w = block_writer_new();
    assert_non_null(t->w);
    block_view_init(&t->view);
    buf_init(&t->bytes, 0);
    assert_true(waiting_init(&t->waiting, EVENT_BATCH_MAX, 64u * MIB));
}

static void end(struct bench *t)
{
    block_writer_free(&t->w);
    block_view_free(&t->view);
    buf_free(&t->bytes);
    waiting_free(&t->waiting);
}

static void same(const struct event *a, const struct event *b)
{
    assert_true(a->seq == b->seq && a->time == b->time && a->received == b->received && a->offset_min == b->offset_min);
    assert_true(a->class == b->class && a->parse == b->parse && a->marks == b->marks);
    assert_true(str_eq(a->original, b->original) && str_eq(a->source, b->source) && str_eq(a->object, b->object));
    assert_true(str_eq(a->parser, b->parser) && str_eq(a->time_text, b->time_text));
    assert_int_equal(a->field_count, b->field_count);
    for (uint32_t i = 0; i < a->field_count; i++)
        assert_true(str_eq(a->fields[i].name, b->fields[i].name) && str_eq(a->fields[i].value, b->fields[i].value));
}

static void pack(struct bench *t, const struct event *events, size_t count)
{
    size_t taken;

    buf_reset(&t->bytes);
    waiting_reset(&t->waiting);
    assert_int_equal(waiting_add(&t->waiting, events, count, &taken, NULL), 0);
    assert_int_equal(taken, count);
    assert_int_equal(waiting_sort(&t->waiting, NULL), 0);
    assert_int_equal(block_encode(t->w, &t->waiting, 0, count, &t->entry, &t->bytes, NULL), 0);
    assert_int_equal(t->entry.version, BLOCK_COLUMNS);
    assert_true(block_sound(&t->entry, buf_view(&t->bytes)));
}

struct asked {
    const struct bench *t;
    size_t              missing;
};

static void ask_filter(void *arg, uint64_t hash)
{
    struct asked *a = arg;
    uint32_t line = filter_line_of(&a->t->entry, hash);
    const char *filter = a->t->bytes.p + a->t->entry.keys_bytes + a->t->entry.payload_bytes;

    if (!filter_has(&a->t->entry, hash))
        return;
    a->missing += filter_may(&a->t->entry, (const unsigned char *)filter + (size_t)line * FILTER_LINE, line, hash) != 1;
}

/* come_back - the events of a batch, by number, are those of the block; their words are in its filter. */
static void come_back(struct bench *t, const struct event *events, size_t count)
{
    struct asked a = { t, 0 };
    uint64_t first = events[0].seq;

    pack(t, events, count);
    assert_int_equal(block_decode_events(&t->entry, buf_view(&t->bytes), &t->view, NULL), 0);
    assert_int_equal(t->view.batch.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct event *got = &t->view.batch.items[i], *put = &events[got->seq - first];

        assert_true(i == 0 || got[-1].time < got->time || (got[-1].time == got->time && got[-1].seq < got->seq));
        same(put, got);
        query_tokens(put->original, ask_filter, &a);
        for (uint32_t f = 0; f < put->field_count; f++)
            query_tokens(put->fields[f].value, ask_filter, &a);
        query_tokens(put->source, ask_filter, &a);
        query_tokens(put->object, ask_filter, &a);
        query_tokens(str_c(event_parse_name(put->parse)), ask_filter, &a);
    }
    assert_int_equal(a.missing, 0);
}

/* --- made events --- */

/* some - one of a few kinds of event, or one that nobody had before: values that are pieces of the line, overlap, repeat others, are of any bytes. */
static void some(struct event_batch *b, unsigned *seed, uint64_t seq)
{
    static const char *const users[] = { "root", "Айгүл", "o'neil", "" };
    struct event *ev = event_batch_add(b);
    unsigned r = (unsigned)rand_r(seed), kind = r % 7;
    struct str ip = arena_printf(&b->arena, "%u.%u.%u.%u", r % 256, r / 7 % 256, r / 11 % 256, r % 3);

    ev->seq = seq;
    ev->time = INT64_C(1795514400) * NS_PER_SECOND + (time_ns)(r % 100000) * 1000003 - (kind == 6 ? (time_ns)(r % 40000) * NS_PER_DAY : 0);
    ev->received = ev->time + (r % 3 ? 1000 : -5);
    ev->offset_min = kind % 2 ? 300 : EVENT_OFFSET_NONE;
    ev->class = (enum event_class)(kind % CLASS_COUNT);
    ev->parse = (enum event_parse)(kind % EVENT_PARSE_COUNT);
    ev->marks = kind == 5 ? MARK_NOT_UTF8 : 0;
    ev->source = kind % 2 ? STR("10.0.0.5") : arena_printf(&b->arena, "10.0.0.%u", r % 4);
    ev->object = kind % 3 ? STR("state-register") : str_of(NULL, 0);
    ev->parser = STR("app");
    if (kind < 3) {
        ev->original = arena_printf(&b->arena, "2026-11-24 %02u:%02u app[%u]: user=%s from %.*s:%u did 0x%x", r % 24, r % 60, r % 1000, users[r % 4], STR_ARG(ip), r % 65536, r);
        ev->time_text = str_of(ev->original.p, 16);
        assert_true(event_add(ev, &b->arena, STR("source.ip"), str_of(ev->original.p + str_find(ev->original, ip), ip.n)) == 0);
        assert_true(event_add(ev, &b->arena, STR("related.ip"), ip) == 0);
        assert_true(event_add(ev, &b->arena, STR("message"), str_cut(ev->original, 17)) == 0);
        assert_true(event_add(ev, &b->arena, STR("overlap"), str_of(ev->original.p + 19, 9)) == 0);
    } else if (kind == 3) {
        ev->original = arena_printf(&b->arena, "connection %u closed after %u.%02u seconds by %s%u (code %u)", r, r % 100, r % 90, "worker", r % 9, r % 4);
    } else if (kind == 4) {
        char *p = arena_alloc(&b->arena, r % 300 + 1);

        for (unsigned i = 0; i < r % 300; i++)
            p[i] = (char)rand_r(seed);
        ev->original = str_of(p, r % 300);
    } else if (kind == 5) {
        ev->original = arena_printf(&b->arena, "\xFF\xFE%u\r", r % 2);
        assert_true(event_add(ev, &b->arena, arena_printf(&b->arena, "own.%u", r % 400), arena_printf(&b->arena, "%u", r)) == 0);
    }
}

static void test_made_events_come_back_whatever_they_are(void **state)
{
    struct event_batch b;
    struct bench t;
    unsigned seed = 11;

    (void)state;
    begin(&t);
    event_batch_init(&b, 0);
    for (unsigned round = 0; round < 40; round++) {
        unsigned count = 1 + (unsigned)rand_r(&seed) % (round % 8 == 7 ? 3000 : 200);

        event_batch_reset(&b);
        for (unsigned i = 0; i < count; i++)
            some(&b, &seed, 1000 + i);
        come_back(&t, b.items, b.count);
    }
    event_batch_free(&b);
    end(&t);
}

/* A word that is cut by a value's border is a word of the line all the same: "x" + "7a" + "b" is "x7ab". */
static void test_words_over_the_border_of_pieces_are_in_the_filter(void **state)
{
    struct event_batch b;
    struct bench t;

    (void)state;
    begin(&t);
    event_batch_init(&b, 0);
    for (unsigned i = 0; i < 100; i++) {
        struct event *ev = event_batch_add(&b);

        ev->seq = i + 1;
        ev->time = i;
        ev->original = arena_printf(&b.arena, "x%uab y%u", i, i % 2);
        assert_true(event_add(ev, &b.arena, STR("id"), str_of(ev->original.p + 1, i < 10 ? 2 : 3)) == 0);
        assert_true(event_add(ev, &b.arena, STR("all"), str_of(ev->original.p, i < 10 ? 2 : 3)) == 0);
    }
    come_back(&t, b.items, b.count);
    event_batch_free(&b);
    end(&t);
}

/* An address that is cut by a value's border is an address of the line all the same. */
static void test_addresses_over_the_border_of_pieces_are_in_the_filter(void **state)
{
    struct event_batch b;
    struct bench t;

    (void)state;
    begin(&t);
    event_batch_init(&b, 0);
    for (unsigned cut = 1; cut < 9; cut++)
        for (unsigned i = 0; i < 40; i++) {
            struct event *ev = event_batch_add(&b);

            ev->seq = b.count;
            ev->time = i;
            ev->original = arena_printf(&b.arena, "%u from 10.%u.3.%u.", cut, i % 7, 100 + i);
            assert_true(event_add(ev, &b.arena, arena_printf(&b.arena, "at.%u", cut), str_of(ev->original.p + 7, cut)) == 0);
            assert_true(event_add(ev, &b.arena, STR("next"), str_of(ev->original.p + 7 + cut, 1)) == 0);
        }
    come_back(&t, b.items, b.count);
    event_batch_free(&b);
    end(&t);
}

static void test_lines_of_a_mebibyte_and_empty_ones_come_back(void **state)
{
    struct event_batch b;
    struct bench t;
    char *large = malloc(EVENT_ORIGINAL_MAX);

    (void)state;
    assert_non_null(large);
    begin(&t);
    event_batch_init(&b, 0);
    for (size_t i = 0; i < EVENT_ORIGINAL_MAX; i++)
        large[i] = (char)(i * i / 7);
    for (unsigned i = 0; i < 60; i++) {
        struct event *ev = event_batch_add(&b);

        ev->seq = i + 1;
        ev->time = i;
        ev->original = i % 2 ? str_of("", 0) : str_of(large, i % 20 ? EVENT_ORIGINAL_MAX - i : EVENT_ORIGINAL_MAX);
    }
    come_back(&t, b.items, b.count);
    event_batch_free(&b);
    end(&t);
    free(large);
}

/* Whoever sends events of hundreds of fields each stops nobody: no more of them wait together than can be put in order and read again. */
static void test_wide_events_wait_in_such_numbers_that_they_can_be_read(void **state)
{
    enum { OFFERED = 20000 };
    struct event *events = calloc(OFFERED, sizeof *events);
    struct event_batch b;
    struct event *wide;
    struct bench t;
    size_t taken;

    (void)state;
    assert_non_null(events);
    begin(&t);
    event_batch_init(&b, 0);
    wide = event_batch_add(&b);
    wide->original = STR("wide");
    for (unsigned i = 0; i < EVENT_FIELDS_MAX; i++)
        assert_int_equal(event_add(wide, &b.arena, arena_printf(&b.arena, "f%u", i), str_of("", 0)), 0);
    for (unsigned i = 0; i < OFFERED; i++) {
        events[i] = *wide;
        events[i].seq = i + 1;
    }
    assert_int_equal(waiting_add(&t.waiting, events, OFFERED, &taken, NULL), 0);
    assert_true(taken >= 1000 && taken * event_bytes(wide) < BLOCK_RAW_MAX / 2 + MIB);
    assert_int_equal(waiting_sort(&t.waiting, NULL), 0);
    free(events);
    event_batch_free(&b);
    end(&t);
}

/* A value longer than a column takes: the block is one of rows, and its words are in the filter. */
static void test_what_does_not_fit_columns_is_kept_as_rows(void **state)
{
    struct str large = { NULL, EVENT_ORIGINAL_MAX + 100 };
    struct asked a = { NULL, 0 };
    struct event_batch b;
    struct bench t;
    size_t taken;
    char *p = malloc(large.n);

    (void)state;
    assert_non_null(p);
    begin(&t);
    event_batch_init(&b, 0);
    memset(p, '.', large.n);
    memcpy(p + large.n - 4, "tail", 4);
    large.p = p;
    for (unsigned i = 0; i < 30; i++) {
        struct event *ev = event_batch_add(&b);

        ev->seq = i + 1;
        ev->time = i;
        ev->original = arena_printf(&b.arena, "line number%u", i);
        assert_int_equal(event_add(ev, &b.arena, STR("large"), large), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("behind"), arena_printf(&b.arena, "word%u", i)), 0);
    }
    assert_int_equal(waiting_add(&t.waiting, b.items, b.count, &taken, NULL), 0);
    assert_int_equal(taken, b.count);
    assert_int_equal(waiting_sort(&t.waiting, NULL), 0);
    assert_int_equal(block_encode(t.w, &t.waiting, 0, b.count, &t.entry, &t.bytes, NULL), 0);
    assert_int_equal(t.entry.version, BLOCK_ROWS);
    assert_int_equal(block_decode_events(&t.entry, buf_view(&t.bytes), &t.view, NULL), 0);
    a.t = &t;
    for (size_t i = 0; i < b.count; i++) {
        same(&b.items[i], &t.view.batch.items[i]);
        for (uint32_t f = 0; f < b.items[i].field_count; f++)
            query_tokens(b.items[i].fields[f].value, ask_filter, &a);
        query_tokens(b.items[i].original, ask_filter, &a);
    }
    assert_int_equal(a.missing, 0);
    event_batch_free(&b);
    end(&t);
    free(p);
}

struct looking {
    unsigned calls, last;
};

static int look_so_often(void *arg, size_t bytes)
{
    struct looking *l = arg;

    (void)bytes;
    return ++l->calls >= l->last ? -ECANCELED : 0;
}

/* A search whose time is up ends in the middle of a block. */
static void test_a_question_is_given_up_when_whoever_asks_says_so(void **state)
{
    struct looking l = { .last = 3 };
    uint64_t may[16], sure[16];
    struct event_batch b;
    struct query *q;
    struct bench t;

    (void)state;
    begin(&t);
    event_batch_init(&b, 0);
    for (unsigned i = 0; i < 1000; i++) {
        struct event *ev = event_batch_add(&b);

        ev->seq = i + 1;
        ev->time = i;
        ev->original = arena_printf(&b.arena, "a line %u of text %u", i * 7919, i % 91);
        assert_int_equal(event_add(ev, &b.arena, STR("id"), str_of(ev->original.p + 7, 3)), 0);
    }
    pack(&t, b.items, b.count);
    assert_int_equal(query_parse(STR("id:/7.9/ OR text"), &q, NULL), 0);
    assert_int_equal(block_open(&t.entry, buf_view(&t.bytes), &t.view, NULL), 0);
    memset(may, 0xff, sizeof may);
    assert_int_equal(columns_find(t.view.columns, q, look_so_often, &l, may, sure, NULL), -ECANCELED);
    assert_int_equal(l.calls, 3);
    l = (struct looking){ .last = UINT32_MAX };
    assert_int_equal(columns_find(t.view.columns, q, look_so_often, &l, may, sure, NULL), 0);
    assert_true(l.calls > 3);
    query_free(&q);
    event_batch_free(&b);
    end(&t);
}

/* --- real lines --- */

struct reading {
    struct bench      *t;
    struct parser     *parser;
    struct event_batch b;
    size_t             blocks, events, raw, stored;
};

static void flush(struct reading *r)
{
    if (!r->b.count)
        return;
    come_back(r->t, r->b.items, r->b.count);
    r->blocks++;
    r->events += r->b.count;
    r->stored += r->t->bytes.n;
    event_batch_reset(&r->b);
}

static void read_lines(struct reading *r, const char *path)
{
    struct parse_hints h = { .received = INT64_C(1795132800) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE };
    AUTO_BUF struct buf file;
    struct str rest, line;

    buf_init(&file, 64u * MIB);
    if (file_read(path, 64u * MIB, &file, NULL) < 0)
        return;
    rest = buf_view(&file);
    for (size_t n = 0; str_split(&rest, '\n', &line); n++) {
        struct event *ev = event_batch_add(&r->b);

        line = str_of(line.p, min_size(line.n, EVENT_ORIGINAL_MAX));
        parse_line(r->parser, arena_copy(&r->b.arena, line), &h, &r->b.arena, ev);
        ev->seq = r->b.count;
        ev->received = h.received;
        ev->source = STR("10.0.0.7");
        r->raw += line.n + 1;
        if (r->b.count == 20000)
            flush(r);
    }
}

static struct reading *reading;

static int read_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st;
    (void)f;
    if (kind == FTW_F && !strstr(path, ".zst"))
        read_lines(reading, path);
    return 0;
}

static void test_real_lines_come_back(void **state)
{
    const char *shared = getenv("SAQSHY_SHARED"), *source = getenv("SAQSHY_SOURCE");
    char logs[PATH_BYTES], parsers[PATH_BYTES];
    struct parse_options options = { .zone_min = 0 };
    struct reading r = { .t = NULL };
    struct bench t;

    (void)state;
    snprintf(logs, sizeof logs, "%.4000s/data/logs", shared ? shared : "");
    snprintf(parsers, sizeof parsers, "%.4000s/content/parsers", source ? source : ".");
    if (!file_exists(logs)) {
        print_message("no ../shared/data/logs here\n");
        skip();
    }
    begin(&t);
    options.folders[0] = parsers;
    assert_int_equal(parse_open(&options, &r.parser, NULL), 0);
    event_batch_init(&r.b, 0);
    r.t = &t;
    reading = &r;
    nftw(logs, read_one, 16, FTW_PHYS);
    flush(&r);
    print_message("%zu lines of %zu bytes in %zu blocks: %zu bytes\n", r.events, r.raw, r.blocks, r.stored);
    assert_true(r.events > 10000);
    assert_true(r.stored < r.raw);
    event_batch_free(&r.b);
    parse_free(&r.parser);
    end(&t);
}

/* --- damage --- */

static void test_a_block_with_a_flipped_bit_is_refused(void **state)
{
    struct event_batch b;
    struct bench t;
    unsigned seed = 5;
    size_t size;

    (void)state;
    begin(&t);
    event_batch_init(&b, 0);
    for (unsigned i = 0; i < 300; i++)
        some(&b, &seed, 1 + i);
    pack(&t, b.items, b.count);
    size = (size_t)t.entry.keys_bytes + t.entry.payload_bytes;
    for (size_t i = 0; i < size; i++) {
        t.bytes.p[i] ^= (char)(1 << i % 8);
        assert_false(block_sound(&t.entry, buf_view(&t.bytes)));
        assert_int_equal(block_decode_events(&t.entry, buf_view(&t.bytes), &t.view, NULL), -EBADMSG);
        t.bytes.p[i] ^= (char)(1 << i % 8);
    }
    assert_int_equal(block_decode_events(&t.entry, buf_view(&t.bytes), &t.view, NULL), 0);
    event_batch_free(&b);
    end(&t);
}

/* --- older versions --- */

/* What was written until November 2026 is read for ever: put_events of three. */
static void test_parts_of_version_1_are_read(void **state)
{
    static const char part_1[] =
        "\123\121\120\101\122\124\060\061\040\116\000\000\000\000\000\000\001\000\000\000\000\000\000\000\121\244\344\041\076\301\103\301\050\265\057\375"
        "\040\016\161\000\000\000\002\200\224\353\334\003\002\200\224\353\334\003\002\050\265\057\375\040\236\345\003\000\104\006\003\203\200\000\000\000"
        "\000\000\001\002\000\011\165\163\145\162\056\156\141\155\145\000\001\011\150\157\163\164\200\250\326\367\216\266\213\373\057\151\014\005\005\006"
        "\145\166\145\156\164\040\156\061\040\157\144\144\157\142\152\055\061\165\163\145\162\061\110\157\163\164\055\101\000\200\250\326\271\007\041\015"
        "\005\062\040\145\166\145\156\165\163\145\162\062\051\014\005\063\062\165\163\145\162\063\010\000\116\040\202\050\062\206\062\276\251\034\107\151"
        "\217\105\237\057\263\002\340\005\166\000\000\020\042\220\120\240\011\104\000\004\303\000\000\050\147\000\004\202\004\006\001\000\100\000\000\000"
        "\040\022\104\004\020\020\002\300\000\010\020\002\100\203\001\000\000\000\300\000\221\040\030\000\004\020\000\044\044\023\205\210\355\221\247\036"
        "\040\000\000\000\000\000\000\000\027\000\000\000\016\000\000\000\205\000\000\000\236\000\000\000\001\000\000\000\003\000\000\000\000\312\172\167"
        "\330\026\373\027\000\136\260\356\330\026\373\027\001\000\000\000\000\000\000\000\003\000\000\000\000\000\000\000\250\232\233\067\143\225\117\043"
        "\203\257\304\361\300\263\206\123\123\121\120\105\116\104\060\061\001\000\000\000\000\000\000\000\374\000\000\000\000\000\000\000\265\304\214\024"
        "\013\105\334\160\003\000\000\000\000\000\000\000\071\366\060\046\225\222\347\022";
    struct part_info info = { .day = 20000, .number = 1, .events = 3, .bytes = sizeof part_1 - 1, .first_seq = 1, .last_seq = 3 };
    char folder[64], path[PATH_BYTES];
    struct block_view v;
    struct part p;
    struct err e;

    (void)state;
    folder_make(folder);
    day_path(folder, info.day, path);
    assert_int_equal(mkdir(path, 0700), 0);
    part_path(folder, info.day, info.number, path);
    assert_int_equal(file_write_atomic(path, str_of(part_1, sizeof part_1 - 1), 0600, &e), 0);
    block_view_init(&v);
    if (part_open(folder, &info, &p, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(p.count, 1);
    assert_int_equal(part_block_events(&p, 0, &v, &e), 0);
    assert_int_equal(v.batch.count, 3);
    for (uint64_t n = 1; n <= 3; n++) {
        const struct event *ev = &v.batch.items[n - 1];

        assert_true(ev->seq == n && ev->time == DAY_A + (time_ns)n * NS_PER_SECOND);
        assert_true(str_eq(ev->original, n % 2 ? n == 1 ? STR("event n1 odd") : STR("event n3 odd") : STR("event n2 even")));
        assert_true(str_eq(event_get(ev, STR("host.name")), STR("Host-A")));
    }
    part_close(&p);
    block_view_free(&v);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_events_come_back_whatever_they_are),
        cmocka_unit_test(test_words_over_the_border_of_pieces_are_in_the_filter),
        cmocka_unit_test(test_addresses_over_the_border_of_pieces_are_in_the_filter),
        cmocka_unit_test(test_lines_of_a_mebibyte_and_empty_ones_come_back),
        cmocka_unit_test(test_wide_events_wait_in_such_numbers_that_they_can_be_read),
        cmocka_unit_test(test_what_does_not_fit_columns_is_kept_as_rows),
        cmocka_unit_test(test_a_question_is_given_up_when_whoever_asks_says_so),
        cmocka_unit_test(test_real_lines_come_back),
        cmocka_unit_test(test_a_block_with_a_flipped_bit_is_refused),
        cmocka_unit_test(test_parts_of_version_1_are_read),
    };

    return cmocka_run_group_tests_name("store columns", tests, NULL, NULL);
}
