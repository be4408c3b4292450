/* SPDX-License-Identifier: MIT */
/* Before a name moves: who does it says so in the region that has it, and keeps out of others' way. */
#ifndef SEQSHARE_MOVE_H
#define SEQSHARE_MOVE_H

#include <stdbool.h>

#include "region.h"

/* How long a process that moves names waits for another that may be dead, or asleep. */
enum { MOVE_PATIENCE_NS = 1000000000 };

/*
 * The name of this region is about to move: set SEQSHARE_LOOK if its lock is ours, else SEQSHARE_LOOK_OUTSIDE.
 * Until move_end no other process that says so moves it, unless it has waited for a second. The result goes to
 * move_end; false: we have waited so long ourselves. Where the region may not be written nothing is set.
 */
bool move_begin(struct region *region, bool locked);
void move_end(struct region *region, bool locked, bool alone);

#endif
