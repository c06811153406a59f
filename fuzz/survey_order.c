/* survey_order.c - enemy of the orders that the desk writes for the role "tools": whatever they hold, a command is a program of the policy, its fixed arguments, and
 * single places behind them. */
#include "desk/surveys/room.h"
#include "desk/surveys/tools.h"

static const char policy[] =
    "profiles:\n"
    "  - {id: ports, tool: nmap, program: /usr/bin/nmap, title: {kk: a, ru: a, en: a}, modes: [pentest_auto], arguments: ['-sT', '-oX', '{output}', '--'], target: hosts, format: nmap,"
    " time_s: 5, cpu_s: 5, memory_mib: 64, output_mib: 1}\n"
    "  - {id: local, tool: oscap, program: /usr/bin/oscap, title: {kk: a, ru: a, en: a}, modes: [update_config], arguments: [eval], target: local, format: xccdf, time_s: 5,"
    " cpu_s: 5, memory_mib: 64, output_mib: 1}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    const struct tool_profile *t = NULL;
    AUTO_ARENA struct arena a = { 0 };
    struct tool_policy *p = NULL;
    char **argv = NULL;
    struct err e;

    arena_init(&a, 4 * MIB);
    (void)place_valid(text);
    assert(tool_policy_text(str_c(policy), "policy", &p, &e) == 0);
    if (tool_order_read(text, p, &(struct tool_files){ "/data/tools/1.out", NULL }, &a, &t, &argv, &e) == 0) {
        assert(strncmp(argv[0], "/usr/bin/", 9) == 0);
        for (size_t i = 0; i < t->arg_count; i++)
            assert(str_eq(str_c(argv[1 + i]), t->args[i]) || str_eq(t->args[i], STR("{output}")));
        for (size_t i = 1 + t->arg_count; argv[i]; i++)
            assert(place_valid(str_c(argv[i])) && argv[i][0] != '-');
    }
    tool_policy_free(&p);
    return 0;
}
