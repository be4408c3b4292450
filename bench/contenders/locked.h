/* SPDX-License-Identifier: MIT */
/*
 * A contender that is a lock around one copy of the value. The file that includes this says before what its lock
 * is; so the lock's calls are compiled into each read and write, as a program has them.
 *
 *      CONTENDER, NAME, SUMMARY                             as contender.h has them
 *      LOCK                                                 the lock's type
 *      LOCK_MAKE(lock)                                      makes it, free
 *      LOCK_READ(lock), LOCK_READ_END(lock)                 around a read
 *      LOCK_WRITE(lock), LOCK_WRITE_END(lock)               around a write
 *      LOCK_REMOVE(lock), LOCK_CANNOT_HELP                  where there is something to say
 *
 * The calls are 0 or a negative errno value.
 */
#include "../contender.h"

#include "area.h"

#ifndef LOCK_REMOVE
#define LOCK_REMOVE(lock) ((void)(lock))
#endif
#ifndef LOCK_CANNOT_HELP
#define LOCK_CANNOT_HELP 0
#endif

_Static_assert(sizeof(LOCK) <= sizeof((struct area *)0)->lock, "the lock fits");

static LOCK *lock_of(void *area)
{
    return (LOCK *)(void *)((struct area *)area)->lock;
}

static int create(const struct contender_setup *setup, void **store)
{
    int error = area_create(setup->capacity, store);

    if (error != 0)
        return error;
    error = LOCK_MAKE(lock_of(*store));
    if (error != 0)
        area_destroy(*store);
    return error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    LOCK *const lock = lock_of(handle);
    ssize_t length = LOCK_READ(lock);
    int error;

    if (length != 0)
        return length;
    length = area_read(handle, buffer, size);
    error = LOCK_READ_END(lock);
    return error != 0 ? error : length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    LOCK *const lock = lock_of(handle);
    int error = LOCK_WRITE(lock), freed;

    if (error != 0)
        return error;
    error = area_write(handle, value, length);
    freed = LOCK_WRITE_END(lock);
    return error != 0 ? error : freed;
}

static void destroy(void *store)
{
    LOCK_REMOVE(lock_of(store));
    area_destroy(store);
}

const struct contender CONTENDER = {
    .name = NAME,
    .summary = SUMMARY,
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES |
                   LOCK_CANNOT_HELP,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = destroy,
};
