/* SPDX-License-Identifier: MIT */
/*
 * Concurrency Kit's ck_rwlock around one copy: who must wait spins. Of its locks for readers and writers
 * this is the one for all processors in common and any number of processes: ck_brlock wants every reader in
 * a list, at the writer's cost, and ck_elide hardware that few have.
 */
#include "../contender.h"

#include <ck_rwlock.h>

#include "area.h"

_Static_assert(sizeof(ck_rwlock_t) <= sizeof((struct area *)0)->lock, "the lock fits");

static ck_rwlock_t *lock_of(void *area)
{
    return (ck_rwlock_t *)(void *)((struct area *)area)->lock;
}

static int create(const struct contender_setup *setup, void **store)
{
    int error = area_create(setup->capacity, store);

    if (error == 0)
        ck_rwlock_init(lock_of(*store));
    return error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    ssize_t length;

    ck_rwlock_read_lock(lock_of(handle));
    length = area_read(handle, buffer, size);
    ck_rwlock_read_unlock(lock_of(handle));
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    int error;

    ck_rwlock_write_lock(lock_of(handle));
    error = area_write(handle, value, length);
    ck_rwlock_write_unlock(lock_of(handle));
    return error;
}

const struct contender contender_ck_rwlock = {
    .name = "ck-rwlock",
    .summary = "Concurrency Kit's spinning ck_rwlock around a copy",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = area_destroy,
};
