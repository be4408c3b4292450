/* SPDX-License-Identifier: MIT */
/*
 * mmap-sync, a Rust library: two copies of the value in files, here on tmpfs as its documentation advises;
 * a reader counts itself in and out of the copy that it reads, and the writer waits for the other copy to be
 * free, a second at most. How it is used is said in rust/src/synchronizer.rs. A reader looks which copy is
 * the newest, then counts itself in, and does not look again: if the writer gets there first twice, the value
 * changes under the reader.
 */
#include "../contender.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../rust/neighbours.h"

struct store {
    char prefix[PATH_MAX];
};

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = malloc(sizeof *made);

    if (!made)
        return -ENOMEM;
    if (snprintf(made->prefix, sizeof made->prefix, "%s/value", setup->directory) >=
        (int)sizeof made->prefix) {
        free(made);
        return -ENAMETOOLONG;
    }
    *store = made;
    return 0;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    (void)access; /* readers write to the state: they need as much */
    return neighbours_mmap_sync_open(((struct store *)store)->prefix, (struct neighbours_mmap_sync **)handle);
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    return neighbours_mmap_sync_read(handle, buffer, size);
}

static ssize_t borrow(void *handle, const void **value)
{
    return neighbours_mmap_sync_borrow(handle, value);
}

/* It has no way to tell whether the value stayed whole. */
static bool give_back(void *handle)
{
    neighbours_mmap_sync_give_back(handle);
    return true;
}

static int write_value(void *handle, const void *value, size_t length)
{
    return neighbours_mmap_sync_write(handle, value, length);
}

static int read_times(void *handle, void *buffer, size_t size, size_t times)
{
    return neighbours_mmap_sync_read_times(handle, buffer, size, times);
}

static ssize_t read_once(void *handle, void *buffer, size_t size)
{
    int error = read_times(handle, buffer, size, 1);

    return error ? error : (ssize_t)size;
}

static int write_times(void *handle, const void *value, size_t length, size_t times)
{
    return neighbours_mmap_sync_write_times(handle, value, length, times);
}

static int write_once(void *handle, const void *value, size_t length)
{
    return write_times(handle, value, length, 1);
}

static void detach(void *handle)
{
    neighbours_mmap_sync_close(handle);
}

static void destroy(void *store)
{
    static const char *const suffixes[] = {"_state", "_data_0", "_data_1"};
    char path[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(path, sizeof path, "%s%s", ((struct store *)store)->prefix, suffixes[i]);
        unlink(path);
    }
    free(store);
}

const struct contender contender_mmap_sync = {
    .name = "mmap-sync",
    .summary = "mmap-sync (Rust): two mapped copies, readers counted, a copy on every request",
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_value,
    .borrow = borrow,
    .give_back = give_back,
    .write = write_value,
    .detach = detach,
    .destroy = destroy,
};

const struct contender contender_mmap_sync_rust = {
    .name = "mmap-sync-rust",
    .summary = "the same, read and written in loops of Rust that the library is compiled into",
    .part = CONTENDER_LOOPS,
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_once, /* so the proof is of the loops */
    .write = write_once,
    .read_times = read_times,
    .write_times = write_times,
    .detach = detach,
    .destroy = destroy,
};
