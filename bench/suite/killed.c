/* SPDX-License-Identifier: MIT */
/*
 * The writer is killed with SIGKILL, at moments that have nothing to do with what it is doing; it does
 * nothing but write. When it is buried another is started: how long does its first write take? A reader goes
 * on all the time: what was its longest read from the kill until the end of that write?
 */
#include "question.h"
#include "samples.h"

#include <errno.h>

#include "../numbers.h"
#include "../process.h"

enum { KILLS = 12 };

struct reading {
    _Atomic int64_t began;   /* the read that goes on; 0: none does */
    _Atomic int64_t longest; /* ns; the director sets it back */
};

struct killing {
    struct samples next_writes; /* ns */
    unsigned kills, inside;     /* inside: the contender's write */
    int64_t longest_read;
    bool hung;
};

static int reads(struct role *role)
{
    struct reading *reading = role->scene->extra;
    int error = 0;

    while (error == 0 && role_goes_on(role)) {
        int64_t began = clock_now(), took;

        atomic_store_explicit(&reading->began, began, memory_order_relaxed);
        error = role_check(role, role->contender->read(role->handle, role->buffer, role->size));
        atomic_store_explicit(&reading->began, 0, memory_order_relaxed);
        took = clock_now() - began;
        if (took > atomic_load_explicit(&reading->longest, memory_order_relaxed))
            atomic_store_explicit(&reading->longest, took, memory_order_relaxed);
        atomic_fetch_add_explicit(&role->log->done, 1, memory_order_relaxed);
    }
    return error;
}

/* The longest so far, or the one that does not come to an end. */
static int64_t longest_read(struct reading *reading)
{
    int64_t began = atomic_load(&reading->began), longest = atomic_load(&reading->longest);
    int64_t lasts = began != 0 ? clock_now() - began : 0;

    return lasts > longest ? lasts : longest;
}

static bool reader_goes_on(struct scene *scene)
{
    int64_t deadline = clock_now() + scene->patience;
    uint64_t before = atomic_load(&scene->shared->log[1].done);

    while (atomic_load(&scene->shared->log[1].done) == before) {
        if (clock_now() > deadline || scene_has_left(scene, 1))
            return false;
        clock_sleep(MILLISECOND / 10);
    }
    return true;
}

static int kill_once(struct scene *scene, struct killing *killing)
{
    struct reading *reading = scene->extra;
    int error;

    clock_sleep(MILLISECOND + clock_now() % (2 * MILLISECOND));
    atomic_store(&reading->longest, 0);
    process_kill(&scene->role[0].process);
    killing->kills++;
    killing->inside += atomic_load(&scene->shared->writing);
    error = scene_enter(scene, 0, CONTENDER_WRITER, role_writes);
    if (longest_read(reading) > killing->longest_read)
        killing->longest_read = longest_read(reading);
    if (error == 0)
        samples_add(&killing->next_writes, scene->shared->log[0].ns);
    killing->hung = error == -ETIMEDOUT || (error == 0 && !reader_goes_on(scene));
    return killing->hung ? 0 : error;
}

static void answer_killing(struct scene *scene, struct killing *killing)
{
    struct suite_answer *answer = scene->answer;
    struct samples *next = &killing->next_writes;

    samples_sort(next);
    if (next->count > 0) {
        answer_add(answer, "next_write_p50", percentile(next->ns, next->count, 0.5));
        answer_add(answer, "next_write_max", percentile(next->ns, next->count, 1));
    }
    /* A process that hangs would take for ever: count the time that we waited for it, at least. */
    answer->ns = killing->hung ? (double)scene->patience : percentile(next->ns, next->count, 0.5);
    answer_add(answer, "longest_read", (double)killing->longest_read);
    answer_add(answer, "torn", (double)atomic_load(&scene->shared->log[1].torn));
    answer_add(answer, "hung", killing->hung);
    answer_add(answer, "kills", killing->kills);
    answer_add(answer, "inside", killing->inside);
}

static int ask(struct scene *scene)
{
    struct killing killing = {.kills = 0};
    int error = samples_make(&killing.next_writes, KILLS);

    scene->extra = shared_memory(sizeof(struct reading));
    scene->patience = scene->contender->cannot_help & CONTENDER_CAN_HANG ? SECOND : 5 * (int64_t)SECOND;
    if (error == 0 && !scene->extra)
        error = -ENOMEM;
    if (error == 0)
        error = scene_begin(scene, 1);
    if (error == 0)
        error = scene_enter(scene, 0, CONTENDER_WRITER, role_writes);
    if (error == 0)
        error = scene_enter(scene, 1, CONTENDER_READER, reads);
    scene_go(scene);
    while (error == 0 && !killing.hung && killing.kills < KILLS)
        error = kill_once(scene, &killing);
    if (error == 0)
        answer_killing(scene, &killing);
    if (error == 0 && !killing.hung)
        error = scene_stop(scene);
    samples_free(&killing.next_writes);
    return error;
}

/* Threads of one process die together. */
static void rows(const struct contender *contender, size_t size)
{
    const struct row row = {.contender = contender, .ask = ask, .bytes = size, .rate = RATE_FREE};

    if (!(contender->cannot_help & CONTENDER_IN_THREADS))
        row_add(&row, "killed", "%s", "");
}

const struct question question_killed = {
    .sizes = {4 << 10},
    .quick_sizes = {4 << 10},
    .rows = rows,
};
