/* SPDX-License-Identifier: MIT */
/* The clock of all test programs, to notice what hangs and to wait between two looks. */
#ifndef SEQSHARE_TEST_CLOCK_H
#define SEQSHARE_TEST_CLOCK_H

#include <stdint.h>
#include <time.h>

#define MILLISECONDS INT64_C(1000000)
#define SECONDS      INT64_C(1000000000)

/* Nanoseconds, monotonic. */
static inline int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECONDS + time.tv_nsec;
}

/* Sleep so many nanoseconds, or until a signal comes. */
static inline void rest(int64_t nanoseconds)
{
    nanosleep(&(struct timespec){(time_t)(nanoseconds / SECONDS), (long)(nanoseconds % SECONDS)}, NULL);
}

#endif
