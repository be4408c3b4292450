/* SPDX-License-Identifier: MIT */
/* Medians, percentiles, and numbers as people read them. */
#ifndef BENCH_NUMBERS_H
#define BENCH_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* Sorts the values; 0 of none. */
double median(double *values, size_t count);

void sort_samples(uint32_t *samples, size_t count);

/* `part` of 1 of *sorted* samples lies at or below: 0.99 for p99; 0 of none. */
double percentile(const uint32_t *sorted, size_t count, double part);

/* A number in words: one of a few buffers that take turns, so that one printf can have several. */
const char *ns_text(double ns);
/* Of one read: "<8.00 ns" if the clock cannot tell it from nothing. */
const char *read_text(double ns);     /* 78 ns, 4.1 ms */
const char *count_text(double count); /* 812, 12.3 M */
const char *bytes_text(size_t bytes); /* 64 B, 4 KiB, 5.6 KiB */

#endif
