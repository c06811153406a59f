/* testing_make.c - for tests: an authority, a certificate for this host and certificates for agents, without a desk. An argument @NAME is one more name of
 * the host. */
#include "pki/pki.h"

int main(int argc, char **argv)
{
    const char *names[16] = { "localhost", "127.0.0.1", "::1" };
    struct err e = { 0 };
    size_t count = 3;
    int rc = argc < 2 ? err_set(&e, -EINVAL, "usage: pki-make FOLDER AGENT...") : pki_ca_make(argv[1], "Saqshy test", &e);

    for (int i = 2; i < argc && count < COUNT(names); i++)
        if (argv[i][0] == '@')
            names[count++] = argv[i] + 1;
    if (rc >= 0)
        rc = pki_server_make(argv[1], names, count, &e);
    for (int i = 2; rc >= 0 && i < argc; i++)
        if (argv[i][0] != '@')
            rc = pki_agent_make(argv[1], str_c(argv[i]), &e);
    if (rc >= 0)
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return 1;
}
