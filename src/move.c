/* SPDX-License-Identifier: MIT */
/*
 * Two bits of the retired mark say that a process is about to move the region's name, and who may. They are a
 * lock for that alone, between processes of which some cannot have the region's lock:
 *
 *      SEQSHARE_LOOK           set by an owner of the region's lock, of whom there is one
 *      SEQSHARE_LOOK_OUTSIDE   taken by a process that finds it clear
 *
 * Each is set by one atomic step on one word, which also tells whether the other was there. LOOK goes first: its
 * setter waits only for one that had LOOK_OUTSIDE before, and whoever takes LOOK_OUTSIDE and finds LOOK gives it
 * back and waits. So one moves the name at a time (tests/model/names.pml).
 *
 * A process that was killed leaves its bit behind: so nobody waits for longer than a second, and whoever moves a
 * name still looks at what it has moved (rename.c). LOOK is cleared by the next owner of the lock.
 */
#include "move.h"

#include <poll.h>

#include <seqshare/protocol.h>

#include "clock.h"

/* Relaxed, as all that is waited for here: the name is asked after it, by a system call. */
static bool await_clear(const struct region *region, uint32_t mark, int64_t deadline)
{
    while (region_marks(region) & mark) {
        if (clock_now() >= deadline)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* Others' bits first; and ours is given back as long as LOOK stands, whose setter waits for that. */
static bool take_outside(struct region *region, int64_t deadline)
{
    const uint32_t both = SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE;

    for (;;) {
        uint32_t before = region_retire(region, SEQSHARE_LOOK_OUTSIDE);

        if (!(before & both))
            return true;
        if (!(before & SEQSHARE_LOOK_OUTSIDE))
            region_unmark(region, SEQSHARE_LOOK_OUTSIDE);
        if (!await_clear(region, both, deadline)) {
            region_retire(region, SEQSHARE_LOOK_OUTSIDE);
            return false;
        }
    }
}

bool move_begin(struct region *region, bool locked)
{
    int64_t deadline;

    if (!region_is_writable(region))
        return true;
    deadline = clock_after(MOVE_PATIENCE_NS);
    if (!locked)
        return take_outside(region, deadline);
    return !(region_retire(region, SEQSHARE_LOOK) & SEQSHARE_LOOK_OUTSIDE) ||
           await_clear(region, SEQSHARE_LOOK_OUTSIDE, deadline);
}

void move_end(struct region *region, bool locked, bool alone)
{
    if (!region_is_writable(region))
        return;
    if (locked)
        region_unmark(region, SEQSHARE_LOOK);
    else if (alone) /* else it is another's as well, which may have moved the name before it died */
        region_unmark(region, SEQSHARE_LOOK_OUTSIDE);
}
