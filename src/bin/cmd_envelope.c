/* cmd_envelope.c - saqshy envelope: signed files of events from another node, looked at and taken.
 *
 * An envelope is judged whole before anything of it goes in; then each block is a frame of the journal with the number of its stream, so that a repetition, whole or
 * after a kill in the middle, adds nothing. From the journal events go into the store, as with saqshy import. Only this process may write: a saqshyd that
 * runs takes envelopes by its listener of the kind envelope instead. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/store_up.h"
#include "envelope/envelope.h"

#include <getopt.h>

#define ARENA_MAX  (256u * MIB)
#define RELAYS_MAX 8             /* as of an event that is passed on: more and it goes in a circle */

static const char usage[] =
    "usage: saqshy envelope verify [--data DIR] [--trust PATH] [--json] FILE…\n"
    "       saqshy envelope import [--data DIR] [--trust PATH] [--json] FILE…\n\n"
    "  verify   whether each file is whole and signed by a node that is trusted, and what is in it\n"
    "  import   take the events of each file into DIR (default: SAQSHY_DATA, else ./data), in the order of the files; taken twice it changes nothing\n\n"
    "PATH is the certificate of a node or a folder of them (*.pem, *.crt); default DIR/link/trusted. No other signature is accepted.\n"
    "Exit 0: all files are well; 1: one is not, the others were taken; 2: could not be done.\n";

struct taking {
    const char     *data, *trust;
    bool            json, import;
    struct store_up up;
    struct envelope_trust *certs;
    struct envelope_book  *book;
    struct event_batch batch;
    struct buf      plain;
    uint64_t        stored, repeated, refused;    /* of one file */
};

static int open_all(struct taking *t, struct err *e)
{
    char trust[4096];
    int rc;

    snprintf(trust, sizeof trust, "%.4000s/link/trusted", t->data);
    rc = envelope_trust_load(t->trust ? t->trust : trust, &t->certs, e);
    if (rc < 0 || !t->import)
        return rc;
    rc = store_up_open(&t->up, t->data, ARENA_MAX, "put the files into the folder of its listener of the kind envelope", e);
    if (rc == 0)
        rc = envelope_book_load(t->up.journal_folder, &t->book, e);
    return rc == 0 ? store_up_drain(&t->up, e) : rc;
}

static void close_all(struct taking *t)
{
    store_up_close(&t->up);
    envelope_book_free(&t->book);
    envelope_trust_free(&t->certs);
    event_batch_free(&t->batch);
    buf_free(&t->plain);
}

/* mark - the events of the batch are ours now; those that went in a circle are left out. */
static void mark(struct taking *t, struct str node)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->batch.count; i++) {
        struct event *ev = &t->batch.items[i];
        uint32_t hops = 0;

        for (uint32_t k = 0; k < ev->field_count; k++)
            hops += str_eq(ev->fields[k].name, STR("saqshy.relay"));
        if (hops >= RELAYS_MAX) {
            t->refused++;
            continue;
        }
        envelope_mark(ev, &t->batch.arena, node);
        t->batch.items[kept++] = *ev;
    }
    t->batch.count = kept;
}

static int take_block(struct taking *t, const struct envelope *v, const struct envelope_block *b, const char *origin, struct err *e)
{
    int rc = envelope_unpack(b, &t->plain, e);

    event_batch_reset(&t->batch);
    if (rc == 0)
        rc = event_decode(buf_view(&t->plain), 1, &t->batch, e);
    if (rc == 0 && t->batch.count != b->events)
        rc = err_set(e, -EBADMSG, "a block of the envelope does not hold the events that it counts");
    if (rc < 0)
        return rc;
    mark(t, str_c(v->m.node));
    if (t->batch.count == 0)
        return 0;
    rc = journal_append(t->up.journal, t->batch.items, t->batch.count, (struct journal_origin){ str_c(origin), b->next }, NULL, e);
    if (rc == 0)
        t->stored += t->batch.count;
    if (rc == 1)
        t->repeated += t->batch.count;
    return rc < 0 ? rc : journal_commit(t->up.journal, e);
}

/* refuse_rest - a block of it cannot be read, or is too large: that is written down, and the next envelope of the stream goes on. -EBADMSG. */
static int refuse_rest(struct taking *t, const struct envelope *v, uint64_t from, struct err *e)
{
    struct err why = *e;
    int rc = envelope_book_refuse(t->book, v, e);

    return rc < 0 ? rc : err_set(e, -EBADMSG, "%.300s; events of the numbers %llu to %llu are not taken: have them sent again", why.text, (unsigned long long)from,
                                 (unsigned long long)v->m.next - 1);
}

static int take_events(struct taking *t, const struct envelope *v, struct err *e)
{
    char origin[ENVELOPE_ORIGIN_MAX];
    enum envelope_place place;
    struct envelope_block b;
    uint64_t from = v->m.first;
    size_t at = 0;
    int rc = envelope_book_begin(t->book, v, &place, origin, e);

    while (rc == 0 && envelope_next(v, &at, &b)) {
        rc = take_block(t, v, &b, origin, e);
        if (rc == -EBADMSG || rc == -E2BIG)
            return refuse_rest(t, v, from, e);
        if (rc == 0)
            rc = store_up_drain(&t->up, e);
        from = b.next;
    }
    return rc == 0 ? envelope_book_end(t->book, v, e) : rc;
}

/* show - a name of a file, which comes from a stick: as JSON, or without what drives a terminal. */
static void show(const char *path, bool json, FILE *to)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    if (json)
        buf_json(&b, str_c(path));
    else
        plain_put(&b, str_c(path), SIZE_MAX);
    fwrite(b.p, 1, b.n, to);
}

static void tell(const struct taking *t, const char *path, const struct envelope *v)
{
    AUTO_BUF struct buf missing = { 0 };
    const struct envelope_manifest *m = &v->m;

    buf_init(&missing, MIB);
    if (t->book)
        envelope_book_missing(t->book, v, &missing);
    buf_byte(&missing, 0);
    if (t->json) {
        fputs("{\"file\":", stdout);
        show(path, true, stdout);
        printf(",\"node\":\"%s\",\"stream\":\"%s\",\"number\":%llu,\"first\":%llu,\"next\":%llu,\"events\":%llu", m->node, m->stream,
               (unsigned long long)m->number, (unsigned long long)m->first, (unsigned long long)m->next, (unsigned long long)m->events);
        if (t->import)
            printf(",\"stored\":%llu,\"repeated\":%llu,\"refused\":%llu,\"missing\":\"%s\"", (unsigned long long)t->stored, (unsigned long long)t->repeated,
                   (unsigned long long)t->refused, missing.p);
        puts("}");
        return;
    }
    show(path, false, stdout);
    printf(": node \"%s\", stream %s, envelope %llu, events %llu of the numbers %llu to %llu", m->node, m->stream, (unsigned long long)m->number,
           (unsigned long long)m->events, (unsigned long long)m->first, (unsigned long long)(m->next ? m->next - 1 : 0));
    if (t->import)
        printf(": %llu stored, %llu were there already%s%s", (unsigned long long)t->stored, (unsigned long long)t->repeated,
               missing.p[0] ? "; envelopes of this stream that are missing: " : "", missing.p);
    if (t->refused)
        printf("; %llu went in a circle and were refused", (unsigned long long)t->refused);
    putchar('\n');
}

/* one - a file. What is wrong with it is told, and does not keep the others; what is wrong here does. */
static int one(struct taking *t, const char *path, bool *well, struct err *e)
{
    struct envelope *v = NULL;
    int rc = envelope_open(path, t->certs, &v, e);

    t->stored = t->repeated = t->refused = 0;
    if (rc == 0 && t->import)
        rc = take_events(t, v, e);
    if (rc == 0)
        tell(t, path, v);
    envelope_free(&v);
    if (rc == 0)
        return 0;
    fputs("saqshy: ", stderr);
    show(path, false, stderr);
    fputs(": ", stderr);
    show(e->text, false, stderr);
    fputs("\n", stderr);
    *well = false;
    return rc == -EBADMSG || rc == -EACCES || rc == -EAGAIN || rc == -E2BIG || rc == -ENOENT ? 0 : rc;
}

static int run(struct taking *t, int count, char **files)
{
    struct err e = { 0 };
    bool well = true;
    int rc;

    event_batch_init(&t->batch, ARENA_MAX);
    buf_init(&t->plain, ENVELOPE_BLOCK_MAX + KIB);
    rc = open_all(t, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = one(t, files[i], &well, &e);
    if (rc == 0 && t->import) {
        rc = store_up_finish(&t->up, &e);
        if (rc < 0)
            fprintf(stderr, "saqshy: %s\n", e.text);
    }
    close_all(t);
    return rc < 0 ? EXIT_USAGE : well ? EXIT_YES : EXIT_NO;
}

int cmd_envelope(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "trust", required_argument, NULL, 't' },
                                             { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    const char *data = getenv("SAQSHY_DATA");
    struct taking t = { .data = data ? data : "data" };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd')
            t.data = optarg;
        else if (c == 't')
            t.trust = optarg;
        else if (c == 'j')
            t.json = true;
        else if (c == 'h') {
            fputs(usage, stdout);
            return EXIT_YES;
        } else
            return wrong_usage("envelope", "there is an option that is not known");
    }
    if (optind >= argc || (strcmp(argv[optind], "verify") != 0 && strcmp(argv[optind], "import") != 0))
        return wrong_usage("envelope", "verify or import is expected");
    t.import = strcmp(argv[optind], "import") == 0;
    if (optind + 1 >= argc)
        return wrong_usage("envelope", "no file is named");
    return run(&t, argc - optind - 1, argv + optind + 1);
}
