/* hold.c - the files of holds: "saqshy-hold 1 CHECK" and a line of JSON, CHECK being the XXH3 of that line. */
#include "keep/hold.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define CASE_BEFORE_NS NS_PER_DAY      /* an attack begins before it is found */
#define LOCK_TRIES    300
#define LOCK_PAUSE_NS (10 * NS_PER_MS)

static const char *const kinds[] = { [HOLD_OBJECT] = "object", [HOLD_CASE] = "case", [HOLD_QUERY] = "query" };

const char *hold_kind_name(enum hold_kind k) { return kinds[k]; }

bool hold_kind_parse(struct str s, enum hold_kind *out)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(s, str_c(kinds[i]))) {
            *out = (enum hold_kind)i;
            return true;
        }
    return false;
}

bool hold_active(const struct hold *h, time_ns now) { return !h->released_at && (!h->until || now < h->until); }

static json_t *moment(time_ns t, time_ns none)
{
    char text[TIME_TEXT_MAX];

    return t == none ? json_null() : json_string(time_format_utc(t, text));
}

/* facts - what the file says, which is what is shown but for the state. */
static json_t *facts(const struct hold *h)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:o}", "id", h->id, "kind", kinds[h->kind], "subject", h->subject, "filter", h->filter, "from",
                     moment(h->from, INT64_MIN), "to", moment(h->to, INT64_MAX), "reason", h->reason, "set_by", h->set_by, "set_at", moment(h->set_at, 0), "until",
                     moment(h->until, 0), "released",
                     h->released_at ? json_pack("{s:o,s:s,s:s}", "at", moment(h->released_at, 0), "by", h->released_by, "reason", h->release_reason) : json_null());
}

json_t *hold_json(const struct hold *h, time_ns now)
{
    json_t *o = facts(h);

    json_object_set_new(o, "state", json_string(hold_active(h, now) ? "active" : h->released_at ? "released" : "over"));
    return o;
}

/* --- the lock --- */

int hold_lock(const char *folder, bool alone, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", folder);
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
    }
    close(fd);
    return err_set(e, -EBUSY, "holds are being changed, or events removed, by another process");
}

/* --- reading --- */

static bool take_text(const json_t *o, const char *key, char *out, size_t room)
{
    const json_t *v = json_object_get(o, key);
    const char *s = json_string_value(v);

    if (!s || json_string_length(v) >= room || strlen(s) != json_string_length(v))
        return false;
    memcpy(out, s, json_string_length(v) + 1);
    return true;
}

static bool take_moment(const json_t *o, const char *key, time_ns none, time_ns *out)
{
    const json_t *v = json_object_get(o, key);

    *out = none;
    return json_is_null(v) || (json_is_string(v) && time_parse_rfc3339(str_c(json_string_value(v)), out, NULL, NULL) == 0);
}

static bool take_facts(const json_t *o, struct hold *h)
{
    const json_t *released = json_object_get(o, "released"), *kind = json_object_get(o, "kind");

    if (!json_is_string(kind) || !hold_kind_parse(str_c(json_string_value(kind)), &h->kind) || !take_text(o, "id", h->id, sizeof h->id) ||
        !take_text(o, "subject", h->subject, sizeof h->subject) || !take_text(o, "filter", h->filter, sizeof h->filter) ||
        !take_text(o, "reason", h->reason, sizeof h->reason) || !take_text(o, "set_by", h->set_by, sizeof h->set_by))
        return false;
    if (!take_moment(o, "from", INT64_MIN, &h->from) || !take_moment(o, "to", INT64_MAX, &h->to) || !take_moment(o, "set_at", 0, &h->set_at) ||
        !take_moment(o, "until", 0, &h->until))
        return false;
    return json_is_null(released) ||
           (json_is_object(released) && take_moment(released, "at", 0, &h->released_at) && h->released_at && take_text(released, "by", h->released_by, sizeof h->released_by) &&
            take_text(released, "reason", h->release_reason, sizeof h->release_reason));
}

/* check_filter - that this version understands it. */
static int check_filter(const struct hold *h, struct err *e)
{
    struct query *q = NULL;
    int rc = query_parse(str_c(h->filter), &q, e);

    query_free(&q);
    return rc < 0 && rc != -ENOMEM ? -EBADMSG : rc;
}

int hold_decode(struct str bytes, struct hold *h, struct err *e)
{
    struct str head, check;
    char want[17];
    json_t *o;
    bool good;

    memset(h, 0, sizeof *h);
    if (!str_split(&bytes, '\n', &head) || !str_starts(head, STR("saqshy-hold ")))
        return err_set(e, -EBADMSG, "it is no hold");
    if (!str_starts(head, STR("saqshy-hold 1 ")))
        return err_set(e, -EBADMSG, "it is a hold of a newer version");
    check = str_cut(head, sizeof "saqshy-hold 1 " - 1);
    if (!str_ends(bytes, STR("\n")))
        return err_set(e, -EBADMSG, "it is torn");
    bytes.n--;
    snprintf(want, sizeof want, "%016" PRIx64, str_hash(bytes));
    if (!str_eq(check, str_c(want)))
        return err_set(e, -EBADMSG, "its checksum is wrong");
    o = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, NULL);
    good = json_is_object(o) && take_facts(o, h);
    json_decref(o);
    return good ? check_filter(h, e) : err_set(e, -EBADMSG, "something is missing in it");
}

static int read_one(const char *folder, const char *name, struct hold *h, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4096];
    int rc;

    buf_init(&b, 0);
    snprintf(path, sizeof path, "%.3800s/%.200s", folder, name);
    rc = file_read(path, HOLD_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = hold_decode(buf_view(&b), h, e);
    if (rc == 0 && (strlen(h->id) + 5 != strlen(name) || strncmp(h->id, name, strlen(h->id)) != 0))
        rc = err_set(e, -EBADMSG, "it says another id than its name");
    return rc < 0 ? err_wrap(e, rc, "the hold \"%.200s\"", name) : 0;
}

static int by_moment(const void *a, const void *b)
{
    const struct hold *x = a, *y = b;

    return x->set_at != y->set_at ? (x->set_at < y->set_at ? -1 : 1) : strcmp(x->id, y->id);
}

static bool is_hold(const char *name) { return str_ends(str_c(name), STR(".hold")); }

int holds_read(const char *folder, struct holds *out, struct err *e)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    struct err why;

    memset(out, 0, sizeof *out);
    if (!d)
        return err_sys(e, "could not open \"%s\"", folder);
    out->item = calloc(HOLDS_MAX, sizeof *out->item);
    while (out->item && (f = readdir(d)) != NULL) {
        int rc = !is_hold(f->d_name) ? 1 : out->count == HOLDS_MAX ? err_set(&why, -E2BIG, "there are more than %u holds", HOLDS_MAX) :
                 read_one(folder, f->d_name, &out->item[out->count], &why);

        if (rc == 0)
            out->count++;
        if (rc < 0 && out->unreadable++ == 0)
            snprintf(out->fault, sizeof out->fault, "%s", why.text);
    }
    closedir(d);
    if (!out->item)
        return err_set(e, -ENOMEM, "no memory for holds");
    qsort(out->item, out->count, sizeof *out->item, by_moment);
    return 0;
}

void holds_free(struct holds *h)
{
    free(h->item);
    memset(h, 0, sizeof *h);
}

/* --- writing --- */

int hold_of_object(struct hold *h, struct str object, struct err *e)
{
    bool good = object.n > 0 && object.n < 200;

    for (size_t i = 0; good && i < object.n; i++) {
        char c = object.p[i];

        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    }
    if (!good)
        return err_set(e, -EINVAL, "\"%.*s\" is no id of an object", STR_ARG(object));
    snprintf(h->filter, sizeof h->filter, "saqshy.object:%.*s", STR_ARG(object));
    return 0;
}

int hold_of_case(struct hold *h, struct str object, time_ns detected, struct err *e)
{
    if (h->from == INT64_MIN)
        h->from = detected - CASE_BEFORE_NS;
    return hold_of_object(h, object, e);
}

static int write_one(const char *folder, const struct hold *h, struct err *e)
{
    AUTO_BUF struct buf b;
    json_t *o = facts(h);
    AUTO_FREE char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    char path[4096];

    json_decref(o);
    buf_init(&b, HOLD_BYTES_MAX);
    if (!text)
        return err_set(e, -EINVAL, "what is said of a hold must be UTF-8");
    buf_printf(&b, "saqshy-hold 1 %016" PRIx64 "\n", str_hash(str_c(text)));
    buf_str(&b, str_c(text));
    buf_byte(&b, '\n');
    snprintf(path, sizeof path, "%.3800s/%s.hold", folder, h->id);
    return buf_failed(&b) ? err_set(e, -E2BIG, "a hold is at most %u bytes", HOLD_BYTES_MAX) : file_write_atomic(path, buf_view(&b), 0640, e);
}

static bool full(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    size_t n = 0;

    while (d && (f = readdir(d)) != NULL)
        n += is_hold(f->d_name);
    if (d)
        closedir(d);
    return n >= HOLDS_MAX;
}

static int judge(const struct hold *h, struct err *e)
{
    struct err why;

    if (!*str_trim(str_c(h->reason)).p || !str_trim(str_c(h->reason)).n)
        return err_set(e, -EINVAL, "a hold says why: the reason is missing");
    if (!*h->set_by)
        return err_set(e, -EINVAL, "a hold says who set it");
    if (h->kind != HOLD_QUERY && !*h->subject)
        return err_set(e, -EINVAL, "the hold of an object or a case names it");
    if (!str_trim(str_c(h->filter)).n && h->from == INT64_MIN && h->to == INT64_MAX)
        return err_set(e, -EINVAL, "a hold without a search and without a range of time would keep everything for ever");
    if (h->from >= h->to)
        return err_set(e, -EINVAL, "the range of time of a hold is empty");
    if (h->until && h->until <= h->set_at)
        return err_set(e, -EINVAL, "a hold cannot end before it is set");
    return check_filter(h, &why) < 0 ? err_set(e, -EINVAL, "the search of the hold: %.300s", why.text) : 0;
}

int hold_set(const char *folder, struct hold *h, struct err *e)
{
    AUTO_CLOSE int lock = -1;
    char path[4096];
    json_t *o;
    int rc = judge(h, e);

    if (rc < 0)
        return rc;
    h->id[0] = 0;
    h->released_at = 0;
    o = facts(h);
    AUTO_FREE char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(o);
    if (!text)
        return err_set(e, -EINVAL, "what is said of a hold must be UTF-8");
    snprintf(h->id, sizeof h->id, "hold-%016" PRIx64, str_hash(str_c(text)));
    lock = hold_lock(folder, true, e);
    if (lock < 0)
        return lock;
    snprintf(path, sizeof path, "%.3800s/%s.hold", folder, h->id);
    if (file_exists(path))
        return err_set(e, -EEXIST, "this hold is there already");
    if (full(folder))
        return err_set(e, -E2BIG, "there are %u holds already; released ones that nobody needs any more may be taken out of \"%s\"", HOLDS_MAX, folder);
    return write_one(folder, h, e);
}

static bool id_valid(struct str id)
{
    for (size_t i = 5; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return id.n == 21 && str_starts(id, STR("hold-"));
}

int hold_release(const char *folder, struct str id, struct str by, struct str reason, time_ns now, struct hold *out, struct err *e)
{
    AUTO_CLOSE int lock = -1;
    char name[HOLD_ID_MAX + 8], path[4096];
    struct hold h;
    int rc;

    if (!id_valid(id))
        return err_set(e, -ENOENT, "there is no such hold");
    if (!str_trim(reason).n || reason.n >= sizeof h.release_reason || !by.n || by.n >= sizeof h.released_by)
        return err_set(e, -EINVAL, "a release says who and why, in at most %zu bytes", sizeof h.release_reason - 1);
    lock = hold_lock(folder, true, e);
    if (lock < 0)
        return lock;
    snprintf(name, sizeof name, "%.*s.hold", STR_ARG(id));
    snprintf(path, sizeof path, "%.3800s/%s", folder, name);
    if (!file_exists(path))
        return err_set(e, -ENOENT, "there is no such hold");
    rc = read_one(folder, name, &h, e);
    if (rc < 0)
        return rc;
    if (!hold_active(&h, now))
        return err_set(e, -EALREADY, "this hold is not in force any more");
    h.released_at = now;
    snprintf(h.released_by, sizeof h.released_by, "%.*s", STR_ARG(by));
    snprintf(h.release_reason, sizeof h.release_reason, "%.*s", STR_ARG(reason));
    rc = write_one(folder, &h, e);
    if (rc == 0 && out)
        *out = h;
    return rc;
}
