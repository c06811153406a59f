/* pki_renew.c - enemy of the authority's side of a renewal: any text as a request; any bytes in the place of the request, of the certificate and of the
 * signature of a sound one. The only thing that may be granted is the sound request itself. */
#include <unistd.h>

#include <openssl/evp.h>

#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct place {
    char       folder[64];
    struct buf ask;
};

/* made - an authority of this run, and a sound request to it. */
static struct place *made(void)
{
    static struct place p;
    char cert[256], key[256], fresh[256];
    struct err e;

    if (p.folder[0])
        return &p;
    snprintf(p.folder, sizeof p.folder, "/tmp/saqshy-fuzz-XXXXXX");
    buf_init(&p.ask, PKI_ASK_MAX);
    if (!mkdtemp(p.folder) || pki_ca_make(p.folder, "fuzz", &e) < 0 || pki_agent_make(p.folder, STR("a1"), &e) < 0)
        abort();
    snprintf(cert, sizeof cert, "%s/agents/a1.pem", p.folder);
    snprintf(key, sizeof key, "%s/agents/a1.key", p.folder);
    snprintf(fresh, sizeof fresh, "%s/fresh.key", p.folder);
    if (pki_renew_ask(cert, key, fresh, &p.ask, &e) < 0)
        abort();
    return &p;
}

static void one(struct place *p, struct str ask)
{
    AUTO_BUF struct buf pem = { 0 };
    struct err e;

    buf_init(&pem, MIB);
    if (pki_renew_grant(p->folder, STR("a1"), ask, &pem, &e) == 0 && !str_eq(ask, buf_view(&p->ask)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct place *p = made();
    char text[4096 * 4 / 3 + 8];

    one(p, str_of((const char *)data, size));
    if (size == 0 || size > 3000)
        return 0;
    EVP_EncodeBlock((unsigned char *)text, data, (int)size);
    for (int which = 0; which < 3; which++) {
        AUTO_BUF struct buf b = { 0 };
        struct str rest = buf_view(&p->ask), part;

        buf_init(&b, 64 * KIB);
        for (int i = 0; str_split(&rest, '.', &part); i++) {
            if (i)
                buf_byte(&b, '.');
            buf_str(&b, i == which ? str_c(text) : part);
        }
        one(p, buf_view(&b));
    }
    return 0;
}
