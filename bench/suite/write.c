/* SPDX-License-Identifier: MIT */
/*
 * What a write costs: alone, one after the other; and while others sleep until there is news, with a pause
 * after each, so that they do sleep, which the writer spends awake.
 */
#include "batch.h"
#include "question.h"
#include "samples.h"

#include <errno.h>

#include "../numbers.h"
#include "../process.h"

enum { LASTS = 50 * MILLISECOND, LASTS_WITH_WAITERS = 150 * MILLISECOND, PAUSE = 300 * 1000, ROOM = 4096 };

static int batch_writes(struct role *role, size_t times)
{
    int (*const write)(void *, const void *, size_t) = role->contender->write;
    int error = 0;

    if (role->contender->write_times)
        return role->contender->write_times(role->handle, role->buffer, role->size, times);
    for (size_t i = 0; i < times && error == 0; i++)
        error = write(role->handle, role->buffer, role->size);
    return error;
}

static int writes(struct role *role)
{
    return batch_measure(role, batch_writes);
}

static int write_with_pauses(struct role *role, struct samples *samples)
{
    const int64_t cost = clock_cost();
    int error = 0;

    do { /* once at least, however late it was let begin */
        int64_t until = clock_now() + PAUSE, before;

        while (clock_now() < until)
            ;
        before = clock_now();
        error = batch_writes(role, 1);
        samples_add(samples, clock_now() - before - cost);
    } while (error == 0 && role_goes_on(role) && !samples_full(samples));
    return error ? error : batch_writes(role, 1); /* whoever sleeps wakes up, and sees that it is over */
}

static int writes_to_waiters(struct role *role)
{
    struct samples samples;
    int error = samples_make(&samples, ROOM);

    if (error == 0)
        error = write_with_pauses(role, &samples);
    samples_sort(&samples);
    role->scene->answer->ns = percentile(samples.ns, samples.count, 0.5);
    samples_free(&samples);
    return error;
}

static int waits(struct role *role)
{
    int error = 0;

    while (role_goes_on(role) && (error == 0 || error == -ETIMEDOUT))
        error = role->contender->await(role->handle, SECOND);
    return error == -ETIMEDOUT ? 0 : error;
}

static int ask_alone(struct scene *scene)
{
    return scene_play(scene, writes, 0, NULL, LASTS);
}

/*
 * The waiters stay away from the writer's processor, if there is another. They may write: so they are woken.
 */
static int ask_with_waiters(struct scene *scene)
{
    const unsigned others = processor_count() > 1 ? processor_count() - 1 : 1;
    int stopped, error = scene_begin(scene, scene->number);

    if (error != 0)
        return error;
    error = scene_enter(scene, 0, CONTENDER_WRITER, writes_to_waiters);
    for (unsigned i = 1; i <= scene->number && error == 0; i++) {
        scene->role[i].processor = 1 + (i - 1) % others;
        error = scene_enter(scene, i, CONTENDER_WRITER, waits);
    }
    scene_go(scene);
    if (error == 0)
        clock_sleep(LASTS_WITH_WAITERS);
    stopped = scene_stop(scene);
    return error ? error : stopped;
}

static void rows(const struct contender *contender, size_t size)
{
    static const unsigned waiters[] = {1, 8};
    struct row row = {.contender = contender, .ask = ask_alone, .bytes = size};

    row_add(&row, "write", "/bytes:%zu/waiters:0", size);
    for (size_t i = 0; contender->await && i < sizeof waiters / sizeof waiters[0]; i++) {
        row.ask = ask_with_waiters;
        row.number = waiters[i];
        row_add(&row, "write", "/bytes:%zu/waiters:%u", size, waiters[i]);
    }
}

const struct question question_write = {
    .loops = true,
    .sizes = {64, 1 << 10, 4 << 10, 64 << 10},
    .quick_sizes = {64, 4 << 10},
    .rows = rows,
};
