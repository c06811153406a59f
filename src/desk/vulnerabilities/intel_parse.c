/* intel_parse.c - see intel_parse.h. */
#include "desk/vulnerabilities/intel_parse.h"
#include "base/unpack.h"

#include <jansson.h>

/* cve_ok - "CVE-2021-44228", as both lists write it. */
static bool cve_ok(struct str s)
{
    if (s.n < 13 || s.n > 20 || memcmp(s.p, "CVE-", 4) != 0 || s.p[8] != '-')
        return false;
    for (size_t i = 4; i < s.n; i++)
        if (i != 8 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    return true;
}

static bool date_ok(struct str s)
{
    if (s.n != 10)
        return false;
    for (size_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static struct str text_of(const json_t *o, const char *key)
{
    const json_t *t = json_object_get(o, key);

    return json_is_string(t) ? str_of(json_string_value(t), json_string_length(t)) : STR("");
}

static int kev_rows(const json_t *list, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e)
{
    json_t *one;
    size_t i;

    if (!json_is_array(list))
        return err_set(e, -EBADMSG, "no list \"vulnerabilities\": this is not the catalogue of known exploited vulnerabilities");
    if (json_array_size(list) > INTEL_ROWS_MAX)
        return err_set(e, -E2BIG, "more than %d entries", INTEL_ROWS_MAX);
    json_array_foreach((json_t *)(uintptr_t)list, i, one) {
        struct intel_row row = { .cve = text_of(one, "cveID"), .added_on = text_of(one, "dateAdded"), .due_on = text_of(one, "dueDate"),
                                 .ransomware = str_ieq(text_of(one, "knownRansomwareCampaignUse"), STR("known")), .epss = -1, .percentile = -1 };
        int rc;

        if (!cve_ok(row.cve) || !date_ok(row.added_on) || (row.due_on.n && !date_ok(row.due_on)))
            return err_set(e, -EBADMSG, "entry %zu has no number of a CVE, or a date that is none", i + 1);
        rc = fn(arg, &row, e);
        if (rc < 0)
            return rc;
        out->rows++;
    }
    return 0;
}

int kev_read(struct str bytes, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e)
{
    json_error_t at;
    json_t *root;
    int rc;

    *out = (struct intel_meta){ 0 };
    if (bytes.n > INTEL_BYTES_MAX)
        return err_set(e, -E2BIG, "the file is larger than %u MiB", INTEL_BYTES_MAX / MIB);
    root = json_loadb(bytes.p ? bytes.p : "", bytes.n, JSON_REJECT_DUPLICATES, &at);
    if (!root)
        return err_set(e, -EBADMSG, "line %d, column %d: %s", at.line, at.column, at.text);
    snprintf(out->version, sizeof out->version, "%.*s", (int)min_size(text_of(root, "catalogVersion").n, 60), text_of(root, "catalogVersion").p);
    snprintf(out->released, sizeof out->released, "%.*s", (int)min_size(text_of(root, "dateReleased").n, 39), text_of(root, "dateReleased").p);
    rc = kev_rows(json_object_get(root, "vulnerabilities"), fn, arg, out, e);
    json_decref(root);
    return rc;
}

/* --- EPSS --- */

static int plain(struct str bytes, struct buf *out, struct err *e)
{
    int rc = unpack_all(PACKING_GZIP, UNPACK_WINDOW_BODY, bytes, INTEL_TEXT_MAX, out);

    if (rc == -E2BIG)
        return err_set(e, rc, "unpacked it is larger than %u MiB", INTEL_TEXT_MAX / MIB);
    return rc < 0 ? err_set(e, rc, rc == -EBADMSG ? "the compressed file is cut or broken" : "no memory to unpack") : 0;
}

/* share - a decimal from 0 to 1. */
static bool share(struct str s, double *out)
{
    char text[40], *end;

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", STR_ARG(s));
    *out = strtod(text, &end);
    return *end == 0 && *out >= 0 && *out <= 1;
}

static void head_line(struct str line, struct intel_meta *out)
{
    struct str rest = str_of(line.p + 1, line.n - 1), piece;

    while (str_split(&rest, ',', &piece)) {
        if (str_starts(piece, STR("model_version:")))
            snprintf(out->version, sizeof out->version, "%.*s", (int)min_size(piece.n - 14, 60), piece.p + 14);
        if (str_starts(piece, STR("score_date:")))
            snprintf(out->released, sizeof out->released, "%.*s", (int)min_size(piece.n - 11, 39), piece.p + 11);
    }
}

static int epss_line(struct str line, uint64_t number, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e)
{
    struct intel_row row = { .percentile = -1 };
    struct str rest = line, cve, epss, percentile;

    if (!str_split(&rest, ',', &cve) || !str_split(&rest, ',', &epss) || !cve_ok(cve) || !share(epss, &row.epss))
        return err_line(e, -EBADMSG, "EPSS", (int)number, 1, "a CVE and its score from 0 to 1 are expected");
    if (str_split(&rest, ',', &percentile) && !share(percentile, &row.percentile))
        return err_line(e, -EBADMSG, "EPSS", (int)number, 1, "the percentile is no number from 0 to 1");
    if (++out->rows > INTEL_ROWS_MAX)
        return err_set(e, -E2BIG, "more than %d entries", INTEL_ROWS_MAX);
    row.cve = cve;
    return fn(arg, &row, e);
}

static int epss_lines(struct str text, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e)
{
    struct str rest = text, line;
    uint64_t number = 0;
    bool headed = false;
    int rc = 0;

    while (rc == 0 && str_split(&rest, '\n', &line)) {
        number++;
        line = str_trim(line);
        if (!line.n)
            continue;
        if (line.p[0] == '#')
            head_line(line, out);
        else if (!headed && str_starts(line, STR("cve,epss")))
            headed = true;
        else if (!headed)
            return err_line(e, -EBADMSG, "EPSS", (int)number, 1, "the heading \"cve,epss,percentile\" is expected: these are not EPSS scores");
        else
            rc = epss_line(line, number, fn, arg, out, e);
    }
    return rc == 0 && !headed ? err_set(e, -EBADMSG, "the file is empty") : rc;
}

int epss_read(struct str bytes, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    bool packed = bytes.n > 2 && (unsigned char)bytes.p[0] == 0x1f && (unsigned char)bytes.p[1] == 0x8b;
    int rc;

    buf_init(&b, INTEL_TEXT_MAX);
    *out = (struct intel_meta){ 0 };
    if (bytes.n > INTEL_BYTES_MAX)
        return err_set(e, -E2BIG, "the file is larger than %u MiB", INTEL_BYTES_MAX / MIB);
    rc = packed ? plain(bytes, &b, e) : 0;
    return rc < 0 ? rc : epss_lines(packed ? buf_view(&b) : bytes, fn, arg, out, e);
}
