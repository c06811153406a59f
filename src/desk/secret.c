/* secret.c - random bytes, hashes and passwords. Argon2id with 19 MiB and two passes: the smaller setting that OWASP names, so that
 * a few sign-ins at once do not exhaust a small server. */
#include "desk/internal.h"

#include <argon2.h>
#include <openssl/sha.h>
#include <sys/random.h>

#define ARGON2_PASSES   2u
#define ARGON2_KIB      19456u
#define ARGON2_LANES    1u
#define PASSWORD_LEAST  12u   /* bytes; openapi minLength counts letters, so never less */

int secret_random(void *p, size_t n, struct err *e)
{
    unsigned char *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_sys(e, "getrandom");
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

void secret_hex(const unsigned char *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = 0;
}

void secret_sha256(struct str s, unsigned char out[32]) { SHA256((const unsigned char *)(s.n ? s.p : ""), s.n, out); }

void secret_sha256_hex(struct str s, char out[65])
{
    unsigned char sum[32];

    secret_sha256(s, sum);
    secret_hex(sum, sizeof sum, out);
}

int password_hash(struct str password, char out[160], struct err *e)
{
    unsigned char salt[16];
    int rc = secret_random(salt, sizeof salt, e);

    if (rc < 0)
        return rc;
    rc = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, ARGON2_LANES, password.p, password.n, salt, sizeof salt, 32, out, 160);
    return rc == ARGON2_OK ? 0 : err_set(e, -ENOMEM, "argon2: %s", argon2_error_message(rc));
}

bool password_matches(const char *hash, struct str password)
{
    return password.n > 0 && password.n <= 1024 && argon2id_verify(hash, password.p, password.n) == ARGON2_OK;
}

const char *password_fault(struct str password, struct str login)
{
    bool same = true;
    size_t letters = 0;

    for (size_t i = 0; i < password.n; i++) {
        letters += ((unsigned char)password.p[i] & 0xC0) != 0x80;
        same = same && password.p[i] == password.p[0];
    }
    if (letters < PASSWORD_LEAST)
        return "shorter than 12 letters";
    if (letters > 256)
        return "longer than 256 letters";
    if (same)
        return "one letter again and again";
    if (login.n >= 4 && str_ifind(password, login) >= 0)
        return "holds the login";
    return NULL;
}

/* password_random - 24 letters of 32: 120 bits, without letters that look alike. */
int password_random(char out[33], struct err *e)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789A";
    unsigned char raw[24];
    size_t n = 0;
    int rc = secret_random(raw, sizeof raw, e);

    if (rc < 0)
        return rc;
    static_assert(sizeof letters == 33, "32 letters");
    for (size_t i = 0; i < sizeof raw; i++) {
        if (i && i % 6 == 0)
            out[n++] = '-';
        out[n++] = letters[raw[i] & 31];
    }
    out[n] = 0;
    return 0;
}
