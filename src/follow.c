/* SPDX-License-Identifier: MIT */
/*
 * Where does a handle's name lead now? A name may move without any mark in the region: by hand, by a mount, or
 * because the process that moved it was killed. So these ask the name itself:
 *
 *   - seqshare_reopen, at each call (reopen.c);
 *   - seqshare_wait, at once when a mark is new, and once a second while it sleeps (wait.c);
 *   - the owner of the lock, before it stores anything, if one of the two marks is set that say that a
 *     process was about to move the name (follow_check_marks).
 *
 * Each process may see another file under a name (chroot, mounts). So only the last of these writes its
 * finding into the region, where a process that moved the name has asked for it.
 */
#include "follow.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "wake.h"

/* ---- asking the name ------------------------------------------------------------------------- */

static bool is_layered(int fd)
{
    struct statfs system;

    return fstatfs(fd, &system) == 0 && (uint32_t)system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* Has the file another sequence than the mapping? Yes only if that one stays the same while we read. */
static bool reads_another_sequence(const struct region *region, int fd)
{
    const struct seqshare_head *head = &region->map->head;
    uint64_t before = seqshare_load_relaxed(&head->sequence), found; /* only compared, like the next one */
    off_t offset = (off_t)offsetof(struct layout, head.sequence);

    if (pread(fd, &found, sizeof found, offset) != sizeof found)
        return false;
    return found != before && seqshare_load_relaxed(&head->sequence) == before;
}

/*
 * On overlayfs, opening a file for writing may copy it up to another layer, where it keeps its number.
 * An older mapping stays with the file below, while the descriptor then reads the file above.
 */
bool follow_was_copied_up(const struct region *region)
{
    int fd = region->file.read_fd;

    return !region_is_writable(region) && descriptor_is_ours(&region->file, fd) && is_layered(fd) &&
           reads_another_sequence(region, fd);
}

int follow_leads_here(const struct share *share)
{
    const struct region *region = &share->region;
    int here = share->path ? name_leads_to(share->path, region->file.id) : -EINVAL;

    return here == 1 && follow_was_copied_up(region) ? 0 : here;
}

int seqshare_named(const seqshare *handle)
{
    int here = handle ? follow_leads_here(share_of(handle)) : -EINVAL;

    return here == -ENOENT ? 0 : here;
}

/* ---- the owner of the lock ------------------------------------------------------------------- */

static void mark_and_wake(struct region *region, uint32_t mark)
{
    region_retire(region, mark);
    wake_sleepers(&region->map->wake, true);
}

static bool has_no_name(const struct region *region)
{
    struct stat status;

    return descriptor_is_ours(&region->file, region->file.write_fd) &&
           fstat(region->file.write_fd, &status) == 0 && status.st_nlink == 0;
}

/*
 * The marks say that a process was about to move the name. Did it? Whoever set SEQSHARE_LOOK owned the lock that
 * is ours now: so it is dead, and this mark is done with when the name has answered. SEQSHARE_LOOK_OUTSIDE stays,
 * for its setter owns no lock, and may yet move the name.
 */
static int ask_name(struct share *share, uint32_t marks)
{
    struct region *region = &share->region;
    int here = follow_leads_here(share);

    if (here == 0) {
        mark_and_wake(region, SEQSHARE_REPLACED);
        return -EIDRM;
    }
    if (!(marks & SEQSHARE_LOOK))
        return 0;
    if (here == -ENOENT && has_no_name(region)) /* removed, by a process that was killed before the mark */
        mark_and_wake(region, SEQSHARE_UNLINKED);
    else if (here != 1) /* no answer, or this process cannot see the file's name */
        return -EIDRM;  /* a value that is set in it may be lost */
    region_unmark(region, SEQSHARE_LOOK);
    return 0;
}

int follow_check_marks(struct share *share)
{
    uint32_t marks = region_marks(&share->region);
    int saved = errno, error = 0;

    if (marks & SEQSHARE_REPLACED)
        return -EIDRM;
    if (marks & (SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE))
        error = ask_name(share, marks);
    errno = saved;
    return error;
}
