/* patterns_draft.c - a product's file out of lines of one shape; see parse.h.
 *
 * The first line is cut into words and what stands between them. The others are laid beside it: a word that differs somewhere,
 * or that is an address, a number or a time, becomes {NAME:TYPE}; where the marks between words differ the rest of the text is
 * left as one. Names are guesses from the words before. What comes out is loaded and tried before it is given. */
#include "parse/patterns.h"

#define ID_MAX 32 /* of a product */

#define DRAFT_LINES_MAX   200
#define DRAFT_WORDS_MAX   120
#define DRAFT_SAMPLES_MAX 6

struct word {
    struct str text;
    bool mark;   /* what stands between words: one byte */
    bool varies;
};

struct drafting {
    struct str id, program;
    struct work work; /* of the line at hand: for headers and times */
    struct noted noted[EVENT_FIELDS_MAX];
    struct parse_hints hints;
    struct event_batch batch;
    struct word words[DRAFT_WORDS_MAX];
    size_t count, names;
    bool tail; /* what follows the words differs */
    struct str lines[DRAFT_LINES_MAX];
    size_t line_count;
    struct buf *out;
};

static bool is_mark(char c) { return strchr(" \t\"'[](){}<>=,;|", c) != NULL; }

/* message_of - the text behind a header, and its program. */
static struct str message_of(struct drafting *d, struct str line)
{
    event_batch_reset(&d->batch);
    d->work = (struct work){ .hints = &d->hints, .parser = d->work.parser, .arena = &d->batch.arena, .msg = line, .pri = -1, .noted = d->noted };
    d->work.ev = event_batch_add(&d->batch);
    if (!d->work.ev || !syslog_header(&d->work) || d->work.program.n == 0)
        return line;
    return d->work.msg;
}

/* next_word - off *s; a text in quotes is one word, and so is a time where one may begin. */
static bool next_word(struct drafting *d, struct str *s, bool quoted, bool may_be_time, struct word *out)
{
    struct str at = *s;
    struct stamp stamp;
    size_t n = 0;

    *out = (struct word){ .mark = false };
    if (s->n == 0)
        return false;
    if (quoted) {
        ptrdiff_t end = str_chr(*s, '"');

        if (end > 0)
            n = (size_t)end;
    } else if (may_be_time && stamp_take(&d->work, &at, &stamp)) {
        n = s->n - at.n;
        out->varies = true;
    }
    if (n == 0)
        while (n < s->n && !is_mark(s->p[n]))
            n++;
    out->mark = n == 0;
    out->text = str_left(*s, n ? n : 1);
    *s = str_cut(*s, out->text.n);
    return true;
}

static size_t cut(struct drafting *d, struct str text, struct word *words)
{
    size_t count = 0;
    bool in_quotes = false, time = true;

    while (count < DRAFT_WORDS_MAX && next_word(d, &text, in_quotes, time, &words[count])) {
        const struct word *w = &words[count++];

        if (w->mark && *w->text.p == '"')
            in_quotes = !in_quotes;
        time = w->mark && *w->text.p == '[';
    }
    return text.n ? 0 : count;
}

static const char *type_of(struct str s)
{
    struct str part;

    if (ip_of(s).n)
        return "ip";
    if (all_digits(s))
        return "number";
    if (split_at(s, STR("."), &s, &part) && all_digits(s) && all_digits(part))
        return "decimal";
    return "word";
}

/* lay - another line beside the words. */
static void lay(struct drafting *d, struct str text)
{
    struct word words[DRAFT_WORDS_MAX];
    size_t count = cut(d, text, words), i = 0;

    while (i < d->count && i < count && words[i].mark == d->words[i].mark && (!words[i].mark || str_eq(words[i].text, d->words[i].text))) {
        if (!str_eq(words[i].text, d->words[i].text))
            d->words[i].varies = true;
        i++;
    }
    if (i == d->count && i == count)
        return;
    d->tail = true;
    d->count = i;
}

/* --- writing --- */

static struct str word_before(const struct drafting *d, size_t i)
{
    while (i-- > 0)
        if (!d->words[i].mark && !d->words[i].varies)
            return d->words[i].text;
    return (struct str){ NULL, 0 };
}

static const char *known_name(struct str before, const char *type)
{
    static const struct {
        const char *before, *type, *name;
    } names[] = { { "from", "ip", "source.ip" },      { "src", "ip", "source.ip" },          { "client", "ip", "source.ip" },
                  { "to", "ip", "destination.ip" },   { "dst", "ip", "destination.ip" },     { "user", "word", "user.name" },
                  { "for", "word", "user.name" },     { "username", "word", "user.name" },   { "port", "number", "source.port" },
                  { "pid", "number", "process.pid" }, { "host", "word", "host.name" },       { "by", "word", "user.name" },
                  { "rhost", "ip", "source.ip" },     { "addr", "ip", "source.ip" },         { "ip", "ip", "source.ip" } };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ieq(before, str_c(names[i].before)) && strcmp(type, names[i].type) == 0)
            return names[i].name;
    return NULL;
}

static bool used(const struct drafting *d, const char *name)
{
    return str_find(buf_view(d->out), arena_printf(d->work.arena, "{%s:", name)) >= 0;
}

static void put_name(struct drafting *d, size_t i, const char *type)
{
    struct str before = word_before(d, i);
    const char *name = known_name(before, type);
    bool key = i > 0 && d->words[i - 1].mark && *d->words[i - 1].text.p == '=';

    if (name && !used(d, name)) {
        buf_str(d->out, str_c(name));
        return;
    }
    for (size_t k = 0; k < d->id.n; k++)
        buf_byte(d->out, d->id.p[k] == '-' ? '_' : d->id.p[k]);
    buf_byte(d->out, '.');
    for (size_t k = 0; key && k < before.n && k < 40; k++)
        buf_byte(d->out, is_alpha(before.p[k]) || is_digit(before.p[k]) ? before.p[k] : '_');
    if (!key)
        buf_printf(d->out, "field%zu", ++d->names);
}

/* put_literal - as it stands in single quotes of YAML, and in a pattern. */
static void put_literal(struct drafting *d, struct str s, char next, bool pattern)
{
    for (size_t i = 0; i < s.n; i++) {
        char after = i + 1 < s.n ? s.p[i + 1] : next;

        if (pattern && s.p[i] == '{' && (is_alpha(after) || after == '{' || after == '@'))
            buf_byte(d->out, '\\');
        buf_byte(d->out, s.p[i]);
        if (s.p[i] == '\'')
            buf_byte(d->out, '\'');
    }
}

static void put_words(struct drafting *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct word *w = &d->words[i];
        const char *type = type_of(w->text);
        struct stamp stamp;
        struct str at = w->text;
        bool text = str_chr(w->text, ' ') >= 0, time = stamp_take(&d->work, &at, &stamp) && at.n == 0;
        bool next_varies = i + 1 < d->count && (d->words[i + 1].varies || !d->words[i + 1].mark);

        if (w->mark || (!w->varies && strcmp(type, "word") == 0)) {
            put_literal(d, w->text, next_varies ? '{' : i + 1 < d->count ? *d->words[i + 1].text.p : '\0', true);
            continue;
        }
        buf_byte(d->out, '{');
        if (time && !used(d, "@timestamp"))
            buf_str(d->out, STR("@timestamp:time"));
        else {
            put_name(d, i, text ? "text" : type);
            buf_printf(d->out, ":%s", time || text ? "text" : type);
        }
        buf_byte(d->out, '}');
    }
    if (d->tail)
        buf_str(d->out, STR("{message:rest}"));
}

static void put_file(struct drafting *d)
{
    struct buf *b = d->out;

    buf_printf(b, "# A draft, made from %zu lines: give the fields their names, and say under \"set\" what the lines mean.\n", d->line_count);
    buf_printf(b, "id: %.*s\ntitle: %.*s\nclass: app\nmatch:\n", STR_ARG(d->id), STR_ARG(d->id));
    if (d->program.n) {
        buf_str(b, STR("  programs: ['"));
        put_literal(d, d->program, '\0', false);
        buf_str(b, STR("']\n"));
    } else {
        buf_str(b, STR("  alone: true\n"));
    }
    buf_str(b, STR("patterns:\n  - name: first\n    text: '"));
    put_words(d);
    buf_str(b, STR("'\nsamples:\n"));
    for (size_t i = 0; i < DRAFT_SAMPLES_MAX && i < max_size(d->line_count, 2); i++) {
        buf_str(b, STR("  - line: '"));
        put_literal(d, d->lines[i % d->line_count], '\0', false);
        buf_printf(b, "'\n    want: {parser: %.*s}\n", STR_ARG(d->id));
    }
    buf_str(b, STR("  - line: 'no line of this shape'\n    not: true\n"));
}

/* gather - the lines, and the words that all have. */
static int gather(struct drafting *d, struct str lines, struct err *e)
{
    struct str line, text;

    while (d->line_count < DRAFT_LINES_MAX && str_split(&lines, '\n', &line)) {
        line = str_trim(line);
        if (line.n == 0 || line.n > PATTERN_BYTES_MAX / 2)
            continue;
        if (!str_utf8_valid(line) || memchr(line.p, '\0', line.n))
            return err_set(e, -EBADMSG, "a line is not UTF-8: say its encoding first");
        text = message_of(d, line);
        if (d->line_count == 0) {
            d->program = d->work.program;
            d->count = cut(d, text, d->words);
            for (size_t i = 0; i < d->count; i++)
                d->words[i].varies |= !d->words[i].mark && strcmp(type_of(d->words[i].text), "word") != 0;
        } else {
            if (!str_eq(d->work.program, d->program))
                return err_set(e, -EBADMSG, "the lines are of several programs: \"%.*s\" and \"%.*s\"", STR_ARG(d->program),
                               STR_ARG(d->work.program));
            lay(d, text);
        }
        d->lines[d->line_count++] = line;
    }
    if (d->line_count == 0 || d->count == 0)
        return err_set(e, -EBADMSG, "the lines have no shape in common");
    return 0;
}

/* try_draft - what was written must load, and its samples hold. */
static int try_draft(struct drafting *d, struct err *e)
{
    struct product *product = NULL;
    int rc = product_load(buf_view(d->out), "draft", &product, e);

    if (rc == 0)
        rc = product_try_samples(product, 0, e);
    product_unref(&product);
    return rc < 0 ? err_wrap(e, rc, "the lines have too little in common for a draft") : 0;
}

int parse_draft_id(struct str id, struct err *e)
{
    bool valid = id.n > 0 && id.n <= ID_MAX;

    for (size_t i = 0; i < id.n; i++)
        valid = valid && (is_digit(id.p[i]) || (id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] == '-' && i > 0));
    return valid ? 0 : err_set(e, -EINVAL, "\"%.*s\" is no id: it wants small letters, digits and '-', %d at most", STR_ARG(str_of(id.p, min_size(id.n, 64))), ID_MAX);
}

int parse_draft(struct str lines, struct str id, struct buf *out, struct err *e)
{
    struct drafting *d = calloc(1, sizeof *d);
    struct parser *p = parser_bare(0);
    int rc = d && p ? parse_draft_id(id, e) : err_set(e, -ENOMEM, "no memory for a draft");

    if (rc == 0) {
        d->id = id;
        d->out = out;
        d->hints = (struct parse_hints){ .received = clock_now(), .zone_min = 0 };
        d->work.parser = p;
        event_batch_init(&d->batch, 0);
        rc = gather(d, lines, e);
        if (rc == 0)
            put_file(d);
        if (rc == 0)
            rc = try_draft(d, e);
        event_batch_free(&d->batch);
    }
    if (p)
        parse_free(&p);
    free(d);
    return rc;
}

int parse_draft_reads(struct str draft, struct str lines, size_t *count, size_t *reads, struct err *e)
{
    struct product *product = NULL;
    int rc = product_load(draft, "draft", &product, e);

    if (rc == 0)
        rc = product_try_lines(product, lines, count, reads, e);
    product_unref(&product);
    return rc;
}
