/* cmd_deadline.c - saqshy deadline OBLIGATION --from TIME: when it falls due, and the arithmetic.
 * Exit codes: 0 answered, 1 no answer (no calendar for a year, a frequency), 2 usage or configuration. */
#include "base/node.h"
#include "duty/duty.h"

#include <getopt.h>

int cmd_deadline(int argc, char **argv);

static const char usage[] =
    "usage: saqshy deadline OBLIGATION --from TIME [--json] [--lang kk|ru|en] [--zone NAME]\n"
    "       saqshy deadline --list\n"
    "\n"
    "When an obligation under the Rules falls due, and the arithmetic.\n"
    "  OBLIGATION     D-01 to D-31\n"
    "  --from TIME    a date (2026-03-19) or a moment (2026-03-20T23:50+05:00); without an offset: local time\n"
    "  --json         {id,from,due,nominal,unit,paragraph,arithmetic[],…}\n"
    "  --lang LANG    kk, ru or en; otherwise from LANG, otherwise en\n"
    "  --zone NAME    time zone, Asia/Almaty if not given\n"
    "  --list         every obligation and frequency\n";

struct options {
    const char *obligation, *from, *zone;
    enum lang   lang;
    bool        json, list;
};

static enum lang lang_of_environment(void)
{
    const char *v = getenv("LC_ALL");

    if (!v || !*v)
        v = getenv("LC_MESSAGES");
    if (!v || !*v)
        v = getenv("LANG");
    return lang_parse(str_c(v), LANG_EN);
}

/* parse_options - 0, or an exit code + 1 when the work is done or cannot be. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "from", required_argument, NULL, 'f' }, { "json", no_argument, NULL, 'j' },
        { "lang", required_argument, NULL, 'l' }, { "zone", required_argument, NULL, 'z' },
        { "list", no_argument, NULL, 'L' },       { "help", no_argument, NULL, 'h' },
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
    if (o->list ? optind != argc : !o->obligation || !o->from) {
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
    if (r->moved) {
        print_label(c, lang, "duty.cli.nominal");
        printf("%s\n", duty_rfc3339(w, r->nominal, text));
    }
    print_label(c, lang, "duty.cli.due");
    printf("%s\n", duty_rfc3339(w, r->due, text));
    for (size_t i = 0; i < r->step_count; i++)
        printf("  %.*s\n", STR_ARG(duty_step_text(w, r, i, c, lang, &a)));
}

static int answer(const struct duty_world *w, const struct catalog *c, const struct options *opt)
{
    const struct obligation *o = edition_obligation(w->edition, str_c(opt->obligation));
    struct duty_result r;
    struct duty_start start;
    struct err e;

    if (!o) {
        fprintf(stderr, "saqshy: deadline: no obligation \"%s\" in edition %.*s; saqshy deadline --list names them\n",
                opt->obligation, STR_ARG(w->edition->id));
        return 2;
    }
    if (duty_start_parse(str_c(opt->from), w->zone, &start, &e) < 0) {
        fprintf(stderr, "saqshy: deadline: --from %s\n", e.text);
        return 2;
    }
    if (duty_due(w, o, start, &r, &e) < 0) {
        fprintf(stderr, "saqshy: deadline: %s\n", e.text);
        return 1;
    }
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
        rc = duty_world_load(n->content, n->edition, o->zone ? o->zone : n->zone, w, e);
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
