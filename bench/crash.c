/* SPDX-License-Identifier: MIT */
/* Kills workers and publishers at random moments, and counts who goes on. */
#include "crash.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "clock.h"
#include "crew.h"
#include "numbers.h"
#include "process.h"

struct scene {
    struct crew crew;
    struct crash *crash;
    void *handle; /* the driver's own, to ask who holds the lock; NULL: not needed */
    int64_t patience;
    uint64_t dice;
    double takeover[CRASH_KILLS];
};

static uint64_t roll(struct scene *scene, uint64_t sides)
{
    scene->dice = scene->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (scene->dice >> 33) % sides;
}

/* A moment that has nothing to do with what the others are doing: a few milliseconds, to the nanosecond. */
static void random_moment(struct scene *scene)
{
    int64_t until = clock_now() + MILLISECOND + (int64_t)roll(scene, 8 * MILLISECOND);

    clock_sleep_until(until - MILLISECOND / 10);
    while (clock_now() < until)
        ;
}

/* How many of the workers but `except` have not read again when the patience is over. */
static unsigned count_hanging(struct scene *scene, unsigned except, int64_t since)
{
    const struct control *control = scene->crew.stage.control;
    uint64_t *before = calloc(control->workers, sizeof *before);
    unsigned hanging = control->workers;

    for (unsigned i = 0; before && i < control->workers; i++)
        before[i] = atomic_load(&control->worker[i].reads);
    while (before && hanging > 0 && clock_now() - since < scene->patience && !interrupted()) {
        clock_sleep(MILLISECOND / 5);
        hanging = 0;
        for (unsigned i = 0; i < control->workers; i++)
            hanging += i != except && atomic_load(&control->worker[i].reads) == before[i];
    }
    if (hanging == 0 && (double)(clock_now() - since) > scene->crash->pause_max)
        scene->crash->pause_max = (double)(clock_now() - since);
    free(before);
    return hanging;
}

/*
 * Somebody hangs. The others may yet run into the same lock: count again after another moment, without the
 * worker that was killed and not replaced.
 */
static void count_again(struct scene *scene)
{
    const struct crew *crew = &scene->crew;
    const struct control *control = crew->stage.control;
    uint64_t *before = calloc(control->workers, sizeof *before);

    for (unsigned i = 0; before && i < control->workers; i++)
        before[i] = atomic_load(&control->worker[i].reads);
    clock_sleep(scene->patience / 2);
    scene->crash->readers_hanging = 0;
    for (unsigned i = 0; before && i < control->workers; i++)
        scene->crash->readers_hanging +=
            crew->worker[i] > 0 && atomic_load(&control->worker[i].reads) == before[i];
    free(before);
}

static bool wait_for(struct scene *scene, const _Atomic uint64_t *word, uint64_t other_than)
{
    int64_t deadline = clock_now() + scene->patience;

    while (atomic_load(word) == other_than && clock_now() < deadline && !interrupted())
        clock_sleep(MILLISECOND / 10);
    return atomic_load(word) != other_than;
}

/* Kill a worker; the others and the publisher must go on; fork another: it must see the newest value. */
static bool lose_worker(struct scene *scene)
{
    struct crew *crew = &scene->crew;
    struct crash *crash = scene->crash;
    struct publisher_log *publisher = &crew->stage.control->publisher;
    unsigned victim = (unsigned)roll(scene, crew->stage.control->workers);
    uint64_t newest;
    int64_t since = clock_now();

    process_kill(&crew->worker[victim]);
    crash->workers_killed++;
    crash->readers_hanging = count_hanging(scene, victim, since);
    crash->publisher_hangs = !wait_for(scene, &publisher->completed, atomic_load(&publisher->completed));
    if (crash->readers_hanging > 0 || crash->publisher_hangs)
        return false;
    newest = atomic_load(&publisher->completed);
    crew->worker[victim] = worker_start(&crew->stage, victim);
    if (crew->worker[victim] < 0) {
        crash->error = crew->worker[victim];
        return false;
    }
    crash->respawned++;
    if (!wait_for(scene, &crew->stage.control->worker[victim].first_version, 0)) {
        crash->readers_hanging = 1;
        return false;
    }
    crash->saw_newest += atomic_load(&crew->stage.control->worker[victim].first_version) >= newest;
    return true;
}

/* Kill the publisher; the workers must read on; a new one must take over at once. */
static bool lose_publisher(struct scene *scene)
{
    struct crew *crew = &scene->crew;
    struct crash *crash = scene->crash;
    struct publisher_log *log = &crew->stage.control->publisher;
    bool inside = atomic_load(&log->writing);
    int64_t since = clock_now();

    process_kill(&crew->publisher);
    crash->inside_write += inside;
    if (scene->handle && crew->stage.contender->held_by_dead(scene->handle))
        crash->lock_left_held++;
    crash->readers_hanging = count_hanging(scene, UINT32_MAX, since);
    crew->publisher = publisher_start(&crew->stage);
    if (crew->publisher < 0) {
        crash->error = crew->publisher;
        return false;
    }
    crash->publisher_hangs = !wait_for(scene, &log->first_write_ns, 0);
    if (!crash->publisher_hangs)
        scene->takeover[crash->publishers_killed] = (double)atomic_load(&log->first_write_ns);
    crash->publishers_killed++;
    return !crash->publisher_hangs && crash->readers_hanging == 0;
}

static void play(struct scene *scene)
{
    bool going = true;

    crew_go(&scene->crew);
    for (unsigned i = 0; i < 2 * CRASH_KILLS && going && !interrupted(); i++) {
        random_moment(scene);
        going = i % 2 ? lose_publisher(scene) : lose_worker(scene);
        if (crew_error(&scene->crew) != 0)
            going = false;
    }
    if (going)
        scene->crash->publisher_hangs = !interrupted() && !crew_stop(&scene->crew);
    else if (scene->crash->error == 0 && crew_error(&scene->crew) == 0 && !interrupted())
        count_again(scene);
}

static void judge(const struct scene *scene)
{
    struct crash *crash = scene->crash;
    unsigned measured = crash->publishers_killed - (crash->publisher_hangs && crash->publishers_killed > 0);
    double takeover[CRASH_KILLS];

    for (unsigned i = 0; i < measured; i++) {
        takeover[i] = scene->takeover[i];
        if (takeover[i] > crash->takeover_max)
            crash->takeover_max = takeover[i];
    }
    crash->takeover_p50 = median(takeover, measured);
    crash->torn = (double)crew_torn(&scene->crew);
    crash->backwards = (double)crew_backwards(&scene->crew);
    if (crash->error == 0)
        crash->error = crew_error(&scene->crew);
}

bool crash_hangs(const struct crash *crash)
{
    return crash->readers_hanging > 0 || crash->publisher_hangs;
}

void crash_run(const struct stage *plan, unsigned workers, struct crash *crash)
{
    struct scene scene = {.crew.stage = *plan, .crash = crash, .dice = (uint64_t)clock_now()};
    const struct contender *contender = plan->contender;
    bool can_hang = contender->cannot_help & CONTENDER_CAN_HANG;

    *crash = (struct crash){.error = 0};
    scene.crew.stage.pausing = false;
    scene.patience = can_hang ? SECOND : CREW_PATIENCE;
    crash->error = crew_begin(&scene.crew, workers);
    if (crash->error == 0) {
        scene.crew.stage.control->check_whole_every = 1;
        if (contender->held_by_dead)
            crash->error = contender->attach(scene.crew.stage.store, CONTENDER_WRITER, &scene.handle);
        if (crash->error == 0)
            play(&scene);
        judge(&scene);
        if (scene.handle)
            contender->detach(scene.handle);
    }
    crew_end(&scene.crew);
    crash->runs = 1;
    crash->runs_hung = crash_hangs(crash);
}
