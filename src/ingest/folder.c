/* folder.c - the listener of watched folders: its options, its thread, and how parts of files pass to the loop and back; see folder.h.
 *
 *      thread:  look ─► read a part ─► its end on disk, numbered ─► hand it over ─► wait ─► take it, or void it
 *                                                                     │               ▲
 *      loop:                                              ingest_request ─► worker ───┘   (origin: the number)
 *
 * The thread may wait for a disk as long as it likes; the loop never does. */
#include "ingest/folder.h"
#include "ingest/internal.h"
#include "ingest/record.h"
#include "base/file.h"
#include "base/log.h"

#include <event2/event.h>
#include <sys/eventfd.h>

#define SHOWN_MAX    200
#define RETRY_NS     (1 * NS_PER_SECOND)
#define LOOK_SHARE   20                /* looking takes no more of the time than a twentieth */
#define PICTURE_NS   (1 * NS_PER_SECOND)

struct folder {
    struct listener    base;           /* first */
    struct folder_conf conf;
    pthread_t          thread;
    bool               running;
    struct event      *wake_event;
    int                wake;           /* eventfd: out is there */
    struct ticket     *ticket;
    pthread_mutex_t    lock;           /* of what follows */
    pthread_cond_t     cond;
    struct pile       *out;
    bool               stop, answered;
    int                status;
    uint64_t           seq;            /* of a question */
    char               reason[ERR_TEXT_MAX];
    struct buf         picture;
};
static time_ns max_time(time_ns a, time_ns b) { return a > b ? a : b; }
static time_ns min_time(time_ns a, time_ns b) { return a < b ? a : b; }
static struct folder *folder_of(struct listener *l) { return (struct folder *)(void *)l; }

/* --- the loop's side --- */

/* hand_on - the part that the thread gave goes to the worker, unless that is busy: then at the next tick. */
static void hand_on(struct folder *f)
{
    struct pile *p = NULL;

    pthread_mutex_lock(&f->lock);
    if (f->out && !f->stop && !ingest_busy(f->base.in)) {
        p = f->out;
        f->out = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    if (p)
        ingest_request(f->base.in, p, f->ticket);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
        return;
    hand_on(arg);
}

static void on_answer(void *owner, uint64_t unused, const struct pile *p)
{
    struct folder *f = owner;
    const struct folder_note *n = p->note;

    (void)unused;
    pthread_mutex_lock(&f->lock);
    f->answered = true;
    f->status = p->status;
    f->seq = n->seq;
    snprintf(f->reason, sizeof f->reason, "%s", p->reason);
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->lock);
}

/* --- the thread --- */

struct work {
    struct folder        *f;
    struct folder_files  *files;
    struct folder_reader *reader;
    uint64_t              number;      /* of the last part that was tried */
    size_t                most;        /* bytes of a part */
    time_ns               looked, look_took, pictured;
    uint64_t              parts;
};

static bool stopping(struct folder *f)
{
    bool stop;

    pthread_mutex_lock(&f->lock);
    stop = f->stop;
    pthread_mutex_unlock(&f->lock);
    return stop;
}

/* rest - sleep, unless it is to end. True when it is. */
static bool rest(struct folder *f, time_ns how_long)
{
    struct timespec t;
    bool stop;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(how_long / NS_PER_SECOND);
    t.tv_nsec += (long)(how_long % NS_PER_SECOND);
    if (t.tv_nsec >= NS_PER_SECOND) {
        t.tv_sec++;
        t.tv_nsec -= NS_PER_SECOND;
    }
    pthread_mutex_lock(&f->lock);
    while (!f->stop && pthread_cond_timedwait(&f->cond, &f->lock, &t) == 0)
        ;
    stop = f->stop;
    pthread_mutex_unlock(&f->lock);
    return stop;
}

static void free_note(void *note) { free(note); }

static struct pile *make_pile(struct folder *f, struct folder_note **note)
{
    struct pile *p = pile_new();
    struct folder_note *n = p ? calloc(1, sizeof *n) : NULL;

    if (!n) {
        pile_free(&p);
        return NULL;
    }
    p->note = n;
    p->note_free = free_note;
    p->decoder = &folder_decoder;
    p->card = f->base.card->number;
    p->record_bytes = (size_t)f->base.conf.limits.record_bytes;
    snprintf(p->agent_text, sizeof p->agent_text, "%s", f->base.conf.id);
    p->agent = str_c(p->agent_text);
    snprintf(p->origin, sizeof p->origin, "folder:%s", f->base.conf.id);    /* no name of an agent, so no other numbering is meant */
    p->received = clock_now();
    *note = n;
    return p;
}

/* hand_over - the pile to the loop, and wait for what became of it. The status; -1: it is to end, and nobody knows. */
static int hand_over(struct folder *f, struct pile *p)
{
    uint64_t one = 1;
    int status = -1;

    pthread_mutex_lock(&f->lock);
    f->out = p;
    f->answered = false;
    pthread_mutex_unlock(&f->lock);
    if (write(f->wake, &one, sizeof one) < 0)
        log_line(LOG_WARN, "could not wake the loop, it looks by itself", NULL);
    pthread_mutex_lock(&f->lock);
    while (!f->answered && !f->stop)
        pthread_cond_wait(&f->cond, &f->lock);
    if (f->answered)
        status = f->status;
    pthread_mutex_unlock(&f->lock);
    return status;
}

/* ask_number - the last number that the journal has of this listener. False: it is to end. */
static bool ask_number(struct work *w)
{
    for (;;) {
        struct folder_note *n;
        struct pile *p = make_pile(w->f, &n);
        int status;

        if (p) {
            n->question = true;
            status = hand_over(w->f, p);
            if (status == 200) {
                w->number = w->f->seq;
                return true;
            }
            if (status < 0)
                return false;
        }
        if (rest(w->f, RETRY_NS))
            return false;
    }
}

/* name_of - the host whose file it is, as the option says. */
static void name_of(const struct folder_conf *c, const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/'), *begin = path;
    int n;

    out[0] = 0;
    if (c->name == FOLDER_NAME_PATH)
        return;
    if (c->name == FOLDER_NAME_FILE) {
        begin = slash + 1;
        n = (int)strcspn(begin, ".");
    } else {
        for (const char *p = path; p < slash; p++)
            if (*p == '/')
                begin = p + 1;
        n = (int)(slash - begin);
    }
    snprintf(out, size, "%.*s", n, begin);
}

/* refused - a part that the journal cannot take is tried in smaller ones; a single line that it cannot take is told and passed over. */
static bool refused(struct work *w, struct folder_file *file, const struct folder_place *to, bool one)
{
    if (!one) {
        w->most = max_size(w->most / 4, 1);
        return true;
    }
    log_line(LOG_ERROR, "a line of a file cannot be stored, passing over it", "file.path", file->path, "error.message", w->f->reason, NULL);
    folder_file_take(file, to);
    return true;
}

/* send_part - to the journal. False: it is to end. */
static bool send_part(struct work *w, struct folder_file *file, struct pile *p, const struct folder_place *to, bool one)
{
    struct err e = { 0 };
    int status;

    p->numbered = true;
    p->number = ++w->number;
    while (folder_files_intend(w->files, file, to, p->number, &e) < 0) {
        log_line(LOG_ERROR, "could not keep the position of a file, reading nothing until it can be", "file.path", file->path, "error.message", e.text, NULL);
        if (rest(w->f, RETRY_NS)) {
            pile_free(&p);
            return false;
        }
    }
    w->parts++;
    status = hand_over(w->f, p);
    if (status < 0)
        return false;
    if (status == 200) {
        folder_file_take(file, to);
        w->most = FOLDER_PART_MAX;
        return true;
    }
    while (folder_files_void(w->files, w->number, &e) < 0)
        if (rest(w->f, RETRY_NS))
            return false;
    return status == 413 || status == 400 ? refused(w, file, to, one) : !rest(w->f, RETRY_NS);
}

/* read_file - a part of a file, if there is one. False: it is to end. */
static bool read_file(struct work *w, struct folder_file *file, bool *more)
{
    struct folder_note *n;
    struct pile *p;
    struct folder_place to;
    struct err e = { 0 };
    bool end, empty, go_on = true;
    int rc, fd = folder_file_fd(w->files, file);

    if (fd < 0 || (p = make_pile(w->f, &n)) == NULL)
        return true;
    snprintf(n->path, sizeof n->path, "%s", file->path);
    name_of(&w->f->conf, file->path, n->host, sizeof n->host);
    p->relay = n->host[0] != 0;      /* the source is ID/HOST */
    rc = folder_read(w->reader, file, fd, &w->f->conf, w->most, &p->bytes, &to, &end, &e);
    empty = p->bytes.n == 0;
    if (rc < 0 && !file->told)
        log_line(LOG_ERROR, "could not read a file of a watched folder", "file.path", file->path, "error.message", e.text, NULL);
    file->told = file->told || rc < 0;
    *more = *more || (rc > 0 && !end);
    if (rc <= 0 || empty)
        pile_free(&p);
    if (rc > 0 && empty)
        folder_file_take(file, &to);
    else if (rc > 0)
        go_on = send_part(w, file, p, &to, w->most == 1);
    if (rc >= 0 && end && go_on && (rc == 0 || file->offset == to.offset))
        folder_file_rest(w->files, file);
    return go_on;
}

/* --- what people see --- */

static void put_file(struct buf *b, const struct folder_file *f, const char *comma)
{
    buf_str(b, str_c(comma));
    buf_str(b, STR("\n  {\"path\":"));
    buf_json(b, str_c(f->path));
    buf_printf(b, ",\"size\":%llu,\"offset\":%llu,\"state\":\"%s\"}", (unsigned long long)f->size, (unsigned long long)f->offset,
               f->failed ? "damaged" : f->copy_of ? "copy" : f->settled ? "read" : "reading");
}

/* draw - the members of ingest.json: how many files there are, how far behind, and those that changed last or stand out. */
static void draw(struct work *w)
{
    AUTO_BUF struct buf b = { 0 };
    uint64_t behind = 0, open = 0, failed = 0, shown = 0;

    if (clock_steady() - w->pictured < PICTURE_NS)
        return;
    w->pictured = clock_steady();
    buf_init(&b, MIB);
    for (const struct folder_file *f = folder_files_first(w->files); f; f = f->next) {
        open += !f->settled && !f->copy_of;
        failed += f->failed;
        behind += !f->packed && !f->copy_of && f->size > f->offset && !f->lost ? f->size - f->offset : 0;
    }
    buf_printf(&b, ",\"files\":%zu,\"reading\":%llu,\"behind_bytes\":%llu,\"damaged\":%llu,\"shown\":[", folder_files_count(w->files), (unsigned long long)open,
               (unsigned long long)behind, (unsigned long long)failed);
    for (int odd = 1; odd >= 0; odd--)
        for (const struct folder_file *f = folder_files_first(w->files); f && shown < SHOWN_MAX; f = f->next)
            if ((!f->settled || f->failed) == odd)
                put_file(&b, f, shown++ ? "," : "");
    buf_byte(&b, ']');
    pthread_mutex_lock(&w->f->lock);
    buf_reset(&w->f->picture);
    if (!buf_failed(&b))
        buf_str(&w->f->picture, buf_view(&b));
    pthread_mutex_unlock(&w->f->lock);
}

/* look - what is there, unless that was a moment ago. A folder of very many files is looked at more seldom. */
static void look(struct work *w)
{
    time_ns now = clock_steady();

    if (w->looked && now - w->looked < max_time(w->f->conf.look_s * NS_PER_SECOND, LOOK_SHARE * w->look_took))
        return;
    folder_files_look(w->files, &w->f->conf);
    folder_files_finish(w->files, &w->f->conf);
    w->looked = clock_steady();
    w->look_took = w->looked - now;
}

static void work(struct work *w)
{
    bool more = false;

    while (!stopping(w->f)) {
        look(w);
        more = false;
        for (struct folder_file *f = folder_files_first(w->files), *next; f; f = next) {
            next = f->next;
            if (!f->settled && !f->copy_of && !read_file(w, f, &more))
                return;
        }
        draw(w);
        if (!more && rest(w->f, min_time(w->f->conf.look_s * NS_PER_SECOND, NS_PER_SECOND)))
            return;
    }
}

static void *run(void *arg)
{
    struct work w = { .f = arg, .most = FOLDER_PART_MAX };
    char path[4096];
    struct err e;
    int rc = 0;

    if (!ask_number(&w))
        return NULL;
    snprintf(path, sizeof path, "%.3900s/inputs/folder-%s", w.f->base.in->options->data, w.f->base.conf.id);
    do {
        if (rc < 0)
            log_line(LOG_ERROR, "could not begin to read a watched folder", "saqshy.listener", w.f->base.conf.id, "error.message", e.text, NULL);
        if (rc < 0 && rest(w.f, RETRY_NS))
            return NULL;
        rc = folder_files_open(path, w.number, &w.files, &e);
        if (rc == 0)
            rc = folder_reader_new(&w.reader, &e);
        if (rc < 0)
            folder_files_free(&w.files);
    } while (rc < 0);
    work(&w);
    folder_reader_free(&w.reader);
    folder_files_free(&w.files);
    return NULL;
}

/* --- the listener --- */

static void close_folder(struct listener *l)
{
    struct folder *f = folder_of(l);

    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->lock);
    if (f->running)
        pthread_join(f->thread, NULL);
    if (f->wake_event)
        event_free(f->wake_event);
    if (f->wake >= 0)
        close(f->wake);
    pile_free(&f->out);
    ticket_orphan(&f->ticket);
    buf_free(&f->picture);
    pthread_cond_destroy(&f->cond);
    pthread_mutex_destroy(&f->lock);
    listener_done(l);
}

static int start(struct folder *f, struct err *e)
{
    struct ingest *in = f->base.in;
    char path[4096];
    int rc;

    snprintf(path, sizeof path, "%.4000s/inputs", in->options->data);
    rc = file_mkdirs(path, 0750, e);
    if (rc < 0)
        return rc;
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->ticket = ticket_new(f, on_answer);
    f->wake_event = f->wake >= 0 ? event_new(in->base, f->wake, EV_READ | EV_PERSIST, on_wake, f) : NULL;
    if (!f->wake_event || !f->ticket || event_add(f->wake_event, NULL) < 0)
        return err_set(e, -ENOMEM, "no memory for a watched folder");
    if (pthread_create(&f->thread, NULL, run, f) != 0)
        return err_set(e, -EAGAIN, "could not start the thread of a watched folder");
    f->running = true;
    return 0;
}

static int open_folder(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    struct folder_conf conf;
    pthread_condattr_t attr;
    struct listener *l;
    int rc = folder_conf_read(c, &conf, e);

    if (rc == 0)
        rc = listener_new(in, &folder_kind, c, sizeof(struct folder), &l, e);
    if (rc < 0)
        return rc;
    folder_of(l)->conf = conf;
    folder_of(l)->wake = -1;
    buf_init(&folder_of(l)->picture, MIB);
    pthread_mutex_init(&folder_of(l)->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&folder_of(l)->cond, &attr);
    pthread_condattr_destroy(&attr);
    rc = start(folder_of(l), e);
    if (rc < 0) {
        close_folder(l);
        return rc;
    }
    *out = l;
    return 0;
}

/* change_folder - opened anew: the journal knows how far the one before came. */
static int change_folder(struct listener *l, const struct listen_conf *c, struct err *e)
{
    struct folder_conf conf;
    int rc = folder_conf_read(c, &conf, e);

    (void)l;
    return rc < 0 ? rc : 1;
}

static void pause_folder(struct listener *l, bool paused)
{
    if (!paused)
        hand_on(folder_of(l));
}

static void tick_folder(struct listener *l) { hand_on(folder_of(l)); }

/* stop_folder - no new part; one that is on its way is answered or not, the journal knows. */
static void stop_folder(struct listener *l)
{
    struct folder *f = folder_of(l);

    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->cond);
    pthread_mutex_unlock(&f->lock);
}

static void report_folder(const struct listener *l, struct buf *b)
{
    struct folder *f = folder_of((struct listener *)(uintptr_t)l);

    pthread_mutex_lock(&f->lock);
    buf_str(b, buf_view(&f->picture));
    pthread_mutex_unlock(&f->lock);
}

static int check_folder(const struct listen_conf *c, struct err *e)
{
    struct folder_conf conf;

    return folder_conf_read(c, &conf, e);
}

const struct listener_kind folder_kind = { .number = LISTEN_folder, .check = check_folder, .open = open_folder, .change = change_folder, .pause = pause_folder, .patient = true, .tick = tick_folder,
                                           .stop_accepting = stop_folder, .close = close_folder, .report = report_folder };
