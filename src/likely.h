/* SPDX-License-Identifier: MIT */
/* Tells the compiler which way a branch goes on the hot path. */
#ifndef SEQSHARE_LIKELY_H
#define SEQSHARE_LIKELY_H

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* A function of the hot path that becomes part of its caller; and one that the hot path leaves alone. */
#define HOT_INLINE static inline __attribute__((always_inline))
#define COLD       __attribute__((cold, noinline))

#endif
