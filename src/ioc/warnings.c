/* warnings.c - MISP warning lists: values that are known to be good, or to be everybody's, so that an indicator that names one raises no alarm by itself.
 *
 * A list speaks of certain types of attributes; an indicator of another type does not meet it. Lists of the kinds cidr, hostname, string and substring are read; regex is not,
 * since a pattern of somebody else's would run over every indicator. */
#include "ioc/internal.h"

#define LISTS_MAX   1000u
#define ENTRIES_MAX 5000000u
#define PARTS_MAX   10000u      /* of the kind substring: each is looked for in each indicator */

enum warning_kind { WARN_NETWORK, WARN_HOST, WARN_TEXT, WARN_PART };

struct warning_list {
    struct str name;          /* in texts */
    uint32_t   types;         /* a bit for each type it speaks of */
    enum warning_kind kind;
};

struct entry {
    uint64_t   hash;
    struct str text;          /* of WARN_PART; otherwise the hash tells */
    uint16_t   list;
    uint8_t    bits;
};

struct warnings {
    struct arena         texts;
    struct warning_list *lists;
    struct entry        *entries, *parts;
    size_t               list_count, entry_count, entry_cap, part_count, part_cap;
    uint32_t            *slots;      /* entry + 1, open addressing on the hash; made at the first question */
    size_t               slot_count;
    bool                 prefix[129];
};

int warnings_new(struct warnings **out, struct err *e)
{
    struct warnings *w = calloc(1, sizeof *w);

    if (w)
        w->lists = calloc(LISTS_MAX, sizeof *w->lists);
    if (!w || !w->lists) {
        free(w);
        return err_set(e, -ENOMEM, "no memory for warning lists");
    }
    arena_init(&w->texts, 0);
    *out = w;
    return 0;
}

void warnings_free(struct warnings **w)
{
    if (!*w)
        return;
    arena_free(&(*w)->texts);
    free((*w)->lists);
    free((*w)->entries);
    free((*w)->parts);
    free((*w)->slots);
    free(*w);
    *w = NULL;
}

size_t warnings_count(const struct warnings *w) { return w->list_count; }
struct str warnings_name(const struct warnings *w, size_t number) { return w->lists[number - 1].name; }

/* types_of - which of ours a list speaks of; one that names none speaks of all. */
static uint32_t types_of(const json_t *names)
{
    uint32_t bits = 0;
    size_t i;
    json_t *v;

    json_array_foreach (names, i, v) {
        struct str s = str_c(json_string_value(v));

        if (str_find(s, STR("ip-")) >= 0 || str_ends(s, STR("|ip")))
            bits |= 1u << IOC_IP | 1u << IOC_NETWORK;
        if (str_find(s, STR("domain")) >= 0 || str_find(s, STR("hostname")) >= 0)
            bits |= 1u << IOC_DOMAIN;
        if (str_eq(s, STR("url")) || str_eq(s, STR("uri")) || str_eq(s, STR("link")))
            bits |= 1u << IOC_URL;
        if (str_find(s, STR("md5")) >= 0 || str_find(s, STR("sha")) >= 0)
            bits |= 1u << IOC_HASH;
        if (str_starts(s, STR("email")))
            bits |= 1u << IOC_EMAIL;
        if (str_starts(s, STR("filename")))
            bits |= 1u << IOC_FILE;
        if (str_eq(s, STR("user-agent")))
            bits |= 1u << IOC_AGENT;
    }
    return bits ? bits : UINT32_MAX;
}

static bool room(void **items, size_t *cap, size_t count, size_t size)
{
    size_t more = *cap ? *cap * 2 : 1024;
    void *p;

    if (count < *cap)
        return true;
    p = realloc(*items, more * size);
    if (!p)
        return false;
    *items = p;
    *cap = more;
    return true;
}

static uint64_t hash_of(enum warning_kind kind, struct str s) { return str_hash(s) * 4 + (uint64_t)kind; }

static uint64_t hash_of_network(const uint8_t address[16], uint8_t bits)
{
    struct ioc_key k;

    ioc_key_network(address, bits, &k);
    return k.hash * 4 + WARN_NETWORK;
}

static int add_entry(struct warnings *w, const struct warning_list *l, struct str text)
{
    AUTO_BUF struct buf b = { 0 };
    struct entry one = { .list = (uint16_t)w->list_count };
    uint8_t address[16];

    buf_init(&b, 2 * IOC_VALUE_MAX);
    text = str_trim(text);
    if (text.n == 0 || text.n > IOC_VALUE_MAX)
        return 0;
    if (l->kind == WARN_PART) {
        one.text = arena_copy(&w->texts, text);
        if (w->part_count >= PARTS_MAX)
            return -E2BIG;
        if (!one.text.p || !room((void **)&w->parts, &w->part_cap, w->part_count, sizeof one))
            return -ENOMEM;
        w->parts[w->part_count++] = one;
        return 0;
    }
    if (ioc_network(text, address, &one.bits) || (one.bits = 128, ioc_address(text, address))) {
        w->prefix[one.bits] = true;
        one.hash = hash_of_network(address, one.bits);
    } else {
        while (text.n && *text.p == '.')
            text = str_cut(text, 1);
        if (!ioc_normal(IOC_DOMAIN, text, &b))
            buf_str(&b, text);
        one.hash = hash_of(l->kind == WARN_HOST ? WARN_HOST : WARN_TEXT, buf_view(&b));
    }
    if (w->entry_count >= ENTRIES_MAX || !room((void **)&w->entries, &w->entry_cap, w->entry_count, sizeof one))
        return w->entry_count >= ENTRIES_MAX ? -E2BIG : -ENOMEM;
    w->entries[w->entry_count++] = one;
    return 0;
}

static bool kind_of(struct str name, enum warning_kind *kind)
{
    static const struct { const char *name; enum warning_kind kind; } kinds[] = {
        { "cidr", WARN_NETWORK }, { "hostname", WARN_HOST }, { "string", WARN_TEXT }, { "substring", WARN_PART },
    };

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(name, str_c(kinds[i].name))) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

int warnings_add(struct warnings *w, struct str json, struct err *e)
{
    struct warning_list *l = &w->lists[w->list_count];
    json_error_t at;
    json_t *root = json_loadb(json.p, json.n, 0, &at);
    size_t i;
    json_t *v;
    int rc = 0;

    if (!root)
        return err_set(e, -EBADMSG, "line %d, column %d: %s", at.line, at.column, at.text);
    if (!json_is_array(json_object_get(root, "list")) || ioc_text_of(root, "name").n == 0)
        rc = err_set(e, -EBADMSG, "this is no warning list: \"name\" and \"list\" are expected");
    else if (!kind_of(ioc_text_of(root, "type"), &l->kind))
        rc = err_set(e, -ENOTSUP, "warning lists of the kind \"%.*s\" are not read", STR_ARG(ioc_text_of(root, "type")));
    else if (w->list_count + 1 >= LISTS_MAX)
        rc = err_set(e, -E2BIG, "there are more than %u warning lists", LISTS_MAX);
    if (rc == 0) {
        l->name = arena_copy(&w->texts, ioc_text_of(root, "name"));
        l->types = types_of(json_object_get(root, "matching_attributes"));
        w->list_count++;
        free(w->slots);
        w->slots = NULL;
        json_array_foreach (json_object_get(root, "list"), i, v) {
            if (rc == 0)
                rc = add_entry(w, l, str_c(json_string_value(v)));
        }
        if (rc < 0)
            err_set(e, rc, rc == -E2BIG ? "warning lists have more than %u entries, or %u of the kind substring" : "no memory for warning lists of %u entries, %u of the kind substring", ENTRIES_MAX,
                    PARTS_MAX);
    }
    json_decref(root);
    return rc;
}

static bool index_entries(struct warnings *w)
{
    w->slot_count = 1024;
    while (w->slot_count < w->entry_count * 2)
        w->slot_count *= 2;
    w->slots = calloc(w->slot_count, sizeof *w->slots);
    if (!w->slots)
        return false;
    for (size_t i = 0; i < w->entry_count; i++) {
        size_t at = w->entries[i].hash & (w->slot_count - 1);

        while (w->slots[at])
            at = (at + 1) & (w->slot_count - 1);
        w->slots[at] = (uint32_t)i + 1;
    }
    return true;
}

/* holder - the first list with this hash that speaks of the type. */
static uint16_t holder(const struct warnings *w, uint64_t hash, enum ioc_type type)
{
    uint16_t found = 0;

    for (size_t at = hash & (w->slot_count - 1); w->slots[at]; at = (at + 1) & (w->slot_count - 1)) {
        const struct entry *one = &w->entries[w->slots[at] - 1];

        if (one->hash == hash && (w->lists[one->list - 1].types >> type & 1) && (!found || one->list < found))
            found = one->list;
    }
    return found;
}

static uint16_t find_address(const struct warnings *w, enum ioc_type type, const uint8_t address[16], uint8_t bits)
{
    int least = bits >= IOC_IPV4_BITS && ioc_is_ipv4(address) ? IOC_IPV4_BITS : 0;
    uint16_t found = 0;

    for (int n = bits; n >= least && !found; n--)
        if (w->prefix[n])
            found = holder(w, hash_of_network(address, (uint8_t)n), type);
    return found;
}

static uint16_t find_name(const struct warnings *w, enum ioc_type type, struct str name)
{
    uint16_t found = holder(w, hash_of(WARN_TEXT, name), type);

    while (!found && name.n) {
        ptrdiff_t dot = str_chr(name, '.');

        found = holder(w, hash_of(WARN_HOST, name), type);
        name = dot < 0 ? str_of(NULL, 0) : str_cut(name, (size_t)dot + 1);
    }
    return found;
}

uint16_t warnings_find(const struct warnings *w, enum ioc_type type, struct str value)
{
    struct str host = type == IOC_URL ? ioc_url_host(value) : value;
    uint8_t address[16], bits = 128;
    uint16_t found = 0;

    if (w->entry_count && !w->slots && !index_entries((struct warnings *)(uintptr_t)w))
        return 0;
    if (w->slots) {
        if (type == IOC_NETWORK ? ioc_network(value, address, &bits) : ioc_address(host, address))
            found = find_address(w, type, address, bits);
        else
            found = find_name(w, type, host);
        if (!found && type == IOC_URL)
            found = holder(w, hash_of(WARN_TEXT, value), type);
    }
    for (size_t i = 0; !found && i < w->part_count; i++)
        if ((w->lists[w->parts[i].list - 1].types >> type & 1) && str_find(value, w->parts[i].text) >= 0)
            found = w->parts[i].list;
    return found;
}
