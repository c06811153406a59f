/* bench_sigma.c - bench_sigma DIR [EVENTS]: how long the rules below DIR take to load, and one event through them.
 *
 * Events are made with a fixed seed: process starts as Sysmon tells them, sshd logins, and lines that nobody knows, in turn. */
#include "sigma/sigma.h"

static uint32_t next(uint32_t *r) { return *r = *r * 1664525 + 1013904223; }

static void add(struct event *ev, struct event_batch *b, const char *name, struct str value)
{
    if (event_add(ev, &b->arena, str_c(name), value) < 0)
        abort();
}

static void process_start(struct event *ev, struct event_batch *b, uint32_t *r)
{
    static const char *const images[] = { "C:\\Windows\\System32\\svchost.exe", "C:\\Windows\\System32\\cmd.exe",
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        "C:\\Windows\\System32\\reg.exe", "C:\\Users\\Public\\tool.exe" };
    const char *image = images[next(r) >> 16 & 3], *parent = images[(next(r) >> 16) % 6];

    ev->class = CLASS_OS_WINDOWS;
    add(ev, b, "EventID", STR("1"));
    add(ev, b, "Channel", STR("Microsoft-Windows-Sysmon/Operational"));
    add(ev, b, "Image", str_c(image));
    add(ev, b, "CommandLine", arena_printf(&b->arena, "\"%s\" -k netsvcs -p -s task%u /quiet --id=%08x", image, next(r) >> 20, next(r)));
    add(ev, b, "CurrentDirectory", STR("C:\\Windows\\system32\\"));
    add(ev, b, "User", STR("NT AUTHORITY\\SYSTEM"));
    add(ev, b, "IntegrityLevel", STR("System"));
    add(ev, b, "Hashes", arena_printf(&b->arena, "MD5=%08x%08x%08x%08x,IMPHASH=%08x", next(r), next(r), next(r), next(r), next(r)));
    add(ev, b, "ParentImage", str_c(parent));
    add(ev, b, "ParentCommandLine", arena_printf(&b->arena, "%s", parent));
    add(ev, b, "OriginalFileName", STR("svchost.exe"));
}

static void login(struct event *ev, struct event_batch *b, uint32_t *r)
{
    ev->class = CLASS_OS_UNIX;
    ev->parser = STR("sshd");
    add(ev, b, "process.name", STR("sshd"));
    add(ev, b, "event.action", STR("ssh_login"));
    add(ev, b, "event.outcome", next(r) & 0x10000 ? STR("failure") : STR("success"));
    add(ev, b, "user.name", arena_printf(&b->arena, "user%u", next(r) >> 22));
    add(ev, b, "source.ip", arena_printf(&b->arena, "10.%u.%u.%u", next(r) >> 24, next(r) >> 24, next(r) >> 24));
    add(ev, b, "host.name", STR("srv1"));
}

int main(int argc, char **argv)
{
    const char *paths[] = { argc > 1 ? argv[1] : "content/rules" };
    uint64_t events = 200000, matches = 0;
    struct sigma_run *run = NULL;
    struct sigma *s = NULL;
    struct event_batch b;
    uint32_t r = 1;
    struct err e;
    time_ns start = clock_steady(), spent = 0;

    if (argc > 2 && !str_u64(str_c(argv[2]), &events))
        return 2;
    if (sigma_load(paths, 1, &s, &e) < 0 || sigma_run_new(s, false, &run, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    printf("%zu rules loaded in %.0f ms\n", sigma_rule_count(s), (double)(clock_steady() - start) / 1e6);
    event_batch_init(&b, 0);
    for (uint64_t i = 0; i < events;) {
        event_batch_reset(&b);
        for (int k = 0; k < 1000 && i < events; k++, i++) {
            struct event *ev = event_batch_add(&b);

            ev->seq = i + 1;
            ev->time = ev->received = 1700000000 * NS_PER_SECOND + (time_ns)i * NS_PER_MS;
            ev->original = STR("a line as it came, of about the usual length, with nothing in it that matters");
            if (i % 3 == 0)
                process_start(ev, &b, &r);
            else if (i % 3 == 1)
                login(ev, &b, &r);
        }
        start = clock_steady();
        for (size_t k = 0; k < b.count; k++) {
            const struct sigma_match *m;
            int n = sigma_run_event(run, &b.items[k], false, &m, &e);

            if (n < 0)
                return 1;
            matches += (uint64_t)n;
        }
        spent += clock_steady() - start;
    }
    printf("%llu events, %llu matches, %.2f us each, %.0f a second, %.1f rules computed an event\n", (unsigned long long)events,
           (unsigned long long)matches, (double)spent / 1e3 / (double)events, (double)events * 1e9 / (double)spent,
           (double)sigma_run_counters(run)->evaluated / (double)events);
    event_batch_free(&b);
    sigma_run_free(&run);
    sigma_free(&s);
    return 0;
}
