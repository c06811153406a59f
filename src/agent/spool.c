/* spool.c - the batch on its way, on disk before it is on the wire.
 *
 *      offset  size  spool/batch
 *      0       8     "SQSPOOL1"
 *      8       12    nonce, random
 *      20      16    tag of AES-256-GCM over all that follows, with the first 8 bytes as associated data
 *      36      …     encrypted: number le64 · bytes of the state le32 · state after this batch (state.c) · body, as it is sent
 *
 * Written to a file beside it, synced, renamed: after a crash there is the whole batch or none. The key lies in spool.key: whoever
 * can read it can also read the logs, so it guards only a spool that is copied away alone (a backup, a disk sent for repair). */
#include "agent/internal.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAGIC       "SQSPOOL1"
#define MAGIC_N     8
#define NONCE_N     12
#define TAG_N       16
#define PREFIX_N    (MAGIC_N + NONCE_N + TAG_N)
#define KEY_N       32
#define FILE_MAX    (64u * MIB)
#define REFUSED_MAX 32

struct spool {
    char          folder[AGENT_PATH_MAX], batch[AGENT_PATH_MAX];
    unsigned char key[KEY_N];
    int           lock;
};

/* crypt - both directions. GCM as a stream: no padding, the tag apart. */
static bool crypt_bytes(bool seal, const unsigned char *key, const unsigned char *nonce, unsigned char tag[TAG_N],
                        const unsigned char *in, size_t n, unsigned char *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int got = 0, end = 0;
    bool ok = c && n < INT32_MAX && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, seal) &&
              EVP_CipherUpdate(c, NULL, &got, (const unsigned char *)MAGIC, MAGIC_N) &&
              (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_N, tag)) &&
              EVP_CipherUpdate(c, out, &got, in, (int)n) && EVP_CipherFinal_ex(c, out + got, &end) > 0 &&
              (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_N, tag));

    EVP_CIPHER_CTX_free(c);
    return ok && (size_t)(got + end) == n;
}

int spool_seal(const unsigned char key[KEY_N], uint64_t number, struct str state, struct str body, struct buf *file, struct err *e)
{
    unsigned char nonce[NONCE_N], tag[TAG_N] = { 0 };
    AUTO_BUF struct buf plain = { 0 };
    char *to;

    buf_init(&plain, FILE_MAX);
    buf_le64(&plain, number);
    buf_le32(&plain, (uint32_t)state.n);
    buf_str(&plain, state);
    buf_str(&plain, body);
    buf_reset(file);
    to = buf_failed(&plain) ? NULL : buf_room(file, PREFIX_N + plain.n);
    if (!to)
        return err_set(e, -ENOMEM, "no memory for the spool");
    if (RAND_bytes(nonce, sizeof nonce) != 1 ||
        !crypt_bytes(true, key, nonce, tag, (unsigned char *)plain.p, plain.n, (unsigned char *)to + PREFIX_N))
        return err_set(e, -EIO, "could not encrypt the spool");
    memcpy(to, MAGIC, MAGIC_N);
    memcpy(to + MAGIC_N, nonce, NONCE_N);
    memcpy(to + MAGIC_N + NONCE_N, tag, TAG_N);
    file->n = PREFIX_N + plain.n;
    return 0;
}

int spool_unseal(const unsigned char key[KEY_N], struct str file, struct buf *plain, uint64_t *number, struct str *state,
                 struct str *body, struct err *e)
{
    unsigned char tag[TAG_N];
    struct reader r;
    uint32_t state_n;
    char *to;

    if (file.n < PREFIX_N || memcmp(file.p, MAGIC, MAGIC_N) != 0)
        return err_set(e, -EBADMSG, "the spool is no spool, or of another version");
    memcpy(tag, file.p + MAGIC_N + NONCE_N, TAG_N);
    buf_reset(plain);
    to = buf_room(plain, file.n - PREFIX_N + 1);
    if (!to)
        return err_set(e, -ENOMEM, "no memory for the spool");
    if (!crypt_bytes(false, key, (const unsigned char *)file.p + MAGIC_N, tag, (const unsigned char *)file.p + PREFIX_N,
                     file.n - PREFIX_N, (unsigned char *)to))
        return err_set(e, -EBADMSG, "the spool is damaged, or its key is another one");
    plain->n = file.n - PREFIX_N;
    r = rd_str(buf_view(plain));
    *number = rd_le64(&r);
    state_n = rd_le32(&r);
    *state = rd_take(&r, rd_ok(&r) ? state_n : 0, "the state");
    *body = rd_rest(&r);
    return rd_ok(&r) ? 0 : rd_err(&r, e, "spool");
}

static int load_key(struct spool *s, const char *folder, struct err *e)
{
    char path[AGENT_PATH_MAX + 32];
    AUTO_BUF struct buf b = { 0 };
    int rc;

    buf_init(&b, 128 * KIB);
    snprintf(path, sizeof path, "%s/spool.key", folder);
    if (file_exists(path)) {
        rc = file_read(path, 4 * KIB, &b, e);
        if (rc < 0)
            return rc;
        if (b.n != KEY_N)
            return err_set(e, -EBADMSG, "\"%s\" is not a key of %d bytes; remove it if no batch is waiting", path, KEY_N);
        memcpy(s->key, b.p, KEY_N);
        OPENSSL_cleanse(b.p, b.n);
        return 0;
    }
    if (RAND_bytes(s->key, KEY_N) != 1)
        return err_set(e, -EIO, "could not draw a key");
    return file_write_atomic(path, str_of((char *)s->key, KEY_N), 0600, e);
}

static int take_lock(struct spool *s, const char *folder, struct err *e)
{
    char path[AGENT_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/lock", folder);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, -EBUSY, "another agent works with \"%s\"", folder);
    return 0;
}

int spool_open(const char *folder, struct spool **out, struct err *e)
{
    struct spool *s = calloc(1, sizeof *s);
    int rc;

    if (!s)
        return err_set(e, -ENOMEM, "no memory for the spool");
    s->lock = -1;
    snprintf(s->folder, sizeof s->folder, "%.*s/spool", AGENT_PATH_MAX - 64, folder);
    snprintf(s->batch, sizeof s->batch, "%.*s/batch", AGENT_PATH_MAX - 32, s->folder);
    rc = file_mkdirs(s->folder, 0700, e);
    /* Folders that were there before us may be wider open than logs allow. */
    if (rc == 0 && (chmod(folder, 0700) < 0 || chmod(s->folder, 0700) < 0))
        rc = err_sys(e, "could not close \"%s\" to others", folder);
    if (rc == 0)
        rc = take_lock(s, folder, e);
    if (rc == 0)
        rc = load_key(s, folder, e);
    if (rc < 0) {
        spool_close(&s);
        return rc;
    }
    *out = s;
    return 0;
}

void spool_close(struct spool **s)
{
    if (!*s)
        return;
    if ((*s)->lock >= 0)
        close((*s)->lock);
    OPENSSL_cleanse((*s)->key, KEY_N);
    free(*s);
    *s = NULL;
}

int spool_put(struct spool *s, uint64_t number, struct str state, struct str body, struct err *e)
{
    AUTO_BUF struct buf file = { 0 };
    int rc;

    buf_init(&file, FILE_MAX + KIB);
    rc = spool_seal(s->key, number, state, body, &file, e);
    return rc < 0 ? rc : file_write_atomic(s->batch, buf_view(&file), 0600, e);
}

int spool_get(struct spool *s, struct buf *plain, uint64_t *number, struct str *state, struct str *body, struct err *e)
{
    AUTO_BUF struct buf file = { 0 };
    char aside[AGENT_PATH_MAX + 32];
    int rc;

    if (!file_exists(s->batch))
        return 0;
    buf_init(&file, FILE_MAX + 128 * KIB);
    rc = file_read(s->batch, FILE_MAX, &file, e);
    if (rc == 0)
        rc = spool_unseal(s->key, buf_view(&file), plain, number, state, body, e);
    if (rc == 0)
        return 1;
    if (rc != -EBADMSG)
        return rc;
    /* Its lines are still in their files: they are read again. */
    snprintf(aside, sizeof aside, "%s/damaged", s->folder);
    log_line(LOG_ERROR, "putting a damaged batch aside, its lines are read again", "file.path", aside, "error.message", e->text,
             NULL);
    return rename(s->batch, aside) < 0 ? err_sys(e, "could not put \"%s\" aside", s->batch) : 0;
}

int spool_drop(struct spool *s, struct err *e)
{
    if (unlink(s->batch) < 0 && errno != ENOENT)
        return err_sys(e, "could not remove \"%s\"", s->batch);
    return 0;
}

int spool_aside(struct spool *s, uint64_t number, struct err *e)
{
    char path[AGENT_PATH_MAX + 32];
    DIR *d = opendir(s->folder);
    struct dirent *entry;
    size_t count = 0;

    while (d && (entry = readdir(d)) != NULL)
        count += strncmp(entry->d_name, "refused-", 8) == 0;
    if (d)
        closedir(d);
    if (count >= REFUSED_MAX)
        return spool_drop(s, e);
    snprintf(path, sizeof path, "%s/refused-%llu", s->folder, (unsigned long long)number);
    return rename(s->batch, path) < 0 ? err_sys(e, "could not put \"%s\" aside", s->batch) : 0;
}
