/* SPDX-License-Identifier: MIT */
/* The time, in nanoseconds. */
#ifndef SEQSHARE_CLI_NOW_H
#define SEQSHARE_CLI_NOW_H

#include <stdint.h>
#include <time.h>

enum { NS_PER_SECOND = 1000000000 };

static inline int64_t now_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static inline int64_t now_since_1970(void)
{
    return now_of(CLOCK_REALTIME);
}

/* A time that nobody sets. */
static inline int64_t now_steady(void)
{
    return now_of(CLOCK_MONOTONIC);
}

#endif
