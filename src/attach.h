/* SPDX-License-Identifier: MIT */
/* Map a region that is there already, after checking everything that safety depends on. */
#ifndef SEQSHARE_ATTACH_H
#define SEQSHARE_ATTACH_H

#include <stdbool.h>

#include "region.h"

/*
 * Map the region behind `fd`. The region owns `fd` from here on, even on failure. -EBADMSG,
 * -EPROTONOSUPPORT, -EOPNOTSUPP (file system), -EACCES, -ENOMEM.
 */
int attach_region(struct region *region, int fd, bool writable);

#endif
