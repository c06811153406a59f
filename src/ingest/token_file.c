/* token_file.c - see token_file.h. */
#include "ingest/token_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define RANDOM_BYTES 32

static_assert(TOKEN_SECRET_MAX == RANDOM_BYTES * 2 + 1, "two digits a byte");

void tokens_hash(struct str token, unsigned char out[32])
{
    unsigned int n = 32;

    if (EVP_Digest(token.n ? token.p : "", token.n, out, &n, EVP_sha256(), NULL) != 1)
        memset(out, 0, 32);
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool read_hash(struct str s, unsigned char out[32])
{
    if (!str_starts(s, STR("sha256:")) || s.n != 7 + 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = hex(s.p[7 + 2 * i]), low = hex(s.p[8 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool tokens_name_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return s.n > 0 && s.n <= LISTEN_ID_MAX && !str_eq(s, STR("saqshyd"));   /* our own log's source */
}

/* word - the next piece of a line; empty at its end. */
static struct str word(struct str *line)
{
    struct str piece = { NULL, 0 };

    while (line->n && piece.n == 0) {
        if (!str_split(line, ' ', &piece))
            break;
        piece = str_trim(piece);
    }
    return piece;
}

static const char *read_row(struct str line, struct token *row)
{
    struct str name = word(&line), hash = word(&line), object = word(&line), rest = word(&line);

    *row = (struct token){ .name = "" };
    if (!tokens_name_valid(name))
        return "a name is 1 to 48 letters, digits, '_', '-', '.'";
    if (!read_hash(hash, row->hash))
        return "behind the name stands sha256: and 64 hexadecimal digits";
    if (rest.n || (object.n && (!str_starts(object, STR("object=")) || object.n - 7 >= sizeof row->object)))
        return "behind the hash stands nothing, or object=ID";
    snprintf(row->name, sizeof row->name, "%.*s", STR_ARG(name));
    snprintf(row->object, sizeof row->object, "%.*s", STR_ARG(str_cut(object, 7)));
    return NULL;
}

int tokens_read(struct str text, struct token *rows, size_t *count, struct err *e)
{
    struct str line;

    *count = 0;
    for (int number = 1; str_split(&text, '\n', &line); number++) {
        const char *why;

        line = str_trim(line);
        if (line.n == 0 || *line.p == '#')
            continue;
        if (*count == TOKENS_MAX)
            return err_set(e, -E2BIG, "line %d: there may be %d tokens", number, TOKENS_MAX);
        why = read_row(line, &rows[*count]);
        if (why)
            return err_set(e, -EBADMSG, "line %d: %s", number, why);
        (*count)++;
    }
    return 0;
}


int token_secret(char out[TOKEN_SECRET_MAX], struct err *e)
{
    unsigned char raw[RANDOM_BYTES];

    if (RAND_bytes(raw, sizeof raw) != 1)
        return err_set(e, -EIO, "there are no random bytes");
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    OPENSSL_cleanse(raw, sizeof raw);
    return 0;
}

/* named - how many rows of this name a text holds. */
static int named(struct str text, struct str name, size_t *same, struct err *e)
{
    AUTO_FREE struct token *rows = calloc(TOKENS_MAX, sizeof *rows);
    size_t count;
    int rc = rows ? tokens_read(text, rows, &count, e) : err_set(e, -ENOMEM, "no memory for tokens");

    *same = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        *same += str_eq(str_c(rows[i].name), name);
    return rc;
}

int token_add(struct str text, struct str name, struct str object, const char *secret, struct buf *out, struct err *e)
{
    unsigned char hash[32];
    size_t same;
    int rc;

    buf_str(out, text);
    if (text.n && text.p[text.n - 1] != '\n')
        buf_byte(out, '\n');
    tokens_hash(str_c(secret), hash);
    buf_printf(out, "%.*s sha256:", STR_ARG(name));
    for (size_t i = 0; i < sizeof hash; i++)
        buf_printf(out, "%02x", hash[i]);
    buf_printf(out, "%s%.*s\n", object.n ? " object=" : "", STR_ARG(object));
    if (buf_failed(out) || out->n > TOKENS_BYTES_MAX)
        return err_set(e, -E2BIG, "the file of tokens is full");
    rc = named(buf_view(out), name, &same, e);
    if (rc == 0 && same > 1)
        return err_set(e, -EEXIST, "there is a token of \"%.*s\" already: take its line out first, or choose another name", STR_ARG(name));
    return rc;
}

int token_remove(struct str text, struct str name, struct buf *out, struct err *e)
{
    struct str rest = text, line;
    size_t same;
    int rc = named(text, name, &same, e);

    if (rc == 0 && same == 0)
        rc = err_set(e, -ENOENT, "there is no token of \"%.*s\"", STR_ARG(name));
    while (rc == 0 && str_split(&rest, '\n', &line)) {
        struct str left = str_trim(line);
        bool its = left.n > name.n && str_starts(left, name) && left.p[name.n] == ' ';

        if (its || (line.n == 0 && rest.n == 0))
            continue;
        buf_str(out, line);
        buf_byte(out, '\n');
    }
    return rc == 0 && buf_failed(out) ? err_set(e, -ENOMEM, "no memory for tokens") : rc;
}
