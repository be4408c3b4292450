/* SPDX-License-Identifier: MIT */
/* Lock, set, fill and publish: protocol.h's writer steps, under the writer lock. */
#include <errno.h>

#include "clock.h"
#include "copy.h"
#include "hold.h"
#include "memory.h"
#include "wake.h"

/* After a publication. `first`: of its tick. */
HOT_INLINE void end_and_wake(struct share *share, uint64_t me, bool first)
{
    if (likely(hold_leave(share, me)))
        wake_sleepers_fenced(&share->region.map->wake, first);
    else
        wake_sleepers(&share->region.map->wake, first);
}

/*
 * Holding the lock: may a version follow (over *expected, if not NULL), and are `length` bytes of memory
 * there for it? Then steps 1 and 2: announce the version, in *version. Inlined, so that the barriers
 * are in one function with the copy, where tests/arch can follow every path between them.
 */
HOT_INLINE int announce(struct share *share, uint64_t *expected, size_t length, uint64_t *version)
{
    struct seqshare_head *head = &share->region.map->head;
    uint64_t current = seqshare_write_current(head);
    unsigned slot = seqshare_slot_of(current + 1, share->handle.mask);
    int error;

    if (expected && *expected != current) {
        *expected = current;
        return -ESTALE;
    }
    if (current >= SEQSHARE_VERSION_MAX)
        return -EOVERFLOW;
    error = memory_reserve(&share->region, slot, length);
    if (error < 0)
        return error;
    if (error > 0) /* more than before: readers of this handle need not ask */
        share_raise_held(share, slot, share->region.reserved[slot]);
    *version = seqshare_write_begin(head);
    return *version == current + 1 ? 0
                                   : -EBADMSG; /* an enemy moves it: no memory was allocated for that slot */
}

/* Steps 3 (but for the bytes) and 4. True: the first publication of its tick; see wake.c. */
HOT_INLINE bool finish(struct share *share, const struct identity *self, uint64_t version, size_t length,
                       uint32_t tag)
{
    struct layout *map = share->region.map;
    struct slot_note *note = &map->note[seqshare_slot_of(version, share->handle.mask)];
    uint64_t now = clock_date();
    /* Relaxed: while this thread owns the lock, nobody else stores it. */
    uint64_t before =
        seqshare_load_relaxed(&map->note[seqshare_slot_of(version - 1, share->handle.mask)].published);

    seqshare_store_relaxed(&note->published, now);
    __atomic_store_n(&note->writer, (uint32_t)self->process, __ATOMIC_RELAXED); /* like the bytes */
    seqshare_write_slot(&map->head, share->handle.mask, version, length, tag);
    seqshare_write_publish(&map->head, version);
    return !clock_same_tick(now, before);
}

HOT_INLINE unsigned char *slot_bytes(const struct share *share, uint64_t version)
{
    return (unsigned char *)(uintptr_t)share->handle.place[seqshare_slot_of(version, share->handle.mask)]
        .bytes;
}

/* The whole of a set. `expected` (if not NULL): only over this version. */
HOT_INLINE int set(seqshare *handle, uint64_t *expected, const void *value, size_t length, uint32_t tag)
{
    struct share *share = share_of(handle);
    struct identity *self;
    uint64_t version;
    int error;

    if (unlikely(!handle || (!value && length > 0)))
        return -EINVAL;
    if (unlikely(!region_is_writable(&share->region)))
        return -EROFS;
    if (unlikely(length > share->handle.capacity))
        return -EMSGSIZE;
    self = identity_get();
    error = hold_enter(share, self);
    if (unlikely(error))
        return error;
    error = announce(share, expected, length, &version);
    if (likely(!error)) {
        bool first;

        copy_in(slot_bytes(share, version), value, length);
        first = finish(share, self, version, length, tag);
        if (expected)
            *expected = version;
        end_and_wake(share, self->owner, first);
    } else {
        hold_leave(share, self->owner);
    }
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
    return seqshare_set_if_typed(share, version, value, length, 0);
}

int seqshare_set_if_typed(seqshare *share, uint64_t *version, const void *value, size_t size, uint32_t tag)
{
    return version ? set(share, version, value, size, tag) : -EINVAL;
}

/* ---- in place -------------------------------------------------------------------------------- */

/* And that write is the fill of this version; nothing has been published meanwhile. */
static bool is_filling(const struct share *share, uint64_t version, uint64_t me)
{
    return version != 0 && hold_is_writing(share, me) &&
           seqshare_write_current(&share->region.map->head) + 1 == version;
}

/*
 * End the fill of this version. By compare-and-swap: a signal handler of this thread may publish it at any
 * instant before, and another thread may have the lock by then. Success proves that it is still ours to publish.
 */
static bool leave_filling(struct share *share, uint64_t version)
{
    return __atomic_compare_exchange_n(&share->filling, &version, 0, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED); /* as hold_set_filling */
}

int seqshare_fill(seqshare *handle, size_t room, void **slot)
{
    struct share *share = share_of(handle);
    uint64_t version;
    int error;

    if (!handle || !slot)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    if (room > share->handle.capacity)
        return -EMSGSIZE;
    error = hold_begin(share);
    if (error)
        return error;
    error = announce(share, NULL, room, &version);
    if (error) {
        hold_end(share);
        return error;
    }
    copy_fence(); /* the program's stores may be non-temporal */
    share->room = room;
    hold_set_filling(share, version);
    *slot = slot_bytes(share, version);
    return 0;
}

int seqshare_publish(seqshare *handle, size_t length)
{
    struct share *share = share_of(handle);
    struct identity *self;
    uint64_t version;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    self = identity_get();
    version = seqshare_load_relaxed(&share->filling); /* as hold_set_filling */
    if (!is_filling(share, version, self->owner))
        return -EPERM;
    if (length > share->room)
        return -EMSGSIZE;
    if (!leave_filling(share, version))
        return -EPERM;
    end_and_wake(share, self->owner, finish(share, self, version, length, 0));
    return 0;
}

int seqshare_abandon(seqshare *handle)
{
    struct share *share = share_of(handle);
    struct identity *self;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    self = identity_get();
    if (lock_is_entered(hold_lock(share), self->owner)) {
        hold_set_filling(share, 0);
        hold_set_writing(share, 0);
    }
    return lock_abandon(hold_lock(share), self) ? 0 : -EPERM; /* the sequence stays odd, as after a death */
}

/* ---- lock ------------------------------------------------------------------------------------ */

static COLD int acquire_or_wait(struct share *share, struct identity *self, int64_t ns)
{
    return hold_is_replaced(share) ? -EIDRM : lock_wait(hold_lock(share), self, &share->locked_by, ns);
}

HOT_INLINE int lock_for(seqshare *handle, int64_t ns)
{
    struct share *share = share_of(handle);
    struct identity *self;
    int result, error;

    if (!handle || ns < -1)
        return -EINVAL;
    self = identity_get();
    result = hold_check_writable(share, self);
    if (unlikely(result))
        return result;
    if (unlikely(!lock_take(hold_lock(share), self, 0, self->owner, &share->locked_by))) {
        result = acquire_or_wait(share, self, ns);
        if (result < 0)
            return result;
    }
    error = hold_check_marks(share);
    if (error) {
        lock_release(hold_lock(share), self, &share->locked_by);
        return error;
    }
    return result;
}

int seqshare_lock_for(seqshare *share, int64_t ns)
{
    return lock_for(share, ns);
}

int seqshare_lock(seqshare *share)
{
    return lock_for(share, -1);
}

int seqshare_trylock(seqshare *share)
{
    int result = seqshare_lock_for(share, 0);

    return result == -ETIMEDOUT ? -EBUSY : result;
}

int seqshare_unlock(seqshare *handle)
{
    struct share *share = share_of(handle);

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return -EROFS;
    return lock_release(hold_lock(share), identity_get(), &share->locked_by);
}
