/* SPDX-License-Identifier: MIT */
/*
 * One SysV semaphore, exclusive for get and for set, without SEM_UNDO: what Perl's IPC::Mmap::Share does.
 * (With SEM_UNDO the kernel would give the lock back for a dead owner, at a higher price for every read; the
 * value might still be half-written.)
 */
#include "../contender.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "area.h"

static int *id_of(void *area)
{
    return (int *)(void *)((struct area *)area)->lock;
}

static int change(void *area, short by)
{
    struct sembuf operation = {.sem_op = by};

    while (semop(*id_of(area), &operation, 1) != 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static void destroy(void *store)
{
    semctl(*id_of(store), 0, IPC_RMID);
    area_destroy(store);
}

static int create(const struct contender_setup *setup, void **store)
{
    int error = area_create(setup->capacity, store);
    int id;

    if (error != 0)
        return error;
    id = semget(IPC_PRIVATE, 1, 0600);
    if (id < 0) {
        error = -errno;
        area_destroy(*store);
        return error;
    }
    *id_of(*store) = id;
    error = change(*store, 1); /* born at 0; 1 is free */
    if (error != 0)
        destroy(*store);
    return error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    ssize_t length = change(handle, -1);
    int error;

    if (length != 0)
        return length;
    length = area_read(handle, buffer, size);
    error = change(handle, 1);
    return error != 0 ? error : length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    int error = change(handle, -1);
    int freed;

    if (error != 0)
        return error;
    error = area_write(handle, value, length);
    freed = change(handle, 1);
    return error != 0 ? error : freed;
}

const struct contender contender_semaphore = {
    .name = "semaphore",
    .summary = "one SysV semaphore for get and set, as IPC::Mmap::Share did",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_CAN_HANG | CONTENDER_READ_STORES |
                   CONTENDER_READ_CALLS,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = destroy,
};
