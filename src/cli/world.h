/* SPDX-License-Identifier: MIT */
/*
 * The file of a region, read without the library: for what the library refuses to open. This and `check` are
 * the two places of the tool that know the region's layout, which is documented and versioned (docs/format.md).
 */
#ifndef SEQSHARE_CLI_WORLD_H
#define SEQSHARE_CLI_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

/* As much of the region's header as the file has; the bytes read, or a negative errno value. */
long read_layout(int fd, struct layout *layout);

/* Does the file begin as a region does? It may be damaged further on. */
bool has_magic(int fd);

/* A process in that PID namespace, or 0: none that can be seen. */
int process_in(uint64_t pid_namespace);

/*
 * Why this process cannot write the region, as stat's `foreign` says, in words: "another PID namespace made the
 * region".
 */
const char *foreign_in_words(int foreign);

#endif
