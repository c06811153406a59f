/* token.c - saqshyd --token NAME: a random token for a sender over HTTP, shown once; its hash goes into DATA/tokens/senders. */
#include "bin/bin.h"
#include "base/file.h"
#include "base/log.h"
#include "ingest/tokens.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#define RANDOM_BYTES 32
#define SECRET_MAX   (RANDOM_BYTES * 2 + 1)

static int make_secret(char out[SECRET_MAX], struct err *e)
{
    unsigned char raw[RANDOM_BYTES];

    if (RAND_bytes(raw, sizeof raw) != 1)
        return err_set(e, -EIO, "there are no random bytes");
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    OPENSSL_cleanse(raw, sizeof raw);
    return 0;
}

/* check - the file as it will be holds together, and the name is new. */
static int check(struct str text, const char *name, struct err *e)
{
    AUTO_FREE struct token *rows = calloc(TOKENS_MAX, sizeof *rows);
    size_t count, same = 0;
    int rc = rows ? tokens_read(text, rows, &count, e) : err_set(e, -ENOMEM, "no memory for tokens");

    for (size_t i = 0; rc == 0 && i < count; i++)
        same += strcmp(rows[i].name, name) == 0;
    return rc == 0 && same > 1 ? err_set(e, -EEXIST, "there is a token of \"%s\" already: take its line out first, or choose another name", name) : rc;
}

/* own_as_data - made by root, it belongs to whom the data directory belongs to: the role reads it. */
static int own_as_data(const struct node *n, const char *path, struct err *e)
{
    struct stat st;

    if (geteuid() != 0 || stat(n->data, &st) < 0)
        return 0;
    return chown(path, st.st_uid, st.st_gid) < 0 ? err_sys(e, "could not give \"%s\" to the owner of the data directory", path) : 0;
}

static int add_line(const struct node *n, const char *name, const char *object, const char *secret, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    unsigned char hash[32];
    char path[4096];
    int rc;

    buf_init(&b, TOKENS_BYTES_MAX + 4 * KIB);
    rc = file_mkdirs(node_path(n, "tokens", path), 0750, e);
    if (rc == 0)
        rc = own_as_data(n, path, e);
    node_path(n, TOKENS_FILE, path);
    if (rc == 0 && file_exists(path))
        rc = file_read(path, TOKENS_BYTES_MAX, &b, e);
    if (rc < 0)
        return rc;
    if (b.n && b.p[b.n - 1] != '\n')
        buf_byte(&b, '\n');
    tokens_hash(str_c(secret), hash);
    buf_printf(&b, "%s sha256:", name);
    for (size_t i = 0; i < sizeof hash; i++)
        buf_printf(&b, "%02x", hash[i]);
    buf_printf(&b, "%s%s\n", object ? " object=" : "", object ? object : "");
    rc = buf_failed(&b) ? err_set(e, -E2BIG, "the file of tokens is full") : check(buf_view(&b), name, e);
    if (rc == 0)
        rc = file_write_atomic(path, buf_view(&b), 0640, e);
    return rc == 0 ? own_as_data(n, path, e) : rc;
}

/* tell - who may send is told in our own log, where there is one. */
static void tell(const struct node *n, const char *name, const char *object)
{
    char path[4096];
    AUTO_CLOSE int fd = open(node_path(n, "log/saqshyd.jsonl", path), O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd < 0)
        return;
    log_open("saqshyd", LOG_INFO, fd);
    log_line(LOG_INFO, "made a token for a sender", "saqshy.token", name, "saqshy.object", object ? object : "", NULL);
    log_open("saqshyd", LOG_INFO, 2);
}

int token_make(const struct node *n, const char *name, const char *object, struct err *e)
{
    char secret[SECRET_MAX];
    int rc;

    if (!tokens_name_valid(str_c(name)))
        return err_set(e, -EINVAL, "\"%s\" is no name of a token: it is 1 to 48 letters, digits, '_', '-', '.', and not \"saqshyd\"", name);
    if (object && (!*object || strlen(object) >= OBJECT_TEXT_MAX || strpbrk(object, " \t\r\n")))
        return err_set(e, -EINVAL, "\"%s\" is no ID of an object", object);
    rc = make_secret(secret, e);
    if (rc == 0)
        rc = add_line(n, name, object, secret, e);
    if (rc == 0) {
        tell(n, name, object);
        printf("%s\n", secret);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    return rc;
}
