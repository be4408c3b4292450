/* SPDX-License-Identifier: MIT */
/* Numbers in words: short, for people. */
#ifndef SEQSHARE_CLI_WORDS_H
#define SEQSHARE_CLI_WORDS_H

#include <stdint.h>

enum { WORD_SIZE = 32 };

/* Into `word`, which is returned. */
const char *words_size(char word[WORD_SIZE], uint64_t bytes); /* 12, 1.5K, 64M */
const char *words_age(char word[WORD_SIZE], int64_t since);   /* 5s, 3m, 2h, 9d; since 1970, in ns */
const char *words_time(char word[WORD_SIZE], int64_t when);   /* 2026-01-31 14:05:09, local */

#endif
