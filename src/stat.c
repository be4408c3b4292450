/* SPDX-License-Identifier: MIT */
/* Looking at a share from outside, as operators and the tool do. Takes no lock and waits for nobody. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "identity.h"
#include "lock.h"
#include "retry.h"
#include "share.h"

/* What belongs to the current value, all of one version, into a zeroed result. */
static int stat_value(const seqshare *share, const struct layout *map, struct seqshare_stat *result)
{
    struct retry retry = {0, 0};

    do {
        struct seqshare_stat stat = {0};
        uint64_t version = seqshare_read_begin(share->head);
        const struct slot_note *note = &map->note[seqshare_slot_of(version, share->mask)];

        if (version == 0)
            return 0;
        stat.version = version;
        stat.length = seqshare_read_length(share->head, share->mask, version);
        stat.tag = seqshare_read_tag(share->head, share->mask, version);
        stat.published = (int64_t)seqshare_load_relaxed(&note->published); /* accepted below, like the rest */
        stat.writer = (int32_t)__atomic_load_n(&note->writer, __ATOMIC_RELAXED); /* likewise */
        if (!seqshare_read_accept(share->head, share->mask, version))
            continue;
        if (stat.length > share->capacity)
            return -EBADMSG;
        *result = stat;
        return 0;
    } while (retry_once_more(share, &retry));
    return -EAGAIN;
}

static uint64_t allocated(const struct region *region)
{
    /* The read-only one first: drop_write in another thread leaves it alone. */
    int fd = region->read_fd >= 0 ? region->read_fd : region->write_fd;
    struct stat status;

    return region_owns(region, fd) && fstat(fd, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

int seqshare_stat(const seqshare *handle, struct seqshare_stat *result)
{
    struct share *share;
    struct seqshare_stat stat;
    uint64_t owner;
    uint32_t marks;
    int error, foreign;

    if (!handle || !result)
        return -EINVAL;
    share = share_of(handle);
    memset(&stat, 0, sizeof stat);
    error = stat_value(handle, share->region.map, &stat);
    if (error)
        return error;
    owner = lock_owner(&share->region.map->lock);
    /* Acquire: pairs with region_retire. */
    marks = __atomic_load_n(&share->region.map->head.retired, __ATOMIC_ACQUIRE);
    stat.capacity = share->hot.capacity;
    stat.slots = share->hot.mask + 1;
    stat.allocated = allocated(&share->region);
    stat.created = (int64_t)share->region.header.created;
    stat.retries = __atomic_load_n(&share->retries, __ATOMIC_RELAXED); /* a statistic */
    memcpy(stat.region_id, share->region.header.region_id, sizeof stat.region_id);
    stat.owner = (int32_t)(owner & OWNER_TID_MASK);
    foreign = share_check_world(share);
    stat.foreign = (uint8_t)(foreign < 0 ? SEQSHARE_FOREIGN_UNKNOWN : foreign);
    /* From another namespace it cannot be told, and is believed. */
    stat.owner_alive = owner != 0 && !(foreign == 0 && identity_is_dead(owner));
    stat.replaced = marks & SEQSHARE_REPLACED;
    stat.unlinked = marks & SEQSHARE_UNLINKED;
    stat.retired = marks != 0;
    stat.writable = region_is_writable(&share->region);
    *result = stat;
    return 0;
}
