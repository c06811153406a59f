/* cmd_deadline.c - saqshy deadline OBLIGATION --from TIME: when it falls due, and the arithmetic; of a frequency, its plan of a year.
 * Exit codes: 0 answered, 1 no answer (no calendar for a year, a frequency without --year), 2 usage or configuration. */
#include "base/node.h"
#include "bin/bin.h"
#include "duty/duty.h"

#include <getopt.h>

int cmd_deadline(int argc, char **argv);

static const char usage[] =
    "usage: saqshy deadline OBLIGATION --from TIME [--edition ID] [--json] [--lang kk|ru|en] [--zone NAME]\n"
    "       saqshy deadline FREQUENCY --year YEAR [--from DATE] [--json] …\n"
    "       saqshy deadline --list [--edition ID] [--json]\n"
    "\n"
    "When an obligation under the Rules falls due, and the arithmetic.\n"
    "  OBLIGATION     D-01 to D-31; N-01 to N-11, for which the Rules name no time\n"
    "  FREQUENCY      F-01 to F-06\n"
    "  --from TIME    a date (2026-03-19) or a moment (2026-03-20T23:50+05:00); without an offset: local time\n"
    "  --year YEAR    how often in that year; with --from for an object that is monitored since then\n"
    "  --edition ID   the legal edition, kz-52-2025 if not given\n"
    "  --json         {id,from,due,nominal,unit,paragraph,arithmetic[],…}\n"
    "  --lang LANG    kk, ru or en; otherwise from LANG, otherwise en\n"
    "  --zone NAME    time zone, Asia/Almaty if not given\n"
    "  --list         every obligation and frequency, who owes it to whom, and what fulfils it\n";

struct options {
    const char *obligation, *from, *zone, *edition;
    int32_t     year; /* 0: none */
    enum lang   lang;
    bool        json, list;
};

static bool parse_year(const char *text, int32_t *year)
{
    uint64_t n = 0;

    if (!str_u64(str_c(text), &n) || n < 1900 || n > 2200) {
        fprintf(stderr, "saqshy: deadline: --year is a year such as 2026, not \"%s\"\n", text);
        return false;
    }
    *year = (int32_t)n;
    return true;
}

/* parse_options - 0, or an exit code + 1 when the work is done or cannot be. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "from", required_argument, NULL, 'f' }, { "json", no_argument, NULL, 'j' },
        { "lang", required_argument, NULL, 'l' }, { "zone", required_argument, NULL, 'z' },
        { "list", no_argument, NULL, 'L' },       { "help", no_argument, NULL, 'h' },
        { "year", required_argument, NULL, 'y' }, { "edition", required_argument, NULL, 'e' },
        { 0 }
    };
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'f': o->from = optarg; break;
        case 'j': o->json = true; break;
        case 'z': o->zone = optarg; break;
        case 'L': o->list = true; break;
        case 'e': o->edition = optarg; break;
        case 'y':
            if (!parse_year(optarg, &o->year))
                return 3;
            break;
        case 'l':
            if (strcmp(optarg, "kk") && strcmp(optarg, "ru") && strcmp(optarg, "en")) {
                fprintf(stderr, "saqshy: deadline: --lang is kk, ru or en, not \"%s\"\n", optarg);
                return 3;
            }
            o->lang = lang_parse(str_c(optarg), LANG_EN);
            break;
        case 'h': fputs(usage, stdout); return 1;
        default: fputs(usage, stderr); return 3;
        }
    }
    if (!o->list && optind + 1 == argc)
        o->obligation = argv[optind];
    if (o->list ? optind != argc : !o->obligation || (!o->from && !o->year)) {
        fputs(usage, stderr);
        return 3;
    }
    return 0;
}

static void print_actors(const struct actor *const *actors, size_t count, enum lang lang)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%.*s", i ? " / " : "", STR_ARG(actors[i]->name.text[lang]));
}

static void put_texts(struct buf *b, const char *head, const struct str *list, size_t n)
{
    buf_str(b, str_c(head));
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, list[i]);
    }
    buf_byte(b, ']');
}

static void put_actors(struct buf *b, const char *head, const struct actor *const *list, size_t n)
{
    struct str ids[EDITION_ACTORS_MAX];

    for (size_t i = 0; i < n; i++)
        ids[i] = list[i]->id;
    put_texts(b, head, ids, n);
}

static void put_set(struct buf *b, const char *head, unsigned set, const char *(*name)(unsigned))
{
    struct str names[8];
    size_t n = 0;

    for (unsigned bit = 1; bit <= 4; bit <<= 1)
        if (set & bit)
            names[n++] = str_c(name(bit));
    put_texts(b, head, names, n);
}

static void print_list(const struct duty_world *w, const struct options *o)
{
    for (size_t i = 0; i < w->edition->obligation_count; i++) {
        const struct obligation *d = &w->edition->obligations[i];

        if (o->json) {
            AUTO_BUF struct buf b;

            buf_init(&b, 0);
            buf_printf(&b, "{\"id\":\"%.*s\",\"paragraph\":\"%.*s\",\"amount\":%d,\"unit\":\"%s\",\"from\":",
                       STR_ARG(d->id), STR_ARG(d->paragraph), d->amount, duty_unit_name(d->unit));
            buf_json(&b, d->from ? d->from->id : STR(""));
            buf_str(&b, STR(",\"title\":"));
            buf_json(&b, d->title.text[o->lang]);
            put_actors(&b, ",\"by\":[", d->by, d->by_count);
            put_actors(&b, ",\"to\":[", d->to, d->to_count);
            put_texts(&b, ",\"fulfilled_by\":[", d->facts, d->fact_count);
            put_texts(&b, ",\"parallel\":[", d->parallel, d->parallel_count);
            put_set(&b, ",\"channels\":[", d->channels, duty_channel_name);
            put_set(&b, ",\"work\":[", d->work, duty_work_name);
            buf_printf(&b, ",\"annex\":%d,\"main\":%d,\"control\":%d,\"lawful\":%s,\"on_late\":", d->annex, d->main_count, d->control_count,
                       obligation_lawful(d) ? "true" : "false");
            buf_json(&b, d->on_late.n ? d->on_late : STR(""));
            buf_str(&b, STR(",\"reading\":"));
            buf_json(&b, d->reading.n ? d->reading : STR(""));
            printf("%.*s}\n", (int)b.n, b.p);
        } else {
            printf("%-5.*s %-16.*s %5d %-14s %.*s\n", STR_ARG(d->id), STR_ARG(d->paragraph), d->amount,
                   duty_unit_name(d->unit), STR_ARG(d->title.text[o->lang]));
        }
    }
}

/* pad - spaces up to a column, counting letters and not bytes. */
static void print_label(const struct catalog *c, enum lang lang, const char *key)
{
    struct str s = catalog_text(c, lang, key);
    int letters = 0;

    for (size_t i = 0; i < s.n; i++)
        letters += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    printf("%.*s%*s", STR_ARG(s), letters < 14 ? 14 - letters : 1, "");
}

static void print_human(const struct duty_world *w, const struct catalog *c, const struct duty_result *r, enum lang lang)
{
    const struct obligation *o = r->obligation;
    AUTO_ARENA struct arena a;
    char text[TIME_TEXT_MAX];

    arena_init(&a, 4 * MIB);
    printf("%.*s  %.*s\n", STR_ARG(o->id), STR_ARG(o->title.text[lang]));
    print_label(c, lang, "duty.cli.by");
    print_actors(o->by, o->by_count, lang);
    if (o->to_count) {
        putchar('\n');
        print_label(c, lang, "duty.cli.to");
        print_actors(o->to, o->to_count, lang);
    }
    putchar('\n');
    if (o->content.text[lang].n) {
        print_label(c, lang, "duty.cli.content");
        printf("%.*s\n", STR_ARG(o->content.text[lang]));
    }
    if (r->moved) {
        print_label(c, lang, "duty.cli.nominal");
        printf("%s\n", duty_rfc3339(w, r->nominal, text));
    }
    if (r->basis == DUTY_LAW || r->basis == DUTY_TARGET) {
        print_label(c, lang, r->basis == DUTY_LAW ? "duty.cli.due" : "duty.cli.target");
        printf("%s\n", duty_rfc3339(w, r->due, text));
    }
    for (size_t i = 0; i < r->step_count; i++)
        printf("  %.*s\n", STR_ARG(duty_step_text(w, r, i, c, lang, &a)));
}

/* compute - a term, or the plan of a year. Returns the exit code. */
static int compute(const struct duty_world *w, const struct obligation *o, const struct options *opt, struct duty_result *r)
{
    struct duty_start start = { .at = 0 };
    struct err e;
    int rc;

    if (opt->from && duty_start_parse(str_c(opt->from), w->zone, &start, &e) < 0) {
        fprintf(stderr, "saqshy: deadline: --from %s\n", e.text);
        return 2;
    }
    if (opt->year)
        rc = duty_plan(w, o, opt->year, opt->from ? duty_local_day(w, start.at) : INT64_MIN, r, &e);
    else
        rc = duty_due(w, o, start, r, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy: deadline: %s%s\n", e.text, rc == -ENOTSUP && !opt->year ? "; ask for a year with --year" : "");
    return rc < 0 ? 1 : 0;
}

static int answer(const struct duty_world *w, const struct catalog *c, const struct options *opt)
{
    const struct obligation *o = edition_obligation(w->edition, str_c(opt->obligation));
    struct duty_result r;
    int code;

    if (!o) {
        fprintf(stderr, "saqshy: deadline: no obligation \"%s\" in edition %.*s; saqshy deadline --list names them\n",
                opt->obligation, STR_ARG(w->edition->id));
        return 2;
    }
    code = compute(w, o, opt, &r);
    if (code)
        return code;
    if (opt->json) {
        AUTO_BUF struct buf b;

        buf_init(&b, 4 * MIB);
        duty_json(w, &r, c, opt->lang, &b);
        buf_byte(&b, '\n');
        fwrite(b.p, 1, b.n, stdout);
    } else {
        print_human(w, c, &r, opt->lang);
    }
    return 0;
}

static int load(const struct options *o, struct duty_world *w, struct catalog **c, struct err *e)
{
    char folder[4096], path[4096 + 16];
    struct node *n = NULL;
    int rc = node_exe_folder(folder, e);

    if (rc == 0)
        rc = node_default(NULL, folder, &n, e);
    if (rc == 0)
        rc = duty_world_load(n->content, o->edition ? o->edition : n->edition, o->zone ? o->zone : n->zone, w, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%s/i18n", n->content);
        rc = catalog_load(path, c, e);
    }
    node_free(&n);
    return rc;
}

int cmd_deadline(int argc, char **argv)
{
    struct options o = { .lang = lang_of_environment() };
    struct duty_world w = { 0 };
    struct catalog *c = NULL;
    struct err e;
    int rc = parse_options(argc, argv, &o);

    if (rc > 0)
        return rc - 1;
    if (load(&o, &w, &c, &e) < 0) {
        fprintf(stderr, "saqshy: deadline: %s\n", e.text);
        rc = 2;
    } else if (o.list) {
        print_list(&w, &o);
    } else {
        rc = answer(&w, c, &o);
    }
    if (c)
        catalog_free(&c);
    duty_world_free(&w);
    return rc == 0 && (fflush(stdout) != 0 || ferror(stdout)) ? 1 : rc;
}
