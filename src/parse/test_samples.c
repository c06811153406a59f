/* test_samples.c - see test_samples.h. */
#include "parse/test_samples.h"

#include <sys/stat.h>

static int skip(const char *why, const char *where)
{
    printf("skipped: %s%s\n", why, where);
    return SAMPLES_SKIP;
}

int samples_open(struct samples *s, const char *const *sets, size_t count)
{
    const char *shared = getenv("SAQSHY_SHARED");
    struct stat st;

    snprintf(s->logs, sizeof s->logs, "%s/data/logs", shared ? shared : "../shared");
    if (stat(s->logs, &st) < 0)
        return skip("no sample data at ", s->logs);
    snprintf(s->temp, sizeof s->temp, "/tmp/saqshy-samples-XXXXXX");
    if (!mkdtemp(s->temp))
        return skip("no folder for the sample data in ", "/tmp");
    for (size_t i = 0; i < count; i++) {
        char command[1400];

        snprintf(command, sizeof command, "tar --zstd -xf '%s/%s.tar.zst' -C '%s'", s->logs, sets[i], s->temp);
        if (system(command) != 0)
            return samples_close(s, skip("could not unpack the sample data (tar with zstd is needed): ", sets[i]));
    }
    return 0;
}

int samples_close(struct samples *s, int rc)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", s->temp);
    return system(command) == 0 ? rc : 1;
}
