/* main_saqshy.c - the command line: finds the command in the table and gives it the rest. */
#include "bin/bin.h"

#include "base/log.h"

#include <signal.h>

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, summary) { #name, summary, cmd_##name },
#include "bin/commands.def"
#undef COMMAND
};

static void help(FILE *to)
{
    fprintf(to, "usage: saqshy COMMAND [OPTION…]\n\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\n\"saqshy COMMAND --help\" tells more. Exit codes: 0 yes, 1 no, 2 usage or configuration.\n");
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    log_open("saqshy", LOG_WARN, 2);
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return EXIT_YES;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("saqshy " SAQSHY_VERSION);
        return EXIT_YES;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "saqshy: no command \"%s\"; \"saqshy --help\" lists them\n", argv[1]);
    return EXIT_USAGE;
}
