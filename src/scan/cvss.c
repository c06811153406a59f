/* cvss.c - vectors as tables of metrics; base scores of 2.0, 3.0 and 3.1. Version 4.0 is scored in cvss4.c. */
#include "scan/cvss_internal.h"

#include <math.h>

/* Values stand apart by commas; the base group comes first. Their order is that of the weights below. */
static const struct metric v2[] = {
    { "AV", "L,A,N", true }, { "AC", "H,M,L", true }, { "Au", "M,S,N", true }, { "C", "N,P,C", true }, { "I", "N,P,C", true }, { "A", "N,P,C", true },
    { "E", "U,POC,F,H,ND", false }, { "RL", "OF,TF,W,U,ND", false }, { "RC", "UC,UR,C,ND", false }, { "CDP", "N,L,LM,MH,H,ND", false },
    { "TD", "N,L,M,H,ND", false }, { "CR", "L,M,H,ND", false }, { "IR", "L,M,H,ND", false }, { "AR", "L,M,H,ND", false }, { NULL, NULL, false },
};
static const struct metric v3[] = {
    { "AV", "N,A,L,P", true }, { "AC", "L,H", true }, { "PR", "N,L,H", true }, { "UI", "N,R", true }, { "S", "U,C", true }, { "C", "N,L,H", true },
    { "I", "N,L,H", true }, { "A", "N,L,H", true }, { "E", "X,U,P,F,H", false }, { "RL", "X,O,T,W,U", false }, { "RC", "X,U,R,C", false },
    { "CR", "X,L,M,H", false }, { "IR", "X,L,M,H", false }, { "AR", "X,L,M,H", false }, { "MAV", "X,N,A,L,P", false }, { "MAC", "X,L,H", false },
    { "MPR", "X,N,L,H", false }, { "MUI", "X,N,R", false }, { "MS", "X,U,C", false }, { "MC", "X,N,L,H", false }, { "MI", "X,N,L,H", false },
    { "MA", "X,N,L,H", false }, { NULL, NULL, false },
};
/* In the order of enum v4_metric. */
static const struct metric v4[] = {
    { "AV", "N,A,L,P", true }, { "AC", "L,H", true }, { "AT", "N,P", true }, { "PR", "N,L,H", true }, { "UI", "N,P,A", true }, { "VC", "H,L,N", true },
    { "VI", "H,L,N", true }, { "VA", "H,L,N", true }, { "SC", "S,H,L,N", true }, { "SI", "S,H,L,N", true }, { "SA", "S,H,L,N", true },
    { "E", "A,P,U,X", false }, { "CR", "H,M,L,X", false }, { "IR", "H,M,L,X", false }, { "AR", "H,M,L,X", false }, { "MAV", "N,A,L,P,X", false },
    { "MAC", "L,H,X", false }, { "MAT", "N,P,X", false }, { "MPR", "N,L,H,X", false }, { "MUI", "N,P,A,X", false }, { "MVC", "H,L,N,X", false },
    { "MVI", "H,L,N,X", false }, { "MVA", "H,L,N,X", false }, { "MSC", "S,H,L,N,X", false }, { "MSI", "S,H,L,N,X", false }, { "MSA", "S,H,L,N,X", false },
    { "S", "X,N,P", false }, { "AU", "X,N,Y", false }, { "R", "X,A,U,I", false }, { "V", "X,D,C", false }, { "RE", "X,L,M,H", false },
    { "U", "X,Clear,Green,Amber,Red", false }, { NULL, NULL, false },
};
static_assert(COUNT(v4) - 1 <= CVSS_METRICS_MAX, "every metric has its place");

static const struct metric *const tables[] = { v2, v3, v3, v4 };

static int value_of(const struct metric *m, struct str value)
{
    struct str rest = str_c(m->values), piece;

    for (int i = 0; str_split(&rest, ',', &piece); i++)
        if (str_eq(piece, value))
            return i;
    return -1;
}

/* pair - one "metric:value" at an offset of the whole. */
static int pair(const struct metric *table, struct str piece, size_t at, struct cvss *c, struct err *e)
{
    ptrdiff_t colon = str_chr(piece, ':');
    struct str name = colon < 0 ? piece : str_of(piece.p, (size_t)colon), value = colon < 0 ? STR("") : str_cut(piece, (size_t)colon + 1);
    int v;

    for (int i = 0; table[i].name; i++) {
        if (!str_eq(name, str_c(table[i].name)))
            continue;
        if (c->value[i] >= 0)
            return err_at(e, -EBADMSG, at, "CVSS, letter %zu: \"%s\" stands twice", at + 1, table[i].name);
        v = value_of(&table[i], value);
        /* "S", safety, is a value of the modified metrics of 4.0 alone. */
        if (v < 0 || (table == v4 && i >= V4_SC && i <= V4_SA && v == 0) || (table == v4 && i == V4_MSC && v == 0))
            return err_at(e, -EBADMSG, at, "CVSS, letter %zu: \"%s\" has no value \"%.*s\"", at + 1, table[i].name, (int)min_size(value.n, 20), value.n ? value.p : "");
        c->value[i] = (int8_t)v;
        return 0;
    }
    return err_at(e, -EBADMSG, at, "CVSS, letter %zu: no metric \"%.*s\" in this version", at + 1, (int)min_size(name.n, 20), name.n ? name.p : "");
}

static struct str take_version(struct str text, enum cvss_version *v)
{
    static const struct { const char *prefix; enum cvss_version version; } prefixes[] = {
        { "CVSS:3.0/", CVSS_3_0 }, { "CVSS:3.1/", CVSS_3_1 }, { "CVSS:4.0/", CVSS_4_0 }, { "CVSS:2.0/", CVSS_2_0 }, { "CVSS2#", CVSS_2_0 },
    };

    *v = CVSS_2_0;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (str_starts(text, str_c(prefixes[i].prefix))) {
            *v = prefixes[i].version;
            return str_cut(text, strlen(prefixes[i].prefix));
        }
    return text;
}

int cvss_parse(struct str text, struct cvss *out, struct err *e)
{
    struct cvss c;
    struct str rest, piece;
    const struct metric *table;

    if (text.n > CVSS_TEXT_MAX)
        return err_set(e, -E2BIG, "CVSS: a vector longer than %d letters", CVSS_TEXT_MAX);
    memset(c.value, -1, sizeof c.value);
    rest = take_version(text, &c.version);
    if (c.version == CVSS_2_0 && rest.n > 1 && rest.p[0] == '(' && rest.p[rest.n - 1] == ')')
        rest = str_of(rest.p + 1, rest.n - 2);
    if (rest.n == 0)
        return err_at(e, -EBADMSG, 0, "CVSS: the vector is empty");
    if (c.version == CVSS_2_0 && str_starts(rest, STR("CVSS:")))
        return err_at(e, -EBADMSG, 0, "CVSS: no such version; there are 2.0, 3.0, 3.1 and 4.0");
    table = tables[c.version];
    while (str_split(&rest, '/', &piece)) {
        int rc = pair(table, piece, piece.n ? (size_t)(piece.p - text.p) : text.n, &c, e);

        if (rc < 0)
            return rc;
    }
    for (int i = 0; table[i].name; i++)
        if (table[i].base && c.value[i] < 0)
            return err_at(e, -EBADMSG, text.n, "CVSS: the base metric \"%s\" is missing", table[i].name);
    *out = c;
    return 0;
}

static double base_v2(const struct cvss *c)
{
    static const double av[] = { 0.395, 0.646, 1.0 }, ac[] = { 0.35, 0.61, 0.71 }, au[] = { 0.45, 0.56, 0.704 }, cia[] = { 0, 0.275, 0.660 };
    const int8_t *v = c->value;
    double impact = 10.41 * (1 - (1 - cia[v[3]]) * (1 - cia[v[4]]) * (1 - cia[v[5]]));
    double exploit = 20 * av[v[0]] * ac[v[1]] * au[v[2]];

    return floor((0.6 * impact + 0.4 * exploit - 1.5) * (v[3] + v[4] + v[5] ? 1.176 : 0) * 10 + 0.5) / 10;
}

/* round_up - to the tenth; 3.1 does it in whole numbers so that 4.000000001 is no 4.1. */
static double round_up(double x, enum cvss_version v)
{
    long long n;

    if (v == CVSS_3_0)
        return ceil(x * 10 - 1e-9) / 10;
    n = llround(x * 100000);
    return n % 10000 == 0 ? (double)n / 100000 : (double)(n / 10000 + 1) / 10;
}

static double base_v3(const struct cvss *c)
{
    static const double av[] = { 0.85, 0.62, 0.55, 0.2 }, ac[] = { 0.77, 0.44 }, ui[] = { 0.85, 0.62 }, cia[] = { 0, 0.22, 0.56 };
    static const double pr[2][3] = { { 0.85, 0.62, 0.27 }, { 0.85, 0.68, 0.5 } };
    const int8_t *v = c->value;
    bool changed = v[4] == 1;
    double iss = 1 - (1 - cia[v[5]]) * (1 - cia[v[6]]) * (1 - cia[v[7]]);
    double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * pow(iss - 0.02, 15) : 6.42 * iss;
    double exploit = 8.22 * av[v[0]] * ac[v[1]] * pr[changed][v[2]] * ui[v[3]];

    if (impact <= 0)
        return 0;
    return round_up(fmin(changed ? 1.08 * (impact + exploit) : impact + exploit, 10), c->version);
}

double cvss_base(const struct cvss *c)
{
    if (c->version == CVSS_4_0)
        return cvss_v4(c, false);
    return c->version == CVSS_2_0 ? base_v2(c) : base_v3(c);
}

double cvss_score(const struct cvss *c) { return c->version == CVSS_4_0 ? cvss_v4(c, true) : cvss_base(c); }

enum scan_severity cvss_severity(enum cvss_version v, double score)
{
    if (v == CVSS_2_0)
        return score < 4 ? SCAN_LOW : score < 7 ? SCAN_MEDIUM : SCAN_HIGH;
    return score <= 0 ? SCAN_INFO : score < 4 ? SCAN_LOW : score < 7 ? SCAN_MEDIUM : score < 9 ? SCAN_HIGH : SCAN_CRITICAL;
}
