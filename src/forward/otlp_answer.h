/* otlp_answer.h - what another Saqshy answers to a numbered request.
 *
 * Owns      nothing.
 * Promises  1. Any header line may come; those that matter are judged whole, others are passed over.
 * Threads   any.
 * Source    docs/formats.md, "Events from Saqshy to Saqshy". */
#ifndef SAQSHY_FORWARD_OTLP_ANSWER_H
#define SAQSHY_FORWARD_OTLP_ANSWER_H

#include "base/base.h"

#define RETRY_AFTER_MAX_S 600

struct otlp_answer {
    bool     known, repeated;   /* it names the last number that it has of us; the request was one of before */
    uint64_t last;
    int      retry_after_s;     /* 0: it did not say */
};
/* otlp_answer_header - take one header line, with or without its end. */
void otlp_answer_header(struct str line, struct otlp_answer *a);

#endif
