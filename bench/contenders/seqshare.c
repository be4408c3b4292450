/* SPDX-License-Identifier: MIT */
/*
 * seqshare itself, twice: a whole copy on every request, and what a hot path would rather do: ask for the
 * version on every request and copy when it has moved. The second does not read faster; it reads less often.
 * (A mutex with a version word can do the same.)
 */
#include "../contender.h"

#include <stdlib.h>

#include <seqshare/seqshare.h>

struct handle {
    seqshare *share;
    uint64_t version; /* of what stands in the buffer of the last read */
    uint64_t awaited; /* the version that the last await ended with */
    ssize_t length;
};

static int create(const struct contender_setup *setup, void **store)
{
    return seqshare_new((seqshare **)store, setup->capacity);
}

/* Fork gave every process the handle; a worker gives up writing and has its first page faults now. */
static int attach(void *store, enum contender_access access, void **handle)
{
    struct handle *made = malloc(sizeof *made);
    int error = 0;

    if (!made)
        return -ENOMEM;
    *made = (struct handle){.share = store, .awaited = seqshare_version(store)};
    if (access == CONTENDER_READER) {
        error = seqshare_drop_write(made->share);
        if (error == 0)
            error = seqshare_prefault(made->share);
    }
    if (error != 0) {
        free(made);
        return error;
    }
    *handle = made;
    return 0;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    const struct handle *mine = handle;

    return seqshare_get(mine->share, buffer, size, NULL);
}

static ssize_t read_if_moved(void *handle, void *buffer, size_t size)
{
    struct handle *mine = handle;

    if (seqshare_version(mine->share) != mine->version || mine->version == 0)
        mine->length = seqshare_get(mine->share, buffer, size, &mine->version);
    return mine->length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    const struct handle *mine = handle;

    return seqshare_set(mine->share, value, length);
}

static int await_other(void *handle, int64_t ns)
{
    struct handle *mine = handle;
    int error = seqshare_wait(mine->share, mine->awaited, ns);

    if (error == 0)
        mine->awaited = seqshare_version(mine->share);
    return error;
}

static uint64_t retries(void *handle)
{
    const struct handle *mine = handle;
    struct seqshare_stat stat;

    return seqshare_stat(mine->share, &stat) == 0 ? stat.retries : 0;
}

static bool held_by_dead(void *handle)
{
    const struct handle *mine = handle;
    struct seqshare_stat stat;

    return seqshare_stat(mine->share, &stat) == 0 && stat.owner != 0 && !stat.owner_alive;
}

static void destroy(void *store)
{
    seqshare_close(store);
}

const struct contender contender_seqshare = {
    .name = "seqshare",
    .summary = "seqshare_get: a copy on every request, no lock",
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .await = await_other,
    .retries = retries,
    .held_by_dead = held_by_dead,
    .detach = free,
    .destroy = destroy,
};

const struct contender contender_seqshare_version = {
    .name = "seqshare-version",
    .summary = "seqshare_version on every request, seqshare_get when it moved",
    .cannot_help = CONTENDER_READ_SKIPS,
    .create = create,
    .attach = attach,
    .read = read_if_moved,
    .write = write_value,
    .retries = retries,
    .held_by_dead = held_by_dead,
    .detach = free,
    .destroy = destroy,
};
