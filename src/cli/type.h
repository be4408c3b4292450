/* SPDX-License-Identifier: MIT */
/* The promise of a value's type tag to its readers, and the values that the command puts in its place. */
#ifndef SEQSHARE_CLI_TYPE_H
#define SEQSHARE_CLI_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include <seqshare/seqshare.h>

#include "bytes.h"

/*
 * Do readers expect JSON there? They do if the tag says so, and if an untyped value is an object or an
 * array. (An untyped 5 or "text" promises nothing.)
 */
bool type_promises_json(const struct bytes *value, uint32_t tag);

/* The type of the new value. */
struct type_wish {
    bool said; /* by the user: `tag`; else it is that of the current value */
    uint32_t tag;
    bool force; /* whatever type the current value has */
};

/*
 * The tag for a value that replaces `old`, into *tag: DONE; or SAID_NO after saying why it should not
 * replace it.
 */
int type_choose(const char *name, const seqshare_reading *old, const struct bytes *value,
                struct type_wish wish, uint32_t *tag);

#endif
