/* siphash.h - SipHash-1-3 with 128 bits: the hash of texts that strangers choose.
 *
 * Owns      nothing.
 * Promises  1. A pseudo-random function of the key: who does not know the key cannot choose texts that fall together, neither in all 128 bits nor in
 *              the few that are a place in a table. str_hash is five times as quick, but its seed is public: for texts of our own, and for
 *              what is told to other programs.
 * Threads   any.
 * Source    Aumasson, Bernstein: SipHash, a fast short-input PRF (2012); the form of 128 bits is that of its reference. One round a word and
 *           three at the end, as hash tables of Python and Rust have it: what no stranger ever sees an output of needs no more. */
#ifndef SAQSHY_BASE_SIPHASH_H
#define SAQSHY_BASE_SIPHASH_H

#include "base/base.h"

struct siphash { uint64_t low, high; };
struct siphash siphash(const uint64_t key[2], struct str s);

#endif
