/* SPDX-License-Identifier: MIT */
/*
 * Remove a name, and mark its region for the processes that have it. We remove and mark only the file that we looked at
 * first, even if others move the name meanwhile:
 *
 *      lock the region
 *      SEQSHARE_LOOK; does the name lead to it?
 *      remove the name                     from here on, the next owner of the lock finds it gone
 *      SEQSHARE_UNLINKED; SEQSHARE_LOOK goes; unlock
 *
 * The lock keeps away processes that move names under it, or wait for it. If we cannot take it (another PID namespace,
 * an owner that keeps it, a file that is not a region), we remove the name by way of a temporary one. There we can look
 * at the file again, and put it back if it is another's.
 *
 * Root does the same with another user's file, because that user may cut it at any moment: to touch its memory then is
 * SIGBUS. Root writes the mark with pwrite, which may lose a mark that another process sets in the same instant. That
 * does no harm: the file has no name, so such a mark about its name means nothing any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hold.h"
#include "move.h"
#include "rename.h"
#include "share.h"

enum {
    PATIENCE_NS = 200000000, /* for the lock: an owner that keeps it longer hardly moves the name */
    MOVES_MOST = 1000        /* others may give the name to another file this often while we look */
};

/* The file that has the name. */
struct target {
    struct stat status;
    seqshare *share;  /* NULL: no region, or not ours to write */
    bool untouchable; /* we must not touch its memory */
    bool locked;
    bool kept; /* by an owner of the lock that lives, as far as we can tell */
};

/* These say nothing of the file. (A file that is not a share, or not ours to write, is removed without a mark.) */
static bool is_inconclusive(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -EIO || error == -EINTR;
}

/* So that no signal handler of this thread can unlock it before we do. Closing the share gives it back. */
static void lock_target(struct target *target)
{
    int error = seqshare_lock_for(target->share, PATIENCE_NS);

    target->kept = error == -ETIMEDOUT;
    target->locked = (error >= 0 || error == -EDEADLK) && hold_begin(share_of(target->share)) == 0;
}

/* 0; -EAGAIN: the name has another file by now. */
static int open_target(struct target *target, const struct name *name)
{
    const struct region *region;
    int error;

    if (S_ISDIR(target->status.st_mode))
        return -EISDIR;
    error = share_open_at(&target->share, name, SEQSHARE_WRITE); /* a stranger could truncate it beside us */
    if (error)
        return is_inconclusive(error) || error == -ENOENT ? error : 0;
    region = &share_of(target->share)->region;
    if (!file_id_is(region->file.id, file_id_of(&target->status)))
        return -EAGAIN;
    target->untouchable = geteuid() == 0 && target->status.st_uid != 0;
    if (!target->untouchable)
        lock_target(target);
    return 0;
}

/* `alone`: no other process that sets a mark moves the name now. */
static int remove_name(const struct target *target, const struct name *name, bool alone)
{
    if (!target->locked || !alone)
        return rename_away(name, file_id_of(&target->status));
    if (!name_is(name, file_id_of(&target->status)))
        return -EAGAIN;
    return unlinkat(name->directory, name->base, 0) == 0 ? 0 : -errno;
}

/*
 * An owner of the lock that lives has marked that it moves the name, and was stopped. When it goes on, it may remove
 * the file that has the name then, without another look. (A mark alone proves nothing: the region may be damaged, and
 * must be removable.)
 */
static bool is_moved_by_live_owner(const struct target *target)
{
    return target->kept && region_marks(&share_of(target->share)->region) & SEQSHARE_LOOK;
}

static bool has_a_name(const struct region *region)
{
    struct stat status;

    return fstat(region->file.write_fd, &status) != 0 || status.st_nlink > 0;
}

static int remove_untouchable(const struct target *target, const struct name *name)
{
    const struct region *region = &share_of(target->share)->region;
    int error = remove_name(target, name, false);

    if (!error && !has_a_name(region))
        region_retire_by_writing(region, SEQSHARE_UNLINKED);
    return error;
}

static int remove_and_mark(const struct target *target, const struct name *name)
{
    struct region *region = &share_of(target->share)->region;
    bool alone = move_begin(region, target->locked);
    int error = -EBUSY;

    if (alone || !is_moved_by_live_owner(target))
        error = remove_name(target, name, alone);
    if (!error && !has_a_name(region))
        region_retire(region, SEQSHARE_UNLINKED);
    move_end(region, target->locked, alone);
    return error;
}

static int remove_target(const struct target *target, const struct name *name)
{
    if (!target->share)
        return remove_name(target, name, false);
    return target->untouchable ? remove_untouchable(target, name) : remove_and_mark(target, name);
}

static int try_to_unlink(const struct name *name)
{
    struct target target = {0};
    int fd =
        openat(name->directory, name->base, O_PATH | O_NOFOLLOW | O_CLOEXEC); /* its number stays taken */
    int error = fd < 0 || fstat(fd, &target.status) != 0 ? -errno : open_target(&target, name);

    if (!error)
        error = remove_target(&target, name);
    if (target.locked)
        hold_end(share_of(target.share));
    seqshare_close(target.share);
    if (fd >= 0)
        close(fd);
    return error;
}

int seqshare_unlink(const char *text)
{
    struct name name;
    int error;

    if (!text)
        return -EINVAL;
    error = name_open(&name, text);
    if (error)
        return error;
    error = -EAGAIN;
    for (int moves = 0; error == -EAGAIN && moves < MOVES_MOST; moves++)
        error = try_to_unlink(&name);
    name_close(&name);
    return error;
}
