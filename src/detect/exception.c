/* exception.c - see exception.h. A value is taken as it stands: what Sigma would read as a wildcard is escaped, unless a modifier reads it otherwise. */
#include "detect/exception.h"

#include <unistd.h>

#include "base/file.h"
#include "base/yaml.h"
#include "detect/hunt.h"
#include "journal/journal.h"
#include "parse/parse.h"

#define PROBE     "saqshy-exception-preview"
#define VALUE_MAX 4096

/* --- writing one --- */

static bool plain_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n <= VALUE_MAX && str_utf8_valid(s);
}

/* quoted - in YAML's single quotes. */
static void quoted(struct buf *b, struct str s, bool escape)
{
    buf_byte(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (escape && (s.p[i] == '\\' || s.p[i] == '*' || s.p[i] == '?'))
            buf_byte(b, '\\');
        if (s.p[i] == '\'')
            buf_byte(b, '\'');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '\'');
}

/* verbatim - the value of such a field is no text with wildcards. */
static bool verbatim(struct str field)
{
    static const struct str modifiers[] = { STR_INIT("|re"), STR_INIT("|cidr"), STR_INIT("|lt"), STR_INIT("|gt"), STR_INIT("|exists"), STR_INIT("|fieldref") };

    for (size_t i = 0; i < COUNT(modifiers); i++)
        if (str_find(field, modifiers[i]) >= 0)
            return true;
    return false;
}

/* put_selection - a field that is named several times has any of its values. */
static void put_selection(const struct exception *x, struct buf *b)
{
    buf_str(b, STR("  selection:\n"));
    for (size_t i = 0; i < x->where_count; i++) {
        bool first = true;

        for (size_t k = 0; k < i; k++)
            first = first && !str_eq(x->where[k].field, x->where[i].field);
        if (!first)
            continue;
        buf_str(b, STR("    "));
        quoted(b, x->where[i].field, false);
        buf_str(b, STR(": ["));
        for (size_t k = i; k < x->where_count; k++) {
            if (!str_eq(x->where[k].field, x->where[i].field))
                continue;
            if (k > i)
                buf_str(b, STR(", "));
            quoted(b, x->where[k].value, !verbatim(x->where[k].field));
        }
        buf_str(b, STR("]\n"));
    }
}

static void put_source(const struct sigma *set, const struct sigma_rule *r, struct buf *b)
{
    struct str text[3];
    static const char *const names[] = { "product", "category", "service" };
    bool any = false;

    sigma_rule_source(set, r, &text[0], &text[1], &text[2]);
    buf_str(b, STR("logsource: {"));
    for (int i = 0; i < 3; i++) {
        if (!text[i].n)
            continue;
        buf_printf(b, "%s%s: ", any ? ", " : "", names[i]);
        quoted(b, text[i], false);
        any = true;
    }
    buf_str(b, STR("}\n"));
}

static void put_body(const struct sigma *set, const struct sigma_rule *r, const struct exception *x, struct buf *b)
{
    char until[TIME_TEXT_MAX];

    put_source(set, r, b);
    buf_str(b, STR("filter:\n  rules: ["));
    quoted(b, r->id, false);
    buf_str(b, STR("]\n"));
    put_selection(x, b);
    buf_str(b, STR("  condition: not selection\nsaqshy:\n  author: "));
    quoted(b, x->author, false);
    buf_str(b, STR("\n  reason: "));
    quoted(b, x->reason, false);
    buf_printf(b, "\n  expires: '%s'\n", time_format_utc(x->expires, until));
    if (x->object.n) {
        buf_str(b, STR("  scope: {objects: ["));
        quoted(b, x->object, false);
        buf_str(b, STR("]}\n"));
    }
}

static void put_title(const struct sigma_rule *r, const struct exception *x, struct buf *b)
{
    AUTO_BUF struct buf t;

    buf_init(&t, 64 * KIB);
    if (x->title.n)
        buf_str(&t, x->title);
    else
        buf_printf(&t, "%.*s: except", STR_ARG(r->title));
    for (size_t i = 0; i < x->where_count && !x->title.n; i++)
        buf_printf(&t, "%s%.*s=%.*s", i ? ", " : " ", STR_ARG(x->where[i].field), STR_ARG(x->where[i].value));
    quoted(b, buf_view(&t), false);
}

/* part_of - the value of such a field is a part of the event's. */
static bool part_of(struct str field)
{
    static const struct str modifiers[] = { STR_INIT("|contains"), STR_INIT("|startswith"), STR_INIT("|endswith"), STR_INIT("|re") };
    bool part = false;

    for (size_t i = 0; i < COUNT(modifiers); i++)
        part = part || str_find(field, modifiers[i]) >= 0;
    return part;
}

/* check - the texts can stand in a file, and nothing is missing. */
static int check(const struct exception *x, struct err *e)
{
    const struct { struct str text; const char *name; bool needed; } rows[] = {
        { x->title, "the title", false }, { x->rule, "the rule", true }, { x->author, "the author", true }, { x->reason, "the reason", true },
        { x->object, "the object", false },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].needed && rows[i].text.n == 0)
            return err_set(e, -EINVAL, "%s is missing", rows[i].name);
        if (!plain_text(rows[i].text))
            return err_set(e, -EINVAL, "%s must be one line of text, of %d bytes at most", rows[i].name, VALUE_MAX);
    }
    if (x->where_count == 0 || x->where_count > EXCEPTION_WHERE_MAX)
        return err_set(e, -EINVAL, "what is excepted is missing: from 1 to %d fields with their values", EXCEPTION_WHERE_MAX);
    for (size_t i = 0; i < x->where_count; i++)
        if (x->where[i].value.n == 0 && part_of(x->where[i].field))
            return err_set(e, -EINVAL, "\"%.*s\": an empty text stands in every value, so everything would be excepted", STR_ARG(x->where[i].field));
    for (size_t i = 0; i < x->where_count; i++)
        if (!x->where[i].field.n || !plain_text(x->where[i].field) || !plain_text(x->where[i].value))
            return err_set(e, -EINVAL, "\"%.*s\": a field and its value are one line of text", STR_ARG(x->where[i].field));
    return x->expires > 0 ? 0 : err_set(e, -EINVAL, "the day when it expires is missing");
}

/* loads - the text is a filter that the engine takes. */
static int loads(struct str text, struct err *e)
{
    const struct sigma_source src = { STR("new/exceptions/this"), text };
    struct sigma *s = NULL;
    int rc = sigma_compile(&src, 1, &s, e);

    if (rc == 0 && sigma_refusal_count(s))
        rc = err_set(e, -EINVAL, "%.*s", STR_ARG(sigma_refusal_at(s, 0)->reason));
    sigma_free(&s);
    return rc;
}

int exception_text(const struct sigma *set, const struct exception *x, struct buf *out, char id[EXCEPTION_ID_MAX], struct err *e)
{
    const struct sigma_rule *r = sigma_rule_named(set, x->rule);
    AUTO_BUF struct buf body;
    int rc = check(x, e);

    buf_init(&body, MIB);
    if (rc == 0 && !r)
        rc = err_set(e, -ENOENT, "there is no rule \"%.*s\"", STR_ARG(x->rule));
    if (rc == 0 && r->correlation)
        rc = err_set(e, -EINVAL, "\"%.*s\" is a correlation, which is not filtered: except from the rules that it reads", STR_ARG(r->title));
    if (rc < 0)
        return rc;
    put_body(set, r, x, &body);
    uint64_t high = str_hash(buf_view(&body)), low = high;
    buf_str(&body, r->id);
    low ^= str_hash(buf_view(&body)) * UINT64_C(0x9E3779B97F4A7C15);
    body.n -= r->id.n;
    snprintf(id, EXCEPTION_ID_MAX, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
             (unsigned)(low >> 48 & 0x3fff) | 0x8000u, (unsigned long long)(low & UINT64_C(0xffffffffffff)));
    buf_str(out, STR("title: "));
    put_title(r, x, out);
    buf_printf(out, "\nid: %s\n", id);
    buf_str(out, buf_view(&body));
    if (buf_failed(out) || buf_failed(&body))
        return err_set(e, -ENOMEM, "no memory for an exception");
    return loads(buf_view(out), e);
}

int exception_write(const char *folder, const char *id, struct str text, char path[4096], struct err *e)
{
    int rc = file_mkdirs(folder, 0750, e);

    if (rc < 0)
        return rc;
    if (snprintf(path, 4096, "%s/%s.yml", folder, id) >= 4096)
        return err_set(e, -ENAMETOOLONG, "the name of the folder is too long");
    if (file_exists(path))
        return err_set(e, -EEXIST, "\"%s\" is there already: the same exception", path);
    return file_write_atomic(path, text, 0640, e);
}

/* --- the preview --- */

/* add_folder - the files below a path. */
static int add_folder(const char *path, struct arena *a, struct sigma_source *src, size_t *n, struct err *e)
{
    struct str *files;
    size_t count;
    int rc = sigma_files(path, a, &files, &count, e);

    for (size_t i = 0; i < count && rc == 0; i++) {
        AUTO_BUF struct buf b;

        buf_init(&b, YAML_BYTES_MAX + 128 * KIB);
        if (*n == SIGMA_FILES_MAX)
            return err_set(e, -E2BIG, "more than %d files of rules", SIGMA_FILES_MAX);
        if (file_read(files[i].p, YAML_BYTES_MAX, &b, NULL) < 0)
            continue;   /* what cannot be read is told where rules are loaded */
        src[(*n)++] = (struct sigma_source){ files[i], arena_copy(a, buf_view(&b)) };
    }
    return rc;
}

/* probe_text - the exception as a rule: what it would except, matches. */
static void probe_text(const struct sigma *set, const struct sigma_rule *r, const struct exception *x, struct buf *b)
{
    buf_str(b, STR("title: preview\nid: " PROBE "\n"));
    put_source(set, r, b);
    buf_str(b, STR("detection:\n"));
    put_selection(x, b);
    buf_str(b, STR("  condition: selection\n"));
    buf_byte(b, 0);
    b->n--;
}

struct judging {
    const struct exception   *x;
    struct str                rule;      /* its id */
    struct sigma             *set;
    struct sigma_run         *run;
    struct parser            *parser;
    struct event_batch        batch;
    exception_seen           *seen;
    void                     *arg;
    struct exception_preview *out;
};

/* compile_probe - pipelines and rules as they are, and the exception as one rule more. */
static int compile_probe(const struct exception_places *where, struct judging *j, struct err *e)
{
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf probe;
    AUTO_FREE struct sigma_source *src = calloc(SIGMA_FILES_MAX + 1, sizeof *src);
    struct sigma *rules = NULL;
    const struct sigma_rule *r;
    size_t n = 0;
    int rc = src ? 0 : err_set(e, -ENOMEM, "no memory for the rules");

    arena_init(&a, 512u * MIB);
    buf_init(&probe, MIB);
    for (size_t i = 0; i < where->rule_count && rc == 0; i++)
        rc = add_folder(where->rules[i], &a, src, &n, e);
    if (rc == 0)
        rc = sigma_compile(src, n, &rules, e);
    if (rc < 0)
        return rc;
    r = sigma_rule_named(rules, j->x->rule);
    if (r)
        probe_text(rules, r, j->x, &probe);
    if (r)
        j->rule = arena_copy(&j->batch.arena, r->id);
    sigma_free(&rules);
    if (!r)
        return err_set(e, -ENOENT, "there is no rule \"%.*s\"", STR_ARG(j->x->rule));
    src[n] = (struct sigma_source){ STR("preview"), buf_view(&probe) };
    rc = sigma_compile(src, n + 1, &j->set, e);
    return rc < 0 ? rc : sigma_run_new(j->set, false, &j->run, e);
}

/* event_of - the event behind a finding: its line read again, and what the finding says of it. */
static struct event *event_of(struct judging *j, const struct event *f, struct err *e)
{
    struct parse_hints hints = { .received = f->received, .zone_min = 0, .source = f->source };
    struct event *ev = event_batch_add(&j->batch);

    if (!ev)
        return NULL;
    if (f->original.n && *f->original.p == '{' && hunt_json_event(f->original, &j->batch, e) == 0)
        ev = &j->batch.items[j->batch.count - 1];
    else if (f->original.n)
        parse_line(j->parser, f->original, &hints, &j->batch.arena, ev);
    ev->time = ev->received = f->received;
    ev->object = f->object;
    ev->class = f->class;
    for (uint32_t i = 0; i < f->field_count; i++)
        if (!event_get(ev, f->fields[i].name).n && !str_starts(f->fields[i].name, STR("rule.")) &&
            event_add(ev, &j->batch.arena, f->fields[i].name, f->fields[i].value) < 0)
            break;
    return ev;
}

/* says_enough - the fields of the exception stand in the finding, or its event can be read again. */
static bool says_enough(const struct judging *j, const struct event *f)
{
    for (size_t i = 0; i < j->x->where_count && !f->original.n; i++) {
        struct str field = j->x->where[i].field;
        ptrdiff_t bar = str_chr(field, '|');

        if (!event_get(f, str_of(field.p, bar < 0 ? field.n : (size_t)bar)).n)
            return false;
    }
    return true;
}

static int judge(struct judging *j, const struct event *f, struct err *e)
{
    const struct sigma_match *m;
    struct event *ev;
    uint64_t hits = 1;
    int n;

    if (!str_eq(event_get(f, STR("rule.id")), j->rule) || (j->x->object.n && !str_eq(j->x->object, f->object)))
        return 0;
    if (!str_u64(event_get(f, STR("saqshy.hits")), &hits))
        hits = 1;
    j->out->findings++;
    j->out->hits += hits;
    j->out->since = j->out->since ? j->out->since : f->time;
    if (!says_enough(j, f)) {
        j->out->unknown++;
        return 0;
    }
    event_batch_reset(&j->batch);
    ev = event_of(j, f, e);
    n = ev ? sigma_run_event(j->run, ev, true, &m, e) : -ENOMEM;
    for (int i = 0; i < n; i++)
        if (str_eq(m[i].rule->id, STR(PROBE))) {
            j->out->removed++;
            j->out->removed_hits += hits;
            return j->seen ? j->seen(j->arg, f) : 0;
        }
    return n < 0 ? n : 0;
}

static int judge_all(const struct exception_places *where, struct judging *j, struct err *e)
{
    struct journal_reader *r = NULL;
    struct event_batch found;
    int n, rc = journal_reader_open(where->findings, 0, &r, e);

    event_batch_init(&found, 0);
    while (rc == 0 && j->out->complete && (n = journal_reader_next(r, &found, NULL, e)) != 0) {
        if (n < 0 && n != -EBADMSG)   /* damage is told by who takes the findings */
            rc = n;
        for (int i = 0; i < n && rc == 0 && j->out->complete; i++) {
            rc = judge(j, &found.items[i], e);
            j->out->until = found.items[i].time;
            j->out->complete = !where->deadline_steady || clock_steady() < where->deadline_steady;
        }
    }
    journal_reader_close(&r);
    event_batch_free(&found);
    return rc;
}

int exception_preview(const struct exception_places *where, const struct exception *x, exception_seen *seen, void *arg, struct exception_preview *out,
                      struct err *e)
{
    struct judging j = { .x = x, .seen = seen, .arg = arg, .out = out };
    AUTO_BUF struct buf rule;
    int rc;

    *out = (struct exception_preview){ .complete = true };
    buf_init(&rule, YAML_BYTES_MAX);
    event_batch_init(&j.batch, 0);
    rc = compile_probe(where, &j, e);
    buf_str(&rule, j.rule);
    j.rule = buf_view(&rule);   /* the batch is emptied for each finding */
    if (rc == 0)
        rc = parse_new(where->content, 0, &j.parser, e);
    if (rc == 0)
        rc = judge_all(where, &j, e);
    parse_free(&j.parser);
    sigma_run_free(&j.run);
    sigma_free(&j.set);
    event_batch_free(&j.batch);
    return rc;
}

/* --- how wide --- */

/* Values that have nothing in common: what holds for all of one kind holds for any. */
static const char *const any_text[] = { "a", "0", "Zz_9-/\\.x", "\xd2\x9b\xd0\xb0\xd0\xb7", "203.0.113.9", " ", "svchost.exe -k netsvcs" };
static const char *const any_number[] = { "0", "-99999", "17", "4294967296", "3.5" };
static const char *const any_address[] = { "0.0.0.1", "203.0.113.9", "255.255.255.254", "127.0.0.1", "98.7.6.5" };
static const struct { const char *const *values; size_t count; } kinds[] = { { any_text, COUNT(any_text) }, { any_number, COUNT(any_number) }, { any_address, COUNT(any_address) } };

/* holds_for - the conditions hold for each of these values. */
static int holds_for(struct sigma_run *run, struct str field, size_t kind, struct err *e)
{
    const struct sigma_match *m;
    struct event_batch b;
    int n = 1;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < kinds[kind].count && n > 0; i++) {
        struct event *ev;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        n = ev ? event_add(ev, &b.arena, field, str_c(kinds[kind].values[i])) : -ENOMEM;
        n = n < 0 ? err_set(e, -ENOMEM, "no memory for an exception") : sigma_run_event(run, ev, true, &m, e);
    }
    event_batch_free(&b);
    return n < 0 ? n : n > 0;
}

/* field_wide - whatever stands in the field of this condition, one of the values that are named with it holds. */
static int field_wide(const struct exception *x, const struct exception_where *w, struct err *e)
{
    struct exception one = { .where_count = 0 };
    ptrdiff_t bar = str_chr(w->field, '|');
    struct sigma_run *run = NULL;
    struct sigma *set = NULL;
    AUTO_BUF struct buf text;
    int rc, wide = 0;

    for (size_t i = 0; i < x->where_count; i++)
        if (str_eq(x->where[i].field, w->field))
            one.where[one.where_count++] = x->where[i];
    buf_init(&text, MIB);
    buf_str(&text, STR("title: wide\nlogsource: {}\ndetection:\n"));
    put_selection(&one, &text);
    buf_str(&text, STR("  condition: selection\n"));
    const struct sigma_source src = { STR("wide"), buf_view(&text) };
    rc = sigma_compile(&src, 1, &set, e);
    if (rc == 0)
        rc = sigma_run_new(set, false, &run, e);
    for (size_t i = 0; i < COUNT(kinds) && rc == 0 && wide == 0; i++)
        wide = holds_for(run, str_of(w->field.p, bar < 0 ? w->field.n : (size_t)bar), i, e);
    sigma_run_free(&run);
    sigma_free(&set);
    return rc < 0 ? rc : wide;
}

int exception_wide(const struct exception *x, struct err *e)
{
    int wide = x->where_count > 0;

    for (size_t i = 0; i < x->where_count && wide > 0; i++)
        wide = field_wide(x, &x->where[i], e);
    return wide;
}

/* --- told to the desk --- */

static void put_list(struct buf *b, const char *key, const struct sigma_texts *list)
{
    buf_printf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, list->items[i]);
    }
    buf_byte(b, ']');
}

static void put_exception(const struct sigma_exception *x, time_ns at, struct buf *b)
{
    const struct { const char *key; struct str text; } rows[] = {
        { "{\"id\":", x->id }, { ",\"title\":", x->title }, { ",\"file\":", x->file }, { ",\"author\":", x->author }, { ",\"reason\":", x->reason },
    };
    char until[TIME_TEXT_MAX];

    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_str(b, str_c(rows[i].key));
        buf_json(b, rows[i].text);
    }
    buf_printf(b, ",\"line\":%d,\"expires\":", x->line);
    if (x->expires)
        buf_printf(b, "\"%s\"", time_format_utc(x->expires, until));
    else
        buf_str(b, STR("null"));
    buf_printf(b, ",\"state\":\"%s\"", x->expires && at >= x->expires ? "expired" : "active");
    put_list(b, "objects", &x->objects);
    put_list(b, "rules", &x->rules);
    buf_byte(b, '}');
}

void exceptions_json(const struct sigma *set, time_ns at, struct buf *out)
{
    char text[TIME_TEXT_MAX];

    buf_printf(out, "{\"at\":\"%s\",\"exceptions\":[", time_format_utc(at, text));
    for (size_t i = 0; i < sigma_exception_count(set); i++) {
        struct sigma_exception x = sigma_exception_at(set, i);

        if (i)
            buf_byte(out, ',');
        put_exception(&x, at, out);
    }
    buf_str(out, STR("]}\n"));
}
