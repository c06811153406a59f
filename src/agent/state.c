/* state.c - how far we are, as text that a person can read at three in the morning.
 *
 *      saqshy-agent 1
 *      number 1795514400000000000
 *      file DEV INODE HEAD-BYTES HEAD-HASH OFFSET PATH PROGRAM     one being read
 *      done DEV INODE HEAD-BYTES HEAD-HASH OFFSET PATH PROGRAM     one read to its end
 *      cursor TEXT                                                 of journald
 *      ports known                                                 the first look is behind us
 *      port PROTO ADDRESS NUMBER
 *      facts KIND SCAN OFFSET FULL-AT                              a message of facts (0 packages, 1 settings, 2 files, 3 time) and how far it is sent
 *      end HASH                                                    XXH3 of all before
 *
 * Texts are percent-escaped, "-" is an empty one. The file is written atomically; the hash finds what the disk did to it. */
#include "agent/internal.h"

void state_free(struct state *s)
{
    for (size_t i = 0; i < s->mark_count; i++) {
        free(s->marks[i].path);
        free(s->marks[i].program);
    }
    free(s->marks);
    free(s->ports);
    *s = (struct state){ 0 };
}

int state_add_mark(struct state *s, const struct mark *m)
{
    struct mark copy = *m;

    if (s->mark_count == STATE_FILES_MAX)
        return -E2BIG;
    if (s->mark_count == s->mark_cap) {
        size_t cap = s->mark_cap ? s->mark_cap * 2 : 16;
        struct mark *more = realloc(s->marks, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        s->marks = more;
        s->mark_cap = cap;
    }
    copy.path = strdup(m->path);
    copy.program = strdup(m->program ? m->program : "");
    if (!copy.path || !copy.program) {
        free(copy.path);
        free(copy.program);
        return -ENOMEM;
    }
    s->marks[s->mark_count++] = copy;
    return 0;
}

int state_add_port(struct state *s, const struct port *p)
{
    if (s->port_count == STATE_PORTS_MAX)
        return -E2BIG;
    if (s->port_count == s->port_cap) {
        size_t cap = s->port_cap ? s->port_cap * 2 : 16;
        struct port *more = realloc(s->ports, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        s->ports = more;
        s->port_cap = cap;
    }
    s->ports[s->port_count++] = *p;
    return 0;
}

static void put_text(struct buf *b, const char *text)
{
    if (!*text)
        buf_byte(b, '-');
    for (const char *c = text; *c; c++) {
        if (*c > ' ' && *c != '%' && *c != 127 && !(c == text && *c == '-'))
            buf_byte(b, *c);
        else
            buf_printf(b, "%%%02x", (unsigned char)*c);
    }
}

void state_write(const struct state *s, struct buf *b)
{
    size_t begin = b->n;

    buf_printf(b, "saqshy-agent 1\nnumber %llu\n", (unsigned long long)s->number);
    for (size_t i = 0; i < s->mark_count; i++) {
        const struct mark *m = &s->marks[i];

        buf_printf(b, "%s %llu %llu %u %llu %llu ", m->done ? "done" : "file", (unsigned long long)m->dev,
                   (unsigned long long)m->ino, m->head.n, (unsigned long long)m->head.hash, (unsigned long long)m->offset);
        put_text(b, m->path);
        buf_byte(b, ' ');
        put_text(b, m->program);
        buf_byte(b, '\n');
    }
    if (*s->cursor) {
        buf_str(b, STR("cursor "));
        put_text(b, s->cursor);
        buf_byte(b, '\n');
    }
    if (s->ports_known)
        buf_str(b, STR("ports known\n"));
    for (size_t i = 0; i < s->port_count; i++) {
        buf_str(b, STR("port "));
        put_text(b, s->ports[i].proto);
        buf_byte(b, ' ');
        put_text(b, s->ports[i].address);
        buf_printf(b, " %u\n", s->ports[i].number);
    }
    for (int i = 0; i < FACT_KINDS; i++)
        if (s->facts[i].scan)
            buf_printf(b, "facts %d %llu %llu %llu\n", i, (unsigned long long)s->facts[i].scan, (unsigned long long)s->facts[i].offset,
                       (unsigned long long)s->facts[i].full_at);
    buf_printf(b, "end %llu\n", (unsigned long long)str_hash(str_of(b->p + begin, b->n - begin)));
}

/* get_text - one escaped word, NUL-ended in out. False if it is too long, or holds a NUL. */
static bool get_text(struct str *line, char *out, size_t size)
{
    struct str word;
    size_t n = 0;

    if (!str_split(line, ' ', &word) || word.n == 0)
        return false;
    if (str_eq(word, STR("-")))
        word.n = 0;
    for (size_t i = 0; i < word.n; i++, n++) {
        unsigned v = (unsigned char)word.p[i];

        if (n + 1 >= size)
            return false;
        if (v == '%') {
            static const char digits[] = "0123456789abcdef";
            const char *a, *c;

            if (word.n - i < 3)
                return false;
            a = memchr(digits, word.p[i + 1], 16);
            c = memchr(digits, word.p[i + 2], 16);
            if (!a || !c)
                return false;
            v = (unsigned)((a - digits) * 16 + (c - digits));
            i += 2;
        }
        if (v == 0)
            return false;
        out[n] = (char)v;
    }
    out[n] = 0;
    return true;
}

static bool get_number(struct str *line, uint64_t *out)
{
    struct str word;

    return str_split(line, ' ', &word) && str_u64(word, out);
}

static bool take_mark(struct state *s, struct str line, bool done)
{
    uint64_t dev, ino, head_n, hash, offset;
    char path[AGENT_PATH_MAX], program[256];
    struct mark m = { .done = done, .path = path, .program = program };

    if (!get_number(&line, &dev) || !get_number(&line, &ino) || !get_number(&line, &head_n) || !get_number(&line, &hash) ||
        !get_number(&line, &offset) || !get_text(&line, path, sizeof path) || !get_text(&line, program, sizeof program) ||
        head_n > FILE_HEAD_MAX || offset > INT64_MAX || line.n)
        return false;
    m.dev = (dev_t)dev;
    m.ino = (ino_t)ino;
    m.head = (struct file_head){ (uint32_t)head_n, hash };
    m.offset = offset;
    return state_add_mark(s, &m) == 0;
}

static bool take_port(struct state *s, struct str line)
{
    struct port p = { 0 };
    uint64_t number;

    if (!get_text(&line, p.proto, sizeof p.proto) || !get_text(&line, p.address, sizeof p.address) ||
        !get_number(&line, &number) || number > UINT16_MAX || line.n)
        return false;
    p.number = (uint16_t)number;
    return state_add_port(s, &p) == 0;
}

static bool take_facts(struct state *s, struct str line)
{
    struct fact_mark m = { 0 };
    uint64_t kind;

    if (!get_number(&line, &kind) || kind >= FACT_KINDS || !get_number(&line, &m.scan) || !get_number(&line, &m.offset) || !get_number(&line, &m.full_at) || line.n)
        return false;
    s->facts[kind] = m;
    return true;
}

static bool take_line(struct state *s, struct str line)
{
    struct str word;

    if (!str_split(&line, ' ', &word))
        return false;
    if (str_eq(word, STR("number")))
        return str_u64(line, &s->number);
    if (str_eq(word, STR("file")) || str_eq(word, STR("done")))
        return take_mark(s, line, word.p[0] == 'd');
    if (str_eq(word, STR("port")))
        return take_port(s, line);
    if (str_eq(word, STR("facts")))
        return take_facts(s, line);
    if (str_eq(word, STR("ports")))
        return (s->ports_known = str_eq(line, STR("known")));
    return str_eq(word, STR("cursor")) && get_text(&line, s->cursor, sizeof s->cursor);
}

int state_read(struct str text, struct state *s, struct err *e)
{
    struct str rest = text, line;
    uint64_t hash;
    int at = 1;

    *s = (struct state){ 0 };
    if (!str_split(&rest, '\n', &line) || !str_eq(line, STR("saqshy-agent 1")))
        return err_set(e, -EBADMSG, "this is no state of an agent, or one of another version");
    while (str_split(&rest, '\n', &line)) {
        at++;
        if (str_starts(line, STR("end "))) {
            if (str_u64(str_cut(line, 4), &hash) && hash == str_hash(str_of(text.p, (size_t)(line.p - text.p))) && rest.n == 0)
                return 0;
            break;
        }
        if (!take_line(s, line))
            break;
    }
    state_free(s);
    return err_set(e, -EBADMSG, "line %d of the agent's state is damaged, or its end is missing", at);
}
