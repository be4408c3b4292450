/* SPDX-License-Identifier: MIT */
/* Several readers at once, and a writer a thousand times a second: do they get in each other's way? */
#include "batch.h"
#include "question.h"

#include "../process.h"

enum { LASTS = 150 * MILLISECOND, READS_PER_LOOK = 64 };

static int reads(struct role *role)
{
    uint64_t done = 0;
    int error = role_warm_up(role);
    int64_t began = clock_now();

    if (error)
        return error;
    do { /* once at least, however late it was let begin */
        error = batch_reads(role, READS_PER_LOOK);
        if (error == 0)
            error = role_check(role, (ssize_t)role->size);
        done += READS_PER_LOOK;
    } while (error == 0 && role_goes_on(role));
    role->log->ns = clock_now() - began;
    atomic_store(&role->log->done, done);
    return error;
}

static double rate_of(const struct log *log)
{
    return (double)atomic_load(&log->done) * (double)SECOND / (double)log->ns;
}

static int ask(struct scene *scene)
{
    const unsigned readers = scene->number;
    double sum = 0, slowest = 0;
    int error = scene_play(scene, role_writes, readers, reads, LASTS);

    if (error != 0)
        return error;
    for (unsigned i = 1; i <= readers; i++) {
        double rate = rate_of(&scene->shared->log[i]);

        sum += rate;
        if (i == 1 || rate < slowest)
            slowest = rate;
    }
    scene->answer->ns = (double)SECOND / (sum / readers);
    answer_add(scene->answer, "reads_per_second", sum);
    answer_add(scene->answer, "per_reader", sum / readers);
    answer_add(scene->answer, "slowest", slowest);
    answer_add_scene(scene);
    return 0;
}

static void add_row(const struct contender *contender, size_t size, unsigned readers)
{
    const struct row row = {
        .contender = contender, .ask = ask, .bytes = size, .rate = 1000, .number = readers};

    row_add(&row, "readers", "/bytes:%zu/readers:%u", size, readers);
}

/* 1, 2, 4 and so on; as many as there are processors; and twice as many. */
static void rows(const struct contender *contender, size_t size)
{
    const unsigned processors = processor_count();

    for (unsigned readers = 1; readers < processors; readers *= 2)
        add_row(contender, size, readers);
    add_row(contender, size, processors);
    add_row(contender, size, 2 * processors);
}

const struct question question_readers = {
    .loops = true,
    .sizes = {64, 4 << 10},
    .quick_sizes = {64},
    .rows = rows,
};
