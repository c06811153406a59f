/* re.c - the patterns of descriptions, by PCRE2, with a limit of steps: a report cannot make a pattern run for ever. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "scan/internal.h"

#define RE_STEPS    200000u
#define RE_HEAP_KIB 4096u

struct re {
    pcre2_code *code;
    struct str  names[RE_GROUPS];
    size_t      groups;
};
struct re_work {
    pcre2_match_data    *data;
    pcre2_match_context *context;
};

/* take_names - the group names stand in a table of fixed rows: two bytes of number, then the name. */
static void take_names(struct re *r)
{
    uint32_t count = 0, size = 0, groups = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    r->groups = groups + 1;
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *row = table + (size_t)i * size;
        size_t group = (size_t)row[0] << 8 | row[1];

        if (group < RE_GROUPS)
            r->names[group] = str_c((const char *)row + 2);
    }
}

int re_new(struct str pattern, struct re **out, struct err *e)
{
    struct re *r = calloc(1, sizeof *r);
    PCRE2_SIZE at = 0;
    int code = 0;

    *out = NULL;
    if (!r)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    r->code = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!r->code) {
        PCRE2_UCHAR text[160] = "";

        pcre2_get_error_message(code, text, sizeof text);
        free(r);
        return err_at(e, -EBADMSG, at, "pattern, character %zu: %s", (size_t)at + 1, (const char *)text);
    }
    take_names(r);
    if (r->groups > RE_GROUPS) {
        re_free(r);
        return err_set(e, -E2BIG, "a pattern has more than %d groups", RE_GROUPS - 1);
    }
    *out = r;
    return 0;
}

void re_free(struct re *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r);
}

struct re_work *re_work_new(void)
{
    struct re_work *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->data = pcre2_match_data_create(RE_GROUPS, NULL);
    w->context = pcre2_match_context_create(NULL);
    if (!w->data || !w->context) {
        re_work_free(w);
        return NULL;
    }
    pcre2_set_match_limit(w->context, RE_STEPS);
    pcre2_set_heap_limit(w->context, RE_HEAP_KIB);
    return w;
}

void re_work_free(struct re_work *w)
{
    if (!w)
        return;
    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    free(w);
}

int re_find(const struct re *r, struct re_work *w, struct str text, size_t from, struct str groups[RE_GROUPS])
{
    const PCRE2_SIZE *at;
    int rc;

    if (from > text.n)
        return 0;
    rc = pcre2_match(r->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, from, 0, w->data, w->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return -E2BIG;
    at = pcre2_get_ovector_pointer(w->data);
    for (size_t i = 0; i < RE_GROUPS; i++) {
        groups[i] = (struct str){ NULL, 0 };
        if (i < (size_t)rc && at[2 * i] != PCRE2_UNSET && at[2 * i + 1] >= at[2 * i])
            groups[i] = str_of(text.n ? text.p + at[2 * i] : "", at[2 * i + 1] - at[2 * i]);
    }
    return 1;
}

struct str re_name(const struct re *r, size_t i) { return i < RE_GROUPS ? r->names[i] : (struct str){ NULL, 0 }; }
size_t re_groups(const struct re *r) { return r->groups; }
