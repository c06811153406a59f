/* bin.h - what the three main()s share: the tables of roles and commands, and the helpers of a command line.
 *
 * Owns      nothing.
 * Promises  1. Exit codes everywhere: 0 yes, 1 no (not found, not conformant, broken data), 2 usage or configuration.
 *           2. Results go to standard output, everything else to standard error.
 *           3. A command is one file cmd_NAME.c with int cmd_NAME(argc, argv), listed in commands.def with one line of help.
 * Threads   main only. */
#ifndef SAQSHY_BIN_BIN_H
#define SAQSHY_BIN_BIN_H

#include "base/catalog.h"
#include "base/node.h"

#include <stdio.h>
#include <stdlib.h>

#define SAQSHY_VERSION "0.1.0"

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_AGAIN = 4 };   /* the last one of a role alone: start me again, at once */
/* wrong_usage - say what of the command line is wrong and where the usage stands; EXIT_USAGE. */
static inline int wrong_usage(const char *command, const char *what)
{
    fprintf(stderr, "saqshy %s: %s; \"saqshy %s --help\" tells the usage\n", command, what, command);
    return EXIT_USAGE;
}
/* data_and_json - the options of a command that has --data and --json and no other; *data and *json stay as they are where one is not given. -1: go on,
 * with the words from optind; otherwise the exit code, and --help or the usage was told. */
MUST_USE int data_and_json(int argc, char **argv, const char *usage, const char **data, bool *json);
/* time_argument - a time on the command line, written as in a search (docs/search.md): a date is that of Astana and begins there. -EINVAL with the forms expected. */
MUST_USE int time_argument(const char *text, time_ns now, time_ns *out, struct err *e);
/* cmd_rules_except - "saqshy rules except" and "exceptions"; argv[0] is that word. */
int cmd_rules_except(int argc, char **argv);
#define RULE_FOLDERS_MAX 16   /* on a command line */
/* rule_paths - the pipelines of content come first, so that any other file may say it otherwise; then the given folders, or without
 * any our own rules and those below data (may be NULL). The paths point into r. */
struct rule_paths { char pipelines[4200], own[4200], added[4200]; const char *paths[RULE_FOLDERS_MAX + 2]; size_t count; };
void rule_paths(struct rule_paths *r, const char *content, const char *data, const char *const *given, size_t count);
/* cmd_rules_explain, cmd_rules_cost - "saqshy rules explain", "saqshy rules cost"; argv[0] is that word. */
int cmd_rules_explain(int argc, char **argv);
int cmd_rules_cost(int argc, char **argv);
int cmd_rules_preview(int argc, char **argv);   /* the same */
/* lang_of_environment - LC_ALL, LC_MESSAGES or LANG; English if none of them names a language of ours. */
static inline enum lang lang_of_environment(void)
{
    const char *v = getenv("LC_ALL");

    if (!v || !*v)
        v = getenv("LC_MESSAGES");
    if (!v || !*v)
        v = getenv("LANG");
    return lang_parse(str_c(v), LANG_EN);
}

#define COMMAND(name, summary) int cmd_##name(int argc, char **argv);
#include "bin/commands.def"
#undef COMMAND

/* A role runs until SIGTERM or SIGINT and returns an exit code. It opens what it needs below node->data only. */
int role_ingest_run(const struct node *node);
int role_index_run(const struct node *node);
int role_detect_run(const struct node *node);
int role_forward_run(const struct node *node);
int role_desk_run(const struct node *node);
int role_tools_run(const struct node *node);
int role_keys_run(const struct node *node);

/* node_check_sources - what the configuration says of sources and base cannot judge: classes, zones by name (which become minutes). */
MUST_USE int node_check_sources(struct node *n, struct err *e);

/* node_check_forward - what the configuration says of upstreams and base cannot judge: filters, options of kinds. */
MUST_USE int node_check_forward(const struct node *n, struct err *e);

/* supervise - run all roles of the node as processes until SIGTERM or SIGINT; see supervise.c. Returns an exit code. */
int supervise(const struct node *node, const char *config_file);

/* sandbox_enter - give up what the role does not need: privileges, system calls, the file system outside its folders.
 * Failing to do so is an error, a kernel without Landlock is not (said in the log). */
MUST_USE int sandbox_enter(const struct node *node, enum node_role role, struct err *e);

/* init_data - make a data directory: folders, certificate authority, certificates, configuration, administrator, and with demo
 * the demonstration registry. Prints the sign-in once. -EEXIST if the directory is already one. */
struct init_options {
    const char *data;
    int         portal_port, otlp_port, syslog_port;
    bool        demo;
};
MUST_USE int init_data(const struct init_options *o, const char *exe_folder, struct err *e);

/* token_make - another sender over HTTP: its token goes to standard output, once, its hash into DATA/tokens. object may be NULL. -EEXIST if there
 * is one of this name. */
MUST_USE int token_make(const struct node *n, const char *name, const char *object, struct err *e);

/* own_as - path, if root asks and root has it, gets the owner of the data directory, as whom the roles run. A link is not followed. No such path: 0. */
MUST_USE int own_as(const char *data, const char *path, struct err *e);

#endif
