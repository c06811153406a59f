/* main_agent.c - saqshy-agent: one host's logs and facts to a collector. */
#include "agent/agent.h"
#include "base/log.h"

static const char usage[] = "usage: saqshy-agent --config FILE\n"
                            "  reads the logs of this host and sends them to a collector; see docs/agent.md\n"
                            "  exit codes: 0 asked to stop, 1 cannot work, 2 usage or configuration\n";

int main(int argc, char **argv)
{
    struct agent_config *c = NULL;
    struct err e = { 0 };
    int rc;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    log_open("saqshy-agent", LOG_INFO, -1);
    if (agent_config_load(argv[2], &c, &e) < 0) {
        fprintf(stderr, "saqshy-agent: %s\n", e.text);
        return 2;
    }
    rc = agent_run(c, &e);
    if (rc < 0)
        log_line(LOG_ERROR, "the agent cannot work", "error.message", e.text, NULL);
    agent_config_free(&c);
    return rc < 0 ? 1 : 0;
}
