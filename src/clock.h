/* SPDX-License-Identifier: MIT */
/* The two clocks: one for deadlines, and the one by which publications are dated. Both in nanoseconds. */
#ifndef SEQSHARE_CLOCK_H
#define SEQSHARE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "likely.h"

/* CLOCK_MONOTONIC; and the moment `ns` from now, INT64_MAX for -1 (for ever). */
int64_t clock_now(void);
int64_t clock_after(int64_t ns);

/* CLOCK_REALTIME_COARSE, since 1970. It advances by ticks of 1 to 10 ms, as the kernel was built. */
HOT_INLINE uint64_t clock_date(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Are two dates in one tick? If the coarse clock is as fine as the other, 2^19 ns count as a tick. That is less than any
 * kernel's tick; with 2^20 ns, two ticks of 1 ms would now and then be taken for one.
 */
HOT_INLINE bool clock_same_tick(uint64_t one, uint64_t other)
{
    return one >> 19 == other >> 19;
}

#endif
