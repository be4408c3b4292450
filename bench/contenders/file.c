/* SPDX-License-Identifier: MIT */
/*
 * No shared memory: the file is opened and read on every request, and a writer puts a new file in its place
 * with rename, so that nobody sees half of one. The file is on tmpfs where there is one: no disk is timed.
 */
#include "../contender.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct store {
    char path[PATH_MAX];
};

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = malloc(sizeof *made);

    if (!made)
        return -ENOMEM;
    if (snprintf(made->path, sizeof made->path, "%s/config.json", setup->directory) >=
        (int)sizeof made->path) {
        free(made);
        return -ENAMETOOLONG;
    }
    *store = made;
    return 0;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    (void)access;
    *handle = store;
    return 0;
}

static void detach(void *handle)
{
    (void)handle;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    const struct store *store = handle;
    int file = open(store->path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (file < 0)
        return errno == ENOENT ? -ENODATA : -errno;
    length =
        read(file, buffer, size); /* whole: a regular file, and nobody writes into one that has the name */
    if (length < 0)
        length = -errno;
    close(file);
    return length;
}

static int write_file(const char *path, const void *value, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t written;
    int error = 0;

    if (file < 0)
        return -errno;
    written = write(file, value, length);
    if (written < 0)
        error = -errno;
    else if ((size_t)written != length)
        error = -ENOSPC;
    if (close(file) != 0 && error == 0)
        error = -errno;
    return error;
}

static int write_value(void *handle, const void *value, size_t length)
{
    const struct store *store = handle;
    char fresh[PATH_MAX + 32];
    int error;

    snprintf(fresh, sizeof fresh, "%s.%ld", store->path, (long)getpid());
    error = write_file(fresh, value, length);
    if (error == 0 && rename(fresh, store->path) != 0)
        error = -errno;
    return error;
}

/* What killed writers left behind goes with the directory. */
static void destroy(void *store)
{
    unlink(((struct store *)store)->path);
    free(store);
}

const struct contender contender_file = {
    .name = "file",
    .summary = "the file, opened and read on every request, replaced by rename",
    .cannot_help = CONTENDER_READ_CALLS,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = destroy,
};
