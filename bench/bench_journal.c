/* bench_journal.c - journal append: events a second and CPU-seconds per million events, for several sizes of commit groups, beside
 * the floor of this disk: write(2) and fdatasync(2) of the same raw bytes.
 *
 * usage: bench_journal [FOLDER [EVENTS]] */
#include "journal/journal.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/resource.h>

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void fill(struct event_batch *b, size_t count, unsigned *seed)
{
    event_batch_reset(b);
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(b);
        unsigned r = (unsigned)rand_r(seed);

        ev->original = arena_printf(&b->arena, "Nov 24 10:%02u:%02u srv-%u sshd[%u]: Failed password for invalid user u%u from 203.0.%u.%u port %u ssh2",
                                    r % 60, r / 60 % 60, r % 40, r % 30000, r % 500, r % 256, r / 7 % 256, 1024 + r % 60000);
        ev->time = ev->received = 1795514400 * NS_PER_SECOND + (time_ns)r * 1000;
        ev->class = CLASS_OS_UNIX;
        ev->parser = STR("sshd");
        ev->source = STR("198.51.100.7");
        (void)event_add(ev, &b->arena, STR("event.outcome"), STR("failure"));
        (void)event_add(ev, &b->arena, STR("process.name"), str_of(ev->original.p + str_find(ev->original, STR("sshd")), 4));
        (void)event_add(ev, &b->arena, STR("user.name"), str_of(ev->original.p + str_find(ev->original, STR(" u")) + 1, 4));
    }
}

static void run(const char *folder, size_t total, size_t group)
{
    struct event_batch b;
    struct journal *j;
    struct err e;
    unsigned seed = 1;
    double cpu = 0;
    time_ns wall = 0;
    size_t raw = 0;

    event_batch_init(&b, 0);
    if (journal_open(folder, 0, &j, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        exit(2);
    }
    for (size_t done = 0; done < total; done += group) {
        fill(&b, group, &seed);
        for (size_t i = 0; i < group; i++)
            raw += b.items[i].original.n;
        double c = cpu_seconds();
        time_ns t = clock_steady();
        if (journal_append(j, b.items, group, (struct journal_origin){ 0 }, NULL, &e) < 0 || journal_commit(j, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            exit(2);
        }
        wall += clock_steady() - t;
        cpu += cpu_seconds() - c;
    }
    printf("journal, commit every %5zu events: %9.0f events/s  %6.2f CPU-s/M  %5.1f MB/s of lines\n", group, (double)total / ((double)wall / 1e9),
           cpu * 1e6 / (double)total, (double)raw / 1e6 / ((double)wall / 1e9));
    journal_close(&j);
    event_batch_free(&b);
}

static void floor_of_disk(const char *folder, size_t total, size_t group)
{
    char path[5000];
    size_t bytes = group * 110;
    char *block = calloc(1, bytes);
    time_ns t = clock_steady();
    double c = cpu_seconds();

    snprintf(path, sizeof path, "%s/floor", folder);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t done = 0; block && done < total; done += group)
        if (write(fd, block, bytes) < 0 || fdatasync(fd) < 0)
            exit(2);
    double seconds = (double)(clock_steady() - t) / 1e9;
    printf("floor: write + fdatasync of %5zu lines: %6.0f events/s  %6.2f CPU-s/M\n", group, (double)total / seconds, (cpu_seconds() - c) * 1e6 / (double)total);
    unlink(path);
    free(block);
}

int main(int argc, char **argv)
{
    char folder[4096];
    size_t total = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 1000000;

    snprintf(folder, sizeof folder, "%s/bench-journal-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    if (!mkdtemp(folder))
        return 2;
    for (size_t group = 100; group <= 10000; group *= 10) {
        size_t n = group == 100 ? total / 5 : total;

        floor_of_disk(folder, n, group);
        run(folder, n, group);
    }
    fprintf(stderr, "files left in %s for a look; remove them\n", folder);
    return 0;
}
