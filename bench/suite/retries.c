/* SPDX-License-Identifier: MIT */
/*
 * seqshare alone: how often a read is outrun by the writer and has to look again, with 2, 4 and 8 slots.
 * Reads in one half of the time, single attempts in the other.
 */
#include "question.h"
#include "samples.h"

#include <errno.h>
#include <string.h>

#include <seqshare/seqshare.h>

#include "../numbers.h"

enum { LASTS = 100 * MILLISECOND, ROOM = 1 << 21 };

/* ---- the contender, with as many slots as are wanted ---- */

static int create_2(const struct contender_setup *setup, void **store)
{
    return seqshare_new_slots((seqshare **)store, setup->capacity, 2);
}

static int create_4(const struct contender_setup *setup, void **store)
{
    return seqshare_new_slots((seqshare **)store, setup->capacity, 4);
}

static int create_8(const struct contender_setup *setup, void **store)
{
    return seqshare_new_slots((seqshare **)store, setup->capacity, 8);
}

static int attach(void *store, enum contender_access access, void **handle)
{
    int error = access == CONTENDER_READER ? seqshare_drop_write(store) : 0;

    *handle = store;
    return error ? error : seqshare_prefault(store);
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    return seqshare_get(handle, buffer, size, NULL);
}

static int write_value(void *handle, const void *value, size_t length)
{
    return seqshare_set(handle, value, length);
}

static void detach(void *handle)
{
    (void)handle;
}

static void destroy(void *store)
{
    seqshare_close(store);
}

/* ---- the question ---- */

static uint64_t retries_of(const seqshare *share)
{
    struct seqshare_stat stat;

    return seqshare_stat(share, &stat) == 0 ? stat.retries : 0;
}

static int sample_gets(struct role *role, struct samples *samples, int64_t until)
{
    const int64_t cost = clock_cost();
    int64_t after = 0;
    int error = 0;

    while (error == 0 && after < until && !samples_full(samples)) {
        int64_t before = clock_now();
        ssize_t length = seqshare_get(role->handle, role->buffer, role->size, NULL);

        use(role->buffer);
        after = clock_now();
        samples_add(samples, after - before - cost);
        error = role_check(role, length);
    }
    return error;
}

/* The part of single attempts that were outrun. */
static int count_attempts(struct role *role, double *failed)
{
    double attempts = 0, outrun = 0;
    int error = 0;

    do { /* once at least, however late it was let begin */
        ssize_t length = seqshare_try_get(role->handle, role->buffer, role->size, NULL);

        use(role->buffer);
        attempts++;
        if (length == -EAGAIN)
            outrun++;
        else
            error = role_check(role, length);
    } while (error == 0 && role_goes_on(role));
    *failed = outrun / attempts;
    return error;
}

static int reads(struct role *role)
{
    struct suite_answer *answer = role->scene->answer;
    struct samples samples;
    uint64_t retries = 0;
    double failed = 0;
    int error = samples_make(&samples, ROOM);

    if (error == 0)
        error = role_warm_up(role);
    if (error == 0) {
        retries = retries_of(role->handle);
        error = sample_gets(role, &samples, clock_now() + LASTS / 2);
        retries = retries_of(role->handle) - retries;
    }
    if (error == 0)
        error = count_attempts(role, &failed);
    samples_sort(&samples);
    answer->ns = percentile(samples.ns, samples.count, 0.5);
    answer_add(answer, "retries", samples.count > 0 ? (double)retries / (double)samples.count : 0);
    answer_add(answer, "failed", failed);
    answer_add(answer, "p50", answer->ns);
    answer_add(answer, "p999", percentile(samples.ns, samples.count, 0.999));
    samples_free(&samples);
    return error;
}

static int ask(struct scene *scene)
{
    static struct contender with_slots = {
        .name = "seqshare",
        .attach = attach,
        .read = read_value,
        .write = write_value,
        .detach = detach,
        .destroy = destroy,
    };
    int error;

    with_slots.create = scene->number == 2 ? create_2 : scene->number == 4 ? create_4 : create_8;
    scene->contender = &with_slots;
    error = scene_play(scene, role_writes, 1, reads, LASTS + 10 * MILLISECOND);
    if (error == 0)
        answer_add_scene(scene);
    return error;
}

static void rows(const struct contender *contender, size_t size)
{
    static const long rates[] = {100000, RATE_FREE};

    if (strcmp(contender->name, "seqshare") != 0)
        return;
    for (unsigned slots = 2; slots <= SEQSHARE_SLOTS_MAX; slots *= 2)
        for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
            const struct row row = {
                .contender = contender, .ask = ask, .bytes = size, .rate = rates[i], .number = slots};

            row_add(&row, "retries", "/bytes:%zu/slots:%u/writer:%s", size, slots, rate_name(rates[i]));
        }
}

const struct question question_retries = {
    .sizes = {64, 1 << 10, 4 << 10, 64 << 10},
    .quick_sizes = {64, 4 << 10},
    .rows = rows,
};
