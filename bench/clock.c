/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <errno.h>
#include <stddef.h>

#include "numbers.h"

void clock_sleep_until(int64_t time)
{
    struct timespec until = {.tv_sec = time / SECOND, .tv_nsec = time % SECOND};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

void clock_sleep(int64_t ns)
{
    clock_sleep_until(clock_now() + ns);
}

int64_t clock_cost(void)
{
    enum { ROUNDS = 10001 };
    static double cost[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t before = clock_now();
        cost[i] = (double)(clock_now() - before);
    }
    return (int64_t)median(cost, ROUNDS);
}
