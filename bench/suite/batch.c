/* SPDX-License-Identifier: MIT */
/* Times calls that are shorter than a look at the clock, many at a time. */
#include "batch.h"

#include <errno.h>

#include "../numbers.h"

enum { BATCHES = 1 << 14, BATCH_NS = 20 * 1000, TRIES = 3 };

int batch_reads(struct role *role, size_t times)
{
    ssize_t (*const read)(void *, void *, size_t) = role->contender->read;
    void *const handle = role->handle;
    unsigned char *const buffer = role->buffer;
    const size_t size = role->size;

    if (role->contender->read_times)
        return role->contender->read_times(handle, buffer, size, times);
    for (size_t i = 0; i < times; i++) {
        ssize_t length = read(handle, buffer, size);

        if (length != (ssize_t)size)
            return length < 0 ? (int)length : -EBADMSG;
        use(buffer);
    }
    return 0;
}

/*
 * Are so many calls enough for a batch? The quickest of some tries says so. A first call may do more than the others
 * (a cache decodes), and a thread may be held up. A batch that is too short measures the look at the clock.
 */
static bool fill_a_batch(struct role *role, batch_loop *loop, size_t times, int *error)
{
    for (unsigned tries = 0; tries < TRIES && *error == 0; tries++) {
        int64_t before = clock_now();

        *error = loop(role, times);
        if (clock_now() - before <= BATCH_NS)
            return false;
    }
    return true;
}

/* So many calls that a batch is some microseconds; warms up as well. */
static size_t fitting_times(struct role *role, batch_loop *loop, int *error)
{
    size_t times = 1;

    while (*error == 0 && times < 1 << 20 && !fill_a_batch(role, loop, times, error))
        times *= 2;
    return times;
}

int batch_measure(struct role *role, batch_loop *loop)
{
    static double batch[BATCHES];
    unsigned char *buffer = role->buffer;
    size_t batches = 0, times;
    int error = 0;

    times = fitting_times(role, loop, &error);
    if (error)
        return error;
    do { /* once at least, however late it was let begin */
        int64_t before = clock_now();

        error = loop(role, times);
        batch[batches++] = (double)(clock_now() - before) / (double)times;
        role->buffer = buffer + batches % BUFFER_PLACES * BUFFER_PLACES_APART;
    } while (error == 0 && batches < BATCHES && role_goes_on(role));
    role->buffer = buffer;
    role->scene->answer->ns = median(batch, batches);
    return error;
}

int role_reads_in_batches(struct role *role)
{
    int error = batch_measure(role, batch_reads);

    if (error == 0)
        error = batch_reads(role, 1);
    return error == 0 && !value_is_whole(role->buffer, role->size) ? -EILSEQ : error;
}
