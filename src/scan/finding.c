/* finding.c - from the expressions of a description to the fields of a finding and of a cover. One table says which field is of what
 * kind; one function a kind makes it. */
#include "scan/cvss.h"
#include "scan/internal.h"

#include <stddef.h>

#define F(name, type)         { #name, type, offsetof(struct scan_finding, name), 0 }
#define L(name, member, type) { #name, type, offsetof(struct scan_finding, member), offsetof(struct scan_finding, member##_count) }

const struct field finding_fields[] = {
    F(tool, FIELD_TEXT), F(check, FIELD_TEXT), F(id, FIELD_TEXT), F(title, FIELD_TEXT), F(description, FIELD_TEXT), F(impact, FIELD_TEXT),
    F(solution, FIELD_TEXT), F(evidence, FIELD_TEXT), F(severity, FIELD_SEVERITY), F(severity_text, FIELD_TEXT), F(status, FIELD_STATUS),
    L(cve, cve, FIELD_CVE), { "references", FIELD_LIST, offsetof(struct scan_finding, references), offsetof(struct scan_finding, reference_count) },
    { "tags", FIELD_LIST, offsetof(struct scan_finding, tags), offsetof(struct scan_finding, tag_count) }, L(cwe, cwe, FIELD_CWE),
    F(cvss_v2, FIELD_TEXT), F(cvss_v3, FIELD_TEXT), F(cvss_v4, FIELD_TEXT), { "vector", FIELD_VECTOR, 0, 0 }, F(cvss, FIELD_NUMBER), F(epss, FIELD_NUMBER),
    F(epss_percentile, FIELD_NUMBER), F(kev, FIELD_FLAG), F(host, FIELD_TEXT), F(ip, FIELD_TEXT), F(port, FIELD_PORT), F(protocol, FIELD_TEXT),
    F(service, FIELD_TEXT), F(component, FIELD_TEXT), F(version, FIELD_TEXT), F(fixed_version, FIELD_TEXT), F(path, FIELD_TEXT), F(line, FIELD_COUNT32),
    F(url, FIELD_TEXT), F(method, FIELD_TEXT), F(parameter, FIELD_TEXT), F(seen_at, FIELD_TIME), F(first_seen_at, FIELD_TIME),
    F(occurrences, FIELD_COUNT64), { NULL, FIELD_TEXT, 0, 0 },
};

#define C(name) { #name, FIELD_TEXT, offsetof(struct scan_cover, name), 0 }
const struct field cover_fields[] = {
    C(tool), C(check), C(host), C(ip), C(path), C(protocol), { "port", FIELD_PORTS, 0, 0 }, { NULL, FIELD_TEXT, 0, 0 },
};

const struct field *field_find(const struct field *table, struct str name)
{
    for (; table->name; table++)
        if (str_eq(name, str_c(table->name)))
            return table;
    return NULL;
}

/* bounded - at most SCAN_TEXT_MAX, cut between letters. */
static struct str bounded(struct making *m, struct str s)
{
    size_t n = SCAN_TEXT_MAX;

    s = str_trim(s);
    if (s.n <= SCAN_TEXT_MAX)
        return s;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    m->cut++;
    return str_of(s.p, n);
}

/* put_list - each value once, in the order of the report. */
static void put_list(struct making *m, void *list, size_t *count, struct values *in)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n && i < 4 * SCAN_LIST_MAX && n < SCAN_LIST_MAX; i++) {
        struct str s = bounded(m, in->v[i]);
        size_t k = 0;

        while (k < n && !str_eq(in->v[k], s))
            k++;
        if (k == n && s.n)
            in->v[n++] = s;
    }
    m->cut += in->n > 4 * SCAN_LIST_MAX || (in->n > SCAN_LIST_MAX && n == SCAN_LIST_MAX);
    *(const struct str **)list = in->v;
    *count = n;
}

static void put_cves(struct making *m, struct scan_finding *f, const struct values *in)
{
    struct values cves = { 0 };

    for (size_t i = 0; i < in->n; i++)
        cves_in(m->v, in->v[i], &cves);
    put_list(m, &f->cve, &f->cve_count, &cves);
}

static void put_cwes(struct making *m, struct scan_finding *f, const struct values *in)
{
    uint32_t *numbers;

    if (in->n == 0)
        return;
    numbers = pile_alloc(&m->v->pile, SCAN_LIST_MAX * sizeof *numbers);
    if (!numbers)
        return;
    for (size_t i = 0; i < in->n; i++)
        cwes_in(in->v[i], numbers, &f->cwe_count);
    f->cwe = numbers;
}

/* said - what the report itself says where x gave s: what stood before a map or bands made a word of it, and nothing where the word is the
 * description's own. Follows the description alone (EXPR_DEPTH_MAX). */
static struct str said(struct making *m, const struct expr *x, struct node *n, struct str s)
{
    static const struct str nothing = { NULL, 0 };

    switch (x->kind) {
    case EXPR_MAP:
    case EXPR_BANDS: return said(m, x->from, n, eval_one(m->v, x->from, n));
    case EXPR_MATCH: return x->give.n && str_chr(x->give, '$') < 0 ? nothing : s;
    case EXPR_WHEN:
        x = eval_conds(m->v, x->when, n) ? x->from : x->otherwise;
        return x ? said(m, x, n, s) : nothing;
    case EXPR_FIRST:
        for (size_t i = 0; i < x->count; i++) {
            struct str given = eval_one(m->v, x->list[i], n);

            if (given.n)
                return said(m, x->list[i], n, given);
        }
        return nothing;
    case EXPR_TEXT:
        for (size_t i = 0; i < x->count; i++)
            if (x->list[i])
                return s;
        return nothing;
    case EXPR_PATH:
        for (const struct path *p = x->path; p; p = p->next)
            if (p->from == FROM_LITERAL && str_eq(p->literal, s))
                return nothing;
        return s;
    default: return s;
    }
}

/* put_severity - our word, and beside it the tool's own. */
static void put_severity(struct making *m, struct scan_finding *f, const struct expr *x, struct node *n, struct str s)
{
    f->severity = severity_of(s);
    if (!f->severity_text.n)
        f->severity_text = bounded(m, said(m, x, n, s));
}

static int32_t port_of(struct str s)
{
    uint64_t n = 0;
    size_t digits = 0;

    while (digits < s.n && digits < 6 && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    return digits && str_u64(str_of(s.p, digits), &n) && n <= 65535 ? (int32_t)n : -1;
}

static void put_vector(struct scan_finding *f, struct str s)
{
    if (str_starts(s, STR("CVSS:4")))
        f->cvss_v4 = s;
    else if (str_starts(s, STR("CVSS:3")) || str_find(s, STR("/PR:")) >= 0)
        f->cvss_v3 = s;
    else if (str_find(s, STR("Au:")) >= 0)
        f->cvss_v2 = s;
}

static void put_number(struct scan_finding *f, const struct field *field, struct str s)
{
    char *at = (char *)f + field->offset;
    double number = 0;
    uint64_t count = 0;

    switch (field->type) {
    case FIELD_NUMBER:
        if (number_in(s, &number))
            *(double *)(void *)at = number;
        break;
    case FIELD_COUNT32:
        if (number_in(s, &number) && number >= 0 && number <= UINT32_MAX)
            *(uint32_t *)(void *)at = (uint32_t)number;
        break;
    case FIELD_COUNT64:
        if (str_u64(s, &count))
            *(uint64_t *)(void *)at = count;
        break;
    case FIELD_FLAG:
        *(int *)(void *)at = str_ieq(s, STR("true")) || str_ieq(s, STR("yes")) || str_eq(s, STR("1"));
        break;
    case FIELD_PORT: *(int32_t *)(void *)at = port_of(s); break;
    case FIELD_TIME: (void)time_auto(s, (time_ns *)(void *)at); break;
    default: break;
    }
}

static bool takes_all(enum field_type t) { return t == FIELD_LIST || t == FIELD_CVE || t == FIELD_CWE || t == FIELD_VECTOR; }

static void put(struct making *m, struct scan_finding *f, const struct setting *s, struct node *n)
{
    struct values in = { .most = takes_all(s->field->type) ? 0 : 1 };

    eval_expr(m->v, s->value, n, &in);
    if (in.n == 0)
        return;
    switch (s->field->type) {
    case FIELD_TEXT: *(struct str *)(void *)((char *)f + s->field->offset) = bounded(m, in.v[0]); break;
    case FIELD_LIST: put_list(m, (char *)f + s->field->offset, (size_t *)(void *)((char *)f + s->field->count_offset), &in); break;
    case FIELD_CVE: put_cves(m, f, &in); break;
    case FIELD_CWE: put_cwes(m, f, &in); break;
    case FIELD_SEVERITY: put_severity(m, f, s->value, n, in.v[0]); break;
    case FIELD_STATUS: (void)status_of(in.v[0], &f->status); break;
    case FIELD_VECTOR:
        for (size_t i = 0; i < in.n; i++)
            put_vector(f, bounded(m, in.v[i]));
        break;
    default: put_number(f, s->field, in.v[0]); break;
    }
}

/* score_of - the base score of a vector of this version; without its prefix, as some tools write it, too. */
static bool score_of(struct str vector, const char *prefix, bool v2, double *out)
{
    char text[CVSS_TEXT_MAX];
    struct cvss c;
    int n;

    if (vector.n == 0 || vector.n >= CVSS_TEXT_MAX - 16)
        return false;
    n = snprintf(text, sizeof text, "%s%.*s", v2 || str_starts(vector, STR("CVSS:")) ? "" : prefix, STR_ARG(vector));
    if (cvss_parse(str_of(text, (size_t)n), &c, NULL) < 0 || (c.version == CVSS_2_0) != v2)
        return false;
    *out = cvss_base(&c);
    return true;
}

static double within(double number, double most) { return number >= 0 && number <= most ? number : -1; }

/* settle - what follows from the fields together: an address in the place of a name, the score of the newest vector. */
static void settle(struct scan_finding *f)
{
    if (f->host.n && address_is(f->host)) {
        if (!f->ip.n)
            f->ip = f->host;
        if (str_eq(f->ip, f->host))
            f->host = str_of(NULL, 0);
    }
    if (f->cvss > 10)
        f->cvss = -1;
    if (!score_of(f->cvss_v4, "CVSS:4.0/", false, &f->cvss) && !score_of(f->cvss_v3, "CVSS:3.1/", false, &f->cvss))
        (void)score_of(f->cvss_v2, "", true, &f->cvss);
    if (f->severity == SCAN_UNKNOWN && !f->severity_text.n && f->cvss >= 0)   /* the rating scale of CVSS */
        f->severity = f->cvss >= 9 ? SCAN_CRITICAL : f->cvss >= 7 ? SCAN_HIGH : f->cvss >= 4 ? SCAN_MEDIUM : f->cvss > 0 ? SCAN_LOW : SCAN_INFO;
    f->epss = within(f->epss, 1);
    f->epss_percentile = within(f->epss_percentile, 1);
    if (f->occurrences == 0)
        f->occurrences = 1;
}

/* one_line - a title as one line: runs of blanks and line breaks are one blank. */
static struct str one_line(struct making *m, struct str s)
{
    char *p;
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (unsigned char)s.p[i] < ' ';
    p = n ? pile_alloc(&m->v->pile, s.n) : NULL;
    if (!p)
        return s;
    n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i];

        if (c != ' ' || (n && p[n - 1] != ' '))
            p[n++] = c;
    }
    return str_of(p, n);
}

struct every { struct node **node; size_t n, cap; struct eval *v; };

static bool every_node(void *arg, struct node *n)
{
    struct every *l = arg;

    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct node **more = pile_alloc(&l->v->pile, cap * sizeof *more);

        if (!more) {
            eval_fail(l->v, -E2BIG, "a record holds more findings than fit in 16 MiB");
            return false;
        }
        if (l->n)
            memcpy(more, l->node, l->n * sizeof *more);
        l->node = more;
        l->cap = cap;
    }
    l->node[l->n++] = n;
    return true;
}

static void nodes_of(struct making *m, const struct record *r, struct node *n, struct every *l)
{
    l->v = m->v;
    if (!r->each)
        every_node(l, n);
    for (const struct path *p = r->each; p; p = p->next)
        eval_nodes(m->v, p, n, every_node, l);
}

int finding_make(struct making *m, const struct record *r, struct node *n, const struct scan_sink *sink, struct scan_report *out, struct err *e)
{
    struct every l = { 0 };

    m->v->visits = 0;
    pile_rewind(&m->v->pile, (struct pile_mark){ 0 });
    nodes_of(m, r, n, &l);
    for (size_t i = 0; i < l.n && m->v->rc == 0; i++) {
        struct scan_finding f = { .tool = m->tool, .cvss = -1, .epss = -1, .epss_percentile = -1, .port = -1, .occurrences = 1, .record_line = l.node[i]->line };
        struct pile_mark mark = pile_mark(&m->v->pile);
        int rc;

        out->records++;
        if (!eval_conds(m->v, r->when, l.node[i]))
            continue;
        for (size_t k = 0; k < r->count; k++)
            put(m, &f, &r->settings[k], l.node[i]);
        settle(&f);
        f.title = one_line(m, f.title);
        if (m->v->pile.failed)
            eval_fail(m->v, -E2BIG, "the texts of a finding are larger than 16 MiB");
        if (m->v->rc < 0)
            break;
        rc = sink->finding(sink->arg, &f, e);
        if (rc < 0)
            return rc;
        out->findings++;
        pile_rewind(&m->v->pile, mark);
    }
    return m->v->rc;
}

/* ports_of - "22,80,1000-2000" as ranges, one cover each. */
static bool next_range(struct str *rest, struct scan_cover *c)
{
    struct str piece;

    while (str_split(rest, ',', &piece)) {
        ptrdiff_t dash;

        piece = str_trim(piece);
        dash = str_chr(piece, '-');
        c->port = port_of(piece);
        c->port_to = dash > 0 ? port_of(str_cut(piece, (size_t)dash + 1)) : c->port;
        if (c->port >= 0 && c->port_to >= c->port)
            return true;
    }
    return false;
}

static int give_cover(struct scan_cover *c, const struct values *ports, const struct scan_sink *sink, struct scan_report *out, struct err *e)
{
    int rc = 0;

    if (ports->n == 0) {
        out->covers++;
        return sink->cover(sink->arg, c, e);
    }
    for (size_t i = 0; i < ports->n && rc >= 0; i++) {
        struct str rest = ports->v[i];

        while (rc >= 0 && next_range(&rest, c)) {
            out->covers++;
            rc = sink->cover(sink->arg, c, e);
        }
    }
    return rc < 0 ? rc : 0;
}

static bool is_place(const struct field *f)
{
    return f->offset == offsetof(struct scan_cover, host) || f->offset == offsetof(struct scan_cover, ip) || f->offset == offsetof(struct scan_cover, path);
}

/* cover_one - a place that is described and that the report does not name is no cover: without it, it would be one of every place. */
static int cover_one(struct making *m, const struct record *r, struct node *n, const struct scan_sink *sink, struct scan_report *out, struct err *e)
{
    struct scan_cover c = { .ran = r->ran, .tool = m->tool, .port = -1, .port_to = -1 };
    struct values checks = { 0 }, ports = { 0 };
    bool has_check = false, has_port = false, has_place = false;
    int rc = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct setting *s = &r->settings[i];
        struct str *at = (struct str *)(void *)((char *)&c + s->field->offset);

        if (s->field->type == FIELD_PORTS) {
            has_port = true;
            eval_expr(m->v, s->value, n, &ports);
        } else if (s->field->offset == offsetof(struct scan_cover, check)) {
            has_check = true;
            eval_expr(m->v, s->value, n, &checks);
        } else {
            struct str given = bounded(m, eval_one(m->v, s->value, n));

            has_place = has_place || is_place(s->field);
            *at = given.n ? given : *at;   /* the tool is the report's unless this says another */
        }
    }
    if (has_place && !c.host.n && !c.ip.n && !c.path.n)
        return m->v->rc;
    if (c.host.n && address_is(c.host) && !c.ip.n) {
        c.ip = c.host;
        c.host = str_of(NULL, 0);
    }
    if (m->v->rc < 0 || (has_check && !checks.n) || (has_port && !ports.n))
        return m->v->rc;
    if (!has_check)
        return give_cover(&c, &ports, sink, out, e);
    for (size_t i = 0; i < checks.n && rc >= 0; i++) {
        c.check = bounded(m, checks.v[i]);
        rc = give_cover(&c, &ports, sink, out, e);
    }
    return rc;
}

int cover_make(struct making *m, const struct record *r, struct node *n, const struct scan_sink *sink, struct scan_report *out, struct err *e)
{
    struct every l = { 0 };
    int rc = 0;

    if (!sink->cover)
        return 0;
    m->v->visits = 0;
    pile_rewind(&m->v->pile, (struct pile_mark){ 0 });
    nodes_of(m, r, n, &l);
    for (size_t i = 0; i < l.n && rc == 0; i++) {
        struct pile_mark mark = pile_mark(&m->v->pile);

        if (eval_conds(m->v, r->when, l.node[i]))
            rc = cover_one(m, r, l.node[i], sink, out, e);
        pile_rewind(&m->v->pile, mark);
    }
    return rc < 0 ? rc : m->v->rc;
}
