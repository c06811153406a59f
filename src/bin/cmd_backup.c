/* cmd_backup.c - saqshy backup: a copy of a node on another disk while it runs, and the proof of one. */
#include <getopt.h>

#include "bin/backup_print.h"
#include "bin/bin.h"
#include "base/clock.h"

static const char usage[] =
    "usage: saqshy backup TARGET [--data DIR] [--with-keys] [--mib-per-second N] [--quiet] [--json]\n"
    "       saqshy backup verify TARGET [--mib-per-second N] [--quiet] [--json]\n\n"
    "Copies the node of DIR (default: SAQSHY_DATA, else ./data) into the folder TARGET, on another disk, while saqshyd runs: store, journal, desk, documents, configuration, rules,\n"
    "policies, holds. The second time only what changed. A kill or a full disk leaves the copy before whole; run it again and it goes on. Every copy is read again from the disk.\n"
    "  --with-keys       private keys too: whoever reads the copy can then speak as this node\n"
    "  --mib-per-second  read no more than so much, of both sides together\n"
    "verify: every file of the copy, by SHA-256.\n"
    "Exit 0: done, whole; 1: a file of the copy is damaged or missing (each is named); 2: it could not be done. \"saqshy restore\" makes a node of it.\n";

struct asked {
    const char           *data, *target;
    struct backup_options o;
    struct backup_say     say;
    bool                  verify;
};

static const struct option options[] = {
    { "data", required_argument, NULL, 'd' }, { "with-keys", no_argument, NULL, 'k' }, { "mib-per-second", required_argument, NULL, 'm' }, { "quiet", no_argument, NULL, 'q' },
    { "json", no_argument, NULL, 'j' },       { "help", no_argument, NULL, 'h' },      { NULL, 0, NULL, 0 },
};

/* take_option - NULL, or what is wrong. */
static const char *take_option(struct asked *a, int c)
{
    switch (c) {
    case 'd': a->data = optarg; return NULL;
    case 'k': a->o.keys = true; return NULL;
    case 'm': return backup_rate(optarg, &a->o.bytes_per_s) ? NULL : "--mib-per-second wants a number above 0";
    case 'q': a->say.quiet = true; return NULL;
    case 'j': a->say.json = true; return NULL;
    default: return "no such option";
    }
}

static int run(struct asked *a, struct err *e)
{
    struct backup_progress done = { 0 };
    struct backup_facts facts = { 0 };
    int rc;

    if (a->verify) {
        rc = backup_verify(a->target, &a->o, &facts, backup_say_fault, e);
    } else {
        if (a->o.keys)
            fprintf(stderr, "saqshy backup: the copy will have the private keys of this node; keep it as you keep them\n");
        rc = backup_make(a->data, a->target, &a->o, clock_now(), &facts, &done, e);
    }
    if (rc >= 0)
        backup_say_result(&a->say, &facts, &done);
    return rc;
}

int cmd_backup(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA"), *wrong = NULL;
    struct asked a = { .data = data ? data : "data", .say = { .command = "backup" } };
    struct err e = { 0 };
    int c, rc;

    while (!wrong && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_YES;
        }
        wrong = take_option(&a, c);
    }
    a.verify = optind < argc && strcmp(argv[optind], "verify") == 0;
    if (!wrong && argc - optind != 1 + a.verify)
        wrong = "one TARGET is expected: the folder of the copy";
    if (wrong)
        return wrong_usage("backup", wrong);
    a.target = argv[optind + a.verify];
    a.o.tell = backup_say_progress;
    a.o.warn = backup_say_fault;
    a.o.arg = &a.say;
    rc = run(&a, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy backup: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc ? EXIT_NO : EXIT_YES;
}
