/* test_openapi.c - the table of routes and docs/openapi.yaml say the same: paths, methods, roles, bodies. */
#include "base/test.h"
#include "base/yaml.h"
#include "desk/desk.h"
#include "portal/router.h"

static void test_openapi(void **state)
{
    static const struct {
        const char *letter;
        unsigned    bit;
    } letters[] = {
#define ROLE(word, role) { word, 1u << DESK_##role }
        ROLE("ADM", ADMINISTRATOR), ROLE("ANA", CENTRE_ANALYST), ROLE("LEA", CENTRE_LEAD), ROLE("SUR", SURVEYOR), ROLE("DOC", DOCUMENT_AUDITOR),
        ROLE("OFF", OWNER_OFFICER), ROLE("OAD", OWNER_ADMINISTRATOR), ROLE("OCI", OCIB_ANALYST), ROLE("CII", CII_RESPONSIBLE), ROLE("KNB", KNB),
        ROLE("AUT", AUTHORISED_BODY), ROLE("AUD", AUDITOR),
#undef ROLE
        { "CENTRE", 1u << DESK_CENTRE_ANALYST | 1u << DESK_CENTRE_LEAD },
        { "OWNER", 1u << DESK_OWNER_OFFICER | 1u << DESK_OWNER_ADMINISTRATOR | 1u << DESK_OCIB_ANALYST | 1u << DESK_CII_RESPONSIBLE },
        { "EVERY", (1u << DESK_ROLE_COUNT) - 1 },
    };
    char path[4096];
    struct yaml *y;
    struct err e = { 0 };
    size_t seen = 0, count;

    (void)state;
    route_table(&count);
    snprintf(path, sizeof path, "%s/docs/openapi.yaml", getenv("SAQSHY_SOURCE"));
    if (yaml_load_file(path, &y, &e) < 0)
        fail_msg("%s", e.text);
    for (const struct ynode *p = yaml_get(y->docs[0], "paths")->first; p; p = p->next)
        for (const struct ynode *op = p->value->first; op; op = op->next) {
            const struct ynode *roles = yaml_get(op->value, "x-roles");
            const struct route *found = NULL, *table = route_table(&count);
            unsigned want = 0;
            char pattern[256], name[300];

            if (op->value->kind != YNODE_MAP)
                continue;
            snprintf(pattern, sizeof pattern, "%s%.*s", yaml_get(p->value, "servers") ? "" : "/api/v1", STR_ARG(p->text));
            snprintf(name, sizeof name, "%.*s %s", STR_ARG(op->text), pattern);
            for (const struct ynode *r = roles ? roles->first : NULL; r; r = r->next)
                for (size_t i = 0; i < COUNT(letters); i++)
                    want |= str_eq(r->text, str_c(letters[i].letter)) ? letters[i].bit : 0;
            for (size_t i = 0; i < count; i++)
                if (strcmp(table[i].pattern, pattern) == 0 && str_ieq(op->text, str_c(http_method_name(table[i].method))))
                    found = &table[i];
            CHECK(name, found != NULL);
            CHECK(name, found->roles == (want ? want : (unsigned)ROUTE_ANYBODY));
            CHECK(name, (found->body != NOTHING) == (yaml_get(op->value, "requestBody") != NULL));
            seen++;
        }
    assert_int_equal(seen, count);
    yaml_free(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = { { "the routes are those of docs/openapi.yaml, with the same roles", test_openapi, NULL, NULL, NULL } };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
