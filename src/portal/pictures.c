/* pictures.c - see pictures.h. */
#include "portal/pictures.h"
#include "base/file.h"

#include <pthread.h>
#include <sys/stat.h>

static const char *const names[PICTURE_COUNT] = { "run/ingest.json", "run/sources.json", "run/parsers.json", "run/forward.json", "run/retention.json",
                                                  "run/annex4.json", "detect/rules.json", "detect/risk.json", "detect/coverage.json", "detect/exceptions.json" };

struct picture_file {
    pthread_mutex_t lock;     /* of this file: a large one that is parsed holds up nobody who asks for another */
    struct timespec mtime;
    off_t           bytes;
    ino_t           inode;
    json_t         *json;
};
/* The counters of one moment: {"listener/ID": {"read": 5, …}, …}. */
struct reading {
    time_ns at;
    int64_t run;       /* the role's process: another one counts from nothing */
    json_t *counters;
};
struct pictures {
    const struct node  *node;
    pthread_mutex_t     lock;       /* of the readings */
    struct picture_file file[PICTURE_COUNT];
    struct reading      reading[READINGS_MAX];
    size_t              count;      /* the newest is the last */
};

const char *picture_text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));

    return t ? t : "";
}

int64_t picture_count(const json_t *o, const char *key)
{
    int64_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? n : 0;
}

time_ns picture_time(const json_t *o, const char *key)
{
    time_ns t = 0;

    return time_parse_rfc3339(str_c(picture_text(o, key)), &t, NULL, NULL) == 0 ? t : 0;
}

const char *picture_title(const json_t *rule, enum lang lang)
{
    const char *own = lang == LANG_KK ? picture_text(rule, "title_kk") : lang == LANG_RU ? picture_text(rule, "title_ru") : "";

    return *own ? own : picture_text(rule, "title");
}

int pictures_new(const struct node *node, struct pictures **out, struct err *e)
{
    struct pictures *p = calloc(1, sizeof *p);

    if (!p)
        return err_set(e, -ENOMEM, "no memory for what other roles publish");
    p->node = node;
    pthread_mutex_init(&p->lock, NULL);
    for (size_t i = 0; i < PICTURE_COUNT; i++)
        pthread_mutex_init(&p->file[i].lock, NULL);
    *out = p;
    return 0;
}

void pictures_free(struct pictures **p)
{
    if (!*p)
        return;
    for (size_t i = 0; i < PICTURE_COUNT; i++) {
        json_decref((*p)->file[i].json);
        pthread_mutex_destroy(&(*p)->file[i].lock);
    }
    for (size_t i = 0; i < (*p)->count; i++)
        json_decref((*p)->reading[i].counters);
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

/* take - what was read of a file, with its marks; st of zeros: there is none. */
static void take(struct picture_file *f, json_t *json, const struct stat *st)
{
    json_decref(f->json);
    f->json = json;
    f->mtime = st->st_mtim;
    f->bytes = st->st_size;
    f->inode = st->st_ino;
}

/* renew - the file as it is now. Under its lock. */
static json_t *renew(struct pictures *p, enum picture which)
{
    struct picture_file *f = &p->file[which];
    json_t *json = NULL;
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    struct stat st;

    node_path(p->node, names[which], path);
    if (stat(path, &st) < 0) {
        take(f, NULL, &(struct stat){ 0 });
        return NULL;
    }
    if (st.st_mtim.tv_sec == f->mtime.tv_sec && st.st_mtim.tv_nsec == f->mtime.tv_nsec && st.st_size == f->bytes && st.st_ino == f->inode)
        return f->json;
    buf_init(&b, PICTURE_BYTES_MAX + 1);
    if (file_read(path, PICTURE_BYTES_MAX, &b, NULL) == 0)
        json = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    take(f, json, &st);
    return f->json;
}

json_t *pictures_get(struct pictures *p, enum picture which)
{
    json_t *j;

    pthread_mutex_lock(&p->file[which].lock);
    j = json_incref(renew(p, which));
    pthread_mutex_unlock(&p->file[which].lock);
    return j;
}

/* --- readings --- */

static int64_t sum(const json_t *o)
{
    int64_t n = 0;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, key, v)
        n += json_integer_value(v);
    return n;
}

int64_t refused_trouble(const json_t *refused)
{
    return sum(refused) - json_integer_value(json_object_get(refused, "empty")) - json_integer_value(json_object_get(refused, "repeated"));
}

static json_t *counters_of(const json_t *ingest, const json_t *forward)
{
    const json_t *list = json_object_get(ingest, "listeners"), *l;
    json_t *out = json_object();
    char key[256];
    size_t i;

    json_array_foreach(list, i, l) {
        const char *id = json_string_value(json_object_get(l, "id"));

        snprintf(key, sizeof key, "listener/%.200s", id ? id : "");
        json_object_set_new(out, key, json_pack("{s:I,s:I,s:I,s:I,s:I}", "read", json_integer_value(json_object_get(l, "read")), "events",
                                                json_integer_value(json_object_get(l, "events")), "trouble",
                                                (json_int_t)refused_trouble(json_object_get(l, "refused")), "away",
                                                (json_int_t)sum(json_object_get(l, "turned_away")), "drops",
                                                json_integer_value(json_object_get(l, "kernel_drops"))));
    }
    list = json_object_get(forward, "upstreams");
    json_array_foreach(list, i, l) {
        const char *id = json_string_value(json_object_get(l, "name"));

        snprintf(key, sizeof key, "upstream/%.200s", id ? id : "");
        json_object_set_new(out, key, json_pack("{s:I,s:I}", "sent", json_integer_value(json_object_get(l, "sent")), "given_up",
                                                json_integer_value(json_object_get(l, "given_up"))));
    }
    return out;
}

/* put - a new reading becomes the last; the oldest goes when there is no room. */
static void put(struct pictures *p, struct reading r)
{
    if (p->count == READINGS_MAX) {
        json_decref(p->reading[0].counters);
        memmove(&p->reading[0], &p->reading[1], (READINGS_MAX - 1) * sizeof p->reading[0]);
        p->count--;
    }
    p->reading[p->count++] = r;
}

void pictures_look(struct pictures *p)
{
    json_t *ingest = pictures_get(p, PICTURE_INGEST), *forward = pictures_get(p, PICTURE_FORWARD);
    const char *at;
    struct reading r = { 0 };

    pthread_mutex_lock(&p->lock);
    at = json_string_value(json_object_get(ingest, "at"));
    if (at && time_parse_rfc3339(str_c(at), &r.at, NULL, NULL) == 0 &&
        (p->count == 0 || r.at - p->reading[p->count - 1].at >= READING_NS / 2)) {
        r.run = json_integer_value(json_object_get(ingest, "pid"));
        r.counters = counters_of(ingest, forward);
        if (r.counters)
            put(p, r);
    }
    pthread_mutex_unlock(&p->lock);
    json_decref(ingest);
    json_decref(forward);
}

static int64_t counter(const struct reading *r, const char *whose, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(r->counters, whose), name));
}

struct moved pictures_moved(struct pictures *p, const char *whose, const char *name)
{
    struct moved m = { -1, 0 };

    pthread_mutex_lock(&p->lock);
    if (p->count > 0) {
        const struct reading *last = &p->reading[p->count - 1], *before = p->count > 1 ? last - 1 : NULL, *first = last;
        bool again = false;

        while (first > p->reading && last->at - (first - 1)->at <= LATELY_NS && !again) {
            again = (first - 1)->run != last->run || counter(first - 1, whose, name) > counter(first, whose, name);
            first -= !again;
        }
        m.lately = counter(last, whose, name) - (again ? 0 : counter(first, whose, name));
        if (before && before->run == last->run && last->at > before->at && counter(last, whose, name) >= counter(before, whose, name))
            m.rate_s = (double)(counter(last, whose, name) - counter(before, whose, name)) * (double)NS_PER_SECOND / (double)(last->at - before->at);
    }
    pthread_mutex_unlock(&p->lock);
    return m;
}
