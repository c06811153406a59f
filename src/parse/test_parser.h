/* test_parser.h - the parser with all that content/ knows, for tests.
 *
 * Owns      the caller the parser.
 * Threads   owner. */
#ifndef SAQSHY_PARSE_TEST_PARSER_H
#define SAQSHY_PARSE_TEST_PARSER_H

#include "base/test.h"
#include "parse/parse.h"

#include <stdlib.h>

/* parser_of_content - of the tree that SAQSHY_SOURCE names, or that we stand in. */
static inline struct parser *parser_of_content(void)
{
    const char *source = getenv("SAQSHY_SOURCE");
    struct parser *p = NULL;
    char content[1024];

    snprintf(content, sizeof content, "%s/content", source ? source : ".");
    assert_int_equal(parse_new(content, 0, &p, NULL), 0);
    return p;
}

#endif
