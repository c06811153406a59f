/* words.c - the words that tools use for the same few things: how bad, what became of it; and the numbers of CVE and CWE in any text. */
#include "scan/internal.h"

#include <arpa/inet.h>

static const struct { const char *word; enum scan_severity severity; } severities[] = {
    { "critical", SCAN_CRITICAL }, { "crit", SCAN_CRITICAL }, { "very high", SCAN_CRITICAL }, { "blocker", SCAN_CRITICAL }, { "serious", SCAN_CRITICAL },
    { "urgent", SCAN_CRITICAL }, { "fatal", SCAN_CRITICAL }, { "emergency", SCAN_CRITICAL },
    { "high", SCAN_HIGH }, { "error", SCAN_HIGH }, { "important", SCAN_HIGH }, { "major", SCAN_HIGH }, { "severe", SCAN_HIGH }, { "fail", SCAN_HIGH },
    { "medium", SCAN_MEDIUM }, { "moderate", SCAN_MEDIUM }, { "med", SCAN_MEDIUM }, { "warning", SCAN_MEDIUM }, { "warn", SCAN_MEDIUM }, { "average", SCAN_MEDIUM },
    { "low", SCAN_LOW }, { "minor", SCAN_LOW }, { "negligible", SCAN_LOW }, { "minimal", SCAN_LOW }, { "very low", SCAN_LOW }, { "style", SCAN_LOW },
    { "info", SCAN_INFO }, { "informational", SCAN_INFO }, { "information", SCAN_INFO }, { "none", SCAN_INFO }, { "note", SCAN_INFO }, { "log", SCAN_INFO },
    { "notice", SCAN_INFO }, { "debug", SCAN_INFO }, { "best practice", SCAN_INFO }, { "bestpractice", SCAN_INFO }, { "ok", SCAN_INFO }, { "recommendation", SCAN_INFO },
};

const char *scan_severity_name(enum scan_severity s)
{
    static const char *const names[] = { "unknown", "info", "low", "medium", "high", "critical" };

    return (size_t)s < COUNT(names) ? names[s] : "unknown";
}

/* Beginnings of the words in Russian and Kazakh, in small letters: tables that people fill have them in any gender and case. */
static const struct { const char *begins; enum scan_severity severity; } cyrillic[] = {
    { "критич", SCAN_CRITICAL }, { "высок", SCAN_HIGH },     { "средн", SCAN_MEDIUM },  { "низк", SCAN_LOW },   { "информац", SCAN_INFO },
    { "сыни", SCAN_CRITICAL },   { "жоғары", SCAN_HIGH },    { "орташа", SCAN_MEDIUM }, { "төмен", SCAN_LOW },  { "ақпарат", SCAN_INFO },
};
#define WORD_MAX 64

/* small_letters - UTF-8 of the Cyrillic that Kazakh and Russian use, in small letters; other bytes as they are. */
static struct str small_letters(struct str s, char out[WORD_MAX])
{
    size_t n = s.n < WORD_MAX ? s.n : WORD_MAX;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i], next = i + 1 < n ? (unsigned char)s.p[i + 1] : 0;
        bool second = false;

        if (c == 0xD0 && next >= 0x90 && next <= 0x9F) {
            next = (unsigned char)(next + 0x20);
            second = true;
        } else if (c == 0xD0 && next >= 0xA0 && next <= 0xAF) {
            c = 0xD1;
            next = (unsigned char)(next - 0x20);
            second = true;
        } else if ((c == 0xD2 || c == 0xD3) && next >= 0x90 && next % 2 == 0) {
            next++;
            second = true;
        }
        out[i] = (char)c;
        if (second)
            out[++i] = (char)next;
    }
    return str_of(out, n);
}

enum scan_severity severity_of(struct str s)
{
    char small[WORD_MAX];
    struct str word;

    for (size_t i = 0; i < COUNT(severities); i++)
        if (str_ieq(s, str_c(severities[i].word)))
            return severities[i].severity;
    word = small_letters(s, small);
    for (size_t i = 0; i < COUNT(cyrillic); i++)
        if (str_starts(word, str_c(cyrillic[i].begins)))
            return cyrillic[i].severity;
    return SCAN_UNKNOWN;
}

static const char *const status_names[] = { "open", "false-positive", "accepted", "fixed", "not-affected" };

const char *scan_status_name(enum scan_status s) { return (size_t)s < COUNT(status_names) ? status_names[s] : "open"; }

bool status_of(struct str s, enum scan_status *out)
{
    for (size_t i = 0; i < COUNT(status_names); i++)
        if (str_ieq(s, str_c(status_names[i]))) {
            *out = (enum scan_status)i;
            return true;
        }
    return false;
}

static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

static bool dash(struct str s, size_t at) { return at < s.n && (s.p[at] == '-' || s.p[at] == '_'); }

void cves_in(struct eval *v, struct str s, struct values *out)
{
    for (size_t i = 0; i + 12 < s.n && out->n < SCAN_LIST_MAX;) {
        ptrdiff_t found = str_ifind(str_cut(s, i), STR("cve"));
        size_t at, n;
        bool known = false;
        char text[32];

        if (found < 0)
            return;
        i += (size_t)found;
        at = i + 3;
        i = at;
        if (!dash(s, at) || digits_at(s, at + 1) != 4 || !dash(s, at + 5))
            continue;
        n = digits_at(s, at + 6);
        if (n < 4 || n > 15)
            continue;
        snprintf(text, sizeof text, "CVE-%.4s-%.*s", s.p + at + 1, (int)n, s.p + at + 6);
        for (size_t k = 0; k < out->n && !known; k++)
            known = str_eq(out->v[k], str_c(text));
        if (!known)
            values_add(v, out, pile_copy(&v->pile, str_c(text)));
        i = at + 6 + n;
    }
}

static void cwe_add(uint64_t n, uint32_t *out, size_t *count)
{
    if (n == 0 || n > 100000 || *count == SCAN_LIST_MAX)
        return;
    for (size_t i = 0; i < *count; i++)
        if (out[i] == n)
            return;
    out[(*count)++] = (uint32_t)n;
}

static uint64_t number_at(struct str s, size_t at)
{
    size_t n = digits_at(s, at);
    uint64_t value = 0;

    return n && n < 10 && str_u64(str_of(s.p + at, n), &value) ? value : 0;
}

void cwes_in(struct str s, uint32_t *out, size_t *count)
{
    static const char mitre[] = "cwe.mitre.org/data/definitions/";
    bool any = false;
    ptrdiff_t url = str_ifind(s, str_c(mitre));

    if (url >= 0) {
        cwe_add(number_at(s, (size_t)url + sizeof mitre - 1), out, count);
        return;
    }
    for (size_t i = 0; i + 3 < s.n;) {
        ptrdiff_t found = str_ifind(str_cut(s, i), STR("cwe"));

        if (found < 0)
            break;
        i += (size_t)found + 3;
        while (i < s.n && (s.p[i] == '-' || s.p[i] == '_' || s.p[i] == ' ' || s.p[i] == ':' || s.p[i] == '/'))
            i++;
        any = any || digits_at(s, i) > 0;
        cwe_add(number_at(s, i), out, count);
    }
    if (!any && digits_at(s, 0) == s.n)
        cwe_add(number_at(s, 0), out, count);
}

bool address_is(struct str s)
{
    char text[64];
    unsigned char out[16];

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET, text, out) == 1 || inet_pton(AF_INET6, text, out) == 1;
}
