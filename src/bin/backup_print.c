/* backup_print.c - see backup_print.h. */
#include "bin/backup_print.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double mib(uint64_t bytes) { return (double)bytes / (double)MIB; }

void backup_say_progress(void *arg, const struct backup_progress *p, const char *now)
{
    const struct backup_say *s = arg;

    if (!s->quiet)
        fprintf(stderr, "saqshy %s: %llu files, %.1f MiB; written %llu, %.1f MiB; now %.200s\n", s->command, (unsigned long long)p->files, mib(p->bytes),
                (unsigned long long)p->copied_files, mib(p->copied_bytes), now);
}

void backup_say_fault(void *arg, const char *file, const char *reason)
{
    const struct backup_say *s = arg;

    fprintf(stderr, "saqshy %s: %s: %s\n", s->command, file, reason);
}

bool backup_rate(const char *text, uint64_t *bytes_per_s)
{
    char *end;
    double v = strtod(text, &end);

    if (!*text || *end || !isfinite(v) || v <= 0 || v > 1e6)
        return false;
    *bytes_per_s = (uint64_t)(v * (double)MIB) + 1;
    return true;
}

void backup_say_result(const struct backup_say *s, const struct backup_facts *f, const struct backup_progress *p)
{
    char at[TIME_TEXT_MAX];

    time_format_utc(f->at, at);
    if (s->json)
        printf("{\"at\":\"%s\",\"keys\":%s,\"files\":%llu,\"bytes\":%llu,\"written_files\":%llu,\"written_bytes\":%llu,\"passes\":%llu,\"store_next_seq\":%llu,"
               "\"journal_next_seq\":%llu,\"acknowledged_seq\":%llu}\n", at, f->keys ? "true" : "false", (unsigned long long)f->files, (unsigned long long)f->bytes,
               (unsigned long long)p->copied_files, (unsigned long long)p->copied_bytes, (unsigned long long)p->passes, (unsigned long long)f->store_next_seq,
               (unsigned long long)f->journal_next_seq, (unsigned long long)f->acknowledged_seq);
    else
        printf("backup of %s, %s private keys: %llu files, %.1f MiB; written now %llu, %.1f MiB; every event before %llu is in it\n", at, f->keys ? "with" : "without",
               (unsigned long long)f->files, mib(f->bytes), (unsigned long long)p->copied_files, mib(p->copied_bytes), (unsigned long long)f->journal_next_seq);
}
