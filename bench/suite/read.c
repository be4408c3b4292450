/* SPDX-License-Identifier: MIT */
/* One reader, and nobody writes. */
#include "batch.h"
#include "question.h"

enum { LASTS = 50 * MILLISECOND };

static int ask(struct scene *scene)
{
    return scene_play(scene, role_writes, 1, role_reads_in_batches, LASTS);
}

static void rows(const struct contender *contender, size_t size)
{
    const struct row row = {.contender = contender, .ask = ask, .bytes = size, .rate = RATE_IDLE};

    row_add(&row, "read", "/bytes:%zu", size);
}

const struct question question_read = {
    .loops = true,
    .sizes = {8, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20},
    .quick_sizes = {64, 4 << 10},
    .rows = rows,
};
