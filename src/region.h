/* SPDX-License-Identifier: MIT */
/*
 * A region as this process has it: the mapping, its descriptors, and a private copy of the header. Everything that
 * safety depends on was validated at attach. The library reads it from here, never again from shared memory.
 */
#ifndef SEQSHARE_REGION_H
#define SEQSHARE_REGION_H

#include <stdbool.h>
#include <stddef.h>

#include "descriptor.h"
#include "layout.h"

struct region {
    struct layout *map;
    size_t size;
    struct header header;
    bool writable;             /* atomic: see region_is_writable */
    seqshare_word registering; /* threads in region_enter_wake: generation << 32 | their number */
    uint64_t owner_word;       /* the lock's, as attach read it from the file with the header */
    bool anonymous;            /* memfd, or memory without a file */
    struct descriptors file;
    size_t reserved[SEQSHARE_SLOTS_MAX]; /* so many bytes of each slot are known to be allocated */
};

/* Initialise a region that has nothing yet. */
void region_clear(struct region *region);

/* Map `fd`, of which the region has header, size and `writable`; -1: memory without a file. 0, or an error. */
int region_map(struct region *region, int fd);

void region_close(struct region *region);

/* Making or attaching it failed: free all of it, and its `fd`. Returns `error`. */
int region_give_up(struct region *region, int fd, int error);

/* Map read-only, for good. -EBADF, -ENOMEM. Threads that wait for a version may go on waiting. */
int region_drop_write(struct region *region);

/*
 * The wake-up word for a thread that wants to register in it, or NULL if it may not be written to (any more). Until
 * region_leave_wake, which must follow either way, region_drop_write in another thread waits.
 */
uint32_t *region_enter_wake(struct region *region);
void region_leave_wake(struct region *region);

/* Relaxed: a caller that races with drop_write waits for a version, which asks again. No other may race with it. */
static inline bool region_is_writable(const struct region *region)
{
    return __atomic_load_n(&region->writable, __ATOMIC_RELAXED);
}

/* Set marks: REPLACED and UNLINKED once they are true; the others before the name moves. Returns the earlier marks. */
uint32_t region_retire(struct region *region, uint32_t marks);

/* The same for a file that others may cut at this moment: by pwrite, so not in one step. */
void region_retire_by_writing(const struct region *region, uint32_t marks);

/* Take marks back: SEQSHARE_LOOK, SEQSHARE_LOOK_OUTSIDE. */
void region_unmark(struct region *region, uint32_t marks);

/* Relaxed: under the lock, whose acquire shows the marks of earlier owners; otherwise a hint. */
static inline uint32_t region_marks(const struct region *region)
{
    return __atomic_load_n(&region->map->head.retired, __ATOMIC_RELAXED);
}

unsigned char *region_slot(const struct region *region, unsigned slot);

#endif
