/* saver.h - the state of detection on its way to disk: a thread writes it beside the loop.
 *
 *     loop:    saver_begin -> the state of this moment into it -> saver_give   …events go on…   saver_done: how it went
 *     thread:                                                      the file, durable -> the journal's cursor
 *
 * Owns      struct saver owns its thread, and one snapshot whose memory is used again and again; path and journal are borrowed.
 * Promises  1. One write at a time, each of the state of one moment: the file (state.c) is durable before the cursor moves to where it ends. Killed
 *              anywhere between, a restart finds the former state or this one, and a cursor not past it.
 *           2. What was given is written, or its failure is told once by saver_done: no later state overtakes it, saver_close waits for it.
 *           3. Without a thread (saver_start was not called) saver_give writes at once.
 * Threads   owner. The snapshot is the owner's from saver_begin on and the thread's from saver_give until saver_done has told how it went.
 * Units     seq counts events of the journal. */
#ifndef SAQSHY_DETECT_SAVER_H
#define SAQSHY_DETECT_SAVER_H

#include "detect/internal.h"

struct saver;

/* The state of one moment: all events before seq, none from it on. */
struct snapshot {
    uint64_t   seq;
    time_ns    begun;                 /* when its saving began to cost time, by the steady clock */
    struct buf part[STATE_PARTS];
};
/* How it went: rc of err. */
struct saved { uint64_t seq; time_ns begun; int rc; struct err err; };

/* saver_open - path: the file of state; journal: the folder whose cursor DETECT_CURSOR is moved. */
MUST_USE int saver_open(const char *path, const char *journal, struct saver **out, struct err *e);
void saver_close(struct saver **s);
MUST_USE int saver_start(struct saver *s, struct err *e);
/* saver_busy - something was given, and how it went is not told yet. */
bool saver_busy(struct saver *s);
/* saver_begin - an empty snapshot, to be filled; NULL while it is busy. */
struct snapshot *saver_begin(struct saver *s);
/* saver_write - the snapshot, here and now. */
MUST_USE int saver_write(struct saver *s, struct err *e);
/* saver_give - the snapshot, beside the loop. */
void saver_give(struct saver *s);
/* saver_done - true: what was given is over, *out says how. wait: until it is. */
bool saver_done(struct saver *s, bool wait, struct saved *out);

#endif
