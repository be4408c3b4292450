/* SPDX-License-Identifier: MIT */
/*
 * The writer lock: one 64-bit word that is 0 when free, and otherwise names the thread that owns it.
 *
 *      owner   bits 0-29   TID          } the half that is a futex word, in the kernel's own layout
 *              bit  30     B: taken for one write, which ends it
 *              bit  31     WAITERS: somebody may be asleep
 *              bits 32-63  low half of the owner's start time; 0: unknown
 *
 * One compare-and-swap takes the lock *and* names its owner. There is no instant at which an unknown thread holds it,
 * and so no instant at which a kill is fatal. The next thread notices that an owner died. It takes the lock over by a
 * compare-and-swap on all 64 bits of the very word that it judged. If the lock were free by then, or another thread's,
 * or the TID given to a new thread, the word would differ.
 *
 * These make it right (tests/model checks it with three contenders and two deaths, and plants each fault):
 *   - Only a compare-and-swap adds WAITERS, to a word that was seen as owned. A thread that takes over inherits it, and
 *     so does one that wins after it may have slept. While anybody sleeps, WAITERS is in the word or a wake-up is on its
 *     way.
 *   - The lock is free before its wake-up goes out.
 *   - A sleeper judges the owner again each time it wakes, and it wakes every 50 ms: only a death needs that.
 *
 * Memory order. Acquire on taking, release on freeing: the next writer sees everything that the last one wrote, above
 * all the sequence. A dead owner released nothing. Three things do that in its place. The kernel makes a thread's end
 * visible (its TID gone, its state Z) by stores that come after all of the thread's own, with full barriers on the way
 * out (exit takes and drops locks; so does the scheduler when it switches away for the last time). The verdict reads
 * one of these stores. And the seq_cst fence between verdict and compare-and-swap keeps everything that the new owner
 * reads behind the verdict. So the new owner sees each store that the dead one made.
 *
 * A thread may find the word to be its own: in a signal handler that interrupts it, between fill and publish, or under
 * its own lock. B tells it what it may do then; without B, `state` does. That has the identity again, so that no
 * thread takes a dead owner's state for its own:
 *
 *      owner           state
 *      me | B          (anything)           in a write: set, fill and publish
 *      me              me | HELD            lock has it, for as long as its user likes
 *      me              me | BUSY | HELD     a write under that
 *      me              anything else        lock is taking it, or unlock giving it back, at this moment
 *
 * Without it, a handler's set would fill the slot that its thread is filling, and a handler's unlock would give the
 * lock away. Only the owner changes `state`. Its accesses are relaxed, and signal fences keep the compiler from moving
 * them across the code that they guard. B is in the word from the very step that takes it to the one that frees it, so
 * a write never looks like anything else. abandon frees a write, and nothing else.
 *
 * A thread needs two looks, at the word and at `state`, and a handler may come between them. If the answer is not
 * simply yes, `settle` looks again with signals blocked.
 *
 * exec brings another program, which inherits the TID and the start time of its process's first thread, and with them
 * the word. A lock that is held stays held. But the code that was in a write, or in lock or unlock, is gone. So the
 * word is left behind as by an owner that died, and only this very thread can know it. To all others a live owner has
 * it, and a compare-and-swap by them could meet the same word when the thread has taken it again. It knows by two
 * things:
 *   - `image` beside the word is another program's than its own (identity.h). The thread stores it right after it takes
 *     the word.
 *   - In the instants between, and until `state` says HELD, and while unlock frees the word, identity's `changing` is
 *     above 0. Then a handler takes nothing for left behind.
 * (A handler may come through another copy of the library, just before `image` is stored. This copy's `changing` does
 * not help it, and it takes over from its own thread. So use one copy in a process, or no such handlers.) A longjmp out
 * of these instants leaves `changing` above 0. Then this thread takes nothing for left behind, even if it was, until it
 * opens or attaches a share, which no handler may do.
 */
#include "lock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "clock.h"
#include "futex.h"
#include "pause.h"

enum {
    JUDGE_AGAIN_NS = 50000000, /* a sleeper looks after the owner's life this often */
    SPINS = 100                /* a set is shorter than a system call: give a live owner that long */
};

static const uint32_t *futex_word(const struct lock_line *lock)
{
    const uint32_t *half = (const uint32_t *)(const void *)&lock->owner;

    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? half + 1 : half;
}

/* ---- the word is this thread's ------------------------------------------------------------------ */

enum own {
    NOT_OWN, /* any more */
    HELD,    /* by lock */
    BUSY,    /* this thread is in a write, or taking or giving back */
    LEFT     /* an earlier image left it */
};

static enum own judge_own(const struct lock_line *lock, const struct identity *self)
{
    uint64_t word = lock_word(lock), me = self->owner, state = lock_state(lock);
    bool held = !(word & OWNER_WRITING) && state == (me | STATE_HELD);
    bool nested = !(word & OWNER_WRITING) && state == (me | STATE_HELD | STATE_BUSY);
    /* An earlier library has no B, and says by the state that it is in a write. */
    bool writing = word & OWNER_WRITING || nested || state == (me | STATE_BUSY);
    bool here = self->image == 0 || seqshare_load_relaxed(&lock->image) == self->image; /* as in lock_take */

    if (lock_owner_of(word) != me)
        return NOT_OWN;
    if (held || (nested && !here && self->changing == 0))
        return HELD; /* over exec as well: then the write under it is undone */
    if (self->changing > 0 || (here && writing))
        return BUSY;
    return here ? HELD : LEFT; /* `here`: a longjmp came out of lock or unlock */
}

/* Free the word, if it is still ours. True: somebody may have to be woken. */
static bool free_word(struct lock_line *lock, uint64_t me)
{
    uint64_t word = lock_word(lock); /* ours: only its waiters bit may change */

    while (lock_owner_of(word) == me)
        if (lock_swap_free(lock, &word))
            return word & OWNER_WAITERS;
    return false;
}

/* The lock is free before its wake-up goes out. */
static void give_back(struct lock_line *lock, uint64_t me)
{
    if (free_word(lock, me))
        futex_wake(futex_word(lock), 1);
}

/* Inlined, so that tests/arch finds the fence in one function with the verdict. */
HOT_INLINE bool take_over(struct lock_line *lock, struct identity *self, uint64_t dead, uint64_t want,
                          seqshare_word *by)
{
    /* The dead owner's release: see above. It pairs with the kernel's barriers in exit; without it, the loads
       of the slot and sequence could have been made before the verdict, from before the death. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return lock_take(lock, self, dead, want | (dead & OWNER_WAITERS), by);
}

/* Only WAITERS can come in between, or an enemy. */
static bool retake(struct lock_line *lock, struct identity *self, uint64_t want, seqshare_word *by)
{
    uint64_t word;

    do {
        word = lock_word(lock);
        if (lock_owner_of(word) != self->owner)
            return false;
    } while (!take_over(lock, self, word, want, by));
    return true;
}

/* All signals but those of the processor: if they were blocked, they would kill. */
static void block_signals(sigset_t *before)
{
    static const int reports[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        sigdelset(&all, reports[i]);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

/*
 * What may this thread do with the word that it found to be its own? No handler of this thread comes between the
 * looks. If an earlier image left the word, this sets it right: it is held again, or taken over as `want` (0: it
 * becomes free).
 */
static enum own settle(struct lock_line *lock, struct identity *self, uint64_t want, seqshare_word *by)
{
    sigset_t before;
    enum own own;

    block_signals(&before);
    own = judge_own(lock, self);
    if (own == HELD) {
        seqshare_store_relaxed(&lock->image, self->image); /* as in lock_take */
        lock_store_state(lock, self->owner | STATE_HELD);
    } else if (own == LEFT) {
        lock_store_state(lock, 0);
        if (want == 0)
            give_back(lock, self->owner);
        else if (!retake(lock, self, want, by))
            own = NOT_OWN;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return own;
}

void lock_settle(struct lock_line *lock, struct identity *self)
{
    if (lock_owner_of(lock_word(lock)) != self->owner || seqshare_load_relaxed(&lock->image) == self->image)
        return; /* not this thread's, or of this program: nothing is left behind */
    __atomic_store_n(&self->changing, 0, __ATOMIC_RELAXED); /* whatever longjmp left: this is not a handler */
    settle(lock, self, 0, NULL);
}

/* ---- taking ------------------------------------------------------------------------------------- */

/* The word after it has had a moment to become free or ours. */
static uint64_t spin(const struct lock_line *lock, uint64_t me)
{
    uint64_t word = lock_word(lock);

    for (int i = 0; i < SPINS && word != 0 && lock_owner_of(word) != me; i++) {
        pause_briefly();
        word = lock_word(lock);
    }
    return word;
}

/* Says in the word that somebody waits. False: it has changed. Relaxed: the futex call orders. */
static bool set_waiters(struct lock_line *lock, uint64_t *word)
{
    uint64_t before = *word;

    *word |= OWNER_WAITERS;
    return before == *word || __atomic_compare_exchange_n(&lock->owner, &before, *word, false,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The lock was not free. 0, 1 or an error, as lock_wait. */
static int contend(struct lock_line *lock, struct identity *self, uint64_t want, seqshare_word *by,
                   int64_t ns)
{
    int64_t deadline = ns == 0 ? 0 : clock_after(ns);
    uint64_t word = ns == 0 ? lock_word(lock) : spin(lock, self->owner);

    for (;; word = lock_word(lock)) {
        int64_t left;

        if (word == 0) {
            if (lock_take(lock, self, 0, want, by))
                return 0;
            continue;
        }
        if (lock_owner_of(word) == self->owner) {
            switch (settle(lock, self, want, by)) {
            case NOT_OWN:
                continue;
            case HELD:
                return -EDEADLK;
            case BUSY:
                return -EBUSY;
            case LEFT:
                return 1;
            }
        }
        if (identity_is_dead(word)) {
            if (take_over(lock, self, word, want, by))
                return 1;
            continue;
        }
        if (ns == 0)
            return -ETIMEDOUT;
        if (!set_waiters(lock, &word))
            continue;
        want |= OWNER_WAITERS; /* others may be asleep beside us: whoever wakes keeps WAITERS for them */
        /* Not without WAITERS in the word: we may have used up a wake-up, which this owner must pass on. */
        left = deadline == INT64_MAX ? INT64_MAX : deadline - clock_now();
        if (left <= 0)
            return -ETIMEDOUT;
        futex_wait(futex_word(lock), (uint32_t)word, left < JUDGE_AGAIN_NS ? left : JUDGE_AGAIN_NS);
    }
}

int lock_wait(struct lock_line *lock, struct identity *self, seqshare_word *by, int64_t ns)
{
    return contend(lock, self, self->owner, by, ns);
}

int lock_release(struct lock_line *lock, struct identity *self, seqshare_word *by)
{
    uint64_t me = self->owner;
    unsigned before;
    bool wake;

    for (;;) {
        if (!lock_is_mine(lock, me))
            return -EPERM;
        before = lock_begin_change(self);
        if (lock_is_held(lock, me) && lock_leave_held(lock, me, 0))
            break;
        lock_end_change(self, before);
        switch (settle(lock, self, 0, NULL)) {
        case HELD:
            continue;
        case BUSY:
            return -EBUSY;
        default:
            return -EPERM;
        }
    }
    /* Before the word is free: later, this would undo the note of a handler, or a thread, that takes it then. */
    if (seqshare_load_relaxed(by) == me) /* each thread compares it with its own identity alone */
        seqshare_store_relaxed(by, 0);
    wake = free_word(lock, me);
    lock_end_change(self, before);
    if (wake)
        futex_wake(futex_word(lock), 1);
    return 0;
}

/* ---- one write ---------------------------------------------------------------------------------- */

int lock_enter_or_wait(struct lock_line *lock, struct identity *self)
{
    for (;;) {
        int result;

        if (lock_enter_held(lock, self))
            return 0;
        result = contend(lock, self, self->owner | OWNER_WRITING, NULL, -1);
        if (result != -EDEADLK)
            return result < 0 ? result : 0;
    }
}

void lock_leave_or_wake(struct lock_line *lock, uint64_t me)
{
    if (lock_word(lock) & OWNER_WRITING)
        give_back(lock, me);
    else if (lock_is_entered(lock, me))
        lock_store_state(lock, me | STATE_HELD);
}

bool lock_abandon(struct lock_line *lock, const struct identity *self)
{
    uint64_t me = self->owner;

    if (lock_is_entered(lock, me)) {
        /* Relaxed: only the owner's thread acts on it. */
        seqshare_store_relaxed(&lock->abandoned, lock_abandoned(lock) + 1);
        lock_leave(lock, me);
        return true;
    }
    /*
     * lock or unlock is under way. If a longjmp has left it, unlock must find a lock that it can give back. If we are
     * in a handler, and they go on, lock does this next anyway, and unlock does not look at it again.
     */
    if (lock_is_held(lock, me)) {
        seqshare_store_relaxed(&lock->image, self->image); /* as in lock_take */
        lock_store_state(lock, me | STATE_HELD);
    }
    return false;
}
