/* token.c - saqshyd --token NAME: a random token for a sender over HTTP, shown once; its hash goes into DATA/tokens/senders. */
#include "bin/bin.h"
#include "base/file.h"
#include "base/log.h"
#include "ingest/token_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>

static int add_line(const struct node *n, const char *name, const char *object, const char *secret, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    AUTO_BUF struct buf more = { 0 };
    char path[4096];
    int rc;

    buf_init(&b, TOKENS_BYTES_MAX + 4 * KIB);
    buf_init(&more, TOKENS_BYTES_MAX + 4 * KIB);
    rc = file_mkdirs(node_path(n, "tokens", path), 0750, e);
    if (rc == 0)
        rc = own_as(n->data, path, e);
    node_path(n, TOKENS_FILE, path);
    if (rc == 0 && file_exists(path))
        rc = file_read(path, TOKENS_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = token_add(buf_view(&b), str_c(name), str_c(object ? object : ""), secret, &more, e);
    if (rc == 0)
        rc = file_write_atomic(path, buf_view(&more), 0640, e);
    return rc == 0 ? own_as(n->data, path, e) : rc;
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
    char secret[TOKEN_SECRET_MAX];
    int rc;

    if (!tokens_name_valid(str_c(name)))
        return err_set(e, -EINVAL, "\"%s\" is no name of a token: it is 1 to 48 letters, digits, '_', '-', '.', and not \"saqshyd\"", name);
    if (object && (!*object || strlen(object) >= TOKEN_OBJECT_MAX || strpbrk(object, " \t\r\n")))
        return err_set(e, -EINVAL, "\"%s\" is no ID of an object", object);
    rc = token_secret(secret, e);
    if (rc == 0)
        rc = add_line(n, name, object, secret, e);
    if (rc == 0) {
        tell(n, name, object);
        printf("%s\n", secret);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    return rc;
}
