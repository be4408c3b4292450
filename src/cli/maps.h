/* SPDX-License-Identifier: MIT */
/* The files that a process has mapped, as /proc shows them. */
#ifndef SEQSHARE_CLI_MAPS_H
#define SEQSHARE_CLI_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct mapping {
    uintptr_t start;
    bool writable;
    unsigned major, minor; /* of the file system, as the kernel shows it here: not always what stat says */
    uint64_t inode;
    bool deleted;
    char *path; /* without " (deleted)"; "" for none */
};

/* Hand each mapping of a process to `take`. 0, or -EACCES and what else open(2) says. `pid`: a number, or "self". */
int maps_each(const char *pid, void (*take)(void *context, const struct mapping *mapping), void *context);

#endif
