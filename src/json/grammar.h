/* SPDX-License-Identifier: MIT */
/* JSON texts: the grammar by json-c, and what json-c is too kind to refuse by ourselves. */
#ifndef SEQSHARE_JSON_GRAMMAR_H
#define SEQSHARE_JSON_GRAMMAR_H

#include <stddef.h>

struct json_object;

enum { JSON_WHY_SIZE = 160 };

/* Past the blanks that the text begins with. */
const char *json_skip_blanks(const char *at, const char *end);

/* The length of the word (string, number, name, or one of []{},:) that the text begins with, or 0: none. */
size_t json_word(const char *text, const char *end);

/*
 * What one JSON document in UTF-8, and nothing else, means: 0, and the document is the caller's
 * (json_object_put; NULL is null). -EBADMSG, and `why` says what is wrong and where; -ENOMEM.
 */
int json_parse(struct json_object **document, const char *text, size_t length, char why[JSON_WHY_SIZE]);

#endif
