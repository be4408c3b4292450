/* SPDX-License-Identifier: MIT */
/* Numbers and names, from words and into words. */
#ifndef SEQSHARE_CLI_WORDS_H
#define SEQSHARE_CLI_WORDS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { WORD_SIZE = 32 };

/* All of `text`, or false. */
bool parse_number(const char *text, uint64_t *number);
bool parse_size(const char *text, size_t *size);   /* 4096, 64K, 1M, 2G, 1T; more than 0 */
bool parse_seconds(const char *text, int64_t *ns); /* 3, 0.5; no more than 10^9 */
bool parse_mode(const char *text, mode_t *mode);   /* 640 */
bool parse_tag(const char *text, uint32_t *tag);   /* 8 hexadecimal digits, as stat shows them */

/* Short, for people. Into `word`, which is returned. */
const char *size_in_words(char word[WORD_SIZE], uint64_t bytes); /* 12, 1.5K, 64M */
const char *age_in_words(char word[WORD_SIZE], int64_t since);   /* 5s, 3m, 2h, 9d; since 1970, in ns */
const char *time_in_words(char word[WORD_SIZE], int64_t when);   /* 2026-01-31 14:05:09, local */

int64_t now_since_1970(void);
int64_t now_steady(void); /* nanoseconds of CLOCK_MONOTONIC */

/*
 * A name as one line that can do no harm on a terminal: a backslash, control characters, those that reverse the
 * direction of what follows and what is not UTF-8 become \\, \n, \t, \xNN, which the shell's printf %b turns
 * back. The caller frees it.
 */
char *printable(const char *text);

/* As asprintf; the caller frees it. */
__attribute__((format(printf, 1, 2))) char *format_text(const char *format, ...);

/*
 * As vasprintf and vfprintf, but with no character that could do harm on a terminal: the last guard, whatever
 * the sentence is made of. They leave backslashes alone, so what is printable already stays as it is.
 */
__attribute__((format(printf, 1, 0))) char *harmless_text(const char *format, va_list rest);
__attribute__((format(printf, 2, 0))) void print_harmless(FILE *file, const char *format, va_list rest);

/*
 * A name as an argument of a command that is proposed for copying: quoted for the shell where it must be, with
 * "-- " before one that begins with a dash. The caller frees it.
 */
char *shell_word(const char *text);

/* How many columns a printable text takes: a column per character. */
size_t width_of(const char *text);

/* UTF-8 without control characters other than tab and line ends. */
bool is_text(const void *bytes, size_t length);

#endif
