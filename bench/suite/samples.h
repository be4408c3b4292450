/* SPDX-License-Identifier: MIT */
/* Single times, in memory that is there before the measuring begins; percentiles when it is over. */
#ifndef BENCH_SUITE_SAMPLES_H
#define BENCH_SUITE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
    uint32_t *ns;
    size_t count, room;
    uint32_t *scratch; /* for sorting; as long */
    int64_t least;     /* ns: what is shorter counts as so long, for the clock cannot tell */
};

/* 0 or -ENOMEM; every page is there. */
int samples_make(struct samples *samples, size_t room);
void samples_free(struct samples *samples);

/* What is beyond 4 seconds counts as 4. No check for room. */
static inline void samples_add(struct samples *samples, int64_t ns)
{
    samples->ns[samples->count++] = (uint32_t)(ns < samples->least ? samples->least
                                               : ns < UINT32_MAX   ? ns
                                                                   : UINT32_MAX);
}

static inline bool samples_full(const struct samples *samples)
{
    return samples->count == samples->room;
}

/* By value: some millions in a moment. */
void samples_sort(struct samples *samples);

#endif
