/* cmd_link.c - saqshy link: the certificate of this node, cards of others, and files of envelopes where no network joins two nodes.
 *
 * "init" works on the data directory and makes the key where it stays; everything else asks the running desk over its API, as an administrator. */
#include "bin/bin.h"
#include "base/file.h"
#include "bin/remote.h"
#include "desk/link/wire.h"

#include <getopt.h>

#define PIECE (512u * KIB)

static const char usage[] =
    "usage: saqshy link init --data DIR --id NODE\n"
    "       saqshy link show   --server URL\n"
    "       saqshy link self   --server URL --org ID\n"
    "       saqshy link card   --server URL FILE\n"
    "       saqshy link add    --server URL --org ID --fingerprint HEX [--peer-url URL] CARD\n"
    "       saqshy link export --server URL --peer NODE FILE\n"
    "       saqshy link import --server URL FILE\n"
    "       saqshy link retry  --server URL --peer NODE [ENVELOPE]\n\n"
    "  init     make the key and the certificate of this node; the key never leaves DIR/link\n"
    "  show     this node, the others, and how far each stream has come\n"
    "  self     for which organisation this node speaks\n"
    "  card     write this node's card, to be given to another administrator\n"
    "  add      let a node in by its card; compare the fingerprint by telephone first\n"
    "  export   write what waits for a node to FILE (\"-\": standard output)\n"
    "  import   take a file that another node wrote; taken twice it changes nothing\n"
    "  retry    try again the steps of a node that could not be repeated here, or one of them\n\n"
    "SAQSHY_USER and SAQSHY_PASSWORD name an administrator; --cacert FILE or SAQSHY_CACERT the portal's authority.\n"
    "Exit codes: 0 done, 1 refused, 2 usage.\n";

struct asked {
    const char *verb, *data, *id, *url, *ca, *org, *fingerprint, *peer, *peer_url, *file;
};

static int fail(const struct err *e)
{
    fprintf(stderr, "saqshy: %s\n", e->text);
    return EXIT_NO;
}

static void print_fingerprint(const char *f)
{
    for (size_t i = 0; f[i]; i++)
        printf("%s%c", i && i % 4 == 0 ? (i % 32 == 0 ? "\n             " : " ") : "", f[i]);
    putchar('\n');
}

static int do_init(const struct asked *a)
{
    struct node_key *i = NULL;
    char folder[4096];
    struct err e;
    int rc;

    snprintf(folder, sizeof folder, "%s/link", a->data);
    rc = pki_node_make(folder, str_c(a->id), &e);
    if (rc == 0)
        rc = node_key_load(folder, &i, &e);
    if (rc < 0)
        return fail(&e);
    printf("node         %s\nfingerprint  ", node_cert_name(node_key_cert(i)));
    print_fingerprint(node_cert_fingerprint(node_key_cert(i)));
    node_key_free(&i);
    return EXIT_YES;
}

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));

    return s ? s : "-";
}

static long long number(const json_t *j, const char *of, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(j, of), key));
}

static int show(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *j = NULL, *node;
    size_t i;
    int rc = remote_get(r, &j, e, "/link", NULL);

    (void)a;
    if (rc < 0)
        return rc;
    const json_t *self = json_object_get(j, "self");
    if (json_is_null(self))
        printf("this node has no certificate yet: saqshy link init\n");
    else {
        printf("node         %s\norganisation %s\nfingerprint  ", text(self, "node"), text(json_object_get(self, "org"), "name"));
        print_fingerprint(text(self, "fingerprint"));
    }
    json_array_foreach(json_object_get(j, "nodes"), i, node)
        printf("%s%s  %s  %s\n  waiting %lld%s%s, acknowledged %lld of %lld, received %lld; last contact %s\n  refused"
               " there %lld, not repeated here %lld, held back %lld%s%s\n", json_is_true(json_object_get(node, "active")) ? "" : "(off) ",
               text(node, "node"), text(json_object_get(node, "org"), "name"), json_is_string(json_object_get(node, "url")) ? text(node, "url") : "files, or it connects",
               (long long)json_integer_value(json_object_get(node, "queue")), json_is_string(json_object_get(node, "oldest_at")) ? " since " : "",
               json_is_string(json_object_get(node, "oldest_at")) ? text(node, "oldest_at") : "", number(node, "out", "acknowledged"), number(node, "out", "numbered"),
               number(node, "in", "received"), text(node, "last_contact_at"), (long long)json_integer_value(json_object_get(node, "refused")),
               (long long)json_integer_value(json_object_get(node, "unapplied")), (long long)json_integer_value(json_object_get(node, "held")),
               json_is_string(json_object_get(node, "last_error")) ? "\n  last error: " : "",
               json_is_string(json_object_get(node, "last_error")) ? text(node, "last_error") : "");
    json_decref(j);
    return 0;
}

static int self(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *body = json_pack("{s:s}", "org_id", a->org);
    int rc = remote_send(r, "PUT", "/link/self", body, NULL, e);

    json_decref(body);
    return rc;
}

static int put_file(const char *file, struct str bytes, struct err *e)
{
    return strcmp(file, "-") == 0 ? file_write_all(1, bytes, e) : file_write_atomic(file, bytes, 0640, e);
}

static int card(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *j = NULL;
    int rc = remote_get(r, &j, e, "/link", NULL);
    const char *c = json_string_value(json_object_get(json_object_get(j, "self"), "card"));

    if (rc == 0)
        rc = c ? put_file(a->file, str_c(c), e) : err_set(e, -ENOENT, "this node has no certificate yet: saqshy link init");
    json_decref(j);
    return rc;
}

static int add(struct remote *r, const struct asked *a, struct err *e)
{
    AUTO_BUF struct buf b;
    json_t *body;
    int rc;

    buf_init(&b, LINK_CARD_MAX + LINK_READ_SPARE);
    rc = file_read(a->file, LINK_CARD_MAX, &b, e);
    if (rc < 0)
        return rc;
    body = json_pack("{s:s%, s:s, s:s, s:s?}", "card", b.p, b.n, "fingerprint", a->fingerprint, "org_id", a->org, "url", a->peer_url);
    rc = body ? remote_send(r, "POST", "/link/nodes", body, NULL, e) : err_set(e, -EBADMSG, "\"%s\" is not the card of a node", a->file);
    json_decref(body);
    return rc;
}

static int export(struct remote *r, const struct asked *a, struct err *e)
{
    struct str bytes;
    char path[200];
    int rc;

    if (!pki_name_valid(str_c(a->peer)))
        return err_set(e, -EINVAL, "\"%s\" is not the name of a node", a->peer);
    snprintf(path, sizeof path, "/link/nodes/%s/export", a->peer);
    rc = remote_bytes(r, "POST", path, str_of(NULL, 0), &bytes, e);
    return rc < 0 ? rc : put_file(a->file, bytes, e);
}

/* upload - in pieces, each where the server says it stands. id gets the name of the upload. */
static int upload(struct remote *r, const char *name, struct str bytes, char id[80], struct err *e)
{
    json_t *body = json_pack("{s:s, s:I}", "name", name, "size_bytes", (json_int_t)bytes.n), *j = NULL;
    int rc = remote_send(r, "POST", "/uploads", body, &j, e);
    size_t at = 0;

    json_decref(body);
    snprintf(id, 80, "%s", text(j, "id"));
    json_decref(j);
    while (rc == 0 && at < bytes.n) {
        struct str piece = str_of(bytes.p + at, min_size(PIECE, bytes.n - at));
        char path[160];

        snprintf(path, sizeof path, "/uploads/%s?offset=%zu", id, at);
        rc = remote_bytes(r, "PUT", path, piece, NULL, e);
        at += piece.n;
    }
    return rc;
}

static int import(struct remote *r, const struct asked *a, struct err *e)
{
    const char *name = strrchr(a->file, '/');
    AUTO_BUF struct buf b;
    json_t *body, *j = NULL;
    char id[80];
    int rc;

    buf_init(&b, LINK_FILE_MAX + LINK_READ_SPARE);
    rc = file_read(a->file, LINK_FILE_MAX, &b, e);
    if (rc == 0 && b.n == 0)
        rc = err_set(e, -EBADMSG, "\"%s\" is empty", a->file);
    if (rc == 0)
        rc = upload(r, name ? name + 1 : a->file, buf_view(&b), id, e);
    if (rc < 0)
        return rc;
    body = json_pack("{s:s}", "upload", id);
    rc = remote_send(r, "POST", "/link/imports", body, &j, e);
    json_decref(body);
    if (rc == 0)
        printf("node %s: %lld applied (%lld of them refused), %lld known already, %lld of ours acknowledged%s\n", text(j, "node"),
               (long long)json_integer_value(json_object_get(j, "applied")), (long long)json_integer_value(json_object_get(j, "refused")),
               (long long)json_integer_value(json_object_get(j, "known")), (long long)json_integer_value(json_object_get(j, "acknowledged")),
               json_is_true(json_object_get(j, "gap")) ? "; an earlier file is missing" : "");
    json_decref(j);
    return rc;
}

static int retry(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *body = json_pack("{s:s?}", "envelope", a->file), *j = NULL;
    char path[200];
    int rc;

    snprintf(path, sizeof path, "/link/nodes/%s/retry", a->peer);
    rc = pki_name_valid(str_c(a->peer)) ? remote_send(r, "POST", path, body, &j, e) : err_set(e, -EINVAL, "\"%s\" is not the name of a node", a->peer);
    json_decref(body);
    if (rc == 0)
        printf("node %s: %lld tried, %lld applied\n", a->peer, (long long)json_integer_value(json_object_get(j, "tried")),
               (long long)json_integer_value(json_object_get(j, "applied")));
    json_decref(j);
    return rc;
}

struct verb {
    const char *verb;
    int       (*run)(struct remote *r, const struct asked *a, struct err *e);
    bool        file, org, peer, fingerprint;
};
static const struct verb verbs[] = {
    { "show", show, false, false, false, false }, { "self", self, false, true, false, false },   { "card", card, true, false, false, false },
    { "add", add, true, true, false, true },      { "export", export, true, false, true, false }, { "import", import, true, false, false, false },
    { "retry", retry, false, false, true, false },
};

/* missing - what of the command line is wrong; NULL: nothing. */
static const char *missing(const struct asked *a, const struct verb *v)
{
    return !a->url                              ? "--server URL is missing"
           : v->file && !a->file                ? "FILE is missing"
           : !v->file && a->file && v->run != retry ? "no FILE is expected"
           : v->org && !a->org                  ? "--org ID is missing"
           : v->peer && !a->peer                ? "--peer NODE is missing"
           : v->fingerprint && !a->fingerprint  ? "--fingerprint HEX is missing: ask for it by telephone"
                                                : NULL;
}

static int run_verb(const struct asked *a)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        struct remote *r;
        struct err e = { 0 };
        int rc;

        if (strcmp(a->verb, verbs[i].verb) != 0)
            continue;
        if (missing(a, &verbs[i]))
            return wrong_usage("link", missing(a, &verbs[i]));
        rc = remote_open(a->url, a->ca, &r, &e);
        if (rc < 0)
            return rc == -EINVAL ? (fail(&e), EXIT_USAGE) : fail(&e);
        rc = verbs[i].run(r, a, &e);
        remote_close(&r);
        return rc < 0 ? fail(&e) : EXIT_YES;
    }
    return wrong_usage("link", "init, show, self, card, add, export, import or retry is expected");
}

int cmd_link(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' },    { "id", required_argument, NULL, 'i' },
                                             { "server", required_argument, NULL, 'u' },     { "cacert", required_argument, NULL, 'c' },
                                             { "org", required_argument, NULL, 'o' },     { "fingerprint", required_argument, NULL, 'f' },
                                             { "peer", required_argument, NULL, 'p' },    { "peer-url", required_argument, NULL, 'U' },
                                             { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 } };
    struct asked a = { 0 };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': a.data = optarg; break;
        case 'i': a.id = optarg; break;
        case 'u': a.url = optarg; break;
        case 'c': a.ca = optarg; break;
        case 'o': a.org = optarg; break;
        case 'f': a.fingerprint = optarg; break;
        case 'p': a.peer = optarg; break;
        case 'U': a.peer_url = optarg; break;
        case 'h': fputs(usage, stdout); return EXIT_YES;
        default: fputs(usage, stderr); return EXIT_USAGE;
        }
    }
    if (optind < argc)
        a.verb = argv[optind++];
    if (optind < argc)
        a.file = argv[optind++];
    if (!a.verb || optind < argc)
        return wrong_usage("link", a.verb ? "too many words" : "init, show, self, card, add, export, import or retry is expected");
    if (strcmp(a.verb, "init") == 0 && (!a.data || !a.id || a.file))
        return wrong_usage("link", a.file ? "no FILE is expected" : "init needs --data DIR and --id NODE");
    return strcmp(a.verb, "init") == 0 ? do_init(&a) : run_verb(&a);
}
