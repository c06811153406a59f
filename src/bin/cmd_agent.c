/* cmd_agent.c - saqshy agent add|list|revoke: the certificates of agents. Works on the files of DATA/pki, whose key only an administrator of the node can read. */
#include "bin/bin.h"
#include "base/file.h"
#include "pki/pki.h"

static const char usage[] =
    "usage: saqshy agent add NAME --data DIR\n"
    "       saqshy agent list [--json] --data DIR\n"
    "       saqshy agent revoke NAME --data DIR\n\n"
    "add     makes a key and a certificate for an agent or another sender: DIR/pki/agents/NAME.key and NAME.pem\n"
    "list    every certificate that was made, until when it holds, and whether it was revoked\n"
    "revoke  all certificates of NAME that were made until now open nothing any more: listeners take the list within seconds, close connections that stand\n"
    "        with them, and need no restart\n"
    "Exit 0: done; 1: there is none of that name, or it was revoked before; 2: usage, or it could not be done.\n";

struct showing {
    bool   json, first;
    size_t count;
};

static int show(void *arg, const struct pki_issued *one)
{
    struct showing *s = arg;
    char to[TIME_TEXT_MAX];
    const char *state = one->revoked ? "revoked" : one->to < clock_now() ? "ended" : pki_due(one->from, one->to, clock_now()) ? "due" : "holds";

    time_format_utc(one->to, to);
    s->count++;
    if (s->json)
        printf("%s{\"name\":\"%.*s\",\"kind\":\"%.*s\",\"serial\":\"%.*s\",\"until\":\"%s\",\"state\":\"%s\"}", s->count > 1 ? "," : "", STR_ARG(one->name),
               STR_ARG(one->kind), STR_ARG(one->serial), to, state);
    else
        printf("%-8s %-7s %-20s  %-24.*s %.*s\n", state, one->kind.n == 5 ? "agent" : "server", to, STR_ARG(one->name), STR_ARG(one->serial));
    return 0;
}

static int list(const char *pki, bool json, struct err *e)
{
    struct showing s = { .json = json };
    int rc;

    if (json)
        putchar('[');
    rc = pki_issued_each(pki, show, &s, e);
    if (json)
        puts("]");
    return rc < 0 ? rc : EXIT_YES;
}

static int add(const char *pki, const char *name, struct err *e)
{
    int rc = pki_agent_make(pki, str_c(name), e);

    if (rc == 0)
        printf("%s/agents/%s.pem and %s.key are made. Bring them, and %s/ca.pem, to the host; then remove the key here.\n", pki, name, name, pki);
    return rc < 0 ? rc : EXIT_YES;
}

static int revoke_name(const char *pki, const char *name, struct err *e)
{
    size_t count;
    int rc = pki_revoke(pki, str_c(name), &count, e);

    if (rc == -ENOENT) {
        fprintf(stderr, "saqshy: %s\n", e->text);
        return EXIT_NO;
    }
    if (rc < 0)
        return rc;
    if (count)
        printf("%zu certificates of %s are revoked: %s/server/revoked.crl\n", count, name, pki);
    else
        printf("all certificates of %s were revoked before\n", name);
    return count ? EXIT_YES : EXIT_NO;
}

/* hand_over - what root made here is for the roles, which run as the owner of the data directory: a list of revoked certificates that they cannot read would
 * revoke nothing, and without issued.tsv nothing is renewed. */
static int hand_over(const char *data, const char *pki, struct err *e)
{
    static const char *const made[] = { "issued.tsv", "agents", "server", "server/revoked.crl" };
    char path[4200];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(made); i++) {
        snprintf(path, sizeof path, "%.4000s/%s", pki, made[i]);
        rc = own_as(data, path, e);
    }
    return rc;
}

int cmd_agent(int argc, char **argv)
{
    const char *data = NULL;
    char pki[4096];
    bool json = false;
    struct err e;
    int c, rc;

    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (!data || optind >= argc)
        return wrong_usage("agent", data ? "add, list or revoke is expected" : "--data is missing");
    const char *verb = argv[optind], *name = optind + 1 < argc ? argv[optind + 1] : NULL;
    bool alone = strcmp(verb, "list") == 0;
    if (optind + (alone ? 1 : 2) != argc)
        return wrong_usage("agent", alone ? "nothing is expected behind \"list\"" : "one NAME is expected");
    snprintf(pki, sizeof pki, "%.4000s/pki", data);
    rc = alone ? list(pki, json, &e) : strcmp(verb, "add") == 0 ? add(pki, name, &e) : strcmp(verb, "revoke") == 0 ? revoke_name(pki, name, &e)
         : err_set(&e, -EINVAL, "\"%s\" is unknown: add, list and revoke are known", verb);
    if (rc >= 0 && !alone) {
        int done = hand_over(data, pki, &e);

        rc = done < 0 ? done : rc;
    }
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
