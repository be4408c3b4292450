/* SPDX-License-Identifier: MIT */
/* What both programs of this folder need: random numbers, counters in shared memory, time. */
#ifndef KIT_H
#define KIT_H

#include <stdint.h>

/* Nothing here may take that long, on any machine: whatever does, hangs. */
enum { SECONDS_TO_HANG = 120 };

/* Random numbers: the next one of a sequence that `state` stands in. */
uint64_t random_next(uint64_t *state);

int64_t now(void); /* nanoseconds, monotonic */
void rest(uint64_t nanoseconds);

/* End the program: `error` is an errno, or the library's negative answer. */
_Noreturn void give_up(const char *what, int error);

/* Relaxed: counters order nothing. */
static inline void count(uint64_t *counter, uint64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

static inline uint64_t counted(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
