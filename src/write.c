/* SPDX-License-Identifier: MIT */
/* Lock, set, fill and publish: protocol.h's writer steps, under the writer lock. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "copy.h"
#include "identity.h"
#include "lock.h"
#include "memory.h"
#include "share.h"
#include "wake.h"

HOT_INLINE struct lock_line *lock_of(const struct share *share)
{
    return &share->region.map->lock;
}

/* ---- may this process write? ----------------------------------------------------------------- */

static bool is_unknown(const uint8_t boot_id[16])
{
    static const uint8_t unknown[16];

    return memcmp(boot_id, unknown, sizeof unknown) == 0;
}

/*
 * TIDs and start times mean something in one PID and time namespace of one boot. Where that cannot be known
 * (no /proc), it counts as different from what is known; nothing known on either side will do for an
 * anonymous region, which cannot have come from another boot and rarely from another namespace.
 */
int share_foreign(const struct header *header, bool anonymous)
{
    struct world here;
    int error = world_get(&here);
    bool here_known = !is_unknown(here.boot_id) && here.pid_namespace != 0 && here.time_namespace != 0;
    bool there_known =
        !is_unknown(header->boot_id) && header->pid_namespace != 0 && header->time_namespace != 0;

    if (error)
        return error;
    if (here_known && there_known)
        return memcmp(here.boot_id, header->boot_id, sizeof here.boot_id) != 0 ? SEQSHARE_FOREIGN_BOOT
               : here.pid_namespace != header->pid_namespace   ? SEQSHARE_FOREIGN_PID_NAMESPACE
               : here.time_namespace != header->time_namespace ? SEQSHARE_FOREIGN_TIME_NAMESPACE
                                                               : 0;
    if (anonymous && memcmp(here.boot_id, header->boot_id, sizeof here.boot_id) == 0 &&
        here.pid_namespace == header->pid_namespace && here.time_namespace == header->time_namespace)
        return 0;
    return SEQSHARE_FOREIGN_UNKNOWN;
}

/* Asked until the answer is yes, once in each process: a child of fork may be in another namespace. */
int share_check_world(struct share *share)
{
    uint64_t generation = identity_generation();
    int foreign;

    if (__atomic_load_n(&share->our_world, __ATOMIC_RELAXED) == generation) /* a verdict, guarding nothing */
        return 0;
    foreign = share_foreign(&share->region.header, share->region.anonymous);
    if (foreign == 0)
        __atomic_store_n(&share->our_world, generation, __ATOMIC_RELAXED); /* the same */
    return foreign;
}

static COLD int find_writable(struct share *share, const struct identity *self)
{
    int foreign;

    if (!region_is_writable(&share->region))
        return -EROFS;
    if (self->error)
        return self->error;
    foreign = share_check_world(share);
    return foreign > 0 ? -EOPNOTSUPP : foreign;
}

/* What was found once in this process holds: share_check_world notes it. */
HOT_INLINE int check_writable(struct share *share, const struct identity *self)
{
    if (likely(region_is_writable(&share->region) && self->error == 0 &&
               __atomic_load_n(&share->our_world, __ATOMIC_RELAXED) == self->generation)) /* as there */
        return 0;
    return find_writable(share, self);
}

static void settle(struct share *share, uint64_t owner)
{
    struct identity *self;

    if (owner == 0)
        return;
    self = identity_get();
    if (owner == self->owner && check_writable(share, self) == 0)
        lock_settle(lock_of(share), self);
}

void share_settle(struct share *share)
{
    settle(share, lock_owner_of(share->region.owner_word));
}

bool share_is_locked_by_me(struct share *share)
{
    settle(share, lock_owner(lock_of(share)));
    return lock_is_mine(lock_of(share), identity_get()->owner);
}

/*
 * Asked before one waits for the lock, this only saves waiting. Asked again under it, the lock's acquire has
 * made each mark visible that an owner has set.
 */
static bool is_replaced(const struct share *share)
{
    return region_marks(&share->region) & SEQSHARE_REPLACED;
}

/* Holding the lock: 0, or -EIDRM. Only a name that moves, or has moved, costs more than the load. */
HOT_INLINE int check_marks(struct share *share)
{
    return unlikely(region_marks(&share->region) & ~(uint32_t)SEQSHARE_UNLINKED) ? share_check_marks(share)
                                                                                 : 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Relaxed, as all of `writing` and `locked_by`: compared with one's
 * own identity alone, and what another thread stored differs. */
HOT_INLINE void set_writing(struct share *share, uint64_t me)
{
    __atomic_store_n(&share->writing, me, __ATOMIC_RELAXED);
}

/* Relaxed: read by the thread that fills, and its signal handlers. */
HOT_INLINE void set_filling(struct share *share, uint64_t version)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a handler that sees the fill sees its room */
    seqshare_store_relaxed(&share->filling, version);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* and one that sees the writing sees that this is not a fill */
}

/* True: as lock_leave. */
HOT_INLINE bool end(struct share *share, uint64_t me)
{
    set_writing(share, 0);
    return lock_leave(lock_of(share), me);
}

/* After a publication. `first`: of its tick. */
HOT_INLINE void end_and_wake(struct share *share, uint64_t me, bool first)
{
    if (likely(end(share, me)))
        wake_sleepers_fenced(&share->region.map->wake, first);
    else
        wake_sleepers(&share->region.map->wake, first);
}

/* Somebody has the lock, or had it and died; or this thread holds it otherwise than it seemed. */
static COLD int enter_or_wait(struct share *share, struct identity *self)
{
    return is_replaced(share) ? -EIDRM : lock_enter_or_wait(lock_of(share), self);
}

HOT_INLINE int begin(struct share *share, struct identity *self)
{
    int error = check_writable(share, self);

    if (unlikely(error))
        return error;
    if (unlikely(!lock_enter(lock_of(share), self, &share->locked_by))) {
        error = enter_or_wait(share, self);
        if (error)
            return error;
    }
    set_filling(share, 0); /* who filled before us may have died */
    seqshare_store_relaxed(&share->abandoned, lock_abandoned(lock_of(share))); /* as set_writing */
    set_writing(share, self->owner);
    error = check_marks(share);
    if (unlikely(error))
        end(share, self->owner);
    return error;
}

int share_begin(struct share *share)
{
    return begin(share, identity_get());
}

void share_end(struct share *share)
{
    end(share, identity_get()->owner);
}

/*
 * Holding the lock: may a version follow (over *expected, if not NULL), and are `length` bytes of memory
 * there for it? Then steps 1 and 2: the version is announced, in *version. Inlined, so that the barriers
 * stand in one function with the copy, where tests/arch can follow every path between them.
 */
HOT_INLINE int announce(struct share *share, uint64_t *expected, size_t length, uint64_t *version)
{
    struct seqshare_head *head = &share->region.map->head;
    uint64_t current = seqshare_write_current(head);
    unsigned slot = seqshare_slot_of(current + 1, share->hot.mask);
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
                                   : -EBADMSG; /* an enemy moves it: no memory was reserved for that slot */
}

/* Steps 3 (but for the bytes) and 4. True: the first publication of its tick; see wake.c. */
HOT_INLINE bool finish(struct share *share, const struct identity *self, uint64_t version, size_t length,
                       uint32_t tag)
{
    struct layout *map = share->region.map;
    struct slot_note *note = &map->note[seqshare_slot_of(version, share->hot.mask)];
    uint64_t now = clock_date();
    /* Relaxed: while this thread owns the lock, nobody else stores it. */
    uint64_t before =
        seqshare_load_relaxed(&map->note[seqshare_slot_of(version - 1, share->hot.mask)].published);

    seqshare_store_relaxed(&note->published, now);
    __atomic_store_n(&note->writer, (uint32_t)self->process, __ATOMIC_RELAXED); /* like the bytes */
    seqshare_write_slot(&map->head, share->hot.mask, version, length, tag);
    seqshare_write_publish(&map->head, version);
    return !clock_same_tick(now, before);
}

HOT_INLINE unsigned char *slot_bytes(const struct share *share, uint64_t version)
{
    return (unsigned char *)(uintptr_t)share->hot.place[seqshare_slot_of(version, share->hot.mask)].bytes;
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
    if (unlikely(length > share->hot.capacity))
        return -EMSGSIZE;
    self = identity_get();
    error = begin(share, self);
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
        end(share, self->owner);
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

/*
 * Is this thread in the write that it began through this handle? Through another one of the region it may have
 * been abandoned since, and the next begun.
 */
static bool is_writing(const struct share *share, uint64_t me)
{
    const struct lock_line *lock = lock_of(share);

    return __atomic_load_n(&share->writing, __ATOMIC_RELAXED) == me && lock_is_entered(lock, me) &&
           seqshare_load_relaxed(&share->abandoned) == lock_abandoned(lock); /* as set_writing */
}

/* And that write is the fill of this version; nothing has been published meanwhile. */
static bool is_filling(const struct share *share, uint64_t version, uint64_t me)
{
    return version != 0 && is_writing(share, me) &&
           seqshare_write_current(&share->region.map->head) + 1 == version;
}

/*
 * End the fill of this version. By compare-and-swap, for a signal handler of this thread may publish it at any
 * instant before, and the lock be another's by then: success proves that it is still ours to publish.
 */
static bool leave_filling(struct share *share, uint64_t version)
{
    return __atomic_compare_exchange_n(&share->filling, &version, 0, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED); /* as set_filling */
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
    if (room > share->hot.capacity)
        return -EMSGSIZE;
    error = share_begin(share);
    if (error)
        return error;
    error = announce(share, NULL, room, &version);
    if (error) {
        share_end(share);
        return error;
    }
    copy_fence(); /* what the program stores may be non-temporal */
    share->room = room;
    set_filling(share, version);
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
    version = seqshare_load_relaxed(&share->filling); /* as set_filling */
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
    if (lock_is_entered(lock_of(share), self->owner)) {
        set_filling(share, 0);
        set_writing(share, 0);
    }
    return lock_abandon(lock_of(share), self) ? 0 : -EPERM; /* the sequence stays odd, as after a death */
}

/* ---- lock ------------------------------------------------------------------------------------ */

static COLD int acquire_or_wait(struct share *share, struct identity *self, int64_t ns)
{
    return is_replaced(share) ? -EIDRM : lock_wait(lock_of(share), self, &share->locked_by, ns);
}

HOT_INLINE int lock_for(seqshare *handle, int64_t ns)
{
    struct share *share = share_of(handle);
    struct identity *self;
    int result, error;

    if (!handle || ns < -1)
        return -EINVAL;
    self = identity_get();
    result = check_writable(share, self);
    if (unlikely(result))
        return result;
    if (unlikely(!lock_take(lock_of(share), self, 0, self->owner, &share->locked_by))) {
        result = acquire_or_wait(share, self, ns);
        if (result < 0)
            return result;
    }
    error = check_marks(share);
    if (error) {
        lock_release(lock_of(share), self, &share->locked_by);
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
    return lock_release(lock_of(share), identity_get(), &share->locked_by);
}

void share_let_go(struct share *share)
{
    struct identity *self = identity_get();

    /* Since drop_write nothing is ours, whatever an enemy has written there. */
    if (!region_is_writable(&share->region))
        return;
    if (is_writing(share, self->owner)) {
        set_writing(share, 0);
        lock_abandon(lock_of(share), self); /* a fill, or a set that a longjmp left */
    }
    if (__atomic_load_n(&share->locked_by, __ATOMIC_RELAXED) == self->owner) /* see set_writing */
        lock_release(lock_of(share), self, &share->locked_by);
}
