/* SPDX-License-Identifier: MIT */
/*
 * The writer lock among threads. It protects plain memory: the sanitizer
 * sees whether it is protected.
 *
 * Shows: WRITE-1.
 */
#include "threads.h"

#include <sched.h>

enum { ROUNDS = 4000, THREADS = 4 };

static struct {
    seqshare *share;
    uint64_t plain; /* touched under the lock only */
    bool several_handles;
} scene;

/*
 * Plain accesses on one handle. Through another mapping the lock lies at another address, which the sanitizer
 * takes for another lock: there the accesses have to be atomic, and only their values can be checked.
 */
static uint64_t plain_plus(uint64_t more)
{
    if (scene.several_handles)
        return __atomic_add_fetch(&scene.plain, more, __ATOMIC_RELAXED);
    if (more > 0) /* not even the same value is stored without need */
        scene.plain += more;
    return scene.plain;
}

static int take(seqshare *share, int round)
{
    int result;

    switch (round % 3) {
    case 0:
        return seqshare_lock(share);
    case 1:
        while ((result = seqshare_trylock(share)) == -EBUSY)
            sched_yield();
        return result;
    default:
        while ((result = seqshare_lock_for(share, 1000000)) == -ETIMEDOUT)
            ;
        return result;
    }
}

static void *count_up(void *context)
{
    seqshare *share = scene.several_handles ? another_handle(scene.share, SEQSHARE_WRITE) : scene.share;

    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t count = 0;

        equals(take(share, i), 0);
        equals(seqshare_trylock(share), -EDEADLK);
        equals(seqshare_get(share, &count, sizeof count, NULL), 8);
        equals(plain_plus(0), (long long)count);
        count = plain_plus(1);
        equals(seqshare_set(share, &count, sizeof count), 0);
        equals(seqshare_unlock(share), 0);
    }
    if (share != scene.share)
        seqshare_close(share);
    return NULL;
}

/* The same protection between fill and publish, without lock(). */
static void *fill_up(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        void *slot;

        equals(seqshare_fill(scene.share, 8, &slot), 0);
        store_word(slot, plain_plus(1));
        equals(seqshare_publish(scene.share, 8), 0);
    }
    return NULL;
}

/* And set_if alone: a thread that has read a version and replaces it knows that nobody came between. */
static void *set_if_up(void *context)
{
    (void)context;
    for (int done = 0; done < ROUNDS;) {
        uint64_t count = 0, version = 0;
        int error;

        equals(seqshare_get(scene.share, &count, sizeof count, &version), 8);
        count++;
        error = seqshare_set_if(scene.share, &version, &count, sizeof count);
        check(error == 0 || error == -ESTALE);
        done += error == 0;
    }
    return NULL;
}

static void *cannot_unlock(void *context)
{
    (void)context;
    equals(seqshare_unlock(scene.share), -EPERM);
    equals(seqshare_trylock(scene.share), -EBUSY);
    return NULL;
}

static void run(void *(*body)(void *), bool several_handles)
{
    struct team team = {.size = 0};
    uint64_t count = 0;

    scene.plain = 0;
    scene.several_handles = several_handles;
    equals(seqshare_new(&scene.share, sizeof count), 0);
    equals(seqshare_set(scene.share, &count, sizeof count), 0);
    for (int i = 0; i < THREADS; i++)
        team_add(&team, body, NULL);
    team_join(&team);
    equals(seqshare_get(scene.share, &count, sizeof count, NULL), 8);
    equals(count, THREADS * ROUNDS);
    equals(seqshare_version(scene.share), THREADS * ROUNDS + 1);

    equals(seqshare_lock(scene.share), 0);
    team_add(&team, cannot_unlock, NULL);
    team_join(&team);
    equals(seqshare_unlock(scene.share), 0);
    seqshare_close(scene.share);
}

int main(void)
{
    alarm(SECONDS_TO_HANG);
    run(count_up, false);
    run(count_up, true);
    run(fill_up, false);
    run(set_if_up, false);
    return 0;
}
