/* SPDX-License-Identifier: MIT */
/* From a JSON string in its quotes to the bytes of its meaning. Needs libc alone: bindings build it as well. */
#ifndef SEQSHARE_JSON_UNQUOTE_H
#define SEQSHARE_JSON_UNQUOTE_H

#include <stddef.h>

/*
 * `word` is a string as grammar_walk hands it over, with its quotes. Writes its meaning in UTF-8 to `meaning`, which has
 * room for `length` bytes, and returns how many bytes that is: at least two fewer than `length`.
 */
size_t unquote_string(char *meaning, const char *word, size_t length);

#endif
