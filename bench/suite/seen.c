/* SPDX-License-Identifier: MIT */
/*
 * Two questions. From the beginning of a publication until every reader has it, or a newer one: "seen" with
 * readers that look all the time, "woken" with readers that sleep until there is news. For those,
 * publications are 10 to 20 ms apart, at random: all readers do fall asleep, and none wakes in step with them.
 */
#include "question.h"
#include "samples.h"

#include <errno.h>
#include <sys/resource.h>

#include "../numbers.h"
#include "../process.h"

enum {
    PUBLICATIONS = 1024,
    FIRST = 2, /* version that is published while all play */
    APART = 300 * 1000,
    LASTS = 150 * MILLISECOND,
    APART_ASLEEP = 10 * MILLISECOND,
    LASTS_ASLEEP = 800 * MILLISECOND
};

/* By version; 0: has not happened. */
struct sightings {
    int64_t pause; /* ns, at least, between two publications; at most twice as long */
    int64_t began[PUBLICATIONS];
    _Atomic int64_t at[][PUBLICATIONS]; /* of each role */
};

static int writes(struct role *role)
{
    struct sightings *sightings = role->scene->extra;
    int error = 0;

    while (error == 0 && role_goes_on(role) && role->version + 1 < PUBLICATIONS) {
        clock_sleep(sightings->pause + clock_now() % sightings->pause); /* in step with nobody */
        sightings->began[role->version + 1] = clock_now();
        error = role_write(role);
    }
    return error ? error : role_write(role); /* whoever sleeps wakes up, and sees that it is over */
}

static int look(struct role *role)
{
    struct sightings *sightings = role->scene->extra;
    uint64_t known = role->version;
    int error = role_check(role, role->contender->read(role->handle, role->buffer, role->size));

    if (role->version != known) {
        int64_t now = clock_now();

        while (++known <= role->version && known < PUBLICATIONS)
            atomic_store_explicit(&sightings->at[role->number][known], now, memory_order_relaxed);
    }
    return error;
}

static int polls(struct role *role)
{
    int error = 0;

    while (error == 0 && role_goes_on(role))
        error = look(role);
    return error;
}

/* How often it has slept: once a publication is as seldom as can be. */
static uint64_t sleeps_so_far(void)
{
    struct rusage used;

    return getrusage(RUSAGE_THREAD, &used) == 0 ? (uint64_t)used.ru_nvcsw : 0;
}

static int waits(struct role *role)
{
    const uint64_t before = sleeps_so_far();
    int error = 0;

    while (error == 0 && role_goes_on(role)) {
        error = role->contender->await(role->handle, SECOND);
        if (error == 0)
            error = look(role);
        else if (error == -ETIMEDOUT)
            error = 0;
    }
    atomic_store(&role->log->done, sleeps_so_far() - before);
    return error;
}

/* When the last of them had it; 0: one has not. */
static int64_t seen_by_all(const struct sightings *sightings, unsigned readers, size_t version)
{
    int64_t last = 0;

    for (unsigned i = 1; i <= readers; i++) {
        int64_t at = atomic_load(&sightings->at[i][version]);

        if (at == 0)
            return 0;
        if (at > last)
            last = at;
    }
    return last;
}

/* Publications that were on their way when all ended are left out. */
static int answer_sightings(struct scene *scene)
{
    const struct sightings *sightings = scene->extra;
    struct samples samples;
    int error = samples_make(&samples, PUBLICATIONS);

    if (error != 0)
        return error;
    for (size_t version = FIRST; version < PUBLICATIONS && sightings->began[version] != 0; version++) {
        int64_t seen = seen_by_all(sightings, scene->number, version);

        if (seen != 0)
            samples_add(&samples, seen - sightings->began[version]);
    }
    samples_sort(&samples);
    scene->answer->ns = percentile(samples.ns, samples.count, 0.5);
    answer_add(scene->answer, "p50", scene->answer->ns);
    answer_add(scene->answer, "p99", percentile(samples.ns, samples.count, 0.99));
    answer_add(scene->answer, "max", percentile(samples.ns, samples.count, 1));
    answer_add(scene->answer, "samples", (double)samples.count);
    error = samples.count == 0 ? -ETIMEDOUT : 0;
    samples_free(&samples);
    return error;
}

static int ask(struct scene *scene, enum contender_access access, role_play *reader, int64_t pause,
               int64_t ns)
{
    struct sightings *sightings =
        shared_memory(sizeof *sightings + (scene->number + 1) * sizeof sightings->at[0]);
    int64_t deadline;
    int stopped, error;

    if (!sightings)
        return -ENOMEM;
    scene->extra = sightings;
    sightings->pause = pause;
    error = scene_begin(scene, scene->number);
    if (error == 0)
        error = scene_enter(scene, 0, CONTENDER_WRITER, writes);
    for (unsigned i = 1; i <= scene->number && error == 0; i++)
        error = scene_enter(scene, i, access, reader);
    if (error != 0)
        return error;
    scene_go(scene);
    deadline = clock_now() + scene->patience;
    do /* one publication at least, however little of the machine there is */
        clock_sleep(ns);
    while (seen_by_all(sightings, scene->number, FIRST) == 0 && clock_now() < deadline);
    stopped = scene_stop(scene);
    return stopped ? stopped : answer_sightings(scene);
}

static int ask_poll(struct scene *scene)
{
    return ask(scene, CONTENDER_READER, polls, APART, LASTS);
}

static int ask_asleep(struct scene *scene, enum contender_access access)
{
    int error = ask(scene, access, waits, APART_ASLEEP, LASTS_ASLEEP);
    double sleeps = 0;

    for (unsigned i = 1; i <= scene->number && error == 0; i++)
        sleeps += (double)atomic_load(&scene->shared->log[i].done) / scene->number;
    if (error == 0)
        answer_add(scene->answer, "sleeps", sleeps / (double)atomic_load(&scene->shared->issued));
    return error;
}

static int ask_registered(struct scene *scene)
{
    return ask_asleep(scene, CONTENDER_WRITER);
}

static int ask_reader(struct scene *scene)
{
    return ask_asleep(scene, CONTENDER_READER);
}

static void rows_seen(const struct contender *contender, size_t size)
{
    const unsigned numbers[] = {1, processor_count()};

    for (size_t i = processor_count() == 1; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct row row = {.contender = contender, .ask = ask_poll, .bytes = size, .number = numbers[i]};

        row_add(&row, "seen", "/readers:%u", numbers[i]);
    }
}

/* Whether the sleeper may write matters to seqshare alone: such a sleeper registers. */
static void rows_woken(const struct contender *contender, size_t size)
{
    static const unsigned numbers[] = {1, 8};
    const bool registers = contender->part == CONTENDER_ALL;

    for (size_t i = 0; contender->await && i < sizeof numbers / sizeof numbers[0]; i++) {
        struct row row = {.contender = contender, .ask = ask_reader, .bytes = size, .number = numbers[i]};

        row_add(&row, "woken", "/readers:%u/share:read-only", numbers[i]);
        row.ask = ask_registered;
        if (registers)
            row_add(&row, "woken", "/readers:%u/share:writable", numbers[i]);
    }
}

const struct question question_seen = {
    .sizes = {64},
    .quick_sizes = {64},
    .rows = rows_seen,
};

const struct question question_woken = {
    .wakes = true,
    .sizes = {64},
    .quick_sizes = {64},
    .rows = rows_woken,
};
