/* learn_cut.c - enemy of learn: a byte says how often the lines behind it come, each time with other digits. What the face promises holds. */
#include "learn/testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_MAX 2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t times = size ? 1 + data[0] % 64 : 1, count = 0;
    struct str *texts = malloc(ROWS_MAX * sizeof *texts), all = size ? str_of((const char *)data + 1, size - 1) : (struct str){ NULL, 0 };
    struct learner *l = learner_new();
    AUTO_ARENA struct arena a = { 0 };
    struct learn_out out;

    arena_init(&a, 256 * MIB);
    if (!l || !texts)
        abort();
    for (uint32_t turn = 0; turn < times; turn++) {
        struct str rest = all, line;

        while (count < ROWS_MAX && str_split(&rest, '\n', &line)) {
            char *copy = arena_alloc(&a, line.n + 1);

            if (!copy)
                break;
            for (size_t i = 0; i < line.n; i++)
                copy[i] = line.p[i] >= '0' && line.p[i] <= '9' ? (char)('0' + (line.p[i] - '0' + turn * (i % 3)) % 10) : line.p[i];
            texts[count++] = str_of(copy, line.n);
        }
    }
    for (int again = 0; again < 2; again++)
        if (learn_cut(l, 1, texts, count, &out, NULL) < 0 || testing_broken(texts, count, &out))
            abort();
    learner_free(&l);
    free(texts);
    return 0;
}
