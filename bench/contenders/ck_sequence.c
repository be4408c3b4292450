/* SPDX-License-Identifier: MIT */
/*
 * A plain seqlock: Concurrency Kit's ck_sequence around one copy. A reader copies and begins again when a
 * writer was there meanwhile; while one writes, it spins. Writers, says the manual, need a lock of their
 * own: a robust mutex, so that the next writer survives the death of one. That left an odd number behind, on
 * which readers spin; the next writer leaves it odd until it has written (to begin again would make it even,
 * and what is half written pass for whole).
 */
#include "../contender.h"

#include <stdlib.h>

#include <ck_sequence.h>

#include "area.h"
#include "locks.h"

struct guard {
    pthread_mutex_t writers;
    _Alignas(128) ck_sequence_t sequence;
};

_Static_assert(sizeof(struct guard) <= sizeof((struct area *)0)->lock, "the locks fit");

struct handle {
    struct area *area;
    uint64_t retries;
};

static struct guard *guard_of(void *area)
{
    return (struct guard *)(void *)((struct area *)area)->lock;
}

static int create(const struct contender_setup *setup, void **store)
{
    int error = area_create(setup->capacity, store);

    if (error != 0)
        return error;
    error = locks_make_mutex(&guard_of(*store)->writers, PTHREAD_MUTEX_ROBUST);
    if (error != 0)
        area_destroy(*store);
    else
        ck_sequence_init(&guard_of(*store)->sequence);
    return error;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    struct handle *made = malloc(sizeof *made);

    (void)access;
    if (!made)
        return -ENOMEM;
    *made = (struct handle){.area = store};
    *handle = made;
    return 0;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    struct handle *mine = handle;
    const ck_sequence_t *sequence = &guard_of(mine->area)->sequence;
    unsigned int version = ck_sequence_read_begin(sequence);
    ssize_t length = area_read(mine->area, buffer, size);

    while (ck_sequence_read_retry(sequence, version)) {
        mine->retries++;
        version = ck_sequence_read_begin(sequence);
        length = area_read(mine->area, buffer, size);
    }
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    struct area *area = ((struct handle *)handle)->area;
    struct guard *guard = guard_of(area);
    int error = locks_take_mutex(&guard->writers);

    if (error != 0)
        return error;
    if (guard->sequence.sequence % 2 == 0)
        ck_sequence_write_begin(&guard->sequence);
    error = area_write(area, value, length);
    ck_sequence_write_end(&guard->sequence);
    pthread_mutex_unlock(&guard->writers);
    return error;
}

static uint64_t retries(void *handle)
{
    return ((struct handle *)handle)->retries;
}

const struct contender contender_ck_sequence = {
    .name = "ck-sequence",
    .summary = "Concurrency Kit's ck_sequence, a plain seqlock, around a copy",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_HANG,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .retries = retries,
    .detach = free,
    .destroy = area_destroy,
};
