/* SPDX-License-Identifier: MIT */
/* Makes and recognises the bytes of pattern.h. */
#include "pattern.h"

static unsigned char byte_of(uint64_t word, size_t place)
{
    return (unsigned char)(word >> place % 8 * 8);
}

void make_pattern(void *bytes, size_t length, uint64_t seed)
{
    uint64_t word = 0;

    for (size_t i = 0; i < length; i++) {
        word = i % 8 == 0 ? pattern_word(seed, i / 8) : word;
        ((unsigned char *)bytes)[i] = byte_of(word, i);
    }
}

bool is_pattern(const void *bytes, size_t length, uint64_t seed)
{
    uint64_t word = 0;

    for (size_t i = 0; i < length; i++) {
        word = i % 8 == 0 ? pattern_word(seed, i / 8) : word;
        if (((const unsigned char *)bytes)[i] != byte_of(word, i))
            return false;
    }
    return true;
}
