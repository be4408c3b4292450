/* SPDX-License-Identifier: MIT */
/* May this process write, and has this thread the lock? Each write begins and ends with these. */
#ifndef SEQSHARE_HOLD_H
#define SEQSHARE_HOLD_H

#include <errno.h>

#include "follow.h"
#include "identity.h"
#include "likely.h"
#include "lock.h"
#include "share.h"

HOT_INLINE struct lock_line *hold_lock(const struct share *share)
{
    return &share->region.map->lock;
}

/* ---- may this process write? ----------------------------------------------------------------- */

/*
 * Do a region's TIDs mean in this process what they meant to its creator? 0: they do; SEQSHARE_FOREIGN_...: why
 * they do not; or a negative error: not known (no descriptors to look into /proc with).
 */
int hold_foreign(const struct header *header, bool anonymous);

/* The same, asked only once in a process where they do. */
int hold_check_world(struct share *share);

/* The rest of hold_check_writable. */
COLD int hold_find_writable(struct share *share, const struct identity *self);

/* A finding holds for this process: hold_check_world notes it. */
HOT_INLINE int hold_check_writable(struct share *share, const struct identity *self)
{
    if (likely(region_is_writable(&share->region) && self->error == 0 &&
               __atomic_load_n(&share->our_world, __ATOMIC_RELAXED) == self->generation)) /* as there */
        return 0;
    return hold_find_writable(share, self);
}

/* Holding the lock: 0, or -EIDRM. Only a name that moves, or has moved, costs more than the load. */
HOT_INLINE int hold_check_marks(struct share *share)
{
    return unlikely(region_marks(&share->region) & ~(uint32_t)SEQSHARE_UNLINKED) ? follow_check_marks(share)
                                                                                 : 0;
}

/* ---- the lock, held by this thread ------------------------------------------------------------ */

/* The handle is new: if this thread executed another program before, that program may have left the lock. */
void hold_settle(struct share *share);

/* This thread owns the region's lock. Not for signal handlers. */
bool hold_is_mine(struct share *share);

/* Give back everything that this thread holds through this handle. */
void hold_release_all(struct share *share);

/*
 * Is this thread in the write that it began through this handle? Through another one of the region it may have
 * been abandoned since, and the next begun.
 */
bool hold_is_writing(const struct share *share, uint64_t me);

/*
 * Before waiting for the lock, this question only saves waiting. Under the lock, the lock's acquire has
 * made each mark visible that an owner has set.
 */
static inline bool hold_is_replaced(const struct share *share)
{
    return region_marks(&share->region) & SEQSHARE_REPLACED;
}

/* ---- one write ------------------------------------------------------------------------------- */

/*
 * Relaxed, as all of `writing` and `locked_by`: each thread compares them with its own identity alone, and another
 * thread's differs.
 */
HOT_INLINE void hold_set_writing(struct share *share, uint64_t me)
{
    __atomic_store_n(&share->writing, me, __ATOMIC_RELAXED);
}

/* Relaxed: read by the thread that fills, and its signal handlers. */
HOT_INLINE void hold_set_filling(struct share *share, uint64_t version)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a handler that sees the fill sees its room */
    seqshare_store_relaxed(&share->filling, version);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* and one that sees the write sees that this is not a fill */
}

/* hold_end for a caller that knows its identity. True: as lock_leave. */
HOT_INLINE bool hold_leave(struct share *share, uint64_t me)
{
    hold_set_writing(share, 0);
    return lock_leave(hold_lock(share), me);
}

/* Another thread has the lock, or had it and died; or this thread holds it in another way than it seemed. */
COLD int hold_enter_or_wait(struct share *share, struct identity *self);

/* hold_begin for such a caller: a part of it, so that the fast path is straight. */
HOT_INLINE int hold_enter(struct share *share, struct identity *self)
{
    int error = hold_check_writable(share, self);

    if (unlikely(error))
        return error;
    if (unlikely(!lock_enter(hold_lock(share), self, &share->locked_by))) {
        error = hold_enter_or_wait(share, self);
        if (error)
            return error;
    }
    hold_set_filling(share, 0); /* an earlier fill's thread may have died */
    seqshare_store_relaxed(&share->abandoned, lock_abandoned(hold_lock(share))); /* as hold_set_writing */
    hold_set_writing(share, self->owner);
    error = hold_check_marks(share);
    if (unlikely(error))
        hold_leave(share, self->owner);
    return error;
}

/*
 * Begin a write of this thread through this handle: writable, in our world, not replaced, the lock taken or
 * this thread's. The errors of seqshare_set. hold_end ends it.
 */
int hold_begin(struct share *share);
void hold_end(struct share *share);

#endif
