/* syslog.c - the header of a line: RFC 5424, RFC 3164 and what devices make of it; see internal.h.
 *
 *     <PRI>1 TIME HOST APP PROCID MSGID SD MSG          RFC 5424
 *     <PRI>TIME HOST TAG[PID]: MSG                      RFC 3164; every part may be missing
 *     <PRI>SEQ: HOST: *TIME ZONE: %FAC-SEV-MNEMONIC: …  Cisco
 *
 * A word is a host only where what follows (a tag) or the form of the time says so: lines of applications begin with a
 * time too, and their next word is no host. */
#include "parse/internal.h"

static const struct str facilities[24] = {
    STR_INIT("kern"),         STR_INIT("user"),   STR_INIT("mail"),   STR_INIT("daemon"),   STR_INIT("auth"),
    STR_INIT("syslog"),       STR_INIT("lpr"),    STR_INIT("news"),   STR_INIT("uucp"),     STR_INIT("cron"),
    STR_INIT("authpriv"),     STR_INIT("ftp"),    STR_INIT("ntp"),    STR_INIT("security"), STR_INIT("console"),
    STR_INIT("solaris-cron"), STR_INIT("local0"), STR_INIT("local1"), STR_INIT("local2"),   STR_INIT("local3"),
    STR_INIT("local4"),       STR_INIT("local5"), STR_INIT("local6"), STR_INIT("local7"),
};
static const struct str severities[8] = {
    STR_INIT("emergency"), STR_INIT("alert"),  STR_INIT("critical"),      STR_INIT("error"),
    STR_INIT("warning"),   STR_INIT("notice"), STR_INIT("informational"), STR_INIT("debug"),
};

/* take_pri - "<0>" to "<191>". */
static bool take_pri(struct work *w, struct str *s)
{
    size_t n = 1;
    int v = 0;

    if (s->n < 3 || *s->p != '<')
        return false;
    for (; n < s->n && n < 4 && is_digit(s->p[n]); n++)
        v = v * 10 + (s->p[n] - '0');
    if (n == 1 || n == s->n || s->p[n] != '>' || v > PRI_MAX)
        return false;
    w->pri = v;
    *s = str_cut(*s, n + 1);
    return true;
}

/* syslog_priorities - the fields of each PRI, made once: most lines have one. */
void syslog_priorities(struct parser *p)
{
    for (int i = 0; i <= PRI_MAX; i++)
        snprintf(p->numbers[i], sizeof p->numbers[i], "%d", i % 1000);
    for (int i = 0; i <= PRI_MAX; i++) {
        const struct event_field fields[PRI_FIELDS] = {
            { STR_INIT("log.syslog.priority"), str_c(p->numbers[i]) },
            { STR_INIT("log.syslog.facility.code"), str_c(p->numbers[i / 8]) },
            { STR_INIT("log.syslog.facility.name"), facilities[i / 8] },
            { STR_INIT("log.syslog.severity.code"), str_c(p->numbers[i % 8]) },
            { STR_INIT("log.syslog.severity.name"), severities[i % 8] },
        };

        memcpy(p->priorities[i], fields, sizeof fields);
        for (size_t k = 0; k < PRI_FIELDS; k++)
            p->priority_names |= name_bit(fields[k].name);
    }
}

/* add_priority - the fields of w->pri, at once. None of their names is noted. */
static void add_priority(struct work *w)
{
    const struct event_field *fields = w->parser->priorities[w->pri];
    struct event *ev = w->ev;

    if (ev->field_cap - ev->field_count < PRI_FIELDS) {
        for (size_t i = 0; i < PRI_FIELDS; i++)
            work_add(w, fields[i].name, fields[i].value);
        return;
    }
    memcpy(ev->fields + ev->field_count, fields, PRI_FIELDS * sizeof *fields);
    ev->field_count += PRI_FIELDS;
    w->names |= w->parser->priority_names;
}

RARELY static int index_of(const struct str *names, int count, struct str s)
{
    for (int i = 0; i < count; i++)
        if (str_starts(names[i], s))
            return i;
    return -1;
}

/* bsd_level - "<4.6> " or "<auth.info> " behind the time: syslogd -v and -vv of the BSDs. */
static void bsd_level(struct work *w, struct str *s)
{
    struct str inside, rest, facility, severity;
    uint64_t f, v;

    if (s->n < 5 || *s->p != '<' || !split_at(str_cut(str_left(*s, 24), 1), STR("> "), &inside, &rest) ||
        !split_at(inside, STR("."), &facility, &severity) || facility.n == 0 || severity.n == 0)
        return;
    *s = str_cut(*s, inside.n + 3);
    if (str_u64(facility, &f) && str_u64(severity, &v)) {
        if (f < 24 && v < 8)
            w->pri = (int)(f * 8 + v);
        return;
    }
    if (index_of(facilities, 24, facility) >= 0 && index_of(severities, 8, severity) >= 0)
        w->pri = index_of(facilities, 24, facility) * 8 + index_of(severities, 8, severity);
}

/* What stands in names and addresses of hosts; letters beyond ASCII too. */
static const bool host_bytes[256] = { ['-' ... ':'] = true, ['@' ... 'Z'] = true, ['_'] = true, ['a' ... 'z'] = true, [0x80 ... 0xff] = true };

#ifdef __SSE2__
/* in_hosts - all of 16 bytes are of these. */
static inline bool in_hosts(const char *p)
{
    __m128i x = _mm_loadu_si128((const void *)p), bigger = _mm_cmplt_epi8(x, _mm_setzero_si128());
    __m128i digits = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('-' - 1)), _mm_cmpgt_epi8(_mm_set1_epi8(':' + 1), x));
    __m128i capitals = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('@' - 1)), _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), x));
    __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('a' - 1)), _mm_cmpgt_epi8(_mm_set1_epi8('z' + 1), x));
    __m128i others = _mm_or_si128(bigger, _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));

    return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(digits, capitals), _mm_or_si128(letters, others))) == 0xffff;
}
#endif

static bool host_like(struct str s)
{
    size_t n = 0;

    if (s.n == 0 || s.n > HOST_MAX)
        return false;
#ifdef __SSE2__
    for (; s.n >= 16; n += 16) {
        n = min_size(n, s.n - 16);
        if (!in_hosts(s.p + n))
            return false;
        if (n == s.n - 16)
            return true;
    }
#endif
    while (n < s.n && host_bytes[(unsigned char)s.p[n]])
        n++;
    return n == s.n;
}

/* --- structured data, RFC 5424 section 6.3 --- */

#define SD_NAME_MAX 64 /* of an id and of a name; 32 by the RFC */

/* sd_value - the text between quotes; \" \\ \] are undone into the arena only where there is one. */
static bool sd_value(struct work *w, struct str *s, struct str *out)
{
    size_t n = 0, escapes = 0, at = 0;
    char *copy;

    while (n < s->n && s->p[n] != '"') {
        if (s->p[n] == '\\' && n + 1 < s->n && memchr("\"\\]", s->p[n + 1], 3)) {
            escapes++;
            n++;
        }
        n++;
    }
    if (n >= s->n)
        return false;
    *out = str_left(*s, n);
    *s = str_cut(*s, n + 1);
    if (escapes == 0 || (copy = arena_alloc(w->arena, n)) == NULL)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (out->p[i] == '\\' && i + 1 < n && memchr("\"\\]", out->p[i + 1], 3))
            i++;
        copy[at++] = out->p[i];
    }
    *out = str_of(copy, at);
    return true;
}

static bool sd_name_end(char c) { return c == '=' || c == ' ' || c == ']' || c == '"'; }

static struct str sd_name(struct str *s)
{
    size_t n = 0;
    struct str name;

    while (n < s->n && !sd_name_end(s->p[n]))
        n++;
    name = str_left(*s, n);
    *s = str_cut(*s, n);
    return name;
}

/* sd_element - one "[id name="value" …]". */
RARELY static bool sd_element(struct work *w, struct str *s)
{
    struct str id, told, name, value;

    if (!take(s, STR("[")))
        return false;
    id = sd_name(s);
    if (id.n == 0)
        return false;
    id.n = min_size(id.n, SD_NAME_MAX);
    told = word_of(id, SD_NAME_MAX);
    if (w->structured.n == 0 && !str_eq(id, STR("timeQuality")) && !str_eq(id, STR("origin")) && !str_eq(id, STR("meta")))
        w->structured = id;
    for (;;) {
        skip_blanks(s);
        if (take(s, STR("]")))
            return true;
        name = sd_name(s);
        if (name.n == 0 || !take(s, STR("=\"")) || !sd_value(w, s, &value))
            return false;
        work_add(w, ARENA_JOIN(w->arena, STR("log.syslog.structured_data."), told, STR("."), word_of(name, SD_NAME_MAX)), value);
    }
}

/* other_pairs - [action:"Drop"; …] of Check Point is a message, and no structured data that is damaged. */
static bool other_pairs(struct str s)
{
    struct str name, rest;

    return split_at(str_left(s, 64), STR(":\""), &name, &rest) && name.n > 1 && str_chr(name, ' ') < 0 && str_chr(name, '=') < 0;
}

static void structured_data(struct work *w, struct str *s)
{
    struct str at = *s;

    w->structured_from = w->ev->field_count;
    if (at.n && *at.p == '-' && (at.n == 1 || at.p[1] == ' ')) {
        *s = str_cut(at, 1);
        return;
    }
    while (at.n && *at.p == '[') {
        if (!sd_element(w, &at)) { /* damaged: the text stays in the message, nothing is lost */
            w->trouble = w->trouble || !other_pairs(*s);
            break;
        }
        *s = at;
    }
    w->structured_to = w->ev->field_count;
}

static struct str nil(struct str s) { return str_eq(s, STR("-")) ? (struct str){ NULL, 0 } : s; }

static bool form_begins(struct str s) { return str_starts(s, STR("CEF:")) || str_starts(s, STR("LEEF:")); }

/* header_word - products put CEF and LEEF right behind the host, without the words between: then there is none. */
static struct str header_word(struct str *s) { return form_begins(*s) ? (struct str){ NULL, 0 } : take_word(s); }

/* rfc5424 - s begins with the version. False: it is not, *s as before. */
static bool rfc5424(struct work *w, struct str *s)
{
    struct str at = *s, word, app, procid, msgid, host;
    struct stamp t;

    if (!take(&at, STR("1 ")))
        return false;
    if (stamp_take(w, &at, &t) && take(&at, STR(" "))) {
        work_time(w, &t);
    } else {
        word = take_word(&at);
        if (!str_eq(word, STR("-")) && !stamp_text(w, word, &t))
            return false;
        if (!str_eq(word, STR("-")))
            work_time(w, &t);
    }
    host = take_word(&at);
    app = header_word(&at);
    procid = header_word(&at);
    msgid = header_word(&at);
    if (msgid.n == 0 && !form_begins(at))
        return false;
    if (w->pri >= 0)
        add_priority(w);
    work_add(w, STR("log.syslog.version"), STR("1"));
    w->host = nil(host);
    w->program = nil(app);
    w->pid = nil(procid);
    work_add(w, STR("log.syslog.hostname"), w->host);
    work_add(w, STR("log.syslog.appname"), w->program);
    work_add(w, STR("log.syslog.procid"), w->pid);
    work_add(w, STR("log.syslog.msgid"), nil(msgid));
    if (!form_begins(at))
        structured_data(w, &at);
    take(&at, STR(" "));
    take(&at, STR("\xEF\xBB\xBF"));
    *s = at;
    return true;
}

/* --- RFC 3164 and kin --- */

/* pid_at - "[123]" or "[123/abc]" at the head of s: the pid. */
static bool pid_take(struct str *s, struct str *pid)
{
    size_t n;

    if (s->n < 3 || *s->p != '[')
        return false;
    n = 1 + until(str_of(s->p + 1, min_size(s->n, 32) - 1), ']', ' ', '[', '[');
    if (n == 1 || n >= s->n || s->p[n] != ']')
        return false;
    *pid = str_of(s->p + 1, n - 1);
    *s = str_cut(*s, n + 1);
    return true;
}

/* bracket_tag - "[sshd] " of metalog: only for a program we know. */
RARELY static bool bracket_tag(struct work *w, struct str *s)
{
    struct str name, rest;

    if (!split_at(str_cut(*s, 1), STR("] "), &name, &rest) || !program_of(w->parser, name))
        return false;
    w->program = name;
    *s = rest;
    return true;
}

/* level_take - "(info):" of Kerberos behind the pid. */
RARELY static bool level_take(struct str *s)
{
    size_t n = 1;

    if (s->n < 4 || *s->p != '(')
        return false;
    while (n < s->n && n < 12 && is_alpha(s->p[n]))
        n++;
    if (n == 1 || n + 1 >= s->n || s->p[n] != ')' || s->p[n + 1] != ':')
        return false;
    *s = str_cut(*s, n + 2);
    return true;
}

/* tag_take - "name[pid]: " or "name: "; blanks in a name only before a numeric "[pid]:" (macOS). */
static bool tag_take(struct work *w, struct str *s)
{
    struct str at = *s, name, pid = { NULL, 0 };
    size_t limit = min_size(at.n, PROGRAM_MAX), n = until(str_left(at, limit), ':', '[', ' ', ' ');

    if (n == 0 && at.n && *at.p == '[')
        return bracket_tag(w, s);
    if (n < limit && at.p[n] == ' ') {
        size_t m = n;

        while (m < limit && at.p[m] != '[' && at.p[m] != ':')
            m++;
        if (m + 2 >= limit || at.p[m] != '[' || !is_digit(at.p[m + 1]) || !is_alpha(at.p[0]))
            return false;
        name = str_left(at, m);
        at = str_cut(at, m);
        if (!pid_take(&at, &pid) || !take(&at, STR(":")) || !all_digits(pid))
            return false;
    } else {
        if (n == 0 || n == limit)
            return false;
        name = str_left(at, n);
        at = str_cut(at, n);
        if (*at.p == '[') {
            struct str note;

            if (!pid_take(&at, &pid))
                return false;
            if (at.n > 2 && at.p[0] == ' ' && at.p[1] == '(' && split_at(at, STR("): "), &note, &at))
                name = str_of(name.p, (size_t)(note.p + note.n + 1 - name.p)); /* launchd[1] (job): */
            else if (!take(&at, STR(":")) && !level_take(&at) && at.n && *at.p != ' ')
                return false;
        } else {
            at = str_cut(at, 1);
            if (at.n && *at.p != ' ' && *at.p != '[' && *at.p != '{')
                return false; /* "12:30", "host:514" and "nmap:amd64" are no tags */
        }
    }
    skip_blanks(&at);
    w->program = name;
    if (all_digits(pid))
        w->pid = pid;
    *s = at;
    return true;
}

/* solaris_id - "[ID 800047 auth.notice] ". */
static void solaris_id(struct work *w, struct str *s)
{
    struct str id, rest;

    if (str_starts(*s, STR("[ID ")) && split_at(str_cut(*s, 4), STR("] "), &id, &rest)) {
        work_add(w, STR("log.syslog.msgid"), take_word(&id));
        *s = rest;
    }
}

static bool repeated(struct str s)
{
    return str_starts(s, STR("last message repeated ")) || str_starts(s, STR("--- last message repeated ")) ||
           str_starts(s, STR("message repeated "));
}

/* odd_host - hosts that no rule has and host_like() does not know, or with a ':' behind them: "[10.0.0.1] ", "[host:category:level]: " (ONTAP), "name,MAC,v4.0 " (UniFi), "host: host: ", "host->location ". */
RARELY static bool odd_host(struct work *w, struct str *s)
{
    struct str at = *s, word = take_word(&at), inside, first, rest;

    if (word.n > 2 && *word.p == '[') {
        bool colon = word.p[word.n - 1] == ':';

        inside = str_of(word.p + 1, word.n - 2 - colon);
        if (word.p[word.n - 1 - colon] != ']')
            return false;
        if (colon && split_at(inside, STR(":"), &first, &rest) && has(rest, STR(":")) && host_like(first))
            inside = first;
        else if (colon || ip_of(inside).n == 0)
            return false;
        w->host = inside;
        *s = at;
        return true;
    }
    if (word.n > 4 && split_at(word, STR("->"), &first, &rest) && host_like(first) && host_like(rest)) { /* archives of OSSEC: "host->location" */
        w->host = first;
        *s = at;
        return true;
    }
    if (word.n > 1 && word.p[word.n - 1] == ':' && str_starts(at, word) && host_like(str_left(word, word.n - 1))) {
        w->host = str_left(word, word.n - 1);
        *s = str_cut(at, word.n);
        return true;
    }
    if (word.n > 15 && split_at(word, STR(","), &first, &rest) && str_find(rest, STR("v")) >= 0 && has(rest, STR(".")) &&
        host_like(first)) {
        w->host = first;
        *s = at;
        tag_take(w, s);
        return true;
    }
    return false;
}

/* host_and_tag - what stands behind the time. sure: the form of the header says that a host follows. */
static void host_and_tag(struct work *w, struct str *s, bool sure)
{
    struct str at = *s, word, tag;

    skip_blanks(&at);
    take(&at, STR(": "));
    tag = at;
    if (repeated(at)) {
        *s = at;
        return;
    }
    word = take_word(&at);
    if (host_like(word) && word.p[word.n - 1] != ':') {
        bool message = repeated(at) || str_starts(at, STR("%")); /* behind a host, without a tag */

        if (message || tag_take(w, &at) || sure) {
            w->host = word;
            *s = at;
        } else {
            *s = tag;
        }
        return;
    }
    if (sure && odd_host(w, &tag)) {
        *s = tag;
        return;
    }
    if (word.n > 1 && word.p[word.n - 1] == ':' && str_starts(at, STR("%"))) {
        w->host = str_left(word, word.n - 1); /* Cisco: "host: %FAC-…" */
        *s = at;
        return;
    }
    if (!str_starts(tag, STR("%")))
        tag_take(w, &tag);
    *s = tag;
}

/* sequence_take - Cisco's "29: " or "000123: ". */
static struct str sequence_take(struct str *s)
{
    struct str back = *s, number;

    if (s->n == 0 || !is_digit(*s->p))
        return (struct str){ NULL, 0 };
    number = take_until(&back, STR(": "));
    if (!all_digits(number) || number.n > 10)
        return (struct str){ NULL, 0 };
    *s = back;
    return number;
}

/* uptime_take - "00:01:01: %", "1w2d: %", "101 21: %": a clock that was never set counts from its start. */
RARELY static bool uptime_take(struct str *s)
{
    struct str rest, word;

    if (!split_at(str_left(*s, 24), STR(": %"), &word, &rest) || word.n == 0 || !is_digit(*word.p))
        return false;
    for (size_t i = 0; i < word.n; i++)
        if (!is_digit(word.p[i]) && !memchr(": ywdhms", word.p[i], 8))
            return false;
    *s = str_cut(*s, word.n + 2);
    return true;
}

/* stamp_joined - a stamp whose end touches the host: "Mar 19 08:05:09gw1 event: …". */
RARELY static bool stamp_joined(struct work *w, struct str *s, struct stamp *t)
{
    struct str head = str_left(*s, 15);

    if (s->n < 17 || !is_alpha(*s->p) || !is_alpha(s->p[15]) || !stamp_take(w, &head, t) || head.n)
        return false;
    *s = str_cut(*s, 15);
    return true;
}

/* host_before_time - "<189>29: host: *Mar  1 …", and devices without a clock: "host: 00:01:01: %", "host: NetScreen …". */
RARELY static bool host_before_time(struct work *w, struct str *s, struct stamp *t, bool *timed)
{
    struct str back = *s, host = take_until(&back, STR(": "));

    if (!host_like(host) || back.n == 0)
        return false;
    if (*back.p == '*' || *back.p == '.')
        back = str_cut(back, 1);
    *timed = stamp_take(w, &back, t);
    if (!*timed && !uptime_take(&back) && !str_starts(back, STR("NetScreen ")))
        return false;
    w->host = host;
    *s = back;
    return true;
}

/* inner_header - a relay has put its own header before the device's: "relay Mar 19 08:05:09 host TAG …". The inner one is the event's. */
static void inner_header(struct work *w, struct str *s)
{
    struct str at = *s, relay = w->host;
    struct stamp t;

    if (w->host.n == 0 || w->program.n || !is_alpha(at.n ? *at.p : ' ') || !stamp_take(w, &at, &t) || at.n < 3 || *at.p != ' ')
        return;
    w->host = (struct str){ NULL, 0 };
    host_and_tag(w, &at, true);
    if (w->host.n == 0) {
        w->host = relay;
        return;
    }
    work_time(w, &t);
    work_add(w, STR("log.syslog.hostname"), relay);
    *s = at;
}

/* zone_name - " MSK: %SYS-…" of Cisco: a zone by its name. */
static void zone_name(struct str *s)
{
    struct str back = *s, name;

    if (s->n <= 5 || *s->p != ' ' || s->p[1] < 'A' || s->p[1] > 'Z')
        return;
    name = take_until(&back, STR(": %"));
    if (name.n <= 6 && back.n)
        *s = str_of(back.p - 1, back.n + 1);
}

/* rfc3164 - without PRI a time must stand first; with PRI anything may follow. */
static bool rfc3164(struct work *w, struct str *s, bool pri)
{
    struct str at = *s, sequence = { NULL, 0 }, back;
    struct stamp t;
    bool timed;

    skip_blanks(&at);
    if (pri && (sequence = sequence_take(&at)).n)
        (void)sequence_take(&at); /* "45: 000044: " counts messages and the log's lines */
    if (!take(&at, STR(": ")) && at.n > 1 && *at.p == ':' && is_alpha(at.p[1]))
        at = str_cut(at, 1); /* ":Mar 19 …" of an ASA with EMBLEM */
    if (at.n > 1 && (*at.p == '*' || *at.p == '.') && is_alpha(at.p[1]))
        at = str_cut(at, 1); /* Cisco: the clock is not set, or lost its source */
    timed = stamp_take(w, &at, &t) || (pri && stamp_joined(w, &at, &t));
    if (!timed && pri && !uptime_take(&at))
        (void)host_before_time(w, &at, &t, &timed);
    if (!timed && !pri)
        return false;
    if (timed) {
        work_time(w, &t);
        back = at;
        skip_blanks(&back);
        bsd_level(w, &back);
        at = back.n && back.p > at.p + 1 ? str_of(back.p - 1, back.n + 1) : at;
    }
    if (w->pri >= 0)
        add_priority(w);
    if (sequence.n)
        work_add(w, STR("event.sequence"), sequence);
    if (timed)
        zone_name(&at);
    if (timed && w->host.n == 0)
        host_and_tag(w, &at, pri || t.iso || is_alpha(*t.text.p) || (is_digit(*t.text.p) && t.text.p[4] == ' '));
    skip_blanks(&at);
    if (timed)
        inner_header(w, &at);
    take(&at, STR(": "));
    if (w->program.n == 0 && !str_starts(at, STR("%")) && (!timed || sequence.n))
        tag_take(w, &at);
    skip_blanks(&at);
    *s = at;
    return true;
}

bool syslog_tag(struct work *w)
{
    struct str at = w->msg, host = take_word(&at);

    if (host.n && at.n && host.p[host.n - 1] != ':' && host_like(host) && tag_take(w, &at)) {
        if (w->pid.n &&
            program_of(w->parser, w->program)) { /* "srv1 sshd[12]: …": what journalctl gives without times */
            w->host = host;
            w->msg = at;
            return true;
        }
        w->program = w->pid = (struct str){ NULL, 0 };
    }
    return tag_take(w, &w->msg);
}

bool syslog_header(struct work *w)
{
    struct str at = w->msg;
    bool pri = take_pri(w, &at);

    if (!rfc5424(w, &at) && !rfc3164(w, &at, pri))
        return false;
    solaris_id(w, &at);
    w->msg = at;
    return true;
}
