/* SPDX-License-Identifier: MIT */
/*
 * Thread numbers, which the lock consists of, mean something in one PID and time namespace of one boot. Which
 * these are for a share stands in its header, and the API has no word for it: so this and `check` are the two
 * places of the tool that know the region's layout, which is documented and versioned (docs/format.md).
 */
#ifndef SEQSHARE_CLI_WORLD_H
#define SEQSHARE_CLI_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

struct world {
    uint8_t boot_id[16];
    uint64_t pid_namespace; /* 0: not known */
    uint64_t time_namespace;
};

void world_of_this_process(struct world *world);
void world_of_region(struct world *world, const struct header *header);

/* As much of the region's header as the file has; the bytes read, or a negative errno value. */
long read_layout(int fd, struct layout *layout);

/* Does the file begin as a region does? It may be damaged further on. */
bool has_magic(int fd);

/* Is the region behind `fd` of another boot or namespace than this
 * process? False where nothing can be read. */
bool is_foreign(int fd);

/* A process in that PID namespace, or 0: none that can be seen. */
int process_in(uint64_t pid_namespace);

#endif
