/* SPDX-License-Identifier: MIT */
/* Reads the clocks, and computes deadlines. */
#include "clock.h"

int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_after(int64_t ns)
{
    int64_t now;

    if (ns < 0)
        return INT64_MAX;
    now = clock_now();
    return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}
