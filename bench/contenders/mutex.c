/* SPDX-License-Identifier: MIT */
/*
 * A process-shared pthread mutex, plain and robust. The robust one answers EOWNERDEAD when its owner died:
 * the lock goes on, but nobody can tell how much of the value the dead owner had written. And it can hang, by
 * chance: who was woken to take it, and is killed first, takes the wake-up along; some go on, others sleep.
 */
#include "../contender.h"

#include <errno.h>
#include <pthread.h>

#include "area.h"

_Static_assert(sizeof(pthread_mutex_t) <= sizeof((struct area *)0)->lock, "the mutex fits");

static pthread_mutex_t *mutex_of(void *area)
{
    return (pthread_mutex_t *)(void *)((struct area *)area)->lock;
}

static int create_mutex(const struct contender_setup *setup, void **store, int robustness)
{
    pthread_mutexattr_t attributes;
    int error = area_create(setup->capacity, store);

    if (error != 0)
        return error;
    pthread_mutexattr_init(&attributes);
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (error == 0)
        error = pthread_mutexattr_setrobust(&attributes, robustness);
    if (error == 0)
        error = pthread_mutex_init(mutex_of(*store), &attributes);
    pthread_mutexattr_destroy(&attributes);
    if (error != 0)
        area_destroy(*store);
    return -error;
}

static int create_plain(const struct contender_setup *setup, void **store)
{
    return create_mutex(setup, store, PTHREAD_MUTEX_STALLED);
}

static int create_robust(const struct contender_setup *setup, void **store)
{
    return create_mutex(setup, store, PTHREAD_MUTEX_ROBUST);
}

static int lock(void *area)
{
    int error = pthread_mutex_lock(mutex_of(area));

    if (error == EOWNERDEAD)
        error = pthread_mutex_consistent(mutex_of(area));
    return -error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    ssize_t length = lock(handle);

    if (length == 0) {
        length = area_read(handle, buffer, size);
        pthread_mutex_unlock(mutex_of(handle));
    }
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    int error = lock(handle);

    if (error == 0) {
        error = area_write(handle, value, length);
        pthread_mutex_unlock(mutex_of(handle));
    }
    return error;
}

const struct contender contender_mutex = {
    .name = "mutex",
    .summary = "process-shared pthread mutex around a copy",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create_plain,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = area_destroy,
};

const struct contender contender_mutex_robust = {
    .name = "mutex-robust",
    .summary = "the same, robust: survives its owner, its value may not",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create_robust,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = area_destroy,
};
