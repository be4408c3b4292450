/* SPDX-License-Identifier: MIT */
/* The writer lock. It knows its owners, and nothing of the value that they protect; lock.c explains how it works. */
#ifndef SEQSHARE_LOCK_H
#define SEQSHARE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "layout.h"

/*
 * `self` is identity_get(), `me` its owner. `by`: the handle's note of the thread that took the lock through it (0:
 * none), which these functions keep. Times as in the public API; ns = 0 does not sleep and sets no waiters bit.
 */

/* ---- the words ---------------------------------------------------------------------------------- */

HOT_INLINE uint64_t lock_owner_of(uint64_t word)
{
    return word & ~(OWNER_WAITERS | OWNER_WRITING);
}

HOT_INLINE uint64_t lock_word(const struct lock_line *lock)
{
    return seqshare_load_relaxed(&lock->owner); /* only judged, or this thread's own; taking it acquires */
}

HOT_INLINE uint64_t lock_state(const struct lock_line *lock)
{
    return seqshare_load_relaxed(&lock->state); /* this thread's own store, or nobody acts on it */
}

HOT_INLINE void lock_store_state(struct lock_line *lock, uint64_t state)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    seqshare_store_relaxed(&lock->state, state); /* read by this thread's signal handlers */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The owner, without the other bits; 0: free. */
HOT_INLINE uint64_t lock_owner(const struct lock_line *lock)
{
    return lock_owner_of(lock_word(lock)); /* to inspect */
}

/* Does this thread own it, in any way? */
HOT_INLINE bool lock_is_mine(const struct lock_line *lock, uint64_t me)
{
    return lock_owner(lock) == me;
}

/* By lock (or while lock takes it, or unlock gives it back): not a write of its own. */
HOT_INLINE bool lock_is_held(const struct lock_line *lock, uint64_t me)
{
    return (lock_word(lock) & ~OWNER_WAITERS) == me;
}

/* Is this thread in a write? */
HOT_INLINE bool lock_is_entered(const struct lock_line *lock, uint64_t me)
{
    uint64_t word = lock_word(lock);

    return lock_owner_of(word) == me &&
           (word & OWNER_WRITING || lock_state(lock) == (me | STATE_HELD | STATE_BUSY));
}

/* ---- taking, where nobody is in the way --------------------------------------------------------- */

/* The instants in which nothing is taken for left behind. Handlers leave `changing` as they find it. */
HOT_INLINE unsigned lock_begin_change(struct identity *self)
{
    unsigned before = __atomic_load_n(&self->changing, __ATOMIC_RELAXED); /* this thread's alone */

    __atomic_store_n(&self->changing, before + 1, __ATOMIC_RELAXED); /* read by this thread's handlers */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return before;
}

HOT_INLINE void lock_end_change(struct identity *self, unsigned before)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&self->changing, before, __ATOMIC_RELAXED); /* the same */
}

/* Acquire: pairs with the release in lock_swap_free. Failing needs no order: the word is judged from a load of
 * its own. */
HOT_INLINE bool lock_swap(struct lock_line *lock, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&lock->owner, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * On x86 an instruction that locks is a full fence, whatever order it has in C. (seq_cst keeps the compiler from moving
 * later accesses across it.) So the end of a write is also the fence between publication and wake-up word.
 */
#if defined __x86_64__ || defined __i386__
enum { LOCK_FENCES = true, LOCK_END = __ATOMIC_SEQ_CST };
#else
enum { LOCK_FENCES = false, LOCK_END = __ATOMIC_RELEASE };
#endif

/* Release: pairs with lock_swap; the next owner sees everything written under the lock. */
HOT_INLINE bool lock_swap_free(struct lock_line *lock, uint64_t *word)
{
    return __atomic_compare_exchange_n(&lock->owner, word, 0, false, LOCK_END, __ATOMIC_RELAXED);
}

/*
 * Take the word, for one write (B in `to`), or for lock, which notes its owner in `by`. Relaxed: only its owner's
 * thread reads `image`, after exec too.
 */
HOT_INLINE bool lock_take(struct lock_line *lock, struct identity *self, uint64_t from, uint64_t to,
                          seqshare_word *by)
{
    unsigned before = lock_begin_change(self);
    bool taken = lock_swap(lock, from, to);

    if (likely(taken)) {
        seqshare_store_relaxed(&lock->image, self->image);
        if (by) {
            seqshare_store_relaxed(by, self->owner); /* each thread compares it with its own identity alone */
            lock_store_state(lock, self->owner | STATE_HELD);
        } else if (from != 0) {
            lock_store_state(lock, 0); /* a dead owner's, whose number may be ours now */
        }
    }
    lock_end_change(self, before);
    return taken;
}

/*
 * Change the state from HELD to `to`, of a word that is ours. By compare-and-swap: a signal handler of this thread may
 * unlock at any instant before, and another thread may be the owner by then. Success proves that the lock is still
 * ours. Relaxed: the state orders nothing.
 */
HOT_INLINE bool lock_leave_held(struct lock_line *lock, uint64_t me, uint64_t to)
{
    uint64_t held = me | STATE_HELD;
    bool done;

    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    done = __atomic_compare_exchange_n(&lock->state, &held, to, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return done;
}

/* Begin a write under this thread's own lock, if it has it, and took it in this program. */
HOT_INLINE bool lock_enter_held(struct lock_line *lock, const struct identity *self)
{
    uint64_t me = self->owner;

    return lock_is_held(lock, me) &&
           seqshare_load_relaxed(&lock->image) == self->image && /* as in lock_take */
           lock_leave_held(lock, me, me | STATE_HELD | STATE_BUSY);
}

/* ---- hold it ------------------------------------------------------------------------------------ */

/*
 * Take the lock, even if it has an owner or had one, and hold it until lock_release. 0, or 1 after taking over from a
 * dead owner. -EDEADLK: this thread holds it; -EBUSY: this thread is in a write; -ETIMEDOUT.
 */
COLD int lock_wait(struct lock_line *lock, struct identity *self, seqshare_word *by, int64_t ns);

/* 0; -EPERM: not this thread's; -EBUSY: in a write. */
int lock_release(struct lock_line *lock, struct identity *self, seqshare_word *by);

/* ---- one write ---------------------------------------------------------------------------------- */

/*
 * Begin a write, if that needs no waiting: take the lock for just that, or use it if this thread holds it (`by` mostly
 * says so beforehand). False: call lock_enter_or_wait.
 */
HOT_INLINE bool lock_enter(struct lock_line *lock, struct identity *self, const seqshare_word *by)
{
    uint64_t me = self->owner;

    if (seqshare_load_relaxed(by) == me) /* as in lock_take; and only a guess */
        return lock_enter_held(lock, self);
    return lock_take(lock, self, 0, me | OWNER_WRITING, NULL);
}

/*
 * 0, or -EBUSY if a write of this thread is under way (we are in a signal handler, or between fill and
 * publish). Waits as long as the owner lives.
 */
COLD int lock_enter_or_wait(struct lock_line *lock, struct identity *self);

COLD void lock_leave_or_wake(struct lock_line *lock, uint64_t me);

/*
 * End a write: release, unless lock held it before. Does nothing if this thread is in none now.
 * True: this was a full fence between what the caller stored before and what it loads then.
 */
HOT_INLINE bool lock_leave(struct lock_line *lock, uint64_t me)
{
    uint64_t word = lock_word(lock);

    if (word == (me | OWNER_WRITING) && likely(lock_swap_free(lock, &word)))
        return LOCK_FENCES;
    if (!LOCK_FENCES || word != me || lock_state(lock) != (me | STATE_HELD | STATE_BUSY)) {
        lock_leave_or_wake(lock, me);
        return false;
    }
    __atomic_exchange_n(&lock->state, me | STATE_HELD,
                        __ATOMIC_SEQ_CST); /* as lock_store_state, and a fence */
    return true;
}

/* The same, of a write that ends without a publication. False: this thread is in none. */
bool lock_abandon(struct lock_line *lock, const struct identity *self);

/* How many writes ended so. A write that began with another number is over. */
HOT_INLINE uint64_t lock_abandoned(const struct lock_line *lock)
{
    return seqshare_load_relaxed(&lock->abandoned); /* only the owner's thread acts on it */
}

/*
 * A handle is new, and no call of this thread is under way on its region. If this thread executed another program
 * before, which left a write in the middle there, this sets it right.
 */
void lock_settle(struct lock_line *lock, struct identity *self);

#endif
