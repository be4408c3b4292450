/* SPDX-License-Identifier: MIT */
/*
 * The shipping src/wake.c under a weak memory model, for GenMC: sleepers that wait for a version,
 * publishers that publish one each. READ_ONLY of the sleepers cannot register: for these the first version is the
 * first of its tick, and the others are not. With RETIRE=1 the region is marked as replaced in the end.
 *
 * The kernel's queue is a number that counts the calls of FUTEX_WAKE. FUTEX_WAIT puts itself into the queue by
 * reading that number, and then compares. A sleeper is asleep in the end if nobody has called FUTEX_WAKE since.
 *
 * Checked: nobody is left asleep, and nobody takes the mark for an answer when there is another version.
 *
 * Shows: WAIT-1, WAIT-2.
 */
#include <assert.h>
#include <genmc.h>
#include <pthread.h>

#include "layout.h"

/* In the place of region.h: all that wake.c uses of it. A region that is writable stays so. */
#define SEQSHARE_REGION_H
struct region {
    struct layout *map;
    struct header header;
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

/* In the place of clock.h: no time goes by. */
#define SEQSHARE_CLOCK_H
static int64_t clock_now(void)
{
    return 0;
}

static int64_t clock_after(int64_t ns)
{
    return ns;
}

static uint64_t clock_date(void)
{
    return 0;
}

#include "wake.c"

#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef RETIRE
#define RETIRE 0
#endif
#ifndef READ_ONLY
#define READ_ONLY 0
#endif

static struct layout layout;
static struct region writable = {&layout, {.slots = 2}, true}, read_only = {&layout, {.slots = 2}, false};
static uint32_t locked; /* the writer lock, as small as can be */
static uint32_t wakes;  /* the kernel's queue */
static _Thread_local uint32_t slept_since, sleeping;

int futex_wait(const uint32_t *word, uint32_t value, int64_t ns)
{
    (void)ns;
    slept_since = __atomic_load_n(&wakes, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
        return -EAGAIN;
    sleeping = 1;
    return -EINTR; /* ends the wait: what became of the sleep is looked at in the end */
}

void futex_wake(const uint32_t *word, int32_t sleepers)
{
    (void)word;
    (void)sleepers;
    __atomic_fetch_add(&wakes, 1, __ATOMIC_RELEASE);
}

static void sleep_through(struct region *region, uint64_t *result)
{
    int error = wake_await(region, 0, NULL, -1);

    assert(error != -EIDRM || PUBLISHERS == 0);
    *result = (uint64_t)sleeping << 32 | slept_since;
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
    uint64_t version;

    lock();
    version = seqshare_write_begin(&layout.head);
    seqshare_write_publish(&layout.head, version);
    unlock();
    wake_sleepers(&layout.wake, READ_ONLY > 0 && version == 1);
    return unused;
}

/* Nothing is published behind the mark: that is as in region_retire, and in the place where replace has it. */
static void *retire(void *unused)
{
    lock();
    __VERIFIER_assume(seqshare_write_current(&layout.head) == PUBLISHERS);
    __atomic_fetch_or(&layout.head.retired, SEQSHARE_REPLACED, __ATOMIC_RELEASE);
    wake_sleepers(&layout.wake, true);
    unlock();
    return unused;
}

int main(void)
{
    pthread_t thread[SLEEPERS + PUBLISHERS + RETIRE];
    uint64_t slept[SLEEPERS] = {0};

    for (int n = 0; n < SLEEPERS; n++)
        pthread_create(&thread[n], NULL, n < SLEEPERS - READ_ONLY ? sleeper : onlooker, &slept[n]);
    for (int n = 0; n < PUBLISHERS; n++)
        pthread_create(&thread[SLEEPERS + n], NULL, publisher, NULL);
    if (RETIRE)
        pthread_create(&thread[SLEEPERS + PUBLISHERS], NULL, retire, NULL);
    for (int n = 0; n < SLEEPERS + PUBLISHERS + RETIRE; n++)
        pthread_join(thread[n], NULL);

    for (int n = 0; n < SLEEPERS; n++)
        if (slept[n] >> 32)
            assert((uint32_t)slept[n] != __atomic_load_n(&wakes, __ATOMIC_RELAXED));
    return 0;
}
