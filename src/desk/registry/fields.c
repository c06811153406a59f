/* fields.c - what a record of each kind holds: the tables by which bodies are judged, and what must fit together in one value. Nothing here asks
 * the database. Foreign texts (addresses, names of hosts, numbers of businesses) are read by the small readers at the top. */
#include "desk/registry/room.h"

#include <arpa/inet.h>

#define S(name, required, nullable, least, most) { name, BODY_STRING, required, nullable, least, most, NULL }
#define E(name, required, nullable, values) { name, BODY_ENUM, required, nullable, 0, 0, values }
#define B(name) { name, BODY_BOOL, false, false, 0, 0, NULL }
#define D(name) { name, BODY_DATE, false, true, 0, 0, NULL }

static const char *const unit_values[] = { "kbit/s", "mbit/s", "gbit/s", NULL };
static const char *const exclusion_values[] = { "state_secret_resource", "state_secret_protected_system", "national_bank_not_integrated", NULL };
static const char *const party_values[] = { "owner", "possessor", NULL };
static const char *const performer_values[] = { "owner", "possessor", "ocib", NULL };
static const char *const work_values[] = { "incident_response", "protection", "secure_operation", NULL };
static const char *const tested_values[] = { "service_software_product", "ict_platform", "internet_resource", "information_system", NULL };
static const char *const sector_values[] = { "heat", "electricity", "gas", "water", "industry", "health", "communications", "banking", "transport",
                                             "hydraulic_structures", "law_enforcement", "e_government", NULL };
static const char *const asset_values[] = { "hardware", "software", "ipt", NULL };
static const char *const channel_values[] = { "email", "phone", "mobile", "messenger", "portal", NULL };
static const char *const role_in_values[] = { "responsible_person", "ocib", "deputy", NULL };

static const struct body_field org_table[] = {
    S("name", true, false, 1, 500), S("name_ru", false, true, 0, 500), { "kinds", BODY_ENUMS, true, false, 1, 7, org_kind_values },
    S("bin", false, true, 0, 12), S("address", false, true, 0, 500), { "email", BODY_EMAIL, false, true, 0, 254, NULL },
    S("phone", false, true, 0, 64), S("head", false, true, 0, 200), B("active"),
};
static const struct body_field channel_table[] = { E("kind", true, false, channel_values), S("value", true, false, 1, 254) };
static const struct body_field week_table[] = { { "day", BODY_COUNT, true, false, 0, 0, NULL }, S("from", true, false, 5, 5), S("to", true, false, 5, 5) };
static const struct body_field exception_table[] = { { "date", BODY_DATE, true, false, 0, 0, NULL }, S("from", false, true, 0, 5),
                                                     S("to", false, true, 0, 5) };
static const struct body_field hours_table[] = { { "week", BODY_ITEMS, true, false, 0, 42, NULL, week_table, COUNT(week_table) },
                                                 { "exceptions", BODY_ITEMS, false, false, 0, 366, NULL, exception_table, COUNT(exception_table) } };
static const struct body_field person_table[] = {
    S("name", true, false, 1, 200), S("position", false, true, 0, 200), S("org_id", false, true, 0, ID_MAX), E("language", true, false, language_values),
    { "channels", BODY_ITEMS, true, false, 0, CONTACT_CHANNELS_MAX, NULL, channel_table, COUNT(channel_table) },
    { "hours", BODY_PART, false, true, 0, 0, NULL, hours_table, COUNT(hours_table) }, S("user_id", false, true, 0, 20), B("active"),
    { "note", BODY_TEXT, false, true, 0, 2000, NULL },
};
static const struct body_field support_table[] = {
    S("org_id", false, true, 0, ID_MAX), S("name", true, false, 1, 500), S("address", false, true, 0, 500), S("phone", false, true, 0, 64),
    { "email", BODY_EMAIL, false, true, 0, 254, NULL }, S("contact_person", false, true, 0, 200),
};
static const struct body_field object_table[] = {
    S("name", true, false, 1, 500), S("name_ru", false, true, 0, 500), E("tested_kind", false, true, tested_values),
    S("org_id", true, false, 1, ID_MAX), S("possessor_id", false, true, 0, ID_MAX), S("ocib_id", false, true, 0, ID_MAX),
    S("street", false, true, 0, 300), S("city", false, true, 0, 200), S("region", false, true, 0, 200),
    { "support", BODY_ITEMS, false, false, 0, 50, NULL, support_table, COUNT(support_table) },
    E("criticality", false, true, criticality_values), S("class_code", false, true, 0, 64), E("contour", false, true, contour_values),
    { "utesb_connected", BODY_BOOL, false, true, 0, 0, NULL }, { "utesb_bandwidth", BODY_NUMBER, false, true, 0, 0, NULL },
    E("utesb_unit", false, true, unit_values),
    { "internet_connected", BODY_BOOL, false, true, 0, 0, NULL }, { "internet_bandwidth", BODY_NUMBER, false, true, 0, 0, NULL },
    E("internet_unit", false, true, unit_values),
    { "lcs_present", BODY_BOOL, false, true, 0, 0, NULL }, S("lcs_name", false, true, 0, 300), E("lcs_contour", false, true, contour_values),
    { "hosts", BODY_HOSTS, false, false, 0, 1000, NULL }, B("active"),
    B("is_ego"), B("is_cii"), E("cii_sector", false, true, sector_values), D("cii_listed_on"), D("commissioned_on"), D("terminated_on"),
    E("exclusion", false, true, exclusion_values), { "exclusion_ground", BODY_TEXT, false, true, 0, 2000, NULL },
    B("national_bank"), B("national_bank_integrated"), { "work_types", BODY_ENUMS, false, false, 0, 3, work_values },
    E("acting_party", false, true, party_values), E("performer_response", false, true, performer_values),
    E("performer_protection", false, true, performer_values), E("performer_operation", false, true, performer_values),
    S("contract_id", false, true, 0, ID_MAX), { "note", BODY_TEXT, false, true, 0, 4000, NULL },
};
static const struct body_field component_table[] = {
    S("name", true, false, 1, 300), E("asset_class", true, false, asset_values), B("is_reserve"), { "ip_addresses", BODY_STRINGS, true, false, 1, 256, NULL },
    { "domain_names", BODY_STRINGS, false, false, 0, 256, NULL }, S("purpose", true, false, 1, 500), S("version", false, true, 0, 200),
    S("vendor", false, true, 0, 200), { "note", BODY_TEXT, false, true, 0, 2000, NULL },
};
static const struct body_field contact_table[] = {
    S("person_id", true, false, 1, ID_MAX), E("role", true, false, role_in_values), { "order", BODY_COUNT, false, false, 0, 0, NULL },
    D("valid_from"), D("valid_to"),
};
static const struct body_field contract_table[] = {
    S("number", true, false, 1, 100), { "signed_on", BODY_DATE, true, false, 0, 0, NULL }, S("knb_id", true, false, 1, ID_MAX),
    S("sts_id", true, false, 1, ID_MAX), { "valid_from", BODY_DATE, true, false, 0, 0, NULL }, D("valid_to"),
    { "note", BODY_TEXT, false, true, 0, 2000, NULL },
};

static const struct { const char *name; const struct body_field *fields; size_t count; } kinds[] = {
    [RECORD_ORGANISATION] = { "organisation", org_table, COUNT(org_table) },
    [RECORD_PERSON] = { "person", person_table, COUNT(person_table) },
    [RECORD_OBJECT] = { "object", object_table, COUNT(object_table) },
    [RECORD_COMPONENT] = { "component", component_table, COUNT(component_table) },
    [RECORD_CONTACT] = { "contact", contact_table, COUNT(contact_table) },
    [RECORD_CONTRACT] = { "contract", contract_table, COUNT(contract_table) },
};

const char *record_kind_name(enum record_kind k) { return k < RECORD_KIND_COUNT ? kinds[k].name : "?"; }

enum record_kind record_kind_parse(struct str s)
{
    enum record_kind k = 0;

    while (k < RECORD_KIND_COUNT && !str_eq(s, str_c(kinds[k].name)))
        k++;
    return k;
}

const struct body_field *record_fields(enum record_kind k, size_t *count)
{
    *count = kinds[k].count;
    return kinds[k].fields;
}

/* What an owner's people may change of their own: the data of Annex 1 and what is told of their organisation. */
static const char *const owner_fields[RECORD_KIND_COUNT][20] = {
    [RECORD_ORGANISATION] = { "address", "email", "phone", "head" },
    [RECORD_OBJECT] = { "name", "name_ru", "street", "city", "region", "support", "criticality", "class_code", "contour", "utesb_connected",
                        "utesb_bandwidth", "utesb_unit", "internet_connected", "internet_bandwidth", "internet_unit", "lcs_present", "lcs_name",
                        "lcs_contour" },
};

bool record_owner_field(enum record_kind k, const char *field)
{
    if (k == RECORD_PERSON || k == RECORD_COMPONENT || k == RECORD_CONTACT)
        return true;
    for (size_t i = 0; i < COUNT(owner_fields[0]) && owner_fields[k][i]; i++)
        if (strcmp(owner_fields[k][i], field) == 0)
            return true;
    return false;
}

/* --- readers of foreign texts --- */

bool bin_valid(struct str s)
{
    int sum = 0, again = 0;

    if (s.n != 12)
        return false;
    for (size_t i = 0; i < 12; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    /* Weights 1…11; if the remainder is 10, weights 3…11, 1, 2; if it is 10 again, no such number is given out. */
    for (int i = 0; i < 11; i++) {
        sum += (s.p[i] - '0') * (i + 1);
        again += (s.p[i] - '0') * (i < 9 ? i + 3 : i - 8);
    }
    sum %= 11;
    if (sum == 10)
        sum = again % 11;
    return sum < 10 && sum == s.p[11] - '0';
}

bool address_valid(struct str s)
{
    struct in6_addr v6;
    struct in_addr v4;
    char text[64];
    uint64_t bits = 0;
    ptrdiff_t slash = str_chr(s, '/');
    struct str head = slash < 0 ? s : str_of(s.p, (size_t)slash);

    if (head.n == 0 || head.n >= sizeof text)
        return false;
    memcpy(text, head.p, head.n);
    text[head.n] = 0;
    bool is4 = inet_pton(AF_INET, text, &v4) == 1, is6 = !is4 && inet_pton(AF_INET6, text, &v6) == 1;
    if (slash >= 0 && (!str_u64(str_cut(s, (size_t)slash + 1), &bits) || s.n - (size_t)slash - 1 > 3 || bits > (is4 ? 32u : 128u)))
        return false;
    return is4 || is6;
}

bool domain_valid(struct str s)
{
    size_t label = 0, labels = 0;

    if (s.n == 0 || s.n > 253)
        return false;
    for (size_t i = 0; i <= s.n; i++) {
        unsigned char ch = i < s.n ? (unsigned char)s.p[i] : '.';
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' || ch >= 0x80;

        if (ch == '.') {
            if (label == 0 || label > 63 || s.p[i - 1] == '-')
                return false;
            labels++;
            label = 0;
        } else if (plain || (ch == '-' && label > 0) || (ch == '*' && i == 0 && s.n > 1 && s.p[1] == '.')) {
            label++;
        } else {
            return false;
        }
    }
    return labels >= 1 && str_utf8_valid(s);
}

int minute_of_day(struct str s)
{
    struct reader r = rd_str(s);
    int hour = (int)rd_digits(&r, 2, "hour"), minute;

    rd_byte(&r, ':');
    minute = (int)rd_digits(&r, 2, "minute");
    if (!rd_ok(&r) || rd_left(&r) || minute > 59 || hour > 24 || (hour == 24 && minute))
        return -1;
    return hour * 60 + minute;
}

/* --- what must fit together --- */

static int fault(struct call *c, const char *prefix, const char *field, const char *why)
{
    char path[DESK_FIELD_MAX];

    snprintf(path, sizeof path, "%.40s%.80s", prefix, field);
    return refuse(c, -EINVAL, "bad_request", path, "\"%s\": %s", path, why);
}

static bool is_true(const json_t *v, const char *key) { return json_is_true(json_object_get(v, key)); }

static int list_fits(struct call *c, const char *prefix, const json_t *v, const char *key, bool (*valid)(struct str), const char *why)
{
    json_t *list = json_object_get(v, key), *item;
    char field[64];
    size_t i;

    json_array_foreach(list, i, item) {
        snprintf(field, sizeof field, "%s.%zu", key, i);
        if (!valid(str_of(json_string_value(item), json_string_length(item))))
            return fault(c, prefix, field, why);
        for (size_t k = 0; k < i; k++)
            if (json_equal(item, json_array_get(list, k)))
                return fault(c, prefix, field, "stands twice");
    }
    return 0;
}

static int org_fits(struct call *c, const char *prefix, const json_t *v)
{
    struct str bin = json_get_str(v, "bin");

    return bin.n && !bin_valid(bin) ? fault(c, prefix, "bin", "not a business identification number: 12 digits, the last one checks the others") : 0;
}

static int hours_fit(struct call *c, const char *prefix, const json_t *hours)
{
    json_t *row;
    char field[64];
    size_t i;

    json_array_foreach(json_object_get(hours, "week"), i, row) {
        int from = minute_of_day(json_get_str(row, "from")), to = minute_of_day(json_get_str(row, "to"));
        json_int_t day = json_integer_value(json_object_get(row, "day"));

        snprintf(field, sizeof field, "hours.week.%zu.%s", i, day < 1 || day > 7 ? "day" : from < 0 ? "from" : "to");
        if (day < 1 || day > 7)
            return fault(c, prefix, field, "days are 1 (Monday) to 7 (Sunday)");
        if (from < 0 || to < 0 || from == to)
            return fault(c, prefix, field, "hours are like 09:00 and 18:30");
    }
    json_array_foreach(json_object_get(hours, "exceptions"), i, row) {
        struct str from = json_get_str(row, "from"), to = json_get_str(row, "to");

        snprintf(field, sizeof field, "hours.exceptions.%zu.%s", i, minute_of_day(from) < 0 ? "from" : "to");
        if (from.n || to.n)
            if (minute_of_day(from) < 0 || minute_of_day(to) < 0 || str_eq(from, to))
                return fault(c, prefix, field, "hours are like 09:00 and 18:30; none: off duty that day");
    }
    return 0;
}

static int person_fits(struct call *c, const char *prefix, const json_t *v)
{
    json_t *row;
    char field[64];
    size_t i;

    json_array_foreach(json_object_get(v, "channels"), i, row) {
        const struct body_field email = { "value", BODY_EMAIL, true, false, 1, 254, NULL };
        struct str kind = json_get_str(row, "kind"), value = json_get_str(row, "value");
        json_t *one = json_pack("{s:O}", "value", json_object_get(row, "value"));
        char place[DESK_FIELD_MAX];
        int rc = str_eq(kind, STR("email")) ? body_check(one, &email, 1, place, c->e) : 0;

        json_decref(one);
        snprintf(field, sizeof field, "channels.%zu.value", i);
        if (rc < 0)
            return fault(c, prefix, field, "not an e-mail address");
        bool number = str_eq(kind, STR("phone")) || str_eq(kind, STR("mobile"));
        for (size_t k = 0, digits = 0; number && k <= value.n; k++) {
            if (k < value.n && (value.p[k] >= '0' && value.p[k] <= '9'))
                digits++;
            else if (k < value.n ? !strchr("+-() .,#/*", value.p[k]) && !(value.p[k] >= 'a' && value.p[k] <= 'z') : digits < 3)
                return fault(c, prefix, field, "not a telephone number");
        }
    }
    return hours_fit(c, prefix, json_object_get(v, "hours"));
}

/* connection_fits - a width belongs to a connection, and has its unit. */
static int connection_fits(struct call *c, const char *prefix, const json_t *v, const char *connected, const char *width, const char *unit)
{
    bool has_width = json_is_number(json_object_get(v, width)), has_unit = json_get_str(v, unit).n > 0;

    if (has_width && !is_true(v, connected))
        return fault(c, prefix, width, "there is no connection whose bandwidth this could be");
    if (has_width != has_unit)
        return fault(c, prefix, has_width ? unit : width, "a bandwidth is a number and its unit");
    if (has_width && json_number_value(json_object_get(v, width)) <= 0)
        return fault(c, prefix, width, "a bandwidth is more than nothing");
    return 0;
}

static int facts_fit(struct call *c, const char *prefix, const json_t *v)
{
    struct str exclusion = json_get_str(v, "exclusion"), from = json_get_str(v, "commissioned_on"), to = json_get_str(v, "terminated_on");
    bool bank = is_true(v, "national_bank"), third = str_eq(exclusion, STR("national_bank_not_integrated"));

    if (third && (!bank || is_true(v, "national_bank_integrated")))
        return fault(c, prefix, "exclusion", "only objects of the National Bank that are not integrated are excluded so");
    if (exclusion.n && !third && !json_get_str(v, "exclusion_ground").n)
        return fault(c, prefix, "exclusion_ground", "an exclusion needs its ground");
    if (!bank && is_true(v, "national_bank_integrated"))
        return fault(c, prefix, "national_bank_integrated", "asked of objects of the National Bank only");
    if (to.n && (!from.n || str_cmp(to, from) < 0))
        return fault(c, prefix, "terminated_on", "operation ends after it began");
    if ((json_get_str(v, "cii_sector").n || json_get_str(v, "cii_listed_on").n) && !is_true(v, "is_cii"))
        return fault(c, prefix, json_get_str(v, "cii_sector").n ? "cii_sector" : "cii_listed_on", "the object is not a CII object");
    return 0;
}

static int object_fits(struct call *c, const char *prefix, const json_t *v)
{
    static const char *const performers[] = { "performer_response", "performer_protection", "performer_operation" };
    bool possessor = json_get_str(v, "possessor_id").n > 0;
    int rc = connection_fits(c, prefix, v, "utesb_connected", "utesb_bandwidth", "utesb_unit");

    if (rc == 0)
        rc = connection_fits(c, prefix, v, "internet_connected", "internet_bandwidth", "internet_unit");
    if (rc == 0 && (json_get_str(v, "lcs_name").n || json_get_str(v, "lcs_contour").n) && !is_true(v, "lcs_present"))
        rc = fault(c, prefix, json_get_str(v, "lcs_name").n ? "lcs_name" : "lcs_contour", "there is no collection system");
    if (rc == 0 && str_eq(json_get_str(v, "acting_party"), STR("possessor")) && !possessor)
        rc = fault(c, prefix, "acting_party", "there is no possessor");
    for (size_t i = 0; rc == 0 && i < COUNT(performers); i++) {
        struct str who = json_get_str(v, performers[i]);

        if (str_eq(who, STR("possessor")) && !possessor)
            rc = fault(c, prefix, performers[i], "there is no possessor");
        else if (str_eq(who, STR("ocib")) && !json_get_str(v, "ocib_id").n)
            rc = fault(c, prefix, performers[i], "there is no operational centre");
    }
    return rc < 0 ? rc : facts_fit(c, prefix, v);
}

static int term_fits(struct call *c, const char *prefix, const json_t *v)
{
    struct str from = json_get_str(v, "valid_from"), to = json_get_str(v, "valid_to");

    return from.n && to.n && str_cmp(to, from) < 0 ? fault(c, prefix, "valid_to", "ends before it begins") : 0;
}

int value_check(struct call *c, enum record_kind k, const char *prefix, const json_t *v)
{
    char inner[DESK_FIELD_MAX] = "";
    int rc = body_check(v, kinds[k].fields, kinds[k].count, inner, c->e);

    if (rc < 0) {
        c->r->code = "bad_request";
        snprintf(c->r->field, sizeof c->r->field, "%.40s%.80s", prefix, inner);
        return rc;
    }
    switch (k) {
    case RECORD_ORGANISATION:
        return org_fits(c, prefix, v);
    case RECORD_PERSON:
        return person_fits(c, prefix, v);
    case RECORD_OBJECT:
        return object_fits(c, prefix, v);
    case RECORD_COMPONENT:
        rc = list_fits(c, prefix, v, "ip_addresses", address_valid, "not an IPv4 or IPv6 address or network");
        return rc < 0 ? rc : list_fits(c, prefix, v, "domain_names", domain_valid, "not a domain name");
    default:
        return term_fits(c, prefix, v);
    }
}

/* value_whole - every field of the table stands in it, in the table's order, null, false or an empty list where nothing was said: two values that
 * say the same are equal. */
json_t *value_whole(enum record_kind k, const json_t *v)
{
    json_t *out = json_object();

    for (size_t i = 0; i < kinds[k].count; i++) {
        const struct body_field *f = &kinds[k].fields[i];
        json_t *given = json_object_get(v, f->name);
        bool blank = json_is_string(given) && json_string_length(given) == 0;

        if (json_is_real(given) && json_real_value(given) == (double)(json_int_t)json_real_value(given))
            json_object_set_new(out, f->name, json_integer((json_int_t)json_real_value(given)));   /* 1.0 says the same as 1 */
        else if (given && !blank && !json_is_null(given))
            json_object_set_new(out, f->name, json_deep_copy(given));
        else if (f->type == BODY_BOOL && !f->nullable)
            json_object_set_new(out, f->name, json_boolean(strcmp(f->name, "active") == 0));
        else if (f->type == BODY_ITEMS || f->type == BODY_STRINGS || f->type == BODY_ENUMS || f->type == BODY_HOSTS)
            json_object_set_new(out, f->name, json_array());
        else if (f->type == BODY_COUNT)
            json_object_set_new(out, f->name, json_integer(0));
        else
            json_object_set_new(out, f->name, json_null());
    }
    return out;
}
