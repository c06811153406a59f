/* holding.c - the holds in force as what the store asks for: compiled, with a mark of their set, and a guard around each removal. */
#include "keep/internal.h"

#include <unistd.h>

static const char *folder_of(const struct keep *k, char out[4096]) { return node_path(k->node, HOLD_FOLDER, out); }

/* mark_of - of those in force: whatever changes what they select changes it. Never 0. */
static uint64_t mark_of(const struct holds *h, time_ns now)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < h->count; i++)
        if (hold_active(&h->item[i], now))
            buf_printf(&b, "%s %lld %lld %s\n", h->item[i].id, (long long)h->item[i].from, (long long)h->item[i].to, h->item[i].filter);
    return buf_failed(&b) ? 1 : str_hash(buf_view(&b)) | 1;
}

static void drop(struct keep *k)
{
    for (size_t i = 0; i < k->policy.hold_count; i++)
        query_free(&k->hold_query[i]);
    k->policy.hold_count = 0;
    holds_free(&k->holds);
}

/* compile - those in force; their filters were understood when they were read. */
static int compile(struct keep *k, time_ns now, struct err *e)
{
    for (size_t i = 0; i < k->holds.count; i++) {
        const struct hold *h = &k->holds.item[i];
        size_t n = k->policy.hold_count;
        int rc = hold_active(h, now) ? query_parse(str_c(h->filter), &k->hold_query[n], e) : 1;

        if (rc < 0)
            return rc;
        if (rc == 1)
            continue;
        k->hold[n] = (struct store_hold){ k->hold_query[n], h->from, h->to };
        k->policy.hold_count++;
    }
    return 0;
}

static int enter(void *arg, struct err *e)
{
    struct keep *k = arg;
    struct holds now;
    char path[4096];
    int rc;

    k->hold_lock = hold_lock(folder_of(k, path), false, e);
    if (k->hold_lock < 0)
        return k->hold_lock;
    rc = holds_read(path, &now, e);
    if (rc == 0 && now.unreadable)
        rc = err_set(e, -EBADMSG, "%.*s", ERR_TEXT_MAX - 1, now.fault);
    if (rc == 0 && mark_of(&now, k->holds_at) != k->policy.hold_mark)
        rc = err_set(e, -ESTALE, "the holds have changed");
    holds_free(&now);
    if (rc < 0) {
        close(k->hold_lock);
        k->hold_lock = -1;
    }
    return rc;
}

static void leave(void *arg)
{
    struct keep *k = arg;

    close(k->hold_lock);
    k->hold_lock = -1;
}

int keep_holds(struct keep *k, time_ns now, struct err *e)
{
    char path[4096];
    int rc;

    drop(k);
    k->holds_at = now;
    rc = holds_read(folder_of(k, path), &k->holds, e);
    if (rc == 0 && k->holds.unreadable)
        rc = err_set(e, -EBADMSG, "%.*s", ERR_TEXT_MAX - 1, k->holds.fault);
    if (rc == 0)
        rc = compile(k, now, e);
    k->policy.hold = k->hold;
    k->policy.hold_mark = mark_of(&k->holds, now);
    k->policy.hold_enter = enter;
    k->policy.hold_leave = leave;
    k->policy.hold_arg = k;
    snprintf(k->hold_fault, sizeof k->hold_fault, "%s", rc < 0 ? e->text : "");
    metric_set(k->m_holds, (int64_t)k->policy.hold_count);
    metric_set(k->m_holds_unreadable, rc < 0 ? (int64_t)(k->holds.unreadable ? k->holds.unreadable : 1) : 0);
    return rc;
}

void holds_close(struct keep *k) { drop(k); }

json_t *holds_json(const struct keep *k)
{
    return json_pack("{s:I,s:I,s:I,s:s}", "active", (json_int_t)k->policy.hold_count, "all", (json_int_t)k->holds.count, "unreadable", (json_int_t)k->holds.unreadable, "error",
                     k->hold_fault);
}
