/* classify.c - see classify.h. The pack is a set of rules like any other. Of an event it is only asked which codes its rules give together, and most of
 * them compare fields with a few words: the answer is remembered by those (verdict.h). */
#include "sigma/classify.h"
#include "base/file.h"
#include "sigma/internal.h"
#include "sigma/verdict.h"

#include <sys/stat.h>

#define FOLDER_MAX 4096

struct classify {
    char              folder[CLASSIFY_PATHS][FOLDER_MAX];   /* of rules; one may not be there yet */
    size_t            folders;
    uint64_t          files;      /* a hash over their names, sizes and times */
    struct sigma     *rules;
    struct verdicts  *verdicts;
    uint64_t         *codes;      /* of each rule */
};

/* --- codes --- */

uint64_t classify_bit(struct str code)
{
    char z[8];
    int type;

    if (code.n > sizeof z)
        return 0;
    for (size_t i = 0; i < code.n; i++)
        z[i] = (char)(code.p[i] >= 'a' && code.p[i] <= 'z' ? code.p[i] - 32 : code.p[i]);
    type = event_type(str_of(z, code.n));
    return type < 0 ? 0 : UINT64_C(1) << type;
}

uint64_t classify_said(const struct event *ev)
{
    const struct str name = STR("saqshy.types");
    uint64_t all = 0;

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (ev->fields[i].name.n == name.n && memcmp(ev->fields[i].name.p, name.p, name.n) == 0)
            all |= classify_bit(ev->fields[i].value);
    return all;
}

uint64_t classify_of_rule(const struct sigma_rule *r)
{
    uint64_t all = 0;

    for (size_t i = 0; i < r->tags.count; i++) {
        struct str tag = r->tags.items[i];

        if (str_starts(tag, STR(CLASSIFY_TAG)))
            all |= classify_bit(str_cut(tag, strlen(CLASSIFY_TAG)));
        else if (str_starts(tag, STR("saqshy.")))
            all |= classify_bit(str_cut(tag, strlen("saqshy.")));
    }
    return all;
}

bool classify_file(struct str rules, struct str file)
{
    struct str below = str_starts(file, rules) ? str_cut(file, rules.n) : (struct str){ NULL, 0 };

    while (str_starts(below, STR("/")))
        below = str_cut(below, 1);
    return str_starts(below, STR(CLASSIFY_FOLDER "/"));
}

/* --- the pack --- */

/* hash_files - over what a change of a file changes; folders that are not there count as empty. */
static uint64_t hash_files(const struct classify *c)
{
    AUTO_BUF struct buf all;
    struct arena a;

    arena_init(&a, 0);
    buf_init(&all, 0);
    for (size_t i = 0; i < c->folders; i++) {
        struct str *files = NULL;
        size_t n = 0;

        if (sigma_files(c->folder[i], &a, &files, &n, NULL) < 0)
            continue;
        for (size_t k = 0; k < n; k++) {
            struct stat st = { 0 };

            (void)stat(files[k].p, &st);
            buf_str(&all, files[k]);
            buf_printf(&all, "\n%lld %lld.%09ld\n", (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        }
    }
    arena_free(&a);
    return str_hash(buf_view(&all));
}

/* pipeline_in - the file holds a pipeline: what its rules call fields and whom they mean holds for the pack too. */
static bool pipeline_in(struct str text)
{
    return str_starts(text, STR("vars:")) || str_starts(text, STR("transformations:")) || str_find(text, STR("\nvars:")) >= 0 ||
           str_find(text, STR("\ntransformations:")) >= 0;
}

/* What is compiled: files of the pack and of pipelines. */
struct pack {
    struct arena         arena;
    struct sigma_source *files;
    size_t               count;
};

static int gather(const struct classify *c, size_t folder, struct pack *p, struct err *e)
{
    struct str root = str_c(c->folder[folder]), *files = NULL;
    struct sigma_source *all;
    AUTO_BUF struct buf text;
    size_t n = 0;
    int rc;

    buf_init(&text, YAML_BYTES_MAX + 128 * KIB);
    if (!file_exists(c->folder[folder]))
        return 0;
    rc = sigma_files(c->folder[folder], &p->arena, &files, &n, e);
    all = rc == 0 ? realloc(p->files, (p->count + n + 1) * sizeof *all) : NULL;
    if (!all)
        return rc < 0 ? rc : err_set(e, -ENOMEM, "no memory for the rules of event types");
    p->files = all;
    for (size_t i = 0; i < n; i++) {
        if (file_read(files[i].p, YAML_BYTES_MAX, &text, NULL) < 0 || (!classify_file(root, files[i]) && !pipeline_in(buf_view(&text))))
            continue;
        p->files[p->count] = (struct sigma_source){ files[i], arena_copy(&p->arena, buf_view(&text)) };
        if (!p->files[p->count++].text.p)
            return err_set(e, -ENOMEM, "no memory for the rules of event types");
    }
    return 0;
}

/* compile - the packs as they are on disk now; a file that cannot be read is as one that is not there. */
static int compile(const struct classify *c, struct sigma **out, struct err *e)
{
    struct pack p = { .count = 0 };
    int rc = 0;

    arena_init(&p.arena, 0);
    for (size_t i = 0; i < c->folders && rc == 0; i++)
        rc = gather(c, i, &p, e);
    if (rc == 0)
        rc = sigma_compile(p.files, p.count, out, e);
    arena_free(&p.arena);
    free(p.files);
    return rc;
}

/* types_of - the codes that a rule of the pack gives. */
static uint64_t types_of(const struct sigma_rule *r)
{
    for (size_t i = 0; i < r->tags.count && !r->correlation; i++)
        if (str_starts(r->tags.items[i], STR(CLASSIFY_TAG)))
            return classify_of_rule(r);
    return 0;
}

static int load(struct classify *c, struct err *e)
{
    struct sigma *rules = NULL;
    struct verdicts *verdicts = NULL;
    uint64_t *each = NULL;
    int rc = compile(c, &rules, e);

    if (rc == 0 && !(each = calloc(sigma_rule_count(rules) + 1, sizeof *each)))
        rc = err_set(e, -ENOMEM, "no memory for the rules of event types");
    for (size_t i = 0; rc == 0 && i < sigma_rule_count(rules); i++)
        each[i] = types_of(sigma_rule_at(rules, i));
    if (rc == 0)
        rc = verdicts_new(rules, each, &verdicts, e);
    if (rc < 0) {
        free(each);
        sigma_free(&rules);
        return rc;
    }
    verdicts_free(&c->verdicts);
    sigma_free(&c->rules);
    free(c->codes);
    c->rules = rules;
    c->verdicts = verdicts;
    c->codes = each;
    return 0;
}

int classify_open(const char *const *rules, size_t count, struct classify **out, struct err *e)
{
    struct classify *c = calloc(1, sizeof *c);
    int rc = 0;

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the rules of event types");
    for (size_t i = 0; i < count && c->folders < CLASSIFY_PATHS; i++) {
        int n = snprintf(c->folder[c->folders], FOLDER_MAX, "%s", rules[i]);

        c->folders += n > 0 && n < FOLDER_MAX;
    }
    c->files = hash_files(c);
    rc = load(c, e);
    if (rc < 0)
        classify_close(&c);
    *out = c;
    return rc;
}

void classify_close(struct classify **cp)
{
    struct classify *c = *cp;

    if (!c)
        return;
    verdicts_free(&c->verdicts);
    sigma_free(&c->rules);
    free(c->codes);
    free(c);
    *cp = NULL;
}

bool classify_changed(const struct classify *c) { return c && hash_files(c) != c->files; }

int classify_refresh(struct classify *c, struct err *e)
{
    uint64_t now = hash_files(c);
    int rc;

    if (now == c->files)
        return 0;
    rc = load(c, e);
    if (rc < 0)
        return rc;
    c->files = now;
    return 1;
}

const struct sigma *classify_rules(const struct classify *c) { return c->rules; }

/* --- events --- */

int classify_event(struct classify *c, struct event *ev, struct arena *a, uint64_t *added, struct err *e)
{
    uint64_t said, found, fresh;
    int rc;

    if (added)
        *added = 0;
    if (!c || sigma_rule_count(c->rules) == 0)
        return 0;
    said = classify_said(ev);
    rc = verdicts_event(c->verdicts, ev, said, &found, e);
    if (rc < 0)
        return rc;
    fresh = found & ~said;
    for (uint64_t left = fresh; left; left &= left - 1) {
        rc = event_add(ev, a, STR("saqshy.types"), event_types[__builtin_ctzll(left)]);

        if (rc == -ENOMEM)
            return err_set(e, rc, "no memory for the types of an event");
        if (rc < 0)
            fresh &= ~(left & -left);
    }
    if (added)
        *added = fresh;
    return 0;
}

int classify_batch(struct classify *c, struct event_batch *b, struct err *e)
{
    int rc = 0;

    if (!c)
        return 0;
    verdicts_batch(c->verdicts, true);
    for (size_t i = 0; i < b->count && rc == 0; i++)
        if (!str_eq(b->items[i].parser, STR(EVENT_PARSER_FACTS)))
            rc = classify_event(c, &b->items[i], &b->arena, NULL, e);
    verdicts_batch(c->verdicts, false);
    return rc;
}
