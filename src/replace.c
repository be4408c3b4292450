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

#include "retry.h"
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

/* All of one version, also when the region could not be locked. */
static int read_old(struct old *old)
{
    struct retry retry = {0, 0};
    struct seqshare_stat stat;
    uint64_t version;
    ssize_t length;

    for (;;) {
        int error = seqshare_stat(old->share, &stat);

        if (error)
            return error;
        if (stat.version == 0)
            return 0;
        free(old->bytes);
        old->bytes = NULL;
        length = seqshare_get_alloc(old->share, &old->bytes, &version);
        if (length < 0)
            return (int)length;
        if (version == stat.version)
            break;
        if (!retry_once_more(old->share, &retry))
            return -EAGAIN;
    }
    old->value.bytes = old->bytes;
    old->value.length = (size_t)length;
    old->value.version = version;
    old->value.tag = stat.tag;
    old->value.note.published = (uint64_t)stat.published;
    old->value.note.writer = (uint32_t)stat.writer;
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
static int take_place(struct share *share, struct old *old, struct name *name, size_t capacity, mode_t mode)
{
    int error = lock_old(old, name);

    if (!error)
        error = read_old(old);
    if (error)
        return error;
    if (old->value.length > capacity)
        return -EMSGSIZE;
    error = share_make_named(share, name, capacity, mode, &old->value, &share_of(old->share)->region);
    if (!error && old->locked)
        retire_old(old);
    return error == -EAGAIN ? MOVED : error;
}

static int try_to_replace(struct share *share, struct name *name, size_t capacity, mode_t mode)
{
    struct old old = {0};
    int error = open_old(&old, name);

    if (error == -ENOENT) {
        error = share_make_named(share, name, capacity, mode, NULL, NULL);
        return error == -EEXIST ? MOVED : error;
    }
    if (error)
        return error;
    error = take_place(share, &old, name, capacity, mode);
    close_old(&old);
    return error;
}

static int replace(struct share *share, struct name *name, size_t capacity, mode_t mode)
{
    int error = MOVED;

    for (int moves = 0; error == MOVED && moves < MOVES_MOST; moves++)
        error = try_to_replace(share, name, capacity, mode);
    return error == MOVED ? -EAGAIN : error;
}

int seqshare_replace(seqshare **result, const char *text, size_t capacity, mode_t mode)
{
    return share_new_named(result, text, capacity, mode, replace);
}
