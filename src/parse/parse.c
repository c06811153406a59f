/* parse.c - the way of a line: marks, shape, header, program, and what is told at the end; see parse.h. */
#include "parse/evtx.h"
#include "parse/forms_internal.h"
#include "parse/patterns.h"

#define MESSAGE_REPEATED STR("message repeated ")

struct parser *parser_bare(int32_t zone_min)
{
    struct parser *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->zone_min = zone_min == EVENT_OFFSET_NONE ? 0 : zone_min;
    syslog_priorities(p);
    audit_keys(p);
    static_assert(COUNT(p->programs) >= 4 * 60, "the table stays a quarter full");
    assert(program_count < COUNT(p->programs) / 2);
    for (size_t i = 0; i < program_count; i++) {
        size_t at = name_hash(str_c(programs[i].name)) % COUNT(p->programs);

        while (p->programs[at].program)
            at = (at + 1) % COUNT(p->programs);
        p->programs[at].name = str_c(programs[i].name);
        p->programs[at].program = &programs[i];
    }
    return p;
}

int parse_new(const char *content_folder, int32_t zone_min, struct parser **out, struct err *e)
{
    struct parse_options o = { .zone_min = zone_min };
    char path[4096];

    if (content_folder && *content_folder) {
        snprintf(path, sizeof path, "%s/parsers", content_folder);
        o.folders[0] = path;
    }
    return parse_open(&o, out, e);
}

void parse_free(struct parser **p)
{
    if (*p)
        patterns_free(&(*p)->data);
    free(*p);
    *p = NULL;
}

const char *const *parse_names(const struct parser *p, size_t *count)
{
    static const char *const names[] = {
        "sshd", "sudo",    "su",     "doas",     "cron",  "kernel", "netfilter", "accounts", "systemd", "logind",
        "pam",  "syslogd", "auditd", "packages", "cisco", "json",   "kv",        "cef",      "leef",
        "w3c",  "windows", "snare",  "syslog",   "raw",
    };

    (void)p;
    *count = COUNT(names);
    return names;
}

typedef int8_t sixteen __attribute__((vector_size(16), aligned(1), may_alias));

/* plain - of sixteen bytes those that are printable ASCII: with one more, all others are below zero or no more than a blank. */
static inline sixteen plain(const char *p)
{
    typedef uint8_t bytes __attribute__((vector_size(16), aligned(1), may_alias));

    return (sixteen)(*(const bytes *)(const void *)p + 1) > ' ';
}

/* harmless - those that stand for something in a text: all but control bytes other than blanks. */
static inline sixteen harmless(const char *p)
{
    sixteen c = *(const sixteen *)(const void *)p;

    return ((c < 0) | (c >= ' ') | (c == '\t') | (c == '\n') | (c == '\r')) & (c != 0x7f);
}

/* all_so - one look at every byte, 32 at a time. The last step looks at some a second time. */
static inline bool all_so(struct str s, sixteen (*so)(const char *p))
{
    sixteen all = (sixteen){ 0 } == 0;
    uint64_t halves[2];
    char few[16];
    size_t i = 0;

    if (s.n < sizeof few) {
        memset(few, ' ', sizeof few);
        if (s.n)
            memcpy(few, s.p, s.n);
        s = str_of(few, sizeof few);
    }
    for (; i + 32 < s.n; i += 32)
        all &= so(s.p + i) & so(s.p + i + 16);
    if (i + 16 < s.n)
        all &= so(s.p + i);
    all &= so(s.p + s.n - 16);
    memcpy(halves, &all, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

/* marks_of - control bytes, and bytes that are no UTF-8. Most lines show at a glance that they have neither. */
static uint32_t marks_of(struct str s)
{
    if (all_so(s, plain))
        return 0;
    return (all_so(s, harmless) ? 0u : MARK_BINARY) | (str_utf8_valid(s) ? 0u : MARK_NOT_UTF8);
}

static bool blank(struct str s) { return str_trim(s).n == 0; }

/* repeat - "message repeated 3 times: [ Failed password …]": the inner text is parsed, the count is kept. */
RARELY static void repeat(struct work *w)
{
    struct str s = w->msg, count;

    if (!take(&s, MESSAGE_REPEATED))
        return;
    count = take_until(&s, STR(" times: ["));
    if (!all_digits(count) || s.n == 0)
        return;
    work_add(w, STR("saqshy.repeated"), count);
    if (s.p[s.n - 1] == ']')
        s.n--;
    w->msg = str_trim(s);
}

static void header_fields(struct work *w)
{
    struct str name = w->program, module;

    if (str_chr(name, '(') >= 0)
        (void)split_at(name, STR("(pam_"), &name, &module);
    work_add(w, STR("host.name"), w->host.n ? w->host : w->hints->host);
    work_add(w, STR("process.name"), name);
    if (all_digits(w->pid))
        work_add(w, STR("process.pid"), w->pid);
}

/* formed - a structured form that the first bytes show. */
static bool formed(struct work *w)
{
    struct str s = w->msg;
    struct str tag = w->program;

    if ((str_eq(tag, STR("CEF")) || str_eq(tag, STR("LEEF"))) && is_digit(*s.p) && tag.p < s.p)
        w->msg = s = str_of(tag.p, s.n + (size_t)(s.p - tag.p)); /* "CEF: 0|…" was taken for a tag */
    switch (*s.p) {
    case 'C':
        return cef_looks(s) && cef_line(w);
    case 'L':
        return leef_looks(s) && leef_line(w);
    case 'M':
        return snare_looks(s) && snare_line(w);
    case '<':
        return winxml_looks(s) && winxml_line(w);
    default:
        return false;
    }
}

/* unit_fields - what journald knows, where the object itself does not say it. */
RARELY static void unit_fields(struct work *w)
{
    if (event_get(w->ev, STR("process.name")).n)
        return;
    work_add(w, STR("process.name"), w->hints->unit);
    if (all_digits(w->hints->pid) && event_get(w->ev, STR("process.pid")).n == 0)
        work_add(w, STR("process.pid"), w->hints->pid);
}

/* by_data - products as data that come before the readers in C: of the program, of the path, or found by their literals
 * where the program is nobody's. */
static bool by_data(struct work *w)
{
    if (!w->parser->data)
        return false;
    if (w->structured.n && patterns_structured(w))
        return true;
    if (w->program.n && program_data(w))
        return true;
    if ((w->hints->parser.n && patterns_named(w, w->msg)) || (w->hints->path.n && patterns_path(w, w->msg)))
        return true;
    return !program_taken(w) && patterns_alone(w, w->msg);
}

/* syslogish - begins with a PRI or the name of a month: a header comes first. */
static bool syslogish(struct str s)
{
    return s.n > 4 && ((*s.p == '<' && is_digit(s.p[1])) || (is_alpha(s.p[0]) && is_alpha(s.p[1]) && is_alpha(s.p[2]) && s.p[3] == ' '));
}

/* whole_by_data - products whose texts are whole lines, without any header. */
static bool whole_by_data(struct work *w)
{
    bool ok;

    if (!w->parser->data)
        return false;
    if (w->hints->unit.n && w->hints->path.n == 0) {
        w->program = w->hints->unit;
        ok = program_data(w);
        w->program = (struct str){ NULL, 0 };
        w->routed = false;
    } else {
        ok = (w->hints->parser.n && patterns_named(w, w->msg)) || (w->hints->path.n && patterns_path(w, w->msg)) ||
             (!syslogish(w->msg) && patterns_alone(w, w->msg));
    }
    if (ok)
        unit_fields(w);
    return ok;
}

/* body - what stands behind a header, or the whole of a line that has none. False: nobody knows it. */
static bool body(struct work *w)
{
    struct str s = w->msg;

    if (s.n == 0) /* all that some say is structured data */
        return w->structured.n && w->parser->data && patterns_structured(w);
    if (by_data(w))
        return true;
    if (*s.p == '%' && cisco_message(w))
        return true;
    if (formed(w))
        return true;
    if (*s.p == '{' || take(&s, STR("@cee:"))) {
        struct str message = w->msg;
        bool trouble = w->trouble;

        w->msg = str_trim(s);
        if (json_line(w))
            return true;
        w->msg = message;
        w->trouble = trouble;
    }
    if (audit_looks(w->msg) && audit_message(w))
        return true;
    if (w->program.n) {
        repeat(w);
        program_message(w);
        if (w->ev->parser.n)
            return true;
    }
    if (netfilter_message(w))
        return true;
    return kv_line(w, w->msg);
}

/* tag_alone - "named[3534]: …" without any time: only with a pid, or from a program we know. */
RARELY static bool tag_alone(struct work *w)
{
    if (!is_alpha(*w->msg.p) || !syslog_tag(w))
        return false;
    if (w->pid.n || program_known(w->parser, w->program))
        return true;
    w->msg = str_trim(w->text);
    w->program = (struct str){ NULL, 0 };
    return false;
}

/* stem - "sshd" of "/var/log/sshd.log.1". */
static struct str stem(struct str path)
{
    struct str before, name;

    if (split_last(path, STR("/"), &before, &name))
        path = name;
    return take_until(&path, STR("."));
}

/* sshd_alone - a line as "sshd -E file" writes it, without any header: told by beginnings and ends that only sshd has.
 */
RARELY static bool sshd_alone(struct str s)
{
    static const char *const heads[] = { "Invalid user ",
                                         "Received disconnect from ",
                                         "Disconnected from ",
                                         "Connection from ",
                                         "Connection closed by ",
                                         "Connection reset by ",
                                         "error: maximum authentication attempts exceeded" };

    if (str_ends(s, STR("[preauth]")) || str_starts(s, STR("Server listening on ")) ||
        str_starts(s, STR("pam_unix(sshd:")) || str_starts(s, STR("error: PAM: ")) ||
        str_eq(s, STR("Received signal 15; terminating.")))
        return true;
    if (!has(s, STR(" port ")))
        return false;
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(s, str_c(heads[i])))
            return true;
    return has(s, STR(" from ")) && has(s, STR(" ssh2"));
}

/* headless - a message without header or tag: of the program that the file is named for, or of sshd. */
RARELY static bool headless(struct work *w)
{
    struct str name = stem(w->hints->path);
    bool trouble = w->trouble;

    if (!program_known(w->parser, name)) {
        if (!sshd_alone(w->msg))
            return false;
        name = STR("sshd");
    }
    w->program = name;
    program_message(w);
    if (w->trouble == trouble && w->ev->parser.n) {
        header_fields(w);
        return true;
    }
    w->trouble = trouble; /* another text in a file of that name: as if it had none */
    w->ev->parser = w->program = (struct str){ NULL, 0 };
    w->ev->class = CLASS_NONE;
    return false;
}

/* understand - the shape of the line chooses the way. False: nothing understood it. */
static bool understand(struct work *w)
{
    bool header;

    if (whole_by_data(w))
        return true;
    if (*w->msg.p == '{') {
        if (json_line(w)) {
            unit_fields(w);
            return true;
        }
        w->trouble = false; /* a brace at the start of some text */
    }
    if (audit_looks(w->msg)) {
        header_fields(w);
        return audit_message(w);
    }
    if (formed(w) || (w3c_looks(w->msg) && w3c_line(w)))
        return true;
    /* A message of journald is its program's word alone: a header within it would be a lie. Lines of files have
     * headers. */
    header = (w->hints->unit.n == 0 || w->hints->path.n) && (syslog_header(w) || tag_alone(w));
    if (w->program.n == 0 && w->hints->unit.n) {
        w->program = w->hints->unit;
        w->pid = w->hints->pid;
        header = true;
    }
    if (w->program.n == 0 && program_of(w->parser, w->hints->parser)) {
        w->program = w->hints->parser;
        header = true;
    }
    if (header)
        header_fields(w);
    else if (headless(w))
        return true;
    if (body(w))
        return true;
    if (patterns_claim(w))
        return true;
    if (!header)
        return false;
    if (package_message(w)) {
        w->ev->parser = STR("packages");
        w->ev->class = CLASS_OS_UNIX;
        return true;
    }
    w->ev->parser = STR("syslog");
    if (w->ev->class == CLASS_NONE && w->program.n)
        w->ev->class = CLASS_OS_UNIX;
    return true;
}

/* main_log - the logs that paragraph 3 of Annex 4 names, and Debian's names for them. */
static bool main_log(struct str path)
{
    static const char *const heads[] = { "/var/log/secure", "/var/log/messages", "/var/log/audit", "/var/log/auth.log",
                                         "/var/log/syslog" };

    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(path, str_c(heads[i])))
            return true;
    return false;
}

static void finish(struct work *w, bool understood)
{
    struct event *ev = w->ev;
    uint64_t said = w->said;

    if (!understood) {
        ev->parse = EVENT_PARSE_FAILED;
        ev->parser = STR("raw");
        w->msg = str_trim(w->text);
    } else {
        ev->parse = w->trouble ? EVENT_PARSE_PARTIAL : EVENT_PARSE_OK;
        if (!(said & NOTED_KIND)) /* an alert says so itself */
            work_close(w, STR("event.kind"), STR("event"));
    }
    if (!(said & NOTED_HOST))
        work_add(w, STR("host.name"), w->hints->host);
    if (!w->quoted && !(said & NOTED_MESSAGE))
        work_close(w, STR("message"), w->msg);
    work_close(w, STR("log.file.path"), w->hints->path);
    work_close(w, STR("log.source.address"), w->hints->peer);
    if (w->hints->path.n && main_log(w->hints->path))
        w->types |= UX(3);
    if (w->hints->split)
        work_close(w, STR("saqshy.split"), STR("true"));
    work_related(w);
    work_types(w);
    if (!w->timed)
        ev->marks |= MARK_NO_TIME;
    else if (ev->time > ev->received && ev->time - ev->received > w->hints->future_tolerance)
        ev->marks |= MARK_FUTURE;
    if (w->trouble && ev->parse == EVENT_PARSE_OK)
        ev->parse = EVENT_PARSE_PARTIAL;
}

/* decode - a line of another encoding is read as UTF-8; its bytes stay the original. What it was is told. A line that is UTF-8 is
 * that, whatever was said of its source: other encodings do not make its sequences by chance. */
RARELY static void decode(struct work *w)
{
    struct event *ev = w->ev;
    enum encoding e = w->hints->encoding;
    struct str text;

    if (e == ENCODING_DETECT || e == ENCODING_UNKNOWN || ((ev->marks & MARK_NOT_UTF8) == 0 && e > ENCODING_UTF16BE))
        e = encoding_of(ev->original);
    if (e == ENCODING_UTF8 && (ev->marks & MARK_NOT_UTF8) == 0)
        return;
    text = encoding_decode(e, ev->original, w->arena);
    if (text.p == NULL)
        return;
    w->msg = w->text = text;
    ev->marks |= MARK_NOT_UTF8;
    if ((marks_of(text) & MARK_BINARY) == 0)
        ev->marks &= ~(uint32_t)MARK_BINARY; /* the zero bytes of UTF-16 */
    work_add(w, STR("saqshy.encoding"), str_c(encoding_name(e)));
}

/* begin - what the event is before anybody looked into its text. */
static void begin(struct work *w, struct str line)
{
    const struct parse_hints *h = w->hints;
    struct event *ev = w->ev;

    ev->original = str_left(line, EVENT_ORIGINAL_MAX);
    ev->received = ev->time = h->received;
    ev->offset_min = EVENT_OFFSET_NONE;
    ev->source = h->source;
    ev->marks = marks_of(ev->original) | (h->truncated || line.n > EVENT_ORIGINAL_MAX ? MARK_TRUNCATED : 0u);
    ev->fields = arena_array(w->arena, FIELDS_AT_ONCE, sizeof *ev->fields);
    ev->field_cap = ev->fields ? FIELDS_AT_ONCE : 0;
    w->msg = w->text = ev->original;
}

void parse_line(const struct parser *p, struct str line, const struct parse_hints *h, struct arena *a, struct event *ev)
{
    struct noted noted[EVENT_FIELDS_MAX];
    struct text_pairs pairs;
    struct work w = { .parser = p, .hints = h, .arena = a, .ev = ev, .pri = -1, .pairs = &pairs, .noted = noted };

    pairs.text = (struct str){ NULL, 0 };
    begin(&w, line);
    if ((ev->marks & (MARK_NOT_UTF8 | MARK_BINARY)) || h->encoding == ENCODING_UTF16LE || h->encoding == ENCODING_UTF16BE)
        decode(&w);
    take(&w.msg, STR("\xEF\xBB\xBF"));
    while (w.msg.n && (w.msg.p[w.msg.n - 1] == '\r' || w.msg.p[w.msg.n - 1] == '\n'))
        w.msg.n--;
    finish(&w, !blank(w.msg) && understand(&w));
}

void parse_evtx(const struct parser *p, const struct evtx_record *r, const struct parse_hints *h, struct arena *a, struct event *ev)
{
    struct noted noted[EVENT_FIELDS_MAX];
    struct text_pairs pairs;
    struct work w = { .parser = p, .hints = h, .arena = a, .ev = ev, .pri = -1, .pairs = &pairs, .noted = noted };

    pairs.text = (struct str){ NULL, 0 };
    begin(&w, r->xml);
    finish(&w, windows_pairs(&w, &r->pairs));
    if (!w.timed && r->written) {
        ev->time = r->written;
        ev->marks &= ~(uint32_t)MARK_NO_TIME;
    }
}
