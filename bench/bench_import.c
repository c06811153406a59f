/* bench_import.c - a table of many objects into a fresh desk: how long the dry run and the writing take, and how long at a stretch nobody else could
 * write meanwhile, as another connection sees it that asks for the lock twice a millisecond.
 *
 * usage: bench_import DATA CONTENT [OBJECTS]. DATA is an empty folder. */
#include "desk/blob.h"
#include "desk/internal.h"
#include "bench_open.h"
#include "desk/tables/tables.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct watch {
    sqlite3  *db;
    pthread_t thread;
    bool      stop;
    time_ns   longest;   /* stretch without the lock */
    int64_t   got;       /* how often it was free */
};

static void *watching(void *arg)
{
    struct watch *w = arg;
    time_ns free_at = clock_steady();

    while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
        if (sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
            sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
            free_at = clock_steady();
            w->got++;
        }
        time_ns now = clock_steady();
        w->longest = now - free_at > w->longest ? now - free_at : w->longest;
        usleep(500);
    }
    return NULL;
}

static int watched(struct desk *d, const char *what, int (*act)(struct desk *, const struct viewer *, struct str, const json_t *, time_ns, struct desk_reply *),
                   const struct viewer *v, struct str id, const json_t *body, struct desk_reply *r)
{
    struct watch w = { .stop = false };
    char path[4096];
    time_ns began;
    int rc;

    if (sqlite3_open_v2(node_path(d->setup.node, "desk/desk.db", path), &w.db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return -EIO;
    pthread_create(&w.thread, NULL, watching, &w);
    began = clock_steady();
    *r = (struct desk_reply){ 0 };
    rc = act(d, v, id, body, clock_now(), r);
    began = clock_steady() - began;
    __atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
    pthread_join(w.thread, NULL);
    sqlite3_close(w.db);
    printf("%-8s %7.0f ms, nobody else could write for %7.0f ms at a stretch\n", what, (double)began / 1e6, (double)w.longest / 1e6);
    if (rc < 0)
        fprintf(stderr, "bench_import: %s: %s %s\n", what, r->field, r->err.text);
    return rc;
}

static int upload(struct desk *d, const struct viewer *v, struct str bytes, char id[65])
{
    json_t *b = json_pack("{s:s, s:I}", "name", "objects.csv", "size_bytes", (json_int_t)bytes.n);
    struct desk_reply r = { 0 };
    int rc = desk_upload_begin(d, v, b, clock_now(), &r);

    json_decref(b);
    snprintf(id, 65, "%s", rc == 0 ? json_string_value(json_object_get(r.json, "id")) : "");
    for (size_t at = 0; rc == 0 && at < bytes.n; at += BLOB_PIECE_MAX) {
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
        rc = desk_upload_piece(d, v, str_c(id), (int64_t)at, str_of(bytes.p + at, min_size(bytes.n - at, BLOB_PIECE_MAX)), clock_now(), &r);
    }
    desk_reply_free(&r);
    return rc;
}

static int measure(struct desk *d, const struct viewer *v, long objects)
{
    AUTO_BUF struct buf b = { 0 };
    struct desk_reply r = { 0 };
    json_t *columns = json_array(), *h;
    char id[65];
    size_t i;
    int rc;

    buf_init(&b, 64 * MIB);
    buf_str(&b, STR("Official name;Owner;Criticality;Put into industrial operation on;Hosts of its logs;Connected to the Internet;Bandwidth of the"
                    " Internet channel;Unit of the Internet channel\r\n"));
    for (long n = 1; n <= objects; n++)
        buf_printf(&b, "Ақпараттық жүйе № %ld;registry-centre;high;20.03.2026;bench-%ld-a, bench-%ld-b;yes;100;Mbit/s\r\n", n, n, n);
    rc = upload(d, v, buf_view(&b), id);
    json_t *body = json_pack("{s:s, s:s}", "upload_id", id, "kind", "object");
    if (rc == 0)
        rc = desk_import_read(d, v, body, clock_now(), &r);
    json_decref(body);
    if (rc < 0)
        return fprintf(stderr, "bench_import: %s\n", r.err.text), rc;
    json_array_foreach(json_object_get(r.json, "headings"), i, h)
        json_array_append_new(columns, json_pack("{s:O, s:O}", "heading", json_object_get(h, "heading"), "field", json_object_get(h, "field")));
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    body = json_pack("{s:o}", "columns", columns);
    rc = watched(d, "dry run", desk_import_check, v, str_c(id), body, &r);
    json_decref(body);
    body = json_pack("{s:O}", "checked", json_object_get(r.json, "checked"));
    desk_reply_free(&r);
    if (rc >= 0)
        rc = watched(d, "writing", desk_import_apply, v, str_c(id), body, &r);
    json_decref(body);
    desk_reply_free(&r);
    return rc;
}

int main(int argc, char **argv)
{
    struct desk *desk;
    json_t *accounts;
    struct err e;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_import DATA CONTENT [OBJECTS]\n");
        return 2;
    }
    rc = bench_open(argv[1], argv[2], &desk, &e);
    if (rc == 0)
        rc = desk_init(desk, true, clock_now(), &accounts, &e);
    if (rc < 0)
        return fprintf(stderr, "bench_import: %s\n", e.text), 1;
    return measure(desk, &(struct viewer){ .user_id = 1, .role = DESK_ADMINISTRATOR, .lang = LANG_EN, .login = "admin" }, argc > 3 ? strtol(argv[3], NULL, 10)
                                                                                                                                 : 10000) < 0;
}
