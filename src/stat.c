/* SPDX-License-Identifier: MIT */
/* Inspecting a share from outside, as operators and the tool do. Takes no lock and waits for nobody. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "hold.h"
#include "retry.h"
#include "stat.h"

static uint64_t allocated(const struct region *region)
{
    int fd = descriptor_for_reading(&region->file);
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

int stat_from(struct share *share, const struct layout *seen, struct seqshare_stat *result)
{
    const uint64_t version = seqshare_version_of(seen->head.sequence);
    const unsigned slot = seqshare_slot_of(version, share->handle.mask);
    const uint32_t marks = seen->head.retired;
    const uint64_t owner = lock_owner(&seen->lock);
    const int foreign = hold_check_world(share);
    struct seqshare_stat stat = {.version = version};

    if (version > 0) {
        stat.length = seen->head.slot[slot].length;
        stat.tag = seen->head.slot[slot].tag;
        stat.published = (int64_t)seen->note[slot].published;
        stat.writer = (int32_t)seen->note[slot].writer;
    }
    if (!seqshare_may_touch(&share->handle, slot, stat.length))
        return -EBADMSG;
    stat.capacity = share->handle.capacity;
    stat.slots = share->handle.mask + 1;
    stat.allocated = allocated(&share->region);
    stat.created = (int64_t)share->region.header.created;
    stat.retries = __atomic_load_n(&share->retries, __ATOMIC_RELAXED); /* a statistic */
    memcpy(stat.region_id, share->region.header.region_id, sizeof stat.region_id);
    stat.owner = (int32_t)(owner & OWNER_TID_MASK);
    stat.foreign = (uint8_t)(foreign < 0 ? SEQSHARE_FOREIGN_UNKNOWN : foreign);
    /* From another namespace nobody can tell, so we say that it lives. */
    stat.owner_alive = owner != 0 && !(foreign == 0 && identity_is_dead(owner));
    stat.replaced = marks & SEQSHARE_REPLACED;
    stat.unlinked = marks & SEQSHARE_UNLINKED;
    stat.retired = marks != 0;
    stat.writable = region_is_writable(&share->region);
    *result = stat;
    return 0;
}

/* The facts of the current value, all of one version; and the words beside it, as they are after that. */
static int read_layout(const seqshare *share, const struct layout *map, struct layout *seen)
{
    struct retry retry = {0, 0};
    uint64_t version;
    unsigned k;

    do {
        version = seqshare_read_begin(share->head);
        k = seqshare_slot_of(version, share->mask);
        seen->head.slot[k].length = seqshare_read_length(share->head, share->mask, version);
        seen->head.slot[k].tag = seqshare_read_tag(share->head, share->mask, version);
        seen->note[k].published = seqshare_load_relaxed(&map->note[k].published); /* accepted with the rest */
        seen->note[k].writer = __atomic_load_n(&map->note[k].writer, __ATOMIC_RELAXED); /* the same */
        if (version == 0 || seqshare_read_accept(share->head, share->mask, version))
            break;
        if (!retry_once_more(share, &retry))
            return -EAGAIN;
    } while (true);
    seen->head.sequence = 2 * version;
    /* Acquire: pairs with region_retire. */
    seen->head.retired = __atomic_load_n(&map->head.retired, __ATOMIC_ACQUIRE);
    seen->lock.owner = lock_owner(&map->lock);
    return 0;
}

int seqshare_stat(const seqshare *handle, struct seqshare_stat *result)
{
    struct share *share;
    struct layout seen;
    int error;

    if (!handle || !result)
        return -EINVAL;
    share = share_of(handle);
    error = read_layout(handle, share->region.map, &seen);
    return error ? error : stat_from(share, &seen, result);
}
