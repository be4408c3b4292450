/* SPDX-License-Identifier: MIT */
/*
 * One futex word: bit 0 says that somebody who sleeps wants to be woken, the other bits count wake-ups.
 *
 *      sleeper                                      publisher
 *      w = wake |= 1                                publish (sequence, or retired mark)
 *      fence seq_cst                     [D1]       fence seq_cst                     [D2]
 *      version moved? marked? then done             w = wake; bit 0 clear: done, no system call
 *      FUTEX_WAIT while wake == w                   wake: w -> w + 1, which clears bit 0; FUTEX_WAKE all
 *
 * D1 and D2 are a Dekker pair: at least one side sees the other's store, so either the sleeper finds the new
 * version or the publisher finds the bit. A sleeper between its look and FUTEX_WAIT finds the word changed.
 * With either fence missing or weaker, both may read the old value, and a wake-up is lost.
 *
 * That costs time only. A publisher may be killed between publishing and waking, and a reader with a
 * read-only mapping can sleep but not register: so every sleep is bounded, and nothing rests on a wake-up
 * arriving. A sleeper that is killed leaves its bit behind: one wake-up for nobody.
 */
#include "wait.h"

#include <errno.h>
#include <stddef.h>

#include "futex.h"

enum {
    UNREGISTERED_NS = 50000000, /* how late a read-only reader may notice */
    REGISTERED_NS = 500000000   /* how late anybody may, after a publisher killed before its wake-up */
};

/* The word to sleep on, with bit 0 set by us if we may. `bound`: how long to sleep at most. */
static uint32_t register_sleeper(struct region *region, int64_t *bound)
{
    uint32_t *wake = region_enter_wake(region);
    uint32_t word;

    if (wake)
        word = __atomic_fetch_or(wake, 1, __ATOMIC_RELAXED) | 1; /* ordered by D1 */
    else
        word = __atomic_load_n(&region->map->wake, __ATOMIC_RELAXED); /* may sleep through; is bounded */
    *bound = wake ? REGISTERED_NS : UNREGISTERED_NS;
    region_leave_wake(region);
    return word;
}

/* 0: another version than `seen`; -EIDRM: replaced, and no other; -ETIMEDOUT: other marks; -EAGAIN: neither. */
static int look(const struct seqshare_head *head, uint64_t seen, const uint32_t *known)
{
    /* Acquire: pairs with region_retire. The mark first, for nothing is published after
     * it: what was, is then seen. */
    uint32_t marks = __atomic_load_n(&head->retired, __ATOMIC_ACQUIRE);

    if (seqshare_read_begin(head) != seen)
        return 0;
    if (marks & SEQSHARE_REPLACED)
        return -EIDRM;
    /* Relaxed: the caller's own, which other threads that wait may change. */
    return known && marks != __atomic_load_n(known, __ATOMIC_RELAXED) ? -ETIMEDOUT : -EAGAIN;
}

int wait_for_version(struct region *region, uint64_t seen, const uint32_t *marks, int64_t ns)
{
    const struct seqshare_head *head = &region->map->head;
    int64_t deadline = ns > 0 ? clock_after(ns) : 0;
    /* Who need not sleep does not register: that would cost a publisher a wake-up. */
    int result = look(head, seen, marks);

    while (result == -EAGAIN && ns != 0) {
        int64_t left, bound;
        uint32_t word = register_sleeper(region, &bound);

        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* [D1] pairs with D2 */
        result = look(head, seen, marks);
        if (result != -EAGAIN)
            break;
        left = ns < 0 ? bound : deadline - clock_now();
        if (left <= 0)
            return -ETIMEDOUT;
        if (futex_wait(&region->map->wake, word, left < bound ? left : bound) == -EINTR)
            return -EINTR;
    }
    return result == -EAGAIN ? -ETIMEDOUT : result;
}

void wake_sleepers(uint32_t *wake, uint32_t word)
{
    /* Who fails met another publisher's count: that one wakes. Relaxed: the futex call orders. */
    if (__atomic_compare_exchange_n(wake, &word, (word | 1) + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        futex_wake(wake, FUTEX_WAKE_ALL);
}

void wake_registered(uint32_t *wake)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* [D2] pairs with D1 */
    wake_registered_fenced(wake);
}

void wake_everybody(uint32_t *wake)
{
    uint32_t word;

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* [D2] as above */
    word = __atomic_load_n(wake, __ATOMIC_RELAXED);
    /* Relaxed, and may fail, as in wake_sleepers. */
    __atomic_compare_exchange_n(wake, &word, (word | 1) + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    futex_wake(wake, FUTEX_WAKE_ALL);
}
