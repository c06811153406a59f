/* facts.c - when which facts are collected, and how a difference becomes parts that travel like lines.
 *
 * A message is a file (facts.h): once written it does not change, so its place in the state is an offset, moved by the acknowledged batch like that of
 * any file. Nothing of its kind is collected before it has gone. A whole list goes at first, when the state was lost, and each FULL_EVERY_NS; else the
 * differences to what the collector has. The list becomes the base after the state that says "all sent" is on disk. */
#include "agent/facts.h"
#include "base/file.h"
#include "base/log.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS        (20 * NS_PER_MS)       /* of the walk, between two looks at the logs: about a fifth of one processor */
#define FULL_EVERY_NS   (7 * NS_PER_DAY)
#define LOOK_NS         NS_PER_HOUR            /* packages and settings */
#define LOOK_CLOCK_NS   (10 * NS_PER_MINUTE)
#define SAY_NS          NS_PER_DAY             /* nothing new is said, too */
#define QUIET_NS        (2 * NS_PER_SECOND)    /* changes that come together are looked at together */
#define QUIET_MOST_NS   (60 * NS_PER_SECOND)
#define CHANGED_NS      (10 * NS_PER_SECOND)   /* between two walks for changes */

enum kind { PACKAGES, SETTINGS, FILES, CLOCK };
static const char *const names[FACT_KINDS] = { "packages", "settings", "files", "time" };

struct one {
    bool     on, due;
    time_ns  look_at;              /* steady */
    bool     sending;              /* there is a message */
    uint64_t scan, offset, full_at, size;
    time_ns  said_at;              /* clock */
    int64_t  stamp;                /* of the file of packages, as it was read last */
};
struct facts {
    const struct agent_config *c;
    char            folder[AGENT_PATH_MAX];
    struct one      kinds[FACT_KINDS];
    struct settings *settings;
    struct trees   *trees;
    struct list_out out;
    int             inotify;
    bool            walking, walk_full;
    uint64_t        last_scan, walk_scan, over;
    time_ns         dirty_first, dirty_last, walked_at;    /* steady; 0: clean */
    char           *line;
    size_t          line_cap;
};

static const char *path_of(const struct facts *f, enum kind k, const char *tail, char out[AGENT_PATH_MAX])
{
    snprintf(out, AGENT_PATH_MAX, "%.*s/%s.%s", AGENT_PATH_MAX - 64, f->folder, names[k], tail);
    return out;
}

static uint64_t scan_next(struct facts *f)
{
    time_ns now = clock_now();

    f->last_scan = now > 0 && (uint64_t)now > f->last_scan ? (uint64_t)now : f->last_scan + 1;
    return f->last_scan;
}

/* --- the message --- */

struct writing {
    FILE       *out;
    struct buf  head, items, gone;
    uint64_t    part;
    const char *kind;
};

static void put_array(struct buf *b, const struct list *l)
{
    struct str rest = l->value, word;

    buf_str(b, b->n ? STR(",[") : STR("["));
    buf_json(b, l->key);
    while (str_split(&rest, '\t', &word)) {
        buf_byte(b, ',');
        buf_json(b, word);
    }
    buf_byte(b, ']');
}

static void part_flush(struct writing *w, bool last)
{
    fprintf(w->out, "%.*s,\"part\":%llu,\"last\":%s,\"items\":[", STR_ARG(buf_view(&w->head)), (unsigned long long)++w->part, last ? "true" : "false");
    if (w->items.n)
        fwrite(w->items.p, 1, w->items.n, w->out);
    fputs("],\"gone\":[", w->out);
    if (w->gone.n)
        fwrite(w->gone.p, 1, w->gone.n, w->out);
    fputs("]}\n", w->out);
    buf_reset(&w->items);
    buf_reset(&w->gone);
}

static void put_head(struct facts *f, enum kind k, struct writing *w, uint64_t scan, uint64_t base, uint64_t total)
{
    struct buf *b = &w->head;

    buf_printf(b, "{\"kind\":\"%s\",\"scan\":\"%llu\"", names[k], (unsigned long long)scan);
    if (base)
        buf_printf(b, ",\"base\":\"%llu\"", (unsigned long long)base);
    buf_printf(b, ",\"total\":%llu,\"over\":%llu,\"roots\":[", (unsigned long long)total, (unsigned long long)(k == FILES ? f->over : 0));
    for (size_t i = 0; k == FILES && i < f->c->tree_count; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, str_c(f->c->trees[i]));
    }
    buf_byte(b, ']');
}

/* merge - both lists in one pass: what is new or otherwise, what is gone. Returns how many. */
static size_t merge(struct writing *w, struct list *now, struct list *before)
{
    size_t differences = 0;

    while (now->have || (before && before->have)) {
        int side = !before || !before->have ? -1 : !now->have ? 1 : fact_key_cmp(now->key, before->key);

        if (side < 0 || (side == 0 && !str_eq(now->value, before->value))) {
            put_array(&w->items, now);
            differences++;
        } else if (side > 0) {
            if (w->gone.n)
                buf_byte(&w->gone, ',');
            buf_json(&w->gone, before->key);
            differences++;
        }
        if (side <= 0)
            list_advance(now);
        if (side >= 0)
            list_advance(before);
        if (w->items.n + w->gone.n > PART_BYTES)
            part_flush(w, false);
    }
    return differences;
}

static int write_message(struct facts *f, enum kind k, struct list *now, struct list *before, uint64_t total, size_t *differences, struct err *e)
{
    struct writing w = { .kind = names[k] };
    char path[AGENT_PATH_MAX];
    int rc = 0;

    w.out = fopen(path_of(f, k, "out", path), "we");
    if (!w.out)
        return err_sys(e, "could not write \"%s\"", path);
    buf_init(&w.head, MIB);
    buf_init(&w.items, PART_BYTES + 64 * KIB);
    buf_init(&w.gone, PART_BYTES + 64 * KIB);
    put_head(f, k, &w, now->scan, before ? before->scan : 0, total);
    *differences = merge(&w, now, before);
    part_flush(&w, true);
    f->kinds[k].size = (uint64_t)ftell(w.out);
    if (buf_failed(&w.head) || buf_failed(&w.items) || buf_failed(&w.gone) || fflush(w.out) != 0 || ferror(w.out) || fsync(fileno(w.out)) < 0)
        rc = err_set(e, -EIO, "could not write \"%s\"", path);
    fclose(w.out);
    buf_free(&w.head);
    buf_free(&w.items);
    buf_free(&w.gone);
    return rc;
}

/* announce - the list KIND.tail is whole: what of it must be said? quiet: nothing, if nothing differs. */
static int announce(struct facts *f, enum kind k, const char *tail, uint64_t total, bool quiet, struct err *e)
{
    AUTO_FREE struct list *now = calloc(1, sizeof *now), *before = calloc(1, sizeof *before);
    char from[AGENT_PATH_MAX], to[AGENT_PATH_MAX], base[AGENT_PATH_MAX];
    struct one *o = &f->kinds[k];
    time_ns clock = clock_now();
    size_t differences = 0;
    bool delta;
    int rc = 0;

    if (!now || !before)
        return err_set(e, -ENOMEM, "no memory for a message of facts");
    if (rename(path_of(f, k, tail, from), path_of(f, k, "new", to)) < 0)
        return err_sys(e, "could not rename \"%s\"", from);
    delta = o->full_at && clock >= (time_ns)o->full_at && clock - (time_ns)o->full_at < FULL_EVERY_NS && list_open(before, path_of(f, k, "base", base));
    if (!list_open(now, to))
        rc = err_set(e, -EIO, "could not read \"%s\" again", to);
    if (rc == 0)
        rc = write_message(f, k, now, delta ? before : NULL, total, &differences, e);
    if (rc == 0 && delta && differences == 0 && quiet) {
        unlink(path_of(f, k, "out", from));
        unlink(to);
    } else if (rc == 0) {
        *o = (struct one){ .on = o->on, .look_at = o->look_at, .stamp = o->stamp, .sending = true, .scan = now->scan, .size = o->size,
                           .full_at = delta ? o->full_at : (uint64_t)clock, .said_at = clock };
    }
    list_close(now);
    list_close(before);
    return rc;
}

/* --- collecting --- */

static int collect_list(struct facts *f, enum kind k, struct err *e)
{
    struct one *o = &f->kinds[k];
    char path[AGENT_PATH_MAX];
    struct list_out out;
    time_ns now = clock_now();
    int rc = list_make(&out, path_of(f, k, "part", path), names[k], scan_next(f), e);

    if (rc < 0)
        return rc;
    rc = k == PACKAGES ? dpkg_list(f->c->packages_file, &out, e) : k == CLOCK ? clock_list(&out, e) : settings_list(f->settings, &out, e);
    if (rc == 0)
        rc = list_end(&out, e);
    list_abort(&out);
    return rc < 0 ? rc : announce(f, k, "part", out.count, now >= o->said_at && now - o->said_at < SAY_NS, e);
}

/* packages_moved - the file of packages has another time than when it was read last. */
static bool packages_moved(const struct facts *f)
{
    struct stat st;

    return stat(f->c->packages_file, &st) == 0 && st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec != f->kinds[PACKAGES].stamp;
}

static void stamp_packages(struct facts *f)
{
    struct stat st;

    if (stat(f->c->packages_file, &st) == 0)
        f->kinds[PACKAGES].stamp = st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
}

/* walk_resume - a walk that reads everything and was broken off is gone on with, unless it is too old to be one with what follows. */
static int walk_resume(struct facts *f, const char *part, char *after, size_t size, struct err *e)
{
    time_ns now = clock_now();
    int rc = list_resume(&f->out, part, &f->walk_scan, after, size, e);

    if (rc <= 0 || (now >= (time_ns)f->walk_scan && now - (time_ns)f->walk_scan < f->c->tree_every_ns)) {
        if (rc > 0)
            log_line(LOG_INFO, "going on with a walk that was broken off", "file.path", after, NULL);
        return rc;
    }
    list_abort(&f->out);
    after[0] = 0;
    return 0;
}

static int walk_begin(struct facts *f, bool full, struct err *e)
{
    char path[AGENT_PATH_MAX], base[AGENT_PATH_MAX], after[FACT_LINE_MAX] = "";
    int rc = full ? walk_resume(f, path_of(f, FILES, "part", path), after, sizeof after, e) : 0;
    bool resumed = rc > 0;

    if (rc == 0)
        rc = list_make(&f->out, path_of(f, FILES, full ? "part" : "look", path), names[FILES], f->walk_scan = scan_next(f), e);
    if (rc >= 0)
        rc = trees_begin(f->trees, &f->out, after, full ? NULL : path_of(f, FILES, "base", base), e);
    f->walking = rc == 0;
    f->walk_full = full;
    /* What changed behind a walk that was broken off is looked for when it is done. */
    f->dirty_first = f->dirty_last = resumed ? clock_steady() : 0;
    return rc;
}

static int walk_end(struct facts *f, struct err *e)
{
    const struct tree_result *r = trees_result(f->trees);
    struct one *o = &f->kinds[FILES];
    int rc = list_end(&f->out, e);

    f->walking = false;
    f->walked_at = clock_steady();
    f->over = r->over;
    if (r->over)
        log_line(LOG_WARN, "the trees hold more files than \"files_max\": the rest is not looked at", "saqshy.id", names[FILES], NULL);
    if (f->walk_full) {
        o->due = false;
        o->look_at = f->walked_at + f->c->tree_every_ns;
    }
    return rc < 0 ? rc : announce(f, FILES, f->walk_full ? "part" : "look", f->out.count, !f->walk_full, e);
}

/* idle_io - the walk reads the disk when nobody else wants it. */
static void idle_io(bool on)
{
    enum { WHO_PROCESS = 1, CLASS_BEST_EFFORT = 2, CLASS_IDLE = 3, CLASS_SHIFT = 13 };

    (void)syscall(SYS_ioprio_set, WHO_PROCESS, 0, (on ? CLASS_IDLE : CLASS_BEST_EFFORT) << CLASS_SHIFT | (on ? 0 : 4));
}

static int files_turn(struct facts *f, struct err *e)
{
    struct one *o = &f->kinds[FILES];
    time_ns now = clock_steady();
    bool changed = f->dirty_first && (now - f->dirty_last >= QUIET_NS || now - f->dirty_first >= QUIET_MOST_NS) &&
                   (!f->walked_at || now - f->walked_at >= CHANGED_NS);

    if (!f->walking && (o->due || now >= o->look_at))
        return walk_begin(f, true, e);
    if (!f->walking && changed)
        return walk_begin(f, false, e);
    if (!f->walking)
        return 0;
    idle_io(true);
    int more = trees_step(f->trees, SLICE_NS);
    idle_io(false);
    return more ? 0 : walk_end(f, e);
}

/* facts_work - trouble with facts is told and tried again later; the logs go on. */
void facts_work(struct facts *f)
{
    time_ns now = clock_steady();
    struct err e = { 0 };

    for (enum kind k = PACKAGES; k < FACT_KINDS; k++) {
        struct one *o = &f->kinds[k];
        int rc = 0;

        if (!o->on || o->sending)
            continue;
        if (k == FILES) {
            rc = files_turn(f, &e);
        } else if (o->due || now >= o->look_at || (k == PACKAGES && packages_moved(f))) {
            o->due = false;
            o->look_at = now + (k == CLOCK ? LOOK_CLOCK_NS : LOOK_NS);
            stamp_packages(f);
            rc = collect_list(f, k, &e);
        }
        if (rc < 0) {
            log_line(LOG_ERROR, "could not collect facts, trying again later", "saqshy.id", names[k], "error.message", e.text, NULL);
            f->walking = f->walking && k != FILES;
            o->due = false;
            o->look_at = now + LOOK_NS;
        }
    }
}

bool facts_busy(const struct facts *f) { return f->walking && !f->kinds[FILES].sending; }
int facts_fd(const struct facts *f) { return f ? f->inotify : -1; }

void facts_drain(struct facts *f)
{
    char bytes[16 * KIB] __attribute__((aligned(8)));
    ssize_t n;

    while (f->inotify >= 0 && (n = read(f->inotify, bytes, sizeof bytes)) > 0)
        for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(bytes + at);

            at += sizeof *ev + ev->len;
            if (ev->mask & IN_IGNORED)
                continue;
            f->dirty_last = clock_steady();
            f->dirty_first = f->dirty_first ? f->dirty_first : f->dirty_last;
        }
}

/* --- sending --- */

/* facts_read - parts of the messages until the batch is full. True if more are there. */
bool facts_read(struct facts *f, struct batch *b, time_ns now)
{
    char path[AGENT_PATH_MAX];

    for (enum kind k = PACKAGES; k < FACT_KINDS; k++) {
        struct one *o = &f->kinds[k];
        FILE *m = o->sending && o->offset < o->size ? fopen(path_of(f, k, "out", path), "re") : NULL;

        if (o->sending && o->offset < o->size && !m)
            o->offset = o->size;           /* somebody removed it: the next whole list mends that */
        if (m && fseek(m, (long)o->offset, SEEK_SET) < 0)
            o->offset = o->size;
        while (m && o->offset < o->size && !batch_full(b)) {
            ssize_t n = getline(&f->line, &f->line_cap, m);

            if (n <= 0) {
                o->offset = o->size;
                break;
            }
            o->offset += (uint64_t)n;
            if (n > 1)
                batch_add(b, &(struct record){ .body = str_of(f->line, (size_t)n - 1), .facts = str_c(names[k]), .time = now }, now);
        }
        if (m)
            fclose(m);
        if (batch_full(b))
            return true;
    }
    return false;
}

int facts_save(const struct facts *f, struct state *s)
{
    for (enum kind k = PACKAGES; k < FACT_KINDS; k++)
        s->facts[k] = (struct fact_mark){ f->kinds[k].scan, f->kinds[k].offset, f->kinds[k].full_at };
    return 0;
}

/* facts_settled - the state is on disk: what was sent whole is what the collector has. */
void facts_settled(struct facts *f)
{
    char from[AGENT_PATH_MAX], to[AGENT_PATH_MAX];

    for (enum kind k = PACKAGES; k < FACT_KINDS; k++) {
        struct one *o = &f->kinds[k];

        if (!o->sending || o->offset < o->size)
            continue;
        if (rename(path_of(f, k, "new", from), path_of(f, k, "base", to)) < 0 && errno != ENOENT)
            log_line(LOG_ERROR, "could not keep a list of facts, the next one goes whole", "file.path", from, NULL);
        unlink(path_of(f, k, "out", to));
        o->sending = false;
    }
}

/* --- opening --- */

/* take_up - what a former run left: a message on its way, a base. */
static void take_up(struct facts *f, enum kind k, const struct fact_mark *m)
{
    AUTO_FREE struct list *l = calloc(1, sizeof *l);
    char path[AGENT_PATH_MAX];
    struct one *o = &f->kinds[k];
    struct stat st;
    time_ns clock = clock_now();

    o->scan = m->scan;
    o->full_at = m->full_at;
    o->due = true;
    f->last_scan = m->scan > f->last_scan ? m->scan : f->last_scan;
    if (l && list_open(l, path_of(f, k, "new", path)) && stat(path_of(f, k, "out", path), &st) == 0 && st.st_size > 0) {
        o->sending = true;
        o->size = (uint64_t)st.st_size;
        o->offset = l->scan == m->scan && m->offset <= o->size ? m->offset : 0;
        o->scan = l->scan;
        f->last_scan = o->scan > f->last_scan ? o->scan : f->last_scan;
        if (o->scan != m->scan && !m->scan)
            o->full_at = 0;
        log_line(LOG_INFO, "facts that were collected before are still to be sent", "saqshy.id", names[k], NULL);
    } else if (stat(path_of(f, k, "base", path), &st) == 0 && m->full_at) {
        o->said_at = st.st_mtim.tv_sec * NS_PER_SECOND;
        if (k == FILES && clock >= o->said_at && clock - o->said_at < f->c->tree_every_ns && !file_exists(path_of(f, k, "part", path))) {
            o->due = false;
            o->look_at = clock_steady() + f->c->tree_every_ns - (clock - o->said_at);
            f->dirty_first = f->dirty_last = clock_steady();   /* what changed while nobody watched */
        }
    } else {
        o->full_at = 0;
    }
    if (l)
        list_close(l);
}

int facts_new(const struct agent_config *c, const struct state *s, struct facts **out, struct err *e)
{
    struct facts *f = calloc(1, sizeof *f);
    int rc = f ? 0 : err_set(e, -ENOMEM, "no memory for facts");

    *out = f;
    if (rc < 0)
        return rc;
    f->c = c;
    f->inotify = -1;
    f->kinds[PACKAGES].on = c->packages && file_exists(c->packages_file);
    f->kinds[SETTINGS].on = c->settings_file != NULL;
    f->kinds[FILES].on = c->tree_count > 0;
    f->kinds[CLOCK].on = c->clock;
    snprintf(f->folder, sizeof f->folder, "%.*s/facts", AGENT_PATH_MAX - 128, c->state);
    rc = file_mkdirs(f->folder, 0700, e);
    if (rc == 0 && c->settings_file)
        rc = settings_load(c->settings_file, &f->settings, e);
    if (rc == 0 && c->tree_count) {
        f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);   /* without it changes are seen on schedule */
        rc = trees_new(c, f->inotify, &f->trees, e);
    }
    for (enum kind k = PACKAGES; rc == 0 && k < FACT_KINDS; k++)
        take_up(f, k, &s->facts[k]);
    if (rc < 0)
        facts_free(out);
    return rc;
}

void facts_free(struct facts **f)
{
    if (!*f)
        return;
    trees_free(&(*f)->trees);
    list_abort(&(*f)->out);
    settings_free(&(*f)->settings);
    if ((*f)->inotify >= 0)
        close((*f)->inotify);
    free((*f)->line);
    free(*f);
    *f = NULL;
}
