/* test_column.c - columns of every kind there and back, and what they answer. */
#include "column/testing.h"
#include "base/file.h"
#include "base/test.h"

#include <time.h>

static struct round round_;
static struct str values[COLUMN_ROWS_MAX];
static time_ns times[COLUMN_ROWS_MAX];
static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 256 * MIB);
    round_open(&round_);
    return 0;
}

static int end(void **state)
{
    (void)state;
    round_close(&round_);
    arena_free(&arena);
    return 0;
}

/* lines - the lines of text as values; how many. */
static size_t lines(struct str text)
{
    struct str piece;
    size_t n = 0;

    while (n < COLUMN_ROWS_MAX && str_split(&text, '\n', &piece))
        values[n++] = piece;
    return n;
}

static void check(const char *name, size_t count, const time_ns *time)
{
    const char *wrong = round_check(&round_, values, count, time, count);

    if (wrong)
        fail_msg("row \"%s\" (%s): %s (%s)", name, column_kind_name(column_kind(round_.c)), wrong, round_.e.text);
}

/* Each kind by its own texts, and by texts that are nearly so; -1: of whatever kind, only exact. The lines are repeated until there are 100 rows:
 * each '#' is then some digit, each '@' some letter from g on. */
static const struct {
    const char *name, *text;
    int         kind;
} rows[] = {
    { "one value", "sshd\nsshd\nsshd", COLUMN_CONSTANT },
    { "nothing, everywhere", "\n\n\n", COLUMN_CONSTANT },
    { "two names", "root\nadmin\nroot\nroot\nadmin", COLUMN_TABLE },
    { "process ids", "2#8#\n7##\n1##1#\n9#", COLUMN_DECIMAL },
    { "numbers with leading zeros among others", "2#8#\n07##\n1##1#\n9#", -1 },
    { "one leading zero among many", "2#8#\n2##1\n5#7#\n#9#7\n1##1\n2#3#\n8###\n9#8#\n2#2#\n1##4\n5#5#\n6#66\n3###\n4##4\n7##7\n8##8\n04#5", -1 },
    { "six digits always", "0#0###\n1##0##\n9####0", COLUMN_PATTERN },
    { "the greatest number of 64 bits", "18446744073709551615\n1844674407370955161#\n#\n9223372036854775807", -1 },
    { "one more than that", "18446744073709551616\n18446744073709551617\n1#\n##2", -1 },
    { "twenty digits always", "1844674407370955161#\n1844674407###9551615", -1 },
    { "twenty-five digits", "1844674407370955161######\n0000000407###955161512345", COLUMN_LONG },
    { "signs", "-1#\n-2#3\n-7\n-1##", COLUMN_DECIMAL },
    { "signs here and there", "-1#\n2#3\n-7\n1##\n0\n-0\n+1", -1 },
    { "milliseconds behind a number", "1#ms\n2##ms\n3#1ms", COLUMN_DECIMAL },
    { "seconds with three digits behind the point", "0.0##\n1#.##7\n2.5##\n3##.000", COLUMN_DECIMAL },
    { "a point without a digit before it", ".0##\n.5##\n.###", -1 },
    { "fractions of many lengths", "0.#\n1.##\n2.###\n3\n4.", -1 },
    { "a port behind a name", "eth0:1##\neth0:2###\neth0:#7", -1 },
    { "0x and lower case", "0x3e##\n0x1f##\n0x1#a#\n0xfffffffffff##fff\n0x#7#", COLUMN_HEX },
    { "0X and upper case", "0X3E##\n0X1F##\n0X1#A#\n0XAB##C", COLUMN_HEX },
    { "0x in both cases", "0x3e#\n0x3E#\n0xaB\n0x1f##", -1 },
    { "0x with leading zeros", "0x00000##f\n0x0000a#ff\n0x0#0000ff", COLUMN_PATTERN },
    { "0x with seventeen digits", "0x1ffffffffffffff##\n0x2fffffffffffffff#\n0x#", -1 },
    { "0x alone", "0x\n0x#\n0x##\n0x1##", -1 },
    { "eight hexadecimal digits", "##ff##a2\nde####ef\n##a1b##3", COLUMN_PATTERN },
    { "eight of both cases", "##FF##a2\nde####ef\n##A1b##3", -1 },
    { "cards of network", "00:1a:2b:3c:#d:#e\n#0:1#:2b:3c:ff:0#", COLUMN_PATTERN },
    { "addresses", "10.1#.#.1##\n192.1#8.#1.2#\n203.#.113.1##\n25#.255.2#0.25#\n1#.#.#.#", -1 },
    { "addresses of ten thousands", "10.1#.2#.1##\n192.1#8.1#1.2#\n203.1#.11#.1##", COLUMN_ADDRESS },
    { "addresses with leading zeros", "10.0.#.1##\n192.168.01.#\n10.00.0.#", -1 },
    { "addresses past 255", "10.0.#.1##\n192.256.#.2\n300.1.1.#", -1 },
    { "addresses of three and five parts", "10.0.#\n10.#.1.1.1\n1.2.3.#\n1.2.3.\n.1.2.3", -1 },
    { "addresses in brackets", "[10.0.#.1#]\n[192.168.#1.2]\n[1.2.3.#]", COLUMN_ADDRESS },
    { "addresses behind a static beginning", "10.1.2.#\n10.1.2.##\n10.1.2.1#", -1 },
    { "addresses and a dash here and there", "10.0.#.1##\n192.168.1.#\n10.9.8.#\n1.2.3.#\n5.6.7.#\n9.8.7.#\n10.0.#.1#\n10.8.#.1#\n1.1.1.#\n2.2.#.2\n4.4.4.#\n4.#.4.4\n6.6.#.6\n7.7.7.#\n"
      "8.8.#.8\n9.9.#.9\n11.1.1.#\n-", COLUMN_ADDRESS },
    { "UUIDs", "4d2b#1aa-0#00-4c1e-9f##-0123456789a#\n00000000-####-0000-0000-00000000000#", COLUMN_LONG },
    { "UUIDs of Windows", "{4D2B#1AA-0#00-4C1E-9F##-0123456789A#}\n{00000000-####-0000-0000-00000000000#}", COLUMN_LONG },
    { "UUIDs of both cases", "4d2b#1aa-0#00-4c1e-9f##-0123456789a#\n4D2B#1AA-0#00-4C1E-9F##-0123456789A#", -1 },
    { "an odd number of many digits", "4d2b#1aa0#004c1e9f#\n0000000000####0000#", COLUMN_LONG },
    { "dates", "2026-0#-1#\n2025-1#-2#\n1999-12-3#", COLUMN_PATTERN },
    { "a table of addresses", "203.0.113.#\n10.0.0.#\n198.51.100.#", COLUMN_TABLE },
    { "a table of numbers with leading zeros", "00#0\n0#77", COLUMN_TABLE },
    { "a table of addresses and a name", "10.0.#.1\n10.0.0.#\nlocalhost", COLUMN_TABLE },
    { "words", "ssh@\nk@ernel\n@cron\nsy@tem@", -1 },
    { "a byte of zero in a pattern's place", "12\x01#", -1 },
    { "Kazakh and Russian", "қолданушы #\nпайдаланушы #\nпользователь @", -1 },
};

/* repeated - the lines of text again and again until there are 100, with their digits and letters going round. */
static size_t repeated(struct str text)
{
    size_t lines_of = lines(text), n = 0;
    uint64_t seed = 88172645463325252;
    struct str *of = arena_array(&arena, lines_of, sizeof *of);

    memcpy(of, values, lines_of * sizeof *of);
    for (; n < max_size(lines_of, 100); n++) {
        struct str v = arena_copy(&arena, of[n % lines_of]);

        for (size_t i = 0; i < v.n; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            if (v.p[i] == '#')
                ((char *)(uintptr_t)v.p)[i] = (char)('0' + (seed >> 33) % 10);
            if (v.p[i] == '@')
                ((char *)(uintptr_t)v.p)[i] = (char)('g' + (seed >> 33) % 20);
        }
        values[n] = v;
    }
    return n;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        arena_reset(&arena);
        check(rows[i].name, repeated(str_c(rows[i].text)), NULL);
        if (rows[i].kind >= 0)
            CHECK(rows[i].name, (int)column_kind(round_.c) == rows[i].kind);
        check(rows[i].name, lines(str_c(rows[i].text)), NULL);
    }
}

/* Times: what a row's text is in each form, of the same moment. */
static const struct {
    const char *name, *form;      /* of date, but %f: milliseconds, %u: microseconds, %n: nanoseconds, %g: nanoseconds without zeros at the end */
    int         offset_min, kind;
} forms[] = {
    { "RFC 3164", "%b %e %H:%M:%S", 300, COLUMN_TIME },
    { "RFC 3164 of a clock in UTC", "%b %e %H:%M:%S", 0, COLUMN_TIME },
    { "RFC 3164 of a clock fourteen hours ahead", "%b %e %H:%M:%S", 840, COLUMN_TIME },
    { "RFC 3164 of a clock of half an hour, west", "%b %e %H:%M:%S", -210, COLUMN_TIME },
    { "RFC 3164 with a year", "%b %e %Y %H:%M:%S", 300, COLUMN_TIME },
    { "RFC 3164 with a day of two digits", "%b %d %H:%M:%S", 300, -1 },
    { "RFC 3339, Z", "%Y-%m-%dT%H:%M:%SZ", 0, COLUMN_TIME },
    { "RFC 3339, milliseconds", "%Y-%m-%dT%H:%M:%S.%f+05:00", 300, COLUMN_TIME },
    { "RFC 3339, microseconds, half an hour", "%Y-%m-%dT%H:%M:%S.%u+05:30", 330, COLUMN_TIME },
    { "RFC 3339, nanoseconds, west", "%Y-%m-%dT%H:%M:%S.%n-03:30", -210, COLUMN_TIME },
    { "RFC 3339, zeros at the end left out", "%Y-%m-%dT%H:%M:%S%gZ", 0, COLUMN_TIME },
    { "a zone of west zero", "%Y-%m-%dT%H:%M:%S-00:00", 0, -1 },
    { "a zone that is not the clock's", "%Y-%m-%dT%H:%M:%S+06:00", 300, -1 },
    { "a space and a comma", "%Y-%m-%d %H:%M:%S,%f", 300, COLUMN_TIME },
    { "a zone without a colon", "%Y-%m-%d %H:%M:%S.%f+0500", 300, COLUMN_TIME },
    { "a zone of hours", "%Y-%m-%d %H:%M:%S.%f+05", 300, COLUMN_TIME },
    { "a zone behind a space", "%Y-%m-%d %H:%M:%S +0500", 300, COLUMN_TIME },
    { "common log format", "%d/%b/%Y:%H:%M:%S +0500", 300, COLUMN_TIME },
    { "slashes", "%Y/%m/%d %H:%M:%S", 300, COLUMN_TIME },
    { "Annex 4", "%d:%m:%Y %H:%M:%S", 300, COLUMN_TIME },
    { "dots", "%d.%m.%Y %H:%M:%S.%f", 300, COLUMN_TIME },
    { "a clock alone", "%H:%M:%S", 300, COLUMN_TIME },
    { "a day alone", "%Y-%m-%d", 0, -1 },
    { "seconds since 1970", "%s", 0, COLUMN_TIME },
    { "seconds since 1970 and milliseconds", "%s.%f", 0, COLUMN_TIME },
    { "American", "%m/%d/%Y %I:%M:%S PM", 300, -1 },
};

/* time_text - as the form says, by the C library's calendar, which stands beside ours. */
static struct str time_text(const char *form, int offset_min, time_ns t)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t second = (time_t)(t / NS_PER_SECOND - (t % NS_PER_SECOND < 0)), local = second + offset_min * 60;
    unsigned ns = (unsigned)(t - second * NS_PER_SECOND), digits = 9, part = ns;
    struct buf text;
    struct str copy;
    struct tm tm;

    buf_init(&text, 0);
    gmtime_r(&local, &tm);
    for (; *form; form++) {
        if (*form != '%') {
            buf_byte(&text, *form);
            continue;
        }
        switch (*++form) {
        case 'b': buf_put(&text, months + 3 * tm.tm_mon, 3); break;
        case 'e': buf_printf(&text, "%2d", tm.tm_mday); break;
        case 'd': buf_printf(&text, "%02d", tm.tm_mday); break;
        case 'm': buf_printf(&text, "%02d", tm.tm_mon + 1); break;
        case 'Y': buf_printf(&text, "%04d", tm.tm_year + 1900); break;
        case 'H': buf_printf(&text, "%02d", tm.tm_hour); break;
        case 'I': buf_printf(&text, "%02d", tm.tm_hour % 12 ? tm.tm_hour % 12 : 12); break;
        case 'M': buf_printf(&text, "%02d", tm.tm_min); break;
        case 'S': buf_printf(&text, "%02d", tm.tm_sec); break;
        case 's': buf_printf(&text, "%lld", (long long)second); break;
        case 'f': buf_printf(&text, "%03u", ns / 1000000); break;
        case 'u': buf_printf(&text, "%06u", ns / 1000); break;
        case 'n': buf_printf(&text, "%09u", ns); break;
        default:
            for (; part && part % 10 == 0; part /= 10)
                digits--;
            if (part)
                buf_printf(&text, ".%0*u", (int)digits, part);
        }
    }
    copy = arena_copy(&arena, buf_view(&text));
    buf_free(&text);
    return copy;
}

static const struct {
    const char *name;
    time_ns     first, step;
} moments[] = {
    { "seconds", INT64_C(1795844883) * NS_PER_SECOND + 123456789, 700 * NS_PER_MS },
    { "days from the end of a year into the next", INT64_C(1798700000) * NS_PER_SECOND, 3 * NS_PER_HOUR + 11 },
    { "a leap day", INT64_C(1835394000) * NS_PER_SECOND, NS_PER_HOUR / 2 + 500 },
    { "February of a year that is none", INT64_C(4107470000) * NS_PER_SECOND, NS_PER_HOUR },
    { "over 1970", -50 * NS_PER_SECOND - 7, NS_PER_SECOND + 1 },
    { "before 1970", -INT64_C(1795844883) * NS_PER_SECOND, NS_PER_HOUR * 7 + 999999999 },
    { "the last that there are", INT64_MAX - 300 * NS_PER_HOUR, NS_PER_HOUR * 2 },
    { "the first that there are", INT64_MIN + 40 * NS_PER_HOUR, NS_PER_HOUR * 2 },
    { "zeros at the end of fractions", INT64_C(1795844883) * NS_PER_SECOND, 50 * NS_PER_MS },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++)
        for (size_t m = 0; m < COUNT(moments); m++) {
            char name[200];

            arena_reset(&arena);
            snprintf(name, sizeof name, "%s, %s", forms[i].name, moments[m].name);
            for (size_t row = 0; row < 150; row++) {
                times[row] = moments[m].first + (time_ns)row * moments[m].step;
                values[row] = time_text(forms[i].form, forms[i].offset_min, times[row]);
            }
            check(name, 150, times);
            if (forms[i].kind >= 0 && m < 4)
                CHECK(name, (int)column_kind(round_.c) == forms[i].kind);
        }
}

/* A few rows whose text is another time than the event's, or none, do not spoil the column; many do. */
static void test_times_with_exceptions(void **state)
{
    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 320; i++) {
        times[i] = INT64_C(1795844883) * NS_PER_SECOND + (time_ns)i * NS_PER_SECOND;
        values[i] = time_text("%b %e %H:%M:%S", 300, times[i]);
    }
    values[0] = STR("Feb 30 25:61:61");
    values[17] = STR("");
    values[319] = values[318];
    check("three exceptions", 320, times);
    assert_int_equal(column_kind(round_.c), COLUMN_TIME);
    for (size_t i = 0; i < 320; i += 3)
        values[i] = values[i / 2];
    check("a third of exceptions", 320, times);
    assert_int_not_equal(column_kind(round_.c), COLUMN_TIME);
}

static void test_time_of_a_later_year(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        times[i] = INT64_MAX;
    arena_reset(&arena);
    for (size_t i = 0; i < 100; i++)
        values[i] = arena_printf(&arena, "2300-01-01T00:00:%02zuZ", i % 60);
    check("after 2262", 100, times);
}

static void test_times_are_asked_for(void **state)
{
    struct reader head;

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 100; i++) {
        times[i] = INT64_C(1795844883) * NS_PER_SECOND + (time_ns)i * NS_PER_SECOND;
        values[i] = time_text("%b %e %H:%M:%S", 300, times[i]);
    }
    assert_int_equal(round_encode(&round_, values, 100, times), 0);
    head = rd_str(round_.head);
    assert_int_equal(column_open(round_.c, &head, 100, NULL, round_frame, &round_, &round_.e), -EINVAL);
}

/* cut - the lines of a text that have so many pieces, cut at spaces; piece which of each. Every line again until there are least, as a block would have them. */
static size_t cut(struct str text, size_t pieces, size_t which, size_t least)
{
    struct str line, piece, found = { NULL, 0 };
    size_t n = 0;

    while (n < COLUMN_ROWS_MAX && str_split(&text, '\n', &line)) {
        size_t count = 0;

        for (; str_split(&line, ' ', &piece); count++)
            if (count == which)
                found = piece;
        if (count == pieces)
            values[n++] = found;
    }
    for (size_t i = 0; n && n < least; i++)
        values[n++] = values[i];
    return n;
}

/* Pieces of real lines: whatever kind they get, they come back, and answer as they are. Files: shared/data/logs, each with where it is from beside it. */
static void test_real_lines(void **state)
{
    static const char *const files[] = { "ossec/log-entries/sshd", "ossec/log-entries/imapd", "ossec/log-entries/vpn.log", "ossec/log-entries/smbd", "ossec/log-entries/ns1",
                                         "wazuh/fortigate.ini", "wazuh/cisco_ftd.ini", "wazuh/win_event_channel.ini", "wazuh/dovecot.ini", "rsyslog/sample-custom-pattern.data" };
    const char *shared = getenv("SAQSHY_SHARED");
    size_t columns = 0, kinds[COLUMN_KINDS] = { 0 };
    struct buf text;
    char path[4096];

    (void)state;
    assert_non_null(shared);
    buf_init(&text, 0);
    for (size_t f = 0; f < COUNT(files); f++) {
        snprintf(path, sizeof path, "%s/data/logs/%s", shared, files[f]);
        if (file_read(path, 16 * MIB, &text, &round_.e) < 0)
            fail_msg("%s", round_.e.text);
        for (size_t pieces = 1; pieces <= 24; pieces++)
            for (size_t which = 0; which < pieces; which++) {
                size_t n = cut(buf_view(&text), pieces, which, f % 2 ? 0 : 90);

                if (n < 8)
                    break;
                check(files[f], n, NULL);
                kinds[column_kind(round_.c)]++;
                columns++;
            }
    }
    buf_free(&text);
    assert_true(columns > 200);
    assert_true(kinds[COLUMN_CONSTANT] && kinds[COLUMN_TABLE] && kinds[COLUMN_STRINGS] && kinds[COLUMN_DECIMAL] && kinds[COLUMN_PATTERN]);
}

/* Texts whose hashes meet, as somebody who writes them may choose them: no table, and no hour of comparing. */
static void test_hashes_that_meet(void **state)
{
    size_t n = 0;

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; n < 1000; i++) {
        char text[24];
        size_t length = (size_t)snprintf(text, sizeof text, "x%zug", i);

        if ((str_hash(str_of(text, length)) & 4095) == 77)
            values[n++] = arena_copy(&arena, str_of(text, length));
    }
    for (; n < 2000; n++)
        values[n] = values[n - 1000];
    check("texts that meet", 2000, NULL);
    assert_int_not_equal(column_kind(round_.c), COLUMN_TABLE);
}

static void test_no_rows(void **state)
{
    (void)state;
    check("no row at all", 0, NULL);
}

/* word - a text of letters alone that no form takes for a number; different for each i. */
static struct str word(const char *before, size_t i)
{
    char letters[16];
    size_t n = 0;

    do
        letters[n++] = (char)('g' + i % 19);
    while ((i /= 19) != 0);
    return ARENA_JOIN(&arena, str_c(before), str_of(letters, n));
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Random bytes of random lengths: from few different ones to all different. */
static void test_random_bytes(void **state)
{
    static const size_t counts[] = { 1, 2, 63, 64, 65, 129, 1000, 4097 };
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t round = 0; round < 40; round++) {
        size_t count = counts[round % COUNT(counts)], different = 1 + random_next(&seed) % (round % 2 ? 9 : 2 * count), longest = round % 3 ? 12 : 300;

        arena_reset(&arena);
        for (size_t i = 0; i < count; i++) {
            uint64_t like = random_next(&seed) % different;
            size_t n = (like * 7) % longest;
            char *p = arena_alloc(&arena, n + 1);

            for (size_t j = 0; j < n; j++)
                p[j] = (char)((like * 31 + j * (like + 5)) >> (round % 5));
            values[i] = str_of(p, n);
        }
        check("random bytes", count, NULL);
    }
}

static void test_full_block(void **state)
{
    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < COLUMN_ROWS_MAX; i++)
        values[i] = word("text ", i * 40503u % 65536);
    check("65536 different texts", COLUMN_ROWS_MAX, NULL);
    assert_int_equal(column_kind(round_.c), COLUMN_STRINGS);
    for (size_t i = COLUMN_ROWS_MAX; i-- > 0;)
        values[i] = values[i / 2];
    check("32768 different texts, each twice", COLUMN_ROWS_MAX, NULL);
    assert_int_equal(column_kind(round_.c), COLUMN_TABLE);
}

/* As many rows as a block has, where samples stand for the whole: numbers of narrow and wide ranges, few and many different ones, skewed, in steps, with late exceptions. */
static void test_many_numbers(void **state)
{
    static const struct {
        const char *name;
        uint64_t    different, wide;     /* so many different numbers, so far from each other; 0: steps */
        size_t      strange;             /* one row in so many is no number; 0: none */
    } many[] = {
        { "narrow, few", 300, 1, 0 },         { "narrow, many", 9000, 1, 0 },     { "narrow, nearly all", 60000, 2, 0 },  { "wide, few", 200, 1u << 24, 0 },
        { "wide, many", 1u << 30, 9, 0 },     { "wide, some", 4000, 1000003, 0 }, { "steps", 1, 0, 0 },                   { "narrow, strange", 5000, 1, 100 },
        { "wide, strange", 1u << 30, 3, 40 }, { "too strange", 5000, 1, 9 },      { "the whole of 64 bits", 1u << 20, UINT64_MAX >> 20, 0 },
    };
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t m = 0; m < COUNT(many); m++) {
        arena_reset(&arena);
        for (size_t i = 0; i < 20000; i++) {
            uint64_t n = many[m].wide ? random_next(&seed) % many[m].different * many[m].wide : 4000000 + i * 3 + random_next(&seed) % 3;

            values[i] = many[m].strange && i > 3000 && i % many[m].strange == 0 ? word("-", i) : arena_printf(&arena, "%llu", (unsigned long long)n);
        }
        check(many[m].name, 20000, NULL);
    }
}

/* Promise 4: what the encoder did before leaves no trace in a column. */
static void test_same_bytes_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str head, frame[COLUMN_FRAMES];

        arena_reset(&arena);
        assert_int_equal(round_encode(&round_, values, repeated(str_c(rows[i].text)), NULL), 0);
        head = arena_copy(&arena, round_.head);
        for (size_t f = 0; f < COLUMN_FRAMES; f++)
            frame[f] = arena_copy(&arena, round_.frame[f]);
        assert_int_equal(round_encode(&round_, values, repeated(str_c(rows[(i + 7) % COUNT(rows)].text)), NULL), 0);
        assert_int_equal(round_encode(&round_, values, repeated(str_c(rows[i].text)), NULL), 0);
        CHECK(rows[i].name, str_eq(head, round_.head) && str_eq(frame[0], round_.frame[0]) && str_eq(frame[1], round_.frame[1]));
    }
}

static void test_limits(void **state)
{
    static char big[COLUMN_VALUE_MAX + 1];

    (void)state;
    memset(big, 'x', sizeof big);
    values[0] = str_of(big, COLUMN_VALUE_MAX);
    values[1] = STR("y");
    check("a value of 1 MiB", 2, NULL);
    values[1] = values[0];
    check("a constant of 1 MiB", 2, NULL);
    values[0] = str_of(big, sizeof big);
    assert_int_equal(round_encode(&round_, values, 1, NULL), -E2BIG);
    assert_int_equal(round_encode(&round_, values, COLUMN_ROWS_MAX + 1, NULL), -E2BIG);
}

/* A byte that no value has, or a needle longer than all, opens no frame; what the table answers opens the table alone. */
static void test_frames_stay_closed(void **state)
{
    struct column_question q = { .needle = STR("@") };

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 1000; i++)
        values[i] = word("user of the house ", i % 50);
    assert_int_equal(round_encode(&round_, values, 1000, NULL), 0);
    memset(round_.some, 0xff, sizeof round_.some);
    assert_null(round_ask(&round_, values, 1000, q));
    q.needle = STR("a needle that is longer than all");
    assert_null(round_ask(&round_, values, 1000, q));
    assert_null(round_ask(&round_, values, 1000, (struct column_question){ .numbers = true, .most = UINT64_MAX }));
    assert_null(round_ask(&round_, values, 1000, (struct column_question){ .addresses = true, .most = UINT32_MAX }));
    assert_int_equal(round_.opened[0] + round_.opened[1], 0);
    q.needle = STR("user of the house yi");
    assert_null(round_ask(&round_, values, 1000, q));
    assert_int_equal(round_.opened[0], 1);
    assert_int_equal(round_.opened[1], 0);
}

/* Few different addresses are a table of numbers, not of texts, and of few rows only theirs are asked. */
static bool count_asked(const void *arg, struct str value)
{
    size_t *asked = *(size_t *const *)arg;

    ++*asked;
    return str_ends(value, STR("7"));
}

static void test_table_of_numbers(void **state)
{
    size_t asked = 0, *counter = &asked;
    struct column_question q = { .yes = count_asked, .arg = &counter };

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 1000; i++)
        values[i] = arena_printf(&arena, "%zu.%zu.7.%zu", 1 + i * i % 60 * 4, i * i % 60, i * i % 60);
    assert_int_equal(round_encode(&round_, values, 1000, NULL), 0);
    assert_int_equal(column_kind(round_.c), COLUMN_TABLE);
    assert_true(round_.frame[0].n < 60 * 4);
    assert_int_equal(round_.frame[1].n, 1000);
    memset(round_.rows, 0, sizeof round_.rows);
    round_.rows[3] = 5;
    assert_int_equal(column_ask(round_.c, &q, round_.rows, &round_.e), 0);
    assert_int_equal(asked, 2);
}

static void count_told(void *arg, enum column_kind kind, struct str value)
{
    *(size_t *)arg += 1;
}

static void test_tells_each_different_value_once(void **state)
{
    size_t told = 0;

    (void)state;
    arena_reset(&arena);
    for (size_t i = 0; i < 1000; i++)
        values[i] = word("user@", i % 50);
    column_encoder_tell(round_.k, count_told, &told);
    assert_int_equal(round_encode(&round_, values, 1000, NULL), 0);
    assert_int_equal(told, 50);
    column_encoder_tell(round_.k, NULL, NULL);
}

/* cut - head and frames at each length shorter than they are, and each bit of them flipped: answered or refused, never past the end. */
static void damage(size_t count, const time_ns *time)
{
    struct str *parts[] = { &round_.head, &round_.frame[0], &round_.frame[1] };
    struct column_question q = { .yes = round_yes, .needle = STR("7") };

    q.arg = &q;
    for (size_t p = 0; p < COUNT(parts); p++) {
        struct str whole = *parts[p];

        for (size_t i = 0; i < min_size(whole.n, 600) * 9; i++) {
            size_t n = i % 9 == 8 ? i / 9 : whole.n;
            char *copy = malloc(n ? n : 1);
            struct reader head;
            int rc;

            memcpy(copy, whole.p, n);
            if (i % 9 < 8)
                copy[i / 9] = (char)(copy[i / 9] ^ 1 << i % 9);
            *parts[p] = str_of(copy, n);
            head = rd_str(round_.head);
            if (column_open(round_.c, &head, count, time, round_frame, &round_, &round_.e) == 0) {
                memset(round_.rows, 0xff, sizeof round_.rows);
                rc = column_ask(round_.c, &q, round_.rows, &round_.e);
                assert_true(rc == 0 || rc == -EBADMSG);
                rc = column_values(round_.c, NULL, round_.got, &round_.e);
                assert_true(rc == 0 || rc == -EBADMSG);
            }
            free(copy);
        }
        *parts[p] = whole;
    }
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        arena_reset(&arena);
        assert_int_equal(round_encode(&round_, values, repeated(str_c(rows[i].text)), NULL), 0);
        damage(100, NULL);
    }
    for (size_t i = 0; i < 100; i++) {
        times[i] = INT64_C(1795844883) * NS_PER_SECOND + (time_ns)i * NS_PER_SECOND;
        values[i] = i == 50 ? STR("never") : time_text("%Y-%m-%dT%H:%M:%S.%f+05:00", 300, times[i]);
    }
    assert_int_equal(round_encode(&round_, values, 100, times), 0);
    damage(100, times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_no_rows), cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_full_block),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_frames_stay_closed), cmocka_unit_test(test_tells_each_different_value_once), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_times), cmocka_unit_test(test_times_with_exceptions), cmocka_unit_test(test_time_of_a_later_year), cmocka_unit_test(test_times_are_asked_for),
        cmocka_unit_test(test_hashes_that_meet), cmocka_unit_test(test_real_lines), cmocka_unit_test(test_table_of_numbers), cmocka_unit_test(test_many_numbers),
        cmocka_unit_test(test_same_bytes_again),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
