/* SPDX-License-Identifier: MIT */
/*
 * A process-shared pthread rwlock. Of the kinds that glibc has, the one its manual recommends where readers
 * never stop: with the default kind they starve the writer.
 */
#include "../contender.h"

#include <errno.h>
#include <pthread.h>

#include "area.h"

_Static_assert(sizeof(pthread_rwlock_t) <= sizeof((struct area *)0)->lock, "the lock fits");

static pthread_rwlock_t *lock_of(void *area)
{
    return (pthread_rwlock_t *)(void *)((struct area *)area)->lock;
}

static int create(const struct contender_setup *setup, void **store)
{
    pthread_rwlockattr_t attributes;
    int error = area_create(setup->capacity, store);

    if (error != 0)
        return error;
    pthread_rwlockattr_init(&attributes);
    error = pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
#ifdef __GLIBC__
    if (error == 0)
        error = pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    if (error == 0)
        error = pthread_rwlock_init(lock_of(*store), &attributes);
    pthread_rwlockattr_destroy(&attributes);
    if (error != 0)
        area_destroy(*store);
    return -error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    ssize_t length = -pthread_rwlock_rdlock(lock_of(handle));

    if (length == 0) {
        length = area_read(handle, buffer, size);
        pthread_rwlock_unlock(lock_of(handle));
    }
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    int error = -pthread_rwlock_wrlock(lock_of(handle));

    if (error == 0) {
        error = area_write(handle, value, length);
        pthread_rwlock_unlock(lock_of(handle));
    }
    return error;
}

const struct contender contender_rwlock = {
    .name = "rwlock",
    .summary = "process-shared pthread rwlock (writers preferred) around a copy",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = area_destroy,
};
