/* types.c - see types.h. A code is found by its head, of which there are eight, and its number. */
#include "event/types.h"

const struct str event_types[EVENT_TYPES] = {
    STR_INIT("OS-01"),  STR_INIT("OS-02"),  STR_INIT("OS-03"),  STR_INIT("OS-04"),  STR_INIT("OS-05"),  STR_INIT("OS-06"),  STR_INIT("OS-07"),  STR_INIT("OS-08"),
    STR_INIT("OS-09"),  STR_INIT("OS-10"),  STR_INIT("OS-11"),  STR_INIT("OS-12"),  STR_INIT("OS-13"),  STR_INIT("UX-01"),  STR_INIT("UX-02"),  STR_INIT("UX-03"),
    STR_INIT("WIN-01"), STR_INIT("WIN-02"), STR_INIT("WIN-03"), STR_INIT("WIN-04"), STR_INIT("WIN-05"), STR_INIT("WIN-06"), STR_INIT("WIN-07"), STR_INIT("WIN-08"),
    STR_INIT("WIN-09"), STR_INIT("WIN-10"), STR_INIT("WIN-11"), STR_INIT("DB-01"),  STR_INIT("DB-02"),  STR_INIT("DB-03"),  STR_INIT("NET-01"), STR_INIT("NET-02"),
    STR_INIT("NET-03"), STR_INIT("NET-04"), STR_INIT("NET-05"), STR_INIT("NET-06"), STR_INIT("NET-07"), STR_INIT("FW-01"),  STR_INIT("FW-02"),  STR_INIT("APP-01"),
    STR_INIT("APP-02"), STR_INIT("APP-03"), STR_INIT("APP-04"), STR_INIT("APP-05"), STR_INIT("SEC-01"), STR_INIT("SEC-02"), STR_INIT("SEC-03"), STR_INIT("SEC-04"),
};

int event_type(struct str code)
{
    static const struct { struct str head; uint8_t first, count; } heads[] = {
        { STR_INIT("OS-"), 0, 13 },  { STR_INIT("UX-"), 13, 3 }, { STR_INIT("WIN-"), 16, 11 }, { STR_INIT("DB-"), 27, 3 },
        { STR_INIT("NET-"), 30, 7 }, { STR_INIT("FW-"), 37, 2 }, { STR_INIT("APP-"), 39, 5 },  { STR_INIT("SEC-"), 44, 4 },
    };

    for (size_t i = 0; i < COUNT(heads); i++) {
        const size_t n = heads[i].head.n;

        if (code.n == n + 2 && memcmp(code.p, heads[i].head.p, n) == 0) {
            int number = (code.p[n] - '0') * 10 + (code.p[n + 1] - '0');

            return code.p[n] >= '0' && code.p[n + 1] >= '0' && number >= 1 && number <= heads[i].count && code.p[n + 1] <= '9' ? heads[i].first + number - 1 : -1;
        }
    }
    return -1;
}
