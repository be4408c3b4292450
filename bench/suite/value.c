/* SPDX-License-Identifier: MIT */
/* Makes the values of the suite, and checks them. */
#include "value.h"

#include <stdlib.h>

enum { WORD = sizeof(uint64_t), WORDS_PER_LINE = 64 / WORD };

static bool carries_version(size_t word, size_t words)
{
    return word % WORDS_PER_LINE == 0 || word == words - 1;
}

static uint64_t filling(size_t word)
{
    return (word + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

unsigned char *value_new(size_t size)
{
    const size_t page = 4096;
    unsigned char *value = aligned_alloc(page, (size + page - 1) / page * page);

    for (size_t i = 0; value && i < size / WORD; i++) {
        uint64_t word = filling(i);

        memcpy(value + i * WORD, &word, WORD);
    }
    if (value)
        value_stamp(value, size, 0);
    return value;
}

void value_stamp(unsigned char *value, size_t size, uint64_t version)
{
    for (size_t at = 0; at < size; at += WORDS_PER_LINE * WORD)
        memcpy(value + at, &version, WORD);
    memcpy(value + size - WORD, &version, WORD);
}

bool value_is_whole(const unsigned char *value, size_t size)
{
    const size_t words = size / WORD;
    uint64_t version, word;

    memcpy(&version, value, WORD);
    for (size_t i = 0; i < words; i++) {
        memcpy(&word, value + i * WORD, WORD);
        if (word != (carries_version(i, words) ? version : filling(i)))
            return false;
    }
    return true;
}
