/* SPDX-License-Identifier: MIT */
/*
 * A new region in the place of a name, in one step for those who open it, and with nothing lost for those who
 * write:
 *
 *      lock the old region; does it still have the name?
 *      read its value; make the new region with it, under a temporary name
 *      exchange the two names, and see that it was the old region's; else back, and again
 *                                          from here on, who opens gets the new one (and its lock, once
 *                                          that has been seen)
 *      remove the old one's, the temporary name
 *      mark the old one; wake; unlock      from here on, who had it is told; no set fell between
 *
 * Killed before the exchange: nothing has happened (but for a file `.seqshare-*` that nobody opens). Killed
 * between exchange and mark: the old region is not marked, and seqshare_reopen still notices, by the region's
 * id.
 */
#include <errno.h>
#include <stdlib.h>

#include "share.h"
#include "wait.h"

enum {
    MOVED = 1, /* the name has another region than we looked at: start again */
    /* A name that moves this often under us, or a file system that numbers files anew each time. */
    MOVES_MOST = 1000
};

struct old {
    seqshare *share;
    bool locked;
    void *bytes;
    struct first_value value;
};

static bool has_name(const struct old *old, const struct name *name)
{
    const struct region *region = &share_of(old->share)->region;

    return name_is(name, region->device, region->inode);
}

static int open_old(struct old *old, const struct name *name)
{
    int error = share_open_at(&old->share, name, SEQSHARE_WRITE);

    if (error == -EACCES || error == -EROFS || error == -EPROTONOSUPPORT)
        error = share_open_at(&old->share, name, SEQSHARE_READ);
    return error;
}

/* As a write is begun, so that not even a signal handler of this thread can publish in between. */
static int lock_old(struct old *old, const struct name *name)
{
    int error = share_begin(share_of(old->share));

    old->locked = error == 0;
    if (!has_name(old, name))
        return MOVED;
    if (error == -EROFS || error == -EOPNOTSUPP || error == -EIDRM)
        return 0; /* (-EIDRM though it has the name: marked by mistake or malice) */
    return error;
}

/* All of one version, also when the region could not be locked; or what comes after it. */
static int read_old(struct old *old, const struct seqshare_reading *next)
{
    struct seqshare_reading reading = {0};
    uint64_t version = seqshare_version(old->share);
    int error;

    if (next) {
        old->value = share_first_value(next, version + 1);
        return version >= SEQSHARE_VERSION_MAX ? -EOVERFLOW : 0;
    }
    error = seqshare_read(old->share, &reading);
    if (error)
        return error == -ENODATA ? 0 : error;
    old->bytes = reading.bytes;
    old->value = (struct first_value){.bytes = reading.bytes,
                                      .length = reading.length,
                                      .version = reading.version,
                                      .tag = reading.tag,
                                      .note.published = (uint64_t)reading.published,
                                      .note.writer = (uint32_t)reading.writer};
    return 0;
}

static void retire_old(const struct old *old)
{
    struct region *region = &share_of(old->share)->region;

    region_retire(region, SEQSHARE_REPLACED);
    wake_everybody(&region->map->wake);
}

static void close_old(struct old *old)
{
    if (old->locked)
        share_end(share_of(old->share));
    seqshare_close(old->share);
    free(old->bytes);
}

/* With the old region open: 0, MOVED, or an error. */
static int take_place(struct share *share, struct old *old, struct name *name, const struct request *request)
{
    int error = lock_old(old, name);

    if (!error)
        error = read_old(old, request->first);
    if (error)
        return error;
    if (old->value.length > request->capacity)
        return -EMSGSIZE;
    error = share_make_named(share, name, request, &old->value, &share_of(old->share)->region);
    if (!error && old->locked)
        retire_old(old);
    return error == -EAGAIN ? MOVED : error;
}

static int try_to_replace(struct share *share, struct name *name, const struct request *request)
{
    struct old old = {0};
    int error = open_old(&old, name);

    if (error == -ENOENT) {
        error = share_make_first(share, name, request);
        return error == -EEXIST ? MOVED : error;
    }
    if (error)
        return error;
    error = take_place(share, &old, name, request);
    close_old(&old);
    return error;
}

static int replace(struct share *share, struct name *name, const struct request *request)
{
    int error = MOVED;

    for (int moves = 0; error == MOVED && moves < MOVES_MOST; moves++)
        error = try_to_replace(share, name, request);
    return error == MOVED ? -EAGAIN : error;
}

int seqshare_replace_with(seqshare **result, const char *text, size_t capacity, mode_t mode,
                          const struct seqshare_reading *first, int flags)
{
    const struct request request = {.capacity = capacity, .mode = mode, .flags = flags, .first = first};

    return share_new_named(result, text, &request, replace);
}

int seqshare_replace(seqshare **result, const char *text, size_t capacity, mode_t mode)
{
    return seqshare_replace_with(result, text, capacity, mode, NULL, 0);
}
