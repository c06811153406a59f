/* scan_work.h - what the enemies of scan share: any bytes as a report, read by one description; every text that comes out is looked at.
 *
 * Owns      the description, for all runs; what is made in a run ends with it.
 * Threads   one. */
#ifndef SAQSHY_FUZZ_SCAN_WORK_H
#define SAQSHY_FUZZ_SCAN_WORK_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "scan/internal.h"

static inline void scan_look(struct str s)
{
    assert(s.n <= SCAN_TEXT_MAX && str_utf8_valid(s));
}

static inline int scan_see(void *arg, const struct scan_finding *f, struct err *e)
{
    const struct str texts[] = { f->tool, f->check, f->id, f->title, f->description, f->impact, f->solution, f->evidence, f->severity_text, f->host, f->ip,
                                 f->protocol, f->service, f->component, f->version, f->fixed_version, f->path, f->url, f->method, f->parameter };

    (void)arg, (void)e;
    for (size_t i = 0; i < COUNT(texts); i++)
        scan_look(texts[i]);
    for (size_t i = 0; i < f->cve_count; i++)
        scan_look(f->cve[i]);
    for (size_t i = 0; i < f->reference_count; i++)
        scan_look(f->references[i]);
    for (size_t i = 0; i < f->tag_count; i++)
        scan_look(f->tags[i]);
    assert(f->port >= -1 && f->port <= 65535 && f->cvss <= 10 && f->occurrences >= 1);
    return 0;
}

static inline int scan_see_cover(void *arg, const struct scan_cover *c, struct err *e)
{
    (void)arg, (void)e;
    scan_look(c->check);
    assert(c->port <= c->port_to && c->port_to <= 65535);
    return 0;
}

static inline void scan_run(struct format *f, const uint8_t *data, size_t size)
{
    struct scan_sink sink = { .finding = scan_see, .cover = scan_see_cover };
    struct scan_formats all = { .format = &f, .count = 1 };
    struct scan_report r;
    struct err e = { 0 };
    int fd = memfd_create("report", MFD_CLOEXEC), rc;

    assert(fd >= 0);
    if (file_write_all(fd, str_of((const char *)data, size), &e) == 0) {
        rc = scan_read(&all, fd, "fuzz", f->id, NULL, &sink, &r, &e);
        assert(rc >= 0 || e.text[0]);
    }
    close(fd);
}

static inline int scan_fuzz(const char *yaml, const uint8_t *data, size_t size)
{
    static struct format *f;   /* compiled once for all runs */
    struct err e;

    if (!f && format_parse(str_c(yaml), "fuzz.yaml", NULL, &f, &e) < 0)
        abort();
    scan_run(f, data, size);
    return 0;
}

#endif
