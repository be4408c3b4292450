/* SPDX-License-Identifier: MIT */
/*
 * Big values, and nobody writes: copied; and, by who can lend them, looked at where they lie, at their first
 * and their last cache line, which no copy can keep up with.
 */
#include "batch.h"
#include "question.h"

#include <errno.h>

enum { LASTS = 50 * MILLISECOND };

static int batch_borrows(struct role *role, size_t times)
{
    ssize_t (*const borrow)(void *, const void **) = role->contender->borrow;
    bool (*const give_back)(void *) = role->contender->give_back;
    void *const handle = role->handle;
    const size_t size = role->size;

    for (size_t i = 0; i < times; i++) {
        const void *value;
        const volatile unsigned char *bytes;
        ssize_t length = borrow(handle, &value);

        if (length != (ssize_t)size)
            return length < 0 ? (int)length : -EBADMSG;
        bytes = value;
        (void)bytes[0];
        (void)bytes[size - 1];
        if (!give_back(handle)) /* although nobody writes */
            return -EILSEQ;
    }
    return 0;
}

static int borrows(struct role *role)
{
    return batch_measure(role, batch_borrows);
}

static int ask_copy(struct scene *scene)
{
    return scene_play(scene, role_writes, 1, role_reads_in_batches, LASTS);
}

static int ask_borrow(struct scene *scene)
{
    return scene_play(scene, role_writes, 1, borrows, LASTS);
}

static void rows(const struct contender *contender, size_t size)
{
    struct row row = {.contender = contender, .ask = ask_copy, .bytes = size, .rate = RATE_IDLE};

    row_add(&row, "big", "/bytes:%zu/how:copy", size);
    row.ask = ask_borrow;
    if (contender->borrow)
        row_add(&row, "big", "/bytes:%zu/how:borrow", size);
}

const struct question question_big = {
    .sizes = {64 << 10, 256 << 10, 1 << 20},
    .quick_sizes = {64 << 10},
    .rows = rows,
};
