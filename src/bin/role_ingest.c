/* role_ingest.c - the role that takes bytes from the network and writes the journal. */
#include "bin/bin.h"
#include "base/log.h"
#include "duty/calendar.h"
#include "event/event.h"
#include "ingest/listener.h"
#include "ingest/profiles.h"
#include "ingest/wef.h"

#include <time.h>

/* zone_minutes - the offset of a zone now. Lines that name no zone are of now, give or take what the sender had to wait. */
static int32_t zone_minutes(const char *zone)
{
    time_t now = (time_t)(clock_now() / NS_PER_SECOND);
    struct tm tm;

    setenv("TZ", zone, 1);
    tzset();
    return localtime_r(&now, &tm) ? (int32_t)(tm.tm_gmtoff / 60) : 0;
}

/* find_zone - a zone by name, for lines of now. One with daylight saving by a rule for ever is refused: its lines would be an hour off for
 * half of the year. */
static int find_zone(struct source_profile *p, struct err *e)
{
    struct zone *z = NULL;
    int rc = zone_load(ZONE_FOLDER, p->zone, &z, e), minutes = 0;

    if (rc == 0) {
        minutes = zone_offset_min(z, clock_now());
        zone_free(&z);
        p->zone_min = minutes;
        p->zone_known = true;
    }
    return rc;
}

static int check_profile(const struct node *n, struct source_profile *p, struct err *e)
{
    struct err why;

    if (*p->class && event_class_parse(str_c(p->class)) == CLASS_NONE)
        return err_line(e, -EINVAL, n->file, p->line, p->column, "source \"%s\": unknown class \"%s\": os-unix, os-windows, db, net, fw, app and sec are known",
                        p->name, p->class);
    if (*p->encoding && encoding_named(str_c(p->encoding)) == ENCODING_COUNT)
        return err_line(e, -EINVAL, n->file, p->line, p->column, "source \"%s\": unknown encoding \"%s\", as windows-1251 or utf-16", p->name, p->encoding);
    if (*p->address && !profile_address_valid(str_c(p->address)))
        return err_line(e, -EINVAL, n->file, p->line, p->column, "source \"%s\": \"%s\" is no address or network, as 10.0.0.7 or 10.0.0.0/8", p->name, p->address);
    if (*p->zone && !p->zone_known && find_zone(p, &why) < 0)
        return err_line(e, -EINVAL, n->file, p->line, p->column, "source \"%s\": zone \"%s\" cannot be used, write it as +05:00: %.200s", p->name, p->zone,
                        why.text);
    return 0;
}

static int check_listener(const struct node *n, const struct listen_conf *c, struct err *e)
{
    bool known = !*c->source;
    struct sockaddr_storage ss;
    const struct listener_kind *kind = listener_kind_find(c->kind);
    struct err why;
    int size;

    for (size_t k = 0; !known && k < n->listen.profile_count; k++)
        known = strcmp(n->listen.profiles[k].name, c->source) == 0;
    if (!known)
        return err_line(e, -EINVAL, n->file, c->line, c->column, "listener \"%s\": there is no source \"%s\" in ingest.sources", c->id, c->source);
    if (kind->check ? kind->check(c, &why) < 0 : *c->address && listener_address(c->address, &ss, &size, &why) < 0)
        return err_line(e, -EINVAL, n->file, c->line, c->column, "listener \"%s\": %.200s", c->id, why.text);
    if (c->kind == LISTEN_wef && wef_check(c, n->content, &why) < 0)
        return err_line(e, -EINVAL, n->file, c->line, c->column, "%.400s", why.text);
    return 0;
}

int node_check_sources(struct node *n, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n->listen.profile_count; i++)
        rc = check_profile(n, &n->listen.profiles[i], e);
    for (size_t i = 0; rc == 0 && i < n->listen.listener_count; i++)
        rc = check_listener(n, &n->listen.listeners[i], e);
    return rc;
}

/* What the role reads again at SIGHUP. */
struct config {
    const struct node *first;
    struct node       *now;       /* NULL: still the first */
};

static int reload(void *arg, struct ingest_options *fresh, struct err *e)
{
    struct config *c = arg;
    struct node *n = NULL;
    int rc = node_load_again(c->first, &n, e);

    if (rc == 0)
        rc = node_check_sources(n, e);
    if (rc < 0) {
        node_free(&n);
        return rc;
    }
    fresh->listen = &n->listen;
    fresh->future_tolerance_s = n->future_tolerance_s;
    node_free(&c->now);
    c->now = n;
    return 0;
}

int role_ingest_run(const struct node *node)
{
    struct config c = { .first = node };
    struct ingest_options o = {
        .data = node->data, .content = node->content, .listen = &node->listen, .zone_min = zone_minutes(node->zone),
        .future_tolerance_s = node->future_tolerance_s, .segment_bytes = node->segment_bytes, .reserve = node->retention_reserve, .reload = reload, .arg = &c,
    };
    struct err e = { 0 };
    int rc = ingest_run(&o, &e);

    node_free(&c.now);
    if (rc == 0)
        return EXIT_YES;
    log_line(LOG_ERROR, "ingest cannot run", "error.message", e.text, NULL);
    return EXIT_NO;
}
