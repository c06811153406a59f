/* fault.c - what is wrong with a text, as a sentence and as a code of the catalogue; and what is probably a slip. */
#include "query/internal.h"

static const struct {
    const char *code, *text;
} faults[] = {
#define FAULT(id, text) { #id, text },
#include "query/fault.def"
#undef FAULT
};

/* cut_copy - s as a string of at most room bytes, cut between letters. */
static void cut_copy(char *to, size_t room, struct str s)
{
    size_t n = min_size(s.n, room - 1);

    while (n && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    memcpy(to, n ? s.p : "", n);
    to[n] = 0;
}

static void fill(struct query_fault *f, struct str text, size_t at, const char *code, struct str word, struct str instead)
{
    *f = (struct query_fault){ .code = code, .at = at, .letter = 1 };
    for (size_t i = 0; i < at && i < text.n; i++)
        f->letter += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    cut_copy(f->word, sizeof f->word, word);
    cut_copy(f->instead, sizeof f->instead, instead);
}

/* sentence - the English text with its two places filled, quoted. */
static void sentence(const struct query_fault *f, const char *text, struct buf *out)
{
    for (struct str s = str_c(text), piece; s.n; s = piece) {
        ptrdiff_t open = str_chr(s, '{');
        bool word = open >= 0 && str_starts(str_cut(s, (size_t)open), STR("{word}"));

        if (open < 0) {
            buf_str(out, s);
            return;
        }
        buf_str(out, str_of(s.p, (size_t)open));
        buf_byte(out, '"');
        buf_str(out, str_c(word ? f->word : f->instead));
        buf_byte(out, '"');
        piece = str_cut(s, (size_t)open + (word ? sizeof "{word}" : sizeof "{instead}") - 1);
    }
}

int query_refuse(struct str text, size_t at, const char *code, const char *says, struct str word, struct str instead, struct query_fault *fault, struct err *e)
{
    struct query_fault own, *f = fault ? fault : &own;
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    fill(f, text, at, code, word, instead);
    sentence(f, says, &b);
    err_at(e, -EINVAL, at, "search: at letter %d: %.*s", f->letter, STR_ARG(buf_view(&b)));
    if (e)
        e->column = f->letter;
    return -EINVAL;
}

int tell(const struct teller *t, size_t at, enum fault what, struct str word, struct str instead)
{
    return query_refuse(t->text, at, faults[what].code, faults[what].text, word, instead, t->fault, t->e);
}

int tell_memory(const struct teller *t) { return err_set(t->e, -ENOMEM, "no memory for the search"); }

/* --- slips --- */

static const struct str known[] = {
#define NAME(text) STR_INIT(text),
#include "query/names.def"
#undef NAME
};

#define NEAR_MAX 2   /* letters */
#define NAME_LEN 64  /* longer names are nobody's slip */

/* distance - letters to add, take, change or exchange with their neighbour until a is b; past NEAR_MAX it is not counted on. */
static unsigned distance(struct str a, struct str b)
{
    unsigned row[3][NAME_LEN + 1], *two = row[0], *one = row[1], *now = row[2];

    for (size_t k = 0; k <= b.n; k++)
        one[k] = (unsigned)k;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *spare = two, best = now[0] = (unsigned)i;

        for (size_t k = 1; k <= b.n; k++) {
            unsigned d = one[k - 1] + (a.p[i - 1] != b.p[k - 1]);

            d = one[k] + 1 < d ? one[k] + 1 : d;
            d = now[k - 1] + 1 < d ? now[k - 1] + 1 : d;
            if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1] && two[k - 2] + 1 < d)
                d = two[k - 2] + 1;
            now[k] = d;
            best = d < best ? d : best;
        }
        if (best > NEAR_MAX)
            return best;
        two = one;
        one = now;
        now = spare;
    }
    return one[b.n];
}

struct str query_nearest(struct str name)
{
    struct str best = { NULL, 0 };
    unsigned least = NEAR_MAX + 1;

    if (name.n == 0 || name.n > NAME_LEN)
        return best;
    for (size_t i = 0; i < COUNT(known); i++) {
        unsigned d = known[i].n > NAME_LEN || known[i].n > name.n + NEAR_MAX || name.n > known[i].n + NEAR_MAX ? NEAR_MAX + 1 : distance(name, known[i]);

        if (d < least) {
            least = d;
            best = known[i];
        }
    }
    /* Two letters of a name of four are half of it. */
    return least * 3 > name.n ? (struct str){ NULL, 0 } : best;
}

/* shortcut - names that people bring along from elsewhere, and what they are called here. */
static struct str shortcut(struct str name)
{
    static const struct {
        struct str theirs, ours;
    } habits[] = {
        { STR_INIT("user"), STR_INIT("user.name") }, { STR_INIT("host"), STR_INIT("host.name") }, { STR_INIT("src_ip"), STR_INIT("source.ip") },
        { STR_INIT("src"), STR_INIT("source.ip") }, { STR_INIT("dst_ip"), STR_INIT("destination.ip") }, { STR_INIT("dest_ip"), STR_INIT("destination.ip") },
        { STR_INIT("dst"), STR_INIT("destination.ip") }, { STR_INIT("srcip"), STR_INIT("source.ip") }, { STR_INIT("dstip"), STR_INIT("destination.ip") },
        { STR_INIT("process"), STR_INIT("process.name") }, { STR_INIT("timestamp"), STR_INIT("@timestamp") }, { STR_INIT("_time"), STR_INIT("time") },
    };

    for (size_t i = 0; i < COUNT(habits); i++)
        if (str_ieq(name, habits[i].theirs))
            return habits[i].ours;
    return (struct str){ NULL, 0 };
}

/* hint_field - the field's name is not known, but another one is near. */
static bool hint_field(const struct query_leaf *n, struct query_fault *f)
{
    struct str near = query_nearest(n->name);

    if (str_eq(near, n->name))
        return false;
    if (near.n == 0)
        near = shortcut(n->name);
    if (near.n == 0)
        return false;
    fill(f, (struct str){ NULL, 0 }, n->at, faults[FAULT_hint_field].code, n->name, near);
    return true;
}

/* hint_equals - "source.ip=10.0.0.1" as a word, where source.ip is a name of a field. */
static bool hint_equals(const struct query_leaf *n, struct query_fault *f)
{
    ptrdiff_t sign = str_chr(n->text, '=');
    char instead[sizeof f->instead];

    if (sign <= 0 || (size_t)sign + 1 == n->text.n || !str_eq(query_nearest(str_of(n->text.p, (size_t)sign)), str_of(n->text.p, (size_t)sign)))
        return false;
    snprintf(instead, sizeof instead, "%.*s:%.*s", (int)sign, n->text.p, STR_ARG(str_cut(n->text, (size_t)sign + 1)));
    fill(f, (struct str){ NULL, 0 }, n->at, faults[FAULT_hint_equals].code, n->text, str_c(instead));
    return true;
}

void query_hints(const struct query *q, query_hint_fn *say, void *arg)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct query_leaf *n = &q->node[i];
        struct query_fault f;

        if (n->op >= OP_SKIP_FALSE || n->op == OP_ALL)
            continue;
        if (n->name.n ? hint_field(n, &f) : n->op != OP_PHRASE && hint_equals(n, &f))
            say(arg, &f);
    }
}
