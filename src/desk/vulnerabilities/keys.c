/* keys.c - what makes two sightings one vulnerability: the place and the weakness, as text that people can read, and the rules that change it.
 *
 *     10.0.0.5:443/tcp | - | /login?user | CVE-2021-44228
 *     10.0.0.5 | openssl | /usr/lib/libssl.so | CVE-2023-0286
 *     portal.example.kz:443/tcp | - | / | check:zap/10020
 *
 * Four places, always all of them: host with port, package, path, weakness. A raw key is made of the finding alone; rules (same host, same check,
 * merge) lead from it to the key of the vulnerability, and can be ended again. */
#include "desk/vulnerabilities/room.h"

#include <arpa/inet.h>

const char *const severity_values[] = { "info", "unknown", "low", "medium", "high", "critical", NULL };

int severity_parse(struct str name)
{
    for (int i = 0; i < SEV_COUNT; i++)
        if (str_eq(name, str_c(severity_values[i])))
            return i;
    return -1;
}

int severity_rank(enum scan_severity s, double cvss)
{
    static const int of[] = { [SCAN_UNKNOWN] = SEV_UNKNOWN, [SCAN_INFO] = SEV_INFO, [SCAN_LOW] = SEV_LOW, [SCAN_MEDIUM] = SEV_MEDIUM, [SCAN_HIGH] = SEV_HIGH,
                              [SCAN_CRITICAL] = SEV_CRITICAL };

    if (s != SCAN_UNKNOWN || cvss < 0)
        return of[s <= SCAN_CRITICAL ? s : SCAN_UNKNOWN];
    return cvss >= 9 ? SEV_CRITICAL : cvss >= 7 ? SEV_HIGH : cvss >= 4 ? SEV_MEDIUM : cvss > 0 ? SEV_LOW : SEV_INFO;
}

int64_t rank_of(bool kev, int severity, double epss, time_ns first)
{
    int64_t minutes = first / NS_PER_MINUTE, most = ((int64_t)1 << RANK_EPSS_SHIFT) - 1;
    int64_t age = minutes < 0 ? most : minutes > most ? 0 : most - minutes;
    int64_t chance = epss > 0 ? (int64_t)(epss * 1000) : 0;

    return ((int64_t)kev << RANK_KEV_SHIFT) | ((int64_t)severity << RANK_SEV_SHIFT) | ((chance > 1000 ? 1000 : chance) << RANK_EPSS_SHIFT) | age;
}

/* --- one finding --- */

static char lower(char ch) { return ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch; }

/* clean - no control bytes, no '|', blanks once, at most n bytes; in small letters if wanted. */
static struct str clean(struct str s, size_t most, bool small, struct arena *a)
{
    char *p = arena_alloc(a, min_size(s.n, most * 2) + 1);
    size_t n = 0;

    if (!p)
        return STR("");
    for (size_t i = 0; i < s.n && n < most; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if (ch <= ' ' || ch == 0x7f) {
            if (n && p[n - 1] != ' ')
                p[n++] = ' ';
        } else
            p[n++] = ch == '|' ? '/' : small ? lower((char)ch) : (char)ch;
    }
    while (n && p[n - 1] == ' ')
        n--;
    while (n && n == most && !str_utf8_valid(str_of(p, n)))
        n--;
    return str_of(p, n);
}

/* host_part - what of a web address or of "host:port" is the host; networks ("10.0.0.0/24") and addresses of IPv6 stay whole. */
static struct str host_part(struct str h)
{
    ptrdiff_t scheme = str_find(h, STR("://")), at;
    uint64_t n;

    if (scheme > 0)
        h = str_of(h.p + scheme + 3, h.n - (size_t)scheme - 3);
    at = str_chr(h, '/');
    if (at > 0 && (scheme > 0 || !str_u64(str_of(h.p + at + 1, h.n - (size_t)at - 1), &n)))
        h.n = (size_t)at;
    if (h.n && h.p[0] == '[' && (at = str_chr(h, ']')) > 1)
        return str_of(h.p + 1, (size_t)at - 1);
    at = str_chr(h, ':');
    if (at > 0 && str_u64(str_of(h.p + at + 1, h.n - (size_t)at - 1), &n) && n <= 65535)   /* a second colon is no number */
        h.n = (size_t)at;
    return h;
}

/* The one place where spellings of a host become one: capitals, a dot at the end, a port or a web address around it, brackets, a zone, the many forms of one
 * address of IPv6, an address of IPv4 within one of IPv6. docs/vulnerabilities.md says the rule. */
struct str host_clean(struct str s, struct arena *a)
{
    static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct str h = host_part(clean(s, VULN_HOST_MAX, true, a));
    unsigned char bytes[16];
    ptrdiff_t zone;
    char text[64];

    while (h.n && h.p[h.n - 1] == '.')
        h.n--;
    if (h.n == 0 || h.n >= sizeof text || str_chr(h, ':') < 0)
        return h;
    if ((zone = str_chr(h, '%')) > 0)
        h.n = (size_t)zone;
    snprintf(text, sizeof text, "%.*s", STR_ARG(h));
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return h;
    bool four = memcmp(bytes, mapped, sizeof mapped) == 0;
    return inet_ntop(four ? AF_INET : AF_INET6, four ? bytes + 12 : bytes, text, sizeof text) ? arena_copy(a, str_c(text)) : h;
}

bool host_short(struct str host, struct str *out)
{
    ptrdiff_t dot = str_chr(host, '.');
    bool letter = false;

    *out = str_of(host.p, dot > 0 ? (size_t)dot : host.n);
    for (size_t i = 0; i < out->n; i++)
        letter = letter || out->p[i] < '0' || out->p[i] > '9';
    return dot > 0 && letter && str_chr(host, ':') < 0 && str_chr(host, '/') < 0;
}

/* place_path - the path of a web address without its query, or the path of a file; the parameter that was tried belongs to it. */
static struct str place_path(const struct scan_finding *f, struct arena *a)
{
    struct str p = f->path;

    if (!p.n && f->url.n) {
        ptrdiff_t at = str_find(f->url, STR("://"));
        struct str rest = at < 0 ? f->url : str_of(f->url.p + at + 3, f->url.n - (size_t)at - 3);
        ptrdiff_t slash = str_chr(rest, '/');

        p = slash < 0 ? STR("/") : str_of(rest.p + slash, rest.n - (size_t)slash);
    }
    if (f->url.n) {
        for (size_t i = 0; i < p.n; i++)
            if (p.p[i] == '?' || p.p[i] == '#' || p.p[i] == ';')
                p.n = i;
    }
    if (f->parameter.n)
        p = arena_printf(a, "%.*s?%.*s", STR_ARG(p), (int)min_size(f->parameter.n, 100), f->parameter.p);
    struct str out = clean(p, VULN_PATH_MAX + 1, false, a);
    if (out.n > VULN_PATH_MAX)
        out = arena_printf(a, "%.*s~%016llx", VULN_PATH_MAX - 20, out.p, (unsigned long long)str_hash(p));
    return str_utf8_valid(out) ? out : clean(arena_printf(a, "~%016llx", (unsigned long long)str_hash(p)), VULN_PATH_MAX, false, a);
}

/* url_host - host and port of a web address, where the report has no field for them. */
static struct str url_host(struct str url, int32_t *port)
{
    ptrdiff_t at = str_find(url, STR("://"));
    uint64_t n = 0;

    if (at <= 0)
        return STR("");
    *port = str_starts(url, STR("https")) ? 443 : str_starts(url, STR("http")) ? 80 : -1;
    struct str h = str_of(url.p + at + 3, url.n - (size_t)at - 3);
    for (size_t i = 0; i < h.n; i++)
        if (h.p[i] == '/' || h.p[i] == '?' || h.p[i] == '#')
            h.n = i;
    ptrdiff_t user = str_chr(h, '@'), colon = h.n && h.p[0] == '[' ? str_find(h, STR("]:")) : str_chr(h, ':');
    if (user >= 0)
        return STR("");
    if (colon >= 0) {
        size_t skip = (size_t)colon + (h.p[0] == '[' ? 2 : 1);

        if (str_u64(str_of(h.p + skip, h.n - skip), &n) && n <= 65535)
            *port = (int32_t)n;
        h.n = (size_t)colon + (h.p[0] == '[');
    }
    return h;
}

void parts_of(const struct scan_finding *f, struct arena *a, struct vuln_parts *out)
{
    struct str from_url = STR("");
    int32_t url_port = -1;

    *out = (struct vuln_parts){ .host = host_clean(f->ip.n ? f->ip : f->host, a), .port = f->port, .protocol = clean(f->protocol, 16, true, a) };
    if ((!out->host.n || out->port < 0) && f->url.n)
        from_url = url_host(f->url, &url_port);
    if (!out->host.n)
        out->host = host_clean(from_url, a);
    if (out->port < 0 && from_url.n)
        out->port = url_port;
    if (out->port <= 0) {
        out->port = -1;
        out->protocol = STR("");
    } else if (!out->protocol.n)
        out->protocol = STR("tcp");
    /* A package is known by its name; a service by its port, whatever the tool calls the program behind it. */
    out->component = out->port < 0 ? clean(f->component, VULN_COMPONENT_MAX, true, a) : STR("");
    out->path = place_path(f, a);
}

bool cve_clean(struct str s, struct arena *a, struct str *out)
{
    struct str t = str_trim(s);

    if (t.n < 13 || t.n > 20)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        static const char head[] = "cve-";
        bool digit = t.p[i] >= '0' && t.p[i] <= '9';

        if (i < 4 ? lower(t.p[i]) != head[i] : i == 8 ? t.p[i] != '-' : !digit)
            return false;
    }
    *out = arena_printf(a, "CVE-%.*s", (int)(t.n - 4), t.p + 4);
    return true;
}

struct str weakness_of(const struct scan_finding *f, struct arena *a)
{
    struct str tool = clean(f->tool, 60, true, a), check = clean(f->check, VULN_WEAKNESS_MAX - 80, true, a);

    if (check.n)
        return arena_printf(a, "check:%.*s/%.*s", STR_ARG(tool), STR_ARG(check));
    struct str title = fold_text(clean(f->title, VULN_WEAKNESS_MAX - 20, true, a), a);
    return arena_printf(a, "title:%.*s", STR_ARG(title));
}

struct str key_text(const struct vuln_parts *p, struct arena *a)
{
    struct str none = STR("-");
    char port[32] = "";

    if (p->port >= 0)
        snprintf(port, sizeof port, ":%d/%.*s", p->port, (int)min_size(p->protocol.n, 16), p->protocol.p ? p->protocol.p : "");
    return arena_printf(a, "%.*s%s | %.*s | %.*s | %.*s", STR_ARG(p->host.n ? p->host : none), port, STR_ARG(p->component.n ? p->component : none),
                        STR_ARG(p->path.n ? p->path : none), STR_ARG(p->weakness));
}

int key_find(struct call *c, struct str object, const struct vuln_parts *p, struct str text, int64_t *id)
{
    int rc = db_int(c->d, c->e, 0, id, "SELECT id FROM vuln_key WHERE object_id = ? AND text = ?", "tt", object, text);

    if (rc < 0 || *id)
        return rc;
    /* Without RETURNING, which makes a table of its own for each row. */
    rc = db_exec(c->d, c->e, "INSERT INTO vuln_key(object_id, text, host, port, protocol, component, path, weakness, cve) VALUES (?,?,?,?,?,?,?,?,?)",
                 "tttittttt", object, text, p->host.p ? p->host : STR(""), (int64_t)p->port, p->protocol.p ? p->protocol : STR(""),
                 p->component.p ? p->component : STR(""), p->path.p ? p->path : STR(""), p->weakness,
                 p->is_cve ? p->weakness : (struct str){ NULL, 0 });
    *id = rc < 0 ? 0 : sqlite3_last_insert_rowid(c->d->db);
    return rc < 0 ? rc : 0;
}

/* --- rules --- */

/* rule_of - what a living rule makes of a text; {NULL,0}: none. In the arena. */
static int rule_of(struct call *c, const char *kind, struct str object, struct str was, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT becomes FROM vuln_rule WHERE kind = ? AND coalesce(object_id, '') = ? AND was = ? AND ended_at IS NULL", "ztt",
                                kind, object, was);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc <= 0)
        return rc;
    *out = db_copy(st, 0, &c->a);
    db_done(st);
    return 0;
}

int rules_any(struct call *c, struct str object, bool *any)
{
    int64_t one = 0;
    int rc = db_int(c->d, c->e, 0, &one, "SELECT 1 FROM vuln_rule WHERE kind IN ('host','check','merge') AND coalesce(object_id, '') IN ('', ?) AND ended_at IS NULL"
                                         " LIMIT 1", "t", object);

    *any = one != 0;
    return rc;
}

static int same_weakness(struct call *c, struct str weakness, bool ruled, struct str *out)
{
    struct str same = { NULL, 0 };
    int rc = ruled ? rule_of(c, "check", STR(""), weakness, &same) : 0;

    if (rc == 0 && !same.n && str_starts(weakness, STR("check:")))
        same = vuln_policy_same(c->d->vuln_policy, str_of(weakness.p + 6, weakness.n - 6));
    *out = same.n ? same : weakness;
    return rc;
}

int weakness_same(struct call *c, struct str weakness, bool ruled, struct str *out) { return same_weakness(c, weakness, ruled, out); }

int key_final(struct call *c, struct str object, struct vuln_parts *parts, struct str parted, bool ruled, struct str *text)
{
    struct str same = STR("");
    int rc = ruled && parts->host.n ? rule_of(c, "host", object, parts->host, &same) : 0;

    if (same.n)
        parts->host = same;
    if (rc == 0 && !parts->is_cve)
        rc = same_weakness(c, parts->weakness, ruled, &parts->weakness);
    *text = parted.n ? arena_printf(&c->a, "%.*s%.*s", STR_ARG(key_text(parts, &c->a)), STR_ARG(parted)) : key_text(parts, &c->a);
    for (int i = 0; rc == 0 && ruled && i < VULN_CHAIN_MAX; i++) {
        rc = rule_of(c, "merge", object, *text, &same);
        if (rc < 0 || !same.n)
            break;
        *text = same;
    }
    return rc;
}

/* vuln_of_key - the row of a key of a vulnerability; made from the parts if there is none. After a merge the row of the other is there already. */
static int vuln_of_key(struct call *c, struct str object, const struct vuln_parts *p, struct str text, int64_t *vuln)
{
    int rc = db_int(c->d, c->e, 0, vuln, "SELECT id FROM vuln WHERE object_id = ? AND key = ?", "tt", object, text);

    if (rc < 0 || *vuln)
        return rc;
    rc = db_exec(c->d, c->e,
                  "INSERT INTO vuln(object_id, key, live, state, open, since, sent, own, rank, severity, vector, kev, cves, host, port, protocol, component, path,"
                  " contour, first_detected_at, last_seen_at) VALUES (?1, ?2, 0, 'none', 0, 0, 0, 0, 0, 0, '', 0, '', ?3, ?4, ?5, ?6, ?7,"
                  " coalesce((SELECT contour FROM object WHERE id = ?1), ''), 0, 0)",
                  "tttittt", object, text, p->host.p ? p->host : STR(""), (int64_t)p->port, p->protocol.p ? p->protocol : STR(""),
                  p->component.p ? p->component : STR(""), p->path.p ? p->path : STR(""));
    *vuln = rc < 0 ? 0 : sqlite3_last_insert_rowid(c->d->db);
    return rc < 0 ? rc : 0;
}

int key_resolve(struct call *c, int64_t key, bool ruled, int64_t *vuln)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT k.object_id, k.host, k.port, k.protocol, k.component, k.path, k.weakness, k.cve IS NOT NULL, k.vuln_id, k.text, v.key"
                                            " FROM vuln_key k LEFT JOIN vuln v ON v.id = k.vuln_id AND v.object_id = k.object_id WHERE k.id = ?", "i", key);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct vuln_parts p;
    struct str text;

    *vuln = 0;
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    struct str object = db_copy(st, 0, &c->a);
    int64_t was = sqlite3_column_int64(st, 8);
    p = (struct vuln_parts){ .host = db_copy(st, 1, &c->a), .port = sqlite3_column_int(st, 2), .protocol = db_copy(st, 3, &c->a),
                             .component = db_copy(st, 4, &c->a), .path = db_copy(st, 5, &c->a), .weakness = db_copy(st, 6, &c->a),
                             .is_cve = sqlite3_column_int(st, 7) };
    /* What a split has parted bears the check behind its text, whatever becomes of its parts. */
    struct str whole = db_copy(st, 9, &c->a), own = key_text(&p, &c->a), now = db_copy(st, 10, &c->a);
    db_done(st);
    rc = key_final(c, object, &p, str_of(whole.p + min_size(own.n, whole.n), whole.n - min_size(own.n, whole.n)), ruled, &text);
    if (rc == 0 && now.n && str_eq(now, text))
        *vuln = was;
    else if (rc == 0)
        rc = vuln_of_key(c, object, &p, text, vuln);
    if (rc == 0 && *vuln != was)
        rc = db_exec(c->d, c->e, "UPDATE vuln_key SET vuln_id = ? WHERE id = ?", "ii", *vuln, key);
    /* What people did to the one counts for the one that it became, before either is counted. */
    if (rc >= 0 && was && *vuln != was && str_eq(now, whole))
        rc = db_exec(c->d, c->e, "UPDATE vuln SET told = 1 WHERE id = ?2 AND (SELECT told FROM vuln WHERE id = ?1) = 1", "ii", was, *vuln);
    if (rc >= 0 && was && *vuln != was && str_eq(now, whole))
        rc = db_exec(c->d, c->e, "UPDATE vuln SET merged_into = ?2 WHERE id = ?1", "ii", was, *vuln);
    return rc < 0 ? rc : 0;
}
