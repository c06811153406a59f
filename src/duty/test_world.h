/* test_world.h - the real edition, calendar and zone for the tests of duty and forms. Only tests include it. */
#ifndef SAQSHY_DUTY_TEST_WORLD_H
#define SAQSHY_DUTY_TEST_WORLD_H

#include "duty/duty.h"
#include "base/test.h"

struct test_world {
    struct duty_world w;
    struct catalog   *c;
};

static inline const char *test_source(const char *tail, char out[4096])
{
    const char *root = getenv("SAQSHY_SOURCE");

    snprintf(out, 4096, "%s/%s", root ? root : ".", tail);
    return out;
}

static inline int test_world_open(void **state)
{
    static struct test_world t;
    char path[4096];
    struct err e;

    if (duty_world_load(test_source("content", path), "kz-52-2025", "Asia/Almaty", &t.w, &e) < 0 ||
        catalog_load(test_source("content/i18n", path), &t.c, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    *state = &t;
    return 0;
}

static inline int test_world_close(void **state)
{
    struct test_world *t = *state;

    catalog_free(&t->c);
    duty_world_free(&t->w);
    return 0;
}

#endif
