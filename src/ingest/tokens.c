/* tokens.c - see tokens.h.
 *
 * A sender shows its token in one of the ways that senders know:
 *
 *     Authorization: Splunk TOKEN      Splunk HEC
 *     Authorization: Bearer TOKEN      Elasticsearch, and whoever else
 *     Authorization: ApiKey BASE64     Elasticsearch: "ID:KEY", the key is the token
 *     Authorization: Basic BASE64      "USER:PASSWORD", the password is the token
 *
 * The names before the colon are not compared: the row that the token belongs to has the name. */
#include "ingest/tokens.h"
#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define LOOK_NS (2 * NS_PER_SECOND)

struct stamp {
    int64_t s, ns, size;
    ino_t   inode;
};

struct tokens {
    struct tokens *next;
    char           path[4096];
    struct stamp   stamp;
    time_ns        looked;
    struct token  *rows;
    size_t         count;
};

/* --- the file (token_file.c reads it) --- */

static struct stamp stamp_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (struct stamp){ st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_ino } : (struct stamp){ 0 };
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->s == b->s && a->ns == b->ns && a->size == b->size && a->inode == b->inode;
}

static int load(struct tokens *t, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    struct token *rows;
    size_t count = 0;
    int rc = 0;

    buf_init(&b, TOKENS_BYTES_MAX + 1);
    t->stamp = stamp_of(t->path);
    t->looked = clock_steady();
    rows = calloc(TOKENS_MAX, sizeof *rows);
    if (!rows)
        return err_set(e, -ENOMEM, "no memory for tokens");
    if (file_exists(t->path))
        rc = file_read(t->path, TOKENS_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = tokens_read(buf_view(&b), rows, &count, e);
    OPENSSL_cleanse(b.p ? b.p : (char *)rows, b.p ? b.n : 0);
    if (rc < 0) {
        free(rows);
        return err_wrap(e, rc, "tokens of \"%s\"", t->path);
    }
    free(t->rows);
    t->rows = rows;
    t->count = count;
    return 0;
}

/* --- which table --- */

static void path_of(const struct ingest *in, const struct listen_conf *c, char out[4096])
{
    const char *said = listen_option(c, "tokens");

    if (said && *said == '/')
        snprintf(out, 4096, "%s", said);
    else
        snprintf(out, 4096, "%s/%s", in->options->data, said && *said ? said : TOKENS_FILE);
}

static struct tokens *find(const struct ingest *in, const struct listen_conf *c)
{
    char path[4096];

    path_of(in, c, path);
    for (struct tokens *t = in->tokens; t; t = t->next)
        if (strcmp(t->path, path) == 0)
            return t;
    return NULL;
}

static int open_table(struct ingest *in, const struct listen_conf *c, struct err *e)
{
    struct tokens *t = find(in, c);
    int rc;

    if (t)
        return 0;
    t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, -ENOMEM, "no memory for tokens");
    path_of(in, c, t->path);
    rc = load(t, e);
    if (rc < 0) {
        free(t);
        return rc;
    }
    t->next = in->tokens;
    in->tokens = t;
    return 0;
}

static void look(struct listener *l)
{
    struct tokens *t = find(l->in, &l->conf);
    struct stamp now;
    struct err e;

    if (!t || clock_steady() - t->looked < LOOK_NS)
        return;
    t->looked = clock_steady();
    now = stamp_of(t->path);
    if (same_stamp(&now, &t->stamp))
        return;
    if (load(t, &e) < 0)
        log_line(LOG_ERROR, "cannot take the changed tokens, the old ones stay in force", "saqshy.listener", l->conf.id, "error.message", e.text, NULL);
    else
        log_line(LOG_INFO, "took changed tokens", "saqshy.listener", l->conf.id, "file.path", t->path, NULL);
}

void tokens_free(struct tokens **all)
{
    struct tokens *next;

    for (struct tokens *t = *all; t; t = next) {
        next = t->next;
        free(t->rows);
        free(t);
    }
    *all = NULL;
}

/* --- the configuration of a kind --- */

static bool loopback(const char *address)
{
    struct sockaddr_storage ss;
    struct err e;
    int n;

    if (listener_address(address, &ss, &n, &e) < 0)
        return false;
    if (ss.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)&ss)->sin_addr.s_addr) >> 24 == 127;
    return ss.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)&ss)->sin6_addr);
}

static bool one_of(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* conf_of - *out is c as such a kind takes it: borrowed texts. more: the kind's own options. */
static int conf_of(const struct listen_conf *c, const char *const *more, struct listen_conf *out, struct err *e)
{
    static const char *const known[] = { "tokens", "plain", "anonymous", NULL };
    const char *plain = listen_option(c, "plain"), *anonymous = listen_option(c, "anonymous");

    *out = *c;
    for (size_t i = 0; i < c->option_count; i++)
        if (!one_of(c->options[i].name, known) && !one_of(c->options[i].name, more))
            return err_set(e, -EINVAL, "listener \"%s\": unknown option \"%s\"", c->id, c->options[i].name);
    if (plain && strcmp(plain, "yes") != 0 && strcmp(plain, "no") != 0 && strcmp(plain, "anywhere") != 0)
        return err_set(e, -EINVAL, "listener \"%s\": \"plain\" is yes, no or anywhere", c->id);
    if (anonymous && strcmp(anonymous, "yes") != 0 && strcmp(anonymous, "no") != 0)
        return err_set(e, -EINVAL, "listener \"%s\": \"anonymous\" is yes or no", c->id);
    if (!plain || strcmp(plain, "no") == 0)
        return 0;
    if (strcmp(plain, "yes") == 0 && !loopback(c->address))
        return err_set(e, -EINVAL, "listener \"%s\": without TLS others can read logs and tokens on the way to %s; if that is meant, \"plain\" is anywhere",
                       c->id, c->address);
    out->tls = false;
    out->client = LISTEN_CLIENT_NONE;
    return 0;
}

/* --- a request --- */

/* unbase64 - what stands behind the colon of "NAME:TOKEN" in base64. */
static bool unbase64(struct str s, char out[TOKEN_TEXT_MAX], struct str *token)
{
    int n, colon;

    while (s.n && s.p[s.n - 1] == '=')
        s.n--;
    if (s.n == 0 || s.n * 3 / 4 + 3 > TOKEN_TEXT_MAX)
        return false;
    char padded[TOKEN_TEXT_MAX * 2];
    int length = snprintf(padded, sizeof padded, "%.*s%s", (int)s.n, s.p, s.n % 4 == 2 ? "==" : s.n % 4 == 3 ? "=" : "");

    n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)padded, length);
    if (n < 0)
        return false;
    *token = str_of(out, s.n * 3 / 4);
    colon = (int)str_chr(*token, ':');
    if (colon < 0)
        return false;
    *token = str_cut(*token, (size_t)colon + 1);
    return true;
}

/* shown - the token that a header shows. */
static enum admitted shown(const char *header, char room[TOKEN_TEXT_MAX], struct str *token)
{
    struct str s = str_trim(str_c(header)), scheme;

    if (s.n == 0)
        return NO_TOKEN;
    if (!str_split(&s, ' ', &scheme))
        return BAD_SCHEME;
    s = str_trim(s);
    if (s.n == 0)
        return BAD_SCHEME;
    *token = s;
    if (str_ieq(scheme, STR("Splunk")) || str_ieq(scheme, STR("Bearer")))
        return s.n < TOKEN_TEXT_MAX ? ADMITTED : WRONG_TOKEN;
    if (!str_ieq(scheme, STR("ApiKey")) && !str_ieq(scheme, STR("Basic")))
        return BAD_SCHEME;
    return unbase64(s, room, token) ? ADMITTED : BAD_SCHEME;
}

/* match - the row of a token; all rows are looked at. */
static const struct token *match(const struct tokens *t, struct str token)
{
    const struct token *found = NULL;
    unsigned char hash[32];

    tokens_hash(token, hash);
    for (size_t i = 0; t && i < t->count; i++)
        if (CRYPTO_memcmp(hash, t->rows[i].hash, sizeof hash) == 0)
            found = &t->rows[i];
    return found;
}

enum admitted tokens_admit(const struct http_ask *a, struct pile *p)
{
    const struct listener *l = a->listener;
    const char *anonymous = listen_option(&l->conf, "anonymous");
    char room[TOKEN_TEXT_MAX];
    struct str token = { NULL, 0 };
    enum admitted how = shown(http_header(a, "Authorization"), room, &token);
    const struct token *row = how == ADMITTED ? match(find(l->in, &l->conf), token) : NULL;

    if (p)
        p->relay = true;
    if (row && p) {
        if (!p->agent.n) {
            snprintf(p->agent_text, sizeof p->agent_text, "%s", row->name);
            p->agent = str_c(p->agent_text);
        }
        snprintf(p->object, sizeof p->object, "%s", row->object);
    }
    OPENSSL_cleanse(room, sizeof room);
    if (row || (how == NO_TOKEN && (*a->client || (anonymous && strcmp(anonymous, "yes") == 0))))
        return ADMITTED;
    return how == ADMITTED ? WRONG_TOKEN : how;
}

/* --- a kind over HTTP that asks for tokens --- */

int tokens_http_open(struct ingest *in, const struct listener_kind *kind, const struct http_service *service, const char *const *options,
                     const struct listen_conf *c, struct listener **out, struct err *e)
{
    struct listen_conf conf;
    int rc = conf_of(c, options, &conf, e);

    if (rc == 0)
        rc = open_table(in, &conf, e);
    return rc == 0 ? http_open(in, kind, service, &conf, out, e) : rc;
}

int tokens_http_change(struct listener *l, const char *const *options, const struct listen_conf *c, struct err *e)
{
    struct listen_conf conf;
    int rc = conf_of(c, options, &conf, e);

    if (rc == 0)
        rc = open_table(l->in, &conf, e);
    return rc == 0 ? http_change(l, &conf, e) : rc;
}

void tokens_http_tick(struct listener *l)
{
    http_tick(l);
    look(l);
}
