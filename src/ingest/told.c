/* told.c - see told.h. */
#include "ingest/told.h"
#include "base/file.h"
#include "base/log.h"
#include "event/event.h"

#include <jansson.h>
#include <sys/stat.h>

struct told {
    char            *path;
    struct profiles *profiles;
    struct timespec  mtime;
    int64_t          bytes;
    bool             there;
};

/* Each text of an entry, and where it goes. */
static const struct {
    const char *name;
    size_t      at;
} texts[] = {
    { "name", offsetof(struct source_profile, name) },       { "address", offsetof(struct source_profile, address) },
    { "host", offsetof(struct source_profile, host) },       { "listener", offsetof(struct source_profile, listener) },
    { "zone", offsetof(struct source_profile, zone) },       { "encoding", offsetof(struct source_profile, encoding) },
    { "class", offsetof(struct source_profile, class) },     { "parser", offsetof(struct source_profile, parser) },
    { "object", offsetof(struct source_profile, object) },
};

/* take_entry - its texts are borrowed from the JSON. */
static int take_entry(const json_t *o, size_t n, struct source_profile *p, struct err *e)
{
    const char *key;
    json_t *v;

    if (!json_is_object(o))
        return err_set(e, -EBADMSG, "entry %zu is no object", n);
    for (size_t i = 0; i < COUNT(texts); i++) {
        v = json_object_get(o, texts[i].name);
        if (v && !json_is_string(v))
            return err_set(e, -EBADMSG, "entry %zu: \"%s\" is no text", n, texts[i].name);
        *(char **)(void *)((char *)p + texts[i].at) = (char *)(uintptr_t)(v ? json_string_value(v) : "");
    }
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        size_t i = 0;

        while (i < COUNT(texts) && strcmp(texts[i].name, key) != 0)
            i++;
        if (i == COUNT(texts))
            return err_set(e, -EBADMSG, "entry %zu: unknown member \"%.60s\"", n, key);
    }
    if (*p->zone && !listen_zone(str_c(p->zone), &p->zone_min))
        return err_set(e, -EBADMSG, "entry %zu: zone \"%.60s\" is not as +05:00", n, p->zone);
    p->zone_known = *p->zone != 0;
    if (*p->class && event_class_parse(str_c(p->class)) == CLASS_NONE)
        return err_set(e, -EBADMSG, "entry %zu: unknown class \"%.60s\"", n, p->class);
    return 0;
}

int told_read(struct str json, struct profiles **out, struct err *e)
{
    json_t *list = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    size_t count = json_array_size(list);
    struct source_profile *all = calloc(count + 1, sizeof *all);
    struct listen_table table = { .profiles = all, .profile_count = count };
    struct ingest_options o = { .listen = &table, .zone_min = INT32_MIN };
    int rc = 0;

    if (!all)
        rc = err_set(e, -ENOMEM, "no memory for source profiles");
    else if (!json_is_array(list) || count > PROFILES_MAX)
        rc = err_set(e, -EBADMSG, "an array of at most %d entries is expected", PROFILES_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = take_entry(json_array_get(list, i), i, &all[i], e);
    if (rc == 0)
        rc = profiles_new(&o, out, e);
    free(all);
    json_decref(list);
    return rc;
}

int told_new(const char *path, struct told **out, struct err *e)
{
    struct told *t = calloc(1, sizeof *t);

    if (t)
        t->path = strdup(path);
    if (!t || !t->path) {
        free(t);
        return err_set(e, -ENOMEM, "no memory for source profiles");
    }
    told_look(t);
    *out = t;
    return 0;
}

void told_free(struct told **t)
{
    if (!*t)
        return;
    profiles_free(&(*t)->profiles);
    free((*t)->path);
    free(*t);
    *t = NULL;
}

void told_look(struct told *t)
{
    AUTO_BUF struct buf b = { 0 };
    struct profiles *fresh = NULL;
    struct stat st;
    struct err e;

    if (stat(t->path, &st) < 0) {
        if (t->there)
            profiles_free(&t->profiles);
        t->there = false;
        return;
    }
    if (t->there && st.st_mtim.tv_sec == t->mtime.tv_sec && st.st_mtim.tv_nsec == t->mtime.tv_nsec && st.st_size == t->bytes)
        return;
    t->there = true;
    t->mtime = st.st_mtim;
    t->bytes = st.st_size;
    buf_init(&b, 2 * TOLD_BYTES_MAX);
    if (file_read(t->path, TOLD_BYTES_MAX, &b, &e) < 0 || told_read(buf_view(&b), &fresh, &e) < 0) {
        log_line(LOG_ERROR, "cannot take the source profiles, those before stay in force", "file.path", t->path, "error.message", e.text, NULL);
        return;
    }
    profiles_free(&t->profiles);
    t->profiles = fresh;
}

const struct profiles *told_profiles(const struct told *t) { return t->profiles; }
