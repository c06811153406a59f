/* testing.h - the events that the tests of this folder know: three of one line, with a value that is a piece of it, and two of one name.
 *
 * Owns      nothing. Only tests include it.
 * Threads   owner. */
#ifndef SAQSHY_EVENT_TESTING_H
#define SAQSHY_EVENT_TESTING_H

#include "event/event.h"
#include "base/test.h"

static const char line[] = "Nov 24 10:00:00 srv sshd[7]: Failed password for root from 203.0.113.9 port 4 ssh2";

static inline void fill(struct event_batch *b)
{
    for (int i = 0; i < 3; i++) {
        struct event *ev = event_batch_add(b);

        ev->original = str_of(line, sizeof line - 1);
        ev->time = 1795514400 * NS_PER_SECOND - i * NS_PER_HOUR;
        ev->received = ev->time + 5 - i * 9;
        ev->offset_min = i ? 300 : EVENT_OFFSET_NONE;
        ev->class = CLASS_OS_UNIX;
        ev->parse = EVENT_PARSE_PARTIAL;
        ev->marks = MARK_FUTURE | MARK_NO_TIME;
        ev->source = STR("a1/var/log/auth.log");
        ev->time_text = str_of(line, 15);
        ev->parser = STR("sshd");
        assert_int_equal(event_add(ev, &b->arena, STR("source.ip"), str_of(line + str_find(str_c(line), STR("203.")), 11)), 0);
        assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("OS-04")), 0);
        assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("UX-01")), 0);
    }
}

#endif
