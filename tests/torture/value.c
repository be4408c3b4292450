/* SPDX-License-Identifier: MIT */
/* Values that tell whether they are whole (torture.h). */
#include "torture.h"

#include <string.h>

#include "pattern.h"

size_t value_length(const struct scenario *scenario, uint64_t seed)
{
    return scenario->typed ? scenario->size : VALUE_MIN + seed % (scenario->size - VALUE_MIN + 1);
}

static uint64_t value_word(uint64_t seed, uint64_t stamp, size_t place)
{
    return pattern_word(seed ^ stamp << 32, place / 8);
}

void value_make(void *bytes, size_t length, uint64_t seed, uint64_t stamp)
{
    unsigned char *to = bytes;

    memcpy(to, &seed, 8);
    memcpy(to + 8, &stamp, 8);
    for (size_t i = VALUE_MIN; i < length; i += 8) {
        uint64_t word = value_word(seed, stamp, i);
        memcpy(to + i, &word, length - i < 8 ? length - i : 8);
    }
}

bool value_whole(const struct scenario *scenario, const void *bytes, size_t length, uint64_t version)
{
    const unsigned char *from = bytes;
    uint64_t seed, stamp, word, got;

    if (length < VALUE_MIN)
        return false;
    memcpy(&seed, from, 8);
    memcpy(&stamp, from + 8, 8);
    if (length != value_length(scenario, seed) || (stamp != 0 && stamp != version))
        return false;
    for (size_t i = VALUE_MIN; i < length; i += 8) {
        size_t n = length - i < 8 ? length - i : 8;

        word = value_word(seed, stamp, i), got = word;
        memcpy(&got, from + i, n);
        if (got != word)
            return false;
    }
    return true;
}
