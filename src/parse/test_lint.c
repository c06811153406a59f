/* test_lint.c - logs that keep to Annex 4 and logs that do not. */
#include "base/test.h"
#include "parse/lint.h"

struct row {
    const char *name;
    enum event_class class;
    const char *text, *want; /* "line:column code row" pieces, one a line; "" where it conforms */
};

static void note(void *arg, const struct lint_remark *m)
{
    buf_printf(arg, "%zu:%zu %s %s\n", m->line, m->column, m->code, m->row);
}

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf got;

        buf_init(&got, 0);
        lint_text(str_c(rows[i].text), rows[i].class, note, &got);
        if (!str_eq(buf_view(&got), str_c(rows[i].want)))
            fail_msg("row \"%s\": got \"%.*s\"", rows[i].name, STR_ARG(buf_view(&got)));
        buf_free(&got);
    }
}

#define D "23:04:2025 09:05:00"

static const struct row os[] = {
    { "conforms", CLASS_OS_UNIX, D ";srv1;user root logged in\n" D ";srv1;\"a; b\"\n", "" },
    { "date and time apart, a further field, tabs", CLASS_OS_WINDOWS, "23:04:2025\t09:05:00\tsrv1\tlogin\t4624\n", "" },
    { "no date and time", CLASS_OS_UNIX, D ";a;b\n;a;b\n", "2:1 missing_field R-A4.2-01\n" },
    { "no record at all", CLASS_OS_UNIX, "\n\r\n", "" },
    { "a mark of the byte order, and ends of DOS", CLASS_OS_UNIX, "\xEF\xBB\xBF" D ";srv1;x\r\n", "" },
    { "the host is empty", CLASS_OS_UNIX, D ";;text\n", "1:21 missing_field R-A4.2-02\n" },
    { "the description is not there", CLASS_OS_UNIX, D ";srv1\n", "1:25 missing_field R-A4.2-03\n" },
    { "dots belong to letters", CLASS_OS_UNIX, D ";a;b\n23.04.2025 09:05:00;a;b\n", "2:1 date_format R-A4-DT1\n" },
    { "no such day", CLASS_OS_UNIX, D ";a;b\n31:02:2025 09:05:00;a;b\n", "2:1 date_format R-A4-DT1\n" },
    { "no seconds", CLASS_OS_UNIX, D ";a;b\n23:04:2025 09:05;a;b\n", "2:12 time_format R-A4-DT2\n" },
    { "hour 24", CLASS_OS_UNIX, D ";a;b\n23:04:2025;24:00:00;a;b\n", "2:12 time_format R-A4-DT2\n" },
    { "a quote does not close", CLASS_OS_UNIX, D ";a;b\n" D ";a;\"b\n", "2:23 bad_quote R-A4.6-01\n" },
    { "something behind a quote", CLASS_OS_UNIX, D ";a;\"b\"c\n", "1:26 bad_quote R-A4.6-01\n" },
    { "two quotes are one", CLASS_OS_UNIX, D ";a;\"say \"\"hi\"\"; go\"\n", "" },
    { "not UTF-8", CLASS_OS_UNIX, D ";a;b\n" D ";a;\xEF\xF0\n", "2:1 not_utf8 R-A4.7-01\n" },
    { "not text", CLASS_OS_UNIX, D ";a;b\n" D ";a;\x01\n", "2:23 not_text R-A4.5-01\n" },
    { "two delimiters in one file", CLASS_OS_UNIX, D ";a;b\n" D ";a;b\n" D "|a|b\n", "3:1 mixed_format R-A4.8-01\n" },
    { "JSON among records", CLASS_OS_UNIX, D ";a;b\n{\"a\":1}\n", "2:1 mixed_format R-A4.8-01\n" },
    { "one field and two", CLASS_OS_UNIX, D ";a;b\n23:04:2025;09:05:00;a;b\n", "2:1 mixed_format R-A4.8-01\n" },
    { "blanks part nothing", CLASS_OS_UNIX, D " srv1 text\n", "1:1 no_delimiter R-A4.6-01\n" },
    { "a column counts letters", CLASS_OS_UNIX, D ";сервер;\"b\"c\n", "1:31 bad_quote R-A4.6-01\n" },
};

static const struct row others[] = {
    { "db", CLASS_DB, D "|scott|10.0.0.5|select|orders\n" D "|scott|db1|select\n" D "|scott|db1|select|\n", "" },
    { "db, no account", CLASS_DB, D "||10.0.0.5|select|orders\n", "1:21 missing_field R-A4.10-02\n" },
    { "net", CLASS_NET, D ",sw1,admin,10.0.0.1,10.0.0.2,10.0.0.3,link up\n", "" },
    { "net, an address that is none", CLASS_NET, D ",sw1,admin,10.0.0.1,10.0.0.999,10.0.0.3,link up\n",
      "1:40 bad_address R-A4.17-05\n" },
    { "fw, nothing behind the host", CLASS_FW, D ",fw1,admin,10.0.0.1\n",
      "1:39 missing_field R-A4.17-05\n1:39 missing_field R-A4.17-06\n1:39 missing_field R-A4.17-07\n" },
    { "app", CLASS_APP, D ";portal;ann;2001:db8::1;09:05:00;09:05:01;order read\n", "" },
    { "app, no end of the operation", CLASS_APP, D ";portal;ann;10.0.0.1;09:05:00;;order read\n",
      "1:50 missing_field R-A4.23-06\n" },
    { "sec", CLASS_SEC, D ";av;ann;10.0.0.1;09:05:00;09:05:01;service stopped\n", "" },
    { "sec, no client", CLASS_SEC, D ";av;ann;;09:05:00;09:05:01;service stopped\n",
      "1:28 missing_field R-A4.29-04\n" },
};

/* Cyrillic letters that look like others; the rest of the texts is Latin or Cyrillic as it should be. */
static const struct row twins[] = {
    { "a Cyrillic і in a Latin word", CLASS_OS_UNIX, D ";srv1;W\xD1\x96ndows started\n", "1:27 look_alike R-A4.2-03\n" },
    { "a Cyrillic О in the name of a host", CLASS_OS_UNIX, D ";W\xD0\x9E" "RK1;text\n", "1:22 look_alike R-A4.2-02\n" },
    { "Russian and Kazakh words, and Latin ones beside them", CLASS_OS_UNIX,
      D ";сервер;вход в Windows, IP-адрес 10.0.0.1, жүйеге кірді: root\n", "" },
    { "a З in an hour", CLASS_OS_UNIX, D ";a;b\n23:04:2025 09:05:0\xD0\x97;a;b\n", "2:12 time_format R-A4-DT2\n2:19 look_alike R-A4.2-01\n" },
    { "an О in an address", CLASS_NET, D ",sw1,admin,1\xD0\x9E.0.0.1,10.0.0.2,10.0.0.3,link up\n",
      "1:32 look_alike R-A4.17-04\n1:31 bad_address R-A4.17-04\n" },
    { "a further field", CLASS_OS_UNIX, D ";a;b;\xD0\x86" "P\n", "1:25 look_alike R-A4.7-01\n" },
};

static void test_twins(void **state)
{
    (void)state;
    check(twins, COUNT(twins));
}

static void test_os(void **state)
{
    (void)state;
    check(os, COUNT(os));
}
static void test_others(void **state)
{
    (void)state;
    check(others, COUNT(others));
}

/* A conforming record of each class as cells, and the paragraphs that rule its fields and its format. */
static const struct whole {
    enum event_class class;
    const char *fields, *text, *quoting, *utf8, *mixed;
    const char *cell[8];
    size_t optional; /* index of a cell that may be empty; 0: none */
} wholes[] = {
    { CLASS_OS_UNIX, "R-A4.2-", "R-A4.5-01", "R-A4.6-01", "R-A4.7-01", "R-A4.8-01", { D, "srv1", "text" }, 0 },
    { CLASS_DB,
      "R-A4.10-",
      "R-A4.11-01",
      "R-A4.12-01",
      "R-A4.13-01",
      "R-A4.14-01",
      { D, "scott", "db1", "select", "orders" },
      4 },
    { CLASS_NET,
      "R-A4.17-",
      "R-A4.18-01",
      "R-A4.19-01",
      "R-A4.20-01",
      "R-A4.21-01",
      { D, "sw1", "admin", "10.0.0.1", "10.0.0.2", "10.0.0.3", "text" },
      0 },
    { CLASS_APP,
      "R-A4.23-",
      "R-A4.24-01",
      "R-A4.25-01",
      "R-A4.26-01",
      "R-A4.27-01",
      { D, "portal", "ann", "10.0.0.1", "09:05:00", "09:05:01", "text" },
      0 },
    { CLASS_SEC,
      "R-A4.29-",
      "R-A4.30-01",
      "R-A4.31-01",
      "R-A4.32-01",
      "R-A4.33-01",
      { D, "av", "ann", "10.0.0.1", "09:05:00", "09:05:01", "text" },
      0 },
};

/* write_record - the cells with semicolons between them, the one at skip empty. */
static void write_record(struct buf *b, const struct whole *w, size_t skip)
{
    for (size_t i = 0; i < COUNT(w->cell) && w->cell[i]; i++)
        buf_printf(b, "%s%s", i ? ";" : "", i == skip ? "" : w->cell[i]);
    buf_byte(b, '\n');
}

/* holds - two whole records and then the one in bad give one remark with this code and row. */
static void holds(const struct whole *w, struct str bad, const char *code, const char *row)
{
    struct buf text, got, want;

    buf_init(&text, 0);
    buf_init(&got, 0);
    buf_init(&want, 0);
    write_record(&text, w, SIZE_MAX);
    write_record(&text, w, SIZE_MAX);
    buf_str(&text, bad);
    lint_text(buf_view(&text), w->class, note, &got);
    buf_printf(&want, " %s %s\n", code, row);
    if (got.n <= want.n || got.p[0] != '3' || !str_ends(buf_view(&got), buf_view(&want)) ||
        str_chr(buf_view(&got), '\n') != (ptrdiff_t)got.n - 1)
        fail_msg("row %s: got \"%.*s\"", row, STR_ARG(buf_view(&got)));
    buf_free(&text);
    buf_free(&got);
    buf_free(&want);
}

static void test_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wholes); i++)
        for (size_t skip = 0; skip < COUNT(wholes[i].cell) && wholes[i].cell[skip]; skip++) {
            struct buf bad;
            char row[24];

            if (skip && skip == wholes[i].optional)
                continue;
            buf_init(&bad, 0);
            write_record(&bad, &wholes[i], skip);
            snprintf(row, sizeof row, "%s%02zu", wholes[i].fields, skip + 1);
            holds(&wholes[i], buf_view(&bad), "missing_field", row);
            buf_free(&bad);
        }
}

static void test_each_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wholes); i++) {
        holds(&wholes[i], STR("a\x01;b\n"), "not_text", wholes[i].text);
        holds(&wholes[i], STR(D ";\"open\n"), "bad_quote", wholes[i].quoting);
        holds(&wholes[i], STR(D ";\xEF\xF0\n"), "not_utf8", wholes[i].utf8);
        holds(&wholes[i], STR("{\"message\":\"x\"}\n"), "mixed_format", wholes[i].mixed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-A4-DT1 R-A4-DT2 the log of an operating system: dates, times, quotes, delimiters, columns",
          .test_func = test_os },
        { .name = "logs of the other classes", .test_func = test_others },
        { .name = "R-A4.2-01 R-A4.2-02 R-A4.2-03 R-A4.10-01 R-A4.10-02 R-A4.10-03 R-A4.10-04 R-A4.17-01 R-A4.17-02 "
                  "R-A4.17-03 R-A4.17-04 "
                  "R-A4.17-05 R-A4.17-06 R-A4.17-07 R-A4.23-01 R-A4.23-02 R-A4.23-03 R-A4.23-04 R-A4.23-05 R-A4.23-06 "
                  "R-A4.23-07 R-A4.29-01 "
                  "R-A4.29-02 R-A4.29-03 R-A4.29-04 R-A4.29-05 R-A4.29-06 R-A4.29-07 each required field that is empty "
                  "is told",
          .test_func = test_each_field },
        { .name = "R-A4.5-01 R-A4.6-01 R-A4.7-01 R-A4.8-01 R-A4.11-01 R-A4.12-01 R-A4.13-01 R-A4.14-01 R-A4.18-01 "
                  "R-A4.19-01 R-A4.20-01 "
                  "R-A4.21-01 R-A4.24-01 R-A4.25-01 R-A4.26-01 R-A4.27-01 R-A4.30-01 R-A4.31-01 R-A4.32-01 R-A4.33-01 "
                  "text, delimiters and "
                  "quotes, UTF-8 and one format are required in each class",
          .test_func = test_each_format },
        { .name = "lint: Cyrillic letters that look like Latin ones or digits are told where Latin is meant", .test_func = test_twins },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
