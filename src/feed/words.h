/* SPDX-License-Identifier: MIT */
/* Numbers from words: sizes, times, parts. All of the text must belong to the number. */
#ifndef SEQSHARE_FEED_WORDS_H
#define SEQSHARE_FEED_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

bool words_number(const char *text, uint64_t *number);
bool words_size(const char *text, size_t *size);       /* 4096, 256k, 1M, 1G; more than 0 */
bool words_time(const char *text, int64_t *ns);        /* 500ms, 30s, 5m, 1h; at most a year */
bool words_percent(const char *text, unsigned *share); /* 0% to 100% */
bool words_mode(const char *text, mode_t *mode);       /* 0644 */

#endif
