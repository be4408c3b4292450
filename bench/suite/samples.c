/* SPDX-License-Identifier: MIT */
/* Keeps single times, and finds percentiles among them. */
#include "samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"

int samples_make(struct samples *samples, size_t room)
{
    *samples = (struct samples){.ns = malloc(room * sizeof(uint32_t)),
                                .room = room,
                                .scratch = malloc(room * sizeof(uint32_t)),
                                .least = clock_blur()};
    if (!samples->ns || !samples->scratch) {
        samples_free(samples);
        return -ENOMEM;
    }
    memset(samples->ns, 1, room * sizeof(uint32_t));
    return 0;
}

void samples_free(struct samples *samples)
{
    free(samples->ns);
    free(samples->scratch);
    *samples = (struct samples){.count = 0};
}

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* One pass of a radix sort: by the digit at `shift`, those of the same digit in the order they had. */
static void sort_by_digit(uint32_t *to, const uint32_t *from, size_t count, unsigned shift)
{
    size_t place[DIGITS] = {0};
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        place[from[i] >> shift & (DIGITS - 1)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t here = place[digit];

        place[digit] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[place[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

void samples_sort(struct samples *samples)
{
    for (unsigned shift = 0; shift < 32; shift += DIGIT_BITS) {
        uint32_t *sorted = samples->scratch;

        sort_by_digit(sorted, samples->ns, samples->count, shift);
        samples->scratch = samples->ns;
        samples->ns = sorted;
    }
}
