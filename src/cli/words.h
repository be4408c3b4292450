/* SPDX-License-Identifier: MIT */
/* Numbers and names, from words and into words. */
#ifndef SEQSHARE_CLI_WORDS_H
#define SEQSHARE_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORD_SIZE = 32 };

/* All of `text`, or false. */
bool parse_number(const char *text, uint64_t *number);
bool parse_size(const char *text, size_t *size);   /* 4096, 64K, 1M, 2G, 1T; more than 0 */
bool parse_seconds(const char *text, int64_t *ns); /* 3, 0.5 */
bool parse_mode(const char *text, mode_t *mode);   /* 640 */
bool parse_tag(const char *text, uint32_t *tag);   /* 8 hexadecimal digits, as stat shows them */

/* Short, for people. Into `word`, which is returned. */
const char *size_in_words(char word[WORD_SIZE], uint64_t bytes); /* 12, 1.5K, 64M */
const char *age_in_words(char word[WORD_SIZE], int64_t since);   /* 5s, 3m, 2h, 9d; since 1970, in ns */
const char *time_in_words(char word[WORD_SIZE], int64_t when);   /* 2026-01-31 14:05:09, local */

int64_t now_since_1970(void);
int64_t now_steady(void); /* nanoseconds of CLOCK_MONOTONIC */

/*
 * A name or value as one line that can do no harm on a terminal: backslash, control characters and what is
 * not UTF-8 become \\, \n, \t, \xNN, which the shell's printf %b turns back. The caller frees it.
 */
char *printable(const char *text);

/* How many columns a printable text takes: a column per character. */
size_t width_of(const char *text);

/* UTF-8 without control characters other than tab and line ends. */
bool is_text(const void *bytes, size_t length);

#endif
