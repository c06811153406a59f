/* watch.c - the file systems that a node writes, against their reserves; opening and closing of the whole. */
#include "keep/internal.h"

#include <sys/stat.h>

/* places_find - one entry a file system, named by the first folder of this list that lies in it. Again at each look: a disk may be mounted meanwhile. */
void places_find(struct keep *k)
{
    static const char *const folders[] = { "data", "journal", "store", "desk", "documents", "findings", "log" };
    dev_t device[PLACES_MAX];
    struct stat st;
    char path[4096];

    for (size_t i = 0; i < k->places; i++) {
        k->place[i].there = stat(k->place[i].path, &st) == 0;
        device[i] = k->place[i].there ? st.st_dev : 0;
    }
    for (size_t i = 0; i <= COUNT(folders); i++) {
        bool archive = i == COUNT(folders), known = false;
        const char *name = archive ? "archive" : folders[i];

        node_path(k->node, archive ? "store/archive" : i == 0 ? "." : name, path);
        if (stat(path, &st) < 0 || (archive && !*k->node->retention_archive))
            continue;
        for (size_t n = 0; !known && n < k->places; n++)
            known = (k->place[n].there && device[n] == st.st_dev && !archive) || strcmp(k->place[n].name, name) == 0 ||
                    (archive && k->place[n].there && device[n] == st.st_dev);
        if (known || k->places == PLACES_MAX)
            continue;
        struct place *p = &k->place[k->places];
        *p = (struct place){ .name = name, .there = true, .archive = archive };
        snprintf(p->path, sizeof p->path, "%s", path);
        device[k->places++] = st.st_dev;
    }
}

const struct place *place_of(const struct keep *k, const char *folder)
{
    struct stat want, st;
    char path[4096];

    if (stat(node_path(k->node, folder, path), &want) < 0)
        return NULL;
    for (size_t i = 0; i < k->places; i++)
        if (k->place[i].there && stat(k->place[i].path, &st) == 0 && st.st_dev == want.st_dev)
            return &k->place[i];
    return NULL;
}

/* places_state - the worst of those that events and cases need; a full archive stops moving alone. */
enum space_state places_state(const struct keep *k)
{
    enum space_state worst = SPACE_OK;

    for (size_t i = 0; i < k->places; i++)
        if (k->place[i].there && !k->place[i].archive && k->place[i].space.state > worst)
            worst = k->place[i].space.state;
    return worst;
}

bool keep_touched(const struct keep *k) { return places_state(k) == SPACE_TOUCHED; }

bool keep_store_waits(const struct keep *k)
{
    const struct place *p = place_of(k, "store");

    return p && p->space.free < p->space.reserve / 2;
}

enum keep_change keep_watch(struct keep *k, time_ns now, char told[512])
{
    enum keep_change change = KEEP_SAME;

    places_find(k);
    for (size_t i = 0; i < k->places; i++) {
        struct place *p = &k->place[i];
        enum space_state was = p->space.state;
        struct space s;

        if (!p->there || space_look(p->path, &k->reserve, was, &s, NULL) < 0)
            continue;
        bool first = p->since == 0;
        p->space = s;
        if (!first && s.state == was)
            continue;
        p->since = now;
        if (first && s.state == SPACE_OK)
            continue;
        enum keep_change c = s.state == SPACE_TOUCHED ? KEEP_TOUCHED : s.state == SPACE_LOW && was != SPACE_TOUCHED ? KEEP_LOW : KEEP_ROOM;
        if (change != KEEP_SAME && change != KEEP_ROOM && c != KEEP_TOUCHED)
            continue;
        change = c;
        snprintf(told, 512, "%s (%.300s): %lld MiB of %lld MiB are free, %lld MiB are the reserve", p->name, p->path, (long long)(s.free >> 20),
                 (long long)(s.total >> 20), (long long)(s.reserve >> 20));
    }
    return change;
}

/* cell - the one of this name, which may be there already: the configuration is read again while the role runs. */
static struct metric *cell(struct metrics *m, const char *name, bool gauge, const char *help)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->cell[i].name, name) == 0)
            return &m->cell[i];
    return metrics_cell(m, name, NULL, gauge, help);
}

int keep_open(const struct node *n, struct metrics *m, struct keep **out, struct err *e)
{
    struct keep *k = calloc(1, sizeof *k);
    int rc;

    *out = NULL;
    if (!k)
        return err_set(e, -ENOMEM, "no memory for the terms of events");
    k->node = n;
    k->opened = clock_steady();
    rc = reserve_parse(str_c(n->retention_reserve), &k->reserve) ? terms_open(k, e) : err_set(e, -EINVAL, "\"retention.reserve\" is no reserve");
    if (rc < 0) {
        keep_close(&k);
        return rc;
    }
    k->m_state = cell(m, "saqshy_space_state", true, "0 enough room, 1 less than twice the reserve, 2 the reserve is touched and senders are slowed");
    k->m_free = cell(m, "saqshy_space_free_bytes", true, "free in the file system of the store");
    k->m_reserve = cell(m, "saqshy_space_reserve_bytes", true, "left alone in the file system of the store");
    k->m_full_in = cell(m, "saqshy_space_full_in_days", true, "at the pace of the last days; -1: not in sight");
    k->m_pace = cell(m, "saqshy_store_bytes_per_day", true, "mean of the last whole days");
    k->m_need = cell(m, "saqshy_store_term_bytes", true, "what the whole term needs at that pace");
    k->m_archived = cell(m, "saqshy_store_archived_bytes", true, "of parts in the archive");
    k->m_expired = cell(m, "saqshy_index_events_expired_total", false, "events removed because their term was over");
    k->m_moved = cell(m, "saqshy_index_parts_archived_total", false, "parts moved into the archive");
    k->m_bytes = cell(m, "saqshy_store_bytes", true, "of all parts");
    k->m_events = cell(m, "saqshy_store_events", true, "in all parts");
    k->m_parts = cell(m, "saqshy_store_parts", true, "parts");
    k->m_holds = cell(m, "saqshy_holds", true, "legal holds in force");
    k->m_holds_unreadable = cell(m, "saqshy_holds_unreadable", true, "holds that cannot be read: as long as there are any, nothing is removed for its age");
    growth_load(k);
    *out = k;
    return 0;
}

void keep_close(struct keep **k)
{
    if (!*k)
        return;
    terms_close(*k);
    holds_close(*k);
    free(*k);
    *k = NULL;
}

const struct store_policy *keep_policy(const struct keep *k) { return &k->policy; }
struct keep_done *keep_done(struct keep *k) { return &k->done; }
