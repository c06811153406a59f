/* role_tools.c - the role tools: runs the scanners of content/policy/tools.yaml for the desk, and is the only one that may begin another program.
 *
 * Its folder is DATA/tools; what it may execute are the programs of the policy (sandbox.c). See src/desk/surveys/tools.h and docs/surveys.md. */
#include <signal.h>

#include "base/log.h"
#include "bin/bin.h"
#include "desk/surveys/tools.h"

static volatile int stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

int role_tools_run(const struct node *node)
{
    struct sigaction a = { .sa_handler = on_signal };
    struct err e = { 0 };

    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    log_line(LOG_INFO, "tools are ready", NULL);
    if (tools_work(node, &stop_asked, &e) < 0) {
        log_line(LOG_ERROR, "tools stop", "error.message", e.text, NULL);
        return EXIT_NO;
    }
    return EXIT_YES;
}
