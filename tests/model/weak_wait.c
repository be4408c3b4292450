/* SPDX-License-Identifier: MIT */
/*
 * The shipping src/wait.c under a weak memory model, for GenMC: sleepers that wait for a version,
 * publishers that publish one each. With RETIRE=1 the region is marked as replaced in the end, and the last
 * sleeper has it read-only: it cannot register. The kernel is played by three lines: FUTEX_WAIT compares
 * under a lock, so behind a full barrier, and who finds the word as it was sleeps until somebody changes it
 * and wakes all.
 *
 * Checked: nobody is left asleep, and nobody takes the mark for an answer when there is another version. Who
 * sleeps on a word that in the end still is the same has lost its wake-up, whatever was published or marked.
 *
 * Shows: WAIT-1, WAIT-2.
 */
#include <assert.h>
#include <genmc.h>
#include <pthread.h>

#include "layout.h"

/* In the place of region.h: all that wait.c uses of it. A region that is writable stays so. */
#define SEQSHARE_REGION_H
struct region {
    struct layout *map;
    bool writable;
};

static uint32_t *region_enter_wake(struct region *region)
{
    return region->writable ? &region->map->wake : NULL;
}

static void region_leave_wake(struct region *region)
{
    (void)region;
}

#include "wait.c"

#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef RETIRE
#define RETIRE 0
#endif

enum { SLEEPERS = 2 };

static struct layout layout;
static struct region writable = {&layout, true}, read_only = {&layout, false};
static uint32_t locked; /* the writer lock, as small as can be */
static _Thread_local uint32_t slept_on, sleeping;

int64_t clock_now(void)
{
    return 0;
}

int64_t clock_after(int64_t ns)
{
    return ns;
}

int futex_wait(const uint32_t *word, uint32_t value, int64_t ns)
{
    (void)ns;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
        return -EAGAIN;
    slept_on = value;
    sleeping = 1;
    return -EINTR; /* ends the wait: what became of the sleep is looked at in the end */
}

void futex_wake(const uint32_t *word, int32_t sleepers)
{
    (void)word;
    (void)sleepers;
}

static void sleep_through(struct region *region, uint64_t *result)
{
    int error = wait_for_version(region, 0, NULL, -1);

    assert(error != -EIDRM || PUBLISHERS == 0);
    *result = (uint64_t)sleeping << 32 | slept_on;
}

static void *sleeper(void *result)
{
    sleep_through(&writable, result);
    return NULL;
}

static void *onlooker(void *result)
{
    sleep_through(&read_only, result);
    return NULL;
}

static void lock(void)
{
    uint32_t open = 0;

    __VERIFIER_assume(
        __atomic_compare_exchange_n(&locked, &open, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

static void unlock(void)
{
    __atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
}

static void *publisher(void *unused)
{
    lock();
    seqshare_write_publish(&layout.head, seqshare_write_begin(&layout.head));
    unlock();
    wake_registered(&layout.wake);
    return unused;
}

/* Nothing is published behind the mark: that is as in region_retire, and in the place where replace has it. */
static void *retire(void *unused)
{
    lock();
    __VERIFIER_assume(seqshare_write_current(&layout.head) == PUBLISHERS);
    __atomic_fetch_or(&layout.head.retired, SEQSHARE_REPLACED, __ATOMIC_RELEASE);
    wake_everybody(&layout.wake);
    unlock();
    return unused;
}

int main(void)
{
    pthread_t thread[SLEEPERS + PUBLISHERS + RETIRE];
    uint64_t slept[SLEEPERS] = {0};

    for (int n = 0; n < SLEEPERS; n++)
        pthread_create(&thread[n], NULL, RETIRE && n == SLEEPERS - 1 ? onlooker : sleeper, &slept[n]);
    for (int n = 0; n < PUBLISHERS; n++)
        pthread_create(&thread[SLEEPERS + n], NULL, publisher, NULL);
    if (RETIRE)
        pthread_create(&thread[SLEEPERS + PUBLISHERS], NULL, retire, NULL);
    for (int n = 0; n < SLEEPERS + PUBLISHERS + RETIRE; n++)
        pthread_join(thread[n], NULL);

    for (int n = 0; n < SLEEPERS; n++)
        if (slept[n] >> 32)
            assert((uint32_t)slept[n] != __atomic_load_n(&layout.wake, __ATOMIC_RELAXED));
    return 0;
}
