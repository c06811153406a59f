/* ports.c - listening ports of this host: a port that was not there at the last look gives a line.
 *
 * TCP in state LISTEN (0A) and UDP bound to a port below the ephemeral range (a UDP socket does not say whether it serves). The
 * first look of all is the baseline and says nothing. The process is found by its socket's inode under /proc/PID/fd. */
#include "agent/internal.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>

#define LOOK_NS       (3 * NS_PER_SECOND)
#define TABLE_MAX     (4u * MIB)
#define STATE_LISTEN  0x0a
#define STATE_UNCONNECTED 0x07
#define PIDS_MAX      65536

struct ports {
    struct port *now, *before;        /* STATE_PORTS_MAX each */
    uint64_t    *inode;
    size_t       count, before_count;
    bool         known;
    time_ns      looked;
    struct buf   table;
};

static bool hex(struct str *s, size_t digits, uint32_t *out)
{
    uint32_t v = 0;

    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = s->p[i];
        uint32_t d = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10) : 16;

        if (d > 15)
            return false;
        v = v << 4 | d;
    }
    *s = str_cut(*s, digits);
    *out = v;
    return true;
}

static bool word(struct str *line, struct str *out)
{
    while (line->n && line->p[0] == ' ')
        *line = str_cut(*line, 1);
    if (!line->n)
        return false;
    ptrdiff_t n = str_chr(*line, ' ');
    *out = str_of(line->p, n < 0 ? line->n : (size_t)n);
    *line = str_cut(*line, out->n);
    return true;
}

/* address - "0100007F:1F90" or 32 digits before the colon; words of four bytes in the order of this machine. */
static bool address(struct str s, struct port *p)
{
    uint32_t words[4], number;
    size_t n = s.n == 37 ? 4 : s.n == 13 ? 1 : 0;

    for (size_t i = 0; i < n; i++)
        if (!hex(&s, 8, &words[i]))
            return false;
    if (n == 0 || s.p[0] != ':')
        return false;
    s = str_cut(s, 1);
    if (!hex(&s, 4, &number))
        return false;
    p->number = (uint16_t)number;
    return inet_ntop(n == 4 ? AF_INET6 : AF_INET, words, p->address, sizeof p->address) != NULL;
}

size_t ports_parse(struct str table, const char *proto, uint16_t udp_below, struct port *out, uint64_t *inode, size_t most)
{
    struct str line, local, skip, state;
    bool udp = proto[0] == 'u';
    size_t count = 0;

    while (count < most && str_split(&table, '\n', &line)) {
        struct port p = { 0 };
        uint32_t st;
        struct str number;
        bool ok = word(&line, &skip) && word(&line, &local) && word(&line, &skip) && word(&line, &state) && hex(&state, 2, &st);

        for (int i = 0; ok && i < 5; i++)   /* queues, timer, retransmits, uid, timeout */
            ok = word(&line, &skip);
        if (!ok || !word(&line, &number) || !str_u64(number, &inode[count]) || !address(local, &p))
            continue;
        if (udp ? st != STATE_UNCONNECTED || p.number >= udp_below : st != STATE_LISTEN)
            continue;
        snprintf(p.proto, sizeof p.proto, "%s", proto);
        out[count++] = p;
    }
    return count;
}

static bool same(const struct port *a, const struct port *b)
{
    return a->number == b->number && strcmp(a->proto, b->proto) == 0 && strcmp(a->address, b->address) == 0;
}

static bool among(const struct port *list, size_t n, const struct port *p)
{
    for (size_t i = 0; i < n; i++)
        if (same(&list[i], p))
            return true;
    return false;
}

/* --- whose socket is it --- */

static bool holds(const char *pid, uint64_t inode)
{
    char path[64], want[48], link[64];
    struct dirent *entry;
    bool found = false;
    DIR *d;

    snprintf(want, sizeof want, "socket:[%llu]", (unsigned long long)inode);
    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    d = opendir(path);
    while (d && !found && (entry = readdir(d)) != NULL) {
        ssize_t n = readlinkat(dirfd(d), entry->d_name, link, sizeof link - 1);

        found = n > 0 && (size_t)n == strlen(want) && memcmp(link, want, (size_t)n) == 0;
    }
    if (d)
        closedir(d);
    return found;
}

static void put_owner(struct buf *b, uint64_t inode)
{
    AUTO_BUF struct buf comm = { 0 };
    struct dirent *entry;
    DIR *d = opendir("/proc");
    char path[64];
    struct stat st;
    int looked = 0;

    buf_init(&comm, 128 * KIB);
    while (d && looked < PIDS_MAX && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        looked++;
        if (!holds(entry->d_name, inode))
            continue;
        snprintf(path, sizeof path, "/proc/%.16s/comm", entry->d_name);
        if (file_read(path, 4096, &comm, NULL) == 0)
            buf_printf(b, " process=%.*s", STR_ARG(str_trim(buf_view(&comm))));
        buf_printf(b, " pid=%s", entry->d_name);
        snprintf(path, sizeof path, "/proc/%.16s", entry->d_name);
        if (stat(path, &st) == 0) {
            const struct passwd *pw = getpwuid(st.st_uid);

            if (pw)
                buf_printf(b, " user=%s", pw->pw_name);
            else
                buf_printf(b, " user=%u", st.st_uid);
        }
        break;
    }
    if (d)
        closedir(d);
}

static void say(struct batch *batch, const struct port *p, uint64_t inode, time_ns now)
{
    AUTO_BUF struct buf b = { 0 };
    char pid[24];
    struct record r = { .unit = STR("saqshy-agent"), .time = now };

    buf_init(&b, 64 * KIB);
    /* udp6 and tcp6 are how the kernel names its tables; the protocol is udp or tcp. */
    buf_printf(&b, "new listening port proto=%.3s address=%s port=%u", p->proto, p->address, p->number);
    put_owner(&b, inode);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    r.pid = str_c(pid);
    r.body = buf_view(&b);
    batch_add(batch, &r, now);
}

static uint16_t ephemeral_begin(struct buf *b)
{
    struct str first, rest;
    uint64_t v;

    if (file_read("/proc/sys/net/ipv4/ip_local_port_range", 4096, b, NULL) == 0) {
        rest = str_trim(buf_view(b));
        if (str_split(&rest, '\t', &first) && str_u64(str_trim(first), &v) && v <= UINT16_MAX)
            return (uint16_t)v;
    }
    return 32768;
}

void ports_read(struct ports *p, struct batch *b, time_ns now)
{
    static const char *const protos[] = { "tcp", "tcp6", "udp", "udp6" };
    time_ns at = clock_steady();
    struct port *swap;
    uint16_t below;

    if (p->looked && at - p->looked < LOOK_NS)
        return;
    p->looked = at;
    below = ephemeral_begin(&p->table);
    p->count = 0;
    for (size_t i = 0; i < COUNT(protos); i++) {
        char path[32];

        snprintf(path, sizeof path, "/proc/net/%s", protos[i]);
        if (file_read(path, TABLE_MAX, &p->table, NULL) == 0)
            p->count += ports_parse(buf_view(&p->table), protos[i], below, p->now + p->count, p->inode + p->count,
                                    STATE_PORTS_MAX - p->count);
    }
    for (size_t i = 0; p->known && i < p->count && !batch_full(b); i++)
        if (!among(p->before, p->before_count, &p->now[i]) && !among(p->now, i, &p->now[i]))
            say(b, &p->now[i], p->inode[i], now);
    swap = p->before;
    p->before = p->now;
    p->before_count = p->count;
    p->now = swap;
    p->known = true;
}

int ports_new(const struct state *s, struct ports **out, struct err *e)
{
    struct ports *p = calloc(1, sizeof *p);

    if (p) {
        p->now = calloc(STATE_PORTS_MAX, sizeof *p->now);
        p->before = calloc(STATE_PORTS_MAX, sizeof *p->before);
        p->inode = calloc(STATE_PORTS_MAX, sizeof *p->inode);
        buf_init(&p->table, TABLE_MAX + 128 * KIB);
    }
    if (!p || !p->now || !p->before || !p->inode) {
        ports_free(&p);
        return err_set(e, -ENOMEM, "no memory to watch ports");
    }
    p->known = s->ports_known;
    p->before_count = min_size(s->port_count, STATE_PORTS_MAX);
    if (p->before_count)
        memcpy(p->before, s->ports, p->before_count * sizeof *p->before);
    *out = p;
    return 0;
}

void ports_free(struct ports **p)
{
    if (!*p)
        return;
    free((*p)->now);
    free((*p)->before);
    free((*p)->inode);
    buf_free(&(*p)->table);
    free(*p);
    *p = NULL;
}

int ports_save(const struct ports *p, struct state *s)
{
    s->ports_known = p->known;
    for (size_t i = 0; i < p->before_count; i++) {
        int rc = state_add_port(s, &p->before[i]);

        if (rc < 0)
            return rc;
    }
    return 0;
}
