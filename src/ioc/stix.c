/* stix.c - bundles and single objects of STIX 2.0 and 2.1: their indicators.
 *
 * A pattern is looked through, not evaluated: each comparison that says a value is equal to something we look for is an indicator, whatever AND, OR and the
 * qualifiers around it say, as platforms that exchange such files do. A comparison under NOT, or by LIKE or MATCHES, is none: a part of its meaning would be lost. */
#include "ioc/internal.h"

#define OBJECTS_MAX 2000000u

/* A piece of a pattern: a path ("ipv4-addr:value"), a text in quotes, an operator or a mark. */
enum piece_kind { PIECE_END, PIECE_PATH, PIECE_WORD, PIECE_TEXT, PIECE_MARK, PIECE_BAD };

struct piece {
    enum piece_kind kind;
    struct str      text;
};

struct marking {
    struct str    id;
    enum ioc_tlp  tlp;
};

struct markings {
    struct marking *items;
    size_t          count;
};

/* Those that the standards define: of 2.0 and 2.1, and the names of TLP 2.0. */
static const struct marking known_markings[] = {
    { STR_INIT("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"), IOC_TLP_CLEAR },
    { STR_INIT("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"), IOC_TLP_GREEN },
    { STR_INIT("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"), IOC_TLP_AMBER },
    { STR_INIT("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"), IOC_TLP_RED },
    { STR_INIT("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"), IOC_TLP_CLEAR },
    { STR_INIT("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"), IOC_TLP_GREEN },
    { STR_INIT("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"), IOC_TLP_AMBER },
    { STR_INIT("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"), IOC_TLP_AMBER_STRICT },
    { STR_INIT("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"), IOC_TLP_RED },
};

/* --- a pattern --- */

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool word_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*'; }

/* quoted - behind the first quote: the text up to the last one, with its escapes. */
static struct piece quoted(struct str *rest)
{
    size_t n = 0;

    while (n < rest->n && rest->p[n] != '\'')
        n += rest->p[n] == '\\' ? 2 : 1;
    if (n >= rest->n)
        return (struct piece){ .kind = PIECE_BAD };
    struct piece p = { PIECE_TEXT, str_of(rest->p, n) };

    *rest = str_cut(*rest, n + 1);
    return p;
}

/* path_of - steps may be in quotes and brackets: file:hashes.'SHA-256', x:to_refs[*].value. */
static struct piece path_of(struct str *rest)
{
    size_t n = 0;
    bool colon = false;

    while (n < rest->n && (word_byte(rest->p[n]) || rest->p[n] == ':' || rest->p[n] == '\'' || rest->p[n] == '[')) {
        char close = rest->p[n] == '\'' ? '\'' : rest->p[n] == '[' ? ']' : 0;

        if (close && !colon)
            break;
        colon = colon || rest->p[n] == ':';
        for (n++; close && n < rest->n && rest->p[n] != close; n++)
            ;
        n += close && n < rest->n;
    }
    struct piece p = { colon ? PIECE_PATH : PIECE_WORD, str_of(rest->p, n) };

    *rest = str_cut(*rest, n);
    return p;
}

static struct piece next_piece(struct str *rest)
{
    while (rest->n && blank(*rest->p))
        *rest = str_cut(*rest, 1);
    if (rest->n == 0)
        return (struct piece){ .kind = PIECE_END };
    if (*rest->p == '\'') {
        *rest = str_cut(*rest, 1);
        return quoted(rest);
    }
    if (word_byte(*rest->p))
        return path_of(rest);
    struct piece p = { PIECE_MARK, str_of(rest->p, 1) };

    if (rest->n > 1 && strchr("!<>=", *rest->p) && rest->p[1] == '=')
        p.text.n = 2;
    *rest = str_cut(*rest, p.text.n);
    return p;
}

/* unescaped - \' and \\ as what they stand for. */
static struct str unescaped(struct str s, struct buf *b)
{
    buf_reset(b);
    for (size_t i = 0; i < s.n; i++) {
        i += s.p[i] == '\\' && i + 1 < s.n;
        buf_byte(b, s.p[i]);
    }
    return buf_view(b);
}

/* exact_hash - MD5, SHA-1 … in whatever letters, quoted or not. Others (ssdeep, TLSH) tell what is alike. */
static bool exact_hash(struct str name)
{
    name = name.n && *name.p == '\'' ? str_cut(name, 1) : name;
    return name.n >= 3 && (str_ieq(str_of(name.p, 3), STR("sha")) || str_ieq(str_of(name.p, 3), STR("md5")));
}

/* type_of_path - what a path looks for; IOC_TYPES: nothing of ours. A reference may lead to an address or to a name: the value tells. */
static enum ioc_type type_of_path(struct str path, struct str value)
{
    static const struct {
        struct str    head, tail;
        enum ioc_type type;
    } rows[] = {
        { STR_INIT("ipv4-addr:"), STR_INIT("value"), IOC_IP },         { STR_INIT("ipv6-addr:"), STR_INIT("value"), IOC_IP },
        { STR_INIT("domain-name:"), STR_INIT("value"), IOC_DOMAIN },   { STR_INIT("url:"), STR_INIT("value"), IOC_URL },
        { STR_INIT("email-addr:"), STR_INIT("value"), IOC_EMAIL },     { STR_INIT("email-message:"), STR_INIT("_ref.value"), IOC_EMAIL },
        { STR_INIT("email-message:"), STR_INIT("_refs[*].value"), IOC_EMAIL },
        { STR_INIT("file:name"), STR_INIT(""), IOC_FILE },             { STR_INIT("process:"), STR_INIT("_ref.name"), IOC_FILE },
        { STR_INIT("network-traffic:"), STR_INIT("_ref.value"), IOC_IP }, { STR_INIT("network-traffic:"), STR_INIT("].value"), IOC_IP },
        { STR_INIT("domain-name:resolves_to_refs"), STR_INIT("value"), IOC_IP }, { STR_INIT("network-traffic:"), STR_INIT("'User-Agent'"), IOC_AGENT },
        { STR_INIT("email-message:"), STR_INIT("reply_to"), IOC_EMAIL },
    };

    ptrdiff_t hashes = str_find(path, STR("hashes."));    /* of files, artifacts, certificates, sections of programs */

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!str_starts(path, rows[i].head) || !str_ends(path, rows[i].tail) || path.n < rows[i].head.n + rows[i].tail.n)
            continue;
        if (rows[i].type != IOC_IP && rows[i].type != IOC_DOMAIN)
            return rows[i].type == IOC_FILE && rows[i].tail.n == 0 && path.n != rows[i].head.n ? IOC_TYPES : rows[i].type;
        enum ioc_type look = ioc_guess(value);

        return look == IOC_NETWORK || look == IOC_IP || (look == IOC_DOMAIN && str_starts(path, STR("network"))) ? look : rows[i].type;
    }
    return hashes >= 0 && exact_hash(str_cut(path, (size_t)hashes + 7)) ? IOC_HASH : IOC_TYPES;
}

static int take_value(struct reading *r, const struct ioc *like, struct str path, struct str raw)
{
    AUTO_BUF struct buf b = { 0 };
    struct ioc one = *like;

    buf_init(&b, 16 * KIB);
    struct str value = unescaped(raw, &b);
    one.type = type_of_path(path, value);
    if (one.type == IOC_TYPES) {
        ioc_skip(r, IOC_SKIP_TYPE, path);
        return 0;
    }
    return ioc_take(r, &one, value);
}

/* take_comparison - behind a path: its operator and values. */
static int take_comparison(struct reading *r, const struct ioc *like, struct str path, struct str *rest)
{
    struct piece p = next_piece(rest);
    bool negated = p.kind == PIECE_WORD && str_eq(p.text, STR("NOT"));
    bool list = false;
    int rc = 0;

    if (negated)
        p = next_piece(rest);
    if (p.kind == PIECE_WORD && str_eq(p.text, STR("IN")))
        list = true;
    else if (!(p.kind == PIECE_MARK && str_eq(p.text, STR("="))) && !(p.kind == PIECE_WORD && str_eq(p.text, STR("ISSUBSET"))))
        negated = true;
    if (list)
        (void)next_piece(rest);   /* '(' */
    do {
        p = next_piece(rest);
        if (p.kind == PIECE_TEXT && !negated)
            rc = take_value(r, like, path, p.text);
        else if (p.kind != PIECE_BAD && p.kind != PIECE_END)
            ioc_skip(r, IOC_SKIP_PATTERN, path);
        if (p.kind == PIECE_BAD || p.kind == PIECE_END)
            ioc_skip(r, IOC_SKIP_PATTERN, path);
        p = list ? next_piece(rest) : (struct piece){ .kind = PIECE_END };
    } while (rc == 0 && p.kind == PIECE_MARK && str_eq(p.text, STR(",")));
    return rc;
}

static int take_pattern(struct reading *r, const struct ioc *like, struct str pattern)
{
    struct str rest = pattern;
    bool negated = false;
    int rc = 0;

    for (struct piece p = next_piece(&rest); rc == 0 && p.kind != PIECE_END && p.kind != PIECE_BAD; p = next_piece(&rest)) {
        if (p.kind == PIECE_WORD && str_eq(p.text, STR("NOT")))
            negated = true;
        else if (p.kind == PIECE_PATH && negated)
            ioc_skip(r, IOC_SKIP_PATTERN, p.text);
        else if (p.kind == PIECE_PATH)
            rc = take_comparison(r, like, p.text, &rest);
        negated = negated && p.kind != PIECE_PATH;
    }
    return rc;
}

/* --- objects --- */

static enum ioc_tlp tlp_of(const struct markings *m, const json_t *object, enum ioc_tlp usual)
{
    enum ioc_tlp most = IOC_TLP_NONE;
    size_t i;
    json_t *v;

    json_array_foreach (json_object_get(object, "object_marking_refs"), i, v) {
        struct str id = str_c(json_string_value(v));

        for (size_t k = 0; k < COUNT(known_markings) + m->count; k++) {
            const struct marking *one = k < COUNT(known_markings) ? &known_markings[k] : &m->items[k - COUNT(known_markings)];

            if (str_eq(one->id, id) && one->tlp > most)
                most = one->tlp;
        }
    }
    return most == IOC_TLP_NONE ? usual : most;
}

/* benign - the file says that it is nothing bad: indicator_types of 2.1, labels of 2.0. */
static bool benign(const json_t *object)
{
    const json_t *lists[] = { json_object_get(object, "indicator_types"), json_object_get(object, "labels") };
    size_t i;
    json_t *v;

    for (size_t k = 0; k < COUNT(lists); k++)
        json_array_foreach (lists[k], i, v)
            if (str_eq(str_c(json_string_value(v)), STR("benign")))
                return true;
    return false;
}

static int take_indicator(struct reading *r, const struct markings *m, const json_t *object)
{
    struct ioc one = *r->usual;
    struct str how = ioc_text_of(object, "pattern_type"), name = ioc_text_of(object, "name");
    json_t *confidence = json_object_get(object, "confidence");

    if (json_is_true(json_object_get(object, "revoked"))) {
        ioc_skip(r, IOC_SKIP_REVOKED, ioc_text_of(object, "id"));
        return 0;
    }
    if (benign(object)) {
        ioc_skip(r, IOC_SKIP_NOT_FOR_DETECTION, ioc_text_of(object, "id"));
        return 0;
    }
    if (how.n && !str_eq(how, STR("stix"))) {
        ioc_skip(r, IOC_SKIP_PATTERN, how);
        return 0;
    }
    one.id = ioc_text_of(object, "id");
    one.note = str_of(name.p, min_size(name.n, IOC_NOTE_MAX));
    one.from = ioc_time_of(object, "valid_from");
    if (ioc_time_of(object, "valid_until"))
        one.until = ioc_time_of(object, "valid_until");
    if (json_is_integer(confidence) && json_integer_value(confidence) >= 0 && json_integer_value(confidence) <= 100)
        one.confidence = (uint8_t)json_integer_value(confidence);
    one.tlp = tlp_of(m, object, r->usual->tlp);
    return take_pattern(r, &one, ioc_text_of(object, "pattern"));
}

/* read_markings - what the file itself defines. */
static int read_markings(const json_t *list, struct markings *m)
{
    size_t i;
    json_t *v;

    m->items = calloc(json_array_size(list) + 1, sizeof *m->items);
    if (!m->items)
        return -ENOMEM;
    json_array_foreach (list, i, v) {
        enum ioc_tlp t = ioc_tlp_parse(ioc_text_of(json_object_get(v, "definition"), "tlp"));

        if (str_eq(ioc_text_of(v, "type"), STR("marking-definition")) && t < IOC_TLP_COUNT)
            m->items[m->count++] = (struct marking){ ioc_text_of(v, "id"), t };
    }
    return 0;
}

int ioc_stix(struct reading *r, const json_t *root)
{
    json_t *single = json_is_object(root) && !json_object_get(root, "objects") ? json_array() : NULL;
    const json_t *list = single ? single : json_is_array(root) ? root : json_object_get(root, "objects");
    struct markings m = { 0 };
    int rc = 0;
    size_t i;
    json_t *v;

    if (single)
        json_array_append(single, (json_t *)(uintptr_t)root);
    if (!json_is_array(list) || json_array_size(list) > OBJECTS_MAX ||
        (json_array_size(list) && ioc_text_of(json_array_get(list, 0), "type").n == 0))
        rc = err_set(r->e, -EBADMSG, "this JSON is neither a bundle of STIX 2 nor an event of MISP");
    if (rc == 0)
        rc = read_markings(list, &m);
    if (rc == -ENOMEM)
        err_set(r->e, rc, "no memory for indicators");
    json_array_foreach (list, i, v) {
        if (rc < 0)
            break;
        if (str_eq(ioc_text_of(v, "type"), STR("indicator")))
            rc = take_indicator(r, &m, v);
    }
    free(m.items);
    json_decref(single);
    return rc;
}
