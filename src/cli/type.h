/* SPDX-License-Identifier: MIT */
/* What the type tag of a value promises to its readers, and which values the command puts in its place. */
#ifndef SEQSHARE_CLI_TYPE_H
#define SEQSHARE_CLI_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include <seqshare/seqshare.h>

#include "bytes.h"

/*
 * Do readers expect JSON there? They do where the tag says so, and where an untyped value is an object or an
 * array. (An untyped 5 or "text" promises nothing.)
 */
bool type_promises_json(const struct bytes *value, uint32_t tag);

/* Which type the new value has. */
struct type_wish {
    bool said; /* by the user: `tag`; else it is that of the current value */
    uint32_t tag;
    bool force; /* whatever type the current value has */
};

/*
 * The tag for a value that takes the place of `old`, into *tag: DONE; or SAID_NO after saying why it should not
 * take that place.
 */
int type_choose(const char *name, const seqshare_reading *old, const struct bytes *value,
                struct type_wish wish, uint32_t *tag);

#endif
