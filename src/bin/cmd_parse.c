/* cmd_parse.c - "saqshy parse [--json] [--explain] [--zone +05:00] FILE…": the event that each line becomes. Needs no
 * configuration: parsers as data are those beside the program, and with --parsers DIR those in DIR before them.
 *
 * Empty lines become nothing; records of one audit event, and a Windows event of several lines of XML, become one event. A line
 * longer than EVENT_ORIGINAL_MAX comes in pieces, marked. Files of gzip and zstd are unpacked; one that is no text but another
 * container we know by its first bytes (EVTX, zip) becomes one event, failed. Exit: 0, or 2 where a file
 * could not be read or the arguments are wrong. */
#include <unistd.h>

#include "base/node.h"
#include "bin/event_print.h"
#include "bin/plain.h"
#include "parse/feed.h"
#include "parse/parse.h"
#include "sigma/classify.h"

#define READ_BYTES       (256u * KIB)
#define LINE_ARENA_BYTES (16u * MIB) /* one line, its fields, and what escapes undo */

int cmd_parse(int argc, char **argv);

struct run {
    struct parser *parser;
    struct classify *types;
    struct event_batch batch;
    struct buf out;
    struct parse_hints hints;
    struct buf why;
    struct feed *feed;
    bool json, explain;
};

static bool told_elsewhere(struct str name)
{
    return str_eq(name, STR("message")) || str_eq(name, STR("event.kind")) || str_starts(name, STR("related.")) ||
           str_eq(name, STR("saqshy.types")) || str_eq(name, STR("log.file.path"));
}

static void put_human(struct buf *b, const struct event *ev)
{
    struct str v;
    uint32_t at = 0;

    buf_time(b, ev->time);
    buf_printf(b, "  %.*s %s", STR_ARG(ev->parser), event_parse_name(ev->parse));
    if (ev->class != CLASS_NONE)
        buf_printf(b, "  %s", event_class_name(ev->class));
    while (event_values(ev, STR("saqshy.types"), &at, &v))
        buf_printf(b, " %.*s", STR_ARG(v));
    at = 0;
    while (event_values(ev, STR("saqshy.marks"), &at, &v))
        buf_printf(b, " (%.*s)", STR_ARG(v));
    buf_str(b, STR("\n    "));
    v = event_get(ev, STR("message"));
    plain_put(b, v.n ? v : ev->original, SIZE_MAX);
    buf_str(b, STR("\n   "));
    for (uint32_t i = 0; i < ev->field_count; i++) {
        if (told_elsewhere(ev->fields[i].name))
            continue;
        buf_byte(b, ' ');
        plain_put(b, ev->fields[i].name, SIZE_MAX);
        buf_byte(b, '=');
        plain_put(b, ev->fields[i].value, SIZE_MAX);
    }
    buf_byte(b, '\n');
}

/* put_why - who was asked: a comment before the event. */
static void put_why(struct buf *b, struct str why)
{
    struct str line;

    while (str_split(&why, '\n', &line))
        if (line.n) {
            buf_str(b, STR("# "));
            plain_put(b, line, SIZE_MAX);
            buf_byte(b, '\n');
        }
}

static int flush(struct run *r)
{
    size_t done = 0;

    while (done < r->out.n) {
        ssize_t n = write(STDOUT_FILENO, r->out.p + done, r->out.n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    buf_reset(&r->out);
    return 0;
}

static int one_text(void *arg, const struct feed_text *t, struct err *e)
{
    struct run *r = arg;
    struct event *ev;
    int rc;

    event_batch_reset(&r->batch);
    ev = event_batch_add(&r->batch);
    if (!ev)
        return err_set(e, -ENOMEM, "no memory for an event");
    r->hints.received = clock_now();
    r->hints.truncated = t->cut;
    r->hints.split = t->split;
    r->hints.encoding = t->encoding;
    buf_reset(&r->why);
    parse_line(r->parser, t->text, &r->hints, &r->batch.arena, ev);
    rc = classify_event(r->types, ev, &r->batch.arena, NULL, e);
    if (rc < 0)
        return rc;
    if (r->explain)
        put_why(&r->out, buf_view(&r->why));
    if (r->json)
        event_json(ev, &r->out);
    else
        put_human(&r->out, ev);
    if (r->json)
        buf_byte(&r->out, '\n');
    if (buf_failed(&r->out))
        return err_set(e, -ENOMEM, "no memory for what is printed");
    rc = r->out.n > 64 * KIB ? flush(r) : 0;
    return rc < 0 ? err_set(e, rc, "could not write") : 0;
}

/* container - the first bytes are those of a format that has no lines. */
static bool container(struct str s)
{
    return str_starts(s, STR("ElfFile\0")) || str_starts(s, STR("PK\x03\x04"));
}

static int one_file(struct run *r, const char *path)
{
    struct plain *file = NULL;
    AUTO_BUF struct buf in;
    struct err e = { 0 };
    const struct str *starts;
    bool first = true;
    size_t count;
    ssize_t n = 1, bad = 0;
    int rc = 0;

    buf_init(&in, 4 * EVENT_ORIGINAL_MAX);
    parse_records(r->parser, r->hints.path, (struct str){ NULL, 0 }, &starts, &count);
    feed_records(r->feed, starts, count);
    if (plain_open(path, &file, &e) < 0) {
        fprintf(stderr, "saqshy parse: %s\n", e.text);
        return -EINVAL;
    }
    while (rc == 0 && n > 0) {
        char *room = buf_room(&in, READ_BYTES);

        bad = n = room ? plain_some(file, room, READ_BYTES, &e) : err_set(&e, -ENOMEM, "no memory to read \"%s\"", path);
        if (n < 0)
            fprintf(stderr, "saqshy parse: %s\n", e.text);
        in.n += n > 0 ? (size_t)n : 0;
        if (first && container(buf_view(&in))) {
            rc = one_text(r, &(struct feed_text){ .text = buf_view(&in), .cut = true }, &e);
            break;
        }
        first = false;
        rc = n > 0 ? feed_bytes(r->feed, buf_view(&in), one_text, r, &e) : feed_end(r->feed, one_text, r, &e);
        buf_reset(&in);
    }
    plain_close(&file);
    return rc < 0 ? rc : bad < 0 ? (int)bad : 0;
}

static int usage(FILE *to, int rc)
{
    fprintf(to, "usage: saqshy parse [--json] [--explain] [--zone +05:00] [--parsers DIR] FILE…   (\"-\" is standard input)\n"
                "--explain tells before each event which parsers were asked, and why those before it did not take the line\n"
                "Files may be compressed by gzip or zstd. Exit 0, or 2 where a file could not be read.\n");
    return rc;
}

/* zone_of - "+05:00" as minutes. */
static bool zone_of(const char *text, int32_t *out)
{
    int hours, minutes;
    char sign;

    if (!text || strlen(text) != 6 || sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
        (sign != '+' && sign != '-') || hours > 14 || minutes > 59)
        return false;
    *out = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* open_types - the event types that the rules beside the program say. */
static int open_types(struct run *r, const char *content, struct err *e)
{
    char pipelines[4200], rules[4200];
    const char *const folders[] = { pipelines, rules };

    snprintf(pipelines, sizeof pipelines, "%.4000s/pipelines", content);
    snprintf(rules, sizeof rules, "%.4000s/rules", content);
    return classify_open(folders, COUNT(folders), &r->types, e);
}

/* open_parser - with the products beside the program, if there are any, and those in own before them. */
static int open_parser(struct run *r, const char *own, int32_t zone, struct err *e)
{
    struct parse_options o = { .zone_min = zone };
    struct node *node = NULL;
    char exe[4096], ours[4096];
    size_t n = 0;
    int rc;

    if (own && access(own, R_OK | X_OK) < 0)
        return err_sys(e, "could not open the folder of parsers \"%s\"", own);
    if (own)
        o.folders[n++] = own;
    if (node_exe_folder(exe, e) == 0 && node_default(NULL, exe, &node, e) == 0) {
        snprintf(ours, sizeof ours, "%s/parsers", node->content);
        o.folders[n] = ours;
    }
    rc = node ? open_types(r, node->content, e) : 0;
    node_free(&node);
    if (rc == 0)
        rc = parse_open(&o, &r->parser, e);
    for (size_t i = 0; rc == 0; i++) {
        struct parse_product p;

        if (!parse_product(r->parser, i, &p))
            break;
        if (p.why && !p.loaded)
            fprintf(stderr, "saqshy parse: %s\n", p.why);
    }
    return rc;
}

static bool wrong(const char *why, const char *word)
{
    fprintf(stderr, "saqshy parse: %s: \"%s\"\n", why, word);
    return false;
}

/* options - up to the first file; false: they are wrong. */
static bool options(struct run *r, int argc, char **argv, int *first, const char **own, int32_t *zone)
{
    for (; *first < argc && strncmp(argv[*first], "--", 2) == 0; ++*first) {
        const char *word = argv[*first];

        if (strcmp(word, "--") == 0) {
            ++*first;
            break;
        }
        if (strcmp(word, "--json") == 0)
            r->json = true;
        else if (strcmp(word, "--explain") == 0)
            r->explain = true;
        else if (*first + 1 >= argc || (strcmp(word, "--zone") != 0 && strcmp(word, "--parsers") != 0))
            return wrong("there is no such option, or its value is lacking", word);
        else if (strcmp(word, "--parsers") == 0)
            *own = argv[++*first];
        else if (!zone_of(argv[++*first], zone))
            return wrong("a zone is written as +05:00, not", argv[*first]);
    }
    return *first < argc;
}

int cmd_parse(int argc, char **argv)
{
    struct run r = { .hints = { .zone_min = EVENT_OFFSET_NONE, .future_tolerance = 5 * NS_PER_MINUTE } };
    const char *own = NULL;
    int32_t zone = 0;
    int first = 1, rc = 0, bad = 0;
    struct err e;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (!options(&r, argc, argv, &first, &own, &zone))
        return usage(stderr, 2);
    if (open_parser(&r, own, zone, &e) < 0) {
        fprintf(stderr, "saqshy parse: %s\n", e.text);
        return 2;
    }
    if (parse_memory_new(&r.hints.memory, &e) < 0 || feed_new(&r.feed, &e) < 0) {
        fprintf(stderr, "saqshy parse: %s\n", e.text);
        return 2;
    }
    event_batch_init(&r.batch, LINE_ARENA_BYTES);
    buf_init(&r.out, 64 * MIB);
    buf_init(&r.why, MIB);
    if (r.explain)
        r.hints.explain = &r.why;
    for (int i = first; i < argc && rc != -EPIPE; i++) {
        r.hints.path = strcmp(argv[i], "-") == 0 ? (struct str){ NULL, 0 } : str_c(argv[i]);
        r.hints.source = r.hints.path;
        rc = one_file(&r, argv[i]);
        bad |= rc < 0;
    }
    if (rc != -EPIPE && flush(&r) < 0)
        bad = 1;
    buf_free(&r.out);
    buf_free(&r.why);
    event_batch_free(&r.batch);
    feed_free(&r.feed);
    parse_memory_free(&r.hints.memory);
    parse_free(&r.parser);
    classify_close(&r.types);
    return bad ? 2 : 0;
}
