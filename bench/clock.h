/* SPDX-License-Identifier: MIT */
/* The clock of the benchmarks: one for all processes. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { MILLISECOND = 1000 * 1000, SECOND = 1000 * MILLISECOND };

/* CLOCK_MONOTONIC in nanoseconds: one clock for all processes. */
static inline int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

void clock_sleep(int64_t ns);
void clock_sleep_until(int64_t time);

/* What two clock_now() in a row differ by: the median of many. Subtract it from what they enclose. */
int64_t clock_cost(void);

/* How much that difference varies, nine times of ten: what is shorter cannot be told from nothing. */
int64_t clock_blur(void);

#endif
