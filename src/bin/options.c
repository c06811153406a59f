/* options.c - the options that half of the commands have, and no other. */
#include "bin/bin.h"

#include <getopt.h>

int data_and_json(int argc, char **argv, const char *usage, const char **data, bool *json)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "json", no_argument, NULL, 'j' },
                                             { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd') {
            *data = optarg;
        } else if (c == 'j') {
            *json = true;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    return -1;
}
