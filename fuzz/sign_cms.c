/* sign_cms.c - any bytes as a detached signature: a verdict with a reason or a refusal, and never "valid" where nothing is trusted. */
#include "sign/sign.h"

static struct sign_trust *trust; /* opened once: loading a provider is slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sign_result r = { 0 };
    struct err e;
    int rc;

    if (!trust && sign_trust_load(NULL, &trust, &e) < 0)
        return 0;
    rc = sign_verify(trust, STR("Ақпараттық қауіпсіздік оқиғасы туралы хабарлама\n"), str_of((const char *)data, size),
                     INT64_C(1796000000) * NS_PER_SECOND, &r, &e);
    assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG);
    if (rc < 0)
        return 0;
    assert(r.count <= SIGN_SIGNERS_MAX && r.verdict != SIGN_VALID && r.verdict == sign_reason_verdict(r.reason));
    for (size_t i = 0; i < r.count; i++) {
        assert(str_utf8_valid(str_c(r.signers[i].name)) && str_utf8_valid(str_c(r.signers[i].organisation)));
        assert(strlen(r.signers[i].iin) == 0 || strlen(r.signers[i].iin) == 12);
    }
    return 0;
}
