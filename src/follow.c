/* SPDX-License-Identifier: MIT */
/*
 * Where does a handle's name lead now? A name may move without any mark in the region: by hand, by a mount, or
 * because the process that moved it was killed. So these ask the name itself:
 *
 *   - seqshare_reopen, at each call;
 *   - seqshare_wait, at once when a mark is new, and once a second while it sleeps (wait.c);
 *   - the owner of the lock, before it stores anything, if one of the two marks is set that say that a
 *     process was about to move the name (share_check_marks).
 *
 * Each process may see another file under a name (chroot, mounts). So only the last of these writes its
 * finding into the region, where a process that moved the name has asked for it.
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cancel.h"
#include "share.h"
#include "wake.h"

/* ---- asking the name ------------------------------------------------------------------------- */

static bool is_layered(int fd)
{
    struct statfs system;

    return fstatfs(fd, &system) == 0 && (uint32_t)system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* The region's id in the file, if it stays the same while we read. */
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
static bool was_copied_up(const struct region *region)
{
    int fd = region->file.read_fd;

    return !region_is_writable(region) && descriptor_is_ours(&region->file, fd) && is_layered(fd) &&
           reads_another_sequence(region, fd);
}

/* As name_leads_to. A handle without a name: -EINVAL. */
static int leads_here(const struct share *share)
{
    const struct region *region = &share->region;
    int here = share->path ? name_leads_to(share->path, region->file.id) : -EINVAL;

    return here == 1 && was_copied_up(region) ? 0 : here;
}

int seqshare_named(const seqshare *handle)
{
    int here = handle ? leads_here(share_of(handle)) : -EINVAL;

    return here == -ENOENT ? 0 : here;
}

/* ---- the owner of the lock ------------------------------------------------------------------- */

static void retire(struct region *region, uint32_t mark)
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
static int look(struct share *share, uint32_t marks)
{
    struct region *region = &share->region;
    int here = leads_here(share);

    if (here == 0) {
        retire(region, SEQSHARE_REPLACED);
        return -EIDRM;
    }
    if (!(marks & SEQSHARE_LOOK))
        return 0;
    if (here == -ENOENT && has_no_name(region)) /* removed, by a process that was killed before the mark */
        retire(region, SEQSHARE_UNLINKED);
    else if (here != 1) /* no answer, or this process cannot see the file's name */
        return -EIDRM;  /* a value that is set in it may be lost */
    region_unmark(region, SEQSHARE_LOOK);
    return 0;
}

int share_check_marks(struct share *share)
{
    uint32_t marks = region_marks(&share->region);
    int saved = errno, error = 0;

    if (marks & SEQSHARE_REPLACED)
        return -EIDRM;
    if (marks & (SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE))
        error = look(share, marks);
    errno = saved;
    return error;
}

/* ---- moving the handle ----------------------------------------------------------------------- */

/* The region that the name leads to, if this handle may move to it: 0, and *found is open. */
static int open_found(const struct share *share, struct region *found)
{
    struct name name;
    int error = name_open(&name, share->path);

    if (error)
        return error;
    error = share_open_region(found, &name, region_is_writable(&share->region), share->any_owner);
    name_close(&name);
    return error;
}

/* Compare the files too: a copy of a region's file has the same id. */
static bool is_same(const struct region *one, const struct region *other)
{
    return memcmp(one->header.region_id, other->header.region_id, sizeof one->header.region_id) == 0 &&
           file_id_is(one->file.id, other->file.id);
}

static int move_to(struct share *share, struct region *found)
{
    if (is_same(found, &share->region) && !was_copied_up(&share->region)) {
        region_close(found);
        return 0;
    }
    region_close(&share->region);
    share->region = *found;
    share->our_world = share->locked_by = share->writing = share->filling = share->next_look = 0;
    share->marks_seen = 0;
    share_aim(share);
    share_settle(share);
    return 1;
}

/* Acquire: pairs with region_retire. A thread that sees the mark, and then asks the name, finds it moved. */
static bool is_replaced(const struct share *share)
{
    return __atomic_load_n(&share->region.map->head.retired, __ATOMIC_ACQUIRE) & SEQSHARE_REPLACED;
}

static int reopen(struct share *share)
{
    struct region found;
    bool replaced;
    int here, error;

    if (region_is_writable(&share->region) && share_is_locked_by_me(share))
        return -EBUSY;
    replaced = is_replaced(share);
    here = leads_here(share);
    if (here == 1) /* if it was replaced: its file is mounted alone, or has a second name */
        return replaced ? -EIDRM : 0;
    if (here != 0)
        return here;
    error = open_found(share, &found);
    return error ? error : move_to(share, &found);
}

int seqshare_reopen(seqshare *handle)
{
    struct share *share = share_of(handle);
    int cancellation, result;

    if (!handle || !share->path)
        return -EINVAL;
    cancellation = cancel_disable();
    result = reopen(share);
    cancel_restore(cancellation);
    return result;
}

bool share_would_move(const struct share *share)
{
    struct region found;

    if (leads_here(share) != 0 || open_found(share, &found) != 0)
        return false;
    region_close(&found);
    return true;
}
