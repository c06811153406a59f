/* envelope.c - into signed envelopes in a folder: for a link that goes one way, or a stick.
 *
 * Events gather until max_mib are together or every_s passed. Then, in this order: the envelope is written under a name of its own and synced; the chain (its
 * number, its digest, the event behind it) is written into DATA/forward/STREAM.chain; the file gets its name; the place in the journal moves. The second step
 * decides. Whatever falls at whatever moment, a number is given to one envelope alone, and no event is in two.
 *
 *      .FILE.part ──► STREAM.chain says n ──► rename ──► acknowledged */
#include "forward/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "envelope/envelope.h"

#include <fcntl.h>
#include <sys/stat.h>

#define BLOCK_BYTES  (4u * MIB)       /* of events in one block, roughly */
#define CHAIN        "chain"          /* DATA/forward/STREAM.chain */
#define PATH_ROOM    8192
#define EVENT_ROOM   64u              /* what an event costs besides its texts */

struct chain {
    char     stream[UPSTREAM_STREAM_MAX], digest[NODE_HASH_TEXT];
    uint64_t number, next;
};

struct sealing {
    struct node_key *key;
    struct chain     chain;
    struct buf       body;
    uint64_t         first, next, events;
    time_ns          since;           /* steady: when the first event of the open envelope came */
    size_t           max_bytes;
    time_ns          every;
};

static const char *const names[] = { "identity", "every_s", "max_mib", NULL };

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    const char *identity = upstream_option(c, "identity");
    uint64_t n = 0;
    int rc = upstream_only(c, file, names, e);

    if (rc < 0)
        return rc;
    if (*c->address != '/')
        return upstream_bad(c, file, NULL, e, "\"address\" must be a folder with its whole path");
    if (!identity || *identity != '/')
        return upstream_bad(c, file, "identity", e, "\"identity\" is needed: the folder of node.pem and node.key (saqshy link init), with its whole path");
    if (!upstream_whole(c, "every_s", 1, 86400 * 7, &n))
        return upstream_bad(c, file, "every_s", e, "\"every_s\" must be a whole number of seconds from 1 to 604800");
    if (!upstream_whole(c, "max_mib", 1, 128, &n))
        return upstream_bad(c, file, "max_mib", e, "\"max_mib\" must be a whole number from 1 to 128");
    return 0;
}

static void rights(const struct upstream_conf *c, const struct upstream_rights *r)
{
    char key[PATH_ROOM];

    snprintf(key, sizeof key, "%.4000s/node.key", upstream_option(c, "identity"));
    r->read(r->arg, key);
    r->write(r->arg, c->address);
}

static int open_envelope(struct upstream *u, struct err *e)
{
    struct sealing *s = calloc(1, sizeof *s);
    uint64_t mib = 16, every = 3600;

    if (!s)
        return err_set(e, -ENOMEM, "no memory for an upstream");
    (void)upstream_whole(u->conf, "max_mib", 1, 128, &mib);
    (void)upstream_whole(u->conf, "every_s", 1, 86400 * 7, &every);
    s->max_bytes = (size_t)mib * MIB;
    s->every = (time_ns)every * NS_PER_SECOND;
    u->state = s;
    return 0;
}

static void disconnect_envelope(struct upstream *u)
{
    struct sealing *s = u->state;

    if (!s)
        return;
    node_key_free(&s->key);
    buf_free(&s->body);
    s->events = 0;
}

static void close_envelope(struct upstream *u)
{
    disconnect_envelope(u);
    free(u->state);
    u->state = NULL;
}

/* --- the chain --- */

static void file_path(const struct upstream *u, const char *node, const char *stream, uint64_t number, bool part, char out[PATH_ROOM])
{
    snprintf(out, PATH_ROOM, "%.4000s/%s%s.%s.%010llu" ENVELOPE_SUFFIX "%s", u->conf->address, part ? "." : "", node, stream, (unsigned long long)number,
             part ? ".part" : "");
}

/* chain_load - that of this numbering; another one begins anew. */
static int chain_load(struct upstream *u, struct chain *c, struct err *e)
{
    unsigned long long number = 0, next = 0;
    char path[NOTE_PATH], text[NOTE_TEXT];
    int rc;

    note_path(u, CHAIN, path);
    rc = note_read(path, text, e);
    *c = (struct chain){ .number = 0 };
    if (rc > 0 && (sscanf(text, "%63s %llu %llu %64s", c->stream, &number, &next, c->digest) != 4 || strlen(c->digest) != NODE_HASH_TEXT - 1))
        return err_set(e, -EBADMSG, "\"%s\" cannot be read: it tells which envelopes were made", path);
    c->number = number;
    c->next = next;
    if (strcmp(c->stream, u->stream) != 0) {
        *c = (struct chain){ .number = 0, .digest = ENVELOPE_ZERO_HASH };
        snprintf(c->stream, sizeof c->stream, "%s", u->stream);
    }
    return rc < 0 ? rc : 0;
}

static int chain_save(const struct upstream *u, const struct chain *c, struct err *e)
{
    return note_write(u, CHAIN, e, "%s %llu %llu %s\n", c->stream, (unsigned long long)c->number, (unsigned long long)c->next, c->digest);
}

/* publish - the envelope that the chain names gets its name, if it has none yet. */
static int publish(const struct upstream *u, const struct sealing *s, struct err *e)
{
    const char *node = node_cert_name(node_key_cert(s->key));
    char part[PATH_ROOM], path[PATH_ROOM];

    if (s->chain.number == 0)
        return 0;
    file_path(u, node, s->chain.stream, s->chain.number, true, part);
    file_path(u, node, s->chain.stream, s->chain.number, false, path);
    if (!file_exists(part))
        return 0;     /* it has it, and may be carried away already */
    if (rename(part, path) < 0)
        return err_sys(e, "could not give \"%s\" its name", path);
    return file_sync_dir(u->conf->address, e);
}

static int connect_envelope(struct upstream *u, struct err *e)
{
    struct sealing *s = u->state;
    int rc = file_mkdirs(u->conf->address, 0750, e);

    buf_init(&s->body, s->max_bytes + 2 * ENVELOPE_BLOCK_MAX);
    if (rc == 0)
        rc = node_key_load(upstream_option(u->conf, "identity"), &s->key, e);
    if (rc == 0)
        rc = chain_load(u, &s->chain, e);
    if (rc == 0)
        rc = publish(u, s, e);
    if (rc < 0)
        return rc;
    upstream_acked(u, s->chain.next, 0, 0);
    s->first = u->first_seq;
    s->events = 0;
    if (str_starts(str_c(u->stream), STR("replay-")))
        s->every = NS_PER_SECOND;    /* somebody waits for the end of it */
    return 0;
}

static int write_part(const char *path, struct str bytes, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    int rc;

    if (fd < 0)
        return err_sys(e, "could not write \"%s\"", path);
    rc = file_write_all(fd, bytes, e);
    if (rc == 0 && fsync(fd) < 0)
        rc = err_sys(e, "could not write \"%s\" to the disk", path);
    return rc;
}

/* deliver - what gathered, as the next envelope. */
static int deliver(struct upstream *u, struct err *e)
{
    struct sealing *s = u->state;
    struct envelope_manifest m = { .number = s->chain.number + 1, .first = s->first, .next = s->next, .events = s->events, .created_at = clock_now() };
    struct chain fresh = s->chain;
    AUTO_BUF struct buf whole = { 0 };
    char part[PATH_ROOM];
    int rc;

    buf_init(&whole, s->body.n + ENVELOPE_MANIFEST_MAX + NODE_SIGNATURE_MAX + KIB);
    m.created_at -= m.created_at % NS_PER_SECOND;
    snprintf(m.stream, sizeof m.stream, "%s", s->chain.stream);
    snprintf(m.previous, sizeof m.previous, "%s", s->chain.digest);
    rc = envelope_make(s->key, &m, buf_view(&s->body), &whole, fresh.digest, e);
    file_path(u, m.node, m.stream, m.number, true, part);
    if (rc == 0)
        rc = write_part(part, buf_view(&whole), e);
    if (rc == 0)
        rc = file_sync_dir(u->conf->address, e);
    fresh.number = m.number;
    fresh.next = m.next;
    if (rc == 0)
        rc = chain_save(u, &fresh, e);
    if (rc < 0)
        return rc;
    s->chain = fresh;
    rc = publish(u, s, e);
    if (rc < 0)
        return rc;
    upstream_acked(u, s->next, s->events, whole.n);
    s->first = s->next;
    s->events = 0;
    buf_reset(&s->body);
    return 0;
}

static size_t weight_of(const struct event *ev)
{
    size_t n = EVENT_ROOM + ev->original.n;

    for (uint32_t i = 0; i < ev->field_count; i++)
        n += ev->fields[i].name.n + ev->fields[i].value.n;
    return n;
}

/* put - a block; one event that is larger than a block may be is refused. */
static int put(struct upstream *u, const struct event *events, size_t count, uint64_t next, struct err *e)
{
    struct sealing *s = u->state;
    size_t before = s->body.n;
    int rc = envelope_block_put(events, count, next, &s->body, e);

    if (rc == -E2BIG && count == 1 && !buf_failed(&s->body)) {
        s->body.n = before;
        upstream_refuse(u, events, e->text);
        return 0;
    }
    if (rc == 0 && s->events == 0)
        s->since = clock_steady();
    if (rc == 0) {
        s->events += count;
        s->next = next;
    }
    return rc;
}

static int send_envelope(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct sealing *s = u->state;
    size_t from = 0, run = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t weight = weight_of(&events[i]);

        if (i > from && run + weight > BLOCK_BYTES) {
            rc = put(u, events + from, i - from, events[i - 1].seq + 1, e);
            from = i;
            run = 0;
        }
        run += weight;
    }
    if (rc == 0)
        rc = put(u, events + from, count - from, next_seq, e);
    if (rc == 0 && s->body.n >= s->max_bytes)
        rc = deliver(u, e);
    return rc < 0 ? rc : 0;
}

static int settle_envelope(struct upstream *u, int wait_ms, struct err *e)
{
    struct sealing *s = u->state;

    if (s->events == 0)
        return 0;
    if (upstream_stopping(u) || clock_steady() - s->since >= s->every)
        return deliver(u, e);
    (void)upstream_wait(u, -1, 0, wait_ms);
    return 1;
}

const struct upstream_kind envelope_upstream = {
    .type = UPSTREAM_envelope, .check = check, .rights = rights, .open = open_envelope, .connect = connect_envelope, .send = send_envelope,
    .settle = settle_envelope, .disconnect = disconnect_envelope, .close = close_envelope,
};
