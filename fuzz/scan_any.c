/* scan_any.c - enemy of scan: any bytes as a report, known by their content among all descriptions of content/scanners, or (the first byte is 1 to 31)
 * read by one that the second byte picks. Read twice: the same bytes give the same counts. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* open_formats - the real descriptions, loaded once. */
static const struct scan_formats *open_formats(void)
{
    static struct scan_formats *all;
    const char *root = getenv("SAQSHY_SOURCE");
    char path[4096];
    struct err e;

    snprintf(path, sizeof path, "%s/content", root ? root : ".");
    if (!all && scan_formats_load(path, &all, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return all;
}

static int once(const struct scan_formats *all, int fd, const char *format, struct scan_report *r)
{
    static const struct scan_sink sink = { .finding = scan_see, .cover = scan_see_cover };
    struct err e = { 0 };
    int rc = scan_read(all, fd, "fuzz", format, NULL, &sink, r, &e);

    assert(rc >= 0 || e.text[0]);
    assert(str_utf8_valid(str_c(r->tool)) && str_utf8_valid(str_c(r->version)));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct scan_formats *all = open_formats();
    const char *format = "auto";
    struct scan_report first, second;
    struct err e;
    int fd, rc;

    if (size > 2 && data[0] > 0 && data[0] < 32 && data[0] != '\n' && data[0] != '\t' && data[0] != '\r') {
        format = scan_format_id(all, data[1] % scan_formats_count(all));
        data += 2;
        size -= 2;
    }
    fd = memfd_create("report", MFD_CLOEXEC);
    assert(fd >= 0);
    if (file_write_all(fd, str_of((const char *)data, size), &e) == 0) {
        rc = once(all, fd, format, &first);
        assert(once(all, fd, format, &second) == rc);
        assert(first.findings == second.findings && first.covers == second.covers && first.records == second.records);
    }
    close(fd);
    return 0;
}
