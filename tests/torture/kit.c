/* SPDX-License-Identifier: MIT */
#include "kit.h"

#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t random_next(uint64_t *state)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void rest(uint64_t nanoseconds)
{
    nanosleep(&(struct timespec){(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)}, NULL);
}

_Noreturn void give_up(const char *what, int error)
{
    fprintf(stderr, "torture: %s: %s\n", what, error < 0 ? seqshare_strerror(error) : strerror(error));
    exit(2);
}
