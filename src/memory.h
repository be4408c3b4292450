/* SPDX-License-Identifier: MIT */
/*
 * Memory behind a region's mapping. Its file is made of holes: bytes that nobody has written cost nothing. But a store
 * into a hole of a full file system would be a SIGBUS. So a writer allocates memory first, which can return an error.
 */
#ifndef SEQSHARE_MEMORY_H
#define SEQSHARE_MEMORY_H

#include "likely.h"
#include "region.h"

/* Allocate more memory in a slot, for `length` bytes. 1; -ENOSPC, -EBADF, -EFBIG. */
COLD int memory_reserve_more(struct region *region, unsigned slot, size_t length);

/* Allocate memory for `length` bytes in a slot, under the writer lock. 0; 1: it is more than before; or an error. */
HOT_INLINE int memory_reserve(struct region *region, unsigned slot, size_t length)
{
    return likely(length <= region->reserved[slot]) ? 0 : memory_reserve_more(region, slot, length);
}

/*
 * How many bytes from a slot's start the file has memory for, at this moment; `wanted` are enough. For readers,
 * who ask when they meet a new length. Async-signal-safe.
 */
size_t memory_held(const struct region *region, unsigned slot, size_t wanted);

/* Map header and `length` bytes of a slot now. */
int memory_prefault(const struct region *region, unsigned slot, size_t length);

#endif
