/* test_codec.c - the codec of events: round trips, older versions, limits, cuts and flipped bits. */
#include "event/testing.h"

static void same(const struct event *a, const struct event *b)
{
    assert_true(a->time == b->time && a->received == b->received && a->offset_min == b->offset_min);
    assert_true(a->class == b->class && a->parse == b->parse && a->marks == b->marks);
    assert_true(str_eq(a->original, b->original) && str_eq(a->source, b->source) && str_eq(a->object, b->object));
    assert_true(str_eq(a->parser, b->parser) && str_eq(a->time_text, b->time_text));
    assert_int_equal(a->field_count, b->field_count);
    for (uint32_t i = 0; i < a->field_count; i++)
        assert_true(str_eq(a->fields[i].name, b->fields[i].name) && str_eq(a->fields[i].value, b->fields[i].value));
}

static void the_codec_gives_back_what_it_took(void **state)
{
    struct event_batch in, out;
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    fill(&in);
    assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
    assert_int_equal(event_decode(buf_view(&b), 41, &out, NULL), 0);
    assert_int_equal(out.count, 3);
    for (size_t i = 0; i < 3; i++) {
        same(&in.items[i], &out.items[i]);
        assert_true(out.items[i].seq == 41 + i);
    }
    event_batch_free(&in);
    event_batch_free(&out);
}

/* reads - a payload of an older version, which says the first events of fill(). */
static void reads(struct str payload, size_t count)
{
    struct event_batch in, out;

    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    fill(&in);
    assert_int_equal(event_decode(payload, 1, &out, NULL), 0);
    assert_int_equal(out.count, count);
    for (size_t i = 0; i < count; i++)
        same(&in.items[i], &out.items[i]);
    for (size_t n = 0; n < payload.n; n++) {
        event_batch_reset(&out);
        assert_int_equal(event_decode(str_of(payload.p, n), 1, &out, NULL), -EBADMSG);
    }
    event_batch_free(&in);
    event_batch_free(&out);
}

/* What the first releases wrote must be read for ever: the first two events of fill(). */
static void payloads_of_version_1_are_read(void **state)
{
    static const char v1[] =
        "\001\002\002\011source.ip\014saqshy.types\200\200\312\221\256\265\371\3521\012\000\021\030RNov 24 10:00:00 srv sshd[7]: Failed password for root "
        "from 203.0.113.9 port 4 ssh2\037\000&a1/var/log/auth.log\000\010sshd\003\000\027;\001\012OS-04\001\012UX-01\377\377\304\213\306\321\001\007\331\004\021"
        "\030RNov 24 10:00:00 srv sshd[7]: Failed password for root from 203.0.113.9 port 4 ssh2\037\000&a1/var/log/auth.log\000\010sshd\003\000\027;\001\012"
        "OS-04\001\012UX-01";

    (void)state;
    reads(str_of(v1, sizeof v1 - 1), 2);
}

/* And what was written until November 2026: all three of fill(). */
static void payloads_of_version_2_are_read(void **state)
{
    static const char v2[] =
        "\002\203\200\000\000\021\030\000\003\000\011source.ip\001\014saqshy.types\001\200\200\312\221\256\265\371\3521\212\200\312\221\256\265"
        "\371\3521RNov 24 10:00:00 srv sshd[7]: Failed password for root from 203.0.113.9 port 4 ssh2\037\000\002&a1/var/log/auth.log\010sshd\027X\012OS-04"
        "\012UX-01\001\021\030\331\004\003\000\001\001\377\377\304\213\306\321\001\221\200\305\213\306\321\001RNov 24 10:00:00 srv sshd[7]: Failed "
        "password for root from 203.0.113.9 port 4 ssh2\037\000\002&a1/var/log/auth.log\010sshd\027X\012OS-04\012UX-01\001\377\377\304\213\306\321\001\221"
        "\200\305\213\306\321\001RNov 24 10:00:00 srv sshd[7]: Failed password for root from 203.0.113.9 port 4 ssh2\037\000\077";

    (void)state;
    reads(str_of(v2, sizeof v2 - 1), 3);
}

/* some - an event of a few kinds: fields that stay, change, are pieces of the line, are texts of their own, or have names nobody had before. */
static void some(struct event_batch *b, unsigned *seed)
{
    struct event *ev = event_batch_add(b);
    unsigned r = (unsigned)rand_r(seed), kind = r % 5;

    ev->original = kind ? arena_printf(&b->arena, "%u host-%u app[%u]: user=u%u did %u", r, r % 7, r % 1000, r % 50, r / 3) : str_of(NULL, 0);
    ev->time = (time_ns)(r % 3 ? r : 0) * 1000003 - (time_ns)(r % 11) * NS_PER_HOUR;
    ev->received = 1795514400 * NS_PER_SECOND + r % 2;
    ev->offset_min = r % 4 ? 300 : EVENT_OFFSET_NONE;
    ev->class = (enum event_class)(r % CLASS_COUNT);
    ev->marks = r % 9 ? 0 : MARK_NOT_UTF8;
    ev->source = r % 3 ? STR("10.0.0.5") : arena_printf(&b->arena, "10.0.0.%u", r % 4);
    ev->object = r % 2 ? STR("state-register") : str_of(NULL, 0);
    ev->parser = STR("app");
    ev->time_text = str_of(ev->original.p, min_size(ev->original.n, 3));
    for (unsigned i = 0; i < r % 9; i++) {
        size_t at = ev->original.n ? (r + i * 5) % ev->original.n : 0;

        assert_int_equal(event_add(ev, &b->arena, STR("event.outcome"), i % 2 ? STR("failure") : STR("success")), 0);
        assert_int_equal(event_add(ev, &b->arena, STR("message"), str_of(ev->original.p + at, ev->original.n - at)), 0);
        assert_int_equal(event_add(ev, &b->arena, arena_printf(&b->arena, "own.%u", r % 400), arena_printf(&b->arena, "%u", r % 3)), 0);
    }
}

/* Whatever is encoded, in portions of any size whose memory is gone afterwards, comes back; and an encoder remembers nothing from payload to payload. */
static void portions_of_any_size_come_back(void **state)
{
    struct event_encoder *k = event_encoder_new();
    struct event_batch all, part, out;
    AUTO_BUF struct buf whole, b;
    unsigned seed = 7;

    (void)state;
    buf_init(&b, 0);
    buf_init(&whole, 0);
    event_batch_init(&all, 0);
    event_batch_init(&part, 0);
    event_batch_init(&out, 0);
    for (unsigned round = 0; round < 60; round++) {
        unsigned all_seed = seed, part_seed = seed, total = 1 + (unsigned)rand_r(&seed) % 300, left = total;
        size_t count;

        event_batch_reset(&all);
        event_batch_reset(&out);
        buf_reset(&b);
        buf_reset(&whole);
        buf_str(&b, STR("before"));
        for (unsigned i = 0; i < total; i++)
            some(&all, &all_seed);
        event_encoder_begin(k, &b);
        while (left) {
            unsigned n = 1 + (unsigned)rand_r(&seed) % left;

            for (unsigned i = 0; i < n; i++)
                some(&part, &part_seed);
            assert_int_equal(event_encoder_add(k, part.items, part.count, NULL), 0);
            event_batch_free(&part);
            event_batch_init(&part, 0);
            left -= n;
        }
        assert_int_equal(event_encoder_end(k, &count, NULL), 0);
        assert_int_equal(count, total);
        assert_int_equal(event_encode(all.items, all.count, &whole, NULL), 0);
        assert_int_equal(event_decode(buf_view(&whole), 1, &out, NULL), 0);
        assert_int_equal(event_decode(str_of(b.p + 6, b.n - 6), 1, &out, NULL), 0);
        assert_int_equal(out.count, 2 * total);
        for (unsigned i = 0; i < 2 * total; i++)
            same(&all.items[i % total], &out.items[i]);
    }
    event_encoder_free(&k);
    event_batch_free(&all);
    event_batch_free(&part);
    event_batch_free(&out);
}

static bool short_or_message(const void *arg, struct str name)
{
    return name.n <= *(const size_t *)arg || str_eq(name, STR("message"));
}

static void fields_that_nobody_wants_are_left_out_and_all_else_stays(void **state)
{
    struct event_batch all, out;
    AUTO_BUF struct buf b = { 0 };
    unsigned seed = 11;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&all, 0);
    event_batch_init(&out, 0);
    for (unsigned i = 0; i < 500; i++)
        some(&all, &seed);
    assert_int_equal(event_encode(all.items, all.count, &b, NULL), 0);
    for (size_t most = 0; most < 16; most++) {    /* "own.7" has five letters, "event.outcome" thirteen */
        out.wanted = short_or_message;
        out.wanted_arg = &most;
        event_batch_reset(&out);
        assert_int_equal(event_decode(buf_view(&b), 1, &out, NULL), 0);
        assert_int_equal(out.count, all.count);
        for (size_t i = 0; i < all.count; i++) {
            struct event_field few[32];
            struct event want = all.items[i];

            want.fields = few;
            want.field_count = 0;
            for (uint32_t k = 0; k < all.items[i].field_count; k++)
                if (short_or_message(&most, all.items[i].fields[k].name))
                    few[want.field_count++] = all.items[i].fields[k];
            same(&want, &out.items[i]);
        }
    }
    event_batch_free(&all);
    event_batch_free(&out);
}

static void what_does_not_fit_is_refused_and_the_next_goes_on(void **state)
{
    struct event_encoder *k = event_encoder_new();
    struct event_batch in, out;
    AUTO_BUF struct buf small;
    int rc = 0;

    (void)state;
    buf_init(&small, 4096);
    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    fill(&in);
    event_encoder_begin(k, &small);
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = event_encoder_add(k, in.items, in.count, NULL);
    assert_int_equal(rc, -E2BIG);
    assert_int_equal(event_encoder_end(k, NULL, NULL), -E2BIG);
    buf_free(&small);
    event_encoder_begin(k, &small);
    assert_int_equal(event_encoder_add(k, in.items, 1, NULL), 0);
    assert_int_equal(event_encoder_end(k, NULL, NULL), 0);
    assert_int_equal(event_decode(buf_view(&small), 1, &out, NULL), 0);
    same(&in.items[0], &out.items[0]);
    event_encoder_free(&k);
    event_batch_free(&in);
    event_batch_free(&out);
}

/* A line of a few forms, each with its values anywhere: beside each other, within each other, overlapping, twice the same, the whole line, empty, or
 * copies that are no part of it. */
static void anywhere(struct event_batch *b, unsigned *seed)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    struct event *ev = event_batch_add(b);
    unsigned form = (unsigned)rand_r(seed) % 6, from = form;
    struct str s = arena_printf(&b->arena, "%u form %u of %u, user %u: done", (unsigned)rand_r(seed) % 100000, form, (unsigned)rand_r(seed) % 9, (unsigned)rand_r(seed));
    bool bare = rand_r(seed) % 4 == 0;

    ev->original = str_of(s.p, form == 5 || rand_r(seed) % 8 == 0 ? 0 : s.n);
    ev->time_text = str_of(ev->original.p, bare ? 0 : min_size(ev->original.n, 3 + form % 2));
    ev->source = STR("10.0.0.5");
    ev->time = ev->received = (time_ns)rand_r(seed);
    for (unsigned i = 0; !bare && i < 2 + form; i++) {
        unsigned how = rand_r(seed) % 16 ? (form * 7 + i * 3) % 11 : (unsigned)rand_r(seed) % 11;   /* mostly the same in one form */
        size_t at = min_size(how + from % 5, ev->original.n), n = min_size(i == 3 ? SIZE_MAX : how / 2 + 1, ev->original.n - at);
        struct str v = how == 10 ? arena_printf(&b->arena, "%u", (unsigned)rand_r(seed) % 3) : how == 9 ? STR("literal") : str_of(ev->original.p + at, n);

        assert_int_equal(event_add(ev, &b->arena, str_c(names[(i + form) % COUNT(names)]), v), 0);
        from += how;
    }
}

static bool within(struct str text, struct str v)
{
    return v.n && (uintptr_t)v.p - (uintptr_t)text.p < text.n;
}

/* Wherever values lie, they come back, and a value that was a part of its line is one again: who encodes anew finds what was found before. */
static void values_may_lie_anywhere_in_their_line(void **state)
{
    struct event_batch in, out, twice;
    AUTO_BUF struct buf b, again;
    unsigned seed = 3;

    (void)state;
    buf_init(&b, 0);
    buf_init(&again, 0);
    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    event_batch_init(&twice, 0);
    for (unsigned round = 0; round < 200; round++) {
        unsigned total = 1 + (unsigned)rand_r(&seed) % 100;

        event_batch_reset(&in);
        event_batch_reset(&out);
        buf_reset(&b);
        buf_reset(&again);
        for (unsigned i = 0; i < total; i++)
            anywhere(&in, &seed);
        assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
        assert_int_equal(event_decode(buf_view(&b), 1, &out, NULL), 0);
        assert_int_equal(out.count, total);
        for (unsigned i = 0; i < total; i++) {
            const struct event *x = &in.items[i], *y = &out.items[i];

            same(x, y);
            for (uint32_t f = 0; f < x->field_count; f++)
                if (within(x->original, x->fields[f].value))
                    assert_true(y->fields[f].value.p - y->original.p == x->fields[f].value.p - x->original.p);
        }
        assert_int_equal(event_encode(out.items, out.count, &again, NULL), 0);
        event_batch_reset(&twice);
        assert_int_equal(event_decode(buf_view(&again), 1, &twice, NULL), 0);
        assert_int_equal(twice.count, total);
        for (unsigned i = 0; i < total; i++)
            same(&in.items[i], &twice.items[i]);
    }
    event_batch_free(&in);
    event_batch_free(&out);
    event_batch_free(&twice);
}

/* What is between the values of a line is written once. */
static void a_line_like_the_one_before_is_its_values(void **state)
{
    struct event_batch in;
    AUTO_BUF struct buf b;
    size_t one;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&in, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct event *ev = event_batch_add(&in);

        ev->original = arena_printf(&in.arena, "%u logged in, and nobody who reads this sentence once wants to read it twice", 7000 + i);
        assert_int_equal(event_add(ev, &in.arena, STR("user.id"), str_of(ev->original.p, 4)), 0);
        assert_int_equal(event_add(ev, &in.arena, STR("message"), ev->original), 0);
    }
    assert_int_equal(event_encode(in.items, 1, &b, NULL), 0);
    one = b.n;
    buf_reset(&b);
    assert_int_equal(event_encode(in.items, 2, &b, NULL), 0);
    assert_int_equal(b.n - one, 3 + 1 + 1 + 4);   /* shape, time, received; bits; a length; "7001" */
    event_batch_free(&in);
}

/* A payload whose lines are all one is small whatever they are long; its reader is not. */
static void lines_count_against_the_limit_however_small_they_become(void **state)
{
    struct event_batch in;
    AUTO_BUF struct buf b;
    struct str text;

    (void)state;
    buf_init(&b, 64 * KIB);
    event_batch_init(&in, 0);
    text = arena_printf(&in.arena, "%01000d", 1);
    for (int i = 0; i < 100; i++)
        event_batch_add(&in)->original = text;
    assert_int_equal(event_encode(in.items, 60, &b, NULL), 0);
    assert_true(b.n < 2000);
    buf_reset(&b);
    assert_int_equal(event_encode(in.items, 100, &b, NULL), -E2BIG);
    event_batch_free(&in);
}

/* A few bytes that say they are a large line again and again come to the limit of the batch, and no further. */
static void a_payload_that_grows_without_end_is_refused(void **state)
{
    struct event_batch in, out;
    AUTO_BUF struct buf b;
    struct str text;

    (void)state;
    buf_init(&b, 256 * MIB);
    event_batch_init(&in, 0);
    event_batch_init(&out, 8 * MIB);
    text = arena_printf(&in.arena, "%0500000d", 1);
    for (int i = 0; i < 100; i++)
        event_batch_add(&in)->original = text;
    assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
    assert_int_equal(event_decode(buf_view(&b), 1, &out, NULL), -EBADMSG);
    assert_int_equal(out.count, 0);
    event_batch_free(&in);
    event_batch_free(&out);
}

/* Lines of name=value with names that nobody had before make a shape a line. Whoever may write them must not make frames that are too large to read. */
static void names_that_are_ever_new_take_a_bounded_memory(void **state)
{
    struct event_batch in, out;
    AUTO_BUF struct buf b, text;
    size_t fields = 0, bytes = 0;

    (void)state;
    buf_init(&b, 0);
    buf_init(&text, 0);
    event_batch_init(&in, 0);
    for (unsigned i = 0; i < 300; i++) {
        struct event *ev = event_batch_add(&in);

        buf_reset(&text);
        for (unsigned f = 0; f < 200; f++)
            buf_printf(&text, "%06u=%u ", i * 200 + f, f % 10);
        ev->original = arena_copy(&in.arena, buf_view(&text));
        for (unsigned f = 0; f < 200; f++)
            assert_int_equal(event_add(ev, &in.arena, str_of(ev->original.p + f * 8, 6), str_of(ev->original.p + f * 8 + 7, 1)), 0);
        fields += ev->field_count;
        bytes += ev->original.n;
    }
    assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
    event_batch_init(&out, bytes + fields * 96);
    assert_int_equal(event_decode(buf_view(&b), 1, &out, NULL), 0);
    for (size_t i = 0; i < in.count; i++)
        same(&in.items[i], &out.items[i]);
    event_batch_free(&in);
    event_batch_free(&out);
}

static void cut_and_flipped_payloads_do_no_harm(void **state)
{
    struct event_batch in, out;
    AUTO_BUF struct buf b;
    unsigned seed = 9;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    fill(&in);
    for (int i = 0; i < 20; i++)
        anywhere(&in, &seed);
    assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
    for (size_t n = 0; n < b.n; n++) {
        char *cut = malloc(n ? n : 1);

        memcpy(cut, b.p, n);
        assert_int_equal(event_decode(str_of(cut, n), 1, &out, NULL), -EBADMSG);
        assert_int_equal(out.count, 0);
        arena_reset(&out.arena);
        free(cut);
    }
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] ^= (char)(1 << bit % 8);
        if (event_decode(buf_view(&b), 1, &out, NULL) == 0)
            for (size_t i = 0; i < out.count; i++)
                event_get(&out.items[i], STR("source.ip"));
        event_batch_reset(&out);
        b.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    event_batch_free(&in);
    event_batch_free(&out);
}

/* The encoder knows shapes by the places of their names, and values by their places. Events of one shape whose names lie elsewhere come between. */
static void places_in_memory_are_no_values(void **state)
{
    static const char *const values[] = { "success", "failure", "success", "unknown", "success", "failure", "failure" };
    char name[] = "event.outcome";
    struct event_batch in, out;
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&in, 0);
    event_batch_init(&out, 0);
    for (size_t i = 0; i < COUNT(values); i++)
        assert_int_equal(event_add(event_batch_add(&in), &in.arena, i % 2 ? str_c(name) : STR("event.outcome"), str_c(values[i])), 0);
    assert_int_equal(event_encode(in.items, in.count, &b, NULL), 0);
    assert_int_equal(event_decode(buf_view(&b), 1, &out, NULL), 0);
    assert_int_equal(out.count, COUNT(values));
    for (size_t i = 0; i < COUNT(values); i++)
        assert_true(str_eq(event_get(&out.items[i], STR("event.outcome")), str_c(values[i])));
    event_batch_free(&in);
    event_batch_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codec_gives_back_what_it_took),
        cmocka_unit_test(payloads_of_version_1_are_read),
        cmocka_unit_test(payloads_of_version_2_are_read),
        cmocka_unit_test(portions_of_any_size_come_back),
        cmocka_unit_test(fields_that_nobody_wants_are_left_out_and_all_else_stays),
        cmocka_unit_test(what_does_not_fit_is_refused_and_the_next_goes_on),
        cmocka_unit_test(values_may_lie_anywhere_in_their_line),
        cmocka_unit_test(a_line_like_the_one_before_is_its_values),
        cmocka_unit_test(lines_count_against_the_limit_however_small_they_become),
        cmocka_unit_test(a_payload_that_grows_without_end_is_refused),
        cmocka_unit_test(names_that_are_ever_new_take_a_bounded_memory),
        cmocka_unit_test(cut_and_flipped_payloads_do_no_harm),
        cmocka_unit_test(places_in_memory_are_no_values),
    };

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
