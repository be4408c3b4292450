/* SPDX-License-Identifier: MIT */
/*
 * One futex word: bit 0 says that a sleeper wants to be woken, the other bits count wake-ups.
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
 * A sleeper whose mapping is read-only cannot set the bit, and a system call at each publication would cost ten
 * times as much as the publication. So there are two more rules:
 *
 *   - A publication that is the first of its tick (its date and that of the version before lie in different
 *     ticks, see clock.h) wakes all, whether or not the bit is set, and counts. The publisher compares the dates
 *     while it owns the lock. Later, the version after it may have taken the place of the date before it; two
 *     publishers could then each take the other for the first, and nobody would wake.
 *   - A sleeper that cannot register sleeps no longer than the version that it has seen is old; at least
 *     SHORTEST, at most LONGEST. A version that wakes nobody follows another one in the same tick. A sleeper
 *     that has seen that one sleeps for a moment only, and the longer, the longer nothing comes.
 *
 * If the compare-and-swap of a publisher that wakes all fails, the word has changed, by another publisher or by a
 * sleeper that registers. That is as good as a count for those who are about to sleep. But it has woken nobody
 * yet, so this publisher makes the system call all the same.
 *
 * A lost wake-up costs time only. A publisher may be killed between publishing and waking: so every sleep is
 * bounded, and nothing depends on a wake-up. A sleeper that is killed leaves its bit behind: one wake-up for nobody.
 */
#include "wake.h"

#include <errno.h>
#include <stddef.h>

#include "clock.h"
#include "futex.h"

/* How long a thread sleeps at most without looking; and at least, if the version has just come. */
enum { LONGEST_NS = 500000000, SHORTEST_NS = 4000000 };

/* How old this version is. An enemy may have written its date: one in the future counts as long ago. */
static int64_t age(const struct region *region, uint64_t version)
{
    unsigned slot = seqshare_slot_of(version, region->header.slots - 1);
    /* Relaxed: ordered by R1 in find_news(); the date of a later version instead only makes the sleep another. */
    uint64_t ns = clock_date() - seqshare_load_relaxed(&region->map->note[slot].published);

    return ns > LONGEST_NS ? LONGEST_NS : ns < SHORTEST_NS ? SHORTEST_NS : (int64_t)ns;
}

/* The word to sleep on, with bit 0 set by us if we may. `bound`: how long to sleep at most. */
static uint32_t register_sleeper(struct region *region, uint64_t seen, int64_t *bound)
{
    uint32_t *wake = region_enter_wake(region);
    uint32_t word;

    if (wake)
        word = __atomic_fetch_or(wake, 1, __ATOMIC_RELAXED) | 1; /* ordered by D1 */
    else
        word = __atomic_load_n(&region->map->wake, __ATOMIC_RELAXED); /* the same */
    *bound = wake ? LONGEST_NS : age(region, seen);
    region_leave_wake(region);
    return word;
}

/* 0: another version than `seen`; -EIDRM: replaced, and no other; -ETIMEDOUT: other marks; -EAGAIN: neither. */
static int find_news(const struct seqshare_head *head, uint64_t seen, const uint32_t *known)
{
    /* Acquire: pairs with region_retire. The mark is loaded first. Nothing is published after it, so all that was
     * published before it is seen below. */
    uint32_t marks = __atomic_load_n(&head->retired, __ATOMIC_ACQUIRE);

    if (seqshare_read_begin(head) != seen)
        return 0;
    if (marks & SEQSHARE_REPLACED)
        return -EIDRM;
    /* Relaxed: the caller's own, which other threads that wait may change. */
    return known && marks != __atomic_load_n(known, __ATOMIC_RELAXED) ? -ETIMEDOUT : -EAGAIN;
}

int wake_await(struct region *region, uint64_t seen, const uint32_t *marks, int64_t ns)
{
    const struct seqshare_head *head = &region->map->head;
    int64_t deadline = ns > 0 ? clock_after(ns) : 0;
    /* A caller that need not sleep does not register: that would cost a publisher a wake-up. */
    int result = find_news(head, seen, marks);

    while (result == -EAGAIN && ns != 0) {
        int64_t left, bound;
        uint32_t word = register_sleeper(region, seen, &bound);

        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* [D1] pairs with D2 */
        result = find_news(head, seen, marks);
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

void wake_counted(uint32_t *wake, uint32_t word, bool all)
{
    /* If it fails, another publisher has changed the count, or, with the bit clear, a sleeper has registered.
     * Relaxed: the futex call orders. */
    bool counted =
        __atomic_compare_exchange_n(wake, &word, (word | 1) + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);

    if (counted || all) /* otherwise that other publisher wakes */
        futex_wake(wake, FUTEX_WAKE_ALL);
}

void wake_sleepers(uint32_t *wake, bool all)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* [D2] pairs with D1 */
    wake_sleepers_fenced(wake, all);
}
