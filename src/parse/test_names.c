/* test_names.c - names of fields against the Elastic Common Schema (../shared/data/logs/ecs/fields.csv, not ours to ship): whatever a
 * reader puts under a name of ECS must be a field of ECS. Own names stand under a word that ECS does not use.
 *
 * Names of products as data are read from what was loaded; names of the readers in C are those of all events that the sample
 * lines give. Formats that hand names on as the source wrote them (JSON, key=value, CEF …) are left out. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "parse/patterns.h"
#include "parse/test_lines.h"
#include "parse/test_parser.h"

#define NAMES_MAX 4096

struct names {
    struct str ecs[NAMES_MAX], objects[256], sets[128];
    size_t count, object_count, set_count;
    struct str told[256];
    size_t told_count, seen;
    struct arena arena;
};

static bool listed(const struct str *list, size_t count, struct str s)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i], s))
            return true;
    return false;
}

static struct str first_part(struct str name)
{
    ptrdiff_t dot = str_chr(name, '.');

    return dot < 0 ? name : str_of(name.p, (size_t)dot);
}

/* read_ecs - columns: version, indexed, set, field, type, … */
static void read_ecs(struct names *n, struct str csv)
{
    struct str line;

    while (str_split(&csv, '\n', &line)) {
        struct str column[5] = { { NULL, 0 } };

        for (size_t i = 0; i < 5; i++)
            (void)!str_split(&line, ',', &column[i]);
        if (column[4].n == 0 || str_eq(column[3], STR("Field")) || n->count == NAMES_MAX)
            continue;
        n->ecs[n->count++] = column[3];
        if ((str_eq(column[4], STR("object")) || str_eq(column[4], STR("flattened"))) && n->object_count < COUNT(n->objects))
            n->objects[n->object_count++] = column[3];
        if (!listed(n->sets, n->set_count, first_part(column[3])) && n->set_count < COUNT(n->sets))
            n->sets[n->set_count++] = first_part(column[3]);
    }
}

/* beats_own - what Filebeat and Auditbeat add to the set "user" for audit records, and rules written for them ask for. */
static bool beats_own(struct str name)
{
    static const char *const heads[] = { "user.audit.", "user.saved.", "user.filesystem.", "user.terminal" };

    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(name, str_c(heads[i])))
            return true;
    return false;
}

static void check(struct names *n, struct str name, struct str who)
{
    n->seen++;
    if (beats_own(name))
        return;
    if (!listed(n->sets, n->set_count, first_part(name)) || listed(n->ecs, n->count, name) || listed(n->told, n->told_count, name))
        return;
    for (size_t i = 0; i < n->object_count; i++)
        if (str_starts(name, n->objects[i]) && name.n > n->objects[i].n && name.p[n->objects[i].n] == '.')
            return;
    if (n->told_count < COUNT(n->told)) {
        n->told[n->told_count++] = arena_copy(&n->arena, name);
        print_message("no field of ECS: %.*s (%.*s)\n", STR_ARG(name), STR_ARG(who));
    }
}

static void check_targets(struct names *n, const struct field *f, struct str who)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->targets[i].to.n)
            check(n, f->targets[i].to, who);
}

static void check_layer(struct names *n, const struct layer *l, struct str who)
{
    for (size_t i = 0; i < l->set_count; i++)
        check(n, l->sets[i].name, who);
    for (size_t i = 0; i < l->case_count; i++)
        for (size_t k = 0; k < l->cases[i].then->set_count; k++)
            check(n, l->cases[i].then->sets[k].name, who);
}

static void test_products(void **state)
{
    struct names *n = *state;
    struct parser *p = parser_of_content();

    n->told_count = n->seen = 0;
    for (size_t i = 0; i < p->data->product_count; i++) {
        const struct product *product = p->data->products[i];

        check_layer(n, &product->layer, product->id);
        for (size_t k = 0; k < product->field_cap; k++)
            check_targets(n, &product->fields[k], product->id);
        for (size_t k = 0; k < product->pattern_count; k++) {
            check_layer(n, &product->patterns[k].layer, product->id);
            for (size_t g = 1; g <= product->patterns[k].group_count; g++)
                check_targets(n, &product->patterns[k].groups[g], product->id);
        }
    }
    assert_true(n->seen > 300);
    assert_int_equal(n->told_count, 0);
    parse_free(&p);
}

/* --- the readers in C --- */

/* hands_on - the parser gives names as the source wrote them. */
static bool hands_on(struct str parser)
{
    static const char *const names[] = { "json", "kv", "cef", "leef", "w3c", "csv", "snare", "winxml", "windows" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(parser, str_c(names[i])))
            return true;
    return false;
}

static void check_file(struct names *n, const struct parser *p, const char *path)
{
    struct event_batch b;
    struct buf file;
    struct str rest, line;

    buf_init(&file, 0);
    event_batch_init(&b, 0);
    if (file_read(path, 64 * MIB, &file, NULL) == 0) {
        rest = buf_view(&file);
        while (str_split(&rest, '\n', &line)) {
            struct parse_hints h = lines_hints();
            struct event *ev;

            event_batch_reset(&b);
            ev = event_batch_add(&b);
            parse_line(p, line, &h, &b.arena, ev);
            for (uint32_t i = 0; !hands_on(ev->parser) && i < ev->field_count; i++)
                check(n, ev->fields[i].name, ev->parser);
        }
    }
    event_batch_free(&b);
    buf_free(&file);
}

static void test_readers(void **state)
{
    static const char *const folders[] = { "fail2ban", "ossec/log-entries", "ossec", "wazuh", "auditd/go-libaudit" };
    struct names *n = *state;
    const char *shared = getenv("SAQSHY_SHARED");
    struct parser *p;

    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    n->told_count = n->seen = 0;
    for (size_t i = 0; i < COUNT(folders); i++) {
        char folder[700], path[1024];
        DIR *dir;
        struct dirent *entry;

        snprintf(folder, sizeof folder, "%s/data/logs/%s", shared ? shared : "../shared", folders[i]);
        dir = opendir(folder);
        while (dir && (entry = readdir(dir)) != NULL) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            if (entry->d_name[0] != '.')
                check_file(n, p, path);
        }
        if (dir)
            closedir(dir);
    }
    assert_true(n->seen > 10000);
    assert_int_equal(n->told_count, 0);
    parse_free(&p);
}

int main(void)
{
    static struct names n;
    struct CMUnitTest tests[] = {
        { .name = "products as data: names of ECS are fields of ECS", .test_func = test_products, .initial_state = &n },
        { .name = "readers in C: names of ECS are fields of ECS, in all sample lines", .test_func = test_readers, .initial_state = &n },
    };
    const char *shared = getenv("SAQSHY_SHARED");
    char path[600];
    struct buf csv;
    int failed;

    buf_init(&csv, 0);
    arena_init(&n.arena, 0);
    snprintf(path, sizeof path, "%s/data/logs/ecs/fields.csv", shared ? shared : "../shared");
    if (file_read(path, 16 * MIB, &csv, NULL) < 0) {
        printf("skipped: no list of ECS fields at \"%s\"\n", path);
        return 77;
    }
    read_ecs(&n, buf_view(&csv));
    failed = n.count < 1000 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&n.arena);
    buf_free(&csv);
    return failed;
}
