/* SPDX-License-Identifier: MIT */
/*
 * A batch of calls is so long that the look at the clock does not count, although the first call takes far longer than
 * the others, or the thread is held up just when the length of a batch is sought. The clock is the test's own.
 *
 * Shows: no promise, but that the suite's figures are what calls cost.
 */
#include <time.h>

#include "../../bench/suite/batch.h"
#include "threads.h"

enum { CALL = 10, LOOK = 22, HELD_UP = 50 * 1000, BATCHES_MEASURED = 100 };

static struct {
    int64_t time;
    unsigned loops, slow_loop; /* which of them is held up, from 1 */
} world;

static struct shared shared;

/* In place of libc's: each look takes its time. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    world.time += LOOK;
    *now = (struct timespec){world.time / 1000000000, world.time % 1000000000};
    return 0;
}

static int call(struct role *role, size_t times)
{
    world.time += (int64_t)times * CALL;
    if (++world.loops == world.slow_loop)
        world.time += HELD_UP;
    atomic_store(&role->scene->shared->stop, world.loops >= BATCHES_MEASURED);
    return 0;
}

/* What the suite says that a call costs. */
static double cost(unsigned slow_loop)
{
    static unsigned char buffer[BUFFER_PLACES * BUFFER_PLACES_APART];
    struct suite_answer answer = {.ns = 0};
    struct scene scene = {.shared = &shared, .answer = &answer};
    struct role role = {.scene = &scene, .buffer = buffer};

    world.time = 0;
    world.loops = 0;
    world.slow_loop = slow_loop;
    equals(batch_measure(&role, call), 0);
    return answer.ns;
}

static void is_a_calls(double ns)
{
    check(ns >= CALL && ns < CALL + 0.1);
}

/* Fails with: the first batch that takes long is long enough; 32 ns after a slow first call. */
int main(void)
{
    is_a_calls(cost(0));
    for (unsigned slow_loop = 1; slow_loop <= 10; slow_loop++)
        is_a_calls(cost(slow_loop));
    return 0;
}
