/* test_import.c - tables into the registry: what a dry run shows is what is written, once, or nothing; what goes out comes back unchanged. */
#include "desk/tables/import_run.h"
#include "desk/testing.h"
#include "desk/blob.h"

#define NOW (T0 + NS_PER_HOUR)

static void upload(struct world *w, const struct viewer *v, struct str bytes, const char *name, char id[65])
{
    json_t *b = json_pack("{s:s, s:I}", "name", name, "size_bytes", (json_int_t)bytes.n);
    struct desk_reply r = { 0 };

    must(desk_upload_begin(w->desk, v, b, NOW, &r), &r.err);
    json_decref(b);
    snprintf(id, 65, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    for (size_t at = 0; at < bytes.n; at += BLOB_PIECE_MAX) {
        must(desk_upload_piece(w->desk, v, str_c(id), (int64_t)at, str_of(bytes.p + at, min_size(bytes.n - at, BLOB_PIECE_MAX)), NOW, &r), &r.err);
        desk_reply_free(&r);
    }
}

/* read_in - the JSON of a fresh import. */
static json_t *read_in(struct world *w, const char *kind, struct str bytes)
{
    struct desk_reply r = { 0 };
    char id[65];

    upload(w, &w->admin, bytes, "table.csv", id);
    json_t *b = json_pack("{s:s, s:s}", "upload_id", id, "kind", kind);
    must(desk_import_read(w->desk, &w->admin, b, NOW, &r), &r.err);
    json_decref(b);
    return r.json;
}

/* check - the dry run with the guessed fields; import is taken. */
static json_t *check(struct world *w, json_t *import, const char *empty, const char *mapping)
{
    json_t *columns = json_array(), *h, *b;
    struct desk_reply r = { 0 };
    size_t i;

    json_array_foreach(json_object_get(import, "headings"), i, h)
        json_array_append_new(columns, json_pack("{s:O, s:O}", "heading", json_object_get(h, "heading"), "field", json_object_get(h, "field")));
    b = json_pack("{s:o, s:s}", "columns", columns, "empty", empty ? empty : "keep");
    if (mapping)
        json_object_set_new(b, "mapping", json_string(mapping));
    int rc = desk_import_check(w->desk, &w->admin, json_get_str(import, "id"), b, NOW, &r);
    if (rc < 0)
        fail_msg("%s, field %s", r.err.text, r.field);
    json_decref(b);
    json_decref(import);
    return r.json;
}

static int64_t counted(const json_t *import, const char *action)
{
    return json_integer_value(json_object_get(json_object_get(import, "counts"), action));
}

static int apply(struct world *w, const json_t *import, int64_t checked, bool leave, struct desk_reply *r)
{
    json_t *b = json_pack("{s:I, s:b}", "checked", (json_int_t)checked, "leave_errors", leave);

    *r = (struct desk_reply){ 0 };
    int rc = desk_import_apply(w->desk, &w->admin, json_get_str(import, "id"), b, NOW, r);
    json_decref(b);
    return rc;
}

static void apply_must(struct world *w, json_t *import)
{
    struct desk_reply r;

    int rc = apply(w, import, json_integer_value(json_object_get(import, "checked")), false, &r);
    if (rc < 0)
        fail_msg("%s, field %s", r.err.text, r.field);
    assert_string_equal(json_string_value(json_object_get(r.json, "state")), "applied");
    desk_reply_free(&r);
    json_decref(import);
}

static json_t *rows_of(struct world *w, const json_t *import, const char *action)
{
    struct desk_reply r = { 0 };

    must(desk_import_rows(w->desk, &w->admin, json_get_str(import, "id"), str_c(action), 0, STR(""), NOW, &r), &r.err);
    json_t *items = json_incref(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return items;
}

static int64_t number(struct world *w, const char *sql)
{
    int64_t n = -1;
    struct err e;

    must(db_int(w->desk, &e, -1, &n, sql, ""), &e);
    return n;
}

#define ORGS "Наименование;БИН;Виды организации;Действует\r\n"
#define OBJECTS "Official name;Owner;Criticality;Put into industrial operation on;Hosts of its logs;Connected to the Internet;Bandwidth of the Internet channel;Unit of the Internet channel\r\n"

static void a_table_of_objects_is_shown_then_written_then_changes_nothing(void **state)
{
    struct world *w = *state;
    struct str table = STR(OBJECTS "Imported system;OWNER;высокий;20.03.2026;imp-1, imp-2;да;100;Мбит/с\r\nSecond system;OWNER;low;;imp-3;нет;;\r\n");
    int64_t before = number(w, "SELECT count(*) FROM object"), audits = number(w, "SELECT count(*) FROM audit");
    json_t *i, *rows;

    AUTO_BUF struct buf b = { 0 };
    buf_init(&b, 0);
    for (size_t k = 0; k < table.n; k++) {   /* the owner by its id */
        if (str_starts(str_cut(table, k), STR("OWNER"))) {
            buf_str(&b, str_c(w->registry.org_id));
            k += 4;
        } else
            buf_byte(&b, table.p[k]);
    }
    i = check(w, read_in(w, "object", buf_view(&b)), NULL, NULL);
    assert_int_equal(counted(i, "create"), 2);
    assert_int_equal(counted(i, "error"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM object"), before);   /* nothing was written yet */
    rows = rows_of(w, i, "create");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "row")), 2);
    json_decref(rows);
    apply_must(w, i);
    assert_int_equal(number(w, "SELECT count(*) FROM object"), before + 2);
    assert_true(number(w, "SELECT count(*) FROM audit") > audits);
    assert_int_equal(number(w, "SELECT count(*) FROM record_version WHERE origin = 'import' AND reason LIKE 'import %'"), 2);
    assert_int_equal(number(w, "SELECT count(*) FROM record WHERE kind = 'object' AND json ->> '$.criticality' = 'high' AND json ->> '$.internet_bandwidth' = 100"
                               " AND json ->> '$.commissioned_on' = '2026-03-20' AND json ->> '$.hosts[1]' = 'imp-2'"), 1);
    i = check(w, read_in(w, "object", buf_view(&b)), NULL, NULL);
    assert_int_equal(counted(i, "same"), 2);
    assert_int_equal(counted(i, "create") + counted(i, "change"), 0);
    apply_must(w, i);
    assert_int_equal(number(w, "SELECT count(*) FROM record_version WHERE origin = 'import'"), 2);
}

static void differences_are_shown_field_by_field(void **state)
{
    struct world *w = *state;
    json_t *i, *rows, *changes;

    i = check(w, read_in(w, "object", STR("id;criticality;city\r\nstate-register;low;Семей\r\n")), NULL, NULL);
    assert_int_equal(counted(i, "change"), 1);
    rows = rows_of(w, i, "change");
    changes = json_object_get(json_array_get(rows, 0), "changes");
    assert_int_equal(json_array_size(changes), 2);
    bool city = false;
    for (size_t k = 0; k < 2; k++) {
        const json_t *one = json_array_get(changes, k);
        if (str_eq(json_get_str(one, "field"), STR("city")))
            city = str_eq(json_get_str(one, "from"), STR("Астана")) && str_eq(json_get_str(one, "to"), STR("Семей"));
    }
    assert_true(city);
    json_decref(rows);
    apply_must(w, i);
    assert_int_equal(number(w, "SELECT count(*) FROM record WHERE kind = 'object' AND id = 'state-register' AND json ->> '$.city' = 'Семей'"
                               " AND json_array_length(json, '$.hosts') > 0"), 1);   /* what no column names is kept */
}

static void a_unit_has_the_number_of_the_whole_and_is_told_by_its_name(void **state)
{
    struct world *w = *state;
    json_t *i = check(w, read_in(w, "organisation", STR("id;name;kinds;bin\r\nwhole;Whole;owner;103612731735\r\nunit;Unit;ocib;103612731735\r\n")), NULL, NULL), *rows;

    assert_int_equal(counted(i, "create"), 2);
    apply_must(w, i);
    i = check(w, read_in(w, "organisation", STR("bin;name;phone\r\n103612731735;Unit;+7 999\r\n103612731735;;+7 999\r\n")), NULL, NULL);
    assert_int_equal(counted(i, "change"), 1);
    rows = rows_of(w, i, "error");
    assert_int_equal(json_array_size(rows), 1);
    const json_t *fault = json_array_get(json_object_get(json_array_get(rows, 0), "errors"), 0);
    assert_string_equal(json_string_value(json_object_get(fault, "column")), "A");
    assert_string_equal(json_string_value(json_object_get(fault, "field")), "bin");
    assert_string_equal(json_string_value(json_object_get(fault, "value")), "103612731735");
    json_decref(rows);
    json_decref(i);
}

static void each_wrong_cell_has_its_place_code_and_words(void **state)
{
    static const struct { const char *code, *column; } want[] = {
        { "unknown_reference", "B" }, { "unknown_value", "C" }, { "not_a_date", "D" }, { "not_yes_or_no", "F" }, { "not_a_number", "G" },
    };
    struct world *w = *state;
    json_t *i = check(w, read_in(w, "object", STR(OBJECTS "X;nobody;huge;31.02.2026;;perhaps;many;\r\n;;;;;;;\r\n;state-register;;;;;;\r\n")), NULL, NULL), *rows;
    struct desk_reply r;

    assert_int_equal(counted(i, "error"), 2);
    rows = rows_of(w, i, "error");
    for (size_t k = 0; k < COUNT(want); k++) {
        const json_t *e = json_array_get(json_object_get(json_array_get(rows, 0), "errors"), k);

        CHECK(want[k].code, str_eq(json_get_str(e, "code"), str_c(want[k].code)));
        CHECK(want[k].code, str_eq(json_get_str(e, "column"), str_c(want[k].column)));
        CHECK(want[k].code, json_get_str(e, "text").n > 0 && !str_starts(json_get_str(e, "text"), STR("table.error")));
    }
    json_decref(rows);
    assert_int_equal(apply(w, i, 1, false, &r), -EPROTO);
    assert_string_equal(r.field, "leave_errors");
    desk_reply_free(&r);
    json_decref(i);
    i = check(w, read_in(w, "organisation", STR(ORGS "Бір;;owner;да\r\nБір;;owner;да\r\nЕкі;;;да\r\nҮш;123;owner;да\r\n")), NULL, NULL);
    rows = rows_of(w, i, "error");
    assert_int_equal(json_array_size(rows), 3);
    static const char *const codes[] = { "twice", "required", "invalid" };
    for (size_t k = 0; k < 3; k++)
        CHECK(codes[k], str_eq(json_get_str(json_array_get(json_object_get(json_array_get(rows, k), "errors"), 0), "code"), str_c(codes[k])));
    json_decref(rows);
    must(apply(w, i, 1, true, &r), &r.err);   /* the right rows alone */
    desk_reply_free(&r);
    json_decref(i);
}

/* What takes two persons by hand takes two persons by table. */
static void a_table_excludes_no_object(void **state)
{
#define EXCLUDED "id;Официальное наименование;Исключение по пункту 4;Основание исключения;Объект Национального Банка\r\n"
    struct world *w = *state;
    json_t *i = check(w, read_in(w, "object", STR(EXCLUDED "state-register;;state_secret_resource;letter 5;\r\ncity-portal;;;;да\r\n")), NULL, NULL), *rows;
    struct desk_reply r;

    rows = rows_of(w, i, "error");
    assert_int_equal(json_array_size(rows), 2);
    for (size_t k = 0; k < 2; k++) {
        const json_t *e = json_array_get(json_object_get(json_array_get(rows, k), "errors"), 0);

        assert_true(str_eq(json_get_str(e, "code"), STR("exclusion_by_request")));
        assert_true(str_eq(json_get_str(e, "column"), str_c(k ? "E" : "C")));
        assert_true(json_get_str(e, "text").n > 0 && !str_starts(json_get_str(e, "text"), STR("table.error")));
    }
    json_decref(rows);
    must(apply(w, i, 1, true, &r), &r.err);   /* there is no right row among them */
    desk_reply_free(&r);
    json_decref(i);
    assert_int_equal(number(w, "SELECT count(*) FROM object WHERE excluded"), 0);
}

static void nothing_is_written_that_was_not_shown(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    json_t *i = check(w, read_in(w, "object", STR("id;city\r\nstate-register;Алматы\r\ncity-portal;Шымкент\r\n")), NULL, NULL), *other, *again;
    int64_t versions;

    other = check(w, read_in(w, "object", STR("id;city\r\nstate-register;Ақтау\r\n")), NULL, NULL);
    apply_must(w, other);
    versions = number(w, "SELECT count(*) FROM record_version");
    assert_int_equal(apply(w, i, 1, true, &r), -EEXIST);
    assert_int_equal(desk_status(-EEXIST), 409);
    assert_string_equal(r.code, "conflict");
    assert_string_equal(r.field, "rows.2");
    desk_reply_free(&r);
    assert_int_equal(number(w, "SELECT count(*) FROM record_version"), versions);   /* not half of it either */
    /* A dry run that nobody looked at. */
    again = check(w, json_incref(i), NULL, NULL);
    assert_int_equal(apply(w, again, 1, true, &r), -EEXIST);
    assert_string_equal(r.field, "checked");
    desk_reply_free(&r);
    must(apply(w, again, 2, true, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(apply(w, again, 2, true, &r), -EPROTO);   /* once */
    desk_reply_free(&r);
    json_decref(again);
    json_decref(i);
}

static void an_empty_cell_empties_a_field_only_when_asked(void **state)
{
    struct world *w = *state;
    json_t *i;

    apply_must(w, check(w, read_in(w, "object", STR("id;city\r\nstate-register;Алматы\r\n")), NULL, NULL));
    i = check(w, read_in(w, "object", STR("id;city;note\r\nstate-register;;\r\n")), "keep", NULL);
    assert_int_equal(counted(i, "same"), 1);
    json_decref(i);
    i = check(w, read_in(w, "object", STR("id;city;note\r\nstate-register;;\r\n")), "clear", NULL);
    assert_int_equal(counted(i, "change"), 1);
    apply_must(w, i);
    assert_int_equal(number(w, "SELECT count(*) FROM record WHERE id = 'state-register' AND kind = 'object' AND json ->> '$.city' IS NULL"), 1);
}

static void a_mapping_is_kept_under_its_name(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *import = read_in(w, "object", STR("Код;Мекен\r\nstate-register;Тараз\r\n")), *b, *items;

    b = json_pack("{s:[{s:s,s:s},{s:s,s:s}], s:s}", "columns", "heading", "Код", "field", "id", "heading", "Мекен", "field", "city", "mapping", "portal");
    must(desk_import_check(w->desk, &w->admin, json_get_str(import, "id"), b, NOW, &r), &r.err);
    assert_int_equal(counted(r.json, "change"), 1);
    desk_reply_free(&r);
    json_decref(b);
    must(desk_import_mappings(w->desk, &w->admin, STR("object"), &r), &r.err);
    items = json_object_get(r.json, "items");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "name")), "portal");
    assert_int_equal(json_array_size(json_object_get(json_array_get(items, 0), "columns")), 2);
    desk_reply_free(&r);
    b = json_pack("{s:[{s:s,s:s}]}", "columns", "heading", "Код", "field", "poem");
    assert_int_equal(desk_import_check(w->desk, &w->admin, json_get_str(import, "id"), b, NOW, &r), -EINVAL);
    assert_string_equal(r.field, "columns.0.field");
    desk_reply_free(&r);
    json_decref(b);
    json_decref(import);
}

static void what_is_taken_out_comes_back_unchanged(void **state)
{
    static const char *const kinds[] = { "organisation", "person", "object", "component", "contact", "contract" }, *const formats[] = { "csv", "xlsx" };
    struct world *w = *state;
    char path[4096];
    struct err e;

    must(file_mkdirs(node_path(w->node, "run", path), 0755, &e), &e);
    apply_must(w, check(w, read_in(w, "component", STR("parent;name;asset_class;ip_addresses;purpose;domain_names\r\n"
                                                      "state-register;\"=cmd|' /C calc'!A0\";ipt;\"10.0.0.1\n10.0.0.0/24\";shield;a.kz\r\n")), NULL, NULL));
    apply_must(w, check(w, read_in(w, "person", STR("name;language;channels\r\nАйгүл;kk;\"email | a@b.kz\nphone | +7 701 000 00 00\"\r\n")), NULL, NULL));
    apply_must(w, check(w, read_in(w, "contact", STR("parent;person_id;role;order\r\nstate-register;Айгүл;deputy;3\r\n")), NULL, NULL));
    apply_must(w, check(w, read_in(w, "object", STR("id;support;work_types\r\nstate-register;\" | Help desk | street 1 | +7 727 000\";protection\r\n")), NULL, NULL));
    int64_t versions = number(w, "SELECT count(*) FROM record_version");
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t f = 0; f < COUNT(formats); f++) {
            AUTO_BUF struct buf b = { 0 };
            struct desk_reply r = { 0 };

            buf_init(&b, 0);
            must(desk_registry_export(w->desk, &w->admin, str_c(kinds[k]), str_c(formats[f]), NOW, &b, &r), &r.err);
            desk_reply_free(&r);
            json_t *i = check(w, read_in(w, kinds[k], buf_view(&b)), "clear", NULL);
            AUTO_FREE char *shown = json_dumps(i, JSON_COMPACT);
            if (counted(i, "create") + counted(i, "change") + counted(i, "error") || (strcmp(kinds[k], "contract") != 0 && !counted(i, "same")))
                fail_msg("%s %s: %s", kinds[k], formats[f], shown);
            apply_must(w, i);
        }
    assert_int_equal(number(w, "SELECT count(*) FROM record_version"), versions);
    assert_true(number(w, "SELECT count(*) FROM audit WHERE action = 'registry.export'") == (int64_t)(COUNT(kinds) * COUNT(formats)));
}

static void who_sees_a_part_takes_out_that_part(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf b = { 0 };
    struct desk_reply r = { 0 };

    buf_init(&b, 0);
    must(desk_registry_export(w->desk, &w->registry, STR("object"), STR("csv"), NOW, &b, &r), &r.err);
    desk_reply_free(&r);
    assert_true(str_find(buf_view(&b), STR("state-register")) >= 0);
    assert_true(str_find(buf_view(&b), STR("city-portal")) < 0);
    assert_int_equal(desk_registry_export(w->desk, &w->registry, STR("person"), STR("csv"), NOW, &b, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(desk_registry_export(w->desk, &w->registry, STR("poem"), STR("csv"), NOW, &b, &r), -EINVAL);
    desk_reply_free(&r);
}

static void tables_that_are_none_are_refused_with_their_place(void **state)
{
    static const struct { const char *in, *story; } rows[] = {
        { "name;city\r\n\"open", "line 2, column 1" }, { "PK\x03\x04 no archive", "no whole XLSX" }, { "\xd0\xcf\x11\xe0 old", "old binary form" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk_reply r = { 0 };
        char id[65];

        upload(w, &w->admin, str_c(rows[i].in), "x", id);
        json_t *b = json_pack("{s:s, s:s}", "upload_id", id, "kind", "object");
        CHECK(rows[i].story, desk_import_read(w->desk, &w->admin, b, NOW, &r) == -EINVAL);
        assert_string_equal(r.field, "upload_id");
        CHECK(rows[i].story, strstr(r.err.text, rows[i].story) != NULL);
        desk_reply_free(&r);
        json_decref(b);
    }
    assert_int_equal(number(w, "SELECT count(*) FROM import_run"), 0);
}

static void what_a_dry_run_showed_is_forgotten_after_thirty_days(void **state)
{
    struct world *w = *state;
    struct err e;

    a_table_of_objects_is_shown_then_written_then_changes_nothing(state);
    assert_true(number(w, "SELECT count(*) FROM import_row") > 0);
    must(tables_tick(w->desk, NOW + IMPORT_KEPT_NS - NS_PER_HOUR, &e), &e);
    assert_true(number(w, "SELECT count(*) FROM import_row") > 0);
    for (int i = 0; i < 10; i++)
        must(tables_tick(w->desk, NOW + IMPORT_KEPT_NS + (i + 1) * NS_PER_DAY, &e), &e);
    assert_int_equal(number(w, "SELECT count(*) FROM import_row"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM import_run WHERE state = 'checked'"), 0);
    assert_true(number(w, "SELECT count(*) FROM import_run WHERE state = 'applied'") > 0);
}

/* many - a table of n new objects. */
static struct str many(struct buf *b, int n)
{
    buf_str(b, STR(OBJECTS));
    for (int i = 1; i <= n; i++)
        buf_printf(b, "Row %d;registry-centre;low;;row-%d;no;;\r\n", i, i);
    return buf_view(b);
}

struct pace {
    int rows, most, commits;
};

static void row_written(void *arg, int what, const char *db, const char *table, sqlite3_int64 rowid)
{
    struct pace *p = arg;

    (void)what;
    (void)db;
    (void)table;
    (void)rowid;
    p->rows++;
}

static int committed(void *arg)
{
    struct pace *p = arg;

    p->most = p->rows > p->most ? p->rows : p->most;
    p->rows = 0;
    p->commits++;
    return 0;
}

static void a_dry_run_holds_the_lock_for_some_rows_only(void **state)
{
    struct world *w = *state;
    struct pace pace = { 0 };
    AUTO_BUF struct buf b = { 0 };
    buf_init(&b, 0);
    json_t *i = read_in(w, "object", many(&b, 1000));

    /* import_row has no rowid, so the hook does not see it: the trigger's table does. */
    assert_int_equal(sqlite3_exec(w->desk->db, "CREATE TABLE seen (row INTEGER); CREATE TRIGGER see AFTER INSERT ON import_row BEGIN INSERT INTO seen VALUES"
                                               " (NEW.row); END", NULL, NULL, NULL), 0);
    sqlite3_update_hook(w->desk->db, row_written, &pace);
    sqlite3_commit_hook(w->desk->db, committed, &pace);
    i = check(w, i, NULL, NULL);
    sqlite3_update_hook(w->desk->db, NULL, NULL);
    sqlite3_commit_hook(w->desk->db, NULL, NULL);
    assert_int_equal(counted(i, "create"), 1000);
    assert_int_equal(number(w, "SELECT count(*) FROM seen"), 1000);
    assert_true(pace.most <= IMPORT_PIECE_ROWS && pace.commits >= 1000 / IMPORT_PIECE_ROWS);
    json_decref(i);
}

static int stop_now(void *arg)
{
    int *left = arg;

    return --*left == 0;
}

static void a_dry_run_that_is_killed_leaves_the_one_before(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf b = { 0 };
    struct desk_reply r = { 0 };
    int failed = 0;
    buf_init(&b, 0);
    json_t *i = check(w, read_in(w, "object", many(&b, 300)), NULL, NULL), *columns = json_incref(json_object_get(i, "columns")), *rows;

    for (int steps = 1; steps < 6000; steps += 199) {
        int left = steps;
        json_t *body = json_pack("{s:O}", "columns", columns);

        sqlite3_progress_handler(w->desk->db, 10, stop_now, &left);
        failed += desk_import_check(w->desk, &w->admin, json_get_str(i, "id"), body, NOW, &r) < 0;
        sqlite3_progress_handler(w->desk->db, 0, NULL, NULL);
        desk_reply_free(&r);
        json_decref(body);
        desk_reopen(w);
        /* Whatever was left half-way, what is shown is whole. */
        must(desk_import(w->desk, &w->admin, json_get_str(i, "id"), NOW, &r), &r.err);
        assert_int_equal(counted(r.json, "create"), 300);
        assert_string_equal(json_string_value(json_object_get(r.json, "state")), "checked");
        desk_reply_free(&r);
    }
    assert_true(failed > 5);
    rows = rows_of(w, i, "create");
    assert_int_equal(json_array_size(rows), 100);
    json_decref(rows);
    must(desk_import(w->desk, &w->admin, json_get_str(i, "id"), NOW, &r), &r.err);
    apply_must(w, r.json);
    assert_int_equal(number(w, "SELECT count(*) FROM object WHERE name LIKE 'Row %'"), 300);
    json_decref(columns);
    json_decref(i);
}

static void a_dry_run_that_ends_after_another_is_refused(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *i = check(w, read_in(w, "object", STR("id;city\r\nstate-register;Алматы\r\n")), NULL, NULL);
    json_t *body = json_pack("{s:O}", "columns", json_object_get(i, "columns"));

    /* Another one ends while this one writes its rows. */
    assert_int_equal(sqlite3_exec(w->desk->db, "CREATE TRIGGER other AFTER INSERT ON import_row BEGIN UPDATE import_run SET attempts = 9, checked = 9 WHERE"
                                               " id = NEW.run_id; END", NULL, NULL, NULL), 0);
    assert_int_equal(desk_import_check(w->desk, &w->admin, json_get_str(i, "id"), body, NOW, &r), -EEXIST);
    assert_string_equal(r.code, "conflict");
    assert_int_equal(number(w, "SELECT checked FROM import_run"), 9);
    json_decref(body);
    json_decref(i);
    desk_reply_free(&r);
}

static int64_t found(struct world *w, const char *words)
{
    struct registry_query q = { .q = str_c(words) };
    struct desk_reply r = { 0 };

    must(desk_registry_list(w->desk, &w->admin, RECORD_OBJECT, STR(""), &q, NOW, &r), &r.err);
    int64_t n = (int64_t)json_array_size(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return n;
}

static void the_search_follows_an_import_even_after_a_kill(void **state)
{
    struct world *w = *state;
    struct err e;
    AUTO_BUF struct buf b = { 0 };
    buf_init(&b, 0);
    json_t *i = check(w, read_in(w, "object", many(&b, 250)), NULL, NULL);

    /* Killed between the commit and the search. */
    assert_int_equal(sqlite3_exec(w->desk->db, "CREATE TRIGGER killed BEFORE DELETE ON search_waiting BEGIN SELECT RAISE(ROLLBACK, 'killed'); END", NULL, NULL,
                                  NULL), 0);
    apply_must(w, i);
    assert_int_equal(number(w, "SELECT count(*) FROM object WHERE name LIKE 'Row %'"), 250);
    assert_int_equal(number(w, "SELECT count(*) FROM search_waiting"), 250);
    assert_int_equal(sqlite3_exec(w->desk->db, "DROP TRIGGER killed", NULL, NULL, NULL), 0);
    desk_reopen(w);
    assert_int_equal(found(w, "row-217"), 0);
    for (int k = 0; k < 3; k++)
        must(tables_tick(w->desk, NOW + k, &e), &e);
    assert_int_equal(number(w, "SELECT count(*) FROM search_waiting"), 0);
    assert_int_equal(found(w, "row-217"), 1);
    apply_must(w, check(w, read_in(w, "object", STR(OBJECTS "Later row;registry-centre;low;;later-1;no;;\r\n")), NULL, NULL));
    assert_int_equal(found(w, "later-1"), 1);   /* without a kill, at once */
}

int main(void)
{
#define T(f, name) { name, f, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(a_table_of_objects_is_shown_then_written_then_changes_nothing, "a table of objects is shown, then written; the same table again changes nothing"),
        T(differences_are_shown_field_by_field, "differences are shown field by field; what no column names is kept"),
        T(a_unit_has_the_number_of_the_whole_and_is_told_by_its_name, "a unit has the number of the whole and is told by its name; the cell says what is ambiguous"),
        T(each_wrong_cell_has_its_place_code_and_words, "each wrong cell has its place, code and words"),
        T(a_table_excludes_no_object, "R-4-03 R-4-05 a table excludes no object: the cell says that it takes a request and two persons"),
        T(nothing_is_written_that_was_not_shown, "nothing is written that was not shown, and not half of it"),
        T(an_empty_cell_empties_a_field_only_when_asked, "an empty cell empties a field only when asked to"),
        T(a_mapping_is_kept_under_its_name, "a mapping is kept under its name"),
        T(what_is_taken_out_comes_back_unchanged, "what is taken out as CSV or XLSX comes back unchanged, every kind of record"),
        T(who_sees_a_part_takes_out_that_part, "who sees a part of the registry takes out that part"),
        T(what_a_dry_run_showed_is_forgotten_after_thirty_days, "what a dry run showed is forgotten after thirty days; that it was, stays"),
        T(a_dry_run_holds_the_lock_for_some_rows_only, "a dry run holds the write lock for some rows at a time"),
        T(a_dry_run_that_is_killed_leaves_the_one_before, "a dry run that is killed at any step leaves the one before, whole"),
        T(a_dry_run_that_ends_after_another_is_refused, "a dry run that ends after another is refused"),
        T(the_search_follows_an_import_even_after_a_kill, "the search follows an import at once, after a kill with the next ticks"),
        T(tables_that_are_none_are_refused_with_their_place, "tables that are none are refused with their place"),
    };

    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
