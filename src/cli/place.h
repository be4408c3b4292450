/* SPDX-License-Identifier: MIT */
/*
 * One place of a JSON document, by JSON Pointer (RFC 6901). It works on the text itself, so that everything around it
 * stays as it was, to the last digit and blank.
 */
#ifndef SEQSHARE_CLI_PLACE_H
#define SEQSHARE_CLI_PLACE_H

#include <stdbool.h>

#include "bytes.h"

/* Is it a JSON Pointer? "" is the whole document; any other begins with a slash. */
bool place_is_pointer(const char *text);

/* The value there, as a part of the document's text. DONE, or SAID_NO after saying why there is none. */
int place_get(const char *name, const struct bytes *document, const char *pointer, struct bytes *value);

/*
 * A copy of the document with `value`, which is JSON, in that place: instead of the old value, or as a new
 * member of an object, or (pointer ".../-") as a new last element of an array. DONE, and *result is the caller's;
 * or SAID_NO after saying why not.
 */
int place_set(const char *name, const struct bytes *document, const char *pointer, const struct bytes *value,
              struct bytes *result);

/* The meaning of a string in its quotes. *text is the caller's. 0 or a negative errno value. */
int place_unquote(const struct bytes *quoted, struct bytes *text);

#endif
