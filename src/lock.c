/* SPDX-License-Identifier: MIT */
/*
 * The writer lock: one 64-bit word that is 0 when free, and else says which thread owns it.
 *
 *      owner   bits 0-29   TID          } the half that is a futex word, in the kernel's own layout
 *              bit  31     W: somebody may be asleep
 *              bits 32-63  low half of the owner's start time; 0: unknown
 *
 * One compare-and-swap takes the lock *and* says who has it: there is no instant at which it is held by
 * nobody known, and so no instant at which a kill is fatal. An owner that died is noticed by whoever comes
 * next, who takes the lock over by a compare-and-swap on all 64 bits of the very word that was judged: were
 * the lock free, or somebody else's, or the TID given to a new thread, the word would be another.
 *
 * What makes it right (tests/model checks it with three contenders and two deaths, and plants each fault):
 *   - W is only ever added by compare-and-swap to a word seen as owned, and inherited by whoever takes over, or
 *     wins after it may have slept: while anybody sleeps, W stands in the word or a wake-up is on its way.
 *   - The lock is free before its wake-up goes out.
 *   - A sleeper judges the owner again each time it wakes, and it wakes every 50 ms: only a death needs that.
 *
 * Memory order. Acquire on taking, release on freeing: the next writer sees all that the last one wrote, the
 * sequence above all. A dead owner released nothing. In its place stands this: the kernel makes a thread's
 * end visible (its TID gone, its state Z) by stores that come after all of the thread's own, with full
 * barriers on the way out (exit takes and drops locks; so does the scheduler when it switches away for the
 * last time); the verdict reads one of these; and the seq_cst fence between verdict and compare-and-swap
 * keeps everything that the new owner reads behind the verdict. So the new owner sees each store that the
 * dead one made.
 *
 * `state` says what the owner is doing. It carries the owner's identity again, so that what a dead owner left
 * there is never taken for one's own in the instant after a take-over:
 *
 *      me | BUSY           inside one write
 *      me | HELD           lock_acquire has it
 *      me | BUSY | HELD    a write under that
 *      anything else       being taken or given back
 *
 * A signal handler that interrupts its own thread finds the owner word to be its own, and by the state
 * whether it may write (HELD alone) or must not (-EBUSY). Without it, a handler's set would fill the slot
 * that is being filled, and a handler's unlock give the lock away. Only the owner changes it; accesses are
 * relaxed, and signal fences keep the compiler from moving them across what they guard.
 */
#include "lock.h"

#include <errno.h>

#include "futex.h"
#include "identity.h"
#include "pause.h"

#define STATE_BUSY (UINT64_C(1) << 30)
#define STATE_HELD (UINT64_C(1) << 31)

enum {
    JUDGE_AGAIN_NS = 50000000, /* a sleeper looks after the owner's life this often */
    SPINS = 100                /* a set is shorter than a system call: give a live owner that long */
};

static uint64_t owner_of(uint64_t word)
{
    return word & ~OWNER_WAITERS;
}

static uint64_t load_state(const struct lock_line *lock)
{
    return seqshare_load_relaxed(&lock->state); /* own thread's store, or not to be acted on */
}

static void store_state(struct lock_line *lock, uint64_t state)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    seqshare_store_relaxed(&lock->state, state); /* read by this thread's signal handlers */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static const uint32_t *futex_word(const struct lock_line *lock)
{
    const uint32_t *half = (const uint32_t *)(const void *)&lock->owner;

    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? half + 1 : half;
}

/* Acquire: pairs with the release in give_back. Failing needs no order: the word is judged from a load of its
 * own. */
static bool take(struct lock_line *lock, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(&lock->owner, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * Leave HELD for `to`. By compare-and-swap, for a signal handler of this thread may unlock at any instant
 * before, and another thread be the owner by then: success proves that the lock is still ours. Relaxed: the
 * state orders nothing.
 */
static bool leave_held(struct lock_line *lock, uint64_t me, uint64_t to)
{
    uint64_t held = me | STATE_HELD;
    bool done;

    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    done = __atomic_compare_exchange_n(&lock->state, &held, to, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return done;
}

/* The word after it has had a moment to become free or ours. */
static uint64_t spin(const struct lock_line *lock, uint64_t me)
{
    uint64_t word = seqshare_load_relaxed(&lock->owner);

    for (int i = 0; i < SPINS && word != 0 && owner_of(word) != me; i++) {
        pause_briefly();
        word = seqshare_load_relaxed(&lock->owner);
    }
    return word;
}

static int take_over(struct lock_line *lock, uint64_t dead, uint64_t me)
{
    /* The dead owner's release: see above. It pairs with the kernel's barriers in exit; without it, the loads
       of the slot and sequence could have been made before the verdict, from before the death. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return take(lock, dead, me | (dead & OWNER_WAITERS));
}

/* The lock was not free. 0, 1 or an error, as lock_acquire; `state` is left to the caller. */
static int contend(struct lock_line *lock, uint64_t me, int64_t ns)
{
    int64_t deadline = ns == 0 ? 0 : clock_after(ns);
    uint64_t want = me;
    uint64_t word = ns == 0 ? seqshare_load_relaxed(&lock->owner) : spin(lock, me);

    for (;; word = seqshare_load_relaxed(&lock->owner)) { /* relaxed: only judged; taking it acquires */
        int64_t left;

        if (word == 0) {
            if (take(lock, 0, want))
                return 0;
            continue;
        }
        if (owner_of(word) == me)
            return load_state(lock) == (me | STATE_HELD) ? -EDEADLK : -EBUSY;
        if (identity_is_dead(word)) {
            if (take_over(lock, word, want))
                return 1;
            continue;
        }
        if (ns == 0)
            return -ETIMEDOUT;
        if (!(word & OWNER_WAITERS)) {
            if (!__atomic_compare_exchange_n(&lock->owner, &(uint64_t){word}, word | OWNER_WAITERS, false,
                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED)) /* the futex call orders */
                continue;
            word |= OWNER_WAITERS;
        }
        want = me | OWNER_WAITERS; /* others may be asleep beside us: whoever wakes keeps W for them */
        /* Only with W in the word: we may have used up a wake-up, and this owner must pass
         * it on when we leave. */
        left = deadline == INT64_MAX ? INT64_MAX : deadline - clock_now();
        if (left <= 0)
            return -ETIMEDOUT;
        futex_wait(futex_word(lock), (uint32_t)word, left < JUDGE_AGAIN_NS ? left : JUDGE_AGAIN_NS);
    }
}

/*
 * Free the owner word; the state must not be HELD any more. Release: pairs with `take`; the next owner sees
 * everything written under the lock.
 */
static void give_back(struct lock_line *lock, uint64_t me)
{
    uint64_t word = seqshare_load_relaxed(&lock->owner); /* ours: only its waiters bit may change */

    while (owner_of(word) == me)
        if (__atomic_compare_exchange_n(&lock->owner, &word, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            if (word & OWNER_WAITERS)
                futex_wake(futex_word(lock), 1);
            return;
        }
}

int lock_acquire(struct lock_line *lock, uint64_t me, int64_t ns)
{
    int result = take(lock, 0, me) ? 0 : contend(lock, me, ns);

    if (result >= 0)
        store_state(lock, me | STATE_HELD);
    return result;
}

int lock_release(struct lock_line *lock, uint64_t me)
{
    if (!lock_is_mine(lock, me))
        return -EPERM;
    if (!leave_held(lock, me, 0))
        return lock_is_mine(lock, me) ? -EBUSY : -EPERM;
    give_back(lock, me);
    return 0;
}

int lock_enter(struct lock_line *lock, uint64_t me)
{
    for (;;) {
        int result = take(lock, 0, me) ? 0 : contend(lock, me, -1);

        if (result >= 0) {
            store_state(lock, me | STATE_BUSY);
            return 0;
        }
        if (result != -EDEADLK)
            return result;
        if (leave_held(lock, me, me | STATE_HELD | STATE_BUSY))
            return 0; /* under this thread's own lock */
    }
}

void lock_leave(struct lock_line *lock, uint64_t me)
{
    if (!lock_is_entered(lock, me))
        return;
    if (load_state(lock) == (me | STATE_HELD | STATE_BUSY)) {
        store_state(lock, me | STATE_HELD);
    } else {
        store_state(lock, 0);
        give_back(lock, me);
    }
}

bool lock_is_entered(const struct lock_line *lock, uint64_t me)
{
    return lock_is_mine(lock, me) && load_state(lock) != (me | STATE_HELD);
}

bool lock_is_mine(const struct lock_line *lock, uint64_t me)
{
    return owner_of(seqshare_load_relaxed(&lock->owner)) == me; /* own store, or another's that differs */
}

uint64_t lock_owner(const struct lock_line *lock)
{
    return owner_of(seqshare_load_relaxed(&lock->owner)); /* for looking at */
}
