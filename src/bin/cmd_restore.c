/* cmd_restore.c - saqshy restore: a node of a backup. */
#include <getopt.h>

#include "bin/backup_print.h"
#include "bin/bin.h"

static const char usage[] =
    "usage: saqshy restore TARGET --data DIR [--mib-per-second N] [--quiet] [--json]\n\n"
    "Makes a node of the backup in TARGET in the folder DIR, which is empty or absent. A restore that was broken off goes on when it is run again; before it is finished no saqshyd\n"
    "starts there. Every file is compared by SHA-256. As root, files belong to the owner of DIR. A backup without private keys wants those of DATA/pki from where you keep them.\n"
    "Exit 0: done; 2: it could not be done, a damaged file of the backup is named.\n";

static const struct option options[] = {
    { "data", required_argument, NULL, 'd' }, { "mib-per-second", required_argument, NULL, 'm' }, { "quiet", no_argument, NULL, 'q' },
    { "json", no_argument, NULL, 'j' },       { "help", no_argument, NULL, 'h' },                 { NULL, 0, NULL, 0 },
};

static int restore(const char *target, const char *data, const struct backup_options *o, const struct backup_say *say)
{
    struct backup_progress done = { 0 };
    struct backup_facts facts = { 0 };
    struct err e = { 0 };
    int rc = backup_restore(target, data, o, &facts, &done, &e);

    if (rc < 0) {
        fprintf(stderr, "saqshy restore: %s\n", e.text);
        return EXIT_USAGE;
    }
    backup_say_result(say, &facts, &done);
    if (!facts.keys)
        fprintf(stderr, "saqshy restore: this backup has no private keys: bring those of DATA/pki before saqshyd starts\n");
    return EXIT_YES;
}

int cmd_restore(int argc, char **argv)
{
    struct backup_say say = { .command = "restore" };
    struct backup_options o = { .tell = backup_say_progress, .warn = backup_say_fault, .arg = &say };
    const char *data = NULL, *wrong = NULL;
    int c;

    while (!wrong && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': data = optarg; break;
        case 'm': wrong = backup_rate(optarg, &o.bytes_per_s) ? NULL : "--mib-per-second wants a number above 0"; break;
        case 'q': say.quiet = true; break;
        case 'j': say.json = true; break;
        case 'h': fputs(usage, stdout); return EXIT_YES;
        default: wrong = "no such option"; break;
        }
    }
    if (!wrong && (!data || argc - optind != 1))
        wrong = data ? "one TARGET is expected: the folder of the backup" : "--data is missing: the folder that becomes a node";
    return wrong ? wrong_usage("restore", wrong) : restore(argv[optind], data, &o, &say);
}
