/* SPDX-License-Identifier: MIT */
/*
 * One file that is written in place, and flock around it: shared for readers, exclusive for writers. The lock
 * belongs to who opened the file, so every process opens it itself; the kernel gives the locks of the dead
 * back, but nobody can tell how much of the value a dead writer had written. pread, because it needs no seek
 * before it. The length of the value is the file's.
 */
#include "../contender.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

struct store {
    char path[PATH_MAX];
};

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = malloc(sizeof *made);
    int file;

    if (!made)
        return -ENOMEM;
    if (snprintf(made->path, sizeof made->path, "%s/value", setup->directory) >= (int)sizeof made->path) {
        free(made);
        return -ENAMETOOLONG;
    }
    file = open(made->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        int error = -errno;

        free(made);
        return error;
    }
    close(file);
    *store = made;
    return 0;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    int flags = access == CONTENDER_WRITER ? O_RDWR : O_RDONLY;
    int file = open(((struct store *)store)->path, flags | O_CLOEXEC);

    if (file < 0)
        return -errno;
    *handle = (void *)(intptr_t)file;
    return 0;
}

static void detach(void *handle)
{
    close((int)(intptr_t)handle);
}

static int lock(int file, int operation)
{
    while (flock(file, operation) != 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    int file = (int)(intptr_t)handle;
    ssize_t length = lock(file, LOCK_SH);

    if (length != 0)
        return length;
    length = pread(file, buffer, size, 0); /* whole: a regular file */
    if (length <= 0)
        length = length < 0 ? -errno : -ENODATA;
    flock(file, LOCK_UN);
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    int file = (int)(intptr_t)handle;
    int error = lock(file, LOCK_EX);
    ssize_t written;

    if (error != 0)
        return error;
    written = pwrite(file, value, length, 0);
    if (written < 0)
        error = -errno;
    else if ((size_t)written != length)
        error = -ENOSPC;
    else if (ftruncate(file, (off_t)length) != 0)
        error = -errno;
    flock(file, LOCK_UN);
    return error;
}

static void destroy(void *store)
{
    unlink(((struct store *)store)->path);
    free(store);
}

const struct contender contender_flock = {
    .name = "flock",
    .summary = "a file in place, pread under a shared flock",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_CAN_SPOIL | CONTENDER_READ_STORES | CONTENDER_READ_CALLS,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = destroy,
};
