/* SPDX-License-Identifier: MIT */
/* Before a process moves a name, it says so in the region that has the name, and keeps out of others' way. */
#ifndef SEQSHARE_MOVE_H
#define SEQSHARE_MOVE_H

#include <stdbool.h>

#include "region.h"

/* How long a process that moves names waits for another that may be dead, or asleep. */
enum { MOVE_PATIENCE_NS = 1000000000 };

/*
 * We are about to move this region's name: set SEQSHARE_LOOK if its lock is ours, otherwise SEQSHARE_LOOK_OUTSIDE.
 * Until move_end no other process that sets a bit moves it, unless it has waited for a second. The result goes to
 * move_end; false: we have waited so long ourselves. If we may not write the region, we set nothing.
 */
bool move_begin(struct region *region, bool locked);
void move_end(struct region *region, bool locked, bool alone);

#endif
