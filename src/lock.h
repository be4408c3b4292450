/* SPDX-License-Identifier: MIT */
/* The writer lock. It knows of owners and of nothing that they protect; see lock.c for how it works. */
#ifndef SEQSHARE_LOCK_H
#define SEQSHARE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "layout.h"

/*
 * `self` is identity_get(), `me` its owner. `by`: the handle's note of which thread took the lock through it (0:
 * none), which these keep. Times as in the public API; ns = 0 does not sleep and sets no waiters bit.
 */

/*
 * Take it and hold it until lock_release. 0, or 1 after taking over from a dead owner.
 * -EDEADLK: held by this thread; -EBUSY: this thread is inside lock_enter..lock_leave; -ETIMEDOUT.
 */
int lock_acquire(struct lock_line *lock, struct identity *self, seqshare_word *by, int64_t ns);

/* 0; -EPERM: not this thread's; -EBUSY: inside lock_enter..lock_leave. */
int lock_release(struct lock_line *lock, struct identity *self, seqshare_word *by);

/*
 * Begin a write: take the lock for just that, or use it if this thread holds it. 0, or -EBUSY if a write of
 * this thread is under way (we are in a signal handler, or between fill and publish). Waits as long as the
 * owner lives.
 */
int lock_enter(struct lock_line *lock, struct identity *self);

/* End a write: release, unless lock_acquire held it before. Nothing is done if this thread is in none now. */
void lock_leave(struct lock_line *lock, uint64_t me);

/* The same, of a write that ends without a publication. False: this thread is in none. */
bool lock_abandon(struct lock_line *lock, const struct identity *self);

/* How many writes ended so. A write that began with another number is over. */
uint64_t lock_abandoned(const struct lock_line *lock);

/*
 * A handle is new, and no call of this thread is under way on its region: what the program left there that this
 * thread executed before, in the middle of a write, is set right.
 */
void lock_settle(struct lock_line *lock, struct identity *self);

/* Is this thread between lock_enter and lock_leave? */
bool lock_is_entered(const struct lock_line *lock, uint64_t me);

/* Does this thread own it, in whatever way? */
bool lock_is_mine(const struct lock_line *lock, uint64_t me);

/* The owner, without the other bits; 0: free. */
uint64_t lock_owner(const struct lock_line *lock);

#endif
