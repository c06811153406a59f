/* writer.c - events wait in memory until they are worth a part; then part, chain and manifest are written in this order. */
#include "store/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/file.h"

#define BROKEN "the store takes nothing more: an earlier write failed half-way, or what waited in memory was lost"

/* --- opening --- */

/* remove_orphans - files of parts that the manifest does not name at this place: of a writer that died, or already merged, moved or retired. A half-written
 * copy in the archive too. Others' files stay. */
static int remove_orphans(struct store *s, const char *root, enum part_place place, struct err *e)
{
    DIR *top = opendir(root);
    struct dirent *d, *f;

    if (!top)
        return err_sys(e, "could not read folder \"%s\"", root);
    while ((d = readdir(top)) != NULL) {
        char path[PATH_BYTES];
        int year, month, day, used = 0;

        if (strlen(d->d_name) != 8 || sscanf(d->d_name, "%4d%2d%2d%n", &year, &month, &day, &used) != 3 || used != 8)
            continue;
        snprintf(path, sizeof path, "%.3900s/%.8s", root, d->d_name);
        DIR *inner = opendir(path);
        while (inner && (f = readdir(inner)) != NULL) {
            unsigned long long number;

            used = 0;
            if (sscanf(f->d_name, "p%8llu.part%n", &number, &used) != 1 || used == 0 || (f->d_name[used] && strcmp(f->d_name + used, ".copy") != 0))
                continue;
            const struct part_info *p = manifest_find(&s->manifest, (int32_t)civil_days(year, month, day), number);
            if (p && p->place == place && !f->d_name[used])
                continue;
            snprintf(path, sizeof path, "%.3900s/%.8s/%.64s", root, d->d_name, f->d_name);
            unlink(path);
        }
        if (inner)
            closedir(inner);
        snprintf(path, sizeof path, "%.3900s/%.8s", root, d->d_name);
        rmdir(path);        /* only if it is empty */
    }
    closedir(top);
    return 0;
}

static bool has_days(const char *folder)
{
    DIR *top = opendir(folder);
    struct dirent *d;
    bool any = false;

    while (top && (d = readdir(top)) != NULL)
        any = any || (strlen(d->d_name) == 8 && strspn(d->d_name, "0123456789") == 8);
    if (top)
        closedir(top);
    return any;
}

/* recover - the manifest in force; a new one for a new store. */
static int recover(struct store *s, struct err *e)
{
    bool from_copy = false, named;
    char archive[PATH_BYTES];
    int rc = manifest_load(s->folder, &s->manifest, &from_copy, e);

    if (rc == -ENOENT && has_days(s->folder))
        return err_set(e, -EBADMSG, "\"%s\" has parts but no MANIFEST; nothing is touched. Bring MANIFEST back, or move the folder away", s->folder);
    if (rc == -ENOENT)
        manifest_init(&s->manifest);
    else if (rc < 0)
        return rc;
    /* Both files say the same again before anything is removed. */
    rc = manifest_save(s->folder, &s->manifest, &named, e);
    if (rc == 0)
        rc = remove_orphans(s, s->folder, PLACE_FAST, e);
    snprintf(archive, sizeof archive, "%.4000s/" ARCHIVE_NAME, s->folder);
    if (rc == 0 && archive_sound(s->folder))
        rc = remove_orphans(s, archive, PLACE_ARCHIVE, e);
    s->next_seq = s->manifest.next_seq;
    return rc;
}

static int take_lock(struct store *s, struct err *e)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%.4000s/LOCK", s->folder);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (s->lock < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? err_set(e, -EBUSY, "another process writes the store \"%s\"", s->folder) : err_sys(e, "could not lock \"%s\"", path);
    return 0;
}

int store_open(const char *folder, const struct store_options *o, struct store **out, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    int rc;

    *out = NULL;
    if (s)
        s->folder = strdup(folder);
    if (!s || !s->folder) {
        free(s);
        return err_set(e, -ENOMEM, "no memory for the store");
    }
    s->lock = -1;
    manifest_init(&s->manifest);
    if (o)
        s->options = *o;
    if (!s->options.block_events)
        s->options.block_events = BLOCK_EVENTS_DEFAULT;
    s->options.block_events = min_size(s->options.block_events, EVENT_BATCH_MAX);
    if (!s->options.seal_after_ns)
        s->options.seal_after_ns = SEAL_AFTER_DEFAULT;
    if (!s->options.memory_bytes)
        s->options.memory_bytes = MEMORY_DEFAULT;
    s->options.memory_bytes = min_size(s->options.memory_bytes, BLOCK_RAW_MAX / 4);
    s->blocks = block_writer_new();
    rc = s->blocks && waiting_init(&s->pending, s->options.block_events, s->options.memory_bytes) ? file_mkdirs(folder, 0750, e) : err_set(e, -ENOMEM, "no memory for the store");
    if (rc == 0)
        rc = take_lock(s, e);
    if (rc == 0)
        rc = recover(s, e);
    if (rc < 0)
        store_close(&s);
    *out = s;
    return rc;
}

void store_close(struct store **s)
{
    if (!*s)
        return;
    manifest_free(&(*s)->manifest);
    block_writer_free(&(*s)->blocks);
    waiting_free(&(*s)->pending);
    if ((*s)->lock >= 0)
        close((*s)->lock);
    free((*s)->folder);
    free(*s);
    *s = NULL;
}

uint64_t store_next_seq(const struct store *s) { return s->next_seq; }
uint64_t store_sealed_seq(const struct store *s) { return s->manifest.next_seq; }

/* --- changing the state --- */

int store_commit(struct store *s, struct manifest *next, const struct buf *records, const struct part_info *gone, size_t gone_count, struct err *e)
{
    bool named = false;
    int rc;

    next->generation = s->manifest.generation + 1;
    rc = buf_failed(records) ? err_set(e, -ENOMEM, "no memory for the chain") : chain_write(s->folder, s->manifest.links, buf_view(records), e);
    if (rc == 0)
        rc = manifest_save(s->folder, next, &named, e);
    if (!named) {
        manifest_free(next);
        /* Without room nothing was renamed; after anything else nobody knows what a crash would leave. */
        s->broken = rc != -ENOSPC && rc != -EDQUOT && rc != -ENOMEM;
        return rc;
    }
    manifest_free(&s->manifest);
    s->manifest = *next;
    if (rc < 0)
        return 0;       /* the copy is one behind: the files that it names stay until the next writer opens */
    for (size_t i = 0; i < gone_count; i++) {
        char path[PATH_BYTES];

        part_file(s->folder, &gone[i], path);
        unlink(path);
        part_folder(s->folder, &gone[i], path);
        rmdir(path);
    }
    return 0;
}

/* --- sealing --- */

/* seal_day - a part of the events that wait from this place of their order on, all of one day. */
static int seal_day(struct store *s, struct manifest *next, size_t from, size_t count, struct buf *records, struct err *e)
{
    AUTO_BUF struct buf bytes;
    struct part_writer w;
    struct block_entry entry;
    int rc = part_create(s->folder, PLACE_FAST, waiting_day(&s->pending, from), next->next_part, &w, e);

    buf_init(&bytes, BLOCK_RAW_MAX);
    if (rc < 0)
        return rc;
    rc = block_encode(s->blocks, &s->pending, from, count, &entry, &bytes, e);
    if (rc == 0)
        rc = part_put(&w, entry, buf_view(&bytes), e);
    if (rc == 0)
        rc = part_finish(s->folder, &w, e);
    else
        part_abort(&w);
    if (rc < 0)
        return rc;
    next->next_part++;
    chain_put(next, CHAIN_SEALED, &w.info, 0, records);
    rc = manifest_add(next, &w.info);
    return rc < 0 ? err_set(e, rc, "the store has too many parts") : 0;
}

static void drop_parts(const struct store *s, const struct manifest *next)
{
    for (size_t i = 0; i < next->count; i++) {
        const struct part_info *p = &next->part[i];
        char path[PATH_BYTES];

        if (manifest_find(&s->manifest, p->day, p->number))
            continue;
        part_file(s->folder, p, path);
        unlink(path);
    }
}

int store_seal(struct store *s, struct err *e)
{
    struct manifest next;
    AUTO_BUF struct buf records;
    size_t count = s->pending.count;
    int rc = 0;

    buf_init(&records, 0);
    if (s->broken)
        return err_set(e, -EIO, BROKEN);
    if (!count)
        return 0;
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory to seal");
    rc = s->pending.sorted ? 0 : waiting_sort(&s->pending, e);     /* sorted: what could not be written is tried again */
    next.next_seq = s->next_seq;
    for (size_t at = 0, end; rc == 0 && at < count; at = end) {
        end = waiting_day_end(&s->pending, at);
        rc = seal_day(s, &next, at, end - at, &records, e);
    }
    if (rc < 0) {
        drop_parts(s, &next);
        manifest_free(&next);
        return rc;
    }
    rc = store_commit(s, &next, &records, NULL, 0, e);
    if (rc < 0)
        return rc;
    waiting_reset(&s->pending);
    s->settled = false;
    return 0;
}

/* lost - what waited in memory is gone. It is in the journal still, but whoever reads that is past it: only who opens the store anew begins at what is sealed, and no
 * event is passed over. */
static int lost(struct store *s, struct err *e)
{
    s->next_seq = s->manifest.next_seq;
    s->broken = true;
    return err_wrap(e, -EIO, "the store takes nothing more until it is opened anew");
}

int store_add(struct store *s, const struct event *events, size_t count, time_ns now, struct err *e)
{
    size_t at = 0, taken;
    int rc = 0;

    if (s->broken)
        return err_set(e, -EIO, BROKEN);
    while (at < count && events[at].seq < s->next_seq)
        at++;
    while (rc == 0 && at < count) {
        if (s->pending.count == 0)
            s->oldest = now;
        if (waiting_add(&s->pending, events + at, count - at, &taken, e) < 0)
            return lost(s, e);
        at += taken;
        if (taken)
            s->next_seq = events[at - 1].seq + 1;
        if (at < count || s->pending.count >= s->options.block_events)
            rc = store_seal(s, e);
    }
    return rc;
}

void store_rest(struct store *s, bool rest) { s->rest = rest; }

int store_tick(struct store *s, time_ns now, struct err *e)
{
    /* A clock that was set back must not make events wait forever. */
    bool old = now < s->oldest || now - s->oldest >= s->options.seal_after_ns;

    if (s->pending.count && old) {
        int rc = store_seal(s, e);

        if (rc < 0)
            return rc;
    }
    if (s->rest || (s->settled && now - s->looked < NS_PER_HOUR && now >= s->looked))
        return 0;
    s->looked = now;
    int rc = store_merge(s, now, e);
    s->settled = rc == 0;
    return rc < 0 ? rc : 0;
}
