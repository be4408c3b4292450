/* SPDX-License-Identifier: MIT */
/*
 * How long a single read takes, beside a writer on another processor: every read is timed, and what two looks
 * at the clock cost is subtracted; what is shorter than the clock can tell from nothing counts as so long.
 * The longest times are the machine's own where other programs run on it.
 */
#include "question.h"
#include "samples.h"

#include "../numbers.h"

enum { LASTS = 200 * MILLISECOND, ROOM = 1 << 22, READS_PER_WHOLE_CHECK = 1024 };

static int sample_reads(struct role *role, struct samples *samples)
{
    ssize_t (*const read)(void *, void *, size_t) = role->contender->read;
    const int64_t cost = clock_cost();
    int error = role_warm_up(role);

    if (error)
        return error;
    do { /* once at least, however late it was let begin */
        int64_t before = clock_now(), after;
        ssize_t length = read(role->handle, role->buffer, role->size);

        use(role->buffer);
        after = clock_now();
        samples_add(samples, after - before - cost);
        error = role_check(role, length);
        if (samples->count % READS_PER_WHOLE_CHECK == 0 && value_version(role->buffer, role->size) != 0 &&
            !value_is_whole(role->buffer, role->size))
            atomic_fetch_add(&role->log->torn, 1);
    } while (error == 0 && role_goes_on(role) && !samples_full(samples));
    return error;
}

static void answer_percentiles(struct suite_answer *answer, struct samples *samples)
{
    const struct {
        const char *name;
        double part;
    } wanted[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}, {"max", 1}};

    samples_sort(samples);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        answer_add(answer, wanted[i].name, percentile(samples->ns, samples->count, wanted[i].part));
    answer_add(answer, "samples", (double)samples->count);
    answer->ns = percentile(samples->ns, samples->count, 0.5);
}

static int reads(struct role *role)
{
    struct samples samples;
    int error = samples_make(&samples, ROOM);

    if (error == 0)
        error = sample_reads(role, &samples);
    if (error == 0)
        answer_percentiles(role->scene->answer, &samples);
    samples_free(&samples);
    return error;
}

static int ask(struct scene *scene)
{
    int error = scene_play(scene, role_writes, 1, reads, LASTS);

    if (error == 0)
        answer_add_scene(scene);
    return error;
}

static void rows(const struct contender *contender, size_t size)
{
    static const long rates[] = {RATE_IDLE, 1000, 100000, RATE_FREE};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const struct row row = {.contender = contender, .ask = ask, .bytes = size, .rate = rates[i]};

        row_add(&row, "latency", "/bytes:%zu/writer:%s", size, rate_name(rates[i]));
    }
}

const struct question question_latency = {
    .sizes = {64, 1 << 10, 4 << 10, 64 << 10},
    .quick_sizes = {64, 4 << 10},
    .rows = rows,
};
