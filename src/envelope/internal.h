/* internal.h - what the files of envelope share. */
#ifndef SAQSHY_ENVELOPE_INTERNAL_H
#define SAQSHY_ENVELOPE_INTERNAL_H

#include "envelope/envelope.h"

#define ENVELOPE_DOMAIN "saqshy events envelope 1"   /* what a signature is of */

/* envelope_stream_valid - small letters, digits, '-', '_'. */
bool envelope_stream_valid(struct str s);

#endif
