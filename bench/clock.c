/* SPDX-License-Identifier: MIT */
/* The clock, and what a look at it costs. */
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

enum { ROUNDS = 10001 };

/* What many pairs of looks at the clock, with nothing in between, differ by; in order. */
static const double *empty_measures(void)
{
    static double measure[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t before = clock_now();
        measure[i] = (double)(clock_now() - before);
    }
    median(measure, ROUNDS); /* sorts */
    return measure;
}

int64_t clock_cost(void)
{
    return (int64_t)empty_measures()[ROUNDS / 2];
}

int64_t clock_blur(void)
{
    const double *measure = empty_measures();
    int64_t blur = (int64_t)(measure[ROUNDS * 19 / 20] - measure[ROUNDS / 20]);

    return blur > 1 ? blur : 1;
}
