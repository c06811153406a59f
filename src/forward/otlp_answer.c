/* otlp_answer.c - see otlp_answer.h. */
#include "forward/otlp_answer.h"

static bool header(struct str line, struct str name, struct str *value)
{
    if (line.n <= name.n || line.p[name.n] != ':' || !str_ieq(str_of(line.p, name.n), name))
        return false;
    *value = str_trim(str_cut(line, name.n + 1));
    return true;
}

void otlp_answer_header(struct str line, struct otlp_answer *a)
{
    struct str value;
    uint64_t n;

    if ((header(line, STR("Saqshy-Stored"), &value) || header(line, STR("Saqshy-Repeated"), &value)) && str_u64(value, &n)) {
        a->known = true;
        a->repeated = line.n > 7 && (line.p[7] == 'R' || line.p[7] == 'r');
        a->last = n;
    }
    if (header(line, STR("Retry-After"), &value) && str_u64(value, &n))
        a->retry_after_s = (int)min_size(n, RETRY_AFTER_MAX_S);
}
