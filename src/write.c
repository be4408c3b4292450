/* SPDX-License-Identifier: MIT */
/* Lock, set, fill and publish: protocol.h's writer steps, under the writer lock. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "copy.h"
#include "identity.h"
#include "lock.h"
#include "share.h"
#include "wait.h"

static struct lock_line *lock_of(const struct share *share)
{
    return &share->region.map->lock;
}

bool share_is_locked_by_me(const struct share *share)
{
    return lock_is_mine(lock_of(share), identity_get()->owner);
}

/* ---- may this process write? ----------------------------------------------------------------- */

/*
 * TIDs and start times mean something in one PID and time namespace of one boot. Where that cannot be known
 * (no /proc), it counts as different from what is known; nothing known on either side will do for an
 * anonymous region, which cannot have come from another boot and rarely from another namespace.
 */
int share_check_world(const struct region *region)
{
    static const uint8_t unknown[16];
    const struct header *header = &region->header;
    struct world here;
    int error = world_get(&here);

    if (error)
        return error;
    if (memcmp(here.boot_id, header->boot_id, sizeof here.boot_id) != 0 ||
        here.pid_namespace != header->pid_namespace || here.time_namespace != header->time_namespace)
        return -EOPNOTSUPP;
    if (!region->anonymous && (here.pid_namespace == 0 || here.time_namespace == 0 ||
                               memcmp(here.boot_id, unknown, sizeof unknown) == 0))
        return -EOPNOTSUPP;
    return 0;
}

/* Asked once in each process: a child of fork may be in another namespace than its parent. */
static int check_world(struct share *share)
{
    uint64_t generation = identity_generation();
    int error;

    if (__atomic_load_n(&share->our_world, __ATOMIC_RELAXED) == generation) /* a verdict, guarding nothing */
        return 0;
    error = share_check_world(&share->region);
    if (!error)
        __atomic_store_n(&share->our_world, generation, __ATOMIC_RELAXED); /* likewise */
    return error;
}

static int check_writable(struct share *share)
{
    return region_is_writable(&share->region) ? check_world(share) : -EROFS;
}

/* Holding the lock: marks of replace are made under it. */
static bool is_replaced(const struct share *share)
{
    return __atomic_load_n(&share->region.map->head.retired, __ATOMIC_RELAXED) & SEQSHARE_REPLACED;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int begin(struct share *share, uint64_t me)
{
    int error = lock_enter(lock_of(share), me);

    if (!error && is_replaced(share)) {
        lock_leave(lock_of(share), me);
        error = -EIDRM;
    }
    return error;
}

/*
 * Holding the lock, before anything is announced: may a version follow (over *expected, if not NULL), and are
 * `length` bytes of memory there for it?
 */
static int prepare(struct share *share, uint64_t *expected, size_t length)
{
    uint64_t version = seqshare_write_current(&share->region.map->head);

    if (expected && *expected != version) {
        *expected = version;
        return -ESTALE;
    }
    if (version >= SEQSHARE_VERSION_MAX)
        return -EOVERFLOW;
    return region_reserve(&share->region, seqshare_slot_of(version + 1, share->hot.mask), length);
}

/* Steps 3 (but for the bytes) and 4. */
static void finish(struct share *share, uint64_t version, size_t length, uint32_t tag)
{
    struct layout *map = share->region.map;
    struct slot_note *note = &map->note[seqshare_slot_of(version, share->hot.mask)];
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    seqshare_store_relaxed(&note->published, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    __atomic_store_n(&note->writer, (uint32_t)identity_get()->process, __ATOMIC_RELAXED); /* like the bytes */
    seqshare_write_slot(&map->head, share->hot.mask, version, length, tag);
    seqshare_write_publish(&map->head, version);
}

static unsigned char *slot_bytes(const struct share *share, uint64_t version)
{
    return region_slot(&share->region, seqshare_slot_of(version, share->hot.mask));
}

/* The whole of a set. `expected` (if not NULL): only over this version. */
static int set(seqshare *handle, uint64_t *expected, const void *value, size_t length, uint32_t tag)
{
    struct share *share = share_of(handle);
    uint64_t me;
    int error;

    if (!handle || (!value && length > 0))
        return -EINVAL;
    error = check_writable(share);
    if (error)
        return error;
    if (length > share->hot.capacity)
        return -EMSGSIZE;
    me = identity_get()->owner;
    error = begin(share, me);
    if (error)
        return error;
    error = prepare(share, expected, length);
    if (!error) {
        uint64_t version = seqshare_write_begin(&share->region.map->head);

        copy_in(slot_bytes(share, version), value, length);
        finish(share, version, length, tag);
        if (expected)
            *expected = version;
    }
    lock_leave(lock_of(share), me);
    if (!error)
        wake_registered(&share->region.map->wake);
    return error;
}

int seqshare_set(seqshare *share, const void *value, size_t length)
{
    return set(share, NULL, value, length, 0);
}

int seqshare_set_typed(seqshare *share, const void *value, size_t size, uint32_t tag)
{
    return set(share, NULL, value, size, tag);
}

int seqshare_set_if(seqshare *share, uint64_t *version, const void *value, size_t length)
{
    return version ? set(share, version, value, length, 0) : -EINVAL;
}

/* ---- in place -------------------------------------------------------------------------------- */

static bool is_filling(const struct share *share, uint64_t me)
{
    /* Relaxed: another thread's value differs from `me`, whenever it is seen; one's own is in order. */
    return __atomic_load_n(&share->filled_by, __ATOMIC_RELAXED) == me && lock_is_mine(lock_of(share), me);
}

static void set_filling(struct share *share, uint64_t by)
{
    __atomic_store_n(&share->filled_by, by, __ATOMIC_RELAXED); /* see is_filling */
}

int seqshare_fill(seqshare *handle, size_t room, void **slot)
{
    struct share *share = share_of(handle);
    uint64_t me;
    int error;

    if (!handle || !slot)
        return -EINVAL;
    error = check_writable(share);
    if (error)
        return error;
    if (room > share->hot.capacity)
        return -EMSGSIZE;
    me = identity_get()->owner;
    error = begin(share, me);
    if (error)
        return error;
    error = prepare(share, NULL, room);
    if (error) {
        lock_leave(lock_of(share), me);
        return error;
    }
    share->filling = seqshare_write_begin(&share->region.map->head);
    share->room = room;
    set_filling(share, me);
    *slot = slot_bytes(share, share->filling);
    return 0;
}

int seqshare_publish(seqshare *handle, size_t length)
{
    struct share *share = share_of(handle);
    uint64_t me;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    me = identity_get()->owner;
    if (!is_filling(share, me))
        return -EPERM;
    if (length > share->room)
        return -EMSGSIZE;
    finish(share, share->filling, length, 0);
    set_filling(share, 0);
    lock_leave(lock_of(share), me);
    wake_registered(&share->region.map->wake);
    return 0;
}

int seqshare_abandon(seqshare *handle)
{
    struct share *share = share_of(handle);
    uint64_t me;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    me = identity_get()->owner;
    if (is_filling(share, me))
        set_filling(share, 0);
    return lock_leave(lock_of(share), me); /* the sequence stays odd, as after a death */
}

/* ---- lock ------------------------------------------------------------------------------------ */

int seqshare_lock_for(seqshare *handle, int64_t ns)
{
    struct share *share = share_of(handle);
    uint64_t me;
    int result;

    if (!handle || ns < -1)
        return -EINVAL;
    result = check_writable(share);
    if (result)
        return result;
    me = identity_get()->owner;
    result = lock_acquire(lock_of(share), me, ns);
    if (result < 0)
        return result;
    if (is_replaced(share)) {
        lock_release(lock_of(share), me);
        return -EIDRM;
    }
    __atomic_store_n(&share->locked_by, me, __ATOMIC_RELAXED); /* compared with one's own identity alone */
    return result;
}

int seqshare_lock(seqshare *share)
{
    return seqshare_lock_for(share, -1);
}

int seqshare_trylock(seqshare *share)
{
    int result = seqshare_lock_for(share, 0);

    return result == -ETIMEDOUT ? -EBUSY : result;
}

int seqshare_unlock(seqshare *handle)
{
    struct share *share = share_of(handle);
    int error;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    error = lock_release(lock_of(share), identity_get()->owner);
    if (!error && __atomic_load_n(&share->locked_by, __ATOMIC_RELAXED) == identity_get()->owner)
        __atomic_store_n(&share->locked_by, 0, __ATOMIC_RELAXED);
    return error;
}

void share_let_go(struct share *share)
{
    uint64_t me = identity_get()->owner;

    if (is_filling(share, me))
        lock_leave(lock_of(share), me);
    if (__atomic_load_n(&share->locked_by, __ATOMIC_RELAXED) == me)
        lock_release(lock_of(share), me);
}
