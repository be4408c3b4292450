/* SPDX-License-Identifier: MIT */
/*
 * From a text to json-c's values. We do not use json-c's own parser. Each version accepts other documents (0.18 refuses
 * every string that is not ASCII), it cuts names at a zero character, and without memory it crashes or leaves values
 * out.
 */
#ifndef SEQSHARE_JSON_BUILD_H
#define SEQSHARE_JSON_BUILD_H

#include <stddef.h>

#include "grammar.h"

struct json_object;

/*
 * The value of a document. 0, and *root is the caller's (json_object_put; NULL is null). -EBADMSG, and `why` says what
 * is wrong and where; -ENOMEM. *root is NULL then.
 */
int build_document(struct json_object **root, const char *text, size_t length, char why[JSON_WHY_SIZE]);

#endif
