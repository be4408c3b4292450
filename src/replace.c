/* SPDX-License-Identifier: MIT */
/*
 * A new region for a name: in one step for processes that open it, and with nothing lost for processes that write:
 *
 *      lock the old region; does it still have the name?
 *      read its value; make the new region with it, under a temporary name; lock that as well
 *      SEQSHARE_LOOK in both
 *      exchange the two names, and check that it was the old region's; otherwise exchange back, and begin again
 *                                          from here on, a process that opens the name gets the new region (and
 *                                          its lock, once that check is done)
 *      SEQSHARE_REPLACED in the old one; wake; unlock
 *                                          from here on, processes that had the old one learn it; no set fell
 *                                          between
 *      remove the temporary name, which is the old region's
 *
 * Killed before the exchange: nothing has happened (but for a file `.seqshare-*` that nobody opens, and the
 * mark, which the next owner of the lock takes back). Killed between exchange and mark: the next owner of the
 * old region's lock finds SEQSHARE_LOOK, asks the name, and marks the region before it stores anything; see
 * follow.c. So nothing is set in a region that has lost its name.
 *
 * A process that may not lock the old region (another PID or time namespace, or boot) sets SEQSHARE_LOOK_OUTSIDE, and
 * marks the region like the others. An owner that took the lock before the mark may still publish in the old region.
 * So this process waits until it has seen that lock free. Then it copies any newer value into the new region, whose
 * lock is ours all the time.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "hold.h"
#include "move.h"
#include "rename.h"
#include "retry.h"
#include "share.h"
#include "wake.h"

enum {
    MOVED = 1, /* the name has another region than we looked at: start again */
    /* A name that moves this often under us, or a file system that gives files new numbers each time. */
    MOVES_MOST = 1000,
    VERSIONS_MOST = 1000 /* that an owner published meanwhile: we do not believe more */
};

struct old {
    seqshare *share;
    bool locked;
    void *bytes;
    struct first_value value;
    char temporary[NAME_TEMPORARY_SIZE]; /* the name of its file at the end; empty: none */
};

static struct region *region_of(const struct old *old)
{
    return &share_of(old->share)->region;
}

static bool has_name(const struct region *region, const struct name *name)
{
    return name_is(name, region->file.id);
}

static int open_old(struct old *old, const struct name *name)
{
    int error = share_open_at(&old->share, name, SEQSHARE_WRITE);

    if (error == -EACCES || error == -EROFS || error == -EPROTONOSUPPORT)
        error = share_open_at(&old->share, name, SEQSHARE_READ);
    return error;
}

/* As a write begins, so that not even a signal handler of this thread can publish in between. */
static int lock_old(struct old *old, const struct name *name)
{
    int error = hold_begin(share_of(old->share));

    old->locked = error == 0;
    if (!has_name(region_of(old), name))
        return MOVED;
    if (error == -EROFS || error == -EOPNOTSUPP || error == -EIDRM)
        return 0; /* (-EIDRM though it has the name: it has a second one, or was marked by mistake) */
    return error;
}

/* Reads one version, whole, even if the region could not be locked; or a later one. */
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

/* ---- the exchange ---------------------------------------------------------------------------- */

static void mark_and_wake(struct region *region)
{
    region_retire(region, SEQSHARE_REPLACED);
    wake_sleepers(&region->map->wake, true);
}

/*
 * If the name has gone elsewhere meanwhile, our region had it for an instant. A process that opened our region then
 * must not publish there: that value would be lost.
 */
static int exchange_names(struct region *ours, struct old *old, const struct name *name)
{
    struct region *theirs = region_of(old);
    int error;

    region_retire(ours, SEQSHARE_LOOK);
    error = rename_replace(name, old->temporary, theirs->file.id);
    if (!error && region_is_writable(theirs))
        mark_and_wake(theirs);
    if (error && !has_name(ours, name))
        mark_and_wake(ours);
    region_unmark(ours, SEQSHARE_LOOK);
    return error;
}

/* With both regions locked, if they may be. */
static int exchange(struct share *share, struct old *old, const struct name *name)
{
    bool alone = move_begin(region_of(old), old->locked);
    int error = -EAGAIN;

    if (has_name(region_of(old), name)) /* we may have waited for a process that moved it */
        error = exchange_names(&share->region, old, name);
    else
        name_discard(name, old->temporary);
    move_end(region_of(old), old->locked, alone);
    return error;
}

/* ---- what an owner publishes whom we could not keep from it ----------------------------------- */

/*
 * Others take the lock by an atomic store to the owner word, and look at the mark after it. We do it the other way
 * round, and neither side may miss the other. The others have no fence between the two: this call makes each of their
 * processors pass one. If the kernel refuses the call, they get a millisecond for it.
 */
static void pass_fences(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        poll(NULL, 0, 1);
}

/* A thread that takes the lock later, once we have seen it free after the mark, publishes nothing. */
static void await_free(const struct region *old)
{
    int64_t deadline = clock_after(MOVE_PATIENCE_NS);

    pass_fences();
    while (lock_owner(&old->map->lock) != 0 && clock_now() < deadline)
        poll(NULL, 0, 1);
    __atomic_thread_fence(
        __ATOMIC_ACQUIRE); /* pairs with the release of the lock: all of its owner's stores */
}

/* Version by version, because a reader of the new region may be copying the one before. */
static void publish_rest(seqshare *share, const struct first_value *value)
{
    uint64_t version = seqshare_version(share);

    for (int i = 0; i < VERSIONS_MOST && version < value->version; i++, version++)
        if (seqshare_set_typed(share, value->bytes, value->length, value->tag) != 0)
            return;
}

static void copy_rest(seqshare *share, struct old *old)
{
    if (old->locked || !region_is_writable(region_of(old)))
        return;
    await_free(region_of(old));
    free(old->bytes);
    old->bytes = NULL;
    if (read_old(old, NULL) == 0)
        publish_rest(share, &old->value);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/*
 * Under the lock of the new region, which nobody else can have yet. (If nobody may write there, there is no lock.) It
 * stays ours until unlock_new.
 */
static int exchange_locked(struct share *share, struct old *old, const struct name *name)
{
    int locked = seqshare_lock(&share->handle), error = locked < 0 ? locked : hold_begin(share);

    if (error && error != -EOPNOTSUPP) {
        name_discard(name, old->temporary);
        return error;
    }
    error = exchange(share, old, name);
    if (locked >= 0)
        hold_end(share);
    return error;
}

static void unlock_new(struct share *share)
{
    if (hold_is_mine(share))
        seqshare_unlock(&share->handle);
}

/* With the old region open: 0, MOVED, or an error. */
static int replace_old(struct share *share, struct old *old, struct name *name,
                       const struct share_request *request)
{
    int error = lock_old(old, name);

    if (!error)
        error = read_old(old, request->first);
    if (error)
        return error;
    if (old->value.length > request->capacity)
        return -EMSGSIZE;
    error = share_make_file(share, name, request, &old->value, region_of(old), old->temporary);
    if (error)
        return error;
    error = exchange_locked(share, old, name);
    if (!error && !request->first)
        copy_rest(&share->handle, old);
    unlock_new(share);
    if (error)
        region_close(&share->region);
    else
        share_take_path(share, name);
    return error == -EAGAIN ? MOVED : error;
}

static void close_old(struct old *old)
{
    if (old->locked)
        hold_end(share_of(old->share));
    seqshare_close(old->share);
    free(old->bytes);
}

static int try_to_replace(struct share *share, struct name *name, const struct share_request *request)
{
    struct old old = {0};
    int error = open_old(&old, name);

    if (error == -ENOENT) {
        error = share_make_first(share, name, request);
        return error == -EEXIST ? MOVED : error;
    }
    if (error)
        return error;
    error = replace_old(share, &old, name, request);
    close_old(&old);
    name_discard(name, old.temporary);
    return error;
}

static int replace(struct share *share, struct name *name, const struct share_request *request)
{
    int error = MOVED;

    for (int moves = 0; error == MOVED && moves < MOVES_MOST; moves++)
        error = try_to_replace(share, name, request);
    return error == MOVED ? -EAGAIN : error;
}

int seqshare_replace_with(seqshare **result, const char *text, size_t capacity, mode_t mode,
                          const struct seqshare_reading *first, int flags)
{
    const struct share_request request = {.capacity = capacity, .mode = mode, .flags = flags, .first = first};

    return share_new_named(result, text, &request, replace);
}

int seqshare_replace(seqshare **result, const char *text, size_t capacity, mode_t mode)
{
    return seqshare_replace_with(result, text, capacity, mode, NULL, 0);
}
