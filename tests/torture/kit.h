/* SPDX-License-Identifier: MIT */
/* For both programs of this folder: counters in shared memory, complaints, and printed verdicts. */
#ifndef KIT_H
#define KIT_H

#include <stdbool.h>
#include <stdint.h>

/* Nothing here may take that long, on any machine: whatever does, hangs. */
enum { SECONDS_TO_HANG = 120 };

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

/* The complaint of one member of a herd, over all its lives. It is in shared memory, and outlives the member. */
struct complaint {
    uint64_t errors;
    char first[160];
};

/* `result` is what the library answered, or a number that says more. */
void complain(struct complaint *complaint, const char *what, long result);

/* One line if it is not good. verdict_close prints the last line, and gives the exit status. */
void verdict(const char *scenario, const char *what, bool good);
void verdict_skip(const char *scenario, const char *why);
int verdict_close(void);

/* The memory that a herd and its parent share; zeroed. With a descriptor, programs that it executes can map it too. */
void *share_memory(uint64_t size, int fd);

#endif
