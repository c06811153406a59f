/* cmd_registry.c - saqshy registry: tables into the registry of a running centre and out of it, over its API.
 *
 * Import shows what would change and stops there; with --apply it writes exactly that, or nothing if the registry moved in between. */
#include "bin/bin.h"
#include "base/file.h"
#include "bin/remote.h"

#include <getopt.h>

#define PIECE     (512u * KIB)
#define TABLE_MAX (64u * MIB)   /* as the server takes it */

static const char usage[] =
    "usage: saqshy registry import --server URL --kind KIND [--mapping NAME] [--sheet NAME] [--clear] [--apply] [--leave-errors] [--json] FILE\n"
    "       saqshy registry export --server URL --kind KIND [--format xlsx|csv] FILE\n\n"
    "KIND is organisation, person, object, component, contact or contract; FILE an XLSX or CSV table whose first row holds the headings.\n"
    "import shows what each row would do. Columns are known by their headings; --mapping takes the mapping that was kept under NAME.\n"
    "  --clear         an empty cell empties the field (otherwise it says nothing)\n"
    "  --apply         write what was shown, all in one transaction\n"
    "  --leave-errors  write the right rows although others are wrong\n"
    "export writes every field of every record (\"-\": standard output); the same table can be read back without a change.\n\n"
    "SAQSHY_USER and SAQSHY_PASSWORD name who asks; --cacert FILE or SAQSHY_CACERT the portal's authority.\n"
    "Exit codes: 0 done, 1 rows are wrong or the server refused, 2 usage.\n";

struct asked {
    const char *verb, *server, *ca, *kind, *mapping, *sheet, *format, *file;
    bool        clear, apply, leave, json;
};

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));

    return s ? s : "";
}

static long long count(const json_t *i, const char *action)
{
    return json_integer_value(json_object_get(json_object_get(i, "counts"), action));
}

static int upload(struct remote *r, const char *file, json_t **out, struct err *e)
{
    const char *slash = strrchr(file, '/');
    AUTO_BUF struct buf b;
    json_t *body;
    char path[160];
    int rc;

    buf_init(&b, TABLE_MAX + 4096);
    rc = file_read(file, TABLE_MAX, &b, e);
    if (rc == 0 && b.n == 0)
        rc = err_set(e, -EBADMSG, "\"%s\" is empty", file);
    if (rc < 0)
        return rc;
    body = json_pack("{s:s, s:I}", "name", slash ? slash + 1 : file, "size_bytes", (json_int_t)b.n);
    rc = remote_send(r, "POST", "/uploads", body, out, e);
    json_decref(body);
    for (size_t at = 0; rc == 0 && at < b.n; at += PIECE) {
        snprintf(path, sizeof path, "/uploads/%.80s?offset=%zu", text(*out, "id"), at);
        rc = remote_bytes(r, "PUT", path, str_of(b.p + at, min_size(PIECE, b.n - at)), NULL, e);
    }
    return rc;
}

/* columns_of - as the headings seem to mean, or as the kept mapping says. */
static int columns_of(struct remote *r, const struct asked *a, const json_t *import, json_t **out, bool *clear, struct err *e)
{
    json_t *kept = NULL, *m, *h;
    size_t i;
    int rc = 0;

    *out = json_array();
    if (a->mapping)
        rc = remote_get(r, &kept, e, "/import-mappings", "kind", a->kind, NULL);
    json_array_foreach(json_object_get(kept, "items"), i, m)
        if (strcmp(text(m, "name"), a->mapping) == 0) {
            json_decref(*out);
            *out = json_incref(json_object_get(m, "columns"));
            *clear = *clear || strcmp(text(m, "empty"), "clear") == 0;
            json_decref(kept);
            return 0;
        }
    json_decref(kept);
    if (rc == 0 && a->mapping)
        return err_set(e, -ENOENT, "no mapping \"%s\" is kept for this kind", a->mapping);
    json_array_foreach(json_object_get(import, "headings"), i, h)
        json_array_append_new(*out, json_pack("{s:O, s:O}", "heading", json_object_get(h, "heading"), "field", json_object_get(h, "field")));
    return rc;
}

static void print_row(const json_t *row)
{
    json_t *one;
    size_t i;

    printf("row %lld  %s  %s\n", (long long)json_integer_value(json_object_get(row, "row")), text(row, "action"), text(row, "name"));
    json_array_foreach(json_object_get(row, "changes"), i, one) {
        AUTO_FREE char *from = json_dumps(json_object_get(one, "from"), JSON_ENCODE_ANY | JSON_COMPACT);
        AUTO_FREE char *to = json_dumps(json_object_get(one, "to"), JSON_ENCODE_ANY | JSON_COMPACT);

        if (strcmp(text(row, "action"), "change") == 0)
            printf("    %s: %s -> %s\n", text(one, "field"), from, to);
    }
    json_array_foreach(json_object_get(row, "errors"), i, one)
        printf("    %s%lld: %s\n", text(one, "column"), (long long)json_integer_value(json_object_get(row, "row")), text(one, "text"));
}

/* show - every row that would do something or is wrong, page after page. */
static int show(struct remote *r, const struct asked *a, const char *id, struct err *e)
{
    static const char *const actions[] = { "error", "create", "change" };
    char path[120], before[32];
    int rc = 0;

    snprintf(path, sizeof path, "/imports/%.64s/rows", id);
    for (size_t k = 0; rc == 0 && k < COUNT(actions); k++) {
        before[0] = '\0';
        do {
            json_t *page = NULL, *row;
            size_t i;

            rc = remote_get(r, &page, e, path, "action", actions[k], "limit", "500", *before ? "before" : NULL, before, NULL);
            json_array_foreach(json_object_get(page, "items"), i, row) {
                AUTO_FREE char *line = a->json ? json_dumps(row, JSON_COMPACT) : NULL;

                if (line)
                    puts(line);
                else
                    print_row(row);
            }
            snprintf(before, sizeof before, "%s", text(page, "next"));
            json_decref(page);
        } while (rc == 0 && *before);
    }
    return rc;
}

static int import(struct remote *r, const struct asked *a, struct err *e)
{
    json_t *up = NULL, *i = NULL, *checked = NULL, *done = NULL, *columns = NULL, *body;
    bool clear = a->clear;
    char path[120];
    int rc = upload(r, a->file, &up, e);

    if (rc == 0) {
        body = json_pack("{s:s, s:s, s:s?}", "upload_id", text(up, "id"), "kind", a->kind, "sheet", a->sheet);
        rc = remote_send(r, "POST", "/imports", body, &i, e);
        json_decref(body);
    }
    if (rc == 0)
        rc = columns_of(r, a, i, &columns, &clear, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "/imports/%.64s/check", text(i, "id"));
        body = json_pack("{s:O, s:s}", "columns", columns, "empty", clear ? "clear" : "keep");
        rc = remote_send(r, "POST", path, body, &checked, e);
        json_decref(body);
    }
    if (rc == 0)
        rc = show(r, a, text(i, "id"), e);
    if (rc == 0)
        fprintf(a->json ? stderr : stdout, "%lld new, %lld changed, %lld unchanged, %lld wrong\n", count(checked, "create"), count(checked, "change"),
                count(checked, "same"), count(checked, "error"));
    if (rc == 0 && count(checked, "error") && !(a->apply && a->leave))
        rc = err_set(e, -EBADMSG, "rows are wrong: nothing was written");
    else if (rc == 0 && a->apply) {
        snprintf(path, sizeof path, "/imports/%.64s/apply", text(i, "id"));
        body = json_pack("{s:O, s:b}", "checked", json_object_get(checked, "checked"), "leave_errors", (int)a->leave);
        rc = remote_send(r, "POST", path, body, &done, e);
        json_decref(body);
        if (rc == 0)
            fprintf(a->json ? stderr : stdout, "written\n");
    }
    json_decref(up);
    json_decref(i);
    json_decref(checked);
    json_decref(done);
    json_decref(columns);
    return rc;
}

static int put_file(const char *file, struct str bytes, struct err *e)
{
    return strcmp(file, "-") == 0 ? file_write_all(1, bytes, e) : file_write_atomic(file, bytes, 0640, e);
}

static int export(struct remote *r, const struct asked *a, struct err *e)
{
    struct str bytes;
    char path[160];
    int rc;

    snprintf(path, sizeof path, "/export?kind=%.40s&format=%.10s", a->kind, a->format ? a->format : "xlsx");
    rc = remote_bytes(r, "GET", path, str_of(NULL, 0), &bytes, e);
    return rc < 0 ? rc : put_file(a->file, bytes, e);
}

/* plain_word - goes into an address as it is. */
static bool plain_word(const char *s) { return s && *s && strspn(s, "abcdefghijklmnopqrstuvwxyz") == strlen(s); }

static int run(const struct asked *a)
{
    bool in = a->verb && strcmp(a->verb, "import") == 0, out = a->verb && strcmp(a->verb, "export") == 0;
    struct err e = { 0 };
    struct remote *r;
    int rc;

    const char *wrong = !in && !out                            ? "import or export is expected"
                        : !a->file                             ? "one FILE is expected"
                        : !a->server                           ? "--server URL is missing"
                        : !plain_word(a->kind)                 ? "--kind KIND is missing or is no word"
                        : a->format && !plain_word(a->format) ? "--format is xlsx or csv"
                                                               : NULL;

    if (wrong)
        return wrong_usage("registry", wrong);
    rc = remote_open(a->server, a->ca, &r, &e);
    if (rc == 0) {
        rc = in ? import(r, a, &e) : export(r, a, &e);
        remote_close(&r);
    }
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    return rc == 0 ? EXIT_YES : rc == -EINVAL ? EXIT_USAGE : EXIT_NO;
}

int cmd_registry(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' }, { "cacert", required_argument, NULL, 'c' }, { "kind", required_argument, NULL, 'k' },
        { "mapping", required_argument, NULL, 'm' }, { "sheet", required_argument, NULL, 'S' }, { "format", required_argument, NULL, 'f' },
        { "clear", no_argument, NULL, 'C' },         { "apply", no_argument, NULL, 'a' },       { "leave-errors", no_argument, NULL, 'l' },
        { "json", no_argument, NULL, 'j' },          { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
    };
    struct asked a = { 0 };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 's': a.server = optarg; break;
        case 'c': a.ca = optarg; break;
        case 'k': a.kind = optarg; break;
        case 'm': a.mapping = optarg; break;
        case 'S': a.sheet = optarg; break;
        case 'f': a.format = optarg; break;
        case 'C': a.clear = true; break;
        case 'a': a.apply = true; break;
        case 'l': a.leave = true; break;
        case 'j': a.json = true; break;
        case 'h': fputs(usage, stdout); return EXIT_YES;
        default: fputs(usage, stderr); return EXIT_USAGE;
        }
    }
    a.verb = optind < argc ? argv[optind++] : NULL;
    a.file = optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        a.file = NULL;
    return run(&a);
}
