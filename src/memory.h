/* SPDX-License-Identifier: MIT */
/*
 * Memory behind a region's mapping. Its file is made of holes: what nobody has written costs nothing, and a
 * store into a hole of a full file system would be a SIGBUS. So a writer allocates first, where an error can
 * be told.
 */
#ifndef SEQSHARE_MEMORY_H
#define SEQSHARE_MEMORY_H

#include "likely.h"
#include "region.h"

/* Have more memory in a slot than there is, for `length` bytes. 1; -ENOSPC, -EBADF, -EFBIG. */
COLD int memory_reserve_more(struct region *region, unsigned slot, size_t length);

/* Have memory for `length` bytes in a slot, holding the writer lock. 0; 1: it is more than before; an error. */
HOT_INLINE int memory_reserve(struct region *region, unsigned slot, size_t length)
{
    return likely(length <= region->reserved[slot]) ? 0 : memory_reserve_more(region, slot, length);
}

/*
 * How many bytes from a slot's start the file has memory for, at this moment; `wanted` are enough. For readers,
 * who ask this when they meet a length that they have not met before. Async-signal-safe.
 */
size_t memory_held(const struct region *region, unsigned slot, size_t wanted);

/* Map header and `length` bytes of a slot now. */
int memory_prefault(const struct region *region, unsigned slot, size_t length);

#endif
