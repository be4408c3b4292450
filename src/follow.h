/* SPDX-License-Identifier: MIT */
/* Where a handle's name leads now; see follow.c. */
#ifndef SEQSHARE_FOLLOW_H
#define SEQSHARE_FOLLOW_H

#include <stdbool.h>

#include "share.h"

/* As name_leads_to. A handle without a name: -EINVAL. */
int follow_leads_here(const struct share *share);

/* The mapping is of a file that another one has taken the place of, on overlayfs, under the same number. */
bool follow_was_copied_up(const struct region *region);

/*
 * The owner of the lock has found marks other than SEQSHARE_UNLINKED: may it store anything? 0, or -EIDRM.
 * Asks the name if that may have moved, and notes the answer in the region.
 */
int follow_check_marks(struct share *share);

#endif
