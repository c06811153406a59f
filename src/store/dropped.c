/* dropped.c - DROPPED: a line for every removal by age, kept for good. CHAIN says which parts came and went; this says why, in words that a person reads.
 *
 * A line names the links of the chain that its removal made and the chain's value after them, and is on disk before the manifest that makes the removal true. One whose
 * value is not that of the chain belongs to a removal that never happened: it is passed over, and cut off when the next line is written.
 * Bounded: past DROPPED_BYTES_MAX the older half becomes one line of sums. */
#include "base/file.h"
#include "store/internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>

#define LINE_MAX_BYTES 512u

static const char *const rule_names[] = { [RULE_TERM] = "term", [RULE_THINNED] = "thinned", [RULE_FOLDED] = "folded" };

const char *store_rule_name(enum store_rule r) { return rule_names[r]; }

static void path_of(const char *folder, char out[PATH_BYTES]) { snprintf(out, PATH_BYTES, "%.4000s/DROPPED", folder); }

static const char *day_text(int32_t day, char out[16])
{
    struct civil c = civil_from_days(day);

    snprintf(out, 16, "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
    return out;
}

static void row_put(struct buf *out, const struct dropped_row *r)
{
    const struct store_dropped *d = &r->d;
    char at[TIME_TEXT_MAX], first[16], last[16], line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line,
                     "%s %s %s %s term=%" PRId64 " parts=%" PRIu64 " events=%" PRIu64 " bytes=%" PRIu64 " kept=%" PRIu64 " held=%" PRIu64 " holds=%" PRIu64
                     " links=%" PRIu64 "-%" PRIu64 " chain=%s", time_format_utc(d->at / NS_PER_SECOND * NS_PER_SECOND, at), rule_names[d->rule], day_text(d->day, first), day_text(d->last_day, last), d->term,
                     d->parts, d->events, d->bytes, d->kept, d->held, d->holds, d->first_link, d->last_link, r->chain);

    buf_printf(out, "%016" PRIx64 " %s\n", str_hash(str_of(line, (size_t)n)), line);
}

static bool take_day(struct str s, int32_t *out)
{
    struct reader r = rd_str(s);
    int32_t year = rd_digits(&r, 4, "year"), month, day;

    rd_byte(&r, '-');
    month = rd_digits(&r, 2, "month");
    rd_byte(&r, '-');
    day = rd_digits(&r, 2, "day");
    *out = (int32_t)civil_days(year, month, day);
    return rd_ok(&r) && s.n == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* take_number - "name=123" as the next word. */
static bool take_number(struct str *rest, const char *name, uint64_t *out)
{
    struct str word, key;

    return str_split(rest, ' ', &word) && str_split(&word, '=', &key) && str_eq(key, str_c(name)) && str_u64(word, out);
}

static bool take_head(struct str *rest, struct store_dropped *d)
{
    struct str at, rule, first, last;

    if (!str_split(rest, ' ', &at) || !str_split(rest, ' ', &rule) || !str_split(rest, ' ', &first) || !str_split(rest, ' ', &last))
        return false;
    for (size_t i = 0; i < COUNT(rule_names); i++)
        if (str_eq(rule, str_c(rule_names[i]))) {
            d->rule = (enum store_rule)i;
            return time_parse_rfc3339(at, &d->at, NULL, NULL) == 0 && take_day(first, &d->day) && take_day(last, &d->last_day);
        }
    return false;
}

bool dropped_take(struct str line, struct dropped_row *r)
{
    struct store_dropped *d = &r->d;
    struct str check, links, chain, key, first;
    uint64_t term;
    char want[17];

    memset(r, 0, sizeof *r);
    if (!str_split(&line, ' ', &check))
        return false;
    snprintf(want, sizeof want, "%016" PRIx64, str_hash(line));
    if (!str_eq(check, str_c(want)) || !take_head(&line, d) || !take_number(&line, "term", &term) || term > INT32_MAX || !take_number(&line, "parts", &d->parts) ||
        !take_number(&line, "events", &d->events) || !take_number(&line, "bytes", &d->bytes) || !take_number(&line, "kept", &d->kept) ||
        !take_number(&line, "held", &d->held) || !take_number(&line, "holds", &d->holds) || !str_split(&line, ' ', &links) || !str_split(&line, ' ', &chain))
        return false;
    d->term = (int64_t)term;
    if (!str_split(&links, '=', &key) || !str_split(&links, '-', &first) || !str_u64(first, &d->first_link) || !str_u64(links, &d->last_link) ||
        !str_starts(chain, STR("chain=")) || chain.n != 6 + 2 * SHA_BYTES)
        return false;
    for (size_t i = 6; i < chain.n; i++)
        if (!((chain.p[i] >= '0' && chain.p[i] <= '9') || (chain.p[i] >= 'a' && chain.p[i] <= 'f')))
            return false;
    snprintf(r->chain, sizeof r->chain, "%.*s", 2 * (int)SHA_BYTES, chain.p + 6);
    return d->first_link > 0 && d->first_link <= d->last_link;
}

/* --- against the chain --- */

/* link_read - a record of CHAIN; false where it has none. */
static bool link_read(int fd, uint64_t link, struct chain_record *out)
{
    unsigned char bytes[CHAIN_RECORD];

    if (fd < 0 || link == 0 || link > INT64_MAX / CHAIN_RECORD - 1 || pread(fd, bytes, sizeof bytes, (off_t)(CHAIN_HEAD + (link - 1) * CHAIN_RECORD)) != (ssize_t)sizeof bytes)
        return false;
    chain_decode(bytes, out);
    return out->link == link;
}

/* happened - the chain of links records has the value of the line. */
static bool happened(int fd, uint64_t links, const struct dropped_row *r)
{
    struct chain_record c;
    char hex[2 * SHA_BYTES + 1];

    if (r->d.last_link > links || !link_read(fd, r->d.last_link, &c))
        return false;
    hex_of(c.chain, SHA_BYTES, hex);
    return strcmp(hex, r->chain) == 0;
}

static int chain_open(const char *folder)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%.4000s/CHAIN", folder);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int lines_read(const char *folder, struct buf *b, struct err *e)
{
    char path[PATH_BYTES];
    int rc;

    path_of(folder, path);
    rc = file_read(path, DROPPED_BYTES_MAX + MIB, b, e);
    return rc == -ENOENT ? 0 : rc;
}

int store_dropped_each(const char *folder, store_dropped_row *each, void *arg, uint64_t *damaged, struct err *e)
{
    AUTO_CLOSE int chain = chain_open(folder);
    AUTO_BUF struct buf b;
    struct manifest m;
    struct str rest, line;
    int rc;

    *damaged = 0;
    buf_init(&b, DROPPED_BYTES_MAX + 2 * MIB);
    manifest_init(&m);
    rc = lines_read(folder, &b, e);     /* before the manifest: a line that is there already may come true in between, none is missed that was true */
    if (rc == 0)
        rc = search_snapshot(folder, &m, e);
    rest = buf_view(&b);
    while (rc == 0 && str_split(&rest, '\n', &line)) {
        struct dropped_row r;

        if (!dropped_take(line, &r))
            *damaged += line.n > 0;
        else if (happened(chain, m.links, &r))
            rc = each(arg, &r.d);
    }
    manifest_free(&m);
    return rc;
}

/* --- writing --- */

/* fold - the lines of the older half become one of sums, which names the last of their links. */
static void fold(struct str text, struct buf *out)
{
    struct str rest = text, line;
    struct dropped_row sum = { .d = { .rule = RULE_FOLDED } }, r;
    bool any = false;

    while ((size_t)(rest.p - text.p) < text.n / 2 && str_split(&rest, '\n', &line)) {
        if (!dropped_take(line, &r))
            continue;
        if (!any)
            sum.d = (struct store_dropped){ .day = r.d.day, .last_day = r.d.last_day, .rule = RULE_FOLDED, .first_link = r.d.first_link };
        any = true;
        sum.d.at = r.d.at;
        sum.d.day = r.d.day < sum.d.day ? r.d.day : sum.d.day;
        sum.d.last_day = r.d.last_day > sum.d.last_day ? r.d.last_day : sum.d.last_day;
        sum.d.parts += r.d.parts;
        sum.d.events += r.d.events;
        sum.d.bytes += r.d.bytes;
        sum.d.last_link = r.d.last_link;
        memcpy(sum.chain, r.chain, sizeof sum.chain);
    }
    if (any)
        row_put(out, &sum);
    buf_str(out, rest);
}

/* settled - how much of text is lines up to the last one that happened. Damaged lines before it stay, as evidence. */
static size_t settled(const struct store *s, struct str text)
{
    AUTO_CLOSE int chain = chain_open(s->folder);
    struct str rest = text, line;
    size_t good = 0;

    while (str_split(&rest, '\n', &line) && rest.p) {
        struct dropped_row r;

        if (!dropped_take(line, &r) || happened(chain, s->manifest.links, &r))
            good = (size_t)(rest.p - text.p);
    }
    return good;
}

int dropped_put(const struct store *s, const struct manifest *next, struct store_dropped *d, struct err *e)
{
    AUTO_BUF struct buf b;
    AUTO_BUF struct buf line;
    AUTO_BUF struct buf shorter;
    char path[PATH_BYTES];
    struct dropped_row r;
    size_t good;
    int rc;

    buf_init(&b, DROPPED_BYTES_MAX + 2 * MIB);
    buf_init(&line, 0);
    buf_init(&shorter, 0);
    d->first_link = s->manifest.links + 1;
    d->last_link = next->links;
    r.d = *d;
    hex_of(next->chain, SHA_BYTES, r.chain);
    row_put(&line, &r);
    rc = lines_read(s->folder, &b, e);
    if (rc < 0)
        return rc;
    path_of(s->folder, path);
    good = settled(s, buf_view(&b));
    if (good + line.n > DROPPED_BYTES_MAX) {
        fold(str_of(b.p, good), &shorter);
        buf_str(&shorter, buf_view(&line));
        return buf_failed(&shorter) ? err_set(e, -ENOMEM, "no memory for the log of removals") : file_write_atomic(path, buf_view(&shorter), 0640, e);
    }
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (ftruncate(fd, (off_t)good) < 0 || lseek(fd, 0, SEEK_END) < 0)
        return err_sys(e, "could not cut \"%s\"", path);
    rc = file_write_all(fd, buf_view(&line), e);
    if (rc == 0 && fdatasync(fd) < 0)
        rc = err_sys(e, "could not sync \"%s\"", path);
    return rc == 0 && good == 0 ? file_sync_dir(s->folder, e) : rc;
}

/* --- proving --- */

struct proving {
    int             chain;
    uint64_t        links, covered;    /* links up to here are spoken for */
    dropped_fault  *say;
    void           *arg;
};

static void PRINTF(2, 3) fault(struct proving *p, const char *fmt, ...)
{
    char reason[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    p->say(p->arg, reason);
}

/* gap - no part went for its age by the links before one. */
static void gap(struct proving *p, uint64_t before)
{
    struct chain_record c;

    for (uint64_t i = p->covered + 1; p->covered && i < before; i++)
        if (link_read(p->chain, i, &c) && c.kind == CHAIN_RETIRED) {
            fault(p, "part %" PRIu64 " of day %d went (link %" PRIu64 "), and no line says why", c.part.number, c.part.day, i);
            return;
        }
}

/* sums - parts and events that the links of a line took away are those that it tells of. */
static void sums(struct proving *p, const struct store_dropped *d)
{
    uint64_t parts = 0, events = 0;
    struct chain_record c;

    for (uint64_t i = d->first_link; i <= d->last_link && link_read(p->chain, i, &c); i++) {
        parts += c.kind == CHAIN_RETIRED;
        events += c.kind == CHAIN_RETIRED ? c.part.events : 0;
        events -= c.kind == CHAIN_SEALED ? c.part.events : 0;
    }
    if (d->rule != RULE_FOLDED && (parts != d->parts || events != d->events))
        fault(p, "links %" PRIu64 "-%" PRIu64 ": %" PRIu64 " parts with %" PRIu64 " events are said to be gone, the chain says %" PRIu64 " and %" PRIu64, d->first_link,
              d->last_link, d->parts, d->events, parts, events);
}

int dropped_prove(const char *folder, const struct manifest *m, dropped_fault *say, void *arg, struct err *e)
{
    AUTO_CLOSE int chain = chain_open(folder);
    struct proving p = { .chain = chain, .links = m->links, .say = say, .arg = arg };
    AUTO_BUF struct buf b;
    struct str rest, line;
    int rc;

    buf_init(&b, DROPPED_BYTES_MAX + 2 * MIB);
    rc = lines_read(folder, &b, e);
    rest = buf_view(&b);
    for (size_t number = 1; rc == 0 && str_split(&rest, '\n', &line); number++) {
        struct dropped_row r;

        if (line.n == 0)
            continue;
        if (!dropped_take(line, &r)) {
            if (rest.p)         /* the last one may be torn: what it was to tell of never happened */
                fault(&p, "line %zu is damaged", number);
            continue;
        }
        if (!happened(chain, m->links, &r))
            continue;
        if (r.d.first_link <= p.covered)
            fault(&p, "line %zu tells of links that a line before it told of", number);
        gap(&p, r.d.first_link);
        sums(&p, &r.d);
        p.covered = r.d.last_link;
    }
    if (rc == 0)
        gap(&p, m->links + 1);
    return rc;
}
