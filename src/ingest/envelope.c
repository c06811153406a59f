/* envelope.c - the listener kind envelope: a folder into which somebody puts signed envelopes of events, from a stick or from a link that goes one way.
 *
 * One file at a time, in the order of names. It is judged whole (envelope.h), then its blocks go to the journal one after another, numbered by the stream, so
 * that whatever falls in between, the file is begun again and nothing stands twice. A file that is done is renamed to .taken, one that is refused to
 * .refused; nothing is removed. Where a block of a judged file is refused, the book says so and the next envelope of the stream goes on. Files that were
 * written to in the last seconds are left alone: they may not be whole yet. */
#include "ingest/internal.h"
#include "ingest/relayed.h"
#include "base/log.h"
#include "envelope/envelope.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define QUIET_S     3       /* since the last byte was written */
#define RETRY_TICKS 2
#define ROUND_TICKS 10      /* until files that wait for others are looked at again */
#define PATH_ROOM   4500

struct carrier {
    struct listener         base;
    struct ticket          *ticket;
    struct envelope        *v;             /* that is being taken; NULL: none */
    struct envelope_book   *book;
    char                    skip[256];     /* files up to this name were looked at in this round: they wait for others, which may come behind them */
    char                    path[PATH_ROOM], origin[ENVELOPE_ORIGIN_MAX];
    size_t                  at, behind;    /* of the block on its way, and behind it */
    uint64_t                stored, reach; /* numbers of the sender: one past what is stored of this envelope, and past the block on its way */
    bool                    flying, stopping;
    int                     wait_ticks;
    int64_t                 taken, refused, repeated;   /* files; blocks that the journal had */
    char                    error[ERR_TEXT_MAX], missing[ERR_TEXT_MAX];
};

static struct carrier *carrier_of(struct listener *l) { return (struct carrier *)(void *)l; }

static void let_go(struct carrier *k)
{
    envelope_free(&k->v);
    envelope_book_free(&k->book);
}

static void rename_to(struct carrier *k, const char *ending)
{
    char to[PATH_ROOM + 16];

    snprintf(to, sizeof to, "%s%s", k->path, ending);
    if (rename(k->path, to) == 0)
        return;
    snprintf(k->error, sizeof k->error, "could not rename \"%.300s\": %s", k->path, strerror(errno));
    k->wait_ticks = 60;    /* it would be taken again and again, for nothing */
}

static void refuse(struct carrier *k, const char *why)
{
    k->refused++;
    snprintf(k->error, sizeof k->error, "%s", why);
    log_line(LOG_SEC, "refused an envelope of events", "saqshy.listener", k->base.conf.id, "file.path", k->path, "error.message", why, NULL);
    let_go(k);
    rename_to(k, ".refused");
}

/* refuse_rest - a block of it was refused: what is behind it has higher numbers and is not tried. */
static void refuse_rest(struct carrier *k, const char *why)
{
    const struct envelope_manifest *m = &k->v->m;
    char text[ERR_TEXT_MAX], number[24], from[24], next[24];
    struct err e;

    if (envelope_book_refuse(k->book, k->v, &e) < 0) {    /* the block is tried again, and refused again */
        snprintf(k->error, sizeof k->error, "%s", e.text);
        k->wait_ticks = RETRY_TICKS;
        return;
    }
    log_line(LOG_ERROR, "events of an envelope could not be taken: have these numbers sent again", "saqshy.listener", k->base.conf.id, "saqshy.node", m->node,
             "saqshy.stream", m->stream, "saqshy.envelope", log_num((long long)m->number, number), "saqshy.from", log_num((long long)k->stored, from),
             "saqshy.next", log_num((long long)m->next, next), NULL);
    snprintf(text, sizeof text, "envelope %s of \"%s\", events of the numbers %s to %llu: %.300s", number, m->stream, from, (unsigned long long)m->next - 1, why);
    k->skip[0] = 0;       /* those behind it wait no longer */
    refuse(k, text);
}

static void finish(struct carrier *k)
{
    AUTO_BUF struct buf missing = { 0 };
    char number[24], events[24];
    struct err e;

    buf_init(&missing, ERR_TEXT_MAX - 1);
    if (envelope_book_end(k->book, k->v, &e) < 0) {
        snprintf(k->error, sizeof k->error, "%s", e.text);
        let_go(k);
        k->wait_ticks = RETRY_TICKS;
        return;
    }
    envelope_book_missing(k->book, k->v, &missing);
    snprintf(k->missing, sizeof k->missing, "%.*s", STR_ARG(buf_view(&missing)));
    log_line(*k->missing ? LOG_WARN : LOG_INFO, *k->missing ? "took an envelope of events, others of its stream are missing" : "took an envelope of events",
             "saqshy.listener", k->base.conf.id, "saqshy.node", k->v->m.node, "saqshy.stream", k->v->m.stream, "saqshy.envelope",
             log_num((long long)k->v->m.number, number), "saqshy.events", log_num((long long)k->v->m.events, events), "saqshy.missing", k->missing, NULL);
    k->taken++;
    k->error[0] = k->skip[0] = 0;
    let_go(k);
    rename_to(k, ".taken");
}

/* submit - the next block, or the end. */
static void submit(struct carrier *k)
{
    struct envelope_block b;
    struct pile *p;

    k->behind = k->at;
    if (!envelope_next(k->v, &k->behind, &b)) {
        finish(k);
        return;
    }
    p = pile_new();
    if (p) {
        buf_str(&p->bytes, b.packed);
        p->decoder = &relayed_decoder;
        p->coding = PACKING_ZSTD;
        p->card = k->base.card->number;
        p->received = clock_now();
        p->numbered = true;
        p->number = b.next;
        snprintf(p->origin, sizeof p->origin, "%s", k->origin);
        snprintf(p->agent_text, sizeof p->agent_text, "%s", k->v->m.node);
        p->agent = str_c(p->agent_text);
        snprintf(p->peer, sizeof p->peer, "envelope");
    }
    if (!p || buf_failed(&p->bytes)) {
        bool large = p && b.packed.n > p->bytes.limit_bytes;

        pile_free(&p);
        if (large)
            refuse_rest(k, "a block of it is larger than the collector takes");
        else
            k->wait_ticks = RETRY_TICKS;    /* no memory */
        return;
    }
    k->reach = b.next;
    k->flying = true;
    ingest_request(k->base.in, p, k->ticket);
}

static void on_stored(void *owner, uint64_t number, const struct pile *p)
{
    struct carrier *k = owner;

    (void)number;
    k->flying = false;
    if (p->status == 400 || p->status == 413) {
        refuse_rest(k, p->reason);
    } else if (p->status != 200) {
        k->wait_ticks = RETRY_TICKS;
    } else {
        k->repeated += p->repeated;
        k->at = k->behind;
        k->stored = k->reach;
        if (!k->stopping)
            submit(k);
    }
}

/* find - the first file by name that is whole, as far as one can see. */
static bool find(struct carrier *k)
{
    const char *folder = listen_option(&k->base.conf, "folder");
    char best[256] = "";
    DIR *d = opendir(folder);
    struct dirent *f;
    time_t now = (time_t)(clock_now() / NS_PER_SECOND);

    if (!d) {
        snprintf(k->error, sizeof k->error, "could not read the folder \"%.300s\": %s", folder, strerror(errno));
        return false;
    }
    while ((f = readdir(d)) != NULL) {
        struct str name = str_c(f->d_name);
        struct stat st;

        if (*f->d_name == '.' || !str_ends(name, STR(ENVELOPE_SUFFIX)) || strcmp(f->d_name, k->skip) <= 0 || (*best && strcmp(f->d_name, best) >= 0))
            continue;
        if (fstatat(dirfd(d), f->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && (st.st_mtime > now || now - st.st_mtime >= QUIET_S))
            snprintf(best, sizeof best, "%s", f->d_name);
    }
    closedir(d);
    if (!*best && *k->skip) {
        k->skip[0] = 0;
        k->wait_ticks = ROUND_TICKS;
    }
    snprintf(k->path, sizeof k->path, "%.4000s/%.255s", folder, best);
    return *best;
}

static void begin(struct carrier *k)
{
    struct envelope_trust *t = NULL;
    enum envelope_place place;
    char journal[PATH_ROOM];
    struct err e = { 0 };
    int rc = envelope_trust_load(listen_option(&k->base.conf, "trust"), &t, &e);

    if (rc < 0) {    /* not the file's fault */
        snprintf(k->error, sizeof k->error, "%s", e.text);
        k->wait_ticks = RETRY_TICKS;
        return;
    }
    snprintf(journal, sizeof journal, "%.4000s/journal", k->base.in->options->data);
    rc = envelope_open(k->path, t, &k->v, &e);
    envelope_trust_free(&t);
    if (rc == 0)
        rc = envelope_book_load(journal, &k->book, &e);
    if (rc == 0)
        rc = envelope_book_begin(k->book, k->v, &place, k->origin, &e);
    k->at = 0;
    if (rc == 0) {
        k->stored = k->v->m.first;
        submit(k);
    } else if (rc == -EBADMSG || rc == -EACCES || rc == -E2BIG) {
        refuse(k, e.text);
    } else {
        snprintf(k->error, sizeof k->error, "%s", e.text);
        let_go(k);
        if (rc == -EAGAIN)    /* it waits for an envelope before it: those of other nodes do not wait for that */
            snprintf(k->skip, sizeof k->skip, "%s", strrchr(k->path, '/') + 1);
        else
            k->wait_ticks = RETRY_TICKS;
    }
}

static void tick(struct listener *l)
{
    struct carrier *k = carrier_of(l);

    if (k->wait_ticks > 0 || k->flying || k->stopping) {
        k->wait_ticks -= k->wait_ticks > 0;
        return;
    }
    if (ingest_busy(l->in))
        return;
    if (k->v)
        submit(k);
    else if (find(k))
        begin(k);
}

static void stop_accepting(struct listener *l) { carrier_of(l)->stopping = true; }
static bool busy(const struct listener *l) { return ((const struct carrier *)(const void *)l)->flying; }

static void close_carrier(struct listener *l)
{
    struct carrier *k = carrier_of(l);

    ticket_orphan(&k->ticket);
    let_go(k);
    listener_done(l);
}

static void report(const struct listener *l, struct buf *json)
{
    const struct carrier *k = (const struct carrier *)(const void *)l;

    buf_printf(json, ",\"taken\":%lld,\"refused_files\":%lld,\"repeated_blocks\":%lld,\"missing\":\"%s\",\"error\":", (long long)k->taken, (long long)k->refused,
               (long long)k->repeated, k->missing);
    buf_json(json, str_c(k->error));
}

static int check(const struct listen_conf *c, struct err *e)
{
    const char *folder = listen_option(c, "folder"), *trust = listen_option(c, "trust");

    for (size_t i = 0; i < c->option_count; i++)
        if (strcmp(c->options[i].name, "folder") != 0 && strcmp(c->options[i].name, "trust") != 0)
            return err_set(e, -EINVAL, "unknown option \"%s\": folder and trust are known", c->options[i].name);
    if (*c->address)
        return err_set(e, -EINVAL, "a listener of the kind envelope has no address, but the options \"folder\" and \"trust\", and so stands in ingest.listeners");
    if (!folder || *folder != '/' || !trust || *trust != '/')
        return err_set(e, -EINVAL, "the options \"folder\" (where envelopes are put) and \"trust\" (certificates of nodes) are needed, with their whole paths");
    return 0;
}

static int open_carrier(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    struct listener *l = NULL;
    struct carrier *k;
    int rc = check(c, e);

    if (rc == 0)
        rc = listener_new(in, &envelope_kind, c, sizeof *k, &l, e);
    if (rc < 0)
        return rc;
    k = carrier_of(l);
    k->ticket = ticket_new(k, on_stored);
    if (!k->ticket) {
        close_carrier(l);
        return err_set(e, -ENOMEM, "no memory for a listener");
    }
    *out = l;
    return 0;
}

const struct listener_kind envelope_kind = {
    .number = LISTEN_envelope, .check = check, .open = open_carrier, .tick = tick, .stop_accepting = stop_accepting, .busy = busy, .close = close_carrier,
    .report = report,
};
