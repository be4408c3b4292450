/* SPDX-License-Identifier: MIT */
/* Bytes that tell what they belong to, and random numbers: splitmix64, which makes both. */
#ifndef SEQSHARE_TEST_PATTERN_H
#define SEQSHARE_TEST_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t pattern_mix(uint64_t word)
{
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

/* Word `index` of the value that belongs to `seed`. No word of one value fits into another, at any place. */
static inline uint64_t pattern_word(uint64_t seed, size_t index)
{
    return pattern_mix(seed * UINT64_C(0x9e3779b97f4a7c15) + (index + 1) * UINT64_C(0xbf58476d1ce4e5b9));
}

/* The same as bytes. The byte at `place` comes from word place / 8, whatever the order of bytes here. */
void make_pattern(void *bytes, size_t length, uint64_t seed);
bool is_pattern(const void *bytes, size_t length, uint64_t seed);

/* Random numbers: the next one of a sequence that `state` stands in. */
static inline uint64_t random_next(uint64_t *state)
{
    return pattern_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

#endif
