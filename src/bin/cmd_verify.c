/* cmd_verify.c - saqshy verify: reads everything stored with suspicion: checksums, numbers, hash chains. */
#include "bin/bin.h"
#include "desk/audit_chain.h"
#include "journal/journal.h"
#include "store/store.h"

static const char usage[] =
    "usage: saqshy verify [--data DIR] [--json]\n\n"
    "Reads the journals, the store and the audit trail of DIR (default: SAQSHY_DATA, else ./data) and checks every checksum, number and link of the hash chains.\n"
    "Prints the last chain values: written down elsewhere, they prove later that nothing before was changed.\n"
    "Exit 0: whole, 1: something is damaged, changed or missing (each place is named), 2: could not be read.\n";

struct verdict {
    bool     json;
    uint64_t complaints;
};

static void complain(struct verdict *v, const char *file, uint64_t offset, const char *reason)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    v->complaints++;
    if (!v->json) {
        fprintf(stderr, "%s: at byte %llu: %s\n", file, (unsigned long long)offset, reason);
        return;
    }
    buf_str(&b, STR("{\"file\":"));
    buf_json(&b, str_c(file));
    buf_printf(&b, ",\"offset\":%llu,\"reason\":", (unsigned long long)offset);
    buf_json(&b, str_c(reason));
    printf("%.*s}\n", (int)b.n, b.p);
}

static void journal_says(void *arg, const char *file, uint64_t offset, const char *reason)
{
    complain(arg, file, offset, reason);
}

static void store_says(void *arg, const char *file, const char *reason)
{
    complain(arg, file, 0, reason);
}

static int verify_journal(const char *data, const char *name, struct verdict *v, struct err *e)
{
    struct journal_report r;
    char folder[4096];
    int rc;

    snprintf(folder, sizeof folder, "%s/%s", data, name);
    rc = journal_verify(folder, &r, journal_says, v, e);
    if (rc < 0)
        return rc;
    if (v->json)
        printf("{\"part\":\"%s\",\"whole\":%s,\"segments\":%llu,\"events\":%llu,\"first_seq\":%llu,\"next_seq\":%llu,\"torn_bytes\":%llu,\"chain\":\"%s\"}\n",
               name, rc ? "false" : "true", (unsigned long long)r.segments, (unsigned long long)r.events, (unsigned long long)r.first_seq,
               (unsigned long long)r.next_seq, (unsigned long long)r.torn_bytes, r.chain_hex);
    else
        printf("%-9s %s: %llu events in %llu segments, chain %s\n", name, rc ? "NOT WHOLE" : "whole", (unsigned long long)r.events,
               (unsigned long long)r.segments, r.chain_hex);
    return rc;
}

static int verify_store(const char *data, struct verdict *v, struct err *e)
{
    struct store_report r;
    char folder[4096];
    int rc;

    snprintf(folder, sizeof folder, "%s/store", data);
    rc = store_verify(folder, &r, store_says, v, e);
    if (rc < 0)
        return rc;
    if (v->json)
        printf("{\"part\":\"store\",\"whole\":%s,\"parts\":%llu,\"events\":%llu,\"bytes\":%llu,\"chain\":\"%s\"}\n", rc ? "false" : "true",
               (unsigned long long)r.parts, (unsigned long long)r.events, (unsigned long long)r.bytes, r.chain_hex);
    else
        printf("%-9s %s: %llu events in %llu parts, chain %s\n", "store", rc ? "NOT WHOLE" : "whole", (unsigned long long)r.events,
               (unsigned long long)r.parts, r.chain_hex);
    return rc;
}

/* verify_audit - the trail of the desk, where this node has one. */
static int verify_audit(const char *data, struct verdict *v, struct err *e)
{
    struct audit_chain a;
    char path[4096], why[80];
    int rc;

    snprintf(path, sizeof path, "%s/desk/desk.db", data);
    rc = audit_chain_verify(path, &a, e);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    snprintf(why, sizeof why, "row %lld of the audit trail was changed or taken out", (long long)a.broken_at);
    if (rc)
        complain(v, path, 0, why);
    if (v->json)
        printf("{\"part\":\"audit\",\"whole\":%s,\"rows\":%lld,\"chain\":\"%s\"}\n", rc ? "false" : "true", (long long)a.rows, a.last);
    else
        printf("%-9s %s: %lld rows, chain %s\n", "audit", rc ? "NOT WHOLE" : "whole", (long long)a.rows, a.last);
    return rc;
}

int cmd_verify(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct verdict v = { 0 };
    struct err e;
    int c, rc, worst = 0;

    if (!data)
        data = "data";
    c = data_and_json(argc, argv, usage, &data, &v.json);
    if (c >= 0)
        return c;
    rc = optind != argc ? err_set(&e, -EINVAL, "\"saqshy verify --help\" tells the usage") : 0;
    if (rc == 0 && access(data, R_OK) < 0)
        rc = err_sys(&e, "could not read the data directory \"%s\"", data);
    for (int i = 0; rc >= 0 && i < 4; i++) {
        rc = i == 0 ? verify_journal(data, "journal", &v, &e) : i == 1 ? verify_journal(data, "findings", &v, &e) : i == 2 ? verify_store(data, &v, &e)
                                                                                                                      : verify_audit(data, &v, &e);
        if (rc > worst)
            worst = rc;
    }
    if (rc < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_USAGE;
    }
    return worst ? EXIT_NO : EXIT_YES;
}
