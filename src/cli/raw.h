/* SPDX-License-Identifier: MIT */
/*
 * The file of a region, read without the library: for a file that the library refuses to open. This and `check` are
 * the two places of the tool that know the region's layout, which is documented and versioned (docs/format.md).
 */
#ifndef SEQSHARE_CLI_RAW_H
#define SEQSHARE_CLI_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

/* As much of the region's header as the file has; the bytes read, or a negative errno value. */
long raw_read_layout(int fd, struct layout *layout);

/* Does the file begin like a region? It may be damaged further on. */
bool raw_has_magic(int fd);

#endif
