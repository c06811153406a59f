/* testing_make.c - for tests: an authority, a certificate for this host and certificates for agents, without a desk. */
#include "pki/pki.h"

int main(int argc, char **argv)
{
    const char *names[] = { "localhost", "127.0.0.1", "::1" };
    struct err e = { 0 };
    int rc = argc < 2 ? err_set(&e, -EINVAL, "usage: pki-make FOLDER AGENT...") : pki_ca_make(argv[1], "Saqshy test", &e);

    if (rc >= 0)
        rc = pki_server_make(argv[1], names, COUNT(names), &e);
    for (int i = 2; rc >= 0 && i < argc; i++)
        rc = pki_agent_make(argv[1], str_c(argv[i]), &e);
    if (rc >= 0)
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return 1;
}
