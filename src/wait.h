/* SPDX-License-Identifier: MIT */
/* Sleeping until something is published, and waking those who do; see wait.c. */
#ifndef SEQSHARE_WAIT_H
#define SEQSHARE_WAIT_H

#include <stdint.h>

#include "region.h"

/*
 * Sleep until the version differs from `seen`.
 * 0; -ETIMEDOUT, also when the region's marks differ from *marks (NULL: they do not matter); -EINTR; -EIDRM
 * replaced, with no other version than `seen`.
 */
int wait_for_version(struct region *region, uint64_t seen, const uint32_t *marks, int64_t ns);

/* Those who sleep while the word is this, and registered. */
void wake_sleepers(uint32_t *wake, uint32_t word);

/* After a publication. A system call only if somebody registered. */
void wake_registered(uint32_t *wake);

/* The same, after a publication and a full fence of the caller's, which is D2 then. */
static inline void wake_registered_fenced(uint32_t *wake)
{
    uint32_t word = __atomic_load_n(wake, __ATOMIC_RELAXED); /* ordered by that fence */

    if (word & 1)
        wake_sleepers(wake, word);
}

/* After marking a region: everybody, registered or not. */
void wake_everybody(uint32_t *wake);

#endif
