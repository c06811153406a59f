/* bench_ioc.c - what asking a set of indicators costs.
 *
 * usage: bench_ioc [COUNT]      (2,000,000: a third addresses, names, hashes each; seed 42)
 *
 * Prints seconds of building and opening, bytes of the file, the resident memory after a million questions that find nothing, and nanoseconds a question, found and not
 * found, by type. A name of three labels is two questions of the set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ioc/ioc.h"

#define ASKED 1000000u

static char values[ASKED][72];

static uint64_t state = 42;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* value_of - the n-th of a third of its type; what the set does not have begins at a larger n. */
static void value_of(uint32_t n, enum ioc_type type, char out[128])
{
    uint64_t h = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);

    if (type == IOC_IP)
        snprintf(out, 128, "%u.%u.%u.%u", 1 + n / 16777216 % 220, n / 65536 % 256, n / 256 % 256, n % 256);
    else if (type == IOC_DOMAIN)
        snprintf(out, 128, "h%x.n%llx.example", n, (unsigned long long)(h >> 40));
    else
        snprintf(out, 128, "%016llx%016llx%016llx%016llx", (unsigned long long)h, (unsigned long long)(h * 3), (unsigned long long)(h * 5), (unsigned long long)(h * 7));
}

static long resident_kib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, ignored;

    if (f && fscanf(f, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double seconds_since(time_ns t) { return (double)(clock_steady() - t) / 1e9; }

static void ask(const struct ioc_set *s, enum ioc_type type, uint32_t third, bool there)
{
    struct ioc found[4];
    size_t hits = 0;

    for (uint32_t i = 0; i < ASKED; i++) {
        char text[128];

        value_of((uint32_t)(next_random() % third) + (there ? 0 : third), type, text);
        snprintf(values[i], sizeof values[i], "%.71s", text);
    }
    time_ns t = clock_steady();

    for (uint32_t i = 0; i < ASKED; i++)
        hits += ioc_find(s, type, str_c(values[i]), 0, found, COUNT(found));
    printf("%-8s %-9s %7.1f ns a question, %zu hits\n", ioc_type_name(type), there ? "found" : "not there", seconds_since(t) * 1e9 / ASKED, hits);
}

int main(int argc, char **argv)
{
    static const enum ioc_type types[] = { IOC_IP, IOC_DOMAIN, IOC_HASH };
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000000, third = count / 3;
    char path[] = "/tmp/saqshy-bench-ioc-XXXXXX";
    struct ioc_build *b = NULL;
    struct ioc_set *s = NULL;
    size_t all = 0;
    struct err e = { 0 };
    struct stat st;
    int fd = mkstemp(path), rc = ioc_build_new(&b, &e);
    time_ns t = clock_steady();

    for (uint32_t i = 0; rc == 0 && i < third * 3; i++) {
        char text[128];

        value_of(i / 3, types[i % 3], text);
        rc = ioc_build_add(b, &(struct ioc){ .type = types[i % 3], .value = str_c(text), .source = STR("bench"), .confidence = 50 }, &e);
    }
    if (rc == 0)
        rc = ioc_build_write(b, path, &all, &e);
    ioc_build_free(&b);
    printf("%zu indicators, built in %.2f s\n", all, seconds_since(t));
    t = clock_steady();
    if (rc == 0)
        rc = ioc_open(path, &s, &e);
    if (rc < 0 || stat(path, &st) < 0) {
        fprintf(stderr, "bench_ioc: %s\n", e.text);
        return 1;
    }
    memset(values, 1, sizeof values);
    long before = resident_kib();

    printf("opened in %.3f s, file %.1f MiB\n", seconds_since(t), (double)st.st_size / (1024 * 1024));
    for (size_t i = 0; i < COUNT(types); i++)
        ask(s, types[i], third, false);
    printf("resident for what is not there: %.1f MiB more\n", (double)(resident_kib() - before) / 1024);
    for (size_t i = 0; i < COUNT(types); i++)
        ask(s, types[i], third, true);
    ioc_close(&s);
    close(fd);
    unlink(path);
    return 0;
}
