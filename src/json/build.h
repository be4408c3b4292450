/* SPDX-License-Identifier: MIT */
/*
 * From a text to json-c's values. json-c has a parser of its own, which is not used: what it takes differs from
 * version to version (0.18 refuses every string that is not ASCII), it cuts names at a zero character, and where
 * there is no memory it crashes or leaves out what it had no room for.
 */
#ifndef SEQSHARE_JSON_BUILD_H
#define SEQSHARE_JSON_BUILD_H

#include <stddef.h>

#include "grammar.h"

struct json_object;

/*
 * What a document means: 0, and *root is the caller's (json_object_put; NULL is null). -EBADMSG, and `why` says what
 * is wrong and where; -ENOMEM. *root is NULL then.
 */
int json_build(struct json_object **root, const char *text, size_t length, char why[JSON_WHY_SIZE]);

#endif
