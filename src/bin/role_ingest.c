/* role_ingest.c - the role that takes bytes from the network and writes the journal. */
#include "bin/bin.h"
#include "ingest/ingest.h"
#include "base/log.h"

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

int role_ingest_run(const struct node *node)
{
    struct ingest_options o = {
        .data = node->data, .content = node->content, .syslog_udp = node->syslog_udp, .syslog_tcp = node->syslog_tcp,
        .otlp = node->otlp, .zone_min = zone_minutes(node->zone), .future_tolerance_s = node->future_tolerance_s,
        .segment_bytes = node->segment_bytes,
    };
    struct err e = { 0 };
    int rc = ingest_run(&o, &e);

    if (rc == 0)
        return EXIT_YES;
    log_line(LOG_ERROR, "ingest cannot run", "error.message", e.text, NULL);
    return EXIT_NO;
}
