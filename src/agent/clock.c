/* clock.c - is the host's clock kept in time, and how well? What the kernel says (adjtimex(2) with no mode: nothing is set, nothing is run).
 *
 * Whoever keeps the clock (ntpd, chrony with rtcsync, systemd-timesyncd, a hypervisor's PTP) tells the kernel so, and the kernel takes the word back when
 * nobody renewed it for some hours. Offset and error are told in whole milliseconds: what trembles below is no difference. */
#include "agent/facts.h"

#include <errno.h>

#define TOLD_MS_MAX 86400000   /* a day: what is more than that is not measured better by more digits */

static long long in_ms(long v, bool nano)
{
    long long per = nano ? 1000000 : 1000, ms = v / per, rest = v % per;

    ms += rest >= per / 2 ? 1 : rest <= -per / 2 ? -1 : 0;

    return ms > TOLD_MS_MAX ? TOLD_MS_MAX : ms < -TOLD_MS_MAX ? -TOLD_MS_MAX : ms;
}

void clock_fact(const struct timex *t, int rc, int error, struct buf *out)
{
    if (rc < 0) {
        buf_printf(out, "unreadable\t\t\t%s", error == EPERM ? "EPERM" : error == ENOSYS ? "ENOSYS" : "error");
        return;
    }
    bool kept = rc != TIME_ERROR && !(t->status & STA_UNSYNC);
    buf_printf(out, "%s\t%lld\t%lld\t", kept ? "synchronised" : "unsynchronised", in_ms(t->offset, (t->status & STA_NANO) != 0), in_ms(t->esterror, false));
}

int clock_list(struct list_out *o, struct err *e)
{
    struct timex t = { .modes = 0 };
    AUTO_BUF struct buf value = { 0 };
    int rc = adjtimex(&t), error = errno;

    buf_init(&value, 4 * KIB);
    clock_fact(&t, rc, error, &value);
    if (buf_failed(&value))
        return err_set(e, -ENOMEM, "no memory for the state of the clock");
    list_put(o, STR("clock"), buf_view(&value), str_of(NULL, 0));
    return 0;
}
