/* SPDX-License-Identifier: MIT */
/*
 * Two bits of the retired mark say that a process is about to move the region's name. They are a lock for that alone,
 * between processes of which some cannot take the region's lock:
 *
 *      SEQSHARE_LOOK           set by an owner of the region's lock, of whom there is one
 *      SEQSHARE_LOOK_OUTSIDE   taken by a process that finds it clear
 *
 * One atomic step on one word sets a bit, and tells whether the other was set. LOOK goes first: its setter waits only
 * for a process that had LOOK_OUTSIDE before. A process that sets LOOK_OUTSIDE and finds LOOK clears its bit again and
 * waits. So one process moves the name at a time (tests/model/names.pml).
 *
 * A process that was killed leaves its bit behind. So nobody waits for longer than a second, and every process that
 * moves a name still looks at the file that it has moved (rename.c). The next owner of the lock clears LOOK.
 */
#include "move.h"

#include <poll.h>

#include <seqshare/protocol.h>

#include "clock.h"

/* Relaxed, like all waiting here: afterwards a system call asks the name. */
static bool await_clear(const struct region *region, uint32_t mark, int64_t deadline)
{
    while (region_marks(region) & mark) {
        if (clock_now() >= deadline)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* Wait for others' bits first. While LOOK is set, clear ours again: its setter waits for that. */
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
    /* If not alone, the bit is another process's as well, which may have moved the name before it died. */
    else if (alone)
        region_unmark(region, SEQSHARE_LOOK_OUTSIDE);
}
