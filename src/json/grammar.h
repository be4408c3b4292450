/* SPDX-License-Identifier: MIT */
/*
 * The one grammar of JSON documents: docs/json.md describes it. Checking, decoding and printing all walk through a text
 * by it, so none of them accepts a text that another refuses. Needs libc alone.
 */
#ifndef SEQSHARE_JSON_GRAMMAR_H
#define SEQSHARE_JSON_GRAMMAR_H

#include <stddef.h>

enum { JSON_WHY_SIZE = 160, JSON_DEEPEST = 512 };

/*
 * Gets the words of a text, one after the other: a string in its quotes, a number, true, false, null, or one of
 * []{},: . It returns 0, or a negative errno value that ends the walk.
 */
typedef int grammar_take(void *context, const char *word, size_t length);

/*
 * Hand each word of a text to `take` (NULL: nobody wants them). 0: the text is one document, and nothing else.
 * -EBADMSG: it is not, and `why` says what is wrong and where; the words before that place were handed over.
 * Or what `take` returned. Needs no memory.
 */
int grammar_walk(const char *text, size_t length, grammar_take *take, void *context, char why[JSON_WHY_SIZE]);

/* The value of four hexadecimal digits; -1: there are not four. */
long grammar_code_unit(const char *digits, const char *end);

#endif
