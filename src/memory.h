/* SPDX-License-Identifier: MIT */
/*
 * Memory behind a region's mapping. Its file is made of holes: what nobody has written costs nothing, and a
 * store into a hole of a full file system would be a SIGBUS. So a writer allocates first, where an error can
 * be told.
 */
#ifndef SEQSHARE_MEMORY_H
#define SEQSHARE_MEMORY_H

#include <unistd.h>

#include "region.h"

static inline size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Have memory for `length` bytes in a slot, holding the writer lock. -ENOSPC, -EBADF, -EFBIG. */
int memory_reserve(struct region *region, unsigned slot, size_t length);

/* Map header and `length` bytes of a slot now. */
int memory_prefault(const struct region *region, unsigned slot, size_t length);

#endif
