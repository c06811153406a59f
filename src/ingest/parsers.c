/* parsers.c - see parsers.h. */
#include "ingest/parsers.h"
#include "base/file.h"
#include "base/log.h"

#define LOOK_NS    NS_PER_SECOND
#define PUBLISH_NS (10 * NS_PER_SECOND)

struct parsers {
    struct parser *parser;
    char picture[4200]; /* DATA/run/parsers.json */
    time_ns looked, published;
    struct metric *loaded, *refused, *reloads, *limits;
    char **told; /* reasons that are in the log already */
    size_t told_count;
};

static bool told(const struct parsers *p, const char *why)
{
    for (size_t i = 0; i < p->told_count; i++)
        if (strcmp(p->told[i], why) == 0)
            return true;
    return false;
}

static void forget(struct parsers *p)
{
    for (size_t i = 0; i < p->told_count; i++)
        free(p->told[i]);
    free(p->told);
    p->told = NULL;
    p->told_count = 0;
}

/* tell - each refusal once, and the counters. */
static void tell(struct parsers *p)
{
    struct parse_product product;
    size_t count = 0, refused = 0, loaded = 0;
    char **now;

    while (parse_product(p->parser, count, &product))
        count++;
    now = calloc(count + 1, sizeof *now);
    for (size_t i = 0; now && parse_product(p->parser, i, &product); i++) {
        loaded += product.loaded;
        if (!product.why || !(now[refused] = strdup(product.why)))
            continue;
        if (!told(p, product.why))
            log_line(LOG_ERROR, product.loaded ? "a parser's file is refused, the version loaded before goes on" : "a parser's file is refused",
                     "error.message", product.why, NULL);
        refused++;
    }
    forget(p);
    p->told = now;
    p->told_count = now ? refused : 0;
    metric_set(p->loaded, (int64_t)loaded);
    metric_set(p->refused, (int64_t)refused);
}

/* publish - what is loaded, how many lines each took, and what is refused: for pages and commands. A picture, tried again. */
static void publish(struct parsers *p, time_ns now)
{
    struct parse_product product;
    struct err ignored;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    buf_printf(&b, "{\"limits\":%llu,\"parsers\":[", (unsigned long long)parse_limits_hit(p->parser));
    for (size_t i = 0; parse_product(p->parser, i, &product); i++) {
        buf_str(&b, i ? STR(",\n{\"id\":") : STR("\n{\"id\":"));
        buf_json(&b, product.id);
        buf_str(&b, STR(",\"title\":"));
        buf_json(&b, product.title);
        buf_printf(&b, ",\"class\":\"%s\",\"patterns\":%zu,\"samples\":%zu,\"lines\":%llu,\"loaded\":%s,\"file\":", event_class_name(product.class),
                   product.patterns, product.samples, (unsigned long long)product.lines, product.loaded ? "true" : "false");
        buf_json(&b, str_c(product.file));
        buf_str(&b, STR(",\"reason\":"));
        if (product.why)
            buf_json(&b, str_c(product.why));
        else
            buf_str(&b, STR("null"));
        buf_byte(&b, '}');
    }
    buf_str(&b, STR("]}\n"));
    p->published = now;
    if (!buf_failed(&b))
        (void)!file_write_atomic(p->picture, buf_view(&b), 0640, &ignored);
}

int parsers_new(const char *data, const char *content, int32_t zone_min, struct metrics *m, struct parsers **out, struct err *e)
{
    struct parsers *p = calloc(1, sizeof *p);
    char own[4096], ours[4096];
    struct parse_options o = { .folders = { own }, .zone_min = zone_min };
    int rc;

    if (!p)
        return err_set(e, -ENOMEM, "no memory for the parsers");
    snprintf(own, sizeof own, "%s/parsers", data);
    snprintf(p->picture, sizeof p->picture, "%s/run/parsers.json", data);
    snprintf(ours, sizeof ours, "%s/parsers", content);
    if (*content)
        o.folders[1] = ours;
    p->loaded = metrics_cell(m, "saqshy_ingest_parsers", "state=\"loaded\"", true, "files of parsers");
    p->refused = metrics_cell(m, "saqshy_ingest_parsers", "state=\"refused\"", true, "files of parsers");
    p->reloads = metrics_cell(m, "saqshy_ingest_parser_reloads_total", NULL, false, "changes of parsers that took effect");
    p->limits = metrics_cell(m, "saqshy_ingest_pattern_limits_total", NULL, false, "texts that took more steps than a pattern may");
    rc = parse_open(&o, &p->parser, e);
    if (rc < 0) {
        parsers_free(&p);
        return rc;
    }
    p->looked = clock_steady();
    tell(p);
    publish(p, p->looked);
    *out = p;
    return 0;
}

void parsers_free(struct parsers **p)
{
    if (!*p)
        return;
    if ((*p)->parser)
        parse_free(&(*p)->parser);
    forget(*p);
    free(*p);
    *p = NULL;
}

const struct parser *parsers_get(const struct parsers *p) { return p->parser; }

void parsers_look(struct parsers *p)
{
    time_ns now = clock_steady();
    struct err e = { 0 };
    int rc;

    if (now - p->looked < LOOK_NS)
        return;
    p->looked = now;
    metric_set(p->limits, (int64_t)parse_limits_hit(p->parser));
    rc = parse_reload(p->parser, &e);
    if (rc < 0) {
        log_line(LOG_WARN, "could not look at the parsers, trying again", "error.message", e.text, NULL);
        return;
    }
    if (rc == 0) {
        if (now - p->published >= PUBLISH_NS)
            publish(p, now);
        return;
    }
    tell(p);
    publish(p, now);
    metric_add(p->reloads, 1);
    log_line(LOG_INFO, "parsers changed and are in force", NULL);
}
