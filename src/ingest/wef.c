/* wef.c - the listener of Windows Event Forwarding: its paths, its subscriptions and their changes, its part of ingest.json; see wef.h.
 *
 * The loop only looks at headers and gives each request a note: the subscriptions as they are now, the name under which the machine reached us, and
 * which certificate issued its own. What a message says is for the worker (wef_take.c). */
#include "ingest/wef_take.h"
#include "base/file.h"
#include "base/log.h"
#include "pki/pki.h"

#include <dirent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <sys/stat.h>

#define LOOK_NS       (2 * NS_PER_SECOND)
#define SHOWN_MAX     2000            /* marks in ingest.json */
#define SILENT_BEATS  3
#define MARKS_FILE    "inputs/wef-bookmarks"

static const char *const options[] = { "subscriptions", "host" };

/* --- what the role has --- */

static int open_role(struct ingest *in, struct err *e)
{
    char path[4096];
    struct wef *w;
    size_t damaged;
    int rc;

    if (in->wef)
        return 0;
    w = calloc(1, sizeof *w);
    if (!w)
        return err_set(e, -ENOMEM, "no memory for a listener of Windows events");
    snprintf(path, sizeof path, "%.4000s/inputs", in->options->data);
    rc = file_mkdirs(path, 0750, e);
    snprintf(path, sizeof path, "%.4000s/" MARKS_FILE, in->options->data);
    if (rc == 0)
        rc = wef_marks_open(path, &w->marks, &damaged, e);
    if (rc < 0) {
        free(w);
        return rc;
    }
    if (damaged)
        log_line(LOG_WARN, "lines of the bookmarks of Windows machines are damaged and were passed over: some events may come again", "file.path", path, NULL);
    in->wef = w;
    return 0;
}

void wef_free(struct wef **w)
{
    if (!*w)
        return;
    for (size_t i = 0; i < (*w)->count; i++)
        wef_set_unref(&(*w)->row[i].set);
    wef_marks_free(&(*w)->marks);
    free(*w);
    *w = NULL;
}

static struct wef_row *row_of(const struct listener *l)
{
    struct wef *w = l->in->wef;

    for (size_t i = 0; w && i < w->count; i++)
        if (w->row[i].listener == l)
            return &w->row[i];
    return NULL;
}

/* stamp_of - names, sizes and times of the files of subscriptions: it changes when one does. */
static uint64_t stamp_of(const char *path)
{
    struct stat st;
    uint64_t sum = 0;
    DIR *d;

    if (stat(path, &st) < 0)
        return 0;
    d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    for (const struct dirent *entry = NULL; !d || (entry = readdir(d)) != NULL;) {
        char file[4096];

        snprintf(file, sizeof file, "%.3800s%s%.255s", path, d ? "/" : "", d ? entry->d_name : "");
        if ((!d || str_ends(str_c(file), STR(".yaml"))) && stat(file, &st) == 0) {
            int64_t facts[] = { st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, (int64_t)st.st_ino };

            sum += str_hash(str_c(file)) ^ str_hash(str_of((const char *)facts, sizeof facts));
        }
        if (!d)
            break;
    }
    if (d)
        closedir(d);
    return sum;
}

/* --- requests --- */

static void note_free(void *p)
{
    struct wef_note *n = p;

    if (!n)
        return;
    wef_set_unref(&n->set);
    free(n->bookmark);
    free(n);
}

/* host_valid - it becomes part of an address that machines are sent to. */
static bool host_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._:[]", c))))
            return false;
    }
    return s.n > 0 && s.n <= WEF_HOST_MAX;
}

static int admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    const struct wef_row *row = row_of(a->listener);
    const char *host = listen_option(&a->listener->conf, "host"), *type = http_header(a, "Content-Type"), *coding = http_header(a, "Content-Encoding");
    struct wef_note *n = row ? calloc(1, sizeof *n) : NULL;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(a->request));
    struct ssl_st *ssl = bev ? bufferevent_openssl_get_ssl(bev) : NULL;
    struct str id = str_starts(a->path, STR(WEF_PATH)) ? str_cut(a->path, strlen(WEF_PATH)) : str_of(NULL, 0);

    if (!n) {
        err_set(e, -ENOMEM, "no memory, come again");
        return 503;
    }
    p->note = n;
    p->note_free = note_free;
    n->set = wef_set_ref(row->set);
    if (!host || !*host)
        host = http_header(a, "Host");
    if (!host_valid(str_c(host))) {
        err_set(e, -EINVAL, "the header Host names no host");
        return 400;
    }
    snprintf(n->host, sizeof n->host, "%s", host);
    /* "ID" or "ID/1": Windows' own collector puts a number behind */
    snprintf(n->id, sizeof n->id, "%.*s", (int)min_size(str_chr(id, '/') >= 0 ? (size_t)str_chr(id, '/') : id.n, WEF_ID_MAX), id.n ? id.p : "");
    n->sldc = coding && strcasecmp(coding, "SLDC") == 0;
    n->utf16 = type && str_ifind(str_c(type), STR("utf-16")) >= 0;
    if (!ssl || pki_peer_issuer(ssl, n->issuer, NULL) < 0)
        n->issuer[0] = 0;
    return 0;
}

/* form - an answer is written by the decoder; End, and the empty request by which a client looks whether we are there, have none. */
static void form(struct http_answer *a, const struct pile *p)
{
    const struct wef_note *n = p ? p->note : NULL;

    a->type = "application/soap+xml;charset=UTF-8";
    if (a->status != 200) {
        buf_reset(a->body);
        wef_fault(a->body, a->status < 500, str_c(a->reason));
        return;
    }
    if (n && n->utf16_answer)
        a->type = "application/soap+xml;charset=UTF-16";
    if (a->body->n)
        return;
    a->type = NULL;
    if (n && n->end) {
        a->status = 204;
        a->reason = "No Content";
    }
}

static const struct http_route routes[] = {
    { HTTP_POST, "/wsman/SubscriptionManager/*", admit, &wef_decoder, NULL, "SLDC" },
    { HTTP_POST, WEF_PATH "*", admit, &wef_decoder, NULL, "SLDC" },
};
static const struct http_service service = { "WEF", routes, COUNT(routes), form };

/* --- the listener --- */

int wef_check(const struct listen_conf *c, const char *content, struct err *e)
{
    struct wef_set *set = NULL;
    char path[4096];
    int rc;

    for (size_t i = 0; i < c->option_count; i++) {
        bool known = false;

        for (size_t k = 0; k < COUNT(options); k++)
            known = known || strcmp(c->options[i].name, options[k]) == 0;
        if (!known)
            return err_set(e, -EINVAL, "listener \"%s\": unknown option \"%s\": subscriptions and host are known", c->id, c->options[i].name);
    }
    if (c->client != LISTEN_CLIENT_REQUIRED)
        return err_set(e, -EINVAL, "listener \"%s\": a machine of Windows is known by its certificate alone: tls.client must be required", c->id);
    if (listen_option(c, "host") && *listen_option(c, "host") && !host_valid(str_c(listen_option(c, "host"))))
        return err_set(e, -EINVAL, "listener \"%s\": option host: as collector.example:5986", c->id);
    rc = wef_set_load(wef_folder(c, content, path), &set, e);
    wef_set_unref(&set);
    return rc;
}

/* load - the subscriptions of a configuration. */
static int load(struct ingest *in, const struct listen_conf *c, struct wef_row *row, struct err *e)
{
    int rc = wef_check(c, in->options->content ? in->options->content : "", e);

    if (rc < 0)
        return rc;
    wef_folder(c, in->options->content ? in->options->content : "", row->path);
    row->stamp = stamp_of(row->path);
    row->looked = clock_steady();
    return wef_set_load(row->path, &row->set, e);
}

static int open_wef(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    struct wef_row row = { 0 };
    int rc = open_role(in, e);

    if (rc == 0)
        rc = load(in, c, &row, e);
    if (rc == 0 && in->wef->count == COUNT(in->wef->row))
        rc = err_set(e, -E2BIG, "there are too many listeners");
    if (rc == 0)
        rc = http_open(in, &wef_kind, &service, c, out, e);
    if (rc < 0) {
        wef_set_unref(&row.set);
        return rc;
    }
    row.listener = *out;
    row.opened = clock_now();
    in->wef->row[in->wef->count++] = row;
    return 0;
}

static int change_wef(struct listener *l, const struct listen_conf *c, struct err *e)
{
    struct wef_row *row = row_of(l), fresh = { .listener = l };
    int rc = load(l->in, c, &fresh, e);

    if (rc == 0)
        rc = http_change(l, c, e);
    if (rc != 0) {
        wef_set_unref(&fresh.set);
        return rc;
    }
    fresh.opened = row->opened;
    wef_set_unref(&row->set);
    *row = fresh;
    return 0;
}

/* tick_wef - have the files of subscriptions changed? Machines are told at their next question. */
static void tick_wef(struct listener *l)
{
    struct wef_row *row = row_of(l);
    struct wef_set *set = NULL;
    uint64_t stamp;
    struct err e;

    http_tick(l);
    if (clock_steady() - row->looked < LOOK_NS)
        return;
    row->looked = clock_steady();
    stamp = stamp_of(row->path);
    if (stamp == row->stamp)
        return;
    row->stamp = stamp;
    if (wef_set_load(row->path, &set, &e) < 0) {
        snprintf(row->error, sizeof row->error, "%s", e.text);
        log_line(LOG_ERROR, "cannot take the changed subscriptions of Windows machines, those before stay in force", "saqshy.listener", l->conf.id, "error.message",
                 e.text, NULL);
        return;
    }
    row->error[0] = 0;
    wef_set_unref(&row->set);
    row->set = set;
    log_line(LOG_INFO, "took changed subscriptions of Windows machines", "saqshy.listener", l->conf.id, "file.path", row->path, NULL);
}

static void close_wef(struct listener *l)
{
    struct wef *w = l->in->wef;

    for (size_t i = 0; w && i < w->count; i++)
        if (w->row[i].listener == l) {
            wef_set_unref(&w->row[i].set);
            w->row[i] = w->row[--w->count];
            break;
        }
    http_close(l);
}

struct showing {
    struct buf           *b;
    const struct wef_set *set;
    time_ns               now, opened;
    size_t                silent;
    bool                  comma;
};

/* silent - nothing was heard of the machine for longer than SILENT_BEATS of its heartbeats. */
static bool silent(const struct showing *s, const struct wef_subscription *sub, const struct wef_mark *k)
{
    const time_ns heard[] = { k->enumerated, k->heartbeat, k->last_event };
    time_ns last = s->opened;

    for (size_t i = 0; i < COUNT(heard); i++)
        last = heard[i] > last ? heard[i] : last;
    return s->now - last > SILENT_BEATS * sub->heartbeat_s * NS_PER_SECOND;
}

static void put_moment(struct buf *b, const char *name, time_ns at)
{
    if (!at)
        return;
    buf_printf(b, ",\"%s\":\"", name);
    buf_time(b, at);
    buf_byte(b, '"');
}

static void show_mark(void *arg, const struct wef_mark *k)
{
    struct showing *s = arg;
    struct buf *b = s->b;
    const struct wef_subscription *sub = wef_set_find(s->set, str_c(k->subscription));

    if (!sub)
        return;
    buf_str(b, s->comma ? STR(",\n  {\"machine\":") : STR("\n  {\"machine\":"));
    s->comma = true;
    buf_json(b, str_c(k->machine));
    buf_printf(b, ",\"subscription\":\"%s\",\"version\":", k->subscription);
    buf_json(b, str_c(k->version));
    buf_str(b, STR(",\"address\":"));
    buf_json(b, str_c(k->address));
    buf_printf(b, ",\"events\":%lld,\"repeated\":%lld,\"foreign\":%lld,\"bookmark\":%s", (long long)k->events, (long long)k->repeated, (long long)k->foreign,
               k->bookmark ? "true" : "false");
    put_moment(b, "asked", k->enumerated);
    put_moment(b, "heartbeat", k->heartbeat);
    put_moment(b, "last_event", k->last_event);
    put_moment(b, "ended", k->ended);
    if (k->ended)
        buf_printf(b, ",\"fault\":%u", k->fault);
    if (silent(s, sub, k)) {
        s->silent++;
        buf_str(b, STR(",\"silent\":true"));
    }
    buf_byte(b, '}');
}

static void report_wef(const struct listener *l, struct buf *b)
{
    const struct wef_row *row = row_of(l);
    struct showing s = { .b = b, .set = row ? row->set : NULL, .now = clock_now(), .opened = row ? row->opened : 0 };

    if (!row)
        return;
    buf_str(b, STR(",\"subscriptions\":["));
    for (size_t i = 0; i < row->set->count; i++) {
        buf_printf(b, "%s{\"id\":\"%s\",\"title\":", i ? "," : "", row->set->item[i].id);
        buf_json(b, str_c(row->set->item[i].title));
        buf_printf(b, ",\"heartbeat_s\":%lld}", (long long)row->set->item[i].heartbeat_s);
    }
    buf_str(b, STR("],\"subscriptions_error\":"));
    buf_json(b, str_c(row->error));
    buf_printf(b, ",\"marks\":%zu,\"machines\":[", wef_marks_count(l->in->wef->marks));
    wef_marks_each(l->in->wef->marks, SHOWN_MAX, show_mark, &s);
    buf_printf(b, "],\"silent\":%zu", s.silent);
}

const struct listener_kind wef_kind = { .number = LISTEN_wef, .open = open_wef, .change = change_wef, .tick = tick_wef, .stop_accepting = http_stop_accepting,
                                        .busy = http_busy, .close = close_wef, .port = http_port, .report = report_wef };
