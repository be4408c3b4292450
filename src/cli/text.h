/* SPDX-License-Identifier: MIT */
/* Texts for a terminal and for the shell: they do no harm there, whatever names are in them. */
#ifndef SEQSHARE_CLI_TEXT_H
#define SEQSHARE_CLI_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A name as one line that can do no harm on a terminal: a backslash, control characters, characters that reverse the
 * direction of the text, and bytes that are not UTF-8 become \\, \n, \t, \xNN, which the shell's printf %b turns
 * back. The caller frees it.
 */
char *text_printable(const char *text);

/* As asprintf; the caller frees it. */
__attribute__((format(printf, 1, 2))) char *text_format(const char *format, ...);

/*
 * As vasprintf and vfprintf, but with no character that could do harm on a terminal: the last guard, whatever
 * the sentence is made of. They leave backslashes alone, so a printable text stays as it is.
 */
__attribute__((format(printf, 1, 0))) char *text_harmless(const char *format, va_list rest);
__attribute__((format(printf, 2, 0))) void text_print_harmless(FILE *file, const char *format, va_list rest);

/*
 * A name as an argument of a command that the user may copy: quoted for the shell if it must be, with
 * "-- " before one that begins with a dash. The caller frees it.
 */
char *text_shell_word(const char *text);

/* How many columns a printable text takes: a column per character. */
size_t text_width(const char *text);

/* UTF-8 without control characters other than tab and line ends. */
bool text_is_plain(const void *bytes, size_t length);

#endif
