/* regex.c - regular expressions by PCRE2 with its JIT; every match has a limit of steps. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sigma/internal.h"

#define RE_HEAP_KIB 4096u

struct regex_scratch {
    pcre2_match_data    *data;
    pcre2_match_context *context;
};

int regex_new(struct str pattern, unsigned flags, struct regex **out, struct err *e)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    struct regex *r = calloc(1, sizeof *r);
    PCRE2_SIZE at = 0;
    int code = 0;

    *out = NULL;
    if (!r)
        return err_set(e, -ENOMEM, "no memory for a regular expression");
    if (flags & RE_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & RE_MULTILINE)
        options |= PCRE2_MULTILINE;
    if (flags & RE_DOTALL)
        options |= PCRE2_DOTALL;
    if (flags & RE_FROM_START)
        options |= PCRE2_ANCHORED;
    if (flags & RE_TO_END)
        options |= PCRE2_ENDANCHORED;
    r->code = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options, &code, &at, NULL);
    if (!r->code) {
        PCRE2_UCHAR text[160] = "";

        pcre2_get_error_message(code, text, sizeof text);
        free(r);
        return err_at(e, -EBADMSG, at, "regular expression, character %zu: %s", at + 1, (const char *)text);
    }
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);   /* without it pcre2_match still works, slower */
    *out = r;
    return 0;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r);
}

struct regex_scratch *regex_scratch_new(void)
{
    struct regex_scratch *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->data = pcre2_match_data_create(1, NULL);
    s->context = pcre2_match_context_create(NULL);
    if (!s->data || !s->context) {
        regex_scratch_free(&s);
        return NULL;
    }
    pcre2_set_match_limit(s->context, RE_MATCH_LIMIT);
    pcre2_set_depth_limit(s->context, RE_DEPTH_LIMIT);
    pcre2_set_heap_limit(s->context, RE_HEAP_KIB);
    return s;
}

void regex_scratch_free(struct regex_scratch **s)
{
    if (!*s)
        return;
    pcre2_match_data_free((*s)->data);
    pcre2_match_context_free((*s)->context);
    free(*s);
    *s = NULL;
}

int regex_match(const struct regex *r, struct regex_scratch *s, struct str text, size_t *at, size_t *n)
{
    int rc = pcre2_match(r->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, 0, s->data, s->context);
    PCRE2_SIZE *o;

    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return -1;
    o = pcre2_get_ovector_pointer(s->data);
    *at = o[0];
    *n = o[1] >= o[0] ? o[1] - o[0] : 0;
    return 1;
}

size_t regex_bytes(const struct regex *r)
{
    size_t code = 0, jit = 0;

    if (pcre2_pattern_info(r->code, PCRE2_INFO_SIZE, &code) != 0)
        code = 0;
    if (pcre2_pattern_info(r->code, PCRE2_INFO_JITSIZE, &jit) != 0)
        jit = 0;
    return sizeof *r + code + jit;
}
