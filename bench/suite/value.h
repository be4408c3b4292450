/* SPDX-License-Identifier: MIT */
/*
 * The values of the suite: any multiple of 8 bytes, made so that each can be told from every other and a torn
 * one from a whole one. The first word of every cache line, and the very last word, are the version; all
 * others say where they stand.
 */
#ifndef BENCH_SUITE_VALUE_H
#define BENCH_SUITE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* NULL: no memory. Of version 0, at the start of a page; free() it. */
unsigned char *value_new(size_t size);

/* Make it another version: a store per cache line. */
void value_stamp(unsigned char *value, size_t size, uint64_t version);

/*
 * Its version if its first and its last word agree, else 0: a few instructions, made for every read. What
 * overtakes a copy, or is overtaken by it, leaves another version at one of the ends.
 */
static inline uint64_t value_version(const unsigned char *value, size_t size)
{
    uint64_t first, last;

    memcpy(&first, value, sizeof first);
    memcpy(&last, value + size - sizeof last, sizeof last);
    return first == last ? first : 0;
}

/* Is every byte as it must be? */
bool value_is_whole(const unsigned char *value, size_t size);

#endif
