/* SPDX-License-Identifier: MIT */
/* Proves that a contender hands over whole and new values, before it is measured. */
#include "prove.h"

#include <errno.h>
#include <sched.h>

enum { STEPS = 50, FREELY = 30 * MILLISECOND };

/* So long waits nobody but for who hangs. */
#define PATIENCE (5 * (int64_t)SECOND)

/* Writer and reader take turns; then each goes on by itself. */
struct turns {
    _Atomic uint64_t written, seen;
};

static bool await(const _Atomic uint64_t *word, uint64_t value)
{
    int64_t deadline = clock_now() + PATIENCE;

    while (atomic_load(word) < value) {
        if (clock_now() > deadline)
            return false;
        sched_yield();
    }
    return true;
}

static int writes(struct role *role)
{
    struct turns *turns = role->scene->extra;
    int error = 0;

    for (int i = 0; i < STEPS && error == 0; i++) {
        error = role_write(role);
        atomic_store(&turns->written, role->version);
        if (error == 0 && !await(&turns->seen, role->version))
            return -ETIMEDOUT;
    }
    return error ? error : role_writes(role);
}

static int read_newest(struct role *role, uint64_t newest)
{
    int error = role_check(role, role->contender->read(role->handle, role->buffer, role->size));

    if (error == 0 && role->version != newest)
        error = -ESTALE;
    if (error == 0 && !value_is_whole(role->buffer, role->size))
        error = -EILSEQ;
    return error;
}

static int reads(struct role *role)
{
    struct turns *turns = role->scene->extra;
    uint64_t reads = 0, first = role->version, torn = 0;
    int error = 0;

    for (uint64_t i = 1; i <= STEPS && error == 0; i++) {
        if (!await(&turns->written, first + i))
            return -ETIMEDOUT;
        error = read_newest(role, first + i);
        atomic_store(&turns->seen, first + i);
    }
    for (; error == 0 && role_goes_on(role); reads++) {
        error = role_check(role, role->contender->read(role->handle, role->buffer, role->size));
        torn += !value_is_whole(role->buffer, role->size);
    }
    answer_add(role->scene->answer, "torn", (double)torn);
    answer_add(role->scene->answer, "reads", (double)reads);
    if (torn > 0 && !(role->contender->cannot_help & CONTENDER_CAN_TEAR))
        error = -EILSEQ;
    return error;
}

int prove(struct scene *scene)
{
    /* News that nobody takes would pile up. */
    scene->rate = scene->contender->part == CONTENDER_WAKES ? RATE_IDLE : RATE_FREE;
    scene->extra = shared_memory(sizeof(struct turns));
    if (!scene->extra)
        return -ENOMEM;
    return scene_play(scene, writes, 1, reads, FREELY);
}
