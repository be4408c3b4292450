/* SPDX-License-Identifier: MIT */
/* Decides whether this thread may write: by the world of the region, and by the lock. */
#include "hold.h"

#include <string.h>

static bool is_unknown(const uint8_t boot_id[16])
{
    static const uint8_t unknown[16];

    return memcmp(boot_id, unknown, sizeof unknown) == 0;
}

/*
 * TIDs and start times mean something in one PID and time namespace of one boot. A namespace that cannot be known
 * (no /proc) counts as different from one that is known. If neither side is known, that is enough for an
 * anonymous region, which cannot have come from another boot and rarely from another namespace.
 */
int hold_foreign(const struct header *header, bool anonymous)
{
    struct world here;
    int error = identity_get_world(&here);
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

/* Asks until the answer is yes, then no more in this process. A child of fork may be in another namespace. */
int hold_check_world(struct share *share)
{
    uint64_t generation = identity_generation();
    int foreign;

    if (__atomic_load_n(&share->our_world, __ATOMIC_RELAXED) == generation) /* a verdict: it guards nothing */
        return 0;
    foreign = hold_foreign(&share->region.header, share->region.anonymous);
    if (foreign == 0)
        __atomic_store_n(&share->our_world, generation, __ATOMIC_RELAXED); /* the same */
    return foreign;
}

int hold_find_writable(struct share *share, const struct identity *self)
{
    int foreign;

    if (!region_is_writable(&share->region))
        return -EROFS;
    if (self->error)
        return self->error;
    foreign = hold_check_world(share);
    return foreign > 0 ? -EOPNOTSUPP : foreign;
}

static void settle(struct share *share, uint64_t owner)
{
    struct identity *self;

    if (owner == 0)
        return;
    self = identity_get();
    if (owner == self->owner && hold_check_writable(share, self) == 0)
        lock_settle(hold_lock(share), self);
}

void hold_settle(struct share *share)
{
    settle(share, lock_owner_of(share->region.owner_word));
}

bool hold_is_mine(struct share *share)
{
    settle(share, lock_owner(hold_lock(share)));
    return lock_is_mine(hold_lock(share), identity_get()->owner);
}

bool hold_is_writing(const struct share *share, uint64_t me)
{
    const struct lock_line *lock = hold_lock(share);

    return __atomic_load_n(&share->writing, __ATOMIC_RELAXED) == me && lock_is_entered(lock, me) &&
           seqshare_load_relaxed(&share->abandoned) == lock_abandoned(lock); /* as hold_set_writing */
}

int hold_enter_or_wait(struct share *share, struct identity *self)
{
    return hold_is_replaced(share) ? -EIDRM : lock_enter_or_wait(hold_lock(share), self);
}

int hold_begin(struct share *share)
{
    return hold_enter(share, identity_get());
}

void hold_end(struct share *share)
{
    hold_leave(share, identity_get()->owner);
}

void hold_release_all(struct share *share)
{
    struct identity *self = identity_get();

    /* After drop_write nothing is ours, whatever an enemy has written there. */
    if (!region_is_writable(&share->region))
        return;
    if (hold_is_writing(share, self->owner)) {
        hold_set_writing(share, 0);
        lock_abandon(hold_lock(share), self); /* a fill, or a set that a longjmp left */
    }
    if (__atomic_load_n(&share->locked_by, __ATOMIC_RELAXED) == self->owner) /* see hold_set_writing */
        lock_release(hold_lock(share), self, &share->locked_by);
}
