/* hunt.c - files through the rules; see hunt.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/hunt_internal.h"
#include "parse/join.h"

#define READ_BYTES (256u * KIB)

int hunt_new(const struct sigma *rules, const char *content, struct hunt **out, struct err *e)
{
    struct hunt *h = calloc(1, sizeof *h);
    int rc;

    *out = NULL;
    if (!h)
        return err_set(e, -ENOMEM, "no memory to hunt");
    h->rules = rules;
    event_batch_init(&h->batch, 4 * HUNT_VALUE_MAX);
    rc = sigma_run_new(rules, true, &h->run, e);
    if (rc == 0)
        rc = parse_new(content, 0, &h->parser, e);
    if (rc < 0)
        hunt_free(&h);
    *out = h;
    return rc;
}

void hunt_free(struct hunt **hp)
{
    struct hunt *h = *hp;

    if (!h)
        return;
    sigma_run_free(&h->run);
    parse_free(&h->parser);
    evtx_free(&h->evtx);
    event_batch_free(&h->batch);
    free(h);
    *hp = NULL;
}

/* --- reading --- */

int hunt_more(struct source *s, struct err *e)
{
    char *room;
    ssize_t n;

    if (s->at > 0) {
        buf_drop(&s->window, s->at);
        s->at = 0;
    }
    room = buf_room(&s->window, READ_BYTES);
    if (!room)
        return err_set(e, -E2BIG, "record %llu is longer than %u bytes", (unsigned long long)s->record + 1, HUNT_VALUE_MAX);
    do
        n = read(s->fd, room, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "could not read \"%s\"", s->path);
    s->window.n += (size_t)n;
    s->end = n == 0;
    return 0;
}

int hunt_look(struct hunt *h, struct source *s, struct err *e)
{
    const struct sigma_match *m;
    struct event *ev = &h->batch.items[0];
    int n;

    ev->seq = ++h->seq;
    s->stats->events++;
    n = sigma_run_event(h->run, ev, false, &m, e);
    if (n <= 0)
        return n;
    s->stats->matches += (uint64_t)n;
    return s->sink(s->arg, s->path, s->record, ev, m, (size_t)n);
}

void hunt_broken(struct source *s, const char *why)
{
    s->stats->broken++;
    s->say(s->arg, s->path, s->record, why);
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* value_end - the end of the JSON object that starts at s->at, reading on as needed. 0 when the file ends before it does. */
static int value_end(struct source *s, size_t *end, struct err *e)
{
    size_t i = s->at, depth = 0;
    bool text = false, escaped = false;

    for (;;) {
        for (; i < s->window.n; i++) {
            char c = s->window.p[i];

            if (escaped)
                escaped = false;
            else if (text && c == '\\')
                escaped = true;
            else if (c == '"')
                text = !text;
            else if (!text && (c == '{' || c == '['))
                depth++;
            else if (!text && (c == '}' || c == ']') && --depth == 0) {
                *end = i + 1;
                return 1;
            }
        }
        if (s->end)
            return 0;
        size_t offset = i - s->at;
        int rc = hunt_more(s, e);
        if (rc < 0)
            return rc;
        i = s->at + offset;
    }
}

static int json_value(struct hunt *h, struct source *s, struct str text, struct err *e)
{
    struct err why;
    int rc;

    event_batch_reset(&h->batch);
    rc = hunt_json_event(text, &h->batch, &why);
    if (rc == -EBADMSG) {
        hunt_broken(s, why.text);
        return 0;
    }
    if (rc < 0)
        return err_set(e, rc, "%s", why.text);
    if (h->batch.items[0].marks & MARK_NO_TIME)
        h->batch.items[0].time = h->batch.items[0].received = s->received;
    return hunt_look(h, s, e);
}

/* json_file - values in a row; around them blanks, commas and the brackets of one array are skipped. */
static int json_file(struct hunt *h, struct source *s, struct err *e)
{
    int rc = 0;

    while (rc >= 0) {
        size_t end = 0;

        while (s->at < s->window.n && s->window.p[s->at] != '{')
            s->at++;
        if (s->at == s->window.n) {
            if (s->end)
                return 0;
            rc = hunt_more(s, e);
            continue;
        }
        rc = value_end(s, &end, e);
        s->record++;
        if (rc == 0) {
            hunt_broken(s, "the file ends within this value");
            return 0;
        }
        if (rc > 0) {
            rc = json_value(h, s, str_of(s->window.p + s->at, end - s->at), e);
            s->at = end;
        }
    }
    return rc;
}

/* next_line - without its newline; a longer one than EVENT_ORIGINAL_MAX is cut, the rest of it passed over. 0 at the end. */
static int next_line(struct source *s, struct str *line, bool *cut, struct err *e)
{
    bool passing = false;

    for (;;) {
        struct str rest = str_of(s->window.p + s->at, s->window.n - s->at);
        ptrdiff_t n = str_chr(rest, '\n');

        if (n >= 0 || (s->end && rest.n)) {
            size_t len = n >= 0 ? (size_t)n : rest.n;

            s->at += len + (n >= 0);
            if (passing) {
                passing = false;
                continue;
            }
            *cut = len > EVENT_ORIGINAL_MAX;
            *line = str_of(rest.p, min_size(len, EVENT_ORIGINAL_MAX));
            if (line->n && line->p[line->n - 1] == '\r')
                line->n--;
            return 1;
        }
        if (s->end)
            return 0;
        if (rest.n > HUNT_VALUE_MAX / 2) {   /* no line: what is there is told as one, the rest of it dropped */
            s->at = s->window.n;
            if (!passing) {
                *cut = true;
                *line = str_of(rest.p, EVENT_ORIGINAL_MAX);
                return 1;
            }
        }
        int rc = hunt_more(s, e);
        if (rc < 0)
            return rc;
    }
}

/* look_at_text - a line, or the records of an audit event; record is the number of its first line. */
static int look_at_text(struct hunt *h, struct source *s, struct str text, uint64_t record, bool cut, bool split, struct err *e)
{
    struct parse_hints hints = { .received = s->received, .zone_min = EVENT_OFFSET_NONE, .path = str_c(s->path), .truncated = cut,
                                 .split = split };
    struct event *ev;

    s->record = record;
    event_batch_reset(&h->batch);
    ev = event_batch_add(&h->batch);
    if (!ev)
        return err_set(e, -ENOMEM, "no memory for an event");
    parse_line(h->parser, text, &hints, &h->batch.arena, ev);
    return hunt_look(h, s, e);
}

static int look_at_joined(struct hunt *h, struct source *s, struct join *join, struct err *e)
{
    struct joined j;
    int rc = 0;

    while (rc >= 0 && join_next(join, &j))
        rc = look_at_text(h, s, j.text, j.first, false, j.split, e);
    return rc;
}

static int joining_lines(struct hunt *h, struct source *s, struct join *join, struct err *e)
{
    uint64_t lines = 0;
    struct str line;
    bool cut = false;
    int rc;

    while ((rc = next_line(s, &line, &cut, e)) > 0) {
        lines++;
        if (str_trim(line).n == 0)
            continue;
        if (!cut && join_kind(line) >= JOIN_PART) {
            rc = join_add(join, STR(""), line, lines, 0, e);
            if (rc == 0)
                rc = look_at_joined(h, s, join, e);
        } else {
            rc = look_at_text(h, s, line, lines, cut, false, e);
        }
        if (rc < 0)
            return rc;
    }
    join_flush(join);
    return rc < 0 ? rc : look_at_joined(h, s, join, e);
}

static int line_file(struct hunt *h, struct source *s, struct err *e)
{
    struct join *join;
    int rc = join_new(&join, e);

    if (rc == 0) {
        rc = joining_lines(h, s, join, e);
        join_free(&join);
    }
    return rc;
}

/* is_json - an object, or an array of objects. "[Mon Mar 19 …" of web servers is a line. */
static bool is_json(struct str s)
{
    while (s.n && (blank(*s.p) || str_starts(s, STR("\xef\xbb\xbf"))))
        s = str_cut(s, blank(*s.p) ? 1 : 3);
    if (s.n && *s.p == '[') {
        s = str_trim(str_cut(s, 1));
        return s.n && *s.p == '{';
    }
    return s.n && *s.p == '{';
}

static const char *container(struct str s)
{
    static const struct { const char *magic; size_t n; const char *name; } rows[] = {
        { "\x1f\x8b", 2, "a gzip file" }, { "\x28\xb5\x2f\xfd", 4, "a zstd file" },
        { "PK\x03\x04", 4, "a zip file" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_starts(s, str_of(rows[i].magic, rows[i].n)))
            return rows[i].name;
    return NULL;
}

int hunt_file(struct hunt *h, const char *path, hunt_sink *sink, hunt_complain *say, void *arg, struct hunt_stats *stats,
              struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct source s = { .path = path, .fd = fd, .sink = sink, .say = say, .arg = arg, .stats = stats, .received = clock_now() };
    struct stat st;
    int rc;

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtim.tv_sec < s.received / NS_PER_SECOND)
        s.received = st.st_mtim.tv_sec * NS_PER_SECOND;   /* lines without a year are older than their file */
    buf_init(&s.window, HUNT_VALUE_MAX + READ_BYTES);
    rc = hunt_more(&s, e);
    if (rc == 0 && container(buf_view(&s.window)))
        rc = err_set(e, -EPROTONOSUPPORT, "\"%s\" is %s, which hunt does not read: unpack it or turn it into JSON", path,
                     container(buf_view(&s.window)));
    if (rc == 0)
        rc = evtx_looks(buf_view(&s.window)) ? hunt_evtx(h, &s, e) :
             is_json(buf_view(&s.window))    ? json_file(h, &s, e) :
                                               line_file(h, &s, e);
    buf_free(&s.window);
    return rc < 0 ? rc : 0;
}

/* --- telling --- */

void hunt_match_json(const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, struct buf *out)
{
    const struct sigma_rule *r = m->rule;

    buf_str(out, STR("{\"file\":"));
    buf_json(out, str_c(file));
    buf_printf(out, ",\"record\":%llu,\"time\":\"", (unsigned long long)record);
    buf_time(out, ev->time);
    buf_str(out, STR("\",\"rule\":{\"id\":"));
    buf_json(out, r->id);
    buf_str(out, STR(",\"title\":"));
    buf_json(out, r->title);
    buf_printf(out, ",\"level\":\"%s\",\"tags\":[", sigma_level_name(r->level));
    for (size_t i = 0; i < r->tags.count; i++) {
        if (i)
            buf_byte(out, ',');
        buf_json(out, r->tags.items[i]);
    }
    buf_str(out, STR("],\"author\":"));   /* the licence of the public rules wants it beside every alert */
    buf_json(out, r->author);
    buf_str(out, STR("},\"match\":["));
    for (size_t i = 0; i < m->hit_count; i++) {
        buf_str(out, i ? STR(",{\"field\":") : STR("{\"field\":"));
        buf_json(out, m->hits[i].field);
        buf_str(out, STR(",\"value\":"));
        buf_json(out, m->hits[i].value);
        buf_printf(out, ",\"at\":%zu}", m->hits[i].at);
    }
    buf_byte(out, ']');
    if (r->correlation) {
        buf_printf(out, ",\"count\":%llu,\"group\":", (unsigned long long)m->count);
        buf_json(out, m->group);
    }
    buf_str(out, STR(",\"event\":"));
    event_json(ev, out);
    buf_byte(out, '}');
}
