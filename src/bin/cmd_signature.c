/* cmd_signature.c - saqshy signature: a file and its detached signature, judged without a centre: what was sent, by whom, does it hold. */
#include "base/file.h"
#include "bin/bin.h"
#include "sign/sign.h"

#include <getopt.h>

static const char usage[] =
    "usage: saqshy signature FILE SIGNATURE [--anchors DIR] [--at MOMENT]\n\n"
    "Judges a detached CMS signature (DER, PEM or base64) over FILE: the frozen bytes of a notice (its JSON), its PDF, or any file.\n"
    "DIR holds certificates of authorities and their revocation lists; without it no chain is checked, and that is said.\n"
    "MOMENT (2026-03-20T12:00:00Z) is when the signature is known to have existed; default: now.\n"
    "Exit 0: valid, 1: invalid, or not checked (the reason is told), 2: could not be read.\n";

static void show_moment(const char *name, time_ns t)
{
    char text[TIME_TEXT_MAX];

    if (t)
        printf("  %-12s %s\n", name, t == INT64_MAX ? "never" : time_format_utc(t, text));
}

static void show(const struct sign_result *r)
{
    printf("%s: %s\n", sign_verdict_name(r->verdict), sign_reason_name(r->reason));
    for (size_t i = 0; i < r->count; i++) {
        const struct sign_signer *s = &r->signers[i];
        char iin[13] = "";

        sign_mask(s->iin, iin);
        printf("  %-12s %s\n  %-12s %s\n  %-12s %s\n  %-12s %s\n", "signer", s->name, "organisation", s->organisation, "issuer", s->issuer, "algorithm",
               s->algorithm);
        if (*iin)
            printf("  %-12s %s\n", "IIN", iin);
        if (*s->bin)
            printf("  %-12s %s\n", "BIN", s->bin);
        for (int bit = 0; sign_usage_name(bit); bit++)
            if (s->usage & (1u << bit))
                printf("  %-12s %s\n", "standing", sign_usage_name(bit));
        show_moment("signed", s->signed_at);
        show_moment("valid to", s->not_after);
        printf("  %-12s %s, bytes and signature %s\n", "verdict", sign_reason_name(s->reason), s->intact ? "fit" : "do not fit, or were not compared");
    }
}

static int judge(const char *file, const char *signature, const char *anchors, time_ns at, struct sign_result *out, struct err *e)
{
    AUTO_BUF struct buf content;
    AUTO_BUF struct buf cms;
    struct sign_trust *trust;
    int rc;

    buf_init(&content, SIGN_CONTENT_MAX + KIB);
    buf_init(&cms, 2 * SIGN_CMS_MAX);
    rc = file_read(file, SIGN_CONTENT_MAX, &content, e);
    if (rc == 0)
        rc = file_read(signature, SIGN_CMS_MAX, &cms, e);
    if (rc == 0)
        rc = sign_trust_load(anchors, &trust, e);
    if (rc < 0)
        return rc;
    rc = sign_verify(trust, buf_view(&content), buf_view(&cms), at, out, e);
    if (sign_trust_skipped(trust))
        fprintf(stderr, "saqshy: %zu files in \"%s\" are no authority and no list, left out\n", sign_trust_skipped(trust), anchors ? anchors : "");
    sign_trust_free(&trust);
    return rc;
}

int cmd_signature(int argc, char **argv)
{
    static const struct option options[] = {
        { "anchors", required_argument, NULL, 'a' }, { "at", required_argument, NULL, 't' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
    };
    const char *anchors = NULL;
    time_ns at = clock_now();
    struct sign_result r;
    struct err e = { 0 };
    int c;

    while ((c = getopt_long(argc, argv, "a:t:h", options, NULL)) != -1) {
        if (c == 'a') {
            anchors = optarg;
        } else if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_YES;
        } else if (c != 't' || time_parse_rfc3339(str_c(optarg), &at, NULL, NULL) < 0) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (judge(argv[optind], argv[optind + 1], anchors, at, &r, &e) < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_USAGE;
    }
    show(&r);
    return r.verdict == SIGN_VALID ? EXIT_YES : EXIT_NO;
}
