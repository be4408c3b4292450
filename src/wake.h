/* SPDX-License-Identifier: MIT */
/* Sleeping until somebody publishes, and waking the sleepers; see wake.c. */
#ifndef SEQSHARE_WAKE_H
#define SEQSHARE_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "likely.h"
#include "region.h"

/*
 * Sleep until the version differs from `seen`.
 * 0; -ETIMEDOUT, also when the region's marks differ from *marks (NULL: they do not matter); -EINTR; -EIDRM
 * replaced, with no other version than `seen`.
 */
int wake_await(struct region *region, uint64_t seen, const uint32_t *marks, int64_t ns);

/*
 * After a publication, or a mark: wake the registered sleepers. `all`: the others as well, which takes a system
 * call; without it there is one only if a sleeper has registered.
 */
void wake_sleepers(uint32_t *wake, bool all);

/* The rest of it, for wake_sleepers_fenced. */
COLD void wake_counted(uint32_t *wake, uint32_t word, bool all);

/* The same, after a full fence of the caller's, which is D2 then. */
HOT_INLINE void wake_sleepers_fenced(uint32_t *wake, bool all)
{
    uint32_t word = __atomic_load_n(wake, __ATOMIC_RELAXED); /* ordered by that fence */

    if (unlikely(word & 1 || all))
        wake_counted(wake, word, all);
}

#endif
