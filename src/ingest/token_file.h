/* token_file.h - the file of senders' tokens: names, and the SHA-256 of a random token each.
 *
 * Owns      nothing.
 * Promises  1. A token itself stands in no file of ours; it is shown once, when it is made.
 *           2. A file that is broken anywhere is refused whole, with the line.
 *           3. Bounded: TOKENS_MAX rows, TOKENS_BYTES_MAX of a file.
 * Threads   any.
 * Units     bytes.
 *
 * The file: lines "NAME sha256:64-HEX-DIGITS [object=ID]", "#" begins a comment. A token is 256 random bits (`saqshyd --token NAME`, the portal),
 * so a slow hash would protect nothing and only stop the loop. */
#ifndef SAQSHY_INGEST_TOKEN_FILE_H
#define SAQSHY_INGEST_TOKEN_FILE_H

#include "base/listen.h"

#define TOKENS_MAX        4096
#define TOKENS_BYTES_MAX  (1u * MIB)
#define TOKENS_FILE       "tokens/senders"   /* below the data directory */
#define TOKEN_OBJECT_MAX  64                 /* id of an object of the registry, with its end */
#define TOKEN_SECRET_MAX  65

struct token {
    unsigned char hash[32];
    char          name[LISTEN_ID_MAX + 1];
    char          object[TOKEN_OBJECT_MAX];
};

/* tokens_name_valid - 1 to 48 letters, digits, '_', '-', '.', and not the name of our own log. */
bool tokens_name_valid(struct str s);
/* tokens_read - the rows of a file's text; rows has room for TOKENS_MAX. -EBADMSG with the line. */
MUST_USE int tokens_read(struct str text, struct token *rows, size_t *count, struct err *e);
void tokens_hash(struct str token, unsigned char out[32]);

/* token_secret - a new random one, as hexadecimal digits. */
MUST_USE int token_secret(char out[TOKEN_SECRET_MAX], struct err *e);
/* token_add - the file's text with one row more, in out. -EEXIST: the name is taken; -E2BIG: it is full; -EBADMSG: the text was broken before. */
MUST_USE int token_add(struct str text, struct str name, struct str object, const char *secret, struct buf *out, struct err *e);
/* token_remove - the file's text without the row of this name. -ENOENT: there is none. */
MUST_USE int token_remove(struct str text, struct str name, struct buf *out, struct err *e);

#endif
