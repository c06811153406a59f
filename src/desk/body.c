/* body.c - bodies of requests, judged against tables before anything is done. */
#include "desk/internal.h"

#define ANNEX_TEXT 8000

const char *const level_values[] = { "high", "medium", "low", "undefined", NULL };
const char *const detection_values[] = { "event", "incident", NULL };
const char *const language_values[] = { "kk", "ru", "en", NULL };
const char *const criticality_values[] = { "high", "medium", "low", NULL };
const char *const contour_values[] = { "internal", "external", NULL };
const char *const role_values[] = {
    "administrator", "centre_analyst", "centre_lead", "surveyor", "document_auditor", "owner_officer", "owner_administrator", "ocib_analyst",
    "cii_responsible", "knb", "authorised_body", "auditor", NULL,
};
const char *const org_kind_values[] = { "sts", "owner", "possessor", "support", "ocib", "knb", "authorised_body", NULL };

static const char *const registration_values[] = { "first", "repeated", NULL };
const char *const type_values[] = { "denial_of_service", "unauthorized_access_and_content_modification", "botnet", "virus_attack",
                                           "ransomware", "vulnerability_exploitation", "authentication_means_compromise", "phishing", "spam",
                                           "other", NULL };
static const char *const scale_values[] = { "single", "mass", NULL };
const char *const recurrence_values[] = { "repeated", "new", NULL };
static const char *const sign_values[] = { "valid", "attempt", "suspicion", NULL };
static const char *const lan_values[] = { "internal_lan", "external_lan", NULL };
static const char *const consequence_values[] = { "none", "operability_breach", "integrity_breach", "confidentiality_breach", NULL };
const char *const ioc_values[] = { "ip", "domain", "url", "hash", "email", "file", "other", NULL };
static const char *const contact_values[] = { "responsible_person", "ocib", NULL };

const struct body_field annex7_fields[] = {
    { "registered_on", BODY_DATE, true, false, 0, 0, NULL },
    { "detected_at", BODY_DATETIME, true, false, 0, 0, NULL },
    { "source_ip", BODY_STRING, true, true, 0, 64, NULL },
    { "target_ip", BODY_STRING, true, true, 0, 64, NULL },
    { "device_name", BODY_STRING, true, true, 0, 255, NULL },
    { "event_name", BODY_STRING, true, true, 0, 500, NULL },
    { "file_path_or_request", BODY_TEXT, true, true, 0, 4096, NULL },
    { "server_response_code", BODY_STRING, true, true, 0, 64, NULL },
    { "ipt_hit_count", BODY_COUNT, true, true, 0, 0, NULL },
    { "source_organization", BODY_STRING, true, true, 0, 500, NULL },
    { "registration_kind", BODY_ENUM, true, false, 0, 0, registration_values },
    { "nature", BODY_TEXT, true, true, 0, ANNEX_TEXT, NULL },
    { "owner_or_possessor", BODY_STRING, true, true, 0, 500, NULL },
    { "object", BODY_STRING, true, true, 0, 500, NULL },
    { "note", BODY_TEXT, true, true, 0, ANNEX_TEXT, NULL },
};
const size_t annex7_field_count = COUNT(annex7_fields);

const struct body_field annex2_fields[] = {
    { "registered_on", BODY_DATE, true, true, 0, 0, NULL },
    { "level", BODY_ENUM, true, true, 0, 0, level_values },
    { "incident_type", BODY_ENUM, true, true, 0, 0, type_values },
    { "scale", BODY_ENUM, true, true, 0, 0, scale_values },
    { "occurred_at", BODY_DATETIME, true, true, 0, 0, NULL },
    { "confirmed_at", BODY_DATETIME, true, true, 0, 0, NULL },
    { "recurrence", BODY_ENUM, true, true, 0, 0, recurrence_values },
    { "iocs", BODY_IOCS, true, false, 0, 1000, ioc_values },
    { "sign", BODY_ENUM, true, true, 0, 0, sign_values },
    { "contour", BODY_ENUM_OR_LIST, true, true, 0, 0, lan_values },
    { "nature", BODY_TEXT, true, true, 0, ANNEX_TEXT, NULL },
    { "consequences", BODY_ENUMS, true, false, 0, 0, consequence_values },
    { "affected_object", BODY_STRING, true, true, 0, 500, NULL },
    { "elimination_actions", BODY_TEXT, true, true, 0, ANNEX_TEXT, NULL },
    { "note", BODY_TEXT, true, true, 0, ANNEX_TEXT, NULL },
};
const size_t annex2_field_count = COUNT(annex2_fields);

static const struct body_field contact_fields[] = {
    { "kind", BODY_ENUM, true, false, 0, 0, contact_values }, { "name", BODY_STRING, true, false, 1, 200, NULL },
    { "email", BODY_EMAIL, true, true, 0, 254, NULL },        { "phone", BODY_STRING, true, true, 0, 64, NULL },
    { "language", BODY_ENUM, true, false, 0, 0, language_values },
};
static const struct body_field ioc_fields[] = {
    { "type", BODY_ENUM, true, false, 0, 0, ioc_values },
    { "value", BODY_STRING, true, false, 1, 2048, NULL },
};

bool value_known(const char *const *values, struct str s)
{
    for (; *values; values++)
        if (str_eq(s, str_c(*values)))
            return true;
    return false;
}

static int wrong(char field[DESK_FIELD_MAX], const char *path, struct err *e, const char *what)
{
    snprintf(field, DESK_FIELD_MAX, "%s", path);
    return err_set(e, -EINVAL, "\"%s\": %s", path, what);
}

/* text_fault - bounds in letters, no NUL, no control bytes (lines only where a text has them). */
static const char *text_fault(const json_t *v, const struct body_field *f)
{
    struct str s = str_of(json_string_value(v), json_string_length(v));
    size_t letters = 0;
    bool seen = false;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 32 && !(f->type == BODY_TEXT && (c == '\n' || c == '\t' || c == '\r')))
            return "a control character";
        letters += (c & 0xC0) != 0x80;
        seen = seen || c > 32;
    }
    if (letters > f->most)
        return "too long";
    if (f->least && (letters < f->least || !seen))
        return "empty or too short";
    return NULL;
}

static const char *email_fault(struct str s)
{
    ptrdiff_t at = str_chr(s, '@');

    if (at <= 0 || (size_t)at + 1 >= s.n || str_chr(str_cut(s, (size_t)at + 1), '@') >= 0)
        return "not an e-mail address";
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 32 || (unsigned char)s.p[i] >= 127 || strchr("<>()[]\\,;:\"", s.p[i]))
            return "not an e-mail address";
    return NULL;
}

/* What people declare lies between these years: outside of them no term can be counted, and a clerk has mistyped. */
#define YEAR_LEAST 1900
#define YEAR_MOST  2199

static const char *date_fault(struct str s)
{
    struct reader r = rd_str(s);
    struct civil c = { 0 };

    c.year = rd_digits(&r, 4, "year");
    rd_byte(&r, '-');
    c.month = rd_digits(&r, 2, "month");
    rd_byte(&r, '-');
    c.day = rd_digits(&r, 2, "day");
    if (!rd_ok(&r) || rd_left(&r) != 0 || !civil_valid(&c))
        return "not a date like 2026-03-20";
    return c.year >= YEAR_LEAST && c.year <= YEAR_MOST ? NULL : "not a year from 1900 to 2199";
}

static const char *moment_fault(struct str s)
{
    struct civil c;
    time_ns t;

    if (time_parse_rfc3339(s, &t, NULL, NULL) < 0)
        return "not a moment like 2026-03-20T18:50:00Z";
    c = civil_of_ns(t, 0);
    return c.year >= YEAR_LEAST && c.year <= YEAR_MOST ? NULL : "not a year from 1900 to 2199";
}

/* scalar_fault - what is wrong with one value that holds no others; NULL if nothing. */
static const char *scalar_fault(const json_t *v, const struct body_field *f)
{
    if (f->type == BODY_BOOL)
        return json_is_boolean(v) ? NULL : "true or false is expected";
    if (f->type == BODY_COUNT)
        return json_is_integer(v) && json_integer_value(v) >= 0 ? NULL : "a number from 0 is expected";
    if (f->type == BODY_NUMBER)
        return json_is_number(v) && json_number_value(v) >= 0 && json_number_value(v) <= 1e12 ? NULL : "a number from 0 is expected";
    if (!json_is_string(v))
        return "a text is expected";
    struct str s = str_of(json_string_value(v), json_string_length(v));
    if (f->type == BODY_ENUM)
        return value_known(f->values, s) ? NULL : "not one of the known values";
    if (f->type == BODY_DATE)
        return date_fault(s);
    if (f->type == BODY_DATETIME)
        return moment_fault(s);
    const char *fault = text_fault(v, f);
    return fault ? fault : f->type == BODY_EMAIL ? email_fault(s) : NULL;
}

static int check_members(const json_t *body, const struct body_field *fields, size_t count, const char *prefix, char field[DESK_FIELD_MAX],
                         struct err *e);

/* check_list - how deep this goes is bounded by the tables, not by the body: no table names itself. */
static int check_list(const json_t *v, const struct body_field *f, const char *path, char field[DESK_FIELD_MAX], struct err *e)
{
    const struct body_field host = { "", BODY_STRING, true, false, 1, 255, NULL }, one = { "", BODY_ENUM, true, false, 0, 0, f->values };
    const struct body_field text = { "", BODY_STRING, true, false, 1, BODY_STRINGS_LETTERS, NULL };
    char inner[DESK_FIELD_MAX];
    size_t n = json_array_size(v);

    if (!json_is_array(v))
        return wrong(field, path, e, "a list is expected");
    if (n > (f->most ? f->most : 64))
        return wrong(field, path, e, "too many");
    if (n < f->least)
        return wrong(field, path, e, "too few");
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, i);
        const char *fault = NULL;
        int rc = 0;

        snprintf(inner, sizeof inner, "%.100s.%zu", path, i);
        if (f->type == BODY_HOSTS)
            fault = scalar_fault(item, &host);
        else if (f->type == BODY_STRINGS)
            fault = scalar_fault(item, &text);
        else if (f->type == BODY_ITEMS)
            rc = check_members(item, f->of, f->of_count, inner, field, e);
        else if (f->type == BODY_ENUMS || f->type == BODY_ENUM_OR_LIST)
            fault = scalar_fault(item, &one);
        else if (f->type == BODY_IOCS)
            rc = check_members(item, ioc_fields, COUNT(ioc_fields), inner, field, e);
        else
            rc = check_members(item, contact_fields, COUNT(contact_fields), inner, field, e);
        if (fault)
            return wrong(field, inner, e, fault);
        if (rc < 0)
            return rc;
        for (size_t k = 0; (f->type == BODY_ENUMS || f->type == BODY_ENUM_OR_LIST) && k < n; k++)
            if ((k < i && json_equal(item, json_array_get(v, k))) || (n > 1 && strcmp(json_string_value(item), "none") == 0))
                return wrong(field, path, e, "a value stands twice, or \"none\" beside others");
    }
    return 0;
}

static int check_value(const json_t *v, const struct body_field *f, const char *path, char field[DESK_FIELD_MAX], struct err *e)
{
    const char *fault;

    if (json_is_null(v) && f->nullable)
        return 0;
    switch (f->type) {
    case BODY_HOSTS:
    case BODY_CONTACTS:
    case BODY_IOCS:
    case BODY_STRINGS:
    case BODY_ITEMS:
        return check_list(v, f, path, field, e);
    case BODY_ENUMS:
        return check_list(v, f, path, field, e);
    case BODY_ENUM_OR_LIST:
        if (json_is_string(v)) {
            const struct body_field one = { f->name, BODY_ENUM, true, false, 0, 0, f->values };

            fault = scalar_fault(v, &one);
            return fault ? wrong(field, path, e, fault) : 0;
        }
        return check_list(v, f, path, field, e);
    case BODY_PART:
        return check_members(v, f->of, f->of_count, path, field, e);
    case BODY_ANNEX7:
        return check_members(v, annex7_fields, annex7_field_count, path, field, e);
    case BODY_ANNEX2:
        return check_members(v, annex2_fields, annex2_field_count, path, field, e);
    default:
        fault = scalar_fault(v, f);
        return fault ? wrong(field, path, e, fault) : 0;
    }
}

/* check_members - one object. Depth is bounded by the tables: body, annex, indicator. */
static int check_members(const json_t *body, const struct body_field *fields, size_t count, const char *prefix, char field[DESK_FIELD_MAX],
                         struct err *e)
{
    char path[DESK_FIELD_MAX];
    const char *key;
    json_t *v;

    if (!json_is_object(body))
        return wrong(field, prefix, e, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)body, key, v) {
        const struct body_field *f = NULL;

        for (size_t i = 0; i < count && !f; i++)
            if (strcmp(fields[i].name, key) == 0)
                f = &fields[i];
        snprintf(path, sizeof path, "%.60s%s%.60s", prefix, *prefix ? "." : "", key);
        if (!f)
            return wrong(field, path, e, "not known here");
        int rc = check_value(v, f, path, field, e);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !json_object_get(body, fields[i].name)) {
            snprintf(path, sizeof path, "%.60s%s%.60s", prefix, *prefix ? "." : "", fields[i].name);
            return wrong(field, path, e, "missing");
        }
    return 0;
}

int body_check(const json_t *body, const struct body_field *fields, size_t count, char field[DESK_FIELD_MAX], struct err *e)
{
    return check_members(body, fields, count, "", field, e);
}

size_t body_field_count(const struct body_field *fields, size_t most)
{
    size_t n = 0;

    while (n < most && fields[n].name)
        n++;
    return n;
}

/* type_word - what a form draws: the words of docs/openapi.yaml; whatever is not here is one line of text. */
static const char *type_word(enum body_type t)
{
    static const struct { enum body_type type; const char *word; } words[] = {
        { BODY_TEXT, "text" },       { BODY_DATE, "date" },       { BODY_DATETIME, "datetime" }, { BODY_ENUM, "enum" },   { BODY_ENUMS, "enum_set" },
        { BODY_BOOL, "bool" },       { BODY_COUNT, "count" },     { BODY_EMAIL, "email" },       { BODY_ITEMS, "items" }, { BODY_PART, "part" },
        { BODY_STRINGS, "strings" }, { BODY_ANNEX7, "annex7" },   { BODY_ANNEX2, "annex2" },
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].type == t)
            return words[i].word;
    return "string";
}

json_t *body_fields_json(const struct body_field *fields, size_t count)
{
    json_t *list = json_array();

    for (const struct body_field *f = fields; f < fields + count; f++) {
        bool choice = f->type == BODY_ENUM || f->type == BODY_ENUMS;
        json_t *values = json_array();

        for (const char *const *v = choice ? f->values : NULL; v && *v; v++)
            json_array_append_new(values, json_string(*v));
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "name", f->name, "type", type_word(f->type), "required", f->required, "enum", values));
    }
    return list;
}
