/* test_lines.h - tables of real lines and the fields they must give. Only tests include it.
 *
 * A row's want is text: "name=value" pieces, one a line; "parser/status" first; "!name" says that a field is absent. A
 * value of several is told by several pieces in order. */
#ifndef SAQSHY_PARSE_TEST_LINES_H
#define SAQSHY_PARSE_TEST_LINES_H

#include "base/test.h"
#include "parse/parse.h"

struct line_row {
    const char *name, *line, *want;
};

/* 2026-03-20T12:00:00Z, when every row was received unless a test says otherwise. */
#define RECEIVED (INT64_C(1774008000) * NS_PER_SECOND)

/* lines_check - every row; hints may be NULL. Each line also again, cut after every byte, from a heap block of just
 * that size. */
void lines_check(const struct line_row *rows, size_t count, const struct parse_hints *hints);
struct parse_hints lines_hints(void);

#endif
