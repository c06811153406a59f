/* metrics.c - see metrics.h. */
#include "base/metrics.h"
#include "base/file.h"

#include <fcntl.h>

struct metric *metrics_cell(struct metrics *m, const char *name, const char *labels, bool gauge, const char *help)
{
    struct metric *c;

    if (m->count == METRICS_MAX)
        return &m->cell[METRICS_MAX - 1];
    c = &m->cell[m->count++];
    *c = (struct metric){ .name = name, .labels = labels, .help = help, .gauge = gauge };
    return c;
}

void metrics_text(const struct metrics *m, struct buf *b)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct metric *c = &m->cell[i];

        /* Cells of one name are registered in a row: the heading stands before the first. */
        if (i == 0 || strcmp(c->name, m->cell[i - 1].name) != 0)
            buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", c->name, c->help, c->name, c->gauge ? "gauge" : "counter");
        if (c->labels)
            buf_printf(b, "%s{%s} %lld\n", c->name, c->labels, (long long)metric_get(c));
        else
            buf_printf(b, "%s %lld\n", c->name, (long long)metric_get(c));
    }
}

int metrics_publish(const struct metrics *m, const char *path, struct err *e)
{
    AUTO_BUF struct buf b;
    char tmp[4096];
    AUTO_CLOSE int fd = -1;
    int rc;

    buf_init(&b, 0);
    metrics_text(m, &b);
    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return err_set(e, -ENAMETOOLONG, "path of metrics is too long");
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not create \"%s\"", tmp);
    rc = file_write_all(fd, buf_view(&b), e);
    if (rc < 0)
        return rc;
    return rename(tmp, path) < 0 ? err_sys(e, "could not store \"%s\"", path) : 0;
}
